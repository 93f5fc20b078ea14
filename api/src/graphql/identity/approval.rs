//! Changes of rights that wait for another owner, in the graph.

use async_graphql::{Context, Enum, Error, ID, InputObject, Object};
use chrono::{DateTime, Utc};
use identity::approval::service::{self, AccessRequest as Stored};
use identity::approval::{Act, Decision, Means, Outcome};
use kernel::page::Cursor;
use kernel::{Fault, Kind, Permission};
use uuid::Uuid;

use super::errors::IdentityUserError;
use super::member::Member;
use super::queries::PermissionInfo;
use super::role::Role;
use super::sso::CompanyDomain;
use crate::graphql::actor::Actor;
use crate::graphql::connection::{Connection, PageArgs, TotalCount, connection};
use crate::graphql::cost::{about, costs, paged};
use crate::graphql::error::faulty;
use crate::graphql::guard::{Needs, Told};
use crate::graphql::ids::{parse, public};
use crate::graphql::mutation::{Done, mutate, payload};
use crate::graphql::request::InRequest;

/// What is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
pub(crate) enum AccessRequestAct {
    /// Another role for a member.
    ChangeRole,
    /// An invitation.
    InviteMember,
    /// More rights for who has a role.
    UpdateRole,
    /// That who has an address of a domain joins.
    JoinByDomain,
    /// That changes of rights need no other owner any more.
    TurnOffApproval,
}

/// How a request stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
pub(crate) enum AccessRequestState {
    /// It waits for another owner.
    Open,
    /// Nobody decided within fourteen days.
    Expired,
    /// An owner approved it: the change was made.
    Approved,
    /// An owner rejected it.
    Rejected,
    /// Who asked took it back.
    Withdrawn,
}

/// A change of rights that was asked for.
pub(crate) struct AccessRequest {
    stored: Stored,
    act: Act,
}

impl AccessRequest {
    /// A request by id.
    pub(crate) async fn load(ctx: &Context<'_>, id: Uuid) -> Result<Option<Self>, Error> {
        let tx = ctx.session()?.read().await?;
        service::get(&tx, id)
            .await
            .told()?
            .map(|stored| Self::of(stored).map_err(|fault| faulty(&fault)))
            .transpose()
    }

    fn of(stored: Stored) -> Result<Self, Fault> {
        Ok(Self { act: stored.act()?, stored })
    }
}

/// A change of rights that was asked for, and that an owner who has not asked for it approves or rejects.
#[Object]
impl AccessRequest {
    /// The public id.
    pub(crate) async fn id(&self) -> ID {
        public(Kind::AccessRequest, self.stored.id)
    }

    /// What is asked for.
    fn act(&self) -> AccessRequestAct {
        match self.act {
            Act::ChangeRole { .. } => AccessRequestAct::ChangeRole,
            Act::Invite { .. } => AccessRequestAct::InviteMember,
            Act::UpdateRole { .. } => AccessRequestAct::UpdateRole,
            Act::JoinByDomain { .. } => AccessRequestAct::JoinByDomain,
            Act::TurnOff => AccessRequestAct::TurnOffApproval,
        }
    }

    /// The member whose role is to change; null for other acts, and once the member has left.
    async fn member(&self, ctx: &Context<'_>) -> Result<Option<Member>, Error> {
        match self.act {
            Act::ChangeRole { member, .. } => Member::load(ctx, member).await,
            _ => Ok(None),
        }
    }

    /// The address to invite; null for other acts.
    fn email(&self) -> Option<&str> {
        self.act.email()
    }

    /// The domain whose addresses are to join; null for other acts, and for who may not see how people sign in.
    #[graphql(guard = "Needs(Permission::SsoRead)")]
    async fn company_domain(&self, ctx: &Context<'_>) -> Result<Option<CompanyDomain>, Error> {
        match self.act {
            Act::JoinByDomain { domain, .. } => CompanyDomain::load(ctx, domain).await,
            _ => Ok(None),
        }
    }

    /// The role to be given, or to be changed.
    async fn role(&self, ctx: &Context<'_>) -> Result<Option<Role>, Error> {
        match &self.act {
            Act::UpdateRole { role, .. } => Role::load(ctx, *role).await,
            act => match act.role() {
                Some(key) => Role::of_key(ctx, key).await.map(Some),
                None => Ok(None),
            },
        }
    }

    /// What the role is to permit from then on; null for other acts.
    #[graphql(directive = about::apply(40))]
    fn permissions(&self) -> Option<Vec<PermissionInfo>> {
        self.act.permissions().map(|wanted| wanted.iter().map(PermissionInfo::from).collect())
    }

    /// How it stands.
    fn state(&self, ctx: &Context<'_>) -> Result<AccessRequestState, Error> {
        let now = ctx.session()?.app().auth.clock().now();
        Ok(match self.stored.decision() {
            Some(Decision::Approved) => AccessRequestState::Approved,
            Some(Decision::Rejected) => AccessRequestState::Rejected,
            Some(Decision::Withdrawn) => AccessRequestState::Withdrawn,
            None if self.stored.is_open(now) => AccessRequestState::Open,
            None => AccessRequestState::Expired,
        })
    }

    /// Who asked.
    fn requested_by(&self) -> Actor {
        Actor(self.stored.requested_by.clone())
    }

    /// When.
    fn requested_at(&self) -> DateTime<Utc> {
        self.stored.requested_at
    }

    /// Until when it can be approved.
    fn expires_at(&self) -> DateTime<Utc> {
        self.stored.expires_at
    }

    /// Who decided; null while it waits.
    fn decided_by(&self) -> Option<Actor> {
        self.stored.decided_by.clone().map(Actor)
    }

    /// When; null while it waits.
    fn decided_at(&self) -> Option<DateTime<Utc>> {
        self.stored.decided_at
    }

    /// For `expectedVersion` of the decision.
    fn version(&self) -> i32 {
        self.stored.version
    }
}

/// Makes a change of rights, or asks for it.
pub(super) async fn make_or_ask(ctx: &Context<'_>, act: Act) -> Result<Done<Outcome>, Error> {
    let app = ctx.session()?.app().clone();
    let done = mutate(ctx, move |tx| {
        let (app, act) = (app.clone(), act.clone());
        Box::pin(async move {
            let means = Means { auth: &app.auth, public_url: &app.public_url };
            service::make_or_ask(tx, &act, means).await
        })
    });
    let done = done.await?;
    ctx.session()?.app().auth.forget();
    Ok(done)
}

/// The payload of a change of rights, which may have to wait: `rights_payload!(ChangeRolePayload, member: Member, "…")`.
macro_rules! rights_payload {
    ($name:ident, $field:ident: $thing:ty, $doc:literal) => {
        /// What the mutation did.
        pub(crate) struct $name(pub(super) $crate::graphql::mutation::Done<identity::approval::Outcome>);

        /// What the mutation did, what it waits for, or why it was refused.
        #[async_graphql::Object]
        impl $name {
            #[doc = $doc]
            #[doc = " Null when refused, and while it waits for another owner."]
            async fn $field(
                &self,
                ctx: &async_graphql::Context<'_>,
            ) -> async_graphql::Result<Option<$thing>> {
                match self.0.result {
                    Some(identity::approval::Outcome::Done(id)) => <$thing>::load(ctx, id).await,
                    _ => Ok(None),
                }
            }

            /// What waits for another owner, where the company wants changes of rights approved; else null.
            async fn access_request(
                &self,
                ctx: &async_graphql::Context<'_>,
            ) -> async_graphql::Result<Option<$crate::graphql::identity::approval::AccessRequest>> {
                match self.0.result {
                    Some(identity::approval::Outcome::Asked(id)) => {
                        $crate::graphql::identity::approval::AccessRequest::load(ctx, id).await
                    }
                    _ => Ok(None),
                }
            }

            /// Why it was refused; empty when it was done, or asked for.
            #[graphql(directive = $crate::graphql::cost::about::apply(3))]
            async fn user_errors(&self) -> Vec<IdentityUserError> {
                self.0.refusals.iter().map(IdentityUserError::from).collect()
            }

            /// Whether this answers from an earlier request with the same idempotency key.
            async fn replayed(&self) -> bool {
                self.0.replayed
            }
        }
    };
}
pub(super) use rights_payload;

/// The part of the query root for what waits for approval.
#[derive(Default)]
pub(crate) struct ApprovalQuery;

#[Object]
impl ApprovalQuery {
    /// The changes of rights that were asked for, newest first.
    #[graphql(
        guard = "Needs(Permission::MembersRead)",
        directive = paged::apply(), directive = costs::apply(5)
    )]
    async fn access_requests(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The first so many, 1 to 100.")] first: Option<i32>,
        #[graphql(desc = "The last so many, 1 to 100.")] last: Option<i32>,
        #[graphql(desc = "Those after this cursor.")] after: Option<String>,
        #[graphql(desc = "Those before this cursor.")] before: Option<String>,
        #[graphql(desc = "Only those that wait for a decision.", default)] only_open: bool,
    ) -> Result<Connection<AccessRequest>, Error> {
        let slice = PageArgs { first, last, after, before }.slice()?;
        let tx = ctx.session()?.read().await?;
        let page = service::list(&tx, only_open, &slice).await.told()?;
        let total = TotalCount::by(move |tx| async move { service::count(&tx, only_open).await.told() });
        for stored in &page.items {
            stored.act().map_err(|fault| faulty(&fault))?;
        }
        let cursor = |stored: &Stored| Cursor { key: String::new(), id: stored.id };
        let shown = |stored: Stored| AccessRequest { act: stored.act().unwrap_or(Act::TurnOff), stored };
        Ok(connection(page, total, cursor, shown))
    }
}

/// A request to decide about.
#[derive(InputObject)]
struct ApproveAccessRequestInput {
    /// The request.
    access_request_id: ID,
    /// The version that was read; another one is a conflict.
    expected_version: i32,
}

/// A request to decide about.
#[derive(InputObject)]
struct RejectAccessRequestInput {
    /// The request.
    access_request_id: ID,
    /// The version that was read; another one is a conflict.
    expected_version: i32,
}

/// A request to take back.
#[derive(InputObject)]
struct WithdrawAccessRequestInput {
    /// The request.
    access_request_id: ID,
    /// The version that was read; another one is a conflict.
    expected_version: i32,
}

payload!(ApproveAccessRequestPayload, access_request: AccessRequest, IdentityUserError, "The request, approved.");
payload!(RejectAccessRequestPayload, access_request: AccessRequest, IdentityUserError, "The request, rejected.");
payload!(WithdrawAccessRequestPayload, access_request: AccessRequest, IdentityUserError, "The request, withdrawn.");

/// The part of the mutation root for what waits for approval.
#[derive(Default)]
pub(crate) struct ApprovalMutation;

#[Object]
impl ApprovalMutation {
    /// Approves a change of rights, which is made at once: for an owner who has not asked for it.
    #[graphql(guard = "Needs(Permission::MembersManage)")]
    async fn approve_access_request(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "A request to decide about.")] input: ApproveAccessRequestInput,
    ) -> Result<ApproveAccessRequestPayload, Error> {
        let id = parse(Kind::AccessRequest, "accessRequestId", &input.access_request_id)?;
        let app = ctx.session()?.app().clone();
        let done = mutate(ctx, move |tx| {
            let app = app.clone();
            Box::pin(async move {
                let means = Means { auth: &app.auth, public_url: &app.public_url };
                service::approve(tx, id, input.expected_version, means).await.map(|()| id)
            })
        });
        let done = done.await?.or_current(id);
        ctx.session()?.app().auth.forget();
        Ok(ApproveAccessRequestPayload(done))
    }

    /// Rejects a change of rights: for an owner who has not asked for it.
    #[graphql(guard = "Needs(Permission::MembersManage)")]
    async fn reject_access_request(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "A request to decide about.")] input: RejectAccessRequestInput,
    ) -> Result<RejectAccessRequestPayload, Error> {
        let id = parse(Kind::AccessRequest, "accessRequestId", &input.access_request_id)?;
        let done = mutate(ctx, move |tx| {
            Box::pin(async move { service::reject(tx, id, input.expected_version).await.map(|()| id) })
        });
        Ok(RejectAccessRequestPayload(done.await?.or_current(id)))
    }

    /// Takes back a change of rights that the viewer has asked for.
    #[graphql(guard = "Needs(Permission::MembersManage)")]
    async fn withdraw_access_request(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "A request to take back.")] input: WithdrawAccessRequestInput,
    ) -> Result<WithdrawAccessRequestPayload, Error> {
        let id = parse(Kind::AccessRequest, "accessRequestId", &input.access_request_id)?;
        let done = mutate(ctx, move |tx| {
            Box::pin(async move { service::withdraw(tx, id, input.expected_version).await.map(|()| id) })
        });
        Ok(WithdrawAccessRequestPayload(done.await?.or_current(id)))
    }
}
