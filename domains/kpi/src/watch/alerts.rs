//! Follows the open alerts of a company: all at first, then what changes.

use std::sync::Arc;

use kernel::Company;
use uuid::Uuid;

use super::Authorise;
use super::board::Board;
use super::follower::{Follower, Seen, Telling};
use super::hub::Hub;
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

/// The alerts that are open.
#[derive(Debug)]
pub struct OpenAlerts;

/// Follows the alerts of one company. It is fed by the same reader as those who follow figures.
pub type AlertWatch = Follower<OpenAlerts>;

impl AlertWatch {
    /// A watch of a company's open alerts. It begins with all of them; with `after_revision` it is silent until one has
    /// changed since, and then tells all of them. `authorise` is asked before each push. Call it in a Tokio runtime.
    pub fn new(hub: &Hub, company: &Company, authorise: Authorise, after_revision: Option<i64>) -> Self {
        Self::of(OpenAlerts, hub, company, authorise, after_revision)
    }
}

impl Telling for OpenAlerts {
    type Push = AlertPush;
    type Told = Arc<[Arc<Posted>]>;

    fn remember(&self, board: &Board) -> Self::Told {
        board.alerts.clone()
    }

    fn is_new_since(&self, revision: i64, board: &Board) -> bool {
        board.alerts_revision > revision
    }

    fn is_new(&self, told: &Self::Told, board: &Board) -> bool {
        *told != board.alerts
    }

    fn tell(&self, seen: &Seen<Self::Told>, is_gap: bool, board: &Board) -> Result<AlertPush, Error> {
        let (snapshot, alerts, closed) = match seen {
            Seen::Board(_, told) if !is_gap => {
                let is_new = |alert: &&Arc<Posted>| !told.contains(alert);
                let is_gone =
                    |alert: &&Arc<Posted>| board.alerts.iter().all(|open| open.alert.id != alert.alert.id);
                let closed = told.iter().filter(is_gone).map(|gone| gone.alert.id).collect();
                (false, board.alerts.iter().filter(is_new).cloned().collect(), closed)
            }
            _ => (true, board.alerts.to_vec(), Vec::new()),
        };
        Ok(AlertPush { revision: board.revision, snapshot, gap: is_gap, alerts, closed })
    }
}
