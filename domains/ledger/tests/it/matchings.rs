//! Lettering: what settles what, and no more than there is.

use kernel::{Kind, Scope};
use ledger::account::Role;
use ledger::entry::{JournalKind, post_in, reverse_in};
use ledger::matching::{match_in, service, unmatch_in};
use testing::day;
use uuid::Uuid;

use crate::support::{books, code, entry, line, owed, post, raw, run, value, write};

async fn invoice(scope: &Scope, party: Uuid, amount: i64) -> Uuid {
    let lines = vec![owed(Role::Receivable, amount, party, "2026-05-31"), line(Role::SalesGoods, -amount)];
    post(scope, &entry(JournalKind::Sales, "2026-05-01", lines)).await.expect("posted").postings[0]
        .expect("line")
}

async fn payment(scope: &Scope, party: Uuid, amount: i64) -> Uuid {
    let lines = vec![line(Role::Bank, amount), owed(Role::Receivable, -amount, party, "2026-05-20")];
    post(scope, &entry(JournalKind::Bank, "2026-05-20", lines)).await.expect("posted").postings[1]
        .expect("line")
}

async fn matched(scope: &Scope, debit: Uuid, credit: Uuid, amount: i64) -> Result<Uuid, ledger::Error> {
    write(scope, |tx| Box::pin(async move { match_in(tx, debit, credit, amount, day("2026-05-10")).await }))
        .await
}

#[tokio::test]
async fn a_line_is_matched_in_parts_and_never_beyond() {
    let (_test, scope) = books().await;
    let party = kernel::id::new();
    let (debit, first, second) = (
        invoice(&scope, party, 1000).await,
        payment(&scope, party, 600).await,
        payment(&scope, party, 700).await,
    );
    assert_eq!(code(&matched(&scope, debit, first, 601).await), "MATCHED_TOO_MUCH");
    assert_eq!(code(&matched(&scope, debit, first, 0).await), "INVALID");
    let whole = matched(&scope, debit, first, 600).await.expect("matched");
    assert_eq!(code(&matched(&scope, debit, second, 401).await), "MATCHED_TOO_MUCH");
    matched(&scope, debit, second, 400).await.expect("matched");
    assert_eq!(code(&matched(&scope, debit, second, 1).await), "MATCHED_TOO_MUCH");
    // Not before both lines: the payment is of the 20th.
    let since: chrono::NaiveDate = value(&scope, "SELECT min(matched_on) FROM matching").await;
    assert_eq!(since, day("2026-05-20"));
    write(&scope, |tx| Box::pin(async move { unmatch_in(tx, whole).await })).await.expect("undone");
    let again = write(&scope, |tx| Box::pin(async move { unmatch_in(tx, whole).await })).await;
    assert_eq!(code(&again), "ALREADY_UNMATCHED");
    // Freed on the 15th of June, the clock's day: matched again from there, so that no day shows both.
    let later = matched(&scope, debit, first, 600).await.expect("matched again");
    let tx = scope.read().await.expect("snapshot");
    let open = service::open_of(&tx, &[debit, first, second]).await.expect("open");
    let of = |id| open.iter().find(|(line, _)| *line == id).expect("line").1;
    assert_eq!((of(debit), of(first), of(second)), (0, 0, 300));
    let again = service::by_ids(&tx, &[later]).await.expect("matching");
    assert_eq!(again[0].matched_on, day("2026-06-15"));
    assert_eq!(service::of_postings(&tx, &[debit]).await.expect("matchings").len(), 2);
}

#[tokio::test]
async fn only_lines_of_one_account_and_party_and_of_opposite_sides_are_matched() {
    let (test, scope) = books().await;
    let (party, other) = (kernel::id::new(), kernel::id::new());
    let (debit, credit) = (invoice(&scope, party, 1000).await, payment(&scope, party, 1000).await);
    let stranger = payment(&scope, other, 1000).await;
    assert_eq!(code(&matched(&scope, debit, stranger, 10).await), "NOT_MATCHABLE");
    assert_eq!(code(&matched(&scope, credit, debit, 10).await), "NOT_MATCHABLE");
    assert_eq!(code(&matched(&scope, debit, debit, 10).await), "NOT_MATCHABLE");
    assert_eq!(code(&matched(&scope, debit, kernel::id::new(), 10).await), "NOT_FOUND");
    let bank = post(
        &scope,
        &entry(JournalKind::Bank, "2026-05-21", vec![line(Role::Bank, 50), line(Role::Bank, -50)]),
    )
    .await
    .expect("posted");
    let (d, c) = (bank.postings[0].expect("line"), bank.postings[1].expect("line"));
    assert_eq!(code(&matched(&scope, d, c, 50).await), "NOT_MATCHABLE");
    let id = matched(&scope, debit, credit, 1000).await.expect("matched");
    let mut raw = raw(&test, &scope).await;
    for sql in [
        "DELETE FROM matching".to_owned(),
        "UPDATE matching SET amount_minor = 1".to_owned(),
        "TRUNCATE matching".to_owned(),
        format!(
            "INSERT INTO matching (tenant_id, id, debit_posting_id, credit_posting_id, amount_minor, matched_on,
                 created_at, created_by)
             SELECT tenant_id, gen_random_uuid(), debit_posting_id, credit_posting_id, 1, matched_on, now(), 'raw'
             FROM matching WHERE id = '{id}'"
        ),
    ] {
        assert!(run(&mut raw, &sql).await.is_err(), "{sql}");
    }
}

#[tokio::test]
async fn a_reversal_links_both_ways_takes_everything_back_and_settles_what_was_open() {
    let (_test, scope) = books().await;
    let party = kernel::id::new();
    let lines = vec![
        owed(Role::Receivable, 1200, party, "2026-05-31"),
        line(Role::SalesGoods, -1000),
        line(Role::VatCollected, -200),
    ];
    let original = post(&scope, &entry(JournalKind::Sales, "2026-05-01", lines)).await.expect("posted");
    let paid = payment(&scope, party, 500).await;
    matched(&scope, original.postings[0].expect("line"), paid, 500).await.expect("matched");
    let id = original.id;
    let reversed = write(&scope, |tx| {
        Box::pin(async move { reverse_in(tx, id, day("2026-06-02"), "Annulation").await })
    })
    .await
    .expect("reversed");
    assert_eq!(reversed.number, 2);
    let tx = scope.read().await.expect("snapshot");
    let back = ledger::entry::service::reversals_of(&tx, &[id]).await.expect("read");
    assert_eq!((back.len(), back[0].id, back[0].reverses_id), (1, reversed.id, Some(id)));
    let net: Vec<(i64,)> = tx
        .tuples(
            "SELECT sum(debit_minor - credit_minor)::bigint FROM posting WHERE entry_id = ANY($1) GROUP BY account_id",
            [vec![id, reversed.id].into()],
        )
        .await
        .expect("sums");
    assert!(net.iter().all(|(net,)| *net == 0) && net.len() == 3);
    let open =
        service::open_of(&tx, &[original.postings[0].expect("line"), reversed.postings[0].expect("line")])
            .await
            .expect("open");
    let of = |id: Option<Uuid>| open.iter().find(|(line, _)| Some(*line) == id).expect("line").1;
    assert_eq!(
        (of(original.postings[0]), of(reversed.postings[0])),
        (0, 500),
        "the paid part is owed to the party"
    );
    tx.end().await;
    for (entry, refusal) in
        [(id, "ALREADY_REVERSED"), (reversed.id, "NOT_REVERSIBLE"), (kernel::id::new(), "NOT_FOUND")]
    {
        let again =
            write(&scope, |tx| Box::pin(async move { reverse_in(tx, entry, day("2026-06-03"), "x").await }))
                .await;
        assert_eq!(code(&again), refusal);
    }
    let early = write(&scope, |tx| {
        Box::pin(async move {
            let made = post_in(tx, crate::support::sale("2026-06-10", 5)).await?;
            reverse_in(tx, made.id, day("2026-06-09"), "x").await
        })
    })
    .await;
    assert_eq!(code(&early), "INVALID");
}

/// What an invoice, a bill or a payment has posted is settled there: else both would tell different stories.
#[tokio::test]
async fn lines_that_come_from_elsewhere_are_not_matched_by_hand() {
    let (_test, scope) = books().await;
    let party = kernel::id::new();
    let sourced = async |kind, amount: i64| {
        let lines = vec![owed(Role::Receivable, amount, party, "2026-05-31"), line(Role::Bank, -amount)];
        let entry = entry(JournalKind::Bank, "2026-05-20", lines);
        let entry = ledger::entry::NewEntry { source: Some((kind, kernel::id::new())), ..entry };
        post(&scope, &entry).await.expect("posted").postings[0].expect("line")
    };
    let (billed, paid) = (sourced(Kind::Invoice, 900).await, sourced(Kind::Payment, -900).await);
    let (debit, credit) = (invoice(&scope, party, 500).await, payment(&scope, party, 500).await);
    let by_hand = async |debit, credit| {
        write(&scope, |tx| Box::pin(async move { service::match_lines(tx, debit, credit, 300).await })).await
    };
    let undone = async |id, version| {
        write(&scope, |tx| Box::pin(async move { service::unmatch(tx, id, version).await })).await
    };
    for (debit, credit) in [(billed, paid), (billed, credit), (debit, paid)] {
        let refused = by_hand(debit, credit).await;
        assert_eq!(code(&refused), "NOT_MATCHED_BY_HAND");
        let told = refused.expect_err("refused").to_string();
        for mutation in ["recordPayment", "allocatePayment", "undoAllocation"] {
            assert!(told.contains(mutation), "{told}");
        }
    }
    let theirs = matched(&scope, billed, paid, 900).await.expect("by the domain above");
    assert_eq!(code(&undone(theirs, 1).await), "NOT_MATCHED_BY_HAND");
    write(&scope, |tx| Box::pin(async move { unmatch_in(tx, theirs).await }))
        .await
        .expect("by the domain above");
    let own = by_hand(debit, credit).await.expect("two entries written by hand");
    undone(own, 1).await.expect("undone");
    assert_eq!(code(&by_hand(debit, kernel::id::new()).await), "NOT_FOUND");
}
