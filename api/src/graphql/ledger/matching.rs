//! Lettering in the graph.

use std::collections::HashMap;

use async_graphql::{Context, Error, ID, Object};
use chrono::{DateTime, Utc};
use entity::ledger::matching::Model;
use kernel::{Kind, Tx};
use ledger::matching::service;
use uuid::Uuid;

use super::in_books;
use super::posting::Posting;
use crate::graphql::actor::Actor;
use crate::graphql::date::Date;
use crate::graphql::guard::Told;
use crate::graphql::ids::public;
use crate::graphql::money::Money;
use crate::graphql::request::{Batch, InRequest};

struct Matchings;

impl Batch for Matchings {
    type Key = Uuid;
    type Value = Model;

    async fn load(tx: &Tx, keys: &[Uuid]) -> Result<HashMap<Uuid, Model>, Error> {
        let matchings = service::by_ids(tx, keys).await.told()?;
        Ok(matchings.into_iter().map(|matching| (matching.id, matching)).collect())
    }
}

/// What a debit line and a credit line of one account and party settle of each other (lettrage).
#[derive(Clone)]
pub(crate) struct Matching(pub(crate) Model);

impl Matching {
    /// A matching by id.
    pub(crate) async fn load(ctx: &Context<'_>, id: Uuid) -> Result<Option<Self>, Error> {
        Ok(ctx.session()?.load::<Matchings>(id).await?.map(Self))
    }
}

/// What a debit line and a credit line of one account and party settle of each other (lettrage).
#[Object]
impl Matching {
    /// The public id.
    pub(crate) async fn id(&self) -> ID {
        public(Kind::Matching, self.0.id)
    }

    /// The debit line.
    async fn debit(&self, ctx: &Context<'_>) -> Result<Posting, Error> {
        Posting::referred(ctx, self.0.debit_posting_id).await
    }

    /// The credit line.
    async fn credit(&self, ctx: &Context<'_>) -> Result<Posting, Error> {
        Posting::referred(ctx, self.0.credit_posting_id).await
    }

    /// How much of both, in the company's currency.
    fn amount(&self, ctx: &Context<'_>) -> Result<Money, Error> {
        in_books(ctx, self.0.amount_minor)
    }

    /// Since when it holds: never before both lines.
    fn matched_on(&self) -> Date {
        Date::from(self.0.matched_on)
    }

    /// From when it no longer holds; null while it does.
    fn undone_on(&self) -> Option<Date> {
        self.0.undone_on.map(Date::from)
    }

    /// Who undid it; null while it holds.
    fn undone_by(&self) -> Option<Actor> {
        self.0.undone_by.clone().map(Actor)
    }

    /// For `expectedVersion` of the next change.
    fn version(&self) -> i32 {
        self.0.version
    }

    /// When it was made.
    fn created_at(&self) -> DateTime<Utc> {
        self.0.created_at
    }

    /// Who made it.
    fn created_by(&self) -> Actor {
        Actor(self.0.created_by.clone())
    }
}
