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
    Session = "session",
    ApiKey = "api_key",
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

/// A new id; ids made later sort later.
pub fn new() -> Uuid {
    Uuid::now_v7()
}

/// The public form of an id.
pub fn encode(kind: Kind, id: Uuid) -> String {
    match DynamicType::new(kind.prefix()) {
        Ok(tag) => TypeSafeId::from_type_and_uuid(tag, id).to_string(),
        Err(_) => unreachable!("prefixes are lower-case letters and underscores, as a test holds"),
    }
}

/// Reads a public id of any kind.
pub fn decode_any(text: &str) -> Result<(Kind, Uuid), IdError> {
    let malformed = || IdError::Malformed(text.chars().take(80).collect());
    let id: TypeSafeId<DynamicType> = text.parse().map_err(|_| malformed())?;
    Ok((Kind::of_prefix(id.type_prefix()).ok_or_else(malformed)?, id.uuid()))
}

/// Reads a public id of one kind.
pub fn decode(kind: Kind, text: &str) -> Result<Uuid, IdError> {
    match decode_any(text)? {
        (found, id) if found == kind => Ok(id),
        _ => Err(IdError::WrongKind { given: text.to_owned(), wanted: kind.prefix() }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_reads_back_and_refuses_the_others() {
        let id = new();
        for kind in Kind::ALL {
            let text = encode(*kind, id);
            assert_eq!(decode(*kind, &text), Ok(id));
            for other in Kind::ALL.iter().filter(|other| *other != kind) {
                assert!(
                    matches!(decode(*other, &text), Err(IdError::WrongKind { .. })),
                    "{text} as {other:?}"
                );
            }
        }
    }

    #[test]
    fn what_is_no_id_is_malformed() {
        for text in ["", "invoice", "invoice_", "invoice_xyz", "nothing_01h455vb4pex5vsknk084sn02q", "é_01h4"]
        {
            assert!(matches!(decode_any(text), Err(IdError::Malformed(_))), "{text}");
        }
    }
}
