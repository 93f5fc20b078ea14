//! Keys that verify.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::DecodingKey;
use jsonwebtoken::crypto::rust_crypto::DEFAULT_PROVIDER;
use serde_json::{Map, Value};

/// The algorithms of signatures that are verified. None of them has a shared secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Algorithm {
    /// Ed25519 (RFC 8037), also called `Ed25519` (RFC 9864).
    EdDsa,
    /// ECDSA on P-256 with SHA-256.
    Es256,
    /// RSA-PSS with SHA-256.
    Ps256,
    /// RSA with PKCS #1 v1.5 and SHA-256.
    Rs256,
}

impl Algorithm {
    /// The algorithm of a name; `None` for every other, `none` and `HS256` among them.
    pub fn parse(name: &str) -> Option<Self> {
        match name {
            "EdDSA" | "Ed25519" => Some(Self::EdDsa),
            "ES256" => Some(Self::Es256),
            "PS256" => Some(Self::Ps256),
            "RS256" => Some(Self::Rs256),
            _ => None,
        }
    }

    const fn of_library(self) -> jsonwebtoken::Algorithm {
        match self {
            Self::EdDsa => jsonwebtoken::Algorithm::EdDSA,
            Self::Es256 => jsonwebtoken::Algorithm::ES256,
            Self::Ps256 => jsonwebtoken::Algorithm::PS256,
            Self::Rs256 => jsonwebtoken::Algorithm::RS256,
        }
    }
}

/// Why a JWK is no key to verify with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotAKey {
    /// It has its private half, or a shared secret.
    #[error("it has a private part: keep that, and register the public key alone")]
    Private,
    /// Its type, curve or algorithm is another.
    #[error("its type is not one of OKP with Ed25519, EC with P-256, RSA")]
    Kind,
    /// It is for something else.
    #[error("its use, key_ops or alg is not that of a key that verifies signatures")]
    Purpose,
    /// Its numbers are missing, malformed, or of a wrong length.
    #[error("its numbers are missing, malformed or too small: RSA keys have 2048 to 4096 bits")]
    Numbers,
}

/// A key that verifies signatures.
#[derive(Clone, Debug)]
pub struct PublicKey {
    key: DecodingKey,
    algorithms: Vec<Algorithm>,
}

impl PublicKey {
    /// An Ed25519 key.
    pub fn ed25519(public: &[u8; 32]) -> Self {
        Self { key: DecodingKey::from_ed_der(public), algorithms: vec![Algorithm::EdDsa] }
    }

    /// Reads a JWK.
    ///
    /// # Errors
    /// As [`NotAKey`] says.
    pub fn from_jwk(jwk: &Map<String, Value>) -> Result<Self, NotAKey> {
        if ["d", "p", "q", "dp", "dq", "qi", "oth", "k", "priv"].iter().any(|name| jwk.contains_key(*name)) {
            return Err(NotAKey::Private);
        }
        let text = |name: &str| jwk.get(name).and_then(Value::as_str);
        let (key, mut algorithms) = match (text("kty"), text("crv")) {
            (Some("OKP"), Some("Ed25519")) => {
                (DecodingKey::from_ed_der(&exactly(32, text("x"))?), vec![Algorithm::EdDsa])
            }
            (Some("EC"), Some("P-256")) => {
                let point = [vec![4], exactly(32, text("x"))?, exactly(32, text("y"))?].concat();
                (DecodingKey::from_ec_der(&point), vec![Algorithm::Es256])
            }
            (Some("RSA"), None) => (rsa(text("n"), text("e"))?, vec![Algorithm::Ps256, Algorithm::Rs256]),
            _ => return Err(NotAKey::Kind),
        };
        if let Some(algorithm) = jwk.get("alg") {
            let own = algorithm.as_str().and_then(Algorithm::parse).ok_or(NotAKey::Purpose)?;
            algorithms.retain(|algorithm| *algorithm == own);
        }
        let operations = jwk.get("key_ops").map(|list| list.as_array().cloned().unwrap_or_default());
        let verifies = operations.is_none_or(|operations| operations.iter().any(|name| name == "verify"));
        if algorithms.is_empty() || !verifies || jwk.get("use").is_some_and(|purpose| purpose != "sig") {
            return Err(NotAKey::Purpose);
        }
        let key = Self { key, algorithms };
        // A point that is on no curve shows itself here, and not at the first sign-in.
        let usable = |algorithm: &Algorithm| {
            (DEFAULT_PROVIDER.verifier_factory)(&algorithm.of_library(), &key.key).is_ok()
        };
        if key.algorithms.iter().all(usable) { Ok(key) } else { Err(NotAKey::Numbers) }
    }

    /// Whether a signature by this algorithm may be this key's.
    pub fn is_for(&self, algorithm: Algorithm) -> bool {
        self.algorithms.contains(&algorithm)
    }

    /// Whether a signature is this key's.
    pub(super) fn verify(&self, algorithm: Algorithm, message: &[u8], signature: &[u8]) -> bool {
        let verifier = (DEFAULT_PROVIDER.verifier_factory)(&algorithm.of_library(), &self.key);
        verifier.is_ok_and(|verifier| verifier.verify(message, &signature.to_vec()).is_ok())
    }
}

fn exactly(length: usize, text: Option<&str>) -> Result<Vec<u8>, NotAKey> {
    let bytes = text.and_then(|text| URL_SAFE_NO_PAD.decode(text).ok()).ok_or(NotAKey::Numbers)?;
    if bytes.len() == length { Ok(bytes) } else { Err(NotAKey::Numbers) }
}

/// An RSA key of 2048 to 4096 bits with an odd exponent of at least 65537 (NIST SP 800-131A, FIPS 186-5).
fn rsa(modulus: Option<&str>, exponent: Option<&str>) -> Result<DecodingKey, NotAKey> {
    let number =
        |text: Option<&str>| text.and_then(|text| URL_SAFE_NO_PAD.decode(text).ok()).ok_or(NotAKey::Numbers);
    let (modulus, exponent) = (number(modulus)?, number(exponent)?);
    let bits = modulus.first().map_or(0, |first| modulus.len() * 8 - first.leading_zeros() as usize);
    let e = exponent.iter().try_fold(0_u32, |e, byte| e.checked_mul(256).map(|e| e + u32::from(*byte)));
    let odd =
        e.is_some_and(|e| e >= 65_537 && e % 2 == 1) && modulus.last().is_some_and(|last| last % 2 == 1);
    if !(2048..=4096).contains(&bits) || !odd {
        return Err(NotAKey::Numbers);
    }
    Ok(DecodingKey::from_rsa_raw_components(&modulus, &exponent))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::jose::{NotSigned, Signed};

    fn key(jwk: &Value) -> Result<PublicKey, NotAKey> {
        PublicKey::from_jwk(jwk.as_object().expect("an object"))
    }

    /// RFC 7515, appendix A.2.
    fn rsa() -> Value {
        json!({"kty": "RSA", "e": "AQAB", "n":
            "ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ"})
    }

    /// RFC 7515, appendix A.3.
    fn p256() -> Value {
        json!({"kty": "EC", "crv": "P-256", "x": "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
            "y": "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"})
    }

    #[test]
    fn rfc_7515_appendix_a_2_rs256() {
        let token = "eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ.cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF5YKt_O8W2Fp5jujGbds9uJdbF9CUAr7t1dnZcAcQjbKBYNX4BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQBMHlb1L07Qe7K0GarZRmB_eSN9383LcOLn6_dO--xi12jzDwusC-eOkHWEsqtFZESc6BfI7noOPqvhJ1phCnvWh6IeYI2w9QOYEUipUTI8np6LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrBp0igcN_IoypGlUPQGe77Rw";
        let signed = Signed::parse(token).expect("a token");
        assert!(
            signed.verify(&key(&rsa()).expect("a key")).expect("verified").starts_with(b"{\"iss\":\"joe\"")
        );
        let mut pss = rsa();
        pss["alg"] = json!("PS256");
        assert_eq!(signed.verify(&key(&pss).expect("a key")), Err(NotSigned::Algorithm));
        assert_eq!(signed.verify(&key(&p256()).expect("a key")), Err(NotSigned::Algorithm));
    }

    #[test]
    fn rfc_7515_appendix_a_3_es256() {
        let token = "eyJhbGciOiJFUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ.DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q";
        let signed = Signed::parse(token).expect("a token");
        assert!(signed.verify(&key(&p256()).expect("a key")).is_ok());
        let changed = token.replace("eyJpc3MiOiJqb2Ui", "eyJpc3MiOiJqb2Ug");
        let changed = Signed::parse(&changed).expect("a token");
        assert_eq!(changed.verify(&key(&p256()).expect("a key")), Err(NotSigned::Signature));
    }

    #[test]
    fn a_key_with_its_private_half_is_refused() {
        for name in ["d", "k", "p"] {
            let mut jwk = p256();
            jwk[name] = json!("AQ");
            assert_eq!(key(&jwk).expect_err("refused"), NotAKey::Private);
        }
        assert_eq!(key(&json!({"kty": "oct", "k": "AQ"})).expect_err("refused"), NotAKey::Private);
    }

    #[test]
    fn weak_and_foreign_keys_are_refused() {
        let with = |mut jwk: Value, name: &str, value: Value| {
            jwk[name] = value;
            key(&jwk).map(|_| ())
        };
        for (wrong, why) in [
            (with(rsa(), "n", json!("AQAB")), NotAKey::Numbers),
            (with(rsa(), "e", json!("Aw")), NotAKey::Numbers),
            (with(rsa(), "e", json!("AQAA")), NotAKey::Numbers),
            (with(rsa(), "kty", json!("oct")), NotAKey::Kind),
            (with(p256(), "crv", json!("P-521")), NotAKey::Kind),
            (with(p256(), "x", json!("AQ")), NotAKey::Numbers),
            // Not on the curve.
            (with(p256(), "y", p256()["x"].clone()), NotAKey::Numbers),
            (with(p256(), "use", json!("enc")), NotAKey::Purpose),
            (with(p256(), "key_ops", json!(["sign"])), NotAKey::Purpose),
            (with(p256(), "alg", json!("RS256")), NotAKey::Purpose),
            (with(p256(), "alg", json!("HS256")), NotAKey::Purpose),
        ] {
            assert_eq!(wrong, Err(why));
        }
        let short = json!({"kty": "OKP", "crv": "Ed25519", "x": "AQAB"});
        assert_eq!(key(&short).map(|_| ()), Err(NotAKey::Numbers));
        let good = with(p256(), "key_ops", json!(["verify"]));
        assert!(good.is_ok() && key(&rsa()).is_ok());
    }
}
