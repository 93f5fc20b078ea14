//! Cubes: what domains declare so that figures can be kept, recomputed and drilled into.
//!
//! A cube is one SQL text of facts. Triggers of the same domain keep its sums in the rollups as deltas; the sum
//! over the facts is the recomputation; the facts of a figure are its drill-down. All three must agree, always.

use crate::id::Kind;

/// A declared cube.
#[derive(Clone, Copy, Debug)]
pub struct Cube {
    /// The name in `kpi_delta.cube` and `kpi_rollup.cube`, e.g. `invoice.issued`.
    pub name: &'static str,
    /// What it counts and adds up, for people who build figures on it.
    pub meaning: &'static str,
    /// The kind of the records behind its facts.
    pub record: Kind,
    /// A SELECT without parameters: one row a fact, with the columns `record_id uuid, day date, dim1 text,
    /// dim2 text, dim3 text, currency text, count bigint, sum1 bigint, sum2 bigint`.
    pub facts: &'static str,
}
