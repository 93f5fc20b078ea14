//! Which cells a figure is made of, as the statements take it. Pure.

use chrono::NaiveDate;
use kernel::Fault;
use kernel::cube::Cube;
use serde::Serialize;

use crate::definition::sieve::{Sieve, place_of};
use crate::definition::spec::CURRENCY;
use crate::definition::window::of_cube;
use crate::definition::{Condition, Span, Spec};

/// Cells of a cube on some days.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Slot {
    /// The cube whose facts they are.
    pub(crate) cube: &'static Cube,
    /// The slice that keeps them; the cube's own rollup, for `None`.
    pub(crate) slice: Option<uuid::Uuid>,
    /// Which of the cube's facts count.
    pub(crate) sieve: Sieve,
    /// Which of the kept cells count: of a slice, which holds only what its filter lets through and has dropped what it
    /// does not need, what is wanted beside.
    pub(crate) kept: Sieve,
    pub(crate) first: NaiveDate,
    pub(crate) last: NaiveDate,
    /// The place of the dimension that the measure tells apart.
    pub(crate) group: Option<usize>,
    /// The place of the dimension by which the figure is split.
    pub(crate) split: Option<usize>,
    /// Days before this one are told as this one, where days are told apart.
    pub(crate) since: NaiveDate,
}

/// A slot as SQL takes it; see [`super::store`].
#[derive(Debug, Serialize)]
pub(crate) struct Wanted<'s> {
    slot: usize,
    /// `kpi_rollup.cube`
    key: String,
    /// `kpi_delta.cube`
    cube: &'s str,
    first: NaiveDate,
    last: NaiveDate,
    since: NaiveDate,
    grp: usize,
    split: usize,
    /// Of the cube's facts: by place, the values of which one is needed, and those that must not be.
    wants: &'s [Option<Vec<String>>; 4],
    bars: &'s [Option<Vec<String>>; 4],
    /// Of the kept cells.
    kept_wants: &'s [Option<Vec<String>>; 4],
    kept_bars: &'s [Option<Vec<String>>; 4],
}

impl Slot {
    /// All cells of a cube's own rollup, told apart by its first dimension.
    pub(crate) fn whole(cube: &'static Cube, (first, last): Span) -> Self {
        let (sieve, kept, group) = (Sieve::default(), Sieve::default(), Some(0));
        Self { cube, slice: None, sieve, kept, first, last, group, split: None, since: first }
    }

    /// How the statements take it.
    pub(crate) fn wanted(&self, slot: usize) -> Wanted<'_> {
        // Places count from 1 there; 0 is none.
        let place = |place: Option<usize>| place.map_or(0, |place| place + 1);
        Wanted {
            slot,
            key: self.slice.map_or_else(|| self.cube.name.to_owned(), |slice| format!("slice:{slice}")),
            cube: self.cube.name,
            first: self.first,
            last: self.last,
            since: self.since,
            grp: place(self.group),
            split: place(self.split),
            wants: &self.sieve.any,
            bars: &self.sieve.none,
            kept_wants: &self.kept.any,
            kept_bars: &self.kept.none,
        }
    }
}

/// What of a figure is wanted beside its own filter.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Look<'l> {
    /// More conditions, on dimensions by which the figure can be split.
    pub(crate) conditions: &'l [Condition],
    /// The dimension to split by.
    pub(crate) split: Option<&'l str>,
}

/// The slots of a figure over a span: its own, and that of the other side of a quotient.
///
/// # Errors
/// A fault for a dimension that a cube does not have.
pub(crate) fn slots_of(
    spec: &Spec,
    span: Span,
    today: NaiveDate,
    look: Look<'_>,
) -> Result<(Slot, Option<Slot>), Fault> {
    let slot = |cube: &'static Cube, filter: &[Condition], group: Option<&str>, slice: Option<uuid::Uuid>| {
        let place = |name: &str| {
            place_of(cube, name).ok_or_else(|| Fault::Corrupt(format!("no `{name}` in {}", cube.name)))
        };
        let (first, last) = of_cube(cube, span, today);
        let sieve = Sieve::of(cube, filter.iter().chain(look.conditions))?;
        let kept = if slice.is_some() {
            let of_currency = filter.iter().filter(|condition| condition.dimension == CURRENCY);
            Sieve::of(cube, of_currency.chain(look.conditions))?
        } else {
            sieve.clone()
        };
        Ok::<_, Fault>(Slot {
            cube,
            slice,
            sieve,
            kept,
            first,
            last,
            group: group.map(place).transpose()?,
            split: look.split.map(place).transpose()?,
            since: first,
        })
    };
    let own = slot(spec.cube, &spec.filter, spec.grouping(), spec.slices.own)?;
    let over = spec.over().map(|over| slot(over.cube, &over.filter, None, spec.slices.over)).transpose()?;
    Ok((own, over))
}
