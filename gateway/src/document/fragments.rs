//! The fragments of a document, in an order in which each comes after those that it spreads.

use std::collections::HashMap;

use async_graphql::parser::types::{ExecutableDocument, FragmentDefinition, Selection, SelectionSet};
use async_graphql::{Pos, Positioned};

use super::refused::Refused;

/// The fragments of a document by number.
pub(super) struct Fragments<'d> {
    numbers: HashMap<&'d str, usize>,
    definitions: Vec<(&'d str, &'d Positioned<FragmentDefinition>)>,
}

impl<'d> Fragments<'d> {
    pub(super) fn of(document: &'d ExecutableDocument) -> Self {
        let mut definitions: Vec<_> =
            document.fragments.iter().map(|(name, definition)| (name.as_str(), definition)).collect();
        definitions.sort_unstable_by_key(|(_, definition)| definition.pos);
        let numbers = definitions.iter().enumerate().map(|(number, (name, _))| (*name, number)).collect();
        Self { numbers, definitions }
    }

    /// The number of a fragment, if the document has it.
    pub(super) fn number(&self, name: &str) -> Option<usize> {
        self.numbers.get(name).copied()
    }

    /// How many there are; their numbers are below.
    pub(super) fn len(&self) -> usize {
        self.definitions.len()
    }

    pub(super) fn definition(&self, number: usize) -> &'d FragmentDefinition {
        &self.definitions[number].1.node
    }

    /// The numbers, in an order in which each fragment comes after those that it spreads. No call of itself: a chain
    /// of fragments may be as long as the text.
    ///
    /// # Errors
    /// When a fragment contains itself, whether an operation reaches it or not.
    pub(super) fn order(&self) -> Result<Vec<usize>, Refused> {
        let spreads: Vec<Vec<(usize, Pos)>> = self
            .definitions
            .iter()
            .map(|(_, definition)| self.spreads(&definition.node.selection_set.node))
            .collect();
        let mut order = Vec::with_capacity(self.len());
        let mut states = vec![State::Unseen; self.len()];
        for root in 0..self.len() {
            if states[root] != State::Unseen {
                continue;
            }
            states[root] = State::Open;
            let mut path = vec![(root, 0)];
            while let Some((number, next)) = path.last_mut() {
                let number = *number;
                let Some(&(spread, at)) = spreads[number].get(*next) else {
                    states[number] = State::Done;
                    order.push(number);
                    path.pop();
                    continue;
                };
                *next += 1;
                match states[spread] {
                    State::Unseen => {
                        states[spread] = State::Open;
                        path.push((spread, 0));
                    }
                    State::Open => {
                        return Err(Refused::FragmentCycle {
                            fragment: self.definitions[spread].0.to_owned(),
                            at,
                        });
                    }
                    State::Done => {}
                }
            }
        }
        Ok(order)
    }

    /// The fragments that a selection set spreads, and where.
    fn spreads(&self, set: &SelectionSet) -> Vec<(usize, Pos)> {
        let mut found = Vec::new();
        let mut sets = vec![set];
        while let Some(set) = sets.pop() {
            for item in &set.items {
                match &item.node {
                    Selection::Field(field) => sets.push(&field.node.selection_set.node),
                    Selection::InlineFragment(inline) => sets.push(&inline.node.selection_set.node),
                    Selection::FragmentSpread(spread) => found.extend(
                        self.number(&spread.node.fragment_name.node).map(|number| (number, spread.pos)),
                    ),
                }
            }
        }
        found
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Unseen,
    Open,
    Done,
}

#[cfg(test)]
mod tests {
    use super::*;
    use async_graphql::parser::parse_query;

    fn order(text: &str) -> Result<Vec<String>, Refused> {
        let document = parse_query(text).expect(text);
        let fragments = Fragments::of(&document);
        let order = fragments.order()?;
        Ok(order.into_iter().map(|number| fragments.definitions[number].0.to_owned()).collect())
    }

    #[test]
    fn a_fragment_comes_after_those_that_it_spreads() {
        let text = "{ ...A } fragment A on T { x { ... { ...C ...B } } } fragment B on T { ...C } fragment C on T { x }";
        assert_eq!(order(text).expect("no cycle"), ["C", "B", "A"]);
    }

    #[test]
    fn a_circle_is_refused_also_where_no_operation_reaches_it() {
        for circle in [
            "{ x } fragment A on T { ...A }",
            "{ x } fragment A on T { y { ...B } } fragment B on T { ... on T { ...C } } fragment C on T { ...A }",
            "{ ...A } fragment A on T { ...B ...B } fragment B on T { ...A }",
        ] {
            assert_eq!(order(circle).expect_err(circle).code(), "FRAGMENT_CYCLE");
        }
    }

    #[test]
    fn a_long_chain_of_fragments_needs_no_deep_stack() {
        let links: Vec<String> =
            (0..20_000).map(|link| format!("fragment F{link} on T {{ ...F{} }}", link + 1)).collect();
        let text = format!("{{ ...F0 }} {} fragment F20000 on T {{ x }}", links.join(" "));
        assert_eq!(order(&text).expect("no cycle").len(), 20_001);
    }
}
