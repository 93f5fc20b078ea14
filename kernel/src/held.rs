//! What a person leaves behind in a company: things to hand over to somebody else.

use sea_orm::Value;
use uuid::Uuid;

use crate::fault::Fault;
use crate::id::Kind;
use crate::tx::Tx;

/// Most things of a kind that are listed.
pub const MOST: u32 = 100;

/// Things of one kind that a person holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Held {
    /// What kind of things they are.
    pub kind: Kind,
    /// How many there are in all.
    pub total: u64,
    /// The first of them, at most [`MOST`]: id, and what tells it to people.
    pub things: Vec<(Uuid, String)>,
}

impl Held {
    /// Reads them by a statement that selects id, label and `count(*) OVER ()`; an order and a limit are added.
    pub async fn read(
        tx: &Tx,
        kind: Kind,
        sql: &str,
        values: impl IntoIterator<Item = Value>,
    ) -> Result<Self, Fault> {
        let rows: Vec<(Uuid, String, i64)> =
            tx.tuples(&format!("{sql} ORDER BY 1 LIMIT {MOST}"), values).await?;
        let total = rows.first().map_or(0, |(.., total)| total.unsigned_abs());
        Ok(Self { kind, total, things: rows.into_iter().map(|(id, label, _)| (id, label)).collect() })
    }
}
