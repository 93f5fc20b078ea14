//! From an HTTP request to the parameters of a GraphQL request (GraphQL over HTTP, "Request").

use std::pin::pin;
use std::time::Duration;

use async_graphql::parser::types::OperationType;
use axum::body::Body;
use axum::http::header::{CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE};
use axum::http::request::Parts;
use axum::http::{HeaderMap, Method};
use bytes::{Bytes, BytesMut};
use http_body_util::BodyExt;
use hyper::body::Body as _;
use serde_json::{Map, Value};

use super::negotiate::{ANSWERS, Media, is_utf8, negotiate, parameter, split};
use super::refusal::Refusal;
use crate::document::{Limits, scan_body};
use crate::request::Incoming;

/// What a request may be.
#[derive(Clone, Debug)]
pub struct Rules {
    /// The media types that it can be answered with, the preferred first.
    pub offered: &'static [Media],
    /// Most bytes of a body; 1 MiB.
    pub body_bytes: usize,
    /// Longest that a body may take to arrive, however steadily; 10 s.
    pub body_time: Duration,
    /// How many values a body may have.
    pub limits: Limits,
}

impl Default for Rules {
    fn default() -> Self {
        Self {
            offered: ANSWERS,
            body_bytes: 1024 * 1024,
            body_time: Duration::from_secs(10),
            limits: Limits::default(),
        }
    }
}

/// What the answer must know of the request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exchange {
    /// The media type of the answer.
    pub media: Media,
    /// The method of the request.
    pub method: Method,
}

impl Exchange {
    /// Whether an operation may run by the request's method: by GET, mutations may not (GraphQL over HTTP, "GET").
    ///
    /// # Errors
    /// 405 when it may not.
    pub fn permit(&self, operation: OperationType) -> Result<(), Refusal> {
        if self.method == Method::GET && operation == OperationType::Mutation {
            return Err(Refusal::method(self.clone(), "POST", "send mutations by POST"));
        }
        Ok(())
    }
}

/// Reads a request: the method, what the answer may be, then the parameters from the query of the address (GET) or from
/// a JSON body (POST). What a form of another site can send, without the browser asking first, is refused.
///
/// # Errors
/// 405 for another method, 406 when no offered media type is wanted, 415 for a body that is not JSON in UTF-8, 413 for
/// one too large or of too many values, 408 for one too slow, and 400 for anything malformed.
pub async fn read(parts: &Parts, body: Body, rules: &Rules) -> Result<(Incoming, Exchange), Refusal> {
    let media = negotiate(&parts.headers, rules.offered);
    let exchange = Exchange { media: media.unwrap_or(Media::Json), method: parts.method.clone() };
    if !matches!(exchange.method, Method::GET | Method::POST) {
        return Err(Refusal::method(exchange, "GET, POST", "send queries by GET or POST, mutations by POST"));
    }
    if media.is_none() {
        let types = rules.offered.iter().map(ToString::to_string).collect::<Vec<_>>().join(" or ");
        return Err(Refusal::not_acceptable(exchange, format!("accept {types}")));
    }
    let parameters = if exchange.method == Method::GET {
        from_address(parts.uri.query().unwrap_or_default())
    } else {
        json_only(&parts.headers, &exchange)?;
        let collected =
            tokio::time::timeout(rules.body_time, collect(body, &parts.headers, rules.body_bytes));
        match collected.await {
            Err(_) => return Err(Refusal::too_slow(exchange, rules.body_time)),
            Ok(Err(Broken::TooLarge)) => return Err(Refusal::too_large(exchange, rules.body_bytes)),
            Ok(Err(Broken::Off)) => return Err(Refusal::malformed(exchange, "the body broke off")),
            Ok(Ok(bytes)) => match scan_body(&bytes, &rules.limits) {
                Ok(()) => from_body(&bytes),
                Err(refused) => return Err(Refusal::too_many_values(exchange, &refused)),
            },
        }
    };
    match parameters.and_then(|body| Incoming::from_json(body).map_err(|wrong| wrong.to_string())) {
        Ok(incoming) if names_a_document(&incoming) => Ok((incoming, exchange)),
        Ok(_) => {
            Err(Refusal::malformed(exchange, "`query` is missing: the document to execute, as a string"))
        }
        Err(wrong) => Err(Refusal::malformed(exchange, wrong)),
    }
}

/// Whether there is a document, or the name of one: an id, or a hash as Apollo's clients send it.
fn names_a_document(incoming: &Incoming) -> bool {
    incoming.query.is_some()
        || incoming.document_id.is_some()
        || incoming.extensions.contains_key("persistedQuery")
}

/// Refuses every body but JSON in UTF-8, sent as it is. Browsers let any site send the types of forms.
fn json_only(headers: &HeaderMap, exchange: &Exchange) -> Result<(), Refusal> {
    const JSON: &str = "send JSON: Content-Type: application/json";
    let mut types = headers.get_all(CONTENT_TYPE).iter();
    let (Some(one), None) = (types.next(), types.next()) else {
        return Err(Refusal::media(exchange.clone(), JSON));
    };
    let mut pieces = split(one.to_str().unwrap_or_default(), ';');
    if !pieces.next().is_some_and(|mime| mime.trim().eq_ignore_ascii_case("application/json")) {
        return Err(Refusal::media(exchange.clone(), JSON));
    }
    for (key, value) in pieces.filter_map(parameter) {
        if key.eq_ignore_ascii_case("charset") && !is_utf8(value) {
            return Err(Refusal::media(exchange.clone(), "send JSON in UTF-8"));
        }
    }
    let encoded = headers.get_all(CONTENT_ENCODING).iter().any(|value| value != "identity");
    if encoded { Err(Refusal::encoding(exchange.clone())) } else { Ok(()) }
}

/// Why there is no body.
enum Broken {
    TooLarge,
    Off,
}

/// The whole body. What the client announces is believed only where it is too much: nothing is set aside for it.
async fn collect(body: Body, headers: &HeaderMap, most: usize) -> Result<Bytes, Broken> {
    let announced = headers.get(CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse::<u64>().ok());
    if announced.is_some_and(|length| length > most as u64) {
        return Err(Broken::TooLarge);
    }
    let mut body = pin!(body);
    let mut first = Bytes::new();
    let mut all = BytesMut::new();
    while let Some(frame) = body.frame().await {
        let Ok(data) = frame.map_err(|_| Broken::Off)?.into_data() else { continue };
        if first.len() + all.len() + data.len() > most {
            return Err(Broken::TooLarge);
        }
        // Most requests come in one piece, which is not copied then.
        if first.is_empty() && all.is_empty() {
            first = data;
        } else {
            if all.is_empty() {
                all.extend_from_slice(&std::mem::take(&mut first));
            }
            all.extend_from_slice(&data);
        }
        if body.is_end_stream() {
            break;
        }
    }
    Ok(if all.is_empty() { first } else { all.freeze() })
}

fn from_body(bytes: &[u8]) -> Result<Value, String> {
    let text = std::str::from_utf8(bytes)
        .map_err(|wrong| format!("the body is not UTF-8, from byte {} on", wrong.valid_up_to()))?;
    serde_json::from_str(text).map_err(|wrong| format!("the body is not JSON: {wrong}"))
}

/// The parameters in the query of an address, encoded as forms are (WHATWG URL, section 5.1). Bytes that are not UTF-8
/// and parameters given twice are refused: nobody can say which one is meant.
fn from_address(query: &str) -> Result<Value, String> {
    let mut parameters = Map::new();
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        let name = decoded(name).ok_or("the name of a parameter is not UTF-8")?;
        if !["query", "operationName", "variables", "extensions", "documentId"].contains(&name.as_str()) {
            continue;
        }
        let value = decoded(value).ok_or_else(|| format!("`{name}` is not UTF-8"))?;
        let value = match name.as_str() {
            "variables" | "extensions" => {
                serde_json::from_str(&value).map_err(|wrong| format!("`{name}` is not JSON: {wrong}"))?
            }
            // An empty name is none.
            "operationName" if value.is_empty() => Value::Null,
            _ => Value::String(value),
        };
        if parameters.insert(name.clone(), value).is_some() {
            return Err(format!("`{name}` is given more than once"));
        }
    }
    Ok(Value::Object(parameters))
}

/// A percent-encoded text; `None` where it is not UTF-8. A `%` that starts no code stands for itself.
fn decoded(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&byte, after)) = rest.split_first() {
        let code = match after {
            [high, low, ..] if byte == b'%' => {
                char::from(*high).to_digit(16).zip(char::from(*low).to_digit(16))
            }
            _ => None,
        };
        rest = after;
        match (code, byte) {
            (Some((high, low)), _) => {
                bytes.push(u8::try_from(high * 16 + low).ok()?);
                rest = &after[2..];
            }
            (None, b'+') => bytes.push(b' '),
            (None, byte) => bytes.push(byte),
        }
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use axum::http::header::{ACCEPT, ACCEPT_ENCODING, ALLOW, CONNECTION, HeaderName};
    use axum::http::{HeaderValue, Request, StatusCode};
    use axum::response::IntoResponse;
    use futures_util::{StreamExt, stream};

    use super::*;

    const JSON: (HeaderName, &str) = (CONTENT_TYPE, "application/json");
    const SHOP: &str = r#"{"query":"{ shop }"}"#;

    async fn ask(
        method: Method,
        uri: &str,
        headers: &[(HeaderName, &'static str)],
        body: impl Into<Body>,
    ) -> Result<(Incoming, Exchange), Refusal> {
        let mut request = Request::new(body.into());
        *request.method_mut() = method;
        *request.uri_mut() = uri.parse().expect("an address");
        for (name, value) in headers {
            request.headers_mut().append(name, HeaderValue::from_static(value));
        }
        let (parts, body) = request.into_parts();
        let rules = Rules { body_bytes: 1000, body_time: Duration::from_millis(50), ..Rules::default() };
        read(&parts, body, &rules).await
    }

    async fn posted(
        headers: &[(HeaderName, &'static str)],
        body: impl Into<Body>,
    ) -> Result<Incoming, Refusal> {
        ask(Method::POST, "/graphql", headers, body).await.map(|(incoming, _)| incoming)
    }

    async fn got(query: &str) -> Result<Incoming, Refusal> {
        ask(Method::GET, &format!("/graphql?{query}"), &[], Body::empty()).await.map(|(incoming, _)| incoming)
    }

    fn status<T>(result: Result<T, Refusal>) -> Option<StatusCode> {
        result.err().map(|refusal| refusal.status)
    }

    #[tokio::test]
    async fn json_is_read_with_or_without_its_charset() {
        for mime in [
            "application/json",
            "Application/JSON; Charset=UTF-8",
            "application/json;charset=\"utf-8\"",
            "application/json; version=1",
        ] {
            let incoming = posted(&[(CONTENT_TYPE, mime)], SHOP).await.expect(mime);
            assert_eq!(incoming.query.as_deref(), Some("{ shop }"));
        }
    }

    #[tokio::test]
    async fn what_a_form_of_another_site_can_send_is_refused() {
        for mime in [
            "text/plain",
            "text/plain; application/json",
            "text/plain, application/json",
            "application/x-www-form-urlencoded",
            "multipart/form-data; boundary=x",
            "application/graphql",
            "application/jsonx",
            "",
        ] {
            let refused = posted(&[(CONTENT_TYPE, mime)], SHOP).await;
            assert_eq!(status(refused), Some(StatusCode::UNSUPPORTED_MEDIA_TYPE), "{mime}");
        }
        for headers in [&[][..], &[JSON, JSON], &[JSON, (CONTENT_TYPE, "text/plain")]] {
            assert_eq!(status(posted(headers, SHOP).await), Some(StatusCode::UNSUPPORTED_MEDIA_TYPE));
        }
    }

    #[tokio::test]
    async fn only_utf8_that_is_sent_as_it_is_is_read() {
        for headers in [
            [(CONTENT_TYPE, "application/json; charset=iso-8859-1"), (CONTENT_ENCODING, "identity")],
            [JSON, (CONTENT_ENCODING, "gzip")],
            [JSON, (CONTENT_ENCODING, "identity, br")],
        ] {
            let refused = posted(&headers, SHOP).await;
            assert_eq!(status(refused), Some(StatusCode::UNSUPPORTED_MEDIA_TYPE), "{headers:?}");
        }
        let gzip = posted(&[JSON, (CONTENT_ENCODING, "gzip")], SHOP).await.expect_err("gzip");
        assert_eq!(gzip.into_response().headers()[ACCEPT_ENCODING], "identity");
        posted(&[JSON, (CONTENT_ENCODING, "identity")], SHOP).await.expect("identity");
    }

    #[tokio::test]
    async fn a_malformed_body_is_told_what_is_wrong_with_it() {
        for (body, told) in [
            (&b"{"[..], "not JSON"),
            (b"", "not JSON"),
            (b"{\"query\":\"\xff\"}", "not UTF-8, from byte 10"),
            (b"[{\"query\":\"{ shop }\"}]", "`body` must be a JSON object"),
            (b"{\"query\":7}", "`query` must be a string"),
            (b"{\"query\":\"{ shop }\",\"variables\":[]}", "`variables` must be an object"),
            (b"{\"query\":\"{ shop }\",\"extensions\":\"\"}", "`extensions` must be an object"),
            (b"{\"qeury\":\"{ shop }\"}", "`query` is missing"),
            (b"{\"query\":null}", "`query` is missing"),
        ] {
            let refused = posted(&[JSON], body.to_vec()).await.expect_err(told);
            assert_eq!((refused.status, refused.code), (StatusCode::BAD_REQUEST, "BAD_REQUEST"), "{told}");
            assert!(refused.message.contains(told), "{}", refused.message);
        }
    }

    #[tokio::test]
    async fn a_known_document_may_be_named_instead_of_sent() {
        let id = posted(&[JSON], r#"{"documentId":"sha256:00"}"#).await.expect("an id");
        assert_eq!(id.document_id.as_deref(), Some("sha256:00"));
        posted(&[JSON], r#"{"extensions":{"persistedQuery":{"version":1}}}"#).await.expect("a hash");
        let none = posted(&[JSON], r#"{"extensions":{"other":1}}"#).await;
        assert_eq!(status(none), Some(StatusCode::BAD_REQUEST));
    }

    #[tokio::test]
    async fn a_body_beyond_the_limit_is_refused_whether_announced_or_not() {
        let announced = posted(&[JSON, (CONTENT_LENGTH, "1001")], Body::empty()).await.expect_err("1001");
        assert_eq!(announced.status, StatusCode::PAYLOAD_TOO_LARGE);
        assert_eq!(announced.into_response().headers()[CONNECTION], "close");
        let pieces = |count: usize| {
            let piece = || Ok::<_, Infallible>(Bytes::from_static(&[b' '; 100]));
            Body::from_stream(
                stream::iter((0..count).map(move |_| piece()))
                    .chain(stream::iter([Ok(Bytes::from_static(SHOP.as_bytes()))])),
            )
        };
        assert_eq!(status(posted(&[JSON], pieces(10)).await), Some(StatusCode::PAYLOAD_TOO_LARGE));
        posted(&[JSON], pieces(9)).await.expect("below the limit, in pieces");
    }

    #[tokio::test(start_paused = true)]
    async fn a_slow_body_is_given_up_even_where_it_trickles() {
        let trickle = Body::from_stream(stream::unfold((), |()| async {
            tokio::time::sleep(Duration::from_millis(20)).await;
            Some((Ok::<_, Infallible>(Bytes::from_static(b" ")), ()))
        }));
        let refused = posted(&[JSON], trickle).await.expect_err("slow");
        assert_eq!((refused.status, refused.code), (StatusCode::REQUEST_TIMEOUT, "REQUEST_TIMEOUT"));
        assert_eq!(refused.into_response().headers()[CONNECTION], "close");
    }

    #[tokio::test]
    async fn a_body_that_breaks_off_is_not_executed() {
        let broken = Body::from_stream(stream::iter([
            Ok(Bytes::from_static(SHOP.as_bytes())),
            Err(std::io::Error::other("gone")),
        ]));
        assert_eq!(status(posted(&[JSON], broken).await), Some(StatusCode::BAD_REQUEST));
    }

    #[tokio::test]
    async fn a_query_by_get_is_read_from_the_address() {
        let incoming = got(
            "query=query+Q(%24n%3AInt)%7Bshop%7D&operationName=Q&variables=%7B%22n%22:1%7D&extensions={%22a%22:null}&x=1&x=2",
        )
        .await
        .expect("a query");
        assert_eq!(incoming.query.as_deref(), Some("query Q($n:Int){shop}"));
        assert_eq!(incoming.operation_name.as_deref(), Some("Q"));
        assert_eq!(serde_json::to_value(&incoming.variables).expect("JSON"), serde_json::json!({"n": 1}));
        assert!(incoming.extensions.contains_key("a"));
        let incoming = got("query=100%25%zz%&operationName=&variables=null").await.expect("a query");
        assert_eq!(incoming.query.as_deref(), Some("100%%zz%"));
        assert_eq!(incoming.operation_name, None);
    }

    #[tokio::test]
    async fn a_malformed_address_is_told_what_is_wrong_with_it() {
        for (query, told) in [
            ("", "`query` is missing"),
            ("query=%7Ba%7D&query=%7Bb%7D", "`query` is given more than once"),
            ("query=a&operationName=&operationName=b", "`operationName` is given more than once"),
            ("query=a&v%61riables={}&variables={}", "`variables` is given more than once"),
            ("query=%ff", "`query` is not UTF-8"),
            ("%ff=a", "name of a parameter is not UTF-8"),
            ("query=a&variables=", "`variables` is not JSON"),
            ("query=a&variables=[]", "`variables` must be an object"),
            ("query=a&extensions=1", "`extensions` must be an object"),
        ] {
            let refused = got(query).await.expect_err(query);
            assert_eq!(refused.status, StatusCode::BAD_REQUEST, "{query}");
            assert!(refused.message.contains(told), "{}", refused.message);
        }
    }

    #[tokio::test]
    async fn other_methods_are_told_which_ones_do() {
        for method in [Method::PUT, Method::DELETE, Method::HEAD, Method::PATCH, Method::OPTIONS] {
            let refused = ask(method, "/graphql", &[JSON], SHOP).await.expect_err("a method");
            assert_eq!(refused.status, StatusCode::METHOD_NOT_ALLOWED);
            assert_eq!(refused.into_response().headers()[ALLOW], "GET, POST");
        }
    }

    #[tokio::test]
    async fn a_mutation_does_not_run_by_get() {
        let by = |method| Exchange { media: Media::Json, method };
        let refused = by(Method::GET).permit(OperationType::Mutation).expect_err("a mutation");
        assert_eq!(refused.status, StatusCode::METHOD_NOT_ALLOWED);
        assert_eq!(refused.into_response().headers()[ALLOW], "POST");
        by(Method::GET).permit(OperationType::Query).expect("a query");
        by(Method::POST).permit(OperationType::Mutation).expect("a mutation by POST");
    }

    #[tokio::test]
    async fn who_accepts_nothing_that_is_offered_is_refused_before_the_body_is_read() {
        let endless = Body::from_stream(stream::pending::<Result<Bytes, Infallible>>());
        let refused = posted(&[JSON, (ACCEPT, "text/html")], endless).await.expect_err("HTML");
        assert_eq!((refused.status, refused.code), (StatusCode::NOT_ACCEPTABLE, "NOT_ACCEPTABLE"));
        assert_eq!(refused.message, "accept application/graphql-response+json or application/json");
    }

    #[tokio::test]
    async fn a_refusal_speaks_the_media_type_that_was_asked_for() {
        for (accept, mime) in [
            ("application/graphql-response+json", "application/graphql-response+json; charset=utf-8"),
            ("*/*", "application/json; charset=utf-8"),
        ] {
            let refused = posted(&[JSON, (ACCEPT, accept)], "{").await.expect_err("malformed");
            let response = refused.into_response();
            assert_eq!(response.headers()[CONTENT_TYPE], mime);
            let body = response.into_body().collect().await.expect("a body").to_bytes();
            let body: Value = serde_json::from_slice(&body).expect("JSON");
            assert_eq!(body["errors"][0]["extensions"]["code"], "BAD_REQUEST");
            assert_eq!(body.as_object().map(Map::len), Some(1), "{body}");
        }
    }
}
