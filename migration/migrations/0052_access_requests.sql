-- Changes of rights that wait for another owner, where the company says so: see domains/identity/src/approval.

CREATE TABLE access_request (
    tenant_id        uuid NOT NULL,
    id               uuid NOT NULL,
    kind             text NOT NULL 
        CHECK (kind IN ('change_role', 'invite', 'update_role', 'join_by_domain', 'turn_off')),
    -- What it is about, when that is there already: a membership, a role, a domain.
    subject_id       uuid,
    -- What is to be done once it is approved, with the versions that were read.
    payload          jsonb NOT NULL,
    requested_by     text NOT NULL,
    -- The person behind it, also where a program asked. A person is global: no foreign key leads out of a company.
    requested_person uuid,
    requested_at     timestamptz NOT NULL,
    expires_at       timestamptz NOT NULL CHECK (expires_at > requested_at),
    decision         text CHECK (decision IN ('approved', 'rejected', 'withdrawn')),
    decided_by       text,
    decided_at       timestamptz,
    version          integer NOT NULL DEFAULT 1,
    PRIMARY KEY (tenant_id, id),
    CHECK ((decision IS NULL) = (decided_by IS NULL) AND (decision IS NULL) = (decided_at IS NULL)),
    -- Nobody approves what they have asked for, nor what a program of theirs has.
    CHECK (decision IS DISTINCT FROM 'approved'
        OR (decided_by LIKE 'person:%' AND decided_by <> requested_by
            AND decided_by IS DISTINCT FROM 'person:' || requested_person))
);
SELECT wall_company_table('access_request', 'SELECT, INSERT');
-- What is asked for, and by whom, never changes; a decision is made once.
GRANT UPDATE (decision, decided_by, decided_at, version) ON access_request TO coulisse_server;
CREATE INDEX access_request_open ON access_request (tenant_id, id) WHERE decision IS NULL;

CREATE TRIGGER frozen_decision BEFORE UPDATE ON access_request FOR EACH ROW WHEN (OLD.decision IS NOT NULL)
    EXECUTE FUNCTION refuse_change('what was decided of an access request stays decided');
