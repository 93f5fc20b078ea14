-- Customer invoices and credit notes.

CREATE TABLE invoice (
    tenant_id        uuid NOT NULL,
    id               uuid NOT NULL,
    kind             text NOT NULL CHECK (kind IN ('invoice', 'credit_note')),
    state            text NOT NULL DEFAULT 'draft' CHECK (state IN ('draft', 'issued', 'discarded')),
    customer_id      uuid NOT NULL,
    -- The invoice that a credit note corrects.
    corrects_id      uuid,
    -- Given at issue: gapless per kind and calendar year, e.g. F2026-000042 and A2026-000007.
    number           text COLLATE "C",
    series_year      smallint,
    series_number    integer,
    issue_date       date,
    due_date         date,
    delivery_date    date,
    currency         text NOT NULL CHECK (currency ~ '^[A-Z]{3}$'),
    -- Company currency for one unit of the invoice's; fixed at issue.
    rate             numeric,
    payment_days     smallint NOT NULL,
    end_of_month     boolean NOT NULL,
    buyer_reference  text,
    order_reference  text,
    note             text,
    -- In the invoice's currency, minor units; of a credit note positive as well.
    net_minor        bigint NOT NULL DEFAULT 0,
    tax_minor        bigint NOT NULL DEFAULT 0,
    total_minor      bigint NOT NULL DEFAULT 0,
    -- In the company's currency, as posted.
    net_base_minor   bigint NOT NULL DEFAULT 0,
    total_base_minor bigint NOT NULL DEFAULT 0,
    -- Kept by the trigger on allocation, in the invoice's currency. Of an invoice: what payments settled, and
    -- what credit notes took off. Of a credit note: what was refunded, and what was set against invoices.
    settled_minor    bigint NOT NULL DEFAULT 0,
    credited_minor   bigint NOT NULL DEFAULT 0,
    -- What stays to be paid, or to be refunded.
    open_minor       bigint NOT NULL GENERATED ALWAYS AS (total_minor - settled_minor - credited_minor) STORED,
    -- Name, address and identifiers of the customer as they were at issue.
    customer_as_issued jsonb,
    entry_id         uuid,
    issued_at        timestamptz,
    issued_by        text,
    external_ref     text CHECK (length(external_ref) BETWEEN 1 AND 200),
    version          integer NOT NULL DEFAULT 1,
    created_at       timestamptz NOT NULL,
    created_by       text NOT NULL,
    updated_at       timestamptz NOT NULL,
    updated_by       text NOT NULL,
    PRIMARY KEY (tenant_id, id),
    UNIQUE (tenant_id, external_ref),
    UNIQUE (tenant_id, kind, series_year, series_number),
    FOREIGN KEY (tenant_id, customer_id) REFERENCES party (tenant_id, id),
    FOREIGN KEY (tenant_id, corrects_id) REFERENCES invoice (tenant_id, id),
    FOREIGN KEY (tenant_id, entry_id) REFERENCES journal_entry (tenant_id, id),
    CHECK (total_minor = net_minor + tax_minor),
    CHECK (settled_minor >= 0 AND credited_minor >= 0 AND settled_minor + credited_minor <= total_minor),
    -- A credit note names what it corrects (CGI, ann. II, art. 242 nonies A; directive 2006/112/CE, art. 219).
    CHECK ((kind = 'credit_note') = (corrects_id IS NOT NULL)),
    CHECK (state <> 'issued' OR (number IS NOT NULL AND series_year IS NOT NULL AND series_number IS NOT NULL
        AND issue_date IS NOT NULL AND due_date IS NOT NULL AND rate IS NOT NULL AND entry_id IS NOT NULL
        AND customer_as_issued IS NOT NULL AND issued_at IS NOT NULL AND issued_by IS NOT NULL))
);
SELECT wall_company_table('invoice', 'SELECT, INSERT, UPDATE');
CREATE INDEX invoice_newest ON invoice (tenant_id, id);
CREATE INDEX invoice_customer ON invoice (tenant_id, customer_id, id);
CREATE INDEX invoice_state ON invoice (tenant_id, state, id);
CREATE INDEX invoice_issued ON invoice (tenant_id, issue_date, id) WHERE state = 'issued';
CREATE INDEX invoice_due ON invoice (tenant_id, due_date, id) WHERE state = 'issued';
CREATE INDEX invoice_open ON invoice (tenant_id, due_date, id) WHERE state = 'issued' AND open_minor > 0;
CREATE INDEX invoice_number ON invoice (tenant_id, number) WHERE state = 'issued';
CREATE INDEX invoice_corrects ON invoice (tenant_id, corrects_id) WHERE corrects_id IS NOT NULL;
CREATE INDEX invoice_credit_notes ON invoice (tenant_id, id) WHERE kind = 'credit_note';

CREATE TABLE invoice_line (
    tenant_id        uuid NOT NULL,
    id               uuid NOT NULL,
    invoice_id       uuid NOT NULL,
    line_no          integer NOT NULL CHECK (line_no > 0),
    item_id          uuid,
    description      text NOT NULL CHECK (length(description) BETWEEN 1 AND 1000),
    quantity         numeric NOT NULL CHECK (quantity > 0),
    unit             text NOT NULL,
    unit_price       numeric NOT NULL CHECK (unit_price >= 0),
    discount_percent numeric NOT NULL DEFAULT 0 CHECK (discount_percent BETWEEN 0 AND 100),
    net_minor        bigint NOT NULL CHECK (net_minor >= 0),
    tax_code_id      uuid NOT NULL,
    category         text NOT NULL,
    rate             numeric(6, 3) NOT NULL,
    chargeable       text NOT NULL,
    account_id       uuid NOT NULL,
    -- The line of the corrected invoice that a line of a credit note takes back.
    corrects_line_id uuid,
    PRIMARY KEY (tenant_id, id),
    UNIQUE (tenant_id, invoice_id, line_no),
    FOREIGN KEY (tenant_id, invoice_id) REFERENCES invoice (tenant_id, id),
    FOREIGN KEY (tenant_id, item_id) REFERENCES item (tenant_id, id),
    FOREIGN KEY (tenant_id, tax_code_id) REFERENCES tax_code (tenant_id, id),
    FOREIGN KEY (tenant_id, account_id) REFERENCES account (tenant_id, id),
    FOREIGN KEY (tenant_id, corrects_line_id) REFERENCES invoice_line (tenant_id, id)
);
SELECT wall_company_table('invoice_line', 'SELECT, INSERT, UPDATE, DELETE');

-- Tax per category and rate (EN 16931 BG-23): computed on the sum of the group, never per line.
CREATE TABLE invoice_tax (
    tenant_id          uuid NOT NULL,
    invoice_id         uuid NOT NULL,
    category           text NOT NULL,
    rate               numeric(6, 3) NOT NULL,
    reason             text,
    base_minor         bigint NOT NULL,
    tax_minor          bigint NOT NULL,
    -- In the company's currency: the tax that waits for payment, its base, and what allocations have transferred of
    -- the tax. The trigger on allocation keeps the last, and nobody else may write it (see `0033_payments.sql`).
    waiting_minor      bigint NOT NULL DEFAULT 0 CHECK (waiting_minor >= 0),
    waiting_base_minor bigint NOT NULL DEFAULT 0,
    transferred_minor  bigint NOT NULL DEFAULT 0 CHECK (transferred_minor BETWEEN 0 AND waiting_minor),
    PRIMARY KEY (tenant_id, invoice_id, category, rate),
    FOREIGN KEY (tenant_id, invoice_id) REFERENCES invoice (tenant_id, id)
);
SELECT wall_company_table('invoice_tax', 'SELECT, INSERT, UPDATE, DELETE');

-- The last number of each series; locked after every row of business, and before the ledger's own numbers.
CREATE TABLE invoice_series (
    tenant_id   uuid NOT NULL,
    kind        text NOT NULL CHECK (kind IN ('invoice', 'credit_note')),
    year        smallint NOT NULL,
    last_number integer NOT NULL DEFAULT 0,
    last_date   date NOT NULL,
    PRIMARY KEY (tenant_id, kind, year)
);
SELECT wall_company_table('invoice_series', 'SELECT, INSERT, UPDATE');

-- A series begins at 1, goes on by one, and its dates never go back.
CREATE FUNCTION keep_invoice_series() RETURNS trigger LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
    IF TG_OP = 'DELETE' OR NEW.last_number <> (CASE WHEN TG_OP = 'INSERT' THEN 1 ELSE OLD.last_number + 1 END)
        OR (TG_OP = 'UPDATE' AND ((NEW.kind, NEW.year) <> (OLD.kind, OLD.year) OR NEW.last_date < OLD.last_date)) THEN
        RAISE EXCEPTION 'a series of invoice numbers goes on by one' USING ERRCODE = 'CO002';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER frozen BEFORE INSERT OR UPDATE OR DELETE ON invoice_series
    FOR EACH ROW EXECUTE FUNCTION keep_invoice_series();
CREATE TRIGGER frozen_truncate BEFORE TRUNCATE ON invoice_series
    EXECUTE FUNCTION refuse_change('a series of invoice numbers goes on by one');
-- No number is taken for nothing. At the commit, for the number is needed before its document is issued: the
-- entry that is posted in between carries it. So only the transaction that takes a number can use it.
CREATE FUNCTION keep_invoice_numbers() RETURNS trigger LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM invoice WHERE tenant_id = NEW.tenant_id AND kind = NEW.kind
        AND series_year = NEW.year AND series_number = NEW.last_number AND state = 'issued') THEN
        RAISE EXCEPTION 'a number is taken by the document that is issued with it' USING ERRCODE = 'CO002';
    END IF;
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER frozen_numbers AFTER INSERT OR UPDATE ON invoice_series
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION keep_invoice_numbers();
ALTER TABLE invoice_series ENABLE ALWAYS TRIGGER frozen;
ALTER TABLE invoice_series ENABLE ALWAYS TRIGGER frozen_numbers;
ALTER TABLE invoice_series ENABLE ALWAYS TRIGGER frozen_truncate;

-- What a customer thinks of an invoice: once, 1 (bad) to 5 (good), by a signed link.
CREATE TABLE satisfaction (
    tenant_id  uuid NOT NULL,
    invoice_id uuid NOT NULL,
    score      smallint NOT NULL CHECK (score BETWEEN 1 AND 5),
    comment    text CHECK (length(comment) <= 2000),
    given_on   date NOT NULL,
    given_at   timestamptz NOT NULL,
    PRIMARY KEY (tenant_id, invoice_id),
    FOREIGN KEY (tenant_id, invoice_id) REFERENCES invoice (tenant_id, id)
);
SELECT wall_company_table('satisfaction', 'SELECT, INSERT');

-- What was issued stays as it was: only settlement, and nothing of the content, changes. `open_minor` follows
-- from the others and is not computed yet when a BEFORE trigger looks.
CREATE FUNCTION freeze_issued_invoice() RETURNS trigger LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
DECLARE
    moving text[] := '{settled_minor,credited_minor,open_minor,version,updated_at,updated_by}';
BEGIN
    IF TG_OP = 'DELETE' THEN
        RAISE EXCEPTION 'invoices are never deleted' USING ERRCODE = 'CO002';
    END IF;
    IF TG_OP = 'INSERT' THEN
        IF NEW.state <> 'draft' OR NEW.settled_minor <> 0 OR NEW.credited_minor <> 0 THEN
            RAISE EXCEPTION 'an invoice begins as a draft' USING ERRCODE = 'CO002';
        END IF;
        RETURN NEW;
    END IF;
    IF OLD.state = 'issued' AND (to_jsonb(OLD) - moving) <> (to_jsonb(NEW) - moving) THEN
        RAISE EXCEPTION 'an issued invoice is never changed' USING ERRCODE = 'CO002';
    END IF;
    IF OLD.state = 'discarded' THEN
        RAISE EXCEPTION 'a discarded draft is never changed' USING ERRCODE = 'CO002';
    END IF;
    IF OLD.state = 'draft' AND NEW.state <> 'issued' AND NEW.settled_minor + NEW.credited_minor <> 0 THEN
        RAISE EXCEPTION 'a draft is not settled' USING ERRCODE = 'CO002';
    END IF;
    IF OLD.state = 'draft' AND NEW.state = 'issued' THEN
        PERFORM require_read_committed();
        PERFORM check_issued_invoice(NEW);
    END IF;
    RETURN NEW;
END $$;

-- What must hold at issue: lines and tax groups add up to the totals; credit notes stay within their invoice.
CREATE FUNCTION check_issued_invoice(issued invoice) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    corrected invoice;
BEGIN
    IF issued.net_minor IS DISTINCT FROM (SELECT sum(net_minor) FROM invoice_line WHERE invoice_id = issued.id)
        OR issued.net_minor IS DISTINCT FROM (SELECT sum(base_minor) FROM invoice_tax WHERE invoice_id = issued.id)
        OR issued.tax_minor IS DISTINCT FROM (SELECT sum(tax_minor) FROM invoice_tax WHERE invoice_id = issued.id)
    THEN
        RAISE EXCEPTION 'lines and tax groups do not add up to the invoice' USING ERRCODE = 'CO002';
    END IF;
    IF issued.kind = 'credit_note' THEN
        SELECT * INTO corrected FROM invoice WHERE id = issued.corrects_id FOR NO KEY UPDATE;
        IF (corrected.kind, corrected.state, corrected.customer_id, corrected.currency)
            IS DISTINCT FROM ('invoice', 'issued', issued.customer_id, issued.currency) THEN
            RAISE EXCEPTION 'a credit note corrects an issued invoice of its customer' USING ERRCODE = 'CO002';
        END IF;
        IF issued.total_minor > corrected.total_minor - (SELECT coalesce(sum(total_minor), 0) FROM invoice
            WHERE corrects_id = corrected.id AND state = 'issued') THEN
            RAISE EXCEPTION 'credit notes exceed their invoice' USING ERRCODE = 'CO002';
        END IF;
    END IF;
END $$;
CREATE TRIGGER frozen BEFORE INSERT OR UPDATE OR DELETE ON invoice
    FOR EACH ROW EXECUTE FUNCTION freeze_issued_invoice();
CREATE TRIGGER frozen_truncate BEFORE TRUNCATE ON invoice EXECUTE FUNCTION refuse_change('invoices are never deleted');
ALTER TABLE invoice ENABLE ALWAYS TRIGGER frozen;
ALTER TABLE invoice ENABLE ALWAYS TRIGGER frozen_truncate;

-- A document is issued with the number that this transaction has taken of its series, on the day it was taken for.
-- Any other number gives way to the next one: whoever issues, a series has no gap. The series is locked last.
CREATE FUNCTION number_invoice() RETURNS trigger LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
DECLARE
    of_year smallint := extract(year FROM NEW.issue_date);
    series  invoice_series;
BEGIN
    -- What lacks its day is refused by the CHECK.
    IF of_year IS NULL THEN
        RETURN NEW;
    END IF;
    SELECT * INTO series FROM invoice_series WHERE kind = NEW.kind AND year = of_year FOR NO KEY UPDATE;
    IF NEW.series_year IS DISTINCT FROM of_year OR NEW.series_number IS DISTINCT FROM series.last_number
        OR EXISTS (SELECT FROM invoice WHERE tenant_id = NEW.tenant_id AND kind = NEW.kind
            AND series_year = of_year AND series_number = NEW.series_number) THEN
        INSERT INTO invoice_series AS s (tenant_id, kind, year, last_number, last_date)
            VALUES (NEW.tenant_id, NEW.kind, of_year, 1, NEW.issue_date)
            ON CONFLICT (tenant_id, kind, year) DO UPDATE
            SET last_number = s.last_number + 1, last_date = greatest(s.last_date, excluded.last_date)
            RETURNING last_number INTO NEW.series_number;
        NEW.series_year := of_year;
    ELSIF NEW.issue_date <> series.last_date THEN
        RAISE EXCEPTION 'the number of an invoice was taken for another day' USING ERRCODE = 'CO002';
    END IF;
    NEW.number := format('%s%s-%s', CASE NEW.kind WHEN 'invoice' THEN 'F' ELSE 'A' END, of_year,
        lpad(NEW.series_number::text, greatest(6, length(NEW.series_number::text)), '0'));
    RETURN NEW;
END $$;
-- Triggers of one moment fire in the order of their names: `frozen` checks the content before a number is given.
CREATE TRIGGER numbered BEFORE UPDATE ON invoice
    FOR EACH ROW WHEN (OLD.state = 'draft' AND NEW.state = 'issued') EXECUTE FUNCTION number_invoice();
ALTER TABLE invoice ENABLE ALWAYS TRIGGER numbered;

-- Lines and tax groups belong to a draft: FOR SHARE makes a concurrent issue wait, or be seen.
CREATE FUNCTION freeze_issued_content() RETURNS trigger LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
DECLARE
    of_invoice uuid := CASE WHEN TG_OP = 'DELETE' THEN OLD.invoice_id ELSE NEW.invoice_id END;
    of_state   text;
BEGIN
    SELECT state INTO of_state FROM invoice WHERE id = of_invoice FOR SHARE;
    IF TG_TABLE_NAME = 'invoice_tax' AND TG_OP = 'UPDATE' AND of_state = 'issued' THEN
        IF (to_jsonb(OLD) - 'transferred_minor') = (to_jsonb(NEW) - 'transferred_minor') THEN
            RETURN NEW;
        END IF;
    END IF;
    IF of_state IS DISTINCT FROM 'draft' OR (TG_OP = 'UPDATE' AND OLD.invoice_id <> NEW.invoice_id) THEN
        RAISE EXCEPTION 'the content of an issued invoice is never changed' USING ERRCODE = 'CO002';
    END IF;
    RETURN CASE WHEN TG_OP = 'DELETE' THEN OLD ELSE NEW END;
END $$;
CREATE TRIGGER frozen BEFORE INSERT OR UPDATE OR DELETE ON invoice_line
    FOR EACH ROW EXECUTE FUNCTION freeze_issued_content();
CREATE TRIGGER frozen BEFORE INSERT OR UPDATE OR DELETE ON invoice_tax
    FOR EACH ROW EXECUTE FUNCTION freeze_issued_content();
CREATE TRIGGER frozen_truncate BEFORE TRUNCATE ON invoice_line EXECUTE FUNCTION refuse_change('invoices are never deleted');
CREATE TRIGGER frozen_truncate BEFORE TRUNCATE ON invoice_tax EXECUTE FUNCTION refuse_change('invoices are never deleted');
ALTER TABLE invoice_line ENABLE ALWAYS TRIGGER frozen;
ALTER TABLE invoice_line ENABLE ALWAYS TRIGGER frozen_truncate;
ALTER TABLE invoice_tax ENABLE ALWAYS TRIGGER frozen;
ALTER TABLE invoice_tax ENABLE ALWAYS TRIGGER frozen_truncate;
