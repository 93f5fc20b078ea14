//! Passkeys: the relying party of Web Authentication Level 3 (<https://www.w3.org/TR/webauthn-3/>).
//!
//! A passkey is a credential that its authenticator finds by itself (discoverable), so that it signs in without an e-mail
//! address, and that verifies the person (by PIN or body), so that it is two factors in one: what one has, and what one
//! knows or is. No attestation is asked for: which make of authenticator people use is not our business.
//!
//! The ceremonies are those of `webauthn-rs`, which since 0.6 stands on the Rust crates of `RustCrypto` and needs no OpenSSL.
//! What a ceremony has to remember between its two steps is handed out as JSON: it must be kept on the server, and used
//! once, or an answer could be replayed.
//!
//! This module never stores anything: that a credential belongs to one person only, and that its counter was kept, is the
//! caller's.

use std::time::Duration;

use serde_json::{Value, json};
use url::Url;
use uuid::Uuid;
use webauthn_rs::prelude::{
    DiscoverableAuthentication, DiscoverableKey, Passkey, PasskeyRegistration, PublicKeyCredential,
    RegisterPublicKeyCredential, WebauthnError,
};
use webauthn_rs::{Webauthn, WebauthnBuilder};

/// How long a ceremony may take.
pub const CEREMONY: Duration = Duration::from_mins(5);
/// Longest answer of a client, in bytes.
pub const LONGEST_ANSWER: usize = 16 * 1024;

/// Why a ceremony did not succeed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The public address has no domain name, or is no address.
    #[error("passkeys need a server whose public address has a domain name")]
    Unavailable,
    /// The answer is not the JSON of the standard.
    #[error("this is not the answer of a passkey: send the JSON serialisation that the browser gives")]
    Malformed,
    /// The signature counter did not rise: somebody may have a copy of the authenticator.
    #[error(
        "this passkey may have been copied, for it has gone back in its count: remove it and make another"
    )]
    Cloned,
    /// The answer proves nothing: another challenge, address or key, or the person was not verified.
    #[error("the passkey did not prove who this is: begin again")]
    NotProven,
    /// What was kept of the ceremony, or of the passkey, cannot be read.
    #[error("what was kept of a passkey cannot be read")]
    Kept,
}

impl From<WebauthnError> for Refusal {
    fn from(error: WebauthnError) -> Self {
        match error {
            WebauthnError::CredentialPossibleCompromise => Self::Cloned,
            _ => Self::NotProven,
        }
    }
}

/// Whom a passkey is made for.
#[derive(Clone, Copy, Debug)]
pub struct User<'a> {
    /// The person; authenticators keep it, and give it back at sign-in.
    pub id: Uuid,
    /// What tells this account from others in the authenticator's list: the e-mail address.
    pub account: &'a str,
    /// The person's name.
    pub name: &'a str,
}

/// A step that a client has to take.
#[derive(Clone, Debug)]
pub struct Begun {
    /// The options, in the JSON serialisation of the standard: for `PublicKeyCredential.parseCreationOptionsFromJSON` or
    /// `parseRequestOptionsFromJSON`.
    pub options: String,
    /// What the second step needs. To be kept on the server, and used once.
    pub state: Value,
}

/// A passkey that was made.
#[derive(Clone, Debug)]
pub struct Registered {
    /// Its id, unique among all passkeys of all people.
    pub credential_id: Vec<u8>,
    /// Its public key and what else verifying needs; holds no secret.
    pub data: Value,
}

/// Who says to sign in by a passkey; nothing of it is proven yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claimed {
    /// The person.
    pub user: Uuid,
    /// The passkey.
    pub credential_id: Vec<u8>,
}

/// A passkey that has proven who its person is.
#[derive(Clone, Debug)]
pub struct Proven {
    /// What to keep from now on in the place of the passkey's data.
    pub data: Value,
    /// The signature counter; 0 for authenticators that keep none. To be kept only when it has risen.
    pub counter: u32,
}

/// The service that passkeys are made for.
#[derive(Clone, Debug)]
pub struct RelyingParty(Webauthn);

impl RelyingParty {
    /// The relying party of a public URL: its id is the host, its origin exactly this scheme, host and port.
    ///
    /// # Errors
    /// [`Refusal::Unavailable`] when the host is not a domain name.
    pub fn new(public_url: &str, name: &str) -> Result<Self, Refusal> {
        let url = Url::parse(public_url).map_err(|_| Refusal::Unavailable)?;
        let host = url.domain().ok_or(Refusal::Unavailable)?.to_owned();
        // Without path and query.
        let origin = Url::parse(&url.origin().ascii_serialization()).map_err(|_| Refusal::Unavailable)?;
        let builder = WebauthnBuilder::new(&host, &origin).map_err(|_| Refusal::Unavailable)?;
        let party = builder.rp_name(name).timeout(CEREMONY).build().map_err(|_| Refusal::Unavailable)?;
        Ok(Self(party))
    }

    /// Begins to make a passkey. `known` are the ids of those that the person has: an authenticator makes no second one.
    pub fn begin_registration(&self, user: User<'_>, known: Vec<Vec<u8>>) -> Result<Begun, Refusal> {
        let (options, state) =
            self.0.start_passkey_registration(user.id, user.account, user.name, Some(known))?;
        let mut options = serde_json::to_value(options.public_key).map_err(|_| Refusal::Kept)?;
        // The library leaves it to the authenticator whether the credential can be found without an e-mail address.
        let selection = &mut options["authenticatorSelection"];
        selection["residentKey"] = json!("required");
        selection["requireResidentKey"] = json!(true);
        begun(&options, &state)
    }

    /// Finishes making a passkey, by the client's `RegistrationResponseJSON`.
    pub fn finish_registration(&self, state: Value, answer: &str) -> Result<Registered, Refusal> {
        let state: PasskeyRegistration = kept(state)?;
        let answer: RegisterPublicKeyCredential = read(answer)?;
        let passkey = self.0.finish_passkey_registration(&answer, &state)?;
        let credential_id = passkey.cred_id().clone();
        Ok(Registered { credential_id, data: serde_json::to_value(passkey).map_err(|_| Refusal::Kept)? })
    }

    /// Begins a sign-in by whichever passkey the client has.
    pub fn begin_sign_in(&self) -> Result<Begun, Refusal> {
        let (options, state) = self.0.start_discoverable_authentication()?;
        let mut options = serde_json::to_value(options.public_key).map_err(|_| Refusal::Kept)?;
        // An empty list is as none, in which authenticators choose; some take it to the letter.
        if let Some(options) = options.as_object_mut() {
            options.remove("allowCredentials");
        }
        begun(&options, &state)
    }

    /// Who the client's `AuthenticationResponseJSON` says this is. Proves nothing.
    pub fn claimed(&self, answer: &str) -> Result<Claimed, Refusal> {
        let answer: PublicKeyCredential = read(answer)?;
        let (user, id) = self.0.identify_discoverable_authentication(&answer)?;
        Ok(Claimed { user, credential_id: id.to_vec() })
    }

    /// Finishes a sign-in with the data of the passkey that was claimed.
    pub fn finish_sign_in(&self, state: Value, answer: &str, data: Value) -> Result<Proven, Refusal> {
        let state: DiscoverableAuthentication = kept(state)?;
        let answer: PublicKeyCredential = read(answer)?;
        let mut passkey: Passkey = kept(data)?;
        let key = DiscoverableKey::from(&passkey);
        let proven = self.0.finish_discoverable_authentication_v2(&answer, state, &key)?;
        if !proven.user_verified() {
            return Err(Refusal::NotProven);
        }
        passkey.update_credential(&proven);
        let data = serde_json::to_value(passkey).map_err(|_| Refusal::Kept)?;
        Ok(Proven { data, counter: proven.counter() })
    }
}

fn begun(options: &Value, state: &impl serde::Serialize) -> Result<Begun, Refusal> {
    let state = serde_json::to_value(state).map_err(|_| Refusal::Kept)?;
    Ok(Begun { options: options.to_string(), state })
}

fn kept<T: serde::de::DeserializeOwned>(value: Value) -> Result<T, Refusal> {
    serde_json::from_value(value).map_err(|_| Refusal::Kept)
}

fn read<T: serde::de::DeserializeOwned>(answer: &str) -> Result<T, Refusal> {
    if answer.len() > LONGEST_ANSWER {
        return Err(Refusal::Malformed);
    }
    serde_json::from_str(answer).map_err(|_| Refusal::Malformed)
}
