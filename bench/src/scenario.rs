//! The requests that are measured.

use serde_json::{Value, json};

use crate::rig::Rig;

/// A request with its name.
pub(crate) struct Scenario {
    pub name: &'static str,
    query: &'static str,
    variables: fn(&Rig) -> Value,
}

impl Scenario {
    /// The body to send.
    pub(crate) fn request(&self, rig: &Rig) -> Value {
        json!({"query": self.query, "variables": (self.variables)(rig)})
    }
}

/// What is measured, in the order of the table.
pub(crate) const SCENARIOS: &[Scenario] = &[
    Scenario {
        name: "50 newest invoices with customer and lines",
        query: "{ invoices(first: 50) { edges { node { id number issueDate dueDate paymentState total { amount currency }
                customer { id name } lines { id description quantity unitPrice net { amount currency } } } } } }",
        variables: |_| json!({}),
    },
    Scenario {
        name: "invoice by id with lines and customer",
        query: "query($id: ID!) { node(id: $id) { ... on Invoice { id number issueDate dueDate paymentState
                total { amount currency } customer { id name }
                lines { id description quantity unitPrice net { amount currency } } } } }",
        variables: |rig| json!({"id": rig.invoice}),
    },
    Scenario {
        name: "revenue by month",
        query: "query($from: Date!, $to: Date!) { kpis(keys: [\"revenue_month\"]) { kpis { key
                history(from: $from, to: $to, grain: MONTH) { day value { amounts { amount currency } } } } } }",
        variables: |rig| json!({"from": rig.from, "to": rig.to}),
    },
    Scenario {
        name: "create draft with 3 lines",
        query: "mutation($input: CreateInvoiceInput!) { createInvoice(input: $input) { invoice { id total { amount } } userErrors { code } } }",
        variables: |rig| rig.draft(),
    },
];
