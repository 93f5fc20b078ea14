//! One effect for one key: a retried mutation answers what it answered, and does nothing again.
//!
//! The claim is the transaction's first statement, and commits with the effect. What is kept is the outcome
//! (ids and user errors), not the response: a replay resolves its selection anew. Faults are never kept.

use serde_json::Value as Json;
use sha2::{Digest, Sha256};

use crate::fault::Fault;
use crate::tx::Tx;

/// One use of a key.
#[derive(Clone, Debug)]
pub struct Claim {
    /// The client's key, 1 to 255 printable characters.
    pub key: String,
    /// The mutation's path in the document, so that one request may carry several.
    pub path: String,
    /// SHA-256 of the field's name and input.
    pub input: Vec<u8>,
}

impl Claim {
    /// A claim for a mutation's input.
    pub fn new(key: String, path: String, field: &str, input: &str) -> Self {
        let input =
            Sha256::new().chain_update(field).chain_update([0]).chain_update(input).finalize().to_vec();
        Self { key, path, input }
    }
}

/// What a claim found.
#[derive(Clone, Debug, PartialEq)]
pub enum Claimed {
    /// The key is new: do the work, then [`record_in`].
    Fresh,
    /// The work is done; this was its outcome.
    Replay(Json),
    /// The key was used for another input.
    OtherInput,
    /// A twin is at work and did not end within two seconds: try again.
    Busy,
}

/// Claims a key for the actor; waits at most two seconds for a twin.
pub async fn claim_in(tx: &Tx, claim: &Claim) -> Result<Claimed, Fault> {
    let scope = tx.scope();
    let found: Result<Option<(String, Option<Json>)>, Fault> = tx
        .tuple(
            "SELECT state, outcome FROM claim_idempotency_key($1, $2, $3, $4, $5)",
            [
                scope.actor().stored().into(),
                claim.key.clone().into(),
                claim.path.clone().into(),
                claim.input.clone().into(),
                scope.clock().now().into(),
            ],
        )
        .await;
    match found {
        Ok(Some((state, outcome))) => match (state.as_str(), outcome) {
            ("fresh", _) => Ok(Claimed::Fresh),
            ("replay", Some(outcome)) => Ok(Claimed::Replay(outcome)),
            ("other input", _) => Ok(Claimed::OtherInput),
            _ => Err(Fault::Corrupt("an idempotency record without outcome".to_owned())),
        },
        Ok(None) => Err(Fault::Corrupt("no answer to an idempotency claim".to_owned())),
        // lock_not_available: the twin holds the key.
        Err(fault) if fault.sqlstate().is_some_and(|code| code == "55P03") => Ok(Claimed::Busy),
        Err(fault) => Err(fault),
    }
}

/// Keeps the outcome with the claim.
pub async fn record_in(tx: &Tx, claim: &Claim, outcome: &Json) -> Result<(), Fault> {
    tx.run(
        "UPDATE idempotency_record SET outcome = $4 WHERE client = $1 AND key = $2 AND path = $3",
        [
            tx.scope().actor().stored().into(),
            claim.key.clone().into(),
            claim.path.clone().into(),
            outcome.clone().into(),
        ],
    )
    .await?;
    Ok(())
}

/// Forgets what is older than a day, in all companies; how many records that were.
pub async fn forget_old(db: &crate::Db) -> Result<u64, Fault> {
    let sql = "DELETE FROM idempotency_record WHERE created_at < now() - interval '24 hours'";
    Ok(sqlx::query(sql).execute(db.worker()).await?.rows_affected())
}
