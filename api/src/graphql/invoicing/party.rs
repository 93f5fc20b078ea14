//! Customers and suppliers in the graph.

use std::collections::HashMap;
use std::sync::Arc;

use async_graphql::{Context, Error, ID, Lookahead, Object, SimpleObject};
use chrono::{DateTime, Utc};
use entity::invoicing::party::{Column, Entity, Model};
use invoicing::invoice::reading::{InvoiceFilter, InvoiceSort};
use invoicing::party::service;
use kernel::sparse::Columns;
use kernel::{Kind, Permission, Tx};
use uuid::Uuid;

use super::behind;
use super::invoice::Invoice;
use super::invoice_queries::invoice_page;
use crate::graphql::activity::{Activity, feed};
use crate::graphql::actor::Actor;
use crate::graphql::columns::asked;
use crate::graphql::connection::{Connection, PageArgs};
use crate::graphql::cost::{costs, newest, paged};
use crate::graphql::guard::{Needs, Told};
use crate::graphql::ids::public;
use crate::graphql::request::{Batch, InRequest};

/// A customer, a supplier, or both.
#[derive(Clone)]
pub(crate) struct Party(pub(super) Arc<Model>);

/// The parties of these ids, in one statement.
struct Parties;

impl Batch for Parties {
    type Key = Uuid;
    type Value = Party;

    async fn load(tx: &Tx, keys: &[Uuid]) -> Result<HashMap<Uuid, Party>, Error> {
        Party::all(tx, keys.iter().copied(), &Columns::All).await
    }
}

impl Party {
    pub(super) fn new(row: Model) -> Self {
        Self(Arc::new(row))
    }

    /// A party by id.
    pub(crate) async fn load(ctx: &Context<'_>, id: Uuid) -> Result<Option<Self>, Error> {
        ctx.session()?.load::<Parties>(id).await
    }

    /// What the selection on a party reads.
    pub(crate) fn asked(node: &Lookahead<'_>) -> Columns<Entity> {
        asked(node, &[Column::Id], behind::party)
    }

    /// The parties of these ids, read ahead in one statement. Needs `parties.read`.
    pub(crate) async fn all(
        tx: &Tx,
        ids: impl Iterator<Item = Uuid>,
        columns: &Columns<Entity>,
    ) -> Result<HashMap<Uuid, Self>, Error> {
        let mut ids: Vec<Uuid> = ids.collect();
        ids.sort_unstable();
        ids.dedup();
        let parties = service::by_ids(tx, &ids, columns).await.told()?;
        Ok(parties.into_iter().map(|party| (party.id, Self::new(party))).collect())
    }
}

/// A postal address.
#[derive(Clone, Debug, SimpleObject)]
pub(crate) struct PostalAddress {
    /// First line.
    pub(super) street: Option<String>,
    /// Second line.
    pub(super) street2: Option<String>,
    /// Postal code.
    pub(super) postcode: Option<String>,
    /// Town.
    pub(super) city: Option<String>,
    /// Country, ISO 3166-1 alpha-2.
    pub(super) country: String,
}

/// Where a party is paid.
#[derive(Clone, Debug, SimpleObject)]
pub(crate) struct BankAccount {
    /// The IBAN in electronic form (ISO 13616); null when only the bank is known.
    iban: Option<String>,
    /// The bank, ISO 9362; null when it is not known.
    bic: Option<String>,
}

/// A customer, a supplier, or both.
#[Object]
impl Party {
    /// The public id.
    pub(crate) async fn id(&self) -> ID {
        public(Kind::Party, self.0.id)
    }

    /// Grows with each change; updates take the one that was read.
    fn version(&self) -> i32 {
        self.0.version
    }

    /// Whether the company sells to it.
    fn is_customer(&self) -> bool {
        self.0.is_customer
    }

    /// Whether the company buys from it.
    fn is_supplier(&self) -> bool {
        self.0.is_supplier
    }

    /// Its name.
    fn name(&self) -> &str {
        &self.0.name
    }

    /// Its SIREN in France, elsewhere the number in the national register.
    fn legal_id(&self) -> Option<&str> {
        self.0.legal_id.as_deref()
    }

    /// Its SIRET, of an establishment in France.
    fn siret(&self) -> Option<&str> {
        self.0.siret.as_deref()
    }

    /// Its VAT number with the country's prefix.
    fn vat_id(&self) -> Option<&str> {
        self.0.vat_id.as_deref()
    }

    /// Where its mail goes.
    fn email(&self) -> Option<&str> {
        self.0.email.as_deref()
    }

    /// Its telephone number, as written.
    fn phone(&self) -> Option<&str> {
        self.0.phone.as_deref()
    }

    /// Where it is.
    fn address(&self) -> PostalAddress {
        PostalAddress {
            street: self.0.street.clone(),
            street2: self.0.street2.clone(),
            postcode: self.0.postcode.clone(),
            city: self.0.city.clone(),
            country: self.0.country.clone(),
        }
    }

    /// The currency of business with it, ISO 4217.
    fn currency(&self) -> &str {
        &self.0.currency
    }

    /// Its payment term, in days.
    fn payment_days(&self) -> i16 {
        self.0.payment_days
    }

    /// Whether the term then runs to the end of that month (fin de mois).
    fn end_of_month(&self) -> bool {
        self.0.end_of_month
    }

    /// Whether this supplier's VAT is deductible when paid and not when billed (TVA sur les encaissements).
    fn vat_on_payment(&self) -> bool {
        self.0.vat_on_payment
    }

    /// The last four characters of its IBAN, to tell accounts apart; null when there is none.
    fn iban_hint(&self) -> Option<&str> {
        self.0.iban_hint.as_deref()
    }

    /// Its bank account; null when there is none. It is sealed at rest.
    #[graphql(guard = "Needs(Permission::PartiesBank)", directive = costs::apply(5))]
    async fn bank_account(&self, ctx: &Context<'_>) -> Result<Option<BankAccount>, Error> {
        let bic = self.0.bic.clone();
        if self.0.iban_hint.is_none() {
            return Ok(bic.map(|bic| BankAccount { iban: None, bic: Some(bic) }));
        }
        let tx = ctx.session()?.read().await?;
        Ok(Some(BankAccount { iban: service::iban(&tx, self.0.id).await.told()?, bic }))
    }

    /// The partner system's own id, unique within the company.
    fn external_ref(&self) -> Option<&str> {
        self.0.external_ref.as_deref()
    }

    /// When it was archived; null while it is in use.
    fn archived_at(&self) -> Option<DateTime<Utc>> {
        self.0.archived_at
    }

    /// When it was created.
    fn created_at(&self) -> DateTime<Utc> {
        self.0.created_at
    }

    /// Who created it.
    fn created_by(&self) -> Actor {
        Actor(self.0.created_by.clone())
    }

    /// When it last changed.
    fn updated_at(&self) -> DateTime<Utc> {
        self.0.updated_at
    }

    /// Who last changed it.
    fn updated_by(&self) -> Actor {
        Actor(self.0.updated_by.clone())
    }

    /// Its invoices and credit notes, the newest first.
    #[graphql(
        guard = "Needs(Permission::InvoicingRead)",
        directive = paged::apply(), directive = costs::apply(5)
    )]
    async fn invoices(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The first so many, 1 to 100.")] first: Option<i32>,
        #[graphql(desc = "The last so many, 1 to 100.")] last: Option<i32>,
        #[graphql(desc = "Those after this cursor.")] after: Option<String>,
        #[graphql(desc = "Those before this cursor.")] before: Option<String>,
    ) -> Result<Connection<Invoice>, Error> {
        let slice = PageArgs { first, last, after, before }.slice()?;
        let filter = InvoiceFilter { customer_id: Some(self.0.id), ..InvoiceFilter::default() };
        Box::pin(invoice_page(ctx, filter, InvoiceSort::Newest, &slice)).await
    }

    /// What happened to it, newest first. Personal values are kept apart, see `personalChanges`.
    #[graphql(directive = newest::apply(), directive = costs::apply(5))]
    async fn activity(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How many, at most 100.")] first: i32,
        #[graphql(desc = "Those before this one.")] after: Option<String>,
    ) -> Result<Connection<Activity>, Error> {
        feed(ctx, Some(self.0.id), first, after).await
    }
}
