//! The server cannot write a figure: only triggers write deltas, and only the folder writes rollups.

use testing::TestDb;

use crate::support::{Sale, firm, sell_in, write};

#[tokio::test]
async fn the_servers_role_cannot_touch_deltas_rollups_or_triggers() {
    let test = TestDb::new().await;
    let firm = firm(&test).await;
    let ids = firm.ids;
    write!(firm.scope, |tx| sell_in(tx, ids, Sale::invoice("2026-06-01", "2026-07-01", 10_000)));
    test.settle().await;
    write!(firm.scope, |tx| sell_in(tx, ids, Sale::invoice("2026-06-01", "2026-07-01", 10_000)));
    let mut raw = test.raw("coulisse_server").await;
    let tenant = format!("SET app.tenant_id = '{}'", firm.scope.company().id);
    sqlx::raw_sql(sqlx::AssertSqlSafe(tenant)).execute(&mut raw).await.expect("tenant");
    for sql in [
        "INSERT INTO kpi_delta (tenant_id, cube, day, sum1) VALUES (app_tenant(), 'invoice.issued', '2026-06-01', 1)",
        "UPDATE kpi_delta SET sum1 = sum1 + 1",
        "DELETE FROM kpi_delta",
        "TRUNCATE kpi_delta",
        "INSERT INTO kpi_rollup SELECT tenant_id, cube, day + 1, dim1, dim2, dim3, currency, count, sum1, sum2, revision
         FROM kpi_rollup",
        "UPDATE kpi_rollup SET sum1 = sum1 + 1",
        "DELETE FROM kpi_rollup",
        "TRUNCATE kpi_rollup",
        "UPDATE kpi_head SET revision = revision + 1",
        "UPDATE kpi_head SET ticked_on = ticked_on",
        "SELECT fold_deltas(app_tenant(), 10)",
        "SELECT tick_day(app_tenant(), '2026-06-01')",
        "SELECT keep_cubes('party')",
        "INSERT INTO kpi_slice (tenant_id, id, kpi_id, spec_version, part, cube, keep2, keep3, filled_to)
         SELECT tenant_id, gen_random_uuid(), id, 1, 1, cube, true, true, '9999-12-31' FROM kpi_definition LIMIT 1",
        "UPDATE kpi_slice SET filled_to = '9999-12-31'",
        "UPDATE kpi_slice SET state = 'live'",
        "DELETE FROM kpi_slice",
        "SELECT fill_slice(app_tenant(), gen_random_uuid(), 1)",
        "SELECT sweep_slice(app_tenant(), gen_random_uuid(), 1)",
        "SELECT cube_facts('invoice.issued', '2026-01-01', '2026-12-31')",
        "UPDATE kpi_definition_version SET parameters = '{}'",
        "UPDATE kpi_definition SET slice = id",
        "UPDATE kpi_definition SET spec_version = 2",
        "SELECT * FROM cube_facts('invoice.issued', '0001-01-01', '9999-12-31')",
        "SELECT business_ms(app_tenant(), now(), now())",
        "INSERT INTO passage (tenant_id, step_id, from_step, to_step, subject_kind, subject_id, on_day, elapsed_ms, business_ms)
         SELECT tenant_id, id, 'received', 'approved', 'bill', id, now(), 1, 1 FROM invoice",
        "UPDATE passage SET business_ms = 0",
        "DELETE FROM passage",
        "UPDATE bill SET decided_on = received_on",
        "UPDATE public_holiday SET day = day + 1",
        "DELETE FROM business_calendar",
        "ALTER TABLE invoice DISABLE TRIGGER cubes_update",
        "SET session_replication_role = replica",
        "UPDATE kpi_definition SET cube = 'invoice.issued'",
        "UPDATE kpi_definition SET key = key || '2'",
        "UPDATE kpi_definition SET created_at = now()",
        "DELETE FROM kpi_definition",
        // A table of one's own with our trigger function on it would let anyone pass rows off as invoices.
        "CREATE TEMP TABLE invoice (LIKE public.invoice);
         CREATE TRIGGER forged AFTER INSERT ON pg_temp.invoice REFERENCING NEW TABLE AS added
             FOR EACH STATEMENT EXECUTE FUNCTION public.invoice_cubes()",
    ] {
        let refused = sqlx::raw_sql(sql).execute(&mut raw).await;
        let code = refused.as_ref().err().and_then(|e| e.as_database_error()).and_then(sqlx::error::DatabaseError::code);
        assert_eq!(code.as_deref(), Some("42501"), "{sql}: {refused:?}");
    }
}

#[tokio::test]
async fn not_even_a_replication_session_skips_the_triggers() {
    let test = TestDb::new().await;
    let firm = firm(&test).await;
    let ids = firm.ids;
    let sale = Sale::invoice("2026-06-01", "2026-07-01", 10_000);
    let invoice = write!(firm.scope, |tx| sell_in(tx, ids, sale));
    test.settle().await;
    let mut superuser = test.superuser().await;
    let skip = format!(
        "SET session_replication_role = replica; SET app.tenant_id = '{}';
         UPDATE invoice SET settled_minor = 1 WHERE id = '{invoice}'",
        firm.scope.company().id
    );
    sqlx::raw_sql(sqlx::AssertSqlSafe(skip)).execute(&mut superuser).await.expect("updated");
    let tx = firm.scope.read().await.expect("snapshot");
    assert_eq!(kpi::audit(&tx).await.expect("audited"), []);
    let pending: Option<(i64, i64)> = tx
        .tuple("SELECT count(*), sum(sum1)::bigint FROM kpi_delta WHERE cube = 'receivable.open'", [])
        .await
        .expect("read");
    assert_eq!(pending, Some((1, -1)));
}

#[tokio::test]
async fn a_change_that_moves_no_figure_writes_no_delta_and_an_update_writes_its_net() {
    let test = TestDb::new().await;
    let firm = firm(&test).await;
    let ids = firm.ids;
    for _ in 0..3 {
        write!(firm.scope, |tx| sell_in(tx, ids, Sale::invoice("2026-06-01", "2026-07-01", 10_000)));
    }
    test.settle().await;
    write!(firm.scope, |tx| tx.run("UPDATE invoice SET version = version + 1", []));
    let tx = firm.scope.read().await.expect("snapshot");
    assert_eq!(tx.tuples::<(i64,)>("SELECT id FROM kpi_delta", []).await.expect("deltas"), []);
    tx.end().await;
    let mut superuser = test.superuser().await;
    let settle = format!(
        "SET app.tenant_id = '{}'; UPDATE invoice SET settled_minor = 100 WHERE state = 'issued'",
        firm.scope.company().id
    );
    sqlx::raw_sql(sqlx::AssertSqlSafe(settle)).execute(&mut superuser).await.expect("settled");
    let tx = firm.scope.read().await.expect("snapshot");
    let deltas: Vec<(String, i64, i64)> =
        tx.tuples("SELECT cube, count, sum1 FROM kpi_delta", []).await.expect("deltas");
    assert_eq!(deltas, [("receivable.open".to_owned(), 0, -300)], "three rows of one cell are one delta");
}

#[tokio::test]
async fn a_rollback_leaves_no_delta() {
    let test = TestDb::new().await;
    let firm = firm(&test).await;
    let ids = firm.ids;
    test.settle().await;
    let refused: Result<(), testing::Failed> = firm
        .scope
        .write(move |tx| {
            Box::pin(async move {
                sell_in(tx, ids, Sale::invoice("2026-06-01", "2026-07-01", 10_000)).await?;
                Err(testing::Failed::Refused)
            })
        })
        .await;
    assert!(refused.is_err());
    let tx = firm.scope.read().await.expect("snapshot");
    assert_eq!(tx.tuples::<(i64,)>("SELECT id FROM kpi_delta", []).await.expect("deltas"), []);
}
