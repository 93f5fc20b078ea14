//! What a client asks, whichever way it came.

use async_graphql::Variables;
use serde_json::{Map, Value};

/// The parameters of one GraphQL request (GraphQL over HTTP, section 5.1; the payload of `subscribe` is the same).
#[derive(Clone, Debug, Default)]
pub struct Incoming {
    /// The document's text; without it `document_id` or an extension names a document that the server knows.
    pub query: Option<String>,
    /// Which operation of the document.
    pub operation_name: Option<String>,
    /// The values of its variables.
    pub variables: Variables,
    /// What clients and servers agree on beside the specification.
    pub extensions: Map<String, Value>,
    /// A registered document's id (persisted documents, appendix A of GraphQL over HTTP).
    pub document_id: Option<String>,
}

/// A parameter that is not what it must be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{parameter}` must be {expected}")]
pub struct Malformed {
    /// Which parameter.
    pub parameter: &'static str,
    /// What it must be.
    pub expected: &'static str,
}

impl Incoming {
    /// Reads the parameters from a JSON value. Members that the specification does not name are ignored, as it demands.
    ///
    /// # Errors
    /// When the value is not an object (a batch is not spoken here), or a parameter has the wrong type.
    pub fn from_json(body: Value) -> Result<Self, Malformed> {
        let Value::Object(mut body) = body else {
            return Err(Malformed { parameter: "body", expected: "a JSON object" });
        };
        let mut text = |parameter: &'static str| match body.remove(parameter) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(_) => Err(Malformed { parameter, expected: "a string" }),
        };
        let (query, operation_name, document_id) =
            (text("query")?, text("operationName")?, text("documentId")?);
        let mut object = |parameter: &'static str| match body.remove(parameter) {
            None | Some(Value::Null) => Ok(Map::new()),
            Some(Value::Object(map)) => Ok(map),
            Some(_) => Err(Malformed { parameter, expected: "an object" }),
        };
        let (variables, extensions) = (object("variables")?, object("extensions")?);
        Ok(Self {
            query,
            operation_name,
            variables: Variables::from_json(Value::Object(variables)),
            extensions,
            document_id,
        })
    }
}
