//! Two companies with a provider and a domain each, and browsers.

use reqwest::{Response, StatusCode, Url};
use serde_json::{Value, json};

use super::provider::{Browser, Names, Provider};
use crate::server::{PASSWORD, Server, UNLIMITED};

/// What people reach the server by; browsers here go to where it listens.
const PUBLIC: &str = "http://office.example";
/// A verifier and its challenge, as RFC 7636 has them in appendix B.
pub(super) const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";
const SECRET: &str = "a secret of thirty-two characters";

pub(super) struct Stage {
    pub(super) server: Server,
    names: Names,
}

/// A company whose people sign in with a provider of its own.
pub(super) struct Company {
    pub(super) token: String,
    pub(super) provider: Provider,
    /// The provider's public id, and where browsers begin.
    pub(super) id: String,
    pub(super) path: String,
    pub(super) domain: Value,
}

/// What a provider is started with: who it knows.
pub(super) fn options(accounts: &Value) -> Value {
    let back = format!("{PUBLIC}/sso/callback");
    json!({
        "clients": [{ "client_id": "office", "client_secret": SECRET, "redirect_uris": [back] }],
        "accounts": accounts,
    })
}

impl Stage {
    pub(super) async fn new(name: &str) -> Self {
        let names = Names::start(name).await;
        let dns = names.address.to_string();
        let options = ["--public-url", PUBLIC, "--sso-loopback", "true", "--dns-server", &dns];
        let server = Server::start_with(&[&options[..], &UNLIMITED[..]].concat()).await;
        Self { server, names }
    }

    /// Calls a mutation, as who has the token or as nobody; its payload.
    pub(super) async fn call(&self, token: Option<&str>, name: &str, input: Value, selection: &str) -> Value {
        let capital: String = name[..1].to_uppercase() + &name[1..];
        let query = format!(
            "mutation($input: {capital}Input!) {{ {name}(input: $input) {{ {selection} userErrors {{ code field message }} }} }}"
        );
        let (_, answer) = self.server.send(token, None, &query, json!({"input": input})).await;
        assert!(answer["errors"].is_null(), "{name}: {answer:#}");
        answer["data"][name].clone()
    }

    /// Founds a company whose owner has proved the address.
    pub(super) async fn found(&self, name: &str, email: &str) -> String {
        let token = self.server.found(name, email).await;
        let mut all = self.server.db.superuser().await;
        sqlx::query("UPDATE person SET email_verified_at = now() WHERE email = $1")
            .bind(email)
            .execute(&mut all)
            .await
            .expect("proved");
        token
    }

    /// Founds a company that has registered a provider, proved a domain, and lets people join by it.
    pub(super) async fn company(&self, domain: &str, accounts: &Value) -> Company {
        let token = self.found(domain, &format!("owner@{domain}")).await;
        let provider = Provider::start(&options(accounts)).await;
        let input = json!({"name": domain, "issuer": provider.issuer, "clientId": "office", "clientSecret": SECRET,
            "trustsSecondFactor": true});
        let made = self
            .call(Some(&token), "createSsoProvider", input, "ssoProvider { id signInPath redirectUri }")
            .await;
        let made = &made["ssoProvider"];
        assert_eq!(made["redirectUri"], json!(format!("{PUBLIC}/sso/callback")), "{made:#}");
        let domain = self.proved(&token, domain).await;
        let input = json!({"companyDomainId": domain["id"], "expectedVersion": domain["version"], "joins": true,
            "joinRole": "sales"});
        let domain =
            self.call(Some(&token), "updateDomain", input, "companyDomain { id version joins }").await;
        assert_eq!(domain["companyDomain"]["joins"], true, "{domain:#}");
        let text = |field: &str| made[field].as_str().expect(field).to_owned();
        let (id, path) = (text("id"), text("signInPath"));
        Company { token, provider, id, path, domain: domain["companyDomain"].clone() }
    }

    /// Claims a domain and writes its record; the claim.
    pub(super) async fn claimed(&self, token: &str, domain: &str) -> Value {
        let selection = "companyDomain { id recordName recordText }";
        let claim = self.call(Some(token), "claimDomain", json!({"domain": domain}), selection).await;
        let claim = claim["companyDomain"].clone();
        let text = |field: &str| claim[field].as_str().expect(field).to_owned();
        self.names.set(&text("recordName"), &[&text("recordText")]);
        claim
    }

    async fn proved(&self, token: &str, domain: &str) -> Value {
        let claim = self.claimed(token, domain).await;
        let input = json!({"companyDomainId": claim["id"]});
        let proved =
            self.call(Some(token), "verifyDomain", input, "companyDomain { id version verifiedAt }").await;
        assert!(proved["companyDomain"]["verifiedAt"].is_string(), "{proved:#}");
        proved["companyDomain"].clone()
    }

    /// An address of the server as a browser reaches it here.
    pub(super) fn here(&self, url: &str) -> String {
        url.replacen(PUBLIC, &self.server.url, 1)
    }

    /// The address at which a sign-in begins, with this program's challenge.
    pub(super) fn begin(&self, path: &str) -> String {
        let mark = if path.contains('?') { '&' } else { '?' };
        format!("{}{path}{mark}challenge={CHALLENGE}", self.server.url)
    }

    /// Begins at a path and signs in at the provider; where the provider sends the browser back to.
    pub(super) async fn sent_back(&self, browser: &mut Browser, path: &str, account: &str) -> String {
        let begun = browser.get(&self.begin(path)).await;
        assert_eq!(begun.status(), StatusCode::FOUND, "{:?}", begun.text().await);
        let back = browser.sign_in(&Browser::location(&begun), account).await;
        self.here(&back)
    }

    /// The whole way through the provider; what the server answers to the browser that came back.
    pub(super) async fn come(&self, browser: &mut Browser, path: &str, account: &str) -> Response {
        let back = self.sent_back(browser, path, account).await;
        browser.get(&back).await
    }

    /// The session of a browser that was let in.
    pub(super) async fn session(&self, answer: &Response) -> String {
        let selection = "session { token personId } challenge { challenge }";
        let done = self
            .call(None, "redeemHandoff", json!({"code": handoff(answer), "verifier": VERIFIER}), selection)
            .await;
        done["session"]["token"].as_str().unwrap_or_else(|| panic!("{done:#}")).to_owned()
    }

    /// Sends the form of a page.
    pub(super) async fn confirm(&self, browser: &mut Browser, page: &str, password: &str) -> Response {
        let token = page.split("name=\"token\" value=\"").nth(1).and_then(|rest| rest.split('"').next());
        let form = [("token", token.expect("a form")), ("password", password)];
        browser.post(&format!("{}/sso/confirm", self.server.url), &form).await
    }
}

/// The code behind the `#` of where a browser was let in.
pub(super) fn handoff(answer: &Response) -> String {
    assert_eq!(answer.status(), StatusCode::SEE_OTHER, "{answer:?}");
    let url = Url::parse(&Browser::location(answer)).expect("a URL");
    url.fragment().and_then(|fragment| fragment.strip_prefix("handoff=")).expect("a handoff").to_owned()
}

/// The text of a page with this status.
pub(super) async fn page(answer: Response, status: StatusCode) -> String {
    assert_eq!(answer.status(), status);
    let policy = answer.headers()["content-security-policy"].to_str().expect("ASCII");
    assert!(policy.contains("default-src 'none'"), "{policy}");
    answer.text().await.expect("a page")
}

/// The refusal of a payload.
pub(super) fn code_of(payload: &Value) -> &str {
    payload["userErrors"][0]["code"].as_str().unwrap_or("done")
}

/// A fresh proof by the password.
pub(super) fn proof() -> Value {
    json!({"currentPassword": PASSWORD})
}
