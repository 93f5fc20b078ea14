//! What takes part in a settlement: a payment, an invoice, a bill or a credit note, locked and with its balance.

use std::collections::{BTreeMap, HashMap};

use chrono::NaiveDate;
use entity::invoicing::{allocation, payment};
use kernel::{Currency, Fault, Kind, Money, Tx};
use sea_orm::{FromQueryResult, Value};
use uuid::Uuid;

use super::share::Balance;
use super::vat::{self, Group};
use super::{Direction, Side, State, Target};
use crate::error::Error;

/// Which thing it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum What {
    Payment(Uuid),
    Invoice(Uuid),
    Bill(Uuid),
}

impl What {
    pub(super) const fn kind(self) -> Kind {
        match self {
            Self::Payment(_) => Kind::Payment,
            Self::Invoice(_) => Kind::Invoice,
            Self::Bill(_) => Kind::Bill,
        }
    }

    pub(super) const fn id(self) -> Uuid {
        match self {
            Self::Payment(id) | Self::Invoice(id) | Self::Bill(id) => id,
        }
    }

    /// The public id.
    pub(super) fn public(self) -> String {
        kernel::id::encode(self.kind(), self.id())
    }

    /// From what an allocation takes.
    pub(super) fn source_of(row: &allocation::Model) -> Result<Self, Fault> {
        let payment = row.payment_id.map(Self::Payment);
        let note = row.credit_note_id.map(Self::Invoice).or(row.bill_credit_id.map(Self::Bill));
        payment.or(note).ok_or_else(|| Fault::Corrupt("an allocation without a source".to_owned()))
    }

    /// What an allocation settles.
    pub(super) fn target_of(row: &allocation::Model) -> Result<Self, Fault> {
        let target = row.invoice_id.map(Self::Invoice).or(row.bill_id.map(Self::Bill));
        target.ok_or_else(|| Fault::Corrupt("an allocation without a target".to_owned()))
    }
}

impl From<Target> for What {
    fn from(target: Target) -> Self {
        match target {
            Target::Invoice(id) => Self::Invoice(id),
            Target::Bill(id) => Self::Bill(id),
        }
    }
}

/// A line on a party's account, and its accounting date.
#[derive(Clone, Copy, Debug)]
pub(super) struct Posting {
    pub(super) id: Uuid,
    pub(super) on: NaiveDate,
}

/// One side of an allocation. Its row is locked.
#[derive(Clone, Debug)]
pub(super) struct Piece {
    pub(super) what: What,
    /// Its number, for people; a payment's has none.
    pub(super) number: Option<String>,
    /// Whether its posting on the party's account is a debit: invoices, payments made, supplier credit notes.
    pub(super) on_debit: bool,
    /// On whose account it is posted.
    pub(super) side: Side,
    pub(super) party_id: Uuid,
    pub(super) currency: Currency,
    /// When it was paid or posted: nothing that follows from settling it is posted before.
    pub(super) dated: NaiveDate,
    /// Whether it is issued, posted or recorded, and so can be settled.
    pub(super) ready: bool,
    /// The posting on the party's account; `None` when nothing is owed.
    pub(super) posting: Option<Posting>,
    pub(super) balance: Balance,
    /// Its tax that waits for payment.
    pub(super) groups: Vec<Group>,
}

impl Piece {
    /// Whether it is an invoice or a bill, and neither a payment nor a credit note.
    pub(super) fn is_claim(&self) -> bool {
        !matches!(self.what, What::Payment(_)) && self.on_debit == (self.side == Side::Customer)
    }

    /// What is open of it.
    pub(super) const fn open(&self) -> Money {
        Money::new(self.balance.open(), self.currency)
    }

    /// The posting that settling it matches.
    pub(super) fn posting(&self) -> Result<Posting, Fault> {
        self.posting
            .ok_or_else(|| Fault::Corrupt(format!("{} has no posting of its party", self.what.public())))
    }
}

/// A payment as a piece. Its row must be new or locked.
pub(super) async fn of_payment(tx: &Tx, row: &payment::Model) -> Result<Piece, Error> {
    let posting = postings_of(tx, vec![row.entry_id]).await?.remove(&row.entry_id);
    let currency = currency(&row.currency)?;
    let base_used = if currency == tx.scope().company().currency {
        row.allocated_minor
    } else {
        let sum: Option<(Option<i64>,)> = tx
            .tuple(
                "SELECT sum(source_base_minor)::bigint FROM allocation WHERE payment_id = $1",
                [row.id.into()],
            )
            .await?;
        sum.and_then(|(sum,)| sum).unwrap_or(0)
    };
    Ok(Piece {
        what: What::Payment(row.id),
        number: None,
        on_debit: Direction::stored(&row.direction)? == Direction::Made,
        side: Side::stored(&row.side)?,
        party_id: row.party_id,
        currency,
        dated: row.paid_on,
        ready: State::stored(&row.state)? == State::Recorded,
        posting,
        balance: Balance {
            total: row.amount_minor,
            used: row.allocated_minor,
            base: row.base_minor,
            base_used,
        },
        groups: Vec::new(),
    })
}

/// The documents among these ids, locked in the order of the domain: invoices by id, then bills by id. An id
/// that is not in the answer is unknown, or another company's.
pub(super) async fn lock(tx: &Tx, wanted: &[What]) -> Result<HashMap<What, Piece>, Error> {
    let ids = |side: Side| -> Vec<Uuid> {
        let of_side = wanted.iter().filter(|what| match what {
            What::Invoice(_) => side == Side::Customer,
            What::Bill(_) => side == Side::Supplier,
            What::Payment(_) => false,
        });
        of_side.map(|what| what.id()).collect()
    };
    let mut pieces = HashMap::new();
    for (side, ids) in [(Side::Customer, ids(Side::Customer)), (Side::Supplier, ids(Side::Supplier))] {
        if !ids.is_empty() {
            load(tx, side, ids, &mut pieces).await?;
        }
    }
    Ok(pieces)
}

/// A document's row, customer's or supplier's.
#[derive(Debug, FromQueryResult)]
struct Row {
    id: Uuid,
    kind: String,
    state: String,
    party_id: Uuid,
    currency: String,
    number: Option<String>,
    dated: Option<NaiveDate>,
    total_minor: i64,
    base_minor: i64,
    used_minor: i64,
    entry_id: Option<Uuid>,
}

const LOCK_INVOICES: &str =
    "SELECT id, kind, state, customer_id AS party_id, currency, number, issue_date AS dated,
         total_minor, total_base_minor AS base_minor, settled_minor + credited_minor AS used_minor, entry_id
     FROM invoice WHERE id = ANY($1) ORDER BY id FOR NO KEY UPDATE";
const LOCK_BILLS: &str =
    "SELECT id, kind, state, supplier_id AS party_id, currency, number, issue_date AS dated,
         payable_minor AS total_minor, payable_base_minor AS base_minor,
         settled_minor + credited_minor AS used_minor, entry_id
     FROM bill WHERE id = ANY($1) ORDER BY id FOR NO KEY UPDATE";

async fn load(tx: &Tx, side: Side, ids: Vec<Uuid>, pieces: &mut HashMap<What, Piece>) -> Result<(), Error> {
    let sql = if side == Side::Customer { LOCK_INVOICES } else { LOCK_BILLS };
    let rows: Vec<Row> = tx.all(sql, [ids.into()]).await?;
    let entries = rows.iter().filter_map(|row| row.entry_id).collect();
    let postings = postings_of(tx, entries).await?;
    let found: Vec<Uuid> = rows.iter().map(|row| row.id).collect();
    let company_currency = tx.scope().company().currency;
    let foreign = rows.iter().any(|row| row.currency != company_currency.code());
    let shares = if foreign { base_used(tx, side, found.clone()).await? } else { BTreeMap::new() };
    let mut groups = vat::groups_of(tx, side, found).await?;
    for row in rows {
        let what = if side == Side::Customer { What::Invoice(row.id) } else { What::Bill(row.id) };
        let currency = currency(&row.currency)?;
        let own = currency == company_currency;
        let posting = row.entry_id.and_then(|entry| postings.get(&entry).copied());
        let is_credit = row.kind == "credit_note";
        let piece = Piece {
            what,
            number: row.number,
            on_debit: (side == Side::Customer) != is_credit,
            side,
            party_id: row.party_id,
            currency,
            dated: posting.map_or(row.dated.unwrap_or_default(), |posting| posting.on),
            ready: row.state == if side == Side::Customer { "issued" } else { "posted" },
            posting,
            balance: Balance {
                total: row.total_minor,
                used: row.used_minor,
                base: row.base_minor,
                base_used: if own { row.used_minor } else { shares.get(&row.id).copied().unwrap_or(0) },
            },
            groups: groups.remove(&row.id).unwrap_or_default(),
        };
        pieces.insert(what, piece);
    }
    Ok(())
}

const SHARES_OF_INVOICES: &str = "SELECT id, sum(base)::bigint FROM (
         SELECT invoice_id AS id, target_base_minor AS base FROM allocation WHERE invoice_id = ANY($1)
         UNION ALL
         SELECT credit_note_id, source_base_minor FROM allocation WHERE credit_note_id = ANY($1)) AS shares
     GROUP BY id";
const SHARES_OF_BILLS: &str = "SELECT id, sum(base)::bigint FROM (
         SELECT bill_id AS id, target_base_minor AS base FROM allocation WHERE bill_id = ANY($1)
         UNION ALL
         SELECT bill_credit_id, source_base_minor FROM allocation WHERE bill_credit_id = ANY($1)) AS shares
     GROUP BY id";

/// What allocations have used of documents, in the company's currency.
async fn base_used(tx: &Tx, side: Side, ids: Vec<Uuid>) -> Result<BTreeMap<Uuid, i64>, Fault> {
    let sql = if side == Side::Customer { SHARES_OF_INVOICES } else { SHARES_OF_BILLS };
    let values: [Value; 1] = [ids.into()];
    Ok(tx.tuples::<(Uuid, i64)>(sql, values).await?.into_iter().collect())
}

/// The posting on the party's account, of each entry that has one.
pub(super) async fn postings_of(tx: &Tx, entries: Vec<Uuid>) -> Result<HashMap<Uuid, Posting>, Error> {
    let found = ledger::entry::party_postings_in(tx, entries).await?;
    Ok(found.into_iter().map(|(entry, id, on)| (entry, Posting { id, on })).collect())
}

pub(super) fn currency(code: &str) -> Result<Currency, Fault> {
    Currency::parse(code).ok_or_else(|| Fault::Corrupt(format!("`{code}` is no currency")))
}
