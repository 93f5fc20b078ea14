//! A supplier bill or supplier credit note.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "bill")]
pub struct Model {
    pub tenant_id: Uuid,
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub kind: String,
    pub state: String,
    pub supplier_id: Uuid,
    pub corrects_id: Option<Uuid>,
    pub number: String,
    pub issue_date: Date,
    pub issue_year: i16,
    pub due_date: Date,
    pub received_on: Date,
    pub received_at: DateTimeUtc,
    pub currency: String,
    pub allowance_minor: i64,
    pub charge_minor: i64,
    pub net_minor: i64,
    pub tax_minor: i64,
    pub total_minor: i64,
    pub prepaid_minor: i64,
    pub rounding_minor: i64,
    pub payable_minor: i64,
    pub vat_on_payment: bool,
    pub rate: Option<Decimal>,
    pub payable_base_minor: i64,
    pub settled_minor: i64,
    pub credited_minor: i64,
    pub open_minor: i64,
    pub source: String,
    pub file_id: Option<Uuid>,
    pub file_sha256: Option<Vec<u8>>,
    pub document: Option<Json>,
    pub finding_count: i32,
    pub corrected: bool,
    pub corrected_by: Option<String>,
    pub entered_by: String,
    pub approved_by: Option<String>,
    pub approved_at: Option<DateTimeUtc>,
    pub rejected_by: Option<String>,
    pub rejected_at: Option<DateTimeUtc>,
    pub rejected_reason: Option<String>,
    pub posted_by: Option<String>,
    pub posted_at: Option<DateTimeUtc>,
    pub posted_on: Option<Date>,
    pub entry_id: Option<Uuid>,
    pub external_ref: Option<String>,
    pub version: i32,
    pub created_at: DateTimeUtc,
    pub created_by: String,
    pub updated_at: DateTimeUtc,
    pub updated_by: String,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
