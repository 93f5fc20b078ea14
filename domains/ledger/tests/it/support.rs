//! What the tests of the ledger share.

use chrono::NaiveDate;
use futures_util::future::BoxFuture;
use kernel::{Scope, Tx};
use ledger::Error;
use ledger::account::Role;
use ledger::entry::{AccountRef, JournalKind, NewEntry, NewLine, Posted, post_in};
use ledger::year::{Chart, open_books_in};
use sqlx::postgres::PgConnection;
use testing::{TestDb, day};
use uuid::Uuid;

/// A company whose French books of 2026 are open.
pub(crate) async fn company(test: &TestDb) -> Scope {
    let scope = test.company().await;
    write(&scope, |tx| Box::pin(async move { open_books_in(tx, Chart::FrPcg, day("2026-01-01")).await }))
        .await
        .expect("books");
    scope
}

/// A database with one company whose books are open.
pub(crate) async fn books() -> (TestDb, Scope) {
    let test = TestDb::new().await;
    let scope = company(&test).await;
    (test, scope)
}

/// One transaction.
pub(crate) async fn write<T: Send>(
    scope: &Scope,
    work: impl for<'t> Fn(&'t Tx) -> BoxFuture<'t, Result<T, Error>> + Sync,
) -> Result<T, Error> {
    scope.write(work).await
}

/// Reads in one snapshot.
pub(crate) async fn read<T>(scope: &Scope, work: impl AsyncFnOnce(&Tx) -> T) -> T {
    let tx = scope.read().await.expect("snapshot");
    let value = work(&tx).await;
    tx.end().await;
    value
}

/// A line on the account of a role.
pub(crate) fn line(role: Role, amount_minor: i64) -> NewLine {
    NewLine::new(AccountRef::Role(role), amount_minor)
}

/// A line on the receivable or payable account, of a party and due on a day.
pub(crate) fn owed(role: Role, amount_minor: i64, party: Uuid, due: &str) -> NewLine {
    NewLine { party: Some(party), due_on: Some(day(due)), ..line(role, amount_minor) }
}

/// An entry of a journal.
pub(crate) fn entry(journal: JournalKind, date: &str, lines: Vec<NewLine>) -> NewEntry {
    NewEntry { journal, date: day(date), label: "Test".to_owned(), piece: None, source: None, lines }
}

/// A sale in cash: bank against goods.
pub(crate) fn sale(date: &str, amount_minor: i64) -> NewEntry {
    entry(
        JournalKind::Sales,
        date,
        vec![line(Role::Bank, amount_minor), line(Role::SalesGoods, -amount_minor)],
    )
}

/// Posts in a transaction of its own.
pub(crate) async fn post(scope: &Scope, entry: &NewEntry) -> Result<Posted, Error> {
    write(scope, |tx| {
        let entry = entry.clone();
        Box::pin(async move { post_in(tx, entry).await })
    })
    .await
}

/// The account of a number.
pub(crate) async fn account(scope: &Scope, number: &str) -> entity::ledger::account::Model {
    let tx = scope.read().await.expect("snapshot");
    let found = ledger::account::service::by_number(&tx, number).await.expect("read");
    tx.end().await;
    found.unwrap_or_else(|| panic!("account {number}"))
}

/// The period of a day.
pub(crate) async fn period(scope: &Scope, date: NaiveDate) -> entity::ledger::period::Model {
    let tx = scope.read().await.expect("snapshot");
    let sql = "SELECT * FROM period WHERE first_day <= $1 AND last_day >= $1";
    let found = tx.one(sql, [date.into()]).await.expect("read");
    tx.end().await;
    found.expect("a period")
}

/// A single value of a statement in a snapshot of the company.
pub(crate) async fn value<T: sea_orm::TryGetable + Send>(scope: &Scope, sql: &str) -> T
where
    (T,): sea_orm::TryGetableMany,
{
    let tx = scope.read().await.expect("snapshot");
    let row: Option<(T,)> = tx.tuple(sql, []).await.expect(sql);
    tx.end().await;
    row.expect("a row").0
}

/// A raw connection of the server's role, with the company set for the session.
pub(crate) async fn raw(test: &TestDb, scope: &Scope) -> PgConnection {
    raw_as(test, scope, "coulisse_server").await
}

/// A raw connection of a role, with the company set for the session.
pub(crate) async fn raw_as(test: &TestDb, scope: &Scope, role: &str) -> PgConnection {
    let mut connection = test.raw(role).await;
    let set = format!("SET app.tenant_id = '{}'", scope.company().id);
    sqlx::raw_sql(sqlx::AssertSqlSafe(set)).execute(&mut connection).await.expect("tenant");
    connection
}

/// Runs raw SQL; the SQLSTATE when it is refused.
pub(crate) async fn run(connection: &mut PgConnection, sql: &str) -> Result<(), String> {
    match sqlx::raw_sql(sqlx::AssertSqlSafe(sql.to_owned())).execute(connection).await {
        Ok(_) => Ok(()),
        Err(error) => Err(error
            .as_database_error()
            .and_then(sqlx::error::DatabaseError::code)
            .unwrap_or_default()
            .into_owned()),
    }
}

/// The code of a refusal.
pub(crate) fn code<T: std::fmt::Debug>(result: &Result<T, Error>) -> &'static str {
    kernel::DomainError::code(result.as_ref().expect_err("refused"))
}

/// A small deterministic generator (splitmix64): the same work in every run.
pub(crate) struct Dice(pub u64);

impl Dice {
    /// A number below `bound`.
    pub(crate) fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (z ^ (z >> 31)) % bound
    }
}

/// The last fiscal year.
pub(crate) async fn last_year(tx: &Tx) -> uuid::Uuid {
    ledger::year::service::list(tx).await.expect("years").first().expect("a year").id
}
