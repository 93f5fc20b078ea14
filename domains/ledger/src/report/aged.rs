//! Aged receivables and payables (balance âgée): what each party owed, or was owed, at the end of a day.

use chrono::NaiveDate;
use kernel::page::{Cursor, Page, Slice};
use kernel::{Permission, Tx};
use sea_orm::{FromQueryResult, Value};
use uuid::Uuid;

use crate::account::AccountKind;
use crate::error::Error;

/// Whose debts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AgedSide {
    /// What customers owe: asset accounts that name parties (411, 416).
    Receivables,
    /// What suppliers are owed: liability accounts that name parties (401, 404).
    Payables,
}

impl AgedSide {
    /// The day, the kind of account, and the sign of what is owed.
    fn values(self, on: NaiveDate) -> [Value; 3] {
        let (kind, sign) = match self {
            Self::Receivables => (AccountKind::Asset, 1_i64),
            Self::Payables => (AccountKind::Liability, -1),
        };
        [on.into(), kind.as_str().into(), sign.into()]
    }
}

/// One party. Minor units of the company's currency; positive is owed to the company (receivables) or by it
/// (payables), negative is in the party's favour or an unmatched payment.
#[derive(Clone, Debug, PartialEq, Eq, FromQueryResult)]
pub struct AgedParty {
    /// The customer or supplier.
    pub party_id: Uuid,
    /// Not due yet on that day.
    pub not_due_minor: i64,
    /// 1 to 30 days overdue.
    pub days_1_30_minor: i64,
    /// 31 to 60 days overdue.
    pub days_31_60_minor: i64,
    /// 61 to 90 days overdue.
    pub days_61_90_minor: i64,
    /// More than 90 days overdue.
    pub over_90_minor: i64,
    /// All of it.
    pub total_minor: i64,
}

/// A page of parties, and the sums over all of them.
#[derive(Clone, Debug)]
pub struct Aged {
    /// The parties with open lines, the largest sum first.
    pub parties: Page<AgedParty>,
    /// Over all parties; its `party_id` is nil.
    pub totals: AgedParty,
}

/// SQL of the parties. Lines of opening entries only repeat earlier ones, which are still here: they are left out,
/// so that nothing counts twice over the change of a year.
const PARTIES: &str = "
    WITH matched AS (
        SELECT debit_posting_id, credit_posting_id, amount_minor FROM matching
        WHERE matched_on <= $1 AND (undone_on IS NULL OR undone_on > $1)
    ), open AS (
        SELECT p.party_id, $1 - coalesce(p.due_on, p.posted_on) AS age,
            $3 * (p.debit_minor - p.credit_minor - coalesce(d.amount, 0) + coalesce(c.amount, 0)) AS amount
        FROM posting p
        JOIN account a ON a.id = p.account_id AND a.party_required AND a.kind = $2
        JOIN journal_entry e ON e.id = p.entry_id AND e.kind <> 'opening'
        LEFT JOIN (SELECT debit_posting_id AS id, sum(amount_minor) AS amount FROM matched GROUP BY 1) d
            ON d.id = p.id
        LEFT JOIN (SELECT credit_posting_id AS id, sum(amount_minor) AS amount FROM matched GROUP BY 1) c
            ON c.id = p.id
        WHERE p.posted_on <= $1
    ), party AS MATERIALIZED (
        SELECT party_id,
            coalesce(sum(amount) FILTER (WHERE age <= 0), 0)::bigint AS not_due_minor,
            coalesce(sum(amount) FILTER (WHERE age BETWEEN 1 AND 30), 0)::bigint AS days_1_30_minor,
            coalesce(sum(amount) FILTER (WHERE age BETWEEN 31 AND 60), 0)::bigint AS days_31_60_minor,
            coalesce(sum(amount) FILTER (WHERE age BETWEEN 61 AND 90), 0)::bigint AS days_61_90_minor,
            coalesce(sum(amount) FILTER (WHERE age > 90), 0)::bigint AS over_90_minor,
            sum(amount)::bigint AS total_minor
        FROM open WHERE amount <> 0 GROUP BY party_id
    ), totals AS (
        SELECT '00000000-0000-0000-0000-000000000000'::uuid AS party_id,
            coalesce(sum(not_due_minor), 0)::bigint AS not_due_minor,
            coalesce(sum(days_1_30_minor), 0)::bigint AS days_1_30_minor,
            coalesce(sum(days_31_60_minor), 0)::bigint AS days_31_60_minor,
            coalesce(sum(days_61_90_minor), 0)::bigint AS days_61_90_minor,
            coalesce(sum(over_90_minor), 0)::bigint AS over_90_minor,
            coalesce(sum(total_minor), 0)::bigint AS total_minor
        FROM party
    )";

/// How many parties an aged report has in all. Needs `ledger.read`.
pub async fn aged_count(tx: &Tx, side: AgedSide, on: NaiveDate) -> Result<u64, Error> {
    tx.scope().require(Permission::LedgerRead)?;
    let count: Option<(i64,)> =
        tx.tuple(&format!("{PARTIES} SELECT count(*) FROM party"), side.values(on)).await?;
    Ok(count.map_or(0, |(count,)| count.unsigned_abs()))
}

/// The aged receivables or payables at the end of a day, by party. Needs `ledger.read`.
pub async fn aged(tx: &Tx, side: AgedSide, on: NaiveDate, slice: &Slice) -> Result<Aged, Error> {
    tx.scope().require(Permission::LedgerRead)?;
    let mut values = side.values(on).to_vec();
    let mut conditions = String::from("true");
    // Listed from the largest sum down: what comes after is smaller. A cursor of another list names no place.
    for (cursor, sign) in [(&slice.after, '<'), (&slice.before, '>')] {
        let Some(cursor) = cursor else { continue };
        let Ok(total) = cursor.key.parse::<i64>() else {
            return Err(Error::invalid("after", "the cursor belongs to another list"));
        };
        values.extend([total.into(), cursor.id.into()]);
        conditions = format!(
            "{conditions} AND (total_minor, party_id) {sign} (${}, ${})",
            values.len() - 1,
            values.len()
        );
    }
    values.push(i64::from(slice.limit + 1).into());
    let order = if slice.backward { "ASC" } else { "DESC" };
    // Sums and page in one statement, for the parties are added up once. The first row holds the sums.
    let sql = format!(
        "{PARTIES} SELECT * FROM (
             SELECT true AS sums, * FROM totals
             UNION ALL
             (SELECT false, * FROM party WHERE {conditions} ORDER BY total_minor {order}, party_id {order} LIMIT ${})
         ) AS rows ORDER BY sums DESC, total_minor {order}, party_id {order}",
        values.len()
    );
    let mut rows: Vec<AgedParty> = tx.all(&sql, values).await?;
    if rows.is_empty() {
        return Err(kernel::Fault::Corrupt("sums without a row".to_owned()).into());
    }
    let totals = rows.remove(0);
    Ok(Aged { parties: Page::from_probe(slice, rows), totals })
}

/// Where a party stands in its report.
pub fn aged_cursor(party: &AgedParty) -> Cursor {
    Cursor { key: party.total_minor.to_string(), id: party.party_id }
}
