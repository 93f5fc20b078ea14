//! What documents refuses.

use std::borrow::Cow;

use kernel::{Denied, DomainError, Fault};

/// Why documents did not do it.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A fault of ours.
    #[error(transparent)]
    Fault(#[from] Fault),
    /// A missing permission.
    #[error(transparent)]
    Denied(#[from] Denied),
    /// The object store has no room left: a fault of ours, told apart so that the edge can say so.
    #[error("the file store is full")]
    StorageFull(Fault),
    /// Unknown, or another company's: the two are not told apart.
    #[error("no such file")]
    NotFound(&'static str),
    /// A value that cannot be.
    #[error("{message}")]
    Invalid {
        /// The input field.
        field: &'static str,
        /// What is wrong, and the fix.
        message: Cow<'static, str>,
    },
    /// A media type that is not kept.
    #[error("files of type {given} are not accepted; accepted are {}", crate::file::MEDIA_TYPES.join(", "))]
    MediaType {
        /// What was announced.
        given: String,
    },
    /// More bytes than one file may have.
    #[error("a file has at most {limit_bytes} bytes; split it, or compress it")]
    TooLarge {
        /// The limit, in bytes.
        limit_bytes: u64,
    },
    /// The link is forged, expired, or made for something else; which, is not said.
    #[error("this link is not valid or no longer valid: ask for a new one")]
    BadLink,
    /// The bytes of this upload have come already.
    #[error("this upload has been used: create a new one for another file")]
    AlreadyStored,
    /// The bytes have not come yet.
    #[error("the bytes of this file have not been uploaded: PUT them to the upload's link first")]
    NotStored(&'static str),
    /// Other than as many bytes as announced.
    #[error(
        "{announced} bytes were announced, {received}: create an upload with the true size, then send it again"
    )]
    SizeMismatch {
        /// What the upload said.
        announced: u64,
        /// What came, in words.
        received: String,
    },
    /// The sender stopped before the end.
    #[error("the upload broke off: send it again")]
    Interrupted,
}

/// Every code a user can meet here, in the order of the variants.
pub const CODES: &[&str] = &[
    "NOT_FOUND",
    "INVALID",
    "MEDIA_TYPE",
    "TOO_LARGE",
    "BAD_LINK",
    "ALREADY_STORED",
    "NOT_STORED",
    "SIZE_MISMATCH",
    "INTERRUPTED",
];

impl DomainError for Error {
    fn fault(&self) -> Option<&Fault> {
        match self {
            Self::Fault(fault) | Self::StorageFull(fault) => Some(fault),
            _ => None,
        }
    }

    fn denied(&self) -> Option<Denied> {
        match self {
            Self::Denied(denied) => Some(*denied),
            _ => None,
        }
    }

    fn code(&self) -> &'static str {
        match self {
            Self::Fault(_) | Self::StorageFull(_) => "INTERNAL",
            Self::Denied(_) => "FORBIDDEN",
            Self::NotFound(_) => "NOT_FOUND",
            Self::Invalid { .. } => "INVALID",
            Self::MediaType { .. } => "MEDIA_TYPE",
            Self::TooLarge { .. } => "TOO_LARGE",
            Self::BadLink => "BAD_LINK",
            Self::AlreadyStored => "ALREADY_STORED",
            Self::NotStored(_) => "NOT_STORED",
            Self::SizeMismatch { .. } => "SIZE_MISMATCH",
            Self::Interrupted => "INTERRUPTED",
        }
    }

    fn field(&self) -> Option<String> {
        let field = match self {
            Self::NotFound(field) | Self::NotStored(field) | Self::Invalid { field, .. } => field,
            Self::MediaType { .. } => "mediaType",
            Self::TooLarge { .. } | Self::SizeMismatch { .. } => "size",
            _ => return None,
        };
        Some((*field).to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_refusal_has_its_code_in_the_list() {
        let refusals = [
            Error::NotFound("id"),
            Error::Invalid { field: "name", message: "".into() },
            Error::MediaType { given: String::new() },
            Error::TooLarge { limit_bytes: 1 },
            Error::BadLink,
            Error::AlreadyStored,
            Error::NotStored("id"),
            Error::SizeMismatch { announced: 1, received: String::new() },
            Error::Interrupted,
        ];
        assert_eq!(refusals.each_ref().map(DomainError::code), CODES);
    }
}
