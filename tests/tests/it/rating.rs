//! A customer rates an invoice by its signed link, once, without an account.

use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::house::settle;
use crate::server::Server;
use crate::socket::Client;

/// The path of the rating link of an invoice; null for one that is not issued.
async fn link(server: &Server, token: &str, invoice: &Value) -> Option<String> {
    let query = "query($id: ID!) { invoice(id: $id) { ratingUrl } }";
    let data = server.ask(token, query, json!({"id": invoice})).await;
    let url = data["invoice"]["ratingUrl"].as_str()?;
    Some(url[url.find("/rate/").expect("a path")..].to_owned())
}

async fn given(server: &Server, token: &str, invoice: &str) -> Value {
    let query = "query($id: ID!) { invoice(id: $id) { satisfaction { score comment } } }";
    server.ask(token, query, json!({"id": invoice})).await["invoice"]["satisfaction"].clone()
}

/// Opens the page as a browser does, without any session.
async fn open(server: &Server, path: &str) -> (StatusCode, String) {
    let response = server.http.get(format!("{}{path}", server.url)).send().await.expect("an answer");
    assert!(response.headers()["content-type"].to_str().expect("text").starts_with("text/html"));
    assert_eq!(response.headers()["referrer-policy"], "no-referrer", "the link is told to no other site");
    (response.status(), response.text().await.expect("a page"))
}

/// Sends the form as a browser does.
async fn rate(server: &Server, path: &str, form: &'static str) -> StatusCode {
    let request = server.http.post(format!("{}{path}", server.url));
    let request = request.header("content-type", "application/x-www-form-urlencoded").body(form);
    request.send().await.expect("an answer").status()
}

#[tokio::test]
async fn a_customer_rates_once_and_the_figure_shows_it() {
    let server = Server::start().await;
    let a = settle(&server, "A", "ada@example.com").await;
    let invoice = &a.ids["invoice"];
    let mut figures = Client::follow(&server, &a.token).await;
    figures.until("satisfaction_mean", |value| value["records"] == 0).await;

    let path = link(&server, &a.token, &json!(invoice)).await.expect("an issued invoice has a link");
    let (status, page) = open(&server, &path).await;
    assert_eq!(status, StatusCode::OK);
    assert!(page.contains("<form method=\"post\">") && page.contains("lang=\"fr\""), "{page}");
    for bad in ["score=0", "score=6"] {
        assert_eq!(rate(&server, &path, bad).await, StatusCode::BAD_REQUEST, "{bad}");
    }
    assert_eq!(given(&server, &a.token, invoice).await, Value::Null);

    assert_eq!(rate(&server, &path, "score=4&comment=Tr%C3%A8s+bien").await, StatusCode::OK);
    assert_eq!(rate(&server, &path, "score=1&comment=").await, StatusCode::CONFLICT);
    let satisfaction = json!({"score": 4, "comment": "Très bien"});
    assert_eq!(given(&server, &a.token, invoice).await, satisfaction, "the first rating stands");
    figures.until("satisfaction_mean", |value| value["records"] == 1 && value["number"] == "4").await;

    let told = "query($id: ID!) { invoice(id: $id) { activity(first: 1) { edges { node { kind actor { kind id } } } } } }";
    let data = server.ask(&a.token, told, json!({"id": invoice})).await;
    let latest = &data["invoice"]["activity"]["edges"][0]["node"];
    assert_eq!(latest["actor"], json!({"kind": "CUSTOMER", "id": invoice}), "{latest:#}");
}

#[tokio::test]
async fn a_forged_link_opens_nothing_and_a_draft_has_none() {
    let server = Server::start().await;
    let a = settle(&server, "A", "ada@example.com").await;
    let path = link(&server, &a.token, &json!(a.ids["invoice"])).await.expect("a link");
    let token = path.strip_prefix("/rate/").expect("a token");
    for at in [0, token.len() / 2, token.len() - 5] {
        let other = if token.as_bytes()[at] == b'A' { "B" } else { "A" };
        let mut forged = token.to_owned();
        forged.replace_range(at..=at, other);
        let path = format!("/rate/{forged}");
        assert_eq!(open(&server, &path).await.0, StatusCode::FORBIDDEN, "character {at}");
        assert_eq!(rate(&server, &path, "score=5").await, StatusCode::FORBIDDEN, "character {at}");
    }
    assert_eq!(given(&server, &a.token, &a.ids["invoice"]).await, Value::Null);

    let drafts = "{ invoices(first: 1, filter: {states: [DRAFT]}) { edges { node { id } } } }";
    let data = server.ask(&a.token, drafts, json!({})).await;
    let draft = &data["invoices"]["edges"][0]["node"]["id"];
    assert!(draft.is_string());
    assert_eq!(link(&server, &a.token, draft).await, None);
}
