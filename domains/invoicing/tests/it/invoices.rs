//! Invoices: their life from draft to issue.

use std::collections::BTreeSet;

use chrono::NaiveDate;
use entity::invoicing::invoice::Model;
use futures_util::future::join_all;
use invoicing::Error;
use invoicing::edit::Edit;
use invoicing::invoice::reading::{self, InvoiceFilter, InvoiceSort};
use invoicing::invoice::{InvoiceEdit, NewInvoice, NewLine, PaymentState, State, payment_state, service};
use invoicing::party::{self, PartyEdit};
use kernel::page::Slice;
use kernel::sparse::Columns;
use kernel::{Currency, DomainError};
use testing::{at, day};
use uuid::Uuid;

use crate::fixture::{Shop, number, write};

async fn update(shop: &Shop, id: Uuid, version: i32, edit: InvoiceEdit) -> Result<(), Error> {
    write!(shop.scope, [edit], tx => service::update_draft(tx, id, version, edit).await)
}

async fn discard(shop: &Shop, id: Uuid, version: i32) -> Result<(), Error> {
    write!(shop.scope, [], tx => service::discard(tx, id, version).await)
}

async fn set_rate(shop: &Shop, currency: &str, rate: &str, on: NaiveDate) {
    let currency = Currency::parse(currency).expect("currency");
    let rate = number(rate);
    let set: Result<_, ledger::Error> =
        write!(shop.scope, [], tx => ledger::rate::service::set(tx, currency, on, rate, None).await);
    set.expect("rate");
}

#[tokio::test]
async fn issue_numbers_posts_and_fixes_the_customer() {
    let shop = Shop::new().await;
    let id = shop.issued(vec![shop.line("2", "50", "S20")]).await;
    let invoice = shop.invoice(id).await;
    assert_eq!(invoice.number.as_deref(), Some("F2026-000001"));
    assert_eq!((invoice.net_minor, invoice.tax_minor, invoice.total_minor), (10_000, 2_000, 12_000));
    assert_eq!((invoice.issue_date, invoice.due_date), (Some(day("2026-06-15")), Some(day("2026-07-15"))));
    assert_eq!((invoice.open_minor, invoice.version), (12_000, 2));
    let rename = PartyEdit { name: "Autre nom".to_owned().into(), ..PartyEdit::default() };
    let customer = shop.customer;
    let renamed: Result<(), Error> =
        write!(shop.scope, [rename], tx => party::service::update(tx, customer, 1, rename).await);
    renamed.expect("renamed");
    let shown = shop.invoice(id).await.customer_as_issued.expect("customer");
    assert_eq!((&shown["name"], &shown["city"]), (&"Librairie Dupont".into(), &"Paris".into()));
    let entry = "SELECT count(*) FROM journal_entry e JOIN invoice i ON i.entry_id = e.id WHERE e.tenant_id = $1
         AND e.state = 'posted' AND e.piece_ref = 'F2026-000001' AND e.source_id = i.id AND e.entry_date = '2026-06-15'";
    assert_eq!(shop.figure(entry).await, 1);
    let receivable = "SELECT count(*) FROM posting p JOIN account a ON a.id = p.account_id WHERE p.tenant_id = $1
         AND a.number LIKE '411%' AND p.debit_minor = 12000 AND p.due_on = '2026-07-15' AND p.party_id IS NOT NULL";
    assert_eq!(shop.figure(receivable).await, 1);
    assert_eq!(shop.issue(id, None).await.expect_err("twice").code(), "ALREADY_ISSUED");
    assert_eq!(discard(&shop, id, 2).await.expect_err("issued").code(), "ALREADY_ISSUED");
    assert_eq!(
        update(&shop, id, 2, InvoiceEdit::default()).await.expect_err("issued").code(),
        "ALREADY_ISSUED"
    );
}

#[tokio::test]
async fn a_draft_changes_freely_and_refuses_an_old_version() {
    let shop = Shop::new().await;
    let new = NewInvoice {
        note: Some("Pour Claire".to_owned()),
        ..shop.draft_of(vec![shop.line("1", "10", "S20")])
    };
    let id = shop.draft(new).await.expect("draft");
    let edit = InvoiceEdit {
        lines: vec![shop.line("1", "20", "S55"), shop.line("2", "5", "E0")].into(),
        payment_days: 10.into(),
        order_reference: Some(" PO-7 ".to_owned()).into(),
        ..InvoiceEdit::default()
    };
    update(&shop, id, 1, edit.clone()).await.expect("changed");
    let draft = shop.invoice(id).await;
    assert_eq!((draft.net_minor, draft.tax_minor, draft.payment_days, draft.version), (3_000, 110, 10, 2));
    assert_eq!(
        (draft.order_reference.as_deref(), draft.note.as_deref()),
        (Some("PO-7"), Some("Pour Claire"))
    );
    assert_eq!(shop.lines(id).await.iter().map(|line| line.line_no).collect::<Vec<_>>(), [1, 2]);
    assert_eq!(shop.taxes(id).await.len(), 2);
    assert!(matches!(update(&shop, id, 1, edit).await, Err(Error::Conflict { expected: 1, actual: 2 })));
    let dollars = InvoiceEdit { currency: "USD".to_owned().into(), ..InvoiceEdit::default() };
    assert_eq!(update(&shop, id, 2, dollars).await.expect_err("prices").field().as_deref(), Some("lines"));
    let terms = InvoiceEdit { note: Edit::To(None), end_of_month: true.into(), ..InvoiceEdit::default() };
    update(&shop, id, 2, terms).await.expect("terms");
    assert_eq!(shop.lines(id).await.len(), 2, "lines that are not named stay");
    shop.issue(id, None).await.expect("issued");
    assert_eq!(
        shop.invoice(id).await.due_date,
        Some(day("2026-06-30")),
        "ten days, then the end of the month"
    );
    let telling =
        "SELECT count(*) FROM event WHERE tenant_id = $1 AND convert_from(payload, 'UTF8') ~ '(Claire|PO-7)'";
    assert_eq!(shop.figure(telling).await, 0, "notes and references may name a person");
    let empty = shop.draft(shop.draft_of(vec![])).await.expect("a draft may be empty");
    assert_eq!(shop.issue(empty, None).await.expect_err("empty").code(), "NO_LINES");
    let free = NewLine { discount_percent: Some(number("100")), ..shop.line("1", "10", "S20") };
    let free = shop.draft(shop.draft_of(vec![free])).await.expect("draft");
    assert_eq!(shop.issue(free, None).await.expect_err("nothing").code(), "NOTHING_TO_INVOICE");
}

#[tokio::test]
async fn a_discarded_draft_stays_discarded() {
    let shop = Shop::new().await;
    let id = shop.draft(shop.draft_of(vec![shop.line("1", "10", "S20")])).await.expect("draft");
    assert!(matches!(discard(&shop, id, 3).await, Err(Error::Conflict { .. })));
    discard(&shop, id, 1).await.expect("discarded");
    assert_eq!(shop.invoice(id).await.state, "discarded");
    assert_eq!(shop.issue(id, None).await.expect_err("issue").code(), "NOT_DRAFT");
    assert_eq!(discard(&shop, id, 2).await.expect_err("discard").code(), "NOT_DRAFT");
    assert_eq!(update(&shop, id, 2, InvoiceEdit::default()).await.expect_err("update").code(), "NOT_DRAFT");
    assert_eq!(shop.figure("SELECT count(*) FROM journal_entry WHERE tenant_id = $1").await, 0);
    assert_eq!(
        shop.figure("SELECT count(*) FROM invoice_series WHERE tenant_id = $1").await,
        0,
        "no number is lost"
    );
    for sql in [
        format!("UPDATE invoice SET state = 'draft' WHERE id = '{id}'"),
        format!("UPDATE invoice SET note = 'x' WHERE id = '{id}'"),
        format!("UPDATE invoice_line SET net_minor = 1 WHERE invoice_id = '{id}'"),
    ] {
        assert!(shop.raw(&sql).await.expect_err(&sql).contains("never changed"), "{sql}");
    }
}

#[tokio::test]
async fn an_issued_invoice_is_frozen_in_sql() {
    let shop = Shop::new().await;
    let id = shop.issued(vec![shop.line("1", "10", "S20"), shop.line("1", "10", "S20S")]).await;
    let draft = shop.draft(shop.draft_of(vec![shop.line("1", "10", "S20")])).await.expect("draft");
    let copy = "INSERT INTO invoice_line SELECT tenant_id, gen_random_uuid(), ";
    let rest =
        "NULL, description, quantity, unit, unit_price, discount_percent, net_minor, tax_code_id, category,
         rate, chargeable, account_id, NULL FROM invoice_line";
    for sql in [
        format!("UPDATE invoice SET total_minor = 0, net_minor = 0, tax_minor = 0 WHERE id = '{id}'"),
        format!("UPDATE invoice SET state = 'draft' WHERE id = '{id}'"),
        format!("UPDATE invoice SET state = 'discarded' WHERE id = '{id}'"),
        format!("UPDATE invoice SET number = 'F2026-000009' WHERE id = '{id}'"),
        format!("UPDATE invoice SET customer_as_issued = '{{}}' WHERE id = '{id}'"),
        format!("UPDATE invoice SET due_date = '2030-01-01' WHERE id = '{id}'"),
        format!("UPDATE invoice SET entry_id = NULL WHERE id = '{id}'"),
        format!("DELETE FROM invoice WHERE id = '{id}'"),
        format!("UPDATE invoice_line SET description = 'x' WHERE invoice_id = '{id}'"),
        format!("UPDATE invoice_line SET invoice_id = '{draft}', line_no = 9 WHERE invoice_id = '{id}'"),
        format!("UPDATE invoice_line SET invoice_id = '{id}', line_no = 9 WHERE invoice_id = '{draft}'"),
        format!("DELETE FROM invoice_line WHERE invoice_id = '{id}'"),
        format!("{copy} '{id}', 9, {rest} WHERE invoice_id = '{draft}'"),
        format!("UPDATE invoice_tax SET tax_minor = 0 WHERE invoice_id = '{id}'"),
        format!("UPDATE invoice_tax SET waiting_minor = 0 WHERE invoice_id = '{id}'"),
        format!("DELETE FROM invoice_tax WHERE invoice_id = '{id}'"),
        format!("UPDATE invoice SET settled_minor = total_minor + 1 WHERE id = '{id}'"),
        format!("UPDATE invoice SET state = 'issued' WHERE id = '{draft}'"),
        "TRUNCATE invoice CASCADE".to_owned(),
        "UPDATE invoice_series SET last_number = 0".to_owned(),
        "UPDATE invoice_series SET last_number = last_number + 1, last_date = '2020-01-01'".to_owned(),
        "DELETE FROM invoice_series".to_owned(),
        "ALTER TABLE invoice DISABLE TRIGGER frozen".to_owned(),
    ] {
        let refused = shop.raw(&sql).await.expect_err(&sql);
        let by_rule = ["never", "goes on by one", "permission denied", "must be owner", "violates check"];
        assert!(by_rule.iter().any(|rule| refused.contains(rule)), "{sql}: {refused}");
    }
    for (of, transferred) in [(id, 1), (id, 0), (draft, 0)] {
        let sql =
            format!("UPDATE invoice_tax SET transferred_minor = {transferred} WHERE invoice_id = '{of}'");
        let refused = shop.raw(&sql).await.expect_err("only an allocation transfers waiting tax");
        assert!(refused.contains("permission denied"), "{refused}");
    }
    let begun = format!(
        "INSERT INTO invoice_tax (tenant_id, invoice_id, category, rate, base_minor, tax_minor, waiting_minor, transferred_minor)
         SELECT tenant_id, id, 'S', 10, 10, 1, 1, 1 FROM invoice WHERE id = '{draft}'"
    );
    assert!(shop.raw(&begun).await.expect_err("transferred from the start").contains("permission denied"));
    // A draft whose lines do not add up is not issued, whoever forgot them.
    let wrong = format!(
        "UPDATE invoice SET net_minor = 999, tax_minor = 201, total_minor = 1200 WHERE id = '{draft}'"
    );
    shop.raw(&wrong).await.expect("a draft may be wrong");
    let issue = format!(
        "UPDATE invoice SET state = 'issued', number = 'F2026-000002', series_year = 2026, series_number = 2,
             issue_date = '2026-06-15', due_date = '2026-06-15', rate = 1, customer_as_issued = '{{}}', issued_at = now(),
             issued_by = 'x', entry_id = (SELECT entry_id FROM invoice WHERE id = '{id}') WHERE id = '{draft}'"
    );
    assert!(shop.raw(&issue).await.expect_err("sums").contains("do not add up"));
}

/// Issues a draft by SQL with the entry of another document.
fn issue_by_hand(draft: Uuid, like: Uuid, number: i32, on: &str) -> String {
    format!(
        "UPDATE invoice SET state = 'issued', number = 'F2026-000077', series_year = 2026, series_number = {number},
             issue_date = '{on}', due_date = '{on}', rate = 1, customer_as_issued = '{{}}', issued_at = now(),
             issued_by = 'x', entry_id = (SELECT entry_id FROM invoice WHERE id = '{like}') WHERE id = '{draft}'"
    )
}

#[tokio::test]
async fn nothing_is_issued_under_an_older_snapshot() {
    let shop = Shop::new().await;
    let id = shop.issued(vec![shop.line("1", "10", "S20")]).await;
    let draft = shop.draft(shop.draft_of(vec![shop.line("1", "10", "S20")])).await.expect("draft");
    for level in ["REPEATABLE READ", "SERIALIZABLE"] {
        let issue = issue_by_hand(draft, id, 2, "2026-06-15");
        let sql = format!("SET TRANSACTION ISOLATION LEVEL {level}; {issue}");
        assert!(shop.raw(&sql).await.expect_err(level).contains("READ COMMITTED"));
    }
    shop.raw(&issue_by_hand(draft, id, 2, "2026-06-15")).await.expect("under READ COMMITTED it is");
}

#[tokio::test]
async fn raw_sql_leaves_no_gap_in_a_series() {
    let shop = Shop::new().await;
    let id = shop.issued(vec![shop.line("1", "10", "S20")]).await;
    let draft = async || shop.draft(shop.draft_of(vec![shop.line("1", "10", "S20")])).await.expect("draft");
    let (first, second) = (draft().await, draft().await);
    let take = "UPDATE invoice_series SET last_number = last_number + 1, last_date = '2026-06-15'";
    let begin = "INSERT INTO invoice_series (tenant_id, kind, year, last_number, last_date)
         SELECT tenant_id, 'invoice', 2031, 1, '2031-01-01' FROM invoice_series";
    for (sql, rule) in [
        (take.to_owned(), "taken by the document"),
        (begin.to_owned(), "taken by the document"),
        (format!("{take}; {take}; {}", issue_by_hand(first, id, 3, "2026-06-15")), "taken by the document"),
        (format!("{take}; {}", issue_by_hand(first, id, 3, "2026-06-15")), "taken by the document"),
        (format!("{take}; {}", issue_by_hand(first, id, 2, "2026-06-14")), "for another day"),
    ] {
        let refused = shop.raw(&sql).await.expect_err(&sql);
        assert!(refused.contains(rule), "{sql}: {refused}");
    }
    shop.raw(&issue_by_hand(first, id, 77, "2026-06-15")).await.expect("a free number gives way to the next");
    let issued = shop.invoice(first).await;
    assert_eq!((issued.number.as_deref(), issued.series_number), (Some("F2026-000002"), Some(2)));
    shop.issue(second, None).await.expect("issued");
    assert_eq!(shop.invoice(second).await.number.as_deref(), Some("F2026-000003"));
}

#[tokio::test]
async fn numbers_are_gapless_when_many_issue_at_once() {
    let shop = Shop::with_connections(16).await;
    let mut drafts = Vec::new();
    for at in 0..34 {
        let lines = if at % 10 == 9 { vec![] } else { vec![shop.line("1", "10", "S20")] };
        drafts.push(shop.draft(shop.draft_of(lines)).await.expect("draft"));
    }
    let done = join_all(drafts.iter().map(|id| shop.issue(*id, None))).await;
    assert_eq!(
        done.iter().filter(|issued| issued.is_ok()).count(),
        31,
        "three were empty and took no number"
    );
    let mut numbers = BTreeSet::new();
    for (id, issued) in drafts.iter().zip(&done) {
        if issued.is_ok() {
            numbers.insert(shop.invoice(*id).await.number.expect("number"));
        }
    }
    let expected: BTreeSet<_> = (1..=31).map(|number| format!("F2026-{number:06}")).collect();
    assert_eq!(numbers, expected);
    let entries =
        "SELECT count(DISTINCT number) * 1000 + max(number) FROM journal_entry WHERE tenant_id = $1";
    assert_eq!(shop.figure(entries).await, 31_031, "the entries' numbers are gapless too");
}

#[tokio::test]
async fn dates_of_a_series_never_go_back() {
    let shop = Shop::new().await;
    let draft = async || shop.draft(shop.draft_of(vec![shop.line("1", "10", "S20")])).await.expect("draft");
    let future = shop.issue(draft().await, Some(day("2026-06-16"))).await.expect_err("tomorrow");
    assert_eq!((future.code(), future.field().as_deref()), ("ISSUE_DATE_IN_FUTURE", Some("issueDate")));
    shop.issue(draft().await, Some(day("2026-05-10"))).await.expect("in the past");
    let id = draft().await;
    let back = shop.issue(id, Some(day("2026-05-09"))).await.expect_err("before the last");
    assert_eq!((back.code(), back.field().as_deref()), ("ISSUE_DATE_BEFORE_LAST", Some("issueDate")));
    assert!(back.to_string().contains("2026-05-10"), "it names the date: {back}");
    shop.issue(id, Some(day("2026-05-10"))).await.expect("the same day");
    assert_eq!(shop.invoice(id).await.number.as_deref(), Some("F2026-000002"));
    shop.test.clock.set(at("2026-06-15T22:30:00Z"));
    shop.issue(draft().await, Some(day("2026-06-16"))).await.expect("in Paris it is the sixteenth");
}

#[tokio::test]
async fn a_new_year_begins_a_new_series() {
    let shop = Shop::new().await;
    let opened: Result<_, ledger::Error> =
        write!(shop.scope, [], tx => ledger::year::open_next_year_in(tx).await);
    opened.expect("2027");
    shop.issued(vec![shop.line("1", "10", "S20")]).await;
    shop.test.clock.set(at("2026-12-31T23:30:00Z"));
    let id = shop.issued(vec![shop.line("1", "10", "S20")]).await;
    assert_eq!(
        shop.invoice(id).await.number.as_deref(),
        Some("F2027-000001"),
        "in Paris the new year has begun"
    );
    let late = shop.draft(shop.draft_of(vec![shop.line("1", "10", "S20")])).await.expect("draft");
    shop.issue(late, Some(day("2026-12-31"))).await.expect("the old series goes on");
    assert_eq!(shop.invoice(late).await.number.as_deref(), Some("F2026-000002"));
}

#[tokio::test]
async fn a_foreign_invoice_is_posted_in_the_companys_currency() {
    let shop = Shop::new().await;
    let lines =
        vec![shop.line("3", "33.33", "S20"), shop.line("1", "10.01", "S20S"), shop.line("1", "5.55", "E0")];
    let new = NewInvoice { currency: Some("USD".to_owned()), ..shop.draft_of(lines) };
    let id = shop.draft(new).await.expect("draft");
    let missing = shop.issue(id, None).await.expect_err("no rate");
    assert_eq!((missing.code(), missing.field().as_deref()), ("RATE_MISSING", Some("currency")));
    assert_eq!(
        shop.figure("SELECT count(*) FROM invoice_series WHERE tenant_id = $1").await,
        0,
        "no number is lost"
    );
    set_rate(&shop, "USD", "0.91743", day("2026-06-01")).await;
    shop.issue(id, None).await.expect("issued");
    let invoice = shop.invoice(id).await;
    assert_eq!((invoice.net_minor, invoice.tax_minor, invoice.total_minor), (11_555, 2_200, 13_755));
    assert_eq!(invoice.total_base_minor, 12_619, "137.55 × 0.91743 = 126.19");
    let sums = async |what: &str| {
        let sql = format!(
            "SELECT sum({what})::bigint FROM posting p JOIN account a ON a.id = p.account_id WHERE p.tenant_id = $1"
        );
        shop.figure(&sql).await
    };
    assert_eq!(sums("p.debit_minor - p.credit_minor").await, 0);
    assert_eq!(sums("p.foreign_minor").await, 0, "it balances in dollars as well");
    assert_eq!(
        sums("CASE WHEN a.number LIKE '70%' THEN p.credit_minor ELSE 0 END").await,
        invoice.net_base_minor
    );
    let waiting = shop.taxes(id).await.iter().map(|tax| tax.waiting_minor).sum::<i64>();
    assert_eq!(waiting, 184, "the tax on 10.01 dollars, in euros");
    assert_eq!(sums("CASE WHEN a.number LIKE '44574%' THEN p.credit_minor ELSE 0 END").await, waiting);
    let yen = NewInvoice {
        currency: Some("JPY".to_owned()),
        ..shop.draft_of(vec![shop.line("1", "1000.4", "S20")])
    };
    let yen = shop.draft(yen).await.expect("draft");
    assert_eq!(shop.invoice(yen).await.total_minor, 1_200, "a yen has no cents");
}

#[tokio::test]
async fn written_lines_are_checked_each_at_its_path() {
    let shop = Shop::new().await;
    let good = || shop.line("1", "10", "S20");
    let cases: Vec<(&str, NewLine)> = vec![
        ("lines.1.quantity", NewLine { quantity: number("0"), ..good() }),
        ("lines.1.quantity", NewLine { quantity: number("-1"), ..good() }),
        ("lines.1.unitPrice", NewLine { unit_price: None, ..good() }),
        ("lines.1.unitPrice", NewLine { unit_price: Some(number("-0.01")), ..good() }),
        ("lines.1.discountPercent", NewLine { discount_percent: Some(number("100.1")), ..good() }),
        ("lines.1.description", NewLine { description: None, ..good() }),
        ("lines.1.description", NewLine { description: Some("x".repeat(1001)), ..good() }),
        ("lines.1.unit", NewLine { unit: Some("heures".to_owned()), ..good() }),
        ("lines.1.taxCodeId", NewLine { tax_code_id: None, ..good() }),
        ("lines.1.taxCodeId", NewLine { tax_code_id: Some(kernel::id::new()), ..good() }),
        ("lines.1.itemId", NewLine { item_id: Some(kernel::id::new()), ..good() }),
        (
            "lines.1",
            NewLine {
                quantity: number("1000000000000"),
                unit_price: Some(number("1000000000000")),
                ..good()
            },
        ),
        ("accountId", NewLine { account_id: Some(kernel::id::new()), ..good() }),
    ];
    for (field, line) in cases {
        let error = shop.draft(shop.draft_of(vec![good(), line.clone()])).await.expect_err("refused");
        assert_eq!(error.field().as_deref(), Some(field), "{error} of {line:?}");
    }
    assert_eq!(shop.figure("SELECT count(*) FROM invoice WHERE tenant_id = $1").await, 0);
    let supplier = NewInvoice { customer_id: shop.supplier, ..shop.draft_of(vec![]) };
    assert_eq!(shop.draft(supplier).await.expect_err("a supplier").field().as_deref(), Some("customerId"));
    let twice = NewInvoice { external_ref: Some("crm-1".to_owned()), ..shop.draft_of(vec![]) };
    shop.draft(twice.clone()).await.expect("first");
    assert_eq!(shop.draft(twice).await.expect_err("second").code(), "DUPLICATE_EXTERNAL_REF");
}

fn invoice_with(total: i64, settled: i64, credited: i64, base: &Model) -> Model {
    Model { total_minor: total, settled_minor: settled, credited_minor: credited, ..base.clone() }
}

#[tokio::test]
async fn the_payment_state_is_derived() {
    let shop = Shop::new().await;
    let id = shop.draft(shop.draft_of(vec![shop.line("1", "10", "S20")])).await.expect("draft");
    assert_eq!(payment_state(&shop.invoice(id).await, shop.scope.today()), None, "a draft has none");
    shop.issue(id, None).await.expect("issued");
    let base = shop.invoice(id).await;
    let (due, late) = (day("2026-07-15"), day("2026-07-16"));
    for (settled, credited, on_due, after) in [
        (0, 0, PaymentState::Open, PaymentState::Overdue),
        (1, 0, PaymentState::PartlyPaid, PaymentState::Overdue),
        (0, 1, PaymentState::PartlyPaid, PaymentState::Overdue),
        (1200, 0, PaymentState::Paid, PaymentState::Paid),
        (200, 1000, PaymentState::Paid, PaymentState::Paid),
        (0, 1200, PaymentState::Credited, PaymentState::Credited),
    ] {
        let invoice = invoice_with(1200, settled, credited, &base);
        assert_eq!(payment_state(&invoice, due), Some(on_due), "{settled} {credited}");
        assert_eq!(payment_state(&invoice, late), Some(after), "{settled} {credited}");
    }
    let credit_note = Model { kind: "credit_note".to_owned(), ..base };
    assert_eq!(payment_state(&credit_note, late), Some(PaymentState::Open), "a credit note is never overdue");
}

#[tokio::test]
async fn lists_filter_sort_and_agree_with_the_derived_state() {
    let shop = Shop::new().await;
    let mut ids = Vec::new();
    for (at, on) in ["2026-03-01", "2026-04-01", "2026-06-01", "2026-06-15"].iter().enumerate() {
        let lines = vec![shop.line("1", &format!("{}", at + 1), "S20")];
        ids.push(shop.draft(shop.draft_of(lines)).await.expect("draft"));
        shop.issue(ids[at], Some(day(on))).await.expect("issued");
    }
    let draft = shop.draft(shop.draft_of(vec![shop.line("1", "9", "S20")])).await.expect("draft");
    shop.paid(ids[0], 120).await;
    shop.paid(ids[1], 100).await;
    let tx = shop.scope.read().await.expect("snapshot");
    let list = async |filter: &InvoiceFilter, sort| {
        let page = reading::list(&tx, filter, sort, &Slice::first(10), Columns::All).await.expect("list");
        let count = reading::count(&tx, filter, sort).await.expect("count");
        assert_eq!(usize::try_from(count).expect("few"), page.items.len(), "{filter:?}");
        page.items
    };
    let found = async |filter: InvoiceFilter, sort| {
        list(&filter, sort).await.iter().map(|invoice| invoice.id).collect::<Vec<_>>()
    };
    let all = InvoiceFilter::default();
    assert_eq!(found(all.clone(), InvoiceSort::Newest).await, [draft, ids[3], ids[2], ids[1], ids[0]]);
    assert_eq!(found(all.clone(), InvoiceSort::IssueDate).await, [ids[3], ids[2], ids[1], ids[0]]);
    assert_eq!(found(all.clone(), InvoiceSort::DueDate).await, [ids[0], ids[1], ids[2], ids[3]]);
    for (filter, expected) in [
        (InvoiceFilter { states: Some(vec![State::Draft, State::Discarded]), ..all.clone() }, vec![draft]),
        (
            InvoiceFilter {
                issued_from: Some(day("2026-04-01")),
                issued_to: Some(day("2026-06-01")),
                ..all.clone()
            },
            vec![ids[2], ids[1]],
        ),
        (InvoiceFilter { due_to: Some(day("2026-05-01")), ..all.clone() }, vec![ids[1], ids[0]]),
        (
            InvoiceFilter {
                number_prefix: Some("f2026-00000".to_owned()),
                customer_id: Some(shop.customer),
                ..all.clone()
            },
            vec![ids[3], ids[2], ids[1], ids[0]],
        ),
        (InvoiceFilter { number_prefix: Some("F2026-000003".to_owned()), ..all.clone() }, vec![ids[2]]),
        (InvoiceFilter { customer_id: Some(shop.supplier), ..all.clone() }, vec![]),
        (InvoiceFilter { external_ref: Some("x".to_owned()), ..all.clone() }, vec![]),
    ] {
        assert_eq!(found(filter.clone(), InvoiceSort::Newest).await, expected, "{filter:?}");
    }
    let mut seen = 0;
    for state in [
        PaymentState::Open,
        PaymentState::PartlyPaid,
        PaymentState::Overdue,
        PaymentState::Paid,
        PaymentState::Credited,
    ] {
        let filter = InvoiceFilter { payment_state: Some(state), ..all.clone() };
        for invoice in list(&filter, InvoiceSort::Newest).await {
            assert_eq!(payment_state(&invoice, shop.scope.today()), Some(state));
            seen += 1;
        }
    }
    assert_eq!(seen, 4, "each issued invoice is in exactly one state");
}

#[tokio::test]
async fn a_refusal_of_the_ledger_names_the_field_of_this_input() {
    let shop = Shop::new().await;
    let id = shop.draft(shop.draft_of(vec![shop.line("1", "10", "S20")])).await.expect("draft");
    let refused = shop.issue(id, Some(day("2025-12-31"))).await.expect_err("no year covers it");
    assert_eq!((refused.code(), refused.field().as_deref()), ("NO_FISCAL_YEAR", Some("issueDate")));
    assert_eq!(shop.invoice(id).await.state, "draft");
}
