//! Requirements of OWASP ASVS 5.0.0, NIST SP 800-63B-4, RFC 9700 and the OWASP cheat sheets on tenancy and GraphQL, met from
//! outside. Each test is named after the requirement that it proves; `docs/security.md` says which other tests prove the
//! rest, and `security_table.rs` holds that page to it.

mod graphql_sheet;
mod tenancy;
mod v10_oauth;
mod v4_api;
mod v6_authentication;
mod v7_sessions;
mod v8_authorization;
mod v9_tokens;

use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::house::now;
use crate::server::{PASSWORD, Server};

const SIGN_IN: &str = "mutation($input: SignInInput!) { signIn(input: $input) {
    session { token expiresAt companyId } challenge { challenge } deviceToken userErrors { code field message } } }";

/// Takes an address as proved, as following the link of the letter does.
async fn prove(server: &Server, email: &str) {
    let sql =
        "UPDATE person SET email_verified_at = created_at WHERE email = $1 AND email_verified_at IS NULL";
    sqlx::query(sql).bind(email).execute(&mut server.db.superuser().await).await.expect("proved");
}

/// Founds a company with an owner whose address is proved; the token.
async fn found(server: &Server, name: &str, email: &str) -> String {
    let token = server.found(name, email).await;
    prove(server, email).await;
    token
}

/// What signing in answers.
async fn sign_in(server: &Server, email: &str, password: &str) -> Value {
    let input = json!({"input": {"email": email, "password": password}});
    let (status, answer) = server.send(None, None, SIGN_IN, input).await;
    assert_eq!(status, StatusCode::OK, "{answer:#}");
    answer["data"]["signIn"].clone()
}

/// The token of a sign-in that must succeed.
async fn token_of(server: &Server, email: &str) -> String {
    let answer = sign_in(server, email, PASSWORD).await;
    answer["session"]["token"].as_str().unwrap_or_else(|| panic!("{answer:#}")).to_owned()
}

/// The code of the first refusal.
fn refusal(payload: &Value) -> &str {
    payload["userErrors"][0]["code"].as_str().unwrap_or_default()
}

/// Whether a token is good for anything at a server.
async fn is_good(server: &Server, url: &str, token: &str) -> bool {
    let request = server.http.post(format!("{url}/graphql")).bearer_auth(token);
    let answer = request.json(&json!({"query": "{ viewer { role } }"})).send().await.expect("an answer");
    match answer.status() {
        StatusCode::OK => true,
        StatusCode::UNAUTHORIZED => false,
        other => panic!("{other}"),
    }
}

/// Adds an authenticator application in a session; its secret, and the session that goes on.
async fn with_totp(server: &Server, token: &str, password: &str) -> (String, String) {
    let document =
        "mutation($input: BeginTotpInput!) { beginTotp(input: $input) { secret userErrors { code } } }";
    let proof = json!({"input": {"proof": {"currentPassword": password}}});
    let begun = server.ask(token, document, proof).await["beginTotp"].clone();
    let secret = begun["secret"].as_str().unwrap_or_else(|| panic!("{begun:#}")).to_owned();
    let application = totp_rs::Secret::try_from_base32(&secret).expect("base 32");
    let application = totp_rs::Builder::new().with_secret(application).build().expect("its options");
    let code = application.generate(u64::try_from(now()).expect("after 1970")).to_string();
    let document = "mutation($input: ConfirmTotpInput!) { confirmTotp(input: $input) { session { token } userErrors { code } } }";
    let done = server.ask(token, document, json!({"input": {"code": code}})).await["confirmTotp"].clone();
    let next = done["session"]["token"].as_str().unwrap_or_else(|| panic!("{done:#}")).to_owned();
    (secret, next)
}
