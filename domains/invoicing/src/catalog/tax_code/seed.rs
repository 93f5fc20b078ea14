//! The tax codes that a company starts with.

use ledger::year::Chart;
use rust_decimal::Decimal;

use crate::tax::{Category, Chargeable};

use super::NewTaxCode;

/// Code, category, rate in thousandths of a percent, whether it waits, and per chart name and reason.
type Row = (&'static str, Category, i64, Chargeable, [(&'static str, Option<&'static str>); 2]);

const ROWS: &[Row] = &[
    (
        "S20",
        Category::S,
        20_000,
        Chargeable::Debits,
        [("TVA 20 % (biens, ou services sur option)", None), ("VAT 20 % (goods, on invoice)", None)],
    ),
    (
        "S20S",
        Category::S,
        20_000,
        Chargeable::Payment,
        [("TVA 20 % sur les encaissements (services)", None), ("VAT 20 % (services, on payment)", None)],
    ),
    ("S10", Category::S, 10_000, Chargeable::Debits, [("TVA 10 %", None), ("VAT 10 %", None)]),
    ("S55", Category::S, 5_500, Chargeable::Debits, [("TVA 5,5 %", None), ("VAT 5.5 %", None)]),
    ("S21", Category::S, 2_100, Chargeable::Debits, [("TVA 2,1 %", None), ("VAT 2.1 %", None)]),
    ("Z0", Category::Z, 0, Chargeable::Debits, [("Taux zéro", None), ("Zero rate", None)]),
    (
        "E0",
        Category::E,
        0,
        Chargeable::Debits,
        [
            ("Exonéré de TVA", Some("Exonération de TVA, article 261 du CGI")),
            ("Exempt", Some("Exempt from VAT, article 132 of directive 2006/112/EC")),
        ],
    ),
    (
        "AE",
        Category::AE,
        0,
        Chargeable::Debits,
        [
            ("Autoliquidation par le preneur", Some("Autoliquidation, article 283 du CGI")),
            ("Reverse charge", Some("Reverse charge, articles 194 to 199a of directive 2006/112/EC")),
        ],
    ),
    (
        "K",
        Category::K,
        0,
        Chargeable::Debits,
        [
            ("Livraison intracommunautaire", Some("Exonération de TVA, article 262 ter I du CGI")),
            ("Intra-community supply", Some("Exempt, article 138 of directive 2006/112/EC")),
        ],
    ),
    (
        "G",
        Category::G,
        0,
        Chargeable::Debits,
        [
            ("Exportation hors de l'Union", Some("Exonération de TVA, article 262 I du CGI")),
            ("Export outside the EU", Some("Exempt, article 146 of directive 2006/112/EC")),
        ],
    ),
    (
        "O",
        Category::O,
        0,
        Chargeable::Debits,
        [
            ("Hors du champ de la TVA", Some("Opération non soumise à la TVA française, article 259 du CGI")),
            (
                "Outside the scope of VAT",
                Some("Outside the scope of VAT, article 44 of directive 2006/112/EC"),
            ),
        ],
    ),
];

/// The codes for a chart: the same codes, with the reasons of French or of European law.
pub(super) fn codes(chart: Chart) -> impl Iterator<Item = NewTaxCode> {
    let column = usize::from(chart != Chart::FrPcg);
    ROWS.iter().map(move |(code, category, rate, chargeable, texts)| NewTaxCode {
        code: (*code).to_owned(),
        name: texts[column].0.to_owned(),
        category: *category,
        rate: Decimal::new(*rate, 3),
        reason: texts[column].1.map(str::to_owned),
        chargeable: *chargeable,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_seeded_code_is_well_formed() {
        for chart in [Chart::FrPcg, Chart::Generic] {
            assert_eq!(codes(chart).filter(|code| code.clone().checked().is_ok()).count(), 11);
        }
    }
}
