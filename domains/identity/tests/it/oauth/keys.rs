//! The keys that sign access tokens, over their lives; and tokens that were made otherwise.

use authority::{AccessClaims, AccessKey};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::TimeDelta;
use identity::Authenticator;
use identity::oauth::{keys, token};
use kernel::PermissionSet;
use serde_json::Value;
use tokio::task::JoinSet;

use super::{READS, World, set};
use crate::founding::authenticator;

async fn ids(auth: &Authenticator) -> Vec<String> {
    let shown = keys::jwks(auth).await.expect("keys");
    let listed = shown["keys"].as_array().expect("keys").clone();
    listed.iter().map(|key| key["kid"].as_str().expect("kid").to_owned()).collect()
}

fn part(token: &str, place: usize) -> Value {
    let part = token.split('.').nth(place).expect("three parts");
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).expect("base64url")).expect("JSON")
}

#[tokio::test]
async fn replicas_that_start_at_once_make_one_key() {
    let world = World::new().await;
    let mut starting = JoinSet::new();
    for _ in 0..6 {
        let auth = world.auth();
        starting.spawn(async move { ids(&auth).await });
    }
    let shown = starting.join_all().await;
    assert!(shown.iter().all(|ids| *ids == shown[0] && ids.len() == 1), "{shown:?}");
}

#[tokio::test]
async fn a_key_is_shown_before_it_signs_and_as_long_as_its_tokens_live() {
    let world = World::new().await;
    let client = world.till().await;
    let clock = &world.test.clock;
    let rotate = async || keys::rotate(&world.test.db, &world.test.vault, clock).await.expect("rotated");
    let signer =
        async || part(&world.tokens(&client).await.access_token, 0)["kid"].as_str().expect("kid").to_owned();
    let first = signer().await;
    assert!(!rotate().await, "it is new");
    clock.set(clock.now() + TimeDelta::days(30) - TimeDelta::hours(1));
    assert!(rotate().await && !rotate().await, "one more, once");
    assert_eq!(ids(&world.auth()).await.len(), 2);
    assert_eq!(signer().await, first, "the next does not sign yet");
    clock.set(clock.now() + TimeDelta::minutes(59));
    let last = world.tokens(&client).await.access_token;
    clock.set(clock.now() + TimeDelta::minutes(1));
    let second = signer().await;
    assert_ne!(second, first);
    assert!(!rotate().await);
    clock.set(clock.now() + TimeDelta::minutes(8));
    assert_eq!(world.rights(&last).await, set(&READS), "the last token of the first key is good to its end");
    clock.set(clock.now() + TimeDelta::hours(1));
    rotate().await;
    assert_eq!(ids(&world.auth()).await, [second]);
    let mut all = world.test.superuser().await;
    let sealed: Vec<Vec<u8>> =
        sqlx::query_scalar("SELECT sealed FROM signing_key").fetch_all(&mut all).await.expect("rows");
    assert!(sealed.iter().all(|sealed| sealed.len() > 100), "the private half stands under the vault's seal");
}

#[tokio::test]
async fn another_replica_takes_the_tokens_of_a_key_that_it_has_not_read_yet() {
    let world = World::new().await;
    let client = world.till().await;
    let early = world.auth();
    assert_eq!(ids(&early).await.len(), 1);
    // Another key, which signs from now on.
    sqlx::query("DELETE FROM signing_key").execute(&mut world.test.superuser().await).await.expect("lost");
    let tokens = world.tokens(&client).await;
    tokio::time::sleep(std::time::Duration::from_millis(1100)).await;
    assert!(early.current(&tokens.access_token, None).await.expect("looked up").is_some());
}

#[tokio::test]
async fn a_token_lives_for_ten_minutes() {
    let world = World::new().await;
    let client = world.till().await;
    let tokens = world.tokens(&client).await;
    assert_eq!(tokens.expires_in, 600);
    world.test.clock.set(world.test.clock.now() + token::ACCESS - TimeDelta::seconds(1));
    assert_eq!(world.rights(&tokens.access_token).await, set(&READS));
    world.test.clock.set(world.test.clock.now() + TimeDelta::seconds(1));
    assert_eq!(world.rights(&tokens.access_token).await, PermissionSet::NONE);
}

#[tokio::test]
async fn rfc_9068_what_a_token_says() {
    let world = World::new().await;
    let client = world.till().await;
    let tokens = world.tokens(&client).await;
    let (header, claims) = (part(&tokens.access_token, 0), part(&tokens.access_token, 1));
    assert_eq!((&header["typ"], &header["alg"]), (&"at+jwt".into(), &"EdDSA".into()));
    assert_eq!(claims["iss"], super::ISSUER);
    assert_eq!(claims["aud"], format!("{}/graphql", super::ISSUER));
    assert_eq!(claims["client_id"], client.public_id());
    assert_eq!(claims["sub"], kernel::id::encode(kernel::Kind::Person, world.ada));
    assert_eq!(claims["scope"], "invoicing.read kpi.read");
    assert_eq!(claims["exp"].as_i64(), claims["iat"].as_i64().map(|iat| iat + 600));
}

#[tokio::test]
async fn rfc_8725_a_token_that_was_made_otherwise_stands_for_nobody() {
    let world = World::new().await;
    let client = world.till().await;
    let good = world.tokens(&client).await.access_token;
    let (header, claims) = (part(&good, 0), part(&good, 1));
    let claims: AccessClaims = serde_json::from_value(claims).expect("claims");
    let encode = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let (_, payload_and_signature) = good.split_once('.').expect("parts");
    let (payload, signature) = payload_and_signature.split_once('.').expect("parts");
    let mut wrong =
        vec![format!("{}.{payload}.", encode(&serde_json::json!({"alg": "none", "typ": "at+jwt"})))];
    for alg in ["none", "HS256", "RS256"] {
        let mut header = header.clone();
        header["alg"] = alg.into();
        wrong.push(format!("{}.{payload}.{signature}", encode(&header)));
        // With the public key as the secret: what a library that believes the header would verify.
        let mac = hmac_sha256(&header, &encode(&header), payload, &world).await;
        wrong.push(format!("{}.{payload}.{mac}", encode(&header)));
    }
    wrong.push(AccessKey::from_seed(&[9; 32]).expect("a key").sign(&claims).expect("signed"));
    let mut wider: Value = serde_json::to_value(&claims).expect("claims");
    wider["scope"] = "ledger.read".into();
    wrong.push(format!("{}.{}.{signature}", encode(&header), encode(&wider)));
    for token in wrong {
        assert_eq!(world.rights(&token).await, PermissionSet::NONE, "{token}");
    }
    // Made by this database's key, in the name of another server.
    let elsewhere = authenticator(&world.test).issued_by("https://other.example");
    assert!(elsewhere.current(&good, None).await.expect("looked up").is_none());
    assert_eq!(world.rights(&good).await, set(&READS));
}

/// HMAC-SHA-256 (RFC 2104) of a token with the public key as its secret.
async fn hmac_sha256(header: &Value, encoded: &str, payload: &str, world: &World) -> String {
    use sha2::{Digest, Sha256};
    let shown = keys::jwks(&world.auth()).await.expect("keys");
    let listed = shown["keys"].as_array().expect("keys");
    let own = listed.iter().find(|key| key["kid"] == header["kid"]).expect("its key");
    let mut block = URL_SAFE_NO_PAD.decode(own["x"].as_str().expect("x")).expect("base64url");
    block.resize(64, 0);
    let pad = |byte: u8| block.iter().map(|key| key ^ byte).collect::<Vec<u8>>();
    let inner = Sha256::new().chain_update(pad(0x36)).chain_update(format!("{encoded}.{payload}")).finalize();
    URL_SAFE_NO_PAD.encode(Sha256::new().chain_update(pad(0x5c)).chain_update(inner).finalize())
}
