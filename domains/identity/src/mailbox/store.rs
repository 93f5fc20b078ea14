//! Letters that were asked for and are not written yet.

use chrono::{DateTime, TimeDelta, Utc};
use kernel::Fault;
use kernel::vault::Place;
use uuid::Uuid;

use crate::authenticator::Authenticator;

/// How long who has taken a wish has time to write the letter.
const LEASE: TimeDelta = TimeDelta::minutes(1);
/// Wishes of one round.
const AT_ONCE: i64 = 20;

fn place(id: Uuid) -> Place<'static> {
    Place { company: Uuid::nil(), column: "wanted_letter.email", row: id }
}

/// What is wanted.
pub(super) enum Wish {
    /// That a person's address be confirmed.
    Confirm(Uuid),
    /// A new password, at an address that may have an account.
    Reset,
}

pub(super) struct Wanted {
    pub(super) id: Uuid,
    pub(super) wish: Wish,
    pub(super) email: String,
    pub(super) locale: String,
    pub(super) created_at: DateTime<Utc>,
}

pub(super) async fn put(auth: &Authenticator, wish: Wish, email: &str, locale: &str) -> Result<(), Fault> {
    let (id, now) = (kernel::id::new(), auth.clock().now());
    let (kind, person) = match wish {
        Wish::Confirm(person) => ("confirm", Some(person)),
        Wish::Reset => ("reset", None),
    };
    sqlx::query(
        "INSERT INTO wanted_letter (id, kind, person_id, email, locale, created_at, not_before)
         VALUES ($1, $2, $3, $4, $5, $6, $6)",
    )
    .bind(id)
    .bind(kind)
    .bind(person)
    .bind(auth.vault().seal(place(id), email)?)
    .bind(if locale == "fr" { "fr" } else { "en" })
    .bind(now)
    .execute(auth.db().directory())
    .await?;
    Ok(())
}

#[derive(sqlx::FromRow)]
struct Row {
    id: Uuid,
    person_id: Option<Uuid>,
    email: Vec<u8>,
    locale: String,
    created_at: DateTime<Utc>,
}

/// Takes some wishes, oldest first, for a minute: who does not come back with them loses them to the next.
pub(super) async fn take(auth: &Authenticator) -> Result<Vec<Wanted>, Fault> {
    let now = auth.clock().now();
    let rows: Vec<Row> = sqlx::query_as(
        "UPDATE wanted_letter SET not_before = $1
         WHERE id IN (SELECT id FROM wanted_letter WHERE not_before <= $2 ORDER BY not_before LIMIT $3
             FOR UPDATE SKIP LOCKED)
         RETURNING id, person_id, email, locale, created_at",
    )
    .bind(now + LEASE)
    .bind(now)
    .bind(AT_ONCE)
    .fetch_all(auth.db().directory())
    .await?;
    rows.into_iter()
        .map(|row| {
            Ok(Wanted {
                id: row.id,
                wish: row.person_id.map_or(Wish::Reset, Wish::Confirm),
                email: auth.vault().open(place(row.id), &row.email)?,
                locale: row.locale,
                created_at: row.created_at,
            })
        })
        .collect()
}

pub(super) async fn done(auth: &Authenticator, id: Uuid) -> Result<(), Fault> {
    let deleted = sqlx::query("DELETE FROM wanted_letter WHERE id = $1").bind(id);
    deleted.execute(auth.db().directory()).await?;
    Ok(())
}
