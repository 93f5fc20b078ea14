//! Sign-in with other providers: the relying party of OpenID Connect.
//!
//! [`RelyingParty`] sends a browser to a provider ([`RelyingParty::begin`]) and says who came back
//! ([`RelyingParty::finish`]): the authorization code flow with PKCE, state and nonce, a redirect URI to the letter, the `iss`
//! of RFC 9207, and an ID token whose signature, issuer, audience, age and nonce were looked at. What it finds is an
//! [`Identity`]: what an issuer says about a subject. Whether that issuer may be believed about an address or a company is
//! not decided here.
//!
//! Whoever registers an issuer chooses where this machine connects to: [`Http`] reaches public addresses only
//! ([`guard`]), and the address that it looked at is the one that it connects to. [`Records`] asks for the TXT record that
//! proves a domain.
//!
//! It knows nothing of the product: no person, no company, no database. It never follows a redirect, never takes a token
//! that is signed with a shared secret or not at all, and never puts a secret, a code or a token into a message.

mod claims;
mod dns;
mod error;
mod flow;
pub mod guard;
mod http;
mod issuer;
mod provider;

pub use claims::Identity;
pub use dns::{Records, domain};
pub use error::{Error, Told};
pub use flow::{Answer, Flow, Registration, RelyingParty};
pub use http::{Http, Limits};
pub use issuer::Issuer;
pub use provider::Provider;
