//! What issued credit notes have taken back of an invoice.

use std::collections::HashMap;

use kernel::{Fault, Tx};
use rust_decimal::Decimal;
use uuid::Uuid;

use crate::tax::Left;

/// Per line of the invoice: the net that issued credit notes took back, minor units.
pub(super) async fn taken_of_lines(tx: &Tx, invoice: Uuid) -> Result<HashMap<Uuid, i64>, Fault> {
    let taken: Vec<(Uuid, i64)> = tx
        .tuples(
            "SELECT l.corrects_line_id, sum(l.net_minor)::bigint
             FROM invoice c JOIN invoice_line l ON l.invoice_id = c.id
             WHERE c.corrects_id = $1 AND c.state = 'issued' AND l.corrects_line_id IS NOT NULL
             GROUP BY l.corrects_line_id",
            [invoice.into()],
        )
        .await?;
    Ok(taken.into_iter().collect())
}

/// Per tax group of the invoice: what issued credit notes have left.
pub(super) async fn left_of_groups(tx: &Tx, invoice: Uuid) -> Result<Vec<Left>, Fault> {
    let left: Vec<(String, Decimal, i64, i64)> = tx
        .tuples(
            "SELECT category, rate, sum(base_minor)::bigint, sum(tax_minor)::bigint FROM (
                 SELECT category, rate, base_minor, tax_minor FROM invoice_tax WHERE invoice_id = $1
                 UNION ALL
                 SELECT t.category, t.rate, -t.base_minor, -t.tax_minor
                 FROM invoice c JOIN invoice_tax t ON t.invoice_id = c.id
                 WHERE c.corrects_id = $1 AND c.state = 'issued') AS moves
             GROUP BY category, rate",
            [invoice.into()],
        )
        .await?;
    let make = |(category, rate, base_minor, tax_minor)| Left { category, rate, base_minor, tax_minor };
    Ok(left.into_iter().map(make).collect())
}
