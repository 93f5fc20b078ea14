//! Opens a company's books, and its further fiscal years.

use chrono::NaiveDate;
use kernel::{Kind, NewEvent, Tx};
use sea_orm::Value;
use serde_json::json;
use uuid::Uuid;

use super::{Chart, months_from, name_of};
use crate::error::Error;

/// Opens the books of a new company in the caller's transaction: chart, journals, and the fiscal year (twelve
/// monthly periods) that begins on `first_day`. The books are kept in the company's currency.
pub async fn open_books_in(tx: &Tx, chart: Chart, first_day: NaiveDate) -> Result<(), Error> {
    let open: Option<(bool,)> = tx.tuple("SELECT EXISTS (SELECT FROM journal)", []).await?;
    if open == Some((true,)) {
        return Err(Error::BooksAlreadyOpen);
    }
    let accounts: Vec<serde_json::Value> = chart
        .accounts()?
        .into_iter()
        .map(|account| {
            json!({
                "id": tx.new_id(), "number": account.number, "name": account.name, "name_en": account.name_en,
                "kind": account.kind.as_str(), "role": account.role.map(crate::account::Role::as_str),
                "reconcilable": account.reconcilable, "party_required": account.party_required,
            })
        })
        .collect();
    write(
        tx,
        "INSERT INTO account (tenant_id, id, number, name, name_en, kind, role, reconcilable, party_required,
             created_at, created_by, updated_at, updated_by)
         SELECT $1, r.id, r.number, r.name, r.name_en, r.kind, r.role, r.reconcilable, r.party_required, $3, $4, $3, $4
         FROM jsonb_to_recordset($2) AS r(id uuid, number text, name text, name_en text, kind text, role text,
             reconcilable boolean, party_required boolean)",
        accounts,
    )
    .await?;
    let journals = chart.journals();
    let journals = journals
        .iter()
        .map(|(code, name, kind)| {
            json!({ "id": tx.new_id(), "code": code, "name": name, "kind": kind.as_str() })
        })
        .collect();
    write(
        tx,
        "INSERT INTO journal (tenant_id, id, code, name, kind, created_at, created_by, updated_at, updated_by)
         SELECT $1, r.id, r.code, r.name, r.kind, $3, $4, $3, $4
         FROM jsonb_to_recordset($2) AS r(id uuid, code text, name text, kind text)",
        journals,
    )
    .await?;
    open_year(tx, first_day).await?;
    Ok(())
}

/// Opens the fiscal year that follows the last one, in the caller's transaction.
pub async fn open_next_year_in(tx: &Tx) -> Result<(), Error> {
    let last: Option<(NaiveDate,)> = tx
        .tuple("SELECT last_day FROM fiscal_year ORDER BY first_day DESC LIMIT 1 FOR NO KEY UPDATE", [])
        .await?;
    let (last,) = last.ok_or(Error::BooksNotOpen)?;
    let first_day = last.succ_opt().ok_or_else(end_of_calendar)?;
    open_year(tx, first_day).await?;
    Ok(())
}

fn end_of_calendar() -> Error {
    Error::invalid("firstDay", "the calendar ends before this fiscal year does")
}

/// Writes a fiscal year of twelve months and its periods.
async fn open_year(tx: &Tx, first_day: NaiveDate) -> Result<Uuid, Error> {
    let months = months_from(first_day).ok_or_else(end_of_calendar)?;
    let last_day = months.last().map(|(_, last)| *last).ok_or_else(end_of_calendar)?;
    let id = tx.new_id();
    let name = name_of(first_day, last_day);
    let year = json!({ "id": id, "name": name, "first_day": first_day, "last_day": last_day });
    write(
        tx,
        "INSERT INTO fiscal_year (tenant_id, id, name, first_day, last_day, created_at, created_by, updated_at, updated_by)
         SELECT $1, r.id, r.name, r.first_day, r.last_day, $3, $4, $3, $4
         FROM jsonb_to_recordset($2) AS r(id uuid, name text, first_day date, last_day date)",
        vec![year],
    )
    .await?;
    let periods = months
        .iter()
        .zip(1..)
        .map(|((first, last), number): (_, i16)| {
            json!({ "id": tx.new_id(), "year": id, "number": number, "first_day": first, "last_day": last })
        })
        .collect();
    write(
        tx,
        "INSERT INTO period (tenant_id, id, fiscal_year_id, number, first_day, last_day,
             created_at, created_by, updated_at, updated_by)
         SELECT $1, r.id, r.year, r.number, r.first_day, r.last_day, $3, $4, $3, $4
         FROM jsonb_to_recordset($2) AS r(id uuid, year uuid, number smallint, first_day date, last_day date)",
        periods,
    )
    .await?;
    NewEvent::new("fiscal_year.opened", Kind::FiscalYear, id).fact("firstDay", first_day).append(tx).await?;
    Ok(id)
}

/// Inserts rows given as JSON: `$1` company, `$2` rows, `$3` now, `$4` actor.
async fn write(tx: &Tx, sql: &str, rows: Vec<serde_json::Value>) -> Result<(), Error> {
    let scope = tx.scope();
    let values: [Value; 4] = [
        scope.company().id.into(),
        serde_json::Value::from(rows).into(),
        scope.clock().now().into(),
        scope.actor().stored().into(),
    ];
    tx.run(sql, values).await?;
    Ok(())
}
