//! Trusted documents: one text for a hash, the company's own, in use until it is archived.

use identity::company::service::{self as companies, CompanyChange};
use identity::trusted_document::service::{self as documents, DocumentFilter};
use identity::trusted_document::{MOST_AT_ONCE, MOST_BYTES, NewDocument, hash};
use identity::{Authenticator, Error, Principal, Role};
use kernel::page::{Cursor, Slice};
use kernel::{Actor, DomainError, Origin, Permission, PermissionSet, Scope};
use testing::TestDb;
use uuid::Uuid;

use crate::founding::{authenticator, found, sign_in};

const TEXT: &str = "query Viewer { viewer { role } }";

fn document(name: &str, text: &str) -> NewDocument {
    NewDocument { name: name.to_owned(), text: text.to_owned() }
}

async fn register(scope: &Scope, new: &[NewDocument]) -> Result<Vec<Uuid>, Error> {
    let new = new.to_vec();
    let registered = scope.write(move |tx| {
        let new = new.clone();
        Box::pin(async move { documents::register(tx, &new).await })
    });
    registered.await
}

async fn archive(scope: &Scope, id: Uuid) -> Result<(), Error> {
    scope.write(|tx| Box::pin(async move { documents::archive(tx, id).await })).await
}

/// The text that a fresh replica finds for a hash.
async fn text(test: &TestDb, principal: &Principal, hashed: &str) -> Option<String> {
    let found = authenticator(test).trusted_document(principal, &hash(hashed)).await.expect("looked up");
    found.map(|text| text.to_string())
}

async fn events(test: &TestDb, company: Uuid) -> Vec<String> {
    sqlx::query_scalar(
        "SELECT kind FROM event WHERE tenant_id = $1 AND kind LIKE 'trusted_document.%' ORDER BY position",
    )
    .bind(company)
    .fetch_all(&mut test.superuser().await)
    .await
    .expect("events")
}

/// A company, its owner's scope, and its owner signed in.
async fn owner(test: &TestDb, email: &str) -> (Scope, Principal) {
    let auth = authenticator(test);
    found(&auth, email, "A").await.expect("founded");
    let opened = sign_in(&auth, email, None).await.expect("opened");
    let principal = auth.principal(&opened.token, None).await.expect("principal");
    (auth.scope(&principal, Origin::default()), principal)
}

#[tokio::test]
async fn a_text_is_found_by_its_hash_in_its_company_until_it_is_archived() {
    let test = TestDb::new().await;
    let (scope, principal) = owner(&test, "ada@example.com").await;
    let (_, other) = owner(&test, "bob@example.com").await;
    assert_eq!(text(&test, &principal, TEXT).await, None);
    let ids = register(&scope, &[document("Viewer", TEXT)]).await.expect("registered");
    assert_eq!(text(&test, &principal, TEXT).await.as_deref(), Some(TEXT));
    assert_eq!(text(&test, &other, TEXT).await, None, "another company's");
    archive(&scope, ids[0]).await.expect("archived");
    archive(&scope, ids[0]).await.expect("archived twice");
    assert_eq!(text(&test, &principal, TEXT).await, None);
    let again = register(&scope, &[document("Again", TEXT)]).await.expect("registered again");
    assert_eq!(again, ids);
    assert_eq!(text(&test, &principal, TEXT).await.as_deref(), Some(TEXT));
    let (registered, archived) = ("trusted_document.registered", "trusted_document.archived");
    assert_eq!(events(&test, scope.company().id).await, [registered, archived, registered]);
}

#[tokio::test]
async fn a_replica_that_archives_a_document_runs_it_no_more() {
    let test = TestDb::new().await;
    let (scope, principal) = owner(&test, "ada@example.com").await;
    let auth: Authenticator = authenticator(&test);
    let ids = register(&scope, &[document("Viewer", TEXT)]).await.expect("registered");
    assert!(auth.trusted_document(&principal, &hash(TEXT)).await.expect("found").is_some());
    archive(&scope, ids[0]).await.expect("archived");
    auth.forget();
    assert!(auth.trusted_document(&principal, &hash(TEXT)).await.expect("looked up").is_none());
}

#[tokio::test]
async fn registering_again_changes_nothing() {
    let test = TestDb::new().await;
    let (scope, _) = owner(&test, "ada@example.com").await;
    let twice = [document("B", "{ b }"), document("A", "{ a }"), document("Another B", "{ b }")];
    let ids = register(&scope, &twice).await.expect("registered");
    assert_eq!(ids[0], ids[2], "one text, one document");
    assert_ne!(ids[0], ids[1]);
    assert_eq!(register(&scope, &twice).await.expect("again"), ids);
    let tx = scope.read().await.expect("snapshot");
    let listed = documents::by_ids(&tx, &ids).await.expect("by ids");
    assert_eq!(listed.len(), 2);
    assert!(listed.iter().all(|document| document.name == "A" || document.name.contains('B')));
    let texts = documents::texts(&tx, &ids).await.expect("texts");
    assert!(texts.contains(&(ids[0], "{ b }".to_owned())) && texts.contains(&(ids[1], "{ a }".to_owned())));
    assert_eq!(events(&test, scope.company().id).await.len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn two_who_register_the_same_texts_at_once_register_them_once() {
    let test = TestDb::new().await;
    let (scope, _) = owner(&test, "ada@example.com").await;
    let forward: Vec<_> = (0..40).map(|n| document("N", &format!("{{ a{n} }}"))).collect();
    let backward: Vec<_> = forward.iter().rev().cloned().collect();
    let (one, two) = tokio::join!(register(&scope, &forward), register(&scope, &backward));
    let mut two = two.expect("the other");
    two.reverse();
    assert_eq!(one.expect("one"), two);
    assert_eq!(events(&test, scope.company().id).await.len(), 40);
}

#[tokio::test]
async fn one_bad_document_registers_none_and_is_named() {
    let test = TestDb::new().await;
    let (scope, _) = owner(&test, "ada@example.com").await;
    let long = "x".repeat(MOST_BYTES + 1);
    let refused = register(&scope, &[document("A", "{ a }"), document("B", &long)]).await.expect_err("long");
    assert_eq!((refused.code(), refused.field().as_deref()), ("INVALID", Some("documents.1.text")));
    let many = vec![document("A", "{ a }"); MOST_AT_ONCE + 1];
    for wrong in [&many[..], &[]] {
        let refused = register(&scope, wrong).await.expect_err("too many, or none");
        assert_eq!((refused.code(), refused.field().as_deref()), ("INVALID", Some("documents")));
    }
    let tx = scope.read().await.expect("snapshot");
    assert_eq!(documents::count(&tx, &DocumentFilter::default()).await.expect("count"), 0);
}

#[tokio::test]
async fn documents_are_listed_newest_first_page_by_page() {
    let test = TestDb::new().await;
    let (scope, _) = owner(&test, "ada@example.com").await;
    let mut ids = Vec::new();
    for n in 0..5 {
        ids.extend(
            register(&scope, &[document(&n.to_string(), &format!("{{ a{n} }}"))]).await.expect("registered"),
        );
    }
    archive(&scope, ids[1]).await.expect("archived");
    let tx = scope.read().await.expect("snapshot");
    let names = async |filter: DocumentFilter, slice: Slice| {
        let page = documents::list(&tx, &filter, &slice).await.expect("page");
        let names: String = page.items.iter().map(|document| document.name.as_str()).collect();
        (names, page.has_previous, page.has_next)
    };
    let all = DocumentFilter::default;
    let at = |n: usize| Some(Cursor { key: String::new(), id: ids[n] });
    assert_eq!(names(all(), Slice::first(3)).await, ("432".to_owned(), false, true));
    let after = Slice { after: at(2), ..Slice::first(3) };
    assert_eq!(names(all(), after).await, ("10".to_owned(), true, false));
    let before = Slice { before: at(2), backward: true, ..Slice::first(1) };
    assert_eq!(names(all(), before).await, ("3".to_owned(), true, true));
    let last = Slice { backward: true, ..Slice::first(2) };
    assert_eq!(names(all(), last).await, ("10".to_owned(), true, false));
    for (filter, found) in [
        (DocumentFilter { archived: Some(true), ..all() }, "1"),
        (DocumentFilter { archived: Some(false), ..all() }, "4320"),
        (DocumentFilter { sha256: Some(hash("{ a3 }").to_vec()), ..all() }, "3"),
        (DocumentFilter { sha256: Some(hash("{ a1 }").to_vec()), archived: Some(false) }, ""),
    ] {
        let counted = documents::count(&tx, &filter).await.expect("count");
        assert_eq!(counted, found.len() as u64);
        assert_eq!(names(filter, Slice::first(10)).await.0, found);
    }
}

#[tokio::test]
async fn a_hash_means_one_text_for_ever() {
    let test = TestDb::new().await;
    let (scope, _) = owner(&test, "ada@example.com").await;
    register(&scope, &[document("Viewer", TEXT)]).await.expect("registered");
    let attempt = async |sql: &'static str| {
        let tried: Result<(), testing::Failed> =
            scope.write(|tx| Box::pin(async move { Ok(tx.run(sql, []).await.map(|_| ())?) })).await;
        let Err(testing::Failed::Fault(fault)) = tried else { panic!("{sql}: {tried:?}") };
        fault.sqlstate().map(std::borrow::Cow::into_owned)
    };
    let (denied, check) = (Some("42501".to_owned()), Some("23514".to_owned()));
    assert_eq!(attempt("UPDATE trusted_document SET body = '{ other }'").await, denied);
    assert_eq!(attempt("UPDATE trusted_document SET sha256 = sha256('{ other }')").await, denied);
    assert_eq!(attempt("DELETE FROM trusted_document").await, denied);
    let forged = "INSERT INTO trusted_document (tenant_id, id, sha256, name, body, created_at, created_by, updated_at, updated_by)
         SELECT tenant_id, gen_random_uuid(), sha256('{ other }'), name, body, created_at, created_by, updated_at, updated_by
         FROM trusted_document";
    assert_eq!(attempt(forged).await, check);
}

#[tokio::test]
async fn a_company_binds_its_clients_to_documents_but_not_who_may_register_them() {
    let test = TestDb::new().await;
    let (scope, _) = owner(&test, "ada@example.com").await;
    let auth = authenticator(&test);
    let company = scope.company().id;
    let other = found(&auth, "sal@example.com", "Other").await.expect("founded");
    let added = scope.write(|tx| {
        Box::pin(async move { identity::member::service::add(tx, "sal@example.com", Role::Sales).await })
    });
    added.await.expect("a member");
    let key = async |permissions: PermissionSet| {
        let secret = identity::api_key::service::generate_secret(kernel::Mode::Live);
        let kept = secret.clone();
        let created = scope.write(move |tx| {
            let (name, secret) = ("Partner".to_owned(), kept.clone());
            let new = identity::api_key::service::NewApiKey {
                name,
                permissions,
                expires_at: None,
                networks: Vec::new(),
            };
            Box::pin(async move { identity::api_key::service::create(tx, new, &secret).await })
        });
        created.await.expect("a key");
        secret
    };
    let owner = sign_in(&auth, "ada@example.com", Some(company)).await.expect("opened").token;
    let sales = sign_in(&auth, "sal@example.com", Some(company)).await.expect("opened").token;
    let partner = key([Permission::KpiRead].into_iter().collect()).await;
    let deployer = key([Permission::TrustedDocumentsManage].into_iter().collect()).await;
    let elsewhere = sign_in(&auth, "sal@example.com", Some(other)).await.expect("opened").token;
    let bound = async || {
        let mut bound = Vec::new();
        for token in [&owner, &sales, &partner, &deployer, &elsewhere] {
            // A fresh authenticator remembers nothing, as another replica would.
            bound.push(authenticator(&test).principal(token, None).await.expect("principal").documents_only);
        }
        bound
    };
    assert_eq!(bound().await, [false; 5]);
    let change = |version, documents_only| {
        scope.write(move |tx| {
            let change = CompanyChange { documents_only: Some(documents_only), ..CompanyChange::default() };
            Box::pin(async move { companies::update(tx, version, change).await })
        })
    };
    change(1, true).await.expect("bound");
    assert_eq!(bound().await, [false, true, true, false, false]);
    change(2, false).await.expect("free again");
    assert_eq!(bound().await, [false; 5]);
}

#[tokio::test]
async fn every_use_of_documents_needs_its_permission_and_running_one_needs_none() {
    let test = TestDb::new().await;
    let (scope, principal) = owner(&test, "ada@example.com").await;
    let ids = register(&scope, &[document("Viewer", TEXT)]).await.expect("registered");
    let company = scope.company().id;
    let others = PermissionSet::all().iter().filter(|p| *p != Permission::TrustedDocumentsManage);
    let reader = test.scope(company, Actor::System, others.collect());
    for denied in
        [register(&reader, &[document("A", "{ a }")]).await.err(), archive(&reader, ids[0]).await.err()]
    {
        assert_eq!(denied.expect("denied").denied().map(|d| d.0), Some(Permission::TrustedDocumentsManage));
    }
    let others = PermissionSet::all().iter().filter(|p| *p != Permission::TrustedDocumentsRead);
    let blind = test.scope(company, Actor::System, others.collect());
    let tx = blind.read().await.expect("snapshot");
    for denied in [
        documents::list(&tx, &DocumentFilter::default(), &Slice::first(1)).await.err(),
        documents::count(&tx, &DocumentFilter::default()).await.err(),
        documents::by_ids(&tx, &ids).await.err(),
        documents::texts(&tx, &ids).await.err(),
    ] {
        assert_eq!(denied.expect("denied").denied().map(|d| d.0), Some(Permission::TrustedDocumentsRead));
    }
    let nobody = Principal { permissions: PermissionSet::NONE, ..principal };
    assert_eq!(text(&test, &nobody, TEXT).await.as_deref(), Some(TEXT));
}

#[tokio::test]
async fn another_companys_document_is_an_unknown_one() {
    let test = TestDb::new().await;
    let (scope, _) = owner(&test, "ada@example.com").await;
    let (other, _) = owner(&test, "bob@example.com").await;
    let ids = register(&scope, &[document("Viewer", TEXT)]).await.expect("registered");
    for id in [ids[0], kernel::id::new()] {
        let refused = archive(&other, id).await.expect_err("not theirs");
        assert_eq!((refused.code(), refused.to_string().as_str()), ("NOT_FOUND", "no such trusted document"));
        let tx = other.read().await.expect("snapshot");
        assert!(documents::by_ids(&tx, &[id]).await.expect("by ids").is_empty());
        assert!(documents::texts(&tx, &[id]).await.expect("texts").is_empty());
    }
    let theirs = register(&other, &[document("Viewer", TEXT)]).await.expect("their own");
    assert_ne!(theirs, ids);
}
