//! Who follows alerts is told all that are open, then what changes, and nothing twice.

use std::time::Duration;

use kernel::PermissionSet;
use kernel::hint::Hints;
use kpi::{AlertPush, AlertWatch, Error};
use testing::TestDb;

use crate::alerting::{alerts, evaluate_once, evaluated, open, sell, watch_receivables};
use crate::following::{authorise, fold, hub};
use crate::support::{Firm, Pay, firm, pay_in, write};

async fn soon(watch: &mut AlertWatch) -> AlertPush {
    let push = tokio::time::timeout(Duration::from_secs(5), watch.next()).await;
    push.expect("a push within 5 s").expect("a push").expect("a reader")
}

async fn assert_silent(watch: &mut AlertWatch) {
    let push = tokio::time::timeout(Duration::from_millis(1300), watch.next()).await;
    assert!(push.is_err(), "{push:?}");
}

fn follow(hub: &kpi::Hub, firm: &Firm, after_revision: Option<i64>) -> AlertWatch {
    let everybody = authorise(|| Ok(Some(PermissionSet::all())));
    AlertWatch::new(hub, firm.scope.company(), everybody, after_revision)
}

#[tokio::test]
async fn open_alerts_come_first_and_then_what_opens_changes_and_closes() {
    let test = TestDb::new().await;
    let firm = firm(&test).await;
    let ids = firm.ids;
    watch_receivables(&firm, 100, 200, 0).await;
    evaluated(&test, &firm).await;
    let hints = Hints::local();
    let hub = hub(&test, &hints);
    let mut watch = follow(&hub, &firm, None);
    let first = soon(&mut watch).await;
    assert_eq!((first.snapshot, first.gap, first.alerts.len()), (true, false, 0));
    let moved = async || {
        fold(&test, &hints).await;
        evaluate_once(&firm.scope).await;
        fold(&test, &hints).await;
    };

    let invoice = sell(&firm, 100).await;
    moved().await;
    let opened = soon(&mut watch).await;
    assert_eq!((opened.snapshot, opened.alerts.len(), opened.closed.len()), (false, 1, 0));
    assert_eq!(
        (opened.alerts[0].key.as_str(), opened.alerts[0].alert.level.as_str()),
        ("receivables_open", "warning")
    );
    let alert = opened.alerts[0].alert.id;
    sell(&firm, 20).await;
    moved().await;
    assert_silent(&mut watch).await;

    write!(firm.scope, |tx| pay_in(tx, ids, Pay::invoice(invoice, "2026-06-10", 12_000)));
    moved().await;
    let closed = soon(&mut watch).await;
    assert_eq!((closed.snapshot, closed.alerts.len(), &closed.closed[..]), (false, 0, &[alert][..]));

    let mut resumed = follow(&hub, &firm, Some(opened.revision));
    let missed = soon(&mut resumed).await;
    assert_eq!(
        (missed.snapshot, missed.gap, missed.alerts.len()),
        (true, false, 0),
        "it replaces what is known"
    );
    let snapshot = firm.scope.read().await.expect("snapshot");
    let head = kernel::rollup::head(&snapshot).await.expect("head").revision;
    snapshot.end().await;
    assert_silent(&mut follow(&hub, &firm, Some(head))).await;
    let gap = soon(&mut follow(&hub, &firm, Some(closed.revision + 1000))).await;
    assert_eq!((gap.snapshot, gap.gap), (true, true));
    assert_eq!(alerts(&firm).await.len(), 1);
}

#[tokio::test]
async fn who_resumes_is_told_of_an_alert_that_is_ahead_of_the_revision() {
    let test = TestDb::new().await;
    let firm = firm(&test).await;
    watch_receivables(&firm, 100, 200, 0).await;
    sell(&firm, 100).await;
    test.settle().await;
    let snapshot = firm.scope.read().await.expect("snapshot");
    let revision = kernel::rollup::head(&snapshot).await.expect("head").revision;
    snapshot.end().await;
    // Committed, and not folded: the board shows it at the revision that the reader knows.
    assert!(evaluate_once(&firm.scope).await);
    let hints = Hints::local();
    let hub = hub(&test, &hints);
    let push = soon(&mut follow(&hub, &firm, Some(revision))).await;
    assert_eq!((push.revision, push.alerts.len()), (revision, 1));
    assert_eq!(push.alerts[0].alert.id, open(&firm).await.id);
}

#[tokio::test]
async fn who_may_not_read_is_told_nothing() {
    let test = TestDb::new().await;
    let firm = firm(&test).await;
    watch_receivables(&firm, 100, 200, 0).await;
    evaluated(&test, &firm).await;
    let hub = hub(&test, &Hints::local());
    let mut weak =
        AlertWatch::new(&hub, firm.scope.company(), authorise(|| Ok(Some(PermissionSet::NONE))), None);
    assert!(matches!(weak.next().await, Err(Error::Denied(_))));
    let mut gone = AlertWatch::new(&hub, firm.scope.company(), authorise(|| Ok(None)), None);
    assert!(gone.next().await.expect("no error").is_none());
}
