//! How identities are read and written, in the directory; and what looks across companies.

use ::federation::Identity;
use kernel::Fault;
use uuid::Uuid;

use super::link::Linked;
use crate::authenticator::Authenticator;

/// The company that has proved a domain.
#[derive(Clone, Debug, sqlx::FromRow)]
pub(super) struct Holder {
    #[sqlx(rename = "tenant_id")]
    pub(super) company: Uuid,
    pub(super) joins: bool,
    pub(super) join_role: Option<String>,
}

/// Whether an identity was taken away.
pub(super) enum Unlinked {
    Yes(String),
    NotThere,
    /// It is the last way to sign in.
    Needed,
}

/// The person of an identity.
pub(super) async fn known(auth: &Authenticator, issuer: &str, subject: &str) -> Result<Option<Uuid>, Fault> {
    let sql = "SELECT person_id FROM federated_identity WHERE issuer = $1 AND subject = $2";
    let found = sqlx::query_scalar(sql).bind(issuer).bind(subject);
    Ok(found.fetch_optional(auth.db().directory()).await?)
}

pub(super) async fn used(auth: &Authenticator, issuer: &str, subject: &str) -> Result<(), Fault> {
    sqlx::query("UPDATE federated_identity SET last_used_at = $3 WHERE issuer = $1 AND subject = $2")
        .bind(issuer)
        .bind(subject)
        .bind(auth.clock().now())
        .execute(auth.db().directory())
        .await?;
    Ok(())
}

const LINK: &str = "INSERT INTO federated_identity (issuer, subject, id, person_id, created_at)
     VALUES ($1, $2, $3, $4, $5) ON CONFLICT (issuer, subject) DO NOTHING";

/// Gives an identity to a person; its id, or `None` when it is somebody's already.
pub(super) async fn link(
    auth: &Authenticator,
    issuer: &str,
    subject: &str,
    person: Uuid,
) -> Result<Option<Uuid>, Fault> {
    let id = kernel::id::new();
    let linked = sqlx::query(LINK).bind(issuer).bind(subject).bind(id).bind(person).bind(auth.clock().now());
    Ok((linked.execute(auth.db().directory()).await?.rows_affected() == 1).then_some(id))
}

/// Makes a person with a proved address and an identity, and no password. `None`: the address or the identity is somebody's.
pub(super) async fn make(
    auth: &Authenticator,
    identity: &Identity,
    (email, name, locale): (&str, &str, &str),
) -> Result<Option<Uuid>, Fault> {
    let (person, now) = (kernel::id::new(), auth.clock().now());
    let mut tx = auth.db().begin_directory().await?;
    let made = sqlx::query(
        "INSERT INTO person (id, email, name, locale, created_at, email_verified_at) VALUES ($1, $2, $3, $4, $5, $5)
         ON CONFLICT (email) WHERE email_verified_at IS NOT NULL DO NOTHING",
    );
    let made = made.bind(person).bind(email).bind(name).bind(locale).bind(now).execute(&mut *tx).await?;
    let linked = sqlx::query(LINK).bind(&identity.issuer).bind(&identity.subject).bind(kernel::id::new());
    if made.rows_affected() == 0
        || linked.bind(person).bind(now).execute(&mut *tx).await?.rows_affected() == 0
    {
        // Dropped, the transaction is undone.
        return Ok(None);
    }
    tx.commit().await?;
    Ok(Some(person))
}

pub(super) async fn list(auth: &Authenticator, person: Uuid) -> Result<Vec<Linked>, Fault> {
    let sql = "SELECT id, issuer, created_at, last_used_at FROM federated_identity WHERE person_id = $1
         ORDER BY created_at, id LIMIT 100";
    Ok(sqlx::query_as(sql).bind(person).fetch_all(auth.db().directory()).await?)
}

/// Takes an identity away, unless nothing else would let the person in. The person's row is locked, so that two cannot be
/// taken away at once.
pub(super) async fn unlink(auth: &Authenticator, person: Uuid, id: Uuid) -> Result<Unlinked, Fault> {
    let mut tx = auth.db().begin_directory().await?;
    sqlx::query("SELECT 1 FROM person WHERE id = $1 FOR NO KEY UPDATE")
        .bind(person)
        .execute(&mut *tx)
        .await?;
    let gone = sqlx::query_scalar(
        "DELETE FROM federated_identity WHERE person_id = $1 AND id = $2 RETURNING issuer",
    );
    let gone: Option<String> = gone.bind(person).bind(id).fetch_optional(&mut *tx).await?;
    let Some(issuer) = gone else { return Ok(Unlinked::NotThere) };
    let left = "SELECT EXISTS (SELECT FROM credential WHERE person_id = $1)
            OR EXISTS (SELECT FROM passkey WHERE person_id = $1)
            OR EXISTS (SELECT FROM federated_identity WHERE person_id = $1)";
    if !sqlx::query_scalar::<_, bool>(left).bind(person).fetch_one(&mut *tx).await? {
        // Dropped, the transaction is undone.
        return Ok(Unlinked::Needed);
    }
    tx.commit().await?;
    Ok(Unlinked::Yes(issuer))
}

/// The company of a provider that is offered.
pub(super) async fn company_of(auth: &Authenticator, provider: Uuid) -> Result<Option<Uuid>, Fault> {
    let found = sqlx::query_scalar("SELECT sso_provider_company($1)").bind(provider);
    Ok(found.fetch_one(auth.db().directory()).await?)
}

pub(super) async fn holder(auth: &Authenticator, domain: &str) -> Result<Option<Holder>, Fault> {
    let sql = "SELECT tenant_id, joins, join_role FROM domain_holder($1)";
    Ok(sqlx::query_as(sql).bind(domain).fetch_optional(auth.db().directory()).await?)
}

/// The providers that sign people of a domain in, by id and name.
pub(super) async fn of_domain(auth: &Authenticator, domain: &str) -> Result<Vec<(Uuid, String)>, Fault> {
    let sql = "SELECT id, name FROM sso_providers_of_domain($1)";
    Ok(sqlx::query_as(sql).bind(domain).fetch_all(auth.db().directory()).await?)
}
