//! From a bearer token to a scope.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use chrono_tz::Tz;
use kernel::{
    Actor, Clock, Company, Currency, Db, Fault, Mode, Origin, Permission, PermissionSet, Scope, vault::Vault,
};
use moka::future::Cache;
use uuid::Uuid;

use crate::role::Role;
use crate::secret;

/// How long a session lives without use.
pub(crate) const IDLE: TimeDelta = TimeDelta::hours(12);
/// How long a session lives at most.
pub(crate) const ABSOLUTE: TimeDelta = TimeDelta::days(14);
/// How stale a known principal may be: the longest that another replica honours a revoked token.
const STALE: Duration = Duration::from_secs(5);
/// How often "last seen" is written.
const SEEN: TimeDelta = TimeDelta::seconds(60);

/// The prefix of session tokens.
pub(crate) const SESSION_PREFIX: &str = "cs_";
/// The prefix of live API keys.
pub(crate) const API_KEY_PREFIX: &str = "ck_live_";

/// The token is unknown, expired or revoked; which of them is not told.
#[derive(Debug, thiserror::Error)]
pub enum NotSignedIn {
    /// No good token.
    #[error("not signed in: send a session token or an API key as `Authorization: Bearer …`")]
    Token,
    /// It could not be looked up.
    #[error(transparent)]
    Fault(#[from] Fault),
}

/// Who a token stands for.
#[derive(Clone, Debug)]
pub struct Principal {
    /// The company it acts in.
    pub company: Company,
    /// Who acts.
    pub actor: Actor,
    /// What it may do.
    pub permissions: PermissionSet,
    /// The session, for people.
    pub session: Option<Uuid>,
    /// The role, for people.
    pub role: Option<Role>,
}

/// Looks tokens up, and keeps who they stand for during a few seconds.
#[derive(Clone, Debug)]
pub struct Authenticator {
    db: Db,
    vault: Vault,
    clock: Clock,
    known: Cache<Vec<u8>, Principal>,
}

impl Authenticator {
    /// An authenticator with an empty memory.
    pub fn new(db: Db, vault: Vault, clock: Clock) -> Self {
        let known = Cache::builder().max_capacity(10_000).time_to_live(STALE).build();
        Self { db, vault, clock, known }
    }

    /// The pools.
    pub fn db(&self) -> &Db {
        &self.db
    }

    /// The clock.
    pub fn clock(&self) -> &Clock {
        &self.clock
    }

    /// The keys of signed links.
    pub fn vault(&self) -> &Vault {
        &self.vault
    }

    /// Who a bearer token stands for.
    pub async fn principal(&self, token: &str) -> Result<Principal, NotSignedIn> {
        let hash = secret::hash(token);
        if let Some(principal) = self.known.get(&hash).await {
            return Ok(principal);
        }
        let principal = if token.starts_with(SESSION_PREFIX) {
            self.session(&hash).await?
        } else if token.starts_with(API_KEY_PREFIX) {
            self.api_key(&hash).await?
        } else {
            None
        };
        let principal = principal.ok_or(NotSignedIn::Token)?;
        self.known.insert(hash, principal.clone()).await;
        Ok(principal)
    }

    /// Forgets what is known, after a revocation or a change of role: this replica honours it at once.
    pub fn forget(&self) {
        self.known.invalidate_all();
    }

    /// A principal's scope.
    pub fn scope(&self, principal: &Principal, origin: Origin) -> Scope {
        self.open(principal.company.clone(), principal.actor, principal.permissions, origin)
    }

    /// The scope of who followed a signed link of a company. `None`: no such company.
    pub async fn link_scope(
        &self,
        company: Uuid,
        actor: Actor,
        origin: Origin,
    ) -> Result<Option<Scope>, Fault> {
        let facts: Option<(String, String, String, String)> =
            sqlx::query_as("SELECT currency, zone, locale, mode FROM company_facts($1)")
                .bind(company)
                .fetch_optional(self.db.server())
                .await?;
        let Some((currency, zone, locale, mode)) = facts else { return Ok(None) };
        let company = facts_of(company, &currency, &zone, locale, &mode)?;
        Ok(Some(self.open(company, actor, PermissionSet::NONE, origin)))
    }

    /// The scope of the service itself, for a company that is being founded or seeded.
    pub fn system_scope(&self, company: Company, actor: Actor, origin: Origin) -> Scope {
        self.open(company, actor, PermissionSet::all(), origin)
    }

    fn open(&self, company: Company, actor: Actor, permissions: PermissionSet, origin: Origin) -> Scope {
        let (db, vault, clock) = (self.db.clone(), self.vault.clone(), self.clock.clone());
        Scope::open(db, vault, clock, company, actor, permissions, origin)
    }

    async fn session(&self, hash: &[u8]) -> Result<Option<Principal>, Fault> {
        let now = self.clock.now();
        let row: Option<SessionRow> = sqlx::query_as("SELECT * FROM session_principal($1, $2, $3)")
            .bind(hash)
            .bind(now)
            .bind(IDLE)
            .fetch_optional(self.db.server())
            .await?;
        let Some(row) = row else { return Ok(None) };
        if row.last_seen_at + SEEN < now {
            sqlx::query("UPDATE session SET last_seen_at = $2 WHERE id = $1")
                .bind(row.session_id)
                .bind(now)
                .execute(self.db.server())
                .await?;
        }
        let role = Role::parse(&row.role).ok_or_else(|| Fault::Corrupt(format!("role {}", row.role)))?;
        Ok(Some(Principal {
            company: facts_of(row.tenant_id, &row.currency, &row.zone, row.locale, &row.mode)?,
            actor: Actor::Person(row.person_id),
            permissions: role.permissions(),
            session: Some(row.session_id),
            role: Some(role),
        }))
    }

    async fn api_key(&self, hash: &[u8]) -> Result<Option<Principal>, Fault> {
        let now = self.clock.now();
        let row: Option<KeyRow> = sqlx::query_as("SELECT * FROM api_key_principal($1, $2)")
            .bind(hash)
            .bind(now)
            .fetch_optional(self.db.server())
            .await?;
        let Some(row) = row else { return Ok(None) };
        let maker =
            Role::parse(&row.maker_role).ok_or_else(|| Fault::Corrupt(format!("role {}", row.maker_role)))?;
        let permissions: PermissionSet =
            row.permissions.iter().filter_map(|name| Permission::parse(name)).collect();
        let principal = Principal {
            company: facts_of(row.tenant_id, &row.currency, &row.zone, row.locale, &row.mode)?,
            actor: Actor::ApiKey(row.api_key_id),
            // A key never exceeds who made it, as that person's role is now.
            permissions: permissions.and(maker.permissions()),
            session: None,
            role: None,
        };
        if row.last_used_at.is_none_or(|last| last + SEEN < now) {
            let scope = self.scope(&principal, Origin::default());
            crate::api_key::service::touch(&scope, row.api_key_id, now).await?;
        }
        Ok(Some(principal))
    }
}

#[derive(sqlx::FromRow)]
struct SessionRow {
    session_id: Uuid,
    person_id: Uuid,
    tenant_id: Uuid,
    role: String,
    last_seen_at: DateTime<Utc>,
    currency: String,
    zone: String,
    locale: String,
    mode: String,
}

#[derive(sqlx::FromRow)]
struct KeyRow {
    api_key_id: Uuid,
    tenant_id: Uuid,
    permissions: Vec<String>,
    maker_role: String,
    last_used_at: Option<DateTime<Utc>>,
    currency: String,
    zone: String,
    locale: String,
    mode: String,
}

fn facts_of(id: Uuid, currency: &str, zone: &str, locale: String, mode: &str) -> Result<Company, Fault> {
    let wrong = |what: &str| Fault::Corrupt(format!("company {id}: {what}"));
    Ok(Company {
        id,
        mode: if mode == "live" { Mode::Live } else { Mode::Test },
        currency: Currency::parse(currency).ok_or_else(|| wrong("currency"))?,
        zone: zone.parse::<Tz>().map_err(|_| wrong("zone"))?,
        locale,
    })
}
