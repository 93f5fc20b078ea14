//! The review of accesses in the graph.

use async_graphql::{Context, Enum, Error, ID, InputObject, Object, SimpleObject};
use chrono::{DateTime, Utc};
use identity::review::service::{self, Done};
use identity::review::{Access, Kind as Who, Review};
use kernel::{Kind, Permission};

use super::errors::IdentityUserError;
use crate::graphql::actor::Actor;
use crate::graphql::cost::{about, costs};
use crate::graphql::date::Date;
use crate::graphql::guard::{Needs, Told};
use crate::graphql::ids::public;
use crate::graphql::mutation::mutate;
use crate::graphql::request::InRequest;

/// What kind of access somebody has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
pub(crate) enum AccessKind {
    /// A person with a role.
    Member,
    /// A program with an API key.
    ApiKey,
    /// A partner's application that acts for a member.
    Grant,
}

/// A right that somebody has, and when it was used last.
#[derive(SimpleObject)]
struct ReviewedRight {
    /// Its name, e.g. `invoicing.issue`.
    name: &'static str,
    /// What it allows.
    meaning: &'static str,
    /// The company's day on which it was used last; null for not since `notedFrom`. A stream counts on the day it begins.
    last_used_on: Option<Date>,
}

/// Somebody's access to this company.
struct ReviewedAccess(Access);

/// Somebody's access to this company.
#[Object]
impl ReviewedAccess {
    /// What kind of access it is.
    fn kind(&self) -> AccessKind {
        match self.0.kind {
            Who::Member => AccessKind::Member,
            Who::ApiKey => AccessKind::ApiKey,
            Who::Grant => AccessKind::Grant,
        }
    }

    /// The public id of the membership, the key or the grant.
    fn subject_id(&self) -> ID {
        match self.0.kind {
            Who::Member => public(Kind::Membership, self.0.id),
            Who::ApiKey => public(Kind::ApiKey, self.0.id),
            Who::Grant => public(Kind::Grant, self.0.id),
        }
    }

    /// The name of the person, the key or the application.
    fn name(&self) -> &str {
        &self.0.name
    }

    /// What tells it apart: the e-mail, the end of the key, the id of the application.
    fn identifier(&self) -> &str {
        &self.0.identifier
    }

    /// The key of the role, for members.
    fn role(&self) -> Option<&str> {
        self.0.role.as_deref()
    }

    /// The name of the role, where it is the company's own.
    fn role_name(&self) -> Option<&str> {
        self.0.role_name.as_deref()
    }

    /// What it may do now: programs only what who answers for them may do as well.
    #[graphql(directive = about::apply(30))]
    fn rights(&self) -> Vec<ReviewedRight> {
        let rights = self.0.rights.iter();
        rights
            .map(|right| ReviewedRight {
                name: right.permission.as_str(),
                meaning: right.permission.meaning().trim(),
                last_used_on: right.last_used_on.map(Date),
            })
            .collect()
    }

    /// The last day on which any right was used; null for not since `notedFrom`.
    fn last_used_on(&self) -> Option<Date> {
        self.0.last_used_on.map(Date)
    }

    /// Whether the person has a second factor; null for programs.
    fn second_factor(&self) -> Option<bool> {
        self.0.second_factor
    }

    /// Since when it has been so: the role as it is, the key, the grant.
    fn since(&self) -> DateTime<Utc> {
        self.0.since
    }

    /// Who gave it.
    fn granted_by(&self) -> Actor {
        Actor(self.0.granted_by.clone())
    }

    /// Since when it is suspended; null while it is not.
    fn suspended_at(&self) -> Option<DateTime<Utc>> {
        self.0.suspended_at
    }

    /// When it ends by itself; null for never.
    fn expires_at(&self) -> Option<DateTime<Utc>> {
        self.0.expires_at
    }
}

/// Who may do what in this company, and what of it was used.
struct AccessReview(Review);

/// Who may do what in this company, and what of it was used.
#[Object]
impl AccessReview {
    /// When it was made: now.
    fn at(&self) -> DateTime<Utc> {
        self.0.at
    }

    /// The first day on which uses were noted. What was not used since may have been used before.
    fn noted_from(&self) -> Date {
        Date(self.0.noted_from)
    }

    /// Every access: members, then keys, then grants, each oldest first.
    #[graphql(directive = about::apply(20))]
    fn accesses(&self) -> Vec<ReviewedAccess> {
        self.0.accesses.iter().cloned().map(ReviewedAccess).collect()
    }

    /// The whole as a table (RFC 4180, UTF-8), one line for each right of each access. Text that a spreadsheet would take for
    /// a formula begins with an apostrophe.
    #[graphql(directive = costs::apply(20))]
    fn csv(&self) -> String {
        self.0.csv()
    }
}

/// A review of accesses that was done.
struct CompletedReview(Done);

/// A review of accesses that was done.
#[Object]
impl CompletedReview {
    /// When.
    fn at(&self) -> DateTime<Utc> {
        self.0.at
    }

    /// By whom.
    fn by(&self) -> Actor {
        Actor(self.0.by.clone())
    }

    /// What was written about it, unless erased.
    fn note(&self) -> Option<&str> {
        self.0.note.as_deref()
    }

    /// How many members there were.
    fn members(&self) -> u64 {
        self.0.counts[0]
    }

    /// How many living API keys there were.
    fn api_keys(&self) -> u64 {
        self.0.counts[1]
    }

    /// How many applications acted for members.
    fn grants(&self) -> u64 {
        self.0.counts[2]
    }

    /// How many rights nobody had used.
    fn unused_rights(&self) -> u64 {
        self.0.counts[3]
    }
}

/// The part of the query root for reviews.
#[derive(Default)]
pub(crate) struct ReviewQuery;

#[Object]
impl ReviewQuery {
    /// Who may do what here, and what of it was used lately: members, API keys, and applications that act for members.
    /// Needs `audit.read` as well.
    #[graphql(guard = "Needs(Permission::MembersRead).and(Needs(Permission::AuditRead))", directive = costs::apply(50))]
    async fn access_review(&self, ctx: &Context<'_>) -> Result<AccessReview, Error> {
        let session = ctx.session()?;
        let tx = session.read().await?;
        service::review(&session.app().auth, &tx).await.told().map(AccessReview)
    }

    /// The last review that was completed; null for none yet. Needs `audit.read` as well.
    #[graphql(guard = "Needs(Permission::MembersRead).and(Needs(Permission::AuditRead))")]
    async fn last_access_review(&self, ctx: &Context<'_>) -> Result<Option<CompletedReview>, Error> {
        let tx = ctx.session()?.read().await?;
        Ok(service::last(&tx).await.told()?.map(CompletedReview))
    }
}

/// What to put on record.
#[derive(InputObject)]
struct CompleteAccessReviewInput {
    /// What was found and decided; at most 2000 characters. It is kept apart from the audit trail, where it can be erased.
    note: Option<String>,
}

/// What the mutation did.
struct CompleteAccessReviewPayload {
    refusals: Vec<IdentityUserError>,
    replayed: bool,
}

/// What the mutation did.
#[Object]
impl CompleteAccessReviewPayload {
    /// The last review on record: this one, unless it was refused.
    async fn review(&self, ctx: &Context<'_>) -> Result<Option<CompletedReview>, Error> {
        let tx = ctx.session()?.read().await?;
        Ok(service::last(&tx).await.told()?.map(CompletedReview))
    }

    /// Why it was refused; empty when it was done.
    #[graphql(directive = about::apply(3))]
    fn user_errors(&self) -> Vec<IdentityUserError> {
        self.refusals.clone()
    }

    /// Whether this answers from an earlier request with the same idempotency key.
    fn replayed(&self) -> bool {
        self.replayed
    }
}

/// The part of the mutation root for reviews.
#[derive(Default)]
pub(crate) struct ReviewMutation;

#[Object]
impl ReviewMutation {
    /// Puts on record that the accesses were reviewed, with how many there were. Needs `audit.read` as well.
    #[graphql(guard = "Needs(Permission::MembersManage).and(Needs(Permission::AuditRead))", directive = costs::apply(50))]
    async fn complete_access_review(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What to put on record.")] input: CompleteAccessReviewInput,
    ) -> Result<CompleteAccessReviewPayload, Error> {
        let auth = ctx.session()?.app().auth.clone();
        let done = mutate(ctx, move |tx| {
            let (auth, note) = (auth.clone(), input.note.clone());
            Box::pin(async move { service::complete(tx, &auth, note.as_deref()).await })
        });
        let done = done.await?;
        Ok(CompleteAccessReviewPayload {
            refusals: done.refusals.iter().map(IdentityUserError::from).collect(),
            replayed: done.replayed,
        })
    }
}
