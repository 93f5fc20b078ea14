//! Companies, the people and programs that act in them, and what each may do.
//!
//! A **company** is the tenant of every row. A **person** is global and may be a **member** of several
//! companies, in each with a role; a session of a person acts in one company. An **API key** lets a partner's
//! program act in one company, with permissions of its own that never exceed its maker's. A **trusted document** is a
//! query text that a company has registered: its clients send the hash, and a company may allow them nothing else.
//!
//! Invariants:
//! - A secret (password, session token, API key) is stored only as its hash; it is shown once, or never.
//! - Who is unknown, revoked, expired or no longer a member is told nothing but "not signed in".
//! - A company always has an owner.
//! - The hash of a trusted document means one text for ever. Who may register documents may send any text.
//! - A password's hash records its parameters, and is upgraded at the next sign-in when they have grown.
//!
//! Permissions: `company.*`, `members.*`, `api_keys.*`, `trusted_documents.*`. Events: `company.*`, `member.*`,
//! `session.*`, `api_key.*`, `trusted_document.*`. Cubes: none.
//!
//! This domain opens scopes for the edge ([`Authenticator`]); it never reads another domain's tables, sends no
//! mail and knows no HTTP, and no GraphQL: a document is text to it.

pub mod api_key;
mod authenticator;
pub mod company;
pub mod error;
mod lookup;
pub mod member;
mod password;
mod role;
pub mod secret;
pub mod session;
pub mod trusted_document;

pub use authenticator::{Authenticator, NotSignedIn, Principal};
pub use error::Error;
pub use password::Passwords;
pub use role::Role;
