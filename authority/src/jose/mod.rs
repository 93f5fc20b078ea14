//! Signed tokens (JWS, RFC 7515, in their compact form) and keys (JWK, RFC 7517 and 8037).
//!
//! The algorithm of a signature is one that its key is for. What a token's header says about keys (`jwk`, `jku`, `x5u`,
//! `x5c`) is never read, and what it wants understood (`crit`) is refused.

mod keys;
mod public;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Deserialize;

pub(crate) use keys::jwk;
pub use keys::{Ed25519, SigningFailed, key_id};
pub use public::{Algorithm, NotAKey, PublicKey};

/// Longest token that is taken apart, in bytes.
const LONGEST: usize = 8 * 1024;

/// Why a text is no signed token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotSigned {
    /// Not three parts of base64url, the first of which is a header.
    #[error("not a signed token")]
    Malformed,
    /// It wants something understood that is not (RFC 7515, section 4.1.11).
    #[error("its header has a critical part that is not understood")]
    Critical,
    /// Its algorithm is not one that the key is for.
    #[error("its algorithm is not its key's")]
    Algorithm,
    /// Its signature is wrong.
    #[error("its signature is wrong")]
    Signature,
}

/// What a token says about itself.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
pub struct Header {
    /// The algorithm that it claims to be signed with.
    pub alg: String,
    /// What it is.
    pub typ: Option<String>,
    /// Which key it claims to be signed with.
    pub kid: Option<String>,
    crit: Option<serde_json::Value>,
}

/// A signed token, taken apart and not verified.
#[derive(Clone, Debug)]
pub struct Signed<'a> {
    /// What it says about itself.
    pub header: Header,
    message: &'a str,
    payload: Vec<u8>,
    signature: Vec<u8>,
}

impl<'a> Signed<'a> {
    /// Takes a token apart.
    ///
    /// # Errors
    /// It is none, or has a critical part.
    pub fn parse(token: &'a str) -> Result<Self, NotSigned> {
        let part = |text: &str| URL_SAFE_NO_PAD.decode(text).map_err(|_| NotSigned::Malformed);
        if token.len() > LONGEST {
            return Err(NotSigned::Malformed);
        }
        let (message, signature) = token.rsplit_once('.').ok_or(NotSigned::Malformed)?;
        let (header, payload) = message.split_once('.').ok_or(NotSigned::Malformed)?;
        let header: Header = serde_json::from_slice(&part(header)?).map_err(|_| NotSigned::Malformed)?;
        if header.crit.is_some() {
            return Err(NotSigned::Critical);
        }
        Ok(Self { header, message, payload: part(payload)?, signature: part(signature)? })
    }

    /// The payload, once the signature is verified with a key, by an algorithm that is the key's.
    ///
    /// # Errors
    /// The algorithm is not the key's, or the signature is wrong.
    pub fn verify(&self, key: &PublicKey) -> Result<&[u8], NotSigned> {
        let algorithm = Algorithm::parse(&self.header.alg).ok_or(NotSigned::Algorithm)?;
        if !key.is_for(algorithm) {
            return Err(NotSigned::Algorithm);
        }
        let good = key.verify(algorithm, self.message.as_bytes(), &self.signature);
        if good { Ok(&self.payload) } else { Err(NotSigned::Signature) }
    }

    /// The payload as it came, for finding out whose keys to verify it with. Nothing else may be made of it.
    pub fn unverified(&self) -> &[u8] {
        &self.payload
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn token(header: &str) -> String {
        format!("{}.e30.", URL_SAFE_NO_PAD.encode(header))
    }

    #[test]
    fn what_is_no_token() {
        for wrong in ["", ".", "..", "a.b", "a.b.c.d", "e30.e30.", "e30=.e30.", "eyJhbGciOiJub25lIn0.e30.a"] {
            assert!(Signed::parse(wrong).is_err(), "{wrong}");
        }
        assert!(Signed::parse(&token(r#"{"alg":"EdDSA","alg":"none"}"#)).is_err(), "a name twice");
        assert!(Signed::parse(&token(r#"{"alg":"EdDSA","crit":["b64"],"b64":false}"#)).is_err());
        assert!(Signed::parse(&token(r#"{"alg":"EdDSA","kid":1}"#)).is_err());
        assert!(Signed::parse(&format!("{}.e30.", "A".repeat(LONGEST))).is_err());
        assert!(Signed::parse(&token(r#"{"alg":"EdDSA"}"#)).is_ok());
    }

    proptest! {
        #[test]
        fn any_text_is_taken_apart_or_refused(text in "[A-Za-z0-9_.=-]{0,80}") {
            let _apart_or_refused = Signed::parse(&text);
        }
    }
}
