//! Signed links: a short-lived right to one thing of one company, without a session.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, Utc};
use uuid::Uuid;

use crate::fault::Fault;
use crate::vault::Vault;

/// What a signed link allows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Grant {
    /// The company.
    pub company: Uuid,
    /// The thing.
    pub thing: Uuid,
    /// Until when.
    pub expires_at: DateTime<Utc>,
}

const LENGTH: usize = 16 + 16 + 8;

/// The token of a grant for one purpose, safe in a URL.
pub fn sign(vault: &Vault, purpose: &str, grant: Grant) -> Result<String, Fault> {
    let mut bytes = Vec::with_capacity(LENGTH + 32);
    bytes.extend(grant.company.as_bytes());
    bytes.extend(grant.thing.as_bytes());
    bytes.extend(grant.expires_at.timestamp().to_be_bytes());
    let digest = vault.digest(purpose, &bytes)?;
    bytes.extend(digest);
    Ok(URL_SAFE_NO_PAD.encode(bytes))
}

/// The grant of a token, unless it is forged, of another purpose, or expired.
pub fn verify(vault: &Vault, purpose: &str, token: &str, now: DateTime<Utc>) -> Option<Grant> {
    let bytes = URL_SAFE_NO_PAD.decode(token).ok()?;
    let (grant, digest) = bytes.split_first_chunk::<LENGTH>()?;
    if !vault.verify(purpose, grant, digest) {
        return None;
    }
    let expires_at = DateTime::from_timestamp(i64::from_be_bytes(grant[32..].try_into().ok()?), 0)?;
    (now < expires_at).then_some(Grant {
        company: Uuid::from_slice(&grant[..16]).ok()?,
        thing: Uuid::from_slice(&grant[16..32]).ok()?,
        expires_at,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_good_for_its_purpose_until_it_expires() {
        let vault = Vault::parse(&Vault::fresh_setting()).expect("vault");
        let at = DateTime::from_timestamp(1_800_000_000, 0).expect("time");
        let grant = Grant { company: Uuid::now_v7(), thing: Uuid::now_v7(), expires_at: at };
        let token = sign(&vault, "upload", grant).expect("token");
        let before = at - chrono::TimeDelta::seconds(1);
        assert_eq!(verify(&vault, "upload", &token, before), Some(grant));
        assert_eq!(verify(&vault, "download", &token, before), None);
        assert_eq!(verify(&vault, "upload", &token, at), None);
        for index in 0..token.len() {
            let mut forged = token.clone().into_bytes();
            forged[index] = if forged[index] == b'A' { b'B' } else { b'A' };
            let forged = String::from_utf8(forged).expect("ascii");
            assert_eq!(verify(&vault, "upload", &forged, before), None, "character {index}");
        }
    }
}
