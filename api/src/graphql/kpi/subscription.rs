//! Figures as they change.

use std::sync::Arc;

use async_graphql::{Context, Error, SimpleObject, Subscription};
use futures_util::{Stream, stream};
use gateway::socket::lean;
use kernel::Permission;
use kpi::watch::{Authorise, Follower, Telling};
use kpi::{Push, Watch};

use super::figure::KpiFigure;
use crate::graphql::cost::about;
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
    #[graphql(directive = about::apply(10))]
    kpis: Vec<KpiFigure>,
}

impl From<Push> for KpiChanges {
    fn from(push: Push) -> Self {
        let kpis = push.figures.into_iter().map(KpiFigure).collect();
        Self { revision: push.revision, snapshot: push.snapshot, gap: push.gap, kpis }
    }
}

/// Looks the token up again: what it may do now, in the company that the stream began in.
pub(super) fn authorise(session: &Session) -> Result<Authorise, Error> {
    let company = session.scope()?.company().id;
    let auth = session.app().auth.clone();
    let token: Arc<str> = session.token().ok_or_else(not_signed_in)?.into();
    let from = session.origin().ip();
    Ok(Box::new(move || {
        let (auth, token) = (auth.clone(), token.clone());
        Box::pin(async move {
            let principal = auth.current(&token, from).await?;
            // Who has switched to another company must not get its figures in the midst of this one's.
            let here = principal.filter(|principal| principal.company.id == company);
            Ok(here.map(|principal| principal.permissions))
        })
    }))
}

/// The pushes of a watch, which waits for a database that is away; anything else ends the stream.
pub(crate) fn pushes<T: Telling, C: From<T::Push>>(
    watch: Follower<T>,
) -> impl Stream<Item = Result<C, Error>> {
    stream::unfold(Some(watch), |watch| async move {
        let mut watch = watch?;
        match watch.next().await {
            Ok(Some(push)) => Some((Ok(push.into()), Some(watch))),
            Ok(None) => Some((Err(not_signed_in()), None)),
            Err(error) => Some((Err(from_domain(error)), None)),
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
        let company = session.scope()?.company();
        // An event stream that is resumed knows its revision by the id of its last event.
        let after = session.resume().or(after_revision);
        let watch = Watch::new(&session.app().hub, company, authorise(session)?, keys, after);
        Ok(lean(ctx, pushes(watch)))
    }
}
