//! What a session's holder has shown.

/// How sure it is that a session's holder is who they say (NIST SP 800-63B-4, section 2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Assurance {
    /// One factor: a password, or the word of another provider (level 1).
    Password,
    /// Two factors, or a passkey whose device verified its user (level 2).
    SecondFactor,
}

impl Assurance {
    /// The stored name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Password => "password",
            Self::SecondFactor => "second_factor",
        }
    }

    /// Reads the stored name.
    pub fn parse(name: &str) -> Option<Self> {
        [Self::Password, Self::SecondFactor].into_iter().find(|assurance| assurance.as_str() == name)
    }
}

impl TryFrom<String> for Assurance {
    type Error = String;

    /// As it is stored.
    fn try_from(name: String) -> Result<Self, String> {
        Self::parse(&name).ok_or_else(|| format!("assurance {name}"))
    }
}
