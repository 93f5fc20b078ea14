//! The audits of the npm package `graphql-http`, against a small schema behind the parts of `gateway::http`.

use std::path::Path;
use std::process::Output;

use async_graphql::parser::parse_query;
use async_graphql::parser::types::{DocumentOperations, OperationDefinition};
use async_graphql::{EmptySubscription, Object, Schema};
use axum::Router;
use axum::extract::{Request, State};
use axum::http::HeaderMap;
use axum::response::{IntoResponse, Response};
use axum::routing::any;
use gateway::http::cors::Origins;
use gateway::http::listen::{Limits, serve};
use gateway::http::{Outcome, Refusal, Rules, answer, read, variables};
use gateway::request::Incoming;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::process::Command;
use tokio::sync::oneshot;

struct Query;

#[Object]
impl Query {
    async fn twice(&self, number: i32) -> i32 {
        number * 2
    }

    async fn broken(&self) -> Option<async_graphql::Result<i32>> {
        Some(Err("broken".into()))
    }

    async fn shattered(&self) -> async_graphql::Result<i32> {
        Err(std::future::ready("shattered").await.into())
    }
}

struct Mutation;

#[Object]
impl Mutation {
    async fn forget(&self) -> bool {
        true
    }
}

type Api = Schema<Query, Mutation, EmptySubscription>;

async fn graphql(State(schema): State<Api>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    execute(&schema, &parts, body).await.unwrap_or_else(IntoResponse::into_response)
}

async fn execute(
    schema: &Api,
    parts: &axum::http::request::Parts,
    body: axum::body::Body,
) -> Result<Response, Refusal> {
    let (incoming, exchange) = read(parts, body, &Rules::default()).await?;
    if let Some(operation) = operation(&incoming) {
        exchange.permit(operation.ty)?;
        if let Some(missing) = variables::missing(&operation, &incoming.variables) {
            let refused = async_graphql::Response::from_errors(vec![missing]);
            return Ok(answer(&exchange, &refused, Outcome::Invalid, HeaderMap::new()));
        }
    }
    let mut request =
        async_graphql::Request::new(incoming.query.unwrap_or_default()).variables(incoming.variables);
    request.operation_name = incoming.operation_name;
    let executed = schema.execute(request).await;
    Ok(answer(&exchange, &executed, Outcome::of(&executed), HeaderMap::new()))
}

fn operation(incoming: &Incoming) -> Option<OperationDefinition> {
    let document = parse_query(incoming.query.as_deref()?).ok()?;
    match document.operations {
        DocumentOperations::Single(only) => Some(only.node),
        DocumentOperations::Multiple(named) => {
            let name = incoming.operation_name.as_deref();
            let named = named.into_iter().find(|(found, _)| name.is_none_or(|name| name == found.as_str()));
            named.map(|(_, operation)| operation.node)
        }
    }
}

struct Server {
    url: String,
    _stop: oneshot::Sender<()>,
}

async fn start() -> Server {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let url = format!("http://{}/graphql", listener.local_addr().expect("an address"));
    let schema = Schema::new(Query, Mutation, EmptySubscription);
    let layer = Origins::default().layer();
    let router = Router::new().route("/graphql", any(graphql)).with_state(schema).layer(layer);
    let (stop, stopped) = oneshot::channel::<()>();
    tokio::spawn(serve(listener, router, Limits::default(), async {
        let _ = stopped.await;
    }));
    Server { url, _stop: stop }
}

/// Runs the audits; how they ended, and their summary.
async fn audit(url: &str) -> (Output, Value) {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/npm/graphql-http/audit.sh");
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("graphql-http");
    let output = Command::new(script).arg(folder).arg(url).output().await.expect("node and npm");
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let summary = text.lines().last().and_then(|line| serde_json::from_str(line).ok()).unwrap_or_default();
    (output, summary)
}

#[tokio::test]
async fn every_audit_of_graphql_over_http_is_met() {
    let server = start().await;
    let (output, summary) = audit(&server.url).await;
    assert!(output.status.success(), "{output:?}");
    assert_eq!(summary, json!({"total": 61, "ok": 61, "notice": 0, "warn": 0, "error": 0}));
    // They can fail: nothing of GraphQL is at this address.
    let (output, summary) = audit(&format!("{}/nowhere", server.url)).await;
    assert_eq!((output.status.code(), &summary["total"]), (Some(1), &json!(61)));
    assert!(summary["error"].as_u64() > Some(0) && summary["warn"].as_u64() > Some(0), "{summary}");
}

const JSON: &str = "application/json";
const SPECIFIED: &str = "application/graphql-response+json";

async fn posted(server: &Server, accept: &str, body: Value) -> (u16, Value) {
    let request = reqwest::Client::new().post(&server.url).header("accept", accept).json(&body);
    let response = request.send().await.expect("an answer");
    (response.status().as_u16(), response.json().await.expect("JSON"))
}

#[tokio::test]
async fn fields_that_fail_leave_a_success_in_both_media_types() {
    let server = start().await;
    for accept in [JSON, SPECIFIED] {
        let (status, body) = posted(&server, accept, json!({"query": "{ broken twice(number: 2) }"})).await;
        assert_eq!((status, &body["data"]), (200, &json!({"broken": null, "twice": 4})));
        let (status, body) = posted(&server, accept, json!({"query": "{ shattered }"})).await;
        assert_eq!((status, body.get("data")), (200, Some(&Value::Null)));
        assert_eq!(body["errors"][0]["message"], "shattered");
    }
}

#[tokio::test]
async fn a_document_that_cannot_run_is_a_failure_where_the_status_may_say_so() {
    let server = start().await;
    for (query, variables) in [
        ("{", json!({})),
        ("{ nothing }", json!({})),
        ("query A { broken } query B { broken }", json!({})),
        ("query($n: Int!) { twice(number: $n) }", json!({})),
        ("query($n: Int!) { twice(number: $n) }", json!({"n": null})),
        ("query($n: Int!) { twice(number: $n) }", json!({"n": "two"})),
    ] {
        for (accept, expected) in [(JSON, 200), (SPECIFIED, 400)] {
            let body = json!({"query": query, "variables": variables});
            let (status, body) = posted(&server, accept, body).await;
            assert_eq!(status, expected, "{query} {variables}: {body}");
            assert!(body.get("data").is_none() && body["errors"][0]["message"].is_string(), "{body}");
        }
    }
}

#[tokio::test]
async fn a_mutation_runs_by_post_and_not_by_get() {
    let server = start().await;
    let (status, body) = posted(&server, SPECIFIED, json!({"query": "mutation { forget }"})).await;
    assert_eq!((status, body), (200, json!({"data": {"forget": true}})));
    for query in ["mutation%20{forget}", "mutation%20M{forget}%20query%20Q{broken}&operationName=M"] {
        let url = format!("{}?query={query}", server.url);
        let response = reqwest::get(url).await.expect("an answer");
        assert_eq!(
            (response.status().as_u16(), &response.headers()["allow"]),
            (405, &"POST".parse().expect(""))
        );
    }
    let url =
        format!("{}?query=mutation%20M{{forget}}%20query%20Q{{twice(number:1)}}&operationName=Q", server.url);
    assert_eq!(reqwest::get(url).await.expect("an answer").status().as_u16(), 200);
}
