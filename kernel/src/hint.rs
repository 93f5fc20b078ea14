//! Tells every replica that a company's figures moved. A hint carries no figure, and a lost one is harmless:
//! whoever waits also looks by itself once a second.

use redis::AsyncCommands;
use redis::aio::ConnectionManager;
use tokio::sync::broadcast;
use uuid::Uuid;

use crate::folder::Moved;

const CHANNEL: &str = "coulisse:moved";

/// The fan-out: in this process always, over Redis as well when there is one.
#[derive(Clone)]
pub struct Hints {
    local: broadcast::Sender<Moved>,
    redis: Option<ConnectionManager>,
}

impl std::fmt::Debug for Hints {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Hints").field("redis", &self.redis.is_some()).finish_non_exhaustive()
    }
}

impl Hints {
    /// Within this process only.
    pub fn local() -> Self {
        Self { local: broadcast::Sender::new(1024), redis: None }
    }

    /// Over Redis, and within this process whether Redis answers or not.
    ///
    /// # Errors
    /// When the URL is not one of Redis. A Redis that does not answer is no error: it is tried again for ever.
    pub fn over_redis(url: &str) -> Result<Self, redis::RedisError> {
        let client = redis::Client::open(url)?;
        let redis = ConnectionManager::new_lazy_with_config(
            client.clone(),
            redis::aio::ConnectionManagerConfig::new(),
        )?;
        let hints = Self { local: broadcast::Sender::new(1024), redis: Some(redis) };
        tokio::spawn(relay(client, hints.local.clone()));
        Ok(hints)
    }

    /// Whether Redis answers now; `None` without Redis.
    pub async fn redis_answers(&self) -> Option<bool> {
        let mut redis = self.redis.clone()?;
        let ping = redis::cmd("PING");
        let answer = tokio::time::timeout(
            std::time::Duration::from_millis(500),
            ping.query_async::<String>(&mut redis),
        );
        Some(matches!(answer.await, Ok(Ok(_))))
    }

    /// Hints from now on.
    pub fn subscribe(&self) -> broadcast::Receiver<Moved> {
        self.local.subscribe()
    }

    /// Says that a company's figures moved.
    pub async fn tell(&self, (company, revision): Moved) {
        // Nobody listening is no failure.
        let _listeners = self.local.send((company, revision));
        if let Some(mut redis) = self.redis.clone() {
            let told: redis::RedisResult<i64> = redis.publish(CHANNEL, format!("{company} {revision}")).await;
            if let Err(error) = told {
                tracing::debug!(%error, "hint not told over Redis; other replicas find it by themselves");
            }
        }
    }
}

/// Passes on what other replicas tell, and connects again for as long as somebody may listen.
async fn relay(client: redis::Client, local: broadcast::Sender<Moved>) {
    use futures_util::StreamExt;
    loop {
        if let Ok(mut subscription) = client.get_async_pubsub().await
            && subscription.subscribe(CHANNEL).await.is_ok()
        {
            let mut messages = subscription.on_message();
            while let Some(message) = messages.next().await {
                let hint = message.get_payload::<String>().ok().as_deref().and_then(parse);
                if let Some(hint) = hint {
                    let _listeners = local.send(hint);
                }
            }
        }
        tokio::time::sleep(std::time::Duration::from_secs(1)).await;
    }
}

fn parse(text: &str) -> Option<Moved> {
    let (company, revision) = text.split_once(' ')?;
    Some((company.parse::<Uuid>().ok()?, revision.parse().ok()?))
}
