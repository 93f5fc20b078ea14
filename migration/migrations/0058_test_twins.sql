-- Test twins: their rows tell what they are by their ids, and a twin stays what it is.

-- Whether an id is of a test twin's row: those are UUIDs of version 8, all others are of version 7.
CREATE FUNCTION is_test_id(id uuid) RETURNS boolean LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN get_byte(uuid_send(id), 6) >> 4 = 8;

-- A row's id is of the kind of its company's. Nothing is looked up for it: the company's own id tells.
DO $$
DECLARE
    target regclass;
BEGIN
    FOR target IN
        SELECT c.oid FROM pg_class c
        JOIN pg_policy p ON p.polrelid = c.oid AND p.polname = 'company'
        JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'id' AND a.atttypid = 'uuid'::regtype
    LOOP
        EXECUTE format('ALTER TABLE %s ADD CONSTRAINT id_of_mode CHECK (is_test_id(id) = is_test_id(tenant_id))', target);
    END LOOP;
END $$;

-- As in migration 1, and the ids as above.
CREATE OR REPLACE FUNCTION wall_company_table(target regclass, verbs text) RETURNS void LANGUAGE plpgsql AS $$
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
    IF EXISTS (SELECT FROM pg_attribute
        WHERE attrelid = target AND attname = 'id' AND atttypid = 'uuid'::regtype) THEN
        EXECUTE format('ALTER TABLE %s ADD CONSTRAINT id_of_mode CHECK (is_test_id(id) = is_test_id(tenant_id))', target);
    END IF;
END $$;

-- A twin says of which company, and its own id says that it is one. A live company's twin has such an id too.
ALTER TABLE company
    ADD CONSTRAINT twin_of_mode CHECK (
        (mode = 'test') = is_test_id(id)
        AND (mode = 'live' OR twin_id IS NOT NULL)
        AND (twin_id IS NULL OR is_test_id(twin_id) = (mode = 'live')));

CREATE TRIGGER frozen_twin BEFORE UPDATE OF mode, twin_id ON company
    FOR EACH ROW WHEN (OLD.mode <> NEW.mode OR OLD.twin_id IS NOT NULL AND OLD.twin_id IS DISTINCT FROM NEW.twin_id)
    EXECUTE FUNCTION refuse_change('a company stays live or a test twin, and keeps its twin');
ALTER TABLE company ENABLE ALWAYS TRIGGER frozen_twin;
