//! What belongs to a supplier bill: lines, taxes, findings.

use async_graphql::{Context, Enum, Error, ID, Object};
use entity::invoicing::{bill_finding, bill_line, bill_tax};
use kernel::{Kind, Permission};
use rust_decimal::Decimal;

use crate::graphql::guard::Needs;
use crate::graphql::ids::public;
use crate::graphql::ledger::account::Account;
use crate::graphql::money::Money;
use crate::graphql::request::InRequest;

/// A line of a supplier bill.
pub(crate) struct BillLine {
    pub(super) row: bill_line::Model,
    pub(super) currency: String,
}

/// A line of a supplier bill.
#[Object]
impl BillLine {
    /// The public id.
    async fn id(&self) -> ID {
        public(Kind::BillLine, self.row.id)
    }

    /// Its place in the bill, from 1. Gaps tell of removed lines.
    fn number(&self) -> i32 {
        self.row.line_no
    }

    /// What was bought.
    fn description(&self) -> &str {
        &self.row.description
    }

    /// How much of it, in `unit`; null when the supplier does not say.
    fn quantity(&self) -> Option<Decimal> {
        self.row.quantity
    }

    /// The unit, UN/ECE Recommendation 20, e.g. `C62` (piece); null when the supplier does not say.
    fn unit(&self) -> Option<&str> {
        self.row.unit.as_deref()
    }

    /// The price of one unit without VAT, in the bill's currency, in all its digits; null when the supplier does
    /// not say.
    fn unit_price(&self) -> Option<Decimal> {
        self.row.unit_price
    }

    /// The net amount without VAT, after the line's own allowances and charges (EN 16931, BT-131).
    fn net(&self) -> Money {
        Money::new(self.row.net_minor, &self.currency)
    }

    /// The VAT category, a code of EN 16931 such as `S`.
    fn category(&self) -> &str {
        &self.row.category
    }

    /// The VAT rate, percent.
    fn rate(&self) -> Decimal {
        self.row.rate.normalize()
    }

    /// The expense account; null: the one that posting will choose, which is the supplier's last, else the
    /// chart's for purchases.
    #[graphql(guard = "Needs(Permission::LedgerRead)")]
    async fn account(&self, ctx: &Context<'_>) -> Result<Option<Account>, Error> {
        match self.row.account_id {
            Some(id) => Account::load(ctx, id).await,
            None => Ok(None),
        }
    }
}

/// The tax of one category and rate on a supplier bill, as stated (EN 16931, BG-23).
pub(crate) struct BillTax {
    pub(super) row: bill_tax::Model,
    pub(super) currency: String,
}

/// The tax of one category and rate on a supplier bill, as stated (EN 16931, BG-23).
#[Object]
impl BillTax {
    /// The VAT category, a code of EN 16931 such as `S`.
    fn category(&self) -> &str {
        &self.row.category
    }

    /// The VAT rate, percent.
    fn rate(&self) -> Decimal {
        self.row.rate.normalize()
    }

    /// What is taxed.
    fn base(&self) -> Money {
        Money::new(self.row.base_minor, &self.currency)
    }

    /// The tax.
    fn tax(&self) -> Money {
        Money::new(self.row.tax_minor, &self.currency)
    }

    /// Why there is no tax, as the supplier says.
    fn reason(&self) -> Option<&str> {
        self.row.reason.as_deref()
    }

    /// What of the tax becomes deductible with payments only, in the company's currency; zero until it is posted.
    fn waiting(&self, ctx: &Context<'_>) -> Result<Money, Error> {
        let own = ctx.session()?.scope()?.company().currency;
        Ok(Money::new(self.row.waiting_minor, own.code()))
    }

    /// What of that has become deductible, in the company's currency.
    fn transferred(&self, ctx: &Context<'_>) -> Result<Money, Error> {
        let own = ctx.session()?.scope()?.company().currency;
        Ok(Money::new(self.row.transferred_minor, own.code()))
    }
}

/// How much a finding matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
pub(crate) enum FindingSeverity {
    /// Worth a look; good invoices have such too.
    Warning,
    /// The document breaks a rule of the standard, or contradicts itself.
    Error,
}

/// What does not add up, or breaks a rule, on a bill as received.
pub(crate) struct Finding(pub(super) bill_finding::Model);

/// What does not add up, or breaks a rule, on a bill as received.
#[Object]
impl Finding {
    /// The public id.
    async fn id(&self) -> ID {
        public(Kind::Finding, self.0.id)
    }

    /// The rule: of EN 16931 (`BR-…`), or our own (`X-…`).
    fn rule(&self) -> &str {
        &self.0.rule
    }

    /// How much it matters.
    fn severity(&self) -> FindingSeverity {
        if self.0.severity == "error" { FindingSeverity::Error } else { FindingSeverity::Warning }
    }

    /// The business term or group of EN 16931, e.g. `BT-112`.
    fn field(&self) -> &str {
        &self.0.field
    }

    /// The supplier's identifier of the line, when it is about a line.
    fn line(&self) -> Option<&str> {
        self.0.line.as_deref()
    }

    /// What is wrong, for people.
    fn message(&self) -> &str {
        &self.0.message
    }

    /// What would be right, in the unit of the field; null where that cannot be computed.
    fn expected(&self) -> Option<Decimal> {
        self.0.expected
    }

    /// What the document states, in the unit of the field.
    fn stated(&self) -> Option<Decimal> {
        self.0.stated
    }
}
