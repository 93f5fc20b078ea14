//! How what a figure measures is stored: strictly typed JSON. Pure.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::spec::{CURRENCY, Condition, Measure, Part, Slices, Spec, Total};
use super::window::{Grain, MOST_ROLLING_DAYS, Window};
use crate::cubes;

/// What `kpi_definition.parameters` holds, beside the columns `cube` and `measure`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Parameters {
    pub(crate) window: Window,
    pub(crate) measure: StoredMeasure,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) filter: Vec<Condition>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) dimensions: Vec<String>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub(crate) enum StoredMeasure {
    Sum { quantity: String },
    Count {},
    Mean { quantity: String },
    Percentile { percent: u8 },
    Share { of: Condition },
    Quotient { of: StoredTotal, over: StoredPart },
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub(crate) enum StoredTotal {
    Count {},
    Sum { quantity: String },
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct StoredPart {
    cube: String,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    filter: Vec<Condition>,
    total: StoredTotal,
}

/// What servers before specs had versions wrote.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Old {
    window: OldWindow,
    /// It follows from the cube and the window now.
    #[serde(rename = "history")]
    _history: super::spec::HistoryMeaning,
    #[serde(default)]
    only: Vec<String>,
    #[serde(default)]
    share_of: Vec<String>,
    percentile: Option<u8>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
enum OldWindow {
    Month,
    Rolling(u32),
    BeforeToday,
    All,
}

impl Parameters {
    /// Of a spec.
    pub(crate) fn of(spec: &Spec) -> Self {
        let measure = match &spec.measure {
            Measure::Sum(quantity) => StoredMeasure::Sum { quantity: quantity.name.to_owned() },
            Measure::Count => StoredMeasure::Count {},
            Measure::Mean(quantity) => StoredMeasure::Mean { quantity: quantity.name.to_owned() },
            Measure::Percentile(percent) => StoredMeasure::Percentile { percent: *percent },
            Measure::Share(of) => StoredMeasure::Share { of: of.clone() },
            Measure::Quotient { of, over } => StoredMeasure::Quotient {
                of: StoredTotal::of(*of),
                over: StoredPart {
                    cube: over.cube.name.to_owned(),
                    filter: over.filter.clone(),
                    total: StoredTotal::of(over.total),
                },
            },
        };
        Self {
            window: spec.window,
            measure,
            filter: spec.filter.clone(),
            dimensions: spec.dimensions.clone(),
        }
    }

    /// Reads what is stored, in the form of today or of before. `measure` is the column beside it.
    pub(crate) fn read(measure: &str, stored: &Value) -> Result<Self, String> {
        if stored.get("measure").is_some() {
            return Self::deserialize(stored).map_err(|error| error.to_string());
        }
        Old::deserialize(stored).map_err(|error| error.to_string())?.today(measure)
    }

    /// The spec of a cube, without its slices.
    pub(crate) fn spec(self, cube: &str) -> Result<Spec, String> {
        let cube = cubes::by_name(cube).ok_or_else(|| format!("no cube {cube}"))?;
        let quantity = |cube: &'static kernel::cube::Cube, name: &str| {
            // Before quantities had names there was one sum.
            let found = if name.is_empty() { cube.quantities.first() } else { cube.quantity(name) };
            found.ok_or_else(|| format!("no quantity `{name}` in {}", cube.name))
        };
        let total = |cube, stored: StoredTotal| match stored {
            StoredTotal::Count {} => Ok(Total::Count),
            StoredTotal::Sum { quantity: name } => quantity(cube, &name).map(Total::Sum),
        };
        // A condition without a dimension is one of before, on the cube's first.
        let named = |cube: &'static kernel::cube::Cube, condition: Condition| match cube.dimensions[0] {
            Some(first) if condition.dimension.is_empty() => {
                Ok(Condition { dimension: first.name.to_owned(), ..condition })
            }
            _ if condition.dimension == CURRENCY || cube.place_of(&condition.dimension).is_some() => {
                Ok(condition)
            }
            _ => Err(format!("no dimension `{}` in {}", condition.dimension, cube.name)),
        };
        let all_named = |cube, filter: Vec<Condition>| {
            filter.into_iter().map(|condition| named(cube, condition)).collect::<Result<Vec<_>, String>>()
        };
        let measure = match self.measure {
            StoredMeasure::Sum { quantity: name } => Measure::Sum(quantity(cube, &name)?),
            StoredMeasure::Count {} => Measure::Count,
            StoredMeasure::Mean { quantity: name } => Measure::Mean(quantity(cube, &name)?),
            StoredMeasure::Percentile { percent }
                if (1..=99).contains(&percent) && cube.bucket().is_some() =>
            {
                Measure::Percentile(percent)
            }
            StoredMeasure::Percentile { percent } => {
                return Err(format!("no percentile {percent} of {}", cube.name));
            }
            StoredMeasure::Share { of } => Measure::Share(named(cube, of)?),
            StoredMeasure::Quotient { of, over } => {
                let other = cubes::by_name(&over.cube).ok_or_else(|| format!("no cube {}", over.cube))?;
                let filter = all_named(other, over.filter)?;
                let over = Part { cube: other, filter, total: total(other, over.total)? };
                Measure::Quotient { of: total(cube, of)?, over }
            }
        };
        match self.window {
            Window::Rolling { days } if days == 0 || days > MOST_ROLLING_DAYS => {
                return Err(format!("a window of {days} days"));
            }
            _ => {}
        }
        Ok(Spec {
            cube,
            filter: all_named(cube, self.filter)?,
            unit: measure.unit().ok_or("a measure without a unit")?,
            measure,
            window: self.window,
            dimensions: self.dimensions,
            slices: Slices::default(),
        })
    }
}

impl StoredTotal {
    fn of(total: Total) -> Self {
        match total {
            Total::Count => Self::Count {},
            Total::Sum(quantity) => Self::Sum { quantity: quantity.name.to_owned() },
        }
    }
}

impl Old {
    fn today(self, measure: &str) -> Result<Parameters, String> {
        let first_sum = String::new;
        let first_dimension = |any_of| Condition { any_of, ..Condition::default() };
        let measure = match (measure, self.percentile) {
            ("sum", _) => StoredMeasure::Sum { quantity: first_sum() },
            ("count", _) => StoredMeasure::Count {},
            ("mean", _) => StoredMeasure::Mean { quantity: first_sum() },
            ("percentile", Some(percent)) => StoredMeasure::Percentile { percent },
            ("share", _) => StoredMeasure::Share { of: first_dimension(self.share_of) },
            _ => return Err(format!("measure {measure}")),
        };
        let window = match self.window {
            OldWindow::Month => Window::Calendar { period: Grain::Month, to_date: false },
            OldWindow::Rolling(days) => Window::Rolling { days },
            OldWindow::BeforeToday => Window::BeforeToday,
            OldWindow::All => Window::All,
        };
        let filter = if self.only.is_empty() { Vec::new() } else { vec![first_dimension(self.only)] };
        Ok(Parameters { window, measure, filter, dimensions: Vec::new() })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_older_servers_wrote_is_read() {
        let old = json!({"window": "month", "history": "of_day"});
        let spec = Spec::stored("invoice.issued", "sum", &old).expect("read");
        assert_eq!(spec.window, Window::Calendar { period: Grain::Month, to_date: false });
        assert!(matches!(spec.measure, Measure::Sum(quantity) if quantity.name == "net"));
        let old = json!({"window": "before_today", "history": "by_due_day", "only": ["invoice"]});
        let spec = Spec::stored("receivable.open", "sum", &old).expect("read");
        assert_eq!(spec.filter, [Condition::any_of("kind", ["invoice"])]);
        let old =
            json!({"window": {"rolling": 90}, "history": "as_of_day", "share_of": ["corrected", "rejected"]});
        let spec = Spec::stored("bill.outcome", "share", &old).expect("read");
        assert_eq!(spec.measure, Measure::Share(Condition::any_of("outcome", ["corrected", "rejected"])));
    }

    #[test]
    fn what_is_written_is_read_again_and_nothing_unknown_is() {
        let stored = json!({
            "window": {"calendar": {"period": "quarter", "to_date": true}},
            "measure": {"quotient": {
                "of": {"sum": {"quantity": "net"}},
                "over": {"cube": "payment.recorded", "total": {"count": {}},
                         "filter": [{"dimension": "direction", "any_of": ["received"]}]}}},
            "filter": [{"dimension": "kind", "none_of": ["credit_note"]}, {"dimension": "currency", "any_of": ["EUR"]}],
            "dimensions": ["kind"],
        });
        let spec = Spec::stored("invoice.issued", "quotient", &stored).expect("read");
        assert_eq!(serde_json::to_value(Parameters::of(&spec)).expect("written"), stored);
        assert_eq!(spec.unit, crate::definition::Unit::Money);
        let mut unknown = stored.clone();
        unknown["window"]["calendar"]["zone"] = json!("UTC");
        assert!(Spec::stored("invoice.issued", "quotient", &unknown).is_err());
        let mut unknown = stored;
        unknown["filter"][0]["dimension"] = json!("colour");
        assert!(Spec::stored("invoice.issued", "quotient", &unknown).is_err());
    }
}
