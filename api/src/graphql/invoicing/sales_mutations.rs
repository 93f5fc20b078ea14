//! What is changed on the sales side.

use async_graphql::MergedObject;

use super::catalog_mutations::CatalogMutation;
use super::invoice_mutations::InvoiceMutation;
use super::party_mutations::PartyMutation;

/// The sales' part of the mutation root.
#[derive(Default, MergedObject)]
pub(crate) struct SalesMutation(PartyMutation, CatalogMutation, InvoiceMutation);
