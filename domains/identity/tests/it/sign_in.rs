//! Signing in: what is told, to whom, and from which device.

use chrono::TimeDelta;
use identity::company::service::{self as companies, CompanyChange};
use identity::sign_in::{Attempt, SignedIn, Step, service as sign_in};
use identity::{Authenticator, Error, Passwords};
use kernel::{Origin, Scope};
use testing::TestDb;

use crate::founding::{PASSWORD, authenticator, found};

const ADA: &str = "ada@example.com";

fn from(address: &str) -> Origin {
    Origin { address: Some(address.to_owned()), agent: Some("Firefox".to_owned()), request_id: None }
}

async fn attempt(
    auth: &Authenticator,
    password: &str,
    device: Option<&str>,
    address: &str,
) -> Result<SignedIn, Error> {
    let (email, password) = (ADA.to_owned(), password.to_owned());
    let attempt = Attempt { email, password, company: None, device_token: device.map(str::to_owned) };
    match sign_in::by_password(auth, &Passwords::default(), attempt, from(address)).await? {
        Step::In(signed_in) => Ok(signed_in),
        Step::Second(_) => panic!("no second factor here"),
    }
}

async fn letters(test: &TestDb) -> i64 {
    let count = "SELECT count(*) FROM mail WHERE kind = 'new_device'";
    sqlx::query_scalar(count).fetch_one(&mut test.superuser().await).await.expect("letters")
}

#[tokio::test]
async fn a_device_is_known_again_by_its_token_and_only_a_further_one_is_told_by_letter() {
    let test = TestDb::new().await;
    let auth = authenticator(&test);
    found(&auth, ADA, "A").await.expect("founded");
    let first = attempt(&auth, PASSWORD, None, "192.0.2.1").await.expect("signed in");
    let token = first.device_token.expect("a new device");
    assert_eq!(letters(&test).await, 0, "nobody is warned of their own first sign-in");
    let again = attempt(&auth, PASSWORD, Some(&token), "192.0.2.1").await.expect("signed in");
    assert_eq!(again.device_token, None, "known");
    assert_ne!(again.opened.token, first.opened.token, "each sign-in has a token of its own");
    assert_eq!(letters(&test).await, 0);
    let other = attempt(&auth, PASSWORD, Some("cd_forged"), "198.51.100.9").await.expect("signed in");
    assert!(other.device_token.is_some_and(|new| new != token));
    assert_eq!(letters(&test).await, 1, "another device");
}

#[tokio::test]
async fn strangers_who_guess_do_not_lock_the_owner_out_of_a_known_device() {
    let test = TestDb::new().await;
    let auth = authenticator(&test);
    found(&auth, ADA, "A").await.expect("founded");
    let device = attempt(&auth, PASSWORD, None, "192.0.2.1").await.expect("signed in").device_token;
    let mut refused = 0;
    for guess in 0..40 {
        // Each from an address of its own: only the account is common.
        let error = attempt(&auth, "not her password!", None, &format!("203.0.{guess}.1")).await;
        match error.expect_err("wrong") {
            Error::TooManyAttempts { .. } => refused += 1,
            Error::WrongCredentials => assert_eq!(refused, 0, "once refused, refused"),
            other => panic!("{other}"),
        }
    }
    assert!(refused > 20, "{refused} of 40 were refused unheard");
    let stranger = attempt(&auth, PASSWORD, None, "203.0.113.200").await.expect_err("even the right one");
    assert!(matches!(stranger, Error::TooManyAttempts { .. }), "{stranger}");
    attempt(&auth, PASSWORD, device.as_deref(), "192.0.2.1").await.expect("the owner comes in");
}

async fn demand(scope: &Scope, version: i32, from: TimeDelta) -> Result<(), Error> {
    let from = Some(scope.clock().now() + from);
    scope
        .write(|tx| {
            let change = CompanyChange { second_factor_from: Some(from), ..CompanyChange::default() };
            Box::pin(async move { companies::update(tx, version, change).await })
        })
        .await
}

#[tokio::test]
async fn a_company_that_demands_a_second_factor_lets_who_has_none_in_until_the_grace_is_over() {
    let test = TestDb::new().await;
    let auth = authenticator(&test);
    found(&auth, ADA, "A").await.expect("founded");
    let opened = attempt(&auth, PASSWORD, None, "192.0.2.1").await.expect("signed in").opened;
    let principal = auth.principal(&opened.token, None).await.expect("principal");
    let scope = auth.scope(&principal, Origin::default());
    let too_long = demand(&scope, 1, TimeDelta::days(91)).await.expect_err("too long");
    assert!(too_long.to_string().contains("90 days"), "{too_long}");
    demand(&scope, 1, TimeDelta::days(7)).await.expect("demanded");
    let start = test.clock.now();
    for (after, due) in [(0, false), (6, false), (7, true), (8, true)] {
        test.clock.set(start + TimeDelta::days(after));
        let opened = attempt(&auth, PASSWORD, None, "192.0.2.1").await.expect("signed in").opened;
        // Another replica remembers nothing.
        let principal = authenticator(&test).principal(&opened.token, None).await.expect("principal");
        assert_eq!(principal.second_factor_due, due, "after {after} days");
        assert_eq!(principal.permissions.iter().next().is_none(), due, "after {after} days");
    }
}
