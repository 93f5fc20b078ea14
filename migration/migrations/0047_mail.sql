-- Letters on their way out, and what became of them. Global: a letter about an account belongs to no company, and one
-- about a company commits with that company's event, by an insert and nothing else.

CREATE TABLE mail (
    id               uuid PRIMARY KEY,
    -- The company it is about; none when it is about somebody's account.
    tenant_id        uuid,
    kind             text NOT NULL CHECK (kind ~ '^[a-z_]{1,40}$'),
    locale           text NOT NULL CHECK (locale IN ('fr', 'en')),
    -- Sealed. Both are erased once the letter is sent or given up: only kind, times and outcome stay.
    recipient        bytea,
    letter           bytea,
    -- A keyed digest of the recipient: how often somebody is written to. Erased after a day.
    recipient_digest bytea,
    created_at       timestamptz NOT NULL,
    -- When it is due; while somebody is sending it, the end of that one's lease.
    not_before       timestamptz NOT NULL,
    -- After this its link is dead, and the letter not worth sending.
    expires_at       timestamptz,
    -- Who is sending it, for the mark that follows.
    claim            uuid,
    attempts         integer NOT NULL DEFAULT 0,
    last_error       text CHECK (length(last_error) <= 500),
    sent_at          timestamptz,
    given_up_at      timestamptz,
    -- A letter of a test twin: kept, and never sent.
    withheld         boolean NOT NULL DEFAULT false,
    CHECK (sent_at IS NULL OR given_up_at IS NULL),
    CHECK (NOT withheld OR (sent_at IS NULL AND given_up_at IS NULL AND tenant_id IS NOT NULL))
);
CREATE INDEX mail_due ON mail (not_before) WHERE sent_at IS NULL AND given_up_at IS NULL AND NOT withheld;
CREATE INDEX mail_recipient ON mail (recipient_digest, kind, created_at) WHERE recipient_digest IS NOT NULL;
CREATE INDEX mail_created ON mail (created_at);
-- Requests write letters and never read one; they may count them, to write nobody too often.
GRANT INSERT, SELECT (kind, recipient_digest, created_at) ON mail TO coulisse_server;
GRANT SELECT, INSERT, DELETE ON mail TO coulisse_worker;
GRANT UPDATE (recipient, letter, recipient_digest, not_before, claim, attempts, last_error, sent_at, given_up_at)
    ON mail TO coulisse_worker;

-- Letters that anybody may ask for by an address. Which letter it becomes is found out after the answer, so that neither
-- its text nor its time tells whether the address has an account. Identity's own.
CREATE TABLE wanted_letter (
    id         uuid PRIMARY KEY,
    kind       text NOT NULL CHECK (kind IN ('confirm', 'reset')),
    -- Whose address is to be confirmed.
    person_id  uuid REFERENCES person,
    -- Sealed.
    email      bytea NOT NULL,
    locale     text NOT NULL CHECK (locale IN ('fr', 'en')),
    created_at timestamptz NOT NULL,
    -- When it is due; while somebody is at it, the end of that one's lease.
    not_before timestamptz NOT NULL,
    CHECK ((kind = 'confirm') = (person_id IS NOT NULL))
);
CREATE INDEX wanted_letter_due ON wanted_letter (not_before);
GRANT SELECT, INSERT, DELETE ON wanted_letter TO coulisse_server;
GRANT UPDATE (not_before) ON wanted_letter TO coulisse_server;
