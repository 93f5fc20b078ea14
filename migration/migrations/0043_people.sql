-- People, roles and keys as companies control them: proved addresses, devices, roles as data, keys with networks; and
-- word to every replica that somebody's access has changed.

-- Whoever signs up says an address and proves it later. Several people may say the same one; one may prove it. So signing
-- up tells nobody whether an address has an account. Who could sign in by an address so far goes on doing so.
ALTER TABLE person
    DROP CONSTRAINT person_email_key,
    ADD COLUMN email_verified_at timestamptz,
    -- Since when the operator keeps this person out of every company.
    ADD COLUMN disabled_at timestamptz;
UPDATE person SET email_verified_at = created_at;
CREATE UNIQUE INDEX person_proved_email ON person (email) WHERE email_verified_at IS NOT NULL;
CREATE INDEX person_email ON person (email);

-- A short password (8 to 14 characters) is good beside a second factor only.
ALTER TABLE credential ADD COLUMN short boolean NOT NULL DEFAULT false;

-- A device on which a person has signed in, known again by a secret of its own.
CREATE TABLE device (
    id           uuid PRIMARY KEY,
    person_id    uuid NOT NULL REFERENCES person,
    token_hash   bytea NOT NULL UNIQUE,
    agent        text,
    address      text,
    created_at   timestamptz NOT NULL,
    last_seen_at timestamptz NOT NULL
);
CREATE INDEX device_person ON device (person_id);
GRANT SELECT, INSERT, DELETE ON device TO coulisse_server;
GRANT UPDATE (agent, address, last_seen_at) ON device TO coulisse_server;

-- What the person has shown when the session was opened: NIST SP 800-63B-4, levels 1 and 2.
ALTER TABLE session
    ADD COLUMN assurance text NOT NULL DEFAULT 'password' CHECK (assurance IN ('password', 'second_factor')),
    ADD COLUMN device_id uuid REFERENCES device ON DELETE SET NULL,
    -- When it was shown: a session that is opened from another keeps the other's time, and its end.
    ADD COLUMN authenticated_at timestamptz;
UPDATE session SET authenticated_at = created_at;
ALTER TABLE session ALTER COLUMN authenticated_at SET NOT NULL;

-- Single-use, short-lived secrets: links in letters, the second step of a sign-in, the state of a ceremony.
CREATE TABLE proof (
    hash       bytea PRIMARY KEY,
    purpose    text NOT NULL,
    person_id  uuid REFERENCES person,
    email      text,
    data       jsonb NOT NULL,
    created_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    used_at    timestamptz
);
CREATE INDEX proof_person ON proof (person_id, purpose);
CREATE INDEX proof_expiry ON proof (expires_at);
GRANT SELECT, INSERT, DELETE ON proof TO coulisse_server;
GRANT UPDATE (data, used_at) ON proof TO coulisse_server;

-- Roles as data. The built-in ones stand in the code, which knows their permissions and their names in each language.
CREATE TABLE role (
    tenant_id   uuid NOT NULL,
    id          uuid NOT NULL,
    key         text NOT NULL CHECK (key ~ '^[a-z][a-z0-9_]{0,39}$'),
    built_in    boolean NOT NULL,
    name        text CHECK (length(name) BETWEEN 1 AND 100),
    description text CHECK (length(description) <= 500),
    permissions text[],
    version     integer NOT NULL DEFAULT 1,
    created_at  timestamptz NOT NULL,
    created_by  text NOT NULL,
    updated_at  timestamptz NOT NULL,
    updated_by  text NOT NULL,
    archived_at timestamptz,
    PRIMARY KEY (tenant_id, id),
    UNIQUE (tenant_id, key),
    CHECK (built_in = (name IS NULL) AND built_in = (permissions IS NULL)),
    CHECK (NOT built_in OR archived_at IS NULL)
);
SELECT wall_company_table('role', 'SELECT, INSERT');
-- A key means one role for ever: memberships and events name it.
GRANT UPDATE (name, description, permissions, version, updated_at, updated_by, archived_at) ON role TO coulisse_server;
CREATE POLICY directory ON role FOR SELECT TO coulisse_owner USING (true);

-- A member who is suspended keeps the place and loses the access.
ALTER TABLE membership ADD COLUMN suspended_at timestamptz;
GRANT UPDATE (suspended_at) ON membership TO coulisse_server;

ALTER TABLE company
    -- Since when who has no second factor is kept out, but for enrolling one; before, it is the time of grace.
    ADD COLUMN second_factor_from timestamptz,
    -- Whether a change of rights must be approved by another owner than who asks for it.
    ADD COLUMN rights_four_eyes boolean NOT NULL DEFAULT false;
GRANT UPDATE (twin_id, second_factor_from, rights_four_eyes) ON company TO coulisse_server;

ALTER TABLE api_key
    -- The networks (CIDR) that it may come from; none for any.
    ADD COLUMN networks text[] NOT NULL DEFAULT '{}',
    -- The person whose rights bound the key's, and with whose leaving it ends.
    ADD COLUMN responsible_id uuid,
    ADD COLUMN rotated_at timestamptz;
GRANT UPDATE (name, networks, expires_at, responsible_id, rotated_at, hint) ON api_key TO coulisse_server;
ALTER TABLE api_key_hash
    -- Until when a secret that was replaced stays good.
    ADD COLUMN good_until timestamptz,
    ADD COLUMN created_at timestamptz NOT NULL DEFAULT now();
GRANT UPDATE (good_until) ON api_key_hash TO coulisse_server;
CREATE INDEX api_key_hash_key ON api_key_hash (tenant_id, api_key_id);

-- The built-in roles of the companies that are here already, and who is responsible for their keys.
DO $$
DECLARE
    company_id uuid;
    builtin text;
    bytes bytea;
BEGIN
    FOR company_id IN SELECT tenant_id FROM company LOOP
        PERFORM set_config('app.tenant_id', company_id::text, true);
        FOREACH builtin IN ARRAY ARRAY['owner', 'accountant', 'sales', 'purchaser', 'auditor'] LOOP
            -- A UUIDv7: milliseconds since 1970, then chance.
            bytes := overlay(uuid_send(gen_random_uuid()) PLACING substring(
                int8send((extract(epoch FROM clock_timestamp()) * 1000)::bigint) FROM 3) FROM 1 FOR 6);
            bytes := set_byte(bytes, 6, (get_byte(bytes, 6) & 15) | 112);
            INSERT INTO role (tenant_id, id, key, built_in, created_at, created_by, updated_at, updated_by)
            VALUES (company_id, encode(bytes, 'hex')::uuid, builtin, true, now(), 'system', now(), 'system');
        END LOOP;
        UPDATE api_key SET responsible_id = substring(created_by FROM 8)::uuid WHERE created_by LIKE 'person:%';
    END LOOP;
    PERFORM set_config('app.tenant_id', '', true);
END $$;
ALTER TABLE membership
    DROP CONSTRAINT membership_role_check,
    ADD FOREIGN KEY (tenant_id, role) REFERENCES role (tenant_id, key);

-- That somebody's access has changed: every replica reads the newest rows several times a second, and forgets what it
-- knew. Only inserted here; old rows are swept.
CREATE TABLE access_change (
    id        bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at        timestamptz NOT NULL DEFAULT clock_timestamp(),
    tenant_id uuid,
    person_id uuid
);
CREATE INDEX access_change_at ON access_change (at);
GRANT SELECT ON access_change TO coulisse_server;
GRANT SELECT, DELETE ON access_change TO coulisse_worker;

-- Written by triggers, so that no way to change an access can forget to tell.
CREATE FUNCTION note_access_change() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    changed jsonb := to_jsonb(NEW);
BEGIN
    INSERT INTO access_change (tenant_id, person_id)
    VALUES ((changed ->> 'tenant_id')::uuid, (changed ->> 'person_id')::uuid);
    RETURN NULL;
END $$;
REVOKE EXECUTE ON FUNCTION note_access_change() FROM PUBLIC;

CREATE TRIGGER tell AFTER UPDATE OF revoked_at, expires_at, assurance ON session
    FOR EACH ROW EXECUTE FUNCTION note_access_change();
CREATE TRIGGER tell AFTER UPDATE OF role, archived_at, suspended_at ON membership
    FOR EACH ROW EXECUTE FUNCTION note_access_change();
CREATE TRIGGER tell AFTER UPDATE OF permissions, archived_at ON role
    FOR EACH ROW EXECUTE FUNCTION note_access_change();
CREATE TRIGGER tell AFTER UPDATE OF revoked_at, expires_at, networks, responsible_id ON api_key
    FOR EACH ROW EXECUTE FUNCTION note_access_change();
CREATE TRIGGER tell AFTER UPDATE OF good_until ON api_key_hash
    FOR EACH ROW EXECUTE FUNCTION note_access_change();
CREATE TRIGGER tell AFTER UPDATE OF archived_at, documents_only, second_factor_from ON company
    FOR EACH ROW EXECUTE FUNCTION note_access_change();
CREATE TRIGGER tell AFTER UPDATE OF disabled_at ON person
    FOR EACH ROW EXECUTE FUNCTION note_access_change();

-- Whether a person may act in a company now: a living membership, and in a test twin one of its live company as well.
CREATE FUNCTION may_act(person uuid, company_id uuid) RETURNS boolean
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT EXISTS (
        SELECT FROM company c
        JOIN membership m ON m.tenant_id = c.tenant_id AND m.person_id = person
            AND m.archived_at IS NULL AND m.suspended_at IS NULL
        JOIN person p ON p.id = person AND p.disabled_at IS NULL
        WHERE c.tenant_id = company_id AND c.archived_at IS NULL
          AND (c.mode = 'live' OR EXISTS (
              SELECT FROM membership live WHERE live.tenant_id = c.twin_id AND live.person_id = person
                  AND live.archived_at IS NULL AND live.suspended_at IS NULL)))
$$;

DROP FUNCTION companies_of(uuid);
CREATE FUNCTION companies_of(person uuid)
    RETURNS TABLE (tenant_id uuid, name text, role text, role_name text, mode text)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT c.tenant_id, c.name, m.role, r.name, c.mode
    FROM membership m
    JOIN company c ON c.tenant_id = m.tenant_id
    JOIN role r ON r.tenant_id = m.tenant_id AND r.key = m.role
    WHERE m.person_id = person AND may_act(person, m.tenant_id)
    ORDER BY c.mode, m.created_at, c.tenant_id
$$;

DROP FUNCTION session_principal(bytea, timestamptz, interval);
CREATE FUNCTION session_principal(hash bytea, now_at timestamptz, idle interval)
    RETURNS TABLE (session_id uuid, person_id uuid, tenant_id uuid, role text, role_permissions text[],
                   last_seen_at timestamptz, expires_at timestamptz, assurance text, currency text, zone text,
                   locale text, mode text, documents_only boolean, second_factor_from timestamptz)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT s.id, s.person_id, s.tenant_id, m.role, r.permissions, s.last_seen_at, s.expires_at, s.assurance,
           c.currency, c.zone, c.locale, c.mode, c.documents_only, c.second_factor_from
    FROM session s
    JOIN membership m ON m.tenant_id = s.tenant_id AND m.person_id = s.person_id
    JOIN role r ON r.tenant_id = m.tenant_id AND r.key = m.role
    JOIN company c ON c.tenant_id = s.tenant_id
    WHERE s.token_hash = hash AND s.revoked_at IS NULL AND now_at < s.expires_at AND now_at < s.last_seen_at + idle
      AND may_act(s.person_id, s.tenant_id)
$$;

DROP FUNCTION api_key_principal(bytea, timestamptz);
CREATE FUNCTION api_key_principal(key_hash bytea, now_at timestamptz)
    RETURNS TABLE (api_key_id uuid, tenant_id uuid, permissions text[], networks text[], role text,
                   role_permissions text[], expires_at timestamptz, last_used_at timestamptz, currency text, zone text,
                   locale text, mode text, documents_only boolean)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT k.id, k.tenant_id, k.permissions, k.networks, m.role, r.permissions,
           -- The earlier of the key's own end and that of a secret that was replaced.
           least(k.expires_at, h.good_until), k.last_used_at, c.currency, c.zone, c.locale, c.mode, c.documents_only
    FROM api_key_hash h
    JOIN api_key k ON k.tenant_id = h.tenant_id AND k.id = h.api_key_id
    JOIN membership m ON m.tenant_id = k.tenant_id AND m.person_id = k.responsible_id
    JOIN role r ON r.tenant_id = m.tenant_id AND r.key = m.role
    JOIN company c ON c.tenant_id = h.tenant_id
    WHERE h.hash = key_hash AND k.revoked_at IS NULL AND (k.expires_at IS NULL OR now_at < k.expires_at)
      AND (h.good_until IS NULL OR now_at < h.good_until) AND may_act(k.responsible_id, k.tenant_id)
$$;

REVOKE EXECUTE ON FUNCTION may_act(uuid, uuid), companies_of(uuid), session_principal(bytea, timestamptz, interval),
    api_key_principal(bytea, timestamptz) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION companies_of(uuid), session_principal(bytea, timestamptz, interval),
    api_key_principal(bytea, timestamptz) TO coulisse_server;
