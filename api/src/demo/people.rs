//! The demo's people and their companies, founded as any other.

use chrono::NaiveDate;
use identity::company::NewCompany;
use identity::person::NewPerson;
use identity::person::service::{self as person_service, Prepared};
use identity::sign_in::{Attempt, Step, service as sign_in};
use identity::{Assurance, Authenticator, Error, Passwords, Role};
use kernel::{Actor, Company, Currency, Mode, Origin, Scope};
use uuid::Uuid;

use super::story::Cast;
use crate::founding::{Founding, found};
use crate::server::Failure;

/// A demo sign-in.
#[derive(Clone, Debug)]
pub(super) struct Person {
    pub id: Uuid,
    pub email: String,
    pub password: String,
    pub role: Role,
}

/// A company with its people, ready to work.
#[derive(Clone, Debug)]
pub(super) struct House {
    pub company: Company,
    pub people: Vec<Person>,
}

/// Who works in each company.
const STAFF: [(Role, &str, &str); 5] = [
    (Role::Owner, "olivia", "Olivia Garnier"),
    (Role::Accountant, "amir", "Amir Benali"),
    (Role::Sales, "simone", "Simone Leroy"),
    (Role::Purchaser, "pablo", "Pablo Ortega"),
    (Role::Auditor, "ada", "Ada Novak"),
];

impl House {
    /// The scope of whoever has this role.
    pub(super) fn scope(&self, auth: &Authenticator, role: Role) -> Scope {
        let actor = self
            .people
            .iter()
            .find(|person| person.role == role)
            .map_or(Actor::System, |p| Actor::Person(p.id));
        let principal = identity::Principal {
            company: self.company.clone(),
            actor,
            permissions: role.permissions(),
            session: None,
            role: Some(role.as_str().to_owned()),
            documents_only: false,
            assurance: Assurance::SecondFactor,
            second_factor_due: false,
            confined: false,
            networks: std::sync::Arc::default(),
        };
        auth.scope(&principal, Origin::default())
    }
}

fn person(cast: &Cast, (role, login, name): (Role, &str, &'static str)) -> (NewPerson, Person) {
    let email = format!("{login}@{}", cast.mail);
    let password = format!("coulisse demo {login}");
    let new = NewPerson {
        email: email.clone(),
        name: name.to_owned(),
        password: password.clone(),
        locale: "fr".to_owned(),
    };
    (new, Person { id: Uuid::nil(), email, password, role })
}

/// Founds a company on its first day, with its five people.
pub(super) async fn settle(auth: &Authenticator, cast: &Cast, first: NaiveDate) -> Result<House, Failure> {
    let passwords = Passwords::default();
    let mut people = Vec::new();
    let mut prepared = Vec::new();
    for staff in STAFF {
        let (new, person) = person(cast, staff);
        let ready = person_service::prepare(&passwords, new, cast.name).await?.proved();
        people.push(Person { id: ready.id, ..person });
        prepared.push(ready);
    }
    let company = NewCompany {
        name: cast.name.to_owned(),
        legal_form: cast.legal_form.to_owned(),
        siren: Some(cast.siren.to_owned()),
        country: "FR".to_owned(),
        currency: "EUR".to_owned(),
        zone: "Europe/Paris".to_owned(),
        locale: "fr".to_owned(),
        fiscal_year_month: u8::try_from(chrono::Datelike::month(&first)).unwrap_or(1),
        chart: "fr_pcg".to_owned(),
    };
    let owner = prepared.remove(0);
    let id = found(auth, Founding { company, person: owner }, Origin::default()).await?;
    let house = House { company: facts(id), people };
    hire(&house.scope(auth, Role::Owner), prepared, cast.four_eyes).await?;
    Ok(house)
}

/// The demo's companies are in euros and in Paris.
pub(super) fn facts(id: Uuid) -> Company {
    Company {
        id,
        mode: Mode::Live,
        currency: Currency::EUR,
        zone: chrono_tz::Europe::Paris,
        locale: "fr".to_owned(),
    }
}

async fn hire(owner: &Scope, prepared: Vec<Prepared>, four_eyes: bool) -> Result<(), Error> {
    owner
        .write(|tx| {
            let prepared = prepared.clone();
            Box::pin(async move {
                for (person, (role, ..)) in prepared.iter().zip(&STAFF[1..]) {
                    person_service::store_in(tx, person).await?;
                    identity::member::service::add_in(tx, person.id, *role).await?;
                }
                let change = identity::company::service::CompanyChange {
                    four_eyes: Some(four_eyes),
                    ..Default::default()
                };
                identity::company::service::update(tx, 1, change).await
            })
        })
        .await
}

/// A company that was settled at an earlier start, by its owner's sign-in; `None` before that.
pub(super) async fn find(auth: &Authenticator, cast: &Cast) -> Result<Option<House>, Failure> {
    let mut people = Vec::new();
    let mut company = None;
    for staff in STAFF {
        let (new, person) = person(cast, staff);
        let attempt = Attempt { email: new.email, password: new.password, company: None, device_token: None };
        match sign_in::by_password(auth, &Passwords::default(), attempt, Origin::default()).await {
            Ok(Step::In(signed_in)) => {
                company.get_or_insert(signed_in.opened.company_id);
                people.push(Person { id: signed_in.opened.person_id, ..person });
            }
            // Whoever changed a password, took a second factor or left the company is not shown any more.
            Ok(Step::Second(_)) | Err(Error::WrongCredentials) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(company.map(|id| House { company: facts(id), people }))
}
