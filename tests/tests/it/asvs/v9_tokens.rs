//! OWASP ASVS 5.0.0, chapter V9: self-contained tokens, which access tokens of OAuth are.

use reqwest::StatusCode;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::{found, is_good, token_of};
use crate::server::{Server, UNLIMITED};

const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/// Base64url without padding (RFC 4648, section 5).
fn base64url(bytes: &[u8]) -> String {
    let bits = |at: usize| {
        let bit = |n: usize| bytes.get(n / 8).map_or(0, |byte| byte >> (7 - n % 8) & 1);
        (0..6).fold(0_u8, |digit, n| digit << 1 | bit(at * 6 + n))
    };
    (0..(bytes.len() * 8).div_ceil(6)).map(|at| char::from(DIGITS[usize::from(bits(at))])).collect()
}

fn from_base64url(text: &str) -> Vec<u8> {
    let digits = text.bytes().map(|byte| DIGITS.iter().position(|digit| *digit == byte).expect("a digit"));
    let bits: Vec<bool> = digits.flat_map(|digit| (0..6).map(move |n| digit >> (5 - n) & 1 == 1)).collect();
    bits.chunks_exact(8).map(|byte| byte.iter().fold(0, |byte, bit| byte << 1 | u8::from(*bit))).collect()
}

/// HMAC with SHA-256 (RFC 2104).
fn hmac(key: &[u8], message: &[u8]) -> Vec<u8> {
    let mut block = [0_u8; 64];
    match key.len() {
        0..=64 => block[..key.len()].copy_from_slice(key),
        _ => block[..32].copy_from_slice(&Sha256::digest(key)),
    }
    let padded = |with: u8| block.map(|byte| byte ^ with);
    let inner = Sha256::digest([&padded(0x36), message].concat());
    Sha256::digest([&padded(0x5c)[..], inner.as_slice()].concat()).to_vec()
}

/// A server whose owner has an application that acts for itself.
struct World {
    server: Server,
    owner: String,
    client: String,
    secret: String,
}

impl World {
    async fn on(server: Server) -> Self {
        let owner = found(&server, "A", "ada@example.com").await;
        let register = "mutation($input: RegisterApplicationInput!) { registerApplication(input: $input) {
            application { id } secret userErrors { message } } }";
        let input = json!({"name": "Till", "homepage": "https://till.example", "kind": "CONFIDENTIAL",
            "grantTypes": ["CLIENT_CREDENTIALS"], "redirectUris": [], "permissions": ["kpi.read", "company.read"]});
        let made = server.ask(&owner, register, json!({"input": input})).await["registerApplication"].clone();
        let text = |value: &Value| value.as_str().unwrap_or_else(|| panic!("{made:#}")).to_owned();
        let (client, secret) = (text(&made["application"]["id"]), text(&made["secret"]));
        Self { server, owner, client, secret }
    }

    async fn ask(&self, fields: &[(&str, &str)]) -> (StatusCode, Value) {
        let form = url::form_urlencoded::Serializer::new(String::new())
            .append_pair("client_id", &self.client)
            .append_pair("client_secret", &self.secret)
            .extend_pairs(fields)
            .finish();
        let post = self.server.http.post(format!("{}/oauth/token", self.server.url));
        let post = post.header("content-type", "application/x-www-form-urlencoded").body(form);
        let answer = post.send().await.expect("an answer");
        (answer.status(), answer.json().await.expect("JSON"))
    }

    async fn token(&self) -> String {
        let (_, told) = self.ask(&[("grant_type", "client_credentials"), ("scope", "kpi.read")]).await;
        told["access_token"].as_str().unwrap_or_else(|| panic!("{told:#}")).to_owned()
    }

    async fn is_good(&self, token: &str) -> bool {
        is_good(&self.server, &self.server.url, token).await
    }
}

/// That what forges here forges well.
fn try_the_tools() {
    assert_eq!(base64url(b"\xfb\xff\xfe!"), "-__-IQ");
    assert_eq!(from_base64url("-__-IQ"), b"\xfb\xff\xfe!");
    // RFC 4231, test case 2.
    let mac = hmac(b"Jefe", b"what do ya want for nothing?");
    assert_eq!(mac[..4], [0x5b, 0xdc, 0xc1, 0x46]);
}

#[tokio::test]
async fn v9_1_2_the_public_key_as_a_shared_secret_signs_nothing() {
    try_the_tools();
    let world = World::on(Server::start_with(&UNLIMITED).await).await;
    let token = world.token().await;
    assert!(world.is_good(&token).await);
    let keys =
        world.server.http.get(format!("{}/oauth/jwks", world.server.url)).send().await.expect("an answer");
    let keys: Value = keys.json().await.expect("JSON");
    let key = &keys["keys"][0];
    let (x, kid) = (key["x"].as_str().expect("a key"), key["kid"].as_str().expect("an id"));
    let payload = token.split('.').nth(1).expect("a payload");
    let mut tried = 0;
    for alg in ["HS256", "hs256", "none", "None", "EdDSA", "ES256"] {
        for secret in [x.as_bytes().to_vec(), from_base64url(x), key.to_string().into_bytes(), Vec::new()] {
            let header = json!({"alg": alg, "typ": "at+jwt", "kid": kid});
            let message = format!("{}.{payload}", base64url(header.to_string().as_bytes()));
            let signature = base64url(&hmac(&secret, message.as_bytes()));
            for forged in [format!("{message}.{signature}"), format!("{message}.")] {
                assert!(!world.is_good(&forged).await, "{alg}");
                tried += 1;
            }
        }
    }
    assert_eq!(tried, 48);
    assert!(world.is_good(&token).await, "the good one still is");
}

#[tokio::test]
async fn v9_1_1_a_changed_claim_ends_a_token() {
    let world = World::on(Server::start_with(&UNLIMITED).await).await;
    let token = world.token().await;
    let parts: Vec<&str> = token.split('.').collect();
    let claims: Value = serde_json::from_slice(&from_base64url(parts[1])).expect("claims");
    for (name, value) in [
        ("scope", json!("kpi.read company.read ledger.post")),
        ("exp", json!(claims["exp"].as_i64().expect("a time") + 3600)),
        ("sub", json!("person_01h455vb4pex5vsknk084sn02q")),
        ("company_id", json!("company_01h455vb4pex5vsknk084sn02q")),
        ("aud", json!("https://elsewhere.example")),
    ] {
        let mut changed = claims.clone();
        assert!(changed.get(name).is_some(), "{name}");
        changed[name] = value;
        let forged = format!("{}.{}.{}", parts[0], base64url(changed.to_string().as_bytes()), parts[2]);
        assert!(!world.is_good(&forged).await, "{name}");
    }
}

#[tokio::test]
async fn v9_2_2_one_kind_of_secret_is_no_other() {
    let world = World::on(Server::start_with(&UNLIMITED).await).await;
    let session = token_of(&world.server, "ada@example.com").await;
    let key = "mutation { createApiKey(input: {name: \"K\", permissions: [\"kpi.read\"]}) { secret } }";
    let key = world.server.ask(&world.owner, key, json!({})).await["createApiKey"]["secret"].clone();
    let (key, access) = (key.as_str().expect("a key").to_owned(), world.token().await);
    // What lets in is no refresh token, no code and no proof of an application.
    for other in [&session, &key, &access] {
        for fields in [
            [("grant_type", "refresh_token"), ("refresh_token", other.as_str()), ("x", "y")],
            [("grant_type", "authorization_code"), ("code", other.as_str()), ("code_verifier", "x")],
        ] {
            let (status, told) = world.ask(&fields).await;
            assert!(status.is_client_error() && told["access_token"].is_null(), "{told:#}");
        }
        let form = url::form_urlencoded::Serializer::new(String::new())
            .append_pair("grant_type", "client_credentials")
            .append_pair("client_assertion", other)
            .append_pair("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer")
            .finish();
        let post = world.server.http.post(format!("{}/oauth/token", world.server.url));
        let post = post.header("content-type", "application/x-www-form-urlencoded").body(form);
        let status = post.send().await.expect("an answer").status();
        assert!(status.is_client_error(), "{status}");
    }
    // And the application's own secret lets nobody in.
    assert!(!world.is_good(&world.secret).await);
    // A token of a program opens no session and shows no factors.
    for document in ["mutation { signOut { signedOut } }", "{ viewer { factors { secondFactor } } }"] {
        let (_, answer) = world.server.send(Some(&access), None, document, json!({})).await;
        let told = answer.to_string();
        assert!(!told.contains("\"signedOut\":true") && !told.contains("\"secondFactor\":true"), "{told}");
    }
}

#[tokio::test]
async fn v9_2_3_a_token_of_another_service_is_nobodys() {
    let name = ["--public-url", "https://books.example"];
    let here = World::on(Server::start_with(&[&UNLIMITED[..], &name[..]].concat()).await).await;
    let there = World::on(Server::start_with(&[&UNLIMITED[..], &name[..]].concat()).await).await;
    let (own, foreign) = (here.token().await, there.token().await);
    assert!(here.is_good(&own).await && there.is_good(&foreign).await);
    assert!(!here.is_good(&foreign).await, "of the same name, with other keys");
    // The same keys, under another name: another issuer, and another audience.
    let renamed = here.server.replica(&[&UNLIMITED[..], &["--public-url", "https://other.example"]].concat());
    assert!(!is_good(&here.server, &renamed.url, &own).await, "made for another service");
    let twin = here.server.replica(&[&UNLIMITED[..], &name[..]].concat());
    assert!(is_good(&here.server, &twin.url, &own).await, "a replica is the same service");
}
