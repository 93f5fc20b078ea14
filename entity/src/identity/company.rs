use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "company")]
pub struct Model {
    pub tenant_id: Uuid,
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub mode: String,
    pub twin_id: Option<Uuid>,
    pub name: String,
    pub legal_form: String,
    pub siren: Option<String>,
    pub country: String,
    pub currency: String,
    pub zone: String,
    pub locale: String,
    pub fiscal_year_month: i16,
    pub chart: String,
    pub four_eyes: bool,
    pub documents_only: bool,
    pub second_factor_from: Option<DateTimeUtc>,
    pub rights_four_eyes: bool,
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
