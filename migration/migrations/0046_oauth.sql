-- OAuth 2.0 for partners' programs: applications, what they were allowed, and the tokens that follow from it.

-- An application that a company has registered, for itself or for people of other companies.
CREATE TABLE oauth_client (
    tenant_id      uuid NOT NULL,
    id             uuid NOT NULL,
    name           text NOT NULL CHECK (length(name) BETWEEN 1 AND 100),
    homepage       text NOT NULL CHECK (homepage ~ '^https://' AND length(homepage) <= 500),
    -- A confidential one can keep a secret or a key; a public one (a native or browser app) cannot.
    kind           text NOT NULL CHECK (kind IN ('confidential', 'public')),
    grant_types    text[] NOT NULL CHECK (cardinality(grant_types) > 0
        AND grant_types <@ ARRAY['authorization_code', 'refresh_token', 'client_credentials']),
    redirect_uris  text[] NOT NULL CHECK (cardinality(redirect_uris) <= 10),
    -- The most scopes that it may ever ask for.
    permissions    text[] NOT NULL CHECK (cardinality(permissions) > 0),
    -- Its public keys (RFC 7517), when it authenticates by them.
    jwks           jsonb,
    -- The person whose rights bound what it does for itself, and with whose leaving that ends.
    responsible_id uuid NOT NULL,
    -- Everybody who made it, was shown a secret of it or was responsible for it.
    people_ids     uuid[] NOT NULL,
    version        integer NOT NULL DEFAULT 1,
    created_at     timestamptz NOT NULL,
    created_by     text NOT NULL,
    updated_at     timestamptz NOT NULL,
    updated_by     text NOT NULL,
    archived_at    timestamptz,
    PRIMARY KEY (tenant_id, id),
    CHECK (kind = 'confidential' OR (jwks IS NULL AND NOT 'client_credentials' = ANY(grant_types))),
    CHECK ('authorization_code' = ANY(grant_types) = (cardinality(redirect_uris) > 0))
);
SELECT wall_company_table('oauth_client', 'SELECT, INSERT');
-- What kind it is and how it gets tokens never changes: another kind is another application.
GRANT UPDATE (name, homepage, redirect_uris, permissions, jwks, responsible_id, people_ids, version, updated_at, updated_by,
    archived_at) ON oauth_client TO coulisse_server;
-- Who comes to the authorization server names the application and not its company.
CREATE INDEX oauth_client_id ON oauth_client (id);

-- The secrets of a confidential application: the newest, and those that it replaces, for a while.
CREATE TABLE oauth_secret (
    tenant_id  uuid NOT NULL,
    id         uuid NOT NULL,
    client_id  uuid NOT NULL,
    hash       bytea NOT NULL CHECK (octet_length(hash) = 32),
    -- What is shown of it: its last four characters.
    hint       text NOT NULL,
    created_at timestamptz NOT NULL,
    created_by text NOT NULL,
    -- Until when it is good, once it was replaced.
    good_until timestamptz,
    PRIMARY KEY (tenant_id, id),
    UNIQUE (tenant_id, client_id, hash),
    FOREIGN KEY (tenant_id, client_id) REFERENCES oauth_client (tenant_id, id)
);
SELECT wall_company_table('oauth_secret', 'SELECT, INSERT');
GRANT UPDATE (good_until) ON oauth_secret TO coulisse_server;

-- What an application may do in a company: for a person who said so, or, without one, for itself in its own company.
CREATE TABLE oauth_grant (
    tenant_id       uuid NOT NULL,
    id              uuid NOT NULL,
    -- The application, which may be another company's: no foreign key leads out of a company.
    client_id       uuid NOT NULL,
    client_company  uuid NOT NULL,
    -- As they were when it was granted: who it was granted to, in the words that were read.
    client_name     text NOT NULL,
    client_homepage text NOT NULL,
    person_id       uuid,
    permissions     text[] NOT NULL CHECK (cardinality(permissions) > 0),
    last_used_at    timestamptz,
    revoked_at      timestamptz,
    version         integer NOT NULL DEFAULT 1,
    created_at      timestamptz NOT NULL,
    created_by      text NOT NULL,
    updated_at      timestamptz NOT NULL,
    updated_by      text NOT NULL,
    PRIMARY KEY (tenant_id, id),
    CHECK (person_id IS NOT NULL OR client_company = tenant_id)
);
SELECT wall_company_table('oauth_grant', 'SELECT, INSERT');
GRANT UPDATE (client_name, client_homepage, permissions, last_used_at, revoked_at, version, updated_at, updated_by)
    ON oauth_grant TO coulisse_server;
-- One living grant for each application and person, which a further consent widens.
CREATE UNIQUE INDEX oauth_grant_living ON oauth_grant (tenant_id, client_id, person_id) NULLS NOT DISTINCT
    WHERE revoked_at IS NULL;
CREATE INDEX oauth_grant_person ON oauth_grant (tenant_id, person_id);

-- Global from here on.

-- Tokens that follow from one another: from a code the first refresh token, from that the next. They end together.
CREATE TABLE oauth_family (
    id         uuid PRIMARY KEY,
    -- The company and grant behind them.
    tenant_id  uuid NOT NULL,
    grant_id   uuid NOT NULL,
    client_id  uuid NOT NULL,
    created_at timestamptz NOT NULL,
    -- When the last of them ends, however often they are renewed.
    ends_at    timestamptz NOT NULL,
    revoked_at timestamptz
);
CREATE INDEX oauth_family_end ON oauth_family (ends_at);
GRANT SELECT, INSERT, DELETE ON oauth_family TO coulisse_server;
GRANT UPDATE (revoked_at) ON oauth_family TO coulisse_server;

CREATE TABLE oauth_code (
    hash         bytea PRIMARY KEY,
    tenant_id    uuid NOT NULL,
    grant_id     uuid NOT NULL,
    client_id    uuid NOT NULL,
    -- The tokens that it has given.
    family_id    uuid REFERENCES oauth_family ON DELETE CASCADE,
    redirect_uri text NOT NULL,
    -- The SHA-256 that the verifier must have (RFC 7636).
    challenge    bytea NOT NULL CHECK (octet_length(challenge) = 32),
    permissions  text[] NOT NULL,
    expires_at   timestamptz NOT NULL,
    used_at      timestamptz
);
CREATE INDEX oauth_code_family ON oauth_code (family_id);
CREATE INDEX oauth_code_end ON oauth_code (expires_at);
GRANT SELECT, INSERT, DELETE ON oauth_code TO coulisse_server;
GRANT UPDATE (family_id, used_at) ON oauth_code TO coulisse_server;

CREATE TABLE oauth_refresh (
    hash        bytea PRIMARY KEY,
    family_id   uuid NOT NULL REFERENCES oauth_family ON DELETE CASCADE,
    permissions text[] NOT NULL,
    issued_at   timestamptz NOT NULL,
    expires_at  timestamptz NOT NULL,
    used_at     timestamptz
);
CREATE INDEX oauth_refresh_family ON oauth_refresh (family_id);
GRANT SELECT, INSERT ON oauth_refresh TO coulisse_server;
GRANT UPDATE (used_at) ON oauth_refresh TO coulisse_server;

-- Assertions that clients have authenticated with, until they end: each is good once (RFC 7523, section 3).
CREATE TABLE oauth_assertion (
    client_id  uuid NOT NULL,
    hash       bytea NOT NULL,
    expires_at timestamptz NOT NULL,
    PRIMARY KEY (client_id, hash)
);
CREATE INDEX oauth_assertion_end ON oauth_assertion (expires_at);
GRANT SELECT, INSERT, DELETE ON oauth_assertion TO coulisse_server;

-- The keys that sign access tokens: one signs, the others verify what they have signed.
CREATE TABLE signing_key (
    id          uuid PRIMARY KEY,
    -- Its thumbprint (RFC 7638), as tokens name it.
    kid         text NOT NULL UNIQUE,
    public      bytea NOT NULL CHECK (octet_length(public) = 32),
    -- The private half, under the vault's seal.
    sealed      bytea NOT NULL,
    created_at  timestamptz NOT NULL,
    -- It is shown before it signs, so that whoever keeps the list of keys has it by then.
    active_from timestamptz NOT NULL
);
GRANT SELECT, INSERT, DELETE ON signing_key TO coulisse_server;

-- Word to every replica.
CREATE TRIGGER tell AFTER UPDATE OF revoked_at, permissions ON oauth_grant
    FOR EACH ROW EXECUTE FUNCTION note_access_change();
CREATE TRIGGER tell AFTER UPDATE OF revoked_at ON oauth_family
    FOR EACH ROW EXECUTE FUNCTION note_access_change();
-- An application acts in any company: its change may concern everybody.
CREATE FUNCTION note_client_change() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    INSERT INTO access_change (tenant_id, person_id) VALUES (NULL, NULL);
    RETURN NULL;
END $$;
REVOKE EXECUTE ON FUNCTION note_client_change() FROM PUBLIC;
CREATE TRIGGER tell AFTER UPDATE OF archived_at, permissions, responsible_id ON oauth_client
    FOR EACH ROW EXECUTE FUNCTION note_client_change();

CREATE POLICY directory ON oauth_client FOR SELECT TO coulisse_owner USING (true);
CREATE POLICY directory ON oauth_secret FOR SELECT TO coulisse_owner USING (true);
CREATE POLICY directory ON oauth_grant FOR SELECT TO coulisse_owner USING (true);

-- An application by its public id, with whether a secret is one of its own that is good now; no row when it is unknown or
-- archived, or its company is closed.
CREATE FUNCTION oauth_client_of(client uuid, secret_hash bytea, now_at timestamptz)
    RETURNS TABLE (id uuid, tenant_id uuid, company_name text, mode text, name text, homepage text, kind text,
                   grant_types text[], redirect_uris text[], permissions text[], jwks jsonb, responsible_id uuid,
                   has_secret boolean)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT o.id, o.tenant_id, c.name, c.mode, o.name, o.homepage, o.kind, o.grant_types, o.redirect_uris, o.permissions,
           o.jwks, o.responsible_id,
           EXISTS (SELECT FROM oauth_secret s WHERE s.tenant_id = o.tenant_id AND s.client_id = o.id
               AND s.hash = secret_hash AND (s.good_until IS NULL OR now_at < s.good_until))
    FROM oauth_client o JOIN company c ON c.tenant_id = o.tenant_id AND c.archived_at IS NULL
    WHERE o.id = client AND o.archived_at IS NULL
$$;

-- The living grant with which an application acts for itself, in its own company.
CREATE FUNCTION oauth_standing_grant(client uuid) RETURNS TABLE (tenant_id uuid, grant_id uuid)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT g.tenant_id, g.id FROM oauth_client o
    JOIN oauth_grant g ON g.tenant_id = o.tenant_id AND g.client_id = o.id AND g.person_id IS NULL
    WHERE o.id = client AND o.archived_at IS NULL AND g.revoked_at IS NULL
$$;

-- Who a token of a family stands for; no row when grant or family is revoked, the family is over, the application archived, or who stands
-- behind it may not act there any more.
CREATE FUNCTION oauth_grant_principal(company uuid, granted uuid, family uuid, now_at timestamptz)
    RETURNS TABLE (grant_id uuid, tenant_id uuid, client_id uuid, person_id uuid, permissions text[],
                   client_permissions text[], role text, role_permissions text[], last_used_at timestamptz, currency text,
                   zone text, locale text, mode text, documents_only boolean, second_factor_due boolean)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT g.id, g.tenant_id, g.client_id, g.person_id, g.permissions, o.permissions, m.role, r.permissions, g.last_used_at,
           c.currency, c.zone, c.locale, c.mode, c.documents_only,
           -- Whoever is kept out for want of a second factor is kept out through programs as well.
           g.person_id IS NOT NULL AND coalesce(c.second_factor_from <= now_at, false)
               AND NOT EXISTS (SELECT FROM totp t WHERE t.person_id = g.person_id AND t.confirmed_at IS NOT NULL)
               AND NOT EXISTS (SELECT FROM passkey p WHERE p.person_id = g.person_id)
    FROM oauth_grant g
    JOIN oauth_family f ON f.id = family AND f.tenant_id = g.tenant_id AND f.grant_id = g.id AND f.client_id = g.client_id
        AND f.revoked_at IS NULL AND now_at < f.ends_at
    JOIN oauth_client o ON o.tenant_id = g.client_company AND o.id = g.client_id AND o.archived_at IS NULL
    JOIN company owner ON owner.tenant_id = o.tenant_id AND owner.archived_at IS NULL
    JOIN company c ON c.tenant_id = g.tenant_id
    JOIN membership m ON m.tenant_id = g.tenant_id AND m.person_id = coalesce(g.person_id, o.responsible_id)
    JOIN role r ON r.tenant_id = m.tenant_id AND r.key = m.role
    WHERE g.tenant_id = company AND g.id = granted AND g.revoked_at IS NULL
      AND may_act(coalesce(g.person_id, o.responsible_id), g.tenant_id)
$$;

-- What a person may do in a company, for whoever lets a program do some of it; no row for who may not act there.
CREATE FUNCTION member_rights(person uuid, company uuid)
    RETURNS TABLE (role text, role_permissions text[], second_factor_from timestamptz, currency text, zone text,
                   locale text, mode text)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT m.role, r.permissions, c.second_factor_from, c.currency, c.zone, c.locale, c.mode
    FROM membership m
    JOIN role r ON r.tenant_id = m.tenant_id AND r.key = m.role
    JOIN company c ON c.tenant_id = m.tenant_id
    WHERE m.tenant_id = company AND m.person_id = person AND may_act(person, company)
$$;

REVOKE EXECUTE ON FUNCTION oauth_client_of(uuid, bytea, timestamptz), oauth_standing_grant(uuid),
    oauth_grant_principal(uuid, uuid, uuid, timestamptz), member_rights(uuid, uuid) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION oauth_client_of(uuid, bytea, timestamptz), oauth_standing_grant(uuid),
    oauth_grant_principal(uuid, uuid, uuid, timestamptz), member_rights(uuid, uuid) TO coulisse_server;
