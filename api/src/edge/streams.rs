//! `/graphql/ws` and event streams: who connects, whether they may stay, and what runs for them.

use std::net::IpAddr;
use std::sync::Arc;

use async_graphql::parser::types::OperationType;
use async_graphql::{Response as Answer, ServerError, Value};
use axum::body::Body;
use axum::extract::{FromRequestParts, State};
use axum::http::Request;
use axum::response::{IntoResponse, Response};
use futures_util::StreamExt;
use futures_util::stream::{self, BoxStream};
use gateway::http::{Exchange, Outcome};
use gateway::request::Incoming;
use gateway::socket::{Ended, Host, execute_lean};
use identity::{NotSignedIn, Principal};
use kernel::Origin;
use serde_json::Map;

use super::Edge;
use super::admission::{Denied, Ready};
use super::graphql::address;
use super::origin::{From, bearer, principal, token_of};
use super::run::{mark, run};
use crate::graphql::request::Session;

/// Upgrades to a WebSocket that speaks graphql-transport-ws.
pub(super) async fn upgrade(State(edge): State<Edge>, request: Request<Body>) -> Response {
    let (mut parts, body) = request.into_parts();
    let Ok(From(origin)) = From::from_request_parts(&mut parts, &()).await;
    let (from, token) = (address(&parts), bearer(&parts.headers));
    let allowed = edge.origins.admit(&parts.headers);
    let mut request = Request::from_parts(parts, body);
    let guest = Guest::new(&edge, origin, token);
    match edge.streams.upgrade(&mut request, from, |_| allowed, guest) {
        Ok(response) => response,
        Err(refused) => refused.into_response(),
    }
}

/// Who came, before it is known whether they may.
#[derive(Clone)]
pub(super) struct Guest(Arc<Came>);

struct Came {
    edge: Edge,
    origin: Origin,
    token: Option<String>,
    /// What the one request of an event stream may be; a socket may send everything.
    exchange: Option<Exchange>,
}

/// Who is connected.
#[derive(Clone)]
pub(super) struct Peer(Option<Arc<(Principal, String)>>);

impl Guest {
    pub(super) fn new(edge: &Edge, origin: Origin, token: Option<String>) -> Self {
        Self(Arc::new(Came { edge: edge.clone(), origin, token, exchange: None }))
    }

    /// The same, come by one request over HTTP.
    pub(super) fn over(self, exchange: Exchange) -> Self {
        let Came { edge, origin, token, .. } = &*self.0;
        let (edge, origin, token) = (edge.clone(), origin.clone(), token.clone());
        Self(Arc::new(Came { edge, origin, token, exchange: Some(exchange) }))
    }

    fn address(&self) -> Option<IpAddr> {
        self.0.origin.address.as_deref().and_then(|address| address.parse().ok())
    }

    fn session(&self, peer: &Peer, key: Option<String>, resume: Option<i64>) -> Session {
        let principal = peer.0.as_ref().map(|peer| (**peer).clone());
        // Each operation has an id of its own in the logs and in the trail.
        let request_id = Some(kernel::id::new().simple().to_string());
        let origin = Origin { request_id, ..self.0.origin.clone() };
        Session::new(self.0.edge.app.clone(), principal, origin, key).resuming(resume)
    }

    async fn admit(&self, session: &Session, request: Incoming) -> Result<Ready, Denied> {
        let permit = |operation: OperationType| match &self.0.exchange {
            Some(exchange) => exchange.permit(operation).map_err(|refusal| {
                Denied::new(Outcome::Denied(refusal.status), refusal.code, refusal.message.into_owned())
            }),
            None => Ok(()),
        };
        self.0.edge.gates.admit(session, self.address(), request, permit).await
    }
}

fn ended(reason: &NotSignedIn) -> Ended {
    match reason {
        NotSignedIn::Token => {
            Ended::Forbidden("the token is unknown, expired or revoked: sign in again".into())
        }
        NotSignedIn::Fault(fault) => {
            tracing::warn!(%fault, "a stream's token could not be looked up");
            Ended::Unavailable("the database is out of reach for a moment: try again".into())
        }
    }
}

impl Host for Guest {
    type Peer = Peer;

    /// By the payload of `connection_init` (`{"authorization": "Bearer …"}`), or by the header.
    async fn connect(&self, init: Map<String, serde_json::Value>) -> Result<Peer, Ended> {
        let given = init
            .iter()
            .find(|(name, _)| name.eq_ignore_ascii_case("authorization"))
            .and_then(|(_, value)| value.as_str())
            .map(token_of);
        let known =
            principal(&self.0.edge.app.auth, given.or_else(|| self.0.token.clone()), self.address()).await;
        known.map(|known| Peer(known.map(Arc::new))).map_err(|reason| ended(&reason))
    }

    async fn verify(&self, peer: &Peer) -> Result<(), Ended> {
        let Some(peer) = &peer.0 else { return Ok(()) };
        let (principal, token) = &**peer;
        match self.0.edge.app.auth.current(token, self.address()).await {
            Ok(Some(now)) if principal.is_still(&now) => Ok(()),
            // What runs over the connection runs with the rights that it began with.
            Ok(Some(_)) => Err(Ended::Forbidden("your rights here have changed: connect again".into())),
            Ok(None) => Err(ended(&NotSignedIn::Token)),
            Err(fault) => Err(ended(&NotSignedIn::Fault(fault))),
        }
    }

    fn concerns(&self, peer: &Peer) -> bool {
        let concerns = |peer: &Arc<(Principal, String)>| {
            self.0.edge.app.auth.access().concerns(&peer.0.company, peer.0.actor)
        };
        peer.0.as_ref().is_some_and(concerns)
    }

    async fn start(
        &self,
        peer: &Peer,
        request: Incoming,
        resume: Option<String>,
    ) -> Result<BoxStream<'static, Answer>, Vec<ServerError>> {
        let key = request.extensions.get("idempotencyKey").and_then(|key| key.as_str()).map(str::to_owned);
        let session = self.session(peer, key, resume.and_then(|revision| revision.parse().ok()));
        let id = session.origin().request_id.clone().unwrap_or_default();
        let ready = match Box::pin(self.admit(&session, request)).await {
            Ok(ready) => ready,
            Err(denied) => {
                session.renew().await;
                let mut errors = vec![denied.error];
                mark(&mut errors, &id);
                return Err(errors);
            }
        };
        if ready.admitted.operation != OperationType::Subscription {
            let done = Box::pin(run(&self.0.edge, ready, &session)).await;
            let mut answer = done.answer;
            mark(&mut answer.errors, &id);
            if done.outcome != Outcome::Executed {
                return Err(answer.errors);
            }
            return Ok(stream::iter([answer]).boxed());
        }
        let events = execute_lean(&self.0.edge.schema, ready.request.data(session));
        Ok(events
            .map(move |mut answer| {
                mark(&mut answer.errors, &id);
                answer
            })
            .boxed())
    }

    fn client(&self, peer: &Peer) -> String {
        match &peer.0 {
            Some(peer) => format!("{} {}", peer.0.company.id, peer.0.actor.stored()),
            None => format!("address {}", self.0.origin.address.as_deref().unwrap_or_default()),
        }
    }
}

/// The revision in an answer: the id of its event, by which an event stream resumes.
pub(super) fn revision(answer: &Answer) -> Option<String> {
    let Value::Object(data) = &answer.data else { return None };
    let [Value::Object(field)] = data.values().collect::<Vec<_>>()[..] else { return None };
    match field.get("revision")? {
        Value::Number(revision) => Some(revision.to_string()),
        _ => None,
    }
}
