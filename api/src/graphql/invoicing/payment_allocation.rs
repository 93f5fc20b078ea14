//! Allocations in the graph: what payments and credit notes settle.

use std::collections::HashMap;

use async_graphql::{Context, Error, ID, Object};
use chrono::{DateTime, Utc};
use entity::invoicing::allocation::Model;
use invoicing::payment as rules;
use kernel::{Kind, Permission, Tx};
use uuid::Uuid;

use super::bill::Bill;
use super::invoice::Invoice;
use super::payment::Payment;
use crate::graphql::actor::Actor;
use crate::graphql::date::Date;
use crate::graphql::guard::{Needs, Told};
use crate::graphql::ids::public;
use crate::graphql::ledger::entry::JournalEntry;
use crate::graphql::money::Money;
use crate::graphql::request::{Batch, InRequest};

/// One settlement: a payment or a credit note, set against an invoice or a bill. It is never changed; what undoes
/// it is an allocation of the opposite amount.
#[derive(Clone)]
pub(crate) struct Allocation(Model);

macro_rules! standing {
    ($(#[doc = $doc:literal])+ $batch:ident, $read:path, $($of:ident),+) => {
        $(#[doc = $doc])+
        pub(crate) struct $batch;

        impl Batch for $batch {
            type Key = Uuid;
            type Value = Vec<Model>;

            async fn load(tx: &Tx, keys: &[Uuid]) -> Result<HashMap<Uuid, Vec<Model>>, Error> {
                let mut grouped: HashMap<Uuid, Vec<Model>> = HashMap::new();
                for row in $read(tx, keys).await.told()? {
                    // One allocation may join two of the wanted: a credit note and an invoice.
                    for of in [$(row.$of),+].into_iter().flatten().filter(|of| keys.contains(of)) {
                        grouped.entry(of).or_default().push(row.clone());
                    }
                }
                Ok(grouped)
            }
        }
    };
}

standing!(
    /// The standing allocations of payments, in one statement.
    AllocationsOfPayments, rules::allocations_of_payments, payment_id
);
standing!(
    /// The standing allocations to invoices, and to and from customer credit notes, in one statement.
    AllocationsOfInvoices, rules::allocations_of_invoices, invoice_id, credit_note_id
);
standing!(
    /// The standing allocations to bills, and to and from supplier credit notes, in one statement.
    AllocationsOfBills, rules::allocations_of_bills, bill_id, bill_credit_id
);

impl Allocation {
    pub(crate) const fn new(row: Model) -> Self {
        Self(row)
    }

    /// An allocation by id, whether it stands or not.
    pub(crate) async fn load(ctx: &Context<'_>, id: Uuid) -> Result<Option<Self>, Error> {
        let tx = ctx.session()?.read().await?;
        match rules::allocation(&tx, id).await {
            Ok(row) => Ok(Some(Self(row))),
            Err(invoicing::Error::NotFound(..)) => Ok(None),
            Err(error) => Err(error).told(),
        }
    }

    /// What settles an invoice or customer credit note, or is settled by the latter.
    pub(crate) async fn of_invoice(ctx: &Context<'_>, id: Uuid) -> Result<Vec<Self>, Error> {
        let rows = ctx.session()?.load::<AllocationsOfInvoices>(id).await?;
        Ok(rows.unwrap_or_default().into_iter().map(Self).collect())
    }

    /// What settles a bill or supplier credit note, or is settled by the latter.
    pub(crate) async fn of_bill(ctx: &Context<'_>, id: Uuid) -> Result<Vec<Self>, Error> {
        let rows = ctx.session()?.load::<AllocationsOfBills>(id).await?;
        Ok(rows.unwrap_or_default().into_iter().map(Self).collect())
    }

    /// The invoice that `id` names, when the allocation names one there.
    async fn invoice_at(ctx: &Context<'_>, id: Option<Uuid>) -> Result<Option<Invoice>, Error> {
        match id {
            Some(id) => Invoice::load(ctx, id).await,
            None => Ok(None),
        }
    }

    async fn bill_at(ctx: &Context<'_>, id: Option<Uuid>) -> Result<Option<Bill>, Error> {
        match id {
            Some(id) => Bill::load(ctx, id).await,
            None => Ok(None),
        }
    }

    fn base(ctx: &Context<'_>, minor: i64) -> Result<Money, Error> {
        Ok(Money::new(minor, ctx.session()?.scope()?.company().currency.code()))
    }
}

/// One settlement: a payment or a credit note, set against an invoice or a bill. It is never changed; what undoes
/// it is an allocation of the opposite amount.
#[Object]
impl Allocation {
    /// The public id.
    pub(crate) async fn id(&self) -> ID {
        public(Kind::Allocation, self.0.id)
    }

    /// The payment that settles; null when a credit note does.
    #[graphql(guard = "Needs(Permission::PaymentsRead)")]
    async fn payment(&self, ctx: &Context<'_>) -> Result<Option<Payment>, Error> {
        match self.0.payment_id {
            Some(id) => Payment::load(ctx, id).await,
            None => Ok(None),
        }
    }

    /// The customer credit note that settles; null when something else does.
    #[graphql(guard = "Needs(Permission::InvoicingRead)")]
    async fn credit_note(&self, ctx: &Context<'_>) -> Result<Option<Invoice>, Error> {
        Self::invoice_at(ctx, self.0.credit_note_id).await
    }

    /// The supplier credit note that settles; null when something else does.
    #[graphql(guard = "Needs(Permission::BillsRead)")]
    async fn supplier_credit_note(&self, ctx: &Context<'_>) -> Result<Option<Bill>, Error> {
        Self::bill_at(ctx, self.0.bill_credit_id).await
    }

    /// The invoice that is settled, or the customer credit note that is paid back; null when a bill is.
    #[graphql(guard = "Needs(Permission::InvoicingRead)")]
    async fn invoice(&self, ctx: &Context<'_>) -> Result<Option<Invoice>, Error> {
        Self::invoice_at(ctx, self.0.invoice_id).await
    }

    /// The bill that is settled, or the supplier credit note that is paid back; null when an invoice is.
    #[graphql(guard = "Needs(Permission::BillsRead)")]
    async fn bill(&self, ctx: &Context<'_>) -> Result<Option<Bill>, Error> {
        Self::bill_at(ctx, self.0.bill_id).await
    }

    /// How much, in the currency of both; negative when it undoes another.
    fn amount(&self) -> Money {
        Money::new(self.0.amount_minor, &self.0.currency)
    }

    /// The share of what settles, in the company's currency.
    fn source_base_amount(&self, ctx: &Context<'_>) -> Result<Money, Error> {
        Self::base(ctx, self.0.source_base_minor)
    }

    /// The share of what is settled, in the company's currency, as it was posted. It differs from the other by the
    /// realised exchange difference.
    fn target_base_amount(&self, ctx: &Context<'_>) -> Result<Money, Error> {
        Self::base(ctx, self.0.target_base_minor)
    }

    /// The accounting date of what was posted with it.
    fn on(&self) -> Date {
        Date::from(self.0.on_date)
    }

    /// The allocation that it undoes; null when it settles.
    async fn undoes(&self, ctx: &Context<'_>) -> Result<Option<Allocation>, Error> {
        match self.0.reverses_id {
            Some(id) => Self::load(ctx, id).await,
            None => Ok(None),
        }
    }

    /// The entry with the tax that it makes chargeable or deductible (or that waits again) and the realised
    /// exchange difference; null when there was nothing to post.
    #[graphql(guard = "Needs(Permission::LedgerRead)")]
    async fn journal_entry(&self, ctx: &Context<'_>) -> Result<Option<JournalEntry>, Error> {
        match self.0.entry_id {
            Some(id) => JournalEntry::load(ctx, id).await,
            None => Ok(None),
        }
    }

    /// When it was made.
    fn created_at(&self) -> DateTime<Utc> {
        self.0.created_at
    }

    /// Who made it.
    fn created_by(&self) -> Actor {
        Actor(self.0.created_by.clone())
    }
}
