//! Creating, listing and revoking API keys.

use chrono::{DateTime, Utc};
use entity::identity::api_key;
use kernel::{Actor, DomainError, Fault, Kind, NewEvent, Permission, PermissionSet, Scope, Tx};
use uuid::Uuid;

use crate::authenticator::API_KEY_PREFIX;
use crate::error::Error;
use crate::secret;

/// A key to create.
#[derive(Clone, Debug)]
pub struct NewApiKey {
    /// What it is for.
    pub name: String,
    /// What it may do: at least one permission, none beyond its maker's.
    pub permissions: PermissionSet,
    /// When it ends by itself.
    pub expires_at: Option<DateTime<Utc>>,
}

/// Creates a key; its secret is the caller's to show, once.
pub async fn create(tx: &Tx, new: NewApiKey, key: &str) -> Result<Uuid, Error> {
    let scope = tx.scope();
    scope.require(Permission::ApiKeysManage)?;
    let now = scope.clock().now();
    if !(1..=100).contains(&new.name.trim().chars().count()) {
        return Err(Error::invalid("name", "a key's name has 1 to 100 characters"));
    }
    if new.permissions == PermissionSet::NONE {
        return Err(Error::invalid("permissions", "a key needs at least one permission"));
    }
    if !matches!(scope.actor(), Actor::Person(_)) {
        return Err(Error::invalid("name", "a person creates keys: sign in with e-mail and password"));
    }
    if let Some(beyond) = new.permissions.iter().find(|p| !scope.permissions().has(*p)) {
        return Err(Error::BeyondOwn(beyond.as_str()));
    }
    if new.expires_at.is_some_and(|at| at <= now) {
        return Err(Error::invalid("expiresAt", "a key expires in the future, or never"));
    }
    let id = kernel::id::new();
    let names: Vec<String> = new.permissions.iter().map(|p| p.as_str().to_owned()).collect();
    tx.run(
        "INSERT INTO api_key (tenant_id, id, name, hint, permissions, expires_at, created_at, created_by, updated_at, updated_by)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $7, $8)",
        [
            scope.company().id.into(),
            id.into(),
            new.name.trim().into(),
            key.chars().skip(key.chars().count().saturating_sub(4)).collect::<String>().into(),
            names.clone().into(),
            new.expires_at.into(),
            now.into(),
            scope.actor().stored().into(),
        ],
    )
    .await?;
    tx.run(
        "INSERT INTO api_key_hash (hash, tenant_id, api_key_id) VALUES ($1, $2, $3)",
        [secret::hash(key).into(), scope.company().id.into(), id.into()],
    )
    .await?;
    let event = NewEvent::new("api_key.created", Kind::ApiKey, id).fact("name", new.name.trim());
    event.fact("permissions", names).append(tx).await?;
    Ok(id)
}

/// A fresh secret for a key.
pub fn generate_secret() -> String {
    secret::generate(API_KEY_PREFIX)
}

/// Revokes a key for good. Revoking a revoked one changes nothing.
pub async fn revoke(tx: &Tx, id: Uuid) -> Result<(), Error> {
    let scope = tx.scope();
    scope.require(Permission::ApiKeysManage)?;
    let key: Option<api_key::Model> =
        tx.one("SELECT * FROM api_key WHERE id = $1 FOR NO KEY UPDATE", [id.into()]).await?;
    if key.ok_or(Error::NotFound(Kind::ApiKey))?.revoked_at.is_some() {
        return Ok(());
    }
    tx.run(
        "UPDATE api_key SET revoked_at = $2, version = version + 1, updated_at = $2, updated_by = $3 WHERE id = $1",
        [id.into(), scope.clock().now().into(), scope.actor().stored().into()],
    )
    .await?;
    Ok(NewEvent::new("api_key.revoked", Kind::ApiKey, id).append(tx).await?)
}

/// The keys, newest first. A company has few: they are not paged.
pub async fn list(tx: &Tx) -> Result<Vec<api_key::Model>, Error> {
    tx.scope().require(Permission::ApiKeysRead)?;
    Ok(tx.all("SELECT * FROM api_key ORDER BY id DESC", []).await?)
}

/// A key, or none for an unknown id.
pub async fn get(tx: &Tx, id: Uuid) -> Result<Option<api_key::Model>, Error> {
    tx.scope().require(Permission::ApiKeysRead)?;
    Ok(tx.one("SELECT * FROM api_key WHERE id = $1", [id.into()]).await?)
}

/// Who made a key, as a stored actor; none for an unknown id. For another domain's use case, in its transaction.
pub async fn maker_in(tx: &Tx, key_id: Uuid) -> Result<Option<String>, Fault> {
    let row: Option<(String,)> =
        tx.tuple("SELECT created_by FROM api_key WHERE id = $1", [key_id.into()]).await?;
    Ok(row.map(|(created_by,)| created_by))
}

/// Notes that a key was used.
pub(crate) async fn touch(scope: &Scope, id: Uuid, at: DateTime<Utc>) -> Result<(), Fault> {
    let touched: Result<(), Error> = scope
        .write(|tx| {
            Box::pin(async move {
                tx.run("UPDATE api_key SET last_used_at = $2 WHERE id = $1", [id.into(), at.into()]).await?;
                Ok(())
            })
        })
        .await;
    touched.map_err(|error| match error {
        Error::Fault(fault) => fault,
        other => Fault::Internal(format!("{}: {other}", other.code())),
    })
}
