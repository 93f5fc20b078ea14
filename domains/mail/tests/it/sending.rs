//! Letters on their way, to a server that we have not written.

use chrono::{DateTime, TimeDelta, Utc};
use mail::outbox::service::{Kept, newest};
use mail::post::{Post, Smtp, SmtpOptions, deliver};
use mail::{Content, Letter};
use serde_json::json;
use testing::TestDb;
use testing::smtp::Peer;

use crate::certificate::Certificate;

const FOLDER: &str = env!("CARGO_TARGET_TMPDIR");
const FROM: &str = "Coulisse <post@books.example>";

fn post(url: &str) -> Post {
    Post::Smtp(Box::new(Smtp::new(SmtpOptions { url, from: FROM, ca: None }).expect("settings")))
}

fn over(peer: &Peer) -> Post {
    post(&format!("smtp://127.0.0.1:{}", peer.port))
}

fn secured(peer: &Peer, scheme: &str, who: &str, ca: Option<&str>) -> Post {
    let url = format!("{scheme}://{who}localhost:{}?tls=required", peer.port);
    let options = SmtpOptions { url: &url, from: FROM, ca: ca.map(str::as_bytes) };
    Post::Smtp(Box::new(Smtp::new(options).expect("settings")))
}

async fn write_to(test: &TestDb, to: &str) {
    let content = Content::Invitation {
        company: "Société Générale d'Été".into(),
        inviter: "Ada".into(),
        role: "Sales".into(),
        link: "https://books.example/invitation?token=ct_0123456789".into(),
    };
    mail::put(&test.db, &test.vault, &test.clock, &Letter::new(to, "fr", content)).await.expect("put");
}

async fn send(test: &TestDb, post: &Post) -> usize {
    deliver(&test.db, &test.vault, &test.clock, post).await.expect("delivered")
}

async fn only(test: &TestDb) -> Kept {
    let mut kept = newest(&test.db, &test.vault, 10).await.expect("outbox");
    assert_eq!(kept.len(), 1);
    kept.remove(0)
}

fn pass(test: &TestDb, minutes: i64) -> DateTime<Utc> {
    let now = test.clock.now() + TimeDelta::minutes(minutes);
    test.clock.set(now);
    now
}

#[tokio::test]
async fn a_letter_arrives_once_and_whole() {
    let (test, peer) = (TestDb::new().await, Peer::plain(FOLDER));
    write_to(&test, "bob@example.com").await;
    assert_eq!(send(&test, &over(&peer)).await, 1);
    for _ in 0..3 {
        pass(&test, 60);
        assert_eq!(send(&test, &over(&peer)).await, 0);
    }
    let messages = peer.messages();
    assert_eq!(messages.len(), 1, "{messages:#?}");
    let message = &messages[0];
    assert_eq!(message["envelope"], json!({"from": "post@books.example", "to": ["bob@example.com"]}));
    assert_eq!(message["from"], json!([{"address": "post@books.example", "name": "Coulisse"}]));
    assert_eq!(message["to"], json!([{"address": "bob@example.com", "name": ""}]));
    assert_eq!(message["subject"], "Invitation à rejoindre Société Générale d'Été");
    assert_eq!(message["date"], "2026-06-15T10:00:00.000Z");
    assert_eq!(message["hello"], "books.example");
    let id = message["messageId"].as_str().expect("an id");
    assert!(id.starts_with('<') && id.ends_with("@books.example>"), "{id}");
    let headers = message["headers"].as_object().expect("headers");
    for header in
        ["from", "to", "subject", "date", "message-id", "mime-version", "content-type", "auto-submitted"]
    {
        assert!(headers.contains_key(header), "{header}: {headers:#?}");
    }
    assert_eq!(headers.len(), 8, "{headers:#?}");
    assert!(headers["content-type"].as_str().is_some_and(|header| header.contains("multipart/alternative")));
    assert_eq!(message["attachments"], 0);
    let link = "https://books.example/invitation?token=ct_0123456789";
    for part in ["text", "html"] {
        let words = message[part].as_str().expect(part);
        assert!(words.contains(link) && words.contains("Société Générale"), "{words}");
    }
    let raw = message["raw"].as_str().expect("raw");
    assert!(raw.is_ascii() && raw.lines().all(|line| line.len() <= 998), "{raw}");
    let kept = only(&test).await;
    assert!(kept.sent_at.is_some() && kept.letter.is_none(), "what was sent is erased: {kept:?}");
}

#[tokio::test]
async fn two_workers_send_nothing_twice() {
    let (test, peer) = (TestDb::new().await, Peer::plain(FOLDER));
    for n in 0..20 {
        write_to(&test, &format!("p{n}@example.com")).await;
    }
    let (one, other) = (over(&peer), over(&peer));
    let (mut left, mut right) = (1, 1);
    while left + right > 0 {
        (left, right) = tokio::join!(send(&test, &one), send(&test, &other));
    }
    let mut to: Vec<_> =
        peer.messages().iter().map(|message| message["envelope"]["to"][0].to_string()).collect();
    to.sort();
    to.dedup();
    assert_eq!(to.len(), 20);
    assert!(peer.messages().is_empty());
}

#[tokio::test]
async fn what_is_refused_for_now_is_tried_again_later_and_later() {
    let (test, peer) = (TestDb::new().await, Peer::plain(FOLDER));
    write_to(&test, "later.2@example.com").await;
    let post = over(&peer);
    assert_eq!(send(&test, &post).await, 1);
    assert_eq!(send(&test, &post).await, 0, "not at once");
    assert!(only(&test).await.last_error.is_some_and(|why| why.contains("4.7.1")));
    pass(&test, 1);
    assert_eq!(send(&test, &post).await, 1);
    pass(&test, 1);
    assert_eq!(send(&test, &post).await, 0, "two minutes after the second");
    pass(&test, 1);
    assert_eq!(send(&test, &post).await, 1);
    let kept = only(&test).await;
    assert!(kept.sent_at.is_some() && kept.attempts == 3 && kept.last_error.is_none(), "{kept:?}");
    assert_eq!(peer.messages().len(), 1);
}

#[tokio::test]
async fn what_is_refused_for_good_is_given_up_with_its_reason() {
    let (test, peer) = (TestDb::new().await, Peer::plain(FOLDER));
    write_to(&test, "never@example.com").await;
    assert_eq!(send(&test, &over(&peer)).await, 1);
    pass(&test, 24 * 60);
    assert_eq!(send(&test, &over(&peer)).await, 0);
    let kept = only(&test).await;
    assert!(kept.given_up_at.is_some() && kept.sent_at.is_none() && kept.letter.is_none(), "{kept:?}");
    let why = kept.last_error.expect("a reason");
    assert!(why.contains("5.1.1") && !why.contains("never@example.com"), "{why}");
    write_to(&test, "no address at all").await;
    send(&test, &over(&peer)).await;
    let kept = newest(&test.db, &test.vault, 1).await.expect("outbox").remove(0);
    assert!(kept.given_up_at.is_some(), "{kept:?}");
}

#[tokio::test]
async fn a_server_that_is_down_loses_nothing() {
    let test = TestDb::new().await;
    let peer = Peer::plain(FOLDER);
    let (port, sender) = (peer.port, over(&peer));
    drop(peer);
    write_to(&test, "bob@example.com").await;
    for _ in 0..6 {
        send(&test, &sender).await;
        pass(&test, 5);
    }
    let kept = only(&test).await;
    assert!(kept.attempts >= 3 && kept.given_up_at.is_none() && kept.letter.is_some(), "{kept:?}");
    let peer = Peer::start(FOLDER, &json!({"tls": "none", "port": port}));
    assert_eq!(send(&test, &sender).await, 1);
    assert_eq!(peer.messages().len(), 1);
    assert!(only(&test).await.sent_at.is_some());
}

#[tokio::test]
async fn who_dies_while_sending_loses_the_letter_to_the_next() {
    let (test, peer) = (TestDb::new().await, Peer::plain(FOLDER));
    write_to(&test, "bob@example.com").await;
    // A server that takes connections and says nothing; the worker is given up while it waits.
    let silent = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let mute = post(&format!("smtp://{}", silent.local_addr().expect("address")));
    let died = tokio::time::timeout(std::time::Duration::from_millis(700), send(&test, &mute)).await;
    assert!(died.is_err(), "it waits for an answer");
    assert_eq!(send(&test, &over(&peer)).await, 0, "the claim holds");
    pass(&test, 3);
    assert_eq!(send(&test, &over(&peer)).await, 1, "and ends by itself");
    assert_eq!(peer.messages().len(), 1);
}

#[tokio::test]
async fn a_letter_whose_link_is_dead_is_not_sent() {
    let (test, peer) = (TestDb::new().await, Peer::plain(FOLDER));
    let content = Content::ResetPassword { link: "https://books.example/r".into() };
    mail::put(&test.db, &test.vault, &test.clock, &Letter::new("ada@example.com", "en", content))
        .await
        .expect("put");
    pass(&test, 31);
    send(&test, &over(&peer)).await;
    assert!(peer.messages().is_empty());
    assert!(only(&test).await.given_up_at.is_some());
}

#[tokio::test]
async fn without_the_encryption_that_is_asked_for_nothing_is_said() {
    let (test, peer) = (TestDb::new().await, Peer::plain(FOLDER));
    write_to(&test, "bob@example.com").await;
    send(&test, &secured(&peer, "smtp", "u:secret@", None)).await;
    let told = peer.told();
    assert!(told.is_empty(), "neither a password nor a letter: {told:#?}");
    let kept = only(&test).await;
    assert!(kept.letter.is_some() && kept.given_up_at.is_none(), "{kept:?}");
    assert!(kept.last_error.is_some_and(|why| why.contains("STARTTLS")), "the reason is kept");
}

#[tokio::test]
async fn encrypted_letters_go_to_a_server_whose_certificate_is_trusted() {
    for (tls, scheme) in [("starttls", "smtp"), ("wrapped", "smtps")] {
        let (test, certificate) = (TestDb::new().await, Certificate::new());
        let mut options = certificate.options(tls);
        options["user"] = json!("u@books");
        options["password"] = json!("p:ss/wörd");
        let peer = Peer::start(FOLDER, &options);
        write_to(&test, "bob@example.com").await;
        let who = "u%40books:p%3Ass%2Fw%C3%B6rd@";
        send(&test, &secured(&peer, scheme, who, None)).await;
        let told = peer.told();
        assert!(told.iter().all(|event| event["event"] == "error"), "{tls}: not trusted: {told:#?}");
        pass(&test, 1);
        assert_eq!(send(&test, &secured(&peer, scheme, who, Some(&certificate.pem))).await, 1);
        let told = peer.told();
        assert!(told.contains(&json!({"event": "auth", "good": true, "secure": true})), "{told:#?}");
        let message = told.iter().find(|event| event["event"] == "message").expect("a message");
        assert_eq!(message["secure"], true);
    }
}

#[tokio::test]
async fn a_wrong_password_of_ours_costs_no_letter() {
    let (test, certificate) = (TestDb::new().await, Certificate::new());
    let mut options = certificate.options("starttls");
    options["user"] = json!("u");
    options["password"] = json!("right");
    let peer = Peer::start(FOLDER, &options);
    write_to(&test, "bob@example.com").await;
    send(&test, &secured(&peer, "smtp", "u:wrong@", Some(&certificate.pem))).await;
    let kept = only(&test).await;
    assert!(kept.given_up_at.is_none() && kept.letter.is_some(), "{kept:?}");
    pass(&test, 1);
    send(&test, &secured(&peer, "smtp", "u:right@", Some(&certificate.pem))).await;
    assert_eq!(peer.messages().len(), 1);
}
