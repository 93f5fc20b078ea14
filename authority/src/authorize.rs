//! The authorization request (RFC 6749, section 4.1.1): who asks, for what, and where the answer goes.

use crate::challenge::Challenge;
use crate::form::Params;
use crate::redirect;
use crate::refusal::{Code, Refusal};
use crate::scope::Scopes;

/// Longest `state`, in bytes.
const LONGEST_STATE: usize = 2000;

/// Who asks, and where the answer is wanted. Neither is trusted yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Address {
    /// The client, as it calls itself.
    pub client_id: String,
    /// Where the answer is wanted.
    pub redirect_uri: String,
}

impl Address {
    /// Reads the address of a request.
    ///
    /// # Errors
    /// It is to be told on a page: there is nowhere to send it.
    pub fn of(params: &Params) -> Result<Self, Refusal> {
        let client_id = params.need("client_id", "client_id is missing")?;
        let redirect_uri = params.need("redirect_uri", "redirect_uri is missing")?;
        Ok(Self { client_id: client_id.to_owned(), redirect_uri: redirect_uri.to_owned() })
    }
}

/// What a known client has registered.
#[derive(Clone, Copy, Debug)]
pub struct Registered<'a> {
    /// Where it may want its answers.
    pub redirect_uris: &'a [String],
    /// Whether it is a public client: one that cannot keep a secret, such as a native app.
    pub public: bool,
    /// Whether it may ask for codes at all.
    pub codes: bool,
}

/// Why a request goes no further, and who is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Stop {
    /// The person at the browser, on a page: client or redirect URI are not to be trusted (RFC 9700, section 4.11).
    Page(Refusal),
    /// The client, at this URI.
    Redirect {
        /// The whole URI.
        uri: String,
        /// What it says.
        refusal: Refusal,
    },
}

/// An authorization request that makes sense. What it asks for was not granted yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Authorization {
    /// The client.
    pub client_id: String,
    /// Where the answer goes: one of the registered URIs.
    pub redirect_uri: String,
    /// What the client gets back as it gave it.
    pub state: Option<String>,
    /// What it asks for; at least one scope.
    pub scopes: Scopes,
    /// What it must answer with when it redeems the code.
    pub challenge: Challenge,
}

impl Authorization {
    /// Checks a request of a known client. `issuer` is who answers (RFC 9207).
    ///
    /// # Errors
    /// As [`Stop`] says.
    pub fn check(
        params: &Params,
        address: &Address,
        registered: Registered<'_>,
        issuer: &str,
    ) -> Result<Self, Stop> {
        if !redirect::is_registered(registered.redirect_uris, &address.redirect_uri, registered.public) {
            let why = "redirect_uri is not one that the application has registered, character by character";
            return Err(Stop::Page(Refusal::request(why)));
        }
        // A state that was given twice is none of the two.
        let state = params.get("state").ok().flatten().filter(|state| state.len() <= LONGEST_STATE);
        let asked = Self::read(params, registered);
        let to_client = |refusal: Refusal| Stop::Redirect {
            uri: refused(&address.redirect_uri, state, issuer, &refusal),
            refusal,
        };
        let (scopes, challenge) = asked.map_err(to_client)?;
        Ok(Self {
            client_id: address.client_id.clone(),
            redirect_uri: address.redirect_uri.clone(),
            state: state.map(str::to_owned),
            scopes,
            challenge,
        })
    }

    fn read(params: &Params, registered: Registered<'_>) -> Result<(Scopes, Challenge), Refusal> {
        params.once()?;
        if params.get("state")?.is_some_and(|state| state.len() > LONGEST_STATE) {
            return Err(Refusal::request("state has more than 2000 bytes"));
        }
        for unknown in ["request", "request_uri"] {
            if params.get(unknown)?.is_some() {
                return Err(Refusal::request("request objects (RFC 9101) are not taken"));
            }
        }
        match params.need("response_type", "response_type is missing: it is code")? {
            "code" => {}
            _ => return Err(Refusal::new(Code::UnsupportedResponseType, "response_type must be code")),
        }
        if params.get("response_mode")?.is_some_and(|mode| mode != "query") {
            return Err(Refusal::request("response_mode must be query, or be left out"));
        }
        if !registered.codes {
            let why = "the application has not registered the grant authorization_code";
            return Err(Refusal::new(Code::UnauthorizedClient, why));
        }
        let challenge =
            Challenge::parse(params.get("code_challenge")?, params.get("code_challenge_method")?)?;
        let scope = params.get("scope")?;
        let scope = scope.ok_or(Refusal::new(Code::InvalidScope, "scope is missing: say what you need"))?;
        let scopes = Scopes::parse(scope);
        let scopes = scopes.map_err(|_| Refusal::new(Code::InvalidScope, "scope is no list of scopes"))?;
        Ok((scopes, challenge))
    }

    /// The URI that brings the client its code.
    pub fn granted(&self, issuer: &str, code: &str) -> String {
        answer(&self.redirect_uri, self.state.as_deref(), issuer, &[("code", code)])
    }

    /// The URI that tells the client why it gets none.
    pub fn refused(&self, issuer: &str, refusal: &Refusal) -> String {
        refused(&self.redirect_uri, self.state.as_deref(), issuer, refusal)
    }
}

fn refused(redirect_uri: &str, state: Option<&str>, issuer: &str, refusal: &Refusal) -> String {
    let told = [("error", refusal.code.as_str()), ("error_description", refusal.description)];
    answer(redirect_uri, state, issuer, &told)
}

/// An answer at a redirect URI: state comes back as it was given, and `iss` says who answers, so that a client of
/// several servers does not mix them up (RFC 9207).
fn answer(redirect_uri: &str, state: Option<&str>, issuer: &str, told: &[(&str, &str)]) -> String {
    let mut told = told.to_vec();
    if let Some(state) = state {
        told.push(("state", state));
    }
    told.push(("iss", issuer));
    redirect::with(redirect_uri, &told)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const ISSUER: &str = "https://books.example";
    const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

    fn request(extra: &str) -> String {
        format!(
            "client_id=c&redirect_uri=https%3A%2F%2Fa.example%2Fcb&response_type=code&scope=invoicing.read+kpi.read\
             &code_challenge={CHALLENGE}&code_challenge_method=S256{extra}"
        )
    }

    fn check(text: &str) -> Result<Authorization, Stop> {
        let params = Params::parse(text).expect("parameters");
        let address = Address::of(&params).map_err(Stop::Page)?;
        let uris = ["https://a.example/cb".to_owned()];
        let registered = Registered { redirect_uris: &uris, public: false, codes: true };
        Authorization::check(&params, &address, registered, ISSUER)
    }

    /// What the client is told.
    fn told(text: &str) -> (String, &'static str) {
        match check(text) {
            Err(Stop::Redirect { uri, refusal }) => (uri, refusal.code.as_str()),
            other => panic!("{text}: {other:?}"),
        }
    }

    #[test]
    fn a_good_request_is_answered_with_state_and_issuer() {
        let asked = check(&request("&state=a%26b%3D+c&nonce=ignored")).expect("a request");
        assert_eq!(asked.scopes.to_string(), "invoicing.read kpi.read");
        assert_eq!(
            asked.granted(ISSUER, "k"),
            "https://a.example/cb?code=k&state=a%26b%3D+c&iss=https%3A%2F%2Fbooks.example"
        );
        let denied = asked.refused(ISSUER, &Refusal::new(Code::AccessDenied, "the person said no"));
        assert!(denied.contains("?error=access_denied&") && denied.contains("&iss=https"), "{denied}");
    }

    #[test]
    fn rfc_9700_nothing_is_sent_to_a_uri_that_is_not_registered() {
        for wrong in [
            request("").replace("a.example", "evil.example"),
            request("").replace("%2Fcb", "%2Fcb%2F"),
            request("").replace("client_id=c&", ""),
            request("").replace("redirect_uri", "redirect"),
            request("&redirect_uri=https%3A%2F%2Fevil.example"),
            request("&client_id=d"),
        ] {
            assert!(matches!(check(&wrong), Err(Stop::Page(_))), "{wrong}");
        }
    }

    #[test]
    fn what_is_wrong_otherwise_is_told_to_the_client() {
        for (wrong, code) in [
            (request("").replace("=code&", "=token&"), "unsupported_response_type"),
            (request("").replace("=code&", "=code+id_token&"), "unsupported_response_type"),
            (request("").replace("response_type=code&", ""), "invalid_request"),
            (request("&response_mode=fragment"), "invalid_request"),
            (request("&request=x"), "invalid_request"),
            (request("&request_uri=https://evil.example"), "invalid_request"),
            (request("").replace("invoicing.read", "%22"), "invalid_scope"),
            (request("").replace("scope=", "scop="), "invalid_scope"),
            (request("").replace("=S256", "=plain"), "invalid_request"),
            (request("").replace("code_challenge=", "challenge="), "invalid_request"),
            (request("&scope=company.manage"), "invalid_request"),
            (request("&x=1&x=2"), "invalid_request"),
        ] {
            let (uri, told) = told(&(wrong.clone() + "&state=s"));
            assert_eq!(told, code, "{wrong}");
            assert!(uri.starts_with("https://a.example/cb?error=") && uri.contains("&state=s&iss="), "{uri}");
        }
        let (uri, _) = told(&request("&state=a&state=b"));
        assert!(!uri.contains("state"), "{uri}");
    }

    #[test]
    fn a_client_without_the_grant_gets_no_code() {
        let params = Params::parse(&request("")).expect("parameters");
        let address = Address::of(&params).expect("an address");
        let uris = ["https://a.example/cb".to_owned()];
        let registered = Registered { redirect_uris: &uris, public: false, codes: false };
        let stop = Authorization::check(&params, &address, registered, ISSUER).expect_err("refused");
        assert!(matches!(stop, Stop::Redirect { refusal, .. } if refusal.code == Code::UnauthorizedClient));
    }

    proptest! {
        #[test]
        fn whatever_is_asked_only_the_registered_uri_is_answered(text in "([a-z_]{1,14}=[ -~]{0,12}&?){0,8}", uri in "[ -~]{0,30}") {
            let query = url::form_urlencoded::Serializer::new(text).append_pair("client_id", "c").append_pair("redirect_uri", &uri).finish();
            if let Ok(params) = Params::parse(&query) && let Ok(address) = Address::of(&params) {
                let uris = ["https://a.example/cb".to_owned()];
                let registered = Registered { redirect_uris: &uris, public: true, codes: true };
                match Authorization::check(&params, &address, registered, ISSUER) {
                    Err(Stop::Redirect { uri, .. }) => prop_assert!(uri.starts_with("https://a.example/cb?")),
                    Err(Stop::Page(_)) => prop_assert_ne!(address.redirect_uri, "https://a.example/cb"),
                    Ok(asked) => prop_assert_eq!(asked.redirect_uri, "https://a.example/cb"),
                }
            }
        }
    }
}
