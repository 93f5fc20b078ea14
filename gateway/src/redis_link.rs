//! A Redis that may vanish: asked while it answers, left alone while it does not.
//!
//! The first failure opens the circuit: from then on nothing is asked, and callers do without at once. A probe beside the
//! requests, at most one a second, closes it again. So an absent Redis slows only the requests that were in flight when
//! it went, each by [`PATIENCE`] at most.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use redis::aio::{ConnectionManager, ConnectionManagerConfig};
use redis::{RedisError, RedisResult};

/// How long a request waits for Redis.
pub(crate) const PATIENCE: Duration = Duration::from_millis(100);
/// How long after a failure, or a probe that failed, the next probe may come.
const PAUSE: Duration = Duration::from_secs(1);

/// A connection that is cheap to clone, with its circuit.
#[derive(Clone)]
pub(crate) struct Link(Arc<Inner>);

struct Inner {
    redis: ConnectionManager,
    /// Who uses it, for the log.
    purpose: &'static str,
    /// What probes write.
    probe_key: String,
    patience: Duration,
    circuit: Mutex<Circuit>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Circuit {
    Closed,
    Open { probe_at: Instant },
    Probing,
}

impl std::fmt::Debug for Link {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Link").field("purpose", &self.0.purpose).finish_non_exhaustive()
    }
}

impl Link {
    /// A link that connects at its first use. An address where nobody answers is no error: only the URL is checked.
    pub(crate) fn open(
        url: &str,
        namespace: &str,
        purpose: &'static str,
        patience: Duration,
    ) -> Result<Self, RedisError> {
        let config = ConnectionManagerConfig::new()
            .set_connection_timeout(Some(PAUSE))
            .set_response_timeout(Some(patience))
            .set_max_delay(PAUSE / 2)
            // All requests of the process share the connection: none should wait for a place in its pipeline.
            .set_pipeline_buffer_size(1024);
        let redis = ConnectionManager::new_lazy_with_config(redis::Client::open(url)?, config)?;
        let probe_key = format!("{namespace}:probe:{purpose}");
        let circuit = Mutex::new(Circuit::Closed);
        Ok(Self(Arc::new(Inner { redis, purpose, probe_key, patience, circuit })))
    }

    /// Whether Redis answered the last time it was asked.
    pub(crate) fn answers(&self) -> bool {
        *self.0.circuit() == Circuit::Closed
    }

    /// Asks Redis; `None` when it does not answer in time, refuses, or is known to be away.
    pub(crate) async fn ask<T, F>(&self, command: impl FnOnce(ConnectionManager) -> F) -> Option<T>
    where
        F: Future<Output = RedisResult<T>>,
    {
        if !self.may_ask() {
            return None;
        }
        match tokio::time::timeout(self.0.patience, command(self.0.redis.clone())).await {
            Ok(Ok(answer)) => Some(answer),
            Ok(Err(error)) => {
                self.0.fail(&error.to_string());
                None
            }
            Err(_) => {
                self.0.fail("no answer in time");
                None
            }
        }
    }

    fn may_ask(&self) -> bool {
        let mut circuit = self.0.circuit();
        match *circuit {
            Circuit::Closed => true,
            Circuit::Open { probe_at } if probe_at <= Instant::now() => {
                *circuit = Circuit::Probing;
                tokio::spawn(probe(self.0.clone()));
                false
            }
            Circuit::Open { .. } | Circuit::Probing => false,
        }
    }
}

impl Inner {
    fn circuit(&self) -> MutexGuard<'_, Circuit> {
        self.circuit.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn fail(&self, reason: &str) {
        let mut circuit = self.circuit();
        if *circuit == Circuit::Closed {
            tracing::warn!(
                purpose = self.purpose,
                reason,
                "Redis does not answer: each replica does without it"
            );
            *circuit = Circuit::Open { probe_at: Instant::now() + PAUSE };
        }
    }
}

/// Writes, and does not just ping: a Redis that is full or a replica answers pings, and refuses what it is needed for. One that is
/// slower than requests wait stays out of use.
async fn probe(link: Arc<Inner>) {
    let mut redis = link.redis.clone();
    let mut write = redis::cmd("SET");
    write.arg(&link.probe_key).arg(1).arg("PX").arg(1000);
    let written = tokio::time::timeout(link.patience, write.query_async::<()>(&mut redis)).await;
    *link.circuit() = if let Ok(Ok(())) = written {
        tracing::info!(purpose = link.purpose, "Redis answers again");
        Circuit::Closed
    } else {
        Circuit::Open { probe_at: Instant::now() + PAUSE }
    };
}
