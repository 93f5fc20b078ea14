//! What is done with applications and grants.

use async_graphql::{Context, Error, ID, InputObject, Json, Object};
use identity::oauth::client::service::{self as clients, ClientChange};
use identity::oauth::client::{ClientKind, GrantType, NewClient};
use identity::oauth::grant::service as grants;
use kernel::{Kind, Permission};
use uuid::Uuid;

use super::api_key_mutations::permission_set;
use super::errors::IdentityUserError;
use super::oauth::{Application, ApplicationGrantType, ApplicationKind, Grant};
use crate::graphql::cost::about;
use crate::graphql::guard::{Needs, SignedIn};
use crate::graphql::ids::parse;
use crate::graphql::mutation::{Done, mutate, payload};
use crate::graphql::request::InRequest;

/// An application to register.
#[derive(InputObject)]
struct RegisterApplicationInput {
    /// What people read when they are asked to consent, 1 to 100 characters.
    name: String,
    /// Where they can read about it; begins with `https://`.
    homepage: String,
    /// Whether it can keep a secret.
    kind: ApplicationKind,
    /// How it gets its tokens. This and the kind never change.
    grant_types: Vec<ApplicationGrantType>,
    /// Where codes may be sent, at most 10: `https://…`; of a public application also `http://127.0.0.1/…` with any port, or a scheme such as
    /// `com.example.app:`. Compared character by character.
    #[graphql(default)]
    redirect_uris: Vec<String>,
    /// The most scopes that it may ever ask for: permission names, none beyond your own.
    permissions: Vec<String>,
    /// Its public keys (RFC 7517), to authenticate by `private_key_jwt` in place of a secret.
    jwks: Option<Json<serde_json::Value>>,
}

/// Changes of an application; what is left out stays.
#[derive(InputObject)]
struct UpdateApplicationInput {
    /// The application.
    application_id: ID,
    /// The version that was read; another one is a conflict.
    expected_version: i32,
    /// What people read when they are asked to consent.
    name: Option<String>,
    /// Where they can read about it.
    homepage: Option<String>,
    /// Where codes may be sent, all of them.
    redirect_uris: Option<Vec<String>>,
    /// The most scopes that it may ever ask for, all of them. What was granted is narrowed by it at once.
    permissions: Option<Vec<String>>,
    /// Its public keys, for one that authenticates by keys.
    jwks: Option<Json<serde_json::Value>>,
}

/// An application to give a new secret.
#[derive(InputObject)]
struct RotateApplicationSecretInput {
    /// The application.
    application_id: ID,
    /// How long the secrets so far stay good beside the new one: 0 to 720 hours.
    #[graphql(default = 24)]
    overlap_hours: u32,
}

/// An application to archive.
#[derive(InputObject)]
struct ArchiveApplicationInput {
    /// The application.
    application_id: ID,
}

/// A grant to revoke.
#[derive(InputObject)]
struct RevokeGrantInput {
    /// The grant.
    grant_id: ID,
}

payload!(UpdateApplicationPayload, application: Application, IdentityUserError, "The application.");
payload!(ArchiveApplicationPayload, application: Application, IdentityUserError, "The application, archived.");
payload!(RevokeGrantPayload, grant: Grant, IdentityUserError, "The grant, revoked.");

/// A payload with an application and, this once, its secret.
macro_rules! secret_payload {
    ($name:ident) => {
        /// The application and, this once, its secret.
        struct $name {
            done: Done<Uuid>,
            secret: Option<String>,
        }

        /// The application and, this once, its secret.
        #[Object]
        impl $name {
            /// The application. Null when refused.
            async fn application(&self, ctx: &Context<'_>) -> Result<Option<Application>, Error> {
                match self.done.result {
                    Some(id) => Application::load(ctx, id).await,
                    None => Ok(None),
                }
            }

            /// The `client_secret`, for who authenticates by one. It is shown this once; a replay does not show it.
            fn secret(&self) -> Option<&str> {
                self.secret.as_deref().filter(|_| self.done.result.is_some() && !self.done.replayed)
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

secret_payload!(RegisterApplicationPayload);
secret_payload!(RotateApplicationSecretPayload);

/// The part of the mutation root for applications and grants.
#[derive(Default)]
pub(crate) struct ApplicationMutation;

#[Object]
impl ApplicationMutation {
    /// Registers a partner's program for OAuth 2.0.
    #[graphql(guard = "Needs(Permission::ApplicationsManage)")]
    async fn register_application(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "An application to register.")] input: RegisterApplicationInput,
    ) -> Result<RegisterApplicationPayload, Error> {
        let new = NewClient {
            name: input.name,
            homepage: input.homepage,
            kind: ClientKind::from(input.kind),
            grant_types: input.grant_types.into_iter().map(GrantType::from).collect(),
            redirect_uris: input.redirect_uris,
            permissions: permission_set(&input.permissions)?,
            jwks: input.jwks.map(|jwks| jwks.0),
        };
        let secret = clients::generate_secret();
        let shown = new.has_secret().then(|| secret.clone());
        let done = mutate(ctx, move |tx| {
            let (new, secret) = (new.clone(), secret.clone());
            Box::pin(async move { clients::register(tx, new, &secret).await })
        });
        Ok(RegisterApplicationPayload { done: done.await?, secret: shown })
    }

    /// Changes an application.
    #[graphql(guard = "Needs(Permission::ApplicationsManage)")]
    async fn update_application(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Changes of an application; what is left out stays.")] input: UpdateApplicationInput,
    ) -> Result<UpdateApplicationPayload, Error> {
        let id = parse(Kind::Application, "applicationId", &input.application_id)?;
        let permissions = input.permissions.as_deref().map(permission_set).transpose()?;
        let change = ClientChange {
            name: input.name,
            homepage: input.homepage,
            redirect_uris: input.redirect_uris,
            permissions,
            jwks: input.jwks.map(|jwks| jwks.0),
        };
        let done = mutate(ctx, move |tx| {
            let change = change.clone();
            Box::pin(
                async move { clients::update(tx, id, input.expected_version, change).await.map(|()| id) },
            )
        });
        let done = done.await?.or_current(id);
        ctx.session()?.app().auth.forget();
        Ok(UpdateApplicationPayload(done))
    }

    /// Gives an application a new secret; those so far stay good for a while.
    #[graphql(guard = "Needs(Permission::ApplicationsManage)")]
    async fn rotate_application_secret(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "An application to give a new secret.")] input: RotateApplicationSecretInput,
    ) -> Result<RotateApplicationSecretPayload, Error> {
        let id = parse(Kind::Application, "applicationId", &input.application_id)?;
        let secret = clients::generate_secret();
        let shown = Some(secret.clone());
        let done = mutate(ctx, move |tx| {
            let secret = secret.clone();
            Box::pin(async move {
                clients::rotate_secret(tx, id, input.overlap_hours, &secret).await.map(|()| id)
            })
        });
        Ok(RotateApplicationSecretPayload { done: done.await?, secret: shown })
    }

    /// Archives an application for good: all its tokens end, in every company.
    #[graphql(guard = "Needs(Permission::ApplicationsManage)")]
    async fn archive_application(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "An application to archive.")] input: ArchiveApplicationInput,
    ) -> Result<ArchiveApplicationPayload, Error> {
        let id = parse(Kind::Application, "applicationId", &input.application_id)?;
        let done =
            mutate(ctx, move |tx| Box::pin(async move { clients::archive(tx, id).await.map(|()| id) }));
        let done = done.await?;
        ctx.session()?.app().auth.forget();
        Ok(ArchiveApplicationPayload(done))
    }

    /// Takes back what an application was let do here, with all its tokens: one's own, or, with `members.manage`, anybody's.
    #[graphql(guard = "SignedIn")]
    async fn revoke_grant(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "A grant to revoke.")] input: RevokeGrantInput,
    ) -> Result<RevokeGrantPayload, Error> {
        let id = parse(Kind::Grant, "grantId", &input.grant_id)?;
        let done = mutate(ctx, move |tx| Box::pin(async move { grants::revoke(tx, id).await.map(|()| id) }));
        let done = done.await?;
        ctx.session()?.app().auth.forget();
        Ok(RevokeGrantPayload(done))
    }
}
