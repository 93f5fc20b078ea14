//! Giving, listing and revoking grants.

use chrono::{DateTime, Utc};
use entity::identity::oauth_grant;
use kernel::{Actor, DomainError, Fault, Kind, NewEvent, Permission, PermissionSet, Scope, Tx};
use uuid::Uuid;

use crate::error::Error;
use crate::oauth::client::Client;
use crate::oauth::{names, stored};

/// Lets an application act for a person, or, without one, for itself in its own company. A living grant of the same two
/// is widened. In the caller's transaction, whose caller has checked the rights.
pub(crate) async fn give_in(
    tx: &Tx,
    client: &Client,
    person: Option<Uuid>,
    permissions: PermissionSet,
) -> Result<Uuid, Error> {
    let scope = tx.scope();
    let living: Option<oauth_grant::Model> = tx
        .one(
            "SELECT * FROM oauth_grant WHERE client_id = $1 AND person_id IS NOT DISTINCT FROM $2 AND revoked_at IS NULL
             FOR NO KEY UPDATE",
            [client.id.into(), person.into()],
        )
        .await?;
    let (now, by) = (scope.clock().now(), scope.actor().stored());
    let application = kernel::id::encode(Kind::Application, client.id);
    let Some(living) = living else {
        let id = tx.new_id();
        tx.run(
            "INSERT INTO oauth_grant (tenant_id, id, client_id, client_company, client_name, client_homepage, person_id,
                 permissions, created_at, created_by, updated_at, updated_by)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $9, $10)",
            [
                scope.company().id.into(),
                id.into(),
                client.id.into(),
                client.company.into(),
                client.name.clone().into(),
                client.homepage.clone().into(),
                person.into(),
                names(permissions).into(),
                now.into(),
                by.into(),
            ],
        )
        .await?;
        let event = NewEvent::new("grant.given", Kind::Grant, id).fact("application", application);
        event.fact("permissions", names(permissions)).append(tx).await?;
        return Ok(id);
    };
    let before = stored(&living.permissions);
    let wider: PermissionSet = before.iter().chain(permissions.iter()).collect();
    if wider != before {
        tx.run(
            "UPDATE oauth_grant SET permissions = $2, client_name = $3, client_homepage = $4, version = version + 1,
                 updated_at = $5, updated_by = $6 WHERE id = $1",
            [
                living.id.into(),
                names(wider).into(),
                client.name.clone().into(),
                client.homepage.clone().into(),
                now.into(),
                by.into(),
            ],
        )
        .await?;
        let event = NewEvent::new("grant.widened", Kind::Grant, living.id);
        event.changed("permissions", &names(before), &names(wider)).append(tx).await?;
    }
    Ok(living.id)
}

/// Revokes a grant for good, with all its tokens: one's own, or, with `members.manage`, anybody's in the company. Revoking
/// a revoked one changes nothing.
pub async fn revoke(tx: &Tx, id: Uuid) -> Result<(), Error> {
    let found: Option<oauth_grant::Model> =
        tx.one("SELECT * FROM oauth_grant WHERE id = $1 FOR NO KEY UPDATE", [id.into()]).await?;
    let grant = found.filter(|grant| may_see(tx, grant)).ok_or(Error::NotFound(Kind::Grant))?;
    if grant.revoked_at.is_some() {
        return Ok(());
    }
    revoke_in(tx, &[id]).await
}

/// Whether a grant is the actor's own, or the actor manages members. Another's is not found.
fn may_see(tx: &Tx, grant: &oauth_grant::Model) -> bool {
    let scope = tx.scope();
    let own = grant.person_id.is_some_and(|person| scope.actor() == Actor::Person(person));
    own || scope.require(Permission::MembersManage).is_ok()
}

/// Revokes living grants, whose rows the caller has locked or whose person it has.
async fn revoke_in(tx: &Tx, ids: &[Uuid]) -> Result<(), Error> {
    let scope = tx.scope();
    tx.run(
        "UPDATE oauth_grant SET revoked_at = $2, version = version + 1, updated_at = $2, updated_by = $3
         WHERE id = ANY($1) AND revoked_at IS NULL",
        [ids.to_vec().into(), scope.clock().now().into(), scope.actor().stored().into()],
    )
    .await?;
    for id in ids {
        NewEvent::new("grant.revoked", Kind::Grant, *id).append(tx).await?;
    }
    Ok(())
}

/// Revokes what a person has granted in this company: whoever leaves takes it along, and coming back does not revive it.
pub(crate) async fn end_of_person_in(tx: &Tx, person: Uuid) -> Result<usize, Error> {
    let living: Vec<(Uuid,)> = tx
        .tuples(
            "SELECT id FROM oauth_grant WHERE person_id = $1 AND revoked_at IS NULL ORDER BY id FOR NO KEY UPDATE",
            [person.into()],
        )
        .await?;
    let ids: Vec<Uuid> = living.into_iter().map(|(id,)| id).collect();
    revoke_in(tx, &ids).await?;
    Ok(ids.len())
}

/// Revokes that with which an application acts for itself.
pub(crate) async fn end_standing_in(tx: &Tx, client: Uuid) -> Result<(), Error> {
    let living: Option<(Uuid,)> = tx
        .tuple(
            "SELECT id FROM oauth_grant WHERE client_id = $1 AND person_id IS NULL AND revoked_at IS NULL
             FOR NO KEY UPDATE",
            [client.into()],
        )
        .await?;
    match living {
        Some((id,)) => revoke_in(tx, &[id]).await,
        None => Ok(()),
    }
}

/// What the actor has granted in this company, newest first; programs grant nothing.
pub async fn mine(tx: &Tx) -> Result<Vec<oauth_grant::Model>, Error> {
    let Actor::Person(person) = tx.scope().actor() else { return Ok(Vec::new()) };
    Ok(tx
        .all("SELECT * FROM oauth_grant WHERE person_id = $1 ORDER BY id DESC LIMIT 100", [person.into()])
        .await?)
}

/// The living grants of this company, newest first; for who manages members.
pub async fn list(tx: &Tx) -> Result<Vec<oauth_grant::Model>, Error> {
    tx.scope().require(Permission::MembersManage)?;
    Ok(tx.all("SELECT * FROM oauth_grant WHERE revoked_at IS NULL ORDER BY id DESC LIMIT 1000", []).await?)
}

/// A grant; none for an unknown id, and for another's without `members.manage`.
pub async fn get(tx: &Tx, id: Uuid) -> Result<Option<oauth_grant::Model>, Error> {
    let found: Option<oauth_grant::Model> =
        tx.one("SELECT * FROM oauth_grant WHERE id = $1", [id.into()]).await?;
    Ok(found.filter(|grant| may_see(tx, grant)))
}

/// For whom and through which application a grant acts, for showing who did something.
#[derive(Clone, Debug)]
pub struct Names {
    /// The person's name; none for an application that acts for itself.
    pub person: Option<String>,
    /// The application's name, as it was granted.
    pub application: String,
}

/// The names of grants of this company.
pub async fn names_of(tx: &Tx, ids: &[Uuid]) -> Result<Vec<(Uuid, Names)>, Error> {
    let rows: Vec<(Uuid, Option<String>, String)> = tx
        .tuples(
            "SELECT g.id, p.name, g.client_name FROM oauth_grant g LEFT JOIN person p ON p.id = g.person_id
             WHERE g.id = ANY($1)",
            [ids.to_vec().into()],
        )
        .await?;
    Ok(rows.into_iter().map(|(id, person, application)| (id, Names { person, application })).collect())
}

/// The people who stand behind a grant: who gave it, or everybody who has stood behind the application.
pub(crate) async fn people_in(tx: &Tx, id: Uuid) -> Result<Vec<Uuid>, Fault> {
    let row: Option<(Option<Uuid>, Option<Vec<Uuid>>)> = tx
        .tuple(
            "SELECT g.person_id, o.people_ids FROM oauth_grant g
             LEFT JOIN oauth_client o ON o.id = g.client_id AND g.person_id IS NULL WHERE g.id = $1",
            [id.into()],
        )
        .await?;
    Ok(match row {
        Some((Some(person), _)) => vec![person],
        Some((None, people)) => people.unwrap_or_default(),
        None => Vec::new(),
    })
}

/// Notes that a grant was used.
pub(crate) async fn touch(scope: &Scope, id: Uuid, at: DateTime<Utc>) -> Result<(), Fault> {
    let touched: Result<(), Error> = scope
        .write(|tx| {
            Box::pin(async move {
                tx.run("UPDATE oauth_grant SET last_used_at = $2 WHERE id = $1", [id.into(), at.into()])
                    .await?;
                Ok(())
            })
        })
        .await;
    touched.map_err(|error| match error {
        Error::Fault(fault) => fault,
        other => Fault::Internal(format!("{}: {other}", other.code())),
    })
}
