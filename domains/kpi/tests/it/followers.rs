//! Under concurrent work, on two replicas: whatever a reader has been told is the recomputation at the revision it was
//! told, nobody misses the last state, and no revision goes back.

use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use chrono::TimeDelta;
use kernel::db::DbOptions;
use kernel::hint::Hints;
use kernel::{Db, folder};
use kpi::{Figure, Hub, Push, Watch};
use rust_decimal::Decimal;
use testing::TestDb;
use tokio::sync::RwLock;
use uuid::Uuid;

use crate::following::watch;
use crate::support::{Firm, KEYS, current, firm};
use crate::work::{Dice, act};

/// Figures by key, without the revision, which a recomputation does not have.
type Figures = BTreeMap<String, Figure>;

fn plain(figure: &Figure) -> (String, Figure) {
    (figure.definition.key.clone(), Figure { revision: 0, ..figure.clone() })
}

/// The recomputation of each revision that was reached with nothing pending.
#[derive(Default)]
struct Truth(Mutex<HashMap<(Uuid, i64), Figures>>);

impl Truth {
    /// Recomputes; `None` when something is pending, as of a commit whose caller has gone away.
    async fn record(&self, firm: &Firm) -> Option<Figures> {
        let tx = firm.scope.read().await.expect("snapshot");
        let head = kernel::rollup::head(&tx).await.expect("head");
        let pending: Option<(i32,)> = tx.tuple("SELECT 1 FROM kpi_delta LIMIT 1", []).await.expect("deltas");
        let figures = kpi::recompute(&tx, None).await.expect("recomputed");
        tx.end().await;
        if pending.is_some() {
            return None;
        }
        let figures: Figures = figures.iter().map(plain).collect();
        self.0.lock().expect("truth").insert((firm.scope.company().id, head.revision), figures.clone());
        Some(figures)
    }

    fn at(&self, firm: &Firm, revision: i64) -> Option<Figures> {
        self.0.lock().expect("truth").get(&(firm.scope.company().id, revision)).cloned()
    }
}

/// What a reader was told, and the revision that it has.
#[derive(Default)]
struct Told {
    figures: Figures,
    revision: Option<i64>,
    /// Whether the next push is the first of its watch, which may tell the same revision again.
    first: bool,
}

impl Told {
    fn take(&mut self, push: &Push) {
        assert!(!push.gap, "the company's revision never goes back here");
        assert_eq!(push.snapshot, self.revision.is_none(), "a snapshot for who has nothing");
        if let Some(seen) = self.revision {
            let forward = if self.first { push.revision >= seen } else { push.revision > seen };
            assert!(forward, "{} after {seen}", push.revision);
        }
        self.figures.extend(push.figures.iter().map(|figure| plain(figure)));
        (self.revision, self.first) = (Some(push.revision), false);
    }

    /// All that was told is the state of its revision. A new target may be told before its fold.
    fn is(&self, truth: &Figures, keys: &[String]) {
        assert_eq!(self.figures.keys().cloned().collect::<Vec<_>>(), keys);
        for (key, told) in &self.figures {
            let true_one = &truth[key];
            assert_eq!(
                (&told.value, told.from, told.to),
                (&true_one.value, true_one.from, true_one.to),
                "{key} at {:?}",
                self.revision
            );
        }
    }
}

struct Play {
    firms: [Firm; 2],
    hubs: [Hub; 2],
    truth: Truth,
    /// Whoever works holds it for reading, whoever folds and recomputes for writing.
    gate: RwLock<()>,
    worked: AtomicBool,
    compared: AtomicU32,
    resumed: AtomicU32,
}

impl Play {
    fn watch(&self, firm: &Firm, keys: &[String], told: &mut Told, dice: &mut Dice) -> Watch {
        told.first = true;
        let hub = &self.hubs[usize::try_from(dice.roll(2)).expect("small")];
        let all = keys.len() == KEYS.len();
        watch(hub, &firm.scope, (!all).then(|| keys.to_vec()), told.revision)
    }

    /// A reader with moods: slow at times, gone for a while at times, then back on any replica.
    async fn read(self: Arc<Self>, mut dice: Dice) {
        let firm = &self.firms[usize::try_from(dice.roll(2)).expect("small")];
        let mut keys: Vec<String> = KEYS.iter().map(|key| (*key).to_owned()).collect();
        keys.sort_unstable();
        if dice.roll(2) == 0 {
            keys.retain(|_| dice.roll(3) == 0);
        }
        let mut told = Told::default();
        let mut watch = self.watch(firm, &keys, &mut told, &mut dice);
        while !self.worked.load(Ordering::Relaxed) {
            if let Ok(push) = tokio::time::timeout(Duration::from_millis(100), watch.next()).await {
                told.take(&push.expect("a push").expect("a reader"));
                if let Some(truth) = self.truth.at(firm, told.revision.expect("told")) {
                    told.is(&truth, &keys);
                    self.compared.fetch_add(1, Ordering::Relaxed);
                }
            }
            match dice.roll(24) {
                0..4 => tokio::time::sleep(Duration::from_millis(dice.roll(250))).await,
                4 => {
                    drop(watch);
                    tokio::time::sleep(Duration::from_millis(dice.roll(150))).await;
                    watch = self.watch(firm, &keys, &mut told, &mut dice);
                    self.resumed.fetch_add(1, Ordering::Relaxed);
                }
                5 => {
                    told = Told::default();
                    watch = self.watch(firm, &keys, &mut told, &mut dice);
                }
                _ => {}
            }
        }
        let last = loop {
            match self.truth.record(firm).await {
                Some(figures) => break figures,
                None => tokio::time::sleep(Duration::from_millis(20)).await,
            }
        };
        let wanted: Figures = last.into_iter().filter(|(key, _)| keys.contains(key)).collect();
        while told.figures != wanted || told.revision.is_none() {
            let push = tokio::time::timeout(Duration::from_secs(5), watch.next()).await;
            told.take(&push.expect("the last state is told").expect("a push").expect("a reader"));
        }
    }

    /// Folds and recomputes in turns with the work; passes days and sets targets; loses a hint now and then.
    async fn fold(&self, test: &TestDb, hints: &[Hints; 2], dice: &mut Dice) {
        let _alone = self.gate.write().await;
        if dice.roll(4) == 0 {
            let firm = &self.firms[usize::try_from(dice.roll(2)).expect("small")];
            let key = KEYS[usize::try_from(dice.roll(10)).expect("small")];
            let definition = current(firm, key).await.definition;
            // From 0 to 1: what every unit can have.
            let target =
                (dice.roll(3) > 0).then(|| Decimal::new(i64::try_from(dice.roll(2)).expect("small"), 0));
            let set = firm
                .scope
                .write(move |tx| Box::pin(kpi::set_target(tx, definition.id, target, definition.version)));
            // A score has no target below 1.
            drop(set.await);
        }
        let mut moved = folder::fold_pending(&test.db).await.expect("folded");
        self.record().await;
        if dice.roll(8) == 0 {
            test.clock.set(test.clock.now() + TimeDelta::hours(13));
            moved.extend(folder::tick_midnights(&test.db, &test.clock).await.expect("ticked"));
            self.record().await;
        }
        for moved in moved {
            if dice.roll(10) > 0 {
                hints[usize::try_from(dice.roll(2)).expect("small")].tell(moved);
            }
        }
    }

    async fn record(&self) {
        for firm in &self.firms {
            self.truth.record(firm).await;
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn who_follows_has_the_recomputation_at_each_revision_and_the_last_state_at_the_end() {
    let test = TestDb::with_connections(14).await;
    let firms = [firm(&test).await, firm(&test).await];
    folder::tick_midnights(&test.db, &test.clock).await.expect("ticked");
    test.settle().await;
    let url = testing::redis_url();
    let hints = [Hints::over_redis(&url).expect("a URL"), Hints::over_redis(&url).expect("a URL")];
    // A replica shares nothing with another but PostgreSQL and Redis.
    let replica = || {
        let options = DbOptions {
            server_url: test.url("coulisse_server"),
            worker_url: test.url("coulisse_worker"),
            connections: 4,
            prepared_statements: true,
        };
        Db::connect(&options).expect("pools")
    };
    let hubs = hints
        .each_ref()
        .map(|hints| Hub::new(replica(), test.vault.clone(), test.clock.clone(), hints.clone()));
    let (gate, worked) = (RwLock::new(()), AtomicBool::new(false));
    let (compared, resumed, truth) = (AtomicU32::new(0), AtomicU32::new(0), Truth::default());
    let play = Arc::new(Play { firms, hubs, truth, gate, worked, compared, resumed });
    play.record().await;

    let readers: Vec<_> =
        (0..24).map(|seat| tokio::spawn(play.clone().read(Dice(seat * 104_729 + 17)))).collect();
    let workers: Vec<_> = (0..6_u64)
        .map(|worker| {
            let play = play.clone();
            tokio::spawn(async move {
                let mut dice = Dice(worker * 7919 + 1);
                for _ in 0..260 {
                    let _working = play.gate.read().await;
                    let firm = &play.firms[usize::try_from(worker % 2).expect("small")];
                    act(firm, Dice(dice.roll(1 << 30))).await;
                }
            })
        })
        .collect();
    let mut dice = Dice(42);
    while !workers.iter().all(tokio::task::JoinHandle::is_finished) {
        play.fold(&test, &hints, &mut dice).await;
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    for worker in workers {
        worker.await.expect("worker");
    }
    test.settle().await;
    play.worked.store(true, Ordering::Relaxed);
    for reader in readers {
        reader.await.expect("reader");
    }
    let (compared, resumed) = (play.compared.load(Ordering::Relaxed), play.resumed.load(Ordering::Relaxed));
    assert!(compared > 400 && resumed > 10, "{compared} pushes compared, {resumed} times resumed");
}
