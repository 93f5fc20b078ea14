//! What bills become in the ledger.

use invoicing::bill::{BillKind, NewBill, NewLine, NewTax, Totals, service};
use kernel::{Currency, DomainError};
use testing::day;

use super::{Desk, Posted, code, dec, in_category, line, plain, taxed};
use crate::fixture::{number, write};

#[tokio::test]
async fn a_credit_note_is_posted_the_other_way_round() {
    let desk = Desk::new().await;
    let bill = desk.posted(desk.typed("F-1", vec![line("100", "20")])).await;
    let note = NewBill {
        kind: BillKind::CreditNote,
        corrects_id: Some(bill),
        ..desk.typed("A-1", vec![line("100", "20")])
    };
    let note = desk.posted(note).await;
    assert_eq!(
        desk.entry(note).await,
        [plain("607", -10_000), taxed("44566", -2_000, "S 20", -10_000), plain("401", 12_000)]
    );
    assert_eq!(desk.bill(note).await.payable_base_minor, 12_000);
    let tx = desk.shop.scope.read().await.expect("snapshot");
    let notes = service::credit_notes_of(&tx, &[bill, note]).await.expect("read");
    tx.end().await;
    assert_eq!(notes.iter().map(|note| note.id).collect::<Vec<_>>(), [note]);
    let wrong = NewBill { corrects_id: Some(bill), ..desk.typed("F-9", vec![line("1", "20")]) };
    assert_eq!(code(desk.enter(wrong).await), "INVALID", "a bill corrects nothing");
    let wrong = NewBill {
        kind: BillKind::CreditNote,
        corrects_id: Some(note),
        ..desk.typed("A-9", vec![line("1", "20")])
    };
    assert_eq!(code(desk.enter(wrong).await), "INVALID", "a credit note is not corrected");
}

#[tokio::test]
async fn reverse_charge_and_intra_community_purchases_assess_themselves() {
    let desk = Desk::new().await;
    for (index, category) in ["AE", "K"].into_iter().enumerate() {
        let lines = vec![in_category(category, "100", "0"), line("10", "20")];
        let id = desk.posted(desk.typed(&format!("F-{index}"), lines.clone())).await;
        let label = format!("{category} 20");
        let expected: [Posted; 5] = [
            plain("607", 11_000),
            taxed("44566", 200, "S 20", 1_000),
            plain("401", -11_200),
            taxed("44566", 2_000, &label, 10_000),
            taxed("4452", -2_000, &label, 10_000),
        ];
        assert_eq!(desk.entry(id).await, expected);
        let note = NewBill { kind: BillKind::CreditNote, ..desk.typed(&format!("A-{index}"), lines) };
        let note = desk.posted(note).await;
        assert_eq!((desk.on(note, "4452").await, desk.on(note, "44566").await), (2_000, -2_200));
    }
    let taxes = Some(vec![NewTax {
        category: "AE".to_owned(),
        rate: number("0"),
        base: number("100"),
        tax: number("20"),
        reason: None,
    }]);
    let charged = NewBill { taxes, ..desk.typed("F-9", vec![in_category("AE", "100", "0")]) };
    let id = desk.enter(charged).await.expect("entered");
    desk.approve(id).await.expect("approved");
    assert_eq!(code(desk.post(id).await), "TAX_ON_REVERSE_CHARGE");
}

#[tokio::test]
async fn tax_of_services_waits_for_payment() {
    let desk = Desk::new().await;
    let lines = vec![line("100", "20"), line("50", "5.5"), in_category("E", "7", "0")];
    let new = NewBill { vat_on_payment: Some(true), ..desk.typed("F-1", lines.clone()) };
    let id = desk.posted(new).await;
    assert_eq!((desk.on(id, "44564").await, desk.on(id, "44566").await), (2_275, 0));
    let waiting: Vec<_> =
        desk.taxes(id).await.iter().map(|tax| (tax.rate.normalize(), tax.waiting_minor)).collect();
    assert_eq!(waiting, [(number("20"), 2_000), (number("5.5"), 275), (number("0"), 0)]);

    // Half of it was prepaid: that half waits no longer.
    let totals = Totals { prepaid: dec("89.875"), ..Totals::default() };
    let uneven = NewBill { vat_on_payment: Some(true), totals, ..desk.typed("F-2", lines.clone()) };
    assert_eq!(code(desk.enter(uneven).await), "INVALID", "half a cent");
    let totals = Totals { prepaid: dec("179.75"), ..Totals::default() };
    let paid = NewBill { vat_on_payment: Some(true), totals, ..desk.typed("F-2", lines.clone()) };
    let id = desk.posted(paid).await;
    assert_eq!(
        (desk.on(id, "44564").await, desk.on(id, "44566").await),
        (0, 2_275),
        "nothing is left to pay"
    );
    let totals = Totals { prepaid: dec("60"), ..Totals::default() };
    let half = NewBill { vat_on_payment: Some(true), totals, ..desk.typed("F-3", vec![line("100", "20")]) };
    let id = desk.posted(half).await;
    assert_eq!(
        desk.entry(id).await,
        [
            plain("607", 10_000),
            taxed("44566", 1_000, "S 20", 5_000),
            taxed("44564", 1_000, "S 20", 5_000),
            plain("409", -6_000),
            plain("401", -6_000),
        ]
    );
}

#[tokio::test]
async fn the_supplier_s_row_says_when_its_tax_is_deductible() {
    let desk = Desk::new().await;
    let supplier = desk.shop.supplier;
    let edit = invoicing::party::PartyEdit { vat_on_payment: true.into(), ..Default::default() };
    let changed = write!(desk.shop.scope, [edit], tx => {
        invoicing::party::service::update(tx, supplier, 1, edit).await
    });
    changed.expect("changed");
    let id = desk.posted(desk.typed("F-1", vec![line("100", "20")])).await;
    assert_eq!((desk.on(id, "44564").await, desk.on(id, "44566").await), (2_000, 0));
}

#[tokio::test]
async fn prepaid_allowances_charges_and_rounding_have_their_accounts() {
    let desk = Desk::new().await;
    let totals = Totals {
        allowances: dec("10"),
        charges: dec("4"),
        prepaid: dec("50"),
        rounding: dec("-0.03"),
        payable: dec("142.77"),
        ..Totals::default()
    };
    let taxes = Some(vec![NewTax {
        category: "S".to_owned(),
        rate: number("20"),
        base: number("160.67"),
        tax: number("32.13"),
        reason: None,
    }]);
    let account = desk.account("606").await;
    let lines = vec![
        NewLine { account_id: Some(account), ..line("150", "20") },
        NewLine { account_id: Some(desk.account("613").await), ..line("16.67", "20") },
    ];
    let id = desk.posted(NewBill { totals, taxes, ..desk.typed("F-1", lines) }).await;
    assert_eq!(desk.findings(id).await.len(), 0);
    assert_eq!(
        desk.entry(id).await,
        [
            plain("606", 15_400),
            plain("613", 1_667),
            plain("609", -1_000),
            taxed("44566", 3_213, "S 20", 16_067),
            plain("758", -3),
            plain("409", -5_000),
            plain("401", -14_277),
        ]
    );
}

#[tokio::test]
async fn a_few_cents_are_a_small_difference_and_more_is_refused() {
    let desk = Desk::new().await;
    // Two lines and one group: up to 0.15.
    for (number, payable, small) in [("F-1", "120.15", ("658", 15)), ("F-2", "119.85", ("758", -15))] {
        let totals = Totals { total: dec(payable), payable: dec(payable), ..Totals::default() };
        let new = NewBill { totals, ..desk.typed(number, vec![line("60", "20"), line("40", "20")]) };
        let id = desk.posted(new).await;
        assert_eq!(desk.on(id, small.0).await, small.1);
        assert_eq!(desk.findings(id).await.len(), 1, "it is a finding all the same");
    }
    for (number, totals) in [
        ("F-3", Totals { total: dec("120.16"), payable: dec("120.16"), ..Totals::default() }),
        ("F-4", Totals { total: dec("119.84"), payable: dec("119.84"), ..Totals::default() }),
        ("F-5", Totals { rounding: dec("1.21"), ..Totals::default() }),
    ] {
        let new = NewBill { totals, ..desk.typed(number, vec![line("60", "20"), line("40", "20")]) };
        let id = desk.enter(new).await.expect("recorded all the same");
        desk.approve(id).await.expect("approved");
        let refused = desk.post(id).await.expect_err("refused");
        assert_eq!(
            (refused.code(), refused.field().as_deref()),
            ("DOES_NOT_ADD_UP", Some("totals")),
            "{refused}"
        );
        assert_eq!(desk.bill(id).await.state, "approved", "nothing of it happened");
        desk.reject(id).await.expect("rejected");
    }
}

#[tokio::test]
async fn a_bill_of_nothing_is_not_posted() {
    let desk = Desk::new().await;
    let id = desk.enter(desk.typed("F-1", vec![line("0", "20")])).await.expect("entered");
    desk.approve(id).await.expect("approved");
    assert_eq!(code(desk.post(id).await), "NOTHING_TO_POST");
}

#[tokio::test]
async fn a_negative_bill_is_not_posted() {
    let desk = Desk::new().await;
    for (number, kind, wanted) in
        [("F-1", BillKind::Bill, "credit note"), ("A-1", BillKind::CreditNote, "ask for a bill")]
    {
        let new = NewBill { kind, ..desk.typed(number, vec![line("-100", "20")]) };
        let id = desk.enter(new).await.expect("recorded as stated");
        desk.approve(id).await.expect("approved");
        let refused = desk.post(id).await.expect_err("negative");
        assert_eq!(refused.code(), "NEGATIVE_PAYABLE");
        assert!(refused.to_string().contains(wanted), "{refused}");
        desk.reject(id).await.expect("rejected");
    }
}

#[tokio::test]
async fn what_comes_to_nothing_in_the_books_is_not_posted() {
    let desk = Desk::new().await;
    let yen = Currency::parse("JPY").expect("JPY");
    let set = write!(desk.shop.scope, [], tx => {
        ledger::rate::service::set(tx, yen, day("2026-01-01"), number("0.0001"), None).await
    });
    set.expect("a rate");
    let in_yen = |number: &str, net: &str| NewBill {
        currency: Some("JPY".to_owned()),
        ..desk.typed(number, vec![in_category("E", net, "0")])
    };
    let prepaid = NewBill {
        totals: Totals { prepaid: dec("9999"), payable: dec("1"), ..Totals::default() },
        ..in_yen("F-2", "10000")
    };
    for new in [in_yen("F-1", "10"), prepaid] {
        let id = desk.enter(new).await.expect("entered");
        desk.approve(id).await.expect("approved");
        assert_eq!(code(desk.post(id).await), "NOTHING_TO_POST");
    }
    let new = invoicing::invoice::NewInvoice {
        currency: Some("JPY".to_owned()),
        ..desk.shop.draft_of(vec![desk.shop.line("1", "10", "S20")])
    };
    let draft = desk.shop.draft(new).await.expect("draft");
    assert_eq!(desk.shop.issue(draft, None).await.expect_err("nothing").code(), "NOTHING_TO_POST");
}

#[tokio::test]
async fn a_foreign_bill_needs_a_rate_and_balances_to_the_cent() {
    let desk = Desk::new().await;
    let lines: Vec<_> = (1..30).map(|n| line(&format!("{n}.{:02}", n * 3), "20")).collect();
    let new = NewBill { currency: Some("USD".to_owned()), ..desk.typed("F-1", lines) };
    let id = desk.enter(new).await.expect("entered");
    desk.approve(id).await.expect("approved");
    let missing = desk.post(id).await.expect_err("no rate");
    assert_eq!((missing.code(), missing.field().as_deref()), ("RATE_MISSING", Some("currency")));
    let usd = Currency::parse("USD").expect("USD");
    let set = write!(desk.shop.scope, [], tx => {
        ledger::rate::service::set(tx, usd, day("2026-05-29"), number("0.8773"), None).await?;
        ledger::rate::service::set(tx, usd, day("2026-06-02"), number("0.9"), None).await
    });
    set.expect("rates");
    desk.post(id).await.expect("posted at the rate of its day");
    let bill = desk.bill(id).await;
    assert_eq!(bill.rate.map(|rate| rate.normalize()), dec("0.8773"), "the last one known on the issue date");
    let payable = (usd.from_minor(bill.payable_minor) * number("0.8773")).round_dp(2);
    assert_eq!(Currency::EUR.to_minor(payable), Some(bill.payable_base_minor));
    assert_eq!(desk.on(id, "401").await, -bill.payable_base_minor);
    let mut superuser = desk.shop.test.superuser().await;
    let (foreign, party, due): (i64, uuid::Uuid, chrono::NaiveDate) = sqlx::query_as(
        "SELECT p.foreign_minor, p.party_id, p.due_on FROM posting p JOIN account a ON a.id = p.account_id
         WHERE p.entry_id = $1 AND a.number = '401'",
    )
    .bind(bill.entry_id)
    .fetch_one(&mut superuser)
    .await
    .expect("a line");
    assert_eq!((foreign, party, due), (-bill.payable_minor, bill.supplier_id, bill.due_date));
    let sum: Option<i64> =
        sqlx::query_scalar("SELECT sum(foreign_minor)::bigint FROM posting WHERE entry_id = $1")
            .bind(bill.entry_id)
            .fetch_one(&mut superuser)
            .await
            .expect("a sum");
    assert_eq!(sum, Some(0), "the dollars balance too");
}

#[tokio::test]
async fn yen_have_no_cents() {
    let desk = Desk::new().await;
    let jpy = Currency::parse("JPY").expect("JPY");
    let set = write!(desk.shop.scope, [], tx => {
        ledger::rate::service::set(tx, jpy, day("2026-01-01"), number("0.0061"), None).await
    });
    set.expect("a rate");
    let new = |number: &str, net: &str| NewBill {
        currency: Some("JPY".to_owned()),
        ..desk.typed(number, vec![line(net, "10")])
    };
    assert_eq!(code(desk.enter(new("F-1", "100.5")).await), "INVALID");
    let id = desk.posted(new("F-1", "12345")).await;
    let bill = desk.bill(id).await;
    assert_eq!((bill.payable_minor, bill.payable_base_minor), (13_580, 8_284));
}

#[tokio::test]
async fn the_account_is_the_line_s_then_the_supplier_s_last_then_the_chart_s() {
    let desk = Desk::new().await;
    let id = desk.posted(desk.typed("F-1", vec![line("1", "20")])).await;
    let (purchases, supplies) = (desk.account("607").await, desk.account("606").await);
    assert_eq!(desk.lines(id).await[0].account_id, Some(purchases), "posting says which one it took");
    let own = NewLine { account_id: Some(supplies), ..line("1", "20") };
    desk.posted(desk.typed("F-2", vec![own])).await;
    let id = desk.enter(desk.typed("F-3", vec![line("1", "20")])).await.expect("entered");
    assert_eq!(desk.lines(id).await[0].account_id, Some(supplies), "seen before approval");
    desk.approve(id).await.expect("approved");
    desk.post(id).await.expect("posted");
    assert_eq!(desk.on(id, "606").await, 100);
}

#[tokio::test]
async fn what_the_ledger_refuses_is_refused() {
    let desk = Desk::new().await;
    let customers = NewLine { account_id: Some(desk.account("411").await), ..line("1", "20") };
    let id = desk.enter(desk.typed("F-1", vec![customers])).await.expect("entered");
    desk.approve(id).await.expect("approved");
    let refused = desk.post(id).await.expect_err("a customer's account needs a customer");
    assert!(refused.fault().is_none(), "{refused}");
    assert_eq!(desk.bill(id).await.state, "approved");

    let id = desk.enter(desk.typed("F-2", vec![line("1", "20")])).await.expect("entered");
    desk.approve(id).await.expect("approved");
    let version = desk.bill(id).await.version;
    let ahead = write!(desk.shop.scope, [], tx => {
        invoicing::bill::service::post(tx, id, version, Some(day("2026-06-16"))).await
    });
    assert_eq!(ahead.expect_err("tomorrow").field().as_deref(), Some("on"));
    let before = write!(desk.shop.scope, [], tx => {
        invoicing::bill::service::post(tx, id, version, Some(day("2025-12-31"))).await
    });
    assert!(before.expect_err("no year").fault().is_none());
}
