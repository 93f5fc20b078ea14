//! Giving a person an account of a provider, and taking it away.

use chrono::{DateTime, Utc};
use kernel::{Actor, Fault, Kind, NewEvent, Origin};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::service::{Admitted, Back, admit, join};
use super::store::{self, Unlinked};
use super::{Speaker, Stop, Which};
use crate::assurance::Assurance;
use crate::authenticator::Authenticator;
use crate::error::Error;
use crate::factor::fresh::{self, Fresh, Own};
use crate::factor::service as factors;
use crate::mailbox::service::{knows_password, show_code};
use crate::password::Passwords;
use crate::person::service as people;
use crate::proof::{self, Purpose};
use crate::secret;
use crate::session::service as sessions;

/// An account of a provider that a person signs in with.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct Linked {
    /// The link.
    pub id: Uuid,
    /// The provider's issuer.
    pub issuer: String,
    /// Since when.
    pub created_at: DateTime<Utc>,
    /// When it last signed in.
    pub last_used_at: Option<DateTime<Utc>>,
}

/// An account of a provider that waits for its person to confirm.
#[derive(Serialize, Deserialize)]
pub(super) struct Waiting {
    pub(super) issuer: String,
    pub(super) subject: String,
    pub(super) speaker: Speaker,
    pub(super) assurance: String,
    pub(super) back: Back,
    /// Whether the account's password must be shown: the browser has shown no session.
    pub(super) asks_password: bool,
    /// The company that the address lets join.
    pub(super) joins: Option<(Uuid, String)>,
}

/// What a person is asked before an account of a provider is theirs.
#[derive(Clone, Debug)]
pub struct Ask {
    /// The secret of the form.
    pub token: String,
    /// The address of the account here that it would belong to.
    pub email: String,
    /// Whether the password must be given.
    pub asks_password: bool,
}

/// Begins to give a person who is signed in an account of a provider: the secret with which the browser begins.
///
/// # Errors
/// What [`fresh::require`] refuses.
pub async fn begin(
    auth: &Authenticator,
    passwords: &Passwords,
    own: Own<'_>,
    fresh: &Fresh,
    which: Which,
) -> Result<String, Error> {
    fresh::require(auth, passwords, own, fresh).await?;
    let data = serde_json::to_value(which).map_err(|e| Fault::Internal(format!("a link: {e}")))?;
    Ok(proof::issue(auth, Purpose::BeginLink, Some(own.person), None, data).await?)
}

pub(super) async fn ask(auth: &Authenticator, person: Uuid, waiting: &Waiting) -> Result<Ask, Stop> {
    let person = people::by_id(auth, person).await?.ok_or(Stop::NotLinked)?;
    let data = serde_json::to_value(waiting).map_err(|e| Fault::Internal(format!("a link: {e}")))?;
    let token = proof::issue(auth, Purpose::Link, Some(person.id), None, data).await?;
    Ok(Ask { token, email: person.email, asks_password: waiting.asks_password })
}

/// What a form's secret asks for, without using it up.
///
/// # Errors
/// [`Error::ProofSpent`].
pub async fn look(auth: &Authenticator, token: &str) -> Result<Ask, Error> {
    let (waiting, person) = read(auth, token).await?;
    let person = people::by_id(auth, person).await?.ok_or(Error::ProofSpent)?;
    Ok(Ask { token: token.to_owned(), email: person.email, asks_password: waiting.asks_password })
}

async fn read(auth: &Authenticator, token: &str) -> Result<(Waiting, Uuid), Error> {
    let proof = proof::peek(auth, Purpose::Link, token).await?.ok_or(Error::ProofSpent)?;
    let waiting =
        serde_json::from_value(proof.data).map_err(|e| Fault::Corrupt(format!("a link that waits: {e}")))?;
    Ok((waiting, proof.person.ok_or(Error::ProofSpent)?))
}

/// Gives the person the account of the provider, by the form's secret: and where the browser has shown no session, by the
/// account's password, and a code where it has a second factor. Then signs in.
///
/// # Errors
/// [`Error::ProofSpent`], [`Error::WrongCredentials`], [`Error::CodeNeeded`], [`Error::WrongCode`],
/// [`Error::TooManyAttempts`], [`Error::IdentityTaken`]; [`Stop::NotAMember`].
pub async fn confirm(
    auth: &Authenticator,
    passwords: &Passwords,
    token: &str,
    password: &str,
    code: &str,
    origin: &Origin,
) -> Result<Admitted, Stop> {
    let (waiting, id) = read(auth, token).await?;
    let person = people::by_id(auth, id).await?.filter(|person| person.disabled_at.is_none());
    let person = person.ok_or(Error::ProofSpent)?;
    if waiting.asks_password {
        if !knows_password(auth, passwords, &person, password, origin).await? {
            return Err(Error::WrongCredentials.into());
        }
        if factors::has_second_factor(auth, id).await? {
            let code = Some(code.trim()).filter(|code| !code.is_empty()).ok_or(Error::CodeNeeded)?;
            show_code(auth, id, secret::hash(token), code, origin).await?;
        }
    }
    proof::redeem(auth, Purpose::Link, token).await?.ok_or(Error::ProofSpent)?;
    let linked =
        store::link(auth, &waiting.issuer, &waiting.subject, id).await?.ok_or(Error::IdentityTaken)?;
    if let Some((company, role)) = &waiting.joins {
        join(auth, *company, role, id, origin).await?;
    }
    tell(auth, "identity.linked", (id, linked), &waiting, origin).await?;
    let assurance = Assurance::parse(&waiting.assurance).unwrap_or(Assurance::Password);
    admit(auth, id, waiting.speaker, assurance, waiting.back).await
}

/// Writes it to the log of the provider's company, else of the person's first.
async fn tell(
    auth: &Authenticator,
    kind: &'static str,
    (person, linked): (Uuid, Uuid),
    waiting: &Waiting,
    origin: &Origin,
) -> Result<(), Error> {
    let first = sessions::companies(auth, person).await?.first().map(|choice| choice.tenant_id);
    let Some(company) = waiting.speaker.confined_to().or(first) else { return Ok(()) };
    let scope = auth.link_scope(company, Actor::Person(person), origin.clone()).await?;
    let Some(scope) = scope else { return Ok(()) };
    scope
        .write(|tx| {
            let issuer = waiting.issuer.clone();
            Box::pin(async move {
                let event = NewEvent::new(kind, Kind::Identity, linked).fact("issuer", issuer);
                Ok::<_, Error>(event.append(tx).await?)
            })
        })
        .await
}

/// The accounts of providers that a person signs in with, oldest first.
pub async fn list(auth: &Authenticator, person: Uuid) -> Result<Vec<Linked>, Fault> {
    store::list(auth, person).await
}

/// Takes an account of a provider away.
///
/// # Errors
/// What [`fresh::require`] refuses, [`Error::NotFound`], [`Error::LastWayIn`].
pub async fn remove(
    auth: &Authenticator,
    passwords: &Passwords,
    own: Own<'_>,
    fresh: &Fresh,
    id: Uuid,
) -> Result<(), Error> {
    fresh::require(auth, passwords, own, fresh).await?;
    let issuer = match store::unlink(auth, own.person, id).await? {
        Unlinked::Yes(issuer) => issuer,
        Unlinked::NotThere => return Err(Error::NotFound(Kind::Identity)),
        Unlinked::Needed => return Err(Error::LastWayIn),
    };
    own.scope
        .write(|tx| {
            let issuer = issuer.clone();
            Box::pin(async move {
                let event = NewEvent::new("identity.unlinked", Kind::Identity, id).fact("issuer", issuer);
                Ok::<_, Error>(event.append(tx).await?)
            })
        })
        .await
}
