//! What the ledger refuses, and how a user mends it.

use std::borrow::Cow;

use chrono::NaiveDate;
use kernel::{Denied, DomainError, Fault, Kind};

/// Every code of a refusal, for the public enum. `FORBIDDEN` and `INTERNAL` are the edge's own.
pub const CODES: &[&str] = &[
    "NOT_FOUND",
    "CONFLICT",
    "INVALID",
    "UNBALANCED",
    "TOO_FEW_LINES",
    "ACCOUNT_CLOSED",
    "ACCOUNT_IN_USE",
    "ACCOUNT_HAS_ROLE",
    "ACCOUNT_NUMBER_TAKEN",
    "NO_ACCOUNT_FOR_ROLE",
    "PARTY_REQUIRED",
    "PERIOD_NOT_OPEN",
    "NO_FISCAL_YEAR",
    "DATE_BEFORE_LAST",
    "DATE_IN_FUTURE",
    "OPENING_DATE",
    "ENTRY_POSTED",
    "ENTRY_NOT_POSTED",
    "NOT_REVERSIBLE",
    "ALREADY_REVERSED",
    "NOT_MATCHABLE",
    "MATCHED_TOO_MUCH",
    "ALREADY_UNMATCHED",
    "NOT_MATCHED_BY_HAND",
    "WRONG_STATE",
    "EARLIER_FIRST",
    "DRAFTS_REMAIN",
    "YEAR_NOT_OVER",
    "FISCAL_YEAR_OVERLAPS",
    "BOOKS_ALREADY_OPEN",
    "BOOKS_NOT_OPEN",
    "JOURNAL_CODE_TAKEN",
    "EXTERNAL_REF_TAKEN",
    "FROZEN",
];

/// Why the ledger did not do it.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A fault of ours.
    #[error(transparent)]
    Fault(Fault),
    /// A missing permission.
    #[error(transparent)]
    Denied(#[from] Denied),
    /// Unknown, or another company's: the two are not told apart. The kind, and the input field that named it.
    #[error("no such {}", .0.prefix().replace('_', " "))]
    NotFound(Kind, &'static str),
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
    /// Debits and credits differ.
    #[error("{0}")]
    Unbalanced(Cow<'static, str>),
    /// An entry with fewer than two lines.
    #[error("an entry needs at least two lines with an amount")]
    TooFewLines,
    /// A line on a closed account.
    #[error("{0}")]
    AccountClosed(Cow<'static, str>),
    /// An account that something refers to is not deleted.
    #[error("the account is in use and stays: close it, so that nothing more is posted to it")]
    AccountInUse,
    /// An account that other parts post to is neither closed nor deleted.
    #[error(
        "invoices, bills and payments post to this account: it can be renamed, but neither closed nor deleted"
    )]
    AccountHasRole,
    /// The number is taken.
    #[error("another account has this number: choose another")]
    AccountNumberTaken,
    /// No account has this role.
    #[error("no account of this company is open for the role {0}: reopen it")]
    NoAccountForRole(&'static str),
    /// A line on a receivable or payable account without a party.
    #[error("{0}")]
    PartyRequired(Cow<'static, str>),
    /// The period is locked or closed.
    #[error("{0}")]
    PeriodNotOpen(Cow<'static, str>),
    /// No fiscal year covers the date.
    #[error("{0}")]
    NoFiscalYear(Cow<'static, str>),
    /// The journal has a later entry already. The message tells its date.
    #[error("{0}")]
    DateBeforeLast(Cow<'static, str>),
    /// Nothing is posted before its day has come.
    #[error("{0} is after today: an entry is posted on its day or later")]
    DateInFuture(NaiveDate),
    /// The opening journal takes entries of a year's first day only.
    #[error("{0}")]
    OpeningDate(Cow<'static, str>),
    /// A posted entry is not edited, discarded or posted again.
    #[error("the entry is posted and is never changed: reverse it")]
    EntryPosted,
    /// A draft cannot be reversed.
    #[error("the entry is a draft: discard it, or post it first")]
    EntryNotPosted,
    /// An entry that is not corrected by a reversal.
    #[error("{0}")]
    NotReversible(&'static str),
    /// The entry is reversed already, by this one.
    #[error("the entry is reversed already")]
    AlreadyReversed,
    /// Two lines that cannot settle each other.
    #[error("{0}")]
    NotMatchable(Cow<'static, str>),
    /// More than what is open.
    #[error("{0}")]
    MatchedTooMuch(Cow<'static, str>),
    /// Undone already.
    #[error("the matching is undone already")]
    AlreadyUnmatched,
    /// What a domain above has posted is settled by it.
    #[error(
        "the line comes from an invoice, a bill or a payment, which are settled as such: use recordPayment, allocatePayment or undoAllocation"
    )]
    NotMatchedByHand,
    /// The state of a period or year does not allow it.
    #[error("{0}")]
    WrongState(&'static str),
    /// Something earlier is still open.
    #[error("{0} begins earlier and is not closed: close it first")]
    EarlierFirst(String),
    /// Drafts of the year would never be posted.
    #[error("{0} drafts are dated in this year: post, redate or discard them first")]
    DraftsRemain(i64),
    /// Until its last day is over, a year still takes entries.
    #[error("the fiscal year ends on {0}: close it from the day after on")]
    YearNotOver(NaiveDate),
    /// Two fiscal years would share a day.
    #[error("a fiscal year already begins or ends in these twelve months")]
    FiscalYearOverlaps,
    /// The company has a chart, journals and a year.
    #[error("the books of this company are open already")]
    BooksAlreadyOpen,
    /// The company has no chart, journals or year.
    #[error("the books of this company are not open")]
    BooksNotOpen,
    /// The code is taken.
    #[error("another journal has this code: choose another")]
    JournalCodeTaken,
    /// The external reference is taken.
    #[error("another record has this external reference")]
    ExternalRefTaken,
    /// SQL refused what the rules above it should have refused.
    #[error("{0}")]
    Frozen(String),
}

impl Error {
    /// A value that cannot be, with the fix.
    pub fn invalid(field: impl Into<Cow<'static, str>>, message: impl Into<Cow<'static, str>>) -> Self {
        Self::Invalid { field: field.into(), message: message.into() }
    }

    /// A day that has no fiscal year.
    pub(crate) fn no_year(day: NaiveDate) -> Self {
        Self::NoFiscalYear(
            format!("no fiscal year covers {day}: open it first, or choose another date").into(),
        )
    }
}

/// Exceptions of our own SQL (class `CO`) and broken constraints are refusals; their texts are written for users.
impl From<Fault> for Error {
    fn from(fault: Fault) -> Self {
        if let Some(state) = fault.sqlstate().filter(|state| state.starts_with("CO"))
            && let Some(message) = fault.raised(&state)
        {
            let text = || Cow::Owned(message.to_owned());
            match &*state {
                "CO002" => return Self::Frozen(message.to_owned()),
                "CO010" => return Self::PeriodNotOpen(text()),
                "CO011" => return Self::NoFiscalYear(text()),
                "CO012" => return Self::DateBeforeLast(text()),
                "CO013" => return Self::Unbalanced(text()),
                "CO014" => return Self::TooFewLines,
                "CO015" => return Self::AccountClosed(text()),
                "CO016" => return Self::PartyRequired(text()),
                "CO017" => return Self::OpeningDate(text()),
                "CO020" => return Self::NotMatchable(text()),
                "CO021" => return Self::MatchedTooMuch(text()),
                _ => {}
            }
        }
        match fault.constraint() {
            Some("account_number") => Self::AccountNumberTaken,
            Some("journal_code") => Self::JournalCodeTaken,
            Some("account_external_ref" | "journal_entry_external_ref") => Self::ExternalRefTaken,
            Some("journal_entry_reverses") => Self::AlreadyReversed,
            Some("fiscal_year_first_day" | "fiscal_year_overlap") => Self::FiscalYearOverlaps,
            _ => Self::Fault(fault),
        }
    }
}

impl From<sea_orm::DbErr> for Error {
    fn from(error: sea_orm::DbErr) -> Self {
        Self::from(Fault::from(error))
    }
}

impl DomainError for Error {
    fn fault(&self) -> Option<&Fault> {
        match self {
            Self::Fault(fault) => Some(fault),
            _ => None,
        }
    }

    fn denied(&self) -> Option<Denied> {
        match self {
            Self::Denied(denied) => Some(*denied),
            _ => None,
        }
    }

    fn code(&self) -> &'static str {
        match self {
            Self::Fault(_) => "INTERNAL",
            Self::Denied(_) => "FORBIDDEN",
            Self::NotFound(..) => "NOT_FOUND",
            Self::Conflict { .. } => "CONFLICT",
            Self::Invalid { .. } => "INVALID",
            Self::Unbalanced(_) => "UNBALANCED",
            Self::TooFewLines => "TOO_FEW_LINES",
            Self::AccountClosed(_) => "ACCOUNT_CLOSED",
            Self::AccountInUse => "ACCOUNT_IN_USE",
            Self::AccountHasRole => "ACCOUNT_HAS_ROLE",
            Self::AccountNumberTaken => "ACCOUNT_NUMBER_TAKEN",
            Self::NoAccountForRole(_) => "NO_ACCOUNT_FOR_ROLE",
            Self::PartyRequired(_) => "PARTY_REQUIRED",
            Self::PeriodNotOpen(_) => "PERIOD_NOT_OPEN",
            Self::NoFiscalYear(_) => "NO_FISCAL_YEAR",
            Self::DateBeforeLast(_) => "DATE_BEFORE_LAST",
            Self::DateInFuture(_) => "DATE_IN_FUTURE",
            Self::OpeningDate(_) => "OPENING_DATE",
            Self::EntryPosted => "ENTRY_POSTED",
            Self::EntryNotPosted => "ENTRY_NOT_POSTED",
            Self::NotReversible(_) => "NOT_REVERSIBLE",
            Self::AlreadyReversed => "ALREADY_REVERSED",
            Self::NotMatchable(_) => "NOT_MATCHABLE",
            Self::MatchedTooMuch(_) => "MATCHED_TOO_MUCH",
            Self::AlreadyUnmatched => "ALREADY_UNMATCHED",
            Self::NotMatchedByHand => "NOT_MATCHED_BY_HAND",
            Self::WrongState(_) => "WRONG_STATE",
            Self::EarlierFirst(_) => "EARLIER_FIRST",
            Self::DraftsRemain(_) => "DRAFTS_REMAIN",
            Self::YearNotOver(_) => "YEAR_NOT_OVER",
            Self::FiscalYearOverlaps => "FISCAL_YEAR_OVERLAPS",
            Self::BooksAlreadyOpen => "BOOKS_ALREADY_OPEN",
            Self::BooksNotOpen => "BOOKS_NOT_OPEN",
            Self::JournalCodeTaken => "JOURNAL_CODE_TAKEN",
            Self::ExternalRefTaken => "EXTERNAL_REF_TAKEN",
            Self::Frozen(_) => "FROZEN",
        }
    }

    fn field(&self) -> Option<String> {
        let field = match self {
            Self::NotFound(_, field) => field,
            Self::Conflict { .. } => "expectedVersion",
            Self::Invalid { field, .. } => field,
            Self::Unbalanced(_) | Self::TooFewLines | Self::AccountClosed(_) | Self::PartyRequired(_) => {
                "lines"
            }
            Self::AccountNumberTaken => "number",
            Self::PeriodNotOpen(_)
            | Self::NoFiscalYear(_)
            | Self::DateBeforeLast(_)
            | Self::DateInFuture(_)
            | Self::OpeningDate(_) => "date",
            Self::MatchedTooMuch(_) => "amount",
            Self::JournalCodeTaken => "code",
            Self::ExternalRefTaken => "externalRef",
            _ => return None,
        };
        Some(field.to_owned())
    }
}

/// Compares versions: the one that a client had, and the one that is.
pub(crate) fn same_version(expected: i32, actual: i32) -> Result<(), Error> {
    if expected == actual { Ok(()) } else { Err(Error::Conflict { expected, actual }) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_refusal_has_its_code_in_the_public_list() {
        let day = NaiveDate::MIN;
        let text = || Cow::Borrowed("x");
        let all = [
            Error::NotFound(Kind::Account, "id"),
            Error::Conflict { expected: 1, actual: 2 },
            Error::invalid("a", "b"),
            Error::Unbalanced(text()),
            Error::TooFewLines,
            Error::AccountClosed(text()),
            Error::AccountInUse,
            Error::AccountHasRole,
            Error::AccountNumberTaken,
            Error::NoAccountForRole("bank"),
            Error::PartyRequired(text()),
            Error::PeriodNotOpen(text()),
            Error::no_year(day),
            Error::DateBeforeLast(text()),
            Error::DateInFuture(day),
            Error::OpeningDate(text()),
            Error::EntryPosted,
            Error::EntryNotPosted,
            Error::NotReversible("x"),
            Error::AlreadyReversed,
            Error::NotMatchable(text()),
            Error::MatchedTooMuch(text()),
            Error::AlreadyUnmatched,
            Error::NotMatchedByHand,
            Error::WrongState("x"),
            Error::EarlierFirst("2025".to_owned()),
            Error::DraftsRemain(1),
            Error::YearNotOver(day),
            Error::FiscalYearOverlaps,
            Error::BooksAlreadyOpen,
            Error::BooksNotOpen,
            Error::JournalCodeTaken,
            Error::ExternalRefTaken,
            Error::Frozen("x".to_owned()),
        ];
        let codes: Vec<_> = all.iter().map(DomainError::code).collect();
        assert_eq!(codes, CODES, "each variant, in the order of the list");
    }
}
