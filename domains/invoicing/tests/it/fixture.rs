//! A company that is ready to invoice: open books for 2026, tax codes, a customer and a supplier.

use std::collections::HashMap;

use chrono::NaiveDate;
use entity::invoicing::{invoice, invoice_line, invoice_tax};
use invoicing::Error;
use invoicing::catalog::tax_code;
use invoicing::invoice::{NewInvoice, NewLine, reading, service};
use invoicing::party::{self, NewParty};
use invoicing::payment::{self, Direction, Method, NewPayment, Target};
use kernel::sparse::Columns;
use kernel::{Actor, Permission, PermissionSet, Scope};
use ledger::year::Chart;
use rust_decimal::Decimal;
use testing::{TestDb, day};
use uuid::Uuid;

/// One transaction of a scope: `write!(scope, [clone, these], tx => work(tx, clone, these).await)`.
macro_rules! write {
    ($scope:expr, [$($captured:ident),*], $tx:ident => $work:expr) => {
        $scope.write(|$tx| { $(let $captured = $captured.clone();)* Box::pin(async move { $work }) }).await
    };
}
pub(crate) use write;

/// The company, in euros and Paris. Its clock stands at 2026-06-15 until it is set.
pub(crate) struct Shop {
    /// Its database.
    pub(crate) test: TestDb,
    /// A member with all permissions.
    pub(crate) scope: Scope,
    /// A French customer who pays within 30 days.
    pub(crate) customer: Uuid,
    /// A French supplier.
    pub(crate) supplier: Uuid,
    /// The seeded tax codes.
    pub(crate) codes: HashMap<String, Uuid>,
}

/// A French customer as it is entered.
pub(crate) fn new_customer() -> NewParty {
    NewParty {
        is_customer: true,
        name: "Librairie Dupont".to_owned(),
        legal_id: Some("732 829 320".to_owned()),
        vat_id: Some("FR44 732829320".to_owned()),
        email: Some("compta@dupont.example".to_owned()),
        street: Some("1 rue de la Paix".to_owned()),
        postcode: Some("75002".to_owned()),
        city: Some("Paris".to_owned()),
        country: "FR".to_owned(),
        ..NewParty::default()
    }
}

/// A number written in decimal.
pub(crate) fn number(text: &str) -> Decimal {
    text.parse().expect("a decimal number")
}

impl Shop {
    /// A new company in a database of its own.
    pub(crate) async fn new() -> Self {
        Self::open(TestDb::new().await).await
    }

    /// The same with so many connections, for tests of what happens at once.
    pub(crate) async fn with_connections(connections: u32) -> Self {
        Self::open(TestDb::with_connections(connections).await).await
    }

    async fn open(test: TestDb) -> Self {
        let scope = test.company().await;
        let (customer, supplier) = Self::furnish(&scope).await;
        let tx = scope.read().await.expect("snapshot");
        let filter = tax_code::service::TaxCodeFilter::default();
        let page =
            tax_code::service::list(&tx, &filter, &kernel::page::Slice::first(100)).await.expect("codes");
        let codes = page.items.into_iter().map(|code| (code.code, code.id)).collect();
        tx.end().await;
        Self { test, scope, customer, supplier, codes }
    }

    /// Opens books and catalog of a bare company; its customer and its supplier.
    pub(crate) async fn furnish(scope: &Scope) -> (Uuid, Uuid) {
        let made: Result<_, Error> = write!(scope, [], tx => {
            ledger::year::open_books_in(tx, Chart::FrPcg, day("2026-01-01")).await?;
            tax_code::service::seed_in(tx, Chart::FrPcg).await?;
            let customer = party::service::create(tx, new_customer()).await?;
            let supplier = NewParty {
                is_supplier: true,
                name: "Papeterie Martin".to_owned(),
                country: "FR".to_owned(),
                ..NewParty::default()
            };
            Ok((customer, party::service::create(tx, supplier).await?))
        });
        made.expect("a furnished company")
    }

    /// A scope of the same company with these permissions only.
    pub(crate) fn with(&self, permissions: &[Permission]) -> Scope {
        self.acting(Actor::Person(kernel::id::new()), permissions.iter().copied().collect())
    }

    /// A scope of the same company for an actor.
    pub(crate) fn acting(&self, actor: Actor, permissions: PermissionSet) -> Scope {
        self.test.scope(self.scope.company().id, actor, permissions)
    }

    /// The id of a seeded tax code.
    pub(crate) fn code(&self, code: &str) -> Uuid {
        self.codes[code]
    }

    /// A free line: quantity, unit price, tax code.
    pub(crate) fn line(&self, quantity: &str, unit_price: &str, code: &str) -> NewLine {
        NewLine {
            item_id: None,
            description: Some("Fourniture".to_owned()),
            quantity: number(quantity),
            unit: None,
            unit_price: Some(number(unit_price)),
            discount_percent: None,
            tax_code_id: Some(self.code(code)),
            account_id: None,
            nature: None,
        }
    }

    /// A draft for the customer, not yet created.
    pub(crate) fn draft_of(&self, lines: Vec<NewLine>) -> NewInvoice {
        NewInvoice {
            customer_id: self.customer,
            currency: None,
            payment_days: None,
            end_of_month: None,
            delivery_date: None,
            buyer_reference: None,
            order_reference: None,
            note: None,
            external_ref: None,
            lines,
        }
    }

    /// Creates a draft.
    pub(crate) async fn draft(&self, new: NewInvoice) -> Result<Uuid, Error> {
        write!(self.scope, [new], tx => service::create_draft(tx, new).await)
    }

    /// Issues a draft as it stands, today when no day is given.
    pub(crate) async fn issue(&self, id: Uuid, on: Option<NaiveDate>) -> Result<(), Error> {
        let version = self.invoice(id).await.version;
        write!(self.scope, [], tx => service::issue(tx, id, version, on).await)
    }

    /// A new invoice of these lines, issued today.
    pub(crate) async fn issued(&self, lines: Vec<NewLine>) -> Uuid {
        let id = self.draft(self.draft_of(lines)).await.expect("draft");
        self.issue(id, None).await.expect("issue");
        id
    }

    /// Records that the customer paid so much of an invoice today.
    pub(crate) async fn paid(&self, invoice: Uuid, amount_minor: i64) {
        let new = NewPayment {
            direction: Direction::Received,
            party_id: self.customer,
            paid_on: self.scope.today(),
            currency: self.scope.company().currency,
            amount_minor,
            base_minor: None,
            method: Method::Transfer,
            reference: None,
            external_ref: None,
            allocations: vec![(Target::Invoice(invoice), amount_minor)],
        };
        let recorded: Result<Uuid, Error> =
            write!(self.scope, [new], tx => payment::service::record(tx, new).await);
        recorded.expect("a payment");
    }

    /// An invoice as it stands.
    pub(crate) async fn invoice(&self, id: Uuid) -> invoice::Model {
        let tx = self.scope.read().await.expect("snapshot");
        let invoice = reading::get(&tx, id).await.expect("invoice");
        tx.end().await;
        invoice
    }

    /// Its lines.
    pub(crate) async fn lines(&self, id: Uuid) -> Vec<invoice_line::Model> {
        let tx = self.scope.read().await.expect("snapshot");
        let lines = reading::lines_of(&tx, &[id], &Columns::All).await.expect("lines");
        tx.end().await;
        lines
    }

    /// Its tax groups.
    pub(crate) async fn taxes(&self, id: Uuid) -> Vec<invoice_tax::Model> {
        let tx = self.scope.read().await.expect("snapshot");
        let taxes = reading::taxes_of(&tx, &[id]).await.expect("taxes");
        tx.end().await;
        taxes
    }

    /// The first number of a statement, read by the superuser past every policy; `$1` is the company.
    pub(crate) async fn figure(&self, sql: &str) -> i64 {
        let mut superuser = self.test.superuser().await;
        let figure: Option<i64> = sqlx::query_scalar(sqlx::AssertSqlSafe(sql.to_owned()))
            .bind(self.scope.company().id)
            .fetch_one(&mut superuser)
            .await
            .expect(sql);
        figure.unwrap_or(0)
    }

    /// What a statement of the server's own role answers, in the company's scope: how many rows it touched, or
    /// the message of the refusal.
    pub(crate) async fn raw(&self, sql: &str) -> Result<u64, String> {
        let mut server = self.test.raw("coulisse_server").await;
        let begin = format!("BEGIN; SET LOCAL app.tenant_id = '{}'", self.scope.company().id);
        sqlx::raw_sql(sqlx::AssertSqlSafe(begin)).execute(&mut server).await.expect("begin");
        let touched = sqlx::raw_sql(sqlx::AssertSqlSafe(sql.to_owned())).execute(&mut server).await;
        let touched = touched.map(|done| done.rows_affected()).map_err(|error| error.to_string());
        let end = if touched.is_ok() { "COMMIT" } else { "ROLLBACK" };
        match sqlx::raw_sql(end).execute(&mut server).await {
            Ok(_) => touched,
            Err(error) => Err(error.to_string()),
        }
    }
}
