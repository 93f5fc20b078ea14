//! Money in the graph.

use async_graphql::{InputObject, SimpleObject};
use kernel::Currency;
use kernel::money::MOST_MINOR;
use rust_decimal::Decimal;

use super::error::bad_argument;
use super::inline::Inline;

/// An amount of money.
pub(crate) type Money = Inline<MoneyFields>;

/// An amount of money. Exact: never a float.
#[derive(Clone, Debug, SimpleObject)]
#[graphql(name = "Money")]
pub(crate) struct MoneyFields {
    /// The amount in the currency's main unit, with all digits of the currency: `"12.50"`.
    amount: Decimal,
    /// The currency, ISO 4217.
    currency: String,
}

impl Money {
    /// Stored minor units of a stored currency.
    pub(crate) fn new(minor: i64, currency: &str) -> Self {
        let amount = Currency::parse(currency).map_or_else(|| Decimal::from(minor), |c| c.from_minor(minor));
        Inline(MoneyFields { amount, currency: currency.to_owned() })
    }
}

/// An amount of money to write.
#[derive(Clone, Debug, InputObject)]
pub(crate) struct MoneyInput {
    /// The amount in the currency's main unit, with at most the currency's digits: `"12.50"`.
    pub amount: Decimal,
    /// The currency, ISO 4217.
    pub currency: String,
}

impl MoneyInput {
    /// Minor units and currency, or an error that names the field.
    pub(crate) fn read(&self, field: &str) -> Result<kernel::Money, async_graphql::Error> {
        let currency = currency(&self.currency, &format!("{field}.currency"))?;
        Ok(kernel::Money::new(minor(self.amount, currency, &format!("{field}.amount"))?, currency))
    }
}

/// Reads a currency code.
pub(crate) fn currency(code: &str, field: &str) -> Result<Currency, async_graphql::Error> {
    Currency::parse(code)
        .ok_or_else(|| bad_argument(field, "a currency is three letters of ISO 4217, e.g. EUR"))
}

/// Reads an amount of a currency into minor units; more digits than the currency has are refused, not rounded.
pub(crate) fn minor(amount: Decimal, currency: Currency, field: &str) -> Result<i64, async_graphql::Error> {
    currency.to_minor_exact(amount).ok_or_else(|| {
        bad_argument(
            field,
            format!(
                "an amount in {currency} has at most {} digits after the point, and is at most {}",
                currency.digits(),
                currency.from_minor(MOST_MINOR)
            ),
        )
    })
}
