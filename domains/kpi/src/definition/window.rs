//! Which days a figure is made of. Pure.

use chrono::{Datelike, Days, Months, NaiveDate};
use kernel::cube::{Cube, Shape};
use serde::{Deserialize, Serialize};

/// The first day of windows without a beginning.
pub(crate) const FIRST_DAY: NaiveDate = calendar_day(1, 1, 1);
/// The last day of windows without an end.
pub(crate) const LAST_DAY: NaiveDate = calendar_day(9999, 12, 31);
/// The longest rolling window: three years.
pub const MOST_ROLLING_DAYS: u32 = 1100;

const fn calendar_day(year: i32, month: u32, day: u32) -> NaiveDate {
    match NaiveDate::from_ymd_opt(year, month, day) {
        Some(day) => day,
        None => NaiveDate::MIN,
    }
}

/// First and last day, both included. There is none where the last is before the first.
pub type Span = (NaiveDate, NaiveDate);

/// The span without a day.
pub(crate) const NO_DAYS: Span = (LAST_DAY, FIRST_DAY);

/// A step of the calendar.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Grain {
    /// A day.
    #[default]
    Day,
    /// A week from Monday to Sunday (ISO 8601).
    Week,
    /// A calendar month.
    Month,
    /// A quarter that begins in January, April, July or October.
    Quarter,
    /// A calendar year.
    Year,
}

impl Grain {
    /// The step that a day is in.
    pub fn around(self, day: NaiveDate) -> Span {
        let first = match self {
            Self::Day => Some(day),
            Self::Week => day.checked_sub_days(Days::new(u64::from(day.weekday().num_days_from_monday()))),
            Self::Month => day.with_day(1),
            Self::Quarter => NaiveDate::from_ymd_opt(day.year(), day.month0() / 3 * 3 + 1, 1),
            Self::Year => NaiveDate::from_ymd_opt(day.year(), 1, 1),
        };
        let first = first.unwrap_or(day);
        let last = self.after(first).and_then(|next| next.pred_opt());
        (first.max(FIRST_DAY), last.map_or(LAST_DAY, |last| last.min(LAST_DAY)))
    }

    /// As long a step later. From the first day of a step that is the first day of the next.
    pub fn after(self, day: NaiveDate) -> Option<NaiveDate> {
        match self {
            Self::Day => day.succ_opt(),
            Self::Week => day.checked_add_days(Days::new(7)),
            Self::Month => day.checked_add_months(Months::new(1)),
            Self::Quarter => day.checked_add_months(Months::new(3)),
            Self::Year => day.checked_add_months(Months::new(12)),
        }
    }

    /// So many steps earlier; the first day there is, where the calendar ends.
    pub fn before(self, day: NaiveDate, steps: u32) -> NaiveDate {
        let months = |each: u32| day.checked_sub_months(Months::new(each.saturating_mul(steps)));
        let before = match self {
            Self::Day => day.checked_sub_days(Days::new(u64::from(steps))),
            Self::Week => day.checked_sub_days(Days::new(7 * u64::from(steps))),
            Self::Month => months(1),
            Self::Quarter => months(3),
            Self::Year => months(12),
        };
        before.map_or(FIRST_DAY, |before| before.max(FIRST_DAY))
    }
}

/// Which days of a cube a figure is made of, in the company's calendar.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Window {
    /// The step of the calendar that today is in.
    Calendar {
        /// How long it is.
        period: Grain,
        /// Whether it ends with today; else days to come are in it too.
        to_date: bool,
    },
    /// So many days that end with today.
    Rolling {
        /// From 1 to [`MOST_ROLLING_DAYS`].
        days: u32,
    },
    /// All days.
    All,
    /// All days up to today: what stood at its end.
    Balance,
    /// All days before today: what is due on them is overdue.
    BeforeToday,
}

impl Window {
    /// First and last day, as of a day. It can be empty only by its last day before its first.
    pub fn days(self, today: NaiveDate) -> Span {
        match self {
            Self::Calendar { period, to_date } => {
                let (first, last) = period.around(today);
                (first, if to_date { last.min(today) } else { last })
            }
            Self::Rolling { days } => (Grain::Day.before(today, days.saturating_sub(1)), today),
            Self::All => (FIRST_DAY, LAST_DAY),
            Self::Balance => (FIRST_DAY, today),
            Self::BeforeToday => (FIRST_DAY, today.pred_opt().unwrap_or(FIRST_DAY)),
        }
    }

    /// The days of a cube that count in this window: of a balance, always all up to the window's end.
    pub fn days_of(self, cube: &Cube, today: NaiveDate) -> Span {
        of_cube(cube, self.days(today), today)
    }

    /// Whether a figure over it changes by the passing of a day alone.
    pub const fn moves_with_the_day(self) -> bool {
        !matches!(self, Self::All)
    }

    /// The stored kind.
    pub const fn kind(self) -> &'static str {
        match self {
            Self::Calendar { period: Grain::Day, .. } => "day",
            Self::Calendar { period: Grain::Week, .. } => "week",
            Self::Calendar { period: Grain::Month, .. } => "month",
            Self::Calendar { period: Grain::Quarter, .. } => "quarter",
            Self::Calendar { period: Grain::Year, .. } => "year",
            Self::Rolling { .. } => "rolling",
            Self::All => "all",
            Self::Balance => "balance",
            Self::BeforeToday => "before_today",
        }
    }

    /// The step in which it is most naturally told: its own, or days.
    pub const fn grain(self) -> Grain {
        match self {
            Self::Calendar { period, .. } => period,
            _ => Grain::Day,
        }
    }
}

/// The days of a cube that count in a span: a balance is everything up to the span's end, which is today at the latest.
pub(crate) fn of_cube(cube: &Cube, (first, last): Span, today: NaiveDate) -> Span {
    match cube.shape {
        Shape::Balance if first > last => NO_DAYS,
        Shape::Balance => (FIRST_DAY, last.min(today)),
        _ => (first, last),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str) -> NaiveDate {
        text.parse().expect("a date")
    }

    fn whole(period: Grain) -> Window {
        Window::Calendar { period, to_date: false }
    }

    #[test]
    fn windows_follow_the_calendar() {
        let leap = day("2024-02-29");
        assert_eq!(whole(Grain::Month).days(leap), (day("2024-02-01"), day("2024-02-29")));
        assert_eq!(whole(Grain::Month).days(day("2026-12-31")), (day("2026-12-01"), day("2026-12-31")));
        assert_eq!(whole(Grain::Week).days(day("2027-01-01")), (day("2026-12-28"), day("2027-01-03")));
        assert_eq!(whole(Grain::Quarter).days(leap), (day("2024-01-01"), day("2024-03-31")));
        assert_eq!(whole(Grain::Year).days(leap), (day("2024-01-01"), day("2024-12-31")));
        let to_date = Window::Calendar { period: Grain::Year, to_date: true };
        assert_eq!(to_date.days(leap), (day("2024-01-01"), leap));
        let rolling = |days| Window::Rolling { days };
        assert_eq!(rolling(90).days(day("2026-03-31")), (day("2026-01-01"), day("2026-03-31")));
        assert_eq!(rolling(1).days(leap), (leap, leap));
        assert_eq!(rolling(2).days(FIRST_DAY), (FIRST_DAY, FIRST_DAY));
        assert_eq!(Window::BeforeToday.days(leap).1, day("2024-02-28"));
        assert_eq!(Window::Balance.days(leap), (FIRST_DAY, leap));
    }

    #[test]
    fn steps_end_with_the_calendar() {
        for grain in [Grain::Day, Grain::Week, Grain::Month, Grain::Quarter, Grain::Year] {
            assert_eq!(grain.around(LAST_DAY).1, LAST_DAY, "{grain:?}");
            assert_eq!(grain.around(FIRST_DAY).0, FIRST_DAY, "{grain:?}");
            assert_eq!(grain.before(FIRST_DAY, 7), FIRST_DAY, "{grain:?}");
        }
        assert_eq!(Grain::Month.before(day("2026-03-31"), 1), day("2026-02-28"));
    }
}
