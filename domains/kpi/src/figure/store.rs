//! How cells are read: from the rollups, with what is pending, or anew from the facts.

use chrono::NaiveDate;
use kernel::rollup::Head;
use kernel::{Fault, Tx};
use sea_orm::{FromQueryResult, Value};

use super::slot::Slot;
use super::{Cell, Freshness};

/// A cell of a slot.
#[derive(Clone, Debug, FromQueryResult)]
pub(crate) struct SlotCell {
    pub(crate) slot: i32,
    /// The value of the dimension by which the slot is split; empty without one.
    pub(crate) split: String,
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
    split: Option<String>,
    grp: Option<String>,
    currency: Option<String>,
    count: Option<i64>,
    sum1: Option<i64>,
    sum2: Option<i64>,
    changed: Option<i64>,
}

/// The slots as rows. `any1` to `any4` are of `dim1` to `dim3` and the currency.
macro_rules! wanted {
    () => {
        "(SELECT w.slot, w.key, w.cube, w.first, w.last, w.since, w.grp, w.split,
              values_of(w.wants, 0) AS any1, values_of(w.wants, 1) AS any2, values_of(w.wants, 2) AS any3,
              values_of(w.wants, 3) AS any4, values_of(w.bars, 0) AS none1, values_of(w.bars, 1) AS none2,
              values_of(w.bars, 2) AS none3, values_of(w.bars, 3) AS none4,
              values_of(w.kept_wants, 0) AS k_any1, values_of(w.kept_wants, 1) AS k_any2,
              values_of(w.kept_wants, 2) AS k_any3, values_of(w.kept_wants, 3) AS k_any4,
              values_of(w.kept_bars, 0) AS k_none1, values_of(w.kept_bars, 1) AS k_none2,
              values_of(w.kept_bars, 2) AS k_none3, values_of(w.kept_bars, 3) AS k_none4
          FROM jsonb_to_recordset($1) AS w (slot integer, key text, cube text, first date, last date, since date,
              grp integer, split integer, wants jsonb, bars jsonb, kept_wants jsonb, kept_bars jsonb)
          OFFSET 0) AS w"
    };
}

/// The kept cells of a slot.
macro_rules! kept {
    () => {
        "SELECT day, dim1, dim2, dim3, currency, count, sum1, sum2, revision FROM kpi_rollup
         WHERE cube = w.key AND day BETWEEN w.first AND w.last
             AND (w.k_any1 IS NULL OR dim1 = ANY (w.k_any1)) AND (w.k_none1 IS NULL OR dim1 <> ALL (w.k_none1))
             AND (w.k_any2 IS NULL OR dim2 = ANY (w.k_any2)) AND (w.k_none2 IS NULL OR dim2 <> ALL (w.k_none2))
             AND (w.k_any3 IS NULL OR dim3 = ANY (w.k_any3)) AND (w.k_none3 IS NULL OR dim3 <> ALL (w.k_none3))
             AND (w.k_any4 IS NULL OR currency = ANY (w.k_any4)) AND (w.k_none4 IS NULL OR currency <> ALL (w.k_none4))"
    };
}

/// The pending cells of a slot.
macro_rules! pending {
    () => {
        " UNION ALL SELECT day, dim1, dim2, dim3, currency, count, sum1, sum2, 0 FROM kpi_delta
         WHERE cube = w.cube AND day BETWEEN w.first AND w.last
             AND (w.any1 IS NULL OR dim1 = ANY (w.any1)) AND (w.none1 IS NULL OR dim1 <> ALL (w.none1))
             AND (w.any2 IS NULL OR dim2 = ANY (w.any2)) AND (w.none2 IS NULL OR dim2 <> ALL (w.none2))
             AND (w.any3 IS NULL OR dim3 = ANY (w.any3)) AND (w.none3 IS NULL OR dim3 <> ALL (w.none3))
             AND (w.any4 IS NULL OR currency = ANY (w.any4)) AND (w.none4 IS NULL OR currency <> ALL (w.none4))"
    };
}

/// The dimension that a slot tells apart, and that by which it is split.
macro_rules! apart {
    ($place:literal) => {
        concat!(
            "CASE ",
            $place,
            " WHEN 1 THEN r.dim1 WHEN 2 THEN r.dim2 WHEN 3 THEN r.dim3 WHEN 4 THEN r.currency ELSE '' END"
        )
    };
}

/// The cells of all slots and the head, in one statement: what it answers is one state even outside a snapshot.
/// One text for any set of figures, and for each slot a range of the primary key.
macro_rules! slots {
    ($pending:expr) => {
        concat!(
            "SELECT h.revision, h.ticked_revision, h.ticked_on, c.slot, c.split, c.grp, c.currency, c.count, c.sum1,
                    c.sum2, c.changed
             FROM kpi_head h LEFT JOIN (
                 SELECT w.slot, ",
            apart!("w.split"),
            " AS split, ",
            apart!("w.grp"),
            " AS grp, r.currency, sum(r.count)::bigint AS count, sum(r.sum1)::bigint AS sum1,
                     sum(r.sum2)::bigint AS sum2, max(r.revision) AS changed FROM ",
            wanted!(),
            " CROSS JOIN LATERAL (",
            kept!(),
            $pending,
            // Not pulled up: each slot is a range of the key, and never a part of a join with all cells.
            " OFFSET 0) AS r GROUP BY 1, 2, 3, 4) AS c ON true"
        )
    };
}

pub(crate) const FOLDED: &str = slots!("");
pub(crate) const CURRENT: &str = slots!(pending!());

/// The current cells of slots, day by day.
const BY_DAY: &str = concat!(
    "SELECT w.slot, greatest(r.day, w.since) AS day, ",
    apart!("w.grp"),
    " AS grp, r.currency, sum(r.count)::bigint AS count, sum(r.sum1)::bigint AS sum1, sum(r.sum2)::bigint AS sum2 FROM ",
    wanted!(),
    " CROSS JOIN LATERAL (",
    kept!(),
    pending!(),
    " OFFSET 0) AS r GROUP BY 1, 2, 3, 4 ORDER BY 2"
);

fn wanted(slots: &[Slot]) -> Result<Value, Fault> {
    let wanted: Vec<_> = slots.iter().enumerate().map(|(place, slot)| slot.wanted(place)).collect();
    let json = serde_json::to_value(&wanted).map_err(|error| Fault::Internal(error.to_string()))?;
    Ok(json.into())
}

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
    let rows: Vec<Row> = tx.all(text, [wanted(slots)?]).await?;
    let head = rows.first().map(|row| row.head);
    let head = head.ok_or_else(|| Fault::Corrupt("the company has no kpi_head".to_owned()))?;
    let cells = rows.into_iter().filter_map(|row| {
        Some(SlotCell {
            slot: row.slot?,
            split: row.split?,
            cell: Cell {
                group: row.grp?,
                currency: row.currency?,
                count: row.count?,
                sum1: row.sum1?,
                sum2: row.sum2?,
            },
            revision: row.changed?,
        })
    });
    Ok((head, cells.collect()))
}

/// A cell of one day.
#[derive(Clone, Debug, FromQueryResult)]
pub(crate) struct DayCell {
    pub(crate) slot: i32,
    pub(crate) day: NaiveDate,
    #[sea_orm(nested)]
    pub(crate) cell: Cell,
}

/// The current cells of slots, day by day, oldest first. A slot's days before its `since` are told as that day.
pub(crate) async fn cells_by_day(tx: &Tx, slots: &[Slot]) -> Result<Vec<DayCell>, Fault> {
    tx.all(BY_DAY, [wanted(slots)?]).await
}

/// The cells of a slot recomputed from the facts of its cube, without any rollup.
pub(crate) async fn recomputed(tx: &Tx, slot: &Slot) -> Result<Vec<Cell>, Fault> {
    let (condition, values) = slot.sieve.sql(3);
    let column = match slot.group {
        None => "''::text",
        Some(place) => ["dim1", "dim2", "dim3", "currency"][place],
    };
    let text = format!(
        "SELECT {column} AS grp, currency, sum(count)::bigint AS count, sum(sum1)::bigint AS sum1,
                sum(sum2)::bigint AS sum2 FROM ({}) AS fact
         WHERE day BETWEEN $1 AND $2 AND {condition} GROUP BY 1, 2",
        slot.cube.facts
    );
    let days: [Value; 2] = [slot.first.into(), slot.last.into()];
    tx.all(&text, days.into_iter().chain(values)).await
}
