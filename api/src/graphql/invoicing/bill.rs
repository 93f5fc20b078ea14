//! Supplier bills in the graph.

use std::collections::HashMap;

use async_graphql::{Context, Error, ID, Lookahead, Object};
use chrono::{DateTime, Utc};
use entity::invoicing::bill::Model;
use entity::invoicing::{bill_finding, bill_line, bill_tax};
use invoicing::bill::{self as rules, service};
use kernel::{Kind, Permission, Tx};
use rust_decimal::Decimal;
use uuid::Uuid;

use super::bill_details::BillDetails;
use super::bill_enums::{BillKind, BillPaymentState, BillSource, BillState};
use super::bill_parts::{BillLine, BillTax, Finding};
use super::party::Party;
use super::payment_allocation::Allocation;
use crate::graphql::activity::{Activity, feed};
use crate::graphql::actor::Actor;
use crate::graphql::connection::Connection;
use crate::graphql::cost::{about, costs, newest};
use crate::graphql::date::Date;
use crate::graphql::documents::file::File;
use crate::graphql::guard::{Needs, Told};
use crate::graphql::ids::public;
use crate::graphql::inline::{Inline, Rows};
use crate::graphql::ledger::entry::JournalEntry;
use crate::graphql::money::Money;
use crate::graphql::request::{Batch, InRequest};

/// A supplier bill or supplier credit note, as received.
#[derive(Clone)]
pub(crate) struct Bill {
    row: Model,
    /// Children that were read with it, because the query asks for them.
    lines: Option<Vec<bill_line::Model>>,
    taxes: Option<Vec<bill_tax::Model>>,
    findings: Option<Vec<bill_finding::Model>>,
    supplier: Option<Party>,
}

/// Bills of these ids, in one statement.
struct Bills;

impl Batch for Bills {
    type Key = Uuid;
    type Value = Model;

    async fn load(tx: &Tx, keys: &[Uuid]) -> Result<HashMap<Uuid, Model>, Error> {
        let bills = service::by_ids(tx, keys).await.told()?;
        Ok(bills.into_iter().map(|bill| (bill.id, bill)).collect())
    }
}

macro_rules! children {
    ($batch:ident, $model:ty, $read:path) => {
        struct $batch;

        impl Batch for $batch {
            type Key = Uuid;
            type Value = Vec<$model>;

            async fn load(tx: &Tx, keys: &[Uuid]) -> Result<HashMap<Uuid, Vec<$model>>, Error> {
                Ok(by_bill($read(tx, keys).await.told()?, |child| child.bill_id))
            }
        }
    };
}

children!(Lines, bill_line::Model, service::lines_of);
children!(Taxes, bill_tax::Model, service::taxes_of);
children!(Findings, bill_finding::Model, service::findings_of);

/// The credit notes that correct these bills, in one statement.
struct CreditNotes;

impl Batch for CreditNotes {
    type Key = Uuid;
    type Value = Vec<Model>;

    async fn load(tx: &Tx, keys: &[Uuid]) -> Result<HashMap<Uuid, Vec<Model>>, Error> {
        Ok(by_bill(service::credit_notes_of(tx, keys).await.told()?, |note| {
            note.corrects_id.unwrap_or_default()
        }))
    }
}

/// Children by the bill that they belong to.
fn by_bill<T>(children: Vec<T>, bill: impl Fn(&T) -> Uuid) -> HashMap<Uuid, Vec<T>> {
    children.into_iter().fold(HashMap::new(), |mut grouped, child| {
        grouped.entry(bill(&child)).or_insert_with(Vec::new).push(child);
        grouped
    })
}

/// Children by bill, when they are wanted.
async fn read<T>(
    wanted: bool,
    children: impl Future<Output = Result<Vec<T>, invoicing::Error>>,
    bill: impl Fn(&T) -> Uuid,
) -> Result<Option<HashMap<Uuid, Vec<T>>>, Error> {
    if wanted { Ok(Some(by_bill(children.await.told()?, bill))) } else { Ok(None) }
}

impl Bill {
    /// A bill of its row alone.
    pub(crate) const fn new(row: Model) -> Self {
        Self { row, lines: None, taxes: None, findings: None, supplier: None }
    }

    /// A bill by id.
    pub(crate) async fn load(ctx: &Context<'_>, id: Uuid) -> Result<Option<Self>, Error> {
        Ok(ctx.session()?.load::<Bills>(id).await?.map(Self::new))
    }

    /// Bills with what the query asks of them, each kind of child in one statement. `node` is the selection on
    /// a bill. What the actor may not read is not read ahead: the field itself refuses it.
    pub(crate) async fn ahead(
        ctx: &Context<'_>,
        tx: &Tx,
        node: &Lookahead<'_>,
        rows: Vec<Model>,
    ) -> Result<Vec<Self>, Error> {
        let ids: Vec<Uuid> = rows.iter().map(|row| row.id).collect();
        let wants = |field: &str| node.field(field).exists() && !ids.is_empty();
        let mut lines = read(wants("lines"), service::lines_of(tx, &ids), |line| line.bill_id).await?;
        let mut taxes = read(wants("taxes"), service::taxes_of(tx, &ids), |tax| tax.bill_id).await?;
        let mut findings = read(wants("findings"), service::findings_of(tx, &ids), |one| one.bill_id).await?;
        let may = ctx.session()?.scope()?.permissions().has(Permission::PartiesRead);
        let suppliers = if may && wants("supplier") {
            Party::all(tx, rows.iter().map(|row| row.supplier_id), &Party::asked(&node.field("supplier")))
                .await?
        } else {
            HashMap::new()
        };
        let bills = rows.into_iter().map(|row| Self {
            lines: lines.as_mut().map(|lines| lines.remove(&row.id).unwrap_or_default()),
            taxes: taxes.as_mut().map(|taxes| taxes.remove(&row.id).unwrap_or_default()),
            findings: findings.as_mut().map(|findings| findings.remove(&row.id).unwrap_or_default()),
            supplier: suppliers.get(&row.supplier_id).cloned(),
            row,
        });
        Ok(bills.collect())
    }

    fn money(&self, minor: i64) -> Money {
        Money::new(minor, &self.row.currency)
    }
}

/// A supplier bill or supplier credit note, as received.
#[Object]
impl Bill {
    /// The public id.
    pub(crate) async fn id(&self) -> ID {
        public(Kind::Bill, self.row.id)
    }

    /// Grows with each change; updates take the one that was read.
    fn version(&self) -> i32 {
        self.row.version
    }

    /// Bill or credit note.
    fn kind(&self) -> BillKind {
        rules::BillKind::parse(&self.row.kind).unwrap_or(rules::BillKind::Bill).into()
    }

    /// How far it has come.
    fn state(&self) -> BillState {
        rules::State::parse(&self.row.state).unwrap_or(rules::State::Received).into()
    }

    /// How far it is settled; null until it is posted.
    fn payment_state(&self, ctx: &Context<'_>) -> Result<Option<BillPaymentState>, Error> {
        let today = ctx.session()?.scope()?.today();
        Ok(rules::payment_state(&self.row, today).map(BillPaymentState::from))
    }

    /// From whom.
    #[graphql(guard = "Needs(Permission::PartiesRead)")]
    async fn supplier(&self, ctx: &Context<'_>) -> Result<Option<Inline<Party>>, Error> {
        match &self.supplier {
            Some(supplier) => Ok(Some(Inline(supplier.clone()))),
            None => Ok(Party::load(ctx, self.row.supplier_id).await?.map(Inline)),
        }
    }

    /// The bill that this credit note corrects, when it is known here.
    async fn corrects(&self, ctx: &Context<'_>) -> Result<Option<Bill>, Error> {
        match self.row.corrects_id {
            Some(id) => Bill::load(ctx, id).await,
            None => Ok(None),
        }
    }

    /// The supplier credit notes that correct this bill, the oldest first.
    #[graphql(directive = about::apply(2))]
    async fn credit_notes(&self, ctx: &Context<'_>) -> Result<Vec<Bill>, Error> {
        let notes = ctx.session()?.load::<CreditNotes>(self.row.id).await?;
        Ok(notes.unwrap_or_default().into_iter().map(Bill::new).collect())
    }

    /// What settles it, or what this credit note settles; undone allocations are left out.
    #[graphql(guard = "Needs(Permission::PaymentsRead)", directive = about::apply(3))]
    async fn allocations(&self, ctx: &Context<'_>) -> Result<Vec<Allocation>, Error> {
        Allocation::of_bill(ctx, self.row.id).await
    }

    /// The supplier's number.
    fn number(&self) -> &str {
        &self.row.number
    }

    /// The supplier's date.
    fn issue_date(&self) -> Date {
        Date::from(self.row.issue_date)
    }

    /// When it is due, as stated or by the supplier's terms.
    fn due_date(&self) -> Date {
        Date::from(self.row.due_date)
    }

    /// The company's calendar day of receipt.
    fn received_on(&self) -> Date {
        Date::from(self.row.received_on)
    }

    /// Its currency, ISO 4217: that of all its amounts.
    fn currency(&self) -> &str {
        &self.row.currency
    }

    /// Allowances on the whole document, as stated (EN 16931, BT-107).
    fn allowances(&self) -> Money {
        self.money(self.row.allowance_minor)
    }

    /// Charges on the whole document, as stated (EN 16931, BT-108).
    fn charges(&self) -> Money {
        self.money(self.row.charge_minor)
    }

    /// The total without VAT, as stated (EN 16931, BT-109).
    fn net(&self) -> Money {
        self.money(self.row.net_minor)
    }

    /// The VAT, as stated (EN 16931, BT-110).
    fn tax(&self) -> Money {
        self.money(self.row.tax_minor)
    }

    /// The total with VAT, as stated (EN 16931, BT-112).
    fn total(&self) -> Money {
        self.money(self.row.total_minor)
    }

    /// What had been paid already, as stated (EN 16931, BT-113).
    fn prepaid(&self) -> Money {
        self.money(self.row.prepaid_minor)
    }

    /// What rounds the payable amount, as stated (EN 16931, BT-114).
    fn rounding(&self) -> Money {
        self.money(self.row.rounding_minor)
    }

    /// What is to be paid, as stated (EN 16931, BT-115).
    fn payable(&self) -> Money {
        self.money(self.row.payable_minor)
    }

    /// What is still to pay, or to get back of a credit note; zero until it is posted.
    fn open(&self) -> Money {
        self.money(rules::open_minor(&self.row))
    }

    /// What payments have settled of it.
    fn settled(&self) -> Money {
        self.money(self.row.settled_minor)
    }

    /// What credit notes took off; of a credit note: what was set against bills.
    fn credited(&self) -> Money {
        self.money(self.row.credited_minor)
    }

    /// The payable amount in the company's currency, as posted; null until then.
    fn payable_base(&self, ctx: &Context<'_>) -> Result<Option<Money>, Error> {
        let own = ctx.session()?.scope()?.company().currency;
        let posted = self.row.entry_id.map(|_| Money::new(self.row.payable_base_minor, own.code()));
        Ok(posted)
    }

    /// Company currency for one unit of its own, as posted; null until then.
    fn exchange_rate(&self) -> Option<Decimal> {
        self.row.rate.map(|rate| rate.normalize())
    }

    /// Whether its VAT becomes deductible when it is paid and not when it is posted.
    fn vat_on_payment(&self) -> bool {
        self.row.vat_on_payment
    }

    /// Its lines, by number.
    #[graphql(directive = about::apply(10))]
    async fn lines(&self, ctx: &Context<'_>) -> Result<Rows<BillLine>, Error> {
        let lines = match &self.lines {
            Some(lines) => lines.clone(),
            None => ctx.session()?.load::<Lines>(self.row.id).await?.unwrap_or_default(),
        };
        let line = |row| BillLine { row, currency: self.row.currency.clone() };
        Ok(Rows(lines.into_iter().map(line).collect()))
    }

    /// Its tax per category and rate, the highest rate first.
    #[graphql(directive = about::apply(3))]
    async fn taxes(&self, ctx: &Context<'_>) -> Result<Rows<BillTax>, Error> {
        let taxes = match &self.taxes {
            Some(taxes) => taxes.clone(),
            None => ctx.session()?.load::<Taxes>(self.row.id).await?.unwrap_or_default(),
        };
        let tax = |row| BillTax { row, currency: self.row.currency.clone() };
        Ok(Rows(taxes.into_iter().map(tax).collect()))
    }

    /// How many findings it came with.
    fn finding_count(&self) -> i32 {
        self.row.finding_count
    }

    /// What did not add up, or broke a rule of EN 16931, when it came. A correction does not remove it.
    #[graphql(directive = about::apply(5))]
    async fn findings(&self, ctx: &Context<'_>) -> Result<Rows<Finding>, Error> {
        let findings = match &self.findings {
            Some(findings) => findings.clone(),
            None => ctx.session()?.load::<Findings>(self.row.id).await?.unwrap_or_default(),
        };
        Ok(Rows(findings.into_iter().map(Finding).collect()))
    }

    /// Whether somebody had to correct it before approval.
    fn corrected(&self) -> bool {
        self.row.corrected
    }

    /// How it came.
    fn source(&self) -> BillSource {
        rules::Source::parse(&self.row.source).unwrap_or(rules::Source::Manual).into()
    }

    /// The file it came as, or was typed from; null when there is none.
    #[graphql(guard = "Needs(Permission::FilesRead)")]
    async fn file(&self, ctx: &Context<'_>) -> Result<Option<File>, Error> {
        match self.row.file_id {
            Some(id) => File::load(ctx, id).await,
            None => Ok(None),
        }
    }

    /// What else the received document says; null of a typed bill.
    fn details(&self) -> Option<BillDetails> {
        self.row.document.clone().map(BillDetails)
    }

    /// Who entered or imported it.
    fn entered_by(&self) -> Actor {
        Actor(self.row.entered_by.clone())
    }

    /// When it was received.
    fn received_at(&self) -> DateTime<Utc> {
        self.row.received_at
    }

    /// Who approved it; null until then.
    fn approved_by(&self) -> Option<Actor> {
        self.row.approved_by.clone().map(Actor)
    }

    /// When it was approved; null until then.
    fn approved_at(&self) -> Option<DateTime<Utc>> {
        self.row.approved_at
    }

    /// Who rejected it; null unless it is.
    fn rejected_by(&self) -> Option<Actor> {
        self.row.rejected_by.clone().map(Actor)
    }

    /// When it was rejected; null unless it is.
    fn rejected_at(&self) -> Option<DateTime<Utc>> {
        self.row.rejected_at
    }

    /// Why it was rejected; null unless it is.
    fn rejected_reason(&self) -> Option<&str> {
        self.row.rejected_reason.as_deref()
    }

    /// Who posted it; null until then.
    fn posted_by(&self) -> Option<Actor> {
        self.row.posted_by.clone().map(Actor)
    }

    /// When it was posted; null until then.
    fn posted_at(&self) -> Option<DateTime<Utc>> {
        self.row.posted_at
    }

    /// Its accounting date; null until it is posted.
    fn posted_on(&self) -> Option<Date> {
        self.row.posted_on.map(Date::from)
    }

    /// Its entry in the purchases journal; null until it is posted.
    #[graphql(guard = "Needs(Permission::LedgerRead)")]
    async fn journal_entry(&self, ctx: &Context<'_>) -> Result<Option<JournalEntry>, Error> {
        match self.row.entry_id {
            Some(id) => JournalEntry::load(ctx, id).await,
            None => Ok(None),
        }
    }

    /// The partner system's own id, unique within the company.
    fn external_ref(&self) -> Option<&str> {
        self.row.external_ref.as_deref()
    }

    /// What happened to it, newest first.
    #[graphql(directive = newest::apply(), directive = costs::apply(5))]
    async fn activity(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How many, at most 100.")] first: i32,
        #[graphql(desc = "Those before this one.")] after: Option<String>,
    ) -> Result<Connection<Activity>, Error> {
        feed(ctx, Some(self.row.id), first, after).await
    }
}
