//! What is changed of invoices and credit notes.

use async_graphql::{Context, Error, ID, InputObject, MaybeUndefined, Object, OneofObject};
use invoicing::credit_note::{
    CreditAmount, CreditLine, CreditNoteEdit, NewCreditNote, service as credit_notes,
};
use invoicing::edit::Edit;
use invoicing::invoice::{InvoiceEdit, NewInvoice, NewLine, service};
use kernel::{Kind, Permission};
use rust_decimal::Decimal;

use super::edits::{clearable, settable, settable_id};
use super::errors::InvoicingUserError;
use super::invoice::Invoice;
use super::item::ItemNature;
use crate::graphql::date::Date;
use crate::graphql::error::bad_argument;
use crate::graphql::guard::Needs;
use crate::graphql::ids::{parse, parse_optional};
use crate::graphql::mutation::{mutate, payload};

/// A line to write: of an item, which gives whatever is not said here, or free.
#[derive(InputObject)]
struct InvoiceLineInput {
    /// The item; a free line when left out.
    item_id: Option<ID>,
    /// What the document shows, 1 to 1000 characters; needed without an item.
    description: Option<String>,
    /// How many units; above zero, at most six decimals.
    quantity: Decimal,
    /// The unit, UN/ECE Recommendation 20; the item's, or `C62` (piece).
    unit: Option<String>,
    /// The price of one unit, net of tax, in the invoice's currency; needed without an item priced in it.
    unit_price: Option<Decimal>,
    /// What is taken off, 0 to 100 percent.
    discount_percent: Option<Decimal>,
    /// The tax; needed without an item.
    tax_code_id: Option<ID>,
    /// The income account; the item's, or the chart's default for the nature.
    account_id: Option<ID>,
    /// Goods or services, where no item says so; services when the tax waits for payment, else goods.
    nature: Option<ItemNature>,
}

fn read_lines(lines: Vec<InvoiceLineInput>) -> Result<Vec<NewLine>, Error> {
    let read = |(at, line): (usize, InvoiceLineInput)| {
        let optional =
            |kind, field: &str, id: Option<&ID>| parse_optional(kind, &format!("lines.{at}.{field}"), id);
        Ok(NewLine {
            item_id: optional(Kind::Item, "itemId", line.item_id.as_ref())?,
            tax_code_id: optional(Kind::TaxCode, "taxCodeId", line.tax_code_id.as_ref())?,
            account_id: optional(Kind::Account, "accountId", line.account_id.as_ref())?,
            description: line.description,
            quantity: line.quantity,
            unit: line.unit,
            unit_price: line.unit_price,
            discount_percent: line.discount_percent,
            nature: line.nature.map(Into::into),
        })
    };
    lines.into_iter().enumerate().map(read).collect()
}

/// A draft to create.
#[derive(InputObject)]
struct CreateInvoiceInput {
    /// The customer.
    customer_id: ID,
    /// Its currency, ISO 4217; the customer's when left out.
    currency: Option<String>,
    /// Days until it is due, 0 to 365; the customer's term when left out.
    payment_days: Option<i16>,
    /// Whether the term then runs to the end of that month; the customer's term when left out.
    end_of_month: Option<bool>,
    /// When the goods or services were delivered.
    delivery_date: Option<Date>,
    /// What the customer wants to see (EN 16931, BT-10), at most 200 characters.
    buyer_reference: Option<String>,
    /// The customer's order (EN 16931, BT-13), at most 200 characters.
    order_reference: Option<String>,
    /// A text for the customer, at most 4000 characters.
    note: Option<String>,
    /// The partner system's own id, unique within the company.
    external_ref: Option<String>,
    /// Its lines, at most 1000; a draft may have none yet.
    #[graphql(default)]
    lines: Vec<InvoiceLineInput>,
}

impl CreateInvoiceInput {
    fn read(self) -> Result<NewInvoice, Error> {
        Ok(NewInvoice {
            customer_id: parse(Kind::Party, "customerId", &self.customer_id)?,
            currency: self.currency,
            payment_days: self.payment_days,
            end_of_month: self.end_of_month,
            delivery_date: self.delivery_date.map(Into::into),
            buyer_reference: self.buyer_reference,
            order_reference: self.order_reference,
            note: self.note,
            external_ref: self.external_ref,
            lines: read_lines(self.lines)?,
        })
    }
}

/// Changes of a draft. What is left out stays; null clears what can be empty.
#[derive(InputObject)]
struct UpdateInvoiceInput {
    /// The draft.
    invoice_id: ID,
    /// The version that was read; another one is a conflict.
    expected_version: i32,
    /// The customer.
    customer_id: Option<ID>,
    /// Its currency; lines must then be given anew.
    currency: Option<String>,
    /// Days until it is due.
    payment_days: Option<i16>,
    /// Whether the term then runs to the end of that month.
    end_of_month: Option<bool>,
    /// When the goods or services were delivered.
    delivery_date: MaybeUndefined<Date>,
    /// What the customer wants to see (EN 16931, BT-10).
    buyer_reference: MaybeUndefined<String>,
    /// The customer's order (EN 16931, BT-13).
    order_reference: MaybeUndefined<String>,
    /// A text for the customer.
    note: MaybeUndefined<String>,
    /// The partner system's own id.
    external_ref: MaybeUndefined<String>,
    /// All its lines: they replace those it had.
    lines: Option<Vec<InvoiceLineInput>>,
}

impl UpdateInvoiceInput {
    fn read(self) -> Result<InvoiceEdit, Error> {
        Ok(InvoiceEdit {
            customer_id: settable_id(Kind::Party, "customerId", self.customer_id.as_ref())?,
            currency: settable(self.currency),
            payment_days: settable(self.payment_days),
            end_of_month: settable(self.end_of_month),
            delivery_date: clearable(self.delivery_date.map_value(Into::into)),
            buyer_reference: clearable(self.buyer_reference),
            order_reference: clearable(self.order_reference),
            note: clearable(self.note),
            external_ref: clearable(self.external_ref),
            lines: settable(self.lines.map(read_lines).transpose()?),
        })
    }
}

/// A draft of an invoice or credit note to give up.
#[derive(InputObject)]
struct DiscardInvoiceInput {
    /// The draft.
    invoice_id: ID,
    /// The version that was read; another one is a conflict.
    expected_version: i32,
}

/// A draft of an invoice or credit note to issue.
#[derive(InputObject)]
struct IssueInvoiceInput {
    /// The draft.
    invoice_id: ID,
    /// The version that was read; another one is a conflict.
    expected_version: i32,
    /// Its date; today when left out. Never after today, and never before the last one of its series.
    issue_date: Option<Date>,
}

/// How much of a line is taken back: exactly one of these.
#[derive(OneofObject)]
enum CreditAmountInput {
    /// So many units, at the line's price and discount.
    Quantity(Decimal),
    /// So much, net of tax, in the invoice's currency, with at most its digits.
    Net(Decimal),
    /// All that is left: `true`.
    Rest(bool),
}

/// What a credit note takes back of one line of the invoice.
#[derive(InputObject)]
struct CreditLineInput {
    /// The line of the invoice.
    line_id: ID,
    /// How much of it; all that is left when left out.
    amount: Option<CreditAmountInput>,
    /// What the document shows; the line's own text when left out.
    description: Option<String>,
}

fn read_credit_lines(lines: Vec<CreditLineInput>) -> Result<Vec<CreditLine>, Error> {
    let read = |(at, line): (usize, CreditLineInput)| {
        Ok(CreditLine {
            line_id: parse(Kind::InvoiceLine, &format!("lines.{at}.lineId"), &line.line_id)?,
            amount: match line.amount {
                Some(CreditAmountInput::Quantity(quantity)) => CreditAmount::Quantity(quantity),
                Some(CreditAmountInput::Net(net)) => CreditAmount::Net(net),
                Some(CreditAmountInput::Rest(true)) | None => CreditAmount::Rest,
                Some(CreditAmountInput::Rest(false)) => {
                    let message = "`rest` is true, or left out: say a quantity or a net amount instead";
                    return Err(bad_argument(&format!("lines.{at}.amount.rest"), message));
                }
            },
            description: line.description,
        })
    };
    lines.into_iter().enumerate().map(read).collect()
}

/// A credit note to draft.
#[derive(InputObject)]
struct CreateCreditNoteInput {
    /// The issued invoice that it corrects.
    invoice_id: ID,
    /// What it takes back; all that is left of the invoice when left out.
    lines: Option<Vec<CreditLineInput>>,
    /// A text for the customer, such as the reason; at most 4000 characters.
    note: Option<String>,
    /// The partner system's own id, unique within the company.
    external_ref: Option<String>,
}

/// Changes of a draft credit note. What is left out stays; null clears what can be empty.
#[derive(InputObject)]
struct UpdateCreditNoteInput {
    /// The draft.
    credit_note_id: ID,
    /// The version that was read; another one is a conflict.
    expected_version: i32,
    /// All its lines: they replace those it had. Null takes all that is left of the invoice.
    lines: MaybeUndefined<Vec<CreditLineInput>>,
    /// A text for the customer.
    note: MaybeUndefined<String>,
    /// The partner system's own id.
    external_ref: MaybeUndefined<String>,
}

payload!(CreateInvoicePayload, invoice: Invoice, InvoicingUserError, "The draft.");
payload!(UpdateInvoicePayload, invoice: Invoice, InvoicingUserError, "The draft.");
payload!(DiscardInvoicePayload, invoice: Invoice, InvoicingUserError, "The discarded draft.");
payload!(IssueInvoicePayload, invoice: Invoice, InvoicingUserError, "The issued invoice or credit note.");
payload!(CreateCreditNotePayload, credit_note: Invoice, InvoicingUserError, "The draft.");
payload!(UpdateCreditNotePayload, credit_note: Invoice, InvoicingUserError, "The draft.");

/// The part of the mutation root for invoices and credit notes.
#[derive(Default)]
pub(crate) struct InvoiceMutation;

#[Object]
impl InvoiceMutation {
    /// Drafts an invoice.
    #[graphql(guard = "Needs(Permission::InvoicingDraft)")]
    async fn create_invoice(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "A draft to create.")] input: CreateInvoiceInput,
    ) -> Result<CreateInvoicePayload, Error> {
        let new = input.read()?;
        let done = mutate(ctx, move |tx| {
            let new = new.clone();
            Box::pin(async move { service::create_draft(tx, new).await })
        });
        Ok(CreateInvoicePayload(done.await?))
    }

    /// Changes a draft invoice.
    #[graphql(guard = "Needs(Permission::InvoicingDraft)")]
    async fn update_invoice(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Changes of a draft. What is left out stays; null clears what can be empty.")] input: UpdateInvoiceInput,
    ) -> Result<UpdateInvoicePayload, Error> {
        let (id, expected) = (parse(Kind::Invoice, "invoiceId", &input.invoice_id)?, input.expected_version);
        let edit = input.read()?;
        let done = mutate(ctx, move |tx| {
            let edit = edit.clone();
            Box::pin(async move { service::update_draft(tx, id, expected, edit).await.map(|()| id) })
        });
        Ok(UpdateInvoicePayload(done.await?.or_current(id)))
    }

    /// Gives up a draft of an invoice or credit note. It stays readable and is never issued.
    #[graphql(guard = "Needs(Permission::InvoicingDraft)")]
    async fn discard_invoice(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "A draft of an invoice or credit note to give up.")] input: DiscardInvoiceInput,
    ) -> Result<DiscardInvoicePayload, Error> {
        let (id, expected) = (parse(Kind::Invoice, "invoiceId", &input.invoice_id)?, input.expected_version);
        let done = mutate(ctx, move |tx| {
            Box::pin(async move { service::discard(tx, id, expected).await.map(|()| id) })
        });
        Ok(DiscardInvoicePayload(done.await?.or_current(id)))
    }

    /// Issues a draft of an invoice or credit note: assigns its number, fixes its content, posts its entry. A
    /// credit note is set against what its invoice has open; the rest of it stays on account, to be refunded.
    #[graphql(guard = "Needs(Permission::InvoicingIssue)")]
    async fn issue_invoice(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "A draft of an invoice or credit note to issue.")] input: IssueInvoiceInput,
    ) -> Result<IssueInvoicePayload, Error> {
        let (id, expected) = (parse(Kind::Invoice, "invoiceId", &input.invoice_id)?, input.expected_version);
        let date = input.issue_date.map(Into::into);
        let done = mutate(ctx, move |tx| {
            Box::pin(async move { service::issue(tx, id, expected, date).await.map(|()| id) })
        });
        Ok(IssueInvoicePayload(done.await?.or_current(id)))
    }

    /// Drafts a credit note for an issued invoice, whole or in part; `issueInvoice` issues it.
    #[graphql(guard = "Needs(Permission::InvoicingDraft)")]
    async fn create_credit_note(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "A credit note to draft.")] input: CreateCreditNoteInput,
    ) -> Result<CreateCreditNotePayload, Error> {
        let new = NewCreditNote {
            invoice_id: parse(Kind::Invoice, "invoiceId", &input.invoice_id)?,
            lines: input.lines.map(read_credit_lines).transpose()?,
            note: input.note,
            external_ref: input.external_ref,
        };
        let done = mutate(ctx, move |tx| {
            let new = new.clone();
            Box::pin(async move { credit_notes::create_draft(tx, new).await })
        });
        Ok(CreateCreditNotePayload(done.await?))
    }

    /// Changes a draft credit note.
    #[graphql(guard = "Needs(Permission::InvoicingDraft)")]
    async fn update_credit_note(
        &self,
        ctx: &Context<'_>,
        #[graphql(
            desc = "Changes of a draft credit note. What is left out stays; null clears what can be empty."
        )]
        input: UpdateCreditNoteInput,
    ) -> Result<UpdateCreditNotePayload, Error> {
        let id = parse(Kind::Invoice, "creditNoteId", &input.credit_note_id)?;
        let expected = input.expected_version;
        let edit = CreditNoteEdit {
            lines: match input.lines {
                MaybeUndefined::Undefined => Edit::Keep,
                MaybeUndefined::Null => Edit::To(None),
                MaybeUndefined::Value(lines) => Edit::To(Some(read_credit_lines(lines)?)),
            },
            note: clearable(input.note),
            external_ref: clearable(input.external_ref),
        };
        let done = mutate(ctx, move |tx| {
            let edit = edit.clone();
            Box::pin(async move { credit_notes::update_draft(tx, id, expected, edit).await.map(|()| id) })
        });
        Ok(UpdateCreditNotePayload(done.await?.or_current(id)))
    }
}
