//! What clients find out by themselves: the metadata (RFC 8414) and the keys (RFC 7517).

use authority::Endpoints;
use axum::extract::State;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::Response;

use super::{AUTHORIZE, INTROSPECT, JWKS, REVOKE, TOKEN, json, masked};
use crate::edge::Edge;

/// How long both may be kept. A key is shown an hour before it signs.
const KEPT: HeaderValue = HeaderValue::from_static("public, max-age=300");

/// Where everything is, and what is possible.
pub(super) async fn metadata(State(edge): State<Edge>) -> Response {
    let issuer = edge.app.auth.issuer();
    let at = |path: &str| format!("{issuer}{path}");
    let (authorize, token, revoke) = (at(AUTHORIZE), at(TOKEN), at(REVOKE));
    let (introspect, jwks) = (at(INTROSPECT), at(JWKS));
    let endpoints = Endpoints {
        issuer,
        authorize: &authorize,
        token: &token,
        revoke: &revoke,
        introspect: &introspect,
        jwks: &jwks,
        documentation: None,
    };
    let scopes = identity::oauth::scopes().map(kernel::Permission::as_str);
    kept(json(StatusCode::OK, &authority::metadata(&endpoints, scopes)))
}

/// The keys that sign access tokens.
pub(super) async fn jwks(State(edge): State<Edge>) -> Response {
    match identity::oauth::keys::jwks(&edge.app.auth).await {
        Ok(keys) => kept(json(StatusCode::OK, &keys)),
        Err(fault) => {
            let refusal = masked(&fault);
            json(StatusCode::from_u16(refusal.status()).unwrap_or_default(), &refusal.json())
        }
    }
}

fn kept(mut response: Response) -> Response {
    response.headers_mut().insert(header::CACHE_CONTROL, KEPT);
    response.headers_mut().remove("pragma");
    response
}
