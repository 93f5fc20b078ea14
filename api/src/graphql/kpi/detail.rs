//! A KPI: its figure, its history, and the records behind it.

use std::collections::HashMap;
use std::sync::Arc;

use async_graphql::{Context, Enum, Error, ID, MergedObject, Object, SimpleObject};
use kernel::cube::Cube;
use kernel::{Permission, Tx};
use kpi::{Condition, Freshness, Within};
use uuid::Uuid;

use super::figure::{KpiFigure, KpiValue};
use super::moment::{KpiComparison, KpiFigureAt, KpiSeries};
use super::record::KpiRecord;
use super::spec::{KpiSpec, kind_of, stored_value};
use super::version::{self, KpiVersion};
use crate::graphql::activity::{Activity, feed};
use crate::graphql::connection::{Connection, PageArgs, TotalCount, connection};
use crate::graphql::cost::{about, costs, newest, paged};
use crate::graphql::date::Date;
use crate::graphql::error::bad_argument;
use crate::graphql::guard::{Needs, Told};
use crate::graphql::identity::member::Member;
use crate::graphql::money::currency as parse_currency;
use crate::graphql::request::{Batch, InRequest};

/// The length of a history's steps.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(remote = "kpi::Grain")]
pub(crate) enum KpiGrain {
    /// A point a day.
    Day,
    /// A point a week, named by its Monday.
    Week,
    /// A point a month, named by its first day.
    Month,
    /// A point a quarter, named by its first day.
    Quarter,
    /// A point a year, named by its first day.
    Year,
}

/// A point of a KPI's history; see `historyMeaning` for what it means.
#[derive(SimpleObject)]
pub(crate) struct KpiPoint {
    /// The day, or the first day of the step.
    day: Date,
    /// What the KPI comes to there.
    value: KpiValue,
}

/// A key figure: what the company measures, what it comes to, how it stood, and the records behind it. It is current:
/// it includes what was committed when the request's snapshot was taken.
#[derive(MergedObject)]
pub(crate) struct Kpi(KpiFigure, KpiDetail);

impl Kpi {
    pub(crate) fn new(figure: kpi::Figure) -> Self {
        let figure = Arc::new(figure);
        Self(KpiFigure(figure.clone()), KpiDetail(figure))
    }

    /// A KPI by id.
    pub(crate) async fn load(ctx: &Context<'_>, id: Uuid) -> Result<Option<Self>, Error> {
        let figure = ctx.session()?.load::<Figures>(id).await?;
        Ok(figure.map(|figure| Self(KpiFigure(figure.clone()), KpiDetail(figure))))
    }

    /// A KPI by its key.
    pub(super) async fn of_key(ctx: &Context<'_>, key: &str) -> Result<Option<Self>, Error> {
        let tx = ctx.session()?.read().await?;
        let Some(definition) = kpi::definition::store::find(&tx, key).await.told()? else { return Ok(None) };
        let (_, mut figures) = kpi::figures_of(&tx, vec![definition], Freshness::Current).await.told()?;
        Ok(figures.pop().map(Self::new))
    }

    /// The public id, for `Node`.
    pub(crate) async fn id(&self, ctx: &Context<'_>) -> Result<ID, Error> {
        self.0.id(ctx).await
    }
}

/// The figures of these definitions, in one statement.
struct Figures;

impl Batch for Figures {
    type Key = Uuid;
    type Value = Arc<kpi::Figure>;

    async fn load(tx: &Tx, keys: &[Uuid]) -> Result<HashMap<Uuid, Arc<kpi::Figure>>, Error> {
        let definitions = kpi::by_ids(tx, keys).await.told()?;
        let (_, figures) = kpi::figures_of(tx, definitions, Freshness::Current).await.told()?;
        Ok(figures.into_iter().map(|figure| (figure.definition.id, Arc::new(figure))).collect())
    }
}

/// What of a KPI is read when it is asked for.
pub(crate) struct KpiDetail(Arc<kpi::Figure>);

impl KpiDetail {
    /// Whether there is something to read: not before the first version is filled.
    fn is_live(&self) -> bool {
        self.0.definition.spec_version > 0
    }

    fn key(&self) -> &str {
        &self.0.definition.key
    }
}

/// Only the facts of a cube whose dimension has this value, as it is told.
fn only(cube: &Cube, dimension: &str, value: String) -> Condition {
    let kind = cube.dimension(dimension).and_then(|found| kind_of(found.values));
    Condition::any_of(dimension, [stored_value(kind, value)])
}

fn told(points: &[kpi::Point]) -> Vec<KpiPoint> {
    points
        .iter()
        .map(|point| KpiPoint { day: point.day.into(), value: KpiValue::from(&point.value) })
        .collect()
}

/// What of a KPI is read when it is asked for.
#[Object]
impl KpiDetail {
    /// What exactly it measures.
    fn spec(&self) -> KpiSpec {
        KpiSpec::from(&self.0.spec)
    }

    /// What exactly it measures, in French words.
    fn description_fr(&self) -> &str {
        &self.0.definition.description_fr
    }

    /// What exactly it measures, in English words.
    fn description_en(&self) -> &str {
        &self.0.definition.description_en
    }

    /// The member who answers for it.
    #[graphql(guard = "Needs(Permission::MembersRead)", directive = costs::apply(2))]
    async fn owner(&self, ctx: &Context<'_>) -> Result<Option<Member>, Error> {
        match self.0.definition.owner_id {
            Some(id) => Member::load(ctx, id).await,
            None => Ok(None),
        }
    }

    /// As of a day: what it would say if that day were today, from what is known now. Null of what tells of now only, for
    /// another day than today, and before its first version is filled.
    #[graphql(directive = costs::apply(5))]
    async fn as_of(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The day, in the company's calendar.")] day: Date,
    ) -> Result<Option<KpiFigureAt>, Error> {
        if !self.is_live() {
            return Ok(None);
        }
        let tx = ctx.session()?.read().await?;
        Ok(kpi::at_day(&tx, self.key(), day.0).await.told()?.map(KpiFigureAt::from))
    }

    /// The history, a point a step, both days included; at most 1100 points.
    #[graphql(directive = about::apply(40), directive = costs::apply(10))]
    async fn history(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The first day, in the company's calendar.")] from: Date,
        #[graphql(desc = "The last day, in the company's calendar.")] to: Date,
        #[graphql(desc = "The length of a step.", default_with = "KpiGrain::Day")] grain: KpiGrain,
    ) -> Result<Vec<KpiPoint>, Error> {
        if !self.is_live() {
            return Ok(Vec::new());
        }
        let tx = ctx.session()?.read().await?;
        Ok(told(&kpi::history(&tx, self.key(), from.0, to.0, grain.into()).await.told()?))
    }

    /// Its last points up to today, oldest first; at most 100.
    #[graphql(directive = about::apply(30), directive = costs::apply(10))]
    async fn sparkline(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How many points.", default = 30)] points: i32,
        #[graphql(desc = "The length of a step.", default_with = "KpiGrain::Day")] grain: KpiGrain,
    ) -> Result<Vec<KpiPoint>, Error> {
        if !self.is_live() {
            return Ok(Vec::new());
        }
        let tx = ctx.session()?.read().await?;
        let points = u32::try_from(points).unwrap_or(0);
        Ok(told(&kpi::sparkline(&tx, self.key(), points, grain.into()).await.told()?))
    }

    /// Beside the period and the year before.
    #[graphql(directive = costs::apply(10))]
    async fn comparison(&self, ctx: &Context<'_>) -> Result<KpiComparison, Error> {
        if !self.is_live() {
            return Ok(kpi::Comparison::default().into());
        }
        let tx = ctx.session()?.read().await?;
        Ok(kpi::comparison(&tx, self.key()).await.told()?.into())
    }

    /// By the values of a dimension: the greatest, and all others together.
    #[graphql(directive = costs::apply(10))]
    async fn series(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "One of its `dimensions`, or `currency`.")] dimension: String,
        #[graphql(desc = "How many values, at most 50.", default = 10)] first: i32,
        #[graphql(desc = "The first day; that of the KPI's own when left out.")] from: Option<Date>,
        #[graphql(desc = "The last day; that of the KPI's own when left out.")] to: Option<Date>,
    ) -> Result<Option<KpiSeries>, Error> {
        if !self.is_live() {
            return Ok(None);
        }
        let tx = ctx.session()?.read().await?;
        let first = u32::try_from(first).unwrap_or(0);
        let days = (from.map(|day| day.0), to.map(|day| day.0));
        Ok(Some(kpi::series(&tx, self.key(), &dimension, first, days).await.told()?.into()))
    }

    /// The newest version of what it measures, while that is being filled from history, or when it could not be.
    #[graphql(directive = costs::apply(2))]
    async fn pending(&self, ctx: &Context<'_>) -> Result<Option<KpiVersion>, Error> {
        version::pending(ctx, self.0.definition.id).await
    }

    /// What it has measured, measures and will measure, newest first.
    #[graphql(directive = about::apply(3), directive = costs::apply(2))]
    async fn versions(&self, ctx: &Context<'_>) -> Result<Vec<KpiVersion>, Error> {
        version::of_kpi(ctx, self.0.definition.id).await
    }

    /// The records it is made of, newest day first: their count and their sum are the value's. Needs the right to read
    /// them as well.
    #[graphql(directive = paged::apply(), directive = costs::apply(10))]
    #[expect(clippy::too_many_arguments, reason = "the arguments of a connection and its filters")]
    async fn records(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How many from the start, at most 100.")] first: Option<i32>,
        #[graphql(desc = "How many from the end, at most 100.")] last: Option<i32>,
        #[graphql(desc = "Those after this cursor.")] after: Option<String>,
        #[graphql(desc = "Those before this cursor.")] before: Option<String>,
        #[graphql(desc = "Only those of this currency, ISO 4217.")] currency: Option<String>,
        #[graphql(desc = "Only those behind the point of the history with this day.")] day: Option<Date>,
        #[graphql(
            desc = "Whether `day` is the point of a day, or of the week, month, quarter or year that it is in.",
            default_with = "KpiGrain::Day"
        )]
        grain: KpiGrain,
        #[graphql(desc = "Those that it was made of at the end of this day; see `asOf`.")] as_of: Option<
            Date,
        >,
        #[graphql(desc = "With `value`: only those for which this dimension of the cube has it.")] dimension: Option<
            String,
        >,
        #[graphql(desc = "The dimension's value, as `series` tells it.")] value: Option<String>,
    ) -> Result<Connection<KpiRecord>, Error> {
        let slice = PageArgs { first, last, after, before }.slice()?;
        let currency = currency.map(|code| parse_currency(&code, "currency")).transpose()?;
        let conditions = match (dimension, value) {
            (None, None) => Vec::new(),
            (Some(dimension), Some(value)) => vec![only(self.0.spec.cube, &dimension, value)],
            _ => return Err(bad_argument("value", "give a dimension and its value, or neither")),
        };
        let (point, as_of) = (day.map(|day| (day.0, grain.into())), as_of.map(|day| day.0));
        let within = Arc::new(Within { currency, point, as_of, conditions });
        let key = self.0.definition.key.clone();
        let tx = ctx.session()?.read().await?;
        let page = kpi::drill_down(&tx, &key, &within, &slice).await.told()?;
        let total = TotalCount::by(move |tx| {
            let (key, within) = (key.clone(), within.clone());
            async move { kpi::count_records(&tx, &key, &within).await.told() }
        });
        Ok(connection(page, total, kpi::figure::drill::cursor_of, KpiRecord))
    }

    /// What happened to its name and target, newest first.
    #[graphql(directive = newest::apply(), directive = costs::apply(5))]
    async fn activity(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How many, at most 100.")] first: i32,
        #[graphql(desc = "Those before this one.")] after: Option<String>,
    ) -> Result<Connection<Activity>, Error> {
        feed(ctx, Some(self.0.definition.id), first, after).await
    }
}
