//! The browser of a person: its session, and whether a form comes from our own page.

use std::fmt::Write as _;

use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::Response;
use identity::Principal;
use kernel::{Actor, Fault, Origin};
use uuid::Uuid;

use crate::edge::Edge;

/// How long a browser is known as a device, in seconds.
const DEVICE_SECONDS: u32 = 365 * 24 * 3600;
/// What the tokens in forms are digests for.
const PURPOSE: &str = "oauth.form";

/// A person who is signed in in this browser.
pub(super) struct Visitor {
    pub person: Uuid,
    pub principal: Principal,
    token: String,
}

/// Whether this server is reached over TLS.
fn is_secure(edge: &Edge) -> bool {
    edge.app.auth.issuer().starts_with("https://")
}

/// The name of a cookie. `__Host-` binds it to this very host, over TLS, at the root (RFC 6265bis, section 4.1.3.2).
fn name(edge: &Edge, name: &str) -> String {
    if is_secure(edge) { format!("__Host-{name}") } else { name.to_owned() }
}

fn cookie(edge: &Edge, headers: &HeaderMap, wanted: &str) -> Option<String> {
    let wanted = name(edge, wanted);
    let values = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
    let mut pairs = values.flat_map(|value| value.split(';')).filter_map(|pair| pair.trim().split_once('='));
    pairs.find(|(name, _)| *name == wanted).map(|(_, value)| value.to_owned())
}

/// The secret of the device, as the browser keeps it.
pub(super) fn device(edge: &Edge, headers: &HeaderMap) -> Option<String> {
    cookie(edge, headers, "coulisse-device")
}

/// Who is signed in in this browser. Programs' tokens in a cookie are nobody's.
///
/// # Errors
/// A fault when it could not be looked up.
pub(super) async fn visitor(
    edge: &Edge,
    headers: &HeaderMap,
    origin: &Origin,
) -> Result<Option<Visitor>, Fault> {
    let Some(token) = cookie(edge, headers, "coulisse") else { return Ok(None) };
    let principal = edge.app.auth.current(&token, origin.ip()).await?;
    Ok(principal.and_then(|principal| match (principal.actor, principal.session) {
        (Actor::Person(person), Some(_)) => Some(Visitor { person, principal, token }),
        _ => None,
    }))
}

fn set(edge: &Edge, response: &mut Response, cookie: &str, value: &str, seconds: Option<u32>) {
    let mut text = format!("{}={value}; Path=/; HttpOnly; SameSite=Lax", name(edge, cookie));
    if is_secure(edge) {
        text.push_str("; Secure");
    }
    if let Some(seconds) = seconds {
        // Writing to a string does not fail.
        let _written = write!(text, "; Max-Age={seconds}");
    }
    if let Ok(text) = HeaderValue::from_str(&text) {
        response.headers_mut().append(header::SET_COOKIE, text);
    }
}

/// Keeps a new session in the browser until it is closed, and the device for a year.
pub(super) fn keep(edge: &Edge, response: &mut Response, session: &str, device: Option<&str>) {
    set(edge, response, "coulisse", session, None);
    if let Some(device) = device {
        set(edge, response, "coulisse-device", device, Some(DEVICE_SECONDS));
    }
}

/// Has the browser forget its session.
pub(super) fn forget(edge: &Edge, response: &mut Response) {
    set(edge, response, "coulisse", "", Some(0));
}

impl Visitor {
    /// The token of a form for this session and this request: another site knows neither.
    ///
    /// # Errors
    /// A fault when there is no key.
    pub(super) fn form_token(&self, edge: &Edge, request: &str) -> Result<String, Fault> {
        let digest = edge.app.auth.vault().digest(PURPOSE, &self.bound(request))?;
        Ok(digest.iter().fold(String::new(), |mut text, byte| {
            let _written = write!(text, "{byte:02x}");
            text
        }))
    }

    /// Whether a form's token is this session's and this request's.
    pub(super) fn owns(&self, edge: &Edge, request: &str, token: &str) -> bool {
        let digit = |at: usize| token.get(at..at + 2).and_then(|pair| u8::from_str_radix(pair, 16).ok());
        if token.len() != 64 || !token.is_ascii() {
            return false;
        }
        let digest: Option<Vec<u8>> = (0..32).map(|place| digit(place * 2)).collect();
        let vault = edge.app.auth.vault();
        digest.is_some_and(|digest| vault.verify(PURPOSE, &self.bound(request), &digest))
    }

    fn bound(&self, request: &str) -> Vec<u8> {
        let (session, length) = (self.token.as_bytes(), self.token.len() as u64);
        [&length.to_be_bytes(), session, request.as_bytes()].concat()
    }
}

/// Whether a form was sent by a page of this server: browsers say so, and a page of another site cannot say otherwise.
pub(super) fn is_own_page(edge: &Edge, headers: &HeaderMap) -> bool {
    let only = |name: header::HeaderName| {
        let mut values = headers.get_all(name).iter();
        match (values.next(), values.next()) {
            (Some(value), None) => value.to_str().ok().map(str::to_owned),
            _ => None,
        }
    };
    let own = url::Url::parse(edge.app.auth.issuer()).map(|url| url.origin().ascii_serialization());
    let site = only(header::HeaderName::from_static("sec-fetch-site"));
    only(header::ORIGIN).is_some_and(|origin| own.is_ok_and(|own| own == origin))
        && site.is_none_or(|site| site == "same-origin")
}
