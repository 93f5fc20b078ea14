//! Which companies' alerts are due: to be evaluated, because their figures have moved, or told.

use chrono::{DateTime, Utc};
use uuid::Uuid;

use crate::db::Db;
use crate::fault::Fault;

/// The companies that should be looked at now: those with thresholds whose revision is another one than that of their last
/// evaluation, and those whose letters are due. Any number of replicas may ask and look: a company's alerts are evaluated
/// by one at a time, who locks its row of `kpi_alert_mark`.
pub async fn due(db: &Db, now: DateTime<Utc>) -> Result<Vec<Uuid>, Fault> {
    let sql = "SELECT m.tenant_id FROM kpi_alert_mark m JOIN kpi_head h ON h.tenant_id = m.tenant_id
         WHERE (m.active AND h.revision <> m.revision) OR m.letters_due_at <= $1 ORDER BY m.tenant_id";
    Ok(sqlx::query_scalar(sql).bind(now).fetch_all(db.worker()).await?)
}
