//! Where the company says so, rights change when another owner approves, and not before.

use chrono::TimeDelta;
use identity::approval::service::{self as approval, AccessRequest};
use identity::approval::{Act, Means, Outcome};
use identity::company::service::{self as companies, CompanyChange};
use identity::member::service as members;
use identity::role::service::{self as roles, NewRole, RoleChange};
use identity::{Authenticator, Error};
use kernel::page::Slice;
use kernel::{Actor, DomainError, Permission, PermissionSet, Scope};
use mail::Content;
use testing::TestDb;
use uuid::Uuid;

use crate::roles::{acting, company, give, join, rights, set};

const URL: &str = "https://books.example";

/// A company with two owners, Ada and Bob, who approve each other's changes of rights; and Sal, who sells.
struct House {
    test: TestDb,
    auth: Authenticator,
    company: Uuid,
    ada: Scope,
    bob: Scope,
    bobs: Uuid,
    sal: Uuid,
}

async fn house() -> House {
    let test = TestDb::new().await;
    let (auth, company, ada) = company(&test).await;
    let (bob, bobs) = join(&test, company, "bob", "owner").await;
    let (_, sal) = join(&test, company, "sal", "sales").await;
    let (ada, bob) = (acting(&test, company, ada).await, acting(&test, company, bob).await);
    turn_on(&ada).await.expect("turned on");
    House { test, auth, company, ada, bob, bobs, sal }
}

async fn turn_on(scope: &Scope) -> Result<(), Error> {
    set_approval(scope, true).await
}

async fn set_approval(scope: &Scope, on: bool) -> Result<(), Error> {
    scope
        .write(|tx| {
            Box::pin(async move {
                let version = companies::get(tx).await?.version;
                let change = CompanyChange { rights_four_eyes: Some(on), ..CompanyChange::default() };
                companies::update(tx, version, change).await
            })
        })
        .await
}

impl House {
    async fn ask(&self, scope: &Scope, act: &Act) -> Result<Outcome, Error> {
        scope
            .write(|tx| {
                let (act, auth) = (act.clone(), self.auth.clone());
                Box::pin(async move {
                    approval::make_or_ask(tx, &act, Means { auth: &auth, public_url: URL }).await
                })
            })
            .await
    }

    /// Asks for a change that must wait.
    async fn asked(&self, scope: &Scope, act: &Act) -> Uuid {
        match self.ask(scope, act).await.expect("asked") {
            Outcome::Asked(id) => id,
            Outcome::Done(_) => panic!("it was made at once"),
        }
    }

    async fn approve(&self, scope: &Scope, id: Uuid) -> Result<(), Error> {
        scope
            .write(|tx| {
                let auth = self.auth.clone();
                Box::pin(
                    async move { approval::approve(tx, id, 1, Means { auth: &auth, public_url: URL }).await },
                )
            })
            .await
    }

    async fn reject(&self, scope: &Scope, id: Uuid) -> Result<(), Error> {
        scope.write(|tx| Box::pin(async move { approval::reject(tx, id, 1).await })).await
    }

    async fn withdraw(&self, scope: &Scope, id: Uuid) -> Result<(), Error> {
        scope.write(|tx| Box::pin(async move { approval::withdraw(tx, id, 1).await })).await
    }

    async fn request(&self, id: Uuid) -> AccessRequest {
        let tx = self.ada.read().await.expect("snapshot");
        let request = approval::get(&tx, id).await.expect("read").expect("there");
        tx.end().await;
        request
    }

    /// The key of a member's role.
    async fn role(&self, member: Uuid) -> String {
        rights(&self.test, self.company).await[&member].1.clone()
    }

    fn promote(&self) -> Act {
        Act::ChangeRole { member: self.sal, expected_version: 1, role: "accountant".to_owned() }
    }

    async fn letters(&self) -> Vec<(String, Content)> {
        let kept =
            mail::outbox::service::newest(&self.test.db, &self.test.vault, 100).await.expect("letters");
        kept.into_iter().filter_map(|kept| kept.letter).map(|letter| (letter.to, letter.content)).collect()
    }
}

fn code<T: std::fmt::Debug>(result: Result<T, Error>) -> &'static str {
    result.expect_err("refused").code()
}

#[tokio::test]
async fn a_change_waits_for_another_owner_and_is_made_when_that_one_approves() {
    let house = house().await;
    let id = house.asked(&house.ada, &house.promote()).await;
    assert_eq!(house.role(house.sal).await, "sales", "not before");
    let letters = house.letters().await;
    assert_eq!(letters.len(), 1, "the other owner, and nobody else");
    assert_eq!(letters[0].0, "bob@example.com");
    let Content::ApprovalWanted { what, .. } = &letters[0].1 else { panic!("{:?}", letters[0].1) };
    assert_eq!(what, "give sal the role “Accountant”");
    house.approve(&house.bob, id).await.expect("approved");
    assert_eq!(house.role(house.sal).await, "accountant");
    let request = house.request(id).await;
    assert_eq!(request.decision.as_deref(), Some("approved"));
    assert_eq!(request.decided_by, Some(house.bob.actor().stored()));
    assert_eq!(code(house.approve(&house.bob, id).await), "REQUEST_CLOSED", "once");
    let mut all = house.test.superuser().await;
    let events: Vec<String> =
        sqlx::query_scalar("SELECT kind FROM event WHERE tenant_id = $1 ORDER BY position DESC LIMIT 3")
            .bind(house.company)
            .fetch_all(&mut all)
            .await
            .expect("events");
    assert_eq!(events, ["access_request.approved", "member.role_changed", "access_request.made"]);
}

#[tokio::test]
async fn who_asks_does_not_approve_nor_does_a_program_nor_who_is_no_owner() {
    let house = house().await;
    let Actor::Person(ada) = house.ada.actor() else { panic!("a person") };
    let key = kernel::id::new();
    sqlx::query(
        "INSERT INTO api_key (tenant_id, id, name, hint, permissions, responsible_id, created_at, created_by, updated_at, updated_by)
         VALUES ($1, $2, 'K', '1234', '{members.manage}', $3, $4, 'system', $4, 'system')",
    )
    .bind(house.company)
    .bind(key)
    .bind(ada)
    .bind(house.test.clock.now())
    .execute(&mut house.test.superuser().await)
    .await
    .expect("a key");
    let program = house.test.scope(house.company, Actor::ApiKey(key), PermissionSet::all());
    let by_hand = house.asked(&house.ada, &house.promote()).await;
    let by_program = house.asked(&program, &house.promote()).await;
    let as_owner = {
        let (vic, _) = join(&house.test, house.company, "vic", "owner").await;
        acting(&house.test, house.company, vic).await
    };
    let (eve, _) = join(&house.test, house.company, "eve", "accountant").await;
    let eve = house.test.scope(house.company, Actor::Person(eve), PermissionSet::all());
    for id in [by_hand, by_program] {
        assert_eq!(code(house.approve(&house.ada, id).await), "OWN_REQUEST");
        assert_eq!(code(house.reject(&house.ada, id).await), "OWN_REQUEST");
        assert_eq!(code(house.approve(&program, id).await), "OWNERS_ONLY");
        assert_eq!(code(house.approve(&eve, id).await), "OWNERS_ONLY");
        assert_eq!(code(house.withdraw(&house.bob, id).await), "NOT_FOUND", "it is not his to take back");
    }
    house.withdraw(&house.ada, by_program).await.expect("her program asked");
    assert_eq!(house.role(house.sal).await, "sales");
    house.reject(&as_owner, by_hand).await.expect("rejected");
    assert_eq!(code(house.approve(&house.bob, by_hand).await), "REQUEST_CLOSED");
    assert_eq!(house.role(house.sal).await, "sales");
}

#[tokio::test]
async fn there_is_no_way_around() {
    let house = house().await;
    assert_eq!(code(give(&house.ada, house.sal, 1, "auditor").await), "APPROVAL_NEEDED");
    let add =
        house.ada.write(|tx| Box::pin(async move { members::add(tx, "nobody@example.com", "sales").await }));
    assert_eq!(code(add.await), "APPROVAL_NEEDED");
    let invite = house.ada.write(|tx| {
        let auth = house.auth.clone();
        Box::pin(async move {
            identity::invitation::service::invite(tx, &auth, "x@example.com", "sales", URL).await
        })
    });
    assert_eq!(code(invite.await), "APPROVAL_NEEDED");
    assert_eq!(code(set_approval(&house.ada, false).await), "APPROVAL_NEEDED");
    // The database holds the last of it: nobody approves their own, and a decision stays.
    let id = house.asked(&house.ada, &house.promote()).await;
    let mut all = house.test.superuser().await;
    let own = "UPDATE access_request SET decision = 'approved', decided_at = now(), decided_by = requested_by WHERE id = $1";
    assert!(sqlx::query(own).bind(id).execute(&mut all).await.is_err());
    house.reject(&house.bob, id).await.expect("rejected");
    let undo =
        "UPDATE access_request SET decision = NULL, decided_at = NULL, decided_by = NULL WHERE id = $1";
    assert!(sqlx::query(undo).bind(id).execute(&mut all).await.is_err());
}

#[tokio::test]
async fn what_cannot_be_is_refused_when_it_is_asked_for() {
    let house = house().await;
    let to = |member, expected_version, role: &str| Act::ChangeRole {
        member,
        expected_version,
        role: role.to_owned(),
    };
    let ask = async |act: Act| code(house.ask(&house.ada, &act).await);
    assert_eq!(ask(to(house.sal, 7, "auditor")).await, "CONFLICT");
    assert_eq!(ask(to(kernel::id::new(), 1, "auditor")).await, "NOT_FOUND");
    assert_eq!(ask(to(house.sal, 1, "emperor")).await, "INVALID");
    assert_eq!(ask(to(house.bobs, 1, "sales")).await, "TWO_OWNERS_NEEDED");
    let (eve, _) = join(&house.test, house.company, "eve", "sales").await;
    let eve = house.test.scope(house.company, Actor::Person(eve), set(&[Permission::MembersManage]));
    assert_eq!(code(house.ask(&eve, &house.promote()).await), "BEYOND_OWN");
    let tx = house.ada.read().await.expect("snapshot");
    assert_eq!(approval::list(&tx, false, &Slice::first(10)).await.expect("list").items.len(), 0);
    assert_eq!(house.letters().await.len(), 0);
}

#[tokio::test]
async fn everything_is_checked_again_when_it_is_approved() {
    let house = house().await;
    let (manager, _) = {
        let manages = NewRole {
            name: "Manages".to_owned(),
            description: None,
            permissions: set(&[Permission::MembersManage, Permission::KpiRead]),
        };
        let made = house.ada.write(|tx| {
            let manages = manages.clone();
            Box::pin(async move { roles::create(tx, manages).await })
        });
        made.await.expect("a role");
        join(&house.test, house.company, "max", "manages").await
    };
    let max = acting(&house.test, house.company, manager).await;
    // The member has changed since.
    let stale = house.asked(&house.ada, &house.promote()).await;
    let newer = house
        .asked(
            &house.ada,
            &Act::ChangeRole { member: house.sal, expected_version: 1, role: "auditor".to_owned() },
        )
        .await;
    house.approve(&house.bob, newer).await.expect("approved");
    assert_eq!(code(house.approve(&house.bob, stale).await), "CONFLICT");
    // Who asked has left.
    let (_, tim) = join(&house.test, house.company, "tim", "manages").await;
    let down = Act::ChangeRole { member: tim, expected_version: 1, role: "manages".to_owned() };
    let left = house.asked(&max, &down).await;
    sqlx::query("UPDATE membership SET archived_at = now() WHERE tenant_id = $1 AND person_id = $2")
        .bind(house.company)
        .bind(manager)
        .execute(&mut house.test.superuser().await)
        .await
        .expect("left");
    assert_eq!(code(house.approve(&house.bob, left).await), "REQUEST_CLOSED");
    // Fourteen days are over.
    let late = house.asked(&house.ada, &down).await;
    house.test.clock.set(house.test.clock.now() + TimeDelta::days(14));
    assert_eq!(code(house.approve(&house.bob, late).await), "REQUEST_CLOSED");
    let tx = house.ada.read().await.expect("snapshot");
    assert_eq!(approval::list(&tx, true, &Slice::first(10)).await.expect("list").items.len(), 0);
    assert_eq!(approval::count(&tx, false).await.expect("count"), 4);
}

#[tokio::test(flavor = "multi_thread")]
async fn of_several_decisions_at_once_one_is_made() {
    let house = house().await;
    let (vic, _) = join(&house.test, house.company, "vic", "owner").await;
    let vic = acting(&house.test, house.company, vic).await;
    for version in 1..6 {
        let role = if version % 2 == 1 { "accountant" } else { "sales" };
        let current = rights(&house.test, house.company).await[&house.sal].3;
        let act = Act::ChangeRole { member: house.sal, expected_version: current, role: role.to_owned() };
        let id = house.asked(&house.ada, &act).await;
        let (one, two, three) =
            tokio::join!(house.approve(&house.bob, id), house.approve(&vic, id), house.reject(&vic, id));
        let made = [&one, &two, &three].into_iter().filter(|result| result.is_ok()).count();
        assert_eq!(made, 1, "{one:?} {two:?} {three:?}");
        let approved = house.request(id).await.decision.as_deref() == Some("approved");
        assert_eq!(approved, one.is_ok() || two.is_ok());
        assert_eq!(rights(&house.test, house.company).await[&house.sal].3, current + i32::from(approved));
    }
}

#[tokio::test]
async fn it_takes_two_owners_to_want_it_to_leave_and_to_want_it_no_more() {
    let test = TestDb::new().await;
    let (_, company, ada) = company(&test).await;
    let alone = acting(&test, company, ada).await;
    assert_eq!(code(turn_on(&alone).await), "TWO_OWNERS_NEEDED");
    drop(test);

    let house = house().await;
    let leave = house.ada.write(|tx| {
        let bobs = house.bobs;
        Box::pin(async move { members::remove(tx, bobs, 1).await })
    });
    let refused = leave.await.expect_err("refused");
    assert_eq!(refused.code(), "TWO_OWNERS_NEEDED");
    assert!(refused.to_string().contains("make somebody else an owner"), "{refused}");
    let off = house.asked(&house.ada, &Act::TurnOff).await;
    assert_eq!(code(give(&house.bob, house.sal, 1, "auditor").await), "APPROVAL_NEEDED", "still on");
    house.approve(&house.bob, off).await.expect("approved");
    give(&house.bob, house.sal, 1, "auditor").await.expect("one owner is enough again");
    let leave = house.ada.write(|tx| {
        let bobs = house.bobs;
        Box::pin(async move { members::remove(tx, bobs, 1).await })
    });
    leave.await.expect("may leave");
}

#[tokio::test]
async fn a_role_is_narrowed_at_once_and_widened_by_two() {
    let house = house().await;
    let new = NewRole {
        name: "Looks".to_owned(),
        description: None,
        permissions: set(&[Permission::KpiRead, Permission::LedgerRead]),
    };
    let made = house.ada.write(|tx| {
        let new = new.clone();
        Box::pin(async move { roles::create(tx, new).await })
    });
    let role = made.await.expect("a role is nothing until somebody has it");
    let change = |expected_version, permissions: &[&str]| Act::UpdateRole {
        role,
        expected_version,
        name: None,
        description: None,
        permissions: Some(permissions.iter().map(|name| (*name).to_owned()).collect()),
    };
    assert_eq!(house.ask(&house.ada, &change(1, &["kpi.read"])).await.expect("done"), Outcome::Done(role));
    let wider = house.asked(&house.ada, &change(2, &["kpi.read", "parties.bank"])).await;
    let direct = house.ada.write(|tx| {
        let change =
            RoleChange { permissions: Some(set(&[Permission::PartiesBank])), ..RoleChange::default() };
        Box::pin(async move { roles::update(tx, role, 2, change).await })
    });
    assert_eq!(code(direct.await), "APPROVAL_NEEDED");
    house.approve(&house.bob, wider).await.expect("approved");
    let tx = house.ada.read().await.expect("snapshot");
    let now = roles::get(&tx, role).await.expect("read").expect("there").permission_set().expect("known");
    assert_eq!(now, set(&[Permission::KpiRead, Permission::PartiesBank]));
}

#[tokio::test]
async fn an_invitation_is_written_once_it_is_approved() {
    let house = house().await;
    let invite = Act::Invite { email: "new@example.com".to_owned(), role: "sales".to_owned() };
    let id = house.asked(&house.ada, &invite).await;
    let told: Vec<_> = house.letters().await.into_iter().map(|(to, _)| to).collect();
    assert_eq!(told, ["bob@example.com"], "the invited know nothing yet");
    house.approve(&house.bob, id).await.expect("approved");
    let letters = house.letters().await;
    assert!(
        letters
            .iter()
            .any(|(to, content)| to == "new@example.com" && matches!(content, Content::Invitation { .. }))
    );
    let tx = house.ada.read().await.expect("snapshot");
    assert_eq!(identity::invitation::service::list(&tx).await.expect("list").len(), 1);
}

#[tokio::test]
async fn nobody_joins_by_a_domain_before_two_owners_want_it() {
    let house = house().await;
    let domain = kernel::id::new();
    sqlx::query(
        "INSERT INTO company_domain (tenant_id, id, domain, token, verified_at, created_at, created_by, updated_at, updated_by)
         VALUES ($1, $2, 'example.org', 't', $3, $3, 'system', $3, 'system')",
    )
    .bind(house.company)
    .bind(domain)
    .bind(house.test.clock.now())
    .execute(&mut house.test.superuser().await)
    .await
    .expect("a domain");
    let joins = |expected_version, joins, role: Option<&str>| Act::JoinByDomain {
        domain,
        expected_version,
        joins: Some(joins),
        role: role.map(str::to_owned),
    };
    let id = house.asked(&house.ada, &joins(1, true, Some("sales"))).await;
    let direct = house.ada.write(|tx| {
        Box::pin(async move {
            identity::federation::domain::update(tx, domain, 1, Some(true), Some("sales")).await
        })
    });
    assert_eq!(code(direct.await), "APPROVAL_NEEDED");
    house.approve(&house.bob, id).await.expect("approved");
    let joining = async || {
        let tx = house.ada.read().await.expect("snapshot");
        let found = identity::federation::domain::get(&tx, domain).await.expect("read").expect("there");
        tx.end().await;
        found.joins
    };
    assert!(joining().await);
    house.ask(&house.ada, &joins(2, false, None)).await.expect("closing a door needs nobody");
    assert!(!joining().await);
}
