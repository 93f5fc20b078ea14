//! How people and programs prove who they are: passwords, one-time codes, recovery codes, passkeys, and bearer secrets.
//!
//! Pure rules and formats: nothing here stores anything, knows a company, or speaks HTTP. What is to be kept between two
//! steps, or to be refused the second time (a step of a one-time code, a passkey's counter), is handed to the caller.
//!
//! Sources: NIST SP 800-63B-4, RFC 6238, RFC 4648, Web Authentication Level 3, OWASP ASVS 5.0 chapter 6.

pub mod passkey;
pub mod password;
pub mod recovery;
pub mod secret;
pub mod totp;
