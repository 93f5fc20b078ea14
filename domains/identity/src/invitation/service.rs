//! Inviting, and accepting.

use kernel::{Actor, Fault, Kind, NewEvent, Origin, Permission, Tx};
use mail::{Content, Letter};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::store::{self, Turn};
use super::{Invitation, LIFETIME, MOST_OPEN, Offer};
use crate::approval::service as approval;
use crate::authenticator::Authenticator;
use crate::company::{service as companies, twin};
use crate::error::Error;
use crate::factor::service as factors;
use crate::mailbox::service::{knows_password, show_code};
use crate::mailbox::{Page, may_ask};
use crate::member::service as members;
use crate::password::Passwords;
use crate::person::NewPerson;
use crate::person::service::{self as people, Prepared};
use crate::proof::{self, Purpose};
use crate::role::Role;
use crate::role::service::{self as roles, CompanyRole};
use crate::secret;

/// How long to wait before an address may be written to again: what the limit for letters gives back.
const WAIT_SECONDS: u64 = 20 * 60;

/// What a secret stands for: one version of one invitation.
#[derive(Serialize, Deserialize)]
struct Stub {
    company: Uuid,
    invitation: Uuid,
    version: i32,
}

/// Invites an address to a role, by its key, and writes the letter.
///
/// # Errors
/// [`Error::Invalid`], [`Error::RoleBeyondOwn`], [`Error::OwnersOnly`], [`Error::AlreadyMember`],
/// [`Error::AlreadyInvited`], [`Error::ApprovalNeeded`], and [`Error::TooManyAttempts`] when the address was written to
/// too often.
pub async fn invite(
    tx: &Tx,
    auth: &Authenticator,
    email: &str,
    role: &str,
    public_url: &str,
) -> Result<Uuid, Error> {
    tx.scope().require(Permission::MembersManage)?;
    approval::refuse_if_needed(tx).await?;
    invite_approved(tx, auth, email, role, public_url).await
}

/// As [`invite`], when nobody need approve it any more.
pub(crate) async fn invite_approved(
    tx: &Tx,
    auth: &Authenticator,
    email: &str,
    role: &str,
    public_url: &str,
) -> Result<Uuid, Error> {
    let (id, email, role) = open_in(tx, auth, email, role).await?;
    let stub = Stub { company: tx.scope().company().id, invitation: id, version: 1 };
    write(tx, auth, stub, &email, &role, public_url).await?;
    Ok(id)
}

/// Makes an invitation, and no letter.
pub(crate) async fn open_in(
    tx: &Tx,
    auth: &Authenticator,
    email: &str,
    role: &str,
) -> Result<(Uuid, String, CompanyRole), Error> {
    let scope = tx.scope();
    scope.require(Permission::MembersManage)?;
    let email = people::checked_email(email)?;
    let role = roles::grantable(tx, role).await?;
    // Who has proved the address is not told, but no member is invited.
    if let Some(holder) = people::by_email(auth, &email).await?
        && store::is_member(tx, holder.id).await?
    {
        return Err(Error::AlreadyMember);
    }
    if store::count_open(tx).await? >= MOST_OPEN {
        return Err(Error::invalid(
            "email",
            format!("a company has at most {MOST_OPEN} open invitations: revoke some first"),
        ));
    }
    let id = tx.new_id();
    if !store::insert(tx, id, &email, &role.key, scope.clock().now() + LIFETIME).await? {
        return Err(Error::AlreadyInvited);
    }
    let event = NewEvent::new("invitation.made", Kind::Invitation, id).fact("role", &role.key);
    event.changed_personal("email", None, Some(&email)).append(tx).await?;
    Ok((id, email, role))
}

/// Sends an open invitation again: for another seven days, by a link that ends the older ones.
///
/// # Errors
/// [`Error::NotFound`], [`Error::Conflict`], and as [`invite`].
pub async fn resend(
    tx: &Tx,
    auth: &Authenticator,
    id: Uuid,
    expected_version: i32,
    public_url: &str,
) -> Result<(), Error> {
    let scope = tx.scope();
    scope.require(Permission::MembersManage)?;
    let found = locked(tx, id, expected_version).await?;
    let role = roles::grantable(tx, &found.role).await?;
    let expires_at = scope.clock().now() + LIFETIME;
    store::turn(tx, id, &Turn::Renewed { expires_at }).await?;
    NewEvent::new("invitation.resent", Kind::Invitation, id).fact("role", &role.key).append(tx).await?;
    let stub = Stub { company: scope.company().id, invitation: id, version: expected_version + 1 };
    write(tx, auth, stub, &found.email, &role, public_url).await
}

/// Writes the letter, with a new secret. Should the transaction fail afterwards, the secret stands for nothing, and nobody
/// knows it.
async fn write(
    tx: &Tx,
    auth: &Authenticator,
    stub: Stub,
    email: &str,
    role: &CompanyRole,
    public_url: &str,
) -> Result<(), Error> {
    let scope = tx.scope();
    if !may_ask(auth, Page::Invitation, email, scope.origin()).await? {
        return Err(Error::TooManyAttempts { retry_after_seconds: WAIT_SECONDS });
    }
    let (company, locale) = (companies::name_in(tx).await?, scope.company().locale.as_str());
    let inviter = match scope.actor() {
        Actor::Person(person) => people::by_id(auth, person).await?.map(|person| person.name),
        _ => None,
    };
    let data = serde_json::to_value(stub).map_err(|e| Fault::Internal(format!("an invitation: {e}")))?;
    let token = proof::issue(auth, Purpose::Invitation, None, Some(email), data).await?;
    let content = Content::Invitation {
        // A program has no name that people know: the company's stands in.
        inviter: inviter.unwrap_or_else(|| company.clone()),
        role: role.name(locale).to_owned(),
        company,
        link: Page::Invitation.link(public_url, &token),
    };
    Ok(mail::put_in(tx, &Letter::new(email, locale, content)).await?)
}

/// Revokes an open invitation: its link is dead.
///
/// # Errors
/// [`Error::NotFound`], [`Error::Conflict`].
pub async fn revoke(tx: &Tx, id: Uuid, expected_version: i32) -> Result<(), Error> {
    tx.scope().require(Permission::MembersManage)?;
    locked(tx, id, expected_version).await?;
    store::turn(tx, id, &Turn::Revoked).await?;
    Ok(NewEvent::new("invitation.revoked", Kind::Invitation, id).append(tx).await?)
}

async fn locked(tx: &Tx, id: Uuid, expected: i32) -> Result<Invitation, Error> {
    let found = store::locked(tx, id).await?.ok_or(Error::NotFound(Kind::Invitation))?;
    if found.version == expected {
        Ok(found)
    } else {
        Err(Error::Conflict { expected, actual: found.version })
    }
}

/// The open invitations, also those that have run out, newest first. They are few, and not paged.
pub async fn list(tx: &Tx) -> Result<Vec<Invitation>, Error> {
    tx.scope().require(Permission::MembersRead)?;
    Ok(store::open(tx, MOST_OPEN).await?)
}

/// An invitation of any state, or none for an unknown id.
pub async fn get(tx: &Tx, id: Uuid) -> Result<Option<Invitation>, Error> {
    tx.scope().require(Permission::MembersRead)?;
    Ok(store::get(tx, id).await?)
}

/// What a secret offers, without using it up. Every secret that is not good is told alike.
///
/// # Errors
/// [`Error::ProofSpent`].
pub async fn look(auth: &Authenticator, token: &str, origin: Origin) -> Result<Offer, Error> {
    let (stub, email) = read(auth, token).await?;
    let scope = auth.link_scope(stub.company, Actor::System, origin).await?.ok_or(Error::ProofSpent)?;
    let tx = scope.read().await?;
    let found = store::get(&tx, stub.invitation).await?;
    let found = found.filter(|found| is_open(found, &stub, scope.clock().now())).ok_or(Error::ProofSpent)?;
    let role = roles::by_keys(&tx, std::slice::from_ref(&found.role)).await?.into_iter().next();
    let role = role.map_or(found.role, |role| role.name(&scope.company().locale).to_owned());
    let company = companies::name_in(&tx).await?;
    tx.end().await;
    let has_account = people::by_email(auth, &email).await?.is_some();
    Ok(Offer { company, role, email, has_account })
}

async fn read(auth: &Authenticator, token: &str) -> Result<(Stub, String), Error> {
    let proof = proof::peek(auth, Purpose::Invitation, token).await?.ok_or(Error::ProofSpent)?;
    let stub =
        serde_json::from_value(proof.data).map_err(|e| Fault::Corrupt(format!("an invitation: {e}")))?;
    Ok((stub, proof.email.ok_or(Error::ProofSpent)?))
}

fn is_open(found: &Invitation, stub: &Stub, now: chrono::DateTime<chrono::Utc>) -> bool {
    found.accepted_at.is_none()
        && found.revoked_at.is_none()
        && found.version == stub.version
        && now < found.expires_at
}

/// Joins the company of a secret as a person who is signed in; the company.
///
/// # Errors
/// [`Error::ProofSpent`], [`Error::AlreadyMember`].
pub async fn accept_as(
    auth: &Authenticator,
    token: &str,
    person: Uuid,
    origin: &Origin,
) -> Result<Uuid, Error> {
    let (stub, email) = read(auth, token).await?;
    let company = join(auth, &stub, Prepared::known(person), origin).await?;
    spend(auth, token).await?;
    // The mailbox was shown by the secret, the account by the session.
    let own = people::by_id(auth, person).await?;
    if own.is_some_and(|own| own.email == email && own.email_verified_at.is_none()) {
        people::prove_email(auth, person).await?;
    }
    Ok(company)
}

/// Who joins with a new account.
#[derive(Clone, Default)]
pub struct Newcomer {
    /// The person's name.
    pub name: Option<String>,
    /// The password to be.
    pub password: Option<String>,
}

impl std::fmt::Debug for Newcomer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Newcomer(…)")
    }
}

/// Joins the company of a secret with a new account, whose address is thereby proved; the person and the company.
///
/// # Errors
/// [`Error::ProofSpent`], [`Error::SignInFirst`] when the address has an account, and what is refused of the name and the
/// password.
pub async fn accept_new(
    auth: &Authenticator,
    passwords: &Passwords,
    token: &str,
    newcomer: Newcomer,
    origin: &Origin,
) -> Result<(Uuid, Uuid), Error> {
    let (stub, email) = read(auth, token).await?;
    if people::by_email(auth, &email).await?.is_some() {
        return Err(Error::SignInFirst);
    }
    let name = newcomer.name.ok_or_else(|| Error::invalid("name", "give the name of the new account"))?;
    let password = newcomer
        .password
        .ok_or_else(|| Error::invalid("password", "choose a password for the new account"))?;
    let scope =
        auth.link_scope(stub.company, Actor::System, origin.clone()).await?.ok_or(Error::ProofSpent)?;
    let locale = scope.company().locale.clone();
    let tx = scope.read().await?;
    let company = companies::name_in(&tx).await?;
    tx.end().await;
    let new = NewPerson { email, name, password, locale };
    let person = people::prepare(passwords, new, &company).await?.proved();
    let id = person.id;
    let company = join(auth, &stub, person, origin).await.map_err(|error| match error {
        // Somebody has proved the address in this very moment.
        Error::EmailTaken => Error::SignInFirst,
        other => other,
    })?;
    spend(auth, token).await?;
    Ok((id, company))
}

/// Joins the company of a secret with the account of its address, shown by its password, and by a code where it has a
/// second factor; the company. For the page in a browser, which has no session.
///
/// # Errors
/// [`Error::ProofSpent`], [`Error::WrongCredentials`], [`Error::CodeNeeded`], [`Error::WrongCode`],
/// [`Error::TooManyAttempts`], [`Error::AlreadyMember`].
pub async fn accept_by_password(
    auth: &Authenticator,
    passwords: &Passwords,
    token: &str,
    password: &str,
    code: Option<&str>,
    origin: &Origin,
) -> Result<Uuid, Error> {
    let (_, email) = read(auth, token).await?;
    let person = people::by_email(auth, &email).await?.filter(|person| person.disabled_at.is_none());
    let person = person.ok_or(Error::ProofSpent)?;
    if !knows_password(auth, passwords, &person, password, origin).await? {
        return Err(Error::WrongCredentials);
    }
    if factors::has_second_factor(auth, person.id).await? {
        let code = code.map(str::trim).filter(|code| !code.is_empty()).ok_or(Error::CodeNeeded)?;
        show_code(auth, person.id, secret::hash(token), code, origin).await?;
    }
    accept_as(auth, token, person.id, origin).await
}

/// One transaction of the company: whoever comes second finds the invitation accepted.
async fn join(auth: &Authenticator, stub: &Stub, person: Prepared, origin: &Origin) -> Result<Uuid, Error> {
    let scope = auth.link_scope(stub.company, Actor::Person(person.id), origin.clone()).await?;
    let scope = scope.ok_or(Error::ProofSpent)?;
    let (id, version) = (stub.invitation, stub.version);
    scope
        .write(|tx| {
            let person = person.clone();
            Box::pin(async move { accept_in(tx, id, version, &person).await })
        })
        .await?;
    twin::follow_can_fail(auth, stub.company, Actor::Person(person.id), origin.clone()).await;
    auth.forget();
    Ok(stub.company)
}

async fn accept_in(tx: &Tx, id: Uuid, version: i32, person: &Prepared) -> Result<(), Error> {
    let found = store::locked(tx, id).await?.ok_or(Error::ProofSpent)?;
    if found.version != version || tx.scope().clock().now() >= found.expires_at {
        return Err(Error::ProofSpent);
    }
    // What the inviter may give now, not then: who has left gives nothing.
    let role = match roles::known(tx, &found.role).await {
        Err(Error::Invalid { .. }) => return Err(Error::ProofSpent),
        role => role?,
    };
    let (inviter, is_owner) = store::rights_of(tx, &found.invited_by).await?;
    let may_give = inviter.has(Permission::MembersManage) && inviter.contains(role.permission_set()?);
    if !may_give || (role.key == Role::Owner.as_str() && !is_owner) {
        return Err(Error::ProofSpent);
    }
    people::store_in(tx, person).await?;
    members::add_as_in(tx, person.id, &found.role).await?;
    store::turn(tx, id, &Turn::Accepted { by: person.id }).await?;
    let event = NewEvent::new("invitation.accepted", Kind::Invitation, id).fact("role", &found.role);
    Ok(event.append(tx).await?)
}

/// The invitation is accepted, which no secret undoes: using this one up only keeps the table of secrets tidy.
async fn spend(auth: &Authenticator, token: &str) -> Result<(), Fault> {
    proof::redeem(auth, Purpose::Invitation, token).await.map(|_| ())
}
