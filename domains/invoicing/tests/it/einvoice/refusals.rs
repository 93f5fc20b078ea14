//! What cannot be recorded is refused, each with its code.

use std::fmt::Write;

use invoicing::einvoice::{MAX_BYTES, MAX_DEPTH, MAX_ELEMENTS, ReadError, read};

use super::{GOOD, SAMPLES, changed, text};

fn code(bytes: &[u8]) -> &'static str {
    read(bytes).map_or_else(|error| error.code(), |_| "OK")
}

#[test]
fn what_is_no_xml_is_refused() {
    let cases: [&[u8]; 16] = [
        b"",
        b" \n ",
        b"%PDF-1.7",
        b"hello",
        b"{\"number\": 1}",
        b"<",
        b"<a>",
        b"<a></b>",
        b"<a/><b/>",
        b"<a/>tail",
        b"<a x=1/>",
        b"<a x='1' x='2'/>",
        b"<p:a/>",
        b"<a>&nbsp;</a>",
        b"<a>\x01</a>",
        b"<a>&#0;</a>",
    ];
    for bytes in cases {
        assert_eq!(code(bytes), "NOT_XML", "{}", String::from_utf8_lossy(bytes));
    }
    assert_eq!(code(b"\xFF\xFE"), "NOT_XML");
    assert_eq!(code(b"\xC3\x28"), "ENCODING");
}

#[test]
fn every_document_type_is_refused() {
    let body = text(GOOD);
    let (declaration, root) = body.split_once("?>").expect("a declaration");
    let types = [
        "<!DOCTYPE x>",
        "<!doctype x>",
        "<!-- first --><!DOCTYPE x SYSTEM \"http://127.0.0.1/x.dtd\">",
        "<!DOCTYPE x [<!ENTITY e \"e\">]>",
        "<!DOCTYPE x [<!ENTITY xxe SYSTEM \"file:///etc/passwd\">]>",
        "<!DOCTYPE x [<!ENTITY % p SYSTEM \"http://127.0.0.1/p\"> %p;]>",
        "<!DOCTYPE x [<!ENTITY a \"0123456789\"><!ENTITY b \"&a;&a;&a;&a;&a;&a;&a;&a;\">\
         <!ENTITY c \"&b;&b;&b;&b;&b;&b;&b;&b;\"><!ENTITY d \"&c;&c;&c;&c;&c;&c;&c;&c;\">]>",
        "<!DOCTYPE x [",
        "<!DOCTYPE>",
    ];
    for kind in types {
        let bytes = format!("{declaration}?>{kind}{root}");
        assert_eq!(code(bytes.as_bytes()), "DOCTYPE_FORBIDDEN", "{kind}");
    }
}

#[test]
fn entities_without_a_document_type_mean_nothing() {
    for entity in ["&xxe;", "&lol9;", "&nbsp;", "&#xFFFE;", "&#x1F;", "&#99999999;"] {
        let xml = changed(GOOD, "Atelier Durand SAS", entity);
        assert_eq!(code(xml.as_bytes()), "NOT_XML", "{entity}");
    }
    let xml = changed(GOOD, "Atelier Durand SAS", "&lt;A&amp;B&gt; &quot;&apos;&#233;&#x20AC;");
    assert_eq!(read(xml.as_bytes()).expect("an invoice").seller.name, "<A&B> \"'é€");
}

#[test]
fn the_limits_hold() {
    let nested = |depth: usize| format!("{}{}", "<a>".repeat(depth), "</a>".repeat(depth));
    assert_eq!(code(nested(MAX_DEPTH).as_bytes()), "UNKNOWN_SYNTAX");
    assert_eq!(code(nested(MAX_DEPTH + 1).as_bytes()), "TOO_DEEP");
    assert_eq!(code("<a>".repeat(500_000).as_bytes()), "TOO_DEEP");
    let wide = |count: usize| format!("<r>{}</r>", "<a/>".repeat(count));
    assert_eq!(code(wide(MAX_ELEMENTS - 1).as_bytes()), "UNKNOWN_SYNTAX");
    assert_eq!(code(wide(MAX_ELEMENTS).as_bytes()), "TOO_MANY_ELEMENTS");
    let mut attributes = String::new();
    for number in 0..50_000 {
        write!(attributes, " a{number}='1'").expect("a string");
    }
    assert_eq!(code(format!("<r{attributes}/>").as_bytes()), "TOO_MANY_ELEMENTS");
    let declarations = attributes.replace(" a", " xmlns:a");
    assert_eq!(code(format!("<r{declarations}/>").as_bytes()), "NOT_XML");
    let padded = format!("{}<!--{}-->", text(GOOD), " ".repeat(MAX_BYTES));
    assert_eq!(code(padded.as_bytes()), "TOO_LARGE");
    let comment = " ".repeat(MAX_BYTES - text(GOOD).len() - "<!---->".len());
    assert_eq!(code(format!("{}<!--{comment}-->", text(GOOD)).as_bytes()), "OK");
}

#[test]
fn other_roots_are_refused_by_name() {
    for name in SAMPLES {
        let whole = text(name);
        for version in ["CrossIndustryInvoice:100", "Invoice-2\"", "CreditNote-2\""] {
            let other = whole.replace(version, &version.replace(['1', '2'], "9"));
            if other != whole {
                assert_eq!(code(other.as_bytes()), "UNKNOWN_SYNTAX", "{name}");
            }
        }
    }
    let order = b"<Order xmlns='urn:oasis:names:specification:ubl:schema:xsd:Order-2'/>";
    assert_eq!(read(order), Err(ReadError::UnknownSyntax { root: "Order".to_owned() }));
    assert_eq!(code(b"<Invoice/>"), "UNKNOWN_SYNTAX");
    assert_eq!(
        code(b"<CrossIndustryInvoice xmlns='urn:oasis:names:specification:ubl:schema:xsd:Invoice-2'/>"),
        "UNKNOWN_SYNTAX"
    );
}

/// What the six required values look like in the two syntaxes: the term, how it stands there, what is bad.
const REQUIRED: [(&str, &str, &str, Option<&str>); 12] = [
    ("BT-1", GOOD, "<ram:ID>FA-2026-0001</ram:ID>", None),
    ("BT-2", GOOD, "<udt:DateTimeString format=\"102\">20261123</udt:DateTimeString>", Some("20261123")),
    ("BT-5", GOOD, "<ram:InvoiceCurrencyCode>EUR</ram:InvoiceCurrencyCode>", Some("EUR")),
    ("BT-27", GOOD, "<ram:Name>Atelier Durand SAS</ram:Name>", None),
    ("BT-112", GOOD, "<ram:GrandTotalAmount>52.01</ram:GrandTotalAmount>", Some("52.01")),
    ("BT-115", GOOD, "<ram:DuePayableAmount>52.01</ram:DuePayableAmount>", Some("52.01")),
    ("BT-1", UBL, "<cbc:ID>TOSL110</cbc:ID>", None),
    ("BT-2", UBL, "<cbc:IssueDate>2013-04-10</cbc:IssueDate>", Some("2013-04-10")),
    ("BT-5", UBL, "<cbc:DocumentCurrencyCode>DKK</cbc:DocumentCurrencyCode>", Some("DKK")),
    ("BT-27", UBL, "<cbc:RegistrationName>SellerCompany</cbc:RegistrationName>", None),
    (
        "BT-112",
        UBL,
        "<cbc:TaxInclusiveAmount currencyID=\"DKK\">4675.00</cbc:TaxInclusiveAmount>",
        Some("4675.00"),
    ),
    ("BT-115", UBL, "<cbc:PayableAmount currencyID=\"DKK\">4675.00</cbc:PayableAmount>", Some("4675.00")),
];
const UBL: &str = "ubl-tc434-example6.xml";

#[test]
fn a_required_value_that_is_missing_is_named() {
    for (bt, name, element, _) in REQUIRED {
        let refused = Err(ReadError::MissingField { bt });
        assert_eq!(read(changed(name, element, "").as_bytes()), refused, "{name} {bt}");
        let (start, rest) = element.split_once('>').expect("an element");
        let (_, end) = rest.split_once('<').expect("an element");
        let empty = format!("{start}> \n <{end}");
        assert_eq!(read(changed(name, element, &empty).as_bytes()), refused, "{name} {bt}, empty");
    }
}

#[test]
fn a_required_value_that_is_unreadable_is_shown() {
    for (bt, name, element, value) in REQUIRED {
        let Some(value) = value else { continue };
        for bad in
            ["no", "20261332", "2013-02-30", "1,5", "1e3", "--1", "1.2.3", "1_000", "NaN", "+", ".", "€uro"]
        {
            let xml = changed(name, element, &element.replace(value, bad));
            let refused = Err(ReadError::BadValue { bt, value: bad.to_owned() });
            // A date in digits is a fine amount.
            if bad != "20261332" || bt == "BT-2" || bt == "BT-5" {
                assert_eq!(read(xml.as_bytes()), refused, "{name} {bt}");
            }
        }
    }
    let long = "9".repeat(5_000);
    let xml = changed(GOOD, "<ram:DuePayableAmount>52.01", &format!("<ram:DuePayableAmount>{long}"));
    let refused = ReadError::BadValue { bt: "BT-115", value: long[..120].to_owned() };
    assert_eq!(read(xml.as_bytes()), Err(refused));
}

#[test]
fn a_date_of_another_format_is_unreadable() {
    let xml = changed(GOOD, "format=\"102\">20261123", "format=\"203\">202611230000");
    assert_eq!(code(xml.as_bytes()), "BAD_VALUE");
    let xml = changed(
        GOOD,
        "<udt:DateTimeString format=\"102\">20261123</udt:DateTimeString>",
        "<udt:DateTime>2026-11-23T10:00:00</udt:DateTime>",
    );
    assert_eq!(code(xml.as_bytes()), "OK");
    for (zone, expected) in
        [("Z", "OK"), ("+01:00", "OK"), (" ", "OK"), ("T", "BAD_VALUE"), ("1", "BAD_VALUE")]
    {
        let xml = changed(UBL, "<cbc:IssueDate>2013-04-10", &format!("<cbc:IssueDate>2013-04-10{zone}"));
        assert_eq!(code(xml.as_bytes()), expected, "{zone}");
    }
}

#[test]
fn the_lexical_forms_of_a_decimal_are_read() {
    for (stated, expected) in
        [("+52.01", "52.01"), ("-5", "-5"), (".5", "0.5"), ("5.", "5"), ("\n 007.10 ", "7.10")]
    {
        let xml = changed(GOOD, "<ram:DuePayableAmount>52.01", &format!("<ram:DuePayableAmount>{stated}"));
        assert_eq!(read(xml.as_bytes()).expect("an invoice").totals.due.to_string(), expected);
    }
}
