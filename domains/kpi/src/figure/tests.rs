use super::*;
use crate::definition::{HistoryMeaning, Window};

fn spec(unit: Unit, measure: Measure) -> Spec {
    Spec {
        cube: "bill.outcome",
        only: Vec::new(),
        window: Window::All,
        measure,
        history: HistoryMeaning::AsOfDay,
        unit,
        direction: Direction::Down,
    }
}

fn cell(dim1: &str, currency: &str, count: i64, sum1: i64) -> Cell {
    Cell { dim1: dim1.to_owned(), currency: currency.to_owned(), count, sum1 }
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
    let value = evaluate(&spec(Unit::Money, Measure::Sum), &cells).expect("value");
    let usd = Currency::parse("USD").expect("dollar");
    let expected = [
        Amount { money: Money::new(0, Currency::EUR), records: 4 },
        Amount { money: Money::new(700, usd), records: 1 },
    ];
    assert_eq!((value.amounts.as_slice(), value.records, value.number), (&expected[..], 5, None));
}

#[test]
fn a_filter_leaves_cells_out() {
    let only = Spec { only: vec!["invoice".to_owned()], ..spec(Unit::Money, Measure::Sum) };
    let cells = [cell("invoice", "EUR", 1, 10), cell("credit_note", "EUR", 1, -4)];
    assert_eq!(evaluate(&only, &cells).expect("value").amounts[0].money.minor, 10);
}

#[test]
fn shares_and_means_are_rounded_half_up_and_none_of_nothing() {
    let share = spec(Unit::Ratio, Measure::Share(vec!["corrected".to_owned(), "rejected".to_owned()]));
    let cells = [cell("clean", "", 4, 0), cell("corrected", "", 1, 0), cell("rejected", "", 1, 0)];
    let value = evaluate(&share, &cells).expect("value");
    assert_eq!((value.number, value.sum, value.records), (Some(decimal("0.3333")), Some(2), 6));
    assert_eq!(evaluate(&share, &[]).expect("value").number, None);
    let mean = evaluate(&spec(Unit::Score, Measure::Mean), &[cell("", "", 8, 33)]).expect("value");
    assert_eq!(mean.number, Some(decimal("4.13")), "4.125 rounded half up");
}

#[test]
fn a_target_is_a_floor_or_a_ceiling() {
    let ceiling = spec(Unit::Count, Measure::Count);
    let of = |number: &str| Value { number: Some(decimal(number)), ..Value::default() };
    let stands = |value: &Value, target| standing(&ceiling, value, target, Currency::EUR);
    assert_eq!(stands(&of("3"), Some(decimal("3"))), Some(Standing::Reached));
    assert_eq!(stands(&of("4"), Some(decimal("3"))), Some(Standing::Missed));
    assert_eq!(stands(&of("4"), None), None);
    assert_eq!(stands(&Value::default(), Some(decimal("3"))), None, "nothing to compare");
    let floor = Spec { direction: Direction::Up, ..spec(Unit::Money, Measure::Sum) };
    let nothing = standing(&floor, &Value::default(), Some(decimal("1.50")), Currency::EUR);
    assert_eq!(nothing, Some(Standing::Missed), "no invoice is a revenue of zero");
}

#[test]
fn sums_beyond_64_bits_are_a_fault_and_no_wrong_figure() {
    let cells = [cell("a", "EUR", 1, i64::MAX), cell("b", "EUR", 1, 1)];
    assert!(evaluate(&spec(Unit::Money, Measure::Sum), &cells).is_err());
}
