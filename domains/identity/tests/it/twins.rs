//! Test twins: founded once, entered by who is in the live company too, and never live.

use identity::Role;
use identity::api_key::service::{self as keys, NewApiKey};
use identity::company::twin;
use identity::member::service as members;
use identity::session::service as session;
use kernel::{Actor, DomainError, Mode, Origin, Permission, PermissionSet, Scope};
use testing::TestDb;
use uuid::Uuid;

use crate::founding::{authenticator, found, open, sign_in};

/// A company with an owner, a salesperson of a role of its own, and its twin.
struct Desk {
    test: TestDb,
    live: Scope,
    twin: Uuid,
    ada: Uuid,
    sal: Uuid,
    membership: Uuid,
}

async fn add(test: &TestDb, live: &Scope, email: &str, role: Role) -> (Uuid, Uuid) {
    found(&authenticator(test), email, "Elsewhere").await.expect("an account");
    let person = sign_in(&authenticator(test), email, None).await.expect("opened").person_id;
    let added = live.write(|tx| Box::pin(async move { members::add_in(tx, person, role).await }));
    (person, added.await.expect("a member"))
}

async fn reserve(live: &Scope) -> Result<Uuid, identity::Error> {
    live.write(|tx| Box::pin(twin::reserve(tx, None))).await
}

async fn found_twin(test: &TestDb, live: &Scope, id: Uuid) {
    let original = twin::original_in(&live.read().await.expect("snapshot")).await.expect("the original");
    let facts = original.facts(id).expect("facts");
    let scope = authenticator(test).system_scope(facts, live.actor(), Origin::default());
    scope
        .write(|tx| {
            let original = original.clone();
            Box::pin(async move { twin::found_in(tx, &original).await })
        })
        .await
        .expect("founded");
}

impl Desk {
    async fn open() -> Self {
        let test = TestDb::new().await;
        let company = found(&authenticator(&test), "ada@example.com", "Atelier").await.expect("founded");
        let ada = sign_in(&authenticator(&test), "ada@example.com", None).await.expect("opened").person_id;
        let live = test.scope(company, Actor::Person(ada), PermissionSet::all());
        let (sal, membership) = add(&test, &live, "sal@example.com", Role::Sales).await;
        // A role of the company's own, by which the second member is here.
        let mut all = test.superuser().await;
        sqlx::query(
            "INSERT INTO role (tenant_id, id, key, built_in, name, permissions, created_at, created_by, updated_at, updated_by)
             VALUES ($1, $2, 'stall', false, 'Stall', '{company.read,kpi.read}', now(), 'system', now(), 'system')",
        )
        .bind(company)
        .bind(kernel::id::new())
        .execute(&mut all)
        .await
        .expect("a role");
        sqlx::query("UPDATE membership SET role = 'stall' WHERE id = $1")
            .bind(membership)
            .execute(&mut all)
            .await
            .expect("the role is taken");
        let twin = reserve(&live).await.expect("reserved");
        found_twin(&test, &live, twin).await;
        Self { test, live, twin, ada, sal, membership }
    }

    async fn enters(&self, person: Uuid) -> bool {
        open(&authenticator(&self.test), person, Some(self.twin)).await.is_ok()
    }

    async fn follow(&self) {
        let (live, actor) = (self.live.company().id, self.live.actor());
        twin::follow(&authenticator(&self.test), live, actor, Origin::default()).await.expect("followed");
    }

    fn in_twin(&self) -> Scope {
        let auth = authenticator(&self.test);
        let facts = kernel::Company { id: self.twin, mode: Mode::Test, ..self.live.company().clone() };
        auth.system_scope(facts, Actor::Person(self.ada), Origin::default())
    }
}

#[tokio::test]
async fn a_twin_has_the_members_and_roles_of_its_company_and_is_asked_for_once() {
    let desk = Desk::open().await;
    assert!(kernel::id::is_test(desk.twin));
    assert_eq!(reserve(&desk.live).await.expect("again"), desk.twin);
    let choices = session::companies(&authenticator(&desk.test), desk.ada).await.expect("choices");
    let shown: Vec<_> = choices.iter().map(|choice| (choice.name.as_str(), choice.mode.as_str())).collect();
    assert_eq!(shown, [("Atelier", "live"), ("Atelier (test)", "test")]);
    let opened = open(&authenticator(&desk.test), desk.sal, Some(desk.twin)).await.expect("entered");
    let principal = authenticator(&desk.test).principal(&opened.token, None).await.expect("signed in");
    assert_eq!((principal.company.id, principal.company.mode), (desk.twin, Mode::Test));
    assert_eq!(principal.role.as_deref(), Some("stall"));
    let may: Vec<_> = principal.permissions.iter().collect();
    assert_eq!(may, [Permission::CompanyRead, Permission::KpiRead]);
    // Who signs in without naming a company is in the live one.
    assert_eq!(
        sign_in(&authenticator(&desk.test), "ada@example.com", None).await.expect("in").company_id,
        desk.live.company().id
    );
}

#[tokio::test]
async fn a_twin_has_no_twin_and_never_becomes_live() {
    let desk = Desk::open().await;
    assert_eq!(reserve(&desk.in_twin()).await.expect_err("refused").code(), "TEST_TWIN");
    let mut all = desk.test.superuser().await;
    for change in [
        "UPDATE company SET mode = 'live', twin_id = NULL WHERE mode = 'test'",
        "UPDATE company SET mode = 'test' WHERE mode = 'live'",
        "UPDATE company SET twin_id = NULL WHERE twin_id IS NOT NULL",
    ] {
        let refused = sqlx::query(change).execute(&mut all).await.expect_err(change);
        let code = refused.as_database_error().and_then(|e| e.code().map(std::borrow::Cow::into_owned));
        assert_eq!(code.as_deref(), Some("CO002"), "{change}: {refused}");
    }
}

#[tokio::test]
async fn ids_that_do_not_tell_what_their_company_is_are_not_stored() {
    let desk = Desk::open().await;
    let mut all = desk.test.superuser().await;
    for (company, id) in [(desk.twin, kernel::id::new()), (desk.live.company().id, kernel::id::new_test())] {
        let refused = sqlx::query(
            "INSERT INTO membership (tenant_id, id, person_id, role, created_at, created_by, updated_at, updated_by)
             VALUES ($1, $2, $3, 'owner', now(), 'system', now(), 'system')",
        )
        .bind(company)
        .bind(id)
        .bind(kernel::id::new())
        .execute(&mut all)
        .await
        .expect_err("refused");
        assert!(refused.to_string().contains("id_of_mode"), "{refused}");
    }
}

#[tokio::test]
async fn who_leaves_the_live_company_has_left_the_twin_with_all_keys() {
    let desk = Desk::open().await;
    let auth = authenticator(&desk.test);
    let opened = open(&auth, desk.sal, Some(desk.twin)).await.expect("entered");
    let secret = keys::generate_secret(Mode::Test);
    let sal = auth.system_scope(desk.in_twin().company().clone(), Actor::Person(desk.sal), Origin::default());
    let made = sal.write(|tx| {
        let permissions = [Permission::KpiRead].into_iter().collect();
        let new = NewApiKey { name: "Trial".to_owned(), permissions, expires_at: None, networks: Vec::new() };
        let secret = secret.clone();
        Box::pin(async move { keys::create(tx, new, &secret).await })
    });
    assert!(kernel::id::is_test(made.await.expect("a key")));
    assert!(auth.principal(&opened.token, None).await.is_ok() && auth.principal(&secret, None).await.is_ok());
    let (member, version) = (desk.membership, 1);
    let removed = desk.live.write(|tx| Box::pin(async move { members::remove(tx, member, version).await }));
    removed.await.expect("removed");
    let auth = authenticator(&desk.test);
    assert!(auth.principal(&opened.token, None).await.is_err(), "the session in the twin");
    assert!(auth.principal(&secret, None).await.is_err(), "the key in the twin");
    assert!(!desk.enters(desk.sal).await && desk.enters(desk.ada).await);
}

#[tokio::test]
async fn who_joins_later_joins_the_twin_after_and_what_is_there_stays_as_it_is() {
    let desk = Desk::open().await;
    let (pat, _) = add(&desk.test, &desk.live, "pat@example.com", Role::Purchaser).await;
    assert!(!desk.enters(pat).await, "not by itself");
    let scope = desk.in_twin();
    let in_twin = members::list(&scope.read().await.expect("snapshot")).await.expect("members");
    let (member, version) =
        in_twin.iter().find(|member| member.person_id == desk.sal).map(|m| (m.id, m.version)).expect("sal");
    let changed = scope
        .write(|tx| Box::pin(async move { members::change_role(tx, member, version, Role::Auditor).await }));
    changed.await.expect("another role is tried in the twin");
    desk.follow().await;
    desk.follow().await;
    assert!(desk.enters(pat).await);
    let now = members::list(&scope.read().await.expect("snapshot")).await.expect("members");
    let roles: Vec<_> = now.iter().map(|member| (member.person_id, member.role.as_str())).collect();
    assert_eq!(roles, [(desk.ada, "owner"), (desk.sal, "auditor"), (pat, "purchaser")]);
}

#[tokio::test]
async fn a_company_without_a_twin_and_one_half_founded_are_followed_by_nobody() {
    let test = TestDb::new().await;
    let auth = authenticator(&test);
    let company = found(&auth, "ada@example.com", "A").await.expect("founded");
    let ada = sign_in(&auth, "ada@example.com", None).await.expect("opened").person_id;
    let live = test.scope(company, Actor::Person(ada), PermissionSet::all());
    twin::follow(&auth, company, live.actor(), Origin::default()).await.expect("nothing to do");
    let twin = reserve(&live).await.expect("reserved");
    twin::follow(&auth, company, live.actor(), Origin::default()).await.expect("nothing to do yet");
    let names = session::companies(&auth, ada).await.expect("choices");
    assert_eq!(names.len(), 1, "a twin that is not founded is no choice");
    found_twin(&test, &live, twin).await;
    assert!(open(&auth, ada, Some(twin)).await.is_ok());
}
