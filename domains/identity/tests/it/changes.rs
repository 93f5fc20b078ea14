//! What was looked up before a change of access is never believed after it, in this process or another.

use std::time::{Duration, Instant};

use identity::Authenticator;
use identity::access::{Change, service as access};
use identity::session::{list, service as session};
use kernel::Origin;
use testing::TestDb;
use tokio::task::JoinSet;

use crate::founding::{authenticator, found, sign_in};

/// Has each look-up of a session read its row, and then wait as long as somebody holds the lock 7.
async fn hold_look_ups(test: &TestDb) {
    sqlx::raw_sql(
        "ALTER FUNCTION session_principal(bytea, timestamptz, interval) RENAME TO session_principal_itself;
         DO $$ BEGIN
             EXECUTE format('CREATE FUNCTION session_principal(hash bytea, now_at timestamptz, idle interval) RETURNS %s
                 LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS %L',
                 pg_get_function_result('session_principal_itself'::regproc),
                 'BEGIN
                      RETURN QUERY SELECT * FROM session_principal_itself(hash, now_at, idle);
                      PERFORM pg_advisory_xact_lock_shared(7);
                  END');
         END $$",
    )
    .execute(&mut test.superuser().await)
    .await
    .expect("look-ups wait");
}

#[tokio::test]
async fn a_look_up_that_began_before_a_revocation_is_not_kept_after_it() {
    let test = TestDb::new().await;
    let auth = authenticator(&test);
    found(&auth, "ada@example.com", "A").await.expect("founded");
    let opened = sign_in(&auth, "ada@example.com", None).await.expect("opened");
    hold_look_ups(&test).await;
    let mut holder = test.superuser().await;
    sqlx::query("SELECT pg_advisory_lock(7)").execute(&mut holder).await.expect("held");
    let mut asking = JoinSet::new();
    let (asks, token) = (auth.clone(), opened.token.clone());
    asking.spawn(async move { asks.current(&token, None).await.expect("looked up").is_some() });
    // Other databases of the cluster have advisory locks of their own.
    let waits = "SELECT EXISTS (SELECT FROM pg_locks l JOIN pg_database d ON d.oid = l.database
         WHERE d.datname = current_database() AND l.locktype = 'advisory' AND l.objid = 7 AND NOT l.granted)";
    while !sqlx::query_scalar::<_, bool>(waits).fetch_one(&mut holder).await.expect("locks") {
        tokio::task::yield_now().await;
    }
    // It has read the session as good. Now the session ends, as on another replica, and word of it comes.
    session::end(&authenticator(&test), opened.person_id, &[opened.id], None).await.expect("ended");
    auth.access().tell([Change::EVERYBODY]);
    sqlx::query("SELECT pg_advisory_unlock(7)").execute(&mut holder).await.expect("released");
    assert!(asking.join_next().await.expect("asked").expect("answered"), "it was good when it was asked for");
    assert!(auth.current(&opened.token, None).await.expect("looked up").is_none(), "and is not any more");
}

/// Waits until a token stands for nobody; how long that took.
async fn gone(auth: &Authenticator, token: &str) -> Duration {
    let since = Instant::now();
    while auth.current(token, None).await.expect("looked up").is_some() {
        assert!(since.elapsed() < Duration::from_secs(10), "it never goes");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    since.elapsed()
}

#[tokio::test]
async fn a_process_hears_of_a_change_in_another_one_within_a_second() {
    let test = TestDb::new().await;
    let (here, there) = (authenticator(&test), authenticator(&test));
    found(&here, "ada@example.com", "A").await.expect("founded");
    let mut watching = JoinSet::new();
    watching.spawn(access::watch(here.clone()));
    let mut told = here.access().follow();
    told.changed().await.expect("what was before it began is unknown");
    let opened = sign_in(&here, "ada@example.com", None).await.expect("opened");
    let principal = here.principal(&opened.token, None).await.expect("good");
    session::end(&there, opened.person_id, &[opened.id], None).await.expect("ended elsewhere");
    let after = gone(&here, &opened.token).await;
    assert!(after < Duration::from_secs(1), "after {after:?}");
    assert!(here.access().concerns(&principal.company, principal.actor));
}

#[tokio::test]
async fn old_changes_are_swept_and_new_ones_stay() {
    let test = TestDb::new().await;
    let mut all = test.superuser().await;
    let insert = "INSERT INTO access_change (at) VALUES (now() - interval '6 minutes'), (now() - interval '4 minutes')";
    sqlx::query(insert).execute(&mut all).await.expect("inserted");
    assert_eq!(access::sweep(&test.db).await.expect("swept"), 1);
}

#[tokio::test]
async fn open_sessions_are_listed_and_ended_by_whose_they_are() {
    let test = TestDb::new().await;
    let auth = authenticator(&test);
    let first = found(&auth, "ada@example.com", "A").await.expect("founded");
    let second = found(&auth, "ada@example.com", "B").await.expect("founded");
    found(&auth, "bob@example.com", "C").await.expect("founded");
    let one = sign_in(&auth, "ada@example.com", Some(first)).await.expect("opened");
    let two = sign_in(&auth, "ada@example.com", Some(second)).await.expect("opened");
    let bob = sign_in(&auth, "bob@example.com", None).await.expect("opened");
    let listed = list::own(&auth, one.person_id).await.expect("listed");
    let listed: Vec<_> = listed.iter().map(|(session, company)| (session.id, company.as_str())).collect();
    assert_eq!(listed, [(two.id, "B"), (one.id, "A")]);
    let error = list::end_own(&auth, one.person_id, bob.id, None).await.expect_err("another person's");
    assert_eq!(error.to_string(), "no such session");
    assert!(auth.current(&bob.token, None).await.expect("looked up").is_some());
    // What is idle for too long is open no more.
    test.clock.set(test.clock.now() + chrono::TimeDelta::hours(11));
    auth.forget();
    assert!(auth.current(&one.token, None).await.expect("looked up").is_some());
    test.clock.set(test.clock.now() + chrono::TimeDelta::hours(2));
    assert_eq!(list::own(&auth, one.person_id).await.expect("listed").len(), 1);
    // Who manages members sees and ends those in the own company alone.
    let principal = auth.principal(&one.token, None).await.expect("principal");
    let scope = auth.scope(&principal, Origin::default());
    assert_eq!(list::of_member(&auth, &scope, bob.person_id).await.expect("listed").len(), 0);
    assert_eq!(list::of_member(&auth, &scope, one.person_id).await.expect("listed").len(), 1);
}
