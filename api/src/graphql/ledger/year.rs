//! Fiscal years and periods in the graph.

use std::collections::HashMap;

use async_graphql::{Context, Error, ID, Object};
use chrono::{DateTime, Utc};
use entity::ledger::{fiscal_year, period};
use kernel::{Kind, Tx};
use ledger::year::service;
use uuid::Uuid;

use super::enums::{FiscalYearState, PeriodState, stored};
use crate::graphql::actor::Actor;
use crate::graphql::cost::{about, costs};
use crate::graphql::date::Date;
use crate::graphql::guard::Told;
use crate::graphql::ids::public;
use crate::graphql::request::{Batch, InRequest};

struct Years;

impl Batch for Years {
    type Key = Uuid;
    type Value = fiscal_year::Model;

    async fn load(tx: &Tx, keys: &[Uuid]) -> Result<HashMap<Uuid, fiscal_year::Model>, Error> {
        let years = service::by_ids(tx, keys).await.told()?;
        Ok(years.into_iter().map(|year| (year.id, year)).collect())
    }
}

struct Periods;

impl Batch for Periods {
    type Key = Uuid;
    type Value = period::Model;

    async fn load(tx: &Tx, keys: &[Uuid]) -> Result<HashMap<Uuid, period::Model>, Error> {
        let periods = service::periods_by_ids(tx, keys).await.told()?;
        Ok(periods.into_iter().map(|period| (period.id, period)).collect())
    }
}

struct PeriodsOfYear;

impl Batch for PeriodsOfYear {
    type Key = Uuid;
    type Value = Vec<period::Model>;

    async fn load(tx: &Tx, keys: &[Uuid]) -> Result<HashMap<Uuid, Vec<period::Model>>, Error> {
        let mut of_year: HashMap<Uuid, Vec<period::Model>> = HashMap::new();
        for period in service::periods_of(tx, keys).await.told()? {
            of_year.entry(period.fiscal_year_id).or_default().push(period);
        }
        Ok(of_year)
    }
}

/// A fiscal year.
#[derive(Clone)]
pub(crate) struct FiscalYear(pub(crate) fiscal_year::Model);

impl FiscalYear {
    /// A fiscal year by id.
    pub(crate) async fn load(ctx: &Context<'_>, id: Uuid) -> Result<Option<Self>, Error> {
        Ok(ctx.session()?.load::<Years>(id).await?.map(Self))
    }
}

/// A fiscal year.
#[Object]
impl FiscalYear {
    /// The public id.
    pub(crate) async fn id(&self) -> ID {
        public(Kind::FiscalYear, self.0.id)
    }

    /// Its name: `2026`, or `2026-2027` when it spans two calendar years.
    fn name(&self) -> &str {
        &self.0.name
    }

    /// Its first day.
    fn first_day(&self) -> Date {
        Date::from(self.0.first_day)
    }

    /// Its last day.
    fn last_day(&self) -> Date {
        Date::from(self.0.last_day)
    }

    /// How far it is.
    fn state(&self) -> Result<FiscalYearState, Error> {
        stored(ledger::year::YearState::parse(&self.0.state), "state of a fiscal year").map(Into::into)
    }

    /// When it was closed; null while it is open.
    fn closed_at(&self) -> Option<DateTime<Utc>> {
        self.0.closed_at
    }

    /// Who closed it; null while it is open.
    fn closed_by(&self) -> Option<Actor> {
        self.0.closed_by.clone().map(Actor)
    }

    /// Its months, in order.
    #[graphql(directive = about::apply(12), directive = costs::apply(2))]
    async fn periods(&self, ctx: &Context<'_>) -> Result<Vec<Period>, Error> {
        let periods = ctx.session()?.load::<PeriodsOfYear>(self.0.id).await?;
        Ok(periods.unwrap_or_default().into_iter().map(Period).collect())
    }

    /// For `expectedVersion` of the next change.
    fn version(&self) -> i32 {
        self.0.version
    }
}

/// A month of a fiscal year.
#[derive(Clone)]
pub(crate) struct Period(pub(crate) period::Model);

impl Period {
    /// A period by id.
    pub(crate) async fn load(ctx: &Context<'_>, id: Uuid) -> Result<Option<Self>, Error> {
        Ok(ctx.session()?.load::<Periods>(id).await?.map(Self))
    }
}

/// A month of a fiscal year.
#[Object]
impl Period {
    /// The public id.
    pub(crate) async fn id(&self) -> ID {
        public(Kind::Period, self.0.id)
    }

    /// Its fiscal year.
    async fn fiscal_year(&self, ctx: &Context<'_>) -> Result<FiscalYear, Error> {
        stored(FiscalYear::load(ctx, self.0.fiscal_year_id).await?, "a period without a year")
    }

    /// Its place in the year, from 1.
    fn number(&self) -> i16 {
        self.0.number
    }

    /// Its first day.
    fn first_day(&self) -> Date {
        Date::from(self.0.first_day)
    }

    /// Its last day.
    fn last_day(&self) -> Date {
        Date::from(self.0.last_day)
    }

    /// How far it is.
    fn state(&self) -> Result<PeriodState, Error> {
        stored(ledger::year::PeriodState::parse(&self.0.state), "state of a period").map(Into::into)
    }

    /// For `expectedVersion` of the next change.
    fn version(&self) -> i32 {
        self.0.version
    }
}
