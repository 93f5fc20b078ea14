//! What a member answers for.

use kernel::held::Held;
use kernel::{Fault, Kind, Permission, PermissionSet, Tx};
use uuid::Uuid;

use crate::error::Error;
use crate::role::Role;

/// The living API keys that a person answers for: they stop when the person leaves. For another domain's use case, in its
/// transaction.
pub async fn held_by_in(tx: &Tx, person: Uuid) -> Result<Held, Fault> {
    let sql = "SELECT id, name, count(*) OVER () FROM api_key
         WHERE responsible_id = $1 AND revoked_at IS NULL AND (expires_at IS NULL OR expires_at > $2)";
    Held::read(tx, Kind::ApiKey, sql, [person.into(), tx.scope().clock().now().into()]).await
}

/// The applications that a person answers for: what they do for themselves stops when the person leaves. For another
/// domain's use case, in its transaction.
pub async fn applications_held_by_in(tx: &Tx, person: Uuid) -> Result<Held, Fault> {
    let sql = "SELECT id, name, count(*) OVER () FROM oauth_client WHERE responsible_id = $1 AND archived_at IS NULL";
    Held::read(tx, Kind::Application, sql, [person.into()]).await
}

/// Whose membership it is, past ones too, and what its role lets do: for who manages members.
pub async fn holder(tx: &Tx, member: Uuid) -> Result<(Uuid, PermissionSet), Error> {
    tx.scope().require(Permission::MembersManage)?;
    let found: Option<(Uuid, String, Option<Vec<String>>)> = tx
        .tuple(
            "SELECT m.person_id, m.role, r.permissions FROM membership m
             JOIN role r ON r.tenant_id = m.tenant_id AND r.key = m.role WHERE m.id = $1",
            [member.into()],
        )
        .await?;
    let (person, role, stored) = found.ok_or(Error::NotFound(Kind::Membership))?;
    let may = Role::permissions_of(&role, stored.as_deref());
    Ok((person, may.ok_or_else(|| Fault::Corrupt(format!("role {role}")))?))
}
