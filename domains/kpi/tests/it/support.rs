//! Companies with figures, and rows of invoicing written as the server's role writes them.

use std::sync::atomic::{AtomicI32, Ordering};

use chrono::NaiveDate;
use kernel::{Fault, Scope, Tx};
use kpi::{Figure, Freshness};
use ledger::account::Role;
use ledger::entry::{AccountRef, JournalKind, NewEntry, NewLine};
use ledger::year::Chart;
use sea_orm::Value;
use testing::{Failed, TestDb, day};
use uuid::Uuid;

/// A company with its figures, a partner who is customer and supplier, and an entry that documents point to.
#[derive(Clone, Debug)]
pub(crate) struct Firm {
    pub(crate) scope: Scope,
    pub(crate) ids: Ids,
}

/// What rows of a firm refer to.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ids {
    pub(crate) party: Uuid,
    /// Another who is customer and supplier.
    pub(crate) other: Uuid,
    pub(crate) entry: Uuid,
    pub(crate) account: Uuid,
    pub(crate) tax_code: Uuid,
}

/// One transaction of a firm. What the work takes from outside must be `Copy`, for it may run again.
macro_rules! write {
    ($scope:expr, |$tx:ident| $work:expr) => {
        $scope
            .write(move |$tx| Box::pin(async move { $work.await.map_err(testing::Failed::from) }))
            .await
            .expect("written")
    };
}
pub(crate) use write;

pub(crate) async fn firm(test: &TestDb) -> Firm {
    let scope = test.company().await;
    let (entry, account) = scope.write(|tx| Box::pin(books(tx))).await.expect("books");
    scope.write(|tx| Box::pin(kpi::seed_in(tx))).await.expect("seeded");
    let (party, other, tax_code) = write!(scope, |tx| partners_in(tx));
    Firm { scope, ids: Ids { party, other, entry, account, tax_code } }
}

async fn books(tx: &Tx) -> Result<(Uuid, Uuid), Failed> {
    let opened = ledger::year::open_books_in(tx, Chart::FrPcg, day("2026-01-01")).await;
    opened.map_err(|_| Failed::Refused)?;
    let line = |role, amount| NewLine::new(AccountRef::Role(role), amount);
    let entry = NewEntry {
        journal: JournalKind::Miscellaneous,
        date: day("2026-06-01"),
        label: "For tests".to_owned(),
        piece: None,
        source: None,
        lines: vec![line(Role::Bank, 100), line(Role::SalesGoods, -100)],
    };
    let entry = ledger::entry::post_in(tx, entry).await.map_err(|_| Failed::Refused)?.id;
    let account = ledger::account::id_of_role(tx, Role::SalesGoods).await.map_err(|_| Failed::Refused)?;
    Ok((entry, account))
}

async fn partners_in(tx: &Tx) -> Result<(Uuid, Uuid, Uuid), Fault> {
    let (id, other, tax_code) = (kernel::id::new(), kernel::id::new(), kernel::id::new());
    tx.run(
        "INSERT INTO tax_code (tenant_id, id, code, name, category, rate, created_at, created_by, updated_at, updated_by)
         VALUES ($1, $2, 'T20', 'TVA 20 %', 'S', 20, now(), 'system', now(), 'system')",
        [company(tx), tax_code.into()],
    )
    .await?;
    tx.run(
        "INSERT INTO party (tenant_id, id, is_customer, is_supplier, name, country, currency, created_at, created_by,
             updated_at, updated_by)
         SELECT $1, id, true, true, 'Client', 'FR', 'EUR', now(), 'system', now(), 'system'
         FROM unnest($2::uuid[]) AS id",
        [company(tx), vec![id, other].into()],
    )
    .await?;
    Ok((id, other, tax_code))
}

fn company(tx: &Tx) -> Value {
    tx.scope().company().id.into()
}

/// A document to issue; amounts in minor units. One that corrects another is a credit note.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sale {
    pub(crate) corrects: Option<Uuid>,
    pub(crate) issued: NaiveDate,
    pub(crate) due: NaiveDate,
    pub(crate) net: i64,
    pub(crate) tax: i64,
    pub(crate) currency: &'static str,
    /// Whether it is to the other customer.
    pub(crate) other: bool,
}

impl Sale {
    /// An invoice in euros with 20 % of tax, issued and due on these days.
    pub(crate) fn invoice(issued: &str, due: &str, net: i64) -> Self {
        Self {
            corrects: None,
            issued: day(issued),
            due: day(due),
            net,
            tax: net / 5,
            currency: "EUR",
            other: false,
        }
    }

    /// A credit note in euros with 20 % of tax, issued and due on a day.
    pub(crate) fn credit_note(corrects: Uuid, issued: &str, net: i64) -> Self {
        Self { corrects: Some(corrects), ..Self::invoice(issued, issued, net) }
    }
}

/// A draft with one line and one tax group.
pub(crate) async fn draft_in(tx: &Tx, ids: Ids, sale: Sale) -> Result<Uuid, Fault> {
    let id = kernel::id::new();
    let kind = if sale.corrects.is_some() { "credit_note" } else { "invoice" };
    tx.run(
        "INSERT INTO invoice (tenant_id, id, kind, corrects_id, customer_id, currency, payment_days, end_of_month,
             net_minor, tax_minor, total_minor, net_base_minor, total_base_minor, created_at, created_by, updated_at,
             updated_by)
         VALUES ($1, $2, $3, $4, $5, $6, 30, false, $7, $8, $7 + $8, $7, $7 + $8, now(), 'system', now(), 'system')",
        [
            company(tx),
            id.into(),
            kind.into(),
            sale.corrects.into(),
            if sale.other { ids.other } else { ids.party }.into(),
            sale.currency.into(),
            sale.net.into(),
            sale.tax.into(),
        ],
    )
    .await?;
    tx.run(
        "INSERT INTO invoice_line (tenant_id, id, invoice_id, line_no, description, quantity, unit, unit_price, net_minor,
             tax_code_id, category, rate, chargeable, account_id)
         VALUES ($1, gen_random_uuid(), $2, 1, 'Work', 1, 'C62', 1, $3, $4, 'S', 20, 'debits', $5)",
        [company(tx), id.into(), sale.net.into(), ids.tax_code.into(), ids.account.into()],
    )
    .await?;
    tx.run(
        "INSERT INTO invoice_tax (tenant_id, invoice_id, category, rate, base_minor, tax_minor)
         VALUES ($1, $2, 'S', 20, $3, $4)",
        [company(tx), id.into(), sale.net.into(), sale.tax.into()],
    )
    .await?;
    Ok(id)
}

pub(crate) async fn issue_in(tx: &Tx, ids: Ids, id: Uuid, sale: Sale) -> Result<Uuid, Fault> {
    static SERIES: AtomicI32 = AtomicI32::new(1);
    let number = SERIES.fetch_add(1, Ordering::Relaxed);
    tx.run(
        "UPDATE invoice SET state = 'issued', number = 'N' || $2::text, series_year = 2026, series_number = $2,
             issue_date = $3, due_date = $4, rate = 1, entry_id = $5, customer_as_issued = jsonb_build_object('country', 'FR'), issued_at = now(),
             issued_by = 'system', version = version + 1
         WHERE id = $1 AND state = 'draft'",
        [id.into(), number.into(), sale.issued.into(), sale.due.into(), ids.entry.into()],
    )
    .await?;
    Ok(id)
}

pub(crate) async fn sell_in(tx: &Tx, ids: Ids, sale: Sale) -> Result<Uuid, Fault> {
    let id = draft_in(tx, ids, sale).await?;
    issue_in(tx, ids, id, sale).await
}

/// A payment received for an invoice, or made for a bill, allocated in full.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pay {
    pub(crate) on: NaiveDate,
    pub(crate) amount: i64,
    pub(crate) currency: &'static str,
    pub(crate) invoice: Option<Uuid>,
    pub(crate) bill: Option<Uuid>,
}

impl Pay {
    /// So much for an invoice in euros.
    pub(crate) fn invoice(invoice: Uuid, on: &str, amount: i64) -> Self {
        Self { on: day(on), amount, currency: "EUR", invoice: Some(invoice), bill: None }
    }
}

pub(crate) async fn pay_in(tx: &Tx, ids: Ids, pay: Pay) -> Result<Uuid, Fault> {
    let id = kernel::id::new();
    let (direction, side) = if pay.bill.is_some() { ("made", "supplier") } else { ("received", "customer") };
    tx.run(
        "INSERT INTO payment (tenant_id, id, direction, side, party_id, paid_on, currency, amount_minor, base_minor,
             method, entry_id, created_at, created_by, updated_at, updated_by)
         VALUES ($1, $2, $3, $9, (SELECT customer_id FROM invoice WHERE id = $4
             UNION ALL SELECT supplier_id FROM bill WHERE id = $4), $5, $6, $7, $7, 'transfer', $8, now(), 'system', now(),
             'system')",
        [
            company(tx),
            id.into(),
            direction.into(),
            pay.invoice.or(pay.bill).into(),
            pay.on.into(),
            pay.currency.into(),
            pay.amount.into(),
            ids.entry.into(),
            side.into(),
        ],
    )
    .await?;
    tx.run(
        "INSERT INTO allocation (tenant_id, id, payment_id, invoice_id, bill_id, amount_minor, currency,
             source_base_minor, target_base_minor, on_date, created_at, created_by)
         VALUES ($1, $2, $3, $4, $5, $6, $8, $6, $6, $7, now(), 'system')",
        [
            company(tx),
            kernel::id::new().into(),
            id.into(),
            pay.invoice.into(),
            pay.bill.into(),
            pay.amount.into(),
            pay.on.into(),
            pay.currency.into(),
        ],
    )
    .await?;
    Ok(id)
}

/// Undoes a payment's allocations and lets it bounce, on the day it was made.
pub(crate) async fn bounce_in(tx: &Tx, payment: Uuid) -> Result<(), Fault> {
    bounce_after_in(tx, payment, 0).await
}

/// Undoes a payment's allocations and lets it bounce so many days later.
pub(crate) async fn bounce_after_in(tx: &Tx, payment: Uuid, days: i32) -> Result<(), Fault> {
    undo_in(tx, "a.payment_id = $1", payment, days).await?;
    tx.run(
        "UPDATE payment SET state = 'bounced', bounced_on = paid_on + $2, bounced_reason = 'none',
             bounce_entry_id = entry_id WHERE id = $1",
        [payment.into(), days.into()],
    )
    .await?;
    Ok(())
}

/// Undoes what stands of some allocations, in one statement, so many days after they were made.
pub(crate) async fn undo_in(tx: &Tx, which: &str, of: Uuid, days: i32) -> Result<(), Fault> {
    let text = format!(
        "INSERT INTO allocation (tenant_id, id, payment_id, credit_note_id, invoice_id, bill_id, amount_minor, currency,
             source_base_minor, target_base_minor, on_date, reverses_id, created_at, created_by)
         SELECT a.tenant_id, gen_random_uuid(), a.payment_id, a.credit_note_id, a.invoice_id, a.bill_id, -a.amount_minor,
             a.currency, -a.source_base_minor, -a.target_base_minor, a.on_date + $2, a.id, now(), 'system'
         FROM allocation a WHERE {which} AND a.reverses_id IS NULL
             AND NOT EXISTS (SELECT FROM allocation r WHERE r.reverses_id = a.id)"
    );
    tx.run(&text, [of.into(), days.into()]).await?;
    Ok(())
}

/// One payment in euros for several invoices of a customer, allocated in one statement.
pub(crate) async fn pay_all_in(
    tx: &Tx,
    ids: Ids,
    on: NaiveDate,
    invoices: &[(Uuid, i64)],
    party: Uuid,
) -> Result<(), Fault> {
    let id = kernel::id::new();
    let (of, amounts): (Vec<Uuid>, Vec<i64>) = invoices.iter().copied().unzip();
    tx.run(
        "INSERT INTO payment (tenant_id, id, direction, side, party_id, paid_on, currency, amount_minor, base_minor,
             method, entry_id, created_at, created_by, updated_at, updated_by)
         VALUES ($1, $2, 'received', 'customer', $3, $4, 'EUR', $5, $5, 'card', $6, now(), 'system', now(), 'system')",
        [
            company(tx),
            id.into(),
            party.into(),
            on.into(),
            amounts.iter().sum::<i64>().into(),
            ids.entry.into(),
        ],
    )
    .await?;
    tx.run(
        "INSERT INTO allocation (tenant_id, id, payment_id, invoice_id, amount_minor, currency, source_base_minor,
             target_base_minor, on_date, created_at, created_by)
         SELECT $1, gen_random_uuid(), $2, a.id, a.amount, 'EUR', a.amount, a.amount, $5, now(), 'system'
         FROM unnest($3::uuid[], $4::bigint[]) AS a (id, amount)",
        [company(tx), id.into(), of.into(), amounts.into(), on.into()],
    )
    .await?;
    Ok(())
}

/// Sets a credit note against an invoice.
pub(crate) async fn credit_in(
    tx: &Tx,
    note: Uuid,
    invoice: Uuid,
    amount: i64,
    on: NaiveDate,
) -> Result<(), Fault> {
    tx.run(
        "INSERT INTO allocation (tenant_id, id, credit_note_id, invoice_id, amount_minor, currency,
             source_base_minor, target_base_minor, on_date, created_at, created_by)
         SELECT $1, $2, $3, $4, $5, currency, $5, $5, $6, now(), 'system' FROM invoice WHERE id = $4",
        [company(tx), kernel::id::new().into(), note.into(), invoice.into(), amount.into(), on.into()],
    )
    .await?;
    Ok(())
}

/// Records a step at ten o'clock in Paris, or some milliseconds after.
pub(crate) async fn step_in(
    tx: &Tx,
    kind: &'static str,
    subject: Uuid,
    step: &'static str,
    on: NaiveDate,
    after_ms: i64,
) -> Result<(), Fault> {
    tx.run(
        "INSERT INTO step (tenant_id, id, subject_kind, subject_id, step, at, on_day, elapsed_ms)
         SELECT $1, $2, $3, $4, $5, s.at, (s.at AT TIME ZONE 'Europe/Paris')::date, 0
         FROM (SELECT ($6::date + time '10:00') AT TIME ZONE 'Europe/Paris' + $7::bigint * interval '1 millisecond' AS at) AS s",
        [
            company(tx),
            kernel::id::new().into(),
            kind.into(),
            subject.into(),
            step.into(),
            on.into(),
            after_ms.into(),
        ],
    )
    .await?;
    Ok(())
}

/// A bill in euros, waiting since a day, due 30 days later.
pub(crate) async fn bill_in(
    tx: &Tx,
    ids: Ids,
    kind: &'static str,
    received: NaiveDate,
    payable: i64,
) -> Result<Uuid, Fault> {
    let id = kernel::id::new();
    tx.run(
        "INSERT INTO bill (tenant_id, id, kind, supplier_id, number, issue_date, due_date, received_on, received_at,
             currency, net_minor, tax_minor, total_minor, payable_minor, vat_on_payment, source, entered_by,
             created_at, created_by, updated_at, updated_by)
         VALUES ($1, $2, $3, $4, $5, $6, $6 + 30, $6, ($6 + time '10:00') AT TIME ZONE 'Europe/Paris', 'EUR', $7, 0, $7, $7,
             false, 'manual', 'system', now(), 'system', now(), 'system')",
        [
            company(tx),
            id.into(),
            kind.into(),
            ids.party.into(),
            id.to_string().into(),
            received.into(),
            payable.into(),
        ],
    )
    .await?;
    step_in(tx, "bill", id, "received", received, 0).await?;
    Ok(id)
}

/// Approves a waiting bill on a day, after so many milliseconds.
pub(crate) async fn approve_in(tx: &Tx, bill: Uuid, on: NaiveDate, elapsed_ms: i64) -> Result<(), Fault> {
    let done = tx
        .run(
            "UPDATE bill SET state = 'approved', approved_by = 'system',
                 approved_at = ($2 + time '12:00') AT TIME ZONE 'Europe/Paris'
             WHERE id = $1 AND state = 'received'",
            [bill.into(), on.into()],
        )
        .await?;
    if done == 1 {
        tx.run(
            "INSERT INTO step (tenant_id, id, subject_kind, subject_id, step, at, on_day, elapsed_ms)
             SELECT $1, $2, 'bill', id, 'approved', approved_at, $4, $5 FROM bill WHERE id = $3",
            [company(tx), kernel::id::new().into(), bill.into(), on.into(), elapsed_ms.into()],
        )
        .await?;
    }
    Ok(())
}

/// Sets columns of a bill, as SQL says. What comes late comes up to 39 days after the receipt, as the bill's id tells.
pub(crate) async fn change_bill_in(tx: &Tx, bill: Uuid, what: &'static str) -> Result<(), Fault> {
    let text = match what {
        "corrected" => "UPDATE bill SET corrected = true WHERE id = $1 AND state = 'received'",
        "restated" => {
            "UPDATE bill SET corrected = true, net_minor = net_minor + 7, total_minor = total_minor + 7,
                 payable_minor = payable_minor + 7
             WHERE id = $1 AND state = 'received'"
        }
        "rejected" => {
            "UPDATE bill SET state = 'rejected', rejected_by = 'system', rejected_at = received_at, rejected_reason = 'wrong'
             WHERE id = $1 AND state IN ('received', 'approved')"
        }
        "rejected late" => {
            "UPDATE bill SET state = 'rejected', rejected_by = 'system', rejected_reason = 'wrong',
                 rejected_at = received_at + (get_byte(uuid_send(id), 15) % 40) * interval '1 day'
             WHERE id = $1 AND state IN ('received', 'approved')"
        }
        "posted late" => {
            "UPDATE bill SET state = 'posted', posted_at = now(), posted_by = 'system', rate = 1,
                 posted_on = received_on + get_byte(uuid_send(id), 15) % 40, payable_base_minor = payable_minor,
                 entry_id = (SELECT id FROM journal_entry LIMIT 1)
             WHERE id = $1 AND state = 'approved'"
        }
        _ => {
            "UPDATE bill SET state = 'posted', posted_at = now(), posted_by = 'system', posted_on = received_on, rate = 1,
                 payable_base_minor = payable_minor, entry_id = (SELECT id FROM journal_entry LIMIT 1)
             WHERE id = $1 AND state = 'approved'"
        }
    };
    tx.run(text, [bill.into()]).await?;
    Ok(())
}

pub(crate) async fn score_in(tx: &Tx, invoice: Uuid, score: i16, on: NaiveDate) -> Result<(), Fault> {
    tx.run(
        "INSERT INTO satisfaction (tenant_id, invoice_id, score, given_on, given_at) VALUES ($1, $2, $3, $4, now())",
        [company(tx), invoice.into(), score.into(), on.into()],
    )
    .await?;
    Ok(())
}

/// A figure as it is folded.
pub(crate) async fn folded(firm: &Firm, key: &str) -> Figure {
    read(firm, key, Freshness::AtRevision).await
}

/// A figure as it is.
pub(crate) async fn current(firm: &Firm, key: &str) -> Figure {
    read(firm, key, Freshness::Current).await
}

async fn read(firm: &Firm, key: &str, freshness: Freshness) -> Figure {
    let tx = firm.scope.read().await.expect("snapshot");
    let figures = kpi::values(&tx, Some(&[key.to_owned()]), freshness).await;
    tx.end().await;
    figures.expect("figure").1.remove(0)
}

/// Amounts of a figure as currency and minor units.
pub(crate) fn amounts(figure: &Figure) -> Vec<(&'static str, i64)> {
    figure.value.amounts.iter().map(|amount| (amount.money.currency.code(), amount.money.minor)).collect()
}

/// What a company measures.
pub(crate) const KEYS: [&str; 18] = [
    "revenue_month",
    "invoices_issued_month",
    "average_invoice",
    "cash_received_month",
    "cash_paid_month",
    "receivables_open",
    "receivables_overdue",
    "overdue_share",
    "days_to_pay_mean",
    "purchases_month",
    "payables_open",
    "payables_overdue",
    "bills_waiting",
    "approval_time_mean",
    "approval_time_p90",
    "approval_working_time",
    "bill_error_rate",
    "satisfaction_mean",
];

/// What a sale in this month moves that is not due yet, in the order of the figures.
pub(crate) const BY_A_SALE: [&str; 5] =
    ["revenue_month", "invoices_issued_month", "average_invoice", "receivables_open", "overdue_share"];
