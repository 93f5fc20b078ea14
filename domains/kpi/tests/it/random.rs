//! Pseudo-random definitions over all cubes, as companies might write them.

use kernel::cube::{Cube, Values};
use kpi::definition::{MeasureDraft, PartDraft, SpecDraft, TotalDraft};
use kpi::{Condition, Direction, Goal, Grain, Window};
use rust_decimal::Decimal;
use uuid::Uuid;

use crate::work::Dice;

fn pick<T: Copy>(dice: &mut Dice, of: &[T]) -> T {
    of[usize::try_from(dice.roll(of.len() as u64)).expect("small")]
}

fn condition(dice: &mut Dice, cube: &Cube, party: Uuid) -> Option<Condition> {
    let named: Vec<_> = cube.dimensions.iter().flatten().copied().collect();
    if named.is_empty() || dice.roll(4) == 0 {
        let currency = pick(dice, &["EUR", "USD"]);
        return Some(Condition::any_of("currency", [currency]));
    }
    let dimension = pick(dice, &named);
    let values: Vec<String> = match dimension.values {
        Values::Closed(values) => vec![pick(dice, values).to_owned()],
        Values::Party => vec![if dice.roll(3) == 0 { String::new() } else { party.to_string() }],
        Values::Path => vec!["bill.received.approved".to_owned()],
        Values::Text => vec![pick(dice, &["FR", "DE", "transfer", ""]).to_owned()],
        Values::Account | Values::Journal | Values::Bucket => return None,
    };
    let any = dice.roll(3) > 0;
    Some(if any {
        Condition::any_of(dimension.name, values)
    } else {
        Condition::none_of(dimension.name, values)
    })
}

fn filter(dice: &mut Dice, cube: &Cube, party: Uuid) -> Vec<Condition> {
    (0..dice.roll(3)).filter_map(|_| condition(dice, cube, party)).collect()
}

fn total(dice: &mut Dice, cube: &Cube) -> TotalDraft {
    if cube.quantities.is_empty() || dice.roll(2) == 0 {
        return TotalDraft::Count;
    }
    let quantities: Vec<_> = cube.quantities.iter().collect();
    TotalDraft::Sum(pick(dice, &quantities).name.to_owned())
}

/// A draft that the domain accepts.
pub(crate) fn draft(dice: &mut Dice, party: Uuid) -> SpecDraft {
    let cubes: Vec<&'static Cube> = kpi::cubes::offered().collect();
    loop {
        let cube = pick(dice, &cubes);
        let quantity = |dice: &mut Dice| match total(dice, cube) {
            TotalDraft::Sum(name) => name,
            TotalDraft::Count => String::new(),
        };
        let measure = match dice.roll(7) {
            0 | 1 => MeasureDraft::Sum(quantity(dice)),
            2 => MeasureDraft::Count,
            3 => MeasureDraft::Mean(quantity(dice)),
            4 => MeasureDraft::Percentile(u32::try_from(dice.roll(99)).expect("small") + 1),
            5 => match condition(dice, cube, party) {
                Some(of) => MeasureDraft::Share(of),
                None => continue,
            },
            _ => {
                let other = pick(dice, &cubes);
                let over = PartDraft {
                    cube: other.name.to_owned(),
                    filter: filter(dice, other, party),
                    total: total(dice, other),
                };
                MeasureDraft::Quotient { of: total(dice, cube), over }
            }
        };
        let period = pick(dice, &[Grain::Day, Grain::Week, Grain::Month, Grain::Quarter, Grain::Year]);
        let to_date = dice.roll(2) == 0;
        let window = match dice.roll(5) {
            0 => Window::Calendar { period, to_date },
            1 => Window::Rolling { days: u32::try_from(dice.roll(400)).expect("small") + 1 },
            2 => Window::All,
            3 => Window::BeforeToday,
            _ => Window::Balance,
        };
        let named: Vec<&str> = cube.dimensions.iter().flatten().map(|dimension| dimension.name).collect();
        let dimensions = if named.is_empty() || dice.roll(2) == 0 {
            Vec::new()
        } else {
            vec![pick(dice, &named).to_owned()]
        };
        let draft = SpecDraft {
            cube: cube.name.to_owned(),
            filter: filter(dice, cube, party),
            measure,
            window,
            dimensions,
        };
        if draft.check("spec").is_ok() {
            return draft;
        }
    }
}

/// No goal at all.
pub(crate) fn aimless() -> Goal {
    Goal { direction: Direction::Up, target: None, warning: None, critical: None, hysteresis: Decimal::ZERO }
}
