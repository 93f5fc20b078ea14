-- Supplier bills and supplier credit notes, recorded as received.

CREATE TABLE bill (
    tenant_id          uuid NOT NULL,
    id                 uuid NOT NULL,
    kind               text NOT NULL CHECK (kind IN ('bill', 'credit_note')),
    state              text NOT NULL DEFAULT 'received'
        CHECK (state IN ('received', 'approved', 'rejected', 'posted')),
    supplier_id        uuid NOT NULL,
    -- The bill that a supplier credit note corrects, when it is known here.
    corrects_id        uuid,
    number             text NOT NULL CHECK (length(number) BETWEEN 1 AND 100),
    issue_date         date NOT NULL,
    issue_year         smallint NOT NULL GENERATED ALWAYS AS (extract(year FROM issue_date)::smallint) STORED,
    due_date           date NOT NULL,
    -- The company's calendar day of receipt.
    received_on        date NOT NULL,
    received_at        timestamptz NOT NULL,
    currency           text NOT NULL CHECK (currency ~ '^[A-Z]{3}$'),
    -- As stated by the supplier, in the bill's currency, minor units; of a credit note positive as well.
    -- EN 16931: BT-107, BT-108, BT-109, BT-110, BT-112, BT-113, BT-114, BT-115.
    allowance_minor    bigint NOT NULL DEFAULT 0,
    charge_minor       bigint NOT NULL DEFAULT 0,
    net_minor          bigint NOT NULL,
    tax_minor          bigint NOT NULL,
    total_minor        bigint NOT NULL,
    prepaid_minor      bigint NOT NULL DEFAULT 0,
    rounding_minor     bigint NOT NULL DEFAULT 0,
    payable_minor      bigint NOT NULL,
    -- Whether its VAT becomes deductible when it is paid (TVA sur les encaissements) and not when it is billed.
    vat_on_payment     boolean NOT NULL,
    -- Company currency for one unit of the bill's, and the payable amount in it; fixed at posting.
    rate               numeric CHECK (rate > 0),
    payable_base_minor bigint NOT NULL DEFAULT 0,
    -- Kept by the trigger on allocation. Of a bill: what payments settled, and what credit notes took off. Of a
    -- credit note: what was refunded, and what was set against bills.
    settled_minor      bigint NOT NULL DEFAULT 0,
    credited_minor     bigint NOT NULL DEFAULT 0,
    -- What is still to pay of a posted bill, or to get back of a credit note.
    open_minor         bigint NOT NULL GENERATED ALWAYS AS (CASE WHEN state = 'posted'
        THEN greatest(payable_minor, 0) - settled_minor - credited_minor ELSE 0 END) STORED,
    source             text NOT NULL CHECK (source IN ('manual', 'cii', 'ubl')),
    file_id            uuid,
    file_sha256        bytea CHECK (octet_length(file_sha256) = 32),
    -- References, notes, terms and the like of the received document, for what has no column of its own. No
    -- person's contact and no bank account: those are in the supplier's row, sealed where they must be.
    document           jsonb,
    -- How many findings it came with.
    finding_count      integer NOT NULL DEFAULT 0,
    -- Whether somebody had to correct it before approval, and who did so last.
    corrected          boolean NOT NULL DEFAULT false,
    corrected_by       text,
    entered_by         text NOT NULL,
    approved_by        text,
    approved_at        timestamptz,
    rejected_by        text,
    rejected_at        timestamptz,
    rejected_reason    text CHECK (length(rejected_reason) BETWEEN 1 AND 1000),
    posted_by          text,
    posted_at          timestamptz,
    posted_on          date,
    entry_id           uuid,
    external_ref       text CHECK (length(external_ref) BETWEEN 1 AND 200),
    version            integer NOT NULL DEFAULT 1,
    created_at         timestamptz NOT NULL,
    created_by         text NOT NULL,
    updated_at         timestamptz NOT NULL,
    updated_by         text NOT NULL,
    PRIMARY KEY (tenant_id, id),
    UNIQUE (tenant_id, external_ref),
    FOREIGN KEY (tenant_id, supplier_id) REFERENCES party (tenant_id, id),
    FOREIGN KEY (tenant_id, corrects_id) REFERENCES bill (tenant_id, id),
    FOREIGN KEY (tenant_id, file_id) REFERENCES file (tenant_id, id),
    FOREIGN KEY (tenant_id, entry_id) REFERENCES journal_entry (tenant_id, id),
    CHECK (kind = 'credit_note' OR corrects_id IS NULL),
    CHECK ((file_id IS NULL) = (file_sha256 IS NULL)),
    CHECK (source = 'manual' OR file_id IS NOT NULL),
    CHECK (settled_minor >= 0 AND credited_minor >= 0
        AND settled_minor + credited_minor <= greatest(payable_minor, 0)),
    CHECK (state <> 'rejected' OR (rejected_reason IS NOT NULL AND rejected_by IS NOT NULL AND rejected_at IS NOT NULL)),
    CHECK (state NOT IN ('approved', 'posted') OR (approved_by IS NOT NULL AND approved_at IS NOT NULL)),
    CHECK (state <> 'posted' OR (entry_id IS NOT NULL AND rate IS NOT NULL AND posted_at IS NOT NULL
        AND posted_by IS NOT NULL AND posted_on IS NOT NULL)),
    -- What a bill would give back is a supplier credit note, and the other way round.
    CHECK (state <> 'posted' OR payable_minor >= 0)
);
SELECT wall_company_table('bill', 'SELECT, INSERT, UPDATE');
-- A bill comes once; a rejected one may be sent again, corrected.
CREATE UNIQUE INDEX bill_once ON bill (tenant_id, supplier_id, number, issue_year, kind) WHERE state <> 'rejected';
CREATE UNIQUE INDEX bill_file_once ON bill (tenant_id, file_sha256) WHERE state <> 'rejected';
CREATE INDEX bill_supplier ON bill (tenant_id, supplier_id, id);
CREATE INDEX bill_state ON bill (tenant_id, state, id);
CREATE INDEX bill_due ON bill (tenant_id, due_date, id);
CREATE INDEX bill_open ON bill (tenant_id, due_date, id) WHERE state = 'posted' AND open_minor > 0;
CREATE INDEX bill_issue ON bill (tenant_id, issue_date, id);
CREATE INDEX bill_number ON bill (tenant_id, number, id);
CREATE INDEX bill_corrects ON bill (tenant_id, corrects_id) WHERE corrects_id IS NOT NULL;
CREATE INDEX bill_with_findings ON bill (tenant_id, id) WHERE finding_count > 0;
CREATE INDEX bill_credit_notes ON bill (tenant_id, id) WHERE kind = 'credit_note';

CREATE TABLE bill_line (
    tenant_id   uuid NOT NULL,
    id          uuid NOT NULL,
    bill_id     uuid NOT NULL,
    line_no     integer NOT NULL CHECK (line_no > 0),
    description text NOT NULL,
    -- What a received line does not state is NULL; a finding says so.
    quantity    numeric,
    unit        text,
    -- Without VAT, for one unit.
    unit_price  numeric,
    -- After the line's own allowances and charges (BT-131), minor units.
    net_minor   bigint NOT NULL,
    category    text NOT NULL CHECK (length(category) BETWEEN 1 AND 10),
    -- Percent.
    rate        numeric NOT NULL,
    -- The expense account; NULL: the chart's default for purchases. Posting writes the one it took.
    account_id  uuid,
    PRIMARY KEY (tenant_id, id),
    UNIQUE (tenant_id, bill_id, line_no),
    FOREIGN KEY (tenant_id, bill_id) REFERENCES bill (tenant_id, id),
    FOREIGN KEY (tenant_id, account_id) REFERENCES account (tenant_id, id)
);
SELECT wall_company_table('bill_line', 'SELECT, INSERT, UPDATE, DELETE');

-- Tax per category and rate as stated (EN 16931 BG-23).
CREATE TABLE bill_tax (
    tenant_id          uuid NOT NULL,
    bill_id            uuid NOT NULL,
    category           text NOT NULL CHECK (length(category) BETWEEN 1 AND 10),
    rate               numeric NOT NULL,
    reason             text,
    base_minor         bigint NOT NULL,
    tax_minor          bigint NOT NULL,
    -- In the company's currency: the tax that waits for payment, its base, and what allocations have transferred of
    -- the tax. The trigger on allocation keeps the last, and nobody else may write it (see `0033_payments.sql`).
    waiting_minor      bigint NOT NULL DEFAULT 0 CHECK (waiting_minor >= 0),
    waiting_base_minor bigint NOT NULL DEFAULT 0,
    transferred_minor  bigint NOT NULL DEFAULT 0 CHECK (transferred_minor BETWEEN 0 AND waiting_minor),
    PRIMARY KEY (tenant_id, bill_id, category, rate),
    FOREIGN KEY (tenant_id, bill_id) REFERENCES bill (tenant_id, id)
);
SELECT wall_company_table('bill_tax', 'SELECT, INSERT, UPDATE, DELETE');

-- What does not add up, or breaks a rule of EN 16931, on a bill as received. A correction does not remove it.
CREATE TABLE bill_finding (
    tenant_id uuid NOT NULL,
    id        uuid NOT NULL,
    bill_id   uuid NOT NULL,
    rule      text NOT NULL,
    severity  text NOT NULL CHECK (severity IN ('warning', 'error')),
    -- The business term or group of EN 16931, and the line's own identifier when it is about a line.
    field     text NOT NULL,
    line      text,
    message   text NOT NULL,
    expected  numeric,
    stated    numeric,
    PRIMARY KEY (tenant_id, id),
    FOREIGN KEY (tenant_id, bill_id) REFERENCES bill (tenant_id, id)
);
SELECT wall_company_table('bill_finding', 'SELECT, INSERT');
CREATE INDEX bill_finding_bill ON bill_finding (tenant_id, bill_id, id);

-- The steps of a business process, for the times between them. Times are the server's clock, in milliseconds.
CREATE TABLE step (
    tenant_id    uuid NOT NULL,
    id           uuid NOT NULL,
    subject_kind text NOT NULL,
    subject_id   uuid NOT NULL,
    step         text NOT NULL,
    at           timestamptz NOT NULL,
    on_day       date NOT NULL,
    -- Since the process began.
    elapsed_ms   bigint NOT NULL CHECK (elapsed_ms >= 0),
    PRIMARY KEY (tenant_id, id)
);
SELECT wall_company_table('step', 'SELECT, INSERT');
CREATE INDEX step_subject ON step (tenant_id, subject_id, id);
CREATE TRIGGER frozen BEFORE UPDATE OR DELETE ON step
    FOR EACH ROW EXECUTE FUNCTION refuse_change('the steps of a process are never changed');
CREATE TRIGGER frozen_truncate BEFORE TRUNCATE ON step
    EXECUTE FUNCTION refuse_change('the steps of a process are never changed');
ALTER TABLE step ENABLE ALWAYS TRIGGER frozen;
ALTER TABLE step ENABLE ALWAYS TRIGGER frozen_truncate;

-- A bill's content stands still from its approval on; posted or rejected, nothing but settlement moves.
CREATE FUNCTION freeze_bill() RETURNS trigger LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
DECLARE
    -- Generated columns are not computed yet when this fires: they follow from the others.
    free text[] := '{state,approved_by,approved_at,rejected_by,rejected_at,rejected_reason,posted_by,posted_at,posted_on,
        entry_id,rate,payable_base_minor,settled_minor,credited_minor,version,updated_at,updated_by,issue_year,open_minor}';
BEGIN
    IF TG_OP = 'DELETE' THEN
        RAISE EXCEPTION 'bills are never deleted' USING ERRCODE = 'CO002';
    END IF;
    IF TG_OP = 'INSERT' THEN
        IF NEW.state <> 'received' OR NEW.settled_minor <> 0 OR NEW.credited_minor <> 0 OR NEW.entry_id IS NOT NULL THEN
            RAISE EXCEPTION 'a bill begins as received' USING ERRCODE = 'CO002';
        END IF;
        RETURN NEW;
    END IF;
    IF OLD.state IN ('posted', 'rejected') THEN
        free := '{settled_minor,credited_minor,version,updated_at,updated_by,issue_year,open_minor}';
    ELSIF OLD.state = 'approved' THEN
        free := array_remove(array_remove(free, 'approved_by'), 'approved_at');
    END IF;
    IF (OLD.state <> 'received' AND (to_jsonb(OLD) - free) <> (to_jsonb(NEW) - free))
        OR (NEW.tenant_id, NEW.id, NEW.kind, NEW.supplier_id, NEW.source, NEW.entered_by, NEW.received_at)
            IS DISTINCT FROM
           (OLD.tenant_id, OLD.id, OLD.kind, OLD.supplier_id, OLD.source, OLD.entered_by, OLD.received_at) THEN
        RAISE EXCEPTION 'the content of an approved, posted or rejected bill is never changed' USING ERRCODE = 'CO002';
    END IF;
    IF OLD.state <> NEW.state THEN
        PERFORM require_read_committed();
    END IF;
    IF OLD.state <> NEW.state AND (OLD.state, NEW.state) NOT IN
        (('received', 'approved'), ('received', 'rejected'), ('approved', 'rejected'), ('approved', 'posted')) THEN
        RAISE EXCEPTION 'a bill does not go from % to %', OLD.state, NEW.state USING ERRCODE = 'CO002';
    END IF;
    IF OLD.state <> 'posted' AND (NEW.settled_minor <> 0 OR NEW.credited_minor <> 0) THEN
        RAISE EXCEPTION 'only a posted bill is settled' USING ERRCODE = 'CO002';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER frozen BEFORE INSERT OR UPDATE OR DELETE ON bill FOR EACH ROW EXECUTE FUNCTION freeze_bill();
CREATE TRIGGER frozen_truncate BEFORE TRUNCATE ON bill EXECUTE FUNCTION refuse_change('bills are never deleted');
ALTER TABLE bill ENABLE ALWAYS TRIGGER frozen;
ALTER TABLE bill ENABLE ALWAYS TRIGGER frozen_truncate;

-- Lines, tax groups and findings belong to a received bill: FOR SHARE makes a concurrent approval wait, or be
-- seen. Posting an approved bill writes the account that a line took and the tax that waits; after that only the
-- transfer of waiting tax moves.
CREATE FUNCTION freeze_bill_content() RETURNS trigger LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
DECLARE
    of_bill  uuid := CASE WHEN TG_OP = 'DELETE' THEN OLD.bill_id ELSE NEW.bill_id END;
    of_state text;
    free     text[] := '{}';
BEGIN
    SELECT state INTO of_state FROM bill WHERE id = of_bill FOR SHARE;
    IF of_state = 'received' AND (TG_OP <> 'UPDATE' OR OLD.bill_id = NEW.bill_id) THEN
        RETURN CASE WHEN TG_OP = 'DELETE' THEN OLD ELSE NEW END;
    END IF;
    IF TG_OP = 'UPDATE' THEN
        IF TG_TABLE_NAME = 'bill_line' AND of_state = 'approved' THEN
            free := '{account_id}';
        ELSIF TG_TABLE_NAME = 'bill_tax' AND of_state = 'approved' THEN
            free := '{waiting_minor,waiting_base_minor}';
        ELSIF TG_TABLE_NAME = 'bill_tax' AND of_state = 'posted' THEN
            free := '{transferred_minor}';
        END IF;
        IF (to_jsonb(OLD) - free) = (to_jsonb(NEW) - free) THEN
            RETURN NEW;
        END IF;
    END IF;
    RAISE EXCEPTION 'the content of an approved, posted or rejected bill is never changed' USING ERRCODE = 'CO002';
END $$;
CREATE TRIGGER frozen BEFORE INSERT OR UPDATE OR DELETE ON bill_line
    FOR EACH ROW EXECUTE FUNCTION freeze_bill_content();
CREATE TRIGGER frozen BEFORE INSERT OR UPDATE OR DELETE ON bill_tax
    FOR EACH ROW EXECUTE FUNCTION freeze_bill_content();
CREATE TRIGGER frozen BEFORE INSERT ON bill_finding FOR EACH ROW EXECUTE FUNCTION freeze_bill_content();
CREATE TRIGGER frozen_change BEFORE UPDATE OR DELETE ON bill_finding
    FOR EACH ROW EXECUTE FUNCTION refuse_change('what was found on a bill is never changed');
CREATE TRIGGER frozen_truncate BEFORE TRUNCATE ON bill_line EXECUTE FUNCTION refuse_change('bills are never deleted');
CREATE TRIGGER frozen_truncate BEFORE TRUNCATE ON bill_tax EXECUTE FUNCTION refuse_change('bills are never deleted');
CREATE TRIGGER frozen_truncate BEFORE TRUNCATE ON bill_finding
    EXECUTE FUNCTION refuse_change('what was found on a bill is never changed');
ALTER TABLE bill_line ENABLE ALWAYS TRIGGER frozen;
ALTER TABLE bill_line ENABLE ALWAYS TRIGGER frozen_truncate;
ALTER TABLE bill_tax ENABLE ALWAYS TRIGGER frozen;
ALTER TABLE bill_tax ENABLE ALWAYS TRIGGER frozen_truncate;
ALTER TABLE bill_finding ENABLE ALWAYS TRIGGER frozen;
ALTER TABLE bill_finding ENABLE ALWAYS TRIGGER frozen_change;
ALTER TABLE bill_finding ENABLE ALWAYS TRIGGER frozen_truncate;
