//! Compares every cell that is kept with its recomputation.

use chrono::NaiveDate;
use kernel::{Fault, Permission, Tx};
use sea_orm::FromQueryResult;

use crate::cubes;
use crate::error::Error;

/// A cell whose rollup and pending deltas differ from the facts. There are none, ever; one is a fault of ours.
#[derive(Clone, Debug, PartialEq, Eq, FromQueryResult)]
pub struct Discrepancy {
    /// The cube.
    pub cube: String,
    /// The day.
    pub day: NaiveDate,
    /// The cube's first dimension.
    pub dim1: String,
    /// The currency's code, or nothing.
    pub currency: String,
    /// Count, first and second sum as they are kept.
    #[sea_orm(nested)]
    pub kept: Kept,
    /// Count, first and second sum of the facts.
    #[sea_orm(nested)]
    pub recomputed: Recomputed,
}

/// What is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, FromQueryResult)]
pub struct Kept {
    /// How many.
    #[sea_orm(from_alias = "kept_count")]
    pub count: i64,
    /// First sum.
    #[sea_orm(from_alias = "kept_sum1")]
    pub sum1: i64,
    /// Second sum.
    #[sea_orm(from_alias = "kept_sum2")]
    pub sum2: i64,
}

/// What it should be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, FromQueryResult)]
pub struct Recomputed {
    /// How many.
    #[sea_orm(from_alias = "fact_count")]
    pub count: i64,
    /// First sum.
    #[sea_orm(from_alias = "fact_sum1")]
    pub sum1: i64,
    /// Second sum.
    #[sea_orm(from_alias = "fact_sum2")]
    pub sum2: i64,
}

/// The cells of all cubes that differ from their recomputation, in this snapshot. It reads every fact of the
/// company: for health checks, not for requests. Needs `kpi.read`.
pub async fn audit(tx: &Tx) -> Result<Vec<Discrepancy>, Error> {
    tx.scope().require(Permission::KpiRead)?;
    let mut found = Vec::new();
    for cube in cubes::all() {
        found.extend(audit_cube(tx, cube).await?);
    }
    Ok(found)
}

async fn audit_cube(tx: &Tx, cube: &kernel::cube::Cube) -> Result<Vec<Discrepancy>, Fault> {
    let sums = "sum(count)::bigint AS count, sum(sum1)::bigint AS sum1, sum(sum2)::bigint AS sum2";
    let cell = "day, dim1, dim2, dim3, currency";
    let state = kernel::rollup::current("cube = $1");
    let text = format!(
        "SELECT $1::text AS cube, {cell},
                coalesce(k.count, 0) AS kept_count, coalesce(k.sum1, 0) AS kept_sum1, coalesce(k.sum2, 0) AS kept_sum2,
                coalesce(f.count, 0) AS fact_count, coalesce(f.sum1, 0) AS fact_sum1, coalesce(f.sum2, 0) AS fact_sum2
         FROM (SELECT {cell}, {sums} FROM {state} AS state GROUP BY {cell}) AS k
         FULL JOIN (SELECT {cell}, {sums} FROM ({facts}) AS fact GROUP BY {cell}) AS f USING ({cell})
         WHERE (coalesce(k.count, 0), coalesce(k.sum1, 0), coalesce(k.sum2, 0))
            <> (coalesce(f.count, 0), coalesce(f.sum1, 0), coalesce(f.sum2, 0))
         ORDER BY {cell}",
        facts = cube.facts
    );
    tx.all(&text, [cube.name.into()]).await
}
