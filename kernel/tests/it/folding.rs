//! Figures of one company are folded whatever is wrong with another's.

use kernel::folder::fold_pending;
use testing::TestDb;
use uuid::Uuid;

/// Leaves deltas to fold in a company, as its triggers would.
async fn delta(test: &TestDb, company: Uuid, sum: i64, times: i32) {
    sqlx::query(
        "INSERT INTO kpi_delta (tenant_id, cube, day, count, sum1)
         SELECT $1, 'test', date '2026-06-15', 1, $2 FROM generate_series(1, $3)",
    )
    .bind(company)
    .bind(sum)
    .bind(times)
    .execute(&mut test.superuser().await)
    .await
    .expect("deltas");
}

#[tokio::test]
async fn a_sum_that_no_figure_holds_stops_the_figures_of_its_own_company_only() {
    let test = TestDb::new().await;
    let mut sound = Vec::new();
    // Companies are folded in no order that we know: with five of each, some sound one comes after an unsound one.
    for _ in 0..5 {
        let (good, bad) = (test.company().await.company().id, test.company().await.company().id);
        delta(&test, good, 1, 2).await;
        delta(&test, bad, i64::MAX, 2).await;
        sound.push(good);
    }
    let mut moved: Vec<_> =
        fold_pending(&test.db).await.expect("folded").into_iter().map(|(of, _)| of).collect();
    moved.sort_unstable();
    sound.sort_unstable();
    assert_eq!(moved, sound);
    assert!(fold_pending(&test.db).await.is_err(), "what cannot be folded is told once nothing else is left");
}
