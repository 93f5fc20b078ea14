//! Issue: the one step that makes a draft a document of record.
//!
//! Everything happens in the caller's transaction, in the documented order of locks: the document (and the
//! invoice that a credit note corrects, by id), the series of numbers, then period and journal of the ledger.
//! The number must be known before the entry is posted, for the entry carries it as its piece.

use chrono::{Datelike, NaiveDate};
use entity::invoicing::invoice::Model;
use entity::invoicing::party;
use kernel::{Currency, Fault, Kind, NewEvent, Tx};
use rust_decimal::Decimal;
use serde_json::{Value as Json, json};
use uuid::Uuid;

use crate::credit_note;
use crate::error::Error;
use crate::party::service::get_in as party_in;
use crate::step;

use super::line::Totals;
use super::posting::{Document, IncomeLine, plan};
use super::store::{self, Issued, StoredLine};
use super::{DocumentKind, due_date, require_draft};

/// A draft that may be issued, with what it needs.
struct Ready {
    draft: Model,
    kind: DocumentKind,
    corrected: Option<Model>,
    lines: Vec<StoredLine>,
    totals: Totals,
    currency: Currency,
}

/// Issues a draft in the caller's transaction; permissions are the caller's matter.
pub(super) async fn issue_in(
    tx: &Tx,
    id: Uuid,
    expected_version: i32,
    issue_date: Option<NaiveDate>,
) -> Result<(), Error> {
    let today = tx.scope().today();
    let issue_date = issue_date.unwrap_or(today);
    if issue_date > today {
        return Err(Error::IssueDateInFuture { today });
    }
    let ready = load(tx, id, expected_version).await?;
    let rate = rate_of(tx, &ready, issue_date).await?;
    let customer = party_in(tx, ready.draft.customer_id, "customerId").await?;
    let issued = record(tx, &ready, &customer, issue_date, rate).await?;
    tell(tx, &ready, &issued).await?;
    if let Some(corrected) = &ready.corrected {
        credit_note::service::settle_in(tx, id, ready.totals.total_minor(), corrected).await?;
    }
    Ok(())
}

/// Locks a draft and computes what it will be.
async fn load(tx: &Tx, id: Uuid, expected_version: i32) -> Result<Ready, Error> {
    let unknown = || Error::NotFound(Kind::Invoice, "id");
    let corrects = store::by_ids(tx, &[id]).await?.pop().ok_or_else(unknown)?.corrects_id;
    let ids: Vec<Uuid> = corrects.into_iter().chain([id]).collect();
    let (mut drafts, mut corrected): (Vec<_>, Vec<_>) =
        store::lock(tx, &ids).await?.into_iter().partition(|row| row.id == id);
    let (draft, corrected) = (drafts.pop().ok_or_else(unknown)?, corrected.pop());
    require_draft(&draft, expected_version)?;
    let kind = DocumentKind::parse(&draft.kind).ok_or_else(|| corrupt(&draft, "kind"))?;
    let currency = Currency::parse(&draft.currency).ok_or_else(|| corrupt(&draft, "currency"))?;
    let lines = store::lines(tx, id).await?;
    if lines.is_empty() {
        return Err(Error::NoLines);
    }
    let taxed: Vec<_> = lines.iter().map(StoredLine::taxed).collect();
    let totals = match &corrected {
        None => Totals::of_lines(&taxed, currency)?,
        Some(corrected) => credit_note::service::totals_in(tx, corrected, &lines, &taxed, currency).await?,
    };
    if totals.total_minor() == 0 {
        return Err(Error::NothingToInvoice);
    }
    Ok(Ready { draft, kind, corrected, lines, totals, currency })
}

fn corrupt(invoice: &Model, column: &str) -> Fault {
    Fault::Corrupt(format!("{column} of invoice {}", invoice.id))
}

/// Company currency for one unit of the document's. A credit note keeps the rate of what it corrects: it adjusts
/// that tax and that income (directive 2006/112/CE, art. 90 and 91).
async fn rate_of(tx: &Tx, ready: &Ready, on: NaiveDate) -> Result<Decimal, Error> {
    if let Some(corrected) = &ready.corrected {
        return Ok(corrected.rate.ok_or_else(|| corrupt(corrected, "rate"))?);
    }
    if ready.currency == tx.scope().company().currency {
        return Ok(Decimal::ONE);
    }
    let rate = ledger::year::exchange_rate_in(tx, ready.currency, on).await?;
    rate.ok_or_else(|| Error::RateMissing { currency: ready.currency.code().to_owned(), on })
}

/// What became of a draft.
struct Recorded {
    number: String,
    issue_date: NaiveDate,
    due_date: NaiveDate,
}

/// Numbers, posts and fixes the document.
async fn record(
    tx: &Tx,
    ready: &Ready,
    customer: &party::Model,
    issue_date: NaiveDate,
    rate: Decimal,
) -> Result<Recorded, Error> {
    let Ready { draft, kind, totals, currency, .. } = ready;
    let year = i16::try_from(issue_date.year())
        .map_err(|_| Error::invalid("issueDate", "the year is out of range: correct the date"))?;
    let due_date = due_date(issue_date, draft.payment_days, draft.end_of_month);
    let in_series = store::next_number(tx, *kind, year, issue_date).await?;
    let number = kind.number(year, in_series);
    let incomes: Vec<_> = ready.lines.iter().map(income_of).collect();
    let plan = plan(&Document {
        id: draft.id,
        kind: *kind,
        number: &number,
        issue_date,
        due_date,
        customer_id: draft.customer_id,
        currency: *currency,
        own: tx.scope().company().currency,
        rate,
        lines: &incomes,
        groups: &totals.groups,
        french: tx.scope().company().locale == "fr",
    })?;
    if plan.total_base_minor == 0 {
        return Err(Error::NothingToPost);
    }
    let posted =
        ledger::entry::post_in(tx, plan.entry).await.map_err(|error| Error::dated(error, "issueDate"))?;
    store::replace_taxes(tx, draft.id, &totals.groups, &plan.waiting).await?;
    let issued = Issued {
        number: &number,
        series: (year, in_series),
        issue_date,
        due_date,
        rate,
        totals,
        net_base_minor: plan.net_base_minor,
        total_base_minor: plan.total_base_minor,
        customer: as_issued(customer),
        entry_id: posted.id,
    };
    store::issue(tx, draft, issued).await?;
    step::take_in(tx, Kind::Invoice, draft.id, Some(draft.created_at), "issued").await?;
    Ok(Recorded { number, issue_date, due_date })
}

fn income_of(line: &StoredLine) -> IncomeLine {
    IncomeLine {
        account_id: line.account_id,
        category: line.category.clone(),
        rate: line.rate,
        net_minor: line.net_minor,
    }
}

/// The customer as the document shows it for ever (CGI, ann. II, art. 242 nonies A).
fn as_issued(customer: &party::Model) -> Json {
    json!({
        "name": customer.name,
        "legalId": customer.legal_id,
        "siret": customer.siret,
        "vatId": customer.vat_id,
        "street": customer.street,
        "street2": customer.street2,
        "postcode": customer.postcode,
        "city": customer.city,
        "country": customer.country,
    })
}

async fn tell(tx: &Tx, ready: &Ready, issued: &Recorded) -> Result<(), Error> {
    let Ready { draft, kind, totals, .. } = ready;
    let name = match kind {
        DocumentKind::Invoice => "invoice.issued",
        DocumentKind::CreditNote => "credit_note.issued",
    };
    let corrects = ready.corrected.as_ref().map(|corrected| corrected.id);
    NewEvent::new(name, Kind::Invoice, draft.id)
        .case(corrects.unwrap_or(draft.id))
        .fact("number", &issued.number)
        .fact("issueDate", issued.issue_date)
        .fact("dueDate", issued.due_date)
        .fact("customerId", kernel::id::encode(Kind::Party, draft.customer_id))
        .fact("correctsId", corrects.map(|id| kernel::id::encode(Kind::Invoice, id)))
        .fact("currency", &draft.currency)
        .fact("netMinor", totals.net_minor)
        .fact("taxMinor", totals.tax_minor)
        .fact("totalMinor", totals.total_minor())
        .append(tx)
        .await?;
    Ok(())
}
