//! Why documents refuses, typed.

use crate::graphql::mutation::error_codes;

error_codes!(DocumentsErrorCode, DocumentsUserError, documents::error::CODES, "the file store", {
    /// No such thing in this company.
    NotFound = "NOT_FOUND",
    /// A value that cannot be.
    Invalid = "INVALID",
    /// Files of this media type are not kept.
    MediaType = "MEDIA_TYPE",
    /// More bytes than one file may have.
    TooLarge = "TOO_LARGE",
    /// A link that is forged or expired.
    BadLink = "BAD_LINK",
    /// The bytes of this upload have come already.
    AlreadyStored = "ALREADY_STORED",
    /// The bytes of this upload have not come yet.
    NotStored = "NOT_STORED",
    /// Other than as many bytes as announced.
    SizeMismatch = "SIZE_MISMATCH",
    /// The sender stopped before the end.
    Interrupted = "INTERRUPTED",
});
