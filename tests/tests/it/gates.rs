//! What stands between a request and its execution: cost, budget, turns, known documents, introspection.

use std::time::{Duration, Instant};

use reqwest::{Method, StatusCode, header};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::server::Server;

const PAGE: &str = "{ parties(first: 50) { edges { node { name } } } }";

fn code(answer: &Value) -> &Value {
    &answer["errors"][0]["extensions"]["code"]
}

fn hash(text: &str) -> String {
    use std::fmt::Write as _;
    Sha256::digest(text.as_bytes()).iter().fold(String::new(), |mut hex, byte| {
        write!(hex, "{byte:02x}").expect("written");
        hex
    })
}

async fn post(server: &Server, token: &str, body: Value) -> (StatusCode, header::HeaderMap, Value) {
    let request = server.http.post(format!("{}/graphql", server.url)).bearer_auth(token).json(&body);
    let response = request.send().await.expect("an answer");
    (response.status(), response.headers().clone(), response.json().await.expect("JSON"))
}

#[tokio::test]
async fn an_answer_says_what_was_asked_and_what_it_cost() {
    let server = Server::start().await;
    let token = server.found("A", "ada@example.com").await;
    let (_, headers, answer) = post(&server, &token, json!({"query": PAGE})).await;
    let cost = &answer["extensions"]["cost"];
    assert!(cost["requested"].as_u64() > cost["actual"].as_u64(), "{answer:#}");
    assert!(cost["requested"].as_u64().is_some_and(|cost| cost > 50), "{answer:#}");
    let left = answer["extensions"]["rateLimit"]["remaining"].as_u64().expect("a number");
    assert!(headers["ratelimit"].to_str().expect("text").contains(&format!("r={left}")), "{headers:?}");
    assert!(headers.contains_key("ratelimit-policy"));
}

#[tokio::test]
async fn who_spends_the_budget_waits_and_nobody_else_does() {
    let server = Server::start_with(&["--budget-per-second", "40"]).await;
    let (a, b) = (server.found("A", "ada@example.com").await, server.found("B", "bob@example.com").await);
    let mut refused = None;
    for _ in 0..20 {
        let (status, headers, answer) = post(&server, &a, json!({"query": PAGE})).await;
        if status == StatusCode::TOO_MANY_REQUESTS {
            refused = Some((headers, answer));
            break;
        }
        assert_eq!(status, StatusCode::OK, "{answer:#}");
    }
    // Answers are short and refunded: the requests' own worth is what is spent.
    let many: Vec<String> = (0..12).map(|n| format!("a{n}: company {{ name }}")).collect();
    let many = json!({"query": format!("{{ {} }}", many.join(" "))});
    for _ in 0..60 {
        if refused.is_some() {
            break;
        }
        let (status, headers, answer) = post(&server, &a, many.clone()).await;
        if status == StatusCode::TOO_MANY_REQUESTS {
            refused = Some((headers, answer));
        }
    }
    let (headers, answer) = refused.expect("a limit");
    assert_eq!(code(&answer), "RATE_LIMITED");
    let wait: u64 = headers[header::RETRY_AFTER].to_str().expect("text").parse().expect("seconds");
    assert!(wait >= 1 && answer["errors"][0]["extensions"]["retryAfterSeconds"] == wait);
    assert!(answer["data"].is_null());
    let (status, _, other) = post(&server, &b, many.clone()).await;
    assert_eq!(status, StatusCode::OK, "{other:#}");
    tokio::time::sleep(Duration::from_secs(wait)).await;
    let (status, _, again) = post(&server, &a, json!({"query": "{ company { name } }"})).await;
    assert_eq!(status, StatusCode::OK, "{again:#}");
}

#[tokio::test]
async fn strangers_are_counted_by_their_address_and_members_are_not() {
    let server = Server::start_with(&["--anonymous-per-minute", "5"]).await;
    let token = server.found("A", "ada@example.com").await;
    let mut last = StatusCode::OK;
    for _ in 0..6 {
        let (status, answer) = server.send(None, None, "{ __typename }", json!({})).await;
        last = status;
        if status != StatusCode::OK {
            assert_eq!(code(&answer), "RATE_LIMITED");
        }
    }
    assert_eq!(last, StatusCode::TOO_MANY_REQUESTS);
    server.ask(&token, "{ company { name } }", json!({})).await;
}

#[tokio::test]
async fn the_schema_is_shown_to_members_only_and_never_guessed_at() {
    let server = Server::start().await;
    let token = server.found("A", "ada@example.com").await;
    let ask = "{ ...F } fragment F on Query { __schema { queryType { name } } }";
    let (_, answer) = server.send(None, None, ask, json!({})).await;
    assert_eq!((code(&answer), &answer["data"]), (&json!("INTROSPECTION_DISABLED"), &Value::Null));
    server.ask(&token, ask, json!({})).await;
    let (_, answer) = server.send(Some(&token), None, "{ compani { name } }", json!({})).await;
    assert!(!answer.to_string().contains("company"), "{answer:#}");
}

#[tokio::test]
async fn a_registered_document_runs_by_its_id_and_may_be_the_only_kind() {
    let server = Server::start().await;
    let owner = server.found("A", "ada@example.com").await;
    let text = "{ company { name } }";
    let register = "mutation($input: RegisterDocumentsInput!) { registerDocuments(input: $input) { userErrors { code field } } }";
    let input = json!({"documents": [{"name": "Company", "text": text}]});
    server.ask(&owner, register, json!({"input": input})).await;
    let id = format!("sha256:{}", hash(text));
    let (_, _, answer) = post(&server, &owner, json!({"documentId": id})).await;
    assert_eq!(answer["data"]["company"]["name"], "A");
    let stranger = server.found("B", "bob@example.com").await;
    let (_, _, answer) = post(&server, &stranger, json!({"documentId": id})).await;
    assert_eq!(code(&answer), "DOCUMENT_NOT_FOUND");

    let key = server
        .ask(
            &owner,
            "mutation { createApiKey(input: {name: \"Web\", permissions: [\"company.read\"]}) { secret } }",
            json!({}),
        )
        .await["createApiKey"]["secret"]
        .as_str()
        .expect("a key")
        .to_owned();
    let version =
        server.ask(&owner, "{ company { version } }", json!({})).await["company"]["version"].clone();
    let bind = "mutation($input: UpdateCompanyInput!) { updateCompany(input: $input) { userErrors { code field } } }";
    let input = json!({"expectedVersion": version, "documentsOnly": true});
    server.ask(&owner, bind, json!({"input": input})).await;
    tokio::time::sleep(Duration::from_secs(2)).await;
    let (_, _, answer) = post(&server, &key, json!({"query": "{ company { currency } }"})).await;
    assert_eq!(code(&answer), "TRUSTED_DOCUMENTS_ONLY");
    for body in [
        json!({"documentId": id}),
        json!({"query": text}),
        json!({"extensions": {"persistedQuery": {"version": 1, "sha256Hash": hash(text)}}}),
    ] {
        let (_, _, answer) = post(&server, &key, body.clone()).await;
        assert_eq!(answer["data"]["company"]["name"], "A", "{body}: {answer:#}");
    }
}

#[tokio::test]
async fn a_text_that_was_sent_once_is_named_by_its_hash_within_the_company() {
    let server = Server::start().await;
    let (a, b) = (server.found("A", "ada@example.com").await, server.found("B", "bob@example.com").await);
    let text = "{ company { name currency } }";
    let extension = json!({"persistedQuery": {"version": 1, "sha256Hash": hash(text)}});
    let by_hash = json!({"extensions": extension});
    let (_, _, answer) = post(&server, &a, by_hash.clone()).await;
    assert_eq!(code(&answer), "PERSISTED_QUERY_NOT_FOUND");
    post(&server, &a, json!({"query": text, "extensions": extension})).await;
    let deadline = Instant::now() + Duration::from_secs(2);
    loop {
        let (_, _, answer) = post(&server, &a, by_hash.clone()).await;
        if answer["data"]["company"]["name"] == "A" {
            break;
        }
        assert!(Instant::now() < deadline, "{answer:#}");
    }
    let (_, _, answer) = post(&server, &b, by_hash).await;
    assert_eq!(code(&answer), "PERSISTED_QUERY_NOT_FOUND");
}

#[tokio::test]
async fn only_named_origins_may_ask_from_a_browser() {
    let server = Server::start_with(&["--allowed-origins", "https://app.example.com"]).await;
    let preflight = |origin: &'static str| {
        let request = server.http.request(Method::OPTIONS, format!("{}/graphql", server.url));
        let request = request.header("origin", origin).header("access-control-request-method", "POST");
        async move { request.send().await.expect("an answer") }
    };
    let good = preflight("https://app.example.com").await;
    assert_eq!(good.headers()["access-control-allow-origin"], "https://app.example.com");
    assert!(!good.headers().contains_key("access-control-allow-credentials"));
    let bad = preflight("https://evil.example").await;
    assert!(!bad.headers().contains_key("access-control-allow-origin"));
}

#[tokio::test]
async fn every_audit_of_graphql_over_http_is_ok() {
    let server = Server::start_with(&["--introspection", "everyone"]).await;
    let script = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("npm/graphql-http/audit.sh");
    let folder = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join("graphql-http");
    let url = format!("{}/graphql", server.url);
    let audit =
        tokio::process::Command::new(script).arg(folder).arg(url).output().await.expect("node and npm");
    assert!(audit.status.success(), "{audit:?}");
}

#[tokio::test]
async fn a_hostile_document_gets_few_errors_and_a_hostile_body_none_of_its_values_read() {
    let server = Server::start().await;
    let token = server.found("A", "ada@example.com").await;
    let unknown: Vec<String> = (0..200).map(|n| format!("nothing{n}")).collect();
    let (status, _, answer) =
        post(&server, &token, json!({"query": format!("{{ company {{ {} }} }}", unknown.join(" "))})).await;
    assert_eq!((status, answer["errors"].as_array().map(Vec::len)), (StatusCode::OK, Some(20)));
    let (status, _, answer) =
        post(&server, &token, json!({"query": "{ __typename }", "variables": {"x": vec![0; 100_000]}})).await;
    assert_eq!((status, code(&answer)), (StatusCode::PAYLOAD_TOO_LARGE, &json!("INPUT_TOO_LARGE")));
    // A spread that doubles thirty times: 2^30 fields.
    let fragments: Vec<String> =
        (0..30).map(|n| format!("fragment F{n} on Company {{ ...F{} ...F{} }}", n + 1, n + 1)).collect();
    let bomb =
        format!("{{ company {{ ...F0 }} }} {} fragment F30 on Company {{ name }}", fragments.join(" "));
    let (_, _, answer) = post(&server, &token, json!({"query": bomb})).await;
    assert_eq!(code(&answer), "TOO_MANY_FIELDS");
}
