//! What is done with supplier bills.

use std::sync::Arc;

use async_graphql::{Context, Error, ID, InputObject, Object};
use documents::Files;
use documents::file::service::Content;
use invoicing::bill::service::{self, Imported};
use kernel::{DomainError, Kind, Permission, Scope, Tx};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::bill::Bill;
use super::bill_inputs::{CorrectBillInput, EnterBillInput};
use super::errors::InvoicingUserError;
use crate::graphql::cost::about;
use crate::graphql::date::Date;
use crate::graphql::documents::file::File;
use crate::graphql::error::{bad_argument, from_domain};
use crate::graphql::guard::Needs;
use crate::graphql::ids::{parse, parse_all, public};
use crate::graphql::mutation::{Done, Refusal, mutate, payload};
use crate::graphql::request::InRequest;

/// A bill to approve.
#[derive(InputObject)]
struct ApproveBillInput {
    /// The bill.
    bill_id: ID,
    /// The version that was read; another one is a conflict.
    expected_version: i32,
}

/// A bill to reject.
#[derive(InputObject)]
struct RejectBillInput {
    /// The bill.
    bill_id: ID,
    /// The version that was read; another one is a conflict.
    expected_version: i32,
    /// Why, 1 to 1000 characters.
    reason: String,
}

/// A bill to post.
#[derive(InputObject)]
struct PostBillInput {
    /// The bill.
    bill_id: ID,
    /// The version that was read; another one is a conflict.
    expected_version: i32,
    /// The accounting date; today when left out, never later.
    on: Option<Date>,
}

/// Files to import.
#[derive(InputObject)]
struct ImportBillsInput {
    /// The uploads, whose bytes have been sent: 1 to 20, each an EN 16931 invoice in CII or UBL.
    upload_ids: Vec<ID>,
}

payload!(EnterBillPayload, bill: Bill, InvoicingUserError, "The bill.");
payload!(CorrectBillPayload, bill: Bill, InvoicingUserError, "The corrected bill.");
payload!(ApproveBillPayload, bill: Bill, InvoicingUserError, "The approved bill.");
payload!(RejectBillPayload, bill: Bill, InvoicingUserError, "The rejected bill.");
payload!(PostBillPayload, bill: Bill, InvoicingUserError, "The posted bill.");

/// Most files of one import: they are one transaction, which must stay short.
const MOST_FILES: usize = 20;

/// What became of one file, as it is kept for replays.
#[derive(Clone, Serialize, Deserialize)]
struct ImportedFile {
    upload: Uuid,
    bill: Option<Uuid>,
    duplicate_of: Option<Uuid>,
    refusal: Option<Refusal>,
}

impl ImportedFile {
    fn new(upload: Uuid, imported: &Imported) -> Self {
        match imported {
            Imported::Bill(bill) => Self { upload, bill: Some(*bill), duplicate_of: None, refusal: None },
            Imported::Refused(error) => Self::refused(upload, error),
        }
    }

    fn refused(upload: Uuid, error: &invoicing::Error) -> Self {
        Self {
            upload,
            bill: None,
            duplicate_of: match error {
                invoicing::Error::DuplicateBill { first } => Some(*first),
                _ => None,
            },
            refusal: Some(Refusal {
                code: error.code().to_owned(),
                field: error.field(),
                message: error.to_string(),
            }),
        }
    }
}

/// What became of one file.
#[Object(name = "ImportedBill")]
impl ImportedFile {
    /// The upload, as it was named.
    fn upload_id(&self) -> ID {
        public(Kind::File, self.upload)
    }

    /// The file; null when its id is unknown.
    #[graphql(guard = "Needs(Permission::FilesRead)")]
    async fn file(&self, ctx: &Context<'_>) -> Result<Option<File>, Error> {
        File::load(ctx, self.upload).await
    }

    /// The bill that it became; null when it was refused.
    async fn bill(&self, ctx: &Context<'_>) -> Result<Option<Bill>, Error> {
        load(ctx, self.bill).await
    }

    /// The bill that came before it, when it was refused as a duplicate.
    async fn duplicate_of(&self, ctx: &Context<'_>) -> Result<Option<Bill>, Error> {
        load(ctx, self.duplicate_of).await
    }

    /// Why it was refused; null when it became a bill.
    fn user_error(&self) -> Option<InvoicingUserError> {
        self.refusal.as_ref().map(InvoicingUserError::from)
    }
}

async fn load(ctx: &Context<'_>, id: Option<Uuid>) -> Result<Option<Bill>, Error> {
    match id {
        Some(id) => Bill::load(ctx, id).await,
        None => Ok(None),
    }
}

/// What became of each file. One bad file does not stop the others.
struct ImportBillsPayload(Done<Vec<ImportedFile>>);

/// What became of each file. One bad file does not stop the others.
#[Object]
impl ImportBillsPayload {
    /// What became of each file, in the order of `uploadIds`.
    #[graphql(directive = about::apply(10))]
    fn files(&self) -> &[ImportedFile] {
        self.0.result.as_deref().unwrap_or_default()
    }

    /// Why nothing was done at all; what is wrong with single files is told with them.
    #[graphql(directive = about::apply(3))]
    fn user_errors(&self) -> Vec<InvoicingUserError> {
        self.0.refusals.iter().map(InvoicingUserError::from).collect()
    }

    /// Whether this answers from an earlier request with the same idempotency key.
    fn replayed(&self) -> bool {
        self.0.replayed
    }
}

/// An upload: what it holds, or why that cannot be had.
type Upload = (Uuid, Result<Content, invoicing::Error>);

/// Reads the uploads in a snapshot of its own, for the object store is never waited for in the transaction that
/// writes.
async fn read(scope: &Scope, files: &Files, ids: &[Uuid]) -> Result<Vec<Upload>, invoicing::Error> {
    let snapshot = scope.read().await?;
    let uploads = read_in(&snapshot, files, ids).await;
    snapshot.end().await;
    uploads
}

/// What the user can mend is told with its file; anything else ends it all.
async fn read_in(snapshot: &Tx, files: &Files, ids: &[Uuid]) -> Result<Vec<Upload>, invoicing::Error> {
    let mut uploads = Vec::with_capacity(ids.len());
    for id in ids {
        match service::read_file(snapshot, files, *id).await {
            Err(error) if error.fault().is_some() || error.denied().is_some() => return Err(error),
            content => uploads.push((*id, content)),
        }
    }
    Ok(uploads)
}

async fn import(tx: &Tx, uploads: &[Upload]) -> Result<Vec<ImportedFile>, invoicing::Error> {
    let mut imported = Vec::with_capacity(uploads.len());
    for (id, content) in uploads {
        imported.push(match content {
            Ok(content) => ImportedFile::new(*id, &service::import_file(tx, content).await?),
            Err(refusal) => ImportedFile::refused(*id, refusal),
        });
    }
    Ok(imported)
}

/// The purchases' part of the mutation root.
#[derive(Default)]
pub(crate) struct PurchasesMutation;

#[Object]
impl PurchasesMutation {
    /// Records uploaded electronic invoices (EN 16931 in CII or UBL) as received bills. An unknown supplier is
    /// created from the document. What does not add up is recorded as stated, with findings.
    #[graphql(guard = "Needs(Permission::BillsEnter)")]
    async fn import_bills(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Files to import.")] input: ImportBillsInput,
    ) -> Result<ImportBillsPayload, Error> {
        let uploads = parse_all(Kind::File, "uploadIds", &input.upload_ids)?;
        if uploads.is_empty() || uploads.len() > MOST_FILES {
            return Err(bad_argument("uploadIds", format!("name 1 to {MOST_FILES} uploads")));
        }
        let session = ctx.session()?;
        let uploads = read(session.scope()?, &session.app().files, &uploads).await.map_err(from_domain)?;
        let uploads = Arc::new(uploads);
        let done = mutate(ctx, move |tx| {
            let uploads = uploads.clone();
            Box::pin(async move { import(tx, &uploads).await })
        });
        Ok(ImportBillsPayload(done.await?))
    }

    /// Records a bill or credit note by hand. What does not add up is recorded as stated, with findings.
    #[graphql(guard = "Needs(Permission::BillsEnter)")]
    async fn enter_bill(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "A bill or credit note to enter by hand.")] input: EnterBillInput,
    ) -> Result<EnterBillPayload, Error> {
        let new = input.read()?;
        let done = mutate(ctx, move |tx| {
            let new = new.clone();
            Box::pin(async move { service::enter(tx, new).await })
        });
        Ok(EnterBillPayload(done.await?))
    }

    /// Corrects a received bill before its approval: due date, accounts, categories, amounts. It is marked as
    /// corrected.
    #[graphql(guard = "Needs(Permission::BillsEnter)")]
    async fn correct_bill(
        &self,
        ctx: &Context<'_>,
        #[graphql(
            desc = "What is corrected of a received bill; what is left out stays. Lines, taxes and totals are corrected each on their own: correcting a line does not change the totals."
        )]
        input: CorrectBillInput,
    ) -> Result<CorrectBillPayload, Error> {
        let (id, expected) = (parse(Kind::Bill, "billId", &input.bill_id)?, input.expected_version);
        let correction = input.read()?;
        let done = mutate(ctx, move |tx| {
            let correction = correction.clone();
            Box::pin(async move { service::correct(tx, id, expected, &correction).await })
        });
        Ok(CorrectBillPayload(done.await?.or_current(id)))
    }

    /// Finds a received bill right. Where the company wants four eyes, not by who entered it or corrected it last; an
    /// API key counts as the person who made it.
    #[graphql(guard = "Needs(Permission::BillsApprove)")]
    async fn approve_bill(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "A bill to approve.")] input: ApproveBillInput,
    ) -> Result<ApproveBillPayload, Error> {
        let (id, expected) = (parse(Kind::Bill, "billId", &input.bill_id)?, input.expected_version);
        let done = mutate(ctx, move |tx| Box::pin(service::approve(tx, id, expected)));
        Ok(ApproveBillPayload(done.await?.or_current(id)))
    }

    /// Refuses a bill that is not posted: its number and its file may come again.
    #[graphql(guard = "Needs(Permission::BillsApprove)")]
    async fn reject_bill(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "A bill to reject.")] input: RejectBillInput,
    ) -> Result<RejectBillPayload, Error> {
        let (id, expected) = (parse(Kind::Bill, "billId", &input.bill_id)?, input.expected_version);
        let done = mutate(ctx, move |tx| {
            let reason = input.reason.clone();
            Box::pin(async move { service::reject(tx, id, expected, &reason).await })
        });
        Ok(RejectBillPayload(done.await?.or_current(id)))
    }

    /// Posts an approved bill to the purchases journal. A foreign currency is converted at the rate of the issue
    /// date.
    #[graphql(guard = "Needs(Permission::BillsPost)")]
    async fn post_bill(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "A bill to post.")] input: PostBillInput,
    ) -> Result<PostBillPayload, Error> {
        let (id, expected, on) =
            (parse(Kind::Bill, "billId", &input.bill_id)?, input.expected_version, input.on.map(Into::into));
        let done = mutate(ctx, move |tx| Box::pin(service::post(tx, id, expected, on)));
        Ok(PostBillPayload(done.await?.or_current(id)))
    }
}
