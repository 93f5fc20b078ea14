//! A company of its own, and what it does.

use serde_json::{Value, json};

use crate::rig::{Failure, Rig, text};

/// What one article costs, net, in cents: see [`Rig::found`].
pub(crate) const PRICE: i64 = 1250;

/// A company, signed in as its owner.
#[derive(Clone, Debug)]
pub(crate) struct House {
    pub token: String,
    customer: String,
    item: String,
}

impl House {
    pub(crate) async fn found(rig: &Rig, name: &str) -> Result<Self, Failure> {
        let (token, customer, item) = rig.found(name).await?;
        Ok(Self { token, customer, item })
    }

    pub(crate) async fn keys(&self, rig: &Rig, count: usize) -> Result<Vec<String>, Failure> {
        rig.keys_of(&self.token, count).await
    }

    /// A small request.
    pub(crate) async fn ask(&self, rig: &Rig) -> Result<(), Failure> {
        rig.ask_as(&self.token, "{ parties(first: 10) { edges { node { id name } } } }", json!({})).await?;
        Ok(())
    }

    /// The draft of an invoice of some articles.
    pub(crate) async fn draft(&self, rig: &Rig, quantity: &str) -> Result<Value, Failure> {
        let line = json!({"itemId": self.item, "quantity": quantity});
        let input = json!({"customerId": self.customer, "paymentDays": 20, "lines": [line]});
        self.done(rig, "createInvoice", "CreateInvoiceInput", "invoice { id version }", input).await
    }

    /// Issues a draft, today or on a day: revenue and receivables move.
    pub(crate) async fn issue(&self, rig: &Rig, draft: &Value, on: Option<&str>) -> Result<Value, Failure> {
        let input = json!({"invoiceId": draft["id"], "expectedVersion": draft["version"], "issueDate": on});
        let answer = "invoice { id total { amount currency } }";
        self.done(rig, "issueInvoice", "IssueInvoiceInput", answer, input).await
    }

    /// Records what the customer paid on a day of an invoice.
    pub(crate) async fn receive(
        &self,
        rig: &Rig,
        invoice: &Value,
        amount: &Value,
        on: &str,
    ) -> Result<(), Failure> {
        let allocation = json!({"documentId": invoice["id"], "amount": amount});
        let input = json!({"direction": "RECEIVED", "partyId": self.customer, "paidOn": on, "amount": amount,
            "method": "TRANSFER", "allocations": [allocation]});
        self.done(rig, "recordPayment", "RecordPaymentInput", "payment { id }", input).await?;
        Ok(())
    }

    /// A supplier; its id.
    pub(crate) async fn supplier(&self, rig: &Rig) -> Result<String, Failure> {
        let input = json!({"name": "Supplier", "isSupplier": true, "country": "FR"});
        let party = self.done(rig, "createParty", "CreatePartyInput", "party { id }", input).await?;
        text(&party["id"])
    }

    /// Enters a bill of a hundred euros, net, as its supplier dated it.
    pub(crate) async fn bill(
        &self,
        rig: &Rig,
        supplier: &str,
        number: usize,
        on: &str,
        due: &str,
    ) -> Result<Value, Failure> {
        let line = json!({"description": "Paper", "quantity": "1", "unitPrice": "100.00", "category": "S", "rate": "20"});
        let input = json!({"kind": "BILL", "supplierId": supplier, "number": format!("B{number}"), "issueDate": on,
            "dueDate": due, "currency": "EUR", "lines": [line]});
        self.done(rig, "enterBill", "EnterBillInput", "bill { id version }", input).await
    }

    /// Approves a bill and posts it.
    pub(crate) async fn post_bill(&self, rig: &Rig, bill: &Value, on: &str) -> Result<(), Failure> {
        let input = json!({"billId": bill["id"], "expectedVersion": bill["version"]});
        let bill = self.done(rig, "approveBill", "ApproveBillInput", "bill { id version }", input).await?;
        let input = json!({"billId": bill["id"], "expectedVersion": bill["version"], "on": on});
        self.done(rig, "postBill", "PostBillInput", "bill { id }", input).await?;
        Ok(())
    }

    /// A mutation that must do what it is asked; the first field of its answer.
    async fn done(
        &self,
        rig: &Rig,
        name: &str,
        kind: &str,
        fields: &str,
        input: Value,
    ) -> Result<Value, Failure> {
        let query = format!(
            "mutation($input: {kind}!) {{ {name}(input: $input) {{ {fields} userErrors {{ code message }} }} }}"
        );
        let answer = rig.ask_as(&self.token, &query, json!({"input": input})).await?;
        let answer = &answer[name];
        let refused = answer["userErrors"].as_array().is_none_or(|errors| !errors.is_empty());
        let thing = fields.split(' ').next().unwrap_or_default();
        if refused || answer[thing].is_null() {
            return Err(format!("{name}: {answer}").into());
        }
        Ok(answer[thing].clone())
    }
}
