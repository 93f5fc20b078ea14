//! The rules of a line (BG-25).

use rust_decimal::Decimal;

use super::super::model::{Line, ReceivedInvoice};
use super::{
    Finding, Findings, Severity, add, digits, is_backwards, is_rounded, round, subtract, sum_of, vat,
};

pub(super) fn check(found: &mut Findings, invoice: &ReceivedInvoice) {
    if invoice.lines.is_empty() {
        found.error("BR-16", "BG-25", "the invoice has no line");
    }
    let digits = digits(invoice);
    for line in &invoice.lines {
        let mut on_line = OnLine { found: &mut *found, line };
        presence(&mut on_line);
        category(&mut on_line);
        product(&mut on_line, digits);
        if line.period.is_some_and(is_backwards) {
            on_line.error("BR-30", "BT-135", "the period of the line ends before it starts");
        }
    }
}

/// Adds the line to findings.
struct OnLine<'a> {
    found: &'a mut Findings,
    line: &'a Line,
}

impl OnLine<'_> {
    fn push(&mut self, finding: Finding) {
        let id = self.line.id.clone();
        let message = match &id {
            Some(id) => format!("line {id}: {}", finding.message),
            None => finding.message,
        };
        self.found.push(Finding { line: id, message, ..finding });
    }

    fn error(&mut self, rule: impl Into<String>, field: &'static str, message: impl Into<String>) {
        self.push(Finding::new(rule, Severity::Error, field, message));
    }
}

fn presence(on_line: &mut OnLine<'_>) {
    let line = on_line.line;
    let required = [
        ("BR-21", "BT-126", "the identifier of the line", line.id.is_some()),
        ("BR-22", "BT-129", "the quantity", line.quantity.is_some()),
        ("BR-23", "BT-130", "the unit", line.unit_code.is_some()),
        ("BR-24", "BT-131", "the net amount", line.net_amount.is_some()),
        ("BR-25", "BT-153", "the name of the item", line.name.is_some()),
        ("BR-26", "BT-146", "the price", line.net_price.is_some()),
        ("BR-CO-04", "BT-151", "the VAT category", line.vat_category.is_some()),
    ];
    for (rule, field, what, is_there) in required {
        if !is_there {
            on_line.error(rule, field, format!("{what} is missing"));
        }
    }
    if line.allowances.iter().any(|allowance| allowance.amount.is_none()) {
        on_line.error("BR-41", "BT-136", "the amount of an allowance is missing");
    }
    if line.charges.iter().any(|charge| charge.amount.is_none()) {
        on_line.error("BR-43", "BT-141", "the amount of a charge is missing");
    }
    if line.net_price.is_some_and(|price| price < Decimal::ZERO) {
        on_line.error("BR-27", "BT-146", "the price is negative");
    }
}

fn category(on_line: &mut OnLine<'_>) {
    let Some(code) = &on_line.line.vat_category else { return };
    let Some(category) = vat::category(code) else {
        on_line.error("BR-CL-18", "BT-151", format!("{code} is no VAT category of EN 16931"));
        return;
    };
    if let Some(message) = category.rate_fault(on_line.line.vat_rate) {
        on_line.error(category.rule("05"), "BT-152", message);
    }
}

/// Quantity by price, less allowances, plus charges. The standard asks for no such equality: a warning.
fn product(on_line: &mut OnLine<'_>, digits: u32) {
    let line = on_line.line;
    let (Some(stated), Some(quantity), Some(price)) = (line.net_amount, line.quantity, line.net_price) else {
        return;
    };
    let per = line.price_base_quantity.unwrap_or(Decimal::ONE);
    let gross = quantity.checked_mul(price).and_then(|product| product.checked_div(per));
    let exact = add(subtract(gross, sum_of(&line.allowances)), sum_of(&line.charges));
    if exact.is_some_and(|exact| is_rounded(stated, exact, digits)) {
        return;
    }
    let expected = exact.map(|exact| round(exact, digits));
    let message = match expected {
        Some(expected) => format!("the net amount is {stated}, quantity by price gives {expected}"),
        None => "quantity by price cannot be computed".to_owned(),
    };
    let finding = Finding::new("X-LINE-NET", Severity::Warning, "BT-131", message);
    on_line.push(Finding { expected, stated: Some(stated), ..finding });
}
