//! Tax that waits for payment (TVA sur les encaissements, CGI art. 269, 2, c): what a settlement makes chargeable.
//!
//! What is transferred follows from what is settled and from nothing else: of each group, waiting × settled ÷
//! total, rounded half up. So the order of allocations, undone ones included, leaves no trace, and a document
//! that is wholly settled has nothing waiting. A credit note set against an invoice settles both; where both
//! carry the same tax, the two transfers cancel out and no entry is posted.
//!
//! The trigger on allocation stores what is transferred, by the same formula; here it is computed for the entry,
//! which must be posted before. The base of a transfer follows from the tax transferred so far, in the same way:
//! so the bases of all transfers of a document make the base that waited.

use std::collections::{BTreeMap, HashMap};

use kernel::{Fault, Tx};
use ledger::account::Role;
use ledger::entry::{AccountRef, NewLine};
use rust_decimal::Decimal;
use sea_orm::FromQueryResult;
use uuid::Uuid;

use super::Side;
use super::document::Piece;
use super::share::cumulative;
use crate::tax::{self, Waiting, share};

/// Waiting tax of one category and rate of a document, in the company's currency, minor units.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Group {
    pub(super) category: String,
    /// Percent.
    pub(super) rate: Decimal,
    pub(super) waiting: i64,
    /// The base of what waits.
    pub(super) base: i64,
    pub(super) transferred: i64,
}

impl Group {
    /// The base of so much of its tax.
    fn base_of(&self, transferred: i64) -> i64 {
        share(self.base, transferred, self.waiting)
    }
}

#[derive(Debug, FromQueryResult)]
struct Row {
    id: Uuid,
    category: String,
    rate: Decimal,
    waiting_minor: i64,
    waiting_base_minor: i64,
    transferred_minor: i64,
}

const OF_INVOICES: &str =
    "SELECT invoice_id AS id, category, rate, waiting_minor, waiting_base_minor, transferred_minor
     FROM invoice_tax WHERE invoice_id = ANY($1) AND waiting_minor > 0 ORDER BY invoice_id, category, rate";
const OF_BILLS: &str =
    "SELECT bill_id AS id, category, rate, waiting_minor, waiting_base_minor, transferred_minor
     FROM bill_tax WHERE bill_id = ANY($1) AND waiting_minor > 0 ORDER BY bill_id, category, rate";
/// The groups with waiting tax, by document.
pub(super) async fn groups_of(
    tx: &Tx,
    side: Side,
    ids: Vec<Uuid>,
) -> Result<HashMap<Uuid, Vec<Group>>, Fault> {
    let sql = if side == Side::Customer { OF_INVOICES } else { OF_BILLS };
    let rows: Vec<Row> = tx.all(sql, [ids.into()]).await?;
    let mut groups: HashMap<Uuid, Vec<Group>> = HashMap::new();
    for row in rows {
        groups.entry(row.id).or_default().push(Group {
            category: row.category,
            rate: row.rate,
            waiting: row.waiting_minor,
            base: row.waiting_base_minor,
            transferred: row.transferred_minor,
        });
    }
    Ok(groups)
}

/// Brings what is transferred of a document to what its balance says. What it moved on the waiting account, by
/// category and rate; debits positive.
pub(super) fn follow(piece: &mut Piece, moved: &mut Moved) {
    let (used, total) = (piece.balance.used, piece.balance.total);
    // A customer invoice waits in credit and a bill in debit; the transfer clears that.
    let sign = if piece.on_debit { 1 } else { -1 };
    for group in &mut piece.groups {
        let now = cumulative(group.waiting, used, total);
        let sum = moved.0.entry((group.category.clone(), group.rate)).or_default();
        sum.tax_minor += sign * (now - group.transferred);
        sum.base_minor += sign * (group.base_of(now) - group.base_of(group.transferred));
        group.transferred = now;
    }
}

/// What moves from the waiting account, by category and rate; debits of the waiting account are positive.
#[derive(Debug, Default)]
pub(super) struct Moved(BTreeMap<(String, Decimal), Waiting>);

impl Moved {
    /// The lines that move it, two for each category and rate.
    pub(super) fn lines(self, side: Side) -> Vec<NewLine> {
        let (waiting, chargeable) = match side {
            Side::Customer => (Role::VatCollectedWaiting, Role::VatCollected),
            Side::Supplier => (Role::VatDeductibleWaiting, Role::VatDeductible),
        };
        let moves = self.0.into_iter().filter(|(_, sum)| sum.tax_minor != 0);
        moves
            .flat_map(|((category, rate), sum)| {
                // As the documents write it: the base is positive where tax comes to the account, and negative
                // where it goes; tax comes to a collecting account in credit, to a deducting one in debit.
                let base = if side == Side::Customer { -sum.base_minor } else { sum.base_minor };
                let label = tax::label(&category, rate);
                let line = |role, minor, base| NewLine {
                    tax: Some((label.clone(), base)),
                    ..NewLine::new(AccountRef::Role(role), minor)
                };
                [line(waiting, sum.tax_minor, base), line(chargeable, -sum.tax_minor, -base)]
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_balance_and_carry_code_and_base() {
        let mut moved = Moved::default();
        let of = |tax_minor, base_minor| Waiting { tax_minor, base_minor };
        moved.0.insert(("S".to_owned(), Decimal::new(20_000, 3)), of(200, 1_000));
        moved.0.insert(("S".to_owned(), Decimal::new(5_500, 3)), of(-11, -200));
        moved.0.insert(("S".to_owned(), Decimal::new(10_000, 3)), of(0, 0));
        let lines = moved.lines(Side::Customer);
        assert_eq!(lines.len(), 4);
        assert_eq!(lines.iter().map(|line| line.amount_minor).sum::<i64>(), 0);
        let taxes: Vec<_> = lines.iter().filter_map(|line| line.tax.clone()).collect();
        assert_eq!(taxes[0], ("S 5.5".to_owned(), 200));
        assert_eq!(taxes[2], ("S 20".to_owned(), -1_000));
        assert_eq!(taxes[3], ("S 20".to_owned(), 1_000));
        assert_eq!(lines[2].account, AccountRef::Role(Role::VatCollectedWaiting));
        assert_eq!(lines[3].account, AccountRef::Role(Role::VatCollected));
    }
}
