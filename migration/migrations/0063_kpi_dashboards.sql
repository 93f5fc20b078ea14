-- Dashboards: which figures are shown, and where. And links by which outsiders see one.

CREATE TABLE dashboard (
    tenant_id   uuid NOT NULL,
    id          uuid NOT NULL,
    title       text NOT NULL CHECK (length(title) BETWEEN 1 AND 100),
    -- Everybody's who may read figures, or its owner's alone.
    shared      boolean NOT NULL,
    -- The one that is shown first. Every company has one.
    is_default  boolean NOT NULL DEFAULT false,
    -- None for what the service itself laid.
    owner_id    uuid,
    -- Its tiles; see kpi::dashboard::Tile.
    layout      jsonb NOT NULL CHECK (jsonb_typeof(layout) = 'array' AND jsonb_array_length(layout) <= 40),
    version     integer NOT NULL DEFAULT 1,
    created_at  timestamptz NOT NULL,
    created_by  text NOT NULL,
    updated_at  timestamptz NOT NULL,
    updated_by  text NOT NULL,
    archived_at timestamptz,
    PRIMARY KEY (tenant_id, id),
    FOREIGN KEY (tenant_id, owner_id) REFERENCES membership (tenant_id, id),
    CHECK (shared OR owner_id IS NOT NULL),
    CHECK (NOT is_default OR (shared AND archived_at IS NULL))
);
CREATE UNIQUE INDEX dashboard_default ON dashboard (tenant_id) WHERE is_default;
SELECT wall_company_table('dashboard', 'SELECT, INSERT');
GRANT UPDATE (title, shared, owner_id, layout, version, updated_at, updated_by, archived_at) ON dashboard TO coulisse_server;

-- A link that shows one dashboard to whoever has it, until it expires or is revoked. What it shows never changes but with
-- the dashboard: another filter is another link.
CREATE TABLE embed_link (
    tenant_id    uuid NOT NULL,
    id           uuid NOT NULL,
    dashboard_id uuid NOT NULL,
    -- SHA-256 of the token, which is shown once.
    token_hash   bytea NOT NULL CHECK (length(token_hash) = 32),
    -- What it shows is narrowed to: [{"dimension": …, "any_of": […]}].
    filters      jsonb NOT NULL CHECK (jsonb_typeof(filters) = 'array'),
    expires_at   timestamptz NOT NULL,
    revoked_at   timestamptz,
    revoked_by   text,
    created_at   timestamptz NOT NULL,
    created_by   text NOT NULL,
    PRIMARY KEY (tenant_id, id),
    FOREIGN KEY (tenant_id, dashboard_id) REFERENCES dashboard (tenant_id, id),
    CHECK (expires_at <= created_at + interval '366 days'),
    CHECK ((revoked_at IS NULL) = (revoked_by IS NULL))
);
CREATE INDEX embed_link_token ON embed_link (token_hash);
CREATE INDEX embed_link_dashboard ON embed_link (tenant_id, dashboard_id, id);
SELECT wall_company_table('embed_link', 'SELECT, INSERT');
GRANT UPDATE (revoked_at, revoked_by) ON embed_link TO coulisse_server;
CREATE TRIGGER frozen_revoked BEFORE UPDATE ON embed_link
    FOR EACH ROW WHEN (OLD.revoked_at IS NOT NULL) EXECUTE FUNCTION refuse_change('a revoked link stays revoked');
ALTER TABLE embed_link ENABLE ALWAYS TRIGGER frozen_revoked;
CREATE POLICY directory ON embed_link FOR SELECT TO coulisse_owner USING (true);

-- The company of a link's token, by its hash. Whether the link is good is asked in the company.
CREATE FUNCTION embed_link_company(hash bytea) RETURNS uuid
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT l.tenant_id FROM embed_link l WHERE l.token_hash = hash LIMIT 1
$$;
REVOKE EXECUTE ON FUNCTION embed_link_company(bytea) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION embed_link_company(bytea) TO coulisse_server;

-- What every company's first dashboard shows.
CREATE FUNCTION default_dashboard_layout() RETURNS jsonb LANGUAGE sql IMMUTABLE AS $$
    SELECT jsonb_agg(jsonb_build_object('id', key, 'kpi_key', key, 'x', x, 'y', y, 'width', width, 'height', height,
                                        'view', view) ORDER BY y, x)
    FROM (VALUES ('revenue_month', 0, 0, 6, 3, 'trend'), ('cash_received_month', 6, 0, 6, 3, 'trend'),
                 ('receivables_open', 0, 3, 3, 2, 'number'), ('receivables_overdue', 3, 3, 3, 2, 'number'),
                 ('payables_open', 6, 3, 3, 2, 'number'), ('bills_waiting', 9, 3, 3, 2, 'number'),
                 ('approval_time_mean', 0, 5, 3, 2, 'number'), ('approval_time_p90', 3, 5, 3, 2, 'number'),
                 ('bill_error_rate', 6, 5, 3, 2, 'number'), ('satisfaction_mean', 9, 5, 3, 2, 'number'))
         AS tile (key, x, y, width, height, view)
$$;

DO $$
DECLARE
    company_row record;
    bytes bytea;
BEGIN
    FOR company_row IN SELECT tenant_id, locale, mode FROM company LOOP
        PERFORM set_config('app.tenant_id', company_row.tenant_id::text, true);
        -- A UUIDv7, or a test twin's UUIDv8: milliseconds since 1970, then chance.
        bytes := overlay(uuid_send(gen_random_uuid()) PLACING substring(
            int8send((extract(epoch FROM clock_timestamp()) * 1000)::bigint) FROM 3) FROM 1 FOR 6);
        bytes := set_byte(bytes, 6, (get_byte(bytes, 6) & 15) | CASE company_row.mode WHEN 'test' THEN 128 ELSE 112 END);
        INSERT INTO dashboard (tenant_id, id, title, shared, is_default, layout, created_at, created_by, updated_at, updated_by)
        VALUES (company_row.tenant_id, encode(bytes, 'hex')::uuid,
                CASE company_row.locale WHEN 'fr' THEN 'Tableau de bord' ELSE 'Dashboard' END,
                true, true, default_dashboard_layout(), now(), 'system', now(), 'system');
    END LOOP;
    PERFORM set_config('app.tenant_id', '', true);
END $$;
