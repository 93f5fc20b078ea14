//! What somebody wants a figure to measure, checked word by word against the cubes. Pure.

use std::borrow::Cow;

use kernel::cube::{Cube, Quantity, Shape, Values};
use uuid::Uuid;

use super::sieve::place_of;
use super::spec::{CURRENCY, Condition, Measure, Part, Slices, Spec, Total};
use super::window::{MOST_ROLLING_DAYS, Window};
use crate::cubes;
use crate::error::Error;

/// Most values of one condition.
pub const MOST_VALUES: usize = 100;
/// Most conditions of one filter.
pub const MOST_CONDITIONS: usize = 10;

/// What is added up, by name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TotalDraft {
    /// How many.
    Count,
    /// A quantity of the cube.
    Sum(String),
}

/// The other side of a quotient, by name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PartDraft {
    /// The cube.
    pub cube: String,
    /// Which of its facts count.
    pub filter: Vec<Condition>,
    /// What is added up.
    pub total: TotalDraft,
}

/// How facts become a value, by name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MeasureDraft {
    /// A quantity, added up.
    Sum(String),
    /// How many.
    Count,
    /// A quantity by the count.
    Mean(String),
    /// A percentile, 1 to 99.
    Percentile(u32),
    /// The share of those for which a condition holds.
    Share(Condition),
    /// One total by another.
    Quotient {
        /// The dividend.
        of: TotalDraft,
        /// The divisor.
        over: PartDraft,
    },
}

/// What somebody wants a figure to measure.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SpecDraft {
    /// A cube's name.
    pub cube: String,
    /// Which of its facts count; all conditions hold.
    pub filter: Vec<Condition>,
    /// How they become a value.
    pub measure: MeasureDraft,
    /// Over which days.
    pub window: Window,
    /// By which dimensions it can be split.
    pub dimensions: Vec<String>,
}

/// Ids that a filter names, and the fields that name them: whether they are the company's must be looked up.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Named {
    /// Customers and suppliers.
    pub parties: Vec<(String, Uuid)>,
    /// Accounts.
    pub accounts: Vec<(String, Uuid)>,
    /// Journals.
    pub journals: Vec<(String, Uuid)>,
}

fn refuse<T>(field: &str, message: impl Into<Cow<'static, str>>) -> Result<T, Error> {
    Err(Error::Invalid { field: field.to_owned().into(), message: message.into() })
}

fn names<'n>(names: impl IntoIterator<Item = &'n str>) -> String {
    names.into_iter().collect::<Vec<_>>().join(", ")
}

impl SpecDraft {
    /// The spec, and what of it must be looked up in the company. `at` is the input field that holds the draft, as a path.
    ///
    /// # Errors
    /// `INVALID` with the path of the field that is wrong, and what is allowed there.
    pub fn check(&self, at: &str) -> Result<(Spec, Named), Error> {
        let mut named = Named::default();
        let cube = offered(&format!("{at}.cube"), &self.cube)?;
        let filter = checked_filter(&format!("{at}.filter"), cube, &self.filter, &mut named)?;
        let measure = self.checked_measure(&format!("{at}.measure"), cube, &mut named)?;
        let window = self.checked_window(&format!("{at}.window"), cube, &measure)?;
        let over = match &measure {
            Measure::Quotient { over, .. } => Some(over.cube),
            _ => None,
        };
        let mut dimensions: Vec<String> = Vec::new();
        for (place, name) in self.dimensions.iter().enumerate() {
            let field = format!("{at}.dimensions.{place}");
            for cube in [Some(cube), over].into_iter().flatten() {
                if place_of(cube, name).is_none() {
                    return refuse(&field, unknown_dimension(cube, name));
                }
                if cube.dimension(name).is_some_and(|dimension| dimension.values == Values::Bucket) {
                    return refuse(&field, "a figure is not split by buckets: ask for a percentile");
                }
            }
            if dimensions.contains(name) {
                return refuse(&field, "it is named twice: name it once");
            }
            dimensions.push(name.clone());
        }
        let Some(unit) = measure.unit() else {
            return refuse(
                &format!("{at}.measure"),
                "this measures nothing: scores are averaged and not added up, and a quotient is of two totals of one \
                 unit, or by a count",
            );
        };
        let slices = Slices::default();
        Ok((Spec { cube, filter, measure, window, dimensions, unit, slices }, named))
    }

    fn checked_measure(&self, at: &str, cube: &'static Cube, named: &mut Named) -> Result<Measure, Error> {
        Ok(match &self.measure {
            MeasureDraft::Count => Measure::Count,
            MeasureDraft::Sum(name) => Measure::Sum(quantity(&format!("{at}.quantity"), cube, name)?),
            MeasureDraft::Mean(name) => Measure::Mean(quantity(&format!("{at}.quantity"), cube, name)?),
            MeasureDraft::Percentile(percent) => {
                let field = format!("{at}.percent");
                if cube.bucket().is_none() {
                    return refuse(&field, format!("{} keeps no durations: take one that does", cube.name));
                }
                match u8::try_from(*percent) {
                    Ok(percent @ 1..=99) => Measure::Percentile(percent),
                    _ => return refuse(&field, "a percentile lies between 1 and 99"),
                }
            }
            MeasureDraft::Share(of) => {
                let field = format!("{at}.shareOf");
                let of = checked_condition(&field, cube, of, named)?;
                Measure::Share(of)
            }
            MeasureDraft::Quotient { of, over } => {
                let other = offered(&format!("{at}.over.cube"), &over.cube)?;
                let filter = checked_filter(&format!("{at}.over.filter"), other, &over.filter, named)?;
                let over =
                    Part { cube: other, filter, total: total(&format!("{at}.over"), other, &over.total)? };
                Measure::Quotient { of: total(at, cube, of)?, over }
            }
        })
    }

    fn checked_window(&self, at: &str, cube: &Cube, measure: &Measure) -> Result<Window, Error> {
        let shapes = match measure {
            Measure::Quotient { over, .. } => vec![cube.shape, over.cube.shape],
            _ => vec![cube.shape],
        };
        let kind = format!("{at}.kind");
        match self.window {
            Window::Rolling { days } if days == 0 || days > MOST_ROLLING_DAYS => {
                refuse(&format!("{at}.days"), format!("a rolling window has 1 to {MOST_ROLLING_DAYS} days"))
            }
            Window::Balance => Ok(self.window),
            _ if shapes.iter().all(|shape| *shape == Shape::Balance) => refuse(
                &kind,
                format!("{} tells what stands at the end of a day: only BALANCE is allowed", cube.name),
            ),
            Window::BeforeToday if !shapes.iter().all(|shape| shape.is_open()) => {
                refuse(&kind, "BEFORE_TODAY is for what is open by the day it is due: take ALL or ROLLING")
            }
            window => Ok(window),
        }
    }
}

fn offered(field: &str, name: &str) -> Result<&'static Cube, Error> {
    let found = cubes::offered().find(|cube| cube.name == name);
    found.map_or_else(
        || {
            let known = names(cubes::offered().map(|cube| cube.name));
            refuse(field, format!("there is no cube of that name: take one of {known}"))
        },
        Ok,
    )
}

fn quantity(field: &str, cube: &'static Cube, name: &str) -> Result<&'static Quantity, Error> {
    cube.quantity(name).map_or_else(
        || {
            let known = names(cube.quantities.iter().map(|quantity| quantity.name));
            let message = if known.is_empty() {
                format!("{} only counts: measure COUNT", cube.name)
            } else {
                format!("{} has no quantity of that name: take one of {known}", cube.name)
            };
            refuse(field, message)
        },
        Ok,
    )
}

fn total(at: &str, cube: &'static Cube, draft: &TotalDraft) -> Result<Total, Error> {
    match draft {
        TotalDraft::Count => Ok(Total::Count),
        TotalDraft::Sum(name) => Ok(Total::Sum(quantity(&format!("{at}.quantity"), cube, name)?)),
    }
}

fn unknown_dimension(cube: &Cube, name: &str) -> String {
    let known = cube.dimensions.iter().flatten().map(|dimension| dimension.name).chain([CURRENCY]);
    let name: String = name.chars().take(40).collect();
    format!("{} has no dimension `{name}`: take one of {}", cube.name, names(known))
}

fn checked_filter(
    at: &str,
    cube: &Cube,
    filter: &[Condition],
    named: &mut Named,
) -> Result<Vec<Condition>, Error> {
    if filter.len() > MOST_CONDITIONS {
        return refuse(at, format!("a filter has at most {MOST_CONDITIONS} conditions"));
    }
    let check = |(place, condition)| checked_condition(&format!("{at}.{place}"), cube, condition, named);
    filter.iter().enumerate().map(check).collect()
}

/// A condition whose dimension the cube has and whose values the dimension can take. `at` is its field, as a path.
///
/// # Errors
/// `INVALID` with the path of the field that is wrong, and what is allowed there.
pub fn checked_condition(
    at: &str,
    cube: &Cube,
    condition: &Condition,
    named: &mut Named,
) -> Result<Condition, Error> {
    let field = format!("{at}.dimension");
    let values = match cube.dimension(&condition.dimension) {
        Some(dimension) if dimension.values == Values::Bucket => {
            return refuse(&field, "there is no filter by buckets: ask for a percentile");
        }
        Some(dimension) => Some(dimension.values),
        None if condition.dimension == CURRENCY => None,
        None => return refuse(&field, unknown_dimension(cube, &condition.dimension)),
    };
    if condition.any_of.is_empty() && condition.none_of.is_empty() {
        return refuse(&format!("{at}.anyOf"), "name values in anyOf or noneOf, or leave the condition out");
    }
    let mut checked = Condition { dimension: condition.dimension.clone(), ..Condition::default() };
    for (list, name, into) in [
        (&condition.any_of, "anyOf", &mut checked.any_of),
        (&condition.none_of, "noneOf", &mut checked.none_of),
    ] {
        if list.len() > MOST_VALUES {
            return refuse(&format!("{at}.{name}"), format!("name at most {MOST_VALUES} values"));
        }
        for (place, value) in list.iter().enumerate() {
            let value = checked_value(&format!("{at}.{name}.{place}"), values, value, named)?;
            if !into.contains(&value) {
                into.push(value);
            }
        }
    }
    Ok(checked)
}

/// A value as it is stored. `values` of `None` are currencies.
fn checked_value(
    field: &str,
    values: Option<Values>,
    value: &str,
    named: &mut Named,
) -> Result<String, Error> {
    let mut id = |of: fn(&mut Named) -> &mut Vec<(String, Uuid)>, what: &str| {
        if value.is_empty() {
            return Ok(String::new());
        }
        let Ok(id) = value.parse::<Uuid>() else {
            return refuse(field, format!("give the id of {what}"));
        };
        of(named).push((field.to_owned(), id));
        Ok(id.to_string())
    };
    match values {
        None => match kernel::Currency::parse(value) {
            Some(currency) => Ok(currency.code().to_owned()),
            None => refuse(field, "give a currency of ISO 4217, such as EUR"),
        },
        Some(Values::Closed(known)) if known.contains(&value) => Ok(value.to_owned()),
        Some(Values::Closed(known)) => {
            refuse(field, format!("there is no such value: take one of {}", names(known.iter().copied())))
        }
        Some(Values::Party) => id(|named| &mut named.parties, "a customer or supplier, or nothing"),
        Some(Values::Account) => id(|named| &mut named.accounts, "an account"),
        Some(Values::Journal) => id(|named| &mut named.journals, "a journal"),
        Some(Values::Path | Values::Bucket | Values::Text) => {
            if value.chars().count() > 100 || value.chars().any(char::is_control) {
                return refuse(field, "a value has at most 100 characters, on one line");
            }
            Ok(value.to_owned())
        }
    }
}

#[cfg(test)]
mod tests {
    use kernel::DomainError;

    use super::*;
    use crate::definition::{Grain, Unit};

    fn draft(cube: &str, measure: MeasureDraft) -> SpecDraft {
        SpecDraft {
            cube: cube.to_owned(),
            filter: Vec::new(),
            measure,
            window: Window::Calendar { period: Grain::Month, to_date: false },
            dimensions: Vec::new(),
        }
    }

    fn refused(draft: &SpecDraft) -> String {
        draft.check("spec").expect_err("refused").field().unwrap_or_default()
    }

    #[test]
    fn what_is_wrong_is_named_by_its_path() {
        let good = draft("invoice.issued", MeasureDraft::Sum("net".to_owned()));
        assert_eq!(good.check("spec").expect("good").0.unit, Unit::Money);
        let with = |condition| SpecDraft { filter: vec![condition], ..good.clone() };
        assert_eq!(refused(&draft("nowhere", MeasureDraft::Count)), "spec.cube");
        assert_eq!(refused(&draft("kpi.definition", MeasureDraft::Count)), "spec.cube", "it is ours alone");
        assert_eq!(
            refused(&draft("invoice.issued", MeasureDraft::Sum("gross".to_owned()))),
            "spec.measure.quantity"
        );
        assert_eq!(refused(&draft("invoice.issued", MeasureDraft::Percentile(90))), "spec.measure.percent");
        assert_eq!(refused(&draft("satisfaction", MeasureDraft::Sum("score".to_owned()))), "spec.measure");
        assert_eq!(refused(&with(Condition::any_of("colour", ["red"]))), "spec.filter.0.dimension");
        assert_eq!(refused(&with(Condition::any_of("kind", ["invoice", "bill"]))), "spec.filter.0.anyOf.1");
        assert_eq!(refused(&with(Condition::none_of("currency", ["EURO"]))), "spec.filter.0.noneOf.0");
        assert_eq!(refused(&with(Condition::any_of("kind", [""; 0]))), "spec.filter.0.anyOf");
        let rolling = SpecDraft { window: Window::Rolling { days: 1101 }, ..good.clone() };
        assert_eq!(refused(&rolling), "spec.window.days");
        let overdue = SpecDraft { window: Window::BeforeToday, ..good.clone() };
        assert_eq!(refused(&overdue), "spec.window.kind");
        let split = SpecDraft { dimensions: vec!["kind".to_owned(), "kind".to_owned()], ..good };
        assert_eq!(refused(&split), "spec.dimensions.1");
    }

    #[test]
    fn quotients_are_of_one_unit_or_by_a_count() {
        let by = |of: TotalDraft, cube: &str, total: TotalDraft| {
            let over = PartDraft { cube: cube.to_owned(), filter: Vec::new(), total };
            draft("invoice.issued", MeasureDraft::Quotient { of, over })
                .check("spec")
                .map(|(spec, _)| spec.unit)
        };
        let sum = |name: &str| TotalDraft::Sum(name.to_owned());
        assert_eq!(by(sum("net"), "payment.recorded", sum("amount")).expect("good"), Unit::Ratio);
        assert_eq!(by(sum("net"), "invoice.issued", TotalDraft::Count).expect("good"), Unit::Money);
        assert_eq!(by(TotalDraft::Count, "bill.outcome", TotalDraft::Count).expect("good"), Unit::Ratio);
        assert!(by(TotalDraft::Count, "payment.recorded", sum("amount")).is_err());
    }
}
