//! `GET /graphql`: the GraphiQL page, where it is switched on. Nothing of it comes from another host.

use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use gateway::http::pages::{self, Place, Policy, Use};

use super::{Edge, plain};

const PAGE: &str = include_str!("../../assets/graphiql/page.html");

/// The files of the page.
const ASSETS: [(&str, &str, &[u8]); 7] = [
    ("page.js", "text/javascript", include_bytes!("../../assets/graphiql/page.js")),
    ("page.css", "text/css", include_bytes!("../../assets/graphiql/page.css")),
    ("graphiql.min.js", "text/javascript", include_bytes!("../../assets/graphiql/graphiql.min.js")),
    ("graphiql.min.css", "text/css", include_bytes!("../../assets/graphiql/graphiql.min.css")),
    ("graphql-ws.min.js", "text/javascript", include_bytes!("../../assets/graphiql/graphql-ws.min.js")),
    (
        "react.production.min.js",
        "text/javascript",
        include_bytes!("../../assets/graphiql/react.production.min.js"),
    ),
    (
        "react-dom.production.min.js",
        "text/javascript",
        include_bytes!("../../assets/graphiql/react-dom.production.min.js"),
    ),
];

/// The page. Its editor writes styles of its own; all else is loaded from here.
pub(super) fn page(headers: &HeaderMap) -> Response {
    let host = headers.get(header::HOST).and_then(|host| host.to_str().ok());
    let mut connections = vec![Place::HERE];
    connections.extend(host.and_then(Place::sockets));
    let policy = Policy::allowing(&[
        (Use::Scripts, &[Place::HERE]),
        (Use::Styles, &[Place::HERE, Place::INLINE]),
        (Use::Images, &[Place::HERE, Place::DATA]),
        (Use::Fonts, &[Place::HERE, Place::DATA]),
        (Use::Connections, &connections),
    ]);
    pages::page(StatusCode::OK, &policy, PAGE)
}

/// A file of the page.
pub(super) async fn asset(State(edge): State<Edge>, Path(file): Path<String>) -> Response {
    match ASSETS.iter().find(|(name, ..)| edge.graphiql && *name == file) {
        Some((_, mime, bytes)) => {
            let day = (header::CACHE_CONTROL, "public, max-age=86400");
            ([(header::CONTENT_TYPE, *mime), day], *bytes).into_response()
        }
        None => plain(StatusCode::NOT_FOUND, "no such file"),
    }
}

#[cfg(test)]
mod tests {
    use async_graphql::Request;
    use async_graphql::parser::types::DocumentOperations;
    use futures_util::StreamExt;

    #[tokio::test]
    async fn every_prefilled_document_is_valid() {
        let schema = crate::graphql::schema();
        let page = include_str!("../../assets/graphiql/page.js");
        let documents: Vec<&str> =
            page.split("query: `").skip(1).filter_map(|rest| rest.split('`').next()).collect();
        assert!(documents.len() >= 5);
        for document in documents {
            let parsed = async_graphql::parser::parse_query(document).expect(document);
            let DocumentOperations::Multiple(operations) = parsed.operations else {
                panic!("unnamed: {document}")
            };
            for name in operations.keys() {
                let request = Request::new(document).operation_name(name.as_str());
                let request =
                    request.variables(async_graphql::Variables::from_json(serde_json::json!({"ids": []})));
                let answer = schema.execute_stream(request).next().await.expect("an answer");
                // Nobody is signed in here: fields may refuse, the document must not be.
                assert!(
                    answer.errors.iter().all(|error| !error.path.is_empty()),
                    "{document}: {:?}",
                    answer.errors
                );
            }
        }
    }
}
