//! Why the ledger refuses, typed.

use crate::graphql::mutation::error_codes;

error_codes!(LedgerErrorCode, LedgerUserError, ledger::error::CODES, "the ledger", {
    /// No such thing in this company.
    NotFound = "NOT_FOUND",
    /// It has changed since it was read.
    Conflict = "CONFLICT",
    /// A value that cannot be.
    Invalid = "INVALID",
    /// Debits and credits differ.
    Unbalanced = "UNBALANCED",
    /// An entry has at least two lines.
    TooFewLines = "TOO_FEW_LINES",
    /// Nothing is posted to a closed account.
    AccountClosed = "ACCOUNT_CLOSED",
    /// An account that something refers to is not deleted.
    AccountInUse = "ACCOUNT_IN_USE",
    /// An account that invoices, bills or payments post to is neither closed nor deleted.
    AccountHasRole = "ACCOUNT_HAS_ROLE",
    /// Another account has this number.
    AccountNumberTaken = "ACCOUNT_NUMBER_TAKEN",
    /// No account has the role that is needed.
    NoAccountForRole = "NO_ACCOUNT_FOR_ROLE",
    /// Receivable and payable lines name a customer or supplier.
    PartyRequired = "PARTY_REQUIRED",
    /// The period is locked or closed.
    PeriodNotOpen = "PERIOD_NOT_OPEN",
    /// No fiscal year covers the date.
    NoFiscalYear = "NO_FISCAL_YEAR",
    /// The journal has posted a later entry; the message tells its date.
    DateBeforeLast = "DATE_BEFORE_LAST",
    /// Nothing is posted or reversed by hand on a date after today.
    DateInFuture = "DATE_IN_FUTURE",
    /// Entries of the opening journal are dated on the first day of a fiscal year.
    OpeningDate = "OPENING_DATE",
    /// A posted entry never changes: reverse it.
    EntryPosted = "ENTRY_POSTED",
    /// A draft is discarded, not reversed.
    EntryNotPosted = "ENTRY_NOT_POSTED",
    /// An entry that is corrected otherwise than by a reversal.
    NotReversible = "NOT_REVERSIBLE",
    /// The entry is reversed already.
    AlreadyReversed = "ALREADY_REVERSED",
    /// Two lines that cannot settle each other.
    NotMatchable = "NOT_MATCHABLE",
    /// More than what is open.
    MatchedTooMuch = "MATCHED_TOO_MUCH",
    /// The matching is undone already.
    AlreadyUnmatched = "ALREADY_UNMATCHED",
    /// Lines of invoices, bills and payments are settled by `recordPayment`, `allocatePayment` and `undoAllocation`.
    NotMatchedByHand = "NOT_MATCHED_BY_HAND",
    /// The state of the thing does not allow it.
    WrongState = "WRONG_STATE",
    /// Something earlier is still open.
    EarlierFirst = "EARLIER_FIRST",
    /// Drafts dated in the year would never be posted.
    DraftsRemain = "DRAFTS_REMAIN",
    /// A fiscal year closes once its last day is over.
    YearNotOver = "YEAR_NOT_OVER",
    /// Two fiscal years would share a day.
    FiscalYearOverlaps = "FISCAL_YEAR_OVERLAPS",
    /// The books are open already.
    BooksAlreadyOpen = "BOOKS_ALREADY_OPEN",
    /// The books are not open.
    BooksNotOpen = "BOOKS_NOT_OPEN",
    /// Another journal has this code.
    JournalCodeTaken = "JOURNAL_CODE_TAKEN",
    /// Another record has this external reference.
    ExternalRefTaken = "EXTERNAL_REF_TAKEN",
    /// What is posted or closed is never changed.
    Frozen = "FROZEN",
});
