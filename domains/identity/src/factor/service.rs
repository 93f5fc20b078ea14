//! Verifying codes, and listing a person's own factors.

use credentials::{recovery, totp};
use kernel::Fault;
use kernel::vault::Place;
use uuid::Uuid;

pub use super::Method;
use super::{Factors, store};
use crate::authenticator::Authenticator;

/// Whether a person has a second factor.
pub async fn has_second_factor(auth: &Authenticator, person: Uuid) -> Result<bool, Fault> {
    store::has_second(auth, person).await
}

/// Verifies a code of an authenticator application or a recovery code, and uses it up: of any number of calls with one
/// code, at most one is told that it is right. `None`: it is wrong, used, or the person has no second factor.
///
/// Counting how often this is tried is the caller's.
pub async fn verify_code(auth: &Authenticator, person: Uuid, code: &str) -> Result<Option<Method>, Fault> {
    let now = auth.clock().now();
    if let Some(code) = totp::normalise(code) {
        let Some(known) = store::totp(auth, person).await? else { return Ok(None) };
        if known.confirmed_at.is_none() {
            return Ok(None);
        }
        let secret = opened(auth, person, &known.secret)?;
        let Some(step) = secret.accepted_step(&code, now.timestamp(), known.last_step) else {
            return Ok(None);
        };
        let used = store::use_step(auth, person, &known.secret, step).await?;
        return Ok(used.then_some(Method::Totp));
    }
    let Some(code) = recovery::normalise(code) else { return Ok(None) };
    let used = store::use_recovery_code(auth, person, &recovery::hash(&code), now).await?;
    Ok(used.then_some(Method::RecoveryCode))
}

/// The factors of a person, for the person.
pub async fn list(auth: &Authenticator, person: Uuid) -> Result<Factors, Fault> {
    let totp = store::totp(auth, person).await?;
    Ok(Factors {
        totp_since: totp.and_then(|totp| totp.confirmed_at),
        passkeys: store::passkeys(auth, person).await?,
        recovery_codes: store::recovery_codes_left(auth, person).await?,
    })
}

fn place(person: Uuid) -> Place<'static> {
    Place { company: Uuid::nil(), column: "totp.secret", row: person }
}

pub(super) fn sealed(auth: &Authenticator, person: Uuid, secret: &totp::Secret) -> Result<Vec<u8>, Fault> {
    auth.vault().seal(place(person), &secret.base32())
}

pub(super) fn opened(auth: &Authenticator, person: Uuid, sealed: &[u8]) -> Result<totp::Secret, Fault> {
    let secret = auth.vault().open(place(person), sealed)?;
    totp::Secret::parse(&secret).ok_or_else(|| Fault::Corrupt(format!("the secret of {person}'s codes")))
}
