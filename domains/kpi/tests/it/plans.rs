//! Figures are read by the primary key of the rollups, however many rows there are.

use testing::TestDb;

use crate::support::firm;

#[tokio::test]
async fn figures_are_read_by_ranges_of_the_primary_key() {
    let test = TestDb::new().await;
    let firm = firm(&test).await;
    test.settle().await;
    let company = firm.scope.company().id;
    let mut superuser = test.superuser().await;
    // Ten years of two cubes, and nine other companies beside.
    sqlx::query(
        "INSERT INTO kpi_rollup SELECT t.id, c.cube, '2017-01-01'::date + d, 'invoice', '', '', 'EUR', 1, 100, 120, 1
         FROM (SELECT $1::uuid AS id UNION ALL SELECT gen_random_uuid() FROM generate_series(1, 9)) t,
              (VALUES ('invoice.issued'), ('receivable.open')) AS c (cube), generate_series(0, 3649) d",
    )
    .bind(company)
    .execute(&mut superuser)
    .await
    .expect("many rows");
    sqlx::raw_sql("ANALYZE kpi_rollup").execute(&mut superuser).await.expect("analyzed");
    let tx = firm.scope.read().await.expect("snapshot");
    for (text, name) in kpi::figure::STATEMENTS {
        let explain = format!("EXPLAIN (COSTS OFF) {text}");
        let slot = |slot: i32, cube: &str, first: &str, last: &str| {
            let none = serde_json::json!([null, null, null, null]);
            serde_json::json!({
                "slot": slot, "key": cube, "cube": cube, "first": first, "last": last, "since": first, "grp": 1,
                "split": 0, "wants": [["invoice"], null, null, null], "bars": none, "kept_wants": none,
                "kept_bars": none,
            })
        };
        let slots = serde_json::json!([
            slot(0, "kpi.definition", "0001-01-01", "9999-12-31"),
            slot(1, "invoice.issued", "2026-06-01", "2026-06-30"),
            slot(2, "receivable.open", "0001-01-01", "2026-06-14"),
        ]);
        let plan: Vec<(String,)> = tx.tuples(&explain, [slots.into()]).await.expect("explained");
        let plan = plan.into_iter().map(|(line,)| line).collect::<Vec<_>>().join("\n");
        let mut lines = plan.lines().skip_while(|line| !line.contains("kpi_rollup_pkey"));
        let condition = lines.nth(1).unwrap_or_else(|| panic!("{name}:\n{plan}"));
        for part in ["Index Cond", "tenant_id =", "cube =", "day >=", "day <="] {
            assert!(condition.contains(part), "{name}: no `{part}` in\n{plan}");
        }
        assert!(!plan.contains("Seq Scan on kpi_rollup"), "{name}:\n{plan}");
    }
}
