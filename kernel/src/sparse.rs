//! Reading only those columns of a row that somebody asks for.
//!
//! A wide row costs most of a list: PostgreSQL writes, and we read, forty columns of which a table on a screen shows
//! eight. A model read so keeps the defaults of its types in all other columns; it is for showing, never for deciding.

use sea_orm::sea_query::ArrayType;
use sea_orm::{
    ConnectionTrait, EntityTrait, IdenStatic, ModelTrait, QueryResult, QuerySelect, QueryTrait, Select,
    TryGetable, Value,
};

use crate::fault::Fault;
use crate::tx::{Tx, statement};

/// Which columns of an entity are read.
#[derive(Clone, Debug)]
pub enum Columns<E: EntityTrait> {
    /// Every one.
    All,
    /// These, without repetition.
    Only(Vec<E::Column>),
}

impl<E: EntityTrait> Columns<E> {
    /// The same with one more column.
    #[must_use]
    pub fn with(mut self, column: E::Column) -> Self
    where
        E::Column: Copy,
    {
        if let Self::Only(columns) = &mut self
            && !columns.iter().any(|known| known.as_str() == column.as_str())
        {
            columns.push(column);
        }
        self
    }
}

impl Tx {
    /// The selected rows, with these columns.
    ///
    /// # Errors
    /// When the database fails, or a row is not what the model says.
    pub async fn select<E>(&self, select: Select<E>, columns: &Columns<E>) -> Result<Vec<E::Model>, Fault>
    where
        E: EntityTrait,
        E::Model: ModelTrait<Entity = E> + Default + Sync,
        E::Column: Copy,
    {
        let Columns::Only(columns) = columns else { return Ok(select.all(self).await?) };
        let select = select.select_only().columns(columns.iter().copied());
        let rows = self.query_all_raw(select.build(sea_orm::DbBackend::Postgres)).await?;
        rows.iter().map(|row| model::<E>(row, columns)).collect()
    }

    /// The rows of a statement that begins `SELECT {columns} FROM`; `rest` is what follows.
    ///
    /// # Errors
    /// When the database fails, or a row is not what the model says.
    pub async fn columns<E>(
        &self,
        columns: &Columns<E>,
        rest: &str,
        values: impl IntoIterator<Item = Value>,
    ) -> Result<Vec<E::Model>, Fault>
    where
        E: EntityTrait,
        E::Model: ModelTrait<Entity = E> + Default + Sync,
        E::Column: Copy,
    {
        let Columns::Only(columns) = columns else {
            return self.all(&format!("SELECT * {rest}"), values).await;
        };
        let names: Vec<&str> = columns.iter().map(IdenStatic::as_str).collect();
        let sql = format!("SELECT {} {rest}", names.join(", "));
        let rows = self.query_all_raw(statement(&sql, values)).await?;
        rows.iter().map(|row| model::<E>(row, columns)).collect()
    }
}

/// A model from a row that holds these columns in this order.
fn model<E>(row: &QueryResult, columns: &[E::Column]) -> Result<E::Model, Fault>
where
    E: EntityTrait,
    E::Model: ModelTrait<Entity = E> + Default,
    E::Column: Copy,
{
    let mut model = E::Model::default();
    for (n, column) in columns.iter().enumerate() {
        model.try_set(*column, value(row, n, &E::Model::get_value_type(*column))?)?;
    }
    Ok(model)
}

fn value(row: &QueryResult, n: usize, of: &ArrayType) -> Result<Value, Fault> {
    fn cell<T: TryGetable>(row: &QueryResult, n: usize) -> Result<Value, Fault>
    where
        Option<T>: TryGetable + Into<Value>,
    {
        Ok(row.try_get_by_index::<Option<T>>(n)?.into())
    }
    match of {
        ArrayType::Bool => cell::<bool>(row, n),
        ArrayType::SmallInt => cell::<i16>(row, n),
        ArrayType::Int => cell::<i32>(row, n),
        ArrayType::BigInt => cell::<i64>(row, n),
        ArrayType::String => cell::<String>(row, n),
        ArrayType::Bytes => cell::<Vec<u8>>(row, n),
        ArrayType::Uuid => cell::<uuid::Uuid>(row, n),
        ArrayType::Decimal => cell::<rust_decimal::Decimal>(row, n),
        ArrayType::ChronoDate => cell::<chrono::NaiveDate>(row, n),
        ArrayType::ChronoDateTimeUtc => cell::<chrono::DateTime<chrono::Utc>>(row, n),
        ArrayType::Json => cell::<serde_json::Value>(row, n),
        other => Err(Fault::Internal(format!("a column of type {other:?} is not read by itself"))),
    }
}
