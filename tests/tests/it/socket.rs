//! A client of graphql-transport-ws that follows the figures.

use std::collections::BTreeMap;
use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;

use crate::server::Server;

const FIGURES: &str =
    "subscription($keys: [String!], $after: Int) { kpis(keys: $keys, afterRevision: $after) {
    revision snapshot gap kpis { key value { number records amounts { amount currency } } } } }";

type Socket = tokio_tungstenite::WebSocketStream<tokio_tungstenite::MaybeTlsStream<tokio::net::TcpStream>>;

/// A client of the protocol, with the figures that it was told last.
pub(crate) struct Client {
    socket: Socket,
    figures: BTreeMap<String, Value>,
}

impl Client {
    pub(crate) async fn connect(server: &Server, token: Option<&str>) -> Self {
        Self::connect_to(&server.url, token).await
    }

    pub(crate) async fn connect_to(url: &str, token: Option<&str>) -> Self {
        let url = format!("{}/graphql/ws", url.replacen("http", "ws", 1));
        let mut request = url.into_client_request().expect("request");
        let protocol = "graphql-transport-ws".parse().expect("header");
        request.headers_mut().insert("sec-websocket-protocol", protocol);
        let (socket, _) = tokio_tungstenite::connect_async(request).await.expect("connected");
        let mut client = Self { socket, figures: BTreeMap::new() };
        let payload = token.map_or(json!({}), |token| json!({"authorization": format!("Bearer {token}")}));
        client.send(json!({"type": "connection_init", "payload": payload})).await;
        client
    }

    /// Connects, and follows all figures from their snapshot on.
    pub(crate) async fn follow(server: &Server, token: &str) -> Self {
        let mut client = Self::connect(server, Some(token)).await;
        assert_eq!(client.next().await["type"], "connection_ack");
        client.subscribe("1", json!({})).await;
        assert_eq!(client.push().await["snapshot"], true);
        client
    }

    async fn send(&mut self, message: Value) {
        self.send_text(&message.to_string()).await;
    }

    /// Sends a text as it is, even one that is no message of the protocol.
    pub(crate) async fn send_text(&mut self, text: &str) {
        self.socket.send(Message::text(text.to_owned())).await.expect("sent");
    }

    pub(crate) async fn subscribe(&mut self, id: &str, variables: Value) {
        self.subscribe_to(id, FIGURES, variables).await;
    }

    pub(crate) async fn subscribe_to(&mut self, id: &str, document: &str, variables: Value) {
        let payload = json!({"query": document, "variables": variables});
        self.send(json!({"id": id, "type": "subscribe", "payload": payload})).await;
    }

    /// The next message; a close frame is told as one.
    pub(crate) async fn next(&mut self) -> Value {
        loop {
            let message =
                tokio::time::timeout(Duration::from_secs(10), self.socket.next()).await.expect("in time");
            match message {
                Some(Ok(Message::Text(text))) => return serde_json::from_str(&text).expect("JSON"),
                Some(Ok(Message::Close(frame))) => {
                    let said = frame.map(|frame| (u16::from(frame.code), frame.reason.to_string())).unzip();
                    return json!({"type": "close", "code": said.0, "reason": said.1});
                }
                Some(Ok(_)) => {}
                None | Some(Err(_)) => return json!({"type": "gone"}),
            }
        }
    }

    /// The next pushed figures.
    pub(crate) async fn push(&mut self) -> Value {
        let message = self.next().await;
        assert_eq!(message["type"], "next", "{message:#}");
        assert!(message["payload"]["errors"].is_null(), "{message:#}");
        let push = message["payload"]["data"]["kpis"].clone();
        for figure in push["kpis"].as_array().expect("figures") {
            let key = figure["key"].as_str().expect("key").to_owned();
            self.figures.insert(key, figure["value"].clone());
        }
        push
    }

    /// Reads on until a figure is as wanted. What is never told within the time of a push fails the test.
    pub(crate) async fn until(&mut self, key: &str, wanted: impl Fn(&Value) -> bool) {
        while !self.figures.get(key).is_some_and(&wanted) {
            let last = self.figures.get(key).cloned();
            let push = tokio::time::timeout(Duration::from_secs(8), self.push()).await;
            assert!(push.is_ok(), "{key} stays at {last:?}");
        }
    }
}
