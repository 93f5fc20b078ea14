//! Findings of whole invoices: the samples have no error, and a wrong amount is found where it is.

use invoicing::einvoice::{Finding, ReceivedInvoice, Severity, VatGroup, findings};
use rust_decimal::Decimal;

use super::{GOOD, SAMPLES, dec, invoice};

/// The rules of the errors, sorted, each once.
fn errors(invoice: &ReceivedInvoice) -> Vec<String> {
    let found = findings(invoice).into_iter().filter(|finding| finding.severity == Severity::Error);
    let mut rules: Vec<_> = found.map(|finding| finding.rule).collect();
    rules.sort();
    rules.dedup();
    rules
}

#[test]
fn the_good_sample_has_no_finding() {
    assert_eq!(findings(&invoice(GOOD)), []);
}

#[test]
fn the_published_samples_have_no_error() {
    for name in SAMPLES {
        assert_eq!(errors(&invoice(name)), [""; 0], "{name}");
    }
}

/// The published samples whose lines do not multiply out, and the first such line.
#[test]
fn lines_that_do_not_multiply_out_are_warnings() {
    let expected = [
        ("CII_example1.xml", "20", "109.98", "-109.98"),
        ("CII_example2.xml", "1", "1.00", "1273"),
        ("ubl-tc434-example2.xml", "1", "2546", "1273.00"),
        ("ubl-tc434-example3.xml", "1", "1600", "800.00"),
    ];
    for name in SAMPLES {
        let found = findings(&invoice(name));
        assert!(found.iter().all(|finding| finding.rule == "X-LINE-NET"), "{name}: {found:?}");
        let Some((_, line, computed, stated)) = expected.iter().find(|(expected, ..)| *expected == name)
        else {
            // UBL example 1 has the fault of CII example 1 only if its last line has.
            assert!(found.is_empty() || name == "ubl-tc434-example1.xml", "{name}: {found:?}");
            continue;
        };
        let first = &found[0];
        assert_eq!((first.field, first.line.as_deref()), ("BT-131", Some(*line)), "{name}");
        assert_eq!((first.expected, first.stated), (Some(dec(computed)), Some(dec(stated))), "{name}");
    }
}

type Total = fn(&mut ReceivedInvoice) -> &mut Decimal;

fn optional(total: &mut Option<Decimal>) -> &mut Decimal {
    total.get_or_insert(Decimal::ZERO)
}

/// A cent too much in a total breaks the rules that use it, and no other.
#[test]
fn a_wrong_total_breaks_exactly_its_rules() {
    let cases: [(Total, &[&str]); 9] = [
        (|i| optional(&mut i.totals.lines), &["BR-CO-10", "BR-CO-13"]),
        (|i| optional(&mut i.totals.allowances), &["BR-CO-11", "BR-CO-13"]),
        (|i| optional(&mut i.totals.charges), &["BR-CO-12", "BR-CO-13"]),
        (|i| optional(&mut i.totals.without_vat), &["BR-CO-13", "BR-CO-15"]),
        (|i| optional(&mut i.totals.vat), &["BR-CO-14", "BR-CO-15"]),
        (|i| &mut i.totals.with_vat, &["BR-CO-15", "BR-CO-16"]),
        (|i| optional(&mut i.totals.prepaid), &["BR-CO-16"]),
        (|i| optional(&mut i.totals.rounding), &["BR-CO-16"]),
        (|i| &mut i.totals.due, &["BR-CO-16"]),
    ];
    for name in SAMPLES {
        for (total, rules) in &cases {
            for cent in [dec("0.01"), dec("-0.01")] {
                let mut wrong = invoice(name);
                *total(&mut wrong) += cent;
                assert_eq!(errors(&wrong), *rules, "{name}");
                let differences =
                    findings(&wrong).into_iter().filter(|finding| finding.rule.starts_with("BR-CO"));
                for Finding { stated, expected, .. } in differences {
                    let difference = stated.expect("stated") - expected.expect("expected");
                    assert_eq!(difference.abs(), cent.abs(), "{name}");
                }
            }
        }
    }
}

/// A cent too much below the totals is found at its group and in the sums.
#[test]
fn a_wrong_line_allowance_or_group_breaks_its_sums() {
    let cent = dec("0.01");
    for name in SAMPLES {
        let mut wrong = invoice(name);
        let rule = if wrong.lines[0].vat_category.as_deref() == Some("E") { "BR-E-08" } else { "BR-S-08" };
        *optional(&mut wrong.lines[0].net_amount) += cent;
        assert_eq!(errors(&wrong), ["BR-CO-10", rule], "{name}");

        let mut wrong = invoice(name);
        if let Some(allowance) = wrong.allowances.first_mut() {
            *optional(&mut allowance.amount) += cent;
            assert_eq!(errors(&wrong), ["BR-CO-11", "BR-S-08"], "{name}");
        }
        let mut wrong = invoice(name);
        if let Some(charge) = wrong.charges.first_mut() {
            *optional(&mut charge.amount) += cent;
            assert_eq!(errors(&wrong), ["BR-CO-12", "BR-S-08"], "{name}");
        }
        let mut wrong = invoice(name);
        *optional(&mut wrong.vat[0].tax) += cent;
        let mut rules = vec!["BR-CO-14", "BR-CO-17"];
        if rule == "BR-E-08" {
            rules.push("BR-E-09");
        }
        assert_eq!(errors(&wrong), rules, "{name}");
        let mut wrong = invoice(name);
        *optional(&mut wrong.vat[0].base) += dec("1000");
        let found = errors(&wrong);
        assert!(found.contains(&rule.to_owned()), "{name}: {found:?}");
        assert_eq!(found.contains(&"BR-CO-17".to_owned()), rule == "BR-S-08", "{name}: {found:?}");
    }
}

/// Tax rounds half up, to the digits of the currency; two digits are right as well, three never.
#[test]
fn tax_rounds_half_up_to_the_currency() {
    let cases = [
        ("EUR", "0.50", "5", "0.03", true),
        ("EUR", "0.50", "5", "0.02", false),
        ("EUR", "-0.50", "5", "-0.03", true),
        ("EUR", "37.92", "5.5", "2.09", true),
        ("EUR", "37.92", "5.5", "2.0856", false),
        ("JPY", "105", "10", "11", true),
        ("JPY", "105", "10", "10.5", true),
        ("JPY", "105", "10", "10", false),
        ("TND", "10.05", "19", "1.910", true),
        ("TND", "10.05", "19", "1.91", true),
        ("TND", "10.01", "19", "1.902", true),
        ("TND", "10.01", "19", "1.90", true),
        ("TND", "10.01", "19", "1.901", false),
    ];
    for (currency, base, rate, tax, is_right) in cases {
        let mut received = invoice(GOOD);
        received.currency = currency.to_owned();
        received.vat[0].base = Some(dec(base));
        received.vat[0].rate = Some(dec(rate));
        received.vat[0].tax = Some(dec(tax));
        let is_found = errors(&received).contains(&"BR-CO-17".to_owned());
        assert_eq!(is_found, !is_right, "{currency} {base} {rate} {tax}");
    }
}

/// The good invoice, all of it in one untaxed category and adding up.
fn untaxed(code: &str) -> ReceivedInvoice {
    let mut received = invoice(GOOD);
    let base = received.totals.lines.expect("a sum");
    let rate = if code == "O" { None } else { Some(Decimal::ZERO) };
    for line in &mut received.lines {
        line.vat_category = Some(code.to_owned());
        line.vat_rate = rate;
    }
    let reason = (code != "Z").then(|| "a reason".to_owned());
    received.vat = vec![VatGroup {
        base: Some(base),
        tax: Some(Decimal::ZERO),
        category: Some(code.to_owned()),
        rate,
        exemption_reason: reason,
        exemption_reason_code: None,
    }];
    received.totals.vat = Some(Decimal::ZERO);
    received.totals.with_vat = base;
    received.totals.due = base;
    received
}

const UNTAXED: [(&str, &str); 6] =
    [("Z", "Z"), ("E", "E"), ("AE", "AE"), ("K", "IC"), ("G", "G"), ("O", "O")];

#[test]
fn untaxed_categories_have_their_own_rules() {
    for (code, rules) in UNTAXED {
        assert_eq!(findings(&untaxed(code)), [], "{code}");

        let mut wrong = untaxed(code);
        *optional(&mut wrong.vat[0].base) += dec("0.01");
        assert_eq!(errors(&wrong), [format!("BR-{rules}-08")], "{code}");

        let mut wrong = untaxed(code);
        wrong.vat[0].tax = Some(Decimal::ONE);
        wrong.totals.vat = Some(Decimal::ONE);
        wrong.totals.with_vat += Decimal::ONE;
        wrong.totals.due += Decimal::ONE;
        let mut expected = vec!["BR-CO-17".to_owned(), format!("BR-{rules}-09")];
        expected.sort();
        assert_eq!(errors(&wrong), expected, "{code}");

        let mut wrong = untaxed(code);
        wrong.vat[0].exemption_reason = if code == "Z" { Some("none".to_owned()) } else { None };
        assert_eq!(errors(&wrong), [format!("BR-{rules}-10")], "{code}");
        wrong.vat[0].exemption_reason_code = Some("VATEX-EU-132".to_owned());
        assert_eq!(errors(&wrong).is_empty(), code != "Z", "{code}: a code is a reason too");

        let mut wrong = untaxed(code);
        wrong.lines[1].vat_rate = Some(dec("20"));
        assert_eq!(errors(&wrong), [format!("BR-{rules}-05")], "{code}");
    }
}

/// Groups of a taxed category are told apart by rate, whatever its digits; the others are not.
#[test]
fn a_missing_group_is_found_by_its_rate() {
    for (code, rules) in [("S", "S"), ("L", "AF"), ("M", "AG")] {
        let mut received = invoice(GOOD);
        for line in &mut received.lines {
            line.vat_category = Some(code.to_owned());
        }
        for group in &mut received.vat {
            group.category = Some(code.to_owned());
            group.rate = group.rate.map(|rate| rate.normalize());
        }
        assert_eq!(findings(&received), [], "{code}");
        received.lines[0].vat_rate = Some(dec("19.6"));
        let found = findings(&received);
        let bases: Vec<_> = found.iter().map(|finding| (finding.stated, finding.expected)).collect();
        assert_eq!(bases, [(None, Some(dec("10"))), (Some(dec("10")), Some(dec("0")))], "{code}");
        assert!(found.iter().all(|finding| finding.rule == format!("BR-{rules}-08")), "{code}");
    }
}

#[test]
fn a_credit_note_needs_no_due_date() {
    let mut received = invoice("ubl-tc434-creditnote1.xml");
    assert_eq!((received.due_date, received.payment_terms.as_deref()), (None, None));
    assert_eq!(errors(&received), [""; 0]);
    received.kind = invoicing::einvoice::Kind::Invoice;
    assert_eq!(errors(&received), ["BR-CO-25"]);
    received.payment_terms = Some("on delivery".to_owned());
    assert_eq!(errors(&received), [""; 0]);
}
