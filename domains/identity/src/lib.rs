//! Companies, the people and programs that act in them, and what each may do.
//!
//! A **company** is the tenant of every row. A **person** is global and may be a **member** of several
//! companies, in each with a role; a session of a person acts in one company. An **API key** lets a partner's
//! program act in one company, with permissions of its own that never exceed those of who answers for it; an
//! **application** acts for people who have let it, by tokens of OAuth 2.0. A **trusted document** is a
//! query text that a company has registered: its clients send the hash, and a company may allow them nothing else.
//!
//! Invariants:
//! - A secret (password, session token, API key) is stored only as its hash; it is shown once, or never.
//! - Who is unknown, revoked, expired or no longer a member is told nothing but "not signed in".
//! - A company always has an owner.
//! - The hash of a trusted document means one text for ever. Who may register documents may send any text.
//! - A password's hash records its parameters, and is upgraded at the next sign-in when they have grown.
//! - A code of a second factor works once, also when it comes twice at once. Who changes what signs in proves anew who it
//!   is. A password of less than 15 characters never stands without a second factor.
//! - A company's own sign-in provider lets nobody into another company, and speaks for that company's domains only.
//! - Nobody gives a right that they do not have, and only an owner makes an owner. Where the company wants it, rights
//!   change with another owner's approval only.
//! - What can be guessed is limited by account and by network, before it is verified.
//!
//! Permissions: `company.*`, `sso.*`, `members.*`, `api_keys.*`, `applications.*`, `trusted_documents.*`. Events: `company.*`, `member.*`,
//! `role.*`, `access_request.*`, `person.*`, `session.*`, `identity.*`, `sso_provider.*`, `company_domain.*`,
//! `api_key.*`, `trusted_document.*`, `access.reviewed`. Cubes: none.
//!
//! This domain opens scopes for the edge ([`Authenticator`]); it puts letters into the outbox and sends none itself, never
//! reads another domain's tables, and knows no HTTP and no GraphQL: a document is text to it. What it says to providers, and
//! what partners' programs say to it, is the crates `federation` and `authority`.

pub mod access;
pub mod agent;
pub mod api_key;
pub mod approval;
mod assurance;
mod authenticator;
pub mod company;
pub mod device;
pub mod embed;
pub mod error;
pub mod factor;
pub mod federation;
pub mod invitation;
mod lookup;
pub mod mailbox;
pub mod member;
pub mod oauth;
pub mod password;
pub mod person;
pub mod place;
pub mod proof;
pub mod review;
pub mod role;
pub mod secret;
pub mod session;
pub mod sign_in;
pub mod throttle;
pub mod trusted_document;

pub use assurance::Assurance;
pub use authenticator::{Authenticator, NotSignedIn, Principal};
pub use error::Error;
pub use password::Passwords;
pub use role::Role;
