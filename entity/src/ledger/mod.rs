//! Tables of the domain ledger.

pub mod account;
pub mod exchange_rate;
pub mod fiscal_year;
pub mod journal;
pub mod journal_entry;
pub mod matching;
pub mod period;
pub mod posting;
