//! Asking for a change of rights, and deciding about one.

use chrono::{DateTime, Utc};
use kernel::page::{Page, Slice};
use kernel::{Actor, Fault, Kind, NewEvent, Permission, Tx};
use mail::{Content, Letter};
use sea_orm::FromQueryResult;
use uuid::Uuid;

use super::perform::{Means, attempt, perform, widens};
use super::{Act, Decision, MOST_OPEN, Outcome, store};
use crate::company::service as companies;
use crate::error::Error;
use crate::role::service as roles;

/// A change of rights that was asked for.
#[derive(Clone, Debug, FromQueryResult)]
pub struct AccessRequest {
    /// The request.
    pub id: Uuid,
    /// What is to be done, as [`Act`] is stored.
    pub payload: serde_json::Value,
    /// Who asked, as events name them.
    pub requested_by: String,
    /// The person behind it, also where a program asked.
    pub requested_person: Option<Uuid>,
    /// When.
    pub requested_at: DateTime<Utc>,
    /// Until when it can be approved.
    pub expires_at: DateTime<Utc>,
    /// What was decided, as it is stored.
    pub decision: Option<String>,
    /// Who decided.
    pub decided_by: Option<String>,
    /// When.
    pub decided_at: Option<DateTime<Utc>>,
    /// For the decision.
    pub version: i32,
}

impl AccessRequest {
    /// What is to be done.
    ///
    /// # Errors
    /// A fault for what this version of the server does not know.
    pub fn act(&self) -> Result<Act, Fault> {
        serde_json::from_value(self.payload.clone())
            .map_err(|e| Fault::Corrupt(format!("access request {}: {e}", self.id)))
    }

    /// What was decided.
    pub fn decision(&self) -> Option<Decision> {
        self.decision.as_deref().and_then(Decision::parse)
    }

    /// Whether it waits, at a time.
    pub fn is_open(&self, now: DateTime<Utc>) -> bool {
        self.decision.is_none() && now < self.expires_at
    }
}

/// Whether the company's changes of rights need another owner.
///
/// # Errors
/// A fault.
pub async fn is_needed(tx: &Tx) -> Result<bool, Fault> {
    store::is_needed(tx).await
}

/// Refuses what must be asked for.
///
/// # Errors
/// [`Error::ApprovalNeeded`].
pub(crate) async fn refuse_if_needed(tx: &Tx) -> Result<(), Error> {
    if is_needed(tx).await? { Err(Error::ApprovalNeeded) } else { Ok(()) }
}

/// Makes a change of rights, or asks for it where the company wants another owner's approval.
///
/// # Errors
/// Whatever the change itself is refused for, be it made or asked for.
pub async fn make_or_ask(tx: &Tx, act: &Act, means: Means<'_>) -> Result<Outcome, Error> {
    let scope = tx.scope();
    scope.require(act.needs())?;
    if !is_needed(tx).await? || !widens(tx, act).await? {
        return Ok(Outcome::Done(perform(tx, act, means).await?));
    }
    // Tried and undone: what cannot be made now is refused now.
    let tried = tx.savepoint(async { Err::<(), Tried>(Tried(attempt(tx, act, means).await.err())) });
    if let Err(Tried(Some(refused))) = tried.await {
        return Err(refused);
    }
    if store::count_open(tx).await? >= MOST_OPEN {
        let message = format!("a company has at most {MOST_OPEN} open requests: decide some first");
        return Err(Error::Invalid { field: "input".into(), message: message.into() });
    }
    let person = behind(tx).await?;
    let id = store::insert(tx, act, person).await?;
    let event = NewEvent::new("access_request.made", Kind::AccessRequest, id).fact("act", act.kind());
    let event = match act.subject() {
        Some((kind, subject)) => event.fact("subject", kernel::id::encode(kind, subject)),
        None => event,
    };
    let event = match act.role() {
        Some(role) => event.fact("role", role),
        None => event,
    };
    event.changed_personal("email", None, act.email()).append(tx).await?;
    tell_owners(tx, act, person).await?;
    Ok(Outcome::Asked(id))
}

/// The end of a try: the refusal, if there was one.
struct Tried(Option<Error>);

impl From<Fault> for Tried {
    fn from(fault: Fault) -> Self {
        Self(Some(fault.into()))
    }
}

/// Approves a request and makes the change.
///
/// # Errors
/// [`Error::OwnersOnly`], [`Error::OwnRequest`], [`Error::NotFound`], [`Error::Conflict`], [`Error::RequestClosed`], and
/// whatever the change itself is refused for now.
pub async fn approve(tx: &Tx, id: Uuid, expected_version: i32, means: Means<'_>) -> Result<(), Error> {
    let request = to_decide(tx, id, expected_version).await?;
    let act = request.act()?;
    // What somebody asked for who has left, or may not ask any more, nobody asks for.
    match request.requested_person {
        Some(person) if roles::may(tx, person, act.needs()).await? => {}
        _ => return Err(Error::RequestClosed),
    }
    perform(tx, &act, means).await?;
    decide(tx, &request, &act, Decision::Approved).await
}

/// Rejects a request.
///
/// # Errors
/// As [`approve`], but for the change itself.
pub async fn reject(tx: &Tx, id: Uuid, expected_version: i32) -> Result<(), Error> {
    let request = to_decide(tx, id, expected_version).await?;
    let act = request.act()?;
    decide(tx, &request, &act, Decision::Rejected).await
}

/// Takes back what the actor has asked for, in person or through a program.
///
/// # Errors
/// [`Error::NotFound`] for another's too, [`Error::Conflict`], [`Error::RequestClosed`].
pub async fn withdraw(tx: &Tx, id: Uuid, expected_version: i32) -> Result<(), Error> {
    let scope = tx.scope();
    scope.require(Permission::MembersManage)?;
    let request = store::lock(tx, id).await?.ok_or(Error::NotFound(Kind::AccessRequest))?;
    let person = behind(tx).await?;
    let own = scope.actor().stored() == request.requested_by
        || (person.is_some() && person == request.requested_person);
    if !own {
        return Err(Error::NotFound(Kind::AccessRequest));
    }
    check(tx, &request, expected_version)?;
    let act = request.act()?;
    decide(tx, &request, &act, Decision::Withdrawn).await
}

/// Requests, newest first: those that wait, or all.
///
/// # Errors
/// [`Error::Denied`].
pub async fn list(tx: &Tx, only_open: bool, slice: &Slice) -> Result<Page<AccessRequest>, Error> {
    tx.scope().require(Permission::MembersRead)?;
    Ok(store::list(tx, only_open, slice).await?)
}

/// How many there are.
///
/// # Errors
/// [`Error::Denied`].
pub async fn count(tx: &Tx, only_open: bool) -> Result<u64, Error> {
    tx.scope().require(Permission::MembersRead)?;
    let count = if only_open { store::count_open(tx).await? } else { store::count(tx).await? };
    Ok(count.unsigned_abs())
}

/// A request, or none for an unknown id.
///
/// # Errors
/// [`Error::Denied`].
pub async fn get(tx: &Tx, id: Uuid) -> Result<Option<AccessRequest>, Error> {
    tx.scope().require(Permission::MembersRead)?;
    Ok(store::get(tx, id).await?)
}

/// Locks a request that the actor may decide about: an owner, signed in, who has not asked for it.
async fn to_decide(tx: &Tx, id: Uuid, expected_version: i32) -> Result<AccessRequest, Error> {
    tx.scope().require(Permission::MembersManage)?;
    let Actor::Person(person) = tx.scope().actor() else { return Err(Error::OwnersOnly) };
    let request = store::lock(tx, id).await?.ok_or(Error::NotFound(Kind::AccessRequest))?;
    check(tx, &request, expected_version)?;
    if !roles::is_owner(tx).await? {
        return Err(Error::OwnersOnly);
    }
    if request.requested_person == Some(person) {
        return Err(Error::OwnRequest);
    }
    Ok(request)
}

fn check(tx: &Tx, request: &AccessRequest, expected: i32) -> Result<(), Error> {
    if !request.is_open(tx.scope().clock().now()) {
        return Err(Error::RequestClosed);
    }
    if request.version != expected {
        return Err(Error::Conflict { expected, actual: request.version });
    }
    Ok(())
}

async fn decide(tx: &Tx, request: &AccessRequest, act: &Act, decision: Decision) -> Result<(), Error> {
    store::decide(tx, request.id, decision).await?;
    let kind = match decision {
        Decision::Approved => "access_request.approved",
        Decision::Rejected => "access_request.rejected",
        Decision::Withdrawn => "access_request.withdrawn",
    };
    let event = NewEvent::new(kind, Kind::AccessRequest, request.id).fact("act", act.kind());
    Ok(event.fact("requested_by", &request.requested_by).append(tx).await?)
}

/// The person who acts: in person, or through a program.
async fn behind(tx: &Tx) -> Result<Option<Uuid>, Fault> {
    match tx.scope().actor() {
        Actor::Person(person) => Ok(Some(person)),
        Actor::ApiKey(key) => store::behind_key(tx, key).await,
        Actor::Grant(grant) => store::behind_grant(tx, grant).await,
        Actor::Customer(_) | Actor::System => Ok(None),
    }
}

/// Writes to the owners who may approve.
async fn tell_owners(tx: &Tx, act: &Act, asker: Option<Uuid>) -> Result<(), Error> {
    let company = companies::name_in(tx).await?;
    let by = match asker {
        Some(person) => store::person_name(tx, person).await?,
        None => None,
    };
    for owner in store::other_owners(tx, asker).await? {
        let content = Content::ApprovalWanted {
            company: company.clone(),
            by: by.clone().unwrap_or_else(|| company.clone()),
            what: what(tx, act, &owner.locale).await?,
        };
        mail::put_in(tx, &Letter::new(owner.email, &owner.locale, content)).await?;
    }
    Ok(())
}

/// What is asked for, as people read it.
async fn what(tx: &Tx, act: &Act, locale: &str) -> Result<String, Error> {
    let french = locale == "fr";
    let role = match act.role() {
        Some(key) => roles::known(tx, key).await?.name(locale).to_owned(),
        None => String::new(),
    };
    Ok(match act {
        Act::Invite { email, .. } if french => {
            format!("inviter {email} avec le rôle « {role} »")
        }
        Act::Invite { email, .. } => {
            format!("invite {email} with the role “{role}”")
        }
        Act::ChangeRole { member, .. } => {
            let name = store::member_name(tx, *member).await?.unwrap_or_default();
            if french {
                format!("donner le rôle « {role} » à {name}")
            } else {
                format!("give {name} the role “{role}”")
            }
        }
        Act::UpdateRole { role, .. } => {
            let role = roles::get_in(tx, *role).await?;
            let name = role.as_ref().map_or("", |role| role.name(locale));
            if french {
                format!("étendre le rôle « {name} »")
            } else {
                format!("widen the role “{name}”")
            }
        }
        Act::JoinByDomain { domain, .. } => {
            let name = store::domain_name(tx, *domain).await?.unwrap_or_default();
            match (french, role.is_empty()) {
                (true, false) => format!("laisser entrer les adresses de {name} avec le rôle « {role} »"),
                (true, true) => format!("laisser entrer les adresses de {name}"),
                (false, false) => format!("let addresses of {name} join with the role “{role}”"),
                (false, true) => format!("let addresses of {name} join"),
            }
        }
        Act::TurnOff if french => "ne plus demander l'accord d'un second propriétaire".to_owned(),
        Act::TurnOff => "ask for a second owner's approval no more".to_owned(),
    })
}
