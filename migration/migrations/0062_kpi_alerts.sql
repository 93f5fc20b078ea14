-- Alerts: a figure that is worse than a threshold of its definition, from when to when, and who looks after it.

CREATE TABLE kpi_alert (
    tenant_id       uuid NOT NULL,
    id              uuid NOT NULL,
    kpi_id          uuid NOT NULL,
    -- How bad it is: the threshold that is passed, or the last one that was.
    level           text NOT NULL CHECK (level IN ('warning', 'critical')),
    -- The worst that it has been.
    peak_level      text NOT NULL CHECK (peak_level IN ('warning', 'critical')),
    opened_at       timestamptz NOT NULL,
    -- The company's day.
    opened_on       date NOT NULL,
    -- In the definition's unit; of money, in this currency.
    opened_value    numeric NOT NULL,
    currency        text CHECK (currency ~ '^[A-Z]{3}$'),
    -- At the last change of its level.
    value           numeric NOT NULL,
    closed_at       timestamptz,
    -- None where there was nothing left to measure.
    closed_value    numeric,
    closed_because  text CHECK (closed_because IN ('better', 'nothing_to_measure', 'no_threshold')),
    -- The worst level that letters have told.
    told_level      text CHECK (told_level IN ('warning', 'critical')),
    acknowledged_at timestamptz,
    acknowledged_by text,
    -- No letter until then.
    snoozed_until   timestamptz,
    assignee_id     uuid,
    version         integer NOT NULL DEFAULT 1,
    PRIMARY KEY (tenant_id, id),
    FOREIGN KEY (tenant_id, kpi_id) REFERENCES kpi_definition (tenant_id, id),
    FOREIGN KEY (tenant_id, assignee_id) REFERENCES membership (tenant_id, id),
    CHECK (peak_level = 'critical' OR level = 'warning'),
    CHECK ((closed_at IS NULL) = (closed_because IS NULL)),
    CHECK ((acknowledged_at IS NULL) = (acknowledged_by IS NULL))
);
-- A figure has one open alert at most, however many evaluate it.
CREATE UNIQUE INDEX kpi_alert_open ON kpi_alert (tenant_id, kpi_id) WHERE closed_at IS NULL;
SELECT wall_company_table('kpi_alert', 'SELECT, INSERT');
GRANT UPDATE (level, peak_level, value, closed_at, closed_value, closed_because, told_level, acknowledged_at,
    acknowledged_by, snoozed_until, assignee_id, version) ON kpi_alert TO coulisse_server;

-- What is closed stays closed, and the worst stays the worst.
CREATE TRIGGER frozen_closed BEFORE UPDATE ON kpi_alert
    FOR EACH ROW WHEN (OLD.closed_at IS NOT NULL) EXECUTE FUNCTION refuse_change('a closed alert stays as it is');
CREATE TRIGGER frozen_peak BEFORE UPDATE OF peak_level ON kpi_alert
    FOR EACH ROW WHEN (OLD.peak_level = 'critical' AND NEW.peak_level <> 'critical')
    EXECUTE FUNCTION refuse_change('the worst that an alert has been stays');
ALTER TABLE kpi_alert ENABLE ALWAYS TRIGGER frozen_closed;
ALTER TABLE kpi_alert ENABLE ALWAYS TRIGGER frozen_peak;

-- kpi.alert: alerts at the day they were opened, by how they stand. With its version a changed alert moves the company's
-- revision like any other change, and whoever follows the alerts is told.
CREATE FUNCTION kpi_alert_facts(a kpi_alert)
    RETURNS TABLE (cube text, day date, dim1 text, dim2 text, dim3 text, currency text, count bigint, sum1 bigint,
                   sum2 bigint)
    LANGUAGE sql IMMUTABLE AS $$
    SELECT 'kpi.alert', a.opened_on, CASE WHEN a.closed_at IS NULL THEN a.level ELSE 'closed' END, '', '', '',
           1::bigint, a.version::bigint, 0::bigint
$$;
SELECT keep_cubes('kpi_alert');

-- How far a company's alerts are evaluated. Locked by whoever evaluates them: so an alert opens and closes once.
CREATE TABLE kpi_alert_mark (
    tenant_id      uuid NOT NULL PRIMARY KEY,
    -- Whether a definition has a threshold, or an alert is open.
    active         boolean NOT NULL DEFAULT true,
    -- The revision of the last evaluation.
    revision       bigint NOT NULL DEFAULT -1,
    -- When letters are due, if any are.
    letters_due_at timestamptz
);
SELECT wall_company_table('kpi_alert_mark', 'SELECT, INSERT');
GRANT UPDATE (active, revision, letters_due_at) ON kpi_alert_mark TO coulisse_server;
-- Who evaluates looks for companies whose figures have moved.
GRANT SELECT ON kpi_alert_mark TO coulisse_worker;
CREATE POLICY worker ON kpi_alert_mark FOR SELECT TO coulisse_worker USING (true);

-- A company is evaluated from its first threshold on.
CREATE FUNCTION kpi_definition_watched() RETURNS trigger LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
    INSERT INTO kpi_alert_mark AS m (tenant_id) VALUES (NEW.tenant_id)
        ON CONFLICT (tenant_id) DO UPDATE SET active = true WHERE NOT m.active;
    RETURN NULL;
END $$;
REVOKE EXECUTE ON FUNCTION kpi_definition_watched() FROM PUBLIC;
CREATE TRIGGER watched_insert AFTER INSERT ON kpi_definition
    FOR EACH ROW WHEN (NEW.warning IS NOT NULL OR NEW.critical IS NOT NULL)
    EXECUTE FUNCTION kpi_definition_watched();
CREATE TRIGGER watched_update AFTER UPDATE ON kpi_definition
    FOR EACH ROW WHEN (NEW.warning IS NOT NULL OR NEW.critical IS NOT NULL)
    EXECUTE FUNCTION kpi_definition_watched();

-- Who wants to know of alerts: of one figure, or of all. What is wanted of one figure goes before what is wanted of all.
CREATE TABLE kpi_subscription (
    tenant_id     uuid NOT NULL,
    id            uuid NOT NULL,
    membership_id uuid NOT NULL,
    kpi_id        uuid,
    min_level     text NOT NULL CHECK (min_level IN ('warning', 'critical')),
    -- Whether by letter too.
    mail          boolean NOT NULL,
    created_at    timestamptz NOT NULL,
    updated_at    timestamptz NOT NULL,
    PRIMARY KEY (tenant_id, id),
    FOREIGN KEY (tenant_id, membership_id) REFERENCES membership (tenant_id, id),
    FOREIGN KEY (tenant_id, kpi_id) REFERENCES kpi_definition (tenant_id, id)
);
CREATE UNIQUE INDEX kpi_subscription_one ON kpi_subscription (tenant_id, membership_id, kpi_id) WHERE kpi_id IS NOT NULL;
CREATE UNIQUE INDEX kpi_subscription_all ON kpi_subscription (tenant_id, membership_id) WHERE kpi_id IS NULL;
SELECT wall_company_table('kpi_subscription', 'SELECT, INSERT, DELETE');
GRANT UPDATE (min_level, mail, updated_at) ON kpi_subscription TO coulisse_server;
