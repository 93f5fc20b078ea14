//! Lists of bills: filters, orders, pages; and permissions.

use invoicing::bill::list::{BillFilter, BillSort};
use invoicing::bill::{
    BillKind, Correction, NewBill, PaymentState, Source, State, Totals, payment_state, service,
};
use invoicing::payment::{self, Direction, Method, NewPayment, Target};
use kernel::page::Slice;
use kernel::{Actor, Currency, Permission, PermissionSet};
use testing::{at, day};
use uuid::Uuid;

use super::{Desk, code, dec, enter, line};
use crate::fixture::write;

#[tokio::test]
async fn bills_are_filtered_and_paged() {
    let desk = Desk::new().await;
    let mut ids = Vec::new();
    for n in 0..7_u32 {
        let totals = if n == 3 { Totals { total: dec("9"), ..Totals::default() } } else { Totals::default() };
        let new = NewBill {
            issue_date: day("2026-05-01") + chrono::Days::new(u64::from(n)),
            due_date: Some(day("2026-07-31") - chrono::Days::new(u64::from(n % 3))),
            kind: if n == 5 { BillKind::CreditNote } else { BillKind::Bill },
            totals,
            ..desk.typed(&format!("F-{n}"), vec![line("1", "20")])
        };
        ids.push(desk.enter(new).await.expect("entered"));
    }
    desk.approve(ids[0]).await.expect("approved");
    desk.reject(ids[1]).await.expect("rejected");

    let tx = desk.shop.scope.read().await.expect("snapshot");
    let found = async |filter: BillFilter| {
        let page = service::list(&tx, &filter, BillSort::Newest, &Slice::first(100)).await.expect("a page");
        let found: Vec<usize> =
            page.items.iter().map(|bill| ids.iter().position(|id| *id == bill.id).expect("known")).collect();
        assert_eq!(service::count(&tx, &filter).await.expect("a count"), found.len() as u64);
        found
    };
    assert_eq!(found(BillFilter::default()).await, [6, 5, 4, 3, 2, 1, 0]);
    let states = vec![State::Approved, State::Rejected];
    assert_eq!(found(BillFilter { states, ..BillFilter::default() }).await, [1, 0]);
    assert_eq!(found(BillFilter { kind: Some(BillKind::CreditNote), ..BillFilter::default() }).await, [5]);
    assert_eq!(found(BillFilter { source: Some(Source::Ubl), ..BillFilter::default() }).await, [0_usize; 0]);
    assert_eq!(found(BillFilter { has_findings: Some(true), ..BillFilter::default() }).await, [3]);
    assert_eq!(found(BillFilter { has_findings: Some(false), ..BillFilter::default() }).await.len(), 6);
    assert_eq!(
        found(BillFilter { number_prefix: Some("F-2".to_owned()), ..BillFilter::default() }).await,
        [2]
    );
    assert_eq!(
        found(BillFilter { supplier_id: Some(desk.shop.customer), ..BillFilter::default() }).await,
        [0; 0]
    );
    let may = BillFilter {
        issued_from: Some(day("2026-05-03")),
        issued_to: Some(day("2026-05-04")),
        ..BillFilter::default()
    };
    assert_eq!(found(may).await, [3, 2]);
    let due = BillFilter {
        due_from: Some(day("2026-07-30")),
        due_to: Some(day("2026-07-30")),
        ..BillFilter::default()
    };
    assert_eq!(found(due).await, [4, 1]);

    for sort in [BillSort::Newest, BillSort::DueDate] {
        let whole =
            service::list(&tx, &BillFilter::default(), sort, &Slice::first(100)).await.expect("a page").items;
        let mut slice = Slice::first(3);
        let mut paged: Vec<Uuid> = Vec::new();
        loop {
            let page = service::list(&tx, &BillFilter::default(), sort, &slice).await.expect("a page");
            paged.extend(page.items.iter().map(|bill| bill.id));
            slice.after = page.items.last().map(|bill| sort.cursor(bill));
            if !page.has_next {
                break;
            }
        }
        assert_eq!(paged, whole.iter().map(|bill| bill.id).collect::<Vec<_>>());
    }
}

/// The payment state is told twice, of a row and in SQL: they agree, on any day.
#[tokio::test]
async fn the_payment_state_is_the_same_of_a_row_and_in_a_filter() {
    let desk = Desk::new().await;
    let mut bills = Vec::new();
    for n in 0..5 {
        bills.push(desk.posted(desk.typed(&format!("F-{n}"), vec![line("100", "20")])).await);
    }
    let note = NewBill { kind: BillKind::CreditNote, ..desk.typed("A-1", vec![line("100", "20")]) };
    bills.push(desk.posted(note).await);
    bills.push(desk.enter(desk.typed("F-9", vec![line("1", "20")])).await.expect("entered"));
    let half = NewBill {
        totals: Totals { prepaid: dec("120"), ..Totals::default() },
        ..desk.typed("F-8", vec![line("100", "20")])
    };
    bills.push(desk.posted(half).await);
    let late = NewBill { due_date: Some(day("2026-06-02")), ..desk.typed("F-7", vec![line("100", "20")]) };
    bills.push(desk.posted(late).await);
    pay(&desk, bills[1], 5_000).await;
    pay(&desk, bills[2], 12_000).await;
    let (bill, note) = (bills[3], bills[5]);
    let set = write!(desk.shop.scope, [], tx => {
        payment::service::bill_credit(tx, note, bill, 12_000).await
    });
    set.expect("set against the bill");

    let states = [
        PaymentState::Open,
        PaymentState::PartlyPaid,
        PaymentState::Overdue,
        PaymentState::Paid,
        PaymentState::Credited,
    ];
    let mut met = std::collections::HashSet::new();
    for instant in ["2026-06-15T10:00:00Z", "2026-08-15T10:00:00Z"] {
        desk.shop.test.clock.set(at(instant));
        let tx = desk.shop.scope.read().await.expect("snapshot");
        for state in states {
            let filter = BillFilter { payment_state: Some(state), ..BillFilter::default() };
            let page =
                service::list(&tx, &filter, BillSort::DueDate, &Slice::first(100)).await.expect("a page");
            let found: std::collections::BTreeSet<_> = page.items.iter().map(|bill| bill.id).collect();
            let all = service::by_ids(&tx, &bills).await.expect("bills");
            let today = desk.shop.scope.today();
            let told =
                all.iter().filter(|bill| payment_state(bill, today) == Some(state)).map(|bill| bill.id);
            assert_eq!(found, told.collect(), "{state:?} on {today}");
            met.extend((!found.is_empty()).then_some(state));
        }
    }
    assert_eq!(met.len(), states.len(), "each state was met");
}

async fn pay(desk: &Desk, bill: Uuid, minor: i64) {
    let new = NewPayment {
        direction: Direction::Made,
        party_id: desk.shop.supplier,
        paid_on: desk.shop.scope.today(),
        currency: Currency::EUR,
        amount_minor: minor,
        base_minor: None,
        method: Method::Transfer,
        reference: None,
        external_ref: None,
        allocations: vec![(Target::Bill(bill), minor)],
    };
    write!(desk.shop.scope, [new], tx => payment::service::record(tx, new).await).expect("paid");
}

/// Each use case without the one permission that it needs, and with all others.
#[tokio::test]
async fn without_the_permission_nothing_is_done() {
    let desk = Desk::new().await;
    let id = desk.enter(desk.typed("F-1", vec![line("1", "20")])).await.expect("entered");
    let file = desk.upload(b"<x/>").await;
    let without = |missing: Permission| {
        let permissions =
            Permission::ALL.iter().copied().filter(|p| *p != missing).collect::<PermissionSet>();
        desk.shop.acting(Actor::Person(kernel::id::new()), permissions)
    };
    let scope = without(Permission::BillsEnter);
    assert_eq!(code(enter(&scope, desk.typed("F-2", vec![line("1", "20")])).await), "FORBIDDEN");
    let correction = Correction { due_date: Some(day("2026-08-01")), ..Correction::default() };
    assert_eq!(
        code(write!(scope, [correction], tx => service::correct(tx, id, 1, &correction).await)),
        "FORBIDDEN"
    );
    let content = desk.content(file).await.expect("its bytes");
    assert_eq!(code(write!(scope, [content], tx => service::import_file(tx, &content).await)), "FORBIDDEN");
    let tx = scope.read().await.expect("snapshot");
    assert_eq!(code(service::read_file(&tx, &desk.files, file).await), "FORBIDDEN");
    tx.end().await;
    let scope = without(Permission::BillsApprove);
    assert_eq!(code(write!(scope, [], tx => service::approve(tx, id, 1).await)), "FORBIDDEN");
    assert_eq!(code(write!(scope, [], tx => service::reject(tx, id, 1, "x").await)), "FORBIDDEN");
    let scope = without(Permission::BillsPost);
    assert_eq!(code(write!(scope, [], tx => service::post(tx, id, 1, None).await)), "FORBIDDEN");
    let scope = without(Permission::BillsRead);
    let tx = scope.read().await.expect("snapshot");
    let filter = BillFilter::default();
    assert_eq!(code(service::get(&tx, id).await), "FORBIDDEN");
    assert_eq!(code(service::by_ids(&tx, &[id]).await), "FORBIDDEN");
    assert_eq!(code(service::list(&tx, &filter, BillSort::Newest, &Slice::first(1)).await), "FORBIDDEN");
    assert_eq!(code(service::count(&tx, &filter).await), "FORBIDDEN");
    assert_eq!(code(service::lines_of(&tx, &[id]).await), "FORBIDDEN");
    assert_eq!(code(service::taxes_of(&tx, &[id]).await), "FORBIDDEN");
    assert_eq!(code(service::credit_notes_of(&tx, &[id]).await), "FORBIDDEN");
    assert_eq!(code(service::findings_of(&tx, &[id]).await), "FORBIDDEN");
    assert_eq!(desk.bill(id).await.version, 1);
}

/// Few among many rows are found by an index of their own, not by reading the rest.
#[tokio::test]
async fn rare_kinds_and_states_have_an_index() {
    let desk = Desk::new().await;
    let invoice = desk.shop.issued(vec![desk.shop.line("1", "100", "S20")]).await;
    desk.shop.paid(invoice, 12_000).await;
    let (customer, supplier) = (desk.shop.customer, desk.shop.supplier);
    let company = desk.shop.scope.company().id;
    let many = format!(
        "SET app.tenant_id = '{company}';
         INSERT INTO invoice (tenant_id, id, kind, customer_id, currency, payment_days, end_of_month, created_at,
             created_by, updated_at, updated_by)
         SELECT '{company}', gen_random_uuid(), 'invoice', '{customer}', 'EUR', 30, false, now(), 'x', now(), 'x'
         FROM generate_series(1, 2000);
         INSERT INTO bill (tenant_id, id, kind, supplier_id, number, issue_date, due_date, received_on, received_at,
             currency, net_minor, tax_minor, total_minor, payable_minor, vat_on_payment, source, entered_by,
             created_at, created_by, updated_at, updated_by)
         SELECT '{company}', gen_random_uuid(), 'bill', '{supplier}', n::text, '2026-06-01', '2026-06-01', '2026-06-01',
             now(), 'EUR', 1, 0, 1, 1, false, 'manual', 'x', now(), 'x', now(), 'x' FROM generate_series(1, 2000) n;
         INSERT INTO payment (tenant_id, id, direction, side, party_id, paid_on, currency, amount_minor, base_minor,
             method, entry_id, created_at, created_by, updated_at, updated_by)
         SELECT tenant_id, gen_random_uuid(), direction, side, party_id, paid_on, currency, 1, 1, method, entry_id,
             now(), 'x', now(), 'x' FROM payment, generate_series(1, 2000);
         ANALYZE invoice, bill, payment"
    );
    let mut superuser = desk.shop.test.superuser().await;
    sqlx::raw_sql(sqlx::AssertSqlSafe(many)).execute(&mut superuser).await.expect("many rows");
    let tx = desk.shop.scope.read().await.expect("snapshot");
    for (index, table, condition) in [
        ("invoice_credit_notes", "invoice", "kind = 'credit_note'"),
        ("bill_credit_notes", "bill", "kind = 'credit_note'"),
        ("payment_made", "payment", "direction = 'made'"),
        ("payment_bounced", "payment", "state = 'bounced'"),
        ("invoice_open", "invoice", "state = 'issued' AND open_minor > 0"),
        ("bill_open", "bill", "state = 'posted' AND open_minor > 0"),
    ] {
        let order = if index.ends_with("_open") { "due_date, id" } else { "id" };
        let explain = format!("EXPLAIN SELECT * FROM {table} WHERE {condition} ORDER BY {order} LIMIT 21");
        let plan: Vec<(String,)> = tx.tuples(&explain, []).await.expect("explained");
        assert!(plan.iter().any(|(line,)| line.contains(index)), "{index}: {plan:?}");
    }
    tx.end().await;
}
