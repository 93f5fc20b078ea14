//! The tables `kpi_alert` and `kpi_alert_mark`.

use chrono::{DateTime, Utc};
use kernel::page::Slice;
use kernel::{Fault, Tx};
use rust_decimal::Decimal;
use sea_orm::{FromQueryResult, Value};
use uuid::Uuid;

use super::{Alert, AlertFilter, OpenAlerts, Posted};
use crate::definition::Level;

/// How far a company is evaluated.
#[derive(Clone, Copy, Debug, FromQueryResult)]
pub(super) struct Mark {
    pub(super) active: bool,
    pub(super) revision: i64,
    pub(super) letters_due_at: Option<DateTime<Utc>>,
}

/// Takes the company's mark until the transaction ends; `None` when somebody else has it, or there is none.
pub(super) async fn take_mark(tx: &Tx) -> Result<Option<Mark>, Fault> {
    let sql = "SELECT active, revision, letters_due_at FROM kpi_alert_mark FOR UPDATE SKIP LOCKED";
    tx.one(sql, []).await
}

pub(super) async fn set_mark(tx: &Tx, mark: Mark) -> Result<(), Fault> {
    let sql = "UPDATE kpi_alert_mark SET active = $1, revision = $2, letters_due_at = $3";
    tx.run(sql, [mark.active.into(), mark.revision.into(), mark.letters_due_at.into()]).await.map(|_| ())
}

/// Has letters looked at at a time, if not before. It waits for who evaluates, and is to come before an alert is locked, as
/// it does there.
pub(super) async fn wake_letters(tx: &Tx, at: DateTime<Utc>) -> Result<(), Fault> {
    let sql = "UPDATE kpi_alert_mark SET letters_due_at = least(coalesce(letters_due_at, $1), $1)";
    tx.run(sql, [at.into()]).await.map(|_| ())
}

/// The open alerts, locked; in one order, so that none who lock several meet.
pub(super) async fn lock_open(tx: &Tx) -> Result<Vec<Alert>, Fault> {
    tx.all("SELECT * FROM kpi_alert WHERE closed_at IS NULL ORDER BY id FOR NO KEY UPDATE", []).await
}

pub(super) async fn lock(tx: &Tx, id: Uuid) -> Result<Option<Alert>, Fault> {
    tx.one("SELECT * FROM kpi_alert WHERE id = $1 FOR NO KEY UPDATE", [id.into()]).await
}

/// What a new alert begins with.
pub(super) struct NewAlert<'a> {
    pub(super) id: Uuid,
    pub(super) kpi: Uuid,
    pub(super) level: Level,
    pub(super) value: Decimal,
    pub(super) currency: Option<&'a str>,
}

/// Stores an alert; `false` when the figure has an open one.
pub(super) async fn insert(tx: &Tx, new: NewAlert<'_>) -> Result<bool, Fault> {
    let scope = tx.scope();
    let values: [Value; 8] = [
        scope.company().id.into(),
        new.id.into(),
        new.kpi.into(),
        new.level.as_str().into(),
        scope.clock().now().into(),
        scope.today().into(),
        new.value.into(),
        new.currency.map(str::to_owned).into(),
    ];
    let sql = "INSERT INTO kpi_alert (tenant_id, id, kpi_id, level, peak_level, opened_at, opened_on, opened_value, currency, value)
         VALUES ($1, $2, $3, $4, $4, $5, $6, $7, $8, $7)
         ON CONFLICT (tenant_id, kpi_id) WHERE closed_at IS NULL DO NOTHING";
    Ok(tx.run(sql, values).await? > 0)
}

/// Moves an open alert to another level.
pub(super) async fn set_level(tx: &Tx, id: Uuid, level: Level, value: Decimal) -> Result<(), Fault> {
    let sql =
        "UPDATE kpi_alert SET level = $2, peak_level = CASE WHEN $2 = 'critical' THEN $2 ELSE peak_level END,
             value = $3, version = version + 1 WHERE id = $1";
    tx.run(sql, [id.into(), level.as_str().into(), value.into()]).await.map(|_| ())
}

pub(super) async fn close(
    tx: &Tx,
    id: Uuid,
    value: Option<Decimal>,
    because: &'static str,
) -> Result<(), Fault> {
    let sql =
        "UPDATE kpi_alert SET closed_at = $2, closed_value = $3, closed_because = $4, version = version + 1
         WHERE id = $1";
    let now = tx.scope().clock().now();
    tx.run(sql, [id.into(), now.into(), value.into(), because.into()]).await.map(|_| ())
}

pub(super) async fn acknowledge(tx: &Tx, id: Uuid) -> Result<(), Fault> {
    let sql = "UPDATE kpi_alert SET acknowledged_at = $2, acknowledged_by = $3, version = version + 1 WHERE id = $1";
    let scope = tx.scope();
    tx.run(sql, [id.into(), scope.clock().now().into(), scope.actor().stored().into()]).await.map(|_| ())
}

pub(super) async fn snooze(tx: &Tx, id: Uuid, until: Option<DateTime<Utc>>) -> Result<(), Fault> {
    let sql = "UPDATE kpi_alert SET snoozed_until = $2, version = version + 1 WHERE id = $1";
    tx.run(sql, [id.into(), until.into()]).await.map(|_| ())
}

pub(super) async fn assign(tx: &Tx, id: Uuid, member: Option<Uuid>) -> Result<(), Fault> {
    let sql = "UPDATE kpi_alert SET assignee_id = $2, version = version + 1 WHERE id = $1";
    tx.run(sql, [id.into(), member.into()]).await.map(|_| ())
}

/// Notes that letters have told of alerts at the levels that they stand at. That is no change of the alert.
pub(super) async fn told(tx: &Tx, ids: Vec<Uuid>) -> Result<(), Fault> {
    tx.run("UPDATE kpi_alert SET told_level = level WHERE id = ANY($1)", [ids.into()]).await.map(|_| ())
}

/// An alert with what its definition calls it.
#[derive(FromQueryResult)]
struct Row {
    #[sea_orm(nested)]
    alert: Alert,
    key: String,
    label_fr: String,
    label_en: String,
}

impl From<Row> for Posted {
    fn from(row: Row) -> Self {
        let Row { alert, key, label_fr, label_en } = row;
        Self { alert, key, label_fr, label_en }
    }
}

const POSTED: &str =
    "SELECT a.*, d.key, d.label_fr, d.label_en FROM kpi_alert a JOIN kpi_definition d ON d.id = a.kpi_id";

async fn posted(tx: &Tx, rest: &str, values: impl IntoIterator<Item = Value>) -> Result<Vec<Posted>, Fault> {
    let rows: Vec<Row> = tx.all(&format!("{POSTED} {rest}"), values).await?;
    Ok(rows.into_iter().map(Posted::from).collect())
}

/// Alerts by their ids, in no order; unknown ones are left out.
pub(super) async fn by_ids(tx: &Tx, ids: &[Uuid]) -> Result<Vec<Posted>, Fault> {
    posted(tx, "WHERE a.id = ANY($1)", [ids.to_vec().into()]).await
}

/// The conditions of a filter, on the values beside them. `me`: the membership of who asks.
const CONDITIONS: &str =
    "($1::boolean IS NULL OR (closed_at IS NULL) = $1) AND ($2::text IS NULL OR level = $2)
    AND ($3::uuid IS NULL OR kpi_id = $3) AND (NOT $4 OR assignee_id = $5)";

fn values(filter: AlertFilter, me: Option<Uuid>) -> [Value; 5] {
    [
        filter.open.into(),
        filter.level.map(Level::as_str).into(),
        filter.kpi.into(),
        filter.assigned_to_me.into(),
        me.into(),
    ]
}

/// A page's rows, newest first; reversed for a backward slice.
pub(super) async fn page(
    tx: &Tx,
    filter: AlertFilter,
    me: Option<Uuid>,
    slice: &Slice,
) -> Result<Vec<Posted>, Fault> {
    let order = if slice.backward { "ASC" } else { "DESC" };
    let rest = format!(
        "WHERE {CONDITIONS} AND ($6::uuid IS NULL OR a.id < $6) AND ($7::uuid IS NULL OR a.id > $7)
         ORDER BY a.id {order} LIMIT $8"
    );
    let most = i64::try_from(slice.probe()).unwrap_or(i64::MAX);
    let edges: [Value; 3] = [
        slice.after.as_ref().map(|cursor| cursor.id).into(),
        slice.before.as_ref().map(|cursor| cursor.id).into(),
        most.into(),
    ];
    posted(tx, &rest, values(filter, me).into_iter().chain(edges)).await
}

pub(super) async fn count(tx: &Tx, filter: AlertFilter, me: Option<Uuid>) -> Result<u64, Fault> {
    let sql = format!("SELECT count(*) FROM kpi_alert WHERE {CONDITIONS}");
    let counted: Option<(i64,)> = tx.tuple(&sql, values(filter, me)).await?;
    Ok(counted.map_or(0, |(count,)| count.unsigned_abs()))
}

/// The open alerts, oldest first, and the revision at which alerts last changed.
pub(crate) async fn open(tx: &Tx) -> Result<OpenAlerts, Fault> {
    let alerts = posted(tx, "WHERE a.closed_at IS NULL ORDER BY a.id", []).await?;
    // What is committed and not folded yet is ahead of any revision that a reader can have seen.
    let changed: Option<(Option<i64>, bool)> = tx
        .tuple(
            "SELECT (SELECT max(revision) FROM kpi_rollup WHERE cube = 'kpi.alert'),
                    EXISTS (SELECT FROM kpi_delta WHERE cube = 'kpi.alert')",
            [],
        )
        .await?;
    let revision = match changed {
        Some((_, true)) => i64::MAX,
        Some((revision, false)) => revision.unwrap_or(0),
        None => 0,
    };
    Ok(OpenAlerts { alerts: alerts.into_iter().map(std::sync::Arc::new).collect(), revision })
}
