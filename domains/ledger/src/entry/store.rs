//! How entries and their lines are read and written.

use chrono::NaiveDate;
use entity::ledger::{journal_entry, posting};
use kernel::{Kind, Tx};
use sea_orm::Value;
use serde_json::{Map, json};
use uuid::Uuid;

use super::{EntryKind, JournalKind, Line};
use crate::error::{Error, same_version};

/// The head of an entry, as a draft begins.
pub(crate) struct Head<'a> {
    pub kind: EntryKind,
    pub date: NaiveDate,
    pub label: &'a str,
    pub piece: Option<&'a (String, NaiveDate)>,
    pub source: Option<(&'a str, Uuid)>,
    pub reverses: Option<Uuid>,
    pub external_ref: Option<&'a str>,
}

/// To which journal.
pub(crate) enum ToJournal {
    /// The company's journal of a kind.
    Kind(JournalKind),
    /// This one.
    Id(Uuid),
}

/// Writes the head of a draft; `Error` when the journal is not known.
pub(crate) async fn insert(tx: &Tx, id: Uuid, journal: ToJournal, head: &Head<'_>) -> Result<(), Error> {
    let scope = tx.scope();
    let (column, wanted, unknown): (_, Value, _) = match journal {
        ToJournal::Kind(kind) => ("kind", kind.as_str().into(), Error::BooksNotOpen),
        ToJournal::Id(id) => ("id", id.into(), Error::NotFound(Kind::Journal, "journalId")),
    };
    let sql = format!(
        "INSERT INTO journal_entry (tenant_id, id, journal_id, kind, entry_date, label, piece_ref, piece_date,
             source_kind, source_id, reverses_id, external_ref, created_at, created_by, updated_at, updated_by)
         SELECT $1, $2, j.id, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $13, $14
         FROM journal j WHERE j.{column} = $3"
    );
    let written = tx
        .run(
            &sql,
            [
                scope.company().id.into(),
                id.into(),
                wanted,
                head.kind.as_str().into(),
                head.date.into(),
                head.label.into(),
                head.piece.map(|(reference, _)| reference.clone()).into(),
                head.piece.map(|(_, date)| *date).into(),
                head.source.map(|(kind, _)| kind.to_owned()).into(),
                head.source.map(|(_, id)| id).into(),
                head.reverses.into(),
                head.external_ref.map(str::to_owned).into(),
                scope.clock().now().into(),
                scope.actor().stored().into(),
            ],
        )
        .await?;
    if written == 1 { Ok(()) } else { Err(unknown) }
}

/// Writes all lines of an entry in one statement.
pub(crate) async fn insert_lines<'a>(
    tx: &Tx,
    entry: Uuid,
    label: &str,
    lines: impl Iterator<Item = &'a Line>,
) -> Result<(), Error> {
    let rows: Vec<serde_json::Value> = lines.zip(1_i32..).map(|(line, no)| row(line, no, label)).collect();
    if rows.is_empty() {
        return Ok(());
    }
    tx.run(
        "INSERT INTO posting (tenant_id, id, entry_id, line_no, account_id, debit_minor, credit_minor,
             foreign_currency, foreign_minor, foreign_rate, party_id, label, tax_code, tax_base_minor, analytic, due_on)
         SELECT $1, r.id, $2, r.no, r.account, greatest(r.amount, 0), greatest(-r.amount, 0),
             r.currency, r.foreign_minor, r.rate, r.party, r.label, r.tax, r.base, r.analytic, r.due
         FROM jsonb_to_recordset($3) AS r(id uuid, no int, account uuid, amount bigint, currency text,
             foreign_minor bigint, rate numeric, party uuid, label text, tax text, base bigint, analytic jsonb, due date)",
        [tx.scope().company().id.into(), entry.into(), serde_json::Value::from(rows).into()],
    )
    .await?;
    Ok(())
}

fn row(line: &Line, no: i32, label: &str) -> serde_json::Value {
    let new = &line.new;
    let analytic: Map<String, serde_json::Value> =
        new.analytic.iter().map(|(name, value)| (name.clone(), value.as_str().into())).collect();
    json!({
        "id": line.id,
        "no": no,
        "account": line.account_id,
        "amount": new.amount_minor,
        "currency": new.foreign.map(|foreign| foreign.currency.code()),
        "foreign_minor": new.foreign.map(|foreign| foreign.minor),
        // As text: a JSON number may be read as a float on the way.
        "rate": new.foreign.map(|foreign| foreign.rate.to_string()),
        "party": new.party,
        "label": new.label.as_deref().unwrap_or(label),
        "tax": new.tax.as_ref().map(|(code, _)| code),
        "base": new.tax.as_ref().map(|(_, base)| base),
        "analytic": (!analytic.is_empty()).then_some(analytic),
        "due": new.due_on,
    })
}

/// Posts a draft: the trigger `posting_rule` checks it and gives the number.
pub(crate) async fn post(tx: &Tx, id: Uuid) -> Result<i32, Error> {
    let scope = tx.scope();
    let posted: Option<(i32,)> = tx
        .tuple(
            "UPDATE journal_entry SET state = 'posted', posted_at = $2, posted_by = $3, version = version + 1,
                 updated_at = $2, updated_by = $3
             WHERE id = $1 RETURNING number",
            [id.into(), scope.clock().now().into(), scope.actor().stored().into()],
        )
        .await?;
    posted.map(|(number,)| number).ok_or(Error::NotFound(Kind::JournalEntry, "id"))
}

/// Loads and locks an entry.
pub(super) async fn load(tx: &Tx, id: Uuid) -> Result<journal_entry::Model, Error> {
    let found = tx.one("SELECT * FROM journal_entry WHERE id = $1 FOR UPDATE", [id.into()]).await?;
    found.ok_or(Error::NotFound(Kind::JournalEntry, "id"))
}

/// Loads and locks a draft of the version that the client had.
pub(super) async fn load_draft(tx: &Tx, id: Uuid, expected: i32) -> Result<journal_entry::Model, Error> {
    let found = load(tx, id).await?;
    if found.state == super::EntryState::Posted.as_str() {
        return Err(Error::EntryPosted);
    }
    same_version(expected, found.version)?;
    Ok(found)
}

/// Writes the head of a draft anew; its version grows.
pub(super) async fn update(tx: &Tx, id: Uuid, journal: Uuid, head: &Head<'_>) -> Result<(), Error> {
    let scope = tx.scope();
    let written = tx
        .run(
            "UPDATE journal_entry e SET journal_id = j.id, entry_date = $3, label = $4, piece_ref = $5, piece_date = $6,
                 external_ref = $7, version = e.version + 1, updated_at = $8, updated_by = $9
             FROM journal j WHERE e.id = $1 AND j.id = $2",
            [
                id.into(),
                journal.into(),
                head.date.into(),
                head.label.into(),
                head.piece.map(|(reference, _)| reference.clone()).into(),
                head.piece.map(|(_, date)| *date).into(),
                head.external_ref.map(str::to_owned).into(),
                scope.clock().now().into(),
                scope.actor().stored().into(),
            ],
        )
        .await?;
    if written == 1 { Ok(()) } else { Err(Error::NotFound(Kind::Journal, "journalId")) }
}

/// Deletes the lines of a draft.
pub(super) async fn delete_lines(tx: &Tx, entry: Uuid) -> Result<(), Error> {
    tx.run("DELETE FROM posting WHERE entry_id = $1", [entry.into()]).await?;
    Ok(())
}

/// Deletes a draft whose lines are gone.
pub(super) async fn delete(tx: &Tx, id: Uuid) -> Result<(), Error> {
    tx.run("DELETE FROM journal_entry WHERE id = $1", [id.into()]).await?;
    Ok(())
}

/// The lines of entries, by entry and line number.
pub(super) async fn lines_of(tx: &Tx, entries: &[Uuid]) -> Result<Vec<posting::Model>, Error> {
    let sql = "SELECT * FROM posting WHERE entry_id = ANY($1) ORDER BY entry_id, line_no";
    Ok(tx.all(sql, [entries.to_vec().into()]).await?)
}
