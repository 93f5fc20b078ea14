//! Giving tokens out, renewing them, taking them back, and telling what they are.

mod family;
mod question;

use authority::{AccessClaims, AccessKey, Challenge, Code, Refusal, Scopes, TokenAnswer};
use chrono::{DateTime, TimeDelta, Utc};
use kernel::{Fault, Kind, PermissionSet, id};
use uuid::Uuid;

use self::family::{Family, Tx};
use super::client::{Client, ClientKind, GrantType};
use super::consent::Given;
use super::principal::GrantRow;
use super::{Failure, keys, names, permissions_of, scopes_of, stored};
use crate::authenticator::Authenticator;
use crate::secret;

pub use self::family::sweep;
pub use self::question::{introspect, revoke};

/// How long an access token lives.
pub const ACCESS: TimeDelta = TimeDelta::minutes(10);
/// How long a code lives (RFC 6749, section 4.1.2, allows ten minutes).
pub const CODE: TimeDelta = TimeDelta::seconds(60);
/// How long a refresh token lives without use.
pub const IDLE: TimeDelta = TimeDelta::days(30);
/// How long an application goes on without asking the person again.
pub const ABSOLUTE: TimeDelta = TimeDelta::days(90);

const CODE_PREFIX: &str = "oc_";

/// Makes the code that brings an application its tokens, for what was just granted.
///
/// # Errors
/// A fault when it cannot be stored.
pub async fn issue_code(
    auth: &Authenticator,
    client: &Client,
    given: &Given,
    redirect_uri: &str,
    challenge: &Challenge,
) -> Result<String, Fault> {
    let code = secret::generate(CODE_PREFIX);
    sqlx::query(
        "INSERT INTO oauth_code (hash, tenant_id, grant_id, client_id, redirect_uri, challenge, permissions, expires_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
    )
    .bind(secret::hash(&code))
    .bind(given.company)
    .bind(given.grant)
    .bind(client.id)
    .bind(redirect_uri)
    .bind(challenge.digest().as_slice())
    .bind(names(given.permissions))
    .bind(auth.clock().now() + CODE)
    .execute(auth.db().directory())
    .await?;
    Ok(code)
}

#[derive(sqlx::FromRow)]
struct CodeRow {
    tenant_id: Uuid,
    grant_id: Uuid,
    client_id: Uuid,
    family_id: Option<Uuid>,
    redirect_uri: String,
    challenge: Vec<u8>,
    permissions: Vec<String>,
    expires_at: DateTime<Utc>,
    used_at: Option<DateTime<Utc>>,
}

/// Gives the tokens of a code: once, to who asked for it. A code that comes again ends the tokens that it has given
/// (RFC 6749, section 4.1.2); one with a wrong verifier is used up.
///
/// # Errors
/// `invalid_grant`, in the same words whatever is wrong; faults.
pub async fn redeem(
    auth: &Authenticator,
    client: &Client,
    code: &str,
    verifier: &str,
    redirect_uri: Option<&str>,
) -> Result<TokenAnswer, Failure> {
    may_get(client, GrantType::AuthorizationCode)?;
    let (hash, now, key) = (secret::hash(code), auth.clock().now(), keys::signing(auth).await?);
    let mut tx = family::begin(auth).await?;
    let sql = "SELECT tenant_id, grant_id, client_id, family_id, redirect_uri, challenge, permissions, expires_at, used_at
         FROM oauth_code WHERE hash = $1 FOR UPDATE";
    let found: Option<CodeRow> =
        sqlx::query_as(sql).bind(&hash).fetch_optional(&mut *tx).await.map_err(Fault::from)?;
    let row = found.filter(|row| row.client_id == client.id).ok_or(Refusal::grant())?;
    if row.used_at.is_some() {
        if let Some(family) = row.family_id {
            family::revoke_in(&mut tx, family, now).await?;
            tracing::warn!(client = %client.public_id(), "a code came again: its tokens are revoked");
        }
        return refused(auth, tx).await;
    }
    let meets = <[u8; 32]>::try_from(row.challenge.as_slice())
        .is_ok_and(|challenge| Challenge::from_digest(challenge).is_met_by(verifier));
    let good = now < row.expires_at && meets && redirect_uri.is_none_or(|uri| uri == row.redirect_uri);
    let family =
        Family { id: kernel::id::new(), company: row.tenant_id, grant: row.grant_id, client: client.id };
    if good {
        family.begin_in(&mut tx, now, now + ABSOLUTE).await?;
    }
    sqlx::query("UPDATE oauth_code SET used_at = $2, family_id = $3 WHERE hash = $1")
        .bind(&hash)
        .bind(now)
        .bind(good.then_some(family.id))
        .execute(&mut *tx)
        .await
        .map_err(Fault::from)?;
    let granted = if good { family.granted_in(&mut tx, now).await? } else { None };
    let Some(granted) = granted else { return refused(auth, tx).await };
    let permissions = stored(&row.permissions);
    let refresh = if client.gets(GrantType::RefreshToken) {
        Some(family.renew_in(&mut tx, permissions, now, now + IDLE).await?)
    } else {
        None
    };
    let answer = answer(auth, &key, client, &granted, Wanted { family: family.id, permissions, refresh })?;
    tx.commit().await.map_err(Fault::from)?;
    Ok(answer)
}

/// Commits what was noted, and refuses; what was revoked by it ends here at once.
async fn refused<T>(auth: &Authenticator, tx: Tx) -> Result<T, Failure> {
    tx.commit().await.map_err(Fault::from)?;
    auth.forget();
    Err(Refusal::grant().into())
}

fn may_get(client: &Client, grant: GrantType) -> Result<(), Refusal> {
    if client.gets(grant) {
        return Ok(());
    }
    Err(Refusal::new(Code::UnauthorizedClient, "the application has not registered this grant type"))
}

#[derive(sqlx::FromRow)]
struct RefreshRow {
    client_id: Uuid,
    family_id: Uuid,
    tenant_id: Uuid,
    grant_id: Uuid,
    permissions: Vec<String>,
    expires_at: DateTime<Utc>,
    used_at: Option<DateTime<Utc>>,
    ends_at: DateTime<Utc>,
    revoked_at: Option<DateTime<Utc>>,
}

/// Renews tokens by a refresh token, which is used up by it. A used one that comes again ends the whole family: the
/// thief's and the owner's cannot be told apart (RFC 9700, section 4.14.2). There is no grace.
///
/// # Errors
/// `invalid_grant`, in the same words whatever is wrong; `invalid_scope` for more than was granted; faults.
pub async fn refresh(
    auth: &Authenticator,
    client: &Client,
    token: &str,
    scopes: Option<&Scopes>,
) -> Result<TokenAnswer, Failure> {
    may_get(client, GrantType::RefreshToken)?;
    if !credentials::secret::is_well_formed(token) {
        return Err(Refusal::grant().into());
    }
    let (hash, now, key) = (secret::hash(token), auth.clock().now(), keys::signing(auth).await?);
    let mut tx = family::begin(auth).await?;
    let sql = "SELECT f.client_id, r.family_id, f.tenant_id, f.grant_id, r.permissions, r.expires_at, r.used_at, f.ends_at,
             f.revoked_at
         FROM oauth_refresh r JOIN oauth_family f ON f.id = r.family_id WHERE r.hash = $1 FOR UPDATE";
    let found: Option<RefreshRow> =
        sqlx::query_as(sql).bind(&hash).fetch_optional(&mut *tx).await.map_err(Fault::from)?;
    let row = found.filter(|row| row.client_id == client.id).ok_or(Refusal::grant())?;
    if row.used_at.is_some() {
        if row.revoked_at.is_none() {
            family::revoke_in(&mut tx, row.family_id, now).await?;
            tracing::warn!(client = %client.public_id(), "a used refresh token came again: its family is revoked");
        }
        return refused(auth, tx).await;
    }
    if row.revoked_at.is_some() || row.expires_at <= now || row.ends_at <= now {
        return Err(Refusal::grant().into());
    }
    let all = stored(&row.permissions);
    let wanted = within(scopes, all)?;
    let family = Family { id: row.family_id, company: row.tenant_id, grant: row.grant_id, client: client.id };
    let granted = family.granted_in(&mut tx, now).await?.ok_or(Refusal::grant())?;
    sqlx::query("UPDATE oauth_refresh SET used_at = $2 WHERE hash = $1")
        .bind(&hash)
        .bind(now)
        .execute(&mut *tx)
        .await
        .map_err(Fault::from)?;
    let next = family.renew_in(&mut tx, all, now, (now + IDLE).min(row.ends_at)).await?;
    let answer = answer(
        auth,
        &key,
        client,
        &granted,
        Wanted { family: family.id, permissions: wanted, refresh: Some(next) },
    )?;
    tx.commit().await.map_err(Fault::from)?;
    Ok(answer)
}

/// Gives a confidential application a token for itself, in its own company.
///
/// # Errors
/// `unauthorized_client`, `invalid_scope`, `invalid_grant`; faults.
pub async fn client_credentials(
    auth: &Authenticator,
    client: &Client,
    scopes: Option<&Scopes>,
) -> Result<TokenAnswer, Failure> {
    may_get(client, GrantType::ClientCredentials)?;
    if client.kind != ClientKind::Confidential {
        return Err(Refusal::client().into());
    }
    let wanted = within(scopes, client.permissions)?;
    let now = auth.clock().now();
    let standing: Option<(Uuid, Uuid)> =
        sqlx::query_as("SELECT tenant_id, grant_id FROM oauth_standing_grant($1)")
            .bind(client.id)
            .fetch_optional(auth.db().directory())
            .await
            .map_err(Fault::from)?;
    let (company, grant) = standing.ok_or(Refusal::grant())?;
    let family = Family { id: kernel::id::new(), company, grant, client: client.id };
    let key = keys::signing(auth).await?;
    let mut tx = family::begin(auth).await?;
    family.begin_in(&mut tx, now, now + ACCESS).await?;
    let granted = family.granted_in(&mut tx, now).await?.ok_or(Refusal::grant())?;
    let answer = answer(
        auth,
        &key,
        client,
        &granted,
        Wanted { family: family.id, permissions: wanted, refresh: None },
    )?;
    tx.commit().await.map_err(Fault::from)?;
    Ok(answer)
}

/// The wanted permissions: all when none are named, never others.
fn within(scopes: Option<&Scopes>, all: PermissionSet) -> Result<PermissionSet, Refusal> {
    let Some(scopes) = scopes else { return Ok(all) };
    let wanted = permissions_of(scopes)?;
    if all.contains(wanted) {
        return Ok(wanted);
    }
    Err(Refusal::new(Code::InvalidScope, "more is asked than the application may have here"))
}

/// What an answer is made of, beside the grant.
struct Wanted {
    family: Uuid,
    permissions: PermissionSet,
    refresh: Option<String>,
}

/// The answer with an access token, for what is wanted and allowed now.
fn answer(
    auth: &Authenticator,
    key: &AccessKey,
    client: &Client,
    granted: &GrantRow,
    wanted: Wanted,
) -> Result<TokenAnswer, Failure> {
    let permissions = wanted.permissions.and(granted.allowed()?);
    if permissions == PermissionSet::NONE {
        return Err(Refusal::grant().into());
    }
    let now = auth.clock().now();
    let scope = scopes_of(permissions).to_string();
    let claims = AccessClaims {
        iss: auth.issuer().to_owned(),
        sub: granted.person_id.map_or_else(|| client.public_id(), |person| id::encode(Kind::Person, person)),
        aud: auth.oauth().audience(),
        client_id: client.public_id(),
        iat: now.timestamp(),
        exp: (now + ACCESS).timestamp(),
        jti: format!("{}.{}", wanted.family, Uuid::from_bytes(rand::random()).simple()),
        scope: scope.clone(),
        grant_id: id::encode(Kind::Grant, granted.grant_id),
        company_id: id::encode(Kind::Company, granted.tenant_id),
    };
    let access_token = key.sign(&claims).map_err(|e| Fault::Internal(e.to_string()))?;
    let expires_in = u32::try_from(ACCESS.num_seconds()).unwrap_or_default();
    Ok(TokenAnswer { access_token, token_type: "Bearer", expires_in, refresh_token: wanted.refresh, scope })
}
