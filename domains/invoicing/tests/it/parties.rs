//! Parties: what is accepted, what is kept secret, and how suppliers are known again.

use invoicing::Error;
use invoicing::edit::Edit;
use invoicing::party::service::{self, PartyFilter, PartySort};
use invoicing::party::{NewParty, PartyEdit};
use kernel::page::{Cursor, Slice};
use kernel::{DomainError, Permission};
use uuid::Uuid;

use crate::fixture::{Shop, new_customer, write};

const IBAN: &str = "FR76 3000 6000 0112 3456 7890 189";

async fn create(shop: &Shop, party: NewParty) -> Result<Uuid, Error> {
    write!(shop.scope, [party], tx => service::create(tx, party).await)
}

async fn update(shop: &Shop, id: Uuid, version: i32, edit: PartyEdit) -> Result<(), Error> {
    write!(shop.scope, [edit], tx => service::update(tx, id, version, edit).await)
}

async fn party(shop: &Shop, id: Uuid) -> entity::invoicing::party::Model {
    let tx = shop.scope.read().await.expect("snapshot");
    service::get(&tx, id).await.expect("party")
}

#[tokio::test]
async fn values_are_stored_in_their_canonical_form() {
    let shop = Shop::new().await;
    let dupont = party(&shop, shop.customer).await;
    assert_eq!(dupont.legal_id.as_deref(), Some("732829320"));
    assert_eq!(dupont.vat_id.as_deref(), Some("FR44732829320"));
    assert_eq!((dupont.currency.as_str(), dupont.payment_days, dupont.version), ("EUR", 30, 1));
    let by_siret = NewParty {
        siret: Some("732 829 320 00074".to_owned()),
        legal_id: None,
        vat_id: None,
        ..new_customer()
    };
    let by_siret = party(&shop, create(&shop, by_siret).await.expect("party")).await;
    assert_eq!(by_siret.legal_id.as_deref(), Some("732829320"), "a SIRET says its SIREN");
}

#[tokio::test]
async fn what_is_malformed_is_refused_with_its_field() {
    let shop = Shop::new().await;
    let text = |text: &str| Some(text.to_owned());
    let cases: Vec<(&str, NewParty)> = vec![
        ("name", NewParty { name: "  ".to_owned(), ..new_customer() }),
        ("name", NewParty { name: "x".repeat(201), ..new_customer() }),
        ("country", NewParty { country: "XX".to_owned(), ..new_customer() }),
        ("currency", NewParty { currency: text("XAU"), ..new_customer() }),
        ("paymentDays", NewParty { payment_days: Some(366), ..new_customer() }),
        ("legalId", NewParty { legal_id: text("732829321"), vat_id: None, ..new_customer() }),
        ("siret", NewParty { siret: text("73282932000075"), ..new_customer() }),
        ("siret", NewParty { siret: text("35600000000048"), ..new_customer() }),
        ("siret", NewParty { country: "DE".to_owned(), siret: text("73282932000074"), ..new_customer() }),
        ("vatId", NewParty { vat_id: text("FR45732829320"), ..new_customer() }),
        ("vatId", NewParty { vat_id: text("DE12345"), ..new_customer() }),
        ("email", NewParty { email: text("nobody"), ..new_customer() }),
        ("iban", NewParty { iban: text("FR7630006000011234567890188"), ..new_customer() }),
        ("bic", NewParty { bic: text("BNP"), ..new_customer() }),
        ("isCustomer", NewParty { is_customer: false, ..new_customer() }),
    ];
    for (field, party) in cases {
        let error = create(&shop, party.clone()).await.expect_err("refused");
        assert_eq!((error.code(), error.field().as_deref()), ("INVALID", Some(field)), "{party:?}");
    }
    let referenced = NewParty { external_ref: text("crm-1"), ..new_customer() };
    create(&shop, referenced.clone()).await.expect("first");
    let error = create(&shop, referenced).await.expect_err("second");
    assert_eq!((error.code(), error.field().as_deref()), ("DUPLICATE_EXTERNAL_REF", Some("externalRef")));
}

#[tokio::test]
async fn a_bank_account_is_sealed_at_rest_and_needs_its_permission() {
    let shop = Shop::new().await;
    let with_iban =
        NewParty { iban: Some(IBAN.to_owned()), bic: Some("AGRIFRPP".to_owned()), ..new_customer() };
    let id = create(&shop, with_iban.clone()).await.expect("party");
    let stored = party(&shop, id).await;
    assert_eq!(stored.iban_hint.as_deref(), Some("0189"));
    let sealed = stored.iban_sealed.expect("sealed");
    let plain = IBAN.replace(' ', "");
    for part in [plain.as_bytes(), &plain.as_bytes()[4..], &plain.as_bytes()[14..27]] {
        assert!(!sealed.windows(part.len()).any(|bytes| bytes == part), "the account is readable at rest");
    }
    let tx = shop.scope.read().await.expect("snapshot");
    assert_eq!(service::iban(&tx, id).await.expect("iban").as_deref(), Some(plain.as_str()));
    let everywhere = "SELECT count(*) FROM (
            SELECT convert_from(payload, 'UTF8') AS text FROM event UNION ALL SELECT before FROM event_value
            UNION ALL SELECT after FROM event_value UNION ALL SELECT p::text FROM party p) AS t
         WHERE t.text LIKE '%30006000%' AND $1::uuid IS NOT NULL";
    assert_eq!(
        shop.figure(everywhere).await,
        0,
        "neither the party, nor an event, nor its values tell the account"
    );

    let clerk = shop.with(&[Permission::PartiesRead, Permission::PartiesWrite]);
    let denied: Result<Uuid, Error> = write!(clerk, [with_iban], tx => service::create(tx, with_iban).await);
    assert_eq!(denied.expect_err("denied").denied().map(|d| d.0), Some(Permission::PartiesBank));
    let tx = clerk.read().await.expect("snapshot");
    assert!(service::iban(&tx, id).await.expect_err("denied").denied().is_some());
    let renaming = PartyEdit { name: "Dupont & fils".to_owned().into(), ..PartyEdit::default() };
    let renamed: Result<(), Error> =
        write!(clerk, [renaming], tx => service::update(tx, id, 1, renaming).await);
    renamed.expect("a clerk may rename");
    assert!(party(&shop, id).await.iban_sealed.is_some(), "and does not touch the account");
    let clearing = PartyEdit { iban: Edit::To(None), ..PartyEdit::default() };
    let denied: Result<(), Error> =
        write!(clerk, [clearing], tx => service::update(tx, id, 2, clearing).await);
    assert!(denied.expect_err("denied").denied().is_some());
    update(&shop, id, 2, clearing).await.expect("cleared");
    let cleared = party(&shop, id).await;
    assert!(cleared.iban_sealed.is_none() && cleared.iban_hint.is_none() && cleared.iban_digest.is_none());
}

#[tokio::test]
async fn an_update_keeps_what_it_does_not_name_and_refuses_an_old_version() {
    let shop = Shop::new().await;
    let edit = PartyEdit {
        email: Edit::To(None),
        city: Some("Lyon".to_owned()).into(),
        payment_days: 45.into(),
        end_of_month: true.into(),
        ..PartyEdit::default()
    };
    update(&shop, shop.customer, 1, edit.clone()).await.expect("updated");
    let dupont = party(&shop, shop.customer).await;
    assert_eq!((dupont.email, dupont.city.as_deref(), dupont.version), (None, Some("Lyon"), 2));
    assert_eq!(
        (dupont.payment_days, dupont.end_of_month, dupont.name.as_str()),
        (45, true, "Librairie Dupont")
    );
    let error = update(&shop, shop.customer, 1, edit).await.expect_err("stale");
    assert!(matches!(error, Error::Conflict { expected: 1, actual: 2 }));
    assert_eq!((error.code(), error.field().as_deref()), ("CONFLICT", Some("expectedVersion")));
}

#[tokio::test]
async fn events_name_personal_fields_and_keep_their_values_apart() {
    let shop = Shop::new().await;
    let edit = PartyEdit { street: Some("12 impasse Secrète".to_owned()).into(), ..PartyEdit::default() };
    update(&shop, shop.customer, 1, edit).await.expect("updated");
    let telling = "SELECT count(*) FROM event WHERE tenant_id = $1 AND convert_from(payload, 'UTF8')
         ~ '(Dupont|732829320|compta@|rue de la Paix|Secrète|75002)'";
    assert_eq!(shop.figure(telling).await, 0);
    let naming = "SELECT count(*) FROM event WHERE tenant_id = $1 AND kind = 'party.updated'
         AND convert_from(payload, 'UTF8') = '{\"personal\":[\"street\"]}'";
    assert_eq!(shop.figure(naming).await, 1);
    let apart = "SELECT count(*) FROM event_value WHERE tenant_id = $1 AND field = 'street'
         AND before = '1 rue de la Paix' AND after = '12 impasse Secrète'";
    assert_eq!(shop.figure(apart).await, 1);
}

#[tokio::test]
async fn an_archived_party_is_found_only_when_asked_for() {
    let shop = Shop::new().await;
    let customer = shop.customer;
    let archive: Result<(), Error> = write!(shop.scope, [], tx => service::archive(tx, customer, 1).await);
    archive.expect("archived");
    let tx = shop.scope.read().await.expect("snapshot");
    let count = async |filter: PartyFilter| service::count(&tx, &filter).await.expect("count");
    assert_eq!(count(PartyFilter { archived: Some(false), ..PartyFilter::default() }).await, 1);
    assert_eq!(count(PartyFilter { archived: Some(true), ..PartyFilter::default() }).await, 1);
    assert_eq!(count(PartyFilter { customer: Some(true), ..PartyFilter::default() }).await, 1);
    assert_eq!(count(PartyFilter::default()).await, 2);
    let error = shop.draft(shop.draft_of(vec![])).await.expect_err("archived");
    assert_eq!((error.code(), error.field().as_deref()), ("ARCHIVED", Some("customerId")));
    let unarchive: Result<(), Error> =
        write!(shop.scope, [], tx => service::unarchive(tx, customer, 2).await);
    unarchive.expect("unarchived");
    shop.draft(shop.draft_of(vec![])).await.expect("a draft");
}

#[tokio::test]
async fn lists_are_keyset_pages_in_both_directions_and_search_by_prefix() {
    let shop = Shop::new().await;
    for name in ["Étoile", "éclair", "Zinc", "eclipse", "Éclat"] {
        create(&shop, NewParty { name: name.to_owned(), ..new_customer() }).await.expect("party");
    }
    let tx = shop.scope.read().await.expect("snapshot");
    let filter = PartyFilter { customer: Some(true), ..PartyFilter::default() };
    let all = service::list(&tx, &filter, PartySort::Name, &Slice::first(100)).await.expect("all").items;
    let names: Vec<_> = all.iter().map(|party| party.name.as_str()).collect();
    assert_eq!(names, ["eclipse", "Librairie Dupont", "Zinc", "éclair", "Éclat", "Étoile"], "by code points");
    let mut seen = Vec::new();
    let mut slice = Slice::first(2);
    loop {
        let page = service::list(&tx, &filter, PartySort::Name, &slice).await.expect("page");
        let last = page.items.last().expect("a row");
        slice.after = Some(Cursor { key: PartySort::Name.key(last), id: last.id });
        seen.extend(page.items.iter().map(|party| party.id));
        if !page.has_next {
            break;
        }
    }
    assert_eq!(seen, all.iter().map(|party| party.id).collect::<Vec<_>>());
    let before = Cursor { key: PartySort::Name.key(&all[4]), id: all[4].id };
    let slice = Slice { before: Some(before), limit: 2, backward: true, ..Slice::default() };
    let page = service::list(&tx, &filter, PartySort::Name, &slice).await.expect("back");
    assert_eq!(page.items.iter().map(|p| p.id).collect::<Vec<_>>(), [all[2].id, all[3].id]);
    assert!(page.has_previous && page.has_next);
    let prefix = PartyFilter { name_prefix: Some("ÉCLA".to_owned()), ..PartyFilter::default() };
    assert_eq!(service::count(&tx, &prefix).await.expect("count"), 2);
    let newest = service::list(&tx, &filter, PartySort::Newest, &Slice::first(1)).await.expect("newest");
    assert_eq!(newest.items[0].name, "Éclat");
    assert!(newest.has_next);
}

async fn supplier_of(shop: &Shop, sender: &NewParty) -> Uuid {
    let found: Result<Uuid, Error> =
        write!(shop.scope, [sender], tx => service::supplier_from_document_in(tx, &sender).await);
    found.expect("a supplier")
}

#[tokio::test]
async fn the_sender_of_a_document_is_known_again() {
    let shop = Shop::new().await;
    let text = |text: &str| Some(text.to_owned());
    let sender = NewParty { name: "Dupont SA".to_owned(), country: "FR".to_owned(), ..NewParty::default() };
    let by_vat = NewParty { vat_id: text("FR 44 732 829 320"), ..sender.clone() };
    assert_eq!(
        supplier_of(&shop, &by_vat).await,
        shop.customer,
        "by its VAT number, though it was a customer"
    );
    assert!(party(&shop, shop.customer).await.is_supplier);
    let by_siren = NewParty { legal_id: text("732829320"), ..sender.clone() };
    assert_eq!(supplier_of(&shop, &by_siren).await, shop.customer);
    let by_name = NewParty { name: "PAPETERIE martin".to_owned(), ..sender.clone() };
    assert_eq!(supplier_of(&shop, &by_name).await, shop.supplier);
    let abroad = NewParty { country: "BE".to_owned(), ..by_name };
    assert_ne!(supplier_of(&shop, &abroad).await, shop.supplier, "the same name in another country");

    let sloppy = NewParty {
        vat_id: text("FR00123"),
        siret: text("12"),
        email: text("not an address"),
        iban: text("FR7630006000011234567890188"),
        city: text(&"long ".repeat(100)),
        ..sender.clone()
    };
    let id = supplier_of(&shop, &sloppy).await;
    let stored = party(&shop, id).await;
    assert_eq!((stored.vat_id, stored.siret, stored.email, stored.iban_hint), (None, None, None, None));
    assert_eq!(supplier_of(&shop, &sloppy).await, id, "and is found again by name");
}

#[tokio::test]
async fn an_unknown_supplier_is_created_once_whoever_comes_first() {
    let shop = Shop::with_connections(12).await;
    let sender = NewParty {
        name: "Nouveau SARL".to_owned(),
        country: "FR".to_owned(),
        vat_id: Some("FR40303265045".to_owned()),
        ..NewParty::default()
    };
    let imports = (0..10).map(|_| supplier_of(&shop, &sender));
    let found = futures_util::future::join_all(imports).await;
    assert!(found.iter().all(|id| *id == found[0]));
    assert_eq!(
        shop.figure("SELECT count(*) FROM party WHERE tenant_id = $1 AND name = 'Nouveau SARL'").await,
        1
    );
}

#[tokio::test]
async fn a_document_changes_no_bank_account() {
    let shop = Shop::new().await;
    let sender = NewParty {
        name: "Banquier".to_owned(),
        country: "FR".to_owned(),
        iban: Some(IBAN.to_owned()),
        ..NewParty::default()
    };
    let clerk = shop.with(&[Permission::BillsEnter]);
    let id: Result<Uuid, Error> =
        write!(clerk, [sender], tx => service::supplier_from_document_in(tx, &sender).await);
    let id = id.expect("created");
    assert!(party(&shop, id).await.iban_hint.is_none(), "a clerk's import brings no account");
    assert_eq!(supplier_of(&shop, &sender).await, id);
    assert!(party(&shop, id).await.iban_hint.is_none(), "nor does a later document");
    let trusted = NewParty { name: "Autre".to_owned(), ..sender };
    let id = supplier_of(&shop, &trusted).await;
    assert_eq!(party(&shop, id).await.iban_hint.as_deref(), Some("0189"), "a new supplier, by who may");
}
