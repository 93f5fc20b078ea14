//! General ledger and aged reports against their definition.

use kernel::Scope;
use kernel::page::Slice;
use ledger::account::{Role, service as accounts};
use ledger::entry::JournalKind;
use ledger::matching::{match_in, service::cursor, unmatch_in};
use ledger::report::{AgedSide, aged, aged_cursor, general_ledger, trial_balance};
use ledger::year::service as years;
use testing::{at, day};
use uuid::Uuid;

use crate::support::{Dice, account, books, code, entry, last_year, line, owed, post, read, write};

async fn work(scope: &Scope) {
    let mut dice = Dice(42);
    for n in 0..40_u64 {
        let date = format!("2026-05-{:02}", 1 + n / 3);
        let amount = i64::try_from(1 + dice.below(9_999)).expect("small");
        let sign = if dice.below(2) == 0 { 1 } else { -1 };
        let lines = vec![line(Role::Bank, sign * amount), line(Role::SmallGain, -sign * amount)];
        post(scope, &entry(JournalKind::Bank, &date, lines)).await.expect("posted");
    }
}

#[tokio::test]
async fn pages_of_the_general_ledger_carry_the_running_balance_of_the_full_list() {
    let (test, scope) = books().await;
    work(&scope).await;
    let bank = account(&scope, "512").await.id;
    for settled in [false, true] {
        if settled {
            test.settle().await;
        }
        let tx = scope.read().await.expect("snapshot");
        let (from, to) = (day("2026-05-03"), day("2026-05-12"));
        let book = async |slice: &Slice| general_ledger(&tx, bank, from, to, slice).await.expect("ledger");
        let full = book(&Slice::first(100)).await;
        let mut running = full.opening_minor;
        for row in &full.lines.items {
            running += row.posting.debit_minor - row.posting.credit_minor;
            assert_eq!(row.balance_minor, running);
        }
        assert_eq!((running, full.lines.items.len()), (full.closing_minor(), 30));
        let cursor = |row: &ledger::report::LedgerLine| cursor(&row.posting);
        let (mut forward, mut slice) = (Vec::new(), Slice::first(7));
        loop {
            let page = book(&slice).await.lines;
            forward.extend(page.items.clone());
            slice.after = page.items.last().map(cursor);
            if !page.has_next {
                break;
            }
        }
        assert_eq!(forward, full.lines.items);
        let (mut backward, mut slice) = (Vec::new(), Slice { backward: true, ..Slice::first(7) });
        loop {
            let page = book(&slice).await.lines;
            slice.before = page.items.first().map(cursor);
            backward.splice(0..0, page.items.clone());
            if !page.has_previous {
                break;
            }
        }
        assert_eq!(backward, full.lines.items);
        let opening = trial_balance(&tx, from, to, false).await.expect("balance");
        let row = opening.rows.iter().find(|row| row.account_id == bank).expect("bank");
        assert_eq!((row.opening_minor, row.closing_minor()), (full.opening_minor, full.closing_minor()));
        tx.end().await;
    }
    let outside = read(&scope, async |tx| {
        let (from, to) = (day("2026-05-03"), day("2027-05-12"));
        general_ledger(tx, bank, from, to, &Slice::first(1)).await.map(|_| ())
    })
    .await;
    assert_eq!(code(&outside), "INVALID");
    let unknown = read(&scope, async |tx| {
        let (from, to) = (day("2026-05-03"), day("2026-05-12"));
        general_ledger(tx, kernel::id::new(), from, to, &Slice::first(1)).await.map(|_| ())
    })
    .await;
    assert_eq!(code(&unknown), "NOT_FOUND");
}

/// Every account's book against the balance of all, over years that are open, and then closed.
#[tokio::test]
async fn the_general_ledger_of_each_account_is_its_line_of_the_trial_balance() {
    let (test, scope) = books().await;
    test.clock.set(at("2028-02-01T10:00:00Z"));
    let pair = |date: &str, role, amount: i64| {
        entry(JournalKind::Bank, date, vec![line(role, amount), line(Role::Bank, -amount)])
    };
    let open_year = async || {
        write(&scope, |tx| Box::pin(async move { years::open_next_year(tx, last_year(tx).await).await }))
            .await
            .expect("a year")
    };
    post(&scope, &pair("2026-05-01", Role::SalesGoods, -6_500)).await.expect("a profit");
    open_year().await;
    post(&scope, &pair("2027-05-01", Role::Purchases, 9_000)).await.expect("a loss");
    open_year().await;
    post(&scope, &pair("2028-01-15", Role::SalesServices, -40)).await.expect("posted");
    for closed in ["", "2026", "2027"] {
        let tx = scope.read().await.expect("snapshot");
        let year = years::list(&tx).await.expect("years").into_iter().find(|year| year.name == closed);
        tx.end().await;
        if let Some((id, version)) = year.map(|year| (year.id, year.version)) {
            write(&scope, |tx| Box::pin(async move { years::close_year(tx, id, version).await }))
                .await
                .expect("closed");
        }
        let tx = scope.read().await.expect("snapshot");
        let accounts = accounts::list(&tx, &accounts::Filter::default(), &Slice::first(100)).await;
        let accounts = accounts.expect("accounts").items;
        let mut kept = 0;
        for (from, to) in
            [("2026-01-01", "2026-12-31"), ("2027-02-01", "2027-12-31"), ("2028-01-02", "2028-06-30")]
        {
            let (from, to) = (day(from), day(to));
            let rows = trial_balance(&tx, from, to, false).await.expect("balance").rows;
            for account in &accounts {
                let book = general_ledger(&tx, account.id, from, to, &Slice::first(1)).await.expect("ledger");
                let row = rows.iter().find(|row| row.account_id == account.id);
                kept += i64::from(row.is_some());
                assert_eq!(
                    (book.opening_minor, book.debit_minor, book.credit_minor),
                    row.map_or((0, 0, 0), |row| (row.opening_minor, row.debit_minor, row.credit_minor)),
                    "{} from {from} to {to}, closed {closed}",
                    account.number
                );
            }
        }
        assert!(kept >= 8, "120, 129, the bank and what moved");
        tx.end().await;
    }
}

#[tokio::test]
async fn aged_receivables_fall_into_their_buckets_and_add_up_to_the_balance() {
    let (test, scope) = books().await;
    let parties: Vec<Uuid> = (0..3).map(|_| kernel::id::new()).collect();
    let mut lines = Vec::new();
    for (n, due) in
        ["2026-07-01", "2026-06-10", "2026-05-01", "2026-04-01", "2026-03-01"].into_iter().enumerate()
    {
        let amount = 100 * 10_i64.pow(u32::try_from(n).expect("small"));
        let sold = entry(
            JournalKind::Sales,
            "2026-02-01",
            vec![owed(Role::Receivable, amount, parties[0], due), line(Role::SalesGoods, -amount)],
        );
        lines.push(post(&scope, &sold).await.expect("posted").postings[0].expect("a line"));
    }
    let other = entry(
        JournalKind::Sales,
        "2026-02-02",
        vec![
            owed(Role::Receivable, 77, parties[1], "2026-06-15"),
            owed(Role::Receivable, 5, parties[2], "2026-06-14"),
            line(Role::SalesGoods, -82),
        ],
    );
    post(&scope, &other).await.expect("posted");
    let report = async |on: &str, slice: Slice| {
        let on = day(on);
        read(&scope, async |tx| aged(tx, AgedSide::Receivables, on, &slice).await.expect("aged")).await
    };
    let today = report("2026-06-15", Slice::first(10)).await;
    let first = &today.parties.items[0];
    assert_eq!(first.party_id, parties[0]);
    assert_eq!(
        [
            first.not_due_minor,
            first.days_1_30_minor,
            first.days_31_60_minor,
            first.days_61_90_minor,
            first.over_90_minor
        ],
        [100, 1_000, 10_000, 100_000, 1_000_000]
    );
    assert_eq!(
        (today.parties.items.len(), today.totals.not_due_minor, today.totals.days_1_30_minor),
        (3, 177, 1_005)
    );
    let page = report("2026-06-15", Slice { after: Some(aged_cursor(first)), ..Slice::first(1) }).await;
    assert_eq!(page.parties.items[0].party_id, parties[1]);
    assert!(page.parties.has_next);
    // Partly paid, then the payment bounces: each day keeps its own picture.
    let paid = entry(
        JournalKind::Bank,
        "2026-06-15",
        vec![line(Role::Bank, 400_000), owed(Role::Receivable, -400_000, parties[0], "2026-06-15")],
    );
    let paid = post(&scope, &paid).await.expect("posted").postings[1].expect("a line");
    let oldest = lines[4];
    let matching = write(&scope, |tx| {
        Box::pin(async move { match_in(tx, oldest, paid, 400_000, day("2026-06-15")).await })
    })
    .await
    .expect("matched");
    assert_eq!(report("2026-06-15", Slice::first(1)).await.totals.over_90_minor, 600_000);
    assert_eq!(report("2026-06-14", Slice::first(1)).await.totals.over_90_minor, 1_000_000);
    test.clock.set(at("2026-06-20T10:00:00Z"));
    write(&scope, |tx| Box::pin(async move { unmatch_in(tx, matching).await })).await.expect("undone");
    assert_eq!(report("2026-06-19", Slice::first(1)).await.totals.over_90_minor, 600_000);
    assert_eq!(report("2026-06-20", Slice::first(1)).await.totals.over_90_minor, 1_000_000);
    // On every day the report adds up to the balance of its accounts.
    let receivable = account(&scope, "411").await.id;
    for date in ["2026-01-31", "2026-02-01", "2026-06-14", "2026-06-15", "2026-06-20", "2026-12-31"] {
        let total = report(date, Slice::first(1)).await.totals.total_minor;
        let on = day(date);
        let balances =
            read(&scope, async |tx| ledger::account::balances_of(tx, on).await.expect("balances")).await;
        assert_eq!(balances.get(&receivable).copied().unwrap_or(0), total, "{date}");
    }
    let open = read(&scope, async |tx| {
        ledger::matching::service::open_lines(tx, receivable, Some(parties[0]), &Slice::first(100))
            .await
            .expect("open")
    })
    .await;
    assert_eq!(open.items.len(), 6);
}
