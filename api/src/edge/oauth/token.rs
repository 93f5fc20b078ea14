//! `POST /oauth/token`, `/oauth/revoke` and `/oauth/introspect`: what programs ask, each as the client that it proves to be.

use authority::{ClientAuthentication, Code, Grant, Params, Refusal, TokenQuestion};
use axum::body::Body;
use axum::extract::State;
use axum::http::request::Parts;
use axum::http::{HeaderValue, Request, StatusCode, header};
use axum::response::Response;
use identity::oauth::client::{Client, ClientKind, directory};
use identity::oauth::{Failure, token as tokens};
use serde::Serialize;

use super::{TOKEN, count, form, json, told};
use crate::edge::Edge;
use crate::edge::origin::From;

/// Gives tokens (RFC 6749, section 3.2).
pub(super) async fn token(State(edge): State<Edge>, From(origin): From, request: Request<Body>) -> Response {
    if let Err(refused) = count(&edge, &origin).await {
        return refused;
    }
    let (parts, body) = request.into_parts();
    answered(&parts, give(&edge, &parts, body).await)
}

async fn give(edge: &Edge, parts: &Parts, body: Body) -> Result<authority::TokenAnswer, Failure> {
    let (auth, (client, params)) = (&edge.app.auth, client(edge, parts, body).await?);
    match Grant::of(&params)? {
        Grant::Code { code, verifier, redirect_uri } => {
            tokens::redeem(auth, &client, &code, &verifier, redirect_uri.as_deref()).await
        }
        Grant::Refresh { token, scopes } => tokens::refresh(auth, &client, &token, scopes.as_ref()).await,
        Grant::Client { scopes } => tokens::client_credentials(auth, &client, scopes.as_ref()).await,
    }
}

/// Takes a token back (RFC 7009). What is not the client's, or not a token, is answered as what was taken back.
pub(super) async fn revoke(State(edge): State<Edge>, From(origin): From, request: Request<Body>) -> Response {
    if let Err(refused) = count(&edge, &origin).await {
        return refused;
    }
    let (parts, body) = request.into_parts();
    let revoked = async {
        let (client, params) = client(&edge, &parts, body).await?;
        tokens::revoke(&edge.app.auth, &client, &TokenQuestion::of(&params)?).await
    };
    let revoked = revoked.await.map(|()| serde_json::Map::new());
    answered(&parts, revoked)
}

/// Tells a confidential client what a token of its own is (RFC 7662).
pub(super) async fn introspect(
    State(edge): State<Edge>,
    From(origin): From,
    request: Request<Body>,
) -> Response {
    if let Err(refused) = count(&edge, &origin).await {
        return refused;
    }
    let (parts, body) = request.into_parts();
    let introspected = async {
        let (client, params) = client(&edge, &parts, body).await?;
        if client.kind == ClientKind::Public {
            return Err(Refusal::client().into());
        }
        tokens::introspect(&edge.app.auth, &client, &TokenQuestion::of(&params)?).await
    };
    answered(&parts, introspected.await)
}

/// The client that asks, and its form.
async fn client(edge: &Edge, parts: &Parts, body: Body) -> Result<(Client, Params), Failure> {
    let params = form(&parts.headers, parts.uri.query(), body).await?;
    let mut authorizations = parts.headers.get_all(header::AUTHORIZATION).iter();
    let authorization = authorizations.next().map(|value| value.to_str().unwrap_or_default());
    if authorizations.next().is_some() {
        return Err(Refusal::request("the client authenticates in more than one way").into());
    }
    let presented = ClientAuthentication::of(authorization, &params)?;
    let endpoint = format!("{}{TOKEN}", edge.app.auth.issuer());
    let client = directory::authenticate(&edge.app.auth, &presented, &endpoint).await?;
    Ok((client, params))
}

/// The answer, or the refusal as RFC 6749, section 5.2, writes it.
fn answered<T: Serialize>(parts: &Parts, result: Result<T, Failure>) -> Response {
    let refusal = match result.map(|answer| serde_json::to_value(answer)) {
        Ok(Ok(answer)) => return json(StatusCode::OK, &answer),
        Ok(Err(_)) => Refusal::new(Code::ServerError, "something went wrong here"),
        Err(failure) => told(failure),
    };
    let status = StatusCode::from_u16(refusal.status()).unwrap_or(StatusCode::BAD_REQUEST);
    let mut response = json(status, &refusal.json());
    let headers = response.headers_mut();
    if status == StatusCode::UNAUTHORIZED && parts.headers.contains_key(header::AUTHORIZATION) {
        headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Basic realm=\"oauth\""));
    }
    if status == StatusCode::SERVICE_UNAVAILABLE {
        headers.insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
    }
    response
}
