//! Files become bills: suppliers, duplicates, refusals, one bad file among good ones.

use invoicing::Error;
use invoicing::bill::Correction;
use invoicing::bill::service::{self, Imported};
use kernel::DomainError;
use testing::day;
use uuid::Uuid;

use super::samples::bytes;
use super::{Desk, code};
use crate::fixture::{Shop, write};

const GOOD: &str = "facturx-fr-good.xml";

/// The good sample with texts replaced; each must be there.
fn variant(changes: &[(&str, &str)]) -> Vec<u8> {
    let mut text = String::from_utf8(bytes(GOOD)).expect("UTF-8");
    for (from, to) in changes {
        assert!(text.contains(from), "{from}");
        text = text.replace(from, to);
    }
    text.into_bytes()
}

async fn imported(desk: &Desk, content: &[u8]) -> Uuid {
    let file = desk.upload(content).await;
    match desk.import(file).await {
        Imported::Bill(id) => id,
        Imported::Refused(error) => panic!("{error}"),
    }
}

async fn refused(desk: &Desk, content: &[u8]) -> Error {
    let file = desk.upload(content).await;
    match desk.import(file).await {
        Imported::Bill(id) => panic!("{id} was recorded"),
        Imported::Refused(error) => error,
    }
}

#[tokio::test]
async fn an_unknown_supplier_is_created_and_found_again() {
    let desk = Desk::new().await;
    let id = imported(&desk, &bytes(GOOD)).await;
    let bill = desk.bill(id).await;
    assert_eq!((bill.source.as_str(), bill.due_date), ("cii", day("2026-12-23")));
    let tx = desk.shop.scope.read().await.expect("snapshot");
    let supplier = invoicing::party::service::get(&tx, bill.supplier_id).await.expect("a supplier");
    assert!(supplier.is_supplier && !supplier.is_customer);
    assert_eq!(supplier.name, "Atelier Durand SAS");
    assert_eq!(supplier.vat_id.as_deref(), Some("FR11123456782"));
    assert_eq!(
        (supplier.siret.as_deref(), supplier.city.as_deref()),
        (Some("12345678200010"), Some("Paris"))
    );
    assert_eq!(supplier.iban_hint.as_deref(), Some("0189"));
    tx.end().await;
    let next = imported(&desk, &variant(&[("FA-2026-0001", "FA-2026-0002")])).await;
    assert_eq!(desk.bill(next).await.supplier_id, bill.supplier_id);
    let document = bill.document.expect("the document").to_string();
    for secret in ["FR7630006000011234567890189", "30006000011234567890189"] {
        assert!(!document.contains(secret), "an account number is kept sealed only");
    }
    assert_eq!(bill.file_sha256.as_deref().map(<[u8]>::len), Some(32));
}

#[tokio::test]
async fn the_same_file_and_the_same_number_come_once() {
    let desk = Desk::new().await;
    let id = imported(&desk, &bytes(GOOD)).await;
    let same_file = refused(&desk, &bytes(GOOD)).await;
    let same_number = refused(&desk, &variant(&[("Livre de comptabilité", "Livre")])).await;
    for refusal in [same_file, same_number] {
        assert!(matches!(refusal, Error::DuplicateBill { first } if first == id), "{refusal}");
        assert_eq!(refusal.code(), "DUPLICATE_BILL");
        assert!(refusal.to_string().contains(&kernel::id::encode(kernel::Kind::Bill, id)));
    }
    desk.reject(id).await.expect("rejected");
    let again = imported(&desk, &bytes(GOOD)).await;
    assert_ne!(again, id);
}

#[tokio::test]
async fn of_many_imports_of_one_file_at_once_one_succeeds() {
    let desk = Desk::of(Shop::with_connections(10).await);
    let file = desk.upload(&bytes(GOOD)).await;
    let twin = desk.upload(&bytes(GOOD)).await;
    let other = desk.upload(&variant(&[("Livre de comptabilité", "Livre")])).await;
    let attempts = [file, twin, other, file, twin, other].map(|file| desk.import(file));
    let results = futures_util::future::join_all(attempts).await;
    let bills: Vec<Uuid> =
        results.iter().filter_map(|r| if let Imported::Bill(id) = r { Some(*id) } else { None }).collect();
    let [id] = bills[..] else { panic!("{results:?}") };
    for result in results {
        if let Imported::Refused(refusal) = result {
            assert!(matches!(refusal, Error::DuplicateBill { first } if first == id), "{refusal}");
        }
    }
    assert_eq!(desk.shop.figure("SELECT count(*) FROM bill WHERE tenant_id = $1").await, 1);
    let suppliers = "SELECT count(*) FROM party WHERE tenant_id = $1 AND name = 'Atelier Durand SAS'";
    assert_eq!(desk.shop.figure(suppliers).await, 1);
}

#[tokio::test]
async fn one_bad_file_does_not_stop_the_others() {
    let desk = Desk::new().await;
    let uploads = [
        desk.upload(b"this is no XML").await,
        desk.upload(&bytes(GOOD)).await,
        desk.upload(&variant(&[("FA-2026-0001", "FA-2026-0002"), ("EUR", "XXX")])).await,
        kernel::id::new(),
        desk.upload(&bytes("CII_example1.xml")).await,
        desk.upload(&bytes("CII_example1.xml")).await,
    ];
    // As the API does it: read beforehand, then one transaction for all.
    let mut contents = Vec::new();
    for upload in uploads {
        contents.push(desk.content(upload).await.map_err(|refusal| refusal.code()));
    }
    let results = write!(desk.shop.scope, [contents], tx => {
        let mut told = Vec::new();
        for content in contents {
            told.push(match content {
                Err(code) => code,
                Ok(content) => match service::import_file(tx, &content).await? {
                    Imported::Bill(_) => "bill",
                    Imported::Refused(error) => error.code(),
                },
            });
        }
        Ok::<_, Error>(told)
    });
    assert_eq!(
        results.expect("no fault"),
        ["NOT_XML", "bill", "INVALID", "NOT_FOUND", "bill", "DUPLICATE_BILL"]
    );
    assert_eq!(desk.shop.figure("SELECT count(*) FROM bill WHERE tenant_id = $1").await, 2);
    let orphans = "SELECT count(*) FROM party p WHERE tenant_id = $1 AND created_by = 'x'";
    assert_eq!(desk.shop.figure(orphans).await, 0);
}

#[tokio::test]
async fn what_was_read_must_be_the_stored_file_of_the_company() {
    let desk = Desk::new().await;
    let content = desk.content(desk.upload(&bytes(GOOD)).await).await.expect("its bytes");
    let mut other = content.clone();
    other.file.sha256 = Some(vec![0; 32]);
    let scope = &desk.shop.scope;
    let fault = write!(scope, [other], tx => service::import_file(tx, &other).await).expect_err("not it");
    assert_eq!(fault.code(), "INTERNAL");
    let stranger = desk.shop.test.company().await;
    let theirs = write!(stranger, [content], tx => service::import_file(tx, &content).await);
    let Ok(Imported::Refused(refusal)) = theirs else { panic!("another company's file") };
    let Imported::Refused(unknown) = desk.import(kernel::id::new()).await else { panic!("no file") };
    assert_eq!((refusal.code(), refusal.to_string()), (unknown.code(), unknown.to_string()));
    assert_eq!(desk.shop.figure("SELECT count(*) FROM bill WHERE tenant_id = $1").await, 0);
}

#[tokio::test]
async fn what_cannot_be_recorded_is_refused_and_leaves_nothing() {
    let desk = Desk::new().await;
    let parties = "SELECT count(*) FROM party WHERE tenant_id = $1";
    let before = desk.shop.figure(parties).await;
    let long = "9".repeat(101);
    for (change, expected) in [
        (("EUR", "XXX"), "INVALID"),
        (("FA-2026-0001", long.as_str()), "INVALID"),
        (("52.01", "99999999999999999"), "AMOUNT_TOO_LARGE"),
    ] {
        let refusal = refused(&desk, &variant(&[change])).await;
        assert_eq!(refusal.code(), expected, "{change:?}: {refusal}");
    }
    let refusal = refused(&desk, b"<!DOCTYPE x><x/>").await;
    assert_eq!(refusal.code(), "DOCTYPE_FORBIDDEN");
    let pending = write!(desk.shop.scope, [], tx => {
        let upload = documents::file::NewUpload { name: "a.xml".to_owned(), media_type: "text/xml".to_owned(), size_bytes: 3 };
        documents::file::service::create_upload(tx, &upload).await
    });
    let pending = pending.expect("announced").file_id;
    let Imported::Refused(refusal) = desk.import(pending).await else { panic!("nothing was uploaded") };
    assert_eq!(refusal.code(), "NOT_STORED");
    assert_eq!(desk.shop.figure(parties).await, before);
    assert_eq!(desk.shop.figure("SELECT count(*) FROM bill WHERE tenant_id = $1").await, 0);
}

#[tokio::test]
async fn what_does_not_add_up_is_recorded_with_its_findings_and_not_posted() {
    let desk = Desk::new().await;
    let id = imported(&desk, &variant(&[("52.01", "62.01")])).await;
    let bill = desk.bill(id).await;
    assert_eq!(bill.payable_minor, 6_201, "as stated");
    let findings = desk.findings(id).await;
    let rules: Vec<_> = findings.iter().map(|finding| finding.rule.as_str()).collect();
    assert!(rules.contains(&"BR-CO-15"), "{rules:?}");
    assert_eq!(usize::try_from(bill.finding_count).ok(), Some(findings.len()));
    let wrong = findings.iter().find(|finding| finding.rule == "BR-CO-15").expect("found");
    assert_eq!((wrong.severity.as_str(), wrong.field.as_str()), ("error", "BT-112"));
    assert_eq!((wrong.expected, wrong.stated), (super::dec("52.01"), super::dec("62.01")));
    desk.approve(id).await.expect("approved");
    assert_eq!(code(desk.post(id).await), "DOES_NOT_ADD_UP");
    desk.reject(id).await.expect("rejected");

    // The same file again, corrected before approval.
    let id = imported(&desk, &variant(&[("52.01", "62.01")])).await;
    let totals = invoicing::bill::Totals {
        total: super::dec("52.01"),
        payable: super::dec("52.01"),
        ..Default::default()
    };
    desk.correct(id, Correction { totals, ..Correction::default() }).await.expect("corrected");
    assert_eq!(desk.findings(id).await.len(), findings.len(), "what was found stays found");
    desk.approve(id).await.expect("approved");
    desk.post(id).await.expect("posted");
    assert_eq!(desk.on(id, "401").await, -5_201);
}

#[tokio::test]
async fn a_credit_note_finds_the_bill_it_corrects() {
    let desk = Desk::new().await;
    let text = String::from_utf8(bytes("ubl-tc434-creditnote1.xml")).expect("UTF-8");
    let reference = "<cac:BillingReference><cac:InvoiceDocumentReference><cbc:ID>F-77</cbc:ID></cac:InvoiceDocumentReference></cac:BillingReference>";
    let at = text.find("<cac:AccountingSupplierParty>").expect("a supplier");
    let with_reference = format!("{}{reference}{}", &text[..at], &text[at..]);
    let unknown = imported(&desk, text.as_bytes()).await;
    let note = desk.bill(unknown).await;
    assert_eq!((note.kind.as_str(), note.corrects_id), ("credit_note", None));
    desk.reject(unknown).await.expect("rejected");
    let new = invoicing::bill::NewBill {
        supplier_id: note.supplier_id,
        ..desk.typed("F-77", vec![super::line("100.11", "20")])
    };
    let bill = desk.enter(new).await.expect("entered");
    let known = imported(&desk, with_reference.as_bytes()).await;
    assert_eq!(desk.bill(known).await.corrects_id, Some(bill));
    assert_eq!(desk.bill(known).await.due_date, day("2019-10-23"), "by the supplier's terms, 30 days");
}
