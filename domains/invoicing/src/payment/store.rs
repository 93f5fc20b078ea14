//! How payments and allocations are read and written.

use chrono::NaiveDate;
use entity::invoicing::payment::{Column, Entity};
use entity::invoicing::{allocation, payment};
use kernel::{Currency, Fault, Tx};
use sea_orm::{ColumnTrait, QueryFilter, Select};
use uuid::Uuid;

use super::document::What;
use super::{Filter, NewPayment, Side, Target};
use crate::error::Error;
use crate::listing;

/// A payment's row, locked until the transaction ends.
pub(super) async fn lock(tx: &Tx, id: Uuid) -> Result<Option<payment::Model>, Fault> {
    tx.one("SELECT * FROM payment WHERE id = $1 FOR NO KEY UPDATE", [id.into()]).await
}

/// The payments of these ids.
pub(super) async fn by_ids(tx: &Tx, ids: &[Uuid]) -> Result<Vec<payment::Model>, Fault> {
    tx.all("SELECT * FROM payment WHERE id = ANY($1) ORDER BY id", [ids.to_vec().into()]).await
}

/// The currency of a payment.
pub(super) async fn currency(tx: &Tx, id: Uuid) -> Result<Option<String>, Fault> {
    let found: Option<(String,)> =
        tx.tuple("SELECT currency FROM payment WHERE id = $1", [id.into()]).await?;
    Ok(found.map(|(code,)| code))
}

/// The currency of an invoice, bill or credit note.
pub(super) async fn currency_of_target(tx: &Tx, target: Target) -> Result<Option<String>, Fault> {
    let sql = match target {
        Target::Invoice(_) => "SELECT currency FROM invoice WHERE id = $1",
        Target::Bill(_) => "SELECT currency FROM bill WHERE id = $1",
    };
    let found: Option<(String,)> = tx.tuple(sql, [target.id().into()]).await?;
    Ok(found.map(|(code,)| code))
}

/// Whether a party is a customer, and whether it is a supplier.
pub(super) async fn party_roles(tx: &Tx, id: Uuid) -> Result<Option<(bool, bool)>, Fault> {
    tx.tuple("SELECT is_customer, is_supplier FROM party WHERE id = $1", [id.into()]).await
}

/// What a payment's row holds beside the input.
pub(super) struct Recorded {
    pub(super) id: Uuid,
    pub(super) side: Side,
    pub(super) base_minor: i64,
    pub(super) reference: Option<String>,
    pub(super) external_ref: Option<String>,
    pub(super) entry_id: Uuid,
}

/// Stores a checked and posted payment.
pub(super) async fn insert(tx: &Tx, new: &NewPayment, recorded: Recorded) -> Result<payment::Model, Error> {
    let scope = tx.scope();
    let inserted: Result<Option<payment::Model>, Fault> = tx
        .one(
            "INSERT INTO payment (tenant_id, id, direction, side, party_id, paid_on, currency, amount_minor,
                 base_minor, method, reference, external_ref, entry_id, created_at, created_by, updated_at, updated_by)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $14, $15) RETURNING *",
            [
                scope.company().id.into(),
                recorded.id.into(),
                new.direction.as_str().into(),
                recorded.side.as_str().into(),
                new.party_id.into(),
                new.paid_on.into(),
                new.currency.code().into(),
                new.amount_minor.into(),
                recorded.base_minor.into(),
                new.method.as_str().into(),
                recorded.reference.into(),
                recorded.external_ref.into(),
                recorded.entry_id.into(),
                scope.clock().now().into(),
                scope.actor().stored().into(),
            ],
        )
        .await;
    let row = inserted.map_err(Error::of_constraint)?;
    Ok(row.ok_or_else(|| Fault::Corrupt("an inserted payment has no row".to_owned()))?)
}

/// Marks the locked payment as bounced.
pub(super) async fn set_bounced(
    tx: &Tx,
    id: Uuid,
    on: NaiveDate,
    reason: String,
    reversal: Uuid,
) -> Result<(), Fault> {
    tx.run(
        "UPDATE payment SET state = 'bounced', bounced_on = $2, bounced_reason = $3, bounce_entry_id = $4,
             version = version + 1, updated_at = $5, updated_by = $6 WHERE id = $1",
        [
            id.into(),
            on.into(),
            reason.into(),
            reversal.into(),
            tx.scope().clock().now().into(),
            tx.scope().actor().stored().into(),
        ],
    )
    .await?;
    Ok(())
}

/// An allocation to store.
pub(super) struct NewAllocation {
    pub(super) id: Uuid,
    pub(super) source: What,
    pub(super) target: What,
    pub(super) currency: Currency,
    pub(super) amount_minor: i64,
    pub(super) source_base_minor: i64,
    pub(super) target_base_minor: i64,
    pub(super) on_date: NaiveDate,
    pub(super) reverses_id: Option<Uuid>,
    pub(super) entry_id: Option<Uuid>,
    pub(super) matching_id: Option<Uuid>,
    pub(super) difference_matching_id: Option<Uuid>,
}

/// Stores an allocation; the database's trigger settles the two pieces by it.
pub(super) async fn insert_allocation(tx: &Tx, row: &NewAllocation) -> Result<(), Fault> {
    let scope = tx.scope();
    let only = |what: What, invoice: bool| match what {
        What::Invoice(id) if invoice => Some(id),
        What::Bill(id) if !invoice => Some(id),
        _ => None,
    };
    let payment = if let What::Payment(id) = row.source { Some(id) } else { None };
    tx.run(
        "INSERT INTO allocation (tenant_id, id, payment_id, credit_note_id, bill_credit_id, invoice_id, bill_id,
             currency, amount_minor, source_base_minor, target_base_minor, on_date, reverses_id, entry_id, matching_id,
             difference_matching_id, created_at, created_by)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18)",
        [
            scope.company().id.into(),
            row.id.into(),
            payment.into(),
            only(row.source, true).into(),
            only(row.source, false).into(),
            only(row.target, true).into(),
            only(row.target, false).into(),
            row.currency.code().into(),
            row.amount_minor.into(),
            row.source_base_minor.into(),
            row.target_base_minor.into(),
            row.on_date.into(),
            row.reverses_id.into(),
            row.entry_id.into(),
            row.matching_id.into(),
            row.difference_matching_id.into(),
            scope.clock().now().into(),
            scope.actor().stored().into(),
        ],
    )
    .await?;
    Ok(())
}

/// One allocation, whether it stands or not. Its row never changes, so it needs no lock.
pub(super) async fn allocation(tx: &Tx, id: Uuid) -> Result<Option<allocation::Model>, Fault> {
    tx.one("SELECT * FROM allocation WHERE id = $1", [id.into()]).await
}

/// Whether an allocation was undone. Stable once its source is locked.
pub(super) async fn is_undone(tx: &Tx, id: Uuid) -> Result<bool, Fault> {
    let opposite: Option<(Uuid,)> =
        tx.tuple("SELECT id FROM allocation WHERE reverses_id = $1", [id.into()]).await?;
    Ok(opposite.is_some())
}

/// By which of its columns allocations are looked for.
#[derive(Clone, Copy, Debug)]
pub(super) enum By {
    Payment,
    Invoice,
    Bill,
}

/// The standing allocations of these things, oldest first.
pub(super) async fn standing(tx: &Tx, by: By, ids: &[Uuid]) -> Result<Vec<allocation::Model>, Fault> {
    // A credit note is settled as a target when refunded, and as a source when set against an invoice. Two
    // branches and not an OR: each has an index.
    let wanted = match by {
        By::Payment => "SELECT id FROM allocation WHERE payment_id = ANY($1)",
        By::Invoice => {
            "SELECT id FROM allocation WHERE invoice_id = ANY($1)
             UNION ALL SELECT id FROM allocation WHERE credit_note_id = ANY($1)"
        }
        By::Bill => {
            "SELECT id FROM allocation WHERE bill_id = ANY($1)
             UNION ALL SELECT id FROM allocation WHERE bill_credit_id = ANY($1)"
        }
    };
    let sql = format!(
        "SELECT a.* FROM allocation a
         WHERE a.id IN ({wanted}) AND a.reverses_id IS NULL AND NOT EXISTS (
             SELECT FROM allocation r WHERE r.tenant_id = a.tenant_id AND r.reverses_id = a.id)
         ORDER BY a.id"
    );
    tx.all(&sql, [ids.to_vec().into()]).await
}

/// The selected payments.
pub(super) fn select(tx: &Tx, filter: &Filter) -> Select<Entity> {
    let mut select = tx.find(Entity);
    if let Some(party) = filter.party_id {
        select = select.filter(Column::PartyId.eq(party));
    }
    if let Some(direction) = filter.direction {
        select = select.filter(Column::Direction.eq(direction.as_str()));
    }
    if let Some(state) = filter.state {
        select = select.filter(Column::State.eq(state.as_str()));
    }
    if let Some(from) = filter.from {
        select = select.filter(Column::PaidOn.gte(from));
    }
    if let Some(to) = filter.to {
        select = select.filter(Column::PaidOn.lte(to));
    }
    select
}

/// The order of payments: the newest first.
pub(super) const NEWEST: listing::Sort<Column> =
    listing::Sort { key: None, id: Column::Id, descending: true };
