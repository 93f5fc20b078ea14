//! What a browser brings that it should not.

use reqwest::StatusCode;
use serde_json::json;

use super::provider::{Browser, Provider};
use super::stage::{Stage, VERIFIER, code_of, handoff, options, page};

fn accounts() -> serde_json::Value {
    json!({ "nel": { "email": "nel@a.example", "email_verified": true } })
}

/// The query of a URL with one parameter replaced; without it when there is no value.
fn with(url: &str, name: &str, value: Option<&str>) -> String {
    let mut changed = url::Url::parse(url).expect("a URL");
    let kept: Vec<(String, String)> =
        changed.query_pairs().filter(|(n, _)| n != name).map(|(n, v)| (n.into(), v.into())).collect();
    changed.query_pairs_mut().clear().extend_pairs(kept).extend_pairs(value.map(|value| (name, value)));
    changed.into()
}

#[tokio::test]
async fn a_sign_in_is_bound_to_its_browser_and_good_once() {
    let stage = Stage::new("bound").await;
    let a = stage.company("a.example", &accounts()).await;
    let mut browser = Browser::new();
    let back = stage.sent_back(&mut browser, &a.path, "nel").await;
    // Another browser, which has begun nothing, or something else.
    page(Browser::new().get(&back).await, StatusCode::BAD_REQUEST).await;
    let mut other = Browser::new();
    stage.sent_back(&mut other, &a.path, "nel").await;
    page(other.get(&back).await, StatusCode::BAD_REQUEST).await;
    // A state that is not its own, or none.
    page(browser.get(&with(&back, "state", Some("x"))).await, StatusCode::BAD_REQUEST).await;
    page(browser.get(&with(&back, "state", None)).await, StatusCode::BAD_REQUEST).await;
    // None of them has spent what the right browser brings.
    let cookies = browser.cookies.clone();
    handoff(&browser.get(&back).await);
    assert!(!browser.cookies.keys().any(|(_, name)| name == "sso"), "the cookie is taken away");
    browser.cookies = cookies;
    page(browser.get(&back).await, StatusCode::BAD_REQUEST).await;
}

#[tokio::test]
async fn an_answer_of_another_provider_or_with_another_code_is_refused() {
    let stage = Stage::new("mixed").await;
    let a = stage.company("a.example", &accounts()).await;
    let b = stage.company("b.example", &accounts()).await;
    for (name, value) in
        [("iss", Some(b.provider.issuer.as_str())), ("iss", None), ("code", Some("guessed")), ("code", None)]
    {
        let mut browser = Browser::new();
        let back = stage.sent_back(&mut browser, &a.path, "nel").await;
        page(browser.get(&with(&back, name, value)).await, StatusCode::BAD_REQUEST).await;
        // It is spent: the right answer comes too late.
        page(browser.get(&back).await, StatusCode::BAD_REQUEST).await;
    }
    // The code of one flow in another of the same browser and provider: PKCE and nonce are the other's.
    let mut browser = Browser::new();
    let first = stage.sent_back(&mut browser, &a.path, "nel").await;
    let second = stage.sent_back(&mut browser, &a.path, "nel").await;
    let code = url::Url::parse(&first)
        .expect("a URL")
        .query_pairs()
        .find(|(n, _)| n == "code")
        .expect("a code")
        .1
        .into_owned();
    page(browser.get(&with(&second, "code", Some(&code))).await, StatusCode::BAD_REQUEST).await;
}

#[tokio::test]
async fn a_browser_is_sent_nowhere_else() {
    let stage = Stage::new("redirect").await;
    let a = stage.company("a.example", &accounts()).await;
    for elsewhere in [
        "//evil.example",
        "https://evil.example",
        "/%5Cevil.example",
        "%5C%5Cevil.example",
        "evil",
        "/%09/evil.example",
    ] {
        let url = stage.begin(&format!("{}?return_to={elsewhere}", a.path));
        let answer = Browser::new().get(&url).await;
        assert!(answer.headers().get("location").is_none(), "{elsewhere}");
        page(answer, StatusCode::BAD_REQUEST).await;
    }
    for unknown in ["google", "microsoft", "nothing", "sso_provider_01h455vb4pex5vsknk084sn02q"] {
        let answer = Browser::new().get(&format!("{}/sso/{unknown}", stage.server.url)).await;
        page(answer, StatusCode::NOT_FOUND).await;
    }
}

#[tokio::test]
async fn a_provider_that_does_not_answer_loses_nothing() {
    let stage = Stage::new("down").await;
    let a = stage.company("a.example", &accounts()).await;
    let mut browser = Browser::new();
    let back = stage.sent_back(&mut browser, &a.path, "nel").await;
    let mut again = options(&accounts());
    again["port"] = json!(a.provider.port());
    drop(a.provider);
    page(browser.get(&back).await, StatusCode::BAD_GATEWAY).await;
    let (status, _) = stage.server.send(Some(&a.token), None, "{ viewer { role { key } } }", json!({})).await;
    assert_eq!(status, StatusCode::OK, "everything else goes on");
    // It is back, and signs with another key.
    let _provider = Provider::start(&again).await;
    handoff(&stage.come(&mut browser, &a.path, "nel").await);
}

#[tokio::test]
async fn who_stops_at_the_provider_is_told_so() {
    let stage = Stage::new("stops").await;
    let a = stage.company("a.example", &accounts()).await;
    let answer = stage.come(&mut Browser::new(), &a.path, "nobody").await;
    let text = page(answer, StatusCode::OK).await;
    assert!(text.contains("Nothing has changed"), "{text}");
}

#[tokio::test]
async fn a_handoff_opens_a_session_for_the_program_alone_that_began_it() {
    let stage = Stage::new("handed").await;
    let a = stage.company("a.example", &accounts()).await;
    let came = stage.come(&mut Browser::new(), &a.path, "nel").await;
    let other = "another-program-another-verifier-of-forty-three";
    let input = json!({"code": handoff(&came), "verifier": other});
    let refused = stage.call(None, "redeemHandoff", input, "session { token }").await;
    assert_eq!(code_of(&refused), "PROOF_SPENT", "who has the link only");
    let input = json!({"code": handoff(&came), "verifier": VERIFIER});
    let spent = stage.call(None, "redeemHandoff", input, "session { token }").await;
    assert_eq!(code_of(&spent), "PROOF_SPENT", "and it is spent");
    let without = Browser::new().get(&format!("{}{}", stage.server.url, a.path)).await;
    page(without, StatusCode::BAD_REQUEST).await;
}
