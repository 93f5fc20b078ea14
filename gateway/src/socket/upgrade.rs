//! From a request to a socket: the handshake (RFC 6455, section 4.2).

use std::net::IpAddr;

use axum::body::Body;
use axum::http::header::{
    CONNECTION, CONTENT_TYPE, HeaderName, ORIGIN, RETRY_AFTER, SEC_WEBSOCKET_ACCEPT, SEC_WEBSOCKET_KEY,
    SEC_WEBSOCKET_PROTOCOL, SEC_WEBSOCKET_VERSION, UPGRADE,
};
use axum::http::{HeaderMap, HeaderValue, Method, Request, StatusCode};
use axum::response::{IntoResponse, Response};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use sha1::{Digest, Sha1};

use super::close::Close;
use super::connection;
use super::host::Host;
use super::hub::{Full, Hub};

/// The one subprotocol that is spoken.
const PROTOCOL: &str = "graphql-transport-ws";
/// What proves that the server knows the protocol (RFC 6455, section 1.3).
const GUID: &[u8] = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

/// Why a request does not become a socket. As a response it is the status and one line of text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// Not a handshake. 426.
    #[error("this is a WebSocket: connect with the subprotocol graphql-transport-ws")]
    NotHandshake,
    /// A handshake of another version. 426.
    #[error("speak version 13 of the WebSocket protocol")]
    Version,
    /// The key is missing or not one. 400.
    #[error("Sec-WebSocket-Key must be 16 bytes in base64")]
    Key,
    /// Another subprotocol, or none. 400: a browser would not let the page see a close code either, for it fails the
    /// connection when the subprotocol is not one that it asked for.
    #[error("speak graphql-transport-ws: Sec-WebSocket-Protocol")]
    Subprotocol,
    /// A page of this origin may not connect. 403.
    #[error("pages of this origin may not connect")]
    Origin,
    /// The server ends. 503.
    #[error("going away: reconnect")]
    Closing,
}

impl Refused {
    /// The status to answer with.
    pub fn status(self) -> StatusCode {
        match self {
            Self::NotHandshake | Self::Version => StatusCode::UPGRADE_REQUIRED,
            Self::Key | Self::Subprotocol => StatusCode::BAD_REQUEST,
            Self::Origin => StatusCode::FORBIDDEN,
            Self::Closing => StatusCode::SERVICE_UNAVAILABLE,
        }
    }
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        let mut response =
            (self.status(), [(CONTENT_TYPE, "text/plain; charset=utf-8")], self.to_string()).into_response();
        let mut set = |name: HeaderName, value| {
            response.headers_mut().insert(name, HeaderValue::from_static(value));
        };
        match self {
            Self::NotHandshake | Self::Version => {
                set(UPGRADE, "websocket");
                set(CONNECTION, "upgrade");
                set(SEC_WEBSOCKET_VERSION, "13");
            }
            Self::Closing => set(RETRY_AFTER, "1"),
            Self::Key | Self::Subprotocol | Self::Origin => {}
        }
        response
    }
}

impl Hub {
    /// Makes a socket of a request, and serves it in a task of its own. The response is the handshake's answer.
    ///
    /// `from` is the address to count it by until it is known whose it is. `allowed` is asked whether pages of an origin
    /// may connect; what is no browser sends none, and an origin that is no text is told as an empty one.
    ///
    /// # Errors
    /// When the request is no handshake for graphql-transport-ws, its origin is not allowed, or the server ends. When
    /// there is no room the handshake is answered, and the socket closed with 1013, for that is what a browser shows.
    pub fn upgrade<H: Host, B>(
        &self,
        request: &mut Request<B>,
        from: Option<IpAddr>,
        allowed: impl FnOnce(Option<&str>) -> bool,
        host: H,
    ) -> Result<Response, Refused> {
        let headers = request.headers();
        let is_handshake = request.method() == Method::GET
            && lists(headers, &CONNECTION, |token| token.eq_ignore_ascii_case("upgrade"))
            && lists(headers, &UPGRADE, |token| token.eq_ignore_ascii_case("websocket"));
        if !is_handshake {
            return Err(Refused::NotHandshake);
        }
        if headers.get(SEC_WEBSOCKET_VERSION).is_none_or(|version| version != "13") {
            return Err(Refused::Version);
        }
        let key = headers.get(SEC_WEBSOCKET_KEY).filter(|key| is_key(key.as_bytes())).ok_or(Refused::Key)?;
        if !lists(headers, &SEC_WEBSOCKET_PROTOCOL, |token| token == PROTOCOL) {
            return Err(Refused::Subprotocol);
        }
        if !allowed(headers.get(ORIGIN).map(|origin| origin.to_str().unwrap_or_default())) {
            return Err(Refused::Origin);
        }
        if self.is_closed() {
            return Err(Refused::Closing);
        }
        let mut response = Response::new(Body::empty());
        *response.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
        let accept = HeaderValue::from_str(&accept(key.as_bytes())).map_err(|_| Refused::Key)?;
        response.headers_mut().insert(SEC_WEBSOCKET_ACCEPT, accept);
        response.headers_mut().insert(CONNECTION, HeaderValue::from_static("upgrade"));
        response.headers_mut().insert(UPGRADE, HeaderValue::from_static("websocket"));
        response.headers_mut().insert(SEC_WEBSOCKET_PROTOCOL, HeaderValue::from_static(PROTOCOL));
        let upgrade = hyper::upgrade::on(request);
        match self.seat(from) {
            Ok(seat) => {
                tokio::spawn(connection::serve(upgrade, self.clone(), seat, host));
            }
            Err(full) => {
                let reason = match full {
                    Full::Server => "the server is full: try again later",
                    _ => "too many sockets of your address have not said who they are: try again later",
                };
                tokio::spawn(connection::refuse(upgrade, self.clone(), Close::new(Close::TRY_AGAIN, reason)));
            }
        }
        Ok(response)
    }
}

/// Whether a header is a list in which a token is.
fn lists(headers: &HeaderMap, name: &HeaderName, is: impl Fn(&str) -> bool) -> bool {
    let values = headers.get_all(name).iter().filter_map(|value| value.to_str().ok());
    values.flat_map(|value| value.split(',')).any(|token| is(token.trim()))
}

fn is_key(key: &[u8]) -> bool {
    STANDARD.decode(key).is_ok_and(|bytes| bytes.len() == 16)
}

fn accept(key: &[u8]) -> String {
    STANDARD.encode(Sha1::new().chain_update(key).chain_update(GUID).finalize())
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_key_is_answered_as_in_the_example_of_the_rfc() {
        assert_eq!(super::accept(b"dGhlIHNhbXBsZSBub25jZQ=="), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
    }
}
