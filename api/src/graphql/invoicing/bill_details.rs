//! What a received document says beyond the columns of a bill.

use async_graphql::{Object, SimpleObject};
use serde_json::Value as Json;

use crate::graphql::cost::about;
use crate::graphql::date::Date;

/// What a received electronic invoice says beside parties, lines, taxes and totals, in the terms of EN 16931.
pub(crate) struct BillDetails(pub(super) Json);

/// A note on a document.
#[derive(SimpleObject)]
pub(crate) struct BillNote {
    /// What it is about, a code of UNTDID 4451 such as `PMT` (BT-21).
    subject_code: Option<String>,
    /// The text (BT-22).
    text: String,
}

/// An earlier document that a document names.
#[derive(SimpleObject)]
pub(crate) struct PrecedingDocument {
    /// Its number (BT-25).
    number: String,
    /// Its date (BT-26).
    issue_date: Option<Date>,
}

fn text(of: &Json, name: &str) -> Option<String> {
    of.get(name).and_then(Json::as_str).map(str::to_owned)
}

fn date(of: &Json, name: &str) -> Option<Date> {
    of.get(name).and_then(Json::as_str).and_then(|text| text.parse().ok()).map(Date)
}

impl BillDetails {
    fn list<T>(&self, name: &str, read: impl Fn(&Json) -> Option<T>) -> Vec<T> {
        self.0
            .get(name)
            .and_then(Json::as_array)
            .map(|all| all.iter().filter_map(read).collect())
            .unwrap_or_default()
    }
}

/// What a received electronic invoice says beside parties, lines, taxes and totals, in the terms of EN 16931.
#[Object]
impl BillDetails {
    /// The document type, a code of UNTDID 1001 such as `380` (BT-3).
    fn type_code(&self) -> Option<String> {
        text(&self.0, "type_code")
    }

    /// What the company asked to be quoted (BT-10).
    fn buyer_reference(&self) -> Option<String> {
        text(&self.0, "buyer_reference")
    }

    /// The company's purchase order (BT-13).
    fn order_reference(&self) -> Option<String> {
        text(&self.0, "order_reference")
    }

    /// The contract (BT-12).
    fn contract_reference(&self) -> Option<String> {
        text(&self.0, "contract_reference")
    }

    /// The company's own account that the supplier quotes (BT-19).
    fn accounting_reference(&self) -> Option<String> {
        text(&self.0, "accounting_reference")
    }

    /// What the payment should quote (BT-83).
    fn remittance(&self) -> Option<String> {
        text(&self.0, "remittance")
    }

    /// The payment terms in the supplier's words (BT-20).
    fn payment_terms(&self) -> Option<String> {
        text(&self.0, "payment_terms")
    }

    /// When it was delivered (BT-72).
    fn delivery_date(&self) -> Option<Date> {
        date(&self.0, "delivery_date")
    }

    /// The VAT number of the buyer whom the document names (BT-48).
    fn buyer_vat_id(&self) -> Option<String> {
        text(&self.0, "buyer_vat_id")
    }

    /// The SIREN of the buyer whom the document names (BT-47).
    fn buyer_siren(&self) -> Option<String> {
        text(&self.0, "buyer_siren")
    }

    /// The notes (BG-1).
    #[graphql(directive = about::apply(3))]
    fn notes(&self) -> Vec<BillNote> {
        self.list("notes", |note| {
            Some(BillNote { subject_code: text(note, "subject_code"), text: text(note, "text")? })
        })
    }

    /// The earlier documents that it names (BG-3).
    #[graphql(directive = about::apply(3))]
    fn preceding_documents(&self) -> Vec<PrecedingDocument> {
        self.list("preceding_invoices", |reference| {
            Some(PrecedingDocument {
                number: text(reference, "number")?,
                issue_date: date(reference, "issue_date"),
            })
        })
    }
}
