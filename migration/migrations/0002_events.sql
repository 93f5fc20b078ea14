-- The event log: one row for each change, inserted in the change's own transaction and never touched again.

CREATE TABLE event (
    tenant_id    uuid NOT NULL,
    position     bigint GENERATED ALWAYS AS IDENTITY (CACHE 1),
    at           timestamptz NOT NULL,
    actor        text NOT NULL,
    kind         text NOT NULL,
    subject_kind text NOT NULL,
    subject_id   uuid NOT NULL,
    case_id      uuid NOT NULL,
    -- The exact bytes that are hashed: JSON in UTF-8. Personal values are never in it, see event_value.
    payload      bytea NOT NULL,
    PRIMARY KEY (tenant_id, position)
);
SELECT wall_company_table('event', 'SELECT, INSERT');
CREATE INDEX event_subject ON event (tenant_id, subject_id, position);
CREATE TRIGGER frozen BEFORE UPDATE OR DELETE ON event
    FOR EACH ROW EXECUTE FUNCTION refuse_change('events are never changed');
CREATE TRIGGER frozen_truncate BEFORE TRUNCATE ON event EXECUTE FUNCTION refuse_change('events are never changed');
ALTER TABLE event ENABLE ALWAYS TRIGGER frozen;
ALTER TABLE event ENABLE ALWAYS TRIGGER frozen_truncate;

-- From where a change came. Personal (an address, a device), hence apart from the log and erasable.
CREATE TABLE event_origin (
    tenant_id  uuid NOT NULL,
    position   bigint NOT NULL,
    address    text,
    agent      text,
    request_id text,
    PRIMARY KEY (tenant_id, position),
    FOREIGN KEY (tenant_id, position) REFERENCES event (tenant_id, position)
);
SELECT wall_company_table('event_origin', 'SELECT, INSERT, DELETE');

-- Personal values that a change replaced; the event names the field only.
CREATE TABLE event_value (
    tenant_id uuid NOT NULL,
    position  bigint NOT NULL,
    field     text NOT NULL,
    before    text,
    after     text,
    PRIMARY KEY (tenant_id, position, field),
    FOREIGN KEY (tenant_id, position) REFERENCES event (tenant_id, position)
);
SELECT wall_company_table('event_value', 'SELECT, INSERT, DELETE');

-- What waits for the sequencer: filled by a trigger, so that no event can miss it.
CREATE TABLE event_queue (
    tenant_id uuid NOT NULL,
    position  bigint NOT NULL,
    PRIMARY KEY (tenant_id, position)
);
SELECT wall_company_table('event_queue', 'SELECT');

CREATE FUNCTION queue_events() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    INSERT INTO event_queue SELECT tenant_id, position FROM added;
    RETURN NULL;
END $$;
REVOKE EXECUTE ON FUNCTION queue_events() FROM PUBLIC;
CREATE TRIGGER queue AFTER INSERT ON event REFERENCING NEW TABLE AS added
    FOR EACH STATEMENT EXECUTE FUNCTION queue_events();

-- The end of a company's chain. Locked FOR UPDATE by whoever seals.
CREATE TABLE event_head (
    tenant_id uuid NOT NULL PRIMARY KEY,
    sequence  bigint NOT NULL DEFAULT 0,
    hash      bytea NOT NULL DEFAULT ''
);
SELECT wall_company_table('event_head', 'SELECT, INSERT');

-- The log in its final order: gapless, causal, and chained by hash.
CREATE TABLE event_seal (
    tenant_id uuid NOT NULL,
    sequence  bigint NOT NULL,
    position  bigint NOT NULL,
    hash      bytea NOT NULL,
    PRIMARY KEY (tenant_id, sequence),
    UNIQUE (tenant_id, position),
    FOREIGN KEY (tenant_id, position) REFERENCES event (tenant_id, position)
);
SELECT wall_company_table('event_seal', 'SELECT');
CREATE TRIGGER frozen BEFORE UPDATE OR DELETE ON event_seal
    FOR EACH ROW EXECUTE FUNCTION refuse_change('the seal of the event log is never changed');
CREATE TRIGGER frozen_truncate BEFORE TRUNCATE ON event_seal
    EXECUTE FUNCTION refuse_change('the seal of the event log is never changed');
ALTER TABLE event_seal ENABLE ALWAYS TRIGGER frozen;
ALTER TABLE event_seal ENABLE ALWAYS TRIGGER frozen_truncate;

-- The sequencer looks across companies; these are its named grants.
GRANT SELECT ON event TO coulisse_worker;
GRANT SELECT, DELETE ON event_queue TO coulisse_worker;
GRANT SELECT, UPDATE ON event_head TO coulisse_worker;
GRANT SELECT, INSERT ON event_seal TO coulisse_worker;
CREATE POLICY worker ON event FOR SELECT TO coulisse_worker USING (true);
CREATE POLICY worker ON event_queue TO coulisse_worker USING (true);
CREATE POLICY worker ON event_head TO coulisse_worker USING (true);
CREATE POLICY worker ON event_seal TO coulisse_worker USING (true) WITH CHECK (true);

-- One field of the hashed image: its length in bytes, a colon, itself. Unambiguous for any content.
CREATE FUNCTION netstring(value bytea) RETURNS bytea LANGUAGE sql IMMUTABLE AS
    $$ SELECT convert_to(length(value)::text || ':', 'UTF8') || value $$;

-- The hash of an event in its chain (SHA-256). The company's id is not in it, so that a copy verifies.
CREATE FUNCTION event_hash(before bytea, sequence bigint, e event) RETURNS bytea LANGUAGE sql IMMUTABLE AS $$
    SELECT sha256(netstring(before)
        || netstring(convert_to(sequence::text, 'UTF8'))
        || netstring(convert_to((extract(epoch FROM e.at) * 1000000)::bigint::text, 'UTF8'))
        || netstring(convert_to(e.actor, 'UTF8'))
        || netstring(convert_to(e.kind, 'UTF8'))
        || netstring(convert_to(e.subject_kind, 'UTF8'))
        || netstring(uuid_send(e.subject_id))
        || netstring(uuid_send(e.case_id))
        || netstring(e.payload))
$$;

-- Seals what is committed of one company, at most `most` events; how many it sealed, or NULL when another
-- sequencer holds this company. Taking the head's lock and emptying the queue are two statements on purpose:
-- only a snapshot taken after the lock sees all that the former holder left.
CREATE FUNCTION seal_events(company uuid, most integer) RETURNS integer LANGUAGE plpgsql AS $$
DECLARE
    head  event_head;
    e     event;
    done  integer := 0;
BEGIN
    SELECT * INTO head FROM event_head WHERE tenant_id = company FOR UPDATE SKIP LOCKED;
    IF NOT FOUND THEN
        RETURN NULL;
    END IF;
    FOR e IN
        WITH taken AS (
            DELETE FROM event_queue q WHERE q.tenant_id = company AND q.position IN (
                SELECT position FROM event_queue WHERE tenant_id = company ORDER BY position LIMIT most)
            RETURNING q.position)
        SELECT event.* FROM event JOIN taken USING (position) WHERE event.tenant_id = company ORDER BY position
    LOOP
        head.sequence := head.sequence + 1;
        head.hash := event_hash(head.hash, head.sequence, e);
        INSERT INTO event_seal VALUES (company, head.sequence, e.position, head.hash);
        done := done + 1;
    END LOOP;
    IF done > 0 THEN
        UPDATE event_head SET sequence = head.sequence, hash = head.hash WHERE tenant_id = company;
    END IF;
    RETURN done;
END $$;
REVOKE EXECUTE ON FUNCTION seal_events(uuid, integer) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION seal_events(uuid, integer) TO coulisse_worker;
