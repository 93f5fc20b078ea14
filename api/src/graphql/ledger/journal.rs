//! Journals in the graph.

use std::collections::HashMap;

use async_graphql::{Context, Error, ID, Object};
use entity::ledger::journal::Model;
use kernel::{Kind, Tx};
use ledger::journal::service;
use uuid::Uuid;

use super::enums::{JournalKind, stored};
use crate::graphql::guard::Told;
use crate::graphql::ids::public;
use crate::graphql::request::{Batch, InRequest};

struct Journals;

impl Batch for Journals {
    type Key = Uuid;
    type Value = Model;

    async fn load(tx: &Tx, keys: &[Uuid]) -> Result<HashMap<Uuid, Model>, Error> {
        let journals = service::by_ids(tx, keys).await.told()?;
        Ok(journals.into_iter().map(|journal| (journal.id, journal)).collect())
    }
}

/// A journal: entries are numbered in it, gapless in each fiscal year.
#[derive(Clone)]
pub(crate) struct Journal(pub(crate) Model);

impl Journal {
    /// A journal by id.
    pub(crate) async fn load(ctx: &Context<'_>, id: Uuid) -> Result<Option<Self>, Error> {
        Ok(ctx.session()?.load::<Journals>(id).await?.map(Self))
    }
}

/// A journal: entries are numbered in it, gapless in each fiscal year.
#[Object]
impl Journal {
    /// The public id.
    pub(crate) async fn id(&self) -> ID {
        public(Kind::Journal, self.0.id)
    }

    /// Its code, e.g. `VE`, unique in the company.
    fn code(&self) -> &str {
        &self.0.code
    }

    /// Its name.
    fn name(&self) -> &str {
        &self.0.name
    }

    /// What goes into it. It never changes.
    fn kind(&self) -> Result<JournalKind, Error> {
        stored(ledger::entry::JournalKind::parse(&self.0.kind), "kind of a journal").map(Into::into)
    }

    /// For `expectedVersion` of the next change.
    fn version(&self) -> i32 {
        self.0.version
    }
}
