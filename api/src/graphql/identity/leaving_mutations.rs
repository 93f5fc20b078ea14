//! Members who are kept out for a while, and those who leave.

use async_graphql::{Context, Error, ID, InputObject, Object};
use identity::member::leaving;
use kernel::{Kind, Permission};
use uuid::Uuid;

use super::errors::IdentityUserError;
use super::holdings::{self, Holding};
use super::member::Member;
use crate::graphql::cost::about;
use crate::graphql::guard::Needs;
use crate::graphql::ids::parse;
use crate::graphql::mutation::{Done, mutate, payload};
use crate::graphql::request::InRequest;

/// A member to keep out for a while.
#[derive(InputObject)]
struct SuspendMemberInput {
    /// The membership.
    member_id: ID,
    /// The version that was read; another one is a conflict.
    expected_version: i32,
}

/// A suspended member to let in again.
#[derive(InputObject)]
struct ReactivateMemberInput {
    /// The membership.
    member_id: ID,
    /// The version that was read; another one is a conflict.
    expected_version: i32,
}

/// A membership to end.
#[derive(InputObject)]
struct RemoveMemberInput {
    /// The membership.
    member_id: ID,
    /// The version that was read; another one is a conflict.
    expected_version: i32,
}

payload!(SuspendMemberPayload, member: Member, IdentityUserError, "The member.");
payload!(ReactivateMemberPayload, member: Member, IdentityUserError, "The member.");

/// What the mutation did, and what is left behind.
struct RemoveMemberPayload(Done<Uuid>);

/// What the mutation did, and what is left behind.
#[Object]
impl RemoveMemberPayload {
    /// Null once the membership has ended. After a `CONFLICT`: as it is now.
    async fn member(&self, ctx: &Context<'_>) -> Result<Option<Member>, Error> {
        match self.0.result {
            Some(id) => Member::load(ctx, id).await,
            None => Ok(None),
        }
    }

    /// What the person leaves behind here, to hand over. It is there afterwards as well as before (`Member.holdings`).
    #[graphql(directive = about::apply(5))]
    async fn holdings(&self, ctx: &Context<'_>) -> Result<Vec<Holding>, Error> {
        match self.0.result {
            Some(id) => holdings::of_member(ctx, id).await,
            None => Ok(Vec::new()),
        }
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

/// The part of the mutation root for members who lose their access.
#[derive(Default)]
pub(crate) struct LeavingMutation;

#[Object]
impl LeavingMutation {
    /// Keeps a member out for a while. The role stays; sessions end, and the keys that the member answers for stop, within
    /// a second everywhere.
    #[graphql(guard = "Needs(Permission::MembersManage)")]
    async fn suspend_member(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "A member to keep out for a while.")] input: SuspendMemberInput,
    ) -> Result<SuspendMemberPayload, Error> {
        let id = parse(Kind::Membership, "memberId", &input.member_id)?;
        let auth = ctx.session()?.app().auth.clone();
        let done = mutate(ctx, move |tx| {
            let auth = auth.clone();
            Box::pin(
                async move { leaving::suspend(tx, &auth, id, input.expected_version).await.map(|()| id) },
            )
        });
        let done = done.await?.or_current(id);
        ctx.session()?.app().auth.forget();
        Ok(SuspendMemberPayload(done))
    }

    /// Lets a suspended member in again, with the role of before. The member signs in anew.
    #[graphql(guard = "Needs(Permission::MembersManage)")]
    async fn reactivate_member(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "A suspended member to let in again.")] input: ReactivateMemberInput,
    ) -> Result<ReactivateMemberPayload, Error> {
        let id = parse(Kind::Membership, "memberId", &input.member_id)?;
        let done = mutate(ctx, move |tx| {
            Box::pin(async move { leaving::reactivate(tx, id, input.expected_version).await.map(|()| id) })
        });
        let done = done.await?.or_current(id);
        ctx.session()?.app().auth.forget();
        Ok(ReactivateMemberPayload(done))
    }

    /// Ends a membership: the person's sessions here and in the test twin end with it, and the keys that the person
    /// answers for stop, within a second everywhere. What is left behind is listed for handing over.
    #[graphql(guard = "Needs(Permission::MembersManage)")]
    async fn remove_member(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "A membership to end.")] input: RemoveMemberInput,
    ) -> Result<RemoveMemberPayload, Error> {
        let id = parse(Kind::Membership, "memberId", &input.member_id)?;
        let auth = ctx.session()?.app().auth.clone();
        let done = mutate(ctx, move |tx| {
            let auth = auth.clone();
            Box::pin(async move { leaving::remove(tx, &auth, id, input.expected_version).await.map(|()| id) })
        });
        let done = done.await?.or_current(id);
        ctx.session()?.app().auth.forget();
        Ok(RemoveMemberPayload(done))
    }
}
