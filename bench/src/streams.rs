//! Subscriptions: what an idle one holds in memory, how long a commit takes to reach all who follow, and what a delivery
//! costs.

use std::fmt::Write as _;
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::sync::mpsc::{self, UnboundedReceiver, UnboundedSender};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;

use crate::cpu;
use crate::rig::{Failure, Rig};

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
        houses[company].change(rig).await?;
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
    waits.sort_by(f64::total_cmp);
    let at = |share: f64| waits.get(index(share, waits.len())).copied().unwrap_or(f64::NAN);
    drop(open);
    let mut line = String::new();
    writeln!(
        line,
        "| {each} subscribers in each of {companies} | p50 {:.0} ms, p95 {:.0} ms, p99 {:.0} ms | server {server:.0} µs, PostgreSQL {postgres:.0} µs \
         a delivery | {} deliveries, {missed} missed, {span:.0} s |",
        at(0.5),
        at(0.95),
        at(0.99),
        waits.len(),
    )?;
    Ok(line)
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "an index into what was measured"
)]
fn index(share: f64, len: usize) -> usize {
    (share * as_f64(len)) as usize
}

#[expect(clippy::cast_precision_loss, reason = "thousands of deliveries")]
fn as_f64(n: usize) -> f64 {
    n as f64
}

/// A socket that is read until it is dropped.
pub(crate) struct Open(tokio::task::JoinHandle<()>);

impl Drop for Open {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// Opens subscriptions, a hundred at a time.
async fn connect(
    rig: &Rig,
    keys: &[String],
    count: usize,
    company: usize,
    received: &UnboundedSender<Received>,
) -> Result<Vec<Open>, Failure> {
    let url: Arc<str> = format!("{}/graphql/ws", rig.url().replacen("http", "ws", 1)).into();
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

async fn subscribe(
    url: Arc<str>,
    token: String,
    company: usize,
    received: UnboundedSender<Received>,
) -> Result<Open, Failure> {
    let mut request = (&*url).into_client_request()?;
    request.headers_mut().insert("sec-websocket-protocol", "graphql-transport-ws".parse()?);
    let (mut socket, _) = tokio_tungstenite::connect_async(request).await?;
    let init = json!({"type": "connection_init", "payload": {"authorization": format!("Bearer {token}")}});
    socket.send(Message::text(init.to_string())).await?;
    let ack = socket.next().await.ok_or("closed")??.to_string();
    if !ack.contains("connection_ack") {
        return Err(format!("no acknowledgement: {ack}").into());
    }
    let start = json!({"id": "1", "type": "subscribe", "payload": {"query": FIGURES}});
    socket.send(Message::text(start.to_string())).await?;
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

/// A company of its own.
pub(crate) struct House {
    token: String,
    customer: String,
    item: String,
}

impl House {
    pub(crate) async fn found(rig: &Rig, name: &str) -> Result<Self, Failure> {
        let (token, customer, item) = rig.found(name).await?;
        Ok(Self { token, customer, item })
    }

    async fn keys(&self, rig: &Rig, count: usize) -> Result<Vec<String>, Failure> {
        rig.keys_of(&self.token, count).await
    }

    /// A small request.
    pub(crate) async fn ask(&self, rig: &Rig) -> Result<(), Failure> {
        rig.ask_as(&self.token, "{ parties(first: 10) { edges { node { id name } } } }", json!({})).await?;
        Ok(())
    }

    /// Issues an invoice: revenue and receivables move.
    async fn change(&self, rig: &Rig) -> Result<(), Failure> {
        let input = json!({"customerId": self.customer, "lines": [{"itemId": self.item, "quantity": "1"}]});
        let draft = rig
            .ask_as(&self.token, "mutation($input: CreateInvoiceInput!) { createInvoice(input: $input) { invoice { id version } } }", json!({"input": input}))
            .await?;
        let invoice: &Value = &draft["createInvoice"]["invoice"];
        let input = json!({"invoiceId": invoice["id"], "expectedVersion": invoice["version"]});
        rig.ask_as(
            &self.token,
            "mutation($input: IssueInvoiceInput!) { issueInvoice(input: $input) { userErrors { message } } }",
            json!({"input": input}),
        )
        .await?;
        Ok(())
    }
}
