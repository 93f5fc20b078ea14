//! What is promised to whoever writes documents, one case each.

use serde_json::json;

use super::testing::{admit, model, refusal, variables, wide};
use super::{Class, Limits, Refused, check, parse};

#[test]
fn each_limit_takes_what_it_names_and_refuses_one_more_with_its_code() {
    let wide = wide();
    let cases = [
        ("{ hello }", "DOCUMENT_TOO_LONG", Limits { length: 9, ..wide.clone() }, "{ hello  }"),
        ("{ hello }", "TOO_MANY_TOKENS", Limits { tokens: 3, ..wide.clone() }, "{ hello hello }"),
        (
            "{ heavy { value } }",
            "DOCUMENT_TOO_DEEP",
            Limits { nesting: 2, ..wide.clone() },
            "{ lines { amount { amount } } }",
        ),
        (
            "{ heavy { value } }",
            "DOCUMENT_TOO_DEEP",
            Limits { depth: 2, ..wide.clone() },
            "{ lines { amount { amount } } }",
        ),
        (
            "{ ...F } fragment F on Query { hello }",
            "DOCUMENT_TOO_DEEP",
            Limits { recursion: 1, ..wide.clone() },
            "{ ...F } fragment F on Query { ... { hello } }",
        ),
        (
            "{ hello report }",
            "TOO_MANY_ROOT_FIELDS",
            Limits { root_fields: 2, ..wide.clone() },
            "{ hello ... { report hello } }",
        ),
        ("{ a: hello }", "TOO_MANY_ALIASES", Limits { aliases: 1, ..wide.clone() }, "{ a: hello b: hello }"),
        (
            "{ hello @skip(if: false) }",
            "TOO_MANY_DIRECTIVES",
            Limits { directives: 1, ..wide.clone() },
            "{ hello @skip(if: false) ... @include(if: true) { hello } }",
        ),
        (
            "{ hello @a }",
            "TOO_MANY_DIRECTIVES",
            Limits { directives_at_once: 1, ..wide.clone() },
            "{ hello @a @b }",
        ),
        (
            "{ ...F ...F } fragment F on Query { hello }",
            "TOO_MANY_FIELDS",
            Limits { fields: 2, ..wide.clone() },
            "{ ...F ...F ...F } fragment F on Query { hello }",
        ),
        (
            "{ heavy { ...F } heavy { ...F } } fragment F on Heavy { value }",
            "DOCUMENT_TOO_COMPLEX",
            Limits { comparisons: 7, ..wide.clone() },
            "{ heavy { ...F } heavy { ...F } heavy { ...F } } fragment F on Heavy { value }",
        ),
        (
            "{ invoices(first: 1, filter: {any: []}) { totalCount } }",
            "INPUT_TOO_DEEP",
            Limits { input_depth: 2, ..wide.clone() },
            "{ invoices(first: 1, filter: {any: [{}]}) { totalCount } }",
        ),
        (
            "{ invoices(first: 1, filter: {any: []}) { totalCount } }",
            "INPUT_TOO_LARGE",
            Limits { input_values: 3, ..wide.clone() },
            "{ invoices(first: 1, filter: {any: [{}]}) { totalCount } }",
        ),
        (
            "{ invoices(first: 1, filter: {any: [{}, {}]}) { totalCount } }",
            "INPUT_TOO_LARGE",
            Limits { input_list: 2, ..wide.clone() },
            "{ invoices(first: 1, filter: {any: [{}, {}, {}]}) { totalCount } }",
        ),
        (
            "{ lines(first: 3) { text } }",
            "LIST_SIZE_EXCEEDED",
            Limits { list_size: 3, ..wide.clone() },
            "{ lines(top: 4) { text } }",
        ),
        (
            "{ lines(first: 3) { text } }",
            "ANSWER_TOO_LARGE",
            Limits { values: 8, ..wide.clone() },
            "{ lines(first: 4) { text } }",
        ),
        (
            "{ lines(first: 3) { text } }",
            "COST_LIMIT_EXCEEDED",
            Limits { cost: 3, ..wide.clone() },
            "{ lines(first: 4) { text } }",
        ),
    ];
    for (taken, code, limits, refused) in cases {
        admit(taken, json!({}), &limits).unwrap_or_else(|refused| panic!("{taken}: {refused}"));
        assert_eq!(refusal(refused, &limits), code, "{refused}");
    }
}

#[test]
fn nested_spreads_are_counted_without_being_opened() {
    for doublings in [10_u64, 20, 30, 63, 200] {
        let links: Vec<String> = (0..doublings)
            .map(|link| format!("fragment F{link} on Query {{ ...F{0} ...F{0} }}", link + 1))
            .collect();
        let text = format!("{{ ...F0 }} {} fragment F{doublings} on Query {{ hello }}", links.join(" "));
        let limits =
            Limits { recursion: 1_000, comparisons: u64::MAX, root_fields: u64::MAX, ..Limits::default() };
        let Err(Refused::Exceeded { found, .. }) = parse(&text, &Limits { fields: 1, ..limits }) else {
            panic!("2^{doublings} fields are too many");
        };
        assert_eq!(found, 2_u64.checked_pow(u32::try_from(doublings).expect("small")).unwrap_or(u64::MAX));
    }
}

#[test]
fn a_bomb_that_no_operation_reaches_is_refused_too() {
    let links: Vec<String> =
        (0..25).map(|link| format!("fragment F{link} on Query {{ ...F{0} ...F{0} }}", link + 1)).collect();
    let text = format!("{{ hello }} {} fragment F25 on Query {{ hello }}", links.join(" "));
    assert_eq!(refusal(&text, &Limits::default()), "DOCUMENT_TOO_COMPLEX");
}

#[test]
fn what_is_nested_as_deep_as_may_be_is_read_on_a_small_stack() {
    let nested = |open: &str, close: &str| {
        let levels = usize::try_from(Limits::default().nesting).expect("it is small") - 2;
        format!("{}{}", open.repeat(levels), close.repeat(levels))
    };
    let texts = [
        format!("{{ hello(text: {}) }}", nested("[", "]")),
        format!("{{ hello(text: {}1{}) }}", "{a: ".repeat(62), "}".repeat(62)),
        format!("{{ a {} }}", nested("{ a ", "}")),
        format!("{{ a {} }}", nested("... { a ", "}")),
        format!("query($v: {}Int{} = 1) {{ a }}", "[".repeat(62), "]".repeat(62)),
    ];
    let read = move || {
        texts.map(|text| parse(&text, &Limits::default()).map(drop).map_err(|refused| refused.code()))
    };
    // Half of what tokio gives its workers.
    let thread = std::thread::Builder::new().stack_size(1 << 20).spawn(read).expect("a thread starts");
    let deep = |code| Err(code);
    let expected = [
        deep("INPUT_TOO_DEEP"),
        deep("INPUT_TOO_DEEP"),
        deep("DOCUMENT_TOO_DEEP"),
        deep("DOCUMENT_TOO_DEEP"),
        Ok(()),
    ];
    assert_eq!(thread.join().expect("the stack suffices"), expected);
}

#[test]
fn what_every_operation_has_to_look_up_again_is_bounded() {
    let text = |operations: usize, uses: usize| {
        let operations: Vec<String> =
            (0..operations).map(|number| format!("query Q{number} {{ ...F }}")).collect();
        format!("{} fragment F on Query {{ hello(text: [{}]) }}", operations.join(" "), "$v ".repeat(uses))
    };
    let read = |text: &str| parse(text, &Limits::default()).map(drop).map_err(|refused| refused.code());
    assert_eq!(read(&text(1, 1_000)), Ok(()));
    assert_eq!(read(&text(100, 10)), Ok(()));
    assert_eq!(read(&text(100, 100)), Err("DOCUMENT_TOO_COMPLEX"));
}

#[test]
fn conflicts_are_bounded_by_the_messages_that_they_would_give() {
    let text = |sets: usize, fields: &str| {
        format!(
            "{{ hello }} fragment G on Query {{ {} }} fragment F on Heavy {{ {fields} }}",
            "heavy { ...F } ".repeat(sets)
        )
    };
    let comparisons = |fields: &str| parse(&text(100, fields), &wide()).expect("it is read").comparisons();
    let alike = comparisons("a: value a: value");
    let name = "n".repeat(150);
    assert!(comparisons("a: value a: other") > 3 * alike);
    assert!(comparisons("a: value(b: 1) a: value(b: 2)") > 3 * alike);
    assert!(comparisons("a: value a: value(b: 1)") > 3 * alike);
    assert!(comparisons(&format!("a: {name}1 a: {name}2")) > 8 * alike);
    assert_eq!(comparisons("a: value b: other"), alike);
}

#[test]
fn the_operation_that_is_meant_is_found_or_the_request_is_refused() {
    let text = "query A { hello } mutation B { cheap }";
    let admit = |name: Option<&str>| {
        let checked = check(text, name, &variables(json!({})), &model(), &wide());
        checked.map(|checked| (checked.admitted.operation.to_string(), checked.admitted.cost))
    };
    assert_eq!(admit(Some("A")), Ok(("query".to_owned(), 0)));
    assert_eq!(admit(Some("B")), Ok(("mutation".to_owned(), 1)));
    for name in [None, Some("C"), Some("")] {
        let refused = admit(name).expect_err("it is not clear which one");
        assert_eq!((refused.code(), refused.class()), ("OPERATION_RESOLUTION_FAILURE", Class::Invalid));
    }
    let refused =
        check("{ hello }", Some("A"), &variables(json!({})), &model(), &wide()).expect_err("it has no name");
    assert_eq!(refused.code(), "OPERATION_RESOLUTION_FAILURE");
}

#[test]
fn what_is_no_document_is_refused_with_the_place_and_without_repeating_it() {
    let long = "x".repeat(5_000);
    for (text, place) in
        [("{ hello } }", (1, 11)), ("{ hello(text:) }", (1, 14)), ("{ }", (1, 3)), ("hello", (1, 1))]
    {
        let refused = parse(&format!("{text} # {long}"), &wide()).expect_err(text);
        let position = refused.position().expect("there is a place");
        assert_eq!((refused.code(), refused.class()), ("GRAPHQL_PARSE_FAILED", Class::Malformed));
        assert_eq!((position.line, position.column), place, "{refused}");
        assert!(refused.to_string().len() < 300, "{refused}");
    }
}

#[test]
fn large_input_is_refused_wherever_it_comes_from() {
    let list = |items: usize| json!({"any": vec![json!({}); items]});
    let text = "query($f: Filter) { \
                a: invoices(first: 1, filter: $f) { totalCount } b: invoices(first: 1, filter: $f) { totalCount } }";
    admit(text, json!({"f": list(100)}), &Limits::default()).expect("it is small");
    assert_eq!(
        admit(text, json!({"f": list(5_001)}), &wide()).expect_err("too long").code(),
        "INPUT_TOO_LARGE"
    );
    // Twice eleven thousand, though once would pass.
    let long = json!({"f": {"number": "x".repeat(256 * 11_000)}});
    assert_eq!(admit(text, long, &Limits::default()).expect_err("twice too much").code(), "INPUT_TOO_LARGE");
    let deep = (0..50).fold(json!({}), |inner, _| json!({"any": [inner]}));
    assert_eq!(admit(text, json!({"f": deep}), &wide()).expect_err("deep").code(), "INPUT_TOO_DEEP");
    // Also where it never runs, since validation clones it there.
    let unreached =
        "query($f: Filter) { hello } fragment F on Query { invoices(first: 1, filter: $f) { totalCount } }";
    assert_eq!(
        admit(unreached, json!({"f": list(5_001)}), &wide()).expect_err("too long").code(),
        "INPUT_TOO_LARGE"
    );
}

#[test]
fn a_subscription_has_one_field_at_its_root_and_may_hide_it_in_fragments() {
    let root = |text: &str| {
        let parsed = parse(text, &wide())?;
        parsed.admit(None, &variables(json!({})), &model(), &wide())?;
        let (_, operation) = parsed.operation(None)?;
        Ok::<_, Refused>(operation.node.selection_set.node.items.len())
    };
    for taken in [
        "subscription { tick { id } }",
        "subscription { ...F } fragment F on Subscription { ... { tick { ...G } } } fragment G on Invoice { id }",
    ] {
        assert_eq!(root(taken), Ok(1), "{taken}");
    }
    // An unknown fragment is for validation to tell.
    assert_eq!(root("subscription { tick { id } ...Unknown }"), Ok(2));
    for refused in [
        "subscription { tick { id } other: tick { id } }",
        "subscription { ...F tick { id } } fragment F on Subscription { a: tick { id } }",
        "subscription { __typename }",
        "subscription { tick @skip(if: true) { id } }",
        "subscription { ... on Query { tick { id } } }",
    ] {
        assert_eq!(
            root(refused).map_err(|refused| refused.code()),
            Err("GRAPHQL_VALIDATION_FAILED"),
            "{refused}"
        );
    }
}

#[test]
fn a_document_can_be_kept_and_admitted_with_other_variables_and_limits() {
    let parsed = std::sync::Arc::new(
        parse("query($n: Int!) { lines(first: $n) { text } }", &wide()).expect("it is read"),
    );
    let cost = |n: u64, most: u64| {
        let limits = Limits { cost: most, ..wide() };
        parsed.admit(None, &variables(json!({"n": n})), &model(), &limits).map(|admitted| admitted.cost)
    };
    assert_eq!(cost(3, 10), Ok(3));
    assert_eq!(cost(10, 10), Ok(10));
    assert_eq!(cost(11, 10).map_err(|refused| refused.code()), Err("COST_LIMIT_EXCEEDED"));
}
