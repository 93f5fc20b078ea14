//! Opening and ending sessions.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use kernel::{Actor, Fault, Kind, NewEvent, Origin, Tx};
use uuid::Uuid;

use crate::assurance::Assurance;
use crate::authenticator::{ABSOLUTE, Authenticator, SESSION_PREFIX};
use crate::error::Error;
use crate::secret;

/// A company that a person can act in.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct Choice {
    /// The company.
    pub tenant_id: Uuid,
    /// Its name.
    pub name: String,
    /// The key of the person's role there.
    pub role: String,
    /// The role's name, when it is the company's own.
    pub role_name: Option<String>,
    /// `live` or `test`.
    pub mode: String,
}

/// When a session's holder was recognised, and until when that is good.
#[derive(Clone, Copy, Debug)]
struct Recognised {
    authenticated_at: DateTime<Utc>,
    expires_at: DateTime<Utc>,
}

/// An open session, as it is stored.
#[derive(sqlx::FromRow)]
struct Open {
    person_id: Uuid,
    tenant_id: Uuid,
    #[sqlx(flatten)]
    how: How,
    authenticated_at: DateTime<Utc>,
    expires_at: DateTime<Utc>,
}

/// How the person was recognised.
#[derive(Clone, Copy, Debug, sqlx::FromRow)]
pub struct How {
    /// What was shown.
    #[sqlx(try_from = "String")]
    pub assurance: Assurance,
    /// The device, when it is known.
    #[sqlx(rename = "device_id")]
    pub device: Option<Uuid>,
    /// Whether the session is good in its own company only.
    pub confined: bool,
}

impl How {
    /// By these factors, on no device that is known again.
    pub const fn shown(assurance: Assurance) -> Self {
        Self { assurance, device: None, confined: false }
    }
}

/// A session just opened: the token is shown this once.
#[derive(Clone, Debug)]
pub struct Opened {
    /// The session.
    pub id: Uuid,
    /// The person.
    pub person_id: Uuid,
    /// The company it acts in.
    pub company_id: Uuid,
    /// The secret.
    pub token: String,
    /// When it ends at the latest.
    pub expires_at: DateTime<Utc>,
}

/// The companies a person can act in, oldest first, test twins last.
pub async fn companies(auth: &Authenticator, person: Uuid) -> Result<Vec<Choice>, Fault> {
    let sql = "SELECT tenant_id, name, role, role_name, mode FROM companies_of($1)";
    Ok(sqlx::query_as(sql).bind(person).fetch_all(auth.db().directory()).await?)
}

/// Opens a session of a known person in one of the person's companies: always under a new token, whatever was shown
/// before (OWASP ASVS 5.0, 7.2.4).
pub async fn open(
    auth: &Authenticator,
    person: Uuid,
    company: Option<Uuid>,
    how: How,
    origin: Origin,
) -> Result<Opened, Error> {
    let now = auth.clock().now();
    let just_now = Recognised { authenticated_at: now, expires_at: now + ABSOLUTE };
    open_as(auth, person, company, how, just_now, origin).await
}

/// Opens a session from another one, for another company. The person has shown nothing more: it is worth as much as the
/// other, and ends when the other does, so that a stolen token cannot be kept alive for ever.
pub async fn open_from(
    auth: &Authenticator,
    session: Uuid,
    company: Uuid,
    origin: Origin,
) -> Result<Opened, Error> {
    let Open { person_id, how, authenticated_at, expires_at, .. } = find(auth, session).await?;
    if how.confined {
        return Err(Error::Confined);
    }
    let recognised = Recognised { authenticated_at, expires_at };
    open_as(auth, person_id, Some(company), how, recognised, origin).await
}

/// An open session.
async fn find(auth: &Authenticator, session: Uuid) -> Result<Open, Error> {
    let sql = "SELECT person_id, tenant_id, assurance, device_id, confined, authenticated_at, expires_at FROM session
         WHERE id = $1 AND revoked_at IS NULL";
    let found = sqlx::query_as(sql).bind(session).fetch_optional(auth.db().directory()).await;
    found.map_err(Fault::from)?.ok_or(Error::NotFound(Kind::Session))
}

async fn open_as(
    auth: &Authenticator,
    person: Uuid,
    company: Option<Uuid>,
    how: How,
    recognised: Recognised,
    origin: Origin,
) -> Result<Opened, Error> {
    let choices = companies(auth, person).await?;
    let choice = choices.iter().find(|choice| company.is_none_or(|id| id == choice.tenant_id));
    let choice = choice.ok_or(Error::NotFound(Kind::Company))?;
    let scope = auth.link_scope(choice.tenant_id, Actor::Person(person), origin.clone()).await?;
    let scope = scope.ok_or(Error::NotFound(Kind::Company))?;
    let opened = Opened {
        id: kernel::id::new(),
        person_id: person,
        company_id: choice.tenant_id,
        token: credentials::secret::generate(SESSION_PREFIX),
        expires_at: recognised.expires_at,
    };
    store(auth, &opened, how, recognised, &origin).await?;
    let role = choice.role.clone();
    scope
        .write(|tx| {
            let (id, role) = (opened.id, role.clone());
            Box::pin(async move {
                let event = NewEvent::new("session.opened", Kind::Session, id).fact("role", role);
                Ok::<_, Error>(event.fact("assurance", how.assurance.as_str()).append(tx).await?)
            })
        })
        .await?;
    Ok(opened)
}

async fn store(
    auth: &Authenticator,
    opened: &Opened,
    how: How,
    recognised: Recognised,
    origin: &Origin,
) -> Result<(), Fault> {
    sqlx::query(
        "INSERT INTO session (id, token_hash, person_id, tenant_id, created_at, last_seen_at, expires_at, address, agent,
             assurance, device_id, authenticated_at, confined)
         VALUES ($1, $2, $3, $4, $5, $5, $6, $7, $8, $9, $10, $11, $12)",
    )
    .bind(opened.id)
    .bind(secret::hash(&opened.token))
    .bind(opened.person_id)
    .bind(opened.company_id)
    .bind(auth.clock().now())
    .bind(opened.expires_at)
    .bind(&origin.address)
    .bind(&origin.agent)
    .bind(how.assurance.as_str())
    .bind(how.device)
    .bind(recognised.authenticated_at)
    .bind(how.confined)
    .execute(auth.db().directory())
    .await?;
    Ok(())
}

/// Notes on which device a session was opened.
pub(crate) async fn bind(auth: &Authenticator, session: Uuid, device: Uuid) -> Result<(), Fault> {
    let bound = sqlx::query("UPDATE session SET device_id = $2 WHERE id = $1").bind(session).bind(device);
    bound.execute(auth.db().directory()).await?;
    Ok(())
}

/// Opens a session in place of another, which ends, after more was shown. It keeps the company, the device, and where it is
/// good.
pub async fn replace(
    auth: &Authenticator,
    session: Uuid,
    assurance: Assurance,
    origin: Origin,
) -> Result<Opened, Error> {
    let Open { person_id, tenant_id, how, .. } = find(auth, session).await?;
    let opened = open(auth, person_id, Some(tenant_id), How { assurance, ..how }, origin).await?;
    end(auth, person_id, &[session], None).await?;
    Ok(opened)
}

/// Ends the session of the request. Ending an ended one changes nothing.
pub async fn sign_out(tx: &Tx, auth: &Authenticator, session: Uuid) -> Result<(), Error> {
    let now = tx.scope().clock().now();
    let ended = sqlx::query("UPDATE session SET revoked_at = $2 WHERE id = $1 AND revoked_at IS NULL")
        .bind(session)
        .bind(now)
        .execute(auth.db().directory())
        .await
        .map_err(Fault::from)?;
    if ended.rows_affected() > 0 {
        NewEvent::new("session.ended", Kind::Session, session).append(tx).await?;
    }
    auth.forget();
    Ok(())
}

/// Ends these sessions of a person; unknown, ended and other people's are left as they are, and with `only` those of other
/// companies. How many ended.
pub async fn end(
    auth: &Authenticator,
    person: Uuid,
    sessions: &[Uuid],
    only: Option<Uuid>,
) -> Result<usize, Error> {
    let sql =
        "UPDATE session SET revoked_at = $3 WHERE person_id = $1 AND id = ANY($2) AND revoked_at IS NULL
             AND ($4 IS NULL OR tenant_id = $4)
         RETURNING id, tenant_id";
    let ended = sqlx::query_as(sql).bind(person).bind(sessions).bind(auth.clock().now()).bind(only);
    let ended = ended.fetch_all(auth.db().directory()).await.map_err(Fault::from)?;
    told(auth, person, ended).await
}

/// Ends every session of a person but one, and with `only` those in that company alone. How many ended.
pub async fn end_others(
    auth: &Authenticator,
    person: Uuid,
    but: Option<Uuid>,
    only: Option<Uuid>,
) -> Result<usize, Error> {
    let sql = "UPDATE session SET revoked_at = $3 WHERE person_id = $1 AND id IS DISTINCT FROM $2
             AND revoked_at IS NULL AND $3 < expires_at AND ($4 IS NULL OR tenant_id = $4)
         RETURNING id, tenant_id";
    let ended = sqlx::query_as(sql).bind(person).bind(but).bind(auth.clock().now()).bind(only);
    let ended = ended.fetch_all(auth.db().directory()).await.map_err(Fault::from)?;
    told(auth, person, ended).await
}

/// Writes the ends of sessions to the logs of their companies. The sessions have ended before: should this fail, the log
/// lacks a line, and nobody has an access that was taken away.
async fn told(auth: &Authenticator, person: Uuid, ended: Vec<(Uuid, Uuid)>) -> Result<usize, Error> {
    auth.forget();
    let count = ended.len();
    let mut by_company: BTreeMap<Uuid, Vec<Uuid>> = BTreeMap::new();
    for (session, company) in ended {
        by_company.entry(company).or_default().push(session);
    }
    for (company, sessions) in by_company {
        let Some(scope) = auth.link_scope(company, Actor::Person(person), Origin::default()).await? else {
            continue;
        };
        scope
            .write(|tx| {
                let sessions = sessions.clone();
                Box::pin(async move {
                    for session in sessions {
                        NewEvent::new("session.ended", Kind::Session, session).append(tx).await?;
                    }
                    Ok::<_, Error>(())
                })
            })
            .await?;
    }
    Ok(count)
}
