-- Figures that companies make themselves: definitions have versions, and what a cube's own rollup does not keep is kept
-- in slices, which are filled from history beside the writers.

ALTER TABLE kpi_definition
    -- What ships with the product: what it measures is ours to change.
    ADD COLUMN builtin      boolean NOT NULL DEFAULT true,
    -- The version of what it measures that is live; 0 while the first one is being filled.
    ADD COLUMN spec_version integer NOT NULL DEFAULT 1 CHECK (spec_version >= 0),
    -- The slices of the live version: the figure's, and that of a quotient's other side. NULL reads the cube's rollup.
    ADD COLUMN slice        uuid,
    ADD COLUMN over_slice   uuid,
    -- The ends of a band, in the unit as the target is.
    ADD COLUMN band_low     numeric,
    ADD COLUMN band_high    numeric,
    ADD COLUMN warning      numeric,
    ADD COLUMN critical     numeric,
    ADD COLUMN hysteresis   numeric NOT NULL DEFAULT 0 CHECK (hysteresis >= 0),
    -- Who answers for it: a member.
    ADD COLUMN owner_id     uuid,
    -- Nothing is there to be checked, and outside of a company nothing could be.
    ADD FOREIGN KEY (tenant_id, owner_id) REFERENCES membership (tenant_id, id) NOT VALID,
    DROP CONSTRAINT kpi_definition_measure_check,
    ADD CONSTRAINT kpi_definition_measure_check
        CHECK (measure IN ('sum', 'count', 'mean', 'percentile', 'share', 'quotient')),
    DROP CONSTRAINT kpi_definition_direction_check,
    ADD CONSTRAINT kpi_definition_direction_check CHECK (direction IN ('up', 'down', 'band')),
    ADD CHECK ((direction = 'band') = (band_low IS NOT NULL AND band_high IS NOT NULL AND band_low <= band_high)),
    ADD CHECK (direction = 'band' OR (band_low IS NULL AND band_high IS NULL)),
    ADD CHECK (direction <> 'band' OR target IS NULL);
ALTER TABLE kpi_definition ALTER COLUMN builtin SET DEFAULT false;
GRANT UPDATE (description_fr, description_en, direction, band_low, band_high, warning, critical, hysteresis, owner_id,
    archived_at) ON kpi_definition TO coulisse_server;
-- Which slices it reads is not the server's to say.
REVOKE INSERT ON kpi_definition FROM coulisse_server;
GRANT INSERT (tenant_id, id, key, label_fr, label_en, description_fr, description_en, cube, measure, parameters, unit,
    direction, target, builtin, spec_version, band_low, band_high, warning, critical, hysteresis, owner_id, version,
    created_at, created_by, updated_at, updated_by) ON kpi_definition TO coulisse_server;

-- What a figure has measured, measures, or will measure once its history is filled.
CREATE TABLE kpi_definition_version (
    tenant_id    uuid NOT NULL,
    kpi_id       uuid NOT NULL,
    spec_version integer NOT NULL CHECK (spec_version > 0),
    cube         text NOT NULL,
    measure      text NOT NULL,
    parameters   jsonb NOT NULL,
    unit         text NOT NULL,
    state        text NOT NULL DEFAULT 'filling' CHECK (state IN ('filling', 'live', 'replaced', 'failed', 'withdrawn')),
    created_at   timestamptz NOT NULL,
    created_by   text NOT NULL,
    -- When it became what the figure measures.
    live_at      timestamptz,
    -- When it ceased to be that, or to be filled.
    ended_at     timestamptz,
    PRIMARY KEY (tenant_id, kpi_id, spec_version),
    FOREIGN KEY (tenant_id, kpi_id) REFERENCES kpi_definition (tenant_id, id)
);
SELECT wall_company_table('kpi_definition_version', 'SELECT, INSERT');
CREATE UNIQUE INDEX kpi_definition_version_state ON kpi_definition_version (tenant_id, kpi_id, state)
    WHERE state IN ('filling', 'live');

DO $$
DECLARE
    company_id uuid;
BEGIN
    FOR company_id IN SELECT tenant_id FROM company LOOP
        PERFORM set_config('app.tenant_id', company_id::text, true);
        INSERT INTO kpi_definition_version (tenant_id, kpi_id, spec_version, cube, measure, parameters, unit, state,
                created_at, created_by, live_at)
            SELECT tenant_id, id, 1, cube, measure, parameters, unit, 'live', created_at, created_by, created_at
            FROM kpi_definition;
    END LOOP;
    PERFORM set_config('app.tenant_id', '', true);
END $$;

-- Cells of a cube that are kept for one version of a definition, with what its filter lets through and the dimensions that
-- it needs. Its rollup rows have the cube 'slice:<id>'.
CREATE TABLE kpi_slice (
    tenant_id    uuid NOT NULL,
    id           uuid NOT NULL,
    kpi_id       uuid NOT NULL,
    spec_version integer NOT NULL,
    -- 1: of the figure; 2: of the other side of a quotient.
    part         smallint NOT NULL CHECK (part IN (1, 2)),
    cube         text NOT NULL,
    -- Facts with one of these values, and without these; NULL is no condition.
    any1         text[], any2 text[], any3 text[],
    none1        text[], none2 text[], none3 text[],
    -- Whether dim2 and dim3 are kept; dim1 always is.
    keep2        boolean NOT NULL,
    keep3        boolean NOT NULL,
    -- The frontier: all days up to it are filled, and moved by the folder; later ones are neither.
    filled_to    date NOT NULL DEFAULT '0001-12-31 BC',
    state        text NOT NULL DEFAULT 'filling' CHECK (state IN ('filling', 'live', 'retired')),
    -- About how many facts there are to fill, and how many are. NULL until the first step.
    facts_total  bigint,
    facts_done   bigint NOT NULL DEFAULT 0,
    PRIMARY KEY (tenant_id, id),
    UNIQUE (tenant_id, kpi_id, spec_version, part),
    FOREIGN KEY (tenant_id, kpi_id, spec_version) REFERENCES kpi_definition_version (tenant_id, kpi_id, spec_version),
    CHECK (state <> 'live' OR filled_to = '9999-12-31')
);
SELECT wall_company_table('kpi_slice', 'SELECT');
-- How far it is filled is not the server's to say.
GRANT INSERT (tenant_id, id, kpi_id, spec_version, part, cube, any1, any2, any3, none1, none2, none3, keep2, keep3)
    ON kpi_slice TO coulisse_server;
GRANT SELECT ON kpi_slice TO coulisse_worker;
CREATE POLICY worker ON kpi_slice FOR SELECT TO coulisse_worker USING (true);
CREATE INDEX kpi_slice_state ON kpi_slice (state) WHERE state <> 'live';

-- Whether a fact belongs into a slice.
CREATE FUNCTION slice_takes(s kpi_slice, dim1 text, dim2 text, dim3 text) RETURNS boolean LANGUAGE sql IMMUTABLE AS $$
    SELECT (s.any1 IS NULL OR dim1 = ANY (s.any1)) AND (s.none1 IS NULL OR dim1 <> ALL (s.none1))
       AND (s.any2 IS NULL OR dim2 = ANY (s.any2)) AND (s.none2 IS NULL OR dim2 <> ALL (s.none2))
       AND (s.any3 IS NULL OR dim3 = ANY (s.any3)) AND (s.none3 IS NULL OR dim3 <> ALL (s.none3))
$$;

-- The cubes whose own rollup drops a dimension; what is not named here keeps all. The declarations of the domains
-- (Cube::kept) say the same.
CREATE FUNCTION kept_dimensions() RETURNS TABLE (cube text, keep1 boolean, keep2 boolean, keep3 boolean)
    LANGUAGE sql IMMUTABLE AS $$
    SELECT NULL::text, true, true, true WHERE false
$$;

-- The facts of a cube on some days, of the company of the transaction, as its triggers count them. STABLE: it sees what
-- the statement sees that calls it, which is what makes filling exact.
CREATE FUNCTION cube_facts(of_cube text, first date, last date)
    RETURNS TABLE (day date, dim1 text, dim2 text, dim3 text, currency text, count bigint, sum1 bigint, sum2 bigint)
    LANGUAGE sql STABLE AS $$
    SELECT f.day, f.dim1, '', '', f.currency, f.count, f.sum1, f.sum2
    FROM invoice r CROSS JOIN LATERAL invoice_facts(r) f
    WHERE of_cube IN ('invoice.issued', 'receivable.open') AND f.cube = of_cube AND f.day BETWEEN first AND last
    UNION ALL SELECT f.day, f.dim1, '', '', f.currency, f.count, f.sum1, f.sum2
    FROM bill r CROSS JOIN LATERAL bill_facts(r) f
    WHERE of_cube IN ('bill.waiting', 'bill.outcome', 'payable.open') AND f.cube = of_cube AND f.day BETWEEN first AND last
    UNION ALL SELECT f.day, f.dim1, '', '', f.currency, f.count, f.sum1, f.sum2
    FROM payment r CROSS JOIN LATERAL payment_facts(r) f
    WHERE of_cube = 'payment.recorded' AND f.cube = of_cube AND f.day BETWEEN first AND last
    UNION ALL SELECT f.day, f.dim1, '', '', f.currency, f.count, f.sum1, f.sum2
    FROM step r CROSS JOIN LATERAL step_facts(r) f
    WHERE of_cube = 'bill.approval_time' AND f.cube = of_cube AND f.day BETWEEN first AND last
    UNION ALL SELECT f.day, f.dim1, '', '', f.currency, f.count, f.sum1, f.sum2
    FROM satisfaction r CROSS JOIN LATERAL satisfaction_facts(r) f
    WHERE of_cube = 'satisfaction' AND f.day BETWEEN first AND last
    UNION ALL SELECT p.posted_on, p.account_id::text, e.kind, '', '', 1, p.debit_minor, p.credit_minor
    FROM posting p JOIN journal_entry e ON e.tenant_id = p.tenant_id AND e.id = p.entry_id
    WHERE of_cube = 'ledger.balance' AND p.posted_on BETWEEN first AND last
$$;
-- It is called by what fills, and by nobody else: the server has the domains' own texts.
REVOKE EXECUTE ON FUNCTION cube_facts(text, date, date) FROM PUBLIC;

-- Folds what is pending of one company into the rollups of its cubes, and into the slices whose filter lets it through and
-- whose frontier it is within. What lies beyond a frontier is counted when that day is filled. The new revision, 0 if
-- there was nothing, NULL if another folder, or a filler, is at it. Deltas are deleted and rows upserted in one order, so
-- that two folders cannot deadlock.
CREATE OR REPLACE FUNCTION fold_deltas(company uuid, most integer) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    rev bigint;
BEGIN
    SELECT revision + 1 INTO rev FROM kpi_head WHERE tenant_id = company FOR UPDATE SKIP LOCKED;
    IF NOT FOUND THEN
        RETURN NULL;
    END IF;
    WITH taken AS (
        DELETE FROM kpi_delta d WHERE d.tenant_id = company AND d.id IN (
            SELECT id FROM kpi_delta WHERE tenant_id = company ORDER BY id LIMIT most)
        RETURNING d.*
    ), moved AS (
        SELECT t.cube, t.day, CASE WHEN coalesce(k.keep1, true) THEN t.dim1 ELSE '' END AS dim1,
               CASE WHEN coalesce(k.keep2, true) THEN t.dim2 ELSE '' END AS dim2,
               CASE WHEN coalesce(k.keep3, true) THEN t.dim3 ELSE '' END AS dim3,
               t.currency, t.count, t.sum1, t.sum2
        FROM taken t LEFT JOIN kept_dimensions() k ON k.cube = t.cube
        UNION ALL
        SELECT 'slice:' || s.id, t.day, t.dim1, CASE WHEN s.keep2 THEN t.dim2 ELSE '' END,
               CASE WHEN s.keep3 THEN t.dim3 ELSE '' END, t.currency, t.count, t.sum1, t.sum2
        FROM taken t JOIN kpi_slice s ON s.tenant_id = company AND s.cube = t.cube AND s.state <> 'retired'
            AND t.day <= s.filled_to AND slice_takes(s, t.dim1, t.dim2, t.dim3)
    ), net AS (
        SELECT cube, day, dim1, dim2, dim3, currency,
               sum(count)::bigint AS count, sum(sum1)::bigint AS sum1, sum(sum2)::bigint AS sum2
        FROM moved GROUP BY 1, 2, 3, 4, 5, 6 ORDER BY 1, 2, 3, 4, 5, 6
    )
    INSERT INTO kpi_rollup AS r
        SELECT company, cube, day, dim1, dim2, dim3, currency, count, sum1, sum2, rev FROM net
    ON CONFLICT (tenant_id, cube, day, dim1, dim2, dim3, currency) DO UPDATE
        SET count = r.count + excluded.count, sum1 = r.sum1 + excluded.sum1, sum2 = r.sum2 + excluded.sum2,
            revision = excluded.revision;
    IF NOT FOUND THEN
        RETURN 0;
    END IF;
    UPDATE kpi_head SET revision = rev WHERE tenant_id = company;
    RETURN rev;
END $$;

-- Fills the next days of a slice, about `most` facts of them. 'busy': a folder or another filler is at the company;
-- 'more': there are days left; 'filled': there are none.
--
-- A business transaction commits its facts together with its deltas, so in every snapshot the cube's rollup and what is
-- pending add up to the facts. The head's lock keeps folders out. The one statement that inserts has one snapshot: it takes
-- the facts of these days without what is pending of them, and from then on the folder brings what is pending, now and
-- later, for the days are within the frontier. A day on which the cube's rollup has nothing has, without what is pending,
-- no facts: so the rollup tells which days there are.
CREATE FUNCTION fill_slice(company uuid, slice uuid, most bigint) RETURNS text
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    last_day CONSTANT date := '9999-12-31';
    s        kpi_slice;
    rev      bigint;
    upto     date := last_day;
    chunk    bigint := 0;
    reached  date;
    a_day    record;
BEGIN
    PERFORM set_config('app.tenant_id', company::text, true);
    SELECT revision INTO rev FROM kpi_head WHERE tenant_id = company FOR UPDATE SKIP LOCKED;
    IF NOT FOUND THEN
        RETURN 'busy';
    END IF;
    -- A statement of its own: what the former holder of the lock has done is seen.
    SELECT * INTO s FROM kpi_slice WHERE tenant_id = company AND id = slice FOR UPDATE;
    IF NOT FOUND OR s.state <> 'filling' OR s.filled_to = last_day THEN
        RETURN 'filled';
    END IF;
    IF s.facts_total IS NULL THEN
        SELECT coalesce(sum(greatest(abs(r.count), 1)), 0) INTO s.facts_total
        FROM kpi_rollup r WHERE r.tenant_id = company AND r.cube = s.cube;
    END IF;
    FOR a_day IN
        SELECT r.day, sum(greatest(abs(r.count), 1))::bigint AS facts FROM kpi_rollup r
        WHERE r.tenant_id = company AND r.cube = s.cube AND r.day > s.filled_to GROUP BY r.day ORDER BY r.day
    LOOP
        IF chunk > 0 AND chunk + a_day.facts > most THEN
            upto := reached;
            EXIT;
        END IF;
        chunk := chunk + a_day.facts;
        reached := a_day.day;
    END LOOP;
    INSERT INTO kpi_rollup (tenant_id, cube, day, dim1, dim2, dim3, currency, count, sum1, sum2, revision)
    SELECT company, 'slice:' || s.id, f.day, f.dim1, CASE WHEN s.keep2 THEN f.dim2 ELSE '' END,
           CASE WHEN s.keep3 THEN f.dim3 ELSE '' END, f.currency, sum(f.count), sum(f.sum1), sum(f.sum2), rev
    FROM (
        SELECT day, dim1, dim2, dim3, currency, count, sum1, sum2 FROM cube_facts(s.cube, s.filled_to + 1, upto)
        UNION ALL
        SELECT d.day, d.dim1, d.dim2, d.dim3, d.currency, -d.count, -d.sum1, -d.sum2 FROM kpi_delta d
        WHERE d.tenant_id = company AND d.cube = s.cube AND d.day > s.filled_to AND d.day <= upto
    ) AS f
    WHERE slice_takes(s, f.dim1, f.dim2, f.dim3)
    GROUP BY 3, 4, 5, 6, 7
    HAVING (sum(f.count), sum(f.sum1), sum(f.sum2)) <> (0, 0, 0);
    UPDATE kpi_slice SET filled_to = upto, facts_total = s.facts_total, facts_done = facts_done + chunk
    WHERE tenant_id = company AND id = slice;
    RETURN CASE WHEN upto = last_day THEN 'filled' ELSE 'more' END;
END $$;

-- Lets a version that is filled be what its definition measures, from here on: one change of one row, which its version
-- tells the company's revision of. false: it is not filled, or not wanted any more.
CREATE FUNCTION switch_kpi_version(kpi uuid, to_version integer, moment timestamptz, actor text) RETURNS boolean
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    company uuid := app_tenant();
    v       kpi_definition_version;
BEGIN
    PERFORM FROM kpi_definition WHERE tenant_id = company AND id = kpi AND archived_at IS NULL FOR NO KEY UPDATE;
    IF NOT FOUND THEN
        RETURN false;
    END IF;
    SELECT * INTO v FROM kpi_definition_version
        WHERE tenant_id = company AND kpi_id = kpi AND spec_version = to_version AND state = 'filling' FOR NO KEY UPDATE;
    IF NOT FOUND OR EXISTS (SELECT FROM kpi_slice WHERE tenant_id = company AND kpi_id = kpi
            AND spec_version = to_version AND filled_to < '9999-12-31') THEN
        RETURN false;
    END IF;
    UPDATE kpi_definition_version SET state = 'replaced', ended_at = moment
        WHERE tenant_id = company AND kpi_id = kpi AND state = 'live';
    UPDATE kpi_definition_version SET state = 'live', live_at = moment
        WHERE tenant_id = company AND kpi_id = kpi AND spec_version = to_version;
    UPDATE kpi_slice SET state = CASE WHEN spec_version = to_version THEN 'live' ELSE 'retired' END
        WHERE tenant_id = company AND kpi_id = kpi AND state <> 'retired';
    UPDATE kpi_definition SET cube = v.cube, measure = v.measure, parameters = v.parameters, unit = v.unit,
            spec_version = to_version,
            slice = (SELECT id FROM kpi_slice WHERE tenant_id = company AND kpi_id = kpi
                         AND spec_version = to_version AND part = 1),
            over_slice = (SELECT id FROM kpi_slice WHERE tenant_id = company AND kpi_id = kpi
                              AND spec_version = to_version AND part = 2),
            version = version + 1, updated_at = moment, updated_by = actor
        WHERE tenant_id = company AND id = kpi;
    RETURN true;
END $$;

-- Ends a version that is being filled, or the live one of a definition that is archived: its slices are retired. false: it
-- was neither.
CREATE FUNCTION end_kpi_version(kpi uuid, of_version integer, how text, moment timestamptz) RETURNS boolean
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    company uuid := app_tenant();
BEGIN
    IF how NOT IN ('replaced', 'failed', 'withdrawn') THEN
        RAISE EXCEPTION 'a version does not end as %', how USING ERRCODE = 'CO002';
    END IF;
    UPDATE kpi_definition_version v SET state = how, ended_at = moment
        WHERE v.tenant_id = company AND v.kpi_id = kpi AND v.spec_version = of_version AND (v.state = 'filling' OR
            v.state = 'live' AND EXISTS (SELECT FROM kpi_definition d
                WHERE d.tenant_id = company AND d.id = kpi AND d.archived_at IS NOT NULL));
    IF NOT FOUND THEN
        RETURN false;
    END IF;
    UPDATE kpi_slice SET state = 'retired' WHERE tenant_id = company AND kpi_id = kpi AND spec_version = of_version;
    RETURN true;
END $$;

-- Deletes some of the cells of a retired slice, and itself when none are left. How many cells it deleted; NULL if the
-- company is busy. Under the head's lock no folder can still be bringing cells.
CREATE FUNCTION sweep_slice(company uuid, slice uuid, most integer) RETURNS integer
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    swept integer;
BEGIN
    PERFORM set_config('app.tenant_id', company::text, true);
    PERFORM FROM kpi_head WHERE tenant_id = company FOR UPDATE SKIP LOCKED;
    IF NOT FOUND THEN
        RETURN NULL;
    END IF;
    PERFORM FROM kpi_slice WHERE tenant_id = company AND id = slice AND state = 'retired';
    IF NOT FOUND THEN
        RETURN 0;
    END IF;
    WITH picked AS (
        SELECT day, dim1, dim2, dim3, currency FROM kpi_rollup
        WHERE tenant_id = company AND cube = 'slice:' || slice LIMIT most)
    DELETE FROM kpi_rollup r USING picked p
    WHERE r.tenant_id = company AND r.cube = 'slice:' || slice
        AND (r.day, r.dim1, r.dim2, r.dim3, r.currency) = (p.day, p.dim1, p.dim2, p.dim3, p.currency);
    GET DIAGNOSTICS swept = ROW_COUNT;
    IF swept < most THEN
        DELETE FROM kpi_slice WHERE tenant_id = company AND id = slice;
    END IF;
    RETURN swept;
END $$;

-- Says that a version cannot be filled: its cells are no numbers that we can keep.
CREATE FUNCTION fail_kpi_version(company uuid, kpi uuid, of_version integer, moment timestamptz) RETURNS boolean
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    PERFORM set_config('app.tenant_id', company::text, true);
    RETURN end_kpi_version(kpi, of_version, 'failed', moment);
END $$;

REVOKE EXECUTE ON FUNCTION fill_slice(uuid, uuid, bigint), switch_kpi_version(uuid, integer, timestamptz, text),
    end_kpi_version(uuid, integer, text, timestamptz), sweep_slice(uuid, uuid, integer),
    fail_kpi_version(uuid, uuid, integer, timestamptz) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION fill_slice(uuid, uuid, bigint), sweep_slice(uuid, uuid, integer),
    fail_kpi_version(uuid, uuid, integer, timestamptz) TO coulisse_worker;
GRANT EXECUTE ON FUNCTION switch_kpi_version(uuid, integer, timestamptz, text),
    end_kpi_version(uuid, integer, text, timestamptz) TO coulisse_server;

-- One of the lists of a slot's conditions, as the server sends them; NULL when there is none.
CREATE FUNCTION values_of(lists jsonb, place integer) RETURNS text[] LANGUAGE sql IMMUTABLE AS $$
    SELECT CASE WHEN jsonb_typeof(lists -> place) = 'array'
        THEN ARRAY(SELECT jsonb_array_elements_text(lists -> place)) END
$$;
