//! The loop that accepts connections, and what each of them may hold and for how long.
//!
//! It speaks HTTP/1.1 with upgrades, and no HTTP/2: browsers speak that over TLS only, which ends at a proxy before this
//! server, and a second protocol would need all of these limits again. TLS is not spoken either.
//!
//! | what a client does | what happens |
//! |---|---|
//! | opens more connections than there may be | the newest is answered 503 (429 for its address) and closed |
//! | sends nothing | closed after [`Limits::idle`] |
//! | sends a request's head slowly | 408 after [`Limits::head_time`] |
//! | sends too large a head, or more than 100 headers | 431 |
//! | stops in the middle of a body | reading the body fails after [`Limits::body_stall`] |
//! | does not take its answer | closed after [`Limits::write_stall`], also after an upgrade |
//!
//! A silent connection holds about 1.5 KiB, one that waits for its next request 13 KiB, an upgraded one what its new owner
//! makes of it. A header value shares the buffer that its head was read into: who keeps one, keeps 8 KiB, so copy the text.

mod connection;
mod gate;
mod wire;

use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use hyper::server::conn::http1;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};

use self::gate::{Full, Gate};

/// How long the loop waits when the system has no files or no memory for another connection.
const PAUSE: Duration = Duration::from_millis(100);
/// How many refused connections are told so at a time; beyond that they are closed without a word.
const TOLD: usize = 64;

/// What connections may hold.
#[derive(Clone, Debug)]
pub struct Limits {
    /// Most connections at a time, sockets included; 10,000.
    pub connections: usize,
    /// Most connections of one address at a time (of one /64 in IPv6); 256. Behind a proxy all connections come from its
    /// address: none then.
    pub per_address: Option<usize>,
    /// Most bytes of a request's head, the request line included; 16 KiB.
    pub head_bytes: usize,
    /// Longest that a head may take from its first byte to its last; 10 s.
    pub head_time: Duration,
    /// Longest that a connection is kept without a request; 75 s, more than the proxies before it usually keep theirs.
    pub idle: Duration,
    /// Longest that a body may stop in the middle; 20 s.
    pub body_stall: Duration,
    /// Longest that a client may take nothing of what it is sent; 30 s.
    pub write_stall: Duration,
    /// Longest that requests under way are waited for when the server stops; 20 s.
    pub grace: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: 10_000,
            per_address: Some(256),
            head_bytes: 16 * 1024,
            head_time: Duration::from_secs(10),
            idle: Duration::from_secs(75),
            body_stall: Duration::from_secs(20),
            write_stall: Duration::from_secs(30),
            grace: Duration::from_secs(20),
        }
    }
}

/// Whether the server is about to stop. Every request has it in its extensions: what would not end by itself, a stream
/// or a socket, should end when this says so.
#[derive(Clone, Debug)]
pub struct Stopping(watch::Receiver<Stage>);

impl Stopping {
    /// Ends when the server stops.
    pub async fn requested(&self) {
        // Without a sender there is no server any more.
        let _ = self.0.clone().wait_for(|stage| *stage != Stage::Open).await;
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    Open,
    /// Requests under way are answered, nothing new is taken.
    Closing,
    /// What is still open is dropped.
    Dropped,
}

/// How it ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Closed {
    /// Connections that were still open when the grace was over. Upgraded ones live on in their own tasks, until
    /// these end or the process does.
    pub dropped: usize,
}

/// What every connection shares.
struct Shared {
    router: Router,
    limits: Limits,
    http: http1::Builder,
    gate: Arc<Gate>,
    stage: watch::Sender<Stage>,
}

/// Serves until `stop` ends; requests under way are then answered, within [`Limits::grace`]. Handlers find the client's
/// address as `ConnectInfo<SocketAddr>` and [`Stopping`] as `Extension<Stopping>`.
///
/// Where all connections are taken, new ones are accepted and refused with a word: left in the system's queue they would
/// look like a server that hangs, and a balancer's probe could not tell either.
pub async fn serve(
    listener: TcpListener,
    router: Router,
    limits: Limits,
    stop: impl Future<Output = ()>,
) -> Closed {
    let mut http = http1::Builder::new();
    // The head is timed in `connection`, which tells a slow head from an idle connection. The buffers are bounded: 8 KiB
    // to begin with, growing while a large body is read and shrinking after.
    http.header_read_timeout(None).max_header_size(limits.head_bytes);
    http.max_buf_size(limits.head_bytes.max(64 * 1024));
    let gate = Gate::new(limits.connections, limits.per_address);
    let stage = watch::Sender::new(Stage::Open);
    let shared = Arc::new(Shared { router, limits, http, gate, stage });
    let told = Arc::new(Semaphore::new(TOLD));
    let mut stop = pin!(stop);
    loop {
        let (stream, peer) = tokio::select! {
            biased;
            () = &mut stop => break,
            accepted = accept(&listener) => accepted,
        };
        // Answers are written whole: waiting for more to send only delays them.
        if let Err(gone) = stream.set_nodelay(true) {
            tracing::debug!(%gone, "a connection ended before it began");
            continue;
        }
        match shared.gate.admit(peer.ip()) {
            Ok(permit) => {
                let stages = shared.stage.subscribe();
                tokio::spawn(connection::run(stream, peer, permit, Arc::clone(&shared), stages));
            }
            Err(full) => refuse(stream, full, &told),
        }
    }
    drop(listener);
    shared.stage.send_replace(Stage::Closing);
    if tokio::time::timeout(shared.limits.grace, shared.gate.empty()).await.is_ok() {
        return Closed { dropped: 0 };
    }
    let dropped = shared.gate.open();
    shared.stage.send_replace(Stage::Dropped);
    Closed { dropped }
}

/// The next connection. What fails on the client's side is passed over; where the system is short of something, it is
/// given a moment.
async fn accept(listener: &TcpListener) -> (TcpStream, SocketAddr) {
    use std::io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    loop {
        match listener.accept().await {
            Ok(accepted) => return accepted,
            Err(gone) if matches!(gone.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset) => {}
            Err(short) => {
                tracing::error!(%short, "no connection can be accepted");
                tokio::time::sleep(PAUSE).await;
            }
        }
    }
}

/// Tells a client that there is no room, unless too many are being told already.
fn refuse(stream: TcpStream, full: Full, told: &Arc<Semaphore>) {
    let Ok(turn) = Arc::clone(told).try_acquire_owned() else { return };
    tokio::spawn(async move {
        wire::dismiss(stream, full.answer()).await;
        drop(turn);
    });
}
