//! What is wrong with a received invoice: the arithmetic and the commonest rules of EN 16931.
//!
//! The check changes nothing and refuses nothing. Names of rules are those of EN 16931 (`BR-…`); rules of
//! our own start with `X-`.

mod lines;
mod vat;

use rust_decimal::{Decimal, RoundingStrategy};
use serde::Serialize;

use super::currency;
use super::model::{AllowanceCharge, Kind, Period, ReceivedInvoice, Remark, RemarkKind};

/// An invoice full of faults is known to be so with this many.
const MAX_FINDINGS: usize = 500;

/// How much a finding matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum Severity {
    /// Worth a look; good invoices have such too.
    Warning,
    /// The invoice breaks a rule of the standard, or contradicts itself.
    Error,
}

/// A deviation of a received invoice.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// The rule that is broken, such as `BR-CO-10`.
    pub rule: String,
    /// How much it matters.
    pub severity: Severity,
    /// The business term or group of EN 16931.
    pub field: &'static str,
    /// The identifier of the line (BT-126), on a line.
    pub line: Option<String>,
    /// What is wrong, in English.
    pub message: String,
    /// What would be right, where that can be computed; in the unit of the field.
    pub expected: Option<Decimal>,
    /// What the invoice states; in the unit of the field.
    pub stated: Option<Decimal>,
}

/// Everything that is wrong with an invoice, in the order of the standard's model.
///
/// After 500 findings the rest is left out, which the last finding says (`X-MORE`).
pub fn findings(invoice: &ReceivedInvoice) -> Vec<Finding> {
    let mut found = Findings::default();
    remarks(&mut found, &invoice.remarks);
    document(&mut found, invoice);
    dates(&mut found, invoice);
    lines::check(&mut found, invoice);
    vat::check(&mut found, invoice);
    sums(&mut found, invoice);
    decimals(&mut found, invoice);
    found.finish()
}

/// The findings so far; no more are kept than [`MAX_FINDINGS`].
#[derive(Default)]
struct Findings {
    kept: Vec<Finding>,
    left_out: usize,
}

impl Findings {
    fn push(&mut self, finding: Finding) {
        if self.kept.len() < MAX_FINDINGS {
            self.kept.push(finding);
        } else {
            self.left_out += 1;
        }
    }

    fn error(&mut self, rule: impl Into<String>, field: &'static str, message: impl Into<String>) {
        self.push(Finding::new(rule, Severity::Error, field, message));
    }

    fn warn(&mut self, rule: impl Into<String>, field: &'static str, message: impl Into<String>) {
        self.push(Finding::new(rule, Severity::Warning, field, message));
    }

    /// States an error unless the two are the same number; nothing expected means too large to compute.
    fn equal(
        &mut self,
        rule: impl Into<String>,
        field: &'static str,
        what: &str,
        stated: Option<Decimal>,
        expected: Option<Decimal>,
    ) {
        if expected.is_some() && stated == expected {
            return;
        }
        let message = match (stated, expected) {
            (Some(stated), Some(expected)) => format!("{what} is {stated}, it should be {expected}"),
            (None, Some(expected)) => format!("{what} is missing, it should be {expected}"),
            (_, None) => format!("{what} cannot be computed, the amounts are too large"),
        };
        self.push(Finding { expected, stated, ..Finding::new(rule, Severity::Error, field, message) });
    }

    fn finish(mut self) -> Vec<Finding> {
        if self.left_out > 0 {
            let message = format!("{} more findings are left out", self.left_out);
            self.kept.push(Finding::new("X-MORE", Severity::Warning, "BG-25", message));
        }
        self.kept
    }
}

impl Finding {
    fn new(
        rule: impl Into<String>,
        severity: Severity,
        field: &'static str,
        message: impl Into<String>,
    ) -> Self {
        let (rule, message) = (rule.into(), message.into());
        Self { rule, severity, field, line: None, message, expected: None, stated: None }
    }
}

fn remarks(found: &mut Findings, remarks: &[Remark]) {
    for Remark { kind, field, line, value } in remarks {
        let (rule, message) = match kind {
            RemarkKind::Unreadable => ("X-UNREADABLE", format!("{value:?} cannot be read and was left out")),
            RemarkKind::Repeated => {
                ("X-REPEATED", "is stated more than once, the first was taken".to_owned())
            }
            RemarkKind::OtherCurrency => {
                ("X-CURRENCY", format!("is in {value}, not in the currency of the document"))
            }
        };
        let message = format!("{field} {message}");
        found.push(Finding { line: line.clone(), ..Finding::new(rule, Severity::Error, field, message) });
    }
}

fn document(found: &mut Findings, invoice: &ReceivedInvoice) {
    match invoice.type_code.as_deref() {
        None => found.error("BR-04", "BT-3", "the document type code is missing"),
        Some(code) if !is_type_code(code) => {
            found.error("BR-CL-01", "BT-3", format!("{code} is no document type code of EN 16931"));
        }
        Some(_) => {}
    }
    if currency::digits(&invoice.currency).is_none() {
        found.error("BR-CL-04", "BT-5", format!("{} is no currency of ISO 4217", invoice.currency));
    }
    if let Some(code) = &invoice.tax_currency {
        if currency::digits(code).is_none() {
            found.error("BR-CL-05", "BT-6", format!("{code} is no currency of ISO 4217"));
        }
        if invoice.totals.vat_in_tax_currency.is_none() {
            found.error("BR-53", "BT-111", "the VAT in the currency of accounting is missing");
        }
    }
    if invoice.buyer.name.is_empty() {
        found.error("BR-07", "BT-44", "the name of the buyer is missing");
    }
    if invoice.seller.address.country.is_none() {
        found.error("BR-09", "BT-40", "the country of the seller is missing");
    }
    if invoice.buyer.address.country.is_none() {
        found.error("BR-11", "BT-55", "the country of the buyer is missing");
    }
}

/// The codes of UNTDID 1001 for claims that EN 16931 admits; those for credit are in [`Kind`].
fn is_type_code(code: &str) -> bool {
    const CLAIMS: &str = "71 80 82 84 102 130 202 203 204 211 218 219 295 325 326 331 380 382 383 384 385 \
        386 387 388 389 390 393 394 395 456 457 471 472 473 500 501 527 553 575 623 633 751 780 817 870 \
        875 876 877 935";
    Kind::of_type_code(code) == Kind::CreditNote || CLAIMS.split(' ').any(|known| known == code)
}

fn dates(found: &mut Findings, invoice: &ReceivedInvoice) {
    if let Some(due) = invoice.due_date.filter(|due| *due < invoice.issue_date) {
        let message = format!("the due date {due} is before the issue date {}", invoice.issue_date);
        found.warn("X-DUE-DATE", "BT-9", message);
    }
    if invoice.tax_point_date.is_some() && invoice.tax_due.is_some() {
        found.error("BR-CO-03", "BT-7", "the date and the event of the tax point exclude each other");
    }
    if invoice.period.is_some_and(is_backwards) {
        found.error("BR-29", "BT-74", "the invoicing period ends before it starts");
    }
    // The artefacts of the standard ask this of invoices only.
    let must_say_when = invoice.kind == Kind::Invoice && invoice.totals.due > Decimal::ZERO;
    if must_say_when && invoice.due_date.is_none() && invoice.payment_terms.is_none() {
        found.error(
            "BR-CO-25",
            "BT-9",
            "an amount is due, but neither a due date nor payment terms are given",
        );
    }
}

fn is_backwards(period: Period) -> bool {
    matches!((period.start, period.end), (Some(start), Some(end)) if end < start)
}

/// The sums of the totals, each of amounts as stated; an absent optional amount counts as zero.
fn sums(found: &mut Findings, invoice: &ReceivedInvoice) {
    let totals = &invoice.totals;
    let stated = |amount: Option<Decimal>| Some(amount.unwrap_or_default());
    let lines = sum(invoice.lines.iter().filter_map(|line| line.net_amount));
    let (allowances, charges) = (stated(totals.allowances), stated(totals.charges));
    let vat = stated(totals.vat);

    match totals.lines {
        None => found.error("BR-12", "BT-106", "the sum of the lines is missing"),
        Some(_) => found.equal("BR-CO-10", "BT-106", "the sum of the lines", totals.lines, lines),
    }
    let what = "the sum of the allowances";
    found.equal("BR-CO-11", "BT-107", what, allowances, sum_of(&invoice.allowances));
    found.equal("BR-CO-12", "BT-108", "the sum of the charges", charges, sum_of(&invoice.charges));
    let without_vat = add(subtract(totals.lines.or(lines), allowances), charges);
    match totals.without_vat {
        None => found.error("BR-13", "BT-109", "the total without VAT is missing"),
        Some(_) => {
            found.equal("BR-CO-13", "BT-109", "the total without VAT", totals.without_vat, without_vat);
        }
    }
    let taxes = sum(invoice.vat.iter().filter_map(|group| group.tax));
    found.equal("BR-CO-14", "BT-110", "the total VAT", vat, taxes);
    let with_vat = add(totals.without_vat.or(without_vat), vat);
    found.equal("BR-CO-15", "BT-112", "the total with VAT", Some(totals.with_vat), with_vat);
    let due = subtract(Some(totals.with_vat), stated(totals.prepaid));
    let due = add(due, stated(totals.rounding));
    found.equal("BR-CO-16", "BT-115", "the amount due", Some(totals.due), due);
}

/// The standard allows two decimals in amounts, also where a currency has more.
fn decimals(found: &mut Findings, invoice: &ReceivedInvoice) {
    let totals = &invoice.totals;
    let mut amounts = vec![
        ("BR-DEC-09", "BT-106", totals.lines),
        ("BR-DEC-10", "BT-107", totals.allowances),
        ("BR-DEC-11", "BT-108", totals.charges),
        ("BR-DEC-12", "BT-109", totals.without_vat),
        ("BR-DEC-13", "BT-110", totals.vat),
        ("BR-DEC-14", "BT-112", Some(totals.with_vat)),
        ("BR-DEC-15", "BT-111", totals.vat_in_tax_currency),
        ("BR-DEC-16", "BT-113", totals.prepaid),
        ("BR-DEC-17", "BT-114", totals.rounding),
        ("BR-DEC-18", "BT-115", Some(totals.due)),
    ];
    amounts.extend(invoice.allowances.iter().map(|allowance| ("BR-DEC-01", "BT-92", allowance.amount)));
    amounts.extend(invoice.charges.iter().map(|charge| ("BR-DEC-05", "BT-99", charge.amount)));
    amounts.extend(invoice.vat.iter().map(|group| ("BR-DEC-19", "BT-116", group.base)));
    amounts.extend(invoice.vat.iter().map(|group| ("BR-DEC-20", "BT-117", group.tax)));
    amounts.extend(invoice.lines.iter().map(|line| ("BR-DEC-23", "BT-131", line.net_amount)));
    for (rule, field, amount) in amounts {
        if let Some(stated) = amount.filter(|amount| amount.scale() > 2) {
            let message = format!("{field} is {stated}, more than two decimals");
            found.push(Finding {
                stated: Some(stated),
                ..Finding::new(rule, Severity::Warning, field, message)
            });
        }
    }
}

fn sum(amounts: impl Iterator<Item = Decimal>) -> Option<Decimal> {
    let mut total = Some(Decimal::ZERO);
    for amount in amounts {
        total = total?.checked_add(amount);
    }
    total
}

fn sum_of(amounts: &[AllowanceCharge]) -> Option<Decimal> {
    sum(amounts.iter().filter_map(|stated| stated.amount))
}

fn add(a: Option<Decimal>, b: Option<Decimal>) -> Option<Decimal> {
    a?.checked_add(b?)
}

fn subtract(a: Option<Decimal>, b: Option<Decimal>) -> Option<Decimal> {
    a?.checked_sub(b?)
}

/// Half up, away from zero below it, so that a credit note mirrors its invoice.
fn round(amount: Decimal, digits: u32) -> Decimal {
    amount.round_dp_with_strategy(digits, RoundingStrategy::MidpointAwayFromZero)
}

/// The digits to which a currency rounds; two when it is unknown.
fn digits(invoice: &ReceivedInvoice) -> u32 {
    currency::digits(&invoice.currency).unwrap_or(2)
}

/// Whether an amount is what a computation gives, rounded to the currency or to the standard's two digits.
fn is_rounded(stated: Decimal, exact: Decimal, digits: u32) -> bool {
    stated == round(exact, digits) || stated == round(exact, 2)
}
