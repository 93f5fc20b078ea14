//! A token does what its scopes, grant, application and person allow now, and ends with each of them.

use std::time::{Duration, Instant};

use authority::{Code, TokenQuestion};
use identity::Role;
use identity::access::service as access;
use identity::api_key::service::behind_in;
use identity::member::{leaving, service as members};
use identity::oauth::client::service::{self as clients, ClientChange};
use identity::oauth::consent::{self, Asked};
use identity::oauth::grant::service as grants;
use identity::oauth::token;
use identity::{Assurance, Authenticator};
use kernel::{Actor, DomainError, Permission, PermissionSet};
use tokio::task::JoinSet;
use uuid::Uuid;

use super::{READS, World, refused, set};

async fn grant_of(world: &World, access_token: &str) -> Uuid {
    let found = world.auth().current(access_token, None).await.expect("looked up").expect("good");
    match found.actor {
        Actor::Grant(grant) => grant,
        other => panic!("{other:?}"),
    }
}

async fn revoke(world: &World, scope: &kernel::Scope, grant: Uuid) -> Result<(), identity::Error> {
    let _ = world;
    scope.write(|tx| Box::pin(async move { grants::revoke(tx, grant).await })).await
}

#[tokio::test]
async fn nobody_lets_a_program_do_more_than_they_may_themselves() {
    let world = World::new().await;
    let client = world.till().await;
    // Purchasers read figures, and no customers' invoices.
    let (paul, _) = world.member("paul@example.com", Role::Purchaser).await;
    let given = world.consent_of(paul, &client, &READS).await.expect("granted");
    assert_eq!(given.permissions, set(&[Permission::KpiRead]));
    let none = world.consent_of(paul, &client, &[Permission::InvoicingRead]).await;
    assert_eq!(refused(none), Code::AccessDenied);
    let beyond = world.consent_of(paul, &client, &[Permission::BillsRead]).await;
    assert_eq!(refused(beyond), Code::AccessDenied, "the application has not registered it");
    // Nor in a company that is not theirs.
    let pat = match world.partner.actor() {
        Actor::Person(pat) => pat,
        other => panic!("{other:?}"),
    };
    assert_eq!(refused(world.consent_of(pat, &client, &READS).await), Code::AccessDenied);
}

#[tokio::test]
async fn a_token_follows_its_persons_role_and_its_applications_registration() {
    let world = World::new().await;
    let client = world.till().await;
    let (paul, membership) = world.member("paul@example.com", Role::Accountant).await;
    let given = world.consent_of(paul, &client, &READS).await.expect("granted");
    let tokens = world.tokens_of(&client, &given).await;
    assert_eq!(world.rights(&tokens.access_token).await, set(&READS));
    let change = world
        .owner
        .write(|tx| Box::pin(async move { members::change_role(tx, membership, 1, Role::Purchaser).await }));
    change.await.expect("changed");
    assert_eq!(world.rights(&tokens.access_token).await, set(&[Permission::KpiRead]));
    let less =
        ClientChange { permissions: Some(set(&[Permission::InvoicingRead])), ..ClientChange::default() };
    let narrow = world.partner.write(|tx| {
        let less = less.clone();
        Box::pin(async move { clients::update(tx, client.id, 1, less).await })
    });
    narrow.await.expect("narrowed");
    assert_eq!(world.rights(&tokens.access_token).await, PermissionSet::NONE);
}

#[tokio::test]
async fn whoever_gave_a_grant_and_whoever_manages_members_revokes_it_and_nobody_else_finds_it() {
    let world = World::new().await;
    let client = world.till().await;
    let (paul, _) = world.member("paul@example.com", Role::Accountant).await;
    for by_owner in [false, true] {
        let tokens = world.tokens(&client).await;
        let grant = grant_of(&world, &tokens.access_token).await;
        let reads = Role::Accountant.permissions();
        let other = world.test.scope(world.company, Actor::Person(paul), reads);
        assert_eq!(revoke(&world, &other, grant).await.expect_err("refused").code(), "NOT_FOUND");
        // A program does not manage what people gave it.
        let itself = world.test.scope(world.company, Actor::Grant(grant), set(&READS));
        assert_eq!(revoke(&world, &itself, grant).await.expect_err("refused").code(), "NOT_FOUND");
        assert_eq!(world.rights(&tokens.access_token).await, set(&READS));
        let permissions = if by_owner { PermissionSet::all() } else { PermissionSet::NONE };
        let person = if by_owner { Actor::Person(paul) } else { Actor::Person(world.ada) };
        let scope = world.test.scope(world.company, person, permissions);
        revoke(&world, &scope, grant).await.expect("revoked");
        assert_eq!(world.rights(&tokens.access_token).await, PermissionSet::NONE);
        let refresh = tokens.refresh_token.expect("a refresh token");
        assert_eq!(refused(world.refresh(&client, &refresh).await), Code::InvalidGrant);
    }
}

#[tokio::test]
async fn a_grant_ends_with_its_person_and_does_not_come_back_with_them() {
    let world = World::new().await;
    let client = world.till().await;
    let (paul, membership) = world.member("paul@example.com", Role::Accountant).await;
    let given = world.consent_of(paul, &client, &READS).await.expect("granted");
    let tokens = world.tokens_of(&client, &given).await;
    let auth = world.auth();
    let leave = world.owner.write(|tx| {
        let auth = auth.clone();
        Box::pin(async move { leaving::remove(tx, &auth, membership, 1).await })
    });
    leave.await.expect("removed");
    assert_eq!(world.rights(&tokens.access_token).await, PermissionSet::NONE);
    let again = world
        .owner
        .write(|tx| Box::pin(async move { members::add_in(tx, paul, Role::Accountant).await.map(|_| ()) }));
    again.await.expect("back");
    assert_eq!(world.rights(&tokens.access_token).await, PermissionSet::NONE);
    let refresh = tokens.refresh_token.expect("a refresh token");
    assert_eq!(refused(world.refresh(&client, &refresh).await), Code::InvalidGrant);
}

/// Waits until a token stands for nobody; how long that took.
async fn gone(auth: &Authenticator, token: &str) -> Duration {
    let since = Instant::now();
    while auth.current(token, None).await.expect("looked up").is_some() {
        assert!(since.elapsed() < Duration::from_secs(10), "it never goes");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    since.elapsed()
}

#[tokio::test]
async fn another_replica_hears_within_a_second_that_a_grant_a_family_or_an_application_has_ended() {
    let world = World::new().await;
    let here = world.auth();
    let mut watching = JoinSet::new();
    watching.spawn(access::watch(here.clone()));
    let mut told = here.access().follow();
    told.changed().await.expect("what was before it began is unknown");
    for what in ["grant", "family", "application"] {
        let client = world.till().await;
        let tokens = world.tokens(&client).await;
        let principal = here.principal(&tokens.access_token, None).await.expect("good");
        match what {
            "grant" => {
                let grant = grant_of(&world, &tokens.access_token).await;
                revoke(&world, &world.owner, grant).await.expect("revoked");
            }
            "family" => {
                let asked = TokenQuestion { token: tokens.access_token.clone(), hint: None };
                token::revoke(&world.auth(), &client, &asked).await.expect("revoked");
            }
            _ => {
                let id = client.id;
                let archive =
                    world.partner.write(|tx| Box::pin(async move { clients::archive(tx, id).await }));
                archive.await.expect("archived");
            }
        }
        let after = gone(&here, &tokens.access_token).await;
        assert!(after < Duration::from_secs(1), "{what}: after {after:?}");
        assert!(here.access().concerns(&principal.company, principal.actor), "{what}");
    }
}

#[tokio::test]
async fn a_further_consent_widens_the_grant_that_lives() {
    let world = World::new().await;
    let client = world.till().await;
    let first = world.consent_of(world.ada, &client, &[Permission::KpiRead]).await.expect("granted");
    let second = world.consent_of(world.ada, &client, &[Permission::InvoicingRead]).await.expect("granted");
    assert_eq!(first.grant, second.grant);
    let tx = world.owner.read().await.expect("snapshot");
    let mine = grants::mine(&tx).await.expect("mine");
    assert_eq!(mine.len(), 1);
    assert_eq!(mine[0].permissions, ["invoicing.read", "kpi.read"]);
    // A token has what its own consent was about.
    let tokens = world.tokens_of(&client, &second).await;
    assert_eq!(tokens.scope, "invoicing.read");
}

#[tokio::test]
async fn for_four_eyes_a_grant_is_whoever_gave_it() {
    let world = World::new().await;
    let client = world.till().await;
    let grant = grant_of(&world, &world.tokens(&client).await.access_token).await;
    let tx = world.owner.read().await.expect("snapshot");
    assert_eq!(behind_in(&tx, &Actor::Grant(grant).stored()).await.expect("people"), [world.ada]);
    assert_eq!(
        behind_in(&tx, &Actor::Grant(Uuid::nil()).stored()).await.expect("people"),
        Vec::<Uuid>::new()
    );
}

#[tokio::test]
async fn where_a_second_factor_is_demanded_nothing_is_granted_without_it() {
    let world = World::new().await;
    let client = world.till().await;
    let before = world.tokens(&client).await.access_token;
    assert_ne!(world.rights(&before).await, PermissionSet::NONE);
    sqlx::query("UPDATE company SET second_factor_from = $2 WHERE tenant_id = $1")
        .bind(world.company)
        .bind(world.test.clock.now())
        .execute(&mut world.test.superuser().await)
        .await
        .expect("demanded");
    assert_eq!(
        world.rights(&before).await,
        PermissionSet::NONE,
        "what was granted before waits for it as well"
    );
    assert_eq!(refused(world.consent_of(world.ada, &client, &READS).await), Code::AccessDenied);
    let choices = async |assurance| {
        let asked = Asked { person: world.ada, assurance, only: None };
        consent::choices(&world.auth(), asked, &client, set(&READS)).await.expect("choices").len()
    };
    assert_eq!(choices(Assurance::Password).await, 0);
    assert_eq!(choices(Assurance::SecondFactor).await, 1);
}
