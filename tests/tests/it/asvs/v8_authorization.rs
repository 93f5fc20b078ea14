//! OWASP ASVS 5.0.0, chapter V8: authorization.

use serde_json::{Value, json};

use super::found;
use crate::house::settle;
use crate::server::{Server, UNLIMITED};
use crate::walk::Schema;

/// What everybody who is signed in does with what is their own.
const OWN: [&str; 6] = [
    "signOut",
    "signIn",
    "signUp",
    // Whoever may read figures answers their alerts.
    "acknowledgeKpiAlert",
    "snoozeKpiAlert",
    "assignKpiAlert",
];

fn codes(answer: &Value) -> Vec<String> {
    let errors = answer["errors"].as_array().into_iter().flatten();
    errors.filter_map(|error| error["extensions"]["code"].as_str().map(str::to_owned)).collect()
}

#[tokio::test]
async fn v8_2_1_what_is_forbidden_is_not_done() {
    let server = Server::start_with(&UNLIMITED).await;
    let house = settle(&server, "A", "ada@example.com").await;
    let schema = Schema::of(&server, &house.token).await;
    let before = house.rows(&server).await;
    let mut forbidden = 0;
    for field in schema.fields("Mutation") {
        if OWN.contains(&field.as_str()) {
            continue;
        }
        let call = schema.plain("Mutation", &field, &house.ids);
        let (_, answer) =
            server.send(Some(&house.tokens["auditor"]), None, &call.document, call.variables).await;
        if codes(&answer).iter().any(|code| code == "FORBIDDEN") {
            forbidden += 1;
            assert!(answer["data"].is_null() || answer["data"][&field].is_null(), "{field}: {answer:#}");
        }
    }
    assert!(forbidden > 60, "{forbidden} mutations are forbidden to an auditor");
    let after = house.rows(&server).await;
    let changed: Vec<_> = before.keys().filter(|table| before[*table] != after[*table]).collect();
    // What the auditor did with what is their own (another session, their exports) is in the log, and nothing else has changed.
    let own = ["event", "event_origin"];
    let changed: Vec<_> = changed.into_iter().filter(|table| !own.contains(&table.as_str())).collect();
    assert_eq!(changed, Vec::<&String>::new());
}

#[tokio::test]
async fn v8_2_1_nobody_gives_themselves_a_role() {
    let server = Server::start_with(&UNLIMITED).await;
    let house = settle(&server, "A", "ada@example.com").await;
    let owner = found(&server, "B", "bob@example.com").await;
    let ask = "{ members { id version role { key } } }";
    let members = server.ask(&house.token, ask, json!({})).await["members"].clone();
    let listed = members.as_array().expect("members");
    let sales = listed.iter().find(|member| member["role"]["key"] == "sales").expect("one in sales");
    let change = "mutation($input: ChangeRoleInput!) { changeRole(input: $input) { userErrors { code } } }";
    let input =
        json!({"input": {"memberId": sales["id"], "expectedVersion": sales["version"], "role": "owner"}});
    for role in ["sales", "accountant", "auditor"] {
        let (_, answer) = server.send(Some(&house.tokens[role]), None, change, input.clone()).await;
        assert_eq!(codes(&answer), ["FORBIDDEN"], "{answer:#}");
    }
    // Nor does the owner of another company, to whom the member is unknown.
    let data = server.ask(&owner, change, input).await;
    assert_eq!(data["changeRole"]["userErrors"][0]["code"], "NOT_FOUND");
    assert_eq!(server.ask(&house.token, ask, json!({})).await["members"], members);
}

#[tokio::test]
async fn v8_2_3_bank_details_are_a_right_of_their_own_to_read_and_to_write() {
    let server = Server::start_with(&UNLIMITED).await;
    let house = settle(&server, "A", "ada@example.com").await;
    let create = "mutation($input: CreatePartyInput!) { createParty(input: $input) { party { id } userErrors { code } } }";
    let party = |iban: Option<&str>| json!({"input": {"name": "S", "country": "FR", "isSupplier": true, "iban": iban}});
    let iban = "FR7630006000011234567890189";
    let made = server.ask(&house.token, create, party(Some(iban))).await["createParty"].clone();
    let ask = "query($id: ID!) { party(id: $id) { name ibanHint bankAccount { iban } } }";
    let id = json!({"id": made["party"]["id"]});
    let own = server.ask(&house.token, ask, id.clone()).await;
    assert_eq!(own["party"]["bankAccount"]["iban"], iban, "{made:#}");
    // Sales reads and writes customers and suppliers, and not where their money goes.
    let sales = house.tokens["sales"].as_str();
    let (_, answer) = server.send(Some(sales), None, ask, id.clone()).await;
    assert_eq!(codes(&answer), ["FORBIDDEN"], "{answer:#}");
    assert_eq!(
        (&answer["data"]["party"]["name"], &answer["data"]["party"]["ibanHint"]),
        (&json!("S"), &json!("0189"))
    );
    assert!(
        answer["data"]["party"]["bankAccount"].is_null() && !answer.to_string().contains(iban),
        "{answer:#}"
    );
    assert!(server.ask(sales, create, party(None)).await["createParty"]["party"].is_object());
    let (_, answer) = server.send(Some(sales), None, create, party(Some("DE89370400440532013000"))).await;
    assert!(answer["data"]["createParty"]["party"].is_null(), "{answer:#}");
    assert_eq!(codes(&answer), ["FORBIDDEN"], "{answer:#}");
}
