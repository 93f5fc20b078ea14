//! A journal entry.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "journal_entry")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub tenant_id: Uuid,
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub journal_id: Uuid,
    pub kind: String,
    pub state: String,
    pub entry_date: Date,
    pub label: String,
    pub piece_ref: Option<String>,
    pub piece_date: Option<Date>,
    pub source_kind: Option<String>,
    pub source_id: Option<Uuid>,
    pub reverses_id: Option<Uuid>,
    pub fiscal_year_id: Option<Uuid>,
    pub period_id: Option<Uuid>,
    pub number: Option<i32>,
    pub posted_at: Option<DateTimeUtc>,
    pub posted_by: Option<String>,
    pub external_ref: Option<String>,
    pub version: i32,
    pub created_at: DateTimeUtc,
    pub created_by: String,
    pub updated_at: DateTimeUtc,
    pub updated_by: String,
}

#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
