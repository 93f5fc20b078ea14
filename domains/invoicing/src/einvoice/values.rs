//! Reads single values from elements, and remarks on those that are not as they should be.

use chrono::NaiveDate;
use rust_decimal::Decimal;

use super::model::{Identifier, Remark, RemarkKind};
use super::xml::{Element, clip};
use super::{Party, ReadError};

/// A file full of unreadable values says so often enough with this many.
const MAX_REMARKS: usize = 200;

/// The terms of an allowance and of a charge, each: amount, base, percentage, rate.
pub(super) type AllowanceChargeTerms = [[&'static str; 4]; 2];

pub(super) const DOCUMENT_TERMS: AllowanceChargeTerms =
    [["BT-92", "BT-93", "BT-94", "BT-96"], ["BT-99", "BT-100", "BT-101", "BT-103"]];

/// On a line the rate is that of the line, and has no term of its own.
pub(super) const LINE_TERMS: AllowanceChargeTerms =
    [["BT-136", "BT-137", "BT-138", "BG-27"], ["BT-141", "BT-142", "BT-143", "BG-28"]];

/// The reader of values of one document; what it cannot take it remarks on.
pub(super) struct Values {
    /// The currency of the document (BT-5), which amounts are compared with.
    pub(super) currency: String,
    /// The line that is being read.
    pub(super) line: Option<String>,
    /// What was remarked so far.
    pub(super) remarks: Vec<Remark>,
    read_date: fn(&Element) -> Option<NaiveDate>,
}

impl Values {
    /// `read_date` reads the date of an element in the way of the syntax.
    pub(super) fn new(read_date: fn(&Element) -> Option<NaiveDate>) -> Self {
        Self { currency: String::new(), line: None, remarks: Vec::new(), read_date }
    }

    pub(super) fn text(&mut self, at: &Element, path: &str, field: &'static str) -> Option<String> {
        self.single(at, path, field).and_then(Element::value).map(str::to_owned)
    }

    pub(super) fn decimal(&mut self, at: &Element, path: &str, field: &'static str) -> Option<Decimal> {
        let stated = self.single(at, path, field)?.value()?;
        let number = decimal(stated);
        if number.is_none() {
            self.remark(RemarkKind::Unreadable, field, stated);
        }
        number
    }

    /// A decimal that should be in the currency of the document.
    pub(super) fn amount(&mut self, at: &Element, path: &str, field: &'static str) -> Option<Decimal> {
        let stated_currency = at.find(path).and_then(|element| element.attribute("currencyID"));
        if let Some(other) = stated_currency.filter(|stated| *stated != self.currency) {
            self.remark(RemarkKind::OtherCurrency, field, other);
        }
        self.decimal(at, path, field)
    }

    pub(super) fn date(&mut self, at: &Element, path: &str, field: &'static str) -> Option<NaiveDate> {
        let element = self.single(at, path, field)?;
        let stated = element.first_text()?;
        let date = (self.read_date)(element);
        if date.is_none() {
            self.remark(RemarkKind::Unreadable, field, stated);
        }
        date
    }

    /// A boolean of XML schema; false when absent or unreadable.
    pub(super) fn flag(&mut self, at: &Element, path: &str, field: &'static str) -> bool {
        match at.find(path).and_then(Element::value) {
            Some("true" | "1") => true,
            Some("false" | "0") => false,
            other => {
                self.remark(RemarkKind::Unreadable, field, other.unwrap_or_default());
                false
            }
        }
    }

    /// A coded value, by the function that knows the codes.
    pub(super) fn code<T>(
        &mut self,
        stated: Option<&str>,
        field: &'static str,
        of: fn(&str) -> Option<T>,
    ) -> Option<T> {
        let stated = stated?;
        let meaning = of(stated);
        if meaning.is_none() {
            self.remark(RemarkKind::Unreadable, field, stated);
        }
        meaning
    }

    pub(super) fn required_text(
        &mut self,
        at: &Element,
        path: &str,
        bt: &'static str,
    ) -> Result<String, ReadError> {
        self.text(at, path, bt).ok_or(ReadError::MissingField { bt })
    }

    pub(super) fn required_date(
        &mut self,
        at: &Element,
        path: &str,
        bt: &'static str,
    ) -> Result<NaiveDate, ReadError> {
        self.date(at, path, bt).ok_or_else(|| refusal(at, path, bt))
    }

    pub(super) fn required_amount(
        &mut self,
        at: &Element,
        path: &str,
        bt: &'static str,
    ) -> Result<Decimal, ReadError> {
        self.amount(at, path, bt).ok_or_else(|| refusal(at, path, bt))
    }

    /// Reads and keeps the currency of the document (BT-5).
    pub(super) fn read_currency(&mut self, at: &Element, path: &str) -> Result<(), ReadError> {
        let code = self.required_text(at, path, "BT-5")?;
        if code.len() != 3 || !code.bytes().all(|byte| byte.is_ascii_uppercase()) {
            return Err(ReadError::BadValue { bt: "BT-5", value: clip(&code) });
        }
        self.currency = code;
        Ok(())
    }

    /// VAT in the currency of the document (BT-110) and in that of accounting (BT-111).
    pub(super) fn vat_totals<'a>(
        &mut self,
        amounts: impl Iterator<Item = &'a Element>,
        tax_currency: Option<&str>,
    ) -> (Option<Decimal>, Option<Decimal>) {
        let (mut vat, mut vat_in_tax_currency) = (None, None);
        for amount in amounts {
            let Some(stated) = amount.value() else { continue };
            let currency = amount.attribute("currencyID");
            let is_ours = currency.is_none_or(|code| code == self.currency);
            let is_taxes = currency.is_some() && currency == tax_currency;
            let (place, field) = match (is_ours && vat.is_none(), is_taxes && vat_in_tax_currency.is_none()) {
                (true, _) => (&mut vat, "BT-110"),
                (_, true) => (&mut vat_in_tax_currency, "BT-111"),
                _ if is_ours || is_taxes => {
                    self.remark(RemarkKind::Repeated, "BT-110", stated);
                    continue;
                }
                _ => {
                    self.remark(RemarkKind::OtherCurrency, "BT-110", currency.unwrap_or_default());
                    continue;
                }
            };
            *place = decimal(stated);
            if place.is_none() {
                self.remark(RemarkKind::Unreadable, field, stated);
            }
        }
        (vat, vat_in_tax_currency)
    }

    /// The element at a path; where the last step has brothers of its name, the first, with a remark.
    fn single<'a>(&mut self, at: &'a Element, path: &str, field: &'static str) -> Option<&'a Element> {
        let (parent, last) = match path.rsplit_once('/') {
            Some((parent, last)) => (at.find(parent)?, last),
            None => (at, path),
        };
        let found = parent.find(last)?;
        if parent.all(last).nth(1).is_some() {
            self.remark(RemarkKind::Repeated, field, found.first_text().unwrap_or_default());
        }
        Some(found)
    }

    pub(super) fn remark(&mut self, kind: RemarkKind, field: &'static str, value: &str) {
        if self.remarks.len() < MAX_REMARKS {
            self.remarks.push(Remark { kind, field, line: self.line.clone(), value: clip(value) });
        }
    }
}

/// A required value that did not come: absent, or there and unreadable.
fn refusal(at: &Element, path: &str, bt: &'static str) -> ReadError {
    match at.find(path).and_then(Element::first_text) {
        Some(stated) => ReadError::BadValue { bt, value: clip(stated) },
        None => ReadError::MissingField { bt },
    }
}

/// The seller, whose name (BT-27) must be there.
pub(super) fn named_seller(seller: Party) -> Result<Party, ReadError> {
    if seller.name.is_empty() { Err(ReadError::MissingField { bt: "BT-27" }) } else { Ok(seller) }
}

pub(super) fn identifier(element: &Element) -> Option<Identifier> {
    let value = element.value()?.to_owned();
    Some(Identifier { scheme: element.attribute("schemeID").map(str::to_owned), value })
}

/// A decimal of XML schema, exactly as stated: sign, digits, point, digits, and nothing else.
fn decimal(stated: &str) -> Option<Decimal> {
    let unsigned = stated.strip_prefix(['+', '-']).unwrap_or(stated);
    let (whole, fraction) = unsigned.split_once('.').unwrap_or((unsigned, ""));
    let is_digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if whole.len() + fraction.len() == 0 || !is_digits(whole) || !is_digits(fraction) {
        return None;
    }
    let sign = if stated.starts_with('-') { "-" } else { "" };
    let whole = if whole.is_empty() { "0" } else { whole };
    let point = if fraction.is_empty() { "" } else { "." };
    Decimal::from_str_exact(&format!("{sign}{whole}{point}{fraction}")).ok()
}

/// A date of ISO 8601, `2026-11-23`; a time zone after it is left aside, the calendar date counts.
pub(super) fn iso_date(stated: &str) -> Option<NaiveDate> {
    let (date, rest) = stated.split_at_checked(10)?;
    let is_zone = rest.is_empty() || rest == "Z" || (rest.len() == 6 && rest.starts_with(['+', '-']));
    let has_shape = date.bytes().enumerate().all(|(at, byte)| match at {
        4 | 7 => byte == b'-',
        _ => byte.is_ascii_digit(),
    });
    if is_zone && has_shape { NaiveDate::parse_from_str(date, "%Y-%m-%d").ok() } else { None }
}

/// A date of UNTDID 2379 format 102, `20261123`.
pub(super) fn compact_date(stated: &str) -> Option<NaiveDate> {
    let is_digits = stated.len() == 8 && stated.bytes().all(|byte| byte.is_ascii_digit());
    if is_digits { NaiveDate::parse_from_str(stated, "%Y%m%d").ok() } else { None }
}
