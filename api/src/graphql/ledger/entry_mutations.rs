//! What is done with journal entries and their matchings.

use std::collections::BTreeSet;

use async_graphql::{Context, Error, ID, InputObject, Object};
use kernel::{Currency, DomainError, Kind, Permission, Tx};
use ledger::entry::service::{self as entries, Draft};
use ledger::entry::{AccountRef, Foreign, NewLine};
use ledger::matching::service as matchings;
use rust_decimal::Decimal;
use uuid::Uuid;

use super::entry::JournalEntry;
use super::errors::LedgerUserError;
use super::matching::Matching;
use crate::graphql::date::Date;
use crate::graphql::error::bad_argument;
use crate::graphql::guard::Needs;
use crate::graphql::ids::{parse, parse_optional};
use crate::graphql::money::MoneyInput;
use crate::graphql::mutation::{mutate, payload};
use crate::graphql::request::InRequest;

/// An amount in another currency, beside the company's.
#[derive(Clone, InputObject)]
struct ForeignAmountInput {
    /// The amount, above zero: the line tells whether it is a debit or a credit.
    amount: MoneyInput,
    /// The company's currency for one unit of this one.
    rate: Decimal,
}

/// An analytic dimension of a line.
#[derive(Clone, InputObject)]
struct AnalyticTagInput {
    /// The dimension, e.g. `site`.
    name: String,
    /// Its value, e.g. `Lyon`.
    value: String,
}

/// A line of an entry: exactly one of `debit` and `credit`.
#[derive(Clone, InputObject)]
struct JournalEntryLineInput {
    /// The account.
    account_id: ID,
    /// What is debited, above zero, in the company's currency.
    debit: Option<MoneyInput>,
    /// What is credited, above zero, in the company's currency.
    credit: Option<MoneyInput>,
    /// The amount in another currency, if it arose in one.
    foreign: Option<ForeignAmountInput>,
    /// The customer or supplier; needed on receivable and payable accounts.
    party_id: Option<ID>,
    /// What it is for; the entry's label when left out.
    label: Option<String>,
    /// The tax code that it follows from; then `taxBase` as well.
    tax_code: Option<String>,
    /// The base that the tax was computed on, in the company's currency.
    tax_base: Option<MoneyInput>,
    /// When it is due, on receivable and payable accounts.
    due_on: Option<Date>,
    /// Analytic dimensions.
    #[graphql(default)]
    analytic: Vec<AnalyticTagInput>,
}

/// The content of a draft. It need not balance before it is posted.
#[derive(Clone, InputObject)]
struct JournalEntryContentInput {
    /// The journal.
    journal_id: ID,
    /// The accounting date.
    date: Date,
    /// What it is about.
    label: String,
    /// The reference of the document that justifies it; then `pieceDate` as well.
    piece_ref: Option<String>,
    /// The date of that document.
    piece_date: Option<Date>,
    /// Its lines, in order.
    lines: Vec<JournalEntryLineInput>,
    /// The partner's own reference, unique in the company.
    external_ref: Option<String>,
}

/// A draft to write.
#[derive(InputObject)]
struct CreateJournalEntryInput {
    /// Its content.
    entry: JournalEntryContentInput,
}

/// A draft to write anew.
#[derive(InputObject)]
struct UpdateJournalEntryInput {
    /// The draft.
    journal_entry_id: ID,
    /// The version that was read; another one is a conflict.
    expected_version: i32,
    /// Its content, all of it.
    entry: JournalEntryContentInput,
}

/// An entry to discard or post.
#[derive(InputObject)]
struct JournalEntryInput {
    /// The entry.
    journal_entry_id: ID,
    /// The version that was read; another one is a conflict.
    expected_version: i32,
}

/// An entry to reverse.
#[derive(InputObject)]
struct ReverseJournalEntryInput {
    /// The posted entry.
    journal_entry_id: ID,
    /// The version that was read; another one is a conflict.
    expected_version: i32,
    /// The date of the reversal, not before the entry's and not after today.
    date: Date,
    /// Why.
    label: String,
}

/// Two lines to match.
#[derive(InputObject)]
struct MatchPostingsInput {
    /// The debit line.
    debit_posting_id: ID,
    /// The credit line, of the same account and party.
    credit_posting_id: ID,
    /// How much of both, in the company's currency.
    amount: MoneyInput,
}

/// A matching to undo.
#[derive(InputObject)]
struct UnmatchPostingsInput {
    /// The matching.
    matching_id: ID,
    /// The version that was read; another one is a conflict.
    expected_version: i32,
}

payload!(CreateJournalEntryPayload, journal_entry: JournalEntry, LedgerUserError, "The draft.");
payload!(UpdateJournalEntryPayload, journal_entry: JournalEntry, LedgerUserError, "The draft.");
payload!(DiscardJournalEntryPayload, journal_entry: JournalEntry, LedgerUserError, "Null once the draft is gone.");
payload!(PostJournalEntryPayload, journal_entry: JournalEntry, LedgerUserError, "The entry, posted.");
payload!(ReverseJournalEntryPayload, reversal: JournalEntry, LedgerUserError, "The reversal; it links to the entry.");
payload!(MatchPostingsPayload, matching: Matching, LedgerUserError, "The matching.");
payload!(UnmatchPostingsPayload, matching: Matching, LedgerUserError, "The matching, undone.");

/// Reads an amount of the company's currency into minor units.
fn own_minor(money: &MoneyInput, own: Currency, field: &str) -> Result<i64, Error> {
    let read = money.read(field)?;
    if read.currency == own {
        return Ok(read.minor);
    }
    Err(bad_argument(
        &format!("{field}.currency"),
        format!("lines are written in {own}, the company's currency; give the other amount as `foreign`"),
    ))
}

impl JournalEntryLineInput {
    fn read(self, own: Currency, field: &str) -> Result<NewLine, Error> {
        let at = |name: &str| format!("{field}.{name}");
        let (minor, sign) = match (&self.debit, &self.credit) {
            (Some(debit), None) => (own_minor(debit, own, &at("debit"))?, 1),
            (None, Some(credit)) => (own_minor(credit, own, &at("credit"))?, -1),
            _ => return Err(bad_argument(field, "a line has either a debit or a credit")),
        };
        if minor <= 0 {
            return Err(bad_argument(field, "debit and credit are above zero: choose the side by the field"));
        }
        let foreign = match &self.foreign {
            Some(foreign) => {
                let amount = foreign.amount.read(&at("foreign.amount"))?;
                if amount.minor < 0 {
                    return Err(bad_argument(
                        &at("foreign.amount"),
                        "the side follows from the line: give no sign",
                    ));
                }
                Some(Foreign { currency: amount.currency, minor: sign * amount.minor, rate: foreign.rate })
            }
            None => None,
        };
        let tax = match (self.tax_code, &self.tax_base) {
            (Some(code), Some(base)) => Some((code, own_minor(base, own, &at("taxBase"))?)),
            (None, None) => None,
            _ => return Err(bad_argument(&at("taxCode"), "give the tax code and its base, or neither")),
        };
        Ok(NewLine {
            account: AccountRef::Id(parse(Kind::Account, &at("accountId"), &self.account_id)?),
            amount_minor: sign * minor,
            foreign,
            party: parse_optional(Kind::Party, &at("partyId"), self.party_id.as_ref())?,
            label: self.label,
            tax,
            due_on: self.due_on.map(Into::into),
            analytic: self.analytic.into_iter().map(|tag| (tag.name, tag.value)).collect(),
        })
    }
}

impl JournalEntryContentInput {
    fn read(self, own: Currency) -> Result<Draft, Error> {
        let piece = match (self.piece_ref, self.piece_date) {
            (Some(reference), Some(date)) => Some((reference, date.0)),
            (None, None) => None,
            _ => {
                return Err(bad_argument(
                    "entry.pieceRef",
                    "give the reference and the date of the piece, or neither",
                ));
            }
        };
        let lines = self.lines.into_iter().enumerate();
        Ok(Draft {
            journal: parse(Kind::Journal, "entry.journalId", &self.journal_id)?,
            date: self.date.0,
            label: self.label,
            piece,
            lines: lines
                .map(|(n, line)| line.read(own, &format!("entry.lines.{n}")))
                .collect::<Result<_, _>>()?,
            external_ref: self.external_ref,
        })
    }
}

/// Refuses parties that are not the company's. The ledger knows no parties: they belong to a domain above it.
async fn check_parties(tx: &Tx, draft: &Draft) -> Result<(), ledger::Error> {
    let parties: BTreeSet<Uuid> = draft.lines.iter().filter_map(|line| line.party).collect();
    for party in parties {
        if let Err(error) = invoicing::party::service::get_in(tx, party, "lines").await {
            return Err(match error {
                invoicing::Error::Fault(fault) => fault.into(),
                error if error.code() == "NOT_FOUND" => ledger::Error::NotFound(Kind::Party, "lines"),
                error => ledger::Error::invalid("lines", error.to_string()),
            });
        }
    }
    Ok(())
}

/// Entries and matchings in the mutation root.
#[derive(Default)]
pub(super) struct EntryMutation;

#[Object]
impl EntryMutation {
    /// Writes a draft of a journal entry.
    #[graphql(guard = "Needs(Permission::LedgerDraft)")]
    async fn create_journal_entry(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "A draft to write.")] input: CreateJournalEntryInput,
    ) -> Result<CreateJournalEntryPayload, Error> {
        let draft = input.entry.read(ctx.session()?.scope()?.company().currency)?;
        let done = mutate(ctx, move |tx| {
            let draft = draft.clone();
            Box::pin(async move {
                check_parties(tx, &draft).await?;
                entries::create_draft(tx, &draft).await
            })
        });
        Ok(CreateJournalEntryPayload(done.await?))
    }

    /// Writes a draft anew, all of it.
    #[graphql(guard = "Needs(Permission::LedgerDraft)")]
    async fn update_journal_entry(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "A draft to write anew.")] input: UpdateJournalEntryInput,
    ) -> Result<UpdateJournalEntryPayload, Error> {
        let id = parse(Kind::JournalEntry, "journalEntryId", &input.journal_entry_id)?;
        let draft = input.entry.read(ctx.session()?.scope()?.company().currency)?;
        let version = input.expected_version;
        let done = mutate(ctx, move |tx| {
            let draft = draft.clone();
            Box::pin(async move {
                check_parties(tx, &draft).await?;
                entries::update_draft(tx, id, version, &draft).await
            })
        });
        Ok(UpdateJournalEntryPayload(done.await?.or_current(id)))
    }

    /// Deletes a draft, which never had a number.
    #[graphql(guard = "Needs(Permission::LedgerDraft)")]
    async fn discard_journal_entry(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "An entry to discard or post.")] input: JournalEntryInput,
    ) -> Result<DiscardJournalEntryPayload, Error> {
        let id = parse(Kind::JournalEntry, "journalEntryId", &input.journal_entry_id)?;
        let version = input.expected_version;
        let done =
            mutate(ctx, move |tx| Box::pin(async move { entries::discard_draft(tx, id, version).await }));
        Ok(DiscardJournalEntryPayload(done.await?.or_current(id)))
    }

    /// Posts a draft, for good: it gets its number, and never changes again. Its date is today or earlier.
    #[graphql(guard = "Needs(Permission::LedgerPost)")]
    async fn post_journal_entry(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "An entry to discard or post.")] input: JournalEntryInput,
    ) -> Result<PostJournalEntryPayload, Error> {
        let id = parse(Kind::JournalEntry, "journalEntryId", &input.journal_entry_id)?;
        let version = input.expected_version;
        let done = mutate(ctx, move |tx| Box::pin(async move { entries::post(tx, id, version).await }));
        Ok(PostJournalEntryPayload(done.await?.or_current(id)))
    }

    /// Posts the reversal of a posted entry. What an invoice, a bill or a payment has posted is corrected there.
    #[graphql(guard = "Needs(Permission::LedgerPost)")]
    async fn reverse_journal_entry(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "An entry to reverse.")] input: ReverseJournalEntryInput,
    ) -> Result<ReverseJournalEntryPayload, Error> {
        let id = parse(Kind::JournalEntry, "journalEntryId", &input.journal_entry_id)?;
        let done = mutate(ctx, move |tx| {
            let (version, date, label) = (input.expected_version, input.date.0, input.label.clone());
            Box::pin(async move { entries::reverse(tx, id, version, date, &label).await })
        });
        Ok(ReverseJournalEntryPayload(done.await?))
    }

    /// Matches a debit line with a credit line of the same account and party (lettrage), from today. Both come from
    /// entries written by hand: invoices, bills and payments are settled by `recordPayment` and `allocatePayment`.
    #[graphql(guard = "Needs(Permission::LedgerPost)")]
    async fn match_postings(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Two lines to match.")] input: MatchPostingsInput,
    ) -> Result<MatchPostingsPayload, Error> {
        let debit = parse(Kind::Posting, "debitPostingId", &input.debit_posting_id)?;
        let credit = parse(Kind::Posting, "creditPostingId", &input.credit_posting_id)?;
        let amount = own_minor(&input.amount, ctx.session()?.scope()?.company().currency, "amount")?;
        let done = mutate(ctx, move |tx| {
            Box::pin(async move { matchings::match_lines(tx, debit, credit, amount).await })
        });
        Ok(MatchPostingsPayload(done.await?))
    }

    /// Undoes a matching of lines written by hand, from today. Reports of earlier days still show it. What a payment
    /// settles is undone by `undoAllocation`.
    #[graphql(guard = "Needs(Permission::LedgerPost)")]
    async fn unmatch_postings(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "A matching to undo.")] input: UnmatchPostingsInput,
    ) -> Result<UnmatchPostingsPayload, Error> {
        let id = parse(Kind::Matching, "matchingId", &input.matching_id)?;
        let version = input.expected_version;
        let done = mutate(ctx, move |tx| Box::pin(async move { matchings::unmatch(tx, id, version).await }));
        Ok(UnmatchPostingsPayload(done.await?.or_current(id)))
    }
}
