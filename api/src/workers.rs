//! What runs beside the requests: folding figures, sealing events, ticking midnights, forgetting old keys.
//! Any number of replicas may run these; companies are locked one by one in SQL.

use std::time::Duration;

use gateway::socket::Hub;
use identity::Authenticator;
use identity::access::service as access;
use identity::mailbox::service as mailbox;
use identity::review::uses;
use kernel::hint::Hints;
use kernel::{Clock, Db, Fault, folder, sequencer};
use mail::post::{self, Post};
use tokio::task::JoinSet;
use tokio::time::{MissedTickBehavior, interval, sleep};

/// A figure is at most this old when it is folded.
const FOLD_EVERY: Duration = Duration::from_millis(30);
const SEAL_EVERY: Duration = Duration::from_millis(50);
const TICK_EVERY: Duration = Duration::from_secs(15);
/// People wait for letters, with their mailbox open.
const LETTERS_EVERY: Duration = Duration::from_millis(500);
const SWEEP_EVERY: Duration = Duration::from_mins(1);
/// A key is made an hour before it signs.
const KEYS_EVERY: Duration = Duration::from_mins(10);
const FORGET_EVERY: Duration = Duration::from_hours(1);
/// The wait after a failure: PostgreSQL is away, and nobody gains by asking faster.
const PAUSE: Duration = Duration::from_secs(1);

/// Starts what every process does, whether it works or only serves: hearing of changes of access, telling its streams, and
/// writing down which rights are used.
/// It ends when the set is dropped.
pub(crate) fn watch(auth: &Authenticator, streams: &Hub) -> JoinSet<()> {
    let mut watching = JoinSet::new();
    watching.spawn(access::watch(auth.clone()));
    watching.spawn(uses::watch(auth.clone()));
    let (mut told, streams) = (auth.access().follow(), streams.clone());
    watching.spawn(async move {
        while told.changed().await.is_ok() {
            streams.doubt();
        }
    });
    watching
}

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
    let (leaking, now) = (db.clone(), clock.clone());
    workers.spawn(every("throttle", SWEEP_EVERY, move || {
        let (db, clock) = (leaking.clone(), now.clone());
        async move { identity::throttle::service::forget_old(&db, &clock).await.map(|_| ()) }
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
    let sweeping = db.clone();
    workers.spawn(every("sweeper", SWEEP_EVERY, move || {
        let db = sweeping.clone();
        async move { access::sweep(&db).await.map(|_| ()) }
    }));
    let forgetting = db.clone();
    workers.spawn(every("forgetting", FORGET_EVERY, move || {
        let db = forgetting.clone();
        async move { kernel::idempotency::forget_old(&db).await.map(|_| ()) }
    }));
    workers
}

/// Starts what concerns tokens: changing the keys that sign those of applications, and forgetting those that are over.
pub(crate) fn tokens(workers: &mut JoinSet<()>, auth: &Authenticator) {
    let keeping = auth.clone();
    workers.spawn(every("tokens", KEYS_EVERY, move || {
        let auth = keeping.clone();
        async move {
            identity::oauth::keys::rotate(auth.db(), auth.vault(), auth.clock()).await?;
            identity::oauth::token::sweep(auth.db(), auth.clock()).await?;
            identity::proof::service::sweep(&auth).await.map(|_| ())
        }
    }));
}

/// Starts what concerns letters: writing those that were asked for, sending them, where somebody takes them, and forgetting
/// them.
pub(crate) fn letters(
    workers: &mut JoinSet<()>,
    auth: &Authenticator,
    post: Option<Post>,
    public_url: String,
) {
    if let Some(post) = post {
        let sending = auth.clone();
        workers.spawn(every("post", LETTERS_EVERY, move || {
            let (auth, post) = (sending.clone(), post.clone());
            async move {
                while post::deliver(auth.db(), auth.vault(), auth.clock(), &post).await? > 0 {}
                Ok(())
            }
        }));
    }
    let writing = auth.clone();
    workers.spawn(every("wanted letters", LETTERS_EVERY, move || {
        let (auth, public_url) = (writing.clone(), public_url.clone());
        async move {
            while mailbox::write_wanted(&auth, &public_url).await? > 0 {}
            Ok(())
        }
    }));
    let forgetting = auth.clone();
    workers.spawn(every("forgetting letters", FORGET_EVERY, move || {
        let auth = forgetting.clone();
        async move { mail::outbox::service::forget_old(auth.db(), auth.clock()).await.map(|_| ()) }
    }));
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
