//! Payments, and what they settle.
//!
//! A payment is recorded once, posted at once (bank against the party's account), and allocated to invoices,
//! bills or credit notes of one party and one currency; what is not allocated stays on account. A credit note is
//! set against an invoice in the same way. Each allocation also posts what follows from it: the tax that waited
//! for payment, and the realised exchange difference; and it letters the two postings in the ledger.
//!
//! A payment is never changed and never deleted: an allocation is undone by its opposite, and a payment that
//! bounces is reversed. This module moves no money, reads no bank statement, and never stores the payment state
//! of an invoice, which is derived.

use std::collections::HashSet;

use chrono::NaiveDate;
use entity::invoicing::payment;
use kernel::{Currency, Fault};
use uuid::Uuid;

use crate::error::Error;

mod books;
mod document;
pub mod service;
mod settle;
mod share;
mod store;
mod vat;

pub use service::{
    allocate, allocation, allocations_of_bills, allocations_of_invoices, allocations_of_payments,
    bill_credit, bounce, by_ids, count, credit, credit_in, currency_in, deallocate, get, list, record,
    target_currency_in,
};

/// Most allocations of one call.
pub const MOST_ALLOCATIONS: usize = 100;

macro_rules! words {
    ($(#[doc = $doc:literal])+ $name:ident { $($(#[doc = $meaning:literal])+ $variant:ident = $word:literal,)+ }) => {
        $(#[doc = $doc])+
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum $name { $($(#[doc = $meaning])+ $variant,)+ }

        impl $name {
            /// The stored word.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word,)+ }
            }

            /// Reads the stored word.
            pub fn parse(word: &str) -> Option<Self> {
                match word { $($word => Some(Self::$variant),)+ _ => None }
            }

            /// Reads a word that the database's CHECK has let in.
            pub fn stored(word: &str) -> Result<Self, Fault> {
                Self::parse(word).ok_or_else(|| Fault::Corrupt(format!("`{word}` is no {}", stringify!($name))))
            }
        }
    };
}

words! {
    /// Which way the money went.
    Direction {
        /// To the company: from a customer, or back from a supplier.
        Received = "received",
        /// From the company: to a supplier, or back to a customer.
        Made = "made",
    }
}

words! {
    /// On whose account in the ledger a payment stands.
    Side {
        /// A customer's (411).
        Customer = "customer",
        /// A supplier's (401).
        Supplier = "supplier",
    }
}

words! {
    /// Where a payment is in its life: recorded, then perhaps bounced, once and for good.
    State {
        /// It stands.
        Recorded = "recorded",
        /// The bank took it back; it settles nothing.
        Bounced = "bounced",
    }
}

words! {
    /// How the money moved.
    Method {
        /// A credit transfer.
        Transfer = "transfer",
        /// A card.
        Card = "card",
        /// A direct debit.
        DirectDebit = "direct_debit",
        /// A cheque.
        Cheque = "cheque",
        /// Cash.
        Cash = "cash",
        /// Another way.
        Other = "other",
    }
}

/// What an allocation settles.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Target {
    /// A customer invoice, or a customer credit note when it is refunded.
    Invoice(Uuid),
    /// A supplier bill, or a supplier credit note when the supplier pays it back.
    Bill(Uuid),
}

impl Target {
    /// Whose account it stands on.
    pub const fn side(self) -> Side {
        match self {
            Self::Invoice(_) => Side::Customer,
            Self::Bill(_) => Side::Supplier,
        }
    }

    /// The document.
    pub const fn id(self) -> Uuid {
        match self {
            Self::Invoice(id) | Self::Bill(id) => id,
        }
    }
}

/// A payment to record.
#[derive(Clone, Debug)]
pub struct NewPayment {
    /// Which way the money went.
    pub direction: Direction,
    /// The customer or supplier.
    pub party_id: Uuid,
    /// The day it moved on the bank account; not after today.
    pub paid_on: NaiveDate,
    /// The currency of what it settles.
    pub currency: Currency,
    /// The amount in that currency, minor units, > 0.
    pub amount_minor: i64,
    /// What moved on the bank account in the company's currency, minor units, > 0. Needed when `currency` is
    /// another one; else the same as the amount, or `None`.
    pub base_minor: Option<i64>,
    /// How the money moved.
    pub method: Method,
    /// The bank's or the payer's reference.
    pub reference: Option<String>,
    /// The partner's own id of it, unique in the company.
    pub external_ref: Option<String>,
    /// What it settles at once: the documents, and how much of each in the payment's currency, minor units.
    pub allocations: Vec<(Target, i64)>,
}

impl NewPayment {
    /// What moved in the company's currency, once the input is found to make sense on that day.
    pub(crate) fn check(&self, company_currency: Currency, today: NaiveDate) -> Result<i64, Error> {
        if self.amount_minor <= 0 {
            return Err(Error::invalid(
                "amount",
                "a payment is more than zero: choose its direction instead",
            ));
        }
        if self.paid_on > today {
            return Err(Error::invalid(
                "paidOn",
                "this day has not come: record the payment when it has happened",
            ));
        }
        let base = match self.base_minor {
            Some(base) if base <= 0 => {
                return Err(Error::invalid("baseAmount", "what moved on the bank account is more than zero"));
            }
            Some(base) if self.currency == company_currency && base != self.amount_minor => {
                return Err(Error::invalid(
                    "baseAmount",
                    "in the company's own currency it equals the amount",
                ));
            }
            Some(base) => base,
            None if self.currency == company_currency => self.amount_minor,
            None => {
                let message =
                    format!("needed for a payment in {}: what moved in {company_currency}", self.currency);
                return Err(Error::invalid("baseAmount", message));
            }
        };
        check_allocations(&self.allocations)?;
        Ok(base)
    }
}

/// Allocations are few, positive, and name a document once.
pub(crate) fn check_allocations(allocations: &[(Target, i64)]) -> Result<(), Error> {
    if allocations.len() > MOST_ALLOCATIONS {
        let message = format!("at most {MOST_ALLOCATIONS} at once: allocate the rest in another call");
        return Err(Error::invalid("allocations", message));
    }
    let mut seen = HashSet::new();
    for (index, (target, amount)) in allocations.iter().enumerate() {
        if *amount <= 0 {
            return Err(Error::invalid(at(index, "amount"), "an allocation is more than zero"));
        }
        if !seen.insert(*target) {
            return Err(Error::invalid(
                at(index, "documentId"),
                "the same document twice: add the two amounts up",
            ));
        }
    }
    Ok(())
}

/// The path of an allocation's input field.
pub(crate) fn at(index: usize, field: &str) -> String {
    format!("allocations.{index}.{field}")
}

/// Whose account a payment stands on: what its allocations say, else what is usual for the direction, if the
/// party is that at all.
pub(crate) fn side_of(
    direction: Direction,
    allocations: &[(Target, i64)],
    customer: bool,
    supplier: bool,
) -> Side {
    match (allocations.first(), direction) {
        (Some((target, _)), _) => target.side(),
        (None, Direction::Received) if customer => Side::Customer,
        (None, Direction::Made) if supplier => Side::Supplier,
        (None, Direction::Received) => Side::Supplier,
        (None, Direction::Made) => Side::Customer,
    }
}

/// What of a payment is on account, in its currency: recorded, and settling nothing yet.
pub fn on_account_minor(payment: &payment::Model) -> i64 {
    if payment.state == State::Recorded.as_str() { payment.amount_minor - payment.allocated_minor } else { 0 }
}

/// Which payments a list shows; everything by default.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    /// Of this party.
    pub party_id: Option<Uuid>,
    /// That went this way.
    pub direction: Option<Direction>,
    /// In this state.
    pub state: Option<State>,
    /// Paid on this day or later.
    pub from: Option<NaiveDate>,
    /// Paid on this day or earlier.
    pub to: Option<NaiveDate>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_read_back() {
        for method in ["transfer", "card", "direct_debit", "cheque", "cash", "other"] {
            assert_eq!(Method::parse(method).map(Method::as_str), Some(method));
        }
        assert!(Direction::stored("sideways").is_err());
    }

    #[test]
    fn a_side_follows_from_documents_then_from_the_direction_then_from_the_party() {
        let (invoice, bill) = (Target::Invoice(Uuid::nil()), Target::Bill(Uuid::nil()));
        let side = |direction, allocations: &[Target], customer, supplier| {
            let allocations: Vec<_> = allocations.iter().map(|t| (*t, 1)).collect();
            side_of(direction, &allocations, customer, supplier)
        };
        assert_eq!(side(Direction::Received, &[], true, true), Side::Customer);
        assert_eq!(side(Direction::Received, &[], false, true), Side::Supplier);
        assert_eq!(side(Direction::Received, &[bill], true, true), Side::Supplier);
        assert_eq!(side(Direction::Made, &[], true, true), Side::Supplier);
        assert_eq!(side(Direction::Made, &[], true, false), Side::Customer);
        assert_eq!(side(Direction::Made, &[invoice], true, true), Side::Customer);
    }

    #[test]
    fn an_input_that_makes_no_sense_is_refused_with_its_field() {
        use kernel::DomainError;
        let (today, dollar) = (NaiveDate::default(), Currency::parse("USD").expect("dollar"));
        let good = NewPayment {
            direction: Direction::Received,
            party_id: Uuid::nil(),
            paid_on: today,
            currency: Currency::EUR,
            amount_minor: 100,
            base_minor: None,
            method: Method::Transfer,
            reference: None,
            external_ref: None,
            allocations: Vec::new(),
        };
        assert_eq!(good.check(Currency::EUR, today).expect("good"), 100);
        let twice = vec![(Target::Bill(Uuid::nil()), 1), (Target::Bill(Uuid::nil()), 1)];
        let many = (0..101).map(|n| (Target::Bill(Uuid::from_u128(n)), 1)).collect();
        let wrong = [
            (NewPayment { amount_minor: 0, ..good.clone() }, "amount"),
            (NewPayment { paid_on: today + chrono::Days::new(1), ..good.clone() }, "paidOn"),
            (NewPayment { base_minor: Some(99), ..good.clone() }, "baseAmount"),
            (NewPayment { currency: dollar, ..good.clone() }, "baseAmount"),
            (NewPayment { currency: dollar, base_minor: Some(0), ..good.clone() }, "baseAmount"),
            (
                NewPayment { allocations: vec![(Target::Bill(Uuid::nil()), 0)], ..good.clone() },
                "allocations.0.amount",
            ),
            (NewPayment { allocations: twice, ..good.clone() }, "allocations.1.documentId"),
            (NewPayment { allocations: many, ..good.clone() }, "allocations"),
        ];
        for (payment, field) in wrong {
            let error = payment.check(Currency::EUR, today).expect_err(field);
            assert_eq!(error.field().as_deref(), Some(field));
        }
    }
}
