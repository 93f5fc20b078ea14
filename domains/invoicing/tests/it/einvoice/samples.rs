//! What each sample says, as read in the XML by a person.

use invoicing::einvoice::{
    AllowanceCharge, Identifier, InvoiceReference, Kind, Note, PaymentMeans, Period, ReceivedInvoice, Syntax,
    TaxDue,
};
use rust_decimal::Decimal;

use super::{GOOD, SAMPLES, date, dec, invoice};

/// The values that every sample has, in the order of the columns of `EXPECTED`.
struct Expected {
    file: &'static str,
    number: &'static str,
    issued: &'static str,
    due: Option<&'static str>,
    currency: &'static str,
    seller: (&'static str, &'static str),
    buyer: &'static str,
    lines: usize,
    /// Lines, without VAT, VAT, with VAT, amount due.
    totals: [&'static str; 5],
    /// Category, rate, base, tax.
    vat: &'static [(&'static str, &'static str, &'static str, &'static str)],
}

const KOKSMAAT: Expected = Expected {
    file: "CII_example1.xml",
    number: "12115118",
    issued: "2015-01-09",
    due: Some("2015-01-09"),
    currency: "EUR",
    seller: ("De Koksmaat", "NL8200.98.395.B.01"),
    buyer: "ODIN 59",
    lines: 20,
    totals: ["229.60", "229.60", "20.73", "250.33", "250.33"],
    vat: &[("S", "6", "183.23", "10.99"), ("S", "21", "46.37", "9.74")],
};
const SALESCOMPANY: Expected = Expected {
    file: "CII_example2.xml",
    number: "TOSL108",
    issued: "2013-06-30",
    due: Some("2013-07-20"),
    currency: "NOK",
    seller: ("Salescompany ltd.", "NO123456789MVA"),
    buyer: "The Buyercompany",
    lines: 5,
    totals: ["1436.50", "1436.50", "365.28", "1801.78", "801.78"],
    vat: &[("S", "25", "1460.50", "365.13"), ("S", "15", "1.00", "0.15"), ("E", "0", "-25.00", "0.00")],
};
const SUBSCRIPTION: Expected = Expected {
    file: "CII_example3.xml",
    number: "TOSL108",
    issued: "2013-04-10",
    due: Some("2013-05-10"),
    currency: "DKK",
    seller: ("SubscriptionSeller", "DK16356706"),
    buyer: "Buyercompany ltd",
    lines: 1,
    totals: ["800", "900", "225", "1125", "1125"],
    vat: &[("S", "25", "900", "225")],
};
const PAPER: Expected = Expected {
    file: "CII_example4.xml",
    number: "TOSL110",
    issued: "2013-04-10",
    due: Some("2013-05-10"),
    currency: "DKK",
    seller: ("SellerCompany", "DK16356706"),
    buyer: "Buyercompany ltd",
    lines: 3,
    totals: ["4000", "4000", "675", "4675", "4675"],
    vat: &[("S", "25", "1500", "375"), ("S", "12", "2500", "300")],
};
const DURAND: Expected = Expected {
    file: GOOD,
    number: "FA-2026-0001",
    issued: "2026-11-23",
    due: Some("2026-12-23"),
    currency: "EUR",
    seller: ("Atelier Durand SAS", "FR11123456782"),
    buyer: "Client SARL",
    lines: 2,
    totals: ["47.92", "47.92", "4.09", "52.01", "52.01"],
    vat: &[("S", "20", "10.00", "2.00"), ("S", "5.5", "37.92", "2.09")],
};
const CREDIT_NOTE: Expected = Expected {
    file: "ubl-tc434-creditnote1.xml",
    number: "018304 / 28865",
    issued: "2019-09-23",
    due: None,
    currency: "EUR",
    seller: ("My Supplier Company", "BE0000000196"),
    buyer: "My Customer Company",
    lines: 1,
    totals: ["100.11", "100.11", "0.00", "100.11", "100.11"],
    vat: &[("E", "0", "100.11", "0")],
};

const EXPECTED: [Expected; 14] = [
    KOKSMAAT,
    SALESCOMPANY,
    SUBSCRIPTION,
    PAPER,
    Expected {
        file: "CII_example5.xml",
        seller: ("SellerCompany", "NL16356706"),
        totals: ["4000", "4000", "675", "4675", "2337.5"],
        ..PAPER
    },
    Expected { file: "CII_example6.xml", seller: ("SellerCompany", "DK123456789MVA"), ..PAPER },
    DURAND,
    CREDIT_NOTE,
    Expected { file: "ubl-tc434-example1.xml", ..KOKSMAAT },
    Expected { file: "ubl-tc434-example2.xml", ..SALESCOMPANY },
    Expected {
        file: "ubl-tc434-example3.xml",
        lines: 2,
        totals: ["1600", "1700", "305", "2005", "2005"],
        vat: &[("S", "25", "900", "225"), ("S", "10", "800", "80")],
        ..SUBSCRIPTION
    },
    Expected { file: "ubl-tc434-example4.xml", ..PAPER },
    Expected {
        file: "ubl-tc434-example5.xml",
        seller: ("SellerCompany", "NL16356706"),
        totals: ["4000", "4000", "675", "4675", "2337.50"],
        ..PAPER
    },
    Expected { file: "ubl-tc434-example6.xml", seller: ("SellerCompany", "DK123456789MVA"), ..PAPER },
];

#[test]
fn every_sample_says_what_its_xml_says() {
    assert_eq!(EXPECTED.map(|expected| expected.file), SAMPLES);
    for expected in EXPECTED {
        let (file, read) = (expected.file, invoice(expected.file));
        let is_ubl = file.starts_with("ubl");
        assert_eq!(read.syntax, if is_ubl { Syntax::Ubl } else { Syntax::Cii }, "{file}");
        let kind = if file.contains("creditnote") { Kind::CreditNote } else { Kind::Invoice };
        assert_eq!(read.kind, kind, "{file}");
        assert_eq!(read.number, expected.number, "{file}");
        assert_eq!(read.issue_date, date(expected.issued), "{file}");
        assert_eq!(read.due_date, expected.due.map(date), "{file}");
        assert_eq!(read.currency, expected.currency, "{file}");
        assert_eq!(read.seller.name, expected.seller.0, "{file}");
        assert_eq!(read.seller.vat_id.as_deref(), Some(expected.seller.1), "{file}");
        assert_eq!(read.buyer.name, expected.buyer, "{file}");
        assert_eq!(read.lines.len(), expected.lines, "{file}");
        let totals = &read.totals;
        let stated = [totals.lines, totals.without_vat, totals.vat, Some(totals.with_vat), Some(totals.due)];
        assert_eq!(stated, expected.totals.map(|total| Some(dec(total))), "{file}");
        let groups = read.vat.iter().map(|group| (group.category.clone(), group.rate, group.base, group.tax));
        let stated = expected.vat.iter().map(|(category, rate, base, tax)| {
            (Some((*category).to_owned()), Some(dec(rate)), Some(dec(base)), Some(dec(tax)))
        });
        assert!(groups.eq(stated), "{file}: {:?}", read.vat);
        assert_eq!(read.remarks, [], "{file}");
    }
}

/// The samples add up, by sums that are written down here a second time.
#[test]
fn the_sums_of_every_sample_hold() {
    for file in SAMPLES {
        let ReceivedInvoice { lines, allowances, charges, vat, totals, .. } = invoice(file);
        let net: Decimal = lines.iter().map(|line| line.net_amount.expect("a net amount")).sum();
        let amount = |all: &[AllowanceCharge]| -> Decimal { all.iter().filter_map(|one| one.amount).sum() };
        let base: Decimal = vat.iter().filter_map(|group| group.base).sum();
        let tax: Decimal = vat.iter().filter_map(|group| group.tax).sum();
        let without_vat = net - amount(&allowances) + amount(&charges);
        assert_eq!(totals.lines, Some(net), "{file}");
        assert_eq!(totals.allowances.unwrap_or_default(), amount(&allowances), "{file}");
        assert_eq!(totals.charges.unwrap_or_default(), amount(&charges), "{file}");
        assert_eq!(totals.without_vat, Some(without_vat), "{file}");
        assert_eq!(base, without_vat, "{file}");
        assert_eq!(totals.vat, Some(tax), "{file}");
        assert_eq!(totals.with_vat, without_vat + tax, "{file}");
        let due = totals.with_vat - totals.prepaid.unwrap_or_default() + totals.rounding.unwrap_or_default();
        assert_eq!(totals.due, due, "{file}");
    }
}

#[test]
fn amounts_keep_their_digits() {
    let read = invoice(GOOD);
    assert_eq!(read.totals.with_vat.to_string(), "52.01");
    assert_eq!(read.vat[0].tax.expect("a tax").to_string(), "2.00");
    assert_eq!(read.lines[0].net_price.expect("a price").to_string(), "3.3333");
    let json = serde_json::to_value(&read).expect("JSON");
    assert_eq!(json["totals"]["with_vat"], "52.01");
    assert_eq!(json["issue_date"], "2026-11-23");
}

fn identifier(scheme: &str, value: &str) -> Identifier {
    Identifier { scheme: Some(scheme.to_owned()), value: value.to_owned() }
}

#[test]
fn a_french_invoice_gives_siren_siret_and_notes() {
    let read = invoice(GOOD);
    assert_eq!(read.type_code.as_deref(), Some("380"));
    assert_eq!(read.seller.siren(), Some("123456782"));
    assert_eq!(read.seller.siret(), Some("12345678200010"));
    assert_eq!(read.seller.legal_id, Some(identifier("0002", "123456782")));
    assert_eq!(read.seller.electronic_address, Some(identifier("0225", "123456782")));
    assert_eq!(read.buyer.siren(), Some("987654324"));
    assert_eq!(read.buyer.siret(), None);
    assert_eq!(read.seller.address.lines, ["1 rue de la Paix"]);
    assert_eq!(read.seller.address.postcode.as_deref(), Some("75011"));
    assert_eq!(read.seller.address.city.as_deref(), Some("Paris"));
    assert_eq!(read.seller.address.country.as_deref(), Some("FR"));
    let subjects: Vec<_> = read.notes.iter().filter_map(|note| note.subject_code.as_deref()).collect();
    assert_eq!(subjects, ["PMT", "PMD", "AAB", "BAR"]);
    assert_eq!(read.notes[1].text, "Pénalités de retard : 3 fois le taux d'intérêt légal");
    assert_eq!(read.delivery_date, Some(date("2026-11-20")));
    assert_eq!(read.payment_terms, None);
    let transfer = PaymentMeans {
        code: Some("30".to_owned()),
        remittance: Some("FA-2026-0001".to_owned()),
        iban: Some("FR7630006000011234567890189".to_owned()),
        ..PaymentMeans::default()
    };
    assert_eq!(read.payment_means, [transfer]);
    let book = &read.lines[1];
    assert_eq!(book.id.as_deref(), Some("2"));
    assert_eq!(book.name.as_deref(), Some("Livre de comptabilité"));
    assert_eq!((book.quantity, book.unit_code.as_deref()), (Some(dec("2")), Some("C62")));
    assert_eq!((book.net_price, book.net_amount), (Some(dec("18.96")), Some(dec("37.92"))));
    assert_eq!((book.vat_category.as_deref(), book.vat_rate), (Some("S"), Some(dec("5.50"))));
}

/// Example 5 is the same invoice, with everything that the standard has, in both syntaxes.
#[test]
fn the_maximum_content_is_read_in_both_syntaxes() {
    for file in ["CII_example5.xml", "ubl-tc434-example5.xml"] {
        let read = invoice(file);
        assert_eq!(read.tax_currency.as_deref(), Some("EUR"), "{file}");
        assert_eq!(read.totals.vat_in_tax_currency, Some(dec("628.62")), "{file}");
        assert_eq!(read.totals.prepaid, Some(dec("2337.5")), "{file}");
        assert_eq!(read.totals.allowances, Some(dec("150")), "{file}");
        assert_eq!(read.totals.charges, Some(dec("150")), "{file}");
        assert_eq!(read.buyer_reference.as_deref(), Some("qwerty"), "{file}");
        assert_eq!(read.order_reference.as_deref(), Some("PO4711"), "{file}");
        assert_eq!(read.contract_reference.as_deref(), Some("2013-05"), "{file}");
        assert_eq!(read.accounting_reference.as_deref(), Some("67543"), "{file}");
        let earlier = InvoiceReference { number: "TOSL109".to_owned(), issue_date: Some(date("2013-03-10")) };
        assert_eq!(read.preceding_invoices, [earlier], "{file}");
        let period = Period { start: Some(date("2013-03-10")), end: Some(date("2013-04-10")) };
        assert_eq!(read.period, Some(period), "{file}");
        assert_eq!(read.delivery_date, Some(date("2013-04-15")), "{file}");
        assert_eq!(read.payment_terms.as_deref(), Some("50% prepaid, 50% within one month"), "{file}");
        assert_eq!(read.payment_means[0].remittance.as_deref(), Some("Payref1"), "{file}");
        parties_of_the_maximum(&read, file);
        adjustments_of_the_maximum(&read, file);
        let names: Vec<_> = read.attachments.iter().filter_map(|file| file.filename.as_deref()).collect();
        assert_eq!(names, ["EHF.pdf"], "{file}");
    }
}

fn parties_of_the_maximum(read: &ReceivedInvoice, file: &str) {
    let (seller, buyer) = (&read.seller, &read.buyer);
    assert_eq!(seller.trading_name.as_deref(), Some("SelCo"), "{file}");
    assert_eq!(seller.tax_registration.as_deref(), Some("NL16356706"), "{file}");
    assert_eq!(seller.identifiers, [identifier("0088", "5790000436101")], "{file}");
    assert_eq!(seller.electronic_address, Some(identifier("EM", "info@selco.nl")), "{file}");
    assert_eq!(seller.address.lines, ["Hoofdstraat 4", "Om de hoek"], "{file}");
    assert_eq!(seller.address.subdivision.as_deref(), Some("Overijssel"), "{file}");
    assert_eq!(seller.contact.name.as_deref(), Some("Anthon Larsen"), "{file}");
    assert_eq!(seller.contact.phone.as_deref(), Some("+3198989898"), "{file}");
    assert_eq!(seller.contact.email.as_deref(), Some("Anthon@Selco.nl"), "{file}");
    assert_eq!(buyer.trading_name.as_deref(), Some("Buyco"), "{file}");
    assert_eq!(buyer.vat_id.as_deref(), Some("DK16356607"), "{file}");
    assert_eq!(buyer.tax_registration, None, "{file}");
    assert_eq!((seller.siren(), seller.siret()), (None, None), "{file}");
}

fn adjustments_of_the_maximum(read: &ReceivedInvoice, file: &str) {
    let [allowance, charge] = [&read.allowances[0], &read.charges[0]];
    for adjustment in [allowance, charge] {
        assert_eq!(adjustment.amount, Some(dec("150")), "{file}");
        assert_eq!(adjustment.base, Some(dec("1500")), "{file}");
        assert_eq!(adjustment.percent, Some(dec("10")), "{file}");
        assert_eq!(adjustment.vat_category.as_deref(), Some("S"), "{file}");
        assert_eq!(adjustment.vat_rate, Some(dec("25")), "{file}");
    }
    assert_eq!(allowance.reason.as_deref(), Some("Loyal customer"), "{file}");
    assert_eq!(charge.reason_code.as_deref(), Some("ABL"), "{file}");
    let line = &read.lines[0];
    assert_eq!(line.note.as_deref(), Some("first line"), "{file}");
    assert_eq!(line.seller_item_id.as_deref(), Some("JB007"), "{file}");
    assert_eq!(line.description.as_deref(), Some("Printing paper, 2mm"), "{file}");
    assert_eq!(line.accounting_reference.as_deref(), Some("ACC7654"), "{file}");
    assert_eq!(line.net_price, Some(dec("1")), "{file}: not the gross price");
    assert_eq!(line.price_base_quantity, Some(dec("1")), "{file}");
    assert_eq!(line.period.and_then(|period| period.start), Some(date("2013-03-10")), "{file}");
    assert_eq!(line.allowances[0].amount, Some(dec("100")), "{file}");
    assert_eq!(line.allowances[0].reason.as_deref(), Some("Loyal customer"), "{file}");
    assert_eq!(line.charges[0].amount, Some(dec("100")), "{file}");
    assert_eq!(line.charges[0].vat_category, None, "{file}");
}

#[test]
fn tax_point_is_a_date_or_an_event() {
    assert_eq!(invoice("ubl-tc434-example2.xml").tax_due, Some(TaxDue::OnDebits));
    assert_eq!(invoice("CII_example2.xml").tax_point_date, Some(date("2013-06-30")));
    assert_eq!(invoice(GOOD).tax_due, None);
    let codes = [
        (TaxDue::OnDebits, ["3", "5"]),
        (TaxDue::OnDelivery, ["35", "29"]),
        (TaxDue::OnPayment, ["432", "72"]),
    ];
    for (meaning, codes) in codes {
        assert_eq!(codes.map(TaxDue::of_code), [Some(meaning); 2]);
    }
    let rate =
        "<ram:RateApplicablePercent>20.00</ram:RateApplicablePercent></ram:ApplicableTradeTax>\n   <ram:Appl";
    let with_code = format!("<ram:DueDateTypeCode>72</ram:DueDateTypeCode>{rate}");
    let read =
        invoicing::einvoice::read(super::changed(GOOD, rate, &with_code).as_bytes()).expect("an invoice");
    assert_eq!(read.tax_due, Some(TaxDue::OnPayment));
}

#[test]
fn ubl_writes_indicators_and_attachments_its_own_way() {
    let read = invoice("ubl-tc434-example2.xml");
    assert_eq!(read.allowances[0].reason.as_deref(), Some("Promotion discount"), "the indicator is 0");
    assert_eq!(read.charges[0].reason.as_deref(), Some("Freight"));
    assert_eq!(read.vat[2].exemption_reason.as_deref(), Some("Exempt New Means of Transport"));
    assert_eq!(read.payment_means[0].bic.as_deref(), Some("DNBANOKK"));
    assert_eq!(read.attachments.len(), 2);
    assert_eq!(read.attachments[0].location.as_deref(), Some("http://www.suppliersite.eu/sheet001.html"));
    assert_eq!(read.attachments[1].filename.as_deref(), Some("test.pdf"));
    assert_eq!(read.attachments[1].mime_code.as_deref(), Some("application/pdf"));
    assert_eq!(read.lines[1].quantity, Some(dec("-1")));
    let ibans = invoice("ubl-tc434-example1.xml").payment_means.into_iter().filter_map(|means| means.iban);
    assert!(ibans.eq(["NL57 RABO 0107307510", "NL03 INGB 0004489902"]));
}

#[test]
fn a_credit_note_is_one_by_root_or_by_code() {
    let read = invoice("ubl-tc434-creditnote1.xml");
    assert_eq!((read.kind, read.type_code.as_deref()), (Kind::CreditNote, Some("381")));
    assert_eq!(read.lines[0].quantity, Some(dec("1.00")));
    assert_eq!(read.lines[0].seller_item_id.as_deref(), Some("V55"));
    assert_eq!(read.payment_means[0].bic.as_deref(), Some("BPOTBEB1"));
    assert_eq!(read.seller.trading_name.as_deref(), Some("My Supplier Company N.V."));
    for code in ["81", "83", "261", "262", "308", "381", "396", "420", "458", "532"] {
        let xml = super::changed(GOOD, "<ram:TypeCode>380<", &format!("<ram:TypeCode>{code}<"));
        let read = invoicing::einvoice::read(xml.as_bytes()).expect("a credit note");
        assert_eq!((read.kind, read.type_code.as_deref()), (Kind::CreditNote, Some(code)));
    }
    for code in ["380", "384", "386", "389", "751"] {
        assert_eq!(Kind::of_type_code(code), Kind::Invoice);
    }
    let due = "<cbc:PaymentMeansCode>1</cbc:PaymentMeansCode>";
    let with_due = format!("{due}<cbc:PaymentDueDate>2019-10-23</cbc:PaymentDueDate>");
    let xml = super::changed("ubl-tc434-creditnote1.xml", due, &with_due);
    let read = invoicing::einvoice::read(xml.as_bytes()).expect("a credit note");
    assert_eq!(read.due_date, Some(date("2019-10-23")));
}

#[test]
fn ubl_notes_may_carry_their_subject() {
    let read = invoice("ubl-tc434-example5.xml");
    let plain = "Ordered through our website#Ordering information";
    assert_eq!(read.notes, [Note { subject_code: None, text: plain.to_owned() }]);
    let xml = super::changed("ubl-tc434-example5.xml", plain, "#AAI#Ordered through our website");
    let read = invoicing::einvoice::read(xml.as_bytes()).expect("an invoice");
    let coded = Note { subject_code: Some("AAI".to_owned()), text: "Ordered through our website".to_owned() };
    assert_eq!(read.notes, [coded]);
}
