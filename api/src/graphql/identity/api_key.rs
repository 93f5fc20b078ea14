//! API keys in the graph.

use async_graphql::{Context, Error, ID, Object};
use chrono::{DateTime, Utc};
use entity::identity::api_key::Model;
use identity::api_key::service;
use kernel::Kind;
use uuid::Uuid;

use crate::graphql::actor::Actor;
use crate::graphql::guard::Told;
use crate::graphql::ids::public;
use crate::graphql::request::InRequest;

/// A key with which a partner's program acts in this company.
pub(crate) struct ApiKey(pub(crate) Model);

impl ApiKey {
    /// A key by id.
    pub(crate) async fn load(ctx: &Context<'_>, id: Uuid) -> Result<Option<Self>, Error> {
        let tx = ctx.session()?.read().await?;
        Ok(service::get(&tx, id).await.told()?.map(Self))
    }
}

/// A key with which a partner's program acts in this company.
#[Object]
impl ApiKey {
    /// The public id.
    pub(crate) async fn id(&self) -> ID {
        public(Kind::ApiKey, self.0.id)
    }

    /// What it is for.
    fn name(&self) -> &str {
        &self.0.name
    }

    /// The last four characters of its secret. The secret itself was shown once.
    fn hint(&self) -> &str {
        &self.0.hint
    }

    /// What it may do, by permission names such as `invoicing.issue`.
    fn permissions(&self) -> &[String] {
        &self.0.permissions
    }

    /// The networks that it may come from, in CIDR notation; empty for any.
    fn networks(&self) -> &[String] {
        &self.0.networks
    }

    /// Who is responsible for it: with this person's rights it acts, and with this person's leaving it ends.
    fn responsible(&self) -> Option<Actor> {
        self.0.responsible_id.map(|person| Actor(kernel::Actor::Person(person).stored()))
    }

    /// When it last got a new secret; null for never.
    fn rotated_at(&self) -> Option<DateTime<Utc>> {
        self.0.rotated_at
    }

    /// Until when the secret before the present one is good; null when there was none, in the past when it has ended.
    fn old_secret_good_until(&self) -> Option<DateTime<Utc>> {
        self.0.old_secret_good_until
    }

    /// For `expectedVersion` of the next change.
    fn version(&self) -> i32 {
        self.0.version
    }

    /// When it ends by itself; null for never.
    fn expires_at(&self) -> Option<DateTime<Utc>> {
        self.0.expires_at
    }

    /// When it was revoked; null while it is good.
    fn revoked_at(&self) -> Option<DateTime<Utc>> {
        self.0.revoked_at
    }

    /// When it was last used, to the minute; null for never.
    fn last_used_at(&self) -> Option<DateTime<Utc>> {
        self.0.last_used_at
    }

    /// When it was created.
    fn created_at(&self) -> DateTime<Utc> {
        self.0.created_at
    }

    /// Who created it.
    fn created_by(&self) -> Actor {
        Actor(self.0.created_by.clone())
    }
}
