-- What a company measures: which cube a figure is read from, how, and what it aims at.

CREATE TABLE kpi_definition (
    tenant_id      uuid NOT NULL,
    id             uuid NOT NULL,
    -- Stable name in the API, e.g. revenue_month.
    key            text NOT NULL CHECK (key ~ '^[a-z][a-z0-9_]{0,59}$'),
    label_fr       text NOT NULL CHECK (length(label_fr) BETWEEN 1 AND 100),
    label_en       text NOT NULL CHECK (length(label_en) BETWEEN 1 AND 100),
    description_fr text NOT NULL CHECK (length(description_fr) <= 1000),
    description_en text NOT NULL CHECK (length(description_en) <= 1000),
    -- kpi_rollup.cube
    cube           text NOT NULL,
    -- How the cube's cells become the figure; see kpi::spec::Measure.
    measure        text NOT NULL CHECK (measure IN ('sum', 'count', 'mean', 'percentile', 'share')),
    -- Window, dimension filter, and what the measure needs beside; see kpi::spec::Spec.
    parameters     jsonb NOT NULL,
    unit           text NOT NULL CHECK (unit IN ('money', 'count', 'duration', 'ratio', 'score')),
    -- Which way is better.
    direction      text NOT NULL CHECK (direction IN ('up', 'down')),
    -- In the unit: company currency, number, milliseconds, share of 1, score.
    target         numeric,
    version        integer NOT NULL DEFAULT 1,
    created_at     timestamptz NOT NULL,
    created_by     text NOT NULL,
    updated_at     timestamptz NOT NULL,
    updated_by     text NOT NULL,
    archived_at    timestamptz,
    PRIMARY KEY (tenant_id, id),
    UNIQUE (tenant_id, key)
);
SELECT wall_company_table('kpi_definition', 'SELECT, INSERT');
-- What a figure is never changes under its key; its names and its target do.
GRANT UPDATE (label_fr, label_en, target, version, updated_at, updated_by) ON kpi_definition TO coulisse_server;

-- kpi.definition: the version of each definition. With it a changed target moves the company's revision like any
-- other change, and whoever follows the figures is told.
CREATE FUNCTION kpi_definition_facts(d kpi_definition)
    RETURNS TABLE (cube text, day date, dim1 text, currency text, count bigint, sum1 bigint, sum2 bigint)
    LANGUAGE sql IMMUTABLE AS $$
    SELECT 'kpi.definition', (d.created_at AT TIME ZONE 'UTC')::date, d.key, '', d.version::bigint, 0::bigint, 0::bigint
$$;
SELECT keep_cubes('kpi_definition');
