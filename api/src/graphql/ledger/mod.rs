//! The ledger in the graph: accounts, journals, years, entries, lines, lettering, rates and reports.

pub(crate) mod account;
mod account_mutations;
pub(crate) mod entry;
mod entry_mutations;
mod enums;
pub(crate) mod errors;
pub(crate) mod journal;
pub(crate) mod matching;
pub(crate) mod posting;
mod queries;
pub(crate) mod rate;
mod reports;
pub(crate) mod year;
mod year_mutations;

use async_graphql::{Context, Error, MergedObject};

use super::money::Money;
use super::request::InRequest;

pub(crate) use queries::LedgerQuery;

/// The ledger's part of the mutation root.
#[derive(Default, MergedObject)]
pub(crate) struct LedgerMutation(
    account_mutations::AccountMutation,
    year_mutations::YearMutation,
    entry_mutations::EntryMutation,
);

/// An amount of the company's currency.
fn in_books(ctx: &Context<'_>, minor: i64) -> Result<Money, Error> {
    Ok(Money::new(minor, ctx.session()?.scope()?.company().currency.code()))
}
