//! The pages on which people sign in and consent, under attack.

use reqwest::StatusCode;
use serde_json::json;

use super::{Browser, World};

#[tokio::test]
async fn rfc_9700_nobody_is_sent_to_an_address_that_is_not_registered() {
    let world = World::new().await;
    let mut browser = Browser::new(&world.server);
    let unknown = "application_01h455vb4pex5vsknk084sn02q";
    for changes in [
        [("redirect_uri", "https://till.example/cb/")],
        [("redirect_uri", "https://till.example/c")],
        [("redirect_uri", "https://till.example/cb#x")],
        [("redirect_uri", "https://till.example.evil.example/cb")],
        [("redirect_uri", "https://till.example/cb?x=1")],
        [("redirect_uri", "http://till.example/cb")],
        [("redirect_uri", "")],
        [("client_id", unknown)],
        [("client_id", "till")],
    ] {
        let page = browser.open(&world.request(&changes)).await;
        assert_eq!((page.status, page.location()), (StatusCode::BAD_REQUEST, None), "{changes:?}");
        assert!(!page.html.contains("evil"), "{changes:?}");
    }
    let twice = format!("{}&redirect_uri=https%3A%2F%2Fevil.example", world.request(&[]));
    assert_eq!(browser.open(&twice).await.location(), None);
}

#[tokio::test]
async fn rfc_9700_what_is_wrong_otherwise_is_told_to_the_application() {
    let world = World::new().await;
    let mut browser = Browser::new(&world.server);
    for (changes, code) in [
        ([("code_challenge", "")], "invalid_request"),
        ([("code_challenge_method", "plain")], "invalid_request"),
        ([("code_challenge_method", "")], "invalid_request"),
        ([("response_type", "token")], "unsupported_response_type"),
        ([("scope", "kpi.read ledger.read")], "invalid_scope"),
        ([("scope", "members.manage")], "invalid_scope"),
        ([("scope", "nothing")], "invalid_scope"),
    ] {
        let page = browser.open(&world.request(&changes)).await;
        assert_eq!(page.status, StatusCode::SEE_OTHER, "{changes:?}");
        assert!(page.location().is_some_and(|location| location.starts_with("https://till.example/cb?")));
        let told = ["error", "state", "iss"].map(|name| page.told(name).unwrap_or_default());
        assert_eq!(told, [code, "s", world.server.url.as_str()], "{changes:?}");
    }
}

#[tokio::test]
async fn the_pages_are_framed_by_nobody_and_write_what_others_wrote_as_text() {
    let world = World::new().await;
    let mut browser = Browser::new(&world.server);
    let query = world.request(&[("state", "\"><script>alert(1)</script>")]);
    let sign_in = browser.open(&query).await;
    let consent = browser.sign_in(&query, "ada@example.com").await;
    for page in [&sign_in, &consent] {
        assert_eq!(page.status, StatusCode::OK);
        assert!(!page.html.contains("<script"), "{}", page.html);
        assert!(page.html.contains("Till &lt;&amp;&gt; Co"), "{}", page.html);
        assert_eq!(page.headers["x-frame-options"], "DENY");
        assert_eq!(page.headers["cache-control"], "no-store");
        let policy = page.headers["content-security-policy"].to_str().expect("text");
        assert!(
            policy.contains("default-src 'none'") && policy.contains("frame-ancestors 'none'"),
            "{policy}"
        );
        assert!(!page.headers.contains_key("access-control-allow-origin"));
    }
    let policy = consent.headers["content-security-policy"].to_str().expect("text");
    assert!(policy.ends_with("form-action 'self' https://till.example"), "{policy}");
    assert!(consent.html.contains("ada@example.com"));
}

fn borrowed<'a>(fields: &'a [(&'static str, String); 4]) -> [(&'static str, &'a str); 4] {
    fields.each_ref().map(|(name, value)| (*name, value.as_str()))
}

#[tokio::test]
async fn a_page_of_another_site_consents_to_nothing() {
    let world = World::new().await;
    let (mut browser, mut other) = (Browser::new(&world.server), Browser::new(&world.server));
    let query = world.request(&[]);
    let page = browser.sign_in(&query, "ada@example.com").await;
    let (form, company) = (page.field("form"), page.field("company"));
    let approve = |form: &str| {
        [("action", "approve"), ("request", &query), ("form", form), ("company", &company)]
            .map(|(name, value)| (name, value.to_owned()))
    };
    // From elsewhere, or from nowhere.
    for origin in [None, Some("https://evil.example"), Some("null"), Some("")] {
        let page = browser.submit_from(origin, &borrowed(&approve(&form))).await;
        assert_eq!((page.status, page.location()), (StatusCode::FORBIDDEN, None), "{origin:?}");
    }
    // With no token, a made-up one, another session's, or that of another request.
    let others = other.sign_in(&query, "ada@example.com").await.field("form");
    let another = browser.open(&world.request(&[("state", "t")])).await.field("form");
    for wrong in ["", "00", &"0".repeat(64), &others, &another] {
        let page = browser.submit(&borrowed(&approve(wrong))).await;
        assert_eq!((page.status, page.location()), (StatusCode::FORBIDDEN, None), "{wrong}");
    }
    // GET changes nothing, whatever it says.
    let get = browser.open(&format!("{query}&action=approve&form={form}&company={company}")).await;
    assert_eq!((get.status, get.location()), (StatusCode::OK, None));
    let grants = "{ viewer { grants { id } } }";
    let given = world.server.ask(&world.owner, grants, json!({})).await;
    assert_eq!(given["viewer"]["grants"], json!([]));
    let yes = browser.submit(&borrowed(&approve(&form))).await;
    assert!(yes.told("code").is_some());
}

#[tokio::test]
async fn who_says_no_or_is_somebody_else_grants_nothing() {
    let world = World::new().await;
    let mut browser = Browser::new(&world.server);
    let query = world.request(&[]);
    let page = browser.sign_in(&query, "ada@example.com").await;
    let form = page.field("form");
    let no = browser.submit(&[("action", "deny"), ("request", &query), ("form", &form)]).await;
    assert_eq!(no.told("error").as_deref(), Some("access_denied"));
    assert!(no.told("code").is_none() && no.told("state").as_deref() == Some("s"));
    let out = browser.submit(&[("action", "sign_out"), ("request", &query), ("form", &form)]).await;
    assert_eq!(out.status, StatusCode::SEE_OTHER);
    let again = browser.open(&query).await;
    assert!(again.html.contains("name=\"password\""), "{}", again.html);
    let wrong = [
        ("action", "sign_in"),
        ("request", query.as_str()),
        ("email", "ada@example.com"),
        ("password", "wrong"),
    ];
    let wrong = browser.submit(&wrong).await;
    assert!(wrong.status == StatusCode::UNPROCESSABLE_ENTITY && wrong.html.contains("role=\"alert\""));
}
