//! Key figures: what a company measures, how it stands now, how it stood, and the records behind it.
//!
//! A *definition* says which cube a figure is read from, over which window of the company's calendar, how the
//! cube's cells become a value, in which unit, which way is better, and what the company aims at. A *figure* is a
//! definition with its value at a revision of the company. A *watch* follows figures as the revision moves; the process's
//! *hub* reads them, once a revision for all watches of a company.
//!
//! An *alert* says that a figure is worse than a threshold, from when to when. A *dashboard* says which figures are shown,
//! and where.
//!
//! Invariants:
//! - A figure equals its recomputation from the facts of its cube, always: the rollups once everything is folded,
//!   the rollups and the pending deltas at any moment. Nothing here writes a rollup or a delta; triggers do.
//! - The records of a drill-down are the facts of the figure: their count and their sum are the figure's.
//! - A figure at a revision is the rollup at that revision; its own `revision` says when it last may have changed.
//! - A figure has one open alert at most; it opens and closes once, whoever evaluates it.
//! - Values are computed by pure functions over cells, the same for rollups and for the recomputation.
//!
//! The domain reads what others declare as cubes (`invoicing::cubes`, `ledger::cubes`) and never their tables but through a cube's
//! facts. It never converts one currency into another, never caches a figure, and never keeps a transaction open
//! while it waits.
//!
//! Permissions: `kpi.read`, `kpi.manage`; a drill-down also needs the right to read its records.
//! Events: `kpi.*`, among them `kpi.alert_*`, `kpi.subscribed` and `kpi.unsubscribed`; `dashboard.*`, `embed_link.*`. Cubes:
//! `kpi.definition`, `kpi.alert`.

pub mod alert;
pub mod calendar;
pub mod cubes;
pub mod dashboard;
pub mod definition;
pub mod error;
pub mod figure;
pub mod watch;

pub use definition::service::{rename, seed_in, set_target};
pub use definition::store::{by_id, by_ids};
pub use definition::{
    Condition, Direction, Goal, Grain, HistoryMeaning, Level, Measure, Spec, Standing, Unit, Window,
    comparable,
};
pub use error::{CODES, Error};
pub use figure::audit::{Discrepancy, audit};
pub use figure::comparison::{Comparison, PeriodValue, comparison};
pub use figure::drill::{count_records, drill_down};
pub use figure::history::{history, sparkline};
pub use figure::series::{Series, SeriesItem, series};
pub use figure::service::{
    at_day, changed_keys_after, figures_of, figures_within, recompute, recompute_on, values,
};
pub use figure::{Amount, Figure, FigureAt, Freshness, Point, Record, Value, Within};
pub use watch::{AlertPush, AlertWatch, Board, Hub, Push, Watch};
