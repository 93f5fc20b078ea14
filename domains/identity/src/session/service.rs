//! Signing up, signing in and out.

use chrono::{DateTime, Utc};
use kernel::{Actor, Fault, Kind, NewEvent, Origin, Tx};
use uuid::Uuid;

use super::{NewPerson, is_email};
use crate::authenticator::{ABSOLUTE, Authenticator, SESSION_PREFIX};
use crate::error::Error;
use crate::password::{Passwords, Verified};
use crate::{role::Role, secret};

/// A company that a person can act in.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct Choice {
    /// The company.
    pub tenant_id: Uuid,
    /// Its name.
    pub name: String,
    /// The person's role there.
    pub role: String,
    /// `live` or `test`.
    pub mode: String,
}

/// A session just opened: the token is shown this once.
#[derive(Clone, Debug)]
pub struct Opened {
    /// The session.
    pub id: Uuid,
    /// The person.
    pub person_id: Uuid,
    /// The company it acts in.
    pub company_id: Uuid,
    /// The secret.
    pub token: String,
    /// When it ends at the latest.
    pub expires_at: DateTime<Utc>,
}

/// A person ready to be stored: fields checked, password hashed. Hashing takes long, so it happens before the
/// transaction.
#[derive(Clone, Debug)]
pub struct Prepared {
    /// The person: new, or the one who has this e-mail and gave the right password.
    pub id: Uuid,
    stored: Option<(NewPerson, String)>,
}

impl Prepared {
    /// A person who is known and signed in.
    pub fn known(id: Uuid) -> Self {
        Self { id, stored: None }
    }
}

fn checked_email(email: &str) -> Result<String, Error> {
    let email = email.trim().to_lowercase();
    if is_email(&email) { Ok(email) } else { Err(Error::invalid("email", "this is not an e-mail address")) }
}

/// Checks who signs up. Who has an account already must give its password.
pub async fn prepare(auth: &Authenticator, passwords: &Passwords, new: NewPerson) -> Result<Prepared, Error> {
    let email = checked_email(&new.email)?;
    if !(1..=200).contains(&new.name.trim().chars().count()) {
        return Err(Error::invalid("name", "a name has 1 to 200 characters"));
    }
    Passwords::check(&new.password)?;
    if let Some((id, stored)) = credential(auth, &email).await? {
        return match passwords.verify(&new.password, Some(&stored)).await? {
            Verified::Right { .. } => Ok(Prepared { id, stored: None }),
            Verified::Wrong => Err(Error::EmailTaken),
        };
    }
    let hash = passwords.hash(&new.password).await?;
    Ok(Prepared { id: kernel::id::new(), stored: Some((NewPerson { email, ..new }, hash)) })
}

/// Stores a person who signs up, in the caller's transaction.
pub async fn store_in(tx: &Tx, person: &Prepared) -> Result<(), Error> {
    let Some((new, hash)) = &person.stored else { return Ok(()) };
    let now = tx.scope().clock().now();
    let insert = tx.run(
        "INSERT INTO person (id, email, name, locale, created_at) VALUES ($1, $2, $3, $4, $5)",
        [
            person.id.into(),
            new.email.clone().into(),
            new.name.trim().into(),
            new.locale.clone().into(),
            now.into(),
        ],
    );
    insert.await.map_err(|fault| if fault.is_duplicate() { Error::EmailTaken } else { fault.into() })?;
    tx.run(
        "INSERT INTO credential (person_id, password, updated_at) VALUES ($1, $2, $3)",
        [person.id.into(), hash.clone().into(), now.into()],
    )
    .await?;
    Ok(())
}

async fn credential(auth: &Authenticator, email: &str) -> Result<Option<(Uuid, String)>, Fault> {
    let sql =
        "SELECT p.id, c.password FROM person p JOIN credential c ON c.person_id = p.id WHERE p.email = $1";
    Ok(sqlx::query_as(sql).bind(email).fetch_optional(auth.db().server()).await?)
}

/// The companies a person can act in, oldest first.
pub async fn companies(auth: &Authenticator, person: Uuid) -> Result<Vec<Choice>, Fault> {
    let sql = "SELECT tenant_id, name, role, mode FROM companies_of($1)";
    Ok(sqlx::query_as(sql).bind(person).fetch_all(auth.db().server()).await?)
}

/// Signs in by e-mail and password, into the named company or the person's first.
pub async fn sign_in(
    auth: &Authenticator,
    passwords: &Passwords,
    email: &str,
    password: &str,
    company: Option<Uuid>,
    origin: Origin,
) -> Result<Opened, Error> {
    let found = credential(auth, &email.trim().to_lowercase()).await?;
    let stored = found.as_ref().map(|(_, hash)| hash.as_str());
    let verified = passwords.verify(password, stored).await?;
    let (Some((person, _)), Verified::Right { outdated }) = (found, verified) else {
        return Err(Error::WrongCredentials);
    };
    if outdated {
        let hash = passwords.hash(password).await?;
        sqlx::query("UPDATE credential SET password = $2, updated_at = $3 WHERE person_id = $1")
            .bind(person)
            .bind(hash)
            .bind(auth.clock().now())
            .execute(auth.db().server())
            .await
            .map_err(Fault::from)?;
    }
    open(auth, person, company, origin).await.map_err(|error| match error {
        // Whether a company exists is not told to who is no member of it.
        Error::NotFound(_) => Error::WrongCredentials,
        other => other,
    })
}

/// Opens a session of a known person in one of the person's companies.
pub async fn open(
    auth: &Authenticator,
    person: Uuid,
    company: Option<Uuid>,
    origin: Origin,
) -> Result<Opened, Error> {
    let choices = companies(auth, person).await?;
    let choice = choices.iter().find(|choice| company.is_none_or(|id| id == choice.tenant_id));
    let choice = choice.ok_or(Error::NotFound(Kind::Company))?;
    let role = Role::parse(&choice.role).ok_or_else(|| Fault::Corrupt(format!("role {}", choice.role)))?;
    let scope = auth.link_scope(choice.tenant_id, Actor::Person(person), origin.clone()).await?;
    let scope = scope.ok_or(Error::NotFound(Kind::Company))?;
    let opened = Opened {
        id: kernel::id::new(),
        person_id: person,
        company_id: choice.tenant_id,
        token: secret::generate(SESSION_PREFIX),
        expires_at: auth.clock().now() + ABSOLUTE,
    };
    scope
        .write(|tx| {
            let opened = opened.clone();
            Box::pin(async move { store_session(tx, &opened, role).await })
        })
        .await?;
    Ok(opened)
}

async fn store_session(tx: &Tx, opened: &Opened, role: Role) -> Result<(), Error> {
    let scope = tx.scope();
    let now = scope.clock().now();
    tx.run(
        "INSERT INTO session (id, token_hash, person_id, tenant_id, created_at, last_seen_at, expires_at, address, agent)
         VALUES ($1, $2, $3, $4, $5, $5, $6, $7, $8)",
        [
            opened.id.into(),
            secret::hash(&opened.token).into(),
            opened.person_id.into(),
            opened.company_id.into(),
            now.into(),
            opened.expires_at.into(),
            scope.origin().address.clone().into(),
            scope.origin().agent.clone().into(),
        ],
    )
    .await?;
    let event = NewEvent::new("session.opened", Kind::Session, opened.id).fact("role", role.as_str());
    Ok(event.append(tx).await?)
}

/// Ends the session of the request. Ending an ended one changes nothing.
pub async fn sign_out(tx: &Tx, auth: &Authenticator, session: Uuid) -> Result<(), Error> {
    let now = tx.scope().clock().now();
    let ended = tx
        .run(
            "UPDATE session SET revoked_at = $2 WHERE id = $1 AND revoked_at IS NULL",
            [session.into(), now.into()],
        )
        .await?;
    if ended > 0 {
        NewEvent::new("session.ended", Kind::Session, session).append(tx).await?;
    }
    auth.forget();
    Ok(())
}
