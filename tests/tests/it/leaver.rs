//! The access of somebody who leaves dies everywhere, and what they leave behind is listed.
//!
//! The promise is a minute; it is held as the other revocations are, within a second (see the module `revocation`).

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::house::settle;
use crate::mailbox::join_as;
use crate::revocation::prove;
use crate::server::{PASSWORD, Server, UNLIMITED};
use crate::socket::Client;

const WITHIN: Duration = Duration::from_secs(1);

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_else(|| panic!("{value:#}")).to_owned()
}

/// Waits until a token is good for nothing on a server; how long that took.
async fn dead(server: &Server, url: &str, token: &str) -> Duration {
    let since = Instant::now();
    loop {
        let request = server.http.post(format!("{url}/graphql")).bearer_auth(token);
        let answer =
            request.json(&json!({"query": "{ viewer { actor { kind } } }"})).send().await.expect("an answer");
        let answer: Value = answer.json().await.expect("JSON");
        if answer["errors"][0]["extensions"]["code"] == "UNAUTHENTICATED" {
            return since.elapsed();
        }
        assert!(since.elapsed() < WITHIN * 10, "it never dies: {answer:#}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

async fn sign_in(server: &Server, email: &str, company: &str) -> String {
    let sign_in = "mutation($input: SignInInput!) { signIn(input: $input) { session { token } userErrors { message } } }";
    let input = json!({"email": email, "password": PASSWORD, "companyId": company});
    let (_, answer) = server.send(None, None, sign_in, json!({"input": input})).await;
    text(&answer["data"]["signIn"]["session"]["token"])
}

#[tokio::test]
async fn sessions_sockets_and_keys_of_who_leaves_die_on_every_replica_and_stay_so() {
    let server = Server::start_with(&UNLIMITED).await;
    let there = server.replica(&[&UNLIMITED[..], &["--workers", "false"]].concat());
    let house = settle(&server, "A", "ada@example.com").await;
    prove(&server).await;
    let company = text(&server.ask(&house.token, "{ company { id } }", json!({})).await["company"]["id"]);
    // An owner who makes a key, drafts an invoice and an entry, and has sessions on both replicas.
    let email = "owner.ada@example.com";
    let (leaver, second) = (house.tokens["owner"].clone(), sign_in(&server, email, &company).await);
    let found = "mutation { createCompany(input: {company: {name: \"Own\", legalForm: \"SAS\", country: \"FR\", currency: \"EUR\",
        timeZone: \"Europe/Paris\", locale: \"fr\", chart: FR_PCG}}) { session { token } userErrors { message } } }";
    let elsewhere = server.ask(&leaver, found, json!({})).await;
    let create = "mutation($input: CreateApiKeyInput!) { createApiKey(input: $input) { secret userErrors { message } } }";
    let input = json!({"name": "Sync", "permissions": ["kpi.read"]});
    let key = text(&server.ask(&leaver, create, json!({"input": input})).await["createApiKey"]["secret"]);
    let draft = "mutation($input: CreateInvoiceInput!) { createInvoice(input: $input) { invoice { id } userErrors { message } } }";
    let input =
        json!({"customerId": house.ids["party"], "lines": [{"itemId": house.ids["item"], "quantity": "1"}]});
    let drafted = server.ask(&leaver, draft, json!({"input": input})).await;
    let invoice = text(&drafted["createInvoice"]["invoice"]["id"]);
    let mut socket = Client::connect_to(&there.url, Some(&second)).await;
    assert_eq!(socket.next().await["type"], "connection_ack");
    let members = server
        .ask(
            &house.token,
            "{ members { id email version holdings { kind total things { thingId label } } } }",
            json!({}),
        )
        .await;
    let members = members["members"].as_array().expect("members").clone();
    let member = members.iter().find(|member| member["email"] == email).expect("the member").clone();
    let held = |kind: &str| {
        let holdings = member["holdings"].as_array().expect("holdings");
        holdings
            .iter()
            .find(|held| held["kind"] == kind)
            .unwrap_or_else(|| panic!("{kind}: {member:#}"))
            .clone()
    };
    assert_eq!(held("API_KEY")["things"][0]["label"], "Sync");
    assert_eq!(
        held("DRAFT_INVOICE"),
        json!({"kind": "DRAFT_INVOICE", "total": 1, "things": [{"thingId": invoice, "label": "P"}]})
    );
    assert_eq!(held("BILL_TO_APPROVE")["total"], 1, "the bill of the house");

    let remove = "mutation($input: RemoveMemberInput!) { removeMember(input: $input) { member { id } holdings { kind total } userErrors { code message } } }";
    let input = json!({"memberId": member["id"], "expectedVersion": member["version"]});
    let removed = server.ask(&house.token, remove, json!({"input": input})).await["removeMember"].clone();
    assert_eq!((&removed["userErrors"], &removed["member"]), (&json!([]), &json!(null)), "{removed:#}");
    let kinds: Vec<_> =
        removed["holdings"].as_array().expect("holdings").iter().map(|held| held["kind"].clone()).collect();
    assert_eq!(kinds, ["API_KEY", "DRAFT_INVOICE", "BILL_TO_APPROVE"]);
    let since = Instant::now();
    let closed = async {
        loop {
            let message = socket.next().await;
            if message["type"] == "close" {
                return (message["code"].clone(), since.elapsed());
            }
        }
    };
    let (a, b, c, d, (code, socket)) = tokio::join!(
        dead(&server, &server.url, &leaver),
        dead(&server, &there.url, &leaver),
        dead(&server, &there.url, &second),
        dead(&server, &there.url, &key),
        closed
    );
    assert_eq!(code, 4403);
    for after in [a, b, c, d, socket] {
        assert!(after < WITHIN, "after {after:?}");
    }
    // Nobody gets in by signing in, and coming back revives no session.
    let sign_in =
        "mutation($input: SignInInput!) { signIn(input: $input) { session { token } userErrors { code } } }";
    let input = json!({"email": email, "password": PASSWORD, "companyId": company});
    let (_, answer) = server.send(None, None, sign_in, json!({"input": input})).await;
    assert_eq!(answer["data"]["signIn"]["userErrors"][0]["code"], "WRONG_CREDENTIALS", "{answer:#}");
    let session = &elsewhere["createCompany"]["session"]["token"];
    join_as(&server, &house.token, session.as_str().expect("a token"), email, "sales").await;
    dead(&server, &server.url, &leaver).await;
    dead(&server, &there.url, &second).await;
}
