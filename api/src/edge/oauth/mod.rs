//! The authorization server's own addresses (OAuth 2.0): where browsers are sent, where programs get their tokens, and what
//! tells them about both. The protocol is in the crate `authority`, what is kept in `identity::oauth`.
//!
//! Everything is answered with `Cache-Control: no-store` but keys and metadata. Programs in browsers may ask for tokens
//! from any origin, for nothing here takes a cookie but the pages, which no other site may frame or send forms to.

mod authorize;
mod browser;
mod consent;
mod documents;
mod sign_in;
mod token;
mod words;

use authority::{Code, Params, Refusal};
use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use gateway::budget::Refused;
use identity::oauth::Failure;
use kernel::{Fault, Origin};
use tower_http::cors::{Any, CorsLayer};

use super::Edge;

/// Most bytes of a form.
const FORM_BYTES: usize = 16 * 1024;

/// The paths of the endpoints.
const AUTHORIZE: &str = "/oauth/authorize";
const TOKEN: &str = "/oauth/token";
const REVOKE: &str = "/oauth/revoke";
const INTROSPECT: &str = "/oauth/introspect";
const JWKS: &str = "/oauth/jwks";
const METADATA: &str = "/.well-known/oauth-authorization-server";

/// The routes.
pub(super) fn routes() -> Router<Edge> {
    let any_origin = CorsLayer::new()
        .allow_origin(Any)
        .allow_methods([Method::GET, Method::POST])
        .allow_headers([header::AUTHORIZATION, header::CONTENT_TYPE])
        .expose_headers([header::RETRY_AFTER, header::WWW_AUTHENTICATE]);
    let programs = Router::new()
        .route(TOKEN, post(token::token))
        .route(REVOKE, post(token::revoke))
        .route(JWKS, get(documents::jwks))
        .route(METADATA, get(documents::metadata))
        .layer(any_origin);
    // Servers alone ask what a token is.
    programs
        .route(INTROSPECT, post(token::introspect))
        .route(AUTHORIZE, get(authorize::page).post(authorize::submit))
}

/// The form that a program or a page sends.
///
/// # Errors
/// Another type, parameters in the address, too many bytes, or no form.
async fn form(headers: &HeaderMap, query: Option<&str>, body: Body) -> Result<Params, Refusal> {
    let types: Vec<_> = headers.get_all(header::CONTENT_TYPE).iter().collect();
    let is_form = |value: &HeaderValue| {
        let essence = value.to_str().unwrap_or_default().split(';').next().unwrap_or_default().trim();
        essence.eq_ignore_ascii_case("application/x-www-form-urlencoded")
    };
    if !matches!(types.as_slice(), [one] if is_form(one)) {
        return Err(Refusal::request("the body must be application/x-www-form-urlencoded"));
    }
    // What stands in an address ends in logs (RFC 6749, section 2.3.1).
    if query.is_some_and(|query| !query.is_empty()) {
        return Err(Refusal::request("parameters belong in the body and not in the address"));
    }
    let bytes = to_bytes(body, FORM_BYTES).await;
    let bytes = bytes.map_err(|_| Refusal::request("the body has more than 16384 bytes, or was cut off"))?;
    let text = std::str::from_utf8(&bytes).map_err(|_| Refusal::request("the body is not a form"))?;
    Params::parse(text).map_err(|_| Refusal::request("the body is not a form"))
}

/// Counts a request of an address; the answer when it has sent too many.
pub(super) async fn count(edge: &Edge, origin: &Origin) -> Result<(), Response> {
    let (Some(count), Some(address)) = (&edge.gates.strangers, origin.ip()) else { return Ok(()) };
    let Err(refused) = edge.gates.budget.count(count, address).await else { return Ok(()) };
    let wait = Refused::retry_after(&refused).map_or(1, |wait| wait.as_secs().max(1));
    let told =
        Refusal::new(Code::TemporarilyUnavailable, "too many requests from this address: try again later");
    let mut response = json(StatusCode::TOO_MANY_REQUESTS, &told.json());
    response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(wait));
    Err(response)
}

/// An answer for programs, which no cache keeps.
fn json(status: StatusCode, body: &serde_json::Value) -> Response {
    const PRAGMA: HeaderName = HeaderName::from_static("pragma");
    let headers = [
        (header::CONTENT_TYPE, "application/json"),
        (header::CACHE_CONTROL, "no-store"),
        (PRAGMA, "no-cache"),
    ];
    (status, headers, body.to_string()).into_response()
}

/// What a fault is told as: nothing of it, but whether to try again.
fn masked(fault: &Fault) -> Refusal {
    if fault.is_unavailable() {
        tracing::warn!(%fault, "oauth");
        return Refusal::new(Code::TemporarilyUnavailable, "try again in a moment");
    }
    tracing::error!(%fault, "oauth");
    Refusal::new(Code::ServerError, "something went wrong here")
}

/// A failure in the terms of the protocol.
fn told(failure: Failure) -> Refusal {
    match failure {
        Failure::Refused(refusal) => refusal,
        Failure::Fault(fault) => masked(&fault),
    }
}
