-- Exchange rates as the company uses them. What was posted keeps its own rate: changing one here changes no entry.

CREATE TABLE exchange_rate (
    tenant_id  uuid NOT NULL,
    id         uuid NOT NULL,
    currency   text NOT NULL CHECK (currency ~ '^[A-Z]{3}$'),
    on_date    date NOT NULL,
    -- The company's currency for one unit of `currency`.
    rate       numeric NOT NULL CHECK (rate > 0),
    version    integer NOT NULL DEFAULT 1,
    created_at timestamptz NOT NULL,
    created_by text NOT NULL,
    updated_at timestamptz NOT NULL,
    updated_by text NOT NULL,
    PRIMARY KEY (tenant_id, id),
    CONSTRAINT exchange_rate_day UNIQUE (tenant_id, currency, on_date)
);
SELECT wall_company_table('exchange_rate', 'SELECT, INSERT, UPDATE');
CREATE INDEX exchange_rate_newest ON exchange_rate (tenant_id, on_date, id);
