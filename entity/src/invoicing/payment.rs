use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "payment")]
pub struct Model {
    pub tenant_id: Uuid,
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub direction: String,
    pub side: String,
    pub state: String,
    pub party_id: Uuid,
    pub paid_on: Date,
    pub currency: String,
    pub amount_minor: i64,
    pub base_minor: i64,
    pub method: String,
    pub reference: Option<String>,
    pub allocated_minor: i64,
    pub bounced_on: Option<Date>,
    pub bounced_reason: Option<String>,
    pub entry_id: Uuid,
    pub bounce_entry_id: Option<Uuid>,
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
