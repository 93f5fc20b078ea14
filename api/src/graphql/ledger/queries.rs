//! What the ledger answers.

use async_graphql::{Context, Error, ID, Object};
use kernel::{Kind, Permission};
use ledger::report::{self, AgedSide};
use ledger::{account, entry, journal, matching, rate, year};
use rust_decimal::Decimal;

use super::account::{Account, AccountFilter};
use super::entry::{JournalEntry, JournalEntryFilter};
use super::enums::JournalEntrySort;
use super::journal::Journal;
use super::posting::Posting;
use super::rate::{ExchangeRate, ExchangeRateFilter};
use super::reports::{AgedReport, TrialBalance, aged};
use super::year::FiscalYear;
use crate::graphql::connection::{Connection, PageArgs, TotalCount, connection};
use crate::graphql::cost::{about, costs, paged};
use crate::graphql::date::Date;
use crate::graphql::guard::{Needs, Told};
use crate::graphql::ids::{parse, parse_optional};
use crate::graphql::money::currency;
use crate::graphql::request::InRequest;

/// The ledger's part of the query root.
#[derive(Default)]
pub(crate) struct LedgerQuery;

#[Object]
#[expect(clippy::too_many_arguments, reason = "a connection has four arguments beside its own")]
impl LedgerQuery {
    /// An account by its number. Null when there is none.
    #[graphql(guard = "Needs(Permission::LedgerRead)")]
    async fn account(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Its number in the chart, e.g. `411`.")] number: String,
    ) -> Result<Option<Account>, Error> {
        let tx = ctx.session()?.read().await?;
        Ok(account::service::by_number(&tx, &number).await.told()?.map(Account))
    }

    /// The chart of accounts, by number.
    #[graphql(
        guard = "Needs(Permission::LedgerRead)",
        directive = paged::apply(), directive = costs::apply(5)
    )]
    async fn accounts(
        &self,
        ctx: &Context<'_>,
        #[graphql(default, desc = "Which ones.")] filter: AccountFilter,
        #[graphql(desc = "How many from the start, at most 100.")] first: Option<i32>,
        #[graphql(desc = "How many from the end, at most 100.")] last: Option<i32>,
        #[graphql(desc = "Those after this one.")] after: Option<String>,
        #[graphql(desc = "Those before this one.")] before: Option<String>,
    ) -> Result<Connection<Account>, Error> {
        let slice = PageArgs { first, last, after, before }.slice()?;
        let filter = account::service::Filter::from(filter);
        let tx = ctx.session()?.read().await?;
        let page = account::service::list(&tx, &filter, &slice).await.told()?;
        let total = TotalCount::by(move |tx| {
            let filter = filter.clone();
            async move { account::service::count(&tx, &filter).await.told() }
        });
        Ok(connection(page, total, account::service::cursor, Account))
    }

    /// The journals, by code: five of them.
    #[graphql(guard = "Needs(Permission::LedgerRead)", directive = about::apply(5))]
    async fn journals(&self, ctx: &Context<'_>) -> Result<Vec<Journal>, Error> {
        let tx = ctx.session()?.read().await?;
        Ok(journal::service::list(&tx).await.told()?.into_iter().map(Journal).collect())
    }

    /// The fiscal years, the latest first. A company has few: they are not paged.
    #[graphql(guard = "Needs(Permission::LedgerRead)", directive = about::apply(10))]
    async fn fiscal_years(&self, ctx: &Context<'_>) -> Result<Vec<FiscalYear>, Error> {
        let tx = ctx.session()?.read().await?;
        Ok(year::service::list(&tx).await.told()?.into_iter().map(FiscalYear).collect())
    }

    /// A journal entry. Null for an unknown id, and for one of another company.
    #[graphql(guard = "Needs(Permission::LedgerRead)")]
    async fn journal_entry(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The entry.")] id: ID,
    ) -> Result<Option<JournalEntry>, Error> {
        JournalEntry::load(ctx, parse(Kind::JournalEntry, "id", &id)?).await
    }

    /// Journal entries, drafts and posted ones.
    #[graphql(
        guard = "Needs(Permission::LedgerRead)",
        directive = paged::apply(), directive = costs::apply(5)
    )]
    async fn journal_entries(
        &self,
        ctx: &Context<'_>,
        #[graphql(default, desc = "Which ones.")] filter: JournalEntryFilter,
        #[graphql(default, desc = "In which order.")] sort: JournalEntrySort,
        #[graphql(desc = "How many from the start, at most 100.")] first: Option<i32>,
        #[graphql(desc = "How many from the end, at most 100.")] last: Option<i32>,
        #[graphql(desc = "Those after this one.")] after: Option<String>,
        #[graphql(desc = "Those before this one.")] before: Option<String>,
    ) -> Result<Connection<JournalEntry>, Error> {
        let slice = PageArgs { first, last, after, before }.slice()?;
        let (filter, sort) = (filter.read()?, sort.into());
        let tx = ctx.session()?.read().await?;
        let page = entry::service::list(&tx, &filter, sort, &slice).await.told()?;
        let page = JournalEntry::page(ctx, &tx, page).await?;
        let total = TotalCount::by(move |tx| {
            let filter = filter.clone();
            async move { entry::service::count(&tx, &filter).await.told() }
        });
        Ok(connection(page, total, |entry| entry.cursor(sort), |entry| entry))
    }

    /// The lines of a reconcilable account that are still open, oldest first: what can be matched.
    #[graphql(
        guard = "Needs(Permission::LedgerRead)",
        directive = paged::apply(), directive = costs::apply(10)
    )]
    async fn open_postings(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The account.")] account_id: ID,
        #[graphql(desc = "Of one customer or supplier; of all when left out.")] party_id: Option<ID>,
        #[graphql(desc = "How many from the start, at most 100.")] first: Option<i32>,
        #[graphql(desc = "How many from the end, at most 100.")] last: Option<i32>,
        #[graphql(desc = "Those after this one.")] after: Option<String>,
        #[graphql(desc = "Those before this one.")] before: Option<String>,
    ) -> Result<Connection<Posting>, Error> {
        let slice = PageArgs { first, last, after, before }.slice()?;
        let account = parse(Kind::Account, "accountId", &account_id)?;
        let party = parse_optional(Kind::Party, "partyId", party_id.as_ref())?;
        let tx = ctx.session()?.read().await?;
        let page = matching::service::open_lines(&tx, account, party, &slice).await.told()?;
        let total = TotalCount::by(move |tx| async move {
            matching::service::open_lines_count(&tx, account, party).await.told()
        });
        Ok(connection(page, total, matching::service::cursor, Posting))
    }

    /// The trial balance from one day to another. Years that are not closed yet are shown as if they were: their
    /// result on the accounts of the year's profit or loss.
    #[graphql(guard = "Needs(Permission::LedgerRead)", directive = costs::apply(20))]
    async fn trial_balance(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The first day.")] from: Date,
        #[graphql(desc = "The last day.")] to: Date,
        #[graphql(
            default,
            desc = "Whether the result entry of the last day's own year is left out, so that income and expense of a closed year can be read."
        )]
        before_closing: bool,
    ) -> Result<TrialBalance, Error> {
        let tx = ctx.session()?.read().await?;
        Ok(TrialBalance(report::trial_balance(&tx, from.0, to.0, before_closing).await.told()?))
    }

    /// What customers owed at the end of a day, by how long it is overdue.
    #[graphql(
        guard = "Needs(Permission::LedgerRead)",
        directive = paged::apply(), directive = costs::apply(50)
    )]
    async fn aged_receivables(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The day; the company's today when left out.")] on: Option<Date>,
        #[graphql(desc = "How many from the start, at most 100.")] first: Option<i32>,
        #[graphql(desc = "How many from the end, at most 100.")] last: Option<i32>,
        #[graphql(desc = "Those after this one.")] after: Option<String>,
        #[graphql(desc = "Those before this one.")] before: Option<String>,
    ) -> Result<AgedReport, Error> {
        aged(ctx, AgedSide::Receivables, on.map(Into::into), PageArgs { first, last, after, before }).await
    }

    /// What suppliers were owed at the end of a day, by how long it is overdue.
    #[graphql(
        guard = "Needs(Permission::LedgerRead)",
        directive = paged::apply(), directive = costs::apply(50)
    )]
    async fn aged_payables(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The day; the company's today when left out.")] on: Option<Date>,
        #[graphql(desc = "How many from the start, at most 100.")] first: Option<i32>,
        #[graphql(desc = "How many from the end, at most 100.")] last: Option<i32>,
        #[graphql(desc = "Those after this one.")] after: Option<String>,
        #[graphql(desc = "Those before this one.")] before: Option<String>,
    ) -> Result<AgedReport, Error> {
        aged(ctx, AgedSide::Payables, on.map(Into::into), PageArgs { first, last, after, before }).await
    }

    /// Exchange rates, the latest day first.
    #[graphql(
        guard = "Needs(Permission::LedgerRead)",
        directive = paged::apply(), directive = costs::apply(5)
    )]
    async fn exchange_rates(
        &self,
        ctx: &Context<'_>,
        #[graphql(default, desc = "Which ones.")] filter: ExchangeRateFilter,
        #[graphql(desc = "How many from the start, at most 100.")] first: Option<i32>,
        #[graphql(desc = "How many from the end, at most 100.")] last: Option<i32>,
        #[graphql(desc = "Those after this one.")] after: Option<String>,
        #[graphql(desc = "Those before this one.")] before: Option<String>,
    ) -> Result<Connection<ExchangeRate>, Error> {
        let slice = PageArgs { first, last, after, before }.slice()?;
        let filter = filter.read()?;
        let tx = ctx.session()?.read().await?;
        let page = rate::service::list(&tx, &filter, &slice).await.told()?;
        let total = TotalCount::by(move |tx| {
            let filter = filter.clone();
            async move { rate::service::count(&tx, &filter).await.told() }
        });
        Ok(connection(page, total, rate::service::cursor, ExchangeRate))
    }

    /// The company's currency for one unit of another, by the latest rate on or before a day. Null when none is
    /// known.
    #[graphql(guard = "Needs(Permission::LedgerRead)")]
    async fn exchange_rate(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "ISO 4217.", name = "currency")] code: String,
        #[graphql(desc = "The day; the company's today when left out.")] on: Option<Date>,
    ) -> Result<Option<Decimal>, Error> {
        let currency = currency(&code, "currency")?;
        let request = ctx.session()?;
        let on = match on {
            Some(on) => on.0,
            None => request.scope()?.today(),
        };
        let tx = request.read().await?;
        rate::exchange_rate_in(&tx, currency, on).await.told()
    }
}
