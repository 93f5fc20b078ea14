//! How the business calendar is read and written.

use chrono::NaiveDate;
use kernel::{Fault, Tx};

use super::{BusinessCalendar, Closure, Holiday, NewCalendar, Shift};

/// Makes the company's calendar, without hours; `false` when it has one.
pub(super) async fn insert(tx: &Tx, public_holidays: bool) -> Result<bool, Fault> {
    let scope = tx.scope();
    let made = tx
        .run(
            "INSERT INTO business_calendar (tenant_id, public_holidays, created_at, created_by, updated_at, updated_by)
             VALUES ($1, $2, $3, $4, $3, $4) ON CONFLICT (tenant_id) DO NOTHING",
            [
                scope.company().id.into(),
                public_holidays.into(),
                scope.clock().now().into(),
                scope.actor().stored().into(),
            ],
        )
        .await?;
    Ok(made == 1)
}

/// The version of the company's calendar, locked for change.
pub(super) async fn lock(tx: &Tx) -> Result<i32, Fault> {
    let found: Option<(i32,)> =
        tx.tuple("SELECT version FROM business_calendar FOR NO KEY UPDATE", []).await?;
    found.map(|(version,)| version).ok_or_else(missing)
}

fn missing() -> Fault {
    Fault::Corrupt("the company has no business calendar".to_owned())
}

/// Writes the locked calendar's own row.
pub(super) async fn update(tx: &Tx, public_holidays: bool) -> Result<(), Fault> {
    tx.run(
        "UPDATE business_calendar SET public_holidays = $1, version = version + 1, updated_at = $2, updated_by = $3",
        [public_holidays.into(), tx.scope().clock().now().into(), tx.scope().actor().stored().into()],
    )
    .await?;
    Ok(())
}

/// Replaces hours and closures.
pub(super) async fn replace(tx: &Tx, new: &NewCalendar) -> Result<(), Fault> {
    let company = tx.scope().company().id;
    tx.run("DELETE FROM business_hours", []).await?;
    let column = |of: fn(&Shift) -> i32| new.shifts.iter().map(of).collect::<Vec<i32>>();
    tx.run(
        "INSERT INTO business_hours (tenant_id, weekday, opens, closes)
         SELECT $1, h.weekday, h.opens, h.closes
         FROM unnest($2::integer[], $3::integer[], $4::integer[]) AS h (weekday, opens, closes)",
        [
            company.into(),
            column(|shift| shift.weekday.into()).into(),
            column(|shift| shift.opens.into()).into(),
            column(|shift| shift.closes.into()).into(),
        ],
    )
    .await?;
    tx.run("DELETE FROM business_closure", []).await?;
    if new.closures.is_empty() {
        return Ok(());
    }
    let days: Vec<NaiveDate> = new.closures.iter().map(|closure| closure.day).collect();
    let names: Vec<String> = new.closures.iter().map(|closure| closure.name.clone()).collect();
    tx.run(
        "INSERT INTO business_closure (tenant_id, day, name)
         SELECT $1, c.day, c.name FROM unnest($2::date[], $3::text[]) AS c (day, name)",
        [company.into(), days.into(), names.into()],
    )
    .await?;
    Ok(())
}

/// The company's calendar.
pub(super) async fn read(tx: &Tx) -> Result<BusinessCalendar, Fault> {
    let head: Option<(bool, i32)> =
        tx.tuple("SELECT public_holidays, version FROM business_calendar", []).await?;
    let (public_holidays, version) = head.ok_or_else(missing)?;
    let hours: Vec<(i32, i32, i32)> = tx
        .tuples(
            "SELECT weekday::integer, opens::integer, closes::integer FROM business_hours ORDER BY weekday, opens",
            [],
        )
        .await?;
    let shifts = hours.into_iter().map(|(weekday, opens, closes)| {
        Ok(Shift {
            weekday: u8::try_from(weekday)?,
            opens: u16::try_from(opens)?,
            closes: u16::try_from(closes)?,
        })
    });
    let shifts = shifts.collect::<Result<Vec<_>, std::num::TryFromIntError>>();
    let shifts = shifts.map_err(|_| Fault::Corrupt("hours that are none".to_owned()))?;
    let closures: Vec<(NaiveDate, String)> =
        tx.tuples("SELECT day, name FROM business_closure ORDER BY day", []).await?;
    let closures = closures.into_iter().map(|(day, name)| Closure { day, name }).collect();
    Ok(BusinessCalendar { set: NewCalendar { shifts, public_holidays, closures }, version })
}

/// The public holidays of the company's country.
pub(super) async fn holidays(tx: &Tx, from: NaiveDate, to: NaiveDate) -> Result<Vec<Holiday>, Fault> {
    tx.all(
        "SELECT p.day, p.name_fr, p.name_en FROM company o JOIN public_holiday p ON p.country = o.country
         WHERE p.day BETWEEN $1 AND $2 ORDER BY p.day",
        [from.into(), to.into()],
    )
    .await
}
