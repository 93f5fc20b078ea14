//! L1: a row belongs to one company, whoever asks and however.

use kernel::{Fault, Kind, NewEvent, Tx};
use testing::{Failed, TestDb};

async fn note(tx: &Tx) -> Result<(), Fault> {
    NewEvent::new("test.noted", Kind::Company, tx.scope().company().id).append(tx).await
}

async fn seen(tx: &Tx) -> Vec<(uuid::Uuid,)> {
    tx.tuples("SELECT tenant_id FROM event", []).await.expect("events")
}

#[tokio::test]
async fn companies_alternating_on_one_connection_see_their_own_rows_only() {
    let test = TestDb::with_connections(1).await;
    let (a, b) = (test.company().await, test.company().await);
    for round in 1..=20 {
        for scope in [&a, &b] {
            scope
                .write(|tx| Box::pin(async move { note(tx).await.map_err(Failed::from) }))
                .await
                .expect("written");
            let snapshot = scope.read().await.expect("snapshot");
            let rows = seen(&snapshot).await;
            snapshot.end().await;
            assert_eq!(rows.len(), round);
            assert!(rows.iter().all(|(tenant,)| *tenant == scope.company().id));
        }
    }
}

#[tokio::test]
async fn a_refused_or_dropped_transaction_leaves_nothing() {
    let test = TestDb::with_connections(1).await;
    let scope = test.company().await;
    let refused: Result<(), Failed> = scope
        .write(|tx| {
            Box::pin(async move {
                note(tx).await?;
                Err(Failed::Refused)
            })
        })
        .await;
    assert!(matches!(refused, Err(Failed::Refused)));
    drop(scope.write(|tx| {
        Box::pin(async move {
            note(tx).await?;
            std::future::pending::<Result<(), Failed>>().await
        })
    }));
    let cancelled = tokio::time::timeout(
        std::time::Duration::from_millis(200),
        scope.write(|tx| {
            Box::pin(async move {
                note(tx).await?;
                std::future::pending::<Result<(), Failed>>().await
            })
        }),
    );
    assert!(cancelled.await.is_err(), "cancelled in the middle");
    let snapshot = scope.read().await.expect("the connection is whole again");
    assert_eq!(seen(&snapshot).await, []);
}

#[tokio::test]
async fn a_savepoint_undoes_its_own_work_only() {
    let test = TestDb::new().await;
    let scope = test.company().await;
    scope
        .write(|tx| {
            Box::pin(async move {
                note(tx).await?;
                let inner: Result<(), Failed> = tx
                    .savepoint(async {
                        note(tx).await?;
                        tx.run("SELECT 1/0", []).await?;
                        Ok(())
                    })
                    .await;
                assert!(inner.is_err());
                note(tx).await.map_err(Failed::from)
            })
        })
        .await
        .expect("committed");
    assert_eq!(seen(&scope.read().await.expect("snapshot")).await.len(), 2);
}

#[tokio::test]
async fn a_savepoint_around_one_that_failed_still_undoes_all_of_its_own_work() {
    let test = TestDb::new().await;
    let scope = test.company().await;
    scope
        .write(|tx| {
            Box::pin(async move {
                let outer: Result<(), Failed> = tx
                    .savepoint(async {
                        note(tx).await?;
                        let inner: Result<(), Failed> = tx.savepoint(async { Err(Failed::Refused) }).await;
                        assert!(inner.is_err());
                        Err(Failed::Refused)
                    })
                    .await;
                assert!(outer.is_err());
                Ok::<_, Failed>(())
            })
        })
        .await
        .expect("committed");
    assert_eq!(seen(&scope.read().await.expect("snapshot")).await, []);
}

#[tokio::test]
async fn without_a_scope_a_query_fails_and_does_not_answer() {
    let test = TestDb::new().await;
    let scope = test.company().await;
    scope.write(|tx| Box::pin(async move { note(tx).await.map_err(Failed::from) })).await.expect("written");
    let mut raw = test.raw("coulisse_server").await;
    for sql in
        ["SELECT count(*) FROM event", "BEGIN; SET LOCAL app.tenant_id = ''; SELECT count(*) FROM event"]
    {
        let error = sqlx::raw_sql(sql).execute(&mut raw).await.expect_err(sql);
        assert_eq!(
            error.as_database_error().and_then(sqlx::error::DatabaseError::code).as_deref(),
            Some("CO001"),
            "{sql}"
        );
        let _over = sqlx::raw_sql("ROLLBACK").execute(&mut raw).await;
    }
}

#[tokio::test]
async fn a_snapshot_writes_nothing() {
    let test = TestDb::new().await;
    let scope = test.company().await;
    let snapshot = scope.read().await.expect("snapshot");
    let refused = note(&snapshot).await.expect_err("read only");
    assert_eq!(refused.sqlstate().as_deref(), Some("25006"));
}

#[tokio::test]
async fn a_deadlock_is_retried_and_invisible() {
    let test = TestDb::new().await;
    let scope = test.company().await;
    let mut owner = test.superuser().await;
    sqlx::raw_sql(
        "CREATE TABLE counter (id int PRIMARY KEY, n int); INSERT INTO counter VALUES (1, 0), (2, 0);
                   GRANT SELECT, UPDATE ON counter TO coulisse_server",
    )
    .execute(&mut owner)
    .await
    .expect("two rows to lock");
    let crossing = |first: i32, second: i32| {
        let scope = scope.clone();
        async move {
            scope
                .write(|tx| {
                    Box::pin(async move {
                        tx.run("UPDATE counter SET n = n + 1 WHERE id = $1", [first.into()]).await?;
                        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
                        tx.run("UPDATE counter SET n = n + 1 WHERE id = $1", [second.into()]).await?;
                        Ok::<_, Failed>(())
                    })
                })
                .await
        }
    };
    let (one, two) = tokio::join!(crossing(1, 2), crossing(2, 1));
    assert!(one.is_ok() && two.is_ok(), "{one:?} {two:?}");
    let total: i64 =
        sqlx::query_scalar("SELECT sum(n) FROM counter").fetch_one(&mut owner).await.expect("sum");
    assert_eq!(total, 4, "each unit of work happened once");
}

#[tokio::test]
async fn the_company_of_a_transaction_cannot_change() {
    let test = TestDb::new().await;
    let (a, b) = (test.company().await, test.company().await);
    let snapshot = a.read().await.expect("snapshot");
    assert_eq!(seen(&snapshot).await, []);
    snapshot.run(&format!("SET LOCAL app.tenant_id = '{}'", b.company().id), []).await.expect("set");
    let refused =
        snapshot.tuples::<(uuid::Uuid,)>("SELECT tenant_id FROM event", []).await.expect_err("refused");
    assert_eq!(refused.sqlstate().as_deref(), Some("CO003"));
    snapshot.end().await;
    assert_eq!(seen(&b.read().await.expect("another transaction")).await, []);
}

#[tokio::test]
async fn a_request_that_is_given_up_while_its_transaction_begins_spoils_no_connection() {
    let test = TestDb::with_connections(1).await;
    let scope = test.company().await;
    for patience in 0..150 {
        let reading = scope.read();
        // From not begun at all to begun and given back, through every moment between.
        let begun = tokio::time::timeout(std::time::Duration::from_micros(patience * 4), reading).await;
        drop(begun);
        scope
            .write(|tx| Box::pin(async move { note(tx).await.map_err(Failed::from) }))
            .await
            .expect("the connection is in no transaction of somebody else's");
    }
}
