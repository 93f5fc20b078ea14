//! What a figure has measured, measures, and will measure; and the cells that are kept for it.

use chrono::{DateTime, Utc};
use entity::kpi::kpi_definition_version::Model as Row;
use kernel::cube::Cube;
use kernel::{Fault, Permission, Tx};
use rust_decimal::Decimal;
use sea_orm::FromQueryResult;
use uuid::Uuid;

use super::sieve::{Sieve, place_of};
use super::spec::{Condition, Spec};
use super::store;
use crate::error::Error;

/// What becomes of a version.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum VersionState {
    /// Its cells are being filled from history.
    Filling,
    /// It is what the figure measures.
    Live,
    /// It was, or was to be; another came.
    Replaced,
    /// It could not be filled: its sums exceed what we can keep.
    Failed,
    /// Somebody took it back, or archived the figure.
    Withdrawn,
}

impl VersionState {
    /// The stored form.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Filling => "filling",
            Self::Live => "live",
            Self::Replaced => "replaced",
            Self::Failed => "failed",
            Self::Withdrawn => "withdrawn",
        }
    }

    /// Reads the stored form.
    pub fn parse(stored: &str) -> Option<Self> {
        [Self::Filling, Self::Live, Self::Replaced, Self::Failed, Self::Withdrawn]
            .into_iter()
            .find(|state| state.as_str() == stored)
    }
}

/// A version of what a figure measures.
#[derive(Clone, Debug, PartialEq)]
pub struct Version {
    /// The figure.
    pub kpi: Uuid,
    /// Counted from 1.
    pub number: i32,
    /// What it measures.
    pub spec: Spec,
    /// What became of it.
    pub state: VersionState,
    /// How much of it is filled, from 0 to 1 (four digits); 1 where there is nothing to fill.
    pub progress: Decimal,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// By whom, as actors are stored.
    pub created_by: String,
    /// When it became what the figure measures.
    pub live_at: Option<DateTime<Utc>>,
    /// When it ceased to be that, or to be filled.
    pub ended_at: Option<DateTime<Utc>>,
}

#[derive(Debug, FromQueryResult)]
struct Progressed {
    #[sea_orm(nested)]
    row: Row,
    done: Option<i64>,
    total: Option<i64>,
    unknown: Option<bool>,
}

/// The versions of some figures, newest first. Needs `kpi.read`.
pub async fn versions(tx: &Tx, kpis: &[Uuid]) -> Result<Vec<Version>, Error> {
    tx.scope().require(Permission::KpiRead)?;
    let text = "SELECT v.*, s.done, s.total, s.unknown FROM kpi_definition_version v LEFT JOIN LATERAL (
                    SELECT sum(facts_done)::bigint AS done, sum(facts_total)::bigint AS total,
                           bool_or(facts_total IS NULL) AS unknown
                    FROM kpi_slice WHERE kpi_id = v.kpi_id AND spec_version = v.spec_version) AS s ON true
                WHERE v.kpi_id = ANY($1) ORDER BY v.kpi_id, v.spec_version DESC";
    let rows: Vec<Progressed> = tx.all(text, [kpis.to_vec().into()]).await?;
    Ok(rows.into_iter().map(version).collect::<Result<_, Fault>>()?)
}

fn version(Progressed { row, done, total, unknown }: Progressed) -> Result<Version, Fault> {
    let wrong =
        |what: String| Fault::Corrupt(format!("version {} of kpi {}: {what}", row.spec_version, row.kpi_id));
    let state = VersionState::parse(&row.state).ok_or_else(|| wrong("state".to_owned()))?;
    let share = match (state, done, total) {
        (VersionState::Filling, Some(done), Some(total)) if total > 0 => {
            (Decimal::from(done) / Decimal::from(total)).min(Decimal::ONE).round_dp(4)
        }
        _ if state == VersionState::Filling && unknown == Some(true) => Decimal::ZERO,
        _ => Decimal::ONE,
    };
    let spec = Spec::stored(&row.cube, &row.measure, &row.parameters).map_err(wrong)?;
    Ok(Version {
        kpi: row.kpi_id,
        number: row.spec_version,
        spec,
        state,
        // A slice that is not counted yet may be larger than the one that is.
        progress: if unknown == Some(true) && state == VersionState::Filling { Decimal::ZERO } else { share },
        created_at: row.created_at,
        created_by: row.created_by,
        live_at: row.live_at,
        ended_at: row.ended_at,
    })
}

/// The number of the next version of a figure.
pub(crate) async fn next(tx: &Tx, kpi: Uuid) -> Result<i32, Fault> {
    let text = "SELECT coalesce(max(spec_version), 0) + 1 FROM kpi_definition_version WHERE kpi_id = $1";
    Ok(tx.tuple(text, [kpi.into()]).await?.map_or(1, |(next,)| next))
}

/// The number of the version that is being filled.
pub(crate) async fn filling(tx: &Tx, kpi: Uuid) -> Result<Option<i32>, Fault> {
    let text = "SELECT spec_version FROM kpi_definition_version WHERE kpi_id = $1 AND state = 'filling'";
    Ok(tx.tuple(text, [kpi.into()]).await?.map(|(number,)| number))
}

/// Writes a version that is to be filled, with the slices that it needs.
pub(crate) async fn insert(
    tx: &Tx,
    kpi: Uuid,
    number: i32,
    spec: &Spec,
    state: VersionState,
) -> Result<(), Fault> {
    let now = tx.scope().clock().now();
    tx.run(
        "INSERT INTO kpi_definition_version (tenant_id, kpi_id, spec_version, cube, measure, parameters, unit, state,
             created_at, created_by, live_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
        [
            tx.scope().company().id.into(),
            kpi.into(),
            number.into(),
            spec.cube.name.into(),
            spec.measure.as_str().into(),
            store::stored(spec)?.into(),
            spec.unit.as_str().into(),
            state.as_str().into(),
            now.into(),
            tx.scope().actor().stored().into(),
            (state == VersionState::Live).then_some(now).into(),
        ],
    )
    .await?;
    for needed in needed(spec)? {
        insert_slice(tx, kpi, number, needed).await?;
    }
    Ok(())
}

async fn insert_slice(tx: &Tx, kpi: Uuid, number: i32, slice: NeededSlice) -> Result<(), Fault> {
    let [any1, any2, any3, _] = slice.sieve.any;
    let [none1, none2, none3, _] = slice.sieve.none;
    tx.run(
        "INSERT INTO kpi_slice (tenant_id, id, kpi_id, spec_version, part, cube, any1, any2, any3, none1, none2, none3,
             keep2, keep3)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)",
        [
            tx.scope().company().id.into(),
            tx.new_id().into(),
            kpi.into(),
            number.into(),
            slice.part.into(),
            slice.cube.name.into(),
            any1.into(),
            any2.into(),
            any3.into(),
            none1.into(),
            none2.into(),
            none3.into(),
            slice.keep[1].into(),
            slice.keep[2].into(),
        ],
    )
    .await?;
    Ok(())
}

/// Cells that nobody keeps yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct NeededSlice {
    /// 1: of the figure; 2: of the other side of a quotient.
    part: i16,
    cube: &'static Cube,
    sieve: Sieve,
    keep: [bool; 3],
}

/// The slices that a spec needs: for each of its sides one, where the cube's own rollup does not keep a dimension of the
/// filter, of the measure, or of those to split by.
pub(crate) fn needed(spec: &Spec) -> Result<Vec<NeededSlice>, Fault> {
    let side = |part, cube: &'static Cube, filter: &[Condition], group: Option<&str>| {
        let sieve = Sieve::of(cube, filter)?;
        let mut keep = [true, false, false];
        let apart = spec.dimensions.iter().map(String::as_str).chain(group);
        for place in apart.filter_map(|name| place_of(cube, name)).filter(|place| *place < 3) {
            keep[place] = true;
        }
        let used = (0..3).filter(|place| {
            let named = cube.dimensions[*place].is_some();
            named && (sieve.places().any(|used| used == *place) || *place > 0 && keep[*place])
        });
        let grouped_by_first = spec.dimensions.iter().map(String::as_str).chain(group);
        let by_first = grouped_by_first.filter_map(|name| place_of(cube, name)).any(|place| place == 0);
        let dropped = used.chain(by_first.then_some(0)).any(|place| !cube.kept[place]);
        Ok::<_, Fault>(dropped.then_some(NeededSlice { part, cube, sieve, keep }))
    };
    let own = side(1, spec.cube, &spec.filter, spec.grouping())?;
    let over = match spec.over() {
        Some(over) => side(2, over.cube, &over.filter, None)?,
        None => None,
    };
    Ok(own.into_iter().chain(over).collect())
}

/// How many figures have cells of their own, or will have.
pub(crate) async fn count_sliced(tx: &Tx) -> Result<i64, Fault> {
    let text = "SELECT count(DISTINCT kpi_id) FROM kpi_slice WHERE state <> 'retired'";
    Ok(tx.tuple(text, []).await?.map_or(0, |(count,)| count))
}

/// Whether a figure has cells of its own, or will have.
pub(crate) async fn is_sliced(tx: &Tx, kpi: Uuid) -> Result<bool, Fault> {
    let text = "SELECT EXISTS (SELECT FROM kpi_slice WHERE kpi_id = $1 AND state <> 'retired')";
    Ok(tx.tuple(text, [kpi.into()]).await?.is_some_and(|(is,)| is))
}

/// Lets a version be what its figure measures, if it is filled.
pub(crate) async fn switch(tx: &Tx, kpi: Uuid, number: i32) -> Result<bool, Fault> {
    let text = "SELECT switch_kpi_version($1, $2, $3, $4)";
    let (now, by) = (tx.scope().clock().now(), tx.scope().actor().stored());
    let done = tx.tuple(text, [kpi.into(), number.into(), now.into(), by.into()]).await?;
    Ok(done.is_some_and(|(done,)| done))
}

/// Ends a version that is being filled, or the live one of an archived figure.
pub(crate) async fn end(tx: &Tx, kpi: Uuid, number: i32, how: VersionState) -> Result<bool, Fault> {
    let text = "SELECT end_kpi_version($1, $2, $3, $4)";
    let now = tx.scope().clock().now();
    let done = tx.tuple(text, [kpi.into(), number.into(), how.as_str().into(), now.into()]).await?;
    Ok(done.is_some_and(|(done,)| done))
}
