//! What is said about rights acts at once: these servers ask by themselves only once an hour.

mod streams;

use std::sync::atomic::Ordering;
use std::time::Duration;

use gateway::socket::Settings;
use serde_json::json;
use streams::{Client, Server, serve, until};

async fn rarely() -> Server {
    serve(Settings { verify_every: Duration::from_hours(1), ..Settings::default() }).await
}

fn verified(server: &Server) -> usize {
    server.house.verified.load(Ordering::SeqCst)
}

/// An event stream of `a` that has begun.
async fn follow(server: &Server, query: &str) -> reqwest::Response {
    let request = reqwest::Client::new().post(format!("http://{}/sse", server.address));
    let request = request.header("accept", "text/event-stream").header("authorization", "a");
    let mut response = request.body(json!({ "query": query }).to_string()).send().await.expect("an answer");
    assert_eq!(response.chunk().await.expect("a stream").as_deref(), Some(&b"retry: 1000\n\n"[..]));
    response
}

#[tokio::test]
async fn whoever_is_revoked_is_closed_and_whoever_is_not_stays() {
    let server = rarely().await;
    let mut sockets: Vec<Client> = Vec::new();
    for token in ["a", "a", "b"] {
        sockets.push(server.connect(token).await);
    }
    sockets[0].subscribe("1", "subscription { never }").await;
    until("it runs", || server.house.alive() == 1).await;
    server.house.revoke("a");
    server.hub.doubt();
    assert_eq!(sockets[0].closed().await, (4403, "the token was revoked".to_owned()));
    assert_eq!(sockets[1].closed().await.0, 4403);
    sockets[2].serves().await;
    // And once more: a doubt is no single event.
    server.house.revoke("b");
    server.hub.doubt();
    assert_eq!(sockets[2].closed().await.0, 4403);
    assert_eq!(server.house.alive(), 0);
}

#[tokio::test]
async fn event_streams_are_ended_as_well_silent_or_busy() {
    let server = rarely().await;
    for query in ["subscription { never }", "subscription { hot(bytes: 10) { revision } }"] {
        server.house.revoked.lock().expect("unpoisoned").clear();
        let mut events = follow(&server, query).await;
        server.house.revoke("a");
        server.hub.doubt();
        let mut said = String::new();
        while let Some(chunk) = tokio::time::timeout(Duration::from_secs(10), events.chunk())
            .await
            .expect("in time")
            .expect("a clean end")
        {
            said.push_str(std::str::from_utf8(&chunk).expect("text"));
        }
        assert!(said.contains("UNAUTHENTICATED") && said.ends_with("event: complete\ndata:\n\n"), "{said}");
    }
}

#[tokio::test]
async fn who_is_not_concerned_is_not_asked_about() {
    let server = rarely().await;
    let (mut a, mut b) = (server.connect("a").await, server.connect("b").await);
    *server.house.concerned.lock().expect("unpoisoned") = Some("a".to_owned());
    server.hub.doubt();
    until("a is asked about", || verified(&server) == 1).await;
    a.serves().await;
    b.serves().await;
    assert_eq!(verified(&server), 1);
}

#[tokio::test]
async fn an_answer_that_was_found_before_the_doubt_does_not_count() {
    let server = rarely().await;
    let mut client = server.connect("a").await;
    server.house.held.send_replace(true);
    server.hub.doubt();
    until("it is asked", || verified(&server) == 1).await;
    // The answer under way says that all is well. What is revoked now is asked about again.
    server.house.revoke("a");
    server.hub.doubt();
    server.house.held.send_replace(false);
    assert_eq!(client.closed().await.0, 4403);
    assert_eq!(verified(&server), 2);
}

#[tokio::test]
async fn the_end_of_the_server_is_heard_after_a_doubt() {
    let server = rarely().await;
    let (mut socket, mut events) =
        (server.connect("a").await, follow(&server, "subscription { never }").await);
    server.hub.doubt();
    until("both are asked about", || verified(&server) == 2).await;
    server.hub.close();
    assert_eq!(socket.closed().await.0, 1001);
    assert!(events.chunk().await.expect("a clean end").is_some_and(|last| last.starts_with(b"retry: ")));
    assert_eq!(events.chunk().await.expect("a clean end"), None);
}
