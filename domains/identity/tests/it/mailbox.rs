//! What people do by their mailbox: it needs the mailbox, it works once and not for long, and it tells nobody else anything.

use chrono::TimeDelta;
use credentials::totp;
use identity::factor::change;
use identity::factor::fresh::{Fresh, Own};
use identity::mailbox::service::{confirm, reset, want_confirmation, want_reset, write_wanted};
use identity::person::service as people;
use identity::{Authenticator, Error, NotSignedIn, Passwords};
use kernel::{DomainError, Origin};
use mail::outbox::service::newest;
use testing::TestDb;
use uuid::Uuid;

use crate::founding::{PASSWORD, authenticator, by_password, found, person, sign_in};

const URL: &str = "https://books.example";
const NEW: &str = "quite another sentence to keep";

fn origin() -> Origin {
    Origin::default()
}

/// Writes what was asked for; the kinds and links of all letters to an address, newest first.
pub(crate) async fn letters(auth: &Authenticator, to: &str) -> Vec<(String, Option<String>)> {
    while write_wanted(auth, URL).await.expect("written") > 0 {}
    let kept = newest(auth.db(), auth.vault(), 100).await.expect("outbox");
    let to_it = kept.into_iter().filter(|kept| kept.letter.as_ref().is_some_and(|letter| letter.to == to));
    to_it.map(|kept| (kept.kind, kept.letter.and_then(|l| l.content.link().map(str::to_owned)))).collect()
}

/// The token of the newest letter to an address, which is of that kind.
pub(crate) async fn token(auth: &Authenticator, to: &str, kind: &str) -> String {
    let (newest, link) = letters(auth, to).await.into_iter().next().expect("a letter");
    assert_eq!(newest, kind);
    let link = link.expect("a link");
    let token = link.split_once("token=").map(|(_, token)| token.to_owned());
    token.unwrap_or_else(|| panic!("no token in {link}"))
}

/// Somebody who has signed up with an address and not proved it.
async fn newcomer(auth: &Authenticator, email: &str) -> Uuid {
    let prepared = people::prepare(&Passwords::default(), person(email), "A").await.expect("prepared");
    let new = crate::founding::company("N");
    let facts = identity::company::service::facts(kernel::id::new(), &new).expect("facts");
    let scope = auth.system_scope(facts, kernel::Actor::Person(prepared.id), origin());
    scope
        .write(|tx| {
            let (prepared, new) = (prepared.clone(), new.clone());
            Box::pin(async move {
                people::store_in(tx, &prepared).await?;
                identity::company::service::found_in(tx, &new, prepared.id).await
            })
        })
        .await
        .expect("founded");
    prepared.id
}

fn code_of<T: std::fmt::Debug>(done: Result<T, Error>) -> &'static str {
    done.expect_err("refused").code()
}

async fn confirm_by(
    auth: &Authenticator,
    token: &str,
    signed_in: Option<Uuid>,
    password: Option<&str>,
) -> Result<(), Error> {
    confirm(auth, &Passwords::default(), token, signed_in, password, &origin()).await
}

async fn reset_by(auth: &Authenticator, token: &str, code: Option<&str>) -> Result<(), Error> {
    reset(auth, &Passwords::default(), token, NEW, code, &origin()).await
}

#[tokio::test]
async fn an_address_is_confirmed_by_its_mailbox_and_its_account() {
    let test = TestDb::new().await;
    let auth = authenticator(&test);
    let ada = newcomer(&auth, "ada@example.com").await;
    assert_eq!(code_of(sign_in(&auth, "ada@example.com", None).await), "WRONG_CREDENTIALS", "not yet");
    want_confirmation(&auth, ada, &origin()).await.expect("asked");
    let link = token(&auth, "ada@example.com", "confirm_address").await;
    assert_eq!(code_of(confirm_by(&auth, &link, None, None).await), "INVALID", "the mailbox alone");
    assert_eq!(
        code_of(confirm_by(&auth, &link, Some(Uuid::now_v7()), None).await),
        "INVALID",
        "another's session"
    );
    assert_eq!(
        code_of(confirm_by(&auth, &link, None, Some("another sentence to keep")).await),
        "WRONG_CREDENTIALS"
    );
    confirm_by(&auth, &link, None, Some(PASSWORD)).await.expect("confirmed");
    sign_in(&auth, "ada@example.com", None).await.expect("signed in");
    assert_eq!(code_of(confirm_by(&auth, &link, None, Some(PASSWORD)).await), "PROOF_SPENT", "once");
    want_confirmation(&auth, ada, &origin()).await.expect("asked");
    assert_eq!(
        letters(&auth, "ada@example.com").await.len(),
        1,
        "nothing more is sent to a confirmed address"
    );
    let bob = newcomer(&auth, "bob@example.com").await;
    want_confirmation(&auth, bob, &origin()).await.expect("asked");
    let link = token(&auth, "bob@example.com", "confirm_address").await;
    confirm_by(&auth, &link, Some(bob), None).await.expect("confirmed by the session");
}

/// Pre-hijacking: somebody signs up with another's address and waits for the other to confirm it.
#[tokio::test]
async fn who_signed_up_with_anothers_address_gets_nothing_by_the_others_click() {
    let test = TestDb::new().await;
    let auth = authenticator(&test);
    let mallory = newcomer(&auth, "ada@example.com").await;
    want_confirmation(&auth, mallory, &origin()).await.expect("asked");
    let theirs = token(&auth, "ada@example.com", "confirm_address").await;
    // Ada follows the link: she knows no password of that account, and the one that she would choose is not it.
    assert_eq!(code_of(confirm_by(&auth, &theirs, None, Some(NEW)).await), "WRONG_CREDENTIALS");
    // She signs up herself, and confirms her own account.
    let ada = newcomer(&auth, "ada@example.com").await;
    want_confirmation(&auth, ada, &origin()).await.expect("asked");
    let hers = token(&auth, "ada@example.com", "confirm_address").await;
    confirm_by(&auth, &hers, Some(ada), None).await.expect("confirmed");
    // The address is hers: the other account never gets it, whatever link it had.
    assert_eq!(code_of(confirm_by(&auth, &theirs, Some(mallory), None).await), "EMAIL_TAKEN");
    test.clock.set(test.clock.now() + TimeDelta::hours(1));
    want_confirmation(&auth, mallory, &origin()).await.expect("asked");
    assert_eq!(letters(&auth, "ada@example.com").await[0].0, "address_taken", "told to the mailbox");
    let known = people::by_email(&auth, "ada@example.com").await.expect("asked").expect("known");
    assert_eq!(known.id, ada);
}

#[tokio::test]
async fn a_link_is_good_for_its_time_and_the_newest_one_only() {
    let test = TestDb::new().await;
    let auth = authenticator(&test);
    let ada = newcomer(&auth, "ada@example.com").await;
    want_confirmation(&auth, ada, &origin()).await.expect("asked");
    let first = token(&auth, "ada@example.com", "confirm_address").await;
    test.clock.set(test.clock.now() + TimeDelta::seconds(1));
    want_confirmation(&auth, ada, &origin()).await.expect("asked");
    let second = token(&auth, "ada@example.com", "confirm_address").await;
    assert_eq!(code_of(confirm_by(&auth, &first, Some(ada), None).await), "PROOF_SPENT");
    test.clock.set(test.clock.now() + TimeDelta::hours(24));
    assert_eq!(code_of(confirm_by(&auth, &second, Some(ada), None).await), "PROOF_SPENT");

    found(&auth, "bob@example.com", "B").await.expect("founded");
    want_reset(&auth, "bob@example.com", "fr", &origin()).await.expect("asked");
    let link = token(&auth, "bob@example.com", "reset_password").await;
    // Another purpose's token is none.
    assert_eq!(code_of(confirm_by(&auth, &link, None, Some(PASSWORD)).await), "PROOF_SPENT");
    test.clock.set(test.clock.now() + TimeDelta::minutes(30));
    assert_eq!(code_of(reset_by(&auth, &link, None).await), "PROOF_SPENT");
}

#[tokio::test]
async fn a_reset_gives_another_password_once_and_ends_what_was_open() {
    let test = TestDb::new().await;
    let auth = authenticator(&test);
    found(&auth, "ada@example.com", "A").await.expect("founded");
    let open = sign_in(&auth, "ada@example.com", None).await.expect("signed in");
    want_reset(&auth, " Ada@Example.com ", "en", &origin()).await.expect("asked");
    let link = token(&auth, "ada@example.com", "reset_password").await;
    let short =
        reset(&auth, &Passwords::default(), &link, "short", None, &origin()).await.expect_err("refused");
    assert_eq!((short.code(), short.field().as_deref()), ("PASSWORD_TOO_SHORT", Some("newPassword")));
    reset_by(&auth, &link, None).await.expect("reset");
    assert_eq!(code_of(reset_by(&auth, &link, None).await), "PROOF_SPENT", "once");
    assert!(
        matches!(auth.principal(&open.token, None).await, Err(NotSignedIn::Token)),
        "sessions have ended"
    );
    assert_eq!(code_of(sign_in(&auth, "ada@example.com", None).await), "WRONG_CREDENTIALS", "the old one");
    by_password(&auth, "ada@example.com", NEW, None).await.expect("the new one");
    let kinds: Vec<_> = letters(&auth, "ada@example.com").await.into_iter().map(|(kind, _)| kind).collect();
    assert!(kinds.contains(&"password_changed".to_owned()), "{kinds:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn of_many_resets_by_one_link_at_once_one_succeeds() {
    let test = TestDb::new().await;
    let auth = authenticator(&test);
    found(&auth, "ada@example.com", "A").await.expect("founded");
    want_reset(&auth, "ada@example.com", "fr", &origin()).await.expect("asked");
    let link = token(&auth, "ada@example.com", "reset_password").await;
    let (a, b, c) = tokio::join!(
        reset_by(&auth, &link, None),
        reset_by(&auth, &link, None),
        reset_by(&auth, &link, None)
    );
    assert_eq!([a, b, c].iter().filter(|done| done.is_ok()).count(), 1);
}

#[tokio::test]
async fn a_reset_needs_the_second_factor_and_leaves_it_in_force() {
    let test = TestDb::new().await;
    let auth = authenticator(&test);
    found(&auth, "ada@example.com", "A").await.expect("founded");
    let opened = sign_in(&auth, "ada@example.com", None).await.expect("signed in");
    let principal = auth.principal(&opened.token, None).await.expect("principal");
    let scope = auth.scope(&principal, origin());
    let own = Own::of(&scope, Some(opened.id)).expect("a person");
    let fresh = Fresh { password: Some(PASSWORD.to_owned()), code: None };
    let begun = change::begin_totp(&auth, &Passwords::default(), own, &fresh).await.expect("begun");
    let secret = totp::Secret::parse(&begun.secret).expect("base 32");
    let bytes = totp_rs::Secret::try_from_base32(secret.base32()).expect("base 32");
    let application = totp_rs::Builder::new().with_secret(bytes).build().expect("its options");
    let code = || {
        let at = u64::try_from(test.clock.now().timestamp()).expect("after 1970");
        application.generate(at).to_string()
    };
    change::confirm_totp(&auth, own, &code()).await.expect("confirmed");
    test.clock.set(test.clock.now() + TimeDelta::seconds(60));

    want_reset(&auth, "ada@example.com", "fr", &origin()).await.expect("asked");
    let link = token(&auth, "ada@example.com", "reset_password").await;
    assert_eq!(code_of(reset_by(&auth, &link, None).await), "CODE_NEEDED");
    assert_eq!(code_of(reset_by(&auth, &link, Some("000000")).await), "WRONG_CODE");
    for _ in 0..10 {
        let guessed = reset_by(&auth, &link, Some("000000")).await.expect_err("refused");
        if guessed.code() == "TOO_MANY_ATTEMPTS" {
            break;
        }
    }
    assert_eq!(
        code_of(reset_by(&auth, &link, Some("000000")).await),
        "TOO_MANY_ATTEMPTS",
        "codes are not guessed"
    );
    test.clock.set(test.clock.now() + TimeDelta::hours(2));
    want_reset(&auth, "ada@example.com", "fr", &origin()).await.expect("asked");
    let link = token(&auth, "ada@example.com", "reset_password").await;
    reset_by(&auth, &link, Some(&code())).await.expect("reset");
    assert!(
        identity::factor::service::has_second_factor(&auth, opened.person_id).await.expect("asked"),
        "it stays in force"
    );
}

#[tokio::test]
async fn an_address_without_an_account_is_told_so_in_its_mailbox_and_once_a_day() {
    let test = TestDb::new().await;
    let auth = authenticator(&test);
    // Signing up proves nothing: an address that nobody has confirmed has no account.
    newcomer(&auth, "nobody@example.com").await;
    for _ in 0..3 {
        want_reset(&auth, "nobody@example.com", "en", &origin()).await.expect("asked");
    }
    assert_eq!(letters(&auth, "nobody@example.com").await, [("no_account".to_owned(), None)]);
    test.clock.set(test.clock.now() + TimeDelta::hours(25));
    want_reset(&auth, "nobody@example.com", "en", &origin()).await.expect("asked");
    assert_eq!(letters(&auth, "nobody@example.com").await.len(), 2);
    assert_eq!(code_of(want_reset(&auth, "no address", "en", &origin()).await), "INVALID");
}

#[tokio::test]
async fn nobody_fills_anothers_mailbox() {
    let test = TestDb::new().await;
    let auth = authenticator(&test);
    found(&auth, "ada@example.com", "A").await.expect("founded");
    for _ in 0..20 {
        want_reset(&auth, "ada@example.com", "fr", &origin()).await.expect("answered as ever");
        letters(&auth, "ada@example.com").await;
    }
    assert!(letters(&auth, "ada@example.com").await.len() <= 3);
}

/// What is done before the answer is the same whether the address has an account: one row, whose contents are sealed.
#[tokio::test]
async fn asking_for_a_reset_does_the_same_for_every_address() {
    let test = TestDb::new().await;
    let auth = authenticator(&test);
    found(&auth, "ada@example.com", "A").await.expect("founded");
    let mut rows = Vec::new();
    for email in ["ada@example.com", "bob@example.com"] {
        want_reset(&auth, email, "fr", &origin()).await.expect("asked");
        let mut all = test.superuser().await;
        let row: (String, bool, i64) = sqlx::query_as(
            "SELECT kind, person_id IS NULL, (SELECT count(*) FROM mail) + (SELECT count(*) FROM proof)
             FROM wanted_letter ORDER BY id DESC LIMIT 1",
        )
        .fetch_one(&mut all)
        .await
        .expect("a row");
        let shown: String = sqlx::query_scalar("SELECT string_agg(w::text, ' ') FROM wanted_letter w")
            .fetch_one(&mut all)
            .await
            .expect("rows");
        assert!(!shown.contains("example"), "{shown}");
        rows.push(row);
    }
    assert_eq!(rows[0], rows[1]);
    assert_eq!(rows[0], ("reset".to_owned(), true, 0), "neither letter nor token before the answer");
}

#[tokio::test]
async fn a_disabled_account_is_told_as_none() {
    let test = TestDb::new().await;
    let auth = authenticator(&test);
    found(&auth, "ada@example.com", "A").await.expect("founded");
    want_reset(&auth, "ada@example.com", "fr", &origin()).await.expect("asked");
    let link = token(&auth, "ada@example.com", "reset_password").await;
    let mut all = test.superuser().await;
    sqlx::query("UPDATE person SET disabled_at = created_at").execute(&mut all).await.expect("disabled");
    assert_eq!(code_of(reset_by(&auth, &link, None).await), "PROOF_SPENT");
    want_reset(&auth, "ada@example.com", "fr", &origin()).await.expect("asked");
    assert_eq!(letters(&auth, "ada@example.com").await[0].0, "no_account");
}
