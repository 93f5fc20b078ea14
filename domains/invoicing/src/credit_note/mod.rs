//! Credit notes (avoirs): what is taken back of an issued invoice, line by line. Pure.
//!
//! A credit note lives as an invoice does; this module says what its lines are and what is left to credit. The
//! credit notes of an invoice never take back more than it has, of no line and of no tax group, whatever was
//! paid: what exceeds the open amount stays on account, to be refunded.

pub mod service;
mod store;

use std::collections::HashMap;

use kernel::{Currency, Kind, Mode, Money};
use rust_decimal::Decimal;
use uuid::Uuid;

use crate::catalog::item::checked_number;
use crate::edit::Edit;
use crate::error::Error;
use crate::invoice::line::{Line, net_minor};
use crate::invoice::store::StoredLine;
use crate::text::optional;

/// A credit note to draft.
#[derive(Clone, Debug)]
pub struct NewCreditNote {
    /// The issued invoice that it corrects.
    pub invoice_id: Uuid,
    /// What is taken back; all that is left when `None`.
    pub lines: Option<Vec<CreditLine>>,
    /// A text for the customer, such as the reason.
    pub note: Option<String>,
    /// The partner system's own id, unique within the company.
    pub external_ref: Option<String>,
}

/// What is taken back of one line of the invoice.
#[derive(Clone, Debug)]
pub struct CreditLine {
    /// The line of the invoice.
    pub line_id: Uuid,
    /// How much of it.
    pub amount: CreditAmount,
    /// What documents show; the invoice's own text when `None`.
    pub description: Option<String>,
}

/// How much of a line is taken back.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum CreditAmount {
    /// So many units, at the line's price and discount.
    Quantity(Decimal),
    /// So much, net of tax, in the invoice's currency.
    Net(Decimal),
    /// All that is left.
    Rest,
}

/// A change of a draft credit note. Lines are replaced as a whole; `To(None)` takes all that is left.
#[derive(Clone, Debug, Default)]
#[expect(missing_docs, reason = "each field is the one of NewCreditNote")]
pub struct CreditNoteEdit {
    pub lines: Edit<Option<Vec<CreditLine>>>,
    pub note: Edit<Option<String>>,
    pub external_ref: Edit<Option<String>>,
}

/// An invoice's lines with what issued credit notes have taken back of each.
pub(crate) struct Credited<'a> {
    pub(crate) lines: &'a [StoredLine],
    pub(crate) taken_minor: &'a HashMap<Uuid, i64>,
    pub(crate) currency: Currency,
    /// Of the company, for the ids of new lines.
    pub(crate) mode: Mode,
}

impl Credited<'_> {
    fn left_minor(&self, line: &StoredLine) -> i64 {
        line.net_minor - self.taken_minor.get(&line.id).copied().unwrap_or_default()
    }

    /// Refuses to take back more of a line than is left. `field` is the path of what asks for it.
    fn require_left(&self, line: &StoredLine, net_minor: i64, field: String) -> Result<(), Error> {
        let left_minor = self.left_minor(line);
        if net_minor <= left_minor {
            return Ok(());
        }
        Err(Error::CreditExceedsInvoice { field: field.into(), left: Money::new(left_minor, self.currency) })
    }

    /// The lines of a credit note that takes back all that is left.
    pub(crate) fn rest(&self) -> Result<Vec<Line>, Error> {
        let left = self.lines.iter().filter(|line| self.left_minor(line) > 0);
        let lines: Vec<Line> = left.map(|line| self.rest_of(line)).collect();
        if lines.is_empty() { Err(Error::NothingLeftToCredit) } else { Ok(lines) }
    }

    /// A line as it was, when nothing of it was taken back; else one piece at what is left of it.
    fn rest_of(&self, line: &StoredLine) -> Line {
        let left_minor = self.left_minor(line);
        if left_minor == line.net_minor {
            return copy(self.mode, line, line.quantity, line.unit_price, line.discount_percent, left_minor);
        }
        copy(self.mode, line, Decimal::ONE, self.currency.from_minor(left_minor), Decimal::ZERO, left_minor)
    }

    /// The lines of a credit note, as they were asked for.
    pub(crate) fn lines(&self, asked: &[CreditLine]) -> Result<Vec<Line>, Error> {
        if asked.is_empty() {
            return Err(Error::NoLines);
        }
        let mut sums: HashMap<Uuid, i64> = HashMap::new();
        let mut lines = Vec::with_capacity(asked.len());
        for (at, asked) in asked.iter().enumerate() {
            let of = self.lines.iter().find(|line| line.id == asked.line_id);
            let of =
                of.ok_or_else(|| Error::NotFoundAt(Kind::InvoiceLine, format!("lines.{at}.lineId").into()))?;
            let mut line = self.line(at, of, asked.amount)?;
            let sum = sums.entry(of.id).or_default();
            *sum = sum.saturating_add(line.net_minor);
            self.require_left(of, *sum, format!("lines.{at}"))?;
            if let Some(text) = optional("description", asked.description.as_deref(), 1000).map_err(|_| {
                Error::invalid(format!("lines.{at}.description"), "at most 1000 characters: shorten it")
            })? {
                line.description = text;
            }
            lines.push(line);
        }
        Ok(lines)
    }

    fn line(&self, at: usize, of: &StoredLine, amount: CreditAmount) -> Result<Line, Error> {
        match amount {
            CreditAmount::Rest if self.left_minor(of) > 0 => Ok(self.rest_of(of)),
            CreditAmount::Rest => Err(Error::CreditExceedsInvoice {
                field: format!("lines.{at}").into(),
                left: Money::new(0, self.currency),
            }),
            CreditAmount::Quantity(quantity) => {
                let field = format!("lines.{at}.quantity");
                let quantity = checked_number(&field, quantity)?;
                if quantity.is_zero() {
                    return Err(Error::invalid(field, "a quantity is above zero: leave the line out"));
                }
                let net_minor = net_minor(quantity, of.unit_price, of.discount_percent, self.currency)
                    .ok_or_else(|| Error::too_large(field))?;
                // The parts of a rounded line may add up to one minor unit more than the line.
                let left_minor = self.left_minor(of);
                let net_minor =
                    if net_minor - left_minor == 1 && left_minor > 0 { left_minor } else { net_minor };
                Ok(copy(self.mode, of, quantity, of.unit_price, of.discount_percent, net_minor))
            }
            CreditAmount::Net(net) => {
                let field = format!("lines.{at}.net");
                let digits = self.currency.digits();
                let net_minor =
                    self.currency.to_minor_exact(net).filter(|minor| *minor > 0).ok_or_else(|| {
                        Error::invalid(
                            field,
                            format!("an amount is above zero and has at most {digits} decimals"),
                        )
                    })?;
                Ok(copy(self.mode, of, Decimal::ONE, net, Decimal::ZERO, net_minor))
            }
        }
    }

    /// Refuses a stored credit note that takes back more of a line than is left by now.
    pub(crate) fn require_all_left(&self, credit: &[StoredLine]) -> Result<(), Error> {
        for line in self.lines {
            let of_line = credit.iter().filter(|credit| credit.corrects_line_id == Some(line.id));
            let sum = of_line.map(|credit| credit.net_minor).fold(0_i64, i64::saturating_add);
            self.require_left(line, sum, "lines".to_owned())?;
        }
        Ok(())
    }
}

fn copy(
    mode: Mode,
    of: &StoredLine,
    quantity: Decimal,
    unit_price: Decimal,
    discount_percent: Decimal,
    net_minor: i64,
) -> Line {
    Line {
        id: mode.new_id(),
        item_id: of.item_id,
        description: of.description.clone(),
        quantity,
        unit: of.unit.clone(),
        unit_price,
        discount_percent,
        net_minor,
        tax_code_id: of.tax_code_id,
        category: of.category.clone(),
        rate: of.rate,
        chargeable: of.chargeable.clone(),
        account_id: of.account_id,
        corrects_line_id: Some(of.id),
        reason: of.reason.clone(),
    }
}
