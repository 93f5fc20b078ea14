//! What runs beside the requests: folding and filling figures, sealing events, ticking midnights, forgetting old keys.
//! Any number of replicas may run these; companies are locked one by one in SQL.

use std::time::Duration;

use gateway::socket::Hub;
use identity::Authenticator;
use identity::access::service as access;
use identity::mailbox::service as mailbox;
use identity::review::uses;
use kernel::hint::Hints;
use kernel::{Actor, Clock, Db, Fault, Origin, Permission, alarm, filler, folder, sequencer};
use mail::post::{self, Post};
use tokio::task::JoinSet;
use tokio::time::{MissedTickBehavior, interval, sleep};
use uuid::Uuid;

/// A figure is at most this old when it is folded.
const FOLD_EVERY: Duration = Duration::from_millis(30);
/// Between two steps of filling a company's figures its folder has several turns.
const FILL_EVERY: Duration = Duration::from_millis(100);
const SEAL_EVERY: Duration = Duration::from_millis(50);
const TICK_EVERY: Duration = Duration::from_secs(15);
/// People wait for letters, with their mailbox open.
const LETTERS_EVERY: Duration = Duration::from_millis(500);
/// How long after its figures a company's alerts may follow, beside the time that evaluating takes.
const ALERTS_EVERY: Duration = Duration::from_millis(250);
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

/// Starts what figures need beside folding: filling what they will measure from history and switching to it, and bringing the
/// built-in ones to what this version ships.
pub(crate) fn figures(workers: &mut JoinSet<()>, auth: &Authenticator) {
    let filling = auth.clone();
    workers.spawn(every("filler", FILL_EVERY, move || {
        let auth = filling.clone();
        async move {
            let round = filler::advance(auth.db(), auth.clock(), filler::STEP).await?;
            for filler::Filled { company, kpi, version } in round.filled {
                let Some(scope) = auth.link_scope(company, Actor::System, Origin::default()).await? else {
                    continue;
                };
                let switched =
                    scope.write(|tx| Box::pin(kpi::definition::service::switch_in(tx, kpi, version)));
                tell(company, switched.await.map(drop))?;
            }
            Ok(())
        }
    }));
    let refreshing = auth.clone();
    workers.spawn(every("built-in figures", FORGET_EVERY, move || {
        let auth = refreshing.clone();
        async move {
            for company in folder::companies(auth.db()).await? {
                let Some(scope) = auth.link_scope(company, Actor::System, Origin::default()).await? else {
                    continue;
                };
                let refreshed = scope.write(|tx| Box::pin(kpi::definition::service::refresh_in(tx)));
                tell(company, refreshed.await.map(drop))?;
            }
            Ok(())
        }
    }));
}

/// What is wrong with the figures of one company keeps no other waiting; a database that is away does.
fn tell(company: Uuid, done: Result<(), kpi::Error>) -> Result<(), Fault> {
    match done {
        Err(kpi::Error::Fault(fault)) if fault.is_unavailable() => Err(fault),
        Err(error) => {
            tracing::warn!(%company, %error, "the figures of a company cannot be kept up");
            Ok(())
        }
        Ok(()) => Ok(()),
    }
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

/// Starts what opens and closes alerts, and writes letters about them.
pub(crate) fn alerts(workers: &mut JoinSet<()>, auth: &Authenticator, public_url: String) {
    let evaluating = auth.clone();
    workers.spawn(every("alerts", ALERTS_EVERY, move || {
        let (auth, public_url) = (evaluating.clone(), public_url.clone());
        async move {
            for company in alarm::due(auth.db(), auth.clock().now()).await? {
                let rights = [Permission::KpiRead].into_iter().collect();
                let Some(scope) = auth.service_scope(company, rights).await? else { continue };
                tell(company, kpi::alert::evaluate::evaluate(&scope, &public_url).await.map(drop))?;
            }
            Ok(())
        }
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
