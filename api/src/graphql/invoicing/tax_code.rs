//! Tax codes in the graph.

use std::collections::HashMap;

use async_graphql::{Context, Error, ID, Object};
use chrono::{DateTime, Utc};
use entity::invoicing::tax_code::Model;
use invoicing::catalog::tax_code::service;
use kernel::{Kind, Tx};
use rust_decimal::Decimal;
use uuid::Uuid;

use super::tax::{TaxCategory, TaxChargeable};
use crate::graphql::actor::Actor;
use crate::graphql::guard::Told;
use crate::graphql::ids::public;
use crate::graphql::request::{Batch, InRequest};

/// A tax code: a category and rate, and when the tax becomes chargeable. These three never change.
#[derive(Clone)]
pub(crate) struct TaxCode(pub(super) Model);

/// The tax codes of these ids, in one statement.
struct TaxCodes;

impl Batch for TaxCodes {
    type Key = Uuid;
    type Value = TaxCode;

    async fn load(tx: &Tx, keys: &[Uuid]) -> Result<HashMap<Uuid, TaxCode>, Error> {
        let codes = service::by_ids(tx, keys).await.told()?;
        Ok(codes.into_iter().map(|code| (code.id, TaxCode(code))).collect())
    }
}

impl TaxCode {
    /// A tax code by id.
    pub(crate) async fn load(ctx: &Context<'_>, id: Uuid) -> Result<Option<Self>, Error> {
        ctx.session()?.load::<TaxCodes>(id).await
    }
}

/// A tax code: a category and rate, and when the tax becomes chargeable. These three never change.
#[Object]
impl TaxCode {
    /// The public id.
    pub(crate) async fn id(&self) -> ID {
        public(Kind::TaxCode, self.0.id)
    }

    /// Grows with each change; updates take the one that was read.
    fn version(&self) -> i32 {
        self.0.version
    }

    /// Its short name, unique within the company, e.g. `S20`.
    fn code(&self) -> &str {
        &self.0.code
    }

    /// What people read.
    fn name(&self) -> &str {
        &self.0.name
    }

    /// The category.
    fn category(&self) -> TaxCategory {
        TaxCategory::stored(&self.0.category)
    }

    /// The rate, percent.
    fn rate(&self) -> Decimal {
        self.0.rate.normalize()
    }

    /// Why no tax is charged, as documents tell it; null where tax is charged.
    fn reason(&self) -> Option<&str> {
        self.0.reason.as_deref()
    }

    /// When the tax becomes chargeable.
    fn chargeable(&self) -> TaxChargeable {
        TaxChargeable::stored(&self.0.chargeable)
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
