//! How measurements are spread.

/// The middle and the late end of many measurements.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Spread {
    pub count: usize,
    pub p50: f64,
    pub p95: f64,
    pub p99: f64,
}

impl Spread {
    /// Of measurements in any order; of none, nothing that is a number.
    pub(crate) fn of(mut measured: Vec<f64>) -> Self {
        measured.sort_by(f64::total_cmp);
        let at = |share: f64| measured.get(index(share, measured.len())).copied().unwrap_or(f64::NAN);
        Self { count: measured.len(), p50: at(0.5), p95: at(0.95), p99: at(0.99) }
    }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "an index into what was measured"
)]
fn index(share: f64, len: usize) -> usize {
    (share * as_f64(len)) as usize
}

/// A count of what was measured.
#[expect(clippy::cast_precision_loss, reason = "far fewer than a float can count")]
pub(crate) fn as_f64(n: usize) -> f64 {
    n as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_of_the_sorted_measurements() {
        let spread = Spread::of((0..200).rev().map(as_f64).collect());
        assert_eq!((spread.count, spread.p50, spread.p95, spread.p99), (200, 100.0, 190.0, 198.0));
    }
}
