//! What is promised about costs: what a document costs before it runs, and what its answer was worth.

use async_graphql::Value;
use serde_json::json;

use super::testing::{admit, cost, model, refusal, variables, wide};
use super::{Class, CostModel, Limits, ModelError, actual_cost, check};

#[test]
fn what_a_selection_costs() {
    for (expected, text) in [
        (0, "{ hello }"),
        (0, "{ __typename }"),
        (3, "{ report }"),
        (5, "{ report again: report }"),
        (1, "{ customer(id: 1) { name } }"),
        (50, "{ heavy { value } }"),
        (51, "{ party { ... on Supplier { rating { value } } } }"),
        // A list: its items, and what is in them.
        (1, "{ tags { name } }"),
        (2, "{ plain { amount { amount } } }"),
        (6, "{ lines(first: 3) { amount { amount } } }"),
        // The default of the schema is there before the assumed size.
        (20, "{ lines { text } }"),
        (7, "{ lines(first: 3, top: 7) { text } }"),
        // Nothing tells how long it is: as long as a list may be.
        (wide().list_size, "{ some { text } }"),
        // A connection: itself, and its edges and nodes as often as asked for.
        (21, "{ invoices(first: 10) { edges { cursor node { id } } } }"),
        (16, "{ invoices(last: 10) { nodes { id } totalCount } }"),
        (1, "{ invoices(first: 0) { edges { node { id } } } }"),
        (6, "{ customer(id: 1) { invoices { id } } }"),
        (3, "{ customer(id: 1) { invoices(first: 2) { id } } }"),
        // Of a union or interface the dearest object counts, not all of them.
        (51, "{ party { ... on Customer { parent { name } } ... on Supplier { rating { value } } } }"),
        (
            12,
            "{ node(id: 1) { ... on Invoice { lines { text } customer { name } } ... on Customer { parent { name } } } }",
        ),
        (4, "{ node(id: 1) { ... on Invoice { related { text } } } }"),
        (17, "{ node(id: 1) { related { text } } }"),
        // Fragments that can never apply.
        (1, "{ node(id: 1) { ... on Supplier { rating { value } } } }"),
        (10, "mutation { issue { id } }"),
        (1, "mutation { cheap }"),
        (1, "subscription { tick(every: 1) { id } }"),
    ] {
        assert_eq!(cost(text), expected, "{text}");
    }
}

#[test]
fn a_fragment_of_a_connection_costs_what_the_place_asks_for_where_it_is_spread() {
    let text = "{ few: invoices(first: 2) { ...Page } many: invoices(first: 30) { ...Page } } \
                fragment Page on InvoiceConnection { ... { edges { node { lines { text } } } } totalCount }";
    // Each connection 1, each count 5, each edge 1, its node 1, ten lines.
    assert_eq!(cost(text), 2 * (1 + 5) + (2 + 30) * (1 + 1 + 10));
}

#[test]
fn a_price_is_found_without_opening_what_is_spread_again_and_again() {
    let bomb = |on: &str, field: &str| {
        let links: Vec<String> =
            (0..28).map(|link| format!("fragment F{link} on {on} {{ ...F{0} ...F{0} }}", link + 1)).collect();
        format!("{} fragment F28 on {on} {{ {field} }}", links.join(" "))
    };
    let spreads = 1 << 28;
    assert_eq!(cost(&format!("{{ ...F0 }} {}", bomb("Query", "customer(id: 1) { id }"))), spreads);
    let page = format!(
        "{{ invoices(first: 2) {{ ...F0 }} }} {}",
        bomb("InvoiceConnection", "nodes { id } totalCount")
    );
    assert_eq!(cost(&page), 1 + (2 + 5) * spreads);
}

#[test]
fn sizes_are_taken_from_variables_and_their_defaults() {
    let text = "query($n: Int = 4) { lines(first: $n) { text } }";
    let cost = |json| admit(text, json, &wide()).expect("it is admitted").cost;
    assert_eq!(cost(json!({})), 4);
    assert_eq!(cost(json!({"n": 9})), 9);
    // Null is no size: the schema's default stands.
    assert_eq!(cost(json!({"n": null})), 20);
    assert_eq!(cost(json!({"n": -5})), 0);
    let refused = admit(text, json!({"n": 101}), &Limits::default()).expect_err("more than a page");
    assert_eq!((refused.code(), refused.class()), ("LIST_SIZE_EXCEEDED", Class::TooCostly));
    for absurd in [json!(1e300), json!(u64::MAX), json!(9_000_000_000_000_000_000_000_f64)] {
        let refused = admit(text, json!({"n": absurd}), &wide()).expect_err("no list is as long");
        assert_eq!(refused.code(), "LIST_SIZE_EXCEEDED");
    }
}

#[test]
fn a_list_that_needs_a_size_is_refused_without_one_and_with_two() {
    for text in [
        "{ invoices { totalCount } }",
        "{ invoices(first: null) { totalCount } }",
        "{ invoices(first: 1, last: 1) { totalCount } }",
        "query($n: Int) { invoices(first: $n) { totalCount } }",
    ] {
        assert_eq!(refusal(text, &wide()), "SLICING_ARGUMENT_REQUIRED", "{text}");
    }
    assert_eq!(cost("query($n: Int) { invoices(first: 1, last: $n) { totalCount } }"), 6);
}

#[test]
fn what_is_left_out_for_certain_costs_nothing_and_all_else_does() {
    let heavy = |condition: &str| {
        format!(
            "query($yes: Boolean = true, $no: Boolean, $unknown: Boolean) {{ heavy {condition} {{ value }} }}"
        )
    };
    for (condition, expected) in [
        ("@skip(if: true)", 0),
        ("@skip(if: false)", 50),
        ("@include(if: false)", 0),
        ("@include(if: true)", 50),
        ("@skip(if: $yes)", 0),
        ("@include(if: $yes)", 50),
        ("@include(if: $no)", 0),
        ("@skip(if: $no)", 50),
        ("@skip(if: $unknown)", 50),
        ("@include(if: $unknown)", 50),
        ("@include(if: true) @skip(if: true)", 0),
    ] {
        let admitted = admit(&heavy(condition), json!({"no": false}), &wide()).expect(condition);
        assert_eq!(admitted.cost, expected, "{condition}");
    }
    assert_eq!(
        cost(
            "{ ...F @skip(if: true) ... @include(if: false) { heavy { value } } } fragment F on Query { heavy { value } }"
        ),
        0
    );
}

#[test]
fn arguments_count_for_each_item_that_they_are_made_for() {
    let values = |text: &str| admit(text, json!({}), &wide()).expect(text).values;
    assert_eq!(values("{ lines(top: 10) { amount { amount } } }"), 1 + 1 + 10 * (1 + 2 + 1));
    assert_eq!(values("{ lines(top: 10) { text(x: [1, 2, 3]) } }"), 1 + 1 + 10 * (1 + 1 + 4));
}

#[test]
fn the_usual_introspection_query_passes_and_one_in_circles_does_not() {
    let usual = include_str!("../../benches/hostile/introspection.graphql");
    let admitted = admit(usual, json!({}), &Limits::default()).expect("tools send it");
    assert!((1..100).contains(&admitted.cost), "{}", admitted.cost);
    let circle =
        format!("{{ __schema {{ types {{ {} name {} }} }} }}", "fields { type { ".repeat(6), "} }".repeat(6));
    let refused = admit(&circle, json!({}), &Limits::default()).expect_err("it grows with each turn");
    assert_eq!(refused.class(), Class::TooCostly);
    let wrapped = |levels: usize| {
        let (open, close) = ("ofType { ".repeat(levels), "} ".repeat(levels));
        let text = format!("{{ __schema {{ types {{ fields {{ type {{ {open} name {close} }} }} }} }} }}");
        admit(&text, json!({}), &wide()).expect("it is admitted").values
    };
    // Types are wrapped only so often: what is asked beyond that is null.
    assert!(wrapped(1) < wrapped(3));
    assert_eq!(wrapped(4), wrapped(10));
}

#[test]
fn an_answer_is_worth_what_came() {
    let worth = |text: &str, data: serde_json::Value| {
        let checked = check(text, None, &variables(json!({})), &model(), &wide()).expect(text);
        let data = Value::from_json(data).expect("it is a value");
        actual_cost(&model(), &checked.parsed, &checked.admitted, &data)
    };
    let page = "{ invoices(first: 10) { edges { node { ...Parts } } totalCount } } \
                fragment Parts on Invoice { lines { text } }";
    let node = |lines: usize| json!({"node": {"lines": vec![json!({"text": "t"}); lines]}});
    assert_eq!(
        worth(page, json!({"invoices": {"edges": [node(3), node(0)], "totalCount": 2}})),
        1 + 5 + 2 * 2 + 3
    );
    assert_eq!(worth(page, json!({"invoices": {"edges": [], "totalCount": 0}})), 1 + 5);
    assert_eq!(worth(page, serde_json::Value::Null), 0);
    // What has a weight of its own was worked for, also when nothing was found.
    assert_eq!(worth("mutation { issue { id } }", json!({"issue": null})), 10);
    assert_eq!(worth("{ heavy { value } }", json!({"heavy": null})), 0);
    // Fields of one key are one field.
    assert_eq!(
        worth(
            "{ customer(id: 1) { name } ... { customer(id: 1) { parent { name } } } }",
            json!({"customer": {"name": "n", "parent": {"name": "p"}}})
        ),
        2
    );
    // More than foreseen is not charged: an answer that is longer than it may be is the server's mistake.
    assert_eq!(worth("{ tags { name } }", json!({"tags": vec![json!({"name": "t"}); 400]})), 1);
}

#[test]
fn a_schema_with_a_directive_that_cannot_be_used_gives_no_model() {
    let field = |field: &str| CostModel::from_sdl(&format!("type Query {{ {field} }}")).map(drop);
    for wrong in ["\"-1\"", "\"1.2345\"", "\"x\"", "\"\"", "\"1.\"", "1", "\"99999999999999999999\""] {
        let found = field(&format!("a: Int @cost(weight: {wrong})"));
        assert!(matches!(found, Err(ModelError::Weight { .. })), "{wrong}: {found:?}");
    }
    for wrong in [
        "a: [Int] @listSize",
        "a: Int @listSize(assumedSize: 3)",
        "a: [Int] @listSize(assumedSize: -3)",
        "a: [Int] @listSize(slicingArguments: [\"first\"])",
        "a(first: Int): [Int] @listSize(slicingArguments: \"first\")",
        "a: [Int] @listSize(assumedSize: 3, other: 4)",
    ] {
        assert!(matches!(field(wrong), Err(ModelError::ListSize { .. })), "{wrong}");
    }
    assert!(matches!(field("a(b: Int @cost(weight: \"1\")): Int"), Err(ModelError::Misplaced { .. })));
    assert!(matches!(field("a: Unknown"), Err(ModelError::UnknownType { .. })));
    assert!(matches!(CostModel::from_sdl("type {"), Err(ModelError::Unreadable(_))));
    assert_eq!(
        field("a: [Int!] @listSize(assumedSize: 3, slicingArguments: null) b: Int @cost(weight: \"0.125\")"),
        Ok(())
    );
}

#[test]
fn roots_may_have_other_names_and_types_be_extended() {
    let sdl = "schema { query: Root } type Root { a: Thing } \
               extend type Root { b: [Thing!]! @listSize(assumedSize: 3) } type Thing { x: Int }";
    let model = CostModel::from_sdl(sdl).expect("it is read");
    let cost = |text| check(text, None, &variables(json!({})), &model, &wide()).expect(text).admitted.cost;
    assert_eq!(cost("{ a { x } b { x } }"), 4);
}
