//! Who may do what on the sales side, and what another company's ids answer: as unknown ids do, to the letter.

use invoicing::Error;
use invoicing::catalog::item::service as items;
use invoicing::catalog::item::{ItemEdit, Nature, NewItem};
use invoicing::catalog::tax_code::NewTaxCode;
use invoicing::catalog::tax_code::service as codes;
use invoicing::credit_note::{self, CreditNoteEdit, NewCreditNote};
use invoicing::edit::Edit;
use invoicing::invoice::{InvoiceEdit, NewInvoice, NewLine, reading, service as invoices};
use invoicing::party::service as parties;
use invoicing::party::{NewParty, PartyEdit};
use invoicing::satisfaction::service as satisfaction;
use invoicing::tax::{Category, Chargeable};
use kernel::page::Slice;
use kernel::sparse::Columns;
use kernel::{Actor, DomainError, Permission, PermissionSet, Scope, Tx};
use uuid::Uuid;

use crate::fixture::{Shop, new_customer, number, write};

/// The things of a company that use cases name.
#[derive(Clone, Copy, Debug)]
struct Things {
    party: Uuid,
    item: Uuid,
    code: Uuid,
    account: Uuid,
    draft: Uuid,
    issued: Uuid,
    note: Uuid,
}

impl Things {
    /// Ids of nothing.
    fn unknown() -> Self {
        let id = kernel::id::new;
        Self { party: id(), item: id(), code: id(), account: id(), draft: id(), issued: id(), note: id() }
    }

    async fn of(shop: &Shop) -> Self {
        let issued = shop.issued(vec![shop.line("1", "10", "S20")]).await;
        let item = new_item(shop.code("S20"), None);
        let note = NewCreditNote { invoice_id: issued, lines: None, note: None, external_ref: None };
        let made: Result<_, Error> = write!(shop.scope, [item, note], tx => {
            Ok((items::create(tx, item).await?, credit_note::service::create_draft(tx, note).await?))
        });
        let (item, note) = made.expect("item and credit note");
        Self {
            party: shop.customer,
            item,
            code: shop.code("S20"),
            account: shop.lines(issued).await[0].account_id,
            draft: shop.draft(shop.draft_of(vec![shop.line("1", "10", "S20")])).await.expect("draft"),
            issued,
            note,
        }
    }
}

fn new_item(tax_code_id: Uuid, account_id: Option<Uuid>) -> NewItem {
    NewItem {
        code: "I".to_owned(),
        name: "Article".to_owned(),
        nature: Nature::Goods,
        unit: None,
        unit_price: number("1"),
        currency: None,
        tax_code_id,
        account_id,
        external_ref: None,
    }
}

fn new_code() -> NewTaxCode {
    NewTaxCode {
        code: "N".to_owned(),
        name: "Nouveau".to_owned(),
        category: Category::S,
        rate: number("3"),
        reason: None,
        chargeable: Chargeable::Debits,
    }
}

fn new_invoice(customer_id: Uuid, lines: Vec<NewLine>) -> NewInvoice {
    NewInvoice {
        customer_id,
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

fn line(item_id: Option<Uuid>, tax_code_id: Option<Uuid>, account_id: Option<Uuid>) -> NewLine {
    NewLine {
        item_id,
        description: Some("x".to_owned()),
        quantity: number("1"),
        unit: None,
        unit_price: Some(number("1")),
        discount_percent: None,
        tax_code_id,
        account_id,
        nature: None,
    }
}

fn unit<T>(_answer: T) {}

/// Every use case, by name; `own` are things of the acting company, `named` those that the use case names.
#[expect(clippy::too_many_lines, reason = "a table of every use case, one a line")]
async fn act(tx: &Tx, case: &str, own: Things, named: Things) -> Result<(), Error> {
    let slice = Slice::first(10);
    let none = |found: bool| assert!(!found, "{case} found something");
    match case {
        "party.create" => parties::create(tx, new_customer()).await.map(unit),
        "party.create with bank" => {
            parties::create(tx, NewParty { bic: Some("AGRIFRPP".to_owned()), ..new_customer() })
                .await
                .map(unit)
        }
        "party.update" => parties::update(tx, named.party, 1, PartyEdit::default()).await,
        "party.archive" => parties::archive(tx, named.party, 1).await,
        "party.unarchive" => parties::unarchive(tx, named.party, 1).await,
        "party.get" => parties::get(tx, named.party).await.map(unit),
        "party.iban" => parties::iban(tx, named.party).await.map(unit),
        "party.by_ids" => {
            parties::by_ids(tx, &[named.party], &Columns::All).await.map(|found| none(!found.is_empty()))
        }
        "party.list" => {
            parties::list(tx, &parties::PartyFilter::default(), parties::PartySort::Newest, &slice)
                .await
                .map(unit)
        }
        "party.count" => parties::count(tx, &parties::PartyFilter::default()).await.map(unit),
        "item.create" => items::create(tx, new_item(named.code, None)).await.map(unit),
        "item.create with account" => {
            items::create(tx, new_item(own.code, Some(named.account))).await.map(unit)
        }
        "item.update" => items::update(tx, named.item, 1, ItemEdit::default()).await,
        "item.update code" => {
            items::update(tx, own.item, 1, ItemEdit { tax_code_id: named.code.into(), ..ItemEdit::default() })
                .await
        }
        "item.archive" => items::archive(tx, named.item, 1).await,
        "item.unarchive" => items::unarchive(tx, named.item, 1).await,
        "item.get" => items::get(tx, named.item).await.map(unit),
        "item.by_ids" => items::by_ids(tx, &[named.item]).await.map(|found| none(!found.is_empty())),
        "item.list" => {
            items::list(tx, &items::ItemFilter::default(), items::ItemSort::Name, &slice).await.map(unit)
        }
        "item.count" => items::count(tx, &items::ItemFilter::default()).await.map(unit),
        "code.create" => codes::create(tx, new_code()).await.map(unit),
        "code.update" => codes::update(tx, named.code, 1, Edit::Keep, Edit::Keep).await,
        "code.archive" => codes::archive(tx, named.code, 1).await,
        "code.unarchive" => codes::unarchive(tx, named.code, 1).await,
        "code.get" => codes::get(tx, named.code).await.map(unit),
        "code.by_ids" => codes::by_ids(tx, &[named.code]).await.map(|found| none(!found.is_empty())),
        "code.list" => codes::list(tx, &codes::TaxCodeFilter::default(), &slice).await.map(unit),
        "code.count" => codes::count(tx, &codes::TaxCodeFilter::default()).await.map(unit),
        "invoice.create" => invoices::create_draft(tx, new_invoice(named.party, vec![])).await.map(unit),
        "invoice.create with item" => {
            let lines = vec![line(Some(named.item), Some(own.code), None)];
            invoices::create_draft(tx, new_invoice(own.party, lines)).await.map(unit)
        }
        "invoice.create with code" => {
            invoices::create_draft(tx, new_invoice(own.party, vec![line(None, Some(named.code), None)]))
                .await
                .map(unit)
        }
        "invoice.create with account" => {
            let lines = vec![line(None, Some(own.code), Some(named.account))];
            invoices::create_draft(tx, new_invoice(own.party, lines)).await.map(unit)
        }
        "invoice.update" => invoices::update_draft(tx, named.draft, 1, InvoiceEdit::default()).await,
        "invoice.update customer" => {
            let edit = InvoiceEdit { customer_id: named.party.into(), ..InvoiceEdit::default() };
            invoices::update_draft(tx, own.draft, 1, edit).await
        }
        "invoice.discard" => invoices::discard(tx, named.draft, 1).await,
        "invoice.issue" => invoices::issue(tx, named.draft, 1, None).await,
        "invoice.get" => reading::get(tx, named.issued).await.map(unit),
        "invoice.by_ids" => reading::by_ids(tx, &[named.issued]).await.map(|found| none(!found.is_empty())),
        "invoice.lines" => {
            reading::lines_of(tx, &[named.issued], &Columns::All).await.map(|found| none(!found.is_empty()))
        }
        "invoice.taxes" => reading::taxes_of(tx, &[named.issued]).await.map(|found| none(!found.is_empty())),
        "invoice.notes" => {
            reading::credit_notes_of(tx, &[named.issued]).await.map(|found| none(!found.is_empty()))
        }
        "invoice.list" => {
            let filter = reading::InvoiceFilter { customer_id: Some(named.party), ..Default::default() };
            let page = reading::list(tx, &filter, reading::InvoiceSort::Newest, &slice, Columns::All).await?;
            none(!page.items.is_empty());
            Ok(())
        }
        "invoice.count" => {
            let filter = reading::InvoiceFilter { corrects_id: Some(named.issued), ..Default::default() };
            reading::count(tx, &filter, reading::InvoiceSort::Newest).await.map(|count| none(count > 0))
        }
        "note.create" => {
            let new = NewCreditNote { invoice_id: named.issued, lines: None, note: None, external_ref: None };
            credit_note::service::create_draft(tx, new).await.map(unit)
        }
        "note.update" => {
            credit_note::service::update_draft(tx, named.note, 1, CreditNoteEdit::default()).await
        }
        "satisfaction.link" => satisfaction::link_token(tx, named.issued).await.map(unit),
        "satisfaction.of" => {
            satisfaction::of_invoices(tx, &[named.issued]).await.map(|found| none(!found.is_empty()))
        }
        "satisfaction.scores" => {
            satisfaction::scores(tx, tx.scope().today(), tx.scope().today()).await.map(unit)
        }
        other => panic!("no use case {other}"),
    }
}

/// Each use case, the permission it needs, and the field that names something unknown (`None`: it names nothing,
/// or answers with nothing).
const CASES: &[(&str, Permission, Option<&str>)] = &[
    ("party.create", Permission::PartiesWrite, None),
    ("party.create with bank", Permission::PartiesBank, None),
    ("party.update", Permission::PartiesWrite, Some("id")),
    ("party.archive", Permission::PartiesWrite, Some("id")),
    ("party.unarchive", Permission::PartiesWrite, Some("id")),
    ("party.get", Permission::PartiesRead, Some("id")),
    ("party.iban", Permission::PartiesBank, Some("id")),
    ("party.by_ids", Permission::PartiesRead, None),
    ("party.list", Permission::PartiesRead, None),
    ("party.count", Permission::PartiesRead, None),
    ("item.create", Permission::CatalogWrite, Some("taxCodeId")),
    ("item.create with account", Permission::CatalogWrite, Some("accountId")),
    ("item.update", Permission::CatalogWrite, Some("id")),
    ("item.update code", Permission::CatalogWrite, Some("taxCodeId")),
    ("item.archive", Permission::CatalogWrite, Some("id")),
    ("item.unarchive", Permission::CatalogWrite, Some("id")),
    ("item.get", Permission::CatalogRead, Some("id")),
    ("item.by_ids", Permission::CatalogRead, None),
    ("item.list", Permission::CatalogRead, None),
    ("item.count", Permission::CatalogRead, None),
    ("code.create", Permission::CatalogWrite, None),
    ("code.update", Permission::CatalogWrite, Some("id")),
    ("code.archive", Permission::CatalogWrite, Some("id")),
    ("code.unarchive", Permission::CatalogWrite, Some("id")),
    ("code.get", Permission::CatalogRead, Some("id")),
    ("code.by_ids", Permission::CatalogRead, None),
    ("code.list", Permission::CatalogRead, None),
    ("code.count", Permission::CatalogRead, None),
    ("invoice.create", Permission::InvoicingDraft, Some("customerId")),
    ("invoice.create with item", Permission::InvoicingDraft, Some("lines.0.itemId")),
    ("invoice.create with code", Permission::InvoicingDraft, Some("lines.0.taxCodeId")),
    ("invoice.create with account", Permission::InvoicingDraft, Some("accountId")),
    ("invoice.update", Permission::InvoicingDraft, Some("id")),
    ("invoice.update customer", Permission::InvoicingDraft, Some("customerId")),
    ("invoice.discard", Permission::InvoicingDraft, Some("id")),
    ("invoice.issue", Permission::InvoicingIssue, Some("id")),
    ("invoice.get", Permission::InvoicingRead, Some("id")),
    ("invoice.by_ids", Permission::InvoicingRead, None),
    ("invoice.lines", Permission::InvoicingRead, None),
    ("invoice.taxes", Permission::InvoicingRead, None),
    ("invoice.notes", Permission::InvoicingRead, None),
    ("invoice.list", Permission::InvoicingRead, None),
    ("invoice.count", Permission::InvoicingRead, None),
    ("note.create", Permission::InvoicingDraft, Some("invoiceId")),
    ("note.update", Permission::InvoicingDraft, Some("id")),
    ("satisfaction.link", Permission::InvoicingRead, Some("id")),
    ("satisfaction.of", Permission::InvoicingRead, None),
    ("satisfaction.scores", Permission::InvoicingRead, None),
];

async fn run(scope: &Scope, case: &'static str, own: Things, named: Things) -> Result<(), Error> {
    write!(scope, [], tx => act(tx, case, own, named).await)
}

/// Everything a company has on the sales side, as one number.
async fn fingerprint(shop: &Shop) -> i64 {
    let tables = [
        "party",
        "item",
        "tax_code",
        "invoice",
        "invoice_line",
        "invoice_tax",
        "invoice_series",
        "satisfaction",
    ];
    let each =
        tables.map(|table| format!("SELECT '{table}' || t::text AS row FROM {table} t WHERE tenant_id = $1"));
    let events = "SELECT 'event' || count(*)::text FROM event WHERE tenant_id = $1";
    let sql = format!(
        "SELECT hashtextextended(string_agg(row, '|' ORDER BY row), 0) FROM ({} UNION ALL {events}) AS everything",
        each.join(" UNION ALL ")
    );
    shop.figure(&sql).await
}

#[tokio::test]
async fn each_use_case_needs_its_permission() {
    let shop = Shop::new().await;
    let things = Things::of(&shop).await;
    let before = fingerprint(&shop).await;
    for (case, needed, _) in CASES {
        let without = Permission::ALL.iter().copied().filter(|permission| permission != needed);
        let scope = shop.acting(Actor::Person(kernel::id::new()), without.collect::<PermissionSet>());
        let denied = run(&scope, case, things, things).await.expect_err(case);
        assert_eq!(denied.denied().map(|denied| denied.0), Some(*needed), "{case}");
        assert_eq!(denied.code(), "FORBIDDEN", "{case}");
    }
    assert_eq!(fingerprint(&shop).await, before, "what is denied changes nothing");
}

#[tokio::test]
async fn ids_of_another_company_answer_as_unknown_ones_and_change_nothing() {
    let shop = Shop::new().await;
    let theirs = Things::of(&shop).await;
    let other = shop.test.company().await;
    let (customer, supplier) = Shop::furnish(&other).await;
    let codes = {
        let tx = other.read().await.expect("snapshot");
        codes::list(&tx, &codes::TaxCodeFilter::default(), &Slice::first(100)).await.expect("codes").items
    };
    let code = codes.iter().find(|code| code.code == "S20").expect("S20").id;
    let made: Result<_, Error> = write!(other, [], tx => {
        let item = items::create(tx, NewItem { code: "OWN".to_owned(), ..new_item(code, None) }).await?;
        let draft = invoices::create_draft(tx, new_invoice(customer, vec![line(None, Some(code), None)])).await?;
        Ok((item, draft))
    });
    let (item, draft) = made.expect("own things");
    let own = Things { party: customer, item, code, draft, account: supplier, issued: draft, note: draft };
    let before = fingerprint(&shop).await;
    for (case, _, field) in CASES {
        let foreign = run(&other, case, own, theirs).await;
        let unknown = run(&other, case, own, Things::unknown()).await;
        match (field, foreign, unknown) {
            (Some(field), Err(foreign), Err(unknown)) => {
                assert_eq!(
                    (foreign.code(), foreign.field().as_deref()),
                    ("NOT_FOUND", Some(*field)),
                    "{case}"
                );
                assert_eq!((unknown.code(), unknown.field()), (foreign.code(), foreign.field()), "{case}");
                assert_eq!(unknown.to_string(), foreign.to_string(), "{case}");
            }
            (None, foreign, unknown) => {
                let told = |answer: Result<(), Error>| answer.map_err(|error| error.code()).err();
                let (foreign, unknown) = (told(foreign), told(unknown));
                // What names nothing is done twice here: only its unique code may refuse the second.
                assert!(
                    foreign == unknown || unknown == Some("DUPLICATE_CODE"),
                    "{case}: {foreign:?} {unknown:?}"
                );
            }
            (_, foreign, unknown) => panic!("{case}: {foreign:?}, {unknown:?}"),
        }
    }
    assert_eq!(fingerprint(&shop).await, before, "nothing of the other company changed");
}
