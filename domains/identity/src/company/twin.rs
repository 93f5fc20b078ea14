//! The test twin of a company: its own rows, with the company's settings, roles and members, to try things in.
//!
//! No transaction touches two companies. So the live company first keeps the id that its twin will have, and the twin is
//! founded under that id afterwards; what a break in between leaves undone, asking again completes. A twin never has a
//! twin, and never becomes live.
//!
//! Who may enter a twin is decided by both companies: a membership in the twin counts only beside a living one in the
//! live company (`may_act`, migration 43). So who leaves has left both at once, and only who joins must be told here.

use chrono::{DateTime, Utc};
use entity::identity::company;
use kernel::{Actor, Fault, Kind, Mode, NewEvent, Origin, Permission, Tx};
use sea_orm::FromQueryResult;
use serde_json::json;
use uuid::Uuid;

use super::{NewCompany, service};
use crate::authenticator::Authenticator;
use crate::error::Error;

/// What tells a twin by its name.
const SUFFIX: &str = " (test)";

/// What a twin takes over from its live company.
#[derive(Clone, Debug)]
pub struct Original {
    live: Uuid,
    company: NewCompany,
    four_eyes: bool,
    rights_four_eyes: bool,
    second_factor_from: Option<DateTime<Utc>>,
    roles: Vec<OwnRole>,
    members: Vec<MemberOf>,
}

/// A role of the company's own.
#[derive(Clone, Debug, FromQueryResult)]
struct OwnRole {
    key: String,
    name: Option<String>,
    description: Option<String>,
    permissions: Option<Vec<String>>,
}

/// A living membership.
#[derive(Clone, Debug, FromQueryResult)]
struct MemberOf {
    person_id: Uuid,
    role: String,
}

impl Original {
    /// The same, for a twin by another name.
    #[must_use]
    pub fn called(mut self, name: Option<&str>) -> Self {
        if let Some(name) = name {
            name.clone_into(&mut self.company.name);
        }
        self
    }

    /// What the twin will be.
    pub fn company(&self) -> &NewCompany {
        &self.company
    }

    /// The kernel's facts of the twin that is about to be founded.
    ///
    /// # Errors
    /// [`Error::Invalid`] when the live company's settings are none, which its own rows rule out.
    pub fn facts(&self, twin: Uuid) -> Result<kernel::Company, Error> {
        Ok(kernel::Company { mode: Mode::Test, ..service::facts(twin, &self.company)? })
    }
}

/// Keeps the id of the company's twin, which is founded after the commit by a name that is checked here; the id that is
/// kept already, when there is one. Needs `company.manage`.
///
/// # Errors
/// [`Error::TestTwin`] in a twin; [`Error::Invalid`] for the name.
pub async fn reserve(tx: &Tx, name: Option<&str>) -> Result<Uuid, Error> {
    let scope = tx.scope();
    scope.require(Permission::CompanyManage)?;
    if scope.is_test() {
        return Err(Error::TestTwin);
    }
    if name.is_some_and(|name| !(1..=200).contains(&name.trim().chars().count())) {
        return Err(Error::invalid("name", "a company's name has 1 to 200 characters"));
    }
    let locked = tx.one::<company::Model>("SELECT * FROM company FOR NO KEY UPDATE", []).await?;
    let company = locked.ok_or_else(|| Fault::Corrupt("the scope's company has no row".to_owned()))?;
    if let Some(twin) = company.twin_id {
        return Ok(twin);
    }
    let twin = Mode::Test.new_id();
    tx.run(
        "UPDATE company SET twin_id = $1, version = version + 1, updated_at = $2, updated_by = $3",
        [twin.into(), scope.clock().now().into(), scope.actor().stored().into()],
    )
    .await?;
    NewEvent::new("company.twin_created", Kind::Company, company.id)
        .fact("twin", kernel::id::encode(Kind::Company, twin))
        .append(tx)
        .await?;
    Ok(twin)
}

/// What the twin of the scope's company takes over from it, in the caller's snapshot.
pub async fn original_in(tx: &Tx) -> Result<Original, Error> {
    let company = service::row(tx).await?;
    let roles = tx.all(
        "SELECT key, name, description, permissions FROM role WHERE NOT built_in AND archived_at IS NULL ORDER BY key",
        [],
    );
    let roles = roles.await?;
    let members = tx.all("SELECT person_id, role FROM membership WHERE archived_at IS NULL ORDER BY id", []);
    let members = members.await?;
    let kept = 200 - SUFFIX.len();
    Ok(Original {
        live: company.id,
        company: NewCompany {
            name: company.name.chars().take(kept).chain(SUFFIX.chars()).collect(),
            legal_form: company.legal_form,
            siren: company.siren,
            country: company.country,
            currency: company.currency,
            zone: company.zone,
            locale: company.locale,
            fiscal_year_month: u8::try_from(company.fiscal_year_month).unwrap_or(1),
            chart: company.chart,
        },
        four_eyes: company.four_eyes,
        rights_four_eyes: company.rights_four_eyes,
        second_factor_from: company.second_factor_from,
        roles,
        members,
    })
}

/// Founds the twin, in the caller's transaction, whose scope must be the twin's. Its programs may send any text, whatever
/// the live company's may: it has no registered documents yet.
pub async fn found_in(tx: &Tx, original: &Original) -> Result<(), Error> {
    service::lay_in(tx, &original.company, Some(original.live)).await?;
    tx.run(
        "UPDATE company SET four_eyes = $1, rights_four_eyes = $2, second_factor_from = $3",
        [original.four_eyes.into(), original.rights_four_eyes.into(), original.second_factor_from.into()],
    )
    .await?;
    follow_in(tx, original).await
}

/// Adds the roles and members of the live company that the twin does not know yet, in the caller's transaction, whose
/// scope must be the twin's. What the twin knows stays as it is: rights are tried there too.
pub async fn follow_in(tx: &Tx, original: &Original) -> Result<(), Error> {
    let scope = tx.scope();
    let (company, now, by) = (scope.company().id, scope.clock().now(), scope.actor().stored());
    let roles: Vec<_> = original
        .roles
        .iter()
        .map(|role| {
            json!({ "id": tx.new_id(), "key": role.key, "name": role.name, "description": role.description,
                    "permissions": role.permissions })
        })
        .collect();
    let added: Vec<(String,)> = tx
        .tuples(
            "INSERT INTO role (tenant_id, id, key, built_in, name, description, permissions,
                 created_at, created_by, updated_at, updated_by)
             SELECT $1, r.id, r.key, false, r.name, r.description, r.permissions, $3, $4, $3, $4
             FROM jsonb_to_recordset($2) AS r(id uuid, key text, name text, description text, permissions text[])
             ON CONFLICT (tenant_id, key) DO NOTHING RETURNING key",
            [company.into(), json!(roles).into(), now.into(), by.clone().into()],
        )
        .await?;
    if !added.is_empty() {
        let keys: Vec<String> = added.into_iter().map(|(key,)| key).collect();
        NewEvent::new("company.roles_copied", Kind::Company, company).fact("roles", keys).append(tx).await?;
    }
    let members: Vec<_> = original
        .members
        .iter()
        .map(|member| json!({ "id": tx.new_id(), "person": member.person_id, "role": member.role }))
        .collect();
    let added: Vec<(Uuid, String)> = tx
        .tuples(
            "INSERT INTO membership (tenant_id, id, person_id, role, created_at, created_by, updated_at, updated_by)
             SELECT $1, m.id, m.person, m.role, $3, $4, $3, $4
             FROM jsonb_to_recordset($2) AS m(id uuid, person uuid, role text)
             ON CONFLICT (tenant_id, person_id) DO NOTHING RETURNING id, role",
            [company.into(), json!(members).into(), now.into(), by.into()],
        )
        .await?;
    for (id, role) in added {
        NewEvent::new("member.added", Kind::Membership, id).fact("role", role).append(tx).await?;
    }
    Ok(())
}

/// [`follow`] after somebody has joined. When it fails the person has joined all the same, but for the twin, which asking
/// for the twin again repairs: so it is noted, and nothing more.
pub async fn follow_can_fail(auth: &Authenticator, live: Uuid, actor: Actor, origin: Origin) {
    if let Err(error) = follow(auth, live, actor, origin).await {
        tracing::warn!(%error, company = %live, "a member has joined, and not the test twin");
    }
}

/// Lets who has joined a company into its twin too, when it has one: a second transaction, after that of the joining.
/// What it adds is what [`follow_in`] does; asking again changes nothing.
pub async fn follow(auth: &Authenticator, live: Uuid, actor: Actor, origin: Origin) -> Result<(), Error> {
    let Some(scope) = auth.link_scope(live, actor, origin.clone()).await? else { return Ok(()) };
    if scope.is_test() {
        return Ok(());
    }
    let snapshot = scope.read().await?;
    let read = async {
        let Some(twin) = service::row(&snapshot).await?.twin_id else { return Ok(None) };
        Ok::<_, Error>(Some((twin, original_in(&snapshot).await?)))
    };
    let read = read.await;
    snapshot.end().await;
    let Some((twin, original)) = read? else { return Ok(()) };
    let Some(scope) = auth.link_scope(twin, actor, origin).await? else { return Ok(()) };
    scope
        .write(|tx| {
            let original = original.clone();
            Box::pin(async move { follow_in(tx, &original).await })
        })
        .await
}
