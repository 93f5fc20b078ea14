//! OWASP ASVS 5.0.0, chapter V7: sessions.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use reqwest::{StatusCode, header};
use serde_json::{Value, json};

use super::{SIGN_IN, found, is_good, token_of, with_totp};
use crate::mailbox;
use crate::server::{PASSWORD, Server, UNLIMITED};
use crate::socket::Client;

#[tokio::test]
async fn v7_2_1_a_session_is_what_the_header_says_and_never_a_cookie() {
    let server = Server::start().await;
    let token = found(&server, "A", "ada@example.com").await;
    let body =
        json!({"query": SIGN_IN, "variables": {"input": {"email": "ada@example.com", "password": PASSWORD}}});
    let answer =
        server.http.post(format!("{}/graphql", server.url)).json(&body).send().await.expect("an answer");
    assert!(!answer.headers().contains_key(header::SET_COOKIE), "{:?}", answer.headers());
    for name in ["session", "token", "__Host-session", "authorization"] {
        let request =
            server.http.post(format!("{}/graphql", server.url)).header("cookie", format!("{name}={token}"));
        let answer = request.json(&json!({"query": "{ company { name } }"})).send().await.expect("an answer");
        let answer: Value = answer.json().await.expect("JSON");
        assert_eq!(answer["errors"][0]["extensions"]["code"], "UNAUTHENTICATED", "{name}: {answer:#}");
    }
}

#[tokio::test]
async fn v7_2_3_tokens_are_long_random_and_never_the_same() {
    let server = Server::start().await;
    found(&server, "A", "ada@example.com").await;
    let mut tokens = BTreeSet::new();
    for _ in 0..24 {
        let token = token_of(&server, "ada@example.com").await;
        let random = token.strip_prefix("cs_").expect("it says what it is");
        // 43 characters of at least 62 are 256 bits.
        assert!(
            random.len() >= 43 && random.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_".contains(&b))
        );
        tokens.insert(random.to_owned());
    }
    assert_eq!(tokens.len(), 24);
    // Nothing of a token stands still, and nothing of it counts.
    for place in 0..40 {
        let seen: BTreeSet<u8> = tokens.iter().map(|token| token.as_bytes()[place]).collect();
        assert!(seen.len() > 8, "place {place} takes {} values in 24 tokens", seen.len());
    }
    // What is kept is no token.
    let kept: Vec<String> = sqlx::query_scalar("SELECT encode(token_hash, 'escape') FROM session")
        .fetch_all(&mut server.db.superuser().await)
        .await
        .expect("rows");
    assert!(kept.iter().all(|kept| tokens.iter().all(|token| !kept.contains(token))));
}

#[tokio::test]
async fn v7_2_4_a_sign_in_makes_a_new_token_whatever_was_sent_with_it() {
    let server = Server::start().await;
    let first = found(&server, "A", "ada@example.com").await;
    let input = json!({"input": {"email": "ada@example.com", "password": PASSWORD}});
    // A token from before is not taken up (session fixation), neither a good one nor one of somebody's choice.
    let (_, again) = server.send(Some(&first), None, SIGN_IN, input.clone()).await;
    let second = again["data"]["signIn"]["session"]["token"].as_str().expect("a token").to_owned();
    assert_ne!(first, second);
    let chosen = format!("cs_{}", "a".repeat(43));
    let (status, refused) = server.send(Some(&chosen), None, SIGN_IN, input).await;
    assert!(status == StatusCode::UNAUTHORIZED && refused["data"].is_null(), "{refused:#}");
    assert!(!is_good(&server, &server.url, &chosen).await);
}

#[tokio::test]
async fn v7_2_4_a_factor_shown_in_a_session_makes_another_and_ends_it() {
    let server = Server::start_with(&UNLIMITED).await;
    found(&server, "A", "ada@example.com").await;
    let before = token_of(&server, "ada@example.com").await;
    let (_, after) = with_totp(&server, &before, PASSWORD).await;
    assert_ne!(before, after);
    assert!(!is_good(&server, &server.url, &before).await, "what was worth less is over");
    assert!(is_good(&server, &server.url, &after).await);
}

#[tokio::test]
async fn v7_3_2_changing_the_company_does_not_lengthen_a_session() {
    let server = Server::start().await;
    found(&server, "A", "ada@example.com").await;
    let token = token_of(&server, "ada@example.com").await;
    // Thirteen of its fourteen days are over.
    let sql = "UPDATE session SET created_at = created_at - interval '13 days', expires_at = expires_at - interval '13 days'";
    sqlx::query(sql).execute(&mut server.db.superuser().await).await.expect("older");
    let company = server.ask(&token, "{ company { id } }", json!({})).await["company"]["id"].clone();
    let switch = "mutation($id: ID!) { switchCompany(input: {companyId: $id}) { session { token } userErrors { message } } }";
    let data = server.ask(&token, switch, json!({"id": company})).await;
    let next = data["switchCompany"]["session"]["token"].as_str().unwrap_or_else(|| panic!("{data:#}"));
    let ends =
        "SELECT extract(epoch FROM max(expires_at) - now())::bigint FROM session WHERE revoked_at IS NULL";
    let seconds: i64 =
        sqlx::query_scalar(ends).fetch_one(&mut server.db.superuser().await).await.expect("a time");
    assert!(is_good(&server, &server.url, next).await);
    let hours = seconds / 3600;
    assert!(hours <= 24, "without showing anything anew, the session now lives {hours} hours longer");
}

#[tokio::test]
async fn v7_4_2_who_is_disabled_is_out_on_every_replica_within_a_second() {
    let server = Server::start_with(&UNLIMITED).await;
    found(&server, "A", "ada@example.com").await;
    let other = server.replica(&[&UNLIMITED[..], &["--workers", "false"]].concat());
    let token = token_of(&server, "ada@example.com").await;
    let key = "mutation { createApiKey(input: {name: \"K\", permissions: [\"kpi.read\"]}) { secret } }";
    let key = server.ask(&token, key, json!({})).await["createApiKey"]["secret"]
        .as_str()
        .expect("a key")
        .to_owned();
    let mut socket = Client::connect_to(&other.url, Some(&token)).await;
    assert_eq!(socket.next().await["type"], "connection_ack");
    socket.subscribe("1", json!({})).await;
    assert_eq!(socket.push().await["snapshot"], true);
    for good in [&token, &key] {
        assert!(is_good(&server, &server.url, good).await && is_good(&server, &other.url, good).await);
    }
    // What the operator does, beside the service.
    let sql = "UPDATE person SET disabled_at = now() WHERE email = 'ada@example.com'";
    sqlx::query(sql).execute(&mut server.db.superuser().await).await.expect("disabled");
    let since = Instant::now();
    for url in [&server.url, &other.url] {
        for dead in [&token, &key] {
            while is_good(&server, url, dead).await {
                assert!(since.elapsed() < Duration::from_secs(1), "{url}");
            }
        }
    }
    while socket.next().await["type"] != "close" {}
    assert!(since.elapsed() < Duration::from_secs(1), "the socket closed after {:?}", since.elapsed());
    let again = super::sign_in(&server, "ada@example.com", PASSWORD).await;
    assert_eq!(super::refusal(&again), "WRONG_CREDENTIALS", "told as an unknown one");
}

#[tokio::test]
async fn v7_4_5_who_manages_members_ends_the_sessions_of_one() {
    let server = Server::start_with(&UNLIMITED).await;
    let owner = found(&server, "A", "ada@example.com").await;
    let stranger = found(&server, "B", "bob@example.com").await;
    let first = mailbox::join(&server, &owner, "eve@example.com", "sales").await;
    let second = token_of(&server, "eve@example.com").await;
    let members = server.ask(&owner, "{ members { id email } }", json!({})).await["members"].clone();
    let eve = members.as_array().expect("members").iter().find(|member| member["email"] == "eve@example.com");
    let end =
        "mutation($id: ID!) { endMemberSessions(input: {memberId: $id}) { ended userErrors { code } } }";
    let id = json!({"id": eve.expect("Eve")["id"]});
    let (_, refused) = server.send(Some(&first), None, end, id.clone()).await;
    assert_eq!(refused["errors"][0]["extensions"]["code"], "FORBIDDEN", "{refused:#}");
    let unknown = server.ask(&stranger, end, id.clone()).await;
    assert_eq!(unknown["endMemberSessions"]["userErrors"][0]["code"], "NOT_FOUND", "{unknown:#}");
    assert!(is_good(&server, &server.url, &first).await);
    let done = server.ask(&owner, end, id).await;
    assert_eq!(done["endMemberSessions"]["userErrors"], json!([]));
    for dead in [&first, &second] {
        assert!(!is_good(&server, &server.url, dead).await);
    }
    assert!(is_good(&server, &server.url, &owner).await);
    assert!(
        is_good(&server, &server.url, &token_of(&server, "eve@example.com").await).await,
        "who may still sign in"
    );
}

#[tokio::test]
async fn v7_6_2_a_link_that_is_only_followed_opens_no_session_and_changes_nothing() {
    let server = Server::start().await;
    found(&server, "A", "ada@example.com").await;
    let count = "SELECT count(*) FROM session";
    let before: i64 =
        sqlx::query_scalar(count).fetch_one(&mut server.db.superuser().await).await.expect("a number");
    for path in ["confirm", "reset", "invitation", "sso/callback", "oauth/authorize"] {
        let url = format!("{}/{path}?token=cp_{}", server.url, "a".repeat(43));
        let answer = server.http.get(url).send().await.expect("an answer");
        assert!(!answer.headers().contains_key(header::SET_COOKIE), "{path}: {:?}", answer.headers());
        assert!(!answer.status().is_server_error(), "{path}: {}", answer.status());
    }
    let after: i64 =
        sqlx::query_scalar(count).fetch_one(&mut server.db.superuser().await).await.expect("a number");
    assert_eq!(before, after);
}
