//! What is done with payments and credit notes.

use async_graphql::{Context, Error, ID, InputObject, Object};
use invoicing::payment::{self as rules, NewPayment, Target};
use kernel::{Kind, Money, Permission, Tx};
use uuid::Uuid;

use super::errors::InvoicingUserError;
use super::payment::{Payment, PaymentDirection, PaymentMethod};
use super::payment_allocation::Allocation;
use crate::graphql::date::Date;
use crate::graphql::error::bad_argument;
use crate::graphql::guard::Needs;
use crate::graphql::ids::parse;
use crate::graphql::money::{MoneyInput, minor};
use crate::graphql::mutation::{mutate, payload};
use crate::graphql::request::InRequest;

/// How much of which document is settled.
#[derive(InputObject)]
struct AllocationInput {
    /// An invoice or a customer credit note (`invoice_…`), or a bill or a supplier credit note (`bill_…`).
    document_id: ID,
    /// How much, in the document's currency, which is the payment's; more than zero.
    amount: MoneyInput,
}

/// A payment to record.
#[derive(InputObject)]
struct RecordPaymentInput {
    /// Which way the money went.
    direction: PaymentDirection,
    /// The customer or supplier.
    party_id: ID,
    /// The day on which it moved on the bank account; not after today.
    paid_on: Date,
    /// The amount, in the currency of what it settles; more than zero.
    amount: MoneyInput,
    /// What moved on the bank account, in the company's currency. Needed when `amount` is in another one.
    base_amount: Option<MoneyInput>,
    /// How the money moved.
    method: PaymentMethod,
    /// The bank's or the payer's reference, at most 200 characters.
    reference: Option<String>,
    /// The partner system's own id, unique within the company.
    external_ref: Option<String>,
    /// What it settles at once; the rest stays on account.
    #[graphql(default)]
    allocations: Vec<AllocationInput>,
}

/// What a payment settles further.
#[derive(InputObject)]
struct AllocatePaymentInput {
    /// The payment.
    payment_id: ID,
    /// What it settles, 1 to 100 documents; at most what is on account.
    allocations: Vec<AllocationInput>,
}

/// An allocation to undo.
#[derive(InputObject)]
struct UndoAllocationInput {
    /// The allocation.
    allocation_id: ID,
}

/// A payment that the bank has taken back.
#[derive(InputObject)]
struct BouncePaymentInput {
    /// The payment.
    payment_id: ID,
    /// The day on which the bank took it back; not before it was paid, not after today.
    on: Date,
    /// Why, 1 to 500 characters.
    reason: String,
}

/// A credit note to set against what is owed.
#[derive(InputObject)]
struct SetCreditNoteInput {
    /// The issued customer credit note (`invoice_…`) or the posted supplier credit note (`bill_…`).
    credit_note_id: ID,
    /// The invoice, or the bill, of the same party and currency.
    document_id: ID,
    /// How much, in the currency of both; at most what is open of either.
    amount: MoneyInput,
}

payload!(RecordPaymentPayload, payment: Payment, InvoicingUserError, "The recorded payment.");
payload!(AllocatePaymentPayload, payment: Payment, InvoicingUserError, "The payment with its allocations.");
payload!(
    UndoAllocationPayload,
    allocation: Allocation,
    InvoicingUserError,
    "The opposite allocation, which undoes it."
);
payload!(BouncePaymentPayload, payment: Payment, InvoicingUserError, "The bounced payment.");
payload!(SetCreditNotePayload, allocation: Allocation, InvoicingUserError, "The allocation.");

/// Reads the id of a document that can be settled.
fn target(field: &str, given: &ID) -> Result<Target, Error> {
    match kernel::id::decode_any(given).map_err(|error| bad_argument(field, error.to_string()))? {
        (Kind::Invoice, id) => Ok(Target::Invoice(id)),
        (Kind::Bill, id) => Ok(Target::Bill(id)),
        _ => Err(bad_argument(field, "this is the id of neither an invoice nor a bill")),
    }
}

/// Reads allocations.
fn allocations(given: &[AllocationInput]) -> Result<Vec<(Target, Money)>, Error> {
    let read = given.iter().enumerate().map(|(n, allocation)| {
        let target = target(&format!("allocations.{n}.documentId"), &allocation.document_id)?;
        Ok((target, allocation.amount.read(&format!("allocations.{n}.amount"))?))
    });
    read.collect()
}

/// Minor units of amounts that must be in this currency.
fn in_currency(
    currency: kernel::Currency,
    allocations: &[(Target, Money)],
) -> Result<Vec<(Target, i64)>, invoicing::Error> {
    let minor = |(n, (target, money)): (usize, &(Target, Money))| {
        if money.currency == currency {
            return Ok((*target, money.minor));
        }
        let field = format!("allocations.{n}.amount.currency").into();
        Err(invoicing::Error::CurrencyMismatch { field, wanted: currency, given: money.currency })
    };
    allocations.iter().enumerate().map(minor).collect()
}

async fn set_credit_note(
    tx: &Tx,
    note: Target,
    document: Target,
    amount: Money,
) -> Result<Uuid, invoicing::Error> {
    let wanted = rules::target_currency_in(tx, document).await?;
    if amount.currency != wanted {
        let field = "amount.currency".into();
        return Err(invoicing::Error::CurrencyMismatch { field, wanted, given: amount.currency });
    }
    match (note, document) {
        (Target::Invoice(note), Target::Invoice(invoice)) => {
            rules::credit(tx, note, invoice, amount.minor).await
        }
        (Target::Bill(note), Target::Bill(bill)) => rules::bill_credit(tx, note, bill, amount.minor).await,
        _ => Err(invoicing::Error::WrongDirection { field: "documentId".into() }),
    }
}

/// The payments' part of the mutation root.
#[derive(Default)]
pub(crate) struct PaymentsMutation;

#[Object]
impl PaymentsMutation {
    /// Records a payment, posts it to the bank journal, and settles documents with it.
    #[graphql(guard = "Needs(Permission::PaymentsWrite)")]
    async fn record_payment(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "A payment to record.")] input: RecordPaymentInput,
    ) -> Result<RecordPaymentPayload, Error> {
        let own = ctx.session()?.scope()?.company().currency;
        let amount = input.amount.read("amount")?;
        let base_minor = match &input.base_amount {
            Some(base) if base.currency != own.code() => {
                return Err(bad_argument("baseAmount.currency", format!("the company's currency is {own}")));
            }
            Some(base) => Some(minor(base.amount, own, "baseAmount.amount")?),
            None => None,
        };
        let stated = allocations(&input.allocations)?;
        let new = NewPayment {
            direction: input.direction.into(),
            party_id: parse(Kind::Party, "partyId", &input.party_id)?,
            paid_on: input.paid_on.0,
            currency: amount.currency,
            amount_minor: amount.minor,
            base_minor,
            method: input.method.into(),
            reference: input.reference,
            external_ref: input.external_ref,
            allocations: Vec::new(),
        };
        let done = mutate(ctx, move |tx| {
            let (new, stated) = (new.clone(), stated.clone());
            Box::pin(async move {
                let allocations = in_currency(new.currency, &stated)?;
                rules::record(tx, NewPayment { allocations, ..new }).await
            })
        });
        Ok(RecordPaymentPayload(done.await?))
    }

    /// Settles further documents with what is on account of a payment.
    #[graphql(guard = "Needs(Permission::PaymentsWrite)")]
    async fn allocate_payment(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What a payment settles further.")] input: AllocatePaymentInput,
    ) -> Result<AllocatePaymentPayload, Error> {
        let id = parse(Kind::Payment, "paymentId", &input.payment_id)?;
        let stated = allocations(&input.allocations)?;
        let done = mutate(ctx, move |tx| {
            let stated = stated.clone();
            Box::pin(async move {
                let allocations = in_currency(rules::currency_in(tx, id).await?, &stated)?;
                rules::allocate(tx, id, &allocations).await.map(|_| id)
            })
        });
        Ok(AllocatePaymentPayload(done.await?))
    }

    /// Undoes an allocation of a payment or of a credit note: what it settled is open again, its tax waits again,
    /// and the amount is on account.
    #[graphql(guard = "Needs(Permission::PaymentsWrite)")]
    async fn undo_allocation(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "An allocation to undo.")] input: UndoAllocationInput,
    ) -> Result<UndoAllocationPayload, Error> {
        let id = parse(Kind::Allocation, "allocationId", &input.allocation_id)?;
        let done = mutate(ctx, move |tx| Box::pin(rules::deallocate(tx, id)));
        Ok(UndoAllocationPayload(done.await?))
    }

    /// Takes back a payment that the bank has taken back: undoes its allocations and posts the reversal. What it
    /// settled is open again. Once and for good.
    #[graphql(guard = "Needs(Permission::PaymentsWrite)")]
    async fn bounce_payment(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "A payment that the bank has taken back.")] input: BouncePaymentInput,
    ) -> Result<BouncePaymentPayload, Error> {
        let id = parse(Kind::Payment, "paymentId", &input.payment_id)?;
        let BouncePaymentInput { on, reason, .. } = input;
        let done = mutate(ctx, move |tx| {
            let reason = reason.clone();
            Box::pin(async move { rules::bounce(tx, id, on.0, &reason).await.map(|()| id) })
        });
        Ok(BouncePaymentPayload(done.await?))
    }

    /// Sets a credit note against an invoice of the same customer, or a supplier's credit note against a bill.
    #[graphql(guard = "Needs(Permission::PaymentsWrite)")]
    async fn set_credit_note(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "A credit note to set against what is owed.")] input: SetCreditNoteInput,
    ) -> Result<SetCreditNotePayload, Error> {
        let note = target("creditNoteId", &input.credit_note_id)?;
        let document = target("documentId", &input.document_id)?;
        let amount = input.amount.read("amount")?;
        let done = mutate(ctx, move |tx| Box::pin(set_credit_note(tx, note, document, amount)));
        Ok(SetCreditNotePayload(done.await?))
    }
}
