//! What is done with journals.

use entity::ledger::journal;
use kernel::{Kind, NewEvent, Permission, Tx};
use uuid::Uuid;

use crate::account::check_text;
use crate::error::{Error, same_version};

/// A new code and name for a journal; entries keep their numbers. Needs `ledger.configure`.
pub async fn rename(tx: &Tx, id: Uuid, expected_version: i32, code: &str, name: &str) -> Result<Uuid, Error> {
    let scope = tx.scope();
    scope.require(Permission::LedgerConfigure)?;
    let legal = |c: char| c.is_ascii_digit() || c.is_ascii_uppercase();
    if code.is_empty() || code.len() > 6 || !code.chars().all(legal) {
        return Err(Error::invalid("code", "a code has 1 to 6 digits and capital letters"));
    }
    check_text("name", name, 100)?;
    let before: Option<journal::Model> =
        tx.one("SELECT * FROM journal WHERE id = $1 FOR NO KEY UPDATE", [id.into()]).await?;
    let before = before.ok_or(Error::NotFound(Kind::Journal, "id"))?;
    same_version(expected_version, before.version)?;
    tx.run(
        "UPDATE journal SET code = $2, name = $3, version = version + 1, updated_at = $4, updated_by = $5
         WHERE id = $1",
        [id.into(), code.into(), name.into(), scope.clock().now().into(), scope.actor().stored().into()],
    )
    .await?;
    NewEvent::new("journal.renamed", Kind::Journal, id)
        .changed("code", before.code.as_str(), code)
        .changed("name", before.name.as_str(), name)
        .append(tx)
        .await?;
    Ok(id)
}

/// All journals, by code: there are five. Needs `ledger.read`.
pub async fn list(tx: &Tx) -> Result<Vec<journal::Model>, Error> {
    tx.scope().require(Permission::LedgerRead)?;
    Ok(tx.all("SELECT * FROM journal ORDER BY code", []).await?)
}

/// The journals of these ids; unknown ones are left out. Needs `ledger.read`.
pub async fn by_ids(tx: &Tx, ids: &[Uuid]) -> Result<Vec<journal::Model>, Error> {
    tx.scope().require(Permission::LedgerRead)?;
    Ok(tx.all("SELECT * FROM journal WHERE id = ANY($1)", [ids.to_vec().into()]).await?)
}
