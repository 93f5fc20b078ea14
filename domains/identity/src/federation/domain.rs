//! The domains that a company claims, proves, and lets people join by.

use chrono::{DateTime, Utc};
use kernel::{Fault, Kind, NewEvent, Permission, Scope, Tx};
use sea_orm::FromQueryResult;
use uuid::Uuid;

use super::Federation;
use crate::approval::service as approval;
use crate::error::Error;
use crate::role::Role;
use crate::role::service as roles;

/// Most domains of a company.
const MOST: i64 = 20;

/// A domain that a company has claimed.
#[derive(Clone, Debug, FromQueryResult)]
pub struct Domain {
    /// The claim.
    pub id: Uuid,
    /// The domain, in lower case.
    pub domain: String,
    /// What its TXT record must hold.
    pub token: String,
    /// When the company proved that it is its own.
    pub verified_at: Option<DateTime<Utc>>,
    /// Whether who comes with a verified address of it joins.
    pub joins: bool,
    /// With which role, by its key.
    pub join_role: Option<String>,
    /// For the next change.
    pub version: i32,
    /// When it was claimed.
    pub created_at: DateTime<Utc>,
    /// Since when it is claimed no more.
    pub archived_at: Option<DateTime<Utc>>,
}

impl Domain {
    /// The name of the TXT record that proves it.
    pub fn record_name(&self) -> String {
        format!("_coulisse-challenge.{}", self.domain)
    }

    /// The text of that record.
    pub fn record_text(&self) -> String {
        format!("coulisse-domain={}", self.token)
    }
}

const SHOWN: &str = "id, domain, token, verified_at, joins, join_role, version, created_at, archived_at";

/// Claims a domain; the claim. A domain that is claimed already stays as it is.
///
/// # Errors
/// [`Error::Invalid`].
pub async fn claim(tx: &Tx, domain: &str) -> Result<Uuid, Error> {
    let scope = tx.scope();
    scope.require(Permission::SsoManage)?;
    let domain = ::federation::domain(domain)
        .ok_or_else(|| Error::invalid("domain", "give a domain name such as example.com"))?;
    let known: Option<(Uuid,)> = tx
        .tuple(
            "SELECT id FROM company_domain WHERE domain = $1 AND archived_at IS NULL",
            [domain.clone().into()],
        )
        .await?;
    if let Some((id,)) = known {
        return Ok(id);
    }
    let (count,): (i64,) = tx
        .tuple("SELECT count(*) FROM company_domain WHERE archived_at IS NULL", [])
        .await?
        .ok_or_else(|| Fault::Corrupt("a count of nothing".to_owned()))?;
    if count >= MOST {
        return Err(Error::invalid(
            "domain",
            format!("a company has at most {MOST} domains: release one first"),
        ));
    }
    let (id, token) = (tx.new_id(), crate::secret::generate(""));
    tx.run(
        "INSERT INTO company_domain (tenant_id, id, domain, token, created_at, created_by, updated_at, updated_by)
         VALUES ($1, $2, $3, $4, $5, $6, $5, $6)",
        [
            scope.company().id.into(),
            id.into(),
            domain.clone().into(),
            token.into(),
            scope.clock().now().into(),
            scope.actor().stored().into(),
        ],
    )
    .await?;
    let event = NewEvent::new("company_domain.claimed", Kind::CompanyDomain, id);
    event.fact("domain", &domain).append(tx).await?;
    Ok(id)
}

/// Looks for the record that proves a domain. It goes over the network: never in a transaction.
///
/// # Errors
/// [`Error::NotFound`], [`Error::DomainNotProved`], with what should be there.
pub async fn prove(federation: &Federation, scope: &Scope, id: Uuid) -> Result<(), Error> {
    scope.require(Permission::SsoManage)?;
    let tx = scope.read().await?;
    let found = live(&tx, id, "").await;
    tx.end().await;
    let found = found?;
    let (name, text) = (found.record_name(), found.record_text());
    match federation.0.records.has(&name, &text).await {
        Ok(true) => Ok(()),
        Ok(false) => Err(Error::DomainNotProved { name, text, why: "it is not there".to_owned() }),
        Err(why) => Err(Error::DomainNotProved { name, text, why }),
    }
}

/// Notes that a domain was proved, by [`prove`] just now.
///
/// # Errors
/// [`Error::NotFound`], [`Error::DomainTaken`] when another company has proved it before.
pub async fn verify(tx: &Tx, id: Uuid) -> Result<(), Error> {
    let scope = tx.scope();
    scope.require(Permission::SsoManage)?;
    let found = live(tx, id, "FOR NO KEY UPDATE").await?;
    if found.verified_at.is_some() {
        return Ok(());
    }
    let taken: Option<(bool,)> = tx
        .tuple("SELECT domain_is_taken($1, $2)", [found.domain.clone().into(), scope.company().id.into()])
        .await?;
    if taken.is_none_or(|(taken,)| taken) {
        return Err(Error::DomainTaken);
    }
    tx.run(
        "UPDATE company_domain SET verified_at = $2, version = version + 1, updated_at = $2, updated_by = $3 WHERE id = $1",
        [id.into(), scope.clock().now().into(), scope.actor().stored().into()],
    )
    .await?;
    let event = NewEvent::new("company_domain.verified", Kind::CompanyDomain, id);
    Ok(event.fact("domain", &found.domain).append(tx).await?)
}

/// Says whether who comes with an address of a domain joins, and with which role: never as an owner, and with no right that who
/// says so has not.
///
/// # Errors
/// [`Error::NotFound`], [`Error::Conflict`], [`Error::Invalid`], [`Error::RoleBeyondOwn`], [`Error::ApprovalNeeded`]
/// unless it is only that nobody joins any more.
pub async fn update(
    tx: &Tx,
    id: Uuid,
    expected_version: i32,
    joins: Option<bool>,
    role: Option<&str>,
) -> Result<(), Error> {
    tx.scope().require(Permission::SsoManage)?;
    if joins != Some(false) || role.is_some() {
        approval::refuse_if_needed(tx).await?;
    }
    update_approved(tx, id, expected_version, joins, role).await
}

/// As [`update`], when nobody need approve it any more.
pub(crate) async fn update_approved(
    tx: &Tx,
    id: Uuid,
    expected_version: i32,
    joins: Option<bool>,
    role: Option<&str>,
) -> Result<(), Error> {
    let scope = tx.scope();
    scope.require(Permission::SsoManage)?;
    let before = locked(tx, id, expected_version).await?;
    let role = role.map(str::to_owned).or_else(|| before.join_role.clone());
    let joins = joins.unwrap_or(before.joins);
    match role.as_deref() {
        Some(role) if role == Role::Owner.as_str() => {
            return Err(Error::invalid(
                "joinRole",
                "nobody becomes an owner by an address: choose another role",
            ));
        }
        Some(role) => drop(roles::grantable(tx, role).await?),
        None if joins => return Err(Error::invalid("joinRole", "say with which role people join")),
        None => {}
    }
    tx.run(
        "UPDATE company_domain SET joins = $2, join_role = $3, version = version + 1, updated_at = $4, updated_by = $5
         WHERE id = $1",
        [
            id.into(),
            joins.into(),
            role.clone().into(),
            scope.clock().now().into(),
            scope.actor().stored().into(),
        ],
    )
    .await?;
    let event = NewEvent::new("company_domain.updated", Kind::CompanyDomain, id);
    let event = event.changed("joins", &before.joins, &joins).changed("joinRole", &before.join_role, &role);
    Ok(event.append(tx).await?)
}

/// Gives a domain up: nobody joins by it, and another company can prove it.
///
/// # Errors
/// [`Error::NotFound`], [`Error::Conflict`].
pub async fn release(tx: &Tx, id: Uuid, expected_version: i32) -> Result<(), Error> {
    let scope = tx.scope();
    scope.require(Permission::SsoManage)?;
    let found = locked(tx, id, expected_version).await?;
    tx.run(
        "UPDATE company_domain SET archived_at = $2, version = version + 1, updated_at = $2, updated_by = $3 WHERE id = $1",
        [id.into(), scope.clock().now().into(), scope.actor().stored().into()],
    )
    .await?;
    let event = NewEvent::new("company_domain.released", Kind::CompanyDomain, id);
    Ok(event.fact("domain", &found.domain).append(tx).await?)
}

/// The claimed domains, oldest first. They are few, and not paged.
pub async fn list(tx: &Tx) -> Result<Vec<Domain>, Error> {
    tx.scope().require(Permission::SsoRead)?;
    let sql = format!("SELECT {SHOWN} FROM company_domain WHERE archived_at IS NULL ORDER BY id");
    Ok(tx.all(&sql, []).await?)
}

/// A claim of any state, or none for an unknown id.
pub async fn get(tx: &Tx, id: Uuid) -> Result<Option<Domain>, Error> {
    tx.scope().require(Permission::SsoRead)?;
    Ok(tx.one(&format!("SELECT {SHOWN} FROM company_domain WHERE id = $1"), [id.into()]).await?)
}

async fn live(tx: &Tx, id: Uuid, lock: &str) -> Result<Domain, Error> {
    let sql = format!("SELECT {SHOWN} FROM company_domain WHERE id = $1 AND archived_at IS NULL {lock}");
    tx.one(&sql, [id.into()]).await?.ok_or(Error::NotFound(Kind::CompanyDomain))
}

async fn locked(tx: &Tx, id: Uuid, expected: i32) -> Result<Domain, Error> {
    let found = live(tx, id, "FOR NO KEY UPDATE").await?;
    if found.version == expected {
        Ok(found)
    } else {
        Err(Error::Conflict { expected, actual: found.version })
    }
}
