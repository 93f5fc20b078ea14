//! A company: what it is called, where it is, how it keeps its books.

pub mod service;
pub mod twin;

use chrono::{Datelike, NaiveDate};
use chrono_tz::Tz;
use kernel::Currency;

use crate::error::Error;

/// The chart of accounts that a company starts with, by its stored name.
pub const CHARTS: [&str; 2] = ["fr_pcg", "generic"];

/// A company to found.
#[derive(Clone, Debug)]
pub struct NewCompany {
    /// Its legal name.
    pub name: String,
    /// Its legal form, e.g. SAS.
    pub legal_form: String,
    /// The SIREN, nine digits, in France.
    pub siren: Option<String>,
    /// ISO 3166-1 alpha-2.
    pub country: String,
    /// ISO 4217, of its books.
    pub currency: String,
    /// IANA time zone, of its calendar days.
    pub zone: String,
    /// `fr` or `en`.
    pub locale: String,
    /// The month in which its fiscal years begin, 1 to 12.
    pub fiscal_year_month: u8,
    /// `fr_pcg` or `generic`.
    pub chart: String,
}

impl NewCompany {
    /// Checks every field; the first wrong one is the error.
    pub fn check(&self) -> Result<(Currency, Tz), Error> {
        let length = |text: &str, most: usize| (1..=most).contains(&text.trim().chars().count());
        if !length(&self.name, 200) {
            return Err(Error::invalid("name", "a company's name has 1 to 200 characters"));
        }
        if !length(&self.legal_form, 80) {
            return Err(Error::invalid("legalForm", "a legal form has 1 to 80 characters, e.g. SAS"));
        }
        if self.siren.as_deref().is_some_and(|siren| !is_siren(siren)) {
            return Err(Error::invalid(
                "siren",
                "a SIREN has nine digits, the last of which is a check digit",
            ));
        }
        if self.country.len() != 2 || !self.country.bytes().all(|b| b.is_ascii_uppercase()) {
            return Err(Error::invalid("country", "a country is two capital letters of ISO 3166-1, e.g. FR"));
        }
        let currency = Currency::parse(&self.currency)
            .ok_or_else(|| Error::invalid("currency", "a currency is three letters of ISO 4217, e.g. EUR"))?;
        let zone = self.zone.parse().map_err(|_| {
            Error::invalid("timeZone", "a time zone is a name of the IANA database, e.g. Europe/Paris")
        })?;
        if !["fr", "en"].contains(&self.locale.as_str()) {
            return Err(Error::invalid("locale", "the languages are fr and en"));
        }
        if !(1..=12).contains(&self.fiscal_year_month) {
            return Err(Error::invalid("fiscalYearStartMonth", "a month is 1 to 12"));
        }
        if !CHARTS.contains(&self.chart.as_str()) {
            return Err(Error::invalid("chart", "the charts are fr_pcg and generic"));
        }
        Ok((currency, zone))
    }

    /// The first day of the fiscal year that holds a day.
    pub fn fiscal_year_start(&self, today: NaiveDate) -> NaiveDate {
        let month = u32::from(self.fiscal_year_month);
        let year = if today.month() >= month { today.year() } else { today.year() - 1 };
        NaiveDate::from_ymd_opt(year, month, 1).unwrap_or(today)
    }
}

/// Whether digits satisfy Luhn's formula (ISO/IEC 7812-1, annex B).
pub fn luhn(digits: &str) -> bool {
    let sum: u32 = digits
        .bytes()
        .rev()
        .enumerate()
        .map(|(index, b)| {
            let digit = u32::from(b.saturating_sub(b'0')) * if index % 2 == 1 { 2 } else { 1 };
            digit / 10 + digit % 10
        })
        .sum();
    sum.is_multiple_of(10)
}

/// Whether this is a well-formed SIREN: nine digits with a Luhn key (code de commerce, art. R123-221).
pub fn is_siren(text: &str) -> bool {
    text.len() == 9 && text.bytes().all(|b| b.is_ascii_digit()) && luhn(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_siren_carries_a_check_digit() {
        assert!(is_siren("732829320"));
        assert!(!is_siren("732829321"));
        assert!(!is_siren("73282932"));
        assert!(!is_siren("73282932é"));
    }

    #[test]
    fn the_fiscal_year_begins_in_its_month() {
        let company = NewCompany {
            name: "A".into(),
            legal_form: "SAS".into(),
            siren: None,
            country: "FR".into(),
            currency: "EUR".into(),
            zone: "Europe/Paris".into(),
            locale: "fr".into(),
            fiscal_year_month: 4,
            chart: "fr_pcg".into(),
        };
        let day = |text: &str| text.parse::<NaiveDate>().expect("day");
        assert_eq!(company.fiscal_year_start(day("2026-03-31")), day("2025-04-01"));
        assert_eq!(company.fiscal_year_start(day("2026-04-01")), day("2026-04-01"));
    }
}
