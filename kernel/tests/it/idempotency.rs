//! One key has one effect, also for twins at the same moment.

use kernel::Scope;
use kernel::idempotency::{Claim, Claimed, claim_in, record_in};
use testing::{Failed, TestDb};

fn claim(key: &str, input: &str) -> Claim {
    Claim::new(key.to_owned(), "createThing".to_owned(), "createThing", input)
}

async fn once(scope: &Scope, claim: &Claim, outcome: &serde_json::Value) -> Result<Claimed, Failed> {
    scope
        .write(|tx| {
            let (claim, outcome) = (claim.clone(), outcome.clone());
            Box::pin(async move {
                let claimed = claim_in(tx, &claim).await?;
                if claimed == Claimed::Fresh {
                    tokio::time::sleep(std::time::Duration::from_millis(50)).await;
                    record_in(tx, &claim, &outcome).await?;
                }
                Ok(claimed)
            })
        })
        .await
}

#[tokio::test(flavor = "multi_thread")]
async fn of_twenty_twins_one_works_and_the_others_replay() {
    let test = TestDb::with_connections(20).await;
    let scope = test.company().await;
    let twins: Vec<_> = (0..20)
        .map(|_| {
            let scope = scope.clone();
            tokio::spawn(async move { once(&scope, &claim("k", "{}"), &serde_json::json!({"id": 1})).await })
        })
        .collect();
    let mut fresh = 0;
    for twin in twins {
        match twin.await.expect("twin").expect("claimed") {
            Claimed::Fresh => fresh += 1,
            claimed => assert_eq!(claimed, Claimed::Replay(serde_json::json!({"id": 1}))),
        }
    }
    assert_eq!(fresh, 1);
}

#[tokio::test]
async fn another_input_under_the_key_is_told_and_another_company_or_path_is_fresh() {
    let test = TestDb::new().await;
    let (a, b) = (test.company().await, test.company().await);
    let outcome = serde_json::json!({});
    assert_eq!(once(&a, &claim("k", "{1}"), &outcome).await.expect("claimed"), Claimed::Fresh);
    assert_eq!(once(&a, &claim("k", "{2}"), &outcome).await.expect("claimed"), Claimed::OtherInput);
    assert_eq!(once(&b, &claim("k", "{2}"), &outcome).await.expect("claimed"), Claimed::Fresh);
    let other_path = Claim { path: "second".to_owned(), ..claim("k", "{2}") };
    assert_eq!(once(&a, &other_path, &outcome).await.expect("claimed"), Claimed::Fresh);
}

#[tokio::test]
async fn a_key_is_forgotten_after_a_day_and_a_twin_waits_two_seconds_only() {
    let test = TestDb::new().await;
    let scope = test.company().await;
    let outcome = serde_json::json!({});
    once(&scope, &claim("day", "{}"), &outcome).await.expect("claimed");
    test.clock.set(test.clock.now() + chrono::TimeDelta::hours(25));
    assert_eq!(once(&scope, &claim("day", "{}"), &outcome).await.expect("claimed"), Claimed::Fresh);

    let holder = scope.clone();
    let held = tokio::spawn(async move {
        holder
            .write(|tx| {
                Box::pin(async move {
                    claim_in(tx, &claim("slow", "{}")).await?;
                    tokio::time::sleep(std::time::Duration::from_secs(3)).await;
                    Ok::<_, Failed>(record_in(tx, &claim("slow", "{}"), &serde_json::json!({})).await?)
                })
            })
            .await
    });
    tokio::time::sleep(std::time::Duration::from_millis(200)).await;
    assert_eq!(once(&scope, &claim("slow", "{}"), &outcome).await.expect("claimed"), Claimed::Busy);
    held.await.expect("joined").expect("held");
}
