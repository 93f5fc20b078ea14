//! What is asked of supplier bills.

use async_graphql::{Context, Enum, Error, ID, InputObject, Object};
use invoicing::bill::list::{BillFilter, BillSort};
use invoicing::bill::service;
use kernel::page::{Page, Slice};
use kernel::{Kind, Permission};

use super::bill::Bill;
use super::bill_enums::{BillKind, BillPaymentState, BillSource, BillState};
use crate::graphql::connection::{Connection, PageArgs, TotalCount, connection};
use crate::graphql::cost::{costs, paged};
use crate::graphql::date::Date;
use crate::graphql::guard::{Needs, Told};
use crate::graphql::ids::{parse, parse_optional};
use crate::graphql::request::InRequest;

/// Which bills; all conditions hold, what is left out does not matter.
#[derive(Default, InputObject)]
pub(crate) struct BillFilterInput {
    /// In one of these states.
    states: Option<Vec<BillState>>,
    /// Bills or credit notes.
    kind: Option<BillKind>,
    /// How they came.
    source: Option<BillSource>,
    /// From this supplier.
    supplier_id: Option<ID>,
    /// Credit notes that correct this bill.
    corrects_id: Option<ID>,
    /// Due on this day or later.
    due_from: Option<Date>,
    /// Due on this day or earlier.
    due_to: Option<Date>,
    /// Issued on this day or later.
    issued_from: Option<Date>,
    /// Issued on this day or earlier.
    issued_to: Option<Date>,
    /// Numbers that begin so, letters and digits as the supplier writes them.
    number_prefix: Option<String>,
    /// With findings, or without.
    has_findings: Option<bool>,
    /// In this payment state today.
    payment_state: Option<BillPaymentState>,
    /// With this external reference.
    external_ref: Option<String>,
}

/// In which order bills are listed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Enum)]
#[graphql(remote = "BillSort")]
pub(crate) enum BillOrder {
    /// The last received first.
    #[default]
    Newest,
    /// The first due first.
    DueDate,
}

impl BillFilterInput {
    fn read(self) -> Result<BillFilter, Error> {
        Ok(BillFilter {
            states: self.states.unwrap_or_default().into_iter().map(Into::into).collect(),
            kind: self.kind.map(Into::into),
            source: self.source.map(Into::into),
            supplier_id: parse_optional(Kind::Party, "filter.supplierId", self.supplier_id.as_ref())?,
            corrects_id: parse_optional(Kind::Bill, "filter.correctsId", self.corrects_id.as_ref())?,
            due_from: self.due_from.map(Into::into),
            due_to: self.due_to.map(Into::into),
            issued_from: self.issued_from.map(Into::into),
            issued_to: self.issued_to.map(Into::into),
            number_prefix: self.number_prefix,
            has_findings: self.has_findings,
            payment_state: self.payment_state.map(Into::into),
            external_ref: self.external_ref,
        })
    }
}

/// The connection of a page of bills, with what the query asks of each read ahead.
pub(super) async fn bill_page(
    ctx: &Context<'_>,
    filter: BillFilter,
    sort: BillSort,
    slice: &Slice,
) -> Result<Connection<Bill>, Error> {
    let tx = ctx.session()?.read().await?;
    let Page { items, has_previous, has_next } = service::list(&tx, &filter, sort, slice).await.told()?;
    let cursors: Vec<_> = items.iter().map(|bill| sort.cursor(bill)).collect();
    let node = ctx.look_ahead().field("edges").field("node");
    let bills = Bill::ahead(ctx, &tx, &node, items).await?;
    let page = Page { items: cursors.into_iter().zip(bills).collect(), has_previous, has_next };
    let total = TotalCount::by(move |tx| {
        let filter = filter.clone();
        async move { service::count(&tx, &filter).await.told() }
    });
    Ok(connection(page, total, |(cursor, _)| cursor.clone(), |(_, bill)| bill))
}

/// The purchases' part of the query root.
#[derive(Default)]
pub(crate) struct PurchasesQuery;

#[Object]
impl PurchasesQuery {
    /// A supplier bill by id. Null for an unknown id, and for one of another company.
    #[graphql(guard = "Needs(Permission::BillsRead)")]
    async fn bill(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The bill.")] id: ID,
    ) -> Result<Option<Bill>, Error> {
        Bill::load(ctx, parse(Kind::Bill, "id", &id)?).await
    }

    /// Supplier bills and supplier credit notes, the last received first unless `orderBy` says otherwise.
    #[graphql(
        guard = "Needs(Permission::BillsRead)",
        directive = paged::apply(), directive = costs::apply(5)
    )]
    #[expect(
        clippy::too_many_arguments,
        reason = "the arguments of a Relay connection, a filter and an order"
    )]
    async fn bills(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The first so many, 1 to 100.")] first: Option<i32>,
        #[graphql(desc = "The last so many, 1 to 100.")] last: Option<i32>,
        #[graphql(desc = "Those after this cursor.")] after: Option<String>,
        #[graphql(desc = "Those before this cursor.")] before: Option<String>,
        #[graphql(desc = "Which ones; all when left out.")] filter: Option<BillFilterInput>,
        #[graphql(desc = "In which order.", default)] order_by: BillOrder,
    ) -> Result<Connection<Bill>, Error> {
        let slice = PageArgs { first, last, after, before }.slice()?;
        bill_page(ctx, filter.unwrap_or_default().read()?, order_by.into(), &slice).await
    }
}
