//! Keyset lists: one order of an entity's rows, and a slice of it.

use kernel::page::{Page, Slice};
use kernel::sparse::Columns;
use kernel::{Fault, Tx};
use sea_orm::sea_query::{Expr, ExprTrait};
use sea_orm::{
    ColumnTrait, EntityTrait, FromQueryResult, IntoSimpleExpr, ModelTrait, Order, PaginatorTrait,
    QueryFilter, QueryOrder, QuerySelect, Select, Value,
};

use crate::error::Error;

/// A column to sort by, and how a cursor's key is read as its value.
pub(crate) type Key<C> = (C, fn(&str) -> Option<Value>);

/// An order of rows: by a column and then by id, or by id alone.
pub(crate) struct Sort<C> {
    /// The column before the id, if there is one.
    pub(crate) key: Option<Key<C>>,
    /// The id, which breaks ties.
    pub(crate) id: C,
    /// Whether the greatest comes first.
    pub(crate) descending: bool,
}

/// Reads a key that is a date.
pub(crate) fn date_key(key: &str) -> Option<Value> {
    key.parse::<chrono::NaiveDate>().ok().map(Value::from)
}

/// Reads a key that is a text.
pub(crate) fn text_key(key: &str) -> Option<Value> {
    // PostgreSQL's text holds no NUL.
    (!key.contains('\0')).then(|| Value::from(key.to_owned()))
}

/// The slice of the selected rows in that order.
pub(crate) async fn page<E>(
    tx: &Tx,
    select: Select<E>,
    sort: &Sort<E::Column>,
    slice: &Slice,
) -> Result<Page<E::Model>, Error>
where
    E: EntityTrait,
    E::Model: FromQueryResult + Send + Sync,
{
    let rows = sliced(select, sort, slice)?.all(tx).await.map_err(Fault::from)?;
    Ok(Page::from_probe(slice, rows))
}

/// The same with some of the columns; the id and the order's own are always read.
pub(crate) async fn page_of<E>(
    tx: &Tx,
    select: Select<E>,
    sort: &Sort<E::Column>,
    slice: &Slice,
    columns: Columns<E>,
) -> Result<Page<E::Model>, Error>
where
    E: EntityTrait,
    E::Model: ModelTrait<Entity = E> + Default + Sync,
    E::Column: Copy,
{
    let columns = columns.with(sort.id);
    let columns = sort.key.iter().fold(columns, |columns, (column, _)| columns.with(*column));
    let rows = tx.select(sliced(select, sort, slice)?, &columns).await?;
    Ok(Page::from_probe(slice, rows))
}

fn sliced<E: EntityTrait>(
    mut select: Select<E>,
    sort: &Sort<E::Column>,
    slice: &Slice,
) -> Result<Select<E>, Error> {
    for (field, cursor, greater) in
        [("after", &slice.after, !sort.descending), ("before", &slice.before, sort.descending)]
    {
        let Some(cursor) = cursor else { continue };
        let mut columns = vec![];
        let mut values: Vec<Expr> = vec![];
        if let Some((column, read)) = &sort.key {
            let key =
                read(&cursor.key).ok_or_else(|| Error::invalid(field, "this cursor is of another list"))?;
            columns.push(column.into_simple_expr());
            values.push(Expr::val(key));
        }
        columns.push(sort.id.into_simple_expr());
        values.push(Expr::val(cursor.id));
        let (row, bound) = (Expr::tuple(columns), Expr::tuple(values));
        select = select.filter(if greater { row.gt(bound) } else { row.lt(bound) });
    }
    let direction = if sort.descending == slice.backward { Order::Asc } else { Order::Desc };
    if let Some((column, _)) = sort.key {
        select = select.order_by(column, direction.clone());
    }
    Ok(select.order_by(sort.id, direction).limit(slice.probe()))
}

/// How many rows are selected.
pub(crate) async fn count<E>(tx: &Tx, select: Select<E>, id: E::Column) -> Result<u64, Error>
where
    E: EntityTrait,
    E::Model: FromQueryResult + Send + Sync,
{
    Ok(select.select_only().column(id).count(tx).await.map_err(Fault::from)?)
}

/// That a text column starts with a prefix, letters and digits as they are stored.
pub(crate) fn starts_with<C: ColumnTrait>(column: C, prefix: &str) -> Expr {
    Expr::cust_with_exprs(
        "starts_with($1, $2)",
        [column.into_simple_expr(), Expr::val(prefix.replace('\0', ""))],
    )
}

/// That a text column is one of several.
pub(crate) fn one_of<C: ColumnTrait>(column: C, values: Vec<String>) -> Expr {
    Expr::cust_with_exprs("$1 = ANY($2)", [column.into_simple_expr(), Expr::val(values)])
}
