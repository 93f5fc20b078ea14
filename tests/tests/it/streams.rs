//! Live figures over graphql-transport-ws.

use serde_json::{Value, json};

use crate::house::settle;
use crate::server::Server;
use crate::socket::Client;

fn waiting(push: &Value) -> Option<i64> {
    let figures = push["kpis"].as_array().expect("figures");
    figures
        .iter()
        .find(|figure| figure["key"] == "bills_waiting")
        .and_then(|figure| figure["value"]["records"].as_i64())
}

async fn enter_bill(server: &Server, token: &str, supplier: &str, number: u32) {
    let enter = "mutation($input: EnterBillInput!) { enterBill(input: $input) { bill { id } userErrors { message } } }";
    let input = json!({"kind": "BILL", "supplierId": supplier, "number": format!("S-{number}"), "issueDate": "2026-06-15",
        "lines": [{"description": "x", "net": "10", "category": "S", "rate": "20"}]});
    let data = server.ask(token, enter, json!({"input": input})).await;
    assert!(data["enterBill"]["bill"]["id"].is_string(), "{data:#}");
}

#[tokio::test]
async fn a_snapshot_comes_first_then_what_changes_and_a_break_is_resumed() {
    let server = Server::start().await;
    let a = settle(&server, "A", "ada@example.com").await;
    let mut client = Client::connect(&server, Some(&a.token)).await;
    assert_eq!(client.next().await["type"], "connection_ack");
    client.subscribe("1", json!({})).await;
    let first = client.push().await;
    assert_eq!((&first["snapshot"], waiting(&first)), (&json!(true), Some(1)), "{first:#}");
    let revision = first["revision"].as_i64().expect("revision");

    enter_bill(&server, &a.token, &a.ids["party"], 1).await;
    let mut changed = client.push().await;
    while waiting(&changed).is_none() {
        changed = client.push().await;
    }
    assert_eq!((&changed["snapshot"], waiting(&changed)), (&json!(false), Some(2)), "{changed:#}");
    assert!(
        changed["kpis"].as_array().expect("figures").len() < first["kpis"].as_array().expect("figures").len()
    );
    let last = changed["revision"].as_i64().expect("revision");
    assert!(last > revision);
    drop(client);

    enter_bill(&server, &a.token, &a.ids["party"], 2).await;
    let mut client = Client::connect(&server, Some(&a.token)).await;
    client.next().await;
    client.subscribe("1", json!({"after": last})).await;
    let mut resumed = client.push().await;
    while waiting(&resumed).is_none() {
        assert_eq!((&resumed["snapshot"], &resumed["gap"]), (&json!(false), &json!(false)));
        resumed = client.push().await;
    }
    assert_eq!((&resumed["snapshot"], waiting(&resumed)), (&json!(false), Some(3)));
    client.subscribe("2", json!({"after": last + 1_000_000})).await;
    let ahead = client.push().await;
    assert_eq!((&ahead["snapshot"], &ahead["gap"]), (&json!(true), &json!(true)), "{ahead:#}");
}

#[tokio::test]
async fn another_company_sees_nothing_of_it() {
    let server = Server::start().await;
    let (a, b) =
        (settle(&server, "A", "ada@example.com").await, settle(&server, "B", "bob@example.com").await);
    let mut client = Client::connect(&server, Some(&b.token)).await;
    client.next().await;
    client.subscribe("1", json!({"keys": ["bills_waiting"]})).await;
    assert_eq!(waiting(&client.push().await), Some(1));
    for number in 0..5 {
        enter_bill(&server, &a.token, &a.ids["party"], number).await;
    }
    enter_bill(&server, &b.token, &b.ids["party"], 9).await;
    assert_eq!(waiting(&client.push().await), Some(2), "the next push is B's own");
}

#[tokio::test]
async fn a_bad_token_and_an_ended_one_get_no_figures() {
    let server = Server::start().await;
    let a = settle(&server, "A", "ada@example.com").await;
    let mut stranger = Client::connect(&server, Some("cs_nonsense")).await;
    let refused = stranger.next().await;
    assert_ne!(refused["type"], "connection_ack", "{refused:#}");

    let mut nobody = Client::connect(&server, None).await;
    assert_eq!(nobody.next().await["type"], "connection_ack");
    nobody.subscribe("1", json!({})).await;
    let refused = nobody.next().await.to_string();
    assert!(refused.contains("UNAUTHENTICATED"), "{refused}");

    let sales = &a.tokens["sales"];
    let mut client = Client::connect(&server, Some(sales)).await;
    client.next().await;
    client.subscribe("1", json!({"keys": ["bills_waiting"]})).await;
    client.push().await;
    server.ask(sales, "mutation { signOut { signedOut } }", json!({})).await;
    enter_bill(&server, &a.token, &a.ids["party"], 1).await;
    let ended = client.next().await;
    assert!(ended["code"] == 4403 || ended.to_string().contains("UNAUTHENTICATED"), "{ended:#}");
}

#[tokio::test]
async fn figures_of_another_replica_arrive_over_redis() {
    let redis = testing::redis_url();
    let server = Server::start_with(&["--redis-url", &redis]).await;
    let a = settle(&server, "A", "ada@example.com").await;
    let reader = server.replica(&["--redis-url", &redis, "--workers", "false"]);
    let mut client = Client::connect_to(&reader.url, Some(&a.token)).await;
    client.next().await;
    client.subscribe("1", json!({"keys": ["bills_waiting"]})).await;
    client.push().await;
    enter_bill(&server, &a.token, &a.ids["party"], 1).await;
    assert_eq!(waiting(&client.push().await), Some(2));
}
