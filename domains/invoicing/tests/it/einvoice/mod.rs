//! Electronic invoices: every sample, every refusal, every rule.

mod encodings;
mod findings;
mod refusals;
mod robustness;
mod rules;
mod samples;

use std::path::Path;

use chrono::NaiveDate;
use invoicing::einvoice::{ReceivedInvoice, read};
use rust_decimal::Decimal;

const SAMPLES: [&str; 14] = [
    "CII_example1.xml",
    "CII_example2.xml",
    "CII_example3.xml",
    "CII_example4.xml",
    "CII_example5.xml",
    "CII_example6.xml",
    "facturx-fr-good.xml",
    "ubl-tc434-creditnote1.xml",
    "ubl-tc434-example1.xml",
    "ubl-tc434-example2.xml",
    "ubl-tc434-example3.xml",
    "ubl-tc434-example4.xml",
    "ubl-tc434-example5.xml",
    "ubl-tc434-example6.xml",
];

/// The French Factur-X sample without a fault.
const GOOD: &str = "facturx-fr-good.xml";

fn text(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/einvoices").join(name);
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn invoice(name: &str) -> ReceivedInvoice {
    read(text(name).as_bytes()).unwrap_or_else(|error| panic!("{name}: {error}"))
}

/// A sample in which one text is replaced by another; the first must be there.
fn changed(name: &str, from: &str, to: &str) -> String {
    let whole = text(name);
    assert!(whole.contains(from), "{name} does not contain {from}");
    whole.replacen(from, to, 1)
}

fn dec(text: &str) -> Decimal {
    text.parse().expect("a decimal")
}

fn date(text: &str) -> NaiveDate {
    text.parse().expect("a date")
}
