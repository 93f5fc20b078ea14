use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "kpi_definition")]
pub struct Model {
    pub tenant_id: Uuid,
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub key: String,
    pub label_fr: String,
    pub label_en: String,
    pub description_fr: String,
    pub description_en: String,
    pub cube: String,
    pub measure: String,
    pub parameters: Json,
    pub unit: String,
    pub direction: String,
    pub target: Option<Decimal>,
    pub builtin: bool,
    pub spec_version: i32,
    pub slice: Option<Uuid>,
    pub over_slice: Option<Uuid>,
    pub band_low: Option<Decimal>,
    pub band_high: Option<Decimal>,
    pub warning: Option<Decimal>,
    pub critical: Option<Decimal>,
    pub hysteresis: Decimal,
    pub owner_id: Option<Uuid>,
    pub version: i32,
    pub created_at: DateTimeUtc,
    pub created_by: String,
    pub updated_at: DateTimeUtc,
    pub updated_by: String,
    pub archived_at: Option<DateTimeUtc>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
