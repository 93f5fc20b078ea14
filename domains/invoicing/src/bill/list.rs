//! Which bills there are, and what belongs to them.

use chrono::NaiveDate;
use entity::invoicing::bill::{Column, Entity, Model};
use entity::invoicing::{bill_finding, bill_line, bill_tax};
use kernel::page::{Cursor, Page, Slice};
use kernel::{Kind, Permission, Tx};
use sea_orm::sea_query::{Expr, ExprTrait};
use sea_orm::{ColumnTrait, Condition, IntoSimpleExpr, QueryFilter, Select};
use uuid::Uuid;

use super::{BillKind, PaymentState, Source, State, store};
use crate::error::Error;
use crate::listing;

/// Which bills are listed; everything by default.
#[derive(Clone, Debug, Default)]
pub struct BillFilter {
    /// In one of these states; in any when empty.
    pub states: Vec<State>,
    /// Bills or credit notes.
    pub kind: Option<BillKind>,
    /// How they came.
    pub source: Option<Source>,
    /// From one supplier.
    pub supplier_id: Option<Uuid>,
    /// Credit notes that correct one bill.
    pub corrects_id: Option<Uuid>,
    /// Due on this day or later.
    pub due_from: Option<NaiveDate>,
    /// Due on this day or earlier.
    pub due_to: Option<NaiveDate>,
    /// Issued on this day or later.
    pub issued_from: Option<NaiveDate>,
    /// Issued on this day or earlier.
    pub issued_to: Option<NaiveDate>,
    /// Numbers that begin so, capitals as stored.
    pub number_prefix: Option<String>,
    /// With findings, or without.
    pub has_findings: Option<bool>,
    /// In this payment state today.
    pub payment_state: Option<PaymentState>,
    /// With this external reference.
    pub external_ref: Option<String>,
}

/// In which order bills are listed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum BillSort {
    /// The last received first.
    #[default]
    Newest,
    /// The first due first.
    DueDate,
}

impl BillSort {
    /// The key of a bill's cursor in this order.
    pub fn key(self, bill: &Model) -> String {
        match self {
            Self::Newest => String::new(),
            Self::DueDate => bill.due_date.to_string(),
        }
    }

    /// Where a bill stands in this order.
    pub fn cursor(self, bill: &Model) -> Cursor {
        Cursor { key: self.key(bill), id: bill.id }
    }

    fn sort(self) -> listing::Sort<Column> {
        match self {
            Self::Newest => listing::Sort { key: None, id: Column::Id, descending: true },
            Self::DueDate => listing::Sort {
                key: Some((Column::DueDate, listing::date_key)),
                id: Column::Id,
                descending: false,
            },
        }
    }
}

/// The SQL of [`super::payment_state`]; a test holds the two together.
fn in_payment_state(state: PaymentState, today: NaiveDate) -> Condition {
    let column = |column: Column| column.into_simple_expr();
    let late = Condition::all().add(Column::Kind.eq(BillKind::Bill.as_str())).add(Column::DueDate.lt(today));
    let credited =
        Column::CreditedMinor.gt(0_i64).and(column(Column::CreditedMinor).eq(column(Column::PayableMinor)));
    let open = Column::OpenMinor.gt(0_i64);
    let untouched = column(Column::OpenMinor).eq(column(Column::PayableMinor));
    let state = match state {
        PaymentState::Credited => Condition::all().add(credited),
        PaymentState::Paid => Condition::all().add(Column::OpenMinor.eq(0_i64)).add(credited.not()),
        PaymentState::Overdue => Condition::all().add(open).add(late),
        PaymentState::PartlyPaid => Condition::all().add(open).add(late.not()).add(untouched.not()),
        PaymentState::Open => Condition::all().add(open).add(late.not()).add(untouched),
    };
    // Written out, so that the planner sees that the partial index fits.
    state.add(Expr::cust("\"bill\".\"state\" = 'posted'"))
}

fn select(tx: &Tx, filter: &BillFilter) -> Select<Entity> {
    let mut select = tx.find(Entity);
    if !filter.states.is_empty() {
        let states = filter.states.iter().map(|state| state.as_str().to_owned()).collect();
        select = select.filter(listing::one_of(Column::State, states));
    }
    if let Some(state) = filter.payment_state {
        select = select.filter(in_payment_state(state, tx.scope().today()));
    }
    let conditions = [
        filter.kind.map(|kind| Column::Kind.eq(kind.as_str())),
        filter.source.map(|source| Column::Source.eq(source.as_str())),
        filter.supplier_id.map(|id| Column::SupplierId.eq(id)),
        filter.corrects_id.map(|id| Column::CorrectsId.eq(id)),
        filter.external_ref.as_deref().map(|reference| Column::ExternalRef.eq(reference)),
        filter.due_from.map(|day| Column::DueDate.gte(day)),
        filter.due_to.map(|day| Column::DueDate.lte(day)),
        filter.issued_from.map(|day| Column::IssueDate.gte(day)),
        filter.issued_to.map(|day| Column::IssueDate.lte(day)),
        filter.number_prefix.as_deref().map(|prefix| listing::starts_with(Column::Number, prefix)),
        filter
            .has_findings
            .map(|some| if some { Column::FindingCount.gt(0) } else { Column::FindingCount.eq(0) }),
    ];
    conditions.into_iter().flatten().fold(select, QueryFilter::filter)
}

/// A bill.
pub async fn get(tx: &Tx, id: Uuid) -> Result<Model, Error> {
    tx.scope().require(Permission::BillsRead)?;
    store::by_ids(tx, &[id]).await?.pop().ok_or(Error::NotFound(Kind::Bill, "id"))
}

/// The bills of these ids, by id; unknown ones are left out.
pub async fn by_ids(tx: &Tx, ids: &[Uuid]) -> Result<Vec<Model>, Error> {
    tx.scope().require(Permission::BillsRead)?;
    Ok(store::by_ids(tx, ids).await?)
}

/// A page of bills.
pub async fn list(tx: &Tx, filter: &BillFilter, sort: BillSort, slice: &Slice) -> Result<Page<Model>, Error> {
    tx.scope().require(Permission::BillsRead)?;
    listing::page(tx, select(tx, filter), &sort.sort(), slice).await
}

/// How many bills.
pub async fn count(tx: &Tx, filter: &BillFilter) -> Result<u64, Error> {
    tx.scope().require(Permission::BillsRead)?;
    listing::count(tx, select(tx, filter), Column::Id).await
}

/// The lines of these bills, by bill and number.
pub async fn lines_of(tx: &Tx, bills: &[Uuid]) -> Result<Vec<bill_line::Model>, Error> {
    tx.scope().require(Permission::BillsRead)?;
    Ok(store::lines_of(tx, bills).await?)
}

/// The supplier credit notes that correct these bills, by bill, the oldest first.
pub async fn credit_notes_of(tx: &Tx, bills: &[Uuid]) -> Result<Vec<Model>, Error> {
    tx.scope().require(Permission::BillsRead)?;
    Ok(store::credit_notes_of(tx, bills).await?)
}

/// The tax groups of these bills, by bill, the highest rate first.
pub async fn taxes_of(tx: &Tx, bills: &[Uuid]) -> Result<Vec<bill_tax::Model>, Error> {
    tx.scope().require(Permission::BillsRead)?;
    Ok(store::taxes_of(tx, bills).await?)
}

/// What was found on these bills when they came, by bill.
pub async fn findings_of(tx: &Tx, bills: &[Uuid]) -> Result<Vec<bill_finding::Model>, Error> {
    tx.scope().require(Permission::BillsRead)?;
    Ok(store::findings_of(tx, bills).await?)
}
