//! Sessions side by side: whoever comes second sees what the first has done.

use std::collections::BTreeSet;
use std::time::Duration;

use ledger::entry::{JournalKind, post_in};
use ledger::matching::match_in;
use ledger::year::service::lock_period;
use ledger::{account::Role, entry::service as entries};
use testing::{TestDb, at, day};

use crate::support::{books, code, company, entry, line, owed, period, post, raw, run, sale, value, write};

/// Long enough for a statement that does not wait to be over.
const PATIENCE: Duration = Duration::from_millis(400);

#[tokio::test(flavor = "multi_thread")]
async fn a_hundred_parallel_postings_give_no_gap_and_no_duplicate() {
    let (test, scope) = books().await;
    let tasks: Vec<_> = (0..100_i64)
        .map(|n| {
            let scope = scope.clone();
            tokio::spawn(async move {
                // Every tenth work is undone after its number was given: it must leave no gap.
                if n % 10 == 3 {
                    let undone = write(&scope, |tx| {
                        Box::pin(async move {
                            post_in(tx, sale("2026-05-01", 100 + n)).await?;
                            Err::<(), _>(ledger::Error::BooksNotOpen)
                        })
                    });
                    assert_eq!(code(&undone.await), "BOOKS_NOT_OPEN");
                }
                post(&scope, &sale("2026-05-01", 100 + n)).await.expect("posted").number
            })
        })
        .collect();
    let mut numbers = BTreeSet::new();
    for task in tasks {
        assert!(numbers.insert(task.await.expect("task")), "a number twice");
    }
    assert_eq!(numbers, (1..=100).collect());
    // Numbers of another journal are its own.
    let bank = entry(JournalKind::Bank, "2026-04-01", vec![line(Role::Bank, 1), line(Role::SmallGain, -1)]);
    assert_eq!(post(&scope, &bank).await.expect("posted").number, 1);
    drop(test);
}

#[tokio::test(flavor = "multi_thread")]
async fn two_companies_do_not_wait_for_each_other() {
    let test = TestDb::new().await;
    let (a, b) = (company(&test).await, company(&test).await);
    let held = write(&a, |tx| {
        let b = b.clone();
        Box::pin(async move {
            post_in(tx, sale("2026-05-01", 100)).await?;
            // The first company's transaction stays open, its number locked, while the second posts.
            let other = tokio::time::timeout(PATIENCE * 5, post(&b, &sale("2026-05-01", 200))).await;
            Ok(other.expect("did not wait").expect("posted").number)
        })
    });
    assert_eq!(held.await.expect("posted"), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn in_one_journal_the_second_waits_and_in_another_it_does_not() {
    let (_test, scope) = books().await;
    let waited = write(&scope, |tx| {
        let scope = scope.clone();
        Box::pin(async move {
            post_in(tx, sale("2026-05-01", 100)).await?;
            let bank =
                entry(JournalKind::Bank, "2026-05-01", vec![line(Role::Bank, 1), line(Role::SmallGain, -1)]);
            let other = tokio::time::timeout(PATIENCE * 5, post(&scope, &bank)).await.expect("did not wait");
            assert_eq!(other.expect("posted").number, 1);
            let same = sale("2026-05-01", 200);
            Ok(tokio::time::timeout(PATIENCE, post(&scope, &same)).await.is_err())
        })
    });
    assert!(waited.await.expect("posted"), "the second posting of a journal waits for the first");
}

/// Posting holds the entry: lines that come meanwhile wait, and are refused once it is posted.
#[tokio::test(flavor = "multi_thread")]
async fn lines_added_while_an_entry_is_posted_are_refused() {
    let (test, scope) = books().await;
    let id = draft(&scope, 100).await;
    let mut poster = raw(&test, &scope).await;
    let mut adder = raw(&test, &scope).await;
    run(&mut poster, &format!("BEGIN; UPDATE journal_entry SET state = 'posted', posted_at = now(), posted_by = 'raw' WHERE id = '{id}'"))
        .await
        .expect("posted, not committed");
    let add = format!(
        "INSERT INTO posting (tenant_id, id, entry_id, line_no, account_id, debit_minor, credit_minor, label)
         SELECT tenant_id, gen_random_uuid(), entry_id, line_no + 10, account_id, debit_minor, credit_minor, label
         FROM posting WHERE entry_id = '{id}'"
    );
    let adding = tokio::spawn(async move { run(&mut adder, &add).await });
    tokio::time::sleep(PATIENCE).await;
    assert!(!adding.is_finished(), "the lines wait for the posting");
    run(&mut poster, "COMMIT").await.expect("committed");
    assert_eq!(adding.await.expect("task"), Err("CO002".to_owned()));
}

/// Lines that came first are seen by the posting that waited for them.
#[tokio::test(flavor = "multi_thread")]
async fn a_posting_sees_the_lines_that_it_waited_for() {
    let (test, scope) = books().await;
    let id = draft(&scope, 100).await;
    let mut adder = raw(&test, &scope).await;
    run(&mut adder, &format!(
        "BEGIN; INSERT INTO posting (tenant_id, id, entry_id, line_no, account_id, debit_minor, credit_minor, label)
         SELECT tenant_id, gen_random_uuid(), entry_id, 10, account_id, 1, 0, label
         FROM posting WHERE entry_id = '{id}' AND debit_minor > 0"
    ))
    .await
    .expect("a line, not committed");
    let posting = {
        let scope = scope.clone();
        tokio::spawn(async move {
            write(&scope, |tx| Box::pin(async move { entries::post(tx, id, 1).await })).await
        })
    };
    tokio::time::sleep(PATIENCE).await;
    assert!(!posting.is_finished(), "the posting waits for the lines");
    run(&mut adder, "COMMIT").await.expect("committed");
    assert_eq!(code(&posting.await.expect("task")), "UNBALANCED");
}

#[tokio::test(flavor = "multi_thread")]
async fn locking_a_period_waits_for_postings_and_stops_later_ones() {
    let (_test, scope) = books().await;
    let may = period(&scope, day("2026-05-01")).await.id;
    let locking = write(&scope, |tx| {
        let scope = scope.clone();
        Box::pin(async move {
            post_in(tx, sale("2026-05-01", 100)).await?;
            let locking = tokio::spawn(async move {
                write(&scope, |tx| Box::pin(async move { lock_period(tx, may, 1).await })).await
            });
            tokio::time::sleep(PATIENCE).await;
            assert!(!locking.is_finished(), "the lock waits for the posting");
            Ok(locking)
        })
    })
    .await
    .expect("posted");
    locking.await.expect("task").expect("locked after the posting");
    let posted: i64 = value(&scope, "SELECT count(*) FROM journal_entry WHERE state = 'posted'").await;
    assert_eq!(posted, 1);
    assert_eq!(code(&post(&scope, &sale("2026-05-02", 100)).await), "PERIOD_NOT_OPEN");
    post(&scope, &sale("2026-06-01", 100)).await.expect("June is open");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_posting_that_waited_for_a_lock_finds_the_period_locked() {
    let (test, scope) = books().await;
    let mut locker = raw(&test, &scope).await;
    run(&mut locker, "BEGIN; UPDATE period SET state = 'locked' WHERE number = 5")
        .await
        .expect("not committed");
    let posting = {
        let scope = scope.clone();
        tokio::spawn(async move { post(&scope, &sale("2026-05-02", 100)).await })
    };
    tokio::time::sleep(PATIENCE).await;
    assert!(!posting.is_finished(), "the posting waits for the lock");
    run(&mut locker, "COMMIT").await.expect("committed");
    assert_eq!(code(&posting.await.expect("task")), "PERIOD_NOT_OPEN");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_year_closes_beside_postings_and_holds_all_that_came_before() {
    let (test, scope) = books().await;
    test.clock.set(at("2027-01-02T10:00:00Z"));
    let posters: Vec<_> = (0..6)
        .map(|_| {
            let scope = scope.clone();
            tokio::spawn(async move {
                let mut posted = 0_i64;
                for _ in 0..40 {
                    match post(&scope, &sale("2026-12-31", 100)).await {
                        Ok(_) => posted += 1,
                        refused => assert_eq!(code(&refused), "PERIOD_NOT_OPEN"),
                    }
                }
                posted
            })
        })
        .collect();
    while value::<i64>(&scope, "SELECT count(*) FROM journal_entry").await < 20 {
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    let year: uuid::Uuid = value(&scope, "SELECT id FROM fiscal_year").await;
    write(&scope, |tx| Box::pin(async move { ledger::year::close_year(tx, year, 1).await }))
        .await
        .expect("closed");
    let mut posted = 0;
    for poster in posters {
        posted += poster.await.expect("poster");
    }
    assert!(posted >= 20, "{posted}");
    let opened: i64 = value(
        &scope,
        "SELECT p.debit_minor FROM posting p JOIN journal_entry e ON e.id = p.entry_id AND e.kind = 'opening'
         JOIN account a ON a.id = p.account_id AND a.role = 'bank'",
    )
    .await;
    assert_eq!(opened, posted * 100);
}

/// A draft whose posting is under way is no draft any more when the year's turn comes.
#[tokio::test(flavor = "multi_thread")]
async fn a_year_waits_for_the_posting_of_its_last_draft() {
    let (test, scope) = books().await;
    test.clock.set(at("2027-01-02T10:00:00Z"));
    let id = draft(&scope, 100).await;
    let year: uuid::Uuid = value(&scope, "SELECT id FROM fiscal_year").await;
    let mut poster = raw(&test, &scope).await;
    run(&mut poster, &format!("BEGIN; UPDATE journal_entry SET state = 'posted', posted_at = now(), posted_by = 'raw' WHERE id = '{id}'"))
        .await
        .expect("posted, not committed");
    let closing = tokio::spawn(async move {
        write(&scope, |tx| Box::pin(async move { ledger::year::close_year(tx, year, 1).await })).await
    });
    tokio::time::sleep(PATIENCE).await;
    assert!(!closing.is_finished(), "the year waits for the posting");
    run(&mut poster, "COMMIT").await.expect("committed");
    closing.await.expect("task").expect("closed");
}

#[tokio::test(flavor = "multi_thread")]
async fn parallel_matchings_never_take_more_than_a_line_has() {
    let (_test, scope) = books().await;
    let party = kernel::id::new();
    let invoice = entry(
        JournalKind::Sales,
        "2026-05-01",
        vec![owed(Role::Receivable, 1000, party, "2026-05-31"), line(Role::SalesGoods, -1000)],
    );
    let invoice = post(&scope, &invoice).await.expect("posted").postings[0].expect("a line");
    let mut tasks = Vec::new();
    for _ in 0..8 {
        let payment = entry(
            JournalKind::Bank,
            "2026-05-20",
            vec![line(Role::Bank, 300), owed(Role::Receivable, -300, party, "2026-05-20")],
        );
        let payment = post(&scope, &payment).await.expect("posted").postings[1].expect("a line");
        let scope = scope.clone();
        tasks.push(tokio::spawn(async move {
            write(&scope, |tx| {
                Box::pin(async move { match_in(tx, invoice, payment, 300, day("2026-05-20")).await })
            })
            .await
        }));
    }
    let mut made = 0;
    for task in tasks {
        match task.await.expect("task") {
            Ok(_) => made += 1,
            refused => assert_eq!(code(&refused), "MATCHED_TOO_MUCH"),
        }
    }
    assert_eq!(made, 3, "1000 holds 300 three times");
}

async fn draft(scope: &kernel::Scope, amount: i64) -> uuid::Uuid {
    let journal: uuid::Uuid = value(scope, "SELECT id FROM journal WHERE kind = 'miscellaneous'").await;
    write(scope, |tx| {
        Box::pin(async move {
            let draft = entries::Draft {
                journal,
                date: day("2026-05-01"),
                label: "Draft".to_owned(),
                piece: None,
                lines: vec![line(Role::Bank, amount), line(Role::SmallGain, -amount)],
                external_ref: None,
            };
            entries::create_draft(tx, &draft).await
        })
    })
    .await
    .expect("a draft")
}
