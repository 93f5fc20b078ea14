//! Supplier bills: their way from the letter box to the ledger.

mod import;
mod life;
mod lists;
mod posting;
mod samples;
mod walls;

use documents::file::NewUpload;
use documents::file::service::{self as files, Content};
use documents::{BodyError, Files};
use entity::invoicing::{bill, bill_finding, bill_line, bill_tax};
use futures_util::StreamExt;
use invoicing::Error;
use invoicing::bill::service::{self, Imported};
use invoicing::bill::{BillKind, Correction, NewBill, NewLine, Totals};
use kernel::{Actor, DomainError, PermissionSet, Scope};
use rust_decimal::Decimal;
use testing::day;
use uuid::Uuid;

use crate::fixture::{Shop, number, write};

/// A company with a place for its files, and a colleague who approves.
struct Desk {
    shop: Shop,
    /// Everything in it is kept until the test ends.
    _folder: tempfile::TempDir,
    files: Files,
    colleague: Scope,
}

/// A line of an entry: account number, debit − credit, tax code and base.
type Posted = (String, i64, Option<(String, i64)>);

impl Desk {
    async fn new() -> Self {
        Self::of(Shop::new().await)
    }

    fn of(shop: Shop) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let files = Files::local(folder.path()).expect("files");
        let colleague = shop.acting(Actor::Person(kernel::id::new()), PermissionSet::all());
        Self { shop, _folder: folder, files, colleague }
    }

    /// A bill of the supplier with these lines, as it is typed.
    fn typed(&self, number: &str, lines: Vec<NewLine>) -> NewBill {
        NewBill {
            kind: BillKind::Bill,
            supplier_id: self.shop.supplier,
            number: number.to_owned(),
            issue_date: day("2026-06-01"),
            due_date: None,
            currency: None,
            corrects_id: None,
            vat_on_payment: None,
            lines,
            taxes: None,
            totals: Totals::default(),
            file_id: None,
            external_ref: None,
        }
    }

    async fn enter(&self, new: NewBill) -> Result<Uuid, Error> {
        enter(&self.shop.scope, new).await
    }

    async fn approve(&self, id: Uuid) -> Result<Uuid, Error> {
        let version = self.bill(id).await.version;
        write!(self.colleague, [], tx => service::approve(tx, id, version).await)
    }

    async fn post(&self, id: Uuid) -> Result<Uuid, Error> {
        let version = self.bill(id).await.version;
        write!(self.shop.scope, [], tx => service::post(tx, id, version, None).await)
    }

    async fn reject(&self, id: Uuid) -> Result<Uuid, Error> {
        let version = self.bill(id).await.version;
        write!(self.shop.scope, [], tx => service::reject(tx, id, version, "Montant erroné").await)
    }

    async fn correct(&self, id: Uuid, correction: Correction) -> Result<Uuid, Error> {
        let version = self.bill(id).await.version;
        write!(self.shop.scope, [correction], tx => service::correct(tx, id, version, &correction).await)
    }

    /// Enters, approves and posts.
    async fn posted(&self, new: NewBill) -> Uuid {
        let id = self.enter(new).await.expect("entered");
        self.approve(id).await.expect("approved");
        self.post(id).await.expect("posted")
    }

    async fn bill(&self, id: Uuid) -> bill::Model {
        let tx = self.shop.scope.read().await.expect("snapshot");
        let bill = service::get(&tx, id).await.expect("a bill");
        tx.end().await;
        bill
    }

    async fn lines(&self, id: Uuid) -> Vec<bill_line::Model> {
        let tx = self.shop.scope.read().await.expect("snapshot");
        let lines = service::lines_of(&tx, &[id]).await.expect("lines");
        tx.end().await;
        lines
    }

    async fn taxes(&self, id: Uuid) -> Vec<bill_tax::Model> {
        let tx = self.shop.scope.read().await.expect("snapshot");
        let taxes = service::taxes_of(&tx, &[id]).await.expect("taxes");
        tx.end().await;
        taxes
    }

    async fn findings(&self, id: Uuid) -> Vec<bill_finding::Model> {
        let tx = self.shop.scope.read().await.expect("snapshot");
        let findings = service::findings_of(&tx, &[id]).await.expect("findings");
        tx.end().await;
        findings
    }

    /// The lines of a bill's entry, read past every policy, as they were written.
    async fn entry(&self, id: Uuid) -> Vec<Posted> {
        let mut superuser = self.shop.test.superuser().await;
        let rows: Vec<(String, i64, Option<String>, Option<i64>)> = sqlx::query_as(
            "SELECT a.number, p.debit_minor - p.credit_minor, p.tax_code, p.tax_base_minor
             FROM bill b JOIN posting p ON p.entry_id = b.entry_id JOIN account a ON a.id = p.account_id
             WHERE b.id = $1 ORDER BY p.line_no",
        )
        .bind(id)
        .fetch_all(&mut superuser)
        .await
        .expect("an entry");
        assert_eq!(rows.iter().map(|row| row.1).sum::<i64>(), 0, "the entry balances");
        rows.into_iter().map(|(number, amount, code, base)| (number, amount, code.zip(base))).collect()
    }

    /// The balance of an account in a bill's entry, debit positive.
    async fn on(&self, id: Uuid, account: &str) -> i64 {
        self.entry(id).await.iter().filter(|line| line.0 == account).map(|line| line.1).sum()
    }

    async fn account(&self, number: &str) -> Uuid {
        let tx = self.shop.scope.read().await.expect("snapshot");
        let account = ledger::account::service::by_number(&tx, number).await.expect("read").expect(number);
        tx.end().await;
        account.id
    }

    /// Uploads bytes as a file of the company.
    async fn upload(&self, bytes: &[u8]) -> Uuid {
        let upload = NewUpload {
            name: "facture.xml".to_owned(),
            media_type: "application/xml".to_owned(),
            size_bytes: bytes.len() as u64,
        };
        let scope = &self.shop.scope;
        let announced: Result<_, documents::Error> =
            write!(scope, [upload], tx => files::create_upload(tx, &upload).await);
        let announced = announced.expect("announced");
        let grant =
            files::upload_grant(scope.vault(), &announced.token, scope.clock().now()).expect("a grant");
        let piece: Result<bytes::Bytes, BodyError> = Ok(bytes::Bytes::copy_from_slice(bytes));
        let body = futures_util::stream::iter([piece]).boxed();
        files::store(scope, &self.files, &grant, body).await.expect("stored")
    }

    /// What a file holds, read as the API reads it: in a snapshot, before the transaction.
    async fn content(&self, file: Uuid) -> Result<Content, Error> {
        let snapshot = self.shop.scope.read().await.expect("snapshot");
        let content = service::read_file(&snapshot, &self.files, file).await;
        snapshot.end().await;
        content
    }

    async fn import(&self, file: Uuid) -> Imported {
        match self.content(file).await {
            Ok(content) => {
                let scope = &self.shop.scope;
                write!(scope, [content], tx => service::import_file(tx, &content).await).expect("no fault")
            }
            Err(refusal) => Imported::Refused(refusal),
        }
    }
}

async fn enter(scope: &Scope, new: NewBill) -> Result<Uuid, Error> {
    write!(scope, [new], tx => service::enter(tx, new).await)
}

/// A typed line of an amount at a rate of category S.
fn line(net: &str, rate: &str) -> NewLine {
    in_category("S", net, rate)
}

fn in_category(category: &str, net: &str, rate: &str) -> NewLine {
    NewLine {
        description: "Ramettes de papier".to_owned(),
        net: Some(number(net)),
        category: category.to_owned(),
        rate: number(rate),
        ..NewLine::default()
    }
}

#[expect(clippy::unnecessary_wraps, reason = "totals are optional, and stated here")]
fn dec(text: &str) -> Option<Decimal> {
    Some(number(text))
}

fn plain(account: &str, amount: i64) -> Posted {
    (account.to_owned(), amount, None)
}

fn taxed(account: &str, amount: i64, code: &str, base: i64) -> Posted {
    (account.to_owned(), amount, Some((code.to_owned(), base)))
}

fn code<T: std::fmt::Debug>(result: Result<T, Error>) -> &'static str {
    result.expect_err("refused").code()
}

/// The bill that a refusal names as the first one.
fn first<T: std::fmt::Debug>(result: Result<T, Error>) -> Uuid {
    match result.expect_err("refused") {
        Error::DuplicateBill { first } => first,
        other => panic!("{other}"),
    }
}
