//! A company's roles: listing them, making its own, changing and archiving them; and who may give which.

use chrono::{DateTime, Utc};
use kernel::{Actor, Fault, Kind, NewEvent, Permission, PermissionSet, Tx};
use sea_orm::FromQueryResult;
use uuid::Uuid;

use super::{Role, key_of, store};
use crate::approval::service as approval;
use crate::error::Error;

/// Most roles of its own that a company has.
const MOST: u64 = 100;

/// A role of a company, built-in or its own.
#[derive(Clone, Debug, FromQueryResult)]
pub struct CompanyRole {
    /// The role.
    pub id: Uuid,
    /// What memberships name it by, for ever.
    pub key: String,
    /// Whether its permissions stand in the code.
    pub built_in: bool,
    /// The name of one of the company's own.
    pub name: Option<String>,
    /// The description of one of the company's own.
    pub description: Option<String>,
    /// The permissions of one of the company's own.
    pub permissions: Option<Vec<String>>,
    /// For the next change.
    pub version: i32,
    /// Since when nobody can be given it.
    pub archived_at: Option<DateTime<Utc>>,
}

impl CompanyRole {
    /// What it may do.
    ///
    /// # Errors
    /// A fault for a built-in role that the code does not know.
    pub fn permission_set(&self) -> Result<PermissionSet, Fault> {
        Role::permissions_of(&self.key, self.permissions.as_deref())
            .ok_or_else(|| Fault::Corrupt(format!("role {}", self.key)))
    }

    /// What people call it: a built-in one in French or English.
    pub fn name(&self, locale: &str) -> &str {
        let built_in = || Role::parse(&self.key).map_or(self.key.as_str(), |role| role.name(locale));
        self.name.as_deref().unwrap_or_else(built_in)
    }

    /// What it is for: a built-in one in French or English.
    pub fn description(&self, locale: &str) -> Option<&str> {
        let built_in = || Role::parse(&self.key).map(|role| role.description(locale));
        self.description.as_deref().or_else(built_in)
    }
}

/// A role to make.
#[derive(Clone, Debug)]
pub struct NewRole {
    /// What people call it.
    pub name: String,
    /// What it is for.
    pub description: Option<String>,
    /// What it may do: at least one, none beyond the maker's own.
    pub permissions: PermissionSet,
}

/// What may be changed of a role; `None` leaves a field as it is.
#[derive(Clone, Debug, Default)]
pub struct RoleChange {
    /// What people call it.
    pub name: Option<String>,
    /// What it is for.
    pub description: Option<String>,
    /// What it may do: at least one, none beyond the changer's own.
    pub permissions: Option<PermissionSet>,
}

/// The roles that can be given, built-in ones first; with the archived ones when asked.
pub async fn list(tx: &Tx, with_archived: bool) -> Result<Vec<CompanyRole>, Error> {
    tx.scope().require(Permission::MembersRead)?;
    Ok(store::list(tx, with_archived).await?)
}

/// A role, or none for an unknown id.
pub async fn get(tx: &Tx, id: Uuid) -> Result<Option<CompanyRole>, Error> {
    tx.scope().require(Permission::MembersRead)?;
    Ok(store::get(tx, id).await?)
}

/// Roles by their keys, for showing what somebody is: whoever may see the member may see the role.
pub async fn by_keys(tx: &Tx, keys: &[String]) -> Result<Vec<CompanyRole>, Error> {
    Ok(store::by_keys(tx, keys).await?)
}

/// How many members have each of these roles, by key; none is left out.
pub async fn member_counts(tx: &Tx, keys: &[String]) -> Result<Vec<(String, i64)>, Error> {
    tx.scope().require(Permission::MembersRead)?;
    Ok(store::member_counts(tx, keys).await?)
}

/// Makes a role of the company's own.
///
/// # Errors
/// [`Error::Invalid`] for a name or a set that cannot be, [`Error::BeyondOwn`].
pub async fn create(tx: &Tx, new: NewRole) -> Result<Uuid, Error> {
    tx.scope().require(Permission::MembersManage)?;
    let name = checked_name(&new.name)?;
    let description = checked_description(new.description.as_deref())?;
    checked_permissions(new.permissions)?;
    within(own(tx).await?, new.permissions)?;
    if store::count_own(tx).await? >= MOST {
        let message =
            format!("a company has at most {MOST} roles of its own: archive those that nobody needs");
        return Err(Error::invalid("name", message));
    }
    let role =
        store::insert(tx, &key_of(&name), &name, description.as_deref(), &names(new.permissions)).await?;
    NewEvent::new("role.created", Kind::Role, role.id)
        .fact("key", &role.key)
        .fact("name", &name)
        .fact("permissions", names(new.permissions))
        .append(tx)
        .await?;
    Ok(role.id)
}

/// Changes a role of the company's own; its members may do what it says from then on.
///
/// # Errors
/// [`Error::Conflict`], [`Error::BuiltInRole`], [`Error::Invalid`], [`Error::BeyondOwn`] for what the changer has not,
/// be it in the role before or after.
/// [`Error::ApprovalNeeded`] when it gains one and the company wants that approved.
pub async fn update(tx: &Tx, id: Uuid, expected_version: i32, change: RoleChange) -> Result<(), Error> {
    tx.scope().require(Permission::MembersManage)?;
    if change.permissions.is_some() {
        approval::refuse_if_needed(tx).await?;
    }
    update_approved(tx, id, expected_version, change).await
}

/// As [`update`], when nobody need approve it any more.
pub(crate) async fn update_approved(
    tx: &Tx,
    id: Uuid,
    expected_version: i32,
    change: RoleChange,
) -> Result<(), Error> {
    tx.scope().require(Permission::MembersManage)?;
    let before = locked(tx, id, expected_version).await?;
    let had = before.permission_set()?;
    let own = own(tx).await?;
    within(own, had)?;
    let has = change.permissions.unwrap_or(had);
    within(own, has)?;
    checked_permissions(has)?;
    let before_name = before.name.clone().unwrap_or_default();
    let name = change.name.as_deref().map_or(Ok(before_name.clone()), checked_name)?;
    let description = match &change.description {
        Some(text) => checked_description(Some(text))?,
        None => before.description.clone(),
    };
    store::update(tx, id, &name, description.as_deref(), &names(has)).await?;
    NewEvent::new("role.updated", Kind::Role, id)
        .changed("name", &before_name, &name)
        .changed("description", &before.description, &description)
        .changed("permissions", &names(had), &names(has))
        .append(tx)
        .await?;
    Ok(())
}

/// Archives a role: nobody can be given it any more.
///
/// # Errors
/// [`Error::Conflict`], [`Error::BuiltInRole`], [`Error::RoleInUse`] while a member or an open invitation has it.
pub async fn archive(tx: &Tx, id: Uuid, expected_version: i32) -> Result<(), Error> {
    tx.scope().require(Permission::MembersManage)?;
    let role = locked(tx, id, expected_version).await?;
    within(own(tx).await?, role.permission_set()?)?;
    // Who gives the role holds it for sharing: the counts stand until this commits.
    let (members, invitations) = store::uses(tx, &role.key).await?;
    if members + invitations > 0 {
        return Err(Error::RoleInUse { members, invitations });
    }
    store::archive(tx, id).await?;
    Ok(NewEvent::new("role.archived", Kind::Role, id).fact("key", &role.key).append(tx).await?)
}

/// Locks a role of the company's own for a change.
async fn locked(tx: &Tx, id: Uuid, expected_version: i32) -> Result<CompanyRole, Error> {
    let role = store::lock(tx, id).await?.ok_or(Error::NotFound(Kind::Role))?;
    if role.built_in {
        return Err(Error::BuiltInRole);
    }
    if role.archived_at.is_some() {
        return Err(Error::NotFound(Kind::Role));
    }
    if role.version != expected_version {
        return Err(Error::Conflict { expected: expected_version, actual: role.version });
    }
    Ok(role)
}

/// What the actor may do, as its role is at this moment: a member who is being demoted gives no rights meanwhile. The
/// membership and the role are held until the transaction ends.
pub async fn own(tx: &Tx) -> Result<PermissionSet, Error> {
    let scope = tx.scope();
    let Actor::Person(person) = scope.actor() else { return Ok(scope.permissions()) };
    let role = store::held_by(tx, person).await?.ok_or(kernel::Denied(Permission::MembersManage))?;
    Ok(scope.permissions().and(role.permission_set()?))
}

/// Whether a person is a member who may do something now. The membership and the role are held.
pub(crate) async fn may(tx: &Tx, person: Uuid, permission: Permission) -> Result<bool, Error> {
    let role = store::held_by(tx, person).await?;
    let permissions = role.as_ref().map(CompanyRole::permission_set).transpose()?;
    Ok(permissions.is_some_and(|permissions| permissions.has(permission)))
}

/// A role by its id, for who has checked that it may be seen.
pub(crate) async fn get_in(tx: &Tx, id: Uuid) -> Result<Option<CompanyRole>, Fault> {
    store::get(tx, id).await
}

/// Whether the actor is an owner now: one signed in, not a program of theirs. The service itself founds companies.
pub async fn is_owner(tx: &Tx) -> Result<bool, Error> {
    match tx.scope().actor() {
        Actor::System => Ok(true),
        Actor::Person(person) => {
            Ok(store::held_by(tx, person).await?.is_some_and(|role| role.key == Role::Owner.as_str()))
        }
        _ => Ok(false),
    }
}

/// A role that the actor may give to somebody. It is held: it is neither changed nor archived until the transaction ends.
///
/// # Errors
/// [`Error::Invalid`] for an unknown or archived role, [`Error::OwnersOnly`], [`Error::RoleBeyondOwn`].
pub async fn grantable(tx: &Tx, key: &str) -> Result<CompanyRole, Error> {
    let role = known(tx, key).await?;
    beneath(tx, &role).await?;
    Ok(role)
}

/// A role that can be given, whoever gives it. It is held, as by [`grantable`].
///
/// # Errors
/// [`Error::Invalid`] for an unknown or archived role.
pub async fn known(tx: &Tx, key: &str) -> Result<CompanyRole, Error> {
    let role = store::hold(tx, key).await?.filter(|role| role.archived_at.is_none());
    role.ok_or_else(|| Error::invalid("role", "this company has no such role: see the keys of `roles`"))
}

/// Refuses when who has a role is above the actor: gives no order to who may do more.
///
/// # Errors
/// [`Error::OwnersOnly`], [`Error::RoleBeyondOwn`].
pub async fn may_touch(tx: &Tx, key: &str) -> Result<CompanyRole, Error> {
    let role = store::hold(tx, key).await?.ok_or_else(|| Fault::Corrupt(format!("role {key}")))?;
    beneath(tx, &role).await?;
    Ok(role)
}

async fn beneath(tx: &Tx, role: &CompanyRole) -> Result<(), Error> {
    if role.key == Role::Owner.as_str() && !is_owner(tx).await? {
        return Err(Error::OwnersOnly);
    }
    match first_beyond(own(tx).await?, role.permission_set()?) {
        Some(permission) => Err(Error::RoleBeyondOwn(permission.as_str())),
        None => Ok(()),
    }
}

fn first_beyond(own: PermissionSet, wanted: PermissionSet) -> Option<Permission> {
    wanted.iter().find(|permission| !own.has(*permission))
}

fn within(own: PermissionSet, wanted: PermissionSet) -> Result<(), Error> {
    match first_beyond(own, wanted) {
        Some(permission) => Err(Error::BeyondOwn(permission.as_str())),
        None => Ok(()),
    }
}

fn names(permissions: PermissionSet) -> Vec<String> {
    permissions.iter().map(|permission| permission.as_str().to_owned()).collect()
}

fn checked_name(name: &str) -> Result<String, Error> {
    let name = name.trim();
    if (1..=100).contains(&name.chars().count()) {
        Ok(name.to_owned())
    } else {
        Err(Error::invalid("name", "a role's name has 1 to 100 characters"))
    }
}

/// An empty description is none.
fn checked_description(text: Option<&str>) -> Result<Option<String>, Error> {
    match text.map(str::trim) {
        None | Some("") => Ok(None),
        Some(text) if text.chars().count() <= 500 => Ok(Some(text.to_owned())),
        Some(_) => Err(Error::invalid("description", "a description has at most 500 characters")),
    }
}

fn checked_permissions(permissions: PermissionSet) -> Result<(), Error> {
    if permissions == PermissionSet::NONE {
        return Err(Error::invalid("permissions", "a role has at least one permission: see `permissions`"));
    }
    Ok(())
}
