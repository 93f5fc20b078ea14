//! Requests about a token: to take it back (RFC 7009), or to tell what it is (RFC 7662).

use authority::{Hint, Introspection, TokenQuestion};
use chrono::{DateTime, Utc};
use kernel::{Fault, Kind, id};
use uuid::Uuid;

use super::family::{self, Family};
use crate::authenticator::Authenticator;
use crate::oauth::client::Client;
use crate::oauth::principal::{Behind, verified};
use crate::oauth::{Failure, scopes_of, stored};
use crate::secret;

#[derive(sqlx::FromRow)]
struct Refresh {
    family_id: Uuid,
    tenant_id: Uuid,
    grant_id: Uuid,
    permissions: Vec<String>,
    issued_at: DateTime<Utc>,
    expires_at: DateTime<Utc>,
    used_at: Option<DateTime<Utc>>,
}

async fn refresh_token(auth: &Authenticator, client: &Client, token: &str) -> Result<Option<Refresh>, Fault> {
    if !credentials::secret::is_well_formed(token) {
        return Ok(None);
    }
    let sql = "SELECT r.family_id, f.tenant_id, f.grant_id, r.permissions, r.issued_at, r.expires_at, r.used_at
         FROM oauth_refresh r JOIN oauth_family f ON f.id = r.family_id WHERE r.hash = $1 AND f.client_id = $2";
    let found = sqlx::query_as(sql).bind(secret::hash(token)).bind(client.id);
    Ok(found.fetch_optional(auth.db().directory()).await?)
}

/// Takes a token of the client back, with all that have followed from the same code. Another's, an unknown and an ended
/// one are left as they are, and answered alike.
///
/// # Errors
/// A fault: then it is not known whether it was taken back.
pub async fn revoke(auth: &Authenticator, client: &Client, asked: &TokenQuestion) -> Result<(), Failure> {
    let family = match refresh_token(auth, client, &asked.token).await? {
        Some(found) => Some(found.family_id),
        None => verified(auth, &asked.token)
            .await?
            .filter(|claims| claims.client_id == client.public_id())
            .and_then(|claims| Behind::of(&claims))
            .map(|behind| behind.family),
    };
    let Some(family) = family else { return Ok(()) };
    let mut tx = family::begin(auth).await?;
    family::revoke_in(&mut tx, family, auth.clock().now()).await?;
    tx.commit().await.map_err(Fault::from)?;
    auth.forget();
    Ok(())
}

/// Tells a client what a token of its own is. Of another's, as of one that is not good, it is told that and no more.
///
/// # Errors
/// A fault when it could not be looked up.
pub async fn introspect(
    auth: &Authenticator,
    client: &Client,
    asked: &TokenQuestion,
) -> Result<Introspection, Failure> {
    if asked.hint != Some(Hint::Refresh)
        && let Some(told) = access(auth, client, &asked.token).await?
    {
        return Ok(told);
    }
    let now = auth.clock().now();
    let Some(found) = refresh_token(auth, client, &asked.token).await? else {
        return Ok(access(auth, client, &asked.token).await?.unwrap_or_default());
    };
    let Refresh { family_id: id, tenant_id: company, grant_id: grant, .. } = found;
    let family = Family { id, company, grant, client: client.id };
    let mut tx = family::begin(auth).await?;
    let granted = family.granted_in(&mut tx, now).await?;
    tx.rollback().await.map_err(Fault::from)?;
    let good = found.used_at.is_none() && now < found.expires_at;
    let Some(granted) = granted.filter(|_| good) else { return Ok(Introspection::default()) };
    Ok(Introspection {
        active: true,
        scope: Some(scopes_of(stored(&found.permissions).and(granted.allowed()?)).to_string()),
        client_id: Some(client.public_id()),
        token_type: Some("refresh_token"),
        exp: Some(found.expires_at.timestamp()),
        iat: Some(found.issued_at.timestamp()),
        sub: granted.person_id.map(|person| id::encode(Kind::Person, person)),
        ..Introspection::default()
    })
}

/// What an access token of the client is, if it is a good one.
async fn access(auth: &Authenticator, client: &Client, token: &str) -> Result<Option<Introspection>, Fault> {
    let claims = verified(auth, token).await?.filter(|claims| claims.client_id == client.public_id());
    let Some(claims) = claims else { return Ok(None) };
    let Some(principal) = crate::oauth::principal::of(auth, token).await? else { return Ok(None) };
    Ok(Some(Introspection {
        active: true,
        scope: Some(scopes_of(principal.permissions).to_string()),
        client_id: Some(claims.client_id),
        token_type: Some("Bearer"),
        exp: Some(claims.exp),
        iat: Some(claims.iat),
        sub: Some(claims.sub),
        aud: Some(claims.aud),
        iss: Some(claims.iss),
        jti: Some(claims.jti),
    }))
}
