//! How much memory a socket with one idle subscription costs: opens many against a server in a process of its own, and
//! reads that process's resident memory.
//!
//! ```sh
//! ulimit -n 20000 && cargo run --release -p gateway --no-default-features --features socket --example idle_sockets [sockets]
//! ```

use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use async_graphql::{
    Context, EmptyMutation, Object, Request, Response as Answer, Schema, ServerError, SimpleObject,
    Subscription,
};
use axum::Router;
use axum::response::{IntoResponse, Response};
use axum::routing::any;
use futures_util::stream::BoxStream;
use futures_util::{Stream, stream};
use gateway::request::Incoming;
use gateway::socket::{Ended, Host, Hub, Settings, execute_lean, lean};
use mimalloc::MiMalloc;
use serde_json::{Map, Value};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

const SOCKETS: usize = 10_000;

#[derive(SimpleObject)]
struct Money {
    amount: String,
    currency: &'static str,
}

#[derive(SimpleObject)]
struct Figure {
    key: &'static str,
    label: &'static str,
    value: Money,
}

#[derive(SimpleObject)]
struct Figures {
    revision: i64,
    snapshot: bool,
    kpis: Vec<Figure>,
}

struct Query;

#[Object]
impl Query {
    async fn hello(&self) -> &str {
        "world"
    }
}

struct Feed(watch::Sender<i64>);

#[Subscription]
impl Feed {
    /// A snapshot of ten figures, then silence, as for a company in which nothing happens.
    async fn kpis(
        &self,
        ctx: &Context<'_>,
        keys: Option<Vec<String>>,
    ) -> impl Stream<Item = Figures> + use<> {
        let _ = keys;
        let mut newest = self.0.subscribe();
        newest.mark_changed();
        let figures = stream::unfold(newest, |mut newest| async move {
            newest.changed().await.ok()?;
            let revision = *newest.borrow_and_update();
            let figure = |n: i64| Figure {
                key: "sales.invoiced",
                label: "Invoiced this month",
                value: Money { amount: format!("{n}234.56"), currency: "EUR" },
            };
            Some((Figures { revision, snapshot: true, kpis: (1..=10).map(figure).collect() }, newest))
        });
        lean(ctx, figures)
    }
}

const INIT: &str =
    r#"{"type":"connection_init","payload":{"authorization":"Bearer 01h455vb4pex5vsknk084sn02q"}}"#;
const SUBSCRIPTION: &str = r#"{"type":"subscribe","id":"1","payload":{"query":"subscription Dashboard($keys: [String!]) { kpis(keys: $keys) { revision snapshot kpis { key label value { amount currency } } } }","variables":{"keys":["sales.invoiced"]}}}"#;

#[derive(Clone)]
struct Visit(Schema<Query, EmptyMutation, Feed>);

impl Host for Visit {
    type Peer = ();

    async fn connect(&self, _init: Map<String, Value>) -> Result<(), Ended> {
        Ok(())
    }

    async fn verify(&self, (): &()) -> Result<(), Ended> {
        Ok(())
    }

    async fn start(
        &self,
        (): &(),
        request: Incoming,
        _resume: Option<String>,
    ) -> Result<BoxStream<'static, Answer>, Vec<ServerError>> {
        let query = Request::new(request.query.unwrap_or_default()).variables(request.variables);
        Ok(execute_lean(&self.0, query))
    }

    fn client(&self, (): &()) -> String {
        "everybody".into()
    }
}

/// Serves, and tells where on its standard output.
async fn serve(sockets: usize) {
    let settings =
        Settings { most_connections: sockets, most_connections_of_client: sockets, ..Settings::default() };
    let hub = Hub::new(settings);
    let visit = Visit(Schema::new(Query, EmptyMutation, Feed(watch::Sender::new(1))));
    let upgrade = async move |mut request: axum::extract::Request| -> Response {
        let upgraded = hub.upgrade(&mut request, None, |_| true, visit.clone());
        upgraded.unwrap_or_else(IntoResponse::into_response)
    };
    let router = Router::new().route("/", any(upgrade));
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a port");
    println!("{}", listener.local_addr().expect("an address"));
    axum::serve(listener, router).await.expect("serves");
}

/// A socket that has received its snapshot.
async fn follow(address: SocketAddr) -> TcpStream {
    let mut stream = TcpStream::connect(address).await.expect("a connection");
    let handshake = format!(
        "GET / HTTP/1.1\r\nhost: {address}\r\nconnection: upgrade\r\nupgrade: websocket\r\n\
         user-agent: Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0\r\n\
         sec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
         sec-websocket-protocol: graphql-transport-ws\r\n\r\n"
    );
    stream.write_all(handshake.as_bytes()).await.expect("sent");
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.expect("a handshake"));
    }
    send(&mut stream, INIT).await;
    assert!(receive(&mut stream).await.contains("connection_ack"));
    send(&mut stream, SUBSCRIPTION).await;
    let snapshot = receive(&mut stream).await;
    assert!(snapshot.contains("sales.invoiced"), "{snapshot}");
    stream
}

async fn send(stream: &mut TcpStream, text: &str) {
    let length = u16::try_from(text.len()).expect("short").to_be_bytes();
    let mut frame = match text.len() {
        short @ ..126 => vec![0x81, 0x80 | u8::try_from(short).expect("short"), 0, 0, 0, 0],
        _ => vec![0x81, 0xFE, length[0], length[1], 0, 0, 0, 0],
    };
    frame.extend_from_slice(text.as_bytes());
    stream.write_all(&frame).await.expect("sent");
}

async fn receive(stream: &mut TcpStream) -> String {
    assert_eq!(stream.read_u8().await.expect("a frame"), 0x81);
    let length = match stream.read_u8().await.expect("a length") {
        126 => stream.read_u16().await.expect("a length"),
        length => length.into(),
    };
    let mut payload = vec![0; length.into()];
    stream.read_exact(&mut payload).await.expect("a message");
    String::from_utf8(payload).expect("text")
}

/// Resident memory of a process, in KiB.
fn resident(process: &Child) -> usize {
    let status = std::fs::read_to_string(format!("/proc/{}/status", process.id())).expect("Linux");
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).expect("a figure");
    line.split_whitespace().nth(1).expect("a figure").parse().expect("a number")
}

async fn measure(sockets: usize) {
    let program = std::env::current_exe().expect("a program");
    let mut server = Command::new(program)
        .args(["serve", &sockets.to_string()])
        .stdout(Stdio::piped())
        .spawn()
        .expect("a server");
    let mut line = String::new();
    BufReader::new(server.stdout.take().expect("piped")).read_line(&mut line).expect("an address");
    let address = line.trim().parse().expect("an address");
    // The first sockets pay for what all share.
    let first = sockets.min(100);
    let mut open = Vec::new();
    for _ in 0..first {
        open.push(follow(address).await);
    }
    let before = resident(&server);
    for _ in first..sockets {
        open.push(follow(address).await);
    }
    tokio::time::sleep(Duration::from_secs(5)).await;
    let after = resident(&server);
    #[expect(clippy::cast_precision_loss, reason = "small figures")]
    let each = (after - before) as f64 / (sockets - first) as f64;
    println!("{sockets} sockets: {after} KiB resident, {each:.2} KiB for each after the first {first}");
    server.kill().expect("killed");
    server.wait().expect("ended");
}

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let sockets = |at: usize| arguments.get(at).map_or(SOCKETS, |text| text.parse().expect("a number"));
    match arguments.first().map(String::as_str) {
        Some("serve") => serve(sockets(1)).await,
        _ => measure(sockets(0)).await,
    }
}
