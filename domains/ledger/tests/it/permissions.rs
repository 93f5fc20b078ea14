//! Each service refuses who lacks its permission, before it looks at anything.

use std::collections::BTreeSet;

use kernel::page::Slice;
use kernel::{Actor, Currency, Permission, PermissionSet, Tx};
use ledger::Error;
use ledger::account::{AccountKind, NewAccount, service as accounts};
use ledger::entry::service as entries;
use ledger::journal::service as journals;
use ledger::matching::service as matchings;
use ledger::rate::service as rates;
use ledger::report::{AgedSide, aged, aged_count, general_ledger, general_ledger_count, trial_balance};
use ledger::year::service as years;
use rust_decimal::Decimal;
use testing::day;
use uuid::Uuid;

use crate::support::books;

/// Declares `call`: the n-th service of the table, its permission and its answer.
macro_rules! services {
    ($tx:ident; $($permission:ident: $call:expr,)+) => {
        async fn call($tx: &Tx, n: usize) -> Option<(&'static str, Permission, Result<(), Error>)> {
            let mut at = 0;
            $(
                if n == at {
                    let answer = Box::pin($call).await.map(|_| ());
                    return Some((stringify!($call), Permission::$permission, answer));
                }
                at += 1;
            )+
            let _all = at;
            None
        }
    };
}

services! { tx;
    LedgerConfigure: accounts::create(tx, new_account()),
    LedgerConfigure: accounts::rename(tx, Uuid::nil(), 1, "x", None),
    LedgerConfigure: accounts::close(tx, Uuid::nil(), 1),
    LedgerConfigure: accounts::reopen(tx, Uuid::nil(), 1),
    LedgerConfigure: accounts::delete(tx, Uuid::nil(), 1),
    LedgerRead: accounts::list(tx, &accounts::Filter::default(), &Slice::first(1)),
    LedgerRead: accounts::count(tx, &accounts::Filter::default()),
    LedgerRead: accounts::by_ids(tx, &[Uuid::nil()]),
    LedgerRead: accounts::by_number(tx, "512"),
    LedgerRead: accounts::balances_of(tx, day("2026-05-01")),
    LedgerConfigure: journals::rename(tx, Uuid::nil(), 1, "X", "x"),
    LedgerRead: journals::list(tx),
    LedgerRead: journals::by_ids(tx, &[Uuid::nil()]),
    LedgerClose: years::open_next_year(tx, Uuid::nil()),
    LedgerClose: years::close_year(tx, Uuid::nil(), 1),
    LedgerClose: years::lock_period(tx, Uuid::nil(), 1),
    LedgerClose: years::reopen_period(tx, Uuid::nil(), 1),
    LedgerClose: years::close_period(tx, Uuid::nil(), 1),
    LedgerRead: years::list(tx),
    LedgerRead: years::by_ids(tx, &[Uuid::nil()]),
    LedgerRead: years::of_day(tx, day("2026-05-01")),
    LedgerRead: years::periods_of(tx, &[Uuid::nil()]),
    LedgerRead: years::periods_by_ids(tx, &[Uuid::nil()]),
    LedgerDraft: entries::create_draft(tx, &new_draft()),
    LedgerDraft: entries::update_draft(tx, Uuid::nil(), 1, &new_draft()),
    LedgerDraft: entries::discard_draft(tx, Uuid::nil(), 1),
    LedgerPost: entries::post(tx, Uuid::nil(), 1),
    LedgerPost: entries::reverse(tx, Uuid::nil(), 1, day("2026-05-01"), "x"),
    LedgerRead: entries::get(tx, Uuid::nil()),
    LedgerRead: entries::by_ids(tx, &[Uuid::nil()]),
    LedgerRead: entries::lines_of(tx, &[Uuid::nil()]),
    LedgerRead: entries::lines_by_ids(tx, &[Uuid::nil()]),
    LedgerRead: entries::reversals_of(tx, &[Uuid::nil()]),
    LedgerRead: entries::of_sources(tx, &[Uuid::nil()]),
    LedgerRead: entries::list(tx, &entries::Filter::default(), entries::Sort::Newest, &Slice::first(1)),
    LedgerRead: entries::count(tx, &entries::Filter::default()),
    LedgerPost: matchings::match_lines(tx, Uuid::nil(), Uuid::nil(), 1),
    LedgerPost: matchings::unmatch(tx, Uuid::nil(), 1),
    LedgerRead: matchings::by_ids(tx, &[Uuid::nil()]),
    LedgerRead: matchings::of_postings(tx, &[Uuid::nil()]),
    LedgerRead: matchings::open_of(tx, &[Uuid::nil()]),
    LedgerRead: matchings::open_lines(tx, Uuid::nil(), None, &Slice::first(1)),
    LedgerRead: matchings::open_lines_count(tx, Uuid::nil(), None),
    LedgerConfigure: rates::set(tx, Currency::parse("USD").expect("dollar"), day("2026-05-01"), Decimal::ONE, None),
    LedgerRead: rates::list(tx, &rates::Filter::default(), &Slice::first(1)),
    LedgerRead: rates::count(tx, &rates::Filter::default()),
    LedgerRead: rates::by_ids(tx, &[Uuid::nil()]),
    LedgerRead: trial_balance(tx, day("2026-01-01"), day("2026-12-31"), false),
    LedgerRead: general_ledger(tx, Uuid::nil(), day("2026-01-01"), day("2026-12-31"), &Slice::first(1)),
    LedgerRead: general_ledger_count(tx, Uuid::nil(), day("2026-01-01"), day("2026-12-31")),
    LedgerRead: aged_count(tx, AgedSide::Receivables, day("2026-05-01")),
    LedgerRead: aged(tx, AgedSide::Receivables, day("2026-05-01"), &Slice::first(1)),
}

fn new_account() -> NewAccount {
    NewAccount {
        number: "6241".to_owned(),
        name: "x".to_owned(),
        name_en: None,
        kind: AccountKind::Expense,
        reconcilable: false,
        party_required: false,
        external_ref: None,
    }
}

fn new_draft() -> entries::Draft {
    entries::Draft {
        journal: Uuid::nil(),
        date: day("2026-05-01"),
        label: "x".to_owned(),
        piece: None,
        lines: Vec::new(),
        external_ref: None,
    }
}

#[tokio::test]
async fn every_service_is_denied_without_its_permission_and_open_with_it_alone() {
    let (test, scope) = books().await;
    let company = scope.company().id;
    let with = |set: PermissionSet| test.scope(company, Actor::Person(kernel::id::new()), set);
    let mut seen = BTreeSet::new();
    for n in 0.. {
        let mut permission = None;
        for allowed in [false, true] {
            let set: PermissionSet = match permission {
                None => PermissionSet::NONE,
                Some(own) if allowed => [own].into_iter().collect(),
                Some(_) => continue,
            };
            let tx = with(set).read().await.expect("snapshot");
            let Some((name, own, answer)) = call(&tx, n).await else {
                tx.end().await;
                assert_eq!(seen.len(), n, "no service stands twice in the table");
                assert!(n > 40);
                return;
            };
            tx.end().await;
            let denied = matches!(answer, Err(Error::Denied(kernel::Denied(missing))) if missing == own);
            assert_eq!(denied, !allowed, "{name} with {set:?}");
            if !allowed {
                assert!(seen.insert(name), "{name}");
                // All the other permissions do not help.
                let others = Permission::ALL.iter().copied().filter(|p| *p != own).collect();
                let tx = with(others).read().await.expect("snapshot");
                let again = call(&tx, n).await.expect("the same service").2;
                tx.end().await;
                assert!(matches!(again, Err(Error::Denied(_))), "{name} with every other permission");
            }
            permission = Some(own);
        }
    }
}
