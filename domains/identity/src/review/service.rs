//! Making a review of accesses, and putting on record that one was done.

use std::collections::HashMap;

use chrono::{DateTime, NaiveDate, Utc};
use kernel::{Actor, Fault, NewEvent, Permission, PermissionSet, Tx, event};
use sea_orm::FromQueryResult;
use uuid::Uuid;

use super::{Access, Kind, Review, Right};
use crate::authenticator::Authenticator;
use crate::error::Error;
use crate::factor::service::has_second_factor;
use crate::role::Role;

/// The kind of the event that puts a review on record.
const REVIEWED: &str = "access.reviewed";

#[derive(FromQueryResult)]
struct MemberRow {
    id: Uuid,
    person_id: Uuid,
    name: String,
    email: String,
    role: String,
    role_name: Option<String>,
    role_permissions: Option<Vec<String>>,
    created_at: DateTime<Utc>,
    created_by: String,
    suspended_at: Option<DateTime<Utc>>,
}

#[derive(FromQueryResult)]
struct KeyRow {
    id: Uuid,
    name: String,
    hint: String,
    permissions: Vec<String>,
    responsible_id: Option<Uuid>,
    created_at: DateTime<Utc>,
    created_by: String,
    expires_at: Option<DateTime<Utc>>,
}

#[derive(FromQueryResult)]
struct GrantRow {
    id: Uuid,
    client_id: Uuid,
    client_name: String,
    behind_id: Option<Uuid>,
    permissions: Vec<String>,
    created_at: DateTime<Utc>,
    created_by: String,
}

const MEMBERS: &str = "SELECT m.id, m.person_id, p.name, p.email, m.role, r.name AS role_name,
         r.permissions AS role_permissions, m.created_at, m.created_by, m.suspended_at
     FROM membership m JOIN person p ON p.id = m.person_id JOIN role r ON r.tenant_id = m.tenant_id AND r.key = m.role
     WHERE m.archived_at IS NULL ORDER BY m.id";

const KEYS: &str =
    "SELECT id, name, hint, permissions, responsible_id, created_at, created_by, expires_at FROM api_key
     WHERE revoked_at IS NULL AND (expires_at IS NULL OR $1 < expires_at) ORDER BY id";

/// Behind a grant without a person stands who answers for the application, which is the company's own then.
const GRANTS: &str =
    "SELECT g.id, g.client_id, g.client_name, coalesce(g.person_id, o.responsible_id) AS behind_id,
         g.permissions, g.created_at, g.created_by
     FROM oauth_grant g LEFT JOIN oauth_client o ON o.tenant_id = g.tenant_id AND o.id = g.client_id
     WHERE g.revoked_at IS NULL AND o.archived_at IS NULL ORDER BY g.id";

/// Who gave a member the role of now, and when.
const GRANTED: &str = "SELECT DISTINCT ON (subject_id) subject_id, actor, at FROM event
     WHERE subject_id = ANY($1) AND kind IN ('member.added', 'member.role_changed', 'company.founded')
     ORDER BY subject_id, position DESC";

/// By actor: the permissions that were used, with their last days.
type Used = HashMap<String, HashMap<String, NaiveDate>>;

/// All accesses to the company, as they are in the snapshot.
pub async fn review(auth: &Authenticator, tx: &Tx) -> Result<Review, Error> {
    let scope = tx.scope();
    scope.require(Permission::MembersRead)?;
    scope.require(Permission::AuditRead)?;
    let now = scope.clock().now();
    let members: Vec<MemberRow> = tx.all(MEMBERS, []).await?;
    let keys: Vec<KeyRow> = tx.all(KEYS, [now.into()]).await?;
    let grants: Vec<GrantRow> = tx.all(GRANTS, []).await?;
    let used = used(tx).await?;
    let noted_from: Option<(NaiveDate,)> = tx.tuple("SELECT uses_noted_from FROM company", []).await?;
    let (noted_from,) = noted_from.ok_or_else(|| Fault::Corrupt("a company without a row".to_owned()))?;
    let granted = granted(tx, &members).await?;
    let mut may: HashMap<Uuid, PermissionSet> = HashMap::new();
    let mut accesses = Vec::new();
    for member in members {
        let permissions = Role::permissions_of(&member.role, member.role_permissions.as_deref())
            .ok_or_else(|| Fault::Corrupt(format!("role {}", member.role)))?;
        if member.suspended_at.is_none() {
            may.insert(member.person_id, permissions);
        }
        accesses.push(of_member(auth, member, permissions, &used, &granted).await?);
    }
    for key in keys {
        let permissions = bounded(&key.permissions, key.responsible_id, &may);
        accesses.push(of_key(key, permissions, &used));
    }
    for grant in grants {
        let permissions = bounded(&grant.permissions, grant.behind_id, &may);
        accesses.push(of_grant(grant, permissions, &used));
    }
    let people: Vec<Uuid> = accesses.iter().filter_map(|access| person(&access.granted_by)).collect();
    let people = crate::member::service::people(tx, &people).await?;
    for access in &mut accesses {
        let by = person(&access.granted_by);
        access.granted_by_name =
            people.iter().find(|person| Some(person.id) == by).map(|person| person.name.clone());
    }
    Ok(Review { at: now, noted_from, accesses })
}

/// What a program may do now: of what it was given, what the person behind it may do as well.
fn bounded(given: &[String], behind: Option<Uuid>, may: &HashMap<Uuid, PermissionSet>) -> PermissionSet {
    let given: PermissionSet = given.iter().filter_map(|name| Permission::parse(name)).collect();
    given.and(behind.and_then(|person| may.get(&person).copied()).unwrap_or_default())
}

fn person(stored: &str) -> Option<Uuid> {
    match Actor::parse(stored) {
        Some(Actor::Person(id)) => Some(id),
        _ => None,
    }
}

async fn used(tx: &Tx) -> Result<Used, Fault> {
    let rows: Vec<(String, String, NaiveDate)> =
        tx.tuples("SELECT actor, permission, last_used_on FROM permission_use", []).await?;
    let mut used = Used::new();
    for (actor, permission, day) in rows {
        used.entry(actor).or_default().insert(permission, day);
    }
    Ok(used)
}

async fn granted(tx: &Tx, members: &[MemberRow]) -> Result<HashMap<Uuid, (String, DateTime<Utc>)>, Fault> {
    let ids: Vec<Uuid> = members.iter().map(|member| member.id).collect();
    let rows: Vec<(Uuid, String, DateTime<Utc>)> = tx.tuples(GRANTED, [ids.into()]).await?;
    Ok(rows.into_iter().map(|(id, actor, at)| (id, (actor, at))).collect())
}

/// The rights of an actor with their last days, and the last day of all.
fn rights(actor: Actor, permissions: PermissionSet, used: &Used) -> (Vec<Right>, Option<NaiveDate>) {
    let used = used.get(&actor.stored());
    let last = |name: &str| used.and_then(|used| used.get(name).copied());
    let rights =
        permissions.iter().map(|permission| Right { permission, last_used_on: last(permission.as_str()) });
    (rights.collect(), used.and_then(|used| used.values().max().copied()))
}

async fn of_member(
    auth: &Authenticator,
    member: MemberRow,
    permissions: PermissionSet,
    used: &Used,
    granted: &HashMap<Uuid, (String, DateTime<Utc>)>,
) -> Result<Access, Error> {
    let (rights, last_used_on) = rights(Actor::Person(member.person_id), permissions, used);
    let (granted_by, since) =
        granted.get(&member.id).cloned().unwrap_or((member.created_by, member.created_at));
    Ok(Access {
        kind: Kind::Member,
        id: member.id,
        name: member.name,
        identifier: member.email,
        role: Some(member.role),
        role_name: member.role_name,
        rights,
        last_used_on,
        second_factor: Some(has_second_factor(auth, member.person_id).await?),
        since,
        granted_by,
        granted_by_name: None,
        suspended_at: member.suspended_at,
        expires_at: None,
    })
}

fn of_key(key: KeyRow, permissions: PermissionSet, used: &Used) -> Access {
    let (rights, last_used_on) = rights(Actor::ApiKey(key.id), permissions, used);
    Access {
        kind: Kind::ApiKey,
        id: key.id,
        name: key.name,
        identifier: format!("…{}", key.hint),
        role: None,
        role_name: None,
        rights,
        last_used_on,
        second_factor: None,
        since: key.created_at,
        granted_by: key.created_by,
        granted_by_name: None,
        suspended_at: None,
        expires_at: key.expires_at,
    }
}

fn of_grant(grant: GrantRow, permissions: PermissionSet, used: &Used) -> Access {
    let (rights, last_used_on) = rights(Actor::Grant(grant.id), permissions, used);
    Access {
        kind: Kind::Grant,
        id: grant.id,
        name: grant.client_name,
        identifier: kernel::id::encode(kernel::Kind::Application, grant.client_id),
        role: None,
        role_name: None,
        rights,
        last_used_on,
        second_factor: None,
        since: grant.created_at,
        granted_by: grant.created_by,
        granted_by_name: None,
        suspended_at: None,
        expires_at: None,
    }
}

/// Puts on record that the accesses were reviewed, with what there was to review.
pub async fn complete(tx: &Tx, auth: &Authenticator, note: Option<&str>) -> Result<(), Error> {
    let scope = tx.scope();
    scope.require(Permission::MembersManage)?;
    let note = note.map(str::trim).filter(|note| !note.is_empty());
    if note.is_some_and(|note| note.chars().count() > 2000) {
        return Err(Error::invalid("note", "a note has at most 2000 characters"));
    }
    let review = review(auth, tx).await?;
    let event = NewEvent::new(REVIEWED, kernel::Kind::Company, scope.company().id)
        .fact("members", review.count(Kind::Member))
        .fact("api_keys", review.count(Kind::ApiKey))
        .fact("grants", review.count(Kind::Grant))
        .fact("unused_rights", review.unused())
        .fact("noted_from", review.noted_from)
        // A note may name people: it is kept apart from the log, where it can be erased.
        .changed_personal("note", None, note);
    Ok(event.append(tx).await?)
}

/// A review that was done.
#[derive(Clone, Debug)]
pub struct Done {
    /// When.
    pub at: DateTime<Utc>,
    /// By whom, as a stored actor.
    pub by: String,
    /// What was written about it, unless erased.
    pub note: Option<String>,
    /// How many members, keys and grants there were, and how many rights nobody had used.
    pub counts: [u64; 4],
}

/// The last review that was done.
pub async fn last(tx: &Tx) -> Result<Option<Done>, Error> {
    let scope = tx.scope();
    scope.require(Permission::MembersRead)?;
    scope.require(Permission::AuditRead)?;
    let found: Option<(i64, DateTime<Utc>, String, Vec<u8>)> = tx
        .tuple(
            "SELECT position, at, actor, payload FROM event WHERE subject_id = $1 AND kind = $2
             ORDER BY position DESC LIMIT 1",
            [scope.company().id.into(), REVIEWED.into()],
        )
        .await?;
    let Some((position, at, by, payload)) = found else { return Ok(None) };
    let payload: serde_json::Value = serde_json::from_slice(&payload)
        .map_err(|e| Fault::Corrupt(format!("payload of {REVIEWED}: {e}")))?;
    let count = |name: &str| payload[name].as_u64().unwrap_or_default();
    let counts = ["members", "api_keys", "grants", "unused_rights"].map(count);
    let values = event::personal_values(tx, position).await?;
    let note = values.into_iter().find(|(field, ..)| field == "note").and_then(|(.., after)| after);
    Ok(Some(Done { at, by, note, counts }))
}
