//! The main job, end to end: supplier bills come as files and move the figures; customers are invoiced and pay.

use std::path::Path;

use reqwest::StatusCode;
use rust_decimal::Decimal;
use serde_json::{Value, json};

use crate::server::Server;
use crate::socket::Client;

/// The bytes of a published sample.
fn sample(name: &str) -> Vec<u8> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../domains/invoicing/tests/data/einvoices");
    std::fs::read(folder.join(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

/// The French sample under another number, with a total that is ten euros too high.
fn wrong_total() -> Vec<u8> {
    let good = String::from_utf8(sample("facturx-fr-good.xml")).expect("UTF-8");
    assert!(good.contains("FA-2026-0001") && good.contains("52.01"));
    good.replace("FA-2026-0001", "FA-2026-0002").replace("52.01", "62.01").into_bytes()
}

fn decimal(of: &Value) -> Decimal {
    of.as_str().and_then(|text| text.parse().ok()).unwrap_or_else(|| panic!("{of} is no amount"))
}

fn euros(amount: Decimal) -> Value {
    json!({"amount": amount.to_string(), "currency": "EUR"})
}

/// The part of a figure in one currency; zero when it has none.
fn part(value: &Value, currency: &str) -> Decimal {
    let amounts = value["amounts"].as_array().expect("amounts");
    amounts.iter().find(|a| a["currency"] == currency).map_or(Decimal::ZERO, |a| decimal(&a["amount"]))
}

/// A company, as its accountant works in it.
struct Desk {
    server: Server,
    token: String,
}

impl Desk {
    async fn open() -> Self {
        let server = Server::start().await;
        let token = server.found("Atelier", "ada@example.com").await;
        Self { server, token }
    }

    /// Runs a mutation that must be done; what its payload shows.
    async fn act(&self, mutation: &str, shown: &str, input: Value) -> Value {
        let payload = self.attempt(mutation, shown, input).await;
        assert_eq!(payload["userErrors"], json!([]), "{mutation}");
        payload
    }

    /// Runs a mutation that may be refused.
    async fn attempt(&self, mutation: &str, shown: &str, input: Value) -> Value {
        let input_type = format!("{}{}Input", mutation[..1].to_uppercase(), &mutation[1..]);
        let query = format!(
            "mutation($input: {input_type}!) {{ {mutation}(input: $input) {{ {shown} userErrors {{ code field }} }} }}"
        );
        self.server.ask(&self.token, &query, json!({"input": input})).await[mutation].clone()
    }

    async fn read(&self, query: &str) -> Value {
        self.server.ask(&self.token, query, json!({})).await
    }

    /// Announces a file and sends its bytes; the upload's id.
    async fn upload(&self, name: &str, bytes: &[u8]) -> Value {
        let input = json!({"name": name, "mediaType": "application/xml", "size": bytes.len()});
        let made = self.act("createUpload", "file { id state } uploadUrl", input).await;
        assert_eq!(made["file"]["state"], "PENDING");
        let url = self.local(&made["uploadUrl"]);
        let sent = self.server.http.put(url).body(bytes.to_vec()).send().await.expect("an answer");
        assert_eq!(sent.status(), StatusCode::CREATED);
        made["file"]["id"].clone()
    }

    /// A public link on this test's server.
    fn local(&self, link: &Value) -> String {
        let link: url::Url = link.as_str().and_then(|text| text.parse().ok()).expect("a link");
        format!("{}{}", self.server.url, link.path())
    }

    async fn import(&self, uploads: &[Value]) -> Vec<Value> {
        let shown =
            "files { uploadId userError { code } duplicateOf { id } bill { id version state number currency
            payable { amount } total { amount } findingCount
            findings { rule severity field line expected stated } } }";
        let imported = self.act("importBills", shown, json!({"uploadIds": uploads})).await;
        let files = imported["files"].as_array().expect("files").clone();
        let named: Vec<_> = files.iter().map(|file| file["uploadId"].clone()).collect();
        assert_eq!(named, uploads, "one answer for each file, in their order");
        files
    }

    async fn approve(&self, bill: &Value) -> Value {
        let input = json!({"billId": bill["id"], "expectedVersion": bill["version"]});
        let approved = self.act("approveBill", "bill { id version state }", input).await["bill"].clone();
        assert_eq!(approved["state"], "APPROVED");
        approved
    }

    async fn post(&self, bill: &Value) -> Value {
        let shown = "bill { id state exchangeRate payableBase { amount } postedOn
            journalEntry { id state sourceId source { id } journal { kind } total { amount }
                lines { account { number } debit { amount } credit { amount } } } }";
        let input = json!({"billId": bill["id"], "expectedVersion": bill["version"]});
        self.attempt("postBill", shown, input).await
    }

    /// Debits and credits of this year; they are equal.
    async fn trial_balance(&self) -> Decimal {
        let years = self.read("{ fiscalYears { firstDay lastDay } }").await;
        let year = &years["fiscalYears"][0];
        let query = format!(
            "{{ trialBalance(from: {}, to: {}) {{ debit {{ amount }} credit {{ amount }}
                rows {{ debit {{ amount }} credit {{ amount }} }} }} }}",
            year["firstDay"], year["lastDay"]
        );
        let balance = self.read(&query).await["trialBalance"].clone();
        let (debit, credit) = (decimal(&balance["debit"]["amount"]), decimal(&balance["credit"]["amount"]));
        assert_eq!(debit, credit, "{balance:#}");
        let rows = balance["rows"].as_array().expect("rows");
        assert_eq!(rows.iter().map(|row| decimal(&row["debit"]["amount"])).sum::<Decimal>(), debit);
        assert_eq!(rows.iter().map(|row| decimal(&row["credit"]["amount"])).sum::<Decimal>(), credit);
        debit
    }

    /// The balance of an account: debits less credits.
    async fn balance(&self, account: &str) -> Decimal {
        let data =
            self.read(&format!("{{ account(number: \"{account}\") {{ balance {{ amount }} }} }}")).await;
        decimal(&data["account"]["balance"]["amount"])
    }

    /// The records of a figure.
    async fn records(&self, key: &str) -> Vec<Value> {
        let query = format!(
            "{{ kpis(keys: [\"{key}\"]) {{ kpis {{ records(first: 100) {{ edges {{ node {{ recordId amount {{ amount currency }} }} }} }} }} }} }}"
        );
        let data = self.read(&query).await;
        let edges = data["kpis"]["kpis"][0]["records"]["edges"].as_array().expect("edges");
        edges.iter().map(|edge| edge["node"].clone()).collect()
    }
}

/// The entry balances, and comes from the bill; how much each side is.
fn balanced(bill: &Value) -> Decimal {
    let entry = &bill["journalEntry"];
    let lines = entry["lines"].as_array().expect("lines");
    let side = |side: &str| lines.iter().map(|line| decimal(&line[side]["amount"])).sum::<Decimal>();
    assert!(lines.len() >= 2 && side("debit") > Decimal::ZERO, "{entry:#}");
    assert_eq!(side("debit"), side("credit"), "{entry:#}");
    assert_eq!((&entry["state"], &entry["journal"]["kind"]), (&json!("POSTED"), &json!("PURCHASES")));
    assert_eq!((&entry["sourceId"], &entry["source"]["id"]), (&bill["id"], &bill["id"]));
    side("debit")
}

#[tokio::test]
async fn electronic_invoices_become_bills_and_reach_the_ledger_and_the_figures() {
    let desk = Desk::open().await;
    let mut figures = Client::follow(&desk.server, &desk.token).await;
    figures.until("bills_waiting", |value| value["records"] == 0).await;

    let files: [(&str, Vec<u8>); 6] = [
        ("euro.xml", sample("CII_example1.xml")),
        ("bad.xml", b"this is no XML".to_vec()),
        ("good.xml", sample("facturx-fr-good.xml")),
        ("twin.xml", sample("ubl-tc434-example1.xml")),
        ("crowns.xml", sample("CII_example3.xml")),
        ("wrong.xml", wrong_total()),
    ];
    let mut uploads = Vec::new();
    for (name, bytes) in &files {
        uploads.push(desk.upload(name, bytes).await);
    }
    let imported = desk.import(&uploads).await;
    let codes: Vec<_> = imported.iter().map(|file| file["userError"]["code"].as_str()).collect();
    assert_eq!(codes, [None, Some("NOT_XML"), None, Some("DUPLICATE_BILL"), None, None]);
    let bills: Vec<_> = imported.iter().map(|file| file["bill"].clone()).collect();
    let [euro, bad, good, twin, crowns, wrong] = &bills[..] else { panic!("{bills:?}") };
    assert_eq!((bad, twin), (&Value::Null, &Value::Null));
    assert_eq!(imported[3]["duplicateOf"]["id"], euro["id"], "the UBL twin says the same number");
    for bill in [euro, good, crowns, wrong] {
        assert_eq!(bill["state"], "RECEIVED", "{bill:#}");
    }
    as_stated(euro, good, crowns, wrong);
    figures.until("bills_waiting", |value| value["records"] == 4).await;

    // Euros: approved and posted.
    let euro = desk.approve(euro).await;
    figures.until("bills_waiting", |value| value["records"] == 3).await;
    let posted = desk.post(&euro).await;
    assert_eq!(posted["userErrors"], json!([]));
    assert_eq!(posted["bill"]["state"], "POSTED");
    let first = balanced(&posted["bill"]);
    figures.until("payables_open", |value| part(value, "EUR") == decimal(&json!("250.33"))).await;
    assert_eq!(desk.trial_balance().await, first);
    assert_eq!(desk.balance("401").await, decimal(&json!("-250.33")));

    // Crowns: refused until there is a rate.
    let crowns = desk.approve(crowns).await;
    assert_eq!(desk.post(&crowns).await["userErrors"][0]["code"], "RATE_MISSING");
    let rate = json!({"currency": "DKK", "date": "2013-01-01", "rate": "0.13413"});
    desk.act("setExchangeRate", "exchangeRate { id }", rate).await;
    let posted = desk.post(&crowns).await;
    assert_eq!(posted["userErrors"], json!([]));
    let second = balanced(&posted["bill"]);
    assert_eq!(decimal(&posted["bill"]["exchangeRate"]), decimal(&json!("0.13413")));
    assert_eq!(posted["bill"]["payableBase"]["amount"], "150.90", "1125.00 DKK at 0.13413");
    figures.until("payables_open", |value| part(value, "DKK") == Decimal::from(1125)).await;
    assert_eq!(desk.trial_balance().await, first + second);
    assert_eq!(desk.balance("401").await, decimal(&json!("-401.23")));

    // What does not add up is not posted.
    let wrong = desk.approve(wrong).await;
    assert_eq!(desk.post(&wrong).await["userErrors"][0]["code"], "DOES_NOT_ADD_UP");
    figures.until("bills_waiting", |value| value["records"] == 1).await;
    let waiting: Vec<_> = desk.records("bills_waiting").await.iter().map(|r| r["recordId"].clone()).collect();
    assert_eq!(waiting, [good["id"].clone()], "the figure drills down to its bill");
}

/// What was received is recorded as stated, with what does not add up.
fn as_stated(euro: &Value, good: &Value, crowns: &Value, wrong: &Value) {
    for (bill, number, currency, payable) in [
        (euro, "12115118", "EUR", "250.33"),
        (good, "FA-2026-0001", "EUR", "52.01"),
        (crowns, "TOSL108", "DKK", "1125.00"),
        (wrong, "FA-2026-0002", "EUR", "62.01"),
    ] {
        assert_eq!((&bill["number"], &bill["currency"]), (&json!(number), &json!(currency)));
        assert_eq!(bill["payable"]["amount"], payable, "{number}");
        let findings = bill["findings"].as_array().expect("findings");
        assert_eq!(bill["findingCount"], findings.len(), "{number}");
    }
    let found = |bill: &Value, rule: &str| {
        let findings = bill["findings"].as_array().expect("findings");
        findings.iter().find(|finding| finding["rule"] == rule).cloned().unwrap_or_default()
    };
    let line = found(euro, "X-LINE-NET");
    assert_eq!(
        (&line["severity"], &line["field"], &line["line"]),
        (&json!("WARNING"), &json!("BT-131"), &json!("20"))
    );
    assert_eq!(
        (decimal(&line["expected"]), decimal(&line["stated"])),
        (Decimal::new(10998, 2), Decimal::new(-10998, 2))
    );
    // Its issue date may lie ahead of the day on which this runs; nothing else is wrong with it.
    let other =
        good["findings"].as_array().expect("findings").iter().filter(|f| f["rule"] != "X-ISSUE-DATE").count();
    assert_eq!(other, 0, "{good:#}");
    let total = found(wrong, "BR-CO-15");
    assert_eq!((&total["severity"], &total["field"]), (&json!("ERROR"), &json!("BT-112")));
    assert_eq!(
        (decimal(&total["expected"]), decimal(&total["stated"])),
        (Decimal::new(5201, 2), Decimal::new(6201, 2))
    );
}

#[tokio::test]
async fn a_file_is_kept_byte_for_byte_and_comes_once() {
    let desk = Desk::open().await;
    let bytes = sample("CII_example1.xml");
    let first = desk.upload("first.xml", &bytes).await;
    let bill = desk.import(&[first]).await[0]["bill"].clone();

    let query = format!("{{ bill(id: {}) {{ file {{ name size state download {{ url }} }} }} }}", bill["id"]);
    let file = desk.read(&query).await["bill"]["file"].clone();
    assert_eq!(
        (&file["name"], &file["size"], &file["state"]),
        (&json!("first.xml"), &json!(bytes.len()), &json!("STORED"))
    );
    let link = desk.local(&file["download"]["url"]);
    let got = desk.server.http.get(&link).send().await.expect("an answer");
    assert_eq!(got.status(), StatusCode::OK);
    let disposition = got.headers()["content-disposition"].to_str().expect("text");
    assert!(disposition.starts_with("attachment") && disposition.ends_with("first.xml"), "{disposition}");
    assert_eq!(got.bytes().await.expect("bytes").as_ref(), bytes);
    let mut forged = link.into_bytes();
    let last = forged.len() - 5;
    forged[last] = if forged[last] == b'A' { b'B' } else { b'A' };
    let forged = String::from_utf8(forged).expect("a link");
    assert_eq!(desk.server.http.get(forged).send().await.expect("an answer").status(), StatusCode::FORBIDDEN);

    let again = desk.upload("again.xml", &bytes).await;
    let again = desk.import(&[again]).await[0].clone();
    assert_eq!((&again["userError"]["code"], &again["bill"]), (&json!("DUPLICATE_BILL"), &Value::Null));
    assert_eq!(again["duplicateOf"]["id"], bill["id"]);
    assert_eq!(desk.read("{ bills(first: 1) { totalCount } }").await["bills"]["totalCount"], 1);
}

impl Desk {
    /// A customer, an item at 100 euros and 20 % VAT on debits, and a draft invoice of three of them.
    async fn draft(&self) -> (Value, Value) {
        let party = json!({"isCustomer": true, "name": "Client", "country": "FR", "paymentDays": 30});
        let party = self.act("createParty", "party { id }", party).await["party"]["id"].clone();
        let codes =
            self.read("{ taxCodes(first: 100, filter: {code: \"S20\"}) { edges { node { id } } } }").await;
        let code = &codes["taxCodes"]["edges"][0]["node"]["id"];
        let item = json!({"code": "CHAIR", "name": "Chaise", "nature": "GOODS", "unitPrice": "100", "taxCodeId": code});
        let item = self.act("createItem", "item { id }", item).await["item"]["id"].clone();
        let invoice = json!({"customerId": party, "lines": [{"itemId": item, "quantity": "3"}]});
        let shown = "invoice { id version state paymentState number lines { id } }";
        let invoice = self.act("createInvoice", shown, invoice).await["invoice"].clone();
        assert_eq!((&invoice["state"], &invoice["number"]), (&json!("DRAFT"), &Value::Null));
        (party, invoice)
    }

    async fn issue(&self, draft: &Value) -> Value {
        let shown =
            "invoice { id state paymentState number issueDate net { amount } tax { amount } total { amount }
            journalEntry { sourceId lines { debit { amount } credit { amount } } } }";
        let input = json!({"invoiceId": draft["id"], "expectedVersion": draft["version"]});
        let issued = self.act("issueInvoice", shown, input).await["invoice"].clone();
        assert_eq!((&issued["state"], issued["number"].is_string()), (&json!("ISSUED"), true));
        assert_eq!(issued["journalEntry"]["sourceId"], draft["id"]);
        issued
    }

    /// How far the invoice is settled: its payment state and what is open of it.
    async fn standing(&self, invoice: &Value) -> (String, Decimal) {
        let query = format!("{{ invoice(id: {}) {{ paymentState open {{ amount }} }} }}", invoice["id"]);
        let data = self.read(&query).await["invoice"].clone();
        (data["paymentState"].as_str().expect("a state").to_owned(), decimal(&data["open"]["amount"]))
    }

    async fn receive(&self, party: &Value, invoice: &Value, amount: i64) -> Value {
        let amount = euros(Decimal::from(amount));
        let input = json!({"direction": "RECEIVED", "partyId": party, "paidOn": invoice["issueDate"], "method": "TRANSFER",
            "amount": amount, "allocations": [{"documentId": invoice["id"], "amount": amount}]});
        self.act("recordPayment", "payment { id state }", input).await["payment"].clone()
    }
}

fn standing(state: &str, open: i64) -> (String, Decimal) {
    (state.to_owned(), Decimal::from(open))
}

#[tokio::test]
async fn a_customer_is_invoiced_pays_in_parts_and_a_bounced_payment_brings_it_back() {
    let desk = Desk::open().await;
    let mut figures = Client::follow(&desk.server, &desk.token).await;
    let (party, draft) = desk.draft().await;
    let invoice = desk.issue(&draft).await;
    let sums = ["net", "tax", "total"].map(|sum| decimal(&invoice[sum]["amount"]));
    assert_eq!(sums, [300, 60, 360].map(Decimal::from));
    assert_eq!(desk.standing(&invoice).await, standing("OPEN", 360));
    figures.until("receivables_open", |value| part(value, "EUR") == Decimal::from(360)).await;

    desk.receive(&party, &invoice, 100).await;
    assert_eq!(desk.standing(&invoice).await, standing("PARTLY_PAID", 260));
    let rest = desk.receive(&party, &invoice, 260).await;
    assert_eq!(desk.standing(&invoice).await, standing("PAID", 0));
    figures.until("cash_received_month", |value| part(value, "EUR") == Decimal::from(360)).await;
    figures.until("receivables_open", |value| part(value, "EUR") == Decimal::ZERO).await;
    assert_eq!((desk.balance("411").await, desk.balance("512").await), (Decimal::ZERO, Decimal::from(360)));

    let bounce = json!({"paymentId": rest["id"], "on": invoice["issueDate"], "reason": "no funds"});
    let bounced = desk.act("bouncePayment", "payment { state }", bounce.clone()).await;
    assert_eq!(bounced["payment"]["state"], "BOUNCED");
    assert_eq!(desk.standing(&invoice).await, standing("PARTLY_PAID", 260));
    figures.until("receivables_open", |value| part(value, "EUR") == Decimal::from(260)).await;
    assert_eq!(
        (desk.balance("411").await, desk.balance("512").await),
        (Decimal::from(260), Decimal::from(100))
    );
    let twice = desk.attempt("bouncePayment", "payment { state }", bounce).await;
    assert_eq!(twice["userErrors"][0]["code"], "ALREADY_BOUNCED");
    desk.trial_balance().await;
}

#[tokio::test]
async fn revenue_is_what_is_invoiced_less_what_is_credited() {
    let desk = Desk::open().await;
    let mut figures = Client::follow(&desk.server, &desk.token).await;
    let (_, draft) = desk.draft().await;
    figures.until("revenue_month", |value| value["records"] == 0).await;
    let invoice = desk.issue(&draft).await;
    figures.until("revenue_month", |value| part(value, "EUR") == Decimal::from(300)).await;

    let lines = json!([{"lineId": draft["lines"][0]["id"], "amount": {"quantity": "1"}}]);
    let note = json!({"invoiceId": invoice["id"], "lines": lines});
    let note = desk.act("createCreditNote", "creditNote { id version kind state }", note).await["creditNote"]
        .clone();
    assert_eq!((&note["kind"], &note["state"]), (&json!("CREDIT_NOTE"), &json!("DRAFT")));
    let note = desk.issue(&note).await;
    assert_eq!(decimal(&note["net"]["amount"]), Decimal::from(100));
    assert_eq!(desk.standing(&invoice).await, standing("PARTLY_PAID", 240));
    let net = decimal(&invoice["net"]["amount"]) - decimal(&note["net"]["amount"]);
    figures.until("revenue_month", |value| part(value, "EUR") == net).await;

    let records = desk.records("revenue_month").await;
    let sum: Decimal = records.iter().map(|record| decimal(&record["amount"]["amount"])).sum();
    let ids: Vec<_> = records.iter().map(|record| &record["recordId"]).collect();
    assert_eq!((sum, records.len()), (net, 2), "the figure drills down to its documents");
    assert!(ids.contains(&&invoice["id"]) && ids.contains(&&note["id"]), "{records:#?}");

    // More than is left is refused, and changes no figure.
    let lines = json!([{"lineId": draft["lines"][0]["id"], "amount": {"quantity": "3"}}]);
    let note = json!({"invoiceId": invoice["id"], "lines": lines});
    let refused = desk.attempt("createCreditNote", "creditNote { id }", note).await;
    assert_eq!(refused["userErrors"][0]["code"], "CREDIT_EXCEEDS_INVOICE", "{refused:#}");
    assert_eq!(desk.balance("411").await, Decimal::from(240));
    desk.trial_balance().await;
}
