//! What a company measures: rows that say what a figure is made of, what is aimed at, and what it is called.
//!
//! What a figure measures has versions. A version that needs cells which nobody keeps yet is filled from history beside the
//! writers, and becomes what the figure measures all at once.

pub mod builtin;
pub mod draft;
pub mod goal;
pub(crate) mod parameters;
pub mod service;
pub(crate) mod sieve;
pub mod spec;
pub mod store;
pub mod versions;
pub mod window;

pub use draft::{MeasureDraft, PartDraft, SpecDraft, TotalDraft};
pub use goal::{Direction, Goal, Level, Standing, comparable};
pub use spec::{CURRENCY, Condition, HistoryMeaning, Measure, Part, Slices, Spec, Total, Unit};
pub use window::{Grain, Span, Window};

/// Most definitions that a company has at once; archived ones do not count.
pub const MOST_DEFINITIONS: usize = 200;
/// Most of them that need cells of their own.
pub const MOST_SLICED: usize = 50;
