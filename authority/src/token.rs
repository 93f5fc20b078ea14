//! The token request (RFC 6749, sections 4.1.3, 4.4.2 and 6), and requests about a token (RFC 7009, RFC 7662).

use crate::challenge::is_verifier;
use crate::form::Params;
use crate::refusal::{Code, Refusal};
use crate::scope::Scopes;

/// Longest code or token that is looked up, in bytes.
const LONGEST: usize = 4096;

/// What a client gives for a token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Grant {
    /// A code, with the proof that it asked for it.
    Code {
        /// The code.
        code: String,
        /// The verifier of its challenge (RFC 7636).
        verifier: String,
        /// Where the code came, when it says so. OAuth 2.1 leaves it out, for the verifier proves more; what is said
        /// must be right.
        redirect_uri: Option<String>,
    },
    /// A refresh token.
    Refresh {
        /// The token.
        token: String,
        /// Fewer scopes than were granted, if it wants fewer.
        scopes: Option<Scopes>,
    },
    /// Nothing but itself.
    Client {
        /// The scopes it wants; all that it may have when it does not say.
        scopes: Option<Scopes>,
    },
}

impl Grant {
    /// Reads the grant of a token request. The client must have proved to be itself before.
    ///
    /// # Errors
    /// `invalid_request`, `unsupported_grant_type` or `invalid_scope`.
    pub fn of(params: &Params) -> Result<Self, Refusal> {
        params.once()?;
        match params.need("grant_type", "grant_type is missing")? {
            "authorization_code" => {
                let code = short(params.need("code", "code is missing")?)?;
                let verifier = params.need("code_verifier", "code_verifier is missing (RFC 7636)")?;
                if !is_verifier(verifier) {
                    return Err(Refusal::request("code_verifier has 43 to 128 unreserved characters"));
                }
                let redirect_uri = params.get("redirect_uri")?.map(str::to_owned);
                Ok(Self::Code { code, verifier: verifier.to_owned(), redirect_uri })
            }
            "refresh_token" => {
                let token = short(params.need("refresh_token", "refresh_token is missing")?)?;
                Ok(Self::Refresh { token, scopes: scopes(params)? })
            }
            "client_credentials" => Ok(Self::Client { scopes: scopes(params)? }),
            _ => Err(Refusal::new(
                Code::UnsupportedGrantType,
                "grant_type is authorization_code, refresh_token or client_credentials",
            )),
        }
    }

    /// The name of the grant type.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Code { .. } => "authorization_code",
            Self::Refresh { .. } => "refresh_token",
            Self::Client { .. } => "client_credentials",
        }
    }
}

fn short(token: &str) -> Result<String, Refusal> {
    if token.len() > LONGEST { Err(Refusal::grant()) } else { Ok(token.to_owned()) }
}

fn scopes(params: &Params) -> Result<Option<Scopes>, Refusal> {
    let scopes = params.get("scope")?.map(Scopes::parse).transpose();
    scopes.map_err(|_| Refusal::new(Code::InvalidScope, "scope is no list of scopes"))
}

/// What a token is, in the opinion of who sends it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hint {
    /// An access token.
    Access,
    /// A refresh token.
    Refresh,
}

/// A request about a token: to revoke it, or to tell what it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TokenQuestion {
    /// The token.
    pub token: String,
    /// Where to look first; it may be wrong, and an unknown hint is none.
    pub hint: Option<Hint>,
}

impl TokenQuestion {
    /// Reads the request.
    ///
    /// # Errors
    /// There is no token, or something was given twice.
    pub fn of(params: &Params) -> Result<Self, Refusal> {
        params.once()?;
        let token = params.need("token", "token is missing")?.to_owned();
        let hint = match params.get("token_type_hint")? {
            Some("access_token") => Some(Hint::Access),
            Some("refresh_token") => Some(Hint::Refresh),
            _ => None,
        };
        Ok(Self { token, hint })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(text: &str) -> Result<Grant, Refusal> {
        Grant::of(&Params::parse(text).expect("parameters"))
    }

    #[test]
    fn the_three_grants() {
        let verifier = "v".repeat(43);
        assert_eq!(
            read(&format!("grant_type=authorization_code&code=c&code_verifier={verifier}&redirect_uri=u")),
            Ok(Grant::Code { code: "c".into(), verifier, redirect_uri: Some("u".into()) })
        );
        let scopes = Scopes::parse("a b").ok();
        assert_eq!(
            read("grant_type=refresh_token&refresh_token=r&scope=b+a"),
            Ok(Grant::Refresh { token: "r".into(), scopes: scopes.clone() })
        );
        assert_eq!(read("grant_type=client_credentials&scope=a+b"), Ok(Grant::Client { scopes }));
        assert_eq!(read("grant_type=client_credentials&scope="), Ok(Grant::Client { scopes: None }));
    }

    #[test]
    fn what_makes_no_grant() {
        for (wrong, code) in [
            ("", Code::InvalidRequest),
            ("grant_type=", Code::InvalidRequest),
            // RFC 9700, section 2.4: never the person's password.
            ("grant_type=password&username=ada&password=x", Code::UnsupportedGrantType),
            ("grant_type=implicit", Code::UnsupportedGrantType),
            ("grant_type=authorization_code", Code::InvalidRequest),
            ("grant_type=authorization_code&code=c", Code::InvalidRequest),
            ("grant_type=authorization_code&code=c&code_verifier=short", Code::InvalidRequest),
            ("grant_type=refresh_token", Code::InvalidRequest),
            ("grant_type=refresh_token&refresh_token=r&scope=a++b", Code::InvalidScope),
            ("grant_type=client_credentials&scope=%22", Code::InvalidScope),
            ("grant_type=client_credentials&grant_type=client_credentials", Code::InvalidRequest),
            ("grant_type=client_credentials&x=1&x=1", Code::InvalidRequest),
        ] {
            assert_eq!(read(wrong).map_err(|refusal| refusal.code), Err(code), "{wrong}");
        }
        let long = format!("grant_type=refresh_token&refresh_token={}", "r".repeat(LONGEST + 1));
        assert_eq!(read(&long), Err(Refusal::grant()));
    }

    #[test]
    fn an_unknown_hint_is_none() {
        let read = |text: &str| TokenQuestion::of(&Params::parse(text).expect("parameters"));
        assert_eq!(
            read("token=t&token_type_hint=refresh_token").map(|asked| asked.hint),
            Ok(Some(Hint::Refresh))
        );
        assert_eq!(read("token=t&token_type_hint=pat").map(|asked| asked.hint), Ok(None));
        assert!(read("token_type_hint=access_token").is_err() && read("token=t&token=u").is_err());
    }

    proptest! {
        #[test]
        fn any_form_is_read_or_refused(text in "([a-z_]{1,14}=[ -~]{0,12}&?){0,8}") {
            if let Ok(params) = Params::parse(&text) {
                let _read_or_refused = (Grant::of(&params).is_ok(), TokenQuestion::of(&params).is_ok());
            }
        }
    }
}
