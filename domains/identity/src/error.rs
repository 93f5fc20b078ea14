//! What identity refuses.

use std::borrow::Cow;

use kernel::{Denied, DomainError, Fault, Kind};

/// Why identity did not do it.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A fault of ours.
    #[error(transparent)]
    Fault(#[from] Fault),
    /// A missing permission.
    #[error(transparent)]
    Denied(#[from] Denied),
    /// Unknown, or another company's: the two are not told apart.
    #[error("no such {}", .0.prefix().replace('_', " "))]
    NotFound(Kind),
    /// The thing has changed since the client read it.
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
        /// The input field, as a path such as `documents.2.text`.
        field: Cow<'static, str>,
        /// What is wrong, and the fix.
        message: Cow<'static, str>,
    },
    /// E-mail and password do not go together. Never says which of them is wrong.
    #[error("e-mail or password is wrong")]
    WrongCredentials,
    /// The address has an account with another password.
    #[error("this e-mail has an account already: sign in, or sign up with the account's own password")]
    EmailTaken,
    /// The person is a member already.
    #[error("this person is a member already: change the role instead")]
    AlreadyMember,
    /// Nobody would be left who can manage the company.
    #[error("a company always has an owner: make somebody else an owner first")]
    LastOwner,
    /// An API key may not do more than who makes it.
    #[error("a key cannot have the permission {0}, for you do not have it yourself")]
    BeyondOwn(&'static str),
}

impl Error {
    /// Every code a user can meet.
    pub const CODES: &'static [&'static str] = &[
        "NOT_FOUND",
        "CONFLICT",
        "INVALID",
        "WRONG_CREDENTIALS",
        "EMAIL_TAKEN",
        "ALREADY_MEMBER",
        "LAST_OWNER",
        "BEYOND_OWN",
    ];

    pub(crate) fn invalid(
        field: impl Into<Cow<'static, str>>,
        message: impl Into<Cow<'static, str>>,
    ) -> Self {
        Self::Invalid { field: field.into(), message: message.into() }
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
            Self::NotFound(_) => "NOT_FOUND",
            Self::Conflict { .. } => "CONFLICT",
            Self::Invalid { .. } => "INVALID",
            Self::WrongCredentials => "WRONG_CREDENTIALS",
            Self::EmailTaken => "EMAIL_TAKEN",
            Self::AlreadyMember => "ALREADY_MEMBER",
            Self::LastOwner => "LAST_OWNER",
            Self::BeyondOwn(_) => "BEYOND_OWN",
        }
    }

    fn field(&self) -> Option<String> {
        let field = match self {
            Self::Invalid { field, .. } => field.as_ref(),
            Self::Conflict { .. } => "expectedVersion",
            Self::EmailTaken | Self::AlreadyMember => "email",
            Self::LastOwner => "role",
            Self::BeyondOwn(_) => "permissions",
            Self::NotFound(_) => "id",
            _ => return None,
        };
        Some(field.to_owned())
    }
}
