//! When the company works, in the graph.

use async_graphql::{Context, Enum, Error, InputObject, Object, SimpleObject};
use kernel::Permission;
use kpi::calendar::{BusinessCalendar as Calendar, Closure, NewCalendar, Shift, service};

use super::errors::KpiUserError;
use crate::graphql::cost::about;
use crate::graphql::date::Date;
use crate::graphql::error::bad_argument;
use crate::graphql::guard::{Needs, Told};
use crate::graphql::mutation::{Done, mutate};
use crate::graphql::request::InRequest;

/// A day of the week.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
enum Weekday {
    /// Monday.
    Monday,
    /// Tuesday.
    Tuesday,
    /// Wednesday.
    Wednesday,
    /// Thursday.
    Thursday,
    /// Friday.
    Friday,
    /// Saturday.
    Saturday,
    /// Sunday.
    Sunday,
}

impl Weekday {
    const ALL: [Self; 7] = [
        Self::Monday,
        Self::Tuesday,
        Self::Wednesday,
        Self::Thursday,
        Self::Friday,
        Self::Saturday,
        Self::Sunday,
    ];

    /// ISO 8601: 1 is Monday.
    const fn number(self) -> u8 {
        self as u8 + 1
    }

    fn of(number: u8) -> Self {
        Self::ALL.into_iter().find(|day| day.number() == number).unwrap_or(Self::Sunday)
    }
}

/// A span of working hours, each week.
#[derive(SimpleObject)]
struct BusinessHours {
    /// The day of the week.
    weekday: Weekday,
    /// When it begins, by the company's clocks: `09:00`.
    opens: String,
    /// When it ends: `17:30`, or `24:00` for the end of the day.
    closes: String,
}

/// A day on which the company is closed.
#[derive(SimpleObject)]
struct BusinessClosure {
    /// The day.
    day: Date,
    /// Why.
    name: String,
}

/// A public holiday of the company's country.
#[derive(SimpleObject)]
struct PublicHoliday {
    /// The day.
    day: Date,
    /// Its name, in the company's language.
    name: String,
}

/// When the company works. Times between the steps of processes are counted in it as they are recorded: a change never
/// changes what was recorded before.
struct BusinessCalendar(Calendar);

/// When the company works. Times between the steps of processes are counted in it as they are recorded: a change never
/// changes what was recorded before.
#[Object]
impl BusinessCalendar {
    /// The hours of the week, from Monday on.
    #[graphql(directive = about::apply(10))]
    fn hours(&self) -> Vec<BusinessHours> {
        let hours = |shift: &Shift| BusinessHours {
            weekday: Weekday::of(shift.weekday),
            opens: clock(shift.opens),
            closes: clock(shift.closes),
        };
        self.0.set.shifts.iter().map(hours).collect()
    }

    /// Whether the public holidays of the company's country are days off.
    fn public_holidays(&self) -> bool {
        self.0.set.public_holidays
    }

    /// Days of its own on which it is closed, by day.
    #[graphql(directive = about::apply(20))]
    fn closures(&self) -> Vec<BusinessClosure> {
        let closure = |of: &Closure| BusinessClosure { day: of.day.into(), name: of.name.clone() };
        self.0.set.closures.iter().map(closure).collect()
    }

    /// The public holidays of the company's country that are known, whether or not they are days off: those of France from
    /// 2020 to 2040.
    #[graphql(directive = about::apply(30))]
    async fn holidays(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "From this day on.")] from: Date,
        #[graphql(desc = "Up to this day, itself included.")] to: Date,
    ) -> Result<Vec<PublicHoliday>, Error> {
        let session = ctx.session()?;
        let french = session.scope()?.company().locale == "fr";
        let tx = session.read().await?;
        let holidays = service::holidays(&tx, from.0, to.0).await.told()?;
        let named = holidays.into_iter().map(|holiday| PublicHoliday {
            day: holiday.day.into(),
            name: if french { holiday.name_fr } else { holiday.name_en },
        });
        Ok(named.collect())
    }

    /// For `expectedVersion` of the next change.
    fn version(&self) -> i32 {
        self.0.version
    }
}

impl BusinessCalendar {
    async fn load(ctx: &Context<'_>) -> Result<Self, Error> {
        let tx = ctx.session()?.read().await?;
        Ok(Self(service::get(&tx).await.told()?))
    }
}

fn clock(minutes: u16) -> String {
    format!("{:02}:{:02}", minutes / 60, minutes % 60)
}

/// Minutes after midnight, of `HH:MM` up to `24:00`.
fn minutes(text: &str) -> Option<u16> {
    let (hours, minutes) = text.split_once(':')?;
    let two = |digits: &str| {
        let fits = digits.len() == 2 && digits.bytes().all(|byte| byte.is_ascii_digit());
        fits.then(|| digits.parse::<u16>().ok()).flatten()
    };
    let (hours, minutes) = (two(hours)?, two(minutes)?);
    (minutes < 60 && hours * 60 + minutes <= 1440).then_some(hours * 60 + minutes)
}

/// A span of working hours, each week.
#[derive(Clone, Debug, InputObject)]
struct BusinessHoursInput {
    /// The day of the week.
    weekday: Weekday,
    /// When it begins, by the company's clocks: `09:00`.
    opens: String,
    /// When it ends, on the same day: `17:30`, or `24:00` for the end of the day.
    closes: String,
}

/// A day on which the company is closed.
#[derive(Clone, Debug, InputObject)]
struct BusinessClosureInput {
    /// The day.
    day: Date,
    /// Why: 1 to 100 characters.
    name: String,
}

/// When the company works, as a whole.
#[derive(InputObject)]
struct SetBusinessCalendarInput {
    /// The version that was read; another one is a conflict.
    expected_version: i32,
    /// The hours of the week: 1 to 28 spans, which do not overlap.
    hours: Vec<BusinessHoursInput>,
    /// Whether the public holidays of the company's country are days off.
    public_holidays: bool,
    /// Days of its own on which it is closed, at most 1000.
    closures: Vec<BusinessClosureInput>,
}

/// What the mutation did.
struct SetBusinessCalendarPayload(Done<()>);

/// What the mutation did, or why it was refused.
#[Object]
impl SetBusinessCalendarPayload {
    /// The calendar as it is now.
    async fn business_calendar(&self, ctx: &Context<'_>) -> Result<BusinessCalendar, Error> {
        BusinessCalendar::load(ctx).await
    }

    /// Why it was refused; empty when it was done.
    #[graphql(directive = about::apply(3))]
    fn user_errors(&self) -> Vec<KpiUserError> {
        self.0.refusals.iter().map(KpiUserError::from).collect()
    }

    /// Whether this answers from an earlier request with the same idempotency key.
    fn replayed(&self) -> bool {
        self.0.replayed
    }
}

/// The calendar's part of the query root.
#[derive(Default)]
pub(crate) struct BusinessCalendarQuery;

#[Object]
impl BusinessCalendarQuery {
    /// When the company works.
    #[graphql(guard = "Needs(Permission::KpiRead)")]
    async fn business_calendar(&self, ctx: &Context<'_>) -> Result<BusinessCalendar, Error> {
        BusinessCalendar::load(ctx).await
    }
}

/// The calendar's part of the mutation root.
#[derive(Default)]
pub(crate) struct BusinessCalendarMutation;

#[Object]
impl BusinessCalendarMutation {
    /// Sets when the company works, from now on.
    #[graphql(guard = "Needs(Permission::KpiManage)")]
    async fn set_business_calendar(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "When the company works, as a whole.")] input: SetBusinessCalendarInput,
    ) -> Result<SetBusinessCalendarPayload, Error> {
        let mut shifts = Vec::with_capacity(input.hours.len());
        for (place, hours) in input.hours.iter().enumerate() {
            let read = |field: &str, text: &str| {
                minutes(text).ok_or_else(|| {
                    bad_argument(
                        &format!("hours.{place}.{field}"),
                        "a time of day is HH:MM, from 00:00 to 24:00",
                    )
                })
            };
            shifts.push(Shift {
                weekday: hours.weekday.number(),
                opens: read("opens", &hours.opens)?,
                closes: read("closes", &hours.closes)?,
            });
        }
        let closures =
            input.closures.into_iter().map(|of| Closure { day: of.day.0, name: of.name }).collect();
        let new = NewCalendar { shifts, public_holidays: input.public_holidays, closures };
        let expected = input.expected_version;
        let done = mutate(ctx, move |tx| Box::pin(service::set(tx, new.clone(), expected)));
        Ok(SetBusinessCalendarPayload(done.await?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_of_day_are_read_as_they_are_written() {
        for (text, wanted) in [("00:00", 0), ("09:30", 570), ("23:59", 1439), ("24:00", 1440)] {
            assert_eq!(minutes(text), Some(wanted));
            assert_eq!(clock(wanted), text);
        }
        for text in ["", "9:30", "09.30", "09:60", "24:01", "+1:00", "99:99", "0930"] {
            assert_eq!(minutes(text), None, "{text}");
        }
        assert!(Weekday::ALL.into_iter().all(|day| Weekday::of(day.number()) == day));
    }
}
