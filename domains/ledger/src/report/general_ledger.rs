//! The general ledger of an account (grand livre): its lines, with the balance after each.

use chrono::NaiveDate;
use entity::ledger::posting;
use kernel::page::{Page, Slice};
use kernel::{Kind, Permission, Tx};
use sea_orm::Value;
use uuid::Uuid;

use super::trial_balance::account_balance_in;
use crate::error::Error;
use crate::listing;
use crate::year::service::year_of;

/// A line of the general ledger.
#[derive(Clone, Debug, PartialEq)]
pub struct LedgerLine {
    /// The line.
    pub posting: posting::Model,
    /// The account's balance after it: debits less credits, minor units of the company's currency.
    pub balance_minor: i64,
}

/// A page of an account's lines within one fiscal year.
#[derive(Clone, Debug)]
pub struct GeneralLedger {
    /// The balance before the first day, opening entry included: debits less credits.
    pub opening_minor: i64,
    /// Debits from the first to the last day.
    pub debit_minor: i64,
    /// Credits from the first to the last day.
    pub credit_minor: i64,
    /// The lines, by date and then by id.
    pub lines: Page<LedgerLine>,
}

impl GeneralLedger {
    /// The balance at the end of the last day.
    pub fn closing_minor(&self) -> i64 {
        self.opening_minor + self.debit_minor - self.credit_minor
    }
}

/// SQL of an account's lines in a range of days. The opening entry stands in the opening balance, not here.
const LINES: &str = "FROM posting p JOIN journal_entry e ON e.id = p.entry_id AND e.kind <> 'opening'
     WHERE p.account_id = $1 AND p.posted_on >= $2 AND p.posted_on <= $3";

/// A page of the lines of an account from one day to another, both in one fiscal year, with running balances.
/// Needs `ledger.read`, and a snapshot: balance and lines are read by statements of their own.
pub async fn general_ledger(
    tx: &Tx,
    account: Uuid,
    from: NaiveDate,
    to: NaiveDate,
    slice: &Slice,
) -> Result<GeneralLedger, Error> {
    tx.scope().require(Permission::LedgerRead)?;
    let known = crate::account::known(tx, vec![account], &[]).await?.pop();
    let known = known.ok_or(Error::NotFound(Kind::Account, "accountId"))?;
    let year = year_of(tx, from).await?.ok_or_else(|| Error::no_year(from))?;
    if to < from || to > year.last_day {
        return Err(Error::invalid(
            "to",
            "a general ledger lies within one fiscal year: choose days of the same one",
        ));
    }
    let row = account_balance_in(tx, &known, from, to).await?;
    let (opening_minor, debit_minor, credit_minor) =
        row.map_or((0, 0, 0), |row| (row.opening_minor, row.debit_minor, row.credit_minor));
    let page = lines(tx, account, from, to, slice).await?;
    let mut running = opening_minor;
    if let Some(first) = page.items.first() {
        running += moved_before(tx, account, from, first).await?;
    }
    let lines = page.map(|posting| {
        running += posting.debit_minor - posting.credit_minor;
        LedgerLine { posting, balance_minor: running }
    });
    Ok(GeneralLedger { opening_minor, debit_minor, credit_minor, lines })
}

/// How many lines a general ledger has in all. Needs `ledger.read`.
pub async fn general_ledger_count(
    tx: &Tx,
    account: Uuid,
    from: NaiveDate,
    to: NaiveDate,
) -> Result<u64, Error> {
    tx.scope().require(Permission::LedgerRead)?;
    let sql = format!("SELECT count(*) {LINES}");
    let count: Option<(i64,)> = tx.tuple(&sql, [account.into(), from.into(), to.into()]).await?;
    Ok(count.map_or(0, |(count,)| count.unsigned_abs()))
}

async fn lines(
    tx: &Tx,
    account: Uuid,
    from: NaiveDate,
    to: NaiveDate,
    slice: &Slice,
) -> Result<Page<posting::Model>, Error> {
    let mut values: Vec<Value> = vec![account.into(), from.into(), to.into()];
    let mut sql = format!("SELECT p.* {LINES}");
    for (cursor, sign) in [(&slice.after, '>'), (&slice.before, '<')] {
        let Some(cursor) = cursor else { continue };
        let Some(day) = listing::day(&cursor.key) else { return Ok(Page::from_probe(slice, Vec::new())) };
        values.extend([day, cursor.id.into()]);
        sql = format!("{sql} AND (p.posted_on, p.id) {sign} (${}, ${})", values.len() - 1, values.len());
    }
    values.push(i64::from(slice.limit + 1).into());
    let order = if slice.backward { "DESC" } else { "ASC" };
    sql = format!("{sql} ORDER BY p.posted_on {order}, p.id {order} LIMIT ${}", values.len());
    Ok(Page::from_probe(slice, tx.all(&sql, values).await?))
}

/// What the account moved from the first day up to a line: whole days from the rollups, the line's own day from
/// its postings.
async fn moved_before(tx: &Tx, account: Uuid, from: NaiveDate, line: &posting::Model) -> Result<i64, Error> {
    let Some(day) = line.posted_on else { return Ok(0) };
    let state = kernel::rollup::current(
        "cube = 'ledger.balance' AND dim1 = $4 AND dim2 <> 'opening' AND day >= $2 AND day < $3",
    );
    let sql = format!(
        "SELECT (coalesce((SELECT sum(s.sum1 - s.sum2) FROM {state} AS s), 0)
             + coalesce((SELECT sum(p.debit_minor - p.credit_minor) FROM posting p
                 JOIN journal_entry e ON e.id = p.entry_id AND e.kind <> 'opening'
                 WHERE p.account_id = $1 AND p.posted_on = $3 AND p.id < $5), 0))::bigint"
    );
    let values: [Value; 5] =
        [account.into(), from.into(), day.into(), account.to_string().into(), line.id.into()];
    let moved: Option<(i64,)> = tx.tuple(&sql, values).await?;
    Ok(moved.map_or(0, |(moved,)| moved))
}
