//! Who did what, from where: the activity of a thing and the company's audit trail.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::house::{House, settle};
use crate::server::Server;

const BEFORE: &str = "Marguerite Yourcenar";
const AFTER: &str = "Marguerite de Crayencour";

const UPDATE: &str = "mutation($input: UpdatePartyInput!) { updateParty(input: $input) { party { version } replayed userErrors { code } } }";

const ACTIVITY: &str = "query($id: ID!) { party(id: $id) { activity(first: 10) { totalCount edges { node {
    sequence kind subjectId actor { kind id name } payload personalChanges { field before after }
    address agent requestId } } } } }";

/// A company with a customer of its own; the customer's id.
async fn customer(server: &Server, token: &str) -> String {
    let create = "mutation($input: CreatePartyInput!) { createParty(input: $input) { party { id } userErrors { message } } }";
    let input = json!({"isCustomer": true, "name": BEFORE, "country": "FR", "email": "m@yourcenar.example"});
    let data = server.ask(token, create, json!({"input": input})).await;
    data["createParty"]["party"]["id"].as_str().unwrap_or_else(|| panic!("{data:#}")).to_owned()
}

/// Renames the customer; the payload, and the request's id as the response tells it.
async fn rename(server: &Server, token: &str, party: &str, key: &str) -> (Value, String) {
    let variables = json!({"input": {"partyId": party, "expectedVersion": 1, "name": AFTER}});
    let request = server.http.post(format!("{}/graphql", server.url)).bearer_auth(token);
    let request = request.header("Idempotency-Key", key).header("User-Agent", "audit-test/1");
    let request = request.json(&json!({"query": UPDATE, "variables": variables}));
    let response = request.send().await.expect("an answer");
    let id = response.headers()["x-request-id"].to_str().expect("text").to_owned();
    let answer: Value = response.json().await.expect("JSON");
    assert!(answer["errors"].is_null(), "{answer:#}");
    (answer["data"]["updateParty"].clone(), id)
}

/// The activity of the customer once its newest event is sealed.
async fn sealed(server: &Server, token: &str, party: &str) -> Value {
    let began = Instant::now();
    loop {
        let data = server.ask(token, ACTIVITY, json!({"id": party})).await;
        let activity = data["party"]["activity"].clone();
        if activity["edges"][0]["node"]["sequence"].is_i64() {
            return activity;
        }
        assert!(began.elapsed() < Duration::from_secs(10), "not sealed: {activity:#}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

async fn house(server: &Server) -> (House, String) {
    let a = settle(server, "A", "ada@example.com").await;
    let party = customer(server, &a.token).await;
    (a, party)
}

#[tokio::test]
async fn a_changed_name_is_told_with_who_and_from_where() {
    let server = Server::start().await;
    let (a, party) = house(&server).await;
    let (renamed, request) = rename(&server, &a.token, &party, "rename").await;
    assert_eq!(renamed, json!({"party": {"version": 2}, "replayed": false, "userErrors": []}));

    let activity = sealed(&server, &a.token, &party).await;
    assert_eq!(activity["totalCount"], 2, "made, then renamed: {activity:#}");
    let event = &activity["edges"][0]["node"];
    let viewer = server.ask(&a.token, "{ viewer { actor { kind id name } } }", json!({})).await;
    assert_eq!(event["actor"], viewer["viewer"]["actor"]);
    assert_eq!((&event["actor"]["kind"], &event["actor"]["name"]), (&json!("PERSON"), &json!("Ada")));
    assert_eq!((&event["subjectId"], &event["kind"]), (&json!(party), &json!("party.updated")));
    assert_eq!(event["address"], "127.0.0.1");
    assert_eq!((&event["agent"], &event["requestId"]), (&json!("audit-test/1"), &json!(request)));
    assert_eq!(event["personalChanges"], json!([{"field": "name", "before": BEFORE, "after": AFTER}]));
    let made = &activity["edges"][1]["node"];
    assert!(made["sequence"].as_i64() < event["sequence"].as_i64(), "newest first: {activity:#}");
    assert_ne!(made["requestId"], event["requestId"]);

    let trail =
        "{ company { auditTrail(first: 1) { edges { node { kind subjectId address requestId } } } } }";
    let data = server.ask(&a.token, trail, json!({})).await;
    let newest =
        json!({"kind": "party.updated", "subjectId": party, "address": "127.0.0.1", "requestId": request});
    assert_eq!(data["company"]["auditTrail"]["edges"][0]["node"], newest);
}

#[tokio::test]
async fn the_companys_log_has_no_gap() {
    let server = Server::start().await;
    let (a, party) = house(&server).await;
    rename(&server, &a.token, &party, "rename").await;
    sealed(&server, &a.token, &party).await;
    let trail = "{ company { auditTrail(first: 100) { totalCount edges { node { sequence } } } } }";
    let data = server.ask(&a.token, trail, json!({})).await;
    let trail = &data["company"]["auditTrail"];
    let sequences: Vec<i64> = trail["edges"]
        .as_array()
        .expect("edges")
        .iter()
        .map(|edge| edge["node"]["sequence"].as_i64().expect("all sealed"))
        .collect();
    let newest = trail["totalCount"].as_i64().expect("a count");
    assert!(newest < 100, "the trail fits one page: {newest}");
    assert_eq!(sequences, (1..=newest).rev().collect::<Vec<_>>());
}

#[tokio::test]
async fn personal_values_are_kept_apart_from_the_log() {
    let server = Server::start().await;
    let (a, party) = house(&server).await;
    rename(&server, &a.token, &party, "rename").await;
    let activity = sealed(&server, &a.token, &party).await;
    let events = activity["edges"].as_array().expect("edges");
    let changes: Vec<_> = events.iter().map(|edge| edge["node"]["personalChanges"].to_string()).collect();
    assert!(changes[0].contains(AFTER) && changes[1].contains("m@yourcenar.example"), "{activity:#}");
    for edge in events {
        let mut told = edge["node"].clone();
        told.as_object_mut().expect("an event").remove("personalChanges");
        for personal in [BEFORE, AFTER, "m@yourcenar.example"] {
            assert!(!told.to_string().contains(personal), "{told:#}");
        }
    }
    assert_eq!(events[0]["node"]["payload"]["personal"], json!(["name"]));
    // What is hashed into the chain for good can never be erased: no event of the log holds such a value.
    let mut all = server.db.superuser().await;
    for personal in [BEFORE, AFTER, "m@yourcenar.example"] {
        let found: i64 =
            sqlx::query_scalar("SELECT count(*) FROM event WHERE position($1::bytea in payload) > 0")
                .bind(personal.as_bytes())
                .fetch_one(&mut all)
                .await
                .expect("count");
        assert_eq!(found, 0, "{personal}");
    }
}

#[tokio::test]
async fn a_role_without_audit_sees_what_happened_and_not_from_where() {
    let server = Server::start().await;
    let (a, party) = house(&server).await;
    rename(&server, &a.token, &party, "rename").await;
    let (sales, auditor) = (&a.tokens["sales"], &a.tokens["auditor"]);
    let ask = |field: &'static str| {
        format!(
            "query($id: ID!) {{ party(id: $id) {{ activity(first: 1) {{ edges {{ node {{ {field} }} }} }} }} }}"
        )
    };
    let variables = json!({"id": party});
    for field in ["kind", "at", "actor { name }", "payload", "subjectId", "sequence"] {
        server.ask(sales, &ask(field), variables.clone()).await;
    }
    for field in ["address", "agent", "requestId", "personalChanges { before after }"] {
        let (_, answer) = server.send(Some(sales), None, &ask(field), variables.clone()).await;
        assert_eq!(answer["errors"][0]["extensions"]["code"], "FORBIDDEN", "{field}: {answer:#}");
        for hidden in ["127.0.0.1", "audit-test", BEFORE, AFTER] {
            assert!(!answer.to_string().contains(hidden), "{field}: {answer:#}");
        }
        server.ask(auditor, &ask(field), variables.clone()).await;
    }
    let trail = "{ company { auditTrail(first: 1) { edges { node { kind } } } } }";
    let (_, answer) = server.send(Some(sales), None, trail, json!({})).await;
    assert_eq!(answer["errors"][0]["extensions"]["code"], "FORBIDDEN", "{answer:#}");
    server.ask(auditor, trail, json!({})).await;
}

#[tokio::test]
async fn a_replay_appends_no_second_event() {
    let server = Server::start().await;
    let (a, party) = house(&server).await;
    rename(&server, &a.token, &party, "once").await;
    let first = sealed(&server, &a.token, &party).await;
    let (again, _) = rename(&server, &a.token, &party, "once").await;
    assert_eq!(again, json!({"party": {"version": 2}, "replayed": true, "userErrors": []}));
    assert_eq!(sealed(&server, &a.token, &party).await, first);
    // The same without the key would have been a second change: it is a conflict, and no event either.
    let (other, _) = rename(&server, &a.token, &party, "other").await;
    assert_eq!(other["userErrors"], json!([{"code": "CONFLICT"}]));
    assert_eq!(sealed(&server, &a.token, &party).await, first);
}
