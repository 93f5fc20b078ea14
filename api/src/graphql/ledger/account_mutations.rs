//! What is changed of accounts, journals and rates.

use async_graphql::{Context, Error, ID, InputObject, Object};
use kernel::{Kind, Permission};
use ledger::account::{NewAccount, service as accounts};
use ledger::journal::service as journals;
use ledger::rate::service as rates;
use rust_decimal::Decimal;

use super::account::Account;
use super::enums::AccountKind;
use super::errors::LedgerUserError;
use super::journal::Journal;
use super::rate::ExchangeRate;
use crate::graphql::date::Date;
use crate::graphql::guard::Needs;
use crate::graphql::ids::parse;
use crate::graphql::money::currency;
use crate::graphql::mutation::{mutate, payload};

/// An account to add.
#[derive(Clone, InputObject)]
struct CreateAccountInput {
    /// Its number: 1 to 20 digits and capital letters, unique in the company.
    number: String,
    /// Its name, in French in a French chart.
    name: String,
    /// Its English name.
    name_en: Option<String>,
    /// Where its balance belongs; for good.
    kind: AccountKind,
    /// Whether its lines can be matched with each other; never on income and expense.
    #[graphql(default)]
    reconcilable: bool,
    /// Whether each line must name a customer or supplier; only on reconcilable accounts.
    #[graphql(default)]
    party_required: bool,
    /// The partner's own reference, unique in the company.
    external_ref: Option<String>,
}

/// New names for an account.
#[derive(Clone, InputObject)]
struct RenameAccountInput {
    /// The account.
    account_id: ID,
    /// The version that was read; another one is a conflict.
    expected_version: i32,
    /// Its new name.
    name: String,
    /// Its new English name; none when left out.
    name_en: Option<String>,
}

/// An account to close, reopen or delete.
#[derive(Clone, InputObject)]
struct AccountInput {
    /// The account.
    account_id: ID,
    /// The version that was read; another one is a conflict.
    expected_version: i32,
}

/// A new code and name for a journal.
#[derive(Clone, InputObject)]
struct RenameJournalInput {
    /// The journal.
    journal_id: ID,
    /// The version that was read; another one is a conflict.
    expected_version: i32,
    /// Its new code: 1 to 6 digits and capital letters, unique in the company.
    code: String,
    /// Its new name.
    name: String,
}

/// A rate to set.
#[derive(Clone, InputObject)]
struct SetExchangeRateInput {
    /// The currency, ISO 4217; not the company's own.
    currency: String,
    /// The day from which it holds.
    date: Date,
    /// The company's currency for one unit.
    rate: Decimal,
    /// The version of the day's rate that was read; left out for a day without one.
    expected_version: Option<i32>,
}

payload!(CreateAccountPayload, account: Account, LedgerUserError, "The new account.");
payload!(RenameAccountPayload, account: Account, LedgerUserError, "The account.");
payload!(CloseAccountPayload, account: Account, LedgerUserError, "The account, closed.");
payload!(ReopenAccountPayload, account: Account, LedgerUserError, "The account, open.");
payload!(DeleteAccountPayload, account: Account, LedgerUserError, "Null once the account is deleted.");
payload!(RenameJournalPayload, journal: Journal, LedgerUserError, "The journal.");
payload!(SetExchangeRatePayload, exchange_rate: ExchangeRate, LedgerUserError, "The rate.");

/// Accounts, journals and rates in the mutation root.
#[derive(Default)]
pub(super) struct AccountMutation;

#[Object]
impl AccountMutation {
    /// Adds an account to the chart.
    #[graphql(guard = "Needs(Permission::LedgerConfigure)")]
    async fn create_account(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "An account to add.")] input: CreateAccountInput,
    ) -> Result<CreateAccountPayload, Error> {
        let new = NewAccount {
            number: input.number,
            name: input.name,
            name_en: input.name_en,
            kind: input.kind.into(),
            reconcilable: input.reconcilable,
            party_required: input.party_required,
            external_ref: input.external_ref,
        };
        let done = mutate(ctx, move |tx| {
            let new = new.clone();
            Box::pin(async move { accounts::create(tx, new).await })
        });
        Ok(CreateAccountPayload(done.await?))
    }

    /// Renames an account.
    #[graphql(guard = "Needs(Permission::LedgerConfigure)")]
    async fn rename_account(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "New names for an account.")] input: RenameAccountInput,
    ) -> Result<RenameAccountPayload, Error> {
        let id = parse(Kind::Account, "accountId", &input.account_id)?;
        let done = mutate(ctx, move |tx| {
            let input = input.clone();
            Box::pin(async move {
                accounts::rename(tx, id, input.expected_version, &input.name, input.name_en.as_deref()).await
            })
        });
        Ok(RenameAccountPayload(done.await?.or_current(id)))
    }

    /// Closes an account: nothing more is posted to it, but what closes a year or reverses.
    #[graphql(guard = "Needs(Permission::LedgerConfigure)")]
    async fn close_account(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "An account to close, reopen or delete.")] input: AccountInput,
    ) -> Result<CloseAccountPayload, Error> {
        let id = parse(Kind::Account, "accountId", &input.account_id)?;
        let version = input.expected_version;
        let done = mutate(ctx, move |tx| Box::pin(async move { accounts::close(tx, id, version).await }));
        Ok(CloseAccountPayload(done.await?.or_current(id)))
    }

    /// Opens a closed account again.
    #[graphql(guard = "Needs(Permission::LedgerConfigure)")]
    async fn reopen_account(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "An account to close, reopen or delete.")] input: AccountInput,
    ) -> Result<ReopenAccountPayload, Error> {
        let id = parse(Kind::Account, "accountId", &input.account_id)?;
        let version = input.expected_version;
        let done = mutate(ctx, move |tx| Box::pin(async move { accounts::reopen(tx, id, version).await }));
        Ok(ReopenAccountPayload(done.await?.or_current(id)))
    }

    /// Deletes an account that nothing has ever referred to.
    #[graphql(guard = "Needs(Permission::LedgerConfigure)")]
    async fn delete_account(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "An account to close, reopen or delete.")] input: AccountInput,
    ) -> Result<DeleteAccountPayload, Error> {
        let id = parse(Kind::Account, "accountId", &input.account_id)?;
        let version = input.expected_version;
        let done = mutate(ctx, move |tx| Box::pin(async move { accounts::delete(tx, id, version).await }));
        Ok(DeleteAccountPayload(done.await?.or_current(id)))
    }

    /// Renames a journal. Entries keep their numbers.
    #[graphql(guard = "Needs(Permission::LedgerConfigure)")]
    async fn rename_journal(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "A new code and name for a journal.")] input: RenameJournalInput,
    ) -> Result<RenameJournalPayload, Error> {
        let id = parse(Kind::Journal, "journalId", &input.journal_id)?;
        let done = mutate(ctx, move |tx| {
            let input = input.clone();
            Box::pin(async move {
                journals::rename(tx, id, input.expected_version, &input.code, &input.name).await
            })
        });
        Ok(RenameJournalPayload(done.await?.or_current(id)))
    }

    /// Sets the exchange rate of a currency from a day on. What is posted keeps its own rate.
    #[graphql(guard = "Needs(Permission::LedgerConfigure)")]
    async fn set_exchange_rate(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "A rate to set.")] input: SetExchangeRateInput,
    ) -> Result<SetExchangeRatePayload, Error> {
        let currency = currency(&input.currency, "currency")?;
        let done = mutate(ctx, move |tx| {
            let (date, rate, version) = (input.date.0, input.rate, input.expected_version);
            Box::pin(async move { rates::set(tx, currency, date, rate, version).await })
        });
        Ok(SetExchangeRatePayload(done.await?))
    }
}
