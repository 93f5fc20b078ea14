//! Sockets of graphql-transport-ws, as clients meet them.

mod streams;

use std::time::{Duration, Instant};

use futures_util::{SinkExt, StreamExt};
use gateway::socket::Settings;
use serde_json::{Value, json};
use streams::{Server, serve, settings, until};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::frame::CloseFrame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;

const SHORT: Duration = Duration::from_millis(300);

/// A connection on which a handshake was sent as text. Answers the head of the response.
async fn shake(server: &Server, lines: &[&str]) -> (TcpStream, String) {
    let mut stream = TcpStream::connect(server.address).await.expect("a connection");
    let request = format!("GET /ws HTTP/1.1\r\nhost: localhost\r\n{}\r\n\r\n", lines.join("\r\n"));
    stream.write_all(request.as_bytes()).await.expect("sent");
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.expect("a response"));
    }
    (stream, String::from_utf8(head).expect("text").to_lowercase())
}

const UPGRADE: &str = "connection: keep-alive, Upgrade\r\nupgrade: WebSocket";
const KEY: &str = "sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==";
const VERSION: &str = "sec-websocket-version: 13";
const PROTOCOL: &str = "sec-websocket-protocol: graphql-ws, graphql-transport-ws";

/// Sends bytes over a socket of which no library keeps the frames in order, and answers the code it is closed with.
async fn code_for(server: &Server, bytes: &[u8]) -> u16 {
    let (mut stream, _) = shake(server, &[UPGRADE, KEY, VERSION, PROTOCOL]).await;
    stream.write_all(bytes).await.expect("sent");
    close_code(&mut stream).await
}

/// Reads frames without answering, until the close frame.
async fn close_code(stream: &mut TcpStream) -> u16 {
    loop {
        let (opcode, length) =
            (stream.read_u8().await.expect("a frame") & 0x0F, stream.read_u8().await.expect("a frame"));
        let mut payload = vec![0; length.into()];
        stream.read_exact(&mut payload).await.expect("a payload");
        if opcode == 8 {
            return u16::from_be_bytes([payload[0], payload[1]]);
        }
    }
}

#[tokio::test]
async fn a_handshake_that_is_none_or_not_ours_is_told_so() {
    let server = serve(settings()).await;
    for (status, lines) in [
        ("101", vec![UPGRADE, KEY, VERSION, PROTOCOL]),
        ("101", vec![UPGRADE, KEY, VERSION, PROTOCOL, "origin: https://app.example"]),
        ("403", vec![UPGRADE, KEY, VERSION, PROTOCOL, "origin: https://evil.example"]),
        ("403", vec![UPGRADE, KEY, VERSION, PROTOCOL, "origin: null"]),
        ("400", vec![UPGRADE, KEY, VERSION]),
        ("400", vec![UPGRADE, KEY, VERSION, "sec-websocket-protocol: graphql-ws"]),
        ("400", vec![UPGRADE, VERSION, PROTOCOL]),
        ("400", vec![UPGRADE, VERSION, PROTOCOL, "sec-websocket-key: c2hvcnQ="]),
        ("426", vec![UPGRADE, KEY, PROTOCOL, "sec-websocket-version: 8"]),
        ("426", vec![KEY, VERSION, PROTOCOL]),
    ] {
        let (_, head) = shake(&server, &lines).await;
        assert!(head.starts_with(&format!("http/1.1 {status} ")), "{lines:?}: {head}");
        assert_eq!(head.contains("sec-websocket-protocol: graphql-transport-ws"), status == "101", "{head}");
        assert_eq!(head.contains("sec-websocket-version: 13"), status == "426", "{head}");
    }
}

#[tokio::test]
async fn who_does_not_say_who_it_is_in_time_is_closed_with_4408() {
    let server = serve(Settings { init_within: SHORT * 3, ..settings() }).await;
    let mut silent = server.open().await;
    let mut polite = server.connect("a").await;
    let closed = silent.closed().await;
    assert_eq!(closed, (4408, "Connection initialisation timeout".to_owned()));
    tokio::time::sleep(SHORT * 3).await;
    polite.serves().await;
}

#[tokio::test]
async fn a_second_init_is_closed_with_4429_acknowledged_or_not() {
    let server = serve(settings()).await;
    for token in ["a", "hangs"] {
        let mut client = server.open().await;
        client.init(token).await;
        client.init(token).await;
        assert_eq!(client.closed().await, (4429, "Too many initialisation requests".to_owned()), "{token}");
    }
}

#[tokio::test]
async fn an_operation_before_the_acknowledgement_is_closed_with_4401() {
    let server = serve(settings()).await;
    let mut client = server.open().await;
    client.subscribe("1", "{ hello }").await;
    assert_eq!(client.closed().await, (4401, "Unauthorized".to_owned()));
    let mut client = server.open().await;
    client.init("hangs").await;
    client.subscribe("1", "{ hello }").await;
    assert_eq!(client.closed().await, (4401, "Unauthorized".to_owned()));
}

#[tokio::test]
async fn who_may_not_connect_is_told_why_and_who_cannot_be_looked_up_to_come_again() {
    let server = serve(Settings { init_within: SHORT * 3, ..settings() }).await;
    let mut client = server.open().await;
    client.send(json!({ "type": "connection_init" })).await;
    assert_eq!(client.closed().await, (4403, "sign in first".to_owned()));
    let mut client = server.open().await;
    client.init("away").await;
    assert_eq!(client.closed().await, (1013, "come again".to_owned()));
    let mut client = server.open().await;
    client.init("hangs").await;
    assert_eq!(client.closed().await.0, 1013);
}

#[tokio::test]
async fn what_the_protocol_does_not_know_is_closed_with_4400_and_a_reason() {
    let server = serve(settings()).await;
    for (text, reason) in [
        ("{", "a message must be a JSON object"),
        (r#"{"type":"start","id":"1"}"#, "unknown `type` of message"),
        (
            r#"{"type":"subscribe","payload":{"query":"{ hello }"}}"#,
            "`id` must be a string of 1 to 256 bytes",
        ),
        (r#"{"type":"subscribe","id":"1","payload":{"query":7}}"#, "`query` must be a string"),
    ] {
        let mut client = server.connect("a").await;
        client.0.send(Message::text(text)).await.expect("sent");
        assert_eq!(client.closed().await, (4400, reason.to_owned()));
    }
}

#[tokio::test]
async fn frames_against_the_rfc_are_closed_with_its_codes() {
    let server = serve(Settings { most_message_bytes: 1_000, ..settings() }).await;
    let masked = |first: u8, payload: &[u8]| {
        let length = u8::try_from(payload.len()).expect("short");
        [&[first, 0x80 | length, 0, 0, 0, 0][..], payload].concat()
    };
    assert_eq!(code_for(&server, &masked(0x82, b"{}")).await, 1003, "binary");
    assert_eq!(code_for(&server, &[0x81, 2, b'{', b'}']).await, 1002, "unmasked");
    assert_eq!(code_for(&server, &masked(0xC1, b"{}")).await, 1002, "compressed");
    assert_eq!(code_for(&server, &masked(0x83, b"{}")).await, 1002, "unknown opcode");
    assert_eq!(code_for(&server, &masked(0x80, b"{}")).await, 1002, "continues nothing");
    assert_eq!(code_for(&server, &masked(0x09, b"")).await, 1002, "ping in fragments");
    assert_eq!(code_for(&server, &masked(0x81, b"\xFF")).await, 1007, "not UTF-8");
    assert_eq!(code_for(&server, &[0x81, 0xFE, 0x03, 0xE9]).await, 1009, "1,001 bytes, told by the head");
    assert_eq!(code_for(&server, &[0x81, 0xFF, 0xFF, 0, 0, 0, 0, 0, 0, 0]).await, 1009, "endless");
    let halves = [masked(0x01, &[b'a'; 100]), masked(0x00, &[b'a'; 100]).repeat(10)].concat();
    assert_eq!(code_for(&server, &halves).await, 1009, "in fragments");
}

#[tokio::test]
async fn a_message_in_fragments_with_a_ping_between_is_one_message() {
    let server = serve(settings()).await;
    let (mut stream, _) = shake(&server, &[UPGRADE, KEY, VERSION, PROTOCOL]).await;
    let (head, tail) = (br#"{"type":"pi"#, br#"ng"}"#);
    let mut bytes = vec![0x01, 0x8B, 0, 0, 0, 0];
    bytes.extend_from_slice(head);
    bytes.extend_from_slice(&[0x89, 0x81, 1, 0, 0, 0, b'q']);
    bytes.extend_from_slice(&[0x80, 0x84, 0, 0, 0, 0]);
    bytes.extend_from_slice(tail);
    for byte in bytes {
        stream.write_all(&[byte]).await.expect("sent");
        stream.flush().await.expect("sent");
    }
    let mut answer = [0; 3 + 2 + 15];
    stream.read_exact(&mut answer).await.expect("answers");
    assert_eq!(&answer, b"\x8A\x01p\x81\x0F{\"type\":\"pong\"}");
}

#[tokio::test]
async fn an_id_in_use_is_closed_with_4409_and_a_free_one_is_taken_again() {
    let server = serve(settings()).await;
    let mut client = server.connect("a").await;
    client.serves().await;
    client.serves().await;
    client.subscribe("1", "subscription { never }").await;
    client.complete("1").await;
    client.subscribe("1", "subscription { never }").await;
    client.serves().await;
    client.subscribe("1", "{ hello }").await;
    assert_eq!(client.closed().await, (4409, "Subscriber for 1 already exists".to_owned()));
    until("all is dropped", || server.house.alive() == 0).await;
}

#[tokio::test]
async fn queries_mutations_and_subscriptions_are_answered_by_next_and_complete() {
    let server = serve(settings()).await;
    let mut client = server.connect("a").await;
    client.serves().await;
    client
        .send(json!({ "type": "subscribe", "id": "m", "payload": {
            "query": "mutation A { rename(name: \"x\") } mutation B($name: String!) { rename(name: $name) }",
            "operationName": "B", "variables": { "name": "new" },
        } }))
        .await;
    assert_eq!(client.next().await["payload"], json!({ "data": { "rename": "new" } }));
    assert_eq!(client.next().await, json!({ "type": "complete", "id": "m" }));
    client.subscribe("s", "subscription { count(to: 3) }").await;
    for n in 1..=3 {
        let next = json!({ "type": "next", "id": "s", "payload": { "data": { "count": n } } });
        assert_eq!(client.next().await, next);
    }
    assert_eq!(client.next().await, json!({ "type": "complete", "id": "s" }));
}

#[tokio::test]
async fn a_request_that_is_not_executed_is_answered_by_error_alone() {
    let server = serve(settings()).await;
    let mut client = server.connect("a").await;
    let long = format!("{{ hello {} }}", "#".repeat(1_000));
    for query in
        ["{", "{ unknown }", "subscription { unknown }", "query A { hello } query B { hello }", &long]
    {
        client.subscribe("1", query).await;
        let answer = client.next().await;
        assert_eq!((&answer["type"], &answer["id"]), (&json!("error"), &json!("1")), "{answer}");
        assert!(answer["payload"][0]["message"].is_string(), "{answer}");
        // Were there a `complete`, it would come before this.
        client.serves().await;
    }
    client.subscribe("1", &long).await;
    assert_eq!(client.next().await["payload"][0]["extensions"]["code"], "TOO_LONG");
}

#[tokio::test]
async fn an_error_of_the_execution_is_within_next() {
    let server = serve(settings()).await;
    let mut client = server.connect("a").await;
    for (query, message, values) in [
        ("{ fails }", "no such thing", 0),
        ("subscription { broken }", "cannot be followed", 0),
        ("subscription { falters }", "lost the thread", 1),
    ] {
        client.subscribe("1", query).await;
        for _ in 0..values {
            assert_eq!(client.next().await["payload"]["errors"], Value::Null);
        }
        let answer = client.next().await;
        assert_eq!(answer["type"], "next", "{query}");
        assert_eq!(answer["payload"]["errors"][0]["message"], message);
        assert_eq!(client.next().await, json!({ "type": "complete", "id": "1" }), "{query}");
    }
}

#[tokio::test]
async fn complete_of_the_client_ends_an_operation_at_once() {
    let server = serve(settings()).await;
    let mut client = server.connect("a").await;
    for query in ["subscription { never }", "{ slow }", "subscription { hot(bytes: 10) { revision } }"] {
        client.subscribe("1", query).await;
        until("it runs", || server.house.alive() == 1).await;
        client.complete("1").await;
        until("it is dropped", || server.house.alive() == 0).await;
        client.complete("1").await;
        client.send(json!({ "type": "ping" })).await;
        while client.next().await["type"] != "pong" {}
        client.serves().await;
    }
}

#[tokio::test]
async fn a_ping_is_answered_with_its_payload_at_any_time() {
    let server = serve(settings()).await;
    let mut client = server.open().await;
    client.send(json!({ "type": "ping" })).await;
    assert_eq!(client.next().await, json!({ "type": "pong" }));
    client.init("a").await;
    client.next().await;
    client.send(json!({ "type": "ping", "payload": { "n": [1, "é"] } })).await;
    assert_eq!(client.next().await, json!({ "type": "pong", "payload": { "n": [1, "é"] } }));
    client.send(json!({ "type": "pong" })).await;
    client.0.send(Message::Ping("x".into())).await.expect("sent");
    assert_eq!(client.0.next().await.expect("open").expect("a message"), Message::Pong("x".into()));
    client.serves().await;
}

#[tokio::test]
async fn a_client_that_leaves_is_answered_and_forgotten() {
    let server = serve(settings()).await;
    let mut client = server.connect("a").await;
    client.subscribe("1", "subscription { never }").await;
    until("it runs", || server.house.alive() == 1).await;
    let leave = CloseFrame { code: CloseCode::Normal, reason: "bye".into() };
    client.0.close(Some(leave)).await.expect("sent");
    assert_eq!(client.closed().await.0, 1000);
    until("forgotten", || server.hub.open() == 0 && server.house.alive() == 0).await;

    let mut client = server.connect("a").await;
    client.subscribe("1", "subscription { never }").await;
    until("it runs", || server.house.alive() == 1).await;
    drop(client);
    until("forgotten", || server.hub.open() == 0 && server.house.alive() == 0).await;
}

#[tokio::test]
async fn who_answers_pings_stays_and_who_does_not_is_closed_with_4008() {
    let server = serve(Settings { ping_every: SHORT / 2, silence: SHORT * 4, ..settings() }).await;
    let mut client = server.connect("a").await;
    client.subscribe("1", "subscription { never }").await;
    let (mut silent, _) = shake(&server, &[UPGRADE, KEY, VERSION, PROTOCOL]).await;
    let pinged = async { (silent.read_u8().await, silent.read_u8().await) };
    assert!(matches!(pinged.await, (Ok(0x89), Ok(0))), "a ping");
    // The library answers pings while it is asked for messages.
    let polite = async { while let Some(Ok(Message::Ping(_))) = client.0.next().await {} };
    let code = tokio::select! {
        code = close_code(&mut silent) => code,
        () = polite => panic!("closed, and it answers"),
    };
    assert_eq!(code, 4008);
    client.serves().await;
}

#[tokio::test]
async fn a_message_that_does_not_end_is_closed_with_4008() {
    let server = serve(Settings { message_within: SHORT, ..settings() }).await;
    for start in
        [&[0x81_u8][..], &[0x81, 0xFE, 0x03, 0xE8, 0, 0, 0, 0, b'{'], &[0x01, 0x81, 0, 0, 0, 0, b'{']]
    {
        assert_eq!(code_for(&server, start).await, 4008);
    }
}

#[tokio::test]
async fn one_operation_too_many_is_refused_and_the_socket_stays() {
    let server = serve(Settings { most_operations: 2, most_operation_bytes: 1_500, ..settings() }).await;
    let mut client = server.connect("a").await;
    client.subscribe("1", "subscription { never }").await;
    client.subscribe("2", "subscription { never }").await;
    client.subscribe("3", "subscription { never }").await;
    let answer = client.next().await;
    assert_eq!((&answer["type"], &answer["id"]), (&json!("error"), &json!("3")));
    assert_eq!(answer["payload"][0]["extensions"]["code"], "TOO_MANY_OPERATIONS");
    client.complete("2").await;
    client.serves().await;
    client.subscribe("2", &format!("subscription {{ never }} #{}", "x".repeat(900))).await;
    client.complete("1").await;
    client.subscribe("3", &format!("subscription {{ never }} #{}", "x".repeat(900))).await;
    let answer = client.next().await;
    assert_eq!((&answer["type"], &answer["id"]), (&json!("error"), &json!("3")), "too many bytes");
    client.serves().await;
    assert_eq!(server.house.alive(), 1);
}

#[tokio::test]
async fn one_socket_too_many_is_closed_with_a_code_that_says_whose() {
    let limits = Settings {
        most_connections: 5,
        most_connections_of_client: 2,
        most_unknown_of_address: 1,
        ..settings()
    };
    let server = serve(limits).await;
    let (mut one, _two) = (server.connect("a").await, server.connect("a").await);
    let mut three = server.open().await;
    three.init("a").await;
    let (code, reason) = three.closed().await;
    assert_eq!((code, reason.as_str()), (4429, "a client has at most 2 sockets and event streams"));
    let _other = server.connect("b").await;
    until("the refused one has left", || server.hub.open() == 3).await;
    let unknown = server.open().await;
    let (code, reason) = server.open().await.closed().await;
    assert_eq!((code, reason.contains("address")), (1013, true), "{reason}");
    drop(unknown);
    until("the unknown one has left", || server.hub.open() == 3).await;
    let _more = (server.connect("c").await, server.connect("d").await);
    let (code, reason) = server.open().await.closed().await;
    assert_eq!((code, reason.contains("full")), (1013, true), "{reason}");
    one.serves().await;
}

#[tokio::test]
async fn a_revoked_token_closes_its_sockets_with_4403_and_no_other() {
    let server = serve(settings()).await;
    let (mut mine, mut other) = (server.connect("a").await, server.connect("b").await);
    mine.subscribe("1", "subscription { never }").await;
    until("it runs", || server.house.alive() == 1).await;
    until("it is asked", || server.house.verified.load(std::sync::atomic::Ordering::SeqCst) > 4).await;
    *server.house.unsure.lock().expect("unpoisoned") = true;
    server.house.revoke("a");
    tokio::time::sleep(SHORT).await;
    mine.serves().await;
    *server.house.unsure.lock().expect("unpoisoned") = false;
    let revoked = Instant::now();
    assert_eq!(mine.closed().await, (4403, "the token was revoked".to_owned()));
    assert!(revoked.elapsed() < Duration::from_secs(2));
    assert_eq!(server.house.alive(), 0);
    other.serves().await;
}

#[tokio::test]
async fn a_revoked_token_closes_a_socket_that_is_busy() {
    let server = serve(settings()).await;
    let mut client = server.connect("a").await;
    client.subscribe("1", "subscription { hot(bytes: 10) { revision } }").await;
    client.next().await;
    server.house.revoke("a");
    assert_eq!(client.closed().await.0, 4403);
}

#[tokio::test]
async fn when_the_server_ends_all_sockets_are_told_to_reconnect() {
    let server = serve(settings()).await;
    let mut clients = vec![server.connect("a").await, server.connect("b").await, server.open().await];
    clients[0].subscribe("1", "subscription { never }").await;
    clients[1].subscribe("1", "subscription { hot(bytes: 10) { revision } }").await;
    until("they run", || server.house.alive() == 2).await;
    server.hub.close();
    for client in &mut clients {
        assert_eq!(client.closed().await, (1001, "going away: reconnect".to_owned()));
    }
    tokio::time::timeout(SHORT * 4, server.hub.drained()).await.expect("all have left");
    assert_eq!(server.house.alive(), 0);
    let (_, head) = shake(&server, &[UPGRADE, KEY, VERSION, PROTOCOL]).await;
    assert!(head.starts_with("http/1.1 503 ") && head.contains("retry-after"), "{head}");
}

#[tokio::test]
async fn who_does_not_leave_when_the_server_ends_is_cut_off() {
    let server = serve(Settings { close_within: SHORT, ..settings() }).await;
    let _deaf = shake(&server, &[UPGRADE, KEY, VERSION, PROTOCOL]).await;
    until("open", || server.hub.open() == 1).await;
    server.hub.close();
    tokio::time::timeout(SHORT * 3, server.hub.drained()).await.expect("cut off");
}
