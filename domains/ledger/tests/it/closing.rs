//! Closing: result, opening entries, order, and what is final.

use std::collections::BTreeMap;

use kernel::Scope;
use kernel::page::Slice;
use ledger::account::{Role, service as accounts};
use ledger::entry::{JournalKind, NewEntry};
use ledger::report::{AgedSide, aged, general_ledger, trial_balance};
use ledger::year::service as years;
use testing::{at, day};
use uuid::Uuid;

use crate::support::{
    account, books, code, entry, last_year, line, owed, period, post, read, sale, value, write,
};

async fn close(scope: &Scope, year: &str) -> Result<Uuid, ledger::Error> {
    let found = read(scope, async |tx| years::list(tx).await.expect("years")).await;
    let year = found.into_iter().find(|y| y.name == year).expect("a year");
    write(scope, |tx| Box::pin(async move { years::close_year(tx, year.id, year.version).await })).await
}

/// Closing balances by account number.
async fn balances(scope: &Scope, from: &str, to: &str, before_closing: bool) -> BTreeMap<String, i64> {
    let (from, to) = (day(from), day(to));
    let balance =
        read(scope, async |tx| trial_balance(tx, from, to, before_closing).await.expect("balance")).await;
    let rows = balance.rows.iter().filter(|row| row.closing_minor() != 0);
    rows.map(|row| (row.number.clone(), row.closing_minor())).collect()
}

/// A year of little business: sales on credit, purchases, some of it paid.
async fn business(scope: &Scope, year: &str, customer: Uuid, supplier: Uuid) {
    let on = |day: &str| format!("{year}-{day}");
    let work: [NewEntry; 4] = [
        entry(
            JournalKind::Sales,
            &on("02-01"),
            vec![
                owed(Role::Receivable, 12_000, customer, &on("03-03")),
                line(Role::SalesGoods, -10_000),
                line(Role::VatCollected, -2_000),
            ],
        ),
        entry(
            JournalKind::Purchases,
            &on("03-01"),
            vec![
                line(Role::Purchases, 4_000),
                line(Role::VatDeductible, 800),
                owed(Role::Payable, -4_800, supplier, &on("03-31")),
            ],
        ),
        entry(
            JournalKind::Bank,
            &on("04-01"),
            vec![line(Role::Bank, 5_000), owed(Role::Receivable, -5_000, customer, &on("04-01"))],
        ),
        sale(&on("12-31"), 500),
    ];
    for entry in &work {
        post(scope, entry).await.expect("posted");
    }
}

#[tokio::test]
async fn a_closed_year_leaves_its_result_and_opens_the_next_with_its_balances() {
    let (test, scope) = books().await;
    test.clock.set(at("2027-02-01T10:00:00Z"));
    let (customer, supplier) = (kernel::id::new(), kernel::id::new());
    business(&scope, "2026", customer, supplier).await;
    let before = balances(&scope, "2026-01-01", "2026-12-31", false).await;
    close(&scope, "2026").await.expect("closed");
    // Income and expense are at zero, the profit stands on 120 …
    let after = balances(&scope, "2026-01-01", "2026-12-31", false).await;
    let sheet = |mut all: BTreeMap<String, i64>| {
        all.retain(|number, _| !number.starts_with(['6', '7']));
        all
    };
    let mut expected = sheet(before.clone());
    expected.insert("120".to_owned(), -6_500);
    assert_eq!(after, expected);
    // … and can still be read as they were.
    assert_eq!(balances(&scope, "2026-01-01", "2026-12-31", true).await, before);
    // The next year is there, and begins with what the closed one left: no more, no less.
    assert_eq!(balances(&scope, "2027-01-01", "2027-01-01", false).await, expected);
    let opening = read(&scope, async |tx| {
        trial_balance(tx, day("2027-01-01"), day("2027-12-31"), false).await.expect("balance")
    })
    .await;
    assert!(opening.rows.iter().all(|row| row.debit_minor == 0 && row.credit_minor == 0));
    let party: Uuid = value(
        &scope,
        "SELECT p.party_id FROM posting p JOIN journal_entry e ON e.id = p.entry_id
        JOIN account a ON a.id = p.account_id WHERE e.kind = 'opening' AND a.number = '411'",
    )
    .await;
    assert_eq!(party, customer);
    // A range across the change of the year counts nothing twice.
    post(&scope, &sale("2027-01-15", 300)).await.expect("posted");
    let mut across = expected.clone();
    *across.get_mut("512").expect("bank") += 300;
    across.insert("707".to_owned(), -300);
    assert_eq!(balances(&scope, "2026-06-01", "2027-06-30", false).await, across);
    assert_eq!(balances(&scope, "2027-02-01", "2027-06-30", false).await, across);
    // Final.
    assert_eq!(code(&close(&scope, "2026").await), "WRONG_STATE");
    assert_eq!(code(&post(&scope, &sale("2026-12-31", 1)).await), "PERIOD_NOT_OPEN");
    let january = period(&scope, day("2026-01-01")).await;
    let reopen = write(&scope, |tx| {
        let (id, version) = (january.id, january.version);
        Box::pin(async move { years::reopen_period(tx, id, version).await })
    });
    assert_eq!(code(&reopen.await), "WRONG_STATE");
    let result: Uuid = value(&scope, "SELECT id FROM journal_entry WHERE kind = 'result'").await;
    let reversed = write(&scope, |tx| {
        Box::pin(async move { ledger::entry::reverse_in(tx, result, day("2027-01-20"), "x").await })
    });
    assert_eq!(code(&reversed.await), "NOT_REVERSIBLE");
}

#[tokio::test]
async fn years_close_in_their_order_and_unclosed_results_show_on_120_or_129() {
    let (test, scope) = books().await;
    test.clock.set(at("2028-07-01T10:00:00Z"));
    let (customer, supplier) = (kernel::id::new(), kernel::id::new());
    business(&scope, "2026", customer, supplier).await;
    write(&scope, |tx| Box::pin(async move { years::open_next_year(tx, last_year(tx).await).await }))
        .await
        .expect("2027");
    let loss =
        entry(JournalKind::Bank, "2027-02-01", vec![line(Role::Purchases, 9_000), line(Role::Bank, -9_000)]);
    post(&scope, &loss).await.expect("posted");
    write(&scope, |tx| Box::pin(async move { years::open_next_year(tx, last_year(tx).await).await }))
        .await
        .expect("2028");
    let unclosed = [
        balances(&scope, "2027-01-01", "2027-12-31", false).await,
        balances(&scope, "2028-01-01", "2028-06-30", false).await,
        balances(&scope, "2026-03-01", "2028-06-30", false).await,
    ];
    assert_eq!(unclosed[0].get("120"), Some(&-6_500), "the profit of 2026");
    assert_eq!(unclosed[0].get("707"), None, "2027 has no sales");
    assert_eq!((unclosed[1].get("120"), unclosed[1].get("129")), (Some(&-6_500), Some(&9_000)));
    assert_eq!(unclosed[1], unclosed[2]);
    assert_eq!(code(&close(&scope, "2027").await), "EARLIER_FIRST");
    close(&scope, "2026").await.expect("closed");
    // What was shown is what closing has posted.
    assert_eq!(balances(&scope, "2027-01-01", "2027-12-31", false).await, unclosed[0]);
    close(&scope, "2027").await.expect("closed");
    assert_eq!(balances(&scope, "2028-01-01", "2028-06-30", false).await, unclosed[1]);
    assert_eq!(balances(&scope, "2026-03-01", "2028-06-30", false).await, unclosed[1]);
}

#[tokio::test]
async fn periods_close_in_their_order_and_drafts_hold_a_year_open() {
    let (test, scope) = books().await;
    test.clock.set(at("2027-01-02T10:00:00Z"));
    let act = async |date: &str, what: &str| {
        let found = period(&scope, day(date)).await;
        let what = what.to_owned();
        write(&scope, |tx| {
            let (id, version, what) = (found.id, found.version, what.clone());
            Box::pin(async move {
                match what.as_str() {
                    "lock" => years::lock_period(tx, id, version).await,
                    "reopen" => years::reopen_period(tx, id, version).await,
                    _ => years::close_period(tx, id, version).await,
                }
            })
        })
        .await
    };
    assert_eq!(code(&act("2026-01-01", "close").await), "WRONG_STATE");
    act("2026-01-01", "lock").await.expect("locked");
    assert_eq!(code(&act("2026-01-01", "lock").await), "WRONG_STATE");
    act("2026-01-01", "reopen").await.expect("reopened");
    act("2026-02-01", "lock").await.expect("locked");
    assert_eq!(code(&act("2026-02-01", "close").await), "EARLIER_FIRST");
    act("2026-01-01", "lock").await.expect("locked");
    act("2026-01-01", "close").await.expect("closed");
    act("2026-02-01", "close").await.expect("closed");
    assert_eq!(code(&act("2026-02-01", "reopen").await), "WRONG_STATE");
    act("2026-12-01", "lock").await.expect("locked");
    assert_eq!(code(&act("2026-12-01", "close").await), "WRONG_STATE");
    let journal: Uuid = value(&scope, "SELECT id FROM journal WHERE kind = 'bank'").await;
    let draft = write(&scope, |tx| {
        Box::pin(async move {
            let draft = ledger::entry::service::Draft {
                journal,
                date: day("2026-05-01"),
                label: "Draft".to_owned(),
                piece: None,
                lines: vec![line(Role::Bank, 1)],
                external_ref: None,
            };
            ledger::entry::service::create_draft(tx, &draft).await
        })
    })
    .await
    .expect("a draft");
    assert_eq!(code(&close(&scope, "2026").await), "DRAFTS_REMAIN");
    write(&scope, |tx| Box::pin(async move { ledger::entry::service::discard_draft(tx, draft, 1).await }))
        .await
        .expect("gone");
    // A year without business closes too: nothing to post, but final.
    close(&scope, "2026").await.expect("closed");
    let entries: i64 = value(&scope, "SELECT count(*) FROM journal_entry").await;
    assert_eq!(entries, 0);
}

#[tokio::test]
async fn closed_accounts_are_closed_with_the_year_and_open_items_are_not_counted_twice() {
    let (test, scope) = books().await;
    test.clock.set(at("2027-02-01T10:00:00Z"));
    let (customer, supplier) = (kernel::id::new(), kernel::id::new());
    business(&scope, "2026", customer, supplier).await;
    let rent = account(&scope, "613").await;
    let paid = entry(
        JournalKind::Bank,
        "2026-06-01",
        vec![
            ledger::entry::NewLine::new(ledger::entry::AccountRef::Id(rent.id), 700),
            line(Role::Bank, -700),
        ],
    );
    post(&scope, &paid).await.expect("posted");
    write(&scope, |tx| Box::pin(async move { accounts::close(tx, rent.id, 1).await })).await.expect("closed");
    let on = async |side, date: &str| {
        let date = day(date);
        let report =
            read(&scope, async |tx| aged(tx, side, date, &Slice::first(10)).await.expect("aged")).await;
        report.totals.total_minor
    };
    let before = (on(AgedSide::Receivables, "2026-12-31").await, on(AgedSide::Payables, "2026-12-31").await);
    assert_eq!(before, (7_000, 4_800));
    close(&scope, "2026").await.expect("closed");
    let after = (on(AgedSide::Receivables, "2027-01-15").await, on(AgedSide::Payables, "2027-01-15").await);
    assert_eq!(after, before, "the opening entry repeats, it does not add");
    // An invoice of the closed year is paid in the next and matched with its own line.
    let invoice: Uuid = value(&scope, "SELECT p.id FROM posting p JOIN account a ON a.id = p.account_id
        JOIN journal_entry e ON e.id = p.entry_id WHERE a.number = '411' AND p.debit_minor = 12000 AND e.kind = 'normal'").await;
    let payment = entry(
        JournalKind::Bank,
        "2027-01-20",
        vec![line(Role::Bank, 7_000), owed(Role::Receivable, -7_000, customer, "2027-01-20")],
    );
    let payment = post(&scope, &payment).await.expect("posted").postings[1].expect("a line");
    let opening: Uuid = value(
        &scope,
        "SELECT p.id FROM posting p JOIN account a ON a.id = p.account_id
        JOIN journal_entry e ON e.id = p.entry_id WHERE a.number = '411' AND e.kind = 'opening'",
    )
    .await;
    let matched = async |debit| {
        write(&scope, |tx| {
            Box::pin(
                async move { ledger::matching::match_in(tx, debit, payment, 7_000, day("2027-01-20")).await },
            )
        })
        .await
    };
    assert_eq!(code(&matched(opening).await), "NOT_MATCHABLE");
    matched(invoice).await.expect("matched across the years");
    assert_eq!(on(AgedSide::Receivables, "2027-01-20").await, 0);
    let receivable = account(&scope, "411").await.id;
    let book = read(&scope, async |tx| {
        general_ledger(tx, receivable, day("2027-01-01"), day("2027-12-31"), &Slice::first(10))
            .await
            .expect("ledger")
    })
    .await;
    assert_eq!((book.opening_minor, book.closing_minor(), book.lines.items.len()), (7_000, 0, 1));
}

#[tokio::test]
async fn a_year_closes_once_its_last_day_is_over() {
    let (test, scope) = books().await;
    // In Paris it is still the 31st of December, an hour before midnight …
    test.clock.set(at("2026-12-31T22:30:00Z"));
    assert_eq!(code(&close(&scope, "2026").await), "YEAR_NOT_OVER");
    // … and now the 1st of January.
    test.clock.set(at("2026-12-31T23:30:00Z"));
    close(&scope, "2026").await.expect("closed");
}

#[tokio::test(flavor = "multi_thread")]
async fn two_who_open_the_next_year_at_once_open_one() {
    let (_test, scope) = books().await;
    let last = read(&scope, async |tx| last_year(tx).await).await;
    let open = || {
        let scope = scope.clone();
        async move {
            write(&scope, move |tx| Box::pin(async move { years::open_next_year(tx, last).await })).await
        }
    };
    let (one, two) = tokio::join!(open(), open());
    assert_eq!(u8::from(one.is_ok()) + u8::from(two.is_ok()), 1, "{one:?} {two:?}");
    assert_eq!(code(&one.and(two)), "INVALID");
}
