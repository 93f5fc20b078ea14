//! Money: whole minor units of a currency, never a float.

use std::fmt;

use rust_decimal::prelude::ToPrimitive;
use rust_decimal::{Decimal, RoundingStrategy};

/// The greatest amount that can be given, in minor units of either sign: sums of many still fit 64 bits.
pub const MOST_MINOR: i64 = 1_000_000_000_000_000;

/// A currency of ISO 4217 that has a minor unit (so no metals, no test codes).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Currency(iso_currency::Currency);

impl Currency {
    /// The euro.
    pub const EUR: Self = Self(iso_currency::Currency::EUR);

    /// The currency of a three-letter code, if ISO 4217 lists it with a minor unit.
    pub fn parse(code: &str) -> Option<Self> {
        let currency = iso_currency::Currency::from_code(code)?;
        currency.exponent().map(|_| Self(currency))
    }

    /// The three-letter code.
    pub fn code(self) -> &'static str {
        self.0.code()
    }

    /// How many decimal digits the minor unit has: 2 for EUR, 0 for JPY, 3 for TND.
    pub fn digits(self) -> u32 {
        self.0.exponent().map_or(2, u32::from)
    }

    /// Rounds half up (away from zero) to the minor unit; `None` when it is beyond [`MOST_MINOR`].
    pub fn to_minor(self, amount: Decimal) -> Option<i64> {
        let rounded = amount.round_dp_with_strategy(self.digits(), RoundingStrategy::MidpointAwayFromZero);
        let minor = rounded.checked_mul(Decimal::from(10_i64.pow(self.digits())))?.to_i64()?;
        (minor.unsigned_abs() <= MOST_MINOR.unsigned_abs()).then_some(minor)
    }

    /// Minor units, only if the amount has no more digits than the currency.
    pub fn to_minor_exact(self, amount: Decimal) -> Option<i64> {
        (amount.normalize().scale() <= self.digits()).then(|| self.to_minor(amount)).flatten()
    }

    /// The amount of so many minor units, printed with all of the currency's digits.
    pub fn from_minor(self, minor: i64) -> Decimal {
        Decimal::new(minor, self.digits())
    }
}

impl fmt::Display for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

/// An amount of a currency, in minor units.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Money {
    /// Minor units.
    pub minor: i64,
    /// The currency.
    pub currency: Currency,
}

impl Money {
    /// So many minor units of a currency.
    pub const fn new(minor: i64, currency: Currency) -> Self {
        Self { minor, currency }
    }

    /// The amount with the currency's digits.
    pub fn amount(self) -> Decimal {
        self.currency.from_minor(self.minor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_follow_the_standard() {
        let yen = Currency::parse("JPY").expect("yen");
        let dinar = Currency::parse("TND").expect("dinar");
        assert_eq!((yen.digits(), Currency::EUR.digits(), dinar.digits()), (0, 2, 3));
        assert_eq!(Money::new(1234, yen).amount().to_string(), "1234");
        assert_eq!(Money::new(1200, Currency::EUR).amount().to_string(), "12.00");
        assert_eq!(Money::new(-1, dinar).amount().to_string(), "-0.001");
        assert_eq!(Currency::parse("XAU"), None, "gold has no minor unit");
    }

    #[test]
    fn rounding_is_half_up_and_never_overflows() {
        let minor = |text: &str| Currency::EUR.to_minor(text.parse().expect("decimal"));
        assert_eq!(minor("0.005"), Some(1));
        assert_eq!(minor("-0.005"), Some(-1));
        assert_eq!(minor("1.004999"), Some(100));
        assert_eq!(minor("99999999999999999999"), None);
        assert_eq!(minor("-10000000000000.00"), Some(-MOST_MINOR));
        assert_eq!(minor("10000000000000.01"), None);
        assert_eq!(Currency::EUR.to_minor_exact("1.001".parse().expect("decimal")), None);
        assert_eq!(Currency::EUR.to_minor_exact("1.100".parse().expect("decimal")), Some(110));
    }
}
