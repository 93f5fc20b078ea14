//! Supplier bills and supplier credit notes: recorded as received, approved or rejected, posted.
//!
//! What a supplier states is kept as stated, even where it does not add up: each deviation is a finding on the
//! bill, and people decide. From its approval on a bill's content stands still. What is posted is corrected by a
//! supplier credit note. A bill comes once: the same supplier, number, kind and issue year, or the same file, is
//! refused with the first one's id, rejected bills aside, for a supplier may send a corrected one.
//!
//! The module never computes anew what a received document states, and never lets an approved bill change.

mod content;
mod correct;
pub mod import;
pub mod list;
mod plan;
mod received;
pub mod service;
mod store;

use chrono::NaiveDate;
use entity::invoicing::bill::Model;
use rust_decimal::Decimal;
use uuid::Uuid;

use crate::error::Error;
pub use crate::invoice::PaymentState;

/// Whether the supplier claims money or gives it back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum BillKind {
    /// A bill.
    Bill,
    /// A supplier credit note; its amounts are positive as well.
    CreditNote,
}

impl BillKind {
    /// The stored form.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Bill => "bill",
            Self::CreditNote => "credit_note",
        }
    }

    /// Reads the stored form.
    pub fn parse(stored: &str) -> Option<Self> {
        [Self::Bill, Self::CreditNote].into_iter().find(|kind| kind.as_str() == stored)
    }

    /// 1 for a bill, −1 for a credit note: the sign of its debits.
    pub(crate) const fn sign(self) -> i64 {
        match self {
            Self::Bill => 1,
            Self::CreditNote => -1,
        }
    }
}

/// How far a bill has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum State {
    /// Recorded, and may still be corrected.
    Received,
    /// Found right: to be posted.
    Approved,
    /// Refused, for a reason; the end.
    Rejected,
    /// In the ledger; the end, but for its settlement.
    Posted,
}

impl State {
    /// Every state, in the order of a bill's life.
    pub const ALL: &'static [Self] = &[Self::Received, Self::Approved, Self::Rejected, Self::Posted];

    /// The stored form.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Received => "received",
            Self::Approved => "approved",
            Self::Rejected => "rejected",
            Self::Posted => "posted",
        }
    }

    /// Reads the stored form.
    pub fn parse(stored: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|state| state.as_str() == stored)
    }

    /// Whether a bill may go from this state to that.
    pub const fn leads_to(self, to: Self) -> bool {
        matches!(
            (self, to),
            (Self::Received, Self::Approved | Self::Rejected)
                | (Self::Approved, Self::Rejected | Self::Posted)
        )
    }

    /// Refuses a step that does not lead from here to there, and says what would.
    pub(crate) fn step(self, to: Self) -> Result<(), Error> {
        if self.leads_to(to) {
            return Ok(());
        }
        let message = match (self, to) {
            (Self::Posted, _) => "it is posted and stays as it is: a supplier credit note corrects it",
            (Self::Rejected, _) => "it is rejected: ask the supplier for a corrected one, and record that",
            (Self::Received, _) => "it is not approved yet: approve it first",
            (Self::Approved, _) => "it is approved already: post it, or reject it",
        };
        Err(Error::WrongState(message.into()))
    }
}

/// How a bill came.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Source {
    /// Somebody typed it.
    Manual,
    /// An electronic invoice, UN/CEFACT CII.
    Cii,
    /// An electronic invoice, UBL.
    Ubl,
}

impl Source {
    /// The stored form.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Manual => "manual",
            Self::Cii => "cii",
            Self::Ubl => "ubl",
        }
    }

    /// Reads the stored form.
    pub fn parse(stored: &str) -> Option<Self> {
        [Self::Manual, Self::Cii, Self::Ubl].into_iter().find(|source| source.as_str() == stored)
    }
}

/// The payment state of a posted bill on a day; `None` before it is posted, or when it is rejected. Derived,
/// never stored: it goes back when a payment bounces.
pub fn payment_state(bill: &Model, today: NaiveDate) -> Option<PaymentState> {
    if bill.state != State::Posted.as_str() {
        return None;
    }
    let open = bill.open_minor;
    Some(if bill.payable_minor > 0 && bill.credited_minor == bill.payable_minor {
        PaymentState::Credited
    } else if open == 0 {
        PaymentState::Paid
    } else if bill.kind == BillKind::Bill.as_str() && bill.due_date < today {
        PaymentState::Overdue
    } else if open < bill.payable_minor {
        PaymentState::PartlyPaid
    } else {
        PaymentState::Open
    })
}

/// What is still to pay of a posted bill (or to get back of a credit note), minor units of its currency; 0 of
/// any other.
pub const fn open_minor(bill: &Model) -> i64 {
    bill.open_minor
}

/// A bill as somebody types it. Amounts are in its currency, with no more digits than that has.
#[derive(Clone, Debug)]
pub struct NewBill {
    /// Bill or credit note.
    pub kind: BillKind,
    /// From whom.
    pub supplier_id: Uuid,
    /// The supplier's number, 1 to 100 characters.
    pub number: String,
    /// The supplier's date.
    pub issue_date: NaiveDate,
    /// When it is due; by the supplier's terms when `None`.
    pub due_date: Option<NaiveDate>,
    /// ISO 4217; the supplier's currency when `None`.
    pub currency: Option<String>,
    /// The bill that a credit note corrects.
    pub corrects_id: Option<Uuid>,
    /// Whether its VAT is deductible when paid; as the supplier's row says when `None`.
    pub vat_on_payment: Option<bool>,
    /// Its lines, at least one.
    pub lines: Vec<NewLine>,
    /// Its tax per category and rate, as stated; computed from the lines when `None`.
    pub taxes: Option<Vec<NewTax>>,
    /// Its totals as stated.
    pub totals: Totals,
    /// The scan it was typed from.
    pub file_id: Option<Uuid>,
    /// The partner system's own id, unique within the company.
    pub external_ref: Option<String>,
}

/// A line of a bill as somebody types it.
#[derive(Clone, Debug, Default)]
pub struct NewLine {
    /// What was bought, 1 to 1000 characters.
    pub description: String,
    /// How much of it.
    pub quantity: Option<Decimal>,
    /// Of what unit, UN/ECE Recommendation 20; pieces (C62) when `None`.
    pub unit: Option<String>,
    /// Without VAT, for one unit.
    pub unit_price: Option<Decimal>,
    /// Without VAT; quantity by unit price, rounded half up, when `None`.
    pub net: Option<Decimal>,
    /// The VAT category of EN 16931, e.g. `S`.
    pub category: String,
    /// The VAT rate, percent.
    pub rate: Decimal,
    /// The expense account; the supplier's last one, else the chart's default, when `None`.
    pub account_id: Option<Uuid>,
}

/// The tax of one category and rate as somebody types it.
#[derive(Clone, Debug)]
pub struct NewTax {
    /// The VAT category of EN 16931.
    pub category: String,
    /// The VAT rate, percent.
    pub rate: Decimal,
    /// What is taxed.
    pub base: Decimal,
    /// The tax.
    pub tax: Decimal,
    /// Why there is none.
    pub reason: Option<String>,
}

/// Totals as stated; what is not stated is computed. EN 16931: BT-107 to BT-115.
#[derive(Clone, Debug, Default)]
pub struct Totals {
    /// Allowances on the whole document; none when `None`.
    pub allowances: Option<Decimal>,
    /// Charges on the whole document; none when `None`.
    pub charges: Option<Decimal>,
    /// Without VAT: lines − allowances + charges.
    pub net: Option<Decimal>,
    /// The VAT: the sum of the groups.
    pub tax: Option<Decimal>,
    /// With VAT: net + tax.
    pub total: Option<Decimal>,
    /// What has been paid already; nothing when `None`.
    pub prepaid: Option<Decimal>,
    /// What is added to round the payable amount; nothing when `None`.
    pub rounding: Option<Decimal>,
    /// What is to be paid: total − prepaid + rounding.
    pub payable: Option<Decimal>,
}

/// What is corrected of a received bill. What is not named stays: correcting a line does not change the totals,
/// for those are stated by the supplier and corrected on their own.
#[derive(Clone, Debug, Default)]
pub struct Correction {
    /// When it is due.
    pub due_date: Option<NaiveDate>,
    /// Whether its VAT is deductible when paid.
    pub vat_on_payment: Option<bool>,
    /// Changes of its lines.
    pub lines: Vec<LineCorrection>,
    /// Lines to add.
    pub added: Vec<NewLine>,
    /// Lines to remove.
    pub removed: Vec<Uuid>,
    /// Its tax groups, all of them, when they change.
    pub taxes: Option<Vec<NewTax>>,
    /// The totals that change.
    pub totals: Totals,
}

/// What is corrected of a line.
#[derive(Clone, Debug, Default)]
pub struct LineCorrection {
    /// Which line.
    pub id: Uuid,
    /// What was bought.
    pub description: Option<String>,
    /// Without VAT.
    pub net: Option<Decimal>,
    /// The VAT category of EN 16931.
    pub category: Option<String>,
    /// The VAT rate, percent.
    pub rate: Option<Decimal>,
    /// The expense account.
    pub account_id: Option<Uuid>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bill_goes_forward_only() {
        use State::{Approved, Posted, Received, Rejected};
        let allowed: Vec<_> = State::ALL
            .iter()
            .flat_map(|from| State::ALL.iter().map(move |to| (*from, *to)))
            .filter(|(from, to)| from.leads_to(*to))
            .collect();
        assert_eq!(
            allowed,
            [(Received, Approved), (Received, Rejected), (Approved, Rejected), (Approved, Posted)]
        );
        for state in State::ALL {
            assert_eq!(State::parse(state.as_str()), Some(*state));
        }
    }
}
