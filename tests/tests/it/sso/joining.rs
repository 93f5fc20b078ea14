//! Who comes in by a provider, and where to.

use reqwest::StatusCode;
use serde_json::json;

use super::provider::Browser;
use super::stage::{Stage, VERIFIER, code_of, handoff, page};

#[tokio::test]
async fn who_comes_with_an_address_of_a_proved_domain_joins() {
    let stage = Stage::new("joins").await;
    let accounts = json!({
        "nel": { "email": "Nel@a.example", "email_verified": true, "name": "Nel", "login": { "amr": ["pwd", "mfa"] } },
        "una": { "email": "una@a.example", "email_verified": false },
        "far": { "email": "far@b.example", "email_verified": true },
        "bare": {},
    });
    let a = stage.company("a.example", &accounts).await;
    let mut browser = Browser::new();
    let path = format!("{}?return_to=/invoices%3Fstatus=open", a.path);
    let came = stage.come(&mut browser, &path, "nel").await;
    assert!(Browser::location(&came).contains("/invoices?status=open#handoff="), "{came:?}");
    let code = handoff(&came);
    let token = stage.session(&came).await;
    let viewer = "{ viewer { actor { name } role { key } companies { name } identities { issuer } \
        sessions { current assurance } } }";
    let nel = stage.server.ask(&token, viewer, json!({})).await["viewer"].clone();
    assert_eq!(nel["companies"], json!([{ "name": "a.example" }]), "{nel:#}");
    assert_eq!(nel["identities"], json!([{ "issuer": a.provider.issuer }]));
    assert_eq!(nel["role"]["key"], "sales");
    // The company believes its provider about factors.
    assert_eq!(nel["sessions"], json!([{ "current": true, "assurance": "SECOND_FACTOR" }]));
    let again = stage
        .call(None, "redeemHandoff", json!({"code": code, "verifier": VERIFIER}), "session { token }")
        .await;
    assert_eq!(code_of(&again), "PROOF_SPENT", "a handoff is good once");

    let second = stage.come(&mut Browser::new(), &a.path, "nel").await;
    let second = stage.session(&second).await;
    let who = "{ viewer { actor { id } } }";
    let (first, second) =
        (stage.server.ask(&token, who, json!({})).await, stage.server.ask(&second, who, json!({})).await);
    assert_eq!(first, second, "one person, however often");

    // No proved address, no account; and all of them are told alike.
    let mut told = Vec::new();
    for account in ["una", "far", "bare"] {
        let answer = stage.come(&mut Browser::new(), &a.path, account).await;
        told.push(page(answer, StatusCode::FORBIDDEN).await);
    }
    assert!(told.iter().all(|one| *one == told[0]), "{told:#?}");
    let mut all = stage.server.db.superuser().await;
    let people: i64 =
        sqlx::query_scalar("SELECT count(*) FROM person").fetch_one(&mut all).await.expect("a count");
    assert_eq!(people, 2, "the owner and Nel");
}

#[tokio::test]
async fn the_issuer_of_one_company_lets_nobody_into_another() {
    let stage = Stage::new("reach").await;
    // Whoever runs A's provider writes what they like into it.
    let accounts = json!({
        "bob": { "email": "bob@b.example", "email_verified": true, "hd": "b.example" },
        "boss": { "email": "owner@b.example", "email_verified": true, "hd": "b.example" },
        "nobody": { "email": "nobody@c.example", "email_verified": true },
        "both": { "email": "both@a.example", "email_verified": true },
    });
    let a = stage.company("a.example", &accounts).await;
    let b = stage.company("b.example", &json!({})).await;

    // Neither a new member of B, nor its owner; and nothing tells which of them has an account.
    let mut told = Vec::new();
    for account in ["bob", "boss", "nobody"] {
        let answer = stage.come(&mut Browser::new(), &a.path, account).await;
        told.push(page(answer, StatusCode::FORBIDDEN).await);
    }
    assert!(told.iter().all(|one| *one == told[0]), "{told:#?}");

    // A member of both comes into A by A's provider, and no further.
    let came = stage.come(&mut Browser::new(), &a.path, "both").await;
    let both = stage.session(&came).await;
    let member = "INSERT INTO membership (tenant_id, id, person_id, role, created_at, created_by, updated_at, updated_by)
         SELECT c.tenant_id, gen_random_uuid(), p.id, 'accountant', now(), 'system', now(), 'system'
         FROM company c, person p WHERE c.name = 'b.example' AND p.email = 'both@a.example'";
    let mut all = stage.server.db.superuser().await;
    let added = sqlx::query(member).execute(&mut all).await.expect("a member of B");
    assert_eq!(added.rows_affected(), 1);
    let came = stage.come(&mut Browser::new(), &a.path, "both").await;
    let both_again = stage.session(&came).await;
    let company = stage.server.ask(&b.token, "{ company { id } }", json!({})).await["company"]["id"].clone();
    for token in [&both, &both_again] {
        let seen =
            stage.server.ask(token, "{ viewer { companies { name } } company { name } }", json!({})).await;
        assert_eq!(seen["viewer"]["companies"], json!([{ "name": "a.example" }]));
        assert_eq!(seen["company"]["name"], "a.example");
        let input = json!({"companyId": company});
        let switched = stage.call(Some(token), "switchCompany", input, "session { token }").await;
        assert_eq!(code_of(&switched), "CONFINED", "{switched:#}");
        // Nor can it make itself another way in.
        let begun = stage.call(Some(token), "beginTotp", json!({"proof": {}}), "secret").await;
        assert_eq!(code_of(&begun), "PROOF_NEEDED", "{begun:#}");
    }

    // Nor does A get B's domain, even with a record there.
    let claim = stage.claimed(&a.token, "b.example").await;
    let taken = stage.call(
        Some(&a.token),
        "verifyDomain",
        json!({"companyDomainId": claim["id"]}),
        "companyDomain { id }",
    );
    assert_eq!(code_of(&taken.await), "DOMAIN_TAKEN");
    // And B cannot be made to use A's provider.
    let input = json!({"ssoProviderId": a.id, "expectedVersion": 1, "enabled": false});
    let foreign = stage.call(Some(&b.token), "updateSsoProvider", input, "ssoProvider { id }").await;
    assert_eq!(code_of(&foreign), "NOT_FOUND");
}

#[tokio::test]
async fn who_was_removed_does_not_come_back_by_an_address() {
    let stage = Stage::new("removed").await;
    let accounts = json!({ "nel": { "email": "nel@a.example", "email_verified": true } });
    let a = stage.company("a.example", &accounts).await;
    let came = stage.come(&mut Browser::new(), &a.path, "nel").await;
    let token = stage.session(&came).await;
    let members = stage.server.ask(&a.token, "{ members { id version email } }", json!({})).await;
    let nel = members["members"].as_array().expect("members").iter().find(|m| m["email"] == "nel@a.example");
    let nel = nel.expect("Nel");
    let input = json!({"memberId": nel["id"], "expectedVersion": nel["version"]});
    let removed = stage.call(Some(&a.token), "removeMember", input, "member { id }").await;
    assert_eq!(code_of(&removed), "done", "{removed:#}");
    let (status, _) = stage.server.send(Some(&token), None, "{ viewer { role { key } } }", json!({})).await;
    assert_ne!(status, StatusCode::OK, "the session has ended");
    let answer = stage.come(&mut Browser::new(), &a.path, "nel").await;
    page(answer, StatusCode::FORBIDDEN).await;
}

#[tokio::test]
async fn providers_are_offered_by_the_domain_of_an_address_alone() {
    let stage = Stage::new("offered").await;
    let a = stage.company("a.example", &json!({})).await;
    let ask = async |email: &str| {
        let query = "query($email: String) { signInProviders(email: $email) { provider path } }";
        let (_, answer) = stage.server.send(None, None, query, json!({"email": email})).await;
        answer["data"]["signInProviders"].clone()
    };
    let own = json!([{ "provider": a.id, "path": a.path }]);
    assert_eq!(ask("owner@a.example").await, own, "who has an account");
    assert_eq!(ask("nobody@A.example").await, own, "who has none");
    assert_eq!(ask("owner@b.example").await, json!([]));
    assert_eq!(ask("not an address").await, json!([]));
    let input = json!({"companyDomainId": a.domain["id"], "expectedVersion": a.domain["version"]});
    let released = stage.call(Some(&a.token), "releaseDomain", input, "companyDomain { archivedAt }").await;
    assert!(released["companyDomain"]["archivedAt"].is_string(), "{released:#}");
    assert_eq!(ask("owner@a.example").await, json!([]), "the domain is given up");
}

#[tokio::test]
async fn a_provider_is_found_before_it_is_registered() {
    let stage = Stage::new("found").await;
    let token = stage.found("A", "owner@a.example").await;
    for (issuer, code) in [
        ("http://127.0.0.1:1", "PROVIDER_UNUSABLE"),
        ("https://169.254.169.254", "PROVIDER_UNUSABLE"),
        ("http://a.example", "INVALID"),
        ("not a URL", "INVALID"),
    ] {
        let input = json!({"name": "N", "issuer": issuer, "clientId": "c", "clientSecret": "s"});
        let refused = stage.call(Some(&token), "createSsoProvider", input, "ssoProvider { id }").await;
        assert_eq!(code_of(&refused), code, "{issuer}: {refused:#}");
        assert_eq!(refused["userErrors"][0]["field"], "issuer");
    }
}
