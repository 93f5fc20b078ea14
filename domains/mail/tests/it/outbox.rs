//! What the outbox keeps, and from whom.

use chrono::TimeDelta;
use kernel::{Mode, Scope};
use mail::outbox::service::{forget_old, newest};
use mail::post::{Post, deliver};
use mail::{Content, Letter};
use testing::{Failed, TestDb, at};

fn reset() -> Letter {
    Letter::new("ada@example.com", "en", Content::ResetPassword { link: "https://books.example/r".into() })
}

fn invitation() -> Letter {
    let content = Content::Invitation {
        company: "A".into(),
        inviter: "Ada".into(),
        role: "Sales".into(),
        link: "https://books.example/i".into(),
    };
    Letter::new("bob@example.com", "fr", content)
}

/// The test twin of a company, as far as mail is concerned.
fn twin_of(scope: &Scope, test: &TestDb) -> Scope {
    let company = kernel::Company { mode: Mode::Test, ..scope.company().clone() };
    Scope::open(
        test.db.clone(),
        test.vault.clone(),
        test.clock.clone(),
        company,
        scope.actor(),
        scope.permissions(),
        scope.origin().clone(),
    )
}

async fn put_in(scope: &Scope, then: Result<(), ()>) -> Result<(), Failed> {
    scope
        .write(|tx| {
            Box::pin(async move {
                mail::put_in(tx, &invitation()).await?;
                then.map_err(|()| Failed::Refused)
            })
        })
        .await
}

#[tokio::test]
async fn a_letter_commits_with_the_companys_transaction_or_not_at_all() {
    let test = TestDb::new().await;
    let scope = test.company().await;
    put_in(&scope, Err(())).await.expect_err("refused");
    assert!(newest(&test.db, &test.vault, 10).await.expect("outbox").is_empty());
    put_in(&scope, Ok(())).await.expect("committed");
    let kept = newest(&test.db, &test.vault, 10).await.expect("outbox");
    assert_eq!(kept.len(), 1);
    let letter = kept[0].letter.as_ref().expect("readable");
    assert_eq!((letter.to.as_str(), kept[0].kind.as_str()), ("bob@example.com", "invitation"));
    assert_eq!(letter.content, invitation().content);
}

#[tokio::test]
async fn a_test_twins_letters_are_kept_and_never_sent() {
    let test = TestDb::new().await;
    let scope = test.company().await;
    put_in(&twin_of(&scope, &test), Ok(())).await.expect("put");
    for days in 0..9 {
        test.clock.set(at("2026-06-15T10:00:00Z") + TimeDelta::days(days));
        assert_eq!(deliver(&test.db, &test.vault, &test.clock, &Post::Shelf).await.expect("delivered"), 0);
    }
    let kept = newest(&test.db, &test.vault, 10).await.expect("outbox").remove(0);
    assert!(kept.withheld && kept.sent_at.is_none() && kept.given_up_at.is_none() && kept.letter.is_some());
}

#[tokio::test]
async fn the_shelf_keeps_letters_readable() {
    let test = TestDb::new().await;
    mail::put(&test.db, &test.vault, &test.clock, &reset()).await.expect("put");
    assert_eq!(deliver(&test.db, &test.vault, &test.clock, &Post::Shelf).await.expect("delivered"), 1);
    assert_eq!(deliver(&test.db, &test.vault, &test.clock, &Post::Shelf).await.expect("delivered"), 0);
    let kept = newest(&test.db, &test.vault, 10).await.expect("outbox").remove(0);
    assert!(kept.sent_at.is_some() && kept.letter.is_some());
}

#[tokio::test]
async fn neither_address_nor_link_can_be_read_in_the_table() {
    let test = TestDb::new().await;
    mail::put(&test.db, &test.vault, &test.clock, &reset()).await.expect("put");
    let mut all = test.superuser().await;
    let row: String = sqlx::query_scalar(
        "SELECT mail::text || encode(recipient, 'escape') || encode(letter, 'escape') FROM mail",
    )
    .fetch_one(&mut all)
    .await
    .expect("row");
    assert!(!row.contains("example"), "{row}");
}

#[tokio::test]
async fn requests_write_letters_and_cannot_read_them() {
    let test = TestDb::new().await;
    mail::put(&test.db, &test.vault, &test.clock, &reset()).await.expect("put");
    let mut server = test.raw("coulisse_server").await;
    for sql in [
        "SELECT letter FROM mail",
        "SELECT recipient FROM mail",
        "DELETE FROM mail",
        "UPDATE mail SET attempts = 0",
    ] {
        let refused = sqlx::query(sql).execute(&mut server).await.expect_err(sql);
        assert_eq!(
            refused.as_database_error().and_then(sqlx::error::DatabaseError::code).as_deref(),
            Some("42501"),
            "{sql}"
        );
    }
}

#[tokio::test]
async fn nobody_is_written_to_more_often_than_said() {
    let test = TestDb::new().await;
    let put = |to: &'static str| {
        let (db, vault, clock) = (test.db.clone(), test.vault.clone(), test.clock.clone());
        async move {
            let letter = Letter::new(to, "en", Content::NoAccount);
            mail::put_at_most(&db, &vault, &clock, &letter, 2, TimeDelta::hours(1)).await.expect("put")
        }
    };
    // Many at once: two would count the same letters, were they not made to wait.
    let at_once = futures_util::future::join_all((0..12).map(|_| put("ada@example.com"))).await;
    assert_eq!(at_once.iter().filter(|put| **put).count(), 2);
    assert!(!put("Ada@Example.com").await, "the same mailbox");
    assert!(put("bob@example.com").await, "another's");
    test.clock.set(test.clock.now() + TimeDelta::hours(2));
    assert!(put("ada@example.com").await, "later");
}

#[tokio::test]
async fn what_is_long_past_is_forgotten() {
    let test = TestDb::new().await;
    mail::put(&test.db, &test.vault, &test.clock, &reset()).await.expect("put");
    test.clock.set(test.clock.now() + TimeDelta::days(2));
    assert_eq!(forget_old(&test.db, &test.clock).await.expect("forgotten"), 1, "whom it went to");
    test.clock.set(test.clock.now() + TimeDelta::days(89));
    assert_eq!(forget_old(&test.db, &test.clock).await.expect("forgotten"), 1, "the letter");
    assert!(newest(&test.db, &test.vault, 10).await.expect("outbox").is_empty());
}
