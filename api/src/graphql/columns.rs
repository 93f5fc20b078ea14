//! Which columns a selection reads: a page reads those, and no others.

use async_graphql::Lookahead;
use kernel::sparse::Columns;
use sea_orm::EntityTrait;

/// The columns behind a field of a graph type; `None` when it needs the whole row.
pub(crate) type Behind<E> = fn(&str) -> Option<&'static [<E as EntityTrait>::Column]>;

/// The columns that the selection on `node` reads, with those that are read whatever is asked.
pub(crate) fn asked<E>(node: &Lookahead<'_>, always: &[E::Column], behind: Behind<E>) -> Columns<E>
where
    E: EntityTrait,
    E::Column: Copy,
{
    let mut columns = Columns::Only(always.to_vec());
    for field in node.selection_fields().iter().flat_map(async_graphql::SelectionField::selection_set) {
        match behind(field.name()) {
            Some(read) => columns = read.iter().fold(columns, |columns, column| columns.with(*column)),
            None => return Columns::All,
        }
    }
    columns
}
