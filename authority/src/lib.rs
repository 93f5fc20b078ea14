//! The protocol of an OAuth 2.0 authorization server: what clients may ask, and what they are answered.
//!
//! Pure functions and types: no clock (instants are parameters), no network, no storage, and nothing of any product.
//! Followed are RFC 6749 (OAuth 2.0) as RFC 9700 (its best current practice) narrows it and OAuth 2.1 (draft 13) writes
//! it down anew, RFC 7636 (PKCE), RFC 8252 (native apps), RFC 9207 (issuer in the answer), RFC 7523 (`private_key_jwt`),
//! RFC 9068 (access tokens), RFC 7009 (revocation), RFC 7662 (introspection) and RFC 8414 (metadata).
//!
//! Invariants:
//! - Nothing is sent to a redirect URI before it was compared, character by character, with the registered ones.
//! - There is no authorization without PKCE, no method but S256, no response type but `code`.
//! - A token's algorithm is what its key is for, never what the token says; a key is never taken from a token.
//! - A parameter given twice is never one of the two: the request is refused (RFC 6749, section 3.1).
//!
//! What it never does: it keeps nothing, so that single use (codes, refresh tokens, assertions) is for who calls it.

mod access;
mod answer;
mod assertion;
mod authorize;
mod challenge;
mod client;
mod form;
pub mod jose;
mod metadata;
mod redirect;
mod refusal;
mod scope;
mod token;

pub use access::{AccessClaims, AccessKey, AccessKeys, NotAToken};
pub use answer::{Introspection, TokenAnswer};
pub use assertion::{ASSERTION_LIFETIME, Assertion, Jwks, NotAJwks, NotAnAssertion};
pub use authorize::{Address, Authorization, Registered, Stop};
pub use challenge::{Challenge, is_verifier};
pub use client::ClientAuthentication;
pub use form::{Malformed, Params};
pub use jose::key_id;
pub use metadata::{Endpoints, metadata};
pub use redirect::{NotARedirect, check_redirect};
pub use refusal::{Code, Refusal};
pub use scope::{NotAScope, Scopes};
pub use token::{Grant, Hint, TokenQuestion};
