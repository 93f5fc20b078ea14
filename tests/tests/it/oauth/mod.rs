//! The authorization server as partners' programs and browsers meet it: an independent client, and the attacks of RFC 9700
//! and OWASP ASVS 5.0 (chapters 3 and 10) from outside.

mod pages;
mod tokens;

use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

use reqwest::header::{HeaderMap, LOCATION, ORIGIN};
use reqwest::{StatusCode, redirect};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::revocation::prove;
use crate::server::{PASSWORD, Server, UNLIMITED};

const CALLBACK: &str = "https://till.example/cb";
const VERIFIER: &str = "a-verifier-is-43-to-128-unreserved-characters";

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_else(|| panic!("{value:#}")).to_owned()
}

/// Base64url without padding (RFC 4648, section 5).
fn base64url(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let mut text = String::new();
    for group in bytes.chunks(3) {
        let number = group.iter().fold(0_u32, |number, byte| number << 8 | u32::from(*byte))
            << (8 * (3 - group.len()));
        for place in 0..=group.len() {
            text.push(char::from(DIGITS[(number >> (18 - 6 * place) & 63) as usize]));
        }
    }
    text
}

/// A server with Ada's company, and an application.
struct World {
    server: Server,
    owner: String,
    client: String,
    secret: String,
}

impl World {
    async fn new() -> Self {
        let server = Server::start_with(&UNLIMITED).await;
        let owner = server.found("A", "ada@example.com").await;
        prove(&server).await;
        let mut world = Self { server, owner, client: String::new(), secret: String::new() };
        (world.client, world.secret) = world.register().await;
        world
    }

    async fn register(&self) -> (String, String) {
        let query = "mutation($input: RegisterApplicationInput!) { registerApplication(input: $input) {
            application { id } secret userErrors { message } } }";
        let input = json!({"name": "Till <&> Co", "homepage": "https://till.example", "kind": "CONFIDENTIAL",
            "grantTypes": ["AUTHORIZATION_CODE", "REFRESH_TOKEN"], "redirectUris": [CALLBACK],
            "permissions": ["kpi.read", "company.read"]});
        let made =
            self.server.ask(&self.owner, query, json!({"input": input})).await["registerApplication"].clone();
        (text(&made["application"]["id"]), text(&made["secret"]))
    }

    fn request(&self, changes: &[(&str, &str)]) -> String {
        let challenge = base64url(&Sha256::digest(VERIFIER));
        let mut query = url::form_urlencoded::Serializer::new(String::new());
        let all = [
            ("client_id", self.client.as_str()),
            ("redirect_uri", CALLBACK),
            ("response_type", "code"),
            ("scope", "kpi.read"),
            ("state", "s"),
            ("code_challenge", challenge.as_str()),
            ("code_challenge_method", "S256"),
        ];
        for (name, value) in all {
            let value = changes.iter().find(|(other, _)| *other == name).map_or(value, |(_, value)| value);
            query.append_pair(name, value);
        }
        query.finish()
    }

    /// Posts to the token endpoint as the application.
    async fn token(&self, fields: &[(&str, &str)]) -> (StatusCode, Value) {
        let (client, secret) = (self.client.as_str(), self.secret.as_str());
        let form = [&[("client_id", client), ("client_secret", secret)], fields].concat();
        post(&self.server, "/oauth/token", &form).await
    }

    /// The status of a request with a token.
    async fn status(&self, url: &str, token: &str) -> StatusCode {
        let request = self.server.http.post(format!("{url}/graphql")).bearer_auth(token);
        request
            .json(&json!({"query": "{ viewer { actor { id } } }"}))
            .send()
            .await
            .expect("an answer")
            .status()
    }

    async fn redeem(&self, code: &str) -> (StatusCode, Value) {
        self.token(&[("grant_type", "authorization_code"), ("code", code), ("code_verifier", VERIFIER)]).await
    }

    /// The tokens of a consent in a browser.
    async fn tokens(&self, browser: &mut Browser) -> Value {
        let code = browser.consent(&self.request(&[])).await;
        let (status, tokens) = self.redeem(&code).await;
        assert_eq!(status, StatusCode::OK, "{tokens}");
        tokens
    }
}

fn form(fields: &[(&str, &str)]) -> String {
    url::form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish()
}

async fn post(server: &Server, path: &str, fields: &[(&str, &str)]) -> (StatusCode, Value) {
    let request = server.http.post(format!("{}{path}", server.url));
    let request = request.header("content-type", "application/x-www-form-urlencoded").body(form(fields));
    let response = request.send().await.expect("an answer");
    assert_eq!(response.headers()["cache-control"], "no-store");
    (response.status(), response.json().await.expect("JSON"))
}

/// A browser, as far as it matters here.
struct Browser {
    http: reqwest::Client,
    url: String,
    cookies: Vec<String>,
}

struct Page {
    status: StatusCode,
    headers: HeaderMap,
    html: String,
}

impl Page {
    fn location(&self) -> Option<&str> {
        self.headers.get(LOCATION).map(|location| location.to_str().expect("text"))
    }

    /// The value of the first field of a name.
    fn field(&self, name: &str) -> String {
        let (_, after) = self
            .html
            .split_once(&format!("name=\"{name}\" value=\""))
            .unwrap_or_else(|| panic!("{name}: {}", self.html));
        after.split_once('"').expect("a value").0.replace("&amp;", "&")
    }

    /// A parameter of the address that it leads to.
    fn told(&self, name: &str) -> Option<String> {
        let location = url::Url::parse(self.location()?).expect("an address");
        location.query_pairs().find(|(other, _)| other == name).map(|(_, value)| value.into_owned())
    }
}

impl Browser {
    fn new(server: &Server) -> Self {
        let http = reqwest::Client::builder().redirect(redirect::Policy::none()).build().expect("a client");
        Self { http, url: server.url.clone(), cookies: Vec::new() }
    }

    async fn sent(&mut self, request: reqwest::RequestBuilder) -> Page {
        let response = request.header("cookie", self.cookies.join("; ")).send().await.expect("an answer");
        for cookie in response.headers().get_all("set-cookie") {
            let cookie = cookie.to_str().expect("text");
            assert!(cookie.contains("; Path=/; HttpOnly; SameSite=Lax"), "{cookie}");
            let (pair, _) = cookie.split_once(';').expect("attributes");
            let (name, _) = pair.split_once('=').expect("a pair");
            self.cookies.retain(|kept| !kept.starts_with(&format!("{name}=")));
            self.cookies.push(pair.to_owned());
        }
        let (status, headers) = (response.status(), response.headers().clone());
        Page { status, headers, html: response.text().await.expect("text") }
    }

    async fn open(&mut self, query: &str) -> Page {
        let request = self.http.get(format!("{}/oauth/authorize?{query}", self.url));
        self.sent(request).await
    }

    async fn submit_from(&mut self, origin: Option<&str>, fields: &[(&str, &str)]) -> Page {
        let mut request = self.http.post(format!("{}/oauth/authorize", self.url)).body(form(fields));
        request = request.header("content-type", "application/x-www-form-urlencoded");
        if let Some(origin) = origin {
            request = request.header(ORIGIN, origin);
        }
        self.sent(request).await
    }

    async fn submit(&mut self, fields: &[(&str, &str)]) -> Page {
        let own = self.url.clone();
        self.submit_from(Some(&own), fields).await
    }

    async fn sign_in(&mut self, query: &str, email: &str) -> Page {
        let fields = [("action", "sign_in"), ("request", query), ("email", email), ("password", PASSWORD)];
        let done = self.submit(&fields).await;
        assert_eq!(done.status, StatusCode::SEE_OTHER, "{}", done.html);
        self.open(query).await
    }

    /// Says yes as Ada; the code.
    async fn consent(&mut self, query: &str) -> String {
        let mut page = self.open(query).await;
        if page.html.contains("name=\"password\"") {
            page = self.sign_in(query, "ada@example.com").await;
        }
        let (request, form, company) = (page.field("request"), page.field("form"), page.field("company"));
        let fields = [
            ("action", "approve"),
            ("request", request.as_str()),
            ("form", form.as_str()),
            ("company", company.as_str()),
        ];
        let done = self.submit(&fields).await;
        assert_eq!(done.status, StatusCode::SEE_OTHER, "{}", done.html);
        done.told("code").expect("a code")
    }
}

#[tokio::test]
async fn an_independent_client_finds_the_server_and_gets_renews_and_takes_back_its_tokens() {
    let server = Server::start_with(&UNLIMITED).await;
    let owner = server.found("A", "ada@example.com").await;
    prove(&server).await;
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("oauth-client");
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("npm/oauth-client/run.sh");
    let given =
        json!({"issuer": server.url, "owner": owner, "email": "ada@example.com", "password": PASSWORD});
    let ran = tokio::task::spawn_blocking(move || {
        let mut client = Command::new(script)
            .arg(folder)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the client starts");
        let mut stdin = client.stdin.take().expect("its input");
        stdin.write_all(given.to_string().as_bytes()).expect("told");
        drop(stdin);
        client.wait_with_output().expect("it ends")
    });
    let ran = ran.await.expect("ran");
    let held = String::from_utf8_lossy(&ran.stdout).into_owned();
    assert!(ran.status.success(), "{held}\n{}", String::from_utf8_lossy(&ran.stderr));
    assert_eq!(held.lines().count(), 11, "{held}");
}
