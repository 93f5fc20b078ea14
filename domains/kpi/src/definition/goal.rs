//! What a company aims at, and from where on a figure is bad. Pure.

use entity::kpi::kpi_definition::Model;
use kernel::{Currency, Fault};
use rust_decimal::Decimal;

use super::spec::{Measure, Spec, Unit};
use crate::error::Error;
use crate::figure::Value;

/// Which way is better.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// The more, the better: the target is a floor.
    Up,
    /// The less, the better: the target is a ceiling.
    Down,
    /// Between two values, both of them good: the band is the target.
    Band {
        /// The least good value, in the unit.
        low: Decimal,
        /// The greatest good value, in the unit.
        high: Decimal,
    },
}

impl Direction {
    /// The stored form; the ends of a band stand in columns of their own.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Up => "up",
            Self::Down => "down",
            Self::Band { .. } => "band",
        }
    }

    /// The ends of a band.
    pub const fn band(self) -> Option<(Decimal, Decimal)> {
        match self {
            Self::Band { low, high } => Some((low, high)),
            Self::Up | Self::Down => None,
        }
    }

    /// How bad a value is, on a scale on which more is worse: of a band, how far outside of it.
    pub fn badness(self, value: Decimal) -> Decimal {
        match self {
            Self::Up => -value,
            Self::Down => value,
            Self::Band { low, high } => (low - value).max(value - high).max(Decimal::ZERO),
        }
    }
}

/// How a value stands to its target or its band.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// At the target or better; within the band.
    Reached,
    /// Worse than the target; outside of the band.
    Missed,
}

/// How bad a value is, by the company's thresholds. Ordered: what is worse is greater.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Level {
    /// No threshold is passed.
    Ok,
    /// Worse than the warning threshold.
    Warning,
    /// Worse than the critical threshold.
    Critical,
}

impl Level {
    /// The stored form.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Warning => "warning",
            Self::Critical => "critical",
        }
    }

    /// Reads the stored form.
    pub fn parse(stored: &str) -> Option<Self> {
        [Self::Ok, Self::Warning, Self::Critical].into_iter().find(|level| level.as_str() == stored)
    }
}

/// What a company aims at with a figure, all in the figure's unit (money: of the company's currency).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Goal {
    /// Which way is better.
    pub direction: Direction,
    /// What is aimed at; never beside a band.
    pub target: Option<Decimal>,
    /// A value that is worse than this is a warning. Of a band: one that lies farther outside of it than this.
    pub warning: Option<Decimal>,
    /// A value that is worse than this is critical. Of a band: one that lies farther outside of it than this.
    pub critical: Option<Decimal>,
    /// How much better than a threshold a value must be before the threshold counts as left; zero or more.
    pub hysteresis: Decimal,
}

impl Goal {
    /// Reads a definition's row.
    ///
    /// # Errors
    /// A fault when the row says what cannot be.
    pub fn of(definition: &Model) -> Result<Self, Fault> {
        let direction = match (definition.direction.as_str(), definition.band_low, definition.band_high) {
            ("up", ..) => Direction::Up,
            ("down", ..) => Direction::Down,
            ("band", Some(low), Some(high)) => Direction::Band { low, high },
            _ => return Err(Fault::Corrupt(format!("kpi_definition {}: direction", definition.key))),
        };
        Ok(Self {
            direction,
            target: definition.target,
            warning: definition.warning,
            critical: definition.critical,
            hysteresis: definition.hysteresis,
        })
    }

    /// How a value stands to the target or the band; `None` without one, and where there is nothing to compare.
    pub fn standing(&self, value: Option<Decimal>) -> Option<Standing> {
        let value = value?;
        let good = match (self.direction, self.target) {
            (Direction::Band { .. }, _) => self.direction.badness(value).is_zero(),
            (Direction::Up, Some(target)) => value >= target,
            (Direction::Down, Some(target)) => value <= target,
            (_, None) => return None,
        };
        Some(if good { Standing::Reached } else { Standing::Missed })
    }

    /// The level of a value by itself; `None` without thresholds, and where there is nothing to compare. A value that
    /// stands at a threshold has not passed it, as one at the target has reached it.
    pub fn level(&self, value: Option<Decimal>) -> Option<Level> {
        self.level_after(Level::Ok, value)
    }

    /// The level of a value that follows on a level: a threshold that was passed is left only when the value is better
    /// than the threshold by the hysteresis, or as good as that.
    pub fn level_after(&self, before: Level, value: Option<Decimal>) -> Option<Level> {
        if self.warning.is_none() && self.critical.is_none() {
            return None;
        }
        let bad = self.direction.badness(value?);
        let passed = |level: Level, threshold: Option<Decimal>| {
            let threshold = self.badness_of(threshold?);
            let leave = if before >= level { self.hysteresis } else { Decimal::ZERO };
            (bad > threshold - leave).then_some(level)
        };
        let level = passed(Level::Critical, self.critical).or_else(|| passed(Level::Warning, self.warning));
        Some(level.unwrap_or(Level::Ok))
    }

    fn badness_of(&self, threshold: Decimal) -> Decimal {
        match self.direction {
            Direction::Band { .. } => threshold,
            Direction::Up | Direction::Down => self.direction.badness(threshold),
        }
    }

    /// Refuses what no value of the figure can reach or miss, and thresholds in the wrong order.
    ///
    /// # Errors
    /// `INVALID` with the field: `target`, `band.low`, `band.high`, `warning`, `critical` or `hysteresis`.
    pub fn check(&self, spec: &Spec) -> Result<(), Error> {
        let refuse = |field: &'static str, message: &'static str| Err(Error::invalid(field, message));
        if let Some(target) = self.target {
            check_value("target", spec, target)?;
        }
        if let Direction::Band { low, high } = self.direction {
            check_value("band.low", spec, low)?;
            check_value("band.high", spec, high)?;
            if low > high {
                return refuse("band.high", "the high end of a band is below its low end: exchange them");
            }
            if self.target.is_some() {
                return refuse("target", "a band is the target: leave the target out, or aim up or down");
            }
        }
        for (field, distance) in [("warning", self.warning), ("critical", self.critical)] {
            let Some(threshold) = distance else { continue };
            if self.direction.band().is_some() {
                check_distance(field, spec.unit, threshold)?;
            } else {
                check_value(field, spec, threshold)?;
            }
        }
        check_distance("hysteresis", spec.unit, self.hysteresis)?;
        match (self.warning, self.critical) {
            (Some(warning), Some(critical)) if self.badness_of(critical) < self.badness_of(warning) => {
                refuse("critical", "the critical threshold is better than the warning one: exchange them")
            }
            _ => Ok(()),
        }
    }
}

/// The one number of a value that goals are compared with: of money, the amount in the company's currency, for nothing
/// is converted.
pub fn comparable(spec: &Spec, value: &Value, company: Currency) -> Option<Decimal> {
    if spec.unit != Unit::Money {
        return value.number;
    }
    let own = value.amounts.iter().find(|amount| amount.money.currency == company);
    match (own, &spec.measure) {
        (Some(amount), _) => Some(amount.money.amount()),
        // No record is an amount of zero, but no mean and no quotient.
        (None, Measure::Sum(_) | Measure::Count) => Some(Decimal::ZERO),
        (None, _) => None,
    }
}

fn within_digits(value: Decimal) -> bool {
    value.normalize().scale() <= 6 && value.abs() <= Decimal::from(1_000_000_000_000_000_i64)
}

/// Refuses a value that no figure of this kind can have.
fn check_value(field: &'static str, spec: &Spec, value: Decimal) -> Result<(), Error> {
    let refuse = |message: &'static str| Err(Error::invalid(field, message));
    match spec.unit {
        _ if value.is_sign_negative() && !value.is_zero() => {
            refuse("it must not be negative: give zero or more")
        }
        _ if !within_digits(value) => refuse("give at most 15 digits before and 6 after the decimal point"),
        Unit::Count | Unit::Duration if !value.fract().is_zero() => {
            refuse("give a whole number (of things, or of milliseconds)")
        }
        Unit::Ratio if value > Decimal::ONE && matches!(spec.measure, Measure::Share(_)) => {
            refuse("a share lies between 0 and 1: write 0.05 for 5 %")
        }
        Unit::Score if value < Decimal::ONE || value > Decimal::from(5) => {
            refuse("a score lies between 1 and 5")
        }
        _ => Ok(()),
    }
}

/// Refuses a distance that no two values can have.
fn check_distance(field: &'static str, unit: Unit, distance: Decimal) -> Result<(), Error> {
    let refuse = |message: &'static str| Err(Error::invalid(field, message));
    if distance.is_sign_negative() && !distance.is_zero() {
        return refuse("it must not be negative: give zero or more");
    }
    if !within_digits(distance) {
        return refuse("give at most 15 digits before and 6 after the decimal point");
    }
    if matches!(unit, Unit::Count | Unit::Duration) && !distance.fract().is_zero() {
        return refuse("give a whole number (of things, or of milliseconds)");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decimal(text: &str) -> Decimal {
        text.parse().expect("decimal")
    }

    fn goal(direction: Direction, warning: &str, critical: &str, hysteresis: &str) -> Goal {
        let (warning, critical) = (Some(decimal(warning)), Some(decimal(critical)));
        Goal { direction, target: None, warning, critical, hysteresis: decimal(hysteresis) }
    }

    #[test]
    fn a_threshold_is_passed_beyond_it_and_left_by_the_hysteresis() {
        let down = goal(Direction::Down, "10", "20", "3");
        let level = |value: &str| down.level(Some(decimal(value)));
        assert_eq!(level("10"), Some(Level::Ok), "at the threshold it is not passed");
        assert_eq!((level("10.01"), level("20.01")), (Some(Level::Warning), Some(Level::Critical)));
        let after = |before, value: &str| down.level_after(before, Some(decimal(value)));
        assert_eq!(after(Level::Warning, "7.01"), Some(Level::Warning));
        assert_eq!(after(Level::Warning, "7"), Some(Level::Ok));
        assert_eq!(after(Level::Critical, "17.5"), Some(Level::Critical));
        assert_eq!(after(Level::Critical, "17"), Some(Level::Warning), "critical is left before warning is");
        assert_eq!(after(Level::Warning, "18"), Some(Level::Warning), "hysteresis holds, it never raises");
    }

    #[test]
    fn up_is_down_mirrored() {
        let up = goal(Direction::Up, "10", "5", "1");
        let after = |before, value: &str| up.level_after(before, Some(decimal(value)));
        assert_eq!(after(Level::Ok, "10"), Some(Level::Ok));
        assert_eq!(after(Level::Ok, "9.99"), Some(Level::Warning));
        assert_eq!(after(Level::Warning, "10.5"), Some(Level::Warning));
        assert_eq!(after(Level::Warning, "11"), Some(Level::Ok));
        assert_eq!(after(Level::Ok, "4"), Some(Level::Critical));
    }

    #[test]
    fn a_band_is_bad_on_both_sides() {
        let band = goal(Direction::Band { low: decimal("10"), high: decimal("20") }, "0", "5", "0");
        let level = |value: &str| band.level(Some(decimal(value)));
        assert_eq!(
            (level("10"), level("20"), level("15")),
            (Some(Level::Ok), Some(Level::Ok), Some(Level::Ok))
        );
        assert_eq!((level("9"), level("21")), (Some(Level::Warning), Some(Level::Warning)));
        assert_eq!((level("4.9"), level("25.1")), (Some(Level::Critical), Some(Level::Critical)));
        assert_eq!(band.standing(Some(decimal("9"))), Some(Standing::Missed));
        assert_eq!(band.standing(Some(decimal("10"))), Some(Standing::Reached));
        assert_eq!(band.level(None), None, "nothing to compare");
    }
}
