//! Redis goes and comes back under load.

use std::cell::Cell;
use std::time::{Duration, Instant};

use cluster::{Redis, RedisOptions, scratch};

use super::{PATIENT, buckets, options};
use crate::budget::{Budget, Charge, Shared, Verdict};
use crate::redis_link::PATIENCE;

async fn is_granted(budget: &Budget, charge: &Charge<'_>) -> bool {
    matches!(budget.take(charge).await, Verdict::Granted { .. })
}

#[tokio::test]
async fn an_absent_redis_refuses_nobody_and_slows_no_request_but_the_first() {
    // Nothing listens there.
    let budget = Budget::over_redis("redis://127.0.0.1:9", &options()).expect("a URL");
    let buckets = buckets((1_000_000, 1), (1_000_000, 1));
    let charge = Charge { buckets: &buckets, cost: 1 };
    assert!(is_granted(&budget, &charge).await);
    assert_eq!(budget.redis_answers(), Some(false));
    let began = Instant::now();
    for _ in 0..1000 {
        assert!(is_granted(&budget, &charge).await);
    }
    let each = began.elapsed() / 1000;
    assert!(each < Duration::from_millis(5), "{each:?} a request");
}

#[tokio::test]
async fn a_redis_that_hangs_holds_up_those_in_flight_for_a_moment_and_nobody_else() {
    let hanging = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let url = format!("redis://{}", hanging.local_addr().expect("an address"));
    // Connections are accepted by the system, and never answered.
    let budget = Budget::over_redis(&url, &options()).expect("a URL");
    let began = Instant::now();
    let in_flight = (0..50).map(|_| {
        let budget = budget.clone();
        tokio::spawn(async move {
            let buckets = buckets((1000, 1), (1000, 1));
            is_granted(&budget, &Charge { buckets: &buckets, cost: 1 }).await
        })
    });
    for request in in_flight.collect::<Vec<_>>() {
        assert!(request.await.expect("no panic"));
    }
    assert!(began.elapsed() >= PATIENCE, "Redis was asked");
    assert!(began.elapsed() < PATIENCE * 10, "{:?}: they waited side by side", began.elapsed());
    let began = Instant::now();
    let buckets = buckets((1000, 1), (1000, 1));
    for _ in 0..100 {
        assert!(is_granted(&budget, &Charge { buckets: &buckets, cost: 1 }).await);
    }
    assert!(began.elapsed() < PATIENCE, "{:?} for a hundred", began.elapsed());
}

thread_local! {
    /// Warnings of this thread, which is one test's.
    static WARNINGS: Cell<usize> = const { Cell::new(0) };
}

/// Counts warnings. One for all threads: the first test that has none would silence the others.
struct Counting;

impl tracing::Subscriber for Counting {
    fn enabled(&self, metadata: &tracing::Metadata<'_>) -> bool {
        *metadata.level() == tracing::Level::WARN
    }
    fn new_span(&self, _: &tracing::span::Attributes<'_>) -> tracing::span::Id {
        tracing::span::Id::from_u64(1)
    }
    fn record(&self, _: &tracing::span::Id, _: &tracing::span::Record<'_>) {}
    fn record_follows_from(&self, _: &tracing::span::Id, _: &tracing::span::Id) {}
    fn event(&self, event: &tracing::Event<'_>) {
        if event.metadata().target().starts_with("gateway") {
            WARNINGS.set(WARNINGS.get() + 1);
        }
    }
    fn enter(&self, _: &tracing::span::Id) {}
    fn exit(&self, _: &tracing::span::Id) {}
}

#[tokio::test]
async fn an_outage_is_told_once_however_many_requests_meet_it() {
    tracing::subscriber::set_global_default(Counting).expect("no other test sets one");
    let budget = Budget::over_redis("redis://127.0.0.1:9", &options()).expect("a URL");
    let buckets = buckets((1000, 1), (1000, 1));
    let charge = Charge { buckets: &buckets, cost: 1 };
    let many = futures_util::future::join_all((0..100).map(|_| is_granted(&budget, &charge)));
    assert!(many.await.into_iter().all(|granted| granted));
    // Longer than a probe takes to come, fail and be followed by another.
    for _ in 0..30 {
        assert!(is_granted(&budget, &charge).await);
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    assert_eq!(WARNINGS.get(), 1);
}

#[tokio::test]
async fn while_redis_is_away_the_limits_hold_in_the_process() {
    let budget = Budget::over_redis("redis://127.0.0.1:9", &options()).expect("a URL");
    let buckets = buckets((100, 1), (100, 1));
    let charge = Charge { buckets: &buckets, cost: 30 };
    for _ in 0..3 {
        assert!(is_granted(&budget, &charge).await);
    }
    assert!(!is_granted(&budget, &charge).await);
}

#[tokio::test]
async fn redis_is_used_again_once_it_is_back_and_a_receipt_settles_where_it_was_taken() {
    let folder = scratch().expect("a folder");
    let start = |port: Option<u16>, name: &str| {
        let options = RedisOptions { port, ..RedisOptions::new(folder.path().join(name)) };
        Redis::start(options)
    };
    let redis = start(None, "first").await.expect("Redis");
    let (url, port) = (redis.url(), redis.port());
    let shared = Shared::open(&url, "outage", PATIENT).expect("a URL");
    let budget = Budget::build(&options(), Some(shared));
    let buckets = buckets((1000, 1), (1000, 1));
    let charge = Charge { buckets: &buckets, cost: 600 };
    let Verdict::Granted { receipt, .. } = budget.take(&charge).await else { panic!("refused") };
    redis.stop().await.expect("stopped");

    // In the process the bucket is another one: the charge of Redis is not given back there.
    assert!(is_granted(&budget, &charge).await);
    assert_eq!(budget.redis_answers(), Some(false));
    assert!(budget.settle(receipt, 0).await.is_none());
    assert!(!is_granted(&budget, &charge).await);

    // The password of the new server is another one; the client knows the old URL, so the new one takes that too.
    let again = start(Some(port), "second").await.expect("Redis again");
    allow(&again.url(), &url).await;
    let began = Instant::now();
    while budget.redis_answers() == Some(false) {
        assert!(began.elapsed() < Duration::from_secs(20), "Redis is back and is not used");
        let _verdict = budget.take(&charge).await;
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert!(is_granted(&budget, &charge).await, "a fresh Redis holds empty buckets");
}

/// Lets a further password in.
async fn allow(server: &str, known: &str) {
    let password = known.split([':', '@']).nth(2).expect("redis://:password@…");
    let client = redis::Client::open(server).expect("URL");
    let mut connection = client.get_multiplexed_async_connection().await.expect("Redis");
    let mut command = redis::cmd("ACL");
    command.arg("SETUSER").arg("default").arg(format!(">{password}"));
    command.query_async::<()>(&mut connection).await.expect("ACL SETUSER");
}
