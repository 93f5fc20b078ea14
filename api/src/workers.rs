//! What runs beside the requests: folding figures, sealing events, ticking midnights, forgetting old keys.
//! Any number of replicas may run these; companies are locked one by one in SQL.

use std::time::Duration;

use kernel::hint::Hints;
use kernel::{Clock, Db, Fault, folder, sequencer};
use tokio::task::JoinSet;
use tokio::time::{MissedTickBehavior, interval, sleep};

/// A figure is at most this old when it is folded.
const FOLD_EVERY: Duration = Duration::from_millis(30);
const SEAL_EVERY: Duration = Duration::from_millis(50);
const TICK_EVERY: Duration = Duration::from_secs(15);
const FORGET_EVERY: Duration = Duration::from_hours(1);
/// The wait after a failure: PostgreSQL is away, and nobody gains by asking faster.
const PAUSE: Duration = Duration::from_secs(1);

/// Starts the workers; they end when the set is dropped.
pub(crate) fn start(db: &Db, hints: &Hints, clock: &Clock) -> JoinSet<()> {
    let mut workers = JoinSet::new();
    let (folding, telling) = (db.clone(), hints.clone());
    workers.spawn(every("folder", FOLD_EVERY, move || {
        let (db, hints) = (folding.clone(), telling.clone());
        async move {
            for moved in folder::fold_pending(&db).await? {
                hints.tell(moved);
            }
            Ok(())
        }
    }));
    let sealing = db.clone();
    workers.spawn(every("sequencer", SEAL_EVERY, move || {
        let db = sealing.clone();
        async move { sequencer::seal_pending(&db).await.map(|_| ()) }
    }));
    let (ticking, telling, clock) = (db.clone(), hints.clone(), clock.clone());
    workers.spawn(every("midnight", TICK_EVERY, move || {
        let (db, hints, clock) = (ticking.clone(), telling.clone(), clock.clone());
        async move {
            for moved in folder::tick_midnights(&db, &clock).await? {
                hints.tell(moved);
            }
            Ok(())
        }
    }));
    let forgetting = db.clone();
    workers.spawn(every("forgetting", FORGET_EVERY, move || {
        let db = forgetting.clone();
        async move { kernel::idempotency::forget_old(&db).await.map(|_| ()) }
    }));
    workers
}

async fn every<F, Fut>(name: &'static str, period: Duration, work: F)
where
    F: Fn() -> Fut + Send + 'static,
    Fut: Future<Output = Result<(), Fault>> + Send,
{
    let mut ticks = interval(period);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        if let Err(fault) = work().await {
            tracing::warn!(worker = name, %fault, "worker failed; it goes on");
            sleep(PAUSE).await;
        }
    }
}
