//! The console: a page and its files, built from `web/` by `make web` and embedded in the server. They are the same for
//! everybody; what they show comes from the public API.

use std::sync::LazyLock;

use axum::Router;
use axum::extract::Path;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, Uri, header};
use axum::response::Response;
use axum::routing::get;
use gateway::http::pages::{self, Place, Policy, Use};
use gateway::http::stored::{self, Form, Stored};
use rust_embed::{EmbeddedFile, RustEmbed};

use super::{Edge, plain};

/// What `make web` has built; nothing where it was not run.
#[derive(RustEmbed)]
#[folder = "../web/dist"]
#[allow_missing = true]
struct Built;

/// The console's own routes. Each is the one page, which reads its address; whatever else stands in no route is not found.
const ROUTES: [&str; 24] = [
    "/",
    "/sign-in",
    "/sign-up",
    "/join",
    "/dashboards",
    "/dashboards/{*rest}",
    "/kpis",
    "/kpis/{*rest}",
    "/alerts",
    "/alerts/{*rest}",
    "/invoices",
    "/invoices/{*rest}",
    "/bills",
    "/bills/{*rest}",
    "/approvals",
    "/approvals/{*rest}",
    "/ledger",
    "/ledger/{*rest}",
    "/parties",
    "/parties/{*rest}",
    "/settings",
    "/settings/{*rest}",
    "/companies/{*rest}",
    "/embed/{token}",
];

/// Its name says which bytes it holds, so it never changes.
const FOREVER: &str = "public, max-age=31536000, immutable";
/// May be kept, and is asked for each time.
const ASKED: &str = "no-cache";

/// What the page may use of the machine: nothing but a passkey, and to fill the clipboard.
const MACHINE: &str = "accelerometer=(), autoplay=(), camera=(), display-capture=(), geolocation=(), gyroscope=(), \
     hid=(), idle-detection=(), magnetometer=(), microphone=(), midi=(), payment=(), screen-wake-lock=(), serial=(), usb=(), \
     publickey-credentials-create=(self), publickey-credentials-get=(self), clipboard-write=(self)";

/// The routes of the page, and of each file.
pub(super) fn routes() -> Router<Edge> {
    let mut routes = Router::new().route("/assets/{*file}", get(asset));
    for route in ROUTES {
        routes = routes.route(route, get(page));
    }
    // What stands beside the page: its icon and the like.
    let beside = Built::iter().filter(|name| !name.contains('/') && is_served(name) && name != "index.html");
    for name in beside {
        let route = format!("/{name}");
        let file = move |headers: HeaderMap| async move { sent(&headers, &name, ASKED) };
        routes = routes.route(&route, get(file));
    }
    routes
}

/// The page, at every route of the console.
async fn page(uri: Uri, headers: HeaderMap) -> Response {
    let framed = uri.path().starts_with("/embed/");
    let Some(index) = stored("index.html") else { return not_built() };
    let mut response = stored::answer(&headers, &index);
    let told = response.headers_mut();
    told.insert(header::CACHE_CONTROL, HeaderValue::from_static(ASKED));
    told.insert(HeaderName::from_static("permissions-policy"), HeaderValue::from_static(MACHINE));
    pages::guard(told, &policy(&headers, framed));
    response
}

/// What the page may load: everything from here, and nothing that stands in it.
fn policy(headers: &HeaderMap, framed: bool) -> Policy {
    let host = headers.get(header::HOST).and_then(|host| host.to_str().ok());
    let mut connections = vec![Place::HERE];
    connections.extend(host.and_then(Place::sockets));
    let uses: &[(Use, &[Place])] = &[
        (Use::Scripts, &[Place::HERE]),
        (Use::Styles, &[Place::HERE]),
        (Use::Images, &[Place::HERE, Place::DATA]),
        (Use::Fonts, &[Place::HERE]),
        (Use::Forms, &[Place::HERE]),
        (Use::Connections, &connections),
    ];
    if framed { Policy::framed(uses) } else { Policy::allowing(uses) }
}

/// A file of the page, whose name holds its hash.
async fn asset(Path(file): Path<String>, headers: HeaderMap) -> Response {
    sent(&headers, &format!("assets/{file}"), FOREVER)
}

fn sent(headers: &HeaderMap, name: &str, kept: &'static str) -> Response {
    let Some(file) = stored(name) else { return plain(StatusCode::NOT_FOUND, "no such file") };
    let mut response = stored::answer(headers, &file);
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static(kept));
    response
}

/// Whether a file is asked for by its own name: not the coded forms, nor what the build notes for itself.
fn is_served(name: &str) -> bool {
    !name.starts_with('.') && !["br", "gz"].iter().any(|form| extension(name) == *form)
}

fn extension(name: &str) -> &str {
    name.rsplit_once('.').map_or("", |(_, extension)| extension)
}

/// A file in all its forms: `x.js.br` and `x.js.gz` stand beside `x.js` where they are smaller.
fn stored(name: &str) -> Option<Stored> {
    let form = |file: EmbeddedFile| Form { hash: file.metadata.sha256_hash(), bytes: file.data };
    if !is_served(name) {
        return None;
    }
    Some(Stored {
        media: media(name),
        plain: form(Built::get(name)?),
        brotli: Built::get(&format!("{name}.br")).map(form),
        gzip: Built::get(&format!("{name}.gz")).map(form),
    })
}

/// The media type of a file, by its name.
fn media(name: &str) -> &'static str {
    match extension(name) {
        "html" => "text/html; charset=utf-8",
        "js" | "mjs" => "text/javascript; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "ico" => "image/x-icon",
        "webp" => "image/webp",
        "woff2" => "font/woff2",
        "json" | "map" => "application/json",
        "webmanifest" => "application/manifest+json",
        "txt" => "text/plain; charset=utf-8",
        _ => "application/octet-stream",
    }
}

const STYLE: &str =
    "body{font:1.1rem system-ui;max-width:32rem;margin:3rem auto;padding:0 1rem;color-scheme:light dark}";

static BARE: LazyLock<Policy> = LazyLock::new(|| Policy::allowing(&[(Use::Styles, &[Place::text(STYLE)])]));

/// What is told where the console was not built. The API works all the same.
fn not_built() -> Response {
    let html = format!(
        "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"><title>Coulisse</title><style>{STYLE}</style></head>\
         <body><h1>Coulisse</h1><p>The API of this server works; its console was not built. To build it, run in the folder of \
         the source</p><pre><code>make web</code></pre><p>and then build and start the server again.</p></body></html>"
    );
    pages::page(StatusCode::NOT_FOUND, &BARE, html)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_files_of_the_page_are_served_by_name() {
        for (name, served) in [
            ("index.html", true),
            ("assets/index-Bx1.js", true),
            ("assets/index-Bx1.js.br", false),
            ("favicon.svg.gz", false),
            (".inputs", false),
        ] {
            assert_eq!(is_served(name), served, "{name}");
        }
    }

    #[test]
    fn without_built_files_the_page_says_how_to_build_them() {
        let response = not_built();
        assert_eq!(response.status(), StatusCode::NOT_FOUND);
        assert_eq!(response.headers()[header::CACHE_CONTROL], "no-store");
    }

    #[test]
    fn an_embedded_page_alone_may_be_framed() {
        let mut headers = HeaderMap::new();
        headers.insert(header::HOST, HeaderValue::from_static("books.example:8443"));
        let text = |framed| policy(&headers, framed).header().to_str().expect("ASCII").to_owned();
        assert_eq!(
            text(false),
            "default-src 'none'; base-uri 'none'; frame-ancestors 'none'; script-src 'self'; style-src 'self'; \
             img-src 'self' data:; font-src 'self'; \
             connect-src 'self' ws://books.example:8443 wss://books.example:8443; form-action 'self'"
        );
        assert_eq!(text(true), text(false).replace("frame-ancestors 'none'", "frame-ancestors *"));
    }
}
