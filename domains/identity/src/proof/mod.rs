//! Single-use, short-lived secrets that prove one thing: that a letter arrived, that the first step of a sign-in was
//! taken, that a ceremony was begun here. Only their hashes are kept.

pub mod service;

use chrono::TimeDelta;
pub use service::{Proof, issue, peek, redeem, withdraw};

/// What a proof is good for; good for one purpose, it is nothing for another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Purpose {
    /// That letters to an address arrive.
    ConfirmEmail,
    /// To set a new password without the old one.
    ResetPassword,
    /// To join a company.
    Invitation,
    /// That the first factor was right, and the second is awaited.
    SecondStep,
    /// From a browser that came back from a provider to the program that asked for it.
    Handoff,
    /// A passkey ceremony that was begun here.
    Passkey,
    /// A sign-in at another provider that was begun here.
    Federation,
    /// To send a browser to a provider, and give its account there to who is signed in.
    BeginLink,
    /// An account at a provider that has no person here yet.
    Link,
}

impl Purpose {
    /// The stored name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ConfirmEmail => "confirm_email",
            Self::ResetPassword => "reset_password",
            Self::Invitation => "invitation",
            Self::SecondStep => "second_step",
            Self::Handoff => "handoff",
            Self::Passkey => "passkey",
            Self::Federation => "federation",
            Self::BeginLink => "begin_link",
            Self::Link => "link",
        }
    }

    /// How long it is good: as short as its use allows (OWASP ASVS 5.0, 6.4.3 and 6.5.5).
    pub const fn lifetime(self) -> TimeDelta {
        match self {
            Self::ConfirmEmail => TimeDelta::hours(24),
            Self::ResetPassword => TimeDelta::minutes(30),
            Self::Invitation => TimeDelta::days(7),
            Self::SecondStep | Self::Passkey | Self::BeginLink => TimeDelta::minutes(5),
            Self::Federation | Self::Link => TimeDelta::minutes(10),
            Self::Handoff => TimeDelta::minutes(1),
        }
    }
}
