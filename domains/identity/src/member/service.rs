//! Adding members, changing their roles, removing them.

use chrono::{DateTime, Utc};
use entity::identity::person;
use kernel::{Kind, NewEvent, Permission, Tx};
use sea_orm::FromQueryResult;
use uuid::Uuid;

use crate::approval::service as approval;
use crate::error::Error;
use crate::role::Role;
use crate::role::service as roles;

/// A member with the person's name.
#[derive(Clone, Debug, FromQueryResult)]
pub struct Member {
    /// The membership.
    pub id: Uuid,
    /// The person.
    pub person_id: Uuid,
    /// The role's stored name.
    pub role: String,
    /// For the next change.
    pub version: i32,
    /// Since when.
    pub created_at: DateTime<Utc>,
    /// Since when the member is kept out.
    pub suspended_at: Option<DateTime<Utc>>,
    /// The person's name.
    pub name: String,
    /// The person's e-mail.
    pub email: String,
}

const MEMBERS: &str =
    "SELECT m.id, m.person_id, m.role, m.version, m.created_at, m.suspended_at, p.name, p.email
     FROM membership m JOIN person p ON p.id = m.person_id WHERE m.archived_at IS NULL";

/// Makes a person a member, in the caller's transaction.
pub async fn add_in(tx: &Tx, person: Uuid, role: Role) -> Result<Uuid, Error> {
    add_as_in(tx, person, role.as_str()).await
}

/// The same with a role of the company's own, or a built-in one, by its key.
pub async fn add_as_in(tx: &Tx, person: Uuid, role: &str) -> Result<Uuid, Error> {
    let scope = tx.scope();
    let id = tx.new_id();
    let added = tx
        .tuple::<(Uuid,)>(
            "INSERT INTO membership (tenant_id, id, person_id, role, created_at, created_by, updated_at, updated_by)
             VALUES ($1, $2, $3, $4, $5, $6, $5, $6)
             ON CONFLICT (tenant_id, person_id) DO UPDATE
                 SET role = excluded.role, archived_at = NULL, suspended_at = NULL, version = membership.version + 1,
                     updated_at = excluded.updated_at, updated_by = excluded.updated_by
                 WHERE membership.archived_at IS NOT NULL
             RETURNING id",
            [
                scope.company().id.into(),
                id.into(),
                person.into(),
                role.into(),
                scope.clock().now().into(),
                scope.actor().stored().into(),
            ],
        )
        .await?;
    let (id,) = added.ok_or(Error::AlreadyMember)?;
    NewEvent::new("member.added", Kind::Membership, id).fact("role", role).append(tx).await?;
    Ok(id)
}

/// Makes the person of an e-mail a member. The person must have an account.
///
/// # Errors
/// [`Error::Invalid`], [`Error::AlreadyMember`], [`Error::OwnersOnly`], [`Error::RoleBeyondOwn`],
/// [`Error::ApprovalNeeded`].
pub async fn add(tx: &Tx, email: &str, role: impl AsRef<str> + Send) -> Result<Uuid, Error> {
    tx.scope().require(Permission::MembersManage)?;
    approval::refuse_if_needed(tx).await?;
    let role = role.as_ref();
    roles::grantable(tx, role).await?;
    let found: Option<(Uuid,)> =
        tx.tuple("SELECT id FROM person WHERE email = $1", [email.trim().to_lowercase().into()]).await?;
    let (person,) = found.ok_or_else(|| {
        Error::invalid("email", "nobody has signed up with this e-mail: ask the person to sign up first")
    })?;
    add_as_in(tx, person, role).await
}

async fn locked(tx: &Tx, id: Uuid, expected_version: i32) -> Result<String, Error> {
    let found: Option<(String, i32)> = tx
        .tuple(
            "SELECT role, version FROM membership WHERE id = $1 AND archived_at IS NULL FOR NO KEY UPDATE",
            [id.into()],
        )
        .await?;
    let (role, version) = found.ok_or(Error::NotFound(Kind::Membership))?;
    if version != expected_version {
        return Err(Error::Conflict { expected: expected_version, actual: version });
    }
    Ok(role)
}

/// Refuses to leave the company without an owner who may act, or without two where they approve each other's changes of
/// rights. Owners are locked, so that two cannot leave at once.
pub(super) async fn keep_an_owner(tx: &Tx, leaving: Uuid) -> Result<(), Error> {
    let owners = owners(tx).await?;
    let staying = owners.iter().filter(|(id,)| *id != leaving).count();
    if staying == 0 {
        return Err(Error::LastOwner);
    }
    // Held: it is not turned on while an owner leaves.
    let two: Option<(bool,)> = tx.tuple("SELECT rights_four_eyes FROM company FOR SHARE", []).await?;
    if staying == 1 && two.is_some_and(|(two,)| two) { Err(Error::TwoOwnersNeeded) } else { Ok(()) }
}

/// Refuses unless two owners may act, who are held.
pub(crate) async fn two_owners(tx: &Tx) -> Result<(), Error> {
    if owners(tx).await?.len() < 2 { Err(Error::TwoOwnersNeeded) } else { Ok(()) }
}

/// The owners who may act, locked.
async fn owners(tx: &Tx) -> Result<Vec<(Uuid,)>, Error> {
    let sql =
        "SELECT id FROM membership WHERE role = 'owner' AND archived_at IS NULL AND suspended_at IS NULL
         ORDER BY id FOR NO KEY UPDATE";
    Ok(tx.tuples(sql, []).await?)
}

/// Changes a member's role. Nobody gives more than they have, nor takes from who has more: so nobody raises themselves.
///
/// # Errors
/// [`Error::NotFound`], [`Error::Conflict`], [`Error::Invalid`] for an unknown role, [`Error::OwnersOnly`],
/// [`Error::RoleBeyondOwn`], [`Error::LastOwner`], [`Error::TwoOwnersNeeded`], [`Error::ApprovalNeeded`].
pub async fn change_role(
    tx: &Tx,
    id: Uuid,
    expected_version: i32,
    role: impl AsRef<str> + Send,
) -> Result<(), Error> {
    tx.scope().require(Permission::MembersManage)?;
    approval::refuse_if_needed(tx).await?;
    change_role_approved(tx, id, expected_version, role.as_ref()).await
}

/// As [`change_role`], when nobody need approve it any more.
pub(crate) async fn change_role_approved(
    tx: &Tx,
    id: Uuid,
    expected_version: i32,
    role: &str,
) -> Result<(), Error> {
    let scope = tx.scope();
    scope.require(Permission::MembersManage)?;
    let before = locked(tx, id, expected_version).await?;
    roles::may_touch(tx, &before).await?;
    roles::grantable(tx, role).await?;
    if before == Role::Owner.as_str() && role != Role::Owner.as_str() {
        keep_an_owner(tx, id).await?;
    }
    tx.run(
        "UPDATE membership SET role = $2, version = version + 1, updated_at = $3, updated_by = $4 WHERE id = $1",
        [id.into(), role.into(), scope.clock().now().into(), scope.actor().stored().into()],
    )
    .await?;
    let changed = NewEvent::new("member.role_changed", Kind::Membership, id);
    Ok(changed.changed("role", before.as_str(), role).append(tx).await?)
}

/// Ends a membership, and answers whose it was. [`super::leaving::remove`] ends the sessions as well.
pub async fn remove(tx: &Tx, id: Uuid, expected_version: i32) -> Result<Uuid, Error> {
    let scope = tx.scope();
    scope.require(Permission::MembersManage)?;
    let role = locked(tx, id, expected_version).await?;
    roles::may_touch(tx, &role).await?;
    if role == Role::Owner.as_str() {
        keep_an_owner(tx, id).await?;
    }
    tx.run(
        "UPDATE membership SET archived_at = $2, version = version + 1, updated_at = $2, updated_by = $3 WHERE id = $1",
        [id.into(), scope.clock().now().into(), scope.actor().stored().into()],
    )
    .await?;
    NewEvent::new("member.removed", Kind::Membership, id).append(tx).await?;
    let person: Option<(Uuid,)> =
        tx.tuple("SELECT person_id FROM membership WHERE id = $1", [id.into()]).await?;
    person.map(|(person,)| person).ok_or(Error::NotFound(Kind::Membership))
}

/// The members, oldest first. A company has few: they are not paged.
pub async fn list(tx: &Tx) -> Result<Vec<Member>, Error> {
    tx.scope().require(Permission::MembersRead)?;
    Ok(tx.all(&format!("{MEMBERS} ORDER BY m.id"), []).await?)
}

/// A member, or none for an unknown id.
pub async fn get(tx: &Tx, id: Uuid) -> Result<Option<Member>, Error> {
    tx.scope().require(Permission::MembersRead)?;
    Ok(tx.one(&format!("{MEMBERS} AND m.id = $1"), [id.into()]).await?)
}

/// People of this company by id, for showing who did something: past members too, others never.
pub async fn people(tx: &Tx, ids: &[Uuid]) -> Result<Vec<person::Model>, Error> {
    Ok(tx
        .all(
            "SELECT p.* FROM person p JOIN membership m ON m.person_id = p.id WHERE p.id = ANY($1)",
            [ids.to_vec().into()],
        )
        .await?)
}
