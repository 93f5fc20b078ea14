//! What is done with bills: entered, corrected, approved, rejected, posted.

use chrono::NaiveDate;
use entity::invoicing::{bill, bill_line, party};
use identity::api_key::service::behind_in;
use kernel::{Currency, Fault, Kind, NewEvent, Permission, Tx};
use ledger::account::Role;
use ledger::entry::{JournalKind, NewEntry};
use serde_json::Value as Json;
use uuid::Uuid;

use super::content::{Content, deviations, typed};
use super::plan::{Books, Plan, plan};
use super::{BillKind, NewBill, Source, State, store};
use crate::einvoice::Finding;
use crate::error::Error;
use crate::invoice::due_date;
use crate::party::service as parties;
use crate::step;
use crate::text::{optional, required};

pub use super::correct::correct;
pub use super::import::{Imported, import_file, read_file};
pub use super::list::{by_ids, count, credit_notes_of, findings_of, get, lines_of, list, taxes_of};

/// Records a bill that somebody typed. What does not add up is kept as findings. Needs `bills.enter`.
pub async fn enter(tx: &Tx, new: NewBill) -> Result<Uuid, Error> {
    tx.scope().require(Permission::BillsEnter)?;
    let supplier = supplier(tx, new.supplier_id).await?;
    let code = new.currency.as_deref().unwrap_or(&supplier.currency);
    let currency = Currency::parse(code)
        .ok_or_else(|| Error::invalid("currency", "three letters of ISO 4217, e.g. EUR"))?;
    let content = typed(currency, &new.lines, new.taxes.as_deref(), &new.totals)?;
    let file = match new.file_id {
        Some(id) => Some(documents::file::service::stored_in(tx, id).await?),
        None => None,
    };
    let corrects_id = corrected_bill(tx, &new).await?;
    let entry = Entry {
        kind: new.kind,
        number: required("number", &new.number, 100)?,
        issue_date: new.issue_date,
        due_date: new.due_date,
        currency,
        corrects_id,
        vat_on_payment: new.vat_on_payment,
        source: Source::Manual,
        file: file.and_then(|file| Some((file.id, file.sha256?))),
        document: None,
        external_ref: optional("externalRef", new.external_ref.as_deref(), 200)?,
        findings: deviations(currency, &content),
        content,
    };
    record(tx, &supplier, entry).await
}

/// The supplier of a new bill.
async fn supplier(tx: &Tx, id: Uuid) -> Result<party::Model, Error> {
    let supplier = parties::get_in(tx, id, "supplierId").await?;
    if supplier.archived_at.is_some() {
        return Err(Error::Archived(Kind::Party, "supplierId".into()));
    }
    if !supplier.is_supplier {
        return Err(Error::invalid(
            "supplierId",
            "this party is no supplier: make it one, or choose another",
        ));
    }
    Ok(supplier)
}

/// The bill that a typed credit note corrects: one of the same supplier.
async fn corrected_bill(tx: &Tx, new: &NewBill) -> Result<Option<Uuid>, Error> {
    let Some(id) = new.corrects_id else { return Ok(None) };
    if new.kind != BillKind::CreditNote {
        return Err(Error::invalid("correctsId", "only a credit note corrects a bill: leave it out"));
    }
    let found = store::by_ids(tx, &[id]).await?.pop().ok_or(Error::NotFound(Kind::Bill, "correctsId"))?;
    if found.supplier_id != new.supplier_id || found.kind != BillKind::Bill.as_str() {
        return Err(Error::invalid(
            "correctsId",
            "a credit note corrects a bill of the same supplier: choose another",
        ));
    }
    Ok(Some(id))
}

/// A bill to record, typed or imported.
pub(super) struct Entry {
    pub(super) kind: BillKind,
    pub(super) number: String,
    pub(super) issue_date: NaiveDate,
    pub(super) due_date: Option<NaiveDate>,
    pub(super) currency: Currency,
    pub(super) corrects_id: Option<Uuid>,
    pub(super) vat_on_payment: Option<bool>,
    pub(super) source: Source,
    pub(super) file: Option<(Uuid, Vec<u8>)>,
    pub(super) document: Option<Json>,
    pub(super) external_ref: Option<String>,
    pub(super) findings: Vec<Finding>,
    pub(super) content: Content,
}

/// Records a bill of a supplier, unless it has come already. When two record the same at once, one waits for the
/// other on the unique key, and is refused then.
pub(super) async fn record(tx: &Tx, supplier: &party::Model, mut entry: Entry) -> Result<Uuid, Error> {
    let row = row(tx, supplier, &entry);
    let like = store::Likeness {
        supplier_id: supplier.id,
        number: &row.number,
        issue_date: row.issue_date,
        kind: entry.kind,
        file_sha256: row.file_sha256.as_deref(),
    };
    if let Some(first) = store::first_of(tx, &like).await? {
        return Err(Error::DuplicateBill { first });
    }
    if let Err(fault) = store::insert(tx, &row).await {
        let twice = matches!(fault.constraint(), Some("bill_once" | "bill_file_once"));
        return match if twice { store::first_of(tx, &like).await? } else { None } {
            Some(first) => Err(Error::DuplicateBill { first }),
            None => Err(Error::of_constraint(fault)),
        };
    }
    if let Some(account) = store::last_account(tx, supplier.id).await? {
        for line in &mut entry.content.lines {
            line.account_id.get_or_insert(account);
        }
    }
    store::insert_lines(tx, row.id, 1, &entry.content.lines).await?;
    store::replace_taxes(tx, row.id, &entry.content.taxes).await?;
    store::insert_findings(tx, row.id, &entry.findings).await?;
    step::take_in(tx, Kind::Bill, row.id, Some(row.received_at), "received").await?;
    NewEvent::new("bill.received", Kind::Bill, row.id)
        .fact("kind", &row.kind)
        .fact("source", &row.source)
        .fact("supplier", kernel::id::encode(Kind::Party, supplier.id))
        .fact("number", &row.number)
        .fact("payableMinor", row.payable_minor)
        .fact("currency", &row.currency)
        .fact("findings", row.finding_count)
        .append(tx)
        .await?;
    Ok(row.id)
}

fn row(tx: &Tx, supplier: &party::Model, entry: &Entry) -> bill::Model {
    let scope = tx.scope();
    let (now, by) = (scope.clock().now(), scope.actor().stored());
    let amounts = entry.content.amounts;
    let by_terms = due_date(entry.issue_date, supplier.payment_days, supplier.end_of_month);
    let (file_id, file_sha256) = entry.file.clone().unzip();
    bill::Model {
        tenant_id: scope.company().id,
        id: tx.new_id(),
        kind: entry.kind.as_str().to_owned(),
        state: State::Received.as_str().to_owned(),
        supplier_id: supplier.id,
        corrects_id: entry.corrects_id,
        number: entry.number.clone(),
        issue_date: entry.issue_date,
        issue_year: 0,
        due_date: entry.due_date.unwrap_or(by_terms),
        received_on: scope.today(),
        received_at: now,
        currency: entry.currency.code().to_owned(),
        allowance_minor: amounts.allowance,
        charge_minor: amounts.charge,
        net_minor: amounts.net,
        tax_minor: amounts.tax,
        total_minor: amounts.total,
        prepaid_minor: amounts.prepaid,
        rounding_minor: amounts.rounding,
        payable_minor: amounts.payable,
        vat_on_payment: entry.vat_on_payment.unwrap_or(supplier.vat_on_payment),
        rate: None,
        payable_base_minor: 0,
        settled_minor: 0,
        credited_minor: 0,
        open_minor: 0,
        source: entry.source.as_str().to_owned(),
        file_id,
        file_sha256,
        document: entry.document.clone(),
        finding_count: i32::try_from(entry.findings.len()).unwrap_or(i32::MAX),
        corrected: false,
        corrected_by: None,
        entered_by: by.clone(),
        approved_by: None,
        approved_at: None,
        rejected_by: None,
        rejected_at: None,
        rejected_reason: None,
        posted_by: None,
        posted_at: None,
        posted_on: None,
        entry_id: None,
        external_ref: entry.external_ref.clone(),
        version: 1,
        created_at: now,
        created_by: by.clone(),
        updated_at: now,
        updated_by: by,
    }
}

/// The state of a stored bill.
pub(super) fn state_of(bill: &bill::Model) -> Result<State, Fault> {
    State::parse(&bill.state).ok_or_else(|| Fault::Corrupt(format!("`{}` is no state of a bill", bill.state)))
}

/// The currency of a stored bill.
pub(super) fn currency_of(bill: &bill::Model) -> Result<Currency, Fault> {
    Currency::parse(&bill.currency)
        .ok_or_else(|| Fault::Corrupt(format!("`{}` is no currency", bill.currency)))
}

/// A bill that may take a step, locked.
async fn at_step(tx: &Tx, id: Uuid, expected_version: i32, to: State) -> Result<bill::Model, Error> {
    let bill = store::lock(tx, id).await?;
    Error::unless_version(expected_version, bill.version)?;
    state_of(&bill)?.step(to)?;
    Ok(bill)
}

/// Finds a received bill right: it may be posted, and its content stands still from now on. When the company
/// wants four eyes, not by who entered it or corrected it last; a key counts as everybody who has stood behind it. Needs
/// `bills.approve`.
pub async fn approve(tx: &Tx, id: Uuid, expected_version: i32) -> Result<Uuid, Error> {
    let scope = tx.scope();
    scope.require(Permission::BillsApprove)?;
    let before = at_step(tx, id, expected_version, State::Approved).await?;
    let by = scope.actor().stored();
    if identity::company::service::four_eyes_in(tx).await? {
        let approvers = behind_in(tx, &by).await?;
        for who in [Some(&before.entered_by), before.corrected_by.as_ref()].into_iter().flatten() {
            if *who == by || behind_in(tx, who).await?.iter().any(|person| approvers.contains(person)) {
                return Err(Error::FourEyes);
            }
        }
    }
    let after = bill::Model {
        state: State::Approved.as_str().to_owned(),
        approved_by: Some(by),
        approved_at: Some(scope.clock().now()),
        ..before.clone()
    };
    store::update(tx, &after).await?;
    stepped(tx, &before, &after, "bill.approved").await
}

/// Refuses a bill that is not posted, for a reason of 1 to 1000 characters: its number and file may come again.
/// Needs `bills.approve`.
pub async fn reject(tx: &Tx, id: Uuid, expected_version: i32, reason: &str) -> Result<Uuid, Error> {
    let scope = tx.scope();
    scope.require(Permission::BillsApprove)?;
    let reason = required("reason", reason, 1000)?;
    let before = at_step(tx, id, expected_version, State::Rejected).await?;
    let after = bill::Model {
        state: State::Rejected.as_str().to_owned(),
        rejected_by: Some(scope.actor().stored()),
        rejected_at: Some(scope.clock().now()),
        rejected_reason: Some(reason),
        ..before.clone()
    };
    store::update(tx, &after).await?;
    stepped(tx, &before, &after, "bill.rejected").await
}

/// Posts an approved bill to the purchases journal, on `on` or today: 401, expenses, VAT. A foreign currency is
/// converted at the rate of the issue date. Refuses what is negative, and what comes to nothing in the company's
/// currency. Needs `bills.post`.
pub async fn post(tx: &Tx, id: Uuid, expected_version: i32, on: Option<NaiveDate>) -> Result<Uuid, Error> {
    let scope = tx.scope();
    scope.require(Permission::BillsPost)?;
    let before = at_step(tx, id, expected_version, State::Posted).await?;
    let on = on.unwrap_or_else(|| scope.today());
    if on > scope.today() {
        return Err(Error::invalid("on", "nothing is posted ahead of its day: choose today or earlier"));
    }
    let kind = BillKind::parse(&before.kind)
        .ok_or_else(|| Fault::Corrupt(format!("`{}` is no kind of bill", before.kind)))?;
    if before.payable_minor < 0 {
        return Err(Error::NegativePayable(kind));
    }
    let (currency, own) = (currency_of(&before)?, scope.company().currency);
    let rate = ledger::rate::service::exchange_rate_in(tx, currency, before.issue_date).await?;
    let rate =
        rate.ok_or_else(|| Error::RateMissing { currency: before.currency.clone(), on: before.issue_date })?;
    let lines = store::lines_of(tx, &[id]).await?;
    let taxes = store::taxes_of(tx, &[id]).await?;
    let (accounts, purchases) = accounts(tx, &before, &lines).await?;
    let standard_rate = store::standard_rate(tx).await?;
    let (bill, lines_in, taxes_in) = (&before, &lines[..], &taxes[..]);
    let books = Books {
        bill,
        kind,
        lines: lines_in,
        taxes: taxes_in,
        accounts: &accounts,
        purchases,
        currency,
        own,
        rate,
        standard_rate,
    };
    let Plan { lines: postings, payable_base_minor, waiting } = plan(&books)?;
    let is_nothing = before.payable_minor != 0 || postings.iter().all(|line| line.amount_minor == 0);
    if payable_base_minor == 0 && is_nothing {
        return Err(Error::NothingToPost);
    }
    let line_ids: Vec<Uuid> = lines.iter().map(|line| line.id).collect();
    store::set_accounts(tx, &line_ids, &accounts).await?;
    for (tax, waiting) in taxes.iter().zip(waiting).filter(|(_, waiting)| waiting.tax_minor != 0) {
        store::set_waiting(tx, tax, waiting).await?;
    }
    let entry = NewEntry {
        journal: JournalKind::Purchases,
        date: on,
        label: label(tx, kind, &before.number),
        piece: Some((before.number.clone(), before.issue_date)),
        source: Some((Kind::Bill, id)),
        lines: postings,
    };
    let posted = ledger::entry::post_in(tx, entry).await?;
    let after = bill::Model {
        state: State::Posted.as_str().to_owned(),
        posted_by: Some(scope.actor().stored()),
        posted_at: Some(scope.clock().now()),
        posted_on: Some(on),
        entry_id: Some(posted.id),
        rate: Some(rate),
        payable_base_minor,
        ..before.clone()
    };
    store::update(tx, &after).await?;
    stepped(tx, &before, &after, "bill.posted").await
}

/// The account of each line: its own, else the supplier's last one, else the chart's for purchases; and that.
async fn accounts(
    tx: &Tx,
    bill: &bill::Model,
    lines: &[bill_line::Model],
) -> Result<(Vec<Uuid>, Uuid), Error> {
    let purchases = ledger::account::id_of_role(tx, Role::Purchases).await?;
    let default = store::last_account(tx, bill.supplier_id).await?.unwrap_or(purchases);
    Ok((lines.iter().map(|line| line.account_id.unwrap_or(default)).collect(), purchases))
}

fn label(tx: &Tx, kind: BillKind, number: &str) -> String {
    let french = tx.scope().company().locale == "fr";
    let name = match (kind, french) {
        (BillKind::Bill, true) => "Facture fournisseur",
        (BillKind::Bill, false) => "Supplier bill",
        (BillKind::CreditNote, true) => "Avoir fournisseur",
        (BillKind::CreditNote, false) => "Supplier credit note",
    };
    format!("{name} {number}")
}

/// The step and the event of a change of state.
async fn stepped(
    tx: &Tx,
    before: &bill::Model,
    after: &bill::Model,
    event: &'static str,
) -> Result<Uuid, Error> {
    step::take_in(tx, Kind::Bill, before.id, Some(before.received_at), &after.state).await?;
    let entry = |bill: &bill::Model| bill.entry_id.map(|id| kernel::id::encode(Kind::JournalEntry, id));
    NewEvent::new(event, Kind::Bill, before.id)
        .changed("state", &before.state, &after.state)
        .changed("entry", &entry(before), &entry(after))
        .changed("payableBaseMinor", &before.payable_base_minor, &after.payable_base_minor)
        .append(tx)
        .await?;
    Ok(before.id)
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// A bill of nothing, for tests that fill in what they are about.
    pub(in crate::bill) fn blank() -> bill::Model {
        bill::Model {
            tenant_id: Uuid::nil(),
            id: Uuid::nil(),
            kind: BillKind::Bill.as_str().to_owned(),
            state: State::Approved.as_str().to_owned(),
            supplier_id: Uuid::nil(),
            corrects_id: None,
            number: "F-1".to_owned(),
            issue_date: NaiveDate::MIN,
            issue_year: 0,
            due_date: NaiveDate::MAX,
            received_on: NaiveDate::MIN,
            received_at: chrono::DateTime::UNIX_EPOCH,
            currency: "EUR".to_owned(),
            allowance_minor: 0,
            charge_minor: 0,
            net_minor: 0,
            tax_minor: 0,
            total_minor: 0,
            prepaid_minor: 0,
            rounding_minor: 0,
            payable_minor: 0,
            vat_on_payment: false,
            rate: None,
            payable_base_minor: 0,
            settled_minor: 0,
            credited_minor: 0,
            open_minor: 0,
            source: Source::Manual.as_str().to_owned(),
            file_id: None,
            file_sha256: None,
            document: None,
            finding_count: 0,
            corrected: false,
            corrected_by: None,
            entered_by: "system".to_owned(),
            approved_by: None,
            approved_at: None,
            rejected_by: None,
            rejected_at: None,
            rejected_reason: None,
            posted_by: None,
            posted_at: None,
            posted_on: None,
            entry_id: None,
            external_ref: None,
            version: 1,
            created_at: chrono::DateTime::UNIX_EPOCH,
            created_by: "system".to_owned(),
            updated_at: chrono::DateTime::UNIX_EPOCH,
            updated_by: "system".to_owned(),
        }
    }
}
