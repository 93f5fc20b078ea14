//! L1 in the catalogue: no table of a company forgets a wall, and no function or grant opens one unseen.

use sqlx::Row;
use sqlx::postgres::PgConnection;
use testing::TestDb;

/// The global tables: what is not a company's. Exempt by name; anything else is walled.
const GLOBAL: [&str; 21] = [
    "_sqlx_migrations",
    "access_change",
    "api_key_hash",
    "credential",
    "device",
    "federated_identity",
    "mail",
    "oauth_assertion",
    "oauth_code",
    "oauth_family",
    "oauth_refresh",
    "passkey",
    "person",
    "proof",
    "public_holiday",
    "recovery_code",
    "session",
    "signing_key",
    "throttle",
    "totp",
    "wanted_letter",
];

/// What looks across companies, by name.
const DEFINERS: [&str; 19] = [
    "api_key_principal",
    "companies_of",
    "company_facts",
    "domain_holder",
    "domain_is_taken",
    "embed_link_company",
    "end_kpi_version",
    "fail_kpi_version",
    "fill_slice",
    "may_act",
    "member_rights",
    "oauth_client_of",
    "oauth_grant_principal",
    "oauth_standing_grant",
    "session_principal",
    "sso_provider_company",
    "sso_providers_of_domain",
    "sweep_slice",
    "switch_kpi_version",
];

/// Tables on which the worker's role has a policy that looks across companies.
const WORKER: [&str; 10] = [
    "event",
    "event_head",
    "event_queue",
    "event_seal",
    "idempotency_record",
    "kpi_alert_mark",
    "kpi_delta",
    "kpi_head",
    "kpi_rollup",
    "kpi_slice",
];

async fn texts(connection: &mut PgConnection, sql: &'static str) -> Vec<String> {
    let rows = sqlx::query(sql).fetch_all(connection).await.expect(sql);
    rows.iter().map(|row| row.try_get::<String, _>(0).expect("text")).collect()
}

#[tokio::test]
async fn every_table_is_walled_or_on_the_list_of_global_ones() {
    let test = TestDb::new().await;
    let mut all = test.superuser().await;
    let unwalled = texts(
        &mut all,
        "SELECT c.relname::text FROM pg_class c
         WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p', 'm', 'v')
           AND NOT (c.relrowsecurity AND c.relforcerowsecurity AND c.relkind IN ('r', 'p')
             AND EXISTS (SELECT FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attname = 'tenant_id'
                 AND a.attnotnull AND a.atttypid = 'uuid'::regtype)
             AND EXISTS (SELECT FROM pg_policy p WHERE p.polrelid = c.oid AND p.polname = 'company'
                 AND pg_get_expr(p.polqual, c.oid) = '(tenant_id = ( SELECT app_tenant() AS app_tenant))'
                 AND pg_get_expr(p.polwithcheck, c.oid) = '(tenant_id = ( SELECT app_tenant() AS app_tenant))'))
         ORDER BY 1",
    )
    .await;
    assert_eq!(unwalled, GLOBAL);
}

#[tokio::test]
async fn every_key_of_a_companys_table_starts_with_the_company() {
    let test = TestDb::new().await;
    let mut all = test.superuser().await;
    let wrong = texts(
        &mut all,
        "SELECT c.conrelid::regclass || '.' || c.conname FROM pg_constraint c
         JOIN pg_attribute t ON t.attrelid = c.conrelid AND t.attname = 'tenant_id'
         JOIN pg_class r ON r.oid = c.conrelid AND r.relforcerowsecurity
         LEFT JOIN pg_attribute f ON f.attrelid = c.confrelid AND f.attname = 'tenant_id'
         WHERE c.contype IN ('p', 'u', 'x', 'f')
           AND (c.conkey[1] <> t.attnum OR (c.contype = 'f' AND c.confkey[1] IS DISTINCT FROM f.attnum))
         UNION ALL
         SELECT i.indrelid::regclass || '.' || i.indexrelid::regclass FROM pg_index i
         JOIN pg_attribute t ON t.attrelid = i.indrelid AND t.attname = 'tenant_id'
         JOIN pg_class r ON r.oid = i.indrelid AND r.relforcerowsecurity
         WHERE i.indisunique AND i.indkey[0] <> t.attnum ORDER BY 1",
    )
    .await;
    assert_eq!(wrong, Vec::<String>::new());
}

#[tokio::test]
async fn every_id_of_a_companys_row_tells_whether_the_company_is_a_twin() {
    let test = TestDb::new().await;
    let mut all = test.superuser().await;
    let silent = texts(
        &mut all,
        "SELECT c.relname::text FROM pg_class c
         JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'id' AND a.atttypid = 'uuid'::regtype
         WHERE c.relforcerowsecurity AND NOT EXISTS (SELECT FROM pg_constraint k WHERE k.conrelid = c.oid
             AND k.contype = 'c' AND k.convalidated
             AND pg_get_constraintdef(k.oid) = 'CHECK ((is_test_id(id) = is_test_id(tenant_id)))')",
    )
    .await;
    assert_eq!(silent, Vec::<String>::new());
}

#[tokio::test]
async fn no_foreign_key_leads_from_a_company_to_a_global_table() {
    let test = TestDb::new().await;
    let mut all = test.superuser().await;
    let leading = texts(
        &mut all,
        "SELECT c.conrelid::regclass || ' -> ' || c.confrelid::regclass FROM pg_constraint c
         JOIN pg_class own ON own.oid = c.conrelid AND own.relforcerowsecurity
         JOIN pg_class other ON other.oid = c.confrelid AND NOT other.relforcerowsecurity WHERE c.contype = 'f'",
    )
    .await;
    assert_eq!(leading, Vec::<String>::new());
}

#[tokio::test]
async fn the_servers_role_neither_owns_nor_passes_by() {
    let test = TestDb::new().await;
    let mut all = test.superuser().await;
    let strong = texts(
        &mut all,
        "SELECT rolname::text FROM pg_roles WHERE rolname LIKE 'coulisse%' AND (rolsuper OR rolbypassrls OR rolcreaterole)",
    )
    .await;
    assert_eq!(strong, Vec::<String>::new());
    let owned = texts(
        &mut all,
        "SELECT c.relname::text FROM pg_class c WHERE c.relnamespace = 'public'::regnamespace
         AND pg_get_userbyid(c.relowner) <> 'coulisse_owner' AND c.relkind IN ('r', 'p', 'v', 'm', 'S')",
    )
    .await;
    assert_eq!(owned, Vec::<String>::new());
    let destructive = texts(
        &mut all,
        "SELECT grantee || ' ' || privilege_type || ' ' || table_name FROM information_schema.role_table_grants
         WHERE table_schema = 'public' AND grantee IN ('coulisse_server', 'coulisse_worker', 'PUBLIC')
           AND privilege_type IN ('TRUNCATE', 'REFERENCES', 'TRIGGER')",
    )
    .await;
    assert_eq!(destructive, Vec::<String>::new());
}

#[tokio::test]
async fn what_looks_across_companies_is_on_a_short_list() {
    let test = TestDb::new().await;
    let mut all = test.superuser().await;
    let callable = texts(
        &mut all,
        "SELECT p.proname::text FROM pg_proc p WHERE p.pronamespace = 'public'::regnamespace AND p.prosecdef
           AND p.prorettype <> 'trigger'::regtype ORDER BY 1",
    )
    .await;
    assert_eq!(callable, DEFINERS);
    let open = texts(
        &mut all,
        "SELECT p.proname::text FROM pg_proc p WHERE p.pronamespace = 'public'::regnamespace AND p.prosecdef
           AND NOT coalesce(p.proconfig::text LIKE '%search_path=public, pg_temp%', false)",
    )
    .await;
    assert_eq!(open, Vec::<String>::new(), "SECURITY DEFINER without a fixed search_path");
    let public = texts(
        &mut all,
        "SELECT p.proname::text FROM pg_proc p WHERE p.pronamespace = 'public'::regnamespace AND p.prosecdef
           AND p.prorettype <> 'trigger'::regtype
           AND has_function_privilege('public', p.oid, 'EXECUTE')",
    )
    .await;
    assert_eq!(public, Vec::<String>::new(), "SECURITY DEFINER that anybody may call");
    let worker = texts(
        &mut all,
        "SELECT DISTINCT c.relname::text FROM pg_policy p JOIN pg_class c ON c.oid = p.polrelid
         WHERE 'coulisse_worker'::regrole = ANY(p.polroles) ORDER BY 1",
    )
    .await;
    assert_eq!(worker, WORKER);
}

#[tokio::test]
async fn a_guard_reads_the_tables_it_means() {
    let test = TestDb::new().await;
    let mut all = test.superuser().await;
    // A temporary table of the same name would come first in the search path of who runs the statement.
    let loose = texts(
        &mut all,
        "SELECT p.proname::text FROM pg_proc p WHERE p.pronamespace = 'public'::regnamespace
           AND p.prorettype = 'trigger'::regtype AND p.prosrc ~* '\\y(from|update|insert into|delete from)\\y'
           AND NOT coalesce(p.proconfig::text LIKE '%search_path=public, pg_temp%', false) ORDER BY 1",
    )
    .await;
    assert_eq!(loose, Vec::<String>::new());
}

#[tokio::test]
async fn conditions_and_indexes_use_what_policies_leave_usable() {
    let test = TestDb::new().await;
    let mut all = test.superuser().await;
    // Under policies only leakproof operators reach an index; these types have none. (Uniqueness is another matter.)
    let useless = texts(
        &mut all,
        "SELECT i.indexrelid::regclass || ' on ' || a.attname FROM pg_index i
         JOIN pg_class r ON r.oid = i.indrelid AND r.relforcerowsecurity
         JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = ANY(i.indkey)
         WHERE NOT i.indisunique AND (a.atttypid IN ('numeric'::regtype, 'jsonb'::regtype) OR (SELECT typtype FROM pg_type WHERE oid = a.atttypid) = 'e')",
    )
    .await;
    assert_eq!(useless, Vec::<String>::new());
}
