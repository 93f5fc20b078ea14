//! What people of the demo do, one transaction each, through the services that the API uses as well.

use chrono::NaiveDate;
use identity::Authenticator;
use invoicing::bill::{self, BillKind, Correction, NewBill, Totals};
use invoicing::credit_note::{self, CreditAmount, CreditLine, NewCreditNote};
use invoicing::invoice::{self, NewInvoice};
use invoicing::payment::{self, Direction, Method, NewPayment, Target};
use invoicing::satisfaction::{self, RatingLink};
use invoicing::{Error, invoice::reading};
use kernel::sparse::Columns;
use kernel::{Actor, Fault, Origin, Scope, Tx};
use rust_decimal::Decimal;
use uuid::Uuid;

use super::seed::Stock;
use super::story::{Cast, Decision, Purchase, Sale, amount};

/// Opens the fiscal year of a day if no year holds it yet.
pub(super) async fn open_year_when_needed(scope: &Scope, day: NaiveDate) -> Result<(), ledger::Error> {
    scope
        .write(|tx| {
            Box::pin(async move {
                if ledger::year::service::of_day(tx, day).await?.is_none() {
                    ledger::year::open_next_year_in(tx).await?;
                }
                Ok(())
            })
        })
        .await
}

/// Drafts and issues an invoice.
pub(super) async fn invoice(scope: &Scope, stock: &Stock, sale: &Sale) -> Result<Uuid, Error> {
    let lines: Vec<_> = sale
        .lines
        .iter()
        .map(|(item, quantity)| invoice::NewLine {
            item_id: Some(stock.items[*item]),
            description: None,
            quantity: Decimal::from(*quantity),
            unit: None,
            unit_price: None,
            discount_percent: None,
            tax_code_id: None,
            account_id: None,
            nature: None,
        })
        .collect();
    let new = NewInvoice {
        customer_id: stock.customers[sale.customer],
        currency: None,
        payment_days: None,
        end_of_month: None,
        delivery_date: None,
        buyer_reference: None,
        order_reference: None,
        note: None,
        external_ref: None,
        lines,
    };
    scope
        .write(|tx| {
            let new = new.clone();
            Box::pin(async move {
                let id = invoice::service::create_draft(tx, new).await?;
                invoice::service::issue(tx, id, 1, None).await?;
                Ok(id)
            })
        })
        .await
}

/// Credits the first line of an invoice, unless too little of it is left.
pub(super) async fn credit(scope: &Scope, invoice: Uuid) -> Result<(), Error> {
    scope
        .write(|tx| {
            Box::pin(async move {
                let lines = reading::lines_of(tx, &[invoice], &Columns::All).await?;
                let Some(first) = lines.first() else { return Ok(()) };
                let line = CreditLine { line_id: first.id, amount: CreditAmount::Rest, description: None };
                let note = Some("Retour de marchandise".to_owned());
                let new =
                    NewCreditNote { invoice_id: invoice, lines: Some(vec![line]), note, external_ref: None };
                let id = credit_note::service::create_draft(tx, new).await?;
                invoice::service::issue(tx, id, 1, None).await
            })
        })
        .await
}

/// Enters a bill. One in twenty-five carries VAT that does not multiply out: somebody will look at it.
pub(super) async fn bill(
    scope: &Scope,
    cast: &Cast,
    stock: &Stock,
    purchase: &Purchase,
    number: usize,
) -> Result<Uuid, Error> {
    let supplier = &cast.suppliers[purchase.supplier];
    let today = scope.today();
    let net = amount(purchase.net_cents);
    let line = bill::NewLine {
        description: supplier.what.to_owned(),
        net: Some(net),
        unit_price: Some(net),
        quantity: Some(Decimal::ONE),
        category: "S".to_owned(),
        rate: Decimal::from(20),
        account_id: stock.accounts.get(supplier.account).copied(),
        ..bill::NewLine::default()
    };
    let new = NewBill {
        kind: BillKind::Bill,
        supplier_id: stock.suppliers[purchase.supplier],
        number: format!("{}-{:05}", today.format("%Y"), number + 1),
        issue_date: today,
        due_date: None,
        currency: None,
        corrects_id: None,
        vat_on_payment: None,
        lines: vec![line],
        taxes: None,
        totals: Totals::default(),
        file_id: None,
        external_ref: None,
    };
    scope
        .write(|tx| {
            let new = new.clone();
            Box::pin(async move { bill::service::enter(tx, new).await })
        })
        .await
}

/// Decides on a bill and, when approved, posts it. Who corrects it is another than who approves it.
pub(super) async fn decide(
    approver: &Scope,
    corrector: &Scope,
    bill: Uuid,
    decision: Decision,
) -> Result<(), Error> {
    if decision == Decision::CorrectAndApprove {
        corrector.write(|tx| Box::pin(correct(tx, bill))).await?;
    }
    approver
        .write(|tx| {
            Box::pin(async move {
                if decision == Decision::Reject {
                    bill::service::reject(tx, bill, 1, "Ne correspond pas à la commande").await?;
                    return Ok(());
                }
                approve(tx, bill).await
            })
        })
        .await
}

async fn correct(tx: &Tx, bill: Uuid) -> Result<(), Error> {
    let model = bill::service::get(tx, bill).await?;
    let later = model.due_date.succ_opt().unwrap_or(model.due_date);
    let correction = Correction { due_date: Some(later), ..Correction::default() };
    bill::service::correct(tx, bill, model.version, &correction).await?;
    Ok(())
}

async fn approve(tx: &Tx, bill: Uuid) -> Result<(), Error> {
    let version = bill::service::get(tx, bill).await?.version;
    bill::service::approve(tx, bill, version).await?;
    let version = bill::service::get(tx, bill).await?.version;
    bill::service::post(tx, bill, version, None).await?;
    Ok(())
}

fn transfer(
    direction: Direction,
    party_id: Uuid,
    scope: &Scope,
    minor: i64,
    target: (Target, i64),
) -> NewPayment {
    NewPayment {
        direction,
        party_id,
        paid_on: scope.today(),
        currency: scope.company().currency,
        amount_minor: minor,
        base_minor: None,
        method: Method::Transfer,
        reference: None,
        external_ref: None,
        allocations: vec![target],
    }
}

/// Pays what is open of a posted bill.
pub(super) async fn pay_bill(scope: &Scope, bill: Uuid) -> Result<(), Error> {
    scope
        .write(|tx| {
            Box::pin(async move {
                let model = bill::service::get(tx, bill).await?;
                let open = bill::open_minor(&model);
                if model.state == "posted" && open > 0 {
                    let target = (Target::Bill(bill), open);
                    let new = transfer(Direction::Made, model.supplier_id, tx.scope(), open, target);
                    payment::service::record(tx, new).await?;
                }
                Ok(())
            })
        })
        .await
}

/// Records what a customer pays: so many percent of what is open.
pub(super) async fn collect(scope: &Scope, invoice: Uuid, percent: u32) -> Result<Option<Uuid>, Error> {
    scope
        .write(|tx| {
            Box::pin(async move {
                let model = reading::get(tx, invoice).await?;
                let open = model.total_minor - model.settled_minor - model.credited_minor;
                let paid = open * i64::from(percent) / 100;
                if paid <= 0 {
                    return Ok(None);
                }
                let target = (Target::Invoice(invoice), paid.min(open));
                let new = transfer(Direction::Received, model.customer_id, tx.scope(), paid, target);
                payment::service::record(tx, new).await.map(Some)
            })
        })
        .await
}

/// A direct debit comes back.
pub(super) async fn bounce(scope: &Scope, payment: Uuid) -> Result<(), Error> {
    scope
        .write(|tx| {
            Box::pin(async move {
                payment::service::bounce(tx, payment, tx.scope().today(), "Provision insuffisante").await
            })
        })
        .await
}

/// A customer rates an invoice by its signed link.
pub(super) async fn rate(
    auth: &Authenticator,
    scope: &Scope,
    invoice: Uuid,
    stars: i16,
) -> Result<(), Error> {
    let snapshot = scope.read().await?;
    let token = satisfaction::service::link_token(&snapshot, invoice).await;
    snapshot.end().await;
    let link = RatingLink::verify(auth.vault(), &token?, auth.clock().now())
        .ok_or_else(|| Fault::Internal("a fresh link does not open".to_owned()))?;
    let customer = auth.link_scope(link.company(), Actor::Customer(invoice), Origin::default()).await?;
    let customer = customer.ok_or_else(|| Fault::Internal("the company is gone".to_owned()))?;
    customer
        .write(|tx| Box::pin(async move { satisfaction::service::rate(tx, &link, stars, None).await }))
        .await
}
