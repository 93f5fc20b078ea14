//! What is refused.

use std::time::Duration;

use chrono::TimeDelta;
use federation::{Answer, Error, Flow, Issuer, Limits, RelyingParty, Told};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use crate::flow::{BACK, limits, now, options, party, query, registration, sign_in};
use crate::provider::{Browser, Provider};

/// A flow with one of its secrets replaced.
fn with(flow: &Flow, field: &str, value: &str) -> Flow {
    let mut json = serde_json::to_value(flow).expect("JSON");
    json[field] = json!(value);
    serde_json::from_value(json).expect("a flow")
}

#[tokio::test]
async fn an_answer_to_another_request_is_refused() {
    let provider = Provider::start(&options()).await;
    let (party, registration) = (party(), registration(&provider, "coulisse"));
    let (url, flow) = party.begin(&registration, None).await.expect("begun");
    let back = Browser::new().sign_in(&url, "ada").await;
    let answer = || Answer::parse(query(&back)).expect("an answer");
    let state = party.finish(&registration, with(&flow, "state", "other"), answer(), now()).await;
    assert!(matches!(state, Err(Error::Callback(_))), "{state:?}");
    let none = party.finish(&registration, flow.clone(), Answer::parse("code=x").expect("one"), now()).await;
    assert!(matches!(none, Err(Error::Callback(_))), "{none:?}");
    // The code is still good: nothing was spent on who could not show the state.
    party.finish(&registration, flow.clone(), answer(), now()).await.expect("the right one");
    let again = party.finish(&registration, flow, answer(), now()).await;
    assert!(
        matches!(&again, Err(Error::Provider { code, .. }) if code == "invalid_grant"),
        "a code is good once: {again:?}"
    );
}

#[tokio::test]
async fn a_code_is_worth_nothing_without_what_began_the_flow() {
    let provider = Provider::start(&options()).await;
    let (party, registration) = (party(), registration(&provider, "coulisse"));
    for (field, expected) in [("verifier", "invalid_grant"), ("nonce", "nonce")] {
        let (url, flow) = party.begin(&registration, None).await.expect("begun");
        let back = Browser::new().sign_in(&url, "ada").await;
        let other = "a".repeat(43);
        let answer = Answer::parse(query(&back)).expect("an answer");
        let error = party
            .finish(&registration, with(&flow, field, &other), answer, now())
            .await
            .expect_err("refused");
        assert!(error.to_string().contains(expected), "{field}: {error}");
        assert_eq!(error.told(), Told::Refused);
    }
}

#[tokio::test]
async fn another_place_to_come_back_to_is_refused_by_the_provider() {
    let provider = Provider::start(&options()).await;
    let (party, mut registration) = (party(), registration(&provider, "coulisse"));
    let (url, flow) = party.begin(&registration, None).await.expect("begun");
    let back = Browser::new().sign_in(&url, "ada").await;
    let answer = Answer::parse(query(&back)).expect("an answer");
    BACK.clone_into(&mut registration.redirect_uri);
    registration.redirect_uri.push('/');
    let error = party.finish(&registration, flow, answer, now()).await.expect_err("refused");
    assert!(matches!(&error, Error::Provider { code, .. } if code == "invalid_grant"), "{error}");
}

#[tokio::test]
async fn an_answer_of_another_provider_is_not_taken() {
    let (honest, other) = (Provider::start(&options()).await, Provider::start(&options()).await);
    let party = party();
    let registration = registration(&honest, "coulisse");
    let (url, flow) = party.begin(&registration, None).await.expect("begun");
    let back = Browser::new().sign_in(&url, "ada").await;
    let honest_iss = url::form_urlencoded::byte_serialize(honest.issuer.as_bytes()).collect::<String>();
    let other_iss = url::form_urlencoded::byte_serialize(other.issuer.as_bytes()).collect::<String>();
    let mixed = query(&back).replace(&honest_iss, &other_iss);
    let error = party
        .finish(&registration, flow.clone(), Answer::parse(&mixed).expect("one"), now())
        .await
        .expect_err("mixed up");
    assert!(matches!(error, Error::MixedUp { .. }), "{error}");
    // The provider announces that it names itself: an answer that does not is none of its own.
    let silent = query(&back).replace(&format!("iss={honest_iss}"), "");
    let error = party
        .finish(&registration, flow, Answer::parse(&silent).expect("one"), now())
        .await
        .expect_err("silent");
    assert!(matches!(error, Error::Callback(_)), "{error}");
}

#[tokio::test]
async fn a_token_signed_with_the_shared_secret_is_refused() {
    let provider = Provider::start(&options()).await;
    let error = sign_in(&party(), &registration(&provider, "shared-key"), "ada").await.expect_err("refused");
    assert!(matches!(error, Error::Token(_)), "{error}");
}

#[tokio::test]
async fn a_token_is_good_for_a_while() {
    let provider = Provider::start(&options()).await;
    let (party, registration) = (party(), registration(&provider, "coulisse"));
    for away in [TimeDelta::hours(2), TimeDelta::minutes(-5)] {
        let (url, flow) = party.begin(&registration, None).await.expect("begun");
        let back = Browser::new().sign_in(&url, "ada").await;
        let answer = Answer::parse(query(&back)).expect("an answer");
        let error = party.finish(&registration, flow, answer, now() + away).await.expect_err("refused");
        assert!(matches!(error, Error::Token(_)), "{away}: {error}");
    }
}

#[tokio::test]
async fn who_stops_at_the_provider_has_only_cancelled() {
    let provider = Provider::start(&options()).await;
    let error = sign_in(&party(), &registration(&provider, "coulisse"), "nobody").await.expect_err("nobody");
    assert_eq!(error.told(), Told::Cancelled, "{error}");
}

#[tokio::test]
async fn a_provider_speaks_for_itself_to_the_letter() {
    let mut options = options();
    options["host"] = json!("localhost");
    let provider = Provider::start(&options).await;
    let by_another_name = format!("http://127.0.0.1:{}", provider.port());
    let issuer = Issuer::parse(&by_another_name, true).expect("an issuer");
    let error = party().discover(&issuer).await.expect_err("another name");
    assert!(matches!(&error, Error::OtherIssuer { found, .. } if *found == provider.issuer), "{error}");
}

#[tokio::test]
async fn this_machine_is_not_reached_unless_that_is_allowed() {
    let provider = Provider::start(&options()).await;
    for host in ["127.0.0.1", "localhost"] {
        let url = format!("https://{host}:{}", provider.port());
        let issuer = Issuer::parse(&url, false).expect("an issuer");
        let guarded = RelyingParty::new(Limits::default()).expect("a client");
        let error = guarded.discover(&issuer).await.expect_err("forbidden");
        assert!(matches!(error, Error::Forbidden { .. }), "{host}: {error}");
    }
    // Allowing it does not allow the neighbours.
    let issuer = Issuer::parse("https://169.254.169.254", true).expect("an issuer");
    let error = party().discover(&issuer).await.expect_err("forbidden");
    assert!(matches!(error, Error::Forbidden { .. }), "{error}");
}

/// A server that answers everything with the same bytes, and tells what it was asked.
async fn answering(bytes: impl Into<Vec<u8>>) -> String {
    let (listener, bytes) = (TcpListener::bind("127.0.0.1:0").await.expect("a port"), bytes.into());
    let address = listener.local_addr().expect("an address");
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut asked = [0; 4096];
            let _read = stream.read(&mut asked).await;
            let _gone = stream.write_all(&bytes).await;
        }
    });
    format!("http://{address}")
}

async fn refused(bytes: impl Into<Vec<u8>>) -> Error {
    let issuer = Issuer::parse(&answering(bytes).await, true).expect("an issuer");
    let limits = Limits { total: Duration::from_secs(2), ..limits() };
    let error = RelyingParty::new(limits).expect("a client").discover(&issuer).await.expect_err("refused");
    assert_eq!(error.told(), Told::Unavailable, "{error}");
    error
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let elsewhere = answering("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}").await;
    let error =
        refused(format!("HTTP/1.1 302 Found\r\nlocation: {elsewhere}\r\ncontent-length: 0\r\n\r\n")).await;
    assert!(error.to_string().contains("302"), "{error}");
}

#[tokio::test]
async fn a_long_answer_is_not_read() {
    let mut answer = b"HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n".to_vec();
    answer.resize(1024 * 1024, b' ');
    let error = refused(answer).await;
    assert!(error.to_string().contains("longer than"), "{error}");
}

#[tokio::test]
async fn a_slow_answer_is_given_up() {
    let error = refused("HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{").await;
    assert!(matches!(error, Error::Unreachable { .. }), "{error}");
}

#[tokio::test]
async fn a_document_that_points_elsewhere_than_https_is_of_no_use() {
    let document: Value = json!({
        "issuer": "x", "authorization_endpoint": "http://a.example/auth", "token_endpoint": "https://a.example/token",
        "jwks_uri": "https://a.example/jwks", "id_token_signing_alg_values_supported": ["RS256"],
    });
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let issuer = format!("http://{}", listener.local_addr().expect("an address"));
    let mut document = document;
    document["issuer"] = json!(issuer);
    let body = document.to_string();
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.expect("a request");
        let mut asked = [0; 4096];
        let _read = stream.read(&mut asked).await;
        let answer = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{body}", body.len());
        stream.write_all(answer.as_bytes()).await.expect("written");
    });
    let issuer = Issuer::parse(&issuer, true).expect("an issuer");
    let error = party().discover(&issuer).await.expect_err("of no use");
    assert!(error.to_string().contains("http://a.example/auth is not https"), "{error}");
}
