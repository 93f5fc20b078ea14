//! What a debit line and a credit line settle of each other.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "matching")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub tenant_id: Uuid,
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub debit_posting_id: Uuid,
    pub credit_posting_id: Uuid,
    pub amount_minor: i64,
    pub matched_on: Date,
    pub undone_on: Option<Date>,
    pub undone_at: Option<DateTimeUtc>,
    pub undone_by: Option<String>,
    pub version: i32,
    pub created_at: DateTimeUtc,
    pub created_by: String,
}

#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
