//! Percentiles from buckets of durations.
//!
//! A bucket is named by its lower bound and holds the durations that share its five leading binary digits: from
//! `lower` up to, and without, `lower + width`, where the width is a power of two and at most a sixteenth of the
//! lower bound (durations below 32 ms have a bucket each). The percentile by nearest rank lies in the bucket where
//! the running count reaches its rank; we place it inside the bucket as if the bucket's durations were spread
//! evenly. It is therefore off by less than the width, that is by less than 6.25 % of the exact percentile.

use kernel::Fault;

/// The lower bound of a bucket, from its stored name.
pub fn lower_bound(bucket: &str) -> Result<i64, Fault> {
    bucket.parse().map_err(|_| Fault::Corrupt(format!("duration bucket `{bucket}`")))
}

/// How wide the bucket with this lower bound is, in milliseconds.
pub fn width(lower: i64) -> i64 {
    let digits = i64::BITS - lower.max(0).leading_zeros();
    1 << digits.saturating_sub(5)
}

/// The percentile of bucketed durations, in milliseconds; `None` when there are none. Buckets are pairs of lower
/// bound and count, in any order; a bound may come more than once.
pub fn percentile(percent: u8, mut buckets: Vec<(i64, i64)>) -> Option<i64> {
    buckets.sort_unstable();
    let count: i128 = buckets.iter().map(|(_, count)| i128::from(*count)).sum();
    if count <= 0 {
        return None;
    }
    // Nearest rank: the smallest duration that is not exceeded by so many of all.
    let rank =
        (count * i128::from(percent)).div_euclid(100) + i128::from(count * i128::from(percent) % 100 != 0);
    let mut before = 0_i128;
    for (lower, here) in buckets {
        let here = i128::from(here);
        if here > 0 && before + here >= rank {
            let inside = i128::from(width(lower)) * (2 * (rank - before).max(1) - 1) / (2 * here);
            return i64::try_from(i128::from(lower) + inside).ok();
        }
        before += here;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The bucket of a duration, as the database names it.
    fn bucket(ms: i64) -> i64 {
        let mut lower = ms;
        let step = width(ms);
        lower -= lower % step;
        lower
    }

    #[test]
    fn buckets_are_exact_below_32_and_at_most_a_sixteenth_wide() {
        assert!((0..32).all(|ms| width(ms) == 1));
        for ms in (1..60).flat_map(|exponent| [(1_i64 << exponent) - 1, 1 << exponent, (1 << exponent) + 1]) {
            let lower = bucket(ms);
            assert_eq!(width(lower), width(ms), "{ms}");
            assert!(width(lower) == 1 || width(lower) * 16 <= lower, "{ms}");
        }
    }

    #[test]
    fn a_percentile_is_off_by_less_than_a_sixteenth() {
        let mut state = 7_u64;
        for size in [1_usize, 2, 3, 9, 10, 11, 100, 999] {
            let mut durations: Vec<i64> = (0..size)
                .map(|_| {
                    state =
                        state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                    i64::try_from(state >> 33).unwrap_or(0)
                })
                .collect();
            let buckets = durations.iter().map(|ms| (bucket(*ms), 1)).collect::<Vec<_>>();
            durations.sort_unstable();
            for percent in [1, 50, 90, 99] {
                let exact = durations[(size * usize::from(percent)).div_ceil(100) - 1];
                let found = percentile(percent, buckets.clone()).expect("some");
                assert!(
                    (found - exact).abs() * 16 <= exact.max(16),
                    "p{percent} of {size}: {found} for {exact}"
                );
            }
        }
    }

    #[test]
    fn of_nothing_there_is_none() {
        assert_eq!(percentile(90, Vec::new()), None);
        assert_eq!(percentile(90, vec![(5, 0)]), None);
        assert_eq!(percentile(90, vec![(5, 1)]), Some(5));
    }
}
