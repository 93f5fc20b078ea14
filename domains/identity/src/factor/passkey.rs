//! Making, using, renaming and removing passkeys.

use credentials::passkey::{Refusal, RelyingParty, User};
use kernel::{Fault, Kind};
use serde_json::{Value, json};
use uuid::Uuid;

use super::change::{self, Factor, Told, removed, told};
use super::fresh::{self, Fresh, Own};
use super::store::{self, Doomed, NewKey};
use super::{MOST_PASSKEYS, checked_name};
use crate::authenticator::Authenticator;
use crate::error::Error;
use crate::password::Passwords;
use crate::person::service as people;
use crate::proof::{self, Purpose};

/// A ceremony that a browser has to go through.
#[derive(Clone)]
pub struct Ceremony {
    /// The secret that stands for it in the second step; good once, for five minutes.
    pub token: String,
    /// The browser's options, in JSON.
    pub options: String,
}

impl std::fmt::Debug for Ceremony {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Ceremony(…)")
    }
}

/// Begins to make a passkey of this name.
pub async fn begin(
    auth: &Authenticator,
    passwords: &Passwords,
    party: &RelyingParty,
    own: Own<'_>,
    fresh: &Fresh,
    name: &str,
) -> Result<Ceremony, Error> {
    let name = checked_name(name)?;
    fresh::require(auth, passwords, own, fresh).await?;
    let person = people::by_id(auth, own.person).await?;
    let person = person.ok_or_else(|| Fault::Corrupt(format!("the person {} of a session", own.person)))?;
    let known = store::credential_ids(auth, own.person).await?;
    if i64::try_from(known.len()).unwrap_or(i64::MAX) >= MOST_PASSKEYS {
        return Err(too_many());
    }
    let user = User { id: own.person, account: &person.email, name: &person.name };
    let begun = party.begin_registration(user, known)?;
    let data = json!({"name": name, "state": begun.state});
    let token = proof::issue(auth, Purpose::Passkey, Some(own.person), None, data).await?;
    Ok(Ceremony { token, options: begun.options })
}

/// Finishes making a passkey, by the browser's answer; its id.
pub async fn finish(
    auth: &Authenticator,
    party: &RelyingParty,
    own: Own<'_>,
    token: &str,
    answer: &str,
) -> Result<Uuid, Error> {
    let begun = proof::redeem(auth, Purpose::Passkey, token).await?.ok_or(Error::ProofSpent)?;
    if begun.person != Some(own.person) {
        return Err(Error::ProofSpent);
    }
    let mut data = begun.data;
    let name = data["name"].as_str().map(str::to_owned);
    let name = name.ok_or_else(|| Fault::Corrupt("a passkey's ceremony has no name".to_owned()))?;
    let made = party.finish_registration(data["state"].take(), answer)?;
    let id = kernel::id::new();
    let new = NewKey { id, person: own.person, credential_id: made.credential_id, name, data: made.data };
    if !store::insert_passkey(auth, new, MOST_PASSKEYS, auth.clock().now()).await? {
        return Err(too_many());
    }
    told(auth, own, Told::Added, Factor::Passkey, id).await?;
    Ok(id)
}

fn too_many() -> Error {
    Error::invalid(
        "name",
        format!("a person has at most {MOST_PASSKEYS} passkeys, each of its own: remove one first"),
    )
}

/// Gives a passkey of the person another name.
pub async fn rename(auth: &Authenticator, own: Own<'_>, id: Uuid, name: &str) -> Result<(), Error> {
    let name = checked_name(name)?;
    if store::rename_passkey(auth, own.person, id, &name).await? {
        Ok(())
    } else {
        Err(Error::NotFound(Kind::Passkey))
    }
}

/// Removes a passkey of the person. The last factor is refused to who has a short password.
pub async fn remove(
    auth: &Authenticator,
    passwords: &Passwords,
    own: Own<'_>,
    fresh: &Fresh,
    id: Uuid,
) -> Result<(), Error> {
    fresh::require(auth, passwords, own, fresh).await?;
    let how = store::remove(auth, own.person, Doomed::Passkey(id)).await?;
    removed(how, Error::NotFound(Kind::Passkey))?;
    told(auth, own, change::Told::Removed, Factor::Passkey, id).await
}

/// Begins a sign-in by passkey, of nobody yet.
pub async fn begin_sign_in(auth: &Authenticator, party: &RelyingParty) -> Result<Ceremony, Error> {
    let begun = party.begin_sign_in()?;
    let token = proof::issue(auth, Purpose::Passkey, None, None, begun.state).await?;
    Ok(Ceremony { token, options: begun.options })
}

/// Finishes a sign-in by passkey; who it is. The device has verified its user, so this is two factors. Unknown passkeys,
/// those of somebody else and wrong signatures are told alike.
pub async fn finish_sign_in(
    auth: &Authenticator,
    party: &RelyingParty,
    token: &str,
    answer: &str,
) -> Result<Uuid, Error> {
    let begun = proof::redeem(auth, Purpose::Passkey, token).await?.ok_or(Error::ProofSpent)?;
    if begun.person.is_some() {
        return Err(Error::ProofSpent);
    }
    let claimed = party.claimed(answer)?;
    let key = store::key(auth, &claimed.credential_id).await?.ok_or(Refusal::NotProven)?;
    if key.person_id != claimed.user {
        return Err(Refusal::NotProven.into());
    }
    let proven = party.finish_sign_in(begun.data, answer, key.data)?;
    let data: Value = proven.data;
    if !store::use_passkey(auth, key.id, &data, proven.counter.into(), auth.clock().now()).await? {
        return Err(Refusal::Cloned.into());
    }
    Ok(key.person_id)
}
