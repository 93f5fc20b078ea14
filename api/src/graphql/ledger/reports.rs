//! Reports of the ledger in the graph.

use async_graphql::{Context, Error, ID, Object};
use chrono::NaiveDate;
use kernel::page::Slice;
use kernel::{Kind, Permission};
use ledger::report::{self, AgedParty, AgedSide, LedgerLine, TrialBalanceRow};
use uuid::Uuid;

use super::account::Account;
use super::in_books;
use super::posting::Posting;
use crate::graphql::connection::{Connection, PageArgs, TotalCount, connection};
use crate::graphql::cost::about;
use crate::graphql::date::Date;
use crate::graphql::guard::{Needs, Told};
use crate::graphql::ids::public;
use crate::graphql::inline::Rows;
use crate::graphql::invoicing::party::Party;
use crate::graphql::money::Money;
use crate::graphql::request::InRequest;

/// The trial balance: opening, movements and closing of each account, in the company's currency.
pub(super) struct TrialBalance(pub(super) report::TrialBalance);

impl TrialBalance {
    fn sum(&self, of: impl Fn(&TrialBalanceRow) -> i64) -> i64 {
        self.0.rows.iter().map(of).sum()
    }
}

/// The trial balance: opening, movements and closing of each account, in the company's currency.
#[Object]
impl TrialBalance {
    /// The first day.
    fn from(&self) -> Date {
        Date::from(self.0.from)
    }

    /// The last day.
    fn to(&self) -> Date {
        Date::from(self.0.to)
    }

    /// The accounts that have a balance or moved, by number.
    #[graphql(directive = about::apply(80))]
    fn rows(&self) -> Rows<BalanceRow> {
        Rows(self.0.rows.iter().cloned().map(BalanceRow).collect())
    }

    /// Debits of all accounts in the range: equal to the credits.
    fn debit(&self, ctx: &Context<'_>) -> Result<Money, Error> {
        in_books(ctx, self.sum(|row| row.debit_minor))
    }

    /// Credits of all accounts in the range: equal to the debits.
    fn credit(&self, ctx: &Context<'_>) -> Result<Money, Error> {
        in_books(ctx, self.sum(|row| row.credit_minor))
    }
}

/// One account of a trial balance.
#[derive(Clone)]
pub(super) struct BalanceRow(TrialBalanceRow);

/// One account of a trial balance.
#[Object(name = "TrialBalanceRow")]
impl BalanceRow {
    /// The account.
    async fn account(&self, ctx: &Context<'_>) -> Result<Account, Error> {
        Account::referred(ctx, self.0.account_id).await
    }

    /// Debits less credits before the first day, the opening entry of that day included.
    fn opening(&self, ctx: &Context<'_>) -> Result<Money, Error> {
        in_books(ctx, self.0.opening_minor)
    }

    /// Debits from the first to the last day.
    fn debit(&self, ctx: &Context<'_>) -> Result<Money, Error> {
        in_books(ctx, self.0.debit_minor)
    }

    /// Credits from the first to the last day.
    fn credit(&self, ctx: &Context<'_>) -> Result<Money, Error> {
        in_books(ctx, self.0.credit_minor)
    }

    /// Debits less credits at the end of the last day.
    fn closing(&self, ctx: &Context<'_>) -> Result<Money, Error> {
        in_books(ctx, self.0.closing_minor())
    }
}

/// The general ledger of an account within one fiscal year, in the company's currency.
pub(super) struct GeneralLedger {
    account: Uuid,
    from: NaiveDate,
    to: NaiveDate,
    sums: (i64, i64, i64, i64),
    lines: kernel::page::Page<LedgerLine>,
}

/// Reads a page of an account's general ledger.
pub(super) async fn general_ledger(
    ctx: &Context<'_>,
    account: Uuid,
    from: NaiveDate,
    to: NaiveDate,
    page: PageArgs,
) -> Result<GeneralLedger, Error> {
    let slice = page.slice()?;
    let tx = ctx.session()?.read().await?;
    let book = report::general_ledger(&tx, account, from, to, &slice).await.told()?;
    let sums = (book.opening_minor, book.debit_minor, book.credit_minor, book.closing_minor());
    Ok(GeneralLedger { account, from, to, sums, lines: book.lines })
}

/// The general ledger of an account within one fiscal year, in the company's currency.
#[Object]
impl GeneralLedger {
    /// The account.
    async fn account(&self, ctx: &Context<'_>) -> Result<Account, Error> {
        Account::referred(ctx, self.account).await
    }

    /// The balance before the first day, the opening entry of that day included: debits less credits.
    fn opening(&self, ctx: &Context<'_>) -> Result<Money, Error> {
        in_books(ctx, self.sums.0)
    }

    /// Debits from the first to the last day.
    fn debit(&self, ctx: &Context<'_>) -> Result<Money, Error> {
        in_books(ctx, self.sums.1)
    }

    /// Credits from the first to the last day.
    fn credit(&self, ctx: &Context<'_>) -> Result<Money, Error> {
        in_books(ctx, self.sums.2)
    }

    /// The balance at the end of the last day.
    fn closing(&self, ctx: &Context<'_>) -> Result<Money, Error> {
        in_books(ctx, self.sums.3)
    }

    /// The page of lines that the arguments ask for, by date.
    async fn lines(&self) -> Connection<GeneralLedgerLine> {
        let (account, from, to) = (self.account, self.from, self.to);
        let total = TotalCount::by(move |tx| async move {
            report::general_ledger_count(&tx, account, from, to).await.told()
        });
        let cursor = |line: &LedgerLine| ledger::matching::service::cursor(&line.posting);
        connection(self.lines.clone(), total, cursor, GeneralLedgerLine)
    }
}

/// A line of the general ledger.
pub(super) struct GeneralLedgerLine(LedgerLine);

/// A line of the general ledger.
#[Object]
impl GeneralLedgerLine {
    /// The line.
    fn posting(&self) -> Posting {
        Posting(self.0.posting.clone())
    }

    /// The account's balance after it: debits less credits.
    fn balance(&self, ctx: &Context<'_>) -> Result<Money, Error> {
        in_books(ctx, self.0.balance_minor)
    }
}

/// Aged receivables or payables at the end of a day (balance âgée), in the company's currency. Positive is owed to
/// the company (receivables) or by it (payables); negative is in the party's favour, or an unmatched payment.
pub(super) struct AgedReport {
    on: NaiveDate,
    side: AgedSide,
    report: report::Aged,
}

/// Reads a page of an aged report.
pub(super) async fn aged(
    ctx: &Context<'_>,
    side: AgedSide,
    on: Option<NaiveDate>,
    page: PageArgs,
) -> Result<AgedReport, Error> {
    let slice: Slice = page.slice()?;
    let request = ctx.session()?;
    let on = match on {
        Some(on) => on,
        None => request.scope()?.today(),
    };
    let tx = request.read().await?;
    Ok(AgedReport { on, side, report: report::aged(&tx, side, on, &slice).await.told()? })
}

/// Aged receivables or payables at the end of a day (balance âgée), in the company's currency. Positive is owed to
/// the company (receivables) or by it (payables); negative is in the party's favour, or an unmatched payment.
#[Object]
impl AgedReport {
    /// The day.
    fn on(&self) -> Date {
        Date::from(self.on)
    }

    /// The sums over all parties.
    fn totals(&self) -> AgedAmounts {
        AgedAmounts(self.report.totals.clone())
    }

    /// The page of parties that the arguments ask for, the largest sum first.
    async fn parties(&self) -> Connection<AgedPartyRow> {
        let (side, on) = (self.side, self.on);
        let total = TotalCount::by(move |tx| async move { report::aged_count(&tx, side, on).await.told() });
        connection(self.report.parties.clone(), total, report::aged_cursor, AgedPartyRow)
    }
}

/// What one customer or supplier owes or is owed.
pub(super) struct AgedPartyRow(AgedParty);

/// What one customer or supplier owes or is owed.
#[Object(name = "AgedParty")]
impl AgedPartyRow {
    /// The public id of the customer or supplier.
    fn party_id(&self) -> ID {
        public(Kind::Party, self.0.party_id)
    }

    /// The customer or supplier.
    #[graphql(guard = "Needs(Permission::PartiesRead)")]
    async fn party(&self, ctx: &Context<'_>) -> Result<Option<Party>, Error> {
        Party::load(ctx, self.0.party_id).await
    }

    /// How old it is.
    fn amounts(&self) -> AgedAmounts {
        AgedAmounts(self.0.clone())
    }
}

/// Open amounts by how long they are overdue.
pub(super) struct AgedAmounts(AgedParty);

/// Open amounts by how long they are overdue.
#[Object]
impl AgedAmounts {
    /// Not due yet, or due on the very day.
    fn not_due(&self, ctx: &Context<'_>) -> Result<Money, Error> {
        in_books(ctx, self.0.not_due_minor)
    }

    /// 1 to 30 days overdue.
    #[graphql(name = "days1To30")]
    fn days_1_to_30(&self, ctx: &Context<'_>) -> Result<Money, Error> {
        in_books(ctx, self.0.days_1_30_minor)
    }

    /// 31 to 60 days overdue.
    #[graphql(name = "days31To60")]
    fn days_31_to_60(&self, ctx: &Context<'_>) -> Result<Money, Error> {
        in_books(ctx, self.0.days_31_60_minor)
    }

    /// 61 to 90 days overdue.
    #[graphql(name = "days61To90")]
    fn days_61_to_90(&self, ctx: &Context<'_>) -> Result<Money, Error> {
        in_books(ctx, self.0.days_61_90_minor)
    }

    /// More than 90 days overdue.
    fn over_90(&self, ctx: &Context<'_>) -> Result<Money, Error> {
        in_books(ctx, self.0.over_90_minor)
    }

    /// All of it.
    fn total(&self, ctx: &Context<'_>) -> Result<Money, Error> {
        in_books(ctx, self.0.total_minor)
    }
}
