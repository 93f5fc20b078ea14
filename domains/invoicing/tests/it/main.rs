//! The tests of the crate, one binary.

mod bills;
mod catalog;
mod credit_notes;
mod einvoice;
mod fixture;
mod invoices;
mod parties;
mod payments;
mod sales_walls;
mod satisfaction;
mod tax;
