//! What tests of every crate share: a database of their own from a migrated template, and companies in it.

#![expect(clippy::missing_panics_doc, reason = "a test support panics when the test cannot go on")]

pub mod authenticator;
pub mod smtp;

use std::time::Duration;

use chrono::{DateTime, Utc};
use kernel::db::DbOptions;
use kernel::{Actor, Clock, Company, Currency, Db, Mode, Origin, PermissionSet, Scope, vault::Vault};
use migration::RolePasswords;
use sqlx::postgres::{PgConnectOptions, PgConnection};
use sqlx::{Connection, Executor};
use uuid::Uuid;

/// The passwords of the throw-away cluster's roles.
fn passwords() -> RolePasswords {
    let fixed = || "test".to_owned();
    RolePasswords { owner: fixed(), server: fixed(), worker: fixed() }
}

fn admin_url() -> String {
    std::env::var("COULISSE_TEST_DATABASE_URL").expect(
        "COULISSE_TEST_DATABASE_URL: run `make test`, or `cargo run -p cluster --bin with-services -- cargo test …`",
    )
}

/// Redis of this test run.
pub fn redis_url() -> String {
    std::env::var("COULISSE_TEST_REDIS_URL").expect("COULISSE_TEST_REDIS_URL: run `make test`")
}

/// A database of one test, dropped with it.
#[derive(Debug)]
pub struct TestDb {
    name: String,
    admin: PgConnectOptions,
    /// The pools of the server's and the worker's roles.
    pub db: Db,
    /// The clock of every scope that this gives; it stands at 2026-06-15 10:00 UTC until it is set.
    pub clock: Clock,
    /// The keys of every scope that this gives.
    pub vault: Vault,
}

impl TestDb {
    /// A fresh, migrated database.
    pub async fn new() -> Self {
        Self::with_connections(10).await
    }

    /// A fresh, migrated database whose server pool holds so many connections.
    pub async fn with_connections(connections: u32) -> Self {
        Self::in_cluster(&admin_url(), connections).await
    }

    /// A fresh, migrated database in a cluster of one's own, by its superuser's URL.
    pub async fn in_cluster(url: &str, connections: u32) -> Self {
        let admin: PgConnectOptions = url.parse().expect("the URL of a cluster");
        let template = template(&admin, url).await;
        let clock = Clock::fixed(at("2026-06-15T10:00:00Z"));
        let vault = Vault::parse(&Vault::fresh_setting()).expect("vault");
        Self::from_template(admin, &template, connections, clock, vault).await
    }

    /// A copy of this database with all that is in it. Nobody may use it meanwhile: close its pools before, and end
    /// the servers on it.
    pub async fn copy(&self) -> Self {
        Self::from_template(self.admin.clone(), &self.name, 10, self.clock.clone(), self.vault.clone()).await
    }

    async fn from_template(
        admin: PgConnectOptions,
        template: &str,
        connections: u32,
        clock: Clock,
        vault: Vault,
    ) -> Self {
        let name = format!("test_{}", Uuid::now_v7().simple());
        let mut connection = PgConnection::connect_with(&admin).await.expect("PostgreSQL answers");
        let create = format!("CREATE DATABASE {name} OWNER coulisse_owner TEMPLATE {template}");
        let mut patience = 100;
        while let Err(error) = connection.execute(sqlx::AssertSqlSafe(create.clone())).await {
            // Who has just left the template is seen in it for a moment longer.
            let in_use = error
                .as_database_error()
                .and_then(sqlx::error::DatabaseError::code)
                .is_some_and(|code| code == "55006");
            assert!(in_use && patience > 0, "a database from the template: {error}");
            patience -= 1;
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        connection.close().await.expect("closed");
        let url = |role: &str| role_url(&admin, role, &name);
        let options = DbOptions {
            server_url: url("coulisse_server"),
            worker_url: url("coulisse_worker"),
            connections,
            prepared_statements: true,
        };
        Self { db: Db::connect(&options).expect("pools"), clock, vault, name, admin }
    }

    /// The URL of a role, e.g. `coulisse_server`, on this database.
    pub fn url(&self, role: &str) -> String {
        role_url(&self.admin, role, &self.name)
    }

    /// A connection as a role, outside of any scope: for tests that attack the walls.
    pub async fn raw(&self, role: &str) -> PgConnection {
        PgConnection::connect(&self.url(role)).await.expect("a raw connection")
    }

    /// A connection as the superuser of the throw-away cluster.
    pub async fn superuser(&self) -> PgConnection {
        PgConnection::connect_with(&self.admin.clone().database(&self.name))
            .await
            .expect("a superuser connection")
    }

    /// A euro company in Paris, bare: its row and its heads; no accounts, no members.
    pub async fn company(&self) -> Scope {
        let id = kernel::id::new();
        let roles = ["owner", "accountant", "sales", "purchaser", "auditor"];
        let mut owner = self.superuser().await;
        sqlx::query(
            "WITH h AS (INSERT INTO event_head (tenant_id) VALUES ($1)),
                  k AS (INSERT INTO kpi_head (tenant_id, zone) VALUES ($1, 'Europe/Paris')),
                  r AS (INSERT INTO role (tenant_id, id, key, built_in, created_at, created_by, updated_at, updated_by)
                        SELECT $1, role.id, role.key, true, $2, 'system', $2, 'system'
                        FROM unnest($3::uuid[], $4::text[]) AS role (id, key))
             INSERT INTO company (tenant_id, id, name, legal_form, country, currency, zone, locale, fiscal_year_month,
                 chart, created_at, created_by, updated_at, updated_by)
             VALUES ($1, $1, 'Test', 'SAS', 'FR', 'EUR', 'Europe/Paris', 'fr', 1, 'fr_pcg', $2, 'system', $2, 'system')",
        )
        .bind(id)
        .bind(self.clock.now())
        .bind(roles.map(|_| kernel::id::new()))
        .bind(roles)
        .execute(&mut owner)
        .await
        .expect("a company");
        self.scope(id, Actor::Person(kernel::id::new()), PermissionSet::all())
    }

    /// A scope of a company in euros and Paris, for an actor with permissions.
    pub fn scope(&self, company: Uuid, actor: Actor, permissions: PermissionSet) -> Scope {
        let company = Company {
            id: company,
            mode: Mode::Live,
            currency: Currency::EUR,
            zone: chrono_tz_paris(),
            locale: "fr".to_owned(),
        };
        Scope::open(
            self.db.clone(),
            self.vault.clone(),
            self.clock.clone(),
            company,
            actor,
            permissions,
            Origin::default(),
        )
    }

    /// Folds and seals until nothing is pending.
    pub async fn settle(&self) {
        while !kernel::folder::fold_pending(&self.db).await.expect("fold").is_empty() {}
        while kernel::sequencer::seal_pending(&self.db).await.expect("seal") > 0 {}
    }
}

fn chrono_tz_paris() -> chrono_tz::Tz {
    chrono_tz::Europe::Paris
}

/// An instant written in RFC 3339.
pub fn at(text: &str) -> DateTime<Utc> {
    text.parse().expect("an instant in RFC 3339")
}

/// A date written in ISO 8601.
pub fn day(text: &str) -> chrono::NaiveDate {
    text.parse().expect("a date in ISO 8601")
}

fn role_url(admin: &PgConnectOptions, role: &str, database: &str) -> String {
    format!("postgres://{role}:test@{}:{}/{database}", admin.get_host(), admin.get_port())
}

/// The migrated template of this schema; built once a cluster, by whichever test comes first.
async fn template(admin: &PgConnectOptions, url: &str) -> String {
    let name = format!("template_{}", migration::fingerprint());
    let mut connection = PgConnection::connect_with(admin).await.expect("PostgreSQL answers");
    connection.execute("SELECT pg_advisory_lock(7313013)").await.expect("lock");
    let ready: Option<i32> =
        sqlx::query_scalar("SELECT 1 FROM pg_database WHERE datname = $1 AND datistemplate")
            .bind(&name)
            .fetch_optional(&mut connection)
            .await
            .expect("pg_database");
    if ready.is_none() {
        let drop = format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)");
        connection.execute(sqlx::AssertSqlSafe(drop)).await.expect("drop half a template");
        migration::prepare(url, &name, &passwords()).await.expect("prepare");
        migration::run(&role_url(admin, "coulisse_owner", &name)).await.expect("migrate");
        let done = format!("ALTER DATABASE {name} IS_TEMPLATE true");
        connection.execute(sqlx::AssertSqlSafe(done)).await.expect("mark as template");
    }
    connection.close().await.expect("closed");
    name
}

impl Drop for TestDb {
    fn drop(&mut self) {
        let (admin, name) = (self.admin.clone(), self.name.clone());
        let cleaner = std::thread::spawn(move || {
            let runtime =
                tokio::runtime::Builder::new_current_thread().enable_all().build().expect("runtime");
            runtime.block_on(async {
                let mut connection = PgConnection::connect_with(&admin).await?;
                let drop = format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)");
                tokio::time::timeout(Duration::from_secs(10), connection.execute(sqlx::AssertSqlSafe(drop)))
                    .await
                    .map_err(|_| sqlx::Error::PoolTimedOut)??;
                Ok::<_, sqlx::Error>(())
            })
        });
        // A database that stays behind goes with its throw-away cluster.
        let _left = cleaner.join();
    }
}

/// The plainest domain error: for tests of what lies below every domain.
#[derive(Debug)]
pub enum Failed {
    /// A fault of ours.
    Fault(kernel::Fault),
    /// A missing permission.
    Denied(kernel::Denied),
    /// A refusal.
    Refused,
}

impl std::fmt::Display for Failed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{self:?}")
    }
}

impl std::error::Error for Failed {}

impl From<kernel::Fault> for Failed {
    fn from(fault: kernel::Fault) -> Self {
        Self::Fault(fault)
    }
}

impl From<kernel::Denied> for Failed {
    fn from(denied: kernel::Denied) -> Self {
        Self::Denied(denied)
    }
}

impl kernel::DomainError for Failed {
    fn fault(&self) -> Option<&kernel::Fault> {
        match self {
            Self::Fault(fault) => Some(fault),
            _ => None,
        }
    }
    fn denied(&self) -> Option<kernel::Denied> {
        match self {
            Self::Denied(denied) => Some(*denied),
            _ => None,
        }
    }
    fn code(&self) -> &'static str {
        "TEST"
    }
    fn field(&self) -> Option<String> {
        None
    }
}
