//! What a figure is made of: cube, window, measure, unit. Pure.

pub mod builtin;
pub mod service;
pub mod store;

use chrono::{Days, Months, NaiveDate};
use entity::kpi::kpi_definition::Model;
use kernel::Fault;
use kernel::cube::Cube;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use crate::cubes;
use crate::error::Error;

/// The first day of windows without a beginning.
pub(crate) const FIRST_DAY: NaiveDate = calendar_day(1, 1, 1);
/// The last day of windows without an end.
pub(crate) const LAST_DAY: NaiveDate = calendar_day(9999, 12, 31);

const fn calendar_day(year: i32, month: u32, day: u32) -> NaiveDate {
    match NaiveDate::from_ymd_opt(year, month, day) {
        Some(day) => day,
        None => NaiveDate::MIN,
    }
}

/// What a value is counted in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// Amounts, one for each currency.
    Money,
    /// A whole number of things.
    Count,
    /// Milliseconds.
    Duration,
    /// A share of one, from 0 to 1.
    Ratio,
    /// A score from 1 (bad) to 5 (good).
    Score,
}

impl Unit {
    /// Every unit there is.
    pub const ALL: &'static [Self] = &[Self::Money, Self::Count, Self::Duration, Self::Ratio, Self::Score];

    /// The stored form.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Money => "money",
            Self::Count => "count",
            Self::Duration => "duration",
            Self::Ratio => "ratio",
            Self::Score => "score",
        }
    }

    /// Reads the stored form.
    pub fn parse(stored: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|unit| unit.as_str() == stored)
    }

    /// How many decimal digits a value of this unit is rounded to, half up; money follows its currency.
    pub(crate) const fn digits(self) -> u32 {
        match self {
            Self::Money | Self::Count | Self::Duration => 0,
            Self::Ratio => 4,
            Self::Score => 2,
        }
    }
}

/// Which way is better.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// The more, the better: the target is a floor.
    Up,
    /// The less, the better: the target is a ceiling.
    Down,
}

impl Direction {
    /// The stored form.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Up => "up",
            Self::Down => "down",
        }
    }

    /// Reads the stored form.
    pub fn parse(stored: &str) -> Option<Self> {
        [Self::Up, Self::Down].into_iter().find(|direction| direction.as_str() == stored)
    }
}

/// Which days of the cube a figure is made of, in the company's calendar.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Window {
    /// The whole month of today, days to come included.
    Month,
    /// So many days that end with today.
    Rolling(u32),
    /// All days before today: what is due on them is overdue.
    BeforeToday,
    /// All days.
    All,
}

impl Window {
    /// First and last day, both included. A window can be empty only by its last day before its first.
    pub fn days(self, today: NaiveDate) -> (NaiveDate, NaiveDate) {
        match self {
            Self::Month => month_of(today),
            Self::Rolling(days) => {
                let back = Days::new(u64::from(days.saturating_sub(1)));
                (today.checked_sub_days(back).map_or(FIRST_DAY, |first| first.max(FIRST_DAY)), today)
            }
            Self::BeforeToday => (FIRST_DAY, today.pred_opt().unwrap_or(FIRST_DAY)),
            Self::All => (FIRST_DAY, LAST_DAY),
        }
    }

    /// Whether a figure over it changes by the passing of a day alone.
    pub const fn moves_with_the_day(self) -> bool {
        !matches!(self, Self::All)
    }
}

/// First and last day of the month that a day is in.
pub(crate) fn month_of(day: NaiveDate) -> (NaiveDate, NaiveDate) {
    use chrono::Datelike;
    let first = day.with_day(1).unwrap_or(day);
    let last = first.checked_add_months(Months::new(1)).and_then(|next| next.pred_opt()).unwrap_or(LAST_DAY);
    (first, last)
}

/// What a point of a figure's history means.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HistoryMeaning {
    /// What happened on that day alone: the days of a month add up to the figure of the month.
    OfDay,
    /// The figure as it is recomputed for that day: its window ends there.
    AsOfDay,
    /// What is open now, by the day it is due. It does not tell what was open on that day.
    ByDueDay,
    /// What waits now, by the day it was received. It does not tell what waited on that day.
    ByReceiptDay,
}

/// How the cells of a cube become a value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Measure {
    /// The first sum, for each currency.
    Sum,
    /// How many; beside it the first sum for each currency, where the cube has currencies.
    Count,
    /// The first sum by the count.
    Mean,
    /// The percentile (1 to 99) of a cube whose first dimension is a duration bucket; see [`crate::figure::histogram`].
    Percentile(u8),
    /// The share of those whose first dimension is one of these.
    Share(Vec<String>),
}

impl Measure {
    pub(crate) const fn as_str(&self) -> &'static str {
        match self {
            Self::Sum => "sum",
            Self::Count => "count",
            Self::Mean => "mean",
            Self::Percentile(_) => "percentile",
            Self::Share(_) => "share",
        }
    }
}

/// What `kpi_definition.parameters` holds.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Parameters {
    pub(crate) window: Window,
    pub(crate) history: HistoryMeaning,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) only: Vec<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) share_of: Vec<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) percentile: Option<u8>,
}

/// What a figure is, as its definition says.
#[derive(Clone, Debug, PartialEq)]
pub struct Spec {
    /// The cube it is read from.
    pub cube: &'static str,
    /// The values of the cube's first dimension that count; all, when empty.
    pub only: Vec<String>,
    /// Over which days.
    pub window: Window,
    /// How cells become the value.
    pub measure: Measure,
    /// What a point of its history means.
    pub history: HistoryMeaning,
    /// What the value is counted in.
    pub unit: Unit,
    /// Which way is better.
    pub direction: Direction,
}

impl Spec {
    /// Reads a definition's row.
    ///
    /// # Errors
    /// A fault when the row says what cannot be: the row is written by us alone.
    pub fn of(definition: &Model) -> Result<Self, Fault> {
        let wrong = |what: &str| Fault::Corrupt(format!("kpi_definition {}: {what}", definition.key));
        let parameters: Parameters =
            serde_json::from_value(definition.parameters.clone()).map_err(|e| wrong(&e.to_string()))?;
        let measure = match (definition.measure.as_str(), parameters.percentile) {
            ("sum", _) => Measure::Sum,
            ("count", _) => Measure::Count,
            ("mean", _) => Measure::Mean,
            ("percentile", Some(percent)) if (1..=99).contains(&percent) => Measure::Percentile(percent),
            ("share", _) => Measure::Share(parameters.share_of),
            _ => return Err(wrong("measure")),
        };
        Ok(Self {
            cube: cubes::by_name(&definition.cube).ok_or_else(|| wrong("cube"))?.name,
            only: parameters.only,
            window: parameters.window,
            measure,
            history: parameters.history,
            unit: Unit::parse(&definition.unit).ok_or_else(|| wrong("unit"))?,
            direction: Direction::parse(&definition.direction).ok_or_else(|| wrong("direction"))?,
        })
    }

    /// The cube it is read from.
    pub fn cube(&self) -> Result<&'static Cube, Fault> {
        cubes::by_name(self.cube).ok_or_else(|| Fault::Corrupt(format!("no cube {}", self.cube)))
    }

    /// Whether a cell or a fact with this first dimension belongs to the figure.
    pub fn counts(&self, dim1: &str) -> bool {
        self.only.is_empty() || self.only.iter().any(|only| only == dim1)
    }
}

/// Refuses a target that no value of the unit can reach or miss.
pub(crate) fn check_target(unit: Unit, target: Decimal) -> Result<(), Error> {
    let refuse = |message: &'static str| Err(Error::invalid("target", message));
    match unit {
        _ if target.is_sign_negative() => refuse("a target is not negative: give zero or more"),
        _ if target.normalize().scale() > 6 || target > Decimal::from(1_000_000_000_000_000_i64) => {
            refuse("a target has at most 15 digits before and 6 after the decimal point")
        }
        Unit::Count | Unit::Duration if !target.fract().is_zero() => {
            refuse("give a whole number (of things, or of milliseconds)")
        }
        Unit::Ratio if target > Decimal::ONE => refuse("a share lies between 0 and 1: write 0.05 for 5 %"),
        Unit::Score if target < Decimal::ONE || target > Decimal::from(5) => {
            refuse("a score lies between 1 and 5")
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str) -> NaiveDate {
        text.parse().expect("a date")
    }

    #[test]
    fn windows_follow_the_calendar() {
        let leap = day("2024-02-29");
        assert_eq!(Window::Month.days(leap), (day("2024-02-01"), day("2024-02-29")));
        assert_eq!(Window::Month.days(day("2026-12-31")), (day("2026-12-01"), day("2026-12-31")));
        assert_eq!(Window::Rolling(90).days(day("2026-03-31")), (day("2026-01-01"), day("2026-03-31")));
        assert_eq!(Window::Rolling(1).days(leap), (leap, leap));
        assert_eq!(Window::BeforeToday.days(leap).1, day("2024-02-28"));
        assert_eq!(Window::Rolling(2).days(FIRST_DAY), (FIRST_DAY, FIRST_DAY));
    }

    #[test]
    fn targets_are_possible_values() {
        let allowed = |unit, text: &str| check_target(unit, text.parse().expect("decimal")).is_ok();
        assert!(allowed(Unit::Ratio, "0.05") && !allowed(Unit::Ratio, "5"));
        assert!(allowed(Unit::Score, "4.2") && !allowed(Unit::Score, "0.5") && !allowed(Unit::Score, "5.1"));
        assert!(allowed(Unit::Count, "0") && !allowed(Unit::Count, "1.5"));
        assert!(allowed(Unit::Money, "1000.50") && !allowed(Unit::Money, "-1"));
        assert!(!allowed(Unit::Money, "0.0000001") && !allowed(Unit::Money, "99999999999999999999"));
    }
}
