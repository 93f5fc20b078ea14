-- The chart of accounts and the journals of a company.

-- For rules that sum what others commit beside them: under an older snapshot neither FOR SHARE nor a sum would see
-- it, and no serialization error would come. The ledger's rules call it, and those of the domains above.
CREATE FUNCTION require_read_committed() RETURNS void LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
    IF current_setting('transaction_isolation') <> 'read committed' THEN
        RAISE EXCEPTION 'this needs READ COMMITTED: a snapshot would not see what others have just committed'
            USING ERRCODE = 'CO002';
    END IF;
END $$;

CREATE TABLE account (
    tenant_id      uuid NOT NULL,
    id             uuid NOT NULL,
    -- "C": the order of a chart is that of its digits, and never that of a language.
    number         text COLLATE "C" NOT NULL CHECK (number ~ '^[0-9A-Z]{1,20}$'),
    name           text NOT NULL CHECK (length(name) BETWEEN 1 AND 200),
    name_en        text CHECK (length(name_en) BETWEEN 1 AND 200),
    kind           text NOT NULL CHECK (kind IN ('asset', 'liability', 'equity', 'income', 'expense')),
    -- What other parts post to, whatever the number in this chart; see account::Role of the ledger.
    role           text CHECK (role ~ '^[a-z_]{1,40}$'),
    -- Whether its lines can be matched with each other (lettrage).
    reconcilable   boolean NOT NULL DEFAULT false,
    -- Whether each line must name a party: receivables and payables.
    party_required boolean NOT NULL DEFAULT false,
    closed_at      timestamptz,
    external_ref   text CHECK (length(external_ref) BETWEEN 1 AND 200),
    version        integer NOT NULL DEFAULT 1,
    created_at     timestamptz NOT NULL,
    created_by     text NOT NULL,
    updated_at     timestamptz NOT NULL,
    updated_by     text NOT NULL,
    PRIMARY KEY (tenant_id, id),
    CONSTRAINT account_number UNIQUE (tenant_id, number),
    CONSTRAINT account_role UNIQUE (tenant_id, role),
    CONSTRAINT account_external_ref UNIQUE (tenant_id, external_ref),
    CHECK (reconcilable OR NOT party_required),
    -- Income and expense end with each year: nothing of them stays open to be matched.
    CHECK (kind NOT IN ('income', 'expense') OR NOT reconcilable)
);
SELECT wall_company_table('account', 'SELECT, INSERT, UPDATE, DELETE');

-- The kind of an account says where its balance goes when a year closes, the two flags what its lines carry and
-- whether they settle each other: none is ever changed. An account that was set up wrongly is deleted, while unused.
CREATE FUNCTION guard_account() RETURNS trigger LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
    IF (NEW.tenant_id, NEW.id, NEW.kind, NEW.role, NEW.reconcilable, NEW.party_required)
        IS DISTINCT FROM (OLD.tenant_id, OLD.id, OLD.kind, OLD.role, OLD.reconcilable, OLD.party_required) THEN
        RAISE EXCEPTION 'the kind and the role of an account, and what it asks of its lines, are never changed'
            USING ERRCODE = 'CO002';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER frozen BEFORE UPDATE ON account FOR EACH ROW EXECUTE FUNCTION guard_account();
CREATE TRIGGER frozen_truncate BEFORE TRUNCATE ON account EXECUTE FUNCTION refuse_change('accounts are never deleted once used');
ALTER TABLE account ENABLE ALWAYS TRIGGER frozen;
ALTER TABLE account ENABLE ALWAYS TRIGGER frozen_truncate;

CREATE TABLE journal (
    tenant_id  uuid NOT NULL,
    id         uuid NOT NULL,
    code       text COLLATE "C" NOT NULL CHECK (code ~ '^[0-9A-Z]{1,6}$'),
    name       text NOT NULL CHECK (length(name) BETWEEN 1 AND 100),
    kind       text NOT NULL CHECK (kind IN ('sales', 'purchases', 'bank', 'miscellaneous', 'opening')),
    version    integer NOT NULL DEFAULT 1,
    created_at timestamptz NOT NULL,
    created_by text NOT NULL,
    updated_at timestamptz NOT NULL,
    updated_by text NOT NULL,
    PRIMARY KEY (tenant_id, id),
    CONSTRAINT journal_code UNIQUE (tenant_id, code),
    CONSTRAINT journal_kind UNIQUE (tenant_id, kind)
);
SELECT wall_company_table('journal', 'SELECT, INSERT, UPDATE');

-- Numbers are gapless in a journal: it keeps its kind, and stays.
CREATE FUNCTION guard_journal() RETURNS trigger LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
    IF (NEW.tenant_id, NEW.id, NEW.kind) IS DISTINCT FROM (OLD.tenant_id, OLD.id, OLD.kind) THEN
        RAISE EXCEPTION 'the kind of a journal is never changed' USING ERRCODE = 'CO002';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER frozen BEFORE UPDATE ON journal FOR EACH ROW EXECUTE FUNCTION guard_journal();
CREATE TRIGGER frozen_delete BEFORE DELETE ON journal
    FOR EACH ROW EXECUTE FUNCTION refuse_change('journals are never deleted');
CREATE TRIGGER frozen_truncate BEFORE TRUNCATE ON journal EXECUTE FUNCTION refuse_change('journals are never deleted');
ALTER TABLE journal ENABLE ALWAYS TRIGGER frozen;
ALTER TABLE journal ENABLE ALWAYS TRIGGER frozen_delete;
ALTER TABLE journal ENABLE ALWAYS TRIGGER frozen_truncate;
