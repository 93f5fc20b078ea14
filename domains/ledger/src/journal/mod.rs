//! Journals: one of each kind, made when the books are opened. Rules only.

pub mod service;

use crate::account::stored;

stored! {
    /// The kind of journal an entry goes to; each company has one journal of each.
    JournalKind {
        /// Sales (VE).
        Sales = "sales",
        /// Purchases (AC).
        Purchases = "purchases",
        /// Bank (BQ).
        Bank = "bank",
        /// Miscellaneous operations (OD).
        Miscellaneous = "miscellaneous",
        /// Opening (AN, à-nouveaux). Its entries are dated on the first day of a fiscal year.
        Opening = "opening",
    }
}
