//! Compares every cell that is kept with its recomputation.

use chrono::NaiveDate;
use entity::kpi::kpi_slice;
use kernel::cube::Cube;
use kernel::{Fault, Permission, Tx};
use sea_orm::{FromQueryResult, Value};

use crate::cubes;
use crate::definition::sieve::Sieve;
use crate::definition::window::LAST_DAY;
use crate::error::Error;

/// A cell whose rollup and pending deltas differ from the facts. There are none, ever; one is a fault of ours.
#[derive(Clone, Debug, PartialEq, Eq, FromQueryResult)]
pub struct Discrepancy {
    /// The cube, or `slice:` and the id of a slice.
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

/// The cells of all cubes and slices that differ from their recomputation, in this snapshot. It reads every fact of the
/// company: for health checks, not for requests. Needs `kpi.read`.
pub async fn audit(tx: &Tx) -> Result<Vec<Discrepancy>, Error> {
    tx.scope().require(Permission::KpiRead)?;
    let mut found = Vec::new();
    for cube in cubes::all() {
        found.extend(audit_cube(tx, cube).await?);
    }
    let slices: Vec<kpi_slice::Model> =
        tx.all("SELECT * FROM kpi_slice WHERE state <> 'retired' ORDER BY id", []).await?;
    for slice in slices {
        let Some(cube) = cubes::by_name(&slice.cube) else {
            return Err(Fault::Corrupt(format!("no cube {}", slice.cube)).into());
        };
        found.extend(audit_slice(tx, cube, slice).await?);
    }
    Ok(found)
}

async fn audit_cube(tx: &Tx, cube: &Cube) -> Result<Vec<Discrepancy>, Fault> {
    let kept =
        Holding { rollup: cube.name.to_owned(), keep: cube.kept, upto: LAST_DAY, sieve: Sieve::default() };
    compare(tx, cube, kept).await
}

/// A slice holds the facts up to its frontier that its filter lets through.
async fn audit_slice(tx: &Tx, cube: &Cube, slice: kpi_slice::Model) -> Result<Vec<Discrepancy>, Fault> {
    let kept = Holding {
        rollup: format!("slice:{}", slice.id),
        keep: [true, slice.keep2, slice.keep3],
        upto: slice.filled_to,
        sieve: Sieve {
            any: [slice.any1, slice.any2, slice.any3, None],
            none: [slice.none1, slice.none2, slice.none3, None],
        },
    };
    compare(tx, cube, kept).await
}

/// What some cells are kept of: the facts of a cube up to a day that pass a sieve, with these dimensions.
struct Holding {
    rollup: String,
    keep: [bool; 3],
    upto: NaiveDate,
    sieve: Sieve,
}

async fn compare(tx: &Tx, cube: &Cube, kept: Holding) -> Result<Vec<Discrepancy>, Fault> {
    let sums = "sum(count)::bigint AS count, sum(sum1)::bigint AS sum1, sum(sum2)::bigint AS sum2";
    let cell = "day, dim1, dim2, dim3, currency";
    let projected = ["dim1", "dim2", "dim3"].into_iter().zip(kept.keep);
    let projected: Vec<_> = projected
        .map(|(dim, keep)| if keep { dim.to_owned() } else { format!("''::text AS {dim}") })
        .collect();
    let projected = format!("day, {}, currency, count, sum1, sum2", projected.join(", "));
    let (condition, values) = kept.sieve.sql(4);
    let text = format!(
        "SELECT $1::text AS cube, {cell},
                coalesce(k.count, 0) AS kept_count, coalesce(k.sum1, 0) AS kept_sum1, coalesce(k.sum2, 0) AS kept_sum2,
                coalesce(f.count, 0) AS fact_count, coalesce(f.sum1, 0) AS fact_sum1, coalesce(f.sum2, 0) AS fact_sum2
         FROM (SELECT {cell}, {sums} FROM (
                   SELECT {cell}, count, sum1, sum2 FROM kpi_rollup WHERE cube = $1
                   UNION ALL SELECT {projected} FROM kpi_delta WHERE cube = $2 AND day <= $3 AND {condition}
               ) AS state GROUP BY {cell}) AS k
         FULL JOIN (SELECT {cell}, {sums} FROM (
                   SELECT {projected} FROM ({facts}) AS every WHERE day <= $3 AND {condition}
               ) AS fact GROUP BY {cell}) AS f USING ({cell})
         WHERE (coalesce(k.count, 0), coalesce(k.sum1, 0), coalesce(k.sum2, 0))
            <> (coalesce(f.count, 0), coalesce(f.sum1, 0), coalesce(f.sum2, 0))
         ORDER BY {cell}",
        facts = cube.facts
    );
    let of: [Value; 3] = [kept.rollup.into(), cube.name.into(), kept.upto.into()];
    tx.all(&text, of.into_iter().chain(values)).await
}
