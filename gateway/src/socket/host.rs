//! What a server must know to serve streams: who connects, whether they may stay, and how to run an operation.

use std::borrow::Cow;

use async_graphql::{Response, ServerError};
use futures_util::stream::BoxStream;
use serde_json::{Map, Value};

use crate::request::Incoming;

/// Why somebody is not served, or not any more.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Ended {
    /// They may not: the token is unknown, expired or revoked, or the account is suspended. Closes with 4403 and the reason.
    #[error("{0}")]
    Forbidden(Cow<'static, str>),
    /// It cannot be told now. Who connects is asked to come again (1013); who is connected stays.
    #[error("{0}")]
    Unavailable(Cow<'static, str>),
}

/// The server behind the sockets and event streams. It is cloned for each operation: keep it small.
pub trait Host: Clone + Send + Sync + 'static {
    /// Who is connected. It is cloned for each operation, and kept as long as the connection: keep it small.
    type Peer: Clone + Send + Sync + 'static;

    /// Who connects: by the payload of `connection_init`, which is empty for an event stream, or by what the host has
    /// kept of the request (make one host for each).
    fn connect(&self, init: Map<String, Value>) -> impl Future<Output = Result<Self::Peer, Ended>> + Send;

    /// Whether the peer may still be here. Asked for every connection from time to time (`Settings::verify_every`), and
    /// for whom it concerns at each `Hub::doubt`: keep the answer for a moment if it is dear, so that many sockets of one
    /// peer cost one look-up.
    fn verify(&self, peer: &Self::Peer) -> impl Future<Output = Result<(), Ended>> + Send;

    /// Whether what `Hub::doubt` was last called for may concern a peer. Asked for every connection at each doubt: answer
    /// from memory, and `true` when you do not know.
    fn concerns(&self, peer: &Self::Peer) -> bool {
        let _ = peer;
        true
    }

    /// Starts an operation of any kind. `resume` is the `Last-Event-ID` of an event stream.
    ///
    /// The stream is polled only when its response can be sent, so a source that keeps the newest state and not a queue
    /// loses nothing by a client that is slow. It is dropped as soon as the client has enough. Make it by
    /// [`super::execute_lean`], for a socket may hold it for days.
    ///
    /// # Errors
    /// The request's errors: it could not be read, is not valid, or is refused by a limit. Nothing was executed. A stream
    /// whose *first* response has no data and only errors without a path says the same: such are the responses of
    /// an executor to a request that is not valid.
    fn start(
        &self,
        peer: &Self::Peer,
        request: Incoming,
        resume: Option<String>,
    ) -> impl Future<Output = Result<BoxStream<'static, Response>, Vec<ServerError>>> + Send;

    /// Whose connections these are counted as: an account, a key, or an address.
    fn client(&self, peer: &Self::Peer) -> String;
}

/// Whether a stream's first response tells that nothing was executed.
pub(super) fn is_request_error(response: &Response) -> bool {
    response.data == async_graphql::Value::Null
        && !response.errors.is_empty()
        && response.errors.iter().all(|error| error.path.is_empty())
}
