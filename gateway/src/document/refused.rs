//! Why a document does not run.

use async_graphql::{ErrorExtensionValues, Pos, ServerError};

use super::limits::Limit;

/// Why a document does not run.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// The text is not a GraphQL document (GraphQL, section 2).
    #[error("The document cannot be read: {reason}.")]
    Syntax {
        /// What is wrong there.
        reason: String,
        /// Where.
        at: Option<Pos>,
    },
    /// The document has several operations, and the request names none (GraphQL, section 6.1).
    #[error("The document has {count} operations: say with `operationName` which one to run.")]
    OperationNameMissing {
        /// How many it has.
        count: usize,
    },
    /// The document has no operation of that name (GraphQL, section 6.1).
    #[error(
        "The document has no operation named `{name}`: leave `operationName` out, or name one that is there."
    )]
    OperationUnknown {
        /// The name, shortened.
        name: String,
    },
    /// A fragment contains itself (GraphQL, section 5.5.2.2).
    #[error("The fragment `{fragment}` contains itself: take out the spread that leads back to it.")]
    FragmentCycle {
        /// The fragment.
        fragment: String,
        /// The spread that closes the circle.
        at: Pos,
    },
    /// A subscription has more than one field at its root (GraphQL, section 5.2.3.1), or hides it behind a condition.
    #[error("A subscription has exactly one field at its root, without a condition: {found}.")]
    SubscriptionRoot {
        /// What it has instead.
        found: String,
        /// The operation.
        at: Pos,
    },
    /// A variable is of a type that the schema does not have (GraphQL, section 5.8.2).
    #[error("The variable `${variable}` is of the type `{name}`, which the schema does not have.")]
    UnknownType {
        /// The variable.
        variable: String,
        /// The type.
        name: String,
        /// Its definition.
        at: Pos,
    },
    /// A list is asked for without saying how much of it, or in two ways at once.
    #[error("`{field}` takes exactly one of {arguments}: {given} of them are given.")]
    SlicingArgument {
        /// The field.
        field: String,
        /// The arguments, one of which must be given.
        arguments: String,
        /// How many are.
        given: usize,
        /// The field's place.
        at: Pos,
    },
    /// There is more of something than [`Limits`](super::Limits) allow.
    #[error("{}: {found}, at most {most} allowed{}; {}.", limit.subject(), of(place.as_deref()), limit.fix())]
    Exceeded {
        /// Of what.
        limit: Limit,
        /// How much there is.
        found: u64,
        /// How much is allowed.
        most: u64,
        /// The field and argument, where it is one that exceeds.
        place: Option<String>,
        /// Where, if it is at one place.
        at: Option<Pos>,
    },
}

fn of(place: Option<&str>) -> String {
    place.map_or_else(String::new, |place| format!(" in `{place}`"))
}

/// What kind of refusal it is, whatever the protocol calls it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Class {
    /// The text is no GraphQL document.
    Malformed,
    /// It is one, and breaks a rule of the language.
    Invalid,
    /// It is larger than is taken, whoever asks.
    TooLarge,
    /// It would cost more than a request may, whoever asks; a smaller page may pass.
    TooCostly,
}

impl Refused {
    pub(super) fn exceeded(limit: Limit, found: u64, most: u64) -> Self {
        Self::Exceeded { limit, found, most, place: None, at: None }
    }

    /// Refuses if there is too much.
    pub(super) fn over(limit: Limit, found: u64, most: u64) -> Result<(), Self> {
        if found > most { Err(Self::exceeded(limit, found, most)) } else { Ok(()) }
    }

    /// The stable code for `extensions.code`.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Syntax { .. } => "GRAPHQL_PARSE_FAILED",
            Self::OperationNameMissing { .. } | Self::OperationUnknown { .. } => {
                "OPERATION_RESOLUTION_FAILURE"
            }
            Self::FragmentCycle { .. } => "FRAGMENT_CYCLE",
            Self::SubscriptionRoot { .. } | Self::UnknownType { .. } => "GRAPHQL_VALIDATION_FAILED",
            Self::SlicingArgument { .. } => "SLICING_ARGUMENT_REQUIRED",
            Self::Exceeded { limit, .. } => limit.code(),
        }
    }

    /// What kind of refusal it is.
    pub fn class(&self) -> Class {
        match self {
            Self::Syntax { .. } => Class::Malformed,
            Self::Exceeded { limit: Limit::ListSize | Limit::Values | Limit::Cost, .. } => Class::TooCostly,
            Self::Exceeded { .. } => Class::TooLarge,
            _ => Class::Invalid,
        }
    }

    /// Where in the text, if it is at one place.
    pub fn position(&self) -> Option<Pos> {
        match self {
            Self::Syntax { at, .. } | Self::Exceeded { at, .. } => *at,
            Self::FragmentCycle { at, .. }
            | Self::SubscriptionRoot { at, .. }
            | Self::UnknownType { at, .. }
            | Self::SlicingArgument { at, .. } => Some(*at),
            Self::OperationNameMissing { .. } | Self::OperationUnknown { .. } => None,
        }
    }
}

impl From<Refused> for ServerError {
    fn from(refused: Refused) -> Self {
        let mut extensions = ErrorExtensionValues::default();
        extensions.set("code", refused.code());
        if let Refused::Exceeded { limit, found, most, .. } = &refused {
            extensions.set("limit", limit.name());
            extensions.set("found", *found);
            extensions.set("most", *most);
        }
        let mut error = Self::new(refused.to_string(), refused.position());
        error.extensions = Some(extensions);
        error
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_tells_clients_the_limit_the_finding_the_fix_and_the_place() {
        let refused = Refused::Exceeded {
            limit: Limit::ListSize,
            found: 5000,
            most: 100,
            place: Some("invoices(first:)".to_owned()),
            at: Some(Pos { line: 3, column: 7 }),
        };
        assert_eq!(refused.class(), Class::TooCostly);
        let error = ServerError::from(refused);
        assert_eq!(
            serde_json::to_value(&error).expect("an error is JSON"),
            serde_json::json!({
                "message": "Items asked of a list: 5000, at most 100 allowed in `invoices(first:)`; ask for \
                            a smaller page, and for the next one with a cursor.",
                "locations": [{"line": 3, "column": 7}],
                "extensions": {"code": "LIST_SIZE_EXCEEDED", "limit": "listSize", "found": 5000, "most": 100}
            }),
        );
    }
}
