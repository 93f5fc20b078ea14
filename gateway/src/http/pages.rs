//! Pages for people, and what a browser may do on them: nothing that is not named (Content Security Policy, level 3).

use std::borrow::Cow;

use axum::body::Body;
use axum::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS,
    X_FRAME_OPTIONS,
};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use axum::response::Response;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest, Sha256};

/// Something that a page may load or do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Use {
    /// Scripts.
    Scripts,
    /// Styles.
    Styles,
    /// Images.
    Images,
    /// Fonts.
    Fonts,
    /// Requests and sockets of its scripts.
    Connections,
    /// Where its forms are sent.
    Forms,
}

impl Use {
    const ALL: [Self; 6] =
        [Self::Scripts, Self::Styles, Self::Images, Self::Fonts, Self::Connections, Self::Forms];

    const fn directive(self) -> &'static str {
        match self {
            Self::Scripts => "script-src",
            Self::Styles => "style-src",
            Self::Images => "img-src",
            Self::Fonts => "font-src",
            Self::Connections => "connect-src",
            Self::Forms => "form-action",
        }
    }
}

/// Where a page may take it from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place(Cow<'static, str>);

impl Place {
    /// The server that the page came from.
    pub const HERE: Self = Self(Cow::Borrowed("'self'"));
    /// Data that stand in the address itself.
    pub const DATA: Self = Self(Cow::Borrowed("data:"));
    /// Whatever stands in the page. It means something for [`Use::Styles`] only, where an editor writes its own.
    pub const INLINE: Self = Self(Cow::Borrowed("'unsafe-inline'"));

    /// A script or a style that stands in the page, by its text, to the letter.
    pub fn text(text: &str) -> Self {
        Self(format!("'sha256-{}'", STANDARD.encode(Sha256::digest(text))).into())
    }

    /// Where a redirect leads: the origin of an `http:` or `https:` address, else its scheme, which an app on the machine has
    /// registered. `None` when it is no address.
    pub fn target(uri: &str) -> Option<Self> {
        let (scheme, rest) = uri.split_once(':')?;
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"+.-".contains(&byte);
        if scheme.is_empty() || !scheme.bytes().all(plain) {
            return None;
        }
        if !matches!(scheme, "http" | "https") {
            return Some(Self(format!("{scheme}:").into()));
        }
        let host = rest.strip_prefix("//")?.split(['/', '?', '#']).next()?;
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b".-:[]".contains(&byte);
        (!host.is_empty() && host.bytes().all(plain)).then(|| Self(format!("{scheme}://{host}").into()))
    }

    /// The sockets (`ws:`, `wss:`) of a host, as `Host` writes it: older browsers do not count them as [`Place::HERE`]. `None` when
    /// it is no plain name or address.
    pub fn sockets(host: &str) -> Option<Self> {
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b".-:[]".contains(&byte);
        let good = !host.is_empty() && host.bytes().all(plain);
        good.then(|| Self(format!("ws://{host} wss://{host}").into()))
    }
}

/// What a page may do. Made once, it serves every answer.
#[derive(Clone, Debug)]
pub struct Policy {
    value: HeaderValue,
    framed: bool,
}

impl Policy {
    /// A page that may do what is listed, and nothing else: no page frames it, nothing changes where its links lead,
    /// and its forms are sent nowhere unless [`Use::Forms`] says where.
    pub fn allowing(uses: &[(Use, &[Place])]) -> Self {
        Self::new(uses, false)
    }

    /// The same for a page that pages of every site may show in a frame: one on which nobody is signed in.
    pub fn framed(uses: &[(Use, &[Place])]) -> Self {
        Self::new(uses, true)
    }

    fn new(uses: &[(Use, &[Place])], framed: bool) -> Self {
        let ancestors = if framed { "*" } else { "'none'" };
        let mut policy = vec![format!("default-src 'none'; base-uri 'none'; frame-ancestors {ancestors}")];
        for what in Use::ALL {
            let places: Vec<&str> = uses
                .iter()
                .filter(|(listed, _)| *listed == what)
                .flat_map(|(_, places)| places.iter().map(|place| place.0.as_ref()))
                .collect();
            match (places.is_empty(), what) {
                (false, _) => policy.push(format!("{} {}", what.directive(), places.join(" "))),
                // Forms do not fall back to `default-src`.
                (true, Use::Forms) => policy.push("form-action 'none'".to_owned()),
                (true, _) => {}
            }
        }
        // Places are ASCII by construction; were one not, the page would be left with nothing rather than with all.
        let value = HeaderValue::try_from(policy.join("; "));
        Self { value: value.unwrap_or(HeaderValue::from_static("default-src 'none'")), framed }
    }

    /// The value of `Content-Security-Policy`.
    pub fn header(&self) -> &HeaderValue {
        &self.value
    }
}

/// A page, with its policy and what else keeps other sites out of it. It is not kept by caches, tells no other site where
/// its visitor came from, and shares neither its window nor its bytes with pages of other origins.
pub fn page(status: StatusCode, policy: &Policy, html: impl Into<Body>) -> Response {
    let mut response = Response::new(html.into());
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    guard(headers, policy);
    response
}

/// Puts the policy on an answer that is a page, with what else keeps other sites out of it. A page that may be framed differs
/// in that alone.
pub fn guard(headers: &mut HeaderMap, policy: &Policy) {
    const OPENER: HeaderName = HeaderName::from_static("cross-origin-opener-policy");
    const RESOURCE: HeaderName = HeaderName::from_static("cross-origin-resource-policy");
    headers.insert(CONTENT_SECURITY_POLICY, policy.value.clone());
    for (name, value) in [
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (REFERRER_POLICY, "no-referrer"),
        (OPENER, "same-origin"),
        (RESOURCE, if policy.framed { "cross-origin" } else { "same-origin" }),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    if !policy.framed {
        headers.insert(X_FRAME_OPTIONS, HeaderValue::from_static("DENY"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(uses: &[(Use, &[Place])]) -> String {
        Policy::allowing(uses).header().to_str().expect("ASCII").to_owned()
    }

    #[test]
    fn a_page_may_do_nothing_that_is_not_named() {
        assert_eq!(
            text(&[]),
            "default-src 'none'; base-uri 'none'; frame-ancestors 'none'; form-action 'none'"
        );
        assert_eq!(
            text(&[(Use::Forms, &[Place::HERE]), (Use::Scripts, &[Place::HERE, Place::DATA])]),
            "default-src 'none'; base-uri 'none'; frame-ancestors 'none'; script-src 'self' data:; form-action 'self'"
        );
    }

    #[test]
    fn a_text_in_the_page_is_allowed_by_its_hash() {
        // The example of the specification's section 8.3.
        assert_eq!(
            text(&[(Use::Scripts, &[Place::text("alert('Hello, world.');")])]),
            "default-src 'none'; base-uri 'none'; frame-ancestors 'none'; \
             script-src 'sha256-qznLcsROx4GACP2dm0UCKCzCG+HiZ1guq6ZZDob/Tng='; form-action 'none'"
        );
    }

    #[test]
    fn sockets_are_those_of_one_host() {
        let sockets = Place::sockets("[::1]:8080").expect("a host");
        assert!(
            text(&[(Use::Connections, &[sockets])]).contains("connect-src ws://[::1]:8080 wss://[::1]:8080;")
        );
        for wrong in ["", "a b", "a;script-src", "*", "ada@a.example", "a/b", "a,b", "é.example"] {
            assert_eq!(Place::sockets(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn a_redirect_leads_to_one_origin_or_one_app() {
        for (uri, place) in [
            ("https://a.example:8443/cb?x=1", "https://a.example:8443"),
            ("http://127.0.0.1:9", "http://127.0.0.1:9"),
            ("com.example.app:/cb", "com.example.app:"),
        ] {
            assert_eq!(Place::target(uri), Some(Place(place.into())), "{uri}");
        }
        for wrong in
            ["", "a", "https:", "https:///x", "https://a;b", "https://*", "https://a,b", "a b:c", "'self':x"]
        {
            assert_eq!(Place::target(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn a_page_is_kept_apart_from_other_sites() {
        let response = page(StatusCode::OK, &Policy::allowing(&[]), "<!doctype html>");
        for (name, value) in [
            ("content-type", "text/html; charset=utf-8"),
            ("x-content-type-options", "nosniff"),
            ("x-frame-options", "DENY"),
            ("referrer-policy", "no-referrer"),
            ("cache-control", "no-store"),
            ("cross-origin-opener-policy", "same-origin"),
            ("cross-origin-resource-policy", "same-origin"),
        ] {
            assert_eq!(response.headers()[name], value, "{name}");
        }
        assert!(
            response.headers()[CONTENT_SECURITY_POLICY]
                .to_str()
                .expect("ASCII")
                .starts_with("default-src 'none'")
        );
    }
    #[test]
    fn a_page_that_may_be_framed_differs_in_that_alone() {
        let uses: &[(Use, &[Place])] = &[(Use::Scripts, &[Place::HERE])];
        let (shut, open) = (Policy::allowing(uses), Policy::framed(uses));
        let text = |policy: &Policy| policy.header().to_str().expect("ASCII").to_owned();
        assert_eq!(text(&open), text(&shut).replace("frame-ancestors 'none'", "frame-ancestors *"));
        let headers = page(StatusCode::OK, &open, "<!doctype html>").headers().clone();
        assert!(!headers.contains_key("x-frame-options"), "{headers:?}");
        assert_eq!(headers["cross-origin-resource-policy"], "cross-origin");
        assert_eq!(headers["referrer-policy"], "no-referrer");
    }
}
