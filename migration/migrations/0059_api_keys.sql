-- Keys that are rotated and handed over: until when the replaced secret is good, and who has stood behind a key.

ALTER TABLE api_key
    ADD COLUMN old_secret_good_until timestamptz,
    -- Everybody who made it, was shown a secret of it or was responsible for it: what it does counts as done by them where
    -- another person is asked for.
    ADD COLUMN people_ids uuid[] NOT NULL DEFAULT '{}';
GRANT UPDATE (old_secret_good_until, people_ids) ON api_key TO coulisse_server;

DO $$
DECLARE
    company_id uuid;
BEGIN
    FOR company_id IN SELECT tenant_id FROM company LOOP
        PERFORM set_config('app.tenant_id', company_id::text, true);
        UPDATE api_key SET people_ids = ARRAY[responsible_id] WHERE responsible_id IS NOT NULL;
    END LOOP;
    PERFORM set_config('app.tenant_id', '', true);
END $$;
