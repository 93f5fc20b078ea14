//! What the domains above need to know of posted entries, in their own transactions.

use chrono::NaiveDate;
use kernel::Tx;
use uuid::Uuid;

use crate::error::Error;

/// The lines of posted entries on the receivable or payable account (the first of each entry): entry, line, and
/// accounting date. Entries that have none are left out.
pub async fn party_postings_in(tx: &Tx, entries: Vec<Uuid>) -> Result<Vec<(Uuid, Uuid, NaiveDate)>, Error> {
    let sql = "SELECT DISTINCT ON (p.entry_id) p.entry_id, p.id, p.posted_on
         FROM posting p JOIN account a ON a.tenant_id = p.tenant_id AND a.id = p.account_id
         WHERE p.entry_id = ANY($1) AND p.posted_on IS NOT NULL AND a.role IN ('receivable', 'payable')
         ORDER BY p.entry_id, p.line_no";
    Ok(tx.tuples(sql, [entries.into()]).await?)
}
