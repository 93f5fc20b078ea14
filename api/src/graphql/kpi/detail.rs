//! A KPI: its figure, its history, and the records behind it.

use std::collections::HashMap;
use std::sync::Arc;

use async_graphql::{Context, Enum, Error, ID, MergedObject, Object, SimpleObject};
use kernel::Tx;
use kpi::{Freshness, Within};
use uuid::Uuid;

use super::figure::{KpiFigure, KpiValue};
use super::record::KpiRecord;
use crate::graphql::activity::{Activity, feed};
use crate::graphql::connection::{Connection, PageArgs, TotalCount, connection};
use crate::graphql::cost::{about, costs, newest, paged};
use crate::graphql::date::Date;
use crate::graphql::guard::Told;
use crate::graphql::money::currency as parse_currency;
use crate::graphql::request::{Batch, InRequest};

/// The length of a history's steps.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(remote = "kpi::Grain")]
pub(crate) enum KpiGrain {
    /// A point a day.
    Day,
    /// A point a month, named by its first day.
    Month,
}

/// A point of a KPI's history; see `historyMeaning` for what it means.
#[derive(SimpleObject)]
pub(crate) struct KpiPoint {
    /// The day, or the first day of the month.
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

/// What of a KPI is read when it is asked for.
#[Object]
impl KpiDetail {
    /// The history, a point a day (or a month), both days included; at most 1100 points.
    #[graphql(directive = about::apply(40), directive = costs::apply(10))]
    async fn history(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The first day, in the company's calendar.")] from: Date,
        #[graphql(desc = "The last day, in the company's calendar.")] to: Date,
        #[graphql(desc = "The length of a step.", default_with = "KpiGrain::Day")] grain: KpiGrain,
    ) -> Result<Vec<KpiPoint>, Error> {
        let tx = ctx.session()?.read().await?;
        let points = kpi::history(&tx, &self.0.definition.key, from.0, to.0, grain.into()).await.told()?;
        Ok(points
            .iter()
            .map(|point| KpiPoint { day: point.day.into(), value: KpiValue::from(&point.value) })
            .collect())
    }

    /// The records it is made of, newest day first: their count and their sum are the value's. Needs the right to read
    /// them as well.
    #[graphql(directive = paged::apply(), directive = costs::apply(10))]
    #[expect(clippy::too_many_arguments, reason = "the arguments of a connection and two filters")]
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
            desc = "Whether `day` is the point of a day or of its month.",
            default_with = "KpiGrain::Day"
        )]
        grain: KpiGrain,
    ) -> Result<Connection<KpiRecord>, Error> {
        let slice = PageArgs { first, last, after, before }.slice()?;
        let currency = currency.map(|code| parse_currency(&code, "currency")).transpose()?;
        let within = Within { currency, point: day.map(|day| (day.0, grain.into())) };
        let key = self.0.definition.key.clone();
        let tx = ctx.session()?.read().await?;
        let page = kpi::drill_down(&tx, &key, within, &slice).await.told()?;
        let total = TotalCount::by(move |tx| {
            let key = key.clone();
            async move { kpi::count_records(&tx, &key, within).await.told() }
        });
        Ok(connection(page, total, kpi::figure::service::cursor_of, KpiRecord))
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
