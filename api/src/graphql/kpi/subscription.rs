//! Figures as they change.

use std::sync::Arc;

use async_graphql::{Context, Error, SimpleObject, Subscription};
use futures_util::{Stream, stream};
use identity::NotSignedIn;
use kernel::{DomainError, Permission};
use kpi::watch::Authorise;
use kpi::{Push, Watch};

use super::figure::KpiFigure;
use crate::graphql::error::{from_domain, not_signed_in};
use crate::graphql::guard::Needs;
use crate::graphql::request::{InRequest, Session};

/// KPIs that changed, or all of them at first.
#[derive(SimpleObject)]
pub(crate) struct KpiChanges {
    /// The revision of the company that this brings you to. After a break, give it as `afterRevision`.
    revision: i64,
    /// Whether `kpis` are all that you follow, and not only those that changed.
    snapshot: bool,
    /// Whether you had a revision that the company has not reached (as after a restore from a backup): forget what you
    /// know; this snapshot replaces it.
    gap: bool,
    /// The KPIs, at the revision.
    #[graphql(complexity = "10 * child_complexity")]
    kpis: Vec<KpiFigure>,
}

impl From<Push> for KpiChanges {
    fn from(push: Push) -> Self {
        let kpis = push.figures.into_iter().map(|figure| KpiFigure(Arc::new(figure))).collect();
        Self { revision: push.revision, snapshot: push.snapshot, gap: push.gap, kpis }
    }
}

/// Looks the token up again: who it stands for now, in the company that the stream began in.
fn authorise(session: &Session) -> Result<Authorise, Error> {
    let company = session.scope()?.company().id;
    let auth = session.app().auth.clone();
    let token = session.token().ok_or_else(not_signed_in)?.to_owned();
    let origin = session.origin().clone();
    Ok(Box::new(move || {
        let (auth, token, origin) = (auth.clone(), token.clone(), origin.clone());
        Box::pin(async move {
            match auth.principal(&token).await {
                Ok(principal) if principal.company.id == company => Ok(Some(auth.scope(&principal, origin))),
                // Who has switched to another company must not get its figures in the midst of this one's.
                Ok(_) | Err(NotSignedIn::Token) => Ok(None),
                Err(NotSignedIn::Fault(fault)) => Err(fault),
            }
        })
    }))
}

/// The pushes of a watch. A database that is away for a while is waited for; anything else ends the stream.
fn pushes(watch: Watch) -> impl Stream<Item = Result<KpiChanges, Error>> {
    stream::unfold(Some(watch), |watch| async move {
        let mut watch = watch?;
        loop {
            match watch.next().await {
                Ok(Some(push)) => return Some((Ok(push.into()), Some(watch))),
                Ok(None) => return Some((Err(not_signed_in()), None)),
                Err(error) if error.fault().is_some_and(kernel::Fault::is_unavailable) => {
                    tracing::warn!(%error, "figures are out of reach; the stream waits");
                }
                Err(error) => return Some((Err(from_domain(error)), None)),
            }
        }
    })
}

/// The figures' part of the subscription root.
#[derive(Default)]
pub(crate) struct KpiSubscription;

#[Subscription]
impl KpiSubscription {
    /// The company's KPIs as they change: a snapshot first, or with `afterRevision` what has changed since; then, whenever
    /// the company's revision moves, those that changed. Each event is authorised anew; when the token has ended, so does
    /// the stream.
    #[graphql(guard = "Needs(Permission::KpiRead)")]
    async fn kpis(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which ones; all of them when left out. An unknown key is an error.")] keys: Option<
            Vec<String>,
        >,
        #[graphql(desc = "The revision that you have, to be told only what has changed since.")]
        after_revision: Option<i64>,
    ) -> Result<impl Stream<Item = Result<KpiChanges, Error>>, Error> {
        let session = ctx.session()?;
        Ok(pushes(Watch::new(authorise(session)?, &session.app().hints, keys, after_revision)))
    }
}
