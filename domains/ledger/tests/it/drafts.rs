//! Drafts, their posting by a user, dates and numbers.

use kernel::page::Slice;
use ledger::account::Role;
use ledger::entry::service::{self, Draft, Filter, Sort};
use ledger::entry::{EntryState, Foreign, JournalKind, NewLine, first_day_in, post_in};
use testing::{at, day};
use uuid::Uuid;

use crate::support::{account, books, code, entry, line, owed, post, read, sale, value, write};

fn draft(journal: Uuid, date: &str, lines: Vec<NewLine>) -> Draft {
    Draft { journal, date: day(date), label: "Loyer".to_owned(), piece: None, lines, external_ref: None }
}

#[tokio::test]
async fn a_draft_is_written_changed_and_posted_once() {
    let (_test, scope) = books().await;
    let journal: Uuid = value(&scope, "SELECT id FROM journal WHERE kind = 'miscellaneous'").await;
    let create = |draft: Draft| {
        write(&scope, move |tx| {
            let draft = draft.clone();
            Box::pin(async move { service::create_draft(tx, &draft).await })
        })
    };
    // It need not balance, or name a party, before it is posted.
    let id = create(draft(journal, "2026-05-01", vec![line(Role::Receivable, 100)])).await.expect("a draft");
    assert_eq!(code(&create(draft(journal, "2026-05-01", vec![line(Role::Bank, 0)])).await), "INVALID");
    assert_eq!(code(&create(draft(kernel::id::new(), "2026-05-01", vec![])).await), "NOT_FOUND");
    let post_it =
        |version| write(&scope, move |tx| Box::pin(async move { service::post(tx, id, version).await }));
    assert_eq!(code(&post_it(1).await), "TOO_FEW_LINES");
    let update = |version, lines: Vec<NewLine>| {
        write(&scope, move |tx| {
            let draft = draft(journal, "2026-05-02", lines.clone());
            Box::pin(async move { service::update_draft(tx, id, version, &draft).await })
        })
    };
    let lines = |party: Option<Uuid>| {
        let owed = NewLine { party, ..line(Role::Receivable, 100) };
        vec![owed, NewLine { label: Some("Mai".to_owned()), ..line(Role::SalesServices, -100) }]
    };
    update(1, lines(None)).await.expect("changed");
    assert_eq!(code(&update(1, lines(None)).await), "CONFLICT");
    assert_eq!(code(&post_it(2).await), "PARTY_REQUIRED");
    update(2, lines(Some(kernel::id::new()))).await.expect("changed");
    assert_eq!(code(&post_it(2).await), "CONFLICT");
    post_it(3).await.expect("posted");
    assert_eq!(code(&post_it(4).await), "ENTRY_POSTED");
    assert_eq!(code(&update(4, lines(None)).await), "ENTRY_POSTED");
    let discard = write(&scope, |tx| Box::pin(async move { service::discard_draft(tx, id, 4).await })).await;
    assert_eq!(code(&discard), "ENTRY_POSTED");
    let (posted, lines) = read(&scope, async |tx| {
        let posted = service::get(tx, id).await.expect("entry");
        (posted, service::lines_of(tx, &[id]).await.expect("lines"))
    })
    .await;
    assert_eq!((posted.number, posted.version, posted.entry_date), (Some(1), 4, day("2026-05-02")));
    let labels: Vec<_> = lines.iter().map(|l| (l.line_no, l.label.as_str(), l.posted_on)).collect();
    assert_eq!(labels, [(1, "Loyer", Some(day("2026-05-02"))), (2, "Mai", Some(day("2026-05-02")))]);
    let reversed = write(&scope, |tx| {
        Box::pin(async move { service::reverse(tx, id, 4, day("2026-05-03"), "Erreur").await })
    })
    .await;
    reversed.expect("reversed");
}

#[tokio::test]
async fn a_draft_is_discarded_without_a_trace_in_the_numbers() {
    let (_test, scope) = books().await;
    let journal: Uuid = value(&scope, "SELECT id FROM journal WHERE kind = 'sales'").await;
    let id = write(&scope, |tx| {
        let draft = draft(journal, "2026-05-01", vec![line(Role::Bank, 5), line(Role::SalesGoods, -5)]);
        Box::pin(async move { service::create_draft(tx, &draft).await })
    })
    .await
    .expect("a draft");
    write(&scope, |tx| Box::pin(async move { service::discard_draft(tx, id, 1).await }))
        .await
        .expect("discarded");
    let left: i64 =
        value(&scope, "SELECT (SELECT count(*) FROM journal_entry) + (SELECT count(*) FROM posting)").await;
    assert_eq!(left, 0);
    assert_eq!(post(&scope, &sale("2026-05-01", 5)).await.expect("posted").number, 1);
}

#[tokio::test]
async fn dates_rise_with_the_numbers_and_the_refusal_tells_the_last_one() {
    let (_test, scope) = books().await;
    post(&scope, &sale("2026-05-10", 100)).await.expect("posted");
    let refused = post(&scope, &sale("2026-05-09", 100)).await.expect_err("refused");
    assert!(matches!(&refused, ledger::Error::DateBeforeLast(_)));
    assert!(refused.to_string().contains("2026-05-10"), "{refused}");
    post(&scope, &sale("2026-05-10", 100)).await.expect("the same day is no step back");
    let no_year = post(&scope, &sale("2027-01-01", 100)).await;
    assert_eq!(code(&no_year), "NO_FISCAL_YEAR");
    let opening = entry(JournalKind::Opening, "2026-05-10", sale("2026-05-10", 1).lines);
    assert_eq!(code(&post(&scope, &opening).await), "OPENING_DATE");
    post(&scope, &entry(JournalKind::Opening, "2026-01-01", opening.lines)).await.expect("a takeover");
    let first = async |journal, wanted: &str| {
        let wanted = day(wanted);
        read(&scope, async |tx| first_day_in(tx, journal, wanted).await).await
    };
    assert_eq!(first(JournalKind::Sales, "2026-05-01").await.expect("a day"), day("2026-05-10"));
    assert_eq!(first(JournalKind::Bank, "2026-05-01").await.expect("a day"), day("2026-05-01"));
    let may = crate::support::period(&scope, day("2026-05-01")).await.id;
    write(&scope, |tx| Box::pin(async move { ledger::year::service::lock_period(tx, may, 1).await }))
        .await
        .expect("locked");
    assert_eq!(first(JournalKind::Sales, "2026-05-01").await.expect("a day"), day("2026-06-01"));
    assert_eq!(code(&first(JournalKind::Sales, "2027-02-01").await), "DATE_IN_FUTURE");
}

#[tokio::test]
async fn nothing_is_posted_by_hand_or_looked_for_after_today() {
    let (test, scope) = books().await;
    let journal: Uuid = value(&scope, "SELECT id FROM journal WHERE kind = 'miscellaneous'").await;
    let id = write(&scope, |tx| {
        let lines = vec![line(Role::Bank, 5), line(Role::SmallGain, -5)];
        Box::pin(async move { service::create_draft(tx, &draft(journal, "2026-06-16", lines)).await })
    })
    .await
    .expect("a draft of tomorrow");
    let post_it = async || write(&scope, |tx| Box::pin(async move { service::post(tx, id, 1).await })).await;
    let refused = post_it().await.expect_err("tomorrow");
    assert_eq!(
        (kernel::DomainError::code(&refused), kernel::DomainError::field(&refused).as_deref()),
        ("DATE_IN_FUTURE", Some("date"))
    );
    test.clock.set(at("2026-06-16T08:00:00Z"));
    post_it().await.expect("its day has come");
    let reverse = async |on: &str| {
        let on = day(on);
        write(&scope, |tx| Box::pin(async move { service::reverse(tx, id, 2, on, "Erreur").await })).await
    };
    assert_eq!(code(&reverse("2026-06-17").await), "DATE_IN_FUTURE");
    reverse("2026-06-16").await.expect("reversed");
    // The day that a journal takes is never after today: who asks is told what stands in the way.
    let first = async |journal, wanted: &str| {
        let wanted = day(wanted);
        read(&scope, async |tx| first_day_in(tx, journal, wanted).await).await
    };
    post(&scope, &sale("2026-07-01", 5)).await.expect("by a domain above");
    let told = first(JournalKind::Sales, "2026-06-16").await.expect_err("the journal is ahead");
    assert!(matches!(told, ledger::Error::DateBeforeLast(_)) && told.to_string().contains("2026-07-01"));
    assert_eq!(first(JournalKind::Bank, "2026-06-01").await.expect("a day"), day("2026-06-01"));
    assert_eq!(code(&first(JournalKind::Bank, "2026-06-17").await), "DATE_IN_FUTURE");
    let june = crate::support::period(&scope, day("2026-06-01")).await.id;
    write(&scope, |tx| Box::pin(async move { ledger::year::service::lock_period(tx, june, 1).await }))
        .await
        .expect("locked");
    assert_eq!(code(&first(JournalKind::Bank, "2026-06-01").await), "PERIOD_NOT_OPEN");
}

#[tokio::test]
async fn a_dollar_bill_is_paid_from_a_euro_bank_and_balances_in_euros() {
    let (_test, scope) = books().await;
    let usd = kernel::Currency::parse("USD").expect("dollar");
    let party = kernel::id::new();
    let dollars =
        |minor, rate: &str| Some(Foreign { currency: usd, minor, rate: rate.parse().expect("decimal") });
    let bill = entry(
        JournalKind::Purchases,
        "2026-05-01",
        vec![
            NewLine { foreign: dollars(10_000, "0.92"), ..line(Role::Purchases, 9_200) },
            NewLine { foreign: dollars(-10_000, "0.92"), ..owed(Role::Payable, -9_200, party, "2026-05-31") },
        ],
    );
    let bill = post(&scope, &bill).await.expect("posted");
    let payment = entry(
        JournalKind::Bank,
        "2026-06-01",
        vec![
            NewLine { foreign: dollars(10_000, "0.92"), ..owed(Role::Payable, 9_200, party, "2026-05-31") },
            line(Role::TradeExchangeLoss, 300),
            line(Role::Bank, -9_500),
        ],
    );
    let payment = post(&scope, &payment).await.expect("dollars against euros");
    let (credit, debit) = (bill.postings[1].expect("line"), payment.postings[0].expect("line"));
    write(&scope, |tx| {
        Box::pin(async move { ledger::matching::match_in(tx, debit, credit, 9_200, day("2026-06-01")).await })
    })
    .await
    .expect("settled");
    let payable = account(&scope, "401").await.id;
    let left =
        read(&scope, async |tx| ledger::account::balances_of(tx, day("2026-06-01")).await.expect("balances"))
            .await;
    assert_eq!(left.get(&payable).copied().unwrap_or(0), 0);
    let wrong_side = entry(
        JournalKind::Bank,
        "2026-06-02",
        vec![NewLine { foreign: dollars(-1, "0.92"), ..line(Role::Bank, 1) }, line(Role::SmallGain, -1)],
    );
    assert_eq!(code(&post(&scope, &wrong_side).await), "INVALID");
}

#[tokio::test]
async fn lines_keep_what_they_were_given_and_zero_lines_are_dropped() {
    let (_test, scope) = books().await;
    let party = kernel::id::new();
    let lines = vec![
        owed(Role::Receivable, 120, party, "2026-05-31"),
        line(Role::SmallGain, 0),
        NewLine {
            tax: Some(("S 20".to_owned(), 100)),
            analytic: vec![("site".to_owned(), "Lyon".to_owned())],
            ..line(Role::VatCollected, -20)
        },
        line(Role::SalesGoods, -100),
    ];
    let posted = post(&scope, &entry(JournalKind::Sales, "2026-05-01", lines)).await.expect("posted");
    assert!(posted.postings[1].is_none() && posted.postings[3].is_some());
    let lines = read(&scope, async |tx| service::lines_of(tx, &[posted.id]).await.expect("lines")).await;
    assert_eq!(
        lines.iter().map(|l| Some(l.id)).collect::<Vec<_>>(),
        [posted.postings[0], posted.postings[2], posted.postings[3]]
    );
    assert_eq!((lines[0].party_id, lines[0].due_on), (Some(party), Some(day("2026-05-31"))));
    assert_eq!((lines[1].tax_code.as_deref(), lines[1].tax_base_minor), (Some("S 20"), Some(100)));
    assert_eq!(lines[1].analytic, Some(serde_json::json!({ "site": "Lyon" })));
}

#[tokio::test]
async fn entries_are_listed_by_filter_and_sort_in_pages() {
    let (_test, scope) = books().await;
    for (n, date) in ["2026-03-05", "2026-03-05", "2026-04-01", "2026-05-01"].into_iter().enumerate() {
        post(&scope, &sale(date, 100 + i64::try_from(n).expect("small"))).await.expect("posted");
    }
    let late = entry(JournalKind::Bank, "2026-02-01", vec![line(Role::Bank, 1), line(Role::SmallGain, -1)]);
    let source = kernel::id::new();
    let late = ledger::entry::NewEntry { source: Some((kernel::Kind::Payment, source)), ..late };
    let late = write(&scope, |tx| {
        let late = late.clone();
        Box::pin(async move { post_in(tx, late).await })
    })
    .await
    .expect("posted");
    let tx = scope.read().await.expect("snapshot");
    let dates = async |filter: &Filter, sort| {
        let mut slice = Slice::first(2);
        let mut dates = Vec::new();
        loop {
            let page = service::list(&tx, filter, sort, &slice).await.expect("page");
            dates.extend(page.items.iter().map(|e| e.entry_date.to_string()));
            slice.after = page.items.last().map(|e| service::cursor(e, sort));
            if !page.has_next {
                return dates;
            }
        }
    };
    let all = Filter::default();
    assert_eq!(
        dates(&all, Sort::Newest).await,
        ["2026-02-01", "2026-05-01", "2026-04-01", "2026-03-05", "2026-03-05"]
    );
    assert_eq!(
        dates(&all, Sort::Date).await,
        ["2026-05-01", "2026-04-01", "2026-03-05", "2026-03-05", "2026-02-01"]
    );
    let spring = Filter { from: Some(day("2026-03-01")), to: Some(day("2026-04-30")), ..Filter::default() };
    assert_eq!(dates(&spring, Sort::Date).await.len(), 3);
    let of_source = Filter { source: Some(source), state: Some(EntryState::Posted), ..Filter::default() };
    assert_eq!(dates(&of_source, Sort::Newest).await, ["2026-02-01"]);
    assert_eq!(service::count(&tx, &all).await.expect("count"), 5);
    assert_eq!(service::of_sources(&tx, &[source]).await.expect("entries")[0].id, late.id);
    tx.end().await;
    // What comes from elsewhere is corrected there.
    let id = late.id;
    let refused = write(&scope, |tx| {
        Box::pin(async move { service::reverse(tx, id, 2, day("2026-02-02"), "x").await })
    })
    .await;
    assert_eq!(code(&refused), "NOT_REVERSIBLE");
}
