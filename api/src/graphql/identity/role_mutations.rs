//! What is done with roles, and with who has which.

use async_graphql::{Context, Error, ID, InputObject, Object};
use identity::approval::{Act, Outcome};
use identity::role::service::{self as roles, NewRole};
use kernel::{Kind, Permission};

use super::api_key_mutations::permission_set;
use super::approval::{make_or_ask, rights_payload};
use super::errors::IdentityUserError;
use super::member::Member;
use super::role::Role;
use crate::graphql::guard::Needs;
use crate::graphql::ids::parse;
use crate::graphql::mutation::{mutate, payload};

/// A role to make.
#[derive(InputObject)]
struct CreateRoleInput {
    /// What people call it. Its key is made of it.
    name: String,
    /// What it is for.
    description: Option<String>,
    /// What it may do, by permission names: at least one, none beyond your own.
    permissions: Vec<String>,
}

/// Changes of a role; what is left out stays.
#[derive(InputObject)]
struct UpdateRoleInput {
    /// The role: one of the company's own.
    role_id: ID,
    /// The version that was read; another one is a conflict.
    expected_version: i32,
    /// What people call it. Its key stays.
    name: Option<String>,
    /// What it is for; empty for no description.
    description: Option<String>,
    /// What it may do, by permission names: at least one, none beyond your own.
    permissions: Option<Vec<String>>,
}

/// A role to archive.
#[derive(InputObject)]
struct ArchiveRoleInput {
    /// The role: one of the company's own.
    role_id: ID,
    /// The version that was read; another one is a conflict.
    expected_version: i32,
}

/// A new role for a member.
#[derive(InputObject)]
struct ChangeRoleInput {
    /// The membership.
    member_id: ID,
    /// The version that was read; another one is a conflict.
    expected_version: i32,
    /// The key of the new role: `accountant`, or one of the company's own. None that may do more than you.
    role: String,
}

payload!(CreateRolePayload, role: Role, IdentityUserError, "The role.");
payload!(ArchiveRolePayload, role: Role, IdentityUserError, "The role, archived.");
rights_payload!(UpdateRolePayload, role: Role, "The role.");
rights_payload!(ChangeRolePayload, member: Member, "The member.");

/// The part of the mutation root for roles.
#[derive(Default)]
pub(crate) struct RoleMutation;

#[Object]
impl RoleMutation {
    /// Makes a role of the company's own.
    #[graphql(guard = "Needs(Permission::MembersManage)")]
    async fn create_role(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "A role to make.")] input: CreateRoleInput,
    ) -> Result<CreateRolePayload, Error> {
        let permissions = permission_set(&input.permissions)?;
        let new = NewRole { name: input.name, description: input.description, permissions };
        let done = mutate(ctx, move |tx| {
            let new = new.clone();
            Box::pin(async move { roles::create(tx, new).await })
        });
        Ok(CreateRolePayload(done.await?))
    }

    /// Changes a role of the company's own: its members may do what it says within a second. Where the company wants
    /// changes of rights approved, more rights wait for another owner.
    #[graphql(guard = "Needs(Permission::MembersManage)")]
    async fn update_role(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Changes of a role; what is left out stays.")] input: UpdateRoleInput,
    ) -> Result<UpdateRolePayload, Error> {
        let role = parse(Kind::Role, "roleId", &input.role_id)?;
        if let Some(names) = &input.permissions {
            permission_set(names)?;
        }
        let act = Act::UpdateRole {
            role,
            expected_version: input.expected_version,
            name: input.name,
            description: input.description,
            permissions: input.permissions,
        };
        Ok(UpdateRolePayload(make_or_ask(ctx, act).await?.or_current(Outcome::Done(role))))
    }

    /// Archives a role of the company's own that nobody has: it cannot be given any more.
    #[graphql(guard = "Needs(Permission::MembersManage)")]
    async fn archive_role(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "A role to archive.")] input: ArchiveRoleInput,
    ) -> Result<ArchiveRolePayload, Error> {
        let id = parse(Kind::Role, "roleId", &input.role_id)?;
        let done = mutate(ctx, move |tx| {
            Box::pin(async move { roles::archive(tx, id, input.expected_version).await.map(|()| id) })
        });
        Ok(ArchiveRolePayload(done.await?.or_current(id)))
    }

    /// Changes what a member may do here. Where the company wants changes of rights approved, it waits for another owner.
    #[graphql(guard = "Needs(Permission::MembersManage)")]
    async fn change_role(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "A new role for a member.")] input: ChangeRoleInput,
    ) -> Result<ChangeRolePayload, Error> {
        let member = parse(Kind::Membership, "memberId", &input.member_id)?;
        let act = Act::ChangeRole { member, expected_version: input.expected_version, role: input.role };
        Ok(ChangeRolePayload(make_or_ask(ctx, act).await?.or_current(Outcome::Done(member))))
    }
}
