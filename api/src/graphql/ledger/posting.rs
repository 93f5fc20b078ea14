//! Lines of journal entries in the graph.

use std::collections::HashMap;

use async_graphql::{Context, Error, ID, Object, SimpleObject};
use entity::ledger::posting::Model;
use kernel::{Kind, Permission, Tx};
use ledger::entry::service;
use rust_decimal::Decimal;
use uuid::Uuid;

use super::account::Account;
use super::entry::JournalEntry;
use super::enums::stored;
use super::in_books;
use super::matching::Matching;
use crate::graphql::cost::{about, costs};
use crate::graphql::date::Date;
use crate::graphql::guard::{Needs, Told};
use crate::graphql::ids::public;
use crate::graphql::invoicing::party::Party;
use crate::graphql::money::Money;
use crate::graphql::request::{Batch, InRequest};

struct Lines;

impl Batch for Lines {
    type Key = Uuid;
    type Value = Model;

    async fn load(tx: &Tx, keys: &[Uuid]) -> Result<HashMap<Uuid, Model>, Error> {
        let lines = service::lines_by_ids(tx, keys).await.told()?;
        Ok(lines.into_iter().map(|line| (line.id, line)).collect())
    }
}

struct OpenAmounts;

impl Batch for OpenAmounts {
    type Key = Uuid;
    type Value = i64;

    async fn load(tx: &Tx, keys: &[Uuid]) -> Result<HashMap<Uuid, i64>, Error> {
        Ok(ledger::matching::service::open_of(tx, keys).await.told()?.into_iter().collect())
    }
}

struct MatchingsOfLine;

impl Batch for MatchingsOfLine {
    type Key = Uuid;
    type Value = Vec<entity::ledger::matching::Model>;

    async fn load(tx: &Tx, keys: &[Uuid]) -> Result<HashMap<Uuid, Self::Value>, Error> {
        let mut of_line: HashMap<Uuid, Self::Value> = HashMap::new();
        for matching in ledger::matching::service::of_postings(tx, keys).await.told()? {
            of_line.entry(matching.debit_posting_id).or_default().push(matching.clone());
            of_line.entry(matching.credit_posting_id).or_default().push(matching);
        }
        Ok(of_line)
    }
}

/// An amount in another currency, beside the company's.
#[derive(SimpleObject)]
struct ForeignAmount {
    /// The amount; positive on a debit line, negative on a credit line.
    amount: Money,
    /// The company's currency for one unit of this one, as posted.
    rate: Decimal,
}

/// An analytic dimension of a line.
#[derive(SimpleObject)]
struct AnalyticTag {
    /// The dimension, e.g. `site`.
    name: String,
    /// Its value, e.g. `Lyon`.
    value: String,
}

/// A line of a journal entry. Of debit and credit exactly one is above zero.
#[derive(Clone)]
pub(crate) struct Posting(pub(crate) Model);

impl Posting {
    /// A line by id.
    pub(crate) async fn load(ctx: &Context<'_>, id: Uuid) -> Result<Option<Self>, Error> {
        Ok(ctx.session()?.load::<Lines>(id).await?.map(Self))
    }

    /// A line that a stored row refers to.
    pub(super) async fn referred(ctx: &Context<'_>, id: Uuid) -> Result<Self, Error> {
        stored(Self::load(ctx, id).await?, "a matching refers to no line")
    }
}

/// A line of a journal entry. Of debit and credit exactly one is above zero.
#[Object]
impl Posting {
    /// The public id.
    pub(crate) async fn id(&self) -> ID {
        public(Kind::Posting, self.0.id)
    }

    /// Its entry.
    async fn entry(&self, ctx: &Context<'_>) -> Result<JournalEntry, Error> {
        stored(JournalEntry::load(ctx, self.0.entry_id).await?, "a line without an entry")
    }

    /// Its place in the entry, from 1.
    fn line_no(&self) -> i32 {
        self.0.line_no
    }

    /// Its account.
    async fn account(&self, ctx: &Context<'_>) -> Result<Account, Error> {
        Account::referred(ctx, self.0.account_id).await
    }

    /// What is debited, in the company's currency; zero on a credit line.
    fn debit(&self, ctx: &Context<'_>) -> Result<Money, Error> {
        in_books(ctx, self.0.debit_minor)
    }

    /// What is credited, in the company's currency; zero on a debit line.
    fn credit(&self, ctx: &Context<'_>) -> Result<Money, Error> {
        in_books(ctx, self.0.credit_minor)
    }

    /// The amount in another currency, if it arose in one.
    fn foreign(&self) -> Option<ForeignAmount> {
        let currency = self.0.foreign_currency.as_deref()?;
        Some(ForeignAmount {
            amount: Money::new(self.0.foreign_minor?, currency),
            rate: self.0.foreign_rate?,
        })
    }

    /// The public id of the customer or supplier; null where the account needs none.
    fn party_id(&self) -> Option<ID> {
        self.0.party_id.map(|id| public(Kind::Party, id))
    }

    /// The customer or supplier; null where the account needs none.
    #[graphql(guard = "Needs(Permission::PartiesRead)")]
    async fn party(&self, ctx: &Context<'_>) -> Result<Option<Party>, Error> {
        match self.0.party_id {
            Some(id) => Party::load(ctx, id).await,
            None => Ok(None),
        }
    }

    /// What it is for.
    fn label(&self) -> &str {
        &self.0.label
    }

    /// The tax code that it follows from, e.g. `S 20`.
    fn tax_code(&self) -> Option<&str> {
        self.0.tax_code.as_deref()
    }

    /// The base that the tax was computed on, in the company's currency; null without a tax code.
    fn tax_base(&self, ctx: &Context<'_>) -> Result<Option<Money>, Error> {
        self.0.tax_base_minor.map(|minor| in_books(ctx, minor)).transpose()
    }

    /// Its analytic dimensions.
    #[graphql(directive = about::apply(3))]
    fn analytic(&self) -> Vec<AnalyticTag> {
        let tags = self.0.analytic.as_ref().and_then(|tags| tags.as_object());
        let tags = tags.into_iter().flatten();
        tags.filter_map(|(name, value)| {
            Some(AnalyticTag { name: name.clone(), value: value.as_str()?.to_owned() })
        })
        .collect()
    }

    /// When it is due, on receivable and payable accounts.
    fn due_on(&self) -> Option<Date> {
        self.0.due_on.map(Date::from)
    }

    /// The entry's date, once it is posted; null on a draft.
    fn posted_on(&self) -> Option<Date> {
        self.0.posted_on.map(Date::from)
    }

    /// What matchings have left of it, in the company's currency, positive on both sides. Null on a draft, and on an
    /// account that is not reconcilable.
    #[graphql(directive = costs::apply(2))]
    async fn open(&self, ctx: &Context<'_>) -> Result<Option<Money>, Error> {
        let open = ctx.session()?.load::<OpenAmounts>(self.0.id).await?;
        open.map(|minor| in_books(ctx, minor)).transpose()
    }

    /// The matchings that hold, oldest first.
    #[graphql(directive = about::apply(3))]
    async fn matchings(&self, ctx: &Context<'_>) -> Result<Vec<Matching>, Error> {
        let matchings = ctx.session()?.load::<MatchingsOfLine>(self.0.id).await?;
        Ok(matchings.unwrap_or_default().into_iter().map(Matching).collect())
    }
}
