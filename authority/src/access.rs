//! Access tokens: JSON Web Tokens of the profile RFC 9068, signed with Ed25519.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::jose::{Ed25519, NotSigned, PublicKey, Signed, SigningFailed, jwk};

/// How far the clock of another replica may be ahead, in seconds.
const SKEW: i64 = 60;

/// What an access token says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccessClaims {
    /// Who made it.
    pub iss: String,
    /// Whom it stands for: a person, or the client itself.
    pub sub: String,
    /// Whom it is for.
    pub aud: String,
    /// The client that it was given to.
    pub client_id: String,
    /// When it was made, in seconds since 1970.
    pub iat: i64,
    /// When it ends, in seconds since 1970.
    pub exp: i64,
    /// Its own id.
    pub jti: String,
    /// What it may be used for.
    pub scope: String,
    /// The grant behind it, which can end before the token does.
    pub grant_id: String,
    /// The company in which it acts.
    pub company_id: String,
}

/// Why a text is no good access token. Clients are not told which it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotAToken {
    /// Not a signed token, or wrongly signed.
    #[error(transparent)]
    Signed(#[from] NotSigned),
    /// Another kind of token: an assertion, an ID token.
    #[error("its type is not at+jwt")]
    Type,
    /// Signed with a key that is not known, or not any more.
    #[error("its key is not known")]
    Key,
    /// A claim is missing, or of a wrong type.
    #[error("a claim is missing or malformed")]
    Claims,
    /// Made by somebody else.
    #[error("its issuer is another")]
    Issuer,
    /// Made for somebody else.
    #[error("its audience is another")]
    Audience,
    /// Over, or not begun.
    #[error("it is over")]
    Time,
}

/// The key that signs.
#[derive(Clone, Debug)]
pub struct AccessKey(Ed25519);

impl AccessKey {
    /// The key of a seed of 32 random bytes.
    ///
    /// # Errors
    /// Never for 32 bytes.
    pub fn from_seed(seed: &[u8; 32]) -> Result<Self, SigningFailed> {
        Ed25519::from_seed(seed).map(Self)
    }

    /// Its id, as it stands in tokens.
    pub fn id(&self) -> &str {
        self.0.id()
    }

    /// The public half.
    pub const fn public(&self) -> &[u8; 32] {
        self.0.public()
    }

    /// Signs a token.
    ///
    /// # Errors
    /// The claims or the key cannot be written, which does not happen.
    pub fn sign(&self, claims: &AccessClaims) -> Result<String, SigningFailed> {
        let header = json!({"typ": "at+jwt", "alg": "EdDSA", "kid": self.id()});
        let payload = serde_json::to_vec(claims).map_err(|_| SigningFailed)?;
        self.0.sign(header.to_string().as_bytes(), &payload)
    }
}

/// The keys that verify, by their ids.
#[derive(Clone, Debug, Default)]
pub struct AccessKeys(BTreeMap<String, ([u8; 32], PublicKey)>);

impl AccessKeys {
    /// The claims of a good token.
    ///
    /// # Errors
    /// As [`NotAToken`] says; the first thing that is wrong.
    pub fn verify(
        &self,
        token: &str,
        issuer: &str,
        audience: &str,
        now: DateTime<Utc>,
    ) -> Result<AccessClaims, NotAToken> {
        let signed = Signed::parse(token)?;
        if signed.header.alg != "EdDSA" {
            return Err(NotSigned::Algorithm.into());
        }
        let typ = signed.header.typ.as_deref().unwrap_or_default().to_ascii_lowercase();
        if typ != "at+jwt" && typ != "application/at+jwt" {
            return Err(NotAToken::Type);
        }
        let key = signed.header.kid.as_deref().and_then(|kid| self.0.get(kid));
        let (_, key) = key.ok_or(NotAToken::Key)?;
        let claims: AccessClaims =
            serde_json::from_slice(signed.verify(key)?).map_err(|_| NotAToken::Claims)?;
        if claims.iss != issuer {
            return Err(NotAToken::Issuer);
        }
        if claims.aud != audience {
            return Err(NotAToken::Audience);
        }
        let now = now.timestamp();
        if now >= claims.exp || claims.iat > now + SKEW {
            return Err(NotAToken::Time);
        }
        Ok(claims)
    }

    /// Whether a key is among them.
    pub fn knows(&self, id: &str) -> bool {
        self.0.contains_key(id)
    }

    /// The document that shows the keys (RFC 7517).
    pub fn jwks(&self) -> Value {
        json!({"keys": self.0.values().map(|(public, _)| jwk(public)).collect::<Vec<_>>()})
    }
}

impl FromIterator<[u8; 32]> for AccessKeys {
    fn from_iter<I: IntoIterator<Item = [u8; 32]>>(keys: I) -> Self {
        let named = |public: [u8; 32]| (crate::key_id(&public), (public, PublicKey::ed25519(&public)));
        Self(keys.into_iter().map(named).collect())
    }
}

#[cfg(test)]
mod tests {
    use base64::Engine;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;
    use proptest::prelude::*;

    use super::*;

    const ISSUER: &str = "https://books.example";
    const API: &str = "https://books.example/graphql";

    fn now() -> DateTime<Utc> {
        DateTime::from_timestamp(1_800_000_000, 0).expect("an instant")
    }

    fn key() -> AccessKey {
        AccessKey::from_seed(&[7; 32]).expect("a key")
    }

    fn keys() -> AccessKeys {
        [*key().public()].into_iter().collect()
    }

    fn claims() -> AccessClaims {
        AccessClaims {
            iss: ISSUER.into(),
            sub: "person_1".into(),
            aud: API.into(),
            client_id: "application_1".into(),
            iat: now().timestamp(),
            exp: now().timestamp() + 600,
            jti: "1".into(),
            scope: "kpi.read".into(),
            grant_id: "grant_1".into(),
            company_id: "company_1".into(),
        }
    }

    fn verify(token: &str) -> Result<AccessClaims, NotAToken> {
        keys().verify(token, ISSUER, API, now())
    }

    /// A token with another header, signed well.
    fn headed(header: &Value) -> String {
        let payload = serde_json::to_vec(&claims()).expect("JSON");
        key().0.sign(header.to_string().as_bytes(), &payload).expect("signed")
    }

    fn signed(change: impl FnOnce(&mut AccessClaims)) -> String {
        let mut claims = claims();
        change(&mut claims);
        key().sign(&claims).expect("signed")
    }

    #[test]
    fn a_good_token_reads_back() {
        assert_eq!(verify(&signed(|_| ())), Ok(claims()));
    }

    #[test]
    fn rfc_8725_the_algorithm_is_the_keys_and_never_the_tokens() {
        for alg in ["none", "None", "NONE", "HS256", "ES256", "RS256", "eddsa", "Ed25519", "EdDSA "] {
            let token = headed(&json!({"typ": "at+jwt", "alg": alg, "kid": key().id()}));
            assert_eq!(verify(&token), Err(NotSigned::Algorithm.into()), "{alg}");
        }
        let token = signed(|_| ());
        let unsigned = token.rsplit_once('.').expect("parts").0;
        assert_eq!(verify(&format!("{unsigned}.")), Err(NotSigned::Signature.into()));
    }

    #[test]
    fn rfc_9068_another_kind_of_token_is_refused() {
        for typ in [json!("JWT"), json!("client-authentication+jwt"), json!(null), json!("at+jwt2")] {
            let token = headed(&json!({"typ": typ, "alg": "EdDSA", "kid": key().id()}));
            assert_eq!(verify(&token), Err(NotAToken::Type), "{typ}");
        }
        assert!(
            verify(&headed(&json!({"typ": "application/at+JWT", "alg": "EdDSA", "kid": key().id()}))).is_ok()
        );
    }

    #[test]
    fn a_key_in_the_token_is_no_key() {
        let other = AccessKey::from_seed(&[8; 32]).expect("a key");
        let payload = serde_json::to_vec(&claims()).expect("JSON");
        for header in [
            json!({"typ": "at+jwt", "alg": "EdDSA", "kid": other.id(), "jwk": jwk(other.public())}),
            json!({"typ": "at+jwt", "alg": "EdDSA", "jwk": jwk(other.public())}),
            json!({"typ": "at+jwt", "alg": "EdDSA", "kid": "../../dev/null", "jku": "https://evil.example"}),
        ] {
            let token = other.0.sign(header.to_string().as_bytes(), &payload).expect("signed");
            assert_eq!(verify(&token), Err(NotAToken::Key));
        }
        let header = json!({"typ": "at+jwt", "alg": "EdDSA", "kid": key().id(), "jwk": jwk(other.public())});
        let token = other.0.sign(header.to_string().as_bytes(), &payload).expect("signed");
        assert_eq!(verify(&token), Err(NotSigned::Signature.into()));
    }

    #[test]
    fn made_by_another_or_for_another_or_over_is_refused() {
        assert_eq!(verify(&signed(|c| c.iss = "https://evil.example".into())), Err(NotAToken::Issuer));
        assert_eq!(verify(&signed(|c| c.iss.push('/'))), Err(NotAToken::Issuer));
        assert_eq!(verify(&signed(|c| c.aud = "https://other.example".into())), Err(NotAToken::Audience));
        assert_eq!(verify(&signed(|c| c.exp = c.iat)), Err(NotAToken::Time));
        assert_eq!(verify(&signed(|c| c.iat += 61)), Err(NotAToken::Time));
    }

    #[test]
    fn a_claim_of_another_type_is_refused() {
        for name in ["iss", "aud", "exp", "grant_id", "scope"] {
            let mut changed = serde_json::to_value(claims()).expect("JSON");
            changed[name] = json!(["x"]);
            let header = json!({"typ": "at+jwt", "alg": "EdDSA", "kid": key().id()});
            let token = key().0.sign(header.to_string().as_bytes(), changed.to_string().as_bytes());
            assert_eq!(verify(&token.expect("signed")), Err(NotAToken::Claims), "{name}");
        }
    }

    proptest! {
        #[test]
        fn a_changed_byte_ends_a_token(place in 0_usize..600, bit in 0_u32..6) {
            let token = signed(|_| ());
            let mut bytes = token.clone().into_bytes();
            let place = place % bytes.len();
            bytes[place] ^= 1 << bit;
            if let Ok(changed) = String::from_utf8(bytes) {
                prop_assert!(verify(&changed).is_err(), "{}", place);
            }
        }
    }

    #[test]
    fn the_document_of_keys_shows_public_halves_alone() {
        let shown = keys().jwks();
        let shown = &shown["keys"][0];
        assert_eq!(shown["kid"], key().id());
        assert_eq!(shown["x"], URL_SAFE_NO_PAD.encode(key().public()));
        assert!(shown.get("d").is_none());
        assert!(crate::jose::PublicKey::from_jwk(shown.as_object().expect("a key")).is_ok());
    }
}
