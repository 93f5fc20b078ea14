-- Second factors: what people prove who they are with, beside a password or in its place. All of it belongs to people,
-- none to a company.

-- The secret that a person's authenticator application shares with the server.
CREATE TABLE totp (
    person_id    uuid PRIMARY KEY REFERENCES person,
    -- Sealed: it must be read to verify a code.
    secret       bytea NOT NULL,
    created_at   timestamptz NOT NULL,
    -- Until a first code has confirmed it, it is no factor.
    confirmed_at timestamptz,
    -- The last step (30 seconds) of which a code was accepted: only later ones are.
    last_step    bigint,
    CHECK (confirmed_at IS NULL OR last_step IS NOT NULL)
);
GRANT SELECT, INSERT, DELETE ON totp TO coulisse_server;
GRANT UPDATE (secret, created_at, confirmed_at, last_step) ON totp TO coulisse_server;

-- Codes for who has lost the other factors; each works once. They are random enough for a plain hash.
CREATE TABLE recovery_code (
    hash       bytea PRIMARY KEY,
    person_id  uuid NOT NULL REFERENCES person,
    created_at timestamptz NOT NULL,
    used_at    timestamptz
);
CREATE INDEX recovery_code_person ON recovery_code (person_id);
GRANT SELECT, INSERT, DELETE ON recovery_code TO coulisse_server;
GRANT UPDATE (used_at) ON recovery_code TO coulisse_server;

CREATE TABLE passkey (
    id            uuid PRIMARY KEY,
    person_id     uuid NOT NULL REFERENCES person,
    -- One credential is one person's.
    credential_id bytea NOT NULL UNIQUE,
    name          text NOT NULL CHECK (length(name) BETWEEN 1 AND 100),
    -- The public key and what else verifying needs; no secret.
    data          jsonb NOT NULL,
    -- How often it has signed, for authenticators that count; it only rises.
    counter       bigint NOT NULL CHECK (counter >= 0),
    created_at    timestamptz NOT NULL,
    last_used_at  timestamptz
);
CREATE INDEX passkey_person ON passkey (person_id);
GRANT SELECT, INSERT, DELETE ON passkey TO coulisse_server;
GRANT UPDATE (name, data, counter, last_used_at) ON passkey TO coulisse_server;
