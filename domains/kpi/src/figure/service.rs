//! What can be asked of figures: their values, now and on other days, and their recomputation.

use chrono::NaiveDate;
use entity::kpi::kpi_definition::Model;
use kernel::rollup::Head;
use kernel::{Fault, Permission, Tx};

use super::slot::{Look, Slot, slots_of};
use super::store::{self, SlotCell};
use super::{Cells, Figure, FigureAt, Freshness, Value, evaluate};
use crate::cubes;
use crate::definition::window::{FIRST_DAY, LAST_DAY};
use crate::definition::{self, Condition, Goal, Span, Spec, comparable};
use crate::error::Error;

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

pub(crate) async fn definitions(tx: &Tx, keys: Option<&[String]>) -> Result<Vec<Model>, Error> {
    match keys {
        Some(keys) => definition::store::of_keys(tx, keys).await,
        None => Ok(definition::store::all(tx).await?),
    }
}

/// The figures of definitions that were read before, as [`values`] gives them. One that was never live is empty.
/// Needs `kpi.read`.
pub async fn figures_of(
    tx: &Tx,
    definitions: Vec<Model>,
    freshness: Freshness,
) -> Result<(Head, Vec<Figure>), Error> {
    figures_within(tx, definitions, &[], freshness).await
}

/// As [`figures_of`], of the facts alone for which these conditions hold as well. Needs `kpi.read`.
///
/// # Errors
/// `INVALID` for a figure that is not kept by a dimension of them; see [`can_look_at`].
pub async fn figures_within(
    tx: &Tx,
    definitions: Vec<Model>,
    conditions: &[Condition],
    freshness: Freshness,
) -> Result<(Head, Vec<Figure>), Error> {
    tx.scope().require(Permission::KpiRead)?;
    let (head, readings) = read_on(tx, tx.scope().today(), definitions, conditions, freshness).await?;
    Ok((head, readings.into_iter().map(|reading| reading.figure).collect()))
}

/// Whether a figure can be read by a dimension: it was defined with it, or with the currency, or its cells have it anyway.
pub fn can_look_at(spec: &Spec, dimension: &str) -> bool {
    let kept = |cube: &kernel::cube::Cube, slice: Option<uuid::Uuid>| match definition::sieve::place_of(
        cube, dimension,
    ) {
        Some(definition::sieve::CURRENCY_PLACE) => true,
        Some(place) => {
            spec.dimensions.iter().any(|name| name == dimension) || slice.is_none() && cube.kept[place]
        }
        None => false,
    };
    kept(spec.cube, spec.slices.own) && spec.over().is_none_or(|over| kept(over.cube, spec.slices.over))
}

pub(crate) fn require_dimension(spec: &Spec, field: &'static str, dimension: &str) -> Result<(), Error> {
    if can_look_at(spec, dimension) {
        return Ok(());
    }
    let allowed: Vec<&str> =
        spec.dimensions.iter().map(String::as_str).chain([definition::CURRENCY]).collect();
    Err(Error::invalid(
        field,
        format!("the figure is not kept by that dimension: take one of {}", allowed.join(", ")),
    ))
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
    let read =
        async |day| read_on(tx, day, definition::store::all(tx).await?, &[], Freshness::AtRevision).await;
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
    conditions: &[Condition],
    freshness: Freshness,
) -> Result<(Head, Vec<Reading>), Error> {
    let specs = definitions.iter().map(Spec::of).collect::<Result<Vec<_>, Fault>>()?;
    // The first slot tells when definitions changed; figures over the same days of the same cells share a slot.
    let mut slots = vec![Slot::whole(&cubes::DEFINITION, (FIRST_DAY, LAST_DAY))];
    let mut places = Vec::with_capacity(specs.len());
    for (spec, definition) in specs.iter().zip(&definitions) {
        for condition in conditions {
            require_dimension(spec, "filters", &condition.dimension)?;
        }
        if definition.spec_version == 0 {
            places.push(None);
            continue;
        }
        let (own, over) = slots_of(spec, spec.window.days(today), today, Look { conditions, split: None })?;
        let own = place_of(&mut slots, own);
        places.push(Some((own, over.map(|over| place_of(&mut slots, over)))));
    }
    let (head, cells) = store::cells(tx, &slots, freshness).await?;
    let by_slot = by_slot(cells, slots.len());

    let mut readings = Vec::with_capacity(specs.len());
    for ((definition, spec), place) in definitions.into_iter().zip(specs).zip(places) {
        let (own, over) = match place {
            Some((own, over)) => (&by_slot[own][..], over.map_or(&[][..], |over| &by_slot[over][..])),
            None => (&[][..], &[][..]),
        };
        let value = match place {
            Some(_) => {
                evaluate(&spec, &Cells { own: plain(own), over: plain(over) }, tx.scope().company().currency)?
            }
            None => Value::default(),
        };
        let moved = own.iter().chain(over).map(|cell| cell.revision);
        let defined = || by_slot[0].iter().filter(|cell| cell.cell.group == definition.key);
        let redefined = defined().map(|cell| cell.revision);
        let ticked = if spec.window.moves_with_the_day() { head.ticked_revision } else { 0 };
        let revision = moved.chain(redefined).fold(ticked, i64::max);
        let folded_version: i64 = defined().map(|cell| cell.cell.count).sum();
        let ahead = folded_version != i64::from(definition.version);
        readings.push(Reading { figure: figure(tx, today, definition, spec, value, revision)?, ahead });
    }
    Ok((head, readings))
}

pub(crate) fn by_slot(cells: Vec<SlotCell>, slots: usize) -> Vec<Vec<SlotCell>> {
    let mut by_slot = vec![Vec::new(); slots];
    for cell in cells {
        if let Some(slot) = usize::try_from(cell.slot).ok().and_then(|slot| by_slot.get_mut(slot)) {
            slot.push(cell);
        }
    }
    by_slot
}

fn plain(cells: &[SlotCell]) -> Vec<super::Cell> {
    cells.iter().map(|cell| cell.cell.clone()).collect()
}

/// The place of a slot in the list, to which it is added when it is new.
fn place_of(slots: &mut Vec<Slot>, slot: Slot) -> usize {
    slots.iter().position(|known| *known == slot).unwrap_or_else(|| {
        slots.push(slot);
        slots.len() - 1
    })
}

fn figure(
    tx: &Tx,
    today: NaiveDate,
    definition: Model,
    spec: Spec,
    value: Value,
    revision: i64,
) -> Result<Figure, Fault> {
    let (from, to) = ends(spec.window.days(today));
    let goal = Goal::of(&definition)?;
    let number = (definition.spec_version > 0)
        .then(|| comparable(&spec, &value, tx.scope().company().currency))
        .flatten();
    let (standing, level) = (goal.standing(number), goal.level(number));
    Ok(Figure { definition, spec, goal, value, standing, level, from, to, revision })
}

/// First and last day of a span; `None` where it has no end.
pub(crate) fn ends((first, last): Span) -> (Option<NaiveDate>, Option<NaiveDate>) {
    ((first != FIRST_DAY).then_some(first), (last != LAST_DAY).then_some(last))
}

/// What a figure comes to over each of some spans, all of one statement: current.
pub(crate) async fn over_spans(
    tx: &Tx,
    spec: &Spec,
    spans: &[Span],
    today: NaiveDate,
) -> Result<Vec<Value>, Fault> {
    let mut slots = Vec::new();
    for span in spans {
        let (own, over) = slots_of(spec, *span, today, Look::default())?;
        slots.push(own);
        slots.extend(over);
    }
    let (_, cells) = store::cells(tx, &slots, Freshness::Current).await?;
    let mut by_slot = by_slot(cells, slots.len()).into_iter();
    let mut values = Vec::with_capacity(spans.len());
    for _ in spans {
        let own = plain(&by_slot.next().unwrap_or_default());
        let over = spec.over().and_then(|_| by_slot.next()).map(|cells| plain(&cells)).unwrap_or_default();
        values.push(evaluate(spec, &Cells { own, over }, tx.scope().company().currency)?);
    }
    Ok(values)
}

/// A figure as of a day: what it would say if that day were today, from what is known now. A whole period is whole, days
/// after that day included. `None` of what tells of now only, for another day than today. Needs `kpi.read`.
///
/// # Errors
/// `NOT_FOUND`; `INVALID` for a day outside of the years 1 to 9999.
pub async fn at_day(tx: &Tx, key: &str, day: NaiveDate) -> Result<Option<FigureAt>, Error> {
    tx.scope().require(Permission::KpiRead)?;
    if !(FIRST_DAY..=LAST_DAY).contains(&day) {
        return Err(Error::invalid("day", "give a day between the years 1 and 9999"));
    }
    let spec = Spec::of(&definition::store::of_key(tx, key).await?)?;
    if spec.is_of_now_only() && day != tx.scope().today() {
        return Ok(None);
    }
    let span = spec.window.days(day);
    let value = over_spans(tx, &spec, &[span], day).await?.pop().unwrap_or_default();
    let (from, to) = ends(span);
    Ok(Some(FigureAt { day, value, from, to }))
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
    recompute_on(tx, keys, tx.scope().today()).await
}

/// As [`recompute`], on another day: what [`at_day`] must equal. Needs `kpi.read`.
pub async fn recompute_on(tx: &Tx, keys: Option<&[String]>, today: NaiveDate) -> Result<Vec<Figure>, Error> {
    tx.scope().require(Permission::KpiRead)?;
    let definitions = definitions(tx, keys).await?;
    let mut figures = Vec::with_capacity(definitions.len());
    for definition in definitions {
        let spec = Spec::of(&definition)?;
        let (own, over) = slots_of(&spec, spec.window.days(today), today, Look::default())?;
        let own = store::recomputed(tx, &own).await?;
        let over = match over {
            Some(over) => store::recomputed(tx, &over).await?,
            None => Vec::new(),
        };
        let value = evaluate(&spec, &Cells { own, over }, tx.scope().company().currency)?;
        figures.push(figure(tx, today, definition, spec, value, 0)?);
    }
    Ok(figures)
}
