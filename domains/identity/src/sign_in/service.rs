//! From a password, a passkey or the word of a provider to a session.

use kernel::{Fault, Origin};
use mail::Content;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{Attempt, Challenge, SignedIn, Step};
use crate::agent;
use crate::assurance::Assurance;
use crate::authenticator::Authenticator;
use crate::device::service as device;
use crate::error::Error;
use crate::factor::service as factor;
use crate::password::{Passwords, Verified};
use crate::person::service as person;
use crate::proof::{self, Purpose};
use crate::secret;
use crate::session::service::{self as session, How};
use crate::throttle::{self, Guess};

/// What the second step must find again of the first.
#[derive(Serialize, Deserialize)]
struct First {
    company: Option<Uuid>,
    device_token: Option<String>,
    /// Whether the session is to be good in that company only.
    #[serde(default)]
    confined: bool,
}

/// Signs in by e-mail and password. An unknown address, one that nobody has proved and a wrong password are told alike,
/// and take the same work.
pub async fn by_password(
    auth: &Authenticator,
    passwords: &Passwords,
    attempt: Attempt,
    origin: Origin,
) -> Result<Step, Error> {
    let found = person::by_email(auth, &attempt.email).await?;
    let found = found.filter(|person| person.disabled_at.is_none());
    let id = found.as_ref().map_or(Uuid::nil(), |person| person.id);
    let guess = Guess::Password {
        email: attempt.email.clone(),
        device: device::known(auth, id, attempt.device_token.as_deref()).await?,
        network: throttle::network(&origin),
    };
    throttle::service::let_through(auth, &guess).await?;
    let stored = match &found {
        Some(person) => person::password(auth, person.id).await?,
        None => None,
    };
    let verified = passwords.verify(&attempt.password, stored.as_deref()).await?;
    let (Some(person), Verified::Right { outdated }) = (found, verified) else {
        return Err(Error::WrongCredentials);
    };
    throttle::service::succeeded(auth, &guess).await?;
    if outdated {
        person::rehash(auth, person.id, &passwords.hash(&attempt.password).await?).await?;
    }
    let Attempt { company, device_token, .. } = attempt;
    by_known(auth, person.id, Assurance::Password, company, device_token, origin).await
}

/// Goes on for a person whose first factor was right: to the second one where the account has it and it was not shown
/// already, else to the session.
pub async fn by_known(
    auth: &Authenticator,
    person: Uuid,
    shown: Assurance,
    company: Option<Uuid>,
    device_token: Option<String>,
    origin: Origin,
) -> Result<Step, Error> {
    go_on(auth, person, shown, First { company, device_token, confined: false }, origin).await
}

/// The same by the word of a provider. `confined`: the session is good in that company only, for whoever runs the company's own
/// provider could say that it is anybody.
pub(crate) async fn by_provider(
    auth: &Authenticator,
    person: Uuid,
    shown: Assurance,
    (company, confined): (Option<Uuid>, bool),
    device_token: Option<String>,
    origin: Origin,
) -> Result<Step, Error> {
    go_on(auth, person, shown, First { company, device_token, confined }, origin).await
}

async fn go_on(
    auth: &Authenticator,
    person: Uuid,
    shown: Assurance,
    first: First,
    origin: Origin,
) -> Result<Step, Error> {
    if shown < Assurance::SecondFactor && factor::has_second_factor(auth, person).await? {
        let first = serde_json::to_value(first)
            .map_err(|e| Fault::Internal(format!("a sign-in's first step: {e}")))?;
        let token = proof::issue(auth, Purpose::SecondStep, Some(person), None, first).await?;
        let expires_at = auth.clock().now() + Purpose::SecondStep.lifetime();
        return Ok(Step::Second(Challenge { token, expires_at }));
    }
    Ok(Step::In(enter(auth, person, shown, first, origin).await?))
}

/// Completes a sign-in by a code of the second factor, or a recovery code. A wrong code leaves the first step good for
/// another try.
pub async fn complete(
    auth: &Authenticator,
    challenge: &str,
    code: &str,
    origin: Origin,
) -> Result<SignedIn, Error> {
    let begun = proof::peek(auth, Purpose::SecondStep, challenge).await?.ok_or(Error::ProofSpent)?;
    let person = begun.person.ok_or(Error::ProofSpent)?;
    let first: First = serde_json::from_value(begun.data)
        .map_err(|e| Fault::Corrupt(format!("a sign-in's first step: {e}")))?;
    let guess = Guess::Code {
        person,
        challenge: secret::hash(challenge),
        device: device::known(auth, person, first.device_token.as_deref()).await?,
        network: throttle::network(&origin),
    };
    throttle::service::let_through(auth, &guess).await?;
    if factor::verify_code(auth, person, code).await?.is_none() {
        return Err(Error::WrongCode);
    }
    proof::redeem(auth, Purpose::SecondStep, challenge).await?.ok_or(Error::ProofSpent)?;
    throttle::service::succeeded(auth, &guess).await?;
    enter(auth, person, Assurance::SecondFactor, first, origin).await
}

/// Opens the session. Whoever comes on a device for the first time is told by letter, unless it is their first.
async fn enter(
    auth: &Authenticator,
    person: Uuid,
    assurance: Assurance,
    First { company, device_token, confined }: First,
    origin: Origin,
) -> Result<SignedIn, Error> {
    let known = device::known(auth, person, device_token.as_deref()).await?;
    let how = How { assurance, device: known, confined };
    let opened = session::open(auth, person, company, how, origin.clone()).await;
    let opened = opened.map_err(|error| match error {
        // Whether a company exists is not told to who is no member of it.
        Error::NotFound(_) => Error::WrongCredentials,
        other => other,
    })?;
    if let Some(device) = known {
        device::seen(auth, device, &origin).await?;
        return Ok(SignedIn { opened, device_token: None });
    }
    let (device, token, has_others) = device::remember(auth, person, &origin).await?;
    session::bind(auth, opened.id, device).await?;
    if has_others {
        notice(auth, person, &origin).await?;
    }
    Ok(SignedIn { opened, device_token: Some(token) })
}

/// Tells a person by letter that a device was new.
async fn notice(auth: &Authenticator, person: Uuid, origin: &Origin) -> Result<(), Error> {
    let Some(person) = person::by_id(auth, person).await? else { return Ok(()) };
    let content = Content::NewDevice {
        agent: Some(agent::describe(origin.agent.as_deref(), &person.locale)),
        address: origin.address.clone(),
        place: auth.places().of_stored(origin.address.as_deref(), &person.locale),
        at: auth.clock().now(),
    };
    person::write_to(auth, &person, content).await?;
    Ok(())
}
