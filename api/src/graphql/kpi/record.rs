//! A record behind a figure.

use async_graphql::{Context, Error, ID, Object};

use crate::graphql::date::Date;
use crate::graphql::ids::public;
use crate::graphql::money::Money;
use crate::graphql::node::{Node, node};

/// A record that a KPI is made of, and what it adds to it.
pub(crate) struct KpiRecord(pub(crate) kpi::Record);

/// A record that a KPI is made of, and what it adds to it.
#[Object]
impl KpiRecord {
    /// The public id of the record: an invoice, a bill, a payment.
    fn record_id(&self) -> ID {
        public(self.0.kind, self.0.id)
    }

    /// The record itself.
    async fn record(&self, ctx: &Context<'_>) -> Result<Option<Node>, Error> {
        node(ctx, &public(self.0.kind, self.0.id)).await
    }

    /// The day at which it counts, in the company's calendar.
    fn day(&self) -> Date {
        Date::from(self.0.day)
    }

    /// What sets it apart in the KPI: `invoice` or `credit_note`, `bill` or `credit_note`, `received` or `made`;
    /// `clean`, `corrected` or `rejected`. Empty where nothing does.
    fn group(&self) -> &str {
        &self.0.group
    }

    /// How often it counts in the KPI's `records`: once, but for one that went the same way through a process twice on a day.
    fn count(&self) -> i64 {
        self.0.count
    }

    /// What it adds to the amount of its currency; credit notes are negative. Null where the KPI has no amounts.
    fn amount(&self) -> Option<Money> {
        self.0.amount.map(|amount| Money::new(amount.minor, amount.currency.code()))
    }

    /// What it adds to the `sum` of the KPI's value: milliseconds, points of a score, or 1 for a failed one of a share.
    /// Null where the KPI has no such sum.
    fn part(&self) -> Option<i64> {
        self.0.part
    }
}
