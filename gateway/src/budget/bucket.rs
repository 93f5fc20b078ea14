//! The arithmetic of leaky buckets, the same in both stores.
//!
//! What is charged raises the level, time lowers it, and a charge that would raise it over the capacity is refused. So in
//! any span of time at most the capacity and what drained in that span is granted, refunds deducted. Levels are counted
//! in millionths of a unit and time in microseconds: then everything is a whole number below 2^53, which the doubles of
//! Redis's scripts hold exactly.

use std::num::NonZeroU32;
use std::time::Duration;

use super::{Bucket, Refused, Standing};

/// Millionths of a unit: a drain of one unit a second lowers the level by one of these a microsecond.
const MICRO: u64 = 1_000_000;

/// What a charge of so many units adds to a level.
pub(super) fn micro(units: u32) -> u64 {
    u64::from(units) * MICRO
}

/// How full a bucket was, and when.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Level {
    /// Millionths of a unit.
    pub micro: u64,
    /// Microseconds of the store's clock.
    pub at_micros: u64,
}

impl Level {
    /// The level now. A clock that went back drains nothing.
    pub(super) fn drained(self, now_micros: u64, drain: NonZeroU32) -> Self {
        let passed = now_micros.saturating_sub(self.at_micros);
        Self {
            micro: self.micro.saturating_sub(passed.saturating_mul(drain.get().into())),
            at_micros: self.at_micros.max(now_micros),
        }
    }
}

/// What a store is asked to do to the levels of several buckets, all or none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Change {
    /// Raise each level by so much, where every bucket has room for it.
    Take(u64),
    /// Lower each level by so much, to zero at the least.
    Refund(u64),
}

/// What a store did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Outcome {
    pub granted: bool,
    /// The level of each bucket afterwards, in millionths of a unit.
    pub levels: Vec<u64>,
}

/// Whether there is room for a charge in a bucket of that level. Nothing always fits, also where a lowered capacity has
/// left a bucket too full.
pub(super) fn has_room(bucket: &Bucket, level: u64, cost: u64) -> bool {
    cost == 0 || level.saturating_add(cost) <= micro(bucket.capacity)
}

/// The standing of the bucket with the least left.
pub(super) fn tightest(buckets: &[Bucket], levels: &[u64]) -> Standing {
    let standings =
        buckets.iter().zip(levels).enumerate().map(|(n, (bucket, level))| standing(n, bucket, *level));
    standings.min_by_key(|standing| standing.remaining).unwrap_or_default()
}

fn standing(index: usize, bucket: &Bucket, level: u64) -> Standing {
    let left = micro(bucket.capacity).saturating_sub(level) / MICRO;
    Standing {
        bucket: index,
        name: bucket.key.name(),
        limit: bucket.capacity,
        remaining: u32::try_from(left).unwrap_or(bucket.capacity),
        reset: time_to_drain(level, bucket.drain_per_second),
    }
}

/// Why a charge that fits into every empty bucket is refused: the bucket that has room for it last.
pub(super) fn refusal(buckets: &[Bucket], levels: &[u64], cost: u64) -> Refused {
    let waits = buckets.iter().zip(levels).enumerate().map(|(n, (bucket, level))| {
        let over = level.saturating_add(cost).saturating_sub(micro(bucket.capacity));
        (time_to_drain(over, bucket.drain_per_second), standing(n, bucket, *level))
    });
    let (retry_after, standing) = waits.max_by_key(|(wait, _)| *wait).unwrap_or_default();
    Refused::Exhausted { standing, retry_after }
}

/// How long a level takes to drain, rounded up: after it there is room, and not a moment before.
fn time_to_drain(level: u64, drain: NonZeroU32) -> Duration {
    Duration::from_micros(level.div_ceil(drain.get().into()))
}
