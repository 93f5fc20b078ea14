//! Foreign currencies: what is realised between the document's rate and the payment's.

use invoicing::payment::{Direction, NewPayment, Target};
use kernel::{Currency, DomainError};
use uuid::Uuid;

use super::books;
use super::world::{World, bounce, credit, deallocate, new_payment, record};

fn in_currency(
    code: &str,
    direction: Direction,
    party: Uuid,
    world: &World,
    amount: i64,
    base: i64,
) -> NewPayment {
    let mut payment = new_payment(direction, party, world.scope.today(), amount);
    payment.currency = Currency::parse(code).expect("currency");
    payment.base_minor = Some(base);
    payment
}

async fn balances(world: &World) -> [i64; 4] {
    let (mut db, company) = (world.test.superuser().await, world.scope.company().id);
    let mut figures = [0; 4];
    for (figure, account) in figures.iter_mut().zip(["411", "401", "656", "756"]) {
        *figure = books::balance(&mut db, company, account).await;
    }
    figures
}

#[tokio::test]
async fn more_euros_than_the_claim_stood_at_are_a_gain() {
    let world = World::new().await;
    world.rate("USD", "0.9").await;
    let customer = world.customer("A").await;
    // 1,200.00 USD at 0.9: 1,080.00 EUR.
    let invoice = world.invoice_in("USD", customer, &[(100_000, true)]).await;
    let mut payment = in_currency("USD", Direction::Received, customer, &world, 120_000, 110_000);
    payment.allocations = vec![(Target::Invoice(invoice), 120_000)];
    let id = record(&world.scope, payment).await.expect("recorded");
    assert_eq!(balances(&world).await, [0, 0, 0, -2_000]);
    let stored = world.payment(id).await;
    let lines = world.lines_of(stored.entry_id).await;
    assert_eq!(lines, [("BQ", "512", 110_000), ("BQ", "411", -110_000)].map(World::line));
    let lines = world.lines_of(world.standing_of(id).await[0].entry_id.expect("difference and tax")).await;
    let expected =
        [("OD", "411", 2_000), ("OD", "756", -2_000), ("OD", "44574", 18_000), ("OD", "44571", -18_000)];
    assert_eq!(lines, expected.map(World::line), "tax moves at the invoice's rate");
    books::check(&world.test, &world.scope, "a gain").await;
    bounce(&world.scope, id, world.scope.today()).await.expect("bounced");
    assert_eq!(balances(&world).await, [108_000, 0, 0, 0]);
    books::check(&world.test, &world.scope, "a gain taken back").await;
}

#[tokio::test]
async fn fewer_euros_than_the_claim_stood_at_are_a_loss() {
    let world = World::new().await;
    world.rate("USD", "0.9").await;
    let customer = world.customer("A").await;
    let invoice = world.invoice_in("USD", customer, &[(100_000, false)]).await;
    let mut payment = in_currency("USD", Direction::Received, customer, &world, 120_000, 100_000);
    payment.allocations = vec![(Target::Invoice(invoice), 60_000)];
    let id = record(&world.scope, payment).await.expect("recorded");
    // Half of each: 540.00 of the claim, 500.00 of the payment; 500.00 stay on account, 540.00 open.
    assert_eq!(balances(&world).await, [4_000, 0, 4_000, 0]);
    let allocation = world.standing_of(id).await[0].clone();
    assert_eq!((allocation.source_base_minor, allocation.target_base_minor), (50_000, 54_000));
    books::check(&world.test, &world.scope, "a loss").await;
    deallocate(&world.scope, allocation.id).await.expect("undone");
    assert_eq!(balances(&world).await, [8_000, 0, 0, 0]);
    books::check(&world.test, &world.scope, "a loss taken back").await;
}

#[tokio::test]
async fn a_debt_paid_with_fewer_euros_is_a_gain_and_with_more_a_loss() {
    let world = World::new().await;
    world.rate("USD", "0.9").await;
    let supplier = world.supplier("S", true).await;
    for (base, expected) in [(100_000, [0, 0, 0, -8_000]), (120_000, [0, 0, 12_000, -8_000])] {
        let bill = world.bill_in("USD", supplier, &[(100_000, true)]).await;
        let mut payment = in_currency("USD", Direction::Made, supplier, &world, 120_000, base);
        payment.allocations = vec![(Target::Bill(bill), 120_000)];
        record(&world.scope, payment).await.expect("recorded");
        assert_eq!(balances(&world).await, expected);
        books::check(&world.test, &world.scope, "a debt paid").await;
    }
}

#[tokio::test]
async fn yen_in_parts_leave_no_cent_behind() {
    let world = World::new().await;
    world.rate("JPY", "0.0061").await;
    let customer = world.customer("A").await;
    // 1,200 yen at 0.0061: 7.32 EUR. One yen is less than a cent.
    let invoice = world.invoice_in("JPY", customer, &[(1_000, true)]).await;
    let mut paid = Vec::new();
    for number in 0..12 {
        let mut payment = in_currency("JPY", Direction::Received, customer, &world, 100, 60 + number % 3);
        payment.allocations = vec![(Target::Invoice(invoice), 33)];
        paid.push(record(&world.scope, payment).await.expect("recorded"));
    }
    for id in paid.iter().step_by(2) {
        let allocation = world.standing_of(*id).await[0].id;
        deallocate(&world.scope, allocation).await.expect("undone");
        books::check(&world.test, &world.scope, "yen, undone").await;
    }
    let open = world.invoice_row(invoice).await.open_minor;
    let mut payment = in_currency("JPY", Direction::Received, customer, &world, open, 400);
    payment.allocations = vec![(Target::Invoice(invoice), open)];
    record(&world.scope, payment).await.expect("recorded");
    books::check(&world.test, &world.scope, "yen, all settled").await;
}

#[tokio::test]
async fn a_credit_note_of_another_rate_realises_the_difference_too() {
    let world = World::new().await;
    world.rate("USD", "0.9").await;
    let customer = world.customer("A").await;
    let invoice = world.invoice_in("USD", customer, &[(100_000, true)]).await;
    world.tomorrow();
    world.rate("USD", "0.8").await;
    let note = world.credit_note(invoice, 100).await.expect("credit note");
    let row = world.invoice_row(note).await;
    assert_eq!(row.credited_minor, 120_000, "set against its invoice at issue");
    let [customers, _, loss, gain] = balances(&world).await;
    // Whatever rate the credit note took, the customer owes nothing, and 656/756 hold the rest.
    assert_eq!(customers, 0);
    assert_eq!(loss + gain, 108_000 - row.total_base_minor);
    books::check(&world.test, &world.scope, "credited at another rate").await;
    let other = world.invoice_in("USD", customer, &[(100, false)]).await;
    let set = credit(&world.scope, Target::Invoice(note), Target::Invoice(other), 1).await;
    assert_eq!(set.expect_err("nothing is left").code(), "ALLOCATION_EXCEEDS_PAYMENT");
}
