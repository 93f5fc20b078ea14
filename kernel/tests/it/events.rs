//! L3: the log is gapless, in order, and shows tampering.

use kernel::sequencer::{BrokenLink, verify_chain};
use kernel::{Kind, NewEvent, Scope};
use testing::{Failed, TestDb};

async fn append(scope: &Scope, n: u32) {
    scope
        .write(|tx| {
            Box::pin(async move {
                let event =
                    NewEvent::new("test.counted", Kind::Company, tx.scope().company().id).fact("n", n);
                Ok::<_, Failed>(event.append(tx).await?)
            })
        })
        .await
        .expect("appended");
}

async fn sequences(scope: &Scope) -> Vec<(i64, i64)> {
    let tx = scope.read().await.expect("snapshot");
    tx.tuples("SELECT sequence, position FROM event_seal ORDER BY sequence", []).await.expect("seals")
}

#[tokio::test(flavor = "multi_thread")]
async fn two_sequencers_beside_eight_writers_lose_and_double_nothing() {
    let test = TestDb::with_connections(10).await;
    let companies = [test.company().await, test.company().await];
    let writers: Vec<_> = (0..8)
        .map(|writer: usize| {
            let scope = companies[writer % 2].clone();
            tokio::spawn(async move {
                for n in 0..25 {
                    append(&scope, n).await;
                }
            })
        })
        .collect();
    let sequencers: Vec<_> = (0..2)
        .map(|_| {
            let db = test.db.clone();
            tokio::spawn(async move {
                loop {
                    kernel::sequencer::seal_pending(&db).await.expect("sealed");
                    tokio::time::sleep(std::time::Duration::from_millis(2)).await;
                }
            })
        })
        .collect();
    for writer in writers {
        writer.await.expect("writer");
    }
    for sequencer in &sequencers {
        sequencer.abort();
    }
    // An aborted transaction may still be rolling back.
    tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    test.settle().await;
    for scope in &companies {
        let sealed = sequences(scope).await;
        assert_eq!(
            sealed.iter().map(|(sequence, _)| *sequence).collect::<Vec<_>>(),
            (1..=100).collect::<Vec<_>>()
        );
        let verdict = verify_chain(&scope.read().await.expect("snapshot")).await.expect("verified");
        assert_eq!((verdict.verified, verdict.broken), (100, None));
    }
}

#[tokio::test]
async fn a_changed_a_lost_and_a_cut_event_are_named() {
    let test = TestDb::new().await;
    let scope = test.company().await;
    for n in 0..5 {
        append(&scope, n).await;
    }
    test.settle().await;
    let mut superuser = test.superuser().await;
    let verdict =
        async || verify_chain(&scope.read().await.expect("snapshot")).await.expect("verdict").broken;
    let disable = "SET session_replication_role = replica; ALTER TABLE event DISABLE TRIGGER ALL;
                   ALTER TABLE event_seal DISABLE TRIGGER ALL;";
    sqlx::raw_sql(disable).execute(&mut superuser).await.expect("only a superuser can");
    let run = async |superuser: &mut sqlx::postgres::PgConnection, sql: &'static str| {
        sqlx::raw_sql(sql).execute(superuser).await.expect(sql);
    };
    assert_eq!(verdict().await, None);
    run(
        &mut superuser,
        "UPDATE event SET payload = '{\"n\":9}' WHERE position =
         (SELECT position FROM event_seal WHERE sequence = 3)",
    )
    .await;
    assert_eq!(verdict().await, Some(BrokenLink::Content(3)));
    run(&mut superuser, "DELETE FROM event_seal WHERE sequence = 2").await;
    assert_eq!(verdict().await, Some(BrokenLink::Missing(2)));
    run(&mut superuser, "DELETE FROM event_seal WHERE sequence > 1").await;
    assert_eq!(verdict().await, Some(BrokenLink::Tail { found: 1, head: 5 }));
}

#[tokio::test]
async fn no_role_of_the_service_can_change_the_log() {
    let test = TestDb::new().await;
    let scope = test.company().await;
    append(&scope, 1).await;
    test.settle().await;
    let tenant = format!("SET app.tenant_id = '{}'", scope.company().id);
    for role in ["coulisse_server", "coulisse_worker", "coulisse_owner"] {
        let mut raw = test.raw(role).await;
        sqlx::raw_sql(sqlx::AssertSqlSafe(tenant.clone())).execute(&mut raw).await.expect("tenant");
        for sql in [
            "UPDATE event SET actor = 'nobody'",
            "DELETE FROM event",
            "TRUNCATE event CASCADE",
            "UPDATE event_seal SET sequence = sequence + 1",
            "DELETE FROM event_seal",
            "TRUNCATE event_seal",
        ] {
            assert!(sqlx::raw_sql(sql).execute(&mut raw).await.is_err(), "{role}: {sql}");
        }
    }
    assert_eq!(sequences(&scope).await.len(), 1);
}

#[tokio::test]
async fn personal_values_stand_beside_the_log_and_can_be_erased() {
    let test = TestDb::new().await;
    let scope = test.company().await;
    scope
        .write(|tx| {
            Box::pin(async move {
                let event = NewEvent::new("test.renamed", Kind::Company, tx.scope().company().id);
                Ok::<_, Failed>(event.changed_personal("name", Some("Ada"), Some("Grace")).append(tx).await?)
            })
        })
        .await
        .expect("appended");
    test.settle().await;
    let tx = scope.read().await.expect("snapshot");
    let events = kernel::event::page(&tx, None, None, 10).await.expect("page");
    let payload = String::from_utf8(events[0].payload.clone()).expect("UTF-8");
    assert_eq!(payload, r#"{"personal":["name"]}"#);
    let values = kernel::event::personal_values(&tx, events[0].position).await.expect("values");
    assert_eq!(values, [("name".to_owned(), Some("Ada".to_owned()), Some("Grace".to_owned()))]);
    tx.end().await;
    scope
        .write(|tx| {
            Box::pin(async move { Ok::<_, Failed>(tx.run("DELETE FROM event_value", []).await.map(|_| ())?) })
        })
        .await
        .expect("erased");
    let verdict = verify_chain(&scope.read().await.expect("snapshot")).await.expect("verdict");
    assert_eq!((verdict.verified, verdict.broken), (1, None));
}
