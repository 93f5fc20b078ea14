//! Many at once: nothing is settled twice, and nobody waits for ever.

use invoicing::Error;
use invoicing::payment::{self, Direction, Target};

use super::books;
use super::world::{World, allocate, bounce, credit, deallocate, new_payment, record};

#[tokio::test(flavor = "multi_thread")]
async fn twenty_payments_at_once_never_settle_more_than_the_invoice() {
    let world = World::new().await;
    let customer = world.customer("A").await;
    let invoice = world.invoice(customer, &[(10_000, true)]).await;
    let attempts = (0..20).map(|_| {
        let mut payment = new_payment(Direction::Received, customer, world.scope.today(), 1_000);
        payment.allocations = vec![(Target::Invoice(invoice), 1_000)];
        let scope = world.scope.clone();
        tokio::spawn(async move { record(&scope, payment).await })
    });
    let mut settled = 0;
    for attempt in attempts.collect::<Vec<_>>() {
        match attempt.await.expect("no panic") {
            Ok(_) => settled += 1,
            Err(Error::AllocationExceedsOpen { open, .. }) => assert_eq!(open.minor, 0),
            Err(error) => panic!("{error:?}"),
        }
    }
    assert_eq!(settled, 12, "12,000 are open, 1,000 each");
    assert_eq!(world.invoice_row(invoice).await.settled_minor, 12_000);
    books::check(&world.test, &world.scope, "twenty at once").await;
    books::check_parties(&world.test, &world.scope, "twenty at once").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn payments_of_many_days_recorded_at_once_are_all_posted() {
    let world = World::new().await;
    let customer = world.customer("A").await;
    let invoice = world.invoice(customer, &[(10_000, true)]).await;
    let attempts = (0..20_u64).map(|number| {
        // In no order: each may find that the journals have gone on to a later day meanwhile.
        let paid_on = world.scope.today() - chrono::Days::new(number * 7 % 20);
        let mut payment = new_payment(Direction::Received, customer, paid_on, 600);
        payment.allocations = vec![(Target::Invoice(invoice), 600)];
        let scope = world.scope.clone();
        tokio::spawn(async move { record(&scope, payment).await })
    });
    for attempt in attempts.collect::<Vec<_>>() {
        attempt.await.expect("no panic").expect("recorded");
    }
    books::check(&world.test, &world.scope, "of many days").await;
    books::check_parties(&world.test, &world.scope, "of many days").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_payment_is_not_allocated_beyond_its_amount_by_many_at_once() {
    let world = World::new().await;
    let customer = world.customer("A").await;
    let mut invoices = Vec::new();
    for _ in 0..10 {
        invoices.push(world.invoice(customer, &[(1_000, true)]).await);
    }
    let id = record(&world.scope, new_payment(Direction::Received, customer, world.scope.today(), 5_000));
    let id = id.await.expect("recorded");
    let attempts = invoices.into_iter().map(|invoice| {
        let scope = world.scope.clone();
        tokio::spawn(async move { allocate(&scope, id, vec![(Target::Invoice(invoice), 1_200)]).await })
    });
    let mut allocated = 0;
    for attempt in attempts.collect::<Vec<_>>() {
        match attempt.await.expect("no panic") {
            Ok(_) => allocated += 1,
            Err(Error::AllocationExceedsPayment { left, .. }) => assert_eq!(left.minor, 200),
            Err(error) => panic!("{error:?}"),
        }
    }
    assert_eq!(allocated, 4);
    books::check_parties(&world.test, &world.scope, "ten at once").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn crossing_work_on_the_same_documents_ends_and_agrees() {
    let world = World::new().await;
    let customer = world.customer("A").await;
    let mut invoices = Vec::new();
    for _ in 0..4 {
        invoices.push(world.invoice(customer, &[(3_000, true), (500, false)]).await);
    }
    let note = world.credit_note(invoices[0], 40).await.expect("a credit note");
    let mut workers = Vec::new();
    for worker in 0..8_usize {
        let (scope, invoices) = (world.scope.clone(), invoices.clone());
        workers.push(tokio::spawn(async move {
            for round in 0..5_usize {
                // Two documents in an order that differs between workers.
                let (one, two) = (invoices[(worker + round) % 4], invoices[(worker * 3 + round + 1) % 4]);
                let mut payment = new_payment(Direction::Received, customer, scope.today(), 300);
                payment.allocations = vec![(Target::Invoice(one), 100), (Target::Invoice(two), 100)];
                payment.allocations.dedup_by_key(|(target, _)| *target);
                let Ok(id) = record(&scope, payment).await else { continue };
                let done = match round % 3 {
                    0 => bounce(&scope, id, scope.today()).await,
                    1 => credit(&scope, Target::Invoice(note), Target::Invoice(one), 1).await.map(drop),
                    _ => {
                        let tx = scope.read().await.expect("snapshot");
                        let made = payment::allocations_of_payments(&tx, &[id]).await.expect("allocations");
                        tx.end().await;
                        deallocate(&scope, made[0].id).await.map(drop)
                    }
                };
                match done {
                    Ok(()) | Err(Error::AllocationExceedsPayment { .. }) => {}
                    Err(error) => panic!("{error:?}"),
                }
            }
        }));
    }
    for worker in workers {
        worker.await.expect("no panic");
    }
    books::check(&world.test, &world.scope, "crossing").await;
    books::check_parties(&world.test, &world.scope, "crossing").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_allocation_is_undone_once_and_a_payment_bounces_once_whoever_tries() {
    let world = World::new().await;
    let customer = world.customer("A").await;
    let invoice = world.invoice(customer, &[(1_000, true)]).await;
    let mut payment = new_payment(Direction::Received, customer, world.scope.today(), 1_200);
    payment.allocations = vec![(Target::Invoice(invoice), 1_200)];
    let id = record(&world.scope, payment).await.expect("recorded");
    let allocation = world.standing_of(id).await[0].id;
    let attempts = (0..10).map(|attempt| {
        let scope = world.scope.clone();
        tokio::spawn(async move {
            if attempt % 2 == 0 {
                deallocate(&scope, allocation).await.map(drop)
            } else {
                bounce(&scope, id, scope.today()).await
            }
        })
    });
    let mut bounced = 0;
    for (number, attempt) in attempts.collect::<Vec<_>>().into_iter().enumerate() {
        match attempt.await.expect("no panic") {
            Ok(()) => bounced += number % 2,
            Err(Error::AlreadyUndone | Error::AlreadyBounced) => {}
            Err(error) => panic!("{error:?}"),
        }
    }
    assert_eq!(bounced, 1);
    assert_eq!(world.invoice_row(invoice).await.settled_minor, 0);
    books::check(&world.test, &world.scope, "undone and bounced at once").await;
    books::check_parties(&world.test, &world.scope, "undone and bounced at once").await;
}
