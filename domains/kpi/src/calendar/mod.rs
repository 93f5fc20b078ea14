//! When a company works: the hours of its week, public holidays, and days of its own on which it is closed. Pure.
//!
//! Times between the steps of processes are counted in it as they are recorded: a change of the calendar never changes what
//! was recorded before. The counting itself is the database's (`business_ms`, migration `0064_business_time.sql`).

pub mod service;
pub(crate) mod store;

use chrono::{Datelike, NaiveDate};

use crate::error::Error;

/// Most spans of hours of a week.
pub const MOST_SHIFTS: usize = 28;
/// Most days of its own on which a company is closed.
pub const MOST_CLOSURES: usize = 1000;
/// The end of a day, in minutes.
const MIDNIGHT: u16 = 1440;

/// A span of working hours, each week.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
pub struct Shift {
    /// ISO 8601: 1 is Monday, 7 is Sunday.
    pub weekday: u8,
    /// When it begins, in minutes after midnight by the company's clocks.
    pub opens: u16,
    /// When it ends, the same; 1440 is the end of the day.
    pub closes: u16,
}

/// A day on which a company is closed.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
pub struct Closure {
    /// The day.
    pub day: NaiveDate,
    /// Why, for people.
    pub name: String,
}

/// A public holiday of the company's country.
#[derive(Clone, Debug, PartialEq, Eq, sea_orm::FromQueryResult)]
pub struct Holiday {
    /// The day.
    pub day: NaiveDate,
    /// Its French name.
    pub name_fr: String,
    /// Its English name.
    pub name_en: String,
}

/// When a company works, as it is set.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NewCalendar {
    /// The hours of the week, by weekday and beginning.
    pub shifts: Vec<Shift>,
    /// Whether the public holidays of the company's country are days off.
    pub public_holidays: bool,
    /// Days of its own on which it is closed, by day.
    pub closures: Vec<Closure>,
}

/// When a company works.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BusinessCalendar {
    /// What is set.
    pub set: NewCalendar,
    /// For the next change.
    pub version: i32,
}

/// What companies begin with: Monday to Friday, seven hours a day (Code du travail, art. L3121-27: 35 a week).
pub(crate) fn usual() -> NewCalendar {
    let shifts = (1..=5).flat_map(|weekday| {
        [(540, 750), (810, 1020)].map(|(opens, closes)| Shift { weekday, opens, closes })
    });
    NewCalendar { shifts: shifts.collect(), public_holidays: true, closures: Vec::new() }
}

impl NewCalendar {
    /// The calendar in order, if it can be one.
    ///
    /// # Errors
    /// `INVALID` for no hours or too many, for hours that end before they begin or overlap, for a day that comes twice or
    /// lies outside of the years 2000 to 2100, and for an empty or too long name.
    pub fn checked(mut self) -> Result<Self, Error> {
        if self.shifts.is_empty() || self.shifts.len() > MOST_SHIFTS {
            return Err(Error::invalid("hours", format!("give 1 to {MOST_SHIFTS} spans of hours a week")));
        }
        for (place, shift) in self.shifts.iter().enumerate() {
            if !(1..=7).contains(&shift.weekday) || shift.opens >= shift.closes || shift.closes > MIDNIGHT {
                return Err(invalid_at("hours", place, "hours end after they begin, and on the same day"));
            }
        }
        self.shifts.sort_unstable();
        let overlap = |pair: &&[Shift]| pair[0].weekday == pair[1].weekday && pair[1].opens < pair[0].closes;
        if self.shifts.windows(2).find(overlap).is_some() {
            return Err(Error::invalid("hours", "two spans of one weekday overlap: join them"));
        }
        if self.closures.len() > MOST_CLOSURES {
            return Err(Error::invalid("closures", format!("give at most {MOST_CLOSURES} days")));
        }
        for (place, closure) in self.closures.iter_mut().enumerate() {
            closure.name = closure.name.trim().to_owned();
            let length = closure.name.chars().count();
            if !(1..=100).contains(&length) || closure.name.chars().any(char::is_control) {
                return Err(invalid_at("closures", place, "a name has 1 to 100 characters, on one line"));
            }
            if !(2000..=2100).contains(&closure.day.year()) {
                return Err(invalid_at("closures", place, "give a day between the years 2000 and 2100"));
            }
        }
        self.closures.sort_unstable();
        if let Some(pair) = self.closures.windows(2).find(|pair| pair[0].day == pair[1].day) {
            return Err(Error::invalid("closures", format!("{} comes twice: give it once", pair[0].day)));
        }
        Ok(self)
    }
}

fn invalid_at(list: &str, place: usize, message: &'static str) -> Error {
    Error::Invalid { field: format!("{list}.{place}").into(), message: message.into() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shift(weekday: u8, opens: u16, closes: u16) -> Shift {
        Shift { weekday, opens, closes }
    }

    #[test]
    fn hours_are_put_in_order_and_may_touch() {
        let shifts = vec![shift(2, 600, 700), shift(1, 700, 1440), shift(1, 0, 700)];
        let checked = NewCalendar { shifts, ..NewCalendar::default() }.checked().expect("a calendar");
        assert_eq!(checked.shifts, [shift(1, 0, 700), shift(1, 700, 1440), shift(2, 600, 700)]);
        assert_eq!(usual().checked().expect("a calendar"), usual());
    }

    #[test]
    fn hours_that_cannot_be_are_refused() {
        for shifts in [
            vec![],
            vec![shift(0, 1, 2)],
            vec![shift(8, 1, 2)],
            vec![shift(1, 2, 2)],
            vec![shift(1, 1, 1441)],
            vec![shift(3, 0, 100), shift(3, 99, 200)],
        ] {
            let refused = NewCalendar { shifts: shifts.clone(), ..NewCalendar::default() }.checked();
            assert!(matches!(refused, Err(Error::Invalid { .. })), "{shifts:?}");
        }
        let closure =
            |day: &str, name: &str| Closure { day: day.parse().expect("a date"), name: name.to_owned() };
        for closures in [
            vec![closure("2026-08-14", "")],
            vec![closure("1999-12-31", "Party")],
            vec![closure("2026-08-14", "Bridge"), closure("2026-08-14", "Heat")],
        ] {
            assert!(NewCalendar { closures, ..usual() }.checked().is_err());
        }
    }
}
