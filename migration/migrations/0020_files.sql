-- Files that a company keeps: the row here, the bytes in the object store.

CREATE TABLE file (
    tenant_id   uuid NOT NULL,
    id          uuid NOT NULL,
    -- As the person who uploads it calls it; never part of a path.
    name        text NOT NULL CHECK (length(name) BETWEEN 1 AND 255),
    media_type  text NOT NULL CHECK (length(media_type) BETWEEN 3 AND 100),
    size_bytes  bigint NOT NULL CHECK (size_bytes BETWEEN 1 AND 20971520),
    state       text NOT NULL DEFAULT 'pending' CHECK (state IN ('pending', 'stored')),
    -- Until when the bytes of a pending file may come.
    expires_at  timestamptz NOT NULL,
    -- Of the bytes as received, and where they lie: <company>/<file>/<attempt>.
    sha256      bytea CHECK (octet_length(sha256) = 32),
    storage_key text CHECK (starts_with(storage_key, tenant_id::text || '/' || id::text || '/')),
    stored_at   timestamptz,
    version     integer NOT NULL DEFAULT 1,
    created_at  timestamptz NOT NULL,
    created_by  text NOT NULL,
    updated_at  timestamptz NOT NULL,
    updated_by  text NOT NULL,
    archived_at timestamptz,
    PRIMARY KEY (tenant_id, id),
    UNIQUE (tenant_id, storage_key),
    CHECK ((state = 'stored') = (sha256 IS NOT NULL AND storage_key IS NOT NULL AND stored_at IS NOT NULL)),
    CHECK (state = 'stored' OR (sha256 IS NULL AND storage_key IS NULL AND stored_at IS NULL))
);
SELECT wall_company_table('file', 'SELECT, INSERT, UPDATE');
CREATE INDEX file_sha256 ON file (tenant_id, sha256) WHERE state = 'stored';

-- A stored file is evidence: what was received stays what was received.
CREATE FUNCTION freeze_stored_file() RETURNS trigger LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
    IF TG_OP = 'DELETE' THEN
        RAISE EXCEPTION 'files are never deleted' USING ERRCODE = 'CO002';
    END IF;
    IF TG_OP = 'INSERT' THEN
        IF NEW.state <> 'pending' THEN
            RAISE EXCEPTION 'a file begins as pending' USING ERRCODE = 'CO002';
        END IF;
        RETURN NEW;
    END IF;
    IF (NEW.tenant_id, NEW.id, NEW.name, NEW.media_type, NEW.size_bytes, NEW.expires_at, NEW.created_at, NEW.created_by)
        IS DISTINCT FROM
       (OLD.tenant_id, OLD.id, OLD.name, OLD.media_type, OLD.size_bytes, OLD.expires_at, OLD.created_at, OLD.created_by)
    THEN
        RAISE EXCEPTION 'what was said of a file is never changed' USING ERRCODE = 'CO002';
    END IF;
    IF OLD.state = 'stored' AND (NEW.state, NEW.sha256, NEW.storage_key, NEW.stored_at)
        IS DISTINCT FROM (OLD.state, OLD.sha256, OLD.storage_key, OLD.stored_at) THEN
        RAISE EXCEPTION 'a stored file is never changed' USING ERRCODE = 'CO002';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER frozen BEFORE INSERT OR UPDATE OR DELETE ON file FOR EACH ROW EXECUTE FUNCTION freeze_stored_file();
CREATE TRIGGER frozen_truncate BEFORE TRUNCATE ON file EXECUTE FUNCTION refuse_change('files are never deleted');
ALTER TABLE file ENABLE ALWAYS TRIGGER frozen;
ALTER TABLE file ENABLE ALWAYS TRIGGER frozen_truncate;
