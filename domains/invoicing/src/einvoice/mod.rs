//! Reads electronic invoices of suppliers: EN 16931 in CII (UN/CEFACT Cross Industry Invoice D16B, so
//! Factur-X too) and in UBL 2.1 (invoice and credit note).
//!
//! A received invoice is recorded as received: amounts as stated, even when they do not add up. [`read`]
//! refuses only what cannot be recorded at all; [`findings`] says what else is wrong. The module is pure:
//! it holds no SQL, reads no clock, opens no file and asks no service.

mod check;
mod cii;
mod currency;
mod model;
mod ubl;
mod values;
mod xml;

pub use check::{Finding, Severity, findings};
pub use model::{
    Address, AllowanceCharge, Attachment, Contact, Identifier, InvoiceReference, Kind, Line, Note, Party,
    PaymentMeans, Period, ReceivedInvoice, Remark, RemarkKind, Syntax, TaxDue, Totals, VatGroup,
};

use xml::Space;

/// The largest file that is read, in bytes.
pub const MAX_BYTES: usize = 10 * 1024 * 1024;
/// The deepest nesting of elements that is read.
pub const MAX_DEPTH: usize = 64;
/// The most elements that are read.
pub const MAX_ELEMENTS: usize = 250_000;

/// Why a file cannot be recorded as an invoice.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReadError {
    /// The bytes are not well-formed XML.
    #[error("this is not well-formed XML: {reason}")]
    NotXml {
        /// What the reader stumbled over.
        reason: String,
    },
    /// The file exceeds [`MAX_BYTES`].
    #[error("the file is larger than {limit_bytes} bytes")]
    TooLarge {
        /// The limit, in bytes.
        limit_bytes: usize,
    },
    /// The text is neither UTF-8 nor UTF-16, or not what it says it is.
    #[error("the encoding cannot be read: {reason}")]
    Encoding {
        /// What does not fit.
        reason: String,
    },
    /// The file declares a document type, by which entities come in; no invoice needs one.
    #[error("the file declares a document type (DOCTYPE), which is not accepted")]
    DoctypeForbidden,
    /// Elements are nested deeper than [`MAX_DEPTH`].
    #[error("elements are nested deeper than {limit}")]
    TooDeep {
        /// The limit, in elements.
        limit: usize,
    },
    /// The file has more elements than [`MAX_ELEMENTS`], or one of them too many attributes.
    #[error("there are more than {limit} elements, or attributes of one element")]
    TooManyElements {
        /// The limit that was exceeded.
        limit: usize,
    },
    /// The root element is that of neither CII nor UBL.
    #[error("{root} is the root of neither a CII nor a UBL invoice")]
    UnknownSyntax {
        /// The local name of the root element.
        root: String,
    },
    /// A value without which nothing can be recorded is absent.
    #[error("{bt} is missing")]
    MissingField {
        /// The business term of EN 16931.
        bt: &'static str,
    },
    /// A value without which nothing can be recorded is unreadable.
    #[error("{bt} cannot be read: {value:?}")]
    BadValue {
        /// The business term of EN 16931.
        bt: &'static str,
        /// The start of the value.
        value: String,
    },
}

impl ReadError {
    /// The stable code of the error, for programs.
    pub fn code(&self) -> &'static str {
        match self {
            Self::NotXml { .. } => "NOT_XML",
            Self::TooLarge { .. } => "TOO_LARGE",
            Self::Encoding { .. } => "ENCODING",
            Self::DoctypeForbidden => "DOCTYPE_FORBIDDEN",
            Self::TooDeep { .. } => "TOO_DEEP",
            Self::TooManyElements { .. } => "TOO_MANY_ELEMENTS",
            Self::UnknownSyntax { .. } => "UNKNOWN_SYNTAX",
            Self::MissingField { .. } => "MISSING_FIELD",
            Self::BadValue { .. } => "BAD_VALUE",
        }
    }
}

/// Reads the bytes of a file as an electronic invoice.
///
/// Refuses the file when number (BT-1), issue date (BT-2), currency (BT-5), seller name (BT-27), total
/// with VAT (BT-112) or amount due (BT-115) is missing or unreadable, and when it is no such XML.
pub fn read(bytes: &[u8]) -> Result<ReceivedInvoice, ReadError> {
    let root = xml::parse(bytes)?;
    if root.is(Space::Rsm, "CrossIndustryInvoice") {
        cii::read(&root)
    } else if root.is(Space::UblInvoice, "Invoice") {
        ubl::read(&root, Kind::Invoice)
    } else if root.is(Space::UblCreditNote, "CreditNote") {
        ubl::read(&root, Kind::CreditNote)
    } else {
        Err(ReadError::UnknownSyntax { root: xml::clip(root.name()) })
    }
}
