//! Founding a company and changing its settings.

use chrono::{DateTime, TimeDelta, Utc};
use entity::identity::company;
use kernel::{Currency, Fault, Kind, NewEvent, Permission, Tx};
use uuid::Uuid;

use super::NewCompany;
use crate::error::Error;
use crate::role::Role;

/// Longest time that a company may leave its members to enrol a second factor.
const LONGEST_GRACE: TimeDelta = TimeDelta::days(90);

/// Founds a company with its first owner, in the caller's transaction, whose scope must be the new company's.
/// The books, tax codes and figures are laid by their own domains in the same transaction.
pub async fn found_in(tx: &Tx, new: &NewCompany, owner: Uuid) -> Result<(), Error> {
    lay_in(tx, new, None).await?;
    crate::member::service::add_in(tx, owner, Role::Owner).await?;
    Ok(())
}

/// Lays a company without members; for a test twin, beside its live company.
pub(super) async fn lay_in(tx: &Tx, new: &NewCompany, live: Option<Uuid>) -> Result<(), Error> {
    new.check()?;
    let scope = tx.scope();
    let (id, now, by) = (scope.company().id, scope.clock().now(), scope.actor().stored());
    tx.run(
        "INSERT INTO company (tenant_id, id, name, legal_form, siren, country, currency, zone, locale,
             fiscal_year_month, chart, created_at, created_by, updated_at, updated_by, mode, twin_id)
         VALUES ($1, $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $11, $12, $13, $14)",
        [
            id.into(),
            new.name.trim().into(),
            new.legal_form.trim().into(),
            new.siren.clone().into(),
            new.country.clone().into(),
            new.currency.clone().into(),
            new.zone.clone().into(),
            new.locale.clone().into(),
            i16::from(new.fiscal_year_month).into(),
            new.chart.clone().into(),
            now.into(),
            by.into(),
            scope.company().mode.as_str().into(),
            live.into(),
        ],
    )
    .await?;
    tx.run("INSERT INTO event_head (tenant_id) VALUES ($1)", [id.into()]).await?;
    tx.run(
        "INSERT INTO kpi_head (tenant_id, zone, ticked_on) VALUES ($1, $2, $3)",
        [id.into(), new.zone.clone().into(), scope.today().into()],
    )
    .await?;
    crate::role::found_in(tx).await?;
    let founded = NewEvent::new("company.founded", Kind::Company, id).fact("name", &new.name);
    Ok(founded.fact("country", &new.country).fact("currency", &new.currency).append(tx).await?)
}

/// The scope's company.
pub async fn get(tx: &Tx) -> Result<company::Model, Error> {
    tx.scope().require(Permission::CompanyRead)?;
    row(tx).await
}

pub(super) async fn row(tx: &Tx) -> Result<company::Model, Error> {
    let found = tx.one("SELECT * FROM company", []).await?;
    found.ok_or_else(|| no_row().into())
}

fn no_row() -> Fault {
    Fault::Corrupt("the scope's company has no row".to_owned())
}

/// What may be changed of a company; `None` leaves a field as it is. The currency of its books never changes.
#[derive(Clone, Debug, Default)]
pub struct CompanyChange {
    /// The legal name.
    pub name: Option<String>,
    /// The legal form.
    pub legal_form: Option<String>,
    /// The SIREN.
    pub siren: Option<String>,
    /// The time zone of its calendar days.
    pub zone: Option<String>,
    /// Its language.
    pub locale: Option<String>,
    /// Whether a bill must be approved by somebody else than who entered it.
    pub four_eyes: Option<bool>,
    /// Whether clients may only send registered documents.
    pub documents_only: Option<bool>,
    /// Since when a second factor is demanded of members; `Some(None)` to demand it no more.
    pub second_factor_from: Option<Option<DateTime<Utc>>>,
    /// Whether another owner must approve a change of rights: turned on here, and off by an approved request only.
    pub rights_four_eyes: Option<bool>,
}

/// Changes the company's settings.
pub async fn update(tx: &Tx, expected_version: i32, change: CompanyChange) -> Result<(), Error> {
    let scope = tx.scope();
    scope.require(Permission::CompanyManage)?;
    let locked = tx.one::<company::Model>("SELECT * FROM company FOR NO KEY UPDATE", []).await?;
    let before = locked.ok_or_else(no_row)?;
    if before.version != expected_version {
        return Err(Error::Conflict { expected: expected_version, actual: before.version });
    }
    let after = NewCompany {
        name: change.name.unwrap_or_else(|| before.name.clone()),
        legal_form: change.legal_form.unwrap_or_else(|| before.legal_form.clone()),
        siren: change.siren.or_else(|| before.siren.clone()),
        country: before.country.clone(),
        currency: before.currency.clone(),
        zone: change.zone.unwrap_or_else(|| before.zone.clone()),
        locale: change.locale.unwrap_or_else(|| before.locale.clone()),
        fiscal_year_month: u8::try_from(before.fiscal_year_month).unwrap_or(1),
        chart: before.chart.clone(),
    };
    after.check()?;
    let four_eyes = change.four_eyes.unwrap_or(before.four_eyes);
    let documents_only = change.documents_only.unwrap_or(before.documents_only);
    let second_factor_from = change.second_factor_from.unwrap_or(before.second_factor_from);
    let grace = second_factor_from.map(|from| from - scope.clock().now());
    if change.second_factor_from.is_some() && grace.is_some_and(|grace| grace > LONGEST_GRACE) {
        return Err(Error::invalid("secondFactorFrom", "the time of grace is 90 days at most"));
    }
    let rights_four_eyes = change.rights_four_eyes.unwrap_or(before.rights_four_eyes);
    match (before.rights_four_eyes, rights_four_eyes) {
        (true, false) => return Err(Error::ApprovalNeeded),
        (false, true) => crate::member::service::two_owners(tx).await?,
        _ => {}
    }
    tx.run(
        "UPDATE company SET name = $1, legal_form = $2, siren = $3, zone = $4, locale = $5, four_eyes = $6,
             documents_only = $7, version = version + 1, updated_at = $8, updated_by = $9, second_factor_from = $10,
             rights_four_eyes = $11",
        [
            after.name.clone().into(),
            after.legal_form.clone().into(),
            after.siren.clone().into(),
            after.zone.clone().into(),
            after.locale.clone().into(),
            four_eyes.into(),
            documents_only.into(),
            scope.clock().now().into(),
            scope.actor().stored().into(),
            second_factor_from.into(),
            rights_four_eyes.into(),
        ],
    )
    .await?;
    tx.run("UPDATE kpi_head SET zone = $1", [after.zone.clone().into()]).await?;
    NewEvent::new("company.updated", Kind::Company, before.id)
        .changed("name", &before.name, &after.name)
        .changed("legalForm", &before.legal_form, &after.legal_form)
        .changed("siren", &before.siren, &after.siren)
        .changed("timeZone", &before.zone, &after.zone)
        .changed("locale", &before.locale, &after.locale)
        .changed("fourEyes", &before.four_eyes, &four_eyes)
        .changed("documentsOnly", &before.documents_only, &documents_only)
        .changed("secondFactorFrom", &before.second_factor_from, &second_factor_from)
        .changed("rightsNeedApproval", &before.rights_four_eyes, &rights_four_eyes)
        .append(tx)
        .await?;
    Ok(())
}

/// Lets one owner alone change rights again, when that was approved. Where it is so already, nothing changes.
pub(crate) async fn let_one_change_rights(tx: &Tx) -> Result<(), Error> {
    let scope = tx.scope();
    scope.require(Permission::CompanyManage)?;
    let turned = tx.run(
        "UPDATE company SET rights_four_eyes = false, version = version + 1, updated_at = $1, updated_by = $2
         WHERE rights_four_eyes",
        [scope.clock().now().into(), scope.actor().stored().into()],
    );
    if turned.await? > 0 {
        let event = NewEvent::new("company.updated", Kind::Company, scope.company().id);
        event.changed("rightsNeedApproval", &true, &false).append(tx).await?;
    }
    Ok(())
}

/// The name of the scope's company. For a use case that has required its own permission.
pub async fn name_in(tx: &Tx) -> Result<String, Fault> {
    let row: Option<(String,)> = tx.tuple("SELECT name FROM company", []).await?;
    row.map(|(name,)| name).ok_or_else(no_row)
}

/// Whether a bill of the scope's company must be approved by somebody else than who entered it.
pub async fn four_eyes_in(tx: &Tx) -> Result<bool, Fault> {
    let row: Option<(bool,)> = tx.tuple("SELECT four_eyes FROM company", []).await?;
    Ok(row.is_some_and(|(four_eyes,)| four_eyes))
}

/// The kernel's facts of a company that is about to be founded.
pub fn facts(id: Uuid, new: &NewCompany) -> Result<kernel::Company, Error> {
    let (currency, zone): (Currency, _) = new.check()?;
    Ok(kernel::Company { id, mode: kernel::Mode::Live, currency, zone, locale: new.locale.clone() })
}
