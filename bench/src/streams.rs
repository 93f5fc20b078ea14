//! Subscriptions: what an idle one holds in memory, how long a commit takes to reach all who follow, and what a delivery
//! costs.

use std::fmt::Write as _;
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::{SinkExt, StreamExt};
use serde_json::json;
use tokio::net::TcpStream;
use tokio::sync::mpsc::{self, UnboundedReceiver, UnboundedSender};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream};

use crate::cpu;
use crate::rig::{Failure, Rig};
use crate::spread::{Spread, as_f64};

/// What every subscriber follows.
const FIGURES: &str =
    "subscription { kpis { revision kpis { key value { number amounts { amount currency } } } } }";
/// Sockets of one API key: fewer than a client may have.
const SOCKETS_OF_KEY: usize = 100;
/// Mutations whose way to all followers is measured.
const COMMITS: usize = 60;
/// What comes later than this is counted as missed.
const PATIENCE: Duration = Duration::from_secs(5);
/// The rest after a commit, so that the next is not folded with it.
const REST: Duration = Duration::from_millis(150);

/// A push at a subscriber: of which company, and when.
type Received = (usize, Instant);

/// Idle subscriptions: resident memory of the server for each.
pub(crate) async fn idle(rig: &Rig, count: usize) -> Result<String, Failure> {
    let keys = rig.keys(1 + count.div_ceil(SOCKETS_OF_KEY)).await?;
    // The first sockets make what the process makes once.
    let (received, mut pushes) = mpsc::unbounded_channel();
    let warm = connect(rig, &keys[..1], 50, 0, &received).await?;
    snapshots(&mut pushes, warm.len()).await?;
    let before = rig.server_memory_kib()?;
    let open = connect(rig, &keys[1..], count - warm.len(), 0, &received).await?;
    snapshots(&mut pushes, open.len()).await?;
    tokio::time::sleep(Duration::from_secs(3)).await;
    let after = rig.server_memory_kib()?;
    let each = (after - before) / as_f64(open.len());
    drop((warm, open));
    Ok(format!("| {count} idle subscriptions | {each:.1} KiB each |\n"))
}

/// `each` subscribers of every company; commits in one company after the other.
pub(crate) async fn deliver(rig: &Rig, companies: usize, each: usize) -> Result<String, Failure> {
    let houses = rig.houses(companies).await?;
    let (received, mut pushes) = mpsc::unbounded_channel();
    let mut open = Vec::new();
    for (n, house) in houses.iter().enumerate() {
        let keys = if each > SOCKETS_OF_KEY {
            house.keys(rig, each.div_ceil(SOCKETS_OF_KEY)).await?
        } else {
            vec![house.token.clone()]
        };
        open.extend(connect(rig, &keys, each, n, &received).await?);
    }
    snapshots(&mut pushes, open.len()).await?;
    tokio::time::sleep(Duration::from_secs(2)).await;
    while pushes.try_recv().is_ok() {}

    let (server, postgres) = (cpu::of_process(rig.server_pid()), cpu::of_family(rig.postgres_pid()));
    let began = Instant::now();
    let (mut waits, mut missed) = (Vec::new(), 0);
    for n in 0..COMMITS {
        let company = n % companies;
        // From the sending of the mutation: its commit is a few milliseconds later.
        let sent = Instant::now();
        let draft = houses[company].draft(rig, "1").await?;
        houses[company].issue(rig, &draft, None).await?;
        let mut told = 0;
        while told < each {
            let rest = PATIENCE.saturating_sub(sent.elapsed());
            match tokio::time::timeout(rest, pushes.recv()).await {
                Ok(Some((of, at))) if of == company && at >= sent => {
                    waits.push(at.duration_since(sent).as_secs_f64() * 1000.0);
                    told += 1;
                }
                Ok(Some(_)) => {}
                Ok(None) | Err(_) => break,
            }
        }
        missed += each - told;
        tokio::time::sleep(REST).await;
        while pushes.try_recv().is_ok() {}
    }
    let span = began.elapsed().as_secs_f64();
    eprintln!("{companies} companies, {each} subscribers each: measured");
    let deliveries = as_f64(waits.len());
    let server = (cpu::of_process(rig.server_pid()) - server) * 1000.0 / deliveries;
    let postgres = (cpu::of_family(rig.postgres_pid()) - postgres) * 1000.0 / deliveries;
    let spread = Spread::of(waits);
    drop(open);
    let mut line = String::new();
    writeln!(
        line,
        "| {each} subscribers in each of {companies} | p50 {:.0} ms, p95 {:.0} ms, p99 {:.0} ms | server {server:.0} µs, PostgreSQL {postgres:.0} µs \
         a delivery | {} deliveries, {missed} missed, {span:.0} s |",
        spread.p50, spread.p95, spread.p99, spread.count,
    )?;
    Ok(line)
}

/// A socket that is read until it is dropped.
pub(crate) struct Open(pub tokio::task::JoinHandle<()>);

impl Drop for Open {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// Where sockets are opened.
pub(crate) fn address(rig: &Rig) -> String {
    format!("{}/graphql/ws", rig.url().replacen("http", "ws", 1))
}

/// Opens subscriptions, a hundred at a time.
async fn connect(
    rig: &Rig,
    keys: &[String],
    count: usize,
    company: usize,
    received: &UnboundedSender<Received>,
) -> Result<Vec<Open>, Failure> {
    let url: Arc<str> = address(rig).into();
    let mut open = Vec::with_capacity(count);
    let all: Vec<usize> = (0..count).collect();
    for some in all.chunks(100) {
        let opened = some
            .iter()
            .map(|n| subscribe(url.clone(), keys[n / SOCKETS_OF_KEY].clone(), company, received.clone()));
        open.extend(futures_util::future::try_join_all(opened).await?);
    }
    Ok(open)
}

/// A socket on which a subscription has been asked for.
pub(crate) async fn open(
    url: &str,
    token: &str,
    query: &str,
) -> Result<WebSocketStream<MaybeTlsStream<TcpStream>>, Failure> {
    let mut request = url.into_client_request()?;
    request.headers_mut().insert("sec-websocket-protocol", "graphql-transport-ws".parse()?);
    let (mut socket, _) = tokio_tungstenite::connect_async(request).await?;
    let init = json!({"type": "connection_init", "payload": {"authorization": format!("Bearer {token}")}});
    socket.send(Message::text(init.to_string())).await?;
    let ack = socket.next().await.ok_or("closed")??.to_string();
    if !ack.contains("connection_ack") {
        return Err(format!("no acknowledgement: {ack}").into());
    }
    let start = json!({"id": "1", "type": "subscribe", "payload": {"query": query}});
    socket.send(Message::text(start.to_string())).await?;
    Ok(socket)
}

async fn subscribe(
    url: Arc<str>,
    token: String,
    company: usize,
    received: UnboundedSender<Received>,
) -> Result<Open, Failure> {
    let mut socket = open(&url, &token, FIGURES).await?;
    Ok(Open(tokio::spawn(async move {
        while let Some(Ok(message)) = socket.next().await {
            if let Message::Text(text) = message
                && text.contains("\"next\"")
                && received.send((company, Instant::now())).is_err()
            {
                break;
            }
        }
    })))
}

/// Waits until every subscriber has its first figures.
async fn snapshots(pushes: &mut UnboundedReceiver<Received>, count: usize) -> Result<(), Failure> {
    for n in 0..count {
        let first = tokio::time::timeout(Duration::from_secs(30), pushes.recv()).await;
        if !matches!(first, Ok(Some(_))) {
            return Err(format!("{n} of {count} subscribers had their snapshot").into());
        }
    }
    Ok(())
}
