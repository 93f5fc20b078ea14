//! What a bill becomes in the ledger. Pure: from its rows, a rate and accounts to the lines of an entry.
//!
//! Of a bill: debits of the expense accounts and of the deductible VAT, credits of the supplier and of what was
//! prepaid; of a credit note the opposite. Reverse charge and intra-community purchases assess themselves: the
//! tax is owed and deducted at once (CGI, art. 283, 2 and 2 bis, 256 bis). Tax that waits for payment waits on
//! its own account. What the supplier rounded, and differences of a few cents, go to small gains and losses;
//! greater ones are refused: then the bill must be corrected or rejected.

use entity::invoicing::{bill, bill_line, bill_tax};
use kernel::{Currency, Money};
use ledger::account::Role;
use ledger::entry::{AccountRef, Foreign, NewLine};
use rust_decimal::Decimal;
use uuid::Uuid;

use super::BillKind;
use crate::error::Error;
use crate::tax::{Waiting, label, share, tax_of};

/// What a plan is made from.
pub(super) struct Books<'a> {
    pub(super) bill: &'a bill::Model,
    pub(super) kind: BillKind,
    pub(super) lines: &'a [bill_line::Model],
    pub(super) taxes: &'a [bill_tax::Model],
    /// The account of each line, in the order of the lines.
    pub(super) accounts: &'a [Uuid],
    /// The account of charges when there is no line.
    pub(super) purchases: Uuid,
    pub(super) currency: Currency,
    /// The currency of the books.
    pub(super) own: Currency,
    /// Company currency for one unit of the bill's.
    pub(super) rate: Decimal,
    /// The company's standard rate of VAT, percent.
    pub(super) standard_rate: Option<Decimal>,
}

/// What is to be posted, and what to remember of it.
#[derive(Debug)]
pub(super) struct Plan {
    pub(super) lines: Vec<NewLine>,
    /// The payable amount in the company's currency; of a credit note positive as well.
    pub(super) payable_base_minor: i64,
    /// What of each tax group waits for payment, in the order of the groups.
    pub(super) waiting: Vec<Waiting>,
}

/// Whether the buyer owes the tax of this category: reverse charge and intra-community acquisitions.
fn assesses_itself(category: &str) -> bool {
    matches!(category, "AE" | "K")
}

/// The lines of the entry. Refuses what does not add up, and what has no amount at all.
pub(super) fn plan(books: &Books<'_>) -> Result<Plan, Error> {
    let small = small_difference(books)?;
    let mut draft = Draft { books, lines: Vec::new() };
    draft.expenses()?;
    let waiting = draft.taxes()?;
    let role = if small * books.kind.sign() > 0 { Role::SmallLoss } else { Role::SmallGain };
    draft.push(AccountRef::Role(role), small, None)?;
    draft.push(AccountRef::Role(Role::SupplierPrepayments), -books.bill.prepaid_minor, None)?;
    draft.push(AccountRef::Role(Role::Payable), -books.bill.payable_minor, None)?;
    let mut lines = draft.converted()?;
    if lines.is_empty() {
        return Err(Error::NothingToPost);
    }
    lines.extend(self_assessed(books)?);
    Ok(Plan { lines, payable_base_minor: books.convert(books.bill.payable_minor)?, waiting })
}

/// What goes to small gains and losses, in the bill's currency, debits of a bill positive: what the supplier
/// rounded, less what lines, taxes and totals differ by.
fn small_difference(books: &Books<'_>) -> Result<i64, Error> {
    let Books { bill, currency, lines, taxes, .. } = books;
    let nets = lines.iter().map(|line| i128::from(line.net_minor));
    let of_groups = taxes.iter().map(|tax| i128::from(tax.tax_minor));
    let totals = [
        -i128::from(bill.allowance_minor),
        i128::from(bill.charge_minor),
        i128::from(bill.rounding_minor),
        -i128::from(bill.prepaid_minor),
        -i128::from(bill.payable_minor),
    ];
    let difference: i128 = nets.chain(of_groups).chain(totals).sum();
    // Five hundredths a line or group is what rounding can explain; and cash is rounded by a few units in some
    // currencies (5 HUF, 100 IDR), which is never much of a bill.
    let parts = Decimal::from(lines.len() + taxes.len());
    let tolerance = currency.to_minor(Decimal::new(5, 2) * parts).unwrap_or(0);
    let unit = currency.to_minor(Decimal::ONE).unwrap_or(1);
    let rounded = bill.rounding_minor.saturating_abs();
    let excess = match difference {
        _ if difference.abs() > i128::from(tolerance) => difference,
        _ if rounded > unit.max(bill.total_minor.saturating_abs() / 100) => bill.rounding_minor.into(),
        _ => 0,
    };
    if excess != 0 {
        let minor = i64::try_from(excess).map_err(|_| Error::too_large("totals"))?;
        return Err(Error::DoesNotAddUp { difference: Money::new(minor, *currency) });
    }
    let difference = i64::try_from(difference).map_err(|_| Error::too_large("totals"))?;
    Ok(bill.rounding_minor - difference)
}

/// The two lines of each group whose tax the company owes itself; in its own currency, at its standard rate.
fn self_assessed(books: &Books<'_>) -> Result<Vec<NewLine>, Error> {
    let mut lines = Vec::new();
    for group in books.taxes.iter().filter(|group| assesses_itself(&group.category)) {
        if group.tax_minor != 0 {
            return Err(Error::TaxOnReverseCharge);
        }
        let rate = books.standard_rate.ok_or(Error::NoStandardRate)?;
        let base = books.convert(group.base_minor)? * books.kind.sign();
        let tax = tax_of(base, rate, books.own).ok_or_else(|| Error::too_large("taxes"))?;
        let code = Some((label(&group.category, rate), base));
        for (role, amount) in [(Role::VatDeductible, tax), (Role::VatSelfAssessed, -tax)] {
            lines.push(NewLine { tax: code.clone(), ..NewLine::new(AccountRef::Role(role), amount) });
        }
    }
    Ok(lines)
}

impl Books<'_> {
    /// An amount of the bill in the company's currency, rounded half up.
    fn convert(&self, minor: i64) -> Result<i64, Error> {
        if self.currency == self.own {
            return Ok(minor);
        }
        let converted = self.currency.from_minor(minor).checked_mul(self.rate);
        converted.and_then(|amount| self.own.to_minor(amount)).ok_or_else(|| Error::too_large("totals"))
    }

    /// What of a group's tax waits for payment, in the bill's currency. What was prepaid no longer waits, and
    /// what is given back within a bill does not wait either.
    fn waiting_of(&self, group: &bill_tax::Model) -> i64 {
        let bill = self.bill;
        if !bill.vat_on_payment || group.tax_minor <= 0 || bill.payable_minor <= 0 {
            return 0;
        }
        let unpaid = bill.total_minor.saturating_sub(bill.prepaid_minor).clamp(0, bill.total_minor.max(0));
        share(group.tax_minor, unpaid, bill.total_minor)
    }
}

/// The entry while it is written: amounts in the bill's currency, the debits of a bill positive.
struct Draft<'a> {
    books: &'a Books<'a>,
    lines: Vec<DraftLine>,
}

struct DraftLine {
    account: AccountRef,
    minor: i64,
    /// The code of its tax, and its base in the company's currency.
    tax: Option<(String, i64)>,
}

impl Draft<'_> {
    /// Adds an amount to the line of its account; a tax has a line of its own.
    fn push(&mut self, account: AccountRef, minor: i64, tax: Option<(String, i64)>) -> Result<(), Error> {
        if minor == 0 {
            return Ok(());
        }
        let known = self.lines.iter_mut().find(|line| line.account == account && line.tax.is_none());
        match known.filter(|_| tax.is_none()) {
            Some(line) => {
                line.minor = line.minor.checked_add(minor).ok_or_else(|| Error::too_large("lines"))?;
            }
            None => self.lines.push(DraftLine { account, minor, tax }),
        }
        Ok(())
    }

    /// Lines by account, charges with the largest of them, allowances apart.
    fn expenses(&mut self) -> Result<(), Error> {
        let books = self.books;
        for (line, account) in books.lines.iter().zip(books.accounts) {
            self.push(AccountRef::Id(*account), line.net_minor, None)?;
        }
        let largest = self.lines.iter().max_by_key(|line| line.minor.unsigned_abs());
        let main = largest.map_or(AccountRef::Id(books.purchases), |line| line.account);
        self.push(main, books.bill.charge_minor, None)?;
        self.push(AccountRef::Role(Role::PurchaseAllowances), -books.bill.allowance_minor, None)
    }

    /// The stated tax of each group: deductible now, or waiting for payment; what waits of each.
    fn taxes(&mut self) -> Result<Vec<Waiting>, Error> {
        let books = self.books;
        let mut waiting = Vec::with_capacity(books.taxes.len());
        for group in books.taxes {
            let waits = books.waiting_of(group);
            let base = books.convert(group.base_minor)? * books.kind.sign();
            let waiting_base = share(base, waits, group.tax_minor);
            let code = label(&group.category, group.rate);
            let now = Some((code.clone(), base - waiting_base));
            self.push(AccountRef::Role(Role::VatDeductible), group.tax_minor - waits, now)?;
            self.push(AccountRef::Role(Role::VatDeductibleWaiting), waits, Some((code, waiting_base)))?;
            let base_minor = waiting_base * books.kind.sign();
            waiting.push(Waiting { tax_minor: books.convert(waits)?, base_minor });
        }
        Ok(waiting)
    }

    /// The lines in the company's currency. Converted one by one they may miss each other by a few minor units:
    /// the largest expense takes those, so that the entry balances and the supplier's line is the payable amount
    /// to the cent.
    fn converted(self) -> Result<Vec<NewLine>, Error> {
        let mut lines = Vec::with_capacity(self.lines.len() + 1);
        for line in self.lines {
            lines.push(line.converted(self.books)?);
        }
        let mut amounts = lines.iter().map(|line| line.amount_minor);
        let residue = amounts.try_fold(0, i64::checked_add).ok_or_else(|| Error::too_large("lines"))?;
        let expenses = lines.iter_mut().filter(|line| matches!(line.account, AccountRef::Id(_)));
        let largest = expenses.max_by_key(|line| line.amount_minor.unsigned_abs());
        match largest.filter(|line| line.amount_minor.unsigned_abs() > residue.unsigned_abs()) {
            _ if residue == 0 => {}
            Some(line) => line.amount_minor -= residue,
            None => {
                let role = if residue < 0 { Role::SmallLoss } else { Role::SmallGain };
                lines.push(NewLine::new(AccountRef::Role(role), -residue));
            }
        }
        Ok(lines)
    }
}

impl DraftLine {
    fn converted(self, books: &Books<'_>) -> Result<NewLine, Error> {
        let sign = books.kind.sign();
        let mut line = NewLine {
            tax: self.tax,
            foreign: (books.currency != books.own).then_some(Foreign {
                currency: books.currency,
                minor: self.minor * sign,
                rate: books.rate,
            }),
            ..NewLine::new(self.account, books.convert(self.minor)? * sign)
        };
        if let AccountRef::Role(role @ (Role::Payable | Role::SupplierPrepayments)) = self.account {
            line.party = Some(books.bill.supplier_id);
            line.due_on = (role == Role::Payable).then_some(books.bill.due_date);
        }
        Ok(line)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn minor_units(seed: &mut u64, most: u64) -> i64 {
        // A small linear congruential generator (Knuth's MMIX): the same bills in every run.
        *seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        i64::try_from((*seed >> 33) % most).unwrap_or(0)
    }

    fn line_of(net_minor: i64) -> bill_line::Model {
        bill_line::Model {
            tenant_id: Uuid::nil(),
            id: Uuid::nil(),
            bill_id: Uuid::nil(),
            line_no: 1,
            description: String::new(),
            quantity: None,
            unit: None,
            unit_price: None,
            net_minor,
            category: "S".to_owned(),
            rate: Decimal::from(20),
            account_id: None,
        }
    }

    fn group_of(category: &str, rate: i64, base_minor: i64) -> bill_tax::Model {
        let rate = Decimal::from(rate);
        bill_tax::Model {
            tenant_id: Uuid::nil(),
            bill_id: Uuid::nil(),
            category: category.to_owned(),
            rate,
            reason: None,
            base_minor,
            tax_minor: tax_of(base_minor, rate, Currency::EUR).expect("a tax"),
            waiting_minor: 0,
            waiting_base_minor: 0,
            transferred_minor: 0,
        }
    }

    /// A bill that adds up, whatever the seed.
    fn bill_of(seed: &mut u64, lines: &[bill_line::Model], taxes: &[bill_tax::Model]) -> bill::Model {
        let net: i64 = lines.iter().map(|line| line.net_minor).sum();
        let tax: i64 = taxes.iter().map(|tax| tax.tax_minor).sum();
        let (allowance, charge) = (minor_units(seed, 50), minor_units(seed, 50));
        let total = net - allowance + charge + tax;
        let (prepaid, rounding) = (minor_units(seed, 300), minor_units(seed, 3) - 1);
        bill::Model {
            supplier_id: Uuid::max(),
            allowance_minor: allowance,
            charge_minor: charge,
            net_minor: net - allowance + charge,
            tax_minor: tax,
            total_minor: total,
            prepaid_minor: prepaid,
            rounding_minor: rounding,
            payable_minor: total - prepaid + rounding,
            vat_on_payment: minor_units(seed, 2) == 1,
            ..super::super::service::tests::blank()
        }
    }

    #[test]
    fn every_entry_balances_and_owes_the_payable_amount() {
        let own = Currency::EUR;
        let mut seed = 7;
        for round in 0..2_000 {
            let count = 1 + minor_units(&mut seed, 12);
            let lines: Vec<_> = (0..count).map(|_| line_of(minor_units(&mut seed, 30_000))).collect();
            let accounts: Vec<_> = (0..count)
                .map(|_| Uuid::from_u128(minor_units(&mut seed, 4).unsigned_abs().into()))
                .collect();
            let taxes = [("S", 20), ("S", 10), ("AE", 0), ("K", 0), ("E", 0)]
                .map(|(category, rate)| group_of(category, rate, minor_units(&mut seed, 20_000)));
            let bill = bill_of(&mut seed, &lines, &taxes);
            let foreign = ["USD", "TND", "JPY", "EUR"][round % 4];
            let currency = Currency::parse(foreign).expect("a currency");
            let rate = if currency == own {
                Decimal::ONE
            } else {
                Decimal::new(minor_units(&mut seed, 30_000) + 1, 4)
            };
            for kind in [BillKind::Bill, BillKind::CreditNote] {
                let books = Books {
                    bill: &bill,
                    kind,
                    lines: &lines,
                    taxes: &taxes,
                    accounts: &accounts,
                    purchases: Uuid::nil(),
                    currency,
                    own,
                    rate,
                    standard_rate: Some(Decimal::from(20)),
                };
                let plan = plan(&books).expect("it adds up");
                let amounts = plan.lines.iter().map(|line| line.amount_minor);
                assert_eq!(amounts.sum::<i64>(), 0, "round {round}");
                let in_foreign =
                    plan.lines.iter().filter_map(|line| line.foreign).map(|foreign| foreign.minor);
                assert_eq!(in_foreign.sum::<i64>(), 0, "round {round}");
                let on = |role: Role| -> i64 {
                    let of_role = plan.lines.iter().filter(|line| line.account == AccountRef::Role(role));
                    of_role.map(|line| line.amount_minor).sum()
                };
                assert_eq!(on(Role::Payable), -plan.payable_base_minor * kind.sign());
                let waits: i64 = plan.waiting.iter().map(|waiting| waiting.tax_minor).sum();
                assert_eq!(on(Role::VatDeductibleWaiting), waits * kind.sign());
                for line in &plan.lines {
                    let against =
                        line.foreign.map_or(0, |foreign| foreign.minor.signum()) * line.amount_minor.signum();
                    assert!(against >= 0, "a line and its foreign amount are on one side");
                }
            }
        }
    }

    #[test]
    fn the_waiting_share_leaves_out_what_was_prepaid() {
        let taxes = [group_of("S", 20, 10_000)];
        let lines = [line_of(10_000)];
        let of = |prepaid: i64| {
            let bill = bill::Model {
                total_minor: 12_000,
                prepaid_minor: prepaid,
                payable_minor: 12_000 - prepaid,
                vat_on_payment: true,
                ..super::super::service::tests::blank()
            };
            let books = Books {
                bill: &bill,
                kind: BillKind::Bill,
                lines: &lines,
                taxes: &taxes,
                accounts: &[Uuid::nil()],
                purchases: Uuid::nil(),
                currency: Currency::EUR,
                own: Currency::EUR,
                rate: Decimal::ONE,
                standard_rate: None,
            };
            let waiting = plan(&books).expect("a plan").waiting[0];
            (waiting.tax_minor, waiting.base_minor)
        };
        assert_eq!(
            [of(0), of(3_000), of(11_999), of(12_000)],
            [(2_000, 10_000), (1_500, 7_500), (0, 0), (0, 0)]
        );
    }
}
