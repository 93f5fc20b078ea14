//! The entry of an issued document. Pure: it says what to post and does not post.
//!
//! An invoice debits the customer (411) with the total, and credits the income accounts (70x) and the tax:
//! 44571 what is chargeable at once, 44574 what waits for payment. A credit note does the opposite. Amounts in a
//! foreign currency are converted one by one; what rounding leaves goes to the largest income line, so that the
//! entry balances.

use chrono::NaiveDate;
use kernel::{Currency, Kind};
use ledger::account::Role;
use ledger::entry::{AccountRef, Foreign, JournalKind, NewEntry, NewLine};
use rust_decimal::Decimal;
use uuid::Uuid;

use crate::error::Error;
use crate::tax::{self, TaxGroup, Waiting, share};

use super::DocumentKind;

/// A document to post.
#[derive(Clone, Debug)]
pub struct Document<'a> {
    /// The document.
    pub id: Uuid,
    /// Invoice or credit note.
    pub kind: DocumentKind,
    /// Its number.
    pub number: &'a str,
    /// Its issue date, which is the entry's.
    pub issue_date: NaiveDate,
    /// When it is due.
    pub due_date: NaiveDate,
    /// Whose account is debited.
    pub customer_id: Uuid,
    /// Its currency.
    pub currency: Currency,
    /// The company's currency.
    pub own: Currency,
    /// Company currency for one unit of its own.
    pub rate: Decimal,
    /// Its lines.
    pub lines: &'a [IncomeLine],
    /// Its tax.
    pub groups: &'a [TaxGroup],
    /// Whether labels are in French.
    pub french: bool,
}

/// What of a line matters to its posting.
#[derive(Clone, Debug)]
pub struct IncomeLine {
    /// The income account.
    pub account_id: Uuid,
    /// The category of its tax.
    pub category: String,
    /// The rate of its tax.
    pub rate: Decimal,
    /// Its net, minor units of the document's currency.
    pub net_minor: i64,
}

/// What is posted, and what the document keeps of it; company currency, minor units.
#[derive(Clone, Debug)]
pub struct Plan {
    /// The entry.
    pub entry: NewEntry,
    /// What went to income.
    pub net_base_minor: i64,
    /// What the customer owes.
    pub total_base_minor: i64,
    /// Per tax group, in their order: what waits for payment.
    pub waiting: Vec<Waiting>,
}

struct Builder<'a> {
    document: &'a Document<'a>,
    lines: Vec<NewLine>,
}

impl Builder<'_> {
    /// Debit of an invoice, credit of a credit note.
    fn sign(&self) -> i64 {
        match self.document.kind {
            DocumentKind::Invoice => 1,
            DocumentKind::CreditNote => -1,
        }
    }

    fn converted(&self, minor: i64) -> Result<i64, Error> {
        let Document { currency, own, rate, .. } = self.document;
        if currency == own {
            return Ok(minor);
        }
        let amount = currency.from_minor(minor).checked_mul(*rate);
        amount.and_then(|amount| own.to_minor(amount)).ok_or_else(|| Error::too_large("lines"))
    }

    /// A line on the income side; amounts as of an invoice, above zero.
    fn credit(&mut self, account: AccountRef, base_minor: i64, minor: i64, tax: Option<(String, i64)>) {
        let sign = self.sign();
        self.lines.push(NewLine {
            foreign: self.foreign(-sign * minor),
            tax: tax.map(|(code, base_minor)| (code, sign * base_minor)),
            ..NewLine::new(account, -sign * base_minor)
        });
    }

    fn foreign(&self, minor: i64) -> Option<Foreign> {
        let Document { currency, own, rate, .. } = self.document;
        (currency != own).then_some(Foreign { currency: *currency, minor, rate: *rate })
    }

    /// The lines of a group's tax: what is chargeable at once, and what waits. The tax in the company's currency,
    /// and what waits of it.
    fn tax(&mut self, group: &TaxGroup) -> Result<(i64, Waiting), Error> {
        let code = tax::label(&group.category, group.rate);
        let tax_base_minor = self.converted(group.tax_minor)?;
        let base_minor = self.converted(group.base_minor)?;
        let waiting_base_minor = share(base_minor, group.waiting_base_minor, group.base_minor);
        let (waits_base, waits) = (group.waiting_of(tax_base_minor), group.waiting_of(group.tax_minor));
        self.credit(
            AccountRef::Role(Role::VatCollected),
            tax_base_minor - waits_base,
            group.tax_minor - waits,
            Some((code.clone(), base_minor - waiting_base_minor)),
        );
        self.credit(
            AccountRef::Role(Role::VatCollectedWaiting),
            waits_base,
            waits,
            Some((code, waiting_base_minor)),
        );
        Ok((tax_base_minor, Waiting { tax_minor: waits_base, base_minor: waiting_base_minor }))
    }

    /// The lines of income, one for each account, category and rate. Where no tax line tells the base of a
    /// category, the income line does.
    fn income(&mut self) -> Result<i64, Error> {
        let document = self.document;
        let mut sums: Vec<(&IncomeLine, i64)> = Vec::new();
        for line in document.lines {
            let same = |known: &IncomeLine| {
                (known.account_id, &known.category, known.rate)
                    == (line.account_id, &line.category, line.rate)
            };
            match sums.iter_mut().find(|(known, _)| same(known)) {
                Some((_, sum)) => *sum += line.net_minor,
                None => sums.push((line, line.net_minor)),
            }
        }
        let mut total_minor = 0;
        for (line, minor) in sums {
            let base_minor = self.converted(minor)?;
            let taxed = document
                .groups
                .iter()
                .any(|group| group.is(&line.category, line.rate) && group.tax_minor != 0);
            let tax = (!taxed).then(|| (tax::label(&line.category, line.rate), base_minor));
            self.credit(AccountRef::Id(line.account_id), base_minor, minor, tax);
            total_minor += base_minor;
        }
        Ok(total_minor)
    }
}

/// What to post for a document.
pub fn plan(document: &Document<'_>) -> Result<Plan, Error> {
    let mut builder = Builder { document, lines: Vec::new() };
    let sign = builder.sign();
    let total_minor: i64 = document.groups.iter().map(|group| group.base_minor + group.tax_minor).sum();
    let total_base_minor = builder.converted(total_minor)?;
    builder.lines.push(NewLine {
        foreign: builder.foreign(sign * total_minor),
        party: Some(document.customer_id),
        due_on: Some(document.due_date),
        ..NewLine::new(AccountRef::Role(Role::Receivable), sign * total_base_minor)
    });
    let incomes = builder.lines.len();
    let income_base_minor = builder.income()?;
    let taxes = builder.lines.len();
    let mut tax_base_minor = 0;
    let mut waiting = Vec::with_capacity(document.groups.len());
    for group in document.groups {
        let (tax, waits) = builder.tax(group)?;
        tax_base_minor += tax;
        waiting.push(waits);
    }
    let difference = total_base_minor - tax_base_minor - income_base_minor;
    let largest = builder.lines[incomes..taxes].iter_mut().max_by_key(|line| line.amount_minor.abs());
    if let Some(largest) = largest {
        largest.amount_minor -= sign * difference;
    }
    let name = match (document.kind, document.french) {
        (DocumentKind::Invoice, true) => "Facture",
        (DocumentKind::Invoice, false) => "Invoice",
        (DocumentKind::CreditNote, true) => "Avoir",
        (DocumentKind::CreditNote, false) => "Credit note",
    };
    Ok(Plan {
        entry: NewEntry {
            journal: JournalKind::Sales,
            date: document.issue_date,
            label: format!("{name} {}", document.number),
            piece: Some((document.number.to_owned(), document.issue_date)),
            source: Some((Kind::Invoice, document.id)),
            lines: builder.lines,
        },
        net_base_minor: income_base_minor + difference,
        total_base_minor,
        waiting,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tax::{TaxLine, groups};

    fn plan_of(kind: DocumentKind, currency: &str, rate: &str, lines: &[(&str, i64, bool, u128)]) -> Plan {
        let currency = Currency::parse(currency).expect("currency");
        let taxed: Vec<_> = lines
            .iter()
            .map(|(rate, net_minor, waits, _)| TaxLine {
                category: if *rate == "0" { "E" } else { "S" }.to_owned(),
                rate: rate.parse().expect("rate"),
                waits: *waits,
                net_minor: *net_minor,
                reason: None,
            })
            .collect();
        let incomes: Vec<_> = taxed
            .iter()
            .zip(lines)
            .map(|(line, (.., account))| IncomeLine {
                account_id: Uuid::from_u128(*account),
                category: line.category.clone(),
                rate: line.rate,
                net_minor: line.net_minor,
            })
            .collect();
        plan(&Document {
            id: Uuid::nil(),
            kind,
            number: "F2026-000001",
            issue_date: NaiveDate::MIN,
            due_date: NaiveDate::MAX,
            customer_id: Uuid::max(),
            currency,
            own: Currency::EUR,
            rate: rate.parse().expect("rate"),
            lines: &incomes,
            groups: &groups(&taxed, currency).expect("groups"),
            french: true,
        })
        .expect("plan")
    }

    fn amounts(plan: &Plan) -> Vec<i64> {
        plan.entry.lines.iter().map(|line| line.amount_minor).collect()
    }

    #[test]
    fn an_invoice_debits_the_customer_and_a_credit_note_the_opposite() {
        let lines = [("20", 10_000, false, 1), ("20", 5_000, true, 2), ("0", 700, false, 1)];
        let invoice = plan_of(DocumentKind::Invoice, "EUR", "1", &lines);
        assert_eq!(amounts(&invoice), [18_700, -10_000, -5_000, -700, -2_000, -1_000, 0, 0]);
        let waits = Waiting { tax_minor: 1_000, base_minor: 5_000 };
        assert_eq!(invoice.waiting, [waits, Waiting::default()]);
        assert_eq!((invoice.net_base_minor, invoice.total_base_minor), (15_700, 18_700));
        assert_eq!(invoice.entry.lines[4].tax, Some(("S 20".to_owned(), 10_000)));
        assert_eq!(invoice.entry.lines[3].tax, Some(("E 0".to_owned(), 700)), "no tax line tells this base");
        assert!(
            invoice.entry.lines[1].tax.is_none() && invoice.entry.lines.iter().all(|l| l.foreign.is_none())
        );
        let credit = plan_of(DocumentKind::CreditNote, "EUR", "1", &lines);
        assert_eq!(amounts(&credit), amounts(&invoice).iter().map(|a| -a).collect::<Vec<_>>());
        assert_eq!(credit.entry.lines[4].tax, Some(("S 20".to_owned(), -10_000)));
    }

    #[test]
    fn a_foreign_document_balances_in_the_companys_currency() {
        for seed in 1..200_i64 {
            let lines = [
                ("20", seed * 37 % 991 + 1, seed % 2 == 0, 1),
                ("5.5", seed * 61 % 877 + 1, false, 2),
                ("0", seed * 7 % 13, false, 3),
                ("20", seed * 17 % 557, seed % 3 == 0, 3),
            ];
            for (currency, rate) in [("USD", "0.917431"), ("JPY", "0.0061"), ("TND", "0.29587")] {
                let plan = plan_of(DocumentKind::Invoice, currency, rate, &lines);
                assert_eq!(amounts(&plan).iter().sum::<i64>(), 0, "{lines:?} in {currency}");
                let foreign = |line: &NewLine| line.foreign.map_or(0, |foreign| foreign.minor);
                assert_eq!(plan.entry.lines.iter().map(foreign).sum::<i64>(), 0, "{lines:?} in {currency}");
            }
        }
    }
}
