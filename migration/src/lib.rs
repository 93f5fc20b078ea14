//! The schema of the database: tables, policies, triggers and roles, as forward-only SQL.
//!
//! Migrations expand first and contract later, so that two versions of the server can run beside each other;
//! they run under a lock, so that two replicas can start at once. This crate never reads a company's rows.

use sqlx::migrate::Migrator;
use sqlx::postgres::{PgConnectOptions, PgConnection};
use sqlx::{Connection, Executor};

static MIGRATOR: Migrator = sqlx::migrate!("./migrations");

/// Why the database could not be prepared.
#[derive(Debug, thiserror::Error)]
pub enum MigrationError {
    /// PostgreSQL cannot be reached, or refuses.
    #[error("database: {0}")]
    Database(#[from] sqlx::Error),
    /// A migration failed, or the database holds one that this version does not know or that has changed.
    #[error("migration: {0}")]
    Migration(#[from] sqlx::migrate::MigrateError),
    /// A role's name or password cannot be written in SQL.
    #[error("passwords of roles must not contain quotes, backslashes or control characters")]
    Password,
}

/// The passwords of the three roles that sign in.
#[derive(Clone, Debug)]
pub struct RolePasswords {
    /// `coulisse_owner`: owns the schema, only migrates.
    pub owner: String,
    /// `coulisse_server`: serves requests, under the policies.
    pub server: String,
    /// `coulisse_worker`: seals events and folds figures, by named grants.
    pub worker: String,
}

/// Creates the roles and the database where they are missing, as a superuser, and sets the passwords.
pub async fn prepare(
    admin_url: &str,
    database: &str,
    passwords: &RolePasswords,
) -> Result<(), MigrationError> {
    let mut admin = PgConnection::connect(admin_url).await?;
    // Roles belong to the whole cluster: two who prepare at once would collide.
    admin.execute("SELECT pg_advisory_lock(7313012)").await?;
    for (role, password) in [
        ("coulisse_owner", &passwords.owner),
        ("coulisse_server", &passwords.server),
        ("coulisse_worker", &passwords.worker),
    ] {
        if password.contains(['\'', '\\']) || password.contains(char::is_control) {
            return Err(MigrationError::Password);
        }
        let create = format!(
            "DO $$ BEGIN
                 IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '{role}') THEN CREATE ROLE {role}; END IF;
             END $$;
             ALTER ROLE {role} LOGIN NOSUPERUSER NOBYPASSRLS NOCREATEDB NOCREATEROLE PASSWORD '{password}'"
        );
        admin.execute(sqlx::AssertSqlSafe(create)).await?;
    }
    let exists: Option<i32> = sqlx::query_scalar("SELECT 1 FROM pg_database WHERE datname = $1")
        .bind(database)
        .fetch_optional(&mut admin)
        .await?;
    if exists.is_none() {
        let create = format!(
            "CREATE DATABASE \"{}\" OWNER coulisse_owner TEMPLATE template0 ENCODING 'UTF8'",
            database.replace('"', "\"\"")
        );
        admin.execute(sqlx::AssertSqlSafe(create)).await?;
    }
    // The owner builds in `public`, where nobody else may create anything.
    let options: PgConnectOptions = admin_url.parse()?;
    let mut inside = PgConnection::connect_with(&options.database(database)).await?;
    inside.execute("ALTER SCHEMA public OWNER TO coulisse_owner").await?;
    inside.close().await?;
    admin.close().await?;
    Ok(())
}

/// Drops a database with all that is in it, as a superuser. For the demo's half-written start, and for nothing else.
pub async fn discard(admin_url: &str, database: &str) -> Result<(), MigrationError> {
    let mut admin = PgConnection::connect(admin_url).await?;
    let drop = format!("DROP DATABASE IF EXISTS \"{}\" WITH (FORCE)", database.replace('"', "\"\""));
    admin.execute(sqlx::AssertSqlSafe(drop)).await?;
    admin.close().await?;
    Ok(())
}

/// Brings the schema up to date, as its owner. Waits for another replica that is at it.
pub async fn run(owner_url: &str) -> Result<(), MigrationError> {
    let mut owner = PgConnection::connect(owner_url).await?;
    // A migration that waits behind long transactions would stall every later query: better it fails, and is tried again.
    owner.execute("SET lock_timeout = '10s'; SET statement_timeout = 0").await?;
    MIGRATOR.run(&mut owner).await?;
    owner.close().await?;
    Ok(())
}

/// Migrations that this version knows and the database does not have yet.
pub async fn pending(url: &str) -> Result<Vec<String>, MigrationError> {
    let mut connection = PgConnection::connect(url).await?;
    let applied: Vec<i64> = sqlx::query_scalar("SELECT version FROM _sqlx_migrations WHERE success")
        .fetch_all(&mut connection)
        .await
        .unwrap_or_default();
    connection.close().await?;
    Ok(MIGRATOR
        .iter()
        .filter(|m| !applied.contains(&m.version))
        .map(|m| format!("{:04} {}", m.version, m.description))
        .collect())
}

/// A short text that differs between any two versions of the schema.
pub fn fingerprint() -> String {
    use std::fmt::Write;
    let mut fingerprint = String::new();
    for byte in MIGRATOR.iter().flat_map(|m| m.checksum.iter()).fold([0_u8; 8], |mut sum, byte| {
        sum.rotate_left(1);
        sum[0] = sum[0].wrapping_mul(31).wrapping_add(*byte);
        sum
    }) {
        // Writing to a String cannot fail.
        let _written = write!(fingerprint, "{byte:02x}");
    }
    fingerprint
}
