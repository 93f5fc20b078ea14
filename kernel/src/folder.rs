//! Adds pending deltas to the rollups, company by company, and ticks each company's midnight.

use chrono_tz::Tz;
use uuid::Uuid;

use crate::clock::Clock;
use crate::db::Db;
use crate::fault::Fault;

/// Most deltas that one transaction folds.
const BATCH: i32 = 5000;

/// A company whose figures moved, and its new revision.
pub type Moved = (Uuid, i64);

/// Every company that has figures.
pub async fn companies(db: &Db) -> Result<Vec<Uuid>, Fault> {
    Ok(sqlx::query_scalar("SELECT tenant_id FROM kpi_head ORDER BY tenant_id").fetch_all(db.worker()).await?)
}

/// Folds what is pending now. Any number of replicas may run this: a company is folded by one at a time. What is wrong
/// with the figures of one company keeps no other waiting: it is told when no other has anything to fold.
pub async fn fold_pending(db: &Db) -> Result<Vec<Moved>, Fault> {
    let companies: Vec<Uuid> =
        sqlx::query_scalar("SELECT DISTINCT tenant_id FROM kpi_delta").fetch_all(db.worker()).await?;
    let (mut moved, mut failed) = (Vec::new(), None);
    for company in companies {
        let folding =
            sqlx::query_scalar("SELECT fold_deltas($1, $2)").bind(company).bind(BATCH).fetch_one(db.worker());
        let folded: Result<Option<i64>, Fault> = folding.await.map_err(Fault::from);
        match folded {
            Ok(revision) => moved.extend(revision.filter(|r| *r > 0).map(|revision| (company, revision))),
            Err(fault) if fault.is_unavailable() => return Err(fault),
            Err(fault) => failed = Some(fault),
        }
    }
    match failed {
        Some(fault) if moved.is_empty() => Err(fault),
        _ => Ok(moved),
    }
}

/// Ticks the companies whose calendar day has changed since their last tick.
pub async fn tick_midnights(db: &Db, clock: &Clock) -> Result<Vec<Moved>, Fault> {
    let heads: Vec<(Uuid, String, Option<chrono::NaiveDate>)> =
        sqlx::query_as("SELECT tenant_id, zone, ticked_on FROM kpi_head").fetch_all(db.worker()).await?;
    let mut moved = Vec::new();
    for (company, zone, ticked_on) in heads {
        let zone: Tz = zone.parse().map_err(|_| Fault::Corrupt(format!("time zone {zone} of {company}")))?;
        let today = clock.today(zone);
        if ticked_on == Some(today) {
            continue;
        }
        let revision: i64 = sqlx::query_scalar("SELECT tick_day($1, $2)")
            .bind(company)
            .bind(today)
            .fetch_one(db.worker())
            .await?;
        if revision > 0 {
            moved.push((company, revision));
        }
    }
    Ok(moved)
}
