//! What can be done with the business calendar: it is read and set as a whole.

use chrono::NaiveDate;
use kernel::{Kind, NewEvent, Permission, Tx};

use super::{BusinessCalendar, Holiday, NewCalendar, store, usual};
use crate::error::Error;

/// Gives a new company its working hours, in the caller's transaction. One that has some keeps them. Needs no permission
/// of its own.
pub async fn seed_in(tx: &Tx) -> Result<(), Error> {
    if store::insert(tx, usual().public_holidays).await? {
        store::replace(tx, &usual()).await?;
    }
    Ok(())
}

/// When the company works. Needs `kpi.read`.
pub async fn get(tx: &Tx) -> Result<BusinessCalendar, Error> {
    tx.scope().require(Permission::KpiRead)?;
    Ok(store::read(tx).await?)
}

/// The public holidays of the company's country that are known, from one day to another: days off, where the calendar says
/// so. Needs `kpi.read`.
pub async fn holidays(tx: &Tx, from: NaiveDate, to: NaiveDate) -> Result<Vec<Holiday>, Error> {
    tx.scope().require(Permission::KpiRead)?;
    Ok(store::holidays(tx, from, to).await?)
}

/// Sets when the company works, from now on: what was recorded stays as it was recorded. Needs `kpi.manage`.
///
/// # Errors
/// `CONFLICT`; `INVALID`, see [`NewCalendar::checked`].
pub async fn set(tx: &Tx, new: NewCalendar, expected_version: i32) -> Result<(), Error> {
    tx.scope().require(Permission::KpiManage)?;
    let new = new.checked()?;
    let actual = store::lock(tx).await?;
    if actual != expected_version {
        return Err(Error::Conflict { expected: expected_version, actual });
    }
    let before = store::read(tx).await?.set;
    let event = NewEvent::new("kpi.calendar_set", Kind::Company, tx.scope().company().id)
        .changed("hours", &before.shifts, &new.shifts)
        .changed("publicHolidays", &before.public_holidays, &new.public_holidays)
        .changed("closures", &before.closures, &new.closures);
    if event.is_empty() {
        return Ok(());
    }
    store::update(tx, new.public_holidays).await?;
    store::replace(tx, &new).await?;
    event.append(tx).await?;
    Ok(())
}
