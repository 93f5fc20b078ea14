//! OWASP, Multi-Tenant Application Security Cheat Sheet. What no answer shows or tells of another company is proved by the
//! walk of the whole schema in `fuzz.rs`; here stands what is not a field of the schema.

use serde_json::{Value, json};

use super::v10_oauth::{Browser, application, request};
use super::{found, is_good, sign_in, token_of};
use crate::server::{PASSWORD, Server, UNLIMITED};

#[tokio::test]
async fn mt_1_no_header_cookie_or_parameter_names_the_company() {
    let server = Server::start().await;
    let a = found(&server, "A", "ada@example.com").await;
    let b = found(&server, "B", "bob@example.com").await;
    let id = |data: Value| data["company"]["id"].as_str().expect("an id").to_owned();
    let ask = "{ company { id } }";
    let (a_id, b_id) = (id(server.ask(&a, ask, json!({})).await), id(server.ask(&b, ask, json!({})).await));
    for name in ["x-tenant-id", "x-company-id", "tenant", "x-tenant", "app.tenant_id", "cookie", "host"] {
        let value = match name {
            "cookie" => format!("tenant={b_id}; company={b_id}; tenant_id={b_id}"),
            "host" => format!("{}.localhost", b_id.replace('_', "-")),
            _ => b_id.clone(),
        };
        let url = format!("{}/graphql?companyId={b_id}&tenant_id={b_id}", server.url);
        let request = server.http.post(url).bearer_auth(&a).header(name, value);
        let body =
            json!({"query": ask, "companyId": b_id, "extensions": {"companyId": b_id}, "tenant_id": b_id});
        let answer: Value = request.json(&body).send().await.expect("an answer").json().await.expect("JSON");
        assert!(!answer.to_string().contains(&b_id), "{name}: {answer:#}");
        let own =
            answer["data"]["company"]["id"].is_null() || answer["data"]["company"]["id"] == a_id.as_str();
        assert!(own, "{name}: {answer:#}");
    }
}

#[tokio::test]
async fn mt_1_the_company_named_at_sign_in_is_one_of_the_persons_own() {
    let server = Server::start().await;
    found(&server, "A", "ada@example.com").await;
    let b = found(&server, "B", "bob@example.com").await;
    let b_id = server.ask(&b, "{ company { id } }", json!({})).await["company"]["id"].clone();
    let token = token_of(&server, "ada@example.com").await;
    let enter = |company: Value| json!({"input": {"email": "ada@example.com", "password": PASSWORD, "companyId": company}});
    let unknown = kernel::id::encode(kernel::Kind::Company, kernel::id::new());
    let mut answers = Vec::new();
    for company in [b_id.clone(), json!(unknown)] {
        let (_, answer) = server.send(None, None, super::SIGN_IN, enter(company)).await;
        answers.push(answer["data"]["signIn"].clone());
    }
    assert_eq!(answers[0], answers[1], "another company and none are told alike");
    assert!(answers[0]["session"].is_null(), "{:#}", answers[0]);
    // Right credentials with a wrong company are told as wrong ones.
    let wrong = sign_in(&server, "ada@example.com", "a wrong sentence").await;
    assert_eq!(answers[0]["userErrors"], wrong["userErrors"]);
    let own = server.ask(&token, "{ viewer { companies { name } } }", json!({})).await;
    assert_eq!(own["viewer"]["companies"], json!([{"name": "A"}]));
}

/// Whoever runs a company's own provider can come as any of its people. So such a session is good in that company alone.
#[tokio::test]
async fn mt_1_a_session_by_a_companys_own_provider_reaches_no_other_company() {
    let server = Server::start_with(&UNLIMITED).await;
    let a = found(&server, "Company A", "ada@example.com").await;
    let founding = "mutation($input: CreateCompanyInput!) { createCompany(input: $input) { session { token companyId } userErrors { code } } }";
    let company = json!({"name": "Company B", "legalForm": "SAS", "country": "FR", "currency": "EUR",
        "timeZone": "Europe/Paris", "locale": "fr", "chart": "FR_PCG"});
    let input = json!({"input": {"company": company}});
    let made = server.ask(&a, founding, input.clone()).await["createCompany"]["session"].clone();
    let (b, b_id) = (made["token"].as_str().expect("a token").to_owned(), made["companyId"].clone());
    let client = application(&server, &b, &["kpi.read"]).await;
    let sessions = "{ viewer { sessions { sessionId companyId companyName } companies { name } } }";
    let in_b = server.ask(&b, sessions, json!({})).await["viewer"]["sessions"].clone();
    let in_b =
        in_b.as_array().expect("sessions").iter().find(|one| one["companyId"] == b_id).expect("one").clone();
    let confine = "UPDATE session SET confined = true WHERE tenant_id = (SELECT tenant_id FROM company WHERE name = 'Company A')";
    sqlx::query(confine).execute(&mut server.db.superuser().await).await.expect("confined");
    // A further replica has not known the session before.
    let other = server.replica(&UNLIMITED);
    let ask = async |document: &str, variables: Value| -> Value {
        let post = server.http.post(format!("{}/graphql", other.url)).bearer_auth(&a);
        let answer =
            post.json(&json!({"query": document, "variables": variables})).send().await.expect("an answer");
        answer.json().await.expect("JSON")
    };

    let told = ask(sessions, json!({})).await;
    assert!(told["data"]["viewer"].is_object() && !told.to_string().contains("Company B"), "{told:#}");
    let switch = "mutation($id: ID!) { switchCompany(input: {companyId: $id}) { session { token } userErrors { code } } }";
    for (document, variables) in [(switch, json!({"id": b_id})), (founding, input)] {
        let told = ask(document, variables).await;
        assert!(!told.to_string().contains("cs_") && told.to_string().contains("CONFINED"), "{told:#}");
    }

    // Nor by an application that the person would let act there.
    let browser = Browser::with(&other.url, &format!("coulisse={a}"));
    let asked = request(&client, "kpi.read");
    let page = browser.open(&asked).await;
    assert!(!page.contains(b_id.as_str().expect("an id")), "{page}");
    if let Some((_, form)) = page.split_once("name=\"form\" value=\"") {
        let form = form.split('"').next().expect("a value");
        let company = b_id.as_str().expect("an id");
        let fields =
            [("action", "approve"), ("request", asked.as_str()), ("form", form), ("company", company)];
        let (_, headers) = browser.submit(&fields).await;
        let led = headers.get("location").map(|to| to.to_str().expect("text").to_owned()).unwrap_or_default();
        assert!(!led.contains("code="), "{led}");
    }

    ask(
        "mutation($id: ID!) { endSession(input: {sessionId: $id}) { ended userErrors { code } } }",
        json!({"id": in_b["sessionId"]}),
    )
    .await;
    ask("mutation { endOtherSessions { ended userErrors { code } } }", json!({})).await;
    assert!(is_good(&server, &other.url, &b).await, "what is open in another company stays open");
}

#[tokio::test]
async fn mt_3_ids_are_not_counted() {
    let server = Server::start().await;
    let a = found(&server, "A", "ada@example.com").await;
    let create =
        "mutation { createParty(input: {name: \"P\", country: \"FR\", isCustomer: true}) { party { id } } }";
    let mut tails = Vec::new();
    for _ in 0..12 {
        let id = server.ask(&a, create, json!({})).await["createParty"]["party"]["id"].clone();
        let id = kernel::id::decode(kernel::Kind::Party, id.as_str().expect("an id")).expect("an id");
        tails.push(id.as_u128() & ((1 << 62) - 1));
    }
    // A UUIDv7 tells when it was made; 62 of its other bits are random.
    let rising = tails.windows(2).filter(|pair| pair[0] < pair[1]).count();
    assert!((1..=10).contains(&rising), "{rising} of 11 rise");
    let near = tails.windows(2).filter(|pair| pair[0].abs_diff(pair[1]) < 1 << 40).count();
    assert_eq!(near, 0, "neighbours are not guessed");
}
