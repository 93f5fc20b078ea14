//! `PUT /uploads/{token}` and `GET /files/{token}`: bytes by signed links, beside the graph.

use axum::Json;
use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use documents::file::service;
use documents::{Body as Bytes, Error};
use futures_util::{StreamExt, TryStreamExt};
use kernel::signed::Grant;
use kernel::{Actor, DomainError, Kind, Origin, Scope, id};
use serde_json::json;

use super::Edge;
use super::origin::From;

/// The scope of a link's company.
async fn scope(edge: &Edge, grant: &Grant, origin: Origin) -> Result<Scope, Error> {
    let scope = edge.app.auth.link_scope(grant.company, Actor::System, origin).await?;
    scope.ok_or(Error::BadLink)
}

/// Takes the bytes of an announced file.
pub(super) async fn upload(
    State(edge): State<Edge>,
    From(origin): From,
    Path(token): Path<String>,
    body: Body,
) -> Response {
    let (auth, files) = (&edge.app.auth, &edge.app.files);
    let stored = async {
        let grant = service::upload_grant(auth.vault(), &token, auth.clock().now())?;
        let scope = scope(&edge, &grant, origin).await?;
        let bytes: Bytes<'_> = body.into_data_stream().map_err(Into::into).boxed();
        service::store(&scope, files, &grant, bytes).await
    };
    match stored.await {
        Ok(file) => {
            (StatusCode::CREATED, Json(json!({ "fileId": id::encode(Kind::File, file) }))).into_response()
        }
        Err(error) => refused(&error),
    }
}

/// Gives the bytes of a stored file, as a download: nothing that somebody uploaded runs in our pages.
pub(super) async fn download(
    State(edge): State<Edge>,
    From(origin): From,
    Path(token): Path<String>,
) -> Response {
    let (auth, files) = (&edge.app.auth, &edge.app.files);
    let opened = async {
        let grant = service::download_grant(auth.vault(), &token, auth.clock().now())?;
        let scope = scope(&edge, &grant, origin).await?;
        service::open(&scope, files, &grant).await
    };
    match opened.await {
        Ok(opened) => {
            let mut response = Body::from_stream(opened.body).into_response();
            let headers = response.headers_mut();
            let mime = HeaderValue::from_str(&opened.file.media_type);
            headers.insert(
                header::CONTENT_TYPE,
                mime.unwrap_or(HeaderValue::from_static("application/octet-stream")),
            );
            headers.insert(header::CONTENT_LENGTH, HeaderValue::from(opened.file.size_bytes));
            headers.insert(header::CONTENT_DISPOSITION, disposition(&opened.file.name));
            headers.insert(
                header::CONTENT_SECURITY_POLICY,
                HeaderValue::from_static("default-src 'none'; sandbox"),
            );
            response
        }
        Err(error) => refused(&error),
    }
}

/// `attachment` with the file's name, percent-encoded (RFC 6266, RFC 8187).
fn disposition(name: &str) -> HeaderValue {
    let encoded: String = name
        .bytes()
        .map(|byte| match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'.' | b'-' | b'_' => char::from(byte).to_string(),
            other => format!("%{other:02X}"),
        })
        .collect();
    HeaderValue::from_str(&format!("attachment; filename*=UTF-8''{encoded}"))
        .unwrap_or(HeaderValue::from_static("attachment"))
}

fn refused(error: &Error) -> Response {
    let status = match error.code() {
        "INTERNAL" => {
            tracing::error!(%error, "file");
            let unavailable = error.fault().is_some_and(kernel::Fault::is_unavailable);
            if unavailable { StatusCode::SERVICE_UNAVAILABLE } else { StatusCode::INTERNAL_SERVER_ERROR }
        }
        "BAD_LINK" => StatusCode::FORBIDDEN,
        "ALREADY_STORED" => StatusCode::CONFLICT,
        _ => StatusCode::BAD_REQUEST,
    };
    let message = if error.fault().is_some() {
        "something went wrong on our side".to_owned()
    } else {
        error.to_string()
    };
    (status, Json(json!({ "error": { "code": error.code(), "message": message } }))).into_response()
}
