//! Follows figures: everything at first, then what changes, as the company's revision moves.
//!
//! A watch waits for hints and looks by itself once a second, so a lost hint is only late. Between two pushes it
//! holds no transaction and no connection. What a slow reader has not taken yet is not queued: the next push tells
//! the newest state. It never pushes what is not folded, and never without asking who may read it.

use std::collections::HashMap;
use std::fmt;
use std::time::Duration;

use futures_util::future::BoxFuture;
use kernel::folder::Moved;
use kernel::hint::Hints;
use kernel::rollup::{self, Head};
use kernel::{Fault, Scope};
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::RecvError;
use tokio::time::{Instant, sleep_until};

use crate::error::Error;
use crate::figure::service::values;
use crate::figure::{Figure, Freshness};

/// How long a lost hint can go unnoticed.
const SWEEP: Duration = Duration::from_secs(1);

/// The shortest time between two pushes: a company under load folds more often than a screen can show.
const PACE: Duration = Duration::from_millis(50);

/// Says anew who reads, and in which company; `None` when nobody does any more (signed out, revoked, expired).
pub type Authorise = Box<dyn Fn() -> BoxFuture<'static, Result<Option<Scope>, Fault>> + Send + Sync>;

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
    /// The figures, at the revision.
    pub figures: Vec<Figure>,
}

/// Follows figures of one company.
pub struct Watch {
    authorise: Authorise,
    hints: Receiver<Moved>,
    keys: Option<Vec<String>>,
    /// The revision that the reader has.
    seen: Option<i64>,
    started: bool,
    /// Whether there is something to look at.
    due: bool,
    /// What the watch knows the reader to have, or to have had no need of.
    last: HashMap<String, Figure>,
    /// Whose rows the sweep looks at.
    scope: Option<Scope>,
    /// Until when the next look waits.
    rest_until: Instant,
}

impl fmt::Debug for Watch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Watch").field("keys", &self.keys).field("seen", &self.seen).finish_non_exhaustive()
    }
}

impl Watch {
    /// A watch of these figures (of all, for `None`). With `after_revision` it begins with what has changed since,
    /// else with a snapshot. `authorise` is asked before each push.
    pub fn new(
        authorise: Authorise,
        hints: &Hints,
        keys: Option<Vec<String>>,
        after_revision: Option<i64>,
    ) -> Self {
        Self {
            authorise,
            hints: hints.subscribe(),
            keys,
            seen: after_revision,
            started: false,
            due: true,
            last: HashMap::new(),
            scope: None,
            rest_until: Instant::now(),
        }
    }

    /// The next push: the first at once, each later one when a watched figure has changed; `None` once nobody
    /// reads any more. The call may be dropped and made again; nothing is lost by that.
    ///
    /// # Errors
    /// A denial when the reader may not read figures any more; `NOT_FOUND` for an unknown key; faults.
    /// After an error the watch may be asked again: it looks again a second later, and goes on from what it told.
    pub async fn next(&mut self) -> Result<Option<Push>, Error> {
        loop {
            sleep_until(self.rest_until).await;
            if !self.due {
                self.wait().await?;
                self.due = true;
            }
            // Set before the work, so that neither an error nor a dropped call makes a loop without rest.
            self.rest_until = Instant::now() + SWEEP;
            let Some((head, figures)) = self.look().await? else { return Ok(None) };
            self.rest_until = Instant::now() + PACE;
            self.due = false;
            if let Some(push) = self.digest(head, figures) {
                return Ok(Some(push));
            }
        }
    }

    /// The newest state, for who may read it now.
    async fn look(&mut self) -> Result<Option<(Head, Vec<Figure>)>, Error> {
        let Some(scope) = (self.authorise)().await? else { return Ok(None) };
        let tx = scope.read().await?;
        self.scope = Some(scope);
        let answer = values(&tx, self.keys.as_deref(), Freshness::AtRevision).await;
        tx.end().await;
        answer.map(Some)
    }

    /// What of a new state the reader needs to be told.
    fn digest(&mut self, head: Head, figures: Vec<Figure>) -> Option<Push> {
        let first = !std::mem::replace(&mut self.started, true);
        let gap = self.seen.is_some_and(|seen| seen > head.revision);
        let snapshot = gap || (first && self.seen.is_none());
        let seen = self.seen.replace(head.revision).filter(|_| !snapshot).unwrap_or(i64::MIN);
        let changed: Vec<Figure> = figures
            .iter()
            .filter(|figure| snapshot || figure.revision > seen)
            .filter(|figure| {
                let last = self.last.get(&figure.definition.key);
                snapshot || last.is_none_or(|last| figure.differs_from(last))
            })
            .cloned()
            .collect();
        // Between midnight and its tick a figure may come out other than it was told, at the revision it was told
        // at. What is not pushed must not count as told, or the tick would find nothing to push.
        let told = figures.into_iter().filter(|figure| snapshot || figure.revision > seen);
        self.last.extend(told.map(|figure| (figure.definition.key.clone(), figure)));
        (first || snapshot || !changed.is_empty()).then_some(Push {
            revision: head.revision,
            snapshot,
            gap,
            figures: changed,
        })
    }

    /// Waits until the company's revision is not the one that the reader has.
    async fn wait(&mut self) -> Result<(), Fault> {
        // One deadline over all hints: those of busy neighbours must not keep putting it off.
        let mut sweep = Instant::now() + SWEEP;
        loop {
            let look = tokio::select! {
                hint = self.hints.recv() => match hint {
                    Ok((company, revision)) if self.concerns(company, revision) => return Ok(()),
                    Ok(_) => false,
                    // Hints were lost: look.
                    Err(RecvError::Lagged(_)) => true,
                    // Nobody will ever tell again: only looking is left.
                    Err(RecvError::Closed) => {
                        sleep_until(sweep).await;
                        true
                    }
                },
                () = sleep_until(sweep) => true,
            };
            if look {
                if self.has_moved().await? {
                    return Ok(());
                }
                sweep = Instant::now() + SWEEP;
            }
        }
    }

    fn concerns(&self, company: uuid::Uuid, revision: i64) -> bool {
        let mine = self.scope.as_ref().is_some_and(|scope| scope.company().id == company);
        mine && self.seen.is_none_or(|seen| revision > seen)
    }

    /// Whether there is something to look at, or nobody left who may: a quiet company must not keep a stream open.
    async fn has_moved(&self) -> Result<bool, Fault> {
        let Some(scope) = (self.authorise)().await? else { return Ok(true) };
        let tx = scope.read().await?;
        let head = rollup::head(&tx).await;
        tx.end().await;
        Ok(Some(head?.revision) != self.seen)
    }
}
