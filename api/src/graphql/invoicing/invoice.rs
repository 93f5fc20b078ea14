//! Customer invoices and credit notes in the graph.

use std::collections::HashMap;

use async_graphql::{Context, Enum, Error, ID, Lookahead, Object};
use chrono::{DateTime, Utc};
use entity::invoicing::invoice::{Column, Entity, Model};
use entity::invoicing::invoice_line::Column as LineColumn;
use entity::invoicing::{invoice_line, invoice_tax, satisfaction};
use invoicing::invoice::{self as rules, reading};
use invoicing::satisfaction::service as satisfactions;
use kernel::sparse::Columns;
use kernel::{Fault, Kind, Permission, Tx};
use rust_decimal::Decimal;
use uuid::Uuid;

use super::behind;
use super::invoice_parts::{InvoiceLine, InvoiceTax, IssuedCustomer, Satisfaction, own_currency};
use super::party::Party;
use super::payment_allocation::Allocation;
use crate::graphql::activity::{Activity, feed};
use crate::graphql::actor::Actor;
use crate::graphql::columns::asked;
use crate::graphql::connection::Connection;
use crate::graphql::cost::{about, costs, newest};
use crate::graphql::date::Date;
use crate::graphql::error::faulty;
use crate::graphql::guard::{Needs, Told};
use crate::graphql::ids::public;
use crate::graphql::inline::{Inline, Rows};
use crate::graphql::ledger::entry::JournalEntry;
use crate::graphql::money::Money;
use crate::graphql::request::{Batch, InRequest};

/// Whether the company claims money or gives it back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(remote = "rules::DocumentKind")]
pub(crate) enum InvoiceKind {
    /// An invoice (facture).
    Invoice,
    /// A credit note (avoir); its amounts are positive as well.
    CreditNote,
}

/// Where an invoice is in its life: draft → issued or discarded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(remote = "rules::State")]
pub(crate) enum InvoiceState {
    /// Being written: no number, nothing posted.
    Draft,
    /// Numbered, posted and fixed; the end, but for its settlement.
    Issued,
    /// Given up before issue; the end.
    Discarded,
}

/// How far an issued invoice is settled. It goes back when a payment bounces.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(remote = "rules::PaymentState")]
pub(crate) enum InvoicePaymentState {
    /// Nothing is settled, and it is not late.
    Open,
    /// Something is settled, and it is not late.
    PartlyPaid,
    /// Something is open after the due date. Of a credit note never.
    Overdue,
    /// Nothing is open, and at least part was paid.
    Paid,
    /// Credit notes took back all of it; of a credit note: all of it was set against invoices.
    Credited,
}

/// A customer invoice or credit note.
#[derive(Clone)]
pub(crate) struct Invoice {
    row: Model,
    /// Children that were read with it, because the query asks for them.
    ahead: Ahead,
}

/// What was read ahead of an invoice's fields.
#[derive(Clone, Default)]
struct Ahead {
    lines: Option<Vec<invoice_line::Model>>,
    taxes: Option<Vec<invoice_tax::Model>>,
    scores: Option<Vec<satisfaction::Model>>,
    customer: Option<Party>,
}

/// Invoices of these ids, in one statement.
struct Invoices;

impl Batch for Invoices {
    type Key = Uuid;
    type Value = Model;

    async fn load(tx: &Tx, keys: &[Uuid]) -> Result<HashMap<Uuid, Model>, Error> {
        let invoices = reading::by_ids(tx, keys).await.told()?;
        Ok(invoices.into_iter().map(|invoice| (invoice.id, invoice)).collect())
    }
}

macro_rules! children {
    ($batch:ident, $model:ty, $read:path, $of:expr) => {
        struct $batch;

        impl Batch for $batch {
            type Key = Uuid;
            type Value = Vec<$model>;

            async fn load(tx: &Tx, keys: &[Uuid]) -> Result<HashMap<Uuid, Vec<$model>>, Error> {
                Ok(by_invoice($read(tx, keys).await.told()?, $of))
            }
        }
    };
}

children!(Lines, invoice_line::Model, all_lines_of, |line| line.invoice_id);
children!(Taxes, invoice_tax::Model, reading::taxes_of, |tax| tax.invoice_id);
children!(CreditNotes, Model, reading::credit_notes_of, |note| note.corrects_id.unwrap_or_default());
children!(Scores, satisfaction::Model, satisfactions::of_invoices, |score| score.invoice_id);

async fn all_lines_of(tx: &Tx, ids: &[Uuid]) -> Result<Vec<invoice_line::Model>, invoicing::Error> {
    reading::lines_of(tx, ids, &Columns::All).await
}

/// Children by the invoice that they belong to.
fn by_invoice<T>(children: Vec<T>, invoice: impl Fn(&T) -> Uuid) -> HashMap<Uuid, Vec<T>> {
    children.into_iter().fold(HashMap::new(), |mut grouped, child| {
        grouped.entry(invoice(&child)).or_insert_with(Vec::new).push(child);
        grouped
    })
}

impl Invoice {
    pub(crate) fn new(row: Model) -> Self {
        Self { row, ahead: Ahead::default() }
    }

    /// An invoice or credit note by id.
    pub(crate) async fn load(ctx: &Context<'_>, id: Uuid) -> Result<Option<Self>, Error> {
        Ok(ctx.session()?.load::<Invoices>(id).await?.map(Self::new))
    }

    /// The same for a field of the root, which is met once: read at once, with what the query asks of it.
    pub(crate) async fn load_ahead(ctx: &Context<'_>, id: Uuid) -> Result<Option<Self>, Error> {
        let tx = ctx.session()?.read().await?;
        let rows = reading::by_ids(&tx, &[id]).await.told()?;
        Ok(Self::ahead(ctx, &tx, &ctx.look_ahead(), rows).await?.pop())
    }

    /// Invoices with what the query asks of them, each kind of child in one statement. `node` is the selection
    /// on an invoice. What the actor may not read is not read ahead: the field itself refuses it.
    pub(crate) async fn ahead(
        ctx: &Context<'_>,
        tx: &Tx,
        node: &Lookahead<'_>,
        rows: Vec<Model>,
    ) -> Result<Vec<Self>, Error> {
        let ids: Vec<Uuid> = rows.iter().map(|row| row.id).collect();
        let wants = |field: &str| node.field(field).exists() && !ids.is_empty();
        let (mut lines, mut taxes, mut scores, mut customers) = (None, None, None, HashMap::new());
        if wants("lines") {
            let columns = asked(&node.field("lines"), &[LineColumn::InvoiceId], behind::line);
            let read = reading::lines_of(tx, &ids, &columns).await.told()?;
            lines = Some(by_invoice(read, |line| line.invoice_id));
        }
        if wants("taxes") {
            taxes = Some(by_invoice(reading::taxes_of(tx, &ids).await.told()?, |tax| tax.invoice_id));
        }
        if wants("satisfaction") {
            let given = satisfactions::of_invoices(tx, &ids).await.told()?;
            scores = Some(by_invoice(given, |score| score.invoice_id));
        }
        if wants("customer") && ctx.session()?.scope()?.permissions().has(Permission::PartiesRead) {
            let columns = Party::asked(&node.field("customer"));
            customers = Party::all(tx, rows.iter().map(|row| row.customer_id), &columns).await?;
        }
        let invoices = rows.into_iter().map(|row| {
            let ahead = Ahead {
                lines: lines.as_mut().map(|lines| lines.remove(&row.id).unwrap_or_default()),
                taxes: taxes.as_mut().map(|taxes| taxes.remove(&row.id).unwrap_or_default()),
                scores: scores.as_mut().map(|scores| scores.remove(&row.id).unwrap_or_default()),
                customer: customers.get(&row.customer_id).cloned(),
            };
            Self { row, ahead }
        });
        Ok(invoices.collect())
    }

    /// What the selection on an invoice reads.
    pub(crate) fn asked(node: &Lookahead<'_>) -> Columns<Entity> {
        asked(node, &[Column::Id], behind::invoice)
    }

    fn money(&self, minor: i64) -> Money {
        Money::new(minor, &self.row.currency)
    }

    fn is_issued(&self) -> bool {
        self.row.state == rules::State::Issued.as_str()
    }
}

/// A customer invoice or credit note.
#[Object]
impl Invoice {
    /// The public id.
    pub(crate) async fn id(&self) -> ID {
        public(Kind::Invoice, self.row.id)
    }

    /// Grows with each change; updates take the one that was read.
    fn version(&self) -> i32 {
        self.row.version
    }

    /// Invoice or credit note.
    fn kind(&self) -> InvoiceKind {
        rules::DocumentKind::parse(&self.row.kind).unwrap_or(rules::DocumentKind::Invoice).into()
    }

    /// Where it is in its life.
    fn state(&self) -> InvoiceState {
        rules::State::parse(&self.row.state).unwrap_or(rules::State::Draft).into()
    }

    /// How far it is settled; null until it is issued.
    fn payment_state(&self, ctx: &Context<'_>) -> Result<Option<InvoicePaymentState>, Error> {
        let today = ctx.session()?.scope()?.today();
        Ok(rules::payment_state(&self.row, today).map(InvoicePaymentState::from))
    }

    /// The number, gapless per kind and calendar year, e.g. `F2026-000042`; null until it is issued.
    fn number(&self) -> Option<&str> {
        self.row.number.as_deref()
    }

    /// To whom, as the party is now.
    #[graphql(guard = "Needs(Permission::PartiesRead)")]
    async fn customer(&self, ctx: &Context<'_>) -> Result<Option<Inline<Party>>, Error> {
        match &self.ahead.customer {
            Some(customer) => Ok(Some(Inline(customer.clone()))),
            None => Ok(Party::load(ctx, self.row.customer_id).await?.map(Inline)),
        }
    }

    /// To whom, as the customer was at issue and as the document shows it for ever; null until then.
    fn customer_as_issued(&self) -> Result<Option<IssuedCustomer>, Error> {
        let Some(customer) = &self.row.customer_as_issued else { return Ok(None) };
        let customer = serde_json::from_value(customer.clone());
        customer.map(Some).map_err(|error| faulty(&Fault::Corrupt(format!("customer as issued: {error}"))))
    }

    /// Of a credit note: the invoice that it corrects.
    async fn corrects(&self, ctx: &Context<'_>) -> Result<Option<Invoice>, Error> {
        match self.row.corrects_id {
            Some(id) => Invoice::load(ctx, id).await,
            None => Ok(None),
        }
    }

    /// Of an invoice: its credit notes, drafts among them, discarded ones aside; the oldest first.
    #[graphql(directive = about::apply(3))]
    async fn credit_notes(&self, ctx: &Context<'_>) -> Result<Vec<Invoice>, Error> {
        if self.row.corrects_id.is_some() {
            return Ok(Vec::new());
        }
        let notes = ctx.session()?.load::<CreditNotes>(self.row.id).await?.unwrap_or_default();
        Ok(notes.into_iter().map(Invoice::new).collect())
    }

    /// Its date; null until it is issued.
    fn issue_date(&self) -> Option<Date> {
        self.row.issue_date.map(Date::from)
    }

    /// When it is due, by its terms; null until it is issued.
    fn due_date(&self) -> Option<Date> {
        self.row.due_date.map(Date::from)
    }

    /// When the goods or services were delivered, if it says so.
    fn delivery_date(&self) -> Option<Date> {
        self.row.delivery_date.map(Date::from)
    }

    /// Its payment term, in days.
    fn payment_days(&self) -> i16 {
        self.row.payment_days
    }

    /// Whether the term then runs to the end of that month (fin de mois).
    fn end_of_month(&self) -> bool {
        self.row.end_of_month
    }

    /// What the customer wants to see (EN 16931, BT-10).
    fn buyer_reference(&self) -> Option<&str> {
        self.row.buyer_reference.as_deref()
    }

    /// The customer's order (EN 16931, BT-13).
    fn order_reference(&self) -> Option<&str> {
        self.row.order_reference.as_deref()
    }

    /// A text for the customer.
    fn note(&self) -> Option<&str> {
        self.row.note.as_deref()
    }

    /// Its currency, ISO 4217: that of all its amounts.
    fn currency(&self) -> &str {
        &self.row.currency
    }

    /// Company currency for one unit of its own, as posted; null until it is issued.
    fn exchange_rate(&self) -> Option<Decimal> {
        self.row.rate.map(|rate| rate.normalize())
    }

    /// The total without tax: the sum of its lines.
    fn net(&self) -> Money {
        self.money(self.row.net_minor)
    }

    /// The tax: the sum of its groups.
    fn tax(&self) -> Money {
        self.money(self.row.tax_minor)
    }

    /// The total with tax.
    fn total(&self) -> Money {
        self.money(self.row.total_minor)
    }

    /// The total without tax in the company's currency, as posted; null until it is issued.
    fn net_base(&self, ctx: &Context<'_>) -> Result<Option<Money>, Error> {
        let own = own_currency(ctx)?;
        Ok(self.is_issued().then(|| Money::new(self.row.net_base_minor, own)))
    }

    /// The total with tax in the company's currency, as posted; null until it is issued.
    fn total_base(&self, ctx: &Context<'_>) -> Result<Option<Money>, Error> {
        let own = own_currency(ctx)?;
        Ok(self.is_issued().then(|| Money::new(self.row.total_base_minor, own)))
    }

    /// What is still to be paid, or to be refunded of a credit note; zero until it is issued.
    fn open(&self) -> Money {
        self.money(if self.is_issued() { self.row.open_minor } else { 0 })
    }

    /// What payments have settled; of a credit note: what was refunded.
    fn settled(&self) -> Money {
        self.money(self.row.settled_minor)
    }

    /// What credit notes took off; of a credit note: what was set against its invoice.
    fn credited(&self) -> Money {
        self.money(self.row.credited_minor)
    }

    /// Its lines, in their order.
    #[graphql(directive = about::apply(10))]
    async fn lines(&self, ctx: &Context<'_>) -> Result<Rows<InvoiceLine>, Error> {
        let lines = match &self.ahead.lines {
            Some(lines) => lines.clone(),
            None => ctx.session()?.load::<Lines>(self.row.id).await?.unwrap_or_default(),
        };
        let line = |row| InvoiceLine { row, currency: self.row.currency.clone() };
        Ok(Rows(lines.into_iter().map(line).collect()))
    }

    /// Its tax per category and rate, the highest rate of a category first.
    #[graphql(directive = about::apply(3))]
    async fn taxes(&self, ctx: &Context<'_>) -> Result<Rows<InvoiceTax>, Error> {
        let taxes = match &self.ahead.taxes {
            Some(taxes) => taxes.clone(),
            None => ctx.session()?.load::<Taxes>(self.row.id).await?.unwrap_or_default(),
        };
        let tax = |row| InvoiceTax { row, currency: self.row.currency.clone() };
        Ok(Rows(taxes.into_iter().map(tax).collect()))
    }

    /// The entry that posted it; null until it is issued.
    #[graphql(guard = "Needs(Permission::LedgerRead)")]
    async fn journal_entry(&self, ctx: &Context<'_>) -> Result<Option<JournalEntry>, Error> {
        match self.row.entry_id {
            Some(entry) => JournalEntry::load(ctx, entry).await,
            None => Ok(None),
        }
    }

    /// What settles it: payments and credit notes; of a credit note, what it settles and what paid it back.
    #[graphql(guard = "Needs(Permission::PaymentsRead)", directive = about::apply(3))]
    async fn allocations(&self, ctx: &Context<'_>) -> Result<Option<Vec<Allocation>>, Error> {
        Ok(Some(Allocation::of_invoice(ctx, self.row.id).await?))
    }

    /// What the customer thinks of it; null until the customer says so.
    async fn satisfaction(&self, ctx: &Context<'_>) -> Result<Option<Satisfaction>, Error> {
        let mut scores = match &self.ahead.scores {
            Some(scores) => scores.clone(),
            None => ctx.session()?.load::<Scores>(self.row.id).await?.unwrap_or_default(),
        };
        Ok(scores.pop().map(Satisfaction))
    }

    /// A fresh address of the page on which the customer can rate this invoice, once, within ninety days. Hand it
    /// to the customer alone: whoever has it can rate. Null of drafts and of credit notes.
    #[graphql(directive = costs::apply(5))]
    async fn rating_url(&self, ctx: &Context<'_>) -> Result<Option<String>, Error> {
        if !self.is_issued() || self.row.corrects_id.is_some() {
            return Ok(None);
        }
        let request = ctx.session()?;
        let tx = request.read().await?;
        let token = satisfactions::link_token(&tx, self.row.id).await.told()?;
        Ok(Some(format!("{}/rate/{token}", request.app().public_url)))
    }

    /// When it was issued, to the moment; null until then.
    fn issued_at(&self) -> Option<DateTime<Utc>> {
        self.row.issued_at
    }

    /// Who issued it; null until then.
    fn issued_by(&self) -> Option<Actor> {
        self.row.issued_by.clone().map(Actor)
    }

    /// The partner system's own id, unique within the company.
    fn external_ref(&self) -> Option<&str> {
        self.row.external_ref.as_deref()
    }

    /// When it was drafted.
    fn created_at(&self) -> DateTime<Utc> {
        self.row.created_at
    }

    /// Who drafted it.
    fn created_by(&self) -> Actor {
        Actor(self.row.created_by.clone())
    }

    /// When it last changed.
    fn updated_at(&self) -> DateTime<Utc> {
        self.row.updated_at
    }

    /// Who last changed it.
    fn updated_by(&self) -> Actor {
        Actor(self.row.updated_by.clone())
    }

    /// What happened to it, newest first. Personal values are kept apart, see `personalChanges`.
    #[graphql(directive = newest::apply(), directive = costs::apply(5))]
    async fn activity(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How many, at most 100.")] first: i32,
        #[graphql(desc = "Those before this one.")] after: Option<String>,
    ) -> Result<Connection<Activity>, Error> {
        feed(ctx, Some(self.row.id), first, after).await
    }
}
