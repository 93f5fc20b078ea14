//! An address that has an account: it is nobody's but who proves the account too.

use reqwest::StatusCode;
use serde_json::json;

use super::provider::Browser;
use super::stage::{Stage, code_of, page, proof};
use crate::server::PASSWORD;

#[tokio::test]
async fn an_account_is_not_given_away_by_its_address() {
    let stage = Stage::new("address").await;
    let accounts = json!({ "owner": { "email": "owner@a.example", "email_verified": true } });
    let a = stage.company("a.example", &accounts).await;
    let mut browser = Browser::new();
    let asked = stage.come(&mut browser, &a.path, "owner").await;
    let form = page(asked, StatusCode::OK).await;
    assert!(form.contains("owner@a.example") && form.contains("type=\"password\""), "{form}");
    let wrong = stage.confirm(&mut browser, &form, "another long sentence").await;
    let form = page(wrong, StatusCode::FORBIDDEN).await;
    let identities = "{ viewer { identities { identityId issuer } } }";
    let none = stage.server.ask(&a.token, identities, json!({})).await;
    assert_eq!(none["viewer"]["identities"], json!([]), "nothing was linked");

    let right = stage.confirm(&mut browser, &form, PASSWORD).await;
    let token = stage.session(&right).await;
    let role = stage.server.ask(&token, "{ viewer { role { key } } }", json!({})).await;
    assert_eq!(role["viewer"]["role"]["key"], "owner");
    let spent = stage.confirm(&mut browser, &form, PASSWORD).await;
    page(spent, StatusCode::BAD_REQUEST).await;
    // From now on without a question.
    let came = stage.come(&mut Browser::new(), &a.path, "owner").await;
    stage.session(&came).await;
    let one = stage.server.ask(&a.token, identities, json!({})).await;
    assert_eq!(one["viewer"]["identities"][0]["issuer"], json!(a.provider.issuer));
}

#[tokio::test]
async fn who_is_signed_in_links_a_provider_with_a_fresh_proof_and_a_confirmation() {
    let stage = Stage::new("link").await;
    // Another address than the account's: it does not matter.
    let accounts = json!({ "me": { "email": "me@elsewhere.example" }, "other": {} });
    let a = stage.company("a.example", &accounts).await;
    let link = async |proof| {
        let input = json!({"provider": a.id, "proof": proof});
        stage.call(Some(&a.token), "linkIdentity", input, "path").await
    };
    assert_eq!(code_of(&link(json!({})).await), "PROOF_NEEDED");
    assert_eq!(code_of(&link(json!({"currentPassword": "another long sentence"})).await), "WRONG_PASSWORD");
    let path = link(proof()).await["path"].as_str().expect("a path").to_owned();
    let mut browser = Browser::new();
    let asked = stage.come(&mut browser, &path, "me").await;
    let form = page(asked, StatusCode::OK).await;
    // Whoever opened the link sees whose account it is, before anything is changed.
    assert!(form.contains("owner@a.example") && !form.contains("type=\"password\""), "{form}");
    let identities = "{ viewer { identities { identityId } } }";
    let none = stage.server.ask(&a.token, identities, json!({})).await;
    assert_eq!(none["viewer"]["identities"], json!([]));
    let linked = stage.confirm(&mut browser, &form, "").await;
    stage.session(&linked).await;
    // The link is good once.
    let again = stage.come(&mut Browser::new(), &path, "other").await;
    page(again, StatusCode::BAD_REQUEST).await;

    let id = stage.server.ask(&a.token, identities, json!({})).await["viewer"]["identities"][0]["identityId"]
        .clone();
    let unlink = async |proof| {
        let input = json!({"identityId": id, "proof": proof});
        stage.call(Some(&a.token), "unlinkIdentity", input, "identities { issuer }").await
    };
    assert_eq!(code_of(&unlink(json!({})).await), "PROOF_NEEDED");
    // Without a password nothing else would be left.
    let mut all = stage.server.db.superuser().await;
    sqlx::query("CREATE TABLE put_aside AS SELECT * FROM credential").execute(&mut all).await.expect("kept");
    sqlx::query("DELETE FROM credential").execute(&mut all).await.expect("deleted");
    assert_eq!(code_of(&unlink(json!({})).await), "LAST_WAY_IN");
    sqlx::query("INSERT INTO credential SELECT * FROM put_aside").execute(&mut all).await.expect("back");
    let gone = unlink(proof()).await;
    assert_eq!(gone["identities"], json!([]), "{gone:#}");
    let answer = stage.come(&mut Browser::new(), &a.path, "me").await;
    page(answer, StatusCode::FORBIDDEN).await;
}
