//! The way to the ledger.
//!
//! A journal's dates rise with its numbers and closed periods take nothing, but payments become known late and
//! in any order. So an entry is posted on its own date or, where that cannot be, on the first later day that the
//! journal takes; the day of the payment itself stays with the payment, and as the date of the entry's piece.

use chrono::NaiveDate;
use kernel::Tx;
use ledger::entry::{JournalKind, NewEntry, Posted};
use uuid::Uuid;

use crate::error::Error;

/// How often another day is tried, when others post to the same journal at the same time.
const ATTEMPTS: u32 = 20;

/// Posts an entry on its date, or as soon after as can be. The entry, and its date.
pub(super) async fn post(tx: &Tx, entry: NewEntry) -> Result<(Posted, NaiveDate), Error> {
    let (journal, wanted) = (entry.journal, entry.date);
    on_first_day(tx, journal, wanted, |on| ledger::entry::post_in(tx, NewEntry { date: on, ..entry.clone() }))
        .await
}

/// Posts the reversal of an entry of the bank journal on that day, or as soon after as can be.
pub(super) async fn reverse(tx: &Tx, entry: Uuid, wanted: NaiveDate, label: &str) -> Result<Uuid, Error> {
    let reversal =
        on_first_day(tx, JournalKind::Bank, wanted, |on| ledger::entry::reverse_in(tx, entry, on, label))
            .await?;
    Ok(reversal.0.id)
}

async fn on_first_day<F>(
    tx: &Tx,
    journal: JournalKind,
    wanted: NaiveDate,
    post: impl Fn(NaiveDate) -> F,
) -> Result<(Posted, NaiveDate), Error>
where
    F: Future<Output = Result<Posted, ledger::Error>>,
{
    let mut attempt = 1;
    loop {
        let on = ledger::entry::first_day_in(tx, journal, wanted).await?;
        match tx.savepoint(post(on)).await {
            Ok(posted) => return Ok((posted, on)),
            Err(ledger::Error::DateBeforeLast(_)) if attempt < ATTEMPTS => attempt += 1,
            Err(error) => return Err(error.into()),
        }
    }
}
