//! How large the values of arguments are, variables put in.

use std::collections::HashMap;

use async_graphql::parser::types::{Directive, OperationDefinition};
use async_graphql::{Name, Positioned, Value as ConstValue, Variables};
use async_graphql_value::Value;

use super::limits::{Limit, Limits};
use super::refused::Refused;

/// Bytes of a string that count as one more value.
const STRING_UNIT: usize = 256;

/// How large a value is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Size {
    /// Values in it, itself included.
    pub(super) values: u64,
    /// Lists and objects in one another.
    pub(super) depth: u64,
    /// Items of its longest list.
    pub(super) list: u64,
}

impl Size {
    fn leaf(bytes: usize) -> Self {
        Self { values: 1 + (bytes / STRING_UNIT) as u64, depth: 0, list: 0 }
    }

    fn around(items: u64, parts: impl Iterator<Item = Self>) -> Self {
        let mut size = Self { values: 1, depth: 0, list: items };
        for part in parts {
            size.values = size.values.saturating_add(part.values);
            size.depth = size.depth.max(part.depth);
            size.list = size.list.max(part.list);
        }
        size.depth = size.depth.saturating_add(1);
        size
    }

    /// Refuses what is too deep, or has too long a list.
    pub(super) fn within(self, limits: &Limits, place: impl Fn() -> String) -> Result<(), Refused> {
        let (limit, found, most) = if self.depth > limits.input_depth {
            (Limit::InputDepth, self.depth, limits.input_depth)
        } else if self.list > limits.input_list {
            (Limit::InputList, self.list, limits.input_list)
        } else {
            return Ok(());
        };
        Err(Refused::Exceeded { limit, found, most, place: Some(place()), at: None })
    }
}

/// The size of a value without variables. It is not read deeper than `room`: what lies there is counted as one
/// level more.
pub(super) fn constant(value: &ConstValue, room: u64) -> Size {
    match value {
        ConstValue::String(text) => Size::leaf(text.len()),
        ConstValue::Binary(bytes) => Size::leaf(bytes.len()),
        ConstValue::List(_) | ConstValue::Object(_) if room == 0 => Size { values: 1, depth: 1, list: 0 },
        ConstValue::List(items) => {
            Size::around(items.len() as u64, items.iter().map(|item| constant(item, room - 1)))
        }
        ConstValue::Object(fields) => Size::around(0, fields.values().map(|field| constant(field, room - 1))),
        _ => Size::leaf(0),
    }
}

/// The size of an argument's value; `variable` tells that of a variable.
pub(super) fn literal<'a>(value: &'a Value, variable: &mut impl FnMut(&'a Name) -> Size) -> Size {
    match value {
        Value::Variable(name) => variable(name),
        Value::String(text) => Size::leaf(text.len()),
        Value::List(items) => {
            Size::around(items.len() as u64, items.iter().map(|item| literal(item, variable)))
        }
        Value::Object(fields) => Size::around(0, fields.values().map(|field| literal(field, variable))),
        _ => Size::leaf(0),
    }
}

/// The variables of one request, with the defaults of its operation.
pub(super) struct Known<'a> {
    given: &'a Variables,
    defaults: HashMap<&'a str, &'a ConstValue>,
    sizes: HashMap<&'a str, Size>,
    room: u64,
}

impl<'a> Known<'a> {
    pub(super) fn new(operation: &'a OperationDefinition, given: &'a Variables, limits: &Limits) -> Self {
        let defaults = operation
            .variable_definitions
            .iter()
            .filter_map(|definition| {
                let default = definition.node.default_value.as_ref()?;
                Some((definition.node.name.node.as_str(), &default.node))
            })
            .collect();
        Self { given, defaults, sizes: HashMap::new(), room: limits.input_depth + 1 }
    }

    /// What a variable stands for; `None` if it is neither given nor has a default.
    pub(super) fn value(&self, name: &str) -> Option<&'a ConstValue> {
        self.given.get(name).or_else(|| self.defaults.get(name).copied())
    }

    /// How large a variable's value is, measured once.
    pub(super) fn size(&mut self, name: &'a str) -> Size {
        if let Some(size) = self.sizes.get(name) {
            return *size;
        }
        let size = self.value(name).map_or(Size::leaf(0), |value| constant(value, self.room));
        self.sizes.insert(name, size);
        size
    }

    /// How large an argument's value is.
    pub(super) fn literal(&mut self, value: &'a Value) -> Size {
        literal(value, &mut |name| self.size(name))
    }

    /// Whether a selection is left out for certain: `@skip(if: true)` or `@include(if: false)`, literally or by a
    /// variable. What cannot be told counts as asked for.
    pub(super) fn skips(&self, directives: &[Positioned<Directive>]) -> bool {
        directives.iter().any(|directive| {
            let skipping = match directive.node.name.node.as_str() {
                "skip" => true,
                "include" => false,
                _ => return false,
            };
            match directive.node.get_argument("if").map(|condition| &condition.node) {
                Some(Value::Boolean(condition)) => *condition == skipping,
                Some(Value::Variable(name)) => self.value(name) == Some(&ConstValue::Boolean(skipping)),
                _ => false,
            }
        })
    }
}
