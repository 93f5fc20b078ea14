//! Alerts as they change.

use async_graphql::{Context, Error, ID, SimpleObject, Subscription};
use futures_util::Stream;
use gateway::socket::lean;
use kernel::{Kind, Permission};
use kpi::{AlertPush, AlertWatch};

use super::alert::KpiAlertState;
use crate::graphql::cost::about;
use crate::graphql::guard::Needs;
use crate::graphql::ids::public;
use crate::graphql::kpi::subscription::{authorise, pushes};
use crate::graphql::request::InRequest;

/// Alerts that changed, or all that are open at first.
#[derive(SimpleObject)]
pub(crate) struct KpiAlertChanges {
    /// The revision of the company that this brings you to. After a break, give it as `afterRevision`.
    revision: i64,
    /// Whether `alerts` are all that are open, and not only those that changed: forget any other.
    snapshot: bool,
    /// Whether you had a revision that the company has not reached (as after a restore from a backup): forget what you
    /// know; this snapshot replaces it.
    gap: bool,
    /// Open alerts, oldest first.
    #[graphql(directive = about::apply(10))]
    alerts: Vec<KpiAlertState>,
    /// The public ids of those that have closed.
    closed: Vec<ID>,
}

impl From<AlertPush> for KpiAlertChanges {
    fn from(push: AlertPush) -> Self {
        let alerts = push.alerts.into_iter().map(KpiAlertState).collect();
        let closed = push.closed.into_iter().map(|id| public(Kind::KpiAlert, id)).collect();
        Self { revision: push.revision, snapshot: push.snapshot, gap: push.gap, alerts, closed }
    }
}

/// The alerts' part of the subscription root.
#[derive(Default)]
pub(crate) struct KpiAlertSubscription;

#[Subscription]
impl KpiAlertSubscription {
    /// The company's open alerts as they change: all of them first; with `afterRevision` only once one has changed since,
    /// and then all of them; then those that open, change or close. Each event is authorised anew; when the token has
    /// ended, so does the stream.
    #[graphql(guard = "Needs(Permission::KpiRead)")]
    async fn kpi_alerts(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The revision that you have, to be told only what has changed since.")]
        after_revision: Option<i64>,
    ) -> Result<impl Stream<Item = Result<KpiAlertChanges, Error>>, Error> {
        let session = ctx.session()?;
        let company = session.scope()?.company();
        // An event stream that is resumed knows its revision by the id of its last event.
        let after = session.resume().or(after_revision);
        let watch = AlertWatch::new(&session.app().hub, company, authorise(session)?, after);
        Ok(lean(ctx, pushes(watch)))
    }
}
