//! The keys that sign access tokens: made here, sealed at rest, changed every thirty days, shown before they sign and
//! for as long as a token of theirs may live.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use authority::{AccessKey, AccessKeys};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use chrono::{DateTime, TimeDelta, Utc};
use kernel::vault::{Place, Vault};
use kernel::{Clock, Db, Fault};
use uuid::Uuid;

use crate::authenticator::Authenticator;

/// How long a key signs.
const SIGNS: TimeDelta = TimeDelta::days(30);
/// How long a key is shown before it signs: whoever keeps the list of keys asks again by then.
const SHOWN_BEFORE: TimeDelta = TimeDelta::hours(1);
/// How long a key is kept once another signs: longer than a token lives.
const KEPT_AFTER: TimeDelta = TimeDelta::hours(1);
/// How long the keys are taken as they were read.
const STALE: TimeDelta = TimeDelta::minutes(1);
/// How often they are read again for a token that names a key that is not known.
const PAUSE: Duration = Duration::from_secs(1);
/// The lock under which keys are made, so that replicas that start at once make one.
const LOCK: i64 = 0x6f61_7574_6b65_7973;

#[derive(Debug)]
struct Loaded {
    keys: AccessKeys,
    signing: AccessKey,
    at: DateTime<Utc>,
    read: Instant,
}

/// The keys as they were read last. Clones share them.
#[derive(Clone, Debug, Default)]
pub(crate) struct Keys(Arc<Mutex<Option<Arc<Loaded>>>>);

#[derive(sqlx::FromRow)]
struct Row {
    id: Uuid,
    public: Vec<u8>,
    sealed: Vec<u8>,
    active_from: DateTime<Utc>,
}

fn place(id: Uuid) -> Place<'static> {
    Place { company: Uuid::nil(), column: "signing_key.sealed", row: id }
}

impl Keys {
    fn kept(&self) -> Option<Arc<Loaded>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    async fn loaded(&self, auth: &Authenticator) -> Result<Arc<Loaded>, Fault> {
        let now = auth.clock().now();
        match self.kept() {
            Some(kept) if (now - kept.at).abs() < STALE => Ok(kept),
            _ => self.load(auth).await,
        }
    }

    async fn load(&self, auth: &Authenticator) -> Result<Arc<Loaded>, Fault> {
        let now = auth.clock().now();
        let mut rows = rows(auth.db()).await?;
        if !rows.iter().any(|row| row.active_from <= now) {
            rotate(auth.db(), auth.vault(), auth.clock()).await?;
            rows = self::rows(auth.db()).await?;
        }
        let signs = rows.iter().filter(|row| row.active_from <= now).max_by_key(|row| row.active_from);
        let signs = signs.ok_or_else(|| Fault::Internal("no key signs tokens".to_owned()))?;
        let seed = STANDARD.decode(auth.vault().open(place(signs.id), &signs.sealed)?).ok();
        let seed: [u8; 32] = seed.and_then(|seed| seed.try_into().ok()).ok_or_else(|| wrong(signs.id))?;
        let signing = AccessKey::from_seed(&seed).map_err(|_| wrong(signs.id))?;
        if signing.public().as_slice() != signs.public {
            return Err(wrong(signs.id));
        }
        let keys = rows.iter().filter_map(|row| <[u8; 32]>::try_from(row.public.as_slice()).ok()).collect();
        let loaded = Arc::new(Loaded { keys, signing, at: now, read: Instant::now() });
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(loaded.clone());
        Ok(loaded)
    }
}

fn wrong(id: Uuid) -> Fault {
    Fault::Corrupt(format!("the signing key {id} is not what it was"))
}

async fn rows(db: &Db) -> Result<Vec<Row>, Fault> {
    let sql = "SELECT id, public, sealed, active_from FROM signing_key";
    Ok(sqlx::query_as(sql).fetch_all(db.directory()).await?)
}

/// The key that signs now.
///
/// # Errors
/// A fault when it cannot be read or opened.
pub(crate) async fn signing(auth: &Authenticator) -> Result<AccessKey, Fault> {
    Ok(auth.oauth().keys.loaded(auth).await?.signing.clone())
}

/// The keys that verify, read again when a key is named that is not among them.
///
/// # Errors
/// A fault when they cannot be read.
pub(crate) async fn verifying(auth: &Authenticator, named: Option<&str>) -> Result<AccessKeys, Fault> {
    let mut loaded = auth.oauth().keys.loaded(auth).await?;
    // Anybody can name a key: the list is not read again for each.
    if named.is_some_and(|id| !loaded.keys.knows(id)) && loaded.read.elapsed() > PAUSE {
        loaded = auth.oauth().keys.load(auth).await?;
    }
    Ok(loaded.keys.clone())
}

/// The document that shows the keys (RFC 7517).
///
/// # Errors
/// A fault when they cannot be read.
pub async fn jwks(auth: &Authenticator) -> Result<serde_json::Value, Fault> {
    Ok(auth.oauth().keys.loaded(auth).await?.keys.jwks())
}

/// Makes the next key when it is time, and forgets those whose tokens are all over. Any number of replicas may call it at
/// once. Whether a key was made.
///
/// # Errors
/// A fault when keys cannot be read, sealed or stored.
pub async fn rotate(db: &Db, vault: &Vault, clock: &Clock) -> Result<bool, Fault> {
    let mut tx = db.begin_directory().await?;
    sqlx::query("SELECT pg_advisory_xact_lock($1)").bind(LOCK).execute(&mut *tx).await?;
    let now = clock.now();
    let newest: Option<DateTime<Utc>> =
        sqlx::query_scalar("SELECT max(active_from) FROM signing_key").fetch_one(&mut *tx).await?;
    let active_from = match newest {
        None => Some(now),
        Some(newest) if newest + SIGNS - SHOWN_BEFORE <= now => {
            Some((newest + SIGNS).max(now + SHOWN_BEFORE))
        }
        Some(_) => None,
    };
    if let Some(active_from) = active_from {
        let (id, seed) = (kernel::id::new(), rand::random::<[u8; 32]>());
        let key = AccessKey::from_seed(&seed).map_err(|e| Fault::Internal(e.to_string()))?;
        sqlx::query(
            "INSERT INTO signing_key (id, kid, public, sealed, created_at, active_from) VALUES ($1, $2, $3, $4, $5, $6)",
        )
        .bind(id)
        .bind(key.id())
        .bind(key.public().as_slice())
        .bind(vault.seal(place(id), &STANDARD.encode(seed))?)
        .bind(now)
        .bind(active_from)
        .execute(&mut *tx)
        .await?;
    }
    sqlx::query(
        "DELETE FROM signing_key k WHERE EXISTS (
             SELECT FROM signing_key next WHERE next.active_from > k.active_from AND next.active_from + $2 <= $1)",
    )
    .bind(now)
    .bind(KEPT_AFTER)
    .execute(&mut *tx)
    .await?;
    tx.commit().await?;
    Ok(active_from.is_some())
}
