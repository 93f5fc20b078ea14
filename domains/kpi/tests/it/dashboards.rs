//! Dashboards: whose they are, and what stands on them.

use kernel::{Actor, DomainError, Kind, Permission, PermissionSet, Scope};
use kpi::Error;
use kpi::dashboard::service::{self, DashboardChange};
use kpi::dashboard::{Dashboard, Tile, View, layout_of};
use testing::TestDb;
use uuid::Uuid;

use crate::alerting::{member, person};
use crate::support::{Firm, KEYS, firm, write};

pub(crate) fn tile(kpi_key: &str, x: u16, y: u16) -> Tile {
    let (id, kpi_key) = (kpi_key.to_owned(), kpi_key.to_owned());
    Tile { id, kpi_key, x, y, width: 3, height: 2, view: View::Number, dimension: None }
}

/// A firm with the dashboard that every company begins with.
pub(crate) async fn firm_with_default(test: &TestDb) -> Firm {
    let firm = firm(test).await;
    write!(firm.scope, |tx| async {
        service::seed_in(tx).await.map_err(|error| kernel::Fault::Internal(error.to_string()))
    });
    firm
}

pub(crate) async fn create(
    scope: &Scope,
    title: &'static str,
    shared: bool,
    layout: Vec<Tile>,
) -> Result<Uuid, Error> {
    scope
        .write(move |tx| {
            let layout = layout.clone();
            Box::pin(async move { service::create(tx, title, shared, &layout).await })
        })
        .await
}

async fn update(scope: &Scope, id: Uuid, change: DashboardChange, version: i32) -> Result<Uuid, Error> {
    scope.write(move |tx| Box::pin(service::update(tx, id, change.clone(), version))).await
}

async fn archive(scope: &Scope, id: Uuid, version: i32) -> Result<Uuid, Error> {
    scope.write(move |tx| Box::pin(service::archive(tx, id, version))).await
}

async fn list(scope: &Scope) -> Vec<Dashboard> {
    let tx = scope.read().await.expect("snapshot");
    service::list(&tx).await.expect("dashboards")
}

fn titles(dashboards: &[Dashboard]) -> Vec<&str> {
    dashboards.iter().map(|dashboard| dashboard.title.as_str()).collect()
}

/// A scope of a person who may read figures and no more.
fn reader(test: &TestDb, firm: &Firm, person: Uuid) -> Scope {
    let rights: PermissionSet = [Permission::KpiRead].into_iter().collect();
    test.scope(firm.scope.company().id, Actor::Person(person), rights)
}

#[tokio::test]
async fn a_company_begins_with_a_dashboard_of_known_figures() {
    let test = TestDb::new().await;
    let firm = firm_with_default(&test).await;
    let dashboards = list(&firm.scope).await;
    let [default] = &dashboards[..] else { panic!("one dashboard") };
    assert_eq!((default.title.as_str(), default.is_default, default.shared), ("Tableau de bord", true, true));
    let layout = layout_of(default).expect("a layout");
    assert!(
        layout.iter().all(|tile| KEYS.contains(&tile.kpi_key.as_str())) && layout.len() == 10,
        "{layout:?}"
    );
    let id = default.id;
    update(&firm.scope, id, DashboardChange { layout: Some(layout), ..DashboardChange::default() }, 1)
        .await
        .expect("what the migration lays is what may be laid");
    let untouched = list(&firm.scope).await.remove(0);
    assert_eq!(untouched.version, 1, "which changes nothing");
    for (refused, field) in [
        (archive(&firm.scope, id, 1).await, "dashboardId"),
        (
            update(&firm.scope, id, DashboardChange { shared: Some(false), ..DashboardChange::default() }, 1)
                .await,
            "shared",
        ),
    ] {
        let refused = refused.expect_err("the default stays");
        assert_eq!((refused.code(), refused.field().as_deref()), ("INVALID", Some(field)));
    }
}

#[tokio::test]
async fn an_own_dashboard_is_its_owners_alone() {
    let test = TestDb::new().await;
    let firm = firm_with_default(&test).await;
    let (_, ada) = member(&test, &firm, "ada@example.com", "fr", "sales").await;
    let (_, bob) = member(&test, &firm, "bob@example.com", "fr", "owner").await;
    let ada = reader(&test, &firm, ada);
    let bob = person(&test, &firm, bob);
    let own = create(&ada, " Mine ", false, vec![tile("revenue_month", 0, 0)]).await.expect("made");
    assert_eq!(titles(&list(&ada).await), ["Tableau de bord", "Mine"]);
    assert_eq!(titles(&list(&bob).await), ["Tableau de bord"], "not even an owner's");
    let tx = bob.read().await.expect("snapshot");
    assert!(service::by_ids(&tx, &[own]).await.expect("none").is_empty());
    tx.end().await;
    let foreign = archive(&bob, own, 1).await.expect_err("another's");
    let unknown = archive(&bob, kernel::id::new(), 1).await.expect_err("unknown");
    assert_eq!((foreign.code(), foreign.to_string()), (unknown.code(), unknown.to_string()));

    let denied = create(&ada, "Ours", true, Vec::new()).await.expect_err("sharing is managing");
    assert_eq!(denied.denied().map(|denied| denied.0), Some(Permission::KpiManage));
    let share = DashboardChange { shared: Some(true), ..DashboardChange::default() };
    let denied = update(&ada, own, share.clone(), 1).await.expect_err("sharing is managing");
    assert_eq!(denied.denied().map(|denied| denied.0), Some(Permission::KpiManage));

    let ours = create(&bob, "Ours", true, Vec::new()).await.expect("shared");
    assert_eq!(titles(&list(&ada).await), ["Tableau de bord", "Ours", "Mine"]);
    let denied = archive(&ada, ours, 1).await.expect_err("shared ones are managed");
    assert_eq!(denied.denied().map(|denied| denied.0), Some(Permission::KpiManage));
    let back = DashboardChange { shared: Some(false), ..DashboardChange::default() };
    let taken = update(&firm.scope, ours, back.clone(), 1).await.expect_err("bob's");
    assert_eq!((taken.code(), taken.field().as_deref()), ("INVALID", Some("shared")));
    update(&bob, ours, back, 1).await.expect("bob's own again");
    assert_eq!(titles(&list(&ada).await), ["Tableau de bord", "Mine"]);
    archive(&ada, own, 1).await.expect("archived");
    assert_eq!(titles(&list(&ada).await), ["Tableau de bord"]);
    let late = archive(&bob, ours, 1).await.expect_err("late");
    assert!(matches!(late, Error::Conflict { expected: 1, actual: 2 }));

    let tx = firm.scope.read().await.expect("snapshot");
    let events = kernel::event::page(&tx, None, None, 100).await.expect("events");
    let of = events.iter().filter(|event| event.subject_kind == Kind::Dashboard.prefix());
    let mut told: Vec<&str> = of.map(|event| event.kind.as_str()).collect();
    told.reverse();
    assert_eq!(told, ["dashboard.created", "dashboard.created", "dashboard.changed", "dashboard.archived"]);
}

#[tokio::test]
async fn a_layout_names_figures_that_are_there() {
    let test = TestDb::new().await;
    let firm = firm_with_default(&test).await;
    let series = |dimension: &str| Tile {
        view: View::Series,
        dimension: Some(dimension.to_owned()),
        ..tile("revenue_month", 0, 0)
    };
    for (layout, field) in [
        (vec![tile("nothing", 0, 0)], "layout.0.kpiKey"),
        (vec![tile("revenue_month", 0, 0), tile("bills_waiting", 2, 0)], "layout.1.x"),
        (vec![series("weather")], "layout.0.dimension"),
    ] {
        let refused = create(&firm.scope, "T", true, layout).await.expect_err(field);
        assert_eq!((refused.code(), refused.field().as_deref()), ("INVALID", Some(field)));
    }
    let own = create(&firm.scope, "T", true, vec![series("kind"), tile("bills_waiting", 3, 0)])
        .await
        .expect("made");
    write!(firm.scope, |tx| tx.run(
        "UPDATE kpi_definition SET archived_at = now(), version = version + 1 WHERE key = 'bills_waiting'",
        [],
    ));
    let kept = vec![tile("bills_waiting", 3, 0), tile("payables_open", 6, 0)];
    update(&firm.scope, own, DashboardChange { layout: Some(kept), ..DashboardChange::default() }, 1)
        .await
        .expect("a tile may stay whose figure was archived since");
    let added =
        create(&firm.scope, "U", true, vec![tile("bills_waiting", 0, 0)]).await.expect_err("archived");
    assert_eq!(added.field().as_deref(), Some("layout.0.kpiKey"));
    let long = create(&firm.scope, " ", true, Vec::new()).await.expect_err("no title");
    assert_eq!(long.field().as_deref(), Some("title"));
}
