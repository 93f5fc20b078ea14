//! The attacks of RFC 9700 on codes and refresh tokens.

use authority::{Code, Scopes};
use chrono::TimeDelta;
use identity::oauth::client::NewClient;
use identity::oauth::token;
use kernel::PermissionSet;
use tokio::task::JoinSet;
use uuid::Uuid;

use super::{CALLBACK, READS, World, refused, set, till, verifier};

#[tokio::test]
async fn rfc_9700_a_code_is_good_once_and_its_return_ends_what_it_gave() {
    let world = World::new().await;
    let client = world.till().await;
    let code = world.code(&client).await;
    let tokens = world.redeem(&client, &code).await.expect("tokens");
    assert_eq!(world.rights(&tokens.access_token).await, set(&READS));
    assert_eq!(tokens.scope, "invoicing.read kpi.read");
    assert_eq!(refused(world.redeem(&client, &code).await), Code::InvalidGrant);
    assert_eq!(world.rights(&tokens.access_token).await, PermissionSet::NONE);
    let refresh = tokens.refresh_token.expect("a refresh token");
    assert_eq!(refused(world.refresh(&client, &refresh).await), Code::InvalidGrant);
}

#[tokio::test]
async fn rfc_9700_of_many_who_bring_one_code_at_once_one_is_served_and_none_keeps_it() {
    let world = World::new().await;
    let client = world.till().await;
    let code = world.code(&client).await;
    let mut asking = JoinSet::new();
    for _ in 0..6 {
        let (auth, client, code) = (world.auth(), client.clone(), code.clone());
        asking.spawn(async move { token::redeem(&auth, &client, &code, &verifier(), None).await });
    }
    let served: Vec<_> = asking.join_all().await.into_iter().filter_map(Result::ok).collect();
    assert_eq!(served.len(), 1);
    assert_eq!(world.rights(&served[0].access_token).await, PermissionSet::NONE);
}

#[tokio::test]
async fn rfc_7636_who_did_not_ask_for_a_code_cannot_redeem_it_nor_try_again() {
    let world = World::new().await;
    let client = world.till().await;
    let code = world.code(&client).await;
    let wrong = "w".repeat(43);
    let stolen = token::redeem(&world.auth(), &client, &code, &wrong, Some(CALLBACK)).await;
    assert_eq!(refused(stolen), Code::InvalidGrant);
    assert_eq!(refused(world.redeem(&client, &code).await), Code::InvalidGrant);
}

#[tokio::test]
async fn a_code_of_another_application_or_address_is_worth_nothing() {
    let world = World::new().await;
    let (client, other) = (world.till().await, world.till().await);
    let code = world.code(&client).await;
    assert_eq!(refused(world.redeem(&other, &code).await), Code::InvalidGrant);
    let elsewhere =
        token::redeem(&world.auth(), &client, &code, &verifier(), Some("https://evil.example")).await;
    assert_eq!(refused(elsewhere), Code::InvalidGrant);
    assert_eq!(refused(world.redeem(&client, "oc_unknown").await), Code::InvalidGrant);
}

#[tokio::test]
async fn a_code_lives_for_a_minute() {
    let world = World::new().await;
    let client = world.till().await;
    let code = world.code(&client).await;
    world.test.clock.set(world.test.clock.now() + token::CODE);
    assert_eq!(refused(world.redeem(&client, &code).await), Code::InvalidGrant);
}

#[tokio::test]
async fn rfc_9700_a_refresh_token_is_good_once_and_its_return_ends_the_family() {
    let world = World::new().await;
    let client = world.till().await;
    let first = world.tokens(&client).await.refresh_token.expect("first");
    let second = world.refresh(&client, &first).await.expect("renewed");
    let third =
        world.refresh(&client, second.refresh_token.as_ref().expect("second")).await.expect("renewed");
    assert_eq!(world.rights(&third.access_token).await, set(&READS));
    // The thief, or the owner after the thief: nobody can tell.
    assert_eq!(refused(world.refresh(&client, &first).await), Code::InvalidGrant);
    let newest = third.refresh_token.expect("third");
    assert_eq!(refused(world.refresh(&client, &newest).await), Code::InvalidGrant);
    assert_eq!(world.rights(&third.access_token).await, PermissionSet::NONE);
    // Another consent of the same person is another family.
    let fresh = world.tokens(&client).await;
    assert_eq!(world.rights(&fresh.access_token).await, set(&READS));
}

#[tokio::test]
async fn rfc_9700_of_many_who_refresh_at_once_none_goes_on() {
    let world = World::new().await;
    let client = world.till().await;
    let first = world.tokens(&client).await.refresh_token.expect("first");
    let mut asking = JoinSet::new();
    for _ in 0..6 {
        let (auth, client, first) = (world.auth(), client.clone(), first.clone());
        asking.spawn(async move { token::refresh(&auth, &client, &first, None).await });
    }
    let served: Vec<_> = asking.join_all().await.into_iter().filter_map(Result::ok).collect();
    assert_eq!(served.len(), 1, "one is served, the others give it away");
    let next = served[0].refresh_token.as_ref().expect("next");
    assert_eq!(refused(world.refresh(&client, next).await), Code::InvalidGrant);
    assert_eq!(world.rights(&served[0].access_token).await, PermissionSet::NONE);
}

#[tokio::test]
async fn a_refresh_token_of_another_application_is_worth_nothing_and_stays_good_for_its_own() {
    let world = World::new().await;
    let (client, other) = (world.till().await, world.till().await);
    let token = world.tokens(&client).await.refresh_token.expect("a refresh token");
    assert_eq!(refused(world.refresh(&other, &token).await), Code::InvalidGrant);
    assert!(world.refresh(&client, &token).await.is_ok());
}

#[tokio::test]
async fn refresh_tokens_end_when_they_are_not_used_and_after_ninety_days_in_any_case() {
    let world = World::new().await;
    let client = world.till().await;
    let clock = &world.test.clock;
    let unused = world.tokens(&client).await.refresh_token.expect("a refresh token");
    let mut used = world.tokens(&client).await.refresh_token.expect("a refresh token");
    for _ in 0..4 {
        clock.set(clock.now() + TimeDelta::days(20));
        used = world.refresh(&client, &used).await.expect("renewed").refresh_token.expect("next");
    }
    assert_eq!(refused(world.refresh(&client, &unused).await), Code::InvalidGrant);
    clock.set(clock.now() + TimeDelta::days(10));
    assert_eq!(refused(world.refresh(&client, &used).await), Code::InvalidGrant);
}

#[tokio::test]
async fn a_refresh_asks_for_less_and_never_for_more() {
    let world = World::new().await;
    let client = world
        .register(NewClient { permissions: set(&kernel_reads()), ..till() })
        .await
        .expect("registered")
        .0;
    let token = world.tokens(&client).await.refresh_token.expect("a refresh token");
    let ask = async |token: &str, scope: &str| {
        let scopes = Scopes::parse(scope).expect("scopes");
        token::refresh(&world.auth(), &client, token, Some(&scopes)).await
    };
    for beyond in ["ledger.read", "kpi.read ledger.read", "members.manage", "nothing.read"] {
        assert_eq!(refused(ask(&token, beyond).await), Code::InvalidScope, "{beyond}");
    }
    let less = ask(&token, "kpi.read").await.expect("less");
    assert_eq!(less.scope, "kpi.read");
    assert_eq!(world.rights(&less.access_token).await, set(&[kernel::Permission::KpiRead]));
    // The next may have again what was granted.
    let all = world.refresh(&client, less.refresh_token.as_ref().expect("next")).await.expect("all");
    assert_eq!(all.scope, "invoicing.read kpi.read");
}

fn kernel_reads() -> [kernel::Permission; 3] {
    [kernel::Permission::KpiRead, kernel::Permission::InvoicingRead, kernel::Permission::LedgerRead]
}

#[tokio::test]
async fn a_grant_of_one_company_is_none_in_another() {
    let world = World::new().await;
    let client = world.till().await;
    let tokens = world.tokens(&client).await;
    let principal = world.auth().current(&tokens.access_token, None).await.expect("looked up").expect("good");
    assert_eq!(principal.company.id, world.company);
    // Even the database, asked for the grant in another company or by another family, knows none.
    let mut raw = world.test.raw("coulisse_server").await;
    let kernel::Actor::Grant(grant) = principal.actor else { panic!("{principal:?}") };
    let family: Uuid = sqlx::query_scalar("SELECT id FROM oauth_family WHERE grant_id = $1")
        .bind(grant)
        .fetch_one(&mut raw)
        .await
        .expect("its family");
    let mut known = async |company: Uuid, family: Uuid| {
        sqlx::query("SELECT FROM oauth_grant_principal($1, $2, $3, $4)")
            .bind(company)
            .bind(grant)
            .bind(family)
            .bind(world.test.clock.now())
            .fetch_optional(&mut raw)
            .await
            .expect("asked")
            .is_some()
    };
    assert!(known(world.company, family).await);
    assert!(!known(world.partner.company().id, family).await);
    assert!(!known(world.company, Uuid::nil()).await);
}
