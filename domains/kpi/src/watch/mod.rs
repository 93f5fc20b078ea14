//! Follows figures: everything at first, then what changes, as the company's revision moves.
//!
//! However many watch a company, its figures are read once a revision, by the process's [`Hub`]. A watch holds its keys,
//! what it has seen, and a place to take the newest [`Board`] from: no figure, no transaction and no connection. What a
//! slow reader has not taken yet is not queued: the next push tells the newest state. A watch never pushes what is
//! not folded, and never without asking who may read it; it asks every two seconds too when nothing moves, so that
//! who is gone does not stay.
//!
//! A pushed figure follows from its revision: its windows end on the day of the last midnight that the revision knows,
//! also in the seconds between a midnight and its tick.

mod alerts;
mod board;
mod hub;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;
use kernel::{Company, Denied, Fault, Permission, PermissionSet};
use tokio::sync::watch::Receiver;
use tokio::time::{Instant, sleep_until};
use uuid::Uuid;

pub use alerts::{AlertPush, AlertWatch};
pub use board::Board;
pub use hub::Hub;

use crate::error::Error;
use crate::figure::Figure;
use board::Posted;
use hub::{Latest, SWEEP};

/// How often a watch asks who reads while there is nothing to tell.
const CHECK: Duration = Duration::from_secs(2);

/// Says anew what who reads may do in the company; `None` when nobody reads any more (signed out, revoked, expired). It is
/// asked for every push, so it should remember its answer for a moment.
pub type Authorise = Box<dyn Fn() -> BoxFuture<'static, Result<Option<PermissionSet>, Fault>> + Send + Sync>;

/// What a watch tells.
#[derive(Clone, Debug)]
pub struct Push {
    /// The revision of the company that it brings the reader to; to resume, give it as `after_revision`.
    pub revision: i64,
    /// Whether `figures` are all that are watched, and not only those that changed.
    pub snapshot: bool,
    /// Whether the reader had seen a revision that the company has not reached (as after a restore from a backup):
    /// what it knows may be wrong, and this snapshot replaces it.
    pub gap: bool,
    /// The figures, at the revision. They are shared with everybody else who follows them.
    pub figures: Vec<Arc<Figure>>,
}

/// What a reader has seen.
#[derive(Clone, Copy, Debug)]
enum Seen {
    Nothing,
    /// What it was told elsewhere or before; and the look that was asked for because it is ahead of the board.
    Revision(i64, Option<u64>),
    /// The board of this number, and all before.
    Board(u64),
}

/// What came of one step.
enum Step {
    Told(Push),
    Gone,
    Nothing,
}

/// Follows figures of one company.
pub struct Watch {
    authorise: Authorise,
    hub: Hub,
    company: Uuid,
    latest: Receiver<Latest>,
    keys: Option<Box<[String]>>,
    seen: Seen,
    /// When to ask again who reads.
    check_at: Instant,
    /// Until when the next look waits, after a failure.
    rest_until: Instant,
}

impl fmt::Debug for Watch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Watch").field("keys", &self.keys).field("seen", &self.seen).finish_non_exhaustive()
    }
}

impl Watch {
    /// A watch of these figures of a company (of all, for `None`). With `after_revision` it begins with what has changed
    /// since, else with a snapshot. `authorise` is asked before each push. Call it in a Tokio runtime.
    pub fn new(
        hub: &Hub,
        company: &Company,
        authorise: Authorise,
        keys: Option<Vec<String>>,
        after_revision: Option<i64>,
    ) -> Self {
        let now = Instant::now();
        Self {
            authorise,
            hub: hub.clone(),
            company: company.id,
            latest: hub.follow(company),
            keys: keys.map(Vec::into_boxed_slice),
            seen: after_revision.map_or(Seen::Nothing, |revision| Seen::Revision(revision, None)),
            check_at: now + CHECK,
            rest_until: now,
        }
    }

    /// The next push: the first at once, each later one when a watched figure has changed; `None` once nobody
    /// reads any more. A database that is away is waited for. The call may be dropped and made again; nothing is lost
    /// by that.
    ///
    /// # Errors
    /// A denial when the reader may not read figures any more; `NOT_FOUND` for an unknown key; faults.
    /// After an error the watch may be asked again: it looks again a second later, and goes on from what it told.
    pub async fn next(&mut self) -> Result<Option<Push>, Error> {
        loop {
            sleep_until(self.rest_until).await;
            let step = self.step().await;
            if step.is_err() {
                self.rest_until = Instant::now() + SWEEP;
            }
            match step {
                Ok(Step::Told(push)) => return Ok(Some(push)),
                Ok(Step::Gone) => return Ok(None),
                Ok(Step::Nothing) => {}
                // The hub has told the log.
                Err(Error::Fault(fault)) if fault.is_unavailable() => {}
                Err(error) => return Err(error),
            }
        }
    }

    async fn step(&mut self) -> Result<Step, Error> {
        // What is looked at here is compared by its number: a call that is dropped later on does not lose it.
        let latest = self.latest.borrow_and_update().clone();
        if let Some(failure) = latest.failure {
            return Err(Fault::Internal(failure.to_string()).into());
        }
        if self.has_news(&latest) {
            if !self.authorised().await? {
                return Ok(Step::Gone);
            }
            // A newer board may have come meanwhile.
            let newest = self.latest.borrow_and_update().board.clone();
            return newest.map_or(Ok(Step::Nothing), |board| Ok(Step::Told(self.digest(&board)?)));
        }
        let changed = tokio::select! {
            changed = self.latest.changed() => Some(changed),
            () = sleep_until(self.check_at) => None,
        };
        match changed {
            Some(Ok(())) => Ok(Step::Nothing),
            Some(Err(_)) => Err(Fault::Internal("who reads the figures has ended".to_owned()).into()),
            None if self.authorised().await? => Ok(Step::Nothing),
            None => Ok(Step::Gone),
        }
    }

    /// Whether somebody reads who may.
    async fn authorised(&mut self) -> Result<bool, Error> {
        let Some(permissions) = (self.authorise)().await? else { return Ok(false) };
        if !permissions.has(Permission::KpiRead) {
            return Err(Denied(Permission::KpiRead).into());
        }
        self.check_at = Instant::now() + CHECK;
        Ok(true)
    }

    /// Whether there is something to tell. It costs no look at the database, but when the reader is ahead of the board.
    fn has_news(&mut self, latest: &Latest) -> bool {
        let Some(board) = &latest.board else { return false };
        match self.seen {
            Seen::Nothing => true,
            Seen::Revision(seen, _) if seen <= board.revision => true,
            // Another replica may be ahead for a moment. Only a read that begins after this tells a gap.
            Seen::Revision(seen, None) => {
                self.seen = Seen::Revision(seen, Some(self.hub.look(self.company)));
                false
            }
            Seen::Revision(_, Some(look)) => look <= latest.looks,
            Seen::Board(number) => {
                let news = board.went_back_at > number
                    || board
                        .of_keys(self.keys.as_deref())
                        .map_or(true, |posted| posted.iter().any(|posted| posted.changed_at > number));
                if !news {
                    self.seen = Seen::Board(board.number);
                }
                news
            }
        }
    }

    /// What of a board the reader needs to be told.
    fn digest(&mut self, board: &Board) -> Result<Push, Error> {
        let posted = board.of_keys(self.keys.as_deref())?;
        let gap = match self.seen {
            Seen::Nothing => false,
            Seen::Revision(seen, _) => seen > board.revision,
            Seen::Board(number) => board.went_back_at > number,
        };
        let snapshot = gap || matches!(self.seen, Seen::Nothing);
        let is_new = |posted: &&Posted| match self.seen {
            _ if snapshot => true,
            Seen::Nothing => true,
            // What the reader knows of a definition may be older than what this board shows ahead of its fold.
            Seen::Revision(seen, _) => posted.figure.revision > seen || posted.ahead,
            Seen::Board(number) => posted.changed_at > number,
        };
        let figures = posted.into_iter().filter(is_new).map(|posted| posted.figure.clone()).collect();
        self.seen = Seen::Board(board.number);
        Ok(Push { revision: board.revision, snapshot, gap, figures })
    }
}
