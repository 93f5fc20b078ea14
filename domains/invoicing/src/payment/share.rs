//! How an amount in the company's currency is spread over partial settlements. Pure.
//!
//! Shares are cumulative: after `used` of `total`, the shares given so far make `whole × used / total`, rounded
//! half up. So rounding never adds up, and when all is used, all is given.

/// `whole × used / total`, rounded half up; all of it when everything is used. Nothing is negative,
/// `used <= total`, `total > 0`.
pub(super) fn cumulative(whole: i64, used: i64, total: i64) -> i64 {
    if used >= total {
        return whole;
    }
    let (whole_wide, used, total) = (i128::from(whole), i128::from(used.max(0)), i128::from(total));
    // At most `whole`, for `used < total`.
    i64::try_from((2 * whole_wide * used + total) / (2 * total)).unwrap_or(whole)
}

/// What of a document or payment is used, in its own currency and in the company's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Balance {
    /// In its currency, minor units; > 0 on whatever can be settled.
    pub(super) total: i64,
    /// What is settled of it.
    pub(super) used: i64,
    /// The whole in the company's currency, as posted.
    pub(super) base: i64,
    /// What is settled of that.
    pub(super) base_used: i64,
}

impl Balance {
    /// What is still open.
    pub(super) const fn open(&self) -> i64 {
        self.total - self.used
    }

    /// Uses `amount` of it, at most what is open; its share in the company's currency, never negative.
    pub(super) fn take(&mut self, amount: i64) -> i64 {
        self.used += amount;
        // Undone allocations in between may have left the cumulative sum a little ahead: then nothing is added.
        let share = (cumulative(self.base, self.used, self.total) - self.base_used).max(0);
        self.base_used += share;
        share
    }

    /// Gives back what an allocation has taken.
    pub(super) const fn give_back(&mut self, amount: i64, share: i64) {
        self.used -= amount;
        self.base_used -= share;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thirds_add_up() {
        let mut balance = Balance { total: 3, used: 0, base: 100, base_used: 0 };
        assert_eq!([balance.take(1), balance.take(1), balance.take(1)], [33, 34, 33]);
        assert_eq!((balance.open(), balance.base_used), (0, 100));
    }

    #[test]
    fn the_largest_amounts_do_not_overflow() {
        assert_eq!(cumulative(i64::MAX, i64::MAX - 1, i64::MAX), i64::MAX - 1);
        assert_eq!(cumulative(i64::MAX, i64::MAX, i64::MAX), i64::MAX);
        assert_eq!(cumulative(7, 0, 9), 0);
    }

    #[test]
    fn in_one_currency_a_share_is_the_amount_whatever_happened_before() {
        let mut balance = Balance { total: 1_000, used: 0, base: 1_000, base_used: 0 };
        for step in 1..=20 {
            assert_eq!(balance.take(step), step);
            if step % 3 == 0 {
                balance.give_back(step, step);
            }
        }
        let open = balance.open();
        assert_eq!(balance.take(open), open);
    }

    #[test]
    fn taking_and_giving_back_in_any_order_never_goes_wrong_and_ends_exactly() {
        // A currency whose unit is worth less than a cent: shares of 0 and 1.
        let mut seed = 7_u64;
        let mut balance = Balance { total: 500, used: 0, base: 307, base_used: 0 };
        let mut given: Vec<(i64, i64)> = Vec::new();
        for _ in 0..5_000 {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            let roll = usize::try_from(seed >> 33).expect("31 bits");
            if roll % 2 == 0 && balance.open() > 0 {
                let amount = 1 + i64::try_from(roll / 2 % 9).expect("small").min(balance.open() - 1);
                let share = balance.take(amount);
                assert!(share >= 0);
                given.push((amount, share));
            } else if !given.is_empty() {
                let (amount, share) = given.swap_remove(roll / 2 % given.len());
                balance.give_back(amount, share);
            }
            assert_eq!(balance.used, given.iter().map(|g| g.0).sum::<i64>());
            assert_eq!(balance.base_used, given.iter().map(|g| g.1).sum::<i64>());
            assert!(balance.base_used <= balance.base);
        }
        let open = balance.open();
        balance.take(open);
        assert_eq!(balance.base_used, 307);
    }
}
