//! Passwords: hashed a few at a time, and changed by their owner. Which are accepted, and how they are hashed, is told in
//! [`credentials::password`].

pub mod service;

use std::sync::Arc;

use credentials::password::{self, Accepted, Hasher};
use kernel::Fault;
use tokio::sync::Semaphore;

pub(crate) use credentials::password::Verified;

use crate::error::Error;

/// Hashes and verifies passwords, a few at a time: each takes 19 MiB and a core for a moment.
#[derive(Clone, Debug)]
pub struct Passwords {
    places: Arc<Semaphore>,
    hasher: Hasher,
}

impl Default for Passwords {
    fn default() -> Self {
        Self { places: Arc::new(Semaphore::new(2)), hasher: Hasher::default() }
    }
}

impl Passwords {
    /// Refuses a password that may not be chosen. `own` is what others know about the person: the name, the address, the
    /// company's name; `field` is the input field that a refusal names.
    ///
    /// # Errors
    /// [`Error::PasswordRefused`].
    pub async fn accept(
        &self,
        field: &'static str,
        password: &str,
        own: &[&str],
        second_factor: bool,
    ) -> Result<Accepted, Error> {
        let password = password.to_owned();
        let own: Vec<String> = own.iter().map(|known| (*known).to_owned()).collect();
        let checked = self.apart(move || {
            let own: Vec<&str> = own.iter().map(String::as_str).collect();
            password::check(&password, &own, second_factor)
        });
        checked.await?.map_err(|refusal| Error::PasswordRefused { field, refusal })
    }

    pub(crate) async fn hash(&self, password: &str) -> Result<String, Fault> {
        let (hasher, password) = (self.hasher.clone(), password.to_owned());
        self.apart(move || hasher.hash(&password))
            .await?
            .map_err(|e| Fault::Internal(format!("password hash: {e}")))
    }

    /// Verifies; without a stored hash it does the same work, so that time does not tell whether an account exists.
    pub(crate) async fn verify(&self, password: &str, stored: Option<&str>) -> Result<Verified, Fault> {
        let (hasher, password) = (self.hasher.clone(), password.to_owned());
        let stored = stored.map(str::to_owned);
        self.apart(move || hasher.verify(&password, stored.as_deref()))
            .await?
            .map_err(|e| Fault::Corrupt(format!("stored password hash: {e}")))
    }

    async fn apart<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> Result<T, Fault> {
        let _place = self.places.acquire().await.map_err(|e| Fault::Internal(e.to_string()))?;
        tokio::task::spawn_blocking(work).await.map_err(|e| Fault::Internal(e.to_string()))
    }
}
