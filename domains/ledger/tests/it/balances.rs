//! L4 for the ledger: the rollups equal the sum of the lines, at every moment.

use std::collections::BTreeMap;

use kernel::{Scope, rollup};
use ledger::account::Role;
use ledger::cubes::BALANCE;
use ledger::entry::{JournalKind, post_in, reverse_in};
use ledger::report::trial_balance;
use testing::{TestDb, day};

use crate::support::{Dice, company, entry, line, owed, post, sale, write};

type Sums = BTreeMap<(String, String, String), (i64, i64, i64)>;

/// Kept and recomputed, in one snapshot.
async fn kept_and_recomputed(scope: &Scope) -> (Sums, Sums) {
    let tx = scope.read().await.expect("snapshot");
    let mut both = Vec::new();
    let state = rollup::current("cube = 'ledger.balance'");
    for source in [state, format!("({})", BALANCE.facts)] {
        let sql = format!(
            "SELECT day::text, dim1, dim2, sum(count)::bigint, sum(sum1)::bigint, sum(sum2)::bigint
             FROM {source} AS s GROUP BY 1, 2, 3"
        );
        let rows: Vec<(String, String, String, i64, i64, i64)> = tx.tuples(&sql, []).await.expect("sums");
        both.push(rows.into_iter().map(|(day, a, kind, n, d, c)| ((day, a, kind), (n, d, c))).collect());
    }
    tx.end().await;
    let recomputed = both.pop().expect("two");
    (both.pop().expect("two"), recomputed)
}

async fn work(scope: Scope, seed: u64) {
    let mut dice = Dice(seed);
    let mut posted = Vec::new();
    for _ in 0..25 {
        let (amount, choice) = (i64::try_from(1 + dice.below(100_000)).expect("small"), dice.below(10));
        let party = kernel::id::new();
        let work = match choice {
            0..4 => sale("2026-05-01", amount),
            4..7 => entry(
                JournalKind::Purchases,
                "2026-05-03",
                vec![
                    line(Role::Purchases, amount),
                    line(Role::VatDeductible, amount / 5),
                    owed(Role::Payable, -(amount + amount / 5), party, "2026-06-01"),
                ],
            ),
            _ => entry(
                JournalKind::Bank,
                "2026-05-02",
                vec![line(Role::SmallLoss, amount), line(Role::Bank, -amount)],
            ),
        };
        let undo = dice.below(5) == 0;
        let reversed = if dice.below(4) == 0 { posted.pop() } else { None };
        let done = write(&scope, |tx| {
            let work = work.clone();
            Box::pin(async move {
                let made = post_in(tx, work).await?;
                if let Some(old) = reversed {
                    reverse_in(tx, old, day("2026-05-03"), "Reversal").await?;
                }
                if undo { Err(ledger::Error::BooksNotOpen) } else { Ok(made.id) }
            })
        });
        match done.await {
            Ok(id) if choice < 7 => posted.push(id),
            // A reversal of an earlier day, a rollback: all the same to the balances.
            _ => {}
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn balances_equal_the_sum_of_the_lines_under_concurrent_random_work() {
    let test = TestDb::new().await;
    let companies = [company(&test).await, company(&test).await];
    let folding = {
        let db = test.db.clone();
        tokio::spawn(async move {
            loop {
                kernel::folder::fold_pending(&db).await.expect("folded");
                tokio::time::sleep(std::time::Duration::from_millis(5)).await;
            }
        })
    };
    let workers: Vec<_> =
        (0..6_usize).map(|n| tokio::spawn(work(companies[n % 2].clone(), 7 + n as u64))).collect();
    while workers.iter().any(|worker| !worker.is_finished()) {
        for scope in &companies {
            let (kept, recomputed) = kept_and_recomputed(scope).await;
            assert_eq!(kept, recomputed);
        }
    }
    for worker in workers {
        worker.await.expect("worker");
    }
    folding.abort();
    let _aborted = folding.await;
    test.settle().await;
    for scope in &companies {
        let (kept, recomputed) = kept_and_recomputed(scope).await;
        assert_eq!(kept, recomputed);
        assert!(kept.len() > 5, "there was work");
        let tx = scope.read().await.expect("snapshot");
        for (from, to) in
            [("2026-05-01", "2026-05-01"), ("2026-01-01", "2026-05-02"), ("2026-05-02", "2027-03-01")]
        {
            let balance = trial_balance(&tx, day(from), day(to), false).await.expect("balance");
            let sum =
                |of: fn(&ledger::report::TrialBalanceRow) -> i64| balance.rows.iter().map(of).sum::<i64>();
            assert_eq!(sum(|row| row.debit_minor), sum(|row| row.credit_minor), "{from} to {to}");
            assert_eq!(sum(|row| row.opening_minor), 0, "{from} to {to}");
            assert_eq!(sum(ledger::report::TrialBalanceRow::closing_minor), 0, "{from} to {to}");
        }
        tx.end().await;
    }
}

#[tokio::test]
async fn a_draft_moves_no_balance_and_its_posting_moves_each_once() {
    let test = TestDb::new().await;
    let scope = company(&test).await;
    post(&scope, &sale("2026-05-01", 500)).await.expect("posted");
    let (kept, recomputed) = kept_and_recomputed(&scope).await;
    assert_eq!(kept, recomputed);
    assert_eq!(kept.values().map(|(n, d, c)| (n, d - c)).fold((0, 0), |s, v| (s.0 + v.0, s.1 + v.1)), (2, 0));
}
