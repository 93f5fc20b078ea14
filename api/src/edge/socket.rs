//! `GET /graphql/ws`: subscriptions over the protocol graphql-transport-ws.

use std::time::Duration;

use async_graphql::http::{WebSocket as Protocol, WebSocketProtocols, WsMessage};
use async_graphql::runtime::TokioTimer;
use async_graphql::{Data, Error};
use axum::extract::State;
use axum::extract::ws::{CloseFrame, Message, WebSocket, WebSocketUpgrade};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use futures_util::{SinkExt, StreamExt, future};
use kernel::Origin;

use super::origin::{From, bearer, principal, token_of};
use super::{Edge, MOST_BODY, plain};
use crate::graphql::request::Session;

const PROTOCOL: &str = "graphql-transport-ws";
/// A client that does not answer pings for so long is gone.
const SILENCE: Duration = Duration::from_mins(1);

/// Upgrades to a WebSocket.
pub(super) async fn upgrade(
    State(edge): State<Edge>,
    From(origin): From,
    headers: HeaderMap,
    socket: Result<WebSocketUpgrade, axum::extract::ws::rejection::WebSocketUpgradeRejection>,
) -> Response {
    let Ok(socket) = socket else {
        return plain(StatusCode::UPGRADE_REQUIRED, "this is a WebSocket: graphql-transport-ws");
    };
    let token = bearer(&headers);
    // 4 KiB of read buffer and none for writing: 14 KiB a subscriber instead of 139 KiB with the defaults.
    let socket = socket
        .protocols([PROTOCOL])
        .read_buffer_size(4096)
        .write_buffer_size(0)
        .max_message_size(MOST_BODY)
        .max_frame_size(MOST_BODY);
    if socket.selected_protocol().is_none() {
        return plain(StatusCode::BAD_REQUEST, "speak graphql-transport-ws: Sec-WebSocket-Protocol");
    }
    socket.on_upgrade(move |socket| serve(socket, edge, origin, token)).into_response()
}

/// Who connects, by the payload of `connection_init` (`{"authorization": "Bearer …"}`) or by the header.
async fn init(
    edge: Edge,
    origin: Origin,
    token: Option<String>,
    payload: serde_json::Value,
) -> Result<Data, Error> {
    let given = payload
        .as_object()
        .and_then(|fields| fields.iter().find(|(name, _)| name.eq_ignore_ascii_case("authorization")))
        .and_then(|(_, value)| value.as_str())
        .map(token_of);
    let principal = principal(&edge.app.auth, given.or(token)).await?;
    let mut data = Data::default();
    data.insert(Session::new(edge.app, principal, origin, None));
    Ok(data)
}

async fn serve(socket: WebSocket, edge: Edge, origin: Origin, token: Option<String>) {
    let (mut sink, stream) = socket.split();
    let incoming = stream
        .take_while(|message| future::ready(message.is_ok()))
        .filter_map(|message| {
            future::ready(match message {
                Ok(Message::Text(text)) => Some(text.as_bytes().to_vec()),
                Ok(Message::Binary(bytes)) => Some(bytes.to_vec()),
                _ => None,
            })
        })
        .boxed();
    let schema = edge.schema.clone();
    let mut outgoing = Protocol::new(schema, incoming, WebSocketProtocols::GraphQLWS)
        .on_connection_init(move |payload| init(edge, origin, token, payload))
        .keepalive_timeout(TokioTimer::default(), SILENCE)
        .boxed();
    while let Some(message) = outgoing.next().await {
        let sent = match message {
            WsMessage::Text(text) => sink.send(Message::Text(text.into())).await,
            WsMessage::Close(code, reason) => {
                sink.send(Message::Close(Some(CloseFrame { code, reason: reason.into() }))).await
            }
        };
        if sent.is_err() {
            break;
        }
    }
}
