//! Members in the graph.

use async_graphql::{Context, Error, ID, Object};
use chrono::{DateTime, Utc};
use identity::member::service;
use kernel::{Kind, Permission};
use uuid::Uuid;

use super::holdings::{self, Holding};
use super::role::Role;
use super::session::{self, OpenSession};
use crate::graphql::cost::{about, costs};
use crate::graphql::guard::{Needs, Told};
use crate::graphql::ids::public;
use crate::graphql::request::InRequest;

/// A person in this company.
pub(crate) struct Member(pub(crate) service::Member);

impl Member {
    /// A member by id.
    pub(crate) async fn load(ctx: &Context<'_>, id: Uuid) -> Result<Option<Self>, Error> {
        let tx = ctx.session()?.read().await?;
        Ok(service::get(&tx, id).await.told()?.map(Self))
    }
}

/// A person in this company.
#[Object]
impl Member {
    /// The public id of the membership.
    pub(crate) async fn id(&self) -> ID {
        public(Kind::Membership, self.0.id)
    }

    /// The public id of the person, the same in every company.
    fn person_id(&self) -> ID {
        public(Kind::Person, self.0.person_id)
    }

    /// The person's name.
    fn name(&self) -> &str {
        &self.0.name
    }

    /// The person's e-mail.
    fn email(&self) -> &str {
        &self.0.email
    }

    /// The role.
    async fn role(&self, ctx: &Context<'_>) -> Result<Role, Error> {
        Role::of_key(ctx, &self.0.role).await
    }

    /// For `expectedVersion` of the next change.
    fn version(&self) -> i32 {
        self.0.version
    }

    /// Since when.
    fn created_at(&self) -> DateTime<Utc> {
        self.0.created_at
    }

    /// Since when the member is suspended; null while the member may act.
    fn suspended_at(&self) -> Option<DateTime<Utc>> {
        self.0.suspended_at
    }

    /// The member's open sessions in this company, newest first, at most 200: for who manages members.
    #[graphql(
        guard = "Needs(Permission::MembersManage)",
        directive = about::apply(10), directive = costs::apply(3)
    )]
    async fn sessions(&self, ctx: &Context<'_>) -> Result<Vec<OpenSession>, Error> {
        session::of_member(ctx, self.0.person_id).await
    }

    /// What the member would leave behind here, to hand over: for who manages members.
    #[graphql(
        guard = "Needs(Permission::MembersManage)",
        directive = about::apply(5), directive = costs::apply(10)
    )]
    async fn holdings(&self, ctx: &Context<'_>) -> Result<Vec<Holding>, Error> {
        holdings::of_member(ctx, self.0.id).await
    }
}
