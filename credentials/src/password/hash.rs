//! Argon2id (RFC 9106), with parameters that each hash records, and which grow with the machines.

use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher, PasswordVerifier};
use argon2::{Algorithm, Argon2, Params, Version};

use super::{MOST, normalise};

/// A password could not be hashed, or a stored hash is not one. Holds no part of the password.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct HashError(String);

/// What a verification found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verified {
    /// It is the password.
    Right {
        /// Whether it should be hashed anew: with other parameters than today's, or before it was normalised.
        outdated: bool,
    },
    /// It is not, or there is none.
    Wrong,
}

/// Hashes and verifies: 19 MiB and a core for a moment. Who calls it sees to it that it happens a few at a time, and not
/// on a thread that others wait for.
#[derive(Clone, Debug)]
pub struct Hasher {
    params: Params,
}

impl Default for Hasher {
    /// OWASP's minimum for Argon2id: 19 MiB, two passes, one lane.
    fn default() -> Self {
        Self { params: Params::DEFAULT }
    }
}

impl Hasher {
    fn argon2(&self) -> Argon2<'static> {
        Argon2::new(Algorithm::Argon2id, Version::V0x13, self.params.clone())
    }

    /// The hash of a password with a new salt, as a PHC string: algorithm, version, parameters, salt, hash.
    ///
    /// # Errors
    /// The system gives no random bytes.
    pub fn hash(&self, password: &str) -> Result<String, HashError> {
        let hash = self.argon2().hash_password(normalise(password).as_bytes());
        hash.map(|hash| hash.to_string()).map_err(|e| HashError(e.to_string()))
    }

    /// Whether a password is the stored one. Without a stored hash it does the same work, so that time does not tell
    /// whether there is one.
    ///
    /// # Errors
    /// The stored text is no hash.
    pub fn verify(&self, password: &str, stored: Option<&str>) -> Result<Verified, HashError> {
        let typed = password;
        let password = normalise(typed);
        // Longer ones were never accepted; this tells what was typed, not what is stored.
        if password.chars().count() > MOST {
            return Ok(Verified::Wrong);
        }
        let mut verified = self.verify_bytes(password.as_bytes(), stored)?;
        // Hashes from before passwords were normalised.
        if verified == Verified::Wrong && *typed != *password {
            verified = match self.verify_bytes(typed.as_bytes(), stored)? {
                Verified::Right { .. } => Verified::Right { outdated: true },
                Verified::Wrong => Verified::Wrong,
            };
        }
        Ok(verified)
    }

    fn verify_bytes(&self, password: &[u8], stored: Option<&str>) -> Result<Verified, HashError> {
        let argon2 = self.argon2();
        let Some(stored) = stored else {
            argon2.hash_password(password).map_err(|e| HashError(e.to_string()))?;
            return Ok(Verified::Wrong);
        };
        let hash = PasswordHash::new(stored).map_err(|e| HashError(e.to_string()))?;
        if argon2.verify_password(password, &hash).is_err() {
            return Ok(Verified::Wrong);
        }
        let used = Params::try_from(&hash).map_err(|e| HashError(e.to_string()))?;
        let cost = |p: &Params| (p.m_cost(), p.t_cost(), p.p_cost());
        Ok(Verified::Right { outdated: cost(&used) != cost(&self.params) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_verified_to_its_last_character_and_in_its_case() {
        let hasher = Hasher::default();
        let password = format!("{}é", "gravel lantern ".repeat(17));
        assert_eq!(password.chars().count(), 256);
        let hash = hasher.hash(&password).expect("hashed");
        assert!(hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{hash}");
        assert_eq!(hasher.verify(&password, Some(&hash)).ok(), Some(Verified::Right { outdated: false }));
        for wrong in [&password[..255], &password.to_uppercase(), &format!("{password} "), ""] {
            assert_eq!(hasher.verify(wrong, Some(&hash)).ok(), Some(Verified::Wrong), "{wrong}");
        }
        assert_eq!(hasher.verify(&password, None).ok(), Some(Verified::Wrong));
        assert!(hasher.verify(&password, Some("no hash")).is_err());
    }

    #[test]
    fn an_accent_may_be_typed_in_either_way() {
        let hasher = Hasher::default();
        let (one, two) = ("gravel lant\u{e9}rn", "gravel lante\u{301}rn");
        let hash = hasher.hash(one).expect("hashed");
        assert_eq!(hasher.verify(two, Some(&hash)).ok(), Some(Verified::Right { outdated: false }));
        // As it was hashed before passwords were normalised.
        let old = hasher.argon2().hash_password(two.as_bytes()).expect("hashed").to_string();
        assert_eq!(hasher.verify(two, Some(&old)).ok(), Some(Verified::Right { outdated: true }));
    }

    #[test]
    fn a_hash_with_other_parameters_is_good_and_outdated() {
        let old = Hasher { params: Params::new(8 * 1024, 1, 1, None).expect("params") };
        let hash = old.hash("gravel lantern oboe").expect("hashed");
        let verified = Hasher::default().verify("gravel lantern oboe", Some(&hash));
        assert_eq!(verified.ok(), Some(Verified::Right { outdated: true }));
    }
}
