//! From a bearer token to a scope, and from the hash of a trusted document to its text.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use chrono_tz::Tz;
use ipnet::IpNet;
use kernel::usage::Uses;
use kernel::{
    Actor, Clock, Company, Currency, Db, Fault, Mode, Origin, Permission, PermissionSet, Scope, vault::Vault,
};
use moka::future::Cache;
use uuid::Uuid;

use crate::access::Access;
use crate::assurance::Assurance;
use crate::lookup::{self, Lookups};
use crate::oauth;
use crate::place::Places;
use crate::role::Role;
use crate::secret;

/// How long a session lives without use.
pub(crate) const IDLE: TimeDelta = TimeDelta::hours(12);
/// How long a session lives at most.
pub(crate) const ABSOLUTE: TimeDelta = TimeDelta::days(14);
/// How stale a known principal may be, should no word of a change come ([`crate::access`]).
const STALE: Duration = Duration::from_secs(2);
/// Most bytes of trusted documents that are known at once.
const MOST_DOCUMENT_BYTES: u64 = 32 * 1024 * 1024;
/// Most principals that are known at once.
const MOST_KNOWN: u64 = 50_000;
/// How often "last seen" is written.
const SEEN: TimeDelta = TimeDelta::seconds(60);

/// The prefix of session tokens.
pub(crate) const SESSION_PREFIX: &str = "cs_";
/// What the prefixes of API keys begin with.
const API_KEY_PREFIX: &str = "ck_";

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
    /// The key of the role, for people.
    pub role: Option<String>,
    /// What was shown when the session was opened; for programs, all that is asked of them.
    pub assurance: Assurance,
    /// Whether the company demands a second factor that this session has not shown: then nothing is permitted, but
    /// enrolling one.
    pub second_factor_due: bool,
    /// Whether it stands for its person in this company only: a session by the word of the company's own provider, or a
    /// token that a program was given.
    pub confined: bool,
    /// The networks that it may come from; none for any.
    pub networks: Arc<[IpNet]>,
    /// Whether it may only send documents that its company has registered. Never so for who may register them.
    pub documents_only: bool,
}

impl Principal {
    /// Whether a later look-up found the same company, actor and rights.
    pub fn is_still(&self, now: &Self) -> bool {
        self.company.id == now.company.id
            && self.actor == now.actor
            && self.permissions == now.permissions
            && self.documents_only == now.documents_only
    }

    /// Whether it may come from an address. Who is held to networks and comes from nowhere known may not.
    fn comes_from(&self, address: Option<IpAddr>) -> bool {
        let within = |address: IpAddr| self.networks.iter().any(|network| network.contains(&address));
        // An IPv4 address as a dual-stack socket writes it is the IPv4 address.
        self.networks.is_empty() || address.is_some_and(|address| within(address.to_canonical()))
    }
}

/// Looks tokens up, and keeps who they stand for during two seconds.
#[derive(Clone, Debug)]
pub struct Authenticator {
    db: Db,
    vault: Vault,
    clock: Clock,
    /// By the generation in which it was looked up: a look-up that began before a change cannot outlive it.
    known: Cache<(u64, Vec<u8>), Principal>,
    access: Access,
    uses: Uses,
    sessions: Lookups<SessionRow>,
    api_keys: Lookups<KeyRow>,
    documents: Cache<(Uuid, [u8; 32]), Arc<str>>,
    oauth: oauth::State,
    places: Places,
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
        Self {
            db,
            vault,
            clock,
            known,
            access: Access::default(),
            uses: Uses::default(),
            sessions,
            api_keys,
            documents,
            oauth: oauth::State::new("http://localhost"),
            places: Places::default(),
        }
    }

    /// The same, which knows where addresses are.
    #[must_use]
    pub fn with_places(mut self, places: Places) -> Self {
        self.places = places;
        self
    }

    /// Where addresses are, as far as the operator's database tells.
    pub fn places(&self) -> &Places {
        &self.places
    }

    /// The same, whose tokens are made in the name of the server's public address, without a slash at the end.
    #[must_use]
    pub fn issued_by(mut self, issuer: &str) -> Self {
        self.oauth = oauth::State::new(issuer);
        self
    }

    /// In whose name tokens are made: the server's public address.
    pub fn issuer(&self) -> &str {
        &self.oauth.issuer
    }

    pub(crate) fn oauth(&self) -> &oauth::State {
        &self.oauth
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

    /// Who a bearer token stands for, coming from an address.
    pub async fn principal(&self, token: &str, from: Option<IpAddr>) -> Result<Principal, NotSignedIn> {
        self.current(token, from).await?.ok_or(NotSignedIn::Token)
    }

    /// Which rights were used lately, by members and programs.
    pub fn uses(&self) -> &Uses {
        &self.uses
    }

    /// What this process knows of changes of access.
    pub fn access(&self) -> &Access {
        &self.access
    }

    /// Who a bearer token stands for, as it is after every change that this process was told of; `None` when it is unknown,
    /// expired or revoked, when its person has left, or its company is closed. Made to be asked again and again, by every
    /// stream at every event: who asks for a token that somebody else asks for shares the look-up, and look-ups of many
    /// tokens share statements.
    ///
    /// # Errors
    /// A fault when it could not be looked up: it is then not known whether the token still stands.
    pub async fn current(&self, token: &str, from: Option<IpAddr>) -> Result<Option<Principal>, Fault> {
        let hash = secret::hash(token);
        let known = (self.access.generation(), hash);
        match self.known.try_get_with_by_ref(&known, self.look_up(token, known.1.clone(), from)).await {
            Ok(principal) => Ok(Some(principal).filter(|principal| principal.comes_from(from))),
            Err(miss) => match &*miss {
                Miss::Nobody => Ok(None),
                Miss::Fault(fault) => Err(lookup::again(fault)),
            },
        }
    }

    async fn look_up(&self, token: &str, hash: Vec<u8>, from: Option<IpAddr>) -> Result<Principal, Miss> {
        // What was mistyped, cut or made up is not looked up.
        let whole = credentials::secret::is_well_formed(token);
        let principal = if whole && token.starts_with(SESSION_PREFIX) {
            self.session(hash).await?
        } else if whole && token.starts_with(API_KEY_PREFIX) {
            self.api_key(hash, from).await?
        } else if token.split('.').count() == 3 {
            oauth::principal::of(self, token).await?
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
        self.access.forget();
        self.known.invalidate_all();
        self.documents.invalidate_all();
    }

    /// A principal's scope.
    pub fn scope(&self, principal: &Principal, origin: Origin) -> Scope {
        let scope = self.open(principal.company.clone(), principal.actor, principal.permissions, origin);
        scope.noting(self.uses.clone())
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
                .fetch_optional(self.db.directory())
                .await?;
        let Some((currency, zone, locale, mode)) = facts else { return Ok(None) };
        let company = facts_of(company, &currency, &zone, locale, &mode)?;
        Ok(Some(self.open(company, actor, PermissionSet::NONE, origin)))
    }

    /// The scope of the service itself, for a company that is being founded or seeded.
    pub fn system_scope(&self, company: Company, actor: Actor, origin: Origin) -> Scope {
        self.open(company, actor, PermissionSet::all(), origin)
    }

    /// The scope of the service itself in a company, for what it does there by itself. `None`: no such company.
    pub async fn service_scope(
        &self,
        company: Uuid,
        permissions: PermissionSet,
    ) -> Result<Option<Scope>, Fault> {
        let scope = self.link_scope(company, Actor::System, Origin::default()).await?;
        let open =
            |scope: Scope| self.open(scope.company().clone(), Actor::System, permissions, Origin::default());
        Ok(scope.map(open))
    }

    pub(crate) fn open(
        &self,
        company: Company,
        actor: Actor,
        permissions: PermissionSet,
        origin: Origin,
    ) -> Scope {
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
            async move { Ok(rows.fetch_all(db.directory()).await?) }
        });
        let Some(row) = row.await? else { return Ok(None) };
        if row.last_seen_at + SEEN < now {
            sqlx::query("UPDATE session SET last_seen_at = $2 WHERE id = $1")
                .bind(row.session_id)
                .bind(now)
                .execute(self.db.directory())
                .await?;
        }
        let assurance = Assurance::parse(&row.assurance)
            .ok_or_else(|| Fault::Corrupt(format!("assurance {}", row.assurance)))?;
        let due =
            row.second_factor_from.is_some_and(|from| from <= now) && assurance < Assurance::SecondFactor;
        let permissions = role_permissions(&row.role, row.role_permissions.as_deref())?;
        Ok(Some(Principal {
            company: facts_of(row.tenant_id, &row.currency, &row.zone, row.locale, &row.mode)?,
            actor: Actor::Person(row.person_id),
            permissions: if due { PermissionSet::NONE } else { permissions },
            session: Some(row.session_id),
            documents_only: is_bound(row.documents_only, permissions),
            role: Some(row.role),
            assurance,
            second_factor_due: due,
            confined: row.confined,
            networks: Arc::default(),
        }))
    }

    async fn api_key(&self, hash: Vec<u8>, from: Option<IpAddr>) -> Result<Option<Principal>, Fault> {
        let (db, clock, now) = (self.db.clone(), self.clock.clone(), self.clock.now());
        let row = self.api_keys.find(hash, move |hashes| {
            let rows = sqlx::query_as(
                "SELECT token.place, p.* FROM unnest($1::bytea[]) WITH ORDINALITY AS token (hash, place)
                 CROSS JOIN LATERAL api_key_principal(token.hash, $2) AS p",
            );
            let rows = rows.bind(hashes).bind(clock.now());
            let db = db.clone();
            async move { Ok(rows.fetch_all(db.directory()).await?) }
        });
        let Some(row) = row.await? else { return Ok(None) };
        let permissions: PermissionSet =
            row.permissions.iter().filter_map(|name| Permission::parse(name)).collect();
        // A key never exceeds who is responsible for it, as that person's role is now.
        let permissions = permissions.and(role_permissions(&row.role, row.role_permissions.as_deref())?);
        let networks = row.networks.iter().map(|network| network.parse());
        let networks = networks.collect::<Result<Arc<[IpNet]>, _>>();
        let principal = Principal {
            company: facts_of(row.tenant_id, &row.currency, &row.zone, row.locale, &row.mode)?,
            actor: Actor::ApiKey(row.api_key_id),
            permissions,
            session: None,
            role: None,
            documents_only: is_bound(row.documents_only, permissions),
            assurance: Assurance::SecondFactor,
            second_factor_due: false,
            confined: true,
            networks: networks.map_err(|e| Fault::Corrupt(format!("networks of a key: {e}")))?,
        };
        // Who comes from elsewhere does not use it.
        if principal.comes_from(from) && row.last_used_at.is_none_or(|last| last + SEEN < now) {
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
    role_permissions: Option<Vec<String>>,
    last_seen_at: DateTime<Utc>,
    assurance: String,
    second_factor_from: Option<DateTime<Utc>>,
    confined: bool,
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
    networks: Vec<String>,
    role: String,
    role_permissions: Option<Vec<String>>,
    last_used_at: Option<DateTime<Utc>>,
    currency: String,
    zone: String,
    locale: String,
    mode: String,
    documents_only: bool,
}

pub(crate) fn role_permissions(key: &str, stored: Option<&[String]>) -> Result<PermissionSet, Fault> {
    Role::permissions_of(key, stored).ok_or_else(|| Fault::Corrupt(format!("role {key}")))
}

/// Whether a company's setting binds an actor. Who may register any text would gain nothing by not sending it, and an
/// owner could not take the setting back.
pub(crate) fn is_bound(documents_only: bool, permissions: PermissionSet) -> bool {
    documents_only && !permissions.has(Permission::TrustedDocumentsManage)
}

pub(crate) fn facts_of(
    id: Uuid,
    currency: &str,
    zone: &str,
    locale: String,
    mode: &str,
) -> Result<Company, Fault> {
    let wrong = |what: &str| Fault::Corrupt(format!("company {id}: {what}"));
    Ok(Company {
        id,
        mode: if mode == "live" { Mode::Live } else { Mode::Test },
        currency: Currency::parse(currency).ok_or_else(|| wrong("currency"))?,
        zone: zone.parse::<Tz>().map_err(|_| wrong("zone"))?,
        locale,
    })
}
