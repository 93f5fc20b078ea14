-- The cubes of invoicing: what each row contributes to a figure, and the triggers that keep the figures.
--
-- A table that figures are made of has a function `<table>_facts(<table>)`: the facts of one row, pure, and with
-- no trace of how they are kept. `keep_cubes` puts triggers on the table that write the net of facts gained and
-- facts lost, a row for each cell that moved. An UPDATE that moves no figure writes nothing.

-- Keeps the cubes of a table, whatever changes it. The trigger function runs as its owner, for only the owner may
-- write deltas: run as the invoker, the server could forge figures.
CREATE FUNCTION keep_cubes(target regclass) RETURNS void LANGUAGE plpgsql AS $make$
DECLARE
    facts  text := format('f.* FROM %%s r CROSS JOIN LATERAL %s_facts(ROW(r.*)::%s) f', target, target);
    gained text := 'SELECT r.tenant_id, 1 AS sign, ' || format(facts, 'added');
    lost   text := 'SELECT r.tenant_id, -1 AS sign, ' || format(facts, 'removed');
    net    text := 'INSERT INTO kpi_delta (tenant_id, cube, day, dim1, currency, count, sum1, sum2)
            SELECT tenant_id, cube, day, dim1, currency, sum(sign * count), sum(sign * sum1), sum(sign * sum2)
            FROM (%s) AS moved GROUP BY tenant_id, cube, day, dim1, currency
            HAVING (sum(sign * count), sum(sign * sum1), sum(sign * sum2)) <> (0, 0, 0);';
BEGIN
    EXECUTE format('CREATE FUNCTION %s_cubes() RETURNS trigger
            LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS %L', target, format(
        'BEGIN
            IF TG_OP = ''INSERT'' THEN %s
            ELSIF TG_OP = ''UPDATE'' THEN %s
            ELSE %s
            END IF;
            RETURN NULL;
        END', format(net, gained), format(net, gained || ' UNION ALL ' || lost), format(net, lost)));
    EXECUTE format('REVOKE EXECUTE ON FUNCTION %s_cubes() FROM PUBLIC', target);
    EXECUTE format('CREATE TRIGGER cubes_insert AFTER INSERT ON %1$s REFERENCING NEW TABLE AS added
            FOR EACH STATEMENT EXECUTE FUNCTION %1$s_cubes();
        CREATE TRIGGER cubes_update AFTER UPDATE ON %1$s REFERENCING OLD TABLE AS removed NEW TABLE AS added
            FOR EACH STATEMENT EXECUTE FUNCTION %1$s_cubes();
        CREATE TRIGGER cubes_delete AFTER DELETE ON %1$s REFERENCING OLD TABLE AS removed
            FOR EACH STATEMENT EXECUTE FUNCTION %1$s_cubes();
        ALTER TABLE %1$s ENABLE ALWAYS TRIGGER cubes_insert;
        ALTER TABLE %1$s ENABLE ALWAYS TRIGGER cubes_update;
        ALTER TABLE %1$s ENABLE ALWAYS TRIGGER cubes_delete', target);
END $make$;
REVOKE EXECUTE ON FUNCTION keep_cubes(regclass) FROM PUBLIC;

-- invoice.issued: what was sold, at its issue date. receivable.open: what is still to come, at its due date.
-- A credit note counts once, with negative amounts.
CREATE FUNCTION invoice_facts(i invoice)
    RETURNS TABLE (cube text, day date, dim1 text, currency text, count bigint, sum1 bigint, sum2 bigint)
    LANGUAGE sql IMMUTABLE AS $$
    SELECT fact.cube, fact.day, i.kind, i.currency, 1::bigint, fact.sum1 * sign.of, fact.sum2 * sign.of
    FROM (SELECT CASE i.kind WHEN 'credit_note' THEN -1 ELSE 1 END AS of) AS sign,
         (VALUES ('invoice.issued', i.issue_date, i.net_minor, i.total_minor, true),
                 ('receivable.open', i.due_date, i.total_minor - i.settled_minor - i.credited_minor, 0::bigint,
                  i.total_minor <> i.settled_minor + i.credited_minor)) AS fact (cube, day, sum1, sum2, is_one)
    WHERE i.state = 'issued' AND fact.is_one
$$;
SELECT keep_cubes('invoice');

-- bill.waiting: what waits for approval, at its day of receipt. bill.outcome: how it ended, at the same day; a bill
-- has no outcome while it waits. payable.open: what is still to be paid, at its due date. A supplier's credit note
-- counts once, with negative amounts.
CREATE FUNCTION bill_facts(b bill)
    RETURNS TABLE (cube text, day date, dim1 text, currency text, count bigint, sum1 bigint, sum2 bigint)
    LANGUAGE sql IMMUTABLE AS $$
    SELECT fact.cube, fact.day, fact.dim1, fact.currency, 1::bigint, fact.sum1 * sign.of, 0::bigint
    FROM (SELECT CASE b.kind WHEN 'credit_note' THEN -1 ELSE 1 END AS of) AS sign,
         (VALUES ('bill.waiting', b.received_on, b.kind, b.currency, b.payable_minor, b.state = 'received'),
                 ('bill.outcome', b.received_on,
                  CASE WHEN b.state = 'rejected' THEN 'rejected' WHEN b.corrected THEN 'corrected' ELSE 'clean' END,
                  '', 0::bigint, b.state <> 'received'),
                 ('payable.open', b.due_date, b.kind, b.currency,
                  b.payable_minor - b.settled_minor - b.credited_minor,
                  b.state = 'posted' AND b.payable_minor <> b.settled_minor + b.credited_minor))
             AS fact (cube, day, dim1, currency, sum1, is_one)
    WHERE fact.is_one
$$;
SELECT keep_cubes('bill');

-- payment.recorded: what was paid, at its day. A bounced payment has no fact: the money never came, so what was
-- counted as received goes back at the day it was counted, and not at the day of the bounce.
CREATE FUNCTION payment_facts(p payment)
    RETURNS TABLE (cube text, day date, dim1 text, currency text, count bigint, sum1 bigint, sum2 bigint)
    LANGUAGE sql IMMUTABLE AS $$
    SELECT 'payment.recorded', p.paid_on, p.direction, p.currency, 1::bigint, p.amount_minor, p.base_minor
    WHERE p.state = 'recorded'
$$;
SELECT keep_cubes('payment');

-- The bucket of a duration: its lower bound in milliseconds, padded so that buckets sort as text. A bound keeps the
-- five leading binary digits, so a bucket is at most 1/16 (6.25 %) of its lower bound wide, and below 32 exact;
-- whole numbers only, so no logarithm can round a duration into a neighbour.
CREATE FUNCTION duration_bucket(ms bigint) RETURNS text LANGUAGE sql IMMUTABLE AS $$
    SELECT lpad((ms >> cut.digits << cut.digits)::text, 19, '0')
    FROM (SELECT greatest(length(ltrim(ms::bit(64)::text, '0')) - 5, 0) AS digits) AS cut
$$;

-- bill.approval_time: how long a bill took from receipt to approval, at the day of its approval.
CREATE FUNCTION step_facts(s step)
    RETURNS TABLE (cube text, day date, dim1 text, currency text, count bigint, sum1 bigint, sum2 bigint)
    LANGUAGE sql IMMUTABLE AS $$
    SELECT 'bill.approval_time', s.on_day, duration_bucket(s.elapsed_ms), '', 1::bigint, s.elapsed_ms, 0::bigint
    WHERE s.subject_kind = 'bill' AND s.step = 'approved'
$$;
SELECT keep_cubes('step');
-- A bill is approved once: the state machine says so, and the drill-down names each bill once because of it.
CREATE UNIQUE INDEX step_approved_once ON step (tenant_id, subject_id) WHERE subject_kind = 'bill' AND step = 'approved';
-- The drill-downs read by day.
CREATE INDEX step_approved_day ON step (tenant_id, on_day, subject_id) WHERE subject_kind = 'bill' AND step = 'approved';
CREATE INDEX bill_received_day ON bill (tenant_id, received_on, id);
CREATE INDEX satisfaction_day ON satisfaction (tenant_id, given_on, invoice_id);

-- satisfaction: what customers think of invoices, at the day they said so.
CREATE FUNCTION satisfaction_facts(s satisfaction)
    RETURNS TABLE (cube text, day date, dim1 text, currency text, count bigint, sum1 bigint, sum2 bigint)
    LANGUAGE sql IMMUTABLE AS $$
    SELECT 'satisfaction', s.given_on, '', '', 1::bigint, s.score::bigint, 0::bigint
$$;
SELECT keep_cubes('satisfaction');
