//! A person lets an application act for them, in one company, as far as they may act there themselves.

use authority::{Code, Refusal};
use chrono::{DateTime, Utc};
use kernel::{Actor, Fault, Origin, PermissionSet};
use uuid::Uuid;

use super::Failure;
use super::client::Client;
use super::grant::service as grants;
use crate::assurance::Assurance;
use crate::authenticator::{Authenticator, facts_of, role_permissions};
use crate::error::Error;

/// A person who is asked, and what was shown when their session was opened.
#[derive(Clone, Copy, Debug)]
pub struct Asked {
    /// The person.
    pub person: Uuid,
    /// What was shown.
    pub assurance: Assurance,
    /// The one company in which the session is good, when it was opened by the word of that company's own provider: who
    /// runs the provider must not be let into another company through an application.
    pub only: Option<Uuid>,
}

/// A company in which a person can let an application act.
#[derive(Clone, Debug)]
pub struct Choice {
    /// The company.
    pub company: Uuid,
    /// Its name.
    pub name: String,
    /// Whether it is a test twin.
    pub is_test: bool,
    /// What would be granted there: what is asked, as far as the person may do it.
    pub permissions: PermissionSet,
}

/// What was granted.
#[derive(Clone, Copy, Debug)]
pub struct Given {
    /// In which company.
    pub company: Uuid,
    /// The grant.
    pub grant: Uuid,
    /// What was asked and is granted now.
    pub permissions: PermissionSet,
}

#[derive(sqlx::FromRow)]
struct Row {
    tenant_id: Uuid,
    name: String,
    role: String,
    role_permissions: Option<Vec<String>>,
    second_factor_from: Option<DateTime<Utc>>,
    currency: String,
    zone: String,
    locale: String,
    mode: String,
}

async fn rows(auth: &Authenticator, asked: Asked) -> Result<Vec<Row>, Fault> {
    let found = sqlx::query_as(
        "SELECT c.tenant_id, c.name, r.role, r.role_permissions, r.second_factor_from, r.currency, r.zone, r.locale, r.mode
         FROM companies_of($1) AS c CROSS JOIN LATERAL member_rights($1, c.tenant_id) AS r
         WHERE $2 IS NULL OR c.tenant_id = $2",
    );
    Ok(found.bind(asked.person).bind(asked.only).fetch_all(auth.db().directory()).await?)
}

/// What would be granted in a company: nothing where it demands a second factor that the session has not shown, and
/// nothing of a live company to an application of a test twin.
fn grantable(
    row: &Row,
    asked: Asked,
    client: &Client,
    wanted: PermissionSet,
    now: DateTime<Utc>,
) -> Result<PermissionSet, Fault> {
    let due = row.second_factor_from.is_some_and(|from| from <= now);
    if (due && asked.assurance < Assurance::SecondFactor) || (client.is_test && row.mode != "test") {
        return Ok(PermissionSet::NONE);
    }
    let own = role_permissions(&row.role, row.role_permissions.as_deref())?;
    Ok(wanted.and(client.permissions).and(own))
}

/// The companies in which a person can let an application do something of what it wants.
///
/// # Errors
/// A fault when they could not be read.
pub async fn choices(
    auth: &Authenticator,
    asked: Asked,
    client: &Client,
    wanted: PermissionSet,
) -> Result<Vec<Choice>, Fault> {
    let now = auth.clock().now();
    let mut choices = Vec::new();
    for row in rows(auth, asked).await? {
        let permissions = grantable(&row, asked, client, wanted, now)?;
        if permissions != PermissionSet::NONE {
            let Row { tenant_id: company, name, mode, .. } = row;
            choices.push(Choice { company, name, is_test: mode == "test", permissions });
        }
    }
    Ok(choices)
}

/// Lets an application act for a person in one company.
///
/// # Errors
/// `access_denied` where the person may not act, or may do nothing of what is wanted; faults.
pub async fn give(
    auth: &Authenticator,
    asked: Asked,
    client: &Client,
    company: Uuid,
    wanted: PermissionSet,
    origin: Origin,
) -> Result<Given, Failure> {
    let denied = Refusal::new(Code::AccessDenied, "nothing of what is asked can be granted in this company");
    let rows = rows(auth, asked).await?;
    let row = rows.into_iter().find(|row| row.tenant_id == company).ok_or(denied.clone())?;
    let permissions = grantable(&row, asked, client, wanted, auth.clock().now())?;
    if permissions == PermissionSet::NONE {
        return Err(denied.into());
    }
    let facts = facts_of(company, &row.currency, &row.zone, row.locale, &row.mode)?;
    let scope = auth.open(facts, Actor::Person(asked.person), permissions, origin);
    let grant = scope.write(|tx| {
        let client = client.clone();
        Box::pin(async move { grants::give_in(tx, &client, Some(asked.person), permissions).await })
    });
    let grant = grant.await.map_err(|error| match error {
        Error::Fault(fault) => fault,
        other => Fault::Internal(other.to_string()),
    })?;
    Ok(Given { company, grant, permissions })
}
