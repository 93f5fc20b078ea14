//! What a company registers, as its owner and its other members meet it.

use serde_json::{Value, json};

use crate::server::Server;

const REGISTER: &str =
    "mutation($documents: [NewTrustedDocumentInput!]!) { registerDocuments(input: {documents: $documents}) {
    trustedDocuments { id name sha256 text archivedAt } userErrors { code field } replayed } }";
const TEXT: &str = "query Role { viewer { role } }";
/// `printf 'query Role { viewer { role } }' | sha256sum`
const HASH: &str = "54441517f1190d23371f841f02ae0bebc8d9eba9252f8b86cf318e041aa0b849";

fn two() -> Value {
    json!({"documents": [{"name": "Role", "text": TEXT}, {"name": "Name", "text": "{ company { name } }"}]})
}

#[tokio::test]
async fn an_owner_registers_documents_finds_them_by_their_hash_and_archives_them() {
    let server = Server::start().await;
    let token = server.found("A", "ada@example.com").await;
    let (_, first) = server.send(Some(&token), Some("deploy-1"), REGISTER, two()).await;
    let first = &first["data"]["registerDocuments"];
    let documents = &first["trustedDocuments"];
    assert_eq!(first["userErrors"], json!([]));
    let told =
        json!({"id": documents[0]["id"], "name": "Role", "sha256": HASH, "text": TEXT, "archivedAt": null});
    assert_eq!(documents[0], told);
    assert_eq!(documents[1]["name"], "Name", "in the order of the input");

    let (_, again) = server.send(Some(&token), Some("deploy-1"), REGISTER, two()).await;
    let again = &again["data"]["registerDocuments"];
    assert_eq!((&again["trustedDocuments"], &again["replayed"]), (documents, &json!(true)));
    let unkeyed = server.ask(&token, REGISTER, two()).await;
    assert_eq!(unkeyed["registerDocuments"]["trustedDocuments"], *documents);

    let list = "query($filter: TrustedDocumentFilterInput) {
        trustedDocuments(first: 10, filter: $filter) { totalCount edges { node { name text } } } }";
    let all = server.ask(&token, list, json!({})).await;
    assert_eq!(all["trustedDocuments"]["totalCount"], 2);
    let by_hash = server.ask(&token, list, json!({"filter": {"sha256": HASH.to_uppercase()}})).await;
    assert_eq!(by_hash["trustedDocuments"]["edges"], json!([{"node": {"name": "Role", "text": TEXT}}]));

    let archive = "mutation($id: ID!) { archiveDocument(input: {trustedDocumentId: $id}) {
        trustedDocument { archivedAt } userErrors { code } } }";
    let archived = server.ask(&token, archive, json!({"id": documents[0]["id"]})).await;
    assert!(archived["archiveDocument"]["trustedDocument"]["archivedAt"].is_string(), "{archived:#}");
    let in_use = server.ask(&token, list, json!({"filter": {"archived": false}})).await;
    assert_eq!(in_use["trustedDocuments"]["edges"][0]["node"]["name"], "Name");
    assert_eq!(in_use["trustedDocuments"]["totalCount"], 1);
}

#[tokio::test]
async fn a_text_that_cannot_be_registered_is_named_and_none_is() {
    let server = Server::start().await;
    let token = server.found("A", "ada@example.com").await;
    let mut documents = two();
    documents["documents"][1]["text"] = json!("");
    let refused = server.ask(&token, REGISTER, documents).await;
    let told = json!({"trustedDocuments": [], "replayed": false,
        "userErrors": [{"code": "INVALID", "field": "documents.1.text"}]});
    assert_eq!(refused["registerDocuments"], told);
    let wrong = "{ trustedDocuments(first: 1, filter: {sha256: \"abc\"}) { totalCount } }";
    let (_, answer) = server.send(Some(&token), None, wrong, json!({})).await;
    assert_eq!(answer["errors"][0]["extensions"]["field"], "filter.sha256");
    assert_eq!(
        server.ask(&token, "{ trustedDocuments(first: 1) { totalCount } }", json!({})).await["trustedDocuments"]
            ["totalCount"],
        0
    );
}

#[tokio::test]
async fn a_company_says_that_its_clients_send_documents_only_and_takes_it_back() {
    let server = Server::start().await;
    let token = server.found("A", "ada@example.com").await;
    let update = "mutation($version: Int!, $only: Boolean!) {
        updateCompany(input: {expectedVersion: $version, documentsOnly: $only}) {
            company { documentsOnly version fourEyes } userErrors { code } } }";
    for (version, only) in [(1, true), (2, false)] {
        let changed = server.ask(&token, update, json!({"version": version, "only": only})).await;
        let company = json!({"documentsOnly": only, "version": version + 1, "fourEyes": false});
        assert_eq!(changed["updateCompany"], json!({"company": company, "userErrors": []}));
    }
}
