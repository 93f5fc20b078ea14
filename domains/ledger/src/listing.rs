//! Keyset slices of a list, sorted by one column and then by id, in either direction.

use kernel::page::{Page, Slice};
use kernel::{Fault, Tx};
use sea_orm::sea_query::{Expr, ExprTrait, SimpleExpr};
use sea_orm::{ColumnTrait, EntityTrait, Order, QueryFilter, QueryOrder, QuerySelect, Select, Value};

/// A list's order: by `key`, then by `id`.
pub(crate) struct Sorting<C> {
    /// The first sort column; `None` sorts by id alone.
    pub key: Option<C>,
    /// The id column.
    pub id: C,
    /// Whether the list begins with the largest.
    pub descending: bool,
}

/// Reads one page. `parse` reads a cursor's key as a value of the sort column, or not at all.
pub(crate) async fn page<E, C>(
    tx: &Tx,
    query: Select<E>,
    sorting: &Sorting<C>,
    slice: &Slice,
    parse: impl Fn(&str) -> Option<Value>,
) -> Result<Page<E::Model>, Fault>
where
    E: EntityTrait,
    C: ColumnTrait,
{
    let mut query = query;
    for (cursor, is_after) in [(&slice.after, true), (&slice.before, false)] {
        let Some(cursor) = cursor else { continue };
        let id: SimpleExpr = Expr::val(cursor.id);
        let smaller = sorting.descending == is_after;
        let condition = match sorting.key {
            None => {
                let column = Expr::col(sorting.id.as_column_ref());
                if smaller { column.lt(id) } else { column.gt(id) }
            }
            Some(key) => {
                // A cursor of another list names no place in this one: nothing lies beyond it.
                let Some(value) = parse(&cursor.key) else { return Ok(Page::from_probe(slice, Vec::new())) };
                let place =
                    Expr::tuple([Expr::col(key.as_column_ref()), Expr::col(sorting.id.as_column_ref())]);
                let mark = Expr::tuple([Expr::val(value), id]);
                if smaller { place.lt(mark) } else { place.gt(mark) }
            }
        };
        query = query.filter(condition);
    }
    let order = if sorting.descending == slice.backward { Order::Asc } else { Order::Desc };
    if let Some(key) = sorting.key {
        query = query.order_by(key, order.clone());
    }
    let rows = query.order_by(sorting.id, order).limit(slice.probe()).all(tx).await?;
    Ok(Page::from_probe(slice, rows))
}

/// Reads a cursor's key as a day.
pub(crate) fn day(key: &str) -> Option<Value> {
    key.parse::<chrono::NaiveDate>().ok().map(Value::from)
}
