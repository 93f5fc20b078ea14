//! What users do with entries: draft, change, discard, post, reverse, and read.

use chrono::NaiveDate;
use entity::ledger::{journal_entry, posting};
use kernel::page::{Cursor, Page, Slice};
use kernel::{Kind, NewEvent, Permission, Tx};
use sea_orm::{ColumnTrait, PaginatorTrait, QueryFilter, Select};
use uuid::Uuid;

use super::store::{self, Head, ToJournal};
use super::{AccountRef, EntryKind, EntryState, NewLine, post};
use crate::error::{Error, same_version};
use crate::listing;

/// A draft to write. It need not balance before it is posted.
#[derive(Clone, Debug)]
pub struct Draft {
    /// To which journal.
    pub journal: Uuid,
    /// The accounting date.
    pub date: NaiveDate,
    /// What it is about.
    pub label: String,
    /// The document's reference and date (pièce justificative).
    pub piece: Option<(String, NaiveDate)>,
    /// Its lines, in order; none may be zero.
    pub lines: Vec<NewLine>,
    /// The partner's own reference, unique in the company.
    pub external_ref: Option<String>,
}

impl Draft {
    fn head(&self) -> Head<'_> {
        Head {
            kind: EntryKind::Normal,
            date: self.date,
            label: &self.label,
            piece: self.piece.as_ref(),
            source: None,
            reverses: None,
            external_ref: self.external_ref.as_deref(),
        }
    }

    fn check(&self) -> Result<(), Error> {
        if let Some(reference) = &self.external_ref {
            crate::account::check_text("externalRef", reference, 200)?;
        }
        super::check_shape(&self.label, self.piece.as_ref(), &self.lines)
    }
}

async fn write_lines(tx: &Tx, id: Uuid, draft: &Draft) -> Result<(), Error> {
    let accounts = post::accounts_of(tx, &draft.lines).await?;
    let lines = super::resolve(draft.lines.clone(), &accounts, tx.scope().company().mode)?;
    store::insert_lines(tx, id, &draft.label, lines.iter().map(|(line, _)| line)).await
}

/// Writes a draft. Needs `ledger.draft`.
pub async fn create_draft(tx: &Tx, draft: &Draft) -> Result<Uuid, Error> {
    tx.scope().require(Permission::LedgerDraft)?;
    draft.check()?;
    let id = tx.new_id();
    store::insert(tx, id, ToJournal::Id(draft.journal), &draft.head()).await?;
    write_lines(tx, id, draft).await?;
    NewEvent::new("journal_entry.drafted", Kind::JournalEntry, id)
        .fact("date", draft.date)
        .fact("lines", draft.lines.len())
        .append(tx)
        .await?;
    Ok(id)
}

/// Writes a draft anew, all of it. Needs `ledger.draft`.
pub async fn update_draft(tx: &Tx, id: Uuid, expected_version: i32, draft: &Draft) -> Result<Uuid, Error> {
    tx.scope().require(Permission::LedgerDraft)?;
    draft.check()?;
    let before = store::load_draft(tx, id, expected_version).await?;
    store::update(tx, id, draft.journal, &draft.head()).await?;
    store::delete_lines(tx, id).await?;
    write_lines(tx, id, draft).await?;
    NewEvent::new("journal_entry.redrafted", Kind::JournalEntry, id)
        .changed("date", &before.entry_date, &draft.date)
        .fact("lines", draft.lines.len())
        .append(tx)
        .await?;
    Ok(id)
}

/// Deletes a draft, which never had a number. Needs `ledger.draft`.
pub async fn discard_draft(tx: &Tx, id: Uuid, expected_version: i32) -> Result<Uuid, Error> {
    tx.scope().require(Permission::LedgerDraft)?;
    store::load_draft(tx, id, expected_version).await?;
    store::delete_lines(tx, id).await?;
    store::delete(tx, id).await?;
    NewEvent::new("journal_entry.discarded", Kind::JournalEntry, id).append(tx).await?;
    Ok(id)
}

/// Posts a draft, for good, whose day has come. Needs `ledger.post`.
pub async fn post(tx: &Tx, id: Uuid, expected_version: i32) -> Result<Uuid, Error> {
    tx.scope().require(Permission::LedgerPost)?;
    let draft = store::load_draft(tx, id, expected_version).await?;
    post::not_in_future(tx, draft.entry_date)?;
    let lines: Vec<NewLine> = store::lines_of(tx, &[id]).await?.iter().map(as_written).collect();
    let accounts = post::accounts_of(tx, &lines).await?;
    let lines = super::resolve(lines, &accounts, tx.scope().company().mode)?;
    super::check_postable(EntryKind::Normal, &lines, tx.scope().company().currency)?;
    let number = store::post(tx, id).await?;
    post::posted_event(id, draft.source_id, number, draft.entry_date).append(tx).await?;
    Ok(id)
}

/// What a stored line says of its account, side and party: all that the posting rule asks.
fn as_written(line: &posting::Model) -> NewLine {
    let amount_minor = line.debit_minor - line.credit_minor;
    NewLine { party: line.party_id, ..NewLine::new(AccountRef::Id(line.account_id), amount_minor) }
}

/// Reverses a posted entry, on a day up to today; the reversal's id. What an invoice, a bill or a payment has posted
/// is corrected there. Needs `ledger.post`.
pub async fn reverse(
    tx: &Tx,
    id: Uuid,
    expected_version: i32,
    on: NaiveDate,
    label: &str,
) -> Result<Uuid, Error> {
    tx.scope().require(Permission::LedgerPost)?;
    let entry = store::load(tx, id).await?;
    same_version(expected_version, entry.version)?;
    if entry.source_id.is_some() {
        return Err(Error::NotReversible(
            "the entry comes from another record: correct that (credit note, bounced payment), and the ledger follows",
        ));
    }
    post::not_in_future(tx, on)?;
    Ok(super::reverse_in(tx, id, on, label).await?.id)
}

/// One entry. Needs `ledger.read`.
pub async fn get(tx: &Tx, id: Uuid) -> Result<journal_entry::Model, Error> {
    by_ids(tx, &[id]).await?.pop().ok_or(Error::NotFound(Kind::JournalEntry, "id"))
}

/// The entries of these ids; unknown ones are left out. Needs `ledger.read`.
pub async fn by_ids(tx: &Tx, ids: &[Uuid]) -> Result<Vec<journal_entry::Model>, Error> {
    tx.scope().require(Permission::LedgerRead)?;
    Ok(tx.all("SELECT * FROM journal_entry WHERE id = ANY($1)", [ids.to_vec().into()]).await?)
}

/// The lines of entries, by entry and line number. Needs `ledger.read`.
pub async fn lines_of(tx: &Tx, entries: &[Uuid]) -> Result<Vec<posting::Model>, Error> {
    tx.scope().require(Permission::LedgerRead)?;
    store::lines_of(tx, entries).await
}

/// The lines of these ids; unknown ones are left out. Needs `ledger.read`.
pub async fn lines_by_ids(tx: &Tx, ids: &[Uuid]) -> Result<Vec<posting::Model>, Error> {
    tx.scope().require(Permission::LedgerRead)?;
    Ok(tx.all("SELECT * FROM posting WHERE id = ANY($1)", [ids.to_vec().into()]).await?)
}

/// The entries that reverse these. Needs `ledger.read`.
pub async fn reversals_of(tx: &Tx, entries: &[Uuid]) -> Result<Vec<journal_entry::Model>, Error> {
    tx.scope().require(Permission::LedgerRead)?;
    reversals_in(tx, entries).await
}

pub(super) async fn reversals_in(tx: &Tx, entries: &[Uuid]) -> Result<Vec<journal_entry::Model>, Error> {
    Ok(tx.all("SELECT * FROM journal_entry WHERE reverses_id = ANY($1)", [entries.to_vec().into()]).await?)
}

/// The entries that come from these things (invoices, bills, payments), oldest first. Needs `ledger.read`.
pub async fn of_sources(tx: &Tx, sources: &[Uuid]) -> Result<Vec<journal_entry::Model>, Error> {
    tx.scope().require(Permission::LedgerRead)?;
    let sql = "SELECT * FROM journal_entry WHERE source_id = ANY($1) ORDER BY id";
    Ok(tx.all(sql, [sources.to_vec().into()]).await?)
}

/// How a list of entries is sorted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Sort {
    /// The latest written first.
    #[default]
    Newest,
    /// The latest accounting date first.
    Date,
}

/// Which entries are listed; everything by default.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    /// Of one journal.
    pub journal: Option<Uuid>,
    /// Of one state.
    pub state: Option<EntryState>,
    /// Of one kind.
    pub kind: Option<EntryKind>,
    /// Dated from this day.
    pub from: Option<NaiveDate>,
    /// Dated to this day.
    pub to: Option<NaiveDate>,
    /// That come from this thing.
    pub source: Option<Uuid>,
}

fn filtered(tx: &Tx, filter: &Filter) -> Select<journal_entry::Entity> {
    use journal_entry::Column;
    let mut query = tx.find(journal_entry::Entity);
    let texts = [
        (Column::State, filter.state.map(EntryState::as_str)),
        (Column::Kind, filter.kind.map(EntryKind::as_str)),
    ];
    for (column, text) in texts {
        if let Some(text) = text {
            query = query.filter(column.eq(text));
        }
    }
    for (column, id) in [(Column::JournalId, filter.journal), (Column::SourceId, filter.source)] {
        if let Some(id) = id {
            query = query.filter(column.eq(id));
        }
    }
    if let Some(from) = filter.from {
        query = query.filter(Column::EntryDate.gte(from));
    }
    if let Some(to) = filter.to {
        query = query.filter(Column::EntryDate.lte(to));
    }
    query
}

/// A page of entries. Needs `ledger.read`.
pub async fn list(
    tx: &Tx,
    filter: &Filter,
    sort: Sort,
    slice: &Slice,
) -> Result<Page<journal_entry::Model>, Error> {
    tx.scope().require(Permission::LedgerRead)?;
    let sorting = listing::Sorting {
        key: (sort == Sort::Date).then_some(journal_entry::Column::EntryDate),
        id: journal_entry::Column::Id,
        descending: true,
    };
    Ok(listing::page(tx, filtered(tx, filter), &sorting, slice, listing::day).await?)
}

/// How many entries the filter lets through. Needs `ledger.read`.
pub async fn count(tx: &Tx, filter: &Filter) -> Result<u64, Error> {
    tx.scope().require(Permission::LedgerRead)?;
    Ok(filtered(tx, filter).count(tx).await?)
}

/// Where an entry stands in a list of this sort.
pub fn cursor(entry: &journal_entry::Model, sort: Sort) -> Cursor {
    let key = match sort {
        Sort::Newest => String::new(),
        Sort::Date => entry.entry_date.to_string(),
    };
    Cursor { key, id: entry.id }
}
