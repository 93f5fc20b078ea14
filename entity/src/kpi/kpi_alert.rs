use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "kpi_alert")]
pub struct Model {
    pub tenant_id: Uuid,
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub kpi_id: Uuid,
    pub level: String,
    pub peak_level: String,
    pub opened_at: DateTimeUtc,
    pub opened_on: Date,
    pub opened_value: Decimal,
    pub currency: Option<String>,
    pub value: Decimal,
    pub closed_at: Option<DateTimeUtc>,
    pub closed_value: Option<Decimal>,
    pub closed_because: Option<String>,
    pub told_level: Option<String>,
    pub acknowledged_at: Option<DateTimeUtc>,
    pub acknowledged_by: Option<String>,
    pub snoozed_until: Option<DateTimeUtc>,
    pub assignee_id: Option<Uuid>,
    pub version: i32,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
