//! A filter by the places of its dimensions, as SQL takes it. Pure.

use std::fmt::Write;

use kernel::Fault;
use kernel::cube::Cube;
use sea_orm::Value;

use super::spec::{CURRENCY, Condition};

/// The place of the currency beside those of `dim1` to `dim3`.
pub(crate) const CURRENCY_PLACE: usize = 3;

/// The place of a dimension of a cube, the currency's among them.
pub(crate) fn place_of(cube: &Cube, dimension: &str) -> Option<usize> {
    if dimension == CURRENCY { Some(CURRENCY_PLACE) } else { cube.place_of(dimension) }
}

/// Which facts or cells count: for `dim1`, `dim2`, `dim3` and the currency, the values of which one is needed and those
/// that must not be; `None` is no condition.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Sieve {
    pub(crate) any: [Option<Vec<String>>; 4],
    pub(crate) none: [Option<Vec<String>>; 4],
}

impl Sieve {
    /// Of conditions that all hold.
    ///
    /// # Errors
    /// A fault for a dimension that the cube does not have.
    pub(crate) fn of<'c>(
        cube: &Cube,
        conditions: impl IntoIterator<Item = &'c Condition>,
    ) -> Result<Self, Fault> {
        let mut sieve = Self::default();
        for condition in conditions {
            let dimension = &condition.dimension;
            let place = place_of(cube, dimension)
                .ok_or_else(|| Fault::Corrupt(format!("no dimension `{dimension}` in {}", cube.name)))?;
            if !condition.any_of.is_empty() {
                let both = |known: Vec<String>| {
                    known.into_iter().filter(|value| condition.any_of.contains(value)).collect()
                };
                sieve.any[place] =
                    Some(sieve.any[place].take().map_or_else(|| condition.any_of.clone(), both));
            }
            if !condition.none_of.is_empty() {
                sieve.none[place].get_or_insert_default().extend(condition.none_of.iter().cloned());
            }
        }
        Ok(sieve)
    }

    /// The places that it looks at.
    pub(crate) fn places(&self) -> impl Iterator<Item = usize> {
        (0..4).filter(|place| self.any[*place].is_some() || self.none[*place].is_some())
    }

    /// The condition over the columns `dim1`, `dim2`, `dim3` and `currency`, with the parameters from `$first` on; and
    /// their eight values.
    pub(crate) fn sql(&self, first: usize) -> (String, Vec<Value>) {
        let (mut text, mut values) = (String::from("true"), Vec::new());
        for (place, column) in ["dim1", "dim2", "dim3", "currency"].into_iter().enumerate() {
            let (any, none) = (first + 2 * place, first + 2 * place + 1);
            // Writing to a String cannot fail.
            let _written = write!(
                text,
                " AND (${any}::text[] IS NULL OR {column} = ANY(${any})) AND (${none}::text[] IS NULL OR {column} <> ALL(${none}))"
            );
            values.push(self.any[place].clone().into());
            values.push(self.none[place].clone().into());
        }
        (text, values)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn takes(sieve: &Sieve, dims: [&str; 4]) -> bool {
        let one_of = |values: &Vec<String>, value: &str| values.iter().any(|known| known == value);
        (0..4).all(|place| {
            sieve.any[place].as_ref().is_none_or(|any| one_of(any, dims[place]))
                && !sieve.none[place].as_ref().is_some_and(|none| one_of(none, dims[place]))
        })
    }

    #[test]
    fn conditions_on_one_dimension_hold_together() {
        let cube = &invoicing::cubes::INVOICE_ISSUED;
        let conditions = [
            Condition::any_of("kind", ["invoice", "credit_note"]),
            Condition::any_of("kind", ["invoice"]),
            Condition::none_of(CURRENCY, ["USD"]),
            Condition::none_of(CURRENCY, ["CHF"]),
        ];
        let sieve = Sieve::of(cube, &conditions).expect("known dimensions");
        assert!(takes(&sieve, ["invoice", "", "", "EUR"]));
        for refused in
            [["credit_note", "", "", "EUR"], ["invoice", "", "", "USD"], ["invoice", "", "", "CHF"]]
        {
            assert!(!takes(&sieve, refused), "{refused:?}");
        }
        let nothing = [Condition::any_of("kind", ["invoice"]), Condition::any_of("kind", ["credit_note"])];
        assert!(!takes(&Sieve::of(cube, &nothing).expect("known"), ["invoice", "", "", "EUR"]));
        assert!(Sieve::of(cube, &[Condition::any_of("colour", ["red"])]).is_err());
    }
}
