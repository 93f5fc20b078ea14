//! The records behind a figure are the figure.

use std::collections::BTreeMap;

use kernel::page::Slice;
use kernel::{Actor, Currency, Kind, Permission, PermissionSet};
use kpi::figure::drill::cursor_of;
use kpi::{Condition, Error, Freshness, Grain, Measure, Record, Spec, Unit, Within};
use rust_decimal::{Decimal, RoundingStrategy};
use testing::{TestDb, day};

use crate::support::{
    Firm, KEYS, Pay, Sale, approve_in, bill_in, change_bill_in, firm, pay_in, score_in, sell_in, write,
};
use crate::work::{Dice, act};

/// All records of a part of a figure, page by page, in both directions.
async fn records(firm: &Firm, key: &str, within: &Within) -> Vec<Record> {
    let tx = firm.scope.read().await.expect("snapshot");
    let mut forward: Vec<Record> = Vec::new();
    let mut slice = Slice::first(7);
    loop {
        let page = kpi::drill_down(&tx, key, within, &slice).await.expect("page");
        assert_eq!(page.has_previous, slice.after.is_some());
        forward.extend(page.items);
        slice.after = forward.last().map(cursor_of);
        if !page.has_next {
            break;
        }
    }
    let mut backward: Vec<Record> = Vec::new();
    let mut slice = Slice { limit: 5, backward: true, ..Slice::default() };
    loop {
        let page = kpi::drill_down(&tx, key, within, &slice).await.expect("page");
        backward.splice(0..0, page.items);
        slice.before = backward.first().map(cursor_of);
        if !page.has_previous {
            break;
        }
    }
    let counted = kpi::count_records(&tx, key, within).await.expect("counted");
    tx.end().await;
    assert_eq!(counted, forward.len() as u64, "{key}");
    assert_eq!(forward, backward, "{key}");
    assert!(forward.is_sorted_by(|a, b| (a.day, a.id) > (b.day, b.id)), "{key}: newest first, each once");
    forward
}

/// Count, sum per currency and sum of parts.
fn summed(records: &[Record]) -> (i64, BTreeMap<&'static str, i64>, Option<i64>) {
    let mut amounts = BTreeMap::new();
    for money in records.iter().filter_map(|record| record.amount) {
        *amounts.entry(money.currency.code()).or_insert(0) += money.minor;
    }
    let parts: Vec<i64> = records.iter().filter_map(|record| record.part).collect();
    let count = records.iter().map(|record| record.count).sum();
    (count, amounts, (!parts.is_empty()).then(|| parts.iter().sum()))
}

fn assert_is(spec: &Spec, key: &str, records: &[Record], value: &kpi::Value) {
    let (count, amounts, parts) = summed(records);
    assert_eq!(count, value.records, "{key}");
    assert_eq!(parts.unwrap_or(0), value.sum.unwrap_or(0), "{key}");
    let told: BTreeMap<_, _> =
        value.amounts.iter().map(|amount| (amount.money.currency.code(), amount.money.minor)).collect();
    match &spec.measure {
        Measure::Mean(_) if spec.unit == Unit::Money => {
            for amount in &value.amounts {
                let sum = Decimal::from(amounts[amount.money.currency.code()]);
                let mean = (sum / Decimal::from(amount.records))
                    .round_dp_with_strategy(0, RoundingStrategy::MidpointAwayFromZero);
                assert_eq!(mean, Decimal::from(amount.money.minor), "{key}");
            }
        }
        Measure::Quotient { .. } => {}
        _ => assert_eq!(amounts, told, "{key}"),
    }
}

/// What leaves no figure without records.
pub(crate) async fn some_of_each(firm: &Firm) {
    let (ids, received) = (firm.ids, day("2026-06-02"));
    let invoice = write!(firm.scope, |tx| sell_in(tx, ids, Sale::invoice("2026-06-01", "2026-06-10", 5000)));
    write!(firm.scope, |tx| pay_in(tx, ids, Pay::invoice(invoice, "2026-06-11", 1000)));
    write!(firm.scope, |tx| score_in(tx, invoice, 4, received));
    write!(firm.scope, |tx| bill_in(tx, ids, "bill", received, 100));
    let bill = write!(firm.scope, |tx| bill_in(tx, ids, "bill", received, 300));
    write!(firm.scope, |tx| approve_in(tx, bill, received, 90_000));
    write!(firm.scope, |tx| change_bill_in(tx, bill, "posted"));
    let pay = Pay { on: received, amount: 100, currency: "EUR", invoice: None, bill: Some(bill) };
    write!(firm.scope, |tx| pay_in(tx, ids, pay));
    let late = write!(firm.scope, |tx| bill_in(tx, ids, "bill", day("2026-04-01"), 500));
    write!(firm.scope, |tx| approve_in(tx, late, received, 90_000));
    write!(firm.scope, |tx| change_bill_in(tx, late, "posted"));
    let paid = write!(firm.scope, |tx| sell_in(tx, ids, Sale::invoice("2026-05-01", "2026-06-10", 100)));
    write!(firm.scope, |tx| pay_in(tx, ids, Pay::invoice(paid, "2026-06-11", 120)));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_records_add_up_to_the_figure_and_to_each_point_of_its_history() {
    let test = TestDb::new().await;
    let firm = firm(&test).await;
    let mut dice = Dice(42);
    for _ in 0..250 {
        act(&firm, Dice(dice.roll(1 << 30))).await;
    }
    some_of_each(&firm).await;
    test.settle().await;
    let tx = firm.scope.read().await.expect("snapshot");
    let (_, figures) = kpi::values(&tx, None, Freshness::AtRevision).await.expect("figures");
    for figure in figures {
        let key = figure.definition.key.as_str();
        assert!(figure.value.records > 0, "{key} is made of something");
        let spec = &figure.spec;
        assert_is(spec, key, &records(&firm, key, &Within::default()).await, &figure.value);
        for amount in &figure.value.amounts {
            let within = Within { currency: Some(amount.money.currency), ..Within::default() };
            let (count, amounts, _) = summed(&records(&firm, key, &within).await);
            assert_eq!(count, amount.records, "{key}");
            if key != "average_invoice" {
                assert_eq!(amounts.values().sum::<i64>(), amount.money.minor, "{key}");
            }
        }
        for grain in [Grain::Day, Grain::Month] {
            let points =
                kpi::history(&tx, key, day("2026-06-01"), day("2026-06-15"), grain).await.expect("history");
            for point in points.iter().rev().step_by(5) {
                let within = Within { point: Some((point.day, grain)), ..Within::default() };
                assert_is(spec, key, &records(&firm, key, &within).await, &point.value);
            }
        }
    }
    tx.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn on_any_other_day_the_records_add_up_to_what_the_figure_was() {
    let test = TestDb::new().await;
    let firm = firm(&test).await;
    let mut dice = Dice(4711);
    for _ in 0..250 {
        act(&firm, Dice(dice.roll(1 << 30))).await;
    }
    let tx = firm.scope.read().await.expect("snapshot");
    for _ in 0..6 {
        let as_of = day("2026-01-15") + chrono::Days::new(dice.roll(250));
        for figure in kpi::recompute_on(&tx, None, as_of).await.expect("figures") {
            let key = figure.definition.key.as_str();
            let within = Within { as_of: Some(as_of), ..Within::default() };
            let all = records(&firm, key, &within).await;
            assert_is(&figure.spec, key, &all, &figure.value);
            // Every record is of one of the two parties, whether the figure is kept by them or not.
            let dimension = figure.spec.cube.dimensions[1].expect("a second dimension").name;
            if !["customer", "supplier", "party"].contains(&dimension) {
                continue;
            }
            let mut of_parties = Vec::new();
            for party in [firm.ids.party, firm.ids.other] {
                let conditions = vec![Condition::any_of(dimension, [party.to_string()])];
                of_parties.extend(records(&firm, key, &Within { conditions, ..within.clone() }).await);
            }
            of_parties.sort_by_key(|record| std::cmp::Reverse((record.day, record.id)));
            assert_eq!(of_parties, all, "{key} on {as_of}");
        }
    }
    tx.end().await;
}

#[tokio::test]
async fn what_is_paid_later_still_stands_in_an_earlier_day() {
    let test = TestDb::new().await;
    let firm = firm(&test).await;
    let ids = firm.ids;
    let invoice = write!(firm.scope, |tx| sell_in(tx, ids, Sale::invoice("2026-05-01", "2026-05-31", 1000)));
    write!(firm.scope, |tx| pay_in(tx, ids, Pay::invoice(invoice, "2026-05-20", 200)));
    write!(firm.scope, |tx| pay_in(tx, ids, Pay::invoice(invoice, "2026-06-10", 1000)));
    let stood = async |key: &str, on: &str| {
        let within = Within { as_of: Some(day(on)), ..Within::default() };
        let records = records(&firm, key, &within).await;
        records.iter().map(|record| (record.day, record.amount.expect("an amount").minor)).collect::<Vec<_>>()
    };
    let issued = day("2026-05-01");
    assert_eq!(stood("receivables_open", "2026-04-30").await, []);
    assert_eq!(stood("receivables_open", "2026-05-19").await, [(issued, 1200)]);
    assert_eq!(stood("receivables_open", "2026-05-20").await, [(issued, 1000)]);
    assert_eq!(stood("receivables_open", "2026-06-10").await, []);
    assert_eq!(stood("receivables_overdue", "2026-05-31").await, [], "it is due today");
    assert_eq!(stood("receivables_overdue", "2026-06-01").await, [(day("2026-06-01"), 1000)]);
    assert_eq!(stood("receivables_overdue", "2026-06-10").await, []);
}

#[tokio::test]
async fn records_name_their_thing() {
    let test = TestDb::new().await;
    let firm = firm(&test).await;
    let ids = firm.ids;
    let invoice = write!(firm.scope, |tx| sell_in(tx, ids, Sale::invoice("2026-05-01", "2026-06-01", 1000)));
    let note = write!(firm.scope, |tx| sell_in(tx, ids, Sale::credit_note(invoice, "2026-06-01", 1000)));
    write!(firm.scope, |tx| score_in(tx, note, 4, day("2026-06-02")));
    let record = records(&firm, "revenue_month", &Within::default()).await.remove(0);
    let amount = Some(kernel::Money::new(-1000, Currency::EUR));
    let expected = Record {
        kind: Kind::Invoice,
        id: note,
        day: day("2026-06-01"),
        group: "credit_note".to_owned(),
        count: 1,
        amount,
        part: None,
    };
    assert_eq!(record, expected);
    let record = records(&firm, "satisfaction_mean", &Within::default()).await.remove(0);
    assert_eq!((record.id, record.amount, record.part), (note, None, Some(4)));
}

#[tokio::test]
async fn records_need_the_right_to_read_them_and_a_cursor_of_their_list() {
    let test = TestDb::new().await;
    let firm = firm(&test).await;
    let company = firm.scope.company().id;
    let reader = |permissions: &[Permission]| {
        test.scope(company, Actor::System, permissions.iter().copied().collect::<PermissionSet>())
    };
    let denied = async |scope: kernel::Scope, key: &str| {
        let tx = scope.read().await.expect("snapshot");
        match kpi::drill_down(&tx, key, &Within::default(), &Slice::first(1)).await {
            Err(Error::Denied(denied)) => Some(denied.0),
            Err(error) => panic!("{error}"),
            Ok(_) => None,
        }
    };
    let only_figures = reader(&[Permission::KpiRead]);
    assert_eq!(denied(only_figures.clone(), "revenue_month").await, Some(Permission::InvoicingRead));
    assert_eq!(denied(only_figures.clone(), "cash_received_month").await, Some(Permission::PaymentsRead));
    for key in ["bills_waiting", "approval_time_p90", "bill_error_rate", "payables_open"] {
        assert_eq!(denied(only_figures.clone(), key).await, Some(Permission::BillsRead), "{key}");
    }
    assert_eq!(denied(reader(&[Permission::BillsRead]), "bills_waiting").await, Some(Permission::KpiRead));
    assert_eq!(denied(reader(&[Permission::KpiRead, Permission::BillsRead]), "bills_waiting").await, None);

    let tx = firm.scope.read().await.expect("snapshot");
    for key in ["", "yesterday", "+262142-12-31"] {
        let cursor = kernel::page::Cursor { key: key.to_owned(), id: kernel::id::new() };
        let slice = Slice { after: Some(cursor), ..Slice::first(1) };
        let refused = kpi::drill_down(&tx, KEYS[0], &Within::default(), &slice).await;
        assert!(matches!(refused, Err(Error::Invalid { .. })), "{key}");
    }
}
