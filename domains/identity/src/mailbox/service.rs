//! Asking for letters, and following their links.

use chrono::TimeDelta;
use kernel::{Fault, Origin};
use mail::{Content, Letter};
use serde_json::json;
use uuid::Uuid;

use super::store::{self, Wanted, Wish};
use super::{Page, may_ask};
use crate::authenticator::Authenticator;
use crate::device::service as devices;
use crate::error::Error;
use crate::factor::service as factors;
use crate::password::service::{choose, keep};
use crate::password::{Passwords, Verified};
use crate::person::service::{self as people, Person};
use crate::proof::{self, Purpose};
use crate::secret;
use crate::session::service as sessions;
use crate::throttle::{self, Guess, service as guesses};

/// A wish that could not be fulfilled for so long is dropped: nobody waits for it any more.
const STALE: TimeDelta = TimeDelta::hours(1);

/// Asks for the letter by which a person proves their address. Nothing is sent to an address that is proved.
///
/// # Errors
/// [`Error::TooManyAttempts`].
pub async fn want_confirmation(auth: &Authenticator, person: Uuid, origin: &Origin) -> Result<(), Error> {
    let Some(person) = people::by_id(auth, person).await? else { return Ok(()) };
    if person.email_verified_at.is_some() || !may_ask(auth, Page::Confirm, &person.email, origin).await? {
        return Ok(());
    }
    Ok(store::put(auth, Wish::Confirm(person.id), &person.email, &person.locale).await?)
}

/// Asks for the letter by which whoever reads a mailbox chooses a new password. The same for every address.
///
/// # Errors
/// [`Error::Invalid`] for what is no address, [`Error::TooManyAttempts`].
pub async fn want_reset(
    auth: &Authenticator,
    email: &str,
    locale: &str,
    origin: &Origin,
) -> Result<(), Error> {
    let email = people::checked_email(email)?;
    if may_ask(auth, Page::Reset, &email, origin).await? {
        store::put(auth, Wish::Reset, &email, locale).await?;
    }
    Ok(())
}

/// Writes some of the letters that were asked for; how many. For a worker. A letter is written at least once: who dies in
/// between has it written again, and the newer link ends the older.
pub async fn write_wanted(auth: &Authenticator, public_url: &str) -> Result<usize, Fault> {
    let wanted = store::take(auth).await?;
    for wish in &wanted {
        if wish.created_at + STALE > auth.clock().now() {
            write(auth, public_url, wish).await?;
        }
        store::done(auth, wish.id).await?;
    }
    Ok(wanted.len())
}

async fn write(auth: &Authenticator, public_url: &str, wanted: &Wanted) -> Result<(), Fault> {
    let holder = people::by_email(auth, &wanted.email).await?;
    let holder = holder.filter(|person| person.disabled_at.is_none());
    match (&wanted.wish, holder) {
        (Wish::Confirm(id), None) => {
            let token = fresh(auth, Purpose::ConfirmEmail, *id, &wanted.email).await?;
            let link = Page::Confirm.link(public_url, &token);
            put(auth, wanted, &wanted.locale, Content::ConfirmAddress { link }).await
        }
        // Confirmed meanwhile.
        (Wish::Confirm(id), Some(holder)) if holder.id == *id => Ok(()),
        (Wish::Confirm(_), Some(holder)) => {
            let link = format!("{public_url}/{}", Page::Reset.path());
            put(auth, wanted, &holder.locale, Content::AddressTaken { link }).await
        }
        (Wish::Reset, Some(holder)) => {
            let token = fresh(auth, Purpose::ResetPassword, holder.id, &wanted.email).await?;
            let link = Page::Reset.link(public_url, &token);
            put(auth, wanted, &holder.locale, Content::ResetPassword { link }).await
        }
        (Wish::Reset, None) => {
            let letter = Letter::new(&wanted.email, &wanted.locale, Content::NoAccount);
            let day = TimeDelta::days(1);
            mail::put_at_most(auth.db(), auth.vault(), auth.clock(), &letter, 1, day).await.map(|_| ())
        }
    }
}

/// A new secret for a person's mailbox, which ends the older ones.
async fn fresh(auth: &Authenticator, purpose: Purpose, person: Uuid, email: &str) -> Result<String, Fault> {
    proof::withdraw(auth, purpose, person).await?;
    proof::issue(auth, purpose, Some(person), Some(email), json!({})).await
}

async fn put(auth: &Authenticator, wanted: &Wanted, locale: &str, content: Content) -> Result<(), Fault> {
    let letter = Letter::new(&wanted.email, locale, content);
    mail::put(auth.db(), auth.vault(), auth.clock(), &letter).await
}

/// Confirms an address by the secret of a letter, and by the account: either the session of `signed_in`, or its password.
///
/// # Errors
/// [`Error::ProofSpent`] for a secret that is not good, [`Error::WrongCredentials`] when the account was not shown,
/// [`Error::EmailTaken`] when somebody else has proved the address meanwhile.
pub async fn confirm(
    auth: &Authenticator,
    passwords: &Passwords,
    token: &str,
    signed_in: Option<Uuid>,
    password: Option<&str>,
    origin: &Origin,
) -> Result<(), Error> {
    let person = holder(auth, Purpose::ConfirmEmail, token).await?;
    if signed_in != Some(person.id) {
        let Some(password) = password else {
            return Err(Error::invalid(
                "password",
                "give the password of the account, or confirm the address while signed in to it",
            ));
        };
        if !knows_password(auth, passwords, &person, password, origin).await? {
            return Err(Error::WrongCredentials);
        }
    }
    proof::redeem(auth, Purpose::ConfirmEmail, token).await?.ok_or(Error::ProofSpent)?;
    if !people::prove_email(auth, person.id).await? {
        return Err(Error::EmailTaken);
    }
    proof::withdraw(auth, Purpose::ConfirmEmail, person.id).await?;
    Ok(())
}

/// Sets a new password by the secret of a letter, and by a code where the account has a second factor: that stays in
/// force. Every session ends, and no device is known any more.
///
/// # Errors
/// [`Error::ProofSpent`], [`Error::CodeNeeded`], [`Error::WrongCode`], [`Error::TooManyAttempts`], and what the rules for
/// passwords refuse.
pub async fn reset(
    auth: &Authenticator,
    passwords: &Passwords,
    token: &str,
    password: &str,
    code: Option<&str>,
    origin: &Origin,
) -> Result<(), Error> {
    let person = holder(auth, Purpose::ResetPassword, token).await?;
    if person.email_verified_at.is_none() {
        return Err(Error::ProofSpent);
    }
    let chosen = choose(auth, passwords, "newPassword", &person, None, password).await?;
    if factors::has_second_factor(auth, person.id).await? {
        let code = code.map(str::trim).filter(|code| !code.is_empty()).ok_or(Error::CodeNeeded)?;
        let challenge = secret::hash(token);
        show_code(auth, person.id, challenge, code, origin).await?;
    }
    proof::redeem(auth, Purpose::ResetPassword, token).await?.ok_or(Error::ProofSpent)?;
    keep(auth, person.id, &chosen).await?;
    proof::withdraw(auth, Purpose::SecondStep, person.id).await?;
    devices::forget_all(auth, person.id).await?;
    sessions::end_others(auth, person.id, None, None).await?;
    guesses::password_replaced(auth, &person.email).await?;
    Ok(people::write_to(auth, &person, Content::PasswordChanged { at: auth.clock().now() }).await?)
}

/// The person of a secret that is good, whose address is still the one that it was sent to.
pub(crate) async fn holder(auth: &Authenticator, purpose: Purpose, token: &str) -> Result<Person, Error> {
    let proof = proof::peek(auth, purpose, token).await?.ok_or(Error::ProofSpent)?;
    let person = match proof.person {
        Some(person) => people::by_id(auth, person).await?,
        None => None,
    };
    let good = |person: &Person| {
        person.disabled_at.is_none() && proof.email.as_deref().is_some_and(|email| email == person.email)
    };
    person.filter(good).ok_or(Error::ProofSpent)
}

/// Whether somebody knows a person's password. Guesses are counted with those at sign-in.
pub(crate) async fn knows_password(
    auth: &Authenticator,
    passwords: &Passwords,
    person: &Person,
    password: &str,
    origin: &Origin,
) -> Result<bool, Error> {
    let guess =
        Guess::Password { email: person.email.clone(), device: None, network: throttle::network(origin) };
    guesses::let_through(auth, &guess).await?;
    let stored = people::password(auth, person.id).await?;
    let right = matches!(passwords.verify(password, stored.as_deref()).await?, Verified::Right { .. });
    if right {
        guesses::succeeded(auth, &guess).await?;
    }
    Ok(right)
}

/// Whether somebody shows a good code of a person's second factor. `challenge` is what it answers.
pub(crate) async fn show_code(
    auth: &Authenticator,
    person: Uuid,
    challenge: Vec<u8>,
    code: &str,
    origin: &Origin,
) -> Result<(), Error> {
    let guess = Guess::Code { person, challenge, device: None, network: throttle::network(origin) };
    guesses::let_through(auth, &guess).await?;
    factors::verify_code(auth, person, code).await?.ok_or(Error::WrongCode)?;
    Ok(guesses::succeeded(auth, &guess).await?)
}
