//! Variables that must have a value and have none. The executor finds out when a field wants one, in the middle of the
//! operation; by the specification the operation does not begin then (GraphQL, section 6.1.2).

use async_graphql::parser::types::OperationDefinition;
use async_graphql::{ServerError, Value, Variables};

/// The first variable of an operation that must have a value and is given none, as the error to answer. The outcome is
/// [`Invalid`](super::Outcome::Invalid).
pub fn missing(operation: &OperationDefinition, variables: &Variables) -> Option<ServerError> {
    let definition = operation.variable_definitions.iter().find(|definition| {
        let definition = &definition.node;
        match variables.get(&definition.name.node) {
            // A default stands for what is left out, not for null.
            Some(value) => !definition.var_type.node.nullable && *value == Value::Null,
            None => !definition.var_type.node.nullable && definition.default_value.is_none(),
        }
    })?;
    let (name, kind) = (&definition.node.name.node, &definition.node.var_type.node);
    let message = format!("the variable `${name}` is of the type `{kind}` and must have a value");
    let mut error = ServerError::new(message, Some(definition.pos));
    error.extensions.get_or_insert_default().set("code", "GRAPHQL_VALIDATION_FAILED");
    Some(error)
}

#[cfg(test)]
mod tests {
    use async_graphql::parser::parse_query;
    use async_graphql::parser::types::DocumentOperations;
    use serde_json::json;

    use super::*;

    fn told(query: &str, variables: serde_json::Value) -> Option<String> {
        let document = parse_query(query).expect("a document");
        let DocumentOperations::Single(operation) = document.operations else { panic!("one operation") };
        missing(&operation.node, &Variables::from_json(variables)).map(|error| error.message)
    }

    #[test]
    fn an_operation_does_not_begin_without_a_value_that_it_must_have() {
        let told = |variables| told("query($name: String, $ids: [ID!]!) { a }", variables);
        let ids = Some("the variable `$ids` is of the type `[ID!]!` and must have a value".to_owned());
        assert_eq!(told(json!({"name": "x"})), ids);
        assert_eq!(told(json!({"ids": null})), ids);
        assert_eq!(told(json!({"ids": []})), None);
    }

    #[test]
    fn a_default_stands_for_what_is_left_out_and_not_for_null() {
        let query = "query($n: Int! = 3) { a }";
        assert_eq!(told(query, json!({})), None);
        assert!(told(query, json!({"n": null})).is_some());
    }
}
