//! Roles as data and the approval of changes of rights, as a client meets them.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::mailbox;
use crate::server::{Server, UNLIMITED};

const CREATE: &str = "mutation($input: CreateRoleInput!) {
    createRole(input: $input) { role { id key name version permissions { name } } userErrors { code field } } }";
const UPDATE: &str = "mutation($input: UpdateRoleInput!) {
    updateRole(input: $input) { role { version } accessRequest { id } userErrors { code field } } }";
const CHANGE: &str = "mutation($input: ChangeRoleInput!) {
    changeRole(input: $input) { member { role { key } } accessRequest { id version state act role { key } } userErrors { code field message } } }";
const SET: &str = "mutation($version: Int!, $on: Boolean!) {
    updateCompany(input: {expectedVersion: $version, rightsNeedApproval: $on}) {
        company { rightsNeedApproval } accessRequest { id act } userErrors { code } } }";

async fn member(server: &Server, owner: &str, email: &str) -> Value {
    let members = server.ask(owner, "{ members { id version email role { key } } }", json!({})).await;
    let mut members = members["members"].as_array().expect("members").iter();
    members.find(|member| member["email"] == email).expect("a member").clone()
}

async fn change(server: &Server, token: &str, email: &str, role: &str) -> Value {
    let member = member(server, token, email).await;
    let input = json!({"memberId": member["id"], "expectedVersion": member["version"], "role": role});
    server.ask(token, CHANGE, json!({"input": input})).await["changeRole"].clone()
}

async fn turn(server: &Server, token: &str, on: bool) -> Value {
    let version = server.ask(token, "{ company { version } }", json!({})).await["company"]["version"].clone();
    server.ask(token, SET, json!({"version": version, "on": on})).await["updateCompany"].clone()
}

#[tokio::test]
async fn a_role_of_ones_own_is_made_given_and_narrowed_within_a_second_on_every_replica() {
    let server = Server::start_with(&UNLIMITED).await;
    let owner = server.found("A", "ada@example.com").await;
    let input = json!({"name": "Trésorerie", "permissions": ["company.read", "payments.read", "kpi.read"]});
    let made = server.ask(&owner, CREATE, json!({"input": input})).await["createRole"]["role"].clone();
    assert_eq!((&made["key"], &made["name"]), (&json!("tresorerie"), &json!("Trésorerie")), "{made:#}");
    let tom = mailbox::join(&server, &owner, "tom@example.com", "tresorerie").await;
    let viewer = "{ viewer { role { key name builtIn memberCount } companies { role { key name } } } }";
    let (_, answer) = server.send(Some(&tom), None, viewer, json!({})).await;
    let role = &answer["data"]["viewer"]["role"];
    assert_eq!((&role["key"], &role["builtIn"]), (&json!("tresorerie"), &json!(false)), "{answer:#}");
    assert!(role["memberCount"].is_null(), "how many have it is for who sees the members: {answer:#}");
    assert_eq!(answer["errors"][0]["path"], json!(["viewer", "role", "memberCount"]));

    let replica = server.replica(&UNLIMITED);
    let payments = json!({"query": "{ payments(first: 1) { edges { cursor } } }"});
    let allowed = async || {
        let sent =
            server.http.post(format!("{}/graphql", replica.url)).bearer_auth(&tom).json(&payments).send();
        let answer: Value = sent.await.expect("an answer").json().await.expect("JSON");
        answer["errors"].is_null()
    };
    assert!(allowed().await);
    let input = json!({"roleId": made["id"], "expectedVersion": 1, "permissions": ["company.read"]});
    let done = server.ask(&owner, UPDATE, json!({"input": input})).await;
    assert_eq!(done["updateRole"]["role"]["version"], 2, "{done:#}");
    let began = Instant::now();
    while allowed().await {
        assert!(began.elapsed() < Duration::from_secs(1), "the right is still there after a second");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let archive = "mutation($input: ArchiveRoleInput!) { archiveRole(input: $input) { role { archivedAt } userErrors { code } } }";
    let input = json!({"input": {"roleId": made["id"], "expectedVersion": 2}});
    let refused = server.ask(&owner, archive, input.clone()).await;
    assert_eq!(refused["archiveRole"]["userErrors"][0]["code"], "ROLE_IN_USE");
    change(&server, &owner, "tom@example.com", "sales").await;
    let done = server.ask(&owner, archive, input).await;
    assert!(done["archiveRole"]["role"]["archivedAt"].is_string(), "{done:#}");
    let roles =
        server.ask(&owner, "{ roles { key } all: roles(includeArchived: true) { key } }", json!({})).await;
    assert_eq!(roles["roles"].as_array().map(Vec::len), Some(5));
    assert_eq!(roles["all"].as_array().map(Vec::len), Some(6));
}

#[tokio::test]
async fn nobody_raises_themselves_nor_gives_what_they_have_not() {
    let server = Server::start_with(&UNLIMITED).await;
    let owner = server.found("A", "ada@example.com").await;
    let input = json!({"name": "Staff", "permissions": ["members.read", "members.manage", "kpi.read"]});
    server.ask(&owner, CREATE, json!({"input": input})).await;
    let sam = mailbox::join(&server, &owner, "sam@example.com", "staff").await;
    for (email, role, code) in [
        ("sam@example.com", "accountant", "BEYOND_OWN"),
        ("sam@example.com", "owner", "OWNERS_ONLY"),
        ("ada@example.com", "staff", "OWNERS_ONLY"),
    ] {
        let refused = change(&server, &sam, email, role).await;
        assert_eq!(refused["userErrors"][0]["code"], code, "{email} {role}: {refused:#}");
        assert!(refused["member"].is_null());
    }
    let input = json!({"name": "Mine", "permissions": ["kpi.read", "ledger.post"]});
    let refused = server.ask(&sam, CREATE, json!({"input": input})).await;
    assert_eq!(refused["createRole"]["userErrors"][0], json!({"code": "BEYOND_OWN", "field": "permissions"}));
    let invite = "mutation { inviteMember(input: {email: \"x@example.com\", role: \"auditor\"}) { userErrors { code field } } }";
    let refused = server.ask(&sam, invite, json!({})).await;
    assert_eq!(refused["inviteMember"]["userErrors"][0], json!({"code": "BEYOND_OWN", "field": "role"}));
}

#[tokio::test]
async fn a_change_of_rights_waits_for_the_other_owner_where_the_company_says_so() {
    let server = Server::start_with(&UNLIMITED).await;
    let ada = server.found("A", "ada@example.com").await;
    assert_eq!(turn(&server, &ada, true).await["userErrors"][0]["code"], "TWO_OWNERS_NEEDED");
    let bob = mailbox::join(&server, &ada, "bob@example.com", "owner").await;
    mailbox::join(&server, &ada, "sal@example.com", "sales").await;
    assert_eq!(turn(&server, &ada, true).await["company"]["rightsNeedApproval"], true);

    let asked = change(&server, &ada, "sal@example.com", "accountant").await;
    assert!(asked["member"].is_null() && asked["userErrors"] == json!([]), "{asked:#}");
    let request = &asked["accessRequest"];
    assert_eq!(
        (&request["state"], &request["act"], &request["role"]["key"]),
        (&json!("OPEN"), &json!("CHANGE_ROLE"), &json!("accountant"))
    );
    assert_eq!(member(&server, &ada, "sal@example.com").await["role"]["key"], "sales");
    let approve =
        "mutation($id: ID!) { approveAccessRequest(input: {accessRequestId: $id, expectedVersion: 1}) {
        accessRequest { state decidedBy { name } } userErrors { code } } }";
    let id = json!({"id": request["id"]});
    let own = server.ask(&ada, approve, id.clone()).await;
    assert_eq!(own["approveAccessRequest"]["userErrors"][0]["code"], "OWN_REQUEST");
    let open = "{ accessRequests(first: 10, onlyOpen: true) { totalCount edges { node { id email member { email } requestedBy { kind } } } } }";
    let seen = server.ask(&bob, open, json!({})).await;
    assert_eq!(seen["accessRequests"]["totalCount"], 1);
    assert_eq!(seen["accessRequests"]["edges"][0]["node"]["member"]["email"], "sal@example.com");
    let done = server.ask(&bob, approve, id.clone()).await;
    assert_eq!(done["approveAccessRequest"]["accessRequest"]["state"], "APPROVED", "{done:#}");
    assert_eq!(member(&server, &ada, "sal@example.com").await["role"]["key"], "accountant");
    let again = server.ask(&bob, approve, id).await;
    assert_eq!(again["approveAccessRequest"]["userErrors"][0]["code"], "REQUEST_CLOSED");

    let off = turn(&server, &bob, false).await;
    assert_eq!(
        (&off["company"]["rightsNeedApproval"], &off["accessRequest"]["act"]),
        (&json!(true), &json!("TURN_OFF_APPROVAL"))
    );
    server.ask(&ada, approve, json!({"id": off["accessRequest"]["id"]})).await;
    let at_once = change(&server, &ada, "sal@example.com", "auditor").await;
    assert_eq!(at_once["member"]["role"]["key"], "auditor", "{at_once:#}");
}
