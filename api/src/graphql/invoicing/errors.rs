//! Why invoicing refuses, typed.

use crate::graphql::mutation::error_codes;

error_codes!(InvoicingErrorCode, InvoicingUserError,
    invoicing::CODES.iter().chain(ledger::error::CODES), "invoicing, or the ledger beneath it,", {
    /// No such thing in this company.
    NotFound = "NOT_FOUND",
    /// It has changed since it was read.
    Conflict = "CONFLICT",
    /// A value that cannot be.
    Invalid = "INVALID",
    /// The thing's state does not allow it.
    WrongState = "WRONG_STATE",
    /// An archived thing takes no new business.
    Archived = "ARCHIVED",
    /// Another thing has this external reference.
    DuplicateExternalRef = "DUPLICATE_EXTERNAL_REF",
    /// Another thing has this code.
    DuplicateCode = "DUPLICATE_CODE",
    /// An amount that no ledger could carry.
    AmountTooLarge = "AMOUNT_TOO_LARGE",
    /// A document needs a line.
    NoLines = "NO_LINES",
    /// The total is zero.
    NothingToInvoice = "NOTHING_TO_INVOICE",
    /// It is issued and stays as it is.
    AlreadyIssued = "ALREADY_ISSUED",
    /// The draft was discarded.
    NotDraft = "NOT_DRAFT",
    /// Only an issued invoice can be credited, settled or rated.
    NotIssued = "NOT_ISSUED",
    /// Issue dates of a series never go back.
    IssueDateBeforeLast = "ISSUE_DATE_BEFORE_LAST",
    /// No document is issued ahead of its day.
    IssueDateInFuture = "ISSUE_DATE_IN_FUTURE",
    /// No exchange rate is known on that day.
    RateMissing = "RATE_MISSING",
    /// Credit notes never exceed what they correct.
    CreditExceedsInvoice = "CREDIT_EXCEEDS_INVOICE",
    /// Credit notes have taken back all of it.
    NothingLeftToCredit = "NOTHING_LEFT_TO_CREDIT",
    /// A customer rates an invoice once.
    AlreadyRated = "ALREADY_RATED",
    /// More than the document has open.
    AllocationExceedsOpen = "ALLOCATION_EXCEEDS_OPEN",
    /// More than the payment has on account.
    AllocationExceedsPayment = "ALLOCATION_EXCEEDS_PAYMENT",
    /// Another party's document.
    PartyMismatch = "PARTY_MISMATCH",
    /// A document in another currency.
    CurrencyMismatch = "CURRENCY_MISMATCH",
    /// Money that went the other way.
    WrongDirection = "WRONG_DIRECTION",
    /// The payment has bounced.
    AlreadyBounced = "ALREADY_BOUNCED",
    /// The allocation is undone.
    AlreadyUndone = "ALREADY_UNDONE",
    /// The document is not posted, so nothing settles it.
    NotPosted = "NOT_POSTED",
    /// This bill came before; the message names the first one.
    DuplicateBill = "DUPLICATE_BILL",
    /// The bill's amounts do not add up.
    DoesNotAddUp = "DOES_NOT_ADD_UP",
    /// Somebody else than who entered it or corrected it last must approve it.
    FourEyes = "FOUR_EYES",
    /// The amounts are all zero, or what is to be paid is zero in the company's currency.
    NothingToPost = "NOTHING_TO_POST",
    /// A bill that gives money back, or a credit note that claims some.
    NegativePayable = "NEGATIVE_PAYABLE",
    /// Tax is stated where the buyer owes it.
    TaxOnReverseCharge = "TAX_ON_REVERSE_CHARGE",
    /// The company has no tax code with a standard rate.
    NoStandardRate = "NO_STANDARD_RATE",
    /// The file is not well-formed XML.
    NotXml = "NOT_XML",
    /// The file is too large.
    TooLarge = "TOO_LARGE",
    /// The file's encoding cannot be read.
    Encoding = "ENCODING",
    /// The file declares a document type.
    DoctypeForbidden = "DOCTYPE_FORBIDDEN",
    /// The file nests its elements too deep.
    TooDeep = "TOO_DEEP",
    /// The file has too many elements.
    TooManyElements = "TOO_MANY_ELEMENTS",
    /// The file is no invoice in CII or UBL.
    UnknownSyntax = "UNKNOWN_SYNTAX",
    /// The file lacks a value that every invoice has.
    MissingField = "MISSING_FIELD",
    /// The file has a value that cannot be read.
    BadValue = "BAD_VALUE",
    /// Debits and credits would differ.
    Unbalanced = "UNBALANCED",
    /// The entry would have fewer than two lines.
    TooFewLines = "TOO_FEW_LINES",
    /// An account is closed.
    AccountClosed = "ACCOUNT_CLOSED",
    /// The account is in use.
    AccountInUse = "ACCOUNT_IN_USE",
    /// Invoices, bills and payments post to the account.
    AccountHasRole = "ACCOUNT_HAS_ROLE",
    /// Another account has this number.
    AccountNumberTaken = "ACCOUNT_NUMBER_TAKEN",
    /// No open account serves this purpose.
    NoAccountForRole = "NO_ACCOUNT_FOR_ROLE",
    /// A line on a receivable or payable account lacks its party.
    PartyRequired = "PARTY_REQUIRED",
    /// The period of that date is locked or closed.
    PeriodNotOpen = "PERIOD_NOT_OPEN",
    /// No fiscal year covers that date.
    NoFiscalYear = "NO_FISCAL_YEAR",
    /// The journal has a later entry already.
    DateBeforeLast = "DATE_BEFORE_LAST",
    /// Nothing is posted or reversed by hand on a date after today.
    DateInFuture = "DATE_IN_FUTURE",
    /// The opening journal takes first days of a year only.
    OpeningDate = "OPENING_DATE",
    /// The entry is posted.
    EntryPosted = "ENTRY_POSTED",
    /// The entry is a draft.
    EntryNotPosted = "ENTRY_NOT_POSTED",
    /// The entry is not corrected by a reversal.
    NotReversible = "NOT_REVERSIBLE",
    /// The entry is reversed already.
    AlreadyReversed = "ALREADY_REVERSED",
    /// The two lines cannot settle each other.
    NotMatchable = "NOT_MATCHABLE",
    /// More than what the lines have open.
    MatchedTooMuch = "MATCHED_TOO_MUCH",
    /// The matching is undone already.
    AlreadyUnmatched = "ALREADY_UNMATCHED",
    /// Lines of invoices, bills and payments are settled by payments and their undoing.
    NotMatchedByHand = "NOT_MATCHED_BY_HAND",
    /// Something earlier is still open.
    EarlierFirst = "EARLIER_FIRST",
    /// Drafts of the year would never be posted.
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
    /// Another record of the ledger has this external reference.
    ExternalRefTaken = "EXTERNAL_REF_TAKEN",
    /// What is posted is never changed.
    Frozen = "FROZEN",
});
