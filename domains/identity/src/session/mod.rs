//! Signing up, signing in and out, and the companies a person can act in.

pub mod service;

/// A person to sign up.
#[derive(Clone, Debug)]
pub struct NewPerson {
    /// The address, which is the name to sign in with.
    pub email: String,
    /// The person's own name.
    pub name: String,
    /// At least 15 characters.
    pub password: String,
    /// `fr` or `en`.
    pub locale: String,
}

/// Whether a text looks like an e-mail address: one `@`, a dot in the domain, no blanks, at most 254 characters
/// (RFC 5321). Whether it exists, only a mail can tell.
pub fn is_email(text: &str) -> bool {
    text.len() <= 254
        && !text.contains(|c: char| c.is_whitespace() || c.is_control())
        && text.split_once('@').is_some_and(|(local, domain)| {
            !local.is_empty()
                && local.len() <= 64
                && !domain.contains('@')
                && domain.split('.').count() > 1
                && domain.split('.').all(|label| !label.is_empty())
        })
}
