//! What identity refuses.

use std::borrow::Cow;

use credentials::passkey::Refusal as Passkey;
use credentials::password::Refusal as Password;
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
    #[error(
        "e-mail or password is wrong, or the address is not confirmed yet: see the letter that was sent there"
    )]
    WrongCredentials,
    /// A code of a second factor that is not good, or not any more.
    #[error("the code is wrong or was used already: take the next one")]
    WrongCode,
    /// A code of the second factor is asked for beside what was given.
    #[error("this account has a second factor: give a code of it, or a recovery code, as well")]
    CodeNeeded,
    /// An address with an open invitation.
    #[error("this address is invited already: send that invitation again, or revoke it first")]
    AlreadyInvited,
    /// An invitation to an address with an account. Told to who reads that mailbox, and to nobody else.
    #[error("there is an account with this address: sign in, then accept the invitation")]
    SignInFirst,
    /// The present password, asked of who is signed in, was another.
    #[error("this is not your present password")]
    WrongPassword,
    /// Something that only the person may change, by a session that proved nothing anew.
    #[error(
        "to change how you sign in, prove once more who you are: give your password, or a code of your second factor"
    )]
    ProofNeeded,
    /// A password that may not be chosen.
    #[error("{refusal}")]
    PasswordRefused {
        /// The input field.
        field: &'static str,
        /// Why, and the fix.
        refusal: Password,
    },
    /// A short password stands beside the last second factor.
    #[error(
        "your password has less than 15 characters, which is enough beside a second factor only: choose a longer one first"
    )]
    PasswordNeedsFactor,
    /// A second application, beside a confirmed one.
    #[error("you have an authenticator application already: remove it first")]
    TotpExists,
    /// No authenticator application, none that waits to be confirmed, or not any more.
    #[error(
        "there is no authenticator application to confirm or to remove: begin to add one, and confirm it within 15 minutes"
    )]
    TotpNotBegun,
    /// Recovery codes without anything that they would stand in for.
    #[error(
        "recovery codes stand in for a second factor: add an authenticator application or a passkey first"
    )]
    NoSecondFactor,
    /// A passkey that proved nothing.
    #[error(transparent)]
    Passkey(Passkey),
    /// A single-use secret that is unknown, used or expired; which of them is not told.
    #[error("this link or code is not good any more: ask for a new one")]
    ProofSpent,
    /// Somebody has proved this address before. Told to who has proved it just now, and to nobody else.
    #[error("this address has an account already: sign in with it")]
    EmailTaken,
    /// The session is good in its own company only.
    #[error(
        "you signed in with this company's own provider, which lets you into this company only: sign in another way"
    )]
    Confined,
    /// A provider that cannot be found, or whose documents are of no use.
    #[error("{0}")]
    ProviderUnusable(String),
    /// Another company has proved this domain.
    #[error("another company has proved this domain: ask us if it is yours")]
    DomainTaken,
    /// The record that proves a domain was not seen.
    #[error("add a TXT record named {name} with the text {text}, then try again: {why}")]
    DomainNotProved {
        /// The record's name.
        name: String,
        /// Its text.
        text: String,
        /// What was seen instead.
        why: String,
    },
    /// Somebody has this account of the provider already.
    #[error("this account of the provider belongs to a person here already: unlink it there first")]
    IdentityTaken,
    /// Nothing would be left to sign in with.
    #[error("you could not sign in any more: choose a password or add a passkey first")]
    LastWayIn,
    /// The person is a member already.
    #[error("this person is a member already: change the role instead")]
    AlreadyMember,
    /// Nobody would be left who can manage the company.
    #[error("a company always has an owner: make somebody else an owner first")]
    LastOwner,
    /// An API key may not do more than who makes it.
    #[error("you cannot give the permission {0}, for you do not have it yourself")]
    BeyondOwn(&'static str),
    /// Who gives a role, or gives orders to who has it, may do what it may do.
    #[error("this role has the permission {0}, which you do not have: ask somebody who has it")]
    RoleBeyondOwn(&'static str),
    /// What an owner is, only an owner gives and takes; a program of an owner does not.
    #[error("only an owner, signed in, makes somebody an owner or changes what an owner is: ask one")]
    OwnersOnly,
    /// The company wants another owner's approval for a change of rights.
    #[error("a change of rights needs another owner's approval here: ask for it")]
    ApprovalNeeded,
    /// What was asked for cannot be decided any more.
    #[error("this request is decided, has run out, or who asked has left: ask anew")]
    RequestClosed,
    /// Nobody approves what they have asked for.
    #[error("you have asked for this yourself, in person or through a program: another owner decides")]
    OwnRequest,
    /// Approval by another owner needs two of them.
    #[error(
        "changes of rights need another owner's approval here, and so two owners: make somebody else an owner, or turn \
         the approval off first"
    )]
    TwoOwnersNeeded,
    /// A built-in role is the same in every company.
    #[error("a built-in role cannot be changed: make a role of your own with the permissions you need")]
    BuiltInRole,
    /// Somebody has the role.
    #[error(
        "{members} members and {invitations} open invitations have this role: give them another one first"
    )]
    RoleInUse {
        /// How many members.
        members: i64,
        /// How many open invitations.
        invitations: i64,
    },
    /// An API key may not do more than who is to be responsible for it.
    #[error(
        "a key cannot have the permission {0}, for that member does not have it: choose another, or widen the role"
    )]
    BeyondResponsible(&'static str),
    /// An API key that was revoked or has expired.
    #[error("this key was revoked or has expired: create a new one")]
    KeyEnded,
    /// An application that was archived.
    #[error("this application was archived: register a new one")]
    ApplicationEnded,
    /// What only a live company can do.
    #[error("this is a test twin, which has no twin of its own: ask in the live company")]
    TestTwin,
    /// Guessed too often, whether or not there is such an account.
    #[error(
        "too many attempts: try again in {retry_after_seconds} seconds; if they were not yours, sign in on a device \
         that you have used before, with a passkey, or reset the password by e-mail"
    )]
    TooManyAttempts {
        /// How long to wait.
        retry_after_seconds: u64,
    },
}

impl Error {
    /// Every code a user can meet.
    pub const CODES: &'static [&'static str] = &[
        "NOT_FOUND",
        "CONFLICT",
        "INVALID",
        "WRONG_CREDENTIALS",
        "WRONG_CODE",
        "CODE_NEEDED",
        "ALREADY_INVITED",
        "SIGN_IN_FIRST",
        "WRONG_PASSWORD",
        "PROOF_NEEDED",
        "PASSWORD_TOO_SHORT",
        "PASSWORD_TOO_LONG",
        "PASSWORD_LEAKED",
        "PASSWORD_GUESSABLE",
        "PASSWORD_NEEDS_FACTOR",
        "TOTP_EXISTS",
        "TOTP_NOT_BEGUN",
        "NO_SECOND_FACTOR",
        "PASSKEY_UNAVAILABLE",
        "PASSKEY_COPIED",
        "PASSKEY_REFUSED",
        "PROOF_SPENT",
        "EMAIL_TAKEN",
        "ALREADY_MEMBER",
        "LAST_OWNER",
        "BEYOND_OWN",
        "OWNERS_ONLY",
        "APPROVAL_NEEDED",
        "REQUEST_CLOSED",
        "OWN_REQUEST",
        "TWO_OWNERS_NEEDED",
        "BUILT_IN_ROLE",
        "ROLE_IN_USE",
        "KEY_ENDED",
        "APPLICATION_ENDED",
        "CONFINED",
        "PROVIDER_UNUSABLE",
        "DOMAIN_TAKEN",
        "DOMAIN_NOT_PROVED",
        "IDENTITY_TAKEN",
        "LAST_WAY_IN",
        "TEST_TWIN",
        "TOO_MANY_ATTEMPTS",
    ];

    pub(crate) fn invalid(
        field: impl Into<Cow<'static, str>>,
        message: impl Into<Cow<'static, str>>,
    ) -> Self {
        Self::Invalid { field: field.into(), message: message.into() }
    }
}

impl From<Passkey> for Error {
    fn from(refusal: Passkey) -> Self {
        match refusal {
            Passkey::Kept => Self::Fault(Fault::Corrupt(refusal.to_string())),
            refusal => Self::Passkey(refusal),
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
            Self::NotFound(_) => "NOT_FOUND",
            Self::Conflict { .. } => "CONFLICT",
            Self::Invalid { .. } => "INVALID",
            Self::WrongCredentials => "WRONG_CREDENTIALS",
            Self::WrongCode => "WRONG_CODE",
            Self::CodeNeeded => "CODE_NEEDED",
            Self::AlreadyInvited => "ALREADY_INVITED",
            Self::SignInFirst => "SIGN_IN_FIRST",
            Self::WrongPassword => "WRONG_PASSWORD",
            Self::ProofNeeded => "PROOF_NEEDED",
            Self::PasswordRefused { refusal, .. } => match refusal {
                Password::TooShort { .. } => "PASSWORD_TOO_SHORT",
                Password::TooLong => "PASSWORD_TOO_LONG",
                Password::Leaked => "PASSWORD_LEAKED",
                Password::Guessable { .. } => "PASSWORD_GUESSABLE",
            },
            Self::PasswordNeedsFactor => "PASSWORD_NEEDS_FACTOR",
            Self::TotpExists => "TOTP_EXISTS",
            Self::TotpNotBegun => "TOTP_NOT_BEGUN",
            Self::NoSecondFactor => "NO_SECOND_FACTOR",
            Self::Passkey(Passkey::Unavailable) => "PASSKEY_UNAVAILABLE",
            Self::Passkey(Passkey::Cloned) => "PASSKEY_COPIED",
            Self::Passkey(_) => "PASSKEY_REFUSED",
            Self::ProofSpent => "PROOF_SPENT",
            Self::EmailTaken => "EMAIL_TAKEN",
            Self::AlreadyMember => "ALREADY_MEMBER",
            Self::LastOwner => "LAST_OWNER",
            Self::BeyondOwn(_) | Self::BeyondResponsible(_) | Self::RoleBeyondOwn(_) => "BEYOND_OWN",
            Self::OwnersOnly => "OWNERS_ONLY",
            Self::ApprovalNeeded => "APPROVAL_NEEDED",
            Self::RequestClosed => "REQUEST_CLOSED",
            Self::OwnRequest => "OWN_REQUEST",
            Self::TwoOwnersNeeded => "TWO_OWNERS_NEEDED",
            Self::BuiltInRole => "BUILT_IN_ROLE",
            Self::RoleInUse { .. } => "ROLE_IN_USE",
            Self::KeyEnded => "KEY_ENDED",
            Self::ApplicationEnded => "APPLICATION_ENDED",
            Self::Confined => "CONFINED",
            Self::ProviderUnusable(_) => "PROVIDER_UNUSABLE",
            Self::DomainTaken => "DOMAIN_TAKEN",
            Self::DomainNotProved { .. } => "DOMAIN_NOT_PROVED",
            Self::IdentityTaken => "IDENTITY_TAKEN",
            Self::LastWayIn => "LAST_WAY_IN",
            Self::TestTwin => "TEST_TWIN",
            Self::TooManyAttempts { .. } => "TOO_MANY_ATTEMPTS",
        }
    }

    fn field(&self) -> Option<String> {
        let field = match self {
            Self::Invalid { field, .. } => field.as_ref(),
            Self::Conflict { .. } => "expectedVersion",
            Self::EmailTaken | Self::AlreadyMember | Self::AlreadyInvited => "email",
            Self::LastOwner | Self::RoleBeyondOwn(_) | Self::OwnersOnly => "role",
            Self::BuiltInRole | Self::RoleInUse { .. } => "roleId",
            Self::RequestClosed | Self::OwnRequest => "accessRequestId",
            Self::WrongCode | Self::CodeNeeded => "code",
            Self::WrongPassword => "currentPassword",
            Self::PasswordRefused { field, .. } => field,
            Self::Passkey(_) => "answer",
            Self::BeyondOwn(_) => "permissions",
            Self::BeyondResponsible(_) => "memberId",
            Self::KeyEnded => "apiKeyId",
            Self::ApplicationEnded => "applicationId",
            Self::ProviderUnusable(_) => "issuer",
            Self::DomainTaken | Self::DomainNotProved { .. } => "companyDomainId",
            Self::LastWayIn => "identityId",
            Self::NotFound(_) => "id",
            _ => return None,
        };
        Some(field.to_owned())
    }
}
