use super::*;
use crate::definition::{Condition, Direction, Part, Slices, Window, comparable};
use invoicing::cubes::{BILL_OUTCOME, INVOICE_ISSUED, PAYMENT_RECORDED, SATISFACTION};
use kernel::cube::Cube;

fn spec(cube: &'static Cube, measure: Measure) -> Spec {
    let unit = measure.unit().expect("a unit");
    let (filter, dimensions, slices) = (Vec::new(), Vec::new(), Slices::default());
    Spec { cube, filter, window: Window::All, measure, dimensions, unit, slices }
}

fn net() -> Spec {
    spec(&INVOICE_ISSUED, Measure::Sum(&INVOICE_ISSUED.quantities[0]))
}

fn cell(group: &str, currency: &str, count: i64, sum1: i64) -> Cell {
    Cell {
        group: group.to_owned(),
        currency: currency.to_owned(),
        count,
        sum1,
        sum2: sum1.saturating_mul(10),
    }
}

fn value(spec: &Spec, own: &[Cell]) -> Value {
    let cells = Cells { own: own.to_vec(), over: Vec::new() };
    evaluate(spec, &cells, Currency::EUR).expect("value")
}

fn decimal(text: &str) -> Decimal {
    text.parse().expect("decimal")
}

#[test]
fn money_is_kept_per_currency_and_never_mixed() {
    let cells = [
        cell("invoice", "USD", 1, 700),
        cell("invoice", "EUR", 3, 1000),
        cell("credit_note", "EUR", 1, -1000),
        cell("invoice", "GBP", 0, 0),
    ];
    let value = value(&net(), &cells);
    let usd = Currency::parse("USD").expect("dollar");
    let expected = [
        Amount { money: Money::new(0, Currency::EUR), records: 4 },
        Amount { money: Money::new(700, usd), records: 1 },
    ];
    assert_eq!((value.amounts.as_slice(), value.records, value.number), (&expected[..], 5, None));
}

#[test]
fn shares_and_means_are_rounded_half_up_and_none_of_nothing() {
    let share = spec(&BILL_OUTCOME, Measure::Share(Condition::any_of("outcome", ["corrected", "rejected"])));
    let cells = [cell("clean", "", 4, 0), cell("corrected", "", 1, 0), cell("rejected", "", 1, 0)];
    let found = value(&share, &cells);
    assert_eq!((found.number, found.sum, found.records), (Some(decimal("0.3333")), Some(2), 6));
    assert_eq!(value(&share, &[]).number, None);
    let score = &SATISFACTION.quantities[0];
    let mean = value(&spec(&SATISFACTION, Measure::Mean(score)), &[cell("", "", 8, 33)]);
    assert_eq!(mean.number, Some(decimal("4.13")), "4.125 rounded half up");
}

#[test]
fn a_mean_of_money_is_one_for_each_currency() {
    let mean = spec(&INVOICE_ISSUED, Measure::Mean(&INVOICE_ISSUED.quantities[0]));
    let found = value(&mean, &[cell("", "EUR", 2, 25), cell("", "USD", 3, 10), cell("", "CHF", 0, 5)]);
    let amounts: Vec<_> =
        found.amounts.iter().map(|a| (a.money.currency.code(), a.money.minor, a.records)).collect();
    assert_eq!(
        amounts,
        [("EUR", 13, 2), ("USD", 3, 3)],
        "12.5 rounded half up; of no record there is no mean"
    );
    assert_eq!((found.number, found.sum), (None, None));
}

#[test]
fn money_of_the_books_is_added_up_over_all_currencies() {
    let base = spec(&PAYMENT_RECORDED, Measure::Sum(&PAYMENT_RECORDED.quantities[1]));
    let found = value(&base, &[cell("", "EUR", 1, 5), cell("", "USD", 1, 7)]);
    assert_eq!(found.amounts, [Amount { money: Money::new(120, Currency::EUR), records: 2 }]);
}

#[test]
fn a_quotient_takes_money_of_the_books_alone_and_tells_both_sides() {
    let part = |cube, total| Part { cube, filter: Vec::new(), total };
    let net = Total::Sum(&INVOICE_ISSUED.quantities[0]);
    let own = vec![cell("", "EUR", 3, 100), cell("", "USD", 5, 900)];
    let over = vec![cell("", "EUR", 3, 60), cell("", "USD", 5, 1)];
    let cells = Cells { own, over };
    let paid = part(&PAYMENT_RECORDED, Total::Sum(&PAYMENT_RECORDED.quantities[0]));
    let ratio = spec(&INVOICE_ISSUED, Measure::Quotient { of: net, over: paid });
    let found = evaluate(&ratio, &cells, Currency::EUR).expect("value");
    assert_eq!((found.number, found.sum, found.over), (Some(decimal("1.6667")), Some(100), Some(60)));
    let each =
        spec(&INVOICE_ISSUED, Measure::Quotient { of: net, over: part(&INVOICE_ISSUED, Total::Count) });
    let found = evaluate(&each, &cells, Currency::EUR).expect("value");
    assert_eq!(
        found.amounts,
        [Amount { money: Money::new(13, Currency::EUR), records: 8 }],
        "100 by 8, half up"
    );
    let nothing = evaluate(&ratio, &Cells::default(), Currency::EUR).expect("value");
    assert_eq!((nothing.number, nothing.over), (None, Some(0)));
}

#[test]
fn a_target_is_a_floor_or_a_ceiling() {
    let goal = |direction, target| Goal {
        direction,
        target,
        warning: None,
        critical: None,
        hysteresis: Decimal::ZERO,
    };
    let ceiling = |target| goal(Direction::Down, target);
    let three = Some(decimal("3"));
    assert_eq!(ceiling(three).standing(three), Some(Standing::Reached));
    assert_eq!(ceiling(three).standing(Some(decimal("4"))), Some(Standing::Missed));
    assert_eq!(ceiling(None).standing(three), None);
    assert_eq!(ceiling(three).standing(None), None, "nothing to compare");
    let nothing = comparable(&net(), &Value::default(), Currency::EUR);
    let floor = goal(Direction::Up, Some(decimal("1.50")));
    assert_eq!(floor.standing(nothing), Some(Standing::Missed), "no invoice is a revenue of zero");
}

#[test]
fn targets_are_possible_values() {
    let with = |spec: &Spec, text: &str| {
        let goal = Goal {
            direction: Direction::Up,
            target: Some(decimal(text)),
            warning: None,
            critical: None,
            hysteresis: Decimal::ZERO,
        };
        goal.check(spec).is_ok()
    };
    let share = spec(&BILL_OUTCOME, Measure::Share(Condition::any_of("outcome", ["rejected"])));
    assert!(with(&share, "0.05") && !with(&share, "5"));
    let score = spec(&SATISFACTION, Measure::Mean(&SATISFACTION.quantities[0]));
    assert!(with(&score, "4.2") && !with(&score, "0.5") && !with(&score, "5.1"));
    let count = spec(&BILL_OUTCOME, Measure::Count);
    assert!(with(&count, "0") && !with(&count, "1.5"));
    assert!(with(&net(), "1000.50") && !with(&net(), "-1"));
    assert!(!with(&net(), "0.0000001") && !with(&net(), "99999999999999999999"));
}

#[test]
fn sums_beyond_64_bits_are_a_fault_and_no_wrong_figure() {
    let own = vec![cell("a", "EUR", 1, i64::MAX / 10), cell("b", "EUR", 1, i64::MAX)];
    assert!(evaluate(&net(), &Cells { own, over: Vec::new() }, Currency::EUR).is_err());
}
