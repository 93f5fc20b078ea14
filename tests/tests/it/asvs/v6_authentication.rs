//! OWASP ASVS 5.0.0, chapter V6: authentication.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::{SIGN_IN, found, prove, refusal, sign_in, with_totp};
use crate::mailbox;
use crate::server::{PASSWORD, Server, UNLIMITED};

const SIGN_UP: &str = "mutation($input: SignUpInput!) { signUp(input: $input) {
    session { token expiresAt companyId personId } userErrors { code field message } } }";

fn newcomer(email: &str, password: &str) -> Value {
    json!({"input": {"email": email, "name": "Ada Lovelace", "password": password, "company": {
        "name": "Analytical Engines", "legalForm": "SAS", "country": "FR", "currency": "EUR",
        "timeZone": "Europe/Paris", "locale": "fr", "chart": "FR_PCG"}}})
}

async fn sign_up(server: &Server, email: &str, password: &str) -> Value {
    let (_, answer) = server.send(None, None, SIGN_UP, newcomer(email, password)).await;
    answer["data"]["signUp"].clone()
}

#[tokio::test]
async fn v6_2_4_what_is_short_leaked_or_known_of_the_person_is_refused() {
    let server = Server::start().await;
    for (password, why) in [
        ("Tr0ub4dor&3", "alone, at least 15 characters"),
        ("123456789012345678", "leaked"),
        ("qwertyuiopasdfghjkl", "leaked or guessed"),
        ("aaaaaaaaaaaaaaaaaaaa", "guessed"),
        ("ada.lovelace@example.com", "the address"),
        ("Analytical-Engines", "the company"),
        ("adalovelacecoulisse", "the name, and the product's"),
    ] {
        let answer = sign_up(&server, "ada.lovelace@example.com", password).await;
        assert!(answer["session"].is_null(), "{password} ({why}): {answer:#}");
        assert_eq!(answer["userErrors"][0]["field"], "password", "{password} ({why}): {answer:#}");
        assert!(!answer.to_string().contains(password), "a refused password is not repeated");
    }
    let server = Server::start().await;
    let answer = sign_up(&server, "ada.lovelace@example.com", "onlylowercaseletters in a row").await;
    assert!(answer["session"].is_object(), "no rule asks for digits or signs: {answer:#}");
}

#[tokio::test]
async fn v6_2_8_a_password_of_256_characters_counts_to_its_last_and_in_its_case() {
    let server = Server::start().await;
    let long: String = "Une phrase, deux phrases; 日本語 et ünïcode. ".chars().cycle().take(256).collect();
    let answer = sign_up(&server, "ada@example.com", &long).await;
    assert!(answer["session"].is_object(), "{answer:#}");
    prove(&server, "ada@example.com").await;
    let cut: String = long.chars().take(255).collect();
    for wrong in [cut.clone(), format!("{cut}§"), long.to_lowercase(), format!(" {long}"), format!("{long} ")]
    {
        let answer = sign_in(&server, "ada@example.com", &wrong).await;
        assert_eq!(refusal(&answer), "WRONG_CREDENTIALS", "{answer:#}");
    }
    let answer = sign_in(&server, "ada@example.com", &long).await;
    assert!(answer["session"].is_object(), "{answer:#}");
}

#[tokio::test]
async fn v6_3_1_guesses_are_counted_over_all_replicas_and_crashes() {
    let mut server = Server::start().await;
    found(&server, "A", "ada@example.com").await;
    let known = sign_in(&server, "ada@example.com", PASSWORD).await["deviceToken"].clone();
    assert!(known.is_string(), "the owner's device is known from now on");
    let other = server.replica(&[]);
    let urls = [server.url.clone(), other.url.clone()];
    let mut let_through = 0;
    for guess in 0..30 {
        let input =
            json!({"input": {"email": "ada@example.com", "password": format!("a wrong sentence {guess}")}});
        let request = server.http.post(format!("{}/graphql", urls[guess % 2]));
        let request = request.json(&json!({"query": SIGN_IN, "variables": input}));
        let answer: Value = request.send().await.expect("an answer").json().await.expect("JSON");
        match refusal(&answer["data"]["signIn"]) {
            "WRONG_CREDENTIALS" => let_through += 1,
            "TOO_MANY_ATTEMPTS" => {}
            _ => panic!("{answer:#}"),
        }
    }
    assert!((5..=12).contains(&let_through), "{let_through} of 30 guesses were heard");
    server.crash_and_restart();
    let stranger = sign_in(&server, "ada@example.com", PASSWORD).await;
    assert_eq!(refusal(&stranger), "TOO_MANY_ATTEMPTS", "not forgotten: {stranger:#}");
    let input = json!({"email": "ada@example.com", "password": PASSWORD, "deviceToken": known});
    let (_, owner) = server.send(None, None, SIGN_IN, json!({"input": input})).await;
    assert!(owner["data"]["signIn"]["session"].is_object(), "the owner is not locked out: {owner:#}");
}

/// The middle of some times.
fn median(mut times: Vec<Duration>) -> f64 {
    times.sort();
    times[times.len() / 2].as_secs_f64()
}

/// How much longer one kind of request takes than another, asked in turn: the ratio of the middles. Whoever counts on a
/// difference needs one that stands out from the noise; a look-up more or less does not, a hash more or less does.
async fn ratio(server: &Server, token: Option<&str>, document: &str, one: &[Value], other: &[Value]) -> f64 {
    let mut times = [Vec::new(), Vec::new()];
    for (round, (one, other)) in one.iter().zip(other).enumerate() {
        for (which, variables) in [one, other].into_iter().enumerate() {
            let began = Instant::now();
            let (_, answer) = server.send(token, None, document, variables.clone()).await;
            assert!(answer["errors"].is_null(), "{answer:#}");
            // The first ones warm things up.
            if round > 0 {
                times[which].push(began.elapsed());
            }
        }
    }
    let [one, other] = times;
    median(one) / median(other)
}

#[tokio::test]
async fn v6_3_8_a_sign_in_does_not_tell_whether_an_address_has_an_account() {
    let server = Server::start_with(&UNLIMITED).await;
    for n in 0..3 {
        found(&server, "A", &format!("ada{n}@example.com")).await;
    }
    // Somebody who never proved the address counts as nobody.
    server.found("B", "bob@example.com").await;
    let mut answers = Vec::new();
    for (email, password) in [
        ("ada0@example.com", "a wrong sentence"),
        ("nobody@example.com", PASSWORD),
        ("bob@example.com", PASSWORD),
    ] {
        answers.push(sign_in(&server, email, password).await);
    }
    assert_eq!(refusal(&answers[0]), "WRONG_CREDENTIALS");
    assert_eq!((&answers[0], &answers[0]), (&answers[1], &answers[2]));

    let tries = |name: &str| -> Vec<Value> {
        let one = |n: usize| json!({"input": {"email": format!("{name}{}@example.com", n % 3), "password": format!("a wrong sentence {n}")}});
        (0..24).map(one).collect()
    };
    let ratio = ratio(&server, None, SIGN_IN, &tries("ada"), &tries("nobody")).await;
    assert!((0.7..1.4).contains(&ratio), "an address with an account takes {ratio} times as long");
    // That the measure sees a hash that is not computed: those are refused before, and not heard.
    let refused: Vec<Value> = (0..24).map(|_| tries("ada")[0].clone()).collect();
    let fresh: Vec<Value> = (0..24)
        .map(|n| json!({"input": {"email": format!("other{n}@example.com"), "password": "a wrong sentence"}}))
        .collect();
    let control = self::ratio(&server, None, SIGN_IN, &refused, &fresh).await;
    assert!(control < 0.6, "the measure is blind: {control}");
}

#[tokio::test]
async fn v6_3_8_a_sign_up_does_not_tell_whether_an_address_has_an_account() {
    let server = Server::start_with(&UNLIMITED).await;
    found(&server, "A", "ada@example.com").await;
    let shape = |answer: &Value| {
        let session = answer["session"].as_object().expect("a session");
        (session.keys().cloned().collect::<Vec<_>>(), answer["userErrors"].clone())
    };
    let (taken, free) = (
        sign_up(&server, "ada@example.com", PASSWORD).await,
        sign_up(&server, "nobody@example.com", PASSWORD).await,
    );
    assert_eq!(shape(&taken), shape(&free));
    let free: Vec<Value> = (0..17).map(|n| newcomer(&format!("new{n}@example.com"), PASSWORD)).collect();
    let taken: Vec<Value> = (0..17).map(|_| newcomer("ada@example.com", PASSWORD)).collect();
    let ratio = ratio(&server, None, SIGN_UP, &taken, &free).await;
    assert!((0.5..2.0).contains(&ratio), "an address with an account takes {ratio} times as long");
    // Who signed up with somebody's address has not become that somebody.
    let owner = sign_in(&server, "ada@example.com", PASSWORD).await;
    let companies: i64 = sqlx::query_scalar(
        "SELECT count(*) FROM membership m JOIN person p ON p.id = m.person_id WHERE p.email_verified_at IS NOT NULL",
    )
    .fetch_one(&mut server.db.superuser().await)
    .await
    .expect("a number");
    assert_eq!(companies, 1, "{owner:#}");
}

/// Many people who have an account, put there directly: what they are matters, not how they came.
async fn people(server: &Server, count: usize) {
    let sql = "INSERT INTO person (id, email, name, locale, created_at, email_verified_at)
         SELECT gen_random_uuid(), 'known' || n || '@example.com', 'Known', 'fr', now(), now() FROM generate_series(0, $1) AS n";
    let count = i32::try_from(count).expect("a few");
    sqlx::query(sql).bind(count).execute(&mut server.db.superuser().await).await.expect("people");
}

#[tokio::test]
async fn v6_3_8_a_reset_does_not_tell_whether_an_address_has_an_account() {
    let server = Server::start_with(&UNLIMITED).await;
    people(&server, 40).await;
    let ask = "mutation($input: RequestPasswordResetInput!) { requestPasswordReset(input: $input) { accepted userErrors { code } } }";
    let each = |name: &str| -> Vec<Value> {
        (0..40).map(|n| json!({"input": {"email": format!("{name}{n}@example.com")}})).collect()
    };
    let mut answers = Vec::new();
    for email in ["known40@example.com", "unknown40@example.com"] {
        answers
            .push(server.send(None, None, ask, json!({"input": {"email": email}})).await.1["data"].clone());
    }
    assert_eq!(answers[0], answers[1]);
    let ratio = ratio(&server, None, ask, &each("known"), &each("unknown")).await;
    assert!((0.5..2.0).contains(&ratio), "an address with an account takes {ratio} times as long");
}

#[tokio::test]
async fn v6_3_8_an_invitation_does_not_tell_whether_an_address_has_an_account() {
    let server = Server::start_with(&UNLIMITED).await;
    let owner = found(&server, "A", "ada@example.com").await;
    people(&server, 30).await;
    let ask = "mutation($input: InviteMemberInput!) { inviteMember(input: $input) { invitation { state role { key } } userErrors { code } } }";
    let each = |name: &str| -> Vec<Value> {
        let one = |n| json!({"input": {"email": format!("{name}{n}@example.com"), "role": "sales"}});
        (0..30).map(one).collect()
    };
    let mut answers = Vec::new();
    for email in ["known30@example.com", "unknown30@example.com"] {
        let input = json!({"input": {"email": email, "role": "sales"}});
        answers.push(server.ask(&owner, ask, input).await);
    }
    assert_eq!(answers[0], answers[1]);
    let ratio = ratio(&server, Some(&owner), ask, &each("known"), &each("unknown")).await;
    assert!((0.5..2.0).contains(&ratio), "an address with an account takes {ratio} times as long");
}

#[tokio::test]
async fn v6_2_6_pages_mask_passwords_and_let_managers_and_paste_work() {
    let server = Server::start().await;
    let page = server.http.get(format!("{}/reset?token=cp_x", server.url)).send().await.expect("an answer");
    let html = page.text().await.expect("text");
    let fields: Vec<&str> = html.split("<input").skip(1).filter_map(|rest| rest.split('>').next()).collect();
    let field = fields.iter().find(|field| field.contains("name=\"password\"")).expect("a password");
    assert!(
        field.contains("type=\"password\"") && field.contains("autocomplete=\"new-password\""),
        "{field}"
    );
    assert!(!field.contains("maxlength") && !html.contains("<script") && !html.contains("onpaste"), "{html}");
}

#[tokio::test]
async fn v6_3_3_guesses_on_the_page_for_applications_are_guesses_at_the_same_account() {
    let server = Server::start_with(&UNLIMITED).await;
    let owner = found(&server, "A", "ada@example.com").await;
    let register = "mutation($input: RegisterApplicationInput!) { registerApplication(input: $input) {
        application { id } userErrors { message } } }";
    let input = json!({"name": "Till", "homepage": "https://till.example", "kind": "PUBLIC",
        "grantTypes": ["AUTHORIZATION_CODE"], "redirectUris": ["https://till.example/cb"], "permissions": ["kpi.read"]});
    let made = server.ask(&owner, register, json!({"input": input})).await["registerApplication"].clone();
    let client = made["application"]["id"].as_str().unwrap_or_else(|| panic!("{made:#}")).to_owned();
    for guess in 0..20 {
        sign_in(&server, "ada@example.com", &format!("a wrong sentence {guess}")).await;
    }
    let request = url::form_urlencoded::Serializer::new(String::new())
        .append_pair("client_id", &client)
        .append_pair("redirect_uri", "https://till.example/cb")
        .append_pair("response_type", "code")
        .append_pair("scope", "kpi.read")
        .append_pair("code_challenge", "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM")
        .append_pair("code_challenge_method", "S256")
        .finish();
    let form = url::form_urlencoded::Serializer::new(String::new())
        .append_pair("action", "sign_in")
        .append_pair("request", &request)
        .append_pair("email", "ada@example.com")
        .append_pair("password", PASSWORD)
        .finish();
    let post =
        server.http.post(format!("{}/oauth/authorize", server.url)).header("origin", server.url.clone());
    let post = post.header("content-type", "application/x-www-form-urlencoded").body(form);
    let refused = post.send().await.expect("an answer");
    assert!(!refused.headers().contains_key("set-cookie"), "{:?}", refused.headers());
    assert_eq!(
        refused.status(),
        reqwest::StatusCode::UNPROCESSABLE_ENTITY,
        "{}",
        refused.text().await.expect("text")
    );
}

#[tokio::test]
async fn v6_3_6_a_changed_password_and_a_new_factor_are_told_by_letter() {
    let server = Server::start_with(&UNLIMITED).await;
    let token = found(&server, "A", "ada@example.com").await;
    let change =
        "mutation($input: ChangePasswordInput!) { changePassword(input: $input) { userErrors { code } } }";
    let wrong = json!({"input": {"currentPassword": "a wrong sentence", "newPassword": "another long sentence to keep"}});
    let data = server.ask(&token, change, wrong).await;
    assert_eq!(
        data["changePassword"]["userErrors"][0]["code"], "WRONG_PASSWORD",
        "the present one is needed"
    );
    let right =
        json!({"input": {"currentPassword": PASSWORD, "newPassword": "another long sentence to keep"}});
    let data = server.ask(&token, change, right).await;
    assert_eq!(data["changePassword"]["userErrors"], json!([]));
    let letter = mailbox::letter(&server, "ada@example.com", "password_changed").await;
    assert!(!letter.to_string().contains("another long sentence"), "{letter:#}");

    let (secret, _) = with_totp(&server, &token, "another long sentence to keep").await;
    let letter = mailbox::letter(&server, "ada@example.com", "factor_added").await;
    assert!(!letter.to_string().contains(&secret), "{letter:#}");
}

#[tokio::test]
async fn v6_4_2_nobody_is_asked_for_a_hint_or_a_secret_question() {
    let server = Server::start().await;
    let token = found(&server, "A", "ada@example.com").await;
    let ask = "{ __schema { types { kind name inputFields { name } fields { name args { name } } } } }";
    let schema = server.ask(&token, ask, json!({})).await;
    for of in schema["__schema"]["types"].as_array().expect("types") {
        let name = of["name"].as_str().expect("a name");
        let fields = of["inputFields"].as_array().into_iter().chain(of["fields"].as_array()).flatten();
        let names = fields.flat_map(|field| {
            field["args"].as_array().into_iter().flatten().chain([field]).map(|field| field["name"].clone())
        });
        for field in names {
            let field = field.as_str().unwrap_or_default().to_lowercase();
            // The last characters of a key or a secret, by which it is told from others.
            let own = field == "hint" && ["ApiKey", "OAuthSecret", "ApplicationSecret"].contains(&name);
            assert!(
                own || !["hint", "secretquestion", "securityquestion"].contains(&field.as_str()),
                "{name}.{field}"
            );
        }
    }
}
