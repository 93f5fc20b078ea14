//! What is done with API keys.

use async_graphql::{Context, Error, ID, InputObject, MaybeUndefined, Object};
use chrono::{DateTime, Utc};
use identity::api_key::service::{self as keys, KeyChange, NewApiKey};
use kernel::{Kind, Permission, PermissionSet};
use uuid::Uuid;

use super::api_key::ApiKey;
use super::errors::IdentityUserError;
use crate::graphql::cost::about;
use crate::graphql::error::bad_argument;
use crate::graphql::guard::Needs;
use crate::graphql::ids::parse;
use crate::graphql::mutation::{Done, mutate, payload};
use crate::graphql::request::InRequest;

/// A key to create.
#[derive(InputObject)]
struct CreateApiKeyInput {
    /// What it is for.
    name: String,
    /// What it may do, by permission names; none beyond your own.
    permissions: Vec<String>,
    /// When it ends by itself; never when left out.
    expires_at: Option<DateTime<Utc>>,
    /// The networks that it may come from, at most 20, as `203.0.113.0/24` or `2001:db8::/32`; any when left out or empty.
    #[graphql(default)]
    networks: Vec<String>,
}

/// Changes of a key; what is left out stays. What it may do never changes: another right is another key.
#[derive(InputObject)]
struct UpdateApiKeyInput {
    /// The key.
    api_key_id: ID,
    /// The version that was read; another one is a conflict.
    expected_version: i32,
    /// What it is for.
    name: Option<String>,
    /// When it ends by itself; null for never.
    expires_at: MaybeUndefined<DateTime<Utc>>,
    /// The networks that it may come from, at most 20; empty for any.
    networks: Option<Vec<String>>,
}

/// A key to give a new secret.
#[derive(InputObject)]
struct RotateApiKeyInput {
    /// The key.
    api_key_id: ID,
    /// How long the secret so far stays good beside the new one: 0 to 720 hours. One that was replaced earlier ends now.
    #[graphql(default = 24)]
    overlap_hours: u16,
}

/// A key and who is responsible for it from now on.
#[derive(InputObject)]
struct HandOverApiKeyInput {
    /// The key.
    api_key_id: ID,
    /// The version that was read; another one is a conflict.
    expected_version: i32,
    /// The membership of who takes it over; who must have every permission of the key.
    member_id: ID,
}

/// A key to revoke.
#[derive(InputObject)]
struct RevokeApiKeyInput {
    /// The key.
    api_key_id: ID,
}

payload!(RevokeApiKeyPayload, api_key: ApiKey, IdentityUserError, "The key, revoked.");
payload!(UpdateApiKeyPayload, api_key: ApiKey, IdentityUserError, "The key.");
payload!(HandOverApiKeyPayload, api_key: ApiKey, IdentityUserError, "The key.");

/// A payload with a key and, this once, its secret.
macro_rules! secret_payload {
    ($name:ident, $doc:literal) => {
        #[doc = $doc]
        struct $name {
            done: Done<Uuid>,
            secret: String,
        }

        #[doc = $doc]
        #[Object]
        impl $name {
            /// The key. Null when refused.
            async fn api_key(&self, ctx: &Context<'_>) -> Result<Option<ApiKey>, Error> {
                match self.done.result {
                    Some(id) => ApiKey::load(ctx, id).await,
                    None => Ok(None),
                }
            }

            /// The secret, to send as `Authorization: Bearer …`. It is shown this once; a replay does not show it.
            fn secret(&self) -> Option<&str> {
                (self.done.result.is_some() && !self.done.replayed).then_some(self.secret.as_str())
            }

            /// Why it was refused; empty when it was done.
            #[graphql(directive = about::apply(3))]
            fn user_errors(&self) -> Vec<IdentityUserError> {
                self.done.refusals.iter().map(IdentityUserError::from).collect()
            }

            /// Whether this answers from an earlier request with the same idempotency key.
            fn replayed(&self) -> bool {
                self.done.replayed
            }
        }
    };
}

secret_payload!(CreateApiKeyPayload, "The created key and, this once, its secret.");
secret_payload!(RotateApiKeyPayload, "The key and, this once, its new secret.");

pub(super) fn permission_set(names: &[String]) -> Result<PermissionSet, Error> {
    let parsed = names.iter().enumerate().map(|(n, name)| {
        Permission::parse(name).ok_or_else(|| {
            bad_argument(
                &format!("permissions.{n}"),
                format!("no permission is named `{name}`: see `permissions`"),
            )
        })
    });
    parsed.collect()
}

/// The part of the mutation root for keys.
#[derive(Default)]
pub(crate) struct ApiKeyMutation;

#[Object]
impl ApiKeyMutation {
    /// Creates a key for a partner's program.
    #[graphql(guard = "Needs(Permission::ApiKeysManage)")]
    async fn create_api_key(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "A key to create.")] input: CreateApiKeyInput,
    ) -> Result<CreateApiKeyPayload, Error> {
        let permissions = permission_set(&input.permissions)?;
        let CreateApiKeyInput { name, expires_at, networks, .. } = input;
        let new = NewApiKey { name, permissions, expires_at, networks };
        let secret = keys::generate_secret(ctx.session()?.scope()?.company().mode);
        let shown = secret.clone();
        let done = mutate(ctx, move |tx| {
            let (new, secret) = (new.clone(), secret.clone());
            Box::pin(async move { keys::create(tx, new, &secret).await })
        });
        Ok(CreateApiKeyPayload { done: done.await?, secret: shown })
    }

    /// Changes what a key is called, where it may come from and when it ends.
    #[graphql(guard = "Needs(Permission::ApiKeysManage)")]
    async fn update_api_key(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Changes of a key; what is left out stays.")] input: UpdateApiKeyInput,
    ) -> Result<UpdateApiKeyPayload, Error> {
        let (id, expected) = (parse(Kind::ApiKey, "apiKeyId", &input.api_key_id)?, input.expected_version);
        let expires_at = match input.expires_at {
            MaybeUndefined::Undefined => None,
            MaybeUndefined::Null => Some(None),
            MaybeUndefined::Value(at) => Some(Some(at)),
        };
        let change = KeyChange { name: input.name, networks: input.networks, expires_at };
        let done = mutate(ctx, move |tx| {
            let change = change.clone();
            Box::pin(async move { keys::update(tx, id, expected, change).await.map(|()| id) })
        });
        let done = done.await?.or_current(id);
        ctx.session()?.app().auth.forget();
        Ok(UpdateApiKeyPayload(done))
    }

    /// Gives a key a new secret. The secret so far stays good for the overlap, so that a program can be changed over without
    /// a pause; after a leak, let it be none.
    #[graphql(guard = "Needs(Permission::ApiKeysManage)")]
    async fn rotate_api_key(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "A key to give a new secret.")] input: RotateApiKeyInput,
    ) -> Result<RotateApiKeyPayload, Error> {
        let (id, overlap) = (parse(Kind::ApiKey, "apiKeyId", &input.api_key_id)?, input.overlap_hours);
        let secret = keys::generate_secret(ctx.session()?.scope()?.company().mode);
        let shown = secret.clone();
        let done = mutate(ctx, move |tx| {
            let secret = secret.clone();
            Box::pin(async move { keys::rotate(tx, id, overlap, &secret).await.map(|()| id) })
        });
        let done = done.await?;
        ctx.session()?.app().auth.forget();
        Ok(RotateApiKeyPayload { done, secret: shown })
    }

    /// Makes another member responsible for a key: it then acts within that person's rights, and ends when that person
    /// leaves.
    #[graphql(guard = "Needs(Permission::ApiKeysManage)")]
    async fn hand_over_api_key(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "A key and who is responsible for it from now on.")] input: HandOverApiKeyInput,
    ) -> Result<HandOverApiKeyPayload, Error> {
        let (id, expected) = (parse(Kind::ApiKey, "apiKeyId", &input.api_key_id)?, input.expected_version);
        let member = parse(Kind::Membership, "memberId", &input.member_id)?;
        let done = mutate(ctx, move |tx| {
            Box::pin(async move { keys::hand_over(tx, id, expected, member).await.map(|()| id) })
        });
        let done = done.await?.or_current(id);
        ctx.session()?.app().auth.forget();
        Ok(HandOverApiKeyPayload(done))
    }

    /// Revokes a key for good, with every secret of it.
    #[graphql(guard = "Needs(Permission::ApiKeysManage)")]
    async fn revoke_api_key(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "A key to revoke.")] input: RevokeApiKeyInput,
    ) -> Result<RevokeApiKeyPayload, Error> {
        let id = parse(Kind::ApiKey, "apiKeyId", &input.api_key_id)?;
        let done = mutate(ctx, move |tx| Box::pin(async move { keys::revoke(tx, id).await.map(|()| id) }));
        let done = done.await?;
        ctx.session()?.app().auth.forget();
        Ok(RevokeApiKeyPayload(done))
    }
}
