//! The rules of the VAT breakdown (BG-23), by category.

use std::collections::BTreeMap;

use rust_decimal::Decimal;

use super::super::model::{AllowanceCharge, ReceivedInvoice, VatGroup};
use super::{Finding, Findings, Severity, digits, is_rounded, round};

/// A VAT category of EN 16931, a code of UNTDID 5305.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Category {
    code: &'static str,
    /// The middle of the names of its rules: `BR-IC-08`.
    rules: &'static str,
    taxation: Taxation,
}

#[derive(PartialEq, Eq, PartialOrd, Ord)]
enum Taxation {
    /// Taxed, a group of the breakdown per rate.
    PerRate,
    /// No tax, at the rate zero and without a reason.
    Zero,
    /// No tax, for a reason that must be given.
    Exempt,
    /// Not subject to VAT: no rate at all, and a reason.
    OutOfScope,
    /// Known, without arithmetic rules of its own.
    Free,
}

const CATEGORIES: [Category; 10] = [
    Category { code: "S", rules: "S", taxation: Taxation::PerRate },
    Category { code: "Z", rules: "Z", taxation: Taxation::Zero },
    Category { code: "E", rules: "E", taxation: Taxation::Exempt },
    Category { code: "AE", rules: "AE", taxation: Taxation::Exempt },
    Category { code: "K", rules: "IC", taxation: Taxation::Exempt },
    Category { code: "G", rules: "G", taxation: Taxation::Exempt },
    Category { code: "O", rules: "O", taxation: Taxation::OutOfScope },
    Category { code: "L", rules: "AF", taxation: Taxation::PerRate },
    Category { code: "M", rules: "AG", taxation: Taxation::PerRate },
    Category { code: "B", rules: "B", taxation: Taxation::Free },
];

pub(super) fn category(code: &str) -> Option<&'static Category> {
    CATEGORIES.iter().find(|category| category.code == code)
}

impl Category {
    /// The name of one of its rules, by number.
    pub(super) fn rule(&self, number: &str) -> String {
        format!("BR-{}-{number}", self.rules)
    }

    /// What is wrong with the rate of something in this category.
    pub(super) fn rate_fault(&self, rate: Option<Decimal>) -> Option<String> {
        let code = self.code;
        match (&self.taxation, rate) {
            (Taxation::OutOfScope, Some(rate)) if !rate.is_zero() => {
                Some(format!("category {code} has no VAT rate, stated is {rate}"))
            }
            (Taxation::OutOfScope | Taxation::Free, _) => None,
            (_, None) => Some(format!("the VAT rate of category {code} is missing")),
            (Taxation::PerRate, Some(rate)) if rate < Decimal::ZERO => {
                Some(format!("the VAT rate {rate} is negative"))
            }
            (Taxation::PerRate, Some(rate)) if code == "S" && rate.is_zero() => {
                Some("category S has a VAT rate above zero".to_owned())
            }
            (Taxation::Zero | Taxation::Exempt, Some(rate)) if !rate.is_zero() => {
                Some(format!("category {code} has the VAT rate zero, stated is {rate}"))
            }
            _ => None,
        }
    }

    /// The rate that tells its groups apart; scale does not, 20.00 is 20.
    fn key_rate(&self, rate: Option<Decimal>) -> Decimal {
        if self.taxation == Taxation::PerRate { rate.unwrap_or_default().normalize() } else { Decimal::ZERO }
    }
}

pub(super) fn check(found: &mut Findings, invoice: &ReceivedInvoice) {
    if invoice.vat.is_empty() {
        found.error("BR-CO-18", "BG-23", "the invoice has no VAT breakdown");
    }
    let digits = digits(invoice);
    for group in &invoice.vat {
        presence(found, group);
        tax(found, group, digits);
        exemption(found, group);
    }
    for allowance in &invoice.allowances {
        document_level(found, allowance, &ALLOWANCE);
    }
    for charge in &invoice.charges {
        document_level(found, charge, &CHARGE);
    }
    bases(found, invoice);
}

fn presence(found: &mut Findings, group: &VatGroup) {
    if group.base.is_none() {
        found.error("BR-45", "BT-116", "the taxable amount of a VAT group is missing");
    }
    if group.tax.is_none() {
        found.error("BR-46", "BT-117", "the tax of a VAT group is missing");
    }
    match group.category.as_deref() {
        None => found.error("BR-47", "BT-118", "the category of a VAT group is missing"),
        Some(code) if category(code).is_none() => {
            found.error("BR-CL-17", "BT-118", format!("{code} is no VAT category of EN 16931"));
        }
        Some("O") => {}
        Some(code) if group.rate.is_none() => {
            found.error("BR-48", "BT-119", format!("the rate of VAT category {code} is missing"));
        }
        Some(_) => {}
    }
}

/// Base by rate, rounded half up to the digits of the currency.
fn tax(found: &mut Findings, group: &VatGroup, digits: u32) {
    let (Some(base), Some(stated)) = (group.base, group.tax) else { return };
    let rate = group.rate.unwrap_or_default();
    let exact = base.checked_mul(rate).and_then(|product| product.checked_div(Decimal::ONE_HUNDRED));
    if exact.is_some_and(|exact| is_rounded(stated, exact, digits)) {
        return;
    }
    let expected = exact.map(|exact| round(exact, digits));
    let what = format!("the tax on {base} at {rate} %");
    found.equal("BR-CO-17", "BT-117", &what, Some(stated), expected);
}

fn exemption(found: &mut Findings, group: &VatGroup) {
    let Some(category) = group.category.as_deref().and_then(category) else { return };
    if matches!(category.taxation, Taxation::PerRate | Taxation::Free) {
        return;
    }
    if let Some(stated) = group.tax.filter(|tax| !tax.is_zero()) {
        let message = format!("category {} bears no tax, stated is {stated}", category.code);
        let finding = Finding::new(category.rule("09"), Severity::Error, "BT-117", message);
        found.push(Finding { expected: Some(Decimal::ZERO), stated: Some(stated), ..finding });
    }
    let has_reason = group.exemption_reason.is_some() || group.exemption_reason_code.is_some();
    match category.taxation {
        Taxation::Zero if has_reason => {
            found.error(category.rule("10"), "BT-120", "category Z has no exemption reason");
        }
        Taxation::Exempt | Taxation::OutOfScope if !has_reason => {
            let message = format!("the reason for category {} is missing", category.code);
            found.error(category.rule("10"), "BT-120", message);
        }
        _ => {}
    }
}

/// The rules and terms of an allowance or a charge on the document.
struct DocumentLevel {
    what: &'static str,
    amount: (&'static str, &'static str),
    category: (&'static str, &'static str),
    /// The number of the rules of categories, and the term.
    rate: (&'static str, &'static str),
}

const ALLOWANCE: DocumentLevel = DocumentLevel {
    what: "an allowance",
    amount: ("BR-31", "BT-92"),
    category: ("BR-32", "BT-95"),
    rate: ("06", "BT-96"),
};
const CHARGE: DocumentLevel = DocumentLevel {
    what: "a charge",
    amount: ("BR-36", "BT-99"),
    category: ("BR-37", "BT-102"),
    rate: ("07", "BT-103"),
};

fn document_level(found: &mut Findings, stated: &AllowanceCharge, level: &DocumentLevel) {
    let what = level.what;
    if stated.amount.is_none() {
        found.error(level.amount.0, level.amount.1, format!("the amount of {what} is missing"));
    }
    let Some(code) = stated.vat_category.as_deref() else {
        found.error(level.category.0, level.category.1, format!("the VAT category of {what} is missing"));
        return;
    };
    let Some(category) = category(code) else {
        found.error("BR-CL-17", level.category.1, format!("{code} is no VAT category of EN 16931"));
        return;
    };
    if let Some(message) = category.rate_fault(stated.vat_rate) {
        found.error(category.rule(level.rate.0), level.rate.1, message);
    }
}

/// The sums by category and rate; a sum too large to compute is none.
type Sums = BTreeMap<(&'static Category, Decimal), Option<Decimal>>;

/// Lines less allowances plus charges of a category, and rate, are the base of its group.
fn bases(found: &mut Findings, invoice: &ReceivedInvoice) {
    let mut expected = Sums::new();
    for line in &invoice.lines {
        book(&mut expected, line.vat_category.as_deref(), line.vat_rate, line.net_amount);
    }
    for allowance in &invoice.allowances {
        let amount = allowance.amount.map(|amount| -amount);
        book(&mut expected, allowance.vat_category.as_deref(), allowance.vat_rate, amount);
    }
    for charge in &invoice.charges {
        book(&mut expected, charge.vat_category.as_deref(), charge.vat_rate, charge.amount);
    }
    let mut stated = Sums::new();
    for group in &invoice.vat {
        book(&mut stated, group.category.as_deref(), group.rate, group.base);
    }
    for (key, base) in &stated {
        expected.entry(*key).or_insert(Some(Decimal::ZERO));
        if base.is_none() {
            expected.insert(*key, None);
        }
    }
    for ((category, rate), sum) in expected {
        let what = match category.taxation {
            Taxation::PerRate => format!("the base of VAT category {} at {rate} %", category.code),
            _ => format!("the base of VAT category {}", category.code),
        };
        let stated = stated.get(&(category, rate)).copied().flatten();
        found.equal(category.rule("08"), "BT-116", &what, stated, sum);
    }
}

fn book(sums: &mut Sums, code: Option<&str>, rate: Option<Decimal>, amount: Option<Decimal>) {
    let Some(category) = code.and_then(category) else { return };
    if category.taxation == Taxation::Free {
        return;
    }
    let sum = sums.entry((category, category.key_rate(rate))).or_insert(Some(Decimal::ZERO));
    *sum = sum.and_then(|sum| sum.checked_add(amount.unwrap_or_default()));
}
