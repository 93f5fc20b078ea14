//! What the limits of documents mean for async-graphql behind them: its weaknesses that they cover, and that it
//! agrees with what they measure.

use std::time::Duration;

use async_graphql::futures_util::{Stream, StreamExt, stream};
use async_graphql::{
    Interface, Object, Request, Response, Schema, SimpleObject, Subscription, TypeDirective, Value, Variables,
};
use gateway::document::{Checked, CostModel, Limits, Refused, actual_cost, check};
use serde_json::json;

#[TypeDirective(location = "FieldDefinition", location = "Object")]
fn cost(weight: String) {}

#[TypeDirective(name = "listSize", location = "FieldDefinition")]
fn list_size(
    assumed_size: Option<i32>,
    slicing_arguments: Option<Vec<String>>,
    sized_fields: Option<Vec<String>>,
    require_one_slicing_argument: Option<bool>,
) {
}

#[derive(SimpleObject)]
#[graphql(directive = cost::apply("3".to_owned()))]
struct Thing {
    id: String,
    #[graphql(directive = cost::apply("7".to_owned()))]
    dear: i32,
}

#[derive(SimpleObject)]
struct Page {
    nodes: Vec<Thing>,
}

#[derive(Interface)]
#[graphql(field(name = "id", ty = "&String"), field(name = "dear", ty = "&i32"))]
enum Node {
    Thing(Thing),
}

struct Query;

#[Object]
impl Query {
    async fn hello(&self) -> &str {
        "hello"
    }

    async fn numbers(&self, numbers: Vec<i32>) -> usize {
        numbers.len()
    }

    async fn itself(&self) -> Query {
        Query
    }

    async fn node(&self) -> Node {
        Node::Thing(thing())
    }

    #[graphql(directive = list_size::apply(None, Some(names(&["first", "last"])), Some(names(&["nodes"])), None))]
    async fn page(&self, first: Option<usize>, last: Option<usize>) -> Page {
        Page { nodes: (0..first.or(last).unwrap_or(0).min(2)).map(|_| thing()).collect() }
    }
}

fn names(names: &[&str]) -> Vec<String> {
    names.iter().copied().map(str::to_owned).collect()
}

fn thing() -> Thing {
    Thing { id: "t".to_owned(), dear: 1 }
}

struct Mutation;

#[Object]
impl Mutation {
    async fn store(&self) -> bool {
        true
    }
}

struct Live;

#[Subscription]
impl Live {
    async fn tick(&self) -> impl Stream<Item = i32> {
        stream::iter([1, 2])
    }
}

type Built = Schema<Query, Mutation, Live>;

fn schema() -> Built {
    Schema::build(Query, Mutation, Live).disable_suggestions().finish()
}

fn model() -> CostModel {
    CostModel::from_sdl(&schema().sdl()).expect("the schema describes its cost")
}

fn checked(text: &str, variables: serde_json::Value) -> Result<Checked, Refused> {
    check(text, None, &Variables::from_json(variables), &model(), &Limits::default())
}

fn request(checked: &Checked, mut variables: Variables) -> Request {
    checked.admitted.complete(&mut variables);
    let mut request = Request::new("").variables(variables);
    request.set_parsed_query(checked.parsed.document().clone());
    request
}

async fn run(text: &str, variables: serde_json::Value) -> Response {
    let checked = checked(text, variables.clone()).expect(text);
    schema().execute(request(&checked, Variables::from_json(variables))).await
}

#[tokio::test]
async fn weights_and_sizes_are_read_from_the_schema_that_the_library_writes() {
    let checked = checked("{ page(first: 5) { nodes { id dear } } }", json!({})).expect("it is admitted");
    // The page, and five things with a dear field each.
    assert_eq!(checked.admitted.cost, 1 + 5 * (3 + 7));
    let response = schema().execute(request(&checked, Variables::default())).await;
    assert_eq!(actual_cost(&model(), &checked.parsed, &checked.admitted, &response.data), 1 + 2 * (3 + 7));
}

#[tokio::test]
async fn a_field_of_an_interface_costs_what_it_costs_in_its_objects() {
    // The stock complexity of an interface's field is 1 whatever its objects declare.
    assert_eq!(checked("{ node { dear } }", json!({})).expect("it is admitted").admitted.cost, 3 + 7);
    assert_eq!(run("{ node { dear } }", json!({})).await.data, async_graphql::value!({"node": {"dear": 1}}));
}

#[tokio::test]
async fn nested_spreads_that_take_the_library_seconds_are_refused_at_once() {
    let bomb = |doublings: u32| {
        let links: Vec<String> = (0..doublings)
            .map(|link| format!("fragment F{link} on Query {{ ...F{0} ...F{0} }}", link + 1))
            .collect();
        format!("{{ itself {{ ...F0 }} }} {} fragment F{doublings} on Query {{ hello }}", links.join(" "))
    };
    // Without the limits each doubling doubles the time, whatever depth and complexity are allowed.
    let limited = || Schema::build(Query, Mutation, Live).limit_depth(5).limit_complexity(5).finish();
    let stock = async |doublings| {
        let start = std::time::Instant::now();
        assert!(!limited().execute(bomb(doublings)).await.errors.is_empty());
        start.elapsed()
    };
    let small = stock(6).await.min(stock(6).await).min(stock(6).await);
    let large = stock(13).await;
    assert!(large > small * 8, "the library bounds it by itself now: {small:?}, {large:?}");
    assert_eq!(checked(&bomb(13), json!({})).expect_err("8192 fields").code(), "TOO_MANY_FIELDS");
    assert_eq!(checked(&bomb(25), json!({})).expect_err("millions of fields").code(), "TOO_MANY_FIELDS");
}

#[tokio::test]
async fn a_default_of_an_unknown_type_is_refused_where_the_library_panics() {
    let text = "query($x: [Unknown!] = [1]) { hello }";
    let stock = tokio::spawn(async move { schema().execute(text).await }).await;
    assert!(stock.is_err_and(|error| error.is_panic()), "the library refuses it by itself now");
    assert_eq!(checked(text, json!({})).expect_err("no such type").code(), "GRAPHQL_VALIDATION_FAILED");
}

#[tokio::test]
async fn conditions_see_the_defaults_of_variables() {
    let text = "query($yes: Boolean! = true) { hello @include(if: $yes) itself @skip(if: $yes) { hello } }";
    let ours = run(text, json!({})).await;
    assert_eq!(ours.data, async_graphql::value!({"hello": "hello"}));
    let stock = schema().execute(text).await;
    assert_ne!(stock.data, ours.data, "the library reads the defaults by itself now");
    assert_eq!(
        run(text, json!({"yes": false})).await.data,
        async_graphql::value!({"itself": {"hello": "hello"}})
    );
}

#[tokio::test]
async fn a_subscription_whose_field_stands_in_a_fragment_is_not_silent() {
    let text = "subscription { ...F } fragment F on Live { ... { tick } }";
    let all = async |request: Request| {
        let answers = schema().execute_stream(request).collect::<Vec<_>>();
        tokio::time::timeout(Duration::from_secs(5), answers).await.expect("the stream ends")
    };
    assert!(all(Request::new(text)).await.is_empty(), "the library opens fragments by itself now");
    let checked = checked(text, json!({})).expect("it is admitted");
    let answers = all(request(&checked, Variables::default())).await;
    let data: Vec<Value> =
        answers.into_iter().map(|answer| answer.into_result().expect("no error").data).collect();
    assert_eq!(data, [async_graphql::value!({"tick": 1}), async_graphql::value!({"tick": 2})]);
}

#[tokio::test]
async fn the_library_never_refuses_for_depth_what_was_admitted() {
    let nested = |sets: usize| format!("{{ {} hello {} }}", "... { ".repeat(sets), "}".repeat(sets));
    let most = usize::try_from(Limits::default().recursion).expect("it is small");
    let response = run(&nested(most), json!({})).await;
    assert!(response.errors.is_empty(), "{:?}", response.errors);
    assert_eq!(checked(&nested(most + 1), json!({})).expect_err("one more").code(), "DOCUMENT_TOO_DEEP");
    assert!(!schema().execute(nested(most + 1)).await.errors.is_empty(), "the limit could be higher");
}

#[tokio::test]
async fn what_breaks_the_schema_is_left_to_the_library_to_refuse() {
    for text in [
        "{ unknown { of { any { kind } } } }",
        "{ ...Unknown }",
        "{ hello { below } }",
        "{ itself { ... on Unknown { hello } } }",
        "query($x: Unknown) { hello }",
        "subscription { tick ...Unknown }",
        "{ numbers(numbers: $undefined) }",
    ] {
        let response = run(text, json!({})).await;
        assert!(!response.errors.is_empty(), "{text}");
    }
}

#[tokio::test]
async fn a_large_document_within_the_limits_runs() {
    let items = "1 ".repeat(4_000);
    let text = format!(
        "query($n: [Int!]! = [{items}]) {{ numbers(numbers: $n) page(first: 100) {{ nodes {{ id }} }} }}"
    );
    let response = run(&text, json!({})).await;
    assert!(response.errors.is_empty(), "{:?}", response.errors);
}
