-- Which rights are used, by whom and when: what a review of accesses asks for. By the day, and not by the request.

CREATE TABLE permission_use (
    tenant_id     uuid NOT NULL,
    -- A member or a program, as events name it: `person:…`, `api_key:…`.
    actor         text NOT NULL CHECK (length(actor) BETWEEN 1 AND 100),
    permission    text NOT NULL CHECK (permission ~ '^[a-z_]+\.[a-z_]+$'),
    first_used_on date NOT NULL,
    last_used_on  date NOT NULL,
    PRIMARY KEY (tenant_id, actor, permission),
    CHECK (first_used_on <= last_used_on)
);
SELECT wall_company_table('permission_use', 'SELECT, INSERT');
GRANT UPDATE (last_used_on) ON permission_use TO coulisse_server;

-- Since when it is noted: what is not there was not used since then. Companies that are here already begin today.
ALTER TABLE company ADD COLUMN uses_noted_from date NOT NULL DEFAULT current_date;
