-- Sign-in with OpenID Connect providers: whom a provider knows, the providers and the domains of companies.

-- Who a person is to a provider. It belongs to the person; the pair says it (OpenID Connect Core 1.0, section 5.7).
CREATE TABLE federated_identity (
    issuer       text NOT NULL CHECK (length(issuer) BETWEEN 1 AND 300),
    subject      text NOT NULL CHECK (length(subject) BETWEEN 1 AND 255),
    id           uuid NOT NULL UNIQUE,
    person_id    uuid NOT NULL REFERENCES person,
    created_at   timestamptz NOT NULL,
    last_used_at timestamptz,
    PRIMARY KEY (issuer, subject)
);
CREATE INDEX federated_identity_person ON federated_identity (person_id);
GRANT SELECT, INSERT, DELETE ON federated_identity TO coulisse_server;
GRANT UPDATE (last_used_at) ON federated_identity TO coulisse_server;

CREATE TABLE sso_provider (
    tenant_id     uuid NOT NULL,
    id            uuid NOT NULL,
    name          text NOT NULL CHECK (length(name) BETWEEN 1 AND 100),
    issuer        text NOT NULL CHECK (length(issuer) BETWEEN 1 AND 200),
    client_id     text NOT NULL CHECK (length(client_id) BETWEEN 1 AND 255),
    -- Sealed: it is sent to the provider.
    client_secret bytea NOT NULL,
    enabled       boolean NOT NULL,
    -- Whether its word that somebody showed several factors stands for a second factor here.
    trusts_second_factor boolean NOT NULL,
    version       integer NOT NULL DEFAULT 1,
    created_at    timestamptz NOT NULL,
    created_by    text NOT NULL,
    updated_at    timestamptz NOT NULL,
    updated_by    text NOT NULL,
    archived_at   timestamptz,
    PRIMARY KEY (tenant_id, id)
);
SELECT wall_company_table('sso_provider', 'SELECT, INSERT');
-- Another issuer is another provider: people are known by it.
GRANT UPDATE (name, client_id, client_secret, enabled, trusts_second_factor, version, updated_at, updated_by,
    archived_at) ON sso_provider TO coulisse_server;
CREATE POLICY directory ON sso_provider FOR SELECT TO coulisse_owner USING (true);

CREATE TABLE company_domain (
    tenant_id   uuid NOT NULL,
    id          uuid NOT NULL,
    domain      text NOT NULL CHECK (domain = lower(domain) AND length(domain) BETWEEN 3 AND 253),
    -- What the domain's TXT record must say; it is no secret.
    token       text NOT NULL,
    verified_at timestamptz,
    -- Whether who comes with a verified address of the domain joins, and with which role.
    joins       boolean NOT NULL DEFAULT false,
    join_role   text,
    version     integer NOT NULL DEFAULT 1,
    created_at  timestamptz NOT NULL,
    created_by  text NOT NULL,
    updated_at  timestamptz NOT NULL,
    updated_by  text NOT NULL,
    archived_at timestamptz,
    PRIMARY KEY (tenant_id, id),
    FOREIGN KEY (tenant_id, join_role) REFERENCES role (tenant_id, key),
    CHECK (NOT joins OR join_role IS NOT NULL),
    CHECK (join_role <> 'owner')
);
CREATE UNIQUE INDEX company_domain_claimed ON company_domain (tenant_id, domain) WHERE archived_at IS NULL;
CREATE INDEX company_domain_domain ON company_domain (domain) WHERE verified_at IS NOT NULL AND archived_at IS NULL;
SELECT wall_company_table('company_domain', 'SELECT, INSERT');
GRANT UPDATE (verified_at, joins, join_role, version, updated_at, updated_by, archived_at)
    ON company_domain TO coulisse_server;
CREATE POLICY directory ON company_domain FOR SELECT TO coulisse_owner USING (true);

-- The company of a provider that people can be sent to.
CREATE FUNCTION sso_provider_company(provider uuid) RETURNS uuid
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT p.tenant_id FROM sso_provider p JOIN company c ON c.tenant_id = p.tenant_id
    WHERE p.id = provider AND p.enabled AND p.archived_at IS NULL AND c.archived_at IS NULL
$$;

-- The one live company that has proved a domain. Two never hold one: who verifies holds the lock below.
CREATE FUNCTION domain_holder(domain_name text) RETURNS TABLE (tenant_id uuid, joins boolean, join_role text)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT d.tenant_id, d.joins, d.join_role FROM company_domain d JOIN company c ON c.tenant_id = d.tenant_id
    WHERE d.domain = domain_name AND d.verified_at IS NOT NULL AND d.archived_at IS NULL
      AND c.archived_at IS NULL AND c.mode = 'live'
$$;

-- Whether another company holds a domain; no other transaction can verify it until this one ends. Volatile, so that it sees
-- what was committed while it waited.
CREATE FUNCTION domain_is_taken(domain_name text, company_id uuid) RETURNS boolean
    LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    PERFORM pg_advisory_xact_lock(hashtextextended('company_domain ' || domain_name, 0));
    RETURN EXISTS (SELECT FROM domain_holder(domain_name) h WHERE h.tenant_id <> company_id);
END $$;

-- The providers that sign people of a domain in.
CREATE FUNCTION sso_providers_of_domain(domain_name text) RETURNS TABLE (id uuid, name text)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT p.id, p.name FROM domain_holder($1) h JOIN sso_provider p ON p.tenant_id = h.tenant_id
    WHERE p.enabled AND p.archived_at IS NULL ORDER BY p.id LIMIT 10
$$;

REVOKE EXECUTE ON FUNCTION sso_provider_company(uuid), domain_holder(text), domain_is_taken(text, uuid),
    sso_providers_of_domain(text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION sso_provider_company(uuid), domain_holder(text), domain_is_taken(text, uuid),
    sso_providers_of_domain(text) TO coulisse_server;

-- A session by the word of a company's own provider is good in that company only: else whoever runs the provider could be
-- that person in the others.
ALTER TABLE session ADD COLUMN confined boolean NOT NULL DEFAULT false;

DROP FUNCTION session_principal(bytea, timestamptz, interval);
CREATE FUNCTION session_principal(hash bytea, now_at timestamptz, idle interval)
    RETURNS TABLE (session_id uuid, person_id uuid, tenant_id uuid, role text, role_permissions text[],
                   last_seen_at timestamptz, expires_at timestamptz, assurance text, currency text, zone text,
                   locale text, mode text, documents_only boolean, second_factor_from timestamptz, confined boolean)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT s.id, s.person_id, s.tenant_id, m.role, r.permissions, s.last_seen_at, s.expires_at, s.assurance,
           c.currency, c.zone, c.locale, c.mode, c.documents_only, c.second_factor_from, s.confined
    FROM session s
    JOIN membership m ON m.tenant_id = s.tenant_id AND m.person_id = s.person_id
    JOIN role r ON r.tenant_id = m.tenant_id AND r.key = m.role
    JOIN company c ON c.tenant_id = s.tenant_id
    WHERE s.token_hash = hash AND s.revoked_at IS NULL AND now_at < s.expires_at AND now_at < s.last_seen_at + idle
      AND may_act(s.person_id, s.tenant_id)
$$;
REVOKE EXECUTE ON FUNCTION session_principal(bytea, timestamptz, interval) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION session_principal(bytea, timestamptz, interval) TO coulisse_server;
