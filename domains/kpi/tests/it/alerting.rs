//! What tests of alerts share: thresholds, members, evaluations, and what was told.

use kernel::{Actor, Kind, PermissionSet, Scope, id};
use kpi::alert::{AlertFilter, Posted, evaluate, service};
use kpi::{Level, alert};
use mail::outbox::service as outbox;
use testing::TestDb;
use uuid::Uuid;

use crate::support::{Firm, Sale, sell_in, write};

/// Sets the thresholds of what is owed to the firm, in euros: the less, the better.
pub(crate) async fn watch_receivables(firm: &Firm, warning: i64, critical: i64, hysteresis: i64) {
    set_thresholds(firm, "receivables_open", Some(warning), Some(critical), hysteresis).await;
}

pub(crate) async fn set_thresholds(
    firm: &Firm,
    key: &'static str,
    warning: Option<i64>,
    critical: Option<i64>,
    hysteresis: i64,
) {
    write!(firm.scope, |tx| {
        tx.run(
        "UPDATE kpi_definition SET warning = $2, critical = $3, hysteresis = $4, version = version + 1 WHERE key = $1",
        [key.into(), warning.into(), critical.into(), hysteresis.into()],
    )
    });
}

/// Folds, and evaluates the firm's alerts as a worker does.
pub(crate) async fn evaluated(test: &TestDb, firm: &Firm) {
    test.settle().await;
    evaluate_once(&firm.scope).await;
    test.settle().await;
}

pub(crate) async fn evaluate_once(scope: &Scope) -> bool {
    evaluate::evaluate(scope, "https://c.example").await.expect("evaluated")
}

/// The firm's alerts, oldest first.
pub(crate) async fn alerts(firm: &Firm) -> Vec<Posted> {
    let tx = firm.scope.read().await.expect("snapshot");
    let page =
        service::list(&tx, AlertFilter::default(), &kernel::page::Slice::first(100)).await.expect("alerts");
    page.items.into_iter().rev().collect()
}

/// The one open alert.
pub(crate) async fn open(firm: &Firm) -> alert::Alert {
    let open = alerts(firm).await.into_iter().filter(|posted| posted.alert.closed_at.is_none());
    let [posted] = &open.collect::<Vec<_>>()[..] else { panic!("one open alert") };
    posted.alert.clone()
}

/// What happened to alerts, oldest first: the kind and what it tells.
pub(crate) async fn told(firm: &Firm) -> Vec<String> {
    let tx = firm.scope.read().await.expect("snapshot");
    let events = kernel::event::page(&tx, None, None, 1000).await.expect("events");
    let of_alerts = events.into_iter().filter(|event| event.subject_kind == Kind::KpiAlert.prefix());
    let mut told: Vec<String> = of_alerts.map(|event| event.kind).collect();
    told.reverse();
    told
}

/// Issues an invoice of so many euros net, with 20 % of tax on it.
pub(crate) async fn sell(firm: &Firm, euros: i64) -> Uuid {
    let ids = firm.ids;
    write!(firm.scope, |tx| sell_in(tx, ids, Sale::invoice("2026-06-01", "2026-07-01", euros * 100)))
}

/// A member of the firm with a role, whose address is proved; the membership and the person.
pub(crate) async fn member(
    test: &TestDb,
    firm: &Firm,
    email: &str,
    locale: &str,
    role: &str,
) -> (Uuid, Uuid) {
    let (membership, person) = (id::new(), id::new());
    let mut all = test.superuser().await;
    sqlx::query(
        "INSERT INTO person (id, email, name, locale, created_at, email_verified_at) VALUES ($1, $2, 'N', $3, now(), now())",
    )
    .bind(person)
    .bind(email)
    .bind(locale)
    .execute(&mut all)
    .await
    .expect("a person");
    sqlx::query(
        "INSERT INTO membership (tenant_id, id, person_id, role, created_at, created_by, updated_at, updated_by)
         VALUES ($1, $2, $3, $4, now(), 'system', now(), 'system')",
    )
    .bind(firm.scope.company().id)
    .bind(membership)
    .bind(person)
    .bind(role)
    .execute(&mut all)
    .await
    .expect("a member");
    (membership, person)
}

/// What a person may do who reads figures and manages them.
pub(crate) fn person(test: &TestDb, firm: &Firm, person: Uuid) -> Scope {
    test.scope(firm.scope.company().id, Actor::Person(person), PermissionSet::all())
}

pub(crate) async fn subscribe(scope: &Scope, kpi: Option<Uuid>, from: Level, mail: bool) {
    scope
        .write(move |tx| Box::pin(alert::subscription::subscribe(tx, kpi, from, mail)))
        .await
        .expect("subscribed");
}

/// The letters in the outbox, oldest first: to whom, and the text.
pub(crate) async fn letters(test: &TestDb) -> Vec<(String, String)> {
    let mut kept = outbox::newest(&test.db, &test.vault, 100).await.expect("letters");
    kept.reverse();
    let read = |kept: outbox::Kept| {
        let letter = kept.letter.expect("kept");
        (letter.to.clone(), format!("{}\n{}", letter.rendered().subject, letter.rendered().text))
    };
    kept.into_iter().map(read).collect()
}
