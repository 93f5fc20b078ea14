//! What is asked of alerts.

use std::sync::Arc;

use async_graphql::{Context, Error, ID, InputObject, Object};
use kernel::{Kind, Permission};
use kpi::alert::{AlertFilter, service, subscription};

use super::alert::{KpiAlert, KpiAlertLevel};
use super::wish::KpiWish;
use crate::graphql::connection::{Connection, PageArgs, TotalCount, connection};
use crate::graphql::cost::{about, costs, paged};
use crate::graphql::guard::{Needs, Told};
use crate::graphql::ids::parse_optional;
use crate::graphql::request::InRequest;

/// Which alerts; all conditions hold, what is left out does not matter.
#[derive(Default, InputObject)]
struct KpiAlertFilterInput {
    /// Open ones, or closed ones.
    open: Option<bool>,
    /// Those that stand at this level, or stood at it last.
    level: Option<KpiAlertLevel>,
    /// Those of this KPI.
    kpi_id: Option<ID>,
    /// Those that you should look after.
    #[graphql(default)]
    assigned_to_me: bool,
}

/// The alerts' part of the query root.
#[derive(Default)]
pub(crate) struct KpiAlertQuery;

#[Object]
impl KpiAlertQuery {
    /// Alerts, newest first: KPIs that are worse than a threshold, or were.
    #[graphql(
        guard = "Needs(Permission::KpiRead)",
        directive = paged::apply(), directive = costs::apply(5)
    )]
    async fn kpi_alerts(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The first so many, 1 to 100.")] first: Option<i32>,
        #[graphql(desc = "The last so many, 1 to 100.")] last: Option<i32>,
        #[graphql(desc = "Those after this cursor.")] after: Option<String>,
        #[graphql(desc = "Those before this cursor.")] before: Option<String>,
        #[graphql(desc = "Which ones; all when left out.")] filter: Option<KpiAlertFilterInput>,
    ) -> Result<Connection<KpiAlert>, Error> {
        let slice = PageArgs { first, last, after, before }.slice()?;
        let filter = filter.unwrap_or_default();
        let filter = AlertFilter {
            open: filter.open,
            level: filter.level.map(Into::into),
            kpi: parse_optional(Kind::Kpi, "filter.kpiId", filter.kpi_id.as_ref())?,
            assigned_to_me: filter.assigned_to_me,
        };
        let tx = ctx.session()?.read().await?;
        let page = service::list(&tx, filter, &slice).await.told()?;
        let total = TotalCount::by(move |tx| async move { service::count(&tx, filter).await.told() });
        Ok(connection(page, total, service::cursor_of, |posted| KpiAlert::new(Arc::new(posted))))
    }

    /// What you want to know of alerts, that of all KPIs first. Empty for programs.
    #[graphql(
        guard = "Needs(Permission::KpiRead)",
        directive = about::apply(10), directive = costs::apply(2)
    )]
    async fn kpi_subscriptions(&self, ctx: &Context<'_>) -> Result<Vec<KpiWish>, Error> {
        let tx = ctx.session()?.read().await?;
        Ok(subscription::own(&tx).await.told()?.into_iter().map(KpiWish).collect())
    }
}
