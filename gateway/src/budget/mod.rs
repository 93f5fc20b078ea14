//! How much a client may ask in a span of time: leaky buckets, counted in units of cost.
//!
//! A request is charged to several buckets at once, its client's and its company's, before it runs; one without room
//! refuses, and then none is charged. After it has run, what it did not cost is given back. The buckets are kept in Redis,
//! where all replicas share them; without Redis, or while it is away, in this process: then each replica grants the whole
//! capacity, which is the price of answering at all. Beside the rates, [`lanes`] keeps execution fair.
//!
//! This module never waits for room, and never tells one company of another: keys carry the company.

mod bucket;
pub mod headers;
mod key;
pub mod lanes;
mod local;
mod shared;
#[cfg(test)]
mod tests;

use std::net::IpAddr;
use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use bucket::{Change, Outcome, micro, refusal, tightest};
pub use key::Key;
use local::Local;
use shared::Shared;

use crate::redis_link::PATIENCE;

/// A bucket to charge: it holds `capacity` units and loses `drain_per_second` of them, so that a client may ask for the
/// capacity at once and for the drain in the long run.
#[derive(Clone, Debug)]
pub struct Bucket {
    /// Whose it is, and what it bounds.
    pub key: Key,
    /// Units that fit into it. What it costs less than to empty it is granted at once.
    pub capacity: u32,
    /// Units that it loses in a second.
    pub drain_per_second: NonZeroU32,
}

/// What a request is charged.
#[derive(Clone, Copy, Debug)]
pub struct Charge<'a> {
    /// The buckets, each named once. On a Redis cluster they must be one company's.
    pub buckets: &'a [Bucket],
    /// Units, the same for each bucket.
    pub cost: u64,
}

/// How a bucket stands after a charge.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Standing {
    /// Which bucket of the charge, by its index.
    pub bucket: usize,
    /// What it bounds: the name in its key.
    pub name: &'static str,
    /// Units that fit into it.
    pub limit: u32,
    /// Whole units for which there is room.
    pub remaining: u32,
    /// Until it is empty, if nothing else is charged.
    pub reset: Duration,
}

/// What became of a charge.
#[derive(Debug)]
#[must_use]
pub enum Verdict {
    /// Every bucket had room.
    Granted {
        /// The bucket with the least left.
        standing: Standing,
        /// For [`Budget::settle`]; without it, all of the cost stays charged.
        receipt: Receipt,
    },
    /// A bucket had none; nothing was charged.
    Refused(Refused),
}

/// Why a charge was refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// There is no room now.
    #[error(
        "the limit `{}` is reached: {} of {} units are left; try again in {} s",
        .standing.name, .standing.remaining, .standing.limit, headers::seconds(*.retry_after)
    )]
    Exhausted {
        /// The bucket that has room for this charge last.
        standing: Standing,
        /// When it has.
        retry_after: Duration,
    },
    /// There will never be room: it costs more than a bucket holds.
    #[error("the request costs {cost} units and `{name}` grants {limit} at most: ask for less at once")]
    Never {
        /// Which bucket of the charge, by its index.
        bucket: usize,
        /// What it bounds.
        name: &'static str,
        /// Units that fit into it.
        limit: u32,
        /// Units that were asked for.
        cost: u64,
    },
}

impl Refused {
    /// The stable code: `RATE_LIMITED` is worth another try, `COST_TOO_HIGH` is not.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Exhausted { .. } => "RATE_LIMITED",
            Self::Never { .. } => "COST_TOO_HIGH",
        }
    }

    /// When to try again; `None` for never.
    pub fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Exhausted { retry_after, .. } => Some(*retry_after),
            Self::Never { .. } => None,
        }
    }
}

/// That a charge was granted, and by which store: it settles once, where it was taken.
#[derive(Debug)]
pub struct Receipt {
    buckets: Vec<Bucket>,
    cost: u32,
    taken: Taken,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Taken {
    Shared,
    Locally,
}

/// How a budget is kept.
#[derive(Clone, Debug)]
pub struct Options {
    /// Begins every key in Redis: deployments that share one have different ones.
    pub namespace: String,
    /// Buckets of companies and clients kept in this process at most, about 150 bytes each.
    pub known: usize,
    /// Buckets of network addresses kept in this process at most, about 150 bytes each.
    pub strangers: usize,
}

impl Default for Options {
    fn default() -> Self {
        Self { namespace: "gateway".to_owned(), known: 65_536, strangers: 65_536 }
    }
}

/// At most so many events of one network address in a span of time, e.g. requests of who is not signed in.
#[derive(Clone, Copy, Debug)]
pub struct Count {
    /// What is counted: letters, digits and hyphens.
    pub name: &'static str,
    /// How many at once, and in each span.
    pub most: NonZeroU32,
    /// The span.
    pub per_seconds: NonZeroU32,
}

impl Count {
    /// An event weighs as many units as the span has seconds, so that slow drains are whole numbers too.
    fn bucket(&self, address: IpAddr) -> Bucket {
        Bucket {
            key: Key::address(self.name, address),
            capacity: self.most.get().saturating_mul(self.per_seconds.get()),
            drain_per_second: self.most,
        }
    }

    fn in_events(&self, mut standing: Standing) -> Standing {
        standing.limit /= self.per_seconds;
        standing.remaining /= self.per_seconds;
        standing
    }
}

/// The buckets of a process. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Budget(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    shared: Option<Shared>,
    local: Local,
}

impl Budget {
    /// Within this process only.
    pub fn local(options: &Options) -> Self {
        Self::build(options, None)
    }

    /// In Redis, and in this process while Redis does not answer.
    ///
    /// # Errors
    /// When the URL is not one of Redis. A Redis that does not answer is no error: it is looked for again and again.
    pub fn over_redis(url: &str, options: &Options) -> Result<Self, redis::RedisError> {
        Ok(Self::build(options, Some(Shared::open(url, &options.namespace, PATIENCE)?)))
    }

    fn build(options: &Options, shared: Option<Shared>) -> Self {
        let local = Local::new(options.known, options.strangers);
        Self(Arc::new(Inner { shared, local }))
    }

    /// Whether Redis answered the last time; `None` without Redis.
    pub fn redis_answers(&self) -> Option<bool> {
        self.0.shared.as_ref().map(Shared::answers)
    }

    /// Charges every bucket, or none.
    pub async fn take(&self, charge: &Charge<'_>) -> Verdict {
        let too_small = |bucket: &Bucket| charge.cost > u64::from(bucket.capacity);
        let cost = u32::try_from(charge.cost).unwrap_or(u32::MAX);
        if let Some(index) = charge.buckets.iter().position(too_small) {
            let bucket = &charge.buckets[index];
            let (name, limit) = (bucket.key.name(), bucket.capacity);
            return Verdict::Refused(Refused::Never { bucket: index, name, limit, cost: charge.cost });
        }
        let (taken, Outcome { granted, levels }) =
            self.change(charge.buckets, Change::Take(micro(cost))).await;
        if !granted {
            return Verdict::Refused(refusal(charge.buckets, &levels, micro(cost)));
        }
        let standing = tightest(charge.buckets, &levels);
        Verdict::Granted { standing, receipt: Receipt { buckets: charge.buckets.to_vec(), cost, taken } }
    }

    /// Gives back what a granted request did not cost, and tells how the tightest bucket stands then. What it cost beyond
    /// its charge is not asked for afterwards. `None` when Redis, which took the charge, is away: then it stays charged.
    pub async fn settle(&self, receipt: Receipt, actual_cost: u64) -> Option<Standing> {
        let Receipt { buckets, cost, taken } = receipt;
        let unused = cost.saturating_sub(u32::try_from(actual_cost).unwrap_or(u32::MAX));
        let refund = Change::Refund(micro(unused));
        let outcome = match (taken, &self.0.shared) {
            (Taken::Shared, Some(shared)) => shared.change(&buckets, refund).await?,
            // In the other store the refund would be somebody else's charge.
            (Taken::Shared, None) => return None,
            (Taken::Locally, _) => self.0.local.change(&buckets, refund),
        };
        Some(tightest(&buckets, &outcome.levels))
    }

    /// Counts one event of a network address. The standing is told in events.
    pub async fn count(&self, count: &Count, address: IpAddr) -> Result<Standing, Refused> {
        let charge = Charge { buckets: &[count.bucket(address)], cost: count.per_seconds.get().into() };
        match self.take(&charge).await {
            Verdict::Granted { standing, .. } => Ok(count.in_events(standing)),
            Verdict::Refused(Refused::Exhausted { standing, retry_after }) => {
                Err(Refused::Exhausted { standing: count.in_events(standing), retry_after })
            }
            Verdict::Refused(never) => Err(never),
        }
    }

    async fn change(&self, buckets: &[Bucket], change: Change) -> (Taken, Outcome) {
        if let Some(shared) = &self.0.shared
            && let Some(outcome) = shared.change(buckets, change).await
        {
            return (Taken::Shared, outcome);
        }
        (Taken::Locally, self.0.local.change(buckets, change))
    }
}
