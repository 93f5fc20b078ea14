//! What tests of watches share: hubs, watches, and changes that move figures.

use std::time::Duration;

use kernel::hint::Hints;
use kernel::{Fault, PermissionSet, Scope};
use kpi::watch::Authorise;
use kpi::{Hub, Push, Watch};
use testing::TestDb;

use crate::support::{Firm, Sale, sell_in, write};

/// A hub as a process has one.
pub(crate) fn hub(test: &TestDb, hints: &Hints) -> Hub {
    Hub::new(test.db.clone(), test.vault.clone(), test.clock.clone(), hints.clone())
}

/// Says who reads, without a look-up.
pub(crate) fn authorise<F>(verdict: F) -> Authorise
where
    F: Fn() -> Result<Option<PermissionSet>, Fault> + Send + Sync + 'static,
{
    Box::new(move || Box::pin(std::future::ready(verdict())))
}

/// A watch of who may read everything, for ever.
pub(crate) fn watch(
    hub: &Hub,
    scope: &Scope,
    keys: Option<Vec<String>>,
    after_revision: Option<i64>,
) -> Watch {
    let authorise = authorise(|| Ok(Some(PermissionSet::all())));
    Watch::new(hub, scope.company(), authorise, keys, after_revision)
}

/// The next push, which must come soon.
pub(crate) async fn soon(watch: &mut Watch) -> Push {
    let push = tokio::time::timeout(Duration::from_secs(5), watch.next()).await;
    push.expect("a push within 5 s").expect("a push").expect("a reader")
}

pub(crate) fn keys(push: &Push) -> Vec<&str> {
    push.figures.iter().map(|figure| figure.definition.key.as_str()).collect()
}

/// Issues an invoice of 100 euros: it moves the month's revenue and what is owed.
pub(crate) async fn sell(firm: &Firm) {
    let ids = firm.ids;
    write!(firm.scope, |tx| sell_in(tx, ids, Sale::invoice("2026-06-01", "2026-07-01", 10_000)));
}

/// Folds, and tells what moved.
pub(crate) async fn fold(test: &TestDb, hints: &Hints) {
    for moved in kernel::folder::fold_pending(&test.db).await.expect("folded") {
        hints.tell(moved);
    }
}
