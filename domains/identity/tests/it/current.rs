//! Streams ask who they stand for again and again: it is current, and costs little however many ask.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::{Duration, Instant};

use identity::session::service as session;
use identity::{Authenticator, NotSignedIn};
use kernel::Origin;
use testing::TestDb;
use tokio::task::JoinSet;

use crate::founding::{authenticator, found, open, sign_in};

/// Notes each look-up of a session's token, with the statement that it was part of.
async fn note_look_ups(test: &TestDb) {
    sqlx::raw_sql(
        "ALTER FUNCTION session_principal(bytea, timestamptz, interval) RENAME TO session_principal_itself;
         CREATE TABLE look_up (hash bytea, statement xid8);
         DO $$ BEGIN
             EXECUTE format('CREATE FUNCTION session_principal(hash bytea, now_at timestamptz, idle interval) RETURNS %s
                 LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS %L',
                 pg_get_function_result('session_principal_itself'::regproc),
                 'BEGIN
                      INSERT INTO look_up VALUES (hash, pg_current_xact_id());
                      RETURN QUERY SELECT * FROM session_principal_itself(hash, now_at, idle);
                  END');
         END $$",
    )
    .execute(&mut test.superuser().await)
    .await
    .expect("look-ups are noted");
}

/// How many tokens were looked up, and in how many statements.
async fn noted(test: &TestDb) -> (i64, i64) {
    let count = "SELECT count(*), count(DISTINCT statement) FROM look_up";
    sqlx::query_as(count).fetch_one(&mut test.superuser().await).await.expect("look-ups")
}

/// Asks for each of these tokens once, all at once; whether each stood for somebody.
async fn ask(auth: &Authenticator, tokens: impl IntoIterator<Item = Arc<str>>) -> Vec<bool> {
    let mut asking = JoinSet::new();
    for token in tokens {
        let auth = auth.clone();
        asking.spawn(async move { auth.current(&token, None).await.expect("looked up").is_some() });
    }
    asking.join_all().await
}

#[tokio::test]
async fn a_thousand_streams_of_one_token_share_one_look_up_in_two_seconds() {
    let test = TestDb::new().await;
    let auth = authenticator(&test);
    found(&auth, "ada@example.com", "A").await.expect("founded");
    let token: Arc<str> = sign_in(&auth, "ada@example.com", None).await.expect("opened").token.into();
    note_look_ups(&test).await;
    for _ in 0..3 {
        let streams = ask(&auth, std::iter::repeat_n(token.clone(), 1000)).await;
        assert!(streams.len() == 1000 && streams.into_iter().all(|stands| stands));
    }
    assert_eq!(noted(&test).await, (1, 1));
    tokio::time::sleep(Duration::from_millis(2100)).await;
    ask(&auth, std::iter::repeat_n(token.clone(), 1000)).await;
    assert_eq!(noted(&test).await, (2, 2));
}

#[tokio::test]
async fn look_ups_of_many_tokens_share_statements_and_each_gets_its_own_answer() {
    let test = TestDb::new().await;
    let auth = authenticator(&test);
    let people = [("ada@example.com", "A"), ("bob@example.com", "B")];
    let mut tokens = Vec::new();
    for (email, company) in people {
        found(&auth, email, company).await.expect("founded");
        let person = sign_in(&auth, email, None).await.expect("opened").person_id;
        for _ in 0..60 {
            let opened = open(&auth, person, None).await.expect("opened");
            tokens.push((opened.token, Some((person, opened.company_id, opened.id))));
        }
    }
    for unknown in 0..30 {
        tokens.insert(unknown * 5, (identity::secret::generate("cs_"), None));
    }
    note_look_ups(&test).await;
    let mut asking = JoinSet::new();
    for (token, wanted) in tokens {
        let auth = auth.clone();
        asking.spawn(async move {
            let found = auth.current(&token, None).await.expect("looked up");
            let found = found.map(|principal| (principal.actor, principal.company.id, principal.session));
            let wanted = wanted
                .map(|(person, company, session)| (kernel::Actor::Person(person), company, Some(session)));
            assert_eq!(found, wanted);
        });
    }
    asking.join_all().await;
    let (looked_up, statements) = noted(&test).await;
    assert_eq!(looked_up, 150);
    assert!(statements <= 6, "{statements} statements");
}

#[tokio::test]
async fn a_session_ended_elsewhere_ends_here_within_seconds() {
    let test = TestDb::new().await;
    // Two replicas: the one where it ends does not tell the other.
    let (here, there) = (authenticator(&test), authenticator(&test));
    found(&here, "ada@example.com", "A").await.expect("founded");
    let opened = sign_in(&here, "ada@example.com", None).await.expect("opened");
    let principal = here.current(&opened.token, None).await.expect("looked up").expect("signed in");
    assert_eq!(principal.session, Some(opened.id));
    let scope = there.scope(&principal, Origin::default());
    let (auth, id) = (there.clone(), opened.id);
    scope
        .write(move |tx| {
            let auth = auth.clone();
            Box::pin(async move { session::sign_out(tx, &auth, id).await })
        })
        .await
        .expect("signed out");
    let ended = Instant::now();
    while here.current(&opened.token, None).await.expect("looked up").is_some() {
        assert!(ended.elapsed() < Duration::from_millis(2500), "still signed in");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert!(matches!(here.principal(&opened.token, None).await, Err(NotSignedIn::Token)));
}

#[tokio::test]
async fn what_cannot_be_looked_up_is_neither_good_nor_ended() {
    let test = TestDb::new().await;
    let auth = authenticator(&test);
    found(&auth, "ada@example.com", "A").await.expect("founded");
    let token = sign_in(&auth, "ada@example.com", None).await.expect("opened").token;
    test.db.close().await;
    let mut asking = JoinSet::new();
    for _ in 0..50 {
        let (auth, token) = (auth.clone(), token.clone());
        asking.spawn(async move { auth.current(&token, None).await.expect_err("unknown").to_string() });
    }
    let faults: BTreeSet<String> = asking.join_all().await.into_iter().collect();
    assert_eq!(faults.len(), 1, "{faults:?}");
    assert!(auth.current(&token, None).await.expect_err("unknown").is_unavailable());
}

#[tokio::test]
async fn who_asks_and_goes_away_leaves_nobody_waiting() {
    let test = TestDb::new().await;
    let auth = authenticator(&test);
    found(&auth, "ada@example.com", "A").await.expect("founded");
    let opened = sign_in(&auth, "ada@example.com", None).await.expect("opened");
    for micros in [0, 50, 100, 200, 400, 800, 1600] {
        auth.forget();
        let (first, token) = (auth.clone(), opened.token.clone());
        let first = tokio::spawn(async move { first.current(&token, None).await.map(|_| ()) });
        tokio::time::sleep(Duration::from_micros(micros)).await;
        first.abort();
        let second = tokio::time::timeout(Duration::from_secs(2), auth.current(&opened.token, None)).await;
        assert!(second.expect("answered").expect("looked up").is_some());
    }
}
