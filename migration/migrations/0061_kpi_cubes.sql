-- Cubes in full: facts carry all their dimensions, and balances are kept as movements, and so are true at any past day.

-- In the order in which business takes them, and all before the first change: a weaker lock that grows later would wait for
-- business that waits for it.
LOCK TABLE payment, invoice, bill, allocation, step, satisfaction, kpi_definition, journal_entry, posting
    IN ACCESS EXCLUSIVE MODE;

-- The company's calendar day on which somebody decided on a bill. Kept apart from the instants, for the company may move
-- to another zone, and what its calendar said stays. Nobody but the trigger writes it.
ALTER TABLE bill ADD COLUMN decided_on date;
CREATE FUNCTION date_decision() RETURNS trigger LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
    NEW.decided_on := greatest(NEW.received_on, (coalesce(NEW.approved_at, NEW.rejected_at)
        AT TIME ZONE (SELECT zone FROM kpi_head WHERE tenant_id = NEW.tenant_id))::date);
    RETURN NEW;
END $$;
-- By its name it fires before `frozen`, which then sees that nothing else changes a decided bill.
CREATE TRIGGER decided BEFORE UPDATE ON bill
    FOR EACH ROW WHEN (OLD.state = 'received' AND NEW.state <> 'received') EXECUTE FUNCTION date_decision();
ALTER TABLE bill ENABLE ALWAYS TRIGGER decided;

-- What was decided before: nothing but this day is added to it.
ALTER TABLE bill DISABLE TRIGGER frozen;
ALTER TABLE bill DISABLE TRIGGER cubes_update;
DO $$
DECLARE
    company_id uuid;
BEGIN
    FOR company_id IN SELECT tenant_id FROM company LOOP
        PERFORM set_config('app.tenant_id', company_id::text, true);
        UPDATE bill SET decided_on = greatest(received_on, (coalesce(approved_at, rejected_at)
                AT TIME ZONE (SELECT zone FROM kpi_head WHERE tenant_id = company_id))::date)
            WHERE state <> 'received';
    END LOOP;
    PERFORM set_config('app.tenant_id', '', true);
END $$;
ALTER TABLE bill ENABLE ALWAYS TRIGGER frozen;
ALTER TABLE bill ENABLE ALWAYS TRIGGER cubes_update;
ALTER TABLE bill ADD CHECK ((state = 'received') = (decided_on IS NULL));

-- What days are looked for by.
CREATE INDEX bill_decided ON bill (tenant_id, decided_on) WHERE decided_on IS NOT NULL;
CREATE INDEX bill_posted ON bill (tenant_id, posted_on) WHERE posted_on IS NOT NULL;
CREATE INDEX allocation_day ON allocation (tenant_id, on_date);

-- As in migration 40, with all dimensions; run again, it brings a table's triggers up to date.
CREATE OR REPLACE FUNCTION keep_cubes(target regclass) RETURNS void LANGUAGE plpgsql AS $make$
DECLARE
    facts  text := format('f.* FROM %%s r CROSS JOIN LATERAL %s_facts(ROW(r.*)::%s) f', target, target);
    gained text := 'SELECT r.tenant_id, 1 AS sign, ' || format(facts, 'added');
    lost   text := 'SELECT r.tenant_id, -1 AS sign, ' || format(facts, 'removed');
    net    text := 'INSERT INTO kpi_delta (tenant_id, cube, day, dim1, dim2, dim3, currency, count, sum1, sum2)
            SELECT tenant_id, cube, day, dim1, dim2, dim3, currency, sum(sign * count), sum(sign * sum1), sum(sign * sum2)
            FROM (%s) AS moved GROUP BY tenant_id, cube, day, dim1, dim2, dim3, currency
            HAVING (sum(sign * count), sum(sign * sum1), sum(sign * sum2)) <> (0, 0, 0);';
BEGIN
    EXECUTE format('CREATE OR REPLACE FUNCTION %s_cubes() RETURNS trigger
            LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS %L', target, format(
        'BEGIN
            IF TG_OP = ''INSERT'' THEN %s
            ELSIF TG_OP = ''UPDATE'' THEN %s
            ELSE %s
            END IF;
            RETURN NULL;
        END', format(net, gained), format(net, gained || ' UNION ALL ' || lost), format(net, lost)));
    EXECUTE format('REVOKE EXECUTE ON FUNCTION %s_cubes() FROM PUBLIC', target);
    EXECUTE format('CREATE OR REPLACE TRIGGER cubes_insert AFTER INSERT ON %1$s REFERENCING NEW TABLE AS added
            FOR EACH STATEMENT EXECUTE FUNCTION %1$s_cubes();
        CREATE OR REPLACE TRIGGER cubes_update AFTER UPDATE ON %1$s REFERENCING OLD TABLE AS removed NEW TABLE AS added
            FOR EACH STATEMENT EXECUTE FUNCTION %1$s_cubes();
        CREATE OR REPLACE TRIGGER cubes_delete AFTER DELETE ON %1$s REFERENCING OLD TABLE AS removed
            FOR EACH STATEMENT EXECUTE FUNCTION %1$s_cubes();
        ALTER TABLE %1$s ENABLE ALWAYS TRIGGER cubes_insert;
        ALTER TABLE %1$s ENABLE ALWAYS TRIGGER cubes_update;
        ALTER TABLE %1$s ENABLE ALWAYS TRIGGER cubes_delete', target);
END $make$;

-- The facts get their other dimensions: a result of another shape is another function.
DROP FUNCTION invoice_facts(invoice);
DROP FUNCTION bill_facts(bill);
DROP FUNCTION payment_facts(payment);
DROP FUNCTION step_facts(step);
DROP FUNCTION satisfaction_facts(satisfaction);
DROP FUNCTION kpi_definition_facts(kpi_definition);

-- invoice.issued: what was sold, at its issue date; dim3 is the customer's country. receivable.open: what is still to
-- come, at its due date. receivable.balance and receivable.overdue begin with the document; allocations go on with them,
-- see `receivable_facts`. A credit note counts once, with negative amounts.
CREATE FUNCTION invoice_facts(i invoice)
    RETURNS TABLE (cube text, day date, dim1 text, dim2 text, dim3 text, currency text, count bigint, sum1 bigint, sum2 bigint)
    LANGUAGE sql IMMUTABLE AS $$
    SELECT fact.cube, fact.day, i.kind, i.customer_id::text, fact.dim3, i.currency, 1::bigint,
           fact.sum1 * sign.of, fact.sum2 * sign.of
    FROM (SELECT CASE i.kind WHEN 'credit_note' THEN -1 ELSE 1 END AS of) AS sign,
         (VALUES ('invoice.issued', i.issue_date, coalesce(i.customer_as_issued->>'country', ''), i.net_minor, i.total_minor,
                  true),
                 ('receivable.open', i.due_date, '', i.total_minor - i.settled_minor - i.credited_minor, 0::bigint,
                  i.total_minor <> i.settled_minor + i.credited_minor),
                 ('receivable.balance', i.issue_date, '', i.total_minor, i.total_base_minor,
                  (i.total_minor, i.total_base_minor) <> (0, 0)),
                 ('receivable.overdue', greatest(i.issue_date, i.due_date + 1), '', i.total_minor, i.total_base_minor,
                  (i.total_minor, i.total_base_minor) <> (0, 0))) AS fact (cube, day, dim3, sum1, sum2, is_one)
    WHERE i.state = 'issued' AND fact.is_one
$$;
SELECT keep_cubes('invoice');

-- bill.waiting: what waits for approval, at its day of receipt. bill.queue: the same as movements, in at the day of
-- receipt, out at the day of the decision; a correction restates the amount from the receipt on. bill.outcome: how it
-- ended, at the day of receipt; a bill has no outcome while it waits. bill.posted: what was bought, at its posting.
-- payable.open: what is still to be paid, at its due date. payable.balance and payable.overdue as their counterparts
-- above. A supplier's credit note counts once, with negative amounts.
CREATE FUNCTION bill_facts(b bill)
    RETURNS TABLE (cube text, day date, dim1 text, dim2 text, dim3 text, currency text, count bigint, sum1 bigint, sum2 bigint)
    LANGUAGE sql IMMUTABLE AS $$
    SELECT fact.cube, fact.day, fact.dim1, b.supplier_id::text, fact.dim3, fact.currency, fact.count,
           fact.count * fact.sum1 * sign.of, fact.count * fact.sum2 * sign.of
    FROM (SELECT CASE b.kind WHEN 'credit_note' THEN -1 ELSE 1 END AS of) AS sign,
         (VALUES ('bill.waiting', b.received_on, b.kind, b.source, b.currency, 1::bigint, b.payable_minor, 0::bigint,
                  b.state = 'received'),
                 ('bill.queue', b.received_on, b.kind, b.source, b.currency, 1, b.payable_minor, 0, true),
                 ('bill.queue', b.decided_on, b.kind, b.source, b.currency, -1, b.payable_minor, 0,
                  b.decided_on IS NOT NULL),
                 ('bill.outcome', b.received_on,
                  CASE WHEN b.state = 'rejected' THEN 'rejected' WHEN b.corrected THEN 'corrected' ELSE 'clean' END,
                  b.source, '', 1, 0, 0, b.state <> 'received'),
                 ('bill.posted', b.posted_on, b.kind, b.source, b.currency, 1, b.net_minor, b.total_minor,
                  b.state = 'posted'),
                 ('payable.open', b.due_date, b.kind, '', b.currency, 1,
                  b.payable_minor - b.settled_minor - b.credited_minor, 0,
                  b.state = 'posted' AND b.payable_minor <> b.settled_minor + b.credited_minor),
                 ('payable.balance', b.posted_on, b.kind, '', b.currency, 1, b.payable_minor, b.payable_base_minor,
                  b.state = 'posted' AND (b.payable_minor, b.payable_base_minor) <> (0, 0)),
                 ('payable.overdue', greatest(b.posted_on, b.due_date + 1), b.kind, '', b.currency, 1, b.payable_minor,
                  b.payable_base_minor, b.state = 'posted' AND (b.payable_minor, b.payable_base_minor) <> (0, 0)))
             AS fact (cube, day, dim1, dim3, currency, count, sum1, sum2, is_one)
    WHERE fact.is_one
$$;
SELECT keep_cubes('bill');

-- payment.recorded: what was paid, at its day; dim3 is the method. A bounced payment has no fact: the money never came, so
-- what was counted as received goes back at the day it was counted, and not at the day of the bounce.
CREATE FUNCTION payment_facts(p payment)
    RETURNS TABLE (cube text, day date, dim1 text, dim2 text, dim3 text, currency text, count bigint, sum1 bigint, sum2 bigint)
    LANGUAGE sql IMMUTABLE AS $$
    SELECT 'payment.recorded', p.paid_on, p.direction, p.party_id::text, p.method, p.currency, 1::bigint, p.amount_minor,
           p.base_minor
    WHERE p.state = 'recorded'
$$;
SELECT keep_cubes('payment');

-- bill.approval_time: how long a bill took from receipt to approval, at the day of its approval. A bill's supplier and
-- source never change.
CREATE FUNCTION step_facts(s step)
    RETURNS TABLE (cube text, day date, dim1 text, dim2 text, dim3 text, currency text, count bigint, sum1 bigint, sum2 bigint)
    LANGUAGE sql STABLE AS $$
    SELECT 'bill.approval_time', s.on_day, duration_bucket(s.elapsed_ms), b.supplier_id::text, b.source, '', 1::bigint,
           s.elapsed_ms, 0::bigint
    FROM bill b
    WHERE s.subject_kind = 'bill' AND s.step = 'approved' AND b.tenant_id = s.tenant_id AND b.id = s.subject_id
$$;
SELECT keep_cubes('step');

-- satisfaction: what customers think of invoices, at the day they said so; dim2 is the customer, dim3 the score. Who an
-- issued invoice is to never changes.
CREATE FUNCTION satisfaction_facts(s satisfaction)
    RETURNS TABLE (cube text, day date, dim1 text, dim2 text, dim3 text, currency text, count bigint, sum1 bigint, sum2 bigint)
    LANGUAGE sql STABLE AS $$
    SELECT 'satisfaction', s.given_on, '', i.customer_id::text, s.score::text, '', 1::bigint, s.score::bigint, 0::bigint
    FROM invoice i WHERE i.tenant_id = s.tenant_id AND i.id = s.invoice_id
$$;
SELECT keep_cubes('satisfaction');

CREATE FUNCTION kpi_definition_facts(d kpi_definition)
    RETURNS TABLE (cube text, day date, dim1 text, dim2 text, dim3 text, currency text, count bigint, sum1 bigint, sum2 bigint)
    LANGUAGE sql IMMUTABLE AS $$
    SELECT 'kpi.definition', (d.created_at AT TIME ZONE 'UTC')::date, d.key, '', '', '', d.version::bigint, 0::bigint,
           0::bigint
$$;
SELECT keep_cubes('kpi_definition');

-- ledger.balance: dim3 is the journal.
CREATE OR REPLACE FUNCTION balance_deltas() RETURNS trigger LANGUAGE plpgsql
    SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    INSERT INTO kpi_delta (tenant_id, cube, day, dim1, dim2, dim3, count, sum1, sum2)
        SELECT n.tenant_id, 'ledger.balance', n.posted_on, n.account_id::text, e.kind, e.journal_id::text,
               count(*), sum(n.debit_minor), sum(n.credit_minor)
        FROM new_lines n
        JOIN old_lines o ON o.tenant_id = n.tenant_id AND o.id = n.id AND o.posted_on IS NULL
        JOIN journal_entry e ON e.tenant_id = n.tenant_id AND e.id = n.entry_id
        WHERE n.posted_on IS NOT NULL
        GROUP BY n.tenant_id, n.posted_on, n.account_id, e.kind, e.journal_id;
    RETURN NULL;
END $$;

-- The movements of what is open of a document: it opens on a day, and allocations take away from it, none before that day.
-- `late` are the same movements as of the day after it was due: their sum up to a day is what was overdue on it. Both have
-- a count that is 1 while anything stands. Amounts in the document's currency, bases in the company's. Pure.
CREATE FUNCTION open_movements(opened date, due date, amount bigint, base bigint, days date[], amounts bigint[], bases bigint[])
    RETURNS TABLE (late boolean, day date, count bigint, amount bigint, base bigint) LANGUAGE sql IMMUTABLE AS $$
    SELECT s.late, s.day,
           s.stands::integer - coalesce(lag(s.stands::integer) OVER (PARTITION BY s.late ORDER BY s.day), 0)::bigint,
           s.amount, s.base
    FROM (SELECT l.late, m.day, sum(m.amount)::bigint AS amount, sum(m.base)::bigint AS base,
                 (sum(sum(m.amount)) OVER w, sum(sum(m.base)) OVER w) <> (0, 0) AS stands
          FROM (VALUES (false), (true)) AS l (late)
          CROSS JOIN LATERAL (
              SELECT CASE WHEN l.late THEN greatest(d.day, opened, due + 1) ELSE greatest(d.day, opened) END AS day,
                     d.amount, d.base
              FROM (SELECT opened AS day, amount, base
                    UNION ALL SELECT a.day, -a.amount, -a.base FROM unnest(days, amounts, bases) AS a (day, amount, base)) AS d
          ) AS m
          GROUP BY l.late, m.day WINDOW w AS (PARTITION BY l.late ORDER BY m.day)) AS s
$$;

-- receivable.balance, receivable.overdue and invoice.paid of one document, by all its allocations but those of `without`.
-- invoice.paid: an invoice that is settled in full, and not by credit notes alone, at the day of the last settlement that
-- stands: the days since its issue (dim1 their bucket, sum1) and since it was due (sum2), as milliseconds.
CREATE FUNCTION receivable_facts(i invoice, without uuid[])
    RETURNS TABLE (cube text, day date, dim1 text, dim2 text, dim3 text, currency text, count bigint, sum1 bigint, sum2 bigint)
    LANGUAGE sql STABLE AS $$
    WITH taken AS (
        SELECT a.id, a.reverses_id, greatest(a.on_date, i.issue_date) AS day, a.amount_minor AS amount,
               a.target_base_minor AS base, a.payment_id IS NOT NULL AS is_payment
        FROM allocation a WHERE a.tenant_id = i.tenant_id AND a.invoice_id = i.id AND a.id <> ALL (without)
        UNION ALL
        SELECT a.id, a.reverses_id, greatest(a.on_date, i.issue_date), a.amount_minor, a.source_base_minor, false
        FROM allocation a WHERE a.tenant_id = i.tenant_id AND a.credit_note_id = i.id AND a.id <> ALL (without)
    ), listed AS (
        SELECT array_agg(t.day) AS days, array_agg(t.amount) AS amounts, array_agg(t.base) AS bases,
               coalesce(sum(t.amount), 0) AS settled,
               max(t.day) FILTER (WHERE stands.alone) AS last_day,
               coalesce(bool_or(t.is_payment) FILTER (WHERE stands.alone), false) AS is_paid
        FROM taken t CROSS JOIN LATERAL (SELECT t.reverses_id IS NULL
            AND NOT EXISTS (SELECT FROM taken r WHERE r.reverses_id = t.id) AS alone) AS stands
    )
    SELECT CASE WHEN m.late THEN 'receivable.overdue' ELSE 'receivable.balance' END, m.day, i.kind, i.customer_id::text, '',
           i.currency, m.count, m.amount * sign.of, m.base * sign.of
    FROM listed l, (SELECT CASE i.kind WHEN 'credit_note' THEN -1 ELSE 1 END AS of) AS sign,
         open_movements(i.issue_date, i.due_date, i.total_minor, i.total_base_minor, l.days, l.amounts, l.bases) m
    WHERE i.state = 'issued' AND (m.count, m.amount, m.base) <> (0, 0, 0)
    UNION ALL
    SELECT 'invoice.paid', l.last_day, duration_bucket(86400000::bigint * (l.last_day - i.issue_date)), i.customer_id::text,
           '', '', 1::bigint, 86400000::bigint * (l.last_day - i.issue_date),
           86400000::bigint * greatest(l.last_day - i.due_date, 0)
    FROM listed l WHERE i.state = 'issued' AND i.kind = 'invoice' AND l.is_paid AND l.settled = i.total_minor
$$;

-- The same of bills: payable.balance, payable.overdue. They open at their posting.
CREATE FUNCTION payable_facts(b bill, without uuid[])
    RETURNS TABLE (cube text, day date, dim1 text, dim2 text, dim3 text, currency text, count bigint, sum1 bigint, sum2 bigint)
    LANGUAGE sql STABLE AS $$
    WITH taken AS (
        SELECT a.on_date AS day, a.amount_minor AS amount, a.target_base_minor AS base
        FROM allocation a WHERE a.tenant_id = b.tenant_id AND a.bill_id = b.id AND a.id <> ALL (without)
        UNION ALL
        SELECT a.on_date, a.amount_minor, a.source_base_minor
        FROM allocation a WHERE a.tenant_id = b.tenant_id AND a.bill_credit_id = b.id AND a.id <> ALL (without)
    ), listed AS (
        SELECT array_agg(t.day) AS days, array_agg(t.amount) AS amounts, array_agg(t.base) AS bases FROM taken t
    )
    SELECT CASE WHEN m.late THEN 'payable.overdue' ELSE 'payable.balance' END, m.day, b.kind, b.supplier_id::text, '',
           b.currency, m.count, m.amount * sign.of, m.base * sign.of
    FROM listed l, (SELECT CASE b.kind WHEN 'credit_note' THEN -1 ELSE 1 END AS of) AS sign,
         open_movements(b.posted_on, b.due_date, b.payable_minor, b.payable_base_minor, l.days, l.amounts, l.bases) m
    WHERE b.state = 'posted' AND (m.count, m.amount, m.base) <> (0, 0, 0)
$$;

-- An allocation moves what is open of its documents from its day on, which may have passed: their movements with it, less
-- those without it. Its documents are locked by then (`settle`, which fires for each row, has updated them), so nobody
-- else's allocation of them is unseen.
CREATE FUNCTION allocation_cubes() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    new_ids uuid[] := (SELECT array_agg(id) FROM added);
BEGIN
    INSERT INTO kpi_delta (tenant_id, cube, day, dim1, dim2, dim3, currency, count, sum1, sum2)
        SELECT tenant_id, cube, day, dim1, dim2, dim3, currency, sum(sign * count), sum(sign * sum1), sum(sign * sum2)
        FROM (
            SELECT i.tenant_id, w.sign, f.*
            FROM invoice i CROSS JOIN (VALUES (1, '{}'::uuid[]), (-1, new_ids)) AS w (sign, without)
            CROSS JOIN LATERAL receivable_facts(i, w.without) f
            WHERE (i.tenant_id, i.id) IN (SELECT tenant_id, invoice_id FROM added UNION SELECT tenant_id, credit_note_id FROM added)
            UNION ALL
            SELECT b.tenant_id, w.sign, f.*
            FROM bill b CROSS JOIN (VALUES (1, '{}'::uuid[]), (-1, new_ids)) AS w (sign, without)
            CROSS JOIN LATERAL payable_facts(b, w.without) f
            WHERE (b.tenant_id, b.id) IN (SELECT tenant_id, bill_id FROM added UNION SELECT tenant_id, bill_credit_id FROM added)
        ) AS moved
        GROUP BY tenant_id, cube, day, dim1, dim2, dim3, currency
        HAVING (sum(sign * count), sum(sign * sum1), sum(sign * sum2)) <> (0, 0, 0);
    RETURN NULL;
END $$;
REVOKE EXECUTE ON FUNCTION allocation_cubes() FROM PUBLIC;
CREATE TRIGGER cubes_insert AFTER INSERT ON allocation REFERENCING NEW TABLE AS added
    FOR EACH STATEMENT EXECUTE FUNCTION allocation_cubes();
ALTER TABLE allocation ENABLE ALWAYS TRIGGER cubes_insert;

-- What a cube's own rollup drops: companies have many customers, and a figure of one of them gets a slice.
CREATE OR REPLACE FUNCTION kept_dimensions() RETURNS TABLE (cube text, keep1 boolean, keep2 boolean, keep3 boolean)
    LANGUAGE sql IMMUTABLE AS $$
    VALUES ('invoice.issued', true, false, false), ('invoice.paid', true, false, false),
           ('receivable.open', true, false, false), ('receivable.balance', true, false, false),
           ('receivable.overdue', true, false, false), ('payable.open', true, false, false),
           ('payable.balance', true, false, false), ('payable.overdue', true, false, false),
           ('payment.recorded', true, false, false), ('bill.waiting', true, false, false),
           ('bill.queue', true, false, false), ('bill.outcome', true, false, false), ('bill.posted', true, false, false),
           ('bill.approval_time', true, false, false), ('satisfaction', true, false, false),
           ('ledger.balance', true, true, false)
$$;

-- The facts of a cube on some days, of the company of the transaction, as its triggers count them: each branch reads by an
-- index of days. STABLE: it sees what the statement sees that calls it, which is what makes filling exact.
CREATE OR REPLACE FUNCTION cube_facts(of_cube text, first date, last date)
    RETURNS TABLE (day date, dim1 text, dim2 text, dim3 text, currency text, count bigint, sum1 bigint, sum2 bigint)
    LANGUAGE plpgsql STABLE SET search_path = public, pg_temp AS $$
DECLARE
    -- Documents whose movements may lie on these days: an overdue one's do after its due day.
    moved_invoices text := 'invoice r, receivable_facts(r, ''{}'') f WHERE r.state = ''issued'' AND r.id IN (
        SELECT id FROM invoice WHERE state = ''issued'' AND issue_date BETWEEN $2 AND $3
        UNION SELECT id FROM invoice WHERE state = ''issued'' AND due_date BETWEEN $2 - 1 AND $3 - 1
        UNION SELECT invoice_id FROM allocation WHERE on_date BETWEEN $2 AND $3
        UNION SELECT credit_note_id FROM allocation WHERE on_date BETWEEN $2 AND $3)';
    moved_bills text := 'bill r, payable_facts(r, ''{}'') f WHERE r.state = ''posted'' AND r.id IN (
        SELECT id FROM bill WHERE posted_on BETWEEN $2 AND $3
        UNION SELECT id FROM bill WHERE due_date BETWEEN $2 - 1 AND $3 - 1
        UNION SELECT bill_id FROM allocation WHERE on_date BETWEEN $2 AND $3
        UNION SELECT bill_credit_id FROM allocation WHERE on_date BETWEEN $2 AND $3)';
    source text := CASE of_cube
        WHEN 'invoice.issued' THEN 'invoice r, invoice_facts(r) f WHERE r.state = ''issued'' AND r.issue_date BETWEEN $2 AND $3'
        WHEN 'receivable.open' THEN 'invoice r, invoice_facts(r) f WHERE r.state = ''issued'' AND r.due_date BETWEEN $2 AND $3'
        WHEN 'receivable.balance' THEN moved_invoices
        WHEN 'receivable.overdue' THEN moved_invoices
        WHEN 'invoice.paid' THEN moved_invoices
        WHEN 'payable.open' THEN 'bill r, bill_facts(r) f WHERE r.due_date BETWEEN $2 AND $3'
        WHEN 'payable.balance' THEN moved_bills
        WHEN 'payable.overdue' THEN moved_bills
        WHEN 'bill.waiting' THEN 'bill r, bill_facts(r) f WHERE r.received_on BETWEEN $2 AND $3'
        WHEN 'bill.outcome' THEN 'bill r, bill_facts(r) f WHERE r.received_on BETWEEN $2 AND $3'
        WHEN 'bill.posted' THEN 'bill r, bill_facts(r) f WHERE r.posted_on BETWEEN $2 AND $3'
        WHEN 'bill.queue' THEN 'bill r, bill_facts(r) f WHERE r.id IN (SELECT id FROM bill WHERE received_on BETWEEN $2 AND $3
            UNION SELECT id FROM bill WHERE decided_on BETWEEN $2 AND $3)'
        WHEN 'payment.recorded' THEN 'payment r, payment_facts(r) f WHERE r.paid_on BETWEEN $2 AND $3'
        WHEN 'bill.approval_time' THEN 'step r, step_facts(r) f
            WHERE r.subject_kind = ''bill'' AND r.step = ''approved'' AND r.on_day BETWEEN $2 AND $3'
        WHEN 'process.time' THEN 'passage r, passage_facts(r) f WHERE r.on_day BETWEEN $2 AND $3'
        WHEN 'process.business_time' THEN 'passage r, passage_facts(r) f WHERE r.on_day BETWEEN $2 AND $3'
        WHEN 'satisfaction' THEN 'satisfaction r, satisfaction_facts(r) f WHERE r.given_on BETWEEN $2 AND $3'
        WHEN 'kpi.definition' THEN 'kpi_definition r, kpi_definition_facts(r) f WHERE true'
        WHEN 'ledger.balance' THEN 'journal_entry e JOIN posting p ON p.tenant_id = e.tenant_id AND p.entry_id = e.id
            CROSS JOIN LATERAL (SELECT $1 AS cube, p.posted_on AS day, p.account_id::text AS dim1, e.kind AS dim2,
                e.journal_id::text AS dim3, '''' AS currency, 1::bigint AS count, p.debit_minor AS sum1,
                p.credit_minor AS sum2) f
            WHERE e.state = ''posted'' AND e.entry_date BETWEEN $2 AND $3'
        END;
BEGIN
    RETURN QUERY EXECUTE 'SELECT f.day, f.dim1, f.dim2, f.dim3, f.currency, f.count, f.sum1, f.sum2 FROM ' || source
        || ' AND f.cube = $1 AND f.day BETWEEN $2 AND $3' USING of_cube, first, last;
END $$;

-- What companies have done so far: the new cubes get all their facts, one delta for each cell. Their triggers' locks keep
-- writers out until the commit, so nothing is counted twice.
DO $$
DECLARE
    company_id uuid;
BEGIN
    FOR company_id IN SELECT tenant_id FROM company LOOP
        PERFORM set_config('app.tenant_id', company_id::text, true);
        INSERT INTO kpi_delta (tenant_id, cube, day, dim1, dim2, dim3, currency, count, sum1, sum2)
            SELECT company_id, c.cube, f.day, f.dim1, f.dim2, f.dim3, f.currency, sum(f.count), sum(f.sum1), sum(f.sum2)
            FROM unnest('{receivable.balance,receivable.overdue,invoice.paid,payable.balance,payable.overdue,bill.queue,
                bill.posted}'::text[]) AS c (cube)
            CROSS JOIN LATERAL cube_facts(c.cube, '0001-01-01', '9999-12-31') f
            GROUP BY c.cube, f.day, f.dim1, f.dim2, f.dim3, f.currency
            HAVING (sum(f.count), sum(f.sum1), sum(f.sum2)) <> (0, 0, 0);
    END LOOP;
    PERFORM set_config('app.tenant_id', '', true);
END $$;
