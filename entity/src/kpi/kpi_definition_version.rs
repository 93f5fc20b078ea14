use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "kpi_definition_version")]
pub struct Model {
    pub tenant_id: Uuid,
    #[sea_orm(primary_key, auto_increment = false)]
    pub kpi_id: Uuid,
    #[sea_orm(primary_key, auto_increment = false)]
    pub spec_version: i32,
    pub cube: String,
    pub measure: String,
    pub parameters: Json,
    pub unit: String,
    pub state: String,
    pub created_at: DateTimeUtc,
    pub created_by: String,
    pub live_at: Option<DateTimeUtc>,
    pub ended_at: Option<DateTimeUtc>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
