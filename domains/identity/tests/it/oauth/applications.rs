//! How applications are registered, and prove to be themselves.

use authority::jose::Ed25519;
use authority::{ClientAuthentication, Code, Hint, Scopes, TokenQuestion};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::TimeDelta;
use identity::Error;
use identity::company::twin;
use identity::oauth::Failure;
use identity::oauth::client::{Client, ClientKind, NewClient, directory, service as clients};
use identity::oauth::token;
use kernel::{Actor, DomainError, Origin, Permission, PermissionSet};
use serde_json::json;
use tokio::task::JoinSet;

use super::{ISSUER, READS, World, machine, refused, set, till};

const ENDPOINT: &str = "https://books.example/oauth/token";

async fn by_secret(world: &World, client: &Client, secret: &str) -> Result<Client, Failure> {
    let (client_id, secret) = (client.public_id(), secret.to_owned());
    directory::authenticate(&world.auth(), &ClientAuthentication::Secret { client_id, secret }, ENDPOINT)
        .await
}

#[tokio::test]
async fn an_application_proves_itself_by_its_own_secret_alone() {
    let world = World::new().await;
    let (client, secret) = world.register(machine()).await.expect("registered");
    let (other, others) = world.register(machine()).await.expect("registered");
    assert_eq!(by_secret(&world, &client, &secret).await.expect("it is itself").id, client.id);
    for wrong in ["", "co_x", &others, &secret[1..], &secret.to_uppercase()] {
        assert_eq!(refused(by_secret(&world, &client, wrong).await), Code::InvalidClient, "{wrong}");
    }
    assert_eq!(refused(by_secret(&world, &other, &secret).await), Code::InvalidClient);
    let bare = ClientAuthentication::None { client_id: client.public_id() };
    let bare = directory::authenticate(&world.auth(), &bare, ENDPOINT).await;
    assert_eq!(refused(bare), Code::InvalidClient, "it is no public application");
    let mut all = world.test.superuser().await;
    let kept: Vec<Vec<u8>> =
        sqlx::query_scalar("SELECT hash FROM oauth_secret").fetch_all(&mut all).await.expect("rows");
    assert!(kept.iter().all(|hash| hash.len() == 32 && !hash.starts_with(b"co_")));
}

#[tokio::test]
async fn a_public_application_has_no_secret_and_gets_nothing_for_itself() {
    let world = World::new().await;
    let new = NewClient { kind: ClientKind::Public, ..till() };
    let (client, secret) = world.register(new).await.expect("registered");
    let bare = ClientAuthentication::None { client_id: client.public_id() };
    assert!(directory::authenticate(&world.auth(), &bare, ENDPOINT).await.is_ok());
    assert_eq!(refused(by_secret(&world, &client, &secret).await), Code::InvalidClient);
    let itself = token::client_credentials(&world.auth(), &client, None).await;
    assert_eq!(refused(itself), Code::UnauthorizedClient);
}

#[tokio::test]
async fn an_old_secret_stays_good_as_long_as_was_said() {
    let world = World::new().await;
    let (client, first) = world.register(machine()).await.expect("registered");
    let rotate = async |hours: u32| -> Result<String, Error> {
        let secret = clients::generate_secret();
        let rotated = world.partner.write(|tx| {
            let (id, secret) = (client.id, secret.clone());
            Box::pin(async move { clients::rotate_secret(tx, id, hours, &secret).await })
        });
        rotated.await.map(|()| secret)
    };
    let second = rotate(24).await.expect("rotated");
    let good = async |secret: &str| by_secret(&world, &client, secret).await.is_ok();
    assert!(good(&first).await && good(&second).await);
    world.test.clock.set(world.test.clock.now() + TimeDelta::hours(24));
    assert!(!good(&first).await && good(&second).await);
    let third = rotate(0).await.expect("rotated");
    assert!(!good(&second).await && good(&third).await, "without an overlap it ends at once");
    assert!(rotate(721).await.is_err());
}

fn key(seed: u8) -> Ed25519 {
    Ed25519::from_seed(&[seed; 32]).expect("a key")
}

fn signing() -> NewClient {
    let x = URL_SAFE_NO_PAD.encode(key(3).public());
    NewClient {
        jwks: Some(json!({"keys": [{"kty": "OKP", "crv": "Ed25519", "x": x, "kid": "k1"}]})),
        ..machine()
    }
}

fn assertion(
    world: &World,
    client: &Client,
    key: &Ed25519,
    id: &str,
    audience: &str,
) -> ClientAuthentication {
    let (client_id, now) = (client.public_id(), world.test.clock.now().timestamp());
    let claims = json!({"iss": client_id, "sub": client_id, "aud": audience, "exp": now + 60, "jti": id});
    let header = br#"{"alg":"EdDSA","kid":"k1"}"#;
    let assertion = key.sign(header, claims.to_string().as_bytes()).expect("signed");
    ClientAuthentication::Assertion { client_id, assertion }
}

#[tokio::test]
async fn rfc_7523_an_assertion_is_the_applications_own_for_this_server_and_good_once() {
    let world = World::new().await;
    let (client, secret) = world.register(signing()).await.expect("registered");
    let (other, _) = world.register(signing()).await.expect("registered");
    let ask = async |presented: ClientAuthentication| {
        directory::authenticate(&world.auth(), &presented, ENDPOINT).await
    };
    let good = assertion(&world, &client, &key(3), "1", ISSUER);
    assert!(ask(good.clone()).await.is_ok());
    assert_eq!(refused(ask(good).await), Code::InvalidClient, "again");
    assert!(ask(assertion(&world, &client, &key(3), "2", ENDPOINT)).await.is_ok());
    assert!(ask(assertion(&world, &other, &key(3), "1", ISSUER)).await.is_ok(), "another's ids are its own");
    for wrong in [
        assertion(&world, &client, &key(4), "3", ISSUER),
        assertion(&world, &client, &key(3), "4", "https://other.example"),
    ] {
        assert_eq!(refused(ask(wrong).await), Code::InvalidClient);
    }
    assert_eq!(refused(by_secret(&world, &client, &secret).await), Code::InvalidClient, "it has no secret");
    let mut asking = JoinSet::new();
    for _ in 0..6 {
        let (auth, once) = (world.auth(), assertion(&world, &client, &key(3), "5", ISSUER));
        asking.spawn(async move { directory::authenticate(&auth, &once, ENDPOINT).await.is_ok() });
    }
    assert_eq!(asking.join_all().await.into_iter().filter(|good| *good).count(), 1);
}

#[tokio::test]
async fn an_application_acts_for_itself_in_its_own_company_within_its_makers_role() {
    let world = World::new().await;
    let (client, _) = world.register(machine()).await.expect("registered");
    let tokens = token::client_credentials(&world.auth(), &client, None).await.expect("tokens");
    assert!(tokens.refresh_token.is_none());
    let principal = world.auth().current(&tokens.access_token, None).await.expect("looked up").expect("good");
    assert_eq!((principal.company.id, principal.permissions), (world.partner.company().id, set(&READS)));
    let asked = async |scope: &str| {
        let scopes = Scopes::parse(scope).expect("scopes");
        token::client_credentials(&world.auth(), &client, Some(&scopes)).await
    };
    assert_eq!(asked("kpi.read").await.expect("less").scope, "kpi.read");
    assert_eq!(refused(asked("ledger.read").await), Code::InvalidScope);
    sqlx::query("UPDATE membership SET role = 'purchaser' WHERE tenant_id = $1")
        .bind(world.partner.company().id)
        .execute(&mut world.test.superuser().await)
        .await
        .expect("changed");
    assert_eq!(world.rights(&tokens.access_token).await, set(&[Permission::KpiRead]));
    let archive = world.partner.write(|tx| {
        let id = client.id;
        Box::pin(async move { clients::archive(tx, id).await })
    });
    archive.await.expect("archived");
    assert_eq!(world.rights(&tokens.access_token).await, PermissionSet::NONE);
    assert_eq!(refused(token::client_credentials(&world.auth(), &client, None).await), Code::InvalidGrant);
}

#[tokio::test]
async fn nobody_registers_more_than_they_may_and_programs_register_nothing() {
    let world = World::new().await;
    let register = async |actor, permissions| {
        let scope = world.test.scope(world.partner.company().id, actor, permissions);
        let registered = scope.write(|tx| {
            Box::pin(async move { clients::register(tx, till(), &clients::generate_secret()).await })
        });
        registered.await.map_err(|error: Error| error.code())
    };
    let manages = set(&[Permission::ApplicationsManage, Permission::KpiRead]);
    let person = world.partner.actor();
    assert_eq!(register(person, manages).await, Err("BEYOND_OWN"));
    assert_eq!(register(person, set(&READS)).await, Err("FORBIDDEN"));
    assert_eq!(register(Actor::ApiKey(kernel::id::new()), PermissionSet::all()).await, Err("INVALID"));
    assert_eq!(register(Actor::Grant(kernel::id::new()), PermissionSet::all()).await, Err("INVALID"));
    assert!(register(person, PermissionSet::all()).await.is_ok());
}

#[tokio::test]
async fn of_a_token_of_another_nothing_is_told_and_nothing_taken_back() {
    let world = World::new().await;
    let (client, other) = (world.till().await, world.till().await);
    let tokens = world.tokens(&client).await;
    let refresh = tokens.refresh_token.clone().expect("a refresh token");
    for (token, kind) in [(&tokens.access_token, "Bearer"), (&refresh, "refresh_token")] {
        for hint in [None, Some(Hint::Access), Some(Hint::Refresh)] {
            let asked = TokenQuestion { token: token.clone(), hint };
            let told = token::introspect(&world.auth(), &client, &asked).await.expect("told");
            assert!(told.active && told.token_type == Some(kind), "{told:?}");
            assert_eq!(told.scope.as_deref(), Some("invoicing.read kpi.read"));
            let told = token::introspect(&world.auth(), &other, &asked).await.expect("told");
            assert_eq!(told, authority::Introspection::default());
            token::revoke(&world.auth(), &other, &asked).await.expect("answered alike");
        }
    }
    assert_eq!(world.rights(&tokens.access_token).await, set(&READS));
    let asked = TokenQuestion { token: refresh, hint: None };
    token::revoke(&world.auth(), &client, &asked).await.expect("revoked");
    assert_eq!(world.rights(&tokens.access_token).await, PermissionSet::NONE);
    let told = token::introspect(&world.auth(), &client, &asked).await.expect("told");
    assert_eq!(told, authority::Introspection::default());
}

#[tokio::test]
async fn an_application_of_a_test_twin_is_not_let_into_a_live_company() {
    let mut world = World::new().await;
    let reserved = world.partner.write(|tx| Box::pin(twin::reserve(tx, None)));
    let id = reserved.await.expect("reserved");
    let original =
        twin::original_in(&world.partner.read().await.expect("snapshot")).await.expect("the original");
    let facts = original.facts(id).expect("facts");
    world.partner = world.auth().system_scope(facts, world.partner.actor(), Origin::default());
    let founded = world.partner.write(|tx| {
        let original = original.clone();
        Box::pin(async move { twin::found_in(tx, &original).await })
    });
    founded.await.expect("founded");
    let client = world.till().await;
    assert!(client.is_test && client.public_id().starts_with("test_"));
    assert_eq!(refused(world.consent_of(world.ada, &client, &READS).await), Code::AccessDenied);
}
