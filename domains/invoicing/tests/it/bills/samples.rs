//! Every sample invoice of the standard becomes a bill, is approved and posted.

use std::path::Path;

use invoicing::Error;
use invoicing::bill::BillKind;
use invoicing::bill::service::Imported;
use invoicing::einvoice;
use kernel::{Currency, DomainError};
use testing::day;

use super::{Desk, first};
use crate::fixture::{number, write};

/// The samples; those of one group say the same number of the same supplier, in another syntax.
const SAMPLES: [(&str, Option<&str>); 14] = [
    ("CII_example1.xml", None),
    ("CII_example2.xml", None),
    ("CII_example3.xml", None),
    ("CII_example4.xml", None),
    ("CII_example5.xml", None),
    ("CII_example6.xml", None),
    ("facturx-fr-good.xml", None),
    ("ubl-tc434-creditnote1.xml", None),
    ("ubl-tc434-example1.xml", Some("CII_example1.xml")),
    ("ubl-tc434-example2.xml", Some("CII_example2.xml")),
    ("ubl-tc434-example3.xml", Some("CII_example3.xml")),
    ("ubl-tc434-example4.xml", Some("CII_example4.xml")),
    ("ubl-tc434-example5.xml", Some("CII_example5.xml")),
    ("ubl-tc434-example6.xml", Some("CII_example6.xml")),
];

pub(super) fn bytes(name: &str) -> Vec<u8> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/einvoices").join(name);
    std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Rates for all that the samples are written in; they are years old.
pub(super) async fn set_rates(desk: &Desk) {
    for (code, rate) in [("NOK", "0.1268"), ("DKK", "0.13413")] {
        let currency = Currency::parse(code).expect("a currency");
        let rate = number(rate);
        let set = write!(desk.shop.scope, [], tx => {
            ledger::rate::service::set(tx, currency, day("2013-01-01"), rate, None).await
        });
        set.expect("a rate");
    }
}

#[tokio::test]
async fn every_sample_is_imported_approved_and_posted() {
    for (name, _) in SAMPLES {
        let desk = Desk::new().await;
        let stated = einvoice::read(&bytes(name)).expect(name);
        let file = desk.upload(&bytes(name)).await;
        let Imported::Bill(id) = desk.import(file).await else { panic!("{name} is refused") };
        let bill = desk.bill(id).await;
        let currency = Currency::parse(&bill.currency).expect("a currency");
        let kind = if stated.kind == einvoice::Kind::Invoice { BillKind::Bill } else { BillKind::CreditNote };
        assert_eq!((bill.kind.as_str(), bill.state.as_str()), (kind.as_str(), "received"), "{name}");
        assert_eq!((&bill.number, bill.issue_date), (&stated.number, stated.issue_date), "{name}");
        assert_eq!(currency.from_minor(bill.payable_minor), stated.totals.due, "{name}");
        assert_eq!(currency.from_minor(bill.total_minor), stated.totals.with_vat, "{name}");
        assert_eq!(Some(currency.from_minor(bill.tax_minor)), stated.totals.vat, "{name}");
        assert_eq!(desk.lines(id).await.len(), stated.lines.len(), "{name}");
        assert_eq!(desk.taxes(id).await.len(), stated.vat.len(), "{name}");
        let known = einvoice::findings(&stated);
        let ahead = usize::from(stated.issue_date > desk.shop.scope.today());
        assert_eq!(desk.findings(id).await.len(), known.len() + ahead, "{name}");
        assert_eq!(usize::try_from(bill.finding_count).ok(), Some(known.len() + ahead), "{name}");

        desk.approve(id).await.expect(name);
        if currency != Currency::EUR {
            let missing = desk.post(id).await.expect_err("a rate is missing");
            assert_eq!(missing.code(), "RATE_MISSING", "{name}: {missing}");
            set_rates(&desk).await;
        }
        desk.post(id).await.unwrap_or_else(|error| panic!("{name}: {error}"));
        let bill = desk.bill(id).await;
        let rate = bill.rate.expect("a rate");
        let payable = Currency::EUR.to_minor(stated.totals.due * rate).expect("an amount");
        let sign = if kind == BillKind::Bill { -1 } else { 1 };
        assert_eq!(desk.on(id, "401").await, sign * payable, "{name}: the stated payable amount");
        assert_eq!(bill.payable_base_minor, payable, "{name}");
        let small = desk.on(id, "658").await + desk.on(id, "758").await;
        let rounding = Currency::EUR.to_minor(stated.totals.rounding.unwrap_or_default() * rate);
        assert_eq!(Some(small), rounding, "{name}: the samples add up");
    }
}

#[tokio::test]
async fn all_samples_live_in_one_company_and_each_comes_once() {
    let desk = Desk::new().await;
    set_rates(&desk).await;
    let mut bills = std::collections::HashMap::new();
    for (name, twin) in SAMPLES {
        let file = desk.upload(&bytes(name)).await;
        match (desk.import(file).await, twin.and_then(|twin| bills.get(twin).copied())) {
            (Imported::Bill(id), None) => {
                bills.insert(name, id);
            }
            (Imported::Refused(Error::DuplicateBill { first }), Some(known)) => {
                assert_eq!(first, known, "{name}");
            }
            (Imported::Bill(_), Some(first)) => panic!("{name} came as {first} before"),
            (Imported::Refused(other), _) => panic!("{name}: {other}"),
        }
        let again = desk.upload(&bytes(name)).await;
        let Imported::Refused(refusal) = desk.import(again).await else { panic!("{name} came twice") };
        let known = bills.get(name).or_else(|| bills.get(twin?)).copied();
        assert_eq!(Some(first::<()>(Err(refusal))), known, "{name}");
    }
    for (name, id) in &bills {
        desk.approve(*id).await.expect(name);
        desk.post(*id).await.expect(name);
    }
    desk.shop.test.settle().await;
    let open = desk.shop.figure(
        "SELECT sum(CASE kind WHEN 'bill' THEN 1 ELSE -1 END * payable_base_minor)::bigint FROM bill WHERE tenant_id = $1",
    );
    let owed = desk.shop.figure(
        "SELECT sum(p.credit_minor - p.debit_minor)::bigint FROM posting p JOIN account a ON a.id = p.account_id
         WHERE p.tenant_id = $1 AND a.number = '401'",
    );
    assert_eq!(open.await, owed.await);
}
