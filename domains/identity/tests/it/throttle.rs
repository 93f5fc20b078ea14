//! Guesses are limited by account and by network, and nobody is locked out by somebody else's.

use std::collections::HashMap;
use std::net::IpAddr;

use chrono::{DateTime, TimeDelta, Utc};
use identity::Authenticator;
use identity::throttle::service::{ask, forget_old, let_through, password_replaced as replaced, succeeded};
use identity::throttle::{Guess, POUR, RULES, Rule, Verdict};
use kernel::DomainError;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestCaseError, TestRunner};
use sqlx::Executor;
use testing::TestDb;
use uuid::Uuid;

use crate::founding::authenticator;

fn rule(name: &str) -> &'static Rule {
    RULES.into_iter().find(|rule| rule.name == name).expect("a rule")
}

fn from(address: &str) -> Option<IpAddr> {
    let address: IpAddr = address.parse().expect("an address");
    identity::throttle::network(&kernel::Origin {
        address: Some(address.to_string()),
        ..kernel::Origin::default()
    })
}

fn password(email: &str, network: Option<IpAddr>) -> Guess {
    Guess::Password { email: email.to_owned(), device: None, network }
}

fn on_device(email: &str, device: Uuid) -> Guess {
    Guess::Password { email: email.to_owned(), device: Some(device), network: None }
}

async fn verdict(auth: &Authenticator, guess: &Guess) -> Verdict {
    ask(auth, guess).await.expect("counted")
}

/// How many of so many are let through, one after the other.
async fn let_in(auth: &Authenticator, guess: &Guess, tries: usize) -> i32 {
    let mut let_in = 0;
    for _ in 0..tries {
        let_in += i32::from(verdict(auth, guess).await == Verdict::Go);
    }
    let_in
}

fn later(test: &TestDb, by: TimeDelta) {
    test.clock.set(test.clock.now() + by);
}

#[tokio::test]
async fn after_some_wrong_passwords_an_account_takes_one_a_minute_and_a_hundred_in_a_row() {
    let test = TestDb::new().await;
    let auth = authenticator(&test);
    let guess = password("ada@example.com", None);
    assert_eq!(let_in(&auth, &guess, 15).await, rule("password.strangers").at_once);
    let Verdict::Wait(wait) = verdict(&auth, &guess).await else { panic!("refused") };
    assert_eq!(wait, 60);
    later(&test, TimeDelta::seconds(59));
    assert_eq!(verdict(&auth, &guess).await, Verdict::Wait(1), "who waits less than told");
    later(&test, TimeDelta::seconds(1));
    assert_eq!(let_in(&auth, &guess, 5).await, 1, "who waits as told");
    let mut all = rule("password.strangers").at_once + 1;
    for _ in 0..200 {
        later(&test, TimeDelta::seconds(60));
        all += let_in(&auth, &guess, 2).await;
    }
    assert_eq!(all, 100, "NIST SP 800-63B-4, 3.2.2");
    later(&test, TimeDelta::days(1));
    let refused = let_through(&auth, &guess).await.expect_err("refused");
    assert_eq!((refused.code(), refused.field()), ("TOO_MANY_ATTEMPTS", None));
    assert!(refused.to_string().contains("reset the password"), "{refused}");
    replaced(&auth, " Ada@example.com").await.expect("reset by mail");
    assert_eq!(verdict(&auth, &guess).await, Verdict::Go);
}

#[tokio::test]
async fn a_known_device_is_never_starved_by_strangers_nor_by_other_devices() {
    let test = TestDb::new().await;
    let auth = authenticator(&test);
    let strangers = password("ada@example.com", from("203.0.113.9"));
    for _ in 0..120 {
        let_in(&auth, &strangers, 2).await;
        later(&test, TimeDelta::seconds(60));
    }
    assert_ne!(verdict(&auth, &strangers).await, Verdict::Go);
    let (own, other) =
        (on_device("ada@example.com", Uuid::from_u128(1)), on_device("ada@example.com", Uuid::from_u128(2)));
    assert_eq!(let_in(&auth, &other, 20).await, rule("password.device").at_once);
    assert_eq!(let_in(&auth, &own, 9).await, 9);
    succeeded(&auth, &own).await.expect("her own password");
    assert_eq!(
        let_in(&auth, &own, 20).await,
        rule("password.device").at_once,
        "her own typing errors are forgotten"
    );
    assert_ne!(verdict(&auth, &strangers).await, Verdict::Go, "hers does not let strangers on");
}

#[tokio::test]
async fn a_refusal_is_the_same_whether_or_not_there_is_such_an_account() {
    let test = TestDb::new().await;
    let auth = authenticator(&test);
    crate::founding::found(&auth, "ada@example.com", "A").await.expect("founded");
    let mut answers = Vec::new();
    for email in ["ada@example.com", "nobody@example.com"] {
        let guess = password(email, None);
        let mut of_one = Vec::new();
        for _ in 0..12 {
            of_one.push(let_through(&auth, &guess).await.err().map(|e| (e.code(), e.to_string())));
        }
        answers.push(of_one);
    }
    assert_eq!(answers[0], answers[1]);
    assert!(answers[0].last().is_some_and(Option::is_some), "the twelfth is refused");
}

#[tokio::test]
async fn one_network_guesses_so_often_at_all_accounts_together_and_its_neighbours_go_on() {
    let test = TestDb::new().await;
    let auth = authenticator(&test);
    let mut let_in = 0;
    for n in 0..80 {
        let guess = password(&format!("{n}@example.com"), from("2001:db8:1:2::1"));
        let_in += i32::from(verdict(&auth, &guess).await == Verdict::Go);
    }
    assert_eq!(let_in, rule("guess.network").at_once);
    let next_door = password("100@example.com", from("2001:db8:1:3::1"));
    assert_eq!(verdict(&auth, &next_door).await, Verdict::Go);
    let same = password("100@example.com", from("2001:db8:1:2:ffff::1"));
    assert!(
        matches!(verdict(&auth, &same).await, Verdict::Wait(_)),
        "another address of the same subscriber"
    );
    // What the network refused was not charged to the account.
    assert_eq!(
        self::let_in(&auth, &password("100@example.com", None), 20).await,
        rule("password.strangers").at_once - 1
    );
}

#[tokio::test]
async fn right_passwords_cost_a_network_nothing_and_forgive_it_nothing() {
    let test = TestDb::new().await;
    let auth = authenticator(&test);
    let office = from("198.51.100.4");
    for n in 0..200 {
        let guess = password(&format!("{n}@example.com"), office);
        assert_eq!(verdict(&auth, &guess).await, Verdict::Go, "colleague {n}");
        succeeded(&auth, &guess).await.expect("right");
    }
    let (mut wrong, own) = (0, password("thief@example.com", office));
    for n in 0..100 {
        let victim = password(&format!("v{n}@example.com"), office);
        wrong += i32::from(verdict(&auth, &victim).await == Verdict::Go);
        if verdict(&auth, &own).await == Verdict::Go {
            succeeded(&auth, &own).await.expect("the thief's own account");
        }
    }
    assert_eq!(wrong, rule("guess.network").at_once);
}

#[tokio::test]
async fn a_challenge_takes_five_codes_and_an_account_twenty_in_any_hour() {
    let test = TestDb::new().await;
    let auth = authenticator(&test);
    let person = kernel::id::new();
    let code =
        |challenge: u8, device| Guess::Code { person, challenge: vec![challenge], device, network: None };
    assert_eq!(let_in(&auth, &code(1, None), 8).await, 5);
    let mut hour = 5;
    for minute in 0..60u8 {
        hour += let_in(&auth, &code(2 + minute, None), 5).await;
        later(&test, TimeDelta::minutes(1));
    }
    assert!(hour <= 20, "{hour}");
    // Whoever has her password and guesses at codes leaves her own device its codes.
    assert_eq!(let_in(&auth, &code(200, Some(Uuid::from_u128(1))), 9).await, 5);
    let other = Guess::Code { person: kernel::id::new(), challenge: vec![1], device: None, network: None };
    assert_eq!(verdict(&auth, &other).await, Verdict::Go, "another's challenge of the same name");
}

#[tokio::test]
async fn a_mailbox_is_not_filled_and_the_answer_does_not_tell() {
    let test = TestDb::new().await;
    let auth = authenticator(&test);
    let letter =
        |email: &str| Guess::Letter { kind: "reset", email: email.to_owned(), network: from("203.0.113.9") };
    let mut verdicts = Vec::new();
    for _ in 0..5 {
        verdicts.push(verdict(&auth, &letter("ada@example.com")).await);
    }
    assert_eq!(verdicts, [Verdict::Go, Verdict::Go, Verdict::Go, Verdict::Silent, Verdict::Silent]);
    let_through(&auth, &letter("ada@example.com")).await.expect("silence is no refusal");
    later(&test, TimeDelta::minutes(20));
    assert_eq!(verdict(&auth, &letter("ada@example.com")).await, Verdict::Go);
    let mut sent = 0;
    for n in 0..60 {
        sent += i32::from(verdict(&auth, &letter(&format!("{n}@example.com"))).await == Verdict::Go);
    }
    // The six before have leaked; one was sent since.
    assert_eq!(sent, rule("letter.network").at_once - 1);
    assert!(matches!(verdict(&auth, &letter("new@example.com")).await, Verdict::Wait(_)));
}

#[tokio::test]
async fn sign_ups_are_counted_whether_they_succeed_or_not() {
    let test = TestDb::new().await;
    let auth = authenticator(&test);
    let guess = Guess::SignUp { network: from("203.0.113.9") };
    let mut signed_up = 0;
    for _ in 0..60 {
        if verdict(&auth, &guess).await == Verdict::Go {
            signed_up += 1;
            succeeded(&auth, &guess).await.expect("an account");
        }
    }
    assert_eq!(signed_up, rule("sign_up.network").at_once);
    assert_eq!(
        let_in(&auth, &Guess::SignUp { network: None }, 100).await,
        100,
        "nothing is counted together"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn guesses_at_once_are_counted_as_guesses_one_after_the_other() {
    let test = TestDb::new().await;
    // Two replicas, for what is counted is in the database.
    let replicas = [authenticator(&test), authenticator(&test)];
    let mut asking = tokio::task::JoinSet::new();
    for n in 0..120 {
        let (auth, guess) = (replicas[n % 2].clone(), password("ada@example.com", from("203.0.113.9")));
        asking.spawn(async move { verdict(&auth, &guess).await });
    }
    let verdicts = asking.join_all().await;
    let let_in = verdicts.iter().filter(|verdict| **verdict == Verdict::Go).count();
    assert_eq!(i32::try_from(let_in), Ok(rule("password.strangers").at_once));
}

#[tokio::test]
async fn what_is_counted_cannot_be_read_and_is_forgotten_once_it_counts_no_more() {
    let test = TestDb::new().await;
    let auth = authenticator(&test);
    let guess = password("ada@example.com", from("203.0.113.9"));
    verdict(&auth, &guess).await;
    let mut all = test.superuser().await;
    let rows: Vec<String> = sqlx::query_scalar("SELECT t::text || encode(t.key, 'escape') FROM throttle t")
        .fetch_all(&mut all)
        .await
        .expect("rows");
    assert_eq!(rows.len(), 4);
    for row in &rows {
        assert!(!row.contains("ada") && !row.contains("203.0"), "{row}");
    }
    let plain: i64 =
        sqlx::query_scalar("SELECT count(*) FROM throttle WHERE key = sha256('ada@example.com')")
            .fetch_one(&mut all)
            .await
            .expect("count");
    assert_eq!(plain, 0, "a hash that anybody could make of a list of addresses");
    assert_eq!(forget_old(&test.db, &test.clock).await.expect("swept"), 0);
    later(&test, TimeDelta::seconds(61));
    assert_eq!(forget_old(&test.db, &test.clock).await.expect("swept"), 3);
    later(&test, TimeDelta::days(30));
    assert_eq!(forget_old(&test.db, &test.clock).await.expect("swept"), 1);
}

#[tokio::test]
async fn what_cannot_be_counted_is_not_let_through() {
    let test = TestDb::new().await;
    let auth = authenticator(&test);
    test.db.close().await;
    let refused = let_through(&auth, &password("ada@example.com", None)).await.expect_err("refused");
    assert!(refused.fault().is_some());
}

#[tokio::test]
async fn a_guess_costs_the_database_the_rows_of_its_buckets() {
    let test = TestDb::new().await;
    let mut all = test.superuser().await;
    all.execute(
        "INSERT INTO throttle SELECT sha256(n::text::bytea), now(), interval '1 hour' FROM generate_series(1, 20000) n;
         ANALYZE throttle; SET plan_cache_mode = force_generic_plan",
    )
    .await
    .expect("many rows");
    let prepare = format!("PREPARE pour(bytea[], bigint[], bigint[], timestamptz) AS {POUR}");
    all.execute(sqlx::AssertSqlSafe(prepare)).await.expect("prepared");
    let plan: Vec<String> = sqlx::query_scalar(
        "EXPLAIN (ANALYZE, BUFFERS) EXECUTE pour(array[sha256('1')], '{60000000}', '{600000000}', now())",
    )
    .fetch_all(&mut all)
    .await
    .expect("plan");
    let plan = plan.join("\n");
    assert!(!plan.contains("Seq Scan on throttle"), "{plan}");
    assert!(plan.contains("Conflict Arbiter Indexes: throttle_pkey"), "{plan}");
}

/// A step of somebody: who is guessed at, from where, on which device, whether it is right, and how long it took.
#[derive(Clone, Debug)]
struct Step {
    account: u8,
    device: Option<u8>,
    network: u8,
    right: bool,
    after: i64,
}

fn step() -> impl Strategy<Value = Step> {
    let after = prop_oneof![5 => Just(0), 3 => 0..20_000i64, 1 => 0..400_000i64];
    (0..3u8, proptest::option::weighted(0.2, 0..2u8), 0..3u8, prop::bool::weighted(0.15), after)
        .prop_map(|(account, device, network, right, after)| Step { account, device, network, right, after })
}

/// In no window of time are more failures let through than fit into it.
fn fits(rule: &Rule, times: &[DateTime<Utc>]) -> bool {
    times.iter().enumerate().all(|(first, began)| {
        times[first..].iter().enumerate().all(|(more, at)| {
            let every = rule.every.num_microseconds().expect("fits");
            let leaked = (*at - *began).num_microseconds().expect("fits") / every;
            i64::try_from(more + 1).expect("few") <= i64::from(rule.at_once) + leaked
        })
    })
}

#[test]
fn in_no_window_of_time_do_more_failures_pass_than_the_rules_say_and_no_bucket_empties_anothers() {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("runtime");
    let test = runtime.block_on(TestDb::new());
    let auth = authenticator(&test);
    let case = std::cell::Cell::new(0u32);
    let config = Config { cases: 24, failure_persistence: None, ..Config::default() };
    let steps = prop::collection::vec(step(), 1..160);
    let result = TestRunner::new(config).run(&steps, |steps| {
        // A world of its own for each case: other accounts, other networks.
        case.set(case.get() + 1);
        let world = case.get();
        runtime.block_on(async {
            let mut failed: HashMap<(&str, Vec<u8>), Vec<DateTime<Utc>>> = HashMap::new();
            for step in steps {
                later(&test, TimeDelta::milliseconds(step.after));
                let email = format!("{}.{world}@example.com", step.account);
                let device = step.device.map(|n| Uuid::from_u128(u128::from(n) + 1));
                let network: IpAddr =
                    format!("2001:db8:{world:x}:{}::1", step.network).parse().expect("address");
                let guess = Guess::Password { email, device, network: Some(network) };
                let buckets = match step.device {
                    Some(n) => vec![
                        ("password.device", vec![step.account, n]),
                        ("guess.network", vec![step.network]),
                        ("guess.wide", vec![]),
                    ],
                    None => vec![
                        ("password.strangers", vec![step.account]),
                        ("password.strangers.row", vec![step.account]),
                        ("guess.network", vec![step.network]),
                        ("guess.wide", vec![]),
                    ],
                };
                let now = test.clock.now();
                // Nobody is refused whose own buckets have room: what others do is not counted there.
                let room = buckets.iter().all(|(name, counted)| {
                    let mut with = failed.get(&(*name, counted.clone())).cloned().unwrap_or_default();
                    with.push(now);
                    fits(rule(name), &with)
                });
                match verdict(&auth, &guess).await {
                    Verdict::Go if step.right => {
                        succeeded(&auth, &guess).await.expect("right");
                        for bucket in buckets
                            .into_iter()
                            .filter(|(name, _)| ["password.device", "password.strangers.row"].contains(name))
                        {
                            failed.remove(&bucket);
                        }
                    }
                    Verdict::Go => {
                        for bucket in buckets {
                            let name = bucket.0;
                            let times = failed.entry(bucket).or_default();
                            times.push(now);
                            prop_assert!(fits(rule(name), times), "{name}: {times:?}");
                        }
                    }
                    refused => prop_assert!(!room, "{refused:?} though there was room: {guess:?}"),
                }
            }
            Ok::<_, TestCaseError>(())
        })
    });
    result.expect("the rules hold");
}
