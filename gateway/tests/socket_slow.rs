//! Sockets that are busy, and clients that are slow.

mod streams;

use std::time::{Duration, Instant};

use gateway::socket::Settings;
use serde_json::json;
use streams::{resident, serve, settings, until};

const SHORT: Duration = Duration::from_millis(300);

#[tokio::test]
async fn a_hot_operation_starves_neither_its_neighbours_nor_the_client() {
    let server = serve(settings()).await;
    let mut client = server.connect("a").await;
    client.subscribe("hot", "subscription { hot(bytes: 100) { revision text } }").await;
    client.next().await;
    for n in 0..99 {
        client.subscribe(&n.to_string(), "subscription { ticks(ms: 20) }").await;
    }
    let mut ticks = [0_i64; 99];
    let mut hot = 0;
    let started = Instant::now();
    while ticks.iter().any(|ticks| *ticks < 10) {
        assert!(started.elapsed() < Duration::from_secs(10), "starved: {ticks:?}");
        let message = client.next().await;
        match message["id"].as_str().expect("an id") {
            "hot" => hot += 1,
            id => ticks[id.parse::<usize>().expect("a number")] += 1,
        }
    }
    let spread = ticks.iter().max().expect("some") - ticks.iter().min().expect("some");
    assert!(spread <= 20, "the neighbours get the same: {ticks:?}");
    assert!(hot > 1_000, "and it is hot: {hot}");
    client.send(json!({ "type": "ping" })).await;
    // It comes after what the kernel holds of the hot one.
    let answered = async { while client.next().await["type"] != "pong" {} };
    tokio::time::timeout(Duration::from_secs(10), answered).await.expect("the client gets its turn");
    client.complete("hot").await;
    until("the hot one is dropped", || server.house.alive() == 0).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_that_stops_reading_is_dropped_and_costs_no_memory_until_then() {
    let server = serve(Settings { write_within: SHORT * 10, close_within: SHORT, ..settings() }).await;
    let mut other = server.connect("b").await;
    let mut client = server.connect("a").await;
    let before = resident();
    client.subscribe("1", "subscription { hot(bytes: 65536) { revision text } }").await;
    client.next().await;
    until("it runs", || server.house.alive() == 1).await;
    tokio::time::sleep(SHORT * 4).await;
    assert_eq!(server.house.alive(), 1, "it has its time");
    let produced = server.house.produced();
    assert!(produced < 1_000, "{produced} of 64 KiB were made, and what the kernel holds is taken");
    other.serves().await;
    let grown = resident().saturating_sub(before);
    assert!(grown < 64 << 20, "{grown} bytes more");
    until("dropped", || server.hub.open() == 1 && server.house.alive() == 0).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_that_does_not_read_is_heard() {
    let server = serve(settings()).await;
    let mut client = server.connect("a").await;
    client.subscribe("1", "subscription { hot(bytes: 65536) { revision text } }").await;
    until("it runs", || server.house.produced() > 0).await;
    tokio::time::sleep(SHORT).await;
    client.send(json!({ "type": "pong" })).await;
    client.complete("1").await;
    until("it is dropped", || server.house.alive() == 0).await;
    // What needs an answer waits for its turn, and is not lost.
    client.send(json!({ "type": "ping", "payload": { "n": 1 } })).await;
    client.send(json!({ "type": "ping", "payload": { "n": 2 } })).await;
    for n in 1..=2 {
        let mut answer = client.next().await;
        while answer["type"] == "next" {
            answer = client.next().await;
        }
        assert_eq!(answer, json!({ "type": "pong", "payload": { "n": n } }));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_reads_again_is_told_that_it_was_too_slow() {
    let server = serve(Settings { write_within: SHORT, ..settings() }).await;
    let mut client = server.connect("a").await;
    client.subscribe("1", "subscription { hot(bytes: 65536) { revision text } }").await;
    until("too slow", || server.house.produced() > 0 && server.house.alive() == 0).await;
    let (code, reason) = client.closed().await;
    assert_eq!((code, reason.contains("read")), (4008, true), "{reason}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_slow_client_gets_the_newest_state_and_not_all_between() {
    let server = serve(settings()).await;
    let mut client = server.connect("a").await;
    client.subscribe("1", "subscription { figure(bytes: 65536) { revision text } }").await;
    for revision in 2..=2_000 {
        server.house.revision.send_replace(revision);
        tokio::time::sleep(Duration::from_micros(200)).await;
    }
    let mut received = 0;
    loop {
        let revision = client.next().await["payload"]["data"]["figure"]["revision"].clone();
        received += 1;
        if revision == 2_000 {
            break;
        }
    }
    assert!(received < 1_500, "{received} of 2,000");
    client.serves().await;
}
