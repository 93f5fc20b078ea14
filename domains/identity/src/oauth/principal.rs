//! Who an access token stands for, as its grant, its application and the person behind it are now.

use authority::{AccessClaims, Scopes};
use chrono::{DateTime, TimeDelta, Utc};
use kernel::{Actor, Fault, Kind, Origin, PermissionSet, id};
use uuid::Uuid;

use super::{keys, permissions_of, stored};
use crate::assurance::Assurance;
use crate::authenticator::{Authenticator, Principal, facts_of, is_bound, role_permissions};

/// How often "last used" is written.
const SEEN: TimeDelta = TimeDelta::seconds(60);

/// What the database says of a living grant.
#[derive(Clone, Debug, sqlx::FromRow)]
pub(crate) struct GrantRow {
    pub grant_id: Uuid,
    pub tenant_id: Uuid,
    pub client_id: Uuid,
    pub person_id: Option<Uuid>,
    pub permissions: Vec<String>,
    pub client_permissions: Vec<String>,
    pub role: String,
    pub role_permissions: Option<Vec<String>>,
    pub last_used_at: Option<DateTime<Utc>>,
    pub currency: String,
    pub zone: String,
    pub locale: String,
    pub mode: String,
    pub documents_only: bool,
    pub second_factor_due: bool,
}

impl GrantRow {
    /// What the grant allows now: never more than the application may ask for, nor than the person's role.
    pub(crate) fn allowed(&self) -> Result<PermissionSet, Fault> {
        let of_role = role_permissions(&self.role, self.role_permissions.as_deref())?;
        Ok(stored(&self.permissions).and(stored(&self.client_permissions)).and(of_role))
    }
}

/// Company, grant and family of a token.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Behind {
    pub company: Uuid,
    pub grant: Uuid,
    pub family: Uuid,
}

impl Behind {
    /// Reads them from claims that were verified. The family stands before the dot of the token's id.
    pub(crate) fn of(claims: &AccessClaims) -> Option<Self> {
        Some(Self {
            company: id::decode(Kind::Company, &claims.company_id).ok()?,
            grant: id::decode(Kind::Grant, &claims.grant_id).ok()?,
            family: claims.jti.split_once('.')?.0.parse().ok()?,
        })
    }

    fn bytes(self) -> Vec<u8> {
        [self.company, self.grant, self.family].iter().flat_map(|id| *id.as_bytes()).collect()
    }
}

/// The claims of a token that was made here and is not over.
///
/// # Errors
/// A fault when the keys cannot be read.
pub(crate) async fn verified(auth: &Authenticator, token: &str) -> Result<Option<AccessClaims>, Fault> {
    let Ok(signed) = authority::jose::Signed::parse(token) else { return Ok(None) };
    let keys = keys::verifying(auth, signed.header.kid.as_deref()).await?;
    let oauth = auth.oauth();
    Ok(keys.verify(token, &oauth.issuer, &oauth.audience(), auth.clock().now()).ok())
}

/// Who an access token stands for; nobody when it is not good, or what it follows from has ended.
///
/// # Errors
/// A fault when it could not be looked up.
pub(crate) async fn of(auth: &Authenticator, token: &str) -> Result<Option<Principal>, Fault> {
    let Some(claims) = verified(auth, token).await? else { return Ok(None) };
    let Some(behind) = Behind::of(&claims) else { return Ok(None) };
    let Some(row) = look_up(auth, behind).await? else { return Ok(None) };
    let scopes = Scopes::parse(&claims.scope).ok().and_then(|scopes| permissions_of(&scopes).ok());
    let permissions = row.allowed()?.and(scopes.unwrap_or_default());
    let principal = Principal {
        company: facts_of(row.tenant_id, &row.currency, &row.zone, row.locale, &row.mode)?,
        actor: Actor::Grant(row.grant_id),
        permissions: if row.second_factor_due { PermissionSet::NONE } else { permissions },
        session: None,
        role: None,
        assurance: Assurance::SecondFactor,
        second_factor_due: row.second_factor_due,
        confined: true,
        networks: std::sync::Arc::default(),
        documents_only: is_bound(row.documents_only, permissions),
    };
    let now = auth.clock().now();
    if row.last_used_at.is_none_or(|last| last + SEEN < now) {
        let scope = auth.scope(&principal, Origin::default());
        super::grant::service::touch(&scope, row.grant_id, now).await?;
    }
    Ok(Some(principal))
}

/// What the database says of what is behind a token. Look-ups of many tokens share statements.
async fn look_up(auth: &Authenticator, behind: Behind) -> Result<Option<GrantRow>, Fault> {
    let (db, clock) = (auth.db().clone(), auth.clock().clone());
    let found = auth.oauth().grants.find(behind.bytes(), move |asked| {
        let part = |at: usize| -> Vec<Uuid> {
            let uuid = |bytes: &Vec<u8>| bytes.get(at * 16..).and_then(|rest| rest.first_chunk::<16>()).copied();
            asked.iter().map(|bytes| uuid(bytes).map(Uuid::from_bytes).unwrap_or_default()).collect()
        };
        let rows = sqlx::query_as(
            "SELECT token.place, p.*
             FROM unnest($1::uuid[], $2::uuid[], $3::uuid[]) WITH ORDINALITY AS token (company, granted, family, place)
             CROSS JOIN LATERAL oauth_grant_principal(token.company, token.granted, token.family, $4) AS p",
        );
        let rows = rows.bind(part(0)).bind(part(1)).bind(part(2)).bind(clock.now());
        let db = db.clone();
        async move { Ok(rows.fetch_all(db.directory()).await?) }
    });
    found.await
}
