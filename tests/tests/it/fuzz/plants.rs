//! Holes that are planted by SQL in a throw-away database, and what a run must say of each.

/// A hole, and where it shows.
pub(super) struct Plant {
    pub name: &'static str,
    pub sql: &'static str,
    /// Fields that must be said to show or tell something.
    pub seen: &'static [&'static str],
    /// Fields that must be said to change something.
    pub changed: &'static [&'static str],
    /// Whether nothing else may be told of.
    pub only: bool,
}

/// One of each way in which a wall can be missing.
pub(super) const PLANTS: [Plant; 10] = [
    Plant {
        name: "a policy that lets all be read",
        sql: "DROP POLICY company ON exchange_rate;
              CREATE POLICY company ON exchange_rate TO coulisse_server, coulisse_owner USING (true)",
        seen: &["exchangeRates", "node"],
        changed: &[],
        only: false,
    },
    Plant {
        name: "a policy that lets some rows be read",
        sql: "CREATE POLICY archive ON party FOR SELECT TO coulisse_server USING (archived_at IS NOT NULL)",
        seen: &["parties", "party"],
        changed: &[],
        only: false,
    },
    Plant {
        name: "row security switched off on one table",
        sql: "ALTER TABLE file NO FORCE ROW LEVEL SECURITY; ALTER TABLE file DISABLE ROW LEVEL SECURITY",
        seen: &["file"],
        changed: &[],
        only: false,
    },
    Plant {
        name: "a function of the owner that answers for all",
        sql: "CREATE OR REPLACE FUNCTION companies_of(person uuid)
                  RETURNS TABLE (tenant_id uuid, name text, role text, role_name text, mode text)
                  LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
                  SELECT c.tenant_id, c.name, 'auditor', NULL, c.mode FROM company c ORDER BY c.tenant_id $$",
        seen: &["viewer"],
        changed: &[],
        only: false,
    },
    Plant {
        name: "a view of the superuser in a table's place",
        sql: "ALTER TABLE allocation RENAME TO allocation_rows;
              CREATE VIEW allocation AS SELECT * FROM allocation_rows;
              GRANT SELECT, INSERT ON allocation TO coulisse_server",
        seen: &["node"],
        changed: &[],
        only: false,
    },
    Plant {
        name: "a foreign key without the company",
        sql: "ALTER TABLE item DROP CONSTRAINT item_tenant_id_account_id_fkey;
              CREATE UNIQUE INDEX account_alone ON account (id);
              ALTER TABLE item ADD CONSTRAINT item_account_id_fkey FOREIGN KEY (account_id) REFERENCES account (id)",
        seen: &["createItem", "updateItem"],
        changed: &[],
        only: true,
    },
    Plant {
        name: "a trigger that fails otherwise where another company has the id",
        sql: "CREATE FUNCTION slip() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
              BEGIN
                  IF EXISTS (SELECT FROM account WHERE id = NEW.account_id AND tenant_id <> NEW.tenant_id) THEN
                      RAISE EXCEPTION 'no such account';
                  END IF;
                  RETURN NEW;
              END $$;
              CREATE TRIGGER slip BEFORE INSERT ON item FOR EACH ROW EXECUTE FUNCTION slip()",
        seen: &["createItem"],
        changed: &[],
        only: true,
    },
    Plant {
        name: "a unique key without the company",
        sql: "CREATE UNIQUE INDEX party_external_ref_alone ON party (external_ref)",
        seen: &["createParty", "updateParty"],
        changed: &[],
        only: true,
    },
    Plant {
        name: "a policy that lets another's row be changed",
        sql: "CREATE POLICY slip ON api_key TO coulisse_server USING (true) WITH CHECK (true)",
        seen: &["apiKeys"],
        changed: &["revokeApiKey", "rotateApiKey", "updateApiKey"],
        only: false,
    },
    Plant {
        name: "a trigger that writes to another company beside",
        sql: "CREATE FUNCTION slip() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
              BEGIN
                  UPDATE membership SET version = version + 1 WHERE tenant_id <> NEW.tenant_id;
                  RETURN NEW;
              END $$;
              CREATE TRIGGER slip AFTER INSERT ON tax_code FOR EACH ROW EXECUTE FUNCTION slip()",
        seen: &[],
        changed: &["createTaxCode", "createCompany", "createTestTwin", "signUp"],
        only: true,
    },
];
