//! Proof Key for Code Exchange (RFC 7636): who redeems a code is who asked for it.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};

use crate::refusal::Refusal;

/// What a client commits itself to when it asks: the SHA-256 of its verifier. There is no other method, for `plain`
/// shows the verifier to whoever reads the request (RFC 9700, section 2.1.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Challenge([u8; 32]);

impl Challenge {
    /// Reads a challenge of the method S256.
    ///
    /// # Errors
    /// There is none, or its method is another: RFC 7636 takes a missing method for `plain`.
    pub fn parse(challenge: Option<&str>, method: Option<&str>) -> Result<Self, Refusal> {
        let challenge =
            challenge.ok_or(Refusal::request("code_challenge is missing: PKCE is needed (RFC 7636)"))?;
        if method != Some("S256") {
            return Err(Refusal::request("code_challenge_method must be S256"));
        }
        let digest = URL_SAFE_NO_PAD.decode(challenge).ok().and_then(|digest| digest.try_into().ok());
        digest.map(Self).ok_or(Refusal::request("code_challenge is not the base64url of a SHA-256"))
    }

    /// A challenge as it was kept.
    pub const fn from_digest(digest: [u8; 32]) -> Self {
        Self(digest)
    }

    /// The digest, to be kept with the code.
    pub const fn digest(&self) -> &[u8; 32] {
        &self.0
    }

    /// Whether a verifier is the one that the challenge was made of.
    pub fn is_met_by(&self, verifier: &str) -> bool {
        let given: [u8; 32] = Sha256::digest(verifier.as_bytes()).into();
        // All bytes are compared, wherever they begin to differ.
        let differing = self.0.iter().zip(given).fold(0, |differing, (own, given)| differing | (own ^ given));
        is_verifier(verifier) && differing == 0
    }
}

/// Whether a text has the shape of a verifier: 43 to 128 unreserved characters (RFC 7636, section 4.1).
pub fn is_verifier(text: &str) -> bool {
    (43..=128).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 7636, appendix B.
    const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
    const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

    #[test]
    fn rfc_7636_appendix_b() {
        let challenge = Challenge::parse(Some(CHALLENGE), Some("S256")).expect("a challenge");
        assert!(challenge.is_met_by(VERIFIER));
        let wrong = VERIFIER.replace('d', "e");
        for other in [&wrong, CHALLENGE, "", &VERIFIER[1..], &format!("{VERIFIER}=")] {
            assert!(!challenge.is_met_by(other), "{other}");
        }
    }

    #[test]
    fn rfc_9700_there_is_no_plain_challenge() {
        for method in [None, Some("plain"), Some("s256"), Some("")] {
            assert!(Challenge::parse(Some(CHALLENGE), method).is_err(), "{method:?}");
        }
        for challenge in [None, Some(""), Some(VERIFIER).filter(|_| false), Some(&CHALLENGE[1..]), Some("ä")]
        {
            assert!(Challenge::parse(challenge, Some("S256")).is_err(), "{challenge:?}");
        }
        let padded = format!("{CHALLENGE}=");
        assert!(Challenge::parse(Some(&padded), Some("S256")).is_err());
    }

    #[test]
    fn a_verifier_is_long_enough_to_be_random() {
        assert!(is_verifier(&"a".repeat(43)) && is_verifier(&"~".repeat(128)));
        assert!(!is_verifier(&"a".repeat(42)) && !is_verifier(&"a".repeat(129)));
        assert!(!is_verifier(&"é".repeat(30)) && !is_verifier(&format!("{} ", "a".repeat(43))));
    }
}
