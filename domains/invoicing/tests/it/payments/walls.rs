//! Who may not: without the permission, of another company, and past the domain in raw SQL.

use invoicing::Error;
use invoicing::payment::{self, Direction, Filter, Target};
use kernel::page::Slice;
use kernel::{DomainError, Permission, PermissionSet};
use sqlx::postgres::PgConnection;
use uuid::Uuid;

use super::books;
use super::world::{World, allocate, bounce, credit, deallocate, new_payment, record};

/// A paid invoice and what belongs to it.
struct Paid {
    world: World,
    customer: Uuid,
    invoice: Uuid,
    open: Uuid,
    note: Uuid,
    payment: Uuid,
    allocation: Uuid,
}

async fn paid() -> Paid {
    let world = World::new().await;
    let customer = world.customer("A").await;
    let invoice = world.invoice(customer, &[(1_000, true)]).await;
    let mut new = new_payment(Direction::Received, customer, world.scope.today(), 2_000);
    new.allocations = vec![(Target::Invoice(invoice), 1_200)];
    let payment = record(&world.scope, new).await.expect("recorded");
    let allocation = world.standing_of(payment).await[0].id;
    let note = world.credit_note(invoice, 50).await.expect("a credit note");
    let open = world.invoice(customer, &[(5_000, true)]).await;
    Paid { world, customer, invoice, open, note, payment, allocation }
}

/// Every use case on these ids; the error of each, by name.
async fn every_refusal(scope: &kernel::Scope, ids: &Paid) -> Vec<(&'static str, String)> {
    let today = scope.today();
    let mut new = new_payment(Direction::Received, ids.customer, today, 100);
    let without = record(scope, new.clone()).await.map(drop);
    new.allocations = vec![(Target::Invoice(ids.open), 100)];
    let target = vec![(Target::Invoice(ids.open), 100)];
    let writes = [
        ("record", without),
        ("record and allocate", record(scope, new).await.map(drop)),
        ("allocate", allocate(scope, ids.payment, target).await.map(drop)),
        ("deallocate", deallocate(scope, ids.allocation).await.map(drop)),
        ("bounce", bounce(scope, ids.payment, today).await),
        ("credit", credit(scope, Target::Invoice(ids.note), Target::Invoice(ids.open), 100).await.map(drop)),
        ("credit a bill", credit(scope, Target::Bill(ids.note), Target::Bill(ids.open), 100).await.map(drop)),
    ];
    let tx = scope.read().await.expect("snapshot");
    let reads = [
        ("get", payment::get(&tx, ids.payment).await.map(drop)),
        ("allocation", payment::allocation(&tx, ids.allocation).await.map(drop)),
        ("by ids", some(payment::by_ids(&tx, &[ids.payment]).await)),
        ("of payments", some(payment::allocations_of_payments(&tx, &[ids.payment]).await)),
        ("of invoices", some(payment::allocations_of_invoices(&tx, &[ids.invoice]).await)),
        ("of bills", some(payment::allocations_of_bills(&tx, &[ids.invoice]).await)),
        (
            "list",
            some(payment::list(&tx, &Filter::default(), &Slice::first(10)).await.map(|page| page.items)),
        ),
        (
            "count",
            some(
                payment::count(&tx, &Filter::default())
                    .await
                    .map(|n| vec![(); usize::try_from(n).expect("few")]),
            ),
        ),
    ];
    tx.end().await;
    let told = |result: Result<(), Error>| match result {
        Ok(()) => "done".to_owned(),
        Err(error) => format!("{}: {error}", error.code()),
    };
    writes.into_iter().chain(reads).map(|(name, result)| (name, told(result))).collect()
}

/// A list that is not empty counts as an answer, an empty one as an unknown id.
fn some<T>(rows: Result<Vec<T>, Error>) -> Result<(), Error> {
    let unknown = Error::NotFound(kernel::Kind::Payment, "id");
    rows.and_then(|rows| if rows.is_empty() { Err(unknown) } else { Ok(()) })
}

#[tokio::test]
async fn without_the_permission_every_use_case_is_denied() {
    let ids = paid().await;
    let all = PermissionSet::all();
    let but = |missing: &[Permission]| all.iter().filter(|p| !missing.contains(p)).collect::<PermissionSet>();
    let company = ids.world.scope.company().id;
    let actor = ids.world.scope.actor();
    let scope =
        ids.world.test.scope(company, actor, but(&[Permission::PaymentsWrite, Permission::PaymentsRead]));
    for (name, told) in every_refusal(&scope, &ids).await {
        let wanted = match name {
            "get" | "allocation" | "by ids" | "of payments" | "of invoices" | "of bills" | "list"
            | "count" => "FORBIDDEN: this needs the permission payments.read",
            _ => "FORBIDDEN: this needs the permission payments.write",
        };
        assert_eq!(told, wanted, "{name}");
    }
}

#[tokio::test]
async fn another_companys_ids_answer_as_unknown_ones_and_nothing_changes() {
    let ids = paid().await;
    let other = World::beside(&ids.world).await;
    let unknown = Paid {
        world: World::beside(&ids.world).await,
        customer: kernel::id::new(),
        invoice: kernel::id::new(),
        open: kernel::id::new(),
        note: kernel::id::new(),
        payment: kernel::id::new(),
        allocation: kernel::id::new(),
    };
    let before = (books::figures(&ids.world.test, &ids.world.scope).await, ids.world.rows().await);
    let theirs = every_refusal(&other.scope, &ids).await;
    let nobodys = every_refusal(&other.scope, &unknown).await;
    assert_eq!(theirs, nobodys, "not yours is not found, to the letter");
    assert!(theirs.iter().all(|(_, told)| told.starts_with("NOT_FOUND")), "{theirs:?}");
    // The customer is the other company's own: then the document is what is not found.
    let customer = other.customer("B").await;
    let mut new = new_payment(Direction::Received, customer, other.scope.today(), 100);
    new.allocations = vec![(Target::Invoice(ids.open), 100)];
    assert_eq!(record(&other.scope, new).await.expect_err("not theirs").code(), "NOT_FOUND");
    assert_eq!(before, (books::figures(&ids.world.test, &ids.world.scope).await, ids.world.rows().await));
}

/// Runs a statement as the server's role in the company's scope, and undoes it. What PostgreSQL said.
async fn attack(raw: &mut PgConnection, company: Uuid, sql: &str) -> Result<(), String> {
    let scoped = format!("BEGIN; SET LOCAL app.tenant_id = '{company}'; {sql}");
    let result = sqlx::raw_sql(sqlx::AssertSqlSafe(scoped)).execute(&mut *raw).await;
    let _undone = sqlx::raw_sql("ROLLBACK").execute(raw).await;
    result.map(drop).map_err(|error| {
        let error = error.as_database_error().expect("PostgreSQL's");
        format!("{} {}", error.code().unwrap_or_default(), error.message())
    })
}

#[tokio::test]
async fn the_servers_role_cannot_settle_past_the_rules() {
    let Paid { world, customer, invoice, open, note, payment, allocation } = paid().await;
    let stranger = world.customer("B").await;
    let of_stranger = world.invoice(stranger, &[(9_000, true)]).await;
    let second = world.invoice(customer, &[(9_000, true)]).await;
    let draft = world.draft(customer, &[(1_000, true)]).await;
    let company = world.scope.company().id;
    let mut raw = world.test.raw("coulisse_server").await;
    let allocate = |columns: &str, values: &str, amount: i64| {
        format!(
            "INSERT INTO allocation (tenant_id, id, {columns}, currency, amount_minor, source_base_minor, target_base_minor,
                 on_date, created_at, created_by)
             VALUES ('{company}', gen_random_uuid(), {values}, 'EUR', {amount}, 0, 0, '2026-06-15', now(), 'system')"
        )
    };
    let pair = |target: Uuid, amount| {
        allocate("payment_id, invoice_id", &format!("'{payment}', '{target}'"), amount)
    };
    let credit =
        |from: Uuid, to: Uuid| allocate("credit_note_id, invoice_id", &format!("'{from}', '{to}'"), 1);
    let undo = |amount: i64, to: Uuid| {
        allocate(
            "payment_id, invoice_id, reverses_id",
            &format!("'{payment}', '{to}', '{allocation}'"),
            amount,
        )
    };
    let cases = [
        ("settled by hand", format!("UPDATE invoice SET settled_minor = 1 WHERE id = '{open}'"), "42501"),
        ("credited by hand", format!("UPDATE invoice SET credited_minor = 1 WHERE id = '{open}'"), "42501"),
        ("a bill settled by hand", "UPDATE bill SET settled_minor = 1".to_owned(), "42501"),
        ("freed by hand", format!("UPDATE payment SET allocated_minor = 0 WHERE id = '{payment}'"), "42501"),
        ("moved to another company", format!("UPDATE payment SET tenant_id = gen_random_uuid() WHERE id = '{payment}'"), "42501"),
        ("a larger payment", format!("UPDATE payment SET amount_minor = 9999 WHERE id = '{payment}'"), "CO002"),
        ("another day", format!("UPDATE payment SET paid_on = '2026-01-01' WHERE id = '{payment}'"), "CO002"),
        ("another party", format!("UPDATE payment SET party_id = '{stranger}' WHERE id = '{payment}'"), "CO002"),
        (
            "bounced while it settles",
            format!("UPDATE payment SET state = 'bounced', bounced_on = '2026-06-15', bounced_reason = 'x',
                bounce_entry_id = entry_id WHERE id = '{payment}'"),
            "23514",
        ),
        ("a payment deleted", format!("DELETE FROM payment WHERE id = '{payment}'"), "42501"),
        ("payments truncated", "TRUNCATE payment CASCADE".to_owned(), "42501"),
        ("an allocation changed", "UPDATE allocation SET amount_minor = 1".to_owned(), "42501"),
        ("an allocation deleted", "DELETE FROM allocation".to_owned(), "42501"),
        ("more than the payment", pair(open, 801), "23514"),
        ("more than the invoice", credit(note, invoice), "23514"),
        ("another customer's invoice", pair(of_stranger, 1), "CO002"),
        ("a draft", pair(draft, 1), "CO002"),
        ("a credit note by money received", pair(note, 1), "CO002"),
        ("an invoice set against an invoice", credit(open, second), "CO002"),
        ("an invoice set against itself", credit(open, open), "23514"),
        ("in another currency", pair(open, 1).replace("'EUR'", "'USD'"), "CO002"),
        ("nothing", pair(open, 0), "23514"),
        ("less than nothing", pair(open, -1), "23514"),
        ("half undone", undo(-600, invoice), "CO002"),
        ("undone elsewhere", undo(-1_200, open), "CO002"),
        ("undone with the wrong sign", undo(1_200, invoice), "23514"),
        ("from two sources", allocate("payment_id, credit_note_id, invoice_id", &format!("'{payment}', '{note}', '{open}'"), 1), "23514"),
        ("from nowhere", allocate("invoice_id", &format!("'{open}'"), 1), "23514"),
        ("to nowhere", allocate("payment_id", &format!("'{payment}'"), 1), "23514"),
        ("triggers off", "ALTER TABLE allocation DISABLE TRIGGER settle".to_owned(), "42501"),
        ("replica mode", "SET session_replication_role = replica".to_owned(), "42501"),
        (
            "a payment that begins allocated",
            format!("INSERT INTO payment SELECT (jsonb_populate_record(p, jsonb_build_object('id', gen_random_uuid(),
                'external_ref', NULL))).* FROM payment p WHERE id = '{payment}'"),
            "CO002",
        ),
    ];
    for (name, sql, expected) in cases {
        let told = attack(&mut raw, company, &sql).await.expect_err(name);
        assert!(told.starts_with(expected), "{name}: {told}");
    }
    let goods = world.invoice(customer, &[(5_000, false)]).await;
    let told = attack(&mut raw, company, &pair(open, 800)).await.expect_err("waiting tax moves");
    assert!(told.starts_with("CO002") && told.contains("by an entry"), "{told}");
    let snapshot = format!("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ; {}", pair(goods, 800));
    let told = attack(&mut raw, company, &snapshot).await.expect_err("an older snapshot");
    assert!(told.contains("READ COMMITTED"), "{told}");
    assert_eq!(attack(&mut raw, company, &pair(goods, 800)).await, Ok(()), "what fits is no attack");
    books::check(&world.test, &world.scope, "attacked").await;
}

#[tokio::test]
async fn references_across_companies_cannot_be_stored() {
    let ids = paid().await;
    let other = World::beside(&ids.world).await;
    let company = other.scope.company().id;
    let mut raw = ids.world.test.raw("coulisse_server").await;
    let sql = format!(
        "INSERT INTO allocation (tenant_id, id, payment_id, invoice_id, currency, amount_minor, source_base_minor,
             target_base_minor, on_date, created_at, created_by)
         VALUES ('{company}', gen_random_uuid(), '{}', '{}', 'EUR', 1, 1, 1, '2026-06-15', now(), 'system')",
        ids.payment, ids.open
    );
    let told = attack(&mut raw, company, &sql).await.expect_err("refused");
    assert!(told.starts_with("CO002") || told.starts_with("23503"), "{told}");
    let under_theirs =
        sql.replace(&format!("VALUES ('{company}'"), &format!("VALUES ('{}'", ids.world.scope.company().id));
    let told = attack(&mut raw, company, &under_theirs).await.expect_err("refused");
    assert!(told.starts_with("42501"), "the policy: {told}");
}
