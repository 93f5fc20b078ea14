//! The closed lists of the ledger.

use async_graphql::Enum;

/// Where an account's balance belongs: the first three stay on the balance sheet from year to year, the last two
/// end with each year in its result.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(remote = "ledger::account::AccountKind")]
pub(crate) enum AccountKind {
    /// What the company has and is owed.
    Asset,
    /// What it owes.
    Liability,
    /// What belongs to its owners.
    Equity,
    /// What it earns.
    Income,
    /// What it spends.
    Expense,
}

/// What an account is for, whatever its number in this chart. At most one account has a role, and keeps it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(remote = "ledger::account::Role")]
pub(crate) enum AccountRole {
    /// What customers owe (411).
    Receivable,
    /// What suppliers are owed (401).
    Payable,
    /// The bank (512).
    Bank,
    /// Sales of goods (707).
    SalesGoods,
    /// Sales of services (706).
    SalesServices,
    /// Purchases of goods (607).
    Purchases,
    /// Allowances received on purchases (609).
    PurchaseAllowances,
    /// Prepayments to suppliers (409).
    SupplierPrepayments,
    /// VAT collected (44571).
    VatCollected,
    /// VAT collected that waits for the customer's payment (44574).
    VatCollectedWaiting,
    /// Deductible VAT (44566).
    VatDeductible,
    /// Deductible VAT that waits for the payment to the supplier (44564).
    VatDeductibleWaiting,
    /// VAT that the company assesses itself: intra-Community, reverse charge (4452).
    VatSelfAssessed,
    /// Exchange losses on trade receivables and payables (656).
    TradeExchangeLoss,
    /// Exchange gains on trade receivables and payables (756).
    TradeExchangeGain,
    /// Financial exchange losses (666).
    FinancialExchangeLoss,
    /// Financial exchange gains (766).
    FinancialExchangeGain,
    /// Small losses and roundings (658).
    SmallLoss,
    /// Small gains and roundings (758).
    SmallGain,
    /// The year's profit (120).
    ProfitOfYear,
    /// The year's loss (129).
    LossOfYear,
}

/// The kind of a journal; each company has one journal of each.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(remote = "ledger::entry::JournalKind")]
pub(crate) enum JournalKind {
    /// Sales.
    Sales,
    /// Purchases.
    Purchases,
    /// Bank.
    Bank,
    /// Miscellaneous operations.
    Miscellaneous,
    /// Opening entries (à-nouveaux), dated on the first day of a fiscal year.
    Opening,
}

/// Why an entry was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(remote = "ledger::entry::EntryKind")]
pub(crate) enum JournalEntryKind {
    /// By a user, or by an invoice, a bill, a payment.
    Normal,
    /// By the closing of a year: takes income and expense into the result.
    Result,
    /// By the closing of a year: repeats the balances that it left.
    Opening,
    /// By a reversal.
    Reversal,
}

/// How far an entry is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(remote = "ledger::entry::EntryState")]
pub(crate) enum JournalEntryState {
    /// May still change, counts nowhere, has no number.
    Draft,
    /// Never changes.
    Posted,
}

/// How a list of entries is sorted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Enum)]
#[graphql(remote = "ledger::entry::service::Sort")]
pub(crate) enum JournalEntrySort {
    /// The latest written first.
    #[default]
    Newest,
    /// The latest accounting date first.
    Date,
}

/// How far a period is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(remote = "ledger::year::PeriodState")]
pub(crate) enum PeriodState {
    /// Takes entries.
    Open,
    /// Takes the entries of a year's closing only; may reopen.
    Locked,
    /// Takes nothing any more, for good.
    Closed,
}

/// How far a fiscal year is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(remote = "ledger::year::YearState")]
pub(crate) enum FiscalYearState {
    /// Its periods may take entries.
    Open,
    /// Its result and the opening of the next year are posted; for good.
    Closed,
}

/// A stored name that must be one of its list.
pub(super) fn stored<T>(value: Option<T>, what: &str) -> Result<T, async_graphql::Error> {
    value.ok_or_else(|| crate::graphql::error::faulty(&kernel::Fault::Corrupt(what.to_owned())))
}
