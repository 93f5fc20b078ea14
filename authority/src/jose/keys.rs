//! Keys that sign: Ed25519 (RFC 8032) alone.

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::EncodingKey;
use jsonwebtoken::crypto::rust_crypto::DEFAULT_PROVIDER;
use jsonwebtoken::jwk::EllipticCurve;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

/// A key could not be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the key does not sign")]
pub struct SigningFailed;

/// What stands before the seed in PKCS #8 (RFC 8410, section 7).
const PKCS8: [u8; 16] = [0x30, 0x2e, 2, 1, 0, 0x30, 5, 6, 3, 0x2b, 0x65, 0x70, 4, 0x22, 4, 0x20];

/// A private Ed25519 key.
#[derive(Clone)]
pub struct Ed25519 {
    key: EncodingKey,
    public: [u8; 32],
    id: String,
}

impl fmt::Debug for Ed25519 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ed25519").field("id", &self.id).finish_non_exhaustive()
    }
}

impl Ed25519 {
    /// The key of a seed: 32 random bytes.
    ///
    /// # Errors
    /// Never for 32 bytes; the library says so by a result.
    pub fn from_seed(seed: &[u8; 32]) -> Result<Self, SigningFailed> {
        let der = [PKCS8.as_slice(), seed].concat();
        let public =
            (DEFAULT_PROVIDER.key_utils.ed_pub_components_from_private_key)(&der, &EllipticCurve::Ed25519);
        let public: [u8; 32] = public.ok().and_then(|key| key.try_into().ok()).ok_or(SigningFailed)?;
        Ok(Self { key: EncodingKey::from_ed_der(&der), public, id: key_id(&public) })
    }

    /// The public half.
    pub const fn public(&self) -> &[u8; 32] {
        &self.public
    }

    /// Its id: the key's thumbprint.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// A token with a header and a payload, in JSON.
    ///
    /// # Errors
    /// The key does not sign, which does not happen.
    pub fn sign(&self, header: &[u8], payload: &[u8]) -> Result<String, SigningFailed> {
        let message = format!("{}.{}", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(payload));
        let signer = (DEFAULT_PROVIDER.signer_factory)(&jsonwebtoken::Algorithm::EdDSA, &self.key);
        let signer = signer.map_err(|_| SigningFailed)?;
        let signature = signer.try_sign(message.as_bytes()).map_err(|_| SigningFailed)?;
        Ok(format!("{message}.{}", URL_SAFE_NO_PAD.encode(signature)))
    }
}

/// The id of a public Ed25519 key: its thumbprint (RFC 7638, with the members of RFC 8037).
pub fn key_id(public: &[u8; 32]) -> String {
    let x = URL_SAFE_NO_PAD.encode(public);
    URL_SAFE_NO_PAD.encode(Sha256::digest(format!(r#"{{"crv":"Ed25519","kty":"OKP","x":"{x}"}}"#)))
}

/// A public Ed25519 key as a JWK (RFC 8037).
pub(crate) fn jwk(public: &[u8; 32]) -> Value {
    json!({
        "kty": "OKP", "crv": "Ed25519", "use": "sig", "alg": "EdDSA",
        "kid": key_id(public), "x": URL_SAFE_NO_PAD.encode(public),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::jose::{PublicKey, Signed};

    fn bytes(text: &str) -> [u8; 32] {
        URL_SAFE_NO_PAD.decode(text).expect("base64url").try_into().expect("32 bytes")
    }

    /// RFC 8037, appendix A.1.
    fn key() -> Ed25519 {
        Ed25519::from_seed(&bytes("nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A")).expect("a key")
    }

    #[test]
    fn rfc_8037_appendix_a_a_key_and_its_thumbprint() {
        assert_eq!(key().public(), &bytes("11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"));
        assert_eq!(key().id(), "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k");
    }

    #[test]
    fn rfc_8037_appendix_a_a_signature() {
        let token = key().sign(br#"{"alg":"EdDSA"}"#, b"Example of Ed25519 signing").expect("signed");
        assert_eq!(
            token,
            "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc.\
             hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg"
        );
        let public = PublicKey::ed25519(key().public());
        assert_eq!(
            Signed::parse(&token).expect("a token").verify(&public),
            Ok(&b"Example of Ed25519 signing"[..])
        );
    }

    #[test]
    fn a_private_key_is_not_printed() {
        assert!(!format!("{:?}", key()).contains("nWGx"));
    }
}
