//! OWASP, GraphQL Cheat Sheet: what is not proved by the tests of the gateway and of the edge.

use std::fmt::Write as _;
use std::time::Instant;

use reqwest::StatusCode;
use serde_json::{Value, json};

use super::found;
use crate::server::Server;

/// A document that signs in many times at once, under aliases.
fn many_sign_ins(count: usize) -> String {
    let mut document = String::from("mutation {");
    for n in 0..count {
        write!(
            document,
            " a{n}: signIn(input: {{email: \"ada@example.com\", password: \"a wrong sentence {n}\"}}) {{ session {{ token }} userErrors {{ code }} }}"
        )
        .expect("written");
    }
    document.push_str(" }");
    document
}

#[tokio::test]
async fn gql_batching_many_guesses_in_one_request_are_many_guesses() {
    let server = Server::start().await;
    found(&server, "A", "ada@example.com").await;
    let (mut heard, mut asked) = (0, 0);
    for count in [5, 10, 20, 40] {
        let (status, answer) = server.send(None, None, &many_sign_ins(count), json!({})).await;
        let Some(data) = answer["data"].as_object() else {
            assert!(answer["errors"].is_array(), "refused as a whole: {status} {answer:#}");
            continue;
        };
        asked += data.len();
        let wrong = |payload: &&Value| payload["userErrors"][0]["code"] == "WRONG_CREDENTIALS";
        heard += data.values().filter(wrong).count();
    }
    assert!(asked == 0 || heard <= 12, "{heard} of {asked} guesses were heard");
    // Requests do not come in lists.
    let list = json!([{"query": "{ __typename }"}, {"query": "{ __typename }"}]);
    let answer =
        server.http.post(format!("{}/graphql", server.url)).json(&list).send().await.expect("an answer");
    assert_eq!(answer.status(), StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn gql_configuration_the_explorer_is_off_unless_the_operator_says_so() {
    let server = Server::start().await;
    let get = |url: String| server.http.get(format!("{url}/graphql")).header("accept", "text/html");
    let page = get(server.url.clone()).send().await.expect("an answer");
    assert!(!page.text().await.expect("text").to_lowercase().contains("graphiql"));
    let shown = server.replica(&["--graphiql", "true"]);
    let page = get(shown.url.clone()).send().await.expect("an answer");
    assert!(page.text().await.expect("text").to_lowercase().contains("graphiql"));
}

#[tokio::test]
async fn gql_node_an_id_alone_opens_nothing() {
    let server = Server::start().await;
    let a = found(&server, "A", "ada@example.com").await;
    let create =
        "mutation { createParty(input: {name: \"P\", country: \"FR\", isCustomer: true}) { party { id } } }";
    let id = server.ask(&a, create, json!({})).await["createParty"]["party"]["id"].clone();
    let key = "mutation { createApiKey(input: {name: \"K\", permissions: [\"kpi.read\"]}) { secret } }";
    let key =
        server.ask(&a, key, json!({})).await["createApiKey"]["secret"].as_str().expect("a key").to_owned();
    let b = found(&server, "B", "bob@example.com").await;
    let ask = "query($id: ID!) { node(id: $id) { id ... on Party { name } } }";
    for token in [None, Some(key.as_str()), Some(b.as_str())] {
        let (_, answer) = server.send(token, None, ask, json!({"id": id})).await;
        assert!(answer["data"]["node"].is_null(), "{token:?}: {answer:#}");
        assert!(!answer.to_string().contains("\"P\""), "{answer:#}");
    }
    let own = server.ask(&a, ask, json!({"id": id})).await;
    assert_eq!(own["node"]["name"], "P");
}

#[tokio::test]
async fn gql_timeout_no_request_lasts_longer_than_it_may() {
    let server = Server::start().await;
    let token = found(&server, "A", "ada@example.com").await;
    let version =
        server.ask(&token, "{ company { version } }", json!({})).await["company"]["version"].clone();
    // Somebody holds the row that the request needs, for as long as the test lasts.
    let mut holder = server.db.superuser().await;
    let mut held = sqlx::Connection::begin(&mut holder).await.expect("begun");
    sqlx::query("SELECT 1 FROM company FOR UPDATE").execute(&mut *held).await.expect("locked");
    let rename = "mutation($input: UpdateCompanyInput!) { updateCompany(input: $input) { company { name } userErrors { code } } }";
    let input = json!({"input": {"expectedVersion": version, "name": "B"}});
    let began = Instant::now();
    let (status, answer) = server.send(Some(&token), None, rename, input).await;
    let after = began.elapsed().as_secs_f32();
    assert_eq!(status, StatusCode::GATEWAY_TIMEOUT, "{answer:#}");
    assert_eq!(answer["errors"][0]["extensions"]["code"], "TIMEOUT");
    assert!((1.0..7.0).contains(&after), "{after} seconds");
    let waiting = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'";
    let mut left = 1_i64;
    for _ in 0..40 {
        left =
            sqlx::query_scalar(waiting).fetch_one(&mut server.db.superuser().await).await.expect("a number");
        if left == 0 {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    assert_eq!(left, 0, "PostgreSQL still works on it");
}
