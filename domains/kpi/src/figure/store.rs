//! How cells are read: from the rollups, with what is pending, or anew from the facts.

use chrono::NaiveDate;
use kernel::cube::Cube;
use kernel::rollup::Head;
use kernel::{Fault, Tx};
use sea_orm::FromQueryResult;

use super::{Cell, Freshness};

/// The days of a cube that a figure is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Slot {
    pub(crate) cube: &'static str,
    pub(crate) first: NaiveDate,
    pub(crate) last: NaiveDate,
}

/// A cell of a slot.
#[derive(Clone, Debug, FromQueryResult)]
pub(crate) struct SlotCell {
    pub(crate) slot: i32,
    #[sea_orm(nested)]
    pub(crate) cell: Cell,
    /// The revision at which the slot's cell last changed.
    pub(crate) revision: i64,
}

#[derive(FromQueryResult)]
struct Row {
    #[sea_orm(nested)]
    head: Head,
    slot: Option<i32>,
    dim1: Option<String>,
    currency: Option<String>,
    count: Option<i64>,
    sum1: Option<i64>,
    changed: Option<i64>,
}

/// The cells of all slots and the head, in one statement: what it answers is one state even outside a snapshot.
/// One text for any set of figures, and for each slot a range of the primary key.
macro_rules! slots {
    ($cells:literal) => {
        concat!(
            "SELECT h.revision, h.ticked_revision, h.ticked_on, c.slot, c.dim1, c.currency, c.count, c.sum1, c.changed
             FROM kpi_head h LEFT JOIN (
                 SELECT w.slot::integer AS slot, r.dim1, r.currency, sum(r.count)::bigint AS count,
                        sum(r.sum1)::bigint AS sum1, max(r.revision) AS changed
                 FROM unnest($1::text[], $2::date[], $3::date[]) WITH ORDINALITY AS w (cube, first, last, slot)
                 CROSS JOIN LATERAL (",
            $cells,
            ") AS r GROUP BY w.slot, r.dim1, r.currency) AS c ON true"
        )
    };
}

pub(crate) const FOLDED: &str = slots!(
    "SELECT dim1, currency, count, sum1, revision FROM kpi_rollup
     WHERE cube = w.cube AND day BETWEEN w.first AND w.last"
);

pub(crate) const CURRENT: &str = slots!(
    "SELECT dim1, currency, count, sum1, revision FROM kpi_rollup
     WHERE cube = w.cube AND day BETWEEN w.first AND w.last
     UNION ALL SELECT dim1, currency, count, sum1, 0 FROM kpi_delta
     WHERE cube = w.cube AND day BETWEEN w.first AND w.last"
);

/// The head, and the cells of each slot.
pub(crate) async fn cells(
    tx: &Tx,
    slots: &[Slot],
    freshness: Freshness,
) -> Result<(Head, Vec<SlotCell>), Fault> {
    let text = match freshness {
        Freshness::AtRevision => FOLDED,
        Freshness::Current => CURRENT,
    };
    let cubes: Vec<String> = slots.iter().map(|slot| slot.cube.to_owned()).collect();
    let first: Vec<NaiveDate> = slots.iter().map(|slot| slot.first).collect();
    let last: Vec<NaiveDate> = slots.iter().map(|slot| slot.last).collect();
    let rows: Vec<Row> = tx.all(text, [cubes.into(), first.into(), last.into()]).await?;
    let head = rows.first().map(|row| row.head);
    let head = head.ok_or_else(|| Fault::Corrupt("the company has no kpi_head".to_owned()))?;
    let cells = rows.into_iter().filter_map(|row| {
        Some(SlotCell {
            // Ordinality counts from 1.
            slot: row.slot? - 1,
            cell: Cell { dim1: row.dim1?, currency: row.currency?, count: row.count?, sum1: row.sum1? },
            revision: row.changed?,
        })
    });
    Ok((head, cells.collect()))
}

/// A cell of one day.
#[derive(Clone, Debug, FromQueryResult)]
pub(crate) struct DayCell {
    pub(crate) day: NaiveDate,
    #[sea_orm(nested)]
    pub(crate) cell: Cell,
}

/// The current cells of a slot, day by day.
pub(crate) async fn cells_by_day(tx: &Tx, slot: Slot) -> Result<Vec<DayCell>, Fault> {
    let state = kernel::rollup::current("cube = $1 AND day BETWEEN $2 AND $3");
    let text = format!(
        "SELECT day, dim1, currency, sum(count)::bigint AS count, sum(sum1)::bigint AS sum1 FROM {state} AS state
         GROUP BY day, dim1, currency ORDER BY day"
    );
    tx.all(&text, [slot.cube.into(), slot.first.into(), slot.last.into()]).await
}

/// The cells of a slot recomputed from the facts of its cube, without any rollup.
pub(crate) async fn recomputed(tx: &Tx, cube: &Cube, slot: Slot) -> Result<Vec<Cell>, Fault> {
    let text = format!(
        "SELECT dim1, currency, sum(count)::bigint AS count, sum(sum1)::bigint AS sum1 FROM ({}) AS fact
         WHERE day BETWEEN $1 AND $2 GROUP BY dim1, currency",
        cube.facts
    );
    tx.all(&text, [slot.first.into(), slot.last.into()]).await
}

/// A fact of a cube.
#[derive(Clone, Debug, FromQueryResult)]
pub(crate) struct Fact {
    pub(crate) record_id: uuid::Uuid,
    pub(crate) day: NaiveDate,
    pub(crate) dim1: String,
    pub(crate) currency: String,
    pub(crate) sum1: i64,
}

/// Which facts of a slot are wanted.
#[derive(Clone, Debug)]
pub(crate) struct FactFilter<'f> {
    pub(crate) slot: Slot,
    /// First dimensions that count; all, when empty.
    pub(crate) only: &'f [String],
    /// A currency's code.
    pub(crate) currency: Option<&'f str>,
    /// Facts that come later in the list than this one; see [`facts`].
    pub(crate) after: (NaiveDate, uuid::Uuid),
    /// Facts that come earlier in the list than this one.
    pub(crate) before: (NaiveDate, uuid::Uuid),
    /// Whether the end of the list is wanted.
    pub(crate) backward: bool,
    /// How many, at most.
    pub(crate) limit: u64,
}

/// The facts of a slot, newest day first, then newest record first; of a backward filter in reverse.
pub(crate) async fn facts(tx: &Tx, cube: &Cube, filter: FactFilter<'_>) -> Result<Vec<Fact>, Fault> {
    let order = if filter.backward { "day ASC, record_id ASC" } else { "day DESC, record_id DESC" };
    let text = format!(
        "SELECT record_id, day, dim1, currency, sum1 FROM ({}) AS fact
         WHERE day BETWEEN $1 AND $2 AND (day, record_id) < ($3, $4) AND (day, record_id) > ($5, $6)
             AND ($7::text IS NULL OR currency = $7) AND ($8::text[] = '{{}}' OR dim1 = ANY($8))
         ORDER BY {order} LIMIT $9",
        cube.facts
    );
    tx.all(
        &text,
        [
            filter.slot.first.into(),
            filter.slot.last.into(),
            filter.after.0.into(),
            filter.after.1.into(),
            filter.before.0.into(),
            filter.before.1.into(),
            filter.currency.map(str::to_owned).into(),
            filter.only.to_vec().into(),
            i64::try_from(filter.limit).unwrap_or(i64::MAX).into(),
        ],
    )
    .await
}

/// How many facts a slot has.
pub(crate) async fn count_facts(
    tx: &Tx,
    cube: &Cube,
    slot: Slot,
    only: &[String],
    currency: Option<&str>,
) -> Result<i64, Fault> {
    let text = format!(
        "SELECT count(*) FROM ({}) AS fact WHERE day BETWEEN $1 AND $2
             AND ($3::text IS NULL OR currency = $3) AND ($4::text[] = '{{}}' OR dim1 = ANY($4))",
        cube.facts
    );
    let values =
        [slot.first.into(), slot.last.into(), currency.map(str::to_owned).into(), only.to_vec().into()];
    let counted: Option<(i64,)> = tx.tuple(&text, values).await?;
    Ok(counted.map_or(0, |(count,)| count))
}
