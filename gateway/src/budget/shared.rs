//! Buckets in Redis: one script changes all buckets of a charge at once, by Redis's own clock.

use std::sync::LazyLock;
use std::time::Duration;

use redis::Script;

use super::Bucket;
use super::bucket::{Change, Outcome, micro};
use crate::redis_link::Link;

static SCRIPT: LazyLock<Script> = LazyLock::new(|| Script::new(include_str!("bucket.lua")));

/// The store of all replicas.
#[derive(Debug)]
pub(super) struct Shared {
    link: Link,
    namespace: String,
}

impl Shared {
    pub(super) fn open(url: &str, namespace: &str, patience: Duration) -> Result<Self, redis::RedisError> {
        let link = Link::open(url, namespace, "budget", patience)?;
        Ok(Self { link, namespace: namespace.to_owned() })
    }

    pub(super) fn answers(&self) -> bool {
        self.link.answers()
    }

    /// Changes the buckets, by Redis's clock. `None` without Redis.
    pub(super) async fn change(&self, buckets: &[Bucket], change: Change) -> Option<Outcome> {
        self.change_at(buckets, change, None).await
    }

    /// The same at a given time, in microseconds: for tests.
    pub(super) async fn change_at(
        &self,
        buckets: &[Bucket],
        change: Change,
        now_micros: Option<u64>,
    ) -> Option<Outcome> {
        let mut call = SCRIPT.prepare_invoke();
        match change {
            Change::Take(amount) => call.arg(amount),
            Change::Refund(amount) => call.arg(format!("-{amount}")),
        };
        call.arg(now_micros.map(|now| now.to_string()).unwrap_or_default());
        for bucket in buckets {
            call.key(format!("{}:{}", self.namespace, bucket.key));
            call.arg(micro(bucket.capacity)).arg(bucket.drain_per_second.get());
        }
        let answer: Vec<u64> =
            self.link.ask(|mut redis| async move { call.invoke_async(&mut redis).await }).await?;
        let (granted, levels) = answer.split_first()?;
        Some(Outcome { granted: *granted == 1, levels: levels.to_vec() })
    }
}
