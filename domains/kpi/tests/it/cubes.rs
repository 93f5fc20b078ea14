//! Cubes: what the database keeps of them is what the domains declare, and what happened.

use std::collections::BTreeMap;

use chrono::{Days, NaiveDate};
use invoicing::catalog::tax_code;
use invoicing::credit_note::{self, NewCreditNote};
use invoicing::invoice::{self, NewInvoice, NewLine};
use invoicing::party::{self, NewParty};
use invoicing::payment::{self, Direction, Method, NewPayment, Target};
use kernel::Currency;
use kpi::cubes;
use ledger::account::Role;
use ledger::year::Chart;
use rust_decimal::Decimal;
use sqlx::Row;
use testing::{TestDb, day};
use uuid::Uuid;

use crate::drill_down::some_of_each;
use crate::support::{
    Firm, Pay, Sale, approve_in, bill_in, bounce_after_in, change_bill_in, credit_in, firm, pay_in, sell_in,
    undo_in, write,
};
use crate::work::{Dice, act};

type Cells = BTreeMap<(NaiveDate, String, String, String, String), (i64, i64, i64)>;

type Cell = (NaiveDate, String, String, String, String, i64, i64, i64);

/// The facts of a cube on some days as they are declared, added up.
async fn declared(firm: &Firm, cube: &kernel::cube::Cube, first: NaiveDate, last: NaiveDate) -> Cells {
    let tx = firm.scope.read().await.expect("snapshot");
    let text = format!(
        "SELECT day, dim1, dim2, dim3, currency, sum(count)::bigint, sum(sum1)::bigint, sum(sum2)::bigint
         FROM ({}) AS fact WHERE day BETWEEN $1 AND $2 GROUP BY 1, 2, 3, 4, 5",
        cube.facts
    );
    let cells: Vec<Cell> = tx.tuples(&text, [first.into(), last.into()]).await.expect(cube.name);
    tx.end().await;
    let cells = cells.into_iter().filter(|cell| (cell.5, cell.6, cell.7) != (0, 0, 0));
    cells.map(|(d, a, b, c, e, n, x, y)| ((d, a, b, c, e), (n, x, y))).collect()
}

/// The same as what fills slices reads them.
async fn filled(
    test: &TestDb,
    firm: &Firm,
    cube: &kernel::cube::Cube,
    first: NaiveDate,
    last: NaiveDate,
) -> Cells {
    let mut owner = test.raw("coulisse_owner").await;
    sqlx::query("SELECT set_config('app.tenant_id', $1, false)")
        .bind(firm.scope.company().id.to_string())
        .execute(&mut owner)
        .await
        .expect("tenant");
    let rows = sqlx::query(
        "SELECT day, dim1, dim2, dim3, currency, sum(count)::bigint, sum(sum1)::bigint, sum(sum2)::bigint
         FROM cube_facts($1, $2, $3) GROUP BY 1, 2, 3, 4, 5",
    )
    .bind(cube.name)
    .bind(first)
    .bind(last)
    .fetch_all(&mut owner)
    .await
    .expect(cube.name);
    let cells = rows.iter().map(|row| {
        ((row.get(0), row.get(1), row.get(2), row.get(3), row.get(4)), (row.get(5), row.get(6), row.get(7)))
    });
    cells.filter(|(_, sums)| *sums != (0, 0, 0)).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_facts_that_fill_are_the_declared_ones_on_any_days() {
    let test = TestDb::new().await;
    let firm = firm(&test).await;
    let mut dice = Dice(2024);
    for _ in 0..300 {
        act(&firm, Dice(dice.roll(1 << 30))).await;
    }
    some_of_each(&firm).await;
    for cube in cubes::offered() {
        let all = declared(&firm, cube, day("0001-01-01"), day("9999-12-31")).await;
        assert!(!all.is_empty(), "{} has facts", cube.name);
        assert_eq!(
            filled(&test, &firm, cube, day("0001-01-01"), day("9999-12-31")).await,
            all,
            "{}",
            cube.name
        );
        for _ in 0..6 {
            let first = day("2026-01-15") + Days::new(dice.roll(240));
            let last = first + Days::new(dice.roll(30));
            let found = filled(&test, &firm, cube, first, last).await;
            assert_eq!(found, declared(&firm, cube, first, last).await, "{} {first} {last}", cube.name);
        }
    }
}

#[tokio::test]
async fn the_database_drops_the_dimensions_that_the_declarations_drop() {
    let test = TestDb::new().await;
    let mut superuser = test.superuser().await;
    let rows = sqlx::query("SELECT cube, keep1, keep2, keep3 FROM kept_dimensions()")
        .fetch_all(&mut superuser)
        .await
        .expect("kept");
    let dropped: BTreeMap<String, [bool; 3]> =
        rows.iter().map(|row| (row.get(0), [row.get(1), row.get(2), row.get(3)])).collect();
    assert_eq!(dropped.len(), rows.len(), "each once");
    let declared: BTreeMap<String, [bool; 3]> = cubes::all()
        .filter(|cube| cube.kept != [true; 3])
        .map(|cube| (cube.name.to_owned(), cube.kept))
        .collect();
    assert_eq!(dropped, declared);
    assert!(cubes::all().all(|cube| cube.kept[0]), "the first dimension is always kept");
}

/// How a balance moved: day, count, amount.
async fn movements(firm: &Firm, cube: &str) -> Vec<(String, i64, i64)> {
    let tx = firm.scope.read().await.expect("snapshot");
    let state = kernel::rollup::current("cube = $1");
    let text = format!(
        "SELECT day::text, sum(count)::bigint, sum(sum1)::bigint FROM {state} AS state GROUP BY day
         HAVING (sum(count), sum(sum1), sum(sum2)) <> (0, 0, 0) ORDER BY day"
    );
    let moves: Vec<(String, i64, i64)> = tx.tuples(&text, [cube.into()]).await.expect("movements");
    assert_eq!(kpi::audit(&tx).await.expect("audited"), []);
    tx.end().await;
    moves
}

fn moves(expected: &[(&str, i64, i64)]) -> Vec<(String, i64, i64)> {
    expected.iter().map(|(day, count, amount)| ((*day).to_owned(), *count, *amount)).collect()
}

#[tokio::test]
async fn a_backdated_payment_and_its_bounce_move_the_days_they_are_of() {
    let test = TestDb::new().await;
    let firm = firm(&test).await;
    let ids = firm.ids;
    let invoice = write!(firm.scope, |tx| sell_in(tx, ids, Sale::invoice("2026-05-01", "2026-05-31", 1000)));
    let opened = ("2026-05-01", 1, 1200);
    assert_eq!(movements(&firm, "receivable.balance").await, moves(&[opened]));
    assert_eq!(movements(&firm, "receivable.overdue").await, moves(&[("2026-06-01", 1, 1200)]));

    write!(firm.scope, |tx| pay_in(tx, ids, Pay::invoice(invoice, "2026-06-10", 700)));
    // It became known late, and was there before the other.
    let early = write!(firm.scope, |tx| pay_in(tx, ids, Pay::invoice(invoice, "2026-05-20", 500)));
    let paid = [opened, ("2026-05-20", 0, -500), ("2026-06-10", -1, -700)];
    assert_eq!(movements(&firm, "receivable.balance").await, moves(&paid));
    let late = [("2026-06-01", 1, 700), ("2026-06-10", -1, -700)];
    assert_eq!(movements(&firm, "receivable.overdue").await, moves(&late));
    let days = 40 * 86_400_000;
    assert_eq!(movements(&firm, "invoice.paid").await, moves(&[("2026-06-10", 1, days)]));

    write!(firm.scope, |tx| bounce_after_in(tx, early, 5));
    let bounced = [opened, ("2026-05-20", 0, -500), ("2026-05-25", 0, 500), ("2026-06-10", 0, -700)];
    assert_eq!(movements(&firm, "receivable.balance").await, moves(&bounced), "it never closed");
    assert_eq!(movements(&firm, "invoice.paid").await, []);
    // A payment from before the invoice settles it as of its issue.
    write!(firm.scope, |tx| pay_in(tx, ids, Pay::invoice(invoice, "2026-04-01", 500)));
    let closed =
        [("2026-05-01", 1, 700), ("2026-05-20", 0, -500), ("2026-05-25", 0, 500), ("2026-06-10", -1, -700)];
    assert_eq!(movements(&firm, "receivable.balance").await, moves(&closed));
}

#[tokio::test]
async fn a_backdated_payment_of_a_bill_moves_the_day_it_is_of() {
    let test = TestDb::new().await;
    let firm = firm(&test).await;
    let ids = firm.ids;
    let bill = write!(firm.scope, |tx| bill_in(tx, ids, "bill", day("2026-04-01"), 1000));
    write!(firm.scope, |tx| approve_in(tx, bill, day("2026-04-02"), 1));
    write!(firm.scope, |tx| change_bill_in(tx, bill, "posted"));
    for (on, amount) in [("2026-05-10", 700), ("2026-04-20", 300)] {
        let pay = Pay { on: day(on), amount, currency: "EUR", invoice: None, bill: Some(bill) };
        write!(firm.scope, |tx| pay_in(tx, ids, pay));
    }
    let paid = [("2026-04-01", 1, 1000), ("2026-04-20", 0, -300), ("2026-05-10", -1, -700)];
    assert_eq!(movements(&firm, "payable.balance").await, moves(&paid));
    // It was due on the first of May.
    let late = [("2026-05-02", 1, 700), ("2026-05-10", -1, -700)];
    assert_eq!(movements(&firm, "payable.overdue").await, moves(&late));
}

#[tokio::test]
async fn a_credit_note_and_its_invoice_close_together_and_open_again() {
    let test = TestDb::new().await;
    let firm = firm(&test).await;
    let ids = firm.ids;
    let invoice = write!(firm.scope, |tx| sell_in(tx, ids, Sale::invoice("2026-05-01", "2026-05-31", 1000)));
    let note = write!(firm.scope, |tx| sell_in(tx, ids, Sale::credit_note(invoice, "2026-05-10", 1000)));
    assert_eq!(
        movements(&firm, "receivable.balance").await,
        moves(&[("2026-05-01", 1, 1200), ("2026-05-10", 1, -1200)])
    );
    write!(firm.scope, |tx| credit_in(tx, note, invoice, 1200, day("2026-05-12")));
    let set = [("2026-05-01", 1, 1200), ("2026-05-10", 1, -1200), ("2026-05-12", -2, 0)];
    assert_eq!(movements(&firm, "receivable.balance").await, moves(&set));
    assert_eq!(
        movements(&firm, "receivable.overdue").await,
        moves(&[("2026-05-11", 1, -1200), ("2026-05-12", -1, 1200)])
    );
    assert_eq!(movements(&firm, "invoice.paid").await, [], "nobody paid");
    write!(firm.scope, |tx| undo_in(tx, "a.credit_note_id = $1", note, 3));
    let undone =
        [("2026-05-01", 1, 1200), ("2026-05-10", 1, -1200), ("2026-05-12", -2, 0), ("2026-05-15", 2, 0)];
    assert_eq!(movements(&firm, "receivable.balance").await, moves(&undone));
}

#[tokio::test]
async fn a_correction_restates_what_waits_since_its_receipt() {
    let test = TestDb::new().await;
    let firm = firm(&test).await;
    let ids = firm.ids;
    let bill = write!(firm.scope, |tx| bill_in(tx, ids, "bill", day("2026-06-01"), 100));
    assert_eq!(movements(&firm, "bill.queue").await, moves(&[("2026-06-01", 1, 100)]));
    write!(firm.scope, |tx| change_bill_in(tx, bill, "restated"));
    assert_eq!(movements(&firm, "bill.queue").await, moves(&[("2026-06-01", 1, 107)]));
    write!(firm.scope, |tx| approve_in(tx, bill, day("2026-06-04"), 1));
    assert_eq!(
        movements(&firm, "bill.queue").await,
        moves(&[("2026-06-01", 1, 107), ("2026-06-04", -1, -107)])
    );
    // It was decided on once; what becomes of it later does not wait.
    write!(firm.scope, |tx| change_bill_in(tx, bill, "rejected late"));
    assert_eq!(
        movements(&firm, "bill.queue").await,
        moves(&[("2026-06-01", 1, 107), ("2026-06-04", -1, -107)])
    );
    assert_eq!(movements(&firm, "payable.balance").await, []);
}

#[tokio::test]
async fn the_companys_own_calendar_dates_a_decision_even_when_it_moves() {
    let test = TestDb::new().await;
    let firm = firm(&test).await;
    let ids = firm.ids;
    let bill = write!(firm.scope, |tx| bill_in(tx, ids, "bill", day("2026-06-01"), 100));
    // Half an hour after midnight in Paris.
    write!(firm.scope, |tx| {
        tx.run(
        "UPDATE bill SET state = 'approved', approved_by = 'system', approved_at = '2026-06-04T22:30:00Z' WHERE id = $1",
        [bill.into()]
    )
    });
    assert_eq!(
        movements(&firm, "bill.queue").await,
        moves(&[("2026-06-01", 1, 100), ("2026-06-05", -1, -100)])
    );
    write!(firm.scope, |tx| tx.run("UPDATE kpi_head SET zone = 'America/New_York'", []));
    write!(firm.scope, |tx| change_bill_in(tx, bill, "posted"));
    assert_eq!(
        movements(&firm, "bill.queue").await,
        moves(&[("2026-06-01", 1, 100), ("2026-06-05", -1, -100)])
    );
}

/// What stands on an account in the ledger at the end of a day, in the company's currency.
async fn in_the_books(firm: &Firm, role: Role, on: NaiveDate) -> i64 {
    let tx = firm.scope.read().await.expect("snapshot");
    let account = ledger::account::id_of_role(&tx, role).await.expect("an account");
    let text = "SELECT coalesce(sum(p.debit_minor - p.credit_minor), 0)::bigint FROM posting p
                WHERE p.account_id = $1 AND p.posted_on <= $2";
    let found: Option<(i64,)> = tx.tuple(text, [account.into(), on.into()]).await.expect("a balance");
    tx.end().await;
    found.expect("one row").0
}

/// A company that sells through its use cases.
struct Shop {
    firm: Firm,
    customer: Uuid,
    code: Uuid,
}

async fn shop(test: &TestDb) -> Shop {
    let firm = firm(test).await;
    let opened: Result<(Uuid, Uuid), invoicing::Error> = firm
        .scope
        .write(|tx| {
            Box::pin(async move {
                tax_code::service::seed_in(tx, Chart::FrPcg).await?;
                let customer = NewParty {
                    is_customer: true,
                    name: "Librairie Dupont".to_owned(),
                    country: "FR".to_owned(),
                    ..NewParty::default()
                };
                let customer = party::service::create(tx, customer).await?;
                let found: Option<(Uuid,)> =
                    tx.tuple("SELECT id FROM tax_code WHERE code = 'S20'", []).await?;
                Ok((customer, found.expect("a tax code").0))
            })
        })
        .await;
    let (customer, code) = opened.expect("a shop");
    Shop { firm, customer, code }
}

/// One use case: `done!(shop.firm.scope, [captured], |tx| work)`.
macro_rules! done {
    ($scope:expr, [$($captured:ident),*], |$tx:ident| $work:expr) => {
        $scope.write(|$tx| { $(let $captured = $captured.clone();)* Box::pin(async move { $work.await }) }).await
    };
}

impl Shop {
    async fn sold(&self, net: i64) -> Uuid {
        let line = NewLine {
            item_id: None,
            description: Some("Fourniture".to_owned()),
            quantity: 1.into(),
            unit: None,
            unit_price: Some(Decimal::new(net, 2)),
            discount_percent: None,
            tax_code_id: Some(self.code),
            account_id: None,
            nature: None,
        };
        let new = NewInvoice {
            customer_id: self.customer,
            currency: None,
            payment_days: Some(10),
            end_of_month: None,
            delivery_date: None,
            buyer_reference: None,
            order_reference: None,
            note: None,
            external_ref: None,
            lines: vec![line],
        };
        let id: Result<Uuid, invoicing::Error> =
            done!(self.firm.scope, [new], |tx| invoice::service::create_draft(tx, new));
        self.issued(id.expect("a draft")).await
    }

    async fn issued(&self, id: Uuid) -> Uuid {
        let issued: Result<(), invoicing::Error> =
            done!(self.firm.scope, [], |tx| invoice::service::issue(tx, id, 1, None));
        issued.expect("issued");
        id
    }

    async fn credited(&self, invoice_id: Uuid) {
        let new = NewCreditNote { invoice_id, note: None, external_ref: None, lines: None };
        let id: Result<Uuid, invoicing::Error> =
            done!(self.firm.scope, [new], |tx| credit_note::service::create_draft(tx, new));
        self.issued(id.expect("a draft")).await;
    }

    async fn paid(&self, back: u64, amount_minor: i64, allocations: Vec<(Target, i64)>) -> Option<Uuid> {
        let new = NewPayment {
            direction: Direction::Received,
            party_id: self.customer,
            paid_on: self.firm.scope.today() - Days::new(back),
            currency: Currency::EUR,
            amount_minor,
            base_minor: None,
            method: Method::Transfer,
            reference: None,
            external_ref: None,
            allocations,
        };
        let id: Result<Uuid, invoicing::Error> = done!(self.firm.scope, [new], |tx| payment::record(tx, new));
        id.ok()
    }
}

/// What of a customer's payments was on account at the end of a day, by the day that each was posted on.
const ON_ACCOUNT: &str = "
    SELECT (SELECT coalesce(sum(p.base_minor), 0) FROM payment p JOIN journal_entry e ON e.id = p.entry_id
            WHERE e.entry_date <= $1)
         - (SELECT coalesce(sum(p.base_minor), 0) FROM payment p JOIN journal_entry e ON e.id = p.bounce_entry_id
            WHERE e.entry_date <= $1)
         - (SELECT coalesce(sum(source_base_minor), 0) FROM allocation WHERE payment_id IS NOT NULL AND on_date <= $1)";

#[tokio::test]
async fn on_every_day_receivables_are_the_customers_account_and_what_is_paid_on_account() {
    let test = TestDb::new().await;
    test.clock.set(testing::at("2026-05-20T10:00:00Z"));
    let shop = shop(&test).await;
    let (mut dice, mut open) = (Dice(31), Vec::new());
    for step in 0..40 {
        test.clock.set(testing::at("2026-05-20T10:00:00Z") + chrono::TimeDelta::hours(22 * step));
        let net = i64::try_from(dice.roll(100_000)).expect("small") + 100;
        let invoice = shop.sold(net).await;
        open.push(invoice);
        let any = open[usize::try_from(dice.roll(open.len() as u64)).expect("small")];
        match dice.roll(5) {
            0 => shop.credited(invoice).await,
            1 => {
                let _kept_on_account = shop.paid(dice.roll(6), 50, Vec::new()).await;
            }
            2 => {
                if let Some(payment) = shop.paid(dice.roll(3), 60, vec![(Target::Invoice(any), 60)]).await {
                    let on = shop.firm.scope.today();
                    let bounced: Result<(), invoicing::Error> =
                        done!(shop.firm.scope, [], |tx| payment::bounce(tx, payment, on, "none"));
                    bounced.expect("bounced");
                }
            }
            _ => {
                let due = net + (2 * net + 5) / 10;
                let _refused_when_credited =
                    shop.paid(dice.roll(4), due, vec![(Target::Invoice(invoice), due)]).await;
            }
        }
    }
    let firm = &shop.firm;
    assert!(movements(firm, "receivable.balance").await.len() > 20);
    let tx = firm.scope.read().await.expect("snapshot");
    let state = kernel::rollup::current("cube = 'receivable.balance' AND day <= $1");
    let sums = format!(
        "SELECT coalesce(sum(sum2), 0)::bigint, coalesce(sum(sum1), 0)::bigint FROM {state} AS state"
    );
    for back in 0..45 {
        let on = firm.scope.today() - Days::new(back);
        let kept: Option<(i64, i64)> = tx.tuple(&sums, [on.into()]).await.expect("kept");
        let (base, own) = kept.expect("one row");
        assert_eq!(base, own, "all of it is in euros");
        let account: Option<(Decimal,)> = tx.tuple(ON_ACCOUNT, [on.into()]).await.expect("on account");
        let books = Decimal::from(in_the_books(firm, Role::Receivable, on).await);
        assert_eq!(Decimal::from(base) - account.expect("one row").0, books, "on {on}");
    }
    tx.end().await;
}
