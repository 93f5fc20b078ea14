//! What is changed of fiscal years and periods.

use async_graphql::{Context, Error, ID, InputObject, Object};
use kernel::{Kind, Permission};
use ledger::year::service as years;

use super::errors::LedgerUserError;
use super::year::{FiscalYear, Period};
use crate::graphql::guard::Needs;
use crate::graphql::ids::parse;
use crate::graphql::mutation::{mutate, payload};

/// A fiscal year to close.
#[derive(InputObject)]
struct CloseFiscalYearInput {
    /// The fiscal year.
    fiscal_year_id: ID,
    /// The version that was read; another one is a conflict.
    expected_version: i32,
}

/// A fiscal year to open.
#[derive(InputObject)]
struct OpenNextFiscalYearInput {
    /// The last fiscal year, which the new one follows.
    after_fiscal_year_id: ID,
}

/// A period to lock, reopen or close.
#[derive(InputObject)]
struct PeriodInput {
    /// The period.
    period_id: ID,
    /// The version that was read; another one is a conflict.
    expected_version: i32,
}

payload!(OpenNextFiscalYearPayload, fiscal_year: FiscalYear, LedgerUserError, "The new fiscal year.");
payload!(CloseFiscalYearPayload, fiscal_year: FiscalYear, LedgerUserError, "The fiscal year, closed.");
payload!(LockPeriodPayload, period: Period, LedgerUserError, "The period, locked.");
payload!(ReopenPeriodPayload, period: Period, LedgerUserError, "The period, open.");
payload!(ClosePeriodPayload, period: Period, LedgerUserError, "The period, closed.");

/// Fiscal years and periods in the mutation root.
#[derive(Default)]
pub(super) struct YearMutation;

#[Object]
impl YearMutation {
    /// Opens the fiscal year after the last one: twelve months.
    #[graphql(guard = "Needs(Permission::LedgerClose)")]
    async fn open_next_fiscal_year(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "A fiscal year to open.")] input: OpenNextFiscalYearInput,
    ) -> Result<OpenNextFiscalYearPayload, Error> {
        let after = parse(Kind::FiscalYear, "afterFiscalYearId", &input.after_fiscal_year_id)?;
        let done = mutate(ctx, move |tx| Box::pin(async move { years::open_next_year(tx, after).await }));
        Ok(OpenNextFiscalYearPayload(done.await?))
    }

    /// Closes a fiscal year, for good: posts its result, and the opening entry of the next year, which is opened if
    /// it is missing. Its last day is over, and earlier years close first.
    #[graphql(guard = "Needs(Permission::LedgerClose)")]
    async fn close_fiscal_year(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "A fiscal year to close.")] input: CloseFiscalYearInput,
    ) -> Result<CloseFiscalYearPayload, Error> {
        let id = parse(Kind::FiscalYear, "fiscalYearId", &input.fiscal_year_id)?;
        let version = input.expected_version;
        let done = mutate(ctx, move |tx| Box::pin(async move { years::close_year(tx, id, version).await }));
        Ok(CloseFiscalYearPayload(done.await?.or_current(id)))
    }

    /// Locks a period: it takes no entries until it is reopened.
    #[graphql(guard = "Needs(Permission::LedgerClose)")]
    async fn lock_period(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "A period to lock, reopen or close.")] input: PeriodInput,
    ) -> Result<LockPeriodPayload, Error> {
        let id = parse(Kind::Period, "periodId", &input.period_id)?;
        let version = input.expected_version;
        let done = mutate(ctx, move |tx| Box::pin(async move { years::lock_period(tx, id, version).await }));
        Ok(LockPeriodPayload(done.await?.or_current(id)))
    }

    /// Opens a locked period again.
    #[graphql(guard = "Needs(Permission::LedgerClose)")]
    async fn reopen_period(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "A period to lock, reopen or close.")] input: PeriodInput,
    ) -> Result<ReopenPeriodPayload, Error> {
        let id = parse(Kind::Period, "periodId", &input.period_id)?;
        let version = input.expected_version;
        let done =
            mutate(ctx, move |tx| Box::pin(async move { years::reopen_period(tx, id, version).await }));
        Ok(ReopenPeriodPayload(done.await?.or_current(id)))
    }

    /// Closes a locked period, for good: after the earlier ones. The last period of a year closes with the year.
    #[graphql(guard = "Needs(Permission::LedgerClose)")]
    async fn close_period(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "A period to lock, reopen or close.")] input: PeriodInput,
    ) -> Result<ClosePeriodPayload, Error> {
        let id = parse(Kind::Period, "periodId", &input.period_id)?;
        let version = input.expected_version;
        let done = mutate(ctx, move |tx| Box::pin(async move { years::close_period(tx, id, version).await }));
        Ok(ClosePeriodPayload(done.await?.or_current(id)))
    }
}
