//! Fills the slices of figures from history, in short steps beside the writers, and sweeps away those that are over.
//!
//! The steps themselves, and why they are exact, stand in migration `0060_kpi_slices.sql`. Any number of replicas may run
//! this: a step takes the company's head, moves the frontier with what it fills, and commits both; who comes second finds the
//! frontier moved. A process that ends between two steps loses nothing.

use uuid::Uuid;

use crate::clock::Clock;
use crate::db::Db;
use crate::fault::Fault;

/// About how many facts one step fills: a few tens of milliseconds.
pub const STEP: i64 = 20_000;
/// How many cells one step sweeps away.
const SWEEP: i32 = 20_000;

/// A version that is filled, and waits to be switched to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Filled {
    /// The company.
    pub company: Uuid,
    /// The figure.
    pub kpi: Uuid,
    /// The version of what it measures.
    pub version: i32,
}

/// What a round came to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Round {
    /// Whether there is more to fill or to sweep.
    pub more: bool,
    /// What is filled.
    pub filled: Vec<Filled>,
}

#[derive(sqlx::FromRow)]
struct Waiting {
    tenant_id: Uuid,
    id: Uuid,
    kpi_id: Uuid,
    spec_version: i32,
    state: String,
    is_full: bool,
}

/// Takes each company that has something to fill or to sweep one step on, of about so many facts. So a folder is kept
/// waiting for one step at most. What is wrong with one company keeps no other waiting: it is told once all had their turn.
pub async fn advance(db: &Db, clock: &Clock, step: i64) -> Result<Round, Fault> {
    let waiting: Vec<Waiting> = sqlx::query_as(
        "SELECT tenant_id, id, kpi_id, spec_version, state, filled_to = '9999-12-31' AS is_full FROM kpi_slice WHERE state <> 'live'
         ORDER BY tenant_id, state, id",
    )
    .fetch_all(db.worker())
    .await?;
    let (mut round, mut failed, mut stepped) = (Round::default(), None, None);
    for slice in &waiting {
        if slice.is_full && slice.state == "filling" {
            continue;
        }
        if stepped == Some(slice.tenant_id) {
            round.more = true;
            continue;
        }
        stepped = Some(slice.tenant_id);
        let more = if slice.state == "filling" {
            fill(db, clock, slice, step).await
        } else {
            sweep(db, slice).await
        };
        match more {
            Ok(more) => round.more |= more,
            Err(fault) if fault.is_unavailable() => return Err(fault),
            Err(fault) => failed = Some(fault),
        }
    }
    round.filled = filled(db).await?;
    match failed {
        Some(fault) if round.filled.is_empty() => Err(fault),
        _ => Ok(round),
    }
}

async fn fill(db: &Db, clock: &Clock, slice: &Waiting, step: i64) -> Result<bool, Fault> {
    let filling = sqlx::query_scalar("SELECT fill_slice($1, $2, $3)")
        .bind(slice.tenant_id)
        .bind(slice.id)
        .bind(step)
        .fetch_one(db.worker());
    let done: Result<String, Fault> = filling.await.map_err(Fault::from);
    match done {
        Ok(done) => Ok(done != "filled"),
        // Numbers that do not fit (class 22 of SQLSTATE) will not fit the next time either.
        Err(fault) if fault.sqlstate().is_some_and(|code| code.starts_with("22")) => {
            tracing::error!(%fault, company = %slice.tenant_id, kpi = %slice.kpi_id, "a version cannot be filled");
            let failing = sqlx::query_scalar("SELECT fail_kpi_version($1, $2, $3, $4)")
                .bind(slice.tenant_id)
                .bind(slice.kpi_id)
                .bind(slice.spec_version)
                .bind(clock.now())
                .fetch_one(db.worker());
            Ok(failing.await?)
        }
        Err(fault) => Err(fault),
    }
}

async fn sweep(db: &Db, slice: &Waiting) -> Result<bool, Fault> {
    let sweeping = sqlx::query_scalar("SELECT sweep_slice($1, $2, $3)").bind(slice.tenant_id).bind(slice.id);
    let swept: Option<i32> = sweeping.bind(SWEEP).fetch_one(db.worker()).await?;
    Ok(swept.is_none_or(|swept| swept >= SWEEP))
}

/// The versions all of whose slices are filled, and that nobody has switched to yet.
async fn filled(db: &Db) -> Result<Vec<Filled>, Fault> {
    let rows: Vec<(Uuid, Uuid, i32)> = sqlx::query_as(
        "SELECT tenant_id, kpi_id, spec_version FROM kpi_slice WHERE state = 'filling'
         GROUP BY tenant_id, kpi_id, spec_version HAVING bool_and(filled_to = '9999-12-31') ORDER BY 1, 2, 3",
    )
    .fetch_all(db.worker())
    .await?;
    Ok(rows.into_iter().map(|(company, kpi, version)| Filled { company, kpi, version }).collect())
}
