//! Registering, changing and archiving applications, and changing their secrets.

use chrono::{DateTime, TimeDelta, Utc};
use entity::identity::oauth_client;
use kernel::{Actor, Fault, Kind, NewEvent, Permission, PermissionSet, Tx};
use sea_orm::FromQueryResult;
use uuid::Uuid;

use super::{Client, ClientKind, GrantType, NewClient};
use crate::error::Error;
use crate::oauth::grant::service as grants;
use crate::oauth::{names, stored};
use crate::secret;

/// Longest that an old secret stays good beside a new one, in hours.
pub const LONGEST_OVERLAP_HOURS: u32 = 720;

/// A fresh secret for an application.
pub fn generate_secret() -> String {
    credentials::secret::generate(credentials::secret::CLIENT_SECRET)
}

/// Registers an application. `secret` is the caller's to show, once, when [`NewClient::has_secret`].
pub async fn register(tx: &Tx, new: NewClient, secret: &str) -> Result<Uuid, Error> {
    let scope = tx.scope();
    scope.require(Permission::ApplicationsManage)?;
    new.check()?;
    let Actor::Person(maker) = scope.actor() else {
        return Err(Error::invalid(
            "name",
            "a person registers applications: sign in with e-mail and password",
        ));
    };
    within_own(tx, new.permissions)?;
    let id = tx.new_id();
    let (now, by) = (scope.clock().now(), scope.actor().stored());
    let mut grant_types = new.grant_types.clone();
    grant_types.sort_unstable();
    grant_types.dedup();
    let client = Client {
        id,
        company: scope.company().id,
        company_name: String::new(),
        is_test: scope.is_test(),
        name: new.name.trim().to_owned(),
        homepage: new.homepage.clone(),
        kind: new.kind,
        grant_types,
        redirect_uris: new.redirect_uris.clone(),
        permissions: new.permissions,
    };
    let grant_types: Vec<String> = client.grant_types.iter().map(|grant| grant.as_str().to_owned()).collect();
    tx.run(
        "INSERT INTO oauth_client (tenant_id, id, name, homepage, kind, grant_types, redirect_uris, permissions, jwks,
             responsible_id, people_ids, created_at, created_by, updated_at, updated_by)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, ARRAY[$10], $11, $12, $11, $12)",
        [
            client.company.into(),
            id.into(),
            client.name.clone().into(),
            client.homepage.clone().into(),
            client.kind.as_str().into(),
            grant_types.clone().into(),
            client.redirect_uris.clone().into(),
            names(client.permissions).into(),
            new.jwks.clone().into(),
            maker.into(),
            now.into(),
            by.into(),
        ],
    )
    .await?;
    if new.has_secret() {
        add_secret(tx, id, secret).await?;
    }
    let event = NewEvent::new("application.registered", Kind::Application, id).fact("name", &client.name);
    let event = event.fact("kind", client.kind.as_str()).fact("grant_types", grant_types);
    let event = event.fact("redirect_uris", &client.redirect_uris);
    event.fact("permissions", names(client.permissions)).append(tx).await?;
    if client.gets(GrantType::ClientCredentials) {
        grants::give_in(tx, &client, None, client.permissions).await?;
    }
    Ok(id)
}

/// Nobody registers an application that may do more than they may themselves.
fn within_own(tx: &Tx, permissions: PermissionSet) -> Result<(), Error> {
    let own = tx.scope().permissions();
    match permissions.iter().find(|permission| !own.has(*permission)) {
        Some(beyond) => Err(Error::BeyondOwn(beyond.as_str())),
        None => Ok(()),
    }
}

async fn add_secret(tx: &Tx, client: Uuid, text: &str) -> Result<(), Error> {
    let scope = tx.scope();
    let hint: String = text.chars().skip(text.chars().count().saturating_sub(4)).collect();
    tx.run(
        "INSERT INTO oauth_secret (tenant_id, id, client_id, hash, hint, created_at, created_by)
         VALUES ($1, $2, $3, $4, $5, $6, $7)",
        [
            scope.company().id.into(),
            tx.new_id().into(),
            client.into(),
            secret::hash(text).into(),
            hint.into(),
            scope.clock().now().into(),
            scope.actor().stored().into(),
        ],
    )
    .await?;
    Ok(())
}

async fn locked(tx: &Tx, id: Uuid) -> Result<oauth_client::Model, Error> {
    let found = tx.one("SELECT * FROM oauth_client WHERE id = $1 FOR NO KEY UPDATE", [id.into()]).await?;
    found.ok_or(Error::NotFound(Kind::Application))
}

fn living(client: &oauth_client::Model) -> Result<(), Error> {
    if client.archived_at.is_none() { Ok(()) } else { Err(Error::ApplicationEnded) }
}

/// What may be changed of an application; `None` leaves a field as it is.
#[derive(Clone, Debug, Default)]
pub struct ClientChange {
    /// Its name.
    pub name: Option<String>,
    /// Its home page.
    pub homepage: Option<String>,
    /// Where codes may be sent.
    pub redirect_uris: Option<Vec<String>>,
    /// The most that it may ever ask for. What people have granted is narrowed by it at once.
    pub permissions: Option<PermissionSet>,
    /// Its public keys, for one that authenticates by keys.
    pub jwks: Option<serde_json::Value>,
}

/// Changes an application.
pub async fn update(tx: &Tx, id: Uuid, expected_version: i32, change: ClientChange) -> Result<(), Error> {
    let scope = tx.scope();
    scope.require(Permission::ApplicationsManage)?;
    let before = locked(tx, id).await?;
    if before.version != expected_version {
        return Err(Error::Conflict { expected: expected_version, actual: before.version });
    }
    living(&before)?;
    let corrupt = || Fault::Corrupt(format!("application {id}"));
    let kind = ClientKind::parse(&before.kind).ok_or_else(corrupt)?;
    if change.jwks.is_some() && before.jwks.is_none() {
        return Err(Error::invalid(
            "jwks",
            "this application does not authenticate by keys: register another",
        ));
    }
    let own = stored(&before.permissions);
    let after = NewClient {
        name: change.name.unwrap_or_else(|| before.name.clone()),
        homepage: change.homepage.unwrap_or_else(|| before.homepage.clone()),
        kind,
        grant_types: before.grant_types.iter().filter_map(|name| GrantType::parse(name)).collect(),
        redirect_uris: change.redirect_uris.unwrap_or_else(|| before.redirect_uris.clone()),
        permissions: change.permissions.unwrap_or(own),
        jwks: change.jwks.or_else(|| before.jwks.clone()),
    };
    after.check()?;
    within_own(tx, after.permissions.iter().filter(|permission| !own.has(*permission)).collect())?;
    tx.run(
        "UPDATE oauth_client SET name = $2, homepage = $3, redirect_uris = $4, permissions = $5, jwks = $6,
             version = version + 1, updated_at = $7, updated_by = $8 WHERE id = $1",
        [
            id.into(),
            after.name.trim().into(),
            after.homepage.clone().into(),
            after.redirect_uris.clone().into(),
            names(after.permissions).into(),
            after.jwks.clone().into(),
            scope.clock().now().into(),
            scope.actor().stored().into(),
        ],
    )
    .await?;
    if after.grant_types.contains(&GrantType::ClientCredentials) {
        widen_standing(tx, &before, &after).await?;
    }
    let event = NewEvent::new("application.updated", Kind::Application, id);
    let event = event.changed("name", before.name.as_str(), after.name.trim());
    let event = event.changed("homepage", &before.homepage, &after.homepage);
    let event = event.changed("redirectUris", &before.redirect_uris, &after.redirect_uris);
    let event = event.changed("permissions", &before.permissions, &names(after.permissions));
    Ok(event.changed("jwks", &before.jwks, &after.jwks).append(tx).await?)
}

/// What an application does for itself follows what it may do; what became less holds by itself.
async fn widen_standing(tx: &Tx, before: &oauth_client::Model, after: &NewClient) -> Result<(), Error> {
    let client = Client {
        id: before.id,
        company: before.tenant_id,
        company_name: String::new(),
        is_test: tx.scope().is_test(),
        name: after.name.trim().to_owned(),
        homepage: after.homepage.clone(),
        kind: after.kind,
        grant_types: after.grant_types.clone(),
        redirect_uris: after.redirect_uris.clone(),
        permissions: after.permissions,
    };
    grants::give_in(tx, &client, None, after.permissions).await.map(|_| ())
}

/// Gives an application a new secret; those of before stay good for so many hours. Whoever is shown it stands behind the
/// application from now on.
pub async fn rotate_secret(tx: &Tx, id: Uuid, overlap_hours: u32, secret: &str) -> Result<(), Error> {
    let scope = tx.scope();
    scope.require(Permission::ApplicationsManage)?;
    let client = locked(tx, id).await?;
    living(&client)?;
    let Actor::Person(person) = scope.actor() else {
        return Err(Error::invalid(
            "applicationId",
            "a person changes secrets: sign in with e-mail and password",
        ));
    };
    if client.kind != ClientKind::Confidential.as_str() || client.jwks.is_some() {
        return Err(Error::invalid("applicationId", "this application does not authenticate by a secret"));
    }
    if overlap_hours > LONGEST_OVERLAP_HOURS {
        let why = format!("an old secret stays good for at most {LONGEST_OVERLAP_HOURS} hours");
        return Err(Error::invalid("overlapHours", why));
    }
    within_own(tx, stored(&client.permissions))?;
    let now = scope.clock().now();
    let until = now + TimeDelta::hours(i64::from(overlap_hours));
    tx.run(
        "UPDATE oauth_secret SET good_until = $2 WHERE client_id = $1 AND (good_until IS NULL OR good_until > $2)",
        [id.into(), until.into()],
    )
    .await?;
    add_secret(tx, id, secret).await?;
    tx.run(
        "UPDATE oauth_client SET people_ids = CASE WHEN $2 = ANY(people_ids) THEN people_ids ELSE people_ids || $2 END,
             version = version + 1, updated_at = $3, updated_by = $4 WHERE id = $1",
        [id.into(), person.into(), now.into(), scope.actor().stored().into()],
    )
    .await?;
    let event = NewEvent::new("application.secret_rotated", Kind::Application, id);
    Ok(event.fact("overlap_hours", overlap_hours).append(tx).await?)
}

/// Archives an application for good: nobody is asked to consent any more, and all its tokens end everywhere. Archiving an
/// archived one changes nothing.
pub async fn archive(tx: &Tx, id: Uuid) -> Result<(), Error> {
    let scope = tx.scope();
    scope.require(Permission::ApplicationsManage)?;
    if locked(tx, id).await?.archived_at.is_some() {
        return Ok(());
    }
    tx.run(
        "UPDATE oauth_client SET archived_at = $2, version = version + 1, updated_at = $2, updated_by = $3 WHERE id = $1",
        [id.into(), scope.clock().now().into(), scope.actor().stored().into()],
    )
    .await?;
    grants::end_standing_in(tx, id).await?;
    Ok(NewEvent::new("application.archived", Kind::Application, id).append(tx).await?)
}

/// The applications, newest first. A company has few: they are not paged.
pub async fn list(tx: &Tx) -> Result<Vec<oauth_client::Model>, Error> {
    tx.scope().require(Permission::ApplicationsRead)?;
    Ok(tx.all("SELECT * FROM oauth_client ORDER BY id DESC", []).await?)
}

/// An application, or none for an unknown id.
pub async fn get(tx: &Tx, id: Uuid) -> Result<Option<oauth_client::Model>, Error> {
    tx.scope().require(Permission::ApplicationsRead)?;
    Ok(tx.one("SELECT * FROM oauth_client WHERE id = $1", [id.into()]).await?)
}

/// A secret of an application, as it may be shown.
#[derive(Clone, Debug, FromQueryResult)]
pub struct Secret {
    /// Its last four characters.
    pub hint: String,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// Until when it is good, once it was replaced.
    pub good_until: Option<DateTime<Utc>>,
}

/// The secrets of an application that are good now, newest first.
pub async fn secrets(tx: &Tx, id: Uuid) -> Result<Vec<Secret>, Error> {
    let scope = tx.scope();
    scope.require(Permission::ApplicationsRead)?;
    let sql = "SELECT hint, created_at, good_until FROM oauth_secret
         WHERE client_id = $1 AND (good_until IS NULL OR $2 < good_until) ORDER BY id DESC";
    Ok(tx.all(sql, [id.into(), scope.clock().now().into()]).await?)
}
