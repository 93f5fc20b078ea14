//! The closed lists of supplier bills.

use async_graphql::Enum;
use invoicing::bill as rules;

/// Whether the supplier claims money or gives it back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(remote = "rules::BillKind")]
pub(crate) enum BillKind {
    /// A bill.
    Bill,
    /// A supplier credit note; its amounts are positive as well.
    CreditNote,
}

/// How far a bill has come: received → approved or rejected; approved → posted or rejected.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(remote = "rules::State")]
pub(crate) enum BillState {
    /// Recorded, and may still be corrected.
    Received,
    /// Found right: to be posted.
    Approved,
    /// Refused, for a reason; the end.
    Rejected,
    /// In the ledger; the end, but for its settlement.
    Posted,
}

/// How a bill came.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(remote = "rules::Source")]
pub(crate) enum BillSource {
    /// Somebody typed it.
    Manual,
    /// An electronic invoice, UN/CEFACT CII (Factur-X too).
    Cii,
    /// An electronic invoice, UBL.
    Ubl,
}

/// How far a posted bill is settled. It goes back when a payment bounces.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(remote = "rules::PaymentState")]
pub(crate) enum BillPaymentState {
    /// Nothing is settled, and it is not late.
    Open,
    /// Something is settled, and it is not late.
    PartlyPaid,
    /// Something is open after the due date. Of a credit note never.
    Overdue,
    /// Nothing is open.
    Paid,
    /// Credit notes took back all of it; of a credit note: all of it was set against bills.
    Credited,
}
