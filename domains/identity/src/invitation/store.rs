//! The table `invitation`, and who answers for one.

use chrono::{DateTime, Utc};
use kernel::{Fault, PermissionSet, Tx};
use sea_orm::Value;
use uuid::Uuid;

use super::Invitation;
use crate::role::Role;

const COLUMNS: &str = "SELECT id, email, role, invited_by, expires_at, accepted_at, revoked_at, version, created_at FROM invitation";

/// Stores a new one; `false` when there is an open one for the address.
pub(super) async fn insert(
    tx: &Tx,
    id: Uuid,
    email: &str,
    role: &str,
    expires_at: DateTime<Utc>,
) -> Result<bool, Fault> {
    let scope = tx.scope();
    let values: [Value; 7] = [
        scope.company().id.into(),
        id.into(),
        email.into(),
        role.into(),
        scope.actor().stored().into(),
        expires_at.into(),
        scope.clock().now().into(),
    ];
    let sql = "INSERT INTO invitation (tenant_id, id, email, role, invited_by, expires_at, created_at, created_by, updated_at,
             updated_by)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $5, $7, $5)
         ON CONFLICT (tenant_id, email) WHERE accepted_at IS NULL AND revoked_at IS NULL DO NOTHING";
    Ok(tx.run(sql, values).await? > 0)
}

/// An open invitation, locked; also one that has run out.
pub(super) async fn locked(tx: &Tx, id: Uuid) -> Result<Option<Invitation>, Fault> {
    let sql =
        format!("{COLUMNS} WHERE id = $1 AND accepted_at IS NULL AND revoked_at IS NULL FOR NO KEY UPDATE");
    tx.one(&sql, [id.into()]).await
}

pub(super) async fn get(tx: &Tx, id: Uuid) -> Result<Option<Invitation>, Fault> {
    tx.one(&format!("{COLUMNS} WHERE id = $1"), [id.into()]).await
}

/// The open ones, newest first.
pub(super) async fn open(tx: &Tx, most: i64) -> Result<Vec<Invitation>, Fault> {
    let sql = format!("{COLUMNS} WHERE accepted_at IS NULL AND revoked_at IS NULL ORDER BY id DESC LIMIT $1");
    tx.all(&sql, [most.into()]).await
}

pub(super) async fn count_open(tx: &Tx) -> Result<i64, Fault> {
    let sql = "SELECT count(*) FROM invitation WHERE accepted_at IS NULL AND revoked_at IS NULL";
    let counted: Option<(i64,)> = tx.tuple(sql, []).await?;
    Ok(counted.map_or(0, |(count,)| count))
}

/// What changes of an open invitation.
pub(super) enum Turn {
    Renewed { expires_at: DateTime<Utc> },
    Revoked,
    Accepted { by: Uuid },
}

pub(super) async fn turn(tx: &Tx, id: Uuid, turn: &Turn) -> Result<(), Fault> {
    let scope = tx.scope();
    let (now, actor): (Value, Value) = (scope.clock().now().into(), scope.actor().stored().into());
    let (set, value): (&str, Value) = match turn {
        Turn::Renewed { expires_at } => ("expires_at = $4, invited_by = $3", (*expires_at).into()),
        Turn::Revoked => ("revoked_at = $4", scope.clock().now().into()),
        Turn::Accepted { by } => ("accepted_at = $2, accepted_by = $4", (*by).into()),
    };
    let sql = format!(
        "UPDATE invitation SET {set}, version = version + 1, updated_at = $2, updated_by = $3 WHERE id = $1"
    );
    tx.run(&sql, [id.into(), now, actor, value]).await.map(|_| ())
}

/// Whether somebody is a member, archived memberships aside.
pub(super) async fn is_member(tx: &Tx, person: Uuid) -> Result<bool, Fault> {
    let sql = "SELECT 1 FROM membership WHERE person_id = $1 AND archived_at IS NULL";
    let found: Option<(i32,)> = tx.tuple(sql, [person.into()]).await?;
    Ok(found.is_some())
}

/// What who invited may do now: a member by the role, a key by its own rights and those of who answers for it. Nothing
/// once they have left, are suspended, or the key has ended. And whether it is an owner, not a program of one.
pub(super) async fn rights_of(tx: &Tx, invited_by: &str) -> Result<(PermissionSet, bool), Fault> {
    /// The role's key and stored permissions, and a key's own.
    type Rights = (String, Option<Vec<String>>, Option<Vec<String>>);
    let rights: Option<Rights> = tx
        .tuple(
            "SELECT r.key, r.permissions, NULL::text[] FROM membership m JOIN role r ON r.key = m.role
             WHERE 'person:' || m.person_id = $1 AND m.archived_at IS NULL AND m.suspended_at IS NULL
             UNION ALL
             SELECT r.key, r.permissions, k.permissions FROM api_key k
             JOIN membership m ON m.person_id = k.responsible_id AND m.archived_at IS NULL AND m.suspended_at IS NULL
             JOIN role r ON r.key = m.role
             WHERE 'api_key:' || k.id = $1 AND k.revoked_at IS NULL AND (k.expires_at IS NULL OR k.expires_at > $2)",
            [invited_by.into(), tx.scope().clock().now().into()],
        )
        .await?;
    let Some((role, stored, own)) = rights else { return Ok((PermissionSet::NONE, false)) };
    let by_role = Role::permissions_of(&role, stored.as_deref()).unwrap_or(PermissionSet::NONE);
    Ok(match own {
        None => (by_role, role == Role::Owner.as_str()),
        Some(names) => {
            let own: PermissionSet =
                names.iter().filter_map(|name| kernel::Permission::parse(name)).collect();
            (own.and(by_role), false)
        }
    })
}
