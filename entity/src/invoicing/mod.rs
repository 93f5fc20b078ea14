//! Tables of the domain invoicing.

pub mod allocation;
pub mod bill;
pub mod bill_finding;
pub mod bill_line;
pub mod bill_tax;
pub mod invoice;
pub mod invoice_line;
pub mod invoice_series;
pub mod invoice_tax;
pub mod item;
pub mod party;
pub mod payment;
pub mod satisfaction;
pub mod step;
pub mod tax_code;
