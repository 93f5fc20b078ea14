//! What the edge lets in, and what it lets out.

use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::server::Server;

const VIEWER: &str =
    "{ viewer { actor { kind name } role { key } companies { name } } company { name currency } }";

#[tokio::test]
async fn who_signs_up_acts_in_the_new_company() {
    let server = Server::start().await;
    let token = server.found("First", "ada@example.com").await;
    let data = server.ask(&token, VIEWER, json!({})).await;
    assert_eq!(data["company"], json!({"name": "First", "currency": "EUR"}));
    assert_eq!(data["viewer"]["role"]["key"], "owner");
    assert_eq!(data["viewer"]["actor"], json!({"kind": "PERSON", "name": "Ada"}));
}

#[tokio::test]
async fn without_a_good_token_nothing_is_told() {
    let server = Server::start().await;
    let code = |answer: &Value| answer["errors"][0]["extensions"]["code"].clone();
    let (status, answer) = server.send(None, None, VIEWER, json!({})).await;
    assert_eq!((status, code(&answer)), (StatusCode::OK, json!("UNAUTHENTICATED")));
    for token in ["cs_nonsense", "ck_live_nonsense", "nonsense", ""] {
        let (status, answer) = server.send(Some(token), None, VIEWER, json!({})).await;
        assert_eq!((status, code(&answer)), (StatusCode::UNAUTHORIZED, json!("UNAUTHENTICATED")), "{token}");
    }
}

#[tokio::test]
async fn only_json_of_a_bounded_size_is_read() {
    let server = Server::start().await;
    let post = |mime: &'static str, body: Vec<u8>| {
        let request =
            server.http.post(format!("{}/graphql", server.url)).header("content-type", mime).body(body);
        async move { request.send().await.expect("an answer") }
    };
    let good = br#"{"query":"{ __typename }"}"#.to_vec();
    assert_eq!(post("application/json; charset=utf-8", good.clone()).await.status(), StatusCode::OK);
    for mime in [
        "text/plain",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "application/graphql",
    ] {
        assert_eq!(post(mime, good.clone()).await.status(), StatusCode::UNSUPPORTED_MEDIA_TYPE, "{mime}");
    }
    let huge = format!(r#"{{"query":"{{ __typename }}","x":"{}"}}"#, "x".repeat(1024 * 1024));
    assert_eq!(post("application/json", huge.into_bytes()).await.status(), StatusCode::PAYLOAD_TOO_LARGE);
    for bad in [&b"{"[..], b"[]", b"\xff\xfe", b"", br#"[{"query":"{ __typename }"}]"#] {
        let response = post("application/json", bad.to_vec()).await;
        assert_eq!(response.status(), StatusCode::BAD_REQUEST, "{bad:?}");
        let answer: Value = response.json().await.expect("a GraphQL error");
        assert_eq!(answer["errors"][0]["extensions"]["code"], "BAD_REQUEST");
    }
}

#[tokio::test]
async fn queries_come_by_get_and_mutations_do_not() {
    let server = Server::start().await;
    let get = |query: &'static str| server.http.get(format!("{}/graphql?query={query}", server.url));
    let read = get("%7B__typename%7D").send().await.expect("an answer");
    assert_eq!(read.status(), StatusCode::OK);
    let written = get("mutation%7BsignOut%7BsignedOut%7D%7D").send().await.expect("an answer");
    assert_eq!(written.status(), StatusCode::METHOD_NOT_ALLOWED);
    assert_eq!(written.headers()["allow"], "POST");
    let answer: Value = written.json().await.expect("a GraphQL error");
    assert_eq!(answer["errors"][0]["extensions"]["code"], "METHOD_NOT_ALLOWED");
    let erased = server.http.delete(format!("{}/graphql", server.url)).send().await.expect("an answer");
    assert_eq!(
        (erased.status(), &erased.headers()["allow"]),
        (StatusCode::METHOD_NOT_ALLOWED, &"GET, POST".parse().expect("a header"))
    );
}

#[tokio::test]
async fn documents_beyond_the_limits_are_refused_before_they_run() {
    let server = Server::start().await;
    let token = server.found("A", "ada@example.com").await;
    let deep =
        format!("{{ __schema {} }}", "{ types { fields { type ".repeat(6) + "{ name }" + &"} } }".repeat(6));
    let aliases = format!(
        "{{ {} }}",
        (0..60).map(|n| format!("a{n}: viewer {{ role }}")).collect::<Vec<_>>().join(" ")
    );
    let costly = "{ company { auditTrail(first: 100) { edges { node { actor { name } personalChanges { field before after } \
                  address agent requestId at kind sequence payload subjectId } } } } \
                  more: company { auditTrail(first: 2000000) { totalCount edges { node { kind } } } } }";
    for document in [deep.as_str(), aliases.as_str(), costly] {
        let (_, answer) = server.send(Some(&token), None, document, json!({})).await;
        assert!(answer["data"].is_null() && answer["errors"][0]["message"].is_string(), "{answer:#}");
    }
}

#[tokio::test]
async fn every_answer_carries_its_request_id_and_timing_and_is_not_cached() {
    let server = Server::start().await;
    let response = server
        .http
        .post(format!("{}/graphql", server.url))
        .json(&json!({"query": "{ nothing }"}))
        .send()
        .await
        .expect("an answer");
    let header = |name: &str| response.headers()[name].to_str().expect("text").to_owned();
    let id = header("x-request-id");
    assert!(header("server-timing").starts_with("total;dur="));
    assert_eq!(
        (header("cache-control").as_str(), header("x-content-type-options").as_str()),
        ("no-store", "nosniff")
    );
    let answer: Value = response.json().await.expect("JSON");
    assert_eq!(answer["errors"][0]["extensions"]["requestId"], json!(id));
    assert_eq!(answer["errors"][0]["extensions"]["code"], "GRAPHQL_VALIDATION_FAILED");
}

#[tokio::test]
async fn a_repeated_mutation_happens_once_even_over_a_crash() {
    let mut server = Server::start().await;
    let token = server.found("A", "ada@example.com").await;
    let create = "mutation($name: String!) { createApiKey(input: {name: $name, permissions: [\"kpi.read\"]}) \
                  { apiKey { id } secret replayed userErrors { code } } }";
    let (_, first) = server.send(Some(&token), Some("one"), create, json!({"name": "Partner"})).await;
    let first = &first["data"]["createApiKey"];
    assert!(first["secret"].is_string(), "{first:#}");
    server.crash_and_restart();
    let (_, again) = server.send(Some(&token), Some("one"), create, json!({"name": "Partner"})).await;
    let again = &again["data"]["createApiKey"];
    assert_eq!(
        (&again["apiKey"], &again["replayed"], &again["secret"]),
        (&first["apiKey"], &json!(true), &Value::Null)
    );
    let (_, other) = server.send(Some(&token), Some("one"), create, json!({"name": "Another"})).await;
    assert_eq!(other["errors"][0]["extensions"]["code"], "IDEMPOTENCY_KEY_REUSED");
    let refused = "mutation { createApiKey(input: {name: \"\", permissions: [\"kpi.read\"]}) { replayed userErrors { code field } } }";
    for replayed in [false, true] {
        let (_, answer) = server.send(Some(&token), Some("two"), refused, json!({})).await;
        let errors = json!([{"code": "INVALID", "field": "name"}]);
        assert_eq!(answer["data"]["createApiKey"], json!({"replayed": replayed, "userErrors": errors}));
    }
    let keys = server.ask(&token, "{ apiKeys { name } }", json!({})).await;
    assert_eq!(keys["apiKeys"], json!([{"name": "Partner"}]));
}

#[tokio::test]
async fn a_revoked_key_and_a_lost_role_end_at_once() {
    let server = Server::start().await;
    let token = server.found("A", "ada@example.com").await;
    let create = "mutation { createApiKey(input: {name: \"P\", permissions: [\"company.read\"]}) { apiKey { id } secret } }";
    let made = server.ask(&token, create, json!({})).await["createApiKey"].clone();
    let secret = made["secret"].as_str().expect("secret").to_owned();
    assert_eq!(server.ask(&secret, "{ company { name } }", json!({})).await["company"]["name"], "A");
    let (_, denied) = server.send(Some(&secret), None, "{ members { name } }", json!({})).await;
    assert_eq!(denied["errors"][0]["extensions"]["code"], "FORBIDDEN");
    let revoke = "mutation($id: ID!) { revokeApiKey(input: {apiKeyId: $id}) { apiKey { revokedAt } } }";
    server.ask(&token, revoke, json!({"id": made["apiKey"]["id"]})).await;
    let (status, _) = server.send(Some(&secret), None, "{ company { name } }", json!({})).await;
    assert_eq!(status, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn health_tells_what_answers() {
    let server = Server::start().await;
    let get = |path: &str| {
        let request = server.http.get(format!("{}{path}", server.url));
        async move { request.send().await.expect("an answer") }
    };
    assert_eq!(get("/livez").await.status(), StatusCode::OK);
    let ready = get("/readyz").await;
    assert_eq!(ready.status(), StatusCode::OK);
    let ready: Value = ready.json().await.expect("JSON");
    assert_eq!((&ready["postgres"], &ready["redis"]), (&json!("ok"), &json!("not configured")));
}
