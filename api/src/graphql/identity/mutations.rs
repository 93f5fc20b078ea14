//! What identity changes for who is signed in.

use async_graphql::{Context, Error, ID, InputObject, Object};
use chrono::{DateTime, Utc};
use identity::api_key::service::{self as keys, NewApiKey};
use identity::company::service::{self as companies, CompanyChange};
use identity::member::service as members;
use kernel::{Kind, Permission, PermissionSet};
use uuid::Uuid;

use super::api_key::ApiKey;
use super::company::Company;
use super::errors::IdentityUserError;
use super::member::{Member, Role};
use crate::graphql::cost::about;
use crate::graphql::error::bad_argument;
use crate::graphql::guard::Needs;
use crate::graphql::ids::parse;
use crate::graphql::mutation::{Done, mutate, payload};
use crate::graphql::request::InRequest;

/// Changes of a company's settings; what is left out stays.
#[derive(InputObject)]
struct UpdateCompanyInput {
    /// The version that was read; another one is a conflict.
    expected_version: i32,
    /// The legal name.
    name: Option<String>,
    /// The legal form.
    legal_form: Option<String>,
    /// The SIREN, nine digits.
    siren: Option<String>,
    /// The IANA time zone of its calendar days.
    time_zone: Option<String>,
    /// `fr` or `en`.
    locale: Option<String>,
    /// Whether a bill must be approved by somebody else than who entered it.
    four_eyes: Option<bool>,
    /// Whether clients may only send trusted documents, by their hash. Who may register them may send any text.
    documents_only: Option<bool>,
}

/// What the mutation did.
struct UpdateCompanyPayload(Done<Uuid>);

/// What the mutation did.
#[Object]
impl UpdateCompanyPayload {
    /// The company as it is now.
    async fn company(&self, ctx: &Context<'_>) -> Result<Company, Error> {
        Company::load(ctx).await
    }

    /// Why it was refused; empty when it was done.
    #[graphql(directive = about::apply(3))]
    fn user_errors(&self) -> Vec<IdentityUserError> {
        self.0.refusals.iter().map(IdentityUserError::from).collect()
    }

    /// Whether this answers from an earlier request with the same idempotency key.
    fn replayed(&self) -> bool {
        self.0.replayed
    }
}

/// A person to make a member.
#[derive(InputObject)]
struct AddMemberInput {
    /// The e-mail of an account.
    email: String,
    /// What the person will be here.
    role: Role,
}

/// A new role for a member.
#[derive(InputObject)]
struct ChangeRoleInput {
    /// The membership.
    member_id: ID,
    /// The version that was read; another one is a conflict.
    expected_version: i32,
    /// The new role.
    role: Role,
}

/// A membership to end.
#[derive(InputObject)]
struct RemoveMemberInput {
    /// The membership.
    member_id: ID,
    /// The version that was read; another one is a conflict.
    expected_version: i32,
}

payload!(AddMemberPayload, member: Member, IdentityUserError, "The member.");
payload!(ChangeRolePayload, member: Member, IdentityUserError, "The member.");
payload!(RemoveMemberPayload, member: Member, IdentityUserError, "Null once the membership has ended.");

/// A key to create.
#[derive(InputObject)]
struct CreateApiKeyInput {
    /// What it is for.
    name: String,
    /// What it may do, by permission names; none beyond your own.
    permissions: Vec<String>,
    /// When it ends by itself; never when left out.
    expires_at: Option<DateTime<Utc>>,
}

/// A key to revoke.
#[derive(InputObject)]
struct RevokeApiKeyInput {
    /// The key.
    api_key_id: ID,
}

payload!(RevokeApiKeyPayload, api_key: ApiKey, IdentityUserError, "The key, revoked.");

/// The created key and, this once, its secret.
struct CreateApiKeyPayload {
    done: Done<Uuid>,
    secret: String,
}

/// The created key and, this once, its secret.
#[Object]
impl CreateApiKeyPayload {
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

fn permission_set(names: &[String]) -> Result<PermissionSet, Error> {
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

/// The part of the mutation root for the company, its members and keys.
#[derive(Default)]
pub(crate) struct AccessMutation;

#[Object]
impl AccessMutation {
    /// Changes the company's settings.
    #[graphql(guard = "Needs(Permission::CompanyManage)")]
    async fn update_company(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Changes of a company's settings; what is left out stays.")]
        input: UpdateCompanyInput,
    ) -> Result<UpdateCompanyPayload, Error> {
        let expected = input.expected_version;
        let change = CompanyChange {
            name: input.name,
            legal_form: input.legal_form,
            siren: input.siren,
            zone: input.time_zone,
            locale: input.locale,
            four_eyes: input.four_eyes,
            documents_only: input.documents_only,
        };
        let done = mutate(ctx, move |tx| {
            let change = change.clone();
            Box::pin(async move {
                companies::update(tx, expected, change).await.map(|()| tx.scope().company().id)
            })
        });
        let done = done.await?;
        ctx.session()?.app().auth.forget();
        Ok(UpdateCompanyPayload(done))
    }

    /// Makes a person who has an account a member.
    #[graphql(guard = "Needs(Permission::MembersManage)")]
    async fn add_member(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "A person to make a member.")] input: AddMemberInput,
    ) -> Result<AddMemberPayload, Error> {
        let role = identity::Role::from(input.role);
        let done = mutate(ctx, move |tx| {
            let email = input.email.clone();
            Box::pin(async move { members::add(tx, &email, role).await })
        });
        Ok(AddMemberPayload(done.await?))
    }

    /// Changes what a member may do here.
    #[graphql(guard = "Needs(Permission::MembersManage)")]
    async fn change_role(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "A new role for a member.")] input: ChangeRoleInput,
    ) -> Result<ChangeRolePayload, Error> {
        let (id, role) =
            (parse(Kind::Membership, "memberId", &input.member_id)?, identity::Role::from(input.role));
        let done = mutate(ctx, move |tx| {
            Box::pin(
                async move { members::change_role(tx, id, input.expected_version, role).await.map(|()| id) },
            )
        });
        let done = done.await?.or_current(id);
        ctx.session()?.app().auth.forget();
        Ok(ChangeRolePayload(done))
    }

    /// Ends a membership; the person's sessions here end with it.
    #[graphql(guard = "Needs(Permission::MembersManage)")]
    async fn remove_member(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "A membership to end.")] input: RemoveMemberInput,
    ) -> Result<RemoveMemberPayload, Error> {
        let id = parse(Kind::Membership, "memberId", &input.member_id)?;
        let done = mutate(ctx, move |tx| {
            Box::pin(async move { members::remove(tx, id, input.expected_version).await.map(|()| id) })
        });
        let done = done.await?.or_current(id);
        ctx.session()?.app().auth.forget();
        Ok(RemoveMemberPayload(done))
    }

    /// Creates a key for a partner's program.
    #[graphql(guard = "Needs(Permission::ApiKeysManage)")]
    async fn create_api_key(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "A key to create.")] input: CreateApiKeyInput,
    ) -> Result<CreateApiKeyPayload, Error> {
        let permissions = permission_set(&input.permissions)?;
        let new = NewApiKey { name: input.name, permissions, expires_at: input.expires_at };
        let secret = keys::generate_secret();
        let shown = secret.clone();
        let done = mutate(ctx, move |tx| {
            let (new, secret) = (new.clone(), secret.clone());
            Box::pin(async move { keys::create(tx, new, &secret).await })
        });
        Ok(CreateApiKeyPayload { done: done.await?, secret: shown })
    }

    /// Revokes a key for good.
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
