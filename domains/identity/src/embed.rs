//! Links by which outsiders see a dashboard: who holds one is in its company, with the right to read figures and no other.
//!
//! What a link shows, and whether it is still good, is asked in the company. This finds the company and nothing else.

use kernel::{Actor, Fault, Origin, Permission, PermissionSet, Scope};

use crate::authenticator::Authenticator;
use crate::secret;

/// What the tokens of such links begin with.
pub const PREFIX: &str = "ce_";

/// A new token.
pub fn token() -> String {
    secret::generate(PREFIX)
}

/// The scope of who holds a token, and the token's hash; `None` when no link has it, or its company is closed.
pub async fn scope(
    auth: &Authenticator,
    token: &str,
    origin: Origin,
) -> Result<Option<(Scope, Vec<u8>)>, Fault> {
    // 256 bits in base64url: what is longer or shorter was never a token.
    if token.len() != PREFIX.len() + 43 || !token.starts_with(PREFIX) {
        return Ok(None);
    }
    let hash = secret::hash(token);
    let company = sqlx::query_scalar("SELECT embed_link_company($1)")
        .bind(&hash)
        .fetch_one(auth.db().directory())
        .await?;
    let Some(company) = company else { return Ok(None) };
    let Some(scope) = auth.link_scope(company, Actor::System, origin.clone()).await? else { return Ok(None) };
    let rights: PermissionSet = [Permission::KpiRead].into_iter().collect();
    Ok(Some((auth.open(scope.company().clone(), Actor::System, rights, origin), hash)))
}
