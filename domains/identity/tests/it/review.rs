//! Who may do what, what of it was used, and members who are kept out or leave.

use chrono::{Days, NaiveDate};
use identity::api_key::service::{self as keys, NewApiKey};
use identity::member::{held, leaving, service as members};
use identity::review::{Kind, service as review, uses};
use identity::{Authenticator, Error, Role};
use kernel::{Actor, DomainError, Origin, Permission, PermissionSet, Scope};
use testing::TestDb;
use uuid::Uuid;

use crate::founding::{authenticator, found, sign_in};

/// A company with an owner, and an accountant by name of `bob@example.com`.
struct Company {
    auth: Authenticator,
    id: Uuid,
    owner: Scope,
    accountant: Uuid,
}

async fn company(test: &TestDb) -> Company {
    let auth = authenticator(test);
    let id = found(&auth, "ada@example.com", "A").await.expect("founded");
    found(&auth, "bob@example.com", "B").await.expect("founded");
    let owner = signed_in(&auth, "ada@example.com", id).await;
    let add = owner
        .write(|tx| Box::pin(async move { members::add(tx, "bob@example.com", Role::Accountant).await }));
    let accountant = add.await.expect("added");
    Company { auth, id, owner, accountant }
}

async fn signed_in(auth: &Authenticator, email: &str, company: Uuid) -> Scope {
    let opened = sign_in(auth, email, Some(company)).await.expect("opened");
    let principal = auth.principal(&opened.token, None).await.expect("principal");
    auth.scope(&principal, Origin::default())
}

async fn create_key(owner: &Scope, secret: &str) -> Uuid {
    let create = owner.write(|tx| {
        let secret = secret.to_owned();
        Box::pin(async move {
            let permissions = [Permission::KpiRead, Permission::LedgerRead].into_iter().collect();
            let new =
                NewApiKey { name: "=Partner".into(), permissions, expires_at: None, networks: Vec::new() };
            keys::create(tx, new, &secret).await
        })
    });
    create.await.expect("a key")
}

async fn reviewed(company: &Company) -> identity::review::Review {
    let tx = company.owner.read().await.expect("snapshot");
    review::review(&company.auth, &tx).await.expect("a review")
}

/// When a right was used last, by the name of who has it.
fn last(review: &identity::review::Review, identifier: &str, permission: Permission) -> Option<NaiveDate> {
    let access = review.accesses.iter().find(|access| access.identifier == identifier).expect(identifier);
    access.rights.iter().find(|right| right.permission == permission).expect("the right").last_used_on
}

#[tokio::test]
async fn a_review_tells_who_may_do_what_and_when_it_was_used_last() {
    let test = TestDb::new().await;
    let company = company(&test).await;
    let secret = keys::generate_secret(kernel::Mode::Live);
    create_key(&company.owner, &secret).await;
    let bob = signed_in(&company.auth, "bob@example.com", company.id).await;
    bob.require(Permission::LedgerPost).expect("an accountant posts");
    bob.require(Permission::MembersManage).expect_err("what is refused is not used");
    let key = company.auth.principal(&secret, None).await.expect("a key");
    company.auth.scope(&key, Origin::default()).require(Permission::KpiRead).expect("the key reads");
    uses::flush(&company.auth).await.expect("written down");
    let first = test.clock.today(chrono_tz::Europe::Paris);
    let before = reviewed(&company).await;
    assert_eq!((before.count(Kind::Member), before.count(Kind::ApiKey)), (2, 1));
    assert_eq!(last(&before, "bob@example.com", Permission::LedgerPost), Some(first));
    assert_eq!(last(&before, "bob@example.com", Permission::LedgerClose), None);
    let hint = format!("…{}", &secret[secret.len() - 4..]);
    assert_eq!(last(&before, &hint, Permission::KpiRead), Some(first));
    assert_eq!(last(&before, &hint, Permission::LedgerRead), None);
    let bob_now = before.accesses.iter().find(|access| access.identifier == "bob@example.com").expect("bob");
    assert_eq!(bob_now.role.as_deref(), Some("accountant"));
    assert_eq!((bob_now.second_factor, bob_now.granted_by_name.as_deref()), (Some(false), Some("Ada")));
    assert!(!bob_now.rights.iter().any(|right| right.permission == Permission::MembersManage));
    // A name that a spreadsheet would run is only text in it.
    assert!(before.csv().contains("\"api_key\",\"'=Partner\""), "{}", before.csv());
    // On a later day only the last day moves.
    let later = first + Days::new(3);
    test.clock.set(test.clock.now() + chrono::TimeDelta::days(3));
    let bob = signed_in(&company.auth, "bob@example.com", company.id).await;
    bob.require(Permission::LedgerPost).expect("posts again");
    uses::flush(&company.auth).await.expect("written down");
    let company = Company { owner: signed_in(&company.auth, "ada@example.com", company.id).await, ..company };
    assert_eq!(last(&reviewed(&company).await, "bob@example.com", Permission::LedgerPost), Some(later));
    let mut all = test.superuser().await;
    let days: (NaiveDate, NaiveDate) = sqlx::query_as(
        "SELECT first_used_on, last_used_on FROM permission_use WHERE permission = 'ledger.post'",
    )
    .fetch_one(&mut all)
    .await
    .expect("one row");
    assert_eq!(days, (first, later));
}

#[tokio::test]
async fn what_cannot_be_written_down_is_kept_for_the_next_time() {
    let test = TestDb::new().await;
    let company = company(&test).await;
    company.owner.require(Permission::LedgerPost).expect("an owner may");
    let mut all = test.superuser().await;
    sqlx::raw_sql("ALTER TABLE permission_use RENAME TO away").execute(&mut all).await.expect("away");
    uses::flush(&company.auth).await.expect_err("there is no such table");
    sqlx::raw_sql("ALTER TABLE away RENAME TO permission_use").execute(&mut all).await.expect("back");
    uses::flush(&company.auth).await.expect("written down");
    assert!(last(&reviewed(&company).await, "ada@example.com", Permission::LedgerPost).is_some());
}

#[tokio::test]
async fn a_completed_review_is_on_record_with_its_counts_and_its_note_apart_from_the_log() {
    let test = TestDb::new().await;
    let company = company(&test).await;
    let tx = company.owner.read().await.expect("snapshot");
    assert!(review::last(&tx).await.expect("asked").is_none());
    tx.end().await;
    let complete = company.owner.write(|tx| {
        let auth = company.auth.clone();
        Box::pin(async move { review::complete(tx, &auth, Some("Bob posts no more")).await })
    });
    complete.await.expect("completed");
    let tx = company.owner.read().await.expect("snapshot");
    let done = review::last(&tx).await.expect("asked").expect("on record");
    assert_eq!((done.note.as_deref(), &done.counts[..3]), (Some("Bob posts no more"), &[2, 0, 0][..]));
    assert!(done.counts[3] > 20, "{:?}", done.counts);
    let mut all = test.superuser().await;
    let written: i64 = sqlx::query_scalar(
        "SELECT count(*) FROM event WHERE position(convert_to('Bob', 'UTF8') IN payload) > 0",
    )
    .fetch_one(&mut all)
    .await
    .expect("counted");
    assert_eq!(written, 0, "the log itself names nobody");
}

#[tokio::test]
async fn a_review_is_for_who_sees_members_and_the_audit_trail() {
    let test = TestDb::new().await;
    let company = company(&test).await;
    for missing in [Permission::MembersRead, Permission::AuditRead] {
        let others = PermissionSet::all().iter().filter(|permission| *permission != missing).collect();
        let scope = test.scope(company.id, Actor::Person(kernel::id::new()), others);
        let tx = scope.read().await.expect("snapshot");
        let refused = review::review(&company.auth, &tx).await.expect_err("refused");
        assert_eq!(refused.denied().map(|denied| denied.0), Some(missing));
        assert!(review::last(&tx).await.is_err());
    }
}

async fn suspend(company: &Company, by: &Scope, member: Uuid, version: i32) -> Result<(), Error> {
    by.write(|tx| {
        let auth = company.auth.clone();
        Box::pin(async move { leaving::suspend(tx, &auth, member, version).await })
    })
    .await
}

#[tokio::test]
async fn a_suspended_member_is_out_with_the_keys_and_comes_back_with_the_role_and_no_old_session() {
    let test = TestDb::new().await;
    let company = company(&test).await;
    let opened = sign_in(&company.auth, "bob@example.com", Some(company.id)).await.expect("opened");
    suspend(&company, &company.owner, company.accountant, 1).await.expect("suspended");
    assert!(company.auth.current(&opened.token, None).await.expect("asked").is_none());
    sign_in(&company.auth, "bob@example.com", Some(company.id)).await.expect_err("nobody signs in meanwhile");
    let review = reviewed(&company).await;
    let bob =
        review.accesses.iter().find(|access| access.identifier == "bob@example.com").expect("still a member");
    assert!(bob.suspended_at.is_some());
    let member = company.accountant;
    let back = company.owner.write(|tx| Box::pin(async move { leaving::reactivate(tx, member, 2).await }));
    back.await.expect("back");
    company.auth.forget();
    assert!(
        company.auth.current(&opened.token, None).await.expect("asked").is_none(),
        "it has ended for good"
    );
    let bob = signed_in(&company.auth, "bob@example.com", company.id).await;
    bob.require(Permission::LedgerPost).expect("an accountant as before");
}

#[tokio::test]
async fn nobody_is_suspended_by_themselves_nor_the_last_owner_who_may_act() {
    let test = TestDb::new().await;
    let company = company(&test).await;
    let tx = company.owner.read().await.expect("snapshot");
    let own = members::list(&tx).await.expect("members")[0].id;
    tx.end().await;
    assert_eq!(suspend(&company, &company.owner, own, 1).await.expect_err("oneself").code(), "INVALID");
    let system = test.scope(company.id, Actor::System, PermissionSet::all());
    assert_eq!(suspend(&company, &system, own, 1).await.expect_err("the last").code(), "LAST_OWNER");
    // With a second owner who is suspended the first one is still the last.
    let member = company.accountant;
    let promote = company
        .owner
        .write(|tx| Box::pin(async move { members::change_role(tx, member, 1, Role::Owner).await }));
    promote.await.expect("promoted");
    suspend(&company, &company.owner, member, 2).await.expect("suspended");
    assert_eq!(suspend(&company, &system, own, 1).await.expect_err("the last").code(), "LAST_OWNER");
    assert_eq!(suspend(&company, &system, own, 9).await.expect_err("another version").code(), "CONFLICT");
}

#[tokio::test]
async fn who_left_and_comes_back_finds_no_old_session_and_what_they_hold_is_told() {
    let test = TestDb::new().await;
    let company = company(&test).await;
    let opened = sign_in(&company.auth, "bob@example.com", Some(company.id)).await.expect("opened");
    let (member, auth) = (company.accountant, company.auth.clone());
    let remove = company.owner.write(|tx| {
        let auth = auth.clone();
        Box::pin(async move { leaving::remove(tx, &auth, member, 1).await })
    });
    remove.await.expect("removed");
    let again = company
        .owner
        .write(|tx| Box::pin(async move { members::add(tx, "bob@example.com", Role::Sales).await }));
    again.await.expect("back");
    company.auth.forget();
    assert!(company.auth.current(&opened.token, None).await.expect("asked").is_none());
    create_key(&company.owner, &keys::generate_secret(kernel::Mode::Live)).await;
    let tx = company.owner.read().await.expect("snapshot");
    let own = members::list(&tx).await.expect("members")[0].clone();
    let (person, may) = held::holder(&tx, own.id).await.expect("the owner");
    assert_eq!((person, may), (own.person_id, PermissionSet::all()));
    let held = held::held_by_in(&tx, person).await.expect("held");
    assert_eq!(
        (held.total, held.things.iter().map(|(_, label)| label.as_str()).collect::<Vec<_>>()),
        (1, vec!["=Partner"])
    );
}
