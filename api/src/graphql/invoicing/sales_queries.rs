//! What is asked of parties and of the catalog.

use async_graphql::{Context, Enum, Error, ID, InputObject, MergedObject, Object};
use invoicing::catalog::item::service::{self as items, ItemFilter, ItemSort};
use invoicing::catalog::tax_code::service::{self as codes, TaxCodeFilter};
use invoicing::party::service::{self as parties, PartyFilter, PartySort};
use kernel::page::Cursor;
use kernel::{Kind, Permission};

use super::invoice_queries::InvoiceQuery;
use super::item::{Item, ItemNature};
use super::party::Party;
use super::tax::TaxCategory;
use super::tax_code::TaxCode;
use crate::graphql::connection::{Connection, PageArgs, TotalCount, connection};
use crate::graphql::cost::{costs, paged};
use crate::graphql::guard::{Needs, Told};
use crate::graphql::ids::parse;
use crate::graphql::request::InRequest;

/// Which parties; all conditions hold.
#[derive(Clone, Debug, Default, InputObject)]
pub(crate) struct PartyFilterInput {
    /// Customers, or the others.
    customer: Option<bool>,
    /// Suppliers, or the others.
    supplier: Option<bool>,
    /// Archived ones, or the others.
    archived: Option<bool>,
    /// Whose name starts so, in any case of letters.
    name_prefix: Option<String>,
    /// With this VAT number.
    vat_id: Option<String>,
    /// With this external reference.
    external_ref: Option<String>,
}

impl From<PartyFilterInput> for PartyFilter {
    fn from(input: PartyFilterInput) -> Self {
        Self {
            customer: input.customer,
            supplier: input.supplier,
            archived: input.archived,
            name_prefix: input.name_prefix,
            vat_id: input.vat_id,
            external_ref: input.external_ref,
        }
    }
}

/// In which order parties are listed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Enum)]
#[graphql(remote = "PartySort")]
pub(crate) enum PartyOrder {
    /// The newest first.
    #[default]
    Newest,
    /// By name.
    Name,
}

/// Which items; all conditions hold.
#[derive(Clone, Debug, Default, InputObject)]
pub(crate) struct ItemFilterInput {
    /// Archived ones, or the others.
    archived: Option<bool>,
    /// Goods or services.
    nature: Option<ItemNature>,
    /// Whose name starts so, in any case of letters.
    name_prefix: Option<String>,
    /// With this code.
    code: Option<String>,
    /// With this external reference.
    external_ref: Option<String>,
}

impl From<ItemFilterInput> for ItemFilter {
    fn from(input: ItemFilterInput) -> Self {
        Self {
            archived: input.archived,
            nature: input.nature.map(Into::into),
            name_prefix: input.name_prefix,
            code: input.code,
            external_ref: input.external_ref,
        }
    }
}

/// In which order items are listed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Enum)]
#[graphql(remote = "ItemSort")]
pub(crate) enum ItemOrder {
    /// The newest first.
    #[default]
    Newest,
    /// By name.
    Name,
}

/// Which tax codes; all conditions hold.
#[derive(Clone, Debug, Default, InputObject)]
pub(crate) struct TaxCodeFilterInput {
    /// Archived ones, or the others.
    archived: Option<bool>,
    /// With this code.
    code: Option<String>,
    /// Of this category.
    category: Option<TaxCategory>,
}

impl From<TaxCodeFilterInput> for TaxCodeFilter {
    fn from(input: TaxCodeFilterInput) -> Self {
        Self { archived: input.archived, code: input.code, category: input.category.map(Into::into) }
    }
}

/// The sales' part of the query root.
#[derive(Default, MergedObject)]
pub(crate) struct SalesQuery(PartyQuery, CatalogQuery, InvoiceQuery);

/// The part of the query root for customers and suppliers.
#[derive(Default)]
pub(crate) struct PartyQuery;

#[Object]
impl PartyQuery {
    /// A customer or supplier by id. Null for an unknown id, and for one of another company.
    #[graphql(guard = "Needs(Permission::PartiesRead)")]
    async fn party(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The party.")] id: ID,
    ) -> Result<Option<Party>, Error> {
        Party::load(ctx, parse(Kind::Party, "id", &id)?).await
    }

    /// Customers and suppliers, the newest first unless `orderBy` says otherwise.
    #[graphql(
        guard = "Needs(Permission::PartiesRead)",
        directive = paged::apply(), directive = costs::apply(5)
    )]
    #[expect(
        clippy::too_many_arguments,
        reason = "the arguments of a Relay connection, a filter and an order"
    )]
    async fn parties(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The first so many, 1 to 100.")] first: Option<i32>,
        #[graphql(desc = "The last so many, 1 to 100.")] last: Option<i32>,
        #[graphql(desc = "Those after this cursor.")] after: Option<String>,
        #[graphql(desc = "Those before this cursor.")] before: Option<String>,
        #[graphql(desc = "Which ones; all when left out.")] filter: Option<PartyFilterInput>,
        #[graphql(desc = "In which order.", default)] order_by: PartyOrder,
    ) -> Result<Connection<Party>, Error> {
        let slice = PageArgs { first, last, after, before }.slice()?;
        let (filter, sort) = (PartyFilter::from(filter.unwrap_or_default()), PartySort::from(order_by));
        let tx = ctx.session()?.read().await?;
        let page = parties::list(&tx, &filter, sort, &slice).await.told()?;
        let total = TotalCount::by(move |tx| {
            let filter = filter.clone();
            async move { parties::count(&tx, &filter).await.told() }
        });
        Ok(connection(page, total, move |party| Cursor { key: sort.key(party), id: party.id }, Party::new))
    }
}

/// The part of the query root for the catalog.
#[derive(Default)]
pub(crate) struct CatalogQuery;

#[Object]
impl CatalogQuery {
    /// An item by id. Null for an unknown id, and for one of another company.
    #[graphql(guard = "Needs(Permission::CatalogRead)")]
    async fn item(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The item.")] id: ID,
    ) -> Result<Option<Item>, Error> {
        Item::load(ctx, parse(Kind::Item, "id", &id)?).await
    }

    /// Items, the newest first unless `orderBy` says otherwise.
    #[graphql(
        guard = "Needs(Permission::CatalogRead)",
        directive = paged::apply(), directive = costs::apply(5)
    )]
    #[expect(
        clippy::too_many_arguments,
        reason = "the arguments of a Relay connection, a filter and an order"
    )]
    async fn items(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The first so many, 1 to 100.")] first: Option<i32>,
        #[graphql(desc = "The last so many, 1 to 100.")] last: Option<i32>,
        #[graphql(desc = "Those after this cursor.")] after: Option<String>,
        #[graphql(desc = "Those before this cursor.")] before: Option<String>,
        #[graphql(desc = "Which ones; all when left out.")] filter: Option<ItemFilterInput>,
        #[graphql(desc = "In which order.", default)] order_by: ItemOrder,
    ) -> Result<Connection<Item>, Error> {
        let slice = PageArgs { first, last, after, before }.slice()?;
        let (filter, sort) = (ItemFilter::from(filter.unwrap_or_default()), ItemSort::from(order_by));
        let tx = ctx.session()?.read().await?;
        let page = items::list(&tx, &filter, sort, &slice).await.told()?;
        let total = TotalCount::by(move |tx| {
            let filter = filter.clone();
            async move { items::count(&tx, &filter).await.told() }
        });
        Ok(connection(page, total, move |item| Cursor { key: sort.key(item), id: item.id }, Item))
    }

    /// A tax code by id. Null for an unknown id, and for one of another company.
    #[graphql(guard = "Needs(Permission::CatalogRead)")]
    async fn tax_code(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The tax code.")] id: ID,
    ) -> Result<Option<TaxCode>, Error> {
        TaxCode::load(ctx, parse(Kind::TaxCode, "id", &id)?).await
    }

    /// Tax codes, by code.
    #[graphql(
        guard = "Needs(Permission::CatalogRead)",
        directive = paged::apply(), directive = costs::apply(5)
    )]
    async fn tax_codes(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The first so many, 1 to 100.")] first: Option<i32>,
        #[graphql(desc = "The last so many, 1 to 100.")] last: Option<i32>,
        #[graphql(desc = "Those after this cursor.")] after: Option<String>,
        #[graphql(desc = "Those before this cursor.")] before: Option<String>,
        #[graphql(desc = "Which ones; all when left out.")] filter: Option<TaxCodeFilterInput>,
    ) -> Result<Connection<TaxCode>, Error> {
        let slice = PageArgs { first, last, after, before }.slice()?;
        let filter = TaxCodeFilter::from(filter.unwrap_or_default());
        let tx = ctx.session()?.read().await?;
        let page = codes::list(&tx, &filter, &slice).await.told()?;
        let total = TotalCount::by(move |tx| {
            let filter = filter.clone();
            async move { codes::count(&tx, &filter).await.told() }
        });
        Ok(connection(page, total, |code| Cursor { key: code.code.clone(), id: code.id }, TaxCode))
    }
}
