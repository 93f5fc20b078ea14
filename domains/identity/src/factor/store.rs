//! How factors are read and written: in the directory, never in a company's transaction.

use chrono::{DateTime, Utc};
use kernel::Fault;
use serde_json::Value;
use uuid::Uuid;

use super::Passkey;
use crate::authenticator::Authenticator;

/// The secret of an authenticator application.
#[derive(Debug, sqlx::FromRow)]
pub(super) struct Totp {
    pub(super) secret: Vec<u8>,
    pub(super) created_at: DateTime<Utc>,
    pub(super) confirmed_at: Option<DateTime<Utc>>,
    pub(super) last_step: Option<i64>,
}

/// A passkey as verifying needs it.
#[derive(Debug, sqlx::FromRow)]
pub(super) struct Key {
    pub(super) id: Uuid,
    pub(super) person_id: Uuid,
    pub(super) data: Value,
}

/// Whether a person has a second factor.
const HAS_SECOND: &str = "SELECT EXISTS (SELECT FROM totp WHERE person_id = $1 AND confirmed_at IS NOT NULL)
         OR EXISTS (SELECT FROM passkey WHERE person_id = $1)";

pub(super) async fn has_second(auth: &Authenticator, person: Uuid) -> Result<bool, Fault> {
    Ok(sqlx::query_scalar(HAS_SECOND).bind(person).fetch_one(auth.db().directory()).await?)
}

pub(super) async fn totp(auth: &Authenticator, person: Uuid) -> Result<Option<Totp>, Fault> {
    let sql = "SELECT secret, created_at, confirmed_at, last_step FROM totp WHERE person_id = $1";
    Ok(sqlx::query_as(sql).bind(person).fetch_optional(auth.db().directory()).await?)
}

/// Keeps a secret that waits for its first code, in the place of one that waited before. `false`: one is confirmed.
pub(super) async fn put_totp(
    auth: &Authenticator,
    person: Uuid,
    secret: &[u8],
    now: DateTime<Utc>,
) -> Result<bool, Fault> {
    let sql = "INSERT INTO totp (person_id, secret, created_at) VALUES ($1, $2, $3)
         ON CONFLICT (person_id) DO UPDATE SET secret = excluded.secret, created_at = excluded.created_at
         WHERE totp.confirmed_at IS NULL";
    let put = sqlx::query(sql).bind(person).bind(secret).bind(now).execute(auth.db().directory()).await?;
    Ok(put.rows_affected() == 1)
}

/// Confirms the secret by the step of its first code. `false`: it was confirmed or replaced meanwhile.
pub(super) async fn confirm_totp(
    auth: &Authenticator,
    person: Uuid,
    secret: &[u8],
    step: i64,
    now: DateTime<Utc>,
) -> Result<bool, Fault> {
    let sql = "UPDATE totp SET confirmed_at = $4, last_step = $3
         WHERE person_id = $1 AND secret = $2 AND confirmed_at IS NULL";
    let confirmed = sqlx::query(sql)
        .bind(person)
        .bind(secret)
        .bind(step)
        .bind(now)
        .execute(auth.db().directory())
        .await?;
    Ok(confirmed.rows_affected() == 1)
}

/// Notes that a code of a step was accepted. `false`: one of this step or a later one was accepted meanwhile, or the
/// secret is another now. Of codes that come at once, the row's lock lets one through.
pub(super) async fn use_step(
    auth: &Authenticator,
    person: Uuid,
    secret: &[u8],
    step: i64,
) -> Result<bool, Fault> {
    let sql = "UPDATE totp SET last_step = $3
         WHERE person_id = $1 AND secret = $2 AND confirmed_at IS NOT NULL AND last_step < $3";
    let used = sqlx::query(sql).bind(person).bind(secret).bind(step).execute(auth.db().directory()).await?;
    Ok(used.rows_affected() == 1)
}

/// Uses a recovery code up. `false`: there is none with this hash, or it is used. Of uses at once, one succeeds.
pub(super) async fn use_recovery_code(
    auth: &Authenticator,
    person: Uuid,
    hash: &[u8],
    now: DateTime<Utc>,
) -> Result<bool, Fault> {
    let sql = "UPDATE recovery_code SET used_at = $3 WHERE hash = $2 AND person_id = $1 AND used_at IS NULL";
    let used = sqlx::query(sql).bind(person).bind(hash).bind(now).execute(auth.db().directory()).await?;
    Ok(used.rows_affected() == 1)
}

/// Puts new recovery codes in the place of the old ones: all of them, or none.
pub(super) async fn replace_recovery_codes(
    auth: &Authenticator,
    person: Uuid,
    hashes: &[Vec<u8>],
    now: DateTime<Utc>,
) -> Result<(), Fault> {
    let mut tx = auth.db().begin_directory().await?;
    // In one order for all who do so at once.
    sqlx::query("SELECT 1 FROM person WHERE id = $1 FOR NO KEY UPDATE")
        .bind(person)
        .execute(&mut *tx)
        .await?;
    sqlx::query("DELETE FROM recovery_code WHERE person_id = $1").bind(person).execute(&mut *tx).await?;
    sqlx::query(
        "INSERT INTO recovery_code (hash, person_id, created_at) SELECT hash, $1, $3 FROM unnest($2) AS hash",
    )
    .bind(person)
    .bind(hashes)
    .bind(now)
    .execute(&mut *tx)
    .await?;
    Ok(tx.commit().await?)
}

pub(super) async fn recovery_codes_left(auth: &Authenticator, person: Uuid) -> Result<i64, Fault> {
    let sql = "SELECT count(*) FROM recovery_code WHERE person_id = $1 AND used_at IS NULL";
    Ok(sqlx::query_scalar(sql).bind(person).fetch_one(auth.db().directory()).await?)
}

/// The passkeys of a person, the oldest first.
pub(super) async fn passkeys(auth: &Authenticator, person: Uuid) -> Result<Vec<Passkey>, Fault> {
    let sql = "SELECT id, name, created_at, last_used_at FROM passkey WHERE person_id = $1 ORDER BY id";
    Ok(sqlx::query_as(sql).bind(person).fetch_all(auth.db().directory()).await?)
}

pub(super) async fn credential_ids(auth: &Authenticator, person: Uuid) -> Result<Vec<Vec<u8>>, Fault> {
    let sql = "SELECT credential_id FROM passkey WHERE person_id = $1";
    Ok(sqlx::query_scalar(sql).bind(person).fetch_all(auth.db().directory()).await?)
}

/// A passkey to store.
#[derive(Debug)]
pub(super) struct NewKey {
    pub(super) id: Uuid,
    pub(super) person: Uuid,
    pub(super) credential_id: Vec<u8>,
    pub(super) name: String,
    pub(super) data: Value,
}

/// Stores a passkey. `false`: the credential is somebody's already, or the person has as many as are allowed.
pub(super) async fn insert_passkey(
    auth: &Authenticator,
    new: NewKey,
    most: i64,
    now: DateTime<Utc>,
) -> Result<bool, Fault> {
    let sql = "INSERT INTO passkey (id, person_id, credential_id, name, data, counter, created_at)
         SELECT $1, $2, $3, $4, $5, 0, $6 WHERE (SELECT count(*) FROM passkey WHERE person_id = $2) < $7
         ON CONFLICT (credential_id) DO NOTHING";
    let inserted = sqlx::query(sql)
        .bind(new.id)
        .bind(new.person)
        .bind(new.credential_id)
        .bind(new.name)
        .bind(new.data)
        .bind(now)
        .bind(most)
        .execute(auth.db().directory())
        .await?;
    Ok(inserted.rows_affected() == 1)
}

/// The passkey of a credential, unless its person is kept out.
pub(super) async fn key(auth: &Authenticator, credential_id: &[u8]) -> Result<Option<Key>, Fault> {
    let sql = "SELECT k.id, k.person_id, k.data FROM passkey k JOIN person p ON p.id = k.person_id
         WHERE k.credential_id = $1 AND p.disabled_at IS NULL";
    Ok(sqlx::query_as(sql).bind(credential_id).fetch_optional(auth.db().directory()).await?)
}

/// Notes a sign-in. `false`: the count has not risen since another one, or the passkey is gone.
pub(super) async fn use_passkey(
    auth: &Authenticator,
    id: Uuid,
    data: &Value,
    counter: i64,
    now: DateTime<Utc>,
) -> Result<bool, Fault> {
    let sql = "UPDATE passkey SET data = $2, counter = $3, last_used_at = $4
         WHERE id = $1 AND (counter < $3 OR counter = 0 AND $3 = 0)";
    let used =
        sqlx::query(sql).bind(id).bind(data).bind(counter).bind(now).execute(auth.db().directory()).await?;
    Ok(used.rows_affected() == 1)
}

/// The new name of a passkey. `false`: the person has no such passkey.
pub(super) async fn rename_passkey(
    auth: &Authenticator,
    person: Uuid,
    id: Uuid,
    name: &str,
) -> Result<bool, Fault> {
    let sql = "UPDATE passkey SET name = $3 WHERE id = $2 AND person_id = $1";
    Ok(sqlx::query(sql)
        .bind(person)
        .bind(id)
        .bind(name)
        .execute(auth.db().directory())
        .await?
        .rows_affected()
        == 1)
}

/// What is to be removed.
#[derive(Clone, Copy, Debug)]
pub(super) enum Doomed {
    Totp,
    Passkey(Uuid),
}

/// How a removal went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Removed {
    Yes,
    /// There is no such factor.
    NotThere,
    /// It is the last, and the password is too short without one.
    Needed,
}

/// Removes a factor, and with the last one the recovery codes, unless the password needs it. One transaction, with the
/// person locked: of two removals at once, the second sees the first.
pub(super) async fn remove(auth: &Authenticator, person: Uuid, doomed: Doomed) -> Result<Removed, Fault> {
    let mut tx = auth.db().begin_directory().await?;
    sqlx::query("SELECT 1 FROM person WHERE id = $1 FOR NO KEY UPDATE")
        .bind(person)
        .execute(&mut *tx)
        .await?;
    let gone = match doomed {
        Doomed::Totp => sqlx::query("DELETE FROM totp WHERE person_id = $1").bind(person),
        Doomed::Passkey(id) => {
            sqlx::query("DELETE FROM passkey WHERE person_id = $1 AND id = $2").bind(person).bind(id)
        }
    };
    if gone.execute(&mut *tx).await?.rows_affected() == 0 {
        return Ok(Removed::NotThere);
    }
    if !sqlx::query_scalar::<_, bool>(HAS_SECOND).bind(person).fetch_one(&mut *tx).await? {
        let short = "SELECT EXISTS (SELECT FROM credential WHERE person_id = $1 AND short)";
        if sqlx::query_scalar::<_, bool>(short).bind(person).fetch_one(&mut *tx).await? {
            // Dropped, the transaction is undone.
            return Ok(Removed::Needed);
        }
        sqlx::query("DELETE FROM recovery_code WHERE person_id = $1").bind(person).execute(&mut *tx).await?;
    }
    tx.commit().await?;
    Ok(Removed::Yes)
}
