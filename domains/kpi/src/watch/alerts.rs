//! Follows the open alerts of a company: all at first, then what changes.

use std::fmt;
use std::sync::Arc;

use kernel::{Company, Denied, Fault, Permission};
use tokio::sync::watch::Receiver;
use tokio::time::{Instant, sleep_until};
use uuid::Uuid;

use super::board::Board;
use super::hub::{Hub, Latest, SWEEP};
use super::{Authorise, CHECK};
use crate::alert::Posted;
use crate::error::Error;

/// What a watch of alerts tells.
#[derive(Clone, Debug)]
pub struct AlertPush {
    /// The revision of the company that it brings the reader to; to resume, give it as `after_revision`.
    pub revision: i64,
    /// Whether `alerts` are all that are open, and not only those that changed.
    pub snapshot: bool,
    /// Whether the reader had seen a revision that the company has not reached: this snapshot replaces what it knows.
    pub gap: bool,
    /// The alerts that are open, oldest first. They are shared with everybody else who follows them.
    pub alerts: Vec<Arc<Posted>>,
    /// Those that have closed since they were told.
    pub closed: Vec<Uuid>,
}

/// What a reader has seen.
enum Seen {
    Nothing,
    /// What it was told elsewhere or before; and the look that was asked for because it is ahead of the board.
    Revision(i64, Option<u64>),
    /// These, by the board of this number.
    Alerts(Arc<[Arc<Posted>]>, u64),
}

/// Follows the alerts of one company. It is fed by the same reader as those who follow figures.
pub struct AlertWatch {
    authorise: Authorise,
    hub: Hub,
    company: Uuid,
    latest: Receiver<Latest>,
    seen: Seen,
    check_at: Instant,
    rest_until: Instant,
}

impl fmt::Debug for AlertWatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AlertWatch").field("company", &self.company).finish_non_exhaustive()
    }
}

/// What came of one step.
enum Step {
    Told(AlertPush),
    Gone,
    Nothing,
}

impl AlertWatch {
    /// A watch of a company's open alerts. It begins with all of them; with `after_revision` it is silent until one has
    /// changed since, and then tells all of them. `authorise` is asked before each push. Call it in a Tokio runtime.
    pub fn new(hub: &Hub, company: &Company, authorise: Authorise, after_revision: Option<i64>) -> Self {
        let now = Instant::now();
        Self {
            authorise,
            hub: hub.clone(),
            company: company.id,
            latest: hub.follow(company),
            seen: after_revision.map_or(Seen::Nothing, |revision| Seen::Revision(revision, None)),
            check_at: now + CHECK,
            rest_until: now,
        }
    }

    /// The next push; `None` once nobody reads any more. A database that is away is waited for. The call may be dropped and
    /// made again; nothing is lost by that.
    ///
    /// # Errors
    /// A denial when the reader may not read figures any more; faults. After an error the watch may be asked again.
    pub async fn next(&mut self) -> Result<Option<AlertPush>, Error> {
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
            return Ok(newest.map_or(Step::Nothing, |board| Step::Told(self.digest(&board))));
        }
        let changed = tokio::select! {
            changed = self.latest.changed() => Some(changed),
            () = sleep_until(self.check_at) => None,
        };
        match changed {
            Some(Ok(())) => Ok(Step::Nothing),
            Some(Err(_)) => Err(Fault::Internal("who reads the alerts has ended".to_owned()).into()),
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

    /// Whether there is something to tell.
    fn has_news(&mut self, latest: &Latest) -> bool {
        let Some(board) = &latest.board else { return false };
        match &self.seen {
            Seen::Nothing => true,
            Seen::Revision(seen, _) if *seen <= board.revision => {
                if board.alerts_revision > *seen {
                    return true;
                }
                // Nothing has changed since: what is open now is what the reader knows.
                self.seen = Seen::Alerts(board.alerts.clone(), board.number);
                false
            }
            // Another replica may be ahead for a moment. Only a read that begins after this tells a gap.
            Seen::Revision(seen, None) => {
                self.seen = Seen::Revision(*seen, Some(self.hub.look(self.company)));
                false
            }
            Seen::Revision(_, Some(look)) => *look <= latest.looks,
            Seen::Alerts(seen, number) => board.went_back_at > *number || *seen != board.alerts,
        }
    }

    /// What of a board the reader needs to be told.
    fn digest(&mut self, board: &Board) -> AlertPush {
        let gap = match &self.seen {
            Seen::Nothing => false,
            Seen::Revision(seen, _) => *seen > board.revision,
            Seen::Alerts(_, number) => board.went_back_at > *number,
        };
        let (snapshot, alerts, closed) = match &self.seen {
            Seen::Alerts(seen, _) if !gap => {
                let is_new = |alert: &&Arc<Posted>| !seen.contains(alert);
                let is_gone =
                    |alert: &&Arc<Posted>| board.alerts.iter().all(|open| open.alert.id != alert.alert.id);
                let closed = seen.iter().filter(is_gone).map(|gone| gone.alert.id).collect();
                (false, board.alerts.iter().filter(is_new).cloned().collect(), closed)
            }
            _ => (true, board.alerts.to_vec(), Vec::new()),
        };
        self.seen = Seen::Alerts(board.alerts.clone(), board.number);
        AlertPush { revision: board.revision, snapshot, gap, alerts, closed }
    }
}
