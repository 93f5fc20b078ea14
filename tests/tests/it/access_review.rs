//! The review of accesses and the list of sessions, as a company meets them.

use std::path::Path;

use serde_json::{Value, json};

use crate::revocation::prove;
use crate::server::{PASSWORD, Server, UNLIMITED};

const REVIEW: &str =
    "{ accessReview { notedFrom csv accesses { kind subjectId name identifier role lastUsedOn secondFactor
    grantedBy { kind name } rights { name meaning lastUsedOn } } } }";

/// The access of somebody in a review.
fn access<'a>(review: &'a Value, name: &str) -> &'a Value {
    let accesses = review["accessReview"]["accesses"].as_array().expect("accesses");
    accesses.iter().find(|access| access["name"] == name).unwrap_or_else(|| panic!("{name}: {review:#}"))
}

/// When a right was used last.
fn last_used<'a>(access: &'a Value, right: &str) -> &'a Value {
    let rights = access["rights"].as_array().expect("rights");
    &rights.iter().find(|known| known["name"] == right).unwrap_or_else(|| panic!("{right}: {access:#}"))["lastUsedOn"]
}

#[tokio::test]
async fn what_was_used_is_on_record_when_the_server_has_ended_and_a_review_is_completed_with_its_counts() {
    let mut server = Server::start_with(&UNLIMITED).await;
    let owner = server.found("A", "ada@example.com").await;
    let create = "mutation($input: CreateApiKeyInput!) { createApiKey(input: $input) { secret userErrors { message } } }";
    let input = json!({"name": "=cmd|' /C calc'!A0", "permissions": ["kpi.read", "ledger.read"]});
    let made = server.ask(&owner, create, json!({"input": input})).await;
    let key = made["createApiKey"]["secret"].as_str().unwrap_or_else(|| panic!("{made:#}")).to_owned();
    server.ask(&key, "{ kpis { revision } }", json!({})).await;
    let review = server.ask(&owner, REVIEW, json!({})).await;
    assert_eq!(
        last_used(access(&review, "=cmd|' /C calc'!A0"), "kpi.read"),
        &json!(null),
        "not written down yet"
    );
    // What the last minute used is written down when the server ends in peace.
    server.end();
    server.restart(&UNLIMITED);
    let review = server.ask(&owner, REVIEW, json!({})).await;
    let of_key = access(&review, "=cmd|' /C calc'!A0");
    assert!(last_used(of_key, "kpi.read").is_string(), "{of_key:#}");
    assert_eq!(last_used(of_key, "ledger.read"), &json!(null));
    assert_eq!((&of_key["kind"], &of_key["grantedBy"]["name"]), (&json!("API_KEY"), &json!("Ada")));
    let of_owner = access(&review, "Ada");
    assert!(last_used(of_owner, "api_keys.manage").is_string(), "{of_owner:#}");
    assert_eq!((&of_owner["role"], &of_owner["secondFactor"]), (&json!("owner"), &json!(false)));
    let table = review["accessReview"]["csv"].as_str().expect("a table");
    assert!(table.contains("\"'=cmd|' /C calc'!A0\""), "{table}");
    let complete = "mutation { completeAccessReview(input: {note: \"All is well\"}) { review { note members apiKeys } userErrors { code } } }";
    let done = server.ask(&owner, complete, json!({})).await;
    let review = json!({"note": "All is well", "members": 1, "apiKeys": 1});
    assert_eq!(done["completeAccessReview"], json!({"review": review, "userErrors": []}));
    let last = server.ask(&owner, "{ lastAccessReview { note by { name } } }", json!({})).await;
    assert_eq!(last["lastAccessReview"], json!({"note": "All is well", "by": {"name": "Ada"}}));
}

#[tokio::test]
async fn sessions_tell_device_and_place_by_the_database_that_the_operator_names() {
    let places = Path::new(env!("CARGO_MANIFEST_DIR")).join("../domains/identity/tests/data/nested.mmdb");
    let places = places.to_str().expect("a path");
    let server =
        Server::start_with(&[&UNLIMITED[..], &["--geo-database", places, "--behind-proxy", "true"]].concat())
            .await;
    let first = server.found("A", "ada@example.com").await;
    prove(&server).await;
    let sign_in = "mutation($input: SignInInput!) { signIn(input: $input) { session { token } } }";
    let input = json!({"email": "ada@example.com", "password": PASSWORD});
    let request =
        server.http.post(format!("{}/graphql", server.url)).header("X-Forwarded-For", "203.0.113.7");
    let request = request
        .header("User-Agent", "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0");
    let answer = request.json(&json!({"query": sign_in, "variables": {"input": input}})).send().await;
    let answer: Value = answer.expect("an answer").json().await.expect("JSON");
    let token = answer["data"]["signIn"]["session"]["token"].as_str().unwrap_or_else(|| panic!("{answer:#}"));
    let asked = "{ viewer { sessions { device address place current companyName assurance } } }";
    let sessions = server.ask(token, asked, json!({})).await["viewer"]["sessions"].clone();
    let newest = json!({"device": "Firefox sur Linux", "address": "203.0.113.7", "place": "Londres, Royaume-Uni",
        "current": true, "companyName": "A", "assurance": "PASSWORD"});
    assert_eq!(sessions[0], newest, "{sessions:#}");
    assert_eq!(
        (&sessions[1]["current"], &sessions[1]["place"]),
        (&json!(false), &json!(null)),
        "{sessions:#}"
    );
    // And all others end at once.
    let ended =
        server.ask(token, "mutation { endOtherSessions { ended userErrors { code } } }", json!({})).await;
    assert_eq!(ended["endOtherSessions"]["ended"], 1, "{ended:#}");
    let (_, answer) = server.send(Some(&first), None, asked, json!({})).await;
    assert_eq!(answer["errors"][0]["extensions"]["code"], "UNAUTHENTICATED", "{answer:#}");
}

#[test]
fn a_server_that_cannot_read_its_database_of_places_says_so_and_does_not_start() {
    let refused = Server::refusal(&["--geo-database", "/nowhere.mmdb"]);
    assert!(refused.contains("/nowhere.mmdb"), "{refused}");
}
