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
    /// A code of a second factor that is not good, or not any more.
    WrongCode = "WRONG_CODE",
    /// A code of the second factor is asked for beside what was given.
    CodeNeeded = "CODE_NEEDED",
    /// The address is invited already.
    AlreadyInvited = "ALREADY_INVITED",
    /// There is an account with this address: sign in first.
    SignInFirst = "SIGN_IN_FIRST",
    /// The present password was another.
    WrongPassword = "WRONG_PASSWORD",
    /// It must be proved once more who is signed in: by the password or a code.
    ProofNeeded = "PROOF_NEEDED",
    /// A password with too few characters.
    PasswordTooShort = "PASSWORD_TOO_SHORT",
    /// A password with too many characters.
    PasswordTooLong = "PASSWORD_TOO_LONG",
    /// A password that is known from a leak.
    PasswordLeaked = "PASSWORD_LEAKED",
    /// A password that is easily guessed.
    PasswordGuessable = "PASSWORD_GUESSABLE",
    /// A short password needs the second factor that was to be removed.
    PasswordNeedsFactor = "PASSWORD_NEEDS_FACTOR",
    /// There is an authenticator application already.
    TotpExists = "TOTP_EXISTS",
    /// There is no authenticator application to confirm or to remove.
    TotpNotBegun = "TOTP_NOT_BEGUN",
    /// Recovery codes need a second factor that they stand in for.
    NoSecondFactor = "NO_SECOND_FACTOR",
    /// This server cannot have passkeys, for its public address has no domain name.
    PasskeyUnavailable = "PASSKEY_UNAVAILABLE",
    /// The passkey may have been copied: its count has gone back.
    PasskeyCopied = "PASSKEY_COPIED",
    /// The passkey did not prove who this is.
    PasskeyRefused = "PASSKEY_REFUSED",
    /// A single-use secret that is unknown, used or expired.
    ProofSpent = "PROOF_SPENT",
    /// Somebody has proved this address before.
    EmailTaken = "EMAIL_TAKEN",
    /// The person is a member already.
    AlreadyMember = "ALREADY_MEMBER",
    /// A company always has an owner.
    LastOwner = "LAST_OWNER",
    /// A key cannot do more than who makes it, or is to be responsible for it.
    BeyondOwn = "BEYOND_OWN",
    /// Only an owner makes owners.
    OwnersOnly = "OWNERS_ONLY",
    /// A change of rights needs another owner's approval.
    ApprovalNeeded = "APPROVAL_NEEDED",
    /// What was asked for cannot be decided any more.
    RequestClosed = "REQUEST_CLOSED",
    /// Nobody approves what they have asked for.
    OwnRequest = "OWN_REQUEST",
    /// Approval by another owner needs two of them.
    TwoOwnersNeeded = "TWO_OWNERS_NEEDED",
    /// A built-in role cannot be changed.
    BuiltInRole = "BUILT_IN_ROLE",
    /// Somebody has the role still.
    RoleInUse = "ROLE_IN_USE",
    /// A session that is good in its own company only.
    Confined = "CONFINED",
    /// A provider that cannot be found, or whose documents are of no use.
    ProviderUnusable = "PROVIDER_UNUSABLE",
    /// Another company has proved this domain.
    DomainTaken = "DOMAIN_TAKEN",
    /// The record that proves a domain was not seen.
    DomainNotProved = "DOMAIN_NOT_PROVED",
    /// Somebody has this account of the provider already.
    IdentityTaken = "IDENTITY_TAKEN",
    /// Nothing would be left to sign in with.
    LastWayIn = "LAST_WAY_IN",
    /// A key that was revoked or has expired.
    KeyEnded = "KEY_ENDED",
    /// An application that was archived.
    ApplicationEnded = "APPLICATION_ENDED",
    /// What only a live company can do.
    TestTwin = "TEST_TWIN",
    /// Guessed too often: the message tells how long to wait.
    TooManyAttempts = "TOO_MANY_ATTEMPTS",
});
