//! A transaction of one company. sea-orm's own cannot set the tenant in the round trip of its `BEGIN`.

use std::future::Future;

use sea_orm::{
    ConnectionTrait, DbBackend, DbErr, EntityTrait, ExecResult, FromQueryResult, QueryResult, RuntimeErr,
    Select, Statement, TryGetableMany, Value,
};
use sea_query_sqlx::SqlxValues;
use sqlx::Executor;
use sqlx::postgres::Postgres;
use tokio::sync::Mutex;

use crate::fault::Fault;
use crate::scope::Scope;

/// A transaction of one company: a snapshot to read, or a unit of work to write.
#[derive(Debug)]
pub struct Tx {
    scope: Scope,
    inner: Mutex<Option<sqlx::Transaction<'static, Postgres>>>,
}

/// A prepared statement with its values. The text is static in all our code, values are always bound.
fn prepared(statement: &Statement) -> sqlx::query::Query<'_, Postgres, SqlxValues> {
    let values = statement.values.clone().unwrap_or_else(|| sea_orm::Values(Vec::new()));
    sqlx::query_with(sqlx::AssertSqlSafe(statement.sql.as_str()), SqlxValues(values))
}

fn failed(error: sqlx::Error) -> DbErr {
    DbErr::Query(RuntimeErr::SqlxError(error.into()))
}

fn ended() -> DbErr {
    DbErr::Custom("the transaction has ended".to_owned())
}

impl Tx {
    pub(crate) fn new(scope: Scope, inner: sqlx::Transaction<'static, Postgres>) -> Self {
        Self { scope, inner: Mutex::new(Some(inner)) }
    }

    /// Whose transaction this is.
    pub fn scope(&self) -> &Scope {
        &self.scope
    }

    /// An id for a new row of this company, see [`Scope::new_id`].
    pub fn new_id(&self) -> uuid::Uuid {
        self.scope.new_id()
    }

    /// A query over a company's rows starts here (the bare `EntityTrait::find` is disallowed).
    #[expect(
        clippy::disallowed_methods,
        reason = "the one door to an entity's rows: a transaction with a tenant"
    )]
    pub fn find<E: EntityTrait>(&self, _entity: E) -> Select<E> {
        E::find()
    }

    /// All rows of a statement, as models or partial models.
    pub async fn all<M: FromQueryResult>(
        &self,
        sql: &str,
        values: impl IntoIterator<Item = Value>,
    ) -> Result<Vec<M>, Fault> {
        let rows = self.query_all_raw(statement(sql, values)).await?;
        rows.iter().map(|row| M::from_query_result(row, "").map_err(Fault::from)).collect()
    }

    /// The first row of a statement, if there is one.
    pub async fn one<M: FromQueryResult>(
        &self,
        sql: &str,
        values: impl IntoIterator<Item = Value>,
    ) -> Result<Option<M>, Fault> {
        let row = self.query_one_raw(statement(sql, values)).await?;
        row.map(|row| M::from_query_result(&row, "").map_err(Fault::from)).transpose()
    }

    /// The rows of a statement as tuples, by the order of their columns.
    pub async fn tuples<T: TryGetableMany>(
        &self,
        sql: &str,
        values: impl IntoIterator<Item = Value>,
    ) -> Result<Vec<T>, Fault> {
        let rows = self.query_all_raw(statement(sql, values)).await?;
        rows.iter().map(|row| T::try_get_many_by_index(row).map_err(|e| Fault::Database(e.into()))).collect()
    }

    /// The first row of a statement as a tuple; a single column is a tuple of one.
    pub async fn tuple<T: TryGetableMany>(
        &self,
        sql: &str,
        values: impl IntoIterator<Item = Value>,
    ) -> Result<Option<T>, Fault> {
        let row = self.query_one_raw(statement(sql, values)).await?;
        row.map(|row| T::try_get_many_by_index(&row).map_err(|e| Fault::Database(e.into()))).transpose()
    }

    /// Runs a statement; how many rows it touched.
    pub async fn run(&self, sql: &str, values: impl IntoIterator<Item = Value>) -> Result<u64, Fault> {
        Ok(self.execute_raw(statement(sql, values)).await?.rows_affected())
    }

    /// Runs `work` in a savepoint: when it fails, its effects are undone and the transaction goes on. Savepoints
    /// nest: a failed one is released as well, else the next failure around it would stop at it.
    pub async fn savepoint<T, E: From<Fault>>(
        &self,
        work: impl Future<Output = Result<T, E>>,
    ) -> Result<T, E> {
        self.execute_unprepared("SAVEPOINT work").await.map_err(Fault::from)?;
        let result = work.await;
        let end = if result.is_ok() {
            "RELEASE SAVEPOINT work"
        } else {
            "ROLLBACK TO SAVEPOINT work; RELEASE SAVEPOINT work"
        };
        // After a fault the connection may be gone; then the first error is the one that tells.
        match (self.execute_unprepared(end).await, result) {
            (Err(error), Ok(_)) => Err(Fault::from(error).into()),
            (_, result) => result,
        }
    }

    /// Commits; for a snapshot, ends it.
    pub(crate) async fn commit(&self) -> Result<(), Fault> {
        match self.inner.lock().await.take() {
            Some(transaction) => Ok(transaction.commit().await?),
            None => Err(ended().into()),
        }
    }

    /// Undoes everything. A failure needs no answer: PostgreSQL ends what its client has left.
    pub(crate) async fn rollback(&self) {
        if let Some(transaction) = self.inner.lock().await.take()
            && let Err(error) = transaction.rollback().await
        {
            tracing::debug!(%error, "rollback failed; the connection is dropped");
        }
    }

    /// Ends a snapshot and gives its connection back at once.
    pub async fn end(&self) {
        self.rollback().await;
    }
}

/// A statement of PostgreSQL with its values.
pub fn statement(sql: &str, values: impl IntoIterator<Item = Value>) -> Statement {
    Statement::from_sql_and_values(DbBackend::Postgres, sql, values)
}

#[async_trait::async_trait]
impl ConnectionTrait for Tx {
    fn get_database_backend(&self) -> DbBackend {
        DbBackend::Postgres
    }

    async fn execute_raw(&self, stmt: Statement) -> Result<ExecResult, DbErr> {
        let mut inner = self.inner.lock().await;
        let connection = inner.as_mut().ok_or_else(ended)?;
        prepared(&stmt).execute(&mut **connection).await.map(ExecResult::from).map_err(failed)
    }

    async fn execute_unprepared(&self, sql: &str) -> Result<ExecResult, DbErr> {
        let mut inner = self.inner.lock().await;
        let connection = inner.as_mut().ok_or_else(ended)?;
        let result = (&mut **connection).execute(sqlx::AssertSqlSafe(sql.to_owned())).await;
        result.map(ExecResult::from).map_err(failed)
    }

    async fn query_one_raw(&self, stmt: Statement) -> Result<Option<QueryResult>, DbErr> {
        let mut inner = self.inner.lock().await;
        let connection = inner.as_mut().ok_or_else(ended)?;
        let row = prepared(&stmt).fetch_optional(&mut **connection).await;
        row.map(|row| row.map(QueryResult::from)).map_err(failed)
    }

    async fn query_all_raw(&self, stmt: Statement) -> Result<Vec<QueryResult>, DbErr> {
        let mut inner = self.inner.lock().await;
        let connection = inner.as_mut().ok_or_else(ended)?;
        let rows = prepared(&stmt).fetch_all(&mut **connection).await;
        rows.map(|rows| rows.into_iter().map(QueryResult::from).collect()).map_err(failed)
    }
}
