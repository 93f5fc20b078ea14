//! What the domain refuses.

use std::borrow::Cow;

use kernel::{Denied, DomainError, Fault};

/// Every code that a user can meet here.
pub const CODES: &[&str] = &["NOT_FOUND", "CONFLICT", "INVALID", "LIMIT"];

/// Why it was not done.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A fault of ours.
    #[error(transparent)]
    Fault(#[from] Fault),
    /// A missing permission.
    #[error(transparent)]
    Denied(#[from] Denied),
    /// Unknown, or another company's: the two are not told apart.
    #[error("no such kpi")]
    NotFound {
        /// The input field that names it, as a path.
        field: Cow<'static, str>,
    },
    /// Another thing that is unknown, or another company's, or not to be seen by who asks: they are not told apart.
    #[error("no such {what}")]
    Unknown {
        /// What kind of thing.
        what: &'static str,
        /// The input field that names it.
        field: &'static str,
    },
    /// The definition has changed since the client read it.
    #[error(
        "it has changed since version {expected} and is now at version {actual}: read it again, then repeat"
    )]
    Conflict {
        /// What the client had.
        expected: i32,
        /// What it is.
        actual: i32,
    },
    /// A value that cannot be.
    #[error("{message}")]
    Invalid {
        /// The input field, as a path.
        field: Cow<'static, str>,
        /// What is wrong, and the fix.
        message: Cow<'static, str>,
    },
    /// There are too many already.
    #[error("{message}")]
    Limit {
        /// How many there may be, and the fix.
        message: Cow<'static, str>,
    },
}

impl Error {
    /// Too many, with the fix.
    pub fn limit(message: impl Into<Cow<'static, str>>) -> Self {
        Self::Limit { message: message.into() }
    }

    /// An unknown definition, named by an input field.
    pub fn not_found(field: impl Into<Cow<'static, str>>) -> Self {
        Self::NotFound { field: field.into() }
    }

    /// An unknown thing that is no definition.
    pub const fn unknown(what: &'static str, field: &'static str) -> Self {
        Self::Unknown { what, field }
    }

    /// A value that cannot be, with the fix.
    pub fn invalid(field: &'static str, message: impl Into<Cow<'static, str>>) -> Self {
        Self::Invalid { field: field.into(), message: message.into() }
    }
}

/// What identity tells of members takes no input of the user: whatever it refuses is our fault.
impl From<identity::Error> for Error {
    fn from(error: identity::Error) -> Self {
        match error {
            identity::Error::Fault(fault) => Self::Fault(fault),
            identity::Error::Denied(denied) => Self::Denied(denied),
            other => Self::Fault(Fault::Internal(format!("members of a company: {other}"))),
        }
    }
}

impl DomainError for Error {
    fn fault(&self) -> Option<&Fault> {
        match self {
            Self::Fault(fault) => Some(fault),
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
            Self::Fault(_) => "INTERNAL",
            Self::Denied(_) => "FORBIDDEN",
            Self::NotFound { .. } | Self::Unknown { .. } => "NOT_FOUND",
            Self::Conflict { .. } => "CONFLICT",
            Self::Invalid { .. } => "INVALID",
            Self::Limit { .. } => "LIMIT",
        }
    }

    fn field(&self) -> Option<String> {
        match self {
            Self::NotFound { field } | Self::Invalid { field, .. } => Some(field.clone().into_owned()),
            Self::Unknown { field, .. } => Some((*field).to_owned()),
            Self::Conflict { .. } => Some("expectedVersion".to_owned()),
            Self::Fault(_) | Self::Denied(_) | Self::Limit { .. } => None,
        }
    }
}
