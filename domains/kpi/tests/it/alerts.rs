//! An alert opens and closes once, whoever evaluates; and people say what they do about it.

use chrono::TimeDelta;
use kernel::{Actor, DomainError, Permission, PermissionSet, Scope};
use kpi::Error;
use kpi::alert::service;
use rust_decimal::Decimal;
use testing::{TestDb, at};
use uuid::Uuid;

use crate::alerting::{
    alerts, evaluate_once, evaluated, member, open, sell, set_thresholds, told, watch_receivables,
};
use crate::support::{Pay, firm, pay_in, write};

#[tokio::test]
async fn an_alert_follows_the_figure_with_hysteresis() {
    let test = TestDb::new().await;
    let firm = firm(&test).await;
    let ids = firm.ids;
    watch_receivables(&firm, 100, 200, 30).await;
    evaluated(&test, &firm).await;
    assert_eq!(alerts(&firm).await.len(), 0, "nothing is owed");

    let first = sell(&firm, 100).await;
    evaluated(&test, &firm).await;
    let opened = open(&firm).await;
    assert_eq!(
        (opened.level.as_str(), opened.peak_level.as_str(), opened.version),
        ("warning", "warning", 1)
    );
    assert_eq!((opened.opened_value, opened.currency.as_deref()), (Decimal::from(120), Some("EUR")));
    evaluated(&test, &firm).await;
    assert_eq!(open(&firm).await, opened, "nothing has moved");

    let second = sell(&firm, 100).await;
    evaluated(&test, &firm).await;
    let risen = open(&firm).await;
    assert_eq!((risen.id, risen.level.as_str(), risen.value), (opened.id, "critical", Decimal::from(240)));

    let pay = async |invoice: Uuid, euros: i64| {
        write!(firm.scope, |tx| pay_in(tx, ids, Pay::invoice(invoice, "2026-06-10", euros * 100)));
        evaluated(&test, &firm).await;
    };
    pay(first, 60).await;
    assert_eq!(open(&firm).await.level, "critical", "180 is not better than 200 by 30");
    pay(first, 40).await;
    let eased = open(&firm).await;
    assert_eq!((eased.level.as_str(), eased.peak_level.as_str()), ("warning", "critical"));
    pay(second, 60).await;
    assert_eq!(open(&firm).await.level, "warning", "80 is not better than 100 by 30");
    pay(second, 10).await;
    let closed = alerts(&firm).await.remove(0).alert;
    assert_eq!((closed.id, closed.closed_value), (opened.id, Some(Decimal::from(70))));
    assert_eq!(closed.closed_because.as_deref(), Some("better"));

    sell(&firm, 100).await;
    evaluated(&test, &firm).await;
    assert_ne!(open(&firm).await.id, opened.id, "the next time is another alert");
    assert_eq!(
        told(&firm).await,
        [
            "kpi.alert_opened",
            "kpi.alert_escalated",
            "kpi.alert_eased",
            "kpi.alert_closed",
            "kpi.alert_opened"
        ]
    );
    let snapshot = firm.scope.read().await.expect("snapshot");
    let verdict = kernel::sequencer::verify_chain(&snapshot).await.expect("verified");
    assert_eq!(verdict.broken, None);
}

/// How often the figure is too much, and is not again.
const ROUNDS: usize = 8;

/// Folds what has happened, and waits until those who evaluate have come to it.
async fn settled_and_looked_at(test: &TestDb) {
    test.settle().await;
    let mut looking = test.superuser().await;
    let behind = "SELECT EXISTS (SELECT FROM kpi_alert_mark m JOIN kpi_head h USING (tenant_id) WHERE m.revision < h.revision)";
    let all = async {
        while sqlx::query_scalar::<_, bool>(behind).fetch_one(&mut looking).await.expect("marks") {
            tokio::time::sleep(std::time::Duration::from_millis(2)).await;
        }
    };
    tokio::time::timeout(std::time::Duration::from_secs(30), all).await.expect("they come to it");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn however_many_evaluate_at_once_each_turn_is_taken_once() {
    let test = TestDb::new().await;
    let firm = firm(&test).await;
    let ids = firm.ids;
    watch_receivables(&firm, 100, 200, 0).await;
    test.settle().await;
    let done = std::sync::Arc::new(std::sync::atomic::AtomicBool::new(false));
    let replicas: Vec<_> = (0..5)
        .map(|_| {
            let (scope, done) = (firm.scope.clone(), done.clone());
            tokio::spawn(async move {
                while !done.load(std::sync::atomic::Ordering::Relaxed) {
                    evaluate_once(&scope).await;
                }
            })
        })
        .collect();
    for _ in 0..ROUNDS {
        let (first, second) = (sell(&firm, 100).await, sell(&firm, 100).await);
        settled_and_looked_at(&test).await;
        for invoice in [first, second] {
            write!(firm.scope, |tx| pay_in(tx, ids, Pay::invoice(invoice, "2026-06-10", 12_000)));
        }
        settled_and_looked_at(&test).await;
    }
    done.store(true, std::sync::atomic::Ordering::Relaxed);
    for replica in replicas {
        replica.await.expect("a replica");
    }
    evaluated(&test, &firm).await;
    let all = alerts(&firm).await;
    assert_eq!(all.len(), ROUNDS, "one each time that it was too much");
    assert!(all.iter().all(|posted| posted.alert.closed_at.is_some()), "all is paid");
    let told = told(&firm).await;
    let count = |kind: &str| told.iter().filter(|told| *told == kind).count();
    assert_eq!((count("kpi.alert_opened"), count("kpi.alert_closed")), (all.len(), all.len()));
    for pair in all.windows(2) {
        assert!(pair[0].alert.closed_at.is_some_and(|closed| closed <= pair[1].alert.opened_at));
    }
}

#[tokio::test]
async fn the_database_holds_what_the_code_promises() {
    let test = TestDb::new().await;
    let firm = firm(&test).await;
    watch_receivables(&firm, 100, 200, 0).await;
    sell(&firm, 200).await;
    evaluated(&test, &firm).await;
    let alert = open(&firm).await;
    let attempt = async |sql: &'static str| {
        firm.scope
            .write(move |tx| {
                Box::pin(async move {
                    tx.run(sql, [alert.id.into(), kernel::id::new().into()])
                        .await
                        .map_err(testing::Failed::from)
                })
            })
            .await
    };
    let again = "INSERT INTO kpi_alert (tenant_id, id, kpi_id, level, peak_level, opened_at, opened_on, opened_value, value)
         SELECT tenant_id, $2, kpi_id, level, peak_level, opened_at, opened_on, opened_value, value FROM kpi_alert WHERE id = $1";
    assert!(attempt(again).await.is_err(), "two open alerts of a figure");
    let peak = "UPDATE kpi_alert SET peak_level = 'warning', level = 'warning' WHERE id = $1 AND $2::uuid IS NOT NULL";
    assert!(attempt(peak).await.is_err(), "the worst that it has been");
    let close = "UPDATE kpi_alert SET closed_at = now(), closed_because = 'better' WHERE id = $1 AND $2::uuid IS NOT NULL";
    attempt(close).await.expect("closed");
    let reopen =
        "UPDATE kpi_alert SET closed_at = NULL, closed_because = NULL WHERE id = $1 AND $2::uuid IS NOT NULL";
    assert!(attempt(reopen).await.is_err(), "what is closed stays closed");
}

#[tokio::test]
async fn an_alert_ends_with_its_thresholds_and_with_what_it_measures() {
    let test = TestDb::new().await;
    let firm = firm(&test).await;
    watch_receivables(&firm, 100, 200, 0).await;
    sell(&firm, 100).await;
    evaluated(&test, &firm).await;
    set_thresholds(&firm, "receivables_open", None, None, 0).await;
    evaluated(&test, &firm).await;
    let closed = alerts(&firm).await.remove(0).alert;
    assert_eq!(closed.closed_because.as_deref(), Some("no_threshold"));
    sell(&firm, 100).await;
    test.settle().await;
    assert!(!due(&test).await.contains(&firm.scope.company().id), "nothing is left to evaluate");
    watch_receivables(&firm, 100, 200, 0).await;
    evaluated(&test, &firm).await;
    assert_eq!(open(&firm).await.opened_value, Decimal::from(240), "nor is it forgotten");
}

async fn due(test: &TestDb) -> Vec<Uuid> {
    kernel::alarm::due(&test.db, test.clock.now()).await.expect("due")
}

#[tokio::test]
async fn a_company_is_due_when_its_figures_have_moved_and_midnight_moves_them() {
    let test = TestDb::new().await;
    let firm = firm(&test).await;
    let company = firm.scope.company().id;
    test.settle().await;
    kernel::folder::tick_midnights(&test.db, &test.clock).await.expect("ticked");
    assert!(!due(&test).await.contains(&company), "without a threshold there is nothing to evaluate");
    set_thresholds(&firm, "receivables_overdue", Some(100), None, 0).await;
    sell(&firm, 100).await;
    evaluated(&test, &firm).await;
    evaluated(&test, &firm).await;
    assert!(!due(&test).await.contains(&company), "evaluated");
    assert_eq!(alerts(&firm).await.len(), 0, "due on the first of July");
    test.clock.set(at("2026-07-01T23:00:00Z"));
    kernel::folder::tick_midnights(&test.db, &test.clock).await.expect("ticked");
    assert!(due(&test).await.contains(&company), "it is the second of July in Paris");
    evaluated(&test, &firm).await;
    assert_eq!(open(&firm).await.level, "warning");
}

async fn acknowledge(scope: &Scope, id: Uuid, version: i32) -> Result<Uuid, Error> {
    scope.write(move |tx| Box::pin(service::acknowledge(tx, id, version))).await
}

#[tokio::test]
async fn people_acknowledge_snooze_and_assign_once_a_version() {
    let test = TestDb::new().await;
    let firm = firm(&test).await;
    let (colleague, _) = member(&test, &firm, "b@example.com", "fr", "accountant").await;
    watch_receivables(&firm, 100, 200, 0).await;
    sell(&firm, 100).await;
    evaluated(&test, &firm).await;
    let alert = open(&firm).await;
    acknowledge(&firm.scope, alert.id, 1).await.expect("seen");
    let late = acknowledge(&firm.scope, alert.id, 1).await.expect_err("another version");
    assert!(matches!(late, Error::Conflict { expected: 1, actual: 2 }));
    acknowledge(&firm.scope, alert.id, 2).await.expect("seen already");
    let seen = open(&firm).await;
    assert_eq!((seen.version, seen.acknowledged_by), (2, Some(firm.scope.actor().stored())));

    let id = alert.id;
    let snooze = async |ahead: TimeDelta, version: i32| {
        let until = Some(test.clock.now() + ahead);
        firm.scope.write(move |tx| Box::pin(service::snooze(tx, id, until, version))).await
    };
    for ahead in [TimeDelta::zero(), TimeDelta::days(91)] {
        let refused = snooze(ahead, 2).await.expect_err("a time that cannot be");
        assert_eq!((refused.code(), refused.field().as_deref()), ("INVALID", Some("until")));
    }
    snooze(TimeDelta::days(1), 2).await.expect("snoozed");
    let assign = async |member: Option<Uuid>, version: i32| {
        firm.scope.write(move |tx| Box::pin(service::assign(tx, id, member, version))).await
    };
    let stranger = assign(Some(kernel::id::new()), 3).await.expect_err("no member");
    assert_eq!((stranger.code(), stranger.field().as_deref()), ("NOT_FOUND", Some("memberId")));
    assign(Some(colleague), 3).await.expect("assigned");
    assert_eq!(open(&firm).await.assignee_id, Some(colleague));
    assert_eq!(
        told(&firm).await,
        ["kpi.alert_opened", "kpi.alert_acknowledged", "kpi.alert_snoozed", "kpi.alert_assigned"]
    );
    let nobody = test.scope(firm.scope.company().id, Actor::Person(kernel::id::new()), PermissionSet::NONE);
    let denied = acknowledge(&nobody, alert.id, 4).await.expect_err("no right");
    assert_eq!(denied.denied().map(|denied| denied.0), Some(Permission::KpiRead));
    let other = crate::support::firm(&test).await;
    let foreign = acknowledge(&other.scope, alert.id, 4).await.expect_err("another company's");
    let unknown = acknowledge(&other.scope, kernel::id::new(), 4).await.expect_err("unknown");
    assert_eq!(foreign.to_string(), unknown.to_string());
}
