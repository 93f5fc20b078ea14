//! Entered, corrected, approved, rejected: what may follow what, and who may do it.

use identity::api_key::service::NewApiKey;
use invoicing::bill::service;
use invoicing::bill::{
    BillKind, Correction, LineCorrection, NewBill, NewLine, PaymentState, Totals, open_minor, payment_state,
};
use kernel::{Actor, DomainError, Permission, PermissionSet, Scope};
use testing::{at, day};
use uuid::Uuid;

use super::{Desk, code, dec, enter, first, line, taxed};
use crate::fixture::{Shop, number, write};

#[tokio::test]
async fn a_bill_goes_from_the_letter_box_to_the_ledger() {
    let desk = Desk::new().await;
    let id =
        desk.enter(desk.typed("F-1", vec![line("100", "20"), line("10", "5.5")])).await.expect("entered");
    let bill = desk.bill(id).await;
    assert_eq!((bill.state.as_str(), bill.due_date), ("received", day("2026-07-01")), "30 days");
    assert_eq!((bill.net_minor, bill.tax_minor, bill.payable_minor), (11_000, 2_055, 13_055));
    assert_eq!((bill.finding_count, bill.corrected, bill.version), (0, false, 1));
    assert_eq!(payment_state(&bill, day("2027-01-01")), None, "it is not posted");

    desk.shop.test.clock.set(at("2026-06-16T10:00:00Z"));
    desk.approve(id).await.expect("approved");
    desk.shop.test.clock.set(at("2026-06-16T22:30:00Z"));
    desk.post(id).await.expect("posted");
    let bill = desk.bill(id).await;
    assert_eq!((bill.state.as_str(), bill.version, bill.payable_base_minor), ("posted", 3, 13_055));
    assert_eq!(bill.posted_on, Some(day("2026-06-17")), "the day in Paris");
    assert_eq!((bill.rate, open_minor(&bill)), (dec("1"), 13_055));
    assert_eq!(payment_state(&bill, day("2026-07-01")), Some(PaymentState::Open));
    assert_eq!(payment_state(&bill, day("2026-07-02")), Some(PaymentState::Overdue));
    assert_eq!(
        desk.entry(id).await,
        [
            ("607".to_owned(), 11_000, None),
            taxed("44566", 2_000, "S 20", 10_000),
            taxed("44566", 55, "S 5.5", 1_000),
            ("401".to_owned(), -13_055, None),
        ]
    );

    let mut superuser = desk.shop.test.superuser().await;
    let steps: Vec<(String, i64, chrono::NaiveDate)> =
        sqlx::query_as("SELECT step, elapsed_ms, on_day FROM step WHERE subject_id = $1 ORDER BY id")
            .bind(id)
            .fetch_all(&mut superuser)
            .await
            .expect("steps");
    let day_ms = 86_400_000;
    assert_eq!(
        steps,
        [
            ("received".to_owned(), 0, day("2026-06-15")),
            ("approved".to_owned(), day_ms, day("2026-06-16")),
            ("posted".to_owned(), day_ms + 45_000_000, day("2026-06-17")),
        ]
    );
    let events =
        kernel::event::page(&desk.shop.scope.read().await.expect("snapshot"), Some(id), None, 9).await;
    let events: Vec<_> = events.expect("events").into_iter().map(|event| event.kind).collect();
    assert_eq!(events, ["bill.posted", "bill.approved", "bill.received"]);
}

#[tokio::test]
async fn a_bill_comes_once() {
    let desk = Desk::new().await;
    let new = |number: &str| desk.typed(number, vec![line("1", "20")]);
    let id = desk.enter(new("F-1")).await.expect("entered");
    assert_eq!(first(desk.enter(new("F-1")).await), id);
    assert_eq!(first(desk.enter(NewBill { issue_date: day("2026-01-31"), ..new(" F-1 ") }).await), id);
    desk.enter(NewBill { issue_date: day("2025-06-01"), ..new("F-1") }).await.expect("another year");
    desk.enter(NewBill { kind: BillKind::CreditNote, ..new("F-1") }).await.expect("a credit note");
    desk.enter(new("F-2")).await.expect("another number");
    let other = write!(desk.shop.scope, [], tx => {
        let martin = invoicing::party::NewParty {
            is_supplier: true,
            name: "Fournitures Leroy".to_owned(),
            country: "FR".to_owned(),
            ..Default::default()
        };
        invoicing::party::service::create(tx, martin).await
    });
    let other = NewBill { supplier_id: other.expect("a supplier"), ..new("F-1") };
    desk.enter(other).await.expect("another supplier");

    desk.reject(id).await.expect("rejected");
    let again = desk.enter(new("F-1")).await.expect("the corrected one");
    assert_eq!(first(desk.enter(new("F-1")).await), again);
    desk.reject(again).await.expect("rejected");
    desk.enter(new("F-1")).await.expect("and once more");
}

#[tokio::test]
async fn of_many_who_enter_the_same_bill_at_once_one_succeeds() {
    let desk = Desk::of(Shop::with_connections(10).await);
    let attempts = (0..8).map(|_| desk.enter(desk.typed("F-1", vec![line("1", "20")])));
    let (entered, refused): (Vec<_>, Vec<_>) =
        futures_util::future::join_all(attempts).await.into_iter().partition(Result::is_ok);
    let [Ok(id)] = entered[..] else { panic!("{entered:?}") };
    assert!(refused.into_iter().all(|refusal| first(refusal) == id));
    assert_eq!(desk.shop.figure("SELECT count(*) FROM bill WHERE tenant_id = $1").await, 1);
    assert_eq!(desk.shop.figure("SELECT count(*) FROM bill_line WHERE tenant_id = $1").await, 1);
}

#[tokio::test]
async fn four_eyes_see_a_bill_when_the_company_says_so() {
    let desk = Desk::new().await;
    let approve_own = async |id| {
        let version = desk.bill(id).await.version;
        write!(desk.shop.scope, [], tx => service::approve(tx, id, version).await)
    };
    let id = desk.enter(desk.typed("F-1", vec![line("1", "20")])).await.expect("entered");
    approve_own(id).await.expect("two eyes suffice by default");

    let changed = write!(desk.shop.scope, [], tx => {
        let change = identity::company::service::CompanyChange { four_eyes: Some(true), ..Default::default() };
        identity::company::service::update(tx, 1, change).await
    });
    changed.expect("four eyes");
    let id = desk.enter(desk.typed("F-2", vec![line("1", "20")])).await.expect("entered");
    assert_eq!(code(approve_own(id).await), "FOUR_EYES");
    desk.approve(id).await.expect("a colleague approves");
    let id = desk.enter(desk.typed("F-3", vec![line("1", "20")])).await.expect("entered");
    desk.reject(id).await.expect("who entered it may take it back");

    let id = desk.enter(desk.typed("F-4", vec![line("1", "20")])).await.expect("entered");
    let correction = Correction { due_date: Some(day("2026-08-01")), ..Correction::default() };
    write!(desk.colleague, [correction], tx => service::correct(tx, id, 1, &correction).await)
        .expect("corrected");
    assert_eq!(code(desk.approve(id).await), "FOUR_EYES", "who corrected it last");
    assert_eq!(code(approve_own(id).await), "FOUR_EYES", "who entered it");
    let third = desk.shop.acting(Actor::Person(kernel::id::new()), PermissionSet::all());
    write!(third, [], tx => service::approve(tx, id, 2).await).expect("somebody else");
}

#[tokio::test]
async fn a_key_counts_as_the_person_who_made_it() {
    let desk = Desk::new().await;
    let person = desk.shop.acting(Actor::Person(kernel::id::new()), PermissionSet::all());
    let made = write!(person, [], tx => {
        let change = identity::company::service::CompanyChange { four_eyes: Some(true), ..Default::default() };
        identity::company::service::update(tx, 1, change).await?;
        let permissions = [Permission::BillsEnter].into_iter().collect();
        let new = NewApiKey { name: "Import".to_owned(), permissions, expires_at: None, networks: Vec::new() };
        identity::api_key::service::create(tx, new, &identity::api_key::service::generate_secret(kernel::Mode::Live)).await
    });
    let made = made.expect("a key");
    let key = desk.shop.acting(Actor::ApiKey(made), PermissionSet::all());
    let bill = |number: &str| desk.typed(number, vec![line("1", "20")]);
    let approved = async |scope: &Scope, id: Uuid| {
        let version = desk.bill(id).await.version;
        write!(scope, [], tx => service::approve(tx, id, version).await)
    };
    let by_person = enter(&person, bill("F-1")).await.expect("entered");
    assert_eq!(code(approved(&key, by_person).await), "FOUR_EYES", "one's own key");
    let by_key = enter(&key, bill("F-2")).await.expect("entered");
    assert_eq!(code(approved(&person, by_key).await), "FOUR_EYES", "the maker of the key");
    assert_eq!(code(approved(&key, by_key).await), "FOUR_EYES", "the key itself");
    let corrected = enter(&desk.shop.scope, bill("F-3")).await.expect("entered");
    let correction = Correction { due_date: Some(day("2026-08-01")), ..Correction::default() };
    write!(key, [correction], tx => service::correct(tx, corrected, 1, &correction).await)
        .expect("corrected");
    assert_eq!(code(approved(&person, corrected).await), "FOUR_EYES", "a correction by the key");
    for id in [by_person, by_key] {
        approved(&desk.colleague, id).await.expect("a colleague");
    }
    // Who has been shown a secret of the key can have used it.
    let rotated = write!(desk.colleague, [], tx => {
        let secret = identity::api_key::service::generate_secret(kernel::Mode::Live);
        identity::api_key::service::rotate(tx, made, 0, &secret).await
    });
    rotated.expect("rotated");
    assert_eq!(code(approved(&desk.colleague, corrected).await), "FOUR_EYES", "who rotated the key");
    assert_eq!(code(approved(&person, corrected).await), "FOUR_EYES", "and still who made it");
    let other = desk.shop.acting(Actor::Person(kernel::id::new()), PermissionSet::all());
    approved(&other, corrected).await.expect("somebody else");
}

#[tokio::test]
async fn a_received_bill_is_corrected_and_says_so() {
    let desk = Desk::new().await;
    let wrong = Totals { total: dec("130"), payable: dec("130"), ..Totals::default() };
    let lines = vec![line("100", "20"), line("5", "20"), line("1", "20")];
    let id = desk.enter(NewBill { totals: wrong, ..desk.typed("F-1", lines) }).await.expect("entered");
    let found: Vec<_> = desk.findings(id).await.into_iter().map(|finding| finding.rule).collect();
    assert_eq!(found, ["BR-CO-15"]);
    assert_eq!(desk.bill(id).await.finding_count, 1);

    let lines = desk.lines(id).await;
    let correction = Correction {
        due_date: Some(day("2026-08-31")),
        lines: vec![LineCorrection {
            id: lines[1].id,
            net: dec("8"),
            rate: dec("10"),
            account_id: Some(desk.account("606").await),
            ..LineCorrection::default()
        }],
        added: vec![line("3", "10")],
        removed: vec![lines[2].id],
        totals: Totals {
            total: dec("132.10"),
            payable: dec("132.10"),
            net: dec("111"),
            tax: dec("21.10"),
            ..Totals::default()
        },
        taxes: Some(vec![tax("S", "20", "100", "20"), tax("S", "10", "11", "1.10")]),
        ..Correction::default()
    };
    desk.correct(id, correction).await.expect("corrected");
    let bill = desk.bill(id).await;
    assert_eq!((bill.corrected, bill.version, bill.due_date), (true, 2, day("2026-08-31")));
    assert_eq!(
        (bill.net_minor, bill.tax_minor, bill.total_minor, bill.payable_minor),
        (11_100, 2_110, 13_210, 13_210)
    );
    let corrected: Vec<_> = desk
        .lines(id)
        .await
        .into_iter()
        .map(|line| (line.line_no, line.net_minor, line.rate.normalize()))
        .collect();
    assert_eq!(corrected, [(1, 10_000, number("20")), (2, 800, number("10")), (4, 300, number("10"))]);
    assert_eq!(desk.findings(id).await.len(), 1, "what was found stays");

    assert_eq!(code(desk.correct(id, Correction::default()).await), "INVALID", "nothing differs");
    let same = Correction { due_date: Some(day("2026-08-31")), ..Correction::default() };
    assert_eq!(code(desk.correct(id, same.clone()).await), "INVALID", "nothing differs");
    let stale = write!(desk.shop.scope, [same], tx => service::correct(tx, id, 1, &same).await);
    assert_eq!(code(stale), "CONFLICT");
    let all: Vec<_> = desk.lines(id).await.into_iter().map(|line| line.id).collect();
    assert_eq!(
        code(desk.correct(id, Correction { removed: all, ..Correction::default() }).await),
        "NO_LINES"
    );

    desk.approve(id).await.expect("approved");
    let late = Correction { due_date: Some(day("2026-09-30")), ..Correction::default() };
    assert_eq!(code(desk.correct(id, late).await), "WRONG_STATE");
    desk.post(id).await.expect("posted");
    assert_eq!(
        (desk.on(id, "607").await, desk.on(id, "606").await, desk.on(id, "401").await),
        (10_300, 800, -13_210)
    );
}

fn tax(category: &str, rate: &str, base: &str, tax: &str) -> invoicing::bill::NewTax {
    invoicing::bill::NewTax {
        category: category.to_owned(),
        rate: number(rate),
        base: number(base),
        tax: number(tax),
        reason: None,
    }
}

#[tokio::test]
async fn steps_follow_each_other_in_one_order_only() {
    let desk = Desk::new().await;
    let id = desk.enter(desk.typed("F-1", vec![line("1", "20")])).await.expect("entered");
    assert_eq!(code(desk.post(id).await), "WRONG_STATE", "not approved");
    let version = desk.bill(id).await.version;
    let stale = write!(desk.shop.scope, [], tx => service::approve(tx, id, version + 1).await);
    assert_eq!(code(stale), "CONFLICT");
    let blank = write!(desk.shop.scope, [], tx => service::reject(tx, id, version, "  ").await);
    assert_eq!(blank.expect_err("refused").field().as_deref(), Some("reason"));
    desk.approve(id).await.expect("approved");
    assert_eq!(code(desk.approve(id).await), "WRONG_STATE", "twice");
    desk.reject(id).await.expect("an approved bill may still be rejected");
    let bill = desk.bill(id).await;
    assert_eq!((bill.state.as_str(), bill.rejected_reason.as_deref()), ("rejected", Some("Montant erroné")));
    for again in [desk.approve(id).await, desk.post(id).await, desk.reject(id).await] {
        assert_eq!(code(again), "WRONG_STATE");
    }
    let id = desk.posted(desk.typed("F-2", vec![line("1", "20")])).await;
    for again in [desk.approve(id).await, desk.post(id).await, desk.reject(id).await] {
        assert_eq!(code(again), "WRONG_STATE");
    }
}

#[tokio::test]
async fn of_two_who_post_at_once_one_posts() {
    let desk = Desk::of(Shop::with_connections(10).await);
    let id = desk.enter(desk.typed("F-1", vec![line("1", "20")])).await.expect("entered");
    desk.approve(id).await.expect("approved");
    let results = futures_util::future::join_all(
        (0..4).map(|_| async { write!(desk.shop.scope, [], tx => service::post(tx, id, 2, None).await) }),
    )
    .await;
    assert_eq!(results.iter().filter(|result| result.is_ok()).count(), 1, "{results:?}");
    assert_eq!(desk.shop.figure("SELECT count(*) FROM journal_entry WHERE tenant_id = $1").await, 1);
}

#[tokio::test]
async fn the_ids_of_another_company_are_unknown() {
    let desk = Desk::new().await;
    let id = desk.enter(desk.typed("F-1", vec![line("1", "20")])).await.expect("entered");
    // The other company lives in the same database as the bill.
    let stranger = desk.shop.test.company().await;
    let (_, their_supplier) = Shop::furnish(&stranger).await;
    let unknown = kernel::id::new();
    for bill in [id, unknown] {
        let told = |result: Result<uuid::Uuid, invoicing::Error>| {
            let error = result.expect_err("refused");
            (error.code(), error.to_string(), error.field())
        };
        let expected = ("NOT_FOUND", "no such bill".to_owned(), Some("id".to_owned()));
        assert_eq!(told(write!(stranger, [], tx => service::approve(tx, bill, 1).await)), expected);
        assert_eq!(told(write!(stranger, [], tx => service::reject(tx, bill, 1, "x").await)), expected);
        assert_eq!(told(write!(stranger, [], tx => service::post(tx, bill, 1, None).await)), expected);
        let correction = Correction { due_date: Some(day("2026-08-31")), ..Correction::default() };
        assert_eq!(
            told(write!(stranger, [correction], tx => service::correct(tx, bill, 1, &correction).await)),
            expected
        );
        let tx = stranger.read().await.expect("snapshot");
        assert_eq!(code(service::get(&tx, bill).await), "NOT_FOUND");
        assert_eq!(service::by_ids(&tx, &[bill]).await.expect("read"), []);
        assert_eq!(service::lines_of(&tx, &[bill]).await.expect("read"), []);
        let credit = NewBill {
            kind: BillKind::CreditNote,
            corrects_id: Some(bill),
            supplier_id: their_supplier,
            ..desk.typed("A", vec![line("1", "20")])
        };
        let refused = enter(&stranger, credit).await.expect_err("refused");
        assert_eq!((refused.code(), refused.field().as_deref()), ("NOT_FOUND", Some("correctsId")));
    }
    for supplier in [desk.shop.supplier, unknown] {
        let new = NewBill { supplier_id: supplier, ..desk.typed("B", vec![line("1", "20")]) };
        let refused = enter(&stranger, new).await.expect_err("refused");
        assert_eq!((refused.code(), refused.field().as_deref()), ("NOT_FOUND", Some("supplierId")));
    }
    for account in [desk.account("606").await, unknown] {
        let with_account = NewLine { account_id: Some(account), ..line("1", "20") };
        let new = NewBill { supplier_id: their_supplier, ..desk.typed("C", vec![with_account]) };
        assert_eq!(code(enter(&stranger, new).await), "NOT_FOUND");
    }
    let scan = desk.upload(b"<scan/>").await;
    for file in [scan, unknown] {
        let new = NewBill {
            supplier_id: their_supplier,
            file_id: Some(file),
            ..desk.typed("D", vec![line("1", "20")])
        };
        assert_eq!(code(enter(&stranger, new).await), "NOT_FOUND");
    }
    assert_eq!(desk.bill(id).await.version, 1, "nothing of it changed");
}

#[tokio::test]
async fn a_customer_and_an_archived_supplier_send_no_bills() {
    let desk = Desk::new().await;
    let of = |supplier| NewBill { supplier_id: supplier, ..desk.typed("F-1", vec![line("1", "20")]) };
    assert_eq!(code(desk.enter(of(desk.shop.customer)).await), "INVALID");
    let supplier = desk.shop.supplier;
    let archived =
        write!(desk.shop.scope, [], tx => invoicing::party::service::archive(tx, supplier, 1).await);
    archived.expect("archived");
    assert_eq!(code(desk.enter(of(supplier)).await), "ARCHIVED");
}

#[tokio::test]
async fn who_entered_by_a_key_is_told_apart_from_a_person() {
    let desk = Desk::new().await;
    let key = desk.shop.acting(Actor::ApiKey(kernel::id::new()), PermissionSet::all());
    let id = enter(&key, desk.typed("F-1", vec![line("1", "20")])).await.expect("entered");
    assert!(desk.bill(id).await.entered_by.starts_with("api_key:"));
}
