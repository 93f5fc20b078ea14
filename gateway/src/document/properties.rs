//! Properties that hold for any document: what is computed once per fragment equals what opening every fragment
//! by hand gives, no selection is read twice, and no honest answer is worth more than was foreseen.

use std::fmt::Write;

use async_graphql::parser::parse_query;
use async_graphql::parser::types::{ExecutableDocument, Selection, SelectionSet};
use async_graphql::{Name, Value, Variables};
use proptest::collection::vec;
use proptest::prelude::{any, prop_assert, prop_assert_eq, prop_assume, proptest};

use super::actual::worth;
use super::cost::price;
use super::input::Known;
use super::model::UNIT;
use super::shape::measure;
use super::testing::{model, wide};
use super::{Limits, parse};

/// Draws numbers from a tape, and zeros when that has run out.
struct Tape<'t>(std::slice::Iter<'t, u8>);

impl Tape<'_> {
    fn below(&mut self, most: usize) -> usize {
        usize::from(self.0.next().copied().unwrap_or(0)) % most
    }
}

/// A document of fragments that spread each other as the tape says, in circles too.
fn web(tape: &mut Tape<'_>) -> String {
    fn set(tape: &mut Tape<'_>, fragments: usize, depth: usize, out: &mut String) {
        out.push_str("{ x ");
        for _ in 0..tape.below(4) {
            match tape.below(if depth < 3 { 6 } else { 3 }) {
                0 => out.push_str("y "),
                1 => out.push_str("z: y @skip(if: false) "),
                2 => write!(out, "...F{} ", tape.below(fragments)).expect("a string takes all"),
                3 => {
                    out.push_str("w ");
                    set(tape, fragments, depth + 1, out);
                }
                _ => {
                    out.push_str("... ");
                    set(tape, fragments, depth + 1, out);
                }
            }
        }
        out.push_str("} ");
    }
    let fragments = 1 + tape.below(6);
    let mut text = String::new();
    set(tape, fragments, 0, &mut text);
    for number in 0..fragments {
        write!(text, "fragment F{number} on T ").expect("a string takes all");
        set(tape, fragments, 0, &mut text);
    }
    text
}

/// Fields, aliases, directives and depth of a selection set by opening every fragment. `None` if that never ends.
fn open(document: &ExecutableDocument, set: &SelectionSet, path: &mut Vec<Name>) -> Option<[u64; 4]> {
    let mut all = [0; 4];
    for item in &set.items {
        all[2] += item.node.directives().len() as u64;
        let below = match &item.node {
            Selection::Field(field) => {
                all[0] += 1;
                all[1] += u64::from(field.node.alias.is_some());
                let below = open(document, &field.node.selection_set.node, path)?;
                [below[0], below[1], below[2], below[3] + 1]
            }
            Selection::InlineFragment(inline) => open(document, &inline.node.selection_set.node, path)?,
            Selection::FragmentSpread(spread) => {
                let name = &spread.node.fragment_name.node;
                if path.contains(name) {
                    return None;
                }
                path.push(name.clone());
                let below = open(document, &document.fragments[name].node.selection_set.node, path)?;
                path.pop();
                below
            }
        };
        (0..3).for_each(|count| all[count] += below[count]);
        all[3] = all[3].max(below[3]);
    }
    Some(all)
}

/// Selections of the text, each once.
fn selections(document: &ExecutableDocument) -> u64 {
    fn count(set: &SelectionSet) -> u64 {
        let below = |item: &Selection| match item {
            Selection::Field(field) => count(&field.node.selection_set.node),
            Selection::InlineFragment(inline) => count(&inline.node.selection_set.node),
            Selection::FragmentSpread(_) => 0,
        };
        set.items.iter().map(|item| 1 + below(&item.node)).sum()
    }
    let operations =
        document.operations.iter().map(|(_, operation)| count(&operation.node.selection_set.node));
    let fragments = document.fragments.values().map(|fragment| count(&fragment.node.selection_set.node));
    operations.sum::<u64>() + fragments.sum::<u64>()
}

proptest! {
    #[test]
    fn the_size_computed_once_per_fragment_is_that_of_opening_all(tape in vec(any::<u8>(), 0..200)) {
        let text = web(&mut Tape(tape.iter()));
        let document = parse_query(&text).expect("it is a document");
        let limits = Limits { recursion: 10_000, depth: 10_000, directives: u64::MAX, ..wide() };
        let measured = measure(&document, &limits);
        let circle = document.fragments.iter().any(|(name, fragment)| {
            open(&document, &fragment.node.selection_set.node, &mut vec![name.clone()]).is_none()
        });
        prop_assert_eq!(circle, measured.is_err(), "{}", text);
        if let Ok(shape) = measured {
            let (_, operation) = document.operations.iter().next().expect("one operation");
            let opened = open(&document, &operation.node.selection_set.node, &mut Vec::new()).expect("no circle");
            prop_assert_eq!([shape.fields, shape.aliases, shape.directives, shape.depth], opened, "{}", text);
            prop_assert_eq!(shape.steps, selections(&document));
        } else {
            prop_assert_eq!(measured.expect_err("it is refused").code(), "FRAGMENT_CYCLE");
        }
    }
}

/// What the tests' schema offers below a type: a field's text, what it leads to, and how long it is.
fn offers(on: &str) -> &'static [(&'static str, &'static str, Length)] {
    use Length::{List, None, Page, Sized, Wrapped};
    match on {
        "Query" => &[
            ("hello", "", None),
            ("report", "", None),
            ("customer(id: 1)", "Customer", None),
            ("invoices(first: N)", "InvoiceConnection", Wrapped),
            ("lines(top: N)", "Line", Page),
            ("tags", "Tag", List(4)),
            ("plain", "Line", List(1)),
            ("node(id: 1)", "Node", None),
            ("party", "Party", None),
            ("heavy", "Heavy", None),
        ],
        "InvoiceConnection" => {
            &[("edges", "InvoiceEdge", Sized), ("nodes", "Invoice", Sized), ("totalCount", "", None)]
        }
        "InvoiceEdge" => &[("cursor", "", None), ("node", "Invoice", None)],
        "Invoice" => &[
            ("id", "", None),
            ("customer", "Customer", None),
            ("lines", "Line", List(10)),
            ("related", "Line", List(3)),
        ],
        "Customer" => &[
            ("id", "", None),
            ("name", "", None),
            ("parent", "Customer", None),
            ("invoices(first: N)", "Invoice", Page),
            ("related", "Line", List(8)),
        ],
        "Supplier" => &[("name", "", None), ("rating", "Heavy", None)],
        "Line" => &[("text", "", None), ("amount", "Money", None)],
        "Money" => &[("amount", "", None), ("currency", "", None)],
        "Tag" => &[("name", "", None)],
        "Heavy" => &[("value", "", None)],
        "Node" => &[("id", "", None), ("related", "Line", List(3))],
        _ => &[("__typename", "", None)],
    }
}

#[derive(Clone, Copy)]
enum Length {
    None,
    List(usize),
    /// As its argument says.
    Page,
    /// Not a list; its argument says how long those below are.
    Wrapped,
    /// As the field above says.
    Sized,
}

/// The objects that a type may be.
fn objects(on: &str) -> Vec<&str> {
    match on {
        "Node" => vec!["Invoice", "Customer"],
        "Party" => vec!["Customer", "Supplier"],
        object => vec![object],
    }
}

/// A selection that was written down, kept so that it can be answered.
enum Item {
    Field { key: String, leads: &'static str, length: Length, page: usize, below: Vec<Item> },
    Fragment { on: &'static str, items: Vec<Item> },
    Spread(usize),
}

/// Writes a selection set on a type.
fn selections_on(
    tape: &mut Tape<'_>,
    on: &'static str,
    depth: usize,
    spreads: &[&'static str],
    out: &mut String,
) -> Vec<Item> {
    let mut items = Vec::new();
    out.push_str("{ ");
    for _ in 0..=tape.below(3) {
        let fitting: Vec<usize> = (0..spreads.len())
            .filter(|spread| objects(spreads[*spread]).iter().any(|object| objects(on).contains(object)))
            .collect();
        match tape.below(6) {
            0 if !fitting.is_empty() => {
                let spread = fitting[tape.below(fitting.len())];
                write!(out, "...F{spread} ").expect("a string takes all");
                items.push(Item::Spread(spread));
            }
            1 if depth > 0 => {
                let mut types = objects(on);
                types.push(on);
                let to = types[tape.below(types.len())];
                let to = offers_name(to);
                write!(out, "... on {to} ").expect("a string takes all");
                let below = selections_on(tape, to, depth - 1, spreads, out);
                items.push(Item::Fragment { on: to, items: below });
            }
            _ => items.push(field(tape, on, depth, spreads, out)),
        }
    }
    out.push_str("} ");
    items
}

fn field(
    tape: &mut Tape<'_>,
    on: &'static str,
    depth: usize,
    spreads: &[&'static str],
    out: &mut String,
) -> Item {
    let leaves: Vec<_> = offers(on).iter().filter(|offer| depth > 0 || offer.1.is_empty()).collect();
    let (text, leads, length) =
        if leaves.is_empty() { ("__typename", "", Length::None) } else { *leaves[tape.below(leaves.len())] };
    let page = if text.contains('N') { tape.below(5) } else { 0 };
    let name = text.split('(').next().unwrap_or(text);
    // Fields of one key must be the same field with the same arguments.
    let key = format!("{name}_{page}_{on}");
    write!(out, "{key}: {} ", text.replace('N', &page.to_string())).expect("a string takes all");
    let below =
        if leads.is_empty() { Vec::new() } else { selections_on(tape, leads, depth - 1, spreads, out) };
    Item::Field { key, leads, length, page, below }
}

fn offers_name(name: &str) -> &'static str {
    const NAMES: [&str; 12] = [
        "Query",
        "InvoiceConnection",
        "InvoiceEdge",
        "Invoice",
        "Customer",
        "Supplier",
        "Line",
        "Money",
        "Tag",
        "Heavy",
        "Node",
        "Party",
    ];
    NAMES.into_iter().find(|known| *known == name).unwrap_or("Query")
}

/// A type, and what is selected on it.
type Fragment = (&'static str, Vec<Item>);
/// A key, what it leads to, how long, what its argument asks for, and what is selected below.
type Found<'i> = (&'i str, &'static str, Length, usize, Vec<&'i [Item]>);

/// Collects what applies to an object, fields of one key together (GraphQL, section 6.3.2).
fn collect<'i>(object: &str, items: &'i [Item], fragments: &'i [Fragment], found: &mut Vec<Found<'i>>) {
    for item in items {
        match item {
            Item::Field { key, leads, length, page, below } => {
                if let Some(known) = found.iter_mut().find(|known| known.0 == key) {
                    known.4.push(below);
                } else {
                    found.push((key, leads, *length, *page, vec![below]));
                }
            }
            Item::Fragment { on, items } if objects(on).contains(&object) => {
                collect(object, items, fragments, found);
            }
            Item::Spread(number) if objects(fragments[*number].0).contains(&object) => {
                collect(object, &fragments[*number].1, fragments, found);
            }
            _ => {}
        }
    }
}

/// An answer that honours the sizes asked for: lists of any length up to them, nulls here and there.
fn answer(tape: &mut Tape<'_>, on: &str, above: usize, sets: &[&[Item]], fragments: &[Fragment]) -> Value {
    let possible = objects(on);
    let object = possible[tape.below(possible.len())];
    let mut found = Vec::new();
    for set in sets {
        collect(object, set, fragments, &mut found);
    }
    let fields = found.into_iter().map(|(key, leads, length, page, below)| {
        let one = |tape: &mut Tape<'_>| match (leads, tape.below(8)) {
            (_, 0) => Value::Null,
            ("", _) => Value::from("leaf"),
            _ => answer(tape, leads, page, &below, fragments),
        };
        let most = match length {
            Length::None | Length::Wrapped => return (Name::new(key), one(tape)),
            Length::List(most) => most,
            Length::Page => page,
            Length::Sized => above,
        };
        let items = tape.below(most + 1);
        (Name::new(key), Value::List((0..items).map(|_| one(tape)).collect()))
    });
    Value::Object(fields.collect())
}

/// A document of the tests' schema, and a way to answer it. Fragments spread only later ones.
fn typed(tape: &mut Tape<'_>) -> (String, Vec<Item>, Vec<Fragment>) {
    const ON: [&str; 8] =
        ["Query", "InvoiceConnection", "Invoice", "Customer", "Node", "Party", "Line", "InvoiceEdge"];
    let types: Vec<&'static str> = (0..tape.below(5)).map(|_| ON[tape.below(ON.len())]).collect();
    let mut text = String::new();
    let root = selections_on(tape, "Query", 3, &types, &mut text);
    let mut fragments = Vec::new();
    for (number, on) in types.iter().enumerate() {
        write!(text, "fragment F{number} on {on} ").expect("a string takes all");
        // What may be spread here are the fragments after this one: the earlier are masked by a type nobody has.
        let later: Vec<&'static str> =
            (0..types.len()).map(|other| if other > number { types[other] } else { "-" }).collect();
        fragments.push((*on, selections_on(tape, on, 2, &later, &mut text)));
    }
    (text, root, fragments)
}

/// Replaces every spread with an inline fragment of the same content.
fn inlined(document: &ExecutableDocument, set: &mut SelectionSet) {
    use async_graphql::parser::types::InlineFragment;
    for item in &mut set.items {
        if let Selection::FragmentSpread(spread) = &item.node {
            let fragment = document.fragments[&spread.node.fragment_name.node].node.clone();
            let inline = InlineFragment {
                type_condition: Some(fragment.type_condition),
                directives: Vec::new(),
                selection_set: fragment.selection_set,
            };
            item.node = Selection::InlineFragment(spread.position_node(inline));
        }
        match &mut item.node {
            Selection::Field(field) => inlined(document, &mut field.node.selection_set.node),
            Selection::InlineFragment(inline) => inlined(document, &mut inline.node.selection_set.node),
            Selection::FragmentSpread(_) => {}
        }
    }
}

proptest! {
    #[test]
    fn the_cost_computed_once_per_fragment_is_that_of_opening_all(tape in vec(any::<u8>(), 0..300)) {
        let (text, ..) = typed(&mut Tape(tape.iter()));
        let (model, limits, variables) = (model(), wide(), Variables::default());
        let document = parse_query(&text).expect("it is a document");
        let (_, operation) = document.operations.iter().next().expect("one operation");
        let mut known = Known::new(&operation.node, &variables, &limits);
        let shared = price(&document, &operation.node, &model, &mut known, &limits).expect(&text);

        let mut opened = operation.node.clone();
        inlined(&document, &mut opened.selection_set.node);
        let mut known = Known::new(&opened, &variables, &limits);
        let alone = price(&document, &opened, &model, &mut known, &limits).expect(&text);
        prop_assert_eq!((shared.cost, shared.values), (alone.cost, alone.values), "{}", text);
        // A fragment is read once for each set of sized fields that it may stand under, or none.
        prop_assert!(shared.steps <= selections(&document) * (1 + model.sized.len() as u64), "{}", text);
    }

    #[test]
    fn no_honest_answer_is_worth_more_than_was_foreseen(
        tape in vec(any::<u8>(), 0..400),
        dice in vec(any::<u8>(), 0..400),
    ) {
        let (text, root, fragments) = typed(&mut Tape(tape.iter()));
        let (model, limits) = (model(), wide());
        let parsed = parse(&text, &limits).expect(&text);
        let admitted = parsed.admit(None, &Variables::default(), &model, &limits).expect(&text);
        prop_assume!(admitted.values < 100_000);
        let data = answer(&mut Tape(dice.iter()), "Query", 0, &[&root], &fragments);
        let worth = worth(&model, &parsed, &admitted, &data);
        let most = admitted.cost.saturating_mul(UNIT);
        prop_assert!(worth <= most, "{} > {} for {} in {}", worth, most, data, text);
    }
}
