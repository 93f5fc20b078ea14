//! Each hole of a ledger, tried in raw SQL by the role of the server.

use ledger::account::Role;
use ledger::entry::JournalKind;
use testing::TestDb;

use crate::support::{books, company, entry, line, owed, post, raw, raw_as, run, sale, value};

/// SQL of a draft with lines of these amounts; `{id}` is the entry's id.
fn draft_sql(tenant: uuid::Uuid, id: uuid::Uuid, amounts: &[i64]) -> String {
    let mut sql = format!(
        "INSERT INTO journal_entry (tenant_id, id, journal_id, entry_date, label, created_at, created_by, updated_at,
             updated_by)
         SELECT '{tenant}', '{id}', j.id, '2026-05-01', 'raw', now(), 'raw', now(), 'raw' FROM journal j
         WHERE kind = 'miscellaneous';"
    );
    for (at, amount) in amounts.iter().enumerate() {
        sql += &line_sql(tenant, id, at + 1, *amount);
    }
    sql
}

fn line_sql(tenant: uuid::Uuid, entry: uuid::Uuid, no: usize, amount: i64) -> String {
    format!(
        "INSERT INTO posting (tenant_id, id, entry_id, line_no, account_id, debit_minor, credit_minor, label)
         SELECT '{tenant}', gen_random_uuid(), '{entry}', {no}, a.id, {}, {}, 'raw' FROM account a WHERE role = 'bank';",
        amount.max(0),
        (-amount).max(0)
    )
}

#[tokio::test]
async fn what_is_posted_refuses_every_change_by_every_role() {
    let (test, scope) = books().await;
    let posted = post(&scope, &sale("2026-05-01", 12_000)).await.expect("posted");
    let (tenant, id) = (scope.company().id, posted.id);
    let other = kernel::id::new();
    for role in ["coulisse_server", "coulisse_owner"] {
        let mut raw = raw_as(&test, &scope, role).await;
        for sql in [
            "UPDATE journal_entry SET label = 'x'",
            "UPDATE journal_entry SET state = 'draft', number = NULL",
            "UPDATE journal_entry SET version = version + 1",
            "DELETE FROM journal_entry",
            "DELETE FROM posting",
            "UPDATE posting SET debit_minor = debit_minor + 1 WHERE debit_minor > 0",
            "UPDATE posting SET account_id = (SELECT id FROM account WHERE role = 'receivable')",
            "UPDATE posting SET posted_on = posted_on + 1",
            "UPDATE posting SET posted_on = NULL",
            "UPDATE posting SET label = 'x'",
            "TRUNCATE posting CASCADE",
            "TRUNCATE journal_entry CASCADE",
            "SET session_replication_role = replica; DELETE FROM posting",
        ] {
            assert!(run(&mut raw, sql).await.is_err(), "{role}: {sql}");
        }
        let more = line_sql(tenant, id, 3, 100) + &line_sql(tenant, id, 4, -100);
        assert_eq!(
            run(&mut raw, &format!("BEGIN; {more} COMMIT")).await,
            Err("CO002".to_owned()),
            "{role}: more lines"
        );
        run(&mut raw, "ROLLBACK").await.expect("rolled back");
        // The other tenant's lines cannot hang on it either: the key carries the company.
        let stray = line_sql(tenant, other, 1, 100);
        assert_eq!(run(&mut raw, &stray).await, Err("23503".to_owned()), "{role}: a line without an entry");
    }
    let sum: i64 = value(&scope, "SELECT sum(debit_minor)::bigint FROM posting").await;
    assert_eq!(sum, 12_000);
}

#[tokio::test]
async fn an_entry_begins_as_a_draft_and_is_posted_by_the_rule_alone() {
    let (test, scope) = books().await;
    let mut raw = raw(&test, &scope).await;
    let tenant = scope.company().id;
    let born_posted = format!(
        "INSERT INTO journal_entry (tenant_id, id, journal_id, state, number, fiscal_year_id, period_id, posted_at,
             posted_by, entry_date, label, created_at, created_by, updated_at, updated_by)
         SELECT '{tenant}', gen_random_uuid(), j.id, 'posted', 1, p.fiscal_year_id, p.id, now(), 'raw', p.first_day,
             'raw', now(), 'raw', now(), 'raw'
         FROM journal j, period p WHERE j.kind = 'sales' AND p.number = 5"
    );
    assert_eq!(run(&mut raw, &born_posted).await, Err("CO002".to_owned()));
    let post = |id: uuid::Uuid| {
        format!(
            "UPDATE journal_entry SET state = 'posted', posted_at = now(), posted_by = 'raw' WHERE id = '{id}';"
        )
    };
    for (amounts, refusal) in
        [(&[][..], "CO014"), (&[100][..], "CO014"), (&[100, -99][..], "CO013"), (&[100, 100][..], "CO013")]
    {
        let id = kernel::id::new();
        let sql = format!("BEGIN; {} {} COMMIT", draft_sql(tenant, id, amounts), post(id));
        assert_eq!(run(&mut raw, &sql).await, Err(refusal.to_owned()), "{amounts:?}");
        run(&mut raw, "ROLLBACK").await.expect("rolled back");
    }
    let id = kernel::id::new();
    run(&mut raw, &draft_sql(tenant, id, &[100, -100])).await.expect("a draft");
    // A line's day is the posting's to give: it would move balances.
    let forged = format!("UPDATE posting SET posted_on = '2026-05-01' WHERE entry_id = '{id}'");
    assert_eq!(run(&mut raw, &forged).await, Err("CO002".to_owned()));
    for forged in [
        format!("UPDATE journal_entry SET number = 7 WHERE id = '{id}'"),
        format!("UPDATE journal_entry SET id = gen_random_uuid() WHERE id = '{id}'"),
        "UPDATE journal_series SET last_number = 0".to_owned(),
        "DELETE FROM journal_series".to_owned(),
        "INSERT INTO kpi_delta (tenant_id, cube, day) VALUES (app_tenant(), 'ledger.balance', now())"
            .to_owned(),
    ] {
        assert!(run(&mut raw, &forged).await.is_err(), "{forged}");
    }
    // What the poster names is overruled: number, year and period are the rule's.
    let named = format!(
        "UPDATE journal_entry SET state = 'posted', number = 7, fiscal_year_id = gen_random_uuid(),
        period_id = gen_random_uuid(), posted_at = now(), posted_by = 'raw' WHERE id = '{id}'"
    );
    run(&mut raw, &named).await.expect("posted");
    let number: i32 = value(&scope, "SELECT number FROM journal_entry").await;
    assert_eq!(number, 1);
}

#[tokio::test]
async fn a_temporary_table_does_not_fool_the_guards() {
    let (test, scope) = books().await;
    let posted = post(&scope, &sale("2026-05-01", 12_000)).await.expect("posted");
    let mut raw = raw(&test, &scope).await;
    let fake = "CREATE TEMP TABLE journal_entry AS SELECT id, 'draft'::text AS state, entry_date FROM public.journal_entry;
         SET search_path = pg_temp, public";
    run(&mut raw, fake).await.expect("a temporary table");
    let tenant = scope.company().id;
    assert_eq!(run(&mut raw, "DELETE FROM public.posting").await, Err("CO002".to_owned()));
    assert_eq!(run(&mut raw, &line_sql(tenant, posted.id, 3, 100)).await, Err("CO002".to_owned()));
}

#[tokio::test]
async fn changing_the_company_in_a_transaction_reaches_nothing_of_the_first() {
    let test = TestDb::new().await;
    let (a, b) = (company(&test).await, company(&test).await);
    let mut raw = raw(&test, &a).await;
    let (id, tenant, other) = (kernel::id::new(), a.company().id, b.company().id);
    run(&mut raw, &draft_sql(tenant, id, &[100, -100])).await.expect("a draft");
    let moved = format!("UPDATE journal_entry SET tenant_id = '{other}' WHERE id = '{id}'");
    assert!(run(&mut raw, &moved).await.is_err());
    let switch = format!("BEGIN; SET LOCAL app.tenant_id = '{other}';");
    // Under the other company the draft is not there: nothing is posted, and its lines cannot be given away.
    let post = format!("{switch} UPDATE journal_entry SET state = 'posted' WHERE id = '{id}'; COMMIT");
    let _unseen = run(&mut raw, &post).await;
    let steal = format!("{switch} {} COMMIT", line_sql(tenant, id, 3, 100));
    let _refused = run(&mut raw, &steal).await;
    run(&mut raw, "ROLLBACK").await.expect("rolled back");
    let stray = format!("{switch} {} COMMIT", line_sql(other, id, 3, 100));
    assert!(run(&mut raw, &stray).await.is_err());
    run(&mut raw, "ROLLBACK").await.expect("rolled back");
    for scope in [&a, &b] {
        let posted: i64 = value(scope, "SELECT count(*) FROM journal_entry WHERE state = 'posted'").await;
        assert_eq!(posted, 0);
    }
    let lines: i64 = value(&a, "SELECT count(*) FROM posting").await;
    assert_eq!(lines, 2);
}

#[tokio::test]
async fn years_and_periods_cannot_be_bent() {
    let (test, scope) = books().await;
    let mut raw = raw(&test, &scope).await;
    let used = vec![owed(Role::Receivable, 5, kernel::id::new(), "2026-02-28"), line(Role::Bank, -5)];
    post(&scope, &entry(JournalKind::Bank, "2026-02-01", used)).await.expect("posted");
    run(&mut raw, "UPDATE period SET state = 'locked' WHERE number = 1; UPDATE period SET state = 'closed' WHERE number = 1")
        .await
        .expect("locked, then closed");
    for sql in [
        "UPDATE period SET state = 'open' WHERE number = 1",
        "UPDATE period SET state = 'closed' WHERE number = 2",
        "UPDATE period SET first_day = first_day - 400 WHERE number = 2",
        "DELETE FROM period",
        "DELETE FROM fiscal_year",
        "UPDATE fiscal_year SET last_day = last_day + 31",
        "UPDATE fiscal_year SET state = 'closed', closed_at = now(), closed_by = 'raw'",
        "INSERT INTO fiscal_year (tenant_id, id, name, first_day, last_day, created_at, created_by, updated_at, updated_by)
         VALUES (app_tenant(), gen_random_uuid(), 'x', '2026-06-01', '2027-05-31', now(), 'raw', now(), 'raw')",
        "UPDATE account SET kind = 'income' WHERE role = 'bank'",
        "UPDATE account SET role = NULL WHERE role = 'bank'",
        "UPDATE account SET party_required = false WHERE role = 'receivable'",
        "UPDATE account SET reconcilable = true WHERE role = 'bank'",
        "UPDATE journal SET kind = 'opening' WHERE kind = 'sales'",
        "DELETE FROM journal",
    ] {
        assert!(run(&mut raw, sql).await.is_err(), "{sql}");
    }
    // In a closed period nothing is posted, in raw SQL as little as elsewhere.
    let late = entry(JournalKind::Sales, "2026-01-15", vec![line(Role::Bank, 5), line(Role::SalesGoods, -5)]);
    assert_eq!(crate::support::code(&post(&scope, &late).await), "PERIOD_NOT_OPEN");
}

/// A snapshot that is older than another session's line, or matching, does not see it in its sums, and no lock on
/// what it already sees would tell it.
#[tokio::test]
async fn an_older_snapshot_neither_posts_nor_matches() {
    let (test, scope) = books().await;
    let (tenant, id, party) = (scope.company().id, kernel::id::new(), kernel::id::new());
    let mut lines = vec![owed(Role::Receivable, 100, party, "2026-05-31")];
    lines.extend((0..2).map(|_| owed(Role::Receivable, -100, party, "2026-05-31")));
    lines.push(line(Role::Bank, 100));
    let settled =
        post(&scope, &entry(JournalKind::Bank, "2026-05-01", lines)).await.expect("posted").postings;
    let matching = |credit: usize| {
        format!(
            "INSERT INTO matching (tenant_id, id, debit_posting_id, credit_posting_id, amount_minor, matched_on,
                 created_at, created_by)
             VALUES ('{tenant}', gen_random_uuid(), '{}', '{}', 100, '2026-05-01', now(), 'raw');",
            settled[0].expect("line"),
            settled[credit].expect("line")
        )
    };
    let post = format!(
        "UPDATE journal_entry SET state = 'posted', posted_at = now(), posted_by = 'raw' WHERE id = '{id}';"
    );
    let (mut old, mut other) = (raw(&test, &scope).await, raw(&test, &scope).await);
    run(&mut other, &draft_sql(tenant, id, &[100, -100])).await.expect("a draft");
    let meanwhile = [line_sql(tenant, id, 3, 50), matching(1)];
    let (mut refused, what) = (Vec::new(), [post, matching(2)]);
    for (meanwhile, what) in meanwhile.iter().zip(&what) {
        for level in ["REPEATABLE READ", "SERIALIZABLE"] {
            run(&mut old, &format!("BEGIN ISOLATION LEVEL {level}; SELECT count(*) FROM posting"))
                .await
                .expect("a snapshot");
            if level == "REPEATABLE READ" {
                run(&mut other, meanwhile).await.expect("committed meanwhile");
            }
            refused.push(run(&mut old, what).await);
            run(&mut old, "ROLLBACK").await.expect("rolled back");
        }
    }
    assert_eq!(refused, vec![Err("CO002".to_owned()); 4]);
    // Who sees all is told what is wrong.
    assert_eq!(run(&mut old, &what[0]).await, Err("CO013".to_owned()));
    assert_eq!(run(&mut old, &what[1]).await, Err("CO021".to_owned()));
}
