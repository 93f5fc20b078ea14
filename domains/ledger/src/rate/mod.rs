//! Exchange rates: what one unit of a currency is worth in the company's, on a day. Rules only.

pub mod service;

pub use service::exchange_rate_in;

use kernel::Currency;
use rust_decimal::Decimal;

use crate::error::Error;

/// Refuses a rate that cannot be: of the company's own currency, not positive, or with more than 12 decimals.
pub(crate) fn check(own: Currency, currency: Currency, rate: Decimal) -> Result<(), Error> {
    if currency == own {
        return Err(Error::invalid(
            "currency",
            format!("{own} is the currency of the books: its rate is always 1"),
        ));
    }
    if rate <= Decimal::ZERO || rate.normalize().scale() > 12 || rate >= Decimal::from(1_000_000_000) {
        return Err(Error::invalid("rate", "a rate is above 0 and below 10⁹, with at most 12 decimals"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_that_cannot_be_are_refused() {
        let usd = Currency::parse("USD").expect("dollar");
        let rate = |text: &str| text.parse::<Decimal>().expect("decimal");
        assert!(check(Currency::EUR, usd, rate("0.92")).is_ok());
        assert!(check(Currency::EUR, Currency::EUR, rate("1")).is_err());
        for wrong in ["0", "-1", "1000000000", "0.0000000000001"] {
            assert!(check(Currency::EUR, usd, rate(wrong)).is_err(), "{wrong}");
        }
    }
}
