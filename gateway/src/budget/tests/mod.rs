//! What the budget promises, of both stores.

mod lanes;
mod outage;
mod stores;

use std::num::NonZeroU32;
use std::time::Duration;

use uuid::Uuid;

use super::shared::Shared;
use super::{Bucket, Budget, Key, Options};

/// Longer than a busy machine stalls: here a slow Redis is not an absent one.
const PATIENT: Duration = Duration::from_secs(20);

fn redis_url() -> String {
    std::env::var("COULISSE_TEST_REDIS_URL").expect("COULISSE_TEST_REDIS_URL: run `make test`")
}

/// A namespace of one test.
fn options() -> Options {
    Options { namespace: format!("test-{}", Uuid::now_v7()), ..Options::default() }
}

fn shared() -> Shared {
    Shared::open(&redis_url(), &options().namespace, PATIENT).expect("the URL of a Redis")
}

/// A budget over the test's Redis.
fn over_redis() -> Budget {
    Budget::build(&Options::default(), Some(shared()))
}

fn bucket(key: Key, capacity: u32, drain: u32) -> Bucket {
    Bucket { key, capacity, drain_per_second: NonZeroU32::new(drain).expect("a drain") }
}

/// A company's bucket and one of its client.
fn buckets(company: (u32, u32), client: (u32, u32)) -> Vec<Bucket> {
    let id = Uuid::now_v7();
    vec![
        bucket(Key::client("client", id, "api_key:1"), client.0, client.1),
        bucket(Key::company("company", id), company.0, company.1),
    ]
}
