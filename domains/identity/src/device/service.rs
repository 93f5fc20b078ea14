//! Knowing devices again.

use kernel::{Fault, Origin};
use uuid::Uuid;

use crate::authenticator::Authenticator;
use crate::secret;

/// The prefix of their secrets.
const PREFIX: &str = "cd_";

/// The person's device of this secret; `None` for an unknown one, or another person's.
pub async fn known(auth: &Authenticator, person: Uuid, token: Option<&str>) -> Result<Option<Uuid>, Fault> {
    let Some(token) = token else { return Ok(None) };
    let found = sqlx::query_scalar("SELECT id FROM device WHERE token_hash = $1 AND person_id = $2");
    Ok(found.bind(secret::hash(token)).bind(person).fetch_optional(auth.db().directory()).await?)
}

/// Notes that a person was seen on a device of theirs.
pub async fn seen(auth: &Authenticator, device: Uuid, origin: &Origin) -> Result<(), Fault> {
    sqlx::query("UPDATE device SET agent = $2, address = $3, last_seen_at = $4 WHERE id = $1")
        .bind(device)
        .bind(&origin.agent)
        .bind(&origin.address)
        .bind(auth.clock().now())
        .execute(auth.db().directory())
        .await?;
    Ok(())
}

/// A device that a person has signed in on for the first time, with the secret that its program keeps; and whether the
/// person has others.
pub async fn remember(
    auth: &Authenticator,
    person: Uuid,
    origin: &Origin,
) -> Result<(Uuid, String, bool), Fault> {
    let (id, token) = (kernel::id::new(), secret::generate(PREFIX));
    let has_others = sqlx::query_scalar(
        "WITH others AS (SELECT EXISTS (SELECT FROM device WHERE person_id = $2) AS known)
         INSERT INTO device (id, person_id, token_hash, agent, address, created_at, last_seen_at)
         VALUES ($1, $2, $3, $4, $5, $6, $6) RETURNING (SELECT known FROM others)",
    )
    .bind(id)
    .bind(person)
    .bind(secret::hash(&token))
    .bind(&origin.agent)
    .bind(&origin.address)
    .bind(auth.clock().now())
    .fetch_one(auth.db().directory())
    .await?;
    Ok((id, token, has_others))
}

/// Forgets a person's devices: after a reset of the password nobody is known any more.
pub async fn forget_all(auth: &Authenticator, person: Uuid) -> Result<(), Fault> {
    let forgotten = sqlx::query("DELETE FROM device WHERE person_id = $1").bind(person);
    forgotten.execute(auth.db().directory()).await?;
    Ok(())
}
