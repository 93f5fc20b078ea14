//! What all figures of a company come to at one revision: read once, shared by everybody who follows. Pure.

use std::collections::HashMap;
use std::sync::Arc;

use chrono::NaiveDate;
use kernel::rollup::Head;

use crate::alert::{OpenAlerts, Posted as PostedAlert};
use crate::error::Error;
use crate::figure::Figure;
use crate::figure::service::Reading;

/// The figures of a company at a revision, and when each of them last changed while somebody in this process followed.
#[derive(Debug)]
pub struct Board {
    /// The company's revision.
    pub revision: i64,
    /// The calendar day of the last midnight that the revision knows: the one that the figures are of.
    pub(super) day: Option<NaiveDate>,
    /// Boards are numbered from 1 for as long as the company is followed. Unlike revisions, numbers never go back.
    pub(super) number: u64,
    /// The number of the last board whose revision was lower than that of the board before it; 0 when there was none.
    pub(super) went_back_at: u64,
    /// The open alerts, oldest first.
    pub(super) alerts: Arc<[Arc<PostedAlert>]>,
    /// The revision at which an alert last changed.
    pub(super) alerts_revision: i64,
    posted: Vec<Posted>,
    /// The place of each key in `posted`.
    places: HashMap<String, usize>,
}

/// A figure on a board.
#[derive(Debug)]
pub(super) struct Posted {
    pub(super) figure: Arc<Figure>,
    /// The number of the board on which it last became another than on the board before.
    pub(super) changed_at: u64,
    /// Whether its definition is ahead of the revision; see [`Reading`].
    pub(super) ahead: bool,
}

impl Board {
    /// The board that follows another.
    pub(crate) fn after(before: Option<&Self>, head: Head, readings: Vec<Reading>, open: OpenAlerts) -> Self {
        let number = before.map_or(1, |before| before.number + 1);
        let went_back_at = match before {
            Some(before) if before.revision > head.revision => number,
            Some(before) => before.went_back_at,
            None => 0,
        };
        let post = |Reading { figure, ahead }| {
            let before = before.and_then(|before| before.of_key(&figure.definition.key));
            let same = before.filter(|before| !figure.differs_from(&before.figure));
            let changed_at = same.map_or(number, |same| same.changed_at);
            Posted { figure: Arc::new(figure), changed_at, ahead }
        };
        let posted: Vec<Posted> = readings.into_iter().map(post).collect();
        let keys = posted.iter().map(|posted| posted.figure.definition.key.clone());
        let places = keys.enumerate().map(|(place, key)| (key, place)).collect();
        // Who follows compares by what is shared: an alert that is the same stays the same one.
        let same = before.filter(|before| before.alerts.iter().eq(open.alerts.iter()));
        let alerts = same.map_or_else(|| open.alerts.into(), |before| before.alerts.clone());
        Self {
            revision: head.revision,
            day: head.ticked_on,
            number,
            went_back_at,
            alerts,
            alerts_revision: open.revision,
            posted,
            places,
        }
    }

    /// All figures in use, oldest definition first.
    pub fn figures(&self) -> impl Iterator<Item = &Arc<Figure>> {
        self.posted.iter().map(|posted| &posted.figure)
    }

    fn of_key(&self, key: &str) -> Option<&Posted> {
        self.places.get(key).and_then(|place| self.posted.get(*place))
    }

    /// What is posted of these keys, in their order; of all, for `None`.
    ///
    /// # Errors
    /// `NOT_FOUND` with the place of the first unknown key.
    pub(super) fn of_keys(&self, keys: Option<&[String]>) -> Result<Vec<&Posted>, Error> {
        let Some(keys) = keys else { return Ok(self.posted.iter().collect()) };
        let find = |(place, key): (usize, &String)| {
            self.of_key(key).ok_or_else(|| Error::not_found(format!("keys.{place}")))
        };
        keys.iter().enumerate().map(find).collect()
    }
}
