//! The table `access_request`, and who concerns it.

use kernel::page::{Page, Slice};
use kernel::{Fault, Tx};
use sea_orm::FromQueryResult;
use uuid::Uuid;

use super::service::AccessRequest;
use super::{Act, Decision, LIFETIME};

const COLUMNS: &str =
    "SELECT id, payload, requested_by, requested_person, requested_at, expires_at, decision, decided_by,
     decided_at, version FROM access_request";

/// An owner to write to.
#[derive(FromQueryResult)]
pub(super) struct Owner {
    pub(super) email: String,
    pub(super) locale: String,
}

pub(super) async fn is_needed(tx: &Tx) -> Result<bool, Fault> {
    let row: Option<(bool,)> = tx.tuple("SELECT rights_four_eyes FROM company", []).await?;
    Ok(row.is_some_and(|(needed,)| needed))
}

pub(super) async fn insert(tx: &Tx, act: &Act, person: Option<Uuid>) -> Result<Uuid, Fault> {
    let (scope, id) = (tx.scope(), tx.new_id());
    let now = scope.clock().now();
    let payload =
        serde_json::to_value(act).map_err(|e| Fault::Internal(format!("a change of rights: {e}")))?;
    tx.run(
        "INSERT INTO access_request (tenant_id, id, kind, subject_id, payload, requested_by, requested_person,
             requested_at, expires_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
        [
            scope.company().id.into(),
            id.into(),
            act.kind().into(),
            act.subject().map(|(_, subject)| subject).into(),
            payload.into(),
            scope.actor().stored().into(),
            person.into(),
            now.into(),
            (now + LIFETIME).into(),
        ],
    )
    .await?;
    Ok(id)
}

pub(super) async fn lock(tx: &Tx, id: Uuid) -> Result<Option<AccessRequest>, Fault> {
    tx.one(&format!("{COLUMNS} WHERE id = $1 FOR NO KEY UPDATE"), [id.into()]).await
}

pub(super) async fn get(tx: &Tx, id: Uuid) -> Result<Option<AccessRequest>, Fault> {
    tx.one(&format!("{COLUMNS} WHERE id = $1"), [id.into()]).await
}

pub(super) async fn list(tx: &Tx, only_open: bool, slice: &Slice) -> Result<Page<AccessRequest>, Fault> {
    // The newest come first, and ids rise with time.
    let order = if slice.backward { "id" } else { "id DESC" };
    let open = if only_open { "decision IS NULL AND expires_at > $4" } else { "$4::timestamptz IS NOT NULL" };
    let sql = format!(
        "{COLUMNS} WHERE {open} AND ($1::uuid IS NULL OR id < $1) AND ($2::uuid IS NULL OR id > $2)
         ORDER BY {order} LIMIT $3"
    );
    let rows = tx.all(
        &sql,
        [
            slice.after.as_ref().map(|cursor| cursor.id).into(),
            slice.before.as_ref().map(|cursor| cursor.id).into(),
            slice.probe().cast_signed().into(),
            tx.scope().clock().now().into(),
        ],
    );
    Ok(Page::from_probe(slice, rows.await?))
}

pub(super) async fn count_open(tx: &Tx) -> Result<i64, Fault> {
    let sql = "SELECT count(*) FROM access_request WHERE decision IS NULL AND expires_at > $1";
    let counted: Option<(i64,)> = tx.tuple(sql, [tx.scope().clock().now().into()]).await?;
    Ok(counted.map_or(0, |(count,)| count))
}

pub(super) async fn count(tx: &Tx) -> Result<i64, Fault> {
    let counted: Option<(i64,)> = tx.tuple("SELECT count(*) FROM access_request", []).await?;
    Ok(counted.map_or(0, |(count,)| count))
}

pub(super) async fn decide(tx: &Tx, id: Uuid, decision: Decision) -> Result<(), Fault> {
    let scope = tx.scope();
    tx.run(
        "UPDATE access_request SET decision = $2, decided_by = $3, decided_at = $4, version = version + 1 WHERE id = $1",
        [id.into(), decision.as_str().into(), scope.actor().stored().into(), scope.clock().now().into()],
    )
    .await
    .map(|_| ())
}

pub(super) async fn behind_key(tx: &Tx, key: Uuid) -> Result<Option<Uuid>, Fault> {
    let row: Option<(Option<Uuid>,)> =
        tx.tuple("SELECT responsible_id FROM api_key WHERE id = $1", [key.into()]).await?;
    Ok(row.and_then(|(person,)| person))
}

pub(super) async fn behind_grant(tx: &Tx, grant: Uuid) -> Result<Option<Uuid>, Fault> {
    let row: Option<(Option<Uuid>,)> =
        tx.tuple("SELECT person_id FROM oauth_grant WHERE id = $1", [grant.into()]).await?;
    Ok(row.and_then(|(person,)| person))
}

pub(super) async fn other_owners(tx: &Tx, asker: Option<Uuid>) -> Result<Vec<Owner>, Fault> {
    tx.all(
        "SELECT p.email, p.locale FROM membership m JOIN person p ON p.id = m.person_id
         WHERE m.role = 'owner' AND m.archived_at IS NULL AND m.suspended_at IS NULL
           AND p.disabled_at IS NULL AND p.email_verified_at IS NOT NULL AND m.person_id IS DISTINCT FROM $1
         ORDER BY m.id",
        [asker.into()],
    )
    .await
}

pub(super) async fn domain_name(tx: &Tx, domain: Uuid) -> Result<Option<String>, Fault> {
    let row: Option<(String,)> =
        tx.tuple("SELECT domain FROM company_domain WHERE id = $1", [domain.into()]).await?;
    Ok(row.map(|(name,)| name))
}

pub(super) async fn person_name(tx: &Tx, person: Uuid) -> Result<Option<String>, Fault> {
    let row: Option<(String,)> = tx
        .tuple(
            "SELECT p.name FROM person p JOIN membership m ON m.person_id = p.id WHERE p.id = $1",
            [person.into()],
        )
        .await?;
    Ok(row.map(|(name,)| name))
}

pub(super) async fn member_name(tx: &Tx, member: Uuid) -> Result<Option<String>, Fault> {
    let row: Option<(String,)> = tx
        .tuple(
            "SELECT p.name FROM person p JOIN membership m ON m.person_id = p.id WHERE m.id = $1",
            [member.into()],
        )
        .await?;
    Ok(row.map(|(name,)| name))
}
