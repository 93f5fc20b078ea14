//! Roles as data: a company's own beside the built-in ones, and no way to more rights than somebody gives who has them.

use std::collections::BTreeMap;

use identity::member::service as members;
use identity::role::service::{self as roles, NewRole, RoleChange};
use identity::{Authenticator, Error};
use kernel::{Actor, DomainError, Permission, PermissionSet, Scope};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use testing::TestDb;
use uuid::Uuid;

use crate::founding::{authenticator, found, sign_in};

pub(crate) fn set(permissions: &[Permission]) -> PermissionSet {
    permissions.iter().copied().collect()
}

/// Makes a person of a name a member of a company, by the service itself.
pub(crate) async fn join(test: &TestDb, company: Uuid, name: &str, role: &str) -> (Uuid, Uuid) {
    let person = kernel::id::new();
    sqlx::query("INSERT INTO person (id, email, name, locale, created_at, email_verified_at) VALUES ($1, $2, $3, 'en', $4, $4)")
        .bind(person)
        .bind(format!("{name}@example.com"))
        .bind(name)
        .bind(test.clock.now())
        .execute(&mut test.superuser().await)
        .await
        .expect("a person");
    let role = role.to_owned();
    let system = test.scope(company, Actor::System, PermissionSet::all());
    let joined = system.write(|tx| {
        let role = role.clone();
        Box::pin(async move { members::add_as_in(tx, person, &role).await })
    });
    (person, joined.await.expect("a member"))
}

/// What each member may do, by membership.
pub(crate) async fn rights(
    test: &TestDb,
    company: Uuid,
) -> BTreeMap<Uuid, (Uuid, String, PermissionSet, i32)> {
    let system = test.scope(company, Actor::System, PermissionSet::all());
    let tx = system.read().await.expect("snapshot");
    let mut rights = BTreeMap::new();
    for member in members::list(&tx).await.expect("members") {
        let role = roles::by_keys(&tx, std::slice::from_ref(&member.role)).await.expect("roles").remove(0);
        let may = role.permission_set().expect("known");
        rights.insert(member.id, (member.person_id, member.role, may, member.version));
    }
    tx.end().await;
    rights
}

/// The scope of a person, with the rights of now.
pub(crate) async fn acting(test: &TestDb, company: Uuid, person: Uuid) -> Scope {
    let rights = rights(test, company).await;
    let may =
        rights.values().find(|(who, ..)| *who == person).map_or(PermissionSet::NONE, |(_, _, may, _)| *may);
    test.scope(company, Actor::Person(person), may)
}

async fn create(scope: &Scope, name: &str, permissions: PermissionSet) -> Result<Uuid, Error> {
    scope
        .write(|tx| {
            let new = NewRole { name: name.to_owned(), description: None, permissions };
            Box::pin(async move { roles::create(tx, new).await })
        })
        .await
}

async fn update(scope: &Scope, id: Uuid, version: i32, permissions: PermissionSet) -> Result<(), Error> {
    let change = RoleChange { permissions: Some(permissions), ..RoleChange::default() };
    scope
        .write(|tx| {
            let change = change.clone();
            Box::pin(async move { roles::update(tx, id, version, change).await })
        })
        .await
}

async fn archive(scope: &Scope, id: Uuid, version: i32) -> Result<(), Error> {
    scope.write(|tx| Box::pin(async move { roles::archive(tx, id, version).await })).await
}

pub(crate) async fn give(scope: &Scope, member: Uuid, version: i32, role: &str) -> Result<(), Error> {
    let role = role.to_owned();
    scope
        .write(|tx| {
            let role = role.clone();
            Box::pin(async move { members::change_role(tx, member, version, &role).await })
        })
        .await
}

async fn remove(scope: &Scope, member: Uuid, version: i32) -> Result<(), Error> {
    scope.write(|tx| Box::pin(async move { members::remove(tx, member, version).await.map(|_| ()) })).await
}

fn code<T: std::fmt::Debug>(result: Result<T, Error>) -> &'static str {
    result.expect_err("refused").code()
}

/// A company with its owner; the owner's person.
pub(crate) async fn company(test: &TestDb) -> (Authenticator, Uuid, Uuid) {
    let auth = authenticator(test);
    let company = found(&auth, "ada@example.com", "A").await.expect("founded");
    let owner = rights(test, company).await.into_values().next().expect("an owner").0;
    (auth, company, owner)
}

#[tokio::test]
async fn a_company_makes_a_role_gives_it_changes_it_and_archives_it() {
    let test = TestDb::new().await;
    let (auth, company, owner) = company(&test).await;
    let ada = acting(&test, company, owner).await;
    let controls = create(&ada, "Contrôle de gestion", set(&[Permission::KpiRead, Permission::LedgerRead]))
        .await
        .expect("made");
    let twice = create(&ada, "Contrôle de gestion", set(&[Permission::KpiRead]))
        .await
        .expect("the name may be used twice");
    let tx = ada.read().await.expect("snapshot");
    let all = roles::list(&tx, false).await.expect("roles");
    let keys: Vec<_> = all.iter().map(|role| role.key.as_str()).collect();
    assert_eq!(&keys[5..], ["controle_de_gestion", "controle_de_gestion_2"]);
    assert!(
        all[..5]
            .iter()
            .all(|role| role.built_in && role.name("fr") != role.key && role.description("en").is_some())
    );
    tx.end().await;

    let home = found(&auth, "bob@example.com", "His own").await.expect("founded");
    let bob = rights(&test, home).await.into_values().next().expect("bob").0;
    let system = test.scope(company, Actor::System, PermissionSet::all());
    let member = system
        .write(|tx| Box::pin(async move { members::add(tx, "bob@example.com", "controle_de_gestion").await }))
        .await
        .expect("a member");
    let opened = sign_in(&auth, "bob@example.com", Some(company)).await.expect("signed in");
    assert_eq!(opened.person_id, bob);
    let principal = auth.principal(&opened.token, None).await.expect("principal");
    assert_eq!(principal.role.as_deref(), Some("controle_de_gestion"));
    assert_eq!(principal.permissions, set(&[Permission::KpiRead, Permission::LedgerRead]));

    update(&ada, controls, 1, set(&[Permission::KpiRead])).await.expect("narrowed");
    assert_eq!(code(update(&ada, controls, 1, set(&[Permission::KpiRead])).await), "CONFLICT");
    auth.forget();
    let principal = auth.principal(&opened.token, None).await.expect("principal");
    assert_eq!(principal.permissions, set(&[Permission::KpiRead]));

    assert_eq!(code(archive(&ada, controls, 2).await), "ROLE_IN_USE");
    give(&ada, member, 1, "controle_de_gestion_2").await.expect("another");
    archive(&ada, controls, 2).await.expect("archived");
    assert_eq!(code(give(&ada, member, 2, "controle_de_gestion").await), "INVALID");
    assert_eq!(code(update(&ada, controls, 3, set(&[Permission::KpiRead])).await), "NOT_FOUND");
    let again = create(&ada, "Contrôle de gestion", set(&[Permission::KpiRead])).await.expect("made");
    assert!(again != controls && again != twice);
}

#[tokio::test]
async fn a_role_has_a_name_and_a_permission_and_a_built_in_one_stays_as_it_is() {
    let test = TestDb::new().await;
    let (_, company, owner) = company(&test).await;
    let ada = acting(&test, company, owner).await;
    for (name, permissions, field) in [
        (" ", set(&[Permission::KpiRead]), "name"),
        (&"n".repeat(101), set(&[Permission::KpiRead]), "name"),
        ("Nothing", PermissionSet::NONE, "permissions"),
    ] {
        let refused = create(&ada, name, permissions).await.expect_err("refused");
        assert_eq!((refused.code(), refused.field().as_deref()), ("INVALID", Some(field)));
    }
    let tx = ada.read().await.expect("snapshot");
    for role in roles::list(&tx, true).await.expect("roles") {
        assert_eq!(code(update(&ada, role.id, 1, set(&[Permission::KpiRead])).await), "BUILT_IN_ROLE");
        assert_eq!(code(archive(&ada, role.id, 1).await), "BUILT_IN_ROLE");
    }
}

#[tokio::test]
async fn nobody_gives_what_they_do_not_have_nor_takes_from_who_has_more() {
    let test = TestDb::new().await;
    let (_, company, owner) = company(&test).await;
    let ada = acting(&test, company, owner).await;
    let staff = set(&[Permission::MembersRead, Permission::MembersManage, Permission::KpiRead]);
    create(&ada, "Staff", staff).await.expect("made");
    create(&ada, "Looks", set(&[Permission::KpiRead])).await.expect("made");
    let books = create(&ada, "Books", set(&[Permission::LedgerPost])).await.expect("made");
    let (sam, own) = join(&test, company, "sam", "staff").await;
    let (_, sal) = join(&test, company, "sal", "sales").await;
    let (_, lou) = join(&test, company, "lou", "looks").await;
    let sam = acting(&test, company, sam).await;
    let first = *rights(&test, company).await.keys().next().expect("the owner");

    assert_eq!(code(create(&sam, "Wide", set(&[Permission::LedgerPost])).await), "BEYOND_OWN");
    assert_eq!(
        code(update(&sam, books, 1, set(&[Permission::KpiRead])).await),
        "BEYOND_OWN",
        "nor takes it away"
    );
    assert_eq!(code(archive(&sam, books, 1).await), "BEYOND_OWN");
    assert_eq!(code(give(&sam, lou, 1, "sales").await), "BEYOND_OWN");
    assert_eq!(code(give(&sam, sal, 1, "looks").await), "BEYOND_OWN");
    assert_eq!(code(give(&sam, own, 1, "accountant").await), "BEYOND_OWN", "least of all to oneself");
    assert_eq!(code(remove(&sam, sal, 1).await), "BEYOND_OWN");
    for role in ["owner", "looks"] {
        assert_eq!(code(give(&sam, first, 1, role).await), "OWNERS_ONLY");
    }
    assert_eq!(code(remove(&sam, first, 1).await), "OWNERS_ONLY");
    give(&sam, lou, 1, "staff").await.expect("what she has herself");
    give(&sam, own, 1, "looks").await.expect("downwards");
    let denied = give(&sam, own, 2, "staff").await.expect_err("the request's rights are those of before");
    assert!(denied.denied().is_some() || denied.code() == "BEYOND_OWN", "{denied}");
}

#[tokio::test]
async fn only_an_owner_makes_owners_and_no_program_does() {
    let test = TestDb::new().await;
    let (_, company, owner) = company(&test).await;
    let ada = acting(&test, company, owner).await;
    create(&ada, "As an owner", PermissionSet::all()).await.expect("made");
    let (vic, _) = join(&test, company, "vic", "as_an_owner").await;
    let (_, sal) = join(&test, company, "sal", "sales").await;
    let vic = acting(&test, company, vic).await;
    assert_eq!(vic.permissions(), PermissionSet::all());
    assert_eq!(code(give(&vic, sal, 1, "owner").await), "OWNERS_ONLY");
    let program = test.scope(company, Actor::ApiKey(kernel::id::new()), PermissionSet::all());
    assert_eq!(code(give(&program, sal, 1, "owner").await), "OWNERS_ONLY");
    give(&ada, sal, 1, "owner").await.expect("an owner may");
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_being_demoted_gives_no_rights_afterwards() {
    let test = TestDb::new().await;
    let (_, company, owner) = company(&test).await;
    let ada = acting(&test, company, owner).await;
    for n in 0..8 {
        let (bob, bobs) = join(&test, company, &format!("bob{n}"), "owner").await;
        let (_, eves) = join(&test, company, &format!("eve{n}"), "sales").await;
        let bob = acting(&test, company, bob).await;
        let (demoted, gave) = tokio::join!(give(&ada, bobs, 1, "sales"), give(&bob, eves, 1, "accountant"));
        demoted.expect("demoted");
        let mut all = test.superuser().await;
        let positions: Vec<(Uuid, i64)> = sqlx::query_as(
            "SELECT subject_id, position FROM event WHERE kind = 'member.role_changed' AND subject_id = ANY($1)",
        )
        .bind(vec![bobs, eves])
        .fetch_all(&mut all)
        .await
        .expect("events");
        let at =
            |id: Uuid| positions.iter().find(|(subject, _)| *subject == id).map(|(_, position)| *position);
        match gave {
            Ok(()) => assert!(at(eves) < at(bobs), "given before, not after"),
            Err(refused) => {
                assert!(refused.denied().is_some() || refused.code() == "BEYOND_OWN", "{refused}");
            }
        }
    }
}

/// A move of somebody.
#[derive(Clone, Debug)]
enum Move {
    Create { permissions: Vec<usize> },
    Update { role: usize, permissions: Vec<usize> },
    Archive { role: usize },
    Give { member: usize, role: usize },
    Remove { member: usize },
}

/// Those of which sets are made: few, so that sets meet.
const FEW: [Permission; 5] = [
    Permission::MembersManage,
    Permission::MembersRead,
    Permission::KpiRead,
    Permission::LedgerPost,
    Permission::PartiesBank,
];

fn moves() -> impl Strategy<Value = (usize, Move)> {
    let some = || prop::collection::vec(0..FEW.len(), 1..4);
    let step = prop_oneof![
        2 => some().prop_map(|permissions| Move::Create { permissions }),
        3 => (any::<usize>(), some()).prop_map(|(role, permissions)| Move::Update { role, permissions }),
        1 => any::<usize>().prop_map(|role| Move::Archive { role }),
        6 => (any::<usize>(), any::<usize>()).prop_map(|(member, role)| Move::Give { member, role }),
        1 => any::<usize>().prop_map(|member| Move::Remove { member }),
    ];
    (any::<usize>(), step)
}

#[test]
fn by_no_sequence_of_moves_does_anybody_get_a_right_that_its_giver_has_not() {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("runtime");
    let test = runtime.block_on(TestDb::new());
    let auth = authenticator(&test);
    let case = std::cell::Cell::new(0u32);
    let (made, refused) = (std::cell::Cell::new(0u32), std::cell::Cell::new(0u32));
    let config = Config { cases: 24, failure_persistence: None, ..Config::default() };
    let result = TestRunner::new(config).run(&prop::collection::vec(moves(), 10..40), |moves| {
        case.set(case.get() + 1);
        let world = case.get();
        runtime.block_on(async {
            let company = found(&auth, "ada@example.com", &format!("W{world}")).await.expect("founded");
            let owner = rights(&test, company).await.into_values().next().expect("owner").0;
            let ada = acting(&test, company, owner).await;
            create(
                &ada,
                "Manages",
                set(&[Permission::MembersManage, Permission::MembersRead, Permission::KpiRead]),
            )
            .await
            .expect("made");
            create(&ada, "Posts", set(&[Permission::LedgerPost, Permission::MembersManage]))
                .await
                .expect("made");
            for (n, role) in ["manages", "manages", "posts", "sales", "owner"].into_iter().enumerate() {
                join(&test, company, &format!("p{n}.{world}"), role).await;
            }
            for (who, step) in moves {
                let before = rights(&test, company).await;
                let (actor, actors_role, may, _) =
                    before.values().nth(who % before.len()).expect("a member").clone();
                let scope = test.scope(company, Actor::Person(actor), may);
                let system = test.scope(company, Actor::System, PermissionSet::all());
                let tx = system.read().await.expect("snapshot");
                let all = roles::list(&tx, true).await.expect("roles");
                tx.end().await;
                let role = |n: usize| &all[n % all.len()];
                let member =
                    |n: usize| before.iter().nth(n % before.len()).map(|(id, of)| (*id, of.3)).expect("one");
                let some = |few: &[usize]| few.iter().map(|n| FEW[*n]).collect::<PermissionSet>();
                let done = match &step {
                    Move::Create { permissions } => create(&scope, "R", some(permissions)).await.map(|_| ()),
                    Move::Update { role: n, permissions } => {
                        update(&scope, role(*n).id, role(*n).version, some(permissions)).await
                    }
                    Move::Archive { role: n } => archive(&scope, role(*n).id, role(*n).version).await,
                    Move::Give { member: m, role: n } => {
                        let (id, version) = member(*m);
                        give(&scope, id, version, &role(*n).key).await
                    }
                    Move::Remove { member: m } => {
                        let (id, version) = member(*m);
                        remove(&scope, id, version).await
                    }
                };
                let after = rights(&test, company).await;
                if done.is_err() {
                    refused.set(refused.get() + 1);
                    prop_assert_eq!(&before, &after, "a refusal changes nothing: {:?}", step);
                    continue;
                }
                made.set(made.get() + 1);
                for (id, (_, now, has, _)) in &after {
                    let (_, was, had, _) = &before[id];
                    for gained in has.iter().filter(|gained| !had.has(*gained)) {
                        prop_assert!(
                            may.has(gained) && may.has(Permission::MembersManage),
                            "{gained:?} by {step:?}"
                        );
                    }
                    prop_assert!(
                        was == now || now != "owner" || actors_role == "owner",
                        "an owner by {step:?}"
                    );
                }
                for (id, (_, was, had, _)) in &before {
                    let has = after.get(id).map_or(PermissionSet::NONE, |(_, _, has, _)| *has);
                    prop_assert!(
                        has.contains(*had) || may.contains(*had),
                        "taken from who has more: {was} by {step:?}"
                    );
                }
                prop_assert!(after.values().any(|(_, role, _, _)| role == "owner"), "no owner is left");
            }
            Ok(())
        })
    });
    result.expect("no escalation");
    assert!(
        made.get() > 20 && refused.get() > 20,
        "{} made, {} refused: neither is the rule",
        made.get(),
        refused.get()
    );
}
