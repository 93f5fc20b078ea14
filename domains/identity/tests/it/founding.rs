//! Companies come to life whole, and people sign in to their own.

use identity::company::{NewCompany, service as companies};
use identity::person::NewPerson;
use identity::person::service as people;
use identity::session::service::{self as session, How, Opened};
use identity::sign_in::{Attempt, Step, service as sign_ins};
use identity::{Assurance, Authenticator, Error, Passwords};
use kernel::{Actor, DomainError, Origin};
use testing::TestDb;
use uuid::Uuid;

pub(crate) const PASSWORD: &str = "a long sentence to keep";

pub(crate) fn authenticator(test: &TestDb) -> Authenticator {
    Authenticator::new(test.db.clone(), test.vault.clone(), test.clock.clone())
}

pub(crate) fn company(name: &str) -> NewCompany {
    NewCompany {
        name: name.to_owned(),
        legal_form: "SAS".to_owned(),
        siren: Some("732829320".to_owned()),
        country: "FR".to_owned(),
        currency: "EUR".to_owned(),
        zone: "Europe/Paris".to_owned(),
        locale: "fr".to_owned(),
        fiscal_year_month: 1,
        chart: "fr_pcg".to_owned(),
    }
}

pub(crate) fn person(email: &str) -> NewPerson {
    NewPerson {
        email: email.to_owned(),
        name: "Ada".to_owned(),
        password: PASSWORD.to_owned(),
        locale: "fr".to_owned(),
    }
}

/// Founds a company for a person, as the server does; the company.
pub(crate) async fn found(auth: &Authenticator, email: &str, name: &str) -> Result<Uuid, Error> {
    let prepared = match people::by_email(auth, email).await? {
        Some(known) => people::Prepared::known(known.id),
        None => people::prepare(&Passwords::default(), person(email), name).await?.proved(),
    };
    let id = kernel::id::new();
    let scope = auth.system_scope(
        companies::facts(id, &company(name))?,
        Actor::Person(prepared.id),
        Origin::default(),
    );
    scope
        .write(|tx| {
            let (prepared, new) = (prepared.clone(), company(name));
            Box::pin(async move {
                people::store_in(tx, &prepared).await?;
                companies::found_in(tx, &new, prepared.id).await
            })
        })
        .await?;
    Ok(id)
}

pub(crate) async fn sign_in(
    auth: &Authenticator,
    email: &str,
    company: Option<Uuid>,
) -> Result<Opened, Error> {
    by_password(auth, email, PASSWORD, company).await
}

/// Signs in by a password alone.
pub(crate) async fn by_password(
    auth: &Authenticator,
    email: &str,
    password: &str,
    company: Option<Uuid>,
) -> Result<Opened, Error> {
    let (email, password) = (email.to_owned(), password.to_owned());
    let attempt = Attempt { email, password, company, device_token: None };
    match sign_ins::by_password(auth, &Passwords::default(), attempt, Origin::default()).await? {
        Step::In(signed_in) => Ok(signed_in.opened),
        Step::Second(_) => panic!("no second factor is expected here"),
    }
}

/// Opens a session as after a password.
pub(crate) async fn open(auth: &Authenticator, person: Uuid, company: Option<Uuid>) -> Result<Opened, Error> {
    session::open(auth, person, company, How::shown(Assurance::Password), Origin::default()).await
}

#[tokio::test]
async fn a_person_has_several_companies_and_acts_in_one_at_a_time() {
    let test = TestDb::new().await;
    let auth = authenticator(&test);
    let first = found(&auth, "ada@example.com", "First").await.expect("first");
    let second = found(&auth, "ADA@example.com ", "Second").await.expect("the same person");
    let opened = sign_in(&auth, "Ada@Example.com", None).await.expect("signed in");
    assert_eq!(opened.company_id, first);
    let names: Vec<_> = session::companies(&auth, opened.person_id)
        .await
        .expect("choices")
        .into_iter()
        .map(|c| c.name)
        .collect();
    assert_eq!(names, ["First", "Second"]);
    let switched = open(&auth, opened.person_id, Some(second)).await.expect("switched");
    for (token, company) in [(&opened.token, first), (&switched.token, second)] {
        assert_eq!(auth.principal(token, None).await.expect("principal").company.id, company);
    }
}

#[tokio::test]
async fn a_wrong_password_an_unknown_address_and_a_foreign_company_answer_alike() {
    let test = TestDb::new().await;
    let auth = authenticator(&test);
    found(&auth, "ada@example.com", "Hers").await.expect("hers");
    let other = found(&auth, "bob@example.com", "His").await.expect("his");
    let answers = [
        by_password(&auth, "ada@example.com", "not her password!", None).await,
        by_password(&auth, "nobody@example.com", PASSWORD, None).await,
        by_password(&auth, "ada@example.com", PASSWORD, Some(other)).await,
        by_password(&auth, "ada@example.com", PASSWORD, Some(kernel::id::new())).await,
    ];
    let mut told = std::collections::BTreeSet::new();
    for answer in answers {
        let error = answer.expect_err("refused");
        assert_eq!(error.code(), "WRONG_CREDENTIALS");
        told.insert(error.to_string());
    }
    assert_eq!(told.len(), 1, "to the letter: {told:?}");
}

#[tokio::test]
async fn who_signs_up_with_somebody_elses_address_is_somebody_else_and_signs_in_by_it_only_once_it_is_proved()
{
    let test = TestDb::new().await;
    let auth = authenticator(&test);
    let hers = found(&auth, "ada@example.com", "Hers").await.expect("hers");
    let thief = NewPerson { password: "another long sentence".to_owned(), ..person("ada@example.com") };
    let prepared = people::prepare(&Passwords::default(), thief, "Theirs").await.expect("told nothing");
    let facts = companies::facts(kernel::id::new(), &company("Theirs")).expect("facts");
    let scope = auth.system_scope(facts, Actor::Person(prepared.id), Origin::default());
    scope
        .write(|tx| {
            let prepared = prepared.clone();
            Box::pin(async move {
                people::store_in(tx, &prepared).await?;
                companies::found_in(tx, &company("Theirs"), prepared.id).await
            })
        })
        .await
        .expect("a company of their own");
    let refused = by_password(&auth, "ada@example.com", "another long sentence", None).await;
    assert_eq!(refused.expect_err("not proved").code(), "WRONG_CREDENTIALS");
    assert!(!people::prove_email(&auth, prepared.id).await.expect("asked"), "one person proves an address");
    assert_eq!(sign_in(&auth, "ada@example.com", None).await.expect("hers").company_id, hers);
}

#[tokio::test]
async fn nothing_of_a_company_is_there_when_founding_fails() {
    let test = TestDb::new().await;
    let auth = authenticator(&test);
    let prepared =
        people::prepare(&Passwords::default(), person("ada@example.com"), "Half").await.expect("prepared");
    let new = company("Half");
    let scope = auth.system_scope(
        companies::facts(kernel::id::new(), &new).expect("facts"),
        Actor::Person(prepared.id),
        Origin::default(),
    );
    let failed = scope
        .write(|tx| {
            let (prepared, new) = (prepared.clone(), new.clone());
            Box::pin(async move {
                people::store_in(tx, &prepared).await?;
                companies::found_in(tx, &new, prepared.id).await?;
                Err::<(), _>(Error::LastOwner)
            })
        })
        .await;
    assert!(failed.is_err());
    let mut all = test.superuser().await;
    for table in ["company", "membership", "person", "credential", "event"] {
        let count: i64 = sqlx::query_scalar(sqlx::AssertSqlSafe(format!("SELECT count(*) FROM {table}")))
            .fetch_one(&mut all)
            .await
            .expect(table);
        assert_eq!(count, 0, "{table}");
    }
}

#[test]
fn each_wrong_field_of_a_company_is_named() {
    let wrong = |change: fn(&mut NewCompany)| {
        let mut new = company("A");
        change(&mut new);
        new.check().expect_err("refused").field()
    };
    let field = |name: &str| Some(name.to_owned());
    assert_eq!(wrong(|c| c.name = " ".into()), field("name"));
    assert_eq!(wrong(|c| c.legal_form = String::new()), field("legalForm"));
    assert_eq!(wrong(|c| c.siren = Some("732829321".into())), field("siren"));
    assert_eq!(wrong(|c| c.country = "fr".into()), field("country"));
    assert_eq!(wrong(|c| c.currency = "EURO".into()), field("currency"));
    assert_eq!(wrong(|c| c.zone = "Europe/Lutetia".into()), field("timeZone"));
    assert_eq!(wrong(|c| c.locale = "de".into()), field("locale"));
    assert_eq!(wrong(|c| c.fiscal_year_month = 13), field("fiscalYearStartMonth"));
    assert_eq!(wrong(|c| c.chart = "other".into()), field("chart"));
}
