//! What can be done with invoices.

use std::collections::HashMap;

use chrono::NaiveDate;
use entity::invoicing::{invoice, item, party, tax_code};
use kernel::{Currency, Kind, NewEvent, Permission, Tx};
use ledger::account::Role;
use uuid::Uuid;

use crate::catalog;
use crate::edit::Edit;
use crate::error::Error;
use crate::party::service::get_in as party_in;
use crate::step;

use super::line::{Income, Line, MOST_LINES, Totals, price};
use super::{DocumentKind, Head, InvoiceEdit, NewInvoice, NewLine, currency_of, issue, require_draft, store};

/// Creates a draft.
pub async fn create_draft(tx: &Tx, new: NewInvoice) -> Result<Uuid, Error> {
    tx.scope().require(Permission::InvoicingDraft)?;
    let customer = customer_in(tx, new.customer_id).await?;
    let head = Head {
        customer_id: customer.id,
        currency: currency_of(new.currency.as_deref().unwrap_or(&customer.currency))?,
        payment_days: new.payment_days.unwrap_or(customer.payment_days),
        end_of_month: new.end_of_month.unwrap_or(customer.end_of_month),
        delivery_date: new.delivery_date,
        buyer_reference: new.buyer_reference,
        order_reference: new.order_reference,
        note: new.note,
        external_ref: new.external_ref,
    };
    let head = head.checked()?;
    let lines = lines_in(tx, &new.lines, head.currency).await?;
    let totals = totals_of(&lines, head.currency)?;
    let draft = store::insert(tx, DocumentKind::Invoice, None, head, &lines, &totals).await?;
    step::take_in(tx, Kind::Invoice, draft.id, Some(draft.created_at), "created").await?;
    let event = NewEvent::new("invoice.drafted", Kind::Invoice, draft.id)
        .fact("customerId", kernel::id::encode(Kind::Party, draft.customer_id))
        .fact("currency", &draft.currency)
        .fact("lines", lines.len())
        .fact("totalMinor", draft.total_minor)
        .fact("externalRef", &draft.external_ref);
    personal_changes(event, None, &draft).append(tx).await?;
    Ok(draft.id)
}

/// Changes a draft. Its lines, when they are given, replace those it had.
pub async fn update_draft(tx: &Tx, id: Uuid, expected_version: i32, edit: InvoiceEdit) -> Result<(), Error> {
    tx.scope().require(Permission::InvoicingDraft)?;
    let before = draft_in(tx, id, expected_version, DocumentKind::Invoice).await?;
    let customer_id = match edit.customer_id {
        Edit::To(customer) if customer != before.customer_id => customer_in(tx, customer).await?.id,
        _ => before.customer_id,
    };
    let head = Head {
        customer_id,
        currency: currency_of(&edit.currency.or(before.currency.clone()))?,
        payment_days: edit.payment_days.or(before.payment_days),
        end_of_month: edit.end_of_month.or(before.end_of_month),
        delivery_date: edit.delivery_date.or(before.delivery_date),
        buyer_reference: edit.buyer_reference.or(before.buyer_reference.clone()),
        order_reference: edit.order_reference.or(before.order_reference.clone()),
        note: edit.note.or(before.note.clone()),
        external_ref: edit.external_ref.or(before.external_ref.clone()),
    };
    let head = head.checked()?;
    let lines = match edit.lines {
        Edit::To(lines) => Some(lines_in(tx, &lines, head.currency).await?),
        Edit::Keep if head.currency.code() != before.currency && before.net_minor != 0 => {
            return Err(Error::invalid("lines", "prices are in the old currency: give the lines anew"));
        }
        Edit::Keep => None,
    };
    let totals = match &lines {
        Some(lines) => totals_of(lines, head.currency)?,
        None => Totals { groups: Vec::new(), net_minor: before.net_minor, tax_minor: before.tax_minor },
    };
    let after = store::update(tx, &before, head, lines.as_deref(), &totals).await?;
    let mut event = NewEvent::new("invoice.updated", Kind::Invoice, id);
    if let Some(lines) = &lines {
        event = event.fact("lines", lines.len());
    }
    tell_changes(event, &before, &after).append(tx).await?;
    Ok(())
}

/// Gives up a draft of an invoice or credit note. It stays readable and is never issued.
pub async fn discard(tx: &Tx, id: Uuid, expected_version: i32) -> Result<(), Error> {
    tx.scope().require(Permission::InvoicingDraft)?;
    let before = store::lock(tx, &[id]).await?.pop().ok_or(Error::NotFound(Kind::Invoice, "id"))?;
    require_draft(&before, expected_version)?;
    store::discard(tx, id).await?;
    let kind = if before.corrects_id.is_some() { "credit_note.discarded" } else { "invoice.discarded" };
    NewEvent::new(kind, Kind::Invoice, id).case(before.corrects_id.unwrap_or(id)).append(tx).await?;
    Ok(())
}

/// Issues a draft of an invoice or credit note on a day, today when `None`: assigns the number, fixes content,
/// customer and due date, and posts the entry. A credit note is set against what its invoice has open; the rest
/// of it stays on account, to be refunded.
pub async fn issue(
    tx: &Tx,
    id: Uuid,
    expected_version: i32,
    issue_date: Option<NaiveDate>,
) -> Result<(), Error> {
    tx.scope().require(Permission::InvoicingIssue)?;
    issue::issue_in(tx, id, expected_version, issue_date).await
}

/// A customer that may be invoiced.
async fn customer_in(tx: &Tx, id: Uuid) -> Result<party::Model, Error> {
    let customer = party_in(tx, id, "customerId").await?;
    if customer.archived_at.is_some() {
        return Err(Error::Archived(Kind::Party, "customerId".into()));
    }
    if !customer.is_customer {
        return Err(Error::invalid(
            "customerId",
            "this party is not a customer: mark it as one, or choose another",
        ));
    }
    Ok(customer)
}

/// A locked draft of a kind.
pub(crate) async fn draft_in(
    tx: &Tx,
    id: Uuid,
    expected_version: i32,
    kind: DocumentKind,
) -> Result<invoice::Model, Error> {
    let draft = store::lock(tx, &[id]).await?.pop().ok_or(Error::NotFound(Kind::Invoice, "id"))?;
    if draft.kind != kind.as_str() {
        let message = match kind {
            DocumentKind::Invoice => "this is a credit note: change it as one",
            DocumentKind::CreditNote => "this is an invoice: change it as one",
        };
        return Err(Error::WrongState(message.into()));
    }
    require_draft(&draft, expected_version)?;
    Ok(draft)
}

fn totals_of(lines: &[Line], currency: Currency) -> Result<Totals, Error> {
    let taxed: Vec<_> = lines.iter().map(Line::taxed).collect();
    Totals::of_lines(&taxed, currency)
}

/// What written lines become, with the items, tax codes and accounts they name.
async fn lines_in(tx: &Tx, written: &[NewLine], currency: Currency) -> Result<Vec<Line>, Error> {
    if written.len() > MOST_LINES {
        return Err(Error::invalid(
            "lines",
            format!("there are more than {MOST_LINES} lines: split the invoice"),
        ));
    }
    let items = items_in(tx, written).await?;
    let codes = codes_in(tx, written, &items).await?;
    let mut lines = Vec::with_capacity(written.len());
    let mut defaults: Vec<(Role, Uuid)> = Vec::new();
    let mode = tx.scope().company().mode;
    for (at, new) in written.iter().enumerate() {
        let item = new.item_id.and_then(|id| items.get(&id));
        let code = new.tax_code_id.or(item.map(|item| item.tax_code_id));
        let priced = price(at, new, item, code.and_then(|id| codes.get(&id)), currency, mode)?;
        let account_id = match priced.income {
            Income::Account(account) => account,
            Income::Default(role) => default_account_in(tx, &mut defaults, role).await?,
        };
        lines.push(Line { account_id, ..priced.line });
    }
    Ok(lines)
}

/// The chart's account of a role, looked up once for all lines.
async fn default_account_in(tx: &Tx, known: &mut Vec<(Role, Uuid)>, role: Role) -> Result<Uuid, Error> {
    if let Some((_, account)) = known.iter().find(|(of, _)| *of == role) {
        return Ok(*account);
    }
    let account = ledger::account::id_of_role(tx, role).await?;
    known.push((role, account));
    Ok(account)
}

async fn items_in(tx: &Tx, written: &[NewLine]) -> Result<HashMap<Uuid, item::Model>, Error> {
    let ids: Vec<Uuid> = written.iter().filter_map(|line| line.item_id).collect();
    if ids.is_empty() {
        return Ok(HashMap::new());
    }
    let items = catalog::item::service::by_ids_in(tx, &ids).await?;
    Ok(items.into_iter().map(|item| (item.id, item)).collect())
}

async fn codes_in(
    tx: &Tx,
    written: &[NewLine],
    items: &HashMap<Uuid, item::Model>,
) -> Result<HashMap<Uuid, tax_code::Model>, Error> {
    let said = written.iter().filter_map(|line| line.tax_code_id);
    let ids: Vec<Uuid> = said.chain(items.values().map(|item| item.tax_code_id)).collect();
    if ids.is_empty() {
        return Ok(HashMap::new());
    }
    let codes = catalog::tax_code::service::by_ids_in(tx, &ids).await?;
    Ok(codes.into_iter().map(|code| (code.id, code)).collect())
}

/// A text of an invoice.
type Field = fn(&invoice::Model) -> Option<&str>;

/// References and notes may name a person, so the event does not carry them.
pub(crate) fn personal_changes(
    event: NewEvent,
    before: Option<&invoice::Model>,
    after: &invoice::Model,
) -> NewEvent {
    let was = |of: Field| before.and_then(of);
    let fields: [(&'static str, Field); 3] = [
        ("buyerReference", |invoice| invoice.buyer_reference.as_deref()),
        ("orderReference", |invoice| invoice.order_reference.as_deref()),
        ("note", |invoice| invoice.note.as_deref()),
    ];
    fields.into_iter().fold(event, |event, (field, of)| event.changed_personal(field, was(of), of(after)))
}

/// Adds to an event what differs between two states of a draft.
pub(crate) fn tell_changes(event: NewEvent, before: &invoice::Model, after: &invoice::Model) -> NewEvent {
    let customer = |invoice: &invoice::Model| kernel::id::encode(Kind::Party, invoice.customer_id);
    personal_changes(event, Some(before), after)
        .changed("customerId", &customer(before), &customer(after))
        .changed("currency", &before.currency, &after.currency)
        .changed("paymentDays", &before.payment_days, &after.payment_days)
        .changed("endOfMonth", &before.end_of_month, &after.end_of_month)
        .changed("deliveryDate", &before.delivery_date, &after.delivery_date)
        .changed("externalRef", &before.external_ref, &after.external_ref)
        .changed("totalMinor", &before.total_minor, &after.total_minor)
}
