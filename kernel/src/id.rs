//! Ids: UUIDv7 inside, TypeIDs outside (<https://github.com/jetify-com/typeid>, v0.3).

use type_safe_id::{DynamicType, TypeSafeId};
use uuid::Uuid;

macro_rules! kinds {
    ($($variant:ident = $prefix:literal,)+) => {
        /// A kind of thing, and the prefix of its public ids.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Kind { $(#[doc = concat!("`", $prefix, "_…`")] $variant,)+ }

        impl Kind {
            /// Every kind there is.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)+];

            /// The prefix of this kind's ids.
            pub const fn prefix(self) -> &'static str {
                match self { $(Self::$variant => $prefix,)+ }
            }

            fn of_prefix(prefix: &str) -> Option<Self> {
                match prefix { $($prefix => Some(Self::$variant),)+ _ => None }
            }
        }
    };
}

kinds! {
    Company = "company",
    Person = "person",
    Membership = "membership",
    Role = "role",
    AccessRequest = "access_request",
    Invitation = "invitation",
    Session = "session",
    Passkey = "passkey",
    Identity = "identity",
    SsoProvider = "sso_provider",
    CompanyDomain = "company_domain",
    ApiKey = "api_key",
    Application = "application",
    Grant = "grant",
    TrustedDocument = "trusted_document",
    Account = "account",
    Journal = "journal",
    FiscalYear = "fiscal_year",
    Period = "period",
    JournalEntry = "journal_entry",
    Posting = "posting",
    Matching = "matching",
    ExchangeRate = "exchange_rate",
    Party = "party",
    Item = "item",
    TaxCode = "tax_code",
    Invoice = "invoice",
    InvoiceLine = "invoice_line",
    Bill = "bill",
    BillLine = "bill_line",
    Finding = "finding",
    Payment = "payment",
    Allocation = "allocation",
    File = "file",
    Event = "event",
    Kpi = "kpi",
    KpiAlert = "kpi_alert",
    Dashboard = "dashboard",
    EmbedLink = "embed_link",
}

/// Why a text is not the id that was asked for.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum IdError {
    /// Not a TypeID at all.
    #[error("`{0}` is not an id; ids look like `invoice_01h455vb4pex5vsknk084sn02q`")]
    Malformed(String),
    /// A TypeID of another kind.
    #[error("`{given}` is not the id of a {wanted}")]
    WrongKind {
        /// What was given.
        given: String,
        /// The prefix that was needed.
        wanted: &'static str,
    },
}

/// What the public ids of a test twin begin with, before the prefix of their kind: `test_invoice_01h…`.
const TEST: &str = "test_";

/// The version of the ids of test twins, which are laid out as those of version 7 are (RFC 9562, sections 5.7, 5.8).
const TEST_VERSION: usize = 8;

/// A new id of a live company's row, or of what belongs to no company; ids made later sort later. For a company's row
/// take [`crate::Tx::new_id`], which knows what the company is.
pub fn new() -> Uuid {
    Uuid::now_v7()
}

/// A new id of a test twin's row: the 48 bits of milliseconds, the counter and the random bits of a `UUIDv7`, as a `UUIDv8`.
/// So it sorts as the others do, and tells what it is wherever it stands, in SQL too.
pub fn new_test() -> Uuid {
    let mut bytes = Uuid::now_v7().into_bytes();
    bytes[6] = (bytes[6] & 0x0f) | 0x80;
    Uuid::from_bytes(bytes)
}

/// Whether an id is one of a test twin's row.
pub fn is_test(id: Uuid) -> bool {
    id.get_version_num() == TEST_VERSION
}

/// The public form of an id: `invoice_01h…`, and `test_invoice_01h…` in a test twin.
pub fn encode(kind: Kind, id: Uuid) -> String {
    let prefix = kind.prefix();
    let tag =
        if is_test(id) { DynamicType::new(&format!("{TEST}{prefix}")) } else { DynamicType::new(prefix) };
    match tag {
        Ok(tag) => TypeSafeId::from_type_and_uuid(tag, id).to_string(),
        Err(_) => unreachable!("prefixes are lower-case letters and underscores, as a test holds"),
    }
}

/// Reads a public id of any kind.
///
/// # Errors
/// [`IdError::Malformed`], also for an id of a test twin without `test_`, and for another id with it: each id has one
/// public form.
pub fn decode_any(text: &str) -> Result<(Kind, Uuid), IdError> {
    let malformed = || IdError::Malformed(text.chars().take(80).collect());
    // The library cuts what is too long at a byte, which must not lie within a character.
    if !text.is_ascii() {
        return Err(malformed());
    }
    let id: TypeSafeId<DynamicType> = text.parse().map_err(|_| malformed())?;
    let (prefix, of_twin) = match id.type_prefix().strip_prefix(TEST) {
        Some(prefix) => (prefix, true),
        None => (id.type_prefix(), false),
    };
    if of_twin != is_test(id.uuid()) {
        return Err(malformed());
    }
    Ok((Kind::of_prefix(prefix).ok_or_else(malformed)?, id.uuid()))
}

/// Reads a public id of one kind.
///
/// # Errors
/// As [`decode_any`], and [`IdError::WrongKind`].
pub fn decode(kind: Kind, text: &str) -> Result<Uuid, IdError> {
    match decode_any(text)? {
        (found, id) if found == kind => Ok(id),
        _ => Err(IdError::WrongKind { given: text.to_owned(), wanted: kind.prefix() }),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn every_kind_reads_back_and_refuses_the_others() {
        for id in [new(), new_test()] {
            for kind in Kind::ALL {
                let text = encode(*kind, id);
                assert_eq!(text.starts_with(TEST), is_test(id), "{text}");
                assert_eq!(decode(*kind, &text), Ok(id));
                for other in Kind::ALL.iter().filter(|other| *other != kind) {
                    assert!(
                        matches!(decode(*other, &text), Err(IdError::WrongKind { .. })),
                        "{text} as {other:?}"
                    );
                }
            }
        }
    }

    #[test]
    fn what_is_no_id_is_malformed() {
        let long = format!("{}_01h455vb4pex5vsknk084sn02q", "é".repeat(60));
        let texts =
            ["", "invoice", "invoice_", "invoice_xyz", "nothing_01h455vb4pex5vsknk084sn02q", "é_01h4", &long];
        for text in texts {
            assert!(matches!(decode_any(text), Err(IdError::Malformed(_))), "{text}");
        }
    }

    #[test]
    fn no_kind_reads_as_the_test_form_of_another() {
        for kind in Kind::ALL {
            assert!(!kind.prefix().starts_with(TEST), "{kind:?}");
        }
    }

    #[test]
    fn ids_of_a_twin_tell_and_rise_among_the_others() {
        let made: Vec<Uuid> = (0..2000).map(|n| if n % 2 == 0 { new() } else { new_test() }).collect();
        for (n, id) in made.iter().enumerate() {
            assert_eq!((id.get_version_num(), is_test(*id)), if n % 2 == 0 { (7, false) } else { (8, true) });
            assert_eq!(id.get_variant(), uuid::Variant::RFC4122);
        }
        for kind in [0, 1] {
            let of_kind: Vec<Uuid> = made.iter().copied().skip(kind).step_by(2).collect();
            assert!(of_kind.is_sorted(), "an id made later sorts later");
        }
        // Across versions the milliseconds still decide.
        let millis = |id: &Uuid| id.as_u128() >> 80;
        assert!(made.is_sorted_by_key(millis));
    }

    proptest! {
        #[test]
        fn an_id_has_one_public_form(bytes: [u8; 16], kind in 0..Kind::ALL.len()) {
            let (kind, id) = (Kind::ALL[kind], Uuid::from_bytes(bytes));
            let text = encode(kind, id);
            prop_assert_eq!(decode_any(&text), Ok((kind, id)));
            let other = match text.strip_prefix(TEST) {
                Some(bare) => bare.to_owned(),
                None => format!("{TEST}{text}"),
            };
            prop_assert!(matches!(decode_any(&other), Err(IdError::Malformed(_))), "{}", other);
        }

        #[test]
        fn any_text_is_read_or_refused(text in "\\PC{0,120}", tail in "_[0-9a-z]{26}") {
            let _ = decode_any(&text);
            let _ = decode_any(&format!("{text}{tail}"));
        }
    }
}
