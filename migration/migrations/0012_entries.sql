-- Journal entries and their lines. What is posted stays as it is, for every role: correction is reversal.

-- The last number and date of a journal in a fiscal year. Only the posting rule below writes it.
CREATE TABLE journal_series (
    tenant_id      uuid NOT NULL,
    journal_id     uuid NOT NULL,
    fiscal_year_id uuid NOT NULL,
    last_number    integer NOT NULL,
    last_date      date NOT NULL,
    PRIMARY KEY (tenant_id, journal_id, fiscal_year_id),
    FOREIGN KEY (tenant_id, journal_id) REFERENCES journal (tenant_id, id),
    FOREIGN KEY (tenant_id, fiscal_year_id) REFERENCES fiscal_year (tenant_id, id)
);
SELECT wall_company_table('journal_series', 'SELECT');

CREATE TABLE journal_entry (
    tenant_id      uuid NOT NULL,
    id             uuid NOT NULL,
    journal_id     uuid NOT NULL,
    -- 'result' and 'opening' (à-nouveaux) are written when a year closes.
    kind           text NOT NULL DEFAULT 'normal' CHECK (kind IN ('normal', 'result', 'opening', 'reversal')),
    state          text NOT NULL DEFAULT 'draft' CHECK (state IN ('draft', 'posted')),
    entry_date     date NOT NULL,
    label          text NOT NULL CHECK (length(label) BETWEEN 1 AND 300),
    -- The document that justifies it (pièce justificative).
    piece_ref      text CHECK (length(piece_ref) BETWEEN 1 AND 100),
    piece_date     date,
    -- The thing it comes from, of a domain above: no foreign key leads up.
    source_kind    text,
    source_id      uuid,
    -- The entry that this one reverses. The link back is found by its unique key: no posted row is touched.
    reverses_id    uuid,
    -- Given at posting.
    fiscal_year_id uuid,
    period_id      uuid,
    number         integer CHECK (number > 0),
    posted_at      timestamptz,
    posted_by      text,
    external_ref   text CHECK (length(external_ref) BETWEEN 1 AND 200),
    version        integer NOT NULL DEFAULT 1,
    created_at     timestamptz NOT NULL,
    created_by     text NOT NULL,
    updated_at     timestamptz NOT NULL,
    updated_by     text NOT NULL,
    PRIMARY KEY (tenant_id, id),
    CONSTRAINT journal_entry_number UNIQUE (tenant_id, journal_id, fiscal_year_id, number),
    CONSTRAINT journal_entry_reverses UNIQUE (tenant_id, reverses_id),
    CONSTRAINT journal_entry_external_ref UNIQUE (tenant_id, external_ref),
    FOREIGN KEY (tenant_id, journal_id) REFERENCES journal (tenant_id, id),
    FOREIGN KEY (tenant_id, fiscal_year_id) REFERENCES fiscal_year (tenant_id, id),
    FOREIGN KEY (tenant_id, period_id) REFERENCES period (tenant_id, id),
    FOREIGN KEY (tenant_id, reverses_id) REFERENCES journal_entry (tenant_id, id),
    CHECK ((kind = 'reversal') = (reverses_id IS NOT NULL)),
    CHECK ((piece_ref IS NULL) = (piece_date IS NULL)),
    CHECK ((source_kind IS NULL) = (source_id IS NULL)),
    CHECK (CASE state WHEN 'posted' THEN num_nulls(fiscal_year_id, period_id, number, posted_at, posted_by) = 0
                      ELSE num_nonnulls(fiscal_year_id, period_id, number, posted_at, posted_by) = 0 END)
);
SELECT wall_company_table('journal_entry', 'SELECT, INSERT, UPDATE, DELETE');
CREATE INDEX journal_entry_date ON journal_entry (tenant_id, entry_date, id);
CREATE INDEX journal_entry_journal ON journal_entry (tenant_id, journal_id, id);
CREATE INDEX journal_entry_drafts ON journal_entry (tenant_id, id) WHERE state = 'draft';
CREATE INDEX journal_entry_source ON journal_entry (tenant_id, source_id) WHERE source_id IS NOT NULL;

CREATE TABLE posting (
    tenant_id        uuid NOT NULL,
    id               uuid NOT NULL,
    entry_id         uuid NOT NULL,
    line_no          integer NOT NULL CHECK (line_no > 0),
    account_id       uuid NOT NULL,
    -- The company's currency, minor units.
    debit_minor      bigint NOT NULL DEFAULT 0 CHECK (debit_minor >= 0),
    credit_minor     bigint NOT NULL DEFAULT 0 CHECK (credit_minor >= 0),
    -- What it was in another currency: minor units, signed like the line (debit positive), and the company's
    -- currency for one unit of it.
    foreign_currency text CHECK (foreign_currency ~ '^[A-Z]{3}$'),
    foreign_minor    bigint,
    foreign_rate     numeric CHECK (foreign_rate > 0),
    -- The customer or supplier. Its table belongs to a domain above: no foreign key leads up.
    party_id         uuid,
    label            text NOT NULL CHECK (length(label) BETWEEN 1 AND 300),
    tax_code         text CHECK (length(tax_code) BETWEEN 1 AND 40),
    tax_base_minor   bigint,
    -- Analytic dimensions: a flat object of texts.
    analytic         jsonb CHECK (jsonb_typeof(analytic) = 'object'),
    due_on           date,
    -- The entry's date, once it is posted.
    posted_on        date,
    PRIMARY KEY (tenant_id, id),
    CONSTRAINT posting_line UNIQUE (tenant_id, entry_id, line_no),
    FOREIGN KEY (tenant_id, entry_id) REFERENCES journal_entry (tenant_id, id),
    CONSTRAINT posting_account FOREIGN KEY (tenant_id, account_id) REFERENCES account (tenant_id, id),
    CONSTRAINT posting_one_side CHECK ((debit_minor > 0) <> (credit_minor > 0)),
    CHECK (num_nulls(foreign_currency, foreign_minor, foreign_rate) IN (0, 3)),
    CHECK (CASE WHEN debit_minor > 0 THEN foreign_minor >= 0 ELSE foreign_minor <= 0 END),
    CHECK ((tax_code IS NULL) = (tax_base_minor IS NULL))
);
SELECT wall_company_table('posting', 'SELECT, INSERT, UPDATE, DELETE');
CREATE INDEX posting_of_account ON posting (tenant_id, account_id, posted_on, id);
CREATE INDEX posting_of_party ON posting (tenant_id, party_id, posted_on, id) WHERE party_id IS NOT NULL;

-- The posting rule. The lock of the number's row comes last, and is held until the commit.
-- Runs as the owner, so that nobody else needs to write a series; under the policies all the same.
CREATE FUNCTION post_entry() RETURNS trigger LANGUAGE plpgsql
    SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    place record;
    sums  record;
BEGIN
    -- Lines that others have added are counted, whatever this session has read before.
    PERFORM require_read_committed();
    SELECT p.id, p.fiscal_year_id, p.last_day, p.state, y.first_day AS year_begins, j.kind AS journal, j.code
        INTO place
        FROM period p JOIN fiscal_year y ON y.id = p.fiscal_year_id JOIN journal j ON j.id = NEW.journal_id
        WHERE p.first_day <= NEW.entry_date ORDER BY p.first_day DESC LIMIT 1 FOR SHARE OF p;
    IF place.id IS NULL OR place.last_day < NEW.entry_date THEN
        RAISE EXCEPTION 'no fiscal year covers %: open it first, or choose another date', NEW.entry_date
            USING ERRCODE = 'CO011';
    END IF;
    IF place.state = 'closed' OR (place.state = 'locked' AND NEW.kind NOT IN ('result', 'opening')) THEN
        RAISE EXCEPTION 'the period of % is %: choose a date in an open period', NEW.entry_date, place.state
            USING ERRCODE = 'CO010';
    END IF;
    IF place.journal = 'opening' AND NEW.entry_date <> place.year_begins THEN
        RAISE EXCEPTION 'entries of the opening journal are dated on the first day of a fiscal year, here %',
            place.year_begins USING ERRCODE = 'CO017';
    END IF;

    -- The closing of a year and reversals reach accounts that are closed by now.
    SELECT count(*) AS lines, coalesce(sum(p.debit_minor), 0) AS debit, coalesce(sum(p.credit_minor), 0) AS credit,
           min(a.number) FILTER (WHERE a.closed_at IS NOT NULL AND NEW.kind = 'normal') AS closed,
           min(a.number) FILTER (WHERE a.party_required AND p.party_id IS NULL) AS without_party
        INTO sums FROM posting p JOIN account a ON a.id = p.account_id WHERE p.entry_id = NEW.id;
    IF sums.lines < 2 THEN
        RAISE EXCEPTION 'an entry needs at least two lines' USING ERRCODE = 'CO014';
    END IF;
    IF sums.debit <> sums.credit THEN
        RAISE EXCEPTION 'debits and credits differ by % minor units: an entry balances in the company''s currency',
            abs(sums.debit - sums.credit) USING ERRCODE = 'CO013';
    END IF;
    IF sums.closed IS NOT NULL THEN
        RAISE EXCEPTION 'account % is closed: reopen it or use another', sums.closed USING ERRCODE = 'CO015';
    END IF;
    IF sums.without_party IS NOT NULL THEN
        RAISE EXCEPTION 'lines on account % must name a customer or supplier', sums.without_party
            USING ERRCODE = 'CO016';
    END IF;

    INSERT INTO journal_series AS s (tenant_id, journal_id, fiscal_year_id, last_number, last_date)
        VALUES (NEW.tenant_id, NEW.journal_id, place.fiscal_year_id, 1, NEW.entry_date)
        ON CONFLICT (tenant_id, journal_id, fiscal_year_id) DO UPDATE
        SET last_number = s.last_number + 1, last_date = excluded.last_date
        WHERE s.last_date <= excluded.last_date
        RETURNING last_number INTO NEW.number;
    IF NEW.number IS NULL THEN
        RAISE EXCEPTION 'journal % has already posted on %: numbers and dates rise together, so no entry can be dated before',
            place.code, (SELECT last_date FROM journal_series
                WHERE journal_id = NEW.journal_id AND fiscal_year_id = place.fiscal_year_id)
            USING ERRCODE = 'CO012';
    END IF;
    NEW.period_id := place.id;
    NEW.fiscal_year_id := place.fiscal_year_id;
    RETURN NEW;
END $$;

CREATE FUNCTION guard_entry() RETURNS trigger LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        IF NEW.state <> 'draft' THEN
            RAISE EXCEPTION 'an entry begins as a draft' USING ERRCODE = 'CO002';
        END IF;
        RETURN NEW;
    END IF;
    IF OLD.state = 'posted' THEN
        RAISE EXCEPTION 'a posted entry is never changed: reverse it' USING ERRCODE = 'CO002';
    END IF;
    IF TG_OP = 'DELETE' THEN
        RETURN OLD;
    END IF;
    IF (NEW.tenant_id, NEW.id) IS DISTINCT FROM (OLD.tenant_id, OLD.id) THEN
        RAISE EXCEPTION 'the id of an entry is never changed' USING ERRCODE = 'CO002';
    END IF;
    RETURN NEW;
END $$;
-- Triggers of one moment fire in the order of their names: the guard speaks before the rule.
CREATE TRIGGER frozen BEFORE INSERT OR UPDATE OR DELETE ON journal_entry
    FOR EACH ROW EXECUTE FUNCTION guard_entry();
CREATE TRIGGER posting_rule BEFORE UPDATE ON journal_entry
    FOR EACH ROW WHEN (OLD.state = 'draft' AND NEW.state = 'posted') EXECUTE FUNCTION post_entry();
CREATE TRIGGER frozen_truncate BEFORE TRUNCATE ON journal_entry
    EXECUTE FUNCTION refuse_change('posted entries are never deleted');
ALTER TABLE journal_entry ENABLE ALWAYS TRIGGER frozen;
ALTER TABLE journal_entry ENABLE ALWAYS TRIGGER posting_rule;
ALTER TABLE journal_entry ENABLE ALWAYS TRIGGER frozen_truncate;

-- The lines learn of their posting when the entry is posted already: the only change that they then take.
CREATE FUNCTION date_lines() RETURNS trigger LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
    UPDATE posting SET posted_on = NEW.entry_date WHERE entry_id = NEW.id;
    RETURN NULL;
END $$;
CREATE TRIGGER date_lines AFTER UPDATE ON journal_entry
    FOR EACH ROW WHEN (OLD.state = 'draft' AND NEW.state = 'posted') EXECUTE FUNCTION date_lines();
ALTER TABLE journal_entry ENABLE ALWAYS TRIGGER date_lines;

-- Lines are added to drafts only. FOR SHARE waits for a posting that is under way and then sees it; a posting
-- that comes later waits for this transaction and then sees its lines. Once a statement, not once a line.
CREATE FUNCTION guard_new_lines() RETURNS trigger LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
DECLARE
    of_state text;
BEGIN
    FOR of_state IN
        SELECT e.state FROM journal_entry e WHERE e.id IN (SELECT a.entry_id FROM added a) ORDER BY e.id FOR SHARE
    LOOP
        IF of_state <> 'draft' THEN
            RAISE EXCEPTION 'no line is added to a posted entry: reverse it' USING ERRCODE = 'CO002';
        END IF;
    END LOOP;
    RETURN NULL;
END $$;
CREATE TRIGGER frozen_insert AFTER INSERT ON posting REFERENCING NEW TABLE AS added
    FOR EACH STATEMENT EXECUTE FUNCTION guard_new_lines();
CREATE TRIGGER frozen_posted_on BEFORE INSERT ON posting
    FOR EACH ROW WHEN (NEW.posted_on IS NOT NULL) EXECUTE FUNCTION refuse_change('a line begins on a draft');

CREATE FUNCTION guard_line() RETURNS trigger LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
DECLARE
    entry record;
BEGIN
    SELECT state, entry_date INTO entry FROM journal_entry WHERE id = OLD.entry_id FOR SHARE;
    IF entry.state = 'draft' AND TG_OP = 'DELETE' THEN
        RETURN OLD;
    END IF;
    IF entry.state = 'draft' AND NEW.posted_on IS NULL
        AND (NEW.tenant_id, NEW.id, NEW.entry_id) = (OLD.tenant_id, OLD.id, OLD.entry_id) THEN
        RETURN NEW;
    END IF;
    IF TG_OP = 'UPDATE' AND OLD.posted_on IS NULL AND NEW.posted_on = entry.entry_date THEN
        OLD.posted_on := NEW.posted_on;
        IF entry.state = 'posted' AND OLD IS NOT DISTINCT FROM NEW THEN
            RETURN NEW;
        END IF;
    END IF;
    RAISE EXCEPTION 'the lines of a posted entry are never changed: reverse it' USING ERRCODE = 'CO002';
END $$;
CREATE TRIGGER frozen BEFORE UPDATE OR DELETE ON posting FOR EACH ROW EXECUTE FUNCTION guard_line();
CREATE TRIGGER frozen_truncate BEFORE TRUNCATE ON posting
    EXECUTE FUNCTION refuse_change('posted entries are never deleted');
ALTER TABLE posting ENABLE ALWAYS TRIGGER frozen;
ALTER TABLE posting ENABLE ALWAYS TRIGGER frozen_insert;
ALTER TABLE posting ENABLE ALWAYS TRIGGER frozen_posted_on;
ALTER TABLE posting ENABLE ALWAYS TRIGGER frozen_truncate;

-- The cube ledger.balance: what becomes posted moves the balance of its account on its day.
CREATE FUNCTION balance_deltas() RETURNS trigger LANGUAGE plpgsql
    SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    INSERT INTO kpi_delta (tenant_id, cube, day, dim1, dim2, count, sum1, sum2)
        SELECT n.tenant_id, 'ledger.balance', n.posted_on, n.account_id::text, e.kind,
               count(*), sum(n.debit_minor), sum(n.credit_minor)
        FROM new_lines n
        JOIN old_lines o ON o.tenant_id = n.tenant_id AND o.id = n.id AND o.posted_on IS NULL
        JOIN journal_entry e ON e.tenant_id = n.tenant_id AND e.id = n.entry_id
        WHERE n.posted_on IS NOT NULL
        GROUP BY n.tenant_id, n.posted_on, n.account_id, e.kind;
    RETURN NULL;
END $$;
REVOKE EXECUTE ON FUNCTION balance_deltas(), post_entry() FROM PUBLIC;
CREATE TRIGGER balances AFTER UPDATE ON posting REFERENCING OLD TABLE AS old_lines NEW TABLE AS new_lines
    FOR EACH STATEMENT EXECUTE FUNCTION balance_deltas();
ALTER TABLE posting ENABLE ALWAYS TRIGGER balances;
