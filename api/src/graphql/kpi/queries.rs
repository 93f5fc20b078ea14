//! What can be asked of figures.

use async_graphql::{Context, Error, Object};
use kernel::Permission;
use kpi::Freshness;

use super::detail::Kpi;
use crate::graphql::cost::about;
use crate::graphql::guard::{Needs, Told};
use crate::graphql::request::InRequest;

/// KPIs of one moment.
pub(crate) struct Kpis {
    revision: i64,
    kpis: Vec<kpi::Figure>,
}

/// KPIs of one moment.
#[Object]
impl Kpis {
    /// The company's revision; give it as `afterRevision` of the subscription to be told what changes from here on.
    fn revision(&self) -> i64 {
        self.revision
    }

    /// The KPIs.
    #[graphql(directive = about::apply(10))]
    fn kpis(&self) -> Vec<Kpi> {
        self.kpis.iter().cloned().map(Kpi::new).collect()
    }
}

/// The figures' part of the query root.
#[derive(Default)]
pub(crate) struct KpiQuery;

#[Object]
impl KpiQuery {
    /// The company's KPIs, all of one snapshot, and current.
    #[graphql(guard = "Needs(Permission::KpiRead)")]
    async fn kpis(
        &self,
        ctx: &Context<'_>,
        #[graphql(
            desc = "Which ones, in this order; all of them when left out. An unknown key is an error."
        )]
        keys: Option<Vec<String>>,
    ) -> Result<Kpis, Error> {
        let tx = ctx.session()?.read().await?;
        let (head, kpis) = kpi::values(&tx, keys.as_deref(), Freshness::Current).await.told()?;
        Ok(Kpis { revision: head.revision, kpis })
    }
}
