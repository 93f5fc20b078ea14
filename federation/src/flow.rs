//! The authorization code flow with PKCE (OpenID Connect Core 1.0, section 3.1; RFC 7636; RFC 9700, section 2.1).

use std::pin::Pin;
use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use openidconnect::core::{
    CoreAuthDisplay, CoreAuthPrompt, CoreAuthenticationFlow, CoreErrorResponseType, CoreGenderClaim,
    CoreJsonWebKey, CoreJweContentEncryptionAlgorithm, CoreJwsSigningAlgorithm, CoreRevocableToken,
    CoreRevocationErrorResponse, CoreTokenIntrospectionResponse, CoreTokenType,
};
use openidconnect::{
    AccessToken, AccessTokenHash, AuthType, AuthUrl, AuthorizationCode, ClaimsVerificationError, Client,
    ClientId, ClientSecret, CsrfToken, EmptyExtraTokenFields, EndpointNotSet, EndpointSet, IdToken,
    IdTokenFields, IdTokenVerifier, IssuerUrl, Nonce, OAuth2TokenResponse, PkceCodeChallenge,
    PkceCodeVerifier, RedirectUrl, RequestTokenError, Scope, SignatureVerificationError,
    StandardErrorResponse, StandardTokenResponse, TokenResponse, TokenUrl, UserInfoError, UserInfoUrl,
};
use serde::{Deserialize, Serialize};

use crate::claims::{Extra, IdClaims, Identity, Key, UserClaims};
use crate::error::Error;
use crate::http::Limits;
use crate::issuer::Issuer;
use crate::provider::{Provider, Providers};

/// How far the provider's clock may be from ours.
const SKEW: TimeDelta = TimeDelta::seconds(60);
/// How old an ID token may be when it comes.
const OLDEST: TimeDelta = TimeDelta::minutes(10);

/// What a provider knows this client by.
#[derive(Clone)]
pub struct Registration {
    /// Which issuers are taken.
    pub issuer: Issuer,
    /// The client's id there.
    pub client_id: String,
    /// The client's secret there.
    pub client_secret: String,
    /// Where the browser comes back to, to the letter.
    pub redirect_uri: String,
}

impl std::fmt::Debug for Registration {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut shown = f.debug_struct("Registration");
        shown.field("issuer", &self.issuer).field("client_id", &self.client_id).finish_non_exhaustive()
    }
}

/// What must be remembered between the two halves of a flow, by this server and bound to the browser. All of it is secret.
#[derive(Clone, Serialize, Deserialize)]
pub struct Flow {
    /// What the answer must carry.
    pub state: String,
    nonce: String,
    verifier: String,
}

impl std::fmt::Debug for Flow {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Flow(…)")
    }
}

/// What the browser brings back.
#[derive(Clone, Default)]
pub struct Answer {
    code: Option<String>,
    state: Option<String>,
    iss: Option<String>,
    error: Option<String>,
    error_description: Option<String>,
}

impl std::fmt::Debug for Answer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Answer(…)")
    }
}

impl Answer {
    /// Reads the query of the redirect. Who says something twice is not understood (RFC 6749, section 3.1); what is not known is
    /// passed by.
    ///
    /// # Errors
    /// [`Error::Callback`].
    pub fn parse(query: &str) -> Result<Self, Error> {
        if query.len() > 8 * 1024 {
            return Err(Error::Callback("it is too long"));
        }
        let mut answer = Self::default();
        for (name, value) in url::form_urlencoded::parse(query.as_bytes()) {
            let place = match name.as_ref() {
                "code" => &mut answer.code,
                "state" => &mut answer.state,
                "iss" => &mut answer.iss,
                "error" => &mut answer.error,
                "error_description" => &mut answer.error_description,
                _ => continue,
            };
            if place.replace(value.into_owned()).is_some() {
                return Err(Error::Callback("it says something twice"));
            }
        }
        Ok(answer)
    }

    /// The state, by which the flow is found.
    pub fn state(&self) -> Option<&str> {
        self.state.as_deref()
    }
}

type Token = IdToken<Extra, CoreGenderClaim, CoreJweContentEncryptionAlgorithm, CoreJwsSigningAlgorithm>;
type Fields = IdTokenFields<
    Extra,
    EmptyExtraTokenFields,
    CoreGenderClaim,
    CoreJweContentEncryptionAlgorithm,
    CoreJwsSigningAlgorithm,
>;
type Party = Client<
    Extra,
    CoreAuthDisplay,
    CoreGenderClaim,
    CoreJweContentEncryptionAlgorithm,
    CoreJsonWebKey,
    CoreAuthPrompt,
    StandardErrorResponse<CoreErrorResponseType>,
    StandardTokenResponse<Fields, CoreTokenType>,
    CoreTokenIntrospectionResponse,
    CoreRevocableToken,
    CoreRevocationErrorResponse,
    EndpointSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointSet,
    EndpointNotSet,
>;

/// Signs people in with providers. Cheap to clone; clones share what is known of providers.
#[derive(Clone, Debug)]
pub struct RelyingParty {
    providers: Providers,
}

impl RelyingParty {
    /// A client that knows no provider yet.
    ///
    /// # Errors
    /// TLS cannot be set up.
    pub fn new(limits: Limits) -> Result<Self, String> {
        Ok(Self { providers: Providers::new(limits)? })
    }

    /// How far it goes.
    pub fn limits(&self) -> &Limits {
        self.providers.http.limits()
    }

    /// Finds a provider, or tells an administrator what is wrong with it.
    ///
    /// # Errors
    /// It is not there, or its documents are of no use.
    pub async fn discover(&self, issuer: &Issuer) -> Result<Arc<Provider>, Error> {
        self.providers.find(issuer).await
    }

    /// Where the browser goes, and what is to be remembered until it comes back. `hint` is the address that the person gave
    /// already.
    ///
    /// # Errors
    /// The provider is not there, or its documents are of no use.
    pub async fn begin(
        &self,
        registration: &Registration,
        hint: Option<&str>,
    ) -> Result<(String, Flow), Error> {
        let provider = self.providers.find(&registration.issuer).await?;
        let client = party(&provider, registration)?;
        let (challenge, verifier) = PkceCodeChallenge::new_random_sha256();
        let (state, nonce) = (CsrfToken::new_random_len(32), Nonce::new_random_len(32));
        let (sent_state, sent_nonce) = (state.clone(), nonce.clone());
        let mut request = client
            .authorize_url(CoreAuthenticationFlow::AuthorizationCode, move || sent_state, move || sent_nonce)
            .add_scope(Scope::new("email".to_owned()))
            .add_scope(Scope::new("profile".to_owned()))
            .set_pkce_challenge(challenge);
        if let Some(hint) = hint {
            request = request.set_login_hint(openidconnect::LoginHint::new(hint.to_owned()));
        }
        let (url, _, _) = request.url();
        let flow = Flow {
            state: state.into_secret(),
            nonce: nonce.secret().clone(),
            verifier: verifier.into_secret(),
        };
        Ok((url.into(), flow))
    }

    /// Who came back. The caller gives a flow once and forgets it: it is worth nothing after this.
    ///
    /// # Errors
    /// Whatever is wrong; nobody is signed in then.
    pub fn finish<'a>(
        &'a self,
        registration: &'a Registration,
        flow: Flow,
        answer: Answer,
        now: DateTime<Utc>,
    ) -> Pin<Box<dyn Future<Output = Result<Identity, Error>> + Send + 'a>> {
        // Boxed: the library's futures are large, and generic in what the compiler must prove of them.
        Box::pin(self.finished(registration, flow, answer, now))
    }

    async fn finished(
        &self,
        registration: &Registration,
        flow: Flow,
        answer: Answer,
        now: DateTime<Utc>,
    ) -> Result<Identity, Error> {
        if !answer.state().is_some_and(|state| same(state, &flow.state)) {
            return Err(Error::Callback("it carries another state"));
        }
        let provider = self.providers.find(&registration.issuer).await?;
        not_mixed_up(&provider, answer.iss.as_deref())?;
        if let Some(code) = answer.error {
            return Err(Error::Provider {
                code: brief(&code),
                description: answer.error_description.map(|d| brief(&d)),
            });
        }
        let code = answer.code.ok_or(Error::Callback("it carries no code"))?;
        let client = party(&provider, registration)?;
        let tokens = client
            .exchange_code(AuthorizationCode::new(code))
            .set_pkce_verifier(PkceCodeVerifier::new(flow.verifier))
            .request_async(&self.providers.http)
            .await
            .map_err(|error| not_exchanged(error, &provider))?;
        let token = tokens.id_token().ok_or_else(|| Error::Token("there is none".to_owned()))?;
        let nonce = Nonce::new(flow.nonce);
        let claims =
            self.verified(&provider, registration, token, tokens.access_token(), &nonce, now).await?;
        let mut identity = Identity::of(&claims)?;
        if identity.email.is_none()
            && let Some(url) = &provider.document.userinfo_endpoint
        {
            let said = self.user_info(&client, url, tokens.access_token(), &claims).await?;
            identity.add(&said);
        }
        Ok(identity)
    }

    /// The claims of an ID token. When no key fits, the keys are read anew once.
    async fn verified(
        &self,
        provider: &Provider,
        registration: &Registration,
        token: &Token,
        access: &AccessToken,
        nonce: &Nonce,
        now: DateTime<Utc>,
    ) -> Result<IdClaims, Error> {
        let first = verify(provider, registration, token, access, nonce, now);
        let unknown_key = |error: &ClaimsVerificationError| {
            let missing = SignatureVerificationError::NoMatchingKey;
            *error == ClaimsVerificationError::SignatureVerification(missing)
        };
        let verified = match first {
            Err(Unproven::Claims(error))
                if unknown_key(&error) && self.providers.refresh(provider).await? =>
            {
                verify(provider, registration, token, access, nonce, now)
            }
            verified => verified,
        };
        verified.map_err(|error| Error::Token(error.to_string()))
    }

    async fn user_info(
        &self,
        client: &Party,
        url: &str,
        access: &AccessToken,
        claims: &IdClaims,
    ) -> Result<UserClaims, Error> {
        let unusable = |why: String| Error::Answer { what: "the user information", url: url.to_owned(), why };
        let endpoint = UserInfoUrl::new(url.to_owned()).map_err(|error| unusable(error.to_string()))?;
        let asking = client.clone().set_user_info_url(endpoint);
        asking
            .user_info(access.clone(), Some(claims.subject().clone()))
            .request_async(&self.providers.http)
            .await
            .map_err(|error| match error {
                UserInfoError::Request(error) => error,
                error => unusable(error.to_string()),
            })
    }
}

/// The client as the library knows it.
fn party(provider: &Provider, registration: &Registration) -> Result<Party, Error> {
    let document = &provider.document;
    let unusable = |error: url::ParseError| Error::Answer {
        what: "the discovery document",
        url: provider.issuer.discovery(),
        why: error.to_string(),
    };
    let method = if provider.secret_in_body() { AuthType::RequestBody } else { AuthType::BasicAuth };
    let issuer = IssuerUrl::new(provider.name().to_owned()).map_err(unusable)?;
    let keys = provider.keys().as_ref().clone();
    Ok(Client::new(ClientId::new(registration.client_id.clone()), issuer, keys)
        .set_client_secret(ClientSecret::new(registration.client_secret.clone()))
        .set_auth_type(method)
        .set_auth_uri(AuthUrl::new(document.authorization_endpoint.clone()).map_err(unusable)?)
        .set_token_uri(TokenUrl::new(document.token_endpoint.clone()).map_err(unusable)?)
        .set_redirect_uri(
            RedirectUrl::new(registration.redirect_uri.clone())
                .map_err(|_| Error::Callback("the address to come back to is no URL"))?,
        ))
}

#[derive(Debug, thiserror::Error)]
enum Unproven {
    #[error(transparent)]
    Claims(#[from] ClaimsVerificationError),
    #[error("{0}")]
    Other(String),
}

/// Section 3.1.3.7, with the keys as they are known.
fn verify(
    provider: &Provider,
    registration: &Registration,
    token: &Token,
    access: &AccessToken,
    nonce: &Nonce,
    now: DateTime<Utc>,
) -> Result<IdClaims, Unproven> {
    let other = |why: &str| Unproven::Other(why.to_owned());
    let issuer = IssuerUrl::new(provider.name().to_owned()).map_err(|error| other(&error.to_string()))?;
    let client_id = ClientId::new(registration.client_id.clone());
    // Public: a secret of ours never is a key. Which issuers are taken is looked at below.
    let verifier: IdTokenVerifier<'_, Key> =
        IdTokenVerifier::new_public_client(client_id, issuer, provider.keys().as_ref().clone())
            .set_allowed_algs(provider.signed())
            .require_issuer_match(false)
            .set_time_fn(move || now - SKEW)
            .set_issue_time_verifier_fn(move |issued| {
                if issued > now + SKEW {
                    return Err("it is from the future".to_owned());
                }
                if issued < now - OLDEST { Err("it was issued too long ago".to_owned()) } else { Ok(()) }
            });
    let claims = token.claims(&verifier, nonce)?;
    let directory = claims.additional_claims().tid.as_deref();
    if !provider.issuer.takes(claims.issuer().as_str(), directory) {
        return Err(Unproven::Other(format!("`iss` is {}", brief(claims.issuer().as_str()))));
    }
    // The library leaves `azp` alone.
    if claims.authorized_party().is_some_and(|party| party.as_str() != registration.client_id) {
        return Err(other("`azp` is another client"));
    }
    if let Some(expected) = claims.access_token_hash() {
        let alg = token.signing_alg().map_err(|error| other(&error.to_string()))?;
        let key = token.signing_key(&verifier).map_err(|error| other(&error.to_string()))?;
        let actual =
            AccessTokenHash::from_token(access, alg, key).map_err(|error| other(&error.to_string()))?;
        if actual != *expected {
            return Err(other("`at_hash` is of another access token"));
        }
    }
    Ok(claims.clone())
}

/// RFC 9207, section 2.4: who announces that it names itself must, and who names itself must be who was asked.
fn not_mixed_up(provider: &Provider, iss: Option<&str>) -> Result<(), Error> {
    let announced = provider.document.authorization_response_iss_parameter_supported;
    match (&provider.issuer, iss) {
        (_, None) if announced => Err(Error::Callback("it does not say which provider it comes from")),
        (Issuer::One(expected), Some(found)) if expected != found => {
            Err(Error::MixedUp { expected: expected.clone(), found: brief(found) })
        }
        _ => Ok(()),
    }
}

type Exchanged = RequestTokenError<Error, StandardErrorResponse<CoreErrorResponseType>>;

fn not_exchanged(error: Exchanged, provider: &Provider) -> Error {
    let url = provider.document.token_endpoint.clone();
    match error {
        RequestTokenError::Request(error) => error,
        RequestTokenError::ServerResponse(said) => Error::Provider {
            code: brief(said.error().as_ref()),
            description: said.error_description().map(|description| brief(description)),
        },
        RequestTokenError::Parse(error, _) => {
            // Not the error itself: it may quote a token.
            Error::Answer { what: "the token answer", url, why: format!("`{}` is malformed", error.path()) }
        }
        RequestTokenError::Other(why) => Error::Answer { what: "the token answer", url, why },
    }
}

/// Words of somebody else, for a message.
fn brief(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(200).collect()
}

/// Compares in a time that does not tell where they differ.
fn same(one: &str, other: &str) -> bool {
    one.len() == other.len() && one.bytes().zip(other.bytes()).fold(0, |seen, (a, b)| seen | (a ^ b)) == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_says_everything_once() {
        let answer = Answer::parse("code=a&state=b%20c&iss=https%3A%2F%2Fa.example&other=1").expect("good");
        assert_eq!(answer.state(), Some("b c"));
        assert_eq!(answer.iss.as_deref(), Some("https://a.example"));
        assert!(matches!(Answer::parse("state=a&state=a"), Err(Error::Callback(_))));
        assert!(Answer::parse(&"a".repeat(9000)).is_err());
    }

    #[test]
    fn equal_is_equal_in_every_byte() {
        assert!(same("abc", "abc"));
        assert!(!same("abc", "abd") && !same("abc", "ab") && !same("", "a"));
    }
}
