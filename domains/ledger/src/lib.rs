//! The ledger: a company's accounts, journals, fiscal years and entries, and what follows from them.
//!
//! An entry is written as a draft and posted once. Posting assigns its number, gapless in its journal and fiscal
//! year, with dates that rise with the numbers; from then on neither the entry nor its lines change, for any
//! role of the database: what was wrong is reversed. Everything that must hold is refused twice: here, in words
//! for the user, and by triggers (`migration/migrations/0010…0014`), for whoever comes by another way.
//!
//! Invariants: a posted entry has at least two lines and balances in the company's currency, whatever foreign
//! currencies its lines carry; its date lies in a period that was open; receivable and payable lines name their
//! party; matchings never take more than a line has; the balances kept in the rollups (cube `ledger.balance`)
//! equal the sum of the lines at every moment; a year closes once it is over and after the earlier ones, and its
//! opening entry (*à-nouveaux*) repeats exactly what its closing left. Posting and matching sum what others commit
//! beside them, and so run under READ COMMITTED alone.
//!
//! Permissions: `ledger.read` for everything that is read, `ledger.draft`, `ledger.post` (post, reverse, match),
//! `ledger.configure` (accounts, journals, exchange rates), `ledger.close` (periods, years). Functions that end
//! in `_in` are for the domains above: they run in the caller's transaction and require none.
//!
//! Events: `account.created|renamed|closed|reopened|deleted`, `journal.renamed`, `fiscal_year.opened|closed`,
//! `period.locked|reopened|closed`, `journal_entry.drafted|redrafted|discarded|posted|reversed`,
//! `matching.made|undone`, `exchange_rate.set`.
//!
//! The ledger never calls a domain above it, knows no invoice, bill or payment (an entry names its source by kind
//! and id), never changes or deletes what is posted, and never converts a currency by itself.

pub mod account;
pub mod cubes;
pub mod entry;
pub mod error;
pub mod journal;
mod listing;
pub mod matching;
pub mod rate;
pub mod report;
pub mod year;

pub use error::Error;
