//! What an answer was worth, by the same weights as the static cost.

use std::collections::BTreeMap;

use async_graphql::Value;
use async_graphql::parser::types::{Selection, SelectionSet};

use super::fragments::Fragments;
use super::model::{CostModel, TypeId, UNIT};
use super::parsed::{Admitted, Parsed};

/// What an answer was worth: lists at the length that they came in, nulls at nothing unless the field has a
/// weight of its own. Never more than the static cost of the operation, so that the difference can be given back.
///
/// The type of an object is not asked for: where several fragments give one key a different weight, the dearest
/// counts. Only what weighs something is descended into.
pub fn actual_cost(model: &CostModel, parsed: &Parsed, admitted: &Admitted, answer: &Value) -> u64 {
    worth(model, parsed, admitted, answer).div_ceil(UNIT).min(admitted.cost)
}

/// The same in thousandths, and whatever it comes to.
pub(super) fn worth(model: &CostModel, parsed: &Parsed, admitted: &Admitted, answer: &Value) -> u64 {
    let (Ok((_, operation)), Some(root)) =
        (parsed.operation(admitted.name.as_deref()), model.root(admitted.operation))
    else {
        return 0;
    };
    let fragments = Fragments::of(parsed.document());
    let plan = Planner { model, fragments: &fragments }.plan(&[(root, &operation.node.selection_set.node)]);
    object(&plan, answer)
}

/// What in an object weighs something.
type Plan<'d> = Vec<(&'d str, Part<'d>)>;

struct Part<'d> {
    weight: u64,
    /// Whether the weight is due also for null.
    own: bool,
    list: bool,
    below: Plan<'d>,
}

/// Fields of one key in one object.
#[derive(Default)]
struct Gathered<'d> {
    weight: u64,
    own: bool,
    list: bool,
    below: Vec<(TypeId, &'d SelectionSet)>,
}

struct Planner<'a, 'd> {
    model: &'a CostModel,
    fragments: &'a Fragments<'d>,
}

impl<'d> Planner<'_, 'd> {
    fn plan(&self, sets: &[(TypeId, &'d SelectionSet)]) -> Plan<'d> {
        let mut parts = BTreeMap::new();
        for (on, set) in sets {
            self.gather(*on, set, &mut parts);
        }
        let finish = |gathered: Gathered<'d>| Part {
            weight: gathered.weight,
            own: gathered.own,
            list: gathered.list,
            below: self.plan(&gathered.below),
        };
        parts.into_iter().map(|(key, gathered)| (key, finish(gathered))).collect()
    }

    fn gather(&self, on: TypeId, set: &'d SelectionSet, parts: &mut BTreeMap<&'d str, Gathered<'d>>) {
        for item in &set.items {
            match &item.node {
                Selection::Field(field) => {
                    let Some(declared) = self.model.field(on, &field.node.name.node) else { continue };
                    let composite = self.model.types[declared.returns].composite;
                    if !composite && declared.weight == 0 {
                        continue;
                    }
                    let part = parts.entry(field.node.response_key().node.as_str()).or_default();
                    part.weight = part.weight.max(declared.weight);
                    part.own |= declared.own;
                    part.list |= declared.list;
                    part.below.push((declared.returns, &field.node.selection_set.node));
                }
                Selection::InlineFragment(inline) => {
                    let condition =
                        inline.node.type_condition.as_ref().map(|condition| &condition.node.on.node);
                    if let Some(to) = condition.map_or(Some(on), |name| self.model.narrow(on, name)) {
                        self.gather(to, &inline.node.selection_set.node, parts);
                    }
                }
                Selection::FragmentSpread(spread) => {
                    if let Some(number) = self.fragments.number(&spread.node.fragment_name.node) {
                        let fragment = self.fragments.definition(number);
                        if let Some(to) = self.model.narrow(on, &fragment.type_condition.node.on.node) {
                            self.gather(to, &fragment.selection_set.node, parts);
                        }
                    }
                }
            }
        }
    }
}

fn object(plan: &Plan<'_>, value: &Value) -> u64 {
    let Value::Object(fields) = value else { return 0 };
    let parts = plan.iter().filter_map(|(key, part)| Some(part_of(part, fields.get(*key)?)));
    parts.fold(0, u64::saturating_add)
}

fn part_of(part: &Part<'_>, value: &Value) -> u64 {
    match value {
        Value::List(items) if part.list => {
            items.iter().map(|item| part_of(part, item)).fold(0, u64::saturating_add)
        }
        Value::Null if part.list || !part.own => 0,
        value => part.weight.saturating_add(object(&part.below, value)),
    }
}
