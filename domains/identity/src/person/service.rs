//! Making people, and finding them by the address that they have proved.

use chrono::{DateTime, Utc};
use kernel::{Fault, Tx};
use mail::{Content, Language, Letter};
use uuid::Uuid;

use super::{NewPerson, is_email};
use crate::authenticator::Authenticator;
use crate::error::Error;
use crate::password::Passwords;

/// A person, as the directory knows them.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct Person {
    /// The person.
    pub id: Uuid,
    /// The address, in lower case.
    pub email: String,
    /// The name.
    pub name: String,
    /// `fr` or `en`.
    pub locale: String,
    /// When the address was proved; nobody signs in by one that was not.
    pub email_verified_at: Option<DateTime<Utc>>,
    /// Since when the operator keeps the person out.
    pub disabled_at: Option<DateTime<Utc>>,
}

const PERSON: &str = "SELECT id, email, name, locale, email_verified_at, disabled_at FROM person";

/// A person ready to be stored: fields checked, password hashed. Hashing takes long, so it happens before the
/// transaction.
#[derive(Clone, Debug)]
pub struct Prepared {
    /// The person.
    pub id: Uuid,
    stored: Option<Ready>,
}

#[derive(Clone, Debug)]
struct Ready {
    new: NewPerson,
    hash: String,
    proved: bool,
}

impl Prepared {
    /// A person who is known and signed in.
    pub fn known(id: Uuid) -> Self {
        Self { id, stored: None }
    }

    /// The same person with the address taken as proved: for who followed a letter sent there, and for seeds.
    #[must_use]
    pub fn proved(mut self) -> Self {
        if let Some(ready) = &mut self.stored {
            ready.proved = true;
        }
        self
    }

    /// The address, of a person who is not stored yet.
    pub fn email(&self) -> Option<&str> {
        self.stored.as_ref().map(|ready| ready.new.email.as_str())
    }
}

/// An address in its stored form, or why it is none.
pub fn checked_email(email: &str) -> Result<String, Error> {
    let email = email.trim().to_lowercase();
    if is_email(&email) { Ok(email) } else { Err(Error::invalid("email", "this is not an e-mail address")) }
}

/// A name in its stored form, or why it is none.
pub fn checked_name(name: &str) -> Result<String, Error> {
    let name = name.trim();
    if (1..=200).contains(&name.chars().count()) && !name.chars().any(char::is_control) {
        Ok(name.to_owned())
    } else {
        Err(Error::invalid("name", "a name has 1 to 200 characters, on one line"))
    }
}

/// Checks who signs up. Whether the address has an account is not looked at: the answer tells nothing of it, and the
/// address is that of the new person only once it is proved.
///
/// `company` is the name of the company that the person signs up for: it is no password.
pub async fn prepare(passwords: &Passwords, new: NewPerson, company: &str) -> Result<Prepared, Error> {
    let (email, name) = (checked_email(&new.email)?, checked_name(&new.name)?);
    passwords.accept("password", &new.password, &[&name, &email, company], false).await?;
    let hash = passwords.hash(&new.password).await?;
    let new = NewPerson { email, name, ..new };
    Ok(Prepared { id: kernel::id::new(), stored: Some(Ready { new, hash, proved: false }) })
}

/// Stores a person who signs up, in the transaction that founds their company.
pub async fn store_in(tx: &Tx, person: &Prepared) -> Result<(), Error> {
    let Some(Ready { new, hash, proved }) = &person.stored else { return Ok(()) };
    let now = tx.scope().clock().now();
    let insert = tx.run(
        "INSERT INTO person (id, email, name, locale, created_at, email_verified_at) VALUES ($1, $2, $3, $4, $5, $6)",
        [
            person.id.into(),
            new.email.clone().into(),
            new.name.clone().into(),
            new.locale.clone().into(),
            now.into(),
            proved.then_some(now).into(),
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

/// The person who has proved this address.
pub async fn by_email(auth: &Authenticator, email: &str) -> Result<Option<Person>, Fault> {
    let sql = sqlx::AssertSqlSafe(format!("{PERSON} WHERE email = $1 AND email_verified_at IS NOT NULL"));
    let found = sqlx::query_as(sql).bind(email.trim().to_lowercase());
    Ok(found.fetch_optional(auth.db().directory()).await?)
}

/// A person by id.
pub async fn by_id(auth: &Authenticator, id: Uuid) -> Result<Option<Person>, Fault> {
    let sql = sqlx::AssertSqlSafe(format!("{PERSON} WHERE id = $1"));
    Ok(sqlx::query_as(sql).bind(id).fetch_optional(auth.db().directory()).await?)
}

/// Puts a letter about a person's account into the outbox.
pub async fn write_to(auth: &Authenticator, person: &Person, content: Content) -> Result<(), Fault> {
    let letter = Letter { to: person.email.clone(), language: Language::of(&person.locale), content };
    mail::put(auth.db(), auth.vault(), auth.clock(), &letter).await
}

/// The stored hash of a person's password; none for who signs in otherwise only.
pub(crate) async fn password(auth: &Authenticator, id: Uuid) -> Result<Option<String>, Fault> {
    let stored = sqlx::query_scalar("SELECT password FROM credential WHERE person_id = $1").bind(id);
    Ok(stored.fetch_optional(auth.db().directory()).await?)
}

/// Keeps the same password under newer parameters.
pub(crate) async fn rehash(auth: &Authenticator, id: Uuid, hash: &str) -> Result<(), Fault> {
    sqlx::query("UPDATE credential SET password = $2, updated_at = $3 WHERE person_id = $1")
        .bind(id)
        .bind(hash)
        .bind(auth.clock().now())
        .execute(auth.db().directory())
        .await?;
    Ok(())
}

/// Keeps a person out of every company, or lets them in again. Every replica is told by the table's trigger.
pub async fn set_disabled(auth: &Authenticator, id: Uuid, disabled: bool) -> Result<(), Fault> {
    sqlx::query("UPDATE person SET disabled_at = $2 WHERE id = $1")
        .bind(id)
        .bind(disabled.then(|| auth.clock().now()))
        .execute(auth.db().directory())
        .await?;
    auth.forget();
    Ok(())
}

/// Notes that a person has proved their address. `Ok(false)`: somebody else has proved it before.
pub async fn prove_email(auth: &Authenticator, id: Uuid) -> Result<bool, Fault> {
    let proved =
        sqlx::query("UPDATE person SET email_verified_at = coalesce(email_verified_at, $2) WHERE id = $1")
            .bind(id)
            .bind(auth.clock().now())
            .execute(auth.db().directory())
            .await
            .map_err(Fault::from);
    match proved {
        Ok(_) => Ok(true),
        Err(fault) if fault.is_duplicate() => Ok(false),
        Err(fault) => Err(fault),
    }
}
