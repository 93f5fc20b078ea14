//! The edge: how requests come in and answers go out. It knows HTTP and the executor, and no business; what is protocol
//! alone lives in the crate `gateway`.
#![expect(clippy::result_large_err, reason = "a request is refused once")]

mod admission;
mod console;
mod door;
mod files;
pub(crate) mod gates;
mod graphiql;
mod graphql;
mod health;
mod oauth;
mod origin;
mod outbox;
mod rating;
mod run;
mod streams;

use std::time::Duration;

use async_graphql::{ServerError, Value};
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{any, get, put};
use axum::{Router, middleware};
use gateway::http::cors::Origins;
use gateway::socket::Hub;
use tower_http::set_header::SetResponseHeaderLayer;

use self::gates::Gates;
use crate::graphql::ApiSchema;
use crate::graphql::request::App;
use crate::server::Failure;

/// Longest that a request may execute; then its transaction is rolled back.
const DEADLINE: Duration = Duration::from_secs(5);

/// What every handler shares.
#[derive(Clone)]
pub(crate) struct Edge {
    pub schema: ApiSchema,
    pub app: App,
    pub gates: Gates,
    /// The open sockets and event streams.
    pub streams: Hub,
    pub origins: Origins,
    pub graphiql: bool,
    /// Whether letters are shown to whoever asks.
    pub outbox: bool,
    /// The sign-ins of the demo, as JSON; nothing elsewhere.
    pub demo: Option<Bytes>,
}

/// The routes.
pub(crate) fn router(edge: Edge, behind_proxy: bool) -> Router {
    let set = |name: HeaderName, value: &'static str| {
        SetResponseHeaderLayer::if_not_present(name, HeaderValue::from_static(value))
    };
    let routes = Router::new()
        .route("/graphql", any(graphql::execute))
        .layer(edge.origins.layer())
        .route("/graphql/ws", get(streams::upgrade))
        .route("/graphiql/{file}", get(graphiql::asset))
        // Files have a limit of their own, held while they stream.
        .route("/uploads/{token}", put(files::upload).layer(axum::extract::DefaultBodyLimit::disable()))
        .route("/files/{token}", get(files::download))
        .route("/rate/{token}", get(rating::page).post(rating::submit))
        .route("/confirm", get(door::confirm::page).post(door::confirm::submit))
        .route("/reset", get(door::reset::page).post(door::reset::submit))
        .route("/invitation", get(door::invitation::page).post(door::invitation::submit))
        .route("/sso/callback", get(door::sso::callback))
        .route("/sso/confirm", axum::routing::post(door::sso::confirm))
        .route("/sso/{provider}", get(door::sso::begin))
        .route("/outbox", get(outbox::page))
        .route("/outbox.json", get(outbox::list))
        .merge(oauth::routes())
        .merge(console::routes())
        .route("/demo.json", get(demo))
        .route("/livez", get(health::live))
        .route("/readyz", get(health::ready))
        .layer(set(header::X_CONTENT_TYPE_OPTIONS, "nosniff"))
        .layer(set(header::CACHE_CONTROL, "no-store"))
        .layer(set(header::REFERRER_POLICY, "no-referrer"))
        .with_state(edge);
    if behind_proxy { routes.layer(middleware::from_fn(origin::forwarded)) } else { routes }
}

/// With which accounts to look around: in the demo alone, whose passwords are no secret.
async fn demo(State(edge): State<Edge>) -> Response {
    match edge.demo {
        Some(sign_ins) => ([(header::CONTENT_TYPE, "application/json")], sign_ins).into_response(),
        None => plain(StatusCode::NOT_FOUND, "this is no demo"),
    }
}

/// The stable code of an error.
fn code(error: &ServerError) -> Option<&str> {
    match error.extensions.as_ref()?.get("code")? {
        Value::String(code) => Some(code),
        _ => None,
    }
}

/// An answer without a body of its own: the status and one line that says why.
fn plain(status: StatusCode, line: &'static str) -> Response {
    (status, [(header::CONTENT_TYPE, "text/plain; charset=utf-8")], line).into_response()
}
