//! From a GraphQL response to an HTTP response.

use std::collections::BTreeMap;

use async_graphql::{Response as Answer, ServerError, Value};
use axum::body::Body;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE, VARY, X_CONTENT_TYPE_OPTIONS};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::Response;
use serde::Serialize;

use super::negotiate::Media;
use super::read::Exchange;

/// How a request ended; with the media type it decides the status (GraphQL over HTTP, "Status Codes").
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The operation ran. The answer has `data`, if only null, and the status is 200 even where fields have errors.
    Executed,
    /// The document was refused before it ran: it does not parse, is not valid, costs too much, names no operation, or
    /// its variables do not fit. The answer has no `data`; the status is 400, and 200 in `application/json`.
    Invalid,
    /// The server would not take the request, or could not: 401, 403, 429, 503, 504 and their kin. The answer has no
    /// `data` and the status is the same in both media types: it does not speak of the document.
    Denied(StatusCode),
}

impl Outcome {
    /// How the executor ended. An error that has a path arose while the operation ran; one that has none, beside no
    /// data, kept it from running.
    pub fn of(answer: &Answer) -> Self {
        let refused = answer.data == Value::Null
            && !answer.errors.is_empty()
            && answer.errors.iter().all(|error| error.path.is_empty());
        if refused { Self::Invalid } else { Self::Executed }
    }

    /// The status in a media type.
    pub fn status(self, media: Media) -> StatusCode {
        match (self, media) {
            (Self::Denied(status), _) => status,
            (Self::Executed, _) | (Self::Invalid, Media::Json) => StatusCode::OK,
            (Self::Invalid, Media::GraphqlResponse | Media::EventStream) => StatusCode::BAD_REQUEST,
        }
    }
}

/// What is written; `data` is there when the operation ran, even where it is null (GraphQL, section 7.1).
#[derive(Serialize)]
struct Written<'a> {
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    errors: &'a [ServerError],
    #[serde(skip_serializing_if = "Option::is_none")]
    data: Option<&'a Value>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    extensions: &'a BTreeMap<String, Value>,
}

/// Writes the answer. `headers` are those that only the caller knows: `Retry-After`, `WWW-Authenticate`, rate limits,
/// the request's id. Headers that resolvers set follow them. What is said of content and caching is said here alone.
///
/// `Vary` names `Accept`; the layer of [`Origins`](super::cors::Origins) adds `Origin`.
pub fn answer(exchange: &Exchange, answer: &Answer, outcome: Outcome, headers: HeaderMap) -> Response {
    let written = Written {
        errors: &answer.errors,
        data: (outcome == Outcome::Executed).then_some(&answer.data),
        extensions: &answer.extensions,
    };
    let mut body = Vec::with_capacity(1024);
    let mut status = outcome.status(exchange.media);
    if let Err(fault) = serde_json::to_writer(&mut body, &written) {
        tracing::error!(%fault, "an answer cannot be written as JSON");
        body.clear();
        body.extend_from_slice(
            br#"{"errors":[{"message":"something went wrong on our side","extensions":{"code":"INTERNAL"}}]}"#,
        );
        status = StatusCode::INTERNAL_SERVER_ERROR;
    }
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = status;
    let fields = response.headers_mut();
    *fields = headers;
    for (name, value) in &answer.http_headers {
        fields.append(name, value.clone());
    }
    fields.insert(CONTENT_TYPE, exchange.media.content_type());
    fields.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    fields.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    fields.append(VARY, HeaderValue::from_static("accept"));
    response
}

#[cfg(test)]
mod tests {
    use async_graphql::PathSegment;
    use axum::http::Method;
    use axum::http::header::{RETRY_AFTER, SET_COOKIE};
    use http_body_util::BodyExt;

    use super::*;

    fn exchange(media: Media) -> Exchange {
        Exchange { media, method: Method::POST }
    }

    fn error(path: Vec<PathSegment>) -> ServerError {
        ServerError::new("no", None).with_path(path)
    }

    async fn text(response: Response) -> String {
        let bytes = response.into_body().collect().await.expect("a body").to_bytes();
        String::from_utf8(bytes.to_vec()).expect("UTF-8")
    }

    #[tokio::test]
    async fn an_executed_operation_has_data_even_where_it_is_null() {
        let mut executed = Answer::new(Value::Null);
        executed.errors.push(error(vec![PathSegment::Field("shop".into())]));
        assert_eq!(Outcome::of(&executed), Outcome::Executed);
        for media in [Media::GraphqlResponse, Media::Json] {
            let response = answer(&exchange(media), &executed, Outcome::Executed, HeaderMap::new());
            assert_eq!(response.status(), StatusCode::OK);
            assert_eq!(text(response).await, r#"{"errors":[{"message":"no","path":["shop"]}],"data":null}"#);
        }
    }

    #[tokio::test]
    async fn a_refused_document_has_no_data_and_its_status_follows_the_media_type() {
        let refused = Answer::from_errors(vec![error(Vec::new())]);
        assert_eq!(Outcome::of(&refused), Outcome::Invalid);
        for (media, status) in [
            (Media::GraphqlResponse, StatusCode::BAD_REQUEST),
            (Media::EventStream, StatusCode::BAD_REQUEST),
            (Media::Json, StatusCode::OK),
        ] {
            let response = answer(&exchange(media), &refused, Outcome::Invalid, HeaderMap::new());
            assert_eq!(response.status(), status, "{media:?}");
            assert_eq!(text(response).await, r#"{"errors":[{"message":"no"}]}"#);
        }
    }

    #[tokio::test]
    async fn a_denial_has_its_status_in_every_media_type_and_no_data() {
        let denied = Answer::from_errors(vec![error(Vec::new())]);
        for media in [Media::GraphqlResponse, Media::Json, Media::EventStream] {
            let outcome = Outcome::Denied(StatusCode::TOO_MANY_REQUESTS);
            let headers = HeaderMap::from_iter([(RETRY_AFTER, HeaderValue::from_static("7"))]);
            let response = answer(&exchange(media), &denied, outcome, headers);
            assert_eq!(response.status(), StatusCode::TOO_MANY_REQUESTS);
            assert_eq!(response.headers()[RETRY_AFTER], "7");
            assert!(!text(response).await.contains("data"));
        }
    }

    #[tokio::test]
    async fn an_answer_is_neither_sniffed_nor_kept_nor_taken_for_another_types() {
        let executed = Answer::new(Value::Boolean(true)).extension("cost", Value::from(3));
        let response =
            answer(&exchange(Media::GraphqlResponse), &executed, Outcome::Executed, HeaderMap::new());
        let headers = response.headers();
        assert_eq!(headers[CONTENT_TYPE], "application/graphql-response+json; charset=utf-8");
        assert_eq!(headers[X_CONTENT_TYPE_OPTIONS], "nosniff");
        assert_eq!(headers[CACHE_CONTROL], "no-store");
        assert_eq!(headers[VARY], "accept");
        assert_eq!(text(response).await, r#"{"data":true,"extensions":{"cost":3}}"#);
        let response = answer(&exchange(Media::Json), &executed, Outcome::Executed, HeaderMap::new());
        assert_eq!(response.headers()[CONTENT_TYPE], "application/json; charset=utf-8");
    }

    #[test]
    fn headers_of_resolvers_are_kept_but_do_not_speak_of_content_or_caching() {
        let mut of_resolvers = HeaderMap::new();
        of_resolvers.append(SET_COOKIE, HeaderValue::from_static("a=1"));
        of_resolvers.append(SET_COOKIE, HeaderValue::from_static("b=2"));
        of_resolvers.insert(CACHE_CONTROL, HeaderValue::from_static("public"));
        let executed = Answer::new(Value::Boolean(true)).http_headers(of_resolvers);
        let response = answer(&exchange(Media::Json), &executed, Outcome::Executed, HeaderMap::new());
        assert_eq!(response.headers().get_all(SET_COOKIE).iter().count(), 2);
        assert_eq!(response.headers()[CACHE_CONTROL], "no-store");
    }
}
