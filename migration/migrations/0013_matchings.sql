-- Lettering: which debit lines and credit lines of an account settle each other, in a table of its own, for
-- posted lines are never touched.

CREATE TABLE matching (
    tenant_id         uuid NOT NULL,
    id                uuid NOT NULL,
    debit_posting_id  uuid NOT NULL,
    credit_posting_id uuid NOT NULL,
    -- The company's currency, minor units.
    amount_minor      bigint NOT NULL CHECK (amount_minor > 0),
    -- Not before either line was posted, so that a report of an earlier day sees neither half.
    matched_on        date NOT NULL,
    -- A matching is undone, not deleted: reports of the days between still show it.
    undone_on         date CHECK (undone_on >= matched_on),
    undone_at         timestamptz,
    undone_by         text,
    version           integer NOT NULL DEFAULT 1,
    created_at        timestamptz NOT NULL,
    created_by        text NOT NULL,
    PRIMARY KEY (tenant_id, id),
    FOREIGN KEY (tenant_id, debit_posting_id) REFERENCES posting (tenant_id, id),
    FOREIGN KEY (tenant_id, credit_posting_id) REFERENCES posting (tenant_id, id),
    CHECK (num_nulls(undone_on, undone_at, undone_by) IN (0, 3))
);
SELECT wall_company_table('matching', 'SELECT, INSERT, UPDATE');
CREATE INDEX matching_debit ON matching (tenant_id, debit_posting_id, matched_on);
CREATE INDEX matching_credit ON matching (tenant_id, credit_posting_id, matched_on);

-- Locks both lines, the smaller id first, then sums: what a concurrent matching took of them is seen.
CREATE FUNCTION guard_new_matching() RETURNS trigger LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
DECLARE
    debit  posting;
    credit posting;
    line   posting;
    taken  bigint;
BEGIN
    PERFORM require_read_committed();
    IF NEW.undone_on IS NOT NULL THEN
        RAISE EXCEPTION 'a matching begins undone by nobody' USING ERRCODE = 'CO002';
    END IF;
    FOR line IN
        SELECT * FROM posting WHERE id IN (NEW.debit_posting_id, NEW.credit_posting_id) ORDER BY id FOR NO KEY UPDATE
    LOOP
        IF line.posted_on IS NULL OR line.posted_on > NEW.matched_on THEN
            RAISE EXCEPTION 'lines are matched once both are posted' USING ERRCODE = 'CO020';
        END IF;
        IF line.id = NEW.debit_posting_id THEN
            debit := line;
        ELSE
            credit := line;
        END IF;
    END LOOP;
    -- A column of a row that was not found is NULL.
    IF (debit.debit_minor > 0 AND credit.credit_minor > 0) IS NOT TRUE THEN
        RAISE EXCEPTION 'a debit line is matched with a credit line' USING ERRCODE = 'CO020';
    END IF;
    IF debit.account_id <> credit.account_id OR debit.party_id IS DISTINCT FROM credit.party_id THEN
        RAISE EXCEPTION 'lines are matched on one account and for one party' USING ERRCODE = 'CO020';
    END IF;
    IF NOT EXISTS (SELECT FROM account WHERE id = debit.account_id AND reconcilable) THEN
        RAISE EXCEPTION 'the lines of this account are not matched' USING ERRCODE = 'CO020';
    END IF;
    -- Opening entries repeat what earlier lines say: those are matched, across years.
    IF EXISTS (SELECT FROM journal_entry e JOIN posting p ON p.entry_id = e.id
        WHERE p.id IN (NEW.debit_posting_id, NEW.credit_posting_id) AND e.kind = 'opening') THEN
        RAISE EXCEPTION 'a line of an opening entry only repeats earlier lines: match those' USING ERRCODE = 'CO020';
    END IF;
    -- Else a report of a day before the undoing would see both.
    IF EXISTS (SELECT FROM matching WHERE debit_posting_id = NEW.debit_posting_id AND undone_on > NEW.matched_on)
        OR EXISTS (SELECT FROM matching WHERE credit_posting_id = NEW.credit_posting_id AND undone_on > NEW.matched_on)
    THEN
        RAISE EXCEPTION 'lines are matched again from the day on which they were freed' USING ERRCODE = 'CO020';
    END IF;
    SELECT coalesce(sum(amount_minor), 0) INTO taken FROM matching
        WHERE debit_posting_id = NEW.debit_posting_id AND undone_on IS NULL;
    IF taken > debit.debit_minor THEN
        RAISE EXCEPTION 'only % minor units of the debit line are open',
            debit.debit_minor - taken + NEW.amount_minor USING ERRCODE = 'CO021';
    END IF;
    SELECT coalesce(sum(amount_minor), 0) INTO taken FROM matching
        WHERE credit_posting_id = NEW.credit_posting_id AND undone_on IS NULL;
    IF taken > credit.credit_minor THEN
        RAISE EXCEPTION 'only % minor units of the credit line are open',
            credit.credit_minor - taken + NEW.amount_minor USING ERRCODE = 'CO021';
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER frozen_insert AFTER INSERT ON matching FOR EACH ROW EXECUTE FUNCTION guard_new_matching();

CREATE FUNCTION guard_matching() RETURNS trigger LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
    IF OLD.undone_on IS NOT NULL OR NEW.undone_on IS NULL OR
        (NEW.tenant_id, NEW.id, NEW.debit_posting_id, NEW.credit_posting_id, NEW.amount_minor, NEW.matched_on)
        IS DISTINCT FROM
        (OLD.tenant_id, OLD.id, OLD.debit_posting_id, OLD.credit_posting_id, OLD.amount_minor, OLD.matched_on) THEN
        RAISE EXCEPTION 'a matching is undone, once, and never changed' USING ERRCODE = 'CO002';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER frozen BEFORE UPDATE ON matching FOR EACH ROW EXECUTE FUNCTION guard_matching();
CREATE TRIGGER frozen_delete BEFORE DELETE ON matching
    FOR EACH ROW EXECUTE FUNCTION refuse_change('a matching is undone, once, and never deleted');
CREATE TRIGGER frozen_truncate BEFORE TRUNCATE ON matching
    EXECUTE FUNCTION refuse_change('a matching is undone, once, and never deleted');
ALTER TABLE matching ENABLE ALWAYS TRIGGER frozen;
ALTER TABLE matching ENABLE ALWAYS TRIGGER frozen_insert;
ALTER TABLE matching ENABLE ALWAYS TRIGGER frozen_delete;
ALTER TABLE matching ENABLE ALWAYS TRIGGER frozen_truncate;
