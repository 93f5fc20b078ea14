//! Value added tax: categories, when it is chargeable, and its computation. Pure.
//!
//! Tax is computed on the sum of a group of lines of one category and rate, rounded half up, and never on a
//! line (EN 16931, BR-CO-17). A credit note that takes back what is left of a group takes back what is left of
//! its tax, so that an invoice credited in parts is credited to the cent.

use kernel::Currency;
use rust_decimal::Decimal;

/// The category of EN 16931 (UNCL 5305, as the standard narrows it).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Category {
    /// Standard and reduced rates.
    S,
    /// Zero rated.
    Z,
    /// Exempt, with a reason.
    E,
    /// Reverse charge: the customer owes the tax.
    AE,
    /// Intra-community supply.
    K,
    /// Export outside the union.
    G,
    /// Outside the scope of the tax.
    O,
}

impl Category {
    /// Every category.
    pub const ALL: &'static [Self] = &[Self::S, Self::Z, Self::E, Self::AE, Self::K, Self::G, Self::O];

    /// The code, as stored and as documents carry it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::S => "S",
            Self::Z => "Z",
            Self::E => "E",
            Self::AE => "AE",
            Self::K => "K",
            Self::G => "G",
            Self::O => "O",
        }
    }

    /// The category of that code.
    pub fn parse(code: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|category| category.as_str() == code)
    }

    /// Whether a document must say why no tax is charged (EN 16931, BR-E-10 and its sisters).
    pub const fn needs_reason(self) -> bool {
        !matches!(self, Self::S | Self::Z)
    }
}

/// When the tax of a sale becomes chargeable (directive 2006/112/CE, art. 63 and 66; CGI, art. 269, 2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Chargeable {
    /// When invoiced (sur les débits): goods, and services by option.
    Debits,
    /// When paid (sur les encaissements): services in France as a rule.
    Payment,
}

impl Chargeable {
    /// The stored form.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Debits => "debits",
            Self::Payment => "payment",
        }
    }

    /// Reads the stored form.
    pub fn parse(stored: &str) -> Option<Self> {
        match stored {
            "debits" => Some(Self::Debits),
            "payment" => Some(Self::Payment),
            _ => None,
        }
    }
}

/// How a category and rate are written in the ledger and in reports, e.g. `S 20` or `S 5.5`.
pub fn label(category: &str, rate: Decimal) -> String {
    format!("{category} {}", rate.normalize())
}

/// What of a line matters to its tax.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TaxLine {
    /// Its category.
    pub category: String,
    /// Its rate, percent.
    pub rate: Decimal,
    /// Whether its tax waits for payment.
    pub waits: bool,
    /// Its net amount, minor units.
    pub net_minor: i64,
    /// Why no tax is charged.
    pub reason: Option<String>,
}

/// The tax of all lines of one category and rate (EN 16931, BG-23).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TaxGroup {
    /// The category.
    pub category: String,
    /// The rate, percent.
    pub rate: Decimal,
    /// Why no tax is charged: the first reason that a line gives.
    pub reason: Option<String>,
    /// The sum of its lines, minor units.
    pub base_minor: i64,
    /// What of the base is taxed when paid, minor units.
    pub waiting_base_minor: i64,
    /// The tax, minor units.
    pub tax_minor: i64,
}

impl TaxGroup {
    /// Whether it is the group of this category and rate.
    pub fn is(&self, category: &str, rate: Decimal) -> bool {
        self.category == category && self.rate == rate
    }

    /// The part that waits for payment of an amount of this group's tax, rounded half up.
    pub fn waiting_of(&self, tax_minor: i64) -> i64 {
        share(tax_minor, self.waiting_base_minor, self.base_minor)
    }
}

/// What of a group's tax waits for payment, in the company's currency; of a credit note positive as well.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Waiting {
    /// The tax, minor units.
    pub tax_minor: i64,
    /// The base that bears it, minor units.
    pub base_minor: i64,
}

/// `amount` × `part` / `whole`, rounded half up; 0 of nothing. Exact: the product is taken in 128 bits.
pub fn share(amount: i64, part: i64, whole: i64) -> i64 {
    if whole == 0 {
        return 0;
    }
    if part == whole {
        return amount;
    }
    let (product, whole) = (i128::from(amount) * i128::from(part), i128::from(whole));
    let negative = (product < 0) != (whole < 0);
    let rounded = (product.abs() * 2 + whole.abs()) / (whole.abs() * 2);
    i64::try_from(if negative { -rounded } else { rounded }).unwrap_or(i64::MAX)
}

/// The tax on a base, rounded half up to the minor unit: `base` × `rate` / 100.
pub fn tax_of(base_minor: i64, rate: Decimal, currency: Currency) -> Option<i64> {
    let base = currency.from_minor(base_minor);
    currency.to_minor(base.checked_mul(rate)?.checked_div(Decimal::ONE_HUNDRED)?)
}

/// The groups of lines, in the order in which they first appear; `None` when an amount does not fit.
pub fn groups(lines: &[TaxLine], currency: Currency) -> Option<Vec<TaxGroup>> {
    let mut groups: Vec<TaxGroup> = Vec::new();
    for line in lines {
        let waiting = if line.waits { line.net_minor } else { 0 };
        match groups.iter_mut().find(|group| group.is(&line.category, line.rate)) {
            Some(group) => {
                group.base_minor = group.base_minor.checked_add(line.net_minor)?;
                group.waiting_base_minor = group.waiting_base_minor.checked_add(waiting)?;
                if group.reason.is_none() {
                    group.reason.clone_from(&line.reason);
                }
            }
            None => groups.push(TaxGroup {
                category: line.category.clone(),
                rate: line.rate,
                reason: line.reason.clone(),
                base_minor: line.net_minor,
                waiting_base_minor: waiting,
                tax_minor: 0,
            }),
        }
    }
    for group in &mut groups {
        group.tax_minor = tax_of(group.base_minor, group.rate, currency)?;
    }
    Some(groups)
}

/// What credit notes can still take back of a group of an invoice.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Left {
    /// The category.
    pub category: String,
    /// The rate, percent.
    pub rate: Decimal,
    /// What is left of the base, minor units.
    pub base_minor: i64,
    /// What is left of the tax, minor units.
    pub tax_minor: i64,
}

/// Fits the groups of a credit note to what is left of its invoice: a group that takes the whole base takes the
/// whole tax, and no group takes more tax than there is.
pub fn fit(groups: &mut [TaxGroup], left: &[Left]) {
    for group in groups {
        if let Some(left) = left.iter().find(|left| group.is(&left.category, left.rate)) {
            let exhausts = group.base_minor >= left.base_minor;
            group.tax_minor = if exhausts { left.tax_minor } else { group.tax_minor.min(left.tax_minor) };
        }
    }
}

#[cfg(test)]
mod tests {
    use kernel::money::MOST_MINOR;

    use super::*;

    fn line(rate: &str, net_minor: i64, waits: bool) -> TaxLine {
        TaxLine {
            category: "S".to_owned(),
            rate: rate.parse().expect("rate"),
            waits,
            net_minor,
            reason: None,
        }
    }

    #[test]
    fn tax_is_rounded_on_the_group_and_not_on_the_line() {
        // Three times 0.33 at 20 %: 0.07 each would be 0.21; the group's 0.99 gives 0.20.
        let lines = vec![line("20", 33, false), line("20", 33, false), line("20.000", 33, false)];
        let groups = groups(&lines, Currency::EUR).expect("groups");
        assert_eq!(groups.len(), 1);
        assert_eq!((groups[0].base_minor, groups[0].tax_minor), (99, 20));
    }

    #[test]
    fn halves_round_up_and_currencies_have_their_digits() {
        assert_eq!(tax_of(250, "5".parse().expect("rate"), Currency::EUR), Some(13), "0.125");
        let yen = Currency::parse("JPY").expect("yen");
        assert_eq!(tax_of(105, "10".parse().expect("rate"), yen), Some(11), "10.5 yen");
        assert_eq!(tax_of(MOST_MINOR, Decimal::ONE_HUNDRED, Currency::EUR), Some(MOST_MINOR));
        assert_eq!(tax_of(i64::MAX, Decimal::ONE_HUNDRED, Currency::EUR), None, "more than can be given");
    }

    #[test]
    fn the_waiting_part_follows_the_bases() {
        let groups = groups(&[line("20", 100, false), line("20", 201, true)], Currency::EUR).expect("groups");
        assert_eq!((groups[0].tax_minor, groups[0].waiting_base_minor), (60, 201));
        assert_eq!(groups[0].waiting_of(60), 40, "60 × 201 / 301 = 40.07");
        assert_eq!(share(5, 1, 2), 3);
        assert_eq!(share(-5, 1, 2), -3);
        assert_eq!(share(7, 0, 0), 0);
        assert_eq!(share(i64::MAX, i64::MAX - 1, i64::MAX), i64::MAX - 1);
    }

    #[test]
    fn credits_in_parts_take_back_the_tax_to_the_cent() {
        // 0.06 at 20 % is 0.01; two halves of 0.03 would be 0.01 each.
        let rate: Decimal = "20".parse().expect("rate");
        let mut left = Left { category: "S".to_owned(), rate, base_minor: 6, tax_minor: 1 };
        let mut taken = 0;
        for _ in 0..2 {
            let mut part = groups(&[line("20", 3, false)], Currency::EUR).expect("groups");
            fit(&mut part, std::slice::from_ref(&left));
            taken += part[0].tax_minor;
            left.base_minor -= 3;
            left.tax_minor -= part[0].tax_minor;
        }
        assert_eq!((taken, left.tax_minor), (1, 0));
    }

    #[test]
    fn categories_read_back() {
        for category in Category::ALL {
            assert_eq!(Category::parse(category.as_str()), Some(*category));
        }
        assert_eq!(Category::parse("L"), None);
        assert_eq!(label("S", "5.500".parse().expect("rate")), "S 5.5");
        assert_eq!(label("AE", "0.000".parse().expect("rate")), "AE 0");
    }
}
