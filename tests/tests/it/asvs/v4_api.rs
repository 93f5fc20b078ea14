//! OWASP ASVS 5.0.0, what chapters V4 and V14 ask of an API.

use futures_util::{SinkExt, StreamExt};
use reqwest::{Method, StatusCode, header};
use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::{Error, Message};

use super::{SIGN_IN, found};
use crate::server::{PASSWORD, Server};

/// Pages and endpoints that are there for who is not signed in.
const PATHS: [&str; 10] = [
    "graphql",
    "livez",
    "readyz",
    "confirm",
    "reset",
    "invitation",
    "rate/x",
    "files/x",
    "outbox",
    "nothing",
];

#[tokio::test]
async fn v4_1_1_every_answer_says_what_it_is() {
    let server = Server::start().await;
    for path in PATHS {
        let answer = server.http.get(format!("{}/{path}", server.url)).send().await.expect("an answer");
        let (status, headers) = (answer.status(), answer.headers().clone());
        let body = answer.bytes().await.expect("a body");
        assert!(!status.is_server_error(), "{path}: {status}");
        if body.is_empty() {
            continue;
        }
        let kind = headers[header::CONTENT_TYPE].to_str().expect("text").to_owned();
        assert_eq!(headers["x-content-type-options"], "nosniff", "{path}");
        if kind.starts_with("text/") {
            assert!(kind.to_lowercase().contains("charset=utf-8"), "{path}: {kind}");
        } else {
            let json = serde_json::from_slice::<Value>(&body).is_ok();
            assert!(kind.contains("json") && json, "{path}: {kind}");
        }
    }
}

async fn address_of_a_sign_in(server: &Server, forwarded: &str) -> String {
    found(server, "A", "ada@example.com").await;
    let body =
        json!({"query": SIGN_IN, "variables": {"input": {"email": "ada@example.com", "password": PASSWORD}}});
    let request = server.http.post(format!("{}/graphql", server.url)).header("x-forwarded-for", forwarded);
    let request = request.header("x-real-ip", "198.51.100.66").header("forwarded", "for=198.51.100.66");
    let answer: Value = request.json(&body).send().await.expect("an answer").json().await.expect("JSON");
    assert!(answer["data"]["signIn"]["session"].is_object(), "{answer:#}");
    let newest = "SELECT address FROM session ORDER BY id DESC LIMIT 1";
    sqlx::query_scalar(newest).fetch_one(&mut server.db.superuser().await).await.expect("an address")
}

#[tokio::test]
async fn v4_1_3_nobody_chooses_the_address_they_come_from() {
    let server = Server::start().await;
    assert_eq!(address_of_a_sign_in(&server, "203.0.113.9").await, "127.0.0.1", "there is no proxy");
    let server = Server::start_with(&["--behind-proxy", "true"]).await;
    let address = address_of_a_sign_in(&server, "198.51.100.66, 203.0.113.9").await;
    assert_eq!(address, "203.0.113.9", "what the proxy has added, and not what the client said before");
}

#[tokio::test]
async fn v4_1_4_methods_that_are_not_served_are_refused() {
    let server = Server::start().await;
    for path in PATHS {
        for method in [Method::DELETE, Method::PATCH, Method::TRACE, Method::PUT] {
            let answer = server.http.request(method.clone(), format!("{}/{path}", server.url)).send().await;
            let status = answer.expect("an answer").status();
            let refused = [StatusCode::METHOD_NOT_ALLOWED, StatusCode::NOT_FOUND];
            assert!(refused.contains(&status), "{method} {path}: {status}");
        }
    }
}

async fn socket_from(server: &Server, origin: &str, query: &str) -> Result<Vec<Value>, Error> {
    let url = format!("{}/graphql/ws{query}", server.url.replacen("http", "ws", 1));
    let mut request = url.into_client_request().expect("request");
    request.headers_mut().insert("sec-websocket-protocol", "graphql-transport-ws".parse().expect("header"));
    request.headers_mut().insert("origin", origin.parse().expect("header"));
    let (mut socket, _) = tokio_tungstenite::connect_async(request).await?;
    socket.send(Message::text(json!({"type": "connection_init", "payload": {}}).to_string())).await?;
    let ask = json!({"id": "1", "type": "subscribe", "payload": {"query": "{ company { name } }"}});
    socket.send(Message::text(ask.to_string())).await?;
    let mut told = Vec::new();
    for _ in 0..2 {
        match socket.next().await {
            Some(Ok(Message::Text(text))) => told.push(serde_json::from_str(&text).expect("JSON")),
            Some(Ok(Message::Close(frame))) => {
                told.push(json!({"type": "close", "code": frame.map(|f| u16::from(f.code))}));
                break;
            }
            _ => break,
        }
    }
    Ok(told)
}

#[tokio::test]
async fn v4_4_2_a_socket_opens_for_no_page_of_another_site() {
    let server = Server::start_with(&["--allowed-origins", "https://app.example.com"]).await;
    assert!(socket_from(&server, "https://app.example.com", "").await.is_ok());
    for origin in
        ["https://evil.example", "null", "https://app.example.com.evil.example", "http://app.example.com"]
    {
        let refused = socket_from(&server, origin, "").await;
        assert!(
            matches!(&refused, Err(Error::Http(answer)) if answer.status() == 403),
            "{origin}: {refused:?}"
        );
    }
}

#[tokio::test]
async fn v14_2_1_a_token_in_an_address_is_no_token() {
    let server = Server::start_with(&["--allowed-origins", "https://app.example.com"]).await;
    let token = found(&server, "A", "ada@example.com").await;
    for name in ["access_token", "token", "authorization", "api_key"] {
        let query = format!("?query=%7Bcompany%7Bname%7D%7D&{name}={token}");
        let url = format!("{}/graphql{query}", server.url);
        let answer: Value = server.http.get(url).send().await.expect("an answer").json().await.expect("JSON");
        assert!(!answer.to_string().contains("\"A\""), "{name}: {answer:#}");
        let told = socket_from(&server, "https://app.example.com", &format!("?{name}={token}")).await;
        let told = told.expect("a socket");
        assert!(!json!(told).to_string().contains("\"A\""), "{name}: {told:?}");
    }
}

#[tokio::test]
async fn v14_3_2_nothing_is_kept_by_browsers_and_no_page_tells_where_one_came_from() {
    let server = Server::start().await;
    for path in PATHS {
        let url = format!("{}/{path}?token=cp_{}", server.url, "a".repeat(43));
        let answer = server.http.get(url).send().await.expect("an answer");
        let headers = answer.headers();
        assert_eq!(headers[header::CACHE_CONTROL], "no-store", "{path}");
        assert_eq!(headers[header::REFERRER_POLICY], "no-referrer", "{path}");
    }
}
