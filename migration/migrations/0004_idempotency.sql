-- One effect for one key, see kernel/src/idempotency.rs. Kept for 24 hours.
CREATE TABLE idempotency_record (
    tenant_id  uuid NOT NULL,
    client     text NOT NULL,
    key        text NOT NULL CHECK (length(key) BETWEEN 1 AND 255),
    path       text NOT NULL,
    input      bytea NOT NULL,
    -- NULL only while its transaction runs: a committed claim has an outcome.
    outcome    jsonb,
    created_at timestamptz NOT NULL,
    PRIMARY KEY (tenant_id, client, key, path)
);
SELECT wall_company_table('idempotency_record', 'SELECT, INSERT, UPDATE, DELETE');
CREATE INDEX idempotency_record_age ON idempotency_record (created_at);

-- Claims a key. A twin's uncommitted claim is waited for, two seconds at most (SQLSTATE 55P03 after that).
CREATE FUNCTION claim_idempotency_key(
    for_client text, for_key text, for_path text, for_input bytea, now_at timestamptz,
    OUT state text, OUT outcome jsonb
) LANGUAGE plpgsql SET lock_timeout = '2s' AS $$
DECLARE
    found_row idempotency_record;
BEGIN
    DELETE FROM idempotency_record r
        WHERE r.client = for_client AND r.key = for_key AND r.path = for_path
          AND r.created_at < now_at - interval '24 hours';
    INSERT INTO idempotency_record (tenant_id, client, key, path, input, created_at)
        VALUES (app_tenant(), for_client, for_key, for_path, for_input, now_at)
        ON CONFLICT DO NOTHING;
    IF FOUND THEN
        state := 'fresh';
        RETURN;
    END IF;
    SELECT * INTO found_row FROM idempotency_record r
        WHERE r.client = for_client AND r.key = for_key AND r.path = for_path;
    state := CASE WHEN found_row.input = for_input THEN 'replay' ELSE 'other input' END;
    outcome := found_row.outcome;
END $$;

-- What is older than a day is forgotten; the worker can touch nothing younger.
GRANT SELECT, DELETE ON idempotency_record TO coulisse_worker;
CREATE POLICY forget ON idempotency_record TO coulisse_worker USING (created_at < now() - interval '24 hours');
