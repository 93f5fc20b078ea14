//! A link shows an outsider one dashboard, narrowed as it says, for as long as it is good; and nothing else.

use chrono::TimeDelta;
use identity::{Authenticator, embed as links};
use kernel::{DomainError, Kind, Origin, Permission, PermissionSet, Scope};
use kpi::dashboard::embed::{self, LinkDraft};
use kpi::dashboard::shown::{self, Shown};
use kpi::dashboard::{Tile, View};
use kpi::{Condition, Error};
use rust_decimal::Decimal;
use testing::TestDb;
use uuid::Uuid;

use crate::alerting::sell;
use crate::dashboards::{create, firm_with_default, tile};
use crate::support::{Firm, Sale, sell_in, write};

fn draft(test: &TestDb, dashboard: Uuid, filters: &[Condition]) -> LinkDraft {
    LinkDraft { dashboard, filters: filters.to_vec(), expires_at: test.clock.now() + TimeDelta::days(30) }
}

async fn link(scope: &Scope, draft: LinkDraft) -> Result<(Uuid, String), Error> {
    let token = embed::new_token();
    let made = scope.write({
        let token = token.clone();
        move |tx| {
            let (draft, token) = (draft.clone(), token.clone());
            Box::pin(async move { embed::create(tx, draft, &token).await })
        }
    });
    Ok((made.await?, token))
}

/// What a stranger sees by a token.
async fn shown(test: &TestDb, token: &str) -> Option<Shown> {
    let auth = Authenticator::new(test.db.clone(), test.vault.clone(), test.clock.clone());
    let (scope, hash) = links::scope(&auth, token, Origin::default()).await.expect("looked up")?;
    let rights: PermissionSet = [Permission::KpiRead].into_iter().collect();
    assert_eq!(scope.permissions(), rights, "a link reads figures and may do nothing else");
    shown::by_link(&scope, hash, true).await.expect("read")
}

fn euros(shown: &Shown, key: &str) -> Option<Decimal> {
    let tile = shown.tiles.iter().find(|shown| shown.tile.kpi_key == key)?;
    Some(tile.figure.as_ref()?.value.amounts.first().map_or(Decimal::ZERO, |amount| amount.money.amount()))
}

async fn dashboard(firm: &Firm, layout: Vec<Tile>) -> Uuid {
    create(&firm.scope, "Shown", true, layout).await.expect("made")
}

#[tokio::test]
async fn a_link_is_good_until_it_expires_or_is_revoked_and_tells_nothing_after() {
    let test = TestDb::new().await;
    let firm = firm_with_default(&test).await;
    sell(&firm, 100).await;
    let trend = Tile { view: View::Trend, ..tile("revenue_month", 0, 0) };
    let on = dashboard(&firm, vec![trend, tile("receivables_open", 3, 0)]).await;
    let (id, token) = link(&firm.scope, draft(&test, on, &[])).await.expect("made");
    assert!(token.starts_with("ce_") && token.len() == 46, "256 bits: {token}");
    let seen = shown(&test, &token).await.expect("shown");
    assert_eq!((seen.title.as_str(), seen.company.as_str(), seen.narrowed), ("Shown", "Test", false));
    assert_eq!(
        (euros(&seen, "revenue_month"), euros(&seen, "receivables_open")),
        (Some(100.into()), Some(120.into()))
    );
    assert_eq!((seen.tiles[0].sparkline.len(), seen.tiles[1].sparkline.len()), (30, 0));

    let stored: Vec<u8> = sqlx::query_scalar("SELECT token_hash FROM embed_link")
        .fetch_one(&mut test.superuser().await)
        .await
        .expect("a hash");
    assert_eq!(stored, identity::secret::hash(&token));

    let mut forged = token.clone().into_bytes();
    forged[20] = if forged[20] == b'A' { b'B' } else { b'A' };
    let forged = String::from_utf8(forged).expect("ascii");
    for strange in [forged.as_str(), "", "ce_", &token[..45], &format!("{token}A"), &token.to_uppercase()] {
        assert!(shown(&test, strange).await.is_none(), "{strange}");
    }
    firm.scope.write(move |tx| Box::pin(embed::revoke(tx, id))).await.expect("revoked");
    assert!(shown(&test, &token).await.is_none(), "at once");
    firm.scope.write(move |tx| Box::pin(embed::revoke(tx, id))).await.expect("it stays so");

    let (_, token) = link(&firm.scope, draft(&test, on, &[])).await.expect("made");
    test.clock.set(test.clock.now() + TimeDelta::days(30));
    assert!(shown(&test, &token).await.is_none(), "it has expired");

    let tx = firm.scope.read().await.expect("snapshot");
    let events = kernel::event::page(&tx, None, None, 100).await.expect("events");
    let of = events.iter().filter(|event| event.subject_kind == Kind::EmbedLink.prefix());
    let mut told: Vec<&str> = of.clone().map(|event| event.kind.as_str()).collect();
    told.reverse();
    assert_eq!(told, ["embed_link.created", "embed_link.revoked", "embed_link.created"]);
    for event in of {
        let payload = String::from_utf8_lossy(&event.payload);
        assert!(!payload.contains("ce_"), "the log knows no token: {payload}");
    }
}

#[tokio::test]
async fn a_link_ends_with_its_dashboard() {
    use kpi::dashboard::service::{self, DashboardChange};
    let test = TestDb::new().await;
    let firm = firm_with_default(&test).await;
    let (_, ada) = crate::alerting::member(&test, &firm, "ada@example.com", "fr", "owner").await;
    let ada = crate::alerting::person(&test, &firm, ada);
    let on = create(&ada, "Ours", true, vec![tile("revenue_month", 0, 0)]).await.expect("made");
    let (_, token) = link(&ada, draft(&test, on, &[])).await.expect("made");
    assert!(shown(&test, &token).await.is_some());
    let share = async |shared: bool, version: i32| {
        let change = DashboardChange { shared: Some(shared), ..DashboardChange::default() };
        ada.write(move |tx| Box::pin(service::update(tx, on, change.clone(), version)))
            .await
            .expect("changed");
    };
    share(false, 1).await;
    assert!(shown(&test, &token).await.is_none(), "it is nobody's but ada's");
    let refused = link(&ada, draft(&test, on, &[])).await.expect_err("not shared");
    assert_eq!((refused.code(), refused.field().as_deref()), ("INVALID", Some("dashboardId")));
    share(true, 2).await;
    ada.write(move |tx| Box::pin(service::archive(tx, on, 3))).await.expect("archived");
    assert!(shown(&test, &token).await.is_none());
    sqlx::query("UPDATE company SET archived_at = now()")
        .execute(&mut test.superuser().await)
        .await
        .expect("closed");
    assert!(shown(&test, &token).await.is_none());
}

#[tokio::test]
async fn locked_filters_narrow_what_is_shown_and_cannot_be_slipped_past() {
    use kpi::dashboard::service::{self, DashboardChange};
    let test = TestDb::new().await;
    let firm = firm_with_default(&test).await;
    let ids = firm.ids;
    let invoice = sell(&firm, 100).await;
    write!(firm.scope, |tx| sell_in(tx, ids, Sale::credit_note(invoice, "2026-06-02", 3_000)));
    let on = dashboard(&firm, vec![tile("revenue_month", 0, 0)]).await;
    let invoices = Condition::any_of("kind", ["invoice"]);
    let (_, whole) = link(&firm.scope, draft(&test, on, &[])).await.expect("made");
    let (_, narrow) =
        link(&firm.scope, draft(&test, on, std::slice::from_ref(&invoices))).await.expect("made");
    let dollars = Condition::any_of("currency", ["USD"]);
    let (_, nothing) = link(&firm.scope, draft(&test, on, &[dollars])).await.expect("made");
    let revenue = async |token: &str| euros(&shown(&test, token).await.expect("shown"), "revenue_month");
    assert_eq!(revenue(&whole).await, Some(70.into()));
    assert_eq!(revenue(&narrow).await, Some(100.into()), "invoices alone");
    assert_eq!(revenue(&nothing).await, Some(0.into()), "none in dollars");
    assert!(shown(&test, &narrow).await.expect("shown").narrowed);

    // A figure that is put on the dashboard afterwards, and is not kept by kind, is not shown whole.
    let layout = Some(vec![tile("revenue_month", 0, 0), tile("satisfaction_mean", 3, 0)]);
    let change = DashboardChange { layout, ..DashboardChange::default() };
    firm.scope.write(move |tx| Box::pin(service::update(tx, on, change.clone(), 1))).await.expect("changed");
    let seen = shown(&test, &narrow).await.expect("shown");
    assert!(seen.tiles[0].figure.is_some() && seen.tiles[1].figure.is_none());
    assert!(shown(&test, &whole).await.expect("shown").tiles[1].figure.is_some());
    let refused = link(&firm.scope, draft(&test, on, &[invoices])).await.expect_err("not kept by kind");
    assert_eq!((refused.code(), refused.field().as_deref()), ("INVALID", Some("lockedFilters.0.dimension")));
    assert!(refused.to_string().contains("satisfaction_mean"), "{refused}");
}

#[tokio::test]
async fn what_a_link_cannot_be_is_refused() {
    let test = TestDb::new().await;
    let firm = firm_with_default(&test).await;
    let on = dashboard(&firm, vec![tile("revenue_month", 0, 0)]).await;
    let filters = |filters: &[Condition]| draft(&test, on, filters);
    let until =
        |ahead: TimeDelta| LinkDraft { expires_at: test.clock.now() + ahead, ..draft(&test, on, &[]) };
    let kind = |value: &str| Condition::any_of("kind", [value]);
    for (draft, field) in [
        (until(TimeDelta::zero()), "expiresAt"),
        (until(TimeDelta::days(366)), "expiresAt"),
        (filters(&[Condition::any_of("weather", ["fair"])]), "lockedFilters.0.dimension"),
        (filters(&[kind("sonnet")]), "lockedFilters.0.anyOf.0"),
        (filters(&[Condition::any_of("kind", Vec::<String>::new())]), "lockedFilters.0.anyOf"),
        (filters(&[Condition::none_of("kind", ["invoice"])]), "lockedFilters.0.anyOf"),
        (filters(&[kind("invoice"), kind("credit_note")]), "lockedFilters.1.dimension"),
    ] {
        let refused = link(&firm.scope, draft).await.expect_err(field);
        assert_eq!((refused.code(), refused.field().as_deref()), ("INVALID", Some(field)), "{refused}");
    }
    link(&firm.scope, until(TimeDelta::days(365))).await.expect("a year");
    let reader: PermissionSet = [Permission::KpiRead].into_iter().collect();
    let reader = test.scope(firm.scope.company().id, firm.scope.actor(), reader);
    let denied = link(&reader, filters(&[])).await.expect_err("no right");
    assert_eq!(denied.denied().map(|denied| denied.0), Some(Permission::KpiManage));
    let other = firm_with_default(&test).await;
    let foreign = link(&other.scope, filters(&[])).await.expect_err("another company's");
    assert_eq!((foreign.code(), foreign.field().as_deref()), ("NOT_FOUND", Some("dashboardId")));
}
