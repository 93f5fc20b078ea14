//! Choosing another password.

use kernel::{Fault, Kind, NewEvent};
use mail::Content;
use uuid::Uuid;

use super::Passwords;
use crate::authenticator::Authenticator;
use crate::company::service as companies;
use crate::error::Error;
use crate::factor::fresh::{Own, password_of};
use crate::factor::service::has_second_factor;
use crate::person::service as people;
use crate::proof::{self, Purpose};
use crate::session::service as sessions;

/// A password to choose in the place of the present one.
#[derive(Clone)]
pub struct Change {
    /// The present one.
    pub current: String,
    /// The new one.
    pub new: String,
    /// Whether the person's other sessions end.
    pub end_others: bool,
}

impl std::fmt::Debug for Change {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Change(…)")
    }
}

/// A password that was accepted and hashed.
#[derive(Clone)]
pub(crate) struct Chosen {
    hash: String,
    short: bool,
}

/// Checks a password that a known person chooses, and hashes it.
pub(crate) async fn choose(
    auth: &Authenticator,
    passwords: &Passwords,
    field: &'static str,
    person: &people::Person,
    company: Option<&str>,
    new: &str,
) -> Result<Chosen, Error> {
    let own = [person.name.as_str(), person.email.as_str(), company.unwrap_or_default()];
    let second = has_second_factor(auth, person.id).await?;
    let accepted = passwords.accept(field, new, &own, second).await?;
    Ok(Chosen { hash: passwords.hash(new).await?, short: accepted.short })
}

/// Keeps a chosen password, and ends every open link to choose another. A short one is refused when the second factor that
/// it needs has gone meanwhile: both sides lock the person.
pub(crate) async fn keep(auth: &Authenticator, person: Uuid, chosen: &Chosen) -> Result<(), Error> {
    let mut tx = auth.db().begin_directory().await?;
    let locked = sqlx::query("SELECT 1 FROM person WHERE id = $1 FOR NO KEY UPDATE").bind(person);
    locked.execute(&mut *tx).await.map_err(Fault::from)?;
    let sql = "INSERT INTO credential (person_id, password, short, updated_at)
         SELECT $1, $2, $3, $4 WHERE NOT $3
             OR EXISTS (SELECT FROM totp WHERE person_id = $1 AND confirmed_at IS NOT NULL)
             OR EXISTS (SELECT FROM passkey WHERE person_id = $1)
         ON CONFLICT (person_id) DO UPDATE
         SET password = excluded.password, short = excluded.short, updated_at = excluded.updated_at";
    let kept = sqlx::query(sql).bind(person).bind(&chosen.hash).bind(chosen.short).bind(auth.clock().now());
    if kept.execute(&mut *tx).await.map_err(Fault::from)?.rows_affected() == 0 {
        return Err(Error::PasswordNeedsFactor);
    }
    tx.commit().await.map_err(Fault::from)?;
    Ok(proof::withdraw(auth, Purpose::ResetPassword, person).await?)
}

/// Changes the password of who is signed in and gives the present one; how many other sessions ended.
pub async fn change(
    auth: &Authenticator,
    passwords: &Passwords,
    own: Own<'_>,
    change: Change,
) -> Result<usize, Error> {
    password_of(auth, passwords, own, &change.current).await?;
    let person = people::by_id(auth, own.person).await?;
    let person = person.ok_or_else(|| Fault::Corrupt(format!("the person {} of a session", own.person)))?;
    let tx = own.scope.read().await?;
    let company = companies::name_in(&tx).await;
    tx.end().await;
    let company = company?;
    let chosen = choose(auth, passwords, "newPassword", &person, Some(&company), &change.new).await?;
    keep(auth, own.person, &chosen).await?;
    // A sign-in that was begun with the old password is not finished with the second factor alone.
    proof::withdraw(auth, Purpose::SecondStep, own.person).await?;
    let ended = if change.end_others {
        sessions::end_others(auth, own.person, Some(own.session), None).await?
    } else {
        0
    };
    own.scope
        .write(|tx| {
            let person = own.person;
            Box::pin(async move {
                let event = NewEvent::new("person.password_changed", Kind::Person, person);
                event.fact("ended_sessions", ended).append(tx).await.map_err(Error::from)
            })
        })
        .await?;
    people::write_to(auth, &person, Content::PasswordChanged { at: auth.clock().now() }).await?;
    Ok(ended)
}
