-- The walls between companies. Every company table is built by `wall_company_table`, so none can forget one.

CREATE EXTENSION IF NOT EXISTS btree_gist;

REVOKE ALL ON SCHEMA public FROM PUBLIC;
GRANT USAGE ON SCHEMA public TO coulisse_server, coulisse_worker;

-- The company of this transaction. After a `SET LOCAL` the setting is '' and not unset: both mean "no scope",
-- and a query without a scope fails; it does not return everything, nor silently nothing. The first statement that
-- The company is pinned in the round trip of the BEGIN: it cannot be another one later in the same transaction.
CREATE FUNCTION app_tenant() RETURNS uuid LANGUAGE plpgsql STABLE PARALLEL SAFE AS $$
DECLARE
    setting text := current_setting('app.tenant_id', true);
    pinned  text := current_setting('app.pinned_tenant_id', true);
BEGIN
    IF setting IS NULL OR setting = '' THEN
        RAISE EXCEPTION 'no company scope is open' USING ERRCODE = 'CO001',
            HINT = 'open a Scope and run the statement in its transaction';
    END IF;
    IF pinned <> '' AND pinned <> setting THEN
        RAISE EXCEPTION 'the company of a transaction cannot change' USING ERRCODE = 'CO003';
    END IF;
    RETURN setting::uuid;
END $$;

-- Puts the walls around a company table: forced policies, the one policy text, the server's grants.
-- It refuses a table whose primary key or foreign or unique keys do not start with the company.
-- verbs: what the server's role may do, e.g. 'SELECT, INSERT'.
CREATE FUNCTION wall_company_table(target regclass, verbs text) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    tenant smallint := (SELECT attnum FROM pg_attribute
        WHERE attrelid = target AND attname = 'tenant_id' AND attnotnull AND atttypid = 'uuid'::regtype);
    wrong text;
BEGIN
    IF tenant IS NULL THEN
        RAISE EXCEPTION '% has no column tenant_id uuid NOT NULL', target;
    END IF;
    SELECT string_agg(conname, ', ') INTO wrong FROM pg_constraint
        WHERE conrelid = target AND contype IN ('p', 'u', 'f', 'x') AND conkey[1] <> tenant;
    IF wrong IS NOT NULL OR NOT EXISTS (SELECT FROM pg_constraint WHERE conrelid = target AND contype = 'p') THEN
        RAISE EXCEPTION '%: keys must start with tenant_id (%)', target, coalesce(wrong, 'no primary key');
    END IF;
    EXECUTE format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY', target);
    EXECUTE format('ALTER TABLE %s FORCE ROW LEVEL SECURITY', target);
    EXECUTE format('CREATE POLICY company ON %s TO coulisse_server, coulisse_owner
        USING (tenant_id = (SELECT app_tenant())) WITH CHECK (tenant_id = (SELECT app_tenant()))', target);
    EXECUTE format('GRANT %s ON %s TO coulisse_server', verbs, target);
END $$;

-- Refuses what the triggers named `frozen…` stand on. Arguments: the message.
CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '%', TG_ARGV[0] USING ERRCODE = 'CO002';
END $$;
