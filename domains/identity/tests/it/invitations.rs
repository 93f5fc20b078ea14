//! Invitations: who joins, as what, and when a link is dead.

use chrono::TimeDelta;
use identity::invitation::service::{self as invitations, Newcomer};
use identity::member::service as members;
use identity::person::service as people;
use identity::{Authenticator, Error, Passwords, Role};
use kernel::{Actor, DomainError, Origin, PermissionSet, Scope};
use testing::TestDb;
use uuid::Uuid;

use crate::founding::{PASSWORD, authenticator, found, open, sign_in};
use crate::mailbox::{letters, token};

const URL: &str = "https://books.example";

struct House {
    auth: Authenticator,
    owner: Scope,
    owner_id: Uuid,
    company: Uuid,
}

impl House {
    async fn new(test: &TestDb) -> Self {
        let auth = authenticator(test);
        let company = found(&auth, "ada@example.com", "A").await.expect("founded");
        let owner_id = sign_in(&auth, "ada@example.com", None).await.expect("signed in").person_id;
        let owner = test.scope(company, Actor::Person(owner_id), PermissionSet::all());
        Self { auth, owner, owner_id, company }
    }

    async fn invite_as(&self, scope: &Scope, email: &str, role: &str) -> Result<Uuid, Error> {
        scope
            .write(|tx| {
                let (auth, email, role) = (self.auth.clone(), email.to_owned(), role.to_owned());
                Box::pin(async move { invitations::invite(tx, &auth, &email, &role, URL).await })
            })
            .await
    }

    async fn invite(&self, email: &str, role: &str) -> String {
        self.invite_as(&self.owner, email, role).await.expect("invited");
        token(&self.auth, email, "invitation").await
    }

    async fn resend(&self, id: Uuid, version: i32) -> Result<(), Error> {
        self.owner
            .write(|tx| {
                let auth = self.auth.clone();
                Box::pin(async move { invitations::resend(tx, &auth, id, version, URL).await })
            })
            .await
    }

    async fn accept_new(&self, token: &str) -> Result<(Uuid, Uuid), Error> {
        let newcomer = Newcomer { name: Some("Bob".to_owned()), password: Some(PASSWORD.to_owned()) };
        invitations::accept_new(&self.auth, &Passwords::default(), token, newcomer, &Origin::default()).await
    }

    async fn accept_as(&self, token: &str, person: Uuid) -> Result<Uuid, Error> {
        invitations::accept_as(&self.auth, token, person, &Origin::default()).await
    }

    /// A further member with a role, and a scope of that role.
    async fn member(&self, test: &TestDb, role: Role) -> (Uuid, Scope) {
        let email = format!("{}@example.com", role.as_str());
        found(&self.auth, &email, "Own").await.expect("founded");
        let person = people::by_email(&self.auth, &email).await.expect("asked").expect("known").id;
        self.owner
            .write(|tx| Box::pin(async move { members::add_in(tx, person, role).await }))
            .await
            .expect("added");
        (person, test.scope(self.company, Actor::Person(person), role.permissions()))
    }

    async fn roles(&self) -> Vec<(String, String)> {
        let tx = self.owner.read().await.expect("snapshot");
        members::list(&tx).await.expect("members").into_iter().map(|m| (m.email, m.role)).collect()
    }
}

fn code_of<T: std::fmt::Debug>(done: Result<T, Error>) -> &'static str {
    done.expect_err("refused").code()
}

#[tokio::test]
async fn a_new_address_joins_with_an_account_that_is_proved_by_the_letter() {
    let test = TestDb::new().await;
    let house = House::new(&test).await;
    let link = house.invite("bob@example.com", "sales").await;
    let offer = invitations::look(&house.auth, &link, Origin::default()).await.expect("an offer");
    assert_eq!((offer.company.as_str(), offer.role.as_str(), offer.has_account), ("A", "Ventes", false));
    let (passwords, nobody) = (Passwords::default(), Origin::default());
    let nameless =
        invitations::accept_new(&house.auth, &passwords, &link, Newcomer::default(), &nobody).await;
    assert_eq!(code_of(nameless), "INVALID");
    let (person, company) = house.accept_new(&link).await.expect("joined");
    assert_eq!(company, house.company);
    let opened =
        sign_in(&house.auth, "bob@example.com", None).await.expect("signed in: the address is proved");
    assert_eq!((opened.person_id, opened.company_id), (person, company));
    assert!(house.roles().await.contains(&("bob@example.com".to_owned(), "sales".to_owned())));
    assert_eq!(code_of(house.accept_new(&link).await), "PROOF_SPENT", "once");
    assert_eq!(code_of(house.accept_as(&link, person).await), "PROOF_SPENT", "once");
}

#[tokio::test]
async fn who_is_signed_in_joins_as_that_person() {
    let test = TestDb::new().await;
    let house = House::new(&test).await;
    let other = found(&house.auth, "bob@example.com", "B").await.expect("founded");
    let bob = sign_in(&house.auth, "bob@example.com", None).await.expect("signed in").person_id;
    let link = house.invite("bob@example.com", "accountant").await;
    assert_eq!(code_of(house.accept_new(&link).await), "SIGN_IN_FIRST");
    house.accept_as(&link, bob).await.expect("joined");
    open(&house.auth, bob, Some(house.company)).await.expect("a session there");
    open(&house.auth, bob, Some(other)).await.expect("and in the own company as before");
    assert_eq!(code_of(house.invite_as(&house.owner, "bob@example.com", "sales").await), "ALREADY_MEMBER");
}

#[tokio::test(flavor = "multi_thread")]
async fn of_many_who_accept_at_once_one_joins() {
    let test = TestDb::new().await;
    let house = House::new(&test).await;
    let mut people = Vec::new();
    for name in ["bob", "cyd", "dan"] {
        let email = format!("{name}@example.com");
        found(&house.auth, &email, name).await.expect("founded");
        people.push(people::by_email(&house.auth, &email).await.expect("asked").expect("known").id);
    }
    let link = house.invite("team@example.com", "sales").await;
    let (a, b, c) = tokio::join!(
        house.accept_as(&link, people[0]),
        house.accept_as(&link, people[1]),
        house.accept_as(&link, people[2])
    );
    assert_eq!([a, b, c].iter().filter(|joined| joined.is_ok()).count(), 1);
    assert_eq!(house.roles().await.len(), 2);
}

#[tokio::test]
async fn expired_revoked_replaced_and_foreign_links_are_told_alike() {
    let test = TestDb::new().await;
    let house = House::new(&test).await;
    let (bob, _) = house.member(&test, Role::Auditor).await;
    let mut told = Vec::new();
    let mut dead = async |link: &str| {
        let error = house.accept_as(link, bob).await.expect_err("dead");
        let look = invitations::look(&house.auth, link, Origin::default()).await.expect_err("dead");
        assert_eq!(error.to_string(), look.to_string());
        told.push((error.code(), error.to_string(), error.field()));
    };
    let expired = house.invite("a1@example.com", "sales").await;
    let replaced = house.invite("a2@example.com", "sales").await;
    let revoked = house.invite("a3@example.com", "sales").await;
    let tx = house.owner.read().await.expect("snapshot");
    let open: Vec<_> = invitations::list(&tx).await.expect("list");
    tx.end().await;
    let id = |email: &str| open.iter().find(|one| one.email == email).expect("open").id;
    house.resend(id("a2@example.com"), 1).await.expect("sent again");
    assert_eq!(code_of(house.resend(id("a2@example.com"), 1).await), "CONFLICT");
    let third = id("a3@example.com");
    house
        .owner
        .write(|tx| Box::pin(async move { invitations::revoke(tx, third, 1).await }))
        .await
        .expect("revoked");
    let again =
        house.owner.write(|tx| Box::pin(async move { invitations::revoke(tx, third, 2).await })).await;
    assert_eq!(code_of(again), "NOT_FOUND");
    dead(&replaced).await;
    dead(&revoked).await;
    dead("cp_unknown").await;
    test.clock.set(test.clock.now() + TimeDelta::days(7));
    dead(&expired).await;
    assert!(told.iter().all(|one| *one == told[0]) && told[0].0 == "PROOF_SPENT", "{told:#?}");
}

#[tokio::test]
async fn nobody_gives_more_than_they_have() {
    let test = TestDb::new().await;
    let house = House::new(&test).await;
    let (person, sales) = house.member(&test, Role::Sales).await;
    assert_eq!(code_of(house.invite_as(&sales, "x@example.com", "sales").await), "FORBIDDEN");
    // Somebody whose role manages members and does not post.
    let manager = Role::Sales.permissions().with(kernel::Permission::MembersManage);
    let manager = test.scope(house.company, Actor::Person(person), manager);
    for role in ["owner", "accountant"] {
        let code = code_of(house.invite_as(&manager, "x@example.com", role).await);
        assert!(["BEYOND_OWN", "OWNERS_ONLY"].contains(&code), "{role}: {code}");
    }
    assert_eq!(code_of(house.invite_as(&house.owner, "x@example.com", "emperor").await), "INVALID");
    assert_eq!(code_of(house.invite_as(&house.owner, "no address", "sales").await), "INVALID");
    house.invite("x@example.com", "owner").await;
    assert_eq!(code_of(house.invite_as(&house.owner, "X@example.com", "sales").await), "ALREADY_INVITED");
}

/// Else who leaves would leave a door behind.
#[tokio::test]
async fn an_invitation_dies_with_its_inviters_rights() {
    let test = TestDb::new().await;
    let house = House::new(&test).await;
    let (second, scope) = house.member(&test, Role::Owner).await;
    house.invite_as(&scope, "late@example.com", "owner").await.expect("invited");
    let link = token(&house.auth, "late@example.com", "invitation").await;
    let mut all = test.superuser().await;
    let mut set = async |what: &'static str| {
        sqlx::query(sqlx::AssertSqlSafe(format!("UPDATE membership SET {what} WHERE person_id = $1")))
            .bind(second)
            .execute(&mut all)
            .await
            .expect("set");
    };
    for (gone, back) in [
        ("archived_at = now()", "archived_at = NULL"),
        ("suspended_at = now()", "suspended_at = NULL"),
        ("role = 'accountant'", "role = 'owner'"),
    ] {
        set(gone).await;
        assert_eq!(code_of(house.accept_new(&link).await), "PROOF_SPENT", "{gone}");
        set(back).await;
    }
    house.accept_new(&link).await.expect("as long as the inviter may");
    assert_ne!(second, house.owner_id);
}

#[tokio::test]
async fn whether_an_address_has_an_account_is_not_told_to_who_invites() {
    let test = TestDb::new().await;
    let house = House::new(&test).await;
    found(&house.auth, "known@example.com", "K").await.expect("founded");
    house.invite_as(&house.owner, "known@example.com", "sales").await.expect("invited");
    house.invite_as(&house.owner, "unknown@example.com", "sales").await.expect("invited");
    let tx = house.owner.read().await.expect("snapshot");
    let open = invitations::list(&tx).await.expect("list");
    let shown: Vec<_> =
        open.iter().map(|one| (&one.role, one.version, one.expires_at, &one.invited_by)).collect();
    assert_eq!(shown[0], shown[1]);
    for email in ["known@example.com", "unknown@example.com"] {
        assert_eq!(letters(&house.auth, email).await.len(), 1);
    }
}

#[tokio::test]
async fn what_is_personal_stays_out_of_the_log_that_is_kept_for_ever() {
    let test = TestDb::new().await;
    let house = House::new(&test).await;
    let link = house.invite("bob@example.com", "sales").await;
    house.accept_new(&link).await.expect("joined");
    let mut all = test.superuser().await;
    let payloads: Vec<(String, Vec<u8>)> =
        sqlx::query_as("SELECT kind, payload FROM event ORDER BY position")
            .fetch_all(&mut all)
            .await
            .expect("events");
    let kinds: Vec<_> = payloads.iter().map(|(kind, _)| kind.as_str()).collect();
    for kind in ["invitation.made", "member.added", "invitation.accepted"] {
        assert!(kinds.contains(&kind), "{kinds:?}");
    }
    for (kind, payload) in &payloads {
        let payload = String::from_utf8_lossy(payload);
        assert!(!payload.contains("bob@") && !payload.contains(&link), "{kind}: {payload}");
    }
}
