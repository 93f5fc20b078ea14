//! The trial balance (balance générale).

use chrono::NaiveDate;
use kernel::{Permission, Tx, rollup};
use sea_orm::FromQueryResult;
use uuid::Uuid;

use crate::account::{Known, Role};
use crate::error::Error;

/// One account of a trial balance. Minor units of the company's currency.
#[derive(Clone, Debug, PartialEq, Eq, FromQueryResult)]
pub struct TrialBalanceRow {
    /// The account.
    pub account_id: Uuid,
    /// Its number.
    pub number: String,
    /// Debits less credits before the first day.
    pub opening_minor: i64,
    /// Debits from the first to the last day.
    pub debit_minor: i64,
    /// Credits from the first to the last day.
    pub credit_minor: i64,
}

impl TrialBalanceRow {
    /// Debits less credits at the end of the last day.
    pub fn closing_minor(&self) -> i64 {
        self.opening_minor + self.debit_minor - self.credit_minor
    }
}

/// All accounts that have a balance or moved, by number.
#[derive(Clone, Debug)]
pub struct TrialBalance {
    /// The first day.
    pub from: NaiveDate,
    /// The last day.
    pub to: NaiveDate,
    /// The accounts.
    pub rows: Vec<TrialBalanceRow>,
}

/// The rollups as facts `f`, from the opening entry that the first day builds on.
///
/// An opening entry repeats what earlier years left: of two in a range only the first may count. What unclosed
/// years leave on income and expense accounts is shown as their closing would post it: on 120 or 129, on the
/// year's last day. `condition` narrows the rollups that are read.
fn facts(condition: &str) -> String {
    let state = rollup::current(&format!(
        "cube = 'ledger.balance' AND day >= (SELECT first_day FROM base) AND day <= $2 {condition}"
    ));
    format!(
        "WITH base AS (
             SELECT coalesce(max(last_day) + 1, '-infinity'::date) AS first_day
             FROM fiscal_year WHERE state = 'closed' AND last_day < $1
         ), posted AS (
             SELECT s.day, s.dim1::uuid AS account_id, s.dim2 AS kind, s.sum1 AS debit, s.sum2 AS credit
             FROM {state} AS s
             WHERE (s.dim2 <> 'opening' OR s.day = (SELECT first_day FROM base))
               AND NOT ($3 AND s.dim2 = 'result' AND s.day = (SELECT last_day FROM fiscal_year
                       WHERE first_day <= $2 AND last_day >= $2))
         ), unclosed AS (
             SELECT y.last_day AS day, p.account_id, sum(p.debit - p.credit) AS net
             FROM posted p JOIN account a ON a.id = p.account_id AND a.kind IN ('income', 'expense')
             JOIN fiscal_year y ON p.day BETWEEN y.first_day AND y.last_day AND y.last_day < $2
             GROUP BY y.last_day, p.account_id HAVING sum(p.debit - p.credit) <> 0
         ), results AS (
             SELECT day, sum(net) AS net FROM unclosed GROUP BY day
         ), f AS (
             SELECT * FROM posted
             UNION ALL
             SELECT day, account_id, 'result', greatest(-net, 0), greatest(net, 0) FROM unclosed
             UNION ALL
             SELECT r.day, a.id, 'result', greatest(r.net, 0), greatest(-r.net, 0) FROM results r
             JOIN account a ON a.role = CASE WHEN r.net > 0 THEN 'loss_of_year' ELSE 'profit_of_year' END
         )"
    )
}

/// The trial balance from one day to another, both included: opening, movements, closing of each account.
///
/// The opening column holds the opening entry of the first day. Years before the last day that are not closed yet
/// are shown as if they were: their result on 120 or 129. With `before_closing` the result entry of the last day's
/// own year is left out, so that income and expense of a closed year can still be read. Needs `ledger.read`.
pub async fn trial_balance(
    tx: &Tx,
    from: NaiveDate,
    to: NaiveDate,
    before_closing: bool,
) -> Result<TrialBalance, Error> {
    tx.scope().require(Permission::LedgerRead)?;
    trial_balance_in(tx, from, to, before_closing).await
}

pub(crate) async fn trial_balance_in(
    tx: &Tx,
    from: NaiveDate,
    to: NaiveDate,
    before_closing: bool,
) -> Result<TrialBalance, Error> {
    if to < from {
        return Err(Error::invalid("to", "the last day is not before the first"));
    }
    let sql = rows_sql("", "");
    let rows = tx.all(&sql, [from.into(), to.into(), before_closing.into()]).await?;
    Ok(TrialBalance { from, to, rows })
}

/// The row of one account in the trial balance, if it has a balance or moved. Only its own rollups are read, but for
/// 120 and 129: the results of unclosed years come from all accounts of income and expense.
pub(crate) async fn account_balance_in(
    tx: &Tx,
    account: &Known,
    from: NaiveDate,
    to: NaiveDate,
) -> Result<Option<TrialBalanceRow>, Error> {
    let results = [Role::ProfitOfYear.as_str(), Role::LossOfYear.as_str()];
    let of_all = account.role.as_deref().is_some_and(|role| results.contains(&role));
    let own = if of_all { "" } else { "AND dim1 = $4::uuid::text" };
    let sql = rows_sql(own, "WHERE a.id = $4");
    Ok(tx.one(&sql, [from.into(), to.into(), false.into(), account.id.into()]).await?)
}

/// SQL of rows: from `$1` to `$2`, before closing or not `$3`.
fn rows_sql(narrowed: &str, condition: &str) -> String {
    let facts = facts(narrowed);
    format!(
        "{facts}
         SELECT a.id AS account_id, a.number,
             coalesce(sum(f.debit - f.credit) FILTER (WHERE f.day < $1 OR f.kind = 'opening'), 0)::bigint AS opening_minor,
             coalesce(sum(f.debit) FILTER (WHERE f.day >= $1 AND f.kind <> 'opening'), 0)::bigint AS debit_minor,
             coalesce(sum(f.credit) FILTER (WHERE f.day >= $1 AND f.kind <> 'opening'), 0)::bigint AS credit_minor
         FROM f JOIN account a ON a.id = f.account_id {condition}
         GROUP BY a.id, a.number
         HAVING coalesce(sum(f.debit - f.credit) FILTER (WHERE f.day < $1 OR f.kind = 'opening'), 0) <> 0
             OR coalesce(sum(f.debit + f.credit) FILTER (WHERE f.day >= $1 AND f.kind <> 'opening'), 0) <> 0
         ORDER BY a.number"
    )
}
