//! Issuing and redeeming proofs.

use kernel::Fault;
use serde_json::Value;
use uuid::Uuid;

use super::Purpose;
use crate::authenticator::Authenticator;
use crate::secret;

/// The prefix of these secrets.
const PREFIX: &str = "cp_";

/// What a good secret stands for.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct Proof {
    /// The person it was issued for, if for one.
    #[sqlx(rename = "person_id")]
    pub person: Option<Uuid>,
    /// The address it was sent to, if to one.
    pub email: Option<String>,
    /// What its issuer wanted to find again.
    pub data: Value,
}

/// Issues a secret for one purpose; it is the caller's to hand over, and nowhere else.
pub async fn issue(
    auth: &Authenticator,
    purpose: Purpose,
    person: Option<Uuid>,
    email: Option<&str>,
    data: Value,
) -> Result<String, Fault> {
    let (token, now) = (secret::generate(PREFIX), auth.clock().now());
    sqlx::query(
        "INSERT INTO proof (hash, purpose, person_id, email, data, created_at, expires_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7)",
    )
    .bind(secret::hash(&token))
    .bind(purpose.as_str())
    .bind(person)
    .bind(email)
    .bind(data)
    .bind(now)
    .bind(now + purpose.lifetime())
    .execute(auth.db().directory())
    .await?;
    Ok(token)
}

/// What a secret stands for, without using it up; `None` when it is unknown, used, expired or for something else.
pub async fn peek(auth: &Authenticator, purpose: Purpose, token: &str) -> Result<Option<Proof>, Fault> {
    let sql = "SELECT person_id, email, data FROM proof
         WHERE hash = $1 AND purpose = $2 AND used_at IS NULL AND $3 < expires_at";
    let found = sqlx::query_as(sql).bind(secret::hash(token)).bind(purpose.as_str()).bind(auth.clock().now());
    Ok(found.fetch_optional(auth.db().directory()).await?)
}

/// Uses a secret up: of any number of calls with one secret, at most one is given what it stands for.
pub async fn redeem(auth: &Authenticator, purpose: Purpose, token: &str) -> Result<Option<Proof>, Fault> {
    let sql = "UPDATE proof SET used_at = $3
         WHERE hash = $1 AND purpose = $2 AND used_at IS NULL AND $3 < expires_at
         RETURNING person_id, email, data";
    let used = sqlx::query_as(sql).bind(secret::hash(token)).bind(purpose.as_str()).bind(auth.clock().now());
    Ok(used.fetch_optional(auth.db().directory()).await?)
}

/// Ends the open proofs of a person for one purpose: a new link ends the older ones, a new password all of them.
pub async fn withdraw(auth: &Authenticator, purpose: Purpose, person: Uuid) -> Result<(), Fault> {
    sqlx::query("UPDATE proof SET used_at = $3 WHERE person_id = $1 AND purpose = $2 AND used_at IS NULL")
        .bind(person)
        .bind(purpose.as_str())
        .bind(auth.clock().now())
        .execute(auth.db().directory())
        .await?;
    Ok(())
}

/// Removes what has expired a day ago or longer.
pub async fn sweep(auth: &Authenticator) -> Result<u64, Fault> {
    let before = auth.clock().now() - chrono::TimeDelta::days(1);
    let swept = sqlx::query("DELETE FROM proof WHERE expires_at < $1").bind(before);
    Ok(swept.execute(auth.db().directory()).await?.rows_affected())
}
