//! Figures of a company's own: who may make them, how many, and what is refused.

use kernel::{Actor, DomainError, Permission, PermissionSet};
use kpi::definition::service::{self, KpiEdit};
use kpi::definition::versions::{VersionState, versions};
use kpi::definition::{MOST_DEFINITIONS, MOST_SLICED, MeasureDraft, SpecDraft};
use kpi::{Condition, Direction, Error, Freshness, Grain, Level, Window};
use rust_decimal::Decimal;
use testing::TestDb;

use crate::slices::{create, fill, new, of_customer};
use crate::support::{Firm, Sale, current, firm, sell_in, write};

/// Issued documents of the year; the cube keeps all that it needs.
fn counted() -> SpecDraft {
    SpecDraft {
        cube: "invoice.issued".to_owned(),
        filter: vec![Condition::any_of("kind", ["invoice"])],
        measure: MeasureDraft::Count,
        window: Window::Calendar { period: Grain::Year, to_date: true },
        dimensions: vec!["kind".to_owned()],
    }
}

async fn update(firm: &Firm, id: uuid::Uuid, edit: KpiEdit, version: i32) -> Result<uuid::Uuid, Error> {
    firm.scope.write(move |tx| Box::pin(service::update(tx, id, edit.clone(), version))).await
}

#[tokio::test]
async fn what_a_cube_keeps_is_live_at_once() {
    let test = TestDb::new().await;
    let firm = firm(&test).await;
    let ids = firm.ids;
    write!(firm.scope, |tx| sell_in(tx, ids, Sale::invoice("2026-06-01", "2026-07-01", 10_000)));
    create(&firm, "counted", counted()).await.expect("created");
    let figure = current(&firm, "counted").await;
    assert_eq!((figure.value.number, figure.definition.spec_version), (Some(Decimal::ONE), 1));
    assert!(!figure.definition.builtin);
    let tx = firm.scope.read().await.expect("snapshot");
    let series = kpi::series(&tx, "counted", "kind", 5, (None, None)).await.expect("series");
    assert_eq!((series.items[0].value.as_str(), series.items[0].comes_to.records), ("invoice", 1));
    let unknown = kpi::series(&tx, "counted", "customer", 5, (None, None)).await.expect_err("not kept");
    assert_eq!(unknown.field().as_deref(), Some("dimension"));
}

#[tokio::test]
async fn thresholds_and_bands_are_set_at_once_and_told() {
    let test = TestDb::new().await;
    let firm = firm(&test).await;
    let ids = firm.ids;
    let id = create(&firm, "counted", counted()).await.expect("created");
    for _ in 0..3 {
        write!(firm.scope, |tx| sell_in(tx, ids, Sale::invoice("2026-06-01", "2026-07-01", 10_000)));
    }
    let two = Decimal::TWO;
    let edit = KpiEdit {
        direction: Some(Direction::Band { low: Decimal::ZERO, high: Decimal::ONE }),
        warning: Some(Some(Decimal::ZERO)),
        critical: Some(Some(two)),
        ..KpiEdit::default()
    };
    update(&firm, id, edit, 1).await.expect("updated");
    let figure = current(&firm, "counted").await;
    assert_eq!((figure.level, figure.standing), (Some(Level::Warning), Some(kpi::Standing::Missed)));
    let wrong = KpiEdit { warning: Some(Some(Decimal::TEN)), ..KpiEdit::default() };
    let refused = update(&firm, id, wrong, 2).await.expect_err("critical is better than warning");
    assert_eq!(refused.field().as_deref(), Some("critical"));
    let wrong = KpiEdit { target: Some(Some(two)), ..KpiEdit::default() };
    assert_eq!(update(&firm, id, wrong, 2).await.expect_err("a band").field().as_deref(), Some("target"));
    let nobody = KpiEdit { owner: Some(Some(kernel::id::new())), ..KpiEdit::default() };
    assert_eq!(update(&firm, id, nobody, 2).await.expect_err("nobody").field().as_deref(), Some("ownerId"));
    let late = update(&firm, id, KpiEdit::default(), 1).await.expect_err("late");
    assert_eq!(late.code(), "CONFLICT");
}

#[tokio::test]
async fn what_another_company_has_and_what_is_ours_is_refused() {
    let test = TestDb::new().await;
    let (mine, other) = (firm(&test).await, firm(&test).await);
    let foreign =
        create(&mine, "foreign", of_customer(other.ids.party)).await.expect_err("another company's");
    assert_eq!(foreign.field().as_deref(), Some("spec.filter.0.anyOf.0"));
    let taken = create(&mine, "revenue_month", counted()).await.expect_err("taken");
    assert_eq!(taken.field().as_deref(), Some("key"));
    for key in ["", "Abc", "1a", "a-b", "é"] {
        assert_eq!(create(&mine, key, counted()).await.expect_err(key).field().as_deref(), Some("key"));
    }
    let builtin = current(&mine, "revenue_month").await.definition;
    let redefined =
        mine.scope.write(move |tx| Box::pin(service::redefine(tx, builtin.id, counted(), 1))).await;
    assert_eq!(redefined.expect_err("built in").field().as_deref(), Some("kpiId"));
    let id = create(&mine, "counted", counted()).await.expect("created");
    let money = of_customer(mine.ids.party);
    let redefined = mine.scope.write(move |tx| Box::pin(service::redefine(tx, id, money.clone(), 1))).await;
    assert_eq!(redefined.expect_err("another unit").field().as_deref(), Some("spec.measure"));
    let reader: PermissionSet = [Permission::KpiRead].into_iter().collect();
    let scope = test.scope(mine.scope.company().id, Actor::Person(kernel::id::new()), reader);
    let denied = scope.write(|tx| Box::pin(service::create(tx, new("more", counted())))).await;
    assert!(denied.expect_err("denied").denied().is_some());
}

#[tokio::test]
async fn a_company_has_so_many_and_no_more() {
    let test = TestDb::new().await;
    let firm = firm(&test).await;
    for n in 0..MOST_SLICED {
        create(&firm, &format!("sliced_{n}"), of_customer(firm.ids.party)).await.expect("created");
    }
    let sliced = create(&firm, "sliced", of_customer(firm.ids.party)).await.expect_err("too many");
    assert_eq!((sliced.code(), sliced.field()), ("LIMIT", None));
    let tx = firm.scope.read().await.expect("snapshot");
    let made = kpi::definition::store::in_use(&tx).await.expect("read").len();
    tx.end().await;
    for n in made..MOST_DEFINITIONS {
        create(&firm, &format!("counted_{n}"), counted()).await.expect("created");
    }
    assert_eq!(create(&firm, "counted", counted()).await.expect_err("too many").code(), "LIMIT");
    let id = current(&firm, &format!("counted_{made}")).await.definition.id;
    firm.scope.write(move |tx| Box::pin(service::archive(tx, id, 1))).await.expect("archived");
    create(&firm, "counted", counted()).await.expect("there is room again");
}

#[tokio::test]
async fn a_version_is_taken_back_and_an_archived_figure_is_gone() {
    let test = TestDb::new().await;
    let firm = firm(&test).await;
    let id = create(&firm, "mine", of_customer(firm.ids.party)).await.expect("created");
    fill(&test, &firm).await;
    let version = current(&firm, "mine").await.definition.version;
    let other = SpecDraft {
        filter: Vec::new(),
        dimensions: vec!["customer".to_owned()],
        ..of_customer(firm.ids.party)
    };
    firm.scope
        .write(move |tx| Box::pin(service::redefine(tx, id, other.clone(), version)))
        .await
        .expect("redefined");
    firm.scope.write(move |tx| Box::pin(service::withdraw(tx, id, 2))).await.expect("withdrawn");
    let again = firm.scope.write(move |tx| Box::pin(service::withdraw(tx, id, 2))).await;
    assert_eq!(again.expect_err("over").field().as_deref(), Some("specVersion"));
    fill(&test, &firm).await;
    let figure = current(&firm, "mine").await;
    assert_eq!(figure.definition.spec_version, 1, "what was live stays");
    let tx = firm.scope.read().await.expect("snapshot");
    let states: Vec<_> = versions(&tx, &[id]).await.expect("versions").iter().map(|v| v.state).collect();
    assert_eq!(states, [VersionState::Withdrawn, VersionState::Live]);
    tx.end().await;
    let version = figure.definition.version;
    firm.scope.write(move |tx| Box::pin(service::archive(tx, id, version))).await.expect("archived");
    let tx = firm.scope.read().await.expect("snapshot");
    let gone = kpi::values(&tx, Some(&["mine".to_owned()]), Freshness::Current).await;
    assert!(matches!(gone, Err(Error::NotFound { .. })));
    assert!(kpi::by_id(&tx, id).await.expect("read").is_none());
    tx.end().await;
    let again = create(&firm, "mine", counted()).await.expect_err("the key is taken");
    assert_eq!(again.field().as_deref(), Some("key"));
}

#[tokio::test]
async fn the_database_drops_the_dimensions_that_the_cubes_say() {
    let test = TestDb::new().await;
    let mut all = test.superuser().await;
    let rows: Vec<(String, bool, bool, bool)> =
        sqlx::query_as("SELECT cube, keep1, keep2, keep3 FROM kept_dimensions()")
            .fetch_all(&mut all)
            .await
            .expect("rows");
    for cube in kpi::cubes::all() {
        let dropped = rows.iter().find(|row| row.0 == cube.name);
        let kept = dropped.map_or([true; 3], |row| [row.1, row.2, row.3]);
        for (place, kept) in kept.into_iter().enumerate() {
            let named = cube.dimensions[place].is_some();
            assert!(!named || kept == cube.kept[place], "{} dim{}", cube.name, place + 1);
        }
    }
    let known = |row: &(String, bool, bool, bool)| kpi::cubes::by_name(&row.0).is_some();
    assert!(rows.iter().all(known), "{rows:?}");
}

#[tokio::test]
async fn built_in_figures_follow_the_product() {
    let test = TestDb::new().await;
    let firm = firm(&test).await;
    test.settle().await;
    let touched = firm.scope.write(|tx| Box::pin(service::refresh_in(tx))).await.expect("refreshed");
    assert_eq!(touched, 0, "they are what they ship with");
    let mut owner = test.superuser().await;
    // As a server before specs had versions left it.
    let old = r#"{"window": "before_today", "history": "by_due_day", "only": ["invoice"]}"#;
    for table in ["kpi_definition", "kpi_definition_version"] {
        let update = format!(
            "UPDATE {table} SET cube = 'receivable.open', measure = 'sum', parameters = '{old}'
             WHERE {} = (SELECT id FROM kpi_definition WHERE key = 'receivables_overdue')",
            if table == "kpi_definition" { "id" } else { "kpi_id" }
        );
        sqlx::raw_sql(sqlx::AssertSqlSafe(update)).execute(&mut owner).await.expect("old");
    }
    let old = current(&firm, "receivables_overdue").await;
    assert_eq!(
        (old.spec.cube.name, old.spec.window),
        ("receivable.open", Window::BeforeToday),
        "it is read as it is"
    );
    firm.scope.write(|tx| Box::pin(service::refresh_in(tx))).await.expect("refreshed");
    fill(&test, &firm).await;
    let touched = firm.scope.write(|tx| Box::pin(service::refresh_in(tx))).await.expect("refreshed");
    assert_eq!(touched, 0, "once is enough");
}
