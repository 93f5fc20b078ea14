//! OWASP ASVS 5.0.0, chapter V10: OAuth. What is told about the authorization server elsewhere is told in `oauth/`.

use reqwest::{StatusCode, header, redirect};
use serde_json::{Value, json};

use super::found;
use crate::server::{PASSWORD, Server, UNLIMITED};

/// RFC 7636, appendix B.
const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";
const CALLBACK: &str = "https://till.example/cb";

/// Registers an application that acts for people; its id.
pub(super) async fn application(server: &Server, owner: &str, permissions: &[&str]) -> String {
    let register = "mutation($input: RegisterApplicationInput!) { registerApplication(input: $input) {
        application { id } userErrors { message } } }";
    let input = json!({"name": "Till & Co", "homepage": "https://till.example", "kind": "PUBLIC",
        "grantTypes": ["AUTHORIZATION_CODE", "REFRESH_TOKEN"], "redirectUris": [CALLBACK], "permissions": permissions});
    let made: Value =
        server.ask(owner, register, json!({"input": input})).await["registerApplication"].clone();
    made["application"]["id"].as_str().unwrap_or_else(|| panic!("{made:#}")).to_owned()
}

/// What an application asks, as the query of the address.
pub(super) fn request(client: &str, scope: &str) -> String {
    form(&[
        ("client_id", client),
        ("redirect_uri", CALLBACK),
        ("response_type", "code"),
        ("scope", scope),
        ("state", "s"),
        ("code_challenge", CHALLENGE),
        ("code_challenge_method", "S256"),
    ])
}

fn form(fields: &[(&str, &str)]) -> String {
    url::form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish()
}

/// A browser that follows nothing, with one cookie.
pub(super) struct Browser {
    http: reqwest::Client,
    url: String,
    cookie: String,
}

impl Browser {
    /// A browser at a server, with a cookie.
    pub(super) fn with(url: &str, cookie: &str) -> Self {
        let http = reqwest::Client::builder().redirect(redirect::Policy::none()).build().expect("a client");
        Self { http, url: url.to_owned(), cookie: cookie.to_owned() }
    }

    /// The page that an application sends people to.
    pub(super) async fn open(&self, request: &str) -> String {
        let get = self.http.get(format!("{}/oauth/authorize?{request}", self.url));
        let answer = get.header(header::COOKIE, &self.cookie).send().await.expect("an answer");
        answer.text().await.expect("text")
    }

    /// Sends a form of that page; the status, and where it leads.
    pub(super) async fn submit(&self, fields: &[(&str, &str)]) -> (StatusCode, header::HeaderMap) {
        let post = self.http.post(format!("{}/oauth/authorize", self.url)).header(header::ORIGIN, &self.url);
        let post = post.header(header::CONTENT_TYPE, "application/x-www-form-urlencoded").body(form(fields));
        let answer = post.header(header::COOKIE, &self.cookie).send().await.expect("an answer");
        (answer.status(), answer.headers().clone())
    }
}

#[tokio::test]
async fn v10_7_2_the_page_says_who_asks_for_what_where_and_how_long() {
    let server = Server::start_with(&UNLIMITED).await;
    let owner = found(&server, "Analytical Engines", "ada@example.com").await;
    let client = application(&server, &owner, &["kpi.read", "company.read"]).await;
    let request = request(&client, "kpi.read");
    let browser = Browser::with(&server.url, "");
    let fields =
        [("action", "sign_in"), ("request", &request), ("email", "ada@example.com"), ("password", PASSWORD)];
    let (status, headers) = browser.submit(&fields).await;
    assert_eq!(status, StatusCode::SEE_OTHER);
    let cookie =
        headers[header::SET_COOKIE].to_str().expect("text").split(';').next().expect("a pair").to_owned();
    let page = Browser::with(&server.url, &cookie).open(&request).await;
    for told in ["Till &amp; Co", "https://till.example", "Analytical Engines", "ada@example.com", "90 days"]
    {
        assert!(page.contains(told), "{told}: {page}");
    }
    // What is asked for, in words, and nothing that is not.
    assert_eq!(page.matches("<li>").count(), 1, "{page}");
}
