//! What is written of supplier bills. Amounts are in the bill's currency, with at most its digits.

use async_graphql::{Error, ID, InputObject};
use invoicing::bill::{Correction, LineCorrection, NewBill, NewLine, NewTax, Totals};
use kernel::Kind;
use rust_decimal::Decimal;

use super::bill_enums::BillKind;
use crate::graphql::date::Date;
use crate::graphql::ids::{parse, parse_all, parse_optional};

/// A line of a bill to enter.
#[derive(InputObject)]
pub(crate) struct BillLineInput {
    /// What was bought, 1 to 1000 characters.
    description: String,
    /// How much of it.
    quantity: Option<Decimal>,
    /// The unit, UN/ECE Recommendation 20; `C62` (piece) when left out.
    unit: Option<String>,
    /// The price of one unit without VAT, in any number of digits.
    unit_price: Option<Decimal>,
    /// The net amount without VAT; quantity by unit price, rounded half up, when left out.
    net: Option<Decimal>,
    /// The VAT category of EN 16931: `S`, `Z`, `E`, `AE`, `K`, `G` or `O`.
    category: String,
    /// The VAT rate, percent.
    rate: Decimal,
    /// The expense account; the supplier's last one, else the chart's for purchases, when left out.
    account_id: Option<ID>,
}

/// The tax of one category and rate, as the supplier states it.
#[derive(InputObject)]
pub(crate) struct BillTaxInput {
    /// The VAT category of EN 16931.
    category: String,
    /// The VAT rate, percent.
    rate: Decimal,
    /// What is taxed.
    base: Decimal,
    /// The tax.
    tax: Decimal,
    /// Why there is none.
    reason: Option<String>,
}

/// Totals as the supplier states them. When entering, what is left out is computed; when correcting, it stays.
#[derive(Default, InputObject)]
pub(crate) struct BillTotalsInput {
    /// Allowances on the whole document (EN 16931, BT-107).
    allowances: Option<Decimal>,
    /// Charges on the whole document (BT-108).
    charges: Option<Decimal>,
    /// The total without VAT (BT-109): lines − allowances + charges.
    net: Option<Decimal>,
    /// The VAT (BT-110).
    tax: Option<Decimal>,
    /// The total with VAT (BT-112).
    total: Option<Decimal>,
    /// What has been paid already (BT-113).
    prepaid: Option<Decimal>,
    /// What rounds the payable amount (BT-114); more than a unit of the currency and a percent of the total is
    /// not posted.
    rounding: Option<Decimal>,
    /// What is to be paid (BT-115): total − prepaid + rounding.
    payable: Option<Decimal>,
}

/// A bill or credit note to enter by hand.
#[derive(InputObject)]
pub(crate) struct EnterBillInput {
    /// Bill or credit note.
    kind: BillKind,
    /// From whom.
    supplier_id: ID,
    /// The supplier's number, 1 to 100 characters.
    number: String,
    /// The supplier's date.
    issue_date: Date,
    /// When it is due; by the supplier's terms when left out.
    due_date: Option<Date>,
    /// Its currency, ISO 4217; the supplier's when left out.
    currency: Option<String>,
    /// The bill that a credit note corrects.
    corrects_id: Option<ID>,
    /// Whether its VAT is deductible when paid; as the supplier's row says when left out.
    vat_on_payment: Option<bool>,
    /// Its lines, 1 to 1000.
    lines: Vec<BillLineInput>,
    /// Its tax groups as stated; computed from the lines when left out, unless the totals have allowances or
    /// charges.
    taxes: Option<Vec<BillTaxInput>>,
    /// Its totals as stated.
    #[graphql(default)]
    totals: BillTotalsInput,
    /// The uploaded file it is typed from.
    file_id: Option<ID>,
    /// Your own id of it, unique in the company.
    external_ref: Option<String>,
}

/// What is corrected of a line; what is left out stays.
#[derive(InputObject)]
pub(crate) struct BillLineCorrectionInput {
    /// Which line.
    line_id: ID,
    /// What was bought.
    description: Option<String>,
    /// The net amount without VAT.
    net: Option<Decimal>,
    /// The VAT category of EN 16931.
    category: Option<String>,
    /// The VAT rate, percent.
    rate: Option<Decimal>,
    /// The expense account.
    account_id: Option<ID>,
}

/// What is corrected of a received bill; what is left out stays. Lines, taxes and totals are corrected each on
/// their own: correcting a line does not change the totals.
#[derive(InputObject)]
pub(crate) struct CorrectBillInput {
    /// The bill.
    pub bill_id: ID,
    /// The version that was read; another one is a conflict.
    pub expected_version: i32,
    /// When it is due.
    due_date: Option<Date>,
    /// Whether its VAT is deductible when paid.
    vat_on_payment: Option<bool>,
    /// Lines to correct.
    #[graphql(default)]
    lines: Vec<BillLineCorrectionInput>,
    /// Lines to add.
    #[graphql(default)]
    added: Vec<BillLineInput>,
    /// Lines to remove, by id.
    #[graphql(default)]
    removed: Vec<ID>,
    /// All its tax groups, when they change.
    taxes: Option<Vec<BillTaxInput>>,
    /// The totals that change.
    #[graphql(default)]
    totals: BillTotalsInput,
}

impl BillLineInput {
    fn read(self, at: &str) -> Result<NewLine, Error> {
        Ok(NewLine {
            account_id: parse_optional(Kind::Account, &format!("{at}.accountId"), self.account_id.as_ref())?,
            description: self.description,
            quantity: self.quantity,
            unit: self.unit,
            unit_price: self.unit_price,
            net: self.net,
            category: self.category,
            rate: self.rate,
        })
    }

    fn read_all(lines: Vec<Self>, at: &str) -> Result<Vec<NewLine>, Error> {
        lines.into_iter().enumerate().map(|(index, line)| line.read(&format!("{at}.{index}"))).collect()
    }
}

impl From<BillTaxInput> for NewTax {
    fn from(tax: BillTaxInput) -> Self {
        Self { category: tax.category, rate: tax.rate, base: tax.base, tax: tax.tax, reason: tax.reason }
    }
}

impl From<BillTotalsInput> for Totals {
    fn from(totals: BillTotalsInput) -> Self {
        Self {
            allowances: totals.allowances,
            charges: totals.charges,
            net: totals.net,
            tax: totals.tax,
            total: totals.total,
            prepaid: totals.prepaid,
            rounding: totals.rounding,
            payable: totals.payable,
        }
    }
}

fn taxes(taxes: Option<Vec<BillTaxInput>>) -> Option<Vec<NewTax>> {
    taxes.map(|taxes| taxes.into_iter().map(NewTax::from).collect())
}

impl EnterBillInput {
    /// The bill to enter.
    pub(super) fn read(self) -> Result<NewBill, Error> {
        Ok(NewBill {
            kind: self.kind.into(),
            supplier_id: parse(Kind::Party, "supplierId", &self.supplier_id)?,
            number: self.number,
            issue_date: self.issue_date.0,
            due_date: self.due_date.map(Into::into),
            currency: self.currency,
            corrects_id: parse_optional(Kind::Bill, "correctsId", self.corrects_id.as_ref())?,
            vat_on_payment: self.vat_on_payment,
            lines: BillLineInput::read_all(self.lines, "lines")?,
            taxes: taxes(self.taxes),
            totals: self.totals.into(),
            file_id: parse_optional(Kind::File, "fileId", self.file_id.as_ref())?,
            external_ref: self.external_ref,
        })
    }
}

impl CorrectBillInput {
    /// The correction.
    pub(super) fn read(self) -> Result<Correction, Error> {
        let corrected = self.lines.into_iter().enumerate().map(|(index, line)| {
            let at = |name: &str| format!("lines.{index}.{name}");
            Ok(LineCorrection {
                id: parse(Kind::BillLine, &at("lineId"), &line.line_id)?,
                account_id: parse_optional(Kind::Account, &at("accountId"), line.account_id.as_ref())?,
                description: line.description,
                net: line.net,
                category: line.category,
                rate: line.rate,
            })
        });
        Ok(Correction {
            due_date: self.due_date.map(Into::into),
            vat_on_payment: self.vat_on_payment,
            lines: corrected.collect::<Result<_, Error>>()?,
            added: BillLineInput::read_all(self.added, "added")?,
            removed: parse_all(Kind::BillLine, "removed", &self.removed)?,
            taxes: taxes(self.taxes),
            totals: self.totals.into(),
        })
    }
}
