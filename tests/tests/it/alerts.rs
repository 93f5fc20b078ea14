//! Alerts and dashboards as clients meet them: over a socket, in a mailbox, and by a link without an account.

use chrono::TimeDelta;
use serde_json::{Value, json};

use crate::house::settle;
use crate::server::Server;
use crate::socket::Client;

const FOLLOW: &str = "subscription($after: Int) { kpiAlerts(afterRevision: $after) {
    revision snapshot gap alerts { id kpiKey label level openedValue { number currency } version } closed } }";

async fn next(client: &mut Client) -> Value {
    let message = client.next().await;
    assert_eq!(message["type"], "next", "{message:#}");
    assert!(message["payload"]["errors"].is_null(), "{message:#}");
    message["payload"]["data"]["kpiAlerts"].clone()
}

#[tokio::test]
async fn an_alert_is_followed_acknowledged_and_known_by_its_company_alone() {
    let server = Server::start().await;
    let a = settle(&server, "A", "ada@example.com").await;
    let b = settle(&server, "B", "bob@example.com").await;
    let mut client = Client::connect(&server, Some(&a.token)).await;
    assert_eq!(client.next().await["type"], "connection_ack");
    client.subscribe_to("1", FOLLOW, json!({})).await;
    let first = next(&mut client).await;
    assert_eq!((&first["snapshot"], first["alerts"].as_array().map(Vec::len)), (&json!(true), Some(1)));
    let alert = &first["alerts"][0];
    assert_eq!((&alert["id"], &alert["kpiKey"]), (&json!(a.ids["kpi_alert"]), &json!("revenue_month")));
    assert_eq!((&alert["level"], &alert["openedValue"]["currency"]), (&json!("WARNING"), &json!("EUR")));

    let acknowledge = "mutation($input: AcknowledgeKpiAlertInput!) { acknowledgeKpiAlert(input: $input) {
        alert { version acknowledgedAt acknowledgedBy { name } kpi { key } } userErrors { code field } } }";
    let input = json!({"kpiAlertId": alert["id"], "expectedVersion": alert["version"]});
    let foreign = server.ask(&b.token, acknowledge, json!({"input": input})).await;
    assert_eq!(foreign["acknowledgeKpiAlert"]["userErrors"][0]["code"], "NOT_FOUND", "{foreign:#}");
    let done = server.ask(&a.token, acknowledge, json!({"input": input})).await;
    let done = &done["acknowledgeKpiAlert"];
    assert_eq!((&done["alert"]["version"], &done["userErrors"]), (&json!(2), &json!([])), "{done:#}");
    assert_eq!(done["alert"]["acknowledgedBy"]["name"], "Ada");
    let changed = next(&mut client).await;
    assert_eq!(
        (&changed["snapshot"], &changed["alerts"][0]["version"]),
        (&json!(false), &json!(2)),
        "{changed:#}"
    );

    let list = "{ kpiAlerts(first: 10, filter: {open: true}) { edges { node { id level } } totalCount } }";
    let listed = server.ask(&a.tokens["sales"], list, json!({})).await;
    assert_eq!(listed["kpiAlerts"]["totalCount"], 1, "{listed:#}");
    let subscribe = "mutation { subscribeToKpi(input: {minLevel: CRITICAL}) { subscription { minLevel mail kpi { key } } } }";
    let wish = server.ask(&a.token, subscribe, json!({})).await;
    let wish = &wish["subscribeToKpi"]["subscription"];
    assert_eq!(wish, &json!({"minLevel": "CRITICAL", "mail": true, "kpi": null}));
}

const SHOW: &str = "query($token: String!) { embeddedDashboard(token: $token) { title expiresAt revision asOf
    company { name locale currency }
    tiles { id x y width height view figure { labelFr labelEn unit target value { number records amounts { amount currency } }
        sparkline { day value { number } } } } } }";

async fn link(server: &Server, token: &str, dashboard: &Value, filters: Value) -> Value {
    let create = "mutation($input: CreateEmbedLinkInput!) { createEmbedLink(input: $input) {
        url link { id lockedFilters { dimension anyOf } } userErrors { code field message } replayed } }";
    let expires_at = kernel::Clock::system().now() + TimeDelta::days(7);
    let input = json!({"dashboardId": dashboard, "lockedFilters": filters, "expiresAt": expires_at});
    server.ask(token, create, json!({"input": input})).await["createEmbedLink"].clone()
}

#[tokio::test]
async fn a_link_shows_a_dashboard_without_an_account_until_it_is_revoked() {
    let server = Server::start().await;
    let a = settle(&server, "A", "ada@example.com").await;
    let create = "mutation($input: CreateDashboardInput!) { createDashboard(input: $input) {
        dashboard { id version } userErrors { code field } } }";
    let tile = |key: &str, x: i32| json!({"id": key, "kpiKey": key, "x": x, "y": 0, "width": 6, "height": 2, "view": "TREND"});
    let layout = json!([tile("revenue_month", 0), tile("receivables_open", 6)]);
    let input = json!({"title": "For the bank", "shared": true, "layout": layout});
    let made = server.ask(&a.token, create, json!({"input": input})).await;
    let dashboard = &made["createDashboard"]["dashboard"]["id"];
    let made = link(&server, &a.token, dashboard, json!([])).await;
    let url = made["url"].as_str().unwrap_or_else(|| panic!("{made:#}"));
    let token = url.rsplit('/').next().expect("a token");
    assert!(url.contains("/embed/ce_"), "{url}");

    let shown = async |token: &str| server.send(None, None, SHOW, json!({"token": token})).await.1;
    let answer = shown(token).await;
    assert!(answer["errors"].is_null(), "{answer:#}");
    let seen = &answer["data"]["embeddedDashboard"];
    assert_eq!((&seen["title"], &seen["company"]["name"]), (&json!("For the bank"), &json!("A")));
    assert_eq!(seen["tiles"][0]["figure"]["sparkline"].as_array().map(Vec::len), Some(30));
    let own = "{ kpis(keys: [\"revenue_month\"]) { kpis { value { amounts { amount currency } } } } }";
    let own = server.ask(&a.token, own, json!({})).await;
    assert_eq!(seen["tiles"][0]["figure"]["value"]["amounts"], own["kpis"]["kpis"][0]["value"]["amounts"]);

    let id = &made["link"]["id"];
    let revoke = "mutation($id: ID!) { revokeEmbedLink(input: {embedLinkId: $id}) { link { revokedAt } userErrors { code } } }";
    let denied = server.send(Some(&a.tokens["sales"]), None, revoke, json!({"id": id})).await.1;
    assert_eq!(denied["errors"][0]["extensions"]["code"], "FORBIDDEN", "{denied:#}");
    server.ask(&a.token, revoke, json!({"id": id})).await;
    let (revoked, unknown) = (shown(token).await, shown("ce_nothing").await);
    assert_eq!(revoked["data"], json!({"embeddedDashboard": null}), "{revoked:#}");
    let told = |answer: &Value| {
        (answer["data"].clone(), answer["errors"].clone(), answer["extensions"]["cost"].clone())
    };
    assert_eq!(told(&revoked), told(&unknown), "they are not told apart");
    assert_eq!(
        unknown["extensions"]["rateLimit"]["policy"], "anonymous",
        "strangers are counted by their address"
    );
}
