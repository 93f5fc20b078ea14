//! Why identity refuses, typed.

use crate::graphql::mutation::error_codes;

error_codes!(IdentityErrorCode, IdentityUserError, identity::Error::CODES, "sign-in and membership", {
    /// No such thing in this company.
    NotFound = "NOT_FOUND",
    /// It has changed since it was read.
    Conflict = "CONFLICT",
    /// A value that cannot be.
    Invalid = "INVALID",
    /// E-mail and password do not go together.
    WrongCredentials = "WRONG_CREDENTIALS",
    /// The address has an account with another password.
    EmailTaken = "EMAIL_TAKEN",
    /// The person is a member already.
    AlreadyMember = "ALREADY_MEMBER",
    /// A company always has an owner.
    LastOwner = "LAST_OWNER",
    /// A key cannot do more than its maker.
    BeyondOwn = "BEYOND_OWN",
});
