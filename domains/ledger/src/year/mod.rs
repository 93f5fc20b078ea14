//! Fiscal years, periods, the opening of a company's books and the closing of a year. Rules only.

mod chart;
mod closing;
mod opening;
pub mod service;

pub use chart::Chart;
pub use closing::close_year;
pub use opening::{open_books_in, open_next_year_in};

use chrono::{Datelike, Days, Months, NaiveDate};

use crate::account::stored;
pub use crate::rate::exchange_rate_in;

stored! {
    /// How far a period is.
    PeriodState {
        /// Takes entries.
        Open = "open",
        /// Takes the entries of a year's closing only; may reopen.
        Locked = "locked",
        /// Takes nothing any more, for good.
        Closed = "closed",
    }
}

stored! {
    /// How far a fiscal year is.
    YearState {
        /// Its periods may take entries.
        Open = "open",
        /// Its result and the opening of the next year are posted; for good.
        Closed = "closed",
    }
}

/// Twelve months from a day, as periods: first and last day of each. `None` at the end of the calendar.
pub(crate) fn months_from(first_day: NaiveDate) -> Option<Vec<(NaiveDate, NaiveDate)>> {
    (0..12)
        .map(|month| {
            let begins = first_day.checked_add_months(Months::new(month))?;
            let next = first_day.checked_add_months(Months::new(month + 1))?;
            Some((begins, next.checked_sub_days(Days::new(1))?))
        })
        .collect()
}

/// The name of a fiscal year: `2026`, or `2026-2027` when it spans two calendar years.
pub(crate) fn name_of(first_day: NaiveDate, last_day: NaiveDate) -> String {
    match (first_day.year(), last_day.year()) {
        (first, last) if first == last => first.to_string(),
        (first, last) => format!("{first}-{last}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str) -> NaiveDate {
        text.parse().expect("a date")
    }

    #[test]
    fn periods_follow_each_other_without_a_gap() {
        for first in ["2024-01-01", "2025-07-01", "2026-01-15", "2024-01-31"] {
            let months = months_from(day(first)).expect("months");
            assert_eq!(months.len(), 12);
            for pair in months.windows(2) {
                assert_eq!(pair[0].1.succ_opt(), Some(pair[1].0), "{first}");
                assert!(pair[0].0 < pair[0].1);
            }
        }
        let leap = months_from(day("2024-01-01")).expect("months");
        assert_eq!(leap[1], (day("2024-02-01"), day("2024-02-29")));
        assert_eq!(months_from(NaiveDate::MAX), None);
    }

    #[test]
    fn a_year_is_named_by_its_calendar_years() {
        assert_eq!(name_of(day("2026-01-01"), day("2026-12-31")), "2026");
        assert_eq!(name_of(day("2025-07-01"), day("2026-06-30")), "2025-2026");
    }
}
