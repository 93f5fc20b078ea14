//! The root of a subscription: exactly one field (GraphQL, section 5.2.3.1), which may stand in a fragment.
//!
//! async-graphql 8.0.0-rc.5 starts a stream for each field that stands directly in the selection set, and none
//! for those in fragments, so that such a subscription would stay silent. The one field is taken out of its
//! fragments here.

use std::collections::{HashMap, HashSet};

use async_graphql::parser::types::{
    DocumentOperations, ExecutableDocument, Field, FragmentDefinition, OperationDefinition, OperationType,
    Selection, SelectionSet,
};
use async_graphql::{Name, Pos, Positioned};

use super::refused::Refused;

type Definitions = HashMap<Name, Positioned<FragmentDefinition>>;

/// Takes the fields at the roots of subscriptions out of their fragments, and tells the types that those were on:
/// whether they fit the root is for whoever knows the schema.
///
/// The fragments must be free of cycles, and few fields be in them when opened.
///
/// # Errors
/// When a subscription has another number of root fields than one, or a condition before it.
pub(super) fn flatten(document: &mut ExecutableDocument) -> Result<Vec<(Name, Pos)>, Refused> {
    let ExecutableDocument { operations, fragments } = document;
    let mut opening = Opening { fragments, opened: HashSet::new(), conditions: Vec::new() };
    match operations {
        DocumentOperations::Single(operation) => opening.root(operation)?,
        DocumentOperations::Multiple(operations) => {
            operations.values_mut().try_for_each(|operation| opening.root(operation))?;
        }
    }
    let Opening { opened, conditions, .. } = opening;
    if !opened.is_empty() {
        // A fragment that was spread only there is used no more, which validation would refuse.
        let used = used(document);
        document.fragments.retain(|name, _| !opened.contains(name) || used.contains(name));
    }
    Ok(conditions)
}

struct Opening<'d> {
    fragments: &'d Definitions,
    opened: HashSet<Name>,
    conditions: Vec<(Name, Pos)>,
}

/// What stands at a root.
#[derive(Default)]
struct Level<'d> {
    fields: Vec<&'d Positioned<Field>>,
    conditional: bool,
    /// Whether it spreads a fragment that is not there. Then all stays as it is, for validation to say so.
    incomplete: bool,
}

impl Opening<'_> {
    fn root(&mut self, operation: &mut Positioned<OperationDefinition>) -> Result<(), Refused> {
        if operation.node.ty != OperationType::Subscription {
            return Ok(());
        }
        let at = operation.pos;
        let refused = |found: String| Err(Refused::SubscriptionRoot { found, at });
        let set = &mut operation.node.selection_set.node;
        let mut level = Level::default();
        self.collect(set, &mut level);
        if level.incomplete {
            return Ok(());
        }
        let [field] = level.fields.as_slice() else {
            return refused(format!("it has {}", level.fields.len()));
        };
        if level.conditional {
            return refused("it has a condition before it".to_owned());
        }
        if field.node.name.node.starts_with("__") {
            return refused("it asks for the schema".to_owned());
        }
        let field = (*field).clone();
        set.items = vec![Positioned::new(Selection::Field(field.clone()), field.pos)];
        Ok(())
    }

    fn collect<'d>(&mut self, set: &'d SelectionSet, level: &mut Level<'d>)
    where
        Self: 'd,
    {
        for item in &set.items {
            level.conditional |= item
                .node
                .directives()
                .iter()
                .any(|directive| matches!(directive.node.name.node.as_str(), "skip" | "include"));
            match &item.node {
                Selection::Field(field) => level.fields.push(field),
                Selection::InlineFragment(inline) => {
                    if let Some(condition) = &inline.node.type_condition {
                        self.conditions.push((condition.node.on.node.clone(), condition.pos));
                    }
                    self.collect(&inline.node.selection_set.node, level);
                }
                Selection::FragmentSpread(spread) => {
                    let name = &spread.node.fragment_name.node;
                    let Some(fragment) = self.fragments.get(name) else {
                        level.incomplete = true;
                        continue;
                    };
                    self.opened.insert(name.clone());
                    self.conditions.push((fragment.node.type_condition.node.on.node.clone(), spread.pos));
                    self.collect(&fragment.node.selection_set.node, level);
                }
            }
        }
    }
}

/// The fragments that operations reach.
fn used(document: &ExecutableDocument) -> HashSet<Name> {
    let mut used = HashSet::new();
    let mut sets: Vec<&SelectionSet> =
        document.operations.iter().map(|(_, operation)| &operation.node.selection_set.node).collect();
    while let Some(set) = sets.pop() {
        for item in &set.items {
            match &item.node {
                Selection::Field(field) => sets.push(&field.node.selection_set.node),
                Selection::InlineFragment(inline) => sets.push(&inline.node.selection_set.node),
                Selection::FragmentSpread(spread) => {
                    let name = &spread.node.fragment_name.node;
                    if let Some(fragment) = document.fragments.get(name)
                        && used.insert(name.clone())
                    {
                        sets.push(&fragment.node.selection_set.node);
                    }
                }
            }
        }
    }
    used
}
