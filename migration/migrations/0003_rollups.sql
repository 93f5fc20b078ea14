-- Figures kept by deltas: triggers insert, a folder adds up, a value is the rollup plus what is pending.
-- Only additive states live here: a count and two sums, per cube, day, three free dimensions and a currency.

CREATE TABLE kpi_delta (
    tenant_id uuid NOT NULL,
    id        bigint GENERATED ALWAYS AS IDENTITY,
    cube      text NOT NULL,
    day       date NOT NULL,
    dim1      text NOT NULL DEFAULT '',
    dim2      text NOT NULL DEFAULT '',
    dim3      text NOT NULL DEFAULT '',
    currency  text NOT NULL DEFAULT '',
    count     bigint NOT NULL DEFAULT 0,
    sum1      bigint NOT NULL DEFAULT 0,
    sum2      bigint NOT NULL DEFAULT 0,
    PRIMARY KEY (tenant_id, id)
);
SELECT wall_company_table('kpi_delta', 'SELECT');

CREATE TABLE kpi_rollup (
    tenant_id uuid NOT NULL,
    cube      text NOT NULL,
    day       date NOT NULL,
    dim1      text NOT NULL,
    dim2      text NOT NULL,
    dim3      text NOT NULL,
    currency  text NOT NULL,
    count     bigint NOT NULL,
    sum1      bigint NOT NULL,
    sum2      bigint NOT NULL,
    -- The company's revision at which this row last changed.
    revision  bigint NOT NULL,
    PRIMARY KEY (tenant_id, cube, day, dim1, dim2, dim3, currency)
);
SELECT wall_company_table('kpi_rollup', 'SELECT');

-- A company's revision: it grows by one whenever its rollups changed, or its local midnight passed.
CREATE TABLE kpi_head (
    tenant_id       uuid NOT NULL PRIMARY KEY,
    revision        bigint NOT NULL DEFAULT 0,
    -- The company's calendar day of the last tick, and the revision that the tick gave.
    ticked_on       date,
    ticked_revision bigint NOT NULL DEFAULT 0,
    zone            text NOT NULL
);
SELECT wall_company_table('kpi_head', 'SELECT, INSERT');
GRANT UPDATE (zone) ON kpi_head TO coulisse_server;

GRANT SELECT, DELETE ON kpi_delta TO coulisse_worker;
GRANT SELECT, INSERT, UPDATE ON kpi_rollup TO coulisse_worker;
GRANT SELECT, UPDATE ON kpi_head TO coulisse_worker;
CREATE POLICY worker ON kpi_delta TO coulisse_worker USING (true);
CREATE POLICY worker ON kpi_rollup TO coulisse_worker USING (true) WITH CHECK (true);
CREATE POLICY worker ON kpi_head TO coulisse_worker USING (true);

-- Folds what is pending of one company. The new revision, 0 if there was nothing, NULL if another folder is at it.
-- Deltas are deleted and rows upserted in one order, so that two folders cannot deadlock.
CREATE FUNCTION fold_deltas(company uuid, most integer) RETURNS bigint LANGUAGE plpgsql AS $$
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
    ), net AS (
        SELECT cube, day, dim1, dim2, dim3, currency,
               sum(count)::bigint AS count, sum(sum1)::bigint AS sum1, sum(sum2)::bigint AS sum2
        FROM taken GROUP BY 1, 2, 3, 4, 5, 6 ORDER BY 1, 2, 3, 4, 5, 6
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

-- Says that the company's midnight passed: figures that depend on today's date are due anew.
-- The new revision, or 0 if the company already ticked on that day.
CREATE FUNCTION tick_day(company uuid, today date) RETURNS bigint LANGUAGE sql AS $$
    WITH ticked AS (
        UPDATE kpi_head SET revision = revision + 1, ticked_on = today, ticked_revision = revision + 1
        WHERE tenant_id = company AND ticked_on IS DISTINCT FROM today RETURNING revision)
    SELECT coalesce((SELECT revision FROM ticked), 0)
$$;
REVOKE EXECUTE ON FUNCTION fold_deltas(uuid, integer), tick_day(uuid, date) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION fold_deltas(uuid, integer), tick_day(uuid, date) TO coulisse_worker;
