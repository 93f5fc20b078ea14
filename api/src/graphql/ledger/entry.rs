//! Journal entries in the graph.

use std::collections::HashMap;

use async_graphql::{Context, Error, ID, InputObject, Object};
use chrono::{DateTime, Utc};
use entity::ledger::{journal_entry, posting};
use kernel::page::Page;
use kernel::{Kind, Tx};
use ledger::entry::service;
use uuid::Uuid;

use super::enums::{JournalEntryKind, JournalEntryState, stored};
use super::in_books;
use super::journal::Journal;
use super::posting::Posting;
use super::year::{FiscalYear, Period};
use crate::graphql::activity::{Activity, feed};
use crate::graphql::actor::Actor;
use crate::graphql::connection::Connection;
use crate::graphql::cost::{about, costs, newest};
use crate::graphql::date::Date;
use crate::graphql::error::bad_argument;
use crate::graphql::guard::Told;
use crate::graphql::ids::{parse_optional, public};
use crate::graphql::inline::Rows;
use crate::graphql::money::Money;
use crate::graphql::node::{Node, node};
use crate::graphql::request::{Batch, InRequest};

/// Which entries are listed; all conditions hold together.
#[derive(Clone, Debug, Default, InputObject)]
pub(super) struct JournalEntryFilter {
    /// Of one journal.
    journal_id: Option<ID>,
    /// Of one state.
    state: Option<JournalEntryState>,
    /// Of one kind.
    kind: Option<JournalEntryKind>,
    /// Dated on this day or later.
    from: Option<Date>,
    /// Dated on this day or earlier.
    to: Option<Date>,
    /// That come from this thing: an invoice, a bill, a payment, an allocation or a fiscal year.
    source_id: Option<ID>,
}

impl JournalEntryFilter {
    pub(super) fn read(self) -> Result<service::Filter, Error> {
        Ok(service::Filter {
            journal: parse_optional(Kind::Journal, "filter.journalId", self.journal_id.as_ref())?,
            state: self.state.map(Into::into),
            kind: self.kind.map(Into::into),
            from: self.from.map(Into::into),
            to: self.to.map(Into::into),
            source: self.source_id.as_ref().map(source).transpose()?,
        })
    }
}

/// Reads the id of a thing that posts entries of its own.
fn source(given: &ID) -> Result<Uuid, Error> {
    let told = |message: String| bad_argument("filter.sourceId", message);
    match kernel::id::decode_any(given).map_err(|error| told(error.to_string()))? {
        (Kind::Invoice | Kind::Bill | Kind::Payment | Kind::Allocation | Kind::FiscalYear, id) => Ok(id),
        (other, _) => Err(told(format!("no entry comes from a {}", other.prefix().replace('_', " ")))),
    }
}

struct Entries;

impl Batch for Entries {
    type Key = Uuid;
    type Value = journal_entry::Model;

    async fn load(tx: &Tx, keys: &[Uuid]) -> Result<HashMap<Uuid, journal_entry::Model>, Error> {
        let entries = service::by_ids(tx, keys).await.told()?;
        Ok(entries.into_iter().map(|entry| (entry.id, entry)).collect())
    }
}

struct Reversals;

impl Batch for Reversals {
    type Key = Uuid;
    type Value = journal_entry::Model;

    async fn load(tx: &Tx, keys: &[Uuid]) -> Result<HashMap<Uuid, journal_entry::Model>, Error> {
        let entries = service::reversals_of(tx, keys).await.told()?;
        Ok(entries.into_iter().filter_map(|entry| Some((entry.reverses_id?, entry))).collect())
    }
}

struct LinesOfEntry;

impl Batch for LinesOfEntry {
    type Key = Uuid;
    type Value = Vec<posting::Model>;

    async fn load(tx: &Tx, keys: &[Uuid]) -> Result<HashMap<Uuid, Vec<posting::Model>>, Error> {
        lines_by_entry(tx, keys).await
    }
}

async fn lines_by_entry(tx: &Tx, entries: &[Uuid]) -> Result<HashMap<Uuid, Vec<posting::Model>>, Error> {
    let mut by_entry: HashMap<Uuid, Vec<posting::Model>> = HashMap::new();
    for line in service::lines_of(tx, entries).await.told()? {
        by_entry.entry(line.entry_id).or_default().push(line);
    }
    Ok(by_entry)
}

/// A journal entry: a draft that may change, or posted for good.
#[derive(Clone)]
pub(crate) struct JournalEntry {
    model: journal_entry::Model,
    /// Its lines, when they were read with the entry.
    lines: Option<Vec<posting::Model>>,
}

impl JournalEntry {
    /// An entry whose lines are read when they are asked for.
    pub(crate) fn new(model: journal_entry::Model) -> Self {
        Self { model, lines: None }
    }

    /// An entry by id.
    pub(crate) async fn load(ctx: &Context<'_>, id: Uuid) -> Result<Option<Self>, Error> {
        Ok(ctx.session()?.load::<Entries>(id).await?.map(Self::new))
    }

    /// A page of entries, with their lines in one statement if the client asks for any.
    pub(super) async fn page(
        ctx: &Context<'_>,
        tx: &Tx,
        page: Page<journal_entry::Model>,
    ) -> Result<Page<Self>, Error> {
        let node = ctx.look_ahead().field("edges").field("node");
        let mut lines = None;
        if node.field("lines").exists() || node.field("total").exists() {
            let ids: Vec<Uuid> = page.items.iter().map(|entry| entry.id).collect();
            lines = Some(lines_by_entry(tx, &ids).await?);
        }
        Ok(page.map(|model| {
            let own = lines.as_mut().map(|lines| lines.remove(&model.id).unwrap_or_default());
            Self { model, lines: own }
        }))
    }

    /// Where it stands in a list of this sort.
    pub(super) fn cursor(&self, sort: service::Sort) -> kernel::page::Cursor {
        service::cursor(&self.model, sort)
    }

    async fn own_lines(&self, ctx: &Context<'_>) -> Result<Vec<posting::Model>, Error> {
        match &self.lines {
            Some(lines) => Ok(lines.clone()),
            None => Ok(ctx.session()?.load::<LinesOfEntry>(self.model.id).await?.unwrap_or_default()),
        }
    }
}

/// A journal entry: a draft that may change, or posted for good.
#[Object]
impl JournalEntry {
    /// The public id.
    pub(crate) async fn id(&self) -> ID {
        public(Kind::JournalEntry, self.model.id)
    }

    /// Its journal.
    async fn journal(&self, ctx: &Context<'_>) -> Result<Journal, Error> {
        stored(Journal::load(ctx, self.model.journal_id).await?, "an entry without a journal")
    }

    /// Its number in journal and fiscal year: gapless, rising with the dates. Null for a draft.
    fn number(&self) -> Option<i32> {
        self.model.number
    }

    /// The accounting date.
    fn date(&self) -> Date {
        Date::from(self.model.entry_date)
    }

    /// What it is about.
    fn label(&self) -> &str {
        &self.model.label
    }

    /// The reference of the document that justifies it (pièce justificative).
    fn piece_ref(&self) -> Option<&str> {
        self.model.piece_ref.as_deref()
    }

    /// The date of that document.
    fn piece_date(&self) -> Option<Date> {
        self.model.piece_date.map(Date::from)
    }

    /// Why it was written.
    fn kind(&self) -> Result<JournalEntryKind, Error> {
        stored(ledger::entry::EntryKind::parse(&self.model.kind), "kind of an entry").map(Into::into)
    }

    /// How far it is.
    fn state(&self) -> Result<JournalEntryState, Error> {
        stored(ledger::entry::EntryState::parse(&self.model.state), "state of an entry").map(Into::into)
    }

    /// The fiscal year that it was posted in; null for a draft.
    async fn fiscal_year(&self, ctx: &Context<'_>) -> Result<Option<FiscalYear>, Error> {
        match self.model.fiscal_year_id {
            Some(id) => FiscalYear::load(ctx, id).await,
            None => Ok(None),
        }
    }

    /// The period that it was posted in; null for a draft.
    async fn period(&self, ctx: &Context<'_>) -> Result<Option<Period>, Error> {
        match self.model.period_id {
            Some(id) => Period::load(ctx, id).await,
            None => Ok(None),
        }
    }

    /// Its lines, in order.
    #[graphql(directive = about::apply(5))]
    async fn lines(&self, ctx: &Context<'_>) -> Result<Rows<Posting>, Error> {
        Ok(Rows(self.own_lines(ctx).await?.into_iter().map(Posting).collect()))
    }

    /// The sum of its debits, in the company's currency; of its credits as well once it is posted.
    #[graphql(directive = costs::apply(2))]
    async fn total(&self, ctx: &Context<'_>) -> Result<Money, Error> {
        let lines = self.own_lines(ctx).await?;
        in_books(ctx, lines.iter().map(|line| line.debit_minor).sum())
    }

    /// The public id of the thing it comes from: an invoice, a bill, a payment, an allocation, a closed fiscal year.
    /// Null for an entry that was written by hand.
    fn source_id(&self) -> Option<ID> {
        let kind = self.model.source_kind.as_deref()?;
        let kind = Kind::ALL.iter().find(|known| known.prefix() == kind)?;
        Some(public(*kind, self.model.source_id?))
    }

    /// The thing it comes from. Null for an entry that was written by hand.
    async fn source(&self, ctx: &Context<'_>) -> Result<Option<Node>, Error> {
        let kind = self.model.source_kind.as_deref();
        let kind = Kind::ALL.iter().find(|known| Some(known.prefix()) == kind);
        match (kind, self.model.source_id) {
            (Some(kind), Some(id)) => node(ctx, &public(*kind, id)).await,
            _ => Ok(None),
        }
    }

    /// The entry that it reverses; null when it is no reversal.
    async fn reverses(&self, ctx: &Context<'_>) -> Result<Option<JournalEntry>, Error> {
        match self.model.reverses_id {
            Some(id) => Self::load(ctx, id).await,
            None => Ok(None),
        }
    }

    /// The entry that reverses it; null while it stands.
    async fn reversed_by(&self, ctx: &Context<'_>) -> Result<Option<JournalEntry>, Error> {
        Ok(ctx.session()?.load::<Reversals>(self.model.id).await?.map(Self::new))
    }

    /// When it was posted; null for a draft.
    fn posted_at(&self) -> Option<DateTime<Utc>> {
        self.model.posted_at
    }

    /// Who posted it; null for a draft.
    fn posted_by(&self) -> Option<Actor> {
        self.model.posted_by.clone().map(Actor)
    }

    /// The partner's own reference, unique in the company.
    fn external_ref(&self) -> Option<&str> {
        self.model.external_ref.as_deref()
    }

    /// For `expectedVersion` of the next change.
    fn version(&self) -> i32 {
        self.model.version
    }

    /// When it was written.
    fn created_at(&self) -> DateTime<Utc> {
        self.model.created_at
    }

    /// Who wrote it.
    fn created_by(&self) -> Actor {
        Actor(self.model.created_by.clone())
    }

    /// What happened to it, newest first.
    #[graphql(directive = newest::apply(), directive = costs::apply(5))]
    async fn activity(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How many, at most 100.")] first: i32,
        #[graphql(desc = "Those before this one.")] after: Option<String>,
    ) -> Result<Connection<Activity>, Error> {
        feed(ctx, Some(self.model.id), first, after).await
    }
}
