//! GraphQL over server-sent events, distinct connections mode (PROTOCOL.md of the npm package graphql-sse; the event stream
//! is that of the HTML standard, section 9.2): one request, one operation, one stream of `next` and then `complete`.
//!
//! Requests are read and negotiated elsewhere, and refusals answered there.

use std::borrow::Cow;
use std::convert::Infallible;
use std::hash::{BuildHasher, RandomState};
use std::net::IpAddr;
use std::pin::{Pin, pin};
use std::time::Duration;

use async_graphql::{Response as Answer, ServerError};
use axum::body::Body;
use axum::http::header::{ACCEPT, CACHE_CONTROL, CONTENT_TYPE, HeaderName};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::Response;
use bytes::Bytes;
use futures_util::StreamExt;
use futures_util::future::BoxFuture;
use futures_util::stream::{self, BoxStream};
use serde::Serialize;
use serde_json::Map;
use tokio::sync::futures::OwnedNotified;
use tokio::sync::mpsc::{self, Permit, Sender};
use tokio::time::{Instant, sleep_until, timeout, timeout_at};

use super::host::{Ended, Host, is_request_error};
use super::hub::{Full, Hub, Seat, Word};
use crate::request::Incoming;

const EVENT_STREAM: &str = "text/event-stream";
const COMPLETE: &str = "event: complete\ndata:\n\n";

/// Why there is no event stream. Nothing was executed.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum Refused {
    /// Who asks is not known, or may not: the host's reason. 401.
    #[error("{0}")]
    Forbidden(Cow<'static, str>),
    /// It cannot be told now who asks: the host's reason. 503.
    #[error("{0}")]
    Unavailable(Cow<'static, str>),
    /// The client has as many sockets and event streams as it may. 429.
    #[error("a client has at most {0} sockets and event streams: end one first")]
    TooMany(usize),
    /// All places are taken. 503.
    #[error("the server is full: try again later")]
    Full,
    /// The server ends. 503.
    #[error("going away: reconnect")]
    Closing,
    /// The request's errors, of [`Host::start`]. The protocol wants those of validation told as events: [`told`].
    #[error("the request is refused")]
    Request(Vec<ServerError>),
}

impl Refused {
    /// The status to answer with; with 429 and 503 comes `Retry-After`. Errors of a request may have a better one.
    pub fn status(&self) -> StatusCode {
        match self {
            Self::Request(_) => StatusCode::BAD_REQUEST,
            Self::Forbidden(_) => StatusCode::UNAUTHORIZED,
            Self::TooMany(_) => StatusCode::TOO_MANY_REQUESTS,
            Self::Unavailable(_) | Self::Full | Self::Closing => StatusCode::SERVICE_UNAVAILABLE,
        }
    }

    /// The error's `extensions.code`. Errors of a request have their own.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Request(_) => "BAD_REQUEST",
            Self::Forbidden(_) => "UNAUTHENTICATED",
            Self::TooMany(_) => "TOO_MANY_STREAMS",
            Self::Unavailable(_) | Self::Full | Self::Closing => "UNAVAILABLE",
        }
    }
}

/// Whether `Accept` names event streams. `*/*` does not: they are for who knows them.
pub fn is_asked_for(headers: &HeaderMap) -> bool {
    let values = headers.get_all(ACCEPT).iter().filter_map(|value| value.to_str().ok());
    values.flat_map(|value| value.split(',')).any(|range| {
        let mut parts = range.split(';').map(str::trim);
        let is_named = parts.next().is_some_and(|name| name.eq_ignore_ascii_case(EVENT_STREAM));
        let is_refused = |part: &str| {
            part.split_once('=').is_some_and(|(name, weight)| {
                name.trim().eq_ignore_ascii_case("q") && weight.trim().parse() == Ok(0.0)
            })
        };
        is_named && !parts.any(is_refused)
    })
}

/// The id of the last event that the client has (HTML standard, `Last-Event-ID`).
pub fn last_event_id(headers: &HeaderMap) -> Option<String> {
    let id = headers.get(HeaderName::from_static("last-event-id"))?;
    std::str::from_utf8(id.as_bytes()).ok().filter(|id| !id.is_empty()).map(str::to_owned)
}

impl Hub {
    /// Starts an operation and answers with its events.
    ///
    /// `from` is the address to count it by until it is known whose it is. `resume` is [`last_event_id`], and is given to
    /// [`Host::start`]; `revision` finds in a response the id of its event. The responses are made in a task of its own, one
    /// at a time, when the last has been taken; it ends with the request, or when the client takes none for
    /// `Settings::write_within`. The connection itself is the listener's to end.
    ///
    /// # Errors
    /// When nothing is to be executed for who asks. Then an answer over plain HTTP is due.
    pub async fn event_stream<H: Host>(
        &self,
        host: H,
        from: Option<IpAddr>,
        request: Incoming,
        resume: Option<String>,
        revision: impl Fn(&Answer) -> Option<String> + Send + 'static,
    ) -> Result<Response, Refused> {
        let settings = self.settings();
        let word = self.next_word();
        if self.is_closed() {
            return Err(Refused::Closing);
        }
        let mut seat = self.seat(from).map_err(|full| match full {
            Full::Address => Refused::TooMany(settings.most_unknown_of_address),
            Full::Server | Full::Client => Refused::Full,
        })?;
        let late = Ended::Unavailable("who you are could not be looked up in time: try again".into());
        let verify_at = Instant::now() + settings.verify_every;
        let connected = timeout(settings.init_within, host.connect(Map::new())).await.unwrap_or(Err(late));
        let peer = connected.map_err(|ended| match ended {
            Ended::Forbidden(reason) => Refused::Forbidden(reason),
            Ended::Unavailable(reason) => Refused::Unavailable(reason),
        })?;
        seat.settle(&host.client(&peer))
            .map_err(|_| Refused::TooMany(settings.most_connections_of_client))?;
        let (events, mut body) = mpsc::channel(1);
        let source = host.start(&peer, request, resume).await.map_err(Refused::Request)?;
        let pump = Pump {
            host,
            peer,
            hub: self.clone(),
            source,
            revision,
            is_first: true,
            asking: None,
            verify_at,
            _seat: seat,
        };
        // What was said since then is still to be heard.
        tokio::spawn(pump.run(events, word));
        Ok(response(Body::from_stream(
            stream::poll_fn(move |cx| body.poll_recv(cx)).map(Ok::<_, Infallible>),
        )))
    }
}

/// Tells errors of a request as events: a `next` with them, and `complete`. So the protocol wants it for whatever is found
/// before the execution, for a browser's `EventSource` cannot read an answer of another status or type.
pub fn told(errors: &[ServerError]) -> Response {
    response((next(None, &Errors { errors }) + COMPLETE).into())
}

fn response(body: Body) -> Response {
    let mut response = Response::new(body);
    for (name, value) in [
        (CONTENT_TYPE, EVENT_STREAM),
        (CACHE_CONTROL, "no-store"),
        // Proxies that collect responses would collect this one for ever.
        (HeaderName::from_static("x-accel-buffering"), "no"),
    ] {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    response
}

/// Makes the events of one stream.
struct Pump<H: Host, R> {
    host: H,
    peer: H::Peer,
    hub: Hub,
    source: BoxStream<'static, Answer>,
    revision: R,
    is_first: bool,
    asking: Option<BoxFuture<'static, Result<(), Ended>>>,
    /// When the host is asked next whether the peer may stay.
    verify_at: Instant,
    _seat: Seat,
}

/// What a stream says.
enum Event {
    Next(String),
    Last(String),
}

impl<H: Host, R: Fn(&Answer) -> Option<String> + Send> Pump<H, R> {
    async fn run(mut self, events: Sender<Bytes>, word: OwnedNotified) {
        let mut word = pin!(word);
        let mut event = Event::Next(retry(self.hub.settings().retry_after));
        while let Some(room) = self.room(&events, word.as_mut()).await {
            match event {
                Event::Next(text) => room.send(text.into()),
                Event::Last(text) => return room.send(text.into()),
            }
            event = tokio::select! {
                biased;
                () = events.closed() => return,
                event = self.event(word.as_mut()) => event,
            };
        }
    }

    /// The next event.
    async fn event(&mut self, mut word: Pin<&mut OwnedNotified>) -> Event {
        let hub = self.hub.clone();
        let settings = hub.settings();
        let comment_at = Instant::now() + settings.comment_every;
        loop {
            tokio::select! {
                biased;
                word = next_word(&hub, word.as_mut()) => match word {
                    Word::Closing => return Event::Last(retry(self.jitter())),
                    Word::Doubt => self.doubt(),
                },
                () = sleep_until(self.verify_at), if self.asking.is_none() => {
                    self.verify_at = Instant::now() + settings.verify_every;
                    let (host, peer, within) = (self.host.clone(), self.peer.clone(), settings.init_within);
                    // An answer that does not come is none: it is asked again.
                    self.asking = Some(Box::pin(async move {
                        timeout(within, host.verify(&peer)).await.unwrap_or(Ok(()))
                    }));
                }
                verdict = async { self.asking.as_mut()?.await.err() }, if self.asking.is_some() => {
                    self.asking = None;
                    if let Some(Ended::Forbidden(reason)) = verdict {
                        return Event::Last(unauthenticated(reason) + COMPLETE);
                    }
                }
                answer = self.source.next() => return match answer {
                    Some(answer) => Event::Next(self.next(&answer)),
                    None => Event::Last(COMPLETE.to_owned()),
                },
                () = sleep_until(comment_at) => return Event::Next(":\n\n".to_owned()),
            }
        }
    }

    /// A place for the next event, as soon as the last has been taken. None when the client is gone, does not read, or the
    /// server ends.
    async fn room<'a>(
        &mut self,
        events: &'a Sender<Bytes>,
        mut word: Pin<&mut OwnedNotified>,
    ) -> Option<Permit<'a, Bytes>> {
        let hub = self.hub.clone();
        let end = Instant::now() + hub.settings().write_within;
        loop {
            tokio::select! {
                biased;
                room = timeout_at(end, events.reserve()) => return room.ok()?.ok(),
                word = next_word(&hub, word.as_mut()) => match word {
                    Word::Closing => return None,
                    Word::Doubt => self.doubt(),
                },
            }
        }
    }

    /// Has the peer verified soon.
    fn doubt(&mut self) {
        if self.host.concerns(&self.peer) {
            self.verify_at = self.verify_at.min(Instant::now() + self.hub.turn());
        }
    }

    fn next(&mut self, answer: &Answer) -> String {
        if std::mem::take(&mut self.is_first) && is_request_error(answer) {
            return next(None, &Errors { errors: &answer.errors });
        }
        next((self.revision)(answer).as_deref(), answer)
    }

    /// One to four times the usual wait, for each stream another.
    fn jitter(&self) -> Duration {
        let [a, b, ..] = RandomState::new().hash_one(()).to_le_bytes();
        let part = f64::from(u16::from_le_bytes([a, b])) / f64::from(u16::MAX);
        self.hub.settings().retry_after.mul_f64(1.0 + 3.0 * part)
    }
}

async fn next_word(hub: &Hub, mut word: Pin<&mut OwnedNotified>) -> Word {
    std::future::poll_fn(|cx| hub.poll_word(word.as_mut(), cx)).await
}

/// The members of a response to a request that was not executed: no `data`.
#[derive(Serialize)]
struct Errors<'a> {
    errors: &'a [ServerError],
}

fn next(id: Option<&str>, data: &impl Serialize) -> String {
    // Maps here have strings as keys, and writing to memory does not fail: so does this. JSON has no bare line breaks.
    let data = serde_json::to_string(data).unwrap_or_default();
    match id.filter(|id| !id.contains(['\n', '\r', '\0'])) {
        Some(id) => format!("event: next\nid: {id}\ndata: {data}\n\n"),
        None => format!("event: next\ndata: {data}\n\n"),
    }
}

fn unauthenticated(reason: Cow<'static, str>) -> String {
    let mut error = ServerError::new(reason, None);
    error.extensions.get_or_insert_default().set("code", "UNAUTHENTICATED");
    next(None, &Errors { errors: &[error] })
}

fn retry(after: Duration) -> String {
    format!("retry: {}\n\n", after.as_millis())
}
