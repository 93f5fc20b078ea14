//! What is asked of payments.

use async_graphql::{Context, Error, ID, InputObject, Object};
use invoicing::payment as rules;
use kernel::page::{Cursor, Page};
use kernel::{Kind, Permission};

use super::payment::{Payment, PaymentDirection, PaymentStatus};
use crate::graphql::connection::{Connection, PageArgs, TotalCount, connection};
use crate::graphql::cost::{costs, paged};
use crate::graphql::date::Date;
use crate::graphql::guard::{Needs, Told};
use crate::graphql::ids::{parse, parse_optional};
use crate::graphql::request::InRequest;

/// Which payments; all conditions hold, what is left out does not matter.
#[derive(Default, InputObject)]
pub(crate) struct PaymentFilterInput {
    /// From or to this party.
    party_id: Option<ID>,
    /// That went this way.
    direction: Option<PaymentDirection>,
    /// That stand, or that have bounced.
    state: Option<PaymentStatus>,
    /// Paid on this day or later.
    paid_from: Option<Date>,
    /// Paid on this day or earlier.
    paid_to: Option<Date>,
}

impl PaymentFilterInput {
    fn read(self) -> Result<rules::Filter, Error> {
        Ok(rules::Filter {
            party_id: parse_optional(Kind::Party, "filter.partyId", self.party_id.as_ref())?,
            direction: self.direction.map(Into::into),
            state: self.state.map(Into::into),
            from: self.paid_from.map(Into::into),
            to: self.paid_to.map(Into::into),
        })
    }
}

/// The payments' part of the query root.
#[derive(Default)]
pub(crate) struct PaymentsQuery;

#[Object]
impl PaymentsQuery {
    /// A payment by id. Null for an unknown id, and for one of another company.
    #[graphql(guard = "Needs(Permission::PaymentsRead)")]
    async fn payment(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The payment.")] id: ID,
    ) -> Result<Option<Payment>, Error> {
        Payment::load(ctx, parse(Kind::Payment, "id", &id)?).await
    }

    /// Payments, received and made, the newest recorded first.
    #[graphql(
        guard = "Needs(Permission::PaymentsRead)",
        directive = paged::apply(), directive = costs::apply(5)
    )]
    async fn payments(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The first so many, 1 to 100.")] first: Option<i32>,
        #[graphql(desc = "The last so many, 1 to 100.")] last: Option<i32>,
        #[graphql(desc = "Those after this cursor.")] after: Option<String>,
        #[graphql(desc = "Those before this cursor.")] before: Option<String>,
        #[graphql(desc = "Which ones; all when left out.")] filter: Option<PaymentFilterInput>,
    ) -> Result<Connection<Payment>, Error> {
        let slice = PageArgs { first, last, after, before }.slice()?;
        let filter = filter.unwrap_or_default().read()?;
        let tx = ctx.session()?.read().await?;
        let Page { items, has_previous, has_next } = rules::list(&tx, &filter, &slice).await.told()?;
        let cursors: Vec<_> = items.iter().map(|row| Cursor { key: String::new(), id: row.id }).collect();
        let node = ctx.look_ahead().field("edges").field("node");
        let payments = Payment::ahead(ctx, &tx, &node, items).await?;
        let page = Page { items: cursors.into_iter().zip(payments).collect(), has_previous, has_next };
        let total = TotalCount::by(move |tx| {
            let filter = filter.clone();
            async move { rules::count(&tx, &filter).await.told() }
        });
        Ok(connection(page, total, |(cursor, _)| cursor.clone(), |(_, payment)| payment))
    }
}
