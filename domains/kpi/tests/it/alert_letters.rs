//! Who is written to of an alert: who asked for it and still may know, once for each alert and level, in one letter.

use chrono::TimeDelta;
use kernel::DomainError;
use kpi::Level;
use kpi::alert::{GATHERED, service, subscription};
use testing::TestDb;
use uuid::Uuid;

use crate::alerting::{
    evaluate_once, evaluated, letters, member, open, person, sell, set_thresholds, subscribe,
    watch_receivables,
};
use crate::support::{Firm, Pay, firm, pay_in, write};

/// Lets the time pass that letters wait for others, and has them written.
async fn gathered(test: &TestDb, firm: &Firm) {
    test.clock.set(test.clock.now() + GATHERED);
    assert!(evaluate_once(&firm.scope).await);
}

async fn to(test: &TestDb) -> Vec<String> {
    let mut to: Vec<String> = letters(test).await.into_iter().map(|(to, _)| to).collect();
    to.sort();
    to
}

#[tokio::test]
async fn readers_are_told_in_their_language_all_at_once_and_once() {
    let test = TestDb::new().await;
    let firm = firm(&test).await;
    let (_, ada) = member(&test, &firm, "ada@example.com", "fr", "owner").await;
    let (_, bob) = member(&test, &firm, "bob@example.com", "en", "sales").await;
    member(&test, &firm, "cleo@example.com", "fr", "owner").await;
    subscribe(&person(&test, &firm, ada), None, Level::Warning, true).await;
    subscribe(&person(&test, &firm, bob), None, Level::Critical, true).await;
    watch_receivables(&firm, 100, 1000, 0).await;
    set_thresholds(&firm, "revenue_month", Some(5000), Some(200), 0).await;
    sell(&firm, 100).await;
    evaluated(&test, &firm).await;
    assert_eq!(letters(&test).await, [], "they wait for others");
    gathered(&test, &firm).await;
    let written = letters(&test).await;
    assert_eq!(to(&test).await, ["ada@example.com", "bob@example.com"]);
    let text_of = |address: &str| written.iter().find(|(to, _)| to == address).expect("a letter").1.clone();
    let (french, english) = (text_of("ada@example.com"), text_of("bob@example.com"));
    assert!(french.contains("Créances clients\u{a0}: 120,00 EUR (à surveiller)"), "{french}");
    assert!(french.contains("Chiffre d'affaires du mois\u{a0}: 100,00 EUR (critique)"), "{french}");
    assert!(french.contains("https://c.example/alerts") && french.contains("2 indicateurs"), "{french}");
    assert!(english.contains("Revenue of the month: 100.00 EUR (critical)"), "{english}");
    assert!(!english.contains("Receivables"), "a warning is not what bob asked for: {english}");

    sell(&firm, 10).await;
    evaluated(&test, &firm).await;
    gathered(&test, &firm).await;
    assert_eq!(letters(&test).await.len(), 2, "the levels are the same");
    sell(&firm, 1000).await;
    evaluated(&test, &firm).await;
    gathered(&test, &firm).await;
    assert_eq!(letters(&test).await.len(), 4, "one has risen");
}

#[tokio::test]
async fn an_alert_that_goes_up_and_down_is_told_once_a_level() {
    let test = TestDb::new().await;
    let firm = firm(&test).await;
    let ids = firm.ids;
    let (_, ada) = member(&test, &firm, "ada@example.com", "fr", "owner").await;
    subscribe(&person(&test, &firm, ada), None, Level::Warning, true).await;
    watch_receivables(&firm, 100, 200, 0).await;
    sell(&firm, 100).await;
    evaluated(&test, &firm).await;
    gathered(&test, &firm).await;
    for _ in 0..3 {
        let invoice = sell(&firm, 100).await;
        evaluated(&test, &firm).await;
        gathered(&test, &firm).await;
        write!(firm.scope, |tx| pay_in(tx, ids, Pay::invoice(invoice, "2026-06-10", 12_000)));
        evaluated(&test, &firm).await;
        gathered(&test, &firm).await;
    }
    assert_eq!(letters(&test).await.len(), 2, "warning and critical");
}

#[tokio::test]
async fn what_is_over_before_it_is_told_is_not_told() {
    let test = TestDb::new().await;
    let firm = firm(&test).await;
    let ids = firm.ids;
    let (_, ada) = member(&test, &firm, "ada@example.com", "fr", "owner").await;
    subscribe(&person(&test, &firm, ada), None, Level::Warning, true).await;
    watch_receivables(&firm, 100, 200, 0).await;
    let invoice = sell(&firm, 100).await;
    evaluated(&test, &firm).await;
    write!(firm.scope, |tx| pay_in(tx, ids, Pay::invoice(invoice, "2026-06-10", 12_000)));
    evaluated(&test, &firm).await;
    gathered(&test, &firm).await;
    assert_eq!(letters(&test).await, []);
}

#[tokio::test]
async fn a_snoozed_alert_is_silent_until_then() {
    let test = TestDb::new().await;
    let firm = firm(&test).await;
    let (_, ada) = member(&test, &firm, "ada@example.com", "fr", "owner").await;
    subscribe(&person(&test, &firm, ada), None, Level::Warning, true).await;
    watch_receivables(&firm, 100, 200, 0).await;
    sell(&firm, 100).await;
    evaluated(&test, &firm).await;
    let (id, until) = (open(&firm).await.id, test.clock.now() + TimeDelta::hours(2));
    firm.scope.write(move |tx| Box::pin(service::snooze(tx, id, Some(until), 1))).await.expect("snoozed");
    sell(&firm, 100).await;
    evaluated(&test, &firm).await;
    gathered(&test, &firm).await;
    assert_eq!(letters(&test).await, [], "critical, and still snoozed");
    assert!(kernel::alarm::due(&test.db, test.clock.now()).await.expect("due").is_empty());
    test.clock.set(until);
    assert_eq!(kernel::alarm::due(&test.db, until).await.expect("due"), [firm.scope.company().id]);
    assert!(evaluate_once(&firm.scope).await);
    let written = letters(&test).await;
    assert_eq!(written.len(), 1);
    assert!(written[0].1.contains("critique"), "{written:?}");
}

async fn run(test: &TestDb, sql: &'static str, id: Uuid) {
    sqlx::query(sql).bind(id).execute(&mut test.superuser().await).await.expect(sql);
}

#[tokio::test]
async fn who_may_not_read_figures_any_more_is_not_written_to() {
    let test = TestDb::new().await;
    let firm = firm(&test).await;
    let (left, suspended, unproved) = ("left@example.com", "suspended@example.com", "unproved@example.com");
    let emails = ["stays@example.com", left, suspended, "weak@example.com", "gone@example.com", unproved];
    let mut members = Vec::new();
    for email in emails {
        let (membership, of) = member(&test, &firm, email, "en", "sales").await;
        subscribe(&person(&test, &firm, of), None, Level::Warning, true).await;
        members.push((membership, of));
    }
    let role = "INSERT INTO role (tenant_id, id, key, built_in, name, description, permissions, created_at, created_by,
             updated_at, updated_by)
         VALUES ($1, gen_random_uuid(), 'weak', false, 'Weak', '', '{company.read}', now(), 'system', now(), 'system')";
    let role = role.replace("gen_random_uuid()", &format!("'{}'", kernel::id::new()));
    sqlx::query(sqlx::AssertSqlSafe(role))
        .bind(firm.scope.company().id)
        .execute(&mut test.superuser().await)
        .await
        .expect("a role");
    run(&test, "UPDATE membership SET archived_at = now() WHERE id = $1", members[1].0).await;
    run(&test, "UPDATE membership SET suspended_at = now() WHERE id = $1", members[2].0).await;
    run(&test, "UPDATE membership SET role = 'weak' WHERE id = $1", members[3].0).await;
    run(&test, "UPDATE person SET disabled_at = now() WHERE id = $1", members[4].1).await;
    run(&test, "UPDATE person SET email_verified_at = NULL WHERE id = $1", members[5].1).await;
    watch_receivables(&firm, 100, 200, 0).await;
    sell(&firm, 100).await;
    evaluated(&test, &firm).await;
    gathered(&test, &firm).await;
    assert_eq!(to(&test).await, ["stays@example.com"]);
}

#[tokio::test]
async fn what_is_said_of_one_figure_goes_before_what_is_said_of_all() {
    let test = TestDb::new().await;
    let firm = firm(&test).await;
    let kpi = crate::support::current(&firm, "receivables_open").await.definition.id;
    let (_, quiet) = member(&test, &firm, "quiet@example.com", "en", "sales").await;
    let (_, keen) = member(&test, &firm, "keen@example.com", "en", "sales").await;
    let (_, fickle) = member(&test, &firm, "fickle@example.com", "en", "sales").await;
    subscribe(&person(&test, &firm, quiet), None, Level::Warning, true).await;
    subscribe(&person(&test, &firm, quiet), Some(kpi), Level::Warning, false).await;
    subscribe(&person(&test, &firm, keen), None, Level::Critical, true).await;
    subscribe(&person(&test, &firm, keen), Some(kpi), Level::Critical, true).await;
    subscribe(&person(&test, &firm, keen), Some(kpi), Level::Warning, true).await;
    subscribe(&person(&test, &firm, fickle), None, Level::Warning, true).await;
    let unsubscribe = async || {
        person(&test, &firm, fickle)
            .write(|tx| Box::pin(subscription::unsubscribe(tx, None)))
            .await
            .expect("done")
    };
    assert!(unsubscribe().await);
    assert!(!unsubscribe().await, "there is nothing left");
    let snapshot = person(&test, &firm, keen).read().await.expect("snapshot");
    let own = subscription::own(&snapshot).await.expect("own");
    let own: Vec<_> = own.iter().map(|wish| (wish.kpi_id, wish.min_level.as_str())).collect();
    assert_eq!(own, [(None, "critical"), (Some(kpi), "warning")], "one for each, the last word");
    watch_receivables(&firm, 100, 200, 0).await;
    sell(&firm, 100).await;
    evaluated(&test, &firm).await;
    gathered(&test, &firm).await;
    assert_eq!(to(&test).await, ["keen@example.com"]);
}

#[tokio::test]
async fn programs_have_no_mailbox() {
    let test = TestDb::new().await;
    let firm = firm(&test).await;
    let scope = test.scope(firm.scope.company().id, kernel::Actor::System, kernel::PermissionSet::all());
    let refused = scope.write(|tx| Box::pin(subscription::subscribe(tx, None, Level::Warning, true))).await;
    assert_eq!(refused.expect_err("no member").code(), "INVALID");
}
