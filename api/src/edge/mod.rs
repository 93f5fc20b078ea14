//! The edge: how requests come in and answers go out. It knows HTTP and the executor, and no business.

mod files;
mod graphiql;
mod graphql;
mod health;
mod origin;
mod rating;
mod socket;

use std::time::Duration;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post, put};
use tower_http::set_header::SetResponseHeaderLayer;

use crate::graphql::ApiSchema;
use crate::graphql::request::App;

/// Most bytes of a GraphQL request.
const MOST_BODY: usize = 1024 * 1024;
/// Longest that a request may execute; then its transaction is rolled back.
const DEADLINE: Duration = Duration::from_secs(5);

/// What every handler shares.
#[derive(Clone)]
pub(crate) struct Edge {
    pub schema: ApiSchema,
    pub app: App,
    pub graphiql: bool,
}

/// The routes.
pub(crate) fn router(edge: Edge) -> Router {
    let set = |name: HeaderName, value: &'static str| {
        SetResponseHeaderLayer::if_not_present(name, HeaderValue::from_static(value))
    };
    Router::new()
        .route("/graphql", post(graphql::execute).get(graphiql::page))
        .layer(DefaultBodyLimit::max(MOST_BODY))
        .route("/graphql/ws", get(socket::upgrade))
        .route("/graphiql/{file}", get(graphiql::asset))
        // Files have a limit of their own, held while they stream.
        .route("/uploads/{token}", put(files::upload).layer(DefaultBodyLimit::disable()))
        .route("/files/{token}", get(files::download))
        .route("/rate/{token}", get(rating::page).post(rating::submit))
        .route("/livez", get(health::live))
        .route("/readyz", get(health::ready))
        .layer(set(header::X_CONTENT_TYPE_OPTIONS, "nosniff"))
        .layer(set(header::CACHE_CONTROL, "no-store"))
        .layer(set(header::REFERRER_POLICY, "no-referrer"))
        .with_state(edge)
}

/// An answer without a body of its own: the status and one line that says why.
fn plain(status: StatusCode, line: &'static str) -> Response {
    (status, [(header::CONTENT_TYPE, "text/plain; charset=utf-8")], line).into_response()
}
