-- Companies, members and keys; and the global tables: people, credentials, sessions, hashes of keys.

CREATE TABLE company (
    tenant_id            uuid NOT NULL,
    id                   uuid NOT NULL CHECK (id = tenant_id),
    -- A live company and its test twin know each other; a twin never mails, charges or transfers.
    mode                 text NOT NULL DEFAULT 'live' CHECK (mode IN ('live', 'test')),
    twin_id              uuid,
    name                 text NOT NULL CHECK (length(name) BETWEEN 1 AND 200),
    legal_form           text NOT NULL CHECK (length(legal_form) BETWEEN 1 AND 80),
    siren                text CHECK (siren ~ '^[0-9]{9}$'),
    country              text NOT NULL CHECK (country ~ '^[A-Z]{2}$'),
    currency             text NOT NULL CHECK (currency ~ '^[A-Z]{3}$'),
    zone                 text NOT NULL,
    locale               text NOT NULL CHECK (locale IN ('fr', 'en')),
    fiscal_year_month    smallint NOT NULL CHECK (fiscal_year_month BETWEEN 1 AND 12),
    chart                text NOT NULL CHECK (chart IN ('fr_pcg', 'generic')),
    -- Whether a bill must be approved by somebody else than who entered it.
    four_eyes            boolean NOT NULL DEFAULT false,
    version              integer NOT NULL DEFAULT 1,
    created_at           timestamptz NOT NULL,
    created_by           text NOT NULL,
    updated_at           timestamptz NOT NULL,
    updated_by           text NOT NULL,
    archived_at          timestamptz,
    PRIMARY KEY (tenant_id, id)
);
SELECT wall_company_table('company', 'SELECT, INSERT');
-- Currency, country and chart of a company never change: every amount in its books would mean something else.
GRANT UPDATE (name, legal_form, siren, zone, locale, four_eyes, version, updated_at, updated_by, archived_at)
    ON company TO coulisse_server;

CREATE TABLE membership (
    tenant_id   uuid NOT NULL,
    id          uuid NOT NULL,
    -- A person is global: no foreign key leads out of a company.
    person_id   uuid NOT NULL,
    role        text NOT NULL CHECK (role IN ('owner', 'accountant', 'sales', 'purchaser', 'auditor')),
    version     integer NOT NULL DEFAULT 1,
    created_at  timestamptz NOT NULL,
    created_by  text NOT NULL,
    updated_at  timestamptz NOT NULL,
    updated_by  text NOT NULL,
    archived_at timestamptz,
    PRIMARY KEY (tenant_id, id),
    UNIQUE (tenant_id, person_id)
);
SELECT wall_company_table('membership', 'SELECT, INSERT');
GRANT UPDATE (role, version, updated_at, updated_by, archived_at) ON membership TO coulisse_server;

CREATE TABLE api_key (
    tenant_id    uuid NOT NULL,
    id           uuid NOT NULL,
    name         text NOT NULL CHECK (length(name) BETWEEN 1 AND 100),
    -- What is shown of the secret: its last four characters.
    hint         text NOT NULL,
    permissions  text[] NOT NULL,
    expires_at   timestamptz,
    revoked_at   timestamptz,
    last_used_at timestamptz,
    version      integer NOT NULL DEFAULT 1,
    created_at   timestamptz NOT NULL,
    created_by   text NOT NULL,
    updated_at   timestamptz NOT NULL,
    updated_by   text NOT NULL,
    PRIMARY KEY (tenant_id, id)
);
SELECT wall_company_table('api_key', 'SELECT, INSERT');
-- What a key may do and who made it never change: another right is another key.
GRANT UPDATE (revoked_at, last_used_at, version, updated_at, updated_by) ON api_key TO coulisse_server;

-- Global from here on. The list of these tables is in tests/tests/it/catalogue.rs.
CREATE TABLE person (
    id         uuid PRIMARY KEY,
    -- Stored in lower case: `lower()` is not leakproof and would keep an index unused under policies.
    email      text NOT NULL UNIQUE CHECK (email = lower(email)),
    name       text NOT NULL CHECK (length(name) BETWEEN 1 AND 200),
    locale     text NOT NULL CHECK (locale IN ('fr', 'en')),
    created_at timestamptz NOT NULL
);
GRANT SELECT, INSERT, UPDATE ON person TO coulisse_server;

CREATE TABLE credential (
    person_id  uuid PRIMARY KEY REFERENCES person,
    -- PHC string: algorithm, version, parameters, salt, hash.
    password   text NOT NULL,
    updated_at timestamptz NOT NULL
);
GRANT SELECT, INSERT, UPDATE ON credential TO coulisse_server;

CREATE TABLE session (
    id           uuid PRIMARY KEY,
    token_hash   bytea NOT NULL UNIQUE,
    person_id    uuid NOT NULL REFERENCES person,
    tenant_id    uuid NOT NULL,
    created_at   timestamptz NOT NULL,
    last_seen_at timestamptz NOT NULL,
    expires_at   timestamptz NOT NULL,
    revoked_at   timestamptz,
    address      text,
    agent        text
);
CREATE INDEX session_person ON session (person_id);
GRANT SELECT, INSERT, UPDATE ON session TO coulisse_server;

CREATE TABLE api_key_hash (
    hash       bytea PRIMARY KEY,
    tenant_id  uuid NOT NULL,
    api_key_id uuid NOT NULL
);
GRANT SELECT, INSERT ON api_key_hash TO coulisse_server;

-- What must look across companies does so through these functions only. They belong to the owner, whose
-- policies on the tables below exist for them.
CREATE POLICY directory ON membership FOR SELECT TO coulisse_owner USING (true);
CREATE POLICY directory ON company FOR SELECT TO coulisse_owner USING (true);

-- The companies a person belongs to, for sign-in and switching: first the one joined first, so that nobody who adds a
-- person later decides where that person signs in.
CREATE FUNCTION companies_of(person uuid)
    RETURNS TABLE (tenant_id uuid, name text, role text, mode text)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT c.tenant_id, c.name, m.role, c.mode
    FROM membership m JOIN company c ON c.tenant_id = m.tenant_id
    WHERE m.person_id = person AND m.archived_at IS NULL AND c.archived_at IS NULL
    ORDER BY m.created_at, c.tenant_id
$$;

-- Who a session token stands for; no row when it is unknown, revoked, over, idle too long, or the person has left.
CREATE FUNCTION session_principal(hash bytea, now_at timestamptz, idle interval)
    RETURNS TABLE (session_id uuid, person_id uuid, tenant_id uuid, role text, last_seen_at timestamptz,
                   expires_at timestamptz, currency text, zone text, locale text, mode text)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT s.id, s.person_id, s.tenant_id, m.role, s.last_seen_at, s.expires_at, c.currency, c.zone, c.locale, c.mode
    FROM session s
    JOIN membership m ON m.tenant_id = s.tenant_id AND m.person_id = s.person_id AND m.archived_at IS NULL
    JOIN company c ON c.tenant_id = s.tenant_id AND c.archived_at IS NULL
    WHERE s.token_hash = hash AND s.revoked_at IS NULL AND now_at < s.expires_at AND now_at < s.last_seen_at + idle
$$;

-- What an API key may do; no row when it is unknown, revoked or expired, or when who made it is no member any more.
CREATE POLICY directory ON api_key FOR SELECT TO coulisse_owner USING (true);
CREATE FUNCTION api_key_principal(key_hash bytea, now_at timestamptz)
    RETURNS TABLE (api_key_id uuid, tenant_id uuid, permissions text[], maker_role text, expires_at timestamptz,
                   last_used_at timestamptz, currency text, zone text, locale text, mode text)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT k.id, k.tenant_id, k.permissions, m.role, k.expires_at, k.last_used_at, c.currency, c.zone, c.locale, c.mode
    FROM api_key_hash h
    JOIN api_key k ON k.tenant_id = h.tenant_id AND k.id = h.api_key_id
    JOIN membership m ON m.tenant_id = k.tenant_id AND m.archived_at IS NULL
        AND 'person:' || m.person_id = k.created_by
    JOIN company c ON c.tenant_id = h.tenant_id AND c.archived_at IS NULL
    WHERE h.hash = key_hash AND k.revoked_at IS NULL AND (k.expires_at IS NULL OR now_at < k.expires_at)
$$;

-- What a company is, for a signed link that names it (no session, no key).
CREATE FUNCTION company_facts(company_id uuid)
    RETURNS TABLE (currency text, zone text, locale text, mode text)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT currency, zone, locale, mode FROM company WHERE tenant_id = company_id AND archived_at IS NULL
$$;

REVOKE EXECUTE ON FUNCTION companies_of(uuid), session_principal(bytea, timestamptz, interval),
    api_key_principal(bytea, timestamptz), company_facts(uuid) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION companies_of(uuid), session_principal(bytea, timestamptz, interval),
    api_key_principal(bytea, timestamptz), company_facts(uuid) TO coulisse_server;
