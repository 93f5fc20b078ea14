//! Hints reach whoever listens, hold nobody up, and what they miss is found.

use std::time::{Duration, Instant};

use kernel::folder::Moved;
use kernel::hint::{Hints, missed};
use testing::TestDb;
use tokio::sync::broadcast::Receiver;

async fn heard(listener: &mut Receiver<Moved>, wanted: Moved) -> bool {
    let hear = async {
        // Other tests tell over the same Redis.
        while listener.recv().await.expect("a hint") != wanted {}
    };
    tokio::time::timeout(Duration::from_millis(200), hear).await.is_ok()
}

#[tokio::test]
async fn a_hint_reaches_this_replica_at_once_and_the_others_over_redis() {
    let url = testing::redis_url();
    let (own, other) = (Hints::over_redis(&url).expect("a URL"), Hints::over_redis(&url).expect("a URL"));
    let (mut here, mut there) = (own.subscribe(), other.subscribe());
    let company = kernel::id::new();
    let mut told = 0;
    // The other replica may still be connecting.
    loop {
        told += 1;
        own.tell((company, told));
        // What comes over Redis, of this test and of others, may stand before it.
        while here.try_recv().expect("told in this process at once") != (company, told) {}
        if heard(&mut there, (company, told)).await {
            break;
        }
        assert!(told < 50, "no hint in 10 s");
    }
}

#[tokio::test]
async fn who_tells_does_not_wait_for_a_redis_that_is_away() {
    let hints = Hints::over_redis("redis://127.0.0.1:1").expect("a URL");
    let mut here = hints.subscribe();
    let company = kernel::id::new();
    let began = Instant::now();
    for revision in 0..5_000 {
        hints.tell((company, revision));
        assert_eq!(here.recv().await.expect("told"), (company, revision));
    }
    assert!(began.elapsed() < Duration::from_secs(2), "{:?}", began.elapsed());
}

#[tokio::test]
async fn what_hints_did_not_tell_is_found_with_revisions_that_went_back() {
    let test = TestDb::new().await;
    let companies = [test.company().await, test.company().await, test.company().await];
    let [same, ahead, behind] = companies.each_ref().map(|scope| scope.company().id);
    let mut all = test.superuser().await;
    for (company, revision) in [(same, 7_i64), (ahead, 9), (behind, 3)] {
        sqlx::query("UPDATE kpi_head SET revision = $2 WHERE tenant_id = $1")
            .bind(company)
            .bind(revision)
            .execute(&mut all)
            .await
            .expect("a revision");
    }
    let unknown = kernel::id::new();
    let mut found =
        missed(&test.db, &[(same, 7), (ahead, 7), (behind, 7), (unknown, 7)]).await.expect("swept");
    found.sort_unstable();
    let mut moved = vec![(ahead, 9), (behind, 3)];
    moved.sort_unstable();
    assert_eq!(found, moved);
}
