//! Who may ask from a browser: the origins that the operator names, and nobody else.

use std::time::Duration;

use axum::http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HOST, ORIGIN, RETRY_AFTER};
use axum::http::uri::{Authority, Uri};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method};
use tower_http::cors::{AllowOrigin, CorsLayer};

/// The headers that a script of another origin may send.
const SENT: [HeaderName; 5] = [
    AUTHORIZATION,
    CONTENT_TYPE,
    ACCEPT,
    HeaderName::from_static("idempotency-key"),
    HeaderName::from_static("last-event-id"),
];
/// The headers that a script of another origin may see.
const SEEN: [HeaderName; 8] = [
    RETRY_AFTER,
    HeaderName::from_static("ratelimit"),
    HeaderName::from_static("ratelimit-policy"),
    HeaderName::from_static("ratelimit-limit"),
    HeaderName::from_static("ratelimit-remaining"),
    HeaderName::from_static("ratelimit-reset"),
    HeaderName::from_static("x-request-id"),
    HeaderName::from_static("server-timing"),
];
/// How long a browser keeps the answer to a preflight.
const KEPT: Duration = Duration::from_mins(10);

/// The other origins whose pages may use this server, none by default. Cookies and other credentials of the browser are
/// never allowed: who asks sends a token.
#[derive(Clone, Debug, Default)]
pub struct Origins(Vec<HeaderValue>);

/// A text that is not an origin as browsers send it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is not an origin: write it as `https://app.example.com`, with a port where it is not the usual one"
)]
pub struct NotAnOrigin(String);

impl Origins {
    /// Reads the origins, each as a browser writes it in `Origin` (RFC 6454, section 6.2): a scheme, a host, and a port
    /// that is not the scheme's own.
    ///
    /// # Errors
    /// For `*`, `null`, a path, a slash at the end, capital letters: what would never equal a browser's word, or would
    /// equal too many.
    pub fn parse<'a>(texts: impl IntoIterator<Item = &'a str>) -> Result<Self, NotAnOrigin> {
        let one = |text: &'a str| origin(text).ok_or_else(|| NotAnOrigin(text.to_owned()));
        texts.into_iter().map(one).collect::<Result<_, _>>().map(Self)
    }

    /// The layer that answers preflights and lets scripts of these origins see answers. It adds `Vary: Origin`.
    pub fn layer(&self) -> CorsLayer {
        CorsLayer::new()
            .allow_origin(AllowOrigin::list(self.0.iter().cloned()))
            .allow_methods([Method::GET, Method::POST])
            .allow_headers(SENT)
            .expose_headers(SEEN)
            .max_age(KEPT)
    }

    /// Whether a WebSocket may be opened. Browsers let pages of every origin open one and say from which they are, in
    /// `Origin` (RFC 6455, section 10.2): this server's own and the named ones may. Other programs say nothing.
    pub fn admit(&self, headers: &HeaderMap) -> bool {
        let mut origins = headers.get_all(ORIGIN).iter();
        match (origins.next(), origins.next()) {
            (None, _) => true,
            (Some(origin), None) => self.0.contains(origin) || own(origin, headers),
            (Some(_), Some(_)) => false,
        }
    }
}

fn origin(text: &str) -> Option<HeaderValue> {
    let (uri, authority) = split(text)?;
    let (scheme, port) = (uri.scheme_str()?, authority.port());
    let usual = port.as_ref().is_some_and(|port| Some(port.as_u16()) == usual_port(scheme));
    let exact = text == format!("{scheme}://{authority}") && !usual;
    let small = !text.bytes().any(|byte| byte.is_ascii_uppercase());
    (exact && small && !authority.as_str().contains(['@', '*'])).then(|| HeaderValue::from_str(text).ok())?
}

/// Whether an origin is this server's own, as the client addressed it. The scheme is not compared: a proxy may have
/// taken the encryption off, and a page that can be forged on the way is lost anyway.
fn own(origin: &HeaderValue, headers: &HeaderMap) -> bool {
    let own = || {
        let (uri, authority) = split(origin.to_str().ok()?)?;
        let host: Authority = headers.get(HOST)?.to_str().ok()?.parse().ok()?;
        let usual = usual_port(uri.scheme_str()?)?;
        let port = |authority: &Authority| authority.port_u16().unwrap_or(usual);
        Some(authority.host().eq_ignore_ascii_case(host.host()) && port(&authority) == port(&host))
    };
    own().unwrap_or(false)
}

fn split(text: &str) -> Option<(Uri, Authority)> {
    let uri: Uri = text.parse().ok()?;
    let authority = uri.authority()?.clone();
    Some((uri, authority))
}

fn usual_port(scheme: &str) -> Option<u16> {
    match scheme {
        "http" => Some(80),
        "https" => Some(443),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use axum::Router;
    use axum::body::Body;
    use axum::http::header::{
        ACCESS_CONTROL_ALLOW_CREDENTIALS, ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS,
        ACCESS_CONTROL_ALLOW_ORIGIN, ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE,
        ACCESS_CONTROL_REQUEST_METHOD, VARY,
    };
    use axum::http::{Request, StatusCode};
    use axum::routing::post;
    use tower::ServiceExt;

    use super::*;

    const APP: &str = "https://app.example.com";

    async fn sent(method: Method, origin: &'static str) -> HeaderMap {
        let origins = Origins::parse([APP, "http://localhost:5173"]).expect("origins");
        let router = Router::new().route("/graphql", post(|| async { "done" })).layer(origins.layer());
        let mut request = Request::new(Body::empty());
        *request.method_mut() = method;
        *request.uri_mut() = Uri::from_static("/graphql");
        request.headers_mut().insert(ORIGIN, HeaderValue::from_static(origin));
        request.headers_mut().insert(ACCESS_CONTROL_REQUEST_METHOD, HeaderValue::from_static("POST"));
        let response = router.oneshot(request).await.expect("an answer");
        assert_eq!(response.status(), StatusCode::OK);
        response.headers().clone()
    }

    fn words(headers: &HeaderMap, name: HeaderName) -> Vec<String> {
        let words = headers[name].to_str().expect("text").split(',');
        words.map(|word| word.trim().to_ascii_lowercase()).collect()
    }

    #[tokio::test]
    async fn a_named_origin_may_ask_and_see_what_it_needs() {
        let preflight = sent(Method::OPTIONS, APP).await;
        assert_eq!(preflight[ACCESS_CONTROL_ALLOW_ORIGIN], APP);
        assert_eq!(words(&preflight, ACCESS_CONTROL_ALLOW_METHODS), ["get", "post"]);
        assert_eq!(
            words(&preflight, ACCESS_CONTROL_ALLOW_HEADERS),
            ["authorization", "content-type", "accept", "idempotency-key", "last-event-id"]
        );
        assert_eq!(preflight[ACCESS_CONTROL_MAX_AGE], "600");
        let answer = sent(Method::POST, APP).await;
        assert_eq!(answer[ACCESS_CONTROL_ALLOW_ORIGIN], APP);
        let seen = words(&answer, ACCESS_CONTROL_EXPOSE_HEADERS);
        for name in ["retry-after", "ratelimit", "x-request-id", "server-timing"] {
            assert!(seen.iter().any(|word| word == name), "{name}");
        }
    }

    #[tokio::test]
    async fn another_origin_is_told_nothing() {
        for origin in
            ["https://evil.example", "https://app.example.com.evil.example", "http://app.example.com", "null"]
        {
            for method in [Method::OPTIONS, Method::POST] {
                let headers = sent(method, origin).await;
                assert!(!headers.contains_key(ACCESS_CONTROL_ALLOW_ORIGIN), "{origin}");
            }
        }
    }

    #[tokio::test]
    async fn answers_differ_by_origin_and_never_take_credentials() {
        for (method, origin) in [(Method::OPTIONS, APP), (Method::POST, APP), (Method::POST, "null")] {
            let headers = sent(method, origin).await;
            assert!(words(&headers, VARY).contains(&"origin".to_owned()));
            assert!(!headers.contains_key(ACCESS_CONTROL_ALLOW_CREDENTIALS));
        }
    }

    #[test]
    fn only_what_a_browser_would_write_is_an_origin() {
        Origins::parse([APP, "http://127.0.0.1:8080", "http://[::1]:8080", "tauri://localhost"])
            .expect("origins");
        for wrong in [
            "*",
            "null",
            "",
            "app.example.com",
            "https://app.example.com/",
            "https://app.example.com:443",
            "https://App.example.com",
            "https://*.example.com",
            "https://ada@app.example.com",
            "https://app.example.com?x",
            "https://é.example",
        ] {
            assert_eq!(Origins::parse([wrong]).err(), Some(NotAnOrigin(wrong.to_owned())), "{wrong}");
        }
    }

    fn admits(origins: &Origins, origin: &[&'static str], host: &'static str) -> bool {
        let mut headers = HeaderMap::from_iter([(HOST, HeaderValue::from_static(host))]);
        for origin in origin {
            headers.append(ORIGIN, HeaderValue::from_static(origin));
        }
        origins.admit(&headers)
    }

    #[test]
    fn a_socket_opens_for_the_own_page_the_named_origins_and_programs() {
        let (none, named) = (Origins::default(), Origins::parse([APP]).expect("an origin"));
        for (origin, host) in [
            ("https://books.example.com", "books.example.com"),
            ("https://books.example.com", "Books.example.com:443"),
            ("http://127.0.0.1:8080", "127.0.0.1:8080"),
            ("http://[::1]:8080", "[::1]:8080"),
        ] {
            assert!(admits(&none, &[origin], host), "{origin} at {host}");
        }
        assert!(admits(&none, &[], "books.example.com"));
        assert!(admits(&named, &[APP], "books.example.com") && !admits(&none, &[APP], "books.example.com"));
    }

    #[test]
    fn a_socket_does_not_open_for_a_page_of_somewhere_else() {
        let named = Origins::parse([APP]).expect("an origin");
        for origin in [
            &["https://evil.example"][..],
            &["https://books.example.com:8443"],
            &["http://books.example.com:81"],
            &["null"],
            &[""],
            &["books.example.com"],
            &["file://"],
            &[APP, APP],
        ] {
            assert!(!admits(&named, origin, "books.example.com"), "{origin:?}");
        }
    }
}
