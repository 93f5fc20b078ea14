//! `/graphql`: requests over HTTP, and event streams for who accepts them.

use std::net::{IpAddr, SocketAddr};
use std::time::Instant;

use async_graphql::ServerError;
use axum::body::Body;
use axum::extract::{ConnectInfo, FromRequestParts, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, Request, StatusCode, header};
use axum::response::{IntoResponse, Response};
use gateway::http::negotiate::{STREAMS, prefers_page};
use gateway::http::{Exchange, Outcome, Refusal, Rules, answer, read};
use gateway::request::Incoming;
use gateway::socket::sse;
use identity::NotSignedIn;
use tracing::Instrument;

use super::admission::Denied;
use super::origin::{From, bearer, principal};
use super::run::{Done, mark, run};
use super::streams::{Guest, revision};
use super::{Edge, graphiql};
use crate::graphql::request::Session;

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
const SERVER_TIMING: HeaderName = HeaderName::from_static("server-timing");
const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");

/// Answers a request: the page for people with a browser, events for who accepts them, else one answer.
pub(super) async fn execute(State(edge): State<Edge>, request: Request<Body>) -> Response {
    let started = Instant::now();
    let (mut parts, body) = request.into_parts();
    if parts.method == Method::GET && edge.graphiql && prefers_page(&parts.headers) {
        return graphiql::page(&parts.headers);
    }
    let Ok(From(origin)) = From::from_request_parts(&mut parts, &()).await;
    let id = origin.request_id.clone().unwrap_or_default();
    let address = address(&parts);
    if sse::is_asked_for(&parts.headers) {
        return events(&edge, &parts, body, Guest::new(&edge, origin, bearer(&parts.headers)), address, &id)
            .await;
    }
    let (exchange, done, company) = match read(&parts, body, &Rules::default()).await {
        Err(refusal) => (refusal.exchange.clone(), of_refusal(&refusal), None),
        Ok((incoming, exchange)) => match principal(&edge.app.auth, bearer(&parts.headers), address).await {
            Err(reason) => (exchange, not_signed_in(&reason).into(), None),
            Ok(principal) => {
                let company = principal.as_ref().map(|(principal, _)| principal.company.id);
                let session = Session::new(edge.app.clone(), principal, origin, key(&parts.headers));
                let span = tracing::info_span!("graphql", request = %id, company = company.map(tracing::field::display));
                let done =
                    admit_and_run(&edge, &session, address, incoming, &exchange).instrument(span).await;
                (exchange, done, company)
            }
        },
    };
    let Done { answer: mut told, outcome, mut headers } = done;
    mark(&mut told.errors, &id);
    let ms = started.elapsed().as_secs_f64() * 1000.0;
    tracing::info!(
        request = %id,
        company = company.map(tracing::field::display),
        status = outcome.status(exchange.media).as_u16(),
        ms,
        errors = told.errors.len(),
        "request"
    );
    if let Ok(id) = HeaderValue::from_str(&id) {
        headers.insert(REQUEST_ID, id);
    }
    if let Ok(timing) = HeaderValue::from_str(&format!("total;dur={ms:.2}")) {
        headers.insert(SERVER_TIMING, timing);
    }
    answer(&exchange, &told, outcome, headers)
}

async fn admit_and_run(
    edge: &Edge,
    session: &Session,
    address: Option<IpAddr>,
    incoming: Incoming,
    exchange: &Exchange,
) -> Done {
    let permit = |operation| exchange.permit(operation).map_err(|refusal| denied(&refusal));
    let admitted = edge.gates.admit(session, address, incoming, permit).await;
    match admitted {
        Ok(ready) => run(edge, ready, session).await,
        Err(denied) => {
            let session = session.clone();
            tokio::spawn(async move { session.renew().await });
            denied.into()
        }
    }
}

/// The events of one operation.
async fn events(
    edge: &Edge,
    parts: &Parts,
    body: Body,
    guest: Guest,
    address: Option<IpAddr>,
    id: &str,
) -> Response {
    let rules = Rules { offered: STREAMS, ..Rules::default() };
    let (incoming, exchange) = match read(parts, body, &rules).await {
        Ok(read) => read,
        Err(refusal) => return refusal.into_response(),
    };
    let guest = guest.over(exchange.clone());
    let resume = sse::last_event_id(&parts.headers);
    let refused = match edge.streams.event_stream(guest, address, incoming, resume, revision).await {
        Ok(response) => return response,
        Err(refused) => refused,
    };
    if let sse::Refused::Request(mut errors) = refused {
        mark(&mut errors, id);
        return sse::told(&errors);
    }
    let mut denied = Denied::new(Outcome::Denied(refused.status()), refused.code(), refused.to_string());
    mark(std::slice::from_mut(&mut denied.error), id);
    if matches!(refused.status(), StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE) {
        denied.headers.insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
    }
    let Done { answer: told, outcome, headers } = denied.into();
    answer(&exchange, &told, outcome, headers)
}

/// The address that a request came from.
pub(super) fn address(parts: &Parts) -> Option<IpAddr> {
    parts.extensions.get::<ConnectInfo<SocketAddr>>().map(|info| info.0.ip())
}

/// The idempotency key, whatever its bytes: what is no key is refused where keys are read. Two of them are none: whoever
/// stands between may make one line of both.
fn key(headers: &HeaderMap) -> Option<String> {
    let mut keys = headers.get_all(IDEMPOTENCY_KEY).iter();
    let key = keys.next()?;
    let none_other = keys.next().is_none();
    Some(if none_other { String::from_utf8_lossy(key.as_bytes()).into_owned() } else { String::new() })
}

fn denied(refusal: &Refusal) -> Denied {
    let Done { answer, outcome, headers } = of_refusal(refusal);
    let error = answer.errors.into_iter().next();
    Denied { error: error.unwrap_or_else(|| ServerError::new("refused", None)), outcome, headers }
}

fn of_refusal(refusal: &Refusal) -> Done {
    Done { answer: refusal.answer(), outcome: refusal.outcome(), headers: refusal.headers() }
}

fn not_signed_in(reason: &NotSignedIn) -> Denied {
    match reason {
        NotSignedIn::Token => {
            let status = Outcome::Denied(StatusCode::UNAUTHORIZED);
            let mut denied = Denied::new(status, "UNAUTHENTICATED", reason.to_string());
            denied.headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
            denied
        }
        NotSignedIn::Fault(fault) => {
            tracing::warn!(%fault, "sign-in could not be looked up");
            let status = Outcome::Denied(StatusCode::SERVICE_UNAVAILABLE);
            let words = "the database is out of reach for a moment: try again";
            let mut denied = Denied::new(status, "UNAVAILABLE", words);
            denied.headers.insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
            denied
        }
    }
}
