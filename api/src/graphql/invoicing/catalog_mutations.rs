//! What is changed of items and tax codes.

use async_graphql::{Context, Error, ID, InputObject, MaybeUndefined, Object};
use invoicing::catalog::item::{ItemEdit, NewItem, service as items};
use invoicing::catalog::tax_code::{NewTaxCode, service as codes};
use kernel::{Kind, Permission};
use rust_decimal::Decimal;

use super::edits::{clearable, clearable_id, settable, settable_id};
use super::errors::InvoicingUserError;
use super::item::{Item, ItemNature};
use super::tax::{TaxCategory, TaxChargeable};
use super::tax_code::TaxCode;
use crate::graphql::guard::Needs;
use crate::graphql::ids::{parse, parse_optional};
use crate::graphql::mutation::{mutate, payload};

/// An item to create.
#[derive(InputObject)]
struct CreateItemInput {
    /// Its short name, unique within the company, 1 to 60 characters.
    code: String,
    /// What documents show, 1 to 200 characters.
    name: String,
    /// Goods or services.
    nature: ItemNature,
    /// Its unit, UN/ECE Recommendation 20; `C62` (piece) when left out.
    unit: Option<String>,
    /// The price of one unit, net of tax; zero or more, at most six decimals.
    unit_price: Decimal,
    /// The price's currency, ISO 4217; the company's own when left out.
    currency: Option<String>,
    /// The tax on it.
    tax_code_id: ID,
    /// The income account of its sales; the chart's default for its nature when left out.
    account_id: Option<ID>,
    /// The partner system's own id, unique within the company.
    external_ref: Option<String>,
}

/// Changes of an item. What is left out stays; null clears what can be empty. Lines that exist keep what they copied.
#[derive(InputObject)]
struct UpdateItemInput {
    /// The item.
    item_id: ID,
    /// The version that was read; another one is a conflict.
    expected_version: i32,
    /// Its short name.
    code: Option<String>,
    /// What documents show.
    name: Option<String>,
    /// Goods or services.
    nature: Option<ItemNature>,
    /// Its unit, UN/ECE Recommendation 20.
    unit: Option<String>,
    /// The price of one unit, net of tax.
    unit_price: Option<Decimal>,
    /// The price's currency, ISO 4217.
    currency: Option<String>,
    /// The tax on it.
    tax_code_id: Option<ID>,
    /// The income account of its sales.
    account_id: MaybeUndefined<ID>,
    /// The partner system's own id.
    external_ref: MaybeUndefined<String>,
}

/// An item to archive, or to take back into use.
#[derive(InputObject)]
struct ArchiveItemInput {
    /// The item.
    item_id: ID,
    /// The version that was read; another one is a conflict.
    expected_version: i32,
}

/// A tax code to create. Category, rate and chargeability never change: another rate is another code.
#[derive(InputObject)]
struct CreateTaxCodeInput {
    /// Its short name, unique within the company, 1 to 20 characters.
    code: String,
    /// What people read, 1 to 100 characters.
    name: String,
    /// The category.
    category: TaxCategory,
    /// The rate, percent, at most three decimals; above zero exactly for category `S`.
    rate: Decimal,
    /// Why no tax is charged; needed for `E`, `AE`, `K`, `G` and `O`.
    reason: Option<String>,
    /// When the tax becomes chargeable.
    chargeable: TaxChargeable,
}

/// Changes of what people read of a tax code. What is left out stays.
#[derive(InputObject)]
struct UpdateTaxCodeInput {
    /// The tax code.
    tax_code_id: ID,
    /// The version that was read; another one is a conflict.
    expected_version: i32,
    /// What people read.
    name: Option<String>,
    /// Why no tax is charged.
    reason: MaybeUndefined<String>,
}

/// A tax code to archive, or to take back into use.
#[derive(InputObject)]
struct ArchiveTaxCodeInput {
    /// The tax code.
    tax_code_id: ID,
    /// The version that was read; another one is a conflict.
    expected_version: i32,
}

payload!(CreateItemPayload, item: Item, InvoicingUserError, "The item.");
payload!(UpdateItemPayload, item: Item, InvoicingUserError, "The item.");
payload!(ArchiveItemPayload, item: Item, InvoicingUserError, "The item.");
payload!(UnarchiveItemPayload, item: Item, InvoicingUserError, "The item.");
payload!(CreateTaxCodePayload, tax_code: TaxCode, InvoicingUserError, "The tax code.");
payload!(UpdateTaxCodePayload, tax_code: TaxCode, InvoicingUserError, "The tax code.");
payload!(ArchiveTaxCodePayload, tax_code: TaxCode, InvoicingUserError, "The tax code.");
payload!(UnarchiveTaxCodePayload, tax_code: TaxCode, InvoicingUserError, "The tax code.");

/// The part of the mutation root for the catalog.
#[derive(Default)]
pub(crate) struct CatalogMutation;

#[Object]
impl CatalogMutation {
    /// Creates an item.
    #[graphql(guard = "Needs(Permission::CatalogWrite)")]
    async fn create_item(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "An item to create.")] input: CreateItemInput,
    ) -> Result<CreateItemPayload, Error> {
        let item = NewItem {
            code: input.code,
            name: input.name,
            nature: input.nature.into(),
            unit: input.unit,
            unit_price: input.unit_price,
            currency: input.currency,
            tax_code_id: parse(Kind::TaxCode, "taxCodeId", &input.tax_code_id)?,
            account_id: parse_optional(Kind::Account, "accountId", input.account_id.as_ref())?,
            external_ref: input.external_ref,
        };
        let done = mutate(ctx, move |tx| {
            let item = item.clone();
            Box::pin(async move { items::create(tx, item).await })
        });
        Ok(CreateItemPayload(done.await?))
    }

    /// Changes an item.
    #[graphql(guard = "Needs(Permission::CatalogWrite)")]
    async fn update_item(
        &self,
        ctx: &Context<'_>,
        #[graphql(
            desc = "Changes of an item. What is left out stays; null clears what can be empty. Lines that exist keep what they copied."
        )]
        input: UpdateItemInput,
    ) -> Result<UpdateItemPayload, Error> {
        let (id, expected) = (parse(Kind::Item, "itemId", &input.item_id)?, input.expected_version);
        let edit = ItemEdit {
            code: settable(input.code),
            name: settable(input.name),
            nature: settable(input.nature.map(Into::into)),
            unit: settable(input.unit),
            unit_price: settable(input.unit_price),
            currency: settable(input.currency),
            tax_code_id: settable_id(Kind::TaxCode, "taxCodeId", input.tax_code_id.as_ref())?,
            account_id: clearable_id(Kind::Account, "accountId", &input.account_id)?,
            external_ref: clearable(input.external_ref),
        };
        let done = mutate(ctx, move |tx| {
            let edit = edit.clone();
            Box::pin(async move { items::update(tx, id, expected, edit).await.map(|()| id) })
        });
        Ok(UpdateItemPayload(done.await?.or_current(id)))
    }

    /// Archives an item: new lines cannot use it.
    #[graphql(guard = "Needs(Permission::CatalogWrite)")]
    async fn archive_item(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "An item to archive, or to take back into use.")] input: ArchiveItemInput,
    ) -> Result<ArchiveItemPayload, Error> {
        let (id, expected) = (parse(Kind::Item, "itemId", &input.item_id)?, input.expected_version);
        let done = mutate(ctx, move |tx| {
            Box::pin(async move { items::archive(tx, id, expected).await.map(|()| id) })
        });
        Ok(ArchiveItemPayload(done.await?.or_current(id)))
    }

    /// Takes an archived item back into use.
    #[graphql(guard = "Needs(Permission::CatalogWrite)")]
    async fn unarchive_item(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "An item to archive, or to take back into use.")] input: ArchiveItemInput,
    ) -> Result<UnarchiveItemPayload, Error> {
        let (id, expected) = (parse(Kind::Item, "itemId", &input.item_id)?, input.expected_version);
        let done = mutate(ctx, move |tx| {
            Box::pin(async move { items::unarchive(tx, id, expected).await.map(|()| id) })
        });
        Ok(UnarchiveItemPayload(done.await?.or_current(id)))
    }

    /// Creates a tax code.
    #[graphql(guard = "Needs(Permission::CatalogWrite)")]
    async fn create_tax_code(
        &self,
        ctx: &Context<'_>,
        #[graphql(
            desc = "A tax code to create. Category, rate and chargeability never change: another rate is another code."
        )]
        input: CreateTaxCodeInput,
    ) -> Result<CreateTaxCodePayload, Error> {
        let code = NewTaxCode {
            code: input.code,
            name: input.name,
            category: input.category.into(),
            rate: input.rate,
            reason: input.reason,
            chargeable: input.chargeable.into(),
        };
        let done = mutate(ctx, move |tx| {
            let code = code.clone();
            Box::pin(async move { codes::create(tx, code).await })
        });
        Ok(CreateTaxCodePayload(done.await?))
    }

    /// Changes what people read of a tax code.
    #[graphql(guard = "Needs(Permission::CatalogWrite)")]
    async fn update_tax_code(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Changes of what people read of a tax code. What is left out stays.")]
        input: UpdateTaxCodeInput,
    ) -> Result<UpdateTaxCodePayload, Error> {
        let (id, expected) = (parse(Kind::TaxCode, "taxCodeId", &input.tax_code_id)?, input.expected_version);
        let (name, reason) = (settable(input.name), clearable(input.reason));
        let done = mutate(ctx, move |tx| {
            let (name, reason) = (name.clone(), reason.clone());
            Box::pin(async move { codes::update(tx, id, expected, name, reason).await.map(|()| id) })
        });
        Ok(UpdateTaxCodePayload(done.await?.or_current(id)))
    }

    /// Archives a tax code: new lines cannot use it.
    #[graphql(guard = "Needs(Permission::CatalogWrite)")]
    async fn archive_tax_code(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "A tax code to archive, or to take back into use.")] input: ArchiveTaxCodeInput,
    ) -> Result<ArchiveTaxCodePayload, Error> {
        let (id, expected) = (parse(Kind::TaxCode, "taxCodeId", &input.tax_code_id)?, input.expected_version);
        let done = mutate(ctx, move |tx| {
            Box::pin(async move { codes::archive(tx, id, expected).await.map(|()| id) })
        });
        Ok(ArchiveTaxCodePayload(done.await?.or_current(id)))
    }

    /// Takes an archived tax code back into use.
    #[graphql(guard = "Needs(Permission::CatalogWrite)")]
    async fn unarchive_tax_code(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "A tax code to archive, or to take back into use.")] input: ArchiveTaxCodeInput,
    ) -> Result<UnarchiveTaxCodePayload, Error> {
        let (id, expected) = (parse(Kind::TaxCode, "taxCodeId", &input.tax_code_id)?, input.expected_version);
        let done = mutate(ctx, move |tx| {
            Box::pin(async move { codes::unarchive(tx, id, expected).await.map(|()| id) })
        });
        Ok(UnarchiveTaxCodePayload(done.await?.or_current(id)))
    }
}
