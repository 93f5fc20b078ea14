//! What people do by mail, through the doors that they use: the graph, the pages behind the letters' links, real letters.

use std::time::{Duration, Instant};

use reqwest::{Response, StatusCode};
use serde_json::{Value, json};
use testing::smtp::Peer;
use url::form_urlencoded;

use crate::mailbox::{accept, invite, join, letter, letters, nth_letter, token};
use crate::server::{PASSWORD, Server};

const NEW: &str = "quite another sentence to keep";

const CONFIRM: &str = "mutation($input: ConfirmEmailInput!) { confirmEmail(input: $input) { confirmed userErrors { code field message } } }";
const REQUEST: &str = "mutation($input: RequestPasswordResetInput!) { requestPasswordReset(input: $input) { accepted userErrors { code message } } }";
const RESET: &str = "mutation($input: ResetPasswordInput!) { resetPassword(input: $input) { reset userErrors { code field message } } }";
const SIGN_IN: &str = "mutation($input: SignInInput!) { signIn(input: $input) { session { token companyId } userErrors { code message } } }";

/// The answer of a mutation without errors at the top.
async fn call(server: &Server, session: Option<&str>, query: &str, input: Value) -> Value {
    let (status, answer) = server.send(session, None, query, json!({"input": input})).await;
    assert!(status == StatusCode::OK && answer["errors"].is_null(), "{answer:#}");
    let data = answer["data"].as_object().expect("data");
    data.values().next().expect("a field").clone()
}

/// Whether a password signs in.
async fn signs_in(server: &Server, email: &str, password: &str) -> bool {
    let came = call(server, None, SIGN_IN, json!({"email": email, "password": password})).await;
    came["session"]["token"].is_string()
}

async fn confirmed(server: &Server, email: &str) {
    let token = token(&letter(server, email, "confirm_address").await);
    let done = call(server, None, CONFIRM, json!({"token": token, "password": PASSWORD})).await;
    assert_eq!(done, json!({"confirmed": true, "userErrors": []}));
}

/// Asks for a reset; the token of the letter.
async fn asked_reset(server: &Server, email: &str) -> String {
    let known =
        letters(server, email).await.iter().filter(|letter| letter["kind"] == "reset_password").count();
    let asked = call(server, None, REQUEST, json!({"email": email})).await;
    assert_eq!(asked, json!({"accepted": true, "userErrors": []}));
    token(&nth_letter(server, email, "reset_password", known + 1).await)
}

async fn get(server: &Server, path: &str, language: &str) -> Response {
    let request = server.http.get(format!("{}{path}", server.url)).header("Accept-Language", language);
    request.send().await.expect("a page")
}

async fn post(server: &Server, path: &str, fields: &[(&str, &str)]) -> Response {
    let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
    let request = server.http.post(format!("{}{path}", server.url)).header("Accept-Language", "en");
    let request = request.header("Content-Type", "application/x-www-form-urlencoded").body(body);
    request.send().await.expect("a page")
}

/// The status and the words of a page, which keeps the rules of all of them.
async fn page(response: Response) -> (StatusCode, String) {
    let headers = response.headers().clone();
    let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let policy = header("content-security-policy");
    assert!(policy.starts_with("default-src 'none'") && !policy.contains("script-src"), "{policy}");
    assert!(policy.contains("form-action 'self'") && policy.contains("frame-ancestors 'none'"), "{policy}");
    assert_eq!((header("referrer-policy"), header("cache-control")), ("no-referrer", "no-store"));
    assert!(headers.get("set-cookie").is_none());
    let (status, html) = (response.status(), response.text().await.expect("HTML"));
    assert!(!html.contains("<script") && html.contains("<html lang=\""), "{html}");
    (status, html)
}

#[tokio::test]
async fn an_address_is_good_for_signing_in_once_its_mailbox_has_answered() {
    let server = Server::start().await;
    let session = server.found("A", "ada@example.com").await;
    assert!(!signs_in(&server, "ada@example.com", PASSWORD).await, "nobody has proved the address");
    let token = token(&letter(&server, "ada@example.com", "confirm_address").await);
    let alone = call(&server, None, CONFIRM, json!({ "token": token })).await;
    assert_eq!((&alone["confirmed"], &alone["userErrors"][0]["field"]), (&json!(false), &json!("password")));
    let done = call(&server, Some(&session), CONFIRM, json!({ "token": token })).await;
    assert_eq!(done, json!({"confirmed": true, "userErrors": []}));
    assert!(signs_in(&server, "ada@example.com", PASSWORD).await);
    let again = call(&server, Some(&session), CONFIRM, json!({ "token": token })).await;
    assert_eq!(again["userErrors"][0]["code"], "PROOF_SPENT");
    let more = "mutation { sendConfirmation { accepted userErrors { code } } }";
    let more = server.ask(&session, more, json!({})).await;
    assert_eq!(more["sendConfirmation"], json!({"accepted": true, "userErrors": []}));
}

#[tokio::test]
async fn who_signs_up_with_anothers_address_waits_for_the_others_click_in_vain() {
    let server = Server::start().await;
    let mallory = server.found_by("Trap", "ada@example.com", "the sentence of an attacker").await;
    let trap = token(&letter(&server, "ada@example.com", "confirm_address").await);
    // Ada follows the link: the page asks for a password that she does not know.
    let (status, _) =
        page(post(&server, "/confirm", &[("token", &trap), ("password", PASSWORD)]).await).await;
    assert_eq!(status, StatusCode::BAD_REQUEST);
    // She signs up herself: the answer is as for every address.
    let ada = server.found("A", "ada@example.com").await;
    let hers = token(&nth_letter(&server, "ada@example.com", "confirm_address", 2).await);
    let done = call(&server, Some(&ada), CONFIRM, json!({ "token": hers })).await;
    assert_eq!(done["confirmed"], true);
    // Whoever gets hold of the trap's link later has an account that never becomes hers.
    let late = call(&server, Some(&mallory), CONFIRM, json!({ "token": trap })).await;
    assert_eq!(late["userErrors"][0]["code"], "EMAIL_TAKEN");
    assert!(!signs_in(&server, "ada@example.com", "the sentence of an attacker").await);
    assert!(signs_in(&server, "ada@example.com", PASSWORD).await);
}

#[tokio::test]
async fn asking_for_a_reset_answers_the_same_for_every_address() {
    let server = Server::start().await;
    server.found("A", "ada@example.com").await;
    confirmed(&server, "ada@example.com").await;
    let mut answers = Vec::new();
    for email in ["ada@example.com", "nobody@example.com", "ada@example.com", "nobody@example.com"] {
        let variables = json!({"input": {"email": email}});
        let request = server.http.post(format!("{}/graphql", server.url));
        let response =
            request.json(&json!({"query": REQUEST, "variables": variables})).send().await.expect("an answer");
        let mut names: Vec<_> = response.headers().keys().map(ToString::to_string).collect();
        names.sort();
        let status = response.status();
        answers.push((status, names, response.json::<Value>().await.expect("JSON")["data"].clone()));
        let form = page(post(&server, "/reset", &[("email", email)]).await).await;
        assert_eq!(form.0, StatusCode::OK);
        assert!(!form.1.contains(email), "{}", form.1);
        answers.push((form.0, Vec::new(), json!(form.1)));
    }
    assert!(answers.chunks(2).all(|pair| pair == &answers[..2]), "{answers:#?}");
    // The mailboxes are told the truth; the one without an account once.
    letter(&server, "ada@example.com", "reset_password").await;
    letter(&server, "nobody@example.com", "no_account").await;
    tokio::time::sleep(Duration::from_secs(2)).await;
    assert_eq!(letters(&server, "nobody@example.com").await.len(), 1);
}

#[tokio::test]
async fn signing_up_with_an_address_that_has_an_account_is_told_to_its_mailbox_alone() {
    let server = Server::start().await;
    server.found("A", "ada@example.com").await;
    confirmed(&server, "ada@example.com").await;
    // The same answer as for a new address: a company and a session in it.
    let second = server.found_by("B", "ada@example.com", NEW).await;
    let told = letter(&server, "ada@example.com", "address_taken").await;
    assert!(told["link"].as_str().is_some_and(|link| link.ends_with("/reset")), "{told:#}");
    assert!(!signs_in(&server, "ada@example.com", NEW).await);
    let ask = "mutation { sendConfirmation { accepted userErrors { code } } }";
    let asked = server.ask(&second, ask, json!({})).await;
    assert_eq!(asked["sendConfirmation"], json!({"accepted": true, "userErrors": []}));
}

#[tokio::test]
async fn a_reset_sets_a_password_once_and_ends_every_session() {
    let server = Server::start().await;
    let session = server.found("A", "ada@example.com").await;
    confirmed(&server, "ada@example.com").await;
    let first = asked_reset(&server, "ada@example.com").await;
    let token = asked_reset(&server, "ada@example.com").await;
    let old = call(&server, None, RESET, json!({"token": first, "newPassword": NEW})).await;
    let unknown = call(&server, None, RESET, json!({"token": "cp_nothing", "newPassword": NEW})).await;
    assert_eq!(old, unknown, "a replaced one and an unknown one");
    let short = call(&server, None, RESET, json!({"token": token, "newPassword": "short"})).await;
    assert_eq!(short["userErrors"][0]["field"], "newPassword");
    let done = call(&server, None, RESET, json!({"token": token, "newPassword": NEW})).await;
    assert_eq!(done, json!({"reset": true, "userErrors": []}));
    let again = call(&server, None, RESET, json!({"token": token, "newPassword": NEW})).await;
    assert_eq!(again, unknown, "a used one");
    let (status, _) = server.send(Some(&session), None, "{ viewer { actor { id } } }", json!({})).await;
    assert_eq!(status, StatusCode::UNAUTHORIZED);
    assert!(!signs_in(&server, "ada@example.com", PASSWORD).await);
    assert!(signs_in(&server, "ada@example.com", NEW).await);
    letter(&server, "ada@example.com", "password_changed").await;
}

#[tokio::test]
async fn the_pages_do_by_forms_what_their_links_promise() {
    let server = Server::start().await;
    server.found("A", "ada@example.com").await;
    // Confirming. Programs that look into letters follow links: looking changes nothing.
    let link = token(&letter(&server, "ada@example.com", "confirm_address").await);
    for language in ["fr", "en"] {
        let (status, html) = page(get(&server, &format!("/confirm?token={link}"), language).await).await;
        assert!(status == StatusCode::OK && html.contains(&link), "{html}");
        assert!(html.contains(&format!("<html lang=\"{language}\">")) && html.contains("<label>"), "{html}");
    }
    assert!(!signs_in(&server, "ada@example.com", PASSWORD).await);
    let wrong = page(post(&server, "/confirm", &[("token", &link), ("password", NEW)]).await).await;
    assert!(wrong.0 == StatusCode::BAD_REQUEST && wrong.1.contains("role=\"alert\""), "{}", wrong.1);
    let done = page(post(&server, "/confirm", &[("token", &link), ("password", PASSWORD)]).await).await;
    assert_eq!(done.0, StatusCode::OK, "{}", done.1);
    assert!(signs_in(&server, "ada@example.com", PASSWORD).await);
    // Resetting: the page without a token asks for the address.
    let (_, html) = page(get(&server, "/reset", "en").await).await;
    assert!(html.contains("type=\"email\""), "{html}");
    page(post(&server, "/reset", &[("email", "ada@example.com")]).await).await;
    let link = token(&letter(&server, "ada@example.com", "reset_password").await);
    let (_, html) = page(get(&server, &format!("/reset?token={link}"), "fr").await).await;
    assert!(html.contains("autocomplete=\"new-password\"") && html.contains(&link), "{html}");
    let short = page(post(&server, "/reset", &[("token", &link), ("password", "short")]).await).await;
    assert_eq!(short.0, StatusCode::BAD_REQUEST);
    let done = page(post(&server, "/reset", &[("token", &link), ("password", NEW)]).await).await;
    assert_eq!(done.0, StatusCode::OK, "{}", done.1);
    assert!(signs_in(&server, "ada@example.com", NEW).await);
    // Nothing of what is sent gets out of its place in the page.
    let hostile = "/confirm?token=%22%3E%3Cscript%3Ealert(1)%3C/script%3E";
    let (_, html) = page(get(&server, hostile, "en").await).await;
    assert!(html.contains("value=\"&quot;&gt;&lt;script&gt;"), "{html}");
}

#[tokio::test]
async fn links_that_are_not_good_are_told_alike() {
    let server = Server::start().await;
    let session = server.found("A", "ada@example.com").await;
    let confirm = token(&letter(&server, "ada@example.com", "confirm_address").await);
    let invitation = invite(&server, &session, "bob@example.com", "sales").await;
    let mut told = Vec::new();
    // Unknown, another purpose's, empty.
    for bad in ["cp_nothing", &invitation, ""] {
        let answer = call(&server, None, CONFIRM, json!({"token": bad, "password": PASSWORD})).await;
        told.push(answer["userErrors"].clone());
    }
    for bad in ["cp_nothing", &confirm, ""] {
        let answer = accept(&server, Some(&session), json!({ "token": bad })).await;
        told.push(answer["userErrors"].clone());
        let answer = call(&server, None, RESET, json!({"token": bad, "newPassword": NEW})).await;
        told.push(answer["userErrors"].clone());
    }
    confirmed(&server, "ada@example.com").await;
    let used = call(&server, None, CONFIRM, json!({"token": confirm, "password": PASSWORD})).await;
    told.push(used["userErrors"].clone());
    assert!(told.iter().all(|one| *one == told[0]) && told[0][0]["code"] == "PROOF_SPENT", "{told:#?}");
    let mut pages = Vec::new();
    for bad in ["cp_nothing", &confirm] {
        pages.push(page(get(&server, &format!("/invitation?token={bad}"), "en").await).await);
        pages.push(page(post(&server, "/invitation", &[("token", bad), ("password", PASSWORD)]).await).await);
    }
    assert!(pages.iter().all(|one| *one == pages[0]) && pages[0].0 == StatusCode::BAD_REQUEST, "{pages:#?}");
}

#[tokio::test]
async fn people_join_by_the_letter_and_the_page() {
    let server = Server::start().await;
    let owner = server.found("Dupont", "ada@example.com").await;
    confirmed(&server, "ada@example.com").await;
    // A new address.
    let link = invite(&server, &owner, "bob@example.com", "sales").await;
    let (status, html) = page(get(&server, &format!("/invitation?token={link}"), "en").await).await;
    assert!(status == StatusCode::OK && html.contains("Dupont") && html.contains("name=\"name\""), "{html}");
    let fields = [("token", link.as_str()), ("name", "Bob"), ("password", PASSWORD)];
    let (status, html) = page(post(&server, "/invitation", &fields).await).await;
    assert_eq!(status, StatusCode::OK, "{html}");
    assert!(signs_in(&server, "bob@example.com", PASSWORD).await, "the letter has proved the address");
    // An address with an account: the graph asks to sign in, the page for the password.
    let other = server.found("Other", "cyd@example.com").await;
    confirmed(&server, "cyd@example.com").await;
    let link = invite(&server, &owner, "cyd@example.com", "accountant").await;
    let new = json!({"token": link, "name": "Cyd", "password": NEW});
    assert_eq!(accept(&server, None, new).await["userErrors"][0]["code"], "SIGN_IN_FIRST");
    let (_, html) = page(get(&server, &format!("/invitation?token={link}"), "fr").await).await;
    assert!(!html.contains("name=\"name\"") && html.contains("autocomplete=\"current-password\""), "{html}");
    let wrong = page(post(&server, "/invitation", &[("token", &link), ("password", NEW)]).await).await;
    assert_eq!(wrong.0, StatusCode::BAD_REQUEST);
    let joined = accept(&server, Some(&other), json!({ "token": link })).await;
    let there = joined["session"]["token"].as_str().unwrap_or_else(|| panic!("{joined:#}"));
    let named = server.ask(there, "{ company { name } }", json!({})).await;
    assert_eq!(named["company"]["name"], "Dupont");
    let members = server.ask(&owner, "{ members { email } invitations { email } }", json!({})).await;
    assert_eq!(members["members"].as_array().map(Vec::len), Some(3), "{members:#}");
    assert_eq!(members["invitations"], json!([]));
}

#[tokio::test]
async fn invitations_are_listed_sent_again_and_revoked() {
    let server = Server::start().await;
    let owner = server.found("A", "ada@example.com").await;
    let first = invite(&server, &owner, "bob@example.com", "sales").await;
    let list = "{ invitations { id email role { key } state version expiresAt } }";
    let listed = server.ask(&owner, list, json!({})).await["invitations"][0].clone();
    assert_eq!((&listed["email"], &listed["role"]["key"]), (&json!("bob@example.com"), &json!("sales")));
    assert_eq!((&listed["state"], &listed["version"]), (&json!("OPEN"), &json!(1)));
    let again = "mutation($input: ResendInvitationInput!) { resendInvitation(input: $input) { invitation { version } userErrors { code } } }";
    let input = json!({"invitationId": listed["id"], "expectedVersion": 1});
    let sent = call(&server, Some(&owner), again, input.clone()).await;
    assert_eq!(sent, json!({"invitation": {"version": 2}, "userErrors": []}));
    let conflict = call(&server, Some(&owner), again, input).await;
    assert_eq!(conflict["userErrors"][0]["code"], "CONFLICT");
    let second = token(&nth_letter(&server, "bob@example.com", "invitation", 2).await);
    let new = |token: &str| json!({"token": token, "name": "Bob", "password": PASSWORD});
    assert_eq!(accept(&server, None, new(&first)).await["userErrors"][0]["code"], "PROOF_SPENT");
    let revoke = "mutation($input: RevokeInvitationInput!) { revokeInvitation(input: $input) { invitation { state } userErrors { code } } }";
    let input = json!({"invitationId": listed["id"], "expectedVersion": 2});
    let revoked = call(&server, Some(&owner), revoke, input).await;
    assert_eq!(revoked, json!({"invitation": {"state": "REVOKED"}, "userErrors": []}));
    assert_eq!(accept(&server, None, new(&second)).await["userErrors"][0]["code"], "PROOF_SPENT");
    let sales = join(&server, &owner, "cyd@example.com", "sales").await;
    let invites = "mutation { inviteMember(input: {email: \"x@example.com\", role: \"sales\"}) { userErrors { code } } }";
    let (_, denied) = server.send(Some(&sales), None, invites, json!({})).await;
    assert_eq!(denied["errors"][0]["extensions"]["code"], "FORBIDDEN");
}

#[tokio::test]
async fn a_test_twins_letters_never_leave() {
    let server = Server::start().await;
    let owner = server.found("A", "ada@example.com").await;
    let found = "mutation { createTestTwin(input: {}) { twin { id } userErrors { message } } }";
    let twin = server.ask(&owner, found, json!({})).await["createTestTwin"]["twin"]["id"].clone();
    let switch = "mutation($input: SwitchCompanyInput!) { switchCompany(input: $input) { session { token } userErrors { message } } }";
    let there = call(&server, Some(&owner), switch, json!({"companyId": twin})).await;
    let there = there["session"]["token"].as_str().unwrap_or_else(|| panic!("{there:#}")).to_owned();
    let invites = "mutation { inviteMember(input: {email: \"bob@example.com\", role: \"sales\"}) { userErrors { code } } }";
    let made = server.ask(&there, invites, json!({})).await;
    assert_eq!(made["inviteMember"]["userErrors"], json!([]));
    let kept = letter(&server, "bob@example.com", "invitation").await;
    tokio::time::sleep(Duration::from_secs(2)).await;
    let kept = letters(&server, "bob@example.com").await.into_iter().find(|one| one["id"] == kept["id"]);
    let kept = kept.expect("kept");
    assert_eq!((&kept["withheld"], &kept["sentAt"]), (&json!(true), &Value::Null));
}

/// The messages that arrive at an SMTP server within a while.
fn arrive(peer: &Peer, n: usize) -> Vec<Value> {
    let (began, mut all) = (Instant::now(), Vec::new());
    while all.len() < n && began.elapsed() < Duration::from_secs(20) {
        all.extend(peer.messages());
    }
    assert_eq!(all.len(), n, "{all:#?}");
    all
}

#[tokio::test(flavor = "multi_thread")]
async fn letters_go_out_by_smtp_once_and_their_links_work() {
    let peer = Peer::plain(env!("CARGO_TARGET_TMPDIR"));
    let url = format!("smtp://127.0.0.1:{}", peer.port);
    let public = ["--public-url", "https://books.example/", "--mail-from", "Coulisse <post@books.example>"];
    let server = Server::start_with(&[&["--smtp-url", &url][..], &public].concat()).await;
    // Another replica has workers too.
    let _other = server.replica(&[&["--smtp-url", &url][..], &public].concat());
    let owner = server.found("Dupont & Fils", "ada@example.com").await;
    let invites = "mutation { inviteMember(input: {email: \"bob@example.com\", role: \"sales\"}) { userErrors { code } } }";
    server.ask(&owner, invites, json!({})).await;
    let messages = arrive(&peer, 2);
    let to = |address: &str| {
        let message = messages.iter().find(|message| message["envelope"]["to"][0] == address);
        message.unwrap_or_else(|| panic!("{messages:#?}"))
    };
    let (confirm, invitation) = (to("ada@example.com"), to("bob@example.com"));
    assert_eq!(invitation["subject"], "Invitation à rejoindre Dupont & Fils");
    let text = confirm["text"].as_str().expect("text");
    let (_, rest) = text.split_once("https://books.example/confirm?token=").expect("a link");
    let token = rest.split_whitespace().next().expect("a token");
    let done = call(&server, None, CONFIRM, json!({"token": token, "password": PASSWORD})).await;
    assert_eq!(done["confirmed"], true);
    // Nothing comes twice, and what was sent can be read nowhere.
    tokio::time::sleep(Duration::from_secs(2)).await;
    assert!(peer.messages().is_empty());
    for path in ["/outbox", "/outbox.json"] {
        assert_eq!(get(&server, path, "en").await.status(), StatusCode::NOT_FOUND, "{path}");
    }
    let mut all = server.db.superuser().await;
    let left: i64 =
        sqlx::query_scalar("SELECT count(*) FROM mail WHERE sent_at IS NULL OR letter IS NOT NULL")
            .fetch_one(&mut all)
            .await
            .expect("count");
    assert_eq!(left, 0);
}

#[tokio::test]
async fn without_a_post_letters_wait_and_nobody_reads_them() {
    let server = Server::start_with(&["--outbox", "false"]).await;
    server.found("A", "ada@example.com").await;
    let began = Instant::now();
    let mut all = server.db.superuser().await;
    loop {
        let waiting: i64 =
            sqlx::query_scalar("SELECT count(*) FROM mail WHERE sent_at IS NULL AND letter IS NOT NULL")
                .fetch_one(&mut all)
                .await
                .expect("count");
        if waiting == 1 {
            break;
        }
        assert!(began.elapsed() < Duration::from_secs(15), "no letter waits");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    assert_eq!(get(&server, "/outbox.json", "en").await.status(), StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn the_outbox_is_shown_to_people_too_and_nothing_in_it_runs() {
    let server = Server::start().await;
    let owner = server.found("<script>alert(1)</script>", "ada@example.com").await;
    invite(&server, &owner, "bob@example.com", "sales").await;
    let response = get(&server, "/outbox", "en").await;
    let policy = response.headers()["content-security-policy"].to_str().expect("text").to_owned();
    assert!(policy.starts_with("default-src 'none'") && !policy.contains("script"), "{policy}");
    let html = response.text().await.expect("HTML");
    assert!(
        html.contains("bob@example.com") && html.contains("&lt;script&gt;") && !html.contains("<script"),
        "{html}"
    );
}
