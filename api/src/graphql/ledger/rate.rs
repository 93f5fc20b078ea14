//! Exchange rates in the graph.

use std::collections::HashMap;

use async_graphql::{Context, Error, ID, InputObject, Object};
use chrono::{DateTime, Utc};
use entity::ledger::exchange_rate::Model;
use kernel::{Kind, Tx};
use ledger::rate::service;
use rust_decimal::Decimal;
use uuid::Uuid;

use crate::graphql::date::Date;
use crate::graphql::guard::Told;
use crate::graphql::ids::public;
use crate::graphql::money::currency;
use crate::graphql::request::{Batch, InRequest};

/// Which exchange rates are listed; all conditions hold together.
#[derive(Clone, Debug, Default, InputObject)]
pub(super) struct ExchangeRateFilter {
    /// Of one currency, ISO 4217.
    currency: Option<String>,
    /// Of this day or later.
    from: Option<Date>,
    /// Of this day or earlier.
    to: Option<Date>,
}

impl ExchangeRateFilter {
    pub(super) fn read(self) -> Result<service::Filter, Error> {
        let currency = self.currency.map(|code| currency(&code, "filter.currency")).transpose()?;
        Ok(service::Filter { currency, from: self.from.map(Into::into), to: self.to.map(Into::into) })
    }
}

struct Rates;

impl Batch for Rates {
    type Key = Uuid;
    type Value = Model;

    async fn load(tx: &Tx, keys: &[Uuid]) -> Result<HashMap<Uuid, Model>, Error> {
        let rates = service::by_ids(tx, keys).await.told()?;
        Ok(rates.into_iter().map(|rate| (rate.id, rate)).collect())
    }
}

/// What one unit of a currency is worth in the company's, from a day until the next rate.
#[derive(Clone)]
pub(crate) struct ExchangeRate(pub(crate) Model);

impl ExchangeRate {
    /// A rate by id.
    pub(crate) async fn load(ctx: &Context<'_>, id: Uuid) -> Result<Option<Self>, Error> {
        Ok(ctx.session()?.load::<Rates>(id).await?.map(Self))
    }
}

/// What one unit of a currency is worth in the company's, from a day until the next rate.
#[Object]
impl ExchangeRate {
    /// The public id.
    pub(crate) async fn id(&self) -> ID {
        public(Kind::ExchangeRate, self.0.id)
    }

    /// The currency, ISO 4217.
    fn currency(&self) -> &str {
        &self.0.currency
    }

    /// The day from which it holds.
    fn date(&self) -> Date {
        Date::from(self.0.on_date)
    }

    /// The company's currency for one unit.
    fn rate(&self) -> Decimal {
        self.0.rate
    }

    /// For `expectedVersion` of the next change.
    fn version(&self) -> i32 {
        self.0.version
    }

    /// When it last changed.
    fn updated_at(&self) -> DateTime<Utc> {
        self.0.updated_at
    }
}
