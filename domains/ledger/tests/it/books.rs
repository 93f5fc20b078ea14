//! Opening the books, accounts, journals, exchange rates.

use kernel::page::Slice;
use kernel::{Currency, Kind};
use ledger::account::{AccountKind, NewAccount, Role, id_of_role, service as accounts};
use ledger::entry::{AccountRef, JournalKind, NewLine};
use ledger::journal::service as journals;
use ledger::rate::{exchange_rate_in, service as rates};
use ledger::year::{Chart, open_books_in, service as years};
use rust_decimal::Decimal;
use testing::{TestDb, day};

use crate::support::{account, books, code, company, entry, line, post, read, write};

#[tokio::test]
async fn both_charts_open_with_every_role_five_journals_and_twelve_periods() {
    let test = TestDb::new().await;
    for (chart, first_day, count) in [(Chart::FrPcg, "2026-01-01", 75), (Chart::Generic, "2025-07-01", 45)] {
        let scope = test.company().await;
        write(&scope, |tx| Box::pin(async move { open_books_in(tx, chart, day(first_day)).await }))
            .await
            .expect("opened");
        let again =
            write(&scope, |tx| Box::pin(async move { open_books_in(tx, chart, day(first_day)).await })).await;
        assert_eq!(code(&again), "BOOKS_ALREADY_OPEN");
        let tx = scope.read().await.expect("snapshot");
        assert_eq!(accounts::count(&tx, &accounts::Filter::default()).await.expect("count"), count);
        for role in Role::ALL {
            id_of_role(&tx, *role).await.expect("each role has its account");
        }
        assert_eq!(journals::list(&tx).await.expect("journals").len(), 5);
        let year = years::list(&tx).await.expect("years").remove(0);
        let periods = years::periods_of(&tx, &[year.id]).await.expect("periods");
        assert_eq!(
            (periods.len(), periods[0].first_day, periods[11].last_day),
            (12, year.first_day, year.last_day)
        );
        tx.end().await;
    }
    let bare = test.company().await;
    assert_eq!(code(&post(&bare, &crate::support::sale("2026-01-01", 1)).await), "NO_ACCOUNT_FOR_ROLE");
    let next =
        write(&bare, |tx| Box::pin(async move { years::open_next_year(tx, kernel::id::new()).await })).await;
    assert_eq!(code(&next), "NOT_FOUND");
}

fn new_account(number: &str) -> NewAccount {
    NewAccount {
        number: number.to_owned(),
        name: "Frais de port".to_owned(),
        name_en: None,
        kind: AccountKind::Expense,
        reconcilable: false,
        party_required: false,
        external_ref: Some(format!("erp-{number}")),
    }
}

#[tokio::test]
async fn accounts_are_added_renamed_closed_and_deleted_only_while_unused() {
    let (_test, scope) = books().await;
    let create = async |new: NewAccount| {
        write(&scope, |tx| {
            let new = new.clone();
            Box::pin(async move { accounts::create(tx, new).await })
        })
        .await
    };
    let id = create(new_account("6241")).await.expect("created");
    assert_eq!(code(&create(new_account("6241")).await), "ACCOUNT_NUMBER_TAKEN");
    let twin = NewAccount { external_ref: Some("erp-6241".to_owned()), ..new_account("6242") };
    assert_eq!(code(&create(twin).await), "EXTERNAL_REF_TAKEN");
    write(&scope, |tx| {
        Box::pin(async move { accounts::rename(tx, id, 1, "Transport", Some("Freight")).await })
    })
    .await
    .expect("renamed");
    let stale =
        write(&scope, |tx| Box::pin(async move { accounts::rename(tx, id, 1, "X", None).await })).await;
    assert!(matches!(stale, Err(ledger::Error::Conflict { expected: 1, actual: 2 })));
    let used = entry(
        JournalKind::Bank,
        "2026-05-01",
        vec![NewLine::new(AccountRef::Id(id), 100), line(Role::Bank, -100)],
    );
    let first = post(&scope, &used).await.expect("posted");
    let delete = |id, version| {
        write(&scope, move |tx| Box::pin(async move { accounts::delete(tx, id, version).await }))
    };
    assert_eq!(code(&delete(id, 2).await), "ACCOUNT_IN_USE");
    write(&scope, |tx| Box::pin(async move { accounts::close(tx, id, 2).await })).await.expect("closed");
    assert_eq!(code(&post(&scope, &used).await), "ACCOUNT_CLOSED");
    // What stands on a closed account can still be reversed.
    write(&scope, |tx| {
        let first = first.id;
        Box::pin(async move { ledger::entry::reverse_in(tx, first, day("2026-05-02"), "Annulation").await })
    })
    .await
    .expect("reversed");
    write(&scope, |tx| Box::pin(async move { accounts::reopen(tx, id, 3).await })).await.expect("reopened");
    let later = entry(JournalKind::Bank, "2026-05-03", used.lines.clone());
    post(&scope, &later).await.expect("posted again");
    let unused = create(new_account("6243")).await.expect("created");
    delete(unused, 1).await.expect("deleted");
    let bank = account(&scope, "512").await;
    assert_eq!(code(&delete(bank.id, 1).await), "ACCOUNT_HAS_ROLE");
    let close = write(&scope, |tx| Box::pin(async move { accounts::close(tx, bank.id, 1).await })).await;
    assert_eq!(code(&close), "ACCOUNT_HAS_ROLE");
}

#[tokio::test]
async fn accounts_are_listed_by_number_in_pages_both_ways() {
    let (_test, scope) = books().await;
    let tx = scope.read().await.expect("snapshot");
    let filter =
        accounts::Filter { number_starts_with: Some("445".to_owned()), ..accounts::Filter::default() };
    let all = accounts::list(&tx, &filter, &Slice::first(100)).await.expect("list").items;
    let numbers: Vec<_> = all.iter().map(|a| a.number.as_str()).collect();
    assert_eq!(
        numbers,
        ["4452", "44551", "44562", "44564", "44566", "44567", "44571", "44574", "44586", "44587"]
    );
    let mut seen = Vec::new();
    let mut slice = Slice::first(3);
    loop {
        let page = accounts::list(&tx, &filter, &slice).await.expect("page");
        seen.extend(page.items.clone());
        if !page.has_next {
            break;
        }
        slice.after = page.items.last().map(accounts::cursor);
    }
    assert_eq!(seen, all);
    let last = Slice { limit: 2, backward: true, before: Some(accounts::cursor(&all[4])), after: None };
    let page = accounts::list(&tx, &filter, &last).await.expect("page");
    assert_eq!((page.items.as_slice(), page.has_previous, page.has_next), (&all[2..4], true, true));
    tx.end().await;
}

#[tokio::test]
async fn a_journal_is_renamed_and_codes_stay_unique() {
    let (_test, scope) = books().await;
    let journals = read(&scope, async |tx| journals::list(tx).await.expect("journals")).await;
    let bank = journals.iter().find(|j| j.kind == "bank").expect("bank").id;
    let rename = |code: &'static str, version| {
        write(&scope, move |tx| {
            Box::pin(async move { ledger::journal::service::rename(tx, bank, version, code, "Banque").await })
        })
    };
    assert_eq!(code(&rename("VE", 1).await), "JOURNAL_CODE_TAKEN");
    assert_eq!(code(&rename("bq", 1).await), "INVALID");
    rename("BNP", 1).await.expect("renamed");
    assert_eq!(code(&rename("BNP", 1).await), "CONFLICT");
}

#[tokio::test]
async fn rates_hold_from_their_day_on_and_change_only_knowingly() {
    let (_test, scope) = books().await;
    let usd = Currency::parse("USD").expect("dollar");
    let rate = |text: &str| text.parse::<Decimal>().expect("decimal");
    let set = |on: &'static str, value: &'static str, version| {
        write(&scope, move |tx| {
            Box::pin(
                async move { rates::set(tx, usd, day(on), value.parse().expect("decimal"), version).await },
            )
        })
    };
    let january = set("2026-01-31", "0.90", None).await.expect("set");
    set("2026-03-01", "0.95", None).await.expect("set");
    assert_eq!(set("2026-01-31", "0.900", None).await.expect("the same"), january);
    assert_eq!(code(&set("2026-01-31", "0.91", None).await), "CONFLICT");
    assert_eq!(set("2026-01-31", "0.91", Some(1)).await.expect("changed"), january);
    assert_eq!(code(&set("2026-04-01", "1", Some(3)).await), "CONFLICT");
    assert_eq!(code(&set("2026-04-01", "-1", None).await), "INVALID");
    let tx = scope.read().await.expect("snapshot");
    let on = async |date: &str| exchange_rate_in(&tx, usd, day(date)).await.expect("read");
    assert_eq!(on("2026-01-30").await, None);
    assert_eq!(on("2026-02-28").await, Some(rate("0.91")));
    assert_eq!(on("2026-12-31").await, Some(rate("0.95")));
    let own = exchange_rate_in(&tx, Currency::EUR, day("2026-01-01")).await.expect("read");
    assert_eq!(own, Some(Decimal::ONE));
    let listed = rates::list(&tx, &rates::Filter::default(), &Slice::first(10)).await.expect("list").items;
    assert_eq!(listed.iter().map(|r| r.rate).collect::<Vec<_>>(), [rate("0.95"), rate("0.91")]);
    tx.end().await;
}

#[tokio::test]
async fn ids_of_another_company_answer_as_unknown_ones() {
    let test = TestDb::new().await;
    let (a, b) = (company(&test).await, company(&test).await);
    let account = account(&b, "606").await.id;
    let unknown = kernel::id::new();
    let mut answers = Vec::new();
    for id in [account, unknown] {
        let posted = entry(
            JournalKind::Bank,
            "2026-05-01",
            vec![NewLine::new(AccountRef::Id(id), 1), line(Role::Bank, -1)],
        );
        let refused = post(&a, &posted).await.expect_err("not found");
        assert!(matches!(refused, ledger::Error::NotFound(Kind::Account, "lines")));
        let rename =
            write(&a, |tx| Box::pin(async move { accounts::rename(tx, id, 1, "x", None).await })).await;
        answers.push((refused.to_string(), rename.expect_err("not found").to_string()));
        let found = read(&a, async |tx| accounts::by_ids(tx, &[id]).await.expect("read")).await;
        assert!(found.is_empty());
    }
    assert_eq!(answers[0], answers[1]);
}
