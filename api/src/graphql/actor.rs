//! Who did something.

use std::collections::HashMap;

use async_graphql::{Context, Error, ID, Object};
use kernel::{Kind, Tx};
use uuid::Uuid;

use super::guard::Told;
use super::identity::oauth::GrantNames;
use super::ids::public;
use super::request::{Batch, InRequest};

/// Who did something: a member, a partner's program, a customer by a signed link, or the service itself.
pub(crate) struct Actor(pub(crate) String);

struct People;

impl Batch for People {
    type Key = Uuid;
    type Value = String;

    async fn load(tx: &Tx, keys: &[Uuid]) -> Result<HashMap<Uuid, String>, Error> {
        let people = identity::member::service::people(tx, keys).await.told()?;
        Ok(people.into_iter().map(|person| (person.id, person.name)).collect())
    }
}

/// Who did something: a member, a partner's program, a customer by a signed link, or the service itself.
#[Object]
impl Actor {
    /// `PERSON`, `API_KEY`, `GRANT`, `CUSTOMER` or `SYSTEM`.
    fn kind(&self) -> String {
        self.0.split(':').next().unwrap_or_default().to_uppercase()
    }

    /// The person, the key, the grant, or the invoice whose link a customer followed; null for the service itself.
    async fn id(&self) -> Option<ID> {
        match kernel::Actor::parse(&self.0)? {
            kernel::Actor::Person(id) => Some(public(Kind::Person, id)),
            kernel::Actor::ApiKey(id) => Some(public(Kind::ApiKey, id)),
            kernel::Actor::Grant(id) => Some(public(Kind::Grant, id)),
            kernel::Actor::Customer(id) => Some(public(Kind::Invoice, id)),
            kernel::Actor::System => None,
        }
    }

    /// The name of the person, or of whom a grant acts for; null for other programs, and for who never was a member.
    async fn name(&self, ctx: &Context<'_>) -> Result<Option<String>, Error> {
        match kernel::Actor::parse(&self.0) {
            Some(kernel::Actor::Person(id)) => ctx.session()?.load::<People>(id).await,
            Some(kernel::Actor::Grant(id)) => {
                Ok(ctx.session()?.load::<GrantNames>(id).await?.and_then(|names| names.person))
            }
            _ => Ok(None),
        }
    }

    /// The application through which it was done, by a grant; null otherwise.
    async fn application(&self, ctx: &Context<'_>) -> Result<Option<String>, Error> {
        match kernel::Actor::parse(&self.0) {
            Some(kernel::Actor::Grant(id)) => {
                Ok(ctx.session()?.load::<GrantNames>(id).await?.map(|names| names.application))
            }
            _ => Ok(None),
        }
    }
}
