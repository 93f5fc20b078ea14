//! Tax categories and chargeability in the graph, shared by codes, items and documents.

use async_graphql::Enum;
use invoicing::tax::{Category, Chargeable};

/// The category of a tax (UNCL 5305 as EN 16931 narrows it).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(remote = "Category")]
pub(crate) enum TaxCategory {
    /// Standard and reduced rates.
    S,
    /// Zero rated.
    Z,
    /// Exempt, with a reason.
    E,
    /// Reverse charge: the customer owes the tax.
    #[graphql(name = "AE")]
    AE,
    /// Intra-community supply.
    K,
    /// Export outside the union.
    G,
    /// Outside the scope of the tax.
    O,
}

impl TaxCategory {
    /// The category of a stored code; the database holds no other.
    pub(super) fn stored(code: &str) -> Self {
        Category::parse(code).map_or(Self::O, Self::from)
    }
}

/// When the tax of a sale becomes chargeable.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(remote = "Chargeable")]
pub(crate) enum TaxChargeable {
    /// When invoiced (TVA sur les débits).
    Debits,
    /// When paid (TVA sur les encaissements): until then it waits on an account of its own.
    Payment,
}

impl TaxChargeable {
    /// The value of a stored word; the database holds no other.
    pub(super) fn stored(word: &str) -> Self {
        Chargeable::parse(word).map_or(Self::Debits, Self::from)
    }
}
