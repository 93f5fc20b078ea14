//! Gives committed events their final order and seals it, company by company; and verifies a chain.

use sha2::{Digest, Sha256};
use sqlx::Row;
use uuid::Uuid;

use crate::db::Db;
use crate::fault::Fault;
use crate::tx::Tx;

/// Most events that one transaction seals, so that a backlog does not hold a company's head for long.
const BATCH: i32 = 500;

/// Seals everything that is committed now; how many events it sealed. Any number of replicas may run this.
pub async fn seal_pending(db: &Db) -> Result<u64, Fault> {
    let companies: Vec<Uuid> =
        sqlx::query_scalar("SELECT DISTINCT tenant_id FROM event_queue").fetch_all(db.worker()).await?;
    let mut sealed = 0;
    for company in companies {
        loop {
            let done: Option<i32> = sqlx::query_scalar("SELECT seal_events($1, $2)")
                .bind(company)
                .bind(BATCH)
                .fetch_one(db.worker())
                .await?;
            let done = done.unwrap_or(0);
            sealed += u64::from(done.unsigned_abs());
            if done < BATCH {
                break;
            }
        }
    }
    Ok(sealed)
}

/// The first place where a chain does not hold.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BrokenLink {
    /// The hash of this sequence number is not the hash of its content and its predecessor.
    #[error("event {0} does not match its seal")]
    Content(i64),
    /// A sequence number is missing.
    #[error("event {0} is missing from the chain")]
    Missing(i64),
    /// The head says that the chain is longer or other than it is.
    #[error("the chain ends at event {found}, its head says {head}")]
    Tail {
        /// The last sequence found.
        found: i64,
        /// The sequence that the head names.
        head: i64,
    },
}

/// What a verification found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// How many events verified.
    pub verified: i64,
    /// The first broken link, if any.
    pub broken: Option<BrokenLink>,
}

fn netstring(hasher: &mut Sha256, value: &[u8]) {
    hasher.update(value.len().to_string().as_bytes());
    hasher.update(b":");
    hasher.update(value);
}

/// Recomputes a company's chain from its events, apart from the SQL that built it.
pub async fn verify_chain(tx: &Tx) -> Result<Verdict, Fault> {
    let mut verified = 0;
    let mut last: Vec<u8> = Vec::new();
    loop {
        let rows: Vec<SealedEvent> = tx
            .all(
                "SELECT s.sequence, s.hash, (extract(epoch FROM e.at) * 1000000)::bigint AS micros, e.actor, e.kind,
                        e.subject_kind, e.subject_id, e.case_id, e.payload
                 FROM event_seal s JOIN event e ON e.tenant_id = s.tenant_id AND e.position = s.position
                 WHERE s.sequence > $1 ORDER BY s.sequence LIMIT 1000",
                [verified.into()],
            )
            .await?;
        if rows.is_empty() {
            break;
        }
        for row in rows {
            if row.sequence != verified + 1 {
                return Ok(Verdict { verified, broken: Some(BrokenLink::Missing(verified + 1)) });
            }
            let hash = row.hash_after(&last);
            if hash != row.hash {
                return Ok(Verdict { verified, broken: Some(BrokenLink::Content(row.sequence)) });
            }
            verified = row.sequence;
            last = hash;
        }
    }
    let head: Option<(i64, Vec<u8>)> = tx.tuple("SELECT sequence, hash FROM event_head", []).await?;
    let broken = match head {
        Some((sequence, hash)) if sequence != verified || hash != last => {
            Some(BrokenLink::Tail { found: verified, head: sequence })
        }
        Some(_) => None,
        None => Some(BrokenLink::Tail { found: verified, head: 0 }),
    };
    Ok(Verdict { verified, broken })
}

#[derive(sea_orm::FromQueryResult)]
struct SealedEvent {
    sequence: i64,
    hash: Vec<u8>,
    micros: i64,
    actor: String,
    kind: String,
    subject_kind: String,
    subject_id: Uuid,
    case_id: Uuid,
    payload: Vec<u8>,
}

impl SealedEvent {
    fn hash_after(&self, before: &[u8]) -> Vec<u8> {
        let mut hasher = Sha256::new();
        netstring(&mut hasher, before);
        netstring(&mut hasher, self.sequence.to_string().as_bytes());
        netstring(&mut hasher, self.micros.to_string().as_bytes());
        for text in [&self.actor, &self.kind, &self.subject_kind] {
            netstring(&mut hasher, text.as_bytes());
        }
        netstring(&mut hasher, self.subject_id.as_bytes());
        netstring(&mut hasher, self.case_id.as_bytes());
        netstring(&mut hasher, &self.payload);
        hasher.finalize().to_vec()
    }
}

/// How many events wait for their seal, over all companies: a figure for health and metrics.
pub async fn backlog(db: &Db) -> Result<i64, Fault> {
    let row = sqlx::query("SELECT count(*) FROM event_queue").fetch_one(db.worker()).await?;
    Ok(row.try_get(0)?)
}
