//! The console's page and files over HTTP: where they are, who may keep them, and what the page may load.

use std::path::{Path, PathBuf};

use reqwest::header::{
    ACCEPT_ENCODING, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, ETAG, HeaderMap,
    IF_NONE_MATCH, VARY,
};
use reqwest::{Method, StatusCode};

use crate::server::Server;

/// What was built, as it lies on the disk.
fn built() -> PathBuf {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the workspace").join("web/dist");
    assert!(folder.join("index.html").is_file(), "build the console first: make web");
    folder
}

/// The built files, by their names in the folder; not their coded forms.
fn names() -> Vec<String> {
    fn walk(root: &Path, folder: &Path, found: &mut Vec<String>) {
        for entry in std::fs::read_dir(folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                walk(root, &path, found);
            } else {
                found.push(path.strip_prefix(root).expect("inside").to_string_lossy().into_owned());
            }
        }
    }
    let mut found = Vec::new();
    walk(&built(), &built(), &mut found);
    let coded = |name: &String| [".br", ".gz"].iter().any(|form| name.ends_with(form));
    found.retain(|name| !name.starts_with('.') && !coded(name));
    found.sort();
    found
}

/// The ending of a file's name.
fn ending(name: &str) -> &str {
    name.rsplit_once('.').map_or("", |(_, ending)| ending)
}

struct Answer {
    status: StatusCode,
    headers: HeaderMap,
    body: Vec<u8>,
}

impl Answer {
    fn header(&self, name: impl reqwest::header::AsHeaderName) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().expect("ASCII"))
    }
}

async fn ask(
    server: &Server,
    method: Method,
    path: &str,
    headers: &[(reqwest::header::HeaderName, &str)],
) -> Answer {
    let mut request = server.http.request(method, format!("{}{path}", server.url));
    for (name, value) in headers {
        request = request.header(name, *value);
    }
    let response = request.send().await.expect("an answer");
    let (status, headers) = (response.status(), response.headers().clone());
    Answer { status, headers, body: response.bytes().await.expect("a body").to_vec() }
}

async fn get(server: &Server, path: &str) -> Answer {
    ask(server, Method::GET, path, &[]).await
}

#[tokio::test]
async fn every_address_of_the_console_answers_its_page() {
    let server = Server::start().await;
    let page = std::fs::read(built().join("index.html")).expect("the page");
    let routes = Path::new(env!("CARGO_MANIFEST_DIR")).join("../web/src/routes.ts");
    let routes = std::fs::read_to_string(routes).expect("the console's own routes");
    let own = routes.lines().filter_map(|line| line.trim_start().strip_prefix("['")?.split('\'').next());
    let own: Vec<_> = own.map(|path| path.replace(':', "")).collect();
    assert!(own.len() > 20, "{own:?}");
    let asked = ["/?filter=open", "/join?token=x", "/settings/api-keys", "/invoices/inv_1/edit?line=2"];
    for path in own.iter().map(String::as_str).chain(asked) {
        let answer = get(&server, path).await;
        assert_eq!(answer.status, StatusCode::OK, "{path}");
        assert!(answer.body == page, "{path}: the server was built with another console than web/dist");
        assert_eq!(answer.header(CONTENT_TYPE), Some("text/html; charset=utf-8"), "{path}");
        assert_eq!(answer.header(CACHE_CONTROL), Some("no-cache"), "a new release is seen at once: {path}");
    }
}

#[tokio::test]
async fn what_is_no_address_is_not_found() {
    let server = Server::start().await;
    let hashed = names().into_iter().find(|name| ending(name) == "js").expect("a script");
    for path in [
        "/nothing",
        "/invoicesx",
        "/index.html",
        "/web/dist/index.html",
        "/.inputs",
        "/.vite/manifest.json",
        "/assets",
        "/assets/",
        "/assets/nothing-0.js",
        "/assets/..%2findex.html",
        "/assets/%2e%2e/%2e%2e/Cargo.toml",
        "/embed",
        "/embed/token/more",
        // The demo's alone.
        "/demo.json",
        // Asked for by name, a coded form would come without its coding.
        &format!("/{hashed}.br"),
    ] {
        let answer = get(&server, path).await;
        assert_eq!(answer.status, StatusCode::NOT_FOUND, "{path}");
        // A file that is missing now may be there after the next release.
        assert!(!answer.header(CACHE_CONTROL).is_some_and(|kept| kept.contains("max-age")), "{path}");
    }
    let sent = ask(&server, Method::POST, "/sign-in", &[]).await;
    assert_eq!(sent.status, StatusCode::METHOD_NOT_ALLOWED);
}

#[tokio::test]
async fn the_page_loads_from_here_alone_and_no_other_site_frames_it() {
    let server = Server::start().await;
    let host = server.url.trim_start_matches("http://");
    for path in ["/", "/settings/security"] {
        let answer = get(&server, path).await;
        let policy = format!(
            "default-src 'none'; base-uri 'none'; frame-ancestors 'none'; script-src 'self'; style-src 'self'; \
             img-src 'self' data:; font-src 'self'; connect-src 'self' ws://{host} wss://{host}; form-action 'self'"
        );
        assert_eq!(answer.header("content-security-policy"), Some(policy.as_str()), "{path}");
        for (name, value) in [
            ("x-frame-options", "DENY"),
            ("x-content-type-options", "nosniff"),
            ("referrer-policy", "no-referrer"),
            ("cross-origin-opener-policy", "same-origin"),
        ] {
            assert_eq!(answer.header(name), Some(value), "{path}");
        }
        let machine = answer.header("permissions-policy").unwrap_or_default();
        assert!(
            machine.contains("camera=()") && machine.contains("publickey-credentials-get=(self)"),
            "{machine}"
        );
    }
}

#[tokio::test]
async fn a_signed_dashboard_may_stand_in_every_page() {
    let server = Server::start().await;
    let (shut, open) = (get(&server, "/").await, get(&server, "/embed/token").await);
    let policy = |answer: &Answer| answer.header("content-security-policy").expect("a policy").to_owned();
    assert_eq!(policy(&open), policy(&shut).replace("frame-ancestors 'none'", "frame-ancestors *"));
    assert_eq!(open.header("x-frame-options"), None);
    // An address that only begins like one.
    assert_eq!(get(&server, "/embedded").await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn nothing_in_the_page_needs_an_exception_from_its_policy() {
    let page = std::fs::read_to_string(built().join("index.html")).expect("the page");
    for tag in page.split('<').skip(1) {
        let tag = tag.split('>').next().unwrap_or_default();
        assert!(!tag.starts_with("style"), "a style in the page: {tag}");
        assert!(!tag.contains(" style=") && !tag.contains(" on"), "what the policy forbids: {tag}");
        if tag.starts_with("script") {
            assert!(tag.contains(" src=\"/assets/"), "a script in the page: {tag}");
        }
        for attribute in ["src=\"", "href=\""] {
            let place = tag.split(attribute).nth(1);
            assert!(place.is_none_or(|place| place.starts_with('/') && !place.starts_with("//")), "{tag}");
        }
    }
}

#[tokio::test]
async fn no_file_of_the_console_names_another_host() {
    // Names of vocabularies, which nothing fetches, and where Svelte explains an error in its text.
    let names_only = ["http://www.w3.org/", "https://svelte.dev/e/"];
    let files = names();
    assert!(files.len() >= 5, "{files:?}");
    for name in files {
        let bytes = std::fs::read(built().join(&name)).expect("a file");
        let text = String::from_utf8_lossy(&bytes);
        for scheme in ["http://", "https://", "ws://", "wss://"] {
            for (at, _) in text.match_indices(scheme) {
                let found: String = text[at..].chars().take(60).collect();
                // The scheme alone, put before the page's own host.
                let host = found[scheme.len()..].starts_with(|c: char| c.is_ascii_alphanumeric());
                let known = names_only.iter().any(|known| found.starts_with(known));
                assert!(!host || known, "{name}: {found}");
            }
        }
        assert!(!text.contains("url(//") && !text.contains("@import"), "{name}");
    }
}

#[tokio::test]
async fn hashed_files_are_kept_for_good_and_come_as_small_as_the_client_takes_them() {
    let server = Server::start().await;
    let hashed: Vec<_> = names().into_iter().filter(|name| name.starts_with("assets/")).collect();
    assert!(
        hashed.iter().any(|name| ending(name) == "js") && hashed.iter().any(|name| ending(name) == "css")
    );
    for name in hashed {
        let path = format!("/{name}");
        let plain = get(&server, &path).await;
        assert_eq!(plain.status, StatusCode::OK, "{name}");
        assert_eq!(plain.header(CACHE_CONTROL), Some("public, max-age=31536000, immutable"), "{name}");
        assert_eq!(plain.header(CONTENT_ENCODING), None);
        assert_eq!(plain.body, std::fs::read(built().join(&name)).expect("a file"), "{name}");
        let media = match ending(&name) {
            "js" => "text/javascript; charset=utf-8",
            "css" => "text/css; charset=utf-8",
            "svg" => "image/svg+xml",
            other => panic!("say what it is: {other:?}"),
        };
        assert_eq!(
            (plain.header(CONTENT_TYPE), plain.header("x-content-type-options")),
            (Some(media), Some("nosniff"))
        );
        let stem = name.trim_start_matches("assets/").rsplit_once('.').expect("an ending").0.as_bytes();
        assert!(stem.len() > 9 && stem[stem.len() - 9] == b'-', "no hash in its name: {name}");

        let mut tags = vec![plain.header(ETAG).expect("a tag").to_owned()];
        for (accept, coding, ending) in [("gzip, deflate, br", "br", "br"), ("gzip", "gzip", "gz")] {
            let Ok(form) = std::fs::read(built().join(format!("{name}.{ending}"))) else { continue };
            let answer = ask(&server, Method::GET, &path, &[(ACCEPT_ENCODING, accept)]).await;
            assert_eq!(answer.header(CONTENT_ENCODING), Some(coding), "{name}");
            assert_eq!((answer.body.len() < plain.body.len(), answer.body == form), (true, true), "{name}");
            assert_eq!(answer.header(CONTENT_TYPE), Some(media));
            assert_eq!(answer.header(VARY), Some("accept-encoding"), "a cache must tell them apart: {name}");
            tags.push(answer.header(ETAG).expect("a tag").to_owned());
        }
        if plain.body.len() > 1000 && ending(&name) == "js" {
            assert_eq!(tags.len(), 3, "not compressed: {name}");
        }
        let distinct: std::collections::BTreeSet<_> = tags.iter().collect();
        assert_eq!(distinct.len(), tags.len(), "each form has a tag of its own: {tags:?}");
    }
}

#[tokio::test]
async fn who_has_the_newest_page_is_not_sent_it_again() {
    let server = Server::start().await;
    for accept in ["identity", "br", "gzip"] {
        let first = ask(&server, Method::GET, "/invoices", &[(ACCEPT_ENCODING, accept)]).await;
        let tag = first.header(ETAG).expect("a tag").to_owned();
        let again = [(ACCEPT_ENCODING, accept), (IF_NONE_MATCH, tag.as_str())];
        let answer = ask(&server, Method::GET, "/invoices", &again).await;
        assert_eq!((answer.status, answer.body.len()), (StatusCode::NOT_MODIFIED, 0), "{accept}");
        assert_eq!(answer.header(ETAG), Some(tag.as_str()));
        assert_eq!(answer.header(CACHE_CONTROL), Some("no-cache"));
        // The kept page gets the policy of the answer that renews it.
        assert_eq!(answer.header("content-security-policy"), first.header("content-security-policy"));
        let old = [(ACCEPT_ENCODING, accept), (IF_NONE_MATCH, "\"of the release before\"")];
        assert_eq!(ask(&server, Method::GET, "/invoices", &old).await.status, StatusCode::OK);
    }
}

#[tokio::test]
async fn head_tells_what_get_would() {
    let server = Server::start().await;
    let script = names().into_iter().find(|name| ending(name) == "js").expect("a script");
    for path in ["/".to_owned(), "/sign-in".to_owned(), format!("/{script}")] {
        let whole = get(&server, &path).await;
        let head = ask(&server, Method::HEAD, &path, &[]).await;
        assert_eq!((head.status, head.body.len()), (StatusCode::OK, 0), "{path}");
        for name in [CONTENT_TYPE, CONTENT_LENGTH, ETAG, CACHE_CONTROL, VARY] {
            assert_eq!(head.header(&name), whole.header(&name), "{path}: {name}");
        }
        assert_eq!(head.header(CONTENT_LENGTH), Some(whole.body.len().to_string().as_str()), "{path}");
    }
}
