//! What is refused, as clients are told (RFC 6749, sections 4.1.2.1 and 5.2).

use serde::Serialize;

/// The codes of refusals.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Code {
    /// A parameter is missing, given twice, or makes no sense.
    InvalidRequest,
    /// The client is unknown, or did not prove to be itself.
    InvalidClient,
    /// The code, the refresh token or the verifier is wrong, over, or another client's.
    InvalidGrant,
    /// The client may not use this grant.
    UnauthorizedClient,
    /// There is no such grant type.
    UnsupportedGrantType,
    /// There is no such response type.
    UnsupportedResponseType,
    /// A scope is unknown, malformed, or more than may be had.
    InvalidScope,
    /// The person said no.
    AccessDenied,
    /// A fault of ours.
    ServerError,
    /// Try again in a moment.
    TemporarilyUnavailable,
    /// Such a token cannot be revoked here (RFC 7009, section 2.2.1).
    UnsupportedTokenType,
}

impl Code {
    /// The code as it is written in answers.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::InvalidRequest => "invalid_request",
            Self::InvalidClient => "invalid_client",
            Self::InvalidGrant => "invalid_grant",
            Self::UnauthorizedClient => "unauthorized_client",
            Self::UnsupportedGrantType => "unsupported_grant_type",
            Self::UnsupportedResponseType => "unsupported_response_type",
            Self::InvalidScope => "invalid_scope",
            Self::AccessDenied => "access_denied",
            Self::ServerError => "server_error",
            Self::TemporarilyUnavailable => "temporarily_unavailable",
            Self::UnsupportedTokenType => "unsupported_token_type",
        }
    }
}

/// A refusal: a code for programs and a line for the developer of the client.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}: {description}", .code.as_str())]
pub struct Refusal {
    /// Why, for programs.
    pub code: Code,
    /// Why, and the fix, for developers. Printable ASCII without `"` and `\`, as RFC 6749 wants it.
    pub description: &'static str,
}

/// A refusal as the token endpoint writes it.
#[derive(Serialize)]
struct Written {
    error: &'static str,
    error_description: &'static str,
}

impl Refusal {
    /// A refusal.
    pub const fn new(code: Code, description: &'static str) -> Self {
        Self { code, description }
    }

    /// A request that makes no sense.
    pub const fn request(description: &'static str) -> Self {
        Self::new(Code::InvalidRequest, description)
    }

    /// A client that did not prove to be itself. Which part of the proof was wrong is not told.
    pub const fn client() -> Self {
        Self::new(Code::InvalidClient, "the client is unknown or did not authenticate")
    }

    /// A code, refresh token or verifier that is not good. Which of them, and why, is not told.
    pub const fn grant() -> Self {
        Self::new(Code::InvalidGrant, "the grant is unknown, over, used, or of another client")
    }

    /// The status of an answer of the token endpoint (RFC 6749, section 5.2).
    pub const fn status(&self) -> u16 {
        match self.code {
            Code::InvalidClient => 401,
            Code::ServerError => 500,
            Code::TemporarilyUnavailable => 503,
            _ => 400,
        }
    }

    /// The body of an answer of the token endpoint.
    pub fn json(&self) -> serde_json::Value {
        let written = Written { error: self.code.as_str(), error_description: self.description };
        serde_json::to_value(written).unwrap_or_default()
    }
}
