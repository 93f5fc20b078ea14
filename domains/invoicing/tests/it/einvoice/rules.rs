//! Each rule fires on a sample made wrong by one change of its XML.

use std::collections::BTreeSet;

use invoicing::einvoice::{Severity, findings, read};

use super::{GOOD, changed};

const CII: &str = "CII_example5.xml";
const UBL: &str = "ubl-tc434-example5.xml";

/// Rule, field, sample, what is replaced, and by what.
type Case = (&'static str, &'static str, &'static str, &'static str, &'static str);

const PRESENCE: &[Case] = &[
    ("BR-04", "BT-3", GOOD, "<ram:TypeCode>380</ram:TypeCode>", ""),
    ("BR-07", "BT-44", GOOD, "<ram:Name>Client SARL</ram:Name>", ""),
    ("BR-09", "BT-40", UBL, "<cbc:IdentificationCode>NL<", "<cbc:IdentificationCode><"),
    ("BR-11", "BT-55", UBL, "<cbc:IdentificationCode>DK<", "<cbc:IdentificationCode><"),
    ("BR-12", "BT-106", GOOD, "Summation><ram:LineTotalAmount>47.92</ram:LineTotalAmount>", "Summation>"),
    ("BR-13", "BT-109", GOOD, "<ram:TaxBasisTotalAmount>47.92</ram:TaxBasisTotalAmount>", ""),
    ("BR-16", "BG-25", GOOD, "ram:IncludedSupplyChainTradeLineItem", "ram:Ignored"),
    ("BR-21", "BT-126", GOOD, "<ram:LineID>1</ram:LineID>", ""),
    ("BR-22", "BT-129", GOOD, "<ram:BilledQuantity unitCode=\"C62\">3</ram:BilledQuantity>", ""),
    ("BR-23", "BT-130", GOOD, "<ram:BilledQuantity unitCode=\"C62\">", "<ram:BilledQuantity>"),
    ("BR-24", "BT-131", GOOD, "<ram:LineTotalAmount>10.00</ram:LineTotalAmount>", ""),
    ("BR-25", "BT-153", GOOD, "<ram:Name>Câble réseau</ram:Name>", ""),
    ("BR-26", "BT-146", GOOD, "<ram:ChargeAmount>3.3333</ram:ChargeAmount>", ""),
    ("BR-45", "BT-116", GOOD, "<ram:BasisAmount>10.00</ram:BasisAmount>", ""),
    ("BR-46", "BT-117", GOOD, "<ram:CalculatedAmount>2.00</ram:CalculatedAmount>", ""),
    (
        "BR-47",
        "BT-118",
        GOOD,
        "10.00</ram:BasisAmount><ram:CategoryCode>S<",
        "10.00</ram:BasisAmount><ram:CategoryCode><",
    ),
    (
        "BR-48",
        "BT-119",
        UBL,
        "<cac:TaxCategory>\n                <cbc:ID>S</cbc:ID>\n                <cbc:Percent>25</cbc:Percent>",
        "<cac:TaxCategory>\n                <cbc:ID>S</cbc:ID>",
    ),
    ("BR-53", "BT-111", CII, "<ram:TaxTotalAmount currencyID=\"EUR\">628.62</ram:TaxTotalAmount>", ""),
    ("BR-CO-04", "BT-151", GOOD, "<ram:CategoryCode>S</ram:CategoryCode>", ""),
    ("BR-CO-18", "BG-23", CREDIT, "cac:TaxSubtotal", "cac:Ignored"),
    ("BR-CO-25", "BT-9", GOOD, "<udt:DateTimeString format=\"102\">20261223</udt:DateTimeString>", ""),
    (
        "BR-32",
        "BT-95",
        CII,
        "<ram:CategoryTradeTax>\n                    <ram:TypeCode>VAT</ram:TypeCode>\n                    <ram:CategoryCode>S</ram:CategoryCode>",
        "<ram:CategoryTradeTax>",
    ),
    ("BR-37", "BT-102", UBL, CHARGE_CATEGORY, "1500.00</cbc:BaseAmount></cac:AllowanceCharge><cac:TaxTotal>"),
    ("BR-31", "BT-92", UBL, "<cbc:Amount currencyID=\"DKK\">150.00</cbc:Amount>", ""),
    (
        "BR-36",
        "BT-99",
        CII,
        "<ram:ActualAmount>150</ram:ActualAmount>\n                <ram:ReasonCode>ABL",
        "<ram:ReasonCode>ABL",
    ),
    ("BR-41", "BT-136", UBL, "<cbc:Amount currencyID=\"DKK\">100.00</cbc:Amount>", ""),
    (
        "BR-43",
        "BT-141",
        CII,
        "<ram:ActualAmount>100</ram:ActualAmount>\n                    <ram:ReasonCode>ABL",
        "<ram:ReasonCode>ABL",
    ),
    (
        "BR-E-10",
        "BT-120",
        CREDIT,
        "<cbc:TaxExemptionReason>Taxes are not applicable</cbc:TaxExemptionReason>",
        "",
    ),
];
const CREDIT: &str = "ubl-tc434-creditnote1.xml";

/// The end of the charge on the document in UBL example 5.
const CHARGE_CATEGORY: &str = "1500.00</cbc:BaseAmount>\n        <cac:TaxCategory>\n            <cbc:ID>S</cbc:ID>\n            <cbc:Percent>25</cbc:Percent>\n            <cac:TaxScheme>\n                <cbc:ID>VAT</cbc:ID>\n            </cac:TaxScheme>\n        </cac:TaxCategory>\n    </cac:AllowanceCharge>\n    <cac:TaxTotal>";

const AMOUNTS: &[Case] = &[
    ("BR-27", "BT-146", GOOD, "<ram:ChargeAmount>3.3333", "<ram:ChargeAmount>-3.3333"),
    ("BR-CO-10", "BT-106", GOOD, "<ram:LineTotalAmount>47.92<", "<ram:LineTotalAmount>47.91<"),
    ("BR-CO-11", "BT-107", CII, "<ram:AllowanceTotalAmount>150<", "<ram:AllowanceTotalAmount>151<"),
    ("BR-CO-12", "BT-108", UBL, "DKK\">150.00</cbc:ChargeTotalAmount", "DKK\">15.00</cbc:ChargeTotalAmount"),
    ("BR-CO-13", "BT-109", GOOD, "<ram:TaxBasisTotalAmount>47.92", "<ram:TaxBasisTotalAmount>48"),
    (
        "BR-CO-14",
        "BT-110",
        GOOD,
        "<ram:TaxTotalAmount currencyID=\"EUR\">4.09<",
        "<ram:TaxTotalAmount currencyID=\"EUR\">4.10<",
    ),
    ("BR-CO-15", "BT-112", GOOD, "<ram:GrandTotalAmount>52.01<", "<ram:GrandTotalAmount>52.02<"),
    ("BR-CO-16", "BT-115", GOOD, "<ram:DuePayableAmount>52.01<", "<ram:DuePayableAmount>0<"),
    ("BR-CO-17", "BT-117", GOOD, "<ram:CalculatedAmount>2.09<", "<ram:CalculatedAmount>2.08<"),
    ("BR-S-05", "BT-152", GOOD, "<ram:RateApplicablePercent>20.00<", "<ram:RateApplicablePercent>0<"),
    (
        "BR-S-06",
        "BT-96",
        CII,
        "<ram:CategoryTradeTax>\n                    <ram:TypeCode>VAT</ram:TypeCode>\n                    <ram:CategoryCode>S</ram:CategoryCode>\n                    <ram:RateApplicablePercent>25<",
        "<ram:CategoryTradeTax><ram:CategoryCode>S</ram:CategoryCode><ram:RateApplicablePercent>0<",
    ),
    (
        "BR-S-07",
        "BT-103",
        UBL,
        CHARGE_CATEGORY,
        "1500.00</cbc:BaseAmount><cac:TaxCategory><cbc:ID>S</cbc:ID></cac:TaxCategory></cac:AllowanceCharge><cac:TaxTotal>",
    ),
    ("BR-S-08", "BT-116", GOOD, "<ram:BasisAmount>37.92<", "<ram:BasisAmount>37.93<"),
    (
        "BR-E-08",
        "BT-116",
        CREDIT,
        "<cbc:TaxableAmount currencyID=\"EUR\">100.11",
        "<cbc:TaxableAmount currencyID=\"EUR\">100",
    ),
    (
        "BR-E-09",
        "BT-117",
        CREDIT,
        "EUR\">0.00</cbc:TaxAmount>\n\t\t\t<cac:TaxCategory>",
        "EUR\">1.00</cbc:TaxAmount>\n\t\t\t<cac:TaxCategory>",
    ),
    ("X-LINE-NET", "BT-131", GOOD, "<ram:ChargeAmount>18.96", "<ram:ChargeAmount>18.95"),
    (
        "X-LINE-NET",
        "BT-131",
        UBL,
        "<cbc:BaseQuantity unitCode=\"EA\">1<",
        "<cbc:BaseQuantity unitCode=\"EA\">0<",
    ),
    ("BR-DEC-01", "BT-92", CII, "<ram:ActualAmount>150<", "<ram:ActualAmount>150.000<"),
    (
        "BR-DEC-05",
        "BT-99",
        CII,
        "<ram:ActualAmount>150</ram:ActualAmount>\n                <ram:ReasonCode>ABL",
        "<ram:ActualAmount>150.000</ram:ActualAmount>\n                <ram:ReasonCode>ABL",
    ),
    ("BR-DEC-09", "BT-106", CII, "<ram:LineTotalAmount>4000.00<", "<ram:LineTotalAmount>4000.001<"),
    ("BR-DEC-10", "BT-107", CII, "<ram:AllowanceTotalAmount>150<", "<ram:AllowanceTotalAmount>150.000<"),
    ("BR-DEC-11", "BT-108", CII, "<ram:ChargeTotalAmount>150<", "<ram:ChargeTotalAmount>150.000<"),
    ("BR-DEC-12", "BT-109", CII, "<ram:TaxBasisTotalAmount>4000<", "<ram:TaxBasisTotalAmount>4000.000<"),
    ("BR-DEC-13", "BT-110", CII, ">675.00</ram:TaxTotalAmount>", ">675.004</ram:TaxTotalAmount>"),
    ("BR-DEC-14", "BT-112", CII, "<ram:GrandTotalAmount>4675<", "<ram:GrandTotalAmount>4675.000<"),
    ("BR-DEC-15", "BT-111", CII, ">628.62</ram:TaxTotalAmount>", ">628.621</ram:TaxTotalAmount>"),
    ("BR-DEC-16", "BT-113", CII, "<ram:TotalPrepaidAmount>2337.5<", "<ram:TotalPrepaidAmount>2337.500<"),
    (
        "BR-DEC-17",
        "BT-114",
        CII,
        "<ram:GrandTotalAmount>",
        "<ram:RoundingAmount>0.000</ram:RoundingAmount><ram:GrandTotalAmount>",
    ),
    ("BR-DEC-18", "BT-115", CII, "<ram:DuePayableAmount>2337.5<", "<ram:DuePayableAmount>2337.500<"),
    ("BR-DEC-19", "BT-116", GOOD, "<ram:BasisAmount>10.00<", "<ram:BasisAmount>10.000<"),
    ("BR-DEC-20", "BT-117", GOOD, "<ram:CalculatedAmount>2.00<", "<ram:CalculatedAmount>2.000<"),
    ("BR-DEC-23", "BT-131", GOOD, "<ram:LineTotalAmount>10.00<", "<ram:LineTotalAmount>10.000<"),
];

const CODES: &[Case] = &[
    ("BR-CL-01", "BT-3", GOOD, "<ram:TypeCode>380<", "<ram:TypeCode>999<"),
    ("BR-CL-04", "BT-5", GOOD, "CurrencyCode>EUR<", "CurrencyCode>EUX<"),
    ("BR-CL-05", "BT-6", CII, "<ram:TaxCurrencyCode>EUR<", "<ram:TaxCurrencyCode>EUX<"),
    (
        "BR-CL-17",
        "BT-118",
        GOOD,
        "10.00</ram:BasisAmount><ram:CategoryCode>S<",
        "10.00</ram:BasisAmount><ram:CategoryCode>s<",
    ),
    (
        "BR-CL-17",
        "BT-102",
        UBL,
        CHARGE_CATEGORY,
        "1500.00</cbc:BaseAmount>\n        <cac:TaxCategory><cbc:ID>X</cbc:ID></cac:TaxCategory></cac:AllowanceCharge><cac:TaxTotal>",
    ),
    ("BR-CL-18", "BT-151", GOOD, "<ram:CategoryCode>S<", "<ram:CategoryCode>VAT<"),
];

const DATES: &[Case] = &[
    ("X-DUE-DATE", "BT-9", GOOD, "20261223", "20261122"),
    ("BR-29", "BT-74", UBL, "<cbc:EndDate>2013-04-10", "<cbc:EndDate>2013-03-09"),
    (
        "BR-30",
        "BT-135",
        CII,
        "102\">20130310</udt:DateTimeString>\n                    </ram:EndDateTime>",
        "102\">20130309</udt:DateTimeString>\n                    </ram:EndDateTime>",
    ),
    (
        "BR-CO-03",
        "BT-7",
        "ubl-tc434-example2.xml",
        "<cbc:DocumentCurrencyCode>",
        "<cbc:TaxPointDate>2013-06-30</cbc:TaxPointDate><cbc:DocumentCurrencyCode>",
    ),
];

const READING: &[Case] = &[
    ("X-UNREADABLE", "BT-9", GOOD, "20261223", "23.12.2026"),
    ("X-UNREADABLE", "BT-131", GOOD, "<ram:LineTotalAmount>10.00<", "<ram:LineTotalAmount>10,00<"),
    ("X-UNREADABLE", "BT-8", "ubl-tc434-example2.xml", "<cbc:DescriptionCode>3<", "<cbc:DescriptionCode>4<"),
    ("X-UNREADABLE", "BT-92", UBL, "<cbc:ChargeIndicator>false<", "<cbc:ChargeIndicator>no<"),
    ("X-UNREADABLE", "BT-110", GOOD, "currencyID=\"EUR\">4.09", "currencyID=\"EUR\">four"),
    (
        "X-REPEATED",
        "BT-1",
        GOOD,
        "<ram:ID>FA-2026-0001</ram:ID>",
        "<ram:ID>FA-2026-0001</ram:ID><ram:ID>2</ram:ID>",
    ),
    (
        "X-REPEATED",
        "BT-115",
        UBL,
        "<cbc:PayableAmount",
        "<cbc:PayableAmount currencyID=\"DKK\">2337.5</cbc:PayableAmount><cbc:PayableAmount",
    ),
    (
        "X-REPEATED",
        "BT-110",
        GOOD,
        "<ram:GrandTotalAmount>",
        "<ram:TaxTotalAmount currencyID=\"EUR\">5</ram:TaxTotalAmount><ram:GrandTotalAmount>",
    ),
    (
        "X-CURRENCY",
        "BT-115",
        UBL,
        "<cbc:PayableAmount currencyID=\"DKK\"",
        "<cbc:PayableAmount currencyID=\"NOK\"",
    ),
    (
        "X-CURRENCY",
        "BT-110",
        GOOD,
        "<ram:TaxTotalAmount currencyID=\"EUR\"",
        "<ram:TaxTotalAmount currencyID=\"USD\"",
    ),
];

fn cases() -> impl Iterator<Item = &'static Case> {
    [PRESENCE, AMOUNTS, CODES, DATES, READING].into_iter().flatten()
}

#[test]
fn each_rule_fires_on_its_change() {
    for (rule, field, name, from, to) in cases() {
        let invoice = read(super::text(name).as_bytes()).expect("an invoice");
        let before = findings(&invoice);
        assert!(before.iter().all(|finding| finding.rule == "X-LINE-NET"), "{name}");
        // A list of lines or groups is renamed as a whole.
        let xml = match *rule {
            "BR-16" | "BR-CO-18" => super::text(name).replace(from, to),
            _ => changed(name, from, to),
        };
        let invoice = read(xml.as_bytes()).unwrap_or_else(|error| panic!("{rule}: {error}"));
        let found = findings(&invoice);
        let fired = found.iter().find(|finding| finding.rule == *rule && finding.field == *field);
        let fired = fired.unwrap_or_else(|| panic!("{rule} {field} is not among {found:#?}"));
        let is_warning = ["X-LINE-NET", "X-DUE-DATE"].contains(rule) || rule.starts_with("BR-DEC");
        assert_eq!(fired.severity == Severity::Warning, is_warning, "{rule}");
    }
}

/// A remark or finding on a line says which line.
#[test]
fn findings_on_lines_name_the_line() {
    let on_lines = [
        "BR-22",
        "BR-23",
        "BR-24",
        "BR-25",
        "BR-26",
        "BR-27",
        "BR-30",
        "BR-41",
        "BR-43",
        "BR-CL-18",
        "BR-S-05",
        "X-LINE-NET",
    ];
    let is_on_line =
        |rule: &str, field: &str| on_lines.contains(&rule) || (rule == "X-UNREADABLE" && field == "BT-131");
    for (rule, field, name, from, to) in cases().filter(|(rule, field, ..)| is_on_line(rule, field)) {
        let invoice = read(changed(name, from, to).as_bytes()).expect("an invoice");
        let found = findings(&invoice);
        let fired = found.iter().find(|finding| finding.rule == *rule && finding.field == *field);
        let line = fired.and_then(|fired| fired.line.as_deref());
        assert!(matches!(line, Some("1" | "2")), "{rule}: {line:?}");
    }
}

/// Every rule that the check names is in the tables above.
#[test]
fn no_rule_is_untried() {
    let sources = [
        include_str!("../../../src/einvoice/check.rs"),
        include_str!("../../../src/einvoice/check/lines.rs"),
        include_str!("../../../src/einvoice/check/vat.rs"),
    ];
    let literals = sources.iter().flat_map(|source| source.split('"').skip(1).step_by(2));
    let named: BTreeSet<_> = literals
        .filter(|literal| literal.starts_with("BR-") || literal.starts_with("X-"))
        .filter(|literal| !literal.contains('{'))
        .collect();
    let tried: BTreeSet<_> = cases().map(|(rule, ..)| *rule).chain(["X-MORE"]).collect();
    let untried: Vec<_> = named.difference(&tried).collect();
    assert!(named.len() > 40, "{named:?}");
    assert!(untried.is_empty(), "{untried:?}");
}
