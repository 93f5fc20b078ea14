//! How a figure stood: a point for each step of the calendar.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use kernel::{Fault, Permission, Tx};

use super::slot::{Look, Slot, slots_of};
use super::store::{self, DayCell};
use super::{Cell, Cells, Point, evaluate};
use crate::definition::window::{FIRST_DAY, LAST_DAY, NO_DAYS, of_cube};
use crate::definition::{self, Condition, Grain, HistoryMeaning, Span, Spec, Window};
use crate::error::Error;

/// Most points of one history: three years of days.
pub const MOST_POINTS: usize = 1100;
/// Most points of a sparkline.
pub const MOST_SPARKS: u32 = 100;

/// The days that a point of a history is made of; within the figure's own window where that is not its end.
pub(crate) fn days_of_point(spec: &Spec, day: NaiveDate, grain: Grain, today: NaiveDate) -> Span {
    let (first, last) = grain.around(day);
    match spec.history() {
        HistoryMeaning::OfDay => match spec.window {
            Window::Calendar { to_date: true, .. } => (first, last.min(today)),
            _ => (first, last),
        },
        // Days to come have no figure yet; a step that is not over is shown as of today.
        HistoryMeaning::AsOfDay if first > today => NO_DAYS,
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
    let mut next = Some(grain.around(from).0);
    while let Some(day) = next.filter(|day| *day <= to) {
        if days.len() == MOST_POINTS {
            return Err(Error::invalid(
                "to",
                format!("a history has at most {MOST_POINTS} points: ask for fewer days"),
            ));
        }
        days.push(day);
        next = grain.after(day);
    }
    Ok(days)
}

/// The history of a figure, a point a step, from one day to another, both included. What a point means stands in the
/// figure's [`HistoryMeaning`]; it is current, so the last point of a figure as of a day is the figure. Needs `kpi.read`.
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
    Ok(of_spec(tx, &spec, days, grain).await?)
}

/// The last so many points up to today, oldest first. Needs `kpi.read`.
///
/// # Errors
/// `NOT_FOUND`; `INVALID` for no points or more than [`MOST_SPARKS`].
pub async fn sparkline(tx: &Tx, key: &str, count: u32, grain: Grain) -> Result<Vec<Point>, Error> {
    tx.scope().require(Permission::KpiRead)?;
    if count == 0 || count > MOST_SPARKS {
        return Err(Error::invalid("points", format!("ask for 1 to {MOST_SPARKS} points")));
    }
    let today = tx.scope().today();
    let from = grain.before(grain.around(today).0, count - 1);
    let spec = Spec::of(&definition::store::of_key(tx, key).await?)?;
    Ok(of_spec(tx, &spec, points(from, today, grain)?, grain).await?)
}

/// As [`sparkline`], of the facts alone for which these conditions hold as well; the figure must be kept by their
/// dimensions. Needs `kpi.read`.
pub(crate) async fn sparkline_within(
    tx: &Tx,
    spec: &Spec,
    conditions: &[Condition],
    count: u32,
    grain: Grain,
) -> Result<Vec<Point>, Error> {
    tx.scope().require(Permission::KpiRead)?;
    let today = tx.scope().today();
    let from = grain.before(grain.around(today).0, count.saturating_sub(1));
    let look = Look { conditions, split: None };
    Ok(of_look(tx, spec, points(from, today, grain)?, grain, look).await?)
}

async fn of_spec(tx: &Tx, spec: &Spec, days: Vec<NaiveDate>, grain: Grain) -> Result<Vec<Point>, Fault> {
    of_look(tx, spec, days, grain, Look::default()).await
}

async fn of_look(
    tx: &Tx,
    spec: &Spec,
    days: Vec<NaiveDate>,
    grain: Grain,
    look: Look<'_>,
) -> Result<Vec<Point>, Fault> {
    let today = tx.scope().today();
    let spans: Vec<Span> = days.iter().map(|day| days_of_point(spec, *day, grain, today)).collect();
    let Some(widest) = widest(&spans) else {
        let empty = evaluate(spec, &Cells::default(), tx.scope().company().currency)?;
        return Ok(days.into_iter().map(|day| Point { day, value: empty.clone() }).collect());
    };
    let (own, over) = slots_of(spec, widest, today, look)?;
    let spans_of =
        |slot: &Slot| -> Vec<Span> { spans.iter().map(|span| of_cube(slot.cube, *span, today)).collect() };
    let mut slots = vec![own];
    slots.extend(over);
    for slot in &mut slots {
        slot.since = told_since(&spans_of(slot));
    }
    let mut by_slot = vec![Vec::new(); slots.len()];
    for cell in store::cells_by_day(tx, &slots).await? {
        if let Some(slot) = usize::try_from(cell.slot).ok().and_then(|slot| by_slot.get_mut(slot)) {
            slot.push(cell);
        }
    }
    let mut sums = Vec::with_capacity(slots.len());
    for (slot, cells) in slots.iter().zip(&by_slot) {
        sums.push(sums_over(cells, &spans_of(slot))?.into_iter());
    }
    let mut history = Vec::with_capacity(days.len());
    for day in days {
        let mut next = |slot: usize| sums.get_mut(slot).and_then(Iterator::next).unwrap_or_default();
        let cells = Cells { own: next(0), over: next(1) };
        history.push(Point { day, value: evaluate(spec, &cells, tx.scope().company().currency)? });
    }
    Ok(history)
}

/// The days from the first to the last of some spans; `None` where none has a day.
fn widest(spans: &[Span]) -> Option<Span> {
    let with_days = || spans.iter().filter(|(first, last)| first <= last);
    let first = with_days().map(|(first, _)| *first).min()?;
    Some((first, with_days().map(|(_, last)| *last).max()?))
}

/// Where all spans begin with the calendar, the days up to the end of the first are never told apart.
fn told_since(spans: &[Span]) -> NaiveDate {
    let with_days = || spans.iter().filter(|(first, last)| first <= last);
    if with_days().all(|(first, _)| *first == FIRST_DAY) {
        with_days().map(|(_, last)| *last).min().unwrap_or(FIRST_DAY)
    } else {
        FIRST_DAY
    }
}

/// The cells of each span: days in, and days out, for neither end of a span ever goes back.
fn sums_over(cells: &[DayCell], spans: &[Span]) -> Result<Vec<Vec<Cell>>, Fault> {
    let mut sums = BTreeMap::<(&str, &str), Cell>::new();
    let (mut out, mut into) = (0, 0);
    let mut answer = Vec::with_capacity(spans.len());
    for (first, last) in spans {
        if first > last {
            answer.push(Vec::new());
            continue;
        }
        while let Some(cell) = cells.get(into).filter(|cell| cell.day <= *last) {
            add(&mut sums, cell, 1)?;
            into += 1;
        }
        while let Some(cell) = cells.get(out).filter(|cell| out < into && cell.day < *first) {
            add(&mut sums, cell, -1)?;
            out += 1;
        }
        answer.push(sums.values().cloned().collect());
    }
    Ok(answer)
}

fn add<'c>(sums: &mut BTreeMap<(&'c str, &'c str), Cell>, cell: &'c DayCell, sign: i64) -> Result<(), Fault> {
    let Cell { group, currency, .. } = &cell.cell;
    let sum = sums.entry((group, currency)).or_insert_with(|| Cell {
        group: group.clone(),
        currency: currency.clone(),
        ..Cell::default()
    });
    for (sum, more) in
        [(&mut sum.count, cell.cell.count), (&mut sum.sum1, cell.cell.sum1), (&mut sum.sum2, cell.cell.sum2)]
    {
        let added = more.checked_mul(sign).and_then(|more| sum.checked_add(more));
        *sum = added.ok_or_else(super::too_large)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str) -> NaiveDate {
        text.parse().expect("a date")
    }

    #[test]
    fn days_go_in_and_out_of_spans() {
        let cell =
            |on: &str, count| DayCell { slot: 0, day: day(on), cell: Cell { count, ..Cell::default() } };
        let cells = [cell("2026-01-01", 1), cell("2026-01-02", 2), cell("2026-01-05", 4)];
        let span = |first: &str, last: &str| (day(first), day(last));
        let spans = [
            span("2026-01-01", "2026-01-01"),
            span("2026-01-01", "2026-01-04"),
            span("2026-01-02", "2026-01-05"),
            span("2026-01-07", "2026-01-08"),
            NO_DAYS,
        ];
        let sums = sums_over(&cells, &spans).expect("small");
        let counts: Vec<i64> = sums.iter().map(|cells| cells.iter().map(|cell| cell.count).sum()).collect();
        assert_eq!(counts, [1, 3, 6, 0, 0]);
    }
}
