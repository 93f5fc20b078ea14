//! Calendar days in the graph.

use async_graphql::{InputValueError, InputValueResult, Scalar, ScalarType, Value};
use chrono::{Datelike, NaiveDate};

/// A calendar day, as the public contract names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Date(pub(crate) NaiveDate);

impl Date {
    /// Reads `YYYY-MM-DD`, and nothing that is only like it: chrono alone takes signs, blanks and single digits.
    fn read(text: &str) -> Option<Self> {
        let fits =
            |(at, byte): (usize, u8)| if matches!(at, 4 | 7) { byte == b'-' } else { byte.is_ascii_digit() };
        if text.len() != 10 || !text.bytes().enumerate().all(fits) {
            return None;
        }
        // PostgreSQL counts from the year 1, as calendars do.
        text.parse().ok().filter(|day: &NaiveDate| day.year() > 0).map(Self)
    }
}

/// A calendar day of the company, ISO 8601: `2026-06-15`. It has no time and no zone.
#[Scalar(name = "Date")]
impl ScalarType for Date {
    fn parse(value: Value) -> InputValueResult<Self> {
        let day = if let Value::String(text) = &value { Self::read(text) } else { None };
        day.ok_or_else(|| InputValueError::custom("a date is an existing day, as YYYY-MM-DD: `2026-06-15`"))
    }

    fn to_value(&self) -> Value {
        Value::String(self.0.to_string())
    }
}

impl From<NaiveDate> for Date {
    fn from(day: NaiveDate) -> Self {
        Self(day)
    }
}

impl From<Date> for NaiveDate {
    fn from(day: Date) -> Self {
        day.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_is_written_as_it_is_read() {
        for text in ["2026-06-15", "2024-02-29", "0001-01-01", "9999-12-31"] {
            let value = Value::from(text);
            assert_eq!(Date::parse(value.clone()).map(|day| day.to_value()).ok(), Some(value));
        }
    }

    #[test]
    fn nothing_but_the_form_is_read() {
        let alike =
            ["", "2026-6-15", "2026-6-015", "+2026-6-15", " 2026-6-15", "20260615", "2026/06/15", "٢٠٢٦٦"];
        let no_days = ["2026-02-29", "2026-13-01", "2026-00-10", "2026-06-15T10:00:00Z", "0000-12-31"];
        for text in alike.into_iter().chain(no_days) {
            assert!(Date::parse(Value::from(text)).is_err(), "{text:?}");
        }
        assert!(Date::parse(Value::from(20_260_615)).is_err());
    }
}
