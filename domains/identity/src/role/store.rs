//! How roles are read and written.

use kernel::{Fault, Tx};
use uuid::Uuid;

use super::service::CompanyRole;

const COLUMNS: &str = "id, key, built_in, name, description, permissions, version, archived_at";

pub(super) async fn list(tx: &Tx, with_archived: bool) -> Result<Vec<CompanyRole>, Fault> {
    let sql = format!(
        "SELECT {COLUMNS} FROM role WHERE $1 OR archived_at IS NULL ORDER BY NOT built_in, created_at, id LIMIT 500"
    );
    tx.all(&sql, [with_archived.into()]).await
}

pub(super) async fn get(tx: &Tx, id: Uuid) -> Result<Option<CompanyRole>, Fault> {
    tx.one(&format!("SELECT {COLUMNS} FROM role WHERE id = $1"), [id.into()]).await
}

pub(super) async fn by_keys(tx: &Tx, keys: &[String]) -> Result<Vec<CompanyRole>, Fault> {
    tx.all(&format!("SELECT {COLUMNS} FROM role WHERE key = ANY($1)"), [keys.to_vec().into()]).await
}

pub(super) async fn member_counts(tx: &Tx, keys: &[String]) -> Result<Vec<(String, i64)>, Fault> {
    tx.tuples(
        "SELECT role, count(*) FROM membership WHERE role = ANY($1) AND archived_at IS NULL GROUP BY role",
        [keys.to_vec().into()],
    )
    .await
}

pub(super) async fn count_own(tx: &Tx) -> Result<u64, Fault> {
    let count: Option<(i64,)> =
        tx.tuple("SELECT count(*) FROM role WHERE NOT built_in AND archived_at IS NULL", []).await?;
    Ok(count.map_or(0, |(count,)| count.unsigned_abs()))
}

/// Stores a role under its key, or under the first free one with a number behind it: keys of archived roles are taken.
pub(super) async fn insert(
    tx: &Tx,
    key: &str,
    name: &str,
    description: Option<&str>,
    permissions: &[String],
) -> Result<CompanyRole, Fault> {
    let scope = tx.scope();
    for number in 1..1000 {
        let key = if number == 1 { key.to_owned() } else { format!("{key}_{number}") };
        let sql = format!(
            "INSERT INTO role (tenant_id, id, key, built_in, name, description, permissions,
                 created_at, created_by, updated_at, updated_by)
             VALUES ($1, $2, $3, false, $4, $5, $6, $7, $8, $7, $8)
             ON CONFLICT (tenant_id, key) DO NOTHING RETURNING {COLUMNS}"
        );
        let inserted = tx
            .one(
                &sql,
                [
                    scope.company().id.into(),
                    tx.new_id().into(),
                    key.into(),
                    name.into(),
                    description.into(),
                    permissions.to_vec().into(),
                    scope.clock().now().into(),
                    scope.actor().stored().into(),
                ],
            )
            .await?;
        if let Some(role) = inserted {
            return Ok(role);
        }
    }
    Err(Fault::Internal("no free key for a role".to_owned()))
}

pub(super) async fn update(
    tx: &Tx,
    id: Uuid,
    name: &str,
    description: Option<&str>,
    permissions: &[String],
) -> Result<(), Fault> {
    let scope = tx.scope();
    tx.run(
        "UPDATE role SET name = $2, description = $3, permissions = $4, version = version + 1, updated_at = $5,
             updated_by = $6 WHERE id = $1",
        [
            id.into(),
            name.into(),
            description.into(),
            permissions.to_vec().into(),
            scope.clock().now().into(),
            scope.actor().stored().into(),
        ],
    )
    .await
    .map(|_| ())
}

pub(super) async fn archive(tx: &Tx, id: Uuid) -> Result<(), Fault> {
    let scope = tx.scope();
    tx.run(
        "UPDATE role SET archived_at = $2, version = version + 1, updated_at = $2, updated_by = $3 WHERE id = $1",
        [id.into(), scope.clock().now().into(), scope.actor().stored().into()],
    )
    .await
    .map(|_| ())
}

/// A role, locked for a change.
pub(super) async fn lock(tx: &Tx, id: Uuid) -> Result<Option<CompanyRole>, Fault> {
    tx.one(&format!("SELECT {COLUMNS} FROM role WHERE id = $1 FOR NO KEY UPDATE"), [id.into()]).await
}

/// A role by its key, held as it is.
pub(super) async fn hold(tx: &Tx, key: &str) -> Result<Option<CompanyRole>, Fault> {
    tx.one(&format!("SELECT {COLUMNS} FROM role WHERE key = $1 FOR SHARE"), [key.into()]).await
}

/// The role of a member who may act, both held as they are.
pub(super) async fn held_by(tx: &Tx, person: Uuid) -> Result<Option<CompanyRole>, Fault> {
    let held: Option<(String,)> = tx
        .tuple(
            "SELECT role FROM membership WHERE person_id = $1 AND archived_at IS NULL AND suspended_at IS NULL FOR SHARE",
            [person.into()],
        )
        .await?;
    match held {
        Some((key,)) => hold(tx, &key).await,
        None => Ok(None),
    }
}

/// How many members and open invitations have a role.
pub(super) async fn uses(tx: &Tx, key: &str) -> Result<(i64, i64), Fault> {
    let counts: Option<(i64, i64)> = tx
        .tuple(
            "SELECT (SELECT count(*) FROM membership WHERE role = $1 AND archived_at IS NULL),
                    (SELECT count(*) FROM invitation WHERE role = $1 AND accepted_at IS NULL AND revoked_at IS NULL
                         AND expires_at > $2)",
            [key.into(), tx.scope().clock().now().into()],
        )
        .await?;
    Ok(counts.unwrap_or_default())
}
