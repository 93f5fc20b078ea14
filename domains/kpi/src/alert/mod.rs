//! Alerts: a figure is worse than a threshold of its definition, from when to when, and who looks after it.
//!
//! A figure has one open alert at most. It opens when the figure passes a threshold, rises and falls with the levels, and
//! closes when the figure is better than its lowest threshold by the hysteresis. Each of these is an event. Whoever
//! evaluates a company holds its row of `kpi_alert_mark`, so however many replicas do, each turn is taken once; a unique
//! index holds it too.
//!
//! Letters go to who subscribed and still may read figures: at most one for each alert and level that it rises to, all that
//! rose within [`GATHERED`] in one letter. A snoozed alert writes none until then.

pub mod evaluate;
mod letters;
pub mod service;
pub(crate) mod store;
pub mod subscription;
mod words;

use chrono::TimeDelta;
use uuid::Uuid;

use crate::definition::Level;

/// An alert as it is stored.
pub use entity::kpi::kpi_alert::Model as Alert;
/// What a member wants to know, as it is stored.
pub use entity::kpi::kpi_subscription::Model as Subscription;

/// How long letters wait for further alerts, to be told together.
pub const GATHERED: TimeDelta = TimeDelta::seconds(30);
/// The longest that an alert can be snoozed.
pub const LONGEST_SNOOZE: TimeDelta = TimeDelta::days(90);

/// What becomes of a figure's alert.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Turn {
    /// Nothing new.
    Stay,
    /// It opens at a level.
    Open(Level),
    /// It rises to a level.
    Escalate(Level),
    /// It falls to a level, and stays open.
    Ease(Level),
    /// It closes.
    Close,
}

/// What becomes of an alert: `before` is the level of the open one ([`Level::Ok`]: none is open), `now` that of the figure
/// after it ([`crate::definition::Goal::level_after`]); `None` without a threshold, and with nothing to measure.
pub(crate) fn turn(before: Level, now: Option<Level>) -> Turn {
    match (before, now.unwrap_or(Level::Ok)) {
        (Level::Ok, Level::Ok) => Turn::Stay,
        (Level::Ok, level) => Turn::Open(level),
        (_, Level::Ok) => Turn::Close,
        (before, level) if level > before => Turn::Escalate(level),
        (before, level) if level < before => Turn::Ease(level),
        _ => Turn::Stay,
    }
}

/// Which alerts are listed; all by default.
#[derive(Clone, Copy, Debug, Default)]
pub struct AlertFilter {
    /// Open ones, or closed ones.
    pub open: Option<bool>,
    /// Those that stand at a level, or stood at it last.
    pub level: Option<Level>,
    /// Those of one figure.
    pub kpi: Option<Uuid>,
    /// Those that who asks should look after.
    pub assigned_to_me: bool,
}

/// The open alerts of a company at a revision.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OpenAlerts {
    /// The alerts, oldest first, with the figure each is of.
    pub alerts: Vec<std::sync::Arc<Posted>>,
    /// The company's revision at which an alert last changed; the greatest number there is, while a change of one is not
    /// folded yet.
    pub revision: i64,
}

/// An alert, and what its definition calls it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Posted {
    /// The alert.
    pub alert: Alert,
    /// The key of its figure.
    pub key: String,
    /// The figure's French name.
    pub label_fr: String,
    /// The figure's English name.
    pub label_en: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_alert_opens_and_closes_once() {
        use Level::{Critical, Ok, Warning};
        assert_eq!(turn(Ok, Some(Ok)), Turn::Stay);
        assert_eq!(turn(Ok, Some(Critical)), Turn::Open(Critical));
        assert_eq!(turn(Warning, Some(Warning)), Turn::Stay);
        assert_eq!(turn(Warning, Some(Critical)), Turn::Escalate(Critical));
        assert_eq!(turn(Critical, Some(Warning)), Turn::Ease(Warning));
        assert_eq!(turn(Critical, Some(Ok)), Turn::Close);
        assert_eq!((turn(Warning, None), turn(Ok, None)), (Turn::Close, Turn::Stay), "nothing to measure");
    }
}
