//! Figures as server-sent events, and what ends a stream.

use std::time::Duration;

use reqwest::{StatusCode, header};
use serde_json::{Value, json};

use crate::server::Server;
use crate::socket::Client;

const FIGURES: &str = "subscription { kpis { revision snapshot kpis { key } } }";

/// An event stream, read event by event.
struct Events(reqwest::Response, String);

impl Events {
    async fn open(server: &Server, token: &str, last: Option<&str>) -> Self {
        let request = server.http.post(format!("{}/graphql", server.url)).bearer_auth(token);
        let request = request.header(header::ACCEPT, "text/event-stream").json(&json!({"query": FIGURES}));
        let request = last.into_iter().fold(request, |request, id| request.header("Last-Event-ID", id));
        let response = request.send().await.expect("an answer");
        assert_eq!(response.status(), StatusCode::OK);
        assert!(
            response.headers()[header::CONTENT_TYPE].to_str().expect("text").starts_with("text/event-stream")
        );
        Self(response, String::new())
    }

    /// The next event with data: its id and its data; `None` at the end.
    async fn next(&mut self) -> Option<(Option<String>, Value)> {
        loop {
            if let Some((event, rest)) = self.1.split_once("\n\n") {
                let (event, rest) = (event.to_owned(), rest.to_owned());
                self.1 = rest;
                let field = |name: &str| {
                    event.lines().find_map(|line| line.strip_prefix(name)).map(|v| v.trim().to_owned())
                };
                if let Some(data) = field("data:").filter(|data| !data.is_empty()) {
                    return Some((field("id:"), serde_json::from_str(&data).expect("JSON")));
                }
                continue;
            }
            let chunk = tokio::time::timeout(Duration::from_secs(10), self.0.chunk())
                .await
                .expect("in time")
                .ok()??;
            self.1.push_str(std::str::from_utf8(&chunk).expect("UTF-8"));
        }
    }
}

async fn move_figures(server: &Server, token: &str) {
    let party = json!({"name": "Customer", "isCustomer": true, "country": "FR"});
    let create = "mutation($input: CreatePartyInput!) { createParty(input: $input) { party { id } userErrors { message } } }";
    let party =
        server.ask(token, create, json!({"input": party})).await["createParty"]["party"]["id"].clone();
    let today = kernel::Clock::system().today(chrono_tz::Europe::Paris).to_string();
    let payment = json!({"partyId": party, "paidOn": today, "direction": "RECEIVED", "method": "TRANSFER",
        "amount": {"amount": "12.50", "currency": "EUR"}});
    let record = "mutation($input: RecordPaymentInput!) { recordPayment(input: $input) { userErrors { code field message } } }";
    let recorded = server.ask(token, record, json!({"input": payment})).await;
    assert_eq!(recorded["recordPayment"]["userErrors"], json!([]), "{recorded:#}");
}

#[tokio::test]
async fn figures_come_as_events_and_go_on_after_the_last_one() {
    let server = Server::start().await;
    let token = server.found("A", "ada@example.com").await;
    let mut events = Events::open(&server, &token, None).await;
    let (id, first) = events.next().await.expect("a snapshot");
    assert_eq!(first["data"]["kpis"]["snapshot"], true);
    let id = id.expect("an id");
    assert_eq!(json!(id), json!(first["data"]["kpis"]["revision"].to_string()));
    move_figures(&server, &token).await;
    let (moved, change) = events.next().await.expect("a change");
    assert_eq!(change["data"]["kpis"]["snapshot"], false, "{change:#}");
    drop(events);
    // Who comes back with the first id is told what has changed since, and not all again.
    let mut again = Events::open(&server, &token, Some(&id)).await;
    let (resumed, change) = again.next().await.expect("what was missed");
    assert_eq!(change["data"]["kpis"]["snapshot"], false, "{change:#}");
    assert!(resumed >= moved);
}

#[tokio::test]
async fn a_token_that_ends_ends_its_streams_within_seconds() {
    let server = Server::start().await;
    let token = server.found("A", "ada@example.com").await;
    let mut socket = Client::follow(&server, &token).await;
    let mut events = Events::open(&server, &token, None).await;
    assert!(events.next().await.is_some());
    server.ask(&token, "mutation { signOut { signedOut } }", json!({})).await;
    let closed = tokio::time::timeout(Duration::from_secs(6), async {
        loop {
            let message = socket.next().await;
            if message["type"] == "close" {
                return message;
            }
        }
    });
    let closed = closed.await.expect("closed in time");
    assert_eq!(closed["code"], 4403, "{closed:#}");
    let ended =
        tokio::time::timeout(Duration::from_secs(6), async { while events.next().await.is_some() {} });
    ended.await.expect("ended in time");
}

#[tokio::test]
async fn a_refused_subscription_is_told_as_an_event_and_a_mutation_never_comes_by_get() {
    let server = Server::start().await;
    let token = server.found("A", "ada@example.com").await;
    let get = |query: &str| {
        let request = server.http.get(format!("{}/graphql?query={query}", server.url)).bearer_auth(&token);
        request.header(header::ACCEPT, "text/event-stream").send()
    };
    let answer = get("subscription%7Bnothing%7D").await.expect("an answer").text().await.expect("a body");
    assert!(answer.contains("GRAPHQL_VALIDATION_FAILED") && answer.contains("event: complete"), "{answer}");
    let answer =
        get("mutation%7BsignOut%7BsignedOut%7D%7D").await.expect("an answer").text().await.expect("a body");
    assert!(answer.contains("METHOD_NOT_ALLOWED"), "{answer}");
    // Nobody was signed out.
    server.ask(&token, "{ company { name } }", json!({})).await;
}
