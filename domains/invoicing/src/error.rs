//! What invoicing refuses.

use std::borrow::Cow;

use chrono::NaiveDate;
use kernel::{Currency, Denied, DomainError, Fault, Kind, Money};

use crate::bill::BillKind;
use crate::einvoice::ReadError;

/// Every code of a refusal, for the closed list of the public contract. `FORBIDDEN` and `INTERNAL` are the
/// edge's own; a refusal of the ledger keeps the ledger's code.
pub const CODES: &[&str] = &[
    "ALLOCATION_EXCEEDS_OPEN",
    "ALLOCATION_EXCEEDS_PAYMENT",
    "ALREADY_BOUNCED",
    "ALREADY_ISSUED",
    "ALREADY_RATED",
    "ALREADY_UNDONE",
    "AMOUNT_TOO_LARGE",
    "ARCHIVED",
    "BAD_VALUE",
    "CONFLICT",
    "CREDIT_EXCEEDS_INVOICE",
    "CURRENCY_MISMATCH",
    "DOCTYPE_FORBIDDEN",
    "DOES_NOT_ADD_UP",
    "DUPLICATE_BILL",
    "DUPLICATE_CODE",
    "DUPLICATE_EXTERNAL_REF",
    "ENCODING",
    "FOUR_EYES",
    "INVALID",
    "ISSUE_DATE_BEFORE_LAST",
    "ISSUE_DATE_IN_FUTURE",
    "MISSING_FIELD",
    "NEGATIVE_PAYABLE",
    "NOTHING_LEFT_TO_CREDIT",
    "NOTHING_TO_INVOICE",
    "NOTHING_TO_POST",
    "NOT_DRAFT",
    "NOT_FOUND",
    "NOT_ISSUED",
    "NOT_POSTED",
    "NOT_XML",
    "NO_LINES",
    "NO_STANDARD_RATE",
    "PARTY_MISMATCH",
    "RATE_MISSING",
    "TAX_ON_REVERSE_CHARGE",
    "TOO_DEEP",
    "TOO_LARGE",
    "TOO_MANY_ELEMENTS",
    "UNKNOWN_SYNTAX",
    "WRONG_DIRECTION",
    "WRONG_STATE",
];

/// Why invoicing did not do it.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A fault of ours.
    #[error(transparent)]
    Fault(#[from] Fault),
    /// A missing permission.
    #[error(transparent)]
    Denied(#[from] Denied),
    /// The ledger refused the entry that belongs to it.
    #[error(transparent)]
    Ledger(#[from] ledger::Error),
    /// The same, where the input field has another name here than in the ledger.
    #[error("{0}")]
    LedgerAt(#[source] ledger::Error, &'static str),
    /// Unknown, or another company's: the two are not told apart. With the input field that names it.
    #[error("no such {}", .0.prefix().replace('_', " "))]
    NotFound(Kind, &'static str),
    /// The same, for an id within a list.
    #[error("no such {}", .0.prefix().replace('_', " "))]
    NotFoundAt(Kind, Cow<'static, str>),
    /// The thing has changed since the client read it.
    #[error(
        "it has changed since version {expected} and is now at version {actual}: read it again, then repeat"
    )]
    Conflict {
        /// What the client had.
        expected: i32,
        /// What it is.
        actual: i32,
    },
    /// A value that cannot be.
    #[error("{message}")]
    Invalid {
        /// The input field, as a path.
        field: Cow<'static, str>,
        /// What is wrong, and the fix.
        message: Cow<'static, str>,
    },
    /// The thing's state does not allow it.
    #[error("{0}")]
    WrongState(Cow<'static, str>),
    /// An archived thing takes no new business. With the input field that names it.
    #[error("this {} is archived: unarchive it, or choose another", .0.prefix().replace('_', " "))]
    Archived(Kind, Cow<'static, str>),
    /// Another thing of the company carries this external reference.
    #[error("another one has this external reference: use it, or choose another reference")]
    DuplicateExternalRef,
    /// Another thing of the company has this code.
    #[error("another one has this code: choose another")]
    DuplicateCode,
    /// An amount that no ledger could carry.
    #[error("the amount is too large: split it")]
    AmountTooLarge {
        /// The input field, as a path.
        field: Cow<'static, str>,
    },
    /// An invoice needs a line.
    #[error("there is no line: add at least one")]
    NoLines,
    /// The total is zero, so there is nothing that could be posted.
    #[error("the total is zero: nothing can be invoiced")]
    NothingToInvoice,
    /// The invoice is issued: it stays as it is.
    #[error("it is issued and stays as it is: correct it by a credit note")]
    AlreadyIssued,
    /// The draft was discarded.
    #[error("this draft was discarded: create a new one")]
    NotDraft,
    /// Only an issued invoice can be credited, settled or rated.
    #[error("this needs an issued invoice: issue it first")]
    NotIssued,
    /// Numbers of a series follow its dates (CGI, ann. II, art. 242 nonies A, I, 7°: a continuous sequence).
    #[error("the series has reached {last}: issue on that day or later")]
    IssueDateBeforeLast {
        /// The last issue date of the series.
        last: NaiveDate,
    },
    /// No document is issued ahead of its day.
    #[error("the issue date is after today, {today}: choose today or earlier")]
    IssueDateInFuture {
        /// The company's calendar day.
        today: NaiveDate,
    },
    /// No exchange rate is known.
    #[error("no exchange rate of {currency} is known on {on}: set one")]
    RateMissing {
        /// The foreign currency.
        currency: String,
        /// The day it is needed for.
        on: NaiveDate,
    },
    /// Credit notes never exceed what they correct.
    #[error("only {} {} of this line are left to credit: lower it", left.amount(), left.currency)]
    CreditExceedsInvoice {
        /// The input field, as a path.
        field: Cow<'static, str>,
        /// What is left, net of tax.
        left: Money,
    },
    /// Credit notes have taken back all of it.
    #[error("the invoice is wholly credited: nothing is left to credit")]
    NothingLeftToCredit,
    /// A customer rates an invoice once.
    #[error("this invoice has been rated: a score is given once")]
    AlreadyRated,
    /// Nothing is settled beyond what is open of it.
    #[error("only {} {} of it are open: allocate at most that", open.amount(), open.currency)]
    AllocationExceedsOpen {
        /// The input field, as a path.
        field: Cow<'static, str>,
        /// What is open.
        open: Money,
    },
    /// No payment and no credit note settles more than its own amount.
    #[error("only {} {} are left to allocate: allocate at most that", left.amount(), left.currency)]
    AllocationExceedsPayment {
        /// The input field, as a path.
        field: Cow<'static, str>,
        /// What is left of the payment or credit note.
        left: Money,
    },
    /// A payment settles the documents of its own party.
    #[error("it is another customer's or supplier's: choose a document of the same one")]
    PartyMismatch {
        /// The input field, as a path.
        field: Cow<'static, str>,
    },
    /// A payment settles documents in its own currency.
    #[error(
        "it is in {wanted} and not in {given}: record a payment in {wanted}, with what moved as base amount"
    )]
    CurrencyMismatch {
        /// The input field, as a path.
        field: Cow<'static, str>,
        /// The document's currency.
        wanted: Currency,
        /// The payment's, or the credit note's.
        given: Currency,
    },
    /// What is received settles invoices and supplier credit notes; what is made settles bills and customer
    /// credit notes; a credit note settles the invoices or bills of its own side.
    #[error(
        "the two do not settle each other: what is received settles invoices and supplier credit notes, what is \
         made settles bills and customer credit notes, a credit note settles invoices or bills of its own kind"
    )]
    WrongDirection {
        /// The input field, as a path.
        field: Cow<'static, str>,
    },
    /// A payment bounces once, and then settles nothing.
    #[error("this payment has bounced: record a new one")]
    AlreadyBounced,
    /// An allocation is undone once.
    #[error("this allocation is undone: allocate anew")]
    AlreadyUndone,
    /// Only a posted bill can be settled.
    #[error("this needs a posted bill: post it first")]
    NotPosted {
        /// The input field, as a path.
        field: Cow<'static, str>,
    },
    /// The bill has come already.
    #[error("this bill has come already, as {}: reject that one first if it is to come again", kernel::id::encode(Kind::Bill, *first))]
    DuplicateBill {
        /// The bill that came first.
        first: uuid::Uuid,
    },
    /// Lines, taxes and totals of a bill differ by more than rounding can explain.
    #[error("lines, taxes and totals differ by {} {}: correct the bill, or reject it", difference.amount(), difference.currency)]
    DoesNotAddUp {
        /// By how much; positive when the lines and taxes exceed what is to be paid.
        difference: Money,
    },
    /// The company wants a bill approved by somebody else than who entered it or corrected it last, by a key or not.
    #[error("who entered or corrected a bill does not approve it in this company: ask somebody else")]
    FourEyes,
    /// All amounts are zero, or what is to be paid is zero in the company's currency.
    #[error(
        "it comes to nothing in the company's currency, so there is nothing to post: reject or discard it"
    )]
    NothingToPost,
    /// A bill that gives money back, or a credit note that claims some.
    #[error("the payable amount is negative: reject it, and ask for a {}", match .0 {
        BillKind::Bill => "credit note",
        BillKind::CreditNote => "bill",
    })]
    NegativePayable(BillKind),
    /// A supplier charges tax that the buyer owes itself.
    #[error("categories AE and K bear no tax, but the bill states one: correct its taxes, or reject it")]
    TaxOnReverseCharge,
    /// Reverse charge needs the company's own rate.
    #[error("reverse charge needs the standard rate of VAT: create a tax code of category S")]
    NoStandardRate,
    /// A file that is no electronic invoice.
    #[error(transparent)]
    Unreadable(#[from] ReadError),
    /// The file behind it is not there, or not usable. A refusal of documents keeps its own code.
    #[error(transparent)]
    Document(#[from] documents::Error),
}

impl Error {
    /// A value that cannot be, with the fix.
    pub fn invalid(field: impl Into<Cow<'static, str>>, message: impl Into<Cow<'static, str>>) -> Self {
        Self::Invalid { field: field.into(), message: message.into() }
    }

    /// An amount that no ledger could carry.
    pub fn too_large(field: impl Into<Cow<'static, str>>) -> Self {
        Self::AmountTooLarge { field: field.into() }
    }

    /// A refusal of the ledger, its field `date` under the name that the date has in this input.
    pub(crate) fn dated(error: ledger::Error, field: &'static str) -> Self {
        if error.field().as_deref() == Some("date") {
            Self::LedgerAt(error, field)
        } else {
            Self::Ledger(error)
        }
    }

    /// Refuses a change whose client had read another version.
    pub fn unless_version(expected: i32, actual: i32) -> Result<(), Self> {
        if expected == actual { Ok(()) } else { Err(Self::Conflict { expected, actual }) }
    }

    /// What a unique or foreign key of a stored thing refused, as the user sees it.
    pub(crate) fn of_constraint(fault: Fault) -> Self {
        match fault.constraint() {
            Some(name) if name.contains("external_ref") => Self::DuplicateExternalRef,
            Some("item_tenant_id_code_key" | "tax_code_tenant_id_code_key") => Self::DuplicateCode,
            Some(name) if name.ends_with("account_id_fkey") => Self::NotFound(Kind::Account, "accountId"),
            Some(name) if name.ends_with("tax_code_id_fkey") => Self::NotFound(Kind::TaxCode, "taxCodeId"),
            _ => Self::Fault(fault),
        }
    }
}

impl DomainError for Error {
    fn fault(&self) -> Option<&Fault> {
        match self {
            Self::Fault(fault) => Some(fault),
            Self::Ledger(error) | Self::LedgerAt(error, _) => error.fault(),
            Self::Document(error) => error.fault(),
            _ => None,
        }
    }

    fn denied(&self) -> Option<Denied> {
        match self {
            Self::Denied(denied) => Some(*denied),
            Self::Ledger(error) | Self::LedgerAt(error, _) => error.denied(),
            Self::Document(error) => error.denied(),
            _ => None,
        }
    }

    fn code(&self) -> &'static str {
        match self {
            Self::Fault(_) => "INTERNAL",
            Self::Denied(_) => "FORBIDDEN",
            Self::Ledger(error) | Self::LedgerAt(error, _) => error.code(),
            Self::Document(error) => error.code(),
            Self::Unreadable(error) => error.code(),
            Self::DuplicateBill { .. } => "DUPLICATE_BILL",
            Self::DoesNotAddUp { .. } => "DOES_NOT_ADD_UP",
            Self::FourEyes => "FOUR_EYES",
            Self::NothingToPost => "NOTHING_TO_POST",
            Self::NegativePayable(_) => "NEGATIVE_PAYABLE",
            Self::TaxOnReverseCharge => "TAX_ON_REVERSE_CHARGE",
            Self::NoStandardRate => "NO_STANDARD_RATE",
            Self::NotFound(..) | Self::NotFoundAt(..) => "NOT_FOUND",
            Self::Conflict { .. } => "CONFLICT",
            Self::Invalid { .. } => "INVALID",
            Self::WrongState(_) => "WRONG_STATE",
            Self::Archived(..) => "ARCHIVED",
            Self::DuplicateExternalRef => "DUPLICATE_EXTERNAL_REF",
            Self::DuplicateCode => "DUPLICATE_CODE",
            Self::AmountTooLarge { .. } => "AMOUNT_TOO_LARGE",
            Self::NoLines => "NO_LINES",
            Self::NothingToInvoice => "NOTHING_TO_INVOICE",
            Self::AlreadyIssued => "ALREADY_ISSUED",
            Self::NotDraft => "NOT_DRAFT",
            Self::NotIssued => "NOT_ISSUED",
            Self::IssueDateBeforeLast { .. } => "ISSUE_DATE_BEFORE_LAST",
            Self::IssueDateInFuture { .. } => "ISSUE_DATE_IN_FUTURE",
            Self::RateMissing { .. } => "RATE_MISSING",
            Self::CreditExceedsInvoice { .. } => "CREDIT_EXCEEDS_INVOICE",
            Self::NothingLeftToCredit => "NOTHING_LEFT_TO_CREDIT",
            Self::AlreadyRated => "ALREADY_RATED",
            Self::AllocationExceedsOpen { .. } => "ALLOCATION_EXCEEDS_OPEN",
            Self::AllocationExceedsPayment { .. } => "ALLOCATION_EXCEEDS_PAYMENT",
            Self::PartyMismatch { .. } => "PARTY_MISMATCH",
            Self::CurrencyMismatch { .. } => "CURRENCY_MISMATCH",
            Self::WrongDirection { .. } => "WRONG_DIRECTION",
            Self::AlreadyBounced => "ALREADY_BOUNCED",
            Self::AlreadyUndone => "ALREADY_UNDONE",
            Self::NotPosted { .. } => "NOT_POSTED",
        }
    }

    fn field(&self) -> Option<String> {
        let field = match self {
            Self::Ledger(error) => return error.field(),
            Self::Document(error) => return error.field(),
            Self::Unreadable(_) => "fileId",
            Self::DuplicateBill { .. } => "number",
            Self::DoesNotAddUp { .. } | Self::NegativePayable(_) => "totals",
            Self::TaxOnReverseCharge => "taxes",
            Self::NotFound(_, field) | Self::LedgerAt(_, field) => field,
            Self::Conflict { .. } => "expectedVersion",
            Self::Invalid { field, .. }
            | Self::Archived(_, field)
            | Self::NotFoundAt(_, field)
            | Self::AmountTooLarge { field }
            | Self::CreditExceedsInvoice { field, .. }
            | Self::AllocationExceedsOpen { field, .. }
            | Self::AllocationExceedsPayment { field, .. }
            | Self::PartyMismatch { field }
            | Self::CurrencyMismatch { field, .. }
            | Self::WrongDirection { field }
            | Self::NotPosted { field } => field,
            Self::DuplicateExternalRef => "externalRef",
            Self::DuplicateCode => "code",
            Self::NoLines | Self::NothingToInvoice => "lines",
            Self::IssueDateBeforeLast { .. } | Self::IssueDateInFuture { .. } => "issueDate",
            Self::RateMissing { .. } => "currency",
            Self::NothingLeftToCredit => "invoiceId",
            _ => return None,
        };
        Some(field.to_owned())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    /// One error of each variant that is a refusal of this domain's own.
    fn each() -> Vec<Error> {
        let day = NaiveDate::MIN;
        vec![
            Error::NotFound(Kind::Party, "customerId"),
            Error::NotFoundAt(Kind::Item, "lines.0.itemId".into()),
            Error::Conflict { expected: 1, actual: 2 },
            Error::invalid("name", "empty"),
            Error::WrongState("no".into()),
            Error::Archived(Kind::Party, "customerId".into()),
            Error::DuplicateExternalRef,
            Error::DuplicateCode,
            Error::too_large("lines.0"),
            Error::NoLines,
            Error::NothingToInvoice,
            Error::AlreadyIssued,
            Error::NotDraft,
            Error::NotIssued,
            Error::IssueDateBeforeLast { last: day },
            Error::IssueDateInFuture { today: day },
            Error::RateMissing { currency: "USD".to_owned(), on: day },
            Error::CreditExceedsInvoice { field: "lines.0".into(), left: Money::new(1, Currency::EUR) },
            Error::NothingLeftToCredit,
            Error::AlreadyRated,
            Error::AllocationExceedsOpen {
                field: "allocations.0.amount".into(),
                open: Money::new(1, Currency::EUR),
            },
            Error::AllocationExceedsPayment {
                field: "allocations.0.amount".into(),
                left: Money::new(1, Currency::EUR),
            },
            Error::PartyMismatch { field: "allocations.0.documentId".into() },
            Error::CurrencyMismatch {
                field: "allocations.0.documentId".into(),
                wanted: Currency::EUR,
                given: Currency::EUR,
            },
            Error::WrongDirection { field: "allocations.0.documentId".into() },
            Error::AlreadyBounced,
            Error::AlreadyUndone,
            Error::NotPosted { field: "allocations.0.documentId".into() },
            Error::DuplicateBill { first: uuid::Uuid::nil() },
            Error::DoesNotAddUp { difference: Money::new(1, Currency::EUR) },
            Error::FourEyes,
            Error::NothingToPost,
            Error::NegativePayable(BillKind::Bill),
            Error::TaxOnReverseCharge,
            Error::NoStandardRate,
            ReadError::NotXml { reason: String::new() }.into(),
            ReadError::TooLarge { limit_bytes: 1 }.into(),
            ReadError::Encoding { reason: String::new() }.into(),
            ReadError::DoctypeForbidden.into(),
            ReadError::TooDeep { limit: 1 }.into(),
            ReadError::TooManyElements { limit: 1 }.into(),
            ReadError::UnknownSyntax { root: String::new() }.into(),
            ReadError::MissingField { bt: "BT-1" }.into(),
            ReadError::BadValue { bt: "BT-1", value: String::new() }.into(),
        ]
    }

    #[test]
    fn the_list_of_codes_is_what_the_variants_give() {
        let given: BTreeSet<_> = each().iter().map(DomainError::code).collect();
        let listed: BTreeSet<_> = CODES.iter().copied().collect();
        assert_eq!(given, listed);
        assert_eq!(listed.len(), CODES.len(), "a code stands once");
    }
}
