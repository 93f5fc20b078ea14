//! API keys, as a partner's program and who scans for leaks meet them.

use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::server::Server;

const READ: &str = "{ company { id } }";

async fn act(server: &Server, token: &str, mutation: &str, input: Value) -> Value {
    let input_type = format!("{}{}Input", mutation[..1].to_uppercase(), &mutation[1..]);
    let secret = if ["createApiKey", "rotateApiKey"].contains(&mutation) { "secret" } else { "" };
    let query = format!(
        "mutation($input: {input_type}!) {{ {mutation}(input: $input) {{
            apiKey {{ id name hint version networks rotatedAt oldSecretGoodUntil responsible {{ id }} }}
            {secret} userErrors {{ code field }} }} }}"
    );
    server.ask(token, &query, json!({"input": input})).await[mutation].clone()
}

async fn status(server: &Server, secret: &str) -> StatusCode {
    server.send(Some(secret), None, READ, json!({})).await.0
}

#[tokio::test]
async fn a_program_changes_over_to_a_new_secret_without_a_pause() {
    let server = Server::start().await;
    let owner = server.found("A", "ada@example.com").await;
    let made =
        act(&server, &owner, "createApiKey", json!({"name": "P", "permissions": ["company.read"]})).await;
    let (id, first) = (made["apiKey"]["id"].clone(), made["secret"].as_str().expect("a secret").to_owned());
    assert_eq!(status(&server, &first).await, StatusCode::OK);

    let rotated = act(&server, &owner, "rotateApiKey", json!({"apiKeyId": id, "overlapHours": 1})).await;
    let second = rotated["secret"].as_str().expect("a secret").to_owned();
    assert!(
        rotated["apiKey"]["oldSecretGoodUntil"].is_string() && rotated["apiKey"]["rotatedAt"].is_string()
    );
    assert!(second.ends_with(rotated["apiKey"]["hint"].as_str().expect("a hint")));
    assert_eq!(
        (status(&server, &first).await, status(&server, &second).await),
        (StatusCode::OK, StatusCode::OK)
    );

    // After a leak there is no overlap.
    let rotated = act(&server, &owner, "rotateApiKey", json!({"apiKeyId": id, "overlapHours": 0})).await;
    let third = rotated["secret"].as_str().expect("a secret").to_owned();
    for (secret, wanted) in
        [(&first, StatusCode::UNAUTHORIZED), (&second, StatusCode::UNAUTHORIZED), (&third, StatusCode::OK)]
    {
        assert_eq!(status(&server, secret).await, wanted);
    }
    let refused = act(&server, &owner, "rotateApiKey", json!({"apiKeyId": id, "overlapHours": 721})).await;
    assert_eq!(refused["userErrors"], json!([{"code": "INVALID", "field": "overlapHours"}]));
    assert_eq!(refused["secret"], Value::Null);
}

#[tokio::test]
async fn a_key_held_to_networks_is_unknown_elsewhere() {
    let server = Server::start().await;
    let owner = server.found("A", "ada@example.com").await;
    let input = json!({"name": "P", "permissions": ["company.read"], "networks": ["203.0.113.0/24"]});
    let made = act(&server, &owner, "createApiKey", input).await;
    let secret = made["secret"].as_str().expect("a secret").to_owned();
    // This test comes from 127.0.0.1.
    let letter = async |token: &str| {
        let (status, mut answer) = server.send(Some(token), None, READ, json!({})).await;
        if let Some(Value::Object(extensions)) = answer.pointer_mut("/errors/0/extensions") {
            extensions.remove("requestId");
        }
        (status, answer)
    };
    let unknown = identity::api_key::service::generate_secret(kernel::Mode::Live);
    assert_eq!(letter(&secret).await.0, StatusCode::UNAUTHORIZED);
    assert_eq!(letter(&secret).await, letter(&unknown).await, "to the letter");

    let input =
        json!({"apiKeyId": made["apiKey"]["id"], "expectedVersion": 1, "networks": ["127.0.0.0/8", "::1"]});
    let updated = act(&server, &owner, "updateApiKey", input.clone()).await;
    assert_eq!(updated["apiKey"]["networks"], json!(["127.0.0.0/8", "::1/128"]));
    assert_eq!(letter(&secret).await.0, StatusCode::OK);
    let conflict = act(&server, &owner, "updateApiKey", input).await;
    assert_eq!(
        (&conflict["userErrors"][0]["code"], &conflict["apiKey"]["version"]),
        (&json!("CONFLICT"), &json!(2))
    );
}

#[tokio::test]
async fn the_page_about_keys_tells_the_format_that_is_used() {
    let page = include_str!("../../../docs/api-keys.md");
    assert!(page.contains(credentials::secret::PATTERN), "the pattern for scanners");
    let example = page.lines().find(|line| line.starts_with("ck_test_")).expect("an example");
    assert!(credentials::secret::is_well_formed(example), "{example}");
}
