//! Members in the graph.

use async_graphql::{Context, Enum, Error, ID, Object};
use chrono::{DateTime, Utc};
use identity::member::service;
use kernel::Kind;
use uuid::Uuid;

use crate::graphql::guard::Told;
use crate::graphql::ids::public;
use crate::graphql::request::InRequest;

/// What a member is in a company.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(remote = "identity::Role")]
pub(crate) enum Role {
    /// May do everything.
    Owner,
    /// Keeps the books.
    Accountant,
    /// Sells.
    Sales,
    /// Buys.
    Purchaser,
    /// Reads everything, writes nothing.
    Auditor,
}

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
    fn role(&self) -> Role {
        identity::Role::parse(&self.0.role).map_or(Role::Auditor, Role::from)
    }

    /// For `expectedVersion` of the next change.
    fn version(&self) -> i32 {
        self.0.version
    }

    /// Since when.
    fn created_at(&self) -> DateTime<Utc> {
        self.0.created_at
    }
}
