//! One allocation and its undoing: shares, entry, lettering, row and events, in the caller's transaction.
//!
//! Both pieces are locked by the caller, who has also required the permission.

use std::borrow::Cow;

use chrono::NaiveDate;
use entity::invoicing::allocation;
use kernel::{Fault, Kind, NewEvent, Tx};
use ledger::account::Role;
use ledger::entry::{AccountRef, JournalKind, NewEntry, NewLine};
use uuid::Uuid;

use super::document::{Piece, Posting, What, postings_of};
use super::store::{self, NewAllocation};
use super::vat::{self, Moved};
use super::{Side, at, books};
use crate::error::Error;
use crate::step;

/// The input fields that a refusal names.
#[derive(Clone, Debug)]
pub(super) struct Fields {
    source: Cow<'static, str>,
    target: Cow<'static, str>,
    amount: Cow<'static, str>,
}

impl Fields {
    /// Of the allocation of a payment at `index`.
    pub(super) fn at(index: usize) -> Self {
        Self {
            source: "paymentId".into(),
            target: at(index, "documentId").into(),
            amount: at(index, "amount").into(),
        }
    }

    /// Of a credit note that is set against a document.
    pub(super) const CREDIT: Self = Self {
        source: Cow::Borrowed("creditNoteId"),
        target: Cow::Borrowed("documentId"),
        amount: Cow::Borrowed("amount"),
    };
}

/// Whether `source` may settle `amount` of `target`.
pub(super) fn check(source: &Piece, target: &Piece, amount: i64, fields: Fields) -> Result<(), Error> {
    for (piece, field) in [(target, &fields.target), (source, &fields.source)] {
        if !piece.ready {
            return Err(match piece.what {
                What::Invoice(_) => Error::NotIssued,
                What::Bill(_) => Error::NotPosted { field: field.clone() },
                What::Payment(_) => Error::AlreadyBounced,
            });
        }
    }
    // An invoice is not set against a credit note, but the credit note against the invoice.
    let is_payment = matches!(source.what, What::Payment(_));
    let backwards = !is_payment && source.on_debit == (source.side == Side::Customer);
    if source.side != target.side || source.on_debit == target.on_debit || backwards {
        return Err(Error::WrongDirection { field: fields.target });
    }
    if source.party_id != target.party_id {
        return Err(Error::PartyMismatch { field: fields.target });
    }
    if source.currency != target.currency {
        let (wanted, given) = (target.currency, source.currency);
        return Err(Error::CurrencyMismatch { field: fields.target, wanted, given });
    }
    if amount > target.balance.open() {
        return Err(Error::AllocationExceedsOpen { field: fields.amount, open: target.open() });
    }
    if amount > source.balance.open() {
        return Err(Error::AllocationExceedsPayment { field: fields.amount, left: source.open() });
    }
    Ok(())
}

/// Settles `amount` of `target` from `source`, which [`check`] has found to fit, on the later date of the two.
/// The allocation's id.
pub(super) async fn settle(
    tx: &Tx,
    source: &mut Piece,
    target: &mut Piece,
    amount: i64,
) -> Result<Uuid, Error> {
    let (id, on) = (tx.new_id(), source.dated.max(target.dated));
    let source_share = source.balance.take(amount);
    let target_share = target.balance.take(amount);
    let ends = Ends::of(source, target, source_share, target_share);
    let Extra { on, entry_id, line: difference } =
        post(tx, id, source, target, Difference { minor: ends.difference(), undoes: false }, on).await?;
    let (source_line, target_line) = (source.posting()?, target.posting()?);
    let (debit, credit) =
        if source.on_debit { (source_line, target_line) } else { (target_line, source_line) };
    let matching = letter(tx, debit, credit, ends.common(), on).await?;
    let difference_matching = match difference {
        Some(line) if ends.difference() > 0 => letter(tx, line, credit, ends.difference(), on).await?,
        Some(line) => letter(tx, debit, line, -ends.difference(), on).await?,
        None => None,
    };
    let row = NewAllocation {
        id,
        source: source.what,
        target: target.what,
        currency: target.currency,
        amount_minor: amount,
        source_base_minor: source_share,
        target_base_minor: target_share,
        on_date: on,
        reverses_id: None,
        entry_id,
        matching_id: matching,
        difference_matching_id: difference_matching,
    };
    store::insert_allocation(tx, &row).await?;
    for piece in [&*source, &*target] {
        if piece.is_claim() && piece.balance.open() == 0 {
            step::take_in(tx, piece.what.kind(), piece.what.id(), None, "paid").await?;
        }
    }
    tell(tx, source, target, &row).await?;
    Ok(id)
}

/// Ends the lettering of an allocation that is about to be undone, unless an accountant has ended it already.
pub(super) async fn unletter(tx: &Tx, row: &allocation::Model) -> Result<(), Error> {
    for matching in [row.matching_id, row.difference_matching_id].into_iter().flatten() {
        match ledger::matching::unmatch_in(tx, matching).await {
            Ok(()) | Err(ledger::Error::AlreadyUnmatched) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}

/// Undoes an allocation that stands and is no longer lettered, on a day not before its own. The id of the
/// opposite row.
pub(super) async fn undo(
    tx: &Tx,
    row: &allocation::Model,
    source: &mut Piece,
    target: &mut Piece,
    on: NaiveDate,
) -> Result<Uuid, Error> {
    let (id, on) = (tx.new_id(), on.max(row.on_date));
    source.balance.give_back(row.amount_minor, row.source_base_minor);
    target.balance.give_back(row.amount_minor, row.target_base_minor);
    let difference = Ends::of(source, target, row.source_base_minor, row.target_base_minor).difference();
    let Extra { on, entry_id, line } =
        post(tx, id, source, target, Difference { minor: -difference, undoes: true }, on).await?;
    // The two opposite exchange differences stand on the party's account: they settle each other.
    if let (Some(undone), Some(line)) = (row.entry_id, line) {
        let first = postings_of(tx, vec![undone]).await?.remove(&undone);
        let first =
            first.ok_or_else(|| Fault::Corrupt("an exchange difference without a posting".to_owned()))?;
        let (debit, credit) = if difference > 0 { (first, line) } else { (line, first) };
        letter(tx, debit, credit, difference.abs(), on).await?;
    }
    let opposite = NewAllocation {
        id,
        source: source.what,
        target: target.what,
        currency: target.currency,
        amount_minor: -row.amount_minor,
        source_base_minor: -row.source_base_minor,
        target_base_minor: -row.target_base_minor,
        on_date: on,
        reverses_id: Some(row.id),
        entry_id,
        matching_id: None,
        difference_matching_id: None,
    };
    store::insert_allocation(tx, &opposite).await?;
    tell(tx, source, target, &opposite).await?;
    Ok(id)
}

/// The shares of an allocation on the debit and the credit side of the party's account, company currency.
#[derive(Clone, Copy, Debug)]
struct Ends {
    debit: i64,
    credit: i64,
}

impl Ends {
    const fn of(source: &Piece, target: &Piece, source_share: i64, target_share: i64) -> Self {
        debug_assert!(source.on_debit != target.on_debit, "they stand on opposite sides");
        if source.on_debit {
            Self { debit: source_share, credit: target_share }
        } else {
            Self { debit: target_share, credit: source_share }
        }
    }

    /// What the realised exchange difference adds to the debit side: a gain when positive. More was received
    /// for a claim, or less was paid for a debt, than it stood at.
    const fn difference(self) -> i64 {
        self.credit - self.debit
    }

    fn common(self) -> i64 {
        self.debit.min(self.credit)
    }
}

/// What an allocation posted beside the documents themselves.
#[derive(Debug)]
struct Extra {
    /// Its accounting date.
    on: NaiveDate,
    /// The entry, if there was anything to post.
    entry_id: Option<Uuid>,
    /// The exchange difference's line on the party's account.
    line: Option<Posting>,
}

/// Posts the exchange difference and the tax that follows from the pieces' new balances.
async fn post(
    tx: &Tx,
    id: Uuid,
    source: &mut Piece,
    target: &mut Piece,
    difference: Difference,
    on: NaiveDate,
) -> Result<Extra, Error> {
    let mut moved = Moved::default();
    vat::follow(target, &mut moved);
    vat::follow(source, &mut moved);
    let mut lines = Vec::new();
    if difference.minor != 0 {
        lines.extend(difference.lines(target));
    }
    lines.extend(moved.lines(target.side));
    if lines.is_empty() {
        return Ok(Extra { on, entry_id: None, line: None });
    }
    let entry = NewEntry {
        journal: JournalKind::Miscellaneous,
        date: on,
        label: label(tx, target),
        piece: target.number.clone().map(|number| (number, target.dated)),
        source: Some((Kind::Allocation, id)),
        lines,
    };
    let (posted, on) = books::post(tx, entry).await?;
    let line = if difference.minor == 0 { None } else { posted.postings.first().copied().flatten() };
    Ok(Extra { on, entry_id: Some(posted.id), line: line.map(|id| Posting { id, on }) })
}

/// A realised exchange difference to post.
#[derive(Clone, Copy, Debug)]
struct Difference {
    /// What it adds to the debit side of the party's account, company currency.
    minor: i64,
    /// Whether it takes one back: a gain that is undone is no loss, but less of a gain.
    undoes: bool,
}

impl Difference {
    /// The party's account first, then 756 or 656 (plan comptable général, art. 946-65: on trade claims and debts).
    fn lines(self, target: &Piece) -> [NewLine; 2] {
        let account = match target.side {
            Side::Customer => Role::Receivable,
            Side::Supplier => Role::Payable,
        };
        let is_gain = (self.minor > 0) != self.undoes;
        let result = if is_gain { Role::TradeExchangeGain } else { Role::TradeExchangeLoss };
        let party = NewLine {
            party: Some(target.party_id),
            due_on: Some(target.dated),
            ..NewLine::new(AccountRef::Role(account), self.minor)
        };
        [party, NewLine::new(AccountRef::Role(result), -self.minor)]
    }
}

fn label(tx: &Tx, target: &Piece) -> String {
    let french = tx.scope().company().locale == "fr";
    let words = if french {
        "TVA sur encaissement et écart de change"
    } else {
        "VAT on payment, exchange difference"
    };
    match &target.number {
        Some(number) => format!("{words}, {number}"),
        None => words.to_owned(),
    }
}

/// Matches two lines, if there is anything to match.
async fn letter(
    tx: &Tx,
    debit: Posting,
    credit: Posting,
    amount: i64,
    on: NaiveDate,
) -> Result<Option<Uuid>, Error> {
    if amount == 0 {
        return Ok(None);
    }
    Ok(Some(ledger::matching::match_in(tx, debit.id, credit.id, amount, on).await?))
}

/// One event for each of the two pieces, so that each one's feed tells what became of it.
async fn tell(tx: &Tx, source: &Piece, target: &Piece, row: &NewAllocation) -> Result<(), Error> {
    let undone = row.reverses_id.is_some();
    let of_source = match (source.what, undone) {
        (What::Payment(_), false) => "payment.allocated",
        (What::Payment(_), true) => "payment.deallocated",
        (_, false) => "credit_note.set",
        (_, true) => "credit_note.unset",
    };
    let of_target = match (target.what, undone) {
        (What::Bill(_), false) => "bill.settled",
        (What::Bill(_), true) => "bill.unsettled",
        (_, false) => "invoice.settled",
        (_, true) => "invoice.unsettled",
    };
    let allocation = kernel::id::encode(Kind::Allocation, row.reverses_id.unwrap_or(row.id));
    for (name, piece, other) in [(of_source, source, target), (of_target, target, source)] {
        NewEvent::new(name, piece.what.kind(), piece.what.id())
            .case(target.what.id())
            .fact("allocation", &allocation)
            .fact(if piece.what == source.what { "target" } else { "source" }, other.what.public())
            .fact("amountMinor", row.amount_minor.abs())
            .fact("currency", piece.currency.code())
            .fact("openMinor", piece.balance.open())
            .fact("on", row.on_date)
            .append(tx)
            .await?;
    }
    Ok(())
}
