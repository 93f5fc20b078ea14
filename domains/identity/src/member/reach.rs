//! Who of a company can be reached, for domains that tell members something.

use kernel::{Actor, Permission, PermissionSet, Tx};
use sea_orm::FromQueryResult;
use uuid::Uuid;

use crate::error::Error;
use crate::role::Role;

/// A member who may act, and where to write to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reachable {
    /// The membership.
    pub id: Uuid,
    /// The person's address, once it is proved: nobody else's mailbox hears of a company.
    pub email: Option<String>,
    /// The person's language, `fr` or `en`.
    pub locale: String,
}

#[derive(FromQueryResult)]
struct Row {
    id: Uuid,
    email: Option<String>,
    locale: String,
    role: String,
    permissions: Option<Vec<String>>,
}

/// Of these members those who may act now, and have a permission now: not who has left or is suspended, and not whose role
/// has lost it.
pub async fn with_permission_in(
    tx: &Tx,
    members: &[Uuid],
    permission: Permission,
) -> Result<Vec<Reachable>, Error> {
    let rows: Vec<Row> = tx
        .all(
            "SELECT m.id, CASE WHEN p.email_verified_at IS NOT NULL THEN p.email END AS email, p.locale, m.role,
                    r.permissions
             FROM membership m JOIN person p ON p.id = m.person_id JOIN role r ON r.key = m.role
             WHERE m.id = ANY($1) AND m.archived_at IS NULL AND m.suspended_at IS NULL AND p.disabled_at IS NULL
             ORDER BY m.id",
            [members.to_vec().into()],
        )
        .await?;
    let may = |row: &Row| {
        let all = Role::permissions_of(&row.role, row.permissions.as_deref());
        all.unwrap_or(PermissionSet::NONE).has(permission)
    };
    let reachable = |row: Row| Reachable { id: row.id, email: row.email, locale: row.locale };
    Ok(rows.into_iter().filter(may).map(reachable).collect())
}

/// The membership of who acts; none for programs, and for the service itself.
pub async fn own_in(tx: &Tx) -> Result<Option<Uuid>, Error> {
    own(tx, "SELECT id FROM membership WHERE person_id = $1 AND archived_at IS NULL").await
}

/// The same, locked: for events about it.
pub async fn own_locked_in(tx: &Tx) -> Result<Option<Uuid>, Error> {
    let sql = "SELECT id FROM membership WHERE person_id = $1 AND archived_at IS NULL FOR NO KEY UPDATE";
    own(tx, sql).await
}

async fn own(tx: &Tx, sql: &str) -> Result<Option<Uuid>, Error> {
    let Actor::Person(person) = tx.scope().actor() else { return Ok(None) };
    let found: Option<(Uuid,)> = tx.tuple(sql, [person.into()]).await?;
    Ok(found.map(|(id,)| id))
}
