//! Which sessions are open, and ending them: one's own in all companies, and a member's in the company of who manages
//! its members.

use chrono::{DateTime, Utc};
use kernel::{Actor, Fault, Kind, NewEvent, Permission, Scope, Tx};
use uuid::Uuid;

use super::service::{companies, end};
use crate::authenticator::{Authenticator, IDLE};
use crate::error::Error;
use crate::role::service as roles;

/// An open session.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct Listed {
    /// Its id. It tells nothing of its token.
    pub id: Uuid,
    /// The company it acts in.
    pub tenant_id: Uuid,
    /// When it was opened.
    pub created_at: DateTime<Utc>,
    /// When it was last used, to the minute.
    pub last_seen_at: DateTime<Utc>,
    /// When it ends at the latest.
    pub expires_at: DateTime<Utc>,
    /// From where it was opened.
    pub address: Option<String>,
    /// By which client, as it names itself.
    pub agent: Option<String>,
    /// What was shown: an [`crate::Assurance`] by its stored name.
    pub assurance: String,
}

/// Most sessions that are listed; the newest.
const MOST: i64 = 200;

const OPEN: &str =
    "SELECT id, tenant_id, created_at, last_seen_at, expires_at, address, agent, assurance FROM session
     WHERE person_id = $1 AND ($2::uuid IS NULL OR tenant_id = $2) AND revoked_at IS NULL AND $3 < expires_at
       AND $3 < last_seen_at + $4 ORDER BY id DESC LIMIT $5";

async fn open(auth: &Authenticator, person: Uuid, company: Option<Uuid>) -> Result<Vec<Listed>, Fault> {
    let rows = sqlx::query_as(OPEN).bind(person).bind(company).bind(auth.clock().now()).bind(IDLE).bind(MOST);
    Ok(rows.fetch_all(auth.db().directory()).await?)
}

/// The open sessions of a person, newest first, each with the name of its company. Those in companies that the person has
/// left are open no more.
pub async fn own(auth: &Authenticator, person: Uuid) -> Result<Vec<(Listed, String)>, Fault> {
    let companies = companies(auth, person).await?;
    let name_of = |session: &Listed| {
        companies
            .iter()
            .find(|choice| choice.tenant_id == session.tenant_id)
            .map(|choice| choice.name.clone())
    };
    let sessions = open(auth, person, None).await?;
    Ok(sessions.into_iter().filter_map(|session| name_of(&session).map(|name| (session, name))).collect())
}

/// Ends a session of one's own.
pub async fn end_own(
    auth: &Authenticator,
    person: Uuid,
    session: Uuid,
    only: Option<Uuid>,
) -> Result<(), Error> {
    match end(auth, person, &[session], only).await? {
        0 => Err(Error::NotFound(Kind::Session)),
        _ => Ok(()),
    }
}

/// The open sessions of a member in this company, newest first: for who manages members.
pub async fn of_member(auth: &Authenticator, scope: &Scope, person: Uuid) -> Result<Vec<Listed>, Error> {
    scope.require(Permission::MembersManage)?;
    Ok(open(auth, person, Some(scope.company().id)).await?)
}

/// Ends all sessions of a member in this company, and in its test twin. How many ended.
pub async fn end_of_member(tx: &Tx, auth: &Authenticator, member: Uuid) -> Result<usize, Error> {
    tx.scope().require(Permission::MembersManage)?;
    let sql = "SELECT person_id, role FROM membership WHERE id = $1 AND archived_at IS NULL";
    let found: Option<(Uuid, String)> = tx.tuple(sql, [member.into()]).await?;
    let (person, role) = found.ok_or(Error::NotFound(Kind::Membership))?;
    roles::may_touch(tx, &role).await?;
    let ended = end_in(tx, auth, person).await?;
    if ended > 0 {
        let event = NewEvent::new("member.sessions_ended", Kind::Membership, member);
        event.fact("count", ended).append(tx).await?;
    }
    Ok(ended)
}

/// Ends a person's sessions in the company of a transaction, and in its test twin: who comes back later signs in anew.
/// Sessions are global and end at once, whatever becomes of the transaction.
pub async fn end_in(tx: &Tx, auth: &Authenticator, person: Uuid) -> Result<usize, Error> {
    let twin: Option<(Option<Uuid>,)> =
        tx.tuple("SELECT twin_id FROM company WHERE mode = 'live'", []).await?;
    let companies = [Some(tx.scope().company().id), twin.and_then(|(twin,)| twin)];
    let companies: Vec<Uuid> = companies.into_iter().flatten().collect();
    let sql = "UPDATE session SET revoked_at = $3 WHERE person_id = $1 AND tenant_id = ANY($2) AND revoked_at IS NULL";
    let ended = sqlx::query(sql).bind(person).bind(companies).bind(auth.clock().now());
    let ended = ended.execute(auth.db().directory()).await.map_err(Fault::from)?;
    auth.forget();
    Ok(usize::try_from(ended.rows_affected()).unwrap_or(usize::MAX))
}

/// The person of a request; programs have no sessions.
pub fn person_of(scope: &Scope) -> Result<Uuid, Error> {
    match scope.actor() {
        Actor::Person(person) => Ok(person),
        _ => Err(Error::invalid("id", "programs have no sessions: sign in as a person")),
    }
}
