//! A line of a journal entry.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "posting")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub tenant_id: Uuid,
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub entry_id: Uuid,
    pub line_no: i32,
    pub account_id: Uuid,
    pub debit_minor: i64,
    pub credit_minor: i64,
    pub foreign_currency: Option<String>,
    pub foreign_minor: Option<i64>,
    pub foreign_rate: Option<Decimal>,
    pub party_id: Option<Uuid>,
    pub label: String,
    pub tax_code: Option<String>,
    pub tax_base_minor: Option<i64>,
    #[sea_orm(column_type = "JsonBinary", nullable)]
    pub analytic: Option<Json>,
    pub due_on: Option<Date>,
    pub posted_on: Option<Date>,
}

#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
