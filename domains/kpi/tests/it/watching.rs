//! A watch tells everything first and changes after, misses nothing, and asks each time who may read.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicUsize, Ordering};
use std::time::Duration;

use kernel::hint::Hints;
use kernel::{Actor, Fault, Permission, PermissionSet, Scope};
use kpi::{Error, Push, Watch};
use rust_decimal::Decimal;
use testing::{TestDb, at};

use crate::support::{Firm, KEYS, Sale, amounts, bill_in, current, firm, sell_in, write};

fn watch(scope: &Scope, hints: &Hints, after_revision: Option<i64>) -> Watch {
    let scope = scope.clone();
    let authorise =
        Box::new(move || -> futures_util::future::BoxFuture<'static, Result<Option<Scope>, Fault>> {
            let scope = scope.clone();
            Box::pin(async move { Ok(Some(scope)) })
        });
    Watch::new(authorise, hints, None, after_revision)
}

/// The next push, which must come soon.
async fn soon(watch: &mut Watch) -> Push {
    let push = tokio::time::timeout(Duration::from_secs(5), watch.next()).await;
    push.expect("a push within 5 s").expect("a push").expect("a reader")
}

/// No push comes, for longer than a sweep takes.
async fn assert_silent(watch: &mut Watch) {
    let push = tokio::time::timeout(Duration::from_millis(1300), watch.next()).await;
    assert!(push.is_err(), "{push:?}");
}

fn keys(push: &Push) -> Vec<&str> {
    push.figures.iter().map(|figure| figure.definition.key.as_str()).collect()
}

async fn sell(firm: &Firm) {
    let ids = firm.ids;
    write!(firm.scope, |tx| sell_in(tx, ids, Sale::invoice("2026-06-01", "2026-07-01", 10_000)));
}

/// Folds, and tells what moved.
async fn fold(test: &TestDb, hints: &Hints) {
    for moved in kernel::folder::fold_pending(&test.db).await.expect("folded") {
        hints.tell(moved).await;
    }
}

#[tokio::test]
async fn a_snapshot_comes_first_and_then_what_changed() {
    let test = TestDb::new().await;
    let (firm, other) = (firm(&test).await, crate::support::firm(&test).await);
    test.settle().await;
    let hints = Hints::local();
    let mut watch = watch(&firm.scope, &hints, None);
    let first = soon(&mut watch).await;
    assert_eq!((first.snapshot, first.gap, keys(&first)), (true, false, KEYS.to_vec()));
    sell(&firm).await;
    sell(&other).await;
    fold(&test, &hints).await;
    let second = soon(&mut watch).await;
    assert_eq!((second.snapshot, second.gap), (false, false));
    assert!(second.revision > first.revision);
    assert_eq!(keys(&second), ["revenue_month", "receivables_open"], "only what changed");
    assert_eq!(amounts(&second.figures[0]), [("EUR", 10_000)]);
    sell(&other).await;
    fold(&test, &hints).await;
    assert_silent(&mut watch).await;
}

#[tokio::test]
async fn many_changes_make_few_pushes_and_the_last_is_told() {
    let test = TestDb::new().await;
    let firm = firm(&test).await;
    test.settle().await;
    let hints = Hints::local();
    let mut watch = watch(&firm.scope, &hints, None);
    soon(&mut watch).await;
    for _ in 0..20 {
        sell(&firm).await;
        fold(&test, &hints).await;
    }
    let push = soon(&mut watch).await;
    assert_eq!(amounts(&push.figures[0]), [("EUR", 200_000)], "the newest state, in one push");
    assert_silent(&mut watch).await;
}

#[tokio::test]
async fn a_lost_hint_is_found_by_the_sweep_even_among_the_hints_of_others() {
    let test = TestDb::new().await;
    let firm = firm(&test).await;
    test.settle().await;
    let hints = Hints::local();
    let mut watch = watch(&firm.scope, &hints, None);
    soon(&mut watch).await;
    sell(&firm).await;
    test.settle().await;
    let noise = tokio::spawn({
        let hints = hints.clone();
        async move {
            loop {
                hints.tell((kernel::id::new(), 1)).await;
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        }
    });
    let push = tokio::time::timeout(Duration::from_secs(2), watch.next())
        .await
        .expect("swept")
        .expect("a push")
        .expect("a reader");
    assert_eq!(keys(&push), ["revenue_month", "receivables_open"]);
    noise.abort();
    drop(hints);
    sell(&firm).await;
    test.settle().await;
    assert_eq!(
        keys(&soon(&mut watch).await),
        ["revenue_month", "receivables_open"],
        "with nobody left who tells"
    );
}

#[tokio::test]
async fn who_comes_back_is_told_what_changed_since_and_no_more() {
    let test = TestDb::new().await;
    let firm = firm(&test).await;
    let ids = firm.ids;
    test.settle().await;
    let hints = Hints::local();
    let seen = soon(&mut watch(&firm.scope, &hints, None)).await.revision;
    let nothing = soon(&mut watch(&firm.scope, &hints, Some(seen))).await;
    assert_eq!(
        (nothing.revision, nothing.snapshot, nothing.gap, keys(&nothing)),
        (seen, false, false, vec![])
    );
    sell(&firm).await;
    test.settle().await;
    write!(firm.scope, |tx| bill_in(tx, ids, "bill", testing::day("2026-06-01"), 100));
    test.settle().await;
    let since = soon(&mut watch(&firm.scope, &hints, Some(seen))).await;
    assert_eq!((since.snapshot, since.gap), (false, false));
    assert_eq!(keys(&since), ["revenue_month", "receivables_open", "bills_waiting"]);
    let part = soon(&mut watch(&firm.scope, &hints, Some(since.revision - 1))).await;
    assert_eq!((part.revision, keys(&part)), (since.revision, vec!["bills_waiting"]));
}

#[tokio::test]
async fn a_revision_that_the_company_never_had_is_a_gap_with_a_snapshot() {
    let test = TestDb::new().await;
    let firm = firm(&test).await;
    test.settle().await;
    let hints = Hints::local();
    let mut watch = watch(&firm.scope, &hints, Some(1_000_000));
    let push = soon(&mut watch).await;
    assert_eq!((push.gap, push.snapshot, push.figures.len()), (true, true, KEYS.len()));
    sell(&firm).await;
    fold(&test, &hints).await;
    let next = soon(&mut watch).await;
    assert_eq!(
        (next.gap, next.snapshot, keys(&next)),
        (false, false, vec!["revenue_month", "receivables_open"])
    );
}

#[tokio::test]
async fn midnight_and_a_new_target_are_told() {
    let test = TestDb::new().await;
    let firm = firm(&test).await;
    let ids = firm.ids;
    let tick = async || {
        kernel::folder::tick_midnights(&test.db, &test.clock).await.expect("ticked");
    };
    tick().await;
    write!(firm.scope, |tx| sell_in(tx, ids, Sale::invoice("2026-06-01", "2026-06-15", 1000)));
    test.settle().await;
    let mut watch = watch(&firm.scope, &Hints::local(), None);
    soon(&mut watch).await;
    test.clock.set(at("2026-06-15T22:00:01Z"));
    tick().await;
    let push = soon(&mut watch).await;
    // The rolling windows moved by a day, which is told as well: their first and last days are part of the figure.
    assert!(
        keys(&push).contains(&"receivables_overdue") && !keys(&push).contains(&"revenue_month"),
        "{:?}",
        keys(&push)
    );
    let id = current(&firm, "bills_waiting").await.definition.id;
    firm.scope
        .write(move |tx| Box::pin(kpi::set_target(tx, id, Some(Decimal::from(3)), 1)))
        .await
        .expect("a target");
    test.settle().await;
    let push = soon(&mut watch).await;
    assert_eq!(keys(&push), ["bills_waiting"]);
    assert_eq!(push.figures[0].definition.target, Some(Decimal::from(3)));
}

#[tokio::test]
async fn a_fold_between_midnight_and_its_tick_hides_nothing() {
    let test = TestDb::new().await;
    let firm = firm(&test).await;
    let ids = firm.ids;
    kernel::folder::tick_midnights(&test.db, &test.clock).await.expect("ticked");
    write!(firm.scope, |tx| sell_in(tx, ids, Sale::invoice("2026-06-01", "2026-06-15", 1000)));
    test.settle().await;
    let mut watch = watch(&firm.scope, &Hints::local(), None);
    soon(&mut watch).await;
    test.clock.set(at("2026-06-15T22:00:01Z"));
    let id = current(&firm, "bills_waiting").await.definition.id;
    firm.scope
        .write(move |tx| Box::pin(kpi::set_target(tx, id, Some(Decimal::from(3)), 1)))
        .await
        .expect("a target");
    test.settle().await;
    assert_eq!(keys(&soon(&mut watch).await), ["bills_waiting"]);
    kernel::folder::tick_midnights(&test.db, &test.clock).await.expect("ticked");
    let push = soon(&mut watch).await;
    assert!(keys(&push).contains(&"receivables_overdue"), "{:?}", keys(&push));
}

#[tokio::test]
async fn a_quiet_company_keeps_no_stream_open_for_who_is_gone() {
    let test = TestDb::new().await;
    let firm = firm(&test).await;
    test.settle().await;
    let gone = Arc::new(AtomicU32::new(0));
    let (scope, signed_out) = (firm.scope.clone(), gone.clone());
    let authorise =
        Box::new(move || -> futures_util::future::BoxFuture<'static, Result<Option<Scope>, Fault>> {
            let scope = (signed_out.load(Ordering::Relaxed) == 0).then(|| scope.clone());
            Box::pin(async move { Ok(scope) })
        });
    let mut watch = Watch::new(authorise, &Hints::local(), None, None);
    soon(&mut watch).await;
    gone.store(1, Ordering::Relaxed);
    let ended = tokio::time::timeout(Duration::from_secs(5), watch.next()).await.expect("soon");
    assert!(matches!(ended, Ok(None)), "signed out");
}

#[tokio::test]
async fn each_push_is_authorised_anew() {
    let test = TestDb::new().await;
    let firm = firm(&test).await;
    test.settle().await;
    let (who, asked) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicU32::new(0)));
    let company = firm.scope.company().id;
    let scopes = [
        Some(test.scope(company, Actor::System, [Permission::KpiRead].into_iter().collect())),
        Some(test.scope(company, Actor::System, PermissionSet::NONE)),
        None,
    ];
    let authorise = {
        let (who, asked) = (who.clone(), asked.clone());
        Box::new(move || -> futures_util::future::BoxFuture<'static, Result<Option<Scope>, Fault>> {
            asked.fetch_add(1, Ordering::Relaxed);
            let scope = scopes[who.load(Ordering::Relaxed)].clone();
            Box::pin(async move { Ok(scope) })
        })
    };
    let hints = Hints::local();
    let mut watch = Watch::new(authorise, &hints, Some(vec!["revenue_month".to_owned()]), None);
    assert_eq!(keys(&soon(&mut watch).await), ["revenue_month"]);
    sell(&firm).await;
    fold(&test, &hints).await;
    soon(&mut watch).await;
    assert!(asked.load(Ordering::Relaxed) >= 2);
    who.store(1, Ordering::Relaxed);
    sell(&firm).await;
    fold(&test, &hints).await;
    let refused = tokio::time::timeout(Duration::from_secs(5), watch.next()).await.expect("soon");
    assert!(matches!(refused, Err(Error::Denied(denied)) if denied.0 == Permission::KpiRead));
    who.store(2, Ordering::Relaxed);
    let gone = tokio::time::timeout(Duration::from_secs(5), watch.next()).await.expect("soon");
    assert!(matches!(gone, Ok(None)), "signed out");
}

#[tokio::test]
async fn a_dropped_call_loses_nothing_and_no_connection_is_held_between_pushes() {
    let test = TestDb::with_connections(1).await;
    let firm = firm(&test).await;
    test.settle().await;
    let hints = Hints::local();
    let mut watch = watch(&firm.scope, &hints, None);
    soon(&mut watch).await;
    sell(&firm).await;
    fold(&test, &hints).await;
    for micros in [0, 50, 200, 400, 800, 1600] {
        let cut = tokio::time::timeout(Duration::from_micros(micros), watch.next()).await;
        assert!(cut.is_err(), "cut before its pause is over");
    }
    assert_eq!(keys(&soon(&mut watch).await), ["revenue_month", "receivables_open"]);
}

#[tokio::test]
async fn an_unknown_key_is_refused_at_once() {
    let test = TestDb::new().await;
    let firm = firm(&test).await;
    let scope = firm.scope.clone();
    let authorise =
        Box::new(move || -> futures_util::future::BoxFuture<'static, Result<Option<Scope>, Fault>> {
            let scope = scope.clone();
            Box::pin(async move { Ok(Some(scope)) })
        });
    let mut watch = Watch::new(authorise, &Hints::local(), Some(vec!["nothing".to_owned()]), None);
    assert!(matches!(watch.next().await, Err(Error::NotFound { .. })));
}
