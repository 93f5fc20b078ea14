//! Journal entries: what can be written and posted. Rules only: nothing here reads or writes.

pub mod held;
mod lookup;
mod post;
pub mod service;
pub(crate) mod store;

pub use lookup::party_postings_in;
pub(crate) use post::write_and_post;
pub use post::{first_day_in, post_in, reverse_in};

use std::collections::HashMap;

use chrono::NaiveDate;
use kernel::{Currency, Kind, Mode};
use rust_decimal::Decimal;
use uuid::Uuid;

use crate::account::{Known, Role, check_text, stored};
use crate::error::Error;
pub use crate::journal::JournalKind;

stored! {
    /// Why an entry was written.
    EntryKind {
        /// By a user or by a domain above.
        Normal = "normal",
        /// By the closing of a year: takes income and expense into the result.
        Result = "result",
        /// By the closing of a year: repeats the balances that it left (à-nouveaux).
        Opening = "opening",
        /// By a reversal.
        Reversal = "reversal",
    }
}

stored! {
    /// How far an entry is.
    EntryState {
        /// May still change, counts nowhere, has no number.
        Draft = "draft",
        /// Never changes.
        Posted = "posted",
    }
}

/// An account, by id or by what it is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AccountRef {
    /// This account.
    Id(Uuid),
    /// The company's account of this role.
    Role(Role),
}

/// An amount in a foreign currency, beside the company's.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Foreign {
    /// The foreign currency.
    pub currency: Currency,
    /// Its minor units, signed like the line (debit positive).
    pub minor: i64,
    /// Company currency for one unit of the foreign one.
    pub rate: Decimal,
}

/// A line to write: positive amounts are debits, negative ones credits (company currency, minor units).
#[derive(Clone, Debug)]
pub struct NewLine {
    /// Where.
    pub account: AccountRef,
    /// Signed minor units of the company's currency: debit > 0, credit < 0; a zero line is dropped.
    pub amount_minor: i64,
    /// The foreign amount, if it arose in another currency.
    pub foreign: Option<Foreign>,
    /// The customer or supplier; needed on receivable and payable accounts.
    pub party: Option<Uuid>,
    /// What for; the entry's label when `None`.
    pub label: Option<String>,
    /// The tax code (e.g. `S 20`) and the base it was computed on, in minor units.
    pub tax: Option<(String, i64)>,
    /// When it is due, on receivable and payable accounts.
    pub due_on: Option<NaiveDate>,
    /// Analytic dimensions, a flat object of texts; empty when none.
    pub analytic: Vec<(String, String)>,
}

impl NewLine {
    /// A plain line.
    pub fn new(account: AccountRef, amount_minor: i64) -> Self {
        Self {
            account,
            amount_minor,
            foreign: None,
            party: None,
            label: None,
            tax: None,
            due_on: None,
            analytic: Vec::new(),
        }
    }
}

/// An entry to post.
#[derive(Clone, Debug)]
pub struct NewEntry {
    /// To which journal.
    pub journal: JournalKind,
    /// The accounting date.
    pub date: NaiveDate,
    /// What it is about.
    pub label: String,
    /// The document's reference and date (pièce justificative).
    pub piece: Option<(String, NaiveDate)>,
    /// The thing it comes from.
    pub source: Option<(Kind, Uuid)>,
    /// Its lines.
    pub lines: Vec<NewLine>,
}

/// A posted entry.
#[derive(Clone, Debug)]
pub struct Posted {
    /// The entry.
    pub id: Uuid,
    /// Its number in journal and fiscal year.
    pub number: i32,
    /// The ids of its postings, in the order of the given lines (dropped zero lines are `None`).
    pub postings: Vec<Option<Uuid>>,
}

/// A line whose account is known, as it is stored.
#[derive(Clone, Debug)]
pub(crate) struct Line {
    pub id: Uuid,
    pub account_id: Uuid,
    pub new: NewLine,
}

/// Most lines of one entry. A year's opening entry has one for each account and party.
const MOST_LINES: usize = 50_000;

/// Finds the accounts of lines, in a company of this mode.
pub(crate) fn resolve(lines: Vec<NewLine>, known: &[Known], mode: Mode) -> Result<Vec<(Line, Known)>, Error> {
    let by_id: HashMap<Uuid, &Known> = known.iter().map(|account| (account.id, account)).collect();
    let by_role: HashMap<&str, &Known> =
        known.iter().filter_map(|account| Some((account.role.as_deref()?, account))).collect();
    let resolved = lines.into_iter().map(|new| {
        let account = match new.account {
            AccountRef::Id(id) => *by_id.get(&id).ok_or(Error::NotFound(Kind::Account, "lines"))?,
            AccountRef::Role(role) => {
                *by_role.get(role.as_str()).ok_or(Error::NoAccountForRole(role.as_str()))?
            }
        };
        Ok((Line { id: mode.new_id(), account_id: account.id, new }, account.clone()))
    });
    resolved.collect()
}

/// Refuses texts and amounts that cannot be stored, on a draft as well.
pub(crate) fn check_shape(
    label: &str,
    piece: Option<&(String, NaiveDate)>,
    lines: &[NewLine],
) -> Result<(), Error> {
    check_text("label", label, 300)?;
    if let Some((reference, _)) = piece {
        check_text("pieceRef", reference, 100)?;
    }
    if lines.len() > MOST_LINES {
        return Err(Error::invalid("lines", format!("an entry has at most {MOST_LINES} lines")));
    }
    for (at, line) in lines.iter().enumerate() {
        let wrong =
            |field: &str, message: &'static str| Error::invalid(format!("lines.{at}.{field}"), message);
        let bounded = |text: &str, most: usize| (1..=most).contains(&text.chars().count());
        if line.amount_minor == 0 || line.amount_minor == i64::MIN {
            return Err(wrong(
                "amount",
                "a line has an amount other than zero: positive is debit, negative credit",
            ));
        }
        if line.label.as_ref().is_some_and(|label| !bounded(label, 300)) {
            return Err(wrong("label", "a label has 1 to 300 characters"));
        }
        if line.tax.as_ref().is_some_and(|(code, _)| !bounded(code, 40)) {
            return Err(wrong("taxCode", "a tax code has 1 to 40 characters"));
        }
        if let Some(foreign) = line.foreign {
            if foreign.rate <= Decimal::ZERO {
                return Err(wrong("foreign.rate", "a rate is above zero"));
            }
            if foreign.minor != 0 && (foreign.minor > 0) != (line.amount_minor > 0) {
                return Err(wrong(
                    "foreign.amount",
                    "the foreign amount is on the side of the line: debit or credit",
                ));
            }
        }
        let dimensions = line.analytic.iter();
        if line.analytic.len() > 10
            || dimensions.into_iter().any(|(k, v)| !bounded(k, 60) || !bounded(v, 200))
        {
            return Err(wrong(
                "analytic",
                "at most 10 dimensions, names of 1 to 60 and values of 1 to 200 characters",
            ));
        }
    }
    Ok(())
}

/// Refuses what must not be posted: the same rule as the trigger `posting_rule`, in the user's words.
pub(crate) fn check_postable(
    kind: EntryKind,
    lines: &[(Line, Known)],
    currency: Currency,
) -> Result<(), Error> {
    if lines.len() < 2 {
        return Err(Error::TooFewLines);
    }
    let side = |debit: bool| -> i128 {
        let amounts = lines.iter().map(|(line, _)| i128::from(line.new.amount_minor));
        amounts.filter(|amount| (*amount > 0) == debit).sum()
    };
    let (debit, credit) = (side(true), -side(false));
    if debit != credit {
        let shown =
            |minor: i128| i64::try_from(minor).map_or(Decimal::MAX, |minor| currency.from_minor(minor));
        return Err(Error::Unbalanced(
            format!(
                "debits of {} and credits of {} {currency} differ: an entry balances",
                shown(debit),
                shown(credit)
            )
            .into(),
        ));
    }
    for (line, account) in lines {
        if account.closed && kind == EntryKind::Normal {
            let message = format!("account {} is closed: reopen it or use another", account.number);
            return Err(Error::AccountClosed(message.into()));
        }
        if account.party_required && line.new.party.is_none() {
            let message = format!("lines on account {} must name a customer or supplier", account.number);
            return Err(Error::PartyRequired(message.into()));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn account(role: Role, party_required: bool) -> Known {
        Known {
            id: kernel::id::new(),
            number: "411".to_owned(),
            role: Some(role.as_str().to_owned()),
            closed: false,
            party_required,
            reconcilable: party_required,
        }
    }

    fn verdict(amounts: &[i64]) -> Result<(), Error> {
        let known = [account(Role::Bank, false)];
        let lines: Vec<_> = amounts.iter().map(|a| NewLine::new(AccountRef::Role(Role::Bank), *a)).collect();
        check_shape("label", None, &lines)?;
        check_postable(EntryKind::Normal, &resolve(lines, &known, Mode::Live)?, Currency::EUR)
    }

    #[test]
    fn only_what_balances_over_two_lines_is_postable() {
        assert!(verdict(&[100, -60, -40]).is_ok());
        assert!(matches!(verdict(&[100]), Err(Error::TooFewLines)));
        assert!(matches!(verdict(&[]), Err(Error::TooFewLines)));
        assert!(matches!(verdict(&[100, -99]), Err(Error::Unbalanced(_))));
        assert!(matches!(verdict(&[100, -100, 0]), Err(Error::Invalid { .. })));
        // The sums are wider than the amounts: nothing wraps around.
        assert!(matches!(verdict(&[i64::MAX, i64::MAX, -2]), Err(Error::Unbalanced(_))));
    }

    #[test]
    fn accounts_are_found_or_named_as_missing_and_parties_are_asked_for() {
        let known = [account(Role::Receivable, true)];
        let line = NewLine::new(AccountRef::Role(Role::Receivable), 100);
        let missing = NewLine::new(AccountRef::Role(Role::Bank), -100);
        assert!(matches!(resolve(vec![missing], &known, Mode::Live), Err(Error::NoAccountForRole("bank"))));
        let foreign = NewLine::new(AccountRef::Id(kernel::id::new()), -100);
        assert!(matches!(
            resolve(vec![foreign], &known, Mode::Live),
            Err(Error::NotFound(Kind::Account, "lines"))
        ));
        let back = NewLine { amount_minor: -100, ..line.clone() };
        let lines = resolve(vec![line, back], &known, Mode::Live).expect("known");
        let verdict = check_postable(EntryKind::Normal, &lines, Currency::EUR);
        assert!(matches!(verdict, Err(Error::PartyRequired(_))));
    }
}
