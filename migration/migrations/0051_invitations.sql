-- Invitations: an address that may join a company with a role, if who invited may still ask for that.

CREATE TABLE invitation (
    tenant_id   uuid NOT NULL,
    id          uuid NOT NULL,
    email       text NOT NULL CHECK (email = lower(email) AND length(email) <= 254),
    role        text NOT NULL,
    -- Who answers for it: a person or a key, as events name them.
    invited_by  text NOT NULL,
    expires_at  timestamptz NOT NULL,
    accepted_at timestamptz,
    -- A person is global: no foreign key leads out of a company.
    accepted_by uuid,
    revoked_at  timestamptz,
    -- Each letter's link is good for one version: a new one ends the older.
    version     integer NOT NULL DEFAULT 1,
    created_at  timestamptz NOT NULL,
    created_by  text NOT NULL,
    updated_at  timestamptz NOT NULL,
    updated_by  text NOT NULL,
    PRIMARY KEY (tenant_id, id),
    FOREIGN KEY (tenant_id, role) REFERENCES role (tenant_id, key),
    CHECK (accepted_at IS NULL OR revoked_at IS NULL),
    CHECK ((accepted_at IS NULL) = (accepted_by IS NULL))
);
CREATE UNIQUE INDEX invitation_open ON invitation (tenant_id, email) WHERE accepted_at IS NULL AND revoked_at IS NULL;
SELECT wall_company_table('invitation', 'SELECT, INSERT');
-- Whom it is for and what it gives never change: another role is another invitation.
GRANT UPDATE (invited_by, expires_at, accepted_at, accepted_by, revoked_at, version, updated_at, updated_by)
    ON invitation TO coulisse_server;
