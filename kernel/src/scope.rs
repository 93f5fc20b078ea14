//! Who acts, in which company, with which rights; and the transactions that follow from it.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use chrono::NaiveDate;
use chrono_tz::Tz;
use futures_util::future::BoxFuture;
use uuid::Uuid;

use crate::clock::Clock;
use crate::db::{self, Db};
use crate::fault::{Denied, DomainError, Fault};
use crate::money::Currency;
use crate::permission::{Permission, PermissionSet};
use crate::tx::Tx;
use crate::usage::Uses;
use crate::vault::Vault;

/// Whether a company's rows are real or its test twin's.
///
/// The law of the twin: nothing that a twin does leaves the service. It never sends a mail, charges a card or moves
/// money; whatever reaches the world for a company asks [`Scope::is_test`] first, and for a twin keeps what it would
/// have sent. Everything else is the same code on other rows, and the ids of those rows tell
/// ([`crate::id::is_test`]).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Real business.
    Live,
    /// The twin that never mails, charges or transfers.
    Test,
}

impl Mode {
    /// The stored form, `live` or `test`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Live => "live",
            Self::Test => "test",
        }
    }

    /// An id for a row of a company of this mode.
    pub fn new_id(self) -> Uuid {
        match self {
            Self::Live => crate::id::new(),
            Self::Test => crate::id::new_test(),
        }
    }
}

/// What of a company holds for a whole request.
#[derive(Clone, Debug)]
pub struct Company {
    /// Its id, which is the tenant of every row.
    pub id: Uuid,
    /// Live, or a test twin.
    pub mode: Mode,
    /// The currency of its books.
    pub currency: Currency,
    /// The zone of its calendar days.
    pub zone: Tz,
    /// Its language, `fr` or `en`.
    pub locale: String,
}

/// Who acts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Actor {
    /// A member, signed in.
    Person(Uuid),
    /// A partner's program, by its key.
    ApiKey(Uuid),
    /// A partner's program that was allowed to act, by this grant: for a person, or for itself.
    Grant(Uuid),
    /// A customer who followed the signed link of this invoice.
    Customer(Uuid),
    /// The service itself: seeds, workers.
    System,
}

impl Actor {
    /// The stored form, e.g. `person:0190…`.
    pub fn stored(self) -> String {
        match self {
            Self::Person(id) => format!("person:{id}"),
            Self::ApiKey(id) => format!("api_key:{id}"),
            Self::Grant(id) => format!("grant:{id}"),
            Self::Customer(id) => format!("customer:{id}"),
            Self::System => "system".to_owned(),
        }
    }

    /// Reads the stored form.
    pub fn parse(stored: &str) -> Option<Self> {
        let Some((kind, id)) = stored.split_once(':') else {
            return (stored == "system").then_some(Self::System);
        };
        let id = id.parse().ok()?;
        match kind {
            "person" => Some(Self::Person(id)),
            "api_key" => Some(Self::ApiKey(id)),
            "grant" => Some(Self::Grant(id)),
            "customer" => Some(Self::Customer(id)),
            _ => None,
        }
    }
}

/// From where a request came; personal, kept apart from the event log.
#[derive(Clone, Debug, Default)]
pub struct Origin {
    /// The network address.
    pub address: Option<String>,
    /// The client's own name (`User-Agent`).
    pub agent: Option<String>,
    /// The request's id, as in the logs.
    pub request_id: Option<String>,
}

impl Origin {
    /// The network address, when it is one.
    pub fn ip(&self) -> Option<std::net::IpAddr> {
        self.address.as_deref()?.parse().ok()
    }
}

/// The only way to a company's rows. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Scope(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    db: Db,
    vault: Vault,
    clock: Clock,
    company: Company,
    actor: Actor,
    permissions: PermissionSet,
    origin: Origin,
    uses: Option<Uses>,
    /// The bits of the permissions whose use was noted.
    noted: [AtomicU64; 2],
}

/// How often a transaction is tried when PostgreSQL ends it for a deadlock.
const ATTEMPTS: u32 = 5;

impl Scope {
    /// Opens a scope. Only who has authenticated the actor calls this.
    pub fn open(
        db: Db,
        vault: Vault,
        clock: Clock,
        company: Company,
        actor: Actor,
        permissions: PermissionSet,
        origin: Origin,
    ) -> Self {
        let (uses, noted) = Default::default();
        Self(Arc::new(Inner { db, vault, clock, company, actor, permissions, origin, uses, noted }))
    }

    /// Notes which permissions are used. Of a scope that was opened just now: a clone that is noted by nobody stays so.
    #[must_use]
    pub fn noting(mut self, uses: Uses) -> Self {
        if let Some(inner) = Arc::get_mut(&mut self.0) {
            inner.uses = Some(uses);
        }
        self
    }

    /// The company.
    pub fn company(&self) -> &Company {
        &self.0.company
    }

    /// Whether this is a test twin: then nothing may leave the service, see [`Mode`].
    pub fn is_test(&self) -> bool {
        self.0.company.mode == Mode::Test
    }

    /// An id for a new row of this company; ids made later sort later, and those of a twin tell so.
    pub fn new_id(&self) -> Uuid {
        self.0.company.mode.new_id()
    }

    /// Who acts.
    pub fn actor(&self) -> Actor {
        self.0.actor
    }

    /// What the actor may do.
    pub fn permissions(&self) -> PermissionSet {
        self.0.permissions
    }

    /// From where the actor acts.
    pub fn origin(&self) -> &Origin {
        &self.0.origin
    }

    /// The clock of this request.
    pub fn clock(&self) -> &Clock {
        &self.0.clock
    }

    /// The company's calendar day.
    pub fn today(&self) -> NaiveDate {
        self.0.clock.today(self.0.company.zone)
    }

    /// Seals and opens secrets.
    pub fn vault(&self) -> &Vault {
        &self.0.vault
    }

    /// The first statement of every use case.
    pub fn require(&self, permission: Permission) -> Result<(), Denied> {
        if !self.0.permissions.has(permission) {
            return Err(Denied(permission));
        }
        let Some(uses) = &self.0.uses else { return Ok(()) };
        // Each is noted once in a request, which may ask for it at every field.
        let (word, bit) = (&self.0.noted[permission as usize / 64], 1_u64 << (permission as usize % 64));
        if word.load(Ordering::Relaxed) & bit == 0 {
            word.fetch_or(bit, Ordering::Relaxed);
            uses.note(self.0.company.id, self.0.actor, self.today(), permission);
        }
        Ok(())
    }

    /// One snapshot: every read in it sees the same state. Writes in it are refused by PostgreSQL.
    pub async fn read(&self) -> Result<Tx, Fault> {
        self.begin("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY").await
    }

    /// One transaction: all of `work` commits, or nothing. Deadlocks are retried, so `work` may run more than
    /// once and must have no effect but on the transaction.
    pub async fn write<T, E, F>(&self, work: F) -> Result<T, E>
    where
        E: DomainError,
        F: for<'t> Fn(&'t Tx) -> BoxFuture<'t, Result<T, E>> + Sync,
    {
        let mut attempt = 1;
        loop {
            let tx = self.begin("BEGIN ISOLATION LEVEL READ COMMITTED").await?;
            let failure = match work(&tx).await {
                Ok(value) => match tx.commit().await {
                    Ok(()) => return Ok(value),
                    Err(fault) => E::from(fault),
                },
                Err(error) => {
                    tx.rollback().await;
                    error
                }
            };
            if attempt == ATTEMPTS || !failure.fault().is_some_and(Fault::is_retryable) {
                return Err(failure);
            }
            // The wait grows and differs between the parties of a deadlock, so that they do not meet again.
            let spread = u64::from(rand::random::<u8>());
            tokio::time::sleep(Duration::from_millis(u64::from(attempt) * 5 + spread / 16)).await;
            attempt += 1;
        }
    }

    async fn begin(&self, begin: &str) -> Result<Tx, Fault> {
        // A `Uuid` prints hexadecimal digits and hyphens only: nothing can be injected here.
        let id = self.0.company.id;
        let statement =
            format!("{begin}; SET LOCAL app.tenant_id = '{id}'; SET LOCAL app.pinned_tenant_id = '{id}'");
        let inner = db::begin(self.0.db.server(), statement).await?;
        Ok(Tx::new(self.clone(), inner))
    }
}
