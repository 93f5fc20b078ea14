//! A small server with streams, and clients that speak to it over real connections.

#![allow(dead_code, reason = "each test binary uses its part")]

use std::collections::{HashMap, HashSet};
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context as Task, Poll};
use std::time::Duration;

use async_graphql::{
    Context, Error, Object, Request, Response as Answer, Schema, ServerError, SimpleObject, Subscription,
};
use axum::Router;
use axum::extract::{ConnectInfo, Query as UrlQuery, State};
use axum::http::{HeaderMap, Method, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::any;
use axum::serve::Listener;
use futures_util::stream::BoxStream;
use futures_util::{SinkExt, Stream, StreamExt, stream};
use gateway::request::Incoming;
use gateway::socket::{Ended, Host, Hub, Settings, execute_lean, lean, sse};
use serde_json::{Map, Value, json};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::time::Sleep;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;

/// What a test sees and sets of the server.
pub(crate) struct House {
    pub(crate) schema: Schema<Query, Mutation, Feed>,
    /// Tokens that are valid no more.
    pub(crate) revoked: Mutex<HashSet<String>>,
    /// Whether it cannot be told at the moment who is valid.
    pub(crate) unsure: Mutex<bool>,
    pub(crate) verified: AtomicUsize,
    /// Whether an answer about who is valid is found at once and comes only later.
    pub(crate) held: watch::Sender<bool>,
    /// The only token that what is said about rights concerns; all when none is named.
    pub(crate) concerned: Mutex<Option<String>>,
    /// Streams and slow queries that run.
    pub(crate) alive: Arc<AtomicUsize>,
    /// Items that hot streams have made.
    pub(crate) produced: Arc<AtomicUsize>,
    /// The newest revision.
    pub(crate) revision: watch::Sender<i64>,
}

impl House {
    fn new() -> Arc<Self> {
        Arc::new(Self {
            schema: Schema::new(Query, Mutation, Feed),
            revoked: Mutex::default(),
            unsure: Mutex::new(false),
            verified: AtomicUsize::new(0),
            held: watch::Sender::new(false),
            concerned: Mutex::default(),
            alive: Arc::default(),
            produced: Arc::default(),
            revision: watch::Sender::new(1),
        })
    }

    pub(crate) fn revoke(&self, token: &str) {
        self.revoked.lock().expect("unpoisoned").insert(token.to_owned());
    }

    pub(crate) fn alive(&self) -> usize {
        self.alive.load(Ordering::SeqCst)
    }

    pub(crate) fn produced(&self) -> usize {
        self.produced.load(Ordering::SeqCst)
    }
}

/// Runs as long as something does.
struct Alive(Arc<AtomicUsize>);

impl Alive {
    fn new(ctx: &Context<'_>) -> Self {
        let count = ctx.data_unchecked::<Arc<House>>().alive.clone();
        count.fetch_add(1, Ordering::SeqCst);
        Self(count)
    }
}

impl Drop for Alive {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

struct Resume(Option<i64>);

pub(crate) struct Query;

#[Object]
impl Query {
    async fn hello(&self) -> &str {
        "world"
    }

    async fn fails(&self) -> Result<i32, Error> {
        std::future::ready(Err("no such thing".into())).await
    }

    /// Is never answered.
    async fn slow(&self, ctx: &Context<'_>) -> i32 {
        let _alive = Alive::new(ctx);
        std::future::pending().await
    }
}

pub(crate) struct Mutation;

#[Object]
impl Mutation {
    async fn rename(&self, name: String) -> String {
        name
    }
}

#[derive(SimpleObject, Clone)]
pub(crate) struct Figure {
    revision: i64,
    text: String,
}

pub(crate) struct Feed;

#[Subscription]
impl Feed {
    async fn count(&self, to: i32) -> impl Stream<Item = i32> {
        stream::iter(1..=to)
    }

    /// Says nothing.
    async fn never(&self, ctx: &Context<'_>) -> impl Stream<Item = i32> {
        let alive = Alive::new(ctx);
        stream::pending().map(move |()| {
            let _ = &alive;
            0
        })
    }

    async fn ticks(&self, ms: u64) -> impl Stream<Item = i32> {
        let interval = tokio::time::interval(Duration::from_millis(ms));
        stream::unfold((interval, 0), |(mut interval, n)| async move {
            interval.tick().await;
            Some((n, (interval, n + 1)))
        })
    }

    /// Always has more.
    async fn hot(&self, ctx: &Context<'_>, bytes: usize) -> impl Stream<Item = Figure> {
        let (alive, produced) = (Alive::new(ctx), ctx.data_unchecked::<Arc<House>>().produced.clone());
        let text = "x".repeat(bytes);
        stream::iter(1..).map(move |revision| {
            let _ = &alive;
            produced.fetch_add(1, Ordering::SeqCst);
            Figure { revision, text: text.clone() }
        })
    }

    /// The newest figure, then the newest whenever it has changed.
    async fn figure(
        &self,
        ctx: &Context<'_>,
        #[graphql(default)] bytes: usize,
    ) -> impl Stream<Item = Figure> + use<> {
        let alive = Alive::new(ctx);
        let mut newest = ctx.data_unchecked::<Arc<House>>().revision.subscribe();
        newest.mark_changed();
        let after = ctx.data_unchecked::<Resume>().0.unwrap_or(0);
        let text = "x".repeat(bytes);
        let figures = stream::unfold((newest, alive, text), |(mut newest, alive, text)| async move {
            newest.changed().await.ok()?;
            let revision = *newest.borrow_and_update();
            Some((Figure { revision, text: text.clone() }, (newest, alive, text)))
        })
        .filter(move |figure| std::future::ready(figure.revision > after));
        lean(ctx, figures)
    }

    /// Cannot be followed.
    async fn broken(&self) -> Result<stream::Pending<i32>, Error> {
        std::future::ready(Err("cannot be followed".into())).await
    }

    /// One value, then a failure.
    async fn falters(&self) -> impl Stream<Item = Result<i32, Error>> {
        stream::iter([Ok(1), Err("lost the thread".into())])
    }
}

/// The host of one request.
#[derive(Clone)]
pub(crate) struct Visit {
    house: Arc<House>,
    token: Option<Arc<str>>,
}

impl Host for Visit {
    type Peer = Arc<str>;

    async fn connect(&self, init: Map<String, Value>) -> Result<Arc<str>, Ended> {
        let given = init.get("token").and_then(Value::as_str).map(Into::into).or(self.token.clone());
        match given {
            None => Err(Ended::Forbidden("sign in first".into())),
            Some(token) if &*token == "away" => Err(Ended::Unavailable("come again".into())),
            Some(token) if &*token == "hangs" => std::future::pending().await,
            Some(token) => Ok(token),
        }
    }

    async fn verify(&self, peer: &Arc<str>) -> Result<(), Ended> {
        self.house.verified.fetch_add(1, Ordering::SeqCst);
        let unsure = *self.house.unsure.lock().expect("unpoisoned");
        let revoked = self.house.revoked.lock().expect("unpoisoned").contains(&**peer);
        let mut held = self.house.held.subscribe();
        held.wait_for(|held| !held).await.expect("the house stands");
        match (unsure, revoked) {
            (true, _) => Err(Ended::Unavailable("the database is away".into())),
            (_, true) => Err(Ended::Forbidden("the token was revoked".into())),
            _ => Ok(()),
        }
    }

    fn concerns(&self, peer: &Arc<str>) -> bool {
        self.house.concerned.lock().expect("unpoisoned").as_ref().is_none_or(|token| **token == **peer)
    }

    async fn start(
        &self,
        _peer: &Arc<str>,
        request: Incoming,
        resume: Option<String>,
    ) -> Result<BoxStream<'static, Answer>, Vec<ServerError>> {
        let query = request.query.unwrap_or_default();
        if query.len() > 1_000 {
            let mut error = ServerError::new("too long", None);
            error.extensions.get_or_insert_default().set("code", "TOO_LONG");
            return Err(vec![error]);
        }
        let mut execute = Request::new(query).variables(request.variables).data(self.house.clone());
        execute = execute.data(Resume(resume.and_then(|id| id.parse().ok())));
        if let Some(name) = request.operation_name {
            execute = execute.operation_name(name);
        }
        Ok(execute_lean(&self.house.schema, execute))
    }

    fn client(&self, peer: &Arc<str>) -> String {
        peer.to_string()
    }
}

/// A running server.
pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    pub(crate) hub: Hub,
    pub(crate) house: Arc<House>,
}

#[derive(Clone)]
struct Routes {
    hub: Hub,
    house: Arc<House>,
}

/// Settings of which no time passes within a test.
pub(crate) fn settings() -> Settings {
    Settings { verify_every: Duration::from_millis(50), ..Settings::default() }
}

pub(crate) async fn serve(settings: Settings) -> Server {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a port");
    let address = listener.local_addr().expect("an address");
    let within = settings.write_within + Duration::from_secs(1);
    let (hub, house) = (Hub::new(settings), House::new());
    let state = Routes { hub: hub.clone(), house: house.clone() };
    let router = Router::new().route("/ws", any(socket)).route("/sse", any(events)).with_state(state);
    let service = router.into_make_service_with_connect_info::<Peer>();
    tokio::spawn(async move { axum::serve(Limited { listener, within }, service).await });
    Server { address, hub, house }
}

/// Ends a connection that takes nothing for a while, as the listener of a server does.
struct Limited {
    listener: TcpListener,
    within: Duration,
}

struct WriteLimit {
    io: TcpStream,
    within: Duration,
    timer: Option<Pin<Box<Sleep>>>,
}

impl AsyncRead for WriteLimit {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Task<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_read(cx, buf)
    }
}

impl AsyncWrite for WriteLimit {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Task<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.io).poll_write(cx, bytes);
        if written.is_ready() {
            self.timer = None;
            return written;
        }
        let within = self.within;
        let timer = self.timer.get_or_insert_with(|| Box::pin(tokio::time::sleep(within)));
        timer.as_mut().poll(cx).map(|()| Err(io::ErrorKind::TimedOut.into()))
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Task<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Task<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_shutdown(cx)
    }
}

impl Listener for Limited {
    type Io = WriteLimit;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Self::Io, SocketAddr) {
        let (io, address) = Listener::accept(&mut self.listener).await;
        (WriteLimit { io, within: self.within, timer: None }, address)
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }
}

impl axum::extract::connect_info::Connected<axum::serve::IncomingStream<'_, Limited>> for Peer {
    fn connect_info(stream: axum::serve::IncomingStream<'_, Limited>) -> Self {
        Self(*stream.remote_addr())
    }
}

#[derive(Clone)]
struct Peer(SocketAddr);

async fn socket(
    State(routes): State<Routes>,
    ConnectInfo(Peer(from)): ConnectInfo<Peer>,
    mut request: axum::extract::Request,
) -> Response {
    let visit = Visit { house: routes.house, token: token(request.headers()) };
    let allowed = |origin: Option<&str>| origin.is_none_or(|origin| origin == "https://app.example");
    match routes.hub.upgrade(&mut request, Some(from.ip()), allowed, visit) {
        Ok(response) => response,
        Err(refused) => refused.into_response(),
    }
}

fn token(headers: &HeaderMap) -> Option<Arc<str>> {
    headers.get("authorization").and_then(|value| value.to_str().ok()).map(Into::into)
}

async fn events(
    State(routes): State<Routes>,
    ConnectInfo(Peer(from)): ConnectInfo<Peer>,
    method: Method,
    headers: HeaderMap,
    UrlQuery(mut parameters): UrlQuery<HashMap<String, String>>,
    body: String,
) -> Response {
    if !sse::is_asked_for(&headers) {
        return StatusCode::NOT_ACCEPTABLE.into_response();
    }
    let body = match method {
        Method::GET => json!({ "query": parameters.remove("query") }),
        _ => serde_json::from_str(&body).expect("JSON"),
    };
    let incoming = Incoming::from_json(body).expect("parameters");
    let visit = Visit { house: routes.house, token: token(&headers) };
    let resume = sse::last_event_id(&headers);
    match routes.hub.event_stream(visit, Some(from.ip()), incoming, resume, revision).await {
        Ok(response) => response,
        Err(sse::Refused::Request(errors)) => sse::told(&errors),
        Err(refused) => (refused.status(), refused.code()).into_response(),
    }
}

/// `data.<field>.revision`.
fn revision(answer: &Answer) -> Option<String> {
    let async_graphql::Value::Object(data) = &answer.data else { return None };
    let async_graphql::Value::Object(field) = data.values().next()? else { return None };
    field.get("revision").map(ToString::to_string)
}

/// A client of graphql-transport-ws.
pub(crate) struct Client(pub(crate) WebSocketStream<TcpStream>);

/// Longest that a test waits for what must come.
const PATIENCE: Duration = Duration::from_secs(10);

impl Server {
    /// A socket that has not said who it is.
    pub(crate) async fn open(&self) -> Client {
        let mut request = format!("ws://{}/ws", self.address).into_client_request().expect("a request");
        request
            .headers_mut()
            .insert("sec-websocket-protocol", "graphql-transport-ws".parse().expect("a value"));
        let stream = TcpStream::connect(self.address).await.expect("a connection");
        let (socket, _) = tokio_tungstenite::client_async(request, stream).await.expect("a socket");
        Client(socket)
    }

    /// A socket that is acknowledged.
    pub(crate) async fn connect(&self, token: &str) -> Client {
        let mut client = self.open().await;
        client.init(token).await;
        assert_eq!(client.next().await, json!({ "type": "connection_ack" }));
        client
    }
}

impl Client {
    pub(crate) async fn send(&mut self, message: Value) {
        self.0.send(Message::text(message.to_string())).await.expect("sent");
    }

    pub(crate) async fn init(&mut self, token: &str) {
        self.send(json!({ "type": "connection_init", "payload": { "token": token } })).await;
    }

    pub(crate) async fn subscribe(&mut self, id: &str, query: &str) {
        self.send(json!({ "type": "subscribe", "id": id, "payload": { "query": query } })).await;
    }

    pub(crate) async fn complete(&mut self, id: &str) {
        self.send(json!({ "type": "complete", "id": id })).await;
    }

    /// The next message. Pings of the server are answered on the way.
    pub(crate) async fn next(&mut self) -> Value {
        loop {
            let message = tokio::time::timeout(PATIENCE, self.0.next()).await.expect("in time");
            match message.expect("still open").expect("a message") {
                Message::Text(text) => return serde_json::from_str(&text).expect("JSON"),
                Message::Ping(_) | Message::Pong(_) => {}
                other => panic!("{other:?}"),
            }
        }
    }

    /// The code and reason with which the server closes, whatever it says before.
    pub(crate) async fn closed(&mut self) -> (u16, String) {
        loop {
            let message = tokio::time::timeout(PATIENCE, self.0.next()).await.expect("in time");
            if let Message::Close(frame) = message.expect("a close frame").expect("a message") {
                let frame = frame.expect("a code");
                // The library answers while it is asked for more.
                while let Some(Ok(_)) = self.0.next().await {}
                return (frame.code.into(), frame.reason.to_string());
            }
        }
    }

    /// Checks that the socket serves.
    pub(crate) async fn serves(&mut self) {
        self.subscribe("serves", "{ hello }").await;
        let next = json!({ "type": "next", "id": "serves", "payload": { "data": { "hello": "world" } } });
        assert_eq!(self.next().await, next);
        assert_eq!(self.next().await, json!({ "type": "complete", "id": "serves" }));
    }
}

/// Waits until something holds.
pub(crate) async fn until(what: &str, holds: impl Fn() -> bool) {
    let waited = tokio::time::timeout(PATIENCE, async {
        while !holds() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    });
    assert!(waited.await.is_ok(), "{what}");
}

/// Resident memory of this process, in bytes.
pub(crate) fn resident() -> usize {
    let statm = std::fs::read_to_string("/proc/self/statm").expect("Linux");
    let pages: usize = statm.split(' ').nth(1).expect("a figure").parse().expect("a number");
    pages * 4096
}
