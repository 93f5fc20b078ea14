//! Adding and removing authenticator applications and recovery codes.

use chrono::TimeDelta;
use credentials::{recovery, totp};
use kernel::{Fault, Kind, NewEvent};
use mail::Content;
use uuid::Uuid;

use super::fresh::{self, Fresh, Own};
use super::store::{self, Doomed, Removed};
use super::{service, store::Totp};
use crate::authenticator::Authenticator;
use crate::error::Error;
use crate::password::Passwords;
use crate::person::service as people;

/// The name of the service in applications.
const ISSUER: &str = "Coulisse";
/// How long a secret waits for its first code.
const WAITS: TimeDelta = TimeDelta::minutes(15);

/// A secret for an authenticator application, shown this once.
#[derive(Clone)]
pub struct NewTotp {
    /// To type it in: base 32.
    pub secret: String,
    /// To show as a QR code: `otpauth://totp/…`.
    pub uri: String,
}

impl std::fmt::Debug for NewTotp {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("NewTotp(…)")
    }
}

/// Begins to add an authenticator application. It is a factor once [`confirm_totp`] has seen its first code; a second
/// beginning ends the first.
pub async fn begin_totp(
    auth: &Authenticator,
    passwords: &Passwords,
    own: Own<'_>,
    fresh: &Fresh,
) -> Result<NewTotp, Error> {
    fresh::require(auth, passwords, own, fresh).await?;
    let person = people::by_id(auth, own.person).await?;
    let person = person.ok_or_else(|| Fault::Corrupt(format!("the person {} of a session", own.person)))?;
    let secret = totp::Secret::generate();
    let sealed = service::sealed(auth, own.person, &secret)?;
    if !store::put_totp(auth, own.person, &sealed, auth.clock().now()).await? {
        return Err(Error::TotpExists);
    }
    Ok(NewTotp { secret: secret.base32(), uri: secret.uri(ISSUER, &person.email) })
}

/// Confirms an authenticator application by its first code, which is thereby used.
pub async fn confirm_totp(auth: &Authenticator, own: Own<'_>, code: &str) -> Result<(), Error> {
    let now = auth.clock().now();
    let Some(Totp { secret, created_at, confirmed_at: None, .. }) = store::totp(auth, own.person).await?
    else {
        return Err(Error::TotpNotBegun);
    };
    if created_at + WAITS <= now {
        return Err(Error::TotpNotBegun);
    }
    let opened = service::opened(auth, own.person, &secret)?;
    let code = totp::normalise(code).ok_or(Error::WrongCode)?;
    let step = opened.accepted_step(&code, now.timestamp(), None).ok_or(Error::WrongCode)?;
    if !store::confirm_totp(auth, own.person, &secret, step, now).await? {
        return Err(Error::TotpNotBegun);
    }
    told(auth, own, Told::Added, Factor::Totp, own.person).await
}

/// Removes the authenticator application. The last factor is refused to who has a short password.
pub async fn remove_totp(
    auth: &Authenticator,
    passwords: &Passwords,
    own: Own<'_>,
    fresh: &Fresh,
) -> Result<(), Error> {
    fresh::require(auth, passwords, own, fresh).await?;
    removed(store::remove(auth, own.person, Doomed::Totp).await?, Error::TotpNotBegun)?;
    told(auth, own, Told::Removed, Factor::Totp, own.person).await
}

/// New recovery codes, shown this once; the old ones end.
///
/// # Errors
/// [`Error::NoSecondFactor`] when there is nothing that they would stand in for.
pub async fn renew_recovery_codes(
    auth: &Authenticator,
    passwords: &Passwords,
    own: Own<'_>,
    fresh: &Fresh,
) -> Result<Vec<String>, Error> {
    if !service::has_second_factor(auth, own.person).await? {
        return Err(Error::NoSecondFactor);
    }
    fresh::require(auth, passwords, own, fresh).await?;
    let codes = recovery::generate();
    let hashes = codes.iter().filter_map(|code| recovery::normalise(code)).map(|code| recovery::hash(&code));
    let hashes: Vec<_> = hashes.collect();
    store::replace_recovery_codes(auth, own.person, &hashes, auth.clock().now()).await?;
    told(auth, own, Told::Added, Factor::RecoveryCodes, own.person).await?;
    Ok(codes)
}

/// What was changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Factor {
    Totp,
    Passkey,
    RecoveryCodes,
}

impl Factor {
    fn name(self) -> &'static str {
        match self {
            Self::Totp => "totp",
            Self::Passkey => "passkey",
            Self::RecoveryCodes => "recoveryCodes",
        }
    }

    fn in_letters(self) -> mail::Factor {
        match self {
            Self::Totp => mail::Factor::Totp,
            Self::Passkey => mail::Factor::Passkey,
            Self::RecoveryCodes => mail::Factor::RecoveryCodes,
        }
    }
}

/// What became of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Told {
    Added,
    Removed,
}

/// The refusal of a removal, if it is one.
pub(super) fn removed(how: Removed, not_there: Error) -> Result<(), Error> {
    match how {
        Removed::Yes => Ok(()),
        Removed::NotThere => Err(not_there),
        Removed::Needed => Err(Error::PasswordNeedsFactor),
    }
}

/// Writes a change of factors into the log of the session's company, and a letter to the person: who did not do it must
/// learn of it (OWASP ASVS 5.0, 6.3.7). The change itself is done: should this fail, it is told as a fault and stands.
pub(super) async fn told(
    auth: &Authenticator,
    own: Own<'_>,
    told: Told,
    factor: Factor,
    subject: Uuid,
) -> Result<(), Error> {
    let kind = match told {
        Told::Added => "person.factor_added",
        Told::Removed => "person.factor_removed",
    };
    let person = own.person;
    own.scope
        .write(|tx| {
            Box::pin(async move {
                let event = NewEvent::new(kind, Kind::Person, person).fact("factor", factor.name());
                let event = if subject == person {
                    event
                } else {
                    event.fact("passkey", kernel::id::encode(Kind::Passkey, subject))
                };
                event.append(tx).await.map_err(Error::from)
            })
        })
        .await?;
    let (at, what) = (auth.clock().now(), factor.in_letters());
    let content = match told {
        Told::Added => Content::FactorAdded { what, at },
        Told::Removed => Content::FactorRemoved { what, at },
    };
    if let Some(person) = people::by_id(auth, person).await? {
        people::write_to(auth, &person, content).await?;
    }
    Ok(())
}
