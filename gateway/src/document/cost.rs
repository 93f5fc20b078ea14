//! What an operation may cost at most, variables put in: one walk over its selections, each fragment once.

use std::collections::{BTreeMap, HashMap};

use async_graphql::parser::types::{ExecutableDocument, Field, OperationDefinition, Selection, SelectionSet};
use async_graphql::{Name, Positioned};
use async_graphql_value::Value;

use super::fragments::Fragments;
use super::input::Known;
use super::limits::{Limit, Limits};
use super::list_size::{ListSize, length};
use super::model::{CostModel, FieldModel, TypeId, UNIT};
use super::refused::Refused;

/// What an operation may cost at most.
pub(super) struct Price {
    /// In whole units, rounded up.
    pub(super) cost: u64,
    /// See [`Limits::values`].
    pub(super) values: u64,
    /// Selections that were read to find this out.
    #[cfg(test)]
    pub(super) steps: u64,
}

/// Prices an operation, and holds it against the limits that need variables.
///
/// The fragments must be free of cycles, and nested no deeper than [`Limits::recursion`].
pub(super) fn price<'d>(
    document: &'d ExecutableDocument,
    operation: &'d OperationDefinition,
    model: &'d CostModel,
    known: &mut Known<'d>,
    limits: &Limits,
) -> Result<Price, Refused> {
    let fragments = Fragments::of(document);
    let mut pricer = Pricer { model, fragments: &fragments, known, limits, opened: HashMap::new(), steps: 0 };
    let all = match model.root(operation.ty) {
        Some(root) => pricer.set(root, &operation.selection_set.node, None)?.plain,
        None => Amount::default(),
    };
    let cost = all.cost.div_ceil(UNIT);
    Refused::over(Limit::InputValues, all.inputs, limits.input_values)?;
    Refused::over(Limit::Values, all.values, limits.values)?;
    Refused::over(Limit::Cost, cost, limits.cost)?;
    Ok(Price {
        cost,
        values: all.values,
        #[cfg(test)]
        steps: pricer.steps,
    })
}

/// What something may amount to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Amount {
    /// In thousandths.
    cost: u64,
    /// Values of the answer, and of the arguments of its fields.
    values: u64,
    /// Values of arguments, each field once however long the list that it stands in.
    inputs: u64,
}

impl Amount {
    fn add(&mut self, other: Self) {
        self.cost = self.cost.saturating_add(other.cost);
        self.values = self.values.saturating_add(other.values);
        self.inputs = self.inputs.saturating_add(other.inputs);
    }

    fn times(self, items: u64) -> Self {
        Self {
            cost: self.cost.saturating_mul(items),
            values: self.values.saturating_mul(items),
            inputs: self.inputs,
        }
    }

    fn most(self, other: Self) -> Self {
        Self {
            cost: self.cost.max(other.cost),
            values: self.values.max(other.values),
            inputs: self.inputs.max(other.inputs),
        }
    }
}

/// The amount of a selection set. Fields that the field above named in `sizedFields` are kept apart, by the item:
/// how many items there are differs from place to place where a fragment is spread, the amounts do not.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Tally {
    plain: Amount,
    item: Amount,
}

impl Tally {
    fn add(&mut self, other: Self) {
        self.plain.add(other.plain);
        self.item.add(other.item);
    }

    fn most(self, other: Self) -> Self {
        Self { plain: self.plain.most(other.plain), item: self.item.most(other.item) }
    }
}

struct Pricer<'a, 'd> {
    model: &'d CostModel,
    fragments: &'a Fragments<'d>,
    known: &'a mut Known<'d>,
    limits: &'a Limits,
    /// Fragments by number, type and set of sized fields. A fragment is seen with its own type, not with that of
    /// the place where it is spread, so that the number of types does not multiply the work.
    opened: HashMap<(usize, TypeId, Option<usize>), Tally>,
    steps: u64,
}

impl<'d> Pricer<'_, 'd> {
    fn set(&mut self, on: TypeId, set: &'d SelectionSet, sized: Option<usize>) -> Result<Tally, Refused> {
        let mut all = Tally::default();
        let mut branches: BTreeMap<TypeId, Tally> = BTreeMap::new();
        for item in &set.items {
            self.steps += 1;
            if self.known.skips(item.node.directives()) {
                continue;
            }
            let (to, tally) = match &item.node {
                Selection::Field(field) => {
                    all.add(self.field(on, field, sized)?);
                    continue;
                }
                Selection::InlineFragment(inline) => {
                    let condition =
                        inline.node.type_condition.as_ref().map(|condition| &condition.node.on.node);
                    let narrowed = condition.map_or(Some(on), |name| self.model.narrow(on, name));
                    let Some(to) = narrowed else { continue };
                    (to, self.set(to, &inline.node.selection_set.node, sized)?)
                }
                Selection::FragmentSpread(spread) => {
                    let Some(number) = self.fragments.number(&spread.node.fragment_name.node) else {
                        continue;
                    };
                    let condition = &self.fragments.definition(number).type_condition.node.on.node;
                    let Some(to) = self.model.narrow(on, condition) else { continue };
                    (to, self.fragment(number, to, sized)?)
                }
            };
            if self.model.covers(to, on) {
                all.add(tally);
            } else {
                branches.entry(to).or_default().add(tally);
            }
        }
        all.add(self.dearest(on, &branches));
        Ok(all)
    }

    fn fragment(&mut self, number: usize, on: TypeId, sized: Option<usize>) -> Result<Tally, Refused> {
        if let Some(tally) = self.opened.get(&(number, on, sized)) {
            return Ok(*tally);
        }
        let set = &self.fragments.definition(number).selection_set.node;
        let tally = self.set(on, set, sized)?;
        self.opened.insert((number, on, sized), tally);
        Ok(tally)
    }

    /// What the fragments on some of the objects cost at most: those that apply to one object add up, and one
    /// object is the dearest.
    fn dearest(&self, on: TypeId, branches: &BTreeMap<TypeId, Tally>) -> Tally {
        let objects = &self.model.types[on].possible.objects;
        let mut dearest = Tally::default();
        for object in objects.iter().take(if branches.is_empty() { 0 } else { objects.len() }) {
            let mut together = Tally::default();
            for (to, tally) in branches {
                if self.model.types[*to].possible.contains(*object) {
                    together.add(*tally);
                }
            }
            dearest = dearest.most(together);
        }
        dearest
    }

    fn field(
        &mut self,
        on: TypeId,
        field: &'d Positioned<Field>,
        sized: Option<usize>,
    ) -> Result<Tally, Refused> {
        let name = &field.node.name.node;
        let model = self.model;
        let Some(declared) = model.field(on, name) else {
            // `__typename`, or a field that validation refuses.
            return Ok(Tally { plain: Amount { values: 1, ..Amount::default() }, ..Tally::default() });
        };
        let inputs = self.arguments(field, declared)?;
        let items = self.items(field, declared)?;
        let below = if field.node.selection_set.node.items.is_empty() {
            Tally::default()
        } else {
            self.set(declared.returns, &field.node.selection_set.node, declared.sized)?
        };
        let composite = u64::from(model.types[declared.returns].composite);
        let mut one = Amount { cost: declared.weight, values: composite, inputs: 0 };
        one.add(below.plain);
        if declared.sized.is_some() {
            one.add(below.item.times(items.unwrap_or(1)));
        }
        let sized_here = sized.is_some_and(|set| model.is_sized(set, name));
        let repeated = declared.list && declared.sized.is_none() && !sized_here;
        let mut all = if repeated { one.times(items.unwrap_or(1)) } else { one };
        all.add(Amount { cost: 0, values: 1 + inputs, inputs });
        Ok(if sized_here {
            Tally { plain: Amount::default(), item: all }
        } else {
            Tally { plain: all, item: Amount::default() }
        })
    }

    /// Holds the arguments of a field against the limits, and counts their values.
    fn arguments(&mut self, field: &'d Positioned<Field>, declared: &FieldModel) -> Result<u64, Refused> {
        let mut values = 0_u64;
        for (name, value) in &field.node.arguments {
            let place = || place(&field.node, &name.node);
            let size = self.known.literal(&value.node);
            size.within(self.limits, place)?;
            values = values.saturating_add(size.values);
            let slicing = matches!(name.node.as_str(), "first" | "last")
                || declared
                    .sizes
                    .iter()
                    .any(|size| size.slicing.iter().any(|slicing| name.node == slicing.name));
            if let Some(found) =
                self.length(&value.node).filter(|found| slicing && *found > self.limits.list_size)
            {
                let (limit, most, at) = (Limit::ListSize, self.limits.list_size, Some(value.pos));
                return Err(Refused::Exceeded { limit, found, most, place: Some(place()), at });
            }
        }
        Ok(values)
    }

    /// How long the list is that a field returns, or leads to; `None` if it does not say.
    fn items(&self, field: &Positioned<Field>, declared: &FieldModel) -> Result<Option<u64>, Refused> {
        let mut most = None;
        for size in &declared.sizes {
            let items = self.items_by(field, size)?;
            most = Some(most.map_or(items, |most: u64| most.max(items)));
        }
        Ok(most)
    }

    fn items_by(&self, field: &Positioned<Field>, size: &ListSize) -> Result<u64, Refused> {
        let given = |name: &str| {
            let value = field.node.get_argument(name)?;
            self.length(&value.node)
        };
        let lengths: Vec<u64> = size.slicing.iter().filter_map(|slicing| given(&slicing.name)).collect();
        let default = size.slicing.iter().filter_map(|slicing| slicing.default).max();
        let missing = lengths.is_empty() && default.is_none() && !size.slicing.is_empty();
        if size.exactly_one && (lengths.len() > 1 || missing) {
            let names: Vec<String> =
                size.slicing.iter().map(|slicing| format!("`{}`", slicing.name)).collect();
            return Err(Refused::SlicingArgument {
                field: field.node.name.node.to_string(),
                arguments: names.join(", "),
                given: lengths.len(),
                at: field.pos,
            });
        }
        Ok(lengths.into_iter().max().or(default).or(size.assumed).unwrap_or(self.limits.list_size))
    }

    /// The length that an argument gives; `None` if it gives none.
    fn length(&self, value: &Value) -> Option<u64> {
        match value {
            Value::Variable(name) => length(self.known.value(name)?),
            Value::Number(number) => length(&async_graphql::Value::Number(number.clone())),
            _ => None,
        }
    }
}

fn place(field: &Field, argument: &Name) -> String {
    format!("{}({argument}:)", field.name.node)
}
