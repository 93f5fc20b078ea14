//! What one does with payments and credit notes.
//!
//! Locks: the payment's row, then invoices by id, then bills by id; what the ledger locks comes after.

use std::collections::HashMap;

use chrono::NaiveDate;
use entity::invoicing::{allocation, payment};
use kernel::page::{Page, Slice};
use kernel::{Currency, Fault, Kind, NewEvent, Permission, Tx};
use ledger::account::Role;
use ledger::entry::{AccountRef, Foreign, JournalKind, NewEntry, NewLine};
use rust_decimal::Decimal;
use uuid::Uuid;

use super::document::{self, Piece, What};
use super::settle::Fields;
use super::store::{self, By, NEWEST, Recorded};
use super::{
    Direction, Filter, NewPayment, Side, State, Target, at, books, check_allocations, settle, side_of,
};
use crate::error::Error;
use crate::{listing, text};

/// Records a payment, posts it to the bank journal and allocates it. What is not allocated stays on account.
/// The payment's id.
pub async fn record(tx: &Tx, new: NewPayment) -> Result<Uuid, Error> {
    let scope = tx.scope();
    scope.require(Permission::PaymentsWrite)?;
    let base_minor = new.check(scope.company().currency, scope.today())?;
    let reference = text::optional("reference", new.reference.as_deref(), 200)?;
    let external_ref = text::optional("externalRef", new.external_ref.as_deref(), 200)?;
    let roles = store::party_roles(tx, new.party_id).await?;
    let (customer, supplier) = roles.ok_or(Error::NotFound(Kind::Party, "partyId"))?;
    let side = side_of(new.direction, &new.allocations, customer, supplier);
    let wanted: Vec<What> = new.allocations.iter().map(|(target, _)| (*target).into()).collect();
    let mut targets = document::lock(tx, &wanted).await?;
    let id = tx.new_id();
    let entry = bank_entry(tx, &new, id, side, base_minor, reference.as_deref())?;
    let (posted, _) = books::post(tx, entry).await?;
    let entry_id = posted.id;
    let recorded = Recorded { id, side, base_minor, reference, external_ref, entry_id };
    let row = store::insert(tx, &new, recorded).await?;
    NewEvent::new("payment.recorded", Kind::Payment, id)
        .fact("direction", &row.direction)
        .fact("party", kernel::id::encode(Kind::Party, row.party_id))
        .fact("paidOn", row.paid_on)
        .fact("currency", &row.currency)
        .fact("amountMinor", row.amount_minor)
        .fact("baseMinor", row.base_minor)
        .fact("method", &row.method)
        .changed_personal("reference", None, row.reference.as_deref())
        .append(tx)
        .await?;
    let mut source = document::of_payment(tx, &row).await?;
    settle_all(tx, &mut source, &mut targets, &new.allocations).await?;
    Ok(id)
}

/// Allocates what is on account of a payment. What follows from it is posted on the payment's date, or the
/// document's, if that is later. The ids of the allocations, in the order given.
pub async fn allocate(tx: &Tx, payment_id: Uuid, allocations: &[(Target, i64)]) -> Result<Vec<Uuid>, Error> {
    tx.scope().require(Permission::PaymentsWrite)?;
    check_allocations(allocations)?;
    if allocations.is_empty() {
        return Err(Error::invalid("allocations", "there is none: name a document and an amount"));
    }
    let row = store::lock(tx, payment_id).await?.ok_or(Error::NotFound(Kind::Payment, "paymentId"))?;
    let mut source = document::of_payment(tx, &row).await?;
    let wanted: Vec<What> = allocations.iter().map(|(target, _)| (*target).into()).collect();
    let mut targets = document::lock(tx, &wanted).await?;
    settle_all(tx, &mut source, &mut targets, allocations).await
}

/// Undoes an allocation of a payment or of a credit note: what it settled is open again, its tax waits again.
/// Posted today. The id of the opposite allocation.
pub async fn deallocate(tx: &Tx, allocation_id: Uuid) -> Result<Uuid, Error> {
    let scope = tx.scope();
    scope.require(Permission::PaymentsWrite)?;
    let unknown = Error::NotFound(Kind::Allocation, "allocationId");
    let row = store::allocation(tx, allocation_id).await?.ok_or(unknown)?;
    if row.reverses_id.is_some() {
        return Err(Error::AlreadyUndone);
    }
    let (mut source, mut target) = lock_both(tx, &row).await?;
    if store::is_undone(tx, row.id).await? {
        return Err(Error::AlreadyUndone);
    }
    settle::unletter(tx, &row).await?;
    settle::undo(tx, &row, &mut source, &mut target, scope.today()).await
}

/// Takes back a payment that the bank has taken back on that day: undoes its allocations, so that what they
/// settled is open again, and posts the reversal. Once and for good.
pub async fn bounce(tx: &Tx, payment_id: Uuid, on: NaiveDate, reason: &str) -> Result<(), Error> {
    tx.scope().require(Permission::PaymentsWrite)?;
    if on > tx.scope().today() {
        return Err(Error::invalid("on", "this day has not come: choose today or earlier"));
    }
    let reason = text::required("reason", reason, 500)?;
    let row = store::lock(tx, payment_id).await?.ok_or(Error::NotFound(Kind::Payment, "paymentId"))?;
    if State::stored(&row.state)? == State::Bounced {
        return Err(Error::AlreadyBounced);
    }
    if on < row.paid_on {
        return Err(Error::invalid("on", format!("not before it was paid, on {}", row.paid_on)));
    }
    let mut source = document::of_payment(tx, &row).await?;
    let standing = store::standing(tx, By::Payment, &[row.id]).await?;
    let wanted = standing.iter().map(What::target_of).collect::<Result<Vec<_>, _>>()?;
    let mut targets = document::lock(tx, &wanted).await?;
    for allocation in &standing {
        settle::unletter(tx, allocation).await?;
    }
    // The bank journal comes first, as in `record`: two transactions then lock the journals in one order. The
    // reversal letters what is open of the payment's own line, and that is all of it by now.
    let label = if tx.scope().company().locale == "fr" { "Rejet de paiement" } else { "Payment bounced" };
    let reversal = books::reverse(tx, row.entry_id, on.max(source.posting()?.on), label).await?;
    for allocation in &standing {
        let what = What::target_of(allocation)?;
        let target = targets.get_mut(&what).ok_or_else(|| lost(what))?;
        settle::undo(tx, allocation, &mut source, target, on).await?;
    }
    store::set_bounced(tx, row.id, on, reason.clone(), reversal).await?;
    NewEvent::new("payment.bounced", Kind::Payment, row.id)
        .fact("on", on)
        .changed("state", State::Recorded.as_str(), State::Bounced.as_str())
        .changed_personal("reason", None, Some(&reason))
        .append(tx)
        .await?;
    Ok(())
}

/// Sets an issued credit note against an invoice of the same customer and currency. What follows from it is posted
/// on the later date of the two. The allocation's id.
pub async fn credit(
    tx: &Tx,
    credit_note_id: Uuid,
    invoice_id: Uuid,
    amount_minor: i64,
) -> Result<Uuid, Error> {
    tx.scope().require(Permission::PaymentsWrite)?;
    credit_in(tx, credit_note_id, invoice_id, amount_minor).await
}

/// The same within another use case, which has required its own permission.
pub async fn credit_in(
    tx: &Tx,
    credit_note_id: Uuid,
    invoice_id: Uuid,
    amount_minor: i64,
) -> Result<Uuid, Error> {
    set_against(tx, What::Invoice(credit_note_id), What::Invoice(invoice_id), amount_minor).await
}

/// Sets a posted supplier credit note against a bill of the same supplier and currency. The allocation's id.
pub async fn bill_credit(
    tx: &Tx,
    credit_note_id: Uuid,
    bill_id: Uuid,
    amount_minor: i64,
) -> Result<Uuid, Error> {
    tx.scope().require(Permission::PaymentsWrite)?;
    set_against(tx, What::Bill(credit_note_id), What::Bill(bill_id), amount_minor).await
}

/// One payment.
pub async fn get(tx: &Tx, id: Uuid) -> Result<payment::Model, Error> {
    let found = by_ids(tx, &[id]).await?;
    found.into_iter().next().ok_or(Error::NotFound(Kind::Payment, "id"))
}

/// The payments of these ids; unknown ones are missing.
pub async fn by_ids(tx: &Tx, ids: &[Uuid]) -> Result<Vec<payment::Model>, Error> {
    tx.scope().require(Permission::PaymentsRead)?;
    Ok(store::by_ids(tx, ids).await?)
}

/// Payments, the newest first.
pub async fn list(tx: &Tx, filter: &Filter, slice: &Slice) -> Result<Page<payment::Model>, Error> {
    tx.scope().require(Permission::PaymentsRead)?;
    listing::page(tx, store::select(tx, filter), &NEWEST, slice).await
}

/// How many payments there are.
pub async fn count(tx: &Tx, filter: &Filter) -> Result<u64, Error> {
    tx.scope().require(Permission::PaymentsRead)?;
    listing::count(tx, store::select(tx, filter), NEWEST.id).await
}

/// One allocation, whether it stands or not.
pub async fn allocation(tx: &Tx, id: Uuid) -> Result<allocation::Model, Error> {
    tx.scope().require(Permission::PaymentsRead)?;
    store::allocation(tx, id).await?.ok_or(Error::NotFound(Kind::Allocation, "id"))
}

/// The standing allocations of payments, oldest first; those that were undone are left out.
pub async fn allocations_of_payments(tx: &Tx, ids: &[Uuid]) -> Result<Vec<allocation::Model>, Error> {
    tx.scope().require(Permission::PaymentsRead)?;
    Ok(store::standing(tx, By::Payment, ids).await?)
}

/// The standing allocations to invoices, and to and from customer credit notes, oldest first.
pub async fn allocations_of_invoices(tx: &Tx, ids: &[Uuid]) -> Result<Vec<allocation::Model>, Error> {
    tx.scope().require(Permission::PaymentsRead)?;
    Ok(store::standing(tx, By::Invoice, ids).await?)
}

/// The standing allocations to bills, and to and from supplier credit notes, oldest first.
pub async fn allocations_of_bills(tx: &Tx, ids: &[Uuid]) -> Result<Vec<allocation::Model>, Error> {
    tx.scope().require(Permission::PaymentsRead)?;
    Ok(store::standing(tx, By::Bill, ids).await?)
}

/// The currency of a payment, for who reads amounts of it. It never changes. Needs no permission of its own.
pub async fn currency_in(tx: &Tx, payment_id: Uuid) -> Result<Currency, Error> {
    let code = store::currency(tx, payment_id).await?.ok_or(Error::NotFound(Kind::Payment, "paymentId"))?;
    Ok(document::currency(&code)?)
}

/// The currency of a document that can be settled. It does not change once that is issued or posted. Needs no
/// permission of its own.
pub async fn target_currency_in(tx: &Tx, target: Target) -> Result<Currency, Error> {
    let unknown = Error::NotFound(What::from(target).kind(), "documentId");
    let code = store::currency_of_target(tx, target).await?.ok_or(unknown)?;
    Ok(document::currency(&code)?)
}

async fn settle_all(
    tx: &Tx,
    source: &mut Piece,
    targets: &mut HashMap<What, Piece>,
    allocations: &[(Target, i64)],
) -> Result<Vec<Uuid>, Error> {
    let mut ids = Vec::with_capacity(allocations.len());
    for (index, (target, amount)) in allocations.iter().enumerate() {
        let what = What::from(*target);
        let unknown = || Error::NotFoundAt(what.kind(), at(index, "documentId").into());
        let target = targets.get_mut(&what).ok_or_else(unknown)?;
        settle::check(source, target, *amount, Fields::at(index))?;
        ids.push(settle::settle(tx, source, target, *amount).await?);
    }
    Ok(ids)
}

async fn set_against(tx: &Tx, note: What, document: What, amount_minor: i64) -> Result<Uuid, Error> {
    if amount_minor <= 0 {
        return Err(Error::invalid("amount", "what is set against it is more than zero"));
    }
    if note == document {
        return Err(Error::WrongDirection { field: "documentId".into() });
    }
    let mut pieces = document::lock(tx, &[note, document]).await?;
    let mut take = |what: What, field| pieces.remove(&what).ok_or(Error::NotFound(what.kind(), field));
    let (mut source, mut target) = (take(note, "creditNoteId")?, take(document, "documentId")?);
    settle::check(&source, &target, amount_minor, Fields::CREDIT)?;
    settle::settle(tx, &mut source, &mut target, amount_minor).await
}

/// The two pieces of an allocation, locked.
async fn lock_both(tx: &Tx, row: &allocation::Model) -> Result<(Piece, Piece), Error> {
    let (source, target) = (What::source_of(row)?, What::target_of(row)?);
    let payment = match source {
        What::Payment(id) => Some(store::lock(tx, id).await?.ok_or_else(|| lost(source))?),
        What::Invoice(_) | What::Bill(_) => None,
    };
    let mut pieces = document::lock(tx, &[source, target]).await?;
    let target = pieces.remove(&target).ok_or_else(|| lost(target))?;
    let source = match payment {
        Some(row) => document::of_payment(tx, &row).await?,
        None => pieces.remove(&source).ok_or_else(|| lost(source))?,
    };
    Ok((source, target))
}

fn lost(what: What) -> Fault {
    Fault::Corrupt(format!("an allocation names {}, which is not there", what.public()))
}

/// The entry of a payment: bank against the party's account.
fn bank_entry(
    tx: &Tx,
    new: &NewPayment,
    id: Uuid,
    side: Side,
    base_minor: i64,
    reference: Option<&str>,
) -> Result<NewEntry, Error> {
    let company = tx.scope().company();
    let sign = if new.direction == Direction::Received { 1 } else { -1 };
    let account = if side == Side::Customer { Role::Receivable } else { Role::Payable };
    let foreign = if new.currency == company.currency {
        None
    } else {
        let rate =
            company.currency.from_minor(base_minor).checked_div(new.currency.from_minor(new.amount_minor));
        let rate = rate.filter(|rate| *rate > Decimal::ZERO).ok_or_else(|| Error::too_large("baseAmount"))?;
        Some(Foreign { currency: new.currency, minor: -sign * new.amount_minor, rate })
    };
    let party = NewLine {
        party: Some(new.party_id),
        foreign,
        due_on: Some(new.paid_on),
        ..NewLine::new(AccountRef::Role(account), -sign * base_minor)
    };
    let label = match (company.locale.as_str(), new.direction) {
        ("fr", Direction::Received) => "Encaissement",
        ("fr", Direction::Made) => "Règlement",
        (_, Direction::Received) => "Payment received",
        (_, Direction::Made) => "Payment made",
    };
    Ok(NewEntry {
        journal: JournalKind::Bank,
        date: new.paid_on,
        label: label.to_owned(),
        piece: reference.map(|reference| (reference.to_owned(), new.paid_on)),
        source: Some((Kind::Payment, id)),
        lines: vec![NewLine::new(AccountRef::Role(Role::Bank), sign * base_minor), party],
    })
}
