//! What is done with matchings.

use chrono::NaiveDate;
use entity::ledger::{matching, posting};
use kernel::page::{Cursor, Page, Slice};
use kernel::{Kind, NewEvent, Permission, Tx};
use uuid::Uuid;

use crate::error::{Error, same_version};

/// SQL of what stays open of a posting `p`, in minor units, positive on both sides.
const OPEN: &str = "p.debit_minor + p.credit_minor - coalesce((SELECT sum(m.amount_minor)::bigint FROM matching m
    WHERE m.debit_posting_id = p.id AND m.undone_on IS NULL), 0) - coalesce((SELECT sum(m.amount_minor)::bigint
    FROM matching m WHERE m.credit_posting_id = p.id AND m.undone_on IS NULL), 0)";

/// Matches a debit line with a credit line, today, both of entries written by hand. Needs `ledger.post`.
pub async fn match_lines(tx: &Tx, debit: Uuid, credit: Uuid, amount_minor: i64) -> Result<Uuid, Error> {
    tx.scope().require(Permission::LedgerPost)?;
    written_by_hand(tx, [debit, credit]).await?;
    match_in(tx, debit, credit, amount_minor, tx.scope().today()).await
}

/// Undoes a matching of lines that were written by hand. Needs `ledger.post`.
pub async fn unmatch(tx: &Tx, id: Uuid, expected_version: i32) -> Result<Uuid, Error> {
    tx.scope().require(Permission::LedgerPost)?;
    let found = load(tx, id).await?;
    same_version(expected_version, found.version)?;
    written_by_hand(tx, [found.debit_posting_id, found.credit_posting_id]).await?;
    unmatch_in(tx, id).await?;
    Ok(id)
}

/// Refuses lines that a domain above has posted: it keeps what settles them, and would not learn of it. The entries of
/// a year's closing come from nowhere else; the trigger on `matching` speaks of them.
async fn written_by_hand(tx: &Tx, lines: [Uuid; 2]) -> Result<(), Error> {
    let sourced: Option<(bool,)> = tx
        .tuple(
            "SELECT EXISTS (SELECT FROM posting p JOIN journal_entry e ON e.id = p.entry_id
                 WHERE p.id = ANY($1) AND e.source_id IS NOT NULL AND e.kind NOT IN ('result', 'opening'))",
            [lines.to_vec().into()],
        )
        .await?;
    if sourced == Some((true,)) { Err(Error::NotMatchedByHand) } else { Ok(()) }
}

/// Matches a debit posting with a credit posting of the same account and party, for part or all of their open
/// amounts (company currency, minor units > 0), in the caller's transaction. The matching's id. It holds from `on`, or
/// from the first later day on which both lines were posted and no undone matching held them.
pub async fn match_in(
    tx: &Tx,
    debit: Uuid,
    credit: Uuid,
    amount_minor: i64,
    on: NaiveDate,
) -> Result<Uuid, Error> {
    if amount_minor <= 0 {
        return Err(Error::invalid("amount", "an amount above zero is matched"));
    }
    let scope = tx.scope();
    // Locked in the order of their ids before they are read: a concurrent matching of either waits.
    let lines: Vec<posting::Model> = tx
        .all(
            "SELECT * FROM posting WHERE id = ANY($1) ORDER BY id FOR NO KEY UPDATE",
            [vec![debit, credit].into()],
        )
        .await?;
    let line =
        |id: Uuid, field| lines.iter().find(|l| l.id == id).ok_or(Error::NotFound(Kind::Posting, field));
    let days = [line(debit, "debitPostingId")?.posted_on, line(credit, "creditPostingId")?.posted_on];
    let freed: Option<(Option<NaiveDate>,)> = tx
        .tuple(
            "SELECT max(undone_on) FROM matching WHERE debit_posting_id = $1 OR credit_posting_id = $2",
            [debit.into(), credit.into()],
        )
        .await?;
    let since = days.into_iter().chain(freed.map(|(day,)| day)).flatten().fold(on, NaiveDate::max);
    let id = tx.new_id();
    tx.run(
        "INSERT INTO matching (tenant_id, id, debit_posting_id, credit_posting_id, amount_minor, matched_on,
             created_at, created_by)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
        [
            scope.company().id.into(),
            id.into(),
            debit.into(),
            credit.into(),
            amount_minor.into(),
            since.into(),
            scope.clock().now().into(),
            scope.actor().stored().into(),
        ],
    )
    .await?;
    NewEvent::new("matching.made", Kind::Matching, id)
        .fact("debit", kernel::id::encode(Kind::Posting, debit))
        .fact("credit", kernel::id::encode(Kind::Posting, credit))
        .fact("amountMinor", amount_minor)
        .append(tx)
        .await?;
    Ok(id)
}

/// Matches all that is open of both lines, one of which is a debit; nothing when one of them has nothing open.
pub(crate) async fn match_open_in(tx: &Tx, one: Uuid, other: Uuid, on: NaiveDate) -> Result<(), Error> {
    let sql = format!(
        "SELECT p.id, p.debit_minor > 0, {OPEN} FROM posting p WHERE p.id = ANY($1) ORDER BY p.id FOR NO KEY UPDATE OF p"
    );
    let lines: Vec<(Uuid, bool, i64)> = tx.tuples(&sql, [vec![one, other].into()]).await?;
    let open = lines.iter().map(|(_, _, open)| *open).min().unwrap_or(0);
    let debit = lines.iter().find(|(_, debit, _)| *debit);
    let credit = lines.iter().find(|(_, debit, _)| !debit);
    if let (Some((debit, ..)), Some((credit, ..)), 1..) = (debit, credit, open) {
        match_in(tx, *debit, *credit, open, on).await?;
    }
    Ok(())
}

async fn load(tx: &Tx, id: Uuid) -> Result<matching::Model, Error> {
    let found = tx.one("SELECT * FROM matching WHERE id = $1 FOR NO KEY UPDATE", [id.into()]).await?;
    found.ok_or(Error::NotFound(Kind::Matching, "id"))
}

/// Undoes a matching as of today, in the caller's transaction.
pub async fn unmatch_in(tx: &Tx, matching: Uuid) -> Result<(), Error> {
    let scope = tx.scope();
    let found = load(tx, matching).await?;
    if found.undone_on.is_some() {
        return Err(Error::AlreadyUnmatched);
    }
    let on = scope.today().max(found.matched_on);
    tx.run(
        "UPDATE matching SET undone_on = $2, undone_at = $3, undone_by = $4, version = version + 1 WHERE id = $1",
        [matching.into(), on.into(), scope.clock().now().into(), scope.actor().stored().into()],
    )
    .await?;
    NewEvent::new("matching.undone", Kind::Matching, matching).append(tx).await?;
    Ok(())
}

/// The matchings of these ids; unknown ones are left out. Needs `ledger.read`.
pub async fn by_ids(tx: &Tx, ids: &[Uuid]) -> Result<Vec<matching::Model>, Error> {
    tx.scope().require(Permission::LedgerRead)?;
    Ok(tx.all("SELECT * FROM matching WHERE id = ANY($1)", [ids.to_vec().into()]).await?)
}

/// The matchings that hold, of these lines, oldest first. Needs `ledger.read`.
pub async fn of_postings(tx: &Tx, postings: &[Uuid]) -> Result<Vec<matching::Model>, Error> {
    tx.scope().require(Permission::LedgerRead)?;
    let sql = "SELECT * FROM matching WHERE undone_on IS NULL AND debit_posting_id = ANY($1)
               UNION SELECT * FROM matching WHERE undone_on IS NULL AND credit_posting_id = ANY($1) ORDER BY id";
    Ok(tx.all(sql, [postings.to_vec().into()]).await?)
}

/// What stays open of these lines, in minor units of the company's currency, positive on both sides. Drafts and
/// lines of accounts that are not reconcilable are left out. Needs `ledger.read`.
pub async fn open_of(tx: &Tx, postings: &[Uuid]) -> Result<Vec<(Uuid, i64)>, Error> {
    tx.scope().require(Permission::LedgerRead)?;
    let sql = format!(
        "SELECT p.id, {OPEN} FROM posting p JOIN account a ON a.id = p.account_id AND a.reconcilable
         WHERE p.id = ANY($1) AND p.posted_on IS NOT NULL"
    );
    Ok(tx.tuples(&sql, [postings.to_vec().into()]).await?)
}

/// The lines of a reconcilable account that are still open, for one party or for all, oldest first. Lines of
/// opening entries are left out: they repeat earlier ones. Needs `ledger.read`.
pub async fn open_lines(
    tx: &Tx,
    account: Uuid,
    party: Option<Uuid>,
    slice: &Slice,
) -> Result<Page<posting::Model>, Error> {
    tx.scope().require(Permission::LedgerRead)?;
    let known = crate::account::known(tx, vec![account], &[]).await?;
    if known.is_empty() {
        return Err(Error::NotFound(Kind::Account, "accountId"));
    }
    let (mut sql, mut values) = open_sql("p.*", account, party);
    for (cursor, sign) in [(&slice.after, '>'), (&slice.before, '<')] {
        let Some(cursor) = cursor else { continue };
        let Some(day) = crate::listing::day(&cursor.key) else {
            return Ok(Page::from_probe(slice, Vec::new()));
        };
        values.push(day);
        values.push(cursor.id.into());
        let (day, id) = (values.len() - 1, values.len());
        sql = format!("{sql} AND (p.posted_on, p.id) {sign} (${day}, ${id})");
    }
    values.push(i64::from(slice.limit + 1).into());
    let (order, limit) = (if slice.backward { "DESC" } else { "ASC" }, values.len());
    sql = format!("{sql} ORDER BY p.posted_on {order}, p.id {order} LIMIT ${limit}");
    Ok(Page::from_probe(slice, tx.all(&sql, values).await?))
}

/// How many lines of a reconcilable account are still open. Needs `ledger.read`.
pub async fn open_lines_count(tx: &Tx, account: Uuid, party: Option<Uuid>) -> Result<u64, Error> {
    tx.scope().require(Permission::LedgerRead)?;
    let (sql, values) = open_sql("count(*)", account, party);
    let count: Option<(i64,)> = tx.tuple(&sql, values).await?;
    Ok(count.map_or(0, |(count,)| count.unsigned_abs()))
}

/// SQL of the open lines of an account, and its values.
fn open_sql(columns: &str, account: Uuid, party: Option<Uuid>) -> (String, Vec<sea_orm::Value>) {
    let mut values: Vec<sea_orm::Value> = vec![account.into()];
    let mut sql = format!(
        "SELECT {columns} FROM posting p JOIN journal_entry e ON e.id = p.entry_id AND e.kind <> 'opening'
         WHERE p.account_id = $1 AND p.posted_on IS NOT NULL AND {OPEN} > 0"
    );
    if let Some(party) = party {
        values.push(party.into());
        sql.push_str(" AND p.party_id = $2");
    }
    (sql, values)
}

/// Where a line stands among the open ones, and in the general ledger.
pub fn cursor(line: &posting::Model) -> Cursor {
    Cursor { key: line.posted_on.map(|day| day.to_string()).unwrap_or_default(), id: line.id }
}
