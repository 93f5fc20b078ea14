//! Putting letters into the outbox, and looking into it.

use chrono::{DateTime, TimeDelta, Utc};
use kernel::vault::Vault;
use kernel::{Clock, Db, Fault, Tx};
use uuid::Uuid;

use super::store::{self, Row};
use crate::letter::Letter;

/// Puts a letter about a company into the outbox, in the caller's transaction: it commits with the event it tells of, or
/// not at all. In a test twin it is withheld: kept, and never sent.
pub async fn put_in(tx: &Tx, letter: &Letter) -> Result<(), Fault> {
    let scope = tx.scope();
    let row = Row::of(letter, Some(scope.company().id), scope.vault(), scope.clock().now())?;
    store::insert_in(tx, row, scope.is_test()).await
}

/// Puts a letter about somebody's account into the outbox.
pub async fn put(db: &Db, vault: &Vault, clock: &Clock, letter: &Letter) -> Result<(), Fault> {
    store::insert(db, Row::of(letter, None, vault, clock.now())?).await
}

/// Puts a letter about somebody's account into the outbox, unless `most` of its kind were put for the same address within
/// that time; whether it was put. Nobody shall fill another's mailbox through us.
pub async fn put_at_most(
    db: &Db,
    vault: &Vault,
    clock: &Clock,
    letter: &Letter,
    most: u32,
    within: TimeDelta,
) -> Result<bool, Fault> {
    let now = clock.now();
    store::insert_at_most(db, Row::of(letter, None, vault, now)?, most, now - within).await
}

/// A letter as it stands in the outbox.
#[derive(Clone, Debug)]
pub struct Kept {
    /// Its id, which its `Message-ID` is made of.
    pub id: Uuid,
    /// What kind of letter it is.
    pub kind: String,
    /// The letter itself, unless erased.
    pub letter: Option<Letter>,
    /// When it was put there.
    pub created_at: DateTime<Utc>,
    /// When it was sent.
    pub sent_at: Option<DateTime<Utc>>,
    /// When it was given up.
    pub given_up_at: Option<DateTime<Utc>>,
    /// How often it was tried.
    pub attempts: i32,
    /// Why it was not sent, at the last try.
    pub last_error: Option<String>,
    /// Whether it is a test twin's, which is never sent.
    pub withheld: bool,
}

/// The newest letters, newest first. For a demo and for developing: it shows everybody's.
pub async fn newest(db: &Db, vault: &Vault, most: i64) -> Result<Vec<Kept>, Fault> {
    store::newest(db, vault, most).await
}

/// How long the outcome of a letter is kept.
const KEPT: TimeDelta = TimeDelta::days(90);
/// How long it is known how often an address was written to.
const COUNTED: TimeDelta = TimeDelta::days(1);

/// Forgets letters whose end is long past, and whom others went to; how many rows that touched.
pub async fn forget_old(db: &Db, clock: &Clock) -> Result<u64, Fault> {
    let now = clock.now();
    store::forget(db, now - KEPT, now - COUNTED).await
}
