//! Posting and reversing, for the domains above: in the caller's transaction, no permission of their own.
//!
//! Five statements: accounts, head, lines, posting, event. The number's row is locked by the fourth and stays
//! locked until the caller commits, so callers post last.

use chrono::NaiveDate;
use entity::ledger::posting;
use kernel::{Currency, Fault, Kind, NewEvent, Tx};
use uuid::Uuid;

use super::store::{self, Head, ToJournal};
use super::{AccountRef, EntryKind, EntryState, Foreign, JournalKind, Line, NewEntry, NewLine, Posted};
use crate::account::{Known, Role, known};
use crate::error::Error;
use crate::matching;

/// Writes and posts an entry in the caller's transaction. Needs no permission of its own: the caller's domain
/// has required one. Refuses what does not balance, a period that is not open, an unknown or closed account, and
/// a date before the last one of the journal in this year (`DATE_BEFORE_LAST`).
pub async fn post_in(tx: &Tx, entry: NewEntry) -> Result<Posted, Error> {
    write_and_post(tx, entry, EntryKind::Normal).await
}

/// Refuses a day that has not come yet, by the company's calendar.
pub(super) fn not_in_future(tx: &Tx, day: NaiveDate) -> Result<(), Error> {
    if day > tx.scope().today() { Err(Error::DateInFuture(day)) } else { Ok(()) }
}

/// The first day from `wanted` up to today that the journal takes: in an open period, and not before what it has
/// posted. A journal that is ahead of today, and periods that are all locked, are refusals, as posting would tell.
/// Nothing is locked: who posts on that day may still meet `DATE_BEFORE_LAST`, and asks again.
pub async fn first_day_in(tx: &Tx, journal: JournalKind, wanted: NaiveDate) -> Result<NaiveDate, Error> {
    not_in_future(tx, wanted)?;
    let today = tx.scope().today();
    let found: Option<(NaiveDate, Option<NaiveDate>)> = tx
        .tuple(
            "SELECT greatest($2, p.first_day, coalesce(s.last_date, p.first_day)), s.last_date
             FROM period p JOIN journal j ON j.kind = $1
             LEFT JOIN journal_series s ON s.journal_id = j.id AND s.fiscal_year_id = p.fiscal_year_id
             WHERE p.state = 'open' AND p.last_day >= greatest($2, coalesce(s.last_date, $2))
             ORDER BY p.first_day LIMIT 1",
            [journal.as_str().into(), wanted.into()],
        )
        .await?;
    match found {
        Some((day, _)) if day <= today => Ok(day),
        Some((_, Some(last))) if last > today => Err(Error::DateBeforeLast(
            format!("the journal has already posted on {last}, and takes no earlier date").into(),
        )),
        _ => Err(Error::PeriodNotOpen(
            format!("no period from {wanted} to {today} is open: reopen one, or open the next fiscal year")
                .into(),
        )),
    }
}

/// The accounts that lines name.
pub(super) async fn accounts_of(tx: &Tx, lines: &[NewLine]) -> Result<Vec<Known>, Error> {
    let (mut ids, mut roles): (Vec<Uuid>, Vec<Role>) = (Vec::new(), Vec::new());
    for line in lines {
        match line.account {
            AccountRef::Id(id) => ids.push(id),
            AccountRef::Role(role) => roles.push(role),
        }
    }
    known(tx, ids, &roles).await
}

/// Writes and posts an entry of any kind but a reversal.
pub(crate) async fn write_and_post(tx: &Tx, entry: NewEntry, kind: EntryKind) -> Result<Posted, Error> {
    let kept: Vec<bool> = entry.lines.iter().map(|line| line.amount_minor != 0).collect();
    let lines: Vec<NewLine> = entry.lines.into_iter().filter(|line| line.amount_minor != 0).collect();
    super::check_shape(&entry.label, entry.piece.as_ref(), &lines)?;
    let accounts = accounts_of(tx, &lines).await?;
    let lines = super::resolve(lines, &accounts, tx.scope().company().mode)?;
    super::check_postable(kind, &lines, tx.scope().company().currency)?;
    let head = Head {
        kind,
        date: entry.date,
        label: &entry.label,
        piece: entry.piece.as_ref(),
        source: entry.source.map(|(kind, id)| (kind.prefix(), id)),
        reverses: None,
        external_ref: None,
    };
    let (id, number) =
        write(tx, ToJournal::Kind(entry.journal), &head, lines.iter().map(|(line, _)| line)).await?;
    let mut written = lines.iter().map(|(line, _)| line.id);
    let postings = kept.into_iter().map(|kept| if kept { written.next() } else { None }).collect();
    Ok(Posted { id, number, postings })
}

async fn write<'a>(
    tx: &Tx,
    journal: ToJournal,
    head: &Head<'_>,
    lines: impl Iterator<Item = &'a Line>,
) -> Result<(Uuid, i32), Error> {
    let id = tx.new_id();
    store::insert(tx, id, journal, head).await?;
    store::insert_lines(tx, id, head.label, lines).await?;
    let number = store::post(tx, id).await?;
    posted_event(id, head.source.map(|(_, source)| source), number, head.date).append(tx).await?;
    Ok((id, number))
}

/// The event of a posting; its case is the thing that the entry comes from, if there is one.
pub(super) fn posted_event(id: Uuid, source: Option<Uuid>, number: i32, date: NaiveDate) -> NewEvent {
    NewEvent::new("journal_entry.posted", Kind::JournalEntry, id)
        .case(source.unwrap_or(id))
        .fact("number", number)
        .fact("date", date)
}

/// Posts the reversal of a posted entry, linked both ways, in the caller's transaction. Its lines are in the order
/// of the original's. What is still open of receivable and payable lines (and of other reconcilable ones) is
/// matched with the reversal, so that neither stays as an open item; so undo matchings that shall not hold first.
pub async fn reverse_in(tx: &Tx, entry: Uuid, on: NaiveDate, label: &str) -> Result<Posted, Error> {
    let original = store::load(tx, entry).await?;
    if original.state != EntryState::Posted.as_str() {
        return Err(Error::EntryNotPosted);
    }
    match EntryKind::parse(&original.kind) {
        Some(EntryKind::Normal) => {}
        Some(EntryKind::Reversal) => {
            return Err(Error::NotReversible("a reversal is not reversed: post the entry anew"));
        }
        _ => return Err(Error::NotReversible("the closing of a fiscal year is final")),
    }
    if on < original.entry_date {
        let message = format!("the entry is of {}: a reversal is not dated before it", original.entry_date);
        return Err(Error::invalid("date", message));
    }
    if !super::service::reversals_in(tx, &[entry]).await?.is_empty() {
        return Err(Error::AlreadyReversed);
    }
    let before = store::lines_of(tx, &[entry]).await?;
    let lines = before.iter().map(opposite).collect::<Result<Vec<NewLine>, Error>>()?;
    super::check_shape(label, None, &lines)?;
    let accounts = known(tx, before.iter().map(|line| line.account_id).collect(), &[]).await?;
    let lines = super::resolve(lines, &accounts, tx.scope().company().mode)?;
    let piece = original.piece_ref.zip(original.piece_date);
    let head = Head {
        kind: EntryKind::Reversal,
        date: on,
        label,
        piece: piece.as_ref(),
        source: original.source_kind.as_deref().zip(original.source_id),
        reverses: Some(entry),
        external_ref: None,
    };
    let journal = reversal_journal(tx, original.journal_id, on).await?;
    let (id, number) = write(tx, journal, &head, lines.iter().map(|(line, _)| line)).await?;
    NewEvent::new("journal_entry.reversed", Kind::JournalEntry, entry)
        .case(original.source_id.unwrap_or(entry))
        .fact("by", kernel::id::encode(Kind::JournalEntry, id))
        .append(tx)
        .await?;
    for (old, (new, account)) in before.iter().zip(&lines) {
        if account.reconcilable {
            matching::match_open_in(tx, old.id, new.id, on).await?;
        }
    }
    Ok(Posted { id, number, postings: lines.iter().map(|(line, _)| Some(line.id)).collect() })
}

/// A reversal goes to the journal of its original; of a takeover entry in the opening journal, which takes first
/// days only, to the miscellaneous one.
async fn reversal_journal(tx: &Tx, journal: Uuid, on: NaiveDate) -> Result<ToJournal, Error> {
    let opening: Option<(bool,)> = tx
        .tuple(
            "SELECT j.kind = 'opening' AND NOT EXISTS (SELECT FROM fiscal_year WHERE first_day = $2)
             FROM journal j WHERE j.id = $1",
            [journal.into(), on.into()],
        )
        .await?;
    match opening {
        Some((true,)) => Ok(ToJournal::Kind(JournalKind::Miscellaneous)),
        _ => Ok(ToJournal::Id(journal)),
    }
}

/// The line that takes a posted one back.
fn opposite(line: &posting::Model) -> Result<NewLine, Error> {
    let foreign = match (&line.foreign_currency, line.foreign_minor, line.foreign_rate) {
        (Some(code), Some(minor), Some(rate)) => {
            let currency = Currency::parse(code).ok_or_else(|| {
                Error::Fault(Fault::Corrupt(format!("currency {code} of posting {}", line.id)))
            })?;
            Some(Foreign { currency, minor: -minor, rate })
        }
        _ => None,
    };
    let analytic = line.analytic.as_ref().and_then(|value| value.as_object()).into_iter().flatten();
    Ok(NewLine {
        account: AccountRef::Id(line.account_id),
        amount_minor: line.credit_minor - line.debit_minor,
        foreign,
        party: line.party_id,
        label: Some(line.label.clone()),
        tax: line.tax_code.clone().zip(line.tax_base_minor.map(|base| -base)),
        due_on: line.due_on,
        analytic: analytic
            .filter_map(|(name, value)| Some((name.clone(), value.as_str()?.to_owned())))
            .collect(),
    })
}
