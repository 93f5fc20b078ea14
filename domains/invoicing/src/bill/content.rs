//! What a bill says in numbers: typed amounts in minor units, what is not stated computed, and what does not
//! add up found. Pure.

use kernel::Currency;
use rust_decimal::Decimal;
use uuid::Uuid;

use super::{NewLine, NewTax, Totals};
use crate::einvoice::{Finding, Severity};
use crate::error::Error;
use crate::tax::{Category, TaxLine, groups, tax_of};
use crate::text::{optional, required};

/// Most lines of a bill that is typed.
const MAX_LINES: usize = 1000;

/// No bill has amounts beyond this, in minor units: sums of many of them still fit 64 bits.
pub(super) const MOST_MINOR: i64 = 1_000_000_000_000_000;

/// The amount, unless it is beyond what is recorded.
pub(super) fn bounded(field: &str, minor: Option<i64>) -> Result<i64, Error> {
    let fits = minor.filter(|minor| minor.unsigned_abs() <= MOST_MINOR.unsigned_abs());
    fits.ok_or_else(|| Error::too_large(field.to_owned()))
}

/// The totals, minor units of the bill's currency.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Amounts {
    pub(super) allowance: i64,
    pub(super) charge: i64,
    pub(super) net: i64,
    pub(super) tax: i64,
    pub(super) total: i64,
    pub(super) prepaid: i64,
    pub(super) rounding: i64,
    pub(super) payable: i64,
}

/// A line.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Line {
    pub(super) description: String,
    pub(super) quantity: Option<Decimal>,
    pub(super) unit: Option<String>,
    pub(super) unit_price: Option<Decimal>,
    pub(super) net_minor: i64,
    pub(super) category: String,
    pub(super) rate: Decimal,
    pub(super) account_id: Option<Uuid>,
}

/// The tax of a category and rate.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Group {
    pub(super) category: String,
    pub(super) rate: Decimal,
    pub(super) reason: Option<String>,
    pub(super) base_minor: i64,
    pub(super) tax_minor: i64,
}

/// Lines, tax groups and totals.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Content {
    pub(super) lines: Vec<Line>,
    pub(super) taxes: Vec<Group>,
    pub(super) amounts: Amounts,
}

/// A typed amount in minor units; it must not have more digits than the currency.
pub(super) fn minor(currency: Currency, field: &str, amount: Decimal) -> Result<i64, Error> {
    if amount.normalize().scale() > currency.digits() {
        let message = format!("amounts in {currency} have {} decimals: round it", currency.digits());
        return Err(Error::invalid(field.to_owned(), message));
    }
    bounded(field, currency.to_minor(amount))
}

fn category(field: String, code: &str) -> Result<String, Error> {
    match Category::parse(code) {
        Some(category) => Ok(category.as_str().to_owned()),
        None => Err(Error::invalid(field, "categories are S, Z, E, AE, K, G and O (EN 16931): choose one")),
    }
}

fn rate(field: String, rate: Decimal) -> Result<Decimal, Error> {
    if (Decimal::ZERO..=Decimal::ONE_HUNDRED).contains(&rate) && rate.normalize().scale() <= 3 {
        Ok(rate.normalize())
    } else {
        Err(Error::invalid(field, "a rate is between 0 and 100 percent, with at most three decimals"))
    }
}

/// A typed line; `at` is its place in the input, e.g. `lines.2`.
pub(super) fn line(currency: Currency, at: &str, new: &NewLine) -> Result<Line, Error> {
    let field = |name: &str| format!("{at}.{name}");
    let net_minor = match (new.net, new.quantity, new.unit_price) {
        (Some(net), ..) => minor(currency, &field("net"), net)?,
        (None, Some(quantity), Some(price)) => {
            let exact = quantity.checked_mul(price);
            bounded(&field("net"), exact.and_then(|exact| currency.to_minor(exact)))?
        }
        _ => return Err(Error::invalid(field("net"), "give the net amount, or quantity and unit price")),
    };
    Ok(Line {
        description: description(&field("description"), &new.description)?,
        quantity: new.quantity,
        unit: Some(optional("unit", new.unit.as_deref(), 20)?.unwrap_or_else(|| "C62".to_owned())),
        unit_price: new.unit_price,
        net_minor,
        category: category(field("category"), &new.category)?,
        rate: rate(field("rate"), new.rate)?,
        account_id: new.account_id,
    })
}

/// What was bought, 1 to 1000 characters.
pub(super) fn description(at: &str, text: &str) -> Result<String, Error> {
    required("description", text, 1000).map_err(|error| match error {
        Error::Invalid { message, .. } => Error::invalid(at.to_owned(), message),
        other => other,
    })
}

/// The category and rate of a corrected line.
pub(super) fn treatment(at: &str, code: &str, percent: Decimal) -> Result<(String, Decimal), Error> {
    Ok((category(format!("{at}.category"), code)?, rate(format!("{at}.rate"), percent)?))
}

/// Typed lines.
pub(super) fn lines(currency: Currency, at: &str, new: &[NewLine]) -> Result<Vec<Line>, Error> {
    if new.len() > MAX_LINES {
        return Err(Error::invalid(
            at.to_owned(),
            format!("a bill has at most {MAX_LINES} lines: sum some up"),
        ));
    }
    new.iter().enumerate().map(|(index, new)| line(currency, &format!("{at}.{index}"), new)).collect()
}

/// Typed tax groups; each category and rate stands once.
pub(super) fn taxes(currency: Currency, new: &[NewTax]) -> Result<Vec<Group>, Error> {
    let mut taxes: Vec<Group> = Vec::new();
    for (index, new) in new.iter().enumerate() {
        let field = |name: &str| format!("taxes.{index}.{name}");
        let tax = Group {
            category: category(field("category"), &new.category)?,
            rate: rate(field("rate"), new.rate)?,
            reason: optional("reason", new.reason.as_deref(), 1000)?,
            base_minor: minor(currency, &field("base"), new.base)?,
            tax_minor: minor(currency, &field("tax"), new.tax)?,
        };
        if taxes.iter().any(|known| known.category == tax.category && known.rate == tax.rate) {
            return Err(Error::invalid(
                field("category"),
                "this category and rate stands twice: sum them up",
            ));
        }
        taxes.push(tax);
    }
    Ok(taxes)
}

fn sum(field: &str, amounts: impl IntoIterator<Item = i64>) -> Result<i64, Error> {
    bounded(field, amounts.into_iter().try_fold(0_i64, i64::checked_add))
}

/// The tax groups that follow from lines, where none are stated.
fn computed(currency: Currency, lines: &[Line]) -> Result<Vec<Group>, Error> {
    let bases: Vec<TaxLine> = lines
        .iter()
        .map(|line| TaxLine {
            category: line.category.clone(),
            rate: line.rate,
            waits: false,
            net_minor: line.net_minor,
            reason: None,
        })
        .collect();
    let groups = groups(&bases, currency).ok_or_else(|| Error::too_large("lines"))?;
    let tax = groups.into_iter().map(|group| Group {
        category: group.category,
        rate: group.rate,
        reason: group.reason,
        base_minor: group.base_minor,
        tax_minor: group.tax_minor,
    });
    Ok(tax.collect())
}

/// The whole of a typed bill: what is stated as stated, the rest computed.
pub(super) fn typed(
    currency: Currency,
    new: &[NewLine],
    stated_taxes: Option<&[NewTax]>,
    totals: &Totals,
) -> Result<Content, Error> {
    if new.is_empty() {
        return Err(Error::NoLines);
    }
    let lines = lines(currency, "lines", new)?;
    let given = |field: &str, amount: Option<Decimal>| {
        amount.map(|amount| minor(currency, &format!("totals.{field}"), amount)).transpose()
    };
    let allowance = given("allowances", totals.allowances)?.unwrap_or(0);
    let charge = given("charges", totals.charges)?.unwrap_or(0);
    let taxes = match stated_taxes {
        Some(stated) => taxes(currency, stated)?,
        None if allowance == 0 && charge == 0 => computed(currency, &lines)?,
        None => {
            let message =
                "allowances and charges on the whole bill change what is taxed: give the taxes as stated";
            return Err(Error::invalid("taxes", message));
        }
    };
    let net = match given("net", totals.net)? {
        Some(net) => net,
        None => sum("lines", lines.iter().map(|line| line.net_minor).chain([-allowance, charge]))?,
    };
    let tax = match given("tax", totals.tax)? {
        Some(tax) => tax,
        None => sum("taxes", taxes.iter().map(|tax| tax.tax_minor))?,
    };
    let total = match given("total", totals.total)? {
        Some(total) => total,
        None => sum("totals.total", [net, tax])?,
    };
    let prepaid = given("prepaid", totals.prepaid)?.unwrap_or(0);
    let rounding = given("rounding", totals.rounding)?.unwrap_or(0);
    let payable = match given("payable", totals.payable)? {
        Some(payable) => payable,
        None => sum("totals.payable", [total, -prepaid, rounding])?,
    };
    let amounts = Amounts { allowance, charge, net, tax, total, prepaid, rounding, payable };
    Ok(Content { lines, taxes, amounts })
}

/// What does not add up in a typed bill, by the rules that electronic ones are held to.
pub(super) fn deviations(currency: Currency, content: &Content) -> Vec<Finding> {
    let Content { lines, taxes, amounts } = content;
    let exact = |amounts: &[i64]| amounts.iter().try_fold(0_i64, |sum, amount| sum.checked_add(*amount));
    let nets: Vec<i64> =
        lines.iter().map(|line| line.net_minor).chain([-amounts.allowance, amounts.charge]).collect();
    let of_groups: Vec<i64> = taxes.iter().map(|tax| tax.tax_minor).collect();
    let mut checks = vec![
        ("BR-CO-13", "BT-109", "the total without VAT", amounts.net, exact(&nets)),
        ("BR-CO-14", "BT-110", "the total VAT", amounts.tax, exact(&of_groups)),
        ("BR-CO-15", "BT-112", "the total with VAT", amounts.total, exact(&[amounts.net, amounts.tax])),
        (
            "BR-CO-16",
            "BT-115",
            "the amount due",
            amounts.payable,
            exact(&[amounts.total, -amounts.prepaid, amounts.rounding]),
        ),
    ];
    let of_group = |tax: &Group| {
        (
            "BR-CO-17",
            "BT-117",
            "the tax of a group",
            tax.tax_minor,
            tax_of(tax.base_minor, tax.rate, currency),
        )
    };
    checks.extend(taxes.iter().map(of_group));
    let wrong = checks.into_iter().filter(|(.., stated, expected)| Some(*stated) != *expected);
    wrong
        .map(|(rule, field, what, stated, expected)| {
            let (stated, expected) =
                (currency.from_minor(stated), expected.map(|minor| currency.from_minor(minor)));
            let message = match expected {
                Some(expected) => format!("{what} is {stated}, it should be {expected}"),
                None => format!("{what} cannot be computed, the amounts are too large"),
            };
            Finding {
                rule: rule.to_owned(),
                severity: Severity::Error,
                field,
                line: None,
                message,
                expected,
                stated: Some(stated),
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use kernel::DomainError;

    use super::*;

    fn dec(text: &str) -> Decimal {
        text.parse().expect("a decimal")
    }

    fn new_line(net: &str, rate: &str) -> NewLine {
        NewLine {
            description: "Papier".to_owned(),
            net: Some(dec(net)),
            category: "S".to_owned(),
            rate: dec(rate),
            ..NewLine::default()
        }
    }

    #[test]
    fn what_is_not_stated_is_computed() {
        let new = [new_line("10.01", "20"), new_line("0.02", "20.0"), new_line("5", "5.5")];
        let content = typed(Currency::EUR, &new, None, &Totals::default()).expect("content");
        let taxes: Vec<_> = content.taxes.iter().map(|tax| (tax.base_minor, tax.tax_minor)).collect();
        assert_eq!(taxes, [(1003, 201), (500, 28)]);
        let amounts = content.amounts;
        assert_eq!((amounts.net, amounts.tax, amounts.total, amounts.payable), (1503, 229, 1732, 1732));
        assert_eq!(deviations(Currency::EUR, &content), []);
    }

    #[test]
    fn what_is_stated_stays_and_is_found() {
        let totals = Totals { total: Some(dec("12.05")), prepaid: Some(dec("2")), ..Totals::default() };
        let content = typed(Currency::EUR, &[new_line("10", "20")], None, &totals).expect("content");
        assert_eq!((content.amounts.total, content.amounts.payable), (1205, 1005));
        let found = deviations(Currency::EUR, &content);
        assert_eq!(found.len(), 1);
        assert_eq!(
            (found[0].rule.as_str(), found[0].expected, found[0].stated),
            ("BR-CO-15", Some(dec("12.00")), Some(dec("12.05")))
        );
    }

    #[test]
    fn typed_values_are_checked() {
        let refused = |new: NewLine, totals: Totals| {
            let error = typed(Currency::EUR, &[new], None, &totals).expect_err("refused");
            (error.code(), error.field())
        };
        let of_line = |new: NewLine| refused(new, Totals::default());
        let at = |field: &str| ("INVALID", Some(field.to_owned()));
        assert_eq!(of_line(NewLine { net: None, ..new_line("1", "20") }), at("lines.0.net"));
        assert_eq!(of_line(new_line("1.001", "20")), at("lines.0.net"));
        assert_eq!(of_line(new_line("1", "100.5")), at("lines.0.rate"));
        assert_eq!(
            of_line(NewLine { category: "X".to_owned(), ..new_line("1", "20") }),
            at("lines.0.category")
        );
        assert_eq!(
            of_line(NewLine { description: " ".to_owned(), ..new_line("1", "20") }),
            at("lines.0.description")
        );
        let huge = new_line("99999999999999999999", "20");
        assert_eq!(of_line(huge), ("AMOUNT_TOO_LARGE", Some("lines.0.net".to_owned())));
        let allowances = Totals { allowances: Some(dec("1")), ..Totals::default() };
        assert_eq!(refused(new_line("1", "20"), allowances), at("taxes"));
        assert_eq!(
            typed(Currency::EUR, &[], None, &Totals::default()).expect_err("refused").code(),
            "NO_LINES"
        );
    }
}
