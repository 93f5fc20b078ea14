//! Tells every replica that a company's figures moved. A hint carries no figure, and a lost one is harmless:
//! whoever waits also looks once a second, at all its companies in one statement ([`missed`]).

use redis::aio::{ConnectionManager, ConnectionManagerConfig};
use tokio::sync::{broadcast, mpsc};
use uuid::Uuid;

use crate::db::Db;
use crate::fault::Fault;
use crate::folder::Moved;

const CHANNEL: &str = "coulisse:moved";

/// Most hints that wait for a listener, or for Redis. What comes on top is lost, as hints may be.
const BACKLOG: usize = 1024;

/// Most hints that go to Redis in one round trip.
const AT_ONCE: usize = 64;

/// The fan-out: in this process always, over Redis as well when there is one.
#[derive(Clone)]
pub struct Hints {
    local: broadcast::Sender<Moved>,
    redis: Option<Redis>,
}

#[derive(Clone)]
struct Redis {
    connection: ConnectionManager,
    outbox: mpsc::Sender<Moved>,
}

impl std::fmt::Debug for Hints {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Hints").field("redis", &self.redis.is_some()).finish_non_exhaustive()
    }
}

impl Hints {
    /// Within this process only.
    pub fn local() -> Self {
        Self { local: broadcast::Sender::new(BACKLOG), redis: None }
    }

    /// Over Redis, and within this process whether Redis answers or not.
    ///
    /// # Errors
    /// When the URL is not one of Redis. A Redis that does not answer is no error: it is tried again for ever.
    pub fn over_redis(url: &str) -> Result<Self, redis::RedisError> {
        let client = redis::Client::open(url)?;
        let config = ConnectionManagerConfig::new();
        let connection = ConnectionManager::new_lazy_with_config(client.clone(), config)?;
        let local = broadcast::Sender::new(BACKLOG);
        let (outbox, told) = mpsc::channel(BACKLOG);
        tokio::spawn(publish(connection.clone(), told));
        tokio::spawn(relay(client, local.downgrade()));
        Ok(Self { local, redis: Some(Redis { connection, outbox }) })
    }

    /// Whether Redis answers now; `None` without Redis.
    pub async fn redis_answers(&self) -> Option<bool> {
        let mut connection = self.redis.as_ref()?.connection.clone();
        let ping = redis::cmd("PING");
        let answer = tokio::time::timeout(
            std::time::Duration::from_millis(500),
            ping.query_async::<String>(&mut connection),
        );
        Some(matches!(answer.await, Ok(Ok(_))))
    }

    /// Hints from now on.
    pub fn subscribe(&self) -> broadcast::Receiver<Moved> {
        self.local.subscribe()
    }

    /// Says that a company's figures moved. It waits for nobody: who folds must not stand still while Redis is away.
    pub fn tell(&self, moved: Moved) {
        // Nobody listening is no failure.
        let _listeners = self.local.send(moved);
        if let Some(redis) = &self.redis
            && redis.outbox.try_send(moved).is_err()
        {
            tracing::debug!("hint not told over Redis; other replicas find it by themselves");
        }
    }
}

/// The companies, of these, whose revision is not the one that is known here, with the revision that they have: what
/// hints did not tell. One statement, however many companies.
pub async fn missed(db: &Db, known: &[Moved]) -> Result<Vec<Moved>, Fault> {
    let (companies, revisions): (Vec<Uuid>, Vec<i64>) = known.iter().copied().unzip();
    let moved = sqlx::query_as(
        "SELECT h.tenant_id, h.revision FROM unnest($1::uuid[], $2::bigint[]) AS known (company, revision)
         JOIN kpi_head h ON h.tenant_id = known.company AND h.revision <> known.revision",
    );
    Ok(moved.bind(companies).bind(revisions).fetch_all(db.worker()).await?)
}

/// Passes on to Redis what this replica tells, for as long as somebody may tell.
async fn publish(mut redis: ConnectionManager, mut told: mpsc::Receiver<Moved>) {
    let mut hints = Vec::with_capacity(AT_ONCE);
    while told.recv_many(&mut hints, AT_ONCE).await > 0 {
        let mut pipe = redis::pipe();
        for (company, revision) in hints.drain(..) {
            pipe.publish(CHANNEL, format!("{company} {revision}")).ignore();
        }
        let sent: redis::RedisResult<()> = pipe.query_async(&mut redis).await;
        if let Err(error) = sent {
            tracing::debug!(%error, "hints not told over Redis; other replicas find them by themselves");
        }
    }
}

/// Passes on what other replicas tell, and connects again for as long as somebody may listen.
async fn relay(client: redis::Client, local: broadcast::WeakSender<Moved>) {
    use futures_util::StreamExt;
    while local.strong_count() > 0 {
        if let Ok(mut subscription) = client.get_async_pubsub().await
            && subscription.subscribe(CHANNEL).await.is_ok()
        {
            let mut messages = subscription.on_message();
            while let Some(message) = messages.next().await {
                let Some(local) = local.upgrade() else { return };
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
