//! Follows the figures of a company.

use std::sync::Arc;

use kernel::Company;

use super::Authorise;
use super::board::{Board, Posted};
use super::follower::{Follower, Seen, Telling};
use super::hub::Hub;
use crate::error::Error;
use crate::figure::Figure;

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

/// Figures by their keys; all, without.
#[derive(Debug)]
pub struct Figures {
    keys: Option<Box<[String]>>,
}

/// Follows figures of one company.
pub type Watch = Follower<Figures>;

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
        let keys = keys.map(Vec::into_boxed_slice);
        Self::of(Figures { keys }, hub, company, authorise, after_revision)
    }
}

impl Telling for Figures {
    type Push = Push;
    /// The board's number says which figures have changed since.
    type Told = u64;

    fn remember(&self, board: &Board) -> u64 {
        board.number
    }

    /// Even when nothing has: that tells the reader how far it is.
    fn is_new_since(&self, _: i64, _: &Board) -> bool {
        true
    }

    fn is_new(&self, told: &u64, board: &Board) -> bool {
        let posted = board.of_keys(self.keys.as_deref());
        posted.map_or(true, |posted| posted.iter().any(|posted| posted.changed_at > *told))
    }

    fn tell(&self, seen: &Seen<u64>, is_gap: bool, board: &Board) -> Result<Push, Error> {
        let snapshot = is_gap || matches!(seen, Seen::Nothing);
        let is_new = |posted: &&Posted| match seen {
            _ if snapshot => true,
            Seen::Nothing => true,
            // What the reader knows of a definition may be older than what this board shows ahead of its fold.
            Seen::Revision(seen, _) => posted.figure.revision > *seen || posted.ahead,
            Seen::Board(_, told) => posted.changed_at > *told,
        };
        let posted = board.of_keys(self.keys.as_deref())?;
        let figures = posted.into_iter().filter(is_new).map(|posted| posted.figure.clone()).collect();
        Ok(Push { revision: board.revision, snapshot, gap: is_gap, figures })
    }
}
