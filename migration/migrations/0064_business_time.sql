-- The times between the steps of processes, by the clock and in working hours.

-- Steps wait until it is known which of them are history.
LOCK TABLE step IN SHARE ROW EXCLUSIVE MODE;

-- Which public holidays there are is the same for every company: reference data.
CREATE TABLE public_holiday (
    country text NOT NULL CHECK (country ~ '^[A-Z]{2}$'),
    day     date NOT NULL,
    name_fr text NOT NULL,
    name_en text NOT NULL,
    PRIMARY KEY (country, day)
);
GRANT SELECT ON public_holiday TO coulisse_server;
-- Code du travail, art. L3133-1; Easter by the computus. Two independent libraries agree on these days.
INSERT INTO public_holiday (country, day, name_fr, name_en)
    SELECT 'FR', make_date(y, h.month, h.day), h.fr, h.en
    FROM generate_series(2020, 2040) AS y, (VALUES
        (1, 1, 'Jour de l''an', 'New Year''s Day'),
        (5, 1, 'Fête du Travail', 'Labour Day'),
        (5, 8, 'Victoire de 1945', 'Victory Day'),
        (7, 14, 'Fête nationale', 'Bastille Day'),
        (8, 15, 'Assomption', 'Assumption Day'),
        (11, 1, 'Toussaint', 'All Saints'' Day'),
        (11, 11, 'Armistice de 1918', 'Armistice Day'),
        (12, 25, 'Noël', 'Christmas Day')
    ) AS h (month, day, fr, en)
    UNION ALL SELECT 'FR', d, m.fr, m.en FROM (VALUES
        ('Lundi de Pâques', 'Easter Monday', '{
            2020-04-13,2021-04-05,2022-04-18,2023-04-10,2024-04-01,2025-04-21,2026-04-06,2027-03-29,2028-04-17,
            2029-04-02,2030-04-22,2031-04-14,2032-03-29,2033-04-18,2034-04-10,2035-03-26,2036-04-14,2037-04-06,
            2038-04-26,2039-04-11,2040-04-02}'::date[]),
        ('Ascension', 'Ascension Day', '{
            2020-05-21,2021-05-13,2022-05-26,2023-05-18,2024-05-09,2025-05-29,2026-05-14,2027-05-06,2028-05-25,
            2029-05-10,2030-05-30,2031-05-22,2032-05-06,2033-05-26,2034-05-18,2035-05-03,2036-05-22,2037-05-14,
            2038-06-03,2039-05-19,2040-05-10}'::date[]),
        ('Lundi de Pentecôte', 'Whit Monday', '{
            2020-06-01,2021-05-24,2022-06-06,2023-05-29,2024-05-20,2025-06-09,2026-05-25,2027-05-17,2028-06-05,
            2029-05-21,2030-06-10,2031-06-02,2032-05-17,2033-06-06,2034-05-29,2035-05-14,2036-06-02,2037-05-25,
            2038-06-14,2039-05-30,2040-05-21}'::date[])
    ) AS m (fr, en, days), unnest(m.days) AS d;

-- When a company works. It is changed as one thing: its version is the calendar's.
CREATE TABLE business_calendar (
    tenant_id       uuid NOT NULL PRIMARY KEY,
    -- Whether the public holidays of the company's country are days off.
    public_holidays boolean NOT NULL DEFAULT true,
    version         integer NOT NULL DEFAULT 1,
    created_at      timestamptz NOT NULL,
    created_by      text NOT NULL,
    updated_at      timestamptz NOT NULL,
    updated_by      text NOT NULL
);
SELECT wall_company_table('business_calendar', 'SELECT, INSERT');
GRANT UPDATE (public_holidays, version, updated_at, updated_by) ON business_calendar TO coulisse_server;

CREATE TABLE business_hours (
    tenant_id uuid NOT NULL,
    -- ISO 8601: 1 is Monday.
    weekday   smallint NOT NULL CHECK (weekday BETWEEN 1 AND 7),
    -- Minutes after the company's midnight; it closes at 1440 at the latest.
    opens     smallint NOT NULL CHECK (opens >= 0),
    closes    smallint NOT NULL CHECK (closes <= 1440),
    PRIMARY KEY (tenant_id, weekday, opens),
    FOREIGN KEY (tenant_id) REFERENCES business_calendar (tenant_id),
    CHECK (opens < closes),
    CONSTRAINT business_hours_apart
        EXCLUDE USING gist (tenant_id WITH =, weekday WITH =, int4range(opens, closes) WITH &&)
);
SELECT wall_company_table('business_hours', 'SELECT, INSERT, DELETE');

CREATE TABLE business_closure (
    tenant_id uuid NOT NULL,
    day       date NOT NULL,
    name      text NOT NULL CHECK (length(name) BETWEEN 1 AND 100),
    PRIMARY KEY (tenant_id, day),
    FOREIGN KEY (tenant_id) REFERENCES business_calendar (tenant_id)
);
SELECT wall_company_table('business_closure', 'SELECT, INSERT, DELETE');

-- How much of the time between two moments lies within the working hours of a company, in milliseconds.
-- In PL/pgSQL, which keeps its plan: in SQL it would be planned at each step that anybody takes.
CREATE FUNCTION business_ms(of_company uuid, began timestamptz, ended timestamptz) RETURNS bigint
    LANGUAGE plpgsql STABLE SET search_path = public, pg_temp AS $$
DECLARE
    of_zone text := (SELECT zone FROM kpi_head WHERE tenant_id = of_company);
    off     text := (SELECT o.country FROM business_calendar b JOIN company o ON o.tenant_id = b.tenant_id
        WHERE b.tenant_id = of_company AND b.public_holidays);
BEGIN
    RETURN (SELECT coalesce(floor(1000 * sum(extract(epoch FROM least(ended, shift.closes) - greatest(began, shift.opens)))), 0)
    FROM generate_series((began AT TIME ZONE of_zone)::date, (ended AT TIME ZONE of_zone)::date, interval '1 day') AS d (midnight)
    JOIN business_hours h ON h.tenant_id = of_company AND h.weekday = extract(isodow FROM d.midnight)
    CROSS JOIN LATERAL (
        SELECT (d.midnight::timestamp + h.opens * interval '1 minute') AT TIME ZONE of_zone AS opens,
               (d.midnight::timestamp + h.closes * interval '1 minute') AT TIME ZONE of_zone AS closes) AS shift
    WHERE shift.opens < ended AND shift.closes > began
      AND NOT EXISTS (SELECT FROM business_closure c WHERE c.tenant_id = of_company AND c.day = d.midnight::date)
      AND NOT EXISTS (SELECT FROM public_holiday p WHERE p.country = off AND p.day = d.midnight::date));
END $$;
REVOKE EXECUTE ON FUNCTION business_ms(uuid, timestamptz, timestamptz) FROM PUBLIC;

-- The ways through processes: from each earlier step of a subject, at its last time, to the one that comes. Recorded once,
-- by the trigger below: what the working hours were then stays what they were.
CREATE TABLE passage (
    tenant_id    uuid NOT NULL,
    -- The later step. Neither is ever deleted, so no key watches over it.
    step_id      uuid NOT NULL,
    from_step    text NOT NULL,
    to_step      text NOT NULL,
    subject_kind text NOT NULL,
    subject_id   uuid NOT NULL,
    -- The company's calendar day of the later step.
    on_day       date NOT NULL,
    elapsed_ms   bigint NOT NULL CHECK (elapsed_ms >= 0),
    business_ms  bigint NOT NULL CHECK (business_ms >= 0),
    PRIMARY KEY (tenant_id, step_id, from_step)
);
SELECT wall_company_table('passage', 'SELECT');
CREATE INDEX passage_day ON passage (tenant_id, on_day, subject_id);
CREATE INDEX passage_subject ON passage (tenant_id, subject_id);
CREATE TRIGGER frozen BEFORE UPDATE OR DELETE ON passage
    FOR EACH ROW EXECUTE FUNCTION refuse_change('the ways through a process are never changed');
CREATE TRIGGER frozen_truncate BEFORE TRUNCATE ON passage
    EXECUTE FUNCTION refuse_change('the ways through a process are never changed');
ALTER TABLE passage ENABLE ALWAYS TRIGGER frozen;
ALTER TABLE passage ENABLE ALWAYS TRIGGER frozen_truncate;

-- The ways that a step ends.
CREATE FUNCTION passages_to(s step)
    RETURNS TABLE (from_step text, elapsed_ms bigint, business_ms bigint) LANGUAGE sql STABLE AS $$
    SELECT DISTINCT ON (e.step) e.step, floor(1000 * extract(epoch FROM s.at - e.at))::bigint,
           business_ms(s.tenant_id, e.at, s.at)
    FROM step e
    WHERE e.tenant_id = s.tenant_id AND e.subject_id = s.subject_id AND e.step <> s.step AND (e.at, e.id) < (s.at, s.id)
    ORDER BY e.step, e.at DESC, e.id DESC
$$;
REVOKE EXECUTE ON FUNCTION passages_to(step) FROM PUBLIC;
CREATE FUNCTION record_passages() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    INSERT INTO passage (tenant_id, step_id, from_step, to_step, subject_kind, subject_id, on_day, elapsed_ms, business_ms)
        SELECT s.tenant_id, s.id, p.from_step, s.step, s.subject_kind, s.subject_id, s.on_day, p.elapsed_ms, p.business_ms
        FROM added s CROSS JOIN LATERAL passages_to(ROW(s.*)::step) p;
    RETURN NULL;
END $$;
REVOKE EXECUTE ON FUNCTION record_passages() FROM PUBLIC;

-- process.time and process.business_time: how long the ways through processes took, at the day of their later step. dim1 is
-- the bucket, dim2 the way.
CREATE FUNCTION passage_facts(p passage)
    RETURNS TABLE (cube text, day date, dim1 text, dim2 text, dim3 text, currency text, count bigint, sum1 bigint, sum2 bigint)
    LANGUAGE sql IMMUTABLE AS $$
    SELECT time.cube, p.on_day, duration_bucket(time.ms), concat_ws('.', p.subject_kind, p.from_step, p.to_step), '', '',
           1::bigint, time.ms, 0::bigint
    FROM (VALUES ('process.time', p.elapsed_ms), ('process.business_time', p.business_ms)) AS time (cube, ms)
$$;
SELECT keep_cubes('passage');

-- What companies have done so far: their working hours begin as the usual ones, and the steps of their documents follow from
-- what the documents say of themselves.
-- Steps of one instant follow each other by their ids: the place goes into the first bits after the time.
CREATE FUNCTION pg_temp.id_of(moment timestamptz, company uuid, place integer) RETURNS uuid LANGUAGE sql VOLATILE AS $$
    SELECT encode(set_byte(b.random, 6, place | CASE WHEN is_test_id(company) THEN 128 ELSE 112 END),
                  'hex')::uuid
    FROM (SELECT substring(int8send(floor(1000 * extract(epoch FROM moment))::bigint) FROM 3)
              || substring(uuid_send(gen_random_uuid()) FROM 7) AS random) AS b
$$;
DO $$
DECLARE
    company_id uuid;
    of_zone    text;
BEGIN
    FOR company_id, of_zone IN SELECT tenant_id, zone FROM company LOOP
        PERFORM set_config('app.tenant_id', company_id::text, true);
        INSERT INTO business_calendar (tenant_id, created_at, created_by, updated_at, updated_by)
            VALUES (company_id, now(), 'system', now(), 'system');
        INSERT INTO business_hours (tenant_id, weekday, opens, closes)
            SELECT company_id, weekday, opens, closes
            FROM generate_series(1, 5) AS weekday, (VALUES (540, 750), (810, 1020)) AS h (opens, closes);
        INSERT INTO step (tenant_id, id, subject_kind, subject_id, step, at, on_day, elapsed_ms)
            SELECT company_id, pg_temp.id_of(s.at, company_id, CASE s.step WHEN 'created' THEN 0 WHEN 'issued' THEN 1
                       ELSE 15 END), s.subject_kind, s.subject_id, s.step, s.at,
                   (s.at AT TIME ZONE of_zone)::date,
                   greatest(floor(1000 * extract(epoch FROM s.at - s.began)), 0)
            FROM (
                SELECT 'invoice' AS subject_kind, id AS subject_id, 'created' AS step, created_at AS at, created_at AS began
                FROM invoice
                UNION ALL SELECT 'invoice', id, 'issued', issued_at, created_at FROM invoice WHERE state = 'issued'
                UNION ALL SELECT 'invoice', i.id, 'paid', max(a.created_at), i.created_at
                FROM invoice i JOIN allocation a ON a.tenant_id = i.tenant_id AND a.invoice_id = i.id
                WHERE i.kind = 'invoice' AND i.state = 'issued' AND i.open_minor = 0 GROUP BY i.id, i.created_at
                UNION ALL SELECT 'bill', b.id, 'paid', max(a.created_at), b.received_at
                FROM bill b JOIN allocation a ON a.tenant_id = b.tenant_id AND a.bill_id = b.id
                WHERE b.kind = 'bill' AND b.state = 'posted' AND b.open_minor = 0 GROUP BY b.id, b.received_at) AS s;
        INSERT INTO passage (tenant_id, step_id, from_step, to_step, subject_kind, subject_id, on_day, elapsed_ms,
                business_ms)
            SELECT s.tenant_id, s.id, p.from_step, s.step, s.subject_kind, s.subject_id, s.on_day, p.elapsed_ms,
                   p.business_ms
            FROM step s CROSS JOIN LATERAL passages_to(s) p;
    END LOOP;
    PERFORM set_config('app.tenant_id', '', true);
END $$;
DROP FUNCTION pg_temp.id_of(timestamptz, uuid, integer);

-- From here on.
CREATE TRIGGER passages AFTER INSERT ON step REFERENCING NEW TABLE AS added
    FOR EACH STATEMENT EXECUTE FUNCTION record_passages();
ALTER TABLE step ENABLE ALWAYS TRIGGER passages;
