//! Keys over their life: rotated, held to networks, handed over; whole secrets only, and only their hashes kept.

use std::net::IpAddr;

use chrono::TimeDelta;
use identity::api_key::service::{self as keys, KeyChange, NewApiKey};
use identity::member::service as members;
use identity::{Authenticator, Error, Role};
use kernel::{Actor, DomainError, Mode, Permission, PermissionSet, Scope};
use testing::TestDb;
use tokio::task::JoinSet;
use uuid::Uuid;

use crate::founding::{authenticator, found, sign_in};

const READS: Permission = Permission::KpiRead;

struct Desk {
    test: TestDb,
    company: Uuid,
    owner: Scope,
}

impl Desk {
    async fn open() -> Self {
        let test = TestDb::new().await;
        let auth = authenticator(&test);
        let company = found(&auth, "ada@example.com", "A").await.expect("founded");
        let ada = sign_in(&auth, "ada@example.com", None).await.expect("opened").person_id;
        let owner = test.scope(company, Actor::Person(ada), PermissionSet::all());
        Self { test, company, owner }
    }

    /// As another replica would see it: with nothing remembered.
    fn auth(&self) -> Authenticator {
        authenticator(&self.test)
    }

    async fn create(&self, networks: &[&str]) -> Result<(Uuid, String), Error> {
        let secret = keys::generate_secret(Mode::Live);
        let new = NewApiKey {
            name: "Partner".to_owned(),
            permissions: [READS].into_iter().collect(),
            expires_at: None,
            networks: networks.iter().map(|network| (*network).to_owned()).collect(),
        };
        let id = self.owner.write(|tx| {
            let (new, secret) = (new.clone(), secret.clone());
            Box::pin(async move { keys::create(tx, new, &secret).await })
        });
        Ok((id.await?, secret))
    }

    async fn rotate(&self, id: Uuid, overlap_hours: u16) -> Result<String, Error> {
        rotate_as(&self.owner, id, overlap_hours).await
    }

    async fn is_good(&self, secret: &str) -> bool {
        self.auth().principal(secret, None).await.is_ok()
    }

    async fn key(&self, id: Uuid) -> entity::identity::api_key::Model {
        keys::get(&self.owner.read().await.expect("snapshot"), id).await.expect("read").expect("the key")
    }

    async fn update(&self, id: Uuid, version: i32, change: KeyChange) -> Result<(), Error> {
        self.owner
            .write(|tx| {
                let change = change.clone();
                Box::pin(async move { keys::update(tx, id, version, change).await })
            })
            .await
    }

    /// A further member, and the membership.
    async fn member(&self, email: &str, role: Role) -> (Uuid, Uuid) {
        found(&self.auth(), email, "Elsewhere").await.expect("an account");
        let person = sign_in(&self.auth(), email, None).await.expect("opened").person_id;
        let add = self.owner.write(|tx| Box::pin(async move { members::add_in(tx, person, role).await }));
        (person, add.await.expect("a member"))
    }

    async fn hand_over(&self, id: Uuid, member: Uuid) -> Result<(), Error> {
        let version = self.key(id).await.version;
        self.owner.write(|tx| Box::pin(async move { keys::hand_over(tx, id, version, member).await })).await
    }
}

async fn rotate_as(scope: &Scope, id: Uuid, overlap_hours: u16) -> Result<String, Error> {
    let secret = keys::generate_secret(Mode::Live);
    let rotated = scope.write(|tx| {
        let secret = secret.clone();
        Box::pin(async move { keys::rotate(tx, id, overlap_hours, &secret).await })
    });
    rotated.await.map(|()| secret)
}

#[tokio::test]
async fn a_replaced_secret_stays_good_for_the_overlap_and_an_older_one_ends_at_once() {
    let desk = Desk::open().await;
    let start = desk.test.clock.now();
    let (id, first) = desk.create(&[]).await.expect("a key");
    let second = desk.rotate(id, 24).await.expect("rotated");
    assert!(desk.is_good(&first).await && desk.is_good(&second).await);
    let key = desk.key(id).await;
    assert_eq!(
        (key.rotated_at, key.old_secret_good_until, key.hint.as_str()),
        (Some(start), Some(start + TimeDelta::hours(24)), &second[second.len() - 4..])
    );
    desk.test.clock.set(start + TimeDelta::hours(24) - TimeDelta::seconds(1));
    assert!(desk.is_good(&first).await, "until the last second");
    desk.test.clock.set(start + TimeDelta::hours(24));
    assert!(!desk.is_good(&first).await && desk.is_good(&second).await);

    let third = desk.rotate(id, 720).await.expect("rotated");
    assert!(desk.is_good(&second).await && desk.is_good(&third).await);
    let fourth = desk.rotate(id, 1).await.expect("rotated within the overlap");
    assert!(!desk.is_good(&second).await, "the oldest ends");
    assert!(desk.is_good(&third).await && desk.is_good(&fourth).await);
    let fifth = desk.rotate(id, 0).await.expect("rotated without an overlap");
    assert!(!desk.is_good(&third).await && !desk.is_good(&fourth).await && desk.is_good(&fifth).await);
    assert_eq!(desk.rotate(id, 721).await.expect_err("too long").field().as_deref(), Some("overlapHours"));
}

#[tokio::test(flavor = "multi_thread")]
async fn of_rotations_at_once_the_last_two_secrets_stay() {
    let desk = Desk::open().await;
    let (id, first) = desk.create(&[]).await.expect("a key");
    let mut rotating = JoinSet::new();
    for _ in 0..8 {
        let owner = desk.owner.clone();
        rotating.spawn(async move { rotate_as(&owner, id, 5).await.expect("rotated") });
    }
    let secrets = rotating.join_all().await;
    assert!(!desk.is_good(&first).await);
    let mut good = Vec::new();
    for secret in &secrets {
        if desk.is_good(secret).await {
            good.push(secret.clone());
        }
    }
    assert_eq!(good.len(), 2, "the present one and the one before it");
    let hint = desk.key(id).await.hint;
    assert!(good.iter().any(|secret| secret.ends_with(&hint)), "the hint is of the present one");
    assert_eq!(desk.key(id).await.version, 9);
}

#[tokio::test]
async fn who_rotates_a_key_or_hands_it_over_has_all_that_it_may_do() {
    let desk = Desk::open().await;
    let (id, secret) = desk.create(&[]).await.expect("a key");
    let manager = [Permission::ApiKeysManage, Permission::ApiKeysRead].into_iter().collect();
    let (person, member) = desk.member("mia@example.com", Role::Owner).await;
    let manager = desk.test.scope(desk.company, Actor::Person(person), manager);
    assert_eq!(rotate_as(&manager, id, 0).await.expect_err("refused").code(), "BEYOND_OWN");
    let handed = manager.write(|tx| Box::pin(async move { keys::hand_over(tx, id, 1, member).await }));
    assert_eq!(handed.await.expect_err("refused").code(), "BEYOND_OWN");
    assert!(desk.is_good(&secret).await, "nothing has changed");
}

#[tokio::test]
async fn a_revoked_or_expired_key_is_not_taken_up_again() {
    let desk = Desk::open().await;
    let (id, secret) = desk.create(&[]).await.expect("a key");
    let second = desk.rotate(id, 24).await.expect("rotated");
    let ends = desk.test.clock.now() + TimeDelta::hours(1);
    let change = KeyChange { expires_at: Some(Some(ends)), ..KeyChange::default() };
    desk.update(id, 2, change).await.expect("an end");
    desk.test.clock.set(ends);
    assert!(!desk.is_good(&secret).await && !desk.is_good(&second).await, "with the key its secrets end");
    assert_eq!(desk.rotate(id, 1).await.expect_err("ended").code(), "KEY_ENDED");
    let change = KeyChange { expires_at: Some(None), ..KeyChange::default() };
    assert_eq!(desk.update(id, 3, change).await.expect_err("ended").code(), "KEY_ENDED");

    let (id, secret) = desk.create(&[]).await.expect("a key");
    let second = desk.rotate(id, 24).await.expect("rotated");
    desk.owner.write(|tx| Box::pin(async move { keys::revoke(tx, id).await })).await.expect("revoked");
    assert!(!desk.is_good(&secret).await && !desk.is_good(&second).await);
    assert_eq!(desk.rotate(id, 1).await.expect_err("revoked").code(), "KEY_ENDED");
}

#[tokio::test]
async fn a_key_comes_from_its_networks_only() {
    let desk = Desk::open().await;
    let (id, secret) =
        desk.create(&["203.0.113.0/24", "2001:db8::/32", "198.51.100.7"]).await.expect("a key");
    let auth = desk.auth();
    let from = async |address: &str| {
        let address: IpAddr = address.parse().expect("an address");
        auth.principal(&secret, Some(address)).await.is_ok()
    };
    for inside in ["203.0.113.0", "203.0.113.255", "198.51.100.7", "2001:db8:ffff::1", "::ffff:203.0.113.9"] {
        assert!(from(inside).await, "{inside}");
    }
    for outside in ["203.0.114.0", "198.51.100.8", "2001:db9::", "::ffff:198.51.100.8", "::1", "127.0.0.1"] {
        assert!(!from(outside).await, "{outside}");
    }
    assert!(!desk.is_good(&secret).await, "from nowhere known");
    // A wrong network and an unknown key are told alike.
    let told = async |secret: &str| {
        auth.principal(secret, Some([192, 0, 2, 1].into())).await.expect_err("refused").to_string()
    };
    assert_eq!(told(&secret).await, told(&keys::generate_secret(Mode::Live)).await);

    let change = KeyChange { networks: Some(vec!["192.0.2.0/24".to_owned()]), ..KeyChange::default() };
    desk.update(id, 1, change.clone()).await.expect("other networks");
    let fresh = desk.auth();
    assert!(fresh.principal(&secret, Some([192, 0, 2, 1].into())).await.is_ok());
    assert!(fresh.principal(&secret, Some([203, 0, 113, 1].into())).await.is_err());
    assert_eq!(desk.update(id, 1, change).await.expect_err("read before").code(), "CONFLICT");
    let wrong = desk.create(&["203.0.113.0/24", "office"]).await.expect_err("no network");
    assert_eq!((wrong.code(), wrong.field().as_deref()), ("INVALID", Some("networks.1")));
}

#[tokio::test]
async fn what_is_not_whole_is_not_looked_up_and_old_keys_go_on_working() {
    let desk = Desk::open().await;
    let (id, secret) = desk.create(&[]).await.expect("a key");
    assert!(secret.starts_with("ck_live_") && credentials::secret::is_well_formed(&secret));
    // A key from before there were checksums.
    let old = identity::secret::generate("ck_live_");
    let mut all = desk.test.superuser().await;
    sqlx::query("INSERT INTO api_key_hash (hash, tenant_id, api_key_id) VALUES ($1, $2, $3)")
        .bind(identity::secret::hash(&old))
        .bind(desk.company)
        .bind(id)
        .execute(&mut all)
        .await
        .expect("stored");
    assert!(desk.is_good(&old).await);
    // Whoever is looked up from here on meets a fault.
    sqlx::query("DROP FUNCTION api_key_principal(bytea, timestamptz)")
        .execute(&mut all)
        .await
        .expect("dropped");
    let mut wrong = secret.clone();
    let last = if wrong.ends_with('x') { 'y' } else { 'x' };
    wrong.pop();
    wrong.push(last);
    let other = secret.replacen("ck_live_", "ck_test_", 1);
    for malformed in [wrong.as_str(), &secret[..secret.len() - 2], &other, "ck_live_", "ck_"] {
        assert!(desk.auth().current(malformed, None).await.expect("not looked up").is_none(), "{malformed}");
    }
    desk.auth().current(&secret, None).await.expect_err("a whole one is looked up");
}

#[tokio::test]
async fn no_secret_of_a_key_is_stored() {
    let desk = Desk::open().await;
    let (id, first) = desk.create(&["203.0.113.0/24"]).await.expect("a key");
    let second = desk.rotate(id, 24).await.expect("rotated");
    let mut all = desk.test.superuser().await;
    let tables: Vec<String> = sqlx::query_scalar(
        "SELECT relname::text FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace",
    )
    .fetch_all(&mut all)
    .await
    .expect("tables");
    assert!(tables.len() > 40);
    for table in tables {
        let rows: Vec<String> =
            sqlx::query_scalar(sqlx::AssertSqlSafe(format!("SELECT t::text FROM {table} t")))
                .fetch_all(&mut all)
                .await
                .expect("rows");
        for row in rows {
            for secret in [&first, &second] {
                assert!(!row.contains(&secret["ck_live_".len()..]), "{table}");
            }
        }
    }
    // Events keep their payload as bytes.
    let payloads: Vec<String> = sqlx::query_scalar("SELECT convert_from(payload, 'UTF8') FROM event")
        .fetch_all(&mut all)
        .await
        .expect("events");
    assert!(payloads.iter().any(|payload| payload.contains("overlapHours")));
    assert!(payloads.iter().all(|payload| !payload.contains("ck_live_")));
}

#[tokio::test]
async fn a_key_is_handed_over_to_who_can_bear_it_and_outlives_who_made_it() {
    let desk = Desk::open().await;
    let (id, secret) = desk.create(&[]).await.expect("a key");
    let (_, purchaser) = desk.member("pat@example.com", Role::Purchaser).await;
    let (bob, owner) = desk.member("bob@example.com", Role::Owner).await;
    let wide = NewApiKey {
        name: "Wide".to_owned(),
        permissions: [Permission::LedgerPost].into_iter().collect(),
        expires_at: None,
        networks: Vec::new(),
    };
    let wide = desk.owner.write(|tx| {
        let (new, secret) = (wide.clone(), keys::generate_secret(Mode::Live));
        Box::pin(async move { keys::create(tx, new, &secret).await })
    });
    let wide = wide.await.expect("a wide key");
    let refused = desk.hand_over(wide, purchaser).await.expect_err("a purchaser posts nothing");
    assert_eq!((refused.code(), refused.field().as_deref()), ("BEYOND_OWN", Some("memberId")));
    assert_eq!(desk.hand_over(id, kernel::id::new()).await.expect_err("unknown").code(), "NOT_FOUND");

    desk.hand_over(id, owner).await.expect("handed over");
    assert_eq!(desk.key(id).await.responsible_id, Some(bob));
    let made_by = members::list(&desk.owner.read().await.expect("snapshot")).await.expect("members")[0].id;
    desk.owner
        .write(|tx| Box::pin(async move { members::remove(tx, made_by, 1).await }))
        .await
        .expect("who made it leaves");
    assert!(desk.is_good(&secret).await, "it is another's now");
    let tx = desk.owner.read().await.expect("snapshot");
    let behind = keys::behind_in(&tx, &Actor::ApiKey(id).stored()).await.expect("people");
    let Actor::Person(ada) = desk.owner.actor() else { panic!("a person") };
    assert_eq!(behind, [ada, bob], "where another person is asked for, both count");
}
