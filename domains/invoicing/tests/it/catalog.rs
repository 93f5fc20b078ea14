//! Tax codes and items.

use invoicing::Error;
use invoicing::catalog::item::service::{self as items, ItemFilter, ItemSort};
use invoicing::catalog::item::{ItemEdit, Nature, NewItem};
use invoicing::catalog::tax_code::NewTaxCode;
use invoicing::catalog::tax_code::service::{self as codes, TaxCodeFilter};
use invoicing::edit::Edit;
use invoicing::tax::{Category, Chargeable};
use kernel::DomainError;
use kernel::page::Slice;
use uuid::Uuid;

use crate::fixture::{Shop, number, write};

fn new_item(shop: &Shop, code: &str) -> NewItem {
    NewItem {
        code: code.to_owned(),
        name: format!("Article {code}"),
        nature: Nature::Goods,
        unit: None,
        unit_price: number("12.50"),
        currency: None,
        tax_code_id: shop.code("S20"),
        account_id: None,
        external_ref: None,
    }
}

async fn create(shop: &Shop, item: NewItem) -> Result<Uuid, Error> {
    write!(shop.scope, [item], tx => items::create(tx, item).await)
}

#[tokio::test]
async fn the_seeded_codes_cover_every_category() {
    let shop = Shop::new().await;
    let tx = shop.scope.read().await.expect("snapshot");
    let page = codes::list(&tx, &TaxCodeFilter::default(), &Slice::first(100)).await.expect("codes");
    let names: Vec<_> = page.items.iter().map(|code| code.code.as_str()).collect();
    assert_eq!(names, ["AE", "E0", "G", "K", "O", "S10", "S20", "S20S", "S21", "S55", "Z0"]);
    for category in Category::ALL {
        let filter = TaxCodeFilter { category: Some(*category), ..TaxCodeFilter::default() };
        assert!(codes::count(&tx, &filter).await.expect("count") > 0, "{category:?}");
    }
    let waiting = page.items.iter().find(|code| code.code == "S20S").expect("S20S");
    assert_eq!(waiting.chargeable, "payment");
    let k = page.items.iter().find(|code| code.code == "K").expect("K");
    assert!(k.reason.as_deref().is_some_and(|reason| reason.contains("262 ter I")));
}

#[tokio::test]
async fn a_tax_code_says_what_its_category_needs() {
    let shop = Shop::new().await;
    let new = |category, rate: &str, reason: Option<&str>, chargeable| NewTaxCode {
        code: "NEW".to_owned(),
        name: "Nouveau".to_owned(),
        category,
        rate: number(rate),
        reason: reason.map(str::to_owned),
        chargeable,
    };
    for (field, code) in [
        ("rate", new(Category::S, "0", None, Chargeable::Debits)),
        ("rate", new(Category::Z, "5", None, Chargeable::Debits)),
        ("rate", new(Category::S, "101", None, Chargeable::Debits)),
        ("rate", new(Category::S, "5.1234", None, Chargeable::Debits)),
        ("reason", new(Category::E, "0", Some(" "), Chargeable::Debits)),
        ("chargeable", new(Category::G, "0", Some("export"), Chargeable::Payment)),
    ] {
        let refused: Result<Uuid, Error> = write!(shop.scope, [code], tx => codes::create(tx, code).await);
        assert_eq!(refused.expect_err("refused").field().as_deref(), Some(field), "{code:?}");
    }
    let good = new(Category::S, "8.500", None, Chargeable::Payment);
    let id: Result<Uuid, Error> = write!(shop.scope, [good], tx => codes::create(tx, good).await);
    let id = id.expect("created");
    let twin: Result<Uuid, Error> = write!(shop.scope, [good], tx => codes::create(tx, good).await);
    assert_eq!(twin.expect_err("twin").code(), "DUPLICATE_CODE");
    let renamed: Result<(), Error> = write!(shop.scope, [], tx => {
        codes::update(tx, id, 1, "DOM".to_owned().into(), Edit::Keep).await?;
        codes::archive(tx, id, 2).await
    });
    renamed.expect("renamed and archived");
    let mut line = shop.line("1", "10", "S20");
    line.tax_code_id = Some(id);
    let error = shop.draft(shop.draft_of(vec![line])).await.expect_err("archived");
    assert_eq!((error.code(), error.field().as_deref()), ("ARCHIVED", Some("lines.0.taxCodeId")));
    let reason_needed: Result<(), Error> = {
        let e0 = shop.code("E0");
        write!(shop.scope, [], tx => codes::update(tx, e0, 1, Edit::Keep, Edit::To(None)).await)
    };
    assert_eq!(reason_needed.expect_err("needed").field().as_deref(), Some("reason"));
}

#[tokio::test]
async fn items_fill_the_lines_that_name_them() {
    let shop = Shop::new().await;
    let id =
        create(&shop, NewItem { unit: Some("KGM".to_owned()), ..new_item(&shop, "A1") }).await.expect("item");
    let mut line = shop.line("3", "0", "S20");
    (line.item_id, line.description, line.unit_price, line.tax_code_id) = (Some(id), None, None, None);
    let draft = shop.draft(shop.draft_of(vec![line.clone()])).await.expect("draft");
    let stored = shop.lines(draft).await.remove(0);
    assert_eq!(
        (stored.description.as_str(), stored.unit.as_str(), stored.net_minor),
        ("Article A1", "KGM", 3750)
    );
    assert_eq!(stored.tax_code_id, shop.code("S20"));
    let account = "SELECT count(*) FROM invoice_line l JOIN account a ON a.id = l.account_id
         WHERE l.tenant_id = $1 AND a.number LIKE '707%'";
    assert_eq!(shop.figure(account).await, 1, "goods go to 707");

    let change =
        ItemEdit { unit_price: number("99").into(), nature: Nature::Services.into(), ..ItemEdit::default() };
    let changed: Result<(), Error> =
        write!(shop.scope, [change], tx => items::update(tx, id, 1, change).await);
    changed.expect("changed");
    assert_eq!(shop.lines(draft).await[0].net_minor, 3750, "a line keeps what it copied");
    let dollars = invoicing::invoice::NewInvoice {
        currency: Some("USD".to_owned()),
        ..shop.draft_of(vec![line.clone()])
    };
    let error = shop.draft(dollars).await.expect_err("no price");
    assert_eq!(error.field().as_deref(), Some("lines.0.unitPrice"), "a price in euros is none in dollars");
    let archived: Result<(), Error> = write!(shop.scope, [], tx => items::archive(tx, id, 2).await);
    archived.expect("archived");
    let error = shop.draft(shop.draft_of(vec![line])).await.expect_err("archived");
    assert_eq!((error.code(), error.field().as_deref()), ("ARCHIVED", Some("lines.0.itemId")));
}

#[tokio::test]
async fn items_are_validated_listed_and_versioned() {
    let shop = Shop::new().await;
    for (field, item) in [
        ("code", NewItem { code: " ".to_owned(), ..new_item(&shop, "x") }),
        ("unit", NewItem { unit: Some("pièce".to_owned()), ..new_item(&shop, "x") }),
        ("unitPrice", NewItem { unit_price: number("-1"), ..new_item(&shop, "x") }),
        ("unitPrice", NewItem { unit_price: number("0.1234567"), ..new_item(&shop, "x") }),
        ("currency", NewItem { currency: Some("???".to_owned()), ..new_item(&shop, "x") }),
        ("taxCodeId", NewItem { tax_code_id: kernel::id::new(), ..new_item(&shop, "x") }),
        ("accountId", NewItem { account_id: Some(kernel::id::new()), ..new_item(&shop, "x") }),
    ] {
        let error = create(&shop, item.clone()).await.expect_err("refused");
        assert_eq!(error.field().as_deref(), Some(field), "{item:?}");
    }
    let id = create(&shop, new_item(&shop, "B2")).await.expect("item");
    create(&shop, NewItem { nature: Nature::Services, ..new_item(&shop, "A1") }).await.expect("item");
    assert_eq!(create(&shop, new_item(&shop, "B2")).await.expect_err("twin").code(), "DUPLICATE_CODE");
    let tx = shop.scope.read().await.expect("snapshot");
    let list = async |filter: ItemFilter, sort| {
        let page = items::list(&tx, &filter, sort, &Slice::first(10)).await.expect("items");
        page.items.into_iter().map(|item| item.code).collect::<Vec<_>>()
    };
    assert_eq!(list(ItemFilter::default(), ItemSort::Newest).await, ["A1", "B2"]);
    let goods = ItemFilter { nature: Some(Nature::Goods), ..ItemFilter::default() };
    assert_eq!(list(goods, ItemSort::Name).await, ["B2"]);
    let prefix = ItemFilter { name_prefix: Some("ARTICLE a".to_owned()), ..ItemFilter::default() };
    assert_eq!(list(prefix, ItemSort::Name).await, ["A1"]);
    tx.end().await;
    let stale: Result<(), Error> =
        write!(shop.scope, [], tx => items::update(tx, id, 7, ItemEdit::default()).await);
    assert!(matches!(stale.expect_err("stale"), Error::Conflict { expected: 7, actual: 1 }));
}
