//! A customer invoice or credit note.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, Default, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "invoice")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub tenant_id: Uuid,
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub kind: String,
    pub state: String,
    pub customer_id: Uuid,
    pub corrects_id: Option<Uuid>,
    pub number: Option<String>,
    pub series_year: Option<i16>,
    pub series_number: Option<i32>,
    pub issue_date: Option<Date>,
    pub due_date: Option<Date>,
    pub delivery_date: Option<Date>,
    pub currency: String,
    pub rate: Option<Decimal>,
    pub payment_days: i16,
    pub end_of_month: bool,
    pub buyer_reference: Option<String>,
    pub order_reference: Option<String>,
    pub note: Option<String>,
    pub net_minor: i64,
    pub tax_minor: i64,
    pub total_minor: i64,
    pub net_base_minor: i64,
    pub total_base_minor: i64,
    pub settled_minor: i64,
    pub credited_minor: i64,
    pub open_minor: i64,
    #[sea_orm(column_type = "JsonBinary", nullable)]
    pub customer_as_issued: Option<Json>,
    pub entry_id: Option<Uuid>,
    pub issued_at: Option<DateTimeUtc>,
    pub issued_by: Option<String>,
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
