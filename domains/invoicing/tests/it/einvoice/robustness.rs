//! No file makes the reader panic, and each is read or refused with a code.

use invoicing::einvoice::{ReadError, findings, read};

use super::{SAMPLES, text};

/// A small generator with a fixed seed (xorshift), so that a failure comes again.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn below(&mut self, limit: usize) -> usize {
        usize::try_from(self.next() % u64::try_from(limit.max(1)).expect("a limit")).expect("an index")
    }

    fn byte(&mut self) -> u8 {
        self.next().to_le_bytes()[3]
    }
}

const CODES: [&str; 9] = [
    "NOT_XML",
    "TOO_LARGE",
    "ENCODING",
    "DOCTYPE_FORBIDDEN",
    "TOO_DEEP",
    "TOO_MANY_ELEMENTS",
    "UNKNOWN_SYNTAX",
    "MISSING_FIELD",
    "BAD_VALUE",
];

/// Reads and checks; answers whether the file was read.
fn survives(bytes: &[u8]) -> bool {
    match read(bytes) {
        Ok(invoice) => {
            let found = findings(&invoice);
            assert!(found.len() <= 501);
            assert!(found.iter().all(|finding| !finding.message.is_empty()));
            true
        }
        Err(error) => {
            assert!(CODES.contains(&error.code()));
            assert!(error.to_string().len() < 700, "{error}");
            false
        }
    }
}

#[test]
fn random_bytes_are_refused() {
    let mut random = Random(0x9E37_79B9_7F4A_7C15);
    for length in 0..400 {
        let mut bytes: Vec<u8> = (0..length).map(|_| random.byte()).collect();
        assert!(!survives(&bytes));
        bytes.insert(0, b'<');
        assert!(!survives(&bytes));
    }
}

#[test]
fn a_truncated_file_is_refused() {
    for name in SAMPLES {
        let whole = text(name);
        let end = whole.rfind('>').expect("an end");
        for cut in (0..end).step_by(61).chain([end]) {
            let error = read(&whole.as_bytes()[..cut]).expect_err("half a file");
            assert!(
                matches!(error, ReadError::NotXml { .. } | ReadError::Encoding { .. }),
                "{name} {cut}: {error}"
            );
        }
    }
}

/// What a mutation puts in: markup, then (from [`VALUES`] on) extreme and wrong values.
const PIECES: [&str; 24] = [
    "<",
    ">",
    "/>",
    "&",
    "&amp;",
    "\"",
    "<![CDATA[",
    "]]>",
    "<!--",
    "-->",
    "<?x?>",
    "\u{0}",
    "xmlns=\"\"",
    "<ram:ID>1</ram:ID>",
    "<cbc:ID>1</cbc:ID>",
    "\u{FEFF}",
    "79228162514264337593543950335",
    "-79228162514264337593543950335",
    "0.0000000000000000000000000001",
    "0",
    "-",
    "9999-12-31",
    "00000000",
    "S",
];
const VALUES: usize = 15;

fn mutate(bytes: &mut Vec<u8>, random: &mut Random) {
    let at = random.below(bytes.len());
    match random.below(5) {
        0 => bytes[at] = random.byte(),
        1 => {
            let end = (at + random.below(80)).min(bytes.len());
            bytes.drain(at..end);
        }
        2 => {
            let end = (at + random.below(400)).min(bytes.len());
            let copy = bytes[at..end].to_vec();
            let to = random.below(bytes.len());
            bytes.splice(to..to, copy);
        }
        3 => {
            let piece = PIECES[random.below(PIECES.len())].bytes();
            bytes.splice(at..at, piece);
        }
        _ => replace_value(bytes, random),
    }
}

/// Another value in some element; the file stays well-formed.
fn replace_value(bytes: &mut Vec<u8>, random: &mut Random) {
    let at = random.below(bytes.len());
    let piece = PIECES[VALUES + random.below(PIECES.len() - VALUES)];
    replace_text(bytes, at, piece);
}

/// Replaces the text of the next element after a place.
fn replace_text(bytes: &mut Vec<u8>, at: usize, piece: &str) {
    let next = |from: usize, wanted: u8| Some(from + bytes[from..].iter().position(|byte| *byte == wanted)?);
    let Some(start) = next(at, b'>') else { return };
    let Some(end) = next(start, b'<') else { return };
    bytes.splice(start + 1..end, piece.bytes());
}

#[test]
fn mutated_samples_are_read_or_refused() {
    let mut random = Random(42);
    let (mut read, mut refused) = (0, 0);
    for name in SAMPLES {
        let whole = text(name).into_bytes();
        for round in 0..160 {
            let mut bytes = whole.clone();
            let change = if round % 2 == 0 { mutate } else { replace_value };
            for _ in 0..=(round % 8) {
                change(&mut bytes, &mut random);
            }
            if survives(&bytes) { read += 1 } else { refused += 1 }
        }
    }
    // Neither side of the experiment is empty.
    assert!(read > 300 && refused > 300, "{read} read, {refused} refused");
}

/// Every number of a sample at the edge of what can be represented.
#[test]
fn extreme_numbers_do_not_overflow() {
    let extremes = [
        "79228162514264337593543950335",
        "-79228162514264337593543950335",
        "0.0000000000000000000000000001",
        "0",
    ];
    for name in SAMPLES {
        let whole = text(name);
        for extreme in extremes {
            let mut swollen = String::new();
            for part in whole.split_inclusive('>') {
                let (value, tag) = part.split_once('<').unwrap_or(("", part));
                let is_number = value.contains('.') && value.parse::<rust_decimal::Decimal>().is_ok();
                let is_total = tag.contains("Amount") || tag.contains("Percent") || tag.contains("Quantity");
                let is_replaced = is_number || (is_total && !value.trim().is_empty());
                swollen.push_str(if is_replaced { extreme } else { value });
                if part.contains('<') {
                    swollen.push('<');
                }
                swollen.push_str(tag);
            }
            assert!(survives(swollen.as_bytes()), "{name} with {extreme}");
        }
    }
}

/// A file that is wrong everywhere answers with a bounded list.
#[test]
fn findings_are_bounded() {
    let whole = text("ubl-tc434-example6.xml");
    let start = whole.find("<cac:InvoiceLine>").expect("a line");
    let end = whole.rfind("</Invoice>").expect("an end");
    let lines = whole[start..end].replace(">S<", ">?<").repeat(2_000);
    let xml = format!("{}{lines}</Invoice>", &whole[..start]);
    let invoice = read(xml.as_bytes()).expect("an invoice");
    assert_eq!(invoice.lines.len(), 6_000);
    let found = findings(&invoice);
    assert_eq!(found.len(), 501);
    assert_eq!(found.last().map(|last| last.rule.as_str()), Some("X-MORE"));
}
