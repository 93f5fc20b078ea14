//! A figure beside what it was a period and a year before, like with like.

use chrono::{Days, NaiveDate};
use kernel::cube::Shape;
use kernel::{Permission, Tx};
use rust_decimal::{Decimal, RoundingStrategy};

use super::Value;
use super::service::over_spans;
use crate::definition::{self, Grain, Span, Spec, Window, comparable};
use crate::error::Error;

/// What a figure came to in another period.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PeriodValue {
    /// The first day; for what stood at the end of a day, that day.
    pub from: NaiveDate,
    /// The last day.
    pub to: NaiveDate,
    /// What it came to.
    pub value: Value,
    /// By how much the figure is greater now, as a share of what it was (four digits): of money, in the company's currency.
    /// `None` where there was nothing, or zero.
    pub change: Option<Decimal>,
}

/// A figure beside what it was.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Comparison {
    /// In the period before; what a balance was a month before.
    pub previous_period: Option<PeriodValue>,
    /// In the same period a year before.
    pub previous_year: Option<PeriodValue>,
}

/// What is compared: the days of now, of the period before, and of the year before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Compared {
    now: Span,
    period: Span,
    year: Span,
}

/// The spans that are alike. A period that is still running is compared with as many days of the others.
fn compared(window: Window, today: NaiveDate) -> Option<Compared> {
    match window {
        Window::Calendar { period, .. } => {
            let (first, last) = period.around(today);
            let days = Days::new(u64::try_from((today - first).num_days()).ok()?);
            let running = last > today;
            let like = |day: NaiveDate| {
                let (first, last) = period.around(day);
                let to =
                    if running { first.checked_add_days(days).map_or(last, |to| to.min(last)) } else { last };
                (first, to)
            };
            // A week is compared with the week 52 weeks before: it has the same days.
            let year = if period == Grain::Week {
                Grain::Week.before(first, 52)
            } else {
                Grain::Year.before(first, 1)
            };
            Some(Compared { now: (first, today), period: like(period.before(first, 1)), year: like(year) })
        }
        Window::Rolling { days } => {
            let span = |to| Window::Rolling { days }.days(to);
            Some(Compared {
                now: span(today),
                period: span(Grain::Day.before(today, days)),
                year: span(Grain::Year.before(today, 1)),
            })
        }
        Window::Balance => {
            let span = |to| Window::Balance.days(to);
            Some(Compared {
                now: span(today),
                period: span(Grain::Month.before(today, 1)),
                year: span(Grain::Year.before(today, 1)),
            })
        }
        Window::All | Window::BeforeToday => None,
    }
}

/// A figure beside the period and the year before. Both are `None` of what has no periods, or tells of now only.
/// Needs `kpi.read`.
///
/// # Errors
/// `NOT_FOUND`.
pub async fn comparison(tx: &Tx, key: &str) -> Result<Comparison, Error> {
    tx.scope().require(Permission::KpiRead)?;
    let spec = Spec::of(&definition::store::of_key(tx, key).await?)?;
    let today = tx.scope().today();
    let Some(Compared { now, period, year }) =
        compared(spec.window, today).filter(|_| !spec.is_of_now_only())
    else {
        return Ok(Comparison::default());
    };
    let mut values = over_spans(tx, &spec, &[now, period, year], today).await?.into_iter();
    let (now, books) = (values.next().unwrap_or_default(), tx.scope().company().currency);
    let mut beside = |span: Span| {
        let value = values.next()?;
        let change = change(comparable(&spec, &value, books), comparable(&spec, &now, books));
        let stands = spec.window == Window::Balance || spec.cube.shape == Shape::Balance;
        Some(PeriodValue { from: if stands { span.1 } else { span.0 }, to: span.1, value, change })
    };
    Ok(Comparison { previous_period: beside(period), previous_year: beside(year) })
}

fn change(before: Option<Decimal>, now: Option<Decimal>) -> Option<Decimal> {
    let before = before?;
    let exact = (now? - before).checked_div(before.abs())?;
    Some(exact.round_dp_with_strategy(4, RoundingStrategy::MidpointAwayFromZero))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn span(first: &str, last: &str) -> Span {
        (first.parse().expect("a date"), last.parse().expect("a date"))
    }

    fn of(window: Window, today: &str) -> Compared {
        compared(window, today.parse().expect("a date")).expect("comparable")
    }

    #[test]
    fn a_running_period_is_compared_with_as_many_days() {
        let month = Window::Calendar { period: Grain::Month, to_date: false };
        let running = of(month, "2026-03-10");
        assert_eq!(running.period, span("2026-02-01", "2026-02-10"));
        assert_eq!(running.year, span("2025-03-01", "2025-03-10"));
        assert_eq!(
            of(month, "2026-03-30").period,
            span("2026-02-01", "2026-02-28"),
            "February has no more days"
        );
        assert_eq!(
            of(month, "2026-03-31").period,
            span("2026-02-01", "2026-02-28"),
            "it is over with its last day"
        );
        let week = Window::Calendar { period: Grain::Week, to_date: true };
        assert_eq!(of(week, "2026-06-17").year, span("2025-06-16", "2025-06-18"), "Monday to Wednesday");
        let year = Window::Calendar { period: Grain::Year, to_date: true };
        assert_eq!(of(year, "2024-12-31").period, span("2023-01-01", "2023-12-31"));
    }

    #[test]
    fn rolling_windows_follow_on_each_other() {
        let rolling = of(Window::Rolling { days: 30 }, "2026-06-30");
        assert_eq!(
            (rolling.now, rolling.period),
            (span("2026-06-01", "2026-06-30"), span("2026-05-02", "2026-05-31"))
        );
        assert_eq!(of(Window::Balance, "2026-03-31").period.1, span("2026-02-28", "2026-02-28").1);
    }

    #[test]
    fn nothing_and_zero_have_no_change() {
        let decimal = |text: &str| Some(text.parse::<Decimal>().expect("decimal"));
        assert_eq!(change(decimal("200"), decimal("150")), decimal("-0.25"));
        assert_eq!(
            change(decimal("-100"), decimal("50")),
            decimal("1.5"),
            "it got better by more than it was"
        );
        assert_eq!(change(decimal("3"), decimal("4")), decimal("0.3333"));
        assert_eq!((change(decimal("0"), decimal("1")), change(None, decimal("1"))), (None, None));
    }
}
