//! An alert: a figure that is worse than a threshold.

use std::collections::HashMap;
use std::sync::Arc;

use async_graphql::{Context, Enum, Error, ID, MergedObject, Object, SimpleObject};
use chrono::{DateTime, Utc};
use kernel::{Kind, Tx};
use kpi::alert::{Posted, service};
use kpi::definition::Level;
use rust_decimal::Decimal;
use uuid::Uuid;

use crate::graphql::activity::{Activity, feed};
use crate::graphql::actor::Actor;
use crate::graphql::connection::Connection;
use crate::graphql::cost::{costs, newest};
use crate::graphql::guard::Told;
use crate::graphql::identity::member::Member;
use crate::graphql::ids::public;
use crate::graphql::kpi::detail::Kpi;
use crate::graphql::request::{Batch, InRequest};

/// How bad a figure is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
pub(crate) enum KpiAlertLevel {
    /// Worse than the warning threshold.
    Warning,
    /// Worse than the critical threshold.
    Critical,
}

impl From<KpiAlertLevel> for Level {
    fn from(level: KpiAlertLevel) -> Self {
        match level {
            KpiAlertLevel::Warning => Self::Warning,
            KpiAlertLevel::Critical => Self::Critical,
        }
    }
}

impl KpiAlertLevel {
    /// Of the stored form, which is one of the two.
    pub(crate) fn of(stored: &str) -> Self {
        if stored == Level::Critical.as_str() { Self::Critical } else { Self::Warning }
    }
}

/// Why an alert closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
pub(crate) enum KpiAlertEnd {
    /// The figure is better than its thresholds again.
    Better,
    /// There was nothing left to measure.
    NothingToMeasure,
    /// The KPI has no threshold any more, or is archived.
    NoThreshold,
}

/// The one number of a KPI that is compared with its thresholds.
#[derive(Clone, Debug, SimpleObject)]
pub(crate) struct KpiReading {
    /// The number, in the KPI's unit. Exact: never a float.
    number: Decimal,
    /// Of money, its currency: the company's.
    currency: Option<String>,
}

/// An alert as it stands: a KPI is worse than a threshold.
#[derive(Clone)]
pub(crate) struct KpiAlertState(pub(crate) Arc<Posted>);

/// An alert as it stands: a KPI is worse than a threshold.
#[Object]
impl KpiAlertState {
    /// The public id of the alert.
    pub(crate) async fn id(&self) -> ID {
        public(Kind::KpiAlert, self.0.alert.id)
    }

    /// The public id of the KPI.
    fn kpi_id(&self) -> ID {
        public(Kind::Kpi, self.0.alert.kpi_id)
    }

    /// The stable name of the KPI.
    fn kpi_key(&self) -> &str {
        &self.0.key
    }

    /// What the KPI is called, in the company's language.
    fn label(&self, ctx: &Context<'_>) -> Result<&str, Error> {
        let french = ctx.session()?.scope()?.company().locale == "fr";
        Ok(if french { &self.0.label_fr } else { &self.0.label_en })
    }

    /// What the KPI is called in French.
    fn label_fr(&self) -> &str {
        &self.0.label_fr
    }

    /// What the KPI is called in English.
    fn label_en(&self) -> &str {
        &self.0.label_en
    }

    /// How bad the figure is; of a closed alert, how bad it was last.
    fn level(&self) -> KpiAlertLevel {
        KpiAlertLevel::of(&self.0.alert.level)
    }

    /// The worst that it has been.
    fn peak_level(&self) -> KpiAlertLevel {
        KpiAlertLevel::of(&self.0.alert.peak_level)
    }

    /// Since when.
    fn opened_at(&self) -> DateTime<Utc> {
        self.0.alert.opened_at
    }

    /// What the figure came to when it opened.
    fn opened_value(&self) -> KpiReading {
        self.reading(self.0.alert.opened_value)
    }

    /// What the figure came to when the level last changed.
    fn level_value(&self) -> KpiReading {
        self.reading(self.0.alert.value)
    }

    /// When it closed; null while it is open.
    fn closed_at(&self) -> Option<DateTime<Utc>> {
        self.0.alert.closed_at
    }

    /// What the figure came to when it closed; null while it is open, and where there was nothing to measure.
    fn closed_value(&self) -> Option<KpiReading> {
        self.0.alert.closed_value.map(|value| self.reading(value))
    }

    /// Why it closed; null while it is open.
    fn closed_because(&self) -> Option<KpiAlertEnd> {
        self.0.alert.closed_because.as_deref().map(|because| match because {
            "better" => KpiAlertEnd::Better,
            "nothing_to_measure" => KpiAlertEnd::NothingToMeasure,
            _ => KpiAlertEnd::NoThreshold,
        })
    }

    /// When somebody said to have seen it.
    fn acknowledged_at(&self) -> Option<DateTime<Utc>> {
        self.0.alert.acknowledged_at
    }

    /// Until when no letter tells of it.
    fn snoozed_until(&self) -> Option<DateTime<Utc>> {
        self.0.alert.snoozed_until
    }

    /// The membership of who looks after it.
    fn assignee_id(&self) -> Option<ID> {
        self.0.alert.assignee_id.map(|member| public(Kind::Membership, member))
    }

    /// For `expectedVersion` of the next change.
    fn version(&self) -> i32 {
        self.0.alert.version
    }
}

impl KpiAlertState {
    fn reading(&self, number: Decimal) -> KpiReading {
        KpiReading { number, currency: self.0.alert.currency.clone() }
    }
}

/// An alert: a KPI is worse than a threshold, from when to when, and who looks after it. A KPI has one open alert at most.
#[derive(MergedObject)]
pub(crate) struct KpiAlert(KpiAlertState, KpiAlertDetail);

impl KpiAlert {
    pub(crate) fn new(posted: Arc<Posted>) -> Self {
        Self(KpiAlertState(posted.clone()), KpiAlertDetail(posted))
    }

    /// An alert by id.
    pub(crate) async fn load(ctx: &Context<'_>, id: Uuid) -> Result<Option<Self>, Error> {
        Ok(ctx.session()?.load::<Alerts>(id).await?.map(Self::new))
    }

    /// The public id, for `Node`.
    pub(crate) async fn id(&self, ctx: &Context<'_>) -> Result<ID, Error> {
        self.0.id(ctx).await
    }
}

struct Alerts;

impl Batch for Alerts {
    type Key = Uuid;
    type Value = Arc<Posted>;

    async fn load(tx: &Tx, keys: &[Uuid]) -> Result<HashMap<Uuid, Arc<Posted>>, Error> {
        let alerts = service::by_ids(tx, keys).await.told()?;
        Ok(alerts.into_iter().map(|posted| (posted.alert.id, Arc::new(posted))).collect())
    }
}

/// What of an alert is read when it is asked for.
pub(crate) struct KpiAlertDetail(Arc<Posted>);

/// What of an alert is read when it is asked for.
#[Object]
impl KpiAlertDetail {
    /// The KPI, as it stands now.
    async fn kpi(&self, ctx: &Context<'_>) -> Result<Option<Kpi>, Error> {
        Kpi::load(ctx, self.0.alert.kpi_id).await
    }

    /// Who said to have seen it.
    fn acknowledged_by(&self) -> Option<Actor> {
        self.0.alert.acknowledged_by.clone().map(Actor)
    }

    /// Who looks after it. Needs the right to see members.
    async fn assignee(&self, ctx: &Context<'_>) -> Result<Option<Member>, Error> {
        match self.0.alert.assignee_id {
            Some(member) => Member::load(ctx, member).await,
            None => Ok(None),
        }
    }

    /// What happened to it, newest first.
    #[graphql(directive = newest::apply(), directive = costs::apply(5))]
    async fn activity(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How many, at most 100.")] first: i32,
        #[graphql(desc = "Those before this one.")] after: Option<String>,
    ) -> Result<Connection<Activity>, Error> {
        feed(ctx, Some(self.0.alert.id), first, after).await
    }
}
