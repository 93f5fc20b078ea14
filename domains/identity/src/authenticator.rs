//! From a bearer token to a scope, and from the hash of a trusted document to its text.

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use chrono_tz::Tz;
use kernel::{
    Actor, Clock, Company, Currency, Db, Fault, Mode, Origin, Permission, PermissionSet, Scope, vault::Vault,
};
use moka::future::Cache;
use uuid::Uuid;

use crate::lookup::{self, Lookups};
use crate::role::Role;
use crate::secret;

/// How long a session lives without use.
pub(crate) const IDLE: TimeDelta = TimeDelta::hours(12);
/// How long a session lives at most.
pub(crate) const ABSOLUTE: TimeDelta = TimeDelta::days(14);
/// How stale a known principal may be: the longest that another replica honours a revoked token.
const STALE: Duration = Duration::from_secs(2);
/// Most bytes of trusted documents that are known at once.
const MOST_DOCUMENT_BYTES: u64 = 32 * 1024 * 1024;
/// Most principals that are known at once.
const MOST_KNOWN: u64 = 50_000;
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
    /// Whether it may only send documents that its company has registered. Never so for who may register them.
    pub documents_only: bool,
}

/// Looks tokens up, and keeps who they stand for during two seconds.
#[derive(Clone, Debug)]
pub struct Authenticator {
    db: Db,
    vault: Vault,
    clock: Clock,
    known: Cache<Vec<u8>, Principal>,
    sessions: Lookups<SessionRow>,
    api_keys: Lookups<KeyRow>,
    documents: Cache<(Uuid, [u8; 32]), Arc<str>>,
}

/// Why a look-up found nothing.
enum Miss {
    Nobody,
    Fault(Fault),
}

impl From<Fault> for Miss {
    fn from(fault: Fault) -> Self {
        Self::Fault(fault)
    }
}

impl Authenticator {
    /// An authenticator with an empty memory.
    pub fn new(db: Db, vault: Vault, clock: Clock) -> Self {
        let known = Cache::builder().max_capacity(MOST_KNOWN).time_to_live(STALE).build();
        let documents = Cache::builder()
            .max_capacity(MOST_DOCUMENT_BYTES)
            .weigher(|_, text: &Arc<str>| u32::try_from(text.len() + 200).unwrap_or(u32::MAX))
            .time_to_live(STALE)
            .build();
        let (sessions, api_keys) = (Lookups::default(), Lookups::default());
        Self { db, vault, clock, known, sessions, api_keys, documents }
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
        self.current(token).await?.ok_or(NotSignedIn::Token)
    }

    /// Who a bearer token stands for, as it was at most two seconds ago; `None` when it is unknown, expired or revoked,
    /// when its person has left, or its company is closed. Made to be asked again and again, by every stream at every
    /// event: who asks for a token that somebody else asks for shares the look-up, and look-ups of many tokens share
    /// statements.
    ///
    /// # Errors
    /// A fault when it could not be looked up: it is then not known whether the token still stands.
    pub async fn current(&self, token: &str) -> Result<Option<Principal>, Fault> {
        let hash = secret::hash(token);
        match self.known.try_get_with_by_ref(&hash, self.look_up(token, hash.clone())).await {
            Ok(principal) => Ok(Some(principal)),
            Err(miss) => match &*miss {
                Miss::Nobody => Ok(None),
                Miss::Fault(fault) => Err(lookup::again(fault)),
            },
        }
    }

    async fn look_up(&self, token: &str, hash: Vec<u8>) -> Result<Principal, Miss> {
        let principal = if token.starts_with(SESSION_PREFIX) {
            self.session(hash).await?
        } else if token.starts_with(API_KEY_PREFIX) {
            self.api_key(hash).await?
        } else {
            None
        };
        principal.ok_or(Miss::Nobody)
    }

    /// The text of a document that a principal's company has registered, by the SHA-256 of the text; `None` when it has
    /// not, or has archived it more than two seconds ago.
    ///
    /// # Errors
    /// A fault when it could not be looked up.
    pub async fn trusted_document(
        &self,
        principal: &Principal,
        sha256: &[u8; 32],
    ) -> Result<Option<Arc<str>>, Fault> {
        let find = async {
            let tx = self.scope(principal, Origin::default()).read().await?;
            let text = crate::trusted_document::service::text_in(&tx, sha256).await?;
            tx.end().await;
            text.map(Arc::from).ok_or(Miss::Nobody)
        };
        match self.documents.try_get_with((principal.company.id, *sha256), find).await {
            Ok(text) => Ok(Some(text)),
            Err(miss) => match &*miss {
                Miss::Nobody => Ok(None),
                Miss::Fault(fault) => Err(lookup::again(fault)),
            },
        }
    }

    /// Forgets what is known, after a revocation, a change of role or of the company, or the archiving of a document:
    /// this replica honours it at once.
    pub fn forget(&self) {
        self.known.invalidate_all();
        self.documents.invalidate_all();
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

    async fn session(&self, hash: Vec<u8>) -> Result<Option<Principal>, Fault> {
        let (db, clock, now) = (self.db.clone(), self.clock.clone(), self.clock.now());
        let row = self.sessions.find(hash, move |hashes| {
            let rows = sqlx::query_as(
                "SELECT token.place, p.* FROM unnest($1::bytea[]) WITH ORDINALITY AS token (hash, place)
                 CROSS JOIN LATERAL session_principal(token.hash, $2, $3) AS p",
            );
            let rows = rows.bind(hashes).bind(clock.now()).bind(IDLE);
            let db = db.clone();
            async move { Ok(rows.fetch_all(db.server()).await?) }
        });
        let Some(row) = row.await? else { return Ok(None) };
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
            documents_only: is_bound(row.documents_only, role.permissions()),
        }))
    }

    async fn api_key(&self, hash: Vec<u8>) -> Result<Option<Principal>, Fault> {
        let (db, clock, now) = (self.db.clone(), self.clock.clone(), self.clock.now());
        let row = self.api_keys.find(hash, move |hashes| {
            let rows = sqlx::query_as(
                "SELECT token.place, p.* FROM unnest($1::bytea[]) WITH ORDINALITY AS token (hash, place)
                 CROSS JOIN LATERAL api_key_principal(token.hash, $2) AS p",
            );
            let rows = rows.bind(hashes).bind(clock.now());
            let db = db.clone();
            async move { Ok(rows.fetch_all(db.server()).await?) }
        });
        let Some(row) = row.await? else { return Ok(None) };
        let maker =
            Role::parse(&row.maker_role).ok_or_else(|| Fault::Corrupt(format!("role {}", row.maker_role)))?;
        let permissions: PermissionSet =
            row.permissions.iter().filter_map(|name| Permission::parse(name)).collect();
        // A key never exceeds who made it, as that person's role is now.
        let permissions = permissions.and(maker.permissions());
        let principal = Principal {
            company: facts_of(row.tenant_id, &row.currency, &row.zone, row.locale, &row.mode)?,
            actor: Actor::ApiKey(row.api_key_id),
            permissions,
            session: None,
            role: None,
            documents_only: is_bound(row.documents_only, permissions),
        };
        if row.last_used_at.is_none_or(|last| last + SEEN < now) {
            let scope = self.scope(&principal, Origin::default());
            crate::api_key::service::touch(&scope, row.api_key_id, now).await?;
        }
        Ok(Some(principal))
    }
}

#[derive(Debug, sqlx::FromRow)]
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
    documents_only: bool,
}

#[derive(Debug, sqlx::FromRow)]
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
    documents_only: bool,
}

/// Whether a company's setting binds an actor. Who may register any text would gain nothing by not sending it, and an
/// owner could not take the setting back.
fn is_bound(documents_only: bool, permissions: PermissionSet) -> bool {
    documents_only && !permissions.has(Permission::TrustedDocumentsManage)
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
