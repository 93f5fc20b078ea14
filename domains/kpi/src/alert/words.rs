//! Values as letters tell them, in French and English. Exact: no float.

use rust_decimal::{Decimal, RoundingStrategy};

use crate::definition::Unit;

/// A value in its unit, for people; money of a currency.
pub(super) fn value(value: Decimal, unit: Unit, currency: Option<&str>, french: bool) -> String {
    match unit {
        Unit::Money => {
            format!("{} {}", grouped(value, french), currency.unwrap_or_default()).trim_end().to_owned()
        }
        Unit::Duration => duration(value, french),
        Unit::Ratio => {
            let percent = (value * Decimal::ONE_HUNDRED).normalize();
            let sign = if french { "\u{202f}%" } else { "%" };
            format!("{}{sign}", grouped(percent, french))
        }
        Unit::Count | Unit::Score => grouped(value.normalize(), french),
    }
}

/// Digits in groups of three, with the separators of the language.
fn grouped(value: Decimal, french: bool) -> String {
    let (group, point) = if french { ('\u{202f}', ',') } else { (',', '.') };
    let text = value.abs().to_string();
    let (whole, fraction) = text.split_once('.').unwrap_or((&text, ""));
    let mut line = String::new();
    if value.is_sign_negative() && !value.is_zero() {
        line.push('\u{2212}');
    }
    for (at, digit) in whole.chars().enumerate() {
        if at > 0 && (whole.len() - at) % 3 == 0 {
            line.push(group);
        }
        line.push(digit);
    }
    if !fraction.is_empty() {
        line.push(point);
        line.push_str(fraction);
    }
    line
}

/// Milliseconds as the two largest units that are not nothing: `2 d 3 h`.
fn duration(milliseconds: Decimal, french: bool) -> String {
    let seconds = (milliseconds / Decimal::ONE_THOUSAND)
        .round_dp_with_strategy(0, RoundingStrategy::MidpointAwayFromZero);
    let seconds = i64::try_from(seconds).unwrap_or(i64::MAX);
    let day = if french { "j" } else { "d" };
    let parts = [
        (seconds / 86_400, day),
        (seconds / 3600 % 24, "h"),
        (seconds / 60 % 60, "min"),
        (seconds % 60, "s"),
    ];
    let first = parts.iter().position(|(count, _)| *count != 0).unwrap_or(parts.len() - 1);
    let shown = parts[first..].iter().take(2).filter(|(count, _)| *count != 0 || first == parts.len() - 1);
    shown.map(|(count, unit)| format!("{count}\u{a0}{unit}")).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(text: &str, unit: Unit, french: bool) -> String {
        let currency = (unit == Unit::Money).then_some("EUR");
        value(text.parse().expect("decimal"), unit, currency, french)
    }

    #[test]
    fn values_are_told_as_people_write_them() {
        assert_eq!(told("1234567.50", Unit::Money, true), "1\u{202f}234\u{202f}567,50 EUR");
        assert_eq!(told("-1234.50", Unit::Money, false), "\u{2212}1,234.50 EUR");
        assert_eq!(told("0.1250", Unit::Ratio, true), "12,5\u{202f}%");
        assert_eq!(told("0.05", Unit::Ratio, false), "5%");
        assert_eq!(told("999", Unit::Count, false), "999");
        assert_eq!(told("4.20", Unit::Score, true), "4,2");
        assert_eq!(told("183600000", Unit::Duration, true), "2\u{a0}j 3\u{a0}h");
        assert_eq!(told("86400000", Unit::Duration, false), "1\u{a0}d");
        assert_eq!(told("59499", Unit::Duration, false), "59\u{a0}s");
        assert_eq!(told("0", Unit::Duration, false), "0\u{a0}s");
    }
}
