//! Roles in the graph.

use std::collections::HashMap;

use async_graphql::{Context, Error, ID, Object, SimpleObject};
use chrono::{DateTime, Utc};
use identity::role::service::{self as roles, CompanyRole};
use kernel::{Fault, Kind, Permission, Tx};
use uuid::Uuid;

use super::queries::PermissionInfo;
use crate::graphql::cost::about;
use crate::graphql::error::faulty;
use crate::graphql::guard::{Needs, Told};
use crate::graphql::ids::public;
use crate::graphql::request::{Batch, InRequest};

/// A named set of permissions, built-in or the company's own.
pub(crate) struct Role {
    stored: CompanyRole,
    locale: String,
}

/// A role of a company that is not this one.
#[derive(SimpleObject)]
pub(crate) struct RoleName {
    /// What memberships name it by.
    pub(super) key: String,
    /// What people call it.
    pub(super) name: String,
}

impl RoleName {
    /// The name of one of the company's own as it is stored, of a built-in one in a language.
    pub(super) fn of(key: String, stored: Option<String>, locale: &str) -> Self {
        let built_in =
            || identity::Role::parse(&key).map_or_else(|| key.clone(), |role| role.name(locale).to_owned());
        Self { name: stored.unwrap_or_else(built_in), key }
    }
}

struct Roles;

impl Batch for Roles {
    type Key = String;
    type Value = CompanyRole;

    async fn load(tx: &Tx, keys: &[String]) -> Result<HashMap<String, CompanyRole>, Error> {
        let found = roles::by_keys(tx, keys).await.told()?;
        Ok(found.into_iter().map(|role| (role.key.clone(), role)).collect())
    }
}

struct Counts;

impl Batch for Counts {
    type Key = String;
    type Value = i64;

    async fn load(tx: &Tx, keys: &[String]) -> Result<HashMap<String, i64>, Error> {
        Ok(roles::member_counts(tx, keys).await.told()?.into_iter().collect())
    }
}

impl Role {
    /// A role by id.
    pub(crate) async fn load(ctx: &Context<'_>, id: Uuid) -> Result<Option<Self>, Error> {
        let tx = ctx.session()?.read().await?;
        Ok(roles::get(&tx, id).await.told()?.map(|role| Self::of(role, &tx)))
    }

    /// The role that somebody has.
    pub(crate) async fn of_key(ctx: &Context<'_>, key: &str) -> Result<Self, Error> {
        let session = ctx.session()?;
        let stored = session.load::<Roles>(key.to_owned()).await?;
        let stored = stored.ok_or_else(|| faulty(&Fault::Corrupt(format!("no role {key}"))))?;
        Ok(Self { stored, locale: session.scope()?.company().locale.clone() })
    }

    fn of(stored: CompanyRole, tx: &Tx) -> Self {
        Self { stored, locale: tx.scope().company().locale.clone() }
    }
}

/// A named set of permissions, built-in or the company's own.
#[Object]
impl Role {
    /// The public id.
    pub(crate) async fn id(&self) -> ID {
        public(Kind::Role, self.stored.id)
    }

    /// What memberships and `changeRole` name it by. It never changes.
    fn key(&self) -> &str {
        &self.stored.key
    }

    /// What people call it; a built-in one in the company's language.
    fn name(&self) -> &str {
        self.stored.name(&self.locale)
    }

    /// What it is for; a built-in one in the company's language.
    fn description(&self) -> Option<&str> {
        self.stored.description(&self.locale)
    }

    /// What its members may do.
    #[graphql(directive = about::apply(40))]
    fn permissions(&self) -> Result<Vec<PermissionInfo>, Error> {
        let permissions = self.stored.permission_set().map_err(|fault| faulty(&fault))?;
        Ok(permissions.iter().map(PermissionInfo::from).collect())
    }

    /// Whether it is the same in every company, and cannot be changed.
    fn built_in(&self) -> bool {
        self.stored.built_in
    }

    /// How many members have it: for who may see the members.
    #[graphql(guard = "Needs(Permission::MembersRead)")]
    async fn member_count(&self, ctx: &Context<'_>) -> Result<Option<i64>, Error> {
        let count = ctx.session()?.load::<Counts>(self.stored.key.clone()).await?;
        Ok(Some(count.unwrap_or(0)))
    }

    /// For `expectedVersion` of the next change.
    fn version(&self) -> i32 {
        self.stored.version
    }

    /// Since when nobody can be given it; null while it can be given.
    fn archived_at(&self) -> Option<DateTime<Utc>> {
        self.stored.archived_at
    }
}

/// The part of the query root for roles.
#[derive(Default)]
pub(crate) struct RoleQuery;

#[Object]
impl RoleQuery {
    /// The roles of this company: the built-in ones, then its own. They are few, and not paged.
    #[graphql(guard = "Needs(Permission::MembersRead)", directive = about::apply(10))]
    async fn roles(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Whether archived ones are shown too.", default)] include_archived: bool,
    ) -> Result<Vec<Role>, Error> {
        let tx = ctx.session()?.read().await?;
        let roles = roles::list(&tx, include_archived).await.told()?;
        Ok(roles.into_iter().map(|role| Role::of(role, &tx)).collect())
    }
}
