//! `POST /graphql`.

use std::time::Instant;

use async_graphql::{Request, Response as Answer, ServerError, Value};
use axum::body::Bytes;
use axum::extract::State;
use axum::extract::rejection::BytesRejection;
use axum::http::{HeaderMap, HeaderName, StatusCode, header};
use axum::response::{IntoResponse, Response};
use identity::NotSignedIn;
use tracing::Instrument;

use super::origin::{From, bearer, principal};
use super::{DEADLINE, Edge};
use crate::graphql::request::Session;

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
const SERVER_TIMING: HeaderName = HeaderName::from_static("server-timing");

/// Executes one request. JSON only: a content type that a form can send would let other sites write.
pub(super) async fn execute(
    State(edge): State<Edge>,
    From(origin): From,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Response {
    let started = Instant::now();
    let id = origin.request_id.clone().unwrap_or_default();
    let mut company = None;
    let (status, mut answer) = match read(&headers, body) {
        Err(refused) => refused,
        Ok(request) => match principal(&edge.app.auth, bearer(&headers)).await {
            Err(error) => not_signed_in(&error),
            Ok(principal) => {
                company = principal.as_ref().map(|(principal, _)| principal.company.id);
                let key = headers
                    .get("idempotency-key")
                    .map(|v| String::from_utf8_lossy(v.as_bytes()).into_owned());
                let session = Session::new(edge.app.clone(), principal, origin, key);
                let company = company.map(tracing::field::display);
                let span = tracing::info_span!("graphql", request = %id, company);
                run(&edge, request, session).instrument(span).await
            }
        },
    };
    for error in &mut answer.errors {
        let extensions = error.extensions.get_or_insert_default();
        if extensions.get("code").is_none() {
            extensions.set("code", "GRAPHQL_VALIDATION_FAILED");
        }
        extensions.set("requestId", id.as_str());
    }
    let elapsed = started.elapsed();
    let ms = elapsed.as_secs_f64() * 1000.0;
    tracing::info!(
        request = %id,
        company = company.map(tracing::field::display),
        status = status.as_u16(),
        ms,
        errors = answer.errors.len(),
        "request"
    );
    respond(status, &answer, &id, ms)
}

async fn run(edge: &Edge, request: Request, session: Session) -> (StatusCode, Answer) {
    let executed = tokio::time::timeout(DEADLINE, edge.schema.execute(request.data(session.clone()))).await;
    // The snapshot is given back after the answer is on its way.
    tokio::spawn(async move { session.renew().await });
    match executed {
        Ok(answer) => {
            let unavailable = answer.errors.iter().any(|error| code(error) == Some("UNAVAILABLE"));
            (if unavailable { StatusCode::SERVICE_UNAVAILABLE } else { StatusCode::OK }, answer)
        }
        Err(_) => (
            StatusCode::GATEWAY_TIMEOUT,
            error("TIMEOUT", "the request took longer than 5 s and was given up: ask for less at once"),
        ),
    }
}

fn code(error: &ServerError) -> Option<&str> {
    match error.extensions.as_ref()?.get("code")? {
        Value::String(code) => Some(code),
        _ => None,
    }
}

fn error(code: &'static str, message: impl Into<String>) -> Answer {
    let mut error = ServerError::new(message, None);
    error.extensions.get_or_insert_default().set("code", code);
    Answer::from_errors(vec![error])
}

fn not_signed_in(reason: &NotSignedIn) -> (StatusCode, Answer) {
    match reason {
        NotSignedIn::Token => (StatusCode::UNAUTHORIZED, error("UNAUTHENTICATED", reason.to_string())),
        NotSignedIn::Fault(fault) => {
            tracing::warn!(%fault, "sign-in could not be looked up");
            (
                StatusCode::SERVICE_UNAVAILABLE,
                error("UNAVAILABLE", "the database is out of reach for a moment: try again"),
            )
        }
    }
}

#[expect(clippy::result_large_err, reason = "one of them a request")]
fn read(headers: &HeaderMap, body: Result<Bytes, BytesRejection>) -> Result<Request, (StatusCode, Answer)> {
    let json = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).is_some_and(|value| {
        value.split(';').next().is_some_and(|mime| mime.trim().eq_ignore_ascii_case("application/json"))
    });
    if !json {
        let refused = error("UNSUPPORTED_MEDIA_TYPE", "send JSON: Content-Type: application/json");
        return Err((StatusCode::UNSUPPORTED_MEDIA_TYPE, refused));
    }
    let body = body.map_err(|rejection| {
        let refused =
            error("PAYLOAD_TOO_LARGE", "a request has at most 1 MiB: upload files with createUpload");
        (rejection.status(), refused)
    })?;
    // serde reads a struct from an array as well; a batch is not spoken here.
    let object = body.trim_ascii_start().starts_with(b"{");
    let parsed =
        if object { serde_json::from_slice(&body) } else { Err(serde::de::Error::custom("not an object")) };
    parsed.map_err(|wrong: serde_json::Error| {
        let refused = error("BAD_REQUEST", format!("the body is not a GraphQL request in JSON: {wrong}"));
        (StatusCode::BAD_REQUEST, refused)
    })
}

fn respond(status: StatusCode, answer: &Answer, id: &str, ms: f64) -> Response {
    let body = serde_json::to_vec(answer).unwrap_or_default();
    let timing = format!("total;dur={ms:.2}");
    let mut response = (
        status,
        [
            (header::CONTENT_TYPE, "application/json; charset=utf-8".to_owned()),
            (REQUEST_ID, id.to_owned()),
            (SERVER_TIMING, timing),
        ],
        body,
    )
        .into_response();
    if status == StatusCode::SERVICE_UNAVAILABLE {
        response.headers_mut().insert(header::RETRY_AFTER, axum::http::HeaderValue::from_static("1"));
    }
    if status == StatusCode::UNAUTHORIZED {
        response
            .headers_mut()
            .insert(header::WWW_AUTHENTICATE, axum::http::HeaderValue::from_static("Bearer"));
    }
    response
}
