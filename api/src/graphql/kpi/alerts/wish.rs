//! What a member wants to know of alerts.

use async_graphql::{Context, Error, Object};
use kpi::alert::{Subscription, subscription};
use uuid::Uuid;

use super::alert::KpiAlertLevel;
use crate::graphql::guard::Told;
use crate::graphql::kpi::detail::Kpi;
use crate::graphql::request::InRequest;

/// What you want to know of alerts: of one KPI, or of all. What is said of one goes before what is said of all.
pub(crate) struct KpiWish(pub(crate) Subscription);

impl KpiWish {
    /// An own one by its id.
    pub(crate) async fn load(ctx: &Context<'_>, id: Uuid) -> Result<Option<Self>, Error> {
        let tx = ctx.session()?.read().await?;
        let own = subscription::own(&tx).await.told()?;
        Ok(own.into_iter().find(|wish| wish.id == id).map(Self))
    }
}

/// What you want to know of alerts: of one KPI, or of all. What is said of one goes before what is said of all.
#[Object(name = "KpiAlertWish")]
impl KpiWish {
    /// The KPI; null for all.
    async fn kpi(&self, ctx: &Context<'_>) -> Result<Option<Kpi>, Error> {
        match self.0.kpi_id {
            Some(kpi) => Kpi::load(ctx, kpi).await,
            None => Ok(None),
        }
    }

    /// From which level on.
    fn min_level(&self) -> KpiAlertLevel {
        KpiAlertLevel::of(&self.0.min_level)
    }

    /// Whether by letter.
    fn mail(&self) -> bool {
        self.0.mail
    }
}
