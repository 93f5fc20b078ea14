//! What can be written to people. Pure: no clock, no database, no network.

mod layout;
mod plain;
mod words_en;
mod words_fr;

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

pub use layout::Rendered;
pub use plain::plain;

/// The language of a letter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Language {
    /// French.
    Fr,
    /// English.
    En,
}

impl Language {
    /// The language of a locale: French for `fr`, English for any other.
    pub fn of(locale: &str) -> Self {
        if locale == "fr" { Self::Fr } else { Self::En }
    }

    /// The stored form, which is the language's tag (BCP 47).
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Fr => "fr",
            Self::En => "en",
        }
    }
}

/// What somebody signs in with beside a password.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Factor {
    /// An app that shows codes.
    Totp,
    /// A passkey.
    Passkey,
    /// Codes for the day when the others are lost.
    RecoveryCodes,
    /// An account with another provider.
    Provider,
}

/// A figure that has passed a threshold.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AlertLine {
    /// What the company calls it, in the reader's language.
    pub figure: String,
    /// Whether it is critical, and not only a warning.
    pub critical: bool,
    /// What it came to, written in the reader's language by us.
    pub value: String,
}

/// What a letter tells. Links are whole addresses with their token.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Content {
    /// Prove that the address is yours.
    ConfirmAddress {
        /// Where to do it, within a day.
        link: String,
    },
    /// Somebody wanted to confirm an address that has an account already.
    AddressTaken {
        /// Where to ask for a new password.
        link: String,
    },
    /// Choose a new password.
    ResetPassword {
        /// Where to do it, within half an hour.
        link: String,
    },
    /// A new password was asked for at an address without an account.
    NoAccount,
    /// Join a company.
    Invitation {
        /// Its name.
        company: String,
        /// Who invites.
        inviter: String,
        /// The role's name, as people read it.
        role: String,
        /// Where to accept, within seven days.
        link: String,
    },
    /// Somebody signed in from a device that was not seen before.
    NewDevice {
        /// What the device calls itself.
        agent: Option<String>,
        /// Its network address.
        address: Option<String>,
        /// Roughly where that is.
        place: Option<String>,
        /// When.
        at: DateTime<Utc>,
    },
    /// The password was changed, or reset.
    PasswordChanged {
        /// When.
        at: DateTime<Utc>,
    },
    /// A further way to prove who signs in.
    FactorAdded {
        /// Which.
        what: Factor,
        /// When.
        at: DateTime<Utc>,
    },
    /// A way to prove who signs in is gone.
    FactorRemoved {
        /// Which.
        what: Factor,
        /// When.
        at: DateTime<Utc>,
    },
    /// Somebody's role in a company is another one.
    RoleChanged {
        /// The company's name.
        company: String,
        /// The new role's name, as people read it.
        role: String,
        /// Who changed it.
        by: String,
    },
    /// Something waits for an owner's approval.
    ApprovalWanted {
        /// The company's name.
        company: String,
        /// Who asks.
        by: String,
        /// What for, as people read it.
        what: String,
    },
    /// Figures of a company have passed thresholds.
    KpiAlerts {
        /// The company's name.
        company: String,
        /// The figures, the worst first; never none.
        alerts: Vec<AlertLine>,
        /// Where to see them.
        link: String,
    },
}

impl Content {
    /// The stable name of this kind of letter.
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::ConfirmAddress { .. } => "confirm_address",
            Self::AddressTaken { .. } => "address_taken",
            Self::ResetPassword { .. } => "reset_password",
            Self::NoAccount => "no_account",
            Self::Invitation { .. } => "invitation",
            Self::NewDevice { .. } => "new_device",
            Self::PasswordChanged { .. } => "password_changed",
            Self::FactorAdded { .. } => "factor_added",
            Self::FactorRemoved { .. } => "factor_removed",
            Self::RoleChanged { .. } => "role_changed",
            Self::ApprovalWanted { .. } => "approval_wanted",
            Self::KpiAlerts { .. } => "kpi_alerts",
        }
    }

    /// How long the letter is worth sending: the life of its link. `None`: as long as the post tries.
    pub const fn worth(&self) -> Option<TimeDelta> {
        match self {
            // After a day the figures tell something else.
            Self::ConfirmAddress { .. } | Self::KpiAlerts { .. } => Some(TimeDelta::hours(24)),
            Self::ResetPassword { .. } => Some(TimeDelta::minutes(30)),
            Self::Invitation { .. } => Some(TimeDelta::days(7)),
            _ => None,
        }
    }

    /// The link in it, if there is one.
    pub fn link(&self) -> Option<&str> {
        match self {
            Self::ConfirmAddress { link }
            | Self::AddressTaken { link }
            | Self::ResetPassword { link }
            | Self::Invitation { link, .. }
            | Self::KpiAlerts { link, .. } => Some(link),
            _ => None,
        }
    }
}

/// A letter: to whom, in which language, and what.
#[derive(Clone, Debug)]
pub struct Letter {
    /// The recipient's address.
    pub to: String,
    /// The recipient's language.
    pub language: Language,
    /// What it tells.
    pub content: Content,
}

impl Letter {
    /// A letter to an address, in the language of a locale (`fr`, `en`).
    pub fn new(to: impl Into<String>, locale: &str, content: Content) -> Self {
        Self { to: to.into(), language: Language::of(locale), content }
    }

    /// Its words.
    pub fn rendered(&self) -> Rendered {
        let words = match self.language {
            Language::Fr => words_fr::words(&self.content),
            Language::En => words_en::words(&self.content),
        };
        words.laid_out(self.language, self.content.link())
    }
}
