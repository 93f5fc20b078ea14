//! Times between the steps of processes, by the clock and in working hours.

use chrono::{DateTime, Datelike, NaiveDate, TimeDelta, Timelike, Utc};
use kernel::{Actor, DomainError, Permission, PermissionSet};
use kpi::Error;
use kpi::calendar::{Closure, NewCalendar, Shift, service};
use testing::{TestDb, at, day};
use uuid::Uuid;

use crate::support::{Firm, firm, write};
use crate::work::Dice;

async fn set(firm: &Firm, new: NewCalendar, version: i32) -> Result<(), Error> {
    firm.scope.write(move |tx| Box::pin(service::set(tx, new.clone(), version))).await
}

async fn calendar(firm: &Firm) -> kpi::calendar::BusinessCalendar {
    let tx = firm.scope.read().await.expect("snapshot");
    let calendar = service::get(&tx).await.expect("a calendar");
    tx.end().await;
    calendar
}

async fn step(firm: &Firm, subject: Uuid, step: &'static str, at: DateTime<Utc>) {
    let company = firm.scope.company().id;
    let on = at.with_timezone(&firm.scope.company().zone).date_naive();
    write!(firm.scope, |tx| tx.run(
        "INSERT INTO step (tenant_id, id, subject_kind, subject_id, step, at, on_day, elapsed_ms)
         VALUES ($1, $2, 'bill', $3, $4, $5, $6, 0)",
        [company.into(), kernel::id::new().into(), subject.into(), step.into(), at.into(), on.into()]
    ));
}

/// From, to, day, by the clock, in working hours; of a subject.
async fn passages(firm: &Firm, subject: Uuid) -> Vec<(String, String, NaiveDate, i64, i64)> {
    let tx = firm.scope.read().await.expect("snapshot");
    let text = "SELECT from_step, to_step, on_day, elapsed_ms, business_ms FROM passage WHERE subject_id = $1
                ORDER BY on_day, to_step, from_step";
    let found = tx.tuples(text, [subject.into()]).await.expect("passages");
    tx.end().await;
    found
}

/// The same counted minute by minute on the company's clocks.
fn by_hand(
    firm: &Firm,
    of: &NewCalendar,
    holidays: &[NaiveDate],
    from: DateTime<Utc>,
    to: DateTime<Utc>,
) -> i64 {
    let mut sum = TimeDelta::zero();
    let mut minute = from.with_second(0).and_then(|at| at.with_nanosecond(0)).expect("a minute");
    while minute < to {
        let next = minute + TimeDelta::minutes(1);
        let local = minute.with_timezone(&firm.scope.company().zone);
        let (today, clock) = (local.date_naive(), local.hour() * 60 + local.minute());
        let off = of.closures.iter().any(|closure| closure.day == today)
            || (of.public_holidays && holidays.contains(&today));
        let at_work = of.shifts.iter().any(|shift| {
            u32::from(shift.weekday) == local.weekday().number_from_monday()
                && (u32::from(shift.opens)..u32::from(shift.closes)).contains(&clock)
        });
        if at_work && !off {
            sum += next.min(to) - minute.max(from);
        }
        minute = next;
    }
    sum.num_milliseconds()
}

#[tokio::test]
async fn working_time_is_what_the_companys_clocks_say_minute_by_minute() {
    let test = TestDb::new().await;
    let firm = firm(&test).await;
    // Easter Monday, Labour Day, Victory Day, Ascension, Whit Monday, Bastille Day, Assumption of 2026.
    let holidays =
        ["2026-04-06", "2026-05-01", "2026-05-08", "2026-05-14", "2026-05-25", "2026-07-14", "2026-08-15"]
            .map(day);
    let shift = |weekday, opens, closes| Shift { weekday, opens, closes };
    // Nights too: clocks go forward and back on Sundays at two and three.
    let nights = NewCalendar {
        shifts: vec![
            shift(1, 0, 1440),
            shift(3, 540, 733),
            shift(3, 733, 1020),
            shift(6, 1200, 1440),
            shift(7, 0, 1440),
        ],
        public_holidays: false,
        closures: vec![Closure { day: day("2026-04-08"), name: "Inventory".to_owned() }],
    };
    let usual = calendar(&firm).await.set;
    let mut dice = Dice(8);
    for (version, calendar) in
        [(1, usual.clone()), (1, nights), (2, NewCalendar { public_holidays: false, ..usual })]
    {
        set(&firm, calendar.clone(), version).await.expect("set");
        for _ in 0..12 {
            let milliseconds = |dice: &mut Dice, most: u64| {
                TimeDelta::milliseconds(i64::try_from(dice.roll(most)).expect("small"))
            };
            let from = at("2026-03-20T00:00:00Z") + milliseconds(&mut dice, 140 * 86_400_000);
            let most = if dice.roll(2) == 0 { 86_400_000 } else { 25 * 86_400_000 };
            let to = from + milliseconds(&mut dice, most);
            let subject = kernel::id::new();
            step(&firm, subject, "received", from).await;
            step(&firm, subject, "approved", to).await;
            let [(begun, ended, _, elapsed, business)] = &passages(&firm, subject).await[..] else {
                panic!("one way")
            };
            assert_eq!((begun.as_str(), ended.as_str()), ("received", "approved"));
            assert_eq!(*elapsed, (to - from).num_milliseconds());
            assert_eq!(*business, by_hand(&firm, &calendar, &holidays, from, to), "{from} {to}");
        }
    }
    // The nights on which the clocks change, whole.
    for (from, to, hours) in [
        ("2026-03-28T23:00:00Z", "2026-03-29T22:00:00Z", 23),
        ("2026-10-24T22:00:00Z", "2026-10-25T23:00:00Z", 25),
    ] {
        let sundays = NewCalendar { shifts: vec![shift(7, 0, 1440)], ..NewCalendar::default() };
        set(&firm, sundays, calendar(&firm).await.version).await.expect("set");
        let subject = kernel::id::new();
        step(&firm, subject, "received", at(from)).await;
        step(&firm, subject, "approved", at(to)).await;
        assert_eq!(passages(&firm, subject).await[0].4, hours * 3_600_000, "a Sunday of {hours} hours");
    }
}

#[tokio::test]
async fn a_way_leads_from_the_last_time_of_each_earlier_step() {
    let test = TestDb::new().await;
    let firm = firm(&test).await;
    let bill = kernel::id::new();
    // A Monday; 14 May is Ascension, the weekend follows on the 16th.
    step(&firm, bill, "received", at("2026-05-11T08:00:00Z")).await;
    step(&firm, bill, "corrected", at("2026-05-12T08:00:00Z")).await;
    step(&firm, bill, "corrected", at("2026-05-13T08:00:00Z")).await;
    step(&firm, bill, "approved", at("2026-05-15T08:00:00Z")).await;
    let hour = 3_600_000;
    let way = |from: &str, to: &str, on: &str, hours: i64, working: i64| {
        (from.to_owned(), to.to_owned(), day(on), hours * hour, working * hour)
    };
    assert_eq!(
        passages(&firm, bill).await,
        [
            way("received", "corrected", "2026-05-12", 24, 7),
            way("received", "corrected", "2026-05-13", 48, 14),
            way("corrected", "approved", "2026-05-15", 48, 7),
            way("received", "approved", "2026-05-15", 96, 21),
        ]
    );
    let tx = firm.scope.read().await.expect("snapshot");
    assert_eq!(kpi::audit(&tx).await.expect("audited"), []);
}

#[tokio::test]
async fn what_was_recorded_stays_when_the_calendar_changes() {
    let test = TestDb::new().await;
    let firm = firm(&test).await;
    let bill = kernel::id::new();
    step(&firm, bill, "received", at("2026-06-01T07:00:00Z")).await;
    step(&firm, bill, "approved", at("2026-06-02T07:00:00Z")).await;
    let before = passages(&firm, bill).await;
    let shifts = vec![Shift { weekday: 1, opens: 0, closes: 60 }];
    set(&firm, NewCalendar { shifts, ..NewCalendar::default() }, 1).await.expect("set");
    assert_eq!(passages(&firm, bill).await, before);
    let tx = firm.scope.read().await.expect("snapshot");
    assert_eq!(kpi::audit(&tx).await.expect("audited"), []);
}

#[tokio::test]
async fn the_calendar_is_set_as_a_whole_by_who_may_and_told() {
    let test = TestDb::new().await;
    let firm = firm(&test).await;
    let usual = calendar(&firm).await;
    assert_eq!((usual.version, usual.set.shifts.len(), usual.set.public_holidays), (1, 10, true));
    let closures = vec![Closure { day: day("2026-08-14"), name: " Pont ".to_owned() }];
    let new = NewCalendar { closures, ..usual.set.clone() };
    set(&firm, new.clone(), 1).await.expect("set");
    let stored = calendar(&firm).await;
    assert_eq!((stored.version, stored.set.closures[0].name.as_str()), (2, "Pont"));
    let late = set(&firm, usual.set.clone(), 1).await.expect_err("late");
    assert!(matches!(late, Error::Conflict { expected: 1, actual: 2 }), "{late}");
    set(&firm, new, 2).await.expect("the same again");
    assert_eq!(calendar(&firm).await.version, 2, "which changes nothing");
    let wrong = set(&firm, NewCalendar::default(), 2).await.expect_err("no hours");
    assert_eq!((wrong.code(), wrong.field().as_deref()), ("INVALID", Some("hours")));

    let tx = firm.scope.read().await.expect("snapshot");
    let holidays = service::holidays(&tx, day("2026-05-01"), day("2026-05-31")).await.expect("holidays");
    let names: Vec<_> = holidays.iter().map(|holiday| holiday.name_fr.as_str()).collect();
    assert_eq!(names, ["Fête du Travail", "Victoire de 1945", "Ascension", "Lundi de Pentecôte"]);
    let told = kernel::event::page(&tx, Some(firm.scope.company().id), None, 9).await.expect("events");
    assert_eq!(told.iter().filter(|event| event.kind == "kpi.calendar_set").count(), 1);
    tx.end().await;

    let company = firm.scope.company().id;
    let reader =
        test.scope(company, Actor::System, [Permission::KpiRead].into_iter().collect::<PermissionSet>());
    let refused = reader.write(|tx| Box::pin(service::set(tx, NewCalendar::default(), 2))).await;
    assert!(matches!(refused, Err(Error::Denied(denied)) if denied.0 == Permission::KpiManage));
    let nobody = test.scope(company, Actor::System, PermissionSet::default());
    let tx = nobody.read().await.expect("snapshot");
    assert!(matches!(service::get(&tx).await, Err(Error::Denied(_))));
    assert!(matches!(
        service::holidays(&tx, day("2026-05-01"), day("2026-05-31")).await,
        Err(Error::Denied(_))
    ));
}
