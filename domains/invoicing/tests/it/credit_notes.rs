//! Credit notes: what they take back, and never more than there is.

use futures_util::future::join_all;
use invoicing::Error;
use invoicing::credit_note::{CreditAmount, CreditLine, CreditNoteEdit, NewCreditNote, service};
use invoicing::invoice::{self, NewInvoice, PaymentState, payment_state};
use kernel::DomainError;
use testing::day;
use uuid::Uuid;

use crate::fixture::{Shop, number, write};

fn credit(line_id: Uuid, amount: CreditAmount) -> CreditLine {
    CreditLine { line_id, amount, description: None }
}

fn of(invoice_id: Uuid, lines: Option<Vec<CreditLine>>) -> NewCreditNote {
    NewCreditNote { invoice_id, lines, note: None, external_ref: None }
}

async fn draft(shop: &Shop, new: NewCreditNote) -> Result<Uuid, Error> {
    write!(shop.scope, [new], tx => service::create_draft(tx, new).await)
}

async fn issued(shop: &Shop, new: NewCreditNote) -> Uuid {
    let id = draft(shop, new).await.expect("draft");
    shop.issue(id, None).await.expect("issued");
    id
}

async fn balance(shop: &Shop, accounts: &str) -> i64 {
    let sql = format!(
        "SELECT sum(p.debit_minor - p.credit_minor)::bigint FROM posting p
         JOIN account a ON a.id = p.account_id AND a.tenant_id = p.tenant_id
         WHERE p.tenant_id = $1 AND a.number ~ '{accounts}'"
    );
    shop.figure(&sql).await
}

#[tokio::test]
async fn a_full_credit_note_takes_everything_back() {
    let shop = Shop::new().await;
    let lines = vec![shop.line("3", "0.335", "S20"), shop.line("1", "10", "S20S"), shop.line("2", "4", "K")];
    let id = shop.issued(lines).await;
    let note = issued(&shop, of(id, None)).await;
    let (invoice, note) = (shop.invoice(id).await, shop.invoice(note).await);
    assert_eq!(note.number.as_deref(), Some("A2026-000001"));
    assert_eq!((note.kind.as_str(), note.corrects_id), ("credit_note", Some(id)));
    assert_eq!((note.net_minor, note.tax_minor), (invoice.net_minor, invoice.tax_minor));
    assert_eq!(note.due_date, note.issue_date);
    for accounts in ["^411", "^70", "^4457", "."] {
        assert_eq!(balance(&shop, accounts).await, 0, "{accounts}");
    }
    assert_eq!((invoice.credited_minor, invoice.open_minor), (invoice.total_minor, 0));
    assert_eq!((note.credited_minor, note.open_minor), (note.total_minor, 0));
    assert_eq!(payment_state(&invoice, shop.scope.today()), Some(PaymentState::Credited));
    assert_eq!(draft(&shop, of(id, None)).await.expect_err("nothing left").code(), "NOTHING_LEFT_TO_CREDIT");
    let tx = shop.scope.read().await.expect("snapshot");
    let notes = invoice::reading::credit_notes_of(&tx, &[id]).await.expect("notes");
    assert_eq!(notes.iter().map(|found| found.id).collect::<Vec<_>>(), [note.id]);
}

#[tokio::test]
async fn parts_by_quantity_and_amount_and_then_the_rest() {
    let shop = Shop::new().await;
    let id = shop.issued(vec![shop.line("10", "12.34", "S20"), shop.line("1", "100", "S55")]).await;
    let lines = shop.lines(id).await;
    let first = vec![
        credit(lines[0].id, CreditAmount::Quantity(number("2.5"))),
        CreditLine {
            description: Some("Geste commercial".to_owned()),
            ..credit(lines[1].id, CreditAmount::Net(number("15.5")))
        },
    ];
    let note = issued(&shop, of(id, Some(first))).await;
    let stored = shop.lines(note).await;
    assert_eq!(stored.iter().map(|line| line.net_minor).collect::<Vec<_>>(), [3_085, 1_550]);
    assert_eq!(stored[1].description, "Geste commercial");
    assert_eq!(shop.invoice(note).await.tax_minor, 617 + 85, "20 % of 30.85 and 5.5 % of 15.50");
    let rest = issued(&shop, of(id, None)).await;
    let (invoice, note, rest) = (shop.invoice(id).await, shop.invoice(note).await, shop.invoice(rest).await);
    assert_eq!(note.net_minor + rest.net_minor, invoice.net_minor);
    assert_eq!(note.tax_minor + rest.tax_minor, invoice.tax_minor, "to the cent");
    assert_eq!(balance(&shop, "^4457").await, 0);
}

#[tokio::test]
async fn rounded_parts_do_not_exceed_the_tax_of_the_group() {
    let shop = Shop::new().await;
    // 0.06 at 20 % is 0.01; each half would round up to 0.01 as well.
    let id = shop.issued(vec![shop.line("2", "0.03", "S20")]).await;
    let line = shop.lines(id).await[0].id;
    let half = || of(id, Some(vec![credit(line, CreditAmount::Quantity(number("1")))]));
    let (first, second) = (issued(&shop, half()).await, issued(&shop, half()).await);
    let tax = shop.invoice(first).await.tax_minor + shop.invoice(second).await.tax_minor;
    assert_eq!(tax, shop.invoice(id).await.tax_minor);
    // 3 × 0.335 rounds to 1.01, three times 0.34 would be 1.02.
    let id = shop.issued(vec![shop.line("3", "0.335", "E0")]).await;
    let line = shop.lines(id).await[0].id;
    for _ in 0..3 {
        issued(&shop, of(id, Some(vec![credit(line, CreditAmount::Quantity(number("1")))]))).await;
    }
    assert_eq!(shop.invoice(id).await.open_minor, 0);
}

#[tokio::test]
async fn no_line_is_credited_beyond_what_is_left() {
    let shop = Shop::new().await;
    let id = shop.issued(vec![shop.line("10", "10", "S20"), shop.line("1", "1000", "S20")]).await;
    let lines = shop.lines(id).await;
    let ask = async |amount| draft(&shop, of(id, Some(vec![credit(lines[0].id, amount)]))).await;
    let over = ask(CreditAmount::Quantity(number("10.5"))).await.expect_err("more units");
    assert_eq!((over.code(), over.field().as_deref()), ("CREDIT_EXCEEDS_INVOICE", Some("lines.0")));
    assert!(over.to_string().contains("100.00 EUR"), "it says what is left: {over}");
    assert_eq!(
        ask(CreditAmount::Net(number("100.01"))).await.expect_err("a cent").code(),
        "CREDIT_EXCEEDS_INVOICE"
    );
    assert_eq!(ask(CreditAmount::Net(number("0.001"))).await.expect_err("digits").code(), "INVALID");
    assert_eq!(ask(CreditAmount::Net(number("-5"))).await.expect_err("negative").code(), "INVALID");
    assert_eq!(ask(CreditAmount::Quantity(number("0"))).await.expect_err("zero").code(), "INVALID");
    let twice = vec![
        credit(lines[0].id, CreditAmount::Net(number("60"))),
        credit(lines[0].id, CreditAmount::Net(number("60"))),
    ];
    let over = draft(&shop, of(id, Some(twice))).await.expect_err("together");
    assert_eq!(over.field().as_deref(), Some("lines.1"));
    let other = shop.issued(vec![shop.line("1", "10", "S20")]).await;
    let foreign = shop.lines(other).await[0].id;
    let unknown = draft(&shop, of(id, Some(vec![credit(foreign, CreditAmount::Rest)])))
        .await
        .expect_err("another's line");
    assert_eq!((unknown.code(), unknown.field().as_deref()), ("NOT_FOUND", Some("lines.0.lineId")));
    assert_eq!(draft(&shop, of(id, Some(vec![]))).await.expect_err("none").code(), "NO_LINES");
    // Two drafts for the same hundred: the second is refused when it is issued, and can then be changed.
    let whole = || of(id, Some(vec![credit(lines[0].id, CreditAmount::Rest)]));
    let (first, second) =
        (draft(&shop, whole()).await.expect("draft"), draft(&shop, whole()).await.expect("draft"));
    shop.issue(first, None).await.expect("first");
    assert_eq!(shop.issue(second, None).await.expect_err("second").code(), "CREDIT_EXCEEDS_INVOICE");
    let edit = CreditNoteEdit { lines: None.into(), ..CreditNoteEdit::default() };
    let changed: Result<(), Error> =
        write!(shop.scope, [edit], tx => service::update_draft(tx, second, 1, edit).await);
    changed.expect("all that is left");
    shop.issue(second, None).await.expect("second");
    assert_eq!(shop.invoice(second).await.net_minor, 100_000);
}

#[tokio::test]
async fn credits_of_many_at_once_stay_within_the_invoice() {
    let shop = Shop::with_connections(12).await;
    let id = shop.issued(vec![shop.line("10", "7.77", "S20"), shop.line("1", "5", "S20S")]).await;
    let line = shop.lines(id).await[0].id;
    let mut notes = Vec::new();
    for _ in 0..12 {
        let quantity = CreditAmount::Quantity(number("3"));
        notes.push(draft(&shop, of(id, Some(vec![credit(line, quantity)]))).await.expect("draft"));
    }
    let done = join_all(notes.iter().map(|note| shop.issue(*note, None))).await;
    assert_eq!(done.iter().filter(|issued| issued.is_ok()).count(), 3, "three times three of ten");
    for refused in done.into_iter().filter_map(Result::err) {
        assert_eq!(refused.code(), "CREDIT_EXCEEDS_INVOICE");
    }
    let credited = "SELECT sum(total_minor)::bigint FROM invoice WHERE tenant_id = $1 AND kind = 'credit_note' AND state = 'issued'";
    let invoice = shop.invoice(id).await;
    assert_eq!(shop.figure(credited).await, invoice.credited_minor);
    assert!(invoice.credited_minor <= invoice.total_minor);
    let last = "SELECT max(series_number)::bigint FROM invoice WHERE tenant_id = $1 AND kind = 'credit_note'";
    assert_eq!(shop.figure(last).await, 3, "a refused credit note takes no number");
}

#[tokio::test]
async fn the_database_holds_the_limit_by_itself() {
    let shop = Shop::new().await;
    let id = shop.issued(vec![shop.line("1", "10", "S20")]).await;
    let line = shop.lines(id).await[0].id;
    let whole = || of(id, Some(vec![credit(line, CreditAmount::Rest)]));
    let (first, second) =
        (draft(&shop, whole()).await.expect("draft"), draft(&shop, whole()).await.expect("draft"));
    shop.issue(first, None).await.expect("first");
    let issue = format!(
        "UPDATE invoice SET state = 'issued', number = 'A2026-000002', series_year = 2026, series_number = 2,
             issue_date = '2026-06-15', due_date = '2026-06-15', rate = 1, customer_as_issued = '{{}}', issued_at = now(),
             issued_by = 'x', entry_id = (SELECT entry_id FROM invoice WHERE id = '{id}') WHERE id = '{second}'"
    );
    assert!(shop.raw(&issue).await.expect_err("too much").contains("exceed"));
}

#[tokio::test]
async fn a_paid_invoice_is_credited_on_account() {
    let shop = Shop::new().await;
    let id = shop.issued(vec![shop.line("1", "100", "S20")]).await;
    shop.paid(id, 9_000).await;
    let note = issued(&shop, of(id, None)).await;
    let (invoice, note) = (shop.invoice(id).await, shop.invoice(note).await);
    assert_eq!((invoice.settled_minor, invoice.credited_minor, invoice.open_minor), (9_000, 3_000, 0));
    assert_eq!((note.credited_minor, note.open_minor), (3_000, 9_000), "the rest is to be refunded");
    assert_eq!(payment_state(&invoice, shop.scope.today()), Some(PaymentState::Paid));
}

#[tokio::test]
async fn only_issued_invoices_are_corrected_and_each_kind_is_changed_as_itself() {
    let shop = Shop::new().await;
    let plain = shop.draft(shop.draft_of(vec![shop.line("1", "10", "S20")])).await.expect("draft");
    assert_eq!(draft(&shop, of(plain, None)).await.expect_err("a draft").code(), "NOT_ISSUED");
    assert_eq!(draft(&shop, of(kernel::id::new(), None)).await.expect_err("unknown").code(), "NOT_FOUND");
    let id = shop.issued(vec![shop.line("1", "10", "S20")]).await;
    let note = draft(&shop, of(id, None)).await.expect("draft");
    let edit = invoice::InvoiceEdit::default();
    let as_invoice: Result<(), Error> =
        write!(shop.scope, [edit], tx => invoice::service::update_draft(tx, note, 1, edit).await);
    assert_eq!(as_invoice.expect_err("a credit note").code(), "WRONG_STATE");
    let edit = CreditNoteEdit { note: Some("Retour".to_owned()).into(), ..CreditNoteEdit::default() };
    let as_note: Result<(), Error> =
        write!(shop.scope, [edit], tx => service::update_draft(tx, plain, 1, edit).await);
    assert_eq!(as_note.expect_err("an invoice").code(), "WRONG_STATE");
    let noted: Result<(), Error> =
        write!(shop.scope, [edit], tx => service::update_draft(tx, note, 1, edit).await);
    noted.expect("noted");
    shop.issue(note, None).await.expect("issued");
    assert_eq!(
        draft(&shop, of(note, None)).await.expect_err("a credit note").field().as_deref(),
        Some("invoiceId")
    );
}

#[tokio::test]
async fn a_foreign_credit_note_keeps_the_rate_of_its_invoice() {
    let shop = Shop::new().await;
    let dollar = kernel::Currency::parse("USD").expect("dollar");
    for (rate, on) in [("0.9", "2026-06-01"), ("0.8", "2026-06-10")] {
        let (rate, on) = (number(rate), day(on));
        let set: Result<_, ledger::Error> =
            write!(shop.scope, [], tx => ledger::rate::service::set(tx, dollar, on, rate, None).await);
        set.expect("rate");
    }
    let new =
        NewInvoice { currency: Some("USD".to_owned()), ..shop.draft_of(vec![shop.line("1", "100", "S20")]) };
    let id = shop.draft(new).await.expect("draft");
    shop.issue(id, Some(day("2026-06-05"))).await.expect("issued");
    let note = issued(&shop, of(id, None)).await;
    let note = shop.invoice(note).await;
    assert_eq!(
        (note.rate.map(|rate| rate.normalize()), note.total_base_minor),
        (Some(number("0.9")), 10_800)
    );
    assert_eq!(balance(&shop, "^411").await, 0, "no exchange difference arises");
}
