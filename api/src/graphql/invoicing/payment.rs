//! Payments in the graph.

use std::collections::HashMap;

use async_graphql::{Context, Enum, Error, ID, Lookahead, Object};
use chrono::{DateTime, Utc};
use entity::invoicing::allocation;
use entity::invoicing::payment::Model;
use invoicing::payment as rules;
use kernel::{Kind, Permission, Tx};
use uuid::Uuid;

use super::party::Party;
use super::payment_allocation::{Allocation, AllocationsOfPayments};
use crate::graphql::activity::{Activity, feed};
use crate::graphql::actor::Actor;
use crate::graphql::connection::Connection;
use crate::graphql::cost::{about, costs, newest};
use crate::graphql::date::Date;
use crate::graphql::guard::{Needs, Told};
use crate::graphql::ids::public;
use crate::graphql::inline::Inline;
use crate::graphql::ledger::entry::JournalEntry;
use crate::graphql::money::Money;
use crate::graphql::request::{Batch, InRequest};

/// Which way the money went.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(remote = "rules::Direction")]
pub(crate) enum PaymentDirection {
    /// To the company: from a customer, or back from a supplier.
    Received,
    /// From the company: to a supplier, or back to a customer.
    Made,
}

/// On whose account in the ledger a payment stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(remote = "rules::Side")]
pub(crate) enum PaymentSide {
    /// A customer's (411).
    Customer,
    /// A supplier's (401).
    Supplier,
}

/// Whether a payment stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(remote = "rules::State")]
pub(crate) enum PaymentStatus {
    /// It stands.
    Recorded,
    /// The bank took it back: it settles nothing, for good.
    Bounced,
}

/// How the money moved.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(remote = "rules::Method")]
pub(crate) enum PaymentMethod {
    /// A credit transfer.
    Transfer,
    /// A card.
    Card,
    /// A direct debit.
    DirectDebit,
    /// A cheque.
    Cheque,
    /// Cash.
    Cash,
    /// Another way.
    Other,
}

/// A payment, received or made. It is never changed: what it settles are its allocations, and when the bank takes
/// it back, it bounces.
#[derive(Clone)]
pub(crate) struct Payment {
    row: Model,
    /// What was read with it, because the query asks for it.
    allocations: Option<Vec<allocation::Model>>,
    party: Option<Party>,
}

/// Payments of these ids, in one statement.
struct Payments;

impl Batch for Payments {
    type Key = Uuid;
    type Value = Model;

    async fn load(tx: &Tx, keys: &[Uuid]) -> Result<HashMap<Uuid, Model>, Error> {
        let payments = rules::by_ids(tx, keys).await.told()?;
        Ok(payments.into_iter().map(|payment| (payment.id, payment)).collect())
    }
}

impl Payment {
    const fn new(row: Model) -> Self {
        Self { row, allocations: None, party: None }
    }

    /// A payment by id.
    pub(crate) async fn load(ctx: &Context<'_>, id: Uuid) -> Result<Option<Self>, Error> {
        Ok(ctx.session()?.load::<Payments>(id).await?.map(Self::new))
    }

    /// Payments with what the query asks of them, each kind of thing in one statement. `node` is the selection on
    /// a payment. What the actor may not read is not read ahead: the field itself refuses it.
    pub(crate) async fn ahead(
        ctx: &Context<'_>,
        tx: &Tx,
        node: &Lookahead<'_>,
        rows: Vec<Model>,
    ) -> Result<Vec<Self>, Error> {
        let ids: Vec<Uuid> = rows.iter().map(|row| row.id).collect();
        let wants = |field: &str| node.field(field).exists() && !ids.is_empty();
        let mut allocations =
            if wants("allocations") { Some(AllocationsOfPayments::load(tx, &ids).await?) } else { None };
        let may = ctx.session()?.scope()?.permissions().has(Permission::PartiesRead);
        let parties = if wants("party") && may {
            Party::all(tx, rows.iter().map(|row| row.party_id), &Party::asked(&node.field("party"))).await?
        } else {
            HashMap::new()
        };
        let payments = rows.into_iter().map(|row| Self {
            allocations: allocations.as_mut().map(|of| of.remove(&row.id).unwrap_or_default()),
            party: parties.get(&row.party_id).cloned(),
            row,
        });
        Ok(payments.collect())
    }

    fn money(&self, minor: i64) -> Money {
        Money::new(minor, &self.row.currency)
    }
}

/// A payment, received or made. It is never changed: what it settles are its allocations, and when the bank takes
/// it back, it bounces.
#[Object]
impl Payment {
    /// The public id.
    pub(crate) async fn id(&self) -> ID {
        public(Kind::Payment, self.row.id)
    }

    /// Which way the money went.
    fn direction(&self) -> PaymentDirection {
        rules::Direction::parse(&self.row.direction).unwrap_or(rules::Direction::Received).into()
    }

    /// On whose account in the ledger it stands.
    fn side(&self) -> PaymentSide {
        rules::Side::parse(&self.row.side).unwrap_or(rules::Side::Customer).into()
    }

    /// Whether it stands, or has bounced.
    fn state(&self) -> PaymentStatus {
        rules::State::parse(&self.row.state).unwrap_or(rules::State::Recorded).into()
    }

    /// Who paid, or was paid.
    #[graphql(guard = "Needs(Permission::PartiesRead)")]
    async fn party(&self, ctx: &Context<'_>) -> Result<Option<Inline<Party>>, Error> {
        match &self.party {
            Some(party) => Ok(Some(Inline(party.clone()))),
            None => Ok(Party::load(ctx, self.row.party_id).await?.map(Inline)),
        }
    }

    /// The day on which it moved on the bank account.
    fn paid_on(&self) -> Date {
        Date::from(self.row.paid_on)
    }

    /// The amount, in the currency of what it settles.
    fn amount(&self) -> Money {
        self.money(self.row.amount_minor)
    }

    /// What moved on the bank account, in the company's currency.
    fn base_amount(&self, ctx: &Context<'_>) -> Result<Money, Error> {
        let own = ctx.session()?.scope()?.company().currency;
        Ok(Money::new(self.row.base_minor, own.code()))
    }

    /// How the money moved.
    fn method(&self) -> PaymentMethod {
        rules::Method::parse(&self.row.method).unwrap_or(rules::Method::Other).into()
    }

    /// The bank's or the payer's reference; null when none was given.
    fn reference(&self) -> Option<&str> {
        self.row.reference.as_deref()
    }

    /// What of the amount its allocations settle.
    fn allocated(&self) -> Money {
        self.money(self.row.allocated_minor)
    }

    /// What of the amount settles nothing yet; zero once it has bounced.
    fn on_account(&self) -> Money {
        self.money(rules::on_account_minor(&self.row))
    }

    /// What it settles, oldest first. Allocations that were undone are not shown: see `activity`.
    #[graphql(directive = about::apply(3))]
    async fn allocations(&self, ctx: &Context<'_>) -> Result<Vec<Allocation>, Error> {
        let rows = match &self.allocations {
            Some(rows) => rows.clone(),
            None => ctx.session()?.load::<AllocationsOfPayments>(self.row.id).await?.unwrap_or_default(),
        };
        Ok(rows.into_iter().map(Allocation::new).collect())
    }

    /// When the bank took it back; null while it stands.
    fn bounced_on(&self) -> Option<Date> {
        self.row.bounced_on.map(Date::from)
    }

    /// Why the bank took it back; null while it stands.
    fn bounced_reason(&self) -> Option<&str> {
        self.row.bounced_reason.as_deref()
    }

    /// Its entry in the bank journal. Its date is the first day on or after `paidOn` that the journal took.
    #[graphql(guard = "Needs(Permission::LedgerRead)")]
    async fn journal_entry(&self, ctx: &Context<'_>) -> Result<Option<JournalEntry>, Error> {
        JournalEntry::load(ctx, self.row.entry_id).await
    }

    /// The reversal of its entry; null while it stands.
    #[graphql(guard = "Needs(Permission::LedgerRead)")]
    async fn bounce_journal_entry(&self, ctx: &Context<'_>) -> Result<Option<JournalEntry>, Error> {
        match self.row.bounce_entry_id {
            Some(id) => JournalEntry::load(ctx, id).await,
            None => Ok(None),
        }
    }

    /// The partner system's own id.
    fn external_ref(&self) -> Option<&str> {
        self.row.external_ref.as_deref()
    }

    /// Grows with each allocation, undoing and bounce.
    fn version(&self) -> i32 {
        self.row.version
    }

    /// When it was recorded.
    fn created_at(&self) -> DateTime<Utc> {
        self.row.created_at
    }

    /// Who recorded it.
    fn created_by(&self) -> Actor {
        Actor(self.row.created_by.clone())
    }

    /// When it was last allocated, undone or bounced.
    fn updated_at(&self) -> DateTime<Utc> {
        self.row.updated_at
    }

    /// Who did that.
    fn updated_by(&self) -> Actor {
        Actor(self.row.updated_by.clone())
    }

    /// What happened to it, newest first.
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
