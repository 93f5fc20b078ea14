//! The endpoints for programs, and how tokens end.

use std::time::{Duration, Instant};

use reqwest::StatusCode;
use reqwest::header::ORIGIN;
use serde_json::{Value, json};

use super::{Browser, World, base64url, form, text};
use crate::server::{PASSWORD, UNLIMITED};

#[tokio::test]
async fn the_token_endpoint_reads_forms_alone_and_tells_refusals_as_rfc_6749_does() {
    let world = World::new().await;
    let (status, told) =
        world.token(&[("grant_type", "password"), ("username", "ada"), ("password", PASSWORD)]).await;
    assert_eq!((status, &told["error"]), (StatusCode::BAD_REQUEST, &json!("unsupported_grant_type")));
    let (status, told) = world.redeem("oc_unknown").await;
    assert_eq!((status, &told["error"]), (StatusCode::BAD_REQUEST, &json!("invalid_grant")));
    let (status, told) = world.token(&[("grant_type", "client_credentials")]).await;
    assert_eq!((status, &told["error"]), (StatusCode::BAD_REQUEST, &json!("unauthorized_client")));
    let endpoint = format!("{}/oauth/token", world.server.url);
    let http = &world.server.http;
    let good = form(&[
        ("grant_type", "client_credentials"),
        ("client_id", &world.client),
        ("client_secret", &world.secret),
    ]);
    let of_form = |request: reqwest::RequestBuilder| {
        request.header("content-type", "application/x-www-form-urlencoded")
    };
    for (what, request) in [
        ("JSON", http.post(&endpoint).json(&json!({"grant_type": "client_credentials"}))),
        ("text", http.post(&endpoint).header("content-type", "text/plain").body(good.clone())),
        ("no type", http.post(&endpoint).body(good.clone())),
        ("an address", of_form(http.post(format!("{endpoint}?{good}"))).body(good.clone())),
        ("too much", of_form(http.post(&endpoint)).body(format!("{good}&x={}", "x".repeat(17_000)))),
        ("twice", of_form(http.post(&endpoint)).body(format!("{good}&{good}"))),
    ] {
        let response = request.send().await.expect("an answer");
        assert_eq!(response.status(), StatusCode::BAD_REQUEST, "{what}");
        let told: Value = response.json().await.expect("JSON");
        assert_eq!(told["error"], "invalid_request", "{what}");
    }
    assert_eq!(http.get(&endpoint).send().await.expect("an answer").status(), StatusCode::METHOD_NOT_ALLOWED);
    let wrong = http.post(&endpoint).basic_auth(&world.client, Some("co_wrong"));
    let wrong = of_form(wrong).body("grant_type=client_credentials").send().await.expect("an answer");
    assert_eq!(wrong.status(), StatusCode::UNAUTHORIZED);
    assert!(wrong.headers()["www-authenticate"].to_str().expect("text").starts_with("Basic"));
    let unknown = of_form(http.post(&endpoint).basic_auth("application_x", Some("co_wrong")));
    let unknown = unknown.body("grant_type=client_credentials").send().await.expect("an answer");
    assert_eq!(unknown.status(), StatusCode::UNAUTHORIZED);
    let (wrong, unknown) = (wrong.text().await.expect("text"), unknown.text().await.expect("text"));
    assert_eq!(wrong, unknown, "an unknown application and a wrong secret are told alike");
    // Programs in browsers, without credentials of the browser.
    let cors = of_form(http.post(&endpoint)).header(ORIGIN, "https://app.example").body(good);
    let cors = cors.send().await.expect("an answer");
    assert_eq!(cors.headers()["access-control-allow-origin"], "*");
    assert!(!cors.headers().contains_key("access-control-allow-credentials"));
}

#[tokio::test]
async fn a_forged_token_is_nobodys_and_a_sessions_cookie_opens_nothing_else() {
    let world = World::new().await;
    let mut browser = Browser::new(&world.server);
    let tokens = world.tokens(&mut browser).await;
    let access = text(&tokens["access_token"]);
    let url = &world.server.url;
    assert_eq!(world.status(url, &access).await, StatusCode::OK);
    let parts: Vec<&str> = access.split('.').collect();
    for alg in ["none", "HS256"] {
        let header = base64url(json!({"alg": alg, "typ": "at+jwt"}).to_string().as_bytes());
        for forged in [format!("{header}.{}.", parts[1]), format!("{header}.{}.{}", parts[1], parts[2])] {
            assert_eq!(world.status(url, &forged).await, StatusCode::UNAUTHORIZED, "{alg}");
        }
    }
    assert_eq!(world.status(url, &text(&tokens["refresh_token"])).await, StatusCode::UNAUTHORIZED);
    let cookie =
        world.server.http.post(format!("{url}/graphql")).header("cookie", browser.cookies.join("; "));
    let answer: Value = cookie
        .json(&json!({"query": "{ viewer { actor { id } } }"}))
        .send()
        .await
        .expect("an answer")
        .json()
        .await
        .expect("JSON");
    assert_eq!(answer["errors"][0]["extensions"]["code"], "UNAUTHENTICATED", "{answer}");
}

#[tokio::test]
async fn a_grant_ends_on_every_replica_within_a_second() {
    let world = World::new().await;
    let there = world
        .server
        .replica(&[&UNLIMITED[..], &["--workers", "false", "--public-url", &world.server.url]].concat());
    let mut browser = Browser::new(&world.server);
    for how in ["revokeGrant", "refresh reuse"] {
        let tokens = world.tokens(&mut browser).await;
        let access = text(&tokens["access_token"]);
        assert_eq!(world.status(&there.url, &access).await, StatusCode::OK, "{how}");
        if how == "revokeGrant" {
            let grants = world
                .server
                .ask(&world.owner, "{ applicationGrants { id applicationName person { name } } }", json!({}))
                .await;
            let grant = &grants["applicationGrants"][0];
            assert_eq!(
                (&grant["applicationName"], &grant["person"]["name"]),
                (&json!("Till <&> Co"), &json!("Ada"))
            );
            let revoke = "mutation($id: ID!) { revokeGrant(input: {grantId: $id}) { grant { revokedAt } userErrors { code } } }";
            world.server.ask(&world.owner, revoke, json!({"id": grant["id"]})).await;
        } else {
            let refresh = text(&tokens["refresh_token"]);
            let renew = [("grant_type", "refresh_token"), ("refresh_token", refresh.as_str())];
            assert_eq!(world.token(&renew).await.0, StatusCode::OK);
            assert_eq!(world.token(&renew).await.1["error"], "invalid_grant");
        }
        let since = Instant::now();
        while world.status(&there.url, &access).await != StatusCode::UNAUTHORIZED {
            assert!(since.elapsed() < Duration::from_secs(1), "{how}");
        }
    }
    let tokens = world.tokens(&mut browser).await;
    let archive = "mutation($id: ID!) { archiveApplication(input: {applicationId: $id}) { application { archivedAt } userErrors { code } } }";
    world.server.ask(&world.owner, archive, json!({"id": world.client})).await;
    let since = Instant::now();
    while world.status(&there.url, &text(&tokens["access_token"])).await != StatusCode::UNAUTHORIZED {
        assert!(since.elapsed() < Duration::from_secs(1), "archiveApplication");
    }
    assert_eq!(browser.open(&world.request(&[])).await.status, StatusCode::BAD_REQUEST);
}
