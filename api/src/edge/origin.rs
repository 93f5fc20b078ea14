//! From where a request comes, and who it is from.

use std::convert::Infallible;
use std::net::{IpAddr, SocketAddr};

use axum::extract::{ConnectInfo, FromRequestParts, Request};
use axum::http::HeaderMap;
use axum::http::header::{AUTHORIZATION, USER_AGENT};
use axum::http::request::Parts;
use axum::middleware::Next;
use axum::response::Response;
use identity::{Authenticator, NotSignedIn, Principal};
use kernel::Origin;

/// The origin of a request, with an id of its own.
pub(super) struct From(pub Origin);

impl<S: Send + Sync> FromRequestParts<S> for From {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Infallible> {
        let address = parts.extensions.get::<ConnectInfo<SocketAddr>>().map(|info| info.0.ip().to_string());
        let agent = parts.headers.get(USER_AGENT).and_then(|value| value.to_str().ok());
        Ok(Self(Origin {
            address,
            agent: agent.map(|agent| agent.chars().take(200).collect()),
            request_id: Some(kernel::id::new().simple().to_string()),
        }))
    }
}

/// Behind a proxy: the client's address is the last one in `X-Forwarded-For`, which the proxy has added itself. What
/// stands before it may be anybody's word.
pub(super) async fn forwarded(mut request: Request, next: Next) -> Response {
    let added = request.headers().get_all("x-forwarded-for").iter().next_back();
    let last = added.and_then(|value| value.to_str().ok()?.rsplit(',').next()?.trim().parse::<IpAddr>().ok());
    if let Some(address) = last {
        request.extensions_mut().insert(ConnectInfo(SocketAddr::new(address, 0)));
    }
    next.run(request).await
}

/// The bearer token of the header, if there is a header.
pub(super) fn bearer(headers: &HeaderMap) -> Option<String> {
    headers.get(AUTHORIZATION).map(|value| token_of(value.to_str().unwrap_or_default()))
}

/// The token in `Bearer …`. Any other text gives an empty token, which nobody has: who tries to sign in and fails
/// is told so, and does not go on as nobody.
pub(super) fn token_of(value: &str) -> String {
    match value.split_once(' ') {
        Some((scheme, token)) if scheme.eq_ignore_ascii_case("bearer") => token.trim().to_owned(),
        _ => String::new(),
    }
}

/// Who a token stands for, with the token; nobody without one. A bad token is an error, not nobody.
pub(super) async fn principal(
    auth: &Authenticator,
    token: Option<String>,
    from: Option<IpAddr>,
) -> Result<Option<(Principal, String)>, NotSignedIn> {
    match token {
        Some(token) => Ok(Some((auth.principal(&token, from).await?, token))),
        None => Ok(None),
    }
}
