//! Creating, listing, changing, rotating, handing over and revoking API keys.

use chrono::{DateTime, TimeDelta, Utc};
use credentials::secret as form;
use entity::identity::api_key;
use kernel::{Actor, DomainError, Fault, Kind, Mode, NewEvent, Permission, PermissionSet, Scope, Tx};
use uuid::Uuid;

use super::network;
use crate::error::Error;
use crate::role::Role;
use crate::secret;

/// Longest time, in hours, that a replaced secret stays good.
pub const LONGEST_OVERLAP_HOURS: u16 = 720;

/// A key to create.
#[derive(Clone, Debug)]
pub struct NewApiKey {
    /// What it is for.
    pub name: String,
    /// What it may do: at least one permission, none beyond its maker's.
    pub permissions: PermissionSet,
    /// When it ends by itself.
    pub expires_at: Option<DateTime<Utc>>,
    /// The networks it may come from, in CIDR notation; none for any.
    pub networks: Vec<String>,
}

/// What may be changed of a key; `None` leaves a field as it is. What it may do never changes: another right is another
/// key.
#[derive(Clone, Debug, Default)]
pub struct KeyChange {
    /// What it is for.
    pub name: Option<String>,
    /// The networks it may come from; empty for any.
    pub networks: Option<Vec<String>>,
    /// When it ends by itself; `Some(None)` for never.
    pub expires_at: Option<Option<DateTime<Utc>>>,
}

fn checked_name(name: &str) -> Result<&str, Error> {
    let name = name.trim();
    if (1..=100).contains(&name.chars().count()) {
        Ok(name)
    } else {
        Err(Error::invalid("name", "a key's name has 1 to 100 characters"))
    }
}

fn checked_expiry(expires_at: Option<DateTime<Utc>>, now: DateTime<Utc>) -> Result<(), Error> {
    if expires_at.is_some_and(|at| at <= now) {
        return Err(Error::invalid("expiresAt", "a key expires in the future, or never"));
    }
    Ok(())
}

/// The last four characters, by which people tell their secrets apart.
fn hint_of(key: &str) -> String {
    key.chars().skip(key.chars().count().saturating_sub(4)).collect()
}

/// A fresh secret for a key of a company of this mode: `ck_live_…` or `ck_test_…`.
pub fn generate_secret(mode: Mode) -> String {
    form::generate(match mode {
        Mode::Live => form::API_KEY_LIVE,
        Mode::Test => form::API_KEY_TEST,
    })
}

/// Creates a key; its secret is the caller's to show, once.
pub async fn create(tx: &Tx, new: NewApiKey, key: &str) -> Result<Uuid, Error> {
    let scope = tx.scope();
    scope.require(Permission::ApiKeysManage)?;
    let now = scope.clock().now();
    let name = checked_name(&new.name)?;
    if new.permissions == PermissionSet::NONE {
        return Err(Error::invalid("permissions", "a key needs at least one permission"));
    }
    let Actor::Person(responsible) = scope.actor() else {
        return Err(Error::invalid("name", "a person creates keys: sign in with e-mail and password"));
    };
    own(scope, new.permissions)?;
    checked_expiry(new.expires_at, now)?;
    let networks = network::checked(&new.networks)?;
    let id = tx.new_id();
    let names: Vec<String> = new.permissions.iter().map(|p| p.as_str().to_owned()).collect();
    tx.run(
        "INSERT INTO api_key (tenant_id, id, name, hint, permissions, expires_at, created_at, created_by, updated_at,
             updated_by, responsible_id, networks, people_ids)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $7, $8, $9, $10, ARRAY[$9::uuid])",
        [
            scope.company().id.into(),
            id.into(),
            name.into(),
            hint_of(key).into(),
            names.clone().into(),
            new.expires_at.into(),
            now.into(),
            scope.actor().stored().into(),
            responsible.into(),
            networks.clone().into(),
        ],
    )
    .await?;
    insert_hash(tx, id, key).await?;
    let event = NewEvent::new("api_key.created", Kind::ApiKey, id).fact("name", name);
    event.fact("permissions", names).fact("networks", networks).append(tx).await?;
    Ok(id)
}

/// Who handles a key's secret or rights holds every permission of the key: else it would lend what one has not.
fn own(scope: &Scope, permissions: PermissionSet) -> Result<(), Error> {
    match permissions.iter().find(|p| !scope.permissions().has(*p)) {
        Some(beyond) => Err(Error::BeyondOwn(beyond.as_str())),
        None => Ok(()),
    }
}

fn permissions_of(key: &api_key::Model) -> PermissionSet {
    key.permissions.iter().filter_map(|name| Permission::parse(name)).collect()
}

async fn insert_hash(tx: &Tx, id: Uuid, key: &str) -> Result<(), Fault> {
    let scope = tx.scope();
    tx.run(
        "INSERT INTO api_key_hash (hash, tenant_id, api_key_id, created_at) VALUES ($1, $2, $3, $4)",
        [secret::hash(key).into(), scope.company().id.into(), id.into(), scope.clock().now().into()],
    )
    .await?;
    Ok(())
}

async fn locked(tx: &Tx, id: Uuid) -> Result<api_key::Model, Error> {
    let key = tx.one("SELECT * FROM api_key WHERE id = $1 FOR NO KEY UPDATE", [id.into()]).await?;
    key.ok_or(Error::NotFound(Kind::ApiKey))
}

/// A key that has not ended, locked.
async fn living(tx: &Tx, id: Uuid) -> Result<api_key::Model, Error> {
    let key = locked(tx, id).await?;
    let now = tx.scope().clock().now();
    if key.revoked_at.is_some() || key.expires_at.is_some_and(|at| at <= now) {
        return Err(Error::KeyEnded);
    }
    Ok(key)
}

/// A key that has not ended, locked, as the client has read it.
async fn as_read(tx: &Tx, id: Uuid, expected_version: i32) -> Result<api_key::Model, Error> {
    let key = living(tx, id).await?;
    if key.version != expected_version {
        return Err(Error::Conflict { expected: expected_version, actual: key.version });
    }
    Ok(key)
}

/// Changes what a key is called, where it may come from and when it ends.
pub async fn update(tx: &Tx, id: Uuid, expected_version: i32, change: KeyChange) -> Result<(), Error> {
    let scope = tx.scope();
    scope.require(Permission::ApiKeysManage)?;
    let before = as_read(tx, id, expected_version).await?;
    let now = scope.clock().now();
    let name = match &change.name {
        Some(name) => checked_name(name)?.to_owned(),
        None => before.name.clone(),
    };
    let networks = match &change.networks {
        Some(networks) => network::checked(networks)?,
        None => before.networks.clone(),
    };
    let expires_at = change.expires_at.unwrap_or(before.expires_at);
    checked_expiry(expires_at, now)?;
    tx.run(
        "UPDATE api_key SET name = $2, networks = $3, expires_at = $4, version = version + 1, updated_at = $5,
             updated_by = $6
         WHERE id = $1",
        [
            id.into(),
            name.clone().into(),
            networks.clone().into(),
            expires_at.into(),
            now.into(),
            scope.actor().stored().into(),
        ],
    )
    .await?;
    NewEvent::new("api_key.updated", Kind::ApiKey, id)
        .changed("name", &before.name, &name)
        .changed("networks", &before.networks, &networks)
        .changed("expiresAt", &before.expires_at, &expires_at)
        .append(tx)
        .await?;
    Ok(())
}

/// Gives a key a new secret, which is the caller's to show, once. The one before stays good for so many hours; one that
/// was replaced earlier ends now. Who rotates must hold every permission of the key.
///
/// # Errors
/// [`Error::BeyondOwn`]; [`Error::KeyEnded`].
pub async fn rotate(tx: &Tx, id: Uuid, overlap_hours: u16, key: &str) -> Result<(), Error> {
    let scope = tx.scope();
    scope.require(Permission::ApiKeysManage)?;
    if overlap_hours > LONGEST_OVERLAP_HOURS {
        return Err(Error::invalid("overlapHours", "the old secret stays good for 0 to 720 hours"));
    }
    let before = living(tx, id).await?;
    own(scope, permissions_of(&before))?;
    let now = scope.clock().now();
    let good_until = now + TimeDelta::hours(i64::from(overlap_hours));
    tx.run(
        "UPDATE api_key_hash SET good_until = CASE WHEN good_until IS NULL THEN $3 ELSE least(good_until, $4) END
         WHERE tenant_id = $1 AND api_key_id = $2",
        [scope.company().id.into(), id.into(), good_until.into(), now.into()],
    )
    .await?;
    insert_hash(tx, id, key).await?;
    let people = behind_in(tx, &scope.actor().stored()).await?;
    tx.run(
        "UPDATE api_key SET hint = $2, rotated_at = $3, old_secret_good_until = $4, version = version + 1,
             updated_at = $3, updated_by = $5,
             people_ids = people_ids || ARRAY(SELECT unnest($6::uuid[]) EXCEPT SELECT unnest(people_ids))
         WHERE id = $1",
        [
            id.into(),
            hint_of(key).into(),
            now.into(),
            good_until.into(),
            scope.actor().stored().into(),
            people.into(),
        ],
    )
    .await?;
    let event = NewEvent::new("api_key.rotated", Kind::ApiKey, id).fact("overlapHours", overlap_hours);
    Ok(event.append(tx).await?)
}

/// Makes another member responsible for a key: with that person's rights it acts from now on, and with that person's
/// leaving it ends. Both who hands it over and who takes it must hold every permission of the key.
///
/// # Errors
/// [`Error::BeyondOwn`]; [`Error::BeyondResponsible`]; [`Error::KeyEnded`].
pub async fn hand_over(tx: &Tx, id: Uuid, expected_version: i32, member: Uuid) -> Result<(), Error> {
    let scope = tx.scope();
    scope.require(Permission::ApiKeysManage)?;
    let before = as_read(tx, id, expected_version).await?;
    own(scope, permissions_of(&before))?;
    let found: Option<(Uuid, String, Option<Vec<String>>)> = tx
        .tuple(
            "SELECT m.person_id, m.role, r.permissions FROM membership m
             JOIN role r ON r.tenant_id = m.tenant_id AND r.key = m.role
             WHERE m.id = $1 AND m.archived_at IS NULL AND m.suspended_at IS NULL",
            [member.into()],
        )
        .await?;
    let (person, role, stored) = found.ok_or(Error::NotFound(Kind::Membership))?;
    let held = Role::permissions_of(&role, stored.as_deref())
        .ok_or_else(|| Fault::Corrupt(format!("role {role}")))?;
    if let Some(beyond) = permissions_of(&before).iter().find(|p| !held.has(*p)) {
        return Err(Error::BeyondResponsible(beyond.as_str()));
    }
    if before.responsible_id == Some(person) {
        return Ok(());
    }
    tx.run(
        "UPDATE api_key SET responsible_id = $2, version = version + 1, updated_at = $3, updated_by = $4,
             people_ids = people_ids || ARRAY(SELECT $2::uuid EXCEPT SELECT unnest(people_ids))
         WHERE id = $1",
        [id.into(), person.into(), scope.clock().now().into(), scope.actor().stored().into()],
    )
    .await?;
    let event = NewEvent::new("api_key.handed_over", Kind::ApiKey, id);
    Ok(event.fact("to", kernel::id::encode(Kind::Membership, member)).append(tx).await?)
}

/// Revokes a key for good, with every secret of it. Revoking a revoked one changes nothing.
pub async fn revoke(tx: &Tx, id: Uuid) -> Result<(), Error> {
    let scope = tx.scope();
    scope.require(Permission::ApiKeysManage)?;
    if locked(tx, id).await?.revoked_at.is_some() {
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

/// The people who stand behind a stored actor: the person, of a grant who gave it, or of a key or an application that acts
/// for itself everybody who made it, was shown a secret of it or was responsible for it. For another domain's use case, in its transaction.
pub async fn behind_in(tx: &Tx, stored: &str) -> Result<Vec<Uuid>, Fault> {
    match Actor::parse(stored) {
        Some(Actor::Person(person)) => Ok(vec![person]),
        Some(Actor::ApiKey(key)) => {
            let row: Option<(Vec<Uuid>,)> =
                tx.tuple("SELECT people_ids FROM api_key WHERE id = $1", [key.into()]).await?;
            Ok(row.map(|(people,)| people).unwrap_or_default())
        }
        Some(Actor::Grant(grant)) => crate::oauth::grant::service::people_in(tx, grant).await,
        _ => Ok(Vec::new()),
    }
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
