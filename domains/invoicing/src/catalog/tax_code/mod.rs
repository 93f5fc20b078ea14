//! Tax codes: a category and rate of EN 16931, and when the tax becomes chargeable.
//!
//! Category, rate and chargeability of a code never change: another rate is another code.

mod seed;
pub mod service;
mod store;

use rust_decimal::Decimal;

use crate::error::Error;
use crate::tax::{Category, Chargeable};
use crate::text::{optional, required};

/// A tax code to create.
#[derive(Clone, Debug)]
pub struct NewTaxCode {
    /// Its short name, unique within the company, 1 to 20 characters, e.g. `S20`.
    pub code: String,
    /// What people read.
    pub name: String,
    /// The category.
    pub category: Category,
    /// Percent, at most three decimals; above zero exactly for category S.
    pub rate: Decimal,
    /// Why no tax is charged; needed for E, AE, K, G and O.
    pub reason: Option<String>,
    /// When the tax becomes chargeable.
    pub chargeable: Chargeable,
}

impl NewTaxCode {
    /// The same in its stored form, or why it cannot be.
    pub fn checked(mut self) -> Result<Self, Error> {
        self.code = required("code", &self.code, 20)?;
        self.name = required("name", &self.name, 100)?;
        self.reason = optional("reason", self.reason.as_deref(), 200)?;
        self.rate = self.rate.normalize();
        if self.rate < Decimal::ZERO || self.rate > Decimal::ONE_HUNDRED || self.rate.scale() > 3 {
            return Err(Error::invalid(
                "rate",
                "a rate lies between 0 and 100 and has at most three decimals",
            ));
        }
        if (self.category == Category::S) != (self.rate > Decimal::ZERO) {
            return Err(Error::invalid("rate", "category S has a rate above zero, the others have zero"));
        }
        if self.category.needs_reason() && self.reason.is_none() {
            return Err(Error::invalid("reason", "say why no tax is charged: documents must tell it"));
        }
        if self.category != Category::S && self.chargeable == Chargeable::Payment {
            return Err(Error::invalid("chargeable", "without tax nothing waits for payment: choose debits"));
        }
        Ok(self)
    }
}
