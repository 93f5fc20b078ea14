-- Fiscal years and their monthly periods. A year is never deleted, and years never overlap.

CREATE TABLE fiscal_year (
    tenant_id  uuid NOT NULL,
    id         uuid NOT NULL,
    name       text NOT NULL CHECK (length(name) BETWEEN 1 AND 40),
    first_day  date NOT NULL,
    last_day   date NOT NULL,
    state      text NOT NULL DEFAULT 'open' CHECK (state IN ('open', 'closed')),
    closed_at  timestamptz,
    closed_by  text,
    version    integer NOT NULL DEFAULT 1,
    created_at timestamptz NOT NULL,
    created_by text NOT NULL,
    updated_at timestamptz NOT NULL,
    updated_by text NOT NULL,
    PRIMARY KEY (tenant_id, id),
    CONSTRAINT fiscal_year_first_day UNIQUE (tenant_id, first_day),
    CONSTRAINT fiscal_year_overlap EXCLUDE USING gist
        (tenant_id WITH =, daterange(first_day, last_day, '[]') WITH &&),
    CHECK (first_day < last_day),
    CHECK ((state = 'closed') = (closed_at IS NOT NULL) AND (closed_at IS NULL) = (closed_by IS NULL))
);
SELECT wall_company_table('fiscal_year', 'SELECT, INSERT, UPDATE');

-- A month of a year. Posting locks it FOR SHARE, locking and closing it FOR UPDATE: whoever comes second waits
-- and sees what the first has done.
CREATE TABLE period (
    tenant_id      uuid NOT NULL,
    id             uuid NOT NULL,
    fiscal_year_id uuid NOT NULL,
    number         smallint NOT NULL CHECK (number BETWEEN 1 AND 24),
    first_day      date NOT NULL,
    last_day       date NOT NULL,
    -- 'locked' takes the entries of a year's closing and no others, and may reopen; 'closed' is final.
    state          text NOT NULL DEFAULT 'open' CHECK (state IN ('open', 'locked', 'closed')),
    version        integer NOT NULL DEFAULT 1,
    created_at     timestamptz NOT NULL,
    created_by     text NOT NULL,
    updated_at     timestamptz NOT NULL,
    updated_by     text NOT NULL,
    PRIMARY KEY (tenant_id, id),
    CONSTRAINT period_number UNIQUE (tenant_id, fiscal_year_id, number),
    CONSTRAINT period_first_day UNIQUE (tenant_id, first_day),
    CONSTRAINT period_overlap EXCLUDE USING gist
        (tenant_id WITH =, daterange(first_day, last_day, '[]') WITH &&),
    FOREIGN KEY (tenant_id, fiscal_year_id) REFERENCES fiscal_year (tenant_id, id),
    CHECK (first_day <= last_day)
);
SELECT wall_company_table('period', 'SELECT, INSERT, UPDATE');

-- Every guard names its search_path: else a temporary table of the same name, which any role may create, would
-- be asked in place of ours.
CREATE FUNCTION guard_fiscal_year() RETURNS trigger LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        IF NEW.state <> 'open' THEN
            RAISE EXCEPTION 'a fiscal year begins open' USING ERRCODE = 'CO002';
        END IF;
        RETURN NEW;
    END IF;
    IF OLD.state = 'closed' THEN
        RAISE EXCEPTION 'a closed fiscal year is never changed' USING ERRCODE = 'CO002';
    END IF;
    IF (NEW.tenant_id, NEW.id, NEW.first_day, NEW.last_day)
        IS DISTINCT FROM (OLD.tenant_id, OLD.id, OLD.first_day, OLD.last_day) THEN
        RAISE EXCEPTION 'the days of a fiscal year are never changed' USING ERRCODE = 'CO002';
    END IF;
    IF NEW.state = 'closed' AND (
        EXISTS (SELECT FROM period WHERE fiscal_year_id = NEW.id AND state <> 'closed')
        OR EXISTS (SELECT FROM fiscal_year WHERE first_day < NEW.first_day AND state = 'open')) THEN
        RAISE EXCEPTION 'a fiscal year closes after its periods and after the earlier years' USING ERRCODE = 'CO002';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER frozen BEFORE INSERT OR UPDATE ON fiscal_year FOR EACH ROW EXECUTE FUNCTION guard_fiscal_year();
CREATE TRIGGER frozen_delete BEFORE DELETE ON fiscal_year
    FOR EACH ROW EXECUTE FUNCTION refuse_change('fiscal years are never deleted');
CREATE TRIGGER frozen_truncate BEFORE TRUNCATE ON fiscal_year
    EXECUTE FUNCTION refuse_change('fiscal years are never deleted');
ALTER TABLE fiscal_year ENABLE ALWAYS TRIGGER frozen;
ALTER TABLE fiscal_year ENABLE ALWAYS TRIGGER frozen_delete;
ALTER TABLE fiscal_year ENABLE ALWAYS TRIGGER frozen_truncate;

CREATE FUNCTION guard_period() RETURNS trigger LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        IF NEW.state <> 'open' OR NOT EXISTS (SELECT FROM fiscal_year y WHERE y.id = NEW.fiscal_year_id
            AND y.state = 'open' AND y.first_day <= NEW.first_day AND NEW.last_day <= y.last_day) THEN
            RAISE EXCEPTION 'a period begins open, within an open fiscal year' USING ERRCODE = 'CO002';
        END IF;
        RETURN NEW;
    END IF;
    IF OLD.state = 'closed' THEN
        RAISE EXCEPTION 'a closed period is never changed' USING ERRCODE = 'CO002';
    END IF;
    IF (NEW.tenant_id, NEW.id, NEW.fiscal_year_id, NEW.number, NEW.first_day, NEW.last_day)
        IS DISTINCT FROM (OLD.tenant_id, OLD.id, OLD.fiscal_year_id, OLD.number, OLD.first_day, OLD.last_day) THEN
        RAISE EXCEPTION 'the days of a period are never changed' USING ERRCODE = 'CO002';
    END IF;
    IF OLD.state = 'open' AND NEW.state = 'closed' THEN
        RAISE EXCEPTION 'a period is locked before it is closed' USING ERRCODE = 'CO002';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER frozen BEFORE INSERT OR UPDATE ON period FOR EACH ROW EXECUTE FUNCTION guard_period();
CREATE TRIGGER frozen_delete BEFORE DELETE ON period
    FOR EACH ROW EXECUTE FUNCTION refuse_change('periods are never deleted');
CREATE TRIGGER frozen_truncate BEFORE TRUNCATE ON period EXECUTE FUNCTION refuse_change('periods are never deleted');
ALTER TABLE period ENABLE ALWAYS TRIGGER frozen;
ALTER TABLE period ENABLE ALWAYS TRIGGER frozen_delete;
ALTER TABLE period ENABLE ALWAYS TRIGGER frozen_truncate;
