//! Second factors over the API, with independent applications and authenticators on the client's side.

use serde_json::{Value, json};
use testing::authenticator::Device;

use crate::house::now;
use crate::mailbox;
use crate::server::{PASSWORD, Server, UNLIMITED};

const ORIGIN: &str = "https://back.office.example";
const EMAIL: &str = "ada@example.com";
/// Eight characters that nobody leaked.
const SHORT: &str = "vK9#tqZw";

/// A server that people reach under a name.
async fn server() -> Server {
    Server::start_with(&[&["--public-url", ORIGIN][..], &UNLIMITED[..]].concat()).await
}

/// Signs up, and proves the address; the session's token.
async fn found(server: &Server) -> String {
    let token = server.found("A", EMAIL).await;
    let letter = mailbox::letter(server, EMAIL, "confirm_address").await;
    let input = json!({"token": mailbox::token(&letter)});
    let done = call(server, Some(&token), "confirmEmail", input, "confirmed").await;
    assert_eq!(done["confirmed"], true, "{done:#}");
    token
}

/// Calls a mutation, as who has the token or as nobody; its payload.
async fn call(server: &Server, token: Option<&str>, name: &str, input: Value, selection: &str) -> Value {
    let capital: String = name[..1].to_uppercase() + &name[1..];
    let query = format!(
        "mutation($input: {capital}Input!) {{ {name}(input: $input) {{ {selection} userErrors {{ code field message }} }} }}"
    );
    let (_, answer) = server.send(token, None, &query, json!({"input": input})).await;
    assert!(answer["errors"].is_null(), "{name}: {answer:#}");
    answer["data"][name].clone()
}

fn code_of(payload: &Value) -> &str {
    payload["userErrors"][0]["code"].as_str().unwrap_or("done")
}

fn proof() -> Value {
    json!({"currentPassword": PASSWORD})
}

/// What an authenticator application shows so many steps from now.
fn shown(secret: &str, steps: i64) -> String {
    let secret = totp_rs::Secret::try_from_base32(secret).expect("base 32");
    let application = totp_rs::Builder::new().with_secret(secret).build().expect("its options");
    application.generate(u64::try_from(now() + 30 * steps).expect("after 1970")).to_string()
}

/// Adds an application; its secret, and the session that goes on. The step of now is used.
async fn with_totp(server: &Server, token: &str) -> (String, String) {
    let begun = call(server, Some(token), "beginTotp", json!({"proof": proof()}), "secret uri").await;
    let secret = begun["secret"].as_str().unwrap_or_else(|| panic!("{begun:#}")).to_owned();
    let input = json!({"code": shown(&secret, 0)});
    let selection = "factors { secondFactor totpSince } session { token }";
    let done = call(server, Some(token), "confirmTotp", input, selection).await;
    assert_eq!(done["factors"]["secondFactor"], true, "{done:#}");
    (secret, raised(server, token, &done).await)
}

/// The token that took the place of the one that showed its first second factor, and has ended.
async fn raised(server: &Server, token: &str, done: &Value) -> String {
    let (_, ended) = server.send(Some(token), None, "{ viewer { actor { id } } }", json!({})).await;
    assert_eq!(ended["errors"][0]["extensions"]["code"], "UNAUTHENTICATED", "{ended:#}");
    done["session"]["token"].as_str().unwrap_or_else(|| panic!("{done:#}")).to_owned()
}

/// Takes the first step of a sign-in; its challenge.
async fn challenge(server: &Server, password: &str) -> String {
    let input = json!({"email": EMAIL, "password": password});
    let selection = "session { token } challenge { challenge }";
    let first = call(server, None, "signIn", input, selection).await;
    assert!(first["session"].is_null(), "no session before the second factor: {first:#}");
    first["challenge"]["challenge"].as_str().unwrap_or_else(|| panic!("{first:#}")).to_owned()
}

async fn complete(server: &Server, challenge: &str, code: &str) -> Value {
    let input = json!({"challenge": challenge, "code": code});
    call(server, None, "completeSignIn", input, "session { token }").await
}

async fn recovery_codes(server: &Server, token: &str) -> Vec<String> {
    let made = call(server, Some(token), "renewRecoveryCodes", json!({"proof": proof()}), "codes").await;
    let codes: Vec<String> = serde_json::from_value(made["codes"].clone()).expect("codes");
    assert_eq!(codes.len(), 10, "{made:#}");
    codes
}

#[tokio::test]
async fn a_one_time_code_signs_in_once_within_a_step_of_now() {
    let server = server().await;
    let token = found(&server).await;
    let (secret, _) = with_totp(&server, &token).await;
    let begun = challenge(&server, PASSWORD).await;
    for (wrong, why) in [
        (shown(&secret, 0), "it confirmed the application"),
        (shown(&secret, -3), "too old"),
        (shown(&secret, 3), "too new"),
    ] {
        assert_eq!(code_of(&complete(&server, &begun, &wrong).await), "WRONG_CODE", "{why}");
    }
    let next = shown(&secret, 1);
    let done = complete(&server, &begun, &next).await;
    let signed_in = done["session"]["token"].as_str().unwrap_or_else(|| panic!("{done:#}"));
    let factors =
        server.ask(signed_in, "{ viewer { factors { secondFactor recoveryCodesLeft } } }", json!({})).await;
    assert_eq!(factors["viewer"]["factors"], json!({"secondFactor": true, "recoveryCodesLeft": 0}));
    assert_eq!(code_of(&complete(&server, &begun, &next).await), "PROOF_SPENT", "the challenge is used");
    let again = challenge(&server, PASSWORD).await;
    assert_eq!(code_of(&complete(&server, &again, &next).await), "WRONG_CODE", "the code is used");
}

#[tokio::test]
async fn one_code_sent_twice_at_once_opens_one_session() {
    let server = server().await;
    let token = found(&server).await;
    let (secret, _) = with_totp(&server, &token).await;
    let (one, two) = (challenge(&server, PASSWORD).await, challenge(&server, PASSWORD).await);
    let code = shown(&secret, 1);
    let (one, two) = tokio::join!(complete(&server, &one, &code), complete(&server, &two, &code));
    let opened = [&one, &two].into_iter().filter(|done| done["session"]["token"].is_string()).count();
    assert_eq!(opened, 1, "{one:#} {two:#}");
}

#[tokio::test]
async fn a_recovery_code_stands_in_for_a_lost_application_once() {
    let server = server().await;
    let token = found(&server).await;
    let refused = call(&server, Some(&token), "renewRecoveryCodes", json!({"proof": proof()}), "codes").await;
    assert_eq!(code_of(&refused), "NO_SECOND_FACTOR");
    let (_, token) = with_totp(&server, &token).await;
    let codes = recovery_codes(&server, &token).await;
    let typed = codes[0].to_lowercase().replace('-', " ");
    let done = complete(&server, &challenge(&server, PASSWORD).await, &typed).await;
    assert!(done["session"]["token"].is_string(), "{done:#}");
    let again = complete(&server, &challenge(&server, PASSWORD).await, &codes[0]).await;
    assert_eq!(code_of(&again), "WRONG_CODE");
    let left = server.ask(&token, "{ viewer { factors { recoveryCodesLeft } } }", json!({})).await;
    assert_eq!(left["viewer"]["factors"]["recoveryCodesLeft"], 9);
}

#[tokio::test]
async fn a_short_password_needs_its_second_factor() {
    let server = server().await;
    let token = found(&server).await;
    let change = async |token: &str, current: &str, new: &str| {
        let input = json!({"currentPassword": current, "newPassword": new});
        call(&server, Some(token), "changePassword", input, "endedSessions").await
    };
    let alone = change(&token, PASSWORD, SHORT).await;
    assert_eq!(
        (code_of(&alone), &alone["userErrors"][0]["field"]),
        ("PASSWORD_TOO_SHORT", &json!("newPassword"))
    );
    let (_, token) = with_totp(&server, &token).await;
    let codes = recovery_codes(&server, &token).await;
    assert_eq!(code_of(&change(&token, "not the password", SHORT).await), "WRONG_PASSWORD");
    assert_eq!(code_of(&change(&token, PASSWORD, "iloveyou").await), "PASSWORD_LEAKED");
    assert_eq!(code_of(&change(&token, PASSWORD, SHORT).await), "done");
    let done = complete(&server, &challenge(&server, SHORT).await, &codes[0]).await;
    assert!(done["session"]["token"].is_string(), "{done:#}");
    let input = json!({"proof": {"currentPassword": SHORT}});
    let refused = call(&server, Some(&token), "removeTotp", input.clone(), "factors { secondFactor }").await;
    assert_eq!(code_of(&refused), "PASSWORD_NEEDS_FACTOR");
    assert_eq!(code_of(&change(&token, SHORT, "gravel lantern oboe").await), "done");
    let input = json!({"proof": {"code": codes[1]}});
    let removed =
        call(&server, Some(&token), "removeTotp", input, "factors { secondFactor recoveryCodesLeft }").await;
    assert_eq!(removed["factors"], json!({"secondFactor": false, "recoveryCodesLeft": 0}), "{removed:#}");
}

#[tokio::test]
async fn whoever_changes_factors_proves_once_more_who_it_is_and_programs_have_none() {
    let server = server().await;
    let token = found(&server).await;
    let nothing = json!({"proof": {}});
    assert_eq!(
        code_of(&call(&server, Some(&token), "beginTotp", nothing.clone(), "secret").await),
        "PROOF_NEEDED"
    );
    let (_, token) = with_totp(&server, &token).await;
    for name in ["removeTotp", "renewRecoveryCodes"] {
        let selection = if name == "removeTotp" { "factors { secondFactor }" } else { "codes" };
        assert_eq!(
            code_of(&call(&server, Some(&token), name, nothing.clone(), selection).await),
            "PROOF_NEEDED"
        );
    }
    let made = "mutation { createApiKey(input: {name: \"P\", permissions: [\"kpi.read\"]}) { secret } }";
    let made = server.ask(&token, made, json!({})).await;
    let key = made["createApiKey"]["secret"].as_str().expect("a secret");
    let begin = "mutation { beginTotp(input: {proof: {currentPassword: \"x\"}}) { secret } }";
    let (_, answer) = server.send(Some(key), None, begin, json!({})).await;
    assert_eq!(answer["errors"][0]["extensions"]["code"], "BAD_USER_INPUT", "{answer:#}");
    let none = server.ask(key, "{ viewer { factors { secondFactor } } }", json!({})).await;
    assert!(none["viewer"]["factors"].is_null());
}

async fn make(server: &Server, token: &str, device: &mut Device) -> Value {
    let input = json!({"name": "Laptop", "proof": proof()});
    let begun = call(server, Some(token), "beginPasskey", input, "ceremony options").await;
    let options = begun["options"].as_str().unwrap_or_else(|| panic!("{begun:#}"));
    let answer = device.make(options).await.expect("the device makes one");
    let input = json!({"ceremony": begun["ceremony"], "answer": answer});
    call(server, Some(token), "finishPasskey", input, "passkey { id name lastUsedAt } session { token }")
        .await
}

async fn sign(server: &Server, device: &mut Device) -> Value {
    let query = "mutation { beginPasskeySignIn { ceremony options userErrors { code } } }";
    let (_, begun) = server.send(None, None, query, json!({})).await;
    let begun = &begun["data"]["beginPasskeySignIn"];
    let options = begun["options"].as_str().unwrap_or_else(|| panic!("{begun:#}"));
    let answer = device.sign(options).await.expect("the device signs");
    let input = json!({"ceremony": begun["ceremony"], "answer": answer});
    call(server, None, "signInWithPasskey", input, "session { token } challenge { challenge }").await
}

#[tokio::test]
async fn a_passkey_signs_in_alone_until_it_is_removed() {
    let server = server().await;
    let token = found(&server).await;
    let mut device = Device::at(ORIGIN);
    let made = make(&server, &token, &mut device).await;
    let token = raised(&server, &token, &made).await;
    assert_eq!(made["passkey"]["name"], "Laptop", "{made:#}");
    let done = sign(&server, &mut device).await;
    let signed_in = done["session"]["token"].as_str().unwrap_or_else(|| panic!("{done:#}"));
    let who = "{ viewer { actor { name } factors { secondFactor passkeys { id name lastUsedAt } } } }";
    let who = server.ask(signed_in, who, json!({})).await;
    let listed = &who["viewer"]["factors"]["passkeys"][0];
    assert!(listed["lastUsedAt"].is_string() && listed["id"] == made["passkey"]["id"], "{who:#}");
    let id = &made["passkey"]["id"];
    let input = json!({"passkeyId": id, "name": "Phone"});
    let renamed = call(&server, Some(&token), "renamePasskey", input, "passkey { name }").await;
    assert_eq!(renamed["passkey"]["name"], "Phone");
    let input = json!({"passkeyId": id, "proof": proof()});
    let removed = call(&server, Some(&token), "removePasskey", input, "factors { secondFactor }").await;
    assert_eq!(removed["factors"]["secondFactor"], false, "{removed:#}");
    assert_eq!(code_of(&sign(&server, &mut device).await), "PASSKEY_REFUSED");
}

#[tokio::test]
async fn a_copied_passkey_and_one_of_another_origin_sign_nobody_in() {
    let server = server().await;
    let token = found(&server).await;
    let mut device = Device::at(ORIGIN);
    make(&server, &token, &mut device).await;
    let mut copy = device.clone();
    assert_eq!(code_of(&sign(&server, &mut device).await), "done");
    let behind = sign(&server, &mut copy).await;
    assert_eq!((code_of(&behind), behind["session"].is_null()), ("PASSKEY_COPIED", true));
    device.origin = "https://evil.back.office.example".parse().expect("an origin");
    assert_eq!(code_of(&sign(&server, &mut device).await), "PASSKEY_REFUSED");
    device.origin = ORIGIN.parse().expect("an origin");
    device.verifies = false;
    let query = "mutation { beginPasskeySignIn { ceremony options } }";
    let (_, begun) = server.send(None, None, query, json!({})).await;
    let begun = &begun["data"]["beginPasskeySignIn"];
    // A browser that takes the demand for verification out.
    let options = begun["options"].as_str().expect("options").replace("\"required\"", "\"discouraged\"");
    let answer = device.sign(&options).await.expect("the device signs");
    let input = json!({"ceremony": begun["ceremony"], "answer": answer});
    let unverified = call(&server, None, "signInWithPasskey", input, "session { token }").await;
    assert_eq!(code_of(&unverified), "PASSKEY_REFUSED");
}

#[tokio::test]
async fn a_server_without_a_name_says_that_it_has_no_passkeys() {
    let server = Server::start().await;
    let query = "mutation { beginPasskeySignIn { ceremony userErrors { code message } } }";
    let (_, answer) = server.send(None, None, query, json!({})).await;
    assert_eq!(code_of(&answer["data"]["beginPasskeySignIn"]), "PASSKEY_UNAVAILABLE");
}
