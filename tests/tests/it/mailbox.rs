//! A mailbox for every address: what the server would have sent, read in its outbox.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::server::{PASSWORD, Server};

/// The letters to an address so far, newest first.
pub(crate) async fn letters(server: &Server, to: &str) -> Vec<Value> {
    let mut url: url::Url = format!("{}/outbox.json", server.url).parse().expect("a URL");
    url.query_pairs_mut().append_pair("to", to);
    let answer = server.http.get(url).send().await.expect("an answer");
    assert!(answer.status().is_success(), "start the server with --outbox true: {answer:?}");
    answer.json::<Vec<Value>>().await.expect("letters")
}

/// The newest letter of a kind to an address; it is waited for, as people do.
pub(crate) async fn letter(server: &Server, to: &str, kind: &str) -> Value {
    nth_letter(server, to, kind, 1).await
}

/// The newest of at least `n` letters of a kind to an address.
pub(crate) async fn nth_letter(server: &Server, to: &str, kind: &str, n: usize) -> Value {
    let began = Instant::now();
    loop {
        let letters = letters(server, to).await;
        let of_kind: Vec<_> = letters.iter().filter(|letter| letter["kind"] == kind).collect();
        if of_kind.len() >= n {
            return of_kind[0].clone();
        }
        assert!(began.elapsed() < Duration::from_secs(15), "no {n} letters {kind} to {to}: {letters:#?}");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

/// The token in a letter's link.
pub(crate) fn token(letter: &Value) -> String {
    let link = letter["link"].as_str().unwrap_or_else(|| panic!("no link: {letter:#}"));
    let link: url::Url = link.parse().expect("a link");
    let token = link.query_pairs().find(|(name, _)| name == "token").map(|(_, token)| token.into_owned());
    token.expect("a token")
}

const INVITE: &str = "mutation($input: InviteMemberInput!) { inviteMember(input: $input) { invitation { id version } userErrors { code message } } }";
const ACCEPT: &str = "mutation($input: AcceptInvitationInput!) { acceptInvitation(input: $input) {
    session { token companyId personId } userErrors { code field message } } }";

/// Invites an address to a role; the token of the letter.
pub(crate) async fn invite(server: &Server, owner: &str, email: &str, role: &str) -> String {
    let known = letters(server, email).await.iter().filter(|letter| letter["kind"] == "invitation").count();
    let made = server.ask(owner, INVITE, json!({"input": {"email": email, "role": role}})).await;
    assert_eq!(made["inviteMember"]["userErrors"], json!([]), "{made:#}");
    token(&nth_letter(server, email, "invitation", known + 1).await)
}

/// What accepting an invitation answers.
pub(crate) async fn accept(server: &Server, session: Option<&str>, input: Value) -> Value {
    let (_, answer) = server.send(session, None, ACCEPT, json!({"input": input})).await;
    assert!(answer["errors"].is_null(), "{answer:#}");
    answer["data"]["acceptInvitation"].clone()
}

/// Joins a company with a new account; its session token there.
pub(crate) async fn join(server: &Server, owner: &str, email: &str, role: &str) -> String {
    let token = invite(server, owner, email, role).await;
    let joined = accept(server, None, json!({"token": token, "name": "Own", "password": PASSWORD})).await;
    joined["session"]["token"].as_str().unwrap_or_else(|| panic!("{joined:#}")).to_owned()
}

/// Joins a company as somebody who is signed in elsewhere; the session token there.
pub(crate) async fn join_as(server: &Server, owner: &str, session: &str, email: &str, role: &str) -> String {
    let token = invite(server, owner, email, role).await;
    let joined = accept(server, Some(session), json!({ "token": token })).await;
    joined["session"]["token"].as_str().unwrap_or_else(|| panic!("{joined:#}")).to_owned()
}
