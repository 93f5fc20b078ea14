//! A request that is refused for what it looks like, before anything reads its document.

use std::borrow::Cow;

use async_graphql::{Response as Answer, ServerError};
use axum::http::header::{ACCEPT_ENCODING, ALLOW, CONNECTION};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};

use super::answer::{Outcome, answer};
use super::read::Exchange;
use crate::document::Refused;

/// Why a request was not read, as a GraphQL error in the media type that the client understands.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Refusal {
    /// How it is answered.
    pub exchange: Exchange,
    /// The status of the answer.
    pub status: StatusCode,
    /// The stable code of the error, in its `extensions`.
    pub code: &'static str,
    /// What is wrong, and how to do it right.
    pub message: Cow<'static, str>,
    hint: Hint,
}

/// What the status wants to be told with a header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Hint {
    None,
    /// The methods that would do.
    Allow(&'static str),
    /// The encodings that would do.
    Encodings,
    /// The rest of the body is not waited for.
    Close,
}

impl Refusal {
    pub(super) fn method(exchange: Exchange, allow: &'static str, message: &'static str) -> Self {
        let refused = Self::of(exchange, StatusCode::METHOD_NOT_ALLOWED, "METHOD_NOT_ALLOWED", message);
        Self { hint: Hint::Allow(allow), ..refused }
    }

    pub(super) fn not_acceptable(exchange: Exchange, message: String) -> Self {
        Self::of(exchange, StatusCode::NOT_ACCEPTABLE, "NOT_ACCEPTABLE", message)
    }

    pub(super) fn media(exchange: Exchange, message: &'static str) -> Self {
        Self::of(exchange, StatusCode::UNSUPPORTED_MEDIA_TYPE, "UNSUPPORTED_MEDIA_TYPE", message)
    }

    pub(super) fn encoding(exchange: Exchange) -> Self {
        let refused = Self::media(exchange, "send the body as it is, without Content-Encoding");
        Self { hint: Hint::Encodings, ..refused }
    }

    pub(super) fn too_large(exchange: Exchange, most: usize) -> Self {
        let message = format!("a request has at most {most} bytes");
        let refused = Self::of(exchange, StatusCode::PAYLOAD_TOO_LARGE, "PAYLOAD_TOO_LARGE", message);
        Self { hint: Hint::Close, ..refused }
    }

    pub(super) fn too_many_values(exchange: Exchange, refused: &Refused) -> Self {
        Self::of(exchange, StatusCode::PAYLOAD_TOO_LARGE, refused.code(), refused.to_string())
    }

    pub(super) fn too_slow(exchange: Exchange, most: std::time::Duration) -> Self {
        let message = format!("the request did not arrive within {} s", most.as_secs_f32());
        let refused = Self::of(exchange, StatusCode::REQUEST_TIMEOUT, "REQUEST_TIMEOUT", message);
        Self { hint: Hint::Close, ..refused }
    }

    pub(super) fn malformed(exchange: Exchange, message: impl Into<Cow<'static, str>>) -> Self {
        Self::of(exchange, StatusCode::BAD_REQUEST, "BAD_REQUEST", message)
    }

    fn of(
        exchange: Exchange,
        status: StatusCode,
        code: &'static str,
        message: impl Into<Cow<'static, str>>,
    ) -> Self {
        Self { exchange, status, code, message: message.into(), hint: Hint::None }
    }

    /// The GraphQL response that says so.
    pub fn answer(&self) -> Answer {
        let mut error = ServerError::new(self.message.as_ref(), None);
        error.extensions.get_or_insert_default().set("code", self.code);
        Answer::from_errors(vec![error])
    }

    /// What [`answer`] is told of it.
    pub fn outcome(&self) -> Outcome {
        Outcome::Denied(self.status)
    }

    /// The headers that go with the status.
    pub fn headers(&self) -> HeaderMap {
        let hint = match self.hint {
            Hint::None => None,
            Hint::Allow(methods) => Some((ALLOW, HeaderValue::from_static(methods))),
            Hint::Encodings => Some((ACCEPT_ENCODING, HeaderValue::from_static("identity"))),
            Hint::Close => Some((CONNECTION, HeaderValue::from_static("close"))),
        };
        hint.into_iter().collect()
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        answer(&self.exchange, &self.answer(), self.outcome(), self.headers())
    }
}
