//! What a provider says about itself: its discovery document and its keys, kept for a while.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use hyper::http::Request;
use hyper::http::header::ACCEPT;
use moka::future::Cache;
use openidconnect::core::{CoreJsonWebKeySet, CoreJwsSigningAlgorithm as Alg};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use tokio::time::Instant;
use url::Url;

use crate::error::Error;
use crate::http::{Http, Limits};
use crate::issuer::Issuer;

/// How long what a provider says is believed.
const KEPT: Duration = Duration::from_hours(1);
/// Most providers that are known at once.
const MOST: u64 = 1000;
/// Most keys of a provider.
const MOST_KEYS: usize = 100;

/// The signatures that are taken: public keys only. `none` and the HS family, which whoever knows the client's secret could
/// make, are not among them (RFC 8725, sections 3.1 and 3.2).
const SIGNED: [(&str, Alg); 9] = [
    ("RS256", Alg::RsaSsaPkcs1V15Sha256),
    ("RS384", Alg::RsaSsaPkcs1V15Sha384),
    ("RS512", Alg::RsaSsaPkcs1V15Sha512),
    ("PS256", Alg::RsaSsaPssSha256),
    ("PS384", Alg::RsaSsaPssSha384),
    ("PS512", Alg::RsaSsaPssSha512),
    ("ES256", Alg::EcdsaP256Sha256),
    ("ES384", Alg::EcdsaP384Sha384),
    ("EdDSA", Alg::EdDsa),
];

/// The fields of a discovery document that mean something here (OpenID Connect Discovery 1.0, section 3; RFC 9207, section 3).
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Document {
    issuer: String,
    pub(crate) authorization_endpoint: String,
    pub(crate) token_endpoint: String,
    #[serde(default)]
    pub(crate) userinfo_endpoint: Option<String>,
    jwks_uri: String,
    #[serde(default)]
    id_token_signing_alg_values_supported: Vec<String>,
    #[serde(default)]
    token_endpoint_auth_methods_supported: Option<Vec<String>>,
    #[serde(default)]
    pub(crate) authorization_response_iss_parameter_supported: bool,
}

/// A provider that has been found.
#[derive(Debug)]
pub struct Provider {
    pub(crate) issuer: Issuer,
    pub(crate) document: Document,
    keys: Mutex<(Arc<CoreJsonWebKeySet>, Instant)>,
}

impl Provider {
    /// What it calls itself.
    pub fn name(&self) -> &str {
        &self.document.issuer
    }

    /// The signatures that are taken of it: those it announces, of those that are taken at all.
    pub(crate) fn signed(&self) -> Vec<Alg> {
        let announced = &self.document.id_token_signing_alg_values_supported;
        let taken = SIGNED.iter().filter(|(name, _)| announced.iter().any(|one| one == name));
        taken.map(|(_, alg)| alg.clone()).collect()
    }

    /// Whether the client's secret goes into the body: only where the header is not taken.
    pub(crate) fn secret_in_body(&self) -> bool {
        let methods = self.document.token_endpoint_auth_methods_supported.as_deref().unwrap_or_default();
        let has = |name: &str| methods.iter().any(|method| method == name);
        has("client_secret_post") && !has("client_secret_basic")
    }

    pub(crate) fn keys(&self) -> Arc<CoreJsonWebKeySet> {
        self.keys.lock().unwrap_or_else(PoisonError::into_inner).0.clone()
    }
}

/// The providers that are known.
#[derive(Clone, Debug)]
pub(crate) struct Providers {
    pub(crate) http: Http,
    known: Cache<Issuer, Arc<Provider>>,
}

impl Providers {
    pub(crate) fn new(limits: Limits) -> Result<Self, String> {
        let known = Cache::builder().max_capacity(MOST).time_to_live(KEPT).build();
        Ok(Self { http: Http::new(limits)?, known })
    }

    /// The provider of an issuer. A failure is not kept; who asks at the same time shares it.
    pub(crate) async fn find(&self, issuer: &Issuer) -> Result<Arc<Provider>, Error> {
        self.known.try_get_with_by_ref(issuer, self.read(issuer)).await.map_err(Arc::unwrap_or_clone)
    }

    /// Reads the keys anew, unless they were read a moment ago; answers whether it did. Providers change their keys and announce
    /// it by using them (OpenID Connect Core 1.0, section 10.1.1).
    pub(crate) async fn refresh(&self, provider: &Provider) -> Result<bool, Error> {
        {
            let mut keys = provider.keys.lock().unwrap_or_else(PoisonError::into_inner);
            if keys.1.elapsed() < self.http.limits().refresh {
                return Ok(false);
            }
            // Who comes next waits, whether this reading succeeds or not.
            keys.1 = Instant::now();
        }
        let fresh = self.read_keys(&provider.document.jwks_uri).await?;
        provider.keys.lock().unwrap_or_else(PoisonError::into_inner).0 = Arc::new(fresh);
        Ok(true)
    }

    async fn read(&self, issuer: &Issuer) -> Result<Arc<Provider>, Error> {
        let document: Document = self.json("the discovery document", &issuer.discovery()).await?;
        if document.issuer != issuer.announced() {
            let (expected, found) = (issuer.announced().to_owned(), document.issuer);
            return Err(Error::OtherIssuer { expected, found });
        }
        let unusable =
            |why: String| Error::Answer { what: "the discovery document", url: issuer.discovery(), why };
        let endpoints = [&document.authorization_endpoint, &document.token_endpoint, &document.jwks_uri];
        for endpoint in endpoints.into_iter().chain(&document.userinfo_endpoint) {
            self.check(endpoint).map_err(|why| unusable(format!("{endpoint} {why}")))?;
        }
        let keys = self.read_keys(&document.jwks_uri).await?;
        let keys = Mutex::new((Arc::new(keys), Instant::now()));
        let provider = Provider { issuer: issuer.clone(), document, keys };
        if provider.signed().is_empty() {
            let names = SIGNED.map(|(name, _)| name).join(", ");
            return Err(unusable(format!("it signs with none of {names}")));
        }
        Ok(Arc::new(provider))
    }

    /// Whether an endpoint is one that a browser or this server may be sent to. What it resolves to is looked at when it is
    /// connected to.
    fn check(&self, endpoint: &str) -> Result<(), &'static str> {
        let url = Url::parse(endpoint).map_err(|_| "is no URL")?;
        let here = matches!(url.host_str(), Some("localhost" | "127.0.0.1" | "[::1]"));
        if url.scheme() != "https" && !(self.http.limits().loopback && here && url.scheme() == "http") {
            return Err("is not https");
        }
        if url.fragment().is_some() || !url.username().is_empty() || url.password().is_some() {
            return Err("has a fragment, a name or a password in it");
        }
        Ok(())
    }

    async fn read_keys(&self, url: &str) -> Result<CoreJsonWebKeySet, Error> {
        let keys: CoreJsonWebKeySet = self.json("the key set", url).await?;
        if keys.keys().len() > MOST_KEYS {
            let why = format!("it holds more than {MOST_KEYS} keys");
            return Err(Error::Answer { what: "the key set", url: url.to_owned(), why });
        }
        Ok(keys)
    }

    async fn json<T: DeserializeOwned>(&self, what: &'static str, url: &str) -> Result<T, Error> {
        let unusable = |why: String| Error::Answer { what, url: url.to_owned(), why };
        let request = Request::get(url).header(ACCEPT, "application/json").body(Vec::new());
        let answer = self.http.call(request.map_err(|error| unusable(error.to_string()))?).await?;
        if answer.status() != 200 {
            return Err(unusable(format!("the status is {}", answer.status().as_u16())));
        }
        serde_json::from_slice(answer.body()).map_err(|error| unusable(error.to_string()))
    }
}
