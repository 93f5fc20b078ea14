//! A person's authenticator with one passkey: 1Password's implementation of the client's and the authenticator's side,
//! independent of the server's.

use passkey::authenticator::{Authenticator, UiHint, UserCheck, UserValidationMethod};
use passkey::client::{Client, DefaultClientData};
use passkey::crypto::rust_crypto::RustCryptoBackend;
use passkey_types::Passkey;
use passkey_types::ctap2::{Aaguid, Ctap2Error};
use passkey_types::webauthn::{CredentialCreationOptions, CredentialRequestOptions};
use serde_json::{Value, json};
use url::Url;

/// Whether the device asks who uses it.
#[derive(Clone, Copy)]
struct Person {
    verified: bool,
}

#[async_trait::async_trait]
impl UserValidationMethod for Person {
    type PasskeyItem = Passkey;

    async fn check_user<'a>(
        &self,
        hint: UiHint<'a, Passkey>,
        presence: bool,
        _verification: bool,
    ) -> Result<UserCheck, Ctap2Error> {
        // The authenticator tells that there is one already, and leaves it to its user's side to stop.
        if matches!(hint, UiHint::InformExcludedCredentialFound(_)) {
            return Err(Ctap2Error::CredentialExcluded);
        }
        Ok(UserCheck { presence, verification: self.verified })
    }

    fn is_presence_enabled(&self) -> bool {
        true
    }

    fn is_verification_enabled(&self) -> Option<bool> {
        Some(self.verified)
    }
}

/// A browser at an origin with an authenticator that keeps one passkey and counts its signatures.
#[derive(Clone)]
pub struct Device {
    /// The origin that the browser is at.
    pub origin: Url,
    /// Whether the authenticator verifies who uses it.
    pub verifies: bool,
    /// Whether what it makes counts signatures.
    pub counts: bool,
    passkey: Option<Passkey>,
}

impl std::fmt::Debug for Device {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Device").field("origin", &self.origin.as_str()).finish_non_exhaustive()
    }
}

impl Device {
    /// A browser at an origin, with an authenticator that is empty.
    pub fn at(origin: &str) -> Self {
        let origin = origin.parse().expect("an origin");
        Self { origin, verifies: true, counts: true, passkey: None }
    }

    fn authenticator(&self) -> Authenticator<Option<Passkey>, Person, RustCryptoBackend> {
        let person = Person { verified: self.verifies };
        let mut authenticator =
            Authenticator::new(Aaguid::new_empty(), self.passkey.clone(), person, RustCryptoBackend);
        authenticator.set_make_credentials_with_signature_counter(self.counts);
        authenticator
    }

    /// Makes a passkey by the server's options; the answer, in the JSON serialisation of the standard.
    ///
    /// # Errors
    /// The browser or the authenticator refuses.
    pub async fn make(&mut self, options: &str) -> Result<String, String> {
        let options: Value = serde_json::from_str(options).map_err(|e| e.to_string())?;
        let request: CredentialCreationOptions =
            serde_json::from_value(json!({"publicKey": options})).map_err(|e| e.to_string())?;
        let mut client = Client::new(self.authenticator());
        let made = client.register(&self.origin, request, DefaultClientData).await;
        let made = made.map_err(|e| format!("{e:?}"))?;
        self.passkey.clone_from(client.authenticator().store());
        serde_json::to_string(&made).map_err(|e| e.to_string())
    }

    /// Signs in by the server's options; the answer, in the JSON serialisation of the standard.
    ///
    /// # Errors
    /// The browser or the authenticator refuses.
    pub async fn sign(&mut self, options: &str) -> Result<String, String> {
        let options: Value = serde_json::from_str(options).map_err(|e| e.to_string())?;
        let request: CredentialRequestOptions =
            serde_json::from_value(json!({"publicKey": options})).map_err(|e| e.to_string())?;
        let mut client = Client::new(self.authenticator());
        let signed = client.authenticate(&self.origin, request, DefaultClientData).await;
        let signed = signed.map_err(|e| format!("{e:?}"))?;
        self.passkey.clone_from(client.authenticator().store());
        serde_json::to_string(&signed).map_err(|e| e.to_string())
    }

    /// How often it has signed, when it counts.
    pub fn count(&self) -> Option<u32> {
        self.passkey.as_ref().and_then(|passkey| passkey.counter)
    }
}
