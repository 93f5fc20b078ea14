//! What goes wrong with a provider: told in full to an administrator, in one of three words to who signs in.

/// Why nobody was signed in. The text is for an administrator and for the log; it holds no secret, no token and no code.
#[derive(Clone, Debug, thiserror::Error)]
pub enum Error {
    /// The issuer cannot be one.
    #[error("{0}")]
    Issuer(&'static str),
    /// An address that is not to be reached from here.
    #[error("{host} is at {address}, which is {why}: a provider must be reachable from the internet")]
    Forbidden {
        /// The host as it was registered, or as the provider named it.
        host: String,
        /// What it resolved to.
        address: std::net::IpAddr,
        /// What is wrong with the address.
        why: &'static str,
    },
    /// No answer came: the name is unknown, nobody listens, TLS failed, or time ran out.
    #[error("{url} cannot be reached: {why}")]
    Unreachable {
        /// What was asked for.
        url: String,
        /// What happened.
        why: String,
    },
    /// An answer came that is of no use.
    #[error("{what} of {url} is of no use: {why}")]
    Answer {
        /// Which document.
        what: &'static str,
        /// Where it was asked for.
        url: String,
        /// What is wrong with it.
        why: String,
    },
    /// The discovery document speaks for another issuer (OpenID Connect Discovery 1.0, section 4.3).
    #[error(
        "the provider calls itself {found}, and was registered as {expected}: the two must be equal to the letter"
    )]
    OtherIssuer {
        /// As registered.
        expected: String,
        /// As the document says.
        found: String,
    },
    /// The provider refused, at the authorization or at the token endpoint.
    #[error("the provider refused: {code}{}", description.as_deref().map(|d| format!(" ({d})")).unwrap_or_default())]
    Provider {
        /// Its code (RFC 6749, sections 4.1.2.1 and 5.2).
        code: String,
        /// Its words, if it has any.
        description: Option<String>,
    },
    /// The answer of the authorization endpoint is not one to this request.
    #[error("the answer does not belong to this sign-in: {0}")]
    Callback(&'static str),
    /// The answer comes from another provider than was asked (RFC 9207, section 2.4).
    #[error("the answer comes from {found}, and {expected} was asked")]
    MixedUp {
        /// Who was asked.
        expected: String,
        /// Who answered.
        found: String,
    },
    /// The ID token does not prove anything (OpenID Connect Core 1.0, section 3.1.3.7).
    #[error("the ID token is refused: {0}")]
    Token(String),
}

/// What who signs in is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Told {
    /// They stopped it at the provider themselves: nothing is wrong.
    Cancelled,
    /// The provider does not answer: it may later.
    Unavailable,
    /// It did not work, and trying again with another browser tab or another account may.
    Refused,
}

impl Error {
    /// What who signs in may know.
    pub fn told(&self) -> Told {
        match self {
            Self::Provider { code, .. } => match code.as_str() {
                "access_denied" => Told::Cancelled,
                "temporarily_unavailable" | "server_error" => Told::Unavailable,
                _ => Told::Refused,
            },
            Self::Unreachable { .. } | Self::Answer { .. } => Told::Unavailable,
            _ => Told::Refused,
        }
    }
}
