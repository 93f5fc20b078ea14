//! One reader a company and process, for however many who follow it.
//!
//! A followed company has one task: it waits for a hint, reads all figures in one snapshot, and publishes them as the
//! newest [`Board`]. Nothing is queued: who is slow finds the newest. The task ends with the last who follows. Two more
//! tasks serve all companies: one hears hints, one looks once a second for what hints have missed, in one statement.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use kernel::folder::Moved;
use kernel::hint::{self, Hints};
use kernel::vault::Vault;
use kernel::{Actor, Clock, Company, Db, Fault, Origin, Permission, Scope};
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::{Notify, Semaphore, broadcast, watch};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, sleep_until};
use uuid::Uuid;

use super::board::Board;
use crate::alert;
use crate::error::Error;
use crate::figure::service::at_revision;

/// How long a lost hint can go unnoticed, and how long a failed read waits to be tried again.
pub(super) const SWEEP: Duration = Duration::from_secs(1);

/// The shortest time between two reads of a company: under load it folds more often than a screen can show.
const PACE: Duration = Duration::from_millis(50);

/// Most companies that are read at once: connections are for requests first.
const READERS: usize = 4;

/// What is published to who follows a company.
#[derive(Clone, Debug, Default)]
pub(super) struct Latest {
    /// The newest board; `None` until the first was read.
    pub(super) board: Option<Arc<Board>>,
    /// Why the last read failed, if it did, and not because the database is out of reach: that is waited for.
    pub(super) failure: Option<Arc<str>>,
    /// How many of the looks that were asked for are answered by this board.
    pub(super) looks: u64,
}

impl Latest {
    fn revision(&self) -> Option<i64> {
        self.board.as_ref().map(|board| board.revision)
    }
}

/// Why a company should be read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Wish {
    /// The highest revision that was told and has not been looked for yet.
    told: Option<i64>,
    /// How often somebody asked to look, whatever the revision.
    looks: u64,
}

impl Wish {
    fn is_due(self, latest: &Latest) -> bool {
        latest.board.is_none() || self.looks > latest.looks || self.told > latest.revision()
    }
}

/// A company that is followed.
struct Followed {
    wish: watch::Sender<Wish>,
    latest: watch::Sender<Latest>,
}

impl Followed {
    /// Somebody says that the company is at this revision.
    fn told(&self, revision: i64) {
        let known = self.latest.borrow().revision();
        self.wish.send_if_modified(|wish| {
            let more = Some(revision) > known.max(wish.told);
            if more {
                wish.told = Some(revision);
            }
            more
        });
    }

    /// Asks for a read that begins from now on; the number of the look, for [`Latest::looks`].
    fn look(&self) -> u64 {
        self.wish.send_modify(|wish| wish.looks += 1);
        self.wish.borrow().looks
    }
}

/// The companies that this process follows. Cheap to clone; clones share it.
#[derive(Clone)]
pub struct Hub(Arc<Inner>);

struct Inner {
    readers: Arc<Readers>,
    hints: Hints,
    /// What serves all companies, from the first that is followed on; it ends with the hub.
    serving: OnceLock<JoinSet<()>>,
}

struct Readers {
    db: Db,
    vault: Vault,
    clock: Clock,
    turns: Semaphore,
    followed: Mutex<HashMap<Uuid, Arc<Followed>>>,
    /// Hints were lost: the sweep should not wait for its second.
    lost: Notify,
}

impl fmt::Debug for Hub {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Hub").field("following", &self.following()).finish_non_exhaustive()
    }
}

impl Hub {
    /// A hub that follows nothing yet. It reads as the service itself, with the right to read figures and no other; who
    /// may see what it read is for each watch to ask.
    pub fn new(db: Db, vault: Vault, clock: Clock, hints: Hints) -> Self {
        let (turns, followed, lost) = (Semaphore::new(READERS), Mutex::default(), Notify::new());
        let readers = Arc::new(Readers { db, vault, clock, turns, followed, lost });
        Self(Arc::new(Inner { readers, hints, serving: OnceLock::new() }))
    }

    /// How many companies are followed now.
    pub fn following(&self) -> usize {
        self.0.readers.followed().len()
    }

    /// Follows a company. Whoever drops the last receiver ends it.
    pub(super) fn follow(&self, company: &Company) -> watch::Receiver<Latest> {
        let readers = &self.0.readers;
        // Before the first read: what is told from then on is heard.
        self.0.serving.get_or_init(|| {
            let mut serving = JoinSet::new();
            serving.spawn(hear(readers.clone(), self.0.hints.subscribe()));
            serving.spawn(sweep(readers.clone()));
            serving
        });
        let mut followed = readers.followed();
        if let Some(followed) = followed.get(&company.id) {
            return followed.latest.subscribe();
        }
        let (latest, receiver) = watch::channel(Latest::default());
        let new = Arc::new(Followed { wish: watch::Sender::new(Wish::default()), latest });
        followed.insert(company.id, new.clone());
        tokio::spawn(Reader { readers: readers.clone(), company: company.clone(), followed: new }.run());
        receiver
    }

    /// Asks for a read of a company that begins from now on; the number of the look, for [`Latest::looks`].
    pub(super) fn look(&self, company: Uuid) -> u64 {
        self.0.readers.of(company).map_or(u64::MAX, |followed| followed.look())
    }
}

impl Readers {
    fn followed(&self) -> MutexGuard<'_, HashMap<Uuid, Arc<Followed>>> {
        self.followed.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn of(&self, company: Uuid) -> Option<Arc<Followed>> {
        self.followed().get(&company).cloned()
    }

    /// The companies that have a board, with its revision.
    fn known(&self) -> Vec<Moved> {
        let followed = self.followed();
        let known =
            followed.iter().map(|(company, followed)| (*company, followed.latest.borrow().revision()));
        known.filter_map(|(company, revision)| Some((company, revision?))).collect()
    }
}

/// Hears hints, those of other replicas among them.
async fn hear(readers: Arc<Readers>, mut hints: broadcast::Receiver<Moved>) {
    loop {
        match hints.recv().await {
            Ok((company, revision)) => {
                if let Some(followed) = readers.of(company) {
                    followed.told(revision);
                }
            }
            Err(RecvError::Lagged(_)) => readers.lost.notify_one(),
            // Nobody will ever tell again: only looking is left.
            Err(RecvError::Closed) => return,
        }
    }
}

/// Looks for what hints have missed.
async fn sweep(readers: Arc<Readers>) {
    loop {
        tokio::select! { () = sleep(SWEEP) => {}, () = readers.lost.notified() => {} }
        let known = readers.known();
        if known.is_empty() {
            continue;
        }
        match hint::missed(&readers.db, &known).await {
            Ok(moved) => {
                for (company, revision) in moved {
                    let Some(followed) = readers.of(company) else { continue };
                    if Some(revision) < followed.latest.borrow().revision() {
                        followed.look();
                    } else {
                        followed.told(revision);
                    }
                }
            }
            Err(fault) => tracing::debug!(%fault, "could not look for lost hints; tried again in a second"),
        }
    }
}

/// The task of one company.
struct Reader {
    readers: Arc<Readers>,
    company: Company,
    followed: Arc<Followed>,
}

impl Drop for Reader {
    /// Whoever follows next gets another, also after a panic.
    fn drop(&mut self) {
        self.leave();
    }
}

impl Reader {
    async fn run(self) {
        let permissions = [Permission::KpiRead].into_iter().collect();
        let scope = Scope::open(
            self.readers.db.clone(),
            self.readers.vault.clone(),
            self.readers.clock.clone(),
            self.company.clone(),
            Actor::System,
            permissions,
            Origin::default(),
        );
        let mut wishes = self.followed.wish.subscribe();
        let mut rest_until = Instant::now();
        let mut away = false;
        loop {
            let due = wishes.borrow_and_update().is_due(&self.followed.latest.borrow());
            let go_on = async {
                if due {
                    sleep_until(rest_until).await;
                } else {
                    // The sender lives as long as this task.
                    let _wished = wishes.changed().await;
                }
            };
            tokio::select! {
                () = self.followed.latest.closed() => {
                    if self.leave_unless_followed() {
                        return;
                    }
                }
                () = go_on => {
                    if !due {
                        continue;
                    }
                    let wish = *wishes.borrow_and_update();
                    let read = self.read(&scope).await;
                    let out_of_reach = read.as_ref().is_err_and(Fault::is_unavailable);
                    rest_until = Instant::now() + if read.is_ok() { PACE } else { SWEEP };
                    if out_of_reach && !away {
                        tracing::warn!(company = %self.company.id, "figures are out of reach; who follows them waits");
                    }
                    away = out_of_reach;
                    self.publish(wish, read);
                }
            }
        }
    }

    /// The next board; the last one, when the revision is still the same.
    async fn read(&self, scope: &Scope) -> Result<Arc<Board>, Fault> {
        let before = self.followed.latest.borrow().board.clone();
        // The semaphore is never closed.
        let _turn = self.readers.turns.acquire().await;
        let tx = scope.read().await?;
        let read = async {
            let (head, readings) = at_revision(&tx, before.as_ref().and_then(|before| before.day)).await?;
            Ok((head, readings, alert::store::open(&tx).await?))
        };
        let read = read.await;
        tx.end().await;
        let (head, readings, open) = read.map_err(|error| match error {
            Error::Fault(fault) => fault,
            other => Fault::Internal(other.to_string()),
        })?;
        match before {
            Some(before) if before.revision == head.revision => Ok(before),
            before => Ok(Arc::new(Board::after(before.as_deref(), head, readings, open))),
        }
    }

    /// Publishes what a read gave that was begun for a wish.
    fn publish(&self, wish: Wish, read: Result<Arc<Board>, Fault>) {
        match read {
            Ok(board) => {
                let revision = board.revision;
                self.followed.latest.send_if_modified(|latest| {
                    let news = latest.looks != wish.looks
                        || latest.failure.is_some()
                        || latest.board.as_ref().is_none_or(|before| before.number != board.number);
                    *latest = Latest { board: Some(board), failure: None, looks: wish.looks };
                    news
                });
                // What was told before the read has been looked for, whether it came true or not.
                self.followed.wish.send_if_modified(|now| {
                    if now.told == wish.told || now.told <= Some(revision) {
                        now.told = None;
                    }
                    false
                });
            }
            Err(fault) if fault.is_unavailable() => {}
            Err(fault) => {
                tracing::error!(company = %self.company.id, %fault, "figures cannot be read");
                self.followed.latest.send_modify(|latest| latest.failure = Some(fault.to_string().into()));
            }
        }
    }

    fn leave_unless_followed(&self) -> bool {
        // Who begins to follow holds the same lock.
        let mut followed = self.readers.followed();
        let over = self.followed.latest.receiver_count() == 0;
        if over {
            self.take_out(&mut followed);
        }
        over
    }

    fn leave(&self) {
        self.take_out(&mut self.readers.followed());
    }

    fn take_out(&self, followed: &mut HashMap<Uuid, Arc<Followed>>) {
        if followed.get(&self.company.id).is_some_and(|known| Arc::ptr_eq(known, &self.followed)) {
            followed.remove(&self.company.id);
        }
    }
}
