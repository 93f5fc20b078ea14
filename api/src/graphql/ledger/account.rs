//! Accounts in the graph.

use std::collections::HashMap;

use async_graphql::{Context, Error, ID, InputObject, Object};
use chrono::{DateTime, NaiveDate, Utc};
use entity::ledger::account::Model;
use kernel::{Kind, Tx};
use ledger::account::service;
use uuid::Uuid;

use super::enums::{AccountKind, AccountRole, stored};
use super::in_books;
use super::reports::{GeneralLedger, general_ledger};
use crate::graphql::connection::PageArgs;
use crate::graphql::cost::{costs, paged};
use crate::graphql::date::Date;
use crate::graphql::guard::Told;
use crate::graphql::ids::public;
use crate::graphql::money::Money;
use crate::graphql::request::{Batch, InRequest};

/// Which accounts are listed; all conditions hold together.
#[derive(Clone, Debug, Default, InputObject)]
pub(super) struct AccountFilter {
    /// Numbers that begin so, e.g. `445`.
    number_starts_with: Option<String>,
    /// Of one kind.
    kind: Option<AccountKind>,
    /// True for open accounts, false for closed ones.
    open: Option<bool>,
}

impl From<AccountFilter> for service::Filter {
    fn from(filter: AccountFilter) -> Self {
        Self {
            number_starts_with: filter.number_starts_with,
            kind: filter.kind.map(Into::into),
            open: filter.open,
        }
    }
}

struct Accounts;

impl Batch for Accounts {
    type Key = Uuid;
    type Value = Model;

    async fn load(tx: &Tx, keys: &[Uuid]) -> Result<HashMap<Uuid, Model>, Error> {
        let accounts = service::by_ids(tx, keys).await.told()?;
        Ok(accounts.into_iter().map(|account| (account.id, account)).collect())
    }
}

/// Balances at the end of days, each day in one statement for all accounts.
struct Balances;

impl Batch for Balances {
    type Key = (NaiveDate, Uuid);
    type Value = i64;

    async fn load(tx: &Tx, keys: &[Self::Key]) -> Result<HashMap<Self::Key, i64>, Error> {
        let mut balances = HashMap::new();
        let mut days: Vec<NaiveDate> = keys.iter().map(|(day, _)| *day).collect();
        days.sort_unstable();
        days.dedup();
        for day in days {
            let of_day = service::balances_of(tx, day).await.told()?;
            balances.extend(of_day.into_iter().map(|(account, minor)| ((day, account), minor)));
        }
        Ok(balances)
    }
}

/// An account of the chart.
#[derive(Clone)]
pub(crate) struct Account(pub(crate) Model);

impl Account {
    /// An account by id.
    pub(crate) async fn load(ctx: &Context<'_>, id: Uuid) -> Result<Option<Self>, Error> {
        Ok(ctx.session()?.load::<Accounts>(id).await?.map(Self))
    }

    /// An account that a stored row refers to.
    pub(crate) async fn referred(ctx: &Context<'_>, id: Uuid) -> Result<Self, Error> {
        stored(Self::load(ctx, id).await?, "a line refers to no account")
    }
}

/// An account of the chart.
#[Object]
impl Account {
    /// The public id.
    pub(crate) async fn id(&self) -> ID {
        public(Kind::Account, self.0.id)
    }

    /// Its number in the chart, unique in the company.
    fn number(&self) -> &str {
        &self.0.number
    }

    /// Its name, in French in a French chart.
    fn name(&self) -> &str {
        &self.0.name
    }

    /// Its English name, if it has one.
    fn name_en(&self) -> Option<&str> {
        self.0.name_en.as_deref()
    }

    /// Where its balance belongs. It never changes.
    fn kind(&self) -> Result<AccountKind, Error> {
        stored(ledger::account::AccountKind::parse(&self.0.kind), "kind of an account").map(Into::into)
    }

    /// What invoices, bills and payments use it for; null for the many that they do not.
    fn role(&self) -> Result<Option<AccountRole>, Error> {
        let role = self.0.role.as_deref();
        role.map(|role| stored(ledger::account::Role::parse(role), "role of an account").map(Into::into))
            .transpose()
    }

    /// Whether its lines can be matched with each other (lettrage).
    fn reconcilable(&self) -> bool {
        self.0.reconcilable
    }

    /// Whether each line must name a customer or supplier.
    fn party_required(&self) -> bool {
        self.0.party_required
    }

    /// When it was closed; null while it is open.
    fn closed_at(&self) -> Option<DateTime<Utc>> {
        self.0.closed_at
    }

    /// The partner's own reference, unique in the company.
    fn external_ref(&self) -> Option<&str> {
        self.0.external_ref.as_deref()
    }

    /// For `expectedVersion` of the next change.
    fn version(&self) -> i32 {
        self.0.version
    }

    /// When it was added.
    fn created_at(&self) -> DateTime<Utc> {
        self.0.created_at
    }

    /// When it last changed.
    fn updated_at(&self) -> DateTime<Utc> {
        self.0.updated_at
    }

    /// Its balance at the end of a day: debits less credits, in the company's currency. Income and expense begin
    /// each fiscal year at zero.
    #[graphql(directive = costs::apply(10))]
    async fn balance(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The day; the company's today when left out.")] on: Option<Date>,
    ) -> Result<Money, Error> {
        let request = ctx.session()?;
        let on = match on {
            Some(on) => on.0,
            None => request.scope()?.today(),
        };
        let balance = request.load::<Balances>((on, self.0.id)).await?;
        in_books(ctx, balance.unwrap_or(0))
    }

    /// Its lines within one fiscal year, each with the balance after it.
    #[graphql(directive = paged::apply(), directive = costs::apply(20))]
    #[expect(clippy::too_many_arguments, reason = "the arguments of a connection and its range")]
    async fn general_ledger(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The first day.")] from: Date,
        #[graphql(desc = "The last day, in the same fiscal year.")] to: Date,
        #[graphql(desc = "How many from the start, at most 100.")] first: Option<i32>,
        #[graphql(desc = "How many from the end, at most 100.")] last: Option<i32>,
        #[graphql(desc = "Those after this one.")] after: Option<String>,
        #[graphql(desc = "Those before this one.")] before: Option<String>,
    ) -> Result<GeneralLedger, Error> {
        general_ledger(ctx, self.0.id, from.0, to.0, PageArgs { first, last, after, before }).await
    }
}
