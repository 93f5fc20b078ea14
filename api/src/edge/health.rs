//! `GET /livez` and `GET /readyz`.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde_json::json;

use super::Edge;

/// The process runs.
pub(super) async fn live() -> &'static str {
    "ok"
}

/// Whether requests can be served: PostgreSQL answers. Redis may be away: that is told, and no reason to refuse.
pub(super) async fn ready(State(edge): State<Edge>) -> Response {
    let database = sqlx::query("SELECT 1").execute(edge.app.auth.db().server()).await;
    let redis = match edge.app.hints.redis_answers().await {
        None => "not configured",
        Some(true) => "ok",
        Some(false) => "away: figures of other replicas arrive within a second instead of at once",
    };
    let backlog = kernel::sequencer::backlog(edge.app.auth.db()).await.ok();
    let ready = database.is_ok();
    let body = json!({
        "ready": ready,
        "postgres": if ready { "ok" } else { "away" },
        "redis": redis,
        "unsealedEvents": backlog,
    });
    let status = if ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (status, Json(body)).into_response()
}
