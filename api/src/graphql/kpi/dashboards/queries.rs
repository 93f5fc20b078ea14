//! What is asked of dashboards.

use async_graphql::{Context, Error, ID, Object};
use kernel::{Kind, Permission};
use kpi::dashboard::service;

use super::dashboard::Dashboard;
use crate::graphql::cost::{about, costs};
use crate::graphql::guard::{Needs, Told};
use crate::graphql::ids::parse;
use crate::graphql::request::InRequest;

/// The dashboards' part of the query root, for members and programs.
#[derive(Default)]
pub(crate) struct DashboardQuery;

#[Object]
impl DashboardQuery {
    /// The dashboards that you may see: the shared ones and your own. The first is the default.
    #[graphql(
        guard = "Needs(Permission::KpiRead)",
        directive = about::apply(10), directive = costs::apply(2)
    )]
    async fn dashboards(&self, ctx: &Context<'_>) -> Result<Vec<Dashboard>, Error> {
        let tx = ctx.session()?.read().await?;
        Ok(service::list(&tx).await.told()?.into_iter().map(Dashboard).collect())
    }

    /// A dashboard by id. Null for an unknown id, one of another company, and another member's own.
    #[graphql(guard = "Needs(Permission::KpiRead)")]
    async fn dashboard(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The dashboard.")] id: ID,
    ) -> Result<Option<Dashboard>, Error> {
        Dashboard::load(ctx, parse(Kind::Dashboard, "id", &id)?).await
    }
}
