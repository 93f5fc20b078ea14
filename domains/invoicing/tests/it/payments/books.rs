//! What the books say, read past the domain, as the superuser: for comparing with what the domain says.

use kernel::Scope;
use kernel::page::Slice;
use ledger::report::{AgedSide, aged};
use sqlx::postgres::PgConnection;
use testing::TestDb;
use uuid::Uuid;

/// A figure: one number of one statement with the company as its parameter.
async fn figure(db: &mut PgConnection, company: Uuid, sql: &str) -> i64 {
    let sum: Option<i64> =
        sqlx::query_scalar(sqlx::AssertSqlSafe(sql.to_owned())).bind(company).fetch_one(db).await.expect(sql);
    sum.unwrap_or(0)
}

/// Rows that break a rule: none is expected.
async fn breaches(db: &mut PgConnection, company: Uuid, rule: &str, sql: &str) {
    let count = format!("SELECT count(*) FROM ({sql}) AS breach");
    let found = figure(db, company, &count).await;
    assert_eq!(found, 0, "{rule}");
}

/// The balance of an account by its number, debit positive.
pub(super) async fn balance(db: &mut PgConnection, company: Uuid, number: &str) -> i64 {
    let sql = format!(
        "SELECT sum(p.debit_minor - p.credit_minor)::bigint FROM posting p
         JOIN account a ON a.tenant_id = p.tenant_id AND a.id = p.account_id
         WHERE p.tenant_id = $1 AND a.number = '{number}' AND p.posted_on IS NOT NULL"
    );
    figure(db, company, &sql).await
}

/// What the lines of an account have open after lettering, debit positive: aged receivables or payables.
async fn unmatched(db: &mut PgConnection, company: Uuid, number: &str) -> i64 {
    let sql = format!(
        "SELECT sum(p.debit_minor - p.credit_minor
             - coalesce((SELECT sum(m.amount_minor) FROM matching m WHERE m.debit_posting_id = p.id AND m.undone_on IS NULL), 0)
             + coalesce((SELECT sum(m.amount_minor) FROM matching m WHERE m.credit_posting_id = p.id AND m.undone_on IS NULL), 0)
         )::bigint FROM posting p JOIN account a ON a.tenant_id = p.tenant_id AND a.id = p.account_id
         WHERE p.tenant_id = $1 AND a.number = '{number}' AND p.posted_on IS NOT NULL"
    );
    figure(db, company, &sql).await
}

const OPEN_INVOICES: &str = "SELECT sum((CASE kind WHEN 'invoice' THEN 1 ELSE -1 END)
     * (total_minor - settled_minor - credited_minor))::bigint FROM invoice WHERE tenant_id = $1 AND state = 'issued'";
const OPEN_BILLS: &str = "SELECT sum((CASE kind WHEN 'bill' THEN 1 ELSE -1 END)
     * (payable_minor - settled_minor - credited_minor))::bigint FROM bill WHERE tenant_id = $1 AND state = 'posted'";
const WAITING_SALES: &str = "SELECT sum((CASE i.kind WHEN 'invoice' THEN 1 ELSE -1 END)
     * (t.waiting_minor - t.transferred_minor))::bigint
     FROM invoice_tax t JOIN invoice i ON i.tenant_id = t.tenant_id AND i.id = t.invoice_id
     WHERE t.tenant_id = $1 AND i.state = 'issued'";
const WAITING_PURCHASES: &str = "SELECT sum((CASE b.kind WHEN 'bill' THEN 1 ELSE -1 END)
     * (t.waiting_minor - t.transferred_minor))::bigint
     FROM bill_tax t JOIN bill b ON b.tenant_id = t.tenant_id AND b.id = t.bill_id
     WHERE t.tenant_id = $1 AND b.state = 'posted'";

async fn on_account(db: &mut PgConnection, company: Uuid, side: &str) -> i64 {
    let sql = format!(
        "SELECT sum((CASE direction WHEN 'received' THEN 1 ELSE -1 END) * (amount_minor - allocated_minor))::bigint
         FROM payment WHERE tenant_id = $1 AND side = '{side}' AND state = 'recorded'"
    );
    figure(db, company, &sql).await
}

/// Rows of rules that hold whatever happened.
const RULES: &[(&str, &str)] = &[
    (
        "every posted entry balances",
        "SELECT entry_id FROM posting WHERE tenant_id = $1 AND posted_on IS NOT NULL
         GROUP BY entry_id HAVING sum(debit_minor) <> sum(credit_minor)",
    ),
    (
        "a payment's allocated amount is the sum of its allocations",
        "SELECT p.id FROM payment p LEFT JOIN allocation a ON a.payment_id = p.id WHERE p.tenant_id = $1
         GROUP BY p.id, p.allocated_minor HAVING coalesce(sum(a.amount_minor), 0) <> p.allocated_minor",
    ),
    (
        "an invoice is settled by payments and credited by credit notes, and by nothing else",
        "SELECT i.id FROM invoice i WHERE i.tenant_id = $1 AND (
             i.settled_minor <> coalesce((SELECT sum(amount_minor) FROM allocation
                 WHERE invoice_id = i.id AND payment_id IS NOT NULL), 0)
             OR i.credited_minor <> coalesce((SELECT sum(amount_minor) FROM allocation
                 WHERE (invoice_id = i.id AND payment_id IS NULL) OR credit_note_id = i.id), 0))",
    ),
    (
        "a bill is settled by payments and credited by credit notes, and by nothing else",
        "SELECT b.id FROM bill b WHERE b.tenant_id = $1 AND (
             b.settled_minor <> coalesce((SELECT sum(amount_minor) FROM allocation
                 WHERE bill_id = b.id AND payment_id IS NOT NULL), 0)
             OR b.credited_minor <> coalesce((SELECT sum(amount_minor) FROM allocation
                 WHERE (bill_id = b.id AND payment_id IS NULL) OR bill_credit_id = b.id), 0))",
    ),
    (
        "what is transferred of an invoice's tax follows from what is settled",
        "SELECT 1 FROM invoice_tax t JOIN invoice i ON i.tenant_id = t.tenant_id AND i.id = t.invoice_id
         WHERE t.tenant_id = $1 AND i.total_minor > 0 AND t.transferred_minor <>
             floor((2 * t.waiting_minor::numeric * (i.settled_minor + i.credited_minor) + i.total_minor)
                 / (2 * i.total_minor::numeric))",
    ),
    (
        "what is transferred of a bill's tax follows from what is settled",
        "SELECT 1 FROM bill_tax t JOIN bill b ON b.tenant_id = t.tenant_id AND b.id = t.bill_id
         WHERE t.tenant_id = $1 AND b.payable_minor > 0 AND t.transferred_minor <>
             floor((2 * t.waiting_minor::numeric * (b.settled_minor + b.credited_minor) + b.payable_minor)
                 / (2 * b.payable_minor::numeric))",
    ),
    (
        "the bases of what is transferred of a settled invoice make the base that waited",
        "SELECT i.id FROM invoice i WHERE i.tenant_id = $1 AND i.kind = 'invoice' AND i.credited_minor = 0
             AND i.settled_minor = i.total_minor
             AND (SELECT coalesce(sum(waiting_base_minor), 0) FROM invoice_tax t WHERE t.invoice_id = i.id) <>
                 (SELECT coalesce(sum(p.tax_base_minor), 0) FROM allocation a
                     JOIN posting p ON p.entry_id = a.entry_id
                     JOIN account c ON c.tenant_id = p.tenant_id AND c.id = p.account_id AND c.number = '44571'
                     WHERE a.invoice_id = i.id)",
    ),
    (
        "no line is matched beyond its amount",
        "SELECT p.id FROM posting p WHERE p.tenant_id = $1 AND greatest(
             coalesce((SELECT sum(amount_minor) FROM matching m WHERE m.debit_posting_id = p.id AND undone_on IS NULL), 0)
                 - p.debit_minor,
             coalesce((SELECT sum(amount_minor) FROM matching m WHERE m.credit_posting_id = p.id AND undone_on IS NULL), 0)
                 - p.credit_minor) > 0",
    ),
    (
        "what is wholly settled has no open line on its party's account",
        "SELECT i.id FROM invoice i JOIN posting p ON p.entry_id = i.entry_id
             JOIN account a ON a.tenant_id = p.tenant_id AND a.id = p.account_id AND a.number = '411'
         WHERE i.tenant_id = $1 AND i.settled_minor + i.credited_minor = i.total_minor
           AND p.debit_minor + p.credit_minor <> (SELECT coalesce(sum(m.amount_minor), 0) FROM matching m
               WHERE (m.debit_posting_id = p.id OR m.credit_posting_id = p.id) AND m.undone_on IS NULL)",
    ),
    (
        "a bounced payment settles nothing and has no open line",
        "SELECT b.id FROM payment b JOIN posting p ON p.entry_id IN (b.entry_id, b.bounce_entry_id)
             JOIN account a ON a.tenant_id = p.tenant_id AND a.id = p.account_id AND a.number IN ('411', '401')
         WHERE b.tenant_id = $1 AND b.state = 'bounced' AND (b.allocated_minor <> 0
           OR p.debit_minor + p.credit_minor <> (SELECT coalesce(sum(m.amount_minor), 0) FROM matching m
               WHERE (m.debit_posting_id = p.id OR m.credit_posting_id = p.id) AND m.undone_on IS NULL))",
    ),
];

/// Checks every rule that holds whatever happened, in any currency.
pub(super) async fn check(test: &TestDb, scope: &Scope, when: &str) {
    let mut db = test.superuser().await;
    let company = scope.company().id;
    for (rule, sql) in RULES {
        breaches(&mut db, company, &format!("{rule} ({when})"), sql).await;
    }
    let waiting = figure(&mut db, company, WAITING_SALES).await;
    assert_eq!(-balance(&mut db, company, "44574").await, waiting, "44574 is what waits of sales ({when})");
    let waiting = figure(&mut db, company, WAITING_PURCHASES).await;
    assert_eq!(
        balance(&mut db, company, "44564").await,
        waiting,
        "44564 is what waits of purchases ({when})"
    );
    let tx = scope.read().await.expect("snapshot");
    for (side, account, sign) in [(AgedSide::Receivables, "411", 1), (AgedSide::Payables, "401", -1)] {
        let report = aged(&tx, side, scope.today(), &Slice::first(100)).await.expect("aged");
        let balance = sign * balance(&mut db, company, account).await;
        assert_eq!(report.totals.total_minor, balance, "what is aged is what {account} holds ({when})");
    }
    tx.end().await;
    for account in ["411", "401"] {
        let (balance, open) =
            (balance(&mut db, company, account).await, unmatched(&mut db, company, account).await);
        assert_eq!(balance, open, "lettering of {account} takes as much of debits as of credits ({when})");
    }
}

/// Checks what holds while everything is in the company's currency: the accounts of the parties are what is open.
pub(super) async fn check_parties(test: &TestDb, scope: &Scope, when: &str) {
    let mut db = test.superuser().await;
    let company = scope.company().id;
    let open = figure(&mut db, company, OPEN_INVOICES).await - on_account(&mut db, company, "customer").await;
    assert_eq!(balance(&mut db, company, "411").await, open, "411 is what customers owe ({when})");
    let open = figure(&mut db, company, OPEN_BILLS).await + on_account(&mut db, company, "supplier").await;
    assert_eq!(-balance(&mut db, company, "401").await, open, "401 is what is owed to suppliers ({when})");
}

/// Everything that payments move, except history: what bouncing and undoing must bring back.
pub(super) async fn figures(test: &TestDb, scope: &Scope) -> Vec<(String, i64)> {
    let mut db = test.superuser().await;
    sqlx::query_as(
        "SELECT 'account ' || a.number, sum(p.debit_minor - p.credit_minor)::bigint FROM posting p
             JOIN account a ON a.tenant_id = p.tenant_id AND a.id = p.account_id
             WHERE p.tenant_id = $1 GROUP BY a.number HAVING sum(p.debit_minor - p.credit_minor) <> 0
         UNION ALL SELECT 'invoice ' || id, settled_minor + credited_minor FROM invoice WHERE tenant_id = $1
         UNION ALL SELECT 'bill ' || id, settled_minor + credited_minor FROM bill WHERE tenant_id = $1
         UNION ALL SELECT 'tax ' || invoice_id || category || rate, transferred_minor FROM invoice_tax WHERE tenant_id = $1
         UNION ALL SELECT 'tax ' || bill_id || category || rate, transferred_minor FROM bill_tax WHERE tenant_id = $1
         UNION ALL SELECT 'open ' || p.id, p.debit_minor - p.credit_minor
             - coalesce((SELECT sum(m.amount_minor) FROM matching m WHERE m.debit_posting_id = p.id AND m.undone_on IS NULL), 0)::bigint
             + coalesce((SELECT sum(m.amount_minor) FROM matching m WHERE m.credit_posting_id = p.id AND m.undone_on IS NULL), 0)::bigint
             FROM posting p JOIN invoice i ON i.tenant_id = p.tenant_id AND i.entry_id = p.entry_id
             JOIN account a ON a.tenant_id = p.tenant_id AND a.id = p.account_id AND a.number = '411'
             WHERE p.tenant_id = $1
         ORDER BY 1, 2",
    )
    .bind(scope.company().id)
    .fetch_all(&mut db)
    .await
    .expect("figures")
}
