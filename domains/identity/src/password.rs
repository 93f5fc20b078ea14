//! Passwords: Argon2id, with parameters that are recorded and grow with the machines.

use std::sync::Arc;

use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher, PasswordVerifier};
use argon2::{Algorithm, Argon2, Params, Version};
use kernel::Fault;
use tokio::sync::Semaphore;

use crate::error::Error;

const FEWEST: usize = 15;
const MOST: usize = 256;

/// Hashes and verifies passwords, a few at a time: each takes 19 MiB and a core for a moment.
#[derive(Clone, Debug)]
pub struct Passwords {
    places: Arc<Semaphore>,
    params: Params,
}

/// What a verification found.
pub(crate) enum Verified {
    Right { outdated: bool },
    Wrong,
}

impl Default for Passwords {
    /// OWASP's minimum for Argon2id: 19 MiB, two passes, one lane.
    fn default() -> Self {
        Self { places: Arc::new(Semaphore::new(2)), params: Params::DEFAULT }
    }
}

impl Passwords {
    /// Refuses a password that is too short or too long; there are no rules of composition (NIST SP 800-63B).
    pub(crate) fn check(password: &str) -> Result<(), Error> {
        match password.chars().count() {
            0..FEWEST => Err(Error::invalid(
                "password",
                format!("a password has at least {FEWEST} characters; a sentence is easy to keep"),
            )),
            FEWEST..=MOST => Ok(()),
            _ => Err(Error::invalid("password", format!("a password has at most {MOST} characters"))),
        }
    }

    fn hasher(&self) -> Argon2<'static> {
        Argon2::new(Algorithm::Argon2id, Version::V0x13, self.params.clone())
    }

    pub(crate) async fn hash(&self, password: &str) -> Result<String, Fault> {
        let (hasher, password) = (self.hasher(), password.to_owned());
        self.apart(move || {
            hasher.hash_password(password.as_bytes()).map(|hash| hash.to_string()).map_err(|e| e.to_string())
        })
        .await?
        .map_err(|e| Fault::Internal(format!("password hash: {e}")))
    }

    /// Verifies; without a stored hash it does the same work, so that time does not tell whether an account exists.
    pub(crate) async fn verify(&self, password: &str, stored: Option<&str>) -> Result<Verified, Fault> {
        let Some(stored) = stored.map(str::to_owned) else {
            self.hash(password).await?;
            return Ok(Verified::Wrong);
        };
        let (hasher, password, params) = (self.hasher(), password.to_owned(), self.params.clone());
        self.apart(move || {
            let hash = PasswordHash::new(&stored).map_err(|e| e.to_string())?;
            if hasher.verify_password(password.as_bytes(), &hash).is_err() {
                return Ok(Verified::Wrong);
            }
            let used = Params::try_from(&hash).map_err(|e| e.to_string())?;
            let cost = |p: &Params| (p.m_cost(), p.t_cost(), p.p_cost());
            Ok(Verified::Right { outdated: cost(&used) != cost(&params) })
        })
        .await?
        .map_err(|e: String| Fault::Corrupt(format!("stored password hash: {e}")))
    }

    async fn apart<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> Result<T, Fault> {
        let _place = self.places.acquire().await.map_err(|e| Fault::Internal(e.to_string()))?;
        tokio::task::spawn_blocking(work).await.map_err(|e| Fault::Internal(e.to_string()))
    }
}
