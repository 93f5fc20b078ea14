//! Two companies whose every text and amount says whose it is, with something of each kind in each state.

mod figures;

use std::collections::BTreeMap;

use kernel::{Kind, id};
use serde_json::{Value, json};

use crate::house::{House, now, settle};
use crate::server::{PASSWORD, Server};

/// What a company's texts and amounts are made of, so that they are told from any other's.
#[derive(Clone, Copy, Debug)]
pub(super) struct Mark {
    /// In every text that may be long.
    pub word: &'static str,
    /// In codes and numbers of accounts.
    pub short: &'static str,
    /// Euros, with two more digits after the point.
    pub amount: &'static str,
    /// A SIREN with a good key, the IBAN of a bank's example, and an e-mail.
    pub siren: &'static str,
    pub iban: &'static str,
    pub email: &'static str,
    /// How many invoices it issues: who issues more has numbers that the other has not.
    pub invoices: usize,
}

/// The company that asks.
pub(super) const ASKING: Mark = Mark {
    word: "ardenholt",
    short: "ARD",
    amount: "1204.13",
    siren: "732829320",
    iban: "FR1420041010050500013M02606",
    email: "ada@ardenholt.example",
    invoices: 2,
};

/// The company of which nothing may be told.
pub(super) const HIDDEN: Mark = Mark {
    word: "zyxoquat",
    short: "ZYX",
    amount: "73193.57",
    siren: "404833048",
    iban: "DE89370400440532013000",
    email: "bob@zyxoquat.example",
    invoices: 4,
};

/// An idempotency key that the hidden company has used.
pub(super) const KEY: &str = "zyxoquat-idempotency";

/// A person who belongs to neither company.
pub(super) const FREE: &str = "free@elsewhere.example";

/// A company with everything in it: its house, and its things by what they are.
pub(super) struct Company {
    pub house: House,
    pub things: BTreeMap<&'static str, String>,
    /// Its calendar day when it was founded.
    pub today: String,
    /// A month later.
    pub soon: String,
}

struct Desk<'a> {
    server: &'a Server,
    token: &'a str,
    mark: Mark,
    today: String,
    soon: String,
    things: BTreeMap<&'static str, String>,
}

/// Founds a company and fills it.
pub(super) async fn company(server: &Server, mark: Mark) -> Company {
    let house = settle(server, mark.word, mark.email).await;
    let today =
        chrono::DateTime::from_timestamp(now(), 0).expect("now").with_timezone(&chrono_tz::Europe::Paris);
    let soon = chrono::DateTime::from_timestamp(now() + 30 * 86_400, 0).expect("soon").to_rfc3339();
    let today = today.date_naive().to_string();
    let mut desk = Desk { server, token: &house.token, mark, today, soon, things: BTreeMap::new() };
    desk.parties().await;
    desk.catalog().await;
    desk.sales().await;
    desk.purchases().await;
    desk.books().await;
    desk.rest(&house).await;
    let (things, today, soon) = (desk.things, desk.today, desk.soon);
    server.db.settle().await;
    Company { house, things, today, soon }
}

impl Desk<'_> {
    /// Runs a mutation that must be done; the thing it shows.
    async fn act(&self, mutation: &str, thing: &str, input: Value) -> Value {
        let input_type = match mutation {
            "postJournalEntry" => "JournalEntryInput".to_owned(),
            "lockPeriod" => "PeriodInput".to_owned(),
            other => format!("{}{}Input", other[..1].to_uppercase(), &other[1..]),
        };
        let query = format!(
            "mutation($input: {input_type}!) {{ {mutation}(input: $input) {{ {thing} userErrors {{ code field message }} }} }}"
        );
        let key = (mutation == "createApiKey" && self.mark.word == HIDDEN.word).then_some(KEY);
        let (_, answer) = self.server.send(Some(self.token), key, &query, json!({ "input": input })).await;
        assert_eq!(answer["data"][mutation]["userErrors"], json!([]), "{mutation} {input:#}: {answer:#}");
        let shown = thing.split_whitespace().next().expect("a thing");
        answer["data"][mutation][shown].clone()
    }

    async fn made(&mut self, label: &'static str, mutation: &str, thing: &str, input: Value) -> Value {
        let made = self.act(mutation, &format!("{thing} {{ id version }}"), input).await;
        let id = made["id"].as_str().unwrap_or_else(|| panic!("{mutation}: {made}")).to_owned();
        self.things.insert(label, id);
        made
    }

    fn text(&self, of: &str) -> String {
        format!("{}-{of}", self.mark.word)
    }

    fn euros(&self) -> Value {
        json!({"amount": self.mark.amount, "currency": "EUR"})
    }

    async fn parties(&mut self) {
        for (label, customer, supplier) in [
            ("customer", true, false),
            ("supplier", false, true),
            ("party", true, true),
            ("party.archived", true, false),
        ] {
            let whole = label == "party";
            let input = json!({
                "isCustomer": customer, "isSupplier": supplier, "name": self.text(label), "country": "FR",
                "legalId": whole.then_some(self.mark.siren), "email": format!("{label}@{}.example", self.mark.word),
                "phone": format!("+33 1 {}", self.mark.word), "street": self.text("street"), "street2": self.text("yard"),
                "postcode": "75001", "city": self.text("city"), "iban": self.mark.iban,
                "externalRef": self.text(&format!("ref-{label}")),
            });
            let made = self.made(label, "createParty", "party", input).await;
            if label == "party.archived" {
                let input = json!({"partyId": made["id"], "expectedVersion": made["version"]});
                self.act("archiveParty", "party { id }", input).await;
            }
        }
        let renamed =
            json!({"partyId": self.things["party"], "expectedVersion": 1, "name": self.text("renamed")});
        self.act("updateParty", "party { id }", renamed).await;
    }

    async fn catalog(&mut self) {
        let account = json!({"number": format!("46{}", self.mark.short), "name": self.text("account"), "kind": "ASSET",
            "nameEn": self.text("account-en"), "reconcilable": true, "externalRef": self.text("ref-account")});
        self.made("account", "createAccount", "account", account).await;
        for (label, number, kind) in [("account.income", "70", "INCOME"), ("account.unused", "62", "EXPENSE")]
        {
            let account = json!({"number": format!("{number}{}", self.mark.short), "name": self.text(label), "kind": kind});
            self.made(label, "createAccount", "account", account).await;
        }
        let code = json!({"code": format!("{}T", self.mark.short), "name": self.text("tax"), "category": "S", "rate": "20",
            "chargeable": "DEBITS"});
        self.made("tax_code", "createTaxCode", "taxCode", code).await;
        for (label, code) in [("item", "I"), ("item.spare", "S")] {
            let item = json!({"code": format!("{}-{code}", self.mark.short), "name": self.text(label), "nature": "GOODS",
                "unitPrice": self.mark.amount, "taxCodeId": self.things["tax_code"],
                "accountId": self.things["account.income"], "externalRef": self.text(&format!("ref-{label}"))});
            self.made(label, "createItem", "item", item).await;
        }
    }

    async fn draft(&mut self, label: &'static str) {
        let input = json!({
            "customerId": self.things["party"], "buyerReference": self.text("buyer"), "orderReference": self.text("order"),
            "note": self.text("note"), "externalRef": self.text(&format!("ref-{label}")),
            "lines": [{"itemId": self.things["item"], "quantity": "1", "description": self.text("line")}],
        });
        self.made(label, "createInvoice", "invoice", input).await;
    }

    async fn sales(&mut self) {
        let issued = ["invoice.issued", "invoice.paid", "invoice.third", "invoice.fourth"];
        for label in issued.into_iter().take(self.mark.invoices) {
            self.draft(label).await;
            let input = json!({"invoiceId": self.things[label], "expectedVersion": 1});
            self.act("issueInvoice", "invoice { id }", input).await;
        }
        self.draft("invoice.draft").await;
        self.draft("invoice.other_draft").await;
        self.payments().await;
        for label in ["credit_note.issued", "credit_note.draft"] {
            let of = if label == "credit_note.draft" { "invoice.issued" } else { "invoice.paid" };
            let line = self.invoice_line(of).await;
            self.things.insert("invoice_line.issued", line.as_str().expect("a line").to_owned());
            let input = json!({"invoiceId": self.things[of], "note": self.text("credit"),
                "externalRef": self.text(&format!("ref-{label}")),
                "lines": [{"lineId": line, "amount": {"net": "10"}, "description": self.text("taken-back")}]});
            let made = self.made(label, "createCreditNote", "creditNote", input).await;
            if label == "credit_note.issued" {
                let input = json!({"invoiceId": made["id"], "expectedVersion": made["version"]});
                self.act("issueInvoice", "invoice { id }", input).await;
            }
        }
    }

    async fn invoice_line(&self, invoice: &str) -> Value {
        let query = "query($id: ID!) { invoice(id: $id) { lines { id } } }";
        let data = self.server.ask(self.token, query, json!({"id": self.things[invoice]})).await;
        data["invoice"]["lines"][0]["id"].clone()
    }

    async fn purchases(&mut self) {
        for label in ["bill.received", "bill.other", "bill.approved", "bill.posted", "bill.credit"] {
            let kind = if label == "bill.credit" { "CREDIT_NOTE" } else { "BILL" };
            let input = json!({
                "kind": kind, "supplierId": self.things["party"], "number": self.text(label), "issueDate": self.today,
                "externalRef": self.text(&format!("ref-{label}")),
                "lines": [{"description": self.text("bought"), "net": self.mark.amount, "category": "S", "rate": "20"}],
            });
            let mut bill = self.made(label, "enterBill", "bill", input).await;
            let far = ["bill.approved", "bill.posted", "bill.credit"].iter().position(|l| *l == label);
            for mutation in ["approveBill", "postBill"].into_iter().take(far.map_or(0, |n| n + 1)) {
                let input = json!({"billId": bill["id"], "expectedVersion": bill["version"]});
                bill = self.act(mutation, "bill { id version }", input).await;
            }
        }
        let query = "query($id: ID!) { bill(id: $id) { lines { id } } }";
        let data = self.server.ask(self.token, query, json!({"id": self.things["bill.received"]})).await;
        let line = data["bill"]["lines"][0]["id"].as_str().expect("a line").to_owned();
        self.things.insert("bill_line", line);
    }

    /// Records a payment of the party that settles a document in part, or none.
    async fn pay(&mut self, label: &'static str, amount: &Value, settles: Option<&str>) {
        let allocations: Vec<_> = settles
            .iter()
            .map(|invoice| json!({"documentId": self.things[*invoice], "amount": amount}))
            .collect();
        let input = json!({
            "direction": "RECEIVED", "partyId": self.things["party"], "paidOn": self.today, "amount": amount,
            "method": "TRANSFER", "reference": self.text("reference"), "externalRef": self.text(&format!("ref-{label}")),
            "allocations": allocations,
        });
        self.made(label, "recordPayment", "payment", input).await;
    }

    async fn payments(&mut self) {
        // Paid in full: a credit note on it has something left to set against another.
        let query = "query($id: ID!) { invoice(id: $id) { total { amount currency } } }";
        let data = self.server.ask(self.token, query, json!({"id": self.things["invoice.paid"]})).await;
        self.pay("payment", &data["invoice"]["total"], Some("invoice.paid")).await;
        self.pay("payment.open", &self.euros(), None).await;
    }

    async fn entry(&mut self, label: &'static str, way: (&str, &str)) -> Value {
        let query = "{ journals { id kind } accounts(first: 1, filter: {numberStartsWith: \"658\"}) { edges { node { id } } } }";
        let data = self.server.ask(self.token, query, json!({})).await;
        let journals = data["journals"].as_array().expect("journals");
        let journal = journals.iter().find(|journal| journal["kind"] == "MISCELLANEOUS").expect("a journal")
            ["id"]
            .clone();
        self.things.insert("journal", journal.as_str().expect("id").to_owned());
        let other = data["accounts"]["edges"][0]["node"]["id"].clone();
        let line = |account: &Value, side: &str, text: &str| {
            json!({"accountId": account, side: self.euros(), "label": text,
                "analytic": [{"name": "site", "value": self.text("site")}]})
        };
        let own = json!(self.things["account"]);
        let entry = json!({
            "journalId": journal, "date": self.today, "label": self.text("entry"), "pieceRef": self.text("piece"),
            "pieceDate": self.today, "externalRef": self.text(&format!("ref-{label}")),
            "lines": [line(&own, way.0, &self.text("posting")), line(&other, way.1, &self.text("counterpart"))],
        });
        self.made(label, "createJournalEntry", "journalEntry", json!({ "entry": entry })).await
    }

    async fn books(&mut self) {
        let mut lines = Vec::new();
        for (label, way) in [
            ("journal_entry.debit", ("debit", "credit")),
            ("journal_entry.credit", ("credit", "debit")),
            ("journal_entry.other", ("credit", "debit")),
            ("journal_entry.to_reverse", ("credit", "debit")),
        ] {
            let draft = self.entry(label, way).await;
            let input = json!({"journalEntryId": draft["id"], "expectedVersion": draft["version"]});
            let posted = self.act("postJournalEntry", "journalEntry { lines { id } }", input).await;
            lines.push(posted["lines"][0]["id"].as_str().expect("a line").to_owned());
        }
        for label in ["journal_entry.draft", "journal_entry.to_discard", "journal_entry.to_post"] {
            self.entry(label, ("debit", "credit")).await;
        }
        let pair = json!({"debitPostingId": lines[0], "creditPostingId": lines[1],
            "amount": {"amount": "40", "currency": "EUR"}});
        self.made("matching", "matchPostings", "matching", pair).await;
        self.things.insert("posting.debit", lines[0].clone());
        self.things.insert("posting.credit", lines[2].clone());
    }

    async fn rest(&mut self, house: &House) {
        for (label, number) in [("file.first", 1), ("file.second", 2)] {
            let input = json!({"name": format!("{}{number}.xml", self.text("file")), "mediaType": "application/xml", "size": 4});
            let made = self.act("createUpload", "uploadUrl file { id }", input).await;
            let url = made.as_str().expect("a link").to_owned();
            let path = url.find("/uploads/").map(|at| &url[at..]).expect("path");
            let sent = self
                .server
                .http
                .put(format!("{}{path}", self.server.url))
                .body("<a/>")
                .send()
                .await
                .expect("sent");
            let sent: Value = sent.json().await.expect("JSON");
            self.things.insert(label, sent["fileId"].as_str().expect("id").to_owned());
        }
        let key = json!({"name": self.text("key"), "permissions": ["kpi.read"]});
        let made = self.act("createApiKey", "apiKey { id }", key).await;
        self.things.insert("api_key", made["id"].as_str().expect("id").to_owned());
        for label in ["invitation.open", "invitation.to_revoke"] {
            let email = format!("{}@{}.example", label.replace('.', "-"), self.mark.word.to_lowercase());
            let made =
                self.act("inviteMember", "invitation { id }", json!({"email": email, "role": "sales"})).await;
            self.things.insert(label, made["id"].as_str().expect("id").to_owned());
        }
        for label in ["application.to_archive", "application"] {
            let application = json!({"name": self.text(label), "kind": "CONFIDENTIAL",
                "homepage": format!("https://{}.example", self.mark.word.to_lowercase()),
                "grantTypes": ["CLIENT_CREDENTIALS"], "permissions": ["kpi.read"]});
            let made = self.act("registerApplication", "application { id }", application).await;
            self.things.insert(label, made["id"].as_str().expect("id").to_owned());
        }
        let grants = self.server.ask(self.token, "{ applicationGrants { id } }", json!({})).await;
        let grant = grants["applicationGrants"][0]["id"].as_str().expect("id").to_owned();
        self.things.insert("grant", grant);
        let document =
            json!({"name": self.text("query"), "text": format!("{{ __typename }} # {}", self.text("text"))});
        let documents = json!({"documents": [document]});
        let made = self.act("registerDocuments", "trustedDocuments { id }", documents).await;
        self.things.insert("trusted_document", made[0]["id"].as_str().expect("id").to_owned());
        let rate = json!({"currency": "GBP", "date": self.today, "rate": format!("1.{}", self.mark.amount.replace('.', ""))});
        self.made("exchange_rate", "setExchangeRate", "exchangeRate", rate).await;
        self.figures(house).await;
        let query =
            "{ members { id role { key } } company { id } fiscalYears { periods { id version firstDay lastDay } }
            accounts(first: 1, filter: {numberStartsWith: \"411\"}) { edges { node { id } } } }";
        let data = self.server.ask(self.token, query, json!({})).await;
        let text = |value: &Value| value.as_str().unwrap_or_else(|| panic!("{data:#}")).to_owned();
        let member = |role: &str| {
            let members = data["members"].as_array().expect("members");
            text(&members.iter().find(|member| member["role"]["key"] == role).expect("a member")["id"])
        };
        // Not the one that is posted to.
        let now = |period: &&Value| {
            period["firstDay"].as_str() <= Some(&self.today)
                && period["lastDay"].as_str() >= Some(&self.today)
        };
        let periods = data["fiscalYears"][0]["periods"].as_array().expect("periods");
        let others: Vec<_> = periods.iter().filter(|period| !now(period)).collect();
        let period = others[0];
        let own = [
            ("membership", member("sales")),
            ("membership.kept", member("accountant")),
            ("membership.other", member("purchaser")),
            ("company", text(&data["company"]["id"])),
            ("account.receivable", text(&data["accounts"]["edges"][0]["node"]["id"])),
            ("period.locked", text(&period["id"])),
            ("period.open", text(&others[1]["id"])),
        ];
        self.things.extend(own);
        let locked = json!({"periodId": period["id"], "expectedVersion": period["version"]});
        self.act("lockPeriod", "period { id }", locked).await;
        let invoice = id::decode(Kind::Invoice, &self.things["invoice.issued"]).expect("id");
        let mut all = self.server.db.superuser().await;
        sqlx::query("SELECT set_config('app.tenant_id', $1, false)")
            .bind(house.company().to_string())
            .execute(&mut all)
            .await
            .expect("a company");
        sqlx::query(
            "INSERT INTO satisfaction (tenant_id, invoice_id, score, comment, given_on, given_at)
             VALUES ($1, $2, 4, $3, current_date, now())",
        )
        .bind(house.company())
        .bind(invoice)
        .bind(self.text("opinion"))
        .execute(&mut all)
        .await
        .expect("an opinion");
        self.second_device(&mut all, &data["company"]["id"]).await;
    }

    /// Whoever signed up has read their letter, and has signed in on a second device since.
    async fn second_device(&mut self, all: &mut sqlx::PgConnection, company: &Value) {
        sqlx::query("UPDATE person SET email_verified_at = created_at WHERE email = $1")
            .bind(self.mark.email)
            .execute(all)
            .await
            .expect("a proved address");
        let input = json!({"email": self.mark.email, "password": PASSWORD, "companyId": company});
        self.act("signIn", "session { token }", input).await;
        let query = "{ viewer { sessions { sessionId current } } }";
        let sessions = self.server.ask(self.token, query, json!({})).await["viewer"]["sessions"].clone();
        let other = sessions.as_array().expect("sessions").iter().find(|one| one["current"] == false);
        let other = other.expect("a second one")["sessionId"].as_str().expect("an id").to_owned();
        self.things.insert("session", other);
    }
}
