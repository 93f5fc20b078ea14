//! Open sessions in the graph.

use async_graphql::{Context, Enum, Error, ID, InputObject, Object, SimpleObject};
use chrono::{DateTime, Utc};
use identity::session::list::{self, Listed};
use identity::session::service;
use kernel::{Kind, Permission};
use uuid::Uuid;

use super::errors::IdentityUserError;
use crate::graphql::cost::about;
use crate::graphql::guard::{Needs, SignedIn, Told};
use crate::graphql::ids::{parse, public};
use crate::graphql::mutation::{Done, mutate};
use crate::graphql::request::{InRequest, Session};

/// What was shown when a session was opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
pub(crate) enum SessionAssurance {
    /// One factor, such as a password.
    Password,
    /// A second factor as well, or a passkey.
    SecondFactor,
}

/// An open session of a person.
pub(crate) struct OpenSession {
    row: Listed,
    company: Option<String>,
    is_current: bool,
    place: Option<String>,
    device: String,
}

impl OpenSession {
    fn new(ctx: &Context<'_>, row: Listed, company: Option<String>) -> Result<Self, Error> {
        let session = ctx.session()?;
        let current = session.principal().and_then(|principal| principal.session);
        let locale = &session.scope()?.company().locale;
        let place = session.app().auth.places().of_stored(row.address.as_deref(), locale);
        let device = identity::agent::describe(row.agent.as_deref(), locale);
        Ok(Self { is_current: current == Some(row.id), row, company, place, device })
    }
}

/// An open session of a person.
#[Object]
impl OpenSession {
    /// The public id, for `endSession`.
    fn session_id(&self) -> ID {
        public(Kind::Session, self.row.id)
    }

    /// The device, in words such as "Firefox on Linux". It is what the client says of itself.
    fn device(&self) -> &str {
        &self.device
    }

    /// The network address that it was opened from.
    fn address(&self) -> Option<&str> {
        self.row.address.as_deref()
    }

    /// Where that address is, roughly: a city and a country. Null where the server has no database of places, and where the
    /// database does not know the address.
    fn place(&self) -> Option<&str> {
        self.place.as_deref()
    }

    /// When it was opened.
    fn created_at(&self) -> DateTime<Utc> {
        self.row.created_at
    }

    /// When it was last used, to the minute.
    fn last_seen_at(&self) -> DateTime<Utc> {
        self.row.last_seen_at
    }

    /// When it ends at the latest; it ends earlier after twelve hours without use.
    fn expires_at(&self) -> DateTime<Utc> {
        self.row.expires_at
    }

    /// Whether it is the session that asks.
    fn current(&self) -> bool {
        self.is_current
    }

    /// The company that it acts in.
    fn company_id(&self) -> ID {
        public(Kind::Company, self.row.tenant_id)
    }

    /// The company's name; null where it is the company that asks.
    fn company_name(&self) -> Option<&str> {
        self.company.as_deref()
    }

    /// What was shown when it was opened.
    fn assurance(&self) -> SessionAssurance {
        match identity::Assurance::parse(&self.row.assurance) {
            Some(identity::Assurance::SecondFactor) => SessionAssurance::SecondFactor,
            _ => SessionAssurance::Password,
        }
    }
}

/// The viewer's own sessions in all companies; programs have none.
pub(super) async fn own(ctx: &Context<'_>) -> Result<Vec<OpenSession>, Error> {
    let session = ctx.session()?;
    let Ok(person) = list::person_of(session.scope()?) else { return Ok(Vec::new()) };
    let sessions = list::own(&session.app().auth, person).await.map_err(identity::Error::from).told()?;
    // A session by the word of a company's own provider is not shown where else its person belongs.
    let only = only(session);
    let shown = sessions.into_iter().filter(|(row, _)| only.is_none_or(|company| row.tenant_id == company));
    shown.map(|(row, company)| OpenSession::new(ctx, row, Some(company))).collect()
}

/// A member's sessions in this company.
pub(super) async fn of_member(ctx: &Context<'_>, person: Uuid) -> Result<Vec<OpenSession>, Error> {
    let session = ctx.session()?;
    let sessions = list::of_member(&session.app().auth, session.scope()?, person).await.told()?;
    sessions.into_iter().map(|row| OpenSession::new(ctx, row, None)).collect()
}

/// A session of one's own to end.
#[derive(InputObject)]
struct EndSessionInput {
    /// The session: one of `viewer.sessions`.
    session_id: ID,
}

/// A member whose sessions end.
#[derive(InputObject)]
struct EndMemberSessionsInput {
    /// The membership.
    member_id: ID,
}

/// The payload of a mutation that ends sessions: each has a type of its own in the contract.
macro_rules! ended {
    ($name:ident) => {
        /// What the mutation did.
        #[derive(SimpleObject)]
        struct $name {
            /// How many sessions have ended.
            ended: i32,
            /// Why it was refused; empty when it was done.
            #[graphql(directive = about::apply(3))]
            user_errors: Vec<IdentityUserError>,
            /// Whether this answers from an earlier request with the same idempotency key.
            replayed: bool,
        }

        impl From<Done<usize>> for $name {
            fn from(done: Done<usize>) -> Self {
                Self {
                    ended: i32::try_from(done.result.unwrap_or(0)).unwrap_or(i32::MAX),
                    user_errors: done.refusals.iter().map(IdentityUserError::from).collect(),
                    replayed: done.replayed,
                }
            }
        }
    };
}

ended!(EndSessionPayload);
ended!(EndOtherSessionsPayload);
ended!(EndMemberSessionsPayload);

/// The part of the mutation root that ends sessions.
#[derive(Default)]
pub(crate) struct SessionMutation;

#[Object]
impl SessionMutation {
    /// Ends a session of one's own, in whichever company. Its token, its sockets and its event streams end within a second.
    #[graphql(guard = "SignedIn")]
    async fn end_session(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "A session of one's own to end.")] input: EndSessionInput,
    ) -> Result<EndSessionPayload, Error> {
        let id = parse(Kind::Session, "sessionId", &input.session_id)?;
        let request = ctx.session()?;
        let (auth, only) = (request.app().auth.clone(), only(request));
        ended(ctx, move |tx| {
            let auth = auth.clone();
            Box::pin(async move {
                let person = list::person_of(tx.scope())?;
                list::end_own(&auth, person, id, only).await.map(|()| 1)
            })
        })
        .await
    }

    /// Ends all sessions of one's own but the one that asks, in all companies.
    #[graphql(guard = "SignedIn")]
    async fn end_other_sessions(&self, ctx: &Context<'_>) -> Result<EndOtherSessionsPayload, Error> {
        let request = ctx.session()?;
        let (auth, only) = (request.app().auth.clone(), only(request));
        let current = request.principal().and_then(|principal| principal.session);
        ended(ctx, move |tx| {
            let auth = auth.clone();
            Box::pin(async move {
                let person = list::person_of(tx.scope())?;
                service::end_others(&auth, person, current, only).await
            })
        })
        .await
    }

    /// Ends all sessions of a member in this company, and in its test twin.
    #[graphql(guard = "Needs(Permission::MembersManage)")]
    async fn end_member_sessions(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "A member whose sessions end.")] input: EndMemberSessionsInput,
    ) -> Result<EndMemberSessionsPayload, Error> {
        let id = parse(Kind::Membership, "memberId", &input.member_id)?;
        let auth = ctx.session()?.app().auth.clone();
        ended(ctx, move |tx| {
            let auth = auth.clone();
            Box::pin(async move { list::end_of_member(tx, &auth, id).await })
        })
        .await
    }
}

/// The company whose sessions a confined session may see and end; none for any other session, which has to do with all.
fn only(request: &Session) -> Option<Uuid> {
    request.principal().filter(|principal| principal.confined).map(|principal| principal.company.id)
}

async fn ended<P, F>(ctx: &Context<'_>, work: F) -> Result<P, Error>
where
    P: From<Done<usize>>,
    F: for<'t> Fn(&'t kernel::Tx) -> futures_util::future::BoxFuture<'t, Result<usize, identity::Error>>
        + Send
        + Sync
        + 'static,
{
    let done = mutate(ctx, work).await?;
    ctx.session()?.app().auth.forget();
    Ok(done.into())
}
