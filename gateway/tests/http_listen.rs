//! What a connection may hold, and for how long, over real sockets.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::Bytes;
use axum::extract::ws::{Message, WebSocketUpgrade};
use axum::extract::{ConnectInfo, Extension, Request};
use axum::response::{IntoResponse, Response};
use axum::routing::{any, get, post};
use futures_util::{SinkExt, StreamExt};
use gateway::http::listen::{Closed, Limits, Stopping, serve};
use gateway::http::{Rules, read};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Notify, oneshot};
use tokio::task::JoinHandle;

const GET: &[u8] = b"GET /hello HTTP/1.1\r\nhost: a\r\n\r\n";
/// Far more than anything here takes; what waits longer hangs.
const FOREVER: Duration = Duration::from_secs(20);

struct Server {
    address: SocketAddr,
    stop: oneshot::Sender<()>,
    ended: JoinHandle<Closed>,
    /// Told by the route `/work` when a request arrived, and waited for by it before it answers.
    arrived: Arc<Notify>,
    proceed: Arc<Notify>,
}

impl Server {
    async fn start(limits: Limits) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let (stop, stopped) = oneshot::channel();
        let (arrived, proceed) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
        let router = router(Arc::clone(&arrived), Arc::clone(&proceed));
        let ended = tokio::spawn(serve(listener, router, limits, async {
            let _ = stopped.await;
        }));
        Self { address, stop, ended, arrived, proceed }
    }

    async fn connect(&self) -> TcpStream {
        TcpStream::connect(self.address).await.expect("a connection")
    }

    /// What a connection of its own is answered.
    async fn ask(&self, request: &[u8]) -> String {
        let mut stream = self.connect().await;
        stream.write_all(request).await.expect("to send");
        answer(&mut stream).await
    }

    async fn stop(self) -> Closed {
        self.stop.send(()).expect("a server");
        within(self.ended).await.expect("an end")
    }
}

fn router(arrived: Arc<Notify>, proceed: Arc<Notify>) -> Router {
    Router::new()
        .route("/hello", get(|| async { "hello" }))
        .route("/echo", post(|body: Bytes| async { body }))
        .route("/graphql", post(graphql))
        .route("/peer", get(|ConnectInfo(peer): ConnectInfo<SocketAddr>| async move { peer.to_string() }))
        .route("/huge", get(|| async { Bytes::from(vec![0; 64 * 1024 * 1024]) }))
        .route("/socket", any(socket))
        .route(
            "/work",
            get(|| async move {
                arrived.notify_one();
                proceed.notified().await;
                "done"
            }),
        )
}

async fn graphql(request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let rules = Rules { body_bytes: 1000, body_time: Duration::from_millis(200), ..Rules::default() };
    match read(&parts, body, &rules).await {
        Ok((incoming, _)) => incoming.query.unwrap_or_default().into_response(),
        Err(refusal) => refusal.into_response(),
    }
}

/// Echoes until the server stops, and says so then.
async fn socket(upgrade: WebSocketUpgrade, Extension(stopping): Extension<Stopping>) -> Response {
    upgrade.on_upgrade(async move |mut socket| {
        loop {
            tokio::select! {
                message = socket.recv() => match message {
                    Some(Ok(Message::Text(text))) => socket.send(Message::Text(text)).await.expect("to send"),
                    _ => return,
                },
                () = stopping.requested() => {
                    socket.send(Message::Text("bye".into())).await.expect("to send");
                    return;
                }
            }
        }
    })
}

async fn within<F: Future>(future: F) -> F::Output {
    tokio::time::timeout(FOREVER, future).await.expect("an end in time")
}

/// All that comes until the server closes, or until one answer is whole.
async fn answer(stream: &mut TcpStream) -> String {
    let mut all = Vec::new();
    loop {
        let text = String::from_utf8_lossy(&all).into_owned();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
            if length.is_some_and(|length| body.len() >= length.parse().expect("a length")) {
                return text;
            }
        }
        let mut piece = [0; 4096];
        match within(stream.read(&mut piece)).await.expect("to read") {
            0 => return text,
            read => all.extend_from_slice(&piece[..read]),
        }
    }
}

/// What comes until the server closes.
async fn rest(stream: &mut TcpStream) -> String {
    let mut all = Vec::new();
    within(stream.read_to_end(&mut all)).await.expect("to read");
    String::from_utf8_lossy(&all).into_owned()
}

fn short() -> Limits {
    Limits { head_time: Duration::from_millis(200), idle: Duration::from_millis(600), ..Limits::default() }
}

#[tokio::test]
async fn a_head_that_comes_slowly_is_given_up_with_a_word() {
    let server = Server::start(short()).await;
    let mut slow = server.connect().await;
    slow.write_all(b"GET /hello HTTP/1.1\r\n").await.expect("to send");
    let began = Instant::now();
    let told = rest(&mut slow).await;
    assert!(told.starts_with("HTTP/1.1 408 Request Timeout\r\n"), "{told}");
    // By the time of a head, not that of an idle connection.
    assert!(began.elapsed() < Duration::from_millis(550), "{:?}", began.elapsed());
    let trickle = async {
        let mut slow = server.connect().await;
        for byte in GET {
            if slow.write_all(&[*byte]).await.is_err() {
                break;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        rest(&mut slow).await
    };
    assert!(within(trickle).await.starts_with("HTTP/1.1 408"), "a steady trickle is slow as well");
    assert!(server.ask(GET).await.ends_with("hello"));
}

#[tokio::test]
async fn a_second_head_is_timed_as_the_first_was() {
    let server = Server::start(short()).await;
    let mut stream = server.connect().await;
    stream.write_all(GET).await.expect("to send");
    assert!(answer(&mut stream).await.ends_with("hello"));
    stream.write_all(b"GET").await.expect("to send");
    assert!(rest(&mut stream).await.starts_with("HTTP/1.1 408"));
}

#[tokio::test]
async fn an_idle_connection_is_closed_without_a_word_before_and_after_a_request() {
    let server = Server::start(short()).await;
    let mut silent = server.connect().await;
    let mut spoke = server.connect().await;
    spoke.write_all(GET).await.expect("to send");
    assert!(answer(&mut spoke).await.ends_with("hello"));
    assert_eq!(rest(&mut silent).await, "");
    assert_eq!(rest(&mut spoke).await, "");
}

#[tokio::test]
async fn a_request_that_takes_long_to_answer_is_not_taken_for_an_idle_one() {
    let limits =
        Limits { head_time: Duration::from_millis(50), idle: Duration::from_millis(50), ..Limits::default() };
    let server = Server::start(limits).await;
    let mut stream = server.connect().await;
    stream.write_all(b"GET /work HTTP/1.1\r\nhost: a\r\n\r\n").await.expect("to send");
    within(server.arrived.notified()).await;
    tokio::time::sleep(Duration::from_millis(300)).await;
    server.proceed.notify_one();
    assert!(answer(&mut stream).await.ends_with("done"));
}

#[tokio::test]
async fn a_body_that_comes_slowly_is_answered_with_a_graphql_error() {
    let server = Server::start(Limits::default()).await;
    let told = server
        .ask(b"POST /graphql HTTP/1.1\r\nhost: a\r\ncontent-type: application/json\r\ncontent-length: 20\r\n\r\n{")
        .await;
    assert!(told.starts_with("HTTP/1.1 408 Request Timeout\r\n"), "{told}");
    assert!(
        told.contains("connection: close\r\n") && told.contains("\"code\":\"REQUEST_TIMEOUT\""),
        "{told}"
    );
}

#[tokio::test]
async fn a_body_that_stops_in_the_middle_fails_for_handlers_that_keep_no_time() {
    let limits = Limits { body_stall: Duration::from_millis(100), ..Limits::default() };
    let server = Server::start(limits).await;
    let mut stream = server.connect().await;
    let head = b"POST /echo HTTP/1.1\r\nhost: a\r\ncontent-length: 4\r\n\r\n";
    stream.write_all(head).await.expect("to send");
    // As long as it moves, it may take its time.
    for byte in b"abc" {
        tokio::time::sleep(Duration::from_millis(60)).await;
        stream.write_all(&[*byte]).await.expect("to send");
    }
    let told = answer(&mut stream).await;
    assert!(told.starts_with("HTTP/1.1 400 Bad Request\r\n"), "{told}");
}

#[tokio::test]
async fn a_head_that_is_too_large_is_refused() {
    let server = Server::start(Limits { head_bytes: 8 * 1024, ..Limits::default() }).await;
    let padded = |bytes: usize| format!("GET /hello HTTP/1.1\r\nhost: a\r\nx: {}\r\n\r\n", "x".repeat(bytes));
    assert!(server.ask(padded(7 * 1024).as_bytes()).await.ends_with("hello"));
    for bytes in [9 * 1024, 1024 * 1024] {
        let told = server.ask(padded(bytes).as_bytes()).await;
        assert!(told.starts_with("HTTP/1.1 431 Request Header Fields Too Large\r\n"), "{bytes}: {told}");
    }
    let many = |count: usize| format!("GET /hello HTTP/1.1\r\nhost: a\r\n{}\r\n", "x: y\r\n".repeat(count));
    assert!(server.ask(many(90).as_bytes()).await.ends_with("hello"));
    assert!(server.ask(many(101).as_bytes()).await.starts_with("HTTP/1.1 431"));
}

#[tokio::test]
async fn pipelined_requests_are_answered_in_their_order() {
    let server = Server::start(Limits::default()).await;
    let mut stream = server.connect().await;
    let echo = |text: &str| format!("POST /echo HTTP/1.1\r\nhost: a\r\ncontent-length: 1\r\n\r\n{text}");
    let all = format!("{}{}{}GET /hel", echo("1"), echo("2"), echo("3"));
    stream.write_all(all.as_bytes()).await.expect("to send");
    stream.write_all(b"lo HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n").await.expect("to send");
    let told = rest(&mut stream).await;
    let bodies: Vec<&str> =
        told.split("HTTP/1.1 200 OK").skip(1).filter_map(|answer| answer.split("\r\n\r\n").nth(1)).collect();
    assert_eq!(bodies, ["1", "2", "3", "hello"]);
}

#[tokio::test]
async fn a_refusal_reaches_a_client_that_is_still_sending() {
    let server = Server::start(Limits::default()).await;
    let mut stream = server.connect().await;
    let length = 8 * 1024 * 1024;
    let head = format!(
        "POST /graphql HTTP/1.1\r\nhost: a\r\ncontent-type: application/json\r\ncontent-length: {length}\r\n\r\n"
    );
    stream.write_all(head.as_bytes()).await.expect("to send");
    within(stream.write_all(&vec![b' '; length])).await.expect("to be listened to until the end");
    let told = rest(&mut stream).await;
    assert!(told.starts_with("HTTP/1.1 413 Payload Too Large\r\n"), "{told}");
    assert!(told.contains("\"code\":\"PAYLOAD_TOO_LARGE\""), "{told}");
}

#[tokio::test]
async fn a_request_without_exactly_one_host_is_refused() {
    let server = Server::start(Limits::default()).await;
    for request in ["GET /hello HTTP/1.1\r\n\r\n", "GET /hello HTTP/1.1\r\nhost: a\r\nhost: b\r\n\r\n"] {
        assert!(server.ask(request.as_bytes()).await.starts_with("HTTP/1.1 400 Bad Request\r\n"));
    }
    assert!(server.ask(b"GET /hello HTTP/1.0\r\n\r\n").await.ends_with("hello"));
}

#[tokio::test]
async fn handlers_know_the_address_of_the_client() {
    let server = Server::start(Limits::default()).await;
    let mut stream = server.connect().await;
    stream.write_all(b"GET /peer HTTP/1.1\r\nhost: a\r\n\r\n").await.expect("to send");
    let address = stream.local_addr().expect("an address").to_string();
    assert!(answer(&mut stream).await.ends_with(&address));
}

#[tokio::test]
async fn beyond_the_most_connections_the_newest_is_told_to_come_back() {
    let server = Server::start(Limits { connections: 2, ..Limits::default() }).await;
    let mut held = server.connect().await;
    held.write_all(GET).await.expect("to send");
    answer(&mut held).await;
    let _silent = server.connect().await;
    let told = server.ask(GET).await;
    assert!(told.starts_with("HTTP/1.1 503 Service Unavailable\r\n"), "{told}");
    assert!(told.contains("retry-after: 1\r\n") && told.contains("UNAVAILABLE"), "{told}");
    held.write_all(GET).await.expect("to send");
    assert!(answer(&mut held).await.ends_with("hello"), "who is in stays in");
    drop(held);
    until_served(&server).await;
}

#[tokio::test]
async fn beyond_the_most_connections_of_an_address_its_newest_is_refused() {
    let server = Server::start(Limits { per_address: Some(1), ..Limits::default() }).await;
    let held = server.connect().await;
    let told = server.ask(GET).await;
    assert!(told.starts_with("HTTP/1.1 429 Too Many Requests\r\n"), "{told}");
    assert!(told.contains("retry-after: 1\r\n") && told.contains("RATE_LIMITED"), "{told}");
    drop(held);
    until_served(&server).await;
}

/// The place of a connection that ended is free a moment later.
async fn until_served(server: &Server) {
    let try_on = async {
        while !server.ask(GET).await.ends_with("hello") {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    within(try_on).await;
}

#[tokio::test]
async fn a_client_that_takes_nothing_of_its_answer_is_dropped() {
    let limits = Limits { connections: 1, write_stall: Duration::from_millis(200), ..Limits::default() };
    let server = Server::start(limits).await;
    let mut greedy = server.connect().await;
    greedy.write_all(b"GET /huge HTTP/1.1\r\nhost: a\r\n\r\n").await.expect("to send");
    let mut first = [0; 1];
    within(greedy.read_exact(&mut first)).await.expect("the first byte");
    until_served(&server).await;
}

#[tokio::test]
async fn a_client_that_takes_its_answer_slowly_gets_all_of_it() {
    let limits = Limits { write_stall: Duration::from_millis(300), ..Limits::default() };
    let server = Server::start(limits).await;
    let mut slow = server.connect().await;
    slow.write_all(b"GET /huge HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n").await.expect("to send");
    let mut taken = 0;
    let mut piece = vec![0; 8 * 1024 * 1024];
    loop {
        match within(slow.read(&mut piece)).await.expect("to read") {
            0 => break,
            read => taken += read,
        }
        if taken < 32 * 1024 * 1024 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }
    assert!(taken > 64 * 1024 * 1024, "{taken}");
}

type Socket = tokio_tungstenite::WebSocketStream<tokio_tungstenite::MaybeTlsStream<TcpStream>>;

async fn open(server: &Server) -> Socket {
    let url = format!("ws://{}/socket", server.address);
    within(tokio_tungstenite::connect_async(url)).await.expect("a socket").0
}

async fn next(socket: &mut Socket) -> String {
    let message = within(socket.next()).await.expect("a message").expect("a message");
    message.into_text().expect("text").to_string()
}

#[tokio::test]
async fn sockets_work_keep_their_place_and_outlive_the_time_of_idle_connections() {
    let limits = Limits {
        connections: 1,
        head_time: Duration::from_millis(50),
        idle: Duration::from_millis(100),
        ..Limits::default()
    };
    let server = Server::start(limits).await;
    let mut socket = open(&server).await;
    tokio::time::sleep(Duration::from_millis(300)).await;
    socket.send("hello".into()).await.expect("to send");
    assert_eq!(next(&mut socket).await, "hello");
    assert!(server.ask(GET).await.starts_with("HTTP/1.1 503"), "a socket is a connection");
    drop(socket);
    until_served(&server).await;
}

#[tokio::test]
async fn sockets_are_told_that_the_server_stops_and_are_waited_for() {
    let server = Server::start(Limits::default()).await;
    let mut socket = open(&server).await;
    let stopped = tokio::spawn(server.stop());
    assert_eq!(next(&mut socket).await, "bye");
    assert_eq!(within(stopped).await.expect("an end"), Closed { dropped: 0 });
}

#[tokio::test]
async fn stopping_answers_what_is_under_way_and_takes_nothing_new() {
    let server = Server::start(Limits::default()).await;
    let mut idle = server.connect().await;
    idle.write_all(GET).await.expect("to send");
    answer(&mut idle).await;
    let mut busy = server.connect().await;
    busy.write_all(b"GET /work HTTP/1.1\r\nhost: a\r\n\r\n").await.expect("to send");
    within(server.arrived.notified()).await;
    let (address, proceed) = (server.address, Arc::clone(&server.proceed));
    let stopped = tokio::spawn(server.stop());
    // The idle one is closed at once, while the other still works.
    assert_eq!(rest(&mut idle).await, "");
    assert!(TcpStream::connect(address).await.is_err());
    assert!(!stopped.is_finished());
    proceed.notify_one();
    let told = rest(&mut busy).await;
    assert!(told.starts_with("HTTP/1.1 200 OK\r\n") && told.ends_with("done"), "{told}");
    assert!(told.contains("connection: close\r\n"), "{told}");
    assert_eq!(within(stopped).await.expect("an end"), Closed { dropped: 0 });
}

#[tokio::test]
async fn stopping_waits_no_longer_than_its_grace() {
    let server = Server::start(Limits { grace: Duration::from_millis(200), ..Limits::default() }).await;
    let mut busy = server.connect().await;
    busy.write_all(b"GET /work HTTP/1.1\r\nhost: a\r\n\r\n").await.expect("to send");
    within(server.arrived.notified()).await;
    let _headless = {
        let mut stream = server.connect().await;
        stream.write_all(b"GET").await.expect("to send");
        // It is in once something later is answered.
        assert!(server.ask(GET).await.ends_with("hello"));
        stream
    };
    let closed = server.stop().await;
    assert!((2..=3).contains(&closed.dropped), "{closed:?}");
    assert_eq!(rest(&mut busy).await, "");
}

#[tokio::test]
async fn a_client_that_leaves_ends_the_work_on_its_request() {
    let server = Server::start(Limits { connections: 1, ..Limits::default() }).await;
    let mut busy = server.connect().await;
    busy.write_all(b"GET /work HTTP/1.1\r\nhost: a\r\n\r\n").await.expect("to send");
    within(server.arrived.notified()).await;
    drop(busy);
    until_served(&server).await;
}

/// Set for the process that serves with few files.
const SCARCE: &str = "GATEWAY_TEST_SERVES_WITH_FEW_FILES";

#[tokio::test]
async fn running_out_of_files_is_survived() {
    if std::env::var_os(SCARCE).is_some() {
        let server = Server::start(Limits::default()).await;
        println!("\nserving {}", server.address);
        // Until the parent has seen enough.
        tokio::task::spawn_blocking(|| std::io::stdin().read_line(&mut String::new()))
            .await
            .expect("a thread")
            .expect("the end");
        return;
    }
    let mut child = tokio::process::Command::new("sh")
        .args(["-c", "ulimit -n 40; exec \"$0\" --exact running_out_of_files_is_survived --nocapture"])
        .arg(std::env::current_exe().expect("a program"))
        .env(SCARCE, "1")
        .stdin(std::process::Stdio::piped())
        .stdout(std::process::Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .expect("a process");
    let mut lines = tokio::io::BufReader::new(child.stdout.take().expect("an output")).lines();
    let address: SocketAddr = loop {
        let line = within(lines.next_line()).await.expect("to read").expect("an address");
        if let Some(address) = line.strip_prefix("serving ") {
            break address.parse().expect("an address");
        }
    };
    let mut held = Vec::new();
    for _ in 0..60 {
        held.push(TcpStream::connect(address).await.expect("a place in the queue"));
    }
    let mut late = TcpStream::connect(address).await.expect("a place in the queue");
    late.write_all(GET).await.expect("to send");
    let waited = tokio::time::timeout(Duration::from_millis(300), late.read_u8()).await;
    assert!(waited.is_err(), "there are files left: this proves nothing");
    drop(held);
    assert!(answer(&mut late).await.ends_with("hello"));
}
