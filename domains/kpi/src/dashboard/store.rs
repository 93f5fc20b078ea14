//! The tables `dashboard` and `embed_link`.

use chrono::{DateTime, Utc};
use kernel::{Fault, Tx};
use sea_orm::Value;
use uuid::Uuid;

use super::{Dashboard, EmbedLink, Tile};
use crate::definition::Condition;

/// What may be seen by the member `$1`: shared ones, and own ones.
const SEEN: &str = "archived_at IS NULL AND (shared OR owner_id = $1)";

/// The dashboards that a member sees, the default one first, then by title.
pub(super) async fn seen(tx: &Tx, member: Option<Uuid>) -> Result<Vec<Dashboard>, Fault> {
    let sql = format!(
        "SELECT * FROM dashboard WHERE {SEEN} ORDER BY is_default DESC, shared DESC, title, id LIMIT $2"
    );
    tx.all(&sql, [member.into(), super::MOST_DASHBOARDS.into()]).await
}

pub(super) async fn by_ids(tx: &Tx, ids: &[Uuid], member: Option<Uuid>) -> Result<Vec<Dashboard>, Fault> {
    tx.all(
        &format!("SELECT * FROM dashboard WHERE {SEEN} AND id = ANY($2)"),
        [member.into(), ids.to_vec().into()],
    )
    .await
}

/// A dashboard that a member sees, locked.
pub(super) async fn lock(tx: &Tx, id: Uuid, member: Option<Uuid>) -> Result<Option<Dashboard>, Fault> {
    let sql = format!("SELECT * FROM dashboard WHERE {SEEN} AND id = $2 FOR NO KEY UPDATE");
    tx.one(&sql, [member.into(), id.into()]).await
}

/// A shared dashboard, for who follows a link.
pub(super) async fn shared(tx: &Tx, id: Uuid) -> Result<Option<Dashboard>, Fault> {
    tx.one("SELECT * FROM dashboard WHERE id = $1 AND shared AND archived_at IS NULL", [id.into()]).await
}

/// How many are in use; counted one after another, so that two cannot both be the last that there is room for.
pub(super) async fn count(tx: &Tx) -> Result<i64, Fault> {
    tx.run("SELECT 1 FROM dashboard WHERE is_default FOR NO KEY UPDATE", []).await?;
    let counted: Option<(i64,)> =
        tx.tuple("SELECT count(*) FROM dashboard WHERE archived_at IS NULL", []).await?;
    Ok(counted.map_or(0, |(count,)| count))
}

pub(super) struct NewDashboard<'a> {
    pub(super) title: &'a str,
    pub(super) shared: bool,
    pub(super) owner: Option<Uuid>,
    pub(super) layout: &'a [Tile],
}

fn json<T: serde::Serialize + ?Sized>(value: &T) -> Result<Value, Fault> {
    serde_json::to_value(value).map(Into::into).map_err(|e| Fault::Internal(format!("a dashboard: {e}")))
}

pub(super) async fn insert(tx: &Tx, id: Uuid, new: NewDashboard<'_>) -> Result<(), Fault> {
    let scope = tx.scope();
    let values: [Value; 8] = [
        scope.company().id.into(),
        id.into(),
        new.title.into(),
        new.shared.into(),
        new.owner.into(),
        json(new.layout)?,
        scope.clock().now().into(),
        scope.actor().stored().into(),
    ];
    let sql = "INSERT INTO dashboard (tenant_id, id, title, shared, owner_id, layout, created_at, created_by, updated_at, updated_by)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $7, $8)";
    tx.run(sql, values).await.map(|_| ())
}

/// Lays the dashboard that is shown first, as the migration did for the companies before.
pub(super) async fn insert_default(tx: &Tx, title: &str) -> Result<(), Fault> {
    let scope = tx.scope();
    let values: [Value; 5] = [
        scope.company().id.into(),
        tx.new_id().into(),
        title.into(),
        scope.clock().now().into(),
        scope.actor().stored().into(),
    ];
    let sql = "INSERT INTO dashboard (tenant_id, id, title, shared, is_default, layout, created_at, created_by, updated_at,
             updated_by)
         VALUES ($1, $2, $3, true, true, default_dashboard_layout(), $4, $5, $4, $5)";
    tx.run(sql, values).await.map(|_| ())
}

pub(super) async fn update(tx: &Tx, new: &Dashboard) -> Result<(), Fault> {
    let scope = tx.scope();
    let values: [Value; 7] = [
        new.id.into(),
        new.title.clone().into(),
        new.shared.into(),
        new.owner_id.into(),
        new.layout.clone().into(),
        scope.clock().now().into(),
        scope.actor().stored().into(),
    ];
    let sql =
        "UPDATE dashboard SET title = $2, shared = $3, owner_id = $4, layout = $5, version = version + 1,
             updated_at = $6, updated_by = $7 WHERE id = $1";
    tx.run(sql, values).await.map(|_| ())
}

pub(super) async fn archive(tx: &Tx, id: Uuid) -> Result<(), Fault> {
    let scope = tx.scope();
    let sql = "UPDATE dashboard SET archived_at = $2, updated_at = $2, updated_by = $3, version = version + 1 WHERE id = $1";
    tx.run(sql, [id.into(), scope.clock().now().into(), scope.actor().stored().into()]).await.map(|_| ())
}

/// A new link.
pub(super) struct NewLink<'a> {
    pub(super) dashboard: Uuid,
    pub(super) token_hash: Vec<u8>,
    pub(super) filters: &'a [Condition],
    pub(super) expires_at: DateTime<Utc>,
}

pub(super) async fn insert_link(tx: &Tx, id: Uuid, new: NewLink<'_>) -> Result<(), Fault> {
    let scope = tx.scope();
    let values: [Value; 8] = [
        scope.company().id.into(),
        id.into(),
        new.dashboard.into(),
        new.token_hash.into(),
        json(new.filters)?,
        new.expires_at.into(),
        scope.clock().now().into(),
        scope.actor().stored().into(),
    ];
    let sql = "INSERT INTO embed_link (tenant_id, id, dashboard_id, token_hash, filters, expires_at, created_at, created_by)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8)";
    tx.run(sql, values).await.map(|_| ())
}

/// The links of these dashboards that are good, newest first.
pub(super) async fn links_of(tx: &Tx, dashboards: &[Uuid]) -> Result<Vec<EmbedLink>, Fault> {
    let sql =
        "SELECT * FROM embed_link WHERE dashboard_id = ANY($1) AND revoked_at IS NULL AND expires_at > $2
         ORDER BY id DESC";
    tx.all(sql, [dashboards.to_vec().into(), tx.scope().clock().now().into()]).await
}

pub(super) async fn links(tx: &Tx, ids: &[Uuid]) -> Result<Vec<EmbedLink>, Fault> {
    tx.all("SELECT * FROM embed_link WHERE id = ANY($1)", [ids.to_vec().into()]).await
}

pub(super) async fn lock_link(tx: &Tx, id: Uuid) -> Result<Option<EmbedLink>, Fault> {
    tx.one("SELECT * FROM embed_link WHERE id = $1 FOR NO KEY UPDATE", [id.into()]).await
}

/// The link of a token's hash, if it is good.
pub(super) async fn good_link(tx: &Tx, token_hash: Vec<u8>) -> Result<Option<EmbedLink>, Fault> {
    let sql = "SELECT * FROM embed_link WHERE token_hash = $1 AND revoked_at IS NULL AND expires_at > $2";
    tx.one(sql, [token_hash.into(), tx.scope().clock().now().into()]).await
}

pub(super) async fn revoke_link(tx: &Tx, id: Uuid) -> Result<(), Fault> {
    let scope = tx.scope();
    let sql = "UPDATE embed_link SET revoked_at = $2, revoked_by = $3 WHERE id = $1";
    tx.run(sql, [id.into(), scope.clock().now().into(), scope.actor().stored().into()]).await.map(|_| ())
}
