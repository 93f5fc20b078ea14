//! Second factors: each code works once, also when it comes twice at once; who changes factors proves who it is.

use chrono::TimeDelta;
use credentials::passkey::RelyingParty;
use credentials::totp;
use identity::factor::fresh::{Fresh, Own};
use identity::factor::service::{has_second_factor, list, verify_code};
use identity::factor::{Method, change, passkey};
use identity::password::service::{self as password, Change};
use identity::sign_in::{Attempt, Step, service as sign_ins};
use identity::{Assurance, Authenticator, Error, Passwords};
use kernel::{DomainError, Origin, Scope};
use testing::TestDb;
use testing::authenticator::Device;
use uuid::Uuid;

use crate::founding::{PASSWORD, authenticator, found, sign_in};

const ORIGIN: &str = "https://back.office.example";
/// Eight characters that nobody leaked.
const SHORT: &str = "vK9#tqZw";

struct Ada {
    auth: Authenticator,
    passwords: Passwords,
    scope: Scope,
    session: Uuid,
    person: Uuid,
}

impl Ada {
    async fn signed_in(test: &TestDb, email: &str) -> Self {
        let auth = authenticator(test);
        found(&auth, email, "A").await.expect("founded");
        let opened = sign_in(&auth, email, None).await.expect("opened");
        let principal = auth.principal(&opened.token, None).await.expect("principal");
        let scope = auth.scope(&principal, Origin::default());
        Self { auth, passwords: Passwords::default(), scope, session: opened.id, person: opened.person_id }
    }

    fn own(&self) -> Own<'_> {
        Own::of(&self.scope, Some(self.session)).expect("a person's session")
    }

    /// Adds an application, and forgets no step: the clock goes on by one.
    async fn with_totp(&self, test: &TestDb) -> totp::Secret {
        let begun = change::begin_totp(&self.auth, &self.passwords, self.own(), &by_password()).await;
        let secret = totp::Secret::parse(&begun.expect("begun").secret).expect("base 32");
        change::confirm_totp(&self.auth, self.own(), &now(&secret, test, 0)).await.expect("confirmed");
        test.clock.set(test.clock.now() + TimeDelta::seconds(30));
        secret
    }

    async fn with_passkey(&self, device: &mut Device) -> Result<Uuid, Error> {
        let begun =
            passkey::begin(&self.auth, &self.passwords, &party(), self.own(), &by_password(), "Laptop")
                .await?;
        let answer = device.make(&begun.options).await.expect("made");
        passkey::finish(&self.auth, &party(), self.own(), &begun.token, &answer).await
    }

    async fn change_password(&self, current: &str, new: &str) -> Result<usize, Error> {
        let change = Change { current: current.to_owned(), new: new.to_owned(), end_others: false };
        password::change(&self.auth, &self.passwords, self.own(), change).await
    }
}

fn party() -> RelyingParty {
    RelyingParty::new(ORIGIN, "Coulisse").expect("a relying party")
}

fn by_password() -> Fresh {
    Fresh { password: Some(PASSWORD.to_owned()), code: None }
}

fn by_code(code: &str) -> Fresh {
    Fresh { password: None, code: Some(code.to_owned()) }
}

/// The code that an application shows so many steps from now: by another implementation than the server's.
fn now(secret: &totp::Secret, test: &TestDb, steps: i64) -> String {
    let bytes = totp_rs::Secret::try_from_base32(secret.base32()).expect("base 32");
    let application = totp_rs::Builder::new().with_secret(bytes).build().expect("its options");
    let at = test.clock.now().timestamp() + 30 * steps;
    application.generate(u64::try_from(at).expect("after 1970")).to_string()
}

fn code_of<T>(done: Result<T, Error>) -> &'static str {
    done.err().map_or("done", |error| error.code())
}

#[tokio::test(flavor = "multi_thread")]
async fn of_one_code_sent_many_times_at_once_one_is_right() {
    let test = TestDb::new().await;
    let ada = Ada::signed_in(&test, "ada@example.com").await;
    let secret = ada.with_totp(&test).await;
    for round in 0..5 {
        test.clock.set(test.clock.now() + TimeDelta::seconds(60 * round));
        let code = now(&secret, &test, 0);
        let mut tries = tokio::task::JoinSet::new();
        for _ in 0..8 {
            let (auth, person, code) = (ada.auth.clone(), ada.person, code.clone());
            tries.spawn(async move { verify_code(&auth, person, &code).await.expect("verified") });
        }
        let right = tries.join_all().await.into_iter().filter(|found| *found == Some(Method::Totp)).count();
        assert_eq!(right, 1, "round {round}");
    }
}

#[tokio::test]
async fn a_code_is_good_for_a_step_before_and_after_and_never_again() {
    let test = TestDb::new().await;
    let ada = Ada::signed_in(&test, "ada@example.com").await;
    let secret = ada.with_totp(&test).await;
    let verified = async |code: &str| verify_code(&ada.auth, ada.person, code).await.expect("verified");
    test.clock.set(test.clock.now() + TimeDelta::seconds(300));
    assert_eq!(verified(&now(&secret, &test, -2)).await, None);
    assert_eq!(verified(&now(&secret, &test, 2)).await, None);
    assert_eq!(verified(&now(&secret, &test, -1)).await, Some(Method::Totp));
    assert_eq!(verified(&now(&secret, &test, -1)).await, None, "used");
    assert_eq!(verified(&now(&secret, &test, 1)).await, Some(Method::Totp));
    assert_eq!(verified(&now(&secret, &test, 0)).await, None, "older than the last that was used");
    assert_eq!(verified("000000").await.or(verified("not a code").await), None);
    let other = Ada::signed_in(&test, "bob@example.com").await;
    test.clock.set(test.clock.now() + TimeDelta::seconds(300));
    let theirs = now(&secret, &test, 0);
    assert_eq!(
        verify_code(&other.auth, other.person, &theirs).await.expect("verified"),
        None,
        "Bob has none"
    );
    assert_eq!(verified(&theirs).await, Some(Method::Totp));
}

#[tokio::test]
async fn the_code_that_confirms_an_application_is_used() {
    let test = TestDb::new().await;
    let ada = Ada::signed_in(&test, "ada@example.com").await;
    let begun =
        change::begin_totp(&ada.auth, &ada.passwords, ada.own(), &by_password()).await.expect("begun");
    assert!(begun.uri.starts_with("otpauth://totp/Coulisse:ada%40example.com?secret="), "{}", begun.uri);
    let secret = totp::Secret::parse(&begun.secret).expect("base 32");
    assert!(!has_second_factor(&ada.auth, ada.person).await.expect("known"), "not confirmed yet");
    let code = now(&secret, &test, 0);
    assert_eq!(verify_code(&ada.auth, ada.person, &code).await.expect("verified"), None, "not confirmed yet");
    assert_eq!(code_of(change::confirm_totp(&ada.auth, ada.own(), "000000").await), "WRONG_CODE");
    change::confirm_totp(&ada.auth, ada.own(), &code).await.expect("confirmed");
    assert!(has_second_factor(&ada.auth, ada.person).await.expect("known"));
    assert_eq!(verify_code(&ada.auth, ada.person, &code).await.expect("verified"), None);
    assert_eq!(code_of(change::confirm_totp(&ada.auth, ada.own(), &code).await), "TOTP_NOT_BEGUN");
    let again = change::begin_totp(&ada.auth, &ada.passwords, ada.own(), &by_password()).await;
    assert_eq!(code_of(again), "TOTP_EXISTS");
}

#[tokio::test]
async fn a_secret_waits_a_quarter_of_an_hour_and_a_second_one_ends_it() {
    let test = TestDb::new().await;
    let ada = Ada::signed_in(&test, "ada@example.com").await;
    let begin = async || {
        let begun = change::begin_totp(&ada.auth, &ada.passwords, ada.own(), &by_password()).await;
        totp::Secret::parse(&begun.expect("begun").secret).expect("base 32")
    };
    let (first, second) = (begin().await, begin().await);
    assert_eq!(
        code_of(change::confirm_totp(&ada.auth, ada.own(), &now(&first, &test, 0)).await),
        "WRONG_CODE"
    );
    test.clock.set(test.clock.now() + TimeDelta::minutes(15));
    let late = change::confirm_totp(&ada.auth, ada.own(), &now(&second, &test, 0)).await;
    assert_eq!(code_of(late), "TOTP_NOT_BEGUN");
}

#[tokio::test]
async fn a_recovery_code_works_once_and_until_there_are_new_ones() {
    let test = TestDb::new().await;
    let ada = Ada::signed_in(&test, "ada@example.com").await;
    let renew =
        async || change::renew_recovery_codes(&ada.auth, &ada.passwords, ada.own(), &by_password()).await;
    assert_eq!(code_of(renew().await), "NO_SECOND_FACTOR");
    ada.with_totp(&test).await;
    let verified = async |code: &str| verify_code(&ada.auth, ada.person, code).await.expect("verified");
    let old = renew().await.expect("codes");
    assert_eq!(old.len(), 10);
    assert_eq!(verified(&old[0].to_lowercase().replace('-', " ")).await, Some(Method::RecoveryCode));
    assert_eq!(verified(&old[0]).await, None, "used");
    let (one, two) = tokio::join!(verified(&old[1]), verified(&old[1]));
    assert!(one.is_some() != two.is_some(), "of two at once, one");
    assert_eq!(list(&ada.auth, ada.person).await.expect("listed").recovery_codes, 8);
    let new = renew().await.expect("codes");
    assert_eq!(verified(&old[2]).await, None, "replaced");
    let bob = Ada::signed_in(&test, "bob@example.com").await;
    assert_eq!(verify_code(&bob.auth, bob.person, &new[0]).await.expect("verified"), None, "Ada's");
    assert_eq!(verified(&new[0]).await, Some(Method::RecoveryCode));
}

#[tokio::test]
async fn codes_and_secrets_are_not_readable_in_the_database() {
    let test = TestDb::new().await;
    let ada = Ada::signed_in(&test, "ada@example.com").await;
    let secret = ada.with_totp(&test).await;
    let codes = change::renew_recovery_codes(&ada.auth, &ada.passwords, ada.own(), &by_password()).await;
    let codes = codes.expect("codes");
    let bare = codes.iter().map(|code| code.replace('-', ""));
    let hidden: Vec<String> = bare.chain(codes.iter().cloned()).chain([secret.base32()]).collect();
    let mut all = test.superuser().await;
    for table in ["totp", "recovery_code", "passkey", "proof", "event", "event_value", "mail"] {
        let sql = format!("SELECT t::text FROM {table} t");
        let rows: Vec<String> =
            sqlx::query_scalar(sqlx::AssertSqlSafe(sql)).fetch_all(&mut all).await.expect(table);
        for row in rows {
            for text in &hidden {
                // Columns of bytes are shown in hexadecimal digits.
                let bytes = text.bytes().fold(String::new(), |digits, byte| digits + &format!("{byte:02x}"));
                assert!(!row.contains(text) && !row.contains(&bytes), "{table}");
            }
        }
    }
}

#[tokio::test]
async fn who_changes_factors_proves_anew_who_it_is() {
    let test = TestDb::new().await;
    let ada = Ada::signed_in(&test, "ada@example.com").await;
    let begin =
        async |fresh: Fresh| code_of(change::begin_totp(&ada.auth, &ada.passwords, ada.own(), &fresh).await);
    assert_eq!(begin(Fresh::default()).await, "PROOF_NEEDED");
    let wrong = Fresh { password: Some("another long sentence".to_owned()), code: None };
    assert_eq!(begin(wrong.clone()).await, "WRONG_PASSWORD");
    assert_eq!(begin(by_code("123456")).await, "WRONG_CODE");
    let passkey = async |fresh: Fresh| {
        code_of(passkey::begin(&ada.auth, &ada.passwords, &party(), ada.own(), &fresh, "Laptop").await)
    };
    assert_eq!(passkey(Fresh::default()).await, "PROOF_NEEDED");
    let secret = ada.with_totp(&test).await;
    let code = now(&secret, &test, 0);
    let remove =
        async |fresh: Fresh| code_of(change::remove_totp(&ada.auth, &ada.passwords, ada.own(), &fresh).await);
    assert_eq!(remove(Fresh::default()).await, "PROOF_NEEDED");
    assert_eq!(remove(wrong).await, "WRONG_PASSWORD");
    assert_eq!(passkey(by_code(&code)).await, "done");
    assert_eq!(remove(by_code(&code)).await, "WRONG_CODE", "used");
    assert_eq!(remove(by_code(&now(&secret, &test, 1))).await, "done");
    assert!(!has_second_factor(&ada.auth, ada.person).await.expect("known"));
    assert_eq!(remove(by_password()).await, "TOTP_NOT_BEGUN");
}

#[tokio::test]
async fn a_thief_of_the_session_cannot_guess_the_password_without_end() {
    let test = TestDb::new().await;
    let ada = Ada::signed_in(&test, "ada@example.com").await;
    let mut told = Vec::new();
    for n in 0..15 {
        let guess = Fresh { password: Some(format!("guess number {n}")), code: None };
        told.push(code_of(change::begin_totp(&ada.auth, &ada.passwords, ada.own(), &guess).await));
    }
    assert!(told.contains(&"TOO_MANY_ATTEMPTS"), "{told:?}");
}

#[tokio::test]
async fn a_password_is_short_only_beside_a_second_factor() {
    let test = TestDb::new().await;
    let ada = Ada::signed_in(&test, "ada@example.com").await;
    assert_eq!(code_of(ada.change_password("not the password", SHORT).await), "WRONG_PASSWORD");
    assert_eq!(code_of(ada.change_password(PASSWORD, SHORT).await), "PASSWORD_TOO_SHORT");
    assert_eq!(code_of(ada.change_password(PASSWORD, "correct horse battery staple ").await), "done");
    assert_eq!(code_of(ada.change_password("correct horse battery staple ", PASSWORD).await), "done");
    let secret = ada.with_totp(&test).await;
    assert_eq!(code_of(ada.change_password(PASSWORD, "password123").await), "PASSWORD_LEAKED");
    assert_eq!(code_of(ada.change_password(PASSWORD, "Ada@example.com").await), "PASSWORD_GUESSABLE");
    assert_eq!(code_of(ada.change_password(PASSWORD, SHORT).await), "done");
    let remove =
        async |fresh: &Fresh| code_of(change::remove_totp(&ada.auth, &ada.passwords, ada.own(), fresh).await);
    let fresh = Fresh { password: Some(SHORT.to_owned()), code: None };
    assert_eq!(remove(&fresh).await, "PASSWORD_NEEDS_FACTOR");
    assert!(verify_code(&ada.auth, ada.person, &now(&secret, &test, 0)).await.expect("verified").is_some());
    assert_eq!(code_of(ada.change_password(SHORT, PASSWORD).await), "done");
    assert_eq!(remove(&by_password()).await, "done");
}

#[tokio::test]
async fn another_password_ends_the_other_sessions_if_asked() {
    let test = TestDb::new().await;
    let ada = Ada::signed_in(&test, "ada@example.com").await;
    let other = sign_in(&ada.auth, "ada@example.com", None).await.expect("opened");
    let change = |end_others| Change { current: PASSWORD.to_owned(), new: PASSWORD.to_owned(), end_others };
    let change_it = async |end_others| {
        password::change(&ada.auth, &ada.passwords, ada.own(), change(end_others)).await.expect("changed")
    };
    assert_eq!(change_it(false).await, 0);
    assert!(ada.auth.principal(&other.token, None).await.is_ok());
    assert_eq!(change_it(true).await, 1);
    assert!(ada.auth.principal(&other.token, None).await.is_err());
    let kinds = events(&test).await;
    assert!(kinds.iter().filter(|kind| *kind == "person.password_changed").count() == 2, "{kinds:?}");
}

#[tokio::test]
async fn changes_are_told_in_the_log() {
    let test = TestDb::new().await;
    let ada = Ada::signed_in(&test, "ada@example.com").await;
    ada.with_totp(&test).await;
    let id = ada.with_passkey(&mut Device::at(ORIGIN)).await.expect("made");
    passkey::remove(&ada.auth, &ada.passwords, ada.own(), &by_password(), id).await.expect("removed");
    let kinds = events(&test).await;
    let about: Vec<_> = kinds.iter().filter(|kind| kind.starts_with("person.factor")).collect();
    assert_eq!(about, ["person.factor_added", "person.factor_added", "person.factor_removed"]);
}

async fn events(test: &TestDb) -> Vec<String> {
    let mut all = test.superuser().await;
    let kinds = sqlx::query_scalar("SELECT kind FROM event ORDER BY position");
    kinds.fetch_all(&mut all).await.expect("events")
}

#[tokio::test]
async fn a_passkey_signs_in_without_a_password_and_a_challenge_is_good_once() {
    let test = TestDb::new().await;
    let ada = Ada::signed_in(&test, "ada@example.com").await;
    let mut device = Device::at(ORIGIN);
    ada.with_passkey(&mut device).await.expect("made");
    let begun = passkey::begin_sign_in(&ada.auth, &party()).await.expect("begun");
    let answer = device.sign(&begun.options).await.expect("signed");
    let finish =
        async |token: &str, answer: &str| passkey::finish_sign_in(&ada.auth, &party(), token, answer).await;
    assert_eq!(finish(&begun.token, &answer).await.expect("proven"), ada.person);
    assert_eq!(code_of(finish(&begun.token, &answer).await), "PROOF_SPENT");
    let another = passkey::begin_sign_in(&ada.auth, &party()).await.expect("begun");
    assert_eq!(code_of(finish(&another.token, &answer).await), "PASSKEY_REFUSED", "an old answer");
    let late = passkey::begin_sign_in(&ada.auth, &party()).await.expect("begun");
    let answer = device.sign(&late.options).await.expect("signed");
    test.clock.set(test.clock.now() + TimeDelta::minutes(5));
    assert_eq!(code_of(finish(&late.token, &answer).await), "PROOF_SPENT", "too late");
    let listed = list(&ada.auth, ada.person).await.expect("listed");
    assert!(listed.has_second() && listed.passkeys[0].last_used_at.is_some());
}

#[tokio::test]
async fn a_copy_of_a_passkey_that_falls_behind_is_refused() {
    let test = TestDb::new().await;
    let ada = Ada::signed_in(&test, "ada@example.com").await;
    let mut device = Device::at(ORIGIN);
    ada.with_passkey(&mut device).await.expect("made");
    let mut copy = device.clone();
    let by = async |device: &mut Device| {
        let begun = passkey::begin_sign_in(&ada.auth, &party()).await.expect("begun");
        let answer = device.sign(&begun.options).await.expect("signed");
        code_of(passkey::finish_sign_in(&ada.auth, &party(), &begun.token, &answer).await)
    };
    assert_eq!(by(&mut device).await, "done");
    assert_eq!(by(&mut copy).await, "PASSKEY_COPIED");
    assert_eq!(by(&mut device).await, "done");
}

#[tokio::test]
async fn a_ceremony_is_its_persons_and_a_passkey_is_one_persons() {
    let test = TestDb::new().await;
    let ada = Ada::signed_in(&test, "ada@example.com").await;
    let bob = Ada::signed_in(&test, "bob@example.com").await;
    let mut device = Device::at(ORIGIN);
    let begun =
        passkey::begin(&ada.auth, &ada.passwords, &party(), ada.own(), &by_password(), "Laptop").await;
    let begun = begun.expect("begun");
    let answer = device.make(&begun.options).await.expect("made");
    let theirs = passkey::finish(&bob.auth, &party(), bob.own(), &begun.token, &answer).await;
    assert_eq!(code_of(theirs), "PROOF_SPENT");
    let mut device = Device::at(ORIGIN);
    let id = ada.with_passkey(&mut device).await.expect("made");
    for refused in [
        code_of(passkey::rename(&bob.auth, bob.own(), id, "Mine").await),
        code_of(passkey::remove(&bob.auth, &bob.passwords, bob.own(), &by_password(), id).await),
    ] {
        assert_eq!(refused, "NOT_FOUND");
    }
    passkey::rename(&ada.auth, ada.own(), id, "Phone").await.expect("renamed");
    assert_eq!(list(&ada.auth, ada.person).await.expect("listed").passkeys[0].name, "Phone");
    assert_eq!(code_of(passkey::rename(&ada.auth, ada.own(), id, " ").await), "INVALID");
    // The authenticator that has one makes no second.
    let begun = passkey::begin(&ada.auth, &ada.passwords, &party(), ada.own(), &by_password(), "Again").await;
    assert!(device.make(&begun.expect("begun").options).await.is_err());
}

#[tokio::test]
async fn who_has_a_second_factor_needs_it_to_sign_in_and_its_passkey_is_both() {
    let test = TestDb::new().await;
    let ada = Ada::signed_in(&test, "ada@example.com").await;
    let secret = ada.with_totp(&test).await;
    let (email, password) = ("ada@example.com".to_owned(), PASSWORD.to_owned());
    let attempt = Attempt { email, password, company: None, device_token: None };
    let step = sign_ins::by_password(&ada.auth, &ada.passwords, attempt, Origin::default()).await;
    let Ok(Step::Second(second)) = step else { panic!("a second step: {step:?}") };
    let code = now(&secret, &test, 0);
    let done =
        sign_ins::complete(&ada.auth, &second.token, &code, Origin::default()).await.expect("signed in");
    let principal = ada.auth.principal(&done.opened.token, None).await.expect("principal");
    assert_eq!(principal.assurance, Assurance::SecondFactor);
}
