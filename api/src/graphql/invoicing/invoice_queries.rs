//! What is asked of invoices and credit notes.

use async_graphql::{Context, Enum, Error, ID, InputObject, Object, SimpleObject};
use invoicing::invoice::reading::{self, InvoiceFilter, InvoiceSort};
use invoicing::satisfaction::service as satisfactions;
use kernel::page::{Cursor, Page, Slice};
use kernel::{Kind, Permission};
use rust_decimal::Decimal;

use super::invoice::{Invoice, InvoiceKind, InvoicePaymentState, InvoiceState};
use crate::graphql::connection::{Connection, PageArgs, TotalCount, connection};
use crate::graphql::cost::{costs, paged};
use crate::graphql::date::Date;
use crate::graphql::error::bad_argument;
use crate::graphql::guard::{Needs, Told};
use crate::graphql::ids::{parse, parse_optional};
use crate::graphql::request::InRequest;

/// Which invoices and credit notes; all conditions hold.
#[derive(Clone, Debug, Default, InputObject)]
pub(crate) struct InvoiceFilterInput {
    /// In one of these states.
    states: Option<Vec<InvoiceState>>,
    /// Invoices, or credit notes.
    kind: Option<InvoiceKind>,
    /// Of this customer.
    customer_id: Option<ID>,
    /// In this payment state today; issued ones only.
    payment_state: Option<InvoicePaymentState>,
    /// Issued on this day or later.
    issued_from: Option<Date>,
    /// Issued on this day or earlier.
    issued_to: Option<Date>,
    /// Due on this day or later.
    due_from: Option<Date>,
    /// Due on this day or earlier.
    due_to: Option<Date>,
    /// Whose number starts so, e.g. `F2026-`.
    number_prefix: Option<String>,
    /// With this external reference.
    external_ref: Option<String>,
    /// Credit notes of this invoice.
    corrects_id: Option<ID>,
}

/// In which order invoices are listed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Enum)]
#[graphql(remote = "InvoiceSort")]
pub(crate) enum InvoiceOrder {
    /// The last drafted first.
    #[default]
    Newest,
    /// The last issued first; issued ones only.
    IssueDate,
    /// The first due first; issued ones only.
    DueDate,
}

impl InvoiceFilterInput {
    fn read(self) -> Result<InvoiceFilter, Error> {
        Ok(InvoiceFilter {
            states: self.states.map(|states| states.into_iter().map(Into::into).collect()),
            kind: self.kind.map(Into::into),
            customer_id: parse_optional(Kind::Party, "filter.customerId", self.customer_id.as_ref())?,
            payment_state: self.payment_state.map(Into::into),
            issued_from: self.issued_from.map(Into::into),
            issued_to: self.issued_to.map(Into::into),
            due_from: self.due_from.map(Into::into),
            due_to: self.due_to.map(Into::into),
            number_prefix: self.number_prefix,
            external_ref: self.external_ref,
            corrects_id: parse_optional(Kind::Invoice, "filter.correctsId", self.corrects_id.as_ref())?,
        })
    }
}

/// A page of invoices with what the query asks of them.
pub(super) async fn invoice_page(
    ctx: &Context<'_>,
    filter: InvoiceFilter,
    sort: InvoiceSort,
    slice: &Slice,
) -> Result<Connection<Invoice>, Error> {
    let tx = ctx.session()?.read().await?;
    let node = ctx.look_ahead().field("edges").field("node");
    let columns = Invoice::asked(&node);
    let Page { items, has_previous, has_next } =
        reading::list(&tx, &filter, sort, slice, columns).await.told()?;
    let cursors: Vec<_> =
        items.iter().map(|invoice| Cursor { key: sort.key(invoice), id: invoice.id }).collect();
    let invoices = Invoice::ahead(ctx, &tx, &node, items).await?;
    let page = Page { items: cursors.into_iter().zip(invoices).collect(), has_previous, has_next };
    let total = TotalCount::by(move |tx| {
        let filter = filter.clone();
        async move { reading::count(&tx, &filter, sort).await.told() }
    });
    Ok(connection(page, total, |(cursor, _)| cursor.clone(), |(_, invoice)| invoice))
}

/// What customers think, in sum.
#[derive(Clone, Debug, SimpleObject)]
pub(crate) struct SatisfactionSummary {
    /// How many scores were given.
    count: i64,
    /// Their mean, from 1 (bad) to 5 (good), to two decimals, rounded half up; null of none.
    mean: Option<Decimal>,
}

/// The part of the query root for invoices.
#[derive(Default)]
pub(crate) struct InvoiceQuery;

#[Object]
impl InvoiceQuery {
    /// A customer invoice or credit note by id. Null for an unknown id, and for one of another company.
    #[graphql(guard = "Needs(Permission::InvoicingRead)")]
    async fn invoice(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The invoice or credit note.")] id: ID,
    ) -> Result<Option<Invoice>, Error> {
        Invoice::load_ahead(ctx, parse(Kind::Invoice, "id", &id)?).await
    }

    /// Customer invoices and credit notes, the last drafted first unless `orderBy` says otherwise.
    #[graphql(
        guard = "Needs(Permission::InvoicingRead)",
        directive = paged::apply(), directive = costs::apply(5)
    )]
    #[expect(
        clippy::too_many_arguments,
        reason = "the arguments of a Relay connection, a filter and an order"
    )]
    async fn invoices(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The first so many, 1 to 100.")] first: Option<i32>,
        #[graphql(desc = "The last so many, 1 to 100.")] last: Option<i32>,
        #[graphql(desc = "Those after this cursor.")] after: Option<String>,
        #[graphql(desc = "Those before this cursor.")] before: Option<String>,
        #[graphql(desc = "Which ones; all when left out.")] filter: Option<InvoiceFilterInput>,
        #[graphql(desc = "In which order.", default)] order_by: InvoiceOrder,
    ) -> Result<Connection<Invoice>, Error> {
        let slice = PageArgs { first, last, after, before }.slice()?;
        invoice_page(ctx, filter.unwrap_or_default().read()?, order_by.into(), &slice).await
    }

    /// What customers think, by the scores given from one day to another, both included.
    #[graphql(guard = "Needs(Permission::InvoicingRead)", directive = costs::apply(10))]
    async fn satisfaction_summary(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The first day.")] from: Date,
        #[graphql(desc = "The last day.")] to: Date,
    ) -> Result<SatisfactionSummary, Error> {
        if to < from {
            return Err(bad_argument("to", "the last day is before the first: exchange them"));
        }
        let tx = ctx.session()?.read().await?;
        let scores = satisfactions::scores(&tx, from.0, to.0).await.told()?;
        let mean = scores.mean_hundredths().map(|mean| Decimal::new(mean, 2));
        Ok(SatisfactionSummary { count: scores.count, mean })
    }
}
