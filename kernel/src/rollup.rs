//! Reads rollups: exact at a revision, or current with what is still pending.

use chrono::NaiveDate;
use sea_orm::FromQueryResult;

use crate::fault::Fault;
use crate::tx::Tx;

/// A company's revision and its last tick.
#[derive(Clone, Copy, Debug, PartialEq, Eq, FromQueryResult)]
pub struct Head {
    /// Grows by one with each fold and each midnight.
    pub revision: i64,
    /// The revision of the last midnight.
    pub ticked_revision: i64,
    /// The calendar day of the last midnight, once there was one.
    pub ticked_on: Option<NaiveDate>,
}

/// The revision that this snapshot shows.
pub async fn head(tx: &Tx) -> Result<Head, Fault> {
    let head = tx.one("SELECT revision, ticked_revision, ticked_on FROM kpi_head", []).await?;
    head.ok_or_else(|| Fault::Corrupt("the company has no kpi_head".to_owned()))
}

/// SQL of the current state of rollups: what is folded and what is pending, in one statement's snapshot.
/// Use as a derived table: `FROM (…) AS state`, then sum over it. Conditions go into both branches, for the
/// planner does not push them through.
pub fn current(condition: &str) -> String {
    let columns = "cube, day, dim1, dim2, dim3, currency, count, sum1, sum2";
    format!(
        "(SELECT {columns} FROM kpi_rollup WHERE {condition} UNION ALL SELECT {columns} FROM kpi_delta WHERE {condition})"
    )
}
