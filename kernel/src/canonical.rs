//! One way to write a JSON value, for what is hashed: two who write the same value write the same bytes.

use serde_json::Value;

/// The value with the keys of every object in the order of their bytes. Whether a map of `serde_json` sorts its keys depends
/// on what else is built into the program, so nothing that is hashed may rely on it.
#[must_use]
pub fn sorted(value: Value) -> Value {
    match value {
        Value::Object(fields) => {
            let mut fields: Vec<_> = fields.into_iter().map(|(name, value)| (name, sorted(value))).collect();
            fields.sort_by(|one, other| one.0.cmp(&other.0));
            Value::Object(fields.into_iter().collect())
        }
        Value::Array(values) => Value::Array(values.into_iter().map(sorted).collect()),
        plain => plain,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_order_in_which_a_client_wrote_does_not_show() {
        let one = r#"{"b":{"d":1,"c":[{"z":1,"a":2}]},"a":null}"#;
        let other = r#"{"a":null,"b":{"c":[{"a":2,"z":1}],"d":1}}"#;
        let written = |text: &str| sorted(serde_json::from_str(text).expect("JSON")).to_string();
        assert_eq!(written(one), other);
        assert_eq!(written(other), other);
    }
}
