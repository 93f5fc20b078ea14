//! Finding an application by its public id, whichever company's it is, and having it prove to be itself.

use authority::{Assertion, ClientAuthentication, Jwks, Refusal};
use kernel::{Fault, Kind, id};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::{Client, ClientKind, GrantType};
use crate::authenticator::Authenticator;
use crate::oauth::{Failure, stored};
use crate::secret;

#[derive(sqlx::FromRow)]
struct Row {
    id: Uuid,
    tenant_id: Uuid,
    company_name: String,
    mode: String,
    name: String,
    homepage: String,
    kind: String,
    grant_types: Vec<String>,
    redirect_uris: Vec<String>,
    permissions: Vec<String>,
    jwks: Option<serde_json::Value>,
    has_secret: bool,
}

impl TryFrom<Row> for Client {
    type Error = Fault;

    fn try_from(row: Row) -> Result<Self, Fault> {
        let wrong = || Fault::Corrupt(format!("application {}", row.id));
        Ok(Self {
            id: row.id,
            company: row.tenant_id,
            company_name: row.company_name,
            is_test: row.mode == "test",
            name: row.name,
            homepage: row.homepage,
            kind: ClientKind::parse(&row.kind).ok_or_else(wrong)?,
            grant_types: row.grant_types.iter().filter_map(|name| GrantType::parse(name)).collect(),
            redirect_uris: row.redirect_uris,
            permissions: stored(&row.permissions),
        })
    }
}

async fn row(auth: &Authenticator, public_id: &str, hash: Option<Vec<u8>>) -> Result<Option<Row>, Fault> {
    let Ok(id) = id::decode(Kind::Application, public_id) else { return Ok(None) };
    let found = sqlx::query_as(
        "SELECT id, tenant_id, company_name, mode, name, homepage, kind, grant_types, redirect_uris, permissions, jwks, has_secret
         FROM oauth_client_of($1, $2, $3)",
    );
    let found = found.bind(id).bind(hash.unwrap_or_default()).bind(auth.clock().now());
    Ok(found.fetch_optional(auth.db().directory()).await?)
}

/// A living application by its public id.
///
/// # Errors
/// A fault when it could not be looked up.
pub async fn find(auth: &Authenticator, public_id: &str) -> Result<Option<Client>, Fault> {
    row(auth, public_id, None).await?.map(Client::try_from).transpose()
}

/// The application that a request comes from, when it proves so; of a public one, which has nothing to prove it with, the
/// one that it says. `endpoint` is where it asks, as assertions may name it.
///
/// # Errors
/// `invalid_client`, always in the same words; a fault when it could not be looked up.
pub async fn authenticate(
    auth: &Authenticator,
    presented: &ClientAuthentication,
    endpoint: &str,
) -> Result<Client, Failure> {
    let hash = match presented {
        ClientAuthentication::Secret { secret, .. } => Some(secret::hash(secret)),
        _ => None,
    };
    let row = row(auth, presented.client_id(), hash).await?.ok_or(Refusal::client())?;
    let confidential = row.kind == ClientKind::Confidential.as_str();
    match presented {
        ClientAuthentication::None { .. } if !confidential => {}
        ClientAuthentication::Secret { .. } if confidential && row.has_secret => {}
        ClientAuthentication::Assertion { assertion, .. } => prove(auth, &row, assertion, endpoint).await?,
        _ => return Err(Refusal::client().into()),
    }
    Ok(Client::try_from(row)?)
}

/// Verifies an assertion by the application's own keys, and takes it once.
async fn prove(auth: &Authenticator, row: &Row, assertion: &str, endpoint: &str) -> Result<(), Failure> {
    let keys = row.jwks.as_ref().and_then(|jwks| Jwks::parse(jwks).ok()).ok_or(Refusal::client())?;
    let (client, now) = (id::encode(Kind::Application, row.id), auth.clock().now());
    let audiences = [auth.issuer(), endpoint];
    let verified = Assertion::verify(assertion, &client, &keys, &audiences, now);
    let verified = verified.map_err(|why| {
        tracing::info!(%client, %why, "an assertion was refused");
        Refusal::client()
    })?;
    let taken = sqlx::query(
        "INSERT INTO oauth_assertion (client_id, hash, expires_at) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING",
    )
    .bind(row.id)
    .bind(Sha256::digest(verified.id.as_bytes()).to_vec())
    .bind(verified.expires_at)
    .execute(auth.db().directory())
    .await
    .map_err(Fault::from)?;
    if taken.rows_affected() == 1 { Ok(()) } else { Err(Refusal::client().into()) }
}
