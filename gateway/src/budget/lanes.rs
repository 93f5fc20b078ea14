//! Who executes when not all can: a fair gate before the database.
//!
//! Rates alone do not keep companies apart: within its budget one company can still send everything at once. The gate lets
//! so many requests execute at a time. While others wait, a company holds at most half of the places (rounded up); while
//! none waits it may hold all of them, so no place is ever free while somebody waits. Places that come free go round the
//! waiting companies, and within a company to who came first. So a company waits for as many completions of others as
//! there are companies waiting, whatever any of them has queued; and its queue is bounded in length and in time.

use std::collections::{HashMap, VecDeque};
use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::oneshot;
use uuid::Uuid;

/// The bounds of a gate.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Requests that execute at once: about as many as there are connections to the database.
    pub at_once: NonZeroUsize,
    /// Requests of one company that wait at once.
    pub queue: usize,
    /// How long a request waits.
    pub wait: Duration,
}

/// Why a request may not execute: its own company is too busy.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Crowded {
    /// The company's queue is full.
    #[error("too many requests of this company wait already: send fewer at once")]
    Queue {
        /// When to try again.
        retry_after: Duration,
    },
    /// It waited as long as it may.
    #[error("the request waited too long for its turn: send fewer at once, or try again later")]
    Wait {
        /// When to try again.
        retry_after: Duration,
    },
}

impl Crowded {
    /// The stable code.
    pub fn code(&self) -> &'static str {
        "OVERLOADED"
    }

    /// When to try again.
    pub fn retry_after(&self) -> Duration {
        match self {
            Self::Queue { retry_after } | Self::Wait { retry_after } => *retry_after,
        }
    }
}

/// The gate of a process. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Lanes(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    limits: Limits,
    share: usize,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    running: usize,
    tickets: u64,
    lanes: HashMap<Uuid, Lane>,
    /// The companies with requests that wait, next first.
    round: VecDeque<Uuid>,
}

/// A company that executes or waits.
#[derive(Debug, Default)]
struct Lane {
    running: usize,
    queue: VecDeque<(u64, oneshot::Sender<()>)>,
}

/// A place, held until it is dropped.
#[derive(Debug)]
#[must_use = "the place is free again when this is dropped"]
pub struct Pass {
    gate: Arc<Inner>,
    company: Uuid,
}

impl Drop for Pass {
    fn drop(&mut self) {
        self.gate.leave(self.company);
    }
}

/// A request in the queue, which it leaves when it is dropped.
struct Waiting {
    gate: Arc<Inner>,
    company: Uuid,
    ticket: u64,
    called: oneshot::Receiver<()>,
    entered: bool,
}

impl Drop for Waiting {
    fn drop(&mut self) {
        // A place that was given and not taken is given on.
        if !self.entered && !self.gate.state().forget(self.company, self.ticket) {
            self.gate.leave(self.company);
        }
    }
}

impl Lanes {
    /// A gate with nobody in it.
    pub fn new(limits: Limits) -> Self {
        let share = limits.at_once.get().div_ceil(2);
        Self(Arc::new(Inner { limits, share, state: Mutex::default() }))
    }

    /// Waits for a place. All who have no company share one lane: give them [`Uuid::nil`].
    ///
    /// # Errors
    /// When too many of the company wait already, or the wait was too long.
    pub async fn enter(&self, company: Uuid) -> Result<Pass, Crowded> {
        let limits = self.0.limits;
        let Some(mut waiting) = self.0.arrive(company)? else {
            return Ok(Pass { gate: self.0.clone(), company });
        };
        match tokio::time::timeout(limits.wait, &mut waiting.called).await {
            Ok(Ok(())) => {
                waiting.entered = true;
                Ok(Pass { gate: self.0.clone(), company })
            }
            // The sender goes only with the queue, which this request is in.
            Ok(Err(_)) | Err(_) => Err(Crowded::Wait { retry_after: limits.wait }),
        }
    }

    /// How many execute, and how many wait.
    pub fn load(&self) -> (usize, usize) {
        let state = self.0.state();
        (state.running, state.lanes.values().map(|lane| lane.queue.len()).sum())
    }
}

impl Inner {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes a free place (`None`) or one in the queue.
    fn arrive(self: &Arc<Self>, company: Uuid) -> Result<Option<Waiting>, Crowded> {
        let mut state = self.state();
        if state.running < self.limits.at_once.get() {
            state.start(company);
            return Ok(None);
        }
        if state.lanes.get(&company).map_or(0, |lane| lane.queue.len()) >= self.limits.queue {
            return Err(Crowded::Queue { retry_after: self.limits.wait });
        }
        state.tickets += 1;
        let ticket = state.tickets;
        let lane = state.lanes.entry(company).or_default();
        let (call, called) = oneshot::channel();
        lane.queue.push_back((ticket, call));
        if lane.queue.len() == 1 {
            state.round.push_back(company);
        }
        Ok(Some(Waiting { gate: self.clone(), company, ticket, called, entered: false }))
    }

    /// Frees a place and gives it on.
    fn leave(&self, company: Uuid) {
        let mut state = self.state();
        state.stop(company);
        while state.running < self.limits.at_once.get()
            && let Some((next, call)) = state.next(self.share)
        {
            state.start(next);
            // Who waits leaves the queue under this lock before it stops listening: the call is always heard.
            if call.send(()).is_err() {
                state.stop(next);
            }
        }
    }
}

impl State {
    fn start(&mut self, company: Uuid) {
        self.running += 1;
        self.lanes.entry(company).or_default().running += 1;
    }

    fn stop(&mut self, company: Uuid) {
        self.running -= 1;
        if let Some(lane) = self.lanes.get_mut(&company) {
            lane.running -= 1;
        }
        self.tidy(company);
    }

    /// Forgets a company of which nothing executes or waits.
    fn tidy(&mut self, company: Uuid) {
        if self.lanes.get(&company).is_some_and(|lane| lane.running == 0 && lane.queue.is_empty()) {
            self.lanes.remove(&company);
        }
    }

    /// Whose turn it is: the next company in the round that holds less than its share. There is one whenever a place is
    /// free, for two companies that hold half of the places each leave none; a company that waits alone has no share.
    fn next(&mut self, share: usize) -> Option<(Uuid, oneshot::Sender<()>)> {
        let alone = self.round.len() == 1;
        let below = |company: &Uuid| self.lanes.get(company).is_none_or(|lane| lane.running < share);
        let turn = if alone { 0 } else { self.round.iter().position(below)? };
        let company = self.round.remove(turn)?;
        let lane = self.lanes.get_mut(&company)?;
        let (_, call) = lane.queue.pop_front()?;
        if !lane.queue.is_empty() {
            self.round.push_back(company);
        }
        Some((company, call))
    }

    /// Takes a request out of the queue; whether it was there.
    fn forget(&mut self, company: Uuid, ticket: u64) -> bool {
        let Some(lane) = self.lanes.get_mut(&company) else { return false };
        let Some(place) = lane.queue.iter().position(|(other, _)| *other == ticket) else { return false };
        lane.queue.remove(place);
        if lane.queue.is_empty() {
            self.round.retain(|other| *other != company);
        }
        self.tidy(company);
        true
    }
}
