//! What users do with fiscal years and periods. Closing a year stands in `closing.rs`.

use chrono::NaiveDate;
use entity::ledger::{fiscal_year, period};
use kernel::{Kind, NewEvent, Permission, Tx};
use uuid::Uuid;

use super::PeriodState;
use crate::error::{Error, same_version};

pub use super::closing::close_year;

/// Opens the fiscal year after the last one, which the caller names, so that a call made twice opens one year:
/// twelve months. Needs `ledger.close`.
pub async fn open_next_year(tx: &Tx, after: Uuid) -> Result<Uuid, Error> {
    tx.scope().require(Permission::LedgerClose)?;
    let sql = "SELECT first_day FROM fiscal_year WHERE id = $1 FOR NO KEY UPDATE";
    let named: Option<(NaiveDate,)> = tx.tuple(sql, [after.into()]).await?;
    let (first_day,) = named.ok_or(Error::NotFound(Kind::FiscalYear, "afterFiscalYearId"))?;
    // Asked once the lock is held: who waited for it sees the year that the other has opened.
    let later: Option<(bool,)> =
        tx.tuple("SELECT EXISTS (SELECT FROM fiscal_year WHERE first_day > $1)", [first_day.into()]).await?;
    if later == Some((true,)) {
        return Err(Error::invalid(
            "afterFiscalYearId",
            "a fiscal year follows this one already: name the last one",
        ));
    }
    super::open_next_year_in(tx).await?;
    let opened: Option<(Uuid,)> =
        tx.tuple("SELECT id FROM fiscal_year ORDER BY first_day DESC LIMIT 1", []).await?;
    opened.map(|(id,)| id).ok_or(Error::BooksNotOpen)
}

/// All fiscal years, the latest first. Needs `ledger.read`.
pub async fn list(tx: &Tx) -> Result<Vec<fiscal_year::Model>, Error> {
    tx.scope().require(Permission::LedgerRead)?;
    Ok(tx.all("SELECT * FROM fiscal_year ORDER BY first_day DESC", []).await?)
}

/// The fiscal years of these ids; unknown ones are left out. Needs `ledger.read`.
pub async fn by_ids(tx: &Tx, ids: &[Uuid]) -> Result<Vec<fiscal_year::Model>, Error> {
    tx.scope().require(Permission::LedgerRead)?;
    Ok(tx.all("SELECT * FROM fiscal_year WHERE id = ANY($1)", [ids.to_vec().into()]).await?)
}

/// The fiscal year of a day, if there is one. Needs `ledger.read`.
pub async fn of_day(tx: &Tx, day: NaiveDate) -> Result<Option<fiscal_year::Model>, Error> {
    tx.scope().require(Permission::LedgerRead)?;
    year_of(tx, day).await
}

pub(crate) async fn year_of(tx: &Tx, day: NaiveDate) -> Result<Option<fiscal_year::Model>, Error> {
    Ok(tx.one("SELECT * FROM fiscal_year WHERE first_day <= $1 AND last_day >= $1", [day.into()]).await?)
}

/// The periods of fiscal years, by year and number. Needs `ledger.read`.
pub async fn periods_of(tx: &Tx, years: &[Uuid]) -> Result<Vec<period::Model>, Error> {
    tx.scope().require(Permission::LedgerRead)?;
    let sql = "SELECT * FROM period WHERE fiscal_year_id = ANY($1) ORDER BY fiscal_year_id, number";
    Ok(tx.all(sql, [years.to_vec().into()]).await?)
}

/// The periods of these ids; unknown ones are left out. Needs `ledger.read`.
pub async fn periods_by_ids(tx: &Tx, ids: &[Uuid]) -> Result<Vec<period::Model>, Error> {
    tx.scope().require(Permission::LedgerRead)?;
    Ok(tx.all("SELECT * FROM period WHERE id = ANY($1)", [ids.to_vec().into()]).await?)
}

/// Loads a period and locks it: postings that are under way end first, later ones wait.
async fn load(tx: &Tx, id: Uuid, expected_version: i32) -> Result<period::Model, Error> {
    let found: Option<period::Model> =
        tx.one("SELECT * FROM period WHERE id = $1 FOR UPDATE", [id.into()]).await?;
    let found = found.ok_or(Error::NotFound(Kind::Period, "id"))?;
    same_version(expected_version, found.version)?;
    Ok(found)
}

async fn set_state(
    tx: &Tx,
    before: &period::Model,
    state: PeriodState,
    event: &'static str,
) -> Result<Uuid, Error> {
    let scope = tx.scope();
    tx.run(
        "UPDATE period SET state = $2, version = version + 1, updated_at = $3, updated_by = $4 WHERE id = $1",
        [before.id.into(), state.as_str().into(), scope.clock().now().into(), scope.actor().stored().into()],
    )
    .await?;
    NewEvent::new(event, Kind::Period, before.id)
        .case(before.fiscal_year_id)
        .changed("state", before.state.as_str(), state.as_str())
        .append(tx)
        .await?;
    Ok(before.id)
}

/// Locks an open period: it takes no entries until it is reopened. Needs `ledger.close`.
pub async fn lock_period(tx: &Tx, id: Uuid, expected_version: i32) -> Result<Uuid, Error> {
    tx.scope().require(Permission::LedgerClose)?;
    let period = load(tx, id, expected_version).await?;
    match PeriodState::parse(&period.state) {
        Some(PeriodState::Open) => set_state(tx, &period, PeriodState::Locked, "period.locked").await,
        Some(PeriodState::Locked) => Err(Error::WrongState("the period is locked already")),
        _ => Err(Error::WrongState("the period is closed, for good")),
    }
}

/// Opens a locked period again. Needs `ledger.close`.
pub async fn reopen_period(tx: &Tx, id: Uuid, expected_version: i32) -> Result<Uuid, Error> {
    tx.scope().require(Permission::LedgerClose)?;
    let period = load(tx, id, expected_version).await?;
    match PeriodState::parse(&period.state) {
        Some(PeriodState::Locked) => set_state(tx, &period, PeriodState::Open, "period.reopened").await,
        Some(PeriodState::Open) => Err(Error::WrongState("the period is open")),
        _ => Err(Error::WrongState("the period is closed, for good")),
    }
}

/// Closes a locked period, for good: after the earlier ones, and never the last of a year, which closes with it.
/// Needs `ledger.close`.
pub async fn close_period(tx: &Tx, id: Uuid, expected_version: i32) -> Result<Uuid, Error> {
    tx.scope().require(Permission::LedgerClose)?;
    let period = load(tx, id, expected_version).await?;
    match PeriodState::parse(&period.state) {
        Some(PeriodState::Locked) => {}
        Some(PeriodState::Open) => return Err(Error::WrongState("the period is open: lock it first")),
        _ => return Err(Error::WrongState("the period is closed already")),
    }
    let is_last: Option<(bool,)> = tx
        .tuple(
            "SELECT last_day = $2 FROM fiscal_year WHERE id = $1",
            [period.fiscal_year_id.into(), period.last_day.into()],
        )
        .await?;
    if is_last == Some((true,)) {
        return Err(Error::WrongState("the last period of a fiscal year takes its result: close the year"));
    }
    let earlier: Option<(NaiveDate,)> = tx
        .tuple(
            "SELECT first_day FROM period WHERE first_day < $1 AND state <> 'closed' ORDER BY first_day LIMIT 1",
            [period.first_day.into()],
        )
        .await?;
    if let Some((day,)) = earlier {
        return Err(Error::EarlierFirst(format!("the period of {}", day.format("%Y-%m"))));
    }
    set_state(tx, &period, PeriodState::Closed, "period.closed").await
}
