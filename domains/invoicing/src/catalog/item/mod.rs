//! Items: what a company sells.

pub mod service;
mod store;

use kernel::Currency;
use rust_decimal::Decimal;
use uuid::Uuid;

use crate::edit::Edit;
use crate::error::Error;
use crate::text::{optional, required};

/// What an item is; it decides the income account by default.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Nature {
    /// Things (707 in the French chart).
    Goods,
    /// Work (706 in the French chart).
    Services,
}

impl Nature {
    /// The stored form.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Goods => "goods",
            Self::Services => "services",
        }
    }

    /// Reads the stored form.
    pub fn parse(stored: &str) -> Option<Self> {
        match stored {
            "goods" => Some(Self::Goods),
            "services" => Some(Self::Services),
            _ => None,
        }
    }
}

/// An item to create.
#[derive(Clone, Debug)]
pub struct NewItem {
    /// Its short name, unique within the company, 1 to 60 characters.
    pub code: String,
    /// What documents show, 1 to 200 characters.
    pub name: String,
    /// Goods or services.
    pub nature: Nature,
    /// UN/ECE Recommendation 20, e.g. `C62` (piece, when `None`) or `HUR` (hour).
    pub unit: Option<String>,
    /// The price of one unit, net of tax; zero or more, at most six decimals.
    pub unit_price: Decimal,
    /// The price's currency, ISO 4217; the company's own when `None`.
    pub currency: Option<String>,
    /// The tax on it.
    pub tax_code_id: Uuid,
    /// The income account of its sales; the chart's default for its nature when `None`.
    pub account_id: Option<Uuid>,
    /// The partner system's own id, unique within the company.
    pub external_ref: Option<String>,
}

/// A change of an item.
#[derive(Clone, Debug, Default)]
#[expect(missing_docs, reason = "each field is the one of NewItem")]
pub struct ItemEdit {
    pub code: Edit<String>,
    pub name: Edit<String>,
    pub nature: Edit<Nature>,
    pub unit: Edit<String>,
    pub unit_price: Edit<Decimal>,
    pub currency: Edit<String>,
    pub tax_code_id: Edit<Uuid>,
    pub account_id: Edit<Option<Uuid>>,
    pub external_ref: Edit<Option<String>>,
}

/// The greatest unit price and quantity: a million million. What is larger would not fit a ledger.
pub(crate) const MOST: Decimal = Decimal::from_parts(0xD4A5_1000, 0xE8, 0, false, 0);

/// A number of zero or more with at most six decimals, or why it is not one.
pub(crate) fn checked_number(field: &str, number: Decimal) -> Result<Decimal, Error> {
    let number = number.normalize();
    if number < Decimal::ZERO || number > MOST || number.scale() > 6 {
        let message = "it lies between 0 and 1,000,000,000,000 and has at most six decimals";
        return Err(Error::invalid(field.to_owned(), message));
    }
    Ok(number)
}

/// A unit's code, or why it is not one: two or three letters or digits (UN/ECE Recommendation 20 and 21).
pub(crate) fn checked_unit(field: &str, unit: Option<&str>) -> Result<String, Error> {
    let unit = unit.map_or("C62", str::trim);
    if !(2..=3).contains(&unit.len()) || !unit.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit()) {
        return Err(Error::invalid(
            field.to_owned(),
            "this is not a unit's code (UN/ECE Rec. 20), e.g. C62 or HUR",
        ));
    }
    Ok(unit.to_owned())
}

impl NewItem {
    /// The same in its stored form, or why it cannot be. `own` is the company's currency.
    pub fn checked(mut self, own: Currency) -> Result<Self, Error> {
        self.code = required("code", &self.code, 60)?;
        self.name = required("name", &self.name, 200)?;
        self.unit = Some(checked_unit("unit", self.unit.as_deref())?);
        self.unit_price = checked_number("unitPrice", self.unit_price)?;
        let currency = Currency::parse(self.currency.as_deref().unwrap_or(own.code())).ok_or_else(|| {
            Error::invalid("currency", "this is not a currency's code (ISO 4217), e.g. EUR")
        })?;
        self.currency = Some(currency.code().to_owned());
        self.external_ref = optional("externalRef", self.external_ref.as_deref(), 200)?;
        Ok(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_units_are_bounded() {
        assert_eq!(MOST, Decimal::from(1_000_000_000_000_i64));
        assert!(checked_number("x", MOST).is_ok() && checked_number("x", MOST + Decimal::ONE).is_err());
        assert!(checked_number("x", Decimal::NEGATIVE_ONE).is_err());
        assert!(
            checked_number("x", Decimal::new(1, 6)).is_ok()
                && checked_number("x", Decimal::new(1, 7)).is_err()
        );
        assert!(checked_number("x", Decimal::new(1_000_000, 10)).is_ok(), "trailing zeros do not count");
        assert!(
            checked_unit("unit", None).is_ok_and(|u| u == "C62")
                && checked_unit("unit", Some("piece")).is_err()
        );
    }
}
