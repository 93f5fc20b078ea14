//! People: who they say they are, the address that they have proved, and their password.

pub mod service;

/// A person to sign up.
#[derive(Clone, Debug)]
pub struct NewPerson {
    /// The address, which is the name to sign in with once it is proved.
    pub email: String,
    /// The person's own name.
    pub name: String,
    /// At least 15 characters.
    pub password: String,
    /// `fr` or `en`.
    pub locale: String,
}

/// Whether an address has the shape of an e-mail address; only mail sent there proves it. Addresses of
/// RFC 5321 with quoted parts or address literals are not used in business and are refused.
pub fn is_email(text: &str) -> bool {
    let Some((local, domain)) = text.rsplit_once('@') else {
        return false;
    };
    let label = |label: &str| {
        (1..=63).contains(&label.len())
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label.chars().all(|c| c.is_alphanumeric() || c == '-')
    };
    (1..=64).contains(&local.len())
        && text.len() <= 254
        && !local.starts_with('.')
        && !local.ends_with('.')
        && !local.contains("..")
        && local.chars().all(|c| c.is_alphanumeric() || "!#$%&'*+/=?^_`{|}~.-".contains(c))
        && domain.contains('.')
        && domain.split('.').all(label)
}
