//! Signing in, as it should go.

use chrono::{DateTime, Utc};
use federation::{Answer, Error, Issuer, Limits, Registration, RelyingParty};
use serde_json::{Value, json};

use crate::provider::{Browser, Provider};

pub(crate) const BACK: &str = "http://127.0.0.1:1/sso/callback";
pub(crate) const SECRET: &str = "a secret of thirty-two characters";

/// What a provider is started with: one client, three people.
pub(crate) fn options() -> Value {
    json!({
        "clients": [
            { "client_id": "coulisse", "client_secret": SECRET, "redirect_uris": [BACK] },
            { "client_id": "shared-key", "client_secret": SECRET, "redirect_uris": [BACK],
              "id_token_signed_response_alg": "HS256" },
        ],
        "accounts": {
            "ada": { "email": "Ada@A.example", "email_verified": true, "name": "Ada", "hd": "a.example",
                     "login": { "amr": ["pwd", "mfa"] } },
            "bob": { "email": "bob@b.example", "email_verified": false, "login": { "amr": ["pwd"] } },
            "cleo": { "login": { "acr": "phr" } },
        },
    })
}

/// The provider's time is the system's.
pub(crate) fn now() -> DateTime<Utc> {
    std::time::SystemTime::now().into()
}

pub(crate) fn limits() -> Limits {
    Limits { loopback: true, refresh: std::time::Duration::ZERO, ..Limits::default() }
}

pub(crate) fn party() -> RelyingParty {
    RelyingParty::new(limits()).expect("a client")
}

pub(crate) fn registration(provider: &Provider, client: &str) -> Registration {
    Registration {
        issuer: Issuer::parse(&provider.issuer, true).expect("an issuer"),
        client_id: client.to_owned(),
        client_secret: SECRET.to_owned(),
        redirect_uri: BACK.to_owned(),
    }
}

/// What the provider sends back, as a query.
pub(crate) fn query(back: &str) -> &str {
    assert!(back.starts_with(BACK), "{back}");
    back.split_once('?').expect("a query").1
}

pub(crate) async fn sign_in(
    party: &RelyingParty,
    registration: &Registration,
    account: &str,
) -> Result<federation::Identity, Error> {
    let (url, flow) = party.begin(registration, None).await?;
    let back = Browser::new().sign_in(&url, account).await;
    party.finish(registration, flow, Answer::parse(query(&back))?, now()).await
}

#[tokio::test]
async fn who_signs_in_at_the_provider_is_known_here() {
    for id_token in [true, false] {
        let mut options = options();
        options["idToken"] = json!(id_token);
        let provider = Provider::start(&options).await;
        let (party, registration) = (party(), registration(&provider, "coulisse"));
        let ada = sign_in(&party, &registration, "ada").await.expect("Ada");
        assert_eq!((ada.issuer.as_str(), ada.subject.as_str()), (provider.issuer.as_str(), "ada"));
        // From the ID token, or asked for when it is not there.
        assert_eq!(ada.verified_email(), Some("ada@a.example"), "e-mail in the ID token: {id_token}");
        assert_eq!(ada.verified_domain(), Some("a.example"));
        assert_eq!(ada.name.as_deref(), Some("Ada"));
        assert_eq!(ada.hosted_domain.as_deref(), Some("a.example"));
        let bob = sign_in(&party, &registration, "bob").await.expect("Bob");
        assert_eq!((bob.email.as_deref(), bob.verified_email()), (Some("bob@b.example"), None));
        let cleo = sign_in(&party, &registration, "cleo").await.expect("Cleo");
        assert_eq!((cleo.email, cleo.email_verified), (None, false));
    }
}

#[tokio::test]
async fn several_factors_are_what_the_provider_says_in_the_signed_token() {
    let provider = Provider::start(&options()).await;
    let (party, registration) = (party(), registration(&provider, "coulisse"));
    for (account, several) in [("ada", true), ("bob", false), ("cleo", true)] {
        let who = sign_in(&party, &registration, account).await.expect(account);
        assert_eq!(who.several_factors(), several, "{account}: {:?} {:?}", who.amr, who.acr);
    }
}

#[tokio::test]
async fn a_provider_may_change_its_keys() {
    let mut options = options();
    let old = Provider::start(&options).await;
    let (party, registration) = (party(), registration(&old, "coulisse"));
    sign_in(&party, &registration, "ada").await.expect("with the first key");
    options["port"] = json!(old.port());
    drop(old);
    let _new = Provider::start(&options).await;
    sign_in(&party, &registration, "ada").await.expect("with the second key");
}

#[tokio::test]
async fn the_authorization_asks_for_a_code_with_pkce_state_and_nonce() {
    let provider = Provider::start(&options()).await;
    let (url, flow) =
        party().begin(&registration(&provider, "coulisse"), Some("ada@a.example")).await.expect("begun");
    let url = url::Url::parse(&url).expect("a URL");
    let value = |name: &str| url.query_pairs().find(|(n, _)| n == name).map(|(_, v)| v.into_owned());
    assert_eq!(value("response_type").as_deref(), Some("code"));
    assert_eq!(value("code_challenge_method").as_deref(), Some("S256"));
    assert_eq!(value("redirect_uri").as_deref(), Some(BACK));
    assert_eq!(value("scope").as_deref(), Some("openid email profile"));
    assert_eq!(value("login_hint").as_deref(), Some("ada@a.example"));
    assert_eq!(value("state"), Some(flow.state));
    for random in ["state", "nonce", "code_challenge"] {
        assert!(value(random).is_some_and(|text| text.len() >= 43), "{random} has 256 bits");
    }
    assert!(!url.as_str().contains(SECRET));
}
