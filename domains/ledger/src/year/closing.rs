//! Closes a fiscal year: the result goes to 120 or 129 on its last day, and the balances that it leaves open the
//! next year (à-nouveaux), on its first day and in the opening journal (PCG art. 921-1 and following).
//!
//! Receivable and payable accounts are opened by party. What is still to be matched stays on the original lines:
//! opening lines only repeat them, are never matched, and aged reports leave them out.

use chrono::NaiveDate;
use entity::ledger::fiscal_year;
use kernel::{Kind, NewEvent, Permission, Tx};
use uuid::Uuid;

use super::{YearState, open_next_year_in};
use crate::account::{Role, known};
use crate::entry::{AccountRef, EntryKind, JournalKind, NewEntry, NewLine, Posted, write_and_post};
use crate::error::{Error, same_version};

/// Closes a fiscal year whose last day is over, for good, and opens the next one if it is missing. Earlier years close
/// first, and drafts dated in the year are posted, redated or discarded first. Needs `ledger.close`.
pub async fn close_year(tx: &Tx, id: Uuid, expected_version: i32) -> Result<Uuid, Error> {
    let scope = tx.scope();
    scope.require(Permission::LedgerClose)?;
    // Not FOR UPDATE: who is posting holds the period and needs the year's key; each would wait for the other.
    let year: Option<fiscal_year::Model> =
        tx.one("SELECT * FROM fiscal_year WHERE id = $1 FOR NO KEY UPDATE", [id.into()]).await?;
    let year = year.ok_or(Error::NotFound(Kind::FiscalYear, "id"))?;
    same_version(expected_version, year.version)?;
    if year.state == YearState::Closed.as_str() {
        return Err(Error::WrongState("the fiscal year is closed already"));
    }
    if year.last_day >= scope.today() {
        return Err(Error::YearNotOver(year.last_day));
    }
    earlier_are_closed(tx, &year).await?;
    // Whoever is posting into the year ends first; nobody can begin once this lock is held.
    tx.run("SELECT FROM period WHERE fiscal_year_id = $1 ORDER BY first_day FOR UPDATE", [id.into()]).await?;
    no_drafts_remain(tx, &year).await?;
    set_periods(tx, id, "open", "locked").await?;
    let next = next_year(tx, &year).await?;
    let result = post_result(tx, &year).await?;
    let opening = post_opening(tx, &year, next).await?;
    set_periods(tx, id, "locked", "closed").await?;
    tx.run(
        "UPDATE fiscal_year SET state = 'closed', closed_at = $2, closed_by = $3, version = version + 1,
             updated_at = $2, updated_by = $3 WHERE id = $1",
        [id.into(), scope.clock().now().into(), scope.actor().stored().into()],
    )
    .await?;
    let public = |entry: Option<Posted>| entry.map(|entry| kernel::id::encode(Kind::JournalEntry, entry.id));
    NewEvent::new("fiscal_year.closed", Kind::FiscalYear, id)
        .fact("result", public(result))
        .fact("opening", public(opening))
        .append(tx)
        .await?;
    Ok(id)
}

async fn earlier_are_closed(tx: &Tx, year: &fiscal_year::Model) -> Result<(), Error> {
    let earlier: Option<(String,)> = tx
        .tuple(
            "SELECT name FROM fiscal_year WHERE first_day < $1 AND state = 'open' ORDER BY first_day LIMIT 1",
            [year.first_day.into()],
        )
        .await?;
    earlier.map_or(Ok(()), |(name,)| Err(Error::EarlierFirst(format!("the fiscal year {name}"))))
}

async fn no_drafts_remain(tx: &Tx, year: &fiscal_year::Model) -> Result<(), Error> {
    let drafts: Option<(i64,)> = tx
        .tuple(
            "SELECT count(*) FROM journal_entry WHERE state = 'draft' AND entry_date BETWEEN $1 AND $2",
            [year.first_day.into(), year.last_day.into()],
        )
        .await?;
    match drafts {
        Some((count @ 1..,)) => Err(Error::DraftsRemain(count)),
        _ => Ok(()),
    }
}

async fn set_periods(tx: &Tx, year: Uuid, from: &str, to: &str) -> Result<(), Error> {
    let scope = tx.scope();
    tx.run(
        "UPDATE period SET state = $3, version = version + 1, updated_at = $4, updated_by = $5
         WHERE fiscal_year_id = $1 AND state = $2",
        [year.into(), from.into(), to.into(), scope.clock().now().into(), scope.actor().stored().into()],
    )
    .await?;
    Ok(())
}

/// The first day of the year after this one, which is opened if it is missing.
async fn next_year(tx: &Tx, year: &fiscal_year::Model) -> Result<NaiveDate, Error> {
    let first_day = year.last_day.succ_opt().ok_or_else(|| Error::no_year(year.last_day))?;
    if super::service::year_of(tx, first_day).await?.is_none() {
        open_next_year_in(tx).await?;
    }
    Ok(first_day)
}

/// Takes income and expense of the year to 120 (profit) or 129 (loss). `None` when there was neither.
async fn post_result(tx: &Tx, year: &fiscal_year::Model) -> Result<Option<Posted>, Error> {
    let balances: Vec<(Uuid, i64)> = tx
        .tuples(
            "SELECT p.account_id, sum(p.debit_minor - p.credit_minor)::bigint
             FROM posting p JOIN account a ON a.id = p.account_id
             WHERE p.posted_on BETWEEN $1 AND $2 AND a.kind IN ('income', 'expense')
             GROUP BY p.account_id, a.number HAVING sum(p.debit_minor - p.credit_minor) <> 0 ORDER BY a.number",
            [year.first_day.into(), year.last_day.into()],
        )
        .await?;
    if balances.is_empty() {
        return Ok(None);
    }
    let mut lines: Vec<NewLine> =
        balances.iter().map(|(account, net)| NewLine::new(AccountRef::Id(*account), -net)).collect();
    let loss: i64 = balances.iter().map(|(_, net)| *net).sum();
    let role = if loss > 0 { Role::LossOfYear } else { Role::ProfitOfYear };
    let result = known(tx, Vec::new(), &[role]).await?.pop().ok_or(Error::NoAccountForRole(role.as_str()))?;
    lines.push(NewLine::new(AccountRef::Id(result.id), loss));
    let entry = NewEntry {
        journal: JournalKind::Miscellaneous,
        date: year.last_day,
        label: format!("Résultat {}", year.name),
        piece: None,
        source: Some((Kind::FiscalYear, year.id)),
        lines,
    };
    write_and_post(tx, entry, EntryKind::Result).await.map(Some)
}

/// Repeats what the year leaves on balance-sheet accounts. `None` when nothing is left.
async fn post_opening(tx: &Tx, year: &fiscal_year::Model, next: NaiveDate) -> Result<Option<Posted>, Error> {
    // From this year's own opening entry on: it holds all that earlier years left, for they are closed.
    let balances: Vec<(Uuid, Option<Uuid>, i64)> = tx
        .tuples(
            "SELECT p.account_id, CASE WHEN a.party_required THEN p.party_id END AS party,
                    sum(p.debit_minor - p.credit_minor)::bigint
             FROM posting p JOIN account a ON a.id = p.account_id
             WHERE p.posted_on BETWEEN $1 AND $2 AND a.kind NOT IN ('income', 'expense')
             GROUP BY p.account_id, a.number, party HAVING sum(p.debit_minor - p.credit_minor) <> 0
             ORDER BY a.number, party",
            [year.first_day.into(), year.last_day.into()],
        )
        .await?;
    if balances.is_empty() {
        return Ok(None);
    }
    let lines = balances
        .into_iter()
        .map(|(account, party, net)| NewLine { party, ..NewLine::new(AccountRef::Id(account), net) })
        .collect();
    let entry = NewEntry {
        journal: JournalKind::Opening,
        date: next,
        label: format!("À-nouveaux {}", year.name),
        piece: None,
        source: Some((Kind::FiscalYear, year.id)),
        lines,
    };
    write_and_post(tx, entry, EntryKind::Opening).await.map(Some)
}
