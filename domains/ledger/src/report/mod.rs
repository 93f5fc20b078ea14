//! What is read out of the ledger: trial balance, general ledger, aged receivables and payables.
//!
//! Reports never write. Balances come from the rollups together with what is still pending, in one statement;
//! the lines come from the postings of the same snapshot.

mod aged;
mod general_ledger;
mod trial_balance;

pub use aged::{Aged, AgedParty, AgedSide, aged, aged_count, aged_cursor};
pub use general_ledger::{GeneralLedger, LedgerLine, general_ledger, general_ledger_count};
pub(crate) use trial_balance::trial_balance_in;
pub use trial_balance::{TrialBalance, TrialBalanceRow, trial_balance};
