//! The same document in other bytes is the same invoice.

use invoicing::einvoice::read;

use super::{SAMPLES, invoice, text};

fn utf16(text: &str, to_bytes: fn(u16) -> [u8; 2]) -> Vec<u8> {
    text.encode_utf16().flat_map(to_bytes).collect()
}

/// The text with a declaration of UTF-16.
fn declared_as_utf16(text: &str) -> String {
    let end = text.find("?>").expect("a declaration");
    format!("<?xml version=\"1.0\" encoding=\"UTF-16\"{}", &text[end..])
}

#[test]
fn utf16_gives_an_equal_result() {
    for name in SAMPLES {
        let (utf8, expected) = (text(name), invoice(name));
        for to_bytes in [u16::to_le_bytes, u16::to_be_bytes] {
            let with_mark = utf16(&format!("\u{FEFF}{utf8}"), to_bytes);
            assert_eq!(read(&with_mark).as_ref(), Ok(&expected), "{name}, with a byte order mark");
            let declared = utf16(&declared_as_utf16(&utf8), to_bytes);
            assert_eq!(read(&declared).as_ref(), Ok(&expected), "{name}, declared");
        }
        let with_mark = format!("\u{FEFF}{utf8}");
        assert_eq!(read(with_mark.as_bytes()).as_ref(), Ok(&expected), "{name}, UTF-8 with a mark");
    }
}

#[test]
fn an_absent_declaration_means_utf8() {
    for name in SAMPLES {
        let utf8 = text(name);
        let (_, bare) = utf8.split_once("?>").expect("a declaration");
        assert_eq!(read(bare.as_bytes()), Ok(invoice(name)), "{name}");
    }
}

#[test]
fn prefixes_mean_nothing() {
    for name in SAMPLES {
        let mut renamed = text(name);
        for (from, to) in
            [("rsm", "a"), ("ram", "rsm"), ("udt", "x-1"), ("qdt", "udt"), ("cac", "q"), ("cbc", "cac")]
        {
            for (before, after) in [("<", ":"), ("</", ":"), ("xmlns:", "=")] {
                renamed = renamed.replace(&format!("{before}{from}{after}"), &format!("{before}{to}{after}"));
            }
        }
        assert_ne!(renamed, text(name));
        assert_eq!(read(renamed.as_bytes()), Ok(invoice(name)), "{name}");
    }
}

#[test]
fn comments_instructions_and_cdata_change_nothing() {
    for name in SAMPLES {
        let whole = text(name);
        let number = invoice(name).number;
        let hidden = whole.replacen(
            &format!(">{number}<"),
            &format!("><!-- <no> -->{}<![CDATA[{}]]><?go on?><", &number[..3], &number[3..]),
            1,
        );
        assert_ne!(hidden, whole, "{name}");
        assert_eq!(read(hidden.as_bytes()), Ok(invoice(name)), "{name}");
    }
}

#[test]
fn other_encodings_are_refused() {
    let utf8 = text("CII_example1.xml");
    for label in ["ISO-8859-1", "windows-1252", "UTF-16", "UTF-7", "no-such"] {
        let declared = utf8.replacen("utf-8", label, 1);
        assert_eq!(read(declared.as_bytes()).map_err(|error| error.code()), Err("ENCODING"), "{label}");
    }
    let latin = text("facturx-fr-good.xml").replace('é', "\u{1}").into_bytes();
    let latin: Vec<_> = latin.into_iter().map(|byte| if byte == 1 { 0xE9 } else { byte }).collect();
    assert_eq!(read(&latin).map_err(|error| error.code()), Err("ENCODING"));
    let mut odd = utf16(&format!("\u{FEFF}{utf8}"), u16::to_le_bytes);
    odd.pop();
    assert_eq!(read(&odd).map_err(|error| error.code()), Err("ENCODING"));
}
