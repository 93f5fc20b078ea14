//! Companies come to life whole, and people sign in to their own.

use identity::company::{NewCompany, service as companies};
use identity::session::NewPerson;
use identity::session::service::{self as session, Opened};
use identity::{Authenticator, Error, Passwords};
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
    let prepared = session::prepare(auth, &Passwords::default(), person(email)).await?;
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
                session::store_in(tx, &prepared).await?;
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
    session::sign_in(auth, &Passwords::default(), email, PASSWORD, company, Origin::default()).await
}

#[tokio::test]
async fn a_person_has_several_companies_and_acts_in_one_at_a_time() {
    let test = TestDb::new().await;
    let auth = authenticator(&test);
    let first = found(&auth, "ada@example.com", "First").await.expect("first");
    let second =
        found(&auth, "ADA@example.com ", "Second").await.expect("the same person, by the same password");
    let opened = sign_in(&auth, "Ada@Example.com", None).await.expect("signed in");
    assert_eq!(opened.company_id, first);
    let names: Vec<_> = session::companies(&auth, opened.person_id)
        .await
        .expect("choices")
        .into_iter()
        .map(|c| c.name)
        .collect();
    assert_eq!(names, ["First", "Second"]);
    let switched =
        session::open(&auth, opened.person_id, Some(second), Origin::default()).await.expect("switched");
    for (token, company) in [(&opened.token, first), (&switched.token, second)] {
        assert_eq!(auth.principal(token).await.expect("principal").company.id, company);
    }
}

#[tokio::test]
async fn a_wrong_password_an_unknown_address_and_a_foreign_company_answer_alike() {
    let test = TestDb::new().await;
    let auth = authenticator(&test);
    found(&auth, "ada@example.com", "Hers").await.expect("hers");
    let other = found(&auth, "bob@example.com", "His").await.expect("his");
    let passwords = Passwords::default();
    let origin = Origin::default;
    let answers = [
        session::sign_in(&auth, &passwords, "ada@example.com", "not her password!", None, origin()).await,
        session::sign_in(&auth, &passwords, "nobody@example.com", PASSWORD, None, origin()).await,
        session::sign_in(&auth, &passwords, "ada@example.com", PASSWORD, Some(other), origin()).await,
        session::sign_in(&auth, &passwords, "ada@example.com", PASSWORD, Some(kernel::id::new()), origin())
            .await,
    ];
    for answer in answers {
        let error = answer.expect_err("refused");
        assert_eq!(
            (error.code(), error.to_string().as_str()),
            ("WRONG_CREDENTIALS", "e-mail or password is wrong")
        );
    }
}

#[tokio::test]
async fn who_takes_a_used_address_needs_its_password() {
    let test = TestDb::new().await;
    let auth = authenticator(&test);
    found(&auth, "ada@example.com", "Hers").await.expect("hers");
    let thief = NewPerson { password: "another long sentence".to_owned(), ..person("ada@example.com") };
    let refused = session::prepare(&auth, &Passwords::default(), thief).await.expect_err("refused");
    assert_eq!(refused.code(), "EMAIL_TAKEN");
}

#[tokio::test]
async fn nothing_of_a_company_is_there_when_founding_fails() {
    let test = TestDb::new().await;
    let auth = authenticator(&test);
    let prepared =
        session::prepare(&auth, &Passwords::default(), person("ada@example.com")).await.expect("prepared");
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
                session::store_in(tx, &prepared).await?;
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
