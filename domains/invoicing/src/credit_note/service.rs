//! What can be done with credit notes; they are issued and discarded as invoices are.

use entity::invoicing::invoice::Model;
use kernel::{Currency, Fault, Kind, NewEvent, Permission, Tx};
use uuid::Uuid;

use crate::edit::Edit;
use crate::error::Error;
use crate::invoice::line::{Line, Totals};
use crate::invoice::service::{draft_in, personal_changes, tell_changes};
use crate::invoice::store::{self as invoices, StoredLine};
use crate::invoice::{DocumentKind, Head, State, currency_of};
use crate::payment;
use crate::step;
use crate::tax::{self, TaxLine};

use super::{CreditLine, CreditNoteEdit, Credited, NewCreditNote, store};

/// Drafts a credit note for an issued invoice.
pub async fn create_draft(tx: &Tx, new: NewCreditNote) -> Result<Uuid, Error> {
    tx.scope().require(Permission::InvoicingDraft)?;
    let invoice = corrected_in(tx, new.invoice_id).await?;
    let head = Head {
        customer_id: invoice.customer_id,
        currency: currency_of(&invoice.currency)?,
        payment_days: 0,
        end_of_month: false,
        delivery_date: None,
        buyer_reference: invoice.buyer_reference.clone(),
        order_reference: invoice.order_reference.clone(),
        note: new.note,
        external_ref: new.external_ref,
    };
    let head = head.checked()?;
    let (lines, totals) = lines_in(tx, &invoice, new.lines.as_deref()).await?;
    let draft =
        invoices::insert(tx, DocumentKind::CreditNote, Some(invoice.id), head, &lines, &totals).await?;
    step::take_in(tx, Kind::Invoice, draft.id, Some(draft.created_at), "created").await?;
    let event = NewEvent::new("credit_note.drafted", Kind::Invoice, draft.id)
        .case(invoice.id)
        .fact("correctsId", kernel::id::encode(Kind::Invoice, invoice.id))
        .fact("currency", &draft.currency)
        .fact("lines", lines.len())
        .fact("totalMinor", draft.total_minor)
        .fact("externalRef", &draft.external_ref);
    personal_changes(event, None, &draft).append(tx).await?;
    Ok(draft.id)
}

/// Changes a draft credit note.
pub async fn update_draft(
    tx: &Tx,
    id: Uuid,
    expected_version: i32,
    edit: CreditNoteEdit,
) -> Result<(), Error> {
    tx.scope().require(Permission::InvoicingDraft)?;
    let before = draft_in(tx, id, expected_version, DocumentKind::CreditNote).await?;
    let head = Head {
        customer_id: before.customer_id,
        currency: currency_of(&before.currency)?,
        payment_days: before.payment_days,
        end_of_month: before.end_of_month,
        delivery_date: before.delivery_date,
        buyer_reference: before.buyer_reference.clone(),
        order_reference: before.order_reference.clone(),
        note: edit.note.or(before.note.clone()),
        external_ref: edit.external_ref.or(before.external_ref.clone()),
    };
    let head = head.checked()?;
    let (lines, totals) = match edit.lines {
        Edit::Keep => {
            (None, Totals { groups: Vec::new(), net_minor: before.net_minor, tax_minor: before.tax_minor })
        }
        Edit::To(asked) => {
            let corrects = before
                .corrects_id
                .ok_or_else(|| Fault::Corrupt(format!("credit note {id} corrects nothing")))?;
            let invoice = corrected_in(tx, corrects).await?;
            let (lines, totals) = lines_in(tx, &invoice, asked.as_deref()).await?;
            (Some(lines), totals)
        }
    };
    let after = invoices::update(tx, &before, head, lines.as_deref(), &totals).await?;
    let mut event =
        NewEvent::new("credit_note.updated", Kind::Invoice, id).case(before.corrects_id.unwrap_or(id));
    if let Some(lines) = &lines {
        event = event.fact("lines", lines.len());
    }
    tell_changes(event, &before, &after).append(tx).await?;
    Ok(())
}

/// The issued invoice to correct.
async fn corrected_in(tx: &Tx, id: Uuid) -> Result<Model, Error> {
    let invoice = invoices::by_ids(tx, &[id]).await?.pop();
    let invoice = invoice.ok_or(Error::NotFound(Kind::Invoice, "invoiceId"))?;
    if invoice.kind != DocumentKind::Invoice.as_str() {
        return Err(Error::invalid(
            "invoiceId",
            "a credit note corrects an invoice, not another credit note",
        ));
    }
    if invoice.state != State::Issued.as_str() {
        return Err(Error::NotIssued);
    }
    Ok(invoice)
}

/// The lines of a credit note as the invoice's credits stand now, and their totals.
async fn lines_in(
    tx: &Tx,
    invoice: &Model,
    asked: Option<&[CreditLine]>,
) -> Result<(Vec<Line>, Totals), Error> {
    let currency = currency_of(&invoice.currency)?;
    let of_invoice = invoices::lines(tx, invoice.id).await?;
    let taken = store::taken_of_lines(tx, invoice.id).await?;
    let credited =
        Credited { lines: &of_invoice, taken_minor: &taken, currency, mode: tx.scope().company().mode };
    let lines = match asked {
        None => credited.rest()?,
        Some(asked) => credited.lines(asked)?,
    };
    let taxed: Vec<_> = lines.iter().map(Line::taxed).collect();
    let totals = fitted(tx, invoice.id, &taxed, currency).await?;
    Ok((lines, totals))
}

async fn fitted(tx: &Tx, invoice: Uuid, taxed: &[TaxLine], currency: Currency) -> Result<Totals, Error> {
    let mut groups = tax::groups(taxed, currency).ok_or_else(|| Error::too_large("lines"))?;
    tax::fit(&mut groups, &store::left_of_groups(tx, invoice).await?);
    Totals::of_groups(groups)
}

/// The totals of a stored credit note that is about to be issued, in the caller's transaction, which holds the
/// lock of the corrected invoice: only then no other credit note can take what is counted here.
pub(crate) async fn totals_in(
    tx: &Tx,
    corrected: &Model,
    lines: &[StoredLine],
    taxed: &[TaxLine],
    currency: Currency,
) -> Result<Totals, Error> {
    let of_invoice = invoices::lines(tx, corrected.id).await?;
    let taken = store::taken_of_lines(tx, corrected.id).await?;
    Credited { lines: &of_invoice, taken_minor: &taken, currency, mode: tx.scope().company().mode }
        .require_all_left(lines)?;
    fitted(tx, corrected.id, taxed, currency).await
}

/// Sets a freshly issued credit note against what its invoice has open; the rest stays on account. In the
/// caller's transaction, which holds the locks of both.
pub(crate) async fn settle_in(tx: &Tx, id: Uuid, total_minor: i64, corrected: &Model) -> Result<(), Error> {
    let amount_minor = total_minor.min(corrected.open_minor);
    if amount_minor > 0 {
        payment::service::credit_in(tx, id, corrected.id, amount_minor).await?;
    }
    Ok(())
}
