//! L4: a figure equals its recomputation, always, whatever happens at the same time.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use kpi::{Figure, Freshness};
use testing::TestDb;

use crate::by_hand::assert_by_hand;
use crate::drill_down::some_of_each;
use crate::support::{Firm, KEYS, firm};
use crate::work::{Dice, act};

/// Without the revision, which a recomputation does not have.
fn plain(figures: Vec<Figure>) -> Vec<Figure> {
    figures.into_iter().map(|figure| Figure { revision: 0, ..figure }).collect()
}

/// Compares all figures in one snapshot: current, recomputed, and by hand; today, and as they stood on another day. The
/// rollups too, once they are settled.
async fn check(firm: &Firm, settled: bool, dice: &mut Dice) {
    let tx = firm.scope.read().await.expect("snapshot");
    let current = plain(kpi::values(&tx, None, Freshness::Current).await.expect("current").1);
    let keys: Vec<_> = current.iter().map(|figure| figure.definition.key.as_str()).collect();
    assert_eq!(keys, KEYS);
    let recomputed = kpi::recompute(&tx, None).await.expect("recomputed");
    assert_eq!(current, recomputed, "current figures equal their recomputation");
    for figure in &current {
        assert_by_hand(&tx, &figure.definition.key, firm.scope.today(), &figure.value).await;
    }
    let other = testing::day("2026-01-01") + chrono::Days::new(dice.roll(270));
    let some: Vec<String> =
        keys.iter().filter(|_| settled || dice.roll(4) == 0).map(|key| (*key).to_owned()).collect();
    for figure in kpi::recompute_on(&tx, Some(&some), other).await.expect("recomputed") {
        let key = figure.definition.key.as_str();
        let stood = kpi::at_day(&tx, key, other).await.expect(key).expect("it tells of other days");
        assert_eq!(stood.value, figure.value, "{key} as it stood on {other}");
        assert_by_hand(&tx, key, other, &figure.value).await;
    }
    assert_eq!(kpi::audit(&tx).await.expect("audited"), [], "every cell equals its facts");
    if settled {
        let folded = plain(kpi::values(&tx, None, Freshness::AtRevision).await.expect("folded").1);
        assert_eq!(folded, recomputed, "settled rollups equal the recomputation");
    }
    tx.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn figures_equal_their_recomputation_under_concurrent_work() {
    let test = TestDb::with_connections(14).await;
    let firms = [firm(&test).await, firm(&test).await];
    let over = Arc::new(AtomicBool::new(false));
    let folds = Arc::new(AtomicU64::new(0));
    let folders: Vec<_> = (0..2)
        .map(|_| {
            let (db, over, folds) = (test.db.clone(), over.clone(), folds.clone());
            tokio::spawn(async move {
                while !over.load(Ordering::Relaxed) {
                    let moved = kernel::folder::fold_pending(&db).await.expect("folded");
                    folds.fetch_add(moved.len() as u64, Ordering::Relaxed);
                    tokio::time::sleep(Duration::from_millis(3)).await;
                }
            })
        })
        .collect();
    let checks: Arc<[AtomicU64; 2]> = Arc::default();
    let checkers: Vec<_> = firms
        .iter()
        .enumerate()
        .map(|(place, firm)| {
            let (firm, over, checks) = (firm.clone(), over.clone(), checks.clone());
            tokio::spawn(async move {
                let mut dice = Dice(99);
                while !over.load(Ordering::Relaxed) {
                    check(&firm, false, &mut dice).await;
                    checks[place].fetch_add(1, Ordering::Relaxed);
                }
            })
        })
        .collect();
    let workers: Vec<_> = (0..8_u64)
        .map(|worker| {
            let place = usize::try_from(worker % 2).expect("small");
            let (firm, checks) = (firms[place].clone(), checks.clone());
            tokio::spawn(async move {
                let mut dice = Dice(worker * 7919 + 1);
                let mut acts = 0;
                // However slow the machine: the work lasts until it has been looked at.
                while acts < 90 || checks[place].load(Ordering::Relaxed) <= 3 {
                    act(&firm, Dice(dice.roll(1 << 30))).await;
                    acts += 1;
                }
            })
        })
        .collect();
    for worker in workers {
        worker.await.expect("worker");
    }
    over.store(true, Ordering::Relaxed);
    for checker in checkers {
        checker.await.expect("checker");
    }
    for checks in checks.iter() {
        assert!(checks.load(Ordering::Relaxed) > 3, "checked {checks:?} times during the work");
    }
    for folder in folders {
        folder.await.expect("folder");
    }
    assert!(folds.load(Ordering::Relaxed) > 20, "folded during the work");
    for firm in &firms {
        some_of_each(firm).await;
    }
    test.settle().await;
    for firm in &firms {
        check(firm, true, &mut Dice(7)).await;
        worked(firm).await;
    }
}

/// The work was work: it moved every cube.
async fn worked(firm: &Firm) {
    let tx = firm.scope.read().await.expect("snapshot");
    for cube in kpi::cubes::all().filter(|cube| !cube.name.starts_with("kpi.")) {
        let text = "SELECT 1 FROM kpi_rollup WHERE cube = $1 LIMIT 1";
        let moved: Option<(i32,)> = tx.tuple(text, [cube.name.into()]).await.expect("read");
        assert!(moved.is_some(), "{} never moved", cube.name);
    }
    tx.end().await;
}

#[tokio::test]
async fn a_company_without_business_has_empty_figures() {
    let test = TestDb::new().await;
    let firm = firm(&test).await;
    check(&firm, false, &mut Dice(1)).await;
    test.settle().await;
    check(&firm, true, &mut Dice(2)).await;
}
