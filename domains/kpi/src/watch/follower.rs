//! What all watches do alike: wait for a board, ask who reads, tell what is new.

use std::fmt;
use std::time::Duration;

use kernel::{Company, Denied, Fault, Permission};
use tokio::sync::watch::Receiver;
use tokio::time::{Instant, sleep_until};
use uuid::Uuid;

use super::Authorise;
use super::board::Board;
use super::hub::{Hub, Latest, SWEEP};
use crate::error::Error;

/// How often a watch asks who reads while there is nothing to tell.
const CHECK: Duration = Duration::from_secs(2);

/// What a kind of watch makes of boards. Pure.
pub trait Telling {
    /// What is told at once.
    type Push;
    /// What is remembered of a board that was told, or had nothing to tell.
    type Told;

    /// What to remember of a board.
    fn remember(&self, board: &Board) -> Self::Told;
    /// Whether there is something to tell who knows all up to a revision that the board has reached.
    fn is_new_since(&self, revision: i64, board: &Board) -> bool;
    /// Whether there is something to tell who was told that.
    fn is_new(&self, told: &Self::Told, board: &Board) -> bool;
    /// What to tell.
    ///
    /// # Errors
    /// What is asked for is not on the board.
    fn tell(&self, seen: &Seen<Self::Told>, is_gap: bool, board: &Board) -> Result<Self::Push, Error>;
}

/// What a reader has seen.
#[derive(Clone, Copy, Debug)]
pub enum Seen<T> {
    /// Nothing yet.
    Nothing,
    /// What it was told elsewhere or before, up to a revision; and the look that was asked for because it is ahead of the
    /// board.
    Revision(i64, Option<u64>),
    /// The board of this number and all before, and what is remembered of it.
    Board(u64, T),
}

/// What came of one step.
enum Step<P> {
    Told(P),
    Gone,
    Nothing,
}

/// Follows one company.
pub struct Follower<T: Telling> {
    what: T,
    authorise: Authorise,
    hub: Hub,
    company: Uuid,
    latest: Receiver<Latest>,
    seen: Seen<T::Told>,
    /// When to ask again who reads.
    check_at: Instant,
    /// Until when the next look waits, after a failure.
    rest_until: Instant,
}

impl<T: Telling> fmt::Debug for Follower<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Follower").field("company", &self.company).finish_non_exhaustive()
    }
}

impl<T: Telling> Follower<T> {
    pub(super) fn of(
        what: T,
        hub: &Hub,
        company: &Company,
        authorise: Authorise,
        after_revision: Option<i64>,
    ) -> Self {
        let now = Instant::now();
        Self {
            what,
            authorise,
            hub: hub.clone(),
            company: company.id,
            latest: hub.follow(company),
            seen: after_revision.map_or(Seen::Nothing, |revision| Seen::Revision(revision, None)),
            check_at: now + CHECK,
            rest_until: now,
        }
    }

    /// The next push: the first at once, unless who reads has seen all of it, each later one when something that is watched
    /// has changed; `None` once nobody reads any more. A database that is away is waited for. The call may be dropped and
    /// made again; nothing is lost by that.
    ///
    /// # Errors
    /// A denial when the reader may not read figures any more; `NOT_FOUND` for an unknown key; faults.
    /// After an error the watch may be asked again: it looks again a second later, and goes on from what it told.
    pub async fn next(&mut self) -> Result<Option<T::Push>, Error> {
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

    async fn step(&mut self) -> Result<Step<T::Push>, Error> {
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
        let news = match &self.seen {
            Seen::Nothing => true,
            Seen::Revision(seen, _) if *seen <= board.revision => self.what.is_new_since(*seen, board),
            // Another replica may be ahead for a moment. Only a read that begins after this tells a gap.
            Seen::Revision(seen, None) => {
                self.seen = Seen::Revision(*seen, Some(self.hub.look(self.company)));
                return false;
            }
            Seen::Revision(_, Some(look)) => return *look <= latest.looks,
            Seen::Board(number, told) => board.went_back_at > *number || self.what.is_new(told, board),
        };
        if !news {
            self.seen = Seen::Board(board.number, self.what.remember(board));
        }
        news
    }

    /// What of a board the reader needs to be told.
    fn digest(&mut self, board: &Board) -> Result<T::Push, Error> {
        let is_gap = match &self.seen {
            Seen::Nothing => false,
            Seen::Revision(seen, _) => *seen > board.revision,
            Seen::Board(number, _) => board.went_back_at > *number,
        };
        let push = self.what.tell(&self.seen, is_gap, board)?;
        self.seen = Seen::Board(board.number, self.what.remember(board));
        Ok(push)
    }
}
