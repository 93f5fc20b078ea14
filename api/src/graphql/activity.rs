//! The event log in the graph: a thing's activity feed and the company's audit trail.

use async_graphql::{Context, Error, ID, Json, Object, SimpleObject};
use chrono::{DateTime, Utc};
use futures_util::future::BoxFuture;
use kernel::event::{self, Event};
use kernel::page::{Cursor, Page, Slice};
use kernel::{Fault, Kind, Permission};
use uuid::Uuid;

use super::actor::Actor;
use super::connection::{Connection, PageArgs, TotalCount, connection};
use super::error::{bad_argument, faulty};
use super::guard::Needs;
use super::ids::public;
use super::request::InRequest;
use crate::graphql::cost::{about, costs};

/// Something that happened, as it stands in the company's sealed log.
pub(crate) struct Activity(Event);

/// A personal value that a change replaced; gone once it is erased, while the log stays whole.
#[derive(SimpleObject)]
struct PersonalChange {
    /// The field's name.
    field: String,
    /// Before.
    before: Option<String>,
    /// After.
    after: Option<String>,
}

/// Something that happened, as it stands in the company's sealed log.
#[Object]
impl Activity {
    /// Its place in the company's gapless log; null during the moments until it is sealed.
    fn sequence(&self) -> Option<i64> {
        self.0.sequence
    }

    /// When it happened.
    fn at(&self) -> DateTime<Utc> {
        self.0.at
    }

    /// What happened, e.g. `invoice.issued`.
    fn kind(&self) -> &str {
        &self.0.kind
    }

    /// Who did it.
    fn actor(&self) -> Actor {
        Actor(self.0.actor.clone())
    }

    /// The thing it happened to.
    fn subject_id(&self) -> Option<ID> {
        let kind = Kind::ALL.iter().find(|kind| kind.prefix() == self.0.subject_kind)?;
        Some(public(*kind, self.0.subject_id))
    }

    /// Facts and changes: `changes` maps each field to before and after, `personal` names fields whose values
    /// are kept apart.
    fn payload(&self) -> Result<Json<serde_json::Value>, Error> {
        let payload = serde_json::from_slice(&self.0.payload);
        payload.map(Json).map_err(|e| faulty(&Fault::Corrupt(format!("event payload: {e}"))))
    }

    /// The personal values that it replaced, unless erased.
    #[graphql(guard = "Needs(Permission::AuditRead)", directive = costs::apply(5), directive = about::apply(5))]
    async fn personal_changes(&self, ctx: &Context<'_>) -> Result<Vec<PersonalChange>, Error> {
        let tx = ctx.session()?.read().await?;
        let values = event::personal_values(&tx, self.0.position).await.map_err(|fault| faulty(&fault))?;
        Ok(values.into_iter().map(|(field, before, after)| PersonalChange { field, before, after }).collect())
    }

    /// The network address it came from, unless erased.
    #[graphql(guard = "Needs(Permission::AuditRead)")]
    fn address(&self) -> Option<&str> {
        self.0.address.as_deref()
    }

    /// The client it came from, as it named itself, unless erased.
    #[graphql(guard = "Needs(Permission::AuditRead)")]
    fn agent(&self) -> Option<&str> {
        self.0.agent.as_deref()
    }

    /// The request it came from, as in the server's logs.
    #[graphql(guard = "Needs(Permission::AuditRead)")]
    fn request_id(&self) -> Option<&str> {
        self.0.request_id.as_deref()
    }
}

/// What cursors of feeds are veiled for: an event's position is counted over all companies, and would tell how much the
/// others do.
const CURSOR: &str = "feed cursor";

/// Events of one thing, or of the whole company, newest first. Only forward pages: a feed has a beginning.
pub(crate) fn feed<'a>(
    ctx: &'a Context<'_>,
    subject: Option<Uuid>,
    first: i32,
    after: Option<String>,
) -> BoxFuture<'a, Result<Connection<Activity>, Error>> {
    // Boxed, as in request.rs: a feed hangs on every thing.
    Box::pin(newest(ctx, subject, first, after))
}

async fn newest(
    ctx: &Context<'_>,
    subject: Option<Uuid>,
    first: i32,
    after: Option<String>,
) -> Result<Connection<Activity>, Error> {
    let slice: Slice = PageArgs { first: Some(first), after, ..PageArgs::default() }.slice()?;
    let session = ctx.session()?;
    let (vault, company) = (session.app().auth.vault().clone(), session.scope()?.company().id);
    let before = match &slice.after {
        Some(cursor) => Some(
            vault
                .unveil(CURSOR, company.as_bytes(), cursor.id.into_bytes())
                .ok_or_else(|| bad_argument("after", "not a cursor of this list"))?,
        ),
        None => None,
    };
    let tx = session.read().await?;
    let rows = event::page(&tx, subject, before, slice.probe()).await.map_err(|fault| faulty(&fault))?;
    let total =
        TotalCount::by(
            move |tx| async move { event::count(&tx, subject).await.map_err(|fault| faulty(&fault)) },
        );
    let veiled = |event: Event| {
        let place = vault.veil(CURSOR, company.as_bytes(), event.position).map_err(|fault| faulty(&fault))?;
        Ok((Cursor { key: String::new(), id: Uuid::from_bytes(place) }, event))
    };
    let rows = rows.into_iter().map(veiled).collect::<Result<Vec<_>, Error>>()?;
    let page = Page::from_probe(&slice, rows);
    Ok(connection(page, total, |(cursor, _)| cursor.clone(), |(_, event)| Activity(event)))
}
