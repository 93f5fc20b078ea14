//! A fresh proof of who is signed in: what somebody who only has the session's token cannot give.

use chrono::TimeDelta;
use kernel::{Actor, Fault, Scope};
use uuid::Uuid;

use super::service;
use crate::authenticator::Authenticator;
use crate::error::Error;
use crate::password::{Passwords, Verified};
use crate::person::service as people;
use crate::throttle::{self, Guess, service as throttles};

/// How old a session may be at most to stand for a proof, of somebody who has neither password nor code.
const JUST_NOW: TimeDelta = TimeDelta::minutes(10);

/// What the person gives again: one of the two is enough.
#[derive(Clone, Default)]
pub struct Fresh {
    /// The present password.
    pub password: Option<String>,
    /// A code of the authenticator application, or a recovery code.
    pub code: Option<String>,
}

impl std::fmt::Debug for Fresh {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Fresh(…)")
    }
}

/// Who changes their own factors, in which session.
#[derive(Clone, Copy, Debug)]
pub struct Own<'a> {
    /// The scope of the session.
    pub scope: &'a Scope,
    /// The session.
    pub session: Uuid,
    /// The person.
    pub person: Uuid,
}

impl<'a> Own<'a> {
    /// The person of a session; `None` for programs.
    pub fn of(scope: &'a Scope, session: Option<Uuid>) -> Option<Self> {
        match (scope.actor(), session) {
            (Actor::Person(person), Some(session)) => Some(Self { scope, session, person }),
            _ => None,
        }
    }
}

/// Refuses who does not prove anew that it is still the person who signed in. Guesses are counted as those of a sign-in.
///
/// # Errors
/// [`Error::ProofNeeded`] when nothing was given, [`Error::WrongPassword`] and [`Error::WrongCode`] when it is wrong.
pub async fn require(
    auth: &Authenticator,
    passwords: &Passwords,
    own: Own<'_>,
    fresh: &Fresh,
) -> Result<(), Error> {
    match (&fresh.password, &fresh.code) {
        (Some(password), _) => password_of(auth, passwords, own, password).await,
        (None, Some(code)) => code_of(auth, own, code).await,
        (None, None) if signed_in_just_now(auth, own).await? => Ok(()),
        (None, None) => Err(Error::ProofNeeded),
    }
}

/// Verifies the present password of who is signed in.
pub(crate) async fn password_of(
    auth: &Authenticator,
    passwords: &Passwords,
    own: Own<'_>,
    password: &str,
) -> Result<(), Error> {
    let person = people::by_id(auth, own.person).await?;
    let person = person.ok_or_else(|| Fault::Corrupt(format!("the person {} of a session", own.person)))?;
    let guess = Guess::Password {
        email: person.email,
        device: device(auth, own).await?,
        network: throttle::network(own.scope.origin()),
    };
    throttles::let_through(auth, &guess).await?;
    let stored = people::password(auth, own.person).await?;
    match passwords.verify(password, stored.as_deref()).await? {
        Verified::Right { .. } => Ok(throttles::succeeded(auth, &guess).await?),
        Verified::Wrong => Err(Error::WrongPassword),
    }
}

async fn code_of(auth: &Authenticator, own: Own<'_>, code: &str) -> Result<(), Error> {
    let guess = Guess::Code {
        person: own.person,
        challenge: own.session.as_bytes().to_vec(),
        device: device(auth, own).await?,
        network: throttle::network(own.scope.origin()),
    };
    throttles::let_through(auth, &guess).await?;
    match service::verify_code(auth, own.person, code).await? {
        Some(_) => Ok(throttles::succeeded(auth, &guess).await?),
        None => Err(Error::WrongCode),
    }
}

/// The device on which the session was opened: its guesses are its own.
async fn device(auth: &Authenticator, own: Own<'_>) -> Result<Option<Uuid>, Fault> {
    let sql = "SELECT device_id FROM session WHERE id = $1";
    let device: Option<Option<Uuid>> =
        sqlx::query_scalar(sql).bind(own.session).fetch_optional(auth.db().directory()).await?;
    Ok(device.flatten())
}

/// Whether the session was opened just now by somebody who has nothing else to give: no password and no application,
/// but the word of a provider for all companies, or a passkey. The word of a company's own provider is not enough: who
/// runs it could make itself a factor of somebody else, and be that person in other companies.
async fn signed_in_just_now(auth: &Authenticator, own: Own<'_>) -> Result<bool, Fault> {
    let sql = "SELECT EXISTS (SELECT FROM session WHERE id = $1 AND authenticated_at > $3 AND NOT confined)
           AND NOT EXISTS (SELECT FROM credential WHERE person_id = $2)
           AND NOT EXISTS (SELECT FROM totp WHERE person_id = $2 AND confirmed_at IS NOT NULL)";
    let since = auth.clock().now() - JUST_NOW;
    let found = sqlx::query_scalar(sql).bind(own.session).bind(own.person).bind(since);
    Ok(found.fetch_one(auth.db().directory()).await?)
}
