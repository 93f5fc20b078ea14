//! Definitions: who may change what, and what stays.

use std::collections::BTreeSet;

use kernel::{Actor, DomainError, Permission, PermissionSet, Scope};
use kpi::definition::service::Rename;
use kpi::{CODES, Error, Freshness, Grain};
use rust_decimal::Decimal;
use testing::{TestDb, day};

use crate::support::{Firm, KEYS, current, firm};

async fn set_target(
    scope: &Scope,
    id: uuid::Uuid,
    target: Option<Decimal>,
    version: i32,
) -> Result<uuid::Uuid, Error> {
    scope.write(move |tx| Box::pin(kpi::set_target(tx, id, target, version))).await
}

async fn rename(
    scope: &Scope,
    id: uuid::Uuid,
    label_en: &'static str,
    version: i32,
) -> Result<uuid::Uuid, Error> {
    scope
        .write(move |tx| {
            let names = Rename { label_fr: None, label_en: Some(label_en.to_owned()) };
            Box::pin(kpi::rename(tx, id, names, version))
        })
        .await
}

async fn events(firm: &Firm) -> Vec<(String, String)> {
    let tx = firm.scope.read().await.expect("snapshot");
    let events = kernel::event::page(&tx, None, None, 50).await.expect("events");
    let of_figures = events.into_iter().filter(|event| event.subject_kind == "kpi");
    of_figures.map(|event| (event.kind, String::from_utf8(event.payload).expect("UTF-8"))).collect()
}

#[tokio::test]
async fn a_target_and_a_name_are_set_once_a_version_and_told() {
    let test = TestDb::new().await;
    let firm = firm(&test).await;
    let before = current(&firm, "bill_error_rate").await.definition;
    set_target(&firm.scope, before.id, Some(Decimal::new(50, 3)), 1).await.expect("set");
    let after = current(&firm, "bill_error_rate").await.definition;
    assert_eq!((after.target, after.version, &after.key), (Some(Decimal::new(5, 2)), 2, &before.key));
    let late = set_target(&firm.scope, before.id, None, 1).await.expect_err("late");
    assert!(matches!(late, Error::Conflict { expected: 1, actual: 2 }));
    assert_eq!((late.code(), late.field().as_deref()), ("CONFLICT", Some("expectedVersion")));
    rename(&firm.scope, before.id, " Errors ", 2).await.expect("renamed");
    let after = current(&firm, "bill_error_rate").await.definition;
    assert_eq!((after.label_en.as_str(), &after.label_fr, after.version), ("Errors", &before.label_fr, 3));
    rename(&firm.scope, before.id, "Errors", 3).await.expect("the same again");
    assert_eq!(current(&firm, "bill_error_rate").await.definition.version, 3, "which changes nothing");
    let told = events(&firm).await;
    assert_eq!(
        told,
        [
            (
                "kpi.renamed".to_owned(),
                r#"{"changes":{"labelEn":["Bill error rate","Errors"]},"key":"bill_error_rate"}"#.to_owned()
            ),
            (
                "kpi.target_set".to_owned(),
                r#"{"changes":{"target":[null,"0.05"]},"key":"bill_error_rate"}"#.to_owned()
            ),
        ]
    );
    for (target, why) in [("1.5", "no share"), ("-0.1", "negative")] {
        let refused = set_target(&firm.scope, before.id, Some(target.parse().expect("decimal")), 3).await;
        let refused = refused.expect_err(why);
        assert_eq!((refused.code(), refused.field().as_deref()), ("INVALID", Some("target")));
    }
    for name in ["", "  ", "two\nlines"] {
        assert_eq!(
            rename(&firm.scope, before.id, name, 3).await.expect_err(name).field().as_deref(),
            Some("labelEn")
        );
    }
}

#[tokio::test]
async fn of_two_who_set_a_target_at_once_one_is_told_of_the_other() {
    let test = TestDb::new().await;
    let firm = firm(&test).await;
    let id = current(&firm, "bills_waiting").await.definition.id;
    let (one, two) = tokio::join!(
        set_target(&firm.scope, id, Some(Decimal::from(1)), 1),
        set_target(&firm.scope, id, Some(Decimal::from(2)), 1)
    );
    assert!(one.is_ok() != two.is_ok(), "{one:?} {two:?}");
}

#[tokio::test]
async fn another_companys_definition_is_like_an_unknown_one() {
    let test = TestDb::new().await;
    let (firm, other) = (firm(&test).await, crate::support::firm(&test).await);
    let foreign = current(&other, "revenue_month").await.definition;
    let mut answers = BTreeSet::new();
    for id in [foreign.id, kernel::id::new()] {
        for refused in [set_target(&firm.scope, id, None, 1).await, rename(&firm.scope, id, "Mine", 1).await]
        {
            let refused = refused.expect_err("not found");
            answers.insert((refused.code(), refused.field(), refused.to_string()));
        }
        let tx = firm.scope.read().await.expect("snapshot");
        assert_eq!(kpi::by_id(&tx, id).await.expect("read"), None);
        assert_eq!(kpi::by_ids(&tx, &[id]).await.expect("read"), []);
    }
    assert_eq!(answers.len(), 1, "{answers:?}");
    assert_eq!(current(&other, "revenue_month").await.definition, foreign);
}

#[tokio::test]
async fn unknown_keys_are_named_by_their_place() {
    let test = TestDb::new().await;
    let firm = firm(&test).await;
    let tx = firm.scope.read().await.expect("snapshot");
    let keys = ["bills_waiting".to_owned(), "nothing".to_owned()];
    for refused in [
        kpi::values(&tx, Some(&keys), Freshness::Current).await.map(|_| ()),
        kpi::recompute(&tx, Some(&keys)).await.map(|_| ()),
    ] {
        let refused = refused.expect_err("unknown");
        assert_eq!((refused.code(), refused.field().as_deref()), ("NOT_FOUND", Some("keys.1")));
    }
    let refused = kpi::history(&tx, "nothing", day("2026-01-01"), day("2026-01-02"), Grain::Day)
        .await
        .expect_err("unknown");
    assert_eq!((refused.code(), refused.field().as_deref()), ("NOT_FOUND", Some("key")));
    for (from, to) in [("2026-01-02", "2026-01-01"), ("2020-01-01", "2026-01-01")] {
        let refused =
            kpi::history(&tx, "bills_waiting", day(from), day(to), Grain::Day).await.expect_err("range");
        assert_eq!((refused.code(), refused.field().as_deref()), ("INVALID", Some("to")));
    }
    let (_, figures) = kpi::values(&tx, Some(&keys[..1]), Freshness::Current).await.expect("known");
    assert_eq!(figures.len(), 1);
}

#[tokio::test]
async fn each_use_needs_its_permission() {
    let test = TestDb::new().await;
    let firm = firm(&test).await;
    let company = firm.scope.company().id;
    let id = current(&firm, "bills_waiting").await.definition.id;
    let reader = test.scope(company, Actor::System, [Permission::KpiRead].into_iter().collect());
    let nobody = test.scope(company, Actor::System, PermissionSet::NONE);
    for refused in [set_target(&reader, id, None, 1).await, rename(&reader, id, "x", 1).await] {
        let refused = refused.expect_err("denied");
        assert_eq!(
            (refused.denied().map(|d| d.0), refused.code()),
            (Some(Permission::KpiManage), "FORBIDDEN")
        );
    }
    let tx = nobody.read().await.expect("snapshot");
    let (from, to) = (day("2026-01-01"), day("2026-01-02"));
    for refused in [
        kpi::values(&tx, None, Freshness::Current).await.err(),
        kpi::changed_keys_after(&tx, 0).await.err(),
        kpi::recompute(&tx, None).await.err(),
        kpi::history(&tx, "bills_waiting", from, to, Grain::Day).await.err(),
        kpi::by_id(&tx, id).await.err(),
        kpi::by_ids(&tx, &[id]).await.err(),
        kpi::audit(&tx).await.err(),
    ] {
        assert_eq!(refused.and_then(|e| e.denied()).map(|d| d.0), Some(Permission::KpiRead));
    }
}

#[tokio::test]
async fn every_company_starts_with_the_built_in_figures_in_two_languages() {
    let test = TestDb::new().await;
    let firm = firm(&test).await;
    let tx = firm.scope.read().await.expect("snapshot");
    let (_, figures) = kpi::values(&tx, None, Freshness::Current).await.expect("figures");
    let keys: Vec<_> = figures.iter().map(|figure| figure.definition.key.as_str()).collect();
    assert_eq!(keys, KEYS);
    for figure in figures {
        let definition = figure.definition;
        assert!(
            definition.label_fr != definition.label_en
                && definition.description_fr != definition.description_en
        );
        assert_eq!((definition.version, definition.target), (1, None));
    }
}

#[test]
fn codes_are_the_public_ones() {
    let errors = [
        Error::not_found("key"),
        Error::Conflict { expected: 1, actual: 2 },
        Error::invalid("target", "too much"),
        Error::limit("too many"),
    ];
    let codes: BTreeSet<_> = errors.iter().map(DomainError::code).collect();
    assert_eq!(codes, CODES.iter().copied().collect());
}
