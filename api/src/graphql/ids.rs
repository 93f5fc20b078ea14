//! Public ids at the edge of resolvers.

use async_graphql::{Error, ID};
use kernel::{Kind, id};
use uuid::Uuid;

use super::error::bad_argument;

/// The public id of a thing.
pub(crate) fn public(kind: Kind, id: Uuid) -> ID {
    ID(id::encode(kind, id))
}

/// Reads the public id in an argument or input field.
pub(crate) fn parse(kind: Kind, field: &str, given: &ID) -> Result<Uuid, Error> {
    id::decode(kind, given).map_err(|error| bad_argument(field, error.to_string()))
}

/// Reads an optional public id.
pub(crate) fn parse_optional(kind: Kind, field: &str, given: Option<&ID>) -> Result<Option<Uuid>, Error> {
    given.map(|given| parse(kind, field, given)).transpose()
}

/// Reads a list of public ids.
pub(crate) fn parse_all(kind: Kind, field: &str, given: &[ID]) -> Result<Vec<Uuid>, Error> {
    given.iter().enumerate().map(|(n, given)| parse(kind, &format!("{field}.{n}"), given)).collect()
}
