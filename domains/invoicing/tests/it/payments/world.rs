//! A company with open books, what happens in it, and what it then says of itself.

use std::collections::HashMap;
use std::sync::Arc;

use chrono::{Days, NaiveDate, NaiveTime};
use entity::invoicing::{allocation, invoice, payment as row};
use invoicing::Error;
use invoicing::bill::{self, BillKind, NewBill, Totals};
use invoicing::catalog::tax_code;
use invoicing::credit_note::{self, CreditAmount, CreditLine, NewCreditNote};
use invoicing::invoice::{NewInvoice, NewLine, PaymentState, payment_state, reading, service};
use invoicing::party::{self, NewParty};
use invoicing::payment::{self, Direction, Method, NewPayment, Target};
use kernel::page::Slice;
use kernel::{Currency, Scope};
use rust_decimal::Decimal;
use testing::{TestDb, day};
use uuid::Uuid;

use crate::fixture::{Shop, write};

/// A payment without a reference or allocations.
pub(super) fn new_payment(
    direction: Direction,
    party_id: Uuid,
    paid_on: NaiveDate,
    amount_minor: i64,
) -> NewPayment {
    NewPayment {
        direction,
        party_id,
        paid_on,
        currency: Currency::EUR,
        amount_minor,
        base_minor: None,
        method: Method::Transfer,
        reference: None,
        external_ref: None,
        allocations: Vec::new(),
    }
}

pub(super) async fn record(scope: &Scope, new: NewPayment) -> Result<Uuid, Error> {
    write!(scope, [new], tx => payment::record(tx, new).await)
}

pub(super) async fn allocate(
    scope: &Scope,
    id: Uuid,
    allocations: Vec<(Target, i64)>,
) -> Result<Vec<Uuid>, Error> {
    write!(scope, [allocations], tx => payment::allocate(tx, id, &allocations).await)
}

pub(super) async fn deallocate(scope: &Scope, id: Uuid) -> Result<Uuid, Error> {
    write!(scope, [], tx => payment::deallocate(tx, id).await)
}

pub(super) async fn bounce(scope: &Scope, id: Uuid, on: NaiveDate) -> Result<(), Error> {
    write!(scope, [], tx => payment::bounce(tx, id, on, "insufficient funds").await)
}

/// Sets a credit note against a document of its side.
pub(super) async fn credit(
    scope: &Scope,
    note: Target,
    document: Target,
    amount: i64,
) -> Result<Uuid, Error> {
    write!(scope, [], tx => match document {
        Target::Invoice(id) => payment::credit(tx, note.id(), id, amount).await,
        Target::Bill(id) => payment::bill_credit(tx, note.id(), id, amount).await,
    })
}

/// A document that has something open.
#[derive(Clone, Debug)]
pub(super) struct Open {
    pub(super) target: Target,
    pub(super) open: i64,
}

pub(super) struct World {
    pub(super) test: Arc<TestDb>,
    pub(super) scope: Scope,
    codes: HashMap<String, Uuid>,
}

impl World {
    pub(super) async fn new() -> Self {
        let test = TestDb::new().await;
        test.clock.set(testing::at("2026-03-16T10:00:00Z"));
        Self::in_database(Arc::new(test)).await
    }

    /// Another company in the same database.
    pub(super) async fn beside(other: &Self) -> Self {
        Self::in_database(other.test.clone()).await
    }

    async fn in_database(test: Arc<TestDb>) -> Self {
        let scope = test.company().await;
        Shop::furnish(&scope).await;
        let tx = scope.read().await.expect("snapshot");
        let filter = tax_code::service::TaxCodeFilter::default();
        let page = tax_code::service::list(&tx, &filter, &Slice::first(100)).await.expect("codes");
        tx.end().await;
        let codes = page.items.into_iter().map(|code| (code.code, code.id)).collect();
        Self { test, scope, codes }
    }

    pub(super) fn days_later(&self, days: u64) {
        let then = self.scope.today() + Days::new(days);
        self.test.clock.set(then.and_time(NaiveTime::from_hms_opt(10, 0, 0).expect("ten")).and_utc());
    }

    pub(super) fn tomorrow(&self) {
        self.days_later(1);
    }

    async fn party(&self, new: NewParty) -> Uuid {
        let made: Result<_, Error> = write!(self.scope, [new], tx => party::service::create(tx, new).await);
        made.expect("a party")
    }

    pub(super) async fn customer(&self, name: &str) -> Uuid {
        let name = name.to_owned();
        self.party(NewParty { is_customer: true, name, country: "FR".to_owned(), ..NewParty::default() })
            .await
    }

    pub(super) async fn supplier(&self, name: &str, vat_on_payment: bool) -> Uuid {
        let (name, country) = (name.to_owned(), "FR".to_owned());
        self.party(NewParty { is_supplier: true, name, country, vat_on_payment, ..NewParty::default() }).await
    }

    /// Sets the rate of a currency, from today on.
    pub(super) async fn rate(&self, code: &str, rate: &str) {
        let currency = Currency::parse(code).expect("currency");
        let (on, rate): (_, Decimal) = (self.scope.today(), rate.parse().expect("rate"));
        let set: Result<_, Error> = write!(self.scope, [], tx => {
            Ok(ledger::rate::service::set(tx, currency, on, rate, None).await?)
        });
        set.expect("a rate");
    }

    /// A draft of lines, each a net amount in minor units at 20 % and whether its tax waits for payment.
    async fn draft_in(&self, code: &str, customer_id: Uuid, lines: &[(i64, bool)]) -> Uuid {
        let currency = Currency::parse(code).expect("currency");
        let line = |(net, waits): &(i64, bool)| NewLine {
            item_id: None,
            description: Some("Work".to_owned()),
            quantity: Decimal::ONE,
            unit: None,
            unit_price: Some(currency.from_minor(*net)),
            discount_percent: None,
            tax_code_id: Some(self.codes[if *waits { "S20S" } else { "S20" }]),
            account_id: None,
            nature: None,
        };
        let new = NewInvoice {
            customer_id,
            currency: Some(code.to_owned()),
            payment_days: None,
            end_of_month: None,
            delivery_date: None,
            buyer_reference: None,
            order_reference: None,
            note: None,
            external_ref: None,
            lines: lines.iter().map(line).collect(),
        };
        let made: Result<_, Error> = write!(self.scope, [new], tx => service::create_draft(tx, new).await);
        made.expect("a draft")
    }

    pub(super) async fn draft(&self, customer: Uuid, lines: &[(i64, bool)]) -> Uuid {
        self.draft_in("EUR", customer, lines).await
    }

    /// An issued invoice.
    pub(super) async fn invoice_in(&self, currency: &str, customer: Uuid, lines: &[(i64, bool)]) -> Uuid {
        let id = self.draft_in(currency, customer, lines).await;
        let issued: Result<_, Error> = write!(self.scope, [], tx => service::issue(tx, id, 1, None).await);
        issued.expect("issued");
        id
    }

    pub(super) async fn invoice(&self, customer: Uuid, lines: &[(i64, bool)]) -> Uuid {
        self.invoice_in("EUR", customer, lines).await
    }

    /// An issued credit note of about so many percent of each line; `None` when nothing is left to credit.
    pub(super) async fn credit_note(&self, invoice_id: Uuid, percent: i64) -> Option<Uuid> {
        let row = self.invoice_row(invoice_id).await;
        let currency = Currency::parse(&row.currency).expect("currency");
        let tx = self.scope.read().await.expect("snapshot");
        let lines =
            reading::lines_of(&tx, &[invoice_id], &kernel::sparse::Columns::All).await.expect("lines");
        tx.end().await;
        let part = |line: &entity::invoicing::invoice_line::Model| CreditLine {
            line_id: line.id,
            amount: CreditAmount::Net(currency.from_minor((line.net_minor * percent / 100).max(1))),
            description: None,
        };
        let lines = (percent < 100).then(|| lines.iter().map(part).collect());
        let new = NewCreditNote { invoice_id, lines, note: None, external_ref: None };
        let issued = write!(self.scope, [new], tx => {
            let id = credit_note::service::create_draft(tx, new).await?;
            service::issue(tx, id, 1, None).await?;
            Ok(id)
        });
        match issued {
            Ok(id) => Some(id),
            Err(Error::CreditExceedsInvoice { .. } | Error::NothingLeftToCredit) => None,
            Err(error) => panic!("{error:?}"),
        }
    }

    async fn posted_bill(
        &self,
        kind: BillKind,
        code: &str,
        supplier_id: Uuid,
        lines: &[(i64, bool)],
    ) -> Uuid {
        let currency = Currency::parse(code).expect("currency");
        let line = |(net, _): &(i64, bool)| bill::NewLine {
            description: "Work".to_owned(),
            net: Some(currency.from_minor(*net)),
            category: "S".to_owned(),
            rate: Decimal::from(20),
            ..bill::NewLine::default()
        };
        let new = NewBill {
            kind,
            supplier_id,
            number: kernel::id::new().to_string(),
            issue_date: self.scope.today(),
            due_date: None,
            currency: Some(code.to_owned()),
            corrects_id: None,
            vat_on_payment: None,
            lines: lines.iter().map(line).collect(),
            taxes: None,
            totals: Totals::default(),
            file_id: None,
            external_ref: None,
        };
        let posted: Result<_, Error> = write!(self.scope, [new], tx => {
            let id = bill::service::enter(tx, new).await?;
            bill::service::approve(tx, id, 1).await?;
            bill::service::post(tx, id, 2, None).await
        });
        posted.expect("a posted bill")
    }

    pub(super) async fn bill_in(&self, currency: &str, supplier: Uuid, lines: &[(i64, bool)]) -> Uuid {
        self.posted_bill(BillKind::Bill, currency, supplier, lines).await
    }

    pub(super) async fn bill(&self, supplier: Uuid, lines: &[(i64, bool)]) -> Uuid {
        self.bill_in("EUR", supplier, lines).await
    }

    pub(super) async fn supplier_credit_in(
        &self,
        currency: &str,
        supplier: Uuid,
        lines: &[(i64, bool)],
    ) -> Uuid {
        self.posted_bill(BillKind::CreditNote, currency, supplier, lines).await
    }

    pub(super) async fn supplier_credit(&self, supplier: Uuid, lines: &[(i64, bool)]) -> Uuid {
        self.supplier_credit_in("EUR", supplier, lines).await
    }

    /// What is open of a party and settled by payments that go this way.
    pub(super) async fn open_of(&self, party: Uuid, direction: Direction) -> Vec<Open> {
        let (invoices, bills) = match direction {
            Direction::Received => ("invoice", "credit_note"),
            Direction::Made => ("credit_note", "bill"),
        };
        let mut db = self.test.superuser().await;
        let rows: Vec<(bool, Uuid, i64)> = sqlx::query_as(
            "SELECT true, id, open_minor FROM invoice
                 WHERE customer_id = $1 AND kind = $2 AND state = 'issued' AND open_minor > 0
             UNION ALL
             SELECT false, id, payable_minor - settled_minor - credited_minor FROM bill
                 WHERE supplier_id = $1 AND kind = $3 AND state = 'posted'
                   AND payable_minor > settled_minor + credited_minor
             ORDER BY 2",
        )
        .bind(party)
        .bind(invoices)
        .bind(bills)
        .fetch_all(&mut db)
        .await
        .expect("open documents");
        let target = |sales, id| if sales { Target::Invoice(id) } else { Target::Bill(id) };
        rows.into_iter().map(|(sales, id, open)| Open { target: target(sales, id), open }).collect()
    }

    /// The customer's first invoice of which something is left to credit, if there is one.
    pub(super) async fn some_invoice(&self, customer: Uuid) -> Option<Uuid> {
        let mut db = self.test.superuser().await;
        sqlx::query_scalar(
            "SELECT id FROM invoice i WHERE customer_id = $1 AND kind = 'invoice' AND state = 'issued'
             ORDER BY (SELECT count(*) FROM invoice c WHERE c.corrects_id = i.id), id LIMIT 1",
        )
        .bind(customer)
        .fetch_optional(&mut db)
        .await
        .expect("an invoice")
    }

    pub(super) async fn payment(&self, id: Uuid) -> row::Model {
        let tx = self.scope.read().await.expect("snapshot");
        let row = payment::get(&tx, id).await.expect("payment");
        tx.end().await;
        row
    }

    pub(super) async fn standing_of(&self, payment: Uuid) -> Vec<allocation::Model> {
        let tx = self.scope.read().await.expect("snapshot");
        let rows = payment::allocations_of_payments(&tx, &[payment]).await.expect("allocations");
        tx.end().await;
        rows
    }

    pub(super) async fn allocations_of(&self, payment: Uuid) -> Vec<Uuid> {
        self.standing_of(payment).await.into_iter().map(|row| row.id).collect()
    }

    pub(super) async fn allocations_of_invoice(&self, invoice: Uuid) -> Vec<allocation::Model> {
        let tx = self.scope.read().await.expect("snapshot");
        let rows = payment::allocations_of_invoices(&tx, &[invoice]).await.expect("allocations");
        tx.end().await;
        rows
    }

    pub(super) async fn invoice_row(&self, id: Uuid) -> invoice::Model {
        let tx = self.scope.read().await.expect("snapshot");
        let row = reading::get(&tx, id).await.expect("invoice");
        tx.end().await;
        row
    }

    pub(super) async fn state_of(&self, invoice: Uuid) -> Option<PaymentState> {
        payment_state(&self.invoice_row(invoice).await, self.scope.today())
    }

    /// The lines of an entry: journal, account, and amount with debits positive.
    pub(super) async fn lines_of(&self, entry: Uuid) -> Vec<(String, String, i64)> {
        let mut db = self.test.superuser().await;
        sqlx::query_as(
            "SELECT j.code, a.number, p.debit_minor - p.credit_minor FROM posting p
                 JOIN journal_entry e ON e.tenant_id = p.tenant_id AND e.id = p.entry_id
                 JOIN journal j ON j.tenant_id = e.tenant_id AND j.id = e.journal_id
                 JOIN account a ON a.tenant_id = p.tenant_id AND a.id = p.account_id
             WHERE p.entry_id = $1 ORDER BY p.line_no",
        )
        .bind(entry)
        .fetch_all(&mut db)
        .await
        .expect("lines")
    }

    /// A line as [`Self::lines_of`] answers it.
    pub(super) fn line((journal, account, minor): (&str, &str, i64)) -> (String, String, i64) {
        (journal.to_owned(), account.to_owned(), minor)
    }

    pub(super) async fn date_of(&self, entry: Uuid) -> NaiveDate {
        let mut db = self.test.superuser().await;
        let date = sqlx::query_scalar("SELECT entry_date FROM journal_entry WHERE id = $1").bind(entry);
        date.fetch_one(&mut db).await.expect("an entry")
    }

    /// The kinds of a thing's events, in order.
    pub(super) async fn events_of(&self, subject: Uuid) -> Vec<String> {
        let mut db = self.test.superuser().await;
        let kinds = sqlx::query_scalar("SELECT kind FROM event WHERE subject_id = $1 ORDER BY position")
            .bind(subject);
        kinds.fetch_all(&mut db).await.expect("events")
    }

    /// How many rows the tables have that payments write.
    pub(super) async fn rows(&self) -> Vec<(String, i64)> {
        let mut db = self.test.superuser().await;
        let tables = ["payment", "allocation", "journal_entry", "posting", "matching", "event"];
        let mut rows = Vec::new();
        for table in tables {
            let sql = format!("SELECT count(*) FROM {table} WHERE tenant_id = $1");
            let count = sqlx::query_scalar(sqlx::AssertSqlSafe(sql)).bind(self.scope.company().id);
            rows.push((table.to_owned(), count.fetch_one(&mut db).await.expect("count")));
        }
        rows
    }

    /// Locks the period of a day, as an accountant does at the end of a month.
    pub(super) async fn lock_month(&self, within: &str) {
        let mut db = self.test.superuser().await;
        sqlx::query(
            "UPDATE period SET state = 'locked' WHERE tenant_id = $1 AND $2 BETWEEN first_day AND last_day",
        )
        .bind(self.scope.company().id)
        .bind(day(within))
        .execute(&mut db)
        .await
        .expect("locked");
    }
}
