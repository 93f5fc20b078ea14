//! Clients that sign: `private_key_jwt` (RFC 7521, RFC 7523) with keys that they have registered.

use std::collections::BTreeSet;

use chrono::{DateTime, TimeDelta, Utc};
use serde::Deserialize;
use serde_json::Value;

use crate::jose::{NotAKey, NotSigned, PublicKey, Signed};

/// How long an assertion may be good at most.
pub const ASSERTION_LIFETIME: TimeDelta = TimeDelta::minutes(5);
/// How far the client's clock may be off.
const SKEW: TimeDelta = TimeDelta::seconds(30);
/// Most keys of a client.
const MOST_KEYS: usize = 10;
/// Longest id of an assertion, in bytes.
const LONGEST_ID: usize = 255;

/// Why a document is no set of keys that a client may register.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotAJwks {
    /// Not `{"keys": […]}`.
    #[error("a key set is {{\"keys\": […]}} with 1 to {MOST_KEYS} keys (RFC 7517)")]
    Shape,
    /// A key cannot be used.
    #[error("key {place}: {why}")]
    Key {
        /// Which one, from 0.
        place: usize,
        /// Why.
        why: NotAKey,
    },
    /// Keys cannot be told apart.
    #[error("each of several keys needs a `kid` of its own")]
    Ids,
}

/// The keys that a client has registered.
#[derive(Clone, Debug)]
pub struct Jwks(Vec<(Option<String>, PublicKey)>);

impl Jwks {
    /// Reads a key set (RFC 7517) with 1 to 10 public keys.
    ///
    /// # Errors
    /// As [`NotAJwks`] says.
    pub fn parse(document: &Value) -> Result<Self, NotAJwks> {
        let listed = document.get("keys").and_then(Value::as_array).ok_or(NotAJwks::Shape)?;
        if !(1..=MOST_KEYS).contains(&listed.len()) {
            return Err(NotAJwks::Shape);
        }
        let mut keys = Vec::new();
        for (place, jwk) in listed.iter().enumerate() {
            let jwk = jwk.as_object().ok_or(NotAJwks::Shape)?;
            let key = PublicKey::from_jwk(jwk).map_err(|why| NotAJwks::Key { place, why })?;
            keys.push((jwk.get("kid").and_then(Value::as_str).map(str::to_owned), key));
        }
        let ids: BTreeSet<_> = keys.iter().filter_map(|(id, _)| id.as_deref()).collect();
        if keys.len() > 1 && ids.len() < keys.len() {
            return Err(NotAJwks::Ids);
        }
        Ok(Self(keys))
    }

    /// The key that a token names; the only one, when it names none.
    fn find(&self, id: Option<&str>) -> Option<&PublicKey> {
        match (id, self.0.as_slice()) {
            (None, [(_, key)]) | (Some(_), [(None, key)]) => Some(key),
            (Some(id), keys) => keys.iter().find(|(own, _)| own.as_deref() == Some(id)).map(|(_, key)| key),
            (None, _) => None,
        }
    }
}

/// Why an assertion does not prove who sends it. Clients are not told which it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotAnAssertion {
    /// Not a signed token, or wrongly signed.
    #[error(transparent)]
    Signed(#[from] NotSigned),
    /// Another kind of token.
    #[error("its type is not that of an assertion")]
    Type,
    /// Its key is not registered.
    #[error("its key is not registered")]
    Key,
    /// A claim is missing, or of a wrong type.
    #[error("a claim is missing or malformed")]
    Claims,
    /// It speaks of another client.
    #[error("its issuer and subject are not the client")]
    Client,
    /// It was made for another server, or for more than this.
    #[error("its audience is not this server alone")]
    Audience,
    /// Over, not begun, or good for too long.
    #[error("it is over, not begun, or good for more than five minutes")]
    Time,
}

/// A good assertion. Its id is to be taken once, until it ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Assertion {
    /// Its id.
    pub id: String,
    /// When it ends.
    pub expires_at: DateTime<Utc>,
}

#[derive(Deserialize)]
struct Claims {
    iss: String,
    sub: String,
    aud: Audience,
    exp: f64,
    nbf: Option<f64>,
    iat: Option<f64>,
    jti: String,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Audience {
    One(String),
    Several(Vec<String>),
}

impl Assertion {
    /// Verifies an assertion of a client. `audiences` are this server's names: its issuer and its token endpoint.
    ///
    /// # Errors
    /// As [`NotAnAssertion`] says.
    pub fn verify(
        assertion: &str,
        client_id: &str,
        keys: &Jwks,
        audiences: &[&str],
        now: DateTime<Utc>,
    ) -> Result<Self, NotAnAssertion> {
        let signed = Signed::parse(assertion)?;
        let typ = signed.header.typ.as_deref().map(str::to_ascii_lowercase);
        if typ.is_some_and(|typ| typ != "jwt" && typ != "client-authentication+jwt") {
            return Err(NotAnAssertion::Type);
        }
        let key = keys.find(signed.header.kid.as_deref()).ok_or(NotAnAssertion::Key)?;
        let claims: Claims =
            serde_json::from_slice(signed.verify(key)?).map_err(|_| NotAnAssertion::Claims)?;
        if claims.iss != client_id || claims.sub != client_id {
            return Err(NotAnAssertion::Client);
        }
        // An assertion for several servers could be used at each of them by any other.
        let audience = match &claims.aud {
            Audience::One(audience) => Some(audience),
            Audience::Several(several) => match several.as_slice() {
                [audience] => Some(audience),
                _ => None,
            },
        };
        if !audience.is_some_and(|audience| audiences.contains(&audience.as_str())) {
            return Err(NotAnAssertion::Audience);
        }
        if !(1..=LONGEST_ID).contains(&claims.jti.len()) {
            return Err(NotAnAssertion::Claims);
        }
        let expires_at = instant(claims.exp)?;
        let begins = [claims.nbf, claims.iat].into_iter().flatten().map(instant);
        for begins in begins {
            if begins? > now + SKEW {
                return Err(NotAnAssertion::Time);
            }
        }
        if expires_at <= now || expires_at > now + ASSERTION_LIFETIME + SKEW {
            return Err(NotAnAssertion::Time);
        }
        Ok(Self { id: claims.jti, expires_at })
    }
}

/// A `NumericDate` (RFC 7519): seconds since 1970, which may have a fraction.
#[expect(clippy::cast_possible_truncation, reason = "the range is checked before")]
fn instant(seconds: f64) -> Result<DateTime<Utc>, NotAnAssertion> {
    if !(0.0..1e12).contains(&seconds) {
        return Err(NotAnAssertion::Claims);
    }
    DateTime::from_timestamp(seconds as i64, 0).ok_or(NotAnAssertion::Claims)
}

/// Whom an assertion speaks of, for finding the keys to verify it with.
pub(crate) fn subject(assertion: &str) -> Option<String> {
    #[derive(Deserialize)]
    struct Subject {
        sub: String,
    }
    let signed = Signed::parse(assertion).ok()?;
    let subject: Subject = serde_json::from_slice(signed.unverified()).ok()?;
    (1..=LONGEST_ID).contains(&subject.sub.len()).then_some(subject.sub)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::jose::{Ed25519, jwk};

    const ISSUER: &str = "https://books.example";
    const TOKEN: &str = "https://books.example/oauth/token";
    const NOW: i64 = 1_800_000_000;

    fn key() -> Ed25519 {
        Ed25519::from_seed(&[3; 32]).expect("a key")
    }

    fn jwks() -> Jwks {
        Jwks::parse(&json!({"keys": [jwk(key().public())]})).expect("keys")
    }

    fn claims() -> Value {
        json!({"iss": "c", "sub": "c", "aud": ISSUER, "exp": NOW + 60, "iat": NOW, "jti": "1"})
    }

    fn signed(header: &Value, claims: &Value) -> String {
        key().sign(header.to_string().as_bytes(), claims.to_string().as_bytes()).expect("signed")
    }

    fn verify(assertion: &str) -> Result<Assertion, NotAnAssertion> {
        let now = DateTime::from_timestamp(NOW, 0).expect("an instant");
        Assertion::verify(assertion, "c", &jwks(), &[ISSUER, TOKEN], now)
    }

    fn changed(name: &str, value: Value) -> Result<Assertion, NotAnAssertion> {
        let mut claims = claims();
        claims[name] = value;
        verify(&signed(&json!({"alg": "EdDSA", "kid": key().id()}), &claims))
    }

    #[test]
    fn a_good_assertion_tells_its_id_and_its_end() {
        let assertion = changed("aud", json!([TOKEN])).expect("good");
        assert_eq!((assertion.id.as_str(), assertion.expires_at.timestamp()), ("1", NOW + 60));
        assert!(changed("exp", json!(1_800_000_299.5)).is_ok());
        for header in [json!({"alg": "Ed25519"}), json!({"alg": "EdDSA", "typ": "client-authentication+jwt"})]
        {
            assert!(verify(&signed(&header, &claims())).is_ok(), "{header}");
        }
        assert_eq!(subject(&signed(&json!({"alg": "EdDSA"}), &claims())), Some("c".to_owned()));
    }

    #[test]
    fn rfc_7523_what_does_not_prove_the_client() {
        for (name, value, why) in [
            ("iss", json!("d"), NotAnAssertion::Client),
            ("sub", json!("d"), NotAnAssertion::Client),
            ("aud", json!("https://other.example"), NotAnAssertion::Audience),
            ("aud", json!([ISSUER, "https://other.example"]), NotAnAssertion::Audience),
            ("aud", json!([]), NotAnAssertion::Audience),
            ("aud", json!(null), NotAnAssertion::Claims),
            ("exp", json!(NOW), NotAnAssertion::Time),
            ("exp", json!(NOW + 331), NotAnAssertion::Time),
            ("exp", json!("soon"), NotAnAssertion::Claims),
            ("exp", json!(1e300), NotAnAssertion::Claims),
            ("exp", json!(-1), NotAnAssertion::Claims),
            ("nbf", json!(NOW + 31), NotAnAssertion::Time),
            ("iat", json!(NOW + 31), NotAnAssertion::Time),
            ("jti", json!(""), NotAnAssertion::Claims),
            ("jti", json!("x".repeat(256)), NotAnAssertion::Claims),
            ("jti", json!(null), NotAnAssertion::Claims),
        ] {
            assert_eq!(changed(name, value.clone()), Err(why), "{name} {value}");
        }
    }

    #[test]
    fn an_access_token_is_no_assertion_and_a_foreign_key_no_key() {
        let access = signed(&json!({"alg": "EdDSA", "typ": "at+jwt"}), &claims());
        assert_eq!(verify(&access), Err(NotAnAssertion::Type));
        let none = signed(&json!({"alg": "none"}), &claims());
        assert_eq!(verify(&none), Err(NotSigned::Algorithm.into()));
        assert_eq!(verify(&signed(&json!({"alg": "HS256"}), &claims())), Err(NotSigned::Algorithm.into()));
        let unknown = signed(&json!({"alg": "EdDSA", "kid": "other"}), &claims());
        assert_eq!(verify(&unknown), Err(NotAnAssertion::Key));
        let foreign = Ed25519::from_seed(&[4; 32]).expect("a key");
        let header = json!({"alg": "EdDSA", "jwk": jwk(foreign.public())}).to_string();
        let foreign = foreign.sign(header.as_bytes(), claims().to_string().as_bytes()).expect("signed");
        assert_eq!(verify(&foreign), Err(NotSigned::Signature.into()));
    }

    #[test]
    fn what_is_no_key_set() {
        let key = jwk(key().public());
        let mut nameless = key.clone();
        nameless.as_object_mut().expect("a key").remove("kid");
        for (wrong, why) in [
            (json!({}), NotAJwks::Shape),
            (json!({"keys": []}), NotAJwks::Shape),
            (json!({"keys": [1]}), NotAJwks::Shape),
            (json!({"keys": vec![key.clone(); 11]}), NotAJwks::Shape),
            (json!({"keys": [key, key]}), NotAJwks::Ids),
            (json!({"keys": [key, nameless]}), NotAJwks::Ids),
            (json!({"keys": [{"kty": "oct", "k": "AQ"}]}), NotAJwks::Key { place: 0, why: NotAKey::Private }),
        ] {
            assert_eq!(Jwks::parse(&wrong).map(|_| ()), Err(why), "{wrong}");
        }
    }
}
