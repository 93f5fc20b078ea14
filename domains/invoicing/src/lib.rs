//! Invoicing: what a company sells and buys, to whom and from whom, and what of it is paid.
//!
//! A *party* is a customer, a supplier, or both. The *catalog* holds items and tax codes. A customer *invoice*
//! (or credit note) is drafted, then issued: its number, its content, its tax and the customer as they were are
//! fixed, and its entry is posted to the ledger in the same transaction. A supplier *bill* is recorded as
//! received, approved or rejected, and posted. A *payment* settles them by allocations. A customer may leave a
//! *satisfaction* score by a signed link, once.
//!
//! Invariants, each held here and in the database:
//! - Lines add up to the net, tax groups to the tax; tax is computed per category and rate, never per line.
//! - Numbers are gapless per kind and calendar year, and issue dates never go back within a series.
//! - What is issued never changes; it is corrected by credit notes, which never exceed the invoice.
//! - What is settled follows from allocations alone; the payment state is derived and never stored.
//! - Every posted entry balances to the total of its document.
//!
//! The domain never sends mail, never renders a document, never calls a peer, and never touches the tables of
//! the ledger: it posts through the ledger's functions, in the caller's transaction. It deletes nothing that
//! was issued, and puts no personal value into an event.
//!
//! Permissions: `parties.read|write|bank`, `catalog.read|write`, `invoicing.read|draft|issue`,
//! `bills.read|enter|approve|post`, `payments.read|write`.
//! Events: `party.*`, `item.*`, `tax_code.*`, `invoice.*`, `credit_note.*`, `bill.*`, `payment.*`.
//! Cubes: what figures are kept of, see the module `cubes`.
//!
//! Locks, in this order: payments, invoices, bills (each by id), a series of invoice numbers, then what the
//! ledger locks (period, journal). Parties and the catalog are never locked for a document's sake.

pub mod bill;
pub mod catalog;
pub mod credit_note;
pub mod cubes;
pub mod edit;
pub mod einvoice;
pub mod error;
pub mod held;
pub mod invoice;
mod listing;
pub mod party;
pub mod payment;
pub mod satisfaction;
mod step;
pub mod tax;
mod text;

pub use error::{CODES, Error};
