//! Sales and purchases in the graph: parties, the catalog, invoices, bills, payments.

mod behind;
pub(crate) mod bill;
mod bill_details;
mod bill_enums;
mod bill_inputs;
mod bill_mutations;
mod bill_parts;
mod bill_queries;
mod catalog_mutations;
mod edits;
mod errors;
pub(crate) mod invoice;
mod invoice_mutations;
mod invoice_parts;
mod invoice_queries;
pub(crate) mod item;
pub(crate) mod party;
mod party_mutations;
pub(crate) mod payment;
pub(crate) mod payment_allocation;
mod payment_mutations;
mod payment_queries;
mod sales_mutations;
mod sales_queries;
mod tax;
pub(crate) mod tax_code;

pub(crate) use bill_mutations::PurchasesMutation;
pub(crate) use bill_queries::PurchasesQuery;
pub(crate) use payment_mutations::PaymentsMutation;
pub(crate) use payment_queries::PaymentsQuery;
pub(crate) use sales_mutations::SalesMutation;
pub(crate) use sales_queries::SalesQuery;
