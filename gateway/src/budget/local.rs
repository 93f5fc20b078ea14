//! Buckets in this process: what holds without Redis, and while it is away.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use super::Bucket;
use super::bucket::{Change, Level, Outcome, has_room};
use super::key::{Class, Key};

/// The store of one process. What it holds is bounded, however many keys ask.
#[derive(Debug)]
pub(super) struct Local {
    since: Instant,
    tables: Mutex<Tables>,
}

/// Strangers have a table of their own: many addresses cannot push out the buckets of companies.
#[derive(Debug)]
struct Tables {
    known: Generations,
    strangers: Generations,
}

/// The buckets asked for of late, in two generations: when the young one is full the old one is dropped and the young
/// one grows old. A bucket in use is always kept, and nothing is ever searched for what to drop. Who wants a bucket
/// forgotten must fill half the table with others, and had their capacity anyway.
#[derive(Debug)]
struct Generations {
    half: usize,
    young: HashMap<Key, Level>,
    old: HashMap<Key, Level>,
}

impl Generations {
    fn new(most: usize) -> Self {
        Self { half: (most / 2).max(1), young: HashMap::new(), old: HashMap::new() }
    }

    fn level(&self, key: &Key) -> Level {
        self.young.get(key).or_else(|| self.old.get(key)).copied().unwrap_or_default()
    }

    fn keep(&mut self, key: &Key, level: Level) {
        if let Some(kept) = self.young.get_mut(key) {
            *kept = level;
            return;
        }
        if self.young.len() >= self.half {
            self.old = std::mem::take(&mut self.young);
        }
        self.young.insert(key.clone(), level);
    }
}

impl Tables {
    fn of(&mut self, key: &Key) -> &mut Generations {
        match key.class() {
            Class::Known => &mut self.known,
            Class::Stranger => &mut self.strangers,
        }
    }
}

impl Local {
    /// A store that keeps at most so many buckets of companies and their clients, and of strangers.
    pub(super) fn new(known: usize, strangers: usize) -> Self {
        let tables = Tables { known: Generations::new(known), strangers: Generations::new(strangers) };
        Self { since: Instant::now(), tables: Mutex::new(tables) }
    }

    /// Changes the buckets now.
    pub(super) fn change(&self, buckets: &[Bucket], change: Change) -> Outcome {
        let now = u64::try_from(self.since.elapsed().as_micros()).unwrap_or(u64::MAX);
        self.change_at(buckets, change, now)
    }

    /// The same at a given time, in microseconds.
    pub(super) fn change_at(&self, buckets: &[Bucket], change: Change, now_micros: u64) -> Outcome {
        let mut tables = self.tables.lock().unwrap_or_else(PoisonError::into_inner);
        let kept: Vec<Level> =
            buckets.iter().map(|bucket| tables.of(&bucket.key).level(&bucket.key)).collect();
        let mut levels: Vec<Level> = buckets
            .iter()
            .zip(&kept)
            .map(|(bucket, level)| level.drained(now_micros, bucket.drain_per_second))
            .collect();
        let granted = match change {
            Change::Take(cost) => {
                buckets.iter().zip(&levels).all(|(bucket, level)| has_room(bucket, level.micro, cost))
            }
            Change::Refund(_) => true,
        };
        if granted {
            for level in &mut levels {
                level.micro = match change {
                    Change::Take(cost) => level.micro + cost,
                    Change::Refund(amount) => level.micro.saturating_sub(amount),
                };
            }
        }
        // After a refusal too, unchanged: who is refused again and again must stay known.
        for (bucket, level) in buckets.iter().zip(if granted { &levels } else { &kept }) {
            // An empty bucket is none: it has no time either, as in Redis.
            let level = if level.micro == 0 { Level::default() } else { *level };
            tables.of(&bucket.key).keep(&bucket.key, level);
        }
        Outcome { granted, levels: levels.into_iter().map(|level| level.micro).collect() }
    }

    /// How many buckets are kept.
    #[cfg(test)]
    pub(super) fn kept(&self) -> (usize, usize) {
        let tables = self.tables.lock().expect("not poisoned");
        let of = |table: &Generations| table.young.len() + table.old.len();
        (of(&tables.known), of(&tables.strangers))
    }
}
