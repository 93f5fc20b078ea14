//! The pools: one for requests, one for the workers that look across companies.

use std::time::Duration;

use sqlx::postgres::{PgConnectOptions, PgPool, PgPoolOptions};
use sqlx::{Postgres, Transaction};

use crate::fault::Fault;

/// How the server reaches PostgreSQL.
#[derive(Clone, Debug)]
pub struct DbOptions {
    /// `postgres://…` of the server's role, to which the policies apply.
    pub server_url: String,
    /// `postgres://…` of the worker's role.
    pub worker_url: String,
    /// Most connections that requests may hold.
    pub connections: u32,
    /// Whether statements are prepared by name; off behind a pooler that cannot keep them.
    pub prepared_statements: bool,
}

/// Longest wait for a free connection before the request answers "unavailable".
const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(3);

/// Longest that a statement of a request runs: what nobody waits for any more is cancelled by PostgreSQL itself.
const REQUEST_STATEMENT: &str = "5s";
/// Longest that a statement of a worker runs.
const WORKER_STATEMENT: &str = "30s";

/// Connections to PostgreSQL. Domain code never sees it: it is handed a [`crate::Scope`].
#[derive(Clone, Debug)]
pub struct Db {
    server: PgPool,
    worker: PgPool,
}

impl Db {
    /// Prepares the pools; connections open when they are first needed, so a server starts without PostgreSQL.
    pub fn connect(options: &DbOptions) -> Result<Self, Fault> {
        let parse = |url: &str, longest: &str| -> Result<PgConnectOptions, Fault> {
            let parsed: PgConnectOptions = url.parse()?;
            let kept = if options.prepared_statements { 200 } else { 0 };
            // A statement that outlives these is a fault of ours; PostgreSQL ends it and frees its locks.
            Ok(parsed.statement_cache_capacity(kept).options([
                ("application_name", "coulisse"),
                ("statement_timeout", longest),
                ("lock_timeout", "5s"),
                ("idle_in_transaction_session_timeout", "10s"),
                ("TimeZone", "UTC"),
                // Our statements find rows by keys and walk indexes: the plan is the same whatever the values. Planned
                // anew at each execution, as PostgreSQL does with arrays, planning costs more than running.
                ("plan_cache_mode", "force_generic_plan"),
            ]))
        };
        let pool = |connections| {
            // Pinging each connection at each acquire would cost a round trip a request; a dead one shows
            // itself in the first statement, and is replaced.
            PgPoolOptions::new()
                .max_connections(connections)
                .acquire_timeout(ACQUIRE_TIMEOUT)
                .test_before_acquire(false)
        };
        Ok(Self {
            server: pool(options.connections)
                .connect_lazy_with(parse(&options.server_url, REQUEST_STATEMENT)?),
            worker: pool(4).connect_lazy_with(parse(&options.worker_url, WORKER_STATEMENT)?),
        })
    }

    /// The pool of the server's role. For the kernel, for sign-in, and for health checks: tables of companies
    /// answer nothing here, for no tenant is set.
    pub fn server(&self) -> &PgPool {
        &self.server
    }

    /// The pool on which the global tables are read and written: people, their credentials and sessions, keys' hashes.
    /// For identity and mail alone, and never inside a company's transaction: the directory may be another database.
    pub fn directory(&self) -> &PgPool {
        &self.server
    }

    /// A transaction on the directory; it may be given up while it begins.
    pub async fn begin_directory(&self) -> Result<Transaction<'static, Postgres>, Fault> {
        begin(self.directory(), "BEGIN".to_owned()).await
    }

    /// The pool of the worker's role: event queue, seals, deltas and rollups of all companies, nothing else.
    pub fn worker(&self) -> &PgPool {
        &self.worker
    }

    /// Closes both pools once their transactions have ended.
    pub async fn close(&self) {
        self.server.close().await;
        self.worker.close().await;
    }
}

/// Begins a transaction. A `BEGIN` that was sent is waited for even if nobody waits for it any more (a request that was
/// given up), and is rolled back then: dropped halfway, it would leave its connection in a transaction that the pool knows
/// nothing of.
pub(crate) async fn begin(pool: &PgPool, statement: String) -> Result<Transaction<'static, Postgres>, Fault> {
    let pool = pool.clone();
    let begun = tokio::spawn(async move { pool.begin_with(sqlx::AssertSqlSafe(statement)).await });
    let begun =
        begun.await.map_err(|error| Fault::Internal(format!("a transaction did not begin: {error}")))?;
    Ok(begun?)
}
