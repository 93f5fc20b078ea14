//! Second factors: one-time codes, passkeys and recovery codes of a person, and what proves anew who changes them.
//!
//! A person has a second factor when an authenticator application is confirmed or a passkey is there. Recovery codes
//! stand in for a lost one and are none by themselves: they go with the last factor. Who adds or removes a factor proves
//! first, in the same request, that it is still the person who signed in (OWASP ASVS 5.0, 7.5.1; NIST SP 800-63B-4,
//! section 4.1): a token that was stolen must not make its thief a factor.
//!
//! Secrets of applications are sealed, recovery codes hashed, passkeys public; a secret or code is shown when it is made
//! and never again.

pub mod change;
pub mod fresh;
pub mod passkey;
pub mod service;
mod store;

use chrono::{DateTime, Utc};
use uuid::Uuid;

pub use fresh::Fresh;

/// Most passkeys of a person.
pub const MOST_PASSKEYS: i64 = 20;

/// How a code was right.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    /// A one-time code of an authenticator application.
    Totp,
    /// A recovery code; it is used up now.
    RecoveryCode,
}

/// A passkey as its person sees it.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct Passkey {
    /// The passkey.
    pub id: Uuid,
    /// What its person calls it.
    pub name: String,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// When it last signed in.
    pub last_used_at: Option<DateTime<Utc>>,
}

/// What a person can prove who they are with, beside the password. Holds no secret.
#[derive(Clone, Debug)]
pub struct Factors {
    /// Since when an authenticator application is confirmed.
    pub totp_since: Option<DateTime<Utc>>,
    /// The passkeys, the oldest first.
    pub passkeys: Vec<Passkey>,
    /// How many recovery codes are left.
    pub recovery_codes: i64,
}

impl Factors {
    /// Whether there is a second factor.
    pub fn has_second(&self) -> bool {
        self.totp_since.is_some() || !self.passkeys.is_empty()
    }
}

/// The name of a passkey in its stored form, or why it is none.
fn checked_name(name: &str) -> Result<String, crate::Error> {
    let name = name.trim();
    if (1..=100).contains(&name.chars().count()) && !name.chars().any(char::is_control) {
        Ok(name.to_owned())
    } else {
        Err(crate::Error::invalid("name", "a passkey's name has 1 to 100 characters, on one line"))
    }
}
