use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "allocation")]
pub struct Model {
    pub tenant_id: Uuid,
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub payment_id: Option<Uuid>,
    pub credit_note_id: Option<Uuid>,
    pub bill_credit_id: Option<Uuid>,
    pub invoice_id: Option<Uuid>,
    pub bill_id: Option<Uuid>,
    pub currency: String,
    pub amount_minor: i64,
    pub source_base_minor: i64,
    pub target_base_minor: i64,
    pub on_date: Date,
    pub reverses_id: Option<Uuid>,
    pub entry_id: Option<Uuid>,
    pub matching_id: Option<Uuid>,
    pub difference_matching_id: Option<Uuid>,
    pub created_at: DateTimeUtc,
    pub created_by: String,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
