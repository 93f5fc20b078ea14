//! How large a document is once its fragments are opened, without opening them: each selection is read a fixed
//! number of times, each fragment's size is computed once and added wherever it is spread.

use std::collections::HashMap;

use async_graphql::parser::types::{
    Directive, ExecutableDocument, Field, OperationDefinition, Selection, SelectionSet,
};
use async_graphql::{Name, Positioned};

use super::fragments::Fragments;
use super::input::{Size, constant, literal};
use super::limits::{Limit, Limits};
use super::refused::Refused;

/// Names or values that are compared in the time that one step takes.
const READ: u64 = 16;
/// Steps that the message about one conflict is worth: it is written, and the client gets it.
const MESSAGE: u64 = 4;
/// Bytes of such a message that are worth one step more.
const MESSAGE_UNIT: u64 = 32;

/// What a document amounts to.
#[derive(Clone, Debug, Default)]
pub(super) struct Shape {
    /// Fields of all operations.
    pub(super) fields: u64,
    /// How deep the deepest operation is.
    pub(super) depth: u64,
    /// Steps of the validation rules that grow faster than the text.
    pub(super) comparisons: u64,
    /// How often each variable stands in the text.
    pub(super) uses: Vec<(Name, u64)>,
    /// Selections that were read to find this out.
    #[cfg(test)]
    pub(super) steps: u64,
    #[cfg(test)]
    pub(super) aliases: u64,
    #[cfg(test)]
    pub(super) directives: u64,
}

/// What a selection set, or a fragment, amounts to with all fragments in it opened.
#[derive(Clone, Copy, Default)]
struct Extent {
    fields: u64,
    aliases: u64,
    directives: u64,
    depth: u64,
    recursion: u64,
    /// Values in arguments, variables counted as one.
    inputs: u64,
    /// Fields of the set itself, not of those below.
    level: u64,
    /// The same, each by what comparing it to another of its response key takes.
    meeting: u64,
    /// Uses of variables.
    uses: u64,
    /// Spreads.
    spreads: u64,
}

impl Extent {
    /// Adds what stands beside it on the same level.
    fn beside(&mut self, other: Self) {
        self.beneath(other);
        self.level = self.level.saturating_add(other.level);
        self.meeting = self.meeting.saturating_add(other.meeting);
    }

    /// Adds what stands on a level of its own.
    fn beneath(&mut self, other: Self) {
        self.fields = self.fields.saturating_add(other.fields);
        self.aliases = self.aliases.saturating_add(other.aliases);
        self.directives = self.directives.saturating_add(other.directives);
        self.inputs = self.inputs.saturating_add(other.inputs);
        self.uses = self.uses.saturating_add(other.uses);
        self.spreads = self.spreads.saturating_add(other.spreads);
        self.depth = self.depth.max(other.depth);
        self.recursion = self.recursion.max(other.recursion);
    }
}

/// Fields of one response key, wherever they stand.
struct Alike<'d> {
    first: &'d Field,
    times: u64,
    arguments: u64,
    values: u64,
    name: u64,
    renamed: bool,
    differing: bool,
}

impl<'d> Alike<'d> {
    fn new(first: &'d Field) -> Self {
        Self { first, times: 0, arguments: 0, values: 0, name: 0, renamed: false, differing: false }
    }

    fn add(&mut self, field: &'d Field, values: u64) {
        self.times += 1;
        self.arguments = self.arguments.max(field.arguments.len() as u64);
        self.values = self.values.max(values);
        self.name = self.name.max(field.name.node.len() as u64);
        self.renamed |= field.name.node != self.first.name.node;
        self.differing |= field.arguments != self.first.arguments;
    }

    /// What comparing two of them may take: reading the arguments of one for each of the other, and a message for
    /// each thing in which they differ.
    fn weight(&self) -> u64 {
        if self.times < 2 {
            return 1;
        }
        let read = self.arguments.saturating_mul(self.arguments).saturating_add(self.values) / READ;
        let key = self.first.response_key().node.len() as u64;
        let named = if self.renamed { message(key + 2 * self.name) } else { 0 };
        let argued = if self.differing { self.arguments.max(1).saturating_mul(message(key)) } else { 0 };
        1_u64.saturating_add(read).saturating_add(named).saturating_add(argued)
    }
}

fn message(bytes: u64) -> u64 {
    MESSAGE + bytes / MESSAGE_UNIT
}

/// Measures a document, and holds it against the limits that need no variables.
///
/// # Errors
/// The first limit that is exceeded, or a fragment that contains itself.
pub(super) fn measure(document: &ExecutableDocument, limits: &Limits) -> Result<Shape, Refused> {
    let fragments = Fragments::of(document);
    let order = fragments.order()?;
    let mut survey = Survey { limits, alike: HashMap::new(), uses: HashMap::new(), spreads: 0 };
    for (_, operation) in document.operations.iter() {
        survey.operation(&operation.node)?;
    }
    for number in 0..fragments.len() {
        let fragment = fragments.definition(number);
        survey.directives(&fragment.directives)?;
        survey.set(&fragment.selection_set.node)?;
    }
    let (all_uses, all_spreads) = (survey.uses.values().sum::<u64>(), survey.spreads);

    let mut walk = Walk {
        fragments: &fragments,
        alike: &survey.alike,
        opened: vec![Extent::default(); fragments.len()],
        overlaps: 0,
        steps: 0,
    };
    for number in order {
        let extent = walk.set(&fragments.definition(number).selection_set.node);
        Refused::over(Limit::Recursion, extent.recursion, limits.recursion)?;
        walk.opened[number] = extent;
    }
    let (mut total, mut lookups) = (Extent::default(), 0_u64);
    for (_, operation) in document.operations.iter() {
        let definitions = operation.node.variable_definitions.len() as u64;
        let extent = walk.operation(&operation.node);
        Refused::over(Limit::Recursion, extent.recursion, limits.recursion)?;
        Refused::over(Limit::RootFields, extent.level, limits.root_fields)?;
        Refused::over(Limit::Aliases, extent.aliases, limits.aliases)?;
        let uses = extent.uses.min(all_uses).saturating_mul(MESSAGE + definitions / READ);
        lookups = lookups.saturating_add(uses).saturating_add(extent.spreads.min(all_spreads));
        total.beneath(extent);
    }
    let comparisons = walk.overlaps.saturating_add(lookups);
    Refused::over(Limit::Fields, total.fields, limits.fields)?;
    Refused::over(Limit::Depth, total.depth, limits.depth)?;
    Refused::over(Limit::Directives, total.directives, limits.directives)?;
    Refused::over(Limit::InputValues, total.inputs, limits.input_values)?;
    Refused::over(Limit::Comparisons, comparisons, limits.comparisons)?;
    Ok(Shape {
        fields: total.fields,
        depth: total.depth,
        comparisons,
        #[cfg(test)]
        steps: walk.steps,
        #[cfg(test)]
        aliases: total.aliases,
        #[cfg(test)]
        directives: total.directives,
        uses: survey.uses.into_iter().map(|(name, times)| (name.clone(), times)).collect(),
    })
}

/// What must be known of the text as a whole before its parts can be weighed.
struct Survey<'d> {
    limits: &'d Limits,
    alike: HashMap<&'d str, Alike<'d>>,
    uses: HashMap<&'d Name, u64>,
    spreads: u64,
}

impl<'d> Survey<'d> {
    fn operation(&mut self, operation: &'d OperationDefinition) -> Result<(), Refused> {
        self.directives(&operation.directives)?;
        for definition in &operation.variable_definitions {
            self.directives(&definition.node.directives)?;
            if let Some(default) = &definition.node.default_value {
                let size = constant(&default.node, self.limits.input_depth + 1);
                size.within(self.limits, || format!("${}", definition.node.name.node))?;
            }
        }
        self.set(&operation.selection_set.node)
    }

    fn set(&mut self, set: &'d SelectionSet) -> Result<(), Refused> {
        let mut sets = vec![set];
        while let Some(set) = sets.pop() {
            for item in &set.items {
                self.directives(item.node.directives())?;
                match &item.node {
                    Selection::Field(field) => {
                        self.field(&field.node)?;
                        sets.push(&field.node.selection_set.node);
                    }
                    Selection::InlineFragment(inline) => sets.push(&inline.node.selection_set.node),
                    Selection::FragmentSpread(_) => self.spreads += 1,
                }
            }
        }
        Ok(())
    }

    fn field(&mut self, field: &'d Field) -> Result<(), Refused> {
        let mut values = 0;
        for (name, value) in &field.arguments {
            let size = self.literal(&value.node);
            size.within(self.limits, || format!("{}({}:)", field.name.node, name.node))?;
            values += size.values;
        }
        let key = field.response_key().node.as_str();
        self.alike.entry(key).or_insert_with(|| Alike::new(field)).add(field, values);
        Ok(())
    }

    fn directives(&mut self, directives: &'d [Positioned<Directive>]) -> Result<(), Refused> {
        let found = directives.len() as u64;
        if let Some(first) = directives.first() {
            let (limit, most, at) =
                (Limit::DirectivesAtOnce, self.limits.directives_at_once, Some(first.pos));
            if found > most {
                return Err(Refused::Exceeded { limit, found, most, place: None, at });
            }
        }
        for directive in directives {
            for (name, value) in &directive.node.arguments {
                let size = self.literal(&value.node);
                size.within(self.limits, || format!("@{}({}:)", directive.node.name.node, name.node))?;
            }
        }
        Ok(())
    }

    fn literal(&mut self, value: &'d async_graphql_value::Value) -> Size {
        literal(value, &mut |name| {
            *self.uses.entry(name).or_default() += 1;
            Size { values: 1, depth: 0, list: 0 }
        })
    }
}

/// Adds up extents.
struct Walk<'d> {
    fragments: &'d Fragments<'d>,
    alike: &'d HashMap<&'d str, Alike<'d>>,
    opened: Vec<Extent>,
    overlaps: u64,
    steps: u64,
}

impl Walk<'_> {
    fn operation(&mut self, operation: &OperationDefinition) -> Extent {
        let mut extent = self.set(&operation.selection_set.node);
        directives(&operation.directives, &mut extent);
        for definition in &operation.variable_definitions {
            directives(&definition.node.directives, &mut extent);
        }
        extent
    }

    fn set(&mut self, set: &SelectionSet) -> Extent {
        let mut extent = Extent::default();
        for item in &set.items {
            self.steps += 1;
            directives(item.node.directives(), &mut extent);
            match &item.node {
                Selection::Field(field) => self.field(&field.node, &mut extent),
                Selection::InlineFragment(inline) => {
                    let mut inner = self.set(&inline.node.selection_set.node);
                    inner.recursion += 1;
                    extent.beside(inner);
                }
                Selection::FragmentSpread(spread) => {
                    extent.spreads = extent.spreads.saturating_add(1);
                    if let Some(number) = self.fragments.number(&spread.node.fragment_name.node) {
                        let mut inner = self.opened[number];
                        inner.recursion += 1;
                        extent.beside(inner);
                    }
                }
            }
        }
        // The rule about overlapping fields looks at each selection set of the text, with its fragments opened.
        self.overlaps = self.overlaps.saturating_add(extent.meeting);
        extent
    }

    fn field(&mut self, field: &Field, extent: &mut Extent) {
        let alike = self.alike.get(field.response_key().node.as_str());
        let mut own = Extent {
            fields: 1,
            aliases: u64::from(field.alias.is_some()),
            level: 1,
            meeting: alike.map_or(1, Alike::weight),
            ..Extent::default()
        };
        for (_, value) in &field.arguments {
            inputs(&value.node, &mut own);
        }
        if !field.selection_set.node.items.is_empty() {
            let mut below = self.set(&field.selection_set.node);
            below.recursion += 1;
            own.beneath(below);
        }
        own.depth += 1;
        extent.beside(own);
    }
}

fn directives(directives: &[Positioned<Directive>], extent: &mut Extent) {
    extent.directives = extent.directives.saturating_add(directives.len() as u64);
    for directive in directives {
        for (_, value) in &directive.node.arguments {
            inputs(&value.node, extent);
        }
    }
}

fn inputs(value: &async_graphql_value::Value, extent: &mut Extent) {
    let mut uses = 0;
    let size = literal(value, &mut |_| {
        uses += 1;
        Size { values: 1, depth: 0, list: 0 }
    });
    extent.inputs = extent.inputs.saturating_add(size.values);
    extent.uses = extent.uses.saturating_add(uses);
}
