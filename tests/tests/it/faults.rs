//! What the server answers when PostgreSQL or Redis is away, and that nothing acknowledged is lost.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use reqwest::StatusCode;
use serde_json::{Value, json};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;

use crate::server::Server;

/// A wire to PostgreSQL that can be cut.
struct Wire {
    port: u16,
    cut: Arc<AtomicBool>,
    ended: Arc<Notify>,
}

impl Wire {
    async fn to(host: String, port: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let own = listener.local_addr().expect("address").port();
        let (cut, ended) = (Arc::new(AtomicBool::new(false)), Arc::new(Notify::new()));
        let (is_cut, end) = (cut.clone(), ended.clone());
        tokio::spawn(async move {
            while let Ok((mut client, _)) = listener.accept().await {
                if is_cut.load(Ordering::SeqCst) {
                    continue;
                }
                let (host, end) = (host.clone(), end.clone());
                tokio::spawn(async move {
                    let mut server = TcpStream::connect((host.as_str(), port)).await.expect("PostgreSQL");
                    tokio::select! {
                        _ = tokio::io::copy_bidirectional(&mut client, &mut server) => {}
                        () = end.notified() => {}
                    }
                });
            }
        });
        Self { port: own, cut, ended }
    }

    fn cut(&self) {
        self.cut.store(true, Ordering::SeqCst);
        self.ended.notify_waiters();
    }

    fn mend(&self) {
        self.cut.store(false, Ordering::SeqCst);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn without_postgres_it_answers_503_and_recovers_by_itself() {
    let server = Server::start().await;
    let token = server.found("A", "ada@example.com").await;
    let url: url::Url = server.db.url("coulisse_server").parse().expect("URL");
    let wire = Wire::to(url.host_str().expect("host").to_owned(), url.port().expect("port")).await;
    let over = |role: &str| {
        let mut url: url::Url = server.db.url(role).parse().expect("URL");
        url.set_host(Some("127.0.0.1")).expect("host");
        url.set_port(Some(wire.port)).expect("port");
        url.to_string()
    };
    let replica = server.replica(&[
        "--database-url",
        &over("coulisse_server"),
        "--worker-database-url",
        &over("coulisse_worker"),
    ]);
    let post = || {
        let create =
            "mutation { createApiKey(input: {name: \"P\", permissions: [\"kpi.read\"]}) { apiKey { id } } }";
        let request = server.http.post(format!("{}/graphql", replica.url)).bearer_auth(&token);
        request.json(&json!({"query": create})).send()
    };
    assert_eq!(post().await.expect("an answer").status(), StatusCode::OK);
    let mut acknowledged = 1;
    for _ in 0..2 {
        wire.cut();
        for _ in 0..3 {
            let answer = post().await.expect("an answer");
            assert_eq!(answer.status(), StatusCode::SERVICE_UNAVAILABLE);
            assert_eq!(answer.headers()["retry-after"], "1");
            let body: Value = answer.json().await.expect("JSON");
            assert_eq!(body["errors"][0]["extensions"]["code"], "UNAVAILABLE", "{body:#}");
        }
        let ready = server.http.get(format!("{}/readyz", replica.url)).send().await.expect("an answer");
        assert_eq!(ready.status(), StatusCode::SERVICE_UNAVAILABLE);
        wire.mend();
        let began = std::time::Instant::now();
        while post().await.expect("an answer").status() != StatusCode::OK {
            assert!(began.elapsed().as_secs() < 15, "it does not recover");
        }
        acknowledged += 1;
    }
    let keys = server.ask(&token, "{ apiKeys { id } }", json!({})).await;
    assert_eq!(
        keys["apiKeys"].as_array().map(Vec::len),
        Some(acknowledged),
        "each acknowledged write is there, once"
    );
}

#[tokio::test]
async fn without_redis_it_serves_and_says_so() {
    let server = Server::start_with(&["--redis-url", "redis://127.0.0.1:1"]).await;
    let token = server.found("A", "ada@example.com").await;
    assert_eq!(server.ask(&token, "{ company { name } }", json!({})).await["company"]["name"], "A");
    let ready = server.http.get(format!("{}/readyz", server.url)).send().await.expect("an answer");
    assert_eq!(ready.status(), StatusCode::OK);
    let ready: Value = ready.json().await.expect("JSON");
    assert!(ready["redis"].as_str().is_some_and(|text| text.starts_with("away")), "{ready}");
}

#[tokio::test]
async fn a_fault_tells_nothing_of_the_inside() {
    let server = Server::start().await;
    let token = server.found("A", "ada@example.com").await;
    sqlx::raw_sql("REVOKE SELECT ON membership FROM coulisse_server")
        .execute(&mut server.db.superuser().await)
        .await
        .expect("revoked");
    let (status, answer) = server.send(Some(&token), None, "{ members { name } }", json!({})).await;
    let error = &answer["errors"][0];
    assert_eq!((status, &error["extensions"]["code"]), (StatusCode::OK, &json!("INTERNAL")));
    for inside in ["membership", "permission denied", "SELECT", "sqlx", ".rs", "42501"] {
        assert!(!answer.to_string().contains(inside), "{inside}: {answer}");
    }
}
