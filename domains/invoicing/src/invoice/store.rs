//! How invoices and credit notes are written, and what their use cases load.

use chrono::NaiveDate;
use entity::invoicing::invoice::{ActiveModel, Model};
use kernel::{Fault, Tx};
use rust_decimal::Decimal;
use sea_orm::{ActiveModelTrait, FromQueryResult, Set, Unchanged};
use serde_json::{Value as Json, json};
use uuid::Uuid;

use crate::error::Error;
use crate::tax::{Chargeable, TaxGroup, TaxLine, Waiting};

use super::line::{Line, Totals};
use super::{DocumentKind, Head, State};

/// Rows of invoices, locked in the order of their ids until the transaction ends.
pub(crate) async fn lock(tx: &Tx, ids: &[Uuid]) -> Result<Vec<Model>, Fault> {
    tx.all("SELECT * FROM invoice WHERE id = ANY($1) ORDER BY id FOR NO KEY UPDATE", [ids.to_vec().into()])
        .await
}

/// Rows of invoices, as they stand.
pub(crate) async fn by_ids(tx: &Tx, ids: &[Uuid]) -> Result<Vec<Model>, Fault> {
    tx.all("SELECT * FROM invoice WHERE id = ANY($1) ORDER BY id", [ids.to_vec().into()]).await
}

/// The columns that a draft's head and totals fill.
fn columns(head: Head, totals: &Totals) -> ActiveModel {
    ActiveModel {
        customer_id: Set(head.customer_id),
        currency: Set(head.currency.code().to_owned()),
        payment_days: Set(head.payment_days),
        end_of_month: Set(head.end_of_month),
        delivery_date: Set(head.delivery_date),
        buyer_reference: Set(head.buyer_reference),
        order_reference: Set(head.order_reference),
        note: Set(head.note),
        external_ref: Set(head.external_ref),
        net_minor: Set(totals.net_minor),
        tax_minor: Set(totals.tax_minor),
        total_minor: Set(totals.total_minor()),
        ..Default::default()
    }
}

/// Stores a new draft with its lines and tax groups.
pub(crate) async fn insert(
    tx: &Tx,
    kind: DocumentKind,
    corrects_id: Option<Uuid>,
    head: Head,
    lines: &[Line],
    totals: &Totals,
) -> Result<Model, Error> {
    let (now, actor) = (tx.scope().clock().now(), tx.scope().actor().stored());
    let row = ActiveModel {
        tenant_id: Set(tx.scope().company().id),
        id: Set(tx.new_id()),
        kind: Set(kind.as_str().to_owned()),
        corrects_id: Set(corrects_id),
        created_at: Set(now),
        created_by: Set(actor.clone()),
        updated_at: Set(now),
        updated_by: Set(actor),
        ..columns(head, totals)
    };
    let invoice = row.insert(tx).await.map_err(|error| Error::of_constraint(error.into()))?;
    insert_lines(tx, invoice.id, lines).await?;
    insert_taxes(tx, invoice.id, &totals.groups, &[]).await?;
    Ok(invoice)
}

/// Stores a changed draft over the locked row; its lines are replaced when there are new ones.
pub(crate) async fn update(
    tx: &Tx,
    before: &Model,
    head: Head,
    lines: Option<&[Line]>,
    totals: &Totals,
) -> Result<Model, Error> {
    let row = ActiveModel {
        tenant_id: Unchanged(before.tenant_id),
        id: Unchanged(before.id),
        version: Set(before.version + 1),
        updated_at: Set(tx.scope().clock().now()),
        updated_by: Set(tx.scope().actor().stored()),
        ..columns(head, totals)
    };
    let invoice = row.update(tx).await.map_err(|error| Error::of_constraint(error.into()))?;
    if let Some(lines) = lines {
        tx.run("DELETE FROM invoice_line WHERE invoice_id = $1", [before.id.into()]).await?;
        insert_lines(tx, before.id, lines).await?;
        replace_taxes(tx, before.id, &totals.groups, &[]).await?;
    }
    Ok(invoice)
}

/// The same statement for any number of lines: a list of varying length would fill the statement cache.
async fn insert_lines(tx: &Tx, invoice: Uuid, lines: &[Line]) -> Result<(), Error> {
    if lines.is_empty() {
        return Ok(());
    }
    let lines = serde_json::to_value(lines).map_err(|error| Fault::Internal(format!("lines: {error}")))?;
    tx.run(
        "INSERT INTO invoice_line (tenant_id, id, invoice_id, line_no, item_id, description, quantity, unit,
             unit_price, discount_percent, net_minor, tax_code_id, category, rate, chargeable, account_id,
             corrects_line_id)
         SELECT $1, (l->>'id')::uuid, $2, n, (l->>'item_id')::uuid, l->>'description', (l->>'quantity')::numeric,
             l->>'unit', (l->>'unit_price')::numeric, (l->>'discount_percent')::numeric, (l->>'net_minor')::bigint,
             (l->>'tax_code_id')::uuid, l->>'category', (l->>'rate')::numeric, l->>'chargeable',
             (l->>'account_id')::uuid, (l->>'corrects_line_id')::uuid
         FROM jsonb_array_elements($3) WITH ORDINALITY AS given(l, n)",
        [tx.scope().company().id.into(), invoice.into(), lines.into()],
    )
    .await
    .map_err(Error::of_constraint)?;
    Ok(())
}

/// Stores tax groups; `waiting` says per group what waits for payment, and is empty for drafts.
async fn insert_taxes(tx: &Tx, invoice: Uuid, groups: &[TaxGroup], waiting: &[Waiting]) -> Result<(), Fault> {
    let waits = |at: usize| waiting.get(at).copied().unwrap_or_default();
    let groups: Vec<Json> = groups
        .iter()
        .enumerate()
        .map(|(at, group)| {
            json!({
                "category": group.category, "rate": group.rate, "reason": group.reason,
                "base": group.base_minor, "tax": group.tax_minor, "waiting": waits(at).tax_minor,
                "waiting_base": waits(at).base_minor,
            })
        })
        .collect();
    if groups.is_empty() {
        return Ok(());
    }
    tx.run(
        "INSERT INTO invoice_tax (tenant_id, invoice_id, category, rate, reason, base_minor, tax_minor, waiting_minor,
             waiting_base_minor)
         SELECT $1, $2, g->>'category', (g->>'rate')::numeric, g->>'reason', (g->>'base')::bigint,
             (g->>'tax')::bigint, (g->>'waiting')::bigint, (g->>'waiting_base')::bigint
         FROM jsonb_array_elements($3) AS given(g)",
        [tx.scope().company().id.into(), invoice.into(), Json::from(groups).into()],
    )
    .await?;
    Ok(())
}

/// Replaces the tax groups of a draft.
pub(crate) async fn replace_taxes(
    tx: &Tx,
    invoice: Uuid,
    groups: &[TaxGroup],
    waiting: &[Waiting],
) -> Result<(), Fault> {
    tx.run("DELETE FROM invoice_tax WHERE invoice_id = $1", [invoice.into()]).await?;
    insert_taxes(tx, invoice, groups, waiting).await
}

/// Marks a locked draft as discarded.
pub(crate) async fn discard(tx: &Tx, id: Uuid) -> Result<(), Fault> {
    tx.run(
        "UPDATE invoice SET state = 'discarded', version = version + 1, updated_at = $2, updated_by = $3 WHERE id = $1",
        [id.into(), tx.scope().clock().now().into(), tx.scope().actor().stored().into()],
    )
    .await?;
    Ok(())
}

/// A stored line, as issue and credit notes need it.
#[derive(Clone, Debug, FromQueryResult)]
pub(crate) struct StoredLine {
    pub(crate) id: Uuid,
    pub(crate) item_id: Option<Uuid>,
    pub(crate) description: String,
    pub(crate) quantity: Decimal,
    pub(crate) unit: String,
    pub(crate) unit_price: Decimal,
    pub(crate) discount_percent: Decimal,
    pub(crate) net_minor: i64,
    pub(crate) tax_code_id: Uuid,
    pub(crate) category: String,
    pub(crate) rate: Decimal,
    pub(crate) chargeable: String,
    pub(crate) account_id: Uuid,
    pub(crate) corrects_line_id: Option<Uuid>,
    pub(crate) reason: Option<String>,
}

impl StoredLine {
    /// What matters to its tax.
    pub(crate) fn taxed(&self) -> TaxLine {
        TaxLine {
            category: self.category.clone(),
            rate: self.rate,
            waits: self.chargeable == Chargeable::Payment.as_str(),
            net_minor: self.net_minor,
            reason: self.reason.clone(),
        }
    }
}

/// The lines of an invoice in their order, with the reasons of their tax codes.
pub(crate) async fn lines(tx: &Tx, invoice: Uuid) -> Result<Vec<StoredLine>, Fault> {
    tx.all(
        "SELECT l.*, c.reason FROM invoice_line l JOIN tax_code c ON c.id = l.tax_code_id
         WHERE l.invoice_id = $1 ORDER BY l.line_no",
        [invoice.into()],
    )
    .await
}

/// The next number of a series, whose row stays locked until the transaction ends. The database refuses to commit
/// unless a document is issued with it.
pub(crate) async fn next_number(
    tx: &Tx,
    kind: DocumentKind,
    year: i16,
    date: NaiveDate,
) -> Result<i32, Error> {
    let next: Option<(i32,)> = tx
        .tuple(
            "INSERT INTO invoice_series AS s (tenant_id, kind, year, last_number, last_date)
             VALUES ($1, $2, $3, 1, $4)
             ON CONFLICT (tenant_id, kind, year) DO UPDATE
                 SET last_number = s.last_number + 1, last_date = excluded.last_date
                 WHERE s.last_date <= excluded.last_date
             RETURNING last_number",
            [tx.scope().company().id.into(), kind.as_str().into(), year.into(), date.into()],
        )
        .await?;
    if let Some((number,)) = next {
        return Ok(number);
    }
    let last: Option<(NaiveDate,)> = tx
        .tuple(
            "SELECT last_date FROM invoice_series WHERE kind = $1 AND year = $2",
            [kind.as_str().into(), year.into()],
        )
        .await?;
    let (last,) = last.ok_or_else(|| Fault::Corrupt("a series of invoices vanished".to_owned()))?;
    Err(Error::IssueDateBeforeLast { last })
}

/// What issue gives to a document.
pub(crate) struct Issued<'a> {
    pub(crate) number: &'a str,
    pub(crate) series: (i16, i32),
    pub(crate) issue_date: NaiveDate,
    pub(crate) due_date: NaiveDate,
    pub(crate) rate: Decimal,
    pub(crate) totals: &'a Totals,
    pub(crate) net_base_minor: i64,
    pub(crate) total_base_minor: i64,
    pub(crate) customer: Json,
    pub(crate) entry_id: Uuid,
}

/// Marks a locked draft as issued. From here on the database refuses any change of its content.
pub(crate) async fn issue(tx: &Tx, draft: &Model, issued: Issued<'_>) -> Result<(), Error> {
    let (now, actor) = (tx.scope().clock().now(), tx.scope().actor().stored());
    let row = ActiveModel {
        tenant_id: Unchanged(draft.tenant_id),
        id: Unchanged(draft.id),
        state: Set(State::Issued.as_str().to_owned()),
        number: Set(Some(issued.number.to_owned())),
        series_year: Set(Some(issued.series.0)),
        series_number: Set(Some(issued.series.1)),
        issue_date: Set(Some(issued.issue_date)),
        due_date: Set(Some(issued.due_date)),
        rate: Set(Some(issued.rate)),
        net_minor: Set(issued.totals.net_minor),
        tax_minor: Set(issued.totals.tax_minor),
        total_minor: Set(issued.totals.total_minor()),
        net_base_minor: Set(issued.net_base_minor),
        total_base_minor: Set(issued.total_base_minor),
        customer_as_issued: Set(Some(issued.customer)),
        entry_id: Set(Some(issued.entry_id)),
        issued_at: Set(Some(now)),
        issued_by: Set(Some(actor.clone())),
        version: Set(draft.version + 1),
        updated_at: Set(now),
        updated_by: Set(actor),
        ..Default::default()
    };
    row.update(tx).await.map_err(Fault::from)?;
    Ok(())
}
