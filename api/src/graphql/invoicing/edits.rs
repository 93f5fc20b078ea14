//! Updates in the graph: a field that is left out stays, null clears it.

use async_graphql::{Error, ID, MaybeUndefined};
use invoicing::edit::Edit;
use kernel::Kind;
use uuid::Uuid;

use crate::graphql::ids::parse;

/// A field that can be cleared.
pub(super) fn clearable<T>(given: MaybeUndefined<T>) -> Edit<Option<T>> {
    match given {
        MaybeUndefined::Undefined => Edit::Keep,
        MaybeUndefined::Null => Edit::To(None),
        MaybeUndefined::Value(value) => Edit::To(Some(value)),
    }
}

/// A field that always has a value: null leaves it as it is, too.
pub(super) fn settable<T>(given: Option<T>) -> Edit<T> {
    given.map_or(Edit::Keep, Edit::To)
}

/// A reference that can be cleared.
pub(super) fn clearable_id(
    kind: Kind,
    field: &str,
    given: &MaybeUndefined<ID>,
) -> Result<Edit<Option<Uuid>>, Error> {
    Ok(match given {
        MaybeUndefined::Undefined => Edit::Keep,
        MaybeUndefined::Null => Edit::To(None),
        MaybeUndefined::Value(id) => Edit::To(Some(parse(kind, field, id)?)),
    })
}

/// A reference that is always there.
pub(super) fn settable_id(kind: Kind, field: &str, given: Option<&ID>) -> Result<Edit<Uuid>, Error> {
    Ok(match given {
        None => Edit::Keep,
        Some(id) => Edit::To(parse(kind, field, id)?),
    })
}
