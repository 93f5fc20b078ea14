//! From a browser that wants to sign in with a provider, to a session.

use ::federation::{Answer, Flow, Identity, Issuer, Registration};
use authority::Challenge;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use kernel::vault::Place;
use kernel::{Actor, Fault, Origin};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::link::{self, Ask, Waiting};
use super::store::{self, Holder};
use super::{Federation, GOOGLE, Speaker, Stop, Which, provider};
use crate::assurance::Assurance;
use crate::authenticator::Authenticator;
use crate::company::twin;
use crate::error::Error;
use crate::member::service as members;
use crate::person::service as people;
use crate::proof::{self, Purpose};
use crate::role::Role;
use crate::role::service as roles;
use crate::session::service as sessions;
use crate::sign_in::{Step, service as sign_in};

/// What the browser keeps between the two halves: sealed, and good once.
#[derive(Serialize, Deserialize)]
struct Pending {
    token: String,
    which: Which,
    flow: Flow,
    back: Back,
    link: Option<String>,
}

/// Where the program that begins a sign-in wants its browser back, and how it will show that it is the one that began: else
/// somebody could be handed another's sign-in, and work in a stranger's account unaware (RFC 9700, section 2.1).
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Back {
    /// A path of our own.
    pub return_to: String,
    /// The challenge, by the method S256 of RFC 7636, whose verifier opens the session.
    pub challenge: String,
}

/// A sign-in that was begun.
#[derive(Clone)]
pub struct Begun {
    /// Where the browser goes.
    pub url: String,
    /// What it keeps, as the value of a cookie.
    pub cookie: String,
}

/// Somebody whom a provider has signed in, and who may come in.
#[derive(Clone)]
pub struct Admitted {
    /// The secret that opens the session, once, within a minute.
    pub code: String,
    /// Where the browser goes.
    pub return_to: String,
}

/// What became of a browser that came back.
#[derive(Clone)]
pub enum Came {
    /// It may come in.
    In(Admitted),
    /// Its person must confirm first whose account it is.
    Ask(Ask),
}

/// What a handoff's secret stands for.
#[derive(Serialize, Deserialize)]
struct Entry {
    company: Option<Uuid>,
    confined: bool,
    assurance: String,
    challenge: String,
}

const COOKIE: Place<'static> = Place { company: Uuid::nil(), column: "cookie.sso", row: Uuid::nil() };

/// Begins a sign-in, or with the secret of [`link::begin`] a link.
///
/// # Errors
/// [`Stop::Unknown`], [`Stop::NoChallenge`], [`Stop::Provider`].
pub async fn begin(
    auth: &Authenticator,
    federation: &Federation,
    which: Which,
    link: Option<String>,
    back: Back,
) -> Result<Begun, Stop> {
    let known = registered(auth, federation, which).await?;
    if Challenge::parse(Some(&back.challenge), Some("S256")).is_err() {
        return Err(Stop::NoChallenge);
    }
    let (url, flow) = federation.0.party.begin(&known.registration, None).await?;
    let data = serde_json::to_value(which).map_err(|e| Fault::Internal(format!("a flow: {e}")))?;
    let token = proof::issue(auth, Purpose::Federation, None, None, data).await?;
    let pending = Pending { token, which, flow, back, link };
    let text = serde_json::to_string(&pending).map_err(|e| Fault::Internal(format!("a flow: {e}")))?;
    Ok(Begun { url, cookie: URL_SAFE_NO_PAD.encode(auth.vault().seal(COOKIE, &text)?) })
}

struct Known {
    registration: Registration,
    speaker: Speaker,
    trusts_second_factor: bool,
}

/// What a provider knows us by. One that is unknown, archived or not offered is none.
async fn registered(auth: &Authenticator, federation: &Federation, which: Which) -> Result<Known, Stop> {
    let parts = &federation.0;
    let with = |issuer, client: &super::Client| Registration {
        issuer,
        client_id: client.id.clone(),
        client_secret: client.secret.clone(),
        redirect_uri: parts.redirect_uri.clone(),
    };
    let (registration, speaker, trusts_second_factor) = match which {
        Which::Google => {
            let client = parts.offered.google.as_ref().ok_or(Stop::Unknown)?;
            (with(Issuer::One(GOOGLE.to_owned()), client), Speaker::Google, false)
        }
        Which::Microsoft => {
            let (issuer, client) = parts.offered.microsoft.as_ref().ok_or(Stop::Unknown)?;
            (with(issuer.clone(), client), Speaker::Microsoft, false)
        }
        Which::Company(id) => {
            let company = store::company_of(auth, id).await?.ok_or(Stop::Unknown)?;
            let scope =
                auth.link_scope(company, Actor::System, Origin::default()).await?.ok_or(Stop::Unknown)?;
            let tx = scope.read().await?;
            let found = provider::known_in(&tx, id).await;
            tx.end().await;
            let found = found?.ok_or(Stop::Unknown)?;
            let client = super::Client { id: found.client_id, secret: found.client_secret };
            (with(Issuer::One(found.issuer), &client), Speaker::Company(company), found.trusts_second_factor)
        }
    };
    Ok(Known { registration, speaker, trusts_second_factor })
}

/// Goes on with a browser that came back, by what it kept and what it brings.
///
/// # Errors
/// Whatever is wrong: nobody comes in then.
pub async fn finish(
    auth: &Authenticator,
    federation: &Federation,
    cookie: &str,
    query: &str,
    origin: &Origin,
) -> Result<Came, Stop> {
    let pending = opened(auth, cookie).ok_or(Stop::Stale)?;
    let answer = Answer::parse(query)?;
    // Who cannot show the state spends nothing of what somebody else has begun.
    if answer.state() != Some(pending.flow.state.as_str()) {
        return Err(Stop::Stale);
    }
    proof::redeem(auth, Purpose::Federation, &pending.token).await?.ok_or(Stop::Stale)?;
    let Known { registration, speaker, trusts_second_factor } =
        registered(auth, federation, pending.which).await?;
    let now = auth.clock().now();
    let identity = federation.0.party.finish(&registration, pending.flow, answer, now).await?;
    let several = trusts_second_factor && identity.several_factors();
    let assurance = if several { Assurance::SecondFactor } else { Assurance::Password };
    let coming = Coming { identity, speaker, assurance, back: pending.back };
    match pending.link {
        Some(token) => linking(auth, coming, &token, pending.which).await,
        None => signing_in(auth, coming, origin).await,
    }
}

fn opened(auth: &Authenticator, cookie: &str) -> Option<Pending> {
    let sealed = URL_SAFE_NO_PAD.decode(cookie).ok()?;
    serde_json::from_str(&auth.vault().open(COOKIE, &sealed).ok()?).ok()
}

struct Coming {
    identity: Identity,
    speaker: Speaker,
    assurance: Assurance,
    back: Back,
}

impl Coming {
    fn waiting(self, asks_password: bool, joins: Option<(Uuid, String)>) -> Waiting {
        Waiting {
            issuer: self.identity.issuer,
            subject: self.identity.subject,
            speaker: self.speaker,
            assurance: self.assurance.as_str().to_owned(),
            back: self.back,
            asks_password,
            joins,
        }
    }
}

/// Whoever opened the link may be another than who asked for it: the page names the account before anything is changed.
async fn linking(auth: &Authenticator, coming: Coming, token: &str, which: Which) -> Result<Came, Stop> {
    let begun = proof::redeem(auth, Purpose::BeginLink, token).await?.ok_or(Stop::Stale)?;
    let meant: Option<Which> = serde_json::from_value(begun.data).ok();
    let person = begun.person.filter(|_| meant == Some(which)).ok_or(Stop::Stale)?;
    if store::known(auth, &coming.identity.issuer, &coming.identity.subject).await?.is_some() {
        return Err(Error::IdentityTaken.into());
    }
    if let Some(company) = coming.speaker.confined_to()
        && !is_member(auth, person, company).await?
    {
        return Err(Stop::NotAMember);
    }
    Ok(Came::Ask(link::ask(auth, person, &coming.waiting(false, None)).await?))
}

async fn signing_in(auth: &Authenticator, coming: Coming, origin: &Origin) -> Result<Came, Stop> {
    let (identity, speaker) = (&coming.identity, coming.speaker);
    let holder = match identity.verified_domain() {
        Some(domain) => store::holder(auth, domain).await?,
        None => None,
    };
    let believed = speaker.speaks_for(identity, holder.as_ref().map(|holder| holder.company)).is_some();
    let joins = holder.filter(|_| believed).and_then(joined_by);
    let known = store::known(auth, &identity.issuer, &identity.subject).await?;
    if let Some(person) = known {
        store::used(auth, &identity.issuer, &identity.subject).await?;
        if let Some((company, role)) = &joins {
            join(auth, *company, role, person, origin).await?;
        }
        return admit(auth, person, speaker, coming.assurance, coming.back).await.map(Came::In);
    }
    // Of an address that the provider is not believed about, not even this is told: whether it has an account.
    let Some(email) = identity.verified_email().filter(|_| believed) else { return Err(Stop::NotLinked) };
    if let Some(person) = people::by_email(auth, email).await? {
        let person = person.id;
        return Ok(Came::Ask(link::ask(auth, person, &coming.waiting(true, joins)).await?));
    }
    let Some((company, role)) = joins else { return Err(Stop::NotLinked) };
    let person = made(auth, identity, company, origin).await?.ok_or(Stop::NotLinked)?;
    join(auth, company, &role, person, origin).await?;
    admit(auth, person, speaker, coming.assurance, coming.back).await.map(Came::In)
}

/// The company and the role with which who has an address of a domain joins.
fn joined_by(holder: Holder) -> Option<(Uuid, String)> {
    let role = holder.join_role.filter(|role| holder.joins && role != Role::Owner.as_str())?;
    Some((holder.company, role))
}

/// Makes the account of an address that has none.
async fn made(
    auth: &Authenticator,
    identity: &Identity,
    company: Uuid,
    origin: &Origin,
) -> Result<Option<Uuid>, Stop> {
    let Some(email) = identity.verified_email() else { return Ok(None) };
    let email = people::checked_email(email)?;
    let own = identity.name.as_deref().and_then(|name| people::checked_name(name).ok());
    let name = own.unwrap_or_else(|| email.split('@').next().unwrap_or_default().to_owned());
    let Some(scope) = auth.link_scope(company, Actor::System, origin.clone()).await? else { return Ok(None) };
    Ok(store::make(auth, identity, (&email, &name, &scope.company().locale)).await?)
}

/// Makes a person a member, unless they are or ever were: who was removed does not come back by an address.
pub(super) async fn join(
    auth: &Authenticator,
    company: Uuid,
    role: &str,
    person: Uuid,
    origin: &Origin,
) -> Result<(), Error> {
    let scope = auth.link_scope(company, Actor::Person(person), origin.clone()).await?;
    let Some(scope) = scope else { return Ok(()) };
    let joined = scope
        .write(|tx| {
            let role = role.to_owned();
            Box::pin(async move {
                let was: Option<(Uuid,)> =
                    tx.tuple("SELECT id FROM membership WHERE person_id = $1", [person.into()]).await?;
                if was.is_some() {
                    return Ok(false);
                }
                match roles::known(tx, &role).await {
                    // The role was archived meanwhile: nobody joins until the company chooses another.
                    Err(Error::Invalid { .. }) => return Ok(false),
                    known => drop(known?),
                }
                match members::add_as_in(tx, person, &role).await {
                    // In this very moment, by another browser.
                    Err(Error::AlreadyMember) => Ok(false),
                    added => added.map(|_| true),
                }
            })
        })
        .await?;
    if joined {
        twin::follow_can_fail(auth, company, Actor::Person(person), origin.clone()).await;
    }
    Ok(())
}

async fn is_member(auth: &Authenticator, person: Uuid, company: Uuid) -> Result<bool, Fault> {
    let companies = sessions::companies(auth, person).await?;
    Ok(companies.iter().any(|choice| choice.tenant_id == company))
}

/// Lets a person in by the word of a provider: a company's own is good in that company alone.
pub(super) async fn admit(
    auth: &Authenticator,
    person: Uuid,
    speaker: Speaker,
    assurance: Assurance,
    back: Back,
) -> Result<Admitted, Stop> {
    let company = speaker.confined_to();
    if let Some(company) = company
        && !is_member(auth, person, company).await?
    {
        return Err(Stop::NotAMember);
    }
    let Back { return_to, challenge } = back;
    let (confined, assurance) = (company.is_some(), assurance.as_str().to_owned());
    let entry = Entry { company, confined, assurance, challenge };
    let data = serde_json::to_value(entry).map_err(|e| Fault::Internal(format!("a handoff: {e}")))?;
    let code = proof::issue(auth, Purpose::Handoff, Some(person), None, data).await?;
    Ok(Admitted { code, return_to })
}

/// Opens the session of a handoff's secret for the program that began it, which shows the verifier of its challenge; or
/// answers the second step where the account has one. A wrong verifier spends the secret.
///
/// # Errors
/// [`Error::ProofSpent`], [`Error::WrongCredentials`].
pub async fn enter(
    auth: &Authenticator,
    code: &str,
    verifier: &str,
    device_token: Option<String>,
    origin: Origin,
) -> Result<Step, Error> {
    let proof = proof::redeem(auth, Purpose::Handoff, code).await?.ok_or(Error::ProofSpent)?;
    let person = proof.person.ok_or(Error::ProofSpent)?;
    let Entry { company, confined, assurance, challenge } =
        serde_json::from_value(proof.data).map_err(|e| Fault::Corrupt(format!("a handoff: {e}")))?;
    if !Challenge::parse(Some(&challenge), Some("S256")).is_ok_and(|challenge| challenge.is_met_by(verifier))
    {
        return Err(Error::ProofSpent);
    }
    let assurance = Assurance::parse(&assurance).unwrap_or(Assurance::Password);
    sign_in::by_provider(auth, person, assurance, (company, confined), device_token, origin).await
}

/// The providers that somebody can sign in with, by the domain of their address alone: whether the address has an account is not
/// looked at.
pub async fn offered(
    auth: &Authenticator,
    federation: &Federation,
    email: Option<&str>,
) -> Result<Vec<(Which, String)>, Fault> {
    let mut offered: Vec<_> =
        federation.offered().into_iter().map(|(which, name)| (which, name.to_owned())).collect();
    let domain = email.and_then(|email| ::federation::domain(email.rsplit_once('@')?.1));
    if let Some(domain) = domain {
        let own = store::of_domain(auth, &domain).await?;
        offered.extend(own.into_iter().map(|(id, name)| (Which::Company(id), name)));
    }
    Ok(offered)
}
