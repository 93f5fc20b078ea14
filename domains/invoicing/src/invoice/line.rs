//! Lines: what a written line becomes with its item and tax code, and what it costs. Pure.

use entity::invoicing::{item, tax_code};
use kernel::{Currency, Kind, Mode};
use ledger::account::Role;
use rust_decimal::Decimal;
use serde::Serialize;
use uuid::Uuid;

use crate::catalog::item::{MOST, Nature, checked_number, checked_unit};
use crate::error::Error;
use crate::tax::{self, Chargeable, TaxGroup, TaxLine};
use crate::text::required;

use super::NewLine;

/// The most lines of one document.
pub const MOST_LINES: usize = 1000;

/// The greatest amount of a document, minor units: what sums of many still hold in 64 bits.
pub const MOST_MINOR: i64 = 1_000_000_000_000_000;

/// A line as it is stored; the names are those of its columns.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct Line {
    pub(crate) id: Uuid,
    pub(crate) item_id: Option<Uuid>,
    pub(crate) description: String,
    pub(crate) quantity: Decimal,
    pub(crate) unit: String,
    pub(crate) unit_price: Decimal,
    pub(crate) discount_percent: Decimal,
    pub(crate) net_minor: i64,
    pub(crate) tax_code_id: Uuid,
    pub(crate) category: String,
    pub(crate) rate: Decimal,
    pub(crate) chargeable: String,
    pub(crate) account_id: Uuid,
    pub(crate) corrects_line_id: Option<Uuid>,
    #[serde(skip)]
    pub(crate) reason: Option<String>,
}

/// The net of a line in minor units: quantity × price, less the discount, rounded once, half up.
pub fn net_minor(
    quantity: Decimal,
    unit_price: Decimal,
    discount_percent: Decimal,
    currency: Currency,
) -> Option<i64> {
    let kept = Decimal::ONE_HUNDRED.checked_sub(discount_percent)?;
    let gross = quantity.checked_mul(unit_price)?;
    let net = gross.checked_mul(kept)?.checked_div(Decimal::ONE_HUNDRED)?;
    currency.to_minor(net).filter(|minor| *minor <= MOST_MINOR)
}

/// Where a line's income goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Income {
    /// This account.
    Account(Uuid),
    /// The chart's account for goods or for services.
    Default(Role),
}

/// A line before its income account is known.
pub(crate) struct Priced {
    pub(crate) line: Line,
    pub(crate) income: Income,
}

/// What the written line becomes, in a company of this mode. `at` is its index, for the paths of refusals; `item` and
/// `code` are those it names, if the company has them.
pub(crate) fn price(
    at: usize,
    written: &NewLine,
    item: Option<&item::Model>,
    code: Option<&tax_code::Model>,
    currency: Currency,
    mode: Mode,
) -> Result<Priced, Error> {
    let field = |name: &str| format!("lines.{at}.{name}");
    if written.item_id.is_some() {
        let item = item.ok_or_else(|| Error::NotFoundAt(Kind::Item, field("itemId").into()))?;
        if item.archived_at.is_some() {
            return Err(Error::Archived(Kind::Item, field("itemId").into()));
        }
    }
    let code = match code {
        Some(code) => code,
        None if written.tax_code_id.is_some() => {
            return Err(Error::NotFoundAt(Kind::TaxCode, field("taxCodeId").into()));
        }
        None => return Err(Error::invalid(field("taxCodeId"), "a line without an item says its tax code")),
    };
    if code.archived_at.is_some() {
        return Err(Error::Archived(Kind::TaxCode, field("taxCodeId").into()));
    }
    let description = match (&written.description, item) {
        (Some(text), _) if !text.trim().is_empty() => text,
        (_, Some(item)) => &item.name,
        _ => return Err(Error::invalid(field("description"), "a line without an item says what it is for")),
    };
    let description = required("description", description, 1000).map_err(|_| {
        Error::invalid(field("description"), "1 to 1000 characters, none of control: rewrite it")
    })?;
    let unit = written.unit.as_deref().or(item.map(|item| item.unit.as_str()));
    let of_item = item.filter(|item| item.currency == currency.code()).map(|item| item.unit_price);
    let unit_price = written.unit_price.or(of_item).ok_or_else(|| {
        Error::invalid(field("unitPrice"), format!("there is no price in {currency}: write one"))
    })?;
    let quantity = checked_number(&field("quantity"), written.quantity)?;
    if quantity.is_zero() {
        return Err(Error::invalid(field("quantity"), "a quantity is above zero: leave the line out"));
    }
    let unit_price = checked_number(&field("unitPrice"), unit_price)?;
    let discount_percent = written.discount_percent.unwrap_or_default().normalize();
    if discount_percent.is_sign_negative()
        || discount_percent > Decimal::ONE_HUNDRED
        || discount_percent.scale() > 6
    {
        return Err(Error::invalid(field("discountPercent"), "a discount lies between 0 and 100 percent"));
    }
    let net_minor = net_minor(quantity, unit_price, discount_percent, currency)
        .ok_or_else(|| Error::too_large(format!("lines.{at}")))?;
    let income = match written.account_id.or(item.and_then(|item| item.account_id)) {
        Some(account) => Income::Account(account),
        None => Income::Default(role(written.nature, item, code)),
    };
    let line = Line {
        id: mode.new_id(),
        item_id: written.item_id,
        description,
        quantity,
        unit: checked_unit(&field("unit"), unit)?,
        unit_price,
        discount_percent,
        net_minor,
        tax_code_id: code.id,
        category: code.category.clone(),
        rate: code.rate,
        chargeable: code.chargeable.clone(),
        account_id: Uuid::nil(),
        corrects_line_id: None,
        reason: code.reason.clone(),
    };
    Ok(Priced { line, income })
}

fn role(written: Option<Nature>, item: Option<&item::Model>, code: &tax_code::Model) -> Role {
    let by_tax =
        if code.chargeable == Chargeable::Payment.as_str() { Nature::Services } else { Nature::Goods };
    match written.or(item.and_then(|item| Nature::parse(&item.nature))).unwrap_or(by_tax) {
        Nature::Goods => Role::SalesGoods,
        Nature::Services => Role::SalesServices,
    }
}

/// What the lines of a document add up to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Totals {
    pub(crate) groups: Vec<TaxGroup>,
    pub(crate) net_minor: i64,
    pub(crate) tax_minor: i64,
}

impl Totals {
    /// The totals of tax groups.
    pub(crate) fn of_groups(groups: Vec<TaxGroup>) -> Result<Self, Error> {
        let sum = |of: fn(&TaxGroup) -> i64| groups.iter().map(of).try_fold(0_i64, i64::checked_add);
        let too_large = || Error::too_large("lines");
        let net_minor = sum(|group| group.base_minor).ok_or_else(too_large)?;
        let tax_minor = sum(|group| group.tax_minor).ok_or_else(too_large)?;
        if net_minor.checked_add(tax_minor).is_none_or(|total| total > MOST_MINOR) {
            return Err(too_large());
        }
        Ok(Self { groups, net_minor, tax_minor })
    }

    /// The totals of lines, tax computed per group.
    pub(crate) fn of_lines(lines: &[TaxLine], currency: Currency) -> Result<Self, Error> {
        Self::of_groups(tax::groups(lines, currency).ok_or_else(|| Error::too_large("lines"))?)
    }

    /// Net and tax, minor units.
    pub(crate) fn total_minor(&self) -> i64 {
        self.net_minor + self.tax_minor
    }
}

impl Line {
    /// What matters to its tax.
    pub(crate) fn taxed(&self) -> TaxLine {
        TaxLine {
            category: self.category.clone(),
            rate: self.rate,
            waits: self.chargeable == Chargeable::Payment.as_str(),
            net_minor: self.net_minor,
            reason: self.reason.clone(),
        }
    }
}

const _: () = assert!(MOST.scale() == 0, "the greatest price is a whole number");

#[cfg(test)]
mod tests {
    use super::*;

    fn net(quantity: &str, price: &str, discount: &str) -> Option<i64> {
        let number = |text: &str| text.parse().expect("number");
        net_minor(number(quantity), number(price), number(discount), Currency::EUR)
    }

    #[test]
    fn a_net_is_rounded_once_and_half_up() {
        assert_eq!(net("3", "0.335", "0"), Some(101), "1.005");
        assert_eq!(net("1", "10", "33.333333"), Some(667));
        assert_eq!(net("1", "10", "100"), Some(0));
        assert_eq!(net("0.000001", "0.000001", "0"), Some(0));
    }

    #[test]
    fn what_is_too_large_does_not_overflow() {
        assert_eq!(net("1000000000000", "1000000000000", "0.000001"), None);
        assert_eq!(net("999999999999.999999", "999999999999.999999", "99.999999"), None);
        assert_eq!(net("10000000000000", "1", "0"), Some(MOST_MINOR));
    }
}
