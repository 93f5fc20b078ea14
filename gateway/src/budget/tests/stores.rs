//! Never more than the capacity and what drained; both stores alike.

use std::net::IpAddr;
use std::num::NonZeroU32;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use proptest::prelude::*;
use uuid::Uuid;

use super::{bucket, buckets, options, over_redis, shared};
use crate::budget::bucket::{Change, Outcome, micro};
use crate::budget::local::Local;
use crate::budget::{Bucket, Budget, Charge, Count, Key, Options, Receipt, Refused, Verdict};

fn granted(verdict: Verdict) -> Receipt {
    match verdict {
        Verdict::Granted { receipt, .. } => receipt,
        Verdict::Refused(refused) => panic!("{refused}"),
    }
}

fn refused(verdict: Verdict) -> Refused {
    match verdict {
        Verdict::Granted { standing, .. } => panic!("granted: {standing:?}"),
        Verdict::Refused(refused) => refused,
    }
}

/// One step of a trace: time passes, then something is charged or given back to the first so many buckets.
#[derive(Clone, Debug)]
struct Step {
    passes_micros: u64,
    take: bool,
    units: u32,
    touched: usize,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = (0_u64..2_000_000, prop::bool::weighted(0.75), 0_u32..80, 1_usize..=2);
    let step =
        step.prop_map(|(passes_micros, take, units, touched)| Step { passes_micros, take, units, touched });
    prop::collection::vec(step, 1..60)
}

fn change(step: &Step) -> Change {
    if step.take { Change::Take(micro(step.units)) } else { Change::Refund(micro(step.units)) }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_is_granted_less_what_is_given_back_is_capacity_and_drain_at_most(
        steps in steps(), capacity in 1_u32..100, drain in 1_u32..50,
    ) {
        let local = Local::new(10, 10);
        let buckets = [bucket(Key::company("cost", Uuid::nil()), capacity, drain)];
        let (mut now, mut taken) = (0, vec![(0_u64, 0_i128)]);
        for step in &steps {
            now += step.passes_micros;
            // As receipts have it: no more is given back than was taken.
            let spent: i128 = taken.iter().map(|(_, units)| units).sum();
            let units = if step.take { i128::from(micro(step.units)) } else { i128::from(micro(step.units)).min(spent) };
            let amount = u64::try_from(units).expect("not negative");
            let change = if step.take { Change::Take(amount) } else { Change::Refund(amount) };
            if local.change_at(&buckets, change, now).granted {
                taken.push((now, if step.take { units } else { -units }));
            }
            for (from, (start, _)) in taken.iter().enumerate() {
                let net: i128 = taken[from..].iter().map(|(_, units)| units).sum();
                let most = i128::from(micro(capacity)) + i128::from((now - start) * u64::from(drain));
                prop_assert!(net <= most, "{net} of {most} since {start}");
            }
        }
    }

    #[test]
    fn a_bucket_that_refuses_charges_no_other(first in 0_u32..40, second in 0_u32..40, cost in 1_u32..40) {
        let local = Local::new(10, 10);
        let buckets = buckets((40, 1), (40, 1));
        for (bucket, filled) in buckets.iter().zip([first, second]) {
            let _ = local.change_at(std::slice::from_ref(bucket), Change::Take(micro(filled)), 0);
        }
        let outcome = local.change_at(&buckets, Change::Take(micro(cost)), 0);
        let fits = first + cost <= 40 && second + cost <= 40;
        let added = if fits { micro(cost) } else { 0 };
        let levels = vec![micro(first) + added, micro(second) + added];
        prop_assert_eq!(outcome, Outcome { granted: fits, levels });
    }

    #[test]
    fn after_the_wait_that_a_refusal_names_there_is_room_and_a_moment_before_there_is_none(
        filled in 1_u32..=1000, cost in 1_u32..=1000, drain in 1_u32..5000,
    ) {
        prop_assume!(filled + cost > 1000);
        let buckets = [bucket(Key::company("cost", Uuid::nil()), 1000, drain)];
        let after = |wait: u64| {
            let local = Local::new(10, 10);
            prop_assert!(local.change_at(&buckets, Change::Take(micro(filled)), 0).granted);
            Ok(local.change_at(&buckets, Change::Take(micro(cost)), wait))
        };
        let now = after(0)?;
        prop_assert!(!now.granted);
        let refusal = crate::budget::bucket::refusal(&buckets, &now.levels, micro(cost));
        let wait = u64::try_from(refusal.retry_after().expect("a wait").as_micros()).expect("short");
        prop_assert!(after(wait)?.granted);
        prop_assert!(!after(wait - 1)?.granted);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn both_stores_agree_on_every_trace(
        steps in prop::collection::vec((steps(), 0_u64..400_000, 1_u32..4), 1..4), company in (1_u32..u32::MAX, 1_u32..20), client in (1_u32..100, 1_u32..20),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("runtime");
        runtime.block_on(async {
            let (shared, local, buckets) = (shared(), Local::new(10, 10), buckets(company, client));
            let mut now = 1_700_000_000_000_000;
            for (steps, back, shrinks) in &steps {
                // A failover may set Redis's clock back, and a company's limits may change.
                now -= back;
                let mut buckets = buckets.clone();
                for bucket in &mut buckets {
                    bucket.capacity = bucket.capacity.div_ceil(*shrinks);
                }
                for step in steps {
                    now += step.passes_micros;
                    let touched = &buckets[..step.touched];
                    let ours = local.change_at(touched, change(step), now);
                    let theirs = shared.change_at(touched, change(step), Some(now)).await;
                    prop_assert_eq!(theirs.as_ref(), Some(&ours), "at {:?}", step);
                }
            }
            Ok(())
        })?;
    }
}

#[tokio::test]
async fn the_largest_bucket_is_counted_to_the_millionth_in_redis_too() {
    let (shared, local) = (shared(), Local::new(10, 10));
    let buckets = [bucket(Key::company("cost", Uuid::now_v7()), u32::MAX, 7)];
    for (units, now) in [(u32::MAX - 1, 1), (0, 3), (1, 3), (1, 4), (1, 1_000_000)] {
        let change = Change::Take(micro(units));
        let ours = local.change_at(&buckets, change, now);
        assert_eq!(shared.change_at(&buckets, change, Some(now)).await, Some(ours), "{units} at {now}");
    }
}

#[tokio::test]
async fn a_lowered_capacity_takes_refunds_and_grants_what_costs_nothing() {
    let (shared, local) = (shared(), Local::new(10, 10));
    let mut buckets = [bucket(Key::company("cost", Uuid::now_v7()), 100, 1)];
    let mut now = 1_000_000;
    for (capacity, change, granted) in [
        (100, Change::Take(micro(100)), true),
        (10, Change::Refund(micro(20)), true),
        (10, Change::Take(0), true),
        (10, Change::Take(1), false),
        (10, Change::Refund(micro(75)), true),
        (10, Change::Take(micro(5)), true),
    ] {
        buckets[0].capacity = capacity;
        now += 1;
        let ours = local.change_at(&buckets, change, now);
        assert_eq!(ours.granted, granted, "{change:?} of {capacity}");
        assert_eq!(shared.change_at(&buckets, change, Some(now)).await, Some(ours));
    }
}

/// Charges from many tasks at once for a while; units granted less units given back, and how long it took.
async fn flood(budget: Budget, buckets: Vec<Bucket>) -> (u64, Duration) {
    let (began, granted) = (Instant::now(), Arc::new(AtomicU64::new(0)));
    let buckets: Arc<[Bucket]> = buckets.into();
    let tasks: Vec<_> = (0..16)
        .map(|task: u64| {
            let (budget, buckets, granted) = (budget.clone(), buckets.clone(), granted.clone());
            tokio::spawn(async move {
                for turn in 0..60 {
                    let cost = 1 + (task + turn) % 9;
                    match budget.take(&Charge { buckets: &buckets, cost }).await {
                        Verdict::Granted { receipt, .. } => {
                            let kept = cost / 2;
                            granted.fetch_add(kept, Ordering::SeqCst);
                            assert!(budget.settle(receipt, kept).await.is_some());
                        }
                        Verdict::Refused(_) => tokio::time::sleep(Duration::from_millis(1)).await,
                    }
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.expect("no panic");
    }
    (granted.load(Ordering::SeqCst), began.elapsed())
}

fn most(bucket: &Bucket, time: Duration) -> u64 {
    let drained = time.as_micros() * u128::from(bucket.drain_per_second.get()) / 1_000_000;
    u64::from(bucket.capacity) + u64::try_from(drained).expect("short") + 1
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn many_at_once_get_no_more_than_one_after_the_other() {
    for budget in [Budget::local(&options()), over_redis()] {
        let buckets = buckets((200, 50), (120, 20));
        let least = u64::from(buckets[0].capacity) - 9;
        let (granted, time) = flood(budget, buckets.clone()).await;
        for bucket in &buckets {
            assert!(granted <= most(bucket, time), "{granted} in {time:?} of {bucket:?}");
        }
        assert!(granted >= least, "the capacity is there to be used: {granted}");
    }
}

#[tokio::test]
async fn clients_of_one_company_share_its_bucket_and_have_their_own() {
    for budget in [Budget::local(&options()), over_redis()] {
        let company = Uuid::now_v7();
        let client = |name| {
            [
                bucket(Key::client("client", company, name), 60, 1),
                bucket(Key::company("company", company), 100, 1),
            ]
        };
        let (one, two) = (client("one"), client("two"));
        granted(budget.take(&Charge { buckets: &one, cost: 60 }).await);
        let own = refused(budget.take(&Charge { buckets: &one, cost: 20 }).await);
        let Refused::Exhausted { standing, .. } = own else { panic!("{own}") };
        assert_eq!((standing.bucket, standing.name), (0, "client"));
        let shared = refused(budget.take(&Charge { buckets: &two, cost: 50 }).await);
        let Refused::Exhausted { standing, .. } = shared else { panic!("{shared}") };
        assert_eq!((standing.bucket, standing.name, standing.limit), (1, "company", 100));
        let elsewhere = buckets((100, 1), (60, 1));
        granted(budget.take(&Charge { buckets: &elsewhere, cost: 60 }).await);
    }
}

#[tokio::test]
async fn a_client_is_told_of_the_bucket_with_the_least_left() {
    for budget in [Budget::local(&options()), over_redis()] {
        for ((company, client), tightest) in
            [((1000, 100), ("client", 100, 40)), ((80, 100), ("company", 80, 20))]
        {
            let buckets = buckets((company, 1), (client, 1));
            let Verdict::Granted { standing, .. } =
                budget.take(&Charge { buckets: &buckets, cost: 60 }).await
            else {
                panic!("refused")
            };
            assert_eq!((standing.name, standing.limit, standing.remaining), tightest);
            assert!((59..=60).contains(&standing.reset.as_secs()), "{:?}", standing.reset);
        }
    }
}

#[tokio::test]
async fn what_was_not_used_is_given_back_once_and_no_more() {
    for budget in [Budget::local(&options()), over_redis()] {
        // A drain too slow to matter here.
        let buckets = [bucket(Key::company("cost", Uuid::now_v7()), 1_000_000, 1)];
        let charge = |cost| Charge { buckets: &buckets, cost };
        let receipt = granted(budget.take(&charge(900_000)).await);
        let after = budget.settle(receipt, 100_000).await.expect("settled");
        assert!((899_999..=900_100).contains(&after.remaining), "{after:?}");
        let receipt = granted(budget.take(&charge(800_000)).await);
        let after = budget.settle(receipt, 5_000_000).await.expect("settled");
        assert!(after.remaining <= 100_100, "what it cost beyond its charge is no refund: {after:?}");
        let receipt = granted(budget.take(&charge(1000)).await);
        budget.settle(receipt, 0).await.expect("settled");
        assert!(refused(budget.take(&charge(200_000)).await).retry_after().is_some());
    }
}

#[tokio::test]
async fn what_costs_more_than_a_bucket_holds_is_never_granted_and_says_so() {
    for budget in [Budget::local(&options()), over_redis()] {
        let buckets = buckets((100, 10), (50, 10));
        for cost in [51, u64::from(u32::MAX) + 51, u64::MAX] {
            let never = refused(budget.take(&Charge { buckets: &buckets, cost }).await);
            assert_eq!(never, Refused::Never { bucket: 0, name: "client", limit: 50, cost });
            assert_eq!((never.code(), never.retry_after()), ("COST_TOO_HIGH", None));
        }
        granted(budget.take(&Charge { buckets: &buckets, cost: 50 }).await);
    }
}

#[tokio::test]
async fn replicas_share_their_buckets_and_deployments_do_not() {
    let (ours, theirs) = (options(), options());
    let at = |options: &Options| {
        let shared = crate::budget::Shared::open(&super::redis_url(), &options.namespace, super::PATIENT);
        Budget::build(options, Some(shared.expect("the URL of a Redis")))
    };
    let buckets = buckets((100, 1), (100, 1));
    let charge = Charge { buckets: &buckets, cost: 80 };
    granted(at(&ours).take(&charge).await);
    refused(at(&ours).take(&charge).await);
    granted(at(&theirs).take(&charge).await);
}

#[tokio::test]
async fn a_bucket_in_redis_ends_by_itself_once_it_is_empty() {
    let options = options();
    let shared = crate::budget::Shared::open(&super::redis_url(), &options.namespace, super::PATIENT);
    let budget = Budget::build(&options, Some(shared.expect("the URL of a Redis")));
    let buckets = buckets((100, 100), (50, 100));
    granted(budget.take(&Charge { buckets: &buckets, cost: 50 }).await);
    let mut redis = redis::Client::open(super::redis_url())
        .expect("URL")
        .get_multiplexed_async_connection()
        .await
        .expect("Redis");
    for bucket in &buckets {
        let life: i64 = redis::cmd("PTTL")
            .arg(format!("{}:{}", options.namespace, bucket.key))
            .query_async(&mut redis)
            .await
            .expect("PTTL");
        assert!((1..=1500).contains(&life), "{life} ms");
    }
}

#[tokio::test]
async fn an_address_has_so_many_in_a_span_and_its_neighbour_its_own() {
    let (most, per_seconds) = (NonZeroU32::new(3).expect("3"), NonZeroU32::new(3600).expect("an hour"));
    for budget in [Budget::local(&options()), over_redis()] {
        let count = Count { name: "sign-in", most, per_seconds };
        let of = |text: &str| text.parse::<IpAddr>().expect("address");
        for left in [2, 1, 0] {
            let standing = budget.count(&count, of("2001:db8::1")).await.expect("granted");
            assert_eq!((standing.limit, standing.remaining), (3, left));
        }
        let refused = budget.count(&count, of("2001:db8::2")).await.expect_err("the same subscriber");
        let wait = refused.retry_after().expect("a wait").as_secs();
        assert!((1190..=1200).contains(&wait), "a third of an hour: {wait} s");
        budget.count(&count, of("2001:db8:0:1::1")).await.expect("another subscriber");
    }
}

#[test]
fn many_addresses_take_bounded_memory_and_push_out_no_company() {
    let local = Local::new(100, 1000);
    let company = [bucket(Key::company("cost", Uuid::nil()), 10, 1)];
    assert!(local.change_at(&company, Change::Take(micro(10)), 0).granted);
    for n in 0..200_000_u32 {
        let stranger = [bucket(Key::address("requests", IpAddr::from(n.to_be_bytes())), 10, 1)];
        assert!(local.change_at(&stranger, Change::Take(micro(1)), 0).granted);
    }
    assert_eq!(local.kept(), (1, 1000));
    assert!(!local.change_at(&company, Change::Take(micro(1)), 0).granted);
}

#[test]
fn a_bucket_in_use_is_kept_among_many_others_refused_or_not() {
    let local = Local::new(10, 1000);
    let busy = [bucket(Key::address("requests", IpAddr::from([192, 0, 2, 1])), 10, 1)];
    assert!(local.change_at(&busy, Change::Take(micro(10)), 0).granted);
    for n in 0..10_000_u32 {
        let stranger = [bucket(Key::address("requests", IpAddr::from(n.to_be_bytes())), 10, 1)];
        assert!(local.change_at(&stranger, Change::Take(micro(1)), 0).granted);
        if n % 400 == 0 {
            assert!(!local.change_at(&busy, Change::Take(micro(1)), 0).granted, "after {n} others");
        }
    }
}
