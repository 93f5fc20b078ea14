//! From a stored file to a received bill.

use documents::Files;
use documents::file::service::{self as files, Content};
use kernel::{DomainError, Fault, Permission, Tx};
use uuid::Uuid;

use super::received::{record, supplier};
use super::service::{self, Entry};
use super::{BillKind, Source, store};
use crate::einvoice::{self, Finding, ReceivedInvoice, Severity, Syntax};
use crate::error::Error;
use crate::party::service as parties;

/// What became of a file.
#[derive(Debug)]
pub enum Imported {
    /// It is this bill now.
    Bill(Uuid),
    /// It is none, for a reason that the sender or the user can mend; nothing of it is recorded.
    Refused(Error),
}

/// All bytes of a stored file that is to be imported. They come from the object store: to be called in a snapshot,
/// never in the transaction that writes. Refuses more than [`einvoice::MAX_BYTES`]. Needs `bills.enter`.
pub async fn read_file(snapshot: &Tx, store: &Files, file_id: Uuid) -> Result<Content, Error> {
    snapshot.scope().require(Permission::BillsEnter)?;
    let content = files::read_in(snapshot, store, file_id).await?;
    // Refused now, for a caller holds the bytes of many files.
    if content.bytes.len() > einvoice::MAX_BYTES {
        return Err(einvoice::ReadError::TooLarge { limit_bytes: einvoice::MAX_BYTES }.into());
    }
    Ok(content)
}

/// Records a stored file, an electronic invoice in CII or UBL, as a received bill. An unknown supplier is created
/// from the document. What is wrong with the file refuses it and leaves the transaction usable, so that a caller
/// goes on with the next one; only faults and a missing permission are errors. Needs `bills.enter`.
pub async fn import_file(tx: &Tx, content: &Content) -> Result<Imported, Error> {
    tx.scope().require(Permission::BillsEnter)?;
    match tx.savepoint(Box::pin(import(tx, content))).await {
        Ok(bill) => Ok(Imported::Bill(bill)),
        Err(error) if error.fault().is_some() || error.denied().is_some() => Err(error),
        Err(refusal) => Ok(Imported::Refused(refusal)),
    }
}

async fn import(tx: &Tx, content: &Content) -> Result<Uuid, Error> {
    let file_id = content.file.id;
    let stored = files::stored_in(tx, file_id).await?.sha256;
    let sha256 = stored.filter(|sha256| content.file.sha256.as_ref() == Some(sha256));
    let sha256 = sha256.ok_or_else(|| Fault::Corrupt(format!("what was read is not file {file_id}")))?;
    if let Some(first) = store::of_file(tx, &sha256).await? {
        return Err(Error::DuplicateBill { first });
    }
    let invoice = einvoice::read(&content.bytes)?;
    let mut received = record(&invoice)?;
    let sender = supplier(&invoice)?;
    let supplier_id = parties::supplier_from_document_in(tx, &sender).await?;
    let supplier = parties::get_in(tx, supplier_id, "supplierId").await?;
    received.findings.extend(ahead_of_time(tx, &invoice));
    let entry = Entry {
        kind: received.kind,
        number: invoice.number.clone(),
        issue_date: invoice.issue_date,
        due_date: invoice.due_date,
        currency: received.currency,
        corrects_id: preceding(tx, supplier_id, received.kind, &invoice).await?,
        vat_on_payment: received.vat_on_payment,
        source: match invoice.syntax {
            Syntax::Cii => Source::Cii,
            Syntax::Ubl => Source::Ubl,
        },
        file: Some((file_id, sha256)),
        document: Some(received.document),
        external_ref: None,
        findings: received.findings,
        content: received.content,
    };
    service::record(tx, &supplier, entry).await
}

/// The bill that a credit note corrects, when the document names it and it is known here.
async fn preceding(
    tx: &Tx,
    supplier: Uuid,
    kind: BillKind,
    invoice: &ReceivedInvoice,
) -> Result<Option<Uuid>, Fault> {
    if kind == BillKind::CreditNote {
        for reference in &invoice.preceding_invoices {
            let found = store::preceding(tx, supplier, &reference.number, reference.issue_date).await?;
            if found.is_some() {
                return Ok(found);
            }
        }
    }
    Ok(None)
}

/// An issue date that has not come yet.
fn ahead_of_time(tx: &Tx, invoice: &ReceivedInvoice) -> Option<Finding> {
    let (issued, today) = (invoice.issue_date, tx.scope().today());
    (issued > today).then(|| Finding {
        rule: "X-ISSUE-DATE".to_owned(),
        severity: Severity::Warning,
        field: "BT-2",
        line: None,
        message: format!("the issue date {issued} is after the day of receipt, {today}"),
        expected: None,
        stated: None,
    })
}
