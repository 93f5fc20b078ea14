//! `Idempotency-Key` over HTTP: one effect for one key, whoever sends it again, and whenever.

use futures_util::future::join_all;
use serde_json::{Value, json};

use crate::server::{Server, UNLIMITED};

const CREATE: &str = "mutation($input: CreatePartyInput!) { createParty(input: $input)
    { party { id } replayed userErrors { code } } }";

fn input(name: &str) -> Value {
    json!({"input": {"isCustomer": true, "name": name, "country": "FR"}})
}

async fn parties(server: &Server, token: &str) -> i64 {
    let data = server.ask(token, "{ parties(first: 1) { totalCount } }", json!({})).await;
    data["parties"]["totalCount"].as_i64().expect("a count")
}

#[tokio::test(flavor = "multi_thread")]
async fn of_twenty_twins_one_works_and_the_others_are_told_the_same_or_to_come_again() {
    let server = Server::start_with(&UNLIMITED).await;
    let token = server.found("A", "ada@example.com").await;
    let twins = join_all((0..20).map(|_| server.send(Some(&token), Some("one"), CREATE, input("P")))).await;
    let (mut fresh, mut ids) = (0, Vec::new());
    for (status, answer) in &twins {
        if answer["errors"].is_null() {
            let payload = &answer["data"]["createParty"];
            fresh += usize::from(payload["replayed"] == false);
            ids.push(payload["party"]["id"].clone());
        } else {
            assert_eq!(
                answer["errors"][0]["extensions"]["code"], "IDEMPOTENCY_KEY_BUSY",
                "{status} {answer:#}"
            );
        }
    }
    assert_eq!(fresh, 1, "{twins:?}");
    assert!(ids.len() >= 2 && ids.iter().all(|id| id.is_string() && id == &ids[0]), "{ids:?}");
    assert_eq!(parties(&server, &token).await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn of_twins_with_unlike_input_one_works_and_the_others_are_told_of_the_other_input() {
    let server = Server::start_with(&UNLIMITED).await;
    let token = server.found("A", "ada@example.com").await;
    let names: Vec<_> = (0..10).map(|n| format!("P{n}")).collect();
    let twins =
        join_all(names.iter().map(|name| server.send(Some(&token), Some("one"), CREATE, input(name)))).await;
    let done = twins.iter().filter(|(_, answer)| answer["errors"].is_null()).count();
    assert_eq!(done, 1, "{twins:?}");
    for (_, answer) in twins.iter().filter(|(_, answer)| !answer["errors"].is_null()) {
        let code = answer["errors"][0]["extensions"]["code"].as_str().unwrap_or_default();
        assert!(["IDEMPOTENCY_KEY_REUSED", "IDEMPOTENCY_KEY_BUSY"].contains(&code), "{answer:#}");
    }
    assert_eq!(parties(&server, &token).await, 1);
}

#[tokio::test]
async fn a_key_that_cannot_be_kept_is_refused_and_nothing_is_done() {
    let server = Server::start_with(&UNLIMITED).await;
    let token = server.found("A", "ada@example.com").await;
    let (long, longest) = ("k".repeat(256), "k".repeat(255));
    let bad: [&[u8]; 6] = [b"", long.as_bytes(), b"a\tb", "clé".as_bytes(), b"\xff\xfe", b"a\x80"];
    for key in bad {
        let request = server.http.post(format!("{}/graphql", server.url)).bearer_auth(&token);
        let request = request
            .header("Idempotency-Key", reqwest::header::HeaderValue::from_bytes(key).expect("a header"));
        let response =
            request.json(&json!({"query": CREATE, "variables": input("P")})).send().await.expect("an answer");
        let answer: Value = response.json().await.expect("JSON");
        let error = &answer["errors"][0]["extensions"];
        assert_eq!(
            (&error["code"], &error["field"]),
            (&json!("BAD_USER_INPUT"), &json!("Idempotency-Key")),
            "{answer:#}"
        );
    }
    assert_eq!(parties(&server, &token).await, 0);
    let (_, answer) = server.send(Some(&token), Some(&longest), CREATE, input("P")).await;
    assert!(answer["errors"].is_null(), "{answer:#}");
    assert_eq!(parties(&server, &token).await, 1);
}

#[tokio::test]
async fn a_key_is_its_clients_own_in_a_company_and_over_a_restart() {
    let mut server = Server::start_with(&UNLIMITED).await;
    let (a, b) = (server.found("A", "ada@example.com").await, server.found("B", "bob@example.com").await);
    let make = "mutation { createApiKey(input: {name: \"K\", permissions: [\"parties.write\", \"parties.read\"]}) { secret userErrors { message } } }";
    let program = server.ask(&a, make, json!({})).await["createApiKey"]["secret"]
        .as_str()
        .expect("a secret")
        .to_owned();
    let mut first = Vec::new();
    for token in [&a, &b, &program] {
        let (_, answer) = server.send(Some(token), Some("one"), CREATE, input("P")).await;
        assert_eq!(
            answer["data"]["createParty"]["replayed"], false,
            "each has an effect of its own: {answer:#}"
        );
        first.push(answer["data"]["createParty"]["party"]["id"].clone());
    }
    assert_eq!((parties(&server, &a).await, parties(&server, &b).await), (2, 1));
    server.crash();
    server.restart(&UNLIMITED);
    for (token, id) in [&a, &b, &program].into_iter().zip(&first) {
        let (_, answer) = server.send(Some(token), Some("one"), CREATE, input("P")).await;
        let payload = &answer["data"]["createParty"];
        assert_eq!((&payload["replayed"], &payload["party"]["id"]), (&json!(true), id), "{answer:#}");
    }
    // Another input is refused to who has used the key, and to nobody else.
    let (_, answer) = server.send(Some(&b), Some("one"), CREATE, input("Q")).await;
    assert_eq!(answer["errors"][0]["extensions"]["code"], "IDEMPOTENCY_KEY_REUSED");
    assert_eq!((parties(&server, &a).await, parties(&server, &b).await), (2, 1));
}

#[tokio::test]
async fn two_keys_in_one_request_are_none() {
    let server = Server::start_with(&UNLIMITED).await;
    let token = server.found("A", "ada@example.com").await;
    // Whoever stands between may make one line of the two: a repetition would then have another key.
    let request = server.http.post(format!("{}/graphql", server.url)).bearer_auth(&token);
    let request = request.header("Idempotency-Key", "one").header("Idempotency-Key", "two");
    let response =
        request.json(&json!({"query": CREATE, "variables": input("P")})).send().await.expect("an answer");
    let answer: Value = response.json().await.expect("JSON");
    assert_eq!(answer["errors"][0]["extensions"]["code"], "BAD_USER_INPUT", "{answer:#}");
    assert_eq!(parties(&server, &token).await, 0);
}
