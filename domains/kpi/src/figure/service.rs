//! What can be asked of figures: their values, their history, the records behind them, their recomputation.

use std::collections::BTreeMap;

use chrono::{Months, NaiveDate};
use entity::kpi::kpi_definition::Model;
use kernel::cube::Cube;
use kernel::page::{Cursor, Page, Slice};
use kernel::rollup::Head;
use kernel::{Fault, Kind, Money, Permission, Tx};
use uuid::Uuid;

use super::store::{self, FactFilter, Slot};
use super::{Cell, Figure, Freshness, Grain, Point, Record, Value, Within, evaluate, standing};
use crate::cubes;
use crate::definition::{self, FIRST_DAY, HistoryMeaning, LAST_DAY, Measure, Spec, month_of};
use crate::error::Error;

/// Most points of one history: three years of days.
pub const MOST_POINTS: usize = 1100;

/// The figures of these keys in their order (of all definitions in use, for `None`), and the head that they show.
/// Two statements however many figures: the definitions, and one that reads head and cells of all of them.
/// Needs `kpi.read`.
///
/// # Errors
/// `NOT_FOUND` with the place of the first unknown key.
pub async fn values(
    tx: &Tx,
    keys: Option<&[String]>,
    freshness: Freshness,
) -> Result<(Head, Vec<Figure>), Error> {
    tx.scope().require(Permission::KpiRead)?;
    figures_of(tx, definitions(tx, keys).await?, freshness).await
}

async fn definitions(tx: &Tx, keys: Option<&[String]>) -> Result<Vec<Model>, Error> {
    match keys {
        Some(keys) => definition::store::of_keys(tx, keys).await,
        None => Ok(definition::store::all(tx).await?),
    }
}

/// The figures of definitions that were read before, as [`values`] gives them. Needs `kpi.read`.
pub async fn figures_of(
    tx: &Tx,
    definitions: Vec<Model>,
    freshness: Freshness,
) -> Result<(Head, Vec<Figure>), Error> {
    tx.scope().require(Permission::KpiRead)?;
    let (head, readings) = read_on(tx, tx.scope().today(), definitions, freshness).await?;
    Ok((head, readings.into_iter().map(|reading| reading.figure).collect()))
}

/// A figure as it was read.
pub(crate) struct Reading {
    pub(crate) figure: Figure,
    /// Whether its definition is ahead of the revision: it was changed, and that is not folded yet.
    pub(crate) ahead: bool,
}

/// All figures in use as they follow from the company's revision alone: on the day of the last midnight that the
/// revision knows, wherever and whenever they are read. Before its first midnight the clock tells the day. `day` is
/// that day as the caller knows it, which saves a second reading; a wrong one does no harm. Needs `kpi.read`.
pub(crate) async fn at_revision(tx: &Tx, day: Option<NaiveDate>) -> Result<(Head, Vec<Reading>), Error> {
    tx.scope().require(Permission::KpiRead)?;
    let day = day.unwrap_or_else(|| tx.scope().today());
    let read = async |day| read_on(tx, day, definition::store::all(tx).await?, Freshness::AtRevision).await;
    let (head, readings) = read(day).await?;
    match head.ticked_on.unwrap_or_else(|| tx.scope().today()) {
        of_revision if of_revision == day => Ok((head, readings)),
        of_revision => Ok(read(of_revision).await?),
    }
}

/// The figures of definitions on a day, and the head that they show.
async fn read_on(
    tx: &Tx,
    today: NaiveDate,
    definitions: Vec<Model>,
    freshness: Freshness,
) -> Result<(Head, Vec<Reading>), Fault> {
    let specs = definitions.iter().map(Spec::of).collect::<Result<Vec<_>, Fault>>()?;
    // The first slot tells when definitions changed; figures over the same days of a cube share a slot.
    let mut slots = vec![Slot { cube: cubes::DEFINITION.name, first: FIRST_DAY, last: LAST_DAY }];
    let places: Vec<usize> = specs.iter().map(|spec| place_of(&mut slots, slot_of(spec, today))).collect();
    let (head, cells) = store::cells(tx, &slots, freshness).await?;

    let mut by_slot = vec![Vec::new(); slots.len()];
    for cell in cells {
        if let Some(slot) = usize::try_from(cell.slot).ok().and_then(|slot| by_slot.get_mut(slot)) {
            slot.push(cell);
        }
    }
    let mut readings = Vec::with_capacity(specs.len());
    for ((definition, spec), place) in definitions.into_iter().zip(specs).zip(places) {
        let slot = by_slot.get(place).map_or(&[][..], Vec::as_slice);
        let cells: Vec<Cell> = slot.iter().map(|cell| cell.cell.clone()).collect();
        let value = evaluate(&spec, &cells)?;
        let moved = slot.iter().filter(|cell| spec.counts(&cell.cell.dim1)).map(|cell| cell.revision);
        let defined = || by_slot[0].iter().filter(|cell| cell.cell.dim1 == definition.key);
        let redefined = defined().map(|cell| cell.revision);
        let ticked = if spec.window.moves_with_the_day() { head.ticked_revision } else { 0 };
        let revision = moved.chain(redefined).fold(ticked, i64::max);
        let folded_version: i64 = defined().map(|cell| cell.cell.count).sum();
        let ahead = folded_version != i64::from(definition.version);
        readings.push(Reading { figure: figure(tx, today, definition, spec, value, revision), ahead });
    }
    Ok((head, readings))
}

fn slot_of(spec: &Spec, today: NaiveDate) -> Slot {
    let (first, last) = spec.window.days(today);
    Slot { cube: spec.cube, first, last }
}

/// The place of a slot in the list, to which it is added when it is new.
fn place_of(slots: &mut Vec<Slot>, slot: Slot) -> usize {
    slots.iter().position(|known| *known == slot).unwrap_or_else(|| {
        slots.push(slot);
        slots.len() - 1
    })
}

fn figure(tx: &Tx, today: NaiveDate, definition: Model, spec: Spec, value: Value, revision: i64) -> Figure {
    let (first, last) = spec.window.days(today);
    let standing = standing(&spec, &value, definition.target, tx.scope().company().currency);
    let (from, to) = ((first != FIRST_DAY).then_some(first), (last != LAST_DAY).then_some(last));
    Figure { definition, spec, value, standing, from, to, revision }
}

/// The keys of the figures that may have changed after a revision: by a cell of their window, by their
/// definition, or because a day passed. Needs `kpi.read`.
pub async fn changed_keys_after(tx: &Tx, revision: i64) -> Result<Vec<String>, Error> {
    let (_, figures) = values(tx, None, Freshness::AtRevision).await?;
    Ok(figures.into_iter().filter(|f| f.revision > revision).map(|f| f.definition.key).collect())
}

/// The figures of these keys recomputed from the facts of their cubes, in the snapshot of `tx` and without any
/// rollup: what [`values`] must equal. Its figures carry no revision of their own (0). Needs `kpi.read`.
pub async fn recompute(tx: &Tx, keys: Option<&[String]>) -> Result<Vec<Figure>, Error> {
    tx.scope().require(Permission::KpiRead)?;
    let (definitions, today) = (definitions(tx, keys).await?, tx.scope().today());
    let mut figures = Vec::with_capacity(definitions.len());
    for definition in definitions {
        let spec = Spec::of(&definition)?;
        let cells = store::recomputed(tx, spec.cube()?, slot_of(&spec, today)).await?;
        let value = evaluate(&spec, &cells)?;
        figures.push(figure(tx, today, definition, spec, value, 0));
    }
    Ok(figures)
}

/// The days that a point of a history is made of; within the figure's own window where that is not its end.
fn days_of_point(spec: &Spec, day: NaiveDate, grain: Grain, today: NaiveDate) -> (NaiveDate, NaiveDate) {
    let (first, last) = match grain {
        Grain::Day => (day, day),
        Grain::Month => month_of(day),
    };
    match spec.history {
        HistoryMeaning::OfDay => (first, last),
        // Days to come have no figure yet; a month that is not over is shown as of today.
        HistoryMeaning::AsOfDay if first > today => (LAST_DAY, FIRST_DAY),
        HistoryMeaning::AsOfDay => spec.window.days(last.min(today)),
        HistoryMeaning::ByDueDay | HistoryMeaning::ByReceiptDay => {
            let (from, to) = spec.window.days(today);
            (first.max(from), last.min(to))
        }
    }
}

/// The points from one day to another, both included.
fn points(from: NaiveDate, to: NaiveDate, grain: Grain) -> Result<Vec<NaiveDate>, Error> {
    if from > to {
        return Err(Error::invalid("to", "the last day is before the first: exchange them"));
    }
    if from < FIRST_DAY || to > LAST_DAY {
        return Err(Error::invalid("from", "give days between the years 1 and 9999"));
    }
    let mut days = Vec::new();
    let mut next = Some(if grain == Grain::Month { month_of(from).0 } else { from });
    while let Some(day) = next.filter(|day| *day <= to) {
        if days.len() == MOST_POINTS {
            return Err(Error::invalid(
                "to",
                format!("a history has at most {MOST_POINTS} points: ask for fewer days"),
            ));
        }
        days.push(day);
        next = match grain {
            Grain::Day => day.succ_opt(),
            Grain::Month => day.checked_add_months(Months::new(1)),
        };
    }
    Ok(days)
}

/// The history of a figure, a point a day (or a month), from one day to another, both included. What a point
/// means stands in the figure's [`HistoryMeaning`]; it is current, so the last point of a figure as of a day is
/// the figure. Needs `kpi.read`.
///
/// # Errors
/// `NOT_FOUND`; `INVALID` for days in the wrong order or more than [`MOST_POINTS`] of them.
pub async fn history(
    tx: &Tx,
    key: &str,
    from: NaiveDate,
    to: NaiveDate,
    grain: Grain,
) -> Result<Vec<Point>, Error> {
    tx.scope().require(Permission::KpiRead)?;
    let days = points(from, to, grain)?;
    let spec = Spec::of(&definition::store::of_key(tx, key).await?)?;
    let today = tx.scope().today();
    let windows: Vec<_> = days.iter().map(|day| days_of_point(&spec, *day, grain, today)).collect();
    // A window that ends before it begins has no days.
    let with_days = || windows.iter().filter(|(first, last)| first <= last);
    let first = with_days().map(|(first, _)| *first).min().unwrap_or(from);
    let last = with_days().map(|(_, last)| *last).max().unwrap_or(from);
    let mut by_day = BTreeMap::<NaiveDate, Vec<Cell>>::new();
    for cell in store::cells_by_day(tx, Slot { cube: spec.cube, first, last }).await? {
        by_day.entry(cell.day).or_default().push(cell.cell);
    }
    let mut history = Vec::with_capacity(days.len());
    for (day, (first, last)) in days.into_iter().zip(windows) {
        let cells: Vec<Cell> = if first > last {
            Vec::new()
        } else {
            by_day.range(first..=last).flat_map(|(_, cells)| cells).cloned().collect()
        };
        history.push(Point { day, value: evaluate(&spec, &cells)? });
    }
    Ok(history)
}

/// The right that the records of a kind need.
fn right_to_read(kind: Kind) -> Permission {
    match kind {
        Kind::Bill => Permission::BillsRead,
        Kind::Payment => Permission::PaymentsRead,
        Kind::Invoice => Permission::InvoicingRead,
        Kind::Posting => Permission::LedgerRead,
        _ => Permission::KpiRead,
    }
}

/// The records that a figure is made of, newest day first: read from the tables in the snapshot of `tx`. Their
/// count, and their sums of `amount` per currency or of `part`, are those of the figure read as `Current` in the
/// same snapshot. Needs `kpi.read` and the right to read the records.
///
/// # Errors
/// `NOT_FOUND`; `INVALID` for a cursor that is not one of this list.
pub async fn drill_down(tx: &Tx, key: &str, within: Within, slice: &Slice) -> Result<Page<Record>, Error> {
    tx.scope().require(Permission::KpiRead)?;
    let (spec, cube, slot) = part(tx, key, within).await?;
    let filter = FactFilter {
        slot,
        only: &spec.only,
        currency: within.currency.map(kernel::Currency::code),
        after: bound("after", slice.after.as_ref())?.unwrap_or((LAST_DAY, Uuid::max())),
        before: bound("before", slice.before.as_ref())?.unwrap_or((FIRST_DAY, Uuid::nil())),
        backward: slice.backward,
        limit: slice.probe(),
    };
    let mut records = Vec::new();
    for fact in store::facts(tx, cube, filter).await? {
        let amount = match fact.currency.as_str() {
            "" => None,
            code => Some(Money::new(fact.sum1, super::currency(code)?)),
        };
        let part = match &spec.measure {
            Measure::Mean | Measure::Percentile(_) => Some(fact.sum1),
            Measure::Share(of) => Some(i64::from(of.contains(&fact.dim1))),
            Measure::Sum | Measure::Count => None,
        };
        let group = if matches!(spec.measure, Measure::Percentile(_) | Measure::Mean) {
            String::new()
        } else {
            fact.dim1
        };
        records.push(Record { kind: cube.record, id: fact.record_id, day: fact.day, group, amount, part });
    }
    Ok(Page::from_probe(slice, records))
}

/// How many records a part of a figure is made of, in the snapshot of `tx`. Needs what [`drill_down`] needs.
pub async fn count_records(tx: &Tx, key: &str, within: Within) -> Result<u64, Error> {
    tx.scope().require(Permission::KpiRead)?;
    let (spec, cube, slot) = part(tx, key, within).await?;
    let counted = store::count_facts(tx, cube, slot, &spec.only, within.currency.map(kernel::Currency::code));
    Ok(u64::try_from(counted.await?).unwrap_or(0))
}

/// What a part of a figure is made of; refused to who may not read its records.
async fn part(tx: &Tx, key: &str, within: Within) -> Result<(Spec, &'static Cube, Slot), Error> {
    let spec = Spec::of(&definition::store::of_key(tx, key).await?)?;
    let cube = spec.cube()?;
    tx.scope().require(right_to_read(cube.record))?;
    let today = tx.scope().today();
    let (first, last) = match within.point {
        Some((day, grain)) => days_of_point(&spec, day, grain, today),
        None => spec.window.days(today),
    };
    let slot = Slot { cube: cube.name, first: first.max(FIRST_DAY), last: last.min(LAST_DAY) };
    Ok((spec, cube, slot))
}

/// Where a record stands in the list of its figure's records.
pub fn cursor_of(record: &Record) -> Cursor {
    Cursor { key: record.day.to_string(), id: record.id }
}

fn bound(field: &'static str, cursor: Option<&Cursor>) -> Result<Option<(NaiveDate, Uuid)>, Error> {
    let Some(cursor) = cursor else { return Ok(None) };
    let day: Option<NaiveDate> = cursor.key.parse().ok().filter(|day| (FIRST_DAY..=LAST_DAY).contains(day));
    let day = day
        .ok_or_else(|| Error::invalid(field, "this cursor is not one of this list: use one that it gave"))?;
    Ok(Some((day, cursor.id)))
}
