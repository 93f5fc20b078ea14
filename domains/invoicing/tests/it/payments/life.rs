//! The life of a payment: recorded, allocated, undone, bounced; and credit notes and refunds.

use chrono::Days;
use invoicing::Error;
use invoicing::invoice::{PaymentState, payment_state};
use invoicing::payment::{Direction, Method, Target};
use kernel::DomainError;
use testing::day;

use super::books;
use super::world::{World, allocate, bounce, credit, deallocate, new_payment, record};

fn code<T: std::fmt::Debug>(result: Result<T, Error>) -> (String, Option<String>) {
    let error = result.expect_err("refused");
    (error.code().to_owned(), error.field())
}

fn refused(code: &str, field: &str) -> (String, Option<String>) {
    (code.to_owned(), Some(field.to_owned()))
}

#[tokio::test]
async fn a_payment_is_posted_to_the_bank_journal_and_settles_at_once() {
    let world = World::new().await;
    let customer = world.customer("A").await;
    let invoice = world.invoice(customer, &[(10_000, true)]).await;
    let mut payment = new_payment(Direction::Received, customer, world.scope.today(), 12_000);
    payment.reference = Some("VIR 42".to_owned());
    payment.allocations = vec![(Target::Invoice(invoice), 12_000)];
    let id = record(&world.scope, payment).await.expect("recorded");
    let stored = world.payment(id).await;
    assert_eq!((stored.amount_minor, stored.base_minor, stored.allocated_minor), (12_000, 12_000, 12_000));
    let lines = world.lines_of(stored.entry_id).await;
    assert_eq!(lines, [("BQ", "512", 12_000), ("BQ", "411", -12_000)].map(World::line));
    let allocation = &world.standing_of(id).await[0];
    let lines = world.lines_of(allocation.entry_id.expect("tax was transferred")).await;
    assert_eq!(lines, [("OD", "44574", 2_000), ("OD", "44571", -2_000)].map(World::line));
    assert_eq!(world.state_of(invoice).await, Some(PaymentState::Paid));
    books::check(&world.test, &world.scope, "paid").await;
}

#[tokio::test]
async fn the_bases_of_what_is_transferred_make_the_base_that_waited() {
    let world = World::new().await;
    let customer = world.customer("A").await;
    // 20 % of 10.03 are 2.01, of which the base would be 10.05.
    let invoice = world.invoice(customer, &[(1_003, true), (77, false)]).await;
    let open = world.invoice_row(invoice).await.open_minor;
    for part in [1, 333, open - 334] {
        let mut payment = new_payment(Direction::Received, customer, world.scope.today(), part);
        payment.allocations = vec![(Target::Invoice(invoice), part)];
        record(&world.scope, payment).await.expect("recorded");
    }
    assert_eq!(world.state_of(invoice).await, Some(PaymentState::Paid));
    books::check(&world.test, &world.scope, "paid in parts").await;
}

#[tokio::test]
async fn a_payment_made_settles_bills_and_makes_their_tax_deductible() {
    let world = World::new().await;
    let supplier = world.supplier("S", true).await;
    let bill = world.bill(supplier, &[(10_000, true)]).await;
    let mut payment = new_payment(Direction::Made, supplier, world.scope.today(), 6_000);
    payment.allocations = vec![(Target::Bill(bill), 6_000)];
    let id = record(&world.scope, payment).await.expect("recorded");
    let lines = world.lines_of(world.payment(id).await.entry_id).await;
    assert_eq!(lines, [("BQ", "512", -6_000), ("BQ", "401", 6_000)].map(World::line));
    let allocation = &world.standing_of(id).await[0];
    let lines = world.lines_of(allocation.entry_id.expect("tax was transferred")).await;
    assert_eq!(lines, [("OD", "44564", -1_000), ("OD", "44566", 1_000)].map(World::line));
}

#[tokio::test]
async fn tax_chargeable_when_invoiced_is_not_moved() {
    let world = World::new().await;
    let customer = world.customer("A").await;
    let invoice = world.invoice(customer, &[(10_000, false)]).await;
    let mut payment = new_payment(Direction::Received, customer, world.scope.today(), 12_000);
    payment.allocations = vec![(Target::Invoice(invoice), 12_000)];
    let id = record(&world.scope, payment).await.expect("recorded");
    assert_eq!(world.standing_of(id).await[0].entry_id, None);
}

#[tokio::test]
async fn thirds_of_an_invoice_transfer_its_tax_to_the_cent() {
    let world = World::new().await;
    let customer = world.customer("A").await;
    let invoice = world.invoice(customer, &[(5, true)]).await;
    let mut moved = Vec::new();
    for _ in 0..3 {
        let mut payment = new_payment(Direction::Received, customer, world.scope.today(), 2);
        payment.allocations = vec![(Target::Invoice(invoice), 2)];
        record(&world.scope, payment).await.expect("recorded");
        let mut db = world.test.superuser().await;
        moved.push(books::balance(&mut db, world.scope.company().id, "44571").await);
    }
    assert_eq!(moved, [0, -1, -1], "0.01 of tax waits: a third of it rounds to nothing, two thirds to all");
    books::check(&world.test, &world.scope, "paid in thirds").await;
}

#[tokio::test]
async fn what_is_not_allocated_stays_on_account_and_is_allocated_later() {
    let world = World::new().await;
    let customer = world.customer("A").await;
    let (one, two) =
        (world.invoice(customer, &[(1_000, true)]).await, world.invoice(customer, &[(2_000, false)]).await);
    let mut payment = new_payment(Direction::Received, customer, world.scope.today(), 5_000);
    payment.allocations = vec![(Target::Invoice(one), 1_200)];
    let id = record(&world.scope, payment).await.expect("recorded");
    assert_eq!(invoicing::payment::on_account_minor(&world.payment(id).await), 3_800);
    world.tomorrow();
    allocate(&world.scope, id, vec![(Target::Invoice(two), 400)]).await.expect("allocated");
    assert_eq!(world.state_of(two).await, Some(PaymentState::PartlyPaid));
    allocate(&world.scope, id, vec![(Target::Invoice(two), 2_000)]).await.expect("allocated");
    assert_eq!(world.state_of(two).await, Some(PaymentState::Paid));
    assert_eq!(invoicing::payment::on_account_minor(&world.payment(id).await), 1_400);
    assert_eq!(world.standing_of(id).await.len(), 3);
    books::check_parties(&world.test, &world.scope, "1,400 on account").await;
}

#[tokio::test]
async fn a_bounced_payment_opens_its_invoices_again() {
    let world = World::new().await;
    let customer = world.customer("A").await;
    let invoices =
        [world.invoice(customer, &[(1_000, true)]).await, world.invoice(customer, &[(700, true)]).await];
    let before = books::figures(&world.test, &world.scope).await;
    let mut payment = new_payment(Direction::Received, customer, world.scope.today(), 2_040);
    payment.allocations = vec![(Target::Invoice(invoices[0]), 1_200), (Target::Invoice(invoices[1]), 840)];
    let id = record(&world.scope, payment).await.expect("recorded");
    for invoice in invoices {
        assert_eq!(world.state_of(invoice).await, Some(PaymentState::Paid));
    }
    world.days_later(60);
    let on = world.scope.today();
    bounce(&world.scope, id, on).await.expect("bounced");
    for invoice in invoices {
        assert_eq!(world.state_of(invoice).await, Some(PaymentState::Overdue), "and it went backwards");
    }
    let stored = world.payment(id).await;
    assert_eq!((stored.state.as_str(), stored.allocated_minor, stored.bounced_on), ("bounced", 0, Some(on)));
    let lines = world.lines_of(stored.bounce_entry_id.expect("reversed")).await;
    assert_eq!(lines, [("BQ", "512", -2_040), ("BQ", "411", 2_040)].map(World::line));
    assert_eq!(world.standing_of(id).await, []);
    assert_eq!(before, books::figures(&world.test, &world.scope).await);
    assert_eq!(code(bounce(&world.scope, id, on).await).0, "ALREADY_BOUNCED");
    let again = allocate(&world.scope, id, vec![(Target::Invoice(invoices[0]), 1)]).await;
    assert_eq!(code(again).0, "ALREADY_BOUNCED");
    assert_eq!(invoicing::payment::on_account_minor(&stored), 0);
    assert_eq!(world.events_of(id).await.last().map(String::as_str), Some("payment.bounced"));
}

#[tokio::test]
async fn an_undone_allocation_leaves_the_amount_on_account() {
    let world = World::new().await;
    let customer = world.customer("A").await;
    let invoice = world.invoice(customer, &[(1_000, true)]).await;
    let mut payment = new_payment(Direction::Received, customer, world.scope.today(), 1_200);
    payment.allocations = vec![(Target::Invoice(invoice), 1_200)];
    let id = record(&world.scope, payment).await.expect("recorded");
    let allocation = world.standing_of(id).await[0].clone();
    let opposite = deallocate(&world.scope, allocation.id).await.expect("undone");
    assert_eq!(world.state_of(invoice).await, Some(PaymentState::Open));
    assert_eq!(invoicing::payment::on_account_minor(&world.payment(id).await), 1_200);
    assert_eq!(code(deallocate(&world.scope, allocation.id).await).0, "ALREADY_UNDONE");
    assert_eq!(code(deallocate(&world.scope, opposite).await).0, "ALREADY_UNDONE");
    books::check(&world.test, &world.scope, "undone").await;
    assert_eq!(world.events_of(id).await, ["payment.recorded", "payment.allocated", "payment.deallocated"]);
    let of_invoice = world.events_of(invoice).await;
    assert_eq!(of_invoice[of_invoice.len() - 2..], ["invoice.settled", "invoice.unsettled"]);
}

#[tokio::test]
async fn a_credit_note_settles_an_invoice_without_moving_tax_and_the_rest_is_refunded() {
    let world = World::new().await;
    let customer = world.customer("A").await;
    let corrected = world.invoice(customer, &[(10_000, true)]).await;
    let mut payment = new_payment(Direction::Received, customer, world.scope.today(), 12_000);
    payment.allocations = vec![(Target::Invoice(corrected), 12_000)];
    record(&world.scope, payment).await.expect("recorded");
    let note = world.credit_note(corrected, 50).await.expect("a credit note of a paid invoice");
    let other = world.invoice(customer, &[(2_000, true)]).await;
    credit(&world.scope, Target::Invoice(note), Target::Invoice(other), 2_400).await.expect("set against");
    assert_eq!(world.state_of(other).await, Some(PaymentState::Credited));
    let allocation = &world.allocations_of_invoice(other).await[0];
    assert_eq!(
        (allocation.credit_note_id, allocation.entry_id),
        (Some(note), None),
        "both wait on one account"
    );
    let mut refund = new_payment(Direction::Made, customer, world.scope.today(), 3_600);
    refund.allocations = vec![(Target::Invoice(note), 3_600)];
    let id = record(&world.scope, refund).await.expect("refunded");
    let lines = world.lines_of(world.payment(id).await.entry_id).await;
    assert_eq!(lines, [("BQ", "512", -3_600), ("BQ", "411", 3_600)].map(World::line));
    let lines = world.lines_of(world.standing_of(id).await[0].entry_id.expect("tax")).await;
    assert_eq!(lines, [("OD", "44574", -600), ("OD", "44571", 600)].map(World::line), "the other way");
    books::check(&world.test, &world.scope, "refunded").await;
    books::check_parties(&world.test, &world.scope, "refunded").await;
}

#[tokio::test]
async fn a_supplier_pays_back_a_credit_note_or_it_is_set_against_a_bill() {
    let world = World::new().await;
    let supplier = world.supplier("S", true).await;
    let bill = world.bill(supplier, &[(10_000, true)]).await;
    let note = world.supplier_credit(supplier, &[(5_000, true)]).await;
    credit(&world.scope, Target::Bill(note), Target::Bill(bill), 2_000).await.expect("set against");
    let mut refund = new_payment(Direction::Received, supplier, world.scope.today(), 4_000);
    refund.allocations = vec![(Target::Bill(note), 4_000)];
    let id = record(&world.scope, refund).await.expect("received");
    let lines = world.lines_of(world.payment(id).await.entry_id).await;
    assert_eq!(lines, [("BQ", "512", 4_000), ("BQ", "401", -4_000)].map(World::line));
    books::check(&world.test, &world.scope, "paid back").await;
    books::check_parties(&world.test, &world.scope, "paid back").await;
}

#[tokio::test]
async fn what_does_not_fit_is_refused_by_code_and_field_and_changes_nothing() {
    let world = World::new().await;
    let (a, b) = (world.customer("A").await, world.customer("B").await);
    let supplier = world.supplier("S", false).await;
    let invoice = world.invoice(a, &[(1_000, true)]).await;
    let of_other = world.invoice(b, &[(1_000, true)]).await;
    let bill = world.bill(supplier, &[(1_000, false)]).await;
    let draft = world.draft(a, &[(1_000, true)]).await;
    let today = world.scope.today();
    let with = |amount: i64, allocations: Vec<(Target, i64)>| {
        let mut payment = new_payment(Direction::Received, a, today, amount);
        payment.allocations = allocations;
        payment
    };
    let before = (books::figures(&world.test, &world.scope).await, world.rows().await);
    let id = Target::Invoice;
    let cases = [
        (with(2_000, vec![(id(invoice), 1_201)]), refused("ALLOCATION_EXCEEDS_OPEN", "allocations.0.amount")),
        (
            with(1_000, vec![(id(invoice), 1_001)]),
            refused("ALLOCATION_EXCEEDS_PAYMENT", "allocations.0.amount"),
        ),
        (
            with(100, vec![(id(invoice), 60), (id(of_other), 40)]),
            refused("PARTY_MISMATCH", "allocations.1.documentId"),
        ),
        (with(100, vec![(Target::Bill(bill), 100)]), refused("WRONG_DIRECTION", "allocations.0.documentId")),
        (with(100, vec![(id(kernel::id::new()), 100)]), refused("NOT_FOUND", "allocations.0.documentId")),
        (with(100, vec![(id(bill), 100)]), refused("NOT_FOUND", "allocations.0.documentId")),
        (with(0, vec![]), refused("INVALID", "amount")),
        (with(-5, vec![]), refused("INVALID", "amount")),
        (with(5, vec![(id(invoice), -5)]), refused("INVALID", "allocations.0.amount")),
    ];
    for (payment, expected) in cases {
        assert_eq!(code(record(&world.scope, payment.clone()).await), expected, "{payment:?}");
    }
    assert_eq!(code(record(&world.scope, with(100, vec![(id(draft), 100)])).await).0, "NOT_ISSUED");
    let mut future = with(100, vec![]);
    future.paid_on = today + Days::new(1);
    assert_eq!(code(record(&world.scope, future).await), refused("INVALID", "paidOn"));
    let mut dollars = with(100, vec![(id(invoice), 100)]);
    dollars.currency = kernel::Currency::parse("USD").expect("dollar");
    assert_eq!(code(record(&world.scope, dollars.clone()).await), refused("INVALID", "baseAmount"));
    dollars.base_minor = Some(92);
    assert_eq!(
        code(record(&world.scope, dollars).await),
        refused("CURRENCY_MISMATCH", "allocations.0.documentId")
    );
    let mut made = with(100, vec![(id(invoice), 100)]);
    made.direction = Direction::Made;
    assert_eq!(
        code(record(&world.scope, made).await),
        refused("WRONG_DIRECTION", "allocations.0.documentId")
    );
    assert_eq!(before, (books::figures(&world.test, &world.scope).await, world.rows().await));
}

#[tokio::test]
async fn a_credit_note_is_set_against_an_invoice_of_the_same_customer_and_not_the_other_way() {
    let world = World::new().await;
    let (a, b) = (world.customer("A").await, world.customer("B").await);
    let (invoice, of_other) =
        (world.invoice(a, &[(1_000, true)]).await, world.invoice(b, &[(9_000, true)]).await);
    let mut payment = new_payment(Direction::Received, a, world.scope.today(), 1_200);
    payment.allocations = vec![(Target::Invoice(invoice), 1_200)];
    record(&world.scope, payment).await.expect("paid");
    let note = world.credit_note(invoice, 100).await.expect("a credit note of a paid invoice");
    let (note_, id) = (Target::Invoice(note), Target::Invoice);
    let second = world.invoice(a, &[(5_000, true)]).await;
    let set = |from, to, amount| credit(&world.scope, from, to, amount);
    assert_eq!(code(set(note_, id(of_other), 100).await), refused("PARTY_MISMATCH", "documentId"));
    assert_eq!(code(set(id(second), note_, 100).await), refused("WRONG_DIRECTION", "documentId"));
    assert_eq!(code(set(note_, note_, 100).await), refused("WRONG_DIRECTION", "documentId"));
    assert_eq!(code(set(note_, id(invoice), 100).await), refused("ALLOCATION_EXCEEDS_OPEN", "amount"));
    assert_eq!(code(set(note_, id(second), 1_201).await), refused("ALLOCATION_EXCEEDS_PAYMENT", "amount"));
    assert_eq!(code(set(note_, id(second), 0).await), refused("INVALID", "amount"));
    assert_eq!(code(set(note_, id(kernel::id::new()), 1).await), refused("NOT_FOUND", "documentId"));
    assert_eq!(code(set(id(kernel::id::new()), id(second), 1).await), refused("NOT_FOUND", "creditNoteId"));
    set(note_, id(second), 1_200).await.expect("set against");
    books::check_parties(&world.test, &world.scope, "set against").await;
}

#[tokio::test]
async fn an_external_reference_names_one_payment() {
    let world = World::new().await;
    let customer = world.customer("A").await;
    let mut payment = new_payment(Direction::Received, customer, world.scope.today(), 100);
    payment.external_ref = Some("bank-1".to_owned());
    payment.method = Method::DirectDebit;
    record(&world.scope, payment.clone()).await.expect("recorded");
    assert_eq!(code(record(&world.scope, payment).await), refused("DUPLICATE_EXTERNAL_REF", "externalRef"));
}

#[tokio::test]
async fn payments_that_become_known_late_are_posted_on_the_first_day_the_journal_takes() {
    let world = World::new().await;
    let customer = world.customer("A").await;
    let invoice = world.invoice(customer, &[(1_000, true)]).await;
    let today = world.scope.today();
    record(&world.scope, new_payment(Direction::Received, customer, today, 100)).await.expect("today's");
    let paid_on = day("2026-03-10");
    let mut late = new_payment(Direction::Received, customer, paid_on, 1_200);
    late.allocations = vec![(Target::Invoice(invoice), 1_200)];
    let id = record(&world.scope, late).await.expect("a late one");
    let stored = world.payment(id).await;
    assert_eq!(stored.paid_on, paid_on);
    assert_eq!(world.date_of(stored.entry_id).await, today, "the bank journal has reached today");
    books::check(&world.test, &world.scope, "late").await;
}

#[tokio::test]
async fn a_payment_of_a_locked_month_is_posted_in_the_next_open_one() {
    let world = World::new().await;
    let customer = world.customer("A").await;
    world.lock_month("2026-02-10").await;
    let payment = new_payment(Direction::Received, customer, day("2026-02-10"), 100);
    let id = record(&world.scope, payment).await.expect("recorded");
    assert_eq!(world.date_of(world.payment(id).await.entry_id).await, day("2026-03-01"));
}

#[tokio::test]
async fn lists_are_the_newest_first_and_filter() {
    use invoicing::payment::{Filter, State};
    use kernel::page::{Cursor, Slice};
    let world = World::new().await;
    let (a, s) = (world.customer("A").await, world.supplier("S", false).await);
    let mut ids = Vec::new();
    for number in 0..5_u64 {
        let (party, direction) =
            if number % 2 == 0 { (a, Direction::Received) } else { (s, Direction::Made) };
        let paid_on = day("2026-03-10") + Days::new(number);
        ids.push(record(&world.scope, new_payment(direction, party, paid_on, 100)).await.expect("recorded"));
    }
    bounce(&world.scope, ids[4], world.scope.today()).await.expect("bounced");
    ids.reverse();
    let tx = world.scope.read().await.expect("snapshot");
    let page = invoicing::payment::list(&tx, &Filter::default(), &Slice::first(2)).await.expect("page");
    assert_eq!(page.items.iter().map(|p| p.id).collect::<Vec<_>>(), ids[..2]);
    assert!(page.has_next && !page.has_previous);
    let after = Some(Cursor { key: String::new(), id: ids[1] });
    let next = Slice { after, ..Slice::first(10) };
    let page = invoicing::payment::list(&tx, &Filter::default(), &next).await.expect("page");
    assert_eq!(page.items.iter().map(|p| p.id).collect::<Vec<_>>(), ids[2..]);
    let filters = [
        (Filter { party_id: Some(s), ..Filter::default() }, 2),
        (Filter { direction: Some(Direction::Received), ..Filter::default() }, 3),
        (Filter { state: Some(State::Bounced), ..Filter::default() }, 1),
        (Filter { from: Some(day("2026-03-11")), to: Some(day("2026-03-13")), ..Filter::default() }, 3),
    ];
    for (filter, expected) in filters {
        let page = invoicing::payment::list(&tx, &filter, &Slice::first(100)).await.expect("page");
        assert_eq!(page.items.len(), expected, "{filter:?}");
        let count = invoicing::payment::count(&tx, &filter).await.expect("count");
        assert_eq!(usize::try_from(count), Ok(expected), "{filter:?}");
    }
}

/// The states follow from figures; no clock is asked but the one given.
#[tokio::test]
async fn an_open_invoice_becomes_overdue_on_the_day_after_its_due_date() {
    let world = World::new().await;
    let customer = world.customer("A").await;
    let invoice = world.invoice_row(world.invoice(customer, &[(1_000, true)]).await).await;
    let due = invoice.due_date.expect("due");
    assert_eq!(payment_state(&invoice, due), Some(PaymentState::Open));
    assert_eq!(payment_state(&invoice, due + Days::new(1)), Some(PaymentState::Overdue));
}
