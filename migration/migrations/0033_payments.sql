-- Payments, and what they settle.

CREATE TABLE payment (
    tenant_id       uuid NOT NULL,
    id              uuid NOT NULL,
    direction       text NOT NULL CHECK (direction IN ('received', 'made')),
    -- On whose account it stands: a customer's (411) or a supplier's (401). A refund is made to a customer, or
    -- received from a supplier.
    side            text NOT NULL CHECK (side IN ('customer', 'supplier')),
    state           text NOT NULL DEFAULT 'recorded' CHECK (state IN ('recorded', 'bounced')),
    party_id        uuid NOT NULL,
    paid_on         date NOT NULL,
    -- The currency of what it settles, and the amount in it.
    currency        text NOT NULL CHECK (currency ~ '^[A-Z]{3}$'),
    amount_minor    bigint NOT NULL CHECK (amount_minor > 0),
    -- What moved on the bank account, in the company's currency.
    base_minor      bigint NOT NULL CHECK (base_minor > 0),
    method          text NOT NULL CHECK (method IN ('transfer', 'card', 'direct_debit', 'cheque', 'cash', 'other')),
    reference       text CHECK (length(reference) <= 200),
    -- Kept by the trigger on allocation; the rest is on account.
    allocated_minor bigint NOT NULL DEFAULT 0,
    bounced_on      date,
    bounced_reason  text CHECK (length(bounced_reason) <= 500),
    entry_id        uuid NOT NULL,
    bounce_entry_id uuid,
    external_ref    text CHECK (length(external_ref) BETWEEN 1 AND 200),
    version         integer NOT NULL DEFAULT 1,
    created_at      timestamptz NOT NULL,
    created_by      text NOT NULL,
    updated_at      timestamptz NOT NULL,
    updated_by      text NOT NULL,
    PRIMARY KEY (tenant_id, id),
    UNIQUE (tenant_id, external_ref),
    FOREIGN KEY (tenant_id, party_id) REFERENCES party (tenant_id, id),
    FOREIGN KEY (tenant_id, entry_id) REFERENCES journal_entry (tenant_id, id),
    FOREIGN KEY (tenant_id, bounce_entry_id) REFERENCES journal_entry (tenant_id, id),
    CHECK (allocated_minor BETWEEN 0 AND amount_minor),
    CHECK ((state = 'bounced') = (bounced_on IS NOT NULL)),
    CHECK ((state = 'bounced') = (bounced_reason IS NOT NULL)),
    CHECK (bounced_on >= paid_on),
    CHECK (state <> 'bounced' OR (allocated_minor = 0 AND bounce_entry_id IS NOT NULL))
);
SELECT wall_company_table('payment', 'SELECT, INSERT, UPDATE');
CREATE INDEX payment_party ON payment (tenant_id, party_id, id);
CREATE INDEX payment_day ON payment (tenant_id, paid_on, id);
CREATE INDEX payment_entry ON payment (tenant_id, entry_id);
CREATE INDEX payment_received ON payment (tenant_id, id) WHERE direction = 'received';
CREATE INDEX payment_made ON payment (tenant_id, id) WHERE direction = 'made';
CREATE INDEX payment_bounced ON payment (tenant_id, id) WHERE state = 'bounced';

-- One settlement: a payment or a credit note, set against an invoice or a bill. Never changed: what is undone
-- is undone by a row with the opposite amount.
CREATE TABLE allocation (
    tenant_id         uuid NOT NULL,
    id                uuid NOT NULL,
    -- From exactly one of these …
    payment_id        uuid,
    credit_note_id    uuid,
    bill_credit_id    uuid,
    -- … to exactly one of these. A payment made to a customer settles a credit note: then invoice_id names it.
    invoice_id        uuid,
    bill_id           uuid,
    -- The currency of both, and the amount in it, minor units; negative when it undoes another.
    currency          text NOT NULL CHECK (currency ~ '^[A-Z]{3}$'),
    amount_minor      bigint NOT NULL CHECK (amount_minor <> 0),
    -- The shares of source and target in the company's currency; they differ by the realised exchange difference.
    source_base_minor bigint NOT NULL,
    target_base_minor bigint NOT NULL,
    -- The accounting date of what is posted with it.
    on_date           date NOT NULL,
    reverses_id       uuid,
    -- The entry with the exchange difference and the transferred VAT, if there was any.
    entry_id          uuid,
    -- The ledger's matchings: of the two documents, and of the exchange difference with the larger of them.
    matching_id       uuid,
    difference_matching_id uuid,
    created_at        timestamptz NOT NULL,
    created_by        text NOT NULL,
    PRIMARY KEY (tenant_id, id),
    UNIQUE (tenant_id, reverses_id),
    FOREIGN KEY (tenant_id, payment_id) REFERENCES payment (tenant_id, id),
    FOREIGN KEY (tenant_id, credit_note_id) REFERENCES invoice (tenant_id, id),
    FOREIGN KEY (tenant_id, bill_credit_id) REFERENCES bill (tenant_id, id),
    FOREIGN KEY (tenant_id, invoice_id) REFERENCES invoice (tenant_id, id),
    FOREIGN KEY (tenant_id, bill_id) REFERENCES bill (tenant_id, id),
    FOREIGN KEY (tenant_id, reverses_id) REFERENCES allocation (tenant_id, id),
    FOREIGN KEY (tenant_id, entry_id) REFERENCES journal_entry (tenant_id, id),
    FOREIGN KEY (tenant_id, matching_id) REFERENCES matching (tenant_id, id),
    FOREIGN KEY (tenant_id, difference_matching_id) REFERENCES matching (tenant_id, id),
    CHECK (num_nonnulls(payment_id, credit_note_id, bill_credit_id) = 1),
    CHECK (num_nonnulls(invoice_id, bill_id) = 1),
    CHECK (credit_note_id IS NULL OR (invoice_id IS NOT NULL AND invoice_id <> credit_note_id)),
    CHECK (bill_credit_id IS NULL OR (bill_id IS NOT NULL AND bill_id <> bill_credit_id)),
    CHECK ((amount_minor < 0) = (reverses_id IS NOT NULL)),
    CHECK (CASE WHEN amount_minor > 0 THEN source_base_minor >= 0 AND target_base_minor >= 0
        ELSE source_base_minor <= 0 AND target_base_minor <= 0 END)
);
SELECT wall_company_table('allocation', 'SELECT, INSERT');
CREATE INDEX allocation_payment ON allocation (tenant_id, payment_id) WHERE payment_id IS NOT NULL;
CREATE INDEX allocation_invoice ON allocation (tenant_id, invoice_id) WHERE invoice_id IS NOT NULL;
CREATE INDEX allocation_bill ON allocation (tenant_id, bill_id) WHERE bill_id IS NOT NULL;
CREATE INDEX allocation_credit_note ON allocation (tenant_id, credit_note_id) WHERE credit_note_id IS NOT NULL;
CREATE INDEX allocation_bill_credit ON allocation (tenant_id, bill_credit_id) WHERE bill_credit_id IS NOT NULL;
CREATE TRIGGER frozen BEFORE UPDATE OR DELETE ON allocation
    FOR EACH ROW EXECUTE FUNCTION refuse_change('an allocation is undone by its opposite, never changed');
CREATE TRIGGER frozen_truncate BEFORE TRUNCATE ON allocation
    EXECUTE FUNCTION refuse_change('an allocation is undone by its opposite, never changed');
ALTER TABLE allocation ENABLE ALWAYS TRIGGER frozen;
ALTER TABLE allocation ENABLE ALWAYS TRIGGER frozen_truncate;

-- Settlement follows from allocations and from nothing else, and so does the transfer of waiting tax: the server's
-- role may not write those amounts itself (see the grants below), and this function refuses what does not fit. The CHECKs of the tables refuse too
-- much of it. Rows are written in the order in which the service locks them: payment, invoice, bill.
CREATE FUNCTION settle_by_allocation() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    a      allocation := NEW;
    p      payment;
    source invoice;
    i      invoice;
    credit bill;
    b      bill;
    fits   boolean;
    moves  boolean;
BEGIN
    PERFORM require_read_committed();
    IF a.reverses_id IS NOT NULL THEN
        SELECT (r.payment_id, r.credit_note_id, r.bill_credit_id, r.invoice_id, r.bill_id,
                r.currency, -r.amount_minor, -r.source_base_minor, -r.target_base_minor)
            IS NOT DISTINCT FROM
               (a.payment_id, a.credit_note_id, a.bill_credit_id, a.invoice_id, a.bill_id,
                a.currency, a.amount_minor, a.source_base_minor, a.target_base_minor)
            INTO fits FROM allocation r WHERE r.id = a.reverses_id;
        IF fits IS NOT TRUE THEN
            RAISE EXCEPTION 'an allocation is undone by its opposite and nothing else' USING ERRCODE = 'CO002';
        END IF;
    END IF;
    IF a.payment_id IS NOT NULL THEN
        UPDATE payment SET allocated_minor = allocated_minor + a.amount_minor, version = version + 1,
            updated_at = a.created_at, updated_by = a.created_by
            WHERE id = a.payment_id RETURNING * INTO p;
    END IF;
    IF a.invoice_id IS NOT NULL THEN
        UPDATE invoice SET version = version + 1, updated_at = a.created_at, updated_by = a.created_by,
            settled_minor = settled_minor + CASE WHEN a.payment_id IS NULL THEN 0 ELSE a.amount_minor END,
            credited_minor = credited_minor + CASE WHEN a.payment_id IS NULL THEN a.amount_minor ELSE 0 END
            WHERE id = a.invoice_id RETURNING * INTO i;
    END IF;
    IF a.credit_note_id IS NOT NULL THEN
        UPDATE invoice SET credited_minor = credited_minor + a.amount_minor, version = version + 1,
            updated_at = a.created_at, updated_by = a.created_by
            WHERE id = a.credit_note_id RETURNING * INTO source;
    END IF;
    IF a.bill_id IS NOT NULL THEN
        UPDATE bill SET version = version + 1, updated_at = a.created_at, updated_by = a.created_by,
            settled_minor = settled_minor + CASE WHEN a.payment_id IS NULL THEN 0 ELSE a.amount_minor END,
            credited_minor = credited_minor + CASE WHEN a.payment_id IS NULL THEN a.amount_minor ELSE 0 END
            WHERE id = a.bill_id RETURNING * INTO b;
    END IF;
    IF a.bill_credit_id IS NOT NULL THEN
        UPDATE bill SET credited_minor = credited_minor + a.amount_minor, version = version + 1,
            updated_at = a.created_at, updated_by = a.created_by
            WHERE id = a.bill_credit_id RETURNING * INTO credit;
    END IF;
    fits := CASE
        WHEN a.payment_id IS NOT NULL AND a.invoice_id IS NOT NULL THEN
            p.state = 'recorded' AND p.side = 'customer' AND p.currency = a.currency AND i.state = 'issued' AND i.customer_id = p.party_id AND i.currency = a.currency
            AND (p.direction, i.kind) IN (('received', 'invoice'), ('made', 'credit_note'))
        WHEN a.payment_id IS NOT NULL THEN
            p.state = 'recorded' AND p.side = 'supplier' AND p.currency = a.currency AND b.state = 'posted' AND b.supplier_id = p.party_id AND b.currency = a.currency
            AND (p.direction, b.kind) IN (('made', 'bill'), ('received', 'credit_note'))
        WHEN a.credit_note_id IS NOT NULL THEN
            source.state = 'issued' AND source.kind = 'credit_note' AND i.state = 'issued' AND i.kind = 'invoice'
            AND source.customer_id = i.customer_id AND source.currency = a.currency AND i.currency = a.currency
        ELSE
            credit.state = 'posted' AND credit.kind = 'credit_note' AND b.state = 'posted' AND b.kind = 'bill'
            AND credit.supplier_id = b.supplier_id AND credit.currency = a.currency AND b.currency = a.currency
        END;
    IF fits IS NOT TRUE THEN
        RAISE EXCEPTION 'an allocation joins what belongs together: party, currency, direction and state'
            USING ERRCODE = 'CO002';
    END IF;
    -- Of each tax group, waiting × settled ÷ total is transferred, rounded half up. What a document and its credit
    -- note move of one tax may cancel out; anything else stands in the allocation's entry.
    WITH follows AS (
        SELECT t.invoice_id AS id, t.category, t.rate, t.transferred_minor AS before,
            CASE d.kind WHEN 'credit_note' THEN -1 ELSE 1 END AS sign,
            div(2 * t.waiting_minor::numeric * (d.settled_minor + d.credited_minor) + d.total_minor,
                2 * d.total_minor::numeric)::bigint AS after
        FROM invoice_tax t JOIN invoice d ON d.tenant_id = t.tenant_id AND d.id = t.invoice_id
        WHERE t.tenant_id = a.tenant_id AND t.invoice_id IN (a.invoice_id, a.credit_note_id) AND t.waiting_minor > 0
        UNION ALL
        SELECT t.bill_id, t.category, t.rate, t.transferred_minor,
            CASE d.kind WHEN 'credit_note' THEN -1 ELSE 1 END,
            div(2 * t.waiting_minor::numeric * (d.settled_minor + d.credited_minor) + d.payable_minor,
                2 * d.payable_minor::numeric)::bigint
        FROM bill_tax t JOIN bill d ON d.tenant_id = t.tenant_id AND d.id = t.bill_id
        WHERE t.tenant_id = a.tenant_id AND t.bill_id IN (a.bill_id, a.bill_credit_id) AND t.waiting_minor > 0
    ), of_invoices AS (
        UPDATE invoice_tax t SET transferred_minor = f.after FROM follows f WHERE f.after <> f.before
            AND t.tenant_id = a.tenant_id AND (t.invoice_id, t.category, t.rate) = (f.id, f.category, f.rate)
    ), of_bills AS (
        UPDATE bill_tax t SET transferred_minor = f.after FROM follows f WHERE f.after <> f.before
            AND t.tenant_id = a.tenant_id AND (t.bill_id, t.category, t.rate) = (f.id, f.category, f.rate)
    )
    SELECT EXISTS (SELECT FROM follows GROUP BY category, rate HAVING sum(sign * (after - before)) <> 0) INTO moves;
    IF moves AND a.entry_id IS NULL THEN
        RAISE EXCEPTION 'waiting tax is transferred by an entry' USING ERRCODE = 'CO002';
    END IF;
    RETURN NULL;
END $$;
REVOKE EXECUTE ON FUNCTION settle_by_allocation() FROM PUBLIC;
CREATE TRIGGER settle AFTER INSERT ON allocation FOR EACH ROW EXECUTE FUNCTION settle_by_allocation();
ALTER TABLE allocation ENABLE ALWAYS TRIGGER settle;

-- A recorded payment keeps its content; it may bounce, once.
CREATE FUNCTION freeze_payment() RETURNS trigger LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
DECLARE
    free text[] := '{state,bounced_on,bounced_reason,bounce_entry_id,allocated_minor,version,updated_at,updated_by}';
BEGIN
    IF TG_OP = 'DELETE' THEN
        RAISE EXCEPTION 'payments are never deleted' USING ERRCODE = 'CO002';
    END IF;
    IF TG_OP = 'INSERT' THEN
        IF NEW.state <> 'recorded' OR NEW.allocated_minor <> 0 THEN
            RAISE EXCEPTION 'a payment begins as recorded, with nothing allocated' USING ERRCODE = 'CO002';
        END IF;
        RETURN NEW;
    END IF;
    IF OLD.state = 'bounced' OR (to_jsonb(OLD) - free) <> (to_jsonb(NEW) - free) THEN
        RAISE EXCEPTION 'a recorded payment is never changed' USING ERRCODE = 'CO002';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER frozen BEFORE INSERT OR UPDATE OR DELETE ON payment FOR EACH ROW EXECUTE FUNCTION freeze_payment();
CREATE TRIGGER frozen_truncate BEFORE TRUNCATE ON payment EXECUTE FUNCTION refuse_change('payments are never deleted');
ALTER TABLE payment ENABLE ALWAYS TRIGGER frozen;
ALTER TABLE payment ENABLE ALWAYS TRIGGER frozen_truncate;

-- Every column but the keys and what the settle trigger keeps. A later column needs a grant of its own. A tax group
-- does not even begin with something transferred.
DO $$
DECLARE
    target  regclass;
    columns text;
BEGIN
    FOREACH target IN ARRAY '{invoice_tax,bill_tax}'::regclass[] LOOP
        SELECT string_agg(quote_ident(attname), ', ' ORDER BY attnum) INTO columns FROM pg_attribute
            WHERE attrelid = target AND attnum > 0 AND NOT attisdropped AND attname <> 'transferred_minor';
        EXECUTE format('REVOKE INSERT, UPDATE ON %s FROM coulisse_server', target);
        EXECUTE format('GRANT INSERT (%1$s), UPDATE (%1$s) ON %2$s TO coulisse_server', columns, target);
    END LOOP;
    FOREACH target IN ARRAY '{payment,invoice,bill}'::regclass[] LOOP
        SELECT string_agg(quote_ident(attname), ', ' ORDER BY attnum) INTO columns FROM pg_attribute
            WHERE attrelid = target AND attnum > 0 AND NOT attisdropped AND attgenerated = ''
              AND attname NOT IN ('tenant_id', 'id', 'allocated_minor', 'settled_minor', 'credited_minor');
        EXECUTE format('REVOKE UPDATE ON %s FROM coulisse_server', target);
        EXECUTE format('GRANT UPDATE (%s) ON %s TO coulisse_server', columns, target);
    END LOOP;
END $$;
