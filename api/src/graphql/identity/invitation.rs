//! Invitations in the graph: how people join a company.

use async_graphql::{Context, Enum, Error, ID, InputObject, Object};
use chrono::{DateTime, Utc};
use identity::Assurance;
use identity::approval::Act;
use identity::invitation::{self as invitations, service};
use identity::session::service as sessions;
use identity::sign_in::{SignedIn as Entered, Step, service as sign_in};
use kernel::{Actor, Kind, Permission};
use uuid::Uuid;

use super::approval::{make_or_ask, rights_payload};
use super::errors::IdentityUserError;
use super::role::Role;
use super::sign_in::{SignInPayload, step};
use crate::graphql::cost::about;
use crate::graphql::error::bad_argument;
use crate::graphql::guard::{Needs, Told};
use crate::graphql::ids::{parse, public};
use crate::graphql::mutation::{mutate, payload};
use crate::graphql::request::InRequest;

/// How an invitation stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
pub(crate) enum InvitationState {
    /// It can be accepted.
    Open,
    /// Its seven days are over; it can be sent again.
    Expired,
    /// Somebody has joined by it.
    Accepted,
    /// It was revoked.
    Revoked,
}

/// An address that may join the company.
pub(crate) struct Invitation(invitations::Invitation);

impl Invitation {
    /// An invitation by id.
    pub(crate) async fn load(ctx: &Context<'_>, id: Uuid) -> Result<Option<Self>, Error> {
        let tx = ctx.session()?.read().await?;
        Ok(service::get(&tx, id).await.told()?.map(Self))
    }
}

/// An address that may join the company.
#[Object]
impl Invitation {
    /// The public id.
    pub(crate) async fn id(&self) -> ID {
        public(Kind::Invitation, self.0.id)
    }

    /// Whom the letter went to.
    fn email(&self) -> &str {
        &self.0.email
    }

    /// The role that it gives.
    async fn role(&self, ctx: &Context<'_>) -> Result<Role, Error> {
        Role::of_key(ctx, &self.0.role).await
    }

    /// How it stands.
    fn state(&self, ctx: &Context<'_>) -> Result<InvitationState, Error> {
        let now = ctx.session()?.app().auth.clock().now();
        Ok(match &self.0 {
            invitation if invitation.accepted_at.is_some() => InvitationState::Accepted,
            invitation if invitation.revoked_at.is_some() => InvitationState::Revoked,
            invitation if invitation.expires_at <= now => InvitationState::Expired,
            _ => InvitationState::Open,
        })
    }

    /// Until when it can be accepted.
    fn expires_at(&self) -> DateTime<Utc> {
        self.0.expires_at
    }

    /// The version, for the next change.
    fn version(&self) -> i32 {
        self.0.version
    }

    /// When it was made.
    fn created_at(&self) -> DateTime<Utc> {
        self.0.created_at
    }
}

/// The part of the query root for invitations.
#[derive(Default)]
pub(crate) struct InvitationQuery;

#[Object]
impl InvitationQuery {
    /// The invitations that nobody has accepted yet, newest first, at most 200; also those that have run out.
    #[graphql(guard = "Needs(Permission::MembersRead)", directive = about::apply(20))]
    async fn invitations(&self, ctx: &Context<'_>) -> Result<Vec<Invitation>, Error> {
        let tx = ctx.session()?.read().await?;
        Ok(service::list(&tx).await.told()?.into_iter().map(Invitation).collect())
    }
}

/// An address to invite.
#[derive(InputObject)]
struct InviteMemberInput {
    /// Where the letter goes.
    email: String,
    /// The key of the role that the person will have here: `accountant`, or one of the company's own. None that may do
    /// more than you.
    role: String,
}

/// An invitation to send again.
#[derive(InputObject)]
struct ResendInvitationInput {
    /// The invitation.
    invitation_id: ID,
    /// The version that was read; another one is a conflict.
    expected_version: i32,
}

/// An invitation to revoke.
#[derive(InputObject)]
struct RevokeInvitationInput {
    /// The invitation.
    invitation_id: ID,
    /// The version that was read; another one is a conflict.
    expected_version: i32,
}

rights_payload!(InviteMemberPayload, invitation: Invitation, "The invitation.");
payload!(ResendInvitationPayload, invitation: Invitation, IdentityUserError, "The invitation.");
payload!(RevokeInvitationPayload, invitation: Invitation, IdentityUserError, "The invitation, revoked.");

/// The part of the mutation root for who invites.
#[derive(Default)]
pub(crate) struct InvitationMutation;

#[Object]
impl InvitationMutation {
    /// Invites an address to join the company: a letter goes there, with a link that is good for seven days. Whether the
    /// address has an account is not told. Where the company wants changes of rights approved, it waits for another owner.
    #[graphql(guard = "Needs(Permission::MembersManage)")]
    async fn invite_member(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "An address to invite.")] input: InviteMemberInput,
    ) -> Result<InviteMemberPayload, Error> {
        let act = Act::Invite { email: input.email, role: input.role };
        Ok(InviteMemberPayload(make_or_ask(ctx, act).await?))
    }

    /// Sends an open invitation again, for another seven days: its new link ends the older ones.
    #[graphql(guard = "Needs(Permission::MembersManage)")]
    async fn resend_invitation(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "An invitation to send again.")] input: ResendInvitationInput,
    ) -> Result<ResendInvitationPayload, Error> {
        let id = parse(Kind::Invitation, "invitationId", &input.invitation_id)?;
        let app = ctx.session()?.app().clone();
        let done = mutate(ctx, move |tx| {
            let app = app.clone();
            let expected = input.expected_version;
            Box::pin(async move {
                service::resend(tx, &app.auth, id, expected, &app.public_url).await.map(|()| id)
            })
        });
        Ok(ResendInvitationPayload(done.await?.or_current(id)))
    }

    /// Revokes an open invitation: its link is dead at once.
    #[graphql(guard = "Needs(Permission::MembersManage)")]
    async fn revoke_invitation(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "An invitation to revoke.")] input: RevokeInvitationInput,
    ) -> Result<RevokeInvitationPayload, Error> {
        let id = parse(Kind::Invitation, "invitationId", &input.invitation_id)?;
        let done = mutate(ctx, move |tx| {
            let expected = input.expected_version;
            Box::pin(async move { service::revoke(tx, id, expected).await.map(|()| id) })
        });
        Ok(RevokeInvitationPayload(done.await?.or_current(id)))
    }
}

/// Who accepts an invitation.
#[derive(InputObject)]
struct AcceptInvitationInput {
    /// The token of the letter's link.
    token: String,
    /// For a new account: the person's name.
    name: Option<String>,
    /// For a new account: its password.
    password: Option<String>,
}

/// The part of the mutation root for who is invited. Nothing here takes an idempotency key: what it answers is a secret,
/// and a secret is not kept.
#[derive(Default)]
pub(crate) struct AcceptanceMutation;

#[Object]
impl AcceptanceMutation {
    /// Joins the company of an invitation, and opens a session in it. Who is signed in joins as that person; the present
    /// session stays open. Who is not gets a new account, whose address is thereby confirmed; where the address has an
    /// account already, it asks to sign in first.
    async fn accept_invitation(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Who accepts an invitation.")] input: AcceptInvitationInput,
    ) -> Result<SignInPayload, Error> {
        let request = ctx.session()?;
        let (app, origin) = (request.app(), request.origin().clone());
        let (auth, token) = (&app.auth, input.token.as_str());
        let Some(principal) = request.principal() else {
            let newcomer = service::Newcomer { name: input.name, password: input.password };
            let entered = async {
                let (person, company) =
                    service::accept_new(auth, &app.passwords, token, newcomer, &origin).await?;
                sign_in::by_known(auth, person, Assurance::Password, Some(company), None, origin.clone())
                    .await
            };
            return step(entered.await);
        };
        let (Actor::Person(person), Some(from)) = (principal.actor, principal.session) else {
            return Err(bad_argument("token", "a key acts in its own company only"));
        };
        let entered = async {
            if principal.confined {
                return Err(identity::Error::Confined);
            }
            let company = service::accept_as(auth, token, person, &origin).await?;
            let opened = sessions::open_from(auth, from, company, origin.clone()).await?;
            Ok(Step::In(Entered { opened, device_token: None }))
        };
        step(entered.await)
    }
}
