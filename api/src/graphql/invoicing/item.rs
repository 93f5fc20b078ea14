//! Items in the graph.

use std::collections::HashMap;

use async_graphql::{Context, Enum, Error, ID, Object};
use chrono::{DateTime, Utc};
use entity::invoicing::item::Model;
use invoicing::catalog::item::{Nature, service};
use kernel::{Kind, Permission, Tx};
use rust_decimal::Decimal;
use uuid::Uuid;

use super::tax_code::TaxCode;
use crate::graphql::actor::Actor;
use crate::graphql::guard::{Needs, Told};
use crate::graphql::ids::public;
use crate::graphql::ledger::account::Account;
use crate::graphql::request::{Batch, InRequest};

/// What an item is; it decides the income account by default.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(remote = "Nature")]
pub(crate) enum ItemNature {
    /// Things.
    Goods,
    /// Work.
    Services,
}

/// What the company sells.
#[derive(Clone)]
pub(crate) struct Item(pub(super) Model);

/// The items of these ids, in one statement.
struct Items;

impl Batch for Items {
    type Key = Uuid;
    type Value = Item;

    async fn load(tx: &Tx, keys: &[Uuid]) -> Result<HashMap<Uuid, Item>, Error> {
        let items = service::by_ids(tx, keys).await.told()?;
        Ok(items.into_iter().map(|item| (item.id, Item(item))).collect())
    }
}

impl Item {
    /// An item by id.
    pub(crate) async fn load(ctx: &Context<'_>, id: Uuid) -> Result<Option<Self>, Error> {
        ctx.session()?.load::<Items>(id).await
    }
}

/// What the company sells.
#[Object]
impl Item {
    /// The public id.
    pub(crate) async fn id(&self) -> ID {
        public(Kind::Item, self.0.id)
    }

    /// Grows with each change; updates take the one that was read.
    fn version(&self) -> i32 {
        self.0.version
    }

    /// Its short name, unique within the company.
    fn code(&self) -> &str {
        &self.0.code
    }

    /// What documents show.
    fn name(&self) -> &str {
        &self.0.name
    }

    /// Goods or services.
    fn nature(&self) -> ItemNature {
        Nature::parse(&self.0.nature).map_or(ItemNature::Goods, ItemNature::from)
    }

    /// Its unit, UN/ECE Recommendation 20, e.g. `C62` (piece) or `HUR` (hour).
    fn unit(&self) -> &str {
        &self.0.unit
    }

    /// The price of one unit, net of tax, in `currency`; it may have more digits than the currency.
    fn unit_price(&self) -> Decimal {
        self.0.unit_price
    }

    /// The price's currency, ISO 4217.
    fn currency(&self) -> &str {
        &self.0.currency
    }

    /// The tax on it.
    async fn tax_code(&self, ctx: &Context<'_>) -> Result<Option<TaxCode>, Error> {
        TaxCode::load(ctx, self.0.tax_code_id).await
    }

    /// The income account of its sales; null when the chart's default for its nature applies.
    #[graphql(guard = "Needs(Permission::LedgerRead)")]
    async fn account(&self, ctx: &Context<'_>) -> Result<Option<Account>, Error> {
        match self.0.account_id {
            Some(account) => Account::load(ctx, account).await,
            None => Ok(None),
        }
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
}
