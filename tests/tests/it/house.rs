//! A company with at least one of everything, written through the domains' own functions.

use std::collections::{BTreeMap, HashMap};

use identity::Role;
use invoicing::bill::{self, BillKind, NewBill, Totals};
use invoicing::catalog::{item, tax_code};
use invoicing::invoice::{self, NewInvoice, NewLine};
use invoicing::party::{self, NewParty};
use invoicing::payment::{self, Direction, Method, NewPayment, Target};
use kernel::page::Slice;
use kernel::{Actor, Kind, PermissionSet, Scope, Tx, id};
use serde_json::json;
use uuid::Uuid;

use crate::mailbox;
use crate::server::Server;
use crate::walk::Ids;

/// A company with its owner's token, one id of every kind, and a token of every role.
pub(crate) struct House {
    pub token: String,
    pub ids: Ids,
    pub tokens: HashMap<&'static str, String>,
    company: Uuid,
}

/// Founds a company, with members of every role and one of everything in it.
pub(crate) async fn settle(server: &Server, name: &str, email: &str) -> House {
    let token = server.found(name, email).await;
    let public = server.ask(&token, "{ company { id } }", json!({})).await["company"]["id"]
        .as_str()
        .expect("id")
        .to_owned();
    let company = id::decode(Kind::Company, &public).expect("company id");
    server.db.clock.set(chrono::DateTime::from_timestamp(now(), 0).expect("now"));
    // The clock of this company's things is the server's own: the system's.
    let scope = server.db.scope(company, Actor::System, PermissionSet::all());
    fill(&scope).await;
    fill_file(&scope, server, &token).await;
    let mut tokens = HashMap::new();
    for role in Role::ALL {
        tokens.insert(role.as_str(), member(server, &token, role, email).await);
    }
    server
        .ask(
            &token,
            "mutation { createApiKey(input: {name: \"P\", permissions: [\"kpi.read\"]}) { apiKey { id } } }",
            json!({}),
        )
        .await;
    server
        .ask(
            &token,
            "mutation { registerDocuments(input: {documents: [{name: \"N\", text: \"{ __typename }\"}]}) { userErrors { code } } }",
            json!({}),
        )
        .await;
    let register = "mutation { registerApplication(input: {name: \"T\", homepage: \"https://t.example\", kind: CONFIDENTIAL,
        grantTypes: [CLIENT_CREDENTIALS], permissions: [\"kpi.read\"]}) { userErrors { code } } }";
    server.ask(&token, register, json!({})).await;
    ask_for_rights(server, &token, &tokens["owner"]).await;
    show_a_dashboard(server, &token).await;
    server.db.settle().await;
    open_an_alert(server, &scope).await;
    House { token, ids: ids(server, company).await, tokens, company }
}

/// Leaves a change of rights that waits for another owner, in a company that wants that no more.
async fn ask_for_rights(server: &Server, owner: &str, other: &str) {
    let set = "mutation($version: Int!, $on: Boolean!) {
        updateCompany(input: {expectedVersion: $version, rightsNeedApproval: $on}) { accessRequest { id } userErrors { message } } }";
    let version =
        async || server.ask(owner, "{ company { version } }", json!({})).await["company"]["version"].clone();
    server.ask(owner, set, json!({"version": version().await, "on": true})).await;
    let members = server.ask(owner, "{ members { id version role { key } } }", json!({})).await;
    let mut members = members["members"].as_array().expect("members").iter();
    let sales = members.find(|member| member["role"]["key"] == "sales").expect("who sells");
    let change = "mutation($input: ChangeRoleInput!) { changeRole(input: $input) { accessRequest { id } userErrors { message } } }";
    let input = json!({"memberId": sales["id"], "expectedVersion": sales["version"], "role": "sales"});
    let asked = server.ask(owner, change, json!({"input": input})).await;
    assert!(asked["changeRole"]["accessRequest"]["id"].is_string(), "{asked:#}");
    let off = server.ask(owner, set, json!({"version": version().await, "on": false})).await;
    let approve = "mutation($id: ID!) { approveAccessRequest(input: {accessRequestId: $id, expectedVersion: 1}) { userErrors { message } } }";
    let id = &off["updateCompany"]["accessRequest"]["id"];
    let done = server.ask(other, approve, json!({"id": id})).await;
    assert_eq!(done["approveAccessRequest"]["userErrors"], json!([]), "{done:#}");
}

/// Leaves a link to the dashboard that the company began with.
async fn show_a_dashboard(server: &Server, owner: &str) {
    let dashboards = server.ask(owner, "{ dashboards { id } }", json!({})).await;
    let expires_at = chrono::DateTime::from_timestamp(now() + 30 * 86_400, 0).expect("a time");
    let input = json!({"dashboardId": dashboards["dashboards"][0]["id"], "expiresAt": expires_at});
    let create = "mutation($input: CreateEmbedLinkInput!) { createEmbedLink(input: $input) { url userErrors { message } } }";
    let made = server.ask(owner, create, json!({"input": input})).await;
    assert!(made["createEmbedLink"]["url"].is_string(), "{made:#}");
}

/// Leaves an alert that stays open: nobody earns that much.
async fn open_an_alert(server: &Server, scope: &Scope) {
    let set = "UPDATE kpi_definition SET warning = 1000000000000 WHERE key = 'revenue_month'";
    scope
        .write(|tx| Box::pin(async move { tx.run(set, []).await.map_err(testing::Failed::from) }))
        .await
        .expect("set");
    let mut open = false;
    while !open {
        // The server's own workers may be at it just now.
        kpi::alert::evaluate::evaluate(scope, &server.url).await.expect("evaluated");
        let tx = scope.read().await.expect("snapshot");
        open = !kpi::alert::service::open(&tx).await.expect("alerts").alerts.is_empty();
        tx.end().await;
    }
    // The letter about it is due soon, and nobody wants it: it is told now, so that the alert stays as it is.
    server.db.clock.set(chrono::DateTime::from_timestamp(now() + 120, 0).expect("later"));
    while !kpi::alert::evaluate::evaluate(scope, &server.url).await.expect("evaluated") {}
    server.db.clock.set(chrono::DateTime::from_timestamp(now(), 0).expect("now"));
    server.db.settle().await;
}

/// The system's clock, in seconds since 1970.
pub(crate) fn now() -> i64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).expect("after 1970");
    i64::try_from(since.as_secs()).expect("seconds")
}

async fn member(server: &Server, owner: &str, role: Role, email: &str) -> String {
    mailbox::join(server, owner, &format!("{}.{email}", role.as_str()), role.as_str()).await
}

async fn fill(scope: &Scope) {
    scope.write(|tx| Box::pin(one_of_everything(tx))).await.expect("one of everything");
}

async fn one_of_everything(tx: &Tx) -> Result<(), invoicing::Error> {
    let today = tx.scope().today();
    let party = NewParty {
        is_customer: true,
        is_supplier: true,
        name: "P".into(),
        country: "FR".into(),
        ..NewParty::default()
    };
    let party = party::service::create(tx, party).await?;
    let codes =
        tax_code::service::list(tx, &tax_code::service::TaxCodeFilter::default(), &Slice::first(100)).await?;
    let code = codes.items.iter().find(|code| code.code == "S20").expect("S20").id;
    let new = item::NewItem {
        code: "A".into(),
        name: "A".into(),
        nature: item::Nature::Goods,
        unit: None,
        unit_price: 10.into(),
        currency: None,
        tax_code_id: code,
        account_id: None,
        external_ref: None,
    };
    let item = item::service::create(tx, new).await?;
    let line = NewLine {
        item_id: Some(item),
        description: None,
        quantity: 2.into(),
        unit: None,
        unit_price: None,
        discount_percent: None,
        tax_code_id: None,
        account_id: None,
        nature: None,
    };
    let new = NewInvoice {
        customer_id: party,
        currency: None,
        payment_days: None,
        end_of_month: None,
        delivery_date: None,
        buyer_reference: None,
        order_reference: None,
        note: None,
        external_ref: None,
        lines: vec![line],
    };
    // The newest invoice is a draft: ids() takes the oldest, which is issued and partly paid.
    let issued = invoice::service::create_draft(tx, new.clone()).await?;
    invoice::service::issue(tx, issued, 1, None).await?;
    invoice::service::create_draft(tx, new).await?;
    let payment = NewPayment {
        direction: Direction::Received,
        party_id: party,
        paid_on: today,
        currency: tx.scope().company().currency,
        amount_minor: 500,
        base_minor: None,
        method: Method::Transfer,
        reference: None,
        external_ref: None,
        allocations: vec![(Target::Invoice(issued), 400)],
    };
    payment::service::record(tx, payment).await?;
    let line = bill::NewLine {
        description: "B".into(),
        net: Some(10.into()),
        category: "S".into(),
        rate: 20.into(),
        ..bill::NewLine::default()
    };
    let totals = Totals { tax: Some(3.into()), ..Totals::default() };
    let new = NewBill {
        kind: BillKind::Bill,
        supplier_id: party,
        number: "1".into(),
        issue_date: today,
        due_date: None,
        currency: None,
        corrects_id: None,
        vat_on_payment: None,
        lines: vec![line],
        taxes: None,
        totals,
        file_id: None,
        external_ref: None,
    };
    bill::service::enter(tx, new).await?;
    ledger::rate::service::set(
        tx,
        kernel::Currency::parse("USD").expect("USD"),
        today,
        rust_decimal::Decimal::new(9, 1),
        None,
    )
    .await?;
    Ok(())
}

/// A file by the API's own way, which needs the server's folder.
async fn fill_file(_scope: &Scope, server: &Server, token: &str) {
    let create = "mutation { createUpload(input: {name: \"x.xml\", mediaType: \"application/xml\", size: 4}) { uploadUrl userErrors { message } } }";
    let made = server.ask(token, create, json!({})).await;
    let url = made["createUpload"]["uploadUrl"].as_str().unwrap_or_else(|| panic!("{made:#}")).to_owned();
    let path = url.find("/uploads/").map(|at| &url[at..]).expect("path");
    let sent = server.http.put(format!("{}{path}", server.url)).body("<a/>").send().await.expect("sent");
    assert!(sent.status().is_success(), "{}", sent.text().await.unwrap_or_default());
}

/// One id of every kind: the oldest row of each table.
/// Every kind with rows that a test company has.
pub(crate) const ALL_KINDS: [&str; 31] = [
    "company",
    "access_request",
    "account",
    "allocation",
    "api_key",
    "application",
    "bill",
    "bill_line",
    "dashboard",
    "embed_link",
    "exchange_rate",
    "file",
    "finding",
    "fiscal_year",
    "grant",
    "invitation",
    "invoice",
    "invoice_line",
    "item",
    "journal",
    "journal_entry",
    "kpi",
    "kpi_alert",
    "matching",
    "membership",
    "party",
    "payment",
    "period",
    "role",
    "tax_code",
    "trusted_document",
];

async fn ids(server: &Server, company: Uuid) -> Ids {
    let mut all = server.db.superuser().await;
    let mut ids = Ids::new();
    for kind in ALL_KINDS.into_iter().chain(["posting"]) {
        let table = match kind {
            "finding" => "bill_finding",
            "kpi" => "kpi_definition",
            "application" => "oauth_client",
            "grant" => "oauth_grant",
            other => other,
        };
        let found: Option<Uuid> = sqlx::query_scalar(sqlx::AssertSqlSafe(format!(
            "SELECT id FROM {table} WHERE tenant_id = $1 ORDER BY id LIMIT 1"
        )))
        .bind(company)
        .fetch_optional(&mut all)
        .await
        .expect(table);
        let kind_of = Kind::ALL.iter().find(|k| k.prefix() == kind).expect("kind");
        ids.insert(kind, id::encode(*kind_of, found.unwrap_or_else(|| panic!("the company has no {table}"))));
    }
    ids
}

impl House {
    /// The company's own id, as its rows have it.
    pub(crate) fn company(&self) -> Uuid {
        self.company
    }

    /// A digest of every row of the company, by table. Sign-ins and sealing are not its business.
    pub(crate) async fn rows(&self, server: &Server) -> BTreeMap<String, Option<String>> {
        let mut all = server.db.superuser().await;
        let tables: Vec<String> = sqlx::query_scalar(
            "SELECT c.relname::text FROM pg_class c WHERE c.relforcerowsecurity AND c.relkind = 'r'
             AND c.relname NOT IN ('permission_use', 'event_queue', 'event_seal', 'event_head', 'kpi_delta', 'kpi_rollup', 'kpi_head', 'kpi_alert_mark') ORDER BY 1",
        )
        .fetch_all(&mut all)
        .await
        .expect("tables");
        let mut rows = BTreeMap::new();
        for table in tables {
            let sql = format!(
                "SELECT md5(string_agg(t::text, '|' ORDER BY t::text)) FROM {table} t WHERE tenant_id = $1"
            );
            let digest = sqlx::query_scalar(sqlx::AssertSqlSafe(sql))
                .bind(self.company)
                .fetch_one(&mut all)
                .await
                .expect("digest");
            rows.insert(table, digest);
        }
        rows
    }
}
