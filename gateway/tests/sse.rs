//! Event streams of GraphQL over SSE, as clients meet them.

mod streams;

use std::time::{Duration, Instant};

use gateway::socket::Settings;
use serde_json::{Value, json};
use streams::{Server, resident, serve, settings, until};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

const SHORT: Duration = Duration::from_millis(300);
const PATIENCE: Duration = Duration::from_secs(10);

/// An event stream that is read.
struct Events {
    response: reqwest::Response,
    text: String,
}

fn post(server: &Server, query: &str) -> reqwest::RequestBuilder {
    let client = reqwest::Client::new();
    let request = client.post(format!("http://{}/sse", server.address));
    request
        .header("accept", "text/event-stream")
        .header("authorization", "a")
        .header("content-type", "application/json")
        .body(json!({ "query": query }).to_string())
}

impl Events {
    async fn open(request: reqwest::RequestBuilder) -> Self {
        let response = request.send().await.expect("an answer");
        assert_eq!(response.status(), 200);
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        assert_eq!(response.headers()["cache-control"], "no-store");
        let mut events = Self { response, text: String::new() };
        assert_eq!(events.next().await.expect("open"), "retry: 1000");
        events
    }

    /// The next block of lines, as it came. None at the end of the stream.
    async fn next(&mut self) -> Option<String> {
        loop {
            if let Some((block, rest)) = self.text.split_once("\n\n") {
                let (block, rest) = (block.to_owned(), rest.to_owned());
                self.text = rest;
                return Some(block);
            }
            let chunk = tokio::time::timeout(PATIENCE, self.response.chunk()).await.expect("in time");
            let Some(chunk) = chunk.expect("a clean end") else {
                assert_eq!(self.text, "", "ends within an event");
                return None;
            };
            self.text.push_str(std::str::from_utf8(&chunk).expect("text"));
        }
    }

    /// The data of the next event, which is a `next` without id.
    async fn data(&mut self) -> Value {
        let block = self.next().await.expect("open");
        let data = block.strip_prefix("event: next\ndata: ").unwrap_or_else(|| panic!("{block}"));
        serde_json::from_str(data).expect("JSON")
    }

    /// Expects the end of the operation, and nothing after.
    async fn completes(mut self) {
        assert_eq!(self.next().await.as_deref(), Some("event: complete\ndata:"));
        assert_eq!(self.next().await, None);
    }
}

#[tokio::test]
async fn subscriptions_queries_and_mutations_are_answered_by_next_and_complete() {
    let server = serve(settings()).await;
    let mut events = Events::open(post(&server, "subscription { count(to: 3) }")).await;
    for n in 1..=3 {
        assert_eq!(events.data().await, json!({ "data": { "count": n } }));
    }
    events.completes().await;
    let mut events = Events::open(post(&server, "{ hello }")).await;
    assert_eq!(events.data().await, json!({ "data": { "hello": "world" } }));
    events.completes().await;
    let mut events = Events::open(post(&server, "mutation { rename(name: \"new\") }")).await;
    assert_eq!(events.data().await, json!({ "data": { "rename": "new" } }));
    events.completes().await;
    let get = reqwest::Client::new().get(format!("http://{}/sse?query=%7Bhello%7D", server.address));
    let mut events =
        Events::open(get.header("accept", "text/event-stream").header("authorization", "a")).await;
    assert_eq!(events.data().await, json!({ "data": { "hello": "world" } }));
    events.completes().await;
    until("all have ended", || server.hub.open() == 0).await;
}

#[tokio::test]
async fn errors_are_told_in_next_and_those_of_the_request_without_data() {
    let server = serve(settings()).await;
    for query in ["{", "{ unknown }", "subscription { unknown }"] {
        let mut events = Events::open(post(&server, query)).await;
        let answer = events.data().await;
        assert!(answer["errors"][0]["message"].is_string() && answer.get("data").is_none(), "{answer}");
        events.completes().await;
    }
    let mut events = Events::open(post(&server, "{ fails }")).await;
    let answer = events.data().await;
    assert_eq!(answer.get("data"), Some(&Value::Null), "it was executed");
    assert_eq!(answer["errors"][0]["message"], "no such thing");
    events.completes().await;
    let response = post(&server, &"#".repeat(1_001)).send().await.expect("an answer");
    assert_eq!(response.headers()["content-type"], "text/event-stream");
    let text = response.text().await.expect("text");
    assert!(text.starts_with("event: next\ndata: {\"errors\":[") && text.contains("TOO_LONG"), "{text}");
    assert!(text.ends_with("\n\nevent: complete\ndata:\n\n"), "{text}");
}

#[tokio::test]
async fn events_carry_their_revision_and_are_resumed_after_it() {
    let server = serve(settings()).await;
    server.house.revision.send_replace(7);
    let follow = || post(&server, "subscription { figure { revision } }");
    let mut events = Events::open(follow()).await;
    let seven = "event: next\nid: 7\ndata: {\"data\":{\"figure\":{\"revision\":7}}}";
    assert_eq!(events.next().await.as_deref(), Some(seven));
    drop(events);
    let mut events = Events::open(follow().header("last-event-id", "7")).await;
    server.house.revision.send_replace(8);
    let eight = "event: next\nid: 8\ndata: {\"data\":{\"figure\":{\"revision\":8}}}";
    assert_eq!(events.next().await.as_deref(), Some(eight));
}

#[tokio::test]
async fn who_may_not_follow_is_refused_before_anything_is_executed() {
    let limits =
        Settings { most_connections: 3, most_connections_of_client: 1, init_within: SHORT, ..settings() };
    let server = serve(limits).await;
    let ask = |token: &str| post(&server, "subscription { never }").header("authorization", token.to_owned());
    let as_is = |token: &str| {
        let mut request = ask("x").build().expect("a request");
        request.headers_mut().insert("authorization", token.parse().expect("a value"));
        reqwest::Client::new().execute(request)
    };
    let refused = async |token: &str| {
        let response = as_is(token).await.expect("an answer");
        (response.status().as_u16(), response.text().await.expect("text"))
    };
    assert_eq!(refused("away").await, (503, "UNAVAILABLE".into()));
    assert_eq!(refused("hangs").await, (503, "UNAVAILABLE".into()));
    let mut nobody = ask("x").build().expect("a request");
    nobody.headers_mut().remove("authorization");
    let nobody = reqwest::Client::new().execute(nobody).await.expect("an answer");
    assert_eq!(
        (nobody.status().as_u16(), nobody.text().await.expect("text")),
        (401, "UNAUTHENTICATED".into())
    );
    let _a = Events::open(post(&server, "subscription { never }")).await;
    assert_eq!(refused("a").await, (429, "TOO_MANY_STREAMS".into()));
    let (_b, _c) = (as_is("b").await.expect("room"), as_is("c").await.expect("room"));
    assert_eq!(refused("d").await, (503, "UNAVAILABLE".into()));
    assert_eq!(server.house.alive(), 3);
    let plain = reqwest::Client::new().post(format!("http://{}/sse", server.address));
    let plain = plain.header("accept", "text/event-stream;q=0, */*").send().await.expect("an answer");
    assert_eq!(plain.status(), 406);
}

#[tokio::test]
async fn a_stream_with_nothing_to_say_sends_comments() {
    let server = serve(Settings { comment_every: SHORT / 3, ..settings() }).await;
    let mut events = Events::open(post(&server, "subscription { never }")).await;
    let started = Instant::now();
    for _ in 0..3 {
        assert_eq!(events.next().await.as_deref(), Some(":"));
    }
    assert!(started.elapsed() >= SHORT);
}

#[tokio::test]
async fn who_hangs_up_is_forgotten_at_once() {
    let server = serve(settings()).await;
    let events = Events::open(post(&server, "subscription { never }")).await;
    until("it runs", || server.house.alive() == 1).await;
    drop(events);
    until("it is dropped", || server.house.alive() == 0 && server.hub.open() == 0).await;
}

#[tokio::test]
async fn a_revoked_token_ends_its_streams_and_says_so() {
    let server = serve(settings()).await;
    for query in ["subscription { never }", "subscription { ticks(ms: 1) }"] {
        server.house.revoked.lock().expect("unpoisoned").clear();
        let mut events = Events::open(post(&server, query)).await;
        tokio::time::sleep(SHORT).await;
        *server.house.unsure.lock().expect("unpoisoned") = true;
        server.house.revoke("a");
        tokio::time::sleep(SHORT).await;
        assert_eq!(server.hub.open(), 1, "who cannot be looked up stays");
        *server.house.unsure.lock().expect("unpoisoned") = false;
        let mut answer = events.data().await;
        while answer.get("data").is_some() {
            answer = events.data().await;
        }
        assert_eq!(answer["errors"][0]["message"], "the token was revoked");
        assert_eq!(answer["errors"][0]["extensions"]["code"], "UNAUTHENTICATED");
        events.completes().await;
        until("it is dropped", || server.house.alive() == 0 && server.hub.open() == 0).await;
    }
}

#[tokio::test]
async fn when_the_server_ends_streams_end_so_that_clients_come_again() {
    let server = serve(settings()).await;
    let mut events = Events::open(post(&server, "subscription { never }")).await;
    until("it runs", || server.house.alive() == 1).await;
    server.hub.close();
    let retry = events.next().await.expect("a hint");
    let after: u64 = retry.strip_prefix("retry: ").expect("a hint").parse().expect("milliseconds");
    assert!((1_000..=4_000).contains(&after), "{after}");
    assert_eq!(events.next().await, None, "and no complete");
    tokio::time::timeout(SHORT * 4, server.hub.drained()).await.expect("all have ended");
    let response = post(&server, "{ hello }").send().await.expect("an answer");
    assert_eq!(response.status(), 503);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_that_stops_reading_is_dropped_and_costs_no_memory_until_then() {
    let server = serve(Settings { write_within: SHORT * 10, ..settings() }).await;
    let before = resident();
    let mut client = TcpStream::connect(server.address).await.expect("a connection");
    let body = json!({ "query": "subscription { hot(bytes: 65536) { revision text } }" }).to_string();
    let head = "POST /sse HTTP/1.1\r\nhost: localhost\r\nauthorization: a\r\naccept: text/event-stream\r\n";
    let request = format!("{head}content-length: {}\r\n\r\n{body}", body.len());
    client.write_all(request.as_bytes()).await.expect("sent");
    until("it runs", || server.house.produced() > 0).await;
    tokio::time::sleep(SHORT * 4).await;
    assert_eq!(server.house.alive(), 1, "it has its time");
    let produced = server.house.produced();
    assert!(produced < 1_000, "{produced} of 64 KiB were made, and what the kernel holds is taken");
    let grown = resident().saturating_sub(before);
    assert!(grown < 64 << 20, "{grown} bytes more");
    until("dropped", || server.hub.open() == 0 && server.house.alive() == 0).await;
    // The listener's limit is a second longer: then the connection ends, too, in the midst of the response.
    tokio::time::sleep(Duration::from_secs(2)).await;
    let mut rest = Vec::new();
    let ended = tokio::time::timeout(PATIENCE, client.read_to_end(&mut rest)).await.expect("in time");
    assert!(ended.is_err() || !rest.ends_with(b"0\r\n\r\n"), "cut off");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_slow_client_gets_the_newest_state_and_not_all_between() {
    let server = serve(settings()).await;
    let mut events =
        Events::open(post(&server, "subscription { figure(bytes: 65536) { revision text } }")).await;
    for revision in 2..=2_000 {
        server.house.revision.send_replace(revision);
        tokio::time::sleep(Duration::from_micros(200)).await;
    }
    let mut received = 0;
    while !events.next().await.expect("open").starts_with("event: next\nid: 2000\n") {
        received += 1;
    }
    assert!(received < 1_500, "{received} of 2,000");
}
