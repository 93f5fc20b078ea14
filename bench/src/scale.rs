//! How much is measured.

use std::time::Duration;

/// The size of everything that takes its time.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Scale {
    /// Invoices of the company whose requests are measured.
    pub invoices: usize,
    /// How long each side of a pair runs.
    pub span: Duration,
    /// How often each pair runs; the median is told.
    pub rounds: usize,
    /// Companies that write and are followed at once.
    pub companies: usize,
    /// How long they do.
    pub steady: Duration,
    /// Invoices that a turn of the hot company issues.
    pub turn: usize,
    /// Invoices behind the dashboard.
    pub behind: usize,
    /// Dashboards that are read by new processes.
    pub starts: usize,
}

impl Scale {
    /// What the figures in the documents are measured with.
    pub(crate) const FULL: Self = Self {
        invoices: 400,
        span: Duration::from_secs(8),
        rounds: 3,
        companies: 200,
        steady: Duration::from_mins(1),
        turn: 1000,
        behind: 3000,
        starts: 15,
    };
    /// Just enough to see that everything works. Its figures say nothing.
    pub(crate) const BRIEF: Self = Self {
        invoices: 20,
        span: Duration::from_secs(2),
        rounds: 2,
        companies: 12,
        steady: Duration::from_secs(10),
        turn: 40,
        behind: 90,
        starts: 3,
    };
}
