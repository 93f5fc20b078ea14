//! What a person has begun in the books and not finished.

use kernel::held::Held;
use kernel::{Actor, Fault, Kind, Tx};
use uuid::Uuid;

/// The journal entries that a person has drafted and nobody has posted. For another domain's use case, in its transaction.
pub async fn held_by_in(tx: &Tx, person: Uuid) -> Result<Held, Fault> {
    let sql = "SELECT id, entry_date || ' ' || label, count(*) OVER () FROM journal_entry
         WHERE state = 'draft' AND created_by = $1";
    Held::read(tx, Kind::JournalEntry, sql, [Actor::Person(person).stored().into()]).await
}
