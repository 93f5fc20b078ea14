//! Those who evaluate alerts or answer them at the same moment: each is made to meet the other.

use std::time::Duration;

use kernel::DomainError;
use kpi::Error;
use kpi::alert::service;
use testing::TestDb;
use tokio::task::JoinSet;

use crate::alerting::{evaluate_once, evaluated, open, sell, told, watch_receivables};
use crate::support::firm;

/// Waits until so many of the database's sessions wait for a lock.
async fn blocked(test: &TestDb, sessions: i64) {
    let mut looking = test.superuser().await;
    let waiting = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'";
    let all = async {
        while sqlx::query_scalar::<_, i64>(waiting).fetch_one(&mut looking).await.expect("sessions")
            < sessions
        {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), all).await.expect("they wait for a lock");
}

/// A transaction that has its hand on every alert, until it ends.
async fn hand_on_alerts(test: &TestDb) -> sqlx::PgConnection {
    let mut hand = test.superuser().await;
    sqlx::raw_sql("BEGIN; SELECT id FROM kpi_alert FOR UPDATE").execute(&mut hand).await.expect("held");
    hand
}

#[tokio::test]
async fn while_one_evaluates_the_others_go_on() {
    let test = TestDb::new().await;
    let firm = firm(&test).await;
    watch_receivables(&firm, 100, 200, 0).await;
    sell(&firm, 100).await;
    evaluated(&test, &firm).await;
    sell(&firm, 100).await;
    test.settle().await;
    let mut hand = hand_on_alerts(&test).await;
    let mut first = JoinSet::new();
    let scope = firm.scope.clone();
    first.spawn(async move { evaluate_once(&scope).await });
    blocked(&test, 1).await;
    assert!(!evaluate_once(&firm.scope).await, "whoever comes second leaves it, and does not wait");
    sqlx::raw_sql("ROLLBACK").execute(&mut hand).await.expect("let go");
    assert!(first.join_next().await.expect("begun").expect("evaluated"));
    assert_eq!(told(&firm).await, ["kpi.alert_opened", "kpi.alert_escalated"]);
    assert_eq!(open(&firm).await.version, 2);
}

#[tokio::test]
async fn of_two_who_answer_an_alert_at_once_the_second_is_told_that_it_has_changed() {
    let test = TestDb::new().await;
    let firm = firm(&test).await;
    watch_receivables(&firm, 100, 200, 0).await;
    sell(&firm, 100).await;
    evaluated(&test, &firm).await;
    let id = open(&firm).await.id;
    let mut hand = hand_on_alerts(&test).await;
    let mut answers = JoinSet::new();
    for _ in 0..2 {
        let scope = firm.scope.clone();
        answers.spawn(async move { scope.write(move |tx| Box::pin(service::acknowledge(tx, id, 1))).await });
    }
    blocked(&test, 2).await;
    sqlx::raw_sql("ROLLBACK").execute(&mut hand).await.expect("let go");
    let (mut done, mut refused) = (0, 0);
    for answer in answers.join_all().await {
        match answer {
            Ok(_) => done += 1,
            Err(Error::Conflict { expected: 1, actual: 2 }) => refused += 1,
            Err(other) => panic!("{}: {other}", other.code()),
        }
    }
    assert_eq!((done, refused), (1, 1));
    assert_eq!(told(&firm).await, ["kpi.alert_opened", "kpi.alert_acknowledged"], "it is said once");
    assert_eq!(open(&firm).await.version, 2);
}
