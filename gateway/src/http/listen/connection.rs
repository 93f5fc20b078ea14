//! One connection: its requests one after the other, and the clock that runs while it waits for one.

use std::convert::Infallible;
use std::future::poll_fn;
use std::net::SocketAddr;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use axum::body::{Body, HttpBody};
use axum::extract::ConnectInfo;
use axum::http::header::HOST;
use axum::http::{Request, Response, StatusCode, Version};
use axum::{BoxError, Error};
use bytes::Bytes;
use futures_util::future::BoxFuture;
use hyper::body::{Frame, Incoming, SizeHint};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio::time::{Instant, Sleep};
use tower::Service;

use super::gate::Permit;
use super::wire::Wire;
use super::{Shared, Stage, Stopping};

/// What a client is told whose request does not arrive.
const SLOW: &[u8] = b"HTTP/1.1 408 Request Timeout\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";

/// The connection waits for a request.
const IDLE: u64 = 0;
/// The head of a request began to come.
const HEAD: u64 = 1;
/// A request is being answered. Its handler keeps the time.
const BUSY: u64 = 2;

/// What a connection waits for, and since when.
pub(super) struct Watch {
    opened: Instant,
    /// Milliseconds since `opened`, and in the two lowest bits what it waits for.
    waiting: AtomicU64,
    /// Whether the body of the last request was left unread.
    unread: AtomicBool,
}

impl Watch {
    fn new() -> Self {
        Self { opened: Instant::now(), waiting: AtomicU64::new(IDLE), unread: AtomicBool::new(false) }
    }

    fn enter(&self, phase: u64) {
        let ms = u64::try_from(self.opened.elapsed().as_millis()).unwrap_or(0);
        self.waiting.store(ms << 2 | phase, Ordering::Relaxed);
    }

    fn phase(&self) -> u64 {
        self.waiting.load(Ordering::Relaxed) & 3
    }

    /// Bytes of the client arrived.
    pub(super) fn bytes_came(&self) {
        if self.phase() == IDLE {
            self.enter(HEAD);
        }
    }

    /// When the wait is over; never while a request is being answered.
    fn deadline(&self, idle: Duration, head: Duration) -> Option<Instant> {
        let waiting = self.waiting.load(Ordering::Relaxed);
        let since = self.opened + Duration::from_millis(waiting >> 2);
        match waiting & 3 {
            IDLE => Some(since + idle),
            HEAD => Some(since + head),
            _ => None,
        }
    }
}

/// Serves a connection until either side ends it. Buffers are there from its first byte on: who opens connections and
/// says nothing gets little for it.
pub(super) async fn run(
    stream: TcpStream,
    peer: SocketAddr,
    permit: Permit,
    shared: Arc<Shared>,
    mut stages: watch::Receiver<Stage>,
) {
    let mut first = [0];
    tokio::select! {
        biased;
        _ = stages.changed() => return,
        () = tokio::time::sleep(shared.limits.idle) => return,
        _ = stream.peek(&mut first) => {}
    }
    Box::pin(converse(stream, peer, permit, shared, stages)).await;
}

async fn converse(
    stream: TcpStream,
    peer: SocketAddr,
    permit: Permit,
    shared: Arc<Shared>,
    mut stages: watch::Receiver<Stage>,
) {
    let watch = Arc::new(Watch::new());
    let wire = Wire::new(stream, Arc::clone(&watch), shared.limits.write_stall, permit);
    let (idle, head) = (shared.limits.idle, shared.limits.head_time);
    let handler = Handler {
        peer,
        watch: Arc::clone(&watch),
        stopping: Stopping(stages.clone()),
        shared: Arc::clone(&shared),
    };
    let mut served = shared.http.serve_connection(TokioIo::new(wire), handler).with_upgrades();
    let mut alarm = pin!(tokio::time::sleep(idle));
    let late = loop {
        let ended = poll_fn(|cx| {
            if let Poll::Ready(ended) = Pin::new(&mut served).poll(cx) {
                return Poll::Ready(ended.map(|()| false));
            }
            while let Some(deadline) = watch.deadline(idle, head) {
                if Instant::now() >= deadline {
                    return Poll::Ready(Ok(true));
                }
                // An alarm that rings too early costs less than one set for every request.
                if alarm.is_elapsed() || alarm.deadline() > deadline {
                    alarm.as_mut().reset(deadline);
                }
                ready!(alarm.as_mut().poll(cx));
            }
            Poll::Pending
        });
        tokio::select! {
            biased;
            changed = stages.changed() => {
                if changed.is_err() || *stages.borrow_and_update() == Stage::Dropped {
                    return;
                }
                Pin::new(&mut served).graceful_shutdown();
            }
            ended = ended => match ended {
                Ok(late) => break late,
                Err(broken) => {
                    tracing::debug!(%peer, %broken, "a connection broke");
                    break false;
                }
            },
        }
    };
    let headless = watch.phase() == HEAD;
    let unread = headless || watch.unread.load(Ordering::Relaxed);
    // What was upgraded is somebody else's by now. Who was only idle needs no word.
    if unread && let Some(parts) = served.into_parts() {
        parts.io.into_inner().dismiss(if late && headless { SLOW } else { b"" }).await;
    }
}

/// Hands requests to the router.
struct Handler {
    peer: SocketAddr,
    watch: Arc<Watch>,
    stopping: Stopping,
    shared: Arc<Shared>,
}

impl hyper::service::Service<Request<Incoming>> for Handler {
    type Response = Response<Answered>;
    type Error = Infallible;
    // In a box, so that an idle connection does not keep its place.
    type Future = BoxFuture<'static, Result<Self::Response, Infallible>>;

    fn call(&self, request: Request<Incoming>) -> Self::Future {
        self.watch.unread.store(false, Ordering::Relaxed);
        self.watch.enter(BUSY);
        let busy = Busy(Arc::clone(&self.watch));
        // RFC 9112, section 3.2: without one host nobody can say what is asked for.
        if request.version() == Version::HTTP_11 && request.headers().get_all(HOST).iter().count() != 1 {
            let mut refused = Response::new(Answered { body: Body::empty(), _busy: busy });
            *refused.status_mut() = StatusCode::BAD_REQUEST;
            return Box::pin(std::future::ready(Ok(refused)));
        }
        let (watch, patience) = (Arc::clone(&self.watch), self.shared.limits.body_stall);
        let mut request = request.map(|body| {
            if body.is_end_stream() {
                return Body::empty();
            }
            Body::new(Asked { body, watch, patience, stalled: None, whole: false })
        });
        request.extensions_mut().insert(ConnectInfo(self.peer));
        request.extensions_mut().insert(self.stopping.clone());
        let mut router = self.shared.router.clone();
        Box::pin(async move {
            let response = router.call(request).await?;
            Ok(response.map(|body| Answered { body, _busy: busy }))
        })
    }
}

/// A request is being answered until this is dropped.
struct Busy(Arc<Watch>);

impl Drop for Busy {
    fn drop(&mut self) {
        self.0.enter(IDLE);
    }
}

/// The body of a request. It fails where the client stops in the middle.
struct Asked {
    body: Incoming,
    watch: Arc<Watch>,
    patience: Duration,
    stalled: Option<Pin<Box<Sleep>>>,
    whole: bool,
}

impl HttpBody for Asked {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let this = self.get_mut();
        if let Poll::Ready(frame) = Pin::new(&mut this.body).poll_frame(cx) {
            this.stalled = None;
            this.whole = frame.is_none();
            return Poll::Ready(frame.map(|frame| frame.map_err(Into::into)));
        }
        let patience = this.patience;
        let stalled = this.stalled.get_or_insert_with(|| Box::pin(tokio::time::sleep(patience)));
        ready!(stalled.as_mut().poll(cx));
        Poll::Ready(Some(Err(std::io::Error::from(std::io::ErrorKind::TimedOut).into())))
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

impl Drop for Asked {
    fn drop(&mut self) {
        if !self.whole && !self.body.is_end_stream() {
            self.watch.unread.store(true, Ordering::Relaxed);
        }
    }
}

/// The body of an answer.
pub(super) struct Answered {
    body: Body,
    _busy: Busy,
}

impl HttpBody for Answered {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        Pin::new(&mut self.get_mut().body).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
