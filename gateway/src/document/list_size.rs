//! How long a list may become: the directive `@listSize` (GraphQL Cost Directives, section 3.2).

use async_graphql::Value;
use async_graphql::parser::types::{ConstDirective, FieldDefinition};

/// What a field declares about its length.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct ListSize {
    /// The length if nothing else tells it.
    pub(super) assumed: Option<u64>,
    /// The arguments that tell it.
    pub(super) slicing: Vec<Slicing>,
    /// Whether exactly one of them must be given.
    pub(super) exactly_one: bool,
    /// The fields of what the field returns that are as long; if empty, the field itself is.
    pub(super) sized: Vec<String>,
}

/// An argument that tells how long a list is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Slicing {
    pub(super) name: String,
    /// Its default in the schema.
    pub(super) default: Option<u64>,
}

impl ListSize {
    /// A length that nothing changes.
    pub(super) fn assumed(length: u64) -> Self {
        Self { assumed: Some(length), slicing: Vec::new(), exactly_one: false, sized: Vec::new() }
    }

    /// Reads the directive of a field.
    pub(super) fn read(field: &FieldDefinition, directive: &ConstDirective) -> Result<Self, String> {
        let mut size = Self { assumed: None, slicing: Vec::new(), exactly_one: true, sized: Vec::new() };
        for (name, value) in &directive.arguments {
            match (name.node.as_str(), &value.node) {
                (_, Value::Null) => {}
                ("assumedSize", Value::Number(number)) if number.is_u64() => size.assumed = number.as_u64(),
                ("slicingArguments", list) => {
                    for name in names(list)? {
                        size.slicing.push(Slicing { default: default(field, &name)?, name });
                    }
                }
                ("sizedFields", list) => size.sized = names(list)?,
                ("requireOneSlicingArgument", Value::Boolean(exactly_one)) => size.exactly_one = *exactly_one,
                (name, value) => return Err(format!("`{name}` cannot be {value}")),
            }
        }
        if size.assumed.is_none() && size.slicing.is_empty() {
            return Err("it needs `assumedSize` or `slicingArguments`".to_owned());
        }
        Ok(size)
    }
}

fn names(list: &Value) -> Result<Vec<String>, String> {
    let Value::List(items) = list else { return Err(format!("{list} is no list of names")) };
    let name = |item: &Value| match item {
        Value::String(name) => Ok(name.clone()),
        other => Err(format!("{other} is no name")),
    };
    items.iter().map(name).collect()
}

fn default(field: &FieldDefinition, argument: &str) -> Result<Option<u64>, String> {
    let definition = field
        .arguments
        .iter()
        .find(|definition| definition.node.name.node == argument)
        .ok_or_else(|| format!("the field has no argument `{argument}`"))?;
    Ok(definition.node.default_value.as_ref().and_then(|value| length(&value.node)))
}

/// A length as a value gives it: negative ones count as none, which a resolver refuses anyway.
pub(super) fn length(value: &Value) -> Option<u64> {
    match value {
        Value::Number(number) => Some(match (number.as_u64(), number.as_f64()) {
            (Some(length), _) => length,
            // No `Int` of GraphQL is as large; whoever sends this gets the limit's refusal rather than a guess.
            (None, Some(length)) if length >= 1.0 => u64::MAX,
            _ => 0,
        }),
        _ => None,
    }
}
