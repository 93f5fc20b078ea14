//! What figures say: windows, days, months, midnight.

use chrono::Days;
use kpi::{Freshness, Grain, HistoryMeaning, Standing};
use rust_decimal::Decimal;
use testing::{TestDb, at, day};

use crate::support::{
    Pay, Sale, amounts, approve_in, bill_in, bounce_in, change_bill_in, current, firm, folded, pay_in,
    score_in, sell_in, write,
};

async fn tick(test: &TestDb) {
    kernel::folder::tick_midnights(&test.db, &test.clock).await.expect("ticked");
}

async fn history(firm: &crate::support::Firm, key: &str, days: [&str; 2], grain: Grain) -> Vec<kpi::Point> {
    let tx = firm.scope.read().await.expect("snapshot");
    let points = kpi::history(&tx, key, day(days[0]), day(days[1]), grain).await;
    tx.end().await;
    points.expect("history")
}

#[tokio::test]
async fn revenue_is_the_net_of_the_month_per_currency_less_credit_notes() {
    let test = TestDb::new().await;
    let firm = firm(&test).await;
    let ids = firm.ids;
    for sale in [
        Sale::invoice("2026-06-01", "2026-07-01", 10_000),
        Sale::invoice("2026-06-30", "2026-07-30", 500),
        Sale::invoice("2026-05-31", "2026-06-30", 70_000),
        Sale { currency: "USD", ..Sale::invoice("2026-06-15", "2026-07-15", 900) },
    ] {
        write!(firm.scope, |tx| sell_in(tx, ids, sale));
    }
    let invoice = write!(firm.scope, |tx| sell_in(tx, ids, Sale::invoice("2026-05-30", "2026-06-30", 5000)));
    write!(firm.scope, |tx| sell_in(tx, ids, Sale::credit_note(invoice, "2026-06-15", 1000)));
    let revenue = current(&firm, "revenue_month").await;
    assert_eq!(amounts(&revenue), [("EUR", 9500), ("USD", 900)]);
    assert_eq!(
        (revenue.value.records, revenue.from, revenue.to),
        (4, Some(day("2026-06-01")), Some(day("2026-06-30")))
    );
    assert_eq!(amounts(&folded(&firm, "revenue_month").await), [], "nothing is folded yet");
    test.settle().await;
    assert_eq!(amounts(&folded(&firm, "revenue_month").await), [("EUR", 9500), ("USD", 900)]);

    let days = history(&firm, "revenue_month", ["2026-05-31", "2026-06-30"], Grain::Day).await;
    let of = |text: &str| &days.iter().find(|point| point.day == day(text)).expect("a point").value;
    assert_eq!(
        (days.len(), of("2026-05-31").amounts[0].money.minor, of("2026-06-02").records),
        (31, 70_000, 0)
    );
    assert_eq!(of("2026-06-15").amounts.len(), 2);
    let months = history(&firm, "revenue_month", ["2026-05-31", "2026-06-15"], Grain::Month).await;
    assert_eq!(
        months.iter().map(|point| point.day).collect::<Vec<_>>(),
        [day("2026-05-01"), day("2026-06-01")]
    );
    assert_eq!(months[1].value, revenue.value, "the month is the figure");
}

#[tokio::test]
async fn a_bounced_payment_leaves_the_day_it_was_counted_at() {
    let test = TestDb::new().await;
    let firm = firm(&test).await;
    let ids = firm.ids;
    let invoice =
        write!(firm.scope, |tx| sell_in(tx, ids, Sale::invoice("2026-06-01", "2026-06-10", 10_000)));
    write!(firm.scope, |tx| pay_in(tx, ids, Pay::invoice(invoice, "2026-06-12", 4000)));
    let payment = write!(firm.scope, |tx| pay_in(tx, ids, Pay::invoice(invoice, "2026-06-13", 8000)));
    assert_eq!(amounts(&current(&firm, "cash_received_month").await), [("EUR", 12_000)]);
    assert_eq!(amounts(&current(&firm, "receivables_open").await), [], "paid in full");
    write!(firm.scope, |tx| bounce_in(tx, payment));
    test.settle().await;
    assert_eq!(amounts(&folded(&firm, "cash_received_month").await), [("EUR", 4000)]);
    assert_eq!(amounts(&folded(&firm, "receivables_overdue").await), [("EUR", 8000)]);
    let days = history(&firm, "cash_received_month", ["2026-06-12", "2026-06-13"], Grain::Day).await;
    assert_eq!(days.iter().map(|point| point.value.records).collect::<Vec<_>>(), [1, 0]);
}

#[tokio::test]
async fn midnight_makes_what_is_due_overdue_without_any_change_of_a_row() {
    let test = TestDb::new().await;
    let firm = firm(&test).await;
    let ids = firm.ids;
    // Paris: two hours ahead of UTC in June.
    test.clock.set(at("2026-06-15T21:59:59Z"));
    tick(&test).await;
    write!(firm.scope, |tx| sell_in(tx, ids, Sale::invoice("2026-06-01", "2026-06-15", 1000)));
    test.settle().await;
    let before = folded(&firm, "receivables_overdue").await;
    assert_eq!(amounts(&before), []);
    test.clock.set(at("2026-06-15T22:00:00Z"));
    tick(&test).await;
    let after = folded(&firm, "receivables_overdue").await;
    assert_eq!(amounts(&after), [("EUR", 1200)]);
    assert!(after.revision > before.revision, "the tick gave a revision of its own");
    let tx = firm.scope.read().await.expect("snapshot");
    let changed = kpi::changed_keys_after(&tx, before.revision).await.expect("changed");
    assert!(changed.contains(&"receivables_overdue".to_owned()));
    let stood =
        kpi::history(&tx, "receivables_overdue", day("2026-06-14"), day("2026-06-17"), Grain::Day).await;
    let stood: Vec<_> = stood.expect("history").iter().map(|point| point.value.records).collect();
    assert_eq!(stood, [0, 0, 1, 0], "overdue since today; tomorrow has no figure yet");
}

#[tokio::test]
async fn an_open_credit_note_lowers_what_is_open_and_is_never_overdue() {
    let test = TestDb::new().await;
    let firm = firm(&test).await;
    let ids = firm.ids;
    let invoice = write!(firm.scope, |tx| sell_in(tx, ids, Sale::invoice("2026-05-01", "2026-06-01", 1000)));
    write!(firm.scope, |tx| sell_in(tx, ids, Sale::credit_note(invoice, "2026-05-02", 500)));
    assert_eq!(amounts(&current(&firm, "receivables_open").await), [("EUR", 600)]);
    assert_eq!(amounts(&current(&firm, "receivables_overdue").await), [("EUR", 1200)]);
}

#[tokio::test]
async fn bills_wait_are_decided_on_and_leave_their_time_and_outcome() {
    let test = TestDb::new().await;
    let firm = firm(&test).await;
    let ids = firm.ids;
    let received = day("2026-06-01");
    let mut bills = Vec::new();
    for payable in [100, 200, 300, 400] {
        bills.push(write!(firm.scope, |tx| bill_in(tx, ids, "bill", received, payable)));
    }
    write!(firm.scope, |tx| bill_in(tx, ids, "credit_note", received, 50));
    let waiting = current(&firm, "bills_waiting").await;
    assert_eq!((waiting.value.number, amounts(&waiting)), (Some(Decimal::from(5)), vec![("EUR", 950)]));
    assert_eq!(current(&firm, "bill_error_rate").await.value.number, None, "nothing is decided yet");

    let [clean, corrected, rejected, waits] = bills[..] else { panic!("four bills") };
    write!(firm.scope, |tx| change_bill_in(tx, corrected, "corrected"));
    for (bill, elapsed_ms) in [(clean, 1000), (corrected, 3000)] {
        write!(firm.scope, |tx| approve_in(tx, bill, day("2026-06-02"), elapsed_ms));
    }
    write!(firm.scope, |tx| change_bill_in(tx, rejected, "rejected"));
    write!(firm.scope, |tx| change_bill_in(tx, clean, "posted"));
    test.settle().await;
    let waiting = folded(&firm, "bills_waiting").await;
    assert_eq!(
        (waiting.value.records, amounts(&waiting)),
        (2, vec![("EUR", 350)]),
        "{waits} and the credit note"
    );
    let errors = folded(&firm, "bill_error_rate").await;
    assert_eq!(
        (errors.value.number, errors.value.sum, errors.value.records),
        (Some(Decimal::new(6667, 4)), Some(2), 3)
    );
    let mean = folded(&firm, "approval_time_mean").await;
    assert_eq!((mean.value.number, mean.value.sum), (Some(Decimal::from(2000)), Some(4000)));
    assert_eq!(amounts(&folded(&firm, "payables_open").await), [("EUR", 100)]);
}

#[tokio::test]
async fn a_rolling_figure_shows_each_day_as_of_that_day() {
    let test = TestDb::new().await;
    let firm = firm(&test).await;
    let ids = firm.ids;
    let today = firm.scope.today();
    for (back, score) in [(0_u64, 5), (89, 2), (90, 1)] {
        let invoice =
            write!(firm.scope, |tx| sell_in(tx, ids, Sale::invoice("2026-01-05", "2026-02-05", 1000)));
        write!(firm.scope, |tx| score_in(tx, invoice, score, today - Days::new(back)));
    }
    let figure = current(&firm, "satisfaction_mean").await;
    assert_eq!(
        (figure.value.number, figure.value.records),
        (Some(Decimal::new(35, 1)), 2),
        "90 days, today included"
    );
    assert_eq!(figure.spec.history(), HistoryMeaning::AsOfDay);
    let days = history(&firm, "satisfaction_mean", ["2026-06-13", "2026-06-16"], Grain::Day).await;
    let means: Vec<_> = days.iter().map(|point| point.value.number).collect();
    let mean = |text: &str| Some(text.parse::<Decimal>().expect("decimal"));
    assert_eq!(means, [mean("1.50"), mean("1.50"), mean("3.50"), None], "tomorrow has none yet");
    assert_eq!(days[2].value, figure.value, "the point of today is the figure");
    let months = history(&firm, "satisfaction_mean", ["2026-06-01", "2026-06-30"], Grain::Month).await;
    assert_eq!(months[0].value, figure.value, "the month that is not over is as of today");
}

#[tokio::test]
async fn all_figures_are_read_in_one_state_and_stand_to_their_targets() {
    let test = TestDb::new().await;
    let firm = firm(&test).await;
    let ids = firm.ids;
    write!(firm.scope, |tx| sell_in(tx, ids, Sale::invoice("2026-06-01", "2026-07-01", 10_000)));
    let id = current(&firm, "revenue_month").await.definition.id;
    assert_eq!(current(&firm, "revenue_month").await.standing, None, "no target, no standing");
    for (target, standing) in
        [(Decimal::new(100, 0), Standing::Reached), (Decimal::new(10_001, 2), Standing::Missed)]
    {
        let version = current(&firm, "revenue_month").await.definition.version;
        firm.scope
            .write(move |tx| Box::pin(kpi::set_target(tx, id, Some(target), version)))
            .await
            .expect("a target");
        assert_eq!(current(&firm, "revenue_month").await.standing, Some(standing), "100.00 against {target}");
    }
    test.settle().await;
    let tx = firm.scope.read().await.expect("snapshot");
    let (head, figures) = kpi::values(&tx, None, Freshness::AtRevision).await.expect("figures");
    assert_eq!(head, kernel::rollup::head(&tx).await.expect("head"));
    assert!(figures.iter().all(|figure| figure.revision <= head.revision && figure.revision > 0));
}
