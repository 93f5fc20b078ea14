//! A watch tells everything first and changes after, misses nothing, and asks each time who may read.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicUsize, Ordering};
use std::time::Duration;

use kernel::hint::Hints;
use kernel::{Permission, PermissionSet, Scope};
use kpi::watch::Authorise;
use kpi::{Error, Hub, Watch};
use rust_decimal::Decimal;
use testing::{TestDb, at};

use crate::following::{authorise, fold, hub, keys, sell, soon, watch};
use crate::support::{BY_A_SALE, KEYS, Sale, amounts, bill_in, current, firm, sell_in, write};

/// A process with its hub; hints reach it from its own tellings only.
struct Process {
    hub: Hub,
    hints: Hints,
}

impl Process {
    fn new(test: &TestDb) -> Self {
        let hints = Hints::local();
        Self { hub: hub(test, &hints), hints }
    }

    fn watch(&self, scope: &Scope, after_revision: Option<i64>) -> Watch {
        watch(&self.hub, scope, None, after_revision)
    }
}

/// No push comes, for longer than a sweep takes.
async fn assert_silent(watch: &mut Watch) {
    let push = tokio::time::timeout(Duration::from_millis(1300), watch.next()).await;
    assert!(push.is_err(), "{push:?}");
}

#[tokio::test]
async fn a_snapshot_comes_first_and_then_what_changed() {
    let test = TestDb::new().await;
    let (firm, other) = (firm(&test).await, crate::support::firm(&test).await);
    test.settle().await;
    let process = Process::new(&test);
    let mut watch = process.watch(&firm.scope, None);
    let first = soon(&mut watch).await;
    assert_eq!((first.snapshot, first.gap, keys(&first)), (true, false, KEYS.to_vec()));
    sell(&firm).await;
    sell(&other).await;
    fold(&test, &process.hints).await;
    let second = soon(&mut watch).await;
    assert_eq!((second.snapshot, second.gap), (false, false));
    assert!(second.revision > first.revision);
    assert_eq!(keys(&second), BY_A_SALE, "only what changed");
    assert_eq!(amounts(&second.figures[0]), [("EUR", 10_000)]);
    sell(&other).await;
    fold(&test, &process.hints).await;
    assert_silent(&mut watch).await;
}

#[tokio::test]
async fn many_changes_make_few_pushes_and_the_last_is_told() {
    let test = TestDb::new().await;
    let firm = firm(&test).await;
    test.settle().await;
    let process = Process::new(&test);
    let mut watch = process.watch(&firm.scope, None);
    soon(&mut watch).await;
    for _ in 0..20 {
        sell(&firm).await;
        fold(&test, &process.hints).await;
    }
    // The newest state; and before it what a read had found that was under way, or resting, meanwhile.
    let mut push = soon(&mut watch).await;
    for _ in 0..2 {
        if amounts(&push.figures[0]) != [("EUR", 200_000)] {
            push = soon(&mut watch).await;
        }
    }
    assert_eq!(amounts(&push.figures[0]), [("EUR", 200_000)]);
    assert_silent(&mut watch).await;
}

#[tokio::test]
async fn a_lost_hint_is_found_by_the_sweep_even_among_the_hints_of_others() {
    let test = TestDb::new().await;
    let firm = firm(&test).await;
    test.settle().await;
    let process = Process::new(&test);
    let mut watch = process.watch(&firm.scope, None);
    soon(&mut watch).await;
    sell(&firm).await;
    test.settle().await;
    let noise = tokio::spawn({
        let hints = process.hints.clone();
        async move {
            loop {
                hints.tell((kernel::id::new(), 1));
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        }
    });
    let push = tokio::time::timeout(Duration::from_secs(2), watch.next())
        .await
        .expect("swept")
        .expect("a push")
        .expect("a reader");
    assert_eq!(keys(&push), BY_A_SALE);
    noise.abort();
}

#[tokio::test]
async fn who_comes_back_is_told_what_changed_since_and_no_more() {
    let test = TestDb::new().await;
    let firm = firm(&test).await;
    let ids = firm.ids;
    test.settle().await;
    let process = Process::new(&test);
    let seen = soon(&mut process.watch(&firm.scope, None)).await.revision;
    let nothing = soon(&mut process.watch(&firm.scope, Some(seen))).await;
    assert_eq!(
        (nothing.revision, nothing.snapshot, nothing.gap, keys(&nothing)),
        (seen, false, false, vec![])
    );
    sell(&firm).await;
    test.settle().await;
    write!(firm.scope, |tx| bill_in(tx, ids, "bill", testing::day("2026-06-01"), 100));
    test.settle().await;
    let since = soon(&mut process.watch(&firm.scope, Some(seen))).await;
    assert_eq!((since.snapshot, since.gap), (false, false));
    assert_eq!(keys(&since), [&BY_A_SALE[..], &["bills_waiting"]].concat());
    let part = soon(&mut process.watch(&firm.scope, Some(since.revision - 1))).await;
    assert_eq!((part.revision, keys(&part)), (since.revision, vec!["bills_waiting"]));
}

#[tokio::test]
async fn a_revision_that_the_company_never_had_is_a_gap_with_a_snapshot() {
    let test = TestDb::new().await;
    let firm = firm(&test).await;
    test.settle().await;
    let process = Process::new(&test);
    let mut watch = process.watch(&firm.scope, Some(1_000_000));
    let push = soon(&mut watch).await;
    assert_eq!((push.gap, push.snapshot, push.figures.len()), (true, true, KEYS.len()));
    sell(&firm).await;
    fold(&test, &process.hints).await;
    let next = soon(&mut watch).await;
    assert_eq!((next.gap, next.snapshot, keys(&next)), (false, false, BY_A_SALE.to_vec()));
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
    let mut watch = Process::new(&test).watch(&firm.scope, None);
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
    let mut watch = Process::new(&test).watch(&firm.scope, None);
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
    let signed_out = gone.clone();
    let authorise = authorise(move || {
        let here = signed_out.load(Ordering::Relaxed) == 0;
        Ok(here.then(PermissionSet::all))
    });
    let process = Process::new(&test);
    let mut watch = Watch::new(&process.hub, firm.scope.company(), authorise, None, None);
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
    let rights = [Some([Permission::KpiRead].into_iter().collect()), Some(PermissionSet::NONE), None];
    let authorise = {
        let (who, asked) = (who.clone(), asked.clone());
        authorise(move || {
            asked.fetch_add(1, Ordering::Relaxed);
            Ok(rights[who.load(Ordering::Relaxed)])
        })
    };
    let process = Process::new(&test);
    let only = Some(vec!["revenue_month".to_owned()]);
    let mut watch = Watch::new(&process.hub, firm.scope.company(), authorise, only, None);
    assert_eq!(keys(&soon(&mut watch).await), ["revenue_month"]);
    sell(&firm).await;
    fold(&test, &process.hints).await;
    soon(&mut watch).await;
    assert!(asked.load(Ordering::Relaxed) >= 2);
    who.store(1, Ordering::Relaxed);
    sell(&firm).await;
    fold(&test, &process.hints).await;
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
    let process = Process::new(&test);
    let slowly: Authorise = Box::new(|| {
        Box::pin(async {
            tokio::time::sleep(Duration::from_millis(400)).await;
            Ok(Some(PermissionSet::all()))
        })
    });
    let mut watch = Watch::new(&process.hub, firm.scope.company(), slowly, None, None);
    soon(&mut watch).await;
    sell(&firm).await;
    fold(&test, &process.hints).await;
    for ms in [0, 1, 3, 10, 20, 30, 30, 30, 30] {
        let cut = tokio::time::timeout(Duration::from_millis(ms), watch.next()).await;
        assert!(cut.is_err(), "cut before it was asked who reads, or in the midst of it");
    }
    assert_eq!(keys(&soon(&mut watch).await), BY_A_SALE);
}

#[tokio::test]
async fn an_unknown_key_is_refused_at_once() {
    let test = TestDb::new().await;
    let firm = firm(&test).await;
    let process = Process::new(&test);
    let mut watch = watch(&process.hub, &firm.scope, Some(vec!["nothing".to_owned()]), None);
    assert!(matches!(watch.next().await, Err(Error::NotFound { .. })));
}

#[tokio::test]
async fn who_loses_the_right_is_refused_while_nothing_moves() {
    let test = TestDb::new().await;
    let firm = firm(&test).await;
    test.settle().await;
    let demoted = Arc::new(AtomicU32::new(0));
    let asked = demoted.clone();
    let authorise = authorise(move || {
        Ok(Some(if asked.load(Ordering::Relaxed) == 0 { PermissionSet::all() } else { PermissionSet::NONE }))
    });
    let process = Process::new(&test);
    let mut watch = Watch::new(&process.hub, firm.scope.company(), authorise, None, None);
    soon(&mut watch).await;
    demoted.store(1, Ordering::Relaxed);
    let refused = tokio::time::timeout(Duration::from_secs(5), watch.next()).await.expect("soon");
    assert!(matches!(refused, Err(Error::Denied(denied)) if denied.0 == Permission::KpiRead));
}

#[tokio::test]
async fn a_target_that_is_not_folded_yet_is_told_to_who_comes_back() {
    let test = TestDb::new().await;
    let firm = firm(&test).await;
    test.settle().await;
    let seen = soon(&mut Process::new(&test).watch(&firm.scope, None)).await.revision;
    let id = current(&firm, "bills_waiting").await.definition.id;
    firm.scope
        .write(move |tx| Box::pin(kpi::set_target(tx, id, Some(Decimal::from(3)), 1)))
        .await
        .expect("a target");
    // This process reads the new target at the old revision, which another has told with the old target.
    let process = Process::new(&test);
    let mut watch = process.watch(&firm.scope, Some(seen));
    let push = soon(&mut watch).await;
    assert_eq!((push.revision, push.snapshot, keys(&push)), (seen, false, vec!["bills_waiting"]));
    assert_eq!(push.figures[0].definition.target, Some(Decimal::from(3)));
    fold(&test, &process.hints).await;
    assert_silent(&mut watch).await;
}

#[tokio::test]
async fn who_comes_back_from_a_replica_that_was_ahead_is_in_no_gap() {
    let test = TestDb::new().await;
    let firm = firm(&test).await;
    test.settle().await;
    let (here, there) = (Process::new(&test), Process::new(&test));
    let mut stays = here.watch(&firm.scope, None);
    soon(&mut stays).await;
    sell(&firm).await;
    // Told to the other replica only.
    fold(&test, &there.hints).await;
    let seen = soon(&mut there.watch(&firm.scope, None)).await.revision;
    let push = soon(&mut here.watch(&firm.scope, Some(seen))).await;
    assert_eq!((push.revision, push.snapshot, push.gap, keys(&push)), (seen, false, false, vec![]));
    assert_eq!(keys(&soon(&mut stays).await), BY_A_SALE);
}
