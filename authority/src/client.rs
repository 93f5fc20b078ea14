//! How a client proves to be itself (RFC 6749, section 2.3; OAuth 2.1, section 2.4).

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use crate::assertion;
use crate::form::{self, Params};
use crate::refusal::Refusal;

/// The type of assertions that clients authenticate with (RFC 7523, section 2.2).
const ASSERTION_TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
/// Longest id or secret of a client, in bytes.
const LONGEST: usize = 300;

/// What a client brings to prove to be itself. Secrets may come in the header or, as OAuth 2.1 wants servers to take
/// them, in the body; never in an address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ClientAuthentication {
    /// Nothing: a public client, which has nothing to prove it with.
    None {
        /// The client, as it calls itself.
        client_id: String,
    },
    /// A secret.
    Secret {
        /// The client, as it calls itself.
        client_id: String,
        /// The secret.
        secret: String,
    },
    /// A token signed with its own key.
    Assertion {
        /// The client, as it calls itself.
        client_id: String,
        /// The token; see [`crate::Assertion::verify`].
        assertion: String,
    },
}

impl ClientAuthentication {
    /// Reads what a request brings, from the value of `Authorization` and the form.
    ///
    /// # Errors
    /// `invalid_request` for more than one method, `invalid_client` for none.
    pub fn of(authorization: Option<&str>, params: &Params) -> Result<Self, Refusal> {
        params.once()?;
        let (client_id, secret) = (params.get("client_id")?, params.get("client_secret")?);
        let assertion = params.get("client_assertion")?;
        let methods = [authorization.is_some(), secret.is_some(), assertion.is_some()];
        if methods.into_iter().filter(|given| *given).count() > 1 {
            return Err(Refusal::request("the client authenticates in more than one way"));
        }
        if let Some(authorization) = authorization {
            let (id, secret) = basic(authorization).ok_or(Refusal::client())?;
            return match client_id {
                Some(other) if other != id => {
                    Err(Refusal::request("client_id is not the client that authenticates"))
                }
                _ => Ok(Self::Secret { client_id: id, secret }),
            };
        }
        if let Some(assertion) = assertion {
            if params.get("client_assertion_type")? != Some(ASSERTION_TYPE) {
                return Err(Refusal::request("client_assertion_type is not that of RFC 7523"));
            }
            let subject = assertion::subject(assertion).ok_or(Refusal::client())?;
            if client_id.is_some_and(|id| id != subject) {
                return Err(Refusal::request("client_id is not the client that authenticates"));
            }
            return Ok(Self::Assertion { client_id: subject, assertion: assertion.to_owned() });
        }
        let client_id = client_id.ok_or(Refusal::client())?;
        if client_id.len() > LONGEST || secret.is_some_and(|secret| secret.len() > LONGEST) {
            return Err(Refusal::client());
        }
        let client_id = client_id.to_owned();
        Ok(match secret {
            Some(secret) => Self::Secret { client_id, secret: secret.to_owned() },
            None => Self::None { client_id },
        })
    }

    /// The client, as it calls itself.
    pub fn client_id(&self) -> &str {
        match self {
            Self::None { client_id } | Self::Secret { client_id, .. } | Self::Assertion { client_id, .. } => {
                client_id
            }
        }
    }
}

/// Id and secret of a header `Basic …`; both are encoded as forms are before they are joined (RFC 6749, section 2.3.1).
fn basic(header: &str) -> Option<(String, String)> {
    let (scheme, value) = header.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("basic") || value.len() > 8 * LONGEST {
        return None;
    }
    let joined = String::from_utf8(STANDARD.decode(value.trim()).ok()?).ok()?;
    let (id, secret) = joined.split_once(':')?;
    let (id, secret) = (form::decode(id).ok()?, form::decode(secret).ok()?);
    let good = |text: &str| (1..=LONGEST).contains(&text.len());
    (good(&id) && good(&secret)).then_some((id, secret))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::refusal::Code;

    fn read(header: Option<&str>, form: &str) -> Result<ClientAuthentication, Code> {
        ClientAuthentication::of(header, &Params::parse(form).expect("parameters")).map_err(|r| r.code)
    }

    fn header(id: &str, secret: &str) -> String {
        format!("Basic {}", STANDARD.encode(format!("{id}:{secret}")))
    }

    #[test]
    fn rfc_6749_2_3_1_id_and_secret_are_decoded_one_by_one() {
        let secret = |client_id: &str, secret: &str| {
            Ok(ClientAuthentication::Secret { client_id: client_id.into(), secret: secret.into() })
        };
        // The example of the RFC.
        assert_eq!(read(Some("Basic czZCaGRSa3F0MzpnWDFmQmF0M2JW"), ""), secret("s6BhdRkqt3", "gX1fBat3bV"));
        assert_eq!(read(Some(&header("a%3Ab", "c%2Bd+e%25")), ""), secret("a:b", "c+d e%"));
        assert_eq!(read(Some(&header("a", "b:c")), "client_id=a"), secret("a", "b:c"));
        assert_eq!(read(Some(&header("a", "b").replace("Basic", "bAsIc")), ""), secret("a", "b"));
        assert_eq!(read(None, "client_id=a&client_secret=b"), secret("a", "b"));
        assert_eq!(read(None, "client_id=a"), Ok(ClientAuthentication::None { client_id: "a".into() }));
    }

    #[test]
    fn who_proves_nothing_or_twice_is_nobody() {
        for wrong in [
            "",
            "Basic",
            "Basic ",
            "Bearer abc",
            "Basic !!!",
            &header("", "b"),
            &header("a", ""),
            &header("a%", "b"),
        ] {
            assert_eq!(read(Some(wrong), ""), Err(Code::InvalidClient), "{wrong}");
        }
        let no_colon = format!("Basic {}", STANDARD.encode("ab"));
        assert_eq!(read(Some(&no_colon), ""), Err(Code::InvalidClient));
        assert_eq!(read(None, "grant_type=x"), Err(Code::InvalidClient));
        for twice in ["client_secret=b", "client_assertion=x", "client_id=other"] {
            assert_eq!(read(Some(&header("a", "b")), twice), Err(Code::InvalidRequest), "{twice}");
        }
        let both = "client_id=a&client_secret=b&client_assertion=x";
        assert_eq!(read(None, both), Err(Code::InvalidRequest));
        assert_eq!(read(None, "client_id=a&client_id=a"), Err(Code::InvalidRequest));
        assert_eq!(read(None, "client_assertion=a.b.c"), Err(Code::InvalidRequest));
        let typed = format!("client_assertion=a.b.c&client_assertion_type={ASSERTION_TYPE}");
        assert_eq!(read(None, &typed), Err(Code::InvalidClient));
        assert_eq!(read(None, &format!("client_id={}", "a".repeat(301))), Err(Code::InvalidClient));
    }

    proptest! {
        #[test]
        fn what_clients_encode_reads_back(id in "[!-~]{1,20}", secret in "[ -~]{1,40}") {
            let encode = |text: &str| url::form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
            let read = read(Some(&header(&encode(&id), &encode(&secret))), "");
            prop_assert_eq!(read, Ok(ClientAuthentication::Secret { client_id: id, secret }));
        }

        #[test]
        fn any_header_is_read_or_refused(text in "[ -~]{0,60}") {
            let _read_or_refused = read(Some(&text), "");
        }
    }
}
