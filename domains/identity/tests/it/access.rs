//! Sessions and keys: hashed, revocable, expiring, and never more than they were given.

use chrono::TimeDelta;
use identity::api_key::service::{self as keys, NewApiKey};
use identity::member::service as members;
use identity::session::service as session;
use identity::{Error, NotSignedIn, Role};
use kernel::{DomainError, Origin, Permission, PermissionSet, Scope};
use testing::TestDb;
use uuid::Uuid;

use crate::founding::{authenticator, found, sign_in};

async fn create_key(scope: &Scope, permissions: PermissionSet, secret: &str) -> Result<Uuid, Error> {
    scope
        .write(|tx| {
            let (secret, new) = (
                secret.to_owned(),
                NewApiKey { name: "Partner".to_owned(), permissions, expires_at: None, networks: Vec::new() },
            );
            Box::pin(async move { keys::create(tx, new, &secret).await })
        })
        .await
}

#[tokio::test]
async fn a_session_ends_by_sign_out_by_idleness_and_by_age() {
    let test = TestDb::new().await;
    found(&authenticator(&test), "ada@example.com", "A").await.expect("founded");
    let start = test.clock.now();
    let signed_in = async |after: TimeDelta, token: &str| {
        test.clock.set(start + after);
        // A fresh authenticator remembers nothing, as another replica would.
        authenticator(&test).principal(token, None).await.is_ok()
    };
    let opened = sign_in(&authenticator(&test), "ada@example.com", None).await.expect("opened");
    assert!(signed_in(TimeDelta::hours(11), &opened.token).await);
    assert!(signed_in(TimeDelta::hours(22), &opened.token).await, "use keeps it alive");
    assert!(!signed_in(TimeDelta::hours(35), &opened.token).await, "twelve hours without use");
    test.clock.set(start);
    let opened = sign_in(&authenticator(&test), "ada@example.com", None).await.expect("opened");
    for hours in (0..24 * 14).step_by(10) {
        assert!(signed_in(TimeDelta::hours(hours), &opened.token).await, "{hours} h");
    }
    assert!(!signed_in(TimeDelta::days(14), &opened.token).await, "fourteen days at most");
    test.clock.set(start);
    let auth = authenticator(&test);
    let opened = sign_in(&auth, "ada@example.com", None).await.expect("opened");
    let principal = auth.principal(&opened.token, None).await.expect("principal");
    let scope = auth.scope(&principal, Origin::default());
    scope
        .write(|tx| {
            let (auth, id) = (auth.clone(), opened.id);
            Box::pin(async move { session::sign_out(tx, &auth, id).await })
        })
        .await
        .expect("signed out");
    assert!(matches!(auth.principal(&opened.token, None).await, Err(NotSignedIn::Token)));
}

#[tokio::test]
async fn secrets_are_stored_as_hashes_only() {
    let test = TestDb::new().await;
    let auth = authenticator(&test);
    let company = found(&auth, "ada@example.com", "A").await.expect("founded");
    let opened = sign_in(&auth, "ada@example.com", None).await.expect("opened");
    let scope = test.scope(company, kernel::Actor::Person(opened.person_id), PermissionSet::all());
    let secret = keys::generate_secret(kernel::Mode::Live);
    create_key(&scope, [Permission::KpiRead].into_iter().collect(), &secret).await.expect("key");
    let mut all = test.superuser().await;
    for table in ["session", "api_key", "api_key_hash", "credential", "person", "event", "company"] {
        let rows: Vec<String> =
            sqlx::query_scalar(sqlx::AssertSqlSafe(format!("SELECT t::text FROM {table} t")))
                .fetch_all(&mut all)
                .await
                .expect(table);
        for row in rows {
            for hidden in [&opened.token, &secret, crate::founding::PASSWORD] {
                assert!(!row.contains(hidden), "{table}");
            }
        }
    }
}

#[tokio::test]
async fn a_key_does_what_it_was_given_until_it_is_revoked() {
    let test = TestDb::new().await;
    let auth = authenticator(&test);
    let company = found(&auth, "ada@example.com", "A").await.expect("founded");
    let person = sign_in(&auth, "ada@example.com", None).await.expect("opened").person_id;
    let owner = test.scope(company, kernel::Actor::Person(person), PermissionSet::all());
    let secret = keys::generate_secret(kernel::Mode::Live);
    let id = create_key(&owner, [Permission::KpiRead].into_iter().collect(), &secret).await.expect("key");
    let principal = auth.principal(&secret, None).await.expect("principal");
    assert_eq!(principal.permissions.iter().collect::<Vec<_>>(), [Permission::KpiRead]);
    let used = keys::get(&owner.read().await.expect("snapshot"), id).await.expect("get").expect("key");
    assert_eq!(used.last_used_at, Some(test.clock.now()));
    owner.write(|tx| Box::pin(async move { keys::revoke(tx, id).await })).await.expect("revoked");
    auth.forget();
    assert!(matches!(auth.principal(&secret, None).await, Err(NotSignedIn::Token)));
}

#[tokio::test]
async fn nobody_makes_a_key_that_can_do_more_than_its_maker() {
    let test = TestDb::new().await;
    let auth = authenticator(&test);
    let company = found(&auth, "ada@example.com", "A").await.expect("founded");
    let maker = [Permission::ApiKeysManage, Permission::KpiRead].into_iter().collect();
    let scope = test.scope(company, kernel::Actor::Person(kernel::id::new()), maker);
    let beyond = [Permission::KpiRead, Permission::LedgerPost].into_iter().collect();
    let refused = create_key(&scope, beyond, "ck_live_x").await.expect_err("refused");
    assert_eq!(refused.code(), "BEYOND_OWN");
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_owners_who_leave_at_once_one_stays() {
    let test = TestDb::new().await;
    let auth = authenticator(&test);
    let company = found(&auth, "ada@example.com", "A").await.expect("founded");
    found(&auth, "bob@example.com", "B").await.expect("founded");
    let scope = test.scope(company, kernel::Actor::System, PermissionSet::all());
    scope
        .write(|tx| Box::pin(async move { members::add(tx, "bob@example.com", Role::Owner).await }))
        .await
        .expect("a second owner");
    let owners = members::list(&scope.read().await.expect("snapshot")).await.expect("members");
    let leave = |id: Uuid| {
        let scope = scope.clone();
        async move { scope.write(|tx| Box::pin(async move { members::remove(tx, id, 1).await })).await }
    };
    let (one, two) = tokio::join!(leave(owners[0].id), leave(owners[1].id));
    assert_eq!(u8::from(one.is_ok()) + u8::from(two.is_ok()), 1);
    let refused = one.err().or(two.err()).expect("refused");
    assert_eq!(refused.code(), "LAST_OWNER");
}

#[tokio::test]
async fn a_key_follows_its_makers_role_and_ends_with_its_maker() {
    let test = TestDb::new().await;
    let auth = authenticator(&test);
    let company = found(&auth, "ada@example.com", "A").await.expect("founded");
    found(&auth, "bob@example.com", "B").await.expect("founded");
    let owner = test.scope(company, kernel::Actor::System, PermissionSet::all());
    let member = owner
        .write(|tx| Box::pin(async move { members::add(tx, "bob@example.com", Role::Owner).await }))
        .await
        .expect("a second owner");
    let bob = sign_in(&auth, "bob@example.com", None).await.expect("opened").person_id;
    let secret = keys::generate_secret(kernel::Mode::Live);
    let wide = [Permission::KpiRead, Permission::LedgerPost].into_iter().collect();
    create_key(&test.scope(company, kernel::Actor::Person(bob), PermissionSet::all()), wide, &secret)
        .await
        .expect("key");
    let demote =
        owner.write(|tx| Box::pin(async move { members::change_role(tx, member, 1, Role::Sales).await }));
    demote.await.expect("demoted");
    auth.forget();
    let now = auth.principal(&secret, None).await.expect("principal").permissions;
    assert_eq!(now.iter().collect::<Vec<_>>(), [Permission::KpiRead]);
    owner.write(|tx| Box::pin(async move { members::remove(tx, member, 2).await })).await.expect("removed");
    auth.forget();
    assert!(matches!(auth.principal(&secret, None).await, Err(NotSignedIn::Token)));
}

#[tokio::test]
async fn a_program_makes_no_keys() {
    let test = TestDb::new().await;
    let auth = authenticator(&test);
    let company = found(&auth, "ada@example.com", "A").await.expect("founded");
    let program = test.scope(company, kernel::Actor::ApiKey(kernel::id::new()), PermissionSet::all());
    let refused = create_key(&program, [Permission::KpiRead].into_iter().collect(), "ck_live_x").await;
    assert_eq!(refused.expect_err("refused").code(), "INVALID");
}

#[tokio::test]
async fn who_is_added_elsewhere_still_signs_in_at_home() {
    let test = TestDb::new().await;
    let auth = authenticator(&test);
    let older = found(&auth, "ada@example.com", "Older").await.expect("founded");
    test.clock.set(test.clock.now() + TimeDelta::days(1));
    let home = found(&auth, "bob@example.com", "Home").await.expect("founded");
    test.clock.set(test.clock.now() + TimeDelta::days(1));
    let scope = test.scope(older, kernel::Actor::System, PermissionSet::all());
    scope
        .write(|tx| Box::pin(async move { members::add(tx, "bob@example.com", Role::Sales).await }))
        .await
        .expect("added without being asked");
    assert_eq!(sign_in(&auth, "bob@example.com", None).await.expect("opened").company_id, home);
}
