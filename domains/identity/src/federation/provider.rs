//! The providers that a company registers for its people.

use ::federation::Issuer;
use chrono::{DateTime, Utc};
use kernel::vault::Place;
use kernel::{Fault, Kind, NewEvent, Permission, Scope, Tx};
use sea_orm::FromQueryResult;
use uuid::Uuid;

use super::Federation;
use crate::error::Error;

/// Most providers of a company.
const MOST: i64 = 10;

/// A provider, without its secret.
#[derive(Clone, Debug, FromQueryResult)]
pub struct Provider {
    /// The provider.
    pub id: Uuid,
    /// What people call it.
    pub name: String,
    /// Its issuer.
    pub issuer: String,
    /// The client's id there.
    pub client_id: String,
    /// Whether it signs in.
    pub enabled: bool,
    /// Whether its word stands for a second factor.
    pub trusts_second_factor: bool,
    /// For the next change.
    pub version: i32,
    /// When it was registered.
    pub created_at: DateTime<Utc>,
    /// Since when it is out of use.
    pub archived_at: Option<DateTime<Utc>>,
}

/// A provider to register.
#[derive(Clone)]
pub struct NewProvider {
    /// What people call it.
    pub name: String,
    /// Its issuer, to the letter.
    pub issuer: String,
    /// The client's id there.
    pub client_id: String,
    /// The client's secret there.
    pub client_secret: String,
    /// Whether its word that somebody showed several factors stands for a second factor here.
    pub trusts_second_factor: bool,
}

/// What may be changed; `None` leaves a field as it is. Another issuer is another provider.
#[derive(Clone, Default)]
pub struct ProviderChange {
    /// What people call it.
    pub name: Option<String>,
    /// The client's id there.
    pub client_id: Option<String>,
    /// The client's secret there.
    pub client_secret: Option<String>,
    /// Whether it signs in.
    pub enabled: Option<bool>,
    /// Whether its word stands for a second factor.
    pub trusts_second_factor: Option<bool>,
}

const SHOWN: &str =
    "id, name, issuer, client_id, enabled, trusts_second_factor, version, created_at, archived_at";

fn checked(field: &'static str, text: &str, most: usize) -> Result<String, Error> {
    let text = text.trim();
    if (1..=most).contains(&text.chars().count()) && !text.chars().any(char::is_control) {
        return Ok(text.to_owned());
    }
    Err(Error::invalid(field, format!("give 1 to {most} characters, on one line")))
}

fn place(company: Uuid, id: Uuid) -> Place<'static> {
    Place { company, column: "sso_provider.client_secret", row: id }
}

/// Finds a provider before it is registered, or tells what is wrong with it. It goes over the network: never in a transaction.
///
/// # Errors
/// [`Error::Denied`], [`Error::Invalid`], [`Error::ProviderUnusable`].
pub async fn find(federation: &Federation, scope: &Scope, issuer: &str) -> Result<(), Error> {
    scope.require(Permission::SsoManage)?;
    let party = &federation.0.party;
    let issuer = Issuer::parse(issuer.trim(), party.limits().loopback)
        .map_err(|error| Error::invalid("issuer", error.to_string()))?;
    party.discover(&issuer).await.map_err(|error| Error::ProviderUnusable(error.to_string()))?;
    Ok(())
}

/// Registers a provider that was found. It is offered at once, to who has an address of a domain that the company has proved.
///
/// # Errors
/// [`Error::Invalid`].
pub async fn create(tx: &Tx, new: &NewProvider) -> Result<Uuid, Error> {
    let scope = tx.scope();
    scope.require(Permission::SsoManage)?;
    let name = checked("name", &new.name, 100)?;
    let client_id = checked("clientId", &new.client_id, 255)?;
    let secret = checked("clientSecret", &new.client_secret, 1000)?;
    let (count,): (i64,) = tx
        .tuple("SELECT count(*) FROM sso_provider WHERE archived_at IS NULL", [])
        .await?
        .ok_or_else(|| Fault::Corrupt("a count of nothing".to_owned()))?;
    if count >= MOST {
        return Err(Error::invalid(
            "issuer",
            format!("a company has at most {MOST} providers: archive one first"),
        ));
    }
    let id = tx.new_id();
    tx.run(
        "INSERT INTO sso_provider (tenant_id, id, name, issuer, client_id, client_secret, enabled, trusts_second_factor,
             created_at, created_by, updated_at, updated_by)
         VALUES ($1, $2, $3, $4, $5, $6, true, $7, $8, $9, $8, $9)",
        [
            scope.company().id.into(),
            id.into(),
            name.clone().into(),
            new.issuer.trim().into(),
            client_id.clone().into(),
            scope.vault().seal(place(scope.company().id, id), &secret)?.into(),
            new.trusts_second_factor.into(),
            scope.clock().now().into(),
            scope.actor().stored().into(),
        ],
    )
    .await?;
    let event = NewEvent::new("sso_provider.created", Kind::SsoProvider, id).fact("name", &name);
    let event = event.fact("issuer", new.issuer.trim()).fact("clientId", &client_id);
    event.fact("trustsSecondFactor", new.trusts_second_factor).append(tx).await?;
    Ok(id)
}

async fn locked(tx: &Tx, id: Uuid, expected: i32) -> Result<Provider, Error> {
    let sql =
        format!("SELECT {SHOWN} FROM sso_provider WHERE id = $1 AND archived_at IS NULL FOR NO KEY UPDATE");
    let found: Provider = tx.one(&sql, [id.into()]).await?.ok_or(Error::NotFound(Kind::SsoProvider))?;
    if found.version == expected {
        Ok(found)
    } else {
        Err(Error::Conflict { expected, actual: found.version })
    }
}

/// Changes a provider.
///
/// # Errors
/// [`Error::NotFound`], [`Error::Conflict`], [`Error::Invalid`].
pub async fn update(tx: &Tx, id: Uuid, expected_version: i32, change: &ProviderChange) -> Result<(), Error> {
    let scope = tx.scope();
    scope.require(Permission::SsoManage)?;
    let before = locked(tx, id, expected_version).await?;
    let name = change.name.as_deref().map_or(Ok(before.name.clone()), |name| checked("name", name, 100))?;
    let client_id = change
        .client_id
        .as_deref()
        .map_or(Ok(before.client_id.clone()), |text| checked("clientId", text, 255))?;
    let sealed = match &change.client_secret {
        Some(secret) => {
            let secret = checked("clientSecret", secret, 1000)?;
            Some(scope.vault().seal(place(scope.company().id, id), &secret)?)
        }
        None => None,
    };
    let enabled = change.enabled.unwrap_or(before.enabled);
    let trusts = change.trusts_second_factor.unwrap_or(before.trusts_second_factor);
    let secret_changed = sealed.is_some();
    tx.run(
        "UPDATE sso_provider SET name = $2, client_id = $3, client_secret = coalesce($4, client_secret), enabled = $5,
             trusts_second_factor = $6, version = version + 1, updated_at = $7, updated_by = $8 WHERE id = $1",
        [
            id.into(),
            name.clone().into(),
            client_id.clone().into(),
            sealed.into(),
            enabled.into(),
            trusts.into(),
            scope.clock().now().into(),
            scope.actor().stored().into(),
        ],
    )
    .await?;
    let event = NewEvent::new("sso_provider.updated", Kind::SsoProvider, id)
        .changed("name", &before.name, &name)
        .changed("clientId", &before.client_id, &client_id)
        .changed("enabled", &before.enabled, &enabled)
        .changed("trustsSecondFactor", &before.trusts_second_factor, &trusts);
    Ok(event.fact("secretChanged", secret_changed).append(tx).await?)
}

/// Takes a provider out of use for good. Who is linked by it stays linked.
///
/// # Errors
/// [`Error::NotFound`], [`Error::Conflict`].
pub async fn archive(tx: &Tx, id: Uuid, expected_version: i32) -> Result<(), Error> {
    let scope = tx.scope();
    scope.require(Permission::SsoManage)?;
    let provider = locked(tx, id, expected_version).await?;
    tx.run(
        "UPDATE sso_provider SET archived_at = $2, version = version + 1, updated_at = $2, updated_by = $3 WHERE id = $1",
        [id.into(), scope.clock().now().into(), scope.actor().stored().into()],
    )
    .await?;
    let event = NewEvent::new("sso_provider.archived", Kind::SsoProvider, id);
    Ok(event.fact("name", &provider.name).append(tx).await?)
}

/// The providers in use, oldest first. They are few, and not paged.
pub async fn list(tx: &Tx) -> Result<Vec<Provider>, Error> {
    tx.scope().require(Permission::SsoRead)?;
    let sql = format!("SELECT {SHOWN} FROM sso_provider WHERE archived_at IS NULL ORDER BY id");
    Ok(tx.all(&sql, []).await?)
}

/// A provider of any state, or none for an unknown id.
pub async fn get(tx: &Tx, id: Uuid) -> Result<Option<Provider>, Error> {
    tx.scope().require(Permission::SsoRead)?;
    Ok(tx.one(&format!("SELECT {SHOWN} FROM sso_provider WHERE id = $1"), [id.into()]).await?)
}

/// What signing in needs of a provider.
pub(super) struct Known {
    pub(super) issuer: String,
    pub(super) client_id: String,
    pub(super) client_secret: String,
    pub(super) trusts_second_factor: bool,
}

/// A provider that signs in, for a browser that asks for it: nobody yet.
pub(super) async fn known_in(tx: &Tx, id: Uuid) -> Result<Option<Known>, Fault> {
    let row: Option<(String, String, Vec<u8>, bool)> = tx
        .tuple(
            "SELECT issuer, client_id, client_secret, trusts_second_factor FROM sso_provider
             WHERE id = $1 AND enabled AND archived_at IS NULL",
            [id.into()],
        )
        .await?;
    let Some((issuer, client_id, sealed, trusts_second_factor)) = row else { return Ok(None) };
    let client_secret = tx.scope().vault().open(place(tx.scope().company().id, id), &sealed)?;
    Ok(Some(Known { issuer, client_id, client_secret, trusts_second_factor }))
}
