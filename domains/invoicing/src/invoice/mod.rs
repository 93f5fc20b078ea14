//! Customer invoices and, with the same life, credit notes: draft → issued, or draft → discarded.
//!
//! This module holds their rules and is pure. An invoice's payment state is derived from what was allocated to
//! it, never stored: it goes backwards when a payment bounces. A draft has no number and posts nothing; what
//! is issued never changes.

mod issue;
pub mod line;
pub mod posting;
pub mod reading;
pub mod service;
pub(crate) mod store;

use chrono::{Datelike, Days, NaiveDate};
use entity::invoicing::invoice::Model;
use kernel::Currency;
use rust_decimal::Decimal;
use uuid::Uuid;

use crate::catalog::item::Nature;
use crate::edit::Edit;
use crate::error::Error;
use crate::text::optional;

/// An invoice, or a credit note that takes back (part of) one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum DocumentKind {
    /// Facture.
    Invoice,
    /// Avoir.
    CreditNote,
}

impl DocumentKind {
    /// The stored form.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Invoice => "invoice",
            Self::CreditNote => "credit_note",
        }
    }

    /// Reads the stored form.
    pub fn parse(stored: &str) -> Option<Self> {
        match stored {
            "invoice" => Some(Self::Invoice),
            "credit_note" => Some(Self::CreditNote),
            _ => None,
        }
    }

    /// The number in a series: `F2026-000042` (facture), `A2026-000007` (avoir).
    pub fn number(self, year: i16, number: i32) -> String {
        let letter = match self {
            Self::Invoice => 'F',
            Self::CreditNote => 'A',
        };
        format!("{letter}{year:04}-{number:06}")
    }
}

/// Where a document is in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum State {
    /// Being written.
    Draft,
    /// Numbered, posted and fixed.
    Issued,
    /// Given up before issue.
    Discarded,
}

impl State {
    /// The stored form.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Draft => "draft",
            Self::Issued => "issued",
            Self::Discarded => "discarded",
        }
    }

    /// Reads the stored form.
    pub fn parse(stored: &str) -> Option<Self> {
        match stored {
            "draft" => Some(Self::Draft),
            "issued" => Some(Self::Issued),
            "discarded" => Some(Self::Discarded),
            _ => None,
        }
    }
}

/// What of an issued document is settled.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum PaymentState {
    /// Nothing is settled, and it is not late.
    Open,
    /// Something is settled, and it is not late.
    PartlyPaid,
    /// Something is open after the due date. Only of invoices.
    Overdue,
    /// Everything is settled, at least part of it by payment.
    Paid,
    /// Credit notes took back all of it; of a credit note: all of it was set against invoices.
    Credited,
}

/// The payment state of a document on a day; `None` until it is issued.
pub fn payment_state(invoice: &Model, today: NaiveDate) -> Option<PaymentState> {
    if invoice.state != State::Issued.as_str() {
        return None;
    }
    let open_minor = invoice.total_minor - invoice.settled_minor - invoice.credited_minor;
    Some(if invoice.credited_minor == invoice.total_minor {
        PaymentState::Credited
    } else if open_minor == 0 {
        PaymentState::Paid
    } else if is_overdue(invoice, today) {
        PaymentState::Overdue
    } else if open_minor < invoice.total_minor {
        PaymentState::PartlyPaid
    } else {
        PaymentState::Open
    })
}

fn is_overdue(invoice: &Model, today: NaiveDate) -> bool {
    invoice.kind == DocumentKind::Invoice.as_str() && invoice.due_date.is_some_and(|due| due < today)
}

/// When an invoice is due: so many days after its issue, and then, with `end_of_month`, at the end of that
/// month (code de commerce, art. L441-10: « quarante-cinq jours fin de mois »).
pub fn due_date(issued: NaiveDate, days: i16, end_of_month: bool) -> NaiveDate {
    let days = Days::new(u64::from(days.unsigned_abs()));
    let due = issued.checked_add_days(days).unwrap_or(NaiveDate::MAX);
    if end_of_month { last_of_month(due) } else { due }
}

fn last_of_month(day: NaiveDate) -> NaiveDate {
    let (year, month) = if day.month() == 12 { (day.year() + 1, 1) } else { (day.year(), day.month() + 1) };
    NaiveDate::from_ymd_opt(year, month, 1).and_then(|first| first.pred_opt()).unwrap_or(day)
}

/// A draft to create.
#[derive(Clone, Debug)]
pub struct NewInvoice {
    /// The customer.
    pub customer_id: Uuid,
    /// ISO 4217; the customer's currency when `None`.
    pub currency: Option<String>,
    /// Days until it is due, 0 to 365; the customer's term when `None`.
    pub payment_days: Option<i16>,
    /// Whether the term runs to the end of that month; the customer's term when `None`.
    pub end_of_month: Option<bool>,
    /// When the goods or services were delivered.
    pub delivery_date: Option<NaiveDate>,
    /// What the customer wants to see (EN 16931, BT-10).
    pub buyer_reference: Option<String>,
    /// The customer's order (EN 16931, BT-13).
    pub order_reference: Option<String>,
    /// A text for the customer.
    pub note: Option<String>,
    /// The partner system's own id, unique within the company.
    pub external_ref: Option<String>,
    /// Its lines; a draft may have none yet.
    pub lines: Vec<NewLine>,
}

/// A line to write: of an item, or free.
#[derive(Clone, Debug)]
pub struct NewLine {
    /// The item, which gives whatever is not said here.
    pub item_id: Option<Uuid>,
    /// What documents show, 1 to 1000 characters; needed without an item.
    pub description: Option<String>,
    /// How many units; above zero, at most six decimals.
    pub quantity: Decimal,
    /// UN/ECE Recommendation 20; the item's, or `C62` (piece).
    pub unit: Option<String>,
    /// The price of one unit, net of tax, in the invoice's currency; needed without an item in that currency.
    pub unit_price: Option<Decimal>,
    /// What is taken off, 0 to 100 percent.
    pub discount_percent: Option<Decimal>,
    /// The tax; needed without an item.
    pub tax_code_id: Option<Uuid>,
    /// The income account; the item's, or the chart's default for the nature.
    pub account_id: Option<Uuid>,
    /// Goods or services, where no item says so; services when the tax waits for payment, else goods.
    pub nature: Option<Nature>,
}

/// A change of a draft. Lines are replaced as a whole.
#[derive(Clone, Debug, Default)]
#[expect(missing_docs, reason = "each field is the one of NewInvoice")]
pub struct InvoiceEdit {
    pub customer_id: Edit<Uuid>,
    pub currency: Edit<String>,
    pub payment_days: Edit<i16>,
    pub end_of_month: Edit<bool>,
    pub delivery_date: Edit<Option<NaiveDate>>,
    pub buyer_reference: Edit<Option<String>>,
    pub order_reference: Edit<Option<String>>,
    pub note: Edit<Option<String>>,
    pub external_ref: Edit<Option<String>>,
    pub lines: Edit<Vec<NewLine>>,
}

/// The head of a draft: what it says beside its lines.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Head {
    pub(crate) customer_id: Uuid,
    pub(crate) currency: Currency,
    pub(crate) payment_days: i16,
    pub(crate) end_of_month: bool,
    pub(crate) delivery_date: Option<NaiveDate>,
    pub(crate) buyer_reference: Option<String>,
    pub(crate) order_reference: Option<String>,
    pub(crate) note: Option<String>,
    pub(crate) external_ref: Option<String>,
}

impl Head {
    /// The same in its stored form, or why it cannot be.
    pub(crate) fn checked(mut self) -> Result<Self, Error> {
        if !(0..=365).contains(&self.payment_days) {
            return Err(Error::invalid("paymentDays", "payment terms have 0 to 365 days"));
        }
        self.buyer_reference = optional("buyerReference", self.buyer_reference.as_deref(), 200)?;
        self.order_reference = optional("orderReference", self.order_reference.as_deref(), 200)?;
        self.note = optional("note", self.note.as_deref(), 4000)?;
        self.external_ref = optional("externalRef", self.external_ref.as_deref(), 200)?;
        Ok(self)
    }
}

/// A currency's code that a user wrote.
pub(crate) fn currency_of(code: &str) -> Result<Currency, Error> {
    Currency::parse(code)
        .ok_or_else(|| Error::invalid("currency", "this is not a currency's code (ISO 4217), e.g. EUR"))
}

/// Refuses what is not a draft, and a client that had read another version of it.
pub(crate) fn require_draft(invoice: &Model, expected_version: i32) -> Result<(), Error> {
    match State::parse(&invoice.state) {
        Some(State::Issued) => Err(Error::AlreadyIssued),
        Some(State::Draft) => Error::unless_version(expected_version, invoice.version),
        _ => Err(Error::NotDraft),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str) -> NaiveDate {
        text.parse().expect("day")
    }

    #[test]
    fn due_dates_follow_the_terms() {
        assert_eq!(due_date(day("2026-01-31"), 0, false), day("2026-01-31"));
        assert_eq!(due_date(day("2026-01-31"), 30, false), day("2026-03-02"));
        assert_eq!(due_date(day("2026-01-15"), 45, true), day("2026-03-31"), "1 March, then its end");
        assert_eq!(due_date(day("2024-01-30"), 30, true), day("2024-02-29"), "a leap year");
        assert_eq!(due_date(day("2026-12-10"), 0, true), day("2026-12-31"));
        assert_eq!(due_date(NaiveDate::MAX, 365, false), NaiveDate::MAX);
    }

    #[test]
    fn numbers_sort_as_texts() {
        assert_eq!(DocumentKind::Invoice.number(2026, 42), "F2026-000042");
        assert_eq!(DocumentKind::CreditNote.number(2026, 1_000_000), "A2026-1000000");
    }
}
