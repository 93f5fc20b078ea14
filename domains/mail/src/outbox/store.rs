//! The table `mail`. The server's role only writes letters; the worker's role reads them.

use chrono::{DateTime, Utc};
use kernel::vault::{Place, Vault};
use kernel::{Db, Fault, Tx};
use sea_orm::Value;
use uuid::Uuid;

use super::service::Kept;
use super::{Fate, LEASE};
use crate::letter::{Content, Language, Letter};

/// A letter as it is stored: sealed.
pub(super) struct Row {
    id: Uuid,
    tenant: Option<Uuid>,
    kind: &'static str,
    language: Language,
    recipient: Vec<u8>,
    letter: Vec<u8>,
    digest: Vec<u8>,
    created_at: DateTime<Utc>,
    expires_at: Option<DateTime<Utc>>,
}

fn place(column: &'static str, id: Uuid) -> Place<'static> {
    Place { company: Uuid::nil(), column, row: id }
}

impl Row {
    pub(super) fn of(
        letter: &Letter,
        tenant: Option<Uuid>,
        vault: &Vault,
        now: DateTime<Utc>,
    ) -> Result<Self, Fault> {
        let id = kernel::id::new();
        let content = serde_json::to_string(&letter.content).map_err(|e| Fault::Internal(e.to_string()))?;
        Ok(Self {
            id,
            tenant,
            kind: letter.content.kind(),
            language: letter.language,
            recipient: vault.seal(place("mail.recipient", id), &letter.to)?,
            letter: vault.seal(place("mail.letter", id), &content)?,
            digest: vault.digest("mail.recipient", letter.to.to_lowercase().as_bytes())?,
            created_at: now,
            expires_at: letter.content.worth().map(|worth| now + worth),
        })
    }
}

const INSERT: &str = "INSERT INTO mail (id, tenant_id, kind, locale, recipient, letter, recipient_digest, created_at, not_before,
         expires_at, withheld)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $8, $9, $10)";

pub(super) async fn insert_in(tx: &Tx, row: Row, withheld: bool) -> Result<(), Fault> {
    let values: [Value; 10] = [
        row.id.into(),
        row.tenant.into(),
        row.kind.into(),
        row.language.as_str().into(),
        row.recipient.into(),
        row.letter.into(),
        row.digest.into(),
        row.created_at.into(),
        row.expires_at.into(),
        withheld.into(),
    ];
    tx.run(INSERT, values).await?;
    Ok(())
}

fn inserting(row: Row) -> sqlx::query::Query<'static, sqlx::Postgres, sqlx::postgres::PgArguments> {
    sqlx::query(INSERT)
        .bind(row.id)
        .bind(row.tenant)
        .bind(row.kind)
        .bind(row.language.as_str())
        .bind(row.recipient)
        .bind(row.letter)
        .bind(row.digest)
        .bind(row.created_at)
        .bind(row.expires_at)
        .bind(false)
}

pub(super) async fn insert(db: &Db, row: Row) -> Result<(), Fault> {
    inserting(row).execute(db.directory()).await?;
    Ok(())
}

pub(super) async fn insert_at_most(
    db: &Db,
    row: Row,
    most: u32,
    since: DateTime<Utc>,
) -> Result<bool, Fault> {
    let mut transaction = db.begin_directory().await?;
    // Who writes to the same address at the same time waits: two would both count the same letters. The first bytes of a
    // digest are as good a number as any.
    let lock = row.digest.first_chunk::<8>().map_or(0, |bytes| i64::from_be_bytes(*bytes));
    sqlx::query("SELECT pg_advisory_xact_lock($1)").bind(lock).execute(&mut *transaction).await?;
    let written: i64 = sqlx::query_scalar(
        "SELECT count(*) FROM mail WHERE recipient_digest = $1 AND kind = $2 AND created_at > $3",
    )
    .bind(&row.digest)
    .bind(row.kind)
    .bind(since)
    .fetch_one(&mut *transaction)
    .await?;
    let room = written < i64::from(most);
    if room {
        inserting(row).execute(&mut *transaction).await?;
    }
    transaction.commit().await?;
    Ok(room)
}

#[derive(sqlx::FromRow)]
struct Stored {
    id: Uuid,
    kind: String,
    locale: String,
    recipient: Option<Vec<u8>>,
    letter: Option<Vec<u8>>,
    created_at: DateTime<Utc>,
    expires_at: Option<DateTime<Utc>>,
    attempts: i32,
    last_error: Option<String>,
    sent_at: Option<DateTime<Utc>>,
    given_up_at: Option<DateTime<Utc>>,
    withheld: bool,
}

impl Stored {
    /// The letter, unless erased.
    fn opened(&self, vault: &Vault) -> Result<Option<Letter>, Fault> {
        let (Some(recipient), Some(letter)) = (&self.recipient, &self.letter) else { return Ok(None) };
        let to = vault.open(place("mail.recipient", self.id), recipient)?;
        let content = vault.open(place("mail.letter", self.id), letter)?;
        let content: Content = serde_json::from_str(&content)
            .map_err(|_| Fault::Corrupt(format!("letter {} does not read as a {}", self.id, self.kind)))?;
        Ok(Some(Letter { to, language: Language::of(&self.locale), content }))
    }
}

/// A letter that is being sent.
#[derive(Debug)]
pub(crate) struct Claimed {
    pub(crate) id: Uuid,
    pub(crate) claim: Uuid,
    /// What is to be sent, or why it cannot be read.
    pub(crate) letter: Result<Letter, Fault>,
    pub(crate) attempts: i32,
    pub(crate) created_at: DateTime<Utc>,
    pub(crate) expires_at: Option<DateTime<Utc>>,
}

/// Claims letters that are due, oldest first, with a lease: who does not mark them in time loses them to the next.
pub(crate) async fn claim(
    db: &Db,
    vault: &Vault,
    most: i64,
    now: DateTime<Utc>,
) -> Result<Vec<Claimed>, Fault> {
    let claim = kernel::id::new();
    let rows: Vec<Stored> = sqlx::query_as(
        "UPDATE mail SET claim = $1, not_before = $2, attempts = attempts + 1
         WHERE id IN (SELECT id FROM mail
             WHERE sent_at IS NULL AND given_up_at IS NULL AND NOT withheld AND not_before <= $3
             ORDER BY not_before LIMIT $4 FOR UPDATE SKIP LOCKED)
         RETURNING *",
    )
    .bind(claim)
    .bind(now + LEASE)
    .bind(now)
    .bind(most)
    .fetch_all(db.worker())
    .await?;
    let claimed = rows.into_iter().map(|row| Claimed {
        id: row.id,
        claim,
        letter: row
            .opened(vault)
            .and_then(|letter| letter.ok_or_else(|| Fault::Corrupt("an erased letter is due".to_owned()))),
        attempts: row.attempts,
        created_at: row.created_at,
        expires_at: row.expires_at,
    });
    Ok(claimed.collect())
}

/// Writes down what became of a letter. Whoever sent it may say so, however late; that it is to be tried again or given up
/// is said only by who holds the claim.
pub(crate) async fn mark(
    db: &Db,
    letter: &Claimed,
    fate: &Fate,
    erase: bool,
    now: DateTime<Utc>,
) -> Result<(), Fault> {
    let marking = match fate {
        Fate::Sent => sqlx::query(
            "UPDATE mail SET sent_at = $2, given_up_at = NULL, last_error = NULL, claim = NULL,
                 recipient = CASE WHEN $3 THEN NULL ELSE recipient END,
                 letter = CASE WHEN $3 THEN NULL ELSE letter END
             WHERE id = $1 AND sent_at IS NULL",
        )
        .bind(letter.id)
        .bind(now)
        .bind(erase),
        Fate::Again { at, why } => sqlx::query(
            "UPDATE mail SET not_before = $2, last_error = $3, claim = NULL
             WHERE id = $1 AND claim = $4 AND sent_at IS NULL AND given_up_at IS NULL",
        )
        .bind(letter.id)
        .bind(at)
        .bind(why)
        .bind(letter.claim),
        Fate::GivenUp { why } => sqlx::query(
            "UPDATE mail SET given_up_at = $2, last_error = $3, claim = NULL, recipient = NULL, letter = NULL
             WHERE id = $1 AND claim = $4 AND sent_at IS NULL AND given_up_at IS NULL",
        )
        .bind(letter.id)
        .bind(now)
        .bind(why)
        .bind(letter.claim),
    };
    marking.execute(db.worker()).await?;
    Ok(())
}

pub(super) async fn newest(db: &Db, vault: &Vault, most: i64) -> Result<Vec<Kept>, Fault> {
    let rows: Vec<Stored> = sqlx::query_as("SELECT * FROM mail ORDER BY created_at DESC, id DESC LIMIT $1")
        .bind(most)
        .fetch_all(db.worker())
        .await?;
    rows.into_iter()
        .map(|row| {
            Ok(Kept {
                letter: row.opened(vault)?,
                id: row.id,
                kind: row.kind,
                created_at: row.created_at,
                sent_at: row.sent_at,
                given_up_at: row.given_up_at,
                attempts: row.attempts,
                last_error: row.last_error,
                withheld: row.withheld,
            })
        })
        .collect()
}

pub(super) async fn forget(db: &Db, ended: DateTime<Utc>, counted: DateTime<Utc>) -> Result<u64, Fault> {
    let forgotten =
        sqlx::query("DELETE FROM mail WHERE created_at < $1").bind(ended).execute(db.worker()).await?;
    let uncounted = sqlx::query(
        "UPDATE mail SET recipient_digest = NULL WHERE recipient_digest IS NOT NULL AND created_at < $1",
    )
    .bind(counted)
    .execute(db.worker())
    .await?;
    Ok(forgotten.rows_affected() + uncounted.rows_affected())
}
