//! How invoices and credit notes are read.

use chrono::NaiveDate;
use entity::invoicing::invoice::{Column, Entity, Model};
use entity::invoicing::{invoice_line, invoice_tax};
use kernel::page::{Page, Slice};
use kernel::sparse::Columns;
use kernel::{Kind, Permission, Tx};
use sea_orm::sea_query::{Expr, ExprTrait};
use sea_orm::{ColumnTrait, Condition, IntoSimpleExpr, QueryFilter, Select};
use uuid::Uuid;

use crate::error::Error;
use crate::listing::{self, Sort};

use super::{DocumentKind, PaymentState, State, store};

/// Which invoices and credit notes; all conditions hold.
#[derive(Clone, Debug, Default)]
pub struct InvoiceFilter {
    /// In one of these states.
    pub states: Option<Vec<State>>,
    /// Invoices, or credit notes.
    pub kind: Option<DocumentKind>,
    /// Of this customer.
    pub customer_id: Option<Uuid>,
    /// In this payment state today.
    pub payment_state: Option<PaymentState>,
    /// Issued on this day or later.
    pub issued_from: Option<NaiveDate>,
    /// Issued on this day or earlier.
    pub issued_to: Option<NaiveDate>,
    /// Due on this day or later.
    pub due_from: Option<NaiveDate>,
    /// Due on this day or earlier.
    pub due_to: Option<NaiveDate>,
    /// Whose number starts so.
    pub number_prefix: Option<String>,
    /// With this external reference.
    pub external_ref: Option<String>,
    /// Credit notes of this invoice.
    pub corrects_id: Option<Uuid>,
}

/// The order of a list of invoices.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum InvoiceSort {
    /// The newest first.
    #[default]
    Newest,
    /// By issue date, the latest first; issued ones only.
    IssueDate,
    /// By due date, the earliest first; issued ones only.
    DueDate,
}

impl InvoiceSort {
    /// An invoice's key in this order, for cursors.
    pub fn key(self, invoice: &Model) -> String {
        let day = match self {
            Self::Newest => None,
            Self::IssueDate => invoice.issue_date,
            Self::DueDate => invoice.due_date,
        };
        day.map_or_else(String::new, |day| day.to_string())
    }

    fn sort(self) -> Sort<Column> {
        match self {
            Self::Newest => Sort { key: None, id: Column::Id, descending: true },
            Self::IssueDate => {
                Sort { key: Some((Column::IssueDate, listing::date_key)), id: Column::Id, descending: true }
            }
            Self::DueDate => {
                Sort { key: Some((Column::DueDate, listing::date_key)), id: Column::Id, descending: false }
            }
        }
    }
}

/// The SQL of [`super::payment_state`]; a test holds the two together.
fn in_payment_state(state: PaymentState, today: NaiveDate) -> Condition {
    let late =
        Condition::all().add(Column::Kind.eq(DocumentKind::Invoice.as_str())).add(Column::DueDate.lt(today));
    let column = |column: Column| column.into_simple_expr();
    let credited = column(Column::CreditedMinor).eq(column(Column::TotalMinor));
    let open = Column::OpenMinor.gt(0_i64);
    let untouched = column(Column::OpenMinor).eq(column(Column::TotalMinor));
    let state = match state {
        PaymentState::Credited => Condition::all().add(credited),
        PaymentState::Paid => Condition::all().add(Column::OpenMinor.eq(0_i64)).add(credited.not()),
        PaymentState::Overdue => Condition::all().add(open).add(late),
        PaymentState::PartlyPaid => Condition::all().add(open).add(late.not()).add(untouched.not()),
        PaymentState::Open => Condition::all().add(open).add(late.not()).add(untouched),
    };
    state.add(is_issued())
}

/// Written out, so that the planner sees that the partial indexes fit.
fn is_issued() -> Expr {
    Expr::cust("\"invoice\".\"state\" = 'issued'")
}

fn select(tx: &Tx, filter: &InvoiceFilter) -> Select<Entity> {
    let mut all = Condition::all();
    if let Some(states) = &filter.states {
        all = all.add(listing::one_of(Column::State, states.iter().map(|s| s.as_str().to_owned()).collect()));
    }
    if let Some(kind) = filter.kind {
        all = all.add(Column::Kind.eq(kind.as_str()));
    }
    if let Some(customer) = filter.customer_id {
        all = all.add(Column::CustomerId.eq(customer));
    }
    if let Some(state) = filter.payment_state {
        all = all.add(in_payment_state(state, tx.scope().today()));
    }
    for (column, from, to) in [
        (Column::IssueDate, filter.issued_from, filter.issued_to),
        (Column::DueDate, filter.due_from, filter.due_to),
    ] {
        if let Some(from) = from {
            all = all.add(column.gte(from)).add(is_issued());
        }
        if let Some(to) = to {
            all = all.add(column.lte(to)).add(is_issued());
        }
    }
    if let Some(prefix) = &filter.number_prefix {
        all = all.add(listing::starts_with(Column::Number, &prefix.trim().to_uppercase())).add(is_issued());
    }
    if let Some(external_ref) = &filter.external_ref {
        all = all.add(Column::ExternalRef.eq(external_ref.as_str()));
    }
    if let Some(corrects) = filter.corrects_id {
        all = all.add(Column::CorrectsId.eq(corrects));
    }
    tx.find(Entity).filter(all)
}

/// An invoice or credit note.
pub async fn get(tx: &Tx, id: Uuid) -> Result<Model, Error> {
    tx.scope().require(Permission::InvoicingRead)?;
    store::by_ids(tx, &[id]).await?.pop().ok_or(Error::NotFound(Kind::Invoice, "id"))
}

/// The invoices and credit notes of these ids, by id; unknown ones are left out.
pub async fn by_ids(tx: &Tx, ids: &[Uuid]) -> Result<Vec<Model>, Error> {
    tx.scope().require(Permission::InvoicingRead)?;
    Ok(store::by_ids(tx, ids).await?)
}

/// A page of invoices and credit notes, with some of their columns.
pub async fn list(
    tx: &Tx,
    filter: &InvoiceFilter,
    sort: InvoiceSort,
    slice: &Slice,
    columns: Columns<Entity>,
) -> Result<Page<Model>, Error> {
    tx.scope().require(Permission::InvoicingRead)?;
    let select = match sort {
        InvoiceSort::Newest => select(tx, filter),
        InvoiceSort::IssueDate | InvoiceSort::DueDate => select(tx, filter).filter(is_issued()),
    };
    listing::page_of(tx, select, &sort.sort(), slice, columns).await
}

/// How many invoices and credit notes; in an order of issued ones only those count.
pub async fn count(tx: &Tx, filter: &InvoiceFilter, sort: InvoiceSort) -> Result<u64, Error> {
    tx.scope().require(Permission::InvoicingRead)?;
    let select = match sort {
        InvoiceSort::Newest => select(tx, filter),
        InvoiceSort::IssueDate | InvoiceSort::DueDate => select(tx, filter).filter(is_issued()),
    };
    listing::count(tx, select, Column::Id).await
}

/// The lines of these invoices, by invoice and in their order.
pub async fn lines_of(
    tx: &Tx,
    invoices: &[Uuid],
    columns: &Columns<invoice_line::Entity>,
) -> Result<Vec<invoice_line::Model>, Error> {
    tx.scope().require(Permission::InvoicingRead)?;
    let rest = "FROM invoice_line WHERE invoice_id = ANY($1) ORDER BY invoice_id, line_no";
    Ok(tx.columns(columns, rest, [invoices.to_vec().into()]).await?)
}

/// The tax groups of these invoices, by invoice, category and rate.
pub async fn taxes_of(tx: &Tx, invoices: &[Uuid]) -> Result<Vec<invoice_tax::Model>, Error> {
    tx.scope().require(Permission::InvoicingRead)?;
    let sql = "SELECT * FROM invoice_tax WHERE invoice_id = ANY($1) ORDER BY invoice_id, category, rate DESC";
    Ok(tx.all(sql, [invoices.to_vec().into()]).await?)
}

/// The credit notes of these invoices, discarded ones aside, by invoice and age.
pub async fn credit_notes_of(tx: &Tx, invoices: &[Uuid]) -> Result<Vec<Model>, Error> {
    tx.scope().require(Permission::InvoicingRead)?;
    let sql =
        "SELECT * FROM invoice WHERE corrects_id = ANY($1) AND state <> 'discarded' ORDER BY corrects_id, id";
    Ok(tx.all(sql, [invoices.to_vec().into()]).await?)
}
