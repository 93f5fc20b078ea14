//! What can be asked of figures.

use async_graphql::{Context, Error, ID, Object};
use kernel::{Kind, Permission};
use kpi::Freshness;

use super::cubes::KpiCube;
use super::detail::Kpi;
use crate::graphql::cost::about;
use crate::graphql::error::bad_argument;
use crate::graphql::guard::{Needs, Told};
use crate::graphql::ids::parse;
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
        #[graphql(
            desc = "With all of them: those too whose first version is still being filled, and that have no value yet.",
            default = false
        )]
        include_pending: bool,
    ) -> Result<Kpis, Error> {
        let tx = ctx.session()?.read().await?;
        let (head, kpis) = match keys {
            None if include_pending => {
                let definitions = kpi::definition::store::in_use(&tx).await.told()?;
                kpi::figures_of(&tx, definitions, Freshness::Current).await.told()?
            }
            keys => kpi::values(&tx, keys.as_deref(), Freshness::Current).await.told()?,
        };
        Ok(Kpis { revision: head.revision, kpis })
    }

    /// A KPI by its key or its id, one of which is given. Null when the company has none such.
    #[graphql(guard = "Needs(Permission::KpiRead)")]
    async fn kpi(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Its key.")] key: Option<String>,
        #[graphql(desc = "Its id.")] id: Option<ID>,
    ) -> Result<Option<Kpi>, Error> {
        match (key, id) {
            (Some(key), None) => Kpi::of_key(ctx, &key).await,
            (None, Some(id)) => Kpi::load(ctx, parse(Kind::Kpi, "id", &id)?).await,
            _ => Err(bad_argument("key", "give either the key or the id")),
        }
    }

    /// What KPIs can be made of.
    #[graphql(guard = "Needs(Permission::KpiRead)", directive = about::apply(15))]
    async fn kpi_cubes(&self) -> Vec<KpiCube> {
        kpi::cubes::offered().map(KpiCube::from).collect()
    }
}
