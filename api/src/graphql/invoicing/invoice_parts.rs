//! What an invoice or credit note consists of.

use async_graphql::{Context, Error, ID, Object, SimpleObject};
use chrono::{DateTime, Utc};
use entity::invoicing::{invoice_line, invoice_tax, satisfaction};
use kernel::{Kind, Permission};
use rust_decimal::Decimal;
use serde::Deserialize;

use super::item::Item;
use super::party::PostalAddress;
use super::tax::{TaxCategory, TaxChargeable};
use super::tax_code::TaxCode;
use crate::graphql::guard::Needs;
use crate::graphql::ids::public;
use crate::graphql::ledger::account::Account;
use crate::graphql::money::Money;
use crate::graphql::request::InRequest;

/// A line of an invoice or credit note.
pub(crate) struct InvoiceLine {
    pub(super) row: invoice_line::Model,
    pub(super) currency: String,
}

/// A line of an invoice or credit note.
#[Object]
impl InvoiceLine {
    /// The public id.
    async fn id(&self) -> ID {
        public(Kind::InvoiceLine, self.row.id)
    }

    /// Its place on the document, from 1.
    fn number(&self) -> i32 {
        self.row.line_no
    }

    /// The item that it sells; null of a free line.
    #[graphql(guard = "Needs(Permission::CatalogRead)")]
    async fn item(&self, ctx: &Context<'_>) -> Result<Option<Item>, Error> {
        match self.row.item_id {
            Some(item) => Item::load(ctx, item).await,
            None => Ok(None),
        }
    }

    /// What the document shows.
    fn description(&self) -> &str {
        &self.row.description
    }

    /// How many units.
    fn quantity(&self) -> Decimal {
        self.row.quantity.normalize()
    }

    /// The unit, UN/ECE Recommendation 20, e.g. `C62` (piece) or `HUR` (hour).
    fn unit(&self) -> &str {
        &self.row.unit
    }

    /// The price of one unit, net of tax, in the document's currency; it may have more digits than the currency.
    fn unit_price(&self) -> Decimal {
        self.row.unit_price
    }

    /// What is taken off, percent.
    fn discount_percent(&self) -> Decimal {
        self.row.discount_percent.normalize()
    }

    /// Quantity × unit price less the discount, rounded once, half up.
    fn net(&self) -> Money {
        Money::new(self.row.net_minor, &self.currency)
    }

    /// The tax code that it was written with.
    #[graphql(guard = "Needs(Permission::CatalogRead)")]
    async fn tax_code(&self, ctx: &Context<'_>) -> Result<Option<TaxCode>, Error> {
        TaxCode::load(ctx, self.row.tax_code_id).await
    }

    /// The category of its tax.
    fn tax_category(&self) -> TaxCategory {
        TaxCategory::stored(&self.row.category)
    }

    /// The rate of its tax, percent.
    fn tax_rate(&self) -> Decimal {
        self.row.rate.normalize()
    }

    /// When its tax becomes chargeable.
    fn tax_chargeable(&self) -> TaxChargeable {
        TaxChargeable::stored(&self.row.chargeable)
    }

    /// The income account that it is posted to.
    #[graphql(guard = "Needs(Permission::LedgerRead)")]
    async fn account(&self, ctx: &Context<'_>) -> Result<Option<Account>, Error> {
        Account::load(ctx, self.row.account_id).await
    }

    /// Of a credit note: the line of the invoice that it takes back.
    fn corrects_line_id(&self) -> Option<ID> {
        self.row.corrects_line_id.map(|line| public(Kind::InvoiceLine, line))
    }
}

/// The tax of all lines of one category and rate: computed on their sum, never per line.
pub(crate) struct InvoiceTax {
    pub(super) row: invoice_tax::Model,
    pub(super) currency: String,
}

/// The tax of all lines of one category and rate: computed on their sum, never per line.
#[Object]
impl InvoiceTax {
    /// The category.
    fn category(&self) -> TaxCategory {
        TaxCategory::stored(&self.row.category)
    }

    /// The rate, percent.
    fn rate(&self) -> Decimal {
        self.row.rate.normalize()
    }

    /// Why no tax is charged; null where it is.
    fn reason(&self) -> Option<&str> {
        self.row.reason.as_deref()
    }

    /// The sum of its lines.
    fn base(&self) -> Money {
        Money::new(self.row.base_minor, &self.currency)
    }

    /// The tax: base × rate, rounded half up.
    fn tax(&self) -> Money {
        Money::new(self.row.tax_minor, &self.currency)
    }

    /// What of the tax becomes chargeable when the document is paid, in the company's currency; zero of a draft.
    fn waiting(&self, ctx: &Context<'_>) -> Result<Money, Error> {
        Ok(Money::new(self.row.waiting_minor, own_currency(ctx)?))
    }

    /// What of the waiting tax payments have made chargeable so far, in the company's currency.
    fn transferred(&self, ctx: &Context<'_>) -> Result<Money, Error> {
        Ok(Money::new(self.row.transferred_minor, own_currency(ctx)?))
    }
}

/// The currency of the company's books.
pub(super) fn own_currency(ctx: &Context<'_>) -> Result<&'static str, Error> {
    Ok(ctx.session()?.scope()?.company().currency.code())
}

/// A customer as the issued document shows it; later changes of the party do not reach it.
#[derive(Clone, Debug, Deserialize, SimpleObject)]
#[serde(rename_all = "camelCase")]
#[graphql(complex)]
pub(crate) struct IssuedCustomer {
    /// The name.
    name: String,
    /// The SIREN in France, elsewhere the number in the national register.
    legal_id: Option<String>,
    /// The SIRET.
    siret: Option<String>,
    /// The VAT number.
    vat_id: Option<String>,
    #[graphql(skip)]
    street: Option<String>,
    #[graphql(skip)]
    street2: Option<String>,
    #[graphql(skip)]
    postcode: Option<String>,
    #[graphql(skip)]
    city: Option<String>,
    #[graphql(skip)]
    country: String,
}

#[async_graphql::ComplexObject]
impl IssuedCustomer {
    /// The address.
    fn address(&self) -> PostalAddress {
        PostalAddress {
            street: self.street.clone(),
            street2: self.street2.clone(),
            postcode: self.postcode.clone(),
            city: self.city.clone(),
            country: self.country.clone(),
        }
    }
}

/// What a customer thinks of an invoice, left once by a signed link.
pub(crate) struct Satisfaction(pub(super) satisfaction::Model);

/// What a customer thinks of an invoice, left once by a signed link.
#[Object]
impl Satisfaction {
    /// From 1 (bad) to 5 (good).
    fn score(&self) -> i16 {
        self.0.score
    }

    /// What the customer wrote; null when nothing, or erased.
    fn comment(&self) -> Option<&str> {
        self.0.comment.as_deref()
    }

    /// When it was given.
    fn given_at(&self) -> DateTime<Utc> {
        self.0.given_at
    }
}
