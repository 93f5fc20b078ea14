-- Whom a company sells to and buys from, what it trades, and the tax on it.

CREATE TABLE party (
    tenant_id      uuid NOT NULL,
    id             uuid NOT NULL,
    is_customer    boolean NOT NULL DEFAULT false,
    is_supplier    boolean NOT NULL DEFAULT false,
    name           text NOT NULL CHECK (length(name) BETWEEN 1 AND 200),
    -- Stored, because `lower()` is not leakproof and would keep an index unused under policies; by code points,
    -- because only then an index serves `starts_with`.
    name_lower     text COLLATE "C" NOT NULL GENERATED ALWAYS AS (lower(name)) STORED,
    -- SIREN in France, else the national register's number.
    legal_id       text,
    siret          text CHECK (siret ~ '^[0-9]{14}$'),
    vat_id         text CHECK (vat_id ~ '^[A-Z]{2}[0-9A-Z+*]{2,15}$'),
    email          text,
    phone          text,
    street         text,
    street2        text,
    postcode       text,
    city           text,
    country        text NOT NULL CHECK (country ~ '^[A-Z]{2}$'),
    currency       text NOT NULL CHECK (currency ~ '^[A-Z]{3}$'),
    payment_days   smallint NOT NULL DEFAULT 30 CHECK (payment_days BETWEEN 0 AND 365),
    -- Days, then the end of that month (fin de mois).
    end_of_month   boolean NOT NULL DEFAULT false,
    -- Whether this supplier's VAT is deductible when paid (TVA sur les encaissements) and not when billed.
    vat_on_payment boolean NOT NULL DEFAULT false,
    -- Sealed; the digest finds an equal one without opening it, the hint shows its last four characters.
    iban_sealed    bytea,
    iban_digest    bytea,
    iban_hint      text,
    bic            text CHECK (bic ~ '^[A-Z0-9]{8}([A-Z0-9]{3})?$'),
    external_ref   text CHECK (length(external_ref) BETWEEN 1 AND 200),
    version        integer NOT NULL DEFAULT 1,
    created_at     timestamptz NOT NULL,
    created_by     text NOT NULL,
    updated_at     timestamptz NOT NULL,
    updated_by     text NOT NULL,
    archived_at    timestamptz,
    PRIMARY KEY (tenant_id, id),
    UNIQUE (tenant_id, external_ref),
    CHECK (is_customer OR is_supplier),
    CHECK ((iban_sealed IS NULL) = (iban_digest IS NULL) AND (iban_sealed IS NULL) = (iban_hint IS NULL))
);
SELECT wall_company_table('party', 'SELECT, INSERT, UPDATE');
CREATE INDEX party_name ON party (tenant_id, name_lower, id);
CREATE INDEX party_vat_id ON party (tenant_id, vat_id);
CREATE INDEX party_legal_id ON party (tenant_id, legal_id);

-- A tax code says which category and rate of EN 16931 applies, and when the tax becomes chargeable.
CREATE TABLE tax_code (
    tenant_id   uuid NOT NULL,
    id          uuid NOT NULL,
    code        text NOT NULL CHECK (length(code) BETWEEN 1 AND 20),
    name        text NOT NULL,
    -- UNCL 5305 as EN 16931 narrows it: S standard, Z zero, E exempt, AE reverse charge, K intra-community,
    -- G export, O out of scope.
    category    text NOT NULL CHECK (category IN ('S', 'Z', 'E', 'AE', 'K', 'G', 'O')),
    -- Percent.
    rate        numeric(6, 3) NOT NULL CHECK (rate >= 0 AND rate <= 100),
    -- Why no tax is charged; needed for E, AE, K, G and O.
    reason      text,
    -- 'debits' when invoiced (sur les débits), 'payment' when paid (sur les encaissements).
    chargeable  text NOT NULL DEFAULT 'debits' CHECK (chargeable IN ('debits', 'payment')),
    version     integer NOT NULL DEFAULT 1,
    created_at  timestamptz NOT NULL,
    created_by  text NOT NULL,
    updated_at  timestamptz NOT NULL,
    updated_by  text NOT NULL,
    archived_at timestamptz,
    PRIMARY KEY (tenant_id, id),
    UNIQUE (tenant_id, code),
    CHECK ((category = 'S') = (rate > 0)),
    CHECK (category IN ('S', 'Z') OR reason IS NOT NULL)
);
SELECT wall_company_table('tax_code', 'SELECT, INSERT, UPDATE');

CREATE TABLE item (
    tenant_id    uuid NOT NULL,
    id           uuid NOT NULL,
    code         text NOT NULL CHECK (length(code) BETWEEN 1 AND 60),
    name         text NOT NULL CHECK (length(name) BETWEEN 1 AND 200),
    name_lower   text COLLATE "C" NOT NULL GENERATED ALWAYS AS (lower(name)) STORED,
    nature       text NOT NULL CHECK (nature IN ('goods', 'services')),
    -- UN/ECE Recommendation 20, e.g. C62 (piece), HUR (hour).
    unit         text NOT NULL DEFAULT 'C62',
    unit_price   numeric NOT NULL CHECK (unit_price >= 0),
    currency     text NOT NULL CHECK (currency ~ '^[A-Z]{3}$'),
    tax_code_id  uuid NOT NULL,
    -- The income account of its sales; NULL: the chart's default for its nature.
    account_id   uuid,
    external_ref text CHECK (length(external_ref) BETWEEN 1 AND 200),
    version      integer NOT NULL DEFAULT 1,
    created_at   timestamptz NOT NULL,
    created_by   text NOT NULL,
    updated_at   timestamptz NOT NULL,
    updated_by   text NOT NULL,
    archived_at  timestamptz,
    PRIMARY KEY (tenant_id, id),
    UNIQUE (tenant_id, code),
    UNIQUE (tenant_id, external_ref),
    FOREIGN KEY (tenant_id, tax_code_id) REFERENCES tax_code (tenant_id, id),
    FOREIGN KEY (tenant_id, account_id) REFERENCES account (tenant_id, id)
);
SELECT wall_company_table('item', 'SELECT, INSERT, UPDATE');
CREATE INDEX item_name ON item (tenant_id, name_lower, id);
