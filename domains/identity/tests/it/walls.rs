//! Nobody does what a role does not allow, and nobody reaches another company.

use identity::company::service::{self as companies, CompanyChange};
use identity::{Error, Role, api_key, approval, member, role};
use kernel::{Actor, DomainError, PermissionSet};
use testing::TestDb;

use crate::founding::{authenticator, found};

#[tokio::test]
async fn every_use_case_needs_its_permission() {
    let test = TestDb::new().await;
    let company = found(&authenticator(&test), "ada@example.com", "A").await.expect("founded");
    let nobody = test.scope(company, Actor::System, PermissionSet::NONE);
    let denied = |error: Error| assert!(error.denied().is_some(), "{error}");
    let id = kernel::id::new();
    let tx = nobody.read().await.expect("snapshot");
    denied(companies::get(&tx).await.expect_err("company"));
    denied(companies::update(&tx, 1, CompanyChange::default()).await.expect_err("update"));
    denied(member::service::list(&tx).await.expect_err("members"));
    denied(member::service::get(&tx, id).await.expect_err("member"));
    denied(member::service::add(&tx, "a@b.c", Role::Owner).await.expect_err("add"));
    denied(member::service::change_role(&tx, id, 1, Role::Owner).await.expect_err("change"));
    denied(member::service::remove(&tx, id, 1).await.expect_err("remove"));
    denied(role::service::list(&tx, true).await.expect_err("roles"));
    denied(role::service::get(&tx, id).await.expect_err("role"));
    denied(role::service::member_counts(&tx, &[]).await.expect_err("counts"));
    let new =
        role::service::NewRole { name: "x".into(), description: None, permissions: PermissionSet::all() };
    denied(role::service::create(&tx, new).await.expect_err("create"));
    denied(
        role::service::update(&tx, id, 1, role::service::RoleChange::default()).await.expect_err("update"),
    );
    denied(role::service::archive(&tx, id, 1).await.expect_err("archive"));
    let (auth, first) = (authenticator(&test), kernel::page::Slice::first(1));
    let means = approval::Means { auth: &auth, public_url: "https://books.example" };
    denied(approval::service::list(&tx, false, &first).await.expect_err("requests"));
    denied(approval::service::count(&tx, false).await.expect_err("how many"));
    denied(approval::service::get(&tx, id).await.expect_err("request"));
    denied(approval::service::approve(&tx, id, 1, means).await.expect_err("approve"));
    denied(approval::service::reject(&tx, id, 1).await.expect_err("reject"));
    denied(approval::service::withdraw(&tx, id, 1).await.expect_err("withdraw"));
    for act in [
        approval::Act::TurnOff,
        approval::Act::ChangeRole { member: id, expected_version: 1, role: "sales".into() },
        approval::Act::Invite { email: "a@b.c".into(), role: "sales".into() },
        approval::Act::JoinByDomain { domain: id, expected_version: 1, joins: Some(true), role: None },
    ] {
        denied(approval::service::make_or_ask(&tx, &act, means).await.expect_err("ask"));
    }
    denied(api_key::service::list(&tx).await.expect_err("keys"));
    denied(api_key::service::get(&tx, id).await.expect_err("key"));
    denied(api_key::service::revoke(&tx, id).await.expect_err("revoke"));
    let new = api_key::service::NewApiKey {
        name: "x".into(),
        permissions: PermissionSet::all(),
        expires_at: None,
        networks: Vec::new(),
    };
    denied(api_key::service::create(&tx, new, "ck_live_x").await.expect_err("create"));
    let change = api_key::service::KeyChange::default();
    denied(api_key::service::update(&tx, id, 1, change).await.expect_err("update"));
    denied(api_key::service::rotate(&tx, id, 1, "ck_live_x").await.expect_err("rotate"));
    denied(api_key::service::hand_over(&tx, id, 1, id).await.expect_err("hand over"));
    denied(identity::company::twin::reserve(&tx, None).await.expect_err("twin"));
}

#[tokio::test]
async fn another_companys_ids_are_unknown_ids() {
    let test = TestDb::new().await;
    let auth = authenticator(&test);
    let a = found(&auth, "ada@example.com", "A").await.expect("founded");
    let b = found(&auth, "bob@example.com", "B").await.expect("founded");
    let own = test.scope(a, Actor::System, PermissionSet::all());
    let foreign = test.scope(b, Actor::System, PermissionSet::all());
    let member = member::service::list(&own.read().await.expect("snapshot")).await.expect("members")[0].id;
    for id in [member, kernel::id::new()] {
        let tx = foreign.read().await.expect("snapshot");
        assert!(member::service::get(&tx, id).await.expect("get").is_none());
        tx.end().await;
        let change = foreign
            .write(|tx| Box::pin(async move { member::service::change_role(tx, id, 1, Role::Sales).await }));
        let refused = change.await.expect_err("refused");
        assert_eq!((refused.code(), refused.to_string()), ("NOT_FOUND", "no such membership".to_owned()));
    }
}

#[tokio::test]
async fn a_stale_version_is_a_conflict_and_changes_nothing() {
    let test = TestDb::new().await;
    let company = found(&authenticator(&test), "ada@example.com", "A").await.expect("founded");
    let scope = test.scope(company, Actor::System, PermissionSet::all());
    let rename = |version: i32, name: &'static str| {
        let scope = scope.clone();
        async move {
            scope
                .write(|tx| {
                    let change = CompanyChange { name: Some(name.to_owned()), ..CompanyChange::default() };
                    Box::pin(async move { companies::update(tx, version, change).await })
                })
                .await
        }
    };
    rename(1, "New").await.expect("renamed");
    let refused = rename(1, "Newer").await.expect_err("stale");
    assert_eq!((refused.code(), refused.field()), ("CONFLICT", Some("expectedVersion".to_owned())));
    let now = companies::get(&scope.read().await.expect("snapshot")).await.expect("company");
    assert_eq!((now.name.as_str(), now.version), ("New", 2));
}
