-- Trusted documents: the texts that a company's own clients send by their hash; and whether they may send others.

CREATE TABLE trusted_document (
    tenant_id   uuid NOT NULL,
    id          uuid NOT NULL,
    -- Of the text as it was registered, byte for byte: what clients send in its place.
    sha256      bytea NOT NULL,
    name        text NOT NULL CHECK (length(name) BETWEEN 1 AND 200),
    body        text NOT NULL CHECK (octet_length(body) BETWEEN 1 AND 65536),
    version     integer NOT NULL DEFAULT 1,
    created_at  timestamptz NOT NULL,
    created_by  text NOT NULL,
    updated_at  timestamptz NOT NULL,
    updated_by  text NOT NULL,
    archived_at timestamptz,
    PRIMARY KEY (tenant_id, id),
    UNIQUE (tenant_id, sha256),
    CHECK (sha256 = pg_catalog.sha256(convert_to(body, 'UTF8')))
);
SELECT wall_company_table('trusted_document', 'SELECT, INSERT');
-- A hash means one text for ever; it can only be archived, and taken up again.
GRANT UPDATE (archived_at, version, updated_at, updated_by) ON trusted_document TO coulisse_server;

ALTER TABLE company ADD COLUMN documents_only boolean NOT NULL DEFAULT false;
GRANT UPDATE (documents_only) ON company TO coulisse_server;

-- Who a token stands for, as before, with the company's setting beside it. What a function answers cannot be widened.
DROP FUNCTION session_principal(bytea, timestamptz, interval);
CREATE FUNCTION session_principal(hash bytea, now_at timestamptz, idle interval)
    RETURNS TABLE (session_id uuid, person_id uuid, tenant_id uuid, role text, last_seen_at timestamptz,
                   expires_at timestamptz, currency text, zone text, locale text, mode text, documents_only boolean)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT s.id, s.person_id, s.tenant_id, m.role, s.last_seen_at, s.expires_at, c.currency, c.zone, c.locale, c.mode,
           c.documents_only
    FROM session s
    JOIN membership m ON m.tenant_id = s.tenant_id AND m.person_id = s.person_id AND m.archived_at IS NULL
    JOIN company c ON c.tenant_id = s.tenant_id AND c.archived_at IS NULL
    WHERE s.token_hash = hash AND s.revoked_at IS NULL AND now_at < s.expires_at AND now_at < s.last_seen_at + idle
$$;

DROP FUNCTION api_key_principal(bytea, timestamptz);
CREATE FUNCTION api_key_principal(key_hash bytea, now_at timestamptz)
    RETURNS TABLE (api_key_id uuid, tenant_id uuid, permissions text[], maker_role text, expires_at timestamptz,
                   last_used_at timestamptz, currency text, zone text, locale text, mode text, documents_only boolean)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT k.id, k.tenant_id, k.permissions, m.role, k.expires_at, k.last_used_at, c.currency, c.zone, c.locale, c.mode,
           c.documents_only
    FROM api_key_hash h
    JOIN api_key k ON k.tenant_id = h.tenant_id AND k.id = h.api_key_id
    JOIN membership m ON m.tenant_id = k.tenant_id AND m.archived_at IS NULL
        AND 'person:' || m.person_id = k.created_by
    JOIN company c ON c.tenant_id = h.tenant_id AND c.archived_at IS NULL
    WHERE h.hash = key_hash AND k.revoked_at IS NULL AND (k.expires_at IS NULL OR now_at < k.expires_at)
$$;

REVOKE EXECUTE ON FUNCTION session_principal(bytea, timestamptz, interval), api_key_principal(bytea, timestamptz)
    FROM PUBLIC;
GRANT EXECUTE ON FUNCTION session_principal(bytea, timestamptz, interval), api_key_principal(bytea, timestamptz)
    TO coulisse_server;
